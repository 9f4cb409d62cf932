//! The store as workers see it. Every method is one transaction of the protocol: load and lock, decide by a pure step of
//! [`crate::steps`], write, commit. `now` is always the database's clock. An error of kind [`StoreError::Unknown`] says that
//! the commit may or may not have happened: the caller looks again, it never assumes.

use crate::batch::ClaimedBatch;
use crate::ids::{ApplicationId, InstructionId, MsgId, OperatorId, PayoutKey, PolicyId};
use crate::notice::NoticeAct;
use crate::payout::{Carrier, Payout, Word};
use crate::ports::bank::{CallOutcome, PaymentFormat};
use crate::ports::cases::CaseStore;
use crate::ports::digests::DigestStore;
use crate::ports::notices::NoticeStore;
use crate::ports::orders::OrderStore;
use crate::ports::patterns::PatternStore;
use crate::ports::queue::Destination;
use crate::ports::supervision::OrganisationStore;
use crate::rules::Rules;
use crate::steps::{
    Act, ActOutcome, ActRefused, Arrival, Authority, EnquiryResult, Fund, Operator, Policy, Quarantined, Switch,
    TakenIn,
};
use crate::supervision::SupervisionAct;
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use thiserror::Error;

pub use super::listing::{
    ALARMS_RING, AlarmEntry, AlarmFilter, Figures, JournalEntry, NoPlace, NoticeFigures, PayoutFilter, PayoutPage,
    Place, QuarantineRow, Sending, Which, with_alarms,
};

/// Why the store could not serve.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Nothing happened; try again later.
    #[error("the database is not available now: {0}")]
    Unavailable(String),
    /// The commit may or may not have happened.
    #[error("the database did not confirm the commit: {0}")]
    Unknown(String),
    /// One of several rows offends a constraint: try the members one by one.
    #[error("a row was refused by the database: {0}")]
    Conflict(String),
    /// What is stored cannot be read: a bug or tampering.
    #[error("the database holds something unreadable in {place}: {what}")]
    Corrupt {
        /// Table and key.
        place: String,
        /// What.
        what: String,
    },
}

impl StoreError {
    /// It is about one row among several, not about the database: the others can be done without it.
    #[must_use]
    pub fn is_of_a_row(&self) -> bool {
        match self {
            Self::Conflict(_) | Self::Corrupt { .. } => true,
            Self::Unavailable(_) | Self::Unknown(_) => false,
        }
    }
}

/// What the stores share: rules, the bank's message format, and the check of stored signatures.
#[derive(Clone)]
pub struct Protocol {
    /// Rules in force.
    pub rules: Arc<Rules>,
    /// Writes batches.
    pub format: Arc<dyn PaymentFormat>,
    /// Reads what signed events entitle to.
    pub verifier: Arc<dyn AuthorityReader>,
}

/// A signed event as stored at its first arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// The bytes as they came.
    pub body: Vec<u8>,
    /// First arrival; key validity counts as of then.
    pub received_at: Timestamp,
}

/// Reads again what a signed approval (and a signed correction) entitles to. Pure.
pub trait AuthorityReader: Send + Sync {
    /// None when a signature does not hold, the key was not valid then, or the events are not what they should be.
    fn read(&self, approval: &StoredEvent, correction: Option<&StoredEvent>) -> Option<Authority>;

    /// Keys that were revoked: what they approved and is not sent is held.
    fn revoked_keys(&self) -> Vec<String>;
}

/// Taking in.
#[async_trait]
pub trait IntakeStore: Send + Sync {
    /// Takes in a batch of verified arrivals; one result each, in order. All or nothing.
    async fn take_in(&self, arrivals: Vec<Arrival>) -> Result<Vec<TakenIn>, StoreError>;

    /// Stores what cannot be taken in, bytes and reason.
    async fn quarantine(&self, items: Vec<Quarantined>) -> Result<(), StoreError>;

    /// Judges waiting payouts again whose circumstances changed, at most `max`; says how many.
    async fn reconsider(&self, max: u32) -> Result<u32, StoreError>;
}

/// An instruction to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enquiry {
    /// The payout.
    pub key: PayoutKey,
    /// The instruction.
    pub instruction_id: InstructionId,
    /// The database's clock when it was handed out: the enquiry begins after it.
    pub begun_at: Timestamp,
}

impl Enquiry {
    /// The question for a successor that a lost history may have sent, put beside the one for its predecessor.
    #[must_use]
    pub fn of_successor(district: &str, key: &PayoutKey, generation: u32, begun_at: Timestamp) -> Self {
        let instruction_id = InstructionId::derive(district, key, generation.saturating_add(1));
        Self { key: key.clone(), instruction_id, begun_at }
    }
}

