//! Vendors' codes that are imported after a notice was written.

use super::{Play, not_connected, refused};
use crate::notice::template::{Template, TemplateKey, TemplateSet};
use crate::notice::{Channel, NoticeKind, NoticeState, ProviderTemplate, Takes, with_codes_in_force};
use crate::ports::notices::Errand;
use crate::ports::sms::RefusalClass;

const TEXT: &str = "款项{{ amount }}已到账。";

/// A set whose template has this text, and this code for the first provider.
fn set(text: &str, code: &str) -> TemplateSet {
    let mut set = TemplateSet::embedded().clone();
    let of = |key: &&TemplateKey| key.to_string() == "payout_credited/sms/zh-CN";
    let key = *set.templates.keys().find(of).unwrap();
    let way = ProviderTemplate { code: Some(code.to_owned()), ..ProviderTemplate::default() };
    let template = Template {
        key,
        text: text.to_owned(),
        subject: String::new(),
        html: None,
        segments_max: 1,
        providers: [("first".to_owned(), way)].into(),
    };
    set.templates.insert(key, template);
    set
}

/// An SMS that was written before the first provider, the only one, had a code.
fn written_without() -> Play {
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    play.rules.providers.retain(|one| one.name == "first");
    play.rules.providers[0].takes = Takes::Templates;
    play.contents[0].template = Some(TEXT.to_owned());
    assert_eq!(play.todo(), [""; 0]);
    assert_eq!(play.rung(), ["notice_providers_down"]);
    play
}

/// The code it goes by when this set is in force.
fn goes_by(play: &mut Play, set: &TemplateSet) -> Option<String> {
    let written = play.contents.clone();
    play.contents = with_codes_in_force(&play.notice, written.clone(), set);
    let errand = play.take().pop();
    play.contents = written;
    match errand {
        Some(Errand::SendSms { sms, .. }) => sms.template_code,
        Some(Errand::SendMail { .. } | Errand::Ask { .. }) | None => None,
    }
}

#[test]
fn a_code_that_is_imported_later_frees_what_was_written_from_the_same_text() {
    for (text, code) in [(TEXT, Some("SMS_2")), ("款项{{ amount }}已入账。", None)] {
        let mut play = written_without();
        play.pass_until_due();
        assert_eq!(goes_by(&mut play, &set(text, "SMS_2")).as_deref(), code, "{text}");
    }
    let mut play = written_without();
    play.contents[0].template = None;
    play.pass_until_due();
    assert_eq!(goes_by(&mut play, &set(TEXT, "SMS_2")), None, "of what it was written from nothing is known");
}

#[test]
fn what_was_sent_stays_as_it_was_sent() {
    let mut play = written_without();
    play.pass_until_due();
    assert_eq!(goes_by(&mut play, &set(TEXT, "SMS_2")).as_deref(), Some("SMS_2"));
    let sent_as = play.notice.messages[0].attempts[0].sent_as.clone().unwrap().way;
    assert_eq!((sent_as.code.as_deref(), sent_as.signature.as_deref()), (Some("SMS_2"), Some("鼓楼直达")));
    let way = |play: &Play| play.candidate().way("first").and_then(|way| way.code.clone());
    play.contents = with_codes_in_force(&play.notice, play.contents.clone(), &set(TEXT, "SMS_3"));
    play.ends("n1", super::doubtful());
    assert_eq!(way(&play).as_deref(), Some("SMS_2"), "what may have been sent goes to the same provider by the same");
    play.notice.messages[0].attempts[0].outcome = Some(not_connected());
    assert_eq!(way(&play).as_deref(), Some("SMS_3"), "what certainly was not, by what is right now");
}

#[test]
fn a_code_that_the_vendor_does_not_know_is_waited_for_and_rings_once() {
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    play.rules.providers.retain(|one| one.name == "first");
    play.rules.providers[0].takes = Takes::Templates;
    play.contents[0].template = Some(TEXT.to_owned());
    assert_eq!(goes_by(&mut play, &set(TEXT, "SMS_15x")).as_deref(), Some("SMS_15x"));
    play.ends("n1", refused(RefusalClass::Template));
    assert_eq!(goes_by(&mut play, &set(TEXT, "SMS_15x")), None, "not by the same code at once");
    assert_eq!((play.state(), play.rung()), (NoticeState::Created, vec!["notice_providers_down"]));
    assert!(play.effects.alarms[0].text.contains("SMS_15x"), "{:?}", play.effects.alarms);
    play.pass_until_due();
    assert_eq!(goes_by(&mut play, &set(TEXT, "SMS_15")).as_deref(), Some("SMS_15"), "as soon as it is looked at");
    assert_eq!(play.rung().len(), 1);
}

#[test]
fn what_waits_for_the_right_code_is_looked_at_often_and_called_for_seldom() {
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    play.rules.providers.retain(|one| one.name == "first");
    play.rules.providers[0].takes = Takes::Templates;
    play.contents[0].template = Some(TEXT.to_owned());
    let began = play.now;
    for _ in 0..100 {
        if goes_by(&mut play, &set(TEXT, "SMS_15x")).is_some() {
            let out_id = play.notice.messages[0].attempts.last().unwrap().out_id.clone();
            play.ends(&out_id, refused(RefusalClass::Template));
        }
        let waits = play.waits().unwrap();
        assert!(waits <= 120, "an import is seen within two minutes, and not only after {waits} s");
        play.pass(waits);
    }
    let (calls, hours) = (play.notice.messages[0].attempts.len(), play.now.duration_since(began).as_hours());
    assert!(calls as i64 <= hours + 1 && hours >= 2, "{calls} calls in {hours} hours");
    assert_eq!((play.counters.minute.count, play.counters.day.count), (0, 0), "what goes to nobody uses up no ceiling");
}

#[test]
fn that_one_message_has_no_code_does_not_use_up_the_bell_of_an_outage() {
    let mut play = written_without();
    play.notice.messages[0].attempts.clear();
    play.rules.providers[0].takes = Takes::Texts;
    play.pass_until_due();
    for _ in 0..5 {
        play.notice.messages = vec![crate::notice::Message::first(Channel::Sms, 1, play.now)];
        play.take();
        play.ends("n1", not_connected());
    }
    play.notice.messages = vec![crate::notice::Message::first(Channel::Sms, 1, play.now)];
    assert_eq!(play.todo(), [""; 0]);
    assert_eq!(play.rung().len(), 2, "{:?}", play.rung());
}
