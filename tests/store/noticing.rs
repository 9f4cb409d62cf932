//! Notices: made once, handed out once, and booked in whatever order word of them comes.

use crate::world::{Award, World, key, uscc};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use zhida_core::case_file::{CaseNote, Said};
use zhida_core::contacts::Contacts;
use zhida_core::ids::PolicyId;
use zhida_core::notice::{Channel, Limit, Notice, NoticeKind, NoticeState, ProviderRules};
use zhida_core::ports::notices::{Errand, ErrandEnd, NoticeFilter, NoticeView};
use zhida_core::ports::queue::Destination;
use zhida_core::ports::sms::{AskOutcome, DeliveryWord, Receipt, RefusalClass, SendOutcome, Trust};
use zhida_core::rules::Rules;
use zhida_core::steps::{Arrival, TakenIn};

pub(crate) const SECOND: SignedDuration = SignedDuration::from_secs(1);
pub(crate) const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A district that sends: two providers of SMS, and mail; nothing waits for quiet hours.
pub(crate) fn sends(rules: &mut Rules) {
    let provider =
        |name, channel| ProviderRules { price_per_segment: Some(450), ..ProviderRules::of_texts(name, channel) };
    rules.notices.providers =
        vec![provider("one", Channel::Sms), provider("two", Channel::Sms), provider("mail", Channel::Mail)];
    rules.notices.signature = Some("鼓楼直达".to_owned());
    rules.notices.quiet = None;
}

pub(crate) fn with_a_ceiling(rules: &mut Rules) {
    sends(rules);
    rules.notices.per_minute_max = 5;
}

pub(crate) fn with_limits(rules: &mut Rules) {
    sends(rules);
    rules.notices.providers.retain(|one| one.name == "one");
    rules.notices.providers[0].limits = vec![Limit { count: 1, window: MINUTE }];
}

pub(crate) fn mobile(number: u32) -> String {
    format!("+86138{number:08}")
}

/// An award whose enterprise is reached by its own number, and by mail where `email` says so.
pub(crate) fn reached(award: &Award, email: Option<&str>) -> Arrival {
    let arrival = award.arrival();
    let at = award.approved;
    let said = Said::Submitted { policy_id: PolicyId::from("P-1"), uscc: uscc(award.enterprise), mode: None };
    let application_id = key(award.number).application_id;
    let contacts = Contacts::new(at, Some(mobile(award.number)), email.map(str::to_owned), None);
    Arrival { case: Some(CaseNote { application_id, at, said }), contacts: Some(contacts), ..arrival }
}

/// Takes in awards that are reached, and makes their notices: of each one that it was received.
pub(crate) async fn received(world: &World, numbers: impl IntoIterator<Item = u32>) {
    for number in numbers {
        let award = world.award(number).await;
        assert_eq!(world.take(&[reached(&award, None)]).await, [TakenIn::Accepted]);
    }
    while world.store.make_notices(100).await.unwrap() > 0 {}
}

pub(crate) async fn take(world: &World) -> Vec<Errand> {
    world.store.take_errands(100).await.unwrap()
}

/// The `out_id`, provider and notice of everything that is to be handed in.
pub(crate) fn calls(errands: &[Errand]) -> Vec<(String, String, String)> {
    let call = |errand: &Errand| match errand {
        Errand::SendSms { provider, notice_id, sms, .. } => {
            Some((sms.out_id.clone(), provider.clone(), notice_id.clone()))
        }
        Errand::SendMail { provider, notice_id, mail, .. } => {
            Some((mail.out_id.clone(), provider.clone(), notice_id.clone()))
        }
        Errand::Ask { .. } => None,
    };
    errands.iter().filter_map(call).collect()
}