/// Sending and booking.
#[async_trait]
pub trait PayoutStore: Send + Sync {
    /// Claims a batch: an open one that may go again, else a new one named `msg_id`, oldest due first, at most `max`
    /// members. None when there is nothing to send.
    async fn claim(&self, msg_id: MsgId, max: u32) -> Result<Option<ClaimedBatch>, StoreError>;

    /// The last look before the socket write: `Err(why)` inside when the call must not be made.
    async fn may_write(&self, claimed: &ClaimedBatch) -> Result<Result<(), String>, StoreError>;

    /// Books the end of a call, member by member.
    async fn book_call(&self, claimed: &ClaimedBatch, outcome: &CallOutcome) -> Result<(), StoreError>;

    /// Books that the call was not made.
    async fn book_not_made(&self, claimed: &ClaimedBatch, why: &str) -> Result<(), StoreError>;

    /// Ends claims whose lease ran out, at most `max`; says how many.
    async fn expire_leases(&self, max: u32) -> Result<u32, StoreError>;

    /// Hands out instructions that are due to be asked for, at most `max`, and puts their next turn off by one lease.
    async fn claim_enquiries(&self, max: u32) -> Result<Vec<Enquiry>, StoreError>;

    /// Books what enquiries brought.
    async fn book_enquiries(&self, results: &[EnquiryResult]) -> Result<(), StoreError>;

    /// Books evidence that came another way. For instructions nobody knows it keeps the evidence, which speaks when an
    /// approval brings them back, and rings.
    async fn book_evidence(&self, items: &[(InstructionId, Word, Carrier)]) -> Result<(), StoreError>;

    /// Books that the statements of every closed day up to the moment given hold nothing that could be the instruction's;
    /// says whether that was enough for it to go again.
    async fn book_statement_check(&self, id: &InstructionId, covered_until: Timestamp) -> Result<bool, StoreError>;

    /// Ends holds by time and tells of the 24 hours, at most `max`; says how many payouts it changed.
    async fn time_passes(&self, max: u32) -> Result<u32, StoreError>;

    /// Rings the doorbell anew when something has waited to be sent although every doorbell was rung (lost messages).
    async fn ring_again(&self) -> Result<u32, StoreError>;
}

/// An outbox row in the hands of a relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its id; the message id.
    pub id: String,
    /// Where it goes.
    pub destination: Destination,
    /// The payload.
    pub body: Vec<u8>,
}

/// The outbox. Rows are claimed by state, never by "greater than the last".
#[async_trait]
pub trait OutboxStore: Send + Sync {
    /// Claims unsent rows, oldest first, for one lease.
    async fn claim_outbox(&self, max: u32) -> Result<Vec<OutboxRow>, StoreError>;

    /// These are out.
    async fn outbox_sent(&self, ids: &[String]) -> Result<(), StoreError>;

    /// These are not; they may be claimed again at once.
    async fn outbox_kept(&self, ids: &[String]) -> Result<(), StoreError>;
}

/// Reference data: funds, policies, operators.
#[async_trait]
pub trait ReferenceStore: Send + Sync {
    /// Writes funds and policies (idempotent); waiting payouts they concern are judged again. `by` stands in the journal.
    async fn import_policies(&self, funds: &[Fund], policies: &[Policy], by: &str) -> Result<(), StoreError>;

    /// All funds with what is committed, by id.
    async fn funds(&self) -> Result<Vec<Fund>, StoreError>;

    /// All policies, by id.
    async fn policies(&self) -> Result<Vec<Policy>, StoreError>;

    /// One policy.
    async fn policy(&self, id: &PolicyId) -> Result<Option<Policy>, StoreError>;

    /// Adds an operator, or replaces name, role and key of one; `by` stands in the journal. [`StoreError::Conflict`] when
    /// another operator who is not disabled has the same key: four eyes are two keys.
    async fn put_operator(&self, operator: &Operator, by: &str) -> Result<(), StoreError>;

    /// All operators, by id.
    async fn operators(&self) -> Result<Vec<Operator>, StoreError>;
}

/// What an operator does: about money, about reviews, or about notices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnyAct {
    /// About payouts, or the stop switch.
    Payouts(Act),
    /// About alerts, orders and patterns.
    Supervision(SupervisionAct),
    /// About notices.
    Notices(NoticeAct),
}

impl From<NoticeAct> for AnyAct {
    fn from(act: NoticeAct) -> Self {
        Self::Notices(act)
    }
}

impl From<Act> for AnyAct {
    fn from(act: Act) -> Self {
        Self::Payouts(act)
    }
}

impl From<SupervisionAct> for AnyAct {
    fn from(act: SupervisionAct) -> Self {
        Self::Supervision(act)
    }
}

/// A signed act of an operator as it came, for the inbox and the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedAct {
    /// CloudEvents source.
    pub source: String,
    /// CloudEvents id.
    pub event_id: String,
    /// CloudEvents type.
    pub event_type: String,
    /// Content hash, as for arrivals.
    pub content_sha256: String,
    /// The bytes as they came.
    pub body: Vec<u8>,
    /// Who.
    pub operator_id: OperatorId,
    /// What.
    pub act: AnyAct,
    /// Why.
    pub reason: String,
}

