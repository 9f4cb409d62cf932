//! Events into case files in batches, beside plain inserts of the same rows: an identical schema with every index, constraint and
//! trigger, as many transactions, one statement a table, nothing read and nothing decided.

use super::crowd::arrival;
use super::place::Place;
use crate::meter::CpuSeconds;
use crate::recorded::{Column, Rows, Statement};
use sqlx::{AssertSqlSafe, PgConnection};
use std::collections::HashMap;
use std::time::Instant;
use zhida_core::case_file::{Actor, Said};
use zhida_core::ids::PolicyId;
use zhida_core::ports::store::{IntakeStore, ReadStore};
use zhida_core::steps::{Arrival, TakenIn};
use zhida_schemas::review::{Decision, Stage};
use zhida_tests::servers::PostgresServer;

/// As the default of `queue.prefetch`.
const BATCH: usize = 400;

/// What an event leaves.
const TABLES: [&str; 5] = ["inbox", "inbox_bodies", "journal", "case_events", "case_marks"];

pub(super) async fn measure(server: &PostgresServer, events: usize) {
    let place = Place::new(server).await;
    let arrivals = arrivals(place.store.now().await.unwrap(), events);
    let (began, before) = (Instant::now(), CpuSeconds::now(&[]));
    for batch in arrivals.chunks(BATCH) {
        let taken = place.store.take_in(batch.to_vec()).await.unwrap();
        assert!(taken.iter().all(|one| *one == TakenIn::Accepted));
    }
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), CpuSeconds::now(&[]).since(&before));
    let mut tables = Vec::new();
    let places: HashMap<&str, usize> = arrivals.iter().enumerate().map(|(n, one)| (one.event_id.as_str(), n)).collect();
    for table in TABLES {
        tables.push(in_order(Rows::read(&place.pool, table).await, &places));
    }
    // Several events of an application in one batch leave one mark: each batch gets its share of every table.
    let part = |rows: &Rows, first: usize| {
        let place = |event: usize| rows.count() * event.min(events) / events;
        rows.pick(&(place(first)..place(first + BATCH)).collect::<Vec<_>>()).insert("")
    };
    let batch = |first| tables.iter().filter_map(|rows| part(rows, first)).collect();
    let batches: Vec<Vec<Statement>> = (0..events).step_by(BATCH).map(batch).collect();
    let other = Place::new(server).await;
    let mut connection = other.pool.acquire().await.unwrap();
    let (began, before) = (Instant::now(), CpuSeconds::now(&[]));
    for batch in &batches {
        plain(&mut connection, batch).await;
    }
    let (plain_seconds, plain_cpu) = (began.elapsed().as_secs_f64(), CpuSeconds::now(&[]).since(&before));
    drop(connection);
    let each = |seconds: f64| events as f64 / seconds;
    println!(
        "{events} events in batches of {BATCH}: {:.0} a second into case files, {:.0} a second as plain inserts of the same rows: \
         {:.2} of them by the clock, {:.2} by CPU time",
        each(seconds),
        each(plain_seconds),
        plain_seconds / seconds,
        plain_cpu.sum() / cpu.sum()
    );
    place.close().await;
    other.close().await;
}

/// In the order in which the events came, where a row names its event: a table may give its rows in any.
fn in_order(rows: Rows, places: &HashMap<&str, usize>) -> Rows {
    let mut order: Vec<usize> = (0..rows.count()).collect();
    if rows.has("event_id") {
        let ids = rows.texts("event_id");
        order.sort_by_key(|row| ids[*row].as_deref().and_then(|id| places.get(id)));
    }
    rows.pick(&order)
}

async fn plain(connection: &mut PgConnection, batch: &[Statement]) {
    sqlx::raw_sql("begin").execute(&mut *connection).await.unwrap();
    for Statement { sql, values } in batch {
        let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
        for column in values {
            query = match column {
                Column::Ints(all) => query.bind(all),
                Column::Texts(all) => query.bind(all),
                Column::Blobs(all) => query.bind(all),
                Column::Bools(all) => query.bind(all),
            };
        }
        query.execute(&mut *connection).await.unwrap();
    }
    sqlx::raw_sql("commit").execute(&mut *connection).await.unwrap();
}

/// Four events of each application, in the order in which they happen.
fn arrivals(now: jiff::Timestamp, events: usize) -> Vec<Arrival> {
    let officer = || Actor { department_id: "D-SCI".to_owned(), officer_id: "O-101".to_owned() };
    let (stage, decision) = (Stage::First, Decision::Approve);
    let event = |number: usize| {
        let (name, said) = match number % 4 {
            0 => {
                let uscc = format!("91350100{:010}", number / 4);
                ("submitted", Said::Submitted { policy_id: PolicyId::from("P-1"), uscc, mode: None })
            }
            1 => ("accepted", Said::Accepted(officer())),
            2 => ("assigned", Said::Assigned { to: officer(), stage, due_working_days: Some(2) }),
            _ => ("decided", Said::Decided { by: officer(), stage, decision, reason: None, return_to: None }),
        };
        arrival(number / 4, name, now, said)
    };
    (0..events).map(event).collect()
}
