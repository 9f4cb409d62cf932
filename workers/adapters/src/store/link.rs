//! One open transaction on either database, and the few shapes in which rows go through it. What the dialects do
//! differently (arrays, locks, the clock) stands here and nowhere else.

use super::alarms;
use super::fault::{Fault, Verdict, after_commit};
use super::value::{Record, Row, Value, json, time};
use jiff::Timestamp;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Postgres, Sqlite, Transaction};
use std::collections::{BTreeMap, BTreeSet};
use zhida_core::ids::{InstructionId, MsgId, PayoutKey};
use zhida_core::payout::{Alarm, PayoutState};
use zhida_core::ports::store::StoreError;

/// A transaction. `now` is the database's clock near its start.
pub(super) struct Tx {
    link: Link,
    pub(super) now: Timestamp,
    /// Instructions that were read, so that the others are known to be new.
    pub(super) known_instructions: BTreeSet<InstructionId>,
    /// Batches that were read.
    pub(super) known_batches: BTreeSet<MsgId>,
    /// States of payouts as they were read or last written.
    pub(super) known_states: BTreeMap<PayoutKey, PayoutState>,
    /// What rang, to be logged when it is committed.
    pub(super) rung: Vec<Alarm>,
}

pub(super) enum Link {
    Postgres(Transaction<'static, Postgres>),
    Sqlite(Transaction<'static, Sqlite>),
}

/// How rows are locked while they are read. SQLite's one writer needs no such thing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lock {
    /// Read only.
    None,
    /// Wait for whoever has them.
    Wait,
    /// Leave out what somebody else has.
    Skip,
}

/// How a transaction ended.
pub(super) enum Ended<T> {
    Done(Result<T, StoreError>),
    Again,
}

/// The judging lock's number, and those of the turns of notices: making them, and handing them out.
const JUDGING: i64 = 7_234_017_283_807_667_300;
pub(super) const MAKING_NOTICES: i64 = JUDGING + 1;
pub(super) const TAKING_NOTICES: i64 = JUDGING + 2;

/// How often a transaction that the database broke off is done again.
const TRIES: u32 = 4;

impl Tx {
    /// Reads the clock of the database, moved by `offset_micros`.
    pub(super) async fn new(link: Link, offset_micros: i64) -> Result<Self, Fault> {
        let mut tx = Self {
            link,
            now: Timestamp::UNIX_EPOCH,
            known_instructions: BTreeSet::new(),
            known_batches: BTreeSet::new(),
            known_states: BTreeMap::new(),
            rung: Vec::new(),
        };
        let micros = match tx.link {
            Link::Postgres(_) => {
                let sql = "select (extract(epoch from clock_timestamp()) * 1000000)::bigint as micros";
                tx.one(sql, vec![]).await?.get("micros")?
            }
            // SQLite has no clock of its own: it is the machine's.
            Link::Sqlite(_) => Timestamp::now().as_microsecond(),
        };
        tx.now = time("the clock", micros.saturating_add(offset_micros))?;
        Ok(tx)
    }

    /// Commits what worked, rolls back what did not.
    pub(super) async fn end<T>(self, worked: Result<T, Fault>, tries: u32) -> Ended<T> {
        let value = match worked {
            Ok(value) => value,
            Err(fault) => {
                // A rollback that fails has nobody to tell: the connection is closed and the database rolls back.
                let _ = match self.link {
                    Link::Postgres(tx) => tx.rollback().await,
                    Link::Sqlite(tx) => tx.rollback().await,
                };
                return match fault.verdict() {
                    Verdict::Again(_) if tries < TRIES => Ended::Again,
                    Verdict::Again(error) | Verdict::Told(error) => Ended::Done(Err(error)),
                };
            }
        };
        let committed = match self.link {
            Link::Postgres(tx) => tx.commit().await,
            Link::Sqlite(tx) => tx.commit().await,
        };
        if committed.is_ok() {
            alarms::log(&self.rung);
        }
        Ended::Done(committed.map(|()| value).map_err(|error| after_commit(&error)))
    }

