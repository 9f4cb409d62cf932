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

/// Name under which doorbells arrive, the same as over RabbitMQ.
const DOORBELL_KEY: &str = "zhida.payout.v1";

/// The doorbells of one process. Clones share them.
#[derive(Clone)]
pub struct EmbeddedQueue {
    shared: Arc<Shared>,
}

impl EmbeddedQueue {
    /// A queue that holds at most `capacity` doorbells; a publisher that finds it full keeps its outbox row and tries
    /// again.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let state = State { waiting: VecDeque::new(), sessions: 0 };
        Self { shared: Arc::new(Shared { capacity, state: Mutex::new(state), rung: Notify::new() }) }
    }

    /// For the relay.
    #[must_use]
    pub fn publisher(&self) -> EmbeddedPublisher {
        EmbeddedPublisher { shared: Arc::clone(&self.shared) }
    }

    /// For a payout worker; several compete for the doorbells.
    #[must_use]
    pub fn doorbell(&self) -> EmbeddedDoorbell {
        let mut state = self.shared.state();
        state.sessions += 1;
        EmbeddedDoorbell {
            shared: Arc::clone(&self.shared),
            session: state.sessions,
            given: 0,
            unsettled: BTreeMap::new(),
            life: Life::Consuming,
        }
    }
}

/// Rings doorbells in this process. Events for the world have nobody to go to: they are confirmed and stay in the
/// outbox table, where they can be read.
pub struct EmbeddedPublisher {
    shared: Arc<Shared>,
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
            Destination::PayoutDoorbell => {
                let mut state = self.shared.state();
                if state.waiting.len() >= self.shared.capacity {
                    return Published::NotConfirmed(format!(
                        "{} doorbells wait already and nobody takes them; ring again later",
                        self.shared.capacity
                    ));
                }
                state.waiting.push_back(message.body.clone());
                drop(state);
                self.shared.rung.notify_one();
                Published::Confirmed
            }
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
                Delivery { body, routing_key: DOORBELL_KEY.to_owned(), tag }
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

struct Shared {
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
