//! The candidates: an empty store of each kind, to be opened as often as wanted, with a clock that tests move.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use zhida_adapters::store::{DatabaseSettings, SqlStore, StoreClock, migrate};
use zhida_core::ports::store::{Protocol, Store};
use zhida_tests::memory_store::MemoryStore;
use zhida_tests::servers::{Database, database};

/// An empty store somewhere.
#[derive(Clone)]
pub(crate) struct Place(Arc<dyn Candidate>);

/// One kind of store.
#[async_trait]
trait Candidate: Send + Sync {
    /// Another handle, as another process would have it.
    async fn open(&self, protocol: Protocol) -> Arc<dyn Store>;

    /// Moves the database's clock ahead.
    fn advance(&self, by: SignedDuration);
}

impl Place {
    pub(crate) fn memory() -> Self {
        Self(Arc::new(InMemory { first: Mutex::default() }))
    }

    pub(crate) fn sqlite() -> Self {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("zhida-store-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let url = format!("sqlite:{}", folder.join("zhida.db").display());
        Self(Arc::new(Sql { url, clock: StoreClock::default(), _keeps: Keeps::Folder(Folder(folder)) }))
    }

    pub(crate) async fn postgres() -> Self {
        let database = tokio::task::spawn_blocking(database).await.unwrap();
        let url = database.url().to_owned();
        Self(Arc::new(Sql { url, clock: StoreClock::default(), _keeps: Keeps::Database(database) }))
    }

    pub(crate) async fn open(&self, protocol: Protocol) -> Arc<dyn Store> {
        self.0.open(protocol).await
    }

    pub(crate) fn advance(&self, by: SignedDuration) {
        self.0.advance(by);
    }
}

struct InMemory {
    first: Mutex<Option<MemoryStore>>,
}

#[async_trait]
impl Candidate for InMemory {
    async fn open(&self, protocol: Protocol) -> Arc<dyn Store> {
        let mut first = self.first.lock().unwrap();
        let store = first.get_or_insert_with(|| MemoryStore::new(protocol.clone(), Timestamp::now()));
        Arc::new(store.session().with_protocol(protocol))
    }

    fn advance(&self, by: SignedDuration) {
        let first = self.first.lock().unwrap();
        let store = first.as_ref().expect("opened before its clock is moved");
        store.set_clock(store.clock() + by);
    }
}

struct Sql {
    url: String,
    clock: StoreClock,
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

#[async_trait]
impl Candidate for Sql {
    async fn open(&self, protocol: Protocol) -> Arc<dyn Store> {
        let settings = DatabaseSettings {
            url: self.url.clone(),
            district: "example".to_owned(),
            environment: "sandbox".to_owned(),
            connections_max: 4,
        };
        migrate(&settings).await.unwrap();
        Arc::new(SqlStore::open(&settings, protocol, self.clock.clone()).await.unwrap())
    }

    fn advance(&self, by: SignedDuration) {
        self.clock.advance(by);
    }
}
