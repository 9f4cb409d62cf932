//! COMMIT went out and no answer came back: the store must say that it does not know, whether the database did it or not, and
//! the same call once more must come to the same end. A link between the store and PostgreSQL loses the message or its answer.

use super::place::{Place, Postgres, approval, fund, key, policy};
use super::story::{act, operator, report, settled};
use jiff::SignedDuration;
use std::fmt::Debug;
use zhida_adapters::store::SqlStore;
use zhida_core::ids::MsgId;
use zhida_core::money::Fen;
use zhida_core::ports::bank::CallOutcome;
use zhida_core::ports::store::{
    ActStore, Acted, IntakeStore, OutboxStore, PayoutStore, ReadStore, ReferenceStore, StoreError,
};
use zhida_core::steps::{Act, ActOutcome, TakenIn};
use zhida_tests::link::{Ambush, Link};

/// PostgreSQL's message that asks for the commit.
const COMMIT: &[u8] = b"COMMIT\0";

/// A store whose commits can be ambushed.
struct Far {
    link: Link,
    place: Place,
    store: SqlStore,
}

impl Far {
    async fn on(database: &Postgres) -> Self {
        let mut place = database.place();
        let link = Link::to(&place.settings.url);
        place.settings.url = link.url(&place.settings.url);
        let store = place.open().await;
        store.import_policies(&[fund(1_000_000)], &[policy()], "test").await.unwrap();
        store.put_operator(&operator("O-1"), "test").await.unwrap();
        Self { link, place, store }
    }

    /// The call's commit is ambushed: nobody knows. Then the link is there again.
    async fn unknown<T: Debug>(&self, what: Ambush, call: impl Future<Output = Result<T, StoreError>>) {
        self.link.ambush(COMMIT, what);
        let told = call.await;
        assert!(matches!(told, Err(StoreError::Unknown(_))), "{what:?}: {told:?}");
        self.link.restore();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_was_done_unheard_is_not_done_again() {
    let database = Postgres::new().await;
    let far = Far::on(&database).await;
    let store = &far.store;
    let now = store.now().await.unwrap();
    let arrivals = vec![approval(1, now, "k"), approval(2, now, "k")];
    far.unknown(Ambush::Delivered, store.take_in(arrivals.clone())).await;
    assert_eq!(store.take_in(arrivals).await.unwrap(), vec![TakenIn::Duplicate; 2]);
    assert_eq!(store.funds().await.unwrap()[0].committed, Fen(300));
    far.unknown(Ambush::Delivered, store.claim(MsgId::from("M-1"), 1)).await;
    let claimed = store.claim(MsgId::from("M-2"), 200).await.unwrap().expect("the other one");
    assert_eq!(
        (claimed.members.len(), &claimed.members[0].0.key),
        (1, &key(2)),
        "what is claimed is not claimed again"
    );
    far.unknown(Ambush::Delivered, async { store.may_write(&claimed).await.map(drop) }).await;
    let answer = CallOutcome::Answered(vec![report(&claimed, 2, settled())]);
    far.unknown(Ambush::Delivered, store.book_call(&claimed, &answer)).await;
    let booked = store.payouts_of(&key(2).application_id).await.unwrap();
    let told = store.figures().await.unwrap();
    store.book_call(&claimed, &answer).await.unwrap();
    assert_eq!(store.payouts_of(&key(2).application_id).await.unwrap(), booked, "a result is booked once");
    let again = store.figures().await.unwrap();
    assert_eq!((again.by_state, again.outbox, again.alarms_by_kind), (told.by_state, told.outbox, told.alarms_by_kind));
    // The claim that nobody heard of ends with its lease, in doubt.
    far.place.clock.advance(SignedDuration::from_mins(2));
    far.unknown(Ambush::Delivered, store.expire_leases(10)).await;
    assert_eq!(store.expire_leases(10).await.unwrap(), 0);
    assert_eq!(store.payouts_of(&key(1).application_id).await.unwrap()[0].state().code(), "unknown");
    let ids: Vec<String> = store.claim_outbox(100).await.unwrap().into_iter().map(|row| row.id).collect();
    far.unknown(Ambush::Delivered, store.outbox_sent(&ids)).await;
    store.outbox_sent(&ids).await.unwrap();
    assert_eq!(store.figures().await.unwrap().outbox.0, 0);
    let stop = act("a-1", "O-1", Act::Stop);
    far.unknown(Ambush::Delivered, store.act(&stop)).await;
    assert_eq!(store.act(&stop).await.unwrap(), Acted::Duplicate);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_was_lost_is_done_by_the_next_try() {
    let database = Postgres::new().await;
    let far = Far::on(&database).await;
    let store = &far.store;
    let now = store.now().await.unwrap();
    let arrivals = vec![approval(1, now, "k")];
    far.unknown(Ambush::Lost, store.take_in(arrivals.clone())).await;
    assert_eq!(store.take_in(arrivals).await.unwrap(), vec![TakenIn::Accepted]);
    far.unknown(Ambush::Lost, store.claim(MsgId::from("M-1"), 200)).await;
    // What the lost one had locked is passed over until the server has seen that its connection is gone.
    let claimed = loop {
        if let Some(claimed) = store.claim(MsgId::from("M-1"), 200).await.unwrap() {
            break claimed;
        }
        tokio::task::yield_now().await;
    };
    let answer = CallOutcome::Answered(vec![report(&claimed, 1, settled())]);
    far.unknown(Ambush::Lost, store.book_call(&claimed, &answer)).await;
    assert_eq!(store.payouts_of(&key(1).application_id).await.unwrap()[0].state().code(), "sending");
    store.book_call(&claimed, &answer).await.unwrap();
    assert_eq!(store.payouts_of(&key(1).application_id).await.unwrap()[0].state().code(), "settled");
    let rows = store.claim_outbox(100).await.unwrap();
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    far.unknown(Ambush::Lost, store.outbox_sent(&ids)).await;
    assert_eq!(store.figures().await.unwrap().outbox.0, ids.len() as u64);
    store.outbox_sent(&ids).await.unwrap();
    assert_eq!(store.figures().await.unwrap().outbox.0, 0);
    let stop = act("a-1", "O-1", Act::Stop);
    far.unknown(Ambush::Lost, store.act(&stop)).await;
    assert_eq!(store.act(&stop).await.unwrap(), Acted::Done(ActOutcome::Done));
}
