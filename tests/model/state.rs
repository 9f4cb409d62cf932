//! A state of the small world: what the database holds, where the workers stand, what is on its way, what the bank knows.
//! Nothing is folded here; which states are taken for one is said in `likeness.rs`.

use crate::bank::{Bank, Name, Standing};
use crate::scene::{NOW, names_in};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use zhida_core::batch::{Batch, ClaimedBatch, Member};
use zhida_core::ids::{InstructionId, MsgId, PayoutKey};
use zhida_core::payout::{Instruction, InstructionState, Payout};

/// Everything that changes.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) payouts: Vec<Arc<Known>>,
    pub(crate) batches: Vec<Arc<Batch>>,
    pub(crate) workers: [At; 2],
    pub(crate) question: Option<Question>,
    pub(crate) bank: Bank,
    /// Messages named so far.
    pub(crate) named: u32,
    /// The books did not move as the postings say.
    pub(crate) false_books: bool,
    /// What states that cannot be told apart share.
    pub(crate) likeness: u64,
}

/// A payout with its own part of the likeness.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) payout: Payout,
    pub(crate) likeness: u64,
}

/// Where a worker stands in its turn.
#[derive(Clone, Debug)]
pub(crate) enum At {
    Idle,
    /// It has claimed.
    Claimed(Arc<ClaimedBatch>),
    /// Its last look spoke for the call.
    Looked(Arc<ClaimedBatch>),
    /// It has called. What it hears is decided; nothing is booked.
    Called(Arc<ClaimedBatch>, Heard),
}

/// What a worker hears from the bank.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Heard {
    TurnedAway,
    RefusedWhole,
    /// What is said of each transfer of the message, in its order. Nothing of any is a call in doubt.
    Said(Vec<(Name, Option<Standing>)>),
}

/// A question whose answer is on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    pub(crate) name: Name,
    /// None: not found.
    pub(crate) answer: Option<Standing>,
    /// It was put before the visibility window was over.
    pub(crate) early: bool,
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.likeness == other.likeness
    }
}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.likeness.hash(hasher);
    }
}

impl std::ops::Deref for Known {
    type Target = Payout;

    fn deref(&self) -> &Payout {
        &self.payout
    }
}

impl Heard {
    /// It says something of a transfer.
    pub(crate) fn tells(&self) -> bool {
        match self {
            Self::TurnedAway | Self::RefusedWhole => false,
            Self::Said(said) => said.iter().any(|(_, said)| said.is_some()),
        }
    }
}

impl At {
    pub(crate) fn claimed(&self) -> Option<&Arc<ClaimedBatch>> {
        match self {
            Self::Idle => None,
            Self::Claimed(claimed) | Self::Looked(claimed) | Self::Called(claimed, _) => Some(claimed),
        }
    }

    /// The message that it may write any moment.
    pub(crate) fn writing(&self) -> Option<&ClaimedBatch> {
        match self {
            Self::Looked(claimed) => Some(claimed),
            Self::Idle | Self::Claimed(_) | Self::Called(..) => None,
        }
    }
}

impl State {
    pub(crate) fn position(&self, key: &PayoutKey) -> usize {
        self.payouts.iter().position(|known| known.key == *key).unwrap()
    }

    pub(crate) fn name(&self, id: &InstructionId) -> Name {
        let find = |(payout, known): (usize, &Arc<Known>)| {
            known.instructions.iter().position(|one| one.id == *id).map(|generation| (payout, generation))
        };
        self.payouts.iter().enumerate().find_map(find).unwrap()
    }

    /// Every instruction there is.
    pub(crate) fn names(&self) -> Vec<Name> {
        let generations = |(payout, known): (usize, &Arc<Known>)| {
            (0..known.instructions.len()).map(move |generation| (payout, generation))
        };
        self.payouts.iter().enumerate().flat_map(generations).collect()
    }

    pub(crate) fn instruction(&self, (payout, generation): Name) -> &Instruction {
        &self.payouts[payout].instructions[generation]
    }

    pub(crate) fn batch(&self, msg_id: &MsgId) -> Option<&Arc<Batch>> {
        self.batches.iter().find(|batch| batch.msg_id == *msg_id)
    }

    /// The claim that gave a member this epoch is in force.
    pub(crate) fn is_in_force(&self, (member, epoch): &(Member, u64)) -> bool {
        let claims = |one: &Instruction| one.claim.as_ref().is_some_and(|claim| claim.epoch == *epoch);
        self.payouts[self.position(&member.key)].instructions.iter().any(claims)
    }

    /// A worker holds the claim of this payout.
    pub(crate) fn holds_claim(&self, at: &At, payout: usize) -> bool {
        let key = &self.payouts[payout].key;
        let of_payout = |one: &&(Member, u64)| one.0.key == *key;
        at.claimed().is_some_and(|claimed| claimed.members.iter().filter(of_payout).any(|one| self.is_in_force(one)))
    }

    /// A worker may write a message with this instruction in it any moment.
    pub(crate) fn may_write(&self, at: &At, name: Name) -> bool {
        at.writing().is_some_and(|claimed| names_in(&claimed.bytes).iter().any(|id| self.name(id) == name))
    }

    /// "Not found" says nothing of it yet.
    pub(crate) fn window_runs(&self, name: Name) -> bool {
        let one = self.instruction(name);
        one.state() == InstructionState::Unknown && one.last_call_ended_at == Some(NOW)
    }
}
