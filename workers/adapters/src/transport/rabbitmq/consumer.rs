//! One queue being consumed. The consumer is its own supervisor: any error, end or cancellation of the stream drops the
//! session, tells the worker that its deliveries are void, and the next call builds a new one.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use futures_util::{FutureExt, StreamExt};
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions};
use lapin::types::FieldTable;
use zhida_core::ports::queue::{Consumer, Delivery, DeliveryTag, QueueError};

use super::session::{Backoff, Session};
use super::settlement::{Frame, Unsettled};
use super::topology::Queue;
use super::{RabbitError, RabbitSettings, within};

/// Consumes one queue. It connects with the first call of `next_batch` and again whenever the connection was lost.
///
/// A worker that cannot work for long (its database is down) closes it and makes a new one afterwards: deliveries held
/// through an outage run into the broker's time-out, and giving them back again and again into the delivery limit.
pub struct RabbitConsumer {
    settings: RabbitSettings,
    queue: Queue,
    prefetch: u16,
    sessions: u64,
    backoff: Backoff,
    state: State,
}

enum State {
    Apart,
    Attached(Box<Attached>),
    Closed,
}

struct Attached {
    number: u64,
    session: Session,
    stream: lapin::Consumer,
    /// Arrived and not yet handed out; kept here so that a caller who stops waiting loses nothing.
    arrived: VecDeque<Delivery>,
    unsettled: Unsettled,
}

impl RabbitConsumer {
    /// Will consume `queue` with at most `prefetch` unsettled deliveries (at least 1).
    #[must_use]
    pub fn new(settings: RabbitSettings, queue: Queue, prefetch: u16) -> Self {
        let backoff = Backoff::new(&settings);
        Self { settings, queue, prefetch: prefetch.max(1), sessions: 0, backoff, state: State::Apart }
    }

    async fn attach(&mut self) -> Result<(), QueueError> {
        match self.state {
            State::Closed => return Err(QueueError::Closed),
            State::Attached(_) => return Ok(()),
            State::Apart => {}
        }
        self.backoff.pause().await;
        self.sessions += 1;
        match Attached::open(&self.settings, self.queue, self.prefetch, self.sessions).await {
            Ok(attached) => {
                tracing::info!(queue = self.queue.name(), session = self.sessions, "consuming");
                self.backoff.opened();
                self.state = State::Attached(Box::new(attached));
                Ok(())
            }
            Err(error) => Err(self.lost(&error.to_string())),
        }
    }

    /// Drops the session with everything that came by it.
    fn lost(&mut self, why: &str) -> QueueError {
        self.state = State::Apart;
        self.backoff.failed();
        tracing::warn!(queue = self.queue.name(), session = self.sessions, why, "not consuming");
        QueueError::Disconnected(why.to_owned())
    }

    async fn settle(&mut self, tags: &[DeliveryTag], verdict: Verdict) -> Result<(), QueueError> {
        let State::Attached(attached) = &mut self.state else { return Ok(()) };
        let number = attached.number;
        let chosen: BTreeSet<u64> = tags.iter().filter(|tag| tag.session == number).map(|tag| tag.number).collect();
        let frames = attached.unsettled.settle(&chosen);
        match attached.send(&frames, verdict, self.settings.step_timeout).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.lost(&error.to_string())),
        }
    }
}

#[async_trait]
impl Consumer for RabbitConsumer {
    async fn next_batch(&mut self, max: usize) -> Result<Vec<Delivery>, QueueError> {
        self.attach().await?;
        let State::Attached(attached) = &mut self.state else { return Err(QueueError::Closed) };
        let window = usize::from(self.prefetch);
        match attached.gather(max.clamp(1, window), window, self.settings.linger).await {
            Ok(batch) => Ok(batch),
            Err(why) => Err(self.lost(&why)),
        }
    }

    async fn acknowledge(&mut self, tags: &[DeliveryTag]) -> Result<(), QueueError> {
        self.settle(tags, Verdict::Done).await
    }

