//! What time alone brings: doubt, silence, the end of a notice's point.

use super::{NUMBER, Play, accepted, delivered, doubtful, found, not_connected};
use crate::notice::{
    Attempt, Ended, Limit, LostPoint, NoticeKind, NoticeState, ProviderHealth, Repeat, Standing, WaitsFor,
};
use crate::ports::sms::{AskOutcome, DeliveryWord, Receipt, Trust};
use jiff::SignedDuration;

fn no_answer() -> AskOutcome {
    AskOutcome::NoAnswer { why: "time-out".to_owned() }
}

fn receipt(out_id: &str) -> Receipt {
    Receipt { out_id: out_id.to_owned(), provider_id: None, to: Some(NUMBER.to_owned()), word: delivered() }
}

/// In doubt since now.
fn in_doubt(kind: NoticeKind) -> Play {
    let mut play = Play::sms(kind);
    play.take();
    play.ends("n1", doubtful());
    play
}

#[test]
fn what_is_in_doubt_is_asked_for_at_once_and_absent_only_when_it_would_be_seen() {
    let mut play = in_doubt(NoticeKind::IntegrityNotified);
    assert_eq!(play.todo(), ["first is asked for n1"]);
    play.answers("n1", AskOutcome::NotFound);
    assert_eq!(play.todo(), [""; 0]);
    assert_eq!(play.waits(), Some(120), "not found so early says nothing");
    play.pass(120);
    assert_eq!(play.todo(), ["first is asked for n1"]);
    play.answers("n1", AskOutcome::NotFound);
    assert_eq!(play.state(), NoticeState::Created);
    assert_eq!(play.todo(), ["first sends n1-2"], "also of what may never repeat");
    assert!(!play.notice.messages[0].attempts[1].beside_doubt);
}

#[test]
fn a_question_begun_too_early_is_no_proof_however_late_it_is_answered() {
    let mut play = in_doubt(NoticeKind::PayoutCredited);
    let begun_at = play.now;
    play.take();
    play.pass(300);
    let (notice_id, out_id) = ("n1".to_owned(), "n1".to_owned());
    let end = crate::ports::notices::ErrandEnd::Asked { notice_id, out_id, begun_at, outcome: AskOutcome::NotFound };
    play.book(&end);
    assert_eq!(play.state(), NoticeState::Sending);
    assert_eq!(play.todo(), ["first is asked for n1"]);
}

#[test]
fn what_is_found_is_as_it_is_said_to_be() {
    use crate::ports::sms::RefusalClass::{Busy, Recipient};
    for (word, state, then) in [
        (DeliveryWord::OnTheWay, NoticeState::Sent, &[][..]),
        (delivered(), NoticeState::Delivered, &[]),
        (super::undelivered(Recipient), NoticeState::Failed, &[]),
        (super::undelivered(Busy), NoticeState::Created, &["second sends n1-2"]),
    ] {
        let mut play = in_doubt(NoticeKind::PayoutCredited);
        play.take();
        play.answers("n1", found(word.clone()));
        assert_eq!(play.state(), state, "{word:?}");
        assert_eq!(play.todo(), then, "{word:?}");
        assert_eq!(play.notice.messages[0].attempts[0].cost, Some(450), "it was sent and is paid for");
    }
}

#[test]
fn doubt_that_lasts_repeats_what_may_and_rings_of_what_may_not() {
    for (kind, answer) in [
        (NoticeKind::PayoutCredited, no_answer()),
        (NoticeKind::PayoutCredited, AskOutcome::NotOffered),
        (NoticeKind::IntegrityDecided, no_answer()),
        (NoticeKind::IntegrityDecided, AskOutcome::NotOffered),
    ] {
        let mut play = in_doubt(kind);
        let begun = play.now;
        let mut sent = Vec::new();
        while play.now.duration_since(begun).as_mins() < 30 {
            for told in play.todo() {
                if told.contains("asked") {
                    play.answers("n1", answer.clone());
                } else {
                    sent.push(told);
                }
            }
            play.pass_until_due();
        }
        assert_eq!(sent, [""; 0], "nothing before its time");
        let mut then = play.todo();
        if then == ["first is asked for n1"] {
            play.answers("n1", answer.clone());
            then = play.todo();
        }
        let repeats = kind.traits().repeat == Repeat::May;
        assert_eq!(then, if repeats { vec!["second sends n1-2"] } else { vec![] }, "{kind:?} {answer:?}");
        assert_eq!(play.rung(), if repeats { vec![] } else { vec!["notice_in_doubt"] });
        if repeats {
            assert!(play.notice.messages[0].attempts[1].beside_doubt, "the lesser evil, on record");
        }
    }
}