/// What is to be asked for.
fn questions(errands: &[Errand]) -> Vec<(String, String, Timestamp)> {
    let question = |errand: &Errand| match errand {
        Errand::Ask { notice_id, question, begun_at, .. } => {
            Some((question.out_id.clone(), notice_id.clone(), *begun_at))
        }
        Errand::SendSms { .. } | Errand::SendMail { .. } => None,
    };
    errands.iter().filter_map(question).collect()
}

pub(crate) fn accepted(name: &str) -> SendOutcome {
    SendOutcome::Accepted { provider_id: Some(name.to_owned()), segments: Some(1) }
}

pub(crate) fn refused(class: RefusalClass) -> SendOutcome {
    SendOutcome::Refused { class, code: "X-1".to_owned(), text: "no".to_owned() }
}

/// Books the same end for everything that was to be handed in.
pub(crate) async fn answer(world: &World, errands: &[Errand], outcome: impl Fn(&str) -> SendOutcome) {
    let end = |(out_id, _, notice_id): (String, String, String)| ErrandEnd::Sent {
        notice_id,
        outcome: outcome(&out_id),
        out_id,
    };
    let ends: Vec<ErrandEnd> = calls(errands).into_iter().map(end).collect();
    world.other.book_errands(&ends).await.unwrap();
}

fn delivered() -> DeliveryWord {
    DeliveryWord::Delivered { at: None }
}

fn receipt(out_id: &str, number: u32) -> Receipt {
    Receipt { out_id: out_id.to_owned(), provider_id: None, to: Some(mobile(number)), word: delivered() }
}

async fn book(world: &World, provider: &str, trust: Trust, receipts: &[Receipt]) -> (u32, u32, u32) {
    let booked = world.other.book_receipts(provider, trust, receipts).await.unwrap();
    (booked.booked, booked.repeated, booked.unmatched)
}

pub(crate) async fn listed(world: &World, kind: NoticeKind) -> Vec<Notice> {
    let filter = NoticeFilter { kind: Some(kind), ..NoticeFilter::default() };
    world.other.notices(&filter).await.unwrap()
}

pub(crate) async fn view(world: &World, id: &str) -> NoticeView {
    world.other.notice(id).await.unwrap().expect("the notice is there")
}

async fn state(world: &World, id: &str) -> NoticeState {
    view(world, id).await.notice.state()
}

async fn story(world: &World, number: u32) -> Vec<String> {
    let story = world.other.trace(&key(number).application_id).await.unwrap();
    assert!(!format!("{story:?}").contains("+86138"), "no number in the journal: {story:?}");
    story.into_iter().map(|row| row.kind).filter(|kind| kind.starts_with("notice")).collect()
}

pub(crate) async fn a_notice_is_made_once_whatever_is_repeated(world: World) {
    let award = world.award(1).await;
    let arrival = reached(&award, Some("finance@example.com"));
    world.take(&[arrival.clone(), arrival.clone()]).await;
    let bells = world.store.claim_outbox(100).await.unwrap();
    assert_eq!(bells.iter().filter(|row| row.destination == Destination::NoticeDoorbell).count(), 1, "one bell");
    let (one, two) = tokio::join!(world.store.make_notices(100), world.other.make_notices(100));
    assert_eq!(one.unwrap() + two.unwrap(), 1, "one request, dealt with once");
    world.take(&[arrival]).await;
    assert_eq!(world.store.make_notices(100).await.unwrap(), 0);
    world.pay("M-1").await;
    world
        .hear(&world.instruction(1).await, zhida_core::payout::Word::OnTheWay, zhida_core::payout::Carrier::Pushed)
        .await;
    assert_eq!(world.other.make_notices(100).await.unwrap(), 1);
    let credited = listed(&world, NoticeKind::PayoutCredited).await;
    assert_eq!((credited.len(), listed(&world, NoticeKind::PayoutReceived).await.len()), (1, 1));
    let credited = view(&world, &credited[0].id).await;
    assert_eq!(credited.notice.recipient, uscc(1));
    assert_eq!(credited.requests.iter().map(|one| one.subject.as_str()).collect::<Vec<_>>(), ["A-1"]);
    let ways: Vec<(Channel, &str)> = credited.contents.iter().map(|one| (one.channel, one.to.as_str())).collect();
    assert_eq!(ways, [(Channel::Sms, mobile(1).as_str()), (Channel::Mail, "finance@example.com")]);
    assert!(credited.contents[0].text.contains("100.00元"), "the amount is told");
    assert_eq!(story(&world, 1).await, ["notice.made", "notice.made"]);
    // What was received has lost its point since it is credited.
    let sent = calls(&take(&world).await);
    assert_eq!(sent.iter().map(|one| one.2.as_str()).collect::<BTreeSet<_>>(), [credited.notice.id.as_str()].into());
    assert_eq!(listed(&world, NoticeKind::PayoutReceived).await[0].state(), NoticeState::Expired);
}

