//! A database of either kind, to be opened by one process after the other, and by one story after the other.

use sqlx::Connection as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use zhida_adapters::store::{DatabaseSettings, SqlStore, StoreClock, migrate};
use zhida_core::ports::store::Protocol;
use zhida_tests::servers::{Database, database};

/// A database and its clock.
pub(crate) struct Place {
    settings: DatabaseSettings,
    pub(crate) clock: StoreClock,
    stories: AtomicU64,
    _keeps: Keeps,
}

/// Removed with the place.
#[expect(dead_code, reason = "kept for its drop")]
enum Keeps {
    Folder(Folder),
    Database(Database),
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Place {
    pub(crate) async fn sqlite() -> Self {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("zhida-crash-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self::at(format!("sqlite:{}", folder.join("zhida.db").display()), Keeps::Folder(Folder(folder))).await
    }

    pub(crate) async fn postgres() -> Self {
        let database = tokio::task::spawn_blocking(database).await.unwrap();
        Self::at(database.url().to_owned(), Keeps::Database(database)).await
    }

    async fn at(url: String, keeps: Keeps) -> Self {
        let settings = DatabaseSettings {
            url,
            district: super::district::DISTRICT.to_owned(),
            environment: "sandbox".to_owned(),
            connections_max: 4,
        };
        migrate(&settings).await.unwrap();
        Self { settings, clock: StoreClock::default(), stories: AtomicU64::new(0), _keeps: keeps }
    }

    /// The number of a new story.
    pub(crate) fn next_story(&self) -> u64 {
        self.stories.fetch_add(1, Ordering::Relaxed)
    }

    /// Rows of a query that has one column of text.
    pub(crate) async fn texts(&self, sql: &'static str) -> Vec<String> {
        match self.settings.url.strip_prefix("sqlite:") {
            Some(path) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
                let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
                sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap()
            }
            None => {
                let mut connection = sqlx::PgConnection::connect(&self.settings.url).await.unwrap();
                sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap()
            }
        }
    }

    /// Opened as a new process opens it.
    pub(crate) async fn open(&self, protocol: &Protocol) -> Arc<SqlStore> {
        Arc::new(SqlStore::open(&self.settings, protocol.clone(), self.clock.clone()).await.unwrap())
    }
}