/// The first vendor may have it, the second is shut: so long again the second is waited for, then the first is better than nobody. And when
/// that one's word is lost as well, it goes once more; then people decide.
#[test]
fn what_may_repeat_goes_to_another_than_who_may_have_it_and_a_third_time_before_people_decide() {
    let mut play = in_doubt(NoticeKind::PayoutCredited);
    play.answers("n1", AskOutcome::NotOffered);
    let shut = |play: &mut Play| {
        let until = Some(play.now + SignedDuration::from_mins(5));
        let health = ProviderHealth { shut: 1, shut_since: Some(play.now), shut_until: until, ..Default::default() };
        play.health.insert("second".to_owned(), health);
    };
    play.pass(30 * 60);
    shut(&mut play);
    assert_eq!(play.todo(), [""; 0]);
    assert_eq!((play.waits(), play.notice.waits_for()), (Some(300), Some(WaitsFor::Provider)));
    let mut open = Play { notice: play.notice.clone(), now: play.now, ..Play::sms(NoticeKind::PayoutCredited) };
    assert_eq!(open.todo(), ["second sends n1-2"], "as soon as it is open again");
    play.pass(30 * 60);
    shut(&mut play);
    assert_eq!(play.todo(), ["first sends n1-2"]);
    for (out_id, then) in [("n1-2", vec!["second sends n1-3"]), ("n1-3", vec![])] {
        play.health.clear();
        play.ends(out_id, doubtful()).answers(out_id, AskOutcome::NotOffered);
        assert_eq!(play.todo(), [""; 0]);
        assert_eq!(play.rung(), [""; 0]);
        play.pass(30 * 60);
        assert_eq!(play.todo(), then, "{out_id}");
    }
    assert_eq!(play.rung(), ["notice_in_doubt"]);
    assert!(play.notice.messages[0].attempts[1..].iter().all(|one| one.beside_doubt), "on record");
}

/// Nobody is waited for longer than doubt lasts, however far away the other's time lies.
#[test]
fn another_vendor_whose_limit_is_used_up_is_waited_for_no_longer_than_doubt_lasts() {
    let mut play = in_doubt(NoticeKind::PayoutCredited);
    play.answers("n1", AskOutcome::NotOffered);
    let second = play.rules.providers.iter_mut().find(|one| one.name == "second").unwrap();
    second.number_limits = vec![Limit { count: 1, window: SignedDuration::from_hours(24) }];
    let limits = second.number_limits.clone();
    let key = play.candidate().number_keys(&play.rules).into_iter().find(|key| key.provider == "second").unwrap();
    play.counters.count(&[(key, &limits[..])], &play.rules, play.now);
    play.pass(30 * 60);
    assert_eq!((play.todo(), play.waits()), (vec![], Some(30 * 60)));
    assert_eq!(play.pass(30 * 60).todo(), ["first sends n1-2"]);
}

/// The mail that stands by is another way, and better than the same once more.
#[test]
fn where_a_mail_stands_by_two_doubtful_sms_are_enough() {
    for kind in [NoticeKind::PayoutReceived, NoticeKind::ReviewDueSoon] {
        let mut play = Play::with_standby(kind);
        play.take();
        for (out_id, then) in [("n1", vec!["second sends n1-2"]), ("n1-2", vec!["mail sends n1-m1"])] {
            play.ends(out_id, doubtful()).answers(out_id, AskOutcome::NotOffered);
            assert_eq!(play.pass(30 * 60).todo(), then, "{out_id}");
        }
        // The mail breaks off as well, and then the SMS is found: nothing is repeated any more, and nobody is rung for.
        play.ends("n1-m1", doubtful());
        assert!(play.receives("second", &receipt("n1-2"), Trust::Signed));
        assert_eq!((play.pass(30 * 60).todo(), play.state()), (vec![], NoticeState::Delivered));
        assert_eq!(play.rung(), [""; 0], "{kind:?}");
    }
}

