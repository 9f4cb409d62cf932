//! Makes the daily digest when it is due, and rings for a calendar year that is missing soon. When that is, and that each is done
//! once however many of these workers run, is decided in the core and kept by the store.

use crate::SupervisionWorker;
use std::time::SystemTime;
use tokio::sync::watch;
use tracing::{info, warn};
use zhida_core::jobs::{Outcome, Run};
use zhida_core::ports::store::StoreError;

/// The name of its sweep in figures and alerts.
pub const SWEEP: &str = "digest";

/// Runs until `stop` turns true.
pub async fn run(worker: SupervisionWorker, mut stop: watch::Receiver<bool>) {
    worker.metrics.sweep_started(SWEEP, worker.every, SystemTime::now());
    while !*stop.borrow() {
        match turn(&worker).await {
            Ok(runs) => {
                worker.metrics.sweep_ran(SWEEP, SystemTime::now());
                runs.iter().for_each(tell);
            }
            Err(error) => warn!(%error, "the digest waits for the store"),
        }
        tokio::select! {
            () = worker.time.pause(worker.every) => {}
            _ = stop.wait_for(|stopped| *stopped) => {}
        }
    }
    info!("digest worker drained");
}

async fn turn(worker: &SupervisionWorker) -> Result<Vec<Run>, StoreError> {
    let runs = worker.store.make_due_digest().await?;
    worker.store.ring_missing_years().await?;
    Ok(runs)
}

fn tell(run: &Run) {
    let scheduled_at = run.scheduled_at;
    match run.outcome {
        Outcome::Made => info!(%scheduled_at, "the digest was made"),
        Outcome::Missed => warn!(%scheduled_at, "nobody was there to make this digest; it is not made up"),
        Outcome::DayOff | Outcome::BeforeStart => {}
    }
}
