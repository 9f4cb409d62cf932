//! Notices in a real database: rows that cannot be read, erasures, many workers at once, and what a taking reads of a table that is
//! full of finished notices. What every store must do is the conformance suite's affair.

use super::place::{Place, approval, fund, key, policy, protocol};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::task::JoinSet;
use zhida_adapters::store::SqlStore;
use zhida_core::case_file::{CaseNote, Said};
use zhida_core::contacts::Contacts;
use zhida_core::ids::PolicyId;
use zhida_core::notice::{Channel, NoticeKind, NoticeRequest, NoticeState, ProviderRules};
use zhida_core::ports::notices::{Errand, ErrandEnd, NoticeFilter, NoticeStore};
use zhida_core::ports::sms::{DeliveryWord, Receipt, SendOutcome, Trust};
use zhida_core::ports::store::{AlarmFilter, IntakeStore, OutboxStore, Protocol, ReadStore, ReferenceStore};
use zhida_core::steps::{Arrival, Fact};

const HOUR: SignedDuration = SignedDuration::from_mins(61);

/// A district that sends by one provider of SMS and by mail, at any hour.
fn sending(per_minute_max: u32) -> Protocol {
    let shared = protocol();
    let mut rules = (*shared.rules).clone();
    rules.notices.providers =
        vec![ProviderRules::of_texts("one", Channel::Sms), ProviderRules::of_texts("mail", Channel::Mail)];
    rules.notices.quiet = None;
    rules.notices.signature = Some("鼓楼直达".to_owned());
    rules.notices.per_minute_max = per_minute_max;
    Protocol { rules: Arc::new(rules), ..shared }
}

pub(crate) async fn open(place: &Place, per_minute_max: u32) -> SqlStore {
    place.open().await.with_protocol(sending(per_minute_max))
}

/// Approvals whose enterprises can be reached.
pub(crate) async fn with(place: &Place, numbers: impl IntoIterator<Item = u32>) -> SqlStore {
    let store = without_contacts(place, []).await;
    let now = store.now().await.unwrap();
    let reached = |number| reached(approval(number, now, "k"), number, now);
    store.take_in(numbers.into_iter().map(reached).collect()).await.unwrap();
    store
}

/// Approvals whose enterprises cannot.
pub(crate) async fn without_contacts(place: &Place, numbers: impl IntoIterator<Item = u32>) -> SqlStore {
    let store = open(place, 10_000).await;
    store.import_policies(&[fund(1_000_000)], &[policy()], "test").await.unwrap();
    let now = store.now().await.unwrap();
    store.take_in(numbers.into_iter().map(|number| approval(number, now, "k")).collect()).await.unwrap();
    store
}

/// Events of these applications that say how their enterprises are reached.
pub(crate) async fn contacts_come(store: &SqlStore, numbers: impl IntoIterator<Item = u32>) {
    let now = store.now().await.unwrap();
    let event = |number| {
        let event_id = format!("contacts-{number}");
        reached(Arrival { event_id, fact: Fact::Other, ..approval(number, now, "k") }, number, now)
    };
    store.take_in(numbers.into_iter().map(event).collect()).await.unwrap();
}

fn reached(arrival: Arrival, number: u32, now: Timestamp) -> Arrival {
    let said = Said::Submitted { policy_id: PolicyId::from("P-1"), uscc: format!("U-{number}"), mode: None };
    let case = Some(CaseNote { application_id: key(number).application_id, at: now, said });
    let mobile = Some(format!("138{number:08}"));
    Arrival { case, contacts: Some(Contacts::new(now, mobile, None, None)), ..arrival }
}

pub(crate) async fn make(store: &SqlStore) -> u32 {
    let mut made = 0;
    loop {
        match store.make_notices(100).await.unwrap() {
            0 => return made,
            some => made += some,
        }
    }
}

pub(crate) async fn rang(store: &SqlStore) -> u64 {
    store.figures().await.unwrap().alarms_by_kind.get("row_unusable").copied().unwrap_or_default()
}

/// Application and `out_id` of everything that is to be handed in.
pub(crate) async fn take(store: &SqlStore) -> Vec<(String, String)> {
    let mut sent = Vec::new();
    for errand in store.take_errands(100).await.unwrap() {
        if let Errand::SendSms { notice_id, sms, .. } = errand {
            let of = store.notice(&notice_id).await.unwrap().unwrap().notice.application_id;
            sent.push((of.0, sms.out_id));
        }
    }
    sent.sort();
    sent
}