/// What somebody had told again by another notice sends nothing more, whatever is learnt of its own attempts, and rings for nobody.
#[test]
fn what_was_told_again_by_another_notice_sends_nothing_more() {
    let mut play = in_doubt(NoticeKind::PayoutCredited);
    let one = play.notice.messages[0].attempts[0].clone();
    let others = ["n1-2", "n1-3"].map(|id| Attempt { out_id: id.to_owned(), ..one.clone() });
    play.notice.messages[0].attempts.extend(others);
    play.notice.messages[0].doubt_rung = true;
    play.notice = play.notice.told_again().unwrap();
    play.pass(40 * 60);
    for out_id in ["n1", "n1-2", "n1-3"] {
        play.answers(out_id, AskOutcome::NotFound);
        assert!(play.todo().iter().all(|told| told.contains("asked")), "{out_id}");
    }
    assert_eq!(play.state(), NoticeState::GaveUp, "none of it was sent");
    assert_eq!(play.rung(), [""; 0]);
}

#[test]
fn what_may_never_repeat_rings_also_when_its_point_is_lost_soon_after() {
    let mut play = in_doubt(NoticeKind::IntegrityNotified);
    play.notice.expires_at = play.now + jiff::SignedDuration::from_secs(60);
    play.pass(61);
    play.take();
    assert_eq!(play.state(), NoticeState::GaveUp);
    assert_eq!(play.rung(), ["notice_in_doubt", "notice_failed"]);
}

#[test]
fn what_may_never_repeat_waits_for_word_and_gives_up_when_its_point_is_lost() {
    let mut play = in_doubt(NoticeKind::IntegrityNotified);
    let mut turns = 0;
    while play.notice.next_at().is_some() {
        play.pass_until_due();
        for told in play.todo() {
            assert_eq!(told, "first is asked for n1");
            play.answers("n1", no_answer());
        }
        turns += 1;
        assert!(turns < 2_000, "questions grow rarer");
    }
    assert_eq!(play.now, play.notice.expires_at);
    assert_eq!(play.state(), NoticeState::GaveUp);
    assert_eq!(play.rung(), ["notice_in_doubt", "notice_failed"]);
    assert_eq!(play.notice.messages[0].attempts.len(), 1);
    // Late word counts all the same.
    play.answers("n1", found(delivered()));
    assert_eq!(play.state(), NoticeState::Delivered);
    assert_eq!(play.journal(), ["notice.gave_up", "notice.delivered"]);
}

#[test]
fn after_silence_it_is_asked_for_then_the_mail_goes() {
    let mut play = Play::with_standby(NoticeKind::PayoutReceived);
    play.take();
    play.ends("n1", accepted());
    assert_eq!(play.waits(), Some(1800));
    play.pass(1800);
    assert_eq!(play.todo(), ["first is asked for n1"]);
    play.answers("n1", found(DeliveryWord::OnTheWay));
    assert_eq!(play.todo(), ["mail sends n1-m1"], "and no second SMS beside it");
    play.answers("n1", found(delivered()));
    assert_eq!(play.state(), NoticeState::Delivered);
    play.ends("n1-m1", not_connected());
    assert_eq!(play.notice.messages[1].ended, Some(Ended::NotNeeded), "nobody tries it again");
}

#[test]
fn after_silence_without_a_standby_another_provider_goes_once() {
    for kind in [NoticeKind::PayoutCredited, NoticeKind::IntegrityNotified] {
        let mut play = Play::sms(kind);
        play.take();
        play.ends("n1", accepted());
        let mut sent = Vec::new();
        while play.notice.next_at().is_some() {
            play.pass_until_due();
            for told in play.todo() {
                let out_id = told.rsplit(' ').next().unwrap().to_owned();
                if told.contains("asked") {
                    play.answers(&out_id, no_answer());
                } else {
                    sent.push((play.now.duration_since(super::noon()).as_mins(), told));
                    play.ends(&out_id, accepted());
                }
            }
        }
        let repeats = kind.traits().repeat == Repeat::May;
        assert_eq!(sent.len(), usize::from(repeats), "{sent:?}");
        assert_eq!(sent.first().map(|(at, told)| (*at, told.as_str())), repeats.then_some((30, "second sends n1-2")));
        assert_eq!(play.state(), NoticeState::Sent, "taken in is all that anybody can say");
        assert_eq!(play.rung(), [""; 0]);
    }
}

