//! One life of one connection with its channel, and the pauses between such lives. A session is used until its first
//! error and then dropped whole; who owns it builds the next one. Nothing of an earlier session is used in a later one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lapin::options::BasicQosOptions;
use lapin::{Channel, Connection};

use super::topology::{self, Part};
use super::wire::{self, Scissors};
use super::{RabbitError, RabbitSettings, within};

/// A connection with one channel. Dropping it ends the connection at once, whatever it was doing.
pub(super) struct Session {
    pub(super) connection: Connection,
    pub(super) channel: Channel,
    _end: CutOnDrop,
    step_timeout: Duration,
}

impl Session {
    /// Connects, declares `parts` and opens a channel; every step has its time limit.
    pub(super) async fn open(settings: &RabbitSettings, parts: &[Part]) -> Result<Self, RabbitError> {
        let limit = settings.step_timeout;
        let scissors = Arc::new(Scissors::default());
        // From here on a failure, a time-out and a caller who loses interest all end the connection.
        let end = CutOnDrop(Arc::clone(&scissors));
        let connection = within(limit, "connect", wire::connect(settings, &scissors)).await?;
        for part in parts {
            topology::declare(&connection, limit, *part).await?;
        }
        let channel = within(limit, "open a channel", connection.create_channel()).await?;
        Ok(Self { connection, channel, _end: end, step_timeout: limit })
    }

    /// At most `prefetch` unsettled deliveries for each consumer of the channel.
    pub(super) async fn limit_prefetch(&self, prefetch: u16) -> Result<(), RabbitError> {
        let answer = self.channel.basic_qos(prefetch, BasicQosOptions { global: false });
        within(self.step_timeout, "set the prefetch", answer).await
    }

    /// A fresh channel after the broker has closed the old one.
    pub(super) async fn reopen_channel(&mut self) -> Result<(), RabbitError> {
        self.channel = within(self.step_timeout, "open a channel", self.connection.create_channel()).await?;
        Ok(())
    }

    /// Says goodbye, so that the broker need not wait for anything; then ends like a drop.
    pub(super) async fn close(self) {
        let farewell = self.connection.close(200, "closed by zhida".into());
        if let Err(error) = within(self.step_timeout, "close the connection", farewell).await {
            tracing::debug!(%error, "the farewell to RabbitMQ failed; the connection was dropped");
        }
    }
}

struct CutOnDrop(Arc<Scissors>);

impl Drop for CutOnDrop {
    fn drop(&mut self) {
        self.0.cut();
    }
}

/// Pauses between connections: doubling from the first to the longest, each shortened by up to half at random so that
/// the workers of a district do not return all at once. A session that lived longer than the longest pause starts over.
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
    opened: Option<Instant>,
    openings: u64,
    reconnected: Option<super::Reconnected>,
}

impl Backoff {
    pub(super) fn new(settings: &RabbitSettings) -> Self {
        Self {
            first: settings.first_pause,
            longest: settings.longest_pause,
            failures: 0,
            opened: None,
            openings: 0,
            reconnected: settings.reconnected.clone(),
        }
    }

    /// Waits as long as the failures so far ask for; not at all at first.
    pub(super) async fn pause(&self) {
        let pause = self.ceiling();
        if !pause.is_zero() {
            tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
        }
    }

    pub(super) fn opened(&mut self) {
        self.opened = Some(Instant::now());
        self.openings += 1;
        if let Some(reconnected) = self.reconnected.as_ref().filter(|_| self.openings > 1) {
            reconnected();
        }
    }

    pub(super) fn failed(&mut self) {
        if self.opened.take().is_some_and(|opened| opened.elapsed() > self.longest) {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
    }

    fn ceiling(&self) -> Duration {
        match self.failures {
            0 => Duration::ZERO,
            failures => self.first.saturating_mul(1 << (failures - 1).min(16)).min(self.longest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn backoff(first: Duration, longest: Duration) -> Backoff {
        Backoff { first, longest, failures: 0, opened: None, openings: 0, reconnected: None }
    }

    #[test]
    fn the_second_connection_and_every_later_one_is_a_reconnection() {
        let count = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&count);
        let mut backoff = backoff(Duration::ZERO, Duration::ZERO);
        backoff.reconnected = Some(Arc::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
        }));
        for expected in [0, 1, 2] {
            backoff.opened();
            backoff.failed();
            backoff.failed(); // and one that never opened
            assert_eq!(count.load(Ordering::Relaxed), expected);
        }
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let mut backoff = backoff(Duration::from_millis(100), Duration::from_secs(1));
        let mut ceilings = vec![backoff.ceiling().as_millis()];
        for _ in 0..40 {
            backoff.failed();
            ceilings.push(backoff.ceiling().as_millis());
        }
        assert_eq!(ceilings[..7], [0, 100, 200, 400, 800, 1000, 1000]);
        assert_eq!(ceilings.last(), Some(&1000));
    }

    #[test]
    fn a_long_life_is_forgiven_and_a_short_one_is_not() {
        let mut backoff = backoff(Duration::from_millis(1), Duration::ZERO);
        backoff.failures = 9;
        backoff.opened = Instant::now().checked_sub(Duration::from_secs(1));
        backoff.failed();
        assert_eq!(backoff.failures, 1);
        backoff.failed(); // never opened
        assert_eq!(backoff.failures, 2);
    }
}
