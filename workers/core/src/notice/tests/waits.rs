//! What holds a sending back: the switch, quiet hours, ceilings, limits, and providers that are of no use.

use super::{NUMBER, Play, accepted, delivered, noon, not_connected, refused};
use crate::notice::{Channel, Limit, Message, NoticeKind, NoticeState, Stopped, WaitsFor};
use crate::ports::sms::{Receipt, RefusalClass, Trust};
use jiff::SignedDuration;

fn stop(play: &mut Play) {
    play.switch.stopped = Some(Stopped { by: "o-1".to_owned(), at: play.now, reason: "a wrong template".to_owned() });
}

#[test]
fn while_it_is_stopped_nothing_is_sent_and_questions_go_on() {
    let mut play = Play::with_standby(NoticeKind::PayoutReceived);
    play.take();
    play.ends("n1", accepted());
    stop(&mut play);
    play.pass(1800);
    assert_eq!(play.todo(), ["first is asked for n1"]);
    play.answers("n1", super::found(crate::ports::sms::DeliveryWord::OnTheWay));
    assert_eq!(play.todo(), [""; 0], "the mail waits");
    assert_eq!(play.notice.messages[1].waits_for, Some(WaitsFor::Switch));
    assert!(play.notice.waits_for_switch());
    play.switch.stopped = None;
    assert_eq!(play.todo(), ["mail sends n1-m1"], "as soon as it is resumed");
    stop(&mut play);
    let receipt =
        Receipt { out_id: "n1".to_owned(), provider_id: None, to: Some(NUMBER.to_owned()), word: delivered() };
    assert!(play.receives("first", &receipt, Trust::Signed));
    assert_eq!(play.state(), NoticeState::Delivered);
}

#[test]
fn what_can_wait_is_not_sent_at_night() {
    for (kind, told, waits) in [
        (NoticeKind::PayoutReceived, &[][..], Some(9 * 3600)),
        (NoticeKind::PayoutCredited, &["first sends n1"], Some(60)),
    ] {
        let mut play = Play::sms(kind);
        play.pass(10 * 3600 + 1800);
        assert_eq!(play.todo(), told);
        assert_eq!(play.waits(), waits, "{kind:?}");
    }
}

#[test]
fn a_ceiling_rings_and_loses_nothing() {
    let mut play = Play::sms(NoticeKind::PayoutReceived);
    play.rules.per_minute_max = 1;
    play.counters.count(&[], &play.rules, play.now);
    assert_eq!(play.todo(), [""; 0]);
    assert_eq!((play.waits(), play.rung()), (Some(60), vec!["notice_ceiling"]));
    let text = &play.effects.alarms[0].text;
    assert!(text.ends_with("waits until 2026-11-23 12:01 北京时间 Beijing time"), "{text}");
    assert_eq!(play.notice.messages[0].waits_for, Some(WaitsFor::Ceiling));
    play.pass(60);
    assert_eq!(play.todo(), ["first sends n1"]);
    assert_eq!(play.counters.minute.count, 1);

    // The day's is news, however short a time after the minute's.
    play.rules.per_day_max = 1;
    let mut next = Play::sms(NoticeKind::PayoutReceived);
    (next.rules, next.counters, next.switch, next.now) = (play.rules, play.counters, play.switch, play.now);
    assert_eq!(next.todo(), [""; 0]);
    assert!(next.effects.alarms[0].text.contains("(notices.per_day_max = 1)"), "{:?}", next.effects.alarms);

    // Whoever raises it frees what it holds back, but not at night.
    let mut play = Play::sms(NoticeKind::PayoutRefused);
    play.rules.per_day_max = 1;
    play.counters.count(&[], &play.rules, play.now);
    assert_eq!((play.todo(), play.waits()), (vec![], Some(19 * 3600 + 1800)));
    play.rules.per_day_max = 2;
    let noon = play.now;
    play.pass(10 * 3600 + 1800);
    assert_eq!(
        (play.todo(), play.waits()),
        (vec![], Some(9 * 3600)),
        "at half past ten in the evening: until the morning"
    );
    play.now = noon;
    play.rules.per_minute_max = 1;
    assert_eq!((play.todo(), play.waits()), (vec![], Some(60)), "the minute's is full: until the next one");
    assert_eq!(play.pass(60).todo(), ["first sends n1"]);

    // That money arrived goes beyond the day's; what a broken day makes many of does not.
    for (kind, told) in [
        (NoticeKind::PayoutReceived, &[][..]),
        (NoticeKind::PayoutRefused, &[]),
        (NoticeKind::PayoutReturned, &[]),
        (NoticeKind::PayoutLate, &[]),
        (NoticeKind::ReviewOverdue, &[]),
        (NoticeKind::PayoutCredited, &["first sends n1"]),
    ] {
        let mut play = Play::sms(kind);
        play.rules.per_day_max = 1;
        play.counters.count(&[], &play.rules, play.now);
        assert_eq!(play.todo(), told);
    }
}

