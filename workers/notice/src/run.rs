//! The running worker: a lane that makes notices, two that send and ask ([`crate::send`]), one that reads bounces, one that listens to
//! the doorbell, and one for upkeep. Each is a loop around one step; a drain lets what is under way finish
//! and books it.

use crate::bounces::bounces_once;
use crate::carry::{Hands, MAIL};
use crate::send::{booking_lane, taking_lane};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tracing::{error, info, warn};
use zhida_core::ports::mail::BounceReader;
use zhida_core::ports::notices::NoticeStore;
use zhida_core::ports::queue::{Consumer, QueueError};
use zhida_monitoring::Metrics;
use zhida_monitoring::metrics::NoticeReceipt;

/// Turns true when the process drains.
pub type Stop = watch::Receiver<bool>;

/// The name of its sweep in figures and alerts.
pub const SWEEP: &str = "notices";

/// The name of the sweep over requests.
const REQUESTS_SWEEP: &str = "notice_requests";

/// The name of the sweep over bounces.
const BOUNCES_SWEEP: &str = "bounces";

/// Everything a notice worker needs.
#[derive(Clone)]
pub struct NoticeWorker {
    /// The store.
    pub store: Arc<dyn NoticeStore>,
    /// Providers, and the clock that their calls are timed by.
    pub hands: Hands,
    /// Bounces of mail, where a folder is set.
    pub bounces: Option<Arc<dyn BounceReader>>,
    /// Calls open at once.
    pub parallel_calls: u32,
    /// Requests, notices or bounces in one transaction at most.
    pub batch_max: u32,
    /// Pause between looks at what is due when no doorbell rings.
    pub every: Duration,
}

impl NoticeWorker {
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.hands.metrics
    }
}

/// Who is woken by a doorbell.
#[derive(Clone, Default)]
pub(crate) struct Bells {
    make: Arc<Notify>,
    pub(crate) send: Arc<Notify>,
}

impl Bells {
    fn ring(&self) {
        // Kept for a lane that is just busy: it looks again when it is done.
        self.make.notify_one();
        self.send.notify_one();
    }
}

/// Pauses after errors of the store: growing from the first to the second.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(500);
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Pause between two times of upkeep.
const UPKEEP_EVERY: Duration = Duration::from_secs(3600);

/// Doorbells taken in one go; they all say the same.
const DOORBELLS_MAX: usize = 100;

/// Runs until `stop` turns true and what was under way is booked. (Doorbells delivered too often are the payout worker's; what they
/// rang for is found by the sweep.)
pub async fn run(worker: NoticeWorker, doorbell: Box<dyn Consumer>, stop: Stop) {
    worker.hands.names().for_each(|name| worker.metrics().notice_provider(name));
    let bells = Bells::default();
    let mut lanes = JoinSet::new();
    lanes.spawn(making_lane(worker.clone(), bells.clone(), stop.clone()));
    let (ends, ended) = mpsc::channel(worker.batch_max.max(1) as usize);
    lanes.spawn(taking_lane(worker.clone(), ends, bells.clone(), stop.clone()));
    lanes.spawn(booking_lane(worker.clone(), ended, bells.clone()));
    lanes.spawn(upkeep_lane(worker.clone(), bells.clone(), stop.clone()));
    if let Some(bounces) = worker.bounces.clone() {
        lanes.spawn(bounces_lane(worker.clone(), bounces, bells.clone(), stop.clone()));
    }
    lanes.spawn(listen(doorbell, bells, stop));
    while let Some(ended) = lanes.join_next().await {
        if let Err(panicked) = ended {
            error!(%panicked, "a lane of the notice worker died; the process ends so that it is started anew");
            return;
        }
    }
    info!("notice worker drained");
}

