//! Why each provider does, or does not, take what waits: one row a reason.

use super::{Play, not_connected, refused};
use crate::notice::{Channel, Look, NoticeKind, ProviderTemplate, Takes, WaitsFor, looks};
use crate::ports::notices::NoticeView;
use crate::ports::sms::RefusalClass;
use std::collections::BTreeMap;

fn seen(play: &Play) -> Vec<(String, Look)> {
    let (notice, contents) = (play.notice.clone(), play.contents.clone());
    let view = NoticeView { notice, requests: Vec::new(), contents, receipts: Vec::new(), addresses: BTreeMap::new() };
    looks(&view, Channel::Sms, &play.rules, &play.health, play.now)
}

#[test]
fn each_reason_is_told_by_itself() {
    let first = |play: &Play| seen(play).remove(0).1;
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    assert_eq!(seen(&play), [("first".to_owned(), Look::Free), ("second".to_owned(), Look::Free)]);

    play.rules.providers[0].takes = Takes::Templates;
    assert_eq!(first(&play), Look::NoCode);
    let way = ProviderTemplate { code: Some("SMS_1".to_owned()), ..ProviderTemplate::default() };
    play.contents[0].providers.insert("first".to_owned(), way);
    assert_eq!(first(&play), Look::Free);
    play.rules.signature = None;
    assert_eq!(first(&play), Look::NoSignature);

    let mut play = Play::sms(NoticeKind::PayoutCredited);
    play.notice.messages[0].waits_for = Some(WaitsFor::Limit);
    assert_eq!(first(&play), Look::Limit);

    let mut play = Play::sms(NoticeKind::PayoutCredited);
    play.take();
    play.ends("n1", refused(RefusalClass::Content));
    assert_eq!(first(&play), Look::Refused("CODE".to_owned()));

    let mut play = Play::sms(NoticeKind::PayoutCredited);
    play.take();
    play.ends("n1", refused(RefusalClass::Limit));
    assert!(matches!(first(&play), Look::Pause(at) if at > play.now));

    let mut play = Play::sms(NoticeKind::PayoutCredited);
    let health = play.health.entry("first".to_owned()).or_default();
    for _ in 0..5 {
        health.on(&not_connected(), play.now);
    }
    let until = health.shut_until.unwrap();
    assert_eq!(first(&play), Look::Shut(until, Some("refused".to_owned())));
}
