//! Receipts: signed and not, before the answer, late, of other numbers, and contradicting each other.

use super::{ADDRESS, NUMBER, Play, accepted, delivered, doubtful, found, refused, undelivered};
use crate::notice::{Course, Known, NoticeKind, NoticeState, possible_ids};
use crate::ports::sms::{AskOutcome, DeliveryWord, Receipt, RefusalClass, Trust};

fn receipt(out_id: &str, word: DeliveryWord) -> Receipt {
    Receipt { out_id: out_id.to_owned(), provider_id: None, to: Some(NUMBER.to_owned()), word }
}

#[test]
fn a_signed_receipt_counts_by_itself() {
    for (word, state, then) in [
        (delivered(), NoticeState::Delivered, &[][..]),
        (DeliveryWord::OnTheWay, NoticeState::Sent, &[]),
        (undelivered(RefusalClass::Recipient), NoticeState::Failed, &[]),
        (undelivered(RefusalClass::Busy), NoticeState::Created, &["second sends n1-2"]),
    ] {
        let mut play = Play::sms(NoticeKind::PayoutCredited);
        play.take();
        play.ends("n1", accepted());
        assert!(play.receives("first", &receipt("n1", word.clone()), Trust::Signed));
        assert_eq!(play.state(), state, "{word:?}");
        assert_eq!(play.todo(), then, "{word:?}");
    }
}

#[test]
fn an_unsigned_receipt_is_asked_about_now() {
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    play.take();
    play.ends("n1", accepted());
    assert!(play.receives("first", &receipt("n1", delivered()), Trust::Hint));
    assert_eq!(play.state(), NoticeState::Sent, "a hint is no proof");
    assert_eq!(play.todo(), ["first is asked for n1"]);
    play.answers("n1", found(DeliveryWord::OnTheWay));
    assert_eq!(play.todo(), [""; 0]);
    assert_eq!(play.waits(), Some(30), "the vendor's own enquiry may lag");
    play.pass(30);
    assert_eq!(play.todo(), ["first is asked for n1"]);
    play.answers("n1", found(delivered()));
    assert_eq!((play.state(), play.waits()), (NoticeState::Delivered, None));
}

#[test]
fn a_forged_hint_costs_some_questions_and_decides_nothing() {
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    play.take();
    play.ends("n1", doubtful());
    let mut questions = 0;
    for _ in 0..3 {
        play.receives("first", &receipt("n1", delivered()), Trust::Hint);
        while play.notice.messages[0].attempts.len() == 1 {
            play.pass_until_due();
            for told in play.todo() {
                if told == "first is asked for n1" {
                    questions += 1;
                    play.answers("n1", AskOutcome::NotFound);
                }
            }
        }
    }
    assert!(questions < 12, "{questions}");
    assert_ne!(play.state(), NoticeState::Delivered);
    assert_eq!(play.notice.messages[0].attempts[1].out_id, "n1-2", "it goes on");
}

/// Delivered at `minute` o'clock, as the vendor's clock has it: each such word is another one.
fn delivered_at(minute: i64) -> DeliveryWord {
    DeliveryWord::Delivered { at: Some(super::noon() + jiff::SignedDuration::from_mins(minute)) }
}

#[test]
fn receipts_that_contradict_each_other_and_the_vendor_are_asked_about_a_few_times_a_day() {
    for (answer, state) in [
        (AskOutcome::NotFound, NoticeState::Sent),
        (found(DeliveryWord::OnTheWay), NoticeState::Sent),
        (found(undelivered(RefusalClass::Recipient)), NoticeState::Failed),
    ] {
        let mut play = Play::sms(NoticeKind::PayoutCredited);
        play.take();
        play.ends("n1", accepted());
        // A week, so that no other question is due any more.
        play.pass(8 * 86_400);
        play.take();
        for day in 1..=3 {
            let mut questions = 0;
            for minute in 0..400 {
                let word = if minute % 2 == 0 { delivered_at(minute) } else { undelivered(RefusalClass::Busy) };
                play.receives("first", &receipt("n1", word), Trust::Hint);
                if play.todo() == ["first is asked for n1"] {
                    questions += 1;
                    play.answers("n1", answer.clone());
                }
                play.pass(60);
            }
            assert!((1..=8).contains(&questions), "{questions} on day {day} with {answer:?}");
            assert_eq!((play.state(), play.waits()), (state, None), "nothing is open in the end");
            play.pass(86_400);
        }
    }
}

