//! The protocol's tables: what a word makes of an instruction, and when a successor may exist. Every step of a story also
//! asks what must hold always (see `scenery`).

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

mod officers;
mod random;

use super::{AlarmKind, CallEnd, Carrier, Event, HoldCode, InstructionState as S, PayoutState, Word};
use crate::money::Fen;
use crate::ports::bank::NotTakenIn;
use crate::rules::{Enquiries, Idempotency};
use crate::scenery::{Story, at, rejected, returned, rules, settled};

#[test]
fn what_the_end_of_a_call_makes_of_a_first_sending() {
    let doubtful = || CallEnd::Doubtful { why: "time-out".to_owned() };
    let not_taken_in = || CallEnd::NotTakenIn(NotTakenIn::Unauthorised);
    for (first, second, state) in [
        (None, CallEnd::Answered, S::Unknown),
        (None, doubtful(), S::Unknown),
        (None, not_taken_in(), S::Fresh),
        (None, CallEnd::NotMade, S::Fresh),
        (None, CallEnd::RefusedWhole { members: 4 }, S::Fresh),
        // A refusal to talk says nothing of earlier calls.
        (Some(doubtful()), not_taken_in(), S::Unknown),
        (Some(doubtful()), CallEnd::NotMade, S::Unknown),
        (Some(doubtful()), CallEnd::RefusedWhole { members: 1 }, S::Unknown),
        (Some(not_taken_in()), not_taken_in(), S::Fresh),
    ] {
        let mut story = Story::ready(rules());
        let case = format!("{first:?} then {second:?}");
        if let Some(first) = first {
            story.claim().unwrap();
            story.call_ends(first).unwrap();
            story.pass(121);
            story.not_found(1);
        }
        story.claim().unwrap();
        assert_eq!(story.states(), [S::Sending]);
        story.call_ends(second).unwrap();
        assert_eq!(story.states(), [state], "{case}");
    }
}

#[test]
fn what_a_word_makes_of_what_was_sent_in_doubt() {
    for (words, state, public) in [
        (vec![Word::OnTheWay], S::Pending, PayoutState::Pending),
        (vec![settled()], S::Settled, PayoutState::Settled),
        (vec![rejected("AC01")], S::Refused, PayoutState::Refused),
        (vec![Word::Duplicate], S::Unknown, PayoutState::Unknown),
        (vec![Word::Unclear { code: "XXXX".to_owned() }], S::Unknown, PayoutState::Unknown),
        (vec![returned()], S::Returned, PayoutState::Returned),
        // Precedence: a debit stands over a refusal, whichever comes first; a return over both.
        (vec![rejected("AC01"), settled()], S::Settled, PayoutState::Settled),
        (vec![settled(), rejected("AC01")], S::Settled, PayoutState::Settled),
        (vec![returned(), settled()], S::Returned, PayoutState::Returned),
        (vec![settled(), returned(), rejected("AC01")], S::Returned, PayoutState::Returned),
        (vec![settled(), Word::OnTheWay], S::Settled, PayoutState::Settled),
        (vec![Word::OnTheWay, rejected("AC01")], S::Refused, PayoutState::Refused),
    ] {
        let mut story = Story::ready(rules());
        story.sent_in_doubt();
        for word in words.clone() {
            story.says(1, word, Carrier::Enquiry);
        }
        assert_eq!((story.states(), story.payout.state()), (vec![state], public), "{words:?}");
        assert!(!story.payout.may_be_sent(), "{words:?}");
    }
}

#[test]
fn a_refusal_is_confirmed_by_an_enquiry_and_by_nothing_else() {
    let unclear = || Word::Unclear { code: "XXXX".to_owned() };
    for (offered, carrier, then, state) in [
        (Enquiries::Offered, Carrier::Answer, None, S::Unknown),
        (Enquiries::Offered, Carrier::Pushed, None, S::Unknown),
        (Enquiries::Offered, Carrier::Enquiry, None, S::Refused),
        (Enquiries::NotOffered, Carrier::Pushed, None, S::Refused),
        (Enquiries::Offered, Carrier::Answer, Some(rejected("AC01")), S::Refused),
        (Enquiries::Offered, Carrier::Answer, Some(Word::OnTheWay), S::Pending),
        (Enquiries::Offered, Carrier::Answer, Some(settled()), S::Settled),
        (Enquiries::Offered, Carrier::Answer, Some(Word::Duplicate), S::Unknown),
        (Enquiries::Offered, Carrier::Answer, Some(unclear()), S::Unknown),
        (Enquiries::Offered, Carrier::Answer, Some(Word::NotFound { begun_at: at(121) }), S::Refused),
        (Enquiries::Offered, Carrier::Answer, Some(Word::NotFound { begun_at: at(119) }), S::Unknown),
    ] {
        let mut story = Story::ready(rules());
        story.rules.bank.enquiries = offered;
        story.claim().unwrap();
        story.call_ends(CallEnd::Answered).unwrap();
        story.says(1, rejected("AC01"), carrier);
        story.pass(121);
        let case = format!("{offered:?} {carrier:?} {then:?}");
        let won = matches!(then, Some(Word::Duplicate | Word::Unclear { .. }));
        if let Some(then) = then {
            story.says(1, then, Carrier::Enquiry);
        }
        assert_eq!(story.states(), [state], "{case}");
        if won {
            // What won over the refusal keeps "not found" from confirming it.
            story.not_found(1);
            assert_eq!(story.states(), [S::Unknown], "{case}");
            assert!(story.payout.latest().unwrap().contradiction, "{case}");
        }
    }
}

