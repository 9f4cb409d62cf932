//! The supervision worker: looks at case files whose events changed or whose clocks' moment has come, so that deadlines ring.
//! What a look sees is decided in the core; what it writes is one transaction of the store. Any number of these workers may
//! run: no two look at the same application at the same time, and a look that comes to nothing new writes nothing new. Beside it
//! runs what makes the daily digest ([`digests`]).

pub mod digests;

mod patterns;

pub use patterns::{Matter, NotLooked, PATTERN_SWEEP, PatternWorker, look_once, run_patterns, tried, window};

use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tracing::{info, warn};
use zhida_core::ports::store::{Store, StoreError};
use zhida_core::ports::time::Time;
use zhida_monitoring::Metrics;

/// Everything a supervision worker needs.
#[derive(Clone)]
pub struct SupervisionWorker {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Pauses.
    pub time: Arc<dyn Time>,
    /// Applications in one transaction.
    pub batch_max: u32,
    /// Pause between looks for what is due: an alert is late by so much at most.
    pub every: Duration,
    /// What operations watch.
    pub metrics: Arc<Metrics>,
}

/// The name of its sweep in figures and alerts.
pub const SWEEP: &str = "case_files";

/// Runs until `stop` turns true.
pub async fn run(worker: SupervisionWorker, mut stop: watch::Receiver<bool>) {
    worker.metrics.sweep_started(SWEEP, worker.every, SystemTime::now());
    let mut noted = false;
    while !*stop.borrow() {
        let mut pause = worker.every;
        match look(&worker, &mut noted).await {
            Ok(looked) => {
                worker.metrics.sweep_ran(SWEEP, SystemTime::now());
                if looked >= worker.batch_max {
                    pause = Duration::ZERO;
                }
            }
            Err(error) => warn!(%error, "supervision waits for the store"),
        }
        if !pause.is_zero() {
            tokio::select! {
                () = worker.time.pause(pause) => {}
                _ = stop.wait_for(|stopped| *stopped) => {}
            }
        }
    }
    info!("supervision worker drained");
}

/// Looks once; the first time, after it has been noted by which rules.
async fn look(worker: &SupervisionWorker, noted: &mut bool) -> Result<u32, StoreError> {
    if !*noted {
        worker.store.note_rules().await?;
        *noted = true;
    }
    worker.store.look_at_cases(worker.batch_max).await
}
