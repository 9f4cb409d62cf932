//! The door through which events come in, as those see it who only hand them on: the HTTP API, the command line, the demo.

use crate::ports::store::StoreError;
use crate::steps::{ActOutcome, Quarantined};
use async_trait::async_trait;

/// A message as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    /// The bytes.
    pub body: Vec<u8>,
    /// The routing key, where it came through the broker.
    pub routing_key: Option<String>,
    /// By which way: `amqp`, `http`, `submit`, `replay`.
    pub way: &'static str,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handed {
    /// New and durable.
    Accepted,
    /// Seen before; nothing changed.
    Duplicate,
    /// An operator's act, done or waiting for a second officer.
    Acted(ActOutcome),
    /// An authentic act of an operator that roles, four eyes or the payout's state forbid, and why. The journal keeps it; it is
    /// nothing to mend and hand in again, so it is not in quarantine.
    Refused(String),
    /// In quarantine, with the reason.
    Quarantined(Quarantined),
}

/// Takes events in.
#[async_trait]
pub trait EventDoor: Send + Sync {
    /// Takes in a batch: one result for each message, in order. It arrives now by the database's clock, by which the age of an
    /// act and the validity of a key are judged.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not serve. Part of the batch may have been taken in: hand the whole batch in
    /// again, what was taken in is a duplicate then.
    async fn hand_in(&self, raws: &[Raw]) -> Result<Vec<Handed>, StoreError>;
}
