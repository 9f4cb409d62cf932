//! The bank as the payout worker sees it: hand in one message, ask for one instruction. It reports what happened on the wire
//! in terms of evidence; what follows from it is decided by [`crate::payout`], never here and never in an adapter.

use crate::ids::{FundId, InstructionId, MsgId};
use crate::money::Fen;
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Where the money goes. Verified against the signed approval; frozen when an instruction is minted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Payee {
    /// Name on the account, at most 140 characters.
    pub account_name: String,
    /// Digits and hyphens, at most 34; a valid IBAN is written as one.
    pub account_no: String,
    /// CNAPS code of the branch, 12 digits.
    pub bank_code: String,
    /// Name of the bank as the enterprise gave it.
    pub bank_name: String,
}

/// Where the money comes from: the fund's account.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Debtor {
    /// Name of the account holder.
    pub name: String,
    /// Account number.
    pub account_no: String,
    /// CNAPS code of the bank that holds it.
    pub bank_code: String,
}

/// One credit transfer exactly as it travels; the same bytes follow from the same content.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Transfer {
    /// `EndToEndId`.
    pub instruction_id: InstructionId,
    /// Amount.
    pub amount: Fen,
    /// ISO 4217 code of the fund, `CNY`.
    pub currency: String,
    /// The fund (grouping only; not written into the message).
    pub fund_id: FundId,
    /// Debtor account.
    pub debtor: Debtor,
    /// Creditor account.
    pub payee: Payee,
    /// Unified social credit code of the enterprise, written as the creditor's organisation id.
    pub uscc: String,
    /// Remittance text, at most 140 characters: policy title and application id.
    pub remittance: String,
}

/// Writes the bytes of a batch. Pure: the same input gives the same bytes, so that a resend is byte for byte.
pub trait PaymentFormat: Send + Sync {
    /// The message `msg_id`, made at `created_at`, with `transfers` in the order given.
    fn write(&self, msg_id: &MsgId, created_at: Timestamp, transfers: &[Transfer]) -> Vec<u8>;
}

/// What a bank says of one transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BankWord {
    /// Received, pending, accepted in some degree (RCVD, PDNG, ACTC, ACCP, ACSP and the like): it is on the way.
    OnTheWay {
        /// The bank's code.
        code: String,
    },
    /// Settled in the sense agreed with the bank (`bank.settled_status`).
    Settled {
        /// The bank's code.
        code: String,
        /// When the creditor's account was credited, by the bank's clock, if it said so.
        credited_at: Option<Timestamp>,
        /// The bank's own reference.
        bank_reference: Option<String>,
    },
    /// Rejected (RJCT), naming this transfer.
    Rejected {
        /// ISO external status reason (`AC01`), or `NARR` when the bank gave none.
        reason: String,
        /// What the bank wrote beside it.
        text: String,
    },
    /// Refused as a duplicate (AM05, DU01): it is somewhere already; ask.
    Duplicate {
        /// The bank's code.
        code: String,
    },
    /// A status this version does not know: neither good nor bad.
    Unclear {
        /// The code as it came.
        code: String,
    },
}

/// A word of the bank about one transfer, found in an answer or an enquiry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    /// The `EndToEndId` it names.
    pub instruction_id: InstructionId,
    /// The word.
    pub word: BankWord,
}

/// The longest wait that a bank can ask of us by `Retry-After`. One that asks for more is tried again after this: the 24 hours
/// of a payout run meanwhile.
pub const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// Why a call certainly left nothing at the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum NotTakenIn {
    /// No connection came about.
    ConnectionRefused,
    /// 401: our credentials are not accepted.
    Unauthorised,
    /// 403.
    Forbidden,
    /// 429.
    TooManyRequests,
}

impl NotTakenIn {
    /// The name in the journal.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::ConnectionRefused => "connection_refused",
            Self::Unauthorised => "unauthorised",
            Self::Forbidden => "forbidden",
            Self::TooManyRequests => "too_many_requests",
        }
    }
}

/// How a call that carried one message ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// An answer that could be read. Members it does not name are unknown.
    Answered(Vec<StatusReport>),
    /// Refused as a whole for its form (400, or a group-level RJCT naming our `MsgId`): nothing of this call was taken in.
    RefusedWhole {
        /// Reason code, e.g. `FF01`.
        reason: String,
        /// What the bank wrote.
        text: String,
    },
    /// Nothing of this call was taken in; the same bytes may go later.
    NotTakenIn {
        /// Why.
        why: NotTakenIn,
        /// What the bank asked us to wait, if it did.
        retry_after: Option<Duration>,
    },
    /// The group was refused as a duplicate (AM05, DU01): ask for each member.
    DuplicateGroup,
    /// Time-out, reset, 5xx, unreadable answer, contradiction: anything may have happened.
    Doubtful {
        /// What was seen, for the journal; no personal data.
        why: String,
        /// What the bank asked us to wait (503 may carry it).
        retry_after: Option<Duration>,
    },
}

/// What an enquiry brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnquiryOutcome {
    /// The present status.
    Found(StatusReport),
    /// 404: the bank has none. Whether that is definitive is decided by the core.
    NotFound,
    /// No usable answer; nothing is learnt.
    NoAnswer {
        /// What was seen.
        why: String,
        /// What the bank asked us to wait, if it did.
        retry_after: Option<Duration>,
    },
}

/// The link to a bank. Implementations never retry, never hold back an outcome, and end every call within the bank's
/// time-out (`bank.timeout_seconds`).
#[async_trait]
pub trait BankLink: Send + Sync {
    /// Hands in one message.
    async fn pay(&self, msg_id: &MsgId, bytes: &[u8]) -> CallOutcome;

    /// Asks for one transfer.
    async fn enquire(&self, instruction_id: &InstructionId) -> EnquiryOutcome;
}