async fn making_lane(worker: NoticeWorker, bells: Bells, mut stop: Stop) {
    worker.metrics().sweep_started(REQUESTS_SWEEP, worker.every, SystemTime::now());
    let mut pause = FIRST_PAUSE;
    while !*stop.borrow() {
        match worker.store.make_notices(worker.batch_max).await {
            Ok(dealt_with) => {
                pause = FIRST_PAUSE;
                worker.metrics().sweep_ran(REQUESTS_SWEEP, SystemTime::now());
                if dealt_with > 0 {
                    // However many wait behind them, these are sent now.
                    bells.send.notify_one();
                } else {
                    woken(&worker, &bells.make, worker.every, &mut stop).await;
                }
            }
            Err(error) => {
                warn!(%error, "making notices waits for the store");
                wait(&worker, pause, &mut stop).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

async fn bounces_lane(worker: NoticeWorker, bounces: Arc<dyn BounceReader>, bells: Bells, mut stop: Stop) {
    worker.metrics().sweep_started(BOUNCES_SWEEP, worker.every, SystemTime::now());
    while !*stop.borrow() {
        match bounces_once(&*worker.store, &*bounces, worker.batch_max as usize).await {
            Ok(booked) => {
                worker.metrics().sweep_ran(BOUNCES_SWEEP, SystemTime::now());
                let metrics = worker.metrics();
                metrics.notice_receipts(MAIL, NoticeReceipt::Booked, booked.booked);
                metrics.notice_receipts(MAIL, NoticeReceipt::Repeated, booked.repeated);
                metrics.notice_receipts(MAIL, NoticeReceipt::Unmatched, booked.unmatched);
                if booked.booked > 0 {
                    bells.send.notify_one();
                }
            }
            Err(error) => warn!(%error, "bounces wait"),
        }
        wait(&worker, worker.every, &mut stop).await;
    }
}

/// At the start and every hour: whoever starts may know other ceilings and providers than those before, and a table that grows for ever
/// slows everything down.
async fn upkeep_lane(worker: NoticeWorker, bells: Bells, mut stop: Stop) {
    while !*stop.borrow() {
        if let Err(error) = worker.store.forget_old().await {
            warn!(%error, "what nobody needs any more of notices is kept for another hour");
        }
        let pause = match worker.store.look_again().await {
            Ok(()) => UPKEEP_EVERY,
            Err(error) => {
                warn!(%error, "what a ceiling holds back waits for the store");
                LONGEST_PAUSE
            }
        };
        bells.send.notify_one();
        wait(&worker, pause, &mut stop).await;
    }
}

/// Doorbells only wake: what is to be done stands in the database. They are acknowledged at once, for losing one costs no more than the
/// pause between two sweeps.
async fn listen(mut doorbell: Box<dyn Consumer>, bells: Bells, mut stop: Stop) {
    loop {
        let deliveries = tokio::select! {
            deliveries = doorbell.next_batch(DOORBELLS_MAX) => deliveries,
            _ = stop.wait_for(|stopped| *stopped) => break,
        };
        match deliveries {
            Ok(deliveries) => {
                bells.ring();
                let tags: Vec<_> = deliveries.iter().map(|one| one.tag).collect();
                if let Err(error) = doorbell.acknowledge(&tags).await {
                    warn!(%error, "doorbells could not be acknowledged; they ring again");
                }
            }
            Err(QueueError::Disconnected(why)) => warn!(why, "the doorbell is silent; the sweep finds what is due"),
            Err(QueueError::Closed) => break,
        }
    }
    doorbell.close().await;
}

/// Takes doorbells off the queue where nothing can be sent: kept, they would fill it, and whoever rings would wait.
pub async fn only_listen(doorbell: Box<dyn Consumer>, stop: Stop) {
    listen(doorbell, Bells::default(), stop).await;
}

async fn woken(worker: &NoticeWorker, bell: &Notify, every: Duration, stop: &mut Stop) {
    tokio::select! {
        () = bell.notified() => {}
        () = worker.hands.time.pause(every) => {}
        _ = stop.wait_for(|stopped| *stopped) => {}
    }
}

pub(crate) async fn wait(worker: &NoticeWorker, length: Duration, stop: &mut Stop) {
    tokio::select! {
        () = worker.hands.time.pause(length) => {}
        _ = stop.wait_for(|stopped| *stopped) => {}
    }
}
