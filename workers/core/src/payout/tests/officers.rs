//! What people do: decisions of two, releases, corrections, the end of an application.

use super::super::{
    AlarmKind, CallEnd, Carrier, Decision, EndKind, Event, HoldCode, InstructionState as S, PayoutState, PayoutWord,
    Refused, Word,
};
use crate::ids::OperatorId;
use crate::money::Fen;
use crate::rules::Idempotency;
use crate::scenery::{Story, ended, payee, rejected, returned, rules, settled};

#[test]
fn a_decision_takes_two_officers_and_a_matter_to_decide() {
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Stand {
        Ready,
        InDoubt,
        Pending,
        Absent,
        Contradiction,
        RefusedPayee,
        RefusedOther,
        Settled,
    }
    use Decision::{Close, Retry, Settled};
    for (stand, possible) in [
        (Stand::Ready, vec![]),
        (Stand::InDoubt, vec![Settled]),
        (Stand::Pending, vec![Settled]),
        (Stand::Absent, vec![Settled, Close]),
        (Stand::Contradiction, vec![Settled, Close]),
        (Stand::RefusedPayee, vec![Settled]),
        (Stand::RefusedOther, vec![Settled, Retry]),
        (Stand::Settled, vec![]),
    ] {
        for decision in [Settled, Retry, Close] {
            let mut story = Story::ready(rules());
            match stand {
                Stand::Ready => {}
                Stand::InDoubt => story.sent_in_doubt(),
                Stand::Pending | Stand::Contradiction => {
                    story.sent_in_doubt();
                    story.says(1, Word::OnTheWay, Carrier::Pushed);
                }
                Stand::Absent => story.absent(),
                Stand::RefusedPayee => story.refused("AC01"),
                Stand::RefusedOther => story.refused("FF01"),
                Stand::Settled => {
                    story.sent_in_doubt();
                    story.says(1, settled(), Carrier::Enquiry);
                }
            }
            if stand == Stand::Contradiction {
                story.pass(200);
                story.not_found(1);
            }
            let before = story.states();
            let first = story.decides("O-1", 1, decision);
            assert_eq!(first.is_ok(), possible.contains(&decision), "{stand:?} {decision:?}");
            if first.is_err() {
                continue;
            }
            assert_eq!(story.states(), before, "one officer changes nothing: {stand:?} {decision:?}");
            assert_eq!(story.decides("O-1", 1, decision), Err(Refused::SameOfficer(OperatorId::from("O-1"))));
            story.decides("O-2", 1, decision).unwrap();
            let after = match decision {
                Settled => vec![S::Settled],
                Retry => vec![S::Refused, S::Fresh],
                Close => vec![S::Closed],
            };
            assert_eq!(story.states(), after, "{stand:?}");
            assert!(story.payout.instruction(1).unwrap().decision_by.is_none(), "a decision is used up");
        }
    }
}

#[test]
fn a_vote_does_not_outlive_the_sending_it_was_about() {
    let mut story = Story::ready(rules());
    story.absent();
    story.decides("O-1", 1, Decision::Close).unwrap();
    story.absent();
    story.decides("O-2", 1, Decision::Close).unwrap();
    assert_eq!(story.states(), [S::Unknown], "the first vote was about an earlier sending");
}

#[test]
fn closing_ends_the_payout_and_later_truth_is_still_booked() {
    let mut story = Story::ready(rules());
    story.absent();
    story.decides("O-1", 1, Decision::Close).unwrap();
    story.decides("O-2", 1, Decision::Close).unwrap();
    assert_eq!((story.payout.state(), story.payout.funded), (PayoutState::Cancelled, false));
    story.says(1, settled(), Carrier::Statement);
    assert_eq!(story.payout.state(), PayoutState::Settled);
    assert_eq!(story.rung, [AlarmKind::Mismatch, AlarmKind::PaidAfterEnd]);
    story.says(1, returned(), Carrier::Statement);
    assert_eq!((story.payout.state(), story.payout.total_held()), (PayoutState::Cancelled, Fen::ZERO));
}

#[test]
fn closing_a_spare_generation_of_a_paid_award_does_not_end_it() {
    let mut story = Story::ready(rules());
    story.refused("FF01");
    story.decides("O-1", 1, Decision::Retry).unwrap();
    story.decides("O-2", 1, Decision::Retry).unwrap();
    story.absent();
    story.says(1, settled(), Carrier::Statement);
    story.decides("O-1", 2, Decision::Close).unwrap();
    story.decides("O-2", 2, Decision::Close).unwrap();
    assert_eq!((story.payout.state(), &story.payout.ended), (PayoutState::Settled, &None));
    story.says(1, returned(), Carrier::Statement);
    assert_eq!(story.payout.state(), PayoutState::Returned, "the approval stands");
}

