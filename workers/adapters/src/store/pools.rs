//! Connections to the database: how they are opened, how a transaction begins. SQLite has one writer and a few readers;
//! PostgreSQL a pool.

use super::link::Link;
use super::schema::{DatabaseSettings, OpenError};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, SqlitePool};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

#[derive(Clone)]
pub(super) enum Pools {
    Postgres(PgPool),
    Sqlite { writer: SqlitePool, reader: SqlitePool },
}

/// Whether a SQLite file may be made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Create {
    IfMissing,
    Never,
}

/// What a transaction is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Reads and writes.
    Writing,
    /// The same, of many rows by their keys: PostgreSQL goes by the index, and does not ask itself about each list anew. It would hold a
    /// look at the whole table for cheaper than some hundred looks into an index, up to tables of tens of thousands of rows, where it
    /// takes ten times as long; and what it planned while a table was empty it keeps until somebody has counted its rows.
    WritingByKeys,
    /// Reads one state of the database; waits for nobody.
    Reading,
}

/// A table without an index is read as ever, but counts as very dear, and what is dear would be compiled first.
const BEGIN_BY_KEYS: &str = "begin; set local plan_cache_mode = force_generic_plan; \
    set local enable_seqscan = off; set local jit = off";

/// How long a caller waits for a connection, and for SQLite's writer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections that read a SQLite file side by side.
const READERS_MAX: u32 = 4;

impl Pools {
    pub(super) async fn open(settings: &DatabaseSettings, create: Create) -> Result<Self, OpenError> {
        match sqlite_path(&settings.url) {
            Some(path) => open_sqlite(settings, &path, create).await,
            None => open_postgres(settings).await,
        }
    }

    pub(super) async fn begin(&self, purpose: Purpose) -> Result<Link, sqlx::Error> {
        Ok(match (self, purpose) {
            (Self::Postgres(pool), Purpose::Writing) => Link::Postgres(pool.begin().await?),
            (Self::Postgres(pool), Purpose::WritingByKeys) => Link::Postgres(pool.begin_with(BEGIN_BY_KEYS).await?),
            (Self::Postgres(pool), Purpose::Reading) => {
                Link::Postgres(pool.begin_with("begin isolation level repeatable read read only").await?)
            }
            (Self::Sqlite { writer, .. }, Purpose::Writing | Purpose::WritingByKeys) => {
                Link::Sqlite(writer.begin_with("begin immediate").await?)
            }
            (Self::Sqlite { reader, .. }, Purpose::Reading) => Link::Sqlite(reader.begin().await?),
        })
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Postgres(pool) => pool.close().await,
            Self::Sqlite { writer, reader } => {
                reader.close().await;
                writer.close().await;
            }
        }
    }
}

/// The file of a `sqlite:` URL.
pub(super) fn sqlite_path(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("sqlite:")?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    Some(PathBuf::from(rest.split('?').next().unwrap_or(rest)))
}

async fn open_sqlite(settings: &DatabaseSettings, path: &PathBuf, create: Create) -> Result<Pools, OpenError> {
    if path.as_os_str().is_empty() || path.as_os_str() == ":memory:" {
        let why = "the database must be a file, so that it outlives the process".to_owned();
        return Err(OpenError::Url { url: settings.url.clone(), why });
    }
    if create == Create::Never && !path.exists() {
        return Err(OpenError::NoFile { url: settings.url.clone() });
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(create == Create::IfMissing)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(PATIENCE);
    let pool = |connections| SqlitePoolOptions::new().max_connections(connections).acquire_timeout(PATIENCE);
    let writer = pool(1).connect_with(options.clone()).await?;
    let reader = pool(READERS_MAX).connect_with(options.pragma("query_only", "on")).await?;
    Ok(Pools::Sqlite { writer, reader })
}

async fn open_postgres(settings: &DatabaseSettings) -> Result<Pools, OpenError> {
    let refuse = |why: String| OpenError::Url { url: without_password(&settings.url), why };
    if !settings.url.starts_with("postgres://") && !settings.url.starts_with("postgresql://") {
        return Err(refuse("it is neither".to_owned()));
    }
    let options = PgConnectOptions::from_str(&settings.url).map_err(|error| refuse(error.to_string()))?;
    let options = options.application_name("zhida").options([
        ("synchronous_commit", "on"),
        ("statement_timeout", "30s"),
        ("lock_timeout", "15s"),
        // A process that stops in the middle of a transaction does not keep its locks.
        ("idle_in_transaction_session_timeout", "60s"),
    ]);
    let pool = PgPoolOptions::new().max_connections(settings.connections_max.max(2)).acquire_timeout(PATIENCE);
    match pool.connect_with(options).await {
        Ok(pool) => Ok(Pools::Postgres(pool)),
        Err(sqlx::Error::PoolTimedOut) => {
            Err(OpenError::Silent { url: without_password(&settings.url), seconds: PATIENCE.as_secs() })
        }
        Err(error) => Err(error.into()),
    }
}

fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => format!("{}://…{}", &url[..scheme], &url[at..]),
        (_, _) => url.to_owned(),
    }
}
