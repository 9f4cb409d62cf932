//! Random histories of one payout: any event in any order, lies included. What must hold always is asked after every event
//! by the story itself; here also that evidence is never refused and that no act of ours gets around a guard.

use super::super::{CallEnd, Carrier, Decision, EndKind, Event, HoldCode, Word};
use crate::ids::OperatorId;
use crate::money::Fen;
use crate::ports::bank::NotTakenIn;
use crate::rules::{Enquiries, Idempotency};
use crate::scenery::{Story, at, ended, rules};
use jiff::SignedDuration;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Claim,
    CallEnds(CallEnd),
    LeaseExpires,
    BatchCloses,
    Says(u32, Word, Carrier),
    NotFound(u32, i64),
    EnquiryFails(u32),
    Held(HoldCode),
    Released(u8, HoldCode),
    Corrected(u8),
    Ended(EndKind),
    Cancelled,
    Decided(u8, u32, Decision),
    Pass(i64),
}

fn word() -> impl Strategy<Value = Word> {
    let reason = prop::sample::select(vec!["AC01", "AM04", "TM01", "FF01"]);
    prop_oneof![
        3 => Just(Word::OnTheWay),
        2 => prop::sample::select(vec!["R1", "R2"]).prop_map(|reference| Word::Settled {
            credited_at: None,
            bank_reference: Some(reference.to_owned()),
        }),
        6 => reason.prop_map(|reason| Word::Rejected { reason: reason.to_owned(), text: String::new() }),
        1 => Just(Word::Duplicate),
        1 => Just(Word::Unclear { code: "XXXX".to_owned() }),
        2 => prop::sample::select(vec![10_000, 9_999]).prop_map(|amount| Word::Returned {
            at: at(0),
            reason: "AC04".to_owned(),
            amount: Fen(amount),
        }),
    ]
}

fn carrier() -> impl Strategy<Value = Carrier> {
    prop::sample::select(vec![Carrier::Answer, Carrier::Enquiry, Carrier::Enquiry, Carrier::Pushed, Carrier::Statement])
}

fn call_end() -> impl Strategy<Value = CallEnd> {
    prop_oneof![
        3 => Just(CallEnd::Answered),
        2 => Just(CallEnd::Doubtful { why: "reset".to_owned() }),
        2 => Just(CallEnd::NotTakenIn(NotTakenIn::TooManyRequests)),
        1 => Just(CallEnd::NotMade),
        1 => (1_u32..4).prop_map(|members| CallEnd::RefusedWhole { members }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let hold = || prop::sample::select(vec![HoldCode::Operator, HoldCode::FormatRefused, HoldCode::PayeeChanged]);
    let end = prop::sample::select(vec![EndKind::Withdrawn, EndKind::Revoked]);
    let decision = prop::sample::select(vec![Decision::Settled, Decision::Retry, Decision::Close]);
    prop_oneof![
        20 => Just(Step::Claim),
        16 => call_end().prop_map(Step::CallEnds),
        2 => Just(Step::LeaseExpires),
        6 => Just(Step::BatchCloses),
        16 => (1_u32..5, word(), carrier()).prop_map(|(generation, word, carrier)| Step::Says(generation, word, carrier)),
        8 => (1_u32..5, 0_i64..200).prop_map(|(generation, ago)| Step::NotFound(generation, ago)),
        1 => (1_u32..5).prop_map(Step::EnquiryFails),
        1 => hold().prop_map(Step::Held),
        4 => (0_u8..3, hold()).prop_map(|(by, code)| Step::Released(by, code)),
        3 => (0_u8..3).prop_map(Step::Corrected),
        1 => end.prop_map(Step::Ended),
        1 => Just(Step::Cancelled),
        6 => (0_u8..3, 1_u32..5, decision).prop_map(|(by, generation, decision)| Step::Decided(by, generation, decision)),
        10 => prop::sample::select(vec![1_i64, 60, 121, 3_601, 90_000, 900_000]).prop_map(Step::Pass),
    ]
}

fn play(story: &mut Story, step: Step) -> Result<(), TestCaseError> {
    let officer = |by: u8| OperatorId(format!("O-{by}"));
    match step {
        Step::Claim => {
            let (allowed, was) = (story.payout.may_be_sent(), story.payout.clone());
            prop_assert_eq!(story.claim().is_ok(), allowed);
            // Where repetitions are known by message, what may be at the bank travels in another one by two officers' word.
            let one = was.latest().unwrap();
            let alone = story.rules.bank.idempotency == Idempotency::MessageId && one.doubt && one.msg_id.is_none();
            prop_assert!(!allowed || !alone || one.decision_by.is_some());
        }
        Step::CallEnds(end) => {
            let open = story.payout.instructions.iter().any(|one| one.claim.is_some());
            prop_assert_eq!(story.call_ends(end).is_ok(), open);
        }
        Step::LeaseExpires => {
            story.pass(91);
            story.must(Event::LeaseExpired);
        }
        Step::BatchCloses => story.must(Event::BatchClosed),
        Step::Says(generation, word, carrier) if story.payout.instruction(generation).is_some() => {
            story.says(generation, word, carrier);
        }
        Step::NotFound(generation, ago) if story.payout.instruction(generation).is_some() => {
            let begun_at = story.now - SignedDuration::from_secs(ago);
            story.says(generation, Word::NotFound { begun_at }, Carrier::Enquiry);
        }
        Step::EnquiryFails(generation) if story.payout.instruction(generation).is_some() => {
            let instruction_id = story.id(generation);
            story.must(Event::EnquiryFailed { instruction_id, not_before: None });
        }
        Step::Says(..) | Step::NotFound(..) | Step::EnquiryFails(_) => {}
        Step::Held(code) => story.is_held(code),
        Step::Released(by, code) => drop(story.happens(Event::Released { by: officer(by), codes: vec![code] })),
        Step::Corrected(account) => drop(story.corrects(&account.to_string())),
        Step::Ended(kind) => story.must(Event::Ended(ended(kind))),
        Step::Cancelled => drop(story.happens(Event::Cancelled(ended(EndKind::Cancelled)))),
        Step::Decided(by, generation, decision) => drop(story.decides(&format!("O-{by}"), generation, decision)),
        Step::Pass(seconds) => {
            story.pass(seconds);
            story.must(Event::TimePassed);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_invariants_hold(
        by_message in any::<bool>(),
        silent in any::<bool>(),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut rules = rules();
        rules.bank.idempotency = if by_message { Idempotency::MessageId } else { Idempotency::EndToEndId };
        rules.bank.enquiries = if silent { Enquiries::NotOffered } else { Enquiries::Offered };
        let mut story = Story::ready(rules);
        for step in steps {
            play(&mut story, step)?;
        }
    }

    #[test]
    fn two_generations_may_both_be_paid_and_the_books_stay_whole(words in prop::collection::vec((1_u32..3, word(), carrier()), 1..20)) {
        let mut story = Story::ready(rules());
        story.refused("AM04");
        story.pass(3_601);
        story.must(Event::TimePassed);
        story.sent_in_doubt();
        for (generation, word, carrier) in words {
            if story.payout.instruction(generation).is_some() {
                story.says(generation, word, carrier);
            }
        }
        let debited = story.payout.instructions.iter().filter(|one| one.is_debited()).count();
        prop_assert!(debited < 2 || story.payout.overpaid);
    }
}
