//! What keeps a payout from being sent, and what lets it go: holds, the end of its application, the payee's correction.

use super::effect::{AlarmKind, Effect};
use super::event::{FundGrant, Refused};
use super::hold::{Ends, Hold, HoldCode, Release};
use super::instruction::Instruction;
use super::on::Turn;
use super::{Ended, PayoutState};
use crate::ids::{FundId, OperatorId};
use crate::ports::bank::Payee;
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;

impl Turn<'_> {
    // ── holds ──

    pub(super) fn rules_say(&mut self, fund_id: Option<FundId>, holds: BTreeMap<HoldCode, Hold>, granted: FundGrant) {
        if let Some(fund_id) = fund_id
            && !self.payout.funded
        {
            let postings = self.payout.learn_fund(fund_id);
            self.effects.extend(postings.into_iter().map(Effect::Post));
        }
        let gone: Vec<HoldCode> = self
            .payout
            .holds
            .keys()
            .copied()
            .filter(|code| code.ends() == Ends::ByItself && !holds.contains_key(code))
            .collect();
        for code in gone {
            self.lift(code, "the cause is gone");
        }
        for (code, hold) in holds {
            self.place(code, hold);
        }
        if granted == FundGrant::Granted {
            let posting = self.payout.reserve();
            self.post(posting);
        }
    }

    pub(super) fn place(&mut self, code: HoldCode, hold: Hold) {
        if self.payout.waived.contains(&code) || self.payout.holds.contains_key(&code) || self.payout.ended.is_some() {
            return;
        }
        self.journal("payout.held", json!({"code": code.code(), "detail": hold.detail}));
        self.payout.holds.insert(code, hold);
    }

    pub(super) fn hold_until(&mut self, code: HoldCode, until: Timestamp, detail: &str) {
        self.place(code, Hold { since: self.now, until: Some(until), detail: detail.to_owned(), released_by: None });
    }

    pub(super) fn lift(&mut self, code: HoldCode, why: &str) {
        if self.payout.holds.remove(&code).is_some() {
            self.journal("payout.hold_lifted", json!({"code": code.code(), "why": why}));
        }
    }

    pub(super) fn release(&mut self, by: &OperatorId, codes: &[HoldCode]) -> Result<(), Refused> {
        for code in codes {
            let Some(hold) = self.payout.holds.get_mut(code) else { return Err(Refused::NoSuchHold(code.code())) };
            match code.release() {
                Release::Nobody => return Err(Refused::NotReleasable(code.code())),
                Release::Two if hold.released_by.is_none() => {
                    hold.released_by = Some(by.clone());
                    self.journal("payout.release_seconded_awaited", json!({"code": code.code(), "by": by}));
                    continue;
                }
                Release::Two if hold.released_by.as_ref() == Some(by) => return Err(Refused::SameOfficer(by.clone())),
                Release::Two | Release::One => {}
            }
            self.lift(*code, "released by an officer");
            // A hold that may come again for a new cause is lifted this once only, and nobody waives a signature.
            if !matches!(code, HoldCode::Operator | HoldCode::FormatRefused | HoldCode::SignatureMismatch) {
                self.payout.waived.insert(*code);
            }
        }
        Ok(())
    }

    pub(super) fn time_passed(&mut self) {
        let now = self.now;
        let over = |hold: &Hold| hold.until.is_some_and(|until| until <= now);
        let codes: Vec<HoldCode> =
            self.payout.holds.iter().filter(|(_, hold)| over(hold)).map(|(code, _)| *code).collect();
        for code in codes {
            self.lift(code, "its time has come");
        }
    }

    // ── the end of an application ──

    pub(super) fn end(&mut self, ended: Ended) {
        if self.payout.ended.is_some() {
            return;
        }
        self.journal("payout.ended", json!({"kind": ended.kind.code(), "at": ended.at}));
        if self.payout.instructions.iter().any(Instruction::is_debited) {
            self.ring(AlarmKind::PaidAfterEnd, "the application ended after it was paid: recover the money");
        }
        self.payout.ended = Some(ended);
    }

    pub(super) fn cancel(&mut self, ended: Ended) -> Result<(), Refused> {
        match self.payout.state() {
            PayoutState::Held | PayoutState::Ready => {
                self.end(ended);
                Ok(())
            }
            state @ (PayoutState::Sending
            | PayoutState::Unknown
            | PayoutState::Pending
            | PayoutState::Settled
            | PayoutState::Refused
            | PayoutState::Returned
            | PayoutState::Cancelled) => Err(Refused::WrongState {
                act: "cancel",
                state: state.code(),
                remedy: "only held and ready payouts can be cancelled; what is sent is decided by the bank's evidence",
            }),
        }
    }

    // ── the payee's correction ──

    pub(super) fn correct(&mut self, payee: Payee, authority: (String, String), at: Timestamp) -> Result<(), Refused> {
        if self.payout.instructions.iter().any(Instruction::is_debited) {
            return Err(Refused::AlreadySettled);
        }
        if self.payout.ended.is_some() {
            return Err(Refused::WrongState {
                act: "payee correction",
                state: "cancelled",
                remedy: "the application has ended; nothing will be paid",
            });
        }
        if let Some(last) = self.payout.corrected_at.filter(|last| at < *last) {
            return Err(Refused::Overtaken { at, last });
        }
        self.payout.corrected_at = Some(at);
        let unsent = |one: &Instruction| one.first_claimed_at.is_none() && one.never_left() && !one.is_dead();
        let never_claimed = self.payout.latest().is_some_and(unsent);
        self.journal("payout.payee_corrected", json!({"event": authority, "takes_effect": if never_claimed { "now" } else { "when the sent instruction is dead" }}));
        if never_claimed {
            self.take_over_correction(payee, authority);
        } else {
            self.payout.correction = Some((payee, authority));
        }
        Ok(())
    }

    pub(super) fn take_over_correction(&mut self, payee: Payee, authority: (String, String)) {
        self.payout.payee = payee.clone();
        self.payout.correction_event = Some(authority);
        self.payout.correction = None;
        let unsent = |one: &&mut Instruction| one.first_claimed_at.is_none() && one.never_left();
        if let Some(latest) = self.payout.instructions.last_mut().filter(unsent) {
            latest.payee = payee;
        }
        // Two officers have confirmed the account; only the name must still be the enterprise's.
        self.lift(HoldCode::PayeeChanged, "corrected and confirmed");
        self.lift(HoldCode::AccountName, "corrected");
        if !crate::names::same_name(&self.payout.payee.account_name, &self.payout.enterprise.name) {
            let detail = "the corrected account bears another name".to_owned();
            // What officers accepted was the old account's name.
            self.payout.waived.remove(&HoldCode::AccountName);
            self.place(HoldCode::AccountName, Hold { since: self.now, until: None, detail, released_by: None });
        }
    }
}
