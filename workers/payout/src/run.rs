//! The running worker: a few lanes that send, one that asks, one that sweeps, one that listens to the doorbell. Each lane is a
//! loop around one step; a drain lets every lane finish the step it is in.

use crate::enquire::{Enquired, enquire_once};
use crate::send::{SendSettings, Sent, send_once};
use crate::sweep::sweep_once;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tracing::{error, info, warn};
use zhida_core::ports::bank::{BankLink, LONGEST_WAIT, NotTakenIn};
use zhida_core::ports::queue::{Consumer, QueueError};
use zhida_core::ports::store::Store;
use zhida_core::ports::time::Time;
use zhida_monitoring::Metrics;
use zhida_monitoring::metrics::DeadQueue;

/// Turns true when the process drains.
pub type Stop = watch::Receiver<bool>;

/// Everything a payout worker needs.
#[derive(Clone)]
pub struct PayoutWorker {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The bank.
    pub bank: Arc<dyn BankLink>,
    /// Pauses and stopwatch.
    pub time: Arc<dyn Time>,
    /// How messages are made.
    pub send: SendSettings,
    /// Calls to the bank side by side.
    pub lanes: u32,
    /// Questions to the bank in one turn.
    pub enquiries_max: u32,
    /// Payouts of each kind in one turn of the sweep.
    pub sweep_max: u32,
    /// Pause between looks for something to send when no doorbell rings, and between turns of the sweep.
    pub sweep_every: Duration,
    /// Pause between looks for enquiries that are due.
    pub enquire_every: Duration,
    /// What operations watch.
    pub metrics: Arc<Metrics>,
}

/// Pauses after calls that were not taken in, and after errors of the store: growing from the first to the second.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Doorbells taken in one go; they all say the same.
const DOORBELLS_MAX: usize = 100;

/// The queues of the doorbell.
pub struct Doorbells {
    /// Doorbells.
    pub live: Box<dyn Consumer>,
    /// Those delivered too often, where there is a broker; also those of the notice workers, whose sweep needs none. They mean the
    /// same: look in the database.
    pub dead: Option<Box<dyn Consumer>>,
}

/// Runs until `stop` turns true and every lane has finished its step.
pub async fn run(worker: PayoutWorker, doorbells: Doorbells, stop: Stop) {
    let bell = Arc::new(Notify::new());
    let mut lanes = JoinSet::new();
    for _ in 0..worker.lanes.max(1) {
        lanes.spawn(sending_lane(worker.clone(), bell.clone(), stop.clone()));
    }
    lanes.spawn(enquiring_lane(worker.clone(), stop.clone()));
    lanes.spawn(sweeping_lane(worker.clone(), bell.clone(), stop.clone()));
    lanes.spawn(listen(doorbells.live, bell.clone(), stop.clone(), |_| {}));
    if let Some(dead) = doorbells.dead {
        let metrics = worker.metrics.clone();
        let count = move |found: usize| (0..found).for_each(|_| metrics.dead_letter(DeadQueue::Work));
        lanes.spawn(listen(dead, bell.clone(), stop.clone(), count));
    }
    while let Some(ended) = lanes.join_next().await {
        if let Err(panicked) = ended {
            error!(%panicked, "a lane of the payout worker died; the process ends so that it is started anew");
            return;
        }
    }
    info!("payout worker drained");
}

