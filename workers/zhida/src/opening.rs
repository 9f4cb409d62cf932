//! Opens the database that the settings name, prepares it, and guards it against a second worker where there may be one only.

use crate::{restore_watch, wiring};
use anyhow::Context as _;
use std::sync::Arc;
use zhida_adapters::store::{self, DatabaseSettings, OpenError, SqlStore, StoreClock, WorkerLock};
use zhida_adapters::transport::rabbitmq::topology::declare_all;
use zhida_config::{Calendar, QueueUrl, Settings};
use zhida_core::ports::store::{Store, Verdict};
use zhida_core::ports::supervision::OrganisationStore;
use zhida_intake::Keyring;

fn database(settings: &Settings) -> anyhow::Result<DatabaseSettings> {
    Ok(DatabaseSettings {
        url: settings.database.url.expose().to_owned(),
        district: wiring::district(settings)?,
        environment: settings.environment.word().to_owned(),
        connections_max: settings.database.connections,
    })
}

/// Opens the store; its rules count by the calendar that the database holds now.
pub(crate) async fn store(settings: &Settings, keyring: &Arc<Keyring>) -> anyhow::Result<Arc<dyn Store>> {
    let district = wiring::district(settings)?;
    let protocol = |calendar| wiring::protocol(settings, &district, keyring.clone(), calendar);
    let embedded = Calendar::mainland_china()?;
    let store = SqlStore::open(&database(settings)?, protocol(embedded), StoreClock::default()).await?;
    let calendar = store.calendar().await?;
    Ok(Arc::new(store.with_protocol(protocol(calendar))))
}

/// The district's calendar: the database's, or the embedded one where there is no database yet. A database that is there and
/// cannot be read is told of.
pub(crate) async fn calendar(settings: &Settings) -> anyhow::Result<Calendar> {
    let embedded = Calendar::mainland_china()?;
    if settings.district.id.is_none() {
        return Ok(embedded);
    }
    let keyring = Arc::new(Keyring::new(&settings.trusted_keys));
    match store(settings, &keyring).await {
        Ok(store) => Ok(store.calendar().await?),
        Err(error)
            if matches!(error.downcast_ref(), Some(OpenError::NotMigrated { .. } | OpenError::NoFile { .. })) =>
        {
            Ok(embedded)
        }
        Err(error) => {
            eprintln!("zhida: 用内置日历 the calendar built in is used, not the database's: {error}");
            Ok(embedded)
        }
    }
}

/// The schema, and with RabbitMQ the exchanges and queues.
pub(crate) async fn migrate(settings: &Settings) -> anyhow::Result<()> {
    store::migrate(&database(settings)?).await.context("the schema, which the owner of the tables makes")?;
    note_new_database(settings).await?;
    if let QueueUrl::Broker(url) = &settings.queue.url {
        declare_all(&wiring::broker(settings, url.expose(), "migrate")?).await.context("exchanges and queues")?;
    }
    Ok(())
}

/// A database that has just been made is noted outside of it; one with a history is compared by whoever sends.
async fn note_new_database(settings: &Settings) -> anyhow::Result<()> {
    let path = &settings.store.incarnation_file;
    let context = wiring::Context::open(settings.clone()).await?;
    let compared = context.store.compare(restore_watch::noted(path)?.as_ref()).await?;
    if compared.verdict == Verdict::WentBack {
        eprintln!(
            "zhida: store.incarnation_file {} speaks of another history than this database's. Was it restored, or made anew after \
             a loss? Then run `zhida recover`. If the earlier one never paid anybody, remove the file.",
            path.display()
        );
    } else if compared.now.head.is_none() {
        restore_watch::note(path, &compared.now)?;
    }
    Ok(())
}

/// Held while a worker process runs on a database or queue that bears only one.
#[must_use = "the database is guarded only while this is kept"]
pub(crate) struct Guard {
    _lock: Option<WorkerLock>,
}

/// Takes the guard, or refuses because another worker process has it.
pub(crate) fn guard(settings: &Settings) -> anyhow::Result<Guard> {
    Ok(Guard { _lock: WorkerLock::take(settings.database.url.expose())? })
}