    async fn give_back(&mut self, tags: &[DeliveryTag]) -> Result<(), QueueError> {
        self.settle(tags, Verdict::Again).await
    }

    async fn close(&mut self) {
        if let State::Attached(attached) = std::mem::replace(&mut self.state, State::Closed) {
            attached.close(self.settings.step_timeout).await;
        }
    }
}

#[derive(Clone, Copy)]
enum Verdict {
    Done,
    Again,
}

impl Attached {
    async fn open(settings: &RabbitSettings, queue: Queue, prefetch: u16, number: u64) -> Result<Self, RabbitError> {
        let session = Session::open(settings, &[queue.part()]).await?;
        session.limit_prefetch(prefetch).await?;
        let options = BasicConsumeOptions::default();
        let stream = session.channel.basic_consume(queue.name().into(), "".into(), options, FieldTable::default());
        let stream = within(settings.step_timeout, "consume", stream).await?;
        Ok(Self { number, session, stream, arrived: VecDeque::new(), unsettled: Unsettled::default() })
    }

    /// Waits for one delivery, then takes what is there, and waits `linger` for more unless the window is used up.
    async fn gather(&mut self, max: usize, window: usize, linger: Duration) -> Result<Vec<Delivery>, String> {
        if self.arrived.is_empty() {
            let next = self.stream.next().await;
            self.arrive(next)?;
        }
        self.take_arrived(max)?;
        let deadline = tokio::time::Instant::now() + linger;
        while self.arrived.len() < max && self.arrived.len() + self.unsettled.count() < window {
            match tokio::time::timeout_at(deadline, self.stream.next()).await {
                Ok(next) => self.arrive(next)?,
                Err(_) => break,
            }
            self.take_arrived(max)?;
        }
        let count = max.min(self.arrived.len());
        let batch: Vec<Delivery> = self.arrived.drain(..count).collect();
        for delivery in &batch {
            self.unsettled.handed_out(delivery.tag.number);
        }
        Ok(batch)
    }

    fn take_arrived(&mut self, max: usize) -> Result<(), String> {
        while self.arrived.len() < max {
            match self.stream.next().now_or_never() {
                Some(next) => self.arrive(next)?,
                None => break,
            }
        }
        Ok(())
    }

    fn arrive(&mut self, next: Option<lapin::Result<lapin::message::Delivery>>) -> Result<(), String> {
        match next {
            Some(Ok(delivery)) => {
                self.arrived.push_back(Delivery {
                    body: delivery.data,
                    routing_key: delivery.routing_key.to_string(),
                    tag: DeliveryTag { session: self.number, number: delivery.delivery_tag },
                });
                Ok(())
            }
            Some(Err(error)) => Err(error.to_string()),
            None => Err("the broker cancelled the consumption; was the queue deleted?".to_owned()),
        }
    }

    async fn send(&self, frames: &[Frame], verdict: Verdict, limit: Duration) -> Result<(), RabbitError> {
        let channel = &self.session.channel;
        let sent = try_join_all(frames.iter().map(|frame| async move {
            let (number, multiple) = match *frame {
                Frame::UpTo(number) => (number, true),
                Frame::Only(number) => (number, false),
            };
            match verdict {
                Verdict::Done => channel.basic_ack(number, BasicAckOptions { multiple }).await,
                Verdict::Again => channel.basic_nack(number, BasicNackOptions { multiple, requeue: true }).await,
            }
        }));
        within(limit, "settle deliveries", sent).await.map(|_| ())
    }

    /// No new deliveries, then the end; the broker takes back what was not acknowledged.
    async fn close(self, limit: Duration) {
        let cancelled = self.session.channel.basic_cancel(self.stream.tag(), BasicCancelOptions::default());
        if let Err(error) = within(limit, "cancel the consumption", cancelled).await {
            tracing::debug!(%error, "the consumption was not cancelled; the connection is dropped");
            return;
        }
        self.session.close().await;
    }
}
