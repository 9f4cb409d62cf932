//! The running worker: a lane that makes notices, one that sends and asks, one that reads bounces, and one that listens to the doorbell.
//! Each is a loop around one step; a drain lets what is under way finish and books it.

use crate::bounces::bounces_once;
use crate::carry::{Hands, MAIL};
use crate::turn::{book, make_once};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tracing::{error, info, warn};
use zhida_core::ports::mail::BounceReader;
use zhida_core::ports::notices::{Errand, ErrandEnd, NoticeStore};
use zhida_core::ports::queue::{Consumer, QueueError};
use zhida_core::ports::sms::SendOutcome;
use zhida_core::ports::store::StoreError;
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
    fn metrics(&self) -> &Metrics {
        &self.hands.metrics
    }
}

/// Who is woken by a doorbell.
#[derive(Clone, Default)]
struct Bells {
    make: Arc<Notify>,
    send: Arc<Notify>,
}

impl Bells {
    fn ring(&self) {
        // Kept for a lane that is just busy: it looks again when it is done.
        self.make.notify_one();
        self.send.notify_one();
    }
}

/// Pauses after errors of the store: growing from the first to the second.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Doorbells taken in one go; they all say the same.
const DOORBELLS_MAX: usize = 100;

/// Runs until `stop` turns true and what was under way is booked. (Doorbells delivered too often are the payout worker's; what they
/// rang for is found by the sweep.)
pub async fn run(worker: NoticeWorker, doorbell: Box<dyn Consumer>, stop: Stop) {
    worker.hands.names().for_each(|name| worker.metrics().notice_provider(name));
    let bells = Bells::default();
    let mut lanes = JoinSet::new();
    lanes.spawn(making_lane(worker.clone(), bells.clone(), stop.clone()));
    lanes.spawn(sending_lane(worker.clone(), bells.clone(), stop.clone()));
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
        match make_once(&*worker.store, worker.batch_max).await {
            Ok(dealt_with) => {
                pause = FIRST_PAUSE;
                worker.metrics().sweep_ran(REQUESTS_SWEEP, SystemTime::now());
                if dealt_with > 0 {
                    bells.send.notify_one();
                }
                woken(&worker, &bells.make, worker.every, &mut stop).await;
            }
            Err(error) => {
                warn!(%error, "making notices waits for the store");
                wait(&worker, pause, &mut stop).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// What the sending lane has in its hands.
struct Table {
    worker: NoticeWorker,
    calls: JoinSet<ErrandEnd>,
    places: Arc<Semaphore>,
    stop: Stop,
}

async fn sending_lane(worker: NoticeWorker, bells: Bells, mut stop: Stop) {
    worker.metrics().sweep_started(SWEEP, worker.every, SystemTime::now());
    let parallel = worker.parallel_calls.max(1);
    let places = Arc::new(Semaphore::new(parallel as usize));
    let mut table = Table { worker, calls: JoinSet::new(), places, stop: stop.clone() };
    let (mut pause, mut more) = (FIRST_PAUSE, More::Perhaps);
    while !*stop.borrow() {
        if more == More::Perhaps && 2 * table.room(parallel) >= parallel {
            match table.take(table.room(parallel)).await {
                Ok(found) => (pause, more) = (FIRST_PAUSE, found),
                Err(error) => {
                    warn!(%error, "sending notices waits for the store");
                    wait(&table.worker, pause, &mut stop).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
            continue;
        }
        let every = table.worker.every;
        let time = table.worker.hands.time.clone();
        let ended = tokio::select! {
            Some(end) = table.calls.join_next() => Some(end),
            () = bells.send.notified() => None,
            () = time.pause(every) => None,
            _ = stop.wait_for(|stopped| *stopped) => None,
        };
        more = match ended {
            Some(end) => table.book(end).await.or(more),
            None => More::Perhaps,
        };
    }
    // What is under way is finished; what waits for a place is left.
    while let Some(end) = table.calls.join_next().await {
        let _ = table.book(end).await;
    }
}

/// Whether more may be due.
#[derive(Clone, Copy, PartialEq, Eq)]
enum More {
    Perhaps,
    No,
}

impl More {
    fn or(self, other: Self) -> Self {
        match self {
            Self::Perhaps => self,
            Self::No => other,
        }
    }

    /// What was taken in waits for a receipt; after anything else something may have to be done at once.
    fn after(ends: &[ErrandEnd]) -> Self {
        let quiet = ends.iter().all(|end| matches!(end, ErrandEnd::Sent { outcome: SendOutcome::Accepted { .. }, .. }));
        if quiet { Self::No } else { Self::Perhaps }
    }
}

impl Table {
    /// Calls that could begin now.
    fn room(&self, parallel: u32) -> u32 {
        parallel.saturating_sub(u32::try_from(self.calls.len()).unwrap_or(u32::MAX))
    }

    /// Takes errands of as many notices as there is room for, and begins to carry them out.
    async fn take(&mut self, room: u32) -> Result<More, StoreError> {
        let worker = &self.worker;
        // The lease runs by the database's clock from some moment after this one.
        let taken_at = worker.hands.time.elapsed();
        let errands = worker.store.take_errands(room.min(worker.batch_max).max(1)).await?;
        worker.metrics().sweep_ran(SWEEP, SystemTime::now());
        let more = if errands.is_empty() { More::No } else { More::Perhaps };
        for errand in errands {
            self.begin(errand, taken_at);
        }
        Ok(more)
    }

    fn begin(&mut self, errand: Errand, taken_at: Duration) {
        let (hands, places, stop) = (self.worker.hands.clone(), self.places.clone(), self.stop.clone());
        self.calls.spawn(async move {
            let place = places.acquire().await;
            if place.is_err() || *stop.borrow() {
                return hands.leave(errand);
            }
            hands.carry(errand, taken_at).await
        });
    }

    /// Books an end, with all that have come meanwhile.
    async fn book(&mut self, first: Result<ErrandEnd, JoinError>) -> More {
        let mut ended = vec![first];
        while let Some(end) = self.calls.try_join_next() {
            ended.push(end);
        }
        let mut ends = Vec::with_capacity(ended.len());
        for end in ended {
            match end {
                Ok(end) => ends.push(end),
                Err(panicked) => {
                    error!(%panicked, "a call to a provider died; its message is asked for when its lease is over")
                }
            }
        }
        for part in ends.chunks(self.worker.batch_max.max(1) as usize) {
            if let Err(error) = book(&*self.worker.store, &*self.worker.hands.time, part).await {
                error!(%error, count = part.len(), "ends of messages are left to their leases; they are asked for");
            }
        }
        More::after(&ends)
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

async fn wait(worker: &NoticeWorker, length: Duration, stop: &mut Stop) {
    tokio::select! {
        () = worker.hands.time.pause(length) => {}
        _ = stop.wait_for(|stopped| *stopped) => {}
    }
}
