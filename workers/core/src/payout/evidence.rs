//! Evidence: what the bank, a statement or two officers say of one instruction. It applies in every state, in any order and
//! however late; a claim's epoch guards our sending, never evidence.

use super::effect::{AlarmKind, Effect};
use super::event::{Refused, Word};
use super::instruction::{Carrier, Debit, Instruction, InstructionState, Returned};
use super::on::Turn;
use super::rejection::{Rejection, RejectionClass};
use crate::ids::InstructionId;
use crate::money::Fen;
use crate::rules::Enquiries;
use jiff::Timestamp;
use serde_json::json;

impl Turn<'_> {
    pub(super) fn evidence(&mut self, id: &InstructionId, word: Word, carrier: Carrier) -> Result<(), Refused> {
        if self.payout.by_id(id).is_none() {
            match &word {
                Word::NotFound { begun_at } => return self.successor_not_found(id, *begun_at),
                Word::OnTheWay
                | Word::Settled { .. }
                | Word::Rejected { .. }
                | Word::Duplicate
                | Word::Unclear { .. }
                | Word::Returned { .. } => self.remember(id),
            }
        }
        let Some(instruction) = self.payout.by_id(id) else { return Err(Refused::NoSuchInstruction(id.clone())) };
        let generation = instruction.generation;
        // Its batch travels again only while no member has evidence.
        self.effects.extend(instruction.msg_id.clone().map(Effect::ExamineBatch));
        match word {
            Word::OnTheWay => self.on_the_way(generation),
            Word::Settled { credited_at, bank_reference } => {
                self.settled(generation, credited_at, bank_reference, carrier);
            }
            Word::Rejected { reason, text } => self.rejected(generation, reason, text, carrier),
            Word::Duplicate => self.somewhere(generation),
            Word::Unclear { code } => self.unclear(generation, &code),
            Word::NotFound { begun_at } => self.not_found(generation, begun_at),
            Word::Returned { at, reason, amount } => self.returned(generation, at, reason, amount),
        }
        Ok(())
    }

    fn on_the_way(&mut self, generation: u32) {
        let now = self.now;
        let another_may_move = self.payout.instructions.iter().any(|one| {
            (one.generation > generation && !one.never_left()) || (one.generation < generation && !one.is_dead())
        });
        let Some(instruction) = self.payout.instruction_mut(generation) else { return };
        match instruction.state() {
            InstructionState::Settled | InstructionState::Returned => return,
            // A refusal outweighs "on the way", which may be an old message; but nothing follows it until it is confirmed again.
            InstructionState::Refused => return self.doubtfully_dead(generation),
            InstructionState::Closed if another_may_move => return self.doubtfully_dead(generation),
            InstructionState::Closed => self.revive(generation),
            InstructionState::Fresh
            | InstructionState::Sending
            | InstructionState::Unknown
            | InstructionState::Pending => {}
        }
        let Some(instruction) = self.payout.instruction_mut(generation) else { return };
        let news = instruction.on_the_way_since.is_none();
        instruction.on_the_way_since.get_or_insert(now);
        instruction.rejection = None;
        instruction.contradiction = false;
        instruction.absent = false;
        instruction.put_in_doubt(now);
        if news {
            instruction.enquiries = 0;
            self.journal("payout.on_the_way", json!({"generation": generation}));
        }
        self.ask_later(generation);
    }

    /// Dead, says an earlier word; alive, says this one: nothing of the payout is sent or succeeded until the bank has made up
    /// its mind.
    fn doubtfully_dead(&mut self, generation: u32) {
        let now = self.now;
        let Some(instruction) = self.payout.instruction_mut(generation) else { return };
        instruction.on_the_way_since.get_or_insert(now);
        if !instruction.contradiction {
            instruction.contradiction = true;
            instruction.enquiries = 0;
            self.ring(AlarmKind::Contradiction, "on the way after it was refused or closed");
        }
        self.ask_later(generation);
    }

    /// Closed by us or by officers; alive, says the bank, and no successor was sent: the unsent successor goes.
    fn revive(&mut self, generation: u32) {
        let now = self.now;
        self.ring(AlarmKind::Contradiction, "on the way after it was closed");
        let mut batches = Vec::new();
        for one in &mut self.payout.instructions {
            if one.generation > generation && !one.is_dead() {
                one.closed_at = Some(now);
                batches.extend(one.msg_id.take());
            }
        }
        self.effects.extend(batches.into_iter().map(Effect::ExamineBatch));
        if let Some(instruction) = self.payout.instruction_mut(generation) {
            instruction.closed_at = None;
        }
        let posting = self.payout.send_money(generation);
        self.post(posting);
    }

    fn settled(
        &mut self,
        generation: u32,
        credited_at: Option<Timestamp>,
        bank_reference: Option<String>,
        carrier: Carrier,
    ) {
        let now = self.now;
        let Some(instruction) = self.payout.instruction_mut(generation) else { return };
        if let Some(debit) = &mut instruction.debit {
            let second_line = debit.carrier == Carrier::Statement
                && carrier == Carrier::Statement
                && debit.bank_reference != bank_reference;
            if carrier > debit.carrier {
                debit.carrier = carrier;
                debit.credited_at = credited_at.unwrap_or(debit.credited_at);
                debit.bank_reference = bank_reference.or(debit.bank_reference.take());
            }
            if second_line {
                self.ring(AlarmKind::Mismatch, "a second debit line names this instruction");
            }
            return;
        }
        let was_dead = instruction.is_dead() && instruction.returned.is_none();
        let after_return = instruction.returned.is_some();
        let credited_at = credited_at.unwrap_or(now);
        instruction.debit = Some(Debit { credited_at, observed_at: now, bank_reference, carrier });
        instruction.enquire_at = None;
        instruction.absent = false;
        instruction.contradiction = false;
        self.journal(
            "payout.debited",
            json!({"generation": generation, "credited_at": credited_at, "carrier": carrier}),
        );
        if after_return {
            return; // The return has already put the books where they end.
        }
        let posting = self.payout.book_debit(generation);
        self.post(posting);
        if was_dead {
            self.ring(AlarmKind::Mismatch, "debited after it was refused or closed");
        }
        if self.payout.ended.is_some() {
            self.ring(AlarmKind::PaidAfterEnd, "paid although the application has ended: recover the money");
        }
        if self.payout.correction.is_some() {
            self.ring(AlarmKind::Mismatch, "paid to the account that a waiting correction was to replace");
        }
        self.alarm_sent_siblings(generation);
    }

    fn alarm_sent_siblings(&mut self, generation: u32) {
        let travelling = |one: &Instruction| match one.state() {
            InstructionState::Sending | InstructionState::Unknown | InstructionState::Pending => true,
            InstructionState::Fresh
            | InstructionState::Settled
            | InstructionState::Refused
            | InstructionState::Returned
            | InstructionState::Closed => false,
        };
        if self.payout.instructions.iter().any(|one| one.generation != generation && travelling(one)) {
            self.ring(AlarmKind::Mismatch, "debited while another generation is travelling: wait for its evidence");
        }
    }

    fn rejected(&mut self, generation: u32, reason: String, text: String, carrier: Carrier) {
        let now = self.now;
        let enquiries = self.rules.bank.enquiries;
        let confirms = carrier == Carrier::Enquiry || enquiries == Enquiries::NotOffered;
        let Some(instruction) = self.payout.instruction_mut(generation) else { return };
        let by_officers = instruction.debit.as_ref().is_some_and(|debit| debit.carrier == Carrier::Officers);
        match instruction.state() {
            InstructionState::Settled if by_officers => return self.gainsaid(generation, reason, text),
            InstructionState::Settled => {
                self.ring(AlarmKind::Mismatch, "refused after it was debited");
                return;
            }
            InstructionState::Returned => return,
            // Evidence that it exists at the bank, and dead all the same: closed stays closed.
            InstructionState::Refused | InstructionState::Closed => {
                instruction.contradiction &= !confirms;
                return;
            }
            InstructionState::Fresh
            | InstructionState::Sending
            | InstructionState::Unknown
            | InstructionState::Pending => {}
        }
        instruction.absent = false;
        instruction.put_in_doubt(now);
        // What two officers are to decide stays theirs, whatever reason confirms it.
        let class = match instruction.rejection.as_ref().map(|one| one.class) {
            Some(RejectionClass::Other) => RejectionClass::Other,
            Some(RejectionClass::Payee | RejectionClass::Fund | RejectionClass::Window) | None => {
                RejectionClass::of(&reason)
            }
        };
        // While a call is under way the word cannot be final, whoever brings it.
        let confirmed = confirms && instruction.claim.is_none();
        self.journal("payout.rejected", json!({"generation": generation, "reason": reason, "confirmed": confirmed}));
        let Some(instruction) = self.payout.instruction_mut(generation) else { return };
        instruction.rejection = Some(Rejection { reason, text, class, at: now, confirmed: false });
        if confirmed {
            self.confirm_rejection(generation);
        } else {
            instruction.enquire_at = Some(now);
        }
    }

    /// Two officers' word holds until the bank says otherwise. What follows the bank's refusal is decided by two officers
    /// again: no successor goes by itself.
    fn gainsaid(&mut self, generation: u32, reason: String, text: String) {
        let now = self.now;
        self.ring(AlarmKind::Mismatch, "the bank refuses what two officers said was settled");
        self.journal("payout.rejected", json!({"generation": generation, "reason": reason, "confirmed": false}));
        let posting = self.payout.book_return(generation);
        self.post(posting);
        let Some(instruction) = self.payout.instruction_mut(generation) else { return };
        instruction.debit = None;
        if instruction.is_dead() {
            return; // As it was before the officers spoke.
        }
        let posting = self.payout.send_money(generation);
        self.post(posting);
        let Some(instruction) = self.payout.instruction_mut(generation) else { return };
        instruction.put_in_doubt(now);
        instruction.enquire_at = Some(now);
        instruction.rejection =
            Some(Rejection { reason, text, class: RejectionClass::Other, at: now, confirmed: false });
    }

    fn confirm_rejection(&mut self, generation: u32) {
        let Some(instruction) = self.payout.instruction_mut(generation) else { return };
        instruction.enquire_at = None;
        instruction.contradiction = false;
        let Some(rejection) = &mut instruction.rejection else { return };
        rejection.confirmed = true;
        let class = rejection.class;
        let posting = self.payout.take_money_back(generation);
        self.post(posting);
        if class == RejectionClass::Other {
            self.ring(AlarmKind::RefusedOther, "refused for a reason only two officers can decide about");
        }
    }

    /// "Duplicate": it is somewhere already. Asked for at once, and never believed absent afterwards.
    fn somewhere(&mut self, generation: u32) {
        let now = self.now;
        let Some(instruction) = self.payout.instruction_mut(generation) else { return };
        let news = !instruction.known_to_bank;
        instruction.known_to_bank = true;
        instruction.absent = false;
        instruction.put_in_doubt(now);
        instruction.rejection.take_if(|one| !one.confirmed);
        self.journal("payout.known_to_bank", json!({"generation": generation}));
        if news {
            self.ask_now(generation);
        } else {
            self.ask_later(generation);
        }
    }

    fn unclear(&mut self, generation: u32, code: &str) {
        let now = self.now;
        let Some(instruction) = self.payout.instruction_mut(generation) else { return };
        instruction.put_in_doubt(now);
        instruction.absent = false;
        // Anything but a refusal or "not found" wins over a refusal that is not confirmed.
        if instruction.rejection.take_if(|one| !one.confirmed).is_some() {
            instruction.known_to_bank = true;
        }
        self.journal("payout.unclear_word", json!({"generation": generation, "code": code}));
        self.ask_later(generation);
    }

    fn not_found(&mut self, generation: u32, begun_at: Timestamp) {
        let Some(instruction) = self.payout.instruction(generation) else { return };
        let visible_from = self.visible_from(instruction);
        match instruction.state() {
            InstructionState::Refused | InstructionState::Closed => return self.ask_later(generation),
            InstructionState::Fresh | InstructionState::Sending | InstructionState::Returned => return,
            InstructionState::Settled => {
                self.ring(AlarmKind::Contradiction, "the bank does not find what it has debited");
                return;
            }
            InstructionState::Unknown | InstructionState::Pending => {}
        }
        if begun_at < visible_from {
            let next = self.later(self.rules.bank.enquiry_pause(0));
            if let Some(instruction) = self.payout.instruction_mut(generation) {
                instruction.enquire_at = Some(next.max(visible_from));
            }
            return;
        }
        let Some(instruction) = self.payout.instruction_mut(generation) else { return };
        if instruction.rejection.is_some() {
            self.confirm_rejection(generation);
        } else if instruction.has_evidence() {
            if !instruction.contradiction {
                instruction.contradiction = true;
                self.ring(AlarmKind::Contradiction, "the bank does not find what it said it had");
            }
            self.ask_later(generation);
        } else {
            self.definitively_absent(generation);
        }
    }

    fn definitively_absent(&mut self, generation: u32) {
        let Some(instruction) = self.payout.instruction_mut(generation) else { return };
        instruction.not_found = instruction.not_found.saturating_add(1);
        instruction.absent = true;
        self.journal("payout.absent", json!({"generation": generation}));
        // It stays under enquiry: until it travels again the bank may still come to know it.
        self.ask_later(generation);
        self.judge_absence(generation);
    }

    /// From when on "not found" is definitive.
    pub(super) fn visible_from(&self, instruction: &Instruction) -> Timestamp {
        let visible = |ended: Timestamp| ended.checked_add(self.rules.bank.visibility).ok();
        instruction.last_call_ended_at.and_then(visible).unwrap_or(Timestamp::MAX)
    }

    fn returned(&mut self, generation: u32, at: Timestamp, reason: String, amount: Fen) {
        if amount != self.payout.amount {
            self.ring(AlarmKind::Mismatch, "a return of another amount: two officers decide");
            return;
        }
        let Some(instruction) = self.payout.instruction_mut(generation) else { return };
        if instruction.returned.is_some() {
            return;
        }
        let unseen_debit = instruction.debit.is_none();
        instruction.returned = Some(Returned { at, reason: reason.clone() });
        instruction.contradiction = false;
        instruction.enquire_at = None;
        instruction.absent = false;
        self.journal("payout.returned", json!({"generation": generation, "reason": reason, "at": at}));
        if unseen_debit {
            let posting = self.payout.book_debit(generation);
            self.post(posting);
        }
        let posting = self.payout.book_return(generation);
        self.post(posting);
    }
}