/// What became of a signed act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acted {
    /// Done, or waiting for a second officer.
    Done(ActOutcome),
    /// The same event came before: nothing was done again.
    Duplicate,
    /// The same source and id came before with other content: nothing was done, and nothing is remembered of it.
    Conflict,
    /// Refused, with the reason; the attempt is in the journal.
    Refused(ActRefused),
    /// No such operator, or disabled.
    UnknownOperator(OperatorId),
}

/// Acts of operators.
#[async_trait]
pub trait ActStore: Send + Sync {
    /// Does an act in one transaction with its inbox row and journal.
    async fn act(&self, act: &SignedAct) -> Result<Acted, StoreError>;

    /// The stop switch.
    async fn switch(&self) -> Result<Switch, StoreError>;

    /// Holds every unsent payout that a revoked key approved, at most `max`; says how many.
    async fn hold_revoked(&self, max: u32) -> Result<u32, StoreError>;
}

/// Reading, for people and machines.
#[async_trait]
pub trait ReadStore: Send + Sync {
    /// The payouts of an application, by tranche.
    async fn payouts_of(&self, id: &ApplicationId) -> Result<Vec<Payout>, StoreError>;

    /// A page of payouts.
    async fn payouts(&self, filter: &PayoutFilter) -> Result<PayoutPage, StoreError>;

    /// The whole story of an application, oldest first: its own journal rows and those of its tranches, and what rang.
    async fn trace(&self, id: &ApplicationId) -> Result<Vec<JournalEntry>, StoreError>;

    /// Alarms, newest first.
    async fn alarms(&self, filter: &AlarmFilter) -> Result<Vec<AlarmEntry>, StoreError>;

    /// What may keep every payout from being sent.
    async fn sending(&self) -> Result<Sending, StoreError>;

    /// Quarantine rows, oldest first; open ones only unless told otherwise.
    async fn quarantine_rows(&self, which: Which) -> Result<Vec<QuarantineRow>, StoreError>;

    /// Closes a quarantine row (`replayed` or `discarded`), with who and why. False when it is closed already or unknown.
    async fn close_quarantine(&self, id: &str, state: &str, by: &str, why: &str) -> Result<bool, StoreError>;

    /// The figures. Their cost grows with what is under way, not with what was ever paid.
    async fn figures(&self) -> Result<Figures, StoreError>;

    /// The database's clock; a round trip for health and its measure.
    async fn now(&self) -> Result<Timestamp, StoreError>;
}

/// Where a database stands in its history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Random, made anew by `migrate` and by every recovery.
    pub incarnation: String,
    /// The last journal row: its number and its leaf, hexadecimal. None while the journal is empty.
    pub head: Option<(i64, String)>,
}

/// How the database stands to a position that was noted outside of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Where it stands now.
    pub now: Position,
    /// Whether it is further on in the same history, or went back.
    pub verdict: Verdict,
}

/// Whether a database went back in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds everything it held at the noted position.
    Onward,
    /// It has lost what it held then: it was restored.
    WentBack,
}

/// What a recovery did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Where the database stands now.
    pub position: Position,
    /// The last entry of the restored journal, before the recovery: senders hand in again what is later, less one hour.
    pub restored_to: Option<Timestamp>,
    /// Payouts that are asked for.
    pub in_doubt: u64,
    /// When two officers may open sending.
    pub opens_from: Timestamp,
}

/// Restores of the database: noticed, and made good.
#[async_trait]
pub trait RestoreStore: Send + Sync {
    /// Compares with a position noted before (none: says where it stands).
    async fn compare(&self, noted: Option<&Position>) -> Result<Compared, StoreError>;

    /// Closes sending because the database went back; nothing happens when it is closed for that already.
    async fn close_sending(&self, why: &str) -> Result<(), StoreError>;

    /// A new incarnation: epochs of a lost history mean nothing any more, open batches are closed, whatever is not final is in
    /// doubt and asked for; two officers may open sending from `opens_from` on. `by` and `why` stand in the journal.
    async fn recover(&self, opens_from: Timestamp, by: &str, why: &str) -> Result<Recovered, StoreError>;
}

macro_rules! whole {
    ($($part:ident),* $(,)?) => {
        /// Everything at once, as the binary hands it around.
        pub trait Store: $($part +)* Send + Sync {}

        impl<T: $($part +)* Send + Sync> Store for T {}
    };
}

whole! {
    IntakeStore, PayoutStore, OutboxStore, ReferenceStore, ActStore, ReadStore, RestoreStore, OrganisationStore, CaseStore,
    OrderStore, PatternStore, DigestStore, NoticeStore,
}