pub(crate) fn applications(sent: &[(String, String)]) -> Vec<&str> {
    sent.iter().map(|(of, _)| of.as_str()).collect()
}

/// What a ceiling holds back waits no longer than until somebody starts with a higher one; where it is as low as before, it waits on.
pub(crate) async fn a_higher_ceiling(place: &Place) {
    drop(with(place, [1, 2, 3]).await);
    let (low, high) = (open(place, 1).await, open(place, 10_000).await);
    assert_eq!(make(&low).await, 3);
    assert_eq!((take(&low).await.len(), take(&high).await.len()), (1, 0), "they wait for the next minute");
    low.look_again().await.unwrap();
    assert_eq!((take(&low).await.len(), take(&high).await.len()), (0, 0));
    high.look_again().await.unwrap();
    assert_eq!(take(&high).await.len(), 2);
}

/// A raised ceiling of the day frees as many as the minute's allows, and the rest in the minutes after it.
pub(crate) async fn a_higher_ceiling_of_the_day(place: &Place) {
    drop(with(place, 1..=6).await);
    let of = |per_day_max| {
        let mut shared = sending(2);
        let mut rules = (*shared.rules).clone();
        rules.notices.per_day_max = per_day_max;
        shared.rules = Arc::new(rules);
        shared
    };
    let (low, high) = (place.open().await.with_protocol(of(1)), place.open().await.with_protocol(of(100)));
    assert_eq!(make(&low).await, 6);
    assert_eq!((take(&low).await.len(), take(&low).await.len()), (1, 0), "they wait for tomorrow");
    place.clock.advance(SignedDuration::from_mins(1));
    high.look_again().await.unwrap();
    for count in [2, 2, 1, 0] {
        assert_eq!(take(&high).await.len(), count);
        place.clock.advance(SignedDuration::from_mins(1));
    }
}

/// One notice cannot be read, of another what was written: the third goes, both ring once an hour, and go when they are mended.
pub(crate) async fn an_unreadable_notice(place: &Place) {
    let store = with(place, [1, 2, 3]).await;
    assert_eq!(make(&store).await, 3);
    let mine = |number: u32| format!("(select id from notices where application_id = 'A-{number}')");
    let first = format!("update notices set messages = '{{' || messages where id = {}", mine(1));
    place.execute(&first).await.unwrap();
    let second = format!("update notice_contents set parameters = '{{' || parameters where notice_id = {}", mine(2));
    place.execute(&second).await.unwrap();
    assert_eq!(applications(&take(&store).await), ["A-3"]);
    assert_eq!(take(&store).await, []);
    assert_eq!(rang(&store).await, 2);
    let listed = store.notices(&NoticeFilter::default()).await.unwrap();
    assert_eq!(listed.len(), 2, "a list goes on without the one that cannot be read");
    place.execute("update notices set messages = substr(messages, 2) where messages like '{[%'").await.unwrap();
    let mended = "update notice_contents set parameters = substr(parameters, 2) where parameters like '{[%'";
    place.execute(mended).await.unwrap();
    place.clock.advance(HOUR);
    let sent = take(&store).await;
    assert_eq!(applications(&sent), ["A-1", "A-2"]);
    assert_eq!(rang(&store).await, 2, "mended in time");
}

/// What one request is about cannot be read: the other becomes a notice, this one when it is mended.
pub(crate) async fn an_unreadable_subject(place: &Place) {
    let store = with(place, [1, 2]).await;
    place.execute("update payouts set holds = '{' where application_id = 'A-1'").await.unwrap();
    assert_eq!(make(&store).await, 2, "dealt with: one was made, one put aside");
    assert_eq!(rang(&store).await, 1);
    let of_its_story = AlarmFilter { application_id: Some(key(1).application_id), limit: 9, ..AlarmFilter::default() };
    assert_eq!(store.alarms(&of_its_story).await.unwrap().len(), 1);
    assert_eq!(applications(&take(&store).await), ["A-2"]);
    place.execute("update payouts set holds = '{}' where application_id = 'A-1'").await.unwrap();
    assert_eq!(make(&store).await, 0);
    place.clock.advance(HOUR);
    assert_eq!(make(&store).await, 1);
    assert_eq!(applications(&take(&store).await), ["A-1"]);
    // It becomes unreadable while its notice is under way: the notice waits an hour, and rings.
    place.execute("update payouts set holds = '{' where application_id = 'A-1'").await.unwrap();
    place.clock.advance(SignedDuration::from_mins(2));
    store.take_errands(100).await.unwrap();
    assert_eq!(rang(&store).await, 2);
}