async fn sending_lane(worker: PayoutWorker, bell: Arc<Notify>, mut stop: Stop) {
    let mut pause = FIRST_PAUSE;
    while !*stop.borrow() {
        let turn = send_once(&*worker.store, &*worker.bank, &*worker.time, &worker.send).await;
        match turn {
            Ok(Sent::Called { members, outcome, retry_after, took }) => {
                pause = FIRST_PAUSE;
                info!(members, outcome, took_ms = took.as_millis(), "message handed to the bank");
                wait(&worker, retry_after.unwrap_or_default().min(LONGEST_WAIT), &mut stop).await;
            }
            Ok(Sent::NotMade) => {}
            Ok(Sent::Nothing) => {
                pause = FIRST_PAUSE;
                tokio::select! {
                    () = bell.notified() => {}
                    () = worker.time.pause(worker.sweep_every) => {}
                    _ = stop.changed() => {}
                }
            }
            Ok(Sent::Refused { why, retry_after, .. }) => {
                log_refusal(why);
                wait(&worker, retry_after.unwrap_or(pause).min(LONGEST_WAIT), &mut stop).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Err(error) => {
                warn!(%error, "sending waits for the store");
                wait(&worker, pause, &mut stop).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

fn log_refusal(why: NotTakenIn) {
    match why {
        NotTakenIn::Unauthorised | NotTakenIn::Forbidden => {
            error!(?why, "the bank does not accept our credentials: check bank.token");
        }
        NotTakenIn::ConnectionRefused | NotTakenIn::TooManyRequests => warn!(?why, "the bank takes nothing in now"),
    }
}

async fn enquiring_lane(worker: PayoutWorker, mut stop: Stop) {
    let mut pause = worker.enquire_every;
    while !*stop.borrow() {
        match enquire_once(&*worker.store, &*worker.bank, worker.enquiries_max).await {
            // The bank does not want to be asked now, whatever is due.
            Ok(Enquired { retry_after: Some(asked), .. }) => pause = asked.min(LONGEST_WAIT).max(worker.enquire_every),
            Ok(turn) if turn.asked > 0 && turn.without_answer < turn.asked => pause = Duration::ZERO,
            // Nothing due, or a bank that does not answer: no hurry.
            Ok(_) => pause = worker.enquire_every,
            Err(error) => {
                warn!(%error, "enquiries wait for the store");
                pause = (pause.max(FIRST_PAUSE) * 2).min(LONGEST_PAUSE);
            }
        }
        wait(&worker, pause, &mut stop).await;
    }
}

async fn sweeping_lane(worker: PayoutWorker, bell: Arc<Notify>, mut stop: Stop) {
    worker.metrics.sweep_started("payout", worker.sweep_every, SystemTime::now());
    while !*stop.borrow() {
        let mut pause = worker.sweep_every;
        match sweep_once(&*worker.store, worker.sweep_max).await {
            Ok(swept) => {
                worker.metrics.leases_expired(u64::from(swept.leases_expired));
                worker.metrics.sweep_ran("payout", SystemTime::now());
                if swept.is_full(worker.sweep_max) {
                    pause = Duration::ZERO;
                }
                // Whatever it freed can be sent; a look is cheap.
                bell.notify_waiters();
            }
            Err(error) => warn!(%error, "the sweep waits for the store"),
        }
        wait(&worker, pause, &mut stop).await;
    }
}

/// Doorbells only wake: what is to be sent stands in the database. They are acknowledged at once, for losing one costs no
/// more than the pause between two sweeps.
async fn listen(mut doorbell: Box<dyn Consumer>, bell: Arc<Notify>, mut stop: Stop, count: impl Fn(usize)) {
    loop {
        let deliveries = tokio::select! {
            deliveries = doorbell.next_batch(DOORBELLS_MAX) => deliveries,
            _ = stop.wait_for(|stopped| *stopped) => break,
        };
        match deliveries {
            Ok(deliveries) => {
                count(deliveries.len());
                bell.notify_waiters();
                // A lane that is busy looks again by itself; one that is just going to sleep must hear it too.
                bell.notify_one();
                let tags: Vec<_> = deliveries.iter().map(|one| one.tag).collect();
                if let Err(error) = doorbell.acknowledge(&tags).await {
                    warn!(%error, "doorbells could not be acknowledged; they ring again");
                }
            }
            Err(QueueError::Disconnected(why)) => {
                warn!(why, "the doorbell is silent; the sweep finds what is to be sent")
            }
            Err(QueueError::Closed) => break,
        }
    }
    doorbell.close().await;
}

async fn wait(worker: &PayoutWorker, length: Duration, stop: &mut Stop) {
    if length.is_zero() {
        return;
    }
    tokio::select! {
        () = worker.time.pause(length) => {}
        _ = stop.wait_for(|stopped| *stopped) => {}
    }
}
