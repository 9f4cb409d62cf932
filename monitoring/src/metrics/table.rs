//! Every metric there is, one row each. Rules, dashboard and runbooks may name only what stands here (and `up`, `process_*`);
//! a test holds them to it. Not here: who sets them ([`super::Metrics`]) and which values labels take ([`super::labels`]).

use prometheus::{HistogramOpts, Opts};

/// How a metric behaves, and how figures of several processes are put together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// What this process has done. Dashboards add processes up: `sum`.
    Counter,
    /// What this process is at this moment. Dashboards add up or compare processes.
    Gauge,
    /// What the database says; every process that reads it shows the same. Dashboards take `max by (label)` over processes,
    /// never `sum`. Absent until the database was read, and again when it cannot be.
    State,
    /// What this process has measured, in seconds, with these upper bounds. Dashboards add processes up.
    Histogram(&'static [f64]),
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Name, unit last.
    pub name: &'static str,
    /// Kind.
    pub kind: Kind,
    /// Labels. Never an enterprise, an application, a payout or a person.
    pub labels: &'static [&'static str],
    /// Help.
    pub english: &'static str,
    /// The same in short, in Chinese.
    pub chinese: &'static str,
}

impl Row {
    pub(super) fn opts(&self) -> Opts {
        Opts::new(self.name, format!("{} {}", self.english, self.chinese))
    }

    /// With the bounds of a histogram; without them for every other kind.
    pub(super) fn histogram_opts(&self) -> HistogramOpts {
        let bounds = match self.kind {
            Kind::Histogram(bounds) => bounds,
            Kind::Counter | Kind::Gauge | Kind::State => &[],
        };
        HistogramOpts::from(self.opts()).buckets(bounds.to_vec())
    }
}

/// A call over the network: 1 ms to half a minute.
const CALL: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// From approval to credit: a second to four days, with a bound at every hour that alerts or the promise name (12, 18, 23, 24).
const APPROVAL_TO_CREDIT: &[f64] = &[
    0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 1_800.0, 3_600.0, 10_800.0, 21_600.0, 43_200.0, 64_800.0,
    82_800.0, 86_400.0, 129_600.0, 172_800.0, 345_600.0,
];

/// From a request to a provider's answer: 50 ms to a day, with a bound where gathering (30 s) and quiet hours (9.5 h) end.
const ASKED_TO_SENT: &[f64] = &[
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 45.0, 60.0, 300.0, 900.0, 1_800.0, 3_600.0, 10_800.0, 34_200.0,
    86_400.0,
];

macro_rules! table {
    ($($row:ident = $name:literal, $kind:expr, [$($label:literal),*], $english:literal, $chinese:literal;)*) => {
        $(pub(super) const $row: Row =
            Row { name: $name, kind: $kind, labels: &[$($label),*], english: $english, chinese: $chinese };)*

        /// Every metric of this program.
        pub const TABLE: &[Row] = &[$($row),*];
    };
}

