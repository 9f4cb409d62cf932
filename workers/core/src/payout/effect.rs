//! What follows from an event: rows, never calls.

use super::books::Posting;
use crate::ids::{InstructionId, MsgId, PayoutKey};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What we tell the world of a payout: the `payout.*.v1` family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayoutWord {
    /// Taken in.
    Received,
    /// A hold was placed.
    Held,
    /// The last hold is gone.
    Released,
    /// Handed to the bank.
    Submitted,
    /// The bank has it.
    Pending,
    /// Credited.
    Settled,
    /// Refused.
    Refused,
    /// Nobody knows.
    Unknown,
    /// Came back.
    Returned,
    /// The 24 hours are in danger.
    AtRisk,
    /// The 24 hours are over.
    Overdue,
    /// Will never be paid.
    Cancelled,
}

impl PayoutWord {
    /// The CloudEvents type.
    #[must_use]
    pub fn event_type(self) -> &'static str {
        match self {
            Self::Received => "payout.received.v1",
            Self::Held => "payout.held.v1",
            Self::Released => "payout.released.v1",
            Self::Submitted => "payout.submitted.v1",
            Self::Pending => "payout.pending.v1",
            Self::Settled => "payout.settled.v1",
            Self::Refused => "payout.refused.v1",
            Self::Unknown => "payout.unknown.v1",
            Self::Returned => "payout.returned.v1",
            Self::AtRisk => "payout.at_risk.v1",
            Self::Overdue => "payout.overdue.v1",
            Self::Cancelled => "payout.cancelled.v1",
        }
    }
}

/// An announcement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// What.
    pub word: PayoutWord,
    /// Why the 24 hours are in danger, when that is what is announced.
    pub risk: Option<Risk>,
}

/// Why the 24 hours are in danger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Risk {
    /// Of which kind.
    pub code: RiskCode,
    /// In a sentence for people, Chinese first.
    pub text: String,
    /// When the bank's rail opens again, if that is why and the calendar knows.
    pub bank_reopens_at: Option<Timestamp>,
}

/// Kinds of danger; public, and counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskCode {
    /// Much of the time has gone by.
    Time,
    /// It needs the large-value rail, which opens too late.
    RailClosed,
}

/// What is told of a payout's 24 hours, each once, while it is unpaid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alert {
    /// So many hours have gone by since the approval.
    AfterHours(i64),
    /// It needs the large-value rail, which is closed until after its 24 hours.
    RailClosed,
    /// Whether that rail is open in time cannot be said: the calendar has no data.
    CalendarMissing,
    /// The 24 hours are over.
    Overdue,
}

impl Alert {
    /// The name under which it is remembered and journalled.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::AfterHours(hours) => format!("at_risk_after_{hours}h"),
            Self::RailClosed => "at_risk_rail_closed".to_owned(),
            Self::CalendarMissing => "calendar_missing".to_owned(),
            Self::Overdue => "overdue".to_owned(),
        }
    }
}

impl super::Payout {
    /// It was said that the promise of 24 hours will not be kept, or was not.
    #[must_use]
    pub fn is_known_to_be_late(&self) -> bool {
        [Alert::RailClosed, Alert::Overdue].iter().any(|alert| self.told.contains(&alert.name()))
    }
}

/// What rings. The kind is public: a metric label and the key of a runbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// Two generations of one payout were debited.
    Overpaid,
    /// The bank contradicts itself.
    Contradiction,
    /// Something does not match: another amount, a refusal after the debit, a second debit line.
    Mismatch,
    /// Money was paid although the application had ended: a recovery item.
    PaidAfterEnd,
    /// The bank refused a message for its form.
    FormatRefused,
    /// A refusal that only two officers can decide about.
    RefusedOther,
    /// The bank does not accept our credentials, or forbids.
    BankUnauthorised,
    /// Definitively absent, and too old to be sent again without a statement check.
    ResendExpired,
    /// A second, different approval for the same award.
    ApprovalConflict,
    /// What would be sent is not what was signed.
    SignatureMismatch,
    /// Evidence names an instruction nobody knows.
    UnknownInstruction,
    /// The database went back in time: sending is closed until it is recovered.
    DatabaseWentBack,
    /// The rows of a payout cannot be read, or the database refuses their change: it is left out.
    RowUnusable,
    /// The calendar has no data for a year in which the 24 hours of a large payout run.
    CalendarMissing,
    /// A ceiling of notices was reached: what is due waits.
    NoticeCeiling,
    /// No provider of a channel is of use: notices wait.
    NoticeProvidersDown,
    /// Nobody can say whether a notice was sent, and none follows by itself.
    NoticeInDoubt,
    /// A notice about money, or one that is served, does not arrive; or one that has to be told was too old before it was made.
    NoticeFailed,
    /// An essential notice could not be made: there is no address by which its recipient is reached.
    NoticeNoAddress,
}

impl AlarmKind {
    /// Every kind.
    pub const ALL: [Self; 19] = [
        Self::Overpaid,
        Self::Contradiction,
        Self::Mismatch,
        Self::PaidAfterEnd,
        Self::FormatRefused,
        Self::RefusedOther,
        Self::BankUnauthorised,
        Self::ResendExpired,
        Self::ApprovalConflict,
        Self::SignatureMismatch,
        Self::UnknownInstruction,
        Self::DatabaseWentBack,
        Self::RowUnusable,
        Self::CalendarMissing,
        Self::NoticeCeiling,
        Self::NoticeProvidersDown,
        Self::NoticeInDoubt,
        Self::NoticeFailed,
        Self::NoticeNoAddress,
    ];

    /// The name in metrics, tables and runbooks.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Overpaid => "overpaid",
            Self::Contradiction => "contradiction",
            Self::Mismatch => "mismatch",
            Self::PaidAfterEnd => "paid_after_end",
            Self::FormatRefused => "format_refused",
            Self::RefusedOther => "refused_other",
            Self::BankUnauthorised => "bank_unauthorised",
            Self::ResendExpired => "resend_expired",
            Self::ApprovalConflict => "approval_conflict",
            Self::SignatureMismatch => "signature_mismatch",
            Self::UnknownInstruction => "unknown_instruction",
            Self::DatabaseWentBack => "database_went_back",
            Self::RowUnusable => "row_unusable",
            Self::CalendarMissing => "calendar_missing",
            Self::NoticeCeiling => "notice_ceiling",
            Self::NoticeProvidersDown => "notice_providers_down",
            Self::NoticeInDoubt => "notice_in_doubt",
            Self::NoticeFailed => "notice_failed",
            Self::NoticeNoAddress => "notice_no_address",
        }
    }

    /// The kind with that name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// Something a person must look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// What kind.
    pub kind: AlarmKind,
    /// About which payout, if one. What is about an application as a whole, its review say, stands with its first.
    pub key: Option<PayoutKey>,
    /// About which instruction, if one.
    pub instruction_id: Option<InstructionId>,
    /// In plain words, without personal data.
    pub text: String,
}

/// What follows from an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A journal row (kind, detail without personal data).
    Journal(&'static str, Value),
    /// An event for the world.
    Announce(Announcement),
    /// A movement in the books.
    Post(Posting),
    /// Fund and caps get the amount back.
    Free,
    /// A person must look.
    Ring(Alarm),
    /// Its open batch is to be looked at: it may go again, or must be closed.
    ExamineBatch(MsgId),
    /// A payout worker should wake.
    Doorbell,
}
