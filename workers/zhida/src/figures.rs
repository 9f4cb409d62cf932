//! Reads the state of the whole district from the database every so often and shows it as metrics; says meanwhile whether
//! database and broker answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::watch;
use zhida_adapters::transport::rabbitmq::{BrokerFigures, BrokerHealth, Queue, RabbitProbe};
use zhida_core::case_file::ClockState;
use zhida_core::patterns::PatternState;
use zhida_core::payout::{AlarmKind, HoldCode, PayoutState};
use zhida_core::ports::store::{Figures, NoticeFigures, Store};
use zhida_monitoring::health::Check;
use zhida_monitoring::metrics::{Circuit, FundFigures, StateFigures, StopSwitch};
use zhida_monitoring::{Health, Metrics};

/// What the reader needs.
pub(crate) struct FiguresReader {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) broker: Option<RabbitProbe>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) health: Health,
    pub(crate) every: Duration,
    /// Providers of notices by their names in the settings; none: nothing is sent, and what waits is no trouble.
    pub(crate) notice_providers: Vec<String>,
}

/// Reads until `stop` turns true.
pub(crate) async fn run(reader: FiguresReader, mut stop: watch::Receiver<bool>) {
    let database = reader.health.check("database");
    let broker = reader.broker.as_ref().map(|_| reader.health.check("broker"));
    reader.metrics.sweep_started("figures", reader.every, SystemTime::now());
    loop {
        read_database(&reader, &database).await;
        if let (Some(probe), Some(check)) = (&reader.broker, &broker) {
            show_broker(&reader.metrics, check, probe.probe().await);
        }
        tokio::select! {
            () = tokio::time::sleep(reader.every) => {}
            _ = stop.wait_for(|stopped| *stopped) => return,
        }
    }
}

/// A broker that answers and lacks our queues takes nothing in: that is not ready, and nobody consumes.
fn show_broker(metrics: &Metrics, check: &Check, health: BrokerHealth) {
    let consumers = match health {
        BrokerHealth::Connected(found) => {
            metrics.broker_round_trip(found.round_trip);
            match missing_queue(&found) {
                None => check.ok(),
                Some(queue) => check.failing(format!("the broker has no queue {queue}: run `zhida migrate`")),
            }
            found.intake.map_or(0, |queue| queue.consumers)
        }
        BrokerHealth::Disconnected { reason } => {
            check.failing(reason);
            0
        }
    };
    metrics.intake_consumers(consumers);
}

fn missing_queue(found: &BrokerFigures) -> Option<&'static str> {
    let queues = [
        (found.intake, Queue::Intake),
        (found.intake_dead, Queue::IntakeDead),
        (found.payout, Queue::Payout),
        (found.notice, Queue::Notice),
        (found.dead, Queue::Dead),
    ];
    queues.into_iter().find(|(figures, _)| figures.is_none()).map(|(_, queue)| queue.name())
}

async fn read_database(reader: &FiguresReader, check: &Check) {
    let began = Instant::now();
    match reader.store.figures().await {
        Ok(figures) => {
            reader.metrics.database_round_trip(began.elapsed());
            reader.metrics.show_state(&state_figures(&figures, &reader.notice_providers));
            reader.metrics.sweep_ran("figures", SystemTime::now());
            check.ok();
        }
        Err(error) => {
            reader.metrics.forget_state();
            check.failing(error.to_string());
        }
    }
}

