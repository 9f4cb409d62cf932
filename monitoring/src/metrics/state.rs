//! State figures: what the database says of the whole district, read by someone else and shown here. Every process that reads
//! shows the same, so dashboards and rules take `max by (label)` over processes and never `sum`. No SQL here.

use super::labels::{Circuit, StopSwitch};
use super::table::{self, Kind, Row, TABLE};
use super::{MetricsError, keep, seconds_since_epoch};
use prometheus::{GaugeVec, Registry};
use std::collections::HashMap;
use std::time::{Duration, SystemTime};

/// One reading of the database.
#[derive(Clone, Debug)]
pub struct StateFigures {
    /// When it was read.
    pub read_at: SystemTime,
    /// Payouts by state code. Give every state, also those at 0: a line that is missing looks like one that is broken.
    pub payouts: Vec<(&'static str, u64)>,
    /// Held payouts by hold code; every code, also those at 0.
    pub held: Vec<(&'static str, u64)>,
    /// Payouts that may miss their 24 hours, by reason (`time`, `rail_closed`); each once, every reason, also those at 0.
    pub at_risk: Vec<(&'static str, u64)>,
    /// Payouts past them.
    pub overdue: u64,
    /// Age of the oldest approval not paid, holds included; without those that wait for the enterprise's own correction.
    pub oldest_unpaid: Option<Duration>,
    /// How long the oldest unknown payout has been so.
    pub oldest_unknown: Option<Duration>,
    /// How long the bank has had the oldest pending payout.
    pub oldest_pending: Option<Duration>,
    /// The funds.
    pub funds: Vec<FundFigures>,
    /// Outbox rows not confirmed.
    pub outbox_unsent: u64,
    /// Age of the oldest of them.
    pub outbox_oldest: Option<Duration>,
    /// Open conflicts in quarantine: two authentic messages that contradict each other.
    pub quarantine_conflicts: u64,
    /// Everything else open in quarantine.
    pub quarantine_other: u64,
    /// Alarms of the last hour by kind; every kind, also those at 0.
    pub alarms: Vec<(&'static str, u64)>,
    /// Clocks that have not ended, by state; every state, also those at 0.
    pub clocks: Vec<(&'static str, u64)>,
    /// Open alerts of supervision by state (`due_soon`, `overdue`); both, also those at 0.
    pub review_alerts: Vec<(&'static str, u64)>,
    /// Patterns by state; every state, also those at 0.
    pub patterns: Vec<(&'static str, u64)>,
    /// How long the oldest case file that is due waits.
    pub case_files_due: Option<Duration>,
    /// When the newest digest was made.
    pub digest_made_at: Option<SystemTime>,
    /// How long the digest of the newest working day has been missing.
    pub digest_missing: Option<Duration>,
    /// Calendar years without data that are needed soon.
    pub calendar_years_missing: u64,
    /// The stop switch.
    pub stop_switch: StopSwitch,
    /// Notices made within the last hour, by kind and state.
    pub notices: Vec<(&'static str, &'static str, u64)>,
    /// Requests of the last hour of which no notice was made, by kind and outcome.
    pub notices_not_made: Vec<(&'static str, String, u64)>,
    /// How long the oldest request, or notice that should have been sent, has waited.
    pub notices_waiting: Option<Duration>,
    /// The stop switch of notices.
    pub notices_switch: StopSwitch,
    /// Providers of notices by name; the settings', so that those that are well are shown.
    pub notice_providers: Vec<(String, Circuit)>,
}

/// One fund, in minor units of its currency.
#[derive(Clone, Debug)]
pub struct FundFigures {
    /// The fund's id: the one free label there is. Funds are few and public.
    pub fund: String,
    /// Appropriated.
    pub appropriated_fen: i64,
    /// Reserved, in transit and paid together.
    pub committed_fen: i64,
    /// Left for new payouts.
    pub left_fen: i64,
}

/// The gauges behind [`StateFigures`]: every row of the table of kind `State`. All are vectors, even those without labels,
/// because only vectors can be emptied.
pub(super) struct StateGauges {
    by_name: HashMap<&'static str, GaugeVec>,
}

impl StateGauges {
    pub(super) fn register(registry: &Registry) -> Result<Self, MetricsError> {
        let mut by_name = HashMap::new();
        for row in TABLE.iter().filter(|row| row.kind == Kind::State) {
            by_name.insert(row.name, keep(registry, GaugeVec::new(row.opts(), row.labels)?)?);
        }
        Ok(Self { by_name })
    }

    /// Nothing is shown any more: a figure nobody can read is absent, not 0 and not the last one known.
    pub(super) fn forget(&self) {
        self.by_name.values().for_each(GaugeVec::reset);
    }

    /// Shows `figures` alone; what they do not name (a fund that is gone) disappears.
    pub(super) fn show(&self, figures: &StateFigures) {
        self.forget();
        for (state, count) in &figures.payouts {
            self.set(table::PAYOUTS, &[state], whole(*count));
        }
        for (reason, count) in &figures.held {
            self.set(table::HELD, &[reason], whole(*count));
        }
        for (kind, count) in &figures.alarms {
            self.set(table::ALARMS, &[kind], whole(*count));
        }
        for (state, count) in &figures.clocks {
            self.set(table::REVIEW_CLOCKS, &[state], whole(*count));
        }
        for (state, count) in &figures.review_alerts {
            self.set(table::ALERTS_OPEN, &[state], whole(*count));
        }
        for (state, count) in &figures.patterns {
            self.set(table::PATTERNS, &[state], whole(*count));
        }
        self.set(table::CASE_FILES_DUE, &[], age(figures.case_files_due));
        self.set(table::DIGEST_MADE, &[], figures.digest_made_at.map_or(0.0, seconds_since_epoch));
        self.set(table::DIGEST_MISSING, &[], age(figures.digest_missing));
        self.set(table::CALENDAR_MISSING, &[], whole(figures.calendar_years_missing));
        for fund in &figures.funds {
            self.set(table::FUND_APPROPRIATED, &[&fund.fund], fen(fund.appropriated_fen));
            self.set(table::FUND_COMMITTED, &[&fund.fund], fen(fund.committed_fen));
            self.set(table::FUND_LEFT, &[&fund.fund], fen(fund.left_fen));
        }
        for (reason, count) in &figures.at_risk {
            self.set(table::AT_RISK, &[reason], whole(*count));
        }
        self.set(table::OVERDUE, &[], whole(figures.overdue));
        self.set(table::OLDEST_UNPAID, &[], age(figures.oldest_unpaid));
        self.set(table::OLDEST_UNKNOWN, &[], age(figures.oldest_unknown));
        self.set(table::OLDEST_PENDING, &[], age(figures.oldest_pending));
        self.set(table::OUTBOX_UNSENT, &[], whole(figures.outbox_unsent));
        self.set(table::OUTBOX_OLDEST, &[], age(figures.outbox_oldest));
        self.set(table::QUARANTINE, &["conflict"], whole(figures.quarantine_conflicts));
        self.set(table::QUARANTINE, &["other"], whole(figures.quarantine_other));
        self.set(table::STOP_SWITCH, &[], switch(figures.stop_switch));
        self.show_notices(figures);
        self.set(table::STATE_READ, &[], seconds_since_epoch(figures.read_at));
    }

    fn show_notices(&self, figures: &StateFigures) {
        for (kind, state, count) in &figures.notices {
            self.set(table::NOTICES, &[kind, state], whole(*count));
        }
        for (kind, outcome, count) in &figures.notices_not_made {
            self.set(table::NOTICES_NOT_MADE, &[kind, outcome], whole(*count));
        }
        self.set(table::NOTICES_WAITING, &[], age(figures.notices_waiting));
        self.set(table::NOTICES_STOPPED, &[], switch(figures.notices_switch));
        for (provider, circuit) in &figures.notice_providers {
            let shut = match circuit {
                Circuit::Closed => 0.0,
                Circuit::Open => 1.0,
            };
            self.set(table::NOTICE_PROVIDER_SHUT, &[provider], shut);
        }
    }

    fn set(&self, row: Row, labels: &[&str], value: f64) {
        if let Some(gauge) = self.by_name.get(row.name) {
            gauge.with_label_values(labels).set(value);
        }
    }
}

fn switch(switch: StopSwitch) -> f64 {
    match switch {
        StopSwitch::Running => 0.0,
        StopSwitch::Stopped => 1.0,
    }
}

fn age(age: Option<Duration>) -> f64 {
    age.unwrap_or_default().as_secs_f64()
}

fn whole(count: u64) -> f64 {
    count as f64
}

/// Prometheus knows floats only; exact up to 90 trillion yuan, and nothing is ever computed back from it.
fn fen(amount: i64) -> f64 {
    amount as f64
}
