//! The digest in a real database: ten workers make one, and whoever supervises is asked to be told, once.

use super::place::Place;
use jiff::SignedDuration;
use std::sync::Arc;
use tokio::task::JoinSet;
use zhida_adapters::store::SqlStore;
use zhida_core::jobs::Outcome;
use zhida_core::ports::digests::DigestStore;

const PEOPLE: &str = "insert into departments (id, name) values ('D-1', '督办室'); \
    insert into officers (id, name, department_id, role) values \
    ('S-1', '甲', 'D-1', 'supervisor'), ('I-1', '乙', 'D-1', 'inspector'), ('H-1', '丙', 'D-1', 'head');";

async fn at_the_next(place: &Place, store: &SqlStore) {
    let outlook = store.digest_outlook().await.unwrap();
    let way = outlook.next_due.unwrap().duration_since(outlook.now);
    place.clock.advance(way + SignedDuration::from_secs(1));
}

pub(crate) async fn ten_workers_make_one(place: &Place) {
    let store = place.open().await;
    place.execute(PEOPLE).await.unwrap();
    at_the_next(place, &store).await;
    let mut workers = JoinSet::new();
    for _ in 0..10 {
        let one = Arc::new(place.open().await);
        workers.spawn(async move { one.make_due_digest().await.unwrap() });
    }
    let runs = workers.join_all().await.concat();
    assert_eq!(runs.iter().filter(|run| run.outcome == Outcome::Made).count(), 1, "{runs:?}");
    let digest = store.digest(None).await.unwrap().unwrap();
    let day = digest.id[3..7].to_owned() + "-" + &digest.id[7..9] + "-" + &digest.id[9..11];
    let ask = |recipient: &str| {
        format!(
            "insert into notice_requests (kind, subject, recipient, occasion, application_id, at) \
             values ('digest', '{id}', '{recipient}', '{day}', '{id}', 0)",
            id = digest.id
        )
    };
    for (recipient, was_asked_for) in [("S-1", true), ("I-1", true), ("H-1", false)] {
        assert_eq!(place.execute(&ask(recipient)).await.is_err(), was_asked_for, "{recipient}");
    }

    // The next working day finds the days between and makes its own.
    at_the_next(place, &store).await;
    let runs = store.make_due_digest().await.unwrap();
    assert_eq!(runs.last().map(|run| run.outcome), Some(Outcome::Made));
    let next = store.digest(None).await.unwrap().unwrap();
    assert_eq!((next.since, next.id != digest.id), (Some(digest.made_at), true));
    store.ring_missing_years().await.unwrap();
    store.close().await;
}
