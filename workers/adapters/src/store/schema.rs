//! The schema: bringing a database up to it (`zhida migrate`, as its owner), and refusing to work on one that is not the
//! right one (`serve`, without the right to change it). Migrations go forward only and never change once they are out.

use super::fault::Fault;
use super::link::{Ended, Tx};
use super::pools::{Create, Pools, Purpose};
use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};
use std::collections::BTreeMap;
use thiserror::Error;
use zhida_core::ports::store::StoreError;

/// Which database, and whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseSettings {
    /// `sqlite:FILE` or `postgres://…`.
    pub url: String,
    /// `district.id`; written into the database by `migrate`.
    pub district: String,
    /// `live` or `sandbox`; written into the database by `migrate`.
    pub environment: String,
    /// Connections of this process to PostgreSQL at most.
    pub connections_max: u32,
}

/// Why a database cannot be used.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Not a URL of a database we know.
    #[error("database.url {url} cannot be used: {why}; give sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE")]
    Url {
        /// The URL without its password.
        url: String,
        /// Why.
        why: String,
    },
    /// Not reachable, or a statement failed.
    #[error("the database cannot be opened: {0}; is it running, and are address, user and rights right?")]
    Database(#[from] sqlx::Error),
    /// Nobody answers.
    #[error("no database answers at {url} within {seconds} s: is it running, and are host and port right?")]
    Silent {
        /// As it was given, without the password.
        url: String,
        /// How long was waited.
        seconds: u64,
    },
    /// A transaction failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No such file.
    #[error(
        "database.url {url}: there is no such file; correct the path (a relative one counts from the folder this program runs in), or \
         make a new database with `zhida migrate`"
    )]
    NoFile {
        /// The URL.
        url: String,
    },
    /// No schema, or an old one.
    #[error("the database's schema is at version {found}, this program needs {needed}: run `zhida migrate`")]
    NotMigrated {
        /// Version found; 0 when there is none.
        found: i64,
        /// Version needed.
        needed: i64,
    },
    /// A newer program was here.
    #[error("the database's schema is at version {found}, this program knows {known}: use the newer program")]
    TooNew {
        /// Version found.
        found: i64,
        /// Version known.
        known: i64,
    },
    /// A migration was changed after it had been applied.
    #[error("migration {version} of the database is not this program's: another program made this database")]
    Foreign {
        /// Which.
        version: i64,
    },
    /// Somebody else's database.
    #[error("the database belongs to {name} '{theirs}', the settings say '{ours}': use the right database.url")]
    Identity {
        /// `district` or `environment`.
        name: &'static str,
        /// What the database says.
        theirs: String,
        /// What the settings say.
        ours: String,
    },
}

struct Migration {
    version: i64,
    name: &'static str,
    postgres: &'static str,
    sqlite: &'static str,
}

macro_rules! migration {
    ($version:literal, $name:literal) => {
        Migration {
            version: $version,
            name: $name,
            postgres: include_str!(concat!("../../../../schemas/migrations/postgres/", $name, ".sql")),
            sqlite: include_str!(concat!("../../../../schemas/migrations/sqlite/", $name, ".sql")),
        }
    };
}

const MIGRATIONS: &[Migration] = &[
    migration!(1, "0001_money"),
    migration!(2, "0002_reports"),
    migration!(3, "0003_restore"),
    migration!(4, "0004_sequences"),
    migration!(5, "0005_accounts_and_keys"),
    migration!(6, "0006_alarms_and_keys"),
    migration!(7, "0007_rails"),
    migration!(8, "0008_finished"),
    migration!(9, "0009_organisation"),
    migration!(10, "0010_order_of_events"),
    migration!(11, "0011_reviews"),
    migration!(12, "0012_orders"),
    migration!(13, "0013_patterns"),
    migration!(14, "0014_digests"),
    migration!(15, "0015_circumstances"),
    migration!(16, "0016_notices"),
];
const NEWEST: i64 = MIGRATIONS[MIGRATIONS.len() - 1].version;

const CREATE_VERSIONS: &str = "create table if not exists schema_versions \
    (version bigint primary key, name text not null, sha256 text not null)";

/// Brings the database up to the newest schema; nothing happens when it is. A SQLite file is created when there is none.
///
/// # Errors
/// [`OpenError`]; what a failed migration began is undone.
pub async fn migrate(settings: &DatabaseSettings) -> Result<(), OpenError> {
    let pools = Pools::open(settings, Create::IfMissing).await?;
    let mut tx = begin(&pools, Purpose::Writing).await?;
    let worked = migrate_within(&mut tx, settings).await;
    let ended = finish(tx, worked).await;
    pools.close().await;
    ended
}

/// Refuses a database that is not migrated, or not ours.
pub(super) async fn check(pools: &Pools, settings: &DatabaseSettings) -> Result<(), OpenError> {
    let mut tx = begin(pools, Purpose::Reading).await?;
    let worked = check_within(&mut tx, settings).await;
    finish(tx, worked).await
}