    /// Rolls back whatever `worked` did, and says whether it could be done: an error inside is about a row.
    pub(super) async fn tried<T>(self, worked: Result<T, Fault>) -> Result<Result<(), StoreError>, StoreError> {
        // As in [`Tx::end`].
        let _ = match self.link {
            Link::Postgres(tx) => tx.rollback().await,
            Link::Sqlite(tx) => tx.rollback().await,
        };
        match worked.map_err(Fault::told) {
            Ok(_) => Ok(Ok(())),
            Err(error) if error.is_of_a_row() => Ok(Err(error)),
            Err(error) => Err(error),
        }
    }

    /// Rows of a query. Parameters are `$1`, `$2`, … in both dialects.
    pub(super) async fn rows(&mut self, sql: impl Into<String>, values: Vec<Value>) -> Result<Vec<Row>, Fault> {
        let sql = AssertSqlSafe(sql.into());
        Ok(match &mut self.link {
            Link::Postgres(tx) => {
                let query = values.into_iter().fold(sqlx::query(sql), bind_postgres);
                query.fetch_all(&mut **tx).await?.into_iter().map(Row::Postgres).collect()
            }
            Link::Sqlite(tx) => {
                let query = values.into_iter().fold(sqlx::query(sql), bind_sqlite);
                query.fetch_all(&mut **tx).await?.into_iter().map(Row::Sqlite).collect()
            }
        })
    }

    /// The one row of a query that always has one.
    pub(super) async fn one(&mut self, sql: impl Into<String>, values: Vec<Value>) -> Result<Row, Fault> {
        let sql = sql.into();
        let rows = self.rows(sql.clone(), values).await?;
        rows.into_iter().next().ok_or_else(|| Fault::corrupt(&sql, &"there is no row"))
    }

    /// Executes a statement; says how many rows it touched.
    pub(super) async fn execute(&mut self, sql: impl Into<String>, values: Vec<Value>) -> Result<u64, Fault> {
        let sql = AssertSqlSafe(sql.into());
        Ok(match &mut self.link {
            Link::Postgres(tx) => {
                let query = values.into_iter().fold(sqlx::query(sql), bind_postgres);
                query.execute(&mut **tx).await?.rows_affected()
            }
            Link::Sqlite(tx) => {
                let query = values.into_iter().fold(sqlx::query(sql), bind_sqlite);
                query.execute(&mut **tx).await?.rows_affected()
            }
        })
    }

    /// Inserts rows that all have the same columns; `tail` says what happens on a conflict (nothing: an error).
    pub(super) async fn insert(&mut self, table: &str, rows: Vec<Record>, tail: &str) -> Result<(), Fault> {
        self.insert_counted(table, rows, tail).await.map(drop)
    }

    /// As [`Tx::insert`]; says how many rows were written.
    pub(super) async fn insert_counted(&mut self, table: &str, rows: Vec<Record>, tail: &str) -> Result<u64, Fault> {
        let Some(first) = rows.first() else { return Ok(0) };
        let mut written = 0;
        let columns = first.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        match self.link {
            Link::Postgres(_) => {
                let arrays = array_parameters(first);
                let sql = format!("insert into {table} ({columns}) select * from unnest({arrays}) {tail}");
                written += self.execute(sql, arrays_of(rows)).await?;
            }
            Link::Sqlite(_) => {
                let marks = (1..=first.len()).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
                let sql = format!("insert into {table} ({columns}) values ({marks}) {tail}");
                for row in rows {
                    written += self.execute(sql.clone(), row.into_iter().map(|(_, value)| value).collect()).await?;
                }
            }
        }
        Ok(written)
    }

