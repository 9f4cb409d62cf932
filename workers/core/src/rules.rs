//! The district's agreed rules as plain numbers: with its bank, and for its own approvals. Filled from the settings.

use crate::notice::NoticeRules;
use crate::rails::LargeValueRail;
use crate::supervision::SupervisionRules;
use jiff::SignedDuration;
use zhida_config::Schedule;

/// What the bank recognises a repetition by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// An `EndToEndId` it knows is never paid again, under any `MsgId`.
    EndToEndId,
    /// Only a repeated `MsgId` is recognised: an absent member of an answered batch needs two officers.
    MessageId,
}

/// Whether the bank answers questions about single transfers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enquiries {
    /// It does: a refusal counts when an enquiry confirms it.
    Offered,
    /// It does not: a refusal counts at once.
    NotOffered,
}

/// What is agreed with the bank (`bank.*` settings).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankRules {
    /// Transfers in one message at most.
    pub batch_max: u32,
    /// How long a claim gives the right to call; longer than `timeout` with margin.
    pub lease: SignedDuration,
    /// Every call ends within this time.
    pub timeout: SignedDuration,
    /// After this time from the end of the last call "not found" is definitive.
    pub visibility: SignedDuration,
    /// What a repetition is recognised by.
    pub idempotency: Idempotency,
    /// An `EndToEndId` is never resent later than this after its first claim.
    pub idempotency_window: SignedDuration,
    /// Whether single transfers can be asked for.
    pub enquiries: Enquiries,
    /// First pause between enquiries; doubled each time.
    pub enquiry_first: SignedDuration,
    /// Longest pause between enquiries.
    pub enquiry_max: SignedDuration,
    /// Pause before the same bytes go again after a call that was not taken in.
    pub retry_pause: SignedDuration,
    /// Pause before a new instruction after "the account lacks funds".
    pub funds_retry: SignedDuration,
    /// Pause before a new instruction after "the window is closed", where no rail's hours say more.
    pub window_retry: SignedDuration,
}

impl BankRules {
    /// The pause before enquiry number `n` (from 0) of the same matter.
    #[must_use]
    pub fn enquiry_pause(&self, n: u32) -> SignedDuration {
        let factor = 1_i32 << n.min(16);
        self.enquiry_first.checked_mul(factor).unwrap_or(self.enquiry_max).min(self.enquiry_max)
    }
}

/// Everything the protocol needs to know of the district.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Part of every instruction id.
    pub district: String,
    /// Agreed with the bank.
    pub bank: BankRules,
    /// An approval older than this at first arrival is held.
    pub max_age: SignedDuration,
    /// An approval further than this in the future is quarantined (five minutes).
    pub max_ahead: SignedDuration,
    /// Whether an account other than the last paid one is held.
    pub changed_payee: ChangedPayee,
    /// Ages of an unpaid approval at which it is called at risk, ascending.
    pub at_risk_after: Vec<SignedDuration>,
    /// Above this, in fen, two different officers must have approved, where the policy says nothing of its own.
    pub second_officer_above: Option<i64>,
    /// Sending limits; none means no limit.
    pub limits: Limits,
    /// The hours of large-value clearing; none: every amount can be credited at any hour.
    pub large_value: Option<LargeValueRail>,
    /// Zone in which days and years are counted.
    pub zone: jiff::tz::TimeZone,
    /// How reviews are supervised.
    pub supervision: SupervisionRules,
    /// When the daily digest is due; none: there is none.
    pub digest: Option<Schedule>,
    /// How people are told.
    pub notices: NoticeRules,
}

/// What happens to a payout whose account differs from the enterprise's last paid one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangedPayee {
    /// It waits for confirmation.
    Hold,
    /// It is paid.
    Pay,
}

/// How much may be sent (first sent, not resent) in a window, in fen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// In one clock hour, all funds.
    pub per_hour: Option<i64>,
    /// In one day, all funds.
    pub per_day: Option<i64>,
    /// In one day, each fund.
    pub per_fund_per_day: Option<i64>,
}

impl Rules {
    /// Rules with the documented defaults, for `district`; without a large-value rail, whose calendar comes with the settings.
    #[must_use]
    pub fn with_defaults(district: &str) -> Self {
        let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap_or(jiff::tz::TimeZone::UTC);
        Self {
            district: district.to_owned(),
            bank: BankRules {
                batch_max: 200,
                lease: SignedDuration::from_secs(90),
                timeout: SignedDuration::from_secs(30),
                visibility: SignedDuration::from_secs(120),
                idempotency: Idempotency::EndToEndId,
                idempotency_window: SignedDuration::from_hours(30 * 24),
                enquiries: Enquiries::Offered,
                enquiry_first: SignedDuration::from_secs(5),
                enquiry_max: SignedDuration::from_mins(15),
                retry_pause: SignedDuration::from_secs(10),
                funds_retry: SignedDuration::from_hours(1),
                window_retry: SignedDuration::from_hours(1),
            },
            max_age: SignedDuration::from_hours(30 * 24),
            max_ahead: SignedDuration::from_mins(5),
            changed_payee: ChangedPayee::Hold,
            at_risk_after: [12, 18, 23].map(SignedDuration::from_hours).to_vec(),
            second_officer_above: None,
            limits: Limits::default(),
            large_value: None,
            zone: zone.clone(),
            supervision: SupervisionRules::default(),
            digest: Schedule::parse("30 8 * * *"),
            notices: NoticeRules::with_defaults(zone),
        }
    }
}