pub(crate) async fn two_workers_never_take_one_message_twice(world: World) {
    received(&world, 1..=40).await;
    let mut taken: Vec<(String, String, String)> = Vec::new();
    loop {
        let (one, two) = tokio::join!(world.store.take_errands(7), world.other.take_errands(7));
        let (one, two) = (one.unwrap(), two.unwrap());
        if one.is_empty() && two.is_empty() {
            break;
        }
        taken.extend(calls(&one).into_iter().chain(calls(&two)));
    }
    let distinct: BTreeSet<&String> = taken.iter().map(|(out_id, ..)| out_id).collect();
    assert_eq!((taken.len(), distinct.len()), (40, 40));
}

pub(crate) async fn a_lease_that_runs_out_is_asked_for_before_anything_is_sent_again(world: World) {
    received(&world, [1, 2]).await;
    let lost = take(&world).await;
    assert_eq!(calls(&lost).len(), 2);
    assert_eq!(take(&world).await.len(), 0, "both are under way");
    // The worker dies. Whether anything was sent nobody knows.
    world.pass(world.rules().notices.lease + SECOND);
    let asked = questions(&take(&world).await);
    assert_eq!(asked.len(), 2);
    assert_eq!(take(&world).await.len(), 0, "the question is out");
    let mut ends = Vec::new();
    for (place, (out_id, notice_id, begun_at)) in asked.into_iter().enumerate() {
        let found = AskOutcome::Found { provider_id: None, word: delivered() };
        let outcome = if place == 0 { found } else { AskOutcome::NotFound };
        ends.push(ErrandEnd::Asked { notice_id, out_id, begun_at, outcome });
    }
    world.store.book_errands(&ends).await.unwrap();
    assert_eq!(state(&world, ends[0].notice_id()).await, NoticeState::Delivered);
    assert_eq!(state(&world, ends[1].notice_id()).await, NoticeState::Sending, "too early to be definitive");
    world.pass(5 * MINUTE);
    let asked = questions(&take(&world).await);
    assert_eq!(asked.len(), 1);
    let (out_id, notice_id, begun_at) = asked.into_iter().next().unwrap();
    let outcome = AskOutcome::NotFound;
    world.store.book_errands(&[ErrandEnd::Asked { notice_id, out_id, begun_at, outcome }]).await.unwrap();
    let again = calls(&take(&world).await);
    assert_eq!(again.iter().map(|(out_id, ..)| out_id.clone()).collect::<Vec<_>>(), [format!("{}-2", again[0].2)]);
}

