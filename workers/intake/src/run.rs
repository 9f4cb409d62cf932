//! The running worker: batches from the intake queue through the door, acknowledged only after the commit. A second, small
//! worker writes what was delivered too often into quarantine, unread.

use crate::door::Door;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tracing::{info, warn};
use zhida_core::ports::door::{EventDoor, Handed, Raw};
use zhida_core::ports::queue::{Consumer, Delivery, QueueError};
use zhida_core::ports::store::StoreError;
use zhida_core::ports::time::Time;
use zhida_core::steps::Quarantined;
use zhida_monitoring::Metrics;
use zhida_monitoring::metrics::{DeadQueue, InboxOutcome};

/// Turns true when the process drains.
pub type Stop = watch::Receiver<bool>;

/// Everything an intake worker needs.
#[derive(Clone)]
pub struct IntakeWorker {
    /// The door.
    pub door: Door,
    /// Pauses and stopwatch.
    pub time: Arc<dyn Time>,
    /// Messages in one transaction.
    pub batch_max: usize,
    /// What operations watch.
    pub metrics: Arc<Metrics>,
}

/// How long deliveries are held while the store is away: below the broker's consumer time-out of 30 minutes.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Runs until `stop` turns true: the batch at hand is finished and acknowledged, then the consumer closes.
pub async fn run(worker: IntakeWorker, mut consumer: Box<dyn Consumer>, mut stop: Stop) {
    loop {
        let batch = tokio::select! {
            // First, so that a drain begins no further batch.
            biased;
            _ = stop.wait_for(|stopped| *stopped) => break,
            batch = consumer.next_batch(worker.batch_max) => batch,
        };
        match batch {
            Ok(deliveries) => {
                let tags: Vec<_> = deliveries.iter().map(|one| one.tag).collect();
                let acknowledged = if take_in(&worker, deliveries, &mut stop).await {
                    consumer.acknowledge(&tags).await
                } else {
                    consumer.give_back(&tags).await
                };
                if let Err(error) = acknowledged {
                    warn!(%error, "the batch comes again; what was taken in is a duplicate then");
                }
            }
            Err(QueueError::Disconnected(why)) => warn!(why, "intake waits for the broker"),
            Err(QueueError::Closed) => break,
        }
    }
    consumer.close().await;
    info!("intake drained");
}

/// Whether the batch is durable, every message of it, in one form or another.
async fn take_in(worker: &IntakeWorker, deliveries: Vec<Delivery>, stop: &mut Stop) -> bool {
    let raws: Vec<Raw> = deliveries
        .into_iter()
        .map(|one| Raw { body: one.body, routing_key: Some(one.routing_key), way: "amqp" })
        .collect();
    let began = worker.time.elapsed();
    let mut pause = FIRST_PAUSE;
    loop {
        match worker.door.hand_in(&raws).await {
            Ok(results) => {
                count(&worker.metrics, &results);
                return true;
            }
            Err(error @ StoreError::Corrupt { .. }) => {
                warn!(%error, "the batch cannot be taken in; it goes back to the queue");
                return false;
            }
            Err(error) => warn!(%error, "intake waits for the store"),
        }
        if worker.time.elapsed().saturating_sub(began) > PATIENCE || *stop.borrow() {
            return false;
        }
        tokio::select! {
            () = worker.time.pause(pause) => {}
            _ = stop.wait_for(|stopped| *stopped) => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Counts what became of messages, by whatever way they came, and logs what went into quarantine.
pub fn count(metrics: &Metrics, results: &[Handed]) {
    let number = |wanted: fn(&Handed) -> bool| results.iter().filter(|one| wanted(one)).count() as u64;
    metrics.inbox(InboxOutcome::Accepted, number(|one| matches!(one, Handed::Accepted | Handed::Acted(_))));
    metrics.inbox(InboxOutcome::Duplicate, number(|one| matches!(one, Handed::Duplicate)));
    metrics.inbox(InboxOutcome::Refused, number(|one| matches!(one, Handed::Refused(_))));
    metrics.inbox(InboxOutcome::Quarantined, number(|one| matches!(one, Handed::Quarantined(_))));
    tell_quarantined(results.iter().filter_map(|one| match one {
        Handed::Quarantined(item) => Some(item.reason_code.as_str()),
        Handed::Accepted | Handed::Duplicate | Handed::Acted(_) | Handed::Refused(_) => None,
    }));
}

/// One line for a batch, whatever it holds.
fn tell_quarantined<'a>(codes: impl Iterator<Item = &'a str>) {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    codes.for_each(|code| *counts.entry(code).or_default() += 1);
    if !counts.is_empty() {
        let counts: Vec<String> = counts.iter().map(|(code, count)| format!("{code}={count}")).collect();
        warn!(counts = counts.join(" "), "events went into quarantine: `zhida quarantine list`");
    }
}

/// Writes what the broker gave up delivering into quarantine, without parsing it.
#[derive(Clone)]
pub struct DeadLetterWriter {
    /// As the intake worker's.
    pub worker: IntakeWorker,
}

/// Runs until `stop` turns true.
pub async fn run_dead_letters(writer: DeadLetterWriter, mut consumer: Box<dyn Consumer>, mut stop: Stop) {
    let worker = writer.worker;
    loop {
        let batch = tokio::select! {
            // First, so that a drain begins no further batch.
            biased;
            _ = stop.wait_for(|stopped| *stopped) => break,
            batch = consumer.next_batch(worker.batch_max) => batch,
        };
        match batch {
            Ok(deliveries) => {
                let tags: Vec<_> = deliveries.iter().map(|one| one.tag).collect();
                let items: Vec<Quarantined> = deliveries.into_iter().map(delivered_too_often).collect();
                let codes: Vec<String> = items.iter().map(|item| item.reason_code.clone()).collect();
                let written = worker.door.store.quarantine(items).await;
                let answered = match written {
                    Ok(()) => {
                        tell_quarantined(codes.iter().map(String::as_str));
                        tags.iter().for_each(|_| worker.metrics.dead_letter(DeadQueue::Intake));
                        consumer.acknowledge(&tags).await
                    }
                    Err(error) => {
                        warn!(%error, "dead letters wait for the store");
                        worker.time.pause(LONGEST_PAUSE).await;
                        consumer.give_back(&tags).await
                    }
                };
                if let Err(error) = answered {
                    warn!(%error, "dead letters come again");
                }
            }
            Err(QueueError::Disconnected(why)) => warn!(why, "the dead-letter writer waits for the broker"),
            Err(QueueError::Closed) => break,
        }
    }
    consumer.close().await;
}

fn delivered_too_often(delivery: Delivery) -> Quarantined {
    Quarantined {
        body: delivery.body,
        way: "amqp".to_owned(),
        source: None,
        event_id: None,
        event_type: Some(delivery.routing_key).filter(|key| !key.is_empty()),
        reason_code: "delivered_too_often".to_owned(),
        field: None,
        reason:
            "the broker delivered it too often without an acknowledgement; look why, then `zhida quarantine replay`"
                .to_owned(),
    }
}
