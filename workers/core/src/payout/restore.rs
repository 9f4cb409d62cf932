//! After a restore of the database: what a lost history may have done is asked for before anything is sent again. And the
//! check of statements that lets an absent instruction go again however old it is.

use super::effect::AlarmKind;
use super::event::Refused;
use super::instruction::{Instruction, InstructionState};
use super::on::Turn;
use crate::ids::InstructionId;
use crate::rules::Idempotency;
use jiff::{Timestamp, ToSpan};
use serde_json::json;

/// Generations beyond the known ones that a lost history is thought to have made.
pub(crate) const FORGOTTEN_MAX: u32 = 8;

impl Turn<'_> {
    /// Whatever is not final may have been sent by the lost history, and is asked for once every lease of it is over.
    pub(super) fn restored(&mut self) {
        let (earliest, from) = (self.payout.approved_at, self.lost_leases_end());
        self.payout.restored = true;
        self.journal("payout.restored", json!({"asked_for_from": from}));
        let last = self.payout.instructions.len();
        for one in &mut self.payout.instructions {
            match one.state() {
                InstructionState::Fresh
                | InstructionState::Sending
                | InstructionState::Unknown
                | InstructionState::Pending => may_have_been_sent(one, earliest, from),
                // Officers, or a correction, may have given it a successor.
                InstructionState::Refused | InstructionState::Returned if one.generation as usize == last => {
                    one.successor_in_doubt = true;
                    one.last_call_ended_at = Some(from);
                    one.enquire_at = Some(from);
                }
                InstructionState::Refused
                | InstructionState::Returned
                | InstructionState::Settled
                | InstructionState::Closed => {}
            }
        }
    }

    /// A new generation; in doubt from its first moment where a lost history may have had it.
    pub(super) fn mint(&mut self, id: InstructionId, generation: u32) {
        for one in &mut self.payout.instructions {
            one.successor_in_doubt = false; // Asked for by its own name from now on.
        }
        let mut minted = Instruction::mint(id, generation, self.payout.payee.clone(), self.now);
        if self.payout.restored {
            may_have_been_sent(&mut minted, self.payout.approved_at, self.lost_leases_end());
        }
        self.payout.instructions.push(minted);
    }

    /// The bank speaks of a generation that a lost history had made. It is made again, in doubt, and the word says what has
    /// become of it; that it was made proves that those before it were dead.
    pub(super) fn remember(&mut self, id: &InstructionId) {
        if !self.payout.restored {
            return; // Nobody but a lost history makes a generation that we do not know.
        }
        let known = u32::try_from(self.payout.instructions.len()).unwrap_or(u32::MAX);
        let forgotten = (known + 1..=known + FORGOTTEN_MAX).find(|generation| self.derive(*generation) == *id);
        for generation in known + 1..=forgotten.unwrap_or(known) {
            self.close_superseded();
            let id = self.derive(generation);
            self.journal("payout.generation_remembered", json!({"generation": generation, "instruction_id": id}));
            self.mint(id, generation);
            if let Some(minted) = self.payout.instructions.last_mut() {
                may_have_been_sent(minted, self.payout.approved_at, self.now);
            }
        }
        if forgotten.is_some() {
            self.ring(
                AlarmKind::UnknownInstruction,
                "the bank speaks of a generation that this database had forgotten",
            );
        }
    }

    fn close_superseded(&mut self) {
        let now = self.now;
        let Some(latest) = self.payout.instructions.last_mut().filter(|one| !one.is_dead() && !one.is_debited()) else {
            return;
        };
        latest.closed_at = Some(now);
        latest.claim = None;
        latest.msg_id = None;
        latest.absent = false;
        latest.rejection.take_if(|one| !one.confirmed);
        let generation = latest.generation;
        let posting = self.payout.take_money_back(generation);
        self.post(posting);
    }

    /// Whether it is the one after the latest: asked for beside it while a lost history may have sent it.
    pub(super) fn is_successor(&self, id: &InstructionId) -> bool {
        let latest = self.payout.latest();
        latest.is_some_and(|latest| self.derive(latest.generation.saturating_add(1)) == *id)
    }

    /// The bank does not have the successor that a lost history might have sent.
    pub(super) fn successor_not_found(&mut self, id: &InstructionId, begun_at: Timestamp) -> Result<(), Refused> {
        let Some(latest) = self.payout.latest().filter(|_| self.is_successor(id)) else {
            return Err(Refused::NoSuchInstruction(id.clone()));
        };
        let (generation, visible_from) = (latest.generation, self.visible_from(latest));
        if let Some(latest) = self.payout.instruction_mut(generation).filter(|one| one.successor_in_doubt) {
            if begun_at < visible_from {
                latest.enquire_at = Some(latest.enquire_at.map_or(visible_from, |at| at.max(visible_from)));
                return Ok(());
            }
            latest.successor_in_doubt = false;
            self.journal("payout.successor_not_found", json!({"generation": generation + 1}));
            if self.payout.instruction(generation).is_some_and(|one| one.absent) {
                self.judge_absence(generation);
            }
        }
        Ok(())
    }

    /// A dead one whose successor is in doubt is asked for on, the successor with it.
    pub(super) fn ask_for_successor(&mut self) {
        let from = self.later(self.rules.bank.enquiry_first);
        let Some(latest) = self.payout.instructions.last_mut() else { return };
        let dead = matches!(latest.state(), InstructionState::Refused | InstructionState::Returned);
        if latest.successor_in_doubt && dead {
            latest.enquire_at.get_or_insert(from);
        }
    }

    /// Definitively absent: as if it had just been minted when this history never claimed it, else perhaps to be sent again.
    pub(super) fn judge_absence(&mut self, generation: u32) {
        let by_end_to_end_id = self.rules.bank.idempotency == Idempotency::EndToEndId;
        let is_latest = self.payout.latest().is_some_and(|one| one.generation == generation);
        let Some(one) = self.payout.instruction_mut(generation) else { return };
        if one.transfer.is_some() || one.successor_in_doubt || !by_end_to_end_id || !is_latest {
            return self.judge_resend(generation);
        }
        one.doubt = false;
        one.absent = false;
        one.not_found = 0;
        one.first_claimed_at = None;
        one.last_call_ended_at = None;
        one.enquire_at = None;
        one.enquiries = 0;
        self.journal("payout.never_sent", json!({"generation": generation}));
        if let Some((payee, authority)) = self.payout.correction.take() {
            self.take_over_correction(payee, authority);
        }
    }

    /// The statements of every closed day were read and hold nothing that could be this instruction's: until this day is
    /// closed, too, an absent one may go again.
    pub(super) fn statement_checked(&mut self, id: &InstructionId, covered_until: Timestamp) -> Result<(), Refused> {
        let Some(instruction) = self.payout.by_id(id) else { return Err(Refused::NoSuchInstruction(id.clone())) };
        let generation = instruction.generation;
        let (today, tomorrow) = self.this_day();
        let needed = instruction.last_call_ended_at.map_or(today, |ended| ended.max(today));
        if covered_until < needed {
            return Err(Refused::StatementTooShort { covered_until, needed });
        }
        self.journal("payout.statement_checked", json!({"generation": generation, "covered_until": covered_until}));
        if let Some(one) = self.payout.instruction_mut(generation).filter(|one| one.absent) {
            one.resend_allowed_until = Some(tomorrow);
            self.judge_resend(generation);
        }
        Ok(())
    }

    /// The start of this day and of the next, in the district's zone.
    fn this_day(&self) -> (Timestamp, Timestamp) {
        let today = self.rules.zone.to_datetime(self.now).date();
        let start = |date: jiff::civil::Date| self.rules.zone.to_timestamp(date.at(0, 0, 0, 0));
        let tomorrow = today.checked_add(1.day()).unwrap_or(today);
        (start(today).unwrap_or(Timestamp::MAX), start(tomorrow).unwrap_or(Timestamp::MIN))
    }

    fn derive(&self, generation: u32) -> InstructionId {
        InstructionId::derive(&self.rules.district, &self.payout.key, generation)
    }

    fn lost_leases_end(&self) -> Timestamp {
        self.later(self.rules.bank.lease)
    }
}

/// In doubt as after a call that ends at `ended_at`; its first claim was no earlier than `earliest`.
fn may_have_been_sent(one: &mut Instruction, earliest: Timestamp, ended_at: Timestamp) {
    one.claim = None;
    one.msg_id = None;
    one.doubt = true;
    one.absent = false;
    one.resend_expired = false;
    one.successor_in_doubt = true;
    one.decision_by = None;
    one.first_claimed_at.get_or_insert(earliest);
    one.last_call_ended_at = Some(ended_at);
    one.enquire_at = Some(ended_at);
    one.enquiries = 0;
}
