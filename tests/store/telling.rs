//! What holds notices back, gathers them, and what people do about them.

use crate::noticing::{SECOND, accepted, answer, calls, listed, mobile, received, take, view};
use crate::ordering::stalled;
use crate::supervising::{decided, look};
use crate::world::{World, key};
use jiff::SignedDuration;
use zhida_core::notice::template::{Locale, TemplateSet};
use zhida_core::notice::{Channel, Notice, NoticeKind, NoticeRequest, NoticeState};
use zhida_core::ports::notices::{Errand, ErrandEnd, NoticeFilter};
use zhida_core::rules::Rules;
use zhida_core::supervision::Alert;

/// The link to read more stands in digests.
pub(crate) fn with_a_link(rules: &mut Rules) {
    crate::noticing::sends(rules);
    rules.notices.public_url = Some("https://zhida.example".to_owned());
}

async fn make(world: &World) {
    while world.store.make_notices(100).await.unwrap() > 0 {}
}

async fn all(world: &World) -> Vec<Notice> {
    world.other.notices(&NoticeFilter { limit: 1_000, ..NoticeFilter::default() }).await.unwrap()
}

/// So many rungs of one alert, told to one person.
fn rungs(alert: &Alert, recipient: &str, count: u32) -> Vec<NoticeRequest> {
    let request = |rung: u32| NoticeRequest {
        kind: NoticeKind::ReviewOverdue,
        subject: alert.id.clone(),
        recipient: recipient.to_owned(),
        occasion: format!("by_hand_{rung}"),
        application_id: alert.application_id.clone(),
    };
    (1..=count).map(request).collect()
}

pub(crate) async fn what_gathers_for_one_recipient_becomes_one(world: World) {
    let alert = stalled(&world).await;
    world.pass(world.rules().notices.group + SECOND);
    make(&world).await;
    let before = all(&world).await.len();
    world.store.ask_for_notices(&rungs(&alert, "O-201", 4)).await.unwrap();
    world.store.ask_for_notices(&rungs(&alert, "O-951", 1)).await.unwrap();
    assert_eq!(world.store.make_notices(100).await.unwrap(), 0, "they wait for others");
    assert_eq!(world.other.count_requests().await.unwrap().waiting, 5);
    assert_eq!(all(&world).await.len(), before);
    world.pass(world.rules().notices.group + SECOND);
    let (one, two) = tokio::join!(world.store.make_notices(2), world.other.make_notices(2));
    assert_eq!(one.unwrap() + two.unwrap(), 5);
    let counts = world.other.count_requests().await.unwrap();
    assert_eq!((counts.waiting, counts.asked()), (0, counts.by_outcome.values().sum()));
    assert!(counts.by_outcome["made"] >= 5, "{counts:?}");
    let new = all(&world).await;
    let of = |recipient: &str| -> Vec<u32> {
        let new = new.iter().take(new.len() - before).filter(|one| one.recipient == recipient);
        new.map(|one| one.covers).collect()
    };
    assert_eq!((of("O-201"), of("O-951")), (vec![4], vec![1]));
    let combined = new.iter().find(|one| one.covers == 4).unwrap();
    assert_eq!(view(&world, &combined.id).await.requests.len(), 4);
}

pub(crate) async fn an_alert_that_is_cleared_is_told_to_nobody_any_more(world: World) {
    let alert = stalled(&world).await;
    world.pass(world.rules().notices.group + SECOND);
    make(&world).await;
    let red = listed(&world, NoticeKind::ReviewOverdue).await;
    assert!(!red.is_empty(), "somebody is to be told of {}", alert.id);
    let now = world.now().await;
    world.take(&[decided(now)]).await;
    while look(&world).await > 0 {}
    let sent: Vec<String> = calls(&take(&world).await).into_iter().map(|(_, _, notice_id)| notice_id).collect();
    let stale: Vec<&Notice> = red.iter().filter(|one| sent.contains(&one.id)).collect();
    let about = |notices: Vec<NoticeRequest>| notices.iter().all(|one| one.subject == alert.id);
    for notice in stale {
        assert!(!about(view(&world, &notice.id).await.requests), "{notice:?} tells of what is cleared");
    }
    let mut ended = 0;
    for notice in &red {
        let now = view(&world, &notice.id).await;
        ended += u32::from(about(now.requests) && now.notice.state() == NoticeState::Expired);
    }
    assert!(ended > 0, "those about the cleared alert have expired");
}