/// The database refuses to change one notice: the others are taken and booked.
pub(crate) async fn a_refused_notice(place: &Place) {
    let store = with(place, [1, 2, 3]).await;
    make(&store).await;
    let refusal =
        "create unique index refusal on notices (state) where state = 'sending' and application_id in ('A-1', 'A-2')";
    place.execute(refusal).await.unwrap();
    let sent = take(&store).await;
    assert_eq!((sent.len(), rang(&store).await), (2, 1), "one of the two, and the third");
    place.execute("drop index refusal").await.unwrap();
    let refusal = "create unique index refusal on notices (state) where state = 'sent'";
    place.execute(refusal).await.unwrap();
    let accepted = SendOutcome::Accepted { provider_id: None, segments: None };
    let end = |(_, out_id): &(String, String)| ErrandEnd::Sent {
        notice_id: out_id.clone(),
        out_id: out_id.clone(),
        outcome: accepted.clone(),
    };
    store.book_errands(&sent.iter().map(end).collect::<Vec<_>>()).await.unwrap();
    let filter = NoticeFilter { state: Some(NoticeState::Sent), ..NoticeFilter::default() };
    assert_eq!(store.notices(&filter).await.unwrap().len(), 1, "each on its own");
}

/// What was written to whom can be erased: that and how a notice arrived stays.
pub(crate) async fn an_erasure_leaves_the_proof(place: &Place) {
    let store = with(place, [1, 2]).await;
    make(&store).await;
    let sent = take(&store).await;
    let id = sent[0].1.clone();
    let word = DeliveryWord::Delivered { at: None };
    let receipt = Receipt { out_id: id.clone(), provider_id: None, to: Some("+8613800000001".to_owned()), word };
    assert_eq!(store.book_receipts("one", Trust::Signed, &[receipt]).await.unwrap().booked, 1);
    let before = store.notice(&id).await.unwrap().unwrap();
    assert_eq!(before.contents[0].to, "+8613800000001");
    let story = store.trace(&key(1).application_id).await.unwrap();
    assert!(!format!("{story:?}").contains("13800000001"));
    place.execute("delete from notice_contents; update notice_receipts set address = null").await.unwrap();
    place.execute("delete from application_contacts").await.unwrap();
    let after = store.notice(&id).await.unwrap().unwrap();
    assert_eq!((after.contents.len(), &after.notice, &after.requests), (0, &before.notice, &before.requests));
    assert_eq!((after.notice.state(), after.receipts[0].2.to.clone()), (NoticeState::Delivered, None));
    assert_eq!(store.trace(&key(1).application_id).await.unwrap(), story);
    // What was not sent yet cannot be sent any more, and says so.
    place.clock.advance(SignedDuration::from_mins(2));
    assert_eq!(store.take_errands(100).await.unwrap().len(), 0);
}

