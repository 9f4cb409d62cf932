//! Time as a worker feels it: how long something took, and waiting. Dates and deadlines come from the database, never from here.

use async_trait::async_trait;
use std::time::Duration;

/// A stopwatch that never goes back, and pauses. Tests and the simulator bring their own.
#[async_trait]
pub trait Time: Send + Sync {
    /// Time since some fixed moment.
    fn elapsed(&self) -> Duration;

    /// Waits.
    async fn pause(&self, length: Duration);
}