#[test]
fn what_a_number_may_not_be_sent_by_one_goes_by_another() {
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    let limits = vec![Limit { count: 1, window: SignedDuration::from_secs(3600) }];
    play.rules.providers[0].limits.clone_from(&limits);
    play.rules.providers[1].limits = limits;
    assert_eq!(play.todo(), ["first sends n1"]);
    for (told, waits) in [(&["second sends n1"][..], 60), (&[], 3600)] {
        play.notice.messages = vec![Message::first(Channel::Sms, 1, play.now)];
        assert_eq!(play.todo(), told);
        assert_eq!(play.waits(), Some(waits));
    }
    assert_eq!(play.notice.messages[0].waits_for, Some(WaitsFor::Limit));
    assert_eq!(play.rung(), [""; 0], "that is no flood");
}

#[test]
fn what_a_number_may_be_sent_in_all_counts_whatever_is_said() {
    let mut play = Play::sms(NoticeKind::PayoutReceived);
    play.rules.providers.truncate(1);
    let limit = |count, hours| vec![Limit { count, window: SignedDuration::from_hours(hours) }];
    (play.rules.providers[0].limits, play.rules.providers[0].number_limits) = (limit(1, 1), limit(2, 24));
    for (kind, told, waits) in [
        (NoticeKind::PayoutReceived, &["first sends n1"][..], 60),
        (NoticeKind::PayoutReceived, &[], 3600),
        (NoticeKind::PayoutCredited, &["first sends n1"], 60),
        (NoticeKind::PayoutLate, &[], 24 * 3600),
    ] {
        play.notice.kind = kind;
        play.notice.messages = vec![Message::first(Channel::Sms, 1, play.now)];
        assert_eq!(
            (play.todo(), play.waits()),
            (told.iter().map(ToString::to_string).collect(), Some(waits)),
            "{kind:?}"
        );
    }
}

#[test]
fn a_provider_that_fails_again_and_again_is_left_alone() {
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    for _ in 0..5 {
        play.notice.messages = vec![Message::first(Channel::Sms, 1, play.now)];
        assert_eq!(play.todo(), ["first sends n1"]);
        play.ends("n1", not_connected());
    }
    play.notice.messages = vec![Message::first(Channel::Sms, 1, play.now)];
    assert_eq!(play.todo(), ["second sends n1"], "at once, without another try");
    // And the second one's account is empty: nobody is left, people hear of it, and the first is tried when its minute is over.
    play.ends("n1", refused(RefusalClass::Account));
    assert_eq!(play.todo(), [""; 0]);
    assert_eq!((play.rung(), play.waits()), (vec!["notice_providers_down"], Some(60)));
    play.pass(60);
    assert_eq!(play.todo(), ["first sends n1-2"]);
    let other = play.notice.clone();
    play.notice.messages = vec![Message::first(Channel::Sms, 1, play.now)];
    assert_eq!(play.todo(), [""; 0], "one message tries, the others wait for its end");
    play.notice = other;
    play.ends("n1-2", accepted());
    play.notice.messages = vec![Message::first(Channel::Sms, 1, play.now)];
    assert_eq!(play.todo(), ["first sends n1"], "well again");
}

/// A clock was fast when a call failed, and was set right: that failure gives no pause of hours.
#[test]
fn a_failure_under_a_wrong_clock_holds_nothing_back_once_it_is_right() {
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    play.rules.providers.retain(|one| one.name == "first");
    let right = play.now;
    play.pass(3 * 3600);
    assert_eq!(play.todo(), ["first sends n1"]);
    play.ends("n1", not_connected());
    assert_eq!(play.todo(), [""; 0]);
    assert_eq!(play.notice.waits_for(), Some(WaitsFor::Provider));
    play.now = right;
    assert_eq!(play.todo(), ["first sends n1-2"], "as soon as somebody looks");
}