/// Ten workers make, take and book at once: nothing is made or handed in twice, and no ceiling is passed.
pub(crate) async fn ten_workers_at_once(place: &Place) {
    const NOTICES: u32 = 60;
    let store = with(place, 1..=NOTICES).await;
    // At the beginning of a minute.
    let second = store.now().await.unwrap().as_second().rem_euclid(60);
    place.clock.advance(SignedDuration::from_secs(61 - second));
    let mut workers = JoinSet::new();
    for _ in 0..10 {
        let worker = open(place, 25).await;
        workers.spawn(async move {
            let mut sent = Vec::new();
            for _ in 0..6 {
                worker.make_notices(7).await.unwrap();
                let errands = worker.take_errands(4).await.unwrap();
                let out_ids = errands.into_iter().filter_map(|errand| match errand {
                    Errand::SendSms { sms, .. } => Some(sms.out_id),
                    Errand::SendMail { .. } | Errand::Ask { .. } => None,
                });
                let out_ids: Vec<String> = out_ids.collect();
                let outcome = SendOutcome::Accepted { provider_id: None, segments: Some(1) };
                let end = |id: &String| ErrandEnd::Sent {
                    notice_id: id.clone(),
                    out_id: id.clone(),
                    outcome: outcome.clone(),
                };
                worker.book_errands(&out_ids.iter().map(end).collect::<Vec<_>>()).await.unwrap();
                sent.extend(out_ids);
            }
            sent
        });
    }
    let sent = workers.join_all().await.concat();
    assert_eq!((sent.len(), sent.iter().collect::<BTreeSet<_>>().len()), (25, 25));
    let all = store.notices(&NoticeFilter { limit: 1_000, ..NoticeFilter::default() }).await.unwrap();
    let about: BTreeSet<_> = all.iter().map(|one| &one.application_id).collect();
    assert_eq!((all.len(), about.len()), (NOTICES as usize, NOTICES as usize));
    let filter = NoticeFilter { state: Some(NoticeState::Sent), limit: 1_000, ..NoticeFilter::default() };
    assert_eq!(store.notices(&filter).await.unwrap().len(), 25);
}

/// What stood there before notices were sent is never sent.
pub(crate) async fn what_was_asked_for_before_is_never_sent(place: &Place) {
    place.migrate_up_to(15).await;
    let old = "insert into notice_requests (kind, subject, recipient, occasion, application_id, at) \
        values ('review_overdue', 'AL-1', 'O-1', 'overdue', 'A-1', 5)";
    place.execute(old).await.unwrap();
    let body = if place.is_sqlite() { "x'7b7d'" } else { "'{}'" };
    let bell =
        format!("insert into outbox (id, destination, body, created_at) values ('1', 'payout_doorbell', {body}, 1)");
    place.execute(&bell).await.unwrap();
    let store = open(place, 10).await;
    place.clock.advance(HOUR);
    assert_eq!(make(&store).await, 0);
    assert_eq!(store.notices(&NoticeFilter::default()).await.unwrap(), []);
    let request = NoticeRequest {
        kind: NoticeKind::ReviewOverdue,
        subject: "AL-1".to_owned(),
        recipient: "O-1".to_owned(),
        occasion: "overdue".to_owned(),
        application_id: key(1).application_id,
    };
    assert_eq!(store.ask_for_notices(&[request]).await.unwrap(), 0, "and is not asked for anew");
    assert_eq!(store.claim_outbox(10).await.unwrap().len(), 1, "what waited to go out still does");
}

/// As the store asks for what is due; held to be its text by [`a_taking_reads_what_is_due`].
const DUE: &str = "select id from notices where priority = $1 and next_at is not null and next_at <= $2 order by next_at, id limit $3";

/// Among a hundred thousand finished notices what is due is found by its index.
pub(crate) async fn a_taking_reads_what_is_due(place: &Place) {
    assert!(include_str!("../../workers/adapters/src/store/notice_rows.rs").contains(DUE));
    let store = with(place, [1, 2, 3]).await;
    make(&store).await;
    let columns = "id, kind, subject, recipient, application_id, covers, locale, template_version, created_at, expires_at, messages, \
        state, priority, next_at";
    let series = match place.is_sqlite() {
        true => {
            "(with recursive series (n) as (select 1 union all select n + 1 from series where n < 100000) select n from series)"
        }
        false => "generate_series(1, 100000) n",
    };
    let sql = format!(
        "insert into notices ({columns}) select 'f' || n, 'payout_credited', 'A', 'U', 'A', 1, 'zh-CN', 'v', 1, 2, '[]', \
         'delivered', n % 3, null from {series}"
    );
    place.execute(&sql).await.unwrap();
    place.execute("analyze").await.unwrap();
    let now = store.now().await.unwrap().as_microsecond();
    let asked = DUE.replace("$1", "2").replace("$2", &now.to_string()).replace("$3", "200");
    let plan = place.plan(&asked).await;
    assert!(plan.contains("notices_due"), "{plan}");
    assert!(!plan.contains("Seq Scan") && !plan.contains("SCAN notices"), "{plan}");
    if !place.is_sqlite() {
        assert!(plan.contains("actual rows=3"), "it reads what is due and nothing else: {plan}");
        assert!(!plan.contains("Rows Removed"), "{plan}");
    }
    assert_eq!(take(&store).await.len(), 3);
}
