//! Rows that cannot be read, and changes that the database refuses: one payout's trouble is nobody else's, it rings, and is
//! over when the row is mended.

use super::place::{Place, approval, fund, key, policy};
use super::story::{report, settled, states};
use jiff::SignedDuration;
use zhida_adapters::store::SqlStore;
use zhida_core::batch::ClaimedBatch;
use zhida_core::ids::MsgId;
use zhida_core::ports::bank::{CallOutcome, EnquiryOutcome, NotTakenIn, StatusReport};
use zhida_core::ports::store::{
    ActStore, Enquiry, IntakeStore, PayoutFilter, PayoutStore, ReadStore, ReferenceStore, StoreError,
};
use zhida_core::steps::EnquiryResult;

const BREAK: &str = "update payouts set holds = '{' where application_id = 'A-1'";
const MEND: &str = "update payouts set holds = '{}' where application_id = 'A-1'";

async fn with(place: &Place, numbers: impl IntoIterator<Item = u32>) -> SqlStore {
    let store = place.open().await;
    store.import_policies(&[fund(1_000_000)], &[policy()], "test").await.unwrap();
    let now = store.now().await.unwrap();
    store.take_in(numbers.into_iter().map(|number| approval(number, now, "k")).collect()).await.unwrap();
    store
}

async fn claim(store: &SqlStore, name: &str) -> Option<ClaimedBatch> {
    store.claim(MsgId::from(name), 200).await.unwrap()
}

async fn sweep(store: &SqlStore) {
    store.expire_leases(10).await.unwrap();
    store.hold_revoked(10).await.unwrap();
    store.time_passes(10).await.unwrap();
    store.reconsider(10).await.unwrap();
    store.ring_again().await.unwrap();
}

async fn rang(store: &SqlStore) -> u64 {
    let figures = store.figures().await.unwrap();
    figures.alarms_by_kind.get("row_unusable").copied().unwrap_or_default()
}

async fn answer(store: &SqlStore, claimed: &ClaimedBatch, numbers: impl IntoIterator<Item = u32>) {
    let reports = numbers.into_iter().map(|number| report(claimed, number, settled())).collect();
    store.book_call(claimed, &CallOutcome::Answered(reports)).await.unwrap();
}

async fn enquire(store: &SqlStore) -> usize {
    let found = |one: Enquiry| EnquiryResult {
        outcome: EnquiryOutcome::Found(StatusReport { instruction_id: one.instruction_id.clone(), word: settled() }),
        key: one.key,
        instruction_id: one.instruction_id,
        begun_at: one.begun_at,
    };
    let results: Vec<EnquiryResult> = store.claim_enquiries(10).await.unwrap().into_iter().map(found).collect();
    store.book_enquiries(&results).await.unwrap();
    results.len()
}

/// One of two ready payouts is unreadable: the other is paid, it rings once an hour, and it goes when it is mended.
pub(crate) async fn an_unreadable_row(place: &Place) {
    let store = with(place, [1, 2]).await;
    place.execute(BREAK).await.unwrap();
    let claimed = claim(&store, "M-1").await.expect("the other one goes");
    assert_eq!(claimed.members.iter().map(|(member, _)| &member.key).collect::<Vec<_>>(), [&key(2)]);
    answer(&store, &claimed, [2]).await;
    for _ in 0..3 {
        assert_eq!(claim(&store, "M-2").await, None);
        sweep(&store).await;
    }
    assert_eq!(rang(&store).await, 1);
    let listed = store.payouts(&PayoutFilter { limit: 1, ..PayoutFilter::default() }).await.unwrap();
    assert_eq!((listed.items.len(), &listed.items[0].key), (1, &key(2)));
    let rest = PayoutFilter { limit: 1, before: listed.next, ..PayoutFilter::default() };
    assert_eq!(store.payouts(&rest).await.unwrap().items, [], "the list goes on without it");
    let told = store.payouts_of(&key(1).application_id).await.unwrap_err();
    assert!(
        matches!(&told, StoreError::Corrupt { place, .. } if place.contains("payouts A-1") && place.contains("holds"))
    );
    place.clock.advance(SignedDuration::from_mins(61));
    sweep(&store).await;
    sweep(&store).await;
    assert_eq!(rang(&store).await, 2, "again after an hour");
    place.execute(MEND).await.unwrap();
    place.clock.advance(SignedDuration::from_mins(61));
    sweep(&store).await;
    let claimed = claim(&store, "M-3").await.expect("mended, it goes by itself");
    answer(&store, &claimed, [1]).await;
    assert_eq!(states(&store).await, ["settled", "settled"]);
}