table! {
    // ── the promise ──
    APPROVE_TO_CREDIT = "zhida_approve_to_credit_seconds", Kind::Histogram(APPROVAL_TO_CREDIT), [],
        "Time from approval to credit on the enterprise's account.", "审定到到账用时";
    OLDEST_UNPAID = "zhida_oldest_unpaid_age_seconds", Kind::State, [],
        "Age of the oldest approval that is not paid and waits for us or the bank, holds included; 0 when there is none.",
        "最久未付审定的时长";
    AT_RISK = "zhida_payouts_at_risk", Kind::State, ["reason"],
        "Payouts that may miss their 24 hours, each under one reason: time running out, or the large-value rail closed.",
        "可能超时的兑付";
    OVERDUE = "zhida_payouts_overdue", Kind::State, [],
        "Payouts past their 24 hours and not credited.", "已超时的兑付";

    // ── payouts ──
    PAYOUTS = "zhida_payouts", Kind::State, ["state"],
        "Payouts by state.", "各状态兑付数";
    HELD = "zhida_payouts_held", Kind::State, ["reason"],
        "Held payouts by reason code; one with two reasons counts under both.", "各原因暂缓数";
    OLDEST_UNKNOWN = "zhida_oldest_unknown_age_seconds", Kind::State, [],
        "How long the oldest unknown payout has been unknown; 0 when there is none.", "结果不明最久时长";
    OLDEST_PENDING = "zhida_oldest_pending_age_seconds", Kind::State, [],
        "How long the bank has had the oldest pending payout; 0 when there is none.", "银行处理中最久时长";
    RESULTS = "zhida_payout_results_total", Kind::Counter, ["outcome"],
        "Results booked, by outcome.", "已登记的兑付结果";
    LEASES_EXPIRED = "zhida_leases_expired_total", Kind::Counter, [],
        "Claims whose worker did not come back before its lease ended.", "过期的领取";
    STOP_SWITCH = "zhida_stop_switch", Kind::State, [],
        "1 while an officer has stopped all sending.", "停止支付开关";
    INCARNATION_MISMATCH = "zhida_incarnation_mismatch", Kind::Gauge, [],
        "1 when the database is older than the copy of its head kept outside: sending is closed until `zhida recover`.",
        "数据库回退，已停止支付";
    ALARMS = "zhida_alarms_last_hour", Kind::State, ["kind"],
        "Alarms of the last hour that a person must look at, by kind; read from the database, so that one written while nobody served still rings.",
        "一小时内需人工处理的警报";

    // ── reviews ──
    REVIEW_CLOCKS = "zhida_review_clocks", Kind::State, ["state"],
        "Clocks of reviews and payouts that are due soon, overdue or paused, as last looked at. Those that just run are not counted.", "临期、超期、暂停的时限";
    ALERTS_OPEN = "zhida_review_alerts_open", Kind::State, ["state"],
        "Open alerts of supervision: due soon (yellow), overdue (red, with its ladder).", "未消除的预警";
    PATTERNS = "zhida_patterns", Kind::State, ["state"],
        "Patterns that supervision has found, by state; those about officers are counted among them.", "发现的规律数";
    CASE_FILES_DUE = "zhida_case_files_oldest_due_seconds", Kind::State, [],
        "How long the oldest case file that is due waits to be looked at; 0 when none does. Supervision stands still while it grows.",
        "待巡查案卷最久等待";

    DIGEST_MADE = "zhida_digest_made_timestamp_seconds", Kind::State, [],
        "When the newest daily digest was made; 0 before the first.", "最近日报制作时刻";
    DIGEST_MISSING = "zhida_digest_missing_seconds", Kind::State, [],
        "How long the daily digest of the newest working day has been due without being made; 0 when none is missing.",
        "日报缺失时长";
    CALENDAR_MISSING = "zhida_calendar_years_missing", Kind::State, [],
        "Calendar years without data that the next 60 days or running deadlines need.", "日历缺少的年份数";

    // ── funds, in minor units of the fund's currency ──
    FUND_APPROPRIATED = "zhida_fund_appropriated_fen", Kind::State, ["fund"],
        "Appropriated to the fund.", "资金总额(分)";
    FUND_COMMITTED = "zhida_fund_committed_fen", Kind::State, ["fund"],
        "Reserved, in transit and paid together.", "已占用(分)";
    FUND_LEFT = "zhida_fund_left_fen", Kind::State, ["fund"],
        "Left for new payouts.", "可用余额(分)";

    // ── the bank ──
    BANK_CALLS = "zhida_bank_calls_total", Kind::Counter, ["call", "outcome"],
        "Calls to the bank by outcome.", "银行调用次数";
    BANK_CALL_SECONDS = "zhida_bank_call_seconds", Kind::Histogram(CALL), ["call", "class"],
        "Duration of calls to the bank by class of outcome.", "银行调用用时";

    // ── notices ──
    NOTICES = "zhida_notices_last_hour", Kind::State, ["kind", "state"],
        "Notices made within the last hour, by kind and by how they stand now; a kind of which none was made is absent.", "一小时内通知数";
    NOTICES_NOT_MADE = "zhida_notices_not_made_last_hour", Kind::State, ["kind", "outcome"],
        "What was asked for and became no notice within the last hour, by kind and by why (no address, turned off, no point any more, no \
         concern of the recipient); what did not occur is absent.", "一小时内未生成通知数";
    NOTICES_WAITING = "zhida_notices_oldest_waiting_seconds", Kind::State, [],
        "How long the oldest request waits to become a notice, or the oldest notice to be sent, however often that was tried; what is to \
         wait (quiet hours, the switch, ceilings, limits, word of a call in doubt) waits from when that is over. 0 when none does, and \
         while no channel is configured.",
        "最久待发通知时长";
    NOTICES_STOPPED = "zhida_notices_stopped", Kind::State, [],
        "1 while an operator has stopped all sending of notices.", "停止通知开关";
    NOTICE_PROVIDER_SHUT = "zhida_notice_provider_shut", Kind::State, ["provider"],
        "1 while a provider of notices is given a rest because its calls failed.", "通知渠道熔断";
    NOTICE_CALLS = "zhida_notice_calls_total", Kind::Counter, ["provider", "outcome"],
        "Calls to providers of notices by outcome.", "通知渠道调用次数";
    NOTICE_SENT = "zhida_notice_asked_to_sent_seconds", Kind::Histogram(ASKED_TO_SENT), [],
        "From the moment that a notice is asked for until a provider has taken it in.", "通知发出用时";
    NOTICE_RECEIPTS = "zhida_notice_receipts_total", Kind::Counter, ["provider", "outcome"],
        "Receipts and bounces by what became of them.", "通知回执数";

    // ── what comes in and goes out ──
    INBOX = "zhida_inbox_events_total", Kind::Counter, ["outcome"],
        "Events taken in, by outcome.", "收到的事件";
    QUARANTINE = "zhida_quarantine_open", Kind::State, ["kind"],
        "Events in quarantine that nobody has replayed or discarded.", "隔离区未处理数";
    INTAKE_CONSUMERS = "zhida_intake_consumers", Kind::Gauge, [],
        "Consumers of the intake queue as the broker counts them, the same in every process; 0 while the broker cannot be asked. With the embedded queue 1 where events are taken in.",
        "接收端存活数";
    OUTBOX_UNSENT = "zhida_outbox_unsent", Kind::State, [],
        "Outbox rows not yet confirmed by the queue.", "待发消息数";
    OUTBOX_OLDEST = "zhida_outbox_oldest_age_seconds", Kind::State, [],
        "Age of the oldest unsent outbox row; 0 when there is none.", "最久待发时长";
    DEAD_LETTERS = "zhida_dead_letters_total", Kind::Counter, ["queue"],
        "Messages found in a dead-letter queue.", "死信数";

    // ── the machine ──
    BROKER_RECONNECTS = "zhida_broker_reconnects_total", Kind::Counter, ["link"],
        "Connections to the broker rebuilt.", "消息代理重连次数";
    BROKER_ROUND_TRIP = "zhida_broker_round_trip_seconds", Kind::Histogram(CALL), [],
        "One question to the broker and its answer, asked with every reading of the state figures.", "消息代理往返用时";
    DATABASE_ROUND_TRIP = "zhida_database_round_trip_seconds", Kind::Histogram(CALL), [],
        "One reading of the state figures from the database.", "数据库往返用时";
    SWEEP_LAST_RUN = "zhida_sweep_last_run_timestamp_seconds", Kind::Gauge, ["sweep"],
        "When this sweep last ended well, or was started.", "巡检最近完成时刻";
    SWEEP_INTERVAL = "zhida_sweep_interval_seconds", Kind::Gauge, ["sweep"],
        "How often this sweep is to run.", "巡检间隔";
    STATE_READ = "zhida_state_read_timestamp_seconds", Kind::State, [],
        "When the state figures were last read from the database.", "状态数据读取时刻";
    BUILD_INFO = "zhida_build_info", Kind::Gauge, ["version"],
        "Always 1; the version stands in the label.", "版本";
}
