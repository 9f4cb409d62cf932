//! The payout machine: one event in, the new payout and what follows from it out. One function per kind of event; after
//! each the consequences are drawn in one place: siblings of a debited generation, the end of an application, the next
//! generation.

use super::effect::{Alarm, AlarmKind, Announcement, Effect, PayoutWord};
use super::event::{CallEnd, Decision, Event, Refused, Word};
use super::hold::HoldCode;
use super::instruction::{Carrier, Instruction, InstructionState, RESEND_AGREED};
use super::rejection::RejectionClass;
use super::{EndKind, Ended, Payout, PayoutState};
use crate::ids::{InstructionId, OperatorId};
use crate::rules::Rules;
use jiff::Timestamp;
use serde_json::{Value, json};

/// What a change is measured against.
struct Before {
    state: PayoutState,
    claimable: bool,
}

/// One event being applied.
pub(super) struct Turn<'a> {
    pub(super) payout: Payout,
    pub(super) effects: Vec<Effect>,
    pub(super) rules: &'a Rules,
    pub(super) now: Timestamp,
}

impl Payout {
    /// Applies `event` at `now` (the database's clock). Returns the payout as it is then and what follows.
    ///
    /// # Errors
    /// [`Refused`] when an act of ours does not apply; the payout is unchanged then. Evidence is never refused, unless it
    /// names an instruction that is not this payout's.
    pub fn on(self, event: Event, rules: &Rules, now: Timestamp) -> Result<(Self, Vec<Effect>), Refused> {
        let before = Before { state: self.state(), claimable: self.is_claimable() };
        let mut turn = Turn { payout: self, effects: Vec::new(), rules, now };
        turn.apply(event)?;
        turn.draw_consequences();
        turn.announce_change(&before);
        Ok((turn.payout, turn.effects))
    }

    /// A new payout as intake makes it: generation 1 minted, not yet judged by the rules.
    #[must_use]
    pub fn received(self, rules: &Rules, now: Timestamp) -> (Self, Vec<Effect>) {
        let id = InstructionId::derive(&rules.district, &self.key, 1);
        let mut turn = Turn { payout: self, effects: Vec::new(), rules, now };
        turn.mint(id.clone(), 1);
        let detail =
            json!({"instruction_id": id, "amount": turn.payout.amount.to_string(), "policy_id": turn.payout.policy_id});
        turn.journal("payout.received", detail);
        turn.announce(PayoutWord::Received);
        if turn.payout.state() == PayoutState::Unknown {
            turn.announce(PayoutWord::Unknown);
        }
        (turn.payout, turn.effects)
    }
}

