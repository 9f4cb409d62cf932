//! One payment instruction: what we sent, what the bank said, and the state that follows from the two. The state is never
//! stored as a decision of its own: it is derived, so that evidence can arrive in any order.

use super::rejection::{Rejection, RejectionClass};
use crate::ids::{InstructionId, MsgId, OperatorId};
use crate::money::Fen;
use crate::ports::bank::{Payee, Transfer};
use crate::rules::{BankRules, Idempotency};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Stands in place of a decision once two officers have agreed that an absent instruction travels again.
pub(super) const RESEND_AGREED: &str = "RetryAgreed";

/// A claim: the right to call the bank until `lease_until` by the database's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The payout's epoch that this claim made; a later claim has a higher one.
    pub epoch: u64,
    /// End of the right to write to the bank.
    pub lease_until: Timestamp,
}

/// Who told of a debit or a return. Ordered by weight: a statement outweighs a status, a status outweighs officers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Carrier {
    /// Two officers with a written proof.
    Officers,
    /// The answer to our call.
    Answer,
    /// The answer to our enquiry.
    Enquiry,
    /// A message the bank pushed.
    Pushed,
    /// A line of an account statement.
    Statement,
}

/// The money left our account for this instruction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debit {
    /// When the creditor was credited: the bank's time, else when we learnt of it.
    pub credited_at: Timestamp,
    /// When we learnt of it.
    pub observed_at: Timestamp,
    /// The bank's reference.
    pub bank_reference: Option<String>,
    /// Who told.
    pub carrier: Carrier,
}

/// The money came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// When it came back, by the bank.
    pub at: Timestamp,
    /// Reason code.
    pub reason: String,
}

/// One instruction of a payout. Generation n+1 exists only when generations 1…n are dead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instruction {
    /// `EndToEndId`.
    pub id: InstructionId,
    /// From 1.
    pub generation: u32,
    /// When it was minted.
    pub minted_at: Timestamp,
    /// The payee it was minted with, from the signed approval or correction.
    pub payee: Payee,
    /// The whole transfer as first claimed; every later message repeats it.
    pub transfer: Option<Transfer>,
    /// The claim in force.
    pub claim: Option<Claim>,
    /// When the bank may first have seen it.
    pub first_claimed_at: Option<Timestamp>,
    /// A call of it ended in anything but "certainly not taken in".
    pub doubt: bool,
    /// End of the last call (after a crash: end of its lease).
    pub last_call_ended_at: Option<Timestamp>,
    /// The open batch it travels in.
    pub msg_id: Option<MsgId>,
    /// Largest batch it may travel in next; set when a batch was refused for its form and is split to find the culprit.
    pub batch_limit: Option<u32>,
    /// The bank said that it was on the way.
    pub on_the_way_since: Option<Timestamp>,
    /// The bank refused it.
    pub rejection: Option<Rejection>,
    /// It was debited.
    pub debit: Option<Debit>,
    /// It came back.
    pub returned: Option<Returned>,
    /// The bank called it a duplicate: it is somewhere there, whatever an enquiry says.
    pub known_to_bank: bool,
    /// Definitive "not found" answers so far.
    pub not_found: u32,
    /// The last word was a definitive "not found": it may travel again.
    pub absent: bool,
    /// Absent, and not sent again by itself: too long after its first claim, or the bank recognises a repetition by its
    /// message only and that is closed.
    pub resend_expired: bool,
    /// A statement check that found nothing of it lets it go again until then, however long ago its first claim was.
    pub resend_allowed_until: Option<Timestamp>,
    /// After a restore: a lost history may have sent a successor, which is asked for beside it.
    pub successor_in_doubt: bool,
    /// The bank contradicted itself; a person looks at it.
    pub contradiction: bool,
    /// First of two officers who decided on it, and what.
    pub decision_by: Option<(OperatorId, String)>,
    /// Closed without ever having been paid: cancelled, or closed by two officers.
    pub closed_at: Option<Timestamp>,
    /// When to ask the bank next.
    pub enquire_at: Option<Timestamp>,
    /// Enquiries made since the last change, for growing pauses.
    pub enquiries: u32,
    /// Books: handed to the bank.
    pub in_transit: Fen,
    /// Books: debited.
    pub paid: Fen,
}

/// What follows from an instruction's facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum InstructionState {
    /// Nothing of it can be at the bank.
    Fresh,
    /// A claim is open.
    Sending,
    /// It may be at the bank, or not.
    Unknown,
    /// The bank has it.
    Pending,
    /// Debited.
    Settled,
    /// Refused, confirmed.
    Refused,
    /// Came back.
    Returned,
    /// Closed unpaid.
    Closed,
}

