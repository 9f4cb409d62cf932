//! A batch: one message to the bank, its members and its bytes. It goes again, whole and byte for byte, only while no member
//! has evidence and none is superseded; after that it is closed.

use crate::ids::{InstructionId, MsgId, PayoutKey};
use crate::payout::{Event, Instruction, InstructionState, Payout};
use crate::rules::{BankRules, Idempotency};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A member of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Member {
    /// The payout.
    pub key: PayoutKey,
    /// The instruction that travels.
    pub instruction_id: InstructionId,
}

/// One pain.001 message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its name at the bank.
    pub msg_id: MsgId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Exactly what travels.
    pub bytes: Vec<u8>,
    /// In the order in which they stand in the message.
    pub members: Vec<Member>,
    /// Calls made with it.
    pub calls: u32,
    /// Why it was closed; open while none.
    pub closed: Option<String>,
    /// When to look whether it may go again.
    pub examine_at: Option<Timestamp>,
}

/// A batch in the hands of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedBatch {
    /// Its name.
    pub msg_id: MsgId,
    /// What is written to the bank.
    pub bytes: Vec<u8>,
    /// The members with the epoch that this claim gave each.
    pub members: Vec<(Member, u64)>,
    /// What the lease gives from the moment the claim was asked for.
    pub lease: SignedDuration,
}

/// What to do with an open batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Examination {
    /// All its members may be sent and none has evidence: the same bytes may go.
    GoesAgain,
    /// Something is not known yet: wait for it.
    Waits,
    /// It never goes again; its members travel alone, or not at all.
    Closes(&'static str),
}

/// After how many definitive "not found" answers a batch's members travel under a new `MsgId`.
const NOT_FOUND_MAX: u32 = 3;

impl Batch {
    /// Looks at the batch at `now` with its members' payouts at hand.
    #[must_use]
    pub fn examine(&self, payouts: &[&Payout], rules: &BankRules, now: Timestamp) -> Examination {
        if self.closed.is_some() || payouts.len() != self.members.len() {
            return Examination::Closes("a member is gone");
        }
        let mut waits = false;
        for (payout, member) in payouts.iter().zip(&self.members) {
            let Some(instruction) = payout.by_id(&member.instruction_id) else {
                return Examination::Closes("a member is gone");
            };
            if instruction.has_evidence() {
                return Examination::Closes("a member has evidence");
            }
            if payout.latest().is_some_and(|one| one.id != member.instruction_id) {
                return Examination::Closes("a member is superseded");
            }
            if instruction.msg_id.as_ref() != Some(&self.msg_id) || payout.ended.is_some() || !payout.holds.is_empty() {
                return Examination::Closes("a member is held, ended or travels otherwise");
            }
            let sibling_alive = payout.instructions.iter().any(|one| one.id != member.instruction_id && !one.is_dead());
            if sibling_alive {
                return Examination::Closes("another generation of a member may move money");
            }
            // Where the bank recognises a repetition by its message, that message is the only safe way to go again.
            if rules.idempotency == Idempotency::EndToEndId && instruction.not_found >= NOT_FOUND_MAX {
                return Examination::Closes("three definitive answers that it is not there");
            }
            if instruction.resend_expired || instruction.is_too_old_to_resend(rules, now) {
                return Examination::Closes("too long after the first claim to be sent again");
            }
            waits |= !payout.may_be_sent() || !in_step(instruction);
        }
        if waits { Examination::Waits } else { Examination::GoesAgain }
    }
}

/// Every member must be without doubt, or absent; any other is still to be asked for.
fn in_step(instruction: &Instruction) -> bool {
    match instruction.state() {
        InstructionState::Fresh => true,
        InstructionState::Unknown => instruction.absent,
        InstructionState::Sending
        | InstructionState::Pending
        | InstructionState::Settled
        | InstructionState::Refused
        | InstructionState::Returned
        | InstructionState::Closed => false,
    }
}

/// Whether a claimed batch may still be written to the bank: the last look before the socket write.
///
/// # Errors
/// The reason against it, in words for the journal.
pub fn may_be_written(claimed: &ClaimedBatch, payouts: &[Payout], stopped: Stopped) -> Result<(), String> {
    if stopped == Stopped::Yes {
        return Err("the stop switch is on".to_owned());
    }
    for (member, epoch) in &claimed.members {
        let Some(payout) = payouts.iter().find(|one| one.key == member.key) else {
            return Err(format!("payout {} is gone", member.key));
        };
        let ours = payout.epoch == *epoch
            && payout.latest().is_some_and(|one| one.id == member.instruction_id && one.claim.is_some());
        if !ours {
            return Err(format!("payout {} is in other hands (epoch {}, ours {epoch})", member.key, payout.epoch));
        }
        let debited = payout.instructions.iter().any(Instruction::is_debited);
        let sibling_alive = payout.instructions.iter().any(|one| one.id != member.instruction_id && !one.is_dead());
        if !payout.holds.is_empty() || payout.ended.is_some() || debited || sibling_alive {
            return Err(format!("payout {} is held, ended or paid by now", member.key));
        }
        // A word of the bank that came by another way while we held the claim.
        if payout.latest().is_some_and(Instruction::has_evidence) {
            return Err(format!("payout {} has evidence by now", member.key));
        }
    }
    Ok(())
}

/// The stop switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Nothing is sent.
    Yes,
    /// Sending is open.
    No,
}

/// The event that frees a member of a closed batch, if it still travels with it.
#[must_use]
pub fn freed(payout: &Payout, msg_id: &MsgId) -> Option<Event> {
    payout.latest().is_some_and(|one| one.msg_id.as_ref() == Some(msg_id)).then_some(Event::BatchClosed)
}

#[cfg(test)]
mod tests;