impl OpenError {
    pub(super) fn not_migrated(found: i64) -> Self {
        Self::NotMigrated { found, needed: NEWEST }
    }
}

/// A refusal of ours, or a failure of the database.
enum Stop {
    Refused(OpenError),
    Failed(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}

impl From<OpenError> for Stop {
    fn from(error: OpenError) -> Self {
        Self::Refused(error)
    }
}

async fn begin(pools: &Pools, purpose: Purpose) -> Result<Tx, OpenError> {
    match Tx::new(pools.begin(purpose).await?, 0).await {
        Ok(tx) => Ok(tx),
        Err(Fault::Database(error)) => Err(OpenError::Database(error)),
        Err(fault) => Err(fault.told().into()),
    }
}

async fn finish(tx: Tx, worked: Result<(), Stop>) -> Result<(), OpenError> {
    let (worked, refused) = match worked {
        Ok(()) => (Ok(()), None),
        Err(Stop::Failed(fault)) => (Err(fault), None),
        // Rolled back with any fault; the refusal is what is told.
        Err(Stop::Refused(error)) => (Err(Fault::Conflict(error.to_string())), Some(error)),
    };
    let ended = match tx.end(worked, u32::MAX).await {
        Ended::Done(result) => result,
        Ended::Again => Ok(()),
    };
    match refused {
        Some(error) => Err(error),
        None => Ok(ended?),
    }
}

async fn migrate_within(tx: &mut Tx, settings: &DatabaseSettings) -> Result<(), Stop> {
    // Two migrations at once: the second waits, then finds everything done.
    tx.lock_judging().await?;
    // A migration takes as long as it takes.
    let patient = tx.either("set local statement_timeout = 0; set local lock_timeout = 0", "");
    tx.script(patient).await?;
    tx.execute(CREATE_VERSIONS, vec![]).await?;
    let found = versions(tx).await?;
    for (number, migration) in MIGRATIONS.iter().enumerate() {
        let script = tx.either(migration.postgres, migration.sqlite);
        let sha256 = HEXLOWER.encode(digest(&SHA256, script.as_bytes()).as_ref());
        match found.get(number) {
            Some((_, known)) if *known == sha256 => {}
            Some((version, _)) => return Err(OpenError::Foreign { version: *version }.into()),
            None => {
                tx.script(script).await?;
                let row = vec![
                    ("version", migration.version.into()),
                    ("name", migration.name.into()),
                    ("sha256", sha256.into()),
                ];
                tx.insert("schema_versions", vec![row], "").await?;
            }
        }
    }
    if let Some((found, _)) = found.get(MIGRATIONS.len()) {
        return Err(OpenError::TooNew { found: *found, known: NEWEST }.into());
    }
    let meta = meta(tx).await?;
    compare(settings, &meta)?;
    if meta.is_empty() {
        let incarnation = uuid::Uuid::new_v4().to_string();
        for (name, value) in [
            ("district", settings.district.clone()),
            ("environment", settings.environment.clone()),
            ("incarnation", incarnation),
        ] {
            tx.insert("meta", vec![vec![("name", name.into()), ("value", value.into())]], "").await?;
        }
    }
    Ok(())
}

async fn check_within(tx: &mut Tx, settings: &DatabaseSettings) -> Result<(), Stop> {
    let exists = tx.either(
        "select count(*) as tables from pg_tables \
         where tablename = 'schema_versions' and schemaname = any(current_schemas(false))",
        "select count(*) as tables from sqlite_master where name = 'schema_versions'",
    );
    if tx.one(exists, vec![]).await?.get::<i64>("tables")? == 0 {
        return Err(OpenError::not_migrated(0).into());
    }
    let found = versions(tx).await?.last().map_or(0, |(version, _)| *version);
    if found < NEWEST {
        return Err(OpenError::not_migrated(found).into());
    }
    if found > NEWEST {
        return Err(OpenError::TooNew { found, known: NEWEST }.into());
    }
    let meta = meta(tx).await?;
    if meta.is_empty() {
        return Err(OpenError::not_migrated(found).into());
    }
    Ok(compare(settings, &meta)?)
}

async fn versions(tx: &mut Tx) -> Result<Vec<(i64, String)>, Fault> {
    let rows = tx.rows("select version, sha256 from schema_versions order by version", vec![]).await?;
    rows.iter().map(|row| Ok((row.get("version")?, row.get("sha256")?))).collect()
}

async fn meta(tx: &mut Tx) -> Result<BTreeMap<String, String>, Fault> {
    let rows = tx.rows("select name, value from meta", vec![]).await?;
    rows.iter().map(|row| Ok((row.get("name")?, row.get("value")?))).collect()
}

fn compare(settings: &DatabaseSettings, meta: &BTreeMap<String, String>) -> Result<(), OpenError> {
    for (name, ours) in [("district", &settings.district), ("environment", &settings.environment)] {
        if let Some(theirs) = meta.get(name).filter(|theirs| *theirs != ours) {
            return Err(OpenError::Identity { name, theirs: theirs.clone(), ours: ours.clone() });
        }
    }
    Ok(())
}