#[test]
fn where_repetitions_are_known_by_message_two_officers_let_an_absent_member_travel_on() {
    let mut story = Story::ready(rules());
    story.rules.bank.idempotency = Idempotency::MessageId;
    // With its open message it goes again, however often it was not found.
    story.sent_in_doubt();
    story.pass(121);
    for _ in 0..5 {
        story.not_found(1);
    }
    assert!(story.payout.may_be_sent() && !story.payout.is_claimable());
    story.must(Event::BatchClosed);
    assert!(!story.payout.may_be_sent(), "alone it does not");
    assert_eq!(story.rung, [AlarmKind::ResendExpired]);
    assert!(story.decides("O-1", 1, Decision::Retry).is_err(), "no bank day has closed");
    story.pass(24 * 3600);
    story.decides("O-1", 1, Decision::Retry).unwrap();
    assert!(story.decides("O-1", 1, Decision::Retry).is_err());
    assert!(!story.payout.is_claimable());
    story.decides("O-2", 1, Decision::Retry).unwrap();
    assert!(story.payout.is_claimable());
    story.not_found(1);
    assert!(story.payout.is_claimable(), "what was agreed stands until it is used");
    story.absent();
    assert!(!story.payout.is_claimable(), "and is used once");

    let mut story = Story::ready(rules());
    story.rules.bank.idempotency = Idempotency::MessageId;
    story.not_taken_in();
    story.must(Event::BatchClosed);
    assert!(story.payout.is_claimable(), "what never left is no repetition");
}

#[test]
fn what_two_officers_said_holds_until_the_bank_says_otherwise() {
    let mut story = Story::ready(rules());
    story.absent();
    story.decides("O-1", 1, Decision::Settled).unwrap();
    story.decides("O-2", 1, Decision::Settled).unwrap();
    story.says(1, Word::OnTheWay, Carrier::Pushed);
    assert_eq!(story.states(), [S::Settled]);
    story.says(1, rejected("AM04"), Carrier::Pushed);
    assert_eq!(story.states(), [S::Unknown]);
    story.says(1, rejected("AM04"), Carrier::Enquiry);
    assert_eq!(story.states(), [S::Refused], "and no successor goes by itself");
    assert!(story.rung.contains(&AlarmKind::Mismatch));

    let mut story = Story::ready(rules());
    story.absent();
    story.decides("O-1", 1, Decision::Settled).unwrap();
    story.decides("O-2", 1, Decision::Settled).unwrap();
    story.says(1, settled(), Carrier::Statement);
    story.says(1, rejected("AM04"), Carrier::Enquiry);
    assert_eq!(story.states(), [S::Settled], "the bank's own line stands");
}

#[test]
fn a_release_names_its_codes_and_some_take_two() {
    let release = |story: &mut Story, by: &str, code| {
        story.happens(Event::Released { by: OperatorId::from(by), codes: vec![code] })
    };
    for (code, one, two) in [
        (HoldCode::FundShort, false, false),
        (HoldCode::SignatureMismatch, false, true),
        (HoldCode::TooOld, true, true),
        (HoldCode::Operator, true, true),
        (HoldCode::OfficersMissing, false, true),
        (HoldCode::KeyRevoked, false, true),
    ] {
        let mut story = Story::ready(rules());
        story.is_held(code);
        assert_eq!(release(&mut story, "O-1", HoldCode::PayeeChanged), Err(Refused::NoSuchHold("payee_changed")));
        let _ = release(&mut story, "O-1", code);
        assert_eq!(story.payout.is_claimable(), one, "{code:?}");
        if !one {
            assert!(release(&mut story, "O-1", code).is_err(), "{code:?}: the same officer twice");
            let _ = release(&mut story, "O-2", code);
        }
        assert_eq!(story.payout.is_claimable(), two, "{code:?}");
        if two {
            assert_eq!(story.words.last(), Some(&PayoutWord::Released));
            story.is_held(code);
            let again = matches!(code, HoldCode::Operator | HoldCode::SignatureMismatch);
            assert_eq!(story.payout.holds.contains_key(&code), again, "waived for good: {code:?}");
        }
    }
}

