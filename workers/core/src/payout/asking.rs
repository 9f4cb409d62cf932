//! When the bank is asked next about what is not final: with growing pauses, and never before the moment it named itself.

use super::event::Refused;
use super::instruction::InstructionState;
use super::on::Turn;
use crate::ids::InstructionId;
use jiff::Timestamp;

impl Turn<'_> {
    pub(super) fn enquiry_failed(&mut self, id: &InstructionId, not_before: Option<Timestamp>) -> Result<(), Refused> {
        // A successor is asked for again with its predecessor.
        if !self.is_successor(id) {
            let Some(instruction) = self.payout.by_id(id) else { return Err(Refused::NoSuchInstruction(id.clone())) };
            let generation = instruction.generation;
            self.ask_later(generation);
        }
        self.ask_no_earlier(not_before);
        Ok(())
    }

    /// The bank asked not to be asked before that moment, whatever about.
    fn ask_no_earlier(&mut self, not_before: Option<Timestamp>) {
        let Some(wait) = not_before else { return };
        for one in &mut self.payout.instructions {
            one.enquire_at = one.enquire_at.map(|at| at.max(wait));
        }
    }

    pub(super) fn ask_later(&mut self, generation: u32) {
        let now = self.now;
        let rules = &self.rules.bank;
        let Some(instruction) = self.payout.instruction_mut(generation) else { return };
        match instruction.state() {
            InstructionState::Refused | InstructionState::Closed if !instruction.contradiction => {
                instruction.enquire_at = None;
            }
            InstructionState::Unknown
            | InstructionState::Pending
            | InstructionState::Refused
            | InstructionState::Closed => {
                let pause = rules.enquiry_pause(instruction.enquiries);
                instruction.enquiries = instruction.enquiries.saturating_add(1);
                instruction.enquire_at = now.checked_add(pause).ok();
            }
            InstructionState::Fresh
            | InstructionState::Sending
            | InstructionState::Settled
            | InstructionState::Returned => instruction.enquire_at = None,
        }
    }

    pub(super) fn ask_now(&mut self, generation: u32) {
        self.ask_later(generation);
        let now = self.now;
        if let Some(instruction) = self.payout.instruction_mut(generation).filter(|one| one.enquire_at.is_some()) {
            instruction.enquire_at = Some(now);
        }
    }
}
