//! A database of the benchmark of supervision, its clock, and what work on it costs.

use super::{Cost, crowd};
use crate::meter::CpuSeconds;
use jiff::Timestamp;
use sqlx::postgres::{PgPool, PgPoolOptions};
use std::future::Future;
use std::sync::Arc;
use std::time::Instant;
use zhida_adapters::providers::bank::Pain001Format;
use zhida_adapters::store::{DatabaseSettings, SqlStore, StoreClock, migrate};
use zhida_config::sample_district::ORGANISATION_TOML;
use zhida_core::organisation::Organisation;
use zhida_core::ports::store::{IntakeStore, Protocol, ReadStore, ReferenceStore};
use zhida_core::ports::supervision::OrganisationStore;
use zhida_core::rules::Rules;
use zhida_intake::Keyring;
use zhida_schemas::organisation_file::OrganisationFile;
use zhida_tests::servers::{Database, PostgresServer};

pub(super) struct Place {
    pub(super) store: SqlStore,
    pub(super) pool: PgPool,
    clock: StoreClock,
    zone: jiff::tz::TimeZone,
    counts: bool,
    _database: Database,
}

/// Durable as installed, with memory as one would give it.
pub(super) fn server() -> PostgresServer {
    let mut settings = vec!["shared_buffers=512MB", "max_wal_size=4GB"];
    settings.extend(crate::world::counts_statements().then_some("shared_preload_libraries=pg_stat_statements"));
    PostgresServer::start_with(&settings)
}

impl Place {
    /// A migrated database with the policy in it.
    pub(super) async fn new(server: &PostgresServer) -> Self {
        let database = server.database();
        let settings = DatabaseSettings {
            url: database.url().to_owned(),
            district: "bench".to_owned(),
            environment: "sandbox".to_owned(),
            connections_max: 4,
        };
        migrate(&settings).await.unwrap();
        let (rules, clock) = (Rules::with_defaults("bench"), StoreClock::default());
        let zone = rules.zone.clone();
        let format = Arc::new(Pain001Format::new("示例区", zone.clone()));
        let protocol = Protocol { rules: Arc::new(rules), format, verifier: Arc::new(Keyring::default()) };
        let store = SqlStore::open(&settings, protocol, clock.clone()).await.unwrap();
        store.import_policies(&[crowd::fund()], &[crowd::policy()], "bench").await.unwrap();
        let pool = PgPoolOptions::new().max_connections(2).connect(database.url()).await.unwrap();
        let counts = crate::world::counts_statements();
        if counts {
            sqlx::raw_sql("create extension if not exists pg_stat_statements").execute(&pool).await.unwrap();
        }
        Self { store, pool, clock, zone, counts, _database: database }
    }

    pub(super) async fn with_organisation(&self) -> Organisation {
        let organisation: Organisation = OrganisationFile::parse(ORGANISATION_TOML).unwrap().into();
        self.store.import_organisation(&organisation, "bench").await.unwrap();
        organisation
    }

    /// Its clock stands at the close of a working day from now on, and runs.
    pub(super) async fn begin_at_the_close(&self) {
        let close = self.moment(crowd::CLOSE);
        self.clock.advance(close.duration_since(self.store.now().await.unwrap()));
    }

    /// A moment of the district's time, as `2026-11-24T17:30`.
    pub(super) fn moment(&self, local: &str) -> Timestamp {
        self.zone.to_timestamp(local.parse().unwrap()).unwrap()
    }

    pub(super) async fn execute(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&self.pool).await.unwrap();
    }

    pub(super) async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }

    /// What `work` costs.
    pub(super) async fn cost<T>(&self, work: impl Future<Output = T>) -> Cost {
        if self.counts {
            self.execute("select pg_stat_statements_reset()").await;
        }
        let (began, before) = (Instant::now(), CpuSeconds::now(&[]));
        work.await;
        let (seconds, cpu) = (began.elapsed().as_secs_f64(), CpuSeconds::now(&[]).since(&before));
        let (statements, rows, pages) = if self.counts { self.counted().await } else { (0, 0, 0) };
        Cost { seconds, cpu, statements, rows, pages }
    }

    async fn counted(&self) -> (i64, i64, i64) {
        let sql = "select coalesce(sum(calls), 0)::bigint, coalesce(sum(rows), 0)::bigint, \
            coalesce(sum(shared_blks_hit + shared_blks_read), 0)::bigint from pg_stat_statements \
            where dbid = (select oid from pg_database where datname = current_database()) and query not ilike '%pg_stat%'";
        sqlx::query_as(sql).fetch_one(&self.pool).await.unwrap()
    }

    /// An application is handed in late whose step is overdue: due at once.
    pub(super) async fn one_more_is_due(&self) -> &'static str {
        let arrivals = crowd::one_more(self.store.now().await.unwrap());
        self.store.take_in(arrivals).await.unwrap();
        "what became due"
    }

    pub(super) async fn close(self) {
        self.store.close().await;
        self.pool.close().await;
    }
}
