//! The relay: carries outbox rows to the queue, at least once, and marks them. Rows are claimed by state, never by "greater
//! than the last one seen", so that a transaction that commits late is not passed over.

use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tracing::{info, warn};
use zhida_core::ports::queue::{Destination, OutgoingMessage, Published, Publisher};
use zhida_core::ports::store::{OutboxRow, OutboxStore, Store, StoreError};
use zhida_core::ports::time::Time;
use zhida_monitoring::Metrics;
use zhida_monitoring::metrics::PayoutResult;

/// What a turn did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relayed {
    /// Rows that are out.
    pub sent: Vec<OutboxRow>,
    /// Rows that stay for another turn.
    pub kept: usize,
}

/// Publishes at most `max` rows and marks what the broker has confirmed.
///
/// # Errors
/// [`StoreError`] when the store could not serve: rows that were published are published again, under the same message id.
pub async fn relay_once(store: &dyn OutboxStore, publisher: &dyn Publisher, max: u32) -> Result<Relayed, StoreError> {
    let rows = store.claim_outbox(max).await?;
    if rows.is_empty() {
        return Ok(Relayed::default());
    }
    let messages: Vec<OutgoingMessage> = rows.iter().map(message).collect();
    let results = publisher.publish(&messages).await;
    let mut relayed = Relayed::default();
    let mut kept = Vec::new();
    for (row, result) in rows.into_iter().zip(results) {
        match result {
            Published::Confirmed => relayed.sent.push(row),
            Published::Unroutable | Published::NotConfirmed(_) => kept.push(row.id),
        }
    }
    relayed.kept = kept.len();
    let sent: Vec<String> = relayed.sent.iter().map(|row| row.id.clone()).collect();
    store.outbox_sent(&sent).await?;
    if !kept.is_empty() {
        store.outbox_kept(&kept).await?;
    }
    Ok(relayed)
}

fn message(row: &OutboxRow) -> OutgoingMessage {
    OutgoingMessage { destination: row.destination.clone(), message_id: row.id.clone(), body: row.body.clone() }
}

/// Everything a relay needs.
#[derive(Clone)]
pub struct Relay {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The queue.
    pub publisher: Arc<dyn Publisher>,
    /// Pauses.
    pub time: Arc<dyn Time>,
    /// Rows in one turn.
    pub batch_max: u32,
    /// Pause when there was nothing to carry.
    pub every: Duration,
    /// What operations watch.
    pub metrics: Arc<Metrics>,
}

const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Runs until `stop` turns true.
pub async fn run(relay: Relay, mut stop: watch::Receiver<bool>) {
    let mut pause = relay.every;
    while !*stop.borrow() {
        match relay_once(&*relay.store, &*relay.publisher, relay.batch_max).await {
            Ok(turn) => {
                turn.sent.iter().for_each(|row| count(&relay.metrics, row));
                pause = match (turn.sent.len(), turn.kept) {
                    (0, 0) => relay.every,
                    (_, 0) => Duration::ZERO,
                    (_, kept) => {
                        warn!(kept, "the broker did not take every message; they stay in the outbox");
                        (pause.max(relay.every) * 2).min(LONGEST_PAUSE)
                    }
                };
            }
            Err(error) => {
                warn!(%error, "the relay waits for the store");
                pause = (pause.max(relay.every) * 2).min(LONGEST_PAUSE);
            }
        }
        if !pause.is_zero() {
            tokio::select! {
                () = relay.time.pause(pause) => {}
                _ = stop.wait_for(|stopped| *stopped) => {}
            }
        }
    }
    info!("relay drained");
}

/// Counts results as they go out: each outbox row is carried by one relay, so that the sum over processes is right.
fn count(metrics: &Metrics, row: &OutboxRow) {
    let Destination::World { event_type } = &row.destination else { return };
    let result = match event_type.as_str() {
        "payout.settled.v1" => {
            let data = data(row);
            if let (Some(approved), Some(credited)) = (moment(&data["approved_at"]), moment(&data["credited_at"])) {
                let took = Duration::try_from(credited.duration_since(approved)).unwrap_or_default();
                metrics.credited(took);
            }
            PayoutResult::Settled
        }
        "payout.refused.v1" => match data(row)["reason"]["code"].as_str() {
            Some("refused_payee") => PayoutResult::RefusedPayee,
            Some("refused_fund") => PayoutResult::RefusedFund,
            Some("refused_window") => PayoutResult::RefusedWindow,
            Some(_) | None => PayoutResult::RefusedOther,
        },
        "payout.returned.v1" => PayoutResult::Returned,
        "payout.cancelled.v1" => PayoutResult::Cancelled,
        // The other words are steps on the way.
        _ => return,
    };
    metrics.payout_result(result);
}

/// The data of an event of ours: read only where it is needed, for most events are steps on the way.
fn data(row: &OutboxRow) -> serde_json::Value {
    let event = serde_json::from_slice::<serde_json::Value>(&row.body).unwrap_or_default();
    event["data"].clone()
}

fn moment(value: &serde_json::Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}