impl Instruction {
    /// When it failed for a cause that the enterprise mends: its account was refused, or the money came back.
    #[must_use]
    pub fn sent_back_at(&self) -> Option<Timestamp> {
        let refused = self.rejection.as_ref().filter(|one| one.class == RejectionClass::Payee);
        self.returned.as_ref().map(|one| one.at).or(refused.map(|one| one.at))
    }

    /// A new instruction.
    #[must_use]
    pub fn mint(id: InstructionId, generation: u32, payee: Payee, now: Timestamp) -> Self {
        Self {
            id,
            generation,
            minted_at: now,
            payee,
            transfer: None,
            claim: None,
            first_claimed_at: None,
            doubt: false,
            last_call_ended_at: None,
            msg_id: None,
            batch_limit: None,
            on_the_way_since: None,
            rejection: None,
            debit: None,
            returned: None,
            known_to_bank: false,
            not_found: 0,
            absent: false,
            resend_expired: false,
            resend_allowed_until: None,
            successor_in_doubt: false,
            contradiction: false,
            decision_by: None,
            closed_at: None,
            enquire_at: None,
            enquiries: 0,
            in_transit: Fen::ZERO,
            paid: Fen::ZERO,
        }
    }

    /// The state that follows from the facts, strongest first: statement and settled status, return, confirmed refusal,
    /// what we are doing, what the bank said on the way.
    #[must_use]
    pub fn state(&self) -> InstructionState {
        if self.returned.is_some() {
            InstructionState::Returned
        } else if self.debit.is_some() {
            InstructionState::Settled
        } else if self.rejection.as_ref().is_some_and(|one| one.confirmed) {
            InstructionState::Refused
        } else if self.closed_at.is_some() {
            InstructionState::Closed
        } else if self.claim.is_some() {
            InstructionState::Sending
        } else if self.contradiction || self.rejection.is_some() {
            InstructionState::Unknown
        } else if self.on_the_way_since.is_some() {
            InstructionState::Pending
        } else if self.doubt {
            InstructionState::Unknown
        } else {
            InstructionState::Fresh
        }
    }

    /// Money may still move through it: of these a payout has one at most.
    #[must_use]
    pub fn is_live(&self) -> bool {
        match self.state() {
            InstructionState::Fresh
            | InstructionState::Sending
            | InstructionState::Unknown
            | InstructionState::Pending => true,
            InstructionState::Settled
            | InstructionState::Refused
            | InstructionState::Returned
            | InstructionState::Closed => false,
        }
    }

    /// Debited and not returned: while this holds nothing of the payout is sent.
    #[must_use]
    pub fn is_debited(&self) -> bool {
        self.debit.is_some() && self.returned.is_none()
    }

    /// Dead: a successor may exist. Nothing is dead while a call of it is under way, or while the bank contradicts itself.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        match self.state() {
            InstructionState::Refused | InstructionState::Returned | InstructionState::Closed => {
                self.claim.is_none() && !self.contradiction
            }
            InstructionState::Fresh
            | InstructionState::Sending
            | InstructionState::Unknown
            | InstructionState::Pending
            | InstructionState::Settled => false,
        }
    }

    /// Nothing of it can be at the bank: no call of it is under way or ended in doubt, and the bank never spoke of it.
    #[must_use]
    pub fn never_left(&self) -> bool {
        self.claim.is_none() && !self.doubt && !self.has_evidence()
    }

    /// So long after its first claim that the bank need not recognise a repetition any more, and no statement check says
    /// that there is nothing to recognise. What never left is no repetition.
    #[must_use]
    pub fn is_too_old_to_resend(&self, rules: &BankRules, now: Timestamp) -> bool {
        let end = self.first_claimed_at.and_then(|first| first.checked_add(rules.idempotency_window).ok());
        let checked = self.resend_allowed_until.is_some_and(|until| now < until);
        self.doubt && !checked && end.is_none_or(|end| now >= end)
    }

    /// It would travel in another message than before, and the bank recognises a repetition by the message only.
    #[must_use]
    pub fn is_recognised_by_message_only(&self, rules: &BankRules) -> bool {
        rules.idempotency == Idempotency::MessageId && self.doubt && self.msg_id.is_none()
    }

    /// Two officers have agreed that it travels again; the next claim uses it up.
    pub(crate) fn resend_is_agreed(&self) -> bool {
        self.decision_by.as_ref().is_some_and(|(_, what)| what == RESEND_AGREED)
    }

    /// Notes that it may be at the bank. Without a call of ours the visibility window runs from the word that told us.
    pub(crate) fn put_in_doubt(&mut self, now: Timestamp) {
        self.doubt = true;
        self.last_call_ended_at.get_or_insert(now);
    }

    /// The bank has said something of it, ever.
    #[must_use]
    pub fn has_evidence(&self) -> bool {
        self.known_to_bank
            || self.on_the_way_since.is_some()
            || self.rejection.is_some()
            || self.debit.is_some()
            || self.returned.is_some()
    }
}
