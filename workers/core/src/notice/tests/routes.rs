//! How calls end, and what follows: one row a case.

use super::{Play, accepted, doubtful, not_connected, refused};
use crate::ids::{ApplicationId, PayoutKey};
use crate::notice::{Channel, Ended, Known, Message, NoticeKind, NoticeState, WaitsFor};
use crate::ports::notices::{Errand, ErrandEnd};
use crate::ports::sms::{RefusalClass, SendOutcome};

#[test]
fn what_follows_from_the_end_of_the_first_call() {
    use RefusalClass::{Account, Busy, Content, Limit, Recipient};
    for (outcome, state, then) in [
        (accepted(), NoticeState::Sent, &[][..]),
        (refused(Recipient), NoticeState::Created, &["mail sends n1-m1"]),
        (refused(Content), NoticeState::Created, &["second sends n1-2"]),
        (refused(Limit), NoticeState::Created, &["second sends n1-2"]),
        (refused(Account), NoticeState::Created, &["second sends n1-2"]),
        (refused(Busy), NoticeState::Created, &["second sends n1-2"]),
        (not_connected(), NoticeState::Created, &["second sends n1-2"]),
        (doubtful(), NoticeState::Sending, &["first is asked for n1"]),
    ] {
        let mut play = Play::with_standby(NoticeKind::PayoutReceived);
        assert_eq!(play.todo(), ["first sends n1"]);
        assert_eq!(play.state(), NoticeState::Sending);
        play.ends("n1", outcome.clone());
        assert_eq!(play.state(), state, "{outcome:?}");
        assert_eq!(play.todo(), then, "{outcome:?}");
    }
}

#[test]
fn an_attempt_is_counted_with_the_signature_that_it_was_sent_under() {
    for (signature, segments, cost) in [(None, 1, 450), (Some("鼓楼区惠企资金直达"), 2, 900)] {
        let mut play = Play::sms(NoticeKind::PayoutCredited);
        play.contents[0].text = "到".repeat(64);
        play.rules.providers[0].signature = signature.map(str::to_owned);
        assert_eq!(play.todo(), ["first sends n1"]);
        play.ends("n1", accepted());
        let attempt = &play.notice.messages[0].attempts[0];
        let sent_as = attempt.sent_as.as_ref().unwrap();
        assert_eq!((sent_as.way.signature.as_deref(), sent_as.segments), (signature.or(Some("鼓楼直达")), segments));
        assert_eq!(attempt.cost, Some(cost));
    }
}

#[test]
fn nothing_is_taken_twice_while_a_call_is_under_way() {
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    assert_eq!(play.todo(), ["first sends n1"]);
    assert_eq!(play.todo(), [""; 0]);
    assert_eq!(play.waits(), Some(60), "until its lease runs out");
    play.pass(59);
    assert_eq!(play.todo(), [""; 0]);
}

#[test]
fn providers_are_tried_in_order_and_again_with_growing_pauses() {
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    let mut tried = Vec::new();
    while tried.len() < 8 {
        play.pass_until_due();
        let after = play.now.duration_since(super::noon()).as_secs();
        for errand in play.take() {
            let Errand::SendSms { provider, sms, .. } = errand else { panic!("nothing else is to be done") };
            tried.push((after, provider));
            play.ends(&sms.out_id, refused(RefusalClass::Limit));
        }
    }
    let order: Vec<(i64, &str)> = tried.iter().map(|(at, provider)| (*at, provider.as_str())).collect();
    let expected = [
        (0, "first"),
        (0, "second"),
        (30, "first"),
        (30, "second"),
        (90, "first"),
        (90, "second"),
        (210, "first"),
        (210, "second"),
    ];
    assert_eq!(order, expected);
}

#[test]
fn what_every_provider_refuses_as_it_is_has_failed() {
    let mut play = Play::with_standby(NoticeKind::PayoutReceived);
    for provider in ["first sends n1", "second sends n1-2"] {
        assert_eq!(play.todo(), [provider]);
        let out_id = provider.rsplit(' ').next().unwrap();
        play.ends(out_id, refused(RefusalClass::Content));
    }
    assert_eq!(play.todo(), ["mail sends n1-m1"]);
    assert_eq!(play.notice.messages[0].ended, Some(Ended::Failed));
    assert_eq!(play.notice.messages[0].because.as_deref(), Some("CODE"));
    assert_eq!(play.journal(), ["notice.failed"]);
    assert_eq!(play.state(), NoticeState::Sending, "the mail speaks for the notice now");
}

#[test]
fn an_address_that_is_useless_is_flagged_and_rings_when_nothing_is_left() {
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    play.notice.subject = "A-1/2".to_owned();
    play.take();
    play.ends("n1", refused(RefusalClass::Recipient));
    assert_eq!(play.state(), NoticeState::Failed);
    let key = PayoutKey { application_id: ApplicationId::from("A-1"), tranche: 2 };
    assert_eq!(play.effects.alarms[0].key, Some(key), "it stands in the story of its payout");
    let learnt = &play.effects.addresses[0];
    assert_eq!((learnt.channel, &learnt.known), (Channel::Sms, &Known::Flagged("CODE".to_owned())));
    assert_eq!(play.rung(), ["notice_failed"]);
    assert_eq!(play.waits(), None);
    // An official who does not learn of a breach is as bad.
    let mut play = Play::sms(NoticeKind::ReviewOverdue);
    play.take();
    play.ends("n1", refused(RefusalClass::Recipient));
    assert_eq!((play.state(), play.rung()), (NoticeState::Failed, vec!["notice_failed"]));
    // Of what is no money, not served and no official's duty nobody has to hear at night.
    let mut play = Play::sms(NoticeKind::PayoutReceived);
    play.take();
    play.ends("n1", refused(RefusalClass::Recipient));
    assert_eq!((play.state(), play.rung()), (NoticeState::Failed, vec![]));
}

