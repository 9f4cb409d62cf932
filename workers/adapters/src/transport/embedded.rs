//! The queue of a district that runs in one process: doorbells in memory, nothing else. The outbox table is the real
//! queue, so what is lost here with the process is rung again by the sweep. Intake has no embedded queue: HTTP and
//! `zhida submit` write straight into the store.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::Notify;
use zhida_core::ports::queue::{
    Consumer, Delivery, DeliveryTag, Destination, OutgoingMessage, Published, Publisher, QueueError,
};

/// The doorbells of one process. Clones share them.
#[derive(Clone)]
pub struct EmbeddedQueue {
    payout: Arc<Shared>,
    notice: Arc<Shared>,
}

impl EmbeddedQueue {
    /// A queue that holds at most `capacity` doorbells of each kind; a publisher that finds it full keeps its outbox row and
    /// tries again.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let bell = |name| {
            let state = Mutex::new(State { waiting: VecDeque::new(), sessions: 0 });
            Arc::new(Shared { name, capacity, state, rung: Notify::new() })
        };
        // The names under which doorbells arrive are the same as over RabbitMQ.
        Self { payout: bell("zhida.payout.v1"), notice: bell("zhida.notice.v1") }
    }

    /// For the relay.
    #[must_use]
    pub fn publisher(&self) -> EmbeddedPublisher {
        EmbeddedPublisher { queue: self.clone() }
    }

    /// For a payout worker; several compete for the doorbells.
    #[must_use]
    pub fn doorbell(&self) -> EmbeddedDoorbell {
        EmbeddedDoorbell::of(&self.payout)
    }

    /// For a notice worker; several compete for the doorbells.
    #[must_use]
    pub fn notice_doorbell(&self) -> EmbeddedDoorbell {
        EmbeddedDoorbell::of(&self.notice)
    }
}

/// Rings doorbells in this process. Events for the world have nobody to go to: they are confirmed and stay in the
/// outbox table, where they can be read.
pub struct EmbeddedPublisher {
    queue: EmbeddedQueue,
}

#[async_trait]
impl Publisher for EmbeddedPublisher {
    async fn publish(&self, messages: &[OutgoingMessage]) -> Vec<Published> {
        messages.iter().map(|message| self.publish_one(message)).collect()
    }
}

impl EmbeddedPublisher {
    fn publish_one(&self, message: &OutgoingMessage) -> Published {
        match message.destination {
            Destination::World { .. } => Published::Confirmed,
            Destination::PayoutDoorbell => self.queue.payout.ring(&message.body),
            Destination::NoticeDoorbell => self.queue.notice.ring(&message.body),
        }
    }
}

/// Takes doorbells in this process. What it has not acknowledged goes back when it is closed or dropped.
pub struct EmbeddedDoorbell {
    shared: Arc<Shared>,
    session: u64,
    given: u64,
    unsettled: BTreeMap<u64, Vec<u8>>,
    life: Life,
}

enum Life {
    Consuming,
    Closed,
}

#[async_trait]
impl Consumer for EmbeddedDoorbell {
    async fn next_batch(&mut self, max: usize) -> Result<Vec<Delivery>, QueueError> {
        loop {
            match self.life {
                Life::Closed => return Err(QueueError::Closed),
                Life::Consuming => {}
            }
            let batch = self.take(max.max(1));
            if !batch.is_empty() {
                return Ok(batch);
            }
            self.shared.rung.notified().await;
        }
    }

    async fn acknowledge(&mut self, tags: &[DeliveryTag]) -> Result<(), QueueError> {
        for tag in tags.iter().filter(|tag| tag.session == self.session) {
            self.unsettled.remove(&tag.number);
        }
        Ok(())
    }

    async fn give_back(&mut self, tags: &[DeliveryTag]) -> Result<(), QueueError> {
        let mut numbers: Vec<u64> =
            tags.iter().filter(|tag| tag.session == self.session).map(|tag| tag.number).collect();
        numbers.sort_unstable();
        let bodies: Vec<Vec<u8>> = numbers.iter().filter_map(|number| self.unsettled.remove(number)).collect();
        self.shared.put_back(bodies);
        Ok(())
    }

    async fn close(&mut self) {
        self.life = Life::Closed;
        self.put_everything_back();
    }
}

impl EmbeddedDoorbell {
    fn of(shared: &Arc<Shared>) -> Self {
        let mut state = shared.state();
        state.sessions += 1;
        Self {
            shared: Arc::clone(shared),
            session: state.sessions,
            given: 0,
            unsettled: BTreeMap::new(),
            life: Life::Consuming,
        }
    }

    fn take(&mut self, max: usize) -> Vec<Delivery> {
        let mut state = self.shared.state();
        let count = max.min(state.waiting.len());
        let bodies: Vec<Vec<u8>> = state.waiting.drain(..count).collect();
        let rest = state.waiting.len();
        drop(state);
        if rest > 0 {
            self.shared.rung.notify_one(); // one permit may stand for several doorbells: wake the next worker
        }
        bodies
            .into_iter()
            .map(|body| {
                self.given += 1;
                self.unsettled.insert(self.given, body.clone());
                let tag = DeliveryTag { session: self.session, number: self.given };
                Delivery { body, routing_key: self.shared.name.to_owned(), tag }
            })
            .collect()
    }

    fn put_everything_back(&mut self) {
        let bodies = std::mem::take(&mut self.unsettled).into_values().collect();
        self.shared.put_back(bodies);
    }
}

impl Drop for EmbeddedDoorbell {
    fn drop(&mut self) {
        self.put_everything_back();
    }
}

/// The doorbells of one kind.
struct Shared {
    name: &'static str,
    capacity: usize,
    state: Mutex<State>,
    /// A permit while doorbells wait.
    rung: Notify,
}

struct State {
    waiting: VecDeque<Vec<u8>>,
    sessions: u64,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the list as it was: every change is one push or drain.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self, body: &[u8]) -> Published {
        let mut state = self.state();
        if state.waiting.len() >= self.capacity {
            return Published::NotConfirmed(format!(
                "{} doorbells wait already and nobody takes them; ring again later",
                self.capacity
            ));
        }
        state.waiting.push_back(body.to_vec());
        drop(state);
        self.rung.notify_one();
        Published::Confirmed
    }

    /// To the front, oldest first, as a broker does; beyond the capacity if need be.
    fn put_back(&self, bodies: Vec<Vec<u8>>) {
        if bodies.is_empty() {
            return;
        }
        let mut state = self.state();
        for body in bodies.into_iter().rev() {
            state.waiting.push_front(body);
        }
        drop(state);
        self.rung.notify_one();
    }
}
