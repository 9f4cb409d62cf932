//! A payout: one award on its way to one account, its holds, its instructions and its books. The machine itself is in
//! `on.rs`; what travels is an [`Instruction`]; nothing here reads a clock, a table or a socket.

mod asking;
mod books;
mod effect;
mod event;
mod evidence;
mod hold;
mod instruction;
mod on;
mod rejection;
mod restore;
mod sending;
#[cfg(test)]
mod tests;
mod waiting;

pub use books::{Account, Posting};
pub use effect::{Alarm, AlarmKind, Alert, Announcement, Effect, PayoutWord, Risk, RiskCode};
pub use event::{CallEnd, Decision, Event, FundGrant, Refused, Word};
pub use hold::{Ends, Hold, HoldCode, Release};
pub use instruction::{Carrier, Claim, Debit, Instruction, InstructionState, Returned};
pub use rejection::{Rejection, RejectionClass};
pub(crate) use restore::FORGOTTEN_MAX;

use crate::ids::{FundId, InstructionId, PayoutKey, PolicyId};
use crate::money::Fen;
use crate::ports::bank::Payee;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The public state of a payout (CONTRACT names them; they stand in the API, in tables, in metrics).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayoutState {
    /// A rule or a person stands against it.
    Held,
    /// To be sent.
    Ready,
    /// A claim is open.
    Sending,
    /// It may be at the bank, or not; never sent again on a guess.
    Unknown,
    /// The bank has it.
    Pending,
    /// Credited.
    Settled,
    /// Refused by the bank.
    Refused,
    /// Credited or sent, and came back.
    Returned,
    /// Will never be paid.
    Cancelled,
}

impl PayoutState {
    /// Every state.
    pub const ALL: [Self; 9] = [
        Self::Held,
        Self::Ready,
        Self::Sending,
        Self::Unknown,
        Self::Pending,
        Self::Settled,
        Self::Refused,
        Self::Returned,
        Self::Cancelled,
    ];

    /// The name in tables, queues, screens and metrics.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Ready => "ready",
            Self::Sending => "sending",
            Self::Unknown => "unknown",
            Self::Pending => "pending",
            Self::Settled => "settled",
            Self::Refused => "refused",
            Self::Returned => "returned",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Live: money may still move. A unique index allows one live instruction per payout.
    #[must_use]
    pub fn is_live(self) -> bool {
        match self {
            Self::Held | Self::Ready | Self::Sending | Self::Unknown | Self::Pending => true,
            Self::Settled | Self::Refused | Self::Returned | Self::Cancelled => false,
        }
    }
}

/// Why a payout's application ended after, or before, its approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndKind {
    /// The enterprise withdrew.
    Withdrawn,
    /// The review rejected it after all.
    Rejected,
    /// The approval was revoked.
    Revoked,
    /// An operator cancelled it.
    Cancelled,
}

impl EndKind {
    /// The name in reasons and tables.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Withdrawn => "withdrawn",
            Self::Rejected => "rejected",
            Self::Revoked => "revoked",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The end of an application: never sent, resent or given a successor again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// How.
    pub kind: EndKind,
    /// When, by whoever ended it.
    pub at: Timestamp,
    /// Why, in their words.
    pub reason: String,
}

/// The enterprise as the approval names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enterprise {
    /// Unified social credit code.
    pub uscc: String,
    /// Registered name.
    pub name: String,
}

/// One payout with everything that decides about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payout {
    /// Which award.
    pub key: PayoutKey,
    /// Under which policy.
    pub policy_id: PolicyId,
    /// Out of which fund; none while the policy is unknown.
    pub fund_id: Option<FundId>,
    /// The fund the approval named, if it did.
    pub named_fund_id: Option<FundId>,
    /// To whom.
    pub enterprise: Enterprise,
    /// How much.
    pub amount: Fen,
    /// ISO 4217.
    pub currency: String,
    /// The payee of the approval or of the last correction taken over.
    pub payee: Payee,
    /// The payee of the approval, whatever was corrected since.
    pub approved_payee: Payee,
    /// Start of the 24 hours.
    pub approved_at: Timestamp,
    /// First arrival, by the database's clock.
    pub received_at: Timestamp,
    /// End of the 24 hours.
    pub due_at: Timestamp,
    /// The integrity commitment that the approval names.
    pub commitment_id: Option<String>,
    /// How many different officers approved it.
    pub officers: u32,
    /// Source and id of the signed approval that its content is checked against before every claim.
    pub approval_event: (String, String),
    /// Source and id of the signed correction that the payee comes from, when one took effect.
    pub correction_event: Option<(String, String)>,
    /// When the last correction, in effect or waiting, was confirmed: an earlier one that comes late changes nothing.
    pub corrected_at: Option<Timestamp>,
    /// The key that signed it.
    pub keyid: String,
    /// Raised by every claim.
    pub epoch: u64,
    /// How much we announced of it. The number an event bears is the store's, counted over all tranches.
    pub sequence: u64,
    /// Holds in force.
    pub holds: BTreeMap<HoldCode, Hold>,
    /// Codes that officers have released; they never hold again.
    pub waived: BTreeSet<HoldCode>,
    /// The application ended.
    pub ended: Option<Ended>,
    /// A correction that waits until the sent generation is dead: payee, and the event that carries it.
    pub correction: Option<(Payee, (String, String))>,
    /// Books: the fund's limits were charged with the amount.
    pub funded: bool,
    /// Books: set apart.
    pub reserved: Fen,
    /// Two generations were debited.
    pub overpaid: bool,
    /// The database was restored since its approval: a lost history may have sent what stands here unsent, or as generations
    /// that do not stand here, so every one is asked for before it is sent.
    pub restored: bool,
    /// Alerts of the 24 hours already given, by name.
    pub told: BTreeSet<String>,
    /// Generations, oldest first; never empty.
    pub instructions: Vec<Instruction>,
}