#[test]
fn while_a_call_is_under_way_no_word_of_a_refusal_is_final() {
    let mut story = Story::ready(rules());
    story.claim().unwrap();
    story.says(1, rejected("AM04"), Carrier::Enquiry);
    assert_eq!(story.states(), [S::Sending]);
    story.call_ends(CallEnd::NotMade).unwrap();
    assert_eq!(story.states(), [S::Unknown]);
    story.says(1, rejected("AM04"), Carrier::Enquiry);
    assert_eq!(story.states(), [S::Refused, S::Fresh]);
}

#[test]
fn a_return_while_a_call_is_under_way_lets_no_successor_be_minted_before_it_ends() {
    let mut story = Story::ready(rules());
    story.sent_in_doubt();
    story.corrects("2").unwrap();
    story.pass(121);
    story.not_found(1);
    story.claim().unwrap();
    story.says(1, returned(), Carrier::Statement);
    assert_eq!(story.states(), [S::Returned]);
    story.pass(3600);
    story.must(Event::LeaseExpired);
    assert_eq!(story.states(), [S::Returned, S::Fresh]);
    assert_eq!(story.payout.latest().unwrap().payee.account_no, "2");
}

#[test]
fn not_found_is_believed_after_the_window_and_never_after_evidence() {
    for (evidence, begun_after_call_end, absent, contradiction) in [
        (None, 119, false, false),
        (None, 120, true, false),
        (Some(Word::OnTheWay), 120, false, true),
        (Some(Word::Duplicate), 120, false, true),
        (Some(Word::Duplicate), 119, false, false),
    ] {
        let mut story = Story::ready(rules());
        story.pass(10);
        story.sent_in_doubt();
        if let Some(word) = evidence.clone() {
            story.says(1, word, Carrier::Pushed);
        }
        story.pass(200);
        let begun_at = at(10 + begun_after_call_end);
        story.says(1, Word::NotFound { begun_at }, Carrier::Enquiry);
        let one = story.payout.latest().unwrap();
        let case = format!("{evidence:?} {begun_after_call_end}");
        assert_eq!((one.absent, one.contradiction), (absent, contradiction), "{case}");
        assert_eq!(story.payout.may_be_sent(), absent, "{case}");
        assert_eq!(story.rung.contains(&AlarmKind::Contradiction), contradiction, "{case}");
    }
}

#[test]
fn after_a_crash_the_window_runs_from_the_end_of_the_lease() {
    let mut story = Story::ready(rules());
    story.claim().unwrap();
    story.pass(89);
    story.must(Event::LeaseExpired);
    assert_eq!(story.states(), [S::Sending], "the lease has not run out");
    story.pass(1000);
    story.must(Event::LeaseExpired);
    assert_eq!(story.states(), [S::Unknown]);
    story.says(1, Word::NotFound { begun_at: at(90 + 119) }, Carrier::Enquiry);
    assert!(!story.payout.may_be_sent());
    story.says(1, Word::NotFound { begun_at: at(90 + 120) }, Carrier::Enquiry);
    assert!(story.payout.may_be_sent());
}

#[test]
fn a_word_about_what_we_do_not_know_to_have_sent_is_asked_after_and_blocks() {
    for word in [Word::OnTheWay, Word::Duplicate, Word::Unclear { code: "XXXX".to_owned() }, rejected("AC01")] {
        let mut story = Story::ready(rules());
        story.says(1, word.clone(), Carrier::Pushed);
        assert!(!story.payout.may_be_sent(), "{word:?}");
        story.not_found(1);
        story.corrects("2").unwrap();
        assert_eq!(story.payout.payee.account_no, "1", "{word:?}: the bank has it with the old account");
    }
}