pub(crate) async fn receipts_count_before_the_answer_and_again(world: World) {
    received(&world, [1, 2]).await;
    let errands = take(&world).await;
    let numbers: BTreeMap<String, u32> = numbers(&world, &errands).await;
    let (out_id, provider, notice_id) = calls(&errands).into_iter().next().unwrap();
    let number = numbers[&notice_id];
    let ours = receipt(&out_id, number);
    let foreign = receipt(&out_id, 77);
    let nobodys = receipt("nobody-knows-it", number);
    // Another provider's word, and word of another number, is not ours.
    assert_eq!(book(&world, "somebody", Trust::Signed, std::slice::from_ref(&ours)).await, (0, 0, 1));
    assert_eq!(book(&world, &provider, Trust::Signed, &[foreign.clone(), nobodys]).await, (0, 0, 2));
    assert_eq!(state(&world, &notice_id).await, NoticeState::Sending);
    assert_eq!(book(&world, &provider, Trust::Signed, &[ours.clone(), foreign]).await, (1, 1, 0));
    assert_eq!(state(&world, &notice_id).await, NoticeState::Delivered, "before our own record of sending");
    answer(&world, &errands, accepted).await;
    assert_eq!(state(&world, &notice_id).await, NoticeState::Delivered);
    assert_eq!(book(&world, &provider, Trust::Signed, std::slice::from_ref(&ours)).await, (0, 1, 0));
    // A word that says less comes later: it changes nothing, and is kept.
    let late = Receipt { word: DeliveryWord::OnTheWay, ..ours };
    assert_eq!(book(&world, &provider, Trust::Signed, &[late]).await, (1, 0, 0));
    let view = view(&world, &notice_id).await;
    assert_eq!((view.notice.state(), view.receipts.len()), (NoticeState::Delivered, 2));
    let kinds = ["notice.made", "notice.delivered"];
    assert_eq!(story(&world, number).await, kinds);
}

/// The award of each notice that is to be handed in.
async fn numbers(world: &World, errands: &[Errand]) -> BTreeMap<String, u32> {
    let mut numbers = BTreeMap::new();
    for (_, _, notice_id) in calls(errands) {
        let id = view(world, &notice_id).await.notice.application_id.0;
        numbers.insert(notice_id, id.strip_prefix("A-").unwrap().parse().unwrap());
    }
    numbers
}

pub(crate) async fn a_receipt_that_only_the_provider_can_name_waits_for_its_answer(world: World) {
    received(&world, [1]).await;
    let errands = take(&world).await;
    let (_, provider, notice_id) = calls(&errands).into_iter().next().unwrap();
    let nameless = Receipt { out_id: String::new(), provider_id: Some("S-1".to_owned()), ..receipt("", 1) };
    assert_eq!(book(&world, &provider, Trust::Signed, std::slice::from_ref(&nameless)).await, (0, 0, 1), "kept");
    answer(&world, &errands, |_| accepted("S-1")).await;
    assert_eq!(state(&world, &notice_id).await, NoticeState::Delivered);
    assert_eq!(view(&world, &notice_id).await.receipts.len(), 1);
    let later = Receipt { word: DeliveryWord::OnTheWay, ..nameless };
    assert_eq!(book(&world, &provider, Trust::Signed, &[later]).await, (1, 0, 0), "its name is known now");
}

pub(crate) async fn an_unsigned_receipt_is_a_reason_to_ask(world: World) {
    received(&world, [1]).await;
    let errands = take(&world).await;
    let (out_id, provider, notice_id) = calls(&errands).into_iter().next().unwrap();
    answer(&world, &errands, accepted).await;
    assert_eq!(state(&world, &notice_id).await, NoticeState::Sent);
    assert_eq!(book(&world, &provider, Trust::Hint, &[receipt(&out_id, 1)]).await, (1, 0, 0));
    assert_eq!(state(&world, &notice_id).await, NoticeState::Sent, "anybody could say so");
    let (out_id, notice_id, begun_at) = questions(&take(&world).await).into_iter().next().expect("it is asked for");
    let outcome = AskOutcome::Found { provider_id: None, word: delivered() };
    world
        .other
        .book_errands(&[ErrandEnd::Asked { notice_id: notice_id.clone(), out_id, begun_at, outcome }])
        .await
        .unwrap();
    assert_eq!(state(&world, &notice_id).await, NoticeState::Delivered);
}