pub(crate) async fn a_call_that_was_not_made_is_certainly_not_sent(world: World) {
    received(&world, [1]).await;
    let (out_id, _, notice_id) = calls(&take(&world).await).into_iter().next().unwrap();
    let end = ErrandEnd::NotMade { notice_id: notice_id.clone(), out_id };
    world.other.book_errands(&[end.clone(), end]).await.unwrap();
    world.pass(SignedDuration::from_mins(2));
    let again = calls(&take(&world).await);
    assert_eq!(again.len(), 1);
    assert_eq!(view(&world, &notice_id).await.notice.messages[0].attempts.len(), 2);
}

pub(crate) async fn templates_are_in_force_from_their_import(world: World) {
    let embedded = world.store.templates().await.unwrap();
    assert_eq!(&embedded, TemplateSet::embedded());
    received(&world, [1]).await;
    let own = "version = \"district-2\"\n\n[[template]]\nkind = \"payout_received\"\nchannel = \"sms\"\nlocale = \"zh-CN\"\n\
        text = \"收到{{ application }}。\"\n";
    let set = TemplateSet::read(own).unwrap();
    world.store.import_templates(&set, "R-1").await.unwrap();
    world.other.import_templates(&set, "R-1").await.unwrap();
    assert_eq!(world.other.templates().await.unwrap(), set);
    received(&world, [2]).await;
    let notices = listed(&world, NoticeKind::PayoutReceived).await;
    let of = |number: u32| notices.iter().find(|one| one.application_id == key(number).application_id).unwrap();
    assert_eq!(of(1).template_version, embedded.version, "what was written stays as it was written");
    assert_eq!((of(2).template_version.as_str(), of(2).locale.as_str()), ("district-2", Locale::Chinese.code()));
    assert_eq!(view(&world, &of(2).id).await.contents[0].text, "收到A-2。");
}

pub(crate) async fn digests_are_unsubscribed_from_with_their_own_key(world: World) {
    crate::supervising::organisation(&world).await;
    let outlook = world.store.digest_outlook().await.unwrap();
    world.pass(outlook.next_due.unwrap().duration_since(outlook.now) + SECOND);
    world.store.make_due_digest().await.unwrap();
    make(&world).await;
    let digests = listed(&world, NoticeKind::Digest).await;
    assert!(!digests.is_empty());
    let errands = take(&world).await;
    let mails = errands.iter().filter_map(|errand| match errand {
        Errand::SendMail { notice_id, mail, .. } => Some((notice_id, mail)),
        Errand::SendSms { .. } | Errand::Ask { .. } => None,
    });
    let (notice_id, mail) = mails.into_iter().next().expect("a digest is sent");
    let link = mail.unsubscribe.clone().expect("it can be unsubscribed from");
    let key = link.rsplit('/').next().unwrap();
    assert_eq!(link, format!("https://zhida.example/v1/notices/unsubscribe/{notice_id}/{key}"));
    let other = digests.iter().find(|one| one.id != *notice_id).expect("two people supervise");
    assert!(!world.store.unsubscribe(notice_id, "AAAA").await.unwrap());
    assert!(!world.store.unsubscribe(&other.id, key).await.unwrap(), "a key is for one notice");
    assert!(world.other.unsubscribe(notice_id, key).await.unwrap());
    let outlook = world.store.digest_outlook().await.unwrap();
    world.pass(outlook.next_due.unwrap().duration_since(outlook.now) + SECOND);
    world.store.make_due_digest().await.unwrap();
    make(&world).await;
    assert_eq!(listed(&world, NoticeKind::Digest).await.len(), digests.len() * 2 - 1);
}

pub(crate) async fn the_other_channel_takes_over(world: World) {
    let award = world.award(1).await;
    let arrival = crate::noticing::reached(&award, Some("finance@example.com"));
    world.take(&[arrival]).await;
    make(&world).await;
    let errands = take(&world).await;
    assert!(errands.iter().all(|errand| matches!(errand, Errand::SendSms { sms, .. } if sms.to == mobile(1))));
    answer(&world, &errands, |_| crate::noticing::refused(zhida_core::ports::sms::RefusalClass::Recipient)).await;
    let mails = take(&world).await;
    assert!(matches!(&mails[..], [Errand::SendMail { mail, .. }] if mail.to == "finance@example.com"));
    answer(&world, &mails, accepted).await;
    let notice = listed(&world, NoticeKind::PayoutReceived).await.remove(0);
    assert_eq!(notice.state(), NoticeState::Sent);
    assert_eq!(notice.messages.iter().map(|one| one.channel).collect::<Vec<_>>(), [Channel::Sms, Channel::Mail]);
}