impl Turn<'_> {
    fn apply(&mut self, event: Event) -> Result<(), Refused> {
        match event {
            Event::RulesSay { fund_id, holds, fund_granted } => self.rules_say(fund_id, holds, fund_granted),
            Event::Placed(code, hold) => self.place(code, hold),
            Event::Released { by, codes } => return self.release(&by, &codes),
            Event::TimePassed => self.time_passed(),
            Event::Ended(ended) => self.end(ended),
            Event::Cancelled(ended) => return self.cancel(ended),
            Event::Corrected { payee, authority, at } => return self.correct(payee, authority, at),
            Event::Claimed { claim, msg_id, transfer } => return self.claim(claim, msg_id, *transfer),
            Event::CallEnded { epoch, end, not_before } => return self.call_ended(epoch, &end, not_before),
            Event::Answered { epoch, instruction_id, word } => {
                self.call_ended(epoch, &CallEnd::Answered, None)?;
                return self.evidence(&instruction_id, word, Carrier::Answer);
            }
            Event::LeaseExpired => self.lease_expired(),
            Event::BatchClosed => self.batch_closed(),
            Event::Evidence { instruction_id, word, carrier } => return self.evidence(&instruction_id, word, carrier),
            Event::EnquiryFailed { instruction_id, not_before } => {
                return self.enquiry_failed(&instruction_id, not_before);
            }
            Event::Restored => self.restored(),
            Event::StatementChecked { instruction_id, covered_until } => {
                return self.statement_checked(&instruction_id, covered_until);
            }
            Event::Decided { instruction_id, by, decision } => return self.decide(&instruction_id, &by, decision),
        }
        Ok(())
    }

    // ── officers ──

    fn decide(&mut self, id: &InstructionId, by: &OperatorId, decision: Decision) -> Result<(), Refused> {
        let state = self.payout.state();
        let Some(instruction) = self.payout.by_id(id).cloned() else {
            return Err(Refused::NoSuchInstruction(id.clone()));
        };
        if !self.may_be_decided(&instruction, decision) {
            return Err(Refused::WrongState {
                act: "officers' decision",
                state: state.code(),
                remedy: "settled: sent and not yet debited; retry: refused in class other, or absent since an earlier bank day where the bank knows repetitions by message only; close: definitively absent, or in contradiction",
            });
        }
        let said = format!("{decision:?}");
        self.journal("payout.officer_decided", json!({"by": by, "decision": said, "instruction_id": id}));
        let generation = instruction.generation;
        match instruction.decision_by.clone() {
            Some((first, decided)) if decided == said && first == *by => return Err(Refused::SameOfficer(by.clone())),
            Some((_, decided)) if decided == said => self.note_decision(generation, None),
            Some(_) | None => {
                self.note_decision(generation, Some((by.clone(), said)));
                return Ok(());
            }
        }
        match decision {
            Decision::Settled => {
                let word = Word::Settled { credited_at: None, bank_reference: None };
                self.evidence(id, word, Carrier::Officers)?;
            }
            Decision::Retry if instruction.absent => {
                self.note_decision(generation, Some((by.clone(), RESEND_AGREED.to_owned())));
                self.judge_resend(generation);
            }
            Decision::Retry => self.mint_next(),
            Decision::Close => self.close(generation),
        }
        Ok(())
    }

    fn may_be_decided(&self, instruction: &Instruction, decision: Decision) -> bool {
        let rejection = instruction.rejection.as_ref();
        let absent = instruction.absent && instruction.state() == InstructionState::Unknown;
        match decision {
            Decision::Settled => instruction.first_claimed_at.is_some() && instruction.debit.is_none(),
            Decision::Retry if absent => {
                let day = |at: Timestamp| self.rules.zone.to_datetime(at).date();
                let bank_day_closed = instruction.last_call_ended_at.is_some_and(|ended| day(ended) < day(self.now));
                instruction.is_recognised_by_message_only(&self.rules.bank)
                    && !instruction.is_too_old_to_resend(&self.rules.bank, self.now)
                    && bank_day_closed
                    && self.payout.ended.is_none()
            }
            Decision::Retry => {
                self.payout.state() == PayoutState::Refused
                    && rejection.is_some_and(|one| one.class == RejectionClass::Other)
                    && self.payout.instructions.iter().all(Instruction::is_dead)
                    && self.payout.speaking().is_some_and(|one| one.id == instruction.id)
            }
            Decision::Close => {
                let gone = absent && !instruction.has_evidence() || instruction.contradiction;
                gone && instruction.claim.is_none()
            }
        }
    }

    fn note_decision(&mut self, generation: u32, decision_by: Option<(OperatorId, String)>) {
        if let Some(one) = self.payout.instruction_mut(generation) {
            one.decision_by = decision_by;
        }
    }

    fn close(&mut self, generation: u32) {
        let now = self.now;
        if let Some(one) = self.payout.instruction_mut(generation) {
            one.closed_at = Some(now);
            one.contradiction = false;
            one.absent = false;
        }
        let posting = self.payout.take_money_back(generation);
        self.post(posting);
        // Where another generation is paid, its approval stands: only the spare one is closed.
        if !self.payout.instructions.iter().any(Instruction::is_debited) {
            let reason = "absent at the bank for good; closed by two officers".to_owned();
            self.payout.ended.get_or_insert(Ended { kind: EndKind::Cancelled, at: now, reason });
        }
    }

    // ── consequences ──

    fn draw_consequences(&mut self) {
        let debited = self.payout.instructions.iter().filter(|one| one.is_debited()).count();
        if debited >= 2 && !self.payout.overpaid {
            self.payout.overpaid = true;
            self.ring(AlarmKind::Overpaid, "two generations were debited: recover one");
        }
        if debited > 0 || self.payout.ended.is_some() {
            self.close_unsent();
        }
        if debited == 0 && self.payout.ended.is_some() {
            self.free_when_all_dead();
        }
        self.cover_overdraft();
        if debited == 0 && self.payout.ended.is_none() {
            self.mint_next_when_due();
        }
        self.stop_asking();
    }

    /// What is at rest is not asked for any more, whatever put it there; nor what is being sent, until its call has ended.
    fn stop_asking(&mut self) {
        self.ask_for_successor();
        for one in &mut self.payout.instructions {
            let rests = match one.state() {
                InstructionState::Fresh | InstructionState::Sending | InstructionState::Settled => true,
                InstructionState::Refused | InstructionState::Returned => !one.contradiction && !one.successor_in_doubt,
                InstructionState::Closed => !one.contradiction,
                InstructionState::Unknown | InstructionState::Pending => false,
            };
            if rests || one.claim.is_some() {
                one.enquire_at = None;
            }
        }
    }

    /// Nothing of a debited or ended payout is sent any more: what never was is closed.
    fn close_unsent(&mut self) {
        let now = self.now;
        let mut batches = Vec::new();
        for one in &mut self.payout.instructions {
            if one.state() == InstructionState::Fresh {
                one.closed_at = Some(now);
                batches.extend(one.msg_id.take());
            }
        }
        self.effects.extend(batches.into_iter().map(Effect::ExamineBatch));
    }

    fn free_when_all_dead(&mut self) {
        if self.payout.instructions.iter().all(Instruction::is_dead)
            && let Some(posting) = self.payout.free()
        {
            self.effects.push(Effect::Post(posting));
            self.effects.push(Effect::Free);
        }
    }

    fn cover_overdraft(&mut self) {
        let posting = self.payout.cover_overdraft();
        self.post(posting);
    }

    fn mint_next_when_due(&mut self) {
        let dead = self.payout.instructions.iter().all(Instruction::is_dead);
        let Some(latest) = self.payout.speaking().filter(|_| dead) else { return };
        // A correction that waits; or one that a generation had taken over which was closed unsent.
        let corrected = self.payout.correction.is_some() || self.payout.payee != latest.payee;
        match latest.state() {
            InstructionState::Returned => {
                if corrected {
                    self.mint_next();
                }
            }
            InstructionState::Refused => match latest.rejection.as_ref().map(|one| one.class) {
                Some(RejectionClass::Fund) => {
                    let until = self.later(self.rules.bank.funds_retry);
                    self.mint_next();
                    self.hold_until(HoldCode::BankFunds, until, "AM04");
                }
                Some(RejectionClass::Window) => {
                    let until = self.rules.after_closed_window(self.payout.amount, self.now);
                    self.mint_next();
                    self.hold_until(HoldCode::BankWindow, until, "TM01");
                }
                Some(RejectionClass::Payee) => {
                    if corrected {
                        self.mint_next();
                    }
                }
                Some(RejectionClass::Other) | None => {}
            },
            InstructionState::Fresh
            | InstructionState::Sending
            | InstructionState::Unknown
            | InstructionState::Pending
            | InstructionState::Settled
            | InstructionState::Closed => {}
        }
    }

    fn mint_next(&mut self) {
        let generation = self.payout.instructions.len() as u32 + 1;
        let id = InstructionId::derive(&self.rules.district, &self.payout.key, generation);
        self.journal("payout.next_generation", json!({"generation": generation, "instruction_id": id}));
        self.mint(id, generation);
        if let Some((payee, authority)) = self.payout.correction.take() {
            self.take_over_correction(payee, authority);
        }
    }

    // ── telling ──

    fn announce_change(&mut self, before: &Before) {
        let after = self.payout.state();
        if before.state != after {
            match after {
                PayoutState::Held => self.announce(PayoutWord::Held),
                PayoutState::Ready if before.state == PayoutState::Held => self.announce(PayoutWord::Released),
                // Back to ready after a call that was not taken in: the world has not moved.
                PayoutState::Ready => {}
                PayoutState::Sending => self.announce(PayoutWord::Submitted),
                PayoutState::Unknown => self.announce(PayoutWord::Unknown),
                PayoutState::Pending => self.announce(PayoutWord::Pending),
                PayoutState::Settled => self.announce(PayoutWord::Settled),
                PayoutState::Refused => self.announce(PayoutWord::Refused),
                PayoutState::Returned => self.announce(PayoutWord::Returned),
                PayoutState::Cancelled => self.announce(PayoutWord::Cancelled),
            }
        }
        if !before.claimable && self.payout.is_claimable() {
            self.effects.push(Effect::Doorbell);
        }
    }

    pub(super) fn announce(&mut self, word: PayoutWord) {
        self.payout.sequence += 1;
        self.effects.push(Effect::Announce(Announcement { word, risk: None }));
    }

    pub(super) fn journal(&mut self, kind: &'static str, detail: Value) {
        self.effects.push(Effect::Journal(kind, detail));
    }

    pub(super) fn post(&mut self, posting: Option<super::books::Posting>) {
        self.effects.extend(posting.map(Effect::Post));
    }

    pub(super) fn ring(&mut self, kind: AlarmKind, text: &str) {
        let instruction_id = self.payout.latest().map(|one| one.id.clone());
        let alarm = Alarm { kind, key: Some(self.payout.key.clone()), instruction_id, text: text.to_owned() };
        self.effects.push(Effect::Ring(alarm));
    }

    pub(super) fn later(&self, pause: jiff::SignedDuration) -> Timestamp {
        self.now.checked_add(pause).unwrap_or(Timestamp::MAX)
    }
}
