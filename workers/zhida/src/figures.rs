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

/// The kinds of alarm, for the metric's labels.
pub(crate) fn alarm_kinds() -> Vec<&'static str> {
    AlarmKind::ALL.iter().map(|kind| kind.code()).collect()
}

/// Reads until `stop` turns true.
pub(crate) async fn run(reader: FiguresReader, mut stop: watch::Receiver<bool>) {
    let database = reader.health.check("database");
    let broker = reader.broker.as_ref().map(|_| reader.health.check("broker"));
    let mut alarms = None;
    reader.metrics.sweep_started("figures", reader.every, SystemTime::now());
    loop {
        read_database(&reader, &database, &mut alarms).await;
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

async fn read_database(reader: &FiguresReader, check: &Check, alarms: &mut Option<BTreeMap<String, u64>>) {
    let began = Instant::now();
    match reader.store.figures().await {
        Ok(figures) => {
            reader.metrics.database_round_trip(began.elapsed());
            reader.metrics.show_state(&state_figures(&figures));
            count_alarms(&reader.metrics, &figures, alarms);
            reader.metrics.sweep_ran("figures", SystemTime::now());
            check.ok();
        }
        Err(error) => {
            reader.metrics.forget_state();
            check.failing(error.to_string());
        }
    }
}

/// Alarms are rows: every process counts the new ones it sees, so that a rule over any of them rings.
fn count_alarms(metrics: &Metrics, figures: &Figures, known: &mut Option<BTreeMap<String, u64>>) {
    if let Some(known) = known {
        for kind in AlarmKind::ALL {
            let count = |alarms: &BTreeMap<String, u64>| alarms.get(kind.code()).copied().unwrap_or_default();
            let new = count(&figures.alarms_by_kind).saturating_sub(count(known));
            (0..new).for_each(|_| metrics.alarm(kind.code()));
        }
    }
    *known = Some(figures.alarms_by_kind.clone());
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
        stop_switch: if figures.stopped { StopSwitch::Stopped } else { StopSwitch::Running },
    }
}