#[test]
fn each_class_of_refusal_has_its_own_next_step() {
    for (reason, states, held_by) in [
        ("AC01", vec![S::Refused], None),
        ("BE01", vec![S::Refused], None),
        ("AM04", vec![S::Refused, S::Fresh], Some(HoldCode::BankFunds)),
        ("TM01", vec![S::Refused, S::Fresh], Some(HoldCode::BankWindow)),
        ("FF01", vec![S::Refused], None),
    ] {
        let mut story = Story::ready(rules());
        story.refused(reason);
        assert_eq!(story.states(), states, "{reason}");
        assert_eq!(story.payout.holds.keys().next().copied(), held_by, "{reason}");
        assert_eq!(story.rung == [AlarmKind::RefusedOther], reason == "FF01", "{reason}");
        if held_by.is_some() {
            story.pass(3601);
            story.must(Event::TimePassed);
            assert!(story.payout.is_claimable(), "{reason}");
        }
        // The 24 hours stand still for the enterprise's own correction alone.
        assert_eq!(story.payout.is_unpaid(), !["AC01", "BE01"].contains(&reason), "{reason}");
    }
}

/// However often the bank repeats its old "on the way": the refusal outweighs it, the successor waits for the bank to confirm
/// the refusal again, and no generation comes of it.
#[test]
fn on_the_way_after_a_confirmed_refusal_stops_the_successor_until_it_is_confirmed_again() {
    #[derive(Debug)]
    enum Second {
        Unsent,
        NotTakenIn,
        Absent,
        Sending,
    }
    for (second, state) in [
        (Second::Unsent, S::Fresh),
        (Second::NotTakenIn, S::Fresh),
        (Second::Absent, S::Unknown),
        (Second::Sending, S::Sending),
    ] {
        let mut story = Story::ready(rules());
        story.refused("AM04");
        story.pass(3601);
        story.must(Event::TimePassed);
        match second {
            Second::Unsent => {}
            Second::NotTakenIn => story.not_taken_in(),
            Second::Absent => story.absent(),
            Second::Sending => story.claim().unwrap(),
        }
        for _ in 0..3 {
            story.rung.clear();
            for _ in 0..2 {
                story.says(1, Word::OnTheWay, Carrier::Pushed);
                assert_eq!(story.states(), [S::Refused, state], "{second:?}");
                assert!(!story.payout.may_be_sent(), "{second:?}");
                assert_eq!(story.rung, [AlarmKind::Contradiction], "{second:?}: it rings once");
                assert!(story.payout.instructions[0].enquire_at.is_some(), "{second:?}: the bank is asked");
            }
            if state == S::Fresh {
                assert_eq!(story.payout.state(), PayoutState::Unknown, "{second:?}: what may move money speaks");
                assert_eq!(story.payout.reason().unwrap().0, "contradiction", "{second:?}");
            }
            story.says(1, rejected("AM04"), Carrier::Enquiry);
            let free = !matches!(second, Second::Sending);
            assert_eq!(story.payout.may_be_sent(), free, "{second:?}: the bank has made up its mind");
        }
    }
}

/// A generation that was closed unsent is said to be on the way (a lost history sent it): its unsent successor goes. Then the
/// bank says the same of that one. There is one live generation all the time, and the payout never looks decided while the
/// bank has not made up its mind.
#[test]
fn a_closed_generation_said_to_be_on_the_way_lives_and_a_second_one_is_a_contradiction_beside_it() {
    let mut story = Story::ready(rules());
    story.refused("AM04");
    story.says(1, settled(), Carrier::Statement);
    story.corrects("2").unwrap_err();
    story.says(1, returned(), Carrier::Statement);
    story.corrects("2").unwrap();
    assert_eq!(story.states(), [S::Returned, S::Closed, S::Fresh]);
    story.says(2, Word::OnTheWay, Carrier::Pushed);
    assert_eq!(story.states(), [S::Returned, S::Pending, S::Closed]);
    story.says(3, Word::OnTheWay, Carrier::Pushed);
    assert_eq!(story.states(), [S::Returned, S::Pending, S::Closed]);
    assert_eq!(story.payout.state(), PayoutState::Pending, "the living generation speaks");
    story.says(2, rejected("AM04"), Carrier::Enquiry);
    assert_eq!(story.states(), [S::Returned, S::Refused, S::Closed]);
    assert_eq!(story.payout.state(), PayoutState::Unknown, "the other may move money yet: no successor");
    assert_eq!(story.payout.reason().unwrap().0, "contradiction");
    assert!(story.payout.is_unpaid(), "its 24 hours run");
    story.says(3, rejected("AM04"), Carrier::Enquiry);
    assert_eq!(story.states(), [S::Returned, S::Refused, S::Closed, S::Fresh], "the bank has made up its mind");
}