impl Payout {
    /// When [`crate::steps::time_passes`] next has something to do for it: a hold that ends, or an alert of the 24 hours.
    #[must_use]
    pub fn next_moment(&self, rules: &crate::rules::Rules) -> Option<Timestamp> {
        let holds = self.holds.values().filter_map(|hold| hold.until).min();
        let alert = if self.is_unpaid() { self.next_alert(rules) } else { None };
        [holds, alert].into_iter().flatten().min()
    }

    fn next_alert(&self, rules: &crate::rules::Rules) -> Option<Timestamp> {
        self.alerts(rules)
            .into_iter()
            .filter(|(alert, _)| !self.told.contains(&alert.name()))
            .map(|(_, from)| from)
            .min()
    }

    /// Every alert of the 24 hours, with the moment from which it is due.
    #[must_use]
    pub fn alerts(&self, rules: &crate::rules::Rules) -> Vec<(Alert, Timestamp)> {
        let mut alerts: Vec<(Alert, Timestamp)> = Vec::new();
        for after in &rules.at_risk_after {
            let from = self.approved_at.checked_add(*after).unwrap_or(Timestamp::MAX);
            alerts.push((Alert::AfterHours(after.as_hours()), from));
        }
        if let Some(rail) = rules.large_value_rail(self.amount) {
            match rail.last_chance(self.approved_at, self.due_at) {
                Ok(from) => alerts.extend(from.map(|from| (Alert::RailClosed, from))),
                Err(_) => alerts.push((Alert::CalendarMissing, self.approved_at)),
            }
        }
        alerts.push((Alert::Overdue, self.due_at));
        alerts
    }
}

/// The promise: money within 24 hours of the approval.
pub const PROMISE: SignedDuration = SignedDuration::from_hours(24);

impl Payout {
    /// The generation last minted.
    #[must_use]
    pub fn latest(&self) -> Option<&Instruction> {
        self.instructions.last()
    }

    /// The generation that speaks for the payout while none is debited: the one that may be at the bank; else the latest whose
    /// death is doubtful; else the one to be sent; else the latest that was not closed, for one closed unsent because of a
    /// sibling says nothing; else the latest.
    #[must_use]
    pub fn speaking(&self) -> Option<&Instruction> {
        let backwards = || self.instructions.iter().rev();
        let at_the_bank = || backwards().find(|one| one.is_live() && one.state() != InstructionState::Fresh);
        let doubtful = || backwards().find(|one| !one.is_live() && !one.is_dead());
        let to_be_sent = || backwards().find(|one| one.is_live());
        let not_closed = || backwards().find(|one| one.state() != InstructionState::Closed);
        at_the_bank().or_else(doubtful).or_else(to_be_sent).or_else(not_closed).or(self.instructions.last())
    }

    /// A generation, from 1.
    #[must_use]
    pub fn instruction(&self, generation: u32) -> Option<&Instruction> {
        self.instructions.iter().find(|one| one.generation == generation)
    }

    pub(crate) fn instruction_mut(&mut self, generation: u32) -> Option<&mut Instruction> {
        self.instructions.iter_mut().find(|one| one.generation == generation)
    }

    /// The generation that bears this id.
    #[must_use]
    pub fn by_id(&self, id: &InstructionId) -> Option<&Instruction> {
        self.instructions.iter().find(|one| one.id == *id)
    }