#[test]
fn a_late_receipt_is_confirmed_when_another_attempt_has_arrived_as_well() {
    for (answer, course) in [
        (delivered(), Course::Arrived),
        (undelivered(RefusalClass::Busy), Course::Undelivered),
        (DeliveryWord::OnTheWay, Course::TakenIn),
    ] {
        let mut play = Play::sms(NoticeKind::PayoutCredited);
        play.take();
        play.ends("n1", doubtful());
        while play.notice.messages[0].attempts.len() == 1 {
            play.pass_until_due();
            if play.todo() == ["first is asked for n1"] {
                play.answers("n1", AskOutcome::NoAnswer { why: String::new() });
            }
        }
        play.ends("n1-2", accepted());
        assert!(play.receives("second", &receipt("n1-2", delivered()), Trust::Signed));
        assert_eq!((play.state(), play.waits()), (NoticeState::Delivered, None));
        let message = &play.notice.messages[0];
        assert!(message.is_asked_no_more(&message.attempts[0]), "and the proof says so");
        assert!(play.receives("first", &receipt("n1", delivered()), Trust::Hint));
        assert_eq!(play.todo(), ["first is asked for n1"], "a hint is no proof, of this attempt neither");
        let mut questions = 0;
        while let Some(_due) = play.notice.next_at() {
            play.answers("n1", found(answer.clone()));
            questions += 1;
            if play.notice.next_at().is_some() {
                play.pass_until_due().take();
            }
        }
        assert_eq!(questions, if answer == DeliveryWord::OnTheWay { 8 } else { 1 });
        let message = &play.notice.messages[0];
        assert_eq!(message.attempts[0].course(), course);
        assert_eq!(message.is_asked_no_more(&message.attempts[0]), course == Course::TakenIn);
        assert_eq!((play.state(), play.journal()), (NoticeState::Delivered, vec!["notice.sent", "notice.delivered"]));
    }
}

#[test]
fn a_call_that_nobody_books_the_end_of_is_not_under_way_for_ever_when_another_has_arrived() {
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    play.take();
    play.ends("n1", doubtful());
    play.pass(1_800);
    play.take();
    play.answers("n1", AskOutcome::NoAnswer { why: String::new() });
    assert_eq!(play.todo(), ["second sends n1-2"]);
    assert!(play.receives("first", &receipt("n1", delivered()), Trust::Signed));
    assert_eq!((play.state(), play.waits()), (NoticeState::Delivered, Some(60)));
    assert_eq!(play.pass(60).todo(), [""; 0]);
    let message = &play.notice.messages[0];
    assert_eq!((message.attempts[1].course(), play.waits()), (Course::InDoubt, None));
    assert!(message.is_asked_no_more(&message.attempts[1]));
}

#[test]
fn where_the_only_provider_has_it_nobody_looks_every_other_minute() {
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    play.rules.providers.retain(|one| one.name == "first");
    play.take();
    play.ends("n1", accepted());
    assert_eq!(play.pass(1_800).todo(), ["first is asked for n1"]);
    play.answers("n1", AskOutcome::NotOffered);
    assert_eq!(play.todo(), [""; 0]);
    assert_eq!(play.waits(), Some(7 * 86_400 - 1_800), "until its point is lost");
}