    /// Updates rows by the first `keys` columns of each; every row must be there.
    pub(super) async fn update(&mut self, table: &str, keys: usize, rows: Vec<Record>) -> Result<(), Fault> {
        let Some(first) = rows.first() else { return Ok(()) };
        let names: Vec<&str> = first.iter().map(|(name, _)| *name).collect();
        let expected = rows.len() as u64;
        let touched = match self.link {
            Link::Postgres(_) => {
                let sets =
                    names[keys..].iter().map(|name| format!("{name} = new.{name}")).collect::<Vec<_>>().join(", ");
                let by = names[..keys].iter().map(|name| format!("{table}.{name} = new.{name}"));
                let by = by.collect::<Vec<_>>().join(" and ");
                let (arrays, columns) = (array_parameters(first), names.join(", "));
                let sql = format!("update {table} set {sets} from unnest({arrays}) as new ({columns}) where {by}");
                self.execute(sql, arrays_of(rows)).await?
            }
            Link::Sqlite(_) => {
                let assign = |(n, name): (usize, &&str)| format!("{name} = ${}", n + 1);
                let all: Vec<String> = names.iter().enumerate().map(assign).collect();
                let (by, sets) = (all[..keys].join(" and "), all[keys..].join(", "));
                let sql = format!("update {table} set {sets} where {by}");
                let mut touched = 0;
                for row in rows {
                    touched += self.execute(sql.clone(), row.into_iter().map(|(_, value)| value).collect()).await?;
                }
                touched
            }
        };
        if touched == expected {
            return Ok(());
        }
        Err(Fault::Conflict(format!("{table}: {touched} of {expected} rows were there to be updated")))
    }

    /// Executes a script of several statements without parameters.
    pub(super) async fn script(&mut self, sql: &'static str) -> Result<(), Fault> {
        match &mut self.link {
            Link::Postgres(tx) => sqlx::raw_sql(sql).execute(&mut **tx).await.map(drop)?,
            Link::Sqlite(tx) => sqlx::raw_sql(sql).execute(&mut **tx).await.map(drop)?,
        }
        Ok(())
    }

    /// What the dialects say differently.
    pub(super) fn either(&self, postgres: &'static str, sqlite: &'static str) -> &'static str {
        match self.link {
            Link::Postgres(_) => postgres,
            Link::Sqlite(_) => sqlite,
        }
    }

    /// `column <this>`: the column's value is in the list `$n`.
    pub(super) fn among(&self, n: usize) -> String {
        match self.link {
            Link::Postgres(_) => format!("= any(${n})"),
            Link::Sqlite(_) => format!("in (select value from json_each(${n}))"),
        }
    }

    /// The list `$n` of texts as a table with the column `value`.
    pub(super) fn list(&self, n: usize) -> String {
        match self.link {
            Link::Postgres(_) => format!("(select unnest(${n}::text[]) as value)"),
            Link::Sqlite(_) => format!("json_each(${n})"),
        }
    }

    /// `(a, b) <this>`: the pair is in the lists `$n` and `$n+1`.
    pub(super) fn pairs_among(&self, n: usize) -> String {
        let next = n + 1;
        match self.link {
            Link::Postgres(_) => format!("in (select * from unnest(${n}, ${next}))"),
            Link::Sqlite(_) => format!(
                "in (select one.value, two.value from json_each(${n}) one \
                 join json_each(${next}) two on two.key = one.key)"
            ),
        }
    }

