//! What people do about notices: stop and resume, have one told again, turn a kind off; and the figures that are shown of notices.

use crate::noticing::{
    MINUTE, SECOND, accepted, answer, at_the_next_minute, calls, listed, mobile, reached, received, refused, take, view,
};
use crate::world::{World, signed};
use zhida_core::contacts::Contacts;
use zhida_core::ids::OperatorId;
use zhida_core::notice::{
    Channel, Channels, KindRules, NoticeAct, NoticeKind, NoticeRequest, NoticeState, Preference, Repeat, WaitsFor,
};
use zhida_core::ports::notices::{AddressFacts, NoticeFilter, Wish};
use zhida_core::ports::sms::{DeliveryWord, Receipt, RefusalClass, SendOutcome, Trust};
use zhida_core::ports::store::Acted;
use zhida_core::rules::Rules;
use zhida_core::steps::{Arrival, Fact, Operator, Role};

/// An enterprise whose code has a check character.
const USCC: &str = "91350100M000100Y43";

async fn operator(world: &World, id: &str, role: Role) {
    let (name, public_key) = (id.to_owned(), format!("{id}-key"));
    let operator = Operator { id: OperatorId::from(id), name, role, public_key, disabled_at: None };
    world.store.put_operator(&operator, "test").await.unwrap();
}