#[test]
fn of_two_attempts_with_receipts_each_is_asked_about_in_its_time() {
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    play.take();
    play.ends("n1", doubtful());
    play.pass(1_800);
    play.take();
    play.answers("n1", AskOutcome::NoAnswer { why: String::new() });
    assert_eq!(play.todo(), ["second sends n1-2"]);
    play.ends("n1-2", accepted());
    play.receives("first", &receipt("n1", delivered()), Trust::Hint);
    assert_eq!(play.todo(), ["first is asked for n1"]);
    play.answers("n1", found(DeliveryWord::OnTheWay));
    play.receives("second", &receipt("n1-2", delivered()), Trust::Hint);
    assert_eq!(play.todo(), ["second is asked for n1-2"], "not behind the pause of the other");
}

#[test]
fn who_answers_no_questions_is_believed() {
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    play.take();
    play.ends("n1", accepted());
    play.receives("first", &receipt("n1", delivered()), Trust::Hint);
    play.take();
    play.answers("n1", AskOutcome::NotOffered);
    assert_eq!(play.state(), NoticeState::Delivered);
    assert_eq!(play.effects.addresses[0].known, Known::Verified);
}

#[test]
fn a_receipt_may_come_before_the_answer() {
    for trust in [Trust::Signed, Trust::Hint] {
        let mut play = Play::sms(NoticeKind::PayoutCredited);
        play.take();
        assert!(play.receives("first", &receipt("n1", delivered()), trust));
        if trust == Trust::Hint {
            assert_eq!(play.todo(), ["first is asked for n1"]);
            play.answers("n1", found(delivered()));
        }
        assert_eq!(play.state(), NoticeState::Delivered);
        play.ends("n1", accepted());
        assert_eq!(play.state(), NoticeState::Delivered);
        assert_eq!(play.notice.messages[0].attempts[0].cost, Some(450));
        assert_eq!(play.journal(), ["notice.delivered"], "told once");
        assert_eq!(play.waits(), None);
    }
}

#[test]
fn what_speaks_of_something_else_is_not_ours() {
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    play.take();
    play.ends("n1", accepted());
    let other_number = Receipt { to: Some("13900000000".to_owned()), ..receipt("n1", delivered()) };
    let nameless = Receipt { provider_id: None, ..receipt("", delivered()) };
    let other_id = Receipt { provider_id: Some("OTHER".to_owned()), ..receipt("", delivered()) };
    for (provider, receipt) in [
        ("first", other_number),
        ("first", receipt("n1-7", delivered())),
        ("first", receipt("n2", delivered())),
        ("second", receipt("n1", delivered())),
        ("first", nameless),
        ("first", other_id),
    ] {
        let was = play.notice.clone();
        assert!(!play.receives(provider, &receipt, Trust::Signed), "{provider} {receipt:?}");
        assert_eq!(play.notice, was);
    }
    let spelt_otherwise = Receipt { to: Some("138 0000 0000".to_owned()), ..receipt("n1", DeliveryWord::OnTheWay) };
    assert!(play.receives("first", &spelt_otherwise, Trust::Signed));
    let by_the_vendors_name =
        Receipt { out_id: String::new(), provider_id: Some("BIZ".to_owned()), ..receipt("", delivered()) };
    assert!(play.receives("first", &by_the_vendors_name, Trust::Signed));
    assert_eq!(play.state(), NoticeState::Delivered);
}

#[test]
fn that_it_arrived_outweighs_everything_and_is_final() {
    let mut play = Play::with_standby(NoticeKind::PayoutReceived);
    play.take();
    play.ends("n1", accepted());
    play.receives("first", &receipt("n1", undelivered(RefusalClass::Recipient)), Trust::Signed);
    assert_eq!(play.effects.addresses[0].known, Known::Flagged("UNDELIV".to_owned()));
    assert_eq!(play.todo(), ["mail sends n1-m1"]);
    play.ends("n1-m1", accepted());
    assert!(play.receives("first", &receipt("n1", delivered()), Trust::Signed));
    assert_eq!(play.effects.addresses[1].known, Known::Verified);
    for word in [undelivered(RefusalClass::Recipient), undelivered(RefusalClass::Busy), DeliveryWord::OnTheWay] {
        for trust in [Trust::Signed, Trust::Hint] {
            play.receives("first", &receipt("n1", word.clone()), trust);
            assert_eq!((play.state(), play.waits()), (NoticeState::Delivered, None), "{word:?}");
        }
    }
    assert_eq!(play.journal(), ["notice.sent", "notice.failed", "notice.sent", "notice.delivered"]);
}