/// As near to the beginning of a minute as tests need it.
pub(crate) async fn at_the_next_minute(world: &World) {
    let second = world.now().await.as_second().rem_euclid(60);
    world.pass(SignedDuration::from_secs(61 - second));
}

pub(crate) async fn ceilings_are_exact_with_two_workers(world: World) {
    received(&world, 1..=12).await;
    at_the_next_minute(&world).await;
    let mut sent = Vec::new();
    for _ in 0..4 {
        let (one, two) = tokio::join!(world.store.take_errands(2), world.other.take_errands(3));
        sent.extend(calls(&one.unwrap()).into_iter().chain(calls(&two.unwrap())));
    }
    assert_eq!(sent.len(), 5);
    assert_eq!(world.rang("notice_ceiling").await, 1, "it rings once, however many wait");
    world.pass(MINUTE);
    let mut later = 0;
    for _ in 0..4 {
        later += calls(&take(&world).await).len();
    }
    assert_eq!(later, 5);
    world.pass(MINUTE);
    assert_eq!(calls(&take(&world).await).len(), 2, "nothing is dropped");
}

pub(crate) async fn one_number_is_not_written_to_more_often_than_its_provider_allows(world: World) {
    for number in [1, 2] {
        let award = world.award(number).await;
        let one = reached(&award, None);
        let contacts = Some(Contacts::new(award.approved, Some(mobile(9)), None, None));
        world.take(&[Arrival { contacts, ..one }]).await;
    }
    while world.store.make_notices(100).await.unwrap() > 0 {}
    let (one, two) = tokio::join!(world.store.take_errands(1), world.other.take_errands(1));
    let sent = calls(&one.unwrap()).len() + calls(&two.unwrap()).len();
    assert_eq!((sent, take(&world).await.len()), (1, 0));
    world.pass(MINUTE + SECOND);
    // The first one's lease has run out as well.
    assert_eq!(calls(&take(&world).await).len(), 1);
}

pub(crate) async fn what_was_not_made_uses_up_no_ceiling(world: World) {
    received(&world, 1..=6).await;
    for turn in 1..=3 {
        let claimed = calls(&take(&world).await);
        assert_eq!(claimed.len(), 5, "turn {turn}");
        let not_made = |(out_id, _, notice_id)| ErrandEnd::NotMade { notice_id, out_id };
        let ends: Vec<ErrandEnd> = claimed.into_iter().map(not_made).collect();
        world.other.book_errands(&ends).await.unwrap();
        world.other.book_errands(&ends).await.unwrap();
    }
    assert_eq!(calls(&take(&world).await).len(), 5, "no more, however often it was said");
    assert_eq!(calls(&take(&world).await).len(), 0);
}

pub(crate) async fn an_address_that_nothing_reaches_is_not_written_to_again(world: World) {
    received(&world, [1]).await;
    let errands = take(&world).await;
    answer(&world, &errands, |_| refused(RefusalClass::Recipient)).await;
    let of_first = calls(&errands)[0].2.clone();
    assert_eq!(state(&world, &of_first).await, NoticeState::Failed);
    assert_eq!(take(&world).await.len(), 0);
    world.pay("M-1").await;
    assert_eq!(world.store.make_notices(100).await.unwrap(), 1, "dealt with: there is no other address");
    assert_eq!(listed(&world, NoticeKind::PayoutCredited).await, []);
    // Somebody says that it arrived after all: the next one is sent.
    let word = receipt(&of_first, 1);
    assert_eq!(book(&world, "one", Trust::Signed, &[word]).await, (1, 0, 0));
    assert_eq!(state(&world, &of_first).await, NoticeState::Delivered, "late truth counts");
    let award = world.award(2).await;
    let contacts = Some(Contacts::new(award.approved - 60 * MINUTE, Some(mobile(1)), None, None));
    world.take(&[Arrival { contacts, ..reached(&award, None) }]).await;
    world.store.make_notices(100).await.unwrap();
    assert_eq!(calls(&take(&world).await).len(), 1);
}
