//! What can happen to a payout. Evidence names an instruction and applies in every state; acts of ours are guarded.

use super::instruction::{Carrier, Claim};
use super::{Ended, Hold, HoldCode};
use crate::ids::{InstructionId, MsgId, OperatorId};
use crate::money::Fen;
use crate::ports::bank::{BankWord, NotTakenIn, Payee, Transfer};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// How a call ended for one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// The answer named it: the word follows as evidence.
    Answered,
    /// Nothing of this call was taken in; the same bytes may go later.
    NotTakenIn(NotTakenIn),
    /// We did not make the call: the last look before the socket write spoke against it.
    NotMade,
    /// The message was refused as a whole for its form; it had this many members.
    RefusedWhole {
        /// Members of that message.
        members: u32,
    },
    /// Anything may have happened: time-out, reset, 5xx, unreadable, not named in the answer, expired lease.
    Doubtful {
        /// What was seen.
        why: String,
    },
}

/// What the bank, a statement or two officers say of an instruction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Word {
    /// On the way.
    OnTheWay,
    /// Debited and credited.
    Settled {
        /// When credited, if the bank said so.
        credited_at: Option<Timestamp>,
        /// The bank's reference.
        bank_reference: Option<String>,
    },
    /// Refused.
    Rejected {
        /// Reason code.
        reason: String,
        /// The bank's text.
        text: String,
    },
    /// It knows it as a duplicate: ask.
    Duplicate,
    /// A word nobody understands: ask again.
    Unclear {
        /// The code.
        code: String,
    },
    /// The bank has none; the enquiry began at this time by the database's clock.
    NotFound {
        /// Start of the enquiry.
        begun_at: Timestamp,
    },
    /// It came back.
    Returned {
        /// When.
        at: Timestamp,
        /// Reason code.
        reason: String,
        /// How much.
        amount: Fen,
    },
}

impl From<&BankWord> for Word {
    fn from(word: &BankWord) -> Self {
        match word {
            BankWord::OnTheWay { .. } => Self::OnTheWay,
            BankWord::Settled { credited_at, bank_reference, .. } => {
                Self::Settled { credited_at: *credited_at, bank_reference: bank_reference.clone() }
            }
            BankWord::Rejected { reason, text } => Self::Rejected { reason: reason.clone(), text: text.clone() },
            BankWord::Duplicate { .. } => Self::Duplicate,
            BankWord::Unclear { code } => Self::Unclear { code: code.clone() },
        }
    }
}

/// What two officers may decide together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It was settled, with a written proof.
    Settled,
    /// It goes on: a successor although the refusal was of class *other*; or, where the bank recognises a repetition by its
    /// message only, the same instruction in another message, when the old message was answered and a bank day has closed.
    Retry,
    /// Absent at the bank for good (or the bank contradicts itself for good) after a statement check: close it.
    Close,
}

