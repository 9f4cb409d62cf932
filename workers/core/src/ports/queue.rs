//! The queue as workers see it: deliveries in, messages out. The database is the truth; a message lost, doubled or
//! reordered costs time and never money.

use async_trait::async_trait;
use thiserror::Error;

/// What came in, unread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The payload as it came.
    pub body: Vec<u8>,
    /// Routing key it was published under.
    pub routing_key: String,
    /// To acknowledge it by; valid only on the connection that brought it.
    pub tag: DeliveryTag,
}

/// Names a delivery on the connection (its `session`) that brought it. A tag of an earlier connection is ignored: the
/// broker delivers that message again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeliveryTag {
    /// Which connection, counted from 1.
    pub session: u64,
    /// Which delivery on it.
    pub number: u64,
}

/// Why the queue could not serve. Everything here passes: the caller goes on when the queue is back.
#[derive(Debug, Error)]
pub enum QueueError {
    /// The connection is down or was rebuilt; deliveries from before are void.
    #[error("the queue is not reachable now ({0}); it reconnects by itself")]
    Disconnected(String),
    /// The worker is draining.
    #[error("the queue was closed for a drain")]
    Closed,
}

/// A queue being consumed.
#[async_trait]
pub trait Consumer: Send {
    /// Waits for at least one delivery and returns what has arrived by then, at most `max`.
    async fn next_batch(&mut self, max: usize) -> Result<Vec<Delivery>, QueueError>;

    /// Acknowledges; call only after the commit that makes the messages superfluous.
    async fn acknowledge(&mut self, tags: &[DeliveryTag]) -> Result<(), QueueError>;

    /// Gives deliveries back for another try (counted by the broker's delivery limit).
    async fn give_back(&mut self, tags: &[DeliveryTag]) -> Result<(), QueueError>;

    /// Stops the consumption and closes; unacknowledged deliveries go back to the broker.
    async fn close(&mut self);
}

/// A message to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingMessage {
    /// Where it goes.
    pub destination: Destination,
    /// Stable over every repetition: the outbox row's id.
    pub message_id: String,
    /// The payload.
    pub body: Vec<u8>,
}

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Destination {
    /// `zhida.out`, for anyone who binds a queue; the routing key is the event's type.
    World {
        /// CloudEvents type.
        event_type: String,
    },
    /// A doorbell to the payout workers (`zhida.work`, `zhida.payout.v1`).
    PayoutDoorbell,
    /// A doorbell to the notice workers (`zhida.work`, `zhida.notice.v1`).
    NoticeDoorbell,
}

/// What became of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// The broker has it (for the world also when nobody has bound a queue: nobody wanted it).
    Confirmed,
    /// Returned although it must have a queue (doorbells): keep the row.
    Unroutable,
    /// Refused or unconfirmed: keep the row and try again.
    NotConfirmed(String),
}

/// Publishes with confirms.
#[async_trait]
pub trait Publisher: Send + Sync {
    /// Publishes `messages` and waits for every confirm, within a time limit; one result per message, in order.
    async fn publish(&self, messages: &[OutgoingMessage]) -> Vec<Published>;
}