#[test]
fn a_late_debit_cancels_the_unsent_and_waits_for_the_sent() {
    let mut story = Story::ready(rules());
    story.refused("AM04");
    story.says(1, settled(), Carrier::Statement);
    assert_eq!(story.states(), [S::Settled, S::Closed]);
    assert_eq!(story.rung, [AlarmKind::Mismatch]);
    assert!(!story.payout.overpaid);

    let mut story = Story::ready(rules());
    story.refused("AM04");
    story.pass(3601);
    story.must(Event::TimePassed);
    story.absent();
    story.says(1, settled(), Carrier::Statement);
    assert_eq!(story.states(), [S::Settled, S::Unknown]);
    assert!(story.claim().is_err(), "nothing is resent while a generation is paid");
    story.says(2, settled(), Carrier::Statement);
    assert!(story.payout.overpaid && story.rung.contains(&AlarmKind::Overpaid));
    story.says(2, returned(), Carrier::Statement);
    assert_eq!(story.payout.total_held(), Fen(10_000));
    assert_eq!(story.payout.state(), PayoutState::Settled);
}

#[test]
fn what_was_drawn_on_the_overpaid_account_is_covered_when_the_other_generation_dies() {
    let mut story = Story::ready(rules());
    story.refused("AM04");
    story.pass(3601);
    story.must(Event::TimePassed);
    story.sent_in_doubt();
    story.says(1, settled(), Carrier::Statement);
    assert_eq!(story.payout.total_held(), Fen(20_000), "both may be paid");
    story.says(2, rejected("AM04"), Carrier::Enquiry);
    assert_eq!((story.payout.total_held(), story.payout.reserved), (Fen(10_000), Fen::ZERO));
    assert!(!story.payout.overpaid);
    story.says(1, returned(), Carrier::Statement);
    assert_eq!(story.payout.reserved, Fen(10_000));
}

#[test]
fn a_settled_instruction_is_not_asked_for_although_its_call_ends_later() {
    let mut story = Story::ready(rules());
    story.claim().unwrap();
    story.says(1, settled(), Carrier::Pushed);
    story.call_ends(CallEnd::Answered).unwrap();
    assert_eq!(story.payout.latest().unwrap().enquire_at, None);
    story.says(1, settled(), Carrier::Answer);
    assert_eq!(story.payout.latest().unwrap().enquire_at, None);
}

#[test]
fn a_stale_claim_is_refused_and_its_evidence_is_not() {
    let mut story = Story::ready(rules());
    story.claim().unwrap();
    story.pass(91);
    story.must(Event::LeaseExpired);
    assert!(story.call_ends(CallEnd::NotMade).is_err());
    assert_eq!(story.states(), [S::Unknown], "an expired lease is never ready again by a stale word of ours");
    story.says(1, settled(), Carrier::Answer);
    assert_eq!(story.states(), [S::Settled]);
}

#[test]
fn one_return_of_its_amount_and_the_same_line_twice_is_one() {
    let mut story = Story::ready(rules());
    story.sent_in_doubt();
    let other = Word::Returned { at: at(0), reason: "AC04".to_owned(), amount: Fen(9_999) };
    story.says(1, other, Carrier::Statement);
    assert_eq!((story.states(), story.rung.clone()), (vec![S::Unknown], vec![AlarmKind::Mismatch]));
    story.says(1, settled(), Carrier::Statement);
    story.says(1, settled(), Carrier::Statement);
    assert_eq!(story.rung.len(), 1, "the same line is one");
    let second = Word::Settled { credited_at: None, bank_reference: Some("R2".to_owned()) };
    story.says(1, second, Carrier::Statement);
    assert_eq!(story.rung.len(), 2, "a second debit rings");
    story.says(1, returned(), Carrier::Statement);
    story.says(1, returned(), Carrier::Statement);
    assert_eq!(story.payout.reserved, Fen(10_000));
}

#[test]
fn resending_ends_with_the_banks_memory() {
    for (idempotency, age_days, may_go) in [
        (Idempotency::EndToEndId, 29, true),
        (Idempotency::EndToEndId, 30, false),
        // Alone in another message: never by itself where repetitions are known by the message.
        (Idempotency::MessageId, 1, false),
    ] {
        let mut story = Story::ready(rules());
        story.rules.bank.idempotency = idempotency;
        story.sent_in_doubt();
        story.must(Event::BatchClosed);
        story.pass(age_days * 24 * 3600);
        story.not_found(1);
        story.not_found(1);
        assert_eq!(story.payout.may_be_sent(), may_go, "{idempotency:?} {age_days}");
        assert_eq!(story.rung == [AlarmKind::ResendExpired], !may_go, "{idempotency:?} {age_days}: {:?}", story.rung);
    }
    // What never left is no repetition, however old.
    let mut story = Story::ready(rules());
    story.not_taken_in();
    story.must(Event::BatchClosed);
    story.pass(90 * 24 * 3600);
    assert!(story.payout.is_claimable());
}
