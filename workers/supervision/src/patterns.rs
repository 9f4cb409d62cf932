//! Looks for patterns: reads the applications of the window, lets the rules look at them, writes what they found and how policies
//! fare. One worker at a time does so; a run that was broken off is done again by whoever comes next.

use jiff::SignedDuration;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use thiserror::Error;
use tokio::sync::watch;
use tracing::{info, warn};
use zhida_core::case_file::Standing;
use zhida_core::patterns::{CaseFacts, Found, Health, Material, Rule, Thresholds, health};
use zhida_core::ports::patterns::PatternSurroundings;
use zhida_core::ports::store::{Store, StoreError};
use zhida_core::ports::time::Time;
use zhida_monitoring::Metrics;

/// Everything that a worker needs who looks for patterns.
#[derive(Clone)]
pub struct PatternWorker {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Pauses.
    pub time: Arc<dyn Time>,
    /// What is looked for, from where on it counts, and how often.
    pub thresholds: Arc<Thresholds>,
    /// What operations watch.
    pub metrics: Arc<Metrics>,
}

/// The name of its sweep in figures and alerts.
pub const PATTERN_SWEEP: &str = "patterns";

/// A run is one worker's for so long; another may begin when it has not ended by then.
const LEASE: SignedDuration = SignedDuration::from_mins(15);

/// How often it is asked whether a run is due, at most.
const LOOK: Duration = Duration::from_secs(60);

/// Patterns written in one transaction.
const WRITTEN_AT_ONCE: usize = 200;

/// Why a run did not end.
#[derive(Debug, Error)]
pub enum NotLooked {
    /// The store could not serve.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rules broke off.
    #[error("the rules of patterns broke off: {0}; the log says where")]
    Broken(String),
}

/// What rules look at.
pub struct Matter {
    /// Applications of the window.
    pub cases: Vec<CaseFacts>,
    /// Where the window begins.
    pub seen_from: jiff::Timestamp,
    /// Everything else.
    pub surroundings: PatternSurroundings,
}

impl Matter {
    /// Reads what was open or decided within so many days, page by page.
    ///
    /// # Errors
    /// [`StoreError`] of the store.
    pub async fn read(store: &dyn Store, window: SignedDuration, page_max: u32) -> Result<Self, StoreError> {
        let surroundings = store.pattern_surroundings().await?;
        let since = surroundings.now.checked_sub(window).unwrap_or(jiff::Timestamp::MIN);
        let (mut cases, mut after) = (Vec::new(), None);
        loop {
            let mut page = store.pattern_cases(since, after.as_ref(), page_max).await?;
            // The answer to an order has a case file without an application.
            cases.extend(page.cases.drain(..).filter(|case| case.standing != Standing::NotSeen));
            after = page.next;
            if after.is_none() {
                return Ok(Self { cases, seen_from: since, surroundings });
            }
        }
    }

    /// As rules see it.
    #[must_use]
    pub fn material<'a>(&'a self, thresholds: &'a Thresholds) -> Material<'a> {
        let PatternSurroundings { policies, funds, time, second_officer_above, now } = &self.surroundings;
        Material {
            cases: &self.cases,
            seen_from: self.seen_from,
            policies,
            funds,
            time,
            thresholds,
            second_officer_above: *second_officer_above,
            now: *now,
        }
    }
}

/// Days of the window.
#[must_use]
pub fn window(thresholds: &Thresholds) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(thresholds.runs.window_days))
}

/// Runs until `stop` turns true: at once, then as often as the settings say.
pub async fn run_patterns(worker: PatternWorker, mut stop: watch::Receiver<bool>) {
    let every = Duration::from_secs(60 * u64::from(worker.thresholds.runs.every_minutes));
    worker.metrics.sweep_started(PATTERN_SWEEP, every, SystemTime::now());
    let mut pause = SignedDuration::ZERO;
    while !*stop.borrow() {
        match look_once(&worker, pause).await {
            Ok(_) => {
                show_last_run(&worker).await;
                pause = SignedDuration::try_from(every).unwrap_or(SignedDuration::MAX);
            }
            Err(error) => warn!(%error, "looking for patterns is done again"),
        }
        tokio::select! {
            () = worker.time.pause(every.min(LOOK)) => {}
            _ = stop.wait_for(|stopped| *stopped) => {}
        }
    }
    info!("pattern worker drained");
}

/// Only a run that ended, whoever did it, counts: somebody else's that breaks off again and again does not, nor one that waits for
/// supervision. An end that is to come, by a clock that was ahead, is taken for now.
async fn show_last_run(worker: &PatternWorker) {
    match worker.store.last_pattern_run().await {
        Ok(Some(run)) => {
            let ended_at = Duration::from_micros(run.finished_at.as_microsecond().try_into().unwrap_or(0));
            let ended_at = (SystemTime::UNIX_EPOCH + ended_at).min(SystemTime::now());
            worker.metrics.sweep_ran(PATTERN_SWEEP, ended_at);
        }
        Ok(None) => {}
        Err(error) => warn!(%error, "nobody can tell when patterns were last looked for"),
    }
}

/// Looks once, unless somebody else is at it or did so less than `pause` ago; says how much was found, if it looked.
///
/// # Errors
/// [`NotLooked`]; what was written by then stays, and is written again by the next run.
pub async fn look_once(worker: &PatternWorker, pause: SignedDuration) -> Result<Option<usize>, NotLooked> {
    let store = &worker.store;
    if !store.begin_pattern_run(pause, LEASE).await? {
        return Ok(None);
    }
    let looked = look(worker).await;
    if looked.is_err() {
        // Not to wait out the lease. Where that fails as well, its end lets the next one begin.
        if let Err(error) = store.drop_pattern_run().await {
            warn!(%error, "the next look for patterns waits until this one's time is over");
        }
    }
    looked.map(Some)
}

/// Reads, looks and writes; says how much was found.
async fn look(worker: &PatternWorker) -> Result<usize, NotLooked> {
    let store = &worker.store;
    let matter = Matter::read(&**store, window(&worker.thresholds), worker.thresholds.runs.page_max).await?;
    let (cases, thresholds) = (matter.cases.len(), worker.thresholds.clone());
    // Much reckoning and no waiting: apart from those who serve.
    let looked = tokio::task::spawn_blocking(move || {
        let material = matter.material(&thresholds);
        (material.find_all(), health(&material))
    });
    let (found, health): (Vec<Found>, Vec<Health>) =
        looked.await.map_err(|error| NotLooked::Broken(error.to_string()))?;
    for part in found.chunks(WRITTEN_AT_ONCE) {
        store.put_patterns(part).await?;
    }
    store.end_pattern_run(&health).await?;
    info!(cases, found = found.len(), "looked for patterns");
    Ok(found.len())
}

/// What a rule finds in this matter, whether it is switched on or not.
#[must_use]
pub fn tried(matter: &Matter, thresholds: &Thresholds, rule: Rule) -> Vec<Found> {
    rule.find(&matter.material(thresholds))
}