#[test]
fn an_address_that_is_out_of_reach_fails_this_message_and_stays_a_good_one() {
    let mut play = Play::with_standby(NoticeKind::PayoutReceived);
    play.take();
    play.ends("n1", refused(RefusalClass::Unreachable));
    assert_eq!(play.todo(), ["mail sends n1-m1"], "the standby goes at once, and no other vendor is tried");
    assert_eq!(play.notice.messages[0].ended, Some(Ended::Failed));
    assert_eq!(play.effects.addresses, [], "no flag");
    // The same when it is learnt of later.
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    play.take();
    play.ends("n1", super::accepted());
    let off = super::undelivered(RefusalClass::Unreachable);
    let receipt = crate::ports::sms::Receipt {
        out_id: "n1".to_owned(),
        provider_id: None,
        to: Some(super::NUMBER.to_owned()),
        word: off,
    };
    assert!(play.receives("first", &receipt, crate::ports::sms::Trust::Signed));
    assert_eq!((play.state(), play.rung()), (NoticeState::Failed, vec!["notice_failed"]));
    assert_eq!(play.effects.addresses, []);
}

#[test]
fn both_channels_go_by_themselves() {
    let now = super::noon();
    let messages = vec![Message::first(Channel::Sms, 2, now), Message::first(Channel::Mail, 0, now)];
    let mut play = Play::of(NoticeKind::PayoutCredited, messages);
    assert_eq!(play.todo(), ["first sends n1", "mail sends n1-m1"]);
    play.ends("n1", refused(RefusalClass::Recipient)).ends("n1-m1", accepted());
    assert_eq!(play.state(), NoticeState::Sent);
    assert_eq!(play.rung(), [""; 0], "one of them went");
    assert_eq!(play.waits(), None, "mail has no receipts");
    assert_eq!(play.journal(), ["notice.failed", "notice.sent"]);
}

#[test]
fn what_was_not_made_says_nothing_of_the_provider() {
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    play.take();
    let not_made = ErrandEnd::NotMade { notice_id: "n1".to_owned(), out_id: "n1".to_owned() };
    play.book(&not_made);
    play.book(&not_made);
    assert_eq!(
        (play.counters.minute.count, play.counters.day.count),
        (0, 0),
        "what was not handed in uses up no ceiling"
    );
    assert_eq!(play.todo(), ["first sends n1-2"], "the same provider, at once, under a new name");
    assert!(play.health.values().all(|health| health.failures == 0));
}

#[test]
fn an_end_that_is_booked_after_its_lease_ran_out_still_counts() {
    for (outcome, state, then) in [
        (accepted(), NoticeState::Sent, &[][..]),
        (not_connected(), NoticeState::Created, &["second sends n1-2"]),
        (doubtful(), NoticeState::Sending, &[]),
    ] {
        let mut play = Play::sms(NoticeKind::PayoutCredited);
        play.take();
        play.pass(60);
        assert_eq!(play.todo(), ["first is asked for n1"], "nobody knows");
        play.ends("n1", outcome.clone());
        assert_eq!(play.state(), state);
        assert_eq!(play.todo(), then, "{outcome:?}");
        play.ends("n1", refused(RefusalClass::Recipient));
        let ended = play.notice.messages[0].ended;
        assert_eq!(ended.is_some(), outcome == doubtful(), "what is certain is not overruled: {outcome:?}");
    }
}

#[test]
fn costs_are_counted_by_the_providers_segments_else_by_ours() {
    for (segments, cost) in [(None, 900), (Some(3), 1350)] {
        let mut play = Play::of(NoticeKind::PayoutCredited, vec![Message::first(Channel::Sms, 2, super::noon())]);
        play.contents[0].text = "到".repeat(65);
        play.take();
        play.ends("n1", SendOutcome::Accepted { provider_id: None, segments });
        assert_eq!(play.notice.messages[0].attempts[0].cost, Some(cost));
    }
}

#[test]
fn a_provider_that_takes_templates_gets_its_code_and_its_order() {
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    play.rules.providers[0].takes = crate::notice::Takes::Templates;
    let mut without = Play::sms(NoticeKind::PayoutCredited);
    without.rules.providers = play.rules.providers.clone();
    assert_eq!(without.todo(), ["second sends n1"], "without a code it cannot be used");

    let way = crate::notice::ProviderTemplate {
        code: Some("SMS_1".to_owned()),
        signature: Some("直达".to_owned()),
        parameters: vec!["tail".to_owned(), "amount".to_owned()],
    };
    play.contents[0].providers.insert("first".to_owned(), way);
    let Some(Errand::SendSms { sms, .. }) = play.take().pop() else { panic!("an SMS") };
    assert_eq!(
        (sms.template_code.as_deref(), sms.signature.as_str(), sms.to.as_str()),
        (Some("SMS_1"), "直达", super::NUMBER)
    );
    let names: Vec<&str> = sms.parameters.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["tail", "amount"]);
}

#[test]
fn without_any_provider_it_waits_rings_and_the_mail_goes() {
    let mut play = Play::with_standby(NoticeKind::PayoutReceived);
    play.rules.providers.retain(|one| one.channel == Channel::Mail);
    assert_eq!(play.todo(), [""; 0]);
    assert_eq!(play.rung(), ["notice_providers_down"]);
    assert_eq!(play.notice.messages[0].waits_for, Some(WaitsFor::Provider));
    play.pass(900);
    assert_eq!(play.todo(), [""; 0]);
    assert_eq!(play.rung().len(), 1, "once an hour");
    play.pass(900);
    assert_eq!(play.todo(), ["mail sends n1-m1"]);
}
