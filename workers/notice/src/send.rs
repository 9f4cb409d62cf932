//! Sending, as two lanes: one takes what is due and begins the calls, the other books how they ended. Neither waits for the other's
//! transactions. Ends that come while a booking is under way are booked together by the next one, and where several have come by then, it
//! gives those that are about to come a moment.

use crate::run::{Bells, FIRST_PAUSE, LONGEST_PAUSE, NoticeWorker, SWEEP, Stop, wait};
use crate::turn::book;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::task::{JoinError, JoinSet};
use tracing::{error, warn};
use zhida_core::ports::notices::{Errand, ErrandEnd};
use zhida_core::ports::sms::SendOutcome;
use zhida_core::ports::store::StoreError;

/// What was taken is to be under way within so long: as long as that holds, more is taken at once. What waits for its place twice as
/// long is given back, so that whoever stops all sending sees it end.
const GONE_WITHIN: Duration = Duration::from_secs(1);

/// So many times the calls that may be under way are in hand at most: whoever is killed leaves no more than that in doubt.
const AHEAD_MAX: usize = 4;

/// Where several ends have come, so long is waited for more of them. Booking many is one transaction as booking few, and costs hardly more.
const GATHERED_FOR: Duration = Duration::from_millis(20);

/// So many calls of one taking to one provider that fail in a row: the rest of that taking is left, for another provider or another
/// time. As many as shut a provider.
const FAILURES_MAX: u32 = 5;