#[test]
fn a_correction_waits_for_what_was_ever_claimed() {
    #[derive(Debug)]
    enum When {
        Ready,
        NotTakenIn,
        InDoubt,
        RefusedPayee,
        RefusedOther,
        Returned,
    }
    for (when, states, account) in [
        (When::Ready, vec![S::Fresh], "2"),
        (When::NotTakenIn, vec![S::Fresh], "1"),
        (When::InDoubt, vec![S::Unknown], "1"),
        (When::RefusedPayee, vec![S::Refused, S::Fresh], "2"),
        (When::RefusedOther, vec![S::Refused], "1"),
        (When::Returned, vec![S::Returned, S::Fresh], "2"),
    ] {
        let mut story = Story::ready(rules());
        match when {
            When::Ready => {}
            When::NotTakenIn => story.not_taken_in(),
            When::InDoubt => story.sent_in_doubt(),
            When::RefusedPayee => story.refused("AC01"),
            When::RefusedOther => story.refused("FF01"),
            When::Returned => {
                story.sent_in_doubt();
                story.says(1, returned(), Carrier::Statement);
            }
        }
        story.corrects("2").unwrap();
        assert_eq!(story.states(), states, "{when:?}");
        assert_eq!(story.payout.latest().unwrap().payee, payee(account), "{when:?}");
        assert_eq!(story.payout.correction.is_some(), account == "1", "{when:?}");
        assert_eq!(story.payout.correction_event.is_some(), account == "2", "{when:?}");
    }
}

#[test]
fn a_waiting_correction_is_taken_by_whatever_successor_comes() {
    let mut story = Story::ready(rules());
    story.sent_in_doubt();
    story.corrects("2").unwrap();
    story.says(1, rejected("AM04"), Carrier::Enquiry);
    assert_eq!(story.states(), [S::Refused, S::Fresh]);
    assert_eq!(story.payout.latest().unwrap().payee, payee("2"));

    let mut story = Story::ready(rules());
    story.sent_in_doubt();
    story.corrects("2").unwrap();
    story.says(1, settled(), Carrier::Enquiry);
    assert_eq!(story.rung, [AlarmKind::Mismatch], "paid to the account that was to be replaced");
    assert_eq!(story.corrects("3"), Err(Refused::AlreadySettled));
}

#[test]
fn a_name_that_officers_accepted_is_not_accepted_for_another_account() {
    let mut story = Story::ready(rules());
    story.is_held(HoldCode::AccountName);
    story.must(Event::Released { by: OperatorId::from("O-1"), codes: vec![HoldCode::AccountName] });
    let mut other = payee("2");
    other.account_name = "别家公司".to_owned();
    let authority = ("/review".to_owned(), "c".to_owned());
    story.must(Event::Corrected { payee: other, authority, at: story.now });
    assert!(story.payout.holds.contains_key(&HoldCode::AccountName));
}

#[test]
fn the_end_of_an_application_cancels_the_unsent_and_waits_for_the_sent() {
    for kind in [EndKind::Withdrawn, EndKind::Rejected, EndKind::Revoked] {
        let mut story = Story::ready(rules());
        story.not_taken_in();
        story.must(Event::Ended(ended(kind)));
        assert_eq!((story.states(), story.payout.funded), (vec![S::Closed], false));
        assert_eq!(story.payout.state(), PayoutState::Cancelled);
        assert_eq!(story.examined.len(), 1, "its message must not go again");

        let mut story = Story::ready(rules());
        story.absent();
        story.must(Event::Ended(ended(kind)));
        assert!(story.claim().is_err(), "never resent");
        assert!(story.payout.funded, "its money waits with it");
        story.says(1, rejected("AM04"), Carrier::Enquiry);
        assert_eq!((story.states(), story.payout.state()), (vec![S::Refused], PayoutState::Cancelled));
        assert!(story.corrects("2").is_err(), "no successor");
    }
    let mut story = Story::ready(rules());
    story.sent_in_doubt();
    story.says(1, settled(), Carrier::Enquiry);
    story.must(Event::Ended(ended(EndKind::Withdrawn)));
    assert_eq!(story.rung, [AlarmKind::PaidAfterEnd]);
}

#[test]
fn cancel_works_from_held_and_ready_alone() {
    let cancel = || Event::Cancelled(ended(EndKind::Cancelled));
    let mut story = Story::ready(rules());
    story.is_held(HoldCode::Operator);
    story.must(cancel());
    assert!(story.happens(cancel()).is_err(), "once");
    let mut story = Story::ready(rules());
    story.claim().unwrap();
    assert!(story.happens(cancel()).is_err());
    story.call_ends(CallEnd::Answered).unwrap();
    assert!(story.happens(cancel()).is_err());
    story.says(1, rejected("AM04"), Carrier::Enquiry);
    story.must(cancel());
    assert_eq!((story.states(), story.payout.funded), (vec![S::Refused, S::Closed], false));
    story.says(1, settled(), Carrier::Statement);
    assert!(story.rung.contains(&AlarmKind::PaidAfterEnd), "late truth is booked");
}
