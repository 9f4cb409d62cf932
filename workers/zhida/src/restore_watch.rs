//! Notices that the database went back in time: compares it with a copy of its incarnation and journal head that is kept outside of
//! it (`store.incarnation_file`), and closes sending when it has lost what the copy speaks of. What happens then is `zhida recover`.

use anyhow::Context as _;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tracing::{error, warn};
use zhida_core::ports::store::{Position, Store, Verdict};
use zhida_monitoring::health::Check;
use zhida_monitoring::metrics::Incarnation;
use zhida_monitoring::{Health, Metrics};

/// How often the copy is compared and renewed while the process sends. What the journal gained since is the window in which a
/// restore goes unnoticed; the README names it.
pub(crate) const EVERY: Duration = Duration::from_secs(1);

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The database is where it was, or further on; the copy was renewed.
    Onward,
    /// It went back: sending is closed.
    WentBack,
    /// There is no copy although the database has a history: nobody can tell.
    NoCopy,
}

/// The noted position; none when there is no file.
pub(crate) fn noted(path: &Path) -> anyhow::Result<Option<Position>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("store.incarnation_file {}", path.display())),
    };
    let position = serde_json::from_str(&text).with_context(|| {
        format!(
            "store.incarnation_file {} is damaged: take a copy of it from another machine, or `zhida recover`",
            path.display()
        )
    })?;
    Ok(Some(position))
}

/// Notes a position: whole or not at all, whatever crashes meanwhile.
pub(crate) fn note(path: &Path, position: &Position) -> anyhow::Result<()> {
    let temporary = path.with_extension(format!("{}.new", std::process::id()));
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&temporary)?;
        file.write_all(serde_json::to_string(position)?.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    };
    write().with_context(|| format!("store.incarnation_file {} cannot be written", path.display()))
}

/// Looks once. The file is read before the database, so that a copy renewed by another process meanwhile is no surprise.
pub(crate) async fn look(store: &dyn Store, path: &Path) -> anyhow::Result<Found> {
    let noted = noted(path)?;
    let compared = store.compare(noted.as_ref()).await?;
    if noted.is_none() && compared.now.head.is_some() {
        return Ok(Found::NoCopy);
    }
    match compared.verdict {
        Verdict::Onward => {
            if noted.as_ref() != Some(&compared.now) {
                note(path, &compared.now)?;
            }
            Ok(Found::Onward)
        }
        Verdict::WentBack => {
            let why = format!("the database does not hold what {} noted of it", path.display());
            store.close_sending(&why).await?;
            Ok(Found::WentBack)
        }
    }
}

/// Keeps looking while the process sends.
pub(crate) struct RestoreWatch {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) path: PathBuf,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) health: Health,
    pub(crate) every: Duration,
}

impl RestoreWatch {
    /// Before the first payment.
    ///
    /// # Errors
    /// When nobody can tell whether the database was restored.
    pub(crate) async fn first_look(&self) -> anyhow::Result<()> {
        if look(&*self.store, &self.path).await? == Found::NoCopy {
            anyhow::bail!(
                "store.incarnation_file {} is missing although the database has a history, so nobody can tell whether it was \
                 restored from a backup. Copy the file from a machine that has it; when it is lost: `zhida recover` after a \
                 restore, `zhida recover --not-restored` when there was none",
                self.path.display()
            );
        }
        Ok(())
    }

    /// Looks until `stop` turns true.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let check = self.health.check("restore");
        let mut before = Found::Onward;
        loop {
            self.look_again(&check, &mut before).await;
            tokio::select! {
                () = tokio::time::sleep(self.every) => {}
                _ = stop.wait_for(|stopped| *stopped) => return,
            }
        }
    }

    async fn look_again(&self, check: &Check, before: &mut Found) {
        let found = match look(&*self.store, &self.path).await {
            Ok(found) => found,
            // The database's absence is told by its own check.
            Err(error) => return warn!(%error, "whether the database went back could not be seen"),
        };
        // Once, not every second.
        match found {
            _ if found == *before => {}
            Found::Onward => {}
            Found::WentBack => error!("the database went back in time; sending is closed: run `zhida recover`"),
            Found::NoCopy => warn!(path = %self.path.display(), "the copy of the database's incarnation was removed"),
        }
        *before = found;
        let restore = match self.store.switch().await {
            Ok(switch) => switch.restore,
            Err(error) => return warn!(%error, "whether sending is closed could not be seen"),
        };
        self.metrics.incarnation(if restore.is_some() { Incarnation::WentBack } else { Incarnation::Same });
        self.metrics.sweep_ran("restore", SystemTime::now());
        // Whoever sends events in is served all the same: the process stays ready.
        match restore.map(|restore| restore.opens_from) {
            None => check.ok(),
            Some(None) => check.warning("sending is closed, the database went back in time: run `zhida recover`"),
            Some(Some(from)) => check
                .warning(format!("sending is closed after a restore until two officers open it, not before {from}")),
        }
    }
}
