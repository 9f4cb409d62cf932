//! Reads the state of the whole district from the database every so often and shows it as metrics; says meanwhile whether
//! database and broker answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::watch;
use zhida_adapters::transport::rabbitmq::{BrokerHealth, RabbitProbe};
use zhida_core::payout::{AlarmKind, HoldCode, PayoutState};
use zhida_core::ports::store::{Figures, Store};
use zhida_monitoring::health::Check;
use zhida_monitoring::metrics::{FundFigures, StateFigures, StopSwitch};
use zhida_monitoring::{Health, Metrics};

/// What the reader needs.
pub(crate) struct FiguresReader {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) broker: Option<RabbitProbe>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) health: Health,
    pub(crate) every: Duration,
}

/// Reads until `stop` turns true.
pub(crate) async fn run(reader: FiguresReader, mut stop: watch::Receiver<bool>) {
    let database = reader.health.check("database");
    let broker = reader.broker.as_ref().map(|_| reader.health.check("broker"));
    reader.metrics.sweep_started("figures", reader.every, SystemTime::now());
    loop {
        read_database(&reader, &database).await;
        if let (Some(probe), Some(check)) = (&reader.broker, &broker) {
            match probe.probe().await {
                BrokerHealth::Connected(found) => {
                    reader.metrics.broker_round_trip(found.round_trip);
                    check.ok();
                }
                BrokerHealth::Disconnected { reason } => check.failing(reason),
            }
        }
        tokio::select! {
            () = tokio::time::sleep(reader.every) => {}
            _ = stop.wait_for(|stopped| *stopped) => return,
        }
    }
}

async fn read_database(reader: &FiguresReader, check: &Check) {
    let began = Instant::now();
    match reader.store.figures(jiff::Timestamp::MAX).await {
        Ok(figures) => {
            reader.metrics.database_round_trip(began.elapsed());
            reader.metrics.show_state(&state_figures(&figures));
            reader.metrics.sweep_ran("figures", SystemTime::now());
            check.ok();
        }
        Err(error) => {
            reader.metrics.forget_state();
            check.failing(error.to_string());
        }
    }
}

fn state_figures(figures: &Figures) -> StateFigures {
    let now = figures.at.unwrap_or_default();
    let age = |since: Option<jiff::Timestamp>| {
        since.map(|since| Duration::try_from(now.duration_since(since)).unwrap_or_default())
    };
    let count = |counts: &BTreeMap<String, u64>, code: &str| counts.get(code).copied().unwrap_or_default();
    let by_state = |state: PayoutState| figures.by_state.get(state.code()).map_or(0, |(count, _)| *count);
    let (conflicts, other): (Vec<_>, Vec<_>) =
        figures.quarantine_by_code.iter().partition(|(code, _)| code.ends_with("_conflict"));
    StateFigures {
        read_at: SystemTime::now(),
        payouts: PayoutState::ALL.iter().map(|state| (state.code(), by_state(*state))).collect(),
        held: HoldCode::ALL.iter().map(|code| (code.code(), count(&figures.held_by_code, code.code()))).collect(),
        at_risk: figures.at_risk,
        overdue: figures.overdue,
        oldest_unpaid: age(figures.oldest_unpaid),
        oldest_unknown: age(figures.oldest_unknown),
        oldest_pending: age(figures.oldest_pending),
        funds: figures
            .funds
            .iter()
            .map(|fund| FundFigures {
                fund: fund.id.0.clone(),
                appropriated_fen: fund.appropriated.0,
                committed_fen: fund.committed.0,
                left_fen: fund.appropriated.0 - fund.committed.0,
            })
            .collect(),
        outbox_unsent: figures.outbox.0,
        outbox_oldest: age(figures.outbox.1),
        quarantine_conflicts: conflicts.iter().map(|(_, count)| **count).sum(),
        quarantine_other: other.iter().map(|(_, count)| **count).sum(),
        alarms: AlarmKind::ALL.iter().map(|kind| (kind.code(), count(&figures.alarms_last_hour, kind.code()))).collect(),
        stop_switch: if figures.stopped { StopSwitch::Stopped } else { StopSwitch::Running },
    }
}