fn state_figures(figures: &Figures, notice_providers: &[String]) -> StateFigures {
    let now = figures.at.unwrap_or_default();
    let age = |since: Option<jiff::Timestamp>| {
        since.map(|since| Duration::try_from(now.duration_since(since)).unwrap_or_default())
    };
    let count = |counts: &BTreeMap<String, u64>, code: &str| counts.get(code).copied().unwrap_or_default();
    let switch = |stopped| if stopped { StopSwitch::Stopped } else { StopSwitch::Running };
    let by_state = |state: PayoutState| figures.by_state.get(state.code()).map_or(0, |(count, _)| *count);
    let (conflicts, other): (Vec<_>, Vec<_>) =
        figures.quarantine_by_code.iter().partition(|(code, _)| code.ends_with("_conflict"));
    StateFigures {
        read_at: SystemTime::now(),
        payouts: PayoutState::ALL.iter().map(|state| (state.code(), by_state(*state))).collect(),
        held: HoldCode::ALL.iter().map(|code| (code.code(), count(&figures.held_by_code, code.code()))).collect(),
        at_risk: vec![("time", figures.at_risk), ("rail_closed", figures.at_risk_rail_closed)],
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
        clocks: ClockState::ALL
            .iter()
            .filter(|state| state.is_open() && **state != ClockState::Running)
            .map(|state| (state.code(), count(&figures.clocks_by_state, state.code())))
            .collect(),
        review_alerts: vec![("due_soon", figures.alerts_open.0), ("overdue", figures.alerts_open.1)],
        patterns: PatternState::ALL
            .iter()
            .map(|state| (state.code(), count(&figures.patterns_by_state, state.code())))
            .collect(),
        case_files_due: age(figures.oldest_case_due),
        digest_made_at: figures.digest_made_at.map(moment),
        digest_missing: age(figures.digest_missing_since),
        calendar_years_missing: figures.years_missing,
        outbox_unsent: figures.outbox.0,
        outbox_oldest: age(figures.outbox.1),
        quarantine_conflicts: conflicts.iter().map(|(_, count)| **count).sum(),
        quarantine_other: other.iter().map(|(_, count)| **count).sum(),
        alarms: AlarmKind::ALL
            .iter()
            .map(|kind| (kind.code(), count(&figures.alarms_last_hour, kind.code())))
            .collect(),
        stop_switch: switch(figures.stopped),
        notices: of_notices(&figures.notices),
        notices_not_made: not_made(&figures.notices),
        notices_waiting: age(figures.notices.oldest_waiting).filter(|_| !notice_providers.is_empty()),
        notices_switch: switch(figures.notices.stopped),
        notice_providers: notice_providers
            .iter()
            .map(|name| {
                let shut = figures.notices.providers_shut.contains(name);
                (name.clone(), if shut { Circuit::Open } else { Circuit::Closed })
            })
            .collect(),
    }
}

fn of_notices(figures: &NoticeFigures) -> Vec<(&'static str, &'static str, u64)> {
    figures.last_hour.iter().map(|((kind, state), count)| (kind.code(), state.code(), *count)).collect()
}

fn not_made(figures: &NoticeFigures) -> Vec<(&'static str, String, u64)> {
    figures.not_made.iter().map(|((kind, outcome), count)| (kind.code(), outcome.clone(), *count)).collect()
}

fn moment(at: jiff::Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(at.as_microsecond()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::{BrokerFigures, BrokerHealth, show_broker};
    use std::time::Duration;
    use zhida_adapters::transport::rabbitmq::QueueFigures;
    use zhida_monitoring::{Health, Metrics};

    #[test]
    fn a_broker_without_our_queues_is_not_ready_and_the_broker_counts_the_consumers() {
        let (metrics, health) = (Metrics::new("test").unwrap(), Health::new());
        let check = health.check("broker");
        let queue = Some(QueueFigures { ready: 7, consumers: 3 });
        let whole = BrokerFigures {
            round_trip: Duration::from_millis(1),
            intake: queue,
            intake_dead: queue,
            payout: queue,
            notice: queue,
            dead: queue,
        };
        let away = || BrokerHealth::Disconnected { reason: "refused".to_owned() };
        let without = |found: BrokerFigures| BrokerHealth::Connected(found);
        for (found, missing, consumers) in [
            (without(whole.clone()), None, 3),
            (without(BrokerFigures { intake: None, ..whole.clone() }), Some("zhida.intake.v1: run `zhida migrate`"), 0),
            (without(BrokerFigures { dead: None, ..whole }), Some("zhida.dead.v1: run `zhida migrate`"), 3),
            (away(), Some("refused"), 0),
        ] {
            show_broker(&metrics, &check, found);
            let ready = health.ready();
            assert_eq!(ready.http_status(), if missing.is_some() { 503 } else { 200 });
            assert!(missing.is_none_or(|text| ready.missing[0].ends_with(text)), "{:?}", ready.missing);
            assert!(metrics.render().contains(&format!("zhida_intake_consumers {consumers}\n")));
        }
    }
}