    /// The end of a query that locks what it reads. Locks of this strength do not stand in the way of foreign keys.
    pub(super) fn locked(&self, lock: Lock) -> &'static str {
        match (&self.link, lock) {
            (Link::Sqlite(_), Lock::None | Lock::Wait | Lock::Skip) | (Link::Postgres(_), Lock::None) => "",
            (Link::Postgres(_), Lock::Wait) => "for no key update",
            (Link::Postgres(_), Lock::Skip) => "for no key update skip locked",
        }
    }

    /// Lets one transaction at a time judge approvals by the rules: what one reserves the next one sees, and a cause that
    /// arrives while a payout is judged without it is judged after it.
    pub(super) async fn lock_judging(&mut self) -> Result<(), Fault> {
        self.lock_turn(JUDGING).await
    }

    /// Waits for whoever has one of these texts locked. Hashes of several texts may be one: then they wait for each other, and no more.
    pub(super) async fn lock_texts(&mut self, texts: Vec<String>) -> Result<(), Fault> {
        match self.link {
            Link::Postgres(_) if !texts.is_empty() => {
                // Everybody in one order.
                let sql = "select pg_advisory_xact_lock(number) from (select distinct hashtextextended(text, 0) as number \
                    from unnest($1::text[]) as text order by number offset 0) as numbers";
                self.rows(sql, vec![texts.into()]).await?;
            }
            Link::Postgres(_) | Link::Sqlite(_) => {}
        }
        Ok(())
    }

    /// Waits for its turn: one transaction at a time does what goes by this number.
    pub(super) async fn lock_turn(&mut self, number: i64) -> Result<(), Fault> {
        match self.link {
            Link::Postgres(_) => {
                self.rows("select pg_advisory_xact_lock($1)", vec![number.into()]).await?;
            }
            Link::Sqlite(_) => {}
        }
        Ok(())
    }
}

/// `$1::bigint[], $2::text[], …` for the columns of a row.
fn array_parameters(row: &Record) -> String {
    let kind = |value: &Value| match value {
        Value::Int(_) | Value::Ints(_) => "bigint",
        Value::Text(_) | Value::Texts(_) => "text",
        Value::Bytes(_) | Value::Blobs(_) => "bytea",
        Value::Bool(_) | Value::Bools(_) => "boolean",
    };
    let parameter = |(n, (_, value)): (usize, &(&str, Value))| format!("${}::{}[]", n + 1, kind(value));
    row.iter().enumerate().map(parameter).collect::<Vec<_>>().join(", ")
}

/// Rows turned into one list per column.
fn arrays_of(rows: Vec<Record>) -> Vec<Value> {
    let empty = |value: &Value| match value {
        Value::Int(_) | Value::Ints(_) => Value::Ints(Vec::new()),
        Value::Text(_) | Value::Texts(_) => Value::Texts(Vec::new()),
        Value::Bytes(_) | Value::Blobs(_) => Value::Blobs(Vec::new()),
        Value::Bool(_) | Value::Bools(_) => Value::Bools(Vec::new()),
    };
    let mut columns: Vec<Value> = rows.iter().take(1).flatten().map(|(_, value)| empty(value)).collect();
    for row in rows {
        for (column, (_, value)) in columns.iter_mut().zip(row) {
            match (column, value) {
                (Value::Ints(list), Value::Int(one)) => list.push(one),
                (Value::Texts(list), Value::Text(one)) => list.push(one),
                (Value::Blobs(list), Value::Bytes(one)) => list.push(one),
                (Value::Bools(list), Value::Bool(one)) => list.push(one),
                // The rows of one statement are made by one function: their columns are of one kind.
                (_, _) => {}
            }
        }
    }
    columns
}

type PostgresQuery = Query<'static, Postgres, PgArguments>;
type SqliteQuery = Query<'static, Sqlite, SqliteArguments>;

fn bind_postgres(query: PostgresQuery, value: Value) -> PostgresQuery {
    match value {
        Value::Int(it) => query.bind(it),
        Value::Text(it) => query.bind(it),
        Value::Bytes(it) => query.bind(it),
        Value::Bool(it) => query.bind(it),
        Value::Ints(it) => query.bind(it),
        Value::Texts(it) => query.bind(it),
        Value::Blobs(it) => query.bind(it),
        Value::Bools(it) => query.bind(it),
    }
}

fn bind_sqlite(query: SqliteQuery, value: Value) -> SqliteQuery {
    match value {
        Value::Int(it) => query.bind(it),
        Value::Text(it) => query.bind(it),
        Value::Bytes(it) => query.bind(it),
        Value::Bool(it) => query.bind(it),
        Value::Ints(it) => query.bind(json(&it)),
        Value::Texts(it) => query.bind(json(&it)),
        // Only rows written in one statement need these lists, and SQLite takes rows one by one.
        Value::Blobs(_) | Value::Bools(_) => query.bind(None::<i64>),
    }
}