#[test]
fn what_could_not_be_sent_in_time_is_given_up_and_what_was_never_tried_has_expired() {
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    let mut tries = 0;
    while play.notice.next_at().is_some() {
        play.pass_until_due();
        for errand in play.take() {
            let crate::ports::notices::Errand::SendSms { sms, .. } = errand else {
                panic!("nothing was ever taken in")
            };
            play.ends(&sms.out_id, not_connected());
            tries += 1;
        }
    }
    assert_eq!((play.state(), play.now), (NoticeState::GaveUp, play.notice.expires_at));
    assert!((100..400).contains(&tries), "{tries} tries in a week");
    assert_eq!(play.notice.messages[0].because.as_deref(), Some("not_connected"));
    assert!(play.rung().contains(&"notice_failed"));

    let mut play = Play::sms(NoticeKind::PayoutCredited);
    play.rules.providers.clear();
    while play.notice.next_at().is_some() {
        play.pass_until_due();
        assert_eq!(play.todo(), [""; 0]);
    }
    assert_eq!(play.state(), NoticeState::Expired);
    assert_eq!(play.notice.messages[0].because.as_deref(), Some("expired"));
    assert_eq!(play.rung().iter().filter(|bell| **bell == "notice_failed").count(), 1, "nothing was even tried");
}

#[test]
fn what_has_lost_its_point_is_not_sent_and_says_why() {
    let mut play = Play::with_standby(NoticeKind::PayoutReceived);
    play.standing = Standing::Lost(LostPoint::PayoutMoved);
    assert_eq!(play.todo(), [""; 0]);
    assert_eq!(play.state(), NoticeState::Expired);
    assert_eq!(play.effects.journal[0].detail["code"], "payout_moved");
    assert_eq!(play.notice.messages[1].ended, Some(Ended::Expired), "nor does the mail go");
    assert_eq!(play.rung(), [""; 0]);
    assert_eq!(play.effects.world, [], "nobody outside need hear of what never was sent");

    // What may be on its way is followed to its end, and not repeated.
    let mut play = in_doubt(NoticeKind::PayoutCredited);
    play.standing = Standing::Lost(LostPoint::PayoutMoved);
    while play.notice.next_at().is_some() {
        for told in play.todo() {
            assert_eq!(told, "first is asked for n1");
            play.answers("n1", no_answer());
        }
        if play.notice.next_at().is_some() {
            play.pass_until_due();
        }
    }
    assert_eq!(play.state(), NoticeState::GaveUp);
}

#[test]
fn what_was_erased_is_not_sent_and_not_asked_for() {
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    play.contents.clear();
    assert_eq!(play.todo(), [""; 0]);
    assert_eq!(play.notice.messages[0].because.as_deref(), Some("erased"));
    let mut play = in_doubt(NoticeKind::PayoutCredited);
    play.contents.clear();
    assert_eq!(play.todo(), [""; 0]);
    assert!(play.notice.messages[0].attempts[0].not_offered);
}

#[test]
fn a_provider_that_these_rules_do_not_know_gives_no_answer_this_time() {
    for outcome in [doubtful(), accepted()] {
        let mut play = Play::sms(NoticeKind::PayoutCredited);
        play.take();
        play.ends("n1", outcome.clone());
        play.pass(1800);
        let all = play.rules.providers.clone();
        play.rules.providers.retain(|one| one.name == "mail");
        assert_eq!(play.todo(), [""; 0], "{outcome:?}");
        assert!(!play.notice.messages[0].attempts[0].not_offered, "that is no word of the provider's");
        play.rules.providers = all;
        let mut told = Vec::new();
        while !told.contains(&"first is asked for n1".to_owned()) {
            play.pass_until_due();
            told = play.todo();
        }
        play.answers("n1", found(delivered()));
        assert_eq!(play.state(), NoticeState::Delivered);
    }
}
