//! The digest in a real database: ten workers make one, and whoever supervises is asked to be told, once.

use super::place::Place;
use jiff::SignedDuration;
use std::sync::Arc;
use tokio::task::JoinSet;
use zhida_adapters::store::SqlStore;
use zhida_core::jobs::Outcome;
use zhida_core::ports::cases::{AlertFilter, CaseStore};
use zhida_core::ports::digests::DigestStore;
use zhida_core::ports::orders::{OrderFilter, OrderStore};
use zhida_core::ports::store::Which;
use zhida_core::supervision::Audience;

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

/// Two alerts and two orders, of each one that nobody can read.
const HALF_READABLE: &str = "insert into case_files (application_id, standing, returns, supplements, findings) \
    values ('A-1', 'in_review', 0, 0, '[]'), ('A-2', 'in_review', 0, 0, '[]'); \
    insert into alerts (id, application_id, cause, clock, kind, episode, deadline, level, acknowledged, raised_at) values \
    ('AL-1', 'A-1', 'c', 'review:1', 'review', 1, 1, 'overdue', '[]', 1), ('AL-2', 'A-2', 'c', 'review:1', 'nonsense', 1, 1, 'overdue', '[]', 1); \
    insert into alert_rungs (alert_id, level, place, due_at, raised_at, told) values ('AL-1', 'overdue', 0, 1, 1, '[]'); \
    insert into orders (number, matter, alert_id, audience, addressee, department_id, issued_by, issued_at, working_days, demand, \
    steps, state) values (1, 'A-1', 'AL-1', 'supervision', 'H-1', 'D-1', 'S-1', 1, 3, '说明', '[]', 'issued'), \
    (2, 'A-1', 'AL-1', 'supervision', 'H-1', 'D-1', 'S-1', 1, 3, '说明', '{', 'issued');";

pub(crate) async fn an_unreadable_row(place: &Place) {
    let store = place.open().await;
    place.execute(PEOPLE).await.unwrap();
    place.execute(HALF_READABLE).await.unwrap();
    at_the_next(place, &store).await;
    let runs = store.make_due_digest().await.unwrap();
    assert!(runs.iter().any(|run| run.outcome == Outcome::Made), "{runs:?}");
    let digest = store.digest(None).await.unwrap().unwrap();
    assert_eq!((digest.breaches.open, digest.unreadable, digest.is_quiet()), (1, 2, false), "{digest:?}");
    let filter = AlertFilter { which: Which::Open, department_id: None, limit: 10 };
    assert_eq!(store.alerts(&filter).await.unwrap().len(), 1, "lists go on");
    let filter = OrderFilter { which: Which::Open, audiences: Audience::ALL.to_vec(), addressees: None, limit: 10 };
    assert_eq!(store.orders(&filter).await.unwrap().len(), 1);
    store.alert("AL-2").await.expect_err("whoever asks for that one is told");
    store.close().await;
}