#[test]
fn what_waits_is_never_forgotten_beyond_its_end() {
    let mut play = Play::sms(NoticeKind::Test);
    stop(&mut play);
    play.notice.expires_at = noon() + SignedDuration::from_secs(100);
    assert_eq!(play.todo(), [""; 0]);
    assert_eq!(play.waits(), Some(100));
    play.pass(100);
    assert_eq!(play.todo(), [""; 0]);
    assert_eq!((play.state(), play.waits()), (NoticeState::Expired, None));
}

/// Everybody is away: what is due waits, and the providers are known to be shut.
fn outage(play: &mut Play) {
    for provider in ["first", "second"] {
        for _ in 0..5 {
            play.notice.messages = vec![Message::first(Channel::Sms, 1, play.now)];
            assert_eq!(play.todo(), [format!("{provider} sends n1")]);
            play.ends("n1", not_connected());
        }
    }
    play.notice.messages = vec![Message::first(Channel::Sms, 1, play.now)];
    assert_eq!(play.todo(), [""; 0]);
}

#[test]
fn each_outage_rings_however_soon_it_follows() {
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    outage(&mut play);
    assert_eq!(play.rung().len(), 1);
    // One that is tried in vain is the same outage.
    play.pass(60);
    assert_eq!(play.todo(), ["first sends n1"]);
    play.ends("n1", not_connected());
    assert_eq!(play.rung().len(), 1);
    play.pass(60);
    play.notice.messages = vec![Message::first(Channel::Sms, 1, play.now)];
    assert_eq!(play.todo(), ["second sends n1"]);
    play.ends("n1", accepted());
    play.pass(120);
    // And the first one is well again, too.
    play.health.remove("first");
    outage(&mut play);
    assert_eq!(play.rung().len(), 2, "within the hour, and news");
}

#[test]
fn a_trial_rings_for_nobody_and_uses_up_no_bell() {
    let mut away = Play::sms(NoticeKind::PayoutCredited);
    outage(&mut away);
    let mut play = Play::sms(NoticeKind::Test);
    (play.now, play.health) = (away.now, away.health);
    for told in ["first sends n1", "second sends n1-2"] {
        assert_eq!(play.todo(), [told], "shut, and tried: whoever tries it asks whether it is well again");
        play.ends(told.rsplit(' ').next().unwrap(), not_connected());
    }
    assert_eq!(play.todo(), [""; 0], "and then it waits like all others");
    play.rules.per_minute_max = 0;
    play.notice.messages = vec![Message::first(Channel::Sms, 1, play.now)];
    play.take();
    assert_eq!((play.rung(), play.switch.rung.len()), (vec![], 0));
    play.rules.per_minute_max = 600;
    play.notice.messages = vec![Message::first(Channel::Sms, 1, play.now)];
    assert_eq!(play.todo(), ["first sends n1"]);
    play.ends("n1", accepted());
    (away.now, away.health) = (play.now, play.health);
    away.notice.messages = vec![Message::first(Channel::Sms, 1, away.now)];
    assert_eq!(away.todo(), ["first sends n1"], "a trial that is taken opens it for all");
}

#[test]
fn how_long_it_has_waited_counts_from_its_making_however_often_it_is_tried() {
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    let (made, mut calls) = (play.now, 0);
    while calls < 5 {
        let told = play.pass_until_due().todo();
        for out_id in
            told.iter().filter_map(|told| told.strip_prefix("first sends ").or(told.strip_prefix("second sends ")))
        {
            calls += 1;
            play.ends(out_id, if calls < 5 { not_connected() } else { accepted() });
        }
        assert_eq!(play.notice.waiting_since(), (calls < 5).then_some(made), "{told:?}");
    }
    assert!(play.now > made);
    assert_eq!(play.notice.waiting_since(), None, "a provider has it");
}

#[test]
fn what_is_to_wait_is_late_only_afterwards() {
    let mut play = Play::sms(NoticeKind::PayoutReceived);
    play.pass(10 * 3600 + 1800);
    play.take();
    assert_eq!(play.notice.messages[0].waits_for, Some(WaitsFor::Quiet));
    assert_eq!(play.notice.waiting_since(), play.notice.next_at(), "until morning");
    // In doubt there is nothing to do but to wait for word.
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    play.take();
    play.ends("n1", super::doubtful());
    play.take();
    play.answers("n1", crate::ports::sms::AskOutcome::NoAnswer { why: String::new() });
    assert!(play.notice.waiting_since() > Some(play.now));
}