/// Takes what is due while there is room for it, until `stop` turns true and every call has ended.
pub(crate) async fn taking_lane(worker: NoticeWorker, ends: Sender<ErrandEnd>, bells: Bells, mut stop: Stop) {
    worker.metrics().sweep_started(SWEEP, worker.every, SystemTime::now());
    let mut table = Table::new(worker, ends, stop.clone());
    let (mut pause, mut more) = (FIRST_PAUSE, More::Perhaps);
    while !*stop.borrow() {
        if more == More::Perhaps && table.has_room() {
            match table.take().await {
                Ok(found) => (pause, more) = (FIRST_PAUSE, found),
                Err(error) => {
                    warn!(%error, "sending notices waits for the store");
                    wait(&table.worker, pause, &mut stop).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
            continue;
        }
        let (every, time) = (table.worker.every, table.worker.hands.time.clone());
        tokio::select! {
            Some(call) = table.calls.join_next() => table.over(call),
            () = bells.send.notified() => more = More::Perhaps,
            () = time.pause(every) => more = More::Perhaps,
            _ = stop.wait_for(|stopped| *stopped) => {}
        }
    }
    // What is under way is finished; what waits for a place is left.
    while let Some(call) = table.calls.join_next().await {
        table.over(call);
    }
}

/// Books ends until nobody is left to send any.
pub(crate) async fn booking_lane(worker: NoticeWorker, mut ended: Receiver<ErrandEnd>, bells: Bells) {
    let max = worker.batch_max.max(1) as usize;
    let mut ends = Vec::new();
    while ended.recv_many(&mut ends, max).await > 0 {
        // One that comes alone is booked at once: nothing is under way that would be worth waiting for.
        if ends.len() > 1 {
            gather(&worker, &mut ended, &mut ends, max).await;
        }
        if let Err(error) = book(&*worker.store, &*worker.hands.time, &ends).await {
            error!(%error, count = ends.len(), "ends of messages are left to their leases; they are asked for");
        }
        // What was taken in waits for a receipt; after anything else something may have to be done at once.
        if !ends.iter().all(|end| matches!(end, ErrandEnd::Sent { outcome: SendOutcome::Accepted { .. }, .. })) {
            bells.send.notify_one();
        }
        ends.clear();
    }
}

/// Waits a moment for more ends, as long as there are fewer than `max`.
async fn gather(worker: &NoticeWorker, ended: &mut Receiver<ErrandEnd>, ends: &mut Vec<ErrandEnd>, max: usize) {
    let mut over = worker.hands.time.pause(GATHERED_FOR);
    while ends.len() < max {
        let room = max - ends.len();
        tokio::select! {
            more = ended.recv_many(ends, room) => if more == 0 { return },
            () = &mut over => return,
        }
    }
}

/// Whether more may be due.
#[derive(Clone, Copy, PartialEq, Eq)]
enum More {
    Perhaps,
    No,
}

/// What the taking lane has in its hands.
struct Table {
    worker: NoticeWorker,
    calls: JoinSet<()>,
    ends: Sender<ErrandEnd>,
    places: Arc<Semaphore>,
    stop: Stop,
    /// So many may be in hand, under way or waiting for a place.
    ahead: usize,
    /// When as much as there was room for was last taken, by the stopwatch.
    filled_at: Option<Duration>,
}

impl Table {
    fn new(worker: NoticeWorker, ends: Sender<ErrandEnd>, stop: Stop) -> Self {
        let parallel = worker.parallel_calls.max(1) as usize;
        let places = Arc::new(Semaphore::new(parallel));
        Self { worker, calls: JoinSet::new(), ends, places, stop, ahead: parallel, filled_at: None }
    }

    /// Whether it is time to take more: nothing waits for a place any more. A transaction for many costs hardly more than one for few.
    fn has_room(&self) -> bool {
        let parallel = self.worker.parallel_calls.max(1) as usize;
        self.calls.len() <= parallel.min(self.ahead / 2)
    }

    /// Takes errands of as many notices as there is room for, and begins to carry them out.
    async fn take(&mut self) -> Result<More, StoreError> {
        // The lease runs by the database's clock from some moment after this one.
        let taken_at = self.worker.hands.time.elapsed();
        self.look_further(taken_at);
        let worker = &self.worker;
        let room = u32::try_from(self.ahead.saturating_sub(self.calls.len())).unwrap_or(u32::MAX);
        let room = room.min(worker.batch_max).max(1);
        let errands = worker.store.take_errands(room).await?;
        worker.metrics().sweep_ran(SWEEP, SystemTime::now());
        let more = if errands.is_empty() { More::No } else { More::Perhaps };
        let failures = Failures::of(&errands);
        self.filled_at = (errands.len() >= room as usize).then_some(taken_at);
        for errand in errands {
            self.begin(errand, taken_at, &failures);
        }
        Ok(more)
    }

    /// A transaction for a few messages costs as much as one for many, but what lies here for long loses its lease, and cannot go
    /// another way meanwhile. So as much is taken as is gone within a second.
    fn look_further(&mut self, now: Duration) {
        let parallel = self.worker.parallel_calls.max(1) as usize;
        let most = (AHEAD_MAX * parallel).min(self.worker.batch_max as usize).max(parallel);
        let fast = self.filled_at.is_some_and(|at| now.saturating_sub(at) <= GONE_WITHIN);
        self.ahead = if fast { (2 * self.ahead).min(most) } else { parallel };
    }

    fn begin(&mut self, errand: Errand, taken_at: Duration, failures: &Failures) {
        let (hands, places, stop) = (self.worker.hands.clone(), self.places.clone(), self.stop.clone());
        let (ends, failures) = (self.ends.clone(), failures.clone());
        self.calls.spawn(async move {
            let place = places.acquire().await;
            let end = if place.is_err() || *stop.borrow() {
                hands.leave(errand, "is not called any more: the worker drains")
            } else if hands.time.elapsed().saturating_sub(taken_at) > 2 * GONE_WITHIN {
                hands.leave(errand, "is not called: it has waited for its place for too long")
            } else if failures.are_many(&errand) {
                hands.leave(errand, "is not called: one call to it after the other has just failed")
            } else {
                let provider = errand.provider().to_owned();
                let end = hands.carry(errand, taken_at).await;
                failures.note(&provider, &end);
                end
            };
            drop(place);
            // Whoever books lives as long as somebody is here; while it cannot, nothing more is taken.
            let _ = ends.send(end).await;
        });
    }

    fn over(&self, call: Result<(), JoinError>) {
        if let Err(panicked) = call {
            error!(%panicked, "a call to a provider died; its message is asked for when its lease is over");
        }
    }
}

/// Calls of one taking that failed in a row, by provider.
#[derive(Clone)]
struct Failures(Arc<BTreeMap<String, AtomicU32>>);

impl Failures {
    fn of(errands: &[Errand]) -> Self {
        Self(Arc::new(errands.iter().map(|errand| (errand.provider().to_owned(), AtomicU32::new(0))).collect()))
    }

    /// Whether the next one is not worth trying. Questions always are.
    fn are_many(&self, errand: &Errand) -> bool {
        let failed = self.0.get(errand.provider()).map_or(0, |count| count.load(Ordering::Relaxed));
        match errand {
            Errand::SendSms { .. } | Errand::SendMail { .. } => failed >= FAILURES_MAX,
            Errand::Ask { .. } => false,
        }
    }

    fn note(&self, provider: &str, end: &ErrandEnd) {
        let ErrandEnd::Sent { outcome, .. } = end else { return };
        let Some(count) = self.0.get(provider) else { return };
        match outcome {
            SendOutcome::Accepted { .. } => count.store(0, Ordering::Relaxed),
            SendOutcome::NotConnected { .. } | SendOutcome::Doubtful { .. } => {
                count.fetch_add(1, Ordering::Relaxed);
            }
            // It answered.
            SendOutcome::Refused { .. } => {}
        }
    }
}