#[test]
fn a_bounce_of_a_mail_counts_and_flags_the_address() {
    let mut play = Play::of(
        NoticeKind::Digest,
        vec![crate::notice::Message::first(crate::notice::Channel::Mail, 0, super::noon())],
    );
    play.take();
    play.ends("n1-m1", accepted());
    let bounce = Receipt { to: Some(ADDRESS.to_uppercase()), ..receipt("n1-m1", undelivered(RefusalClass::Recipient)) };
    assert!(play.receives("mail", &bounce, Trust::Hint));
    assert_eq!(play.state(), NoticeState::Failed);
    assert_eq!(play.rung(), [""; 0], "a digest wakes nobody");
    assert_eq!(play.effects.addresses.len(), 1);
}

#[test]
fn what_never_arrives_fails_after_the_third_time() {
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    let mut sent = Vec::new();
    while play.notice.next_at().is_some() {
        play.pass_until_due();
        for errand in play.take() {
            let crate::ports::notices::Errand::SendSms { provider, sms, .. } = errand else { panic!("nothing else") };
            play.ends(&sms.out_id, accepted());
            play.receives(&provider, &receipt(&sms.out_id, undelivered(RefusalClass::Busy)), Trust::Signed);
            sent.push(provider);
        }
    }
    assert_eq!(sent, ["first", "second", "first"]);
    assert_eq!((play.state(), play.rung()), (NoticeState::Failed, vec!["notice_failed"]));
}

#[test]
fn nobody_is_named_outside_the_notice() {
    let mut play = Play::with_standby(NoticeKind::OrderIssued);
    play.notice.application_id = crate::ids::ApplicationId::from("SO-7");
    play.notice.recipient = "O-SECRET".to_owned();
    play.desk(|desk, notice| {
        desk.effects.made(&notice);
        (notice, ())
    });
    play.take();
    play.ends("n1", refused(RefusalClass::Recipient));
    play.take();
    play.ends("n1-m1", accepted());
    let told = format!("{:?} {:?} {:?}", play.effects.journal, play.effects.world, play.effects.alarms);
    for secret in [NUMBER, "13800000000", ADDRESS, "O-SECRET"] {
        assert!(!told.contains(secret), "{told}");
    }
    assert_eq!(play.journal(), ["notice.made", "notice.failed", "notice.sent"]);
    assert_eq!(play.effects.world[0].data.get("application_id"), None, "an order about no application has none");
    assert_eq!(play.effects.world[0].subject, "SO-7");
    let data = &play.effects.world[1].data;
    assert_eq!((&data["notice_id"], &data["kind"]), (&serde_json::json!("n1"), &serde_json::json!("order_issued")));
    assert_eq!((&data["channel"], &data["provider"]), (&serde_json::json!("mail"), &serde_json::json!("mail")));
    assert!(data["at"].as_str().is_some_and(|at| at.ends_with('Z')));
}

#[test]
fn an_out_id_leads_to_its_notice() {
    for (out_id, ids) in [
        ("0193a7e2", &["0193a7e2"][..]),
        ("0193a7e2-2", &["0193a7e2", "0193a7e2-2"]),
        ("0193a7e2-m1", &["0193a7e2", "0193a7e2-m1"]),
        ("0193-a7e2", &["0193-a7e2"]),
        ("0193-1234", &["0193", "0193-1234"]),
        ("", &[""]),
        ("-", &["-"]),
    ] {
        assert_eq!(possible_ids(out_id), ids);
    }
}
