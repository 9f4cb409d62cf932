//! Claims and the ends of calls: our own doing, guarded by the epoch.

use super::effect::AlarmKind;
use super::event::{CallEnd, Refused};
use super::hold::{Hold, HoldCode};
use super::instruction::{Claim, Instruction};
use super::on::Turn;
use crate::ids::MsgId;
use crate::ports::bank::Transfer;
use jiff::Timestamp;
use serde_json::json;

impl Turn<'_> {
    // ── claims and calls ──

    pub(super) fn claim(&mut self, claim: Claim, msg_id: MsgId, transfer: Transfer) -> Result<(), Refused> {
        if !self.payout.may_be_sent() {
            return Err(Refused::WrongState {
                act: "claim",
                state: self.payout.state().code(),
                remedy: "only ready payouts, and instructions that are definitively absent at the bank, are sent",
            });
        }
        if claim.epoch != self.payout.epoch + 1 {
            return Err(Refused::Stale { theirs: claim.epoch, ours: self.payout.epoch });
        }
        self.payout.epoch = claim.epoch;
        let now = self.now;
        let Some(latest) = self.payout.instructions.last_mut() else { return Ok(()) };
        let first = latest.first_claimed_at.is_none();
        latest.first_claimed_at.get_or_insert(now);
        latest.transfer.get_or_insert(transfer);
        latest.claim = Some(claim.clone());
        latest.msg_id = Some(msg_id.clone());
        latest.absent = false;
        latest.resend_allowed_until = None;
        latest.decision_by = None;
        latest.enquire_at = None;
        latest.enquiries = 0;
        let (generation, id) = (latest.generation, latest.id.clone());
        let posting = self.payout.send_money(generation);
        self.post(posting);
        let detail =
            json!({"instruction_id": id, "msg_id": msg_id, "epoch": claim.epoch, "lease_until": claim.lease_until});
        self.journal(if first { "payout.claimed" } else { "payout.claimed_again" }, detail);
        Ok(())
    }

    pub(super) fn call_ended(
        &mut self,
        epoch: u64,
        end: &CallEnd,
        not_before: Option<Timestamp>,
    ) -> Result<(), Refused> {
        let ours = self.payout.epoch;
        let now = self.now;
        let ask_at = not_before.map_or(now, |wait| wait.max(now));
        let open = |one: &&mut Instruction| one.claim.as_ref().is_some_and(|claim| claim.epoch == epoch);
        let Some(instruction) = self.payout.instructions.iter_mut().find(open) else {
            return Err(Refused::Stale { theirs: epoch, ours });
        };
        instruction.claim = None;
        let generation = instruction.generation;
        match end {
            CallEnd::Answered => {
                instruction.doubt = true;
                instruction.last_call_ended_at = Some(now);
                // Without a word that ends the matter, ask: a refusal is to be confirmed, a pending one followed.
                instruction.enquire_at = Some(ask_at);
            }
            CallEnd::Doubtful { why } => {
                instruction.doubt = true;
                instruction.last_call_ended_at = Some(now);
                instruction.enquire_at = Some(ask_at);
                self.journal("payout.call_doubtful", json!({"epoch": epoch, "why": why}));
            }
            CallEnd::NotTakenIn(why) => self.call_not_taken_in(generation, epoch, ask_at, why.code()),
            CallEnd::NotMade => self.call_not_taken_in(generation, epoch, ask_at, "not_made"),
            CallEnd::RefusedWhole { members } => self.refused_whole(generation, *members),
        }
        Ok(())
    }

    fn call_not_taken_in(&mut self, generation: u32, epoch: u64, ask_at: Timestamp, why: &str) {
        let Some(instruction) = self.payout.instruction_mut(generation) else { return };
        // A refusal to talk says nothing of earlier calls.
        if instruction.doubt {
            instruction.enquire_at = Some(ask_at);
        } else {
            let posting = self.payout.take_money_back(generation);
            self.post(posting);
        }
        self.journal("payout.call_not_taken_in", json!({"epoch": epoch, "why": why}));
    }

    pub(super) fn refused_whole(&mut self, generation: u32, members: u32) {
        let now = self.now;
        let Some(instruction) = self.payout.instruction_mut(generation) else { return };
        instruction.msg_id = None;
        instruction.batch_limit = Some((members / 2).max(1));
        if instruction.doubt {
            instruction.enquire_at = Some(now);
        } else {
            let posting = self.payout.take_money_back(generation);
            self.post(posting);
        }
        self.journal("payout.message_refused", json!({"members": members}));
        if members == 1 {
            let detail = "the bank refused the message that carried it alone".to_owned();
            self.place(HoldCode::FormatRefused, Hold { since: now, until: None, detail, released_by: None });
            self.ring(AlarmKind::FormatRefused, "the bank refuses the form of this instruction's message");
        }
    }

    pub(super) fn lease_expired(&mut self) {
        let now = self.now;
        let over = |one: &&mut Instruction| one.claim.as_ref().is_some_and(|claim| claim.lease_until <= now);
        let Some(instruction) = self.payout.instructions.iter_mut().find(over) else { return };
        let lease_until = instruction.claim.take().map_or(now, |claim| claim.lease_until);
        instruction.doubt = true;
        instruction.last_call_ended_at = Some(lease_until);
        instruction.enquire_at = Some(now);
        self.journal("payout.lease_expired", json!({"lease_until": lease_until}));
    }

    pub(super) fn batch_closed(&mut self) {
        let Some(latest) = self.payout.instructions.last_mut() else { return };
        latest.msg_id = None;
        if latest.absent {
            let generation = latest.generation;
            self.judge_resend(generation);
        }
    }

    /// Whether an absent instruction may go again by itself. Not when its first claim is too long ago; nor alone, when the
    /// bank recognises a repetition by its message only, until two officers have agreed.
    pub(super) fn judge_resend(&mut self, generation: u32) {
        let (now, rules) = (self.now, &self.rules.bank);
        let Some(instruction) = self.payout.instruction_mut(generation) else { return };
        let too_late = instruction.is_too_old_to_resend(rules, now);
        let alone = instruction.is_recognised_by_message_only(rules) && !instruction.resend_is_agreed();
        let news = !instruction.resend_expired;
        instruction.resend_expired = too_late || alone;
        if !(instruction.resend_expired && news) {
            return;
        }
        self.ring(
            AlarmKind::ResendExpired,
            if too_late {
                "absent, and too old to be sent again: check the statements, then decide"
            } else {
                "absent, and its message does not go again: after a closed bank day two officers decide whether it travels in another"
            },
        );
    }
}
