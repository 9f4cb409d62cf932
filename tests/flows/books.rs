//! What must be true of every flow's district at its end, read from its own database: nothing under way, and our books say what
//! the bank's ledger says.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection};
use std::path::Path;
use std::time::Duration;
use zhida_core::money::Fen;
use zhida_tests::waiting::wait_until;

/// How long what is under way may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(60);

const UNDER_WAY: &str = "select (select count(*) from outbox where sent_at is null) \
    + (select count(*) from payouts where state in ('ready', 'sending', 'unknown', 'pending'))";
const SETTLED: &str = "select coalesce(sum(amount), 0) from payouts where state = 'settled'";
const COMMITTED: &str = "select coalesce(sum(committed), 0) from funds";
const HELD: &str = "select (select coalesce(sum(reserved), 0) from payouts) \
    + (select coalesce(sum(in_transit + paid), 0) from instructions)";

/// Waits for rest while the service `serves`; then the sums must agree.
pub(crate) fn balance(database: &Path, serves: Serves, ledger: Fen) {
    let options = SqliteConnectOptions::new().filename(database).read_only(true);
    let job = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
            if serves == Serves::Still {
                wait_until("everything to be at rest", PATIENCE, async || {
                    (number(&mut connection, UNDER_WAY).await == 0).then_some(())
                })
                .await;
            }
            let settled = number(&mut connection, SETTLED).await;
            let committed = number(&mut connection, COMMITTED).await;
            let held = number(&mut connection, HELD).await;
            (Fen(settled), Fen(committed), Fen(held))
        })
    };
    // The end of a test is no place to await in: another thread does.
    let (settled, committed, held) = std::thread::spawn(job).join().unwrap();
    assert_eq!(settled, ledger, "what is settled is what the bank credited");
    assert_eq!(committed, held, "what the funds gave is what the payouts hold");
}

/// Whether somebody still works on it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Serves {
    Still,
    NoMore,
}

async fn number(connection: &mut SqliteConnection, sql: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(connection).await.unwrap()
}