/// A member becomes unreadable while it travels: its companions are booked, resent and paid.
pub(crate) async fn an_unreadable_member(place: &Place) {
    let store = with(place, [1, 2, 3]).await;
    let claimed = claim(&store, "M-1").await.unwrap();
    place.execute(BREAK).await.unwrap();
    let not_taken_in = CallOutcome::NotTakenIn { why: NotTakenIn::ConnectionRefused, retry_after: None };
    store.book_call(&claimed, &not_taken_in).await.unwrap();
    place.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(claim(&store, "M-2").await.map(|claimed| claimed.msg_id), Some(MsgId::from("M-2")), "a new message");
    place.clock.advance(SignedDuration::from_mins(3));
    sweep(&store).await;
    assert_eq!(enquire(&store).await, 2);
    assert_eq!(rang(&store).await, 1);
    place.execute(MEND).await.unwrap();
    assert_eq!(states(&store).await, ["sending", "settled", "settled"]);
    sweep(&store).await;
    assert_eq!(states(&store).await[0], "unknown", "its lease had run out");
    place.clock.advance(SignedDuration::from_mins(5));
    assert_eq!(enquire(&store).await, 1);
    assert_eq!(states(&store).await, ["settled"; 3]);
}

/// A message that waits to go again cannot be read: it rings and waits, and everything else is sent.
pub(crate) async fn an_unreadable_batch(place: &Place) {
    let store = with(place, [1]).await;
    let claimed = claim(&store, "M-1").await.unwrap();
    let not_taken_in = CallOutcome::NotTakenIn { why: NotTakenIn::ConnectionRefused, retry_after: None };
    store.book_call(&claimed, &not_taken_in).await.unwrap();
    let now = store.now().await.unwrap();
    store.take_in(vec![approval(2, now, "k")]).await.unwrap();
    let (broken, mended) = (i64::MAX, now.as_microsecond());
    let created = |micros: i64| format!("update batches set created_at = {micros} where msg_id = 'M-1'");
    place.execute(&created(broken)).await.unwrap();
    place.clock.advance(SignedDuration::from_mins(1));
    let other = claim(&store, "M-2").await.expect("the other one goes");
    assert_eq!(other.members.iter().map(|(member, _)| &member.key).collect::<Vec<_>>(), [&key(2)]);
    answer(&store, &other, [2]).await;
    assert_eq!(claim(&store, "M-3").await, None);
    assert_eq!(rang(&store).await, 1);
    place.execute(&created(mended)).await.unwrap();
    place.clock.advance(SignedDuration::from_mins(61));
    // Not the bytes that were signed for that moment: it is closed, and its member travels in another.
    let again = match claim(&store, "M-4").await {
        Some(claimed) => claimed,
        None => claim(&store, "M-5").await.expect("it goes by itself"),
    };
    answer(&store, &again, [1]).await;
    assert_eq!(states(&store).await, ["settled", "settled"]);
}

/// The database refuses to let one payout be settled: those that were answered or asked for with it are booked.
pub(crate) async fn a_refused_change(place: &Place) {
    let store = with(place, [9]).await;
    let claimed = claim(&store, "M-1").await.unwrap();
    answer(&store, &claimed, [9]).await;
    let refusal = "create unique index refusal on payouts (state) \
        where state = 'settled' and application_id in ('A-1', 'A-9')";
    place.execute(refusal).await.unwrap();
    let now = store.now().await.unwrap();
    store.take_in(vec![approval(1, now, "k"), approval(2, now, "k"), approval(3, now, "k")]).await.unwrap();
    let claimed = claim(&store, "M-2").await.unwrap();
    answer(&store, &claimed, [1, 2]).await;
    assert_eq!(states(&store).await, ["sending", "settled", "unknown"]);
    assert_eq!(rang(&store).await, 1);
    place.clock.advance(SignedDuration::from_mins(5));
    sweep(&store).await;
    assert_eq!(enquire(&store).await, 2);
    assert_eq!(states(&store).await, ["unknown", "settled", "settled"]);
    place.execute("drop index refusal").await.unwrap();
    place.clock.advance(SignedDuration::from_mins(5));
    assert_eq!(enquire(&store).await, 1);
    assert_eq!(states(&store).await, ["settled"; 3]);
}