/// Something that happens to a payout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The rules were tried again: these stand against it now (codes that end by themselves only).
    RulesSay {
        /// The fund that the policy draws on, once it is known.
        fund_id: Option<crate::ids::FundId>,
        /// What stands against it.
        holds: BTreeMap<HoldCode, Hold>,
        /// The store has charged fund and caps: reserve.
        fund_granted: FundGrant,
    },
    /// A hold is placed.
    Placed(HoldCode, Hold),
    /// An officer releases these holds.
    Released {
        /// Who.
        by: OperatorId,
        /// Which.
        codes: Vec<HoldCode>,
    },
    /// Holds whose time has come end.
    TimePassed,
    /// The application ended.
    Ended(Ended),
    /// An operator cancels: works from held and ready.
    Cancelled(Ended),
    /// The signed payee correction.
    Corrected {
        /// The new payee.
        payee: Payee,
        /// Source and id of the signed correction.
        authority: (String, String),
        /// When it was confirmed.
        at: Timestamp,
    },
    /// A worker claims the latest generation.
    Claimed {
        /// The right to call.
        claim: Claim,
        /// The batch.
        msg_id: MsgId,
        /// The content, frozen at the first claim.
        transfer: Box<Transfer>,
    },
    /// The call of a claim ended.
    CallEnded {
        /// Epoch of the claim; another one than the open claim's is stale.
        epoch: u64,
        /// How.
        end: CallEnd,
        /// The bank asked not to be called before this moment.
        not_before: Option<Timestamp>,
    },
    /// The call of a claim ended with an answer that names the instruction: end and word are one event, so that nobody is
    /// told of a doubt that never was.
    Answered {
        /// As for [`Event::CallEnded`].
        epoch: u64,
        /// Which.
        instruction_id: InstructionId,
        /// What the answer says of it.
        word: Word,
    },
    /// The lease of the open claim ran out.
    LeaseExpired,
    /// Its batch was closed: it travels alone from now on.
    BatchClosed,
    /// Evidence about one instruction.
    Evidence {
        /// Which.
        instruction_id: InstructionId,
        /// What.
        word: Word,
        /// Who told.
        carrier: Carrier,
    },
    /// The enquiry brought no usable answer.
    EnquiryFailed {
        /// Which.
        instruction_id: InstructionId,
        /// The bank asked not to be called before this moment.
        not_before: Option<Timestamp>,
    },
    /// The database was restored: a lost history may have sent whatever is not final here.
    Restored,
    /// The statements of every closed day up to `covered_until` were read: they hold no line of this instruction, and none
    /// without a name that could be its.
    StatementChecked {
        /// Which.
        instruction_id: InstructionId,
        /// End of the last day that the statements cover.
        covered_until: Timestamp,
    },
    /// An officer decides; the second, different one makes it so.
    Decided {
        /// Which.
        instruction_id: InstructionId,
        /// Who.
        by: OperatorId,
        /// What.
        decision: Decision,
    },
}

/// Whether fund and caps have been charged for the payout in this transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FundGrant {
    /// Charged now.
    Granted,
    /// Not charged now (it may have been earlier).
    Unchanged,
}

/// Why an act could not be done. Evidence is never refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// The state forbids it.
    #[error("{act} is not possible while the payout is {state}; {remedy}")]
    WrongState {
        /// What was tried.
        act: &'static str,
        /// The state.
        state: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// A stale claim: somebody else has the payout now.
    #[error("epoch {theirs} is stale, the payout is at {ours}; drop the claim")]
    Stale {
        /// The claim's epoch.
        theirs: u64,
        /// The payout's.
        ours: u64,
    },
    /// The hold cannot be released by hand.
    #[error("hold {0} cannot be released by an officer; its cause must go")]
    NotReleasable(&'static str),
    /// No such hold.
    #[error("there is no hold {0} on this payout; see `zhida trace` for the holds in force")]
    NoSuchHold(&'static str),
    /// The same officer twice.
    #[error("{0} has already acted; a second, different officer is needed")]
    SameOfficer(OperatorId),
    /// The instruction is not this payout's.
    #[error("instruction {0} is not of this payout")]
    NoSuchInstruction(InstructionId),
    /// A statement check that leaves days open.
    #[error(
        "the statements end at {covered_until}; check those up to {needed} too, with every day since the last call"
    )]
    StatementTooShort {
        /// End of what was read.
        covered_until: Timestamp,
        /// End of the last closed day.
        needed: Timestamp,
    },
    /// A correction that was overtaken by a later one.
    #[error("the account was corrected since, at {last}; this correction is of {at} and counts no more")]
    Overtaken {
        /// When this one was confirmed.
        at: Timestamp,
        /// When the last one was.
        last: Timestamp,
    },
    /// It was settled: a correction comes too late.
    #[error("the payout is settled; a correction of its payee comes too late and needs a recovery")]
    AlreadySettled,
}