    /// The public state, derived from holds and instructions. A debited generation settles the payout whatever the others
    /// say; else [`Payout::speaking`] decides.
    #[must_use]
    pub fn state(&self) -> PayoutState {
        if self.instructions.iter().any(Instruction::is_debited) {
            return PayoutState::Settled;
        }
        let Some(instruction) = self.speaking() else { return PayoutState::Held };
        match instruction.state() {
            InstructionState::Fresh if self.holds.is_empty() => PayoutState::Ready,
            InstructionState::Fresh => PayoutState::Held,
            InstructionState::Sending => PayoutState::Sending,
            InstructionState::Unknown => PayoutState::Unknown,
            InstructionState::Pending => PayoutState::Pending,
            InstructionState::Settled => PayoutState::Settled,
            // Dead, said one word of the bank, alive, said a later one: nobody knows.
            InstructionState::Refused | InstructionState::Closed if instruction.contradiction => PayoutState::Unknown,
            InstructionState::Refused | InstructionState::Returned if self.ended.is_some() => PayoutState::Cancelled,
            InstructionState::Refused => PayoutState::Refused,
            InstructionState::Returned => PayoutState::Returned,
            InstructionState::Closed => PayoutState::Cancelled,
        }
    }

    /// May be put into a new message now: nothing stands against it, nothing of it is debited, and its latest generation
    /// is either fresh or definitively absent at the bank. Members of an open batch travel with that batch only.
    #[must_use]
    pub fn is_claimable(&self) -> bool {
        self.may_be_sent() && self.latest().is_some_and(|one| one.msg_id.is_none())
    }

    /// As [`Payout::is_claimable`], wherever it travels: alone or with the open batch it is a member of.
    #[must_use]
    pub fn may_be_sent(&self) -> bool {
        let Some(latest) = self.latest() else { return false };
        let others_are_dead = self.instructions.iter().all(|one| one.generation == latest.generation || one.is_dead());
        let sendable = match latest.state() {
            InstructionState::Fresh => true,
            InstructionState::Unknown => {
                latest.absent && !latest.has_evidence() && !latest.resend_expired && !latest.successor_in_doubt
            }
            InstructionState::Sending
            | InstructionState::Pending
            | InstructionState::Settled
            | InstructionState::Refused
            | InstructionState::Returned
            | InstructionState::Closed => false,
        };
        sendable && others_are_dead && self.holds.is_empty() && self.ended.is_none() && self.funded
    }

    /// The 24 hours still run: money may yet have to move, and nobody waits for the enterprise's own correction.
    #[must_use]
    pub fn is_unpaid(&self) -> bool {
        let rejection = self.speaking().and_then(|one| one.rejection.as_ref());
        let officers_turn = rejection.is_some_and(|one| one.class == RejectionClass::Other);
        self.state().is_live() || (self.state() == PayoutState::Refused && officers_turn)
    }

    /// Code and sentence for states that have a reason: held, refused, unknown, returned, cancelled.
    #[must_use]
    pub fn reason(&self) -> Option<(String, String)> {
        match self.state() {
            PayoutState::Ready | PayoutState::Sending | PayoutState::Pending | PayoutState::Settled => None,
            PayoutState::Held => self.holds.iter().next().map(|(code, hold)| {
                let (chinese, english) = code.sentences();
                (code.code().to_owned(), format!("{chinese} {english} {}", hold.detail).trim_end().to_owned())
            }),
            PayoutState::Unknown => Some(self.unknown_reason()),
            PayoutState::Refused => self.speaking().and_then(|one| one.rejection.as_ref()).map(|one| {
                (format!("refused_{}", one.class.code()), format!("{} {}", one.reason, one.text).trim_end().to_owned())
            }),
            PayoutState::Returned => self
                .speaking()
                .and_then(|one| one.returned.as_ref())
                .map(|one| ("returned".to_owned(), format!("款项已退回。 The money came back: {}", one.reason))),
            PayoutState::Cancelled => {
                let ended = self.ended.as_ref();
                let code = ended.map_or("closed", |one| one.kind.code());
                let text = ended.map_or("closed by two officers", |one| one.reason.as_str());
                Some((code.to_owned(), text.to_owned()))
            }
        }
    }

    fn unknown_reason(&self) -> (String, String) {
        let (code, text) = match self.speaking() {
            Some(one) if one.contradiction => (
                "contradiction",
                "银行答复前后矛盾，等待人工核实。 The bank contradicted itself; a person looks at it.",
            ),
            Some(one) if one.transfer.is_none() && !one.has_evidence() => (
                "restored",
                "数据库恢复后正在向银行核实。 Being checked with the bank since the database was restored.",
            ),
            Some(one) if one.rejection.is_some() => {
                ("refusal_unconfirmed", "银行拒绝，正在核实。 Refused by the bank; being confirmed by an enquiry.")
            }
            Some(one) if one.absent => {
                ("absent", "银行无此笔记录，将再次发送同一指令。 Not at the bank; the same instruction travels again.")
            }
            Some(_) | None => (
                "no_answer",
                "银行未给出确定答复，正在查询。 The bank gave no certain answer; enquiries are under way.",
            ),
        };
        (code.to_owned(), text.to_owned())
    }
}
