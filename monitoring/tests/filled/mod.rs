//! Metrics with every row filled: shared by the tests and by the example that serves them. The values mean nothing.

use std::time::{Duration, SystemTime};
use zhida_monitoring::metrics::labels::{
    BankCall, BrokerLink, Circuit, DeadQueue, InboxOutcome, Incarnation, NoticeCall, NoticeReceipt, PayoutResult,
    StopSwitch,
};
use zhida_monitoring::metrics::state::{FundFigures, StateFigures};
use zhida_monitoring::metrics::{Metrics, MetricsError};

/// A fresh set.
///
/// # Errors
/// When the table contradicts itself.
pub(crate) fn metrics() -> Result<Metrics, MetricsError> {
    Metrics::new("0.0.0-test")
}

/// Lets everything happen once.
pub(crate) fn let_everything_happen(metrics: &Metrics, now: SystemTime) {
    let took = Duration::from_millis(3);
    PayoutResult::ALL.iter().for_each(|result| metrics.payout_result(*result));
    InboxOutcome::ALL.iter().for_each(|outcome| metrics.inbox(*outcome, 2));
    DeadQueue::ALL.iter().for_each(|queue| metrics.dead_letter(*queue));
    BrokerLink::ALL.iter().for_each(|link| metrics.broker_reconnected(*link));
    BankCall::ALL.iter().for_each(|call| metrics.bank_call(*call, took));
    metrics.notice_provider("main");
    NoticeCall::ALL.iter().for_each(|call| metrics.notice_call("main", *call));
    NoticeReceipt::ALL.iter().for_each(|receipt| metrics.notice_receipts("main", *receipt, 2));
    metrics.notice_sent(took);
    metrics.credited(Duration::from_secs(40));
    metrics.leases_expired(1);
    metrics.incarnation(Incarnation::Same);
    metrics.broker_round_trip(took);
    metrics.database_round_trip(took);
    metrics.sweep_started("doorbells", Duration::from_secs(30), now);
    metrics.sweep_ran("doorbells", now);
    metrics.show_state(&figures(now));
    metrics.intake_consumers(2);
}

/// State figures of a district at work.
pub(crate) fn figures(read_at: SystemTime) -> StateFigures {
    let minutes = |n: u64| Some(Duration::from_secs(60 * n));
    StateFigures {
        read_at,
        payouts: ["held", "ready", "sending", "unknown", "pending", "settled", "refused", "returned", "cancelled"]
            .map(|state| (state, 3))
            .to_vec(),
        held: vec![("fund_short", 2), ("payee_changed", 1)],
        at_risk: vec![("time", 1), ("rail_closed", 1)],
        overdue: 0,
        oldest_unpaid: minutes(50),
        oldest_unknown: minutes(2),
        oldest_pending: minutes(1),
        funds: vec![FundFigures {
            fund: "F-2026".to_owned(),
            appropriated_fen: 3_557_010_000,
            committed_fen: 57_010_000,
            left_fen: 3_500_000_000,
        }],
        outbox_unsent: 4,
        outbox_oldest: None,
        quarantine_conflicts: 0,
        quarantine_other: 1,
        alarms: vec![("overpaid", 0), ("mismatch", 1)],
        clocks: vec![("overdue", 3)],
        review_alerts: vec![("due_soon", 1), ("overdue", 1)],
        patterns: vec![("new", 2), ("explained", 1)],
        case_files_due: None,
        digest_made_at: Some(read_at),
        digest_missing: None,
        calendar_years_missing: 0,
        stop_switch: StopSwitch::Running,
        notices: vec![("payout_credited", "delivered", 4)],
        notices_not_made: vec![("payout_credited", "no_address".to_owned(), 1)],
        notices_waiting: None,
        notices_switch: StopSwitch::Running,
        notice_providers: vec![("main".to_owned(), Circuit::Closed), ("spare".to_owned(), Circuit::Open)],
    }
}