async fn refusal(world: &World, who: &str, act: NoticeAct) -> String {
    match world.act(who, act).await {
        Acted::Refused(refused) => refused.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

pub(crate) async fn one_operator_stops_all_sending_and_another_resumes_it(world: World) {
    operator(&world, "wang", Role::Operator).await;
    operator(&world, "qian", Role::Auditor).await;
    received(&world, 1..=2).await;
    assert!(refusal(&world, "qian", NoticeAct::Stop).await.contains("may not stop notices"));
    world.done("wang", NoticeAct::Stop).await;
    let stopped = world.store.notice_switch().await.unwrap().stopped.unwrap();
    assert_eq!((stopped.by.as_str(), stopped.reason.is_empty()), ("wang", false));
    assert!(world.store.figures().await.unwrap().notices.stopped);
    assert_eq!(calls(&take(&world).await), [], "nothing is sent");
    assert!(refusal(&world, "wang", NoticeAct::Stop).await.contains("wang has stopped notices already"));
    world.done("wang", NoticeAct::Resume).await;
    assert_eq!(calls(&take(&world).await).len(), 2, "what waited is due at once");
    assert!(refusal(&world, "wang", NoticeAct::Resume).await.contains("nothing to resume"));
}

pub(crate) async fn what_did_not_arrive_is_told_again_by_a_notice_of_its_own(world: World) {
    operator(&world, "wang", Role::Operator).await;
    received(&world, 1..=1).await;
    let first = world.store.notices(&NoticeFilter::default()).await.unwrap().remove(0);
    let resend = || NoticeAct::Resend { notice_id: first.id.clone() };
    assert!(refusal(&world, "wang", resend()).await.contains("still under way"));
    // Neither provider has the template.
    fails(&world).await;
    assert_eq!(world.store.notice(&first.id).await.unwrap().unwrap().notice.state(), NoticeState::Failed);
    world.done("wang", resend()).await;
    assert!(
        refusal(&world, "wang", NoticeAct::Resend { notice_id: "n-404".to_owned() }).await.contains("no notice n-404")
    );
    let story = world.store.trace(&first.application_id).await.unwrap();
    assert!(story.iter().any(|entry| entry.kind == "operator.acted" && entry.by == "wang"), "{story:?}");
    world.pass(SECOND);
    while world.store.make_notices(100).await.unwrap() > 0 {}
    let again = world.store.notices(&NoticeFilter::default()).await.unwrap();
    let again: Vec<_> = again.iter().filter(|one| one.id != first.id).collect();
    assert_eq!(
        again.iter().map(|one| (one.kind, one.state())).collect::<Vec<_>>(),
        [(first.kind, NoticeState::Created)]
    );
    assert_eq!(calls(&take(&world).await).len(), 1, "it goes out");
    assert_eq!(world.store.notice(&first.id).await.unwrap().unwrap().notice.state(), NoticeState::Failed, "on record");
}

/// What is told of approvals is served: it never goes twice.
pub(crate) fn served(rules: &mut Rules) {
    crate::noticing::sends(rules);
    let never = KindRules { repeat: Some(Repeat::Never), channels: Some(Channels::Both) };
    rules.notices.kinds.insert(NoticeKind::PayoutReceived, never);
}

/// Every provider refuses what is due, until it has failed.
async fn fails(world: &World) {
    for _ in 0..2 {
        let errands = take(world).await;
        answer(world, &errands, |_| refused(RefusalClass::Content)).await;
    }
    take(world).await;
}

pub(crate) async fn nothing_goes_twice_because_two_ask_for_it(world: World) {
    operator(&world, "wang", Role::Operator).await;
    received(&world, 1..=1).await;
    let first = world.store.notices(&NoticeFilter::default()).await.unwrap().remove(0);
    fails(&world).await;
    let resend = |notice_id: &str| NoticeAct::Resend { notice_id: notice_id.to_owned() };
    let make = async || {
        world.pass(SECOND);
        while world.store.make_notices(100).await.unwrap() > 0 {}
        world.store.notices(&NoticeFilter::default()).await.unwrap().remove(0)
    };
    let acts = [signed("act-1", "wang", resend(&first.id)), signed("act-2", "wang", resend(&first.id))];
    let (one, two) = tokio::join!(world.store.act(&acts[0]), world.other.act(&acts[1]));
    let (one, two) = (one.unwrap(), two.unwrap());
    let done = [&one, &two].into_iter().filter(|acted| matches!(acted, Acted::Done(_))).count();
    assert_eq!(done, 1, "of two at the same time: {one:?}, {two:?}");
    assert!(refusal(&world, "wang", resend(&first.id)).await.contains("not made yet"));
    let second = make().await;
    assert_ne!(second.id, first.id);
    for of in [&first.id, &second.id] {
        let waits = refusal(&world, "wang", resend(of)).await;
        assert!(waits.contains(&second.id) && waits.contains("still under way"), "{waits}");
    }
    fails(&world).await;
    world.done("wang", resend(&second.id)).await;
    let third = make().await;
    let errands = take(&world).await;
    answer(&world, &errands, crate::noticing::accepted).await;
    for of in [&first.id, &second.id] {
        let served = refusal(&world, "wang", resend(of)).await;
        assert!(served.contains(&third.id) && served.contains("never served twice"), "{served}");
    }
    assert_eq!(world.store.notices(&NoticeFilter::default()).await.unwrap().len(), 3);
}

pub(crate) async fn whoever_cannot_be_reached_is_on_record_and_is_tried_when_somebody_wants_it(world: World) {
    operator(&world, "wang", Role::Operator).await;
    received(&world, [1]).await;
    let make = async || while world.store.make_notices(100).await.unwrap() > 0 {};
    let refuse = async |class| answer(&world, &take(&world).await, |_| refused(class)).await;
    let first = listed(&world, NoticeKind::PayoutReceived).await.remove(0);
    let known = async |id: &str| view(&world, id).await.addresses.get(&Channel::Sms).cloned().unwrap_or_default();
    assert_eq!(known(&first.id).await, AddressFacts::default());
    refuse(RefusalClass::Recipient).await;
    assert_eq!(known(&first.id).await.flagged.map(|(_, code)| code).as_deref(), Some("X-1"));
    // Nothing goes there by itself, and it is said.
    let later = NoticeRequest {
        kind: NoticeKind::PayoutReceived,
        subject: "A-1".to_owned(),
        recipient: first.recipient.clone(),
        occasion: "later".to_owned(),
        application_id: first.application_id.clone(),
    };
    world.store.ask_for_notices(std::slice::from_ref(&later)).await.unwrap();
    make().await;
    let not_made = async |kind| {
        let figures = world.other.figures().await.unwrap().notices.not_made;
        figures.get(&(kind, "no_address".to_owned())).copied().unwrap_or_default()
    };
    assert_eq!(not_made(NoticeKind::PayoutReceived).await, 1);
    let story = world.other.trace(&first.application_id).await.unwrap();
    let row = story.iter().find(|row| row.kind == "notice.not_made").unwrap();
    assert_eq!((row.detail["outcome"].as_str(), row.detail["sms"].as_str()), (Some("no_address"), Some("flagged")));
    assert_eq!(world.rang("notice_no_address").await, 0, "it is not essential");
    // Somebody wants it tried: it goes, the flag is lifted, and a phone that is off leaves none.
    world.done("wang", NoticeAct::Resend { notice_id: first.id.clone() }).await;
    world.pass(SECOND);
    make().await;
    assert_eq!(known(&first.id).await.flagged, None);
    refuse(RefusalClass::Unreachable).await;
    assert_eq!(known(&first.id).await.flagged, None);
    assert_eq!(calls(&take(&world).await), [], "this message has failed");
    // The money comes: one has an address, the other none.
    world.take(&[world.award(2).await.arrival()]).await;
    world.pay("M-1").await;
    make().await;
    assert_eq!(listed(&world, NoticeKind::PayoutCredited).await.len(), 1);
    assert_eq!((not_made(NoticeKind::PayoutCredited).await, world.rang("notice_no_address").await), (1, 1));
    // Flagged once more, until the same number is told anew.
    refuse(RefusalClass::Recipient).await;
    assert!(known(&first.id).await.flagged.is_some());
    world.pass(MINUTE);
    let award = world.award(3).await;
    let contacts = Some(Contacts::new(award.approved, Some(mobile(1)), None, None));
    world.take(&[Arrival { contacts, ..reached(&award, None) }]).await;
    make().await;
    assert_eq!(calls(&take(&world).await).len(), 1);
    assert_eq!(known(&first.id).await.flagged, None);
    let delivered = Receipt {
        out_id: first.id.clone(),
        provider_id: None,
        to: Some(mobile(1)),
        word: DeliveryWord::Delivered { at: None },
    };
    world.other.book_receipts("one", Trust::Signed, &[delivered]).await.unwrap();
    assert!(known(&first.id).await.verified_at.is_some(), "a receipt verifies the number");
}

pub(crate) async fn what_somebody_does_not_want_is_not_told_and_money_is(world: World) {
    operator(&world, "wang", Role::Operator).await;
    let prefer = |kind, wish| NoticeAct::Prefer(Preference { recipient: USCC.to_owned(), kind, wish });
    assert!(refusal(&world, "wang", prefer(NoticeKind::PayoutCredited, Wish::NotTold)).await.contains("essential"));
    let unwanted = || prefer(NoticeKind::PayoutReceived, Wish::NotTold);
    assert!(refusal(&world, "wang", unwanted()).await.contains("is unknown"), "nobody of that code is known");
    let mut known = world.award(9).await.arrival();
    if let Fact::Approved(approval) = &mut known.fact {
        approval.enterprise.uscc = USCC.to_owned();
    }
    world.take(&[known]).await;
    let digest = Preference { recipient: "O-404".to_owned(), kind: NoticeKind::Digest, wish: Wish::NotTold };
    assert!(refusal(&world, "wang", NoticeAct::Prefer(digest)).await.contains("O-404 is unknown"));
    world.done("wang", unwanted()).await;
    let mut told = Vec::new();
    for number in 1..=2 {
        if number == 2 {
            world.done("wang", prefer(NoticeKind::PayoutReceived, Wish::Told)).await;
        }
        let mut arrival = reached(&world.award(number).await, None);
        if let Fact::Approved(approval) = &mut arrival.fact {
            approval.enterprise.uscc = USCC.to_owned();
        }
        world.take(&[arrival]).await;
        while world.store.make_notices(100).await.unwrap() > 0 {}
        told.push(world.store.notices(&NoticeFilter::default()).await.unwrap().len());
    }
    assert_eq!(told, [0, 1]);
}

pub(crate) async fn figures_show_what_waits_and_who_is_of_no_use(world: World) {
    let figures = async || world.store.figures().await.unwrap().notices;
    assert_eq!(figures().await, zhida_core::ports::store::NoticeFigures::default());
    received(&world, 1..=6).await;
    let made = figures().await;
    assert_eq!(made.last_hour.values().sum::<u64>(), 6);
    world.pass(MINUTE);
    let since = figures().await.oldest_waiting;
    assert!(since.is_some(), "nobody takes them");
    let errands = take(&world).await;
    answer(&world, &errands, |_| SendOutcome::NotConnected { why: "refused".to_owned() }).await;
    assert_eq!(figures().await.providers_shut, ["one"], "six failures in a row");
    let health = figures().await.providers["one"].clone();
    assert!(health.shut_since.is_some() && health.last_failure.is_some(), "{health:?}");
    world.pass(MINUTE);
    assert_eq!(figures().await.oldest_waiting, since, "a try in vain is no new beginning");
    loop {
        let errands = take(&world).await;
        if errands.is_empty() {
            break;
        }
        answer(&world, &errands, |_| SendOutcome::Accepted { provider_id: None, segments: None }).await;
    }
    assert_eq!(figures().await.oldest_waiting, None, "a provider has them");
}

/// A district with one vendor of SMS.
pub(crate) fn by_one(rules: &mut Rules) {
    crate::noticing::sends(rules);
    rules.notices.providers.retain(|one| one.name != "two");
}

/// Not when it would have been tried next: whoever mended it wants to see them go.
pub(crate) async fn what_waits_for_a_provider_goes_when_one_is_open_again(world: World) {
    received(&world, 1..=6).await;
    let errands = take(&world).await;
    assert_eq!(errands.len(), 6);
    answer(&world, &errands, |_| SendOutcome::NotConnected { why: "refused".to_owned() }).await;
    world.pass(MINUTE);
    let trial = take(&world).await;
    assert_eq!((trial.len(), take(&world).await.len()), (1, 0), "one tries, the others wait for its end");
    answer(&world, &trial, accepted).await;
    assert_eq!(take(&world).await.len(), 5);
}

pub(crate) async fn how_many_wait_and_for_what_is_counted(world: World) {
    operator(&world, "wang", Role::Operator).await;
    let waiting = async || world.other.waiting_notices().await.unwrap();
    let counts = async || waiting().await.into_iter().map(|(what, one)| (what, one.count)).collect::<Vec<_>>();
    assert_eq!(counts().await, []);
    received(&world, 1..=12).await;
    at_the_next_minute(&world).await;
    assert_eq!(counts().await, [(None, 12)], "their turn");
    let errands = take(&world).await;
    assert_eq!(calls(&take(&world).await), []);
    assert_eq!(counts().await, [(Some(WaitsFor::Ceiling), 7)], "what was handed in waits for word alone");
    answer(&world, &errands, accepted).await;
    let ceiling = waiting().await.remove(&Some(WaitsFor::Ceiling)).unwrap();
    let (now, second) = (world.now().await, ceiling.until.as_second());
    assert!(
        ceiling.count == 7 && ceiling.until > now && second.rem_euclid(60) == 0,
        "until the next minute: {ceiling:?}"
    );
    world.done("wang", NoticeAct::Stop).await;
    world.pass(MINUTE);
    assert_eq!(calls(&take(&world).await), []);
    assert_eq!(counts().await, [(Some(WaitsFor::Switch), 7)]);
    world.done("wang", NoticeAct::Resume).await;
    assert_eq!(calls(&take(&world).await).len(), 5, "what waited for it is due at once");
}
