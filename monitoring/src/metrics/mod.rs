//! The one place that speaks to the `prometheus` crate: typed handles for every row of [`table::TABLE`], shown as text at
//! `/metrics`. Nobody else names a metric. What a figure means for a person is said in the alert rules and runbooks, not here.

pub mod labels;
pub mod state;
pub mod table;

pub use labels::{
    BankCall, BrokerLink, Circuit, DeadQueue, InboxOutcome, Incarnation, NoticeCall, NoticeReceipt, PayoutResult,
    StopSwitch,
};
use prometheus::core::Collector;
use prometheus::{
    GaugeVec, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry, TextEncoder,
};
use state::StateGauges;
pub use state::{FundFigures, StateFigures};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// The content type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// The table contradicts itself.
#[derive(Debug, thiserror::Error)]
#[error("a metric cannot be registered: {0}; correct its row in monitoring/src/metrics/table.rs")]
pub struct MetricsError(#[from] prometheus::Error);

/// Every metric of this process. One per process, shared behind an `Arc`.
pub struct Metrics {
    registry: Registry,
    state: Mutex<StateGauges>,
    approve_to_credit: Histogram,
    results: IntCounterVec,
    leases_expired: IntCounter,
    incarnation_mismatch: IntGauge,
    bank_calls: IntCounterVec,
    bank_call_seconds: HistogramVec,
    inbox: IntCounterVec,
    intake_consumers: IntGauge,
    dead_letters: IntCounterVec,
    broker_reconnects: IntCounterVec,
    broker_round_trip: Histogram,
    database_round_trip: Histogram,
    sweep_last_run: GaugeVec,
    sweep_interval: GaugeVec,
    notice_calls: IntCounterVec,
    notice_sent: Histogram,
    notice_receipts: IntCounterVec,
}

impl Metrics {
    /// All metrics at their start. `version` is the program's.
    ///
    /// # Errors
    /// Only when the table contradicts itself (a name twice).
    pub fn new(version: &'static str) -> Result<Self, MetricsError> {
        let registry = Registry::new();
        let r = &registry;
        #[cfg(target_os = "linux")]
        r.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        let metrics = Self {
            state: Mutex::new(StateGauges::register(r)?),
            approve_to_credit: histogram(r, table::APPROVE_TO_CREDIT)?,
            results: counters(r, table::RESULTS)?,
            leases_expired: keep(r, IntCounter::with_opts(table::LEASES_EXPIRED.opts())?)?,
            incarnation_mismatch: keep(r, IntGauge::with_opts(table::INCARNATION_MISMATCH.opts())?)?,
            bank_calls: counters(r, table::BANK_CALLS)?,
            bank_call_seconds: keep(
                r,
                HistogramVec::new(table::BANK_CALL_SECONDS.histogram_opts(), table::BANK_CALL_SECONDS.labels)?,
            )?,
            inbox: counters(r, table::INBOX)?,
            intake_consumers: keep(r, IntGauge::with_opts(table::INTAKE_CONSUMERS.opts())?)?,
            dead_letters: counters(r, table::DEAD_LETTERS)?,
            broker_reconnects: counters(r, table::BROKER_RECONNECTS)?,
            broker_round_trip: histogram(r, table::BROKER_ROUND_TRIP)?,
            database_round_trip: histogram(r, table::DATABASE_ROUND_TRIP)?,
            sweep_last_run: gauges(r, table::SWEEP_LAST_RUN)?,
            sweep_interval: gauges(r, table::SWEEP_INTERVAL)?,
            notice_calls: counters(r, table::NOTICE_CALLS)?,
            notice_sent: histogram(r, table::NOTICE_SENT)?,
            notice_receipts: counters(r, table::NOTICE_RECEIPTS)?,
            registry: registry.clone(),
        };
        let build_info = IntGaugeVec::new(table::BUILD_INFO.opts(), table::BUILD_INFO.labels)?;
        keep(r, build_info)?.with_label_values(&[version]).set(1);
        metrics.show_every_label_at_zero();
        Ok(metrics)
    }

    /// A result was booked.
    pub fn payout_result(&self, result: PayoutResult) {
        self.results.with_label_values(&[result.label()]).inc();
    }

    /// A payout was credited so long after its approval.
    pub fn credited(&self, after_approval: Duration) {
        self.approve_to_credit.observe(after_approval.as_secs_f64());
    }

    /// So many claims were found whose lease had ended.
    pub fn leases_expired(&self, count: u64) {
        self.leases_expired.inc_by(count);
    }

    /// How the database was found at start.
    pub fn incarnation(&self, found: Incarnation) {
        self.incarnation_mismatch.set(match found {
            Incarnation::Same => 0,
            Incarnation::WentBack => 1,
        });
    }

    /// A call to the bank ended.
    pub fn bank_call(&self, call: BankCall, took: Duration) {
        let (call, outcome, class) = call.labels();
        self.bank_calls.with_label_values(&[call, outcome]).inc();
        self.bank_call_seconds.with_label_values(&[call, class]).observe(took.as_secs_f64());
    }

    /// So many events of a batch ended like this.
    pub fn inbox(&self, outcome: InboxOutcome, count: u64) {
        self.inbox.with_label_values(&[outcome.label()]).inc_by(count);
    }

    /// So many consumers has the intake queue.
    pub fn intake_consumers(&self, count: u32) {
        self.intake_consumers.set(i64::from(count));
    }

    /// A dead letter was found.
    pub fn dead_letter(&self, queue: DeadQueue) {
        self.dead_letters.with_label_values(&[queue.label()]).inc();
    }

    /// A connection to the broker was rebuilt.
    pub fn broker_reconnected(&self, link: BrokerLink) {
        self.broker_reconnects.with_label_values(&[link.label()]).inc();
    }

    /// From a question to the broker to its answer.
    pub fn broker_round_trip(&self, took: Duration) {
        self.broker_round_trip.observe(took.as_secs_f64());
    }

    /// One reading of the state figures.
    pub fn database_round_trip(&self, took: Duration) {
        self.database_round_trip.observe(took.as_secs_f64());
    }

    /// This process is to run `sweep` every so often, from `now` on. One rule then watches every sweep.
    pub fn sweep_started(&self, sweep: &'static str, every: Duration, now: SystemTime) {
        self.sweep_interval.with_label_values(&[sweep]).set(every.as_secs_f64());
        self.sweep_ran(sweep, now);
    }

    /// `sweep` ended well at `now`. One that fails does not call this, and ages.
    pub fn sweep_ran(&self, sweep: &'static str, now: SystemTime) {
        self.sweep_last_run.with_label_values(&[sweep]).set(seconds_since_epoch(now));
    }

    /// This process calls a provider of notices by that name (of the settings): its counters are shown at 0.
    pub fn notice_provider(&self, provider: &str) {
        for call in NoticeCall::ALL {
            self.notice_calls.with_label_values(&[provider, call.label()]);
        }
        for receipt in NoticeReceipt::ALL {
            self.notice_receipts.with_label_values(&[provider, receipt.label()]);
        }
    }

    /// A call to a provider of notices ended.
    pub fn notice_call(&self, provider: &str, call: NoticeCall) {
        self.notice_calls.with_label_values(&[provider, call.label()]).inc();
    }

    /// A provider took a notice in, so long after it was asked for.
    pub fn notice_sent(&self, after: Duration) {
        self.notice_sent.observe(after.as_secs_f64());
    }

    /// So many receipts of a provider ended like this.
    pub fn notice_receipts(&self, provider: &str, receipt: NoticeReceipt, count: u32) {
        self.notice_receipts.with_label_values(&[provider, receipt.label()]).inc_by(u64::from(count));
    }

    /// Shows what the database says.
    pub fn show_state(&self, figures: &StateFigures) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).show(figures);
    }

    /// The database cannot be read: no state figure is shown until it can.
    pub fn forget_state(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).forget();
    }

    /// Everything in the Prometheus text format 0.0.4 (see [`CONTENT_TYPE`]).
    #[must_use]
    pub fn render(&self) -> String {
        // Held over the reading, so that nobody sees the state figures half shown.
        let families = {
            let _state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            self.registry.gather()
        };
        TextEncoder::new().encode_to_string(&families).unwrap_or_else(|error| {
            tracing::error!(%error, "metrics cannot be written as text");
            String::new()
        })
    }

    /// A counter that is first seen at 1 has never risen: every label must be shown at 0 before anything happens.
    fn show_every_label_at_zero(&self) {
        PayoutResult::ALL.iter().for_each(|result| drop(self.results.with_label_values(&[result.label()])));
        InboxOutcome::ALL.iter().for_each(|outcome| drop(self.inbox.with_label_values(&[outcome.label()])));
        DeadQueue::ALL.iter().for_each(|queue| drop(self.dead_letters.with_label_values(&[queue.label()])));
        BrokerLink::ALL.iter().for_each(|link| drop(self.broker_reconnects.with_label_values(&[link.label()])));
        for (call, outcome, class) in BankCall::ALL.iter().map(|call| call.labels()) {
            self.bank_calls.with_label_values(&[call, outcome]);
            self.bank_call_seconds.with_label_values(&[call, class]);
        }
    }
}

fn counters(registry: &Registry, row: table::Row) -> Result<IntCounterVec, MetricsError> {
    keep(registry, IntCounterVec::new(row.opts(), row.labels)?)
}

fn gauges(registry: &Registry, row: table::Row) -> Result<GaugeVec, MetricsError> {
    keep(registry, GaugeVec::new(row.opts(), row.labels)?)
}

fn histogram(registry: &Registry, row: table::Row) -> Result<Histogram, MetricsError> {
    keep(registry, Histogram::with_opts(row.histogram_opts())?)
}

/// Registers a metric and keeps a handle to it.
fn keep<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> Result<C, MetricsError> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

fn seconds_since_epoch(at: SystemTime) -> f64 {
    at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
