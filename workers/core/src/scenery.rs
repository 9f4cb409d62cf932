//! What the core's tests play with: one district, one award, and a story of one payout that checks after every event what
//! must hold always. Not part of the product.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

use crate::ids::{ApplicationId, FundId, InstructionId, MsgId, OperatorId, PayoutKey, PolicyId};
use crate::money::Fen;
use crate::payout::{
    Account, AlarmKind, CallEnd, Carrier, Claim, Decision, Effect, EndKind, Ended, Enterprise, Event, FundGrant, Hold,
    HoldCode, Instruction, InstructionState, Payout, PayoutWord, Refused, Word,
};
use crate::ports::bank::{Debtor, NotTakenIn, Payee, Transfer};
use crate::rules::Rules;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Seconds after the approval.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_397_400 + seconds).unwrap()
}

pub(crate) fn rules() -> Rules {
    Rules::with_defaults("example")
}

pub(crate) fn key(number: u32) -> PayoutKey {
    PayoutKey { application_id: ApplicationId(format!("A-{number}")), tranche: 1 }
}

pub(crate) fn payee(account_no: &str) -> Payee {
    Payee {
        account_name: "示例科技有限公司".to_owned(),
        account_no: account_no.to_owned(),
        bank_code: "102100099996".to_owned(),
        bank_name: "示例银行".to_owned(),
    }
}

pub(crate) fn debtor() -> Debtor {
    Debtor {
        name: "示例区财政局".to_owned(), account_no: "1000".to_owned(), bank_code: "102100099996".to_owned()
    }
}

pub(crate) fn hold() -> Hold {
    Hold { since: at(0), until: None, detail: String::new(), released_by: None }
}

pub(crate) fn ended(kind: EndKind) -> Ended {
    Ended { kind, at: at(0), reason: "as asked".to_owned() }
}

/// An award of 100 yuan that nothing stands against, unfunded.
pub(crate) fn award(number: u32) -> Payout {
    Payout {
        key: key(number),
        policy_id: PolicyId::from("P-1"),
        fund_id: None,
        named_fund_id: None,
        enterprise: Enterprise { uscc: "91350100M000100Y43".to_owned(), name: "示例科技有限公司".to_owned() },
        amount: Fen(10_000),
        currency: "CNY".to_owned(),
        payee: payee("1"),
        approved_payee: payee("1"),
        approved_at: at(0),
        received_at: at(0),
        due_at: at(24 * 3600),
        commitment_id: None,
        officers: 1,
        approval_event: ("/review".to_owned(), format!("e-{number}")),
        correction_event: None,
        corrected_at: None,
        keyid: "k".to_owned(),
        epoch: 0,
        sequence: 0,
        holds: BTreeMap::new(),
        waived: BTreeSet::new(),
        ended: None,
        correction: None,
        funded: false,
        reserved: Fen::ZERO,
        overpaid: false,
        restored: false,
        told: BTreeSet::new(),
        instructions: Vec::new(),
    }
}

pub(crate) fn transfer(payout: &Payout) -> Transfer {
    let latest = payout.latest().unwrap();
    Transfer {
        instruction_id: latest.id.clone(),
        amount: payout.amount,
        currency: payout.currency.clone(),
        fund_id: FundId::from("F-1"),
        debtor: debtor(),
        payee: latest.payee.clone(),
        uscc: payout.enterprise.uscc.clone(),
        remittance: payout.key.to_string(),
    }
}

pub(crate) fn settled() -> Word {
    Word::Settled { credited_at: None, bank_reference: Some("R".to_owned()) }
}

pub(crate) fn rejected(reason: &str) -> Word {
    Word::Rejected { reason: reason.to_owned(), text: String::new() }
}

pub(crate) fn returned() -> Word {
    Word::Returned { at: at(0), reason: "AC04".to_owned(), amount: Fen(10_000) }
}

/// One payout's life. Whatever is done to it, [`Story::must_hold`] is asked afterwards.
pub(crate) struct Story {
    pub(crate) payout: Payout,
    pub(crate) rules: Rules,
    pub(crate) now: Timestamp,
    pub(crate) rung: Vec<AlarmKind>,
    pub(crate) words: Vec<PayoutWord>,
    pub(crate) examined: Vec<MsgId>,
    pub(crate) doorbells: usize,
    balances: BTreeMap<Account, i64>,
    granted: usize,
    freed: usize,
    batches: u32,
}

impl Story {
    /// A payout that is ready to be sent.
    pub(crate) fn ready(rules: Rules) -> Self {
        let (payout, _) = award(1).received(&rules, at(0));
        let mut story = Self {
            payout,
            rules,
            now: at(0),
            rung: Vec::new(),
            words: Vec::new(),
            examined: Vec::new(),
            doorbells: 0,
            balances: BTreeMap::new(),
            granted: 1,
            freed: 0,
            batches: 0,
        };
        let fund_id = Some(FundId::from("F-1"));
        story.must(Event::RulesSay { fund_id, holds: BTreeMap::new(), fund_granted: FundGrant::Granted });
        story
    }

    pub(crate) fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    pub(crate) fn happens(&mut self, event: Event) -> Result<(), Refused> {
        let was = self.payout.clone();
        let (payout, effects) = self.payout.clone().on(event, &self.rules, self.now)?;
        self.payout = payout;
        let announced = effects.iter().filter(|one| matches!(one, Effect::Announce(_))).count() as u64;
        assert_eq!(self.payout.sequence, was.sequence + announced, "announcements are counted without gaps");
        for effect in effects {
            self.note(effect);
        }
        self.must_hold(&was);
        Ok(())
    }

    pub(crate) fn must(&mut self, event: Event) {
        self.happens(event).unwrap();
    }

    fn note(&mut self, effect: Effect) {
        match effect {
            Effect::Post(posting) => {
                assert!(posting.amount > Fen::ZERO, "{posting:?}");
                *self.balances.entry(posting.from).or_default() -= posting.amount.0;
                *self.balances.entry(posting.to).or_default() += posting.amount.0;
            }
            Effect::Free => self.freed += 1,
            Effect::Ring(alarm) => self.rung.push(alarm.kind),
            Effect::Announce(announcement) => self.words.push(announcement.word),
            Effect::ExamineBatch(msg_id) => self.examined.push(msg_id),
            Effect::Doorbell => self.doorbells += 1,
            Effect::Journal(..) => {}
        }
    }

    /// What holds always: the books, one live instruction, no successor beside a living or paid generation, nothing sent
    /// against anything, no debit of the bank lost, and whatever is not known is asked for.
    fn must_hold(&self, was: &Payout) {
        let payout = &self.payout;
        let of = |account| self.balances.get(&account).copied().unwrap_or_default();
        let sums = |part: fn(&Instruction) -> Fen| payout.instructions.iter().map(part).sum::<Fen>().0;
        assert_eq!(of(Account::Reserved), payout.reserved.0, "{:?}", self.balances);
        assert_eq!(of(Account::InTransit), sums(|one| one.in_transit), "{:?}", self.balances);
        assert_eq!(of(Account::Paid), sums(|one| one.paid), "{:?}", self.balances);
        assert_eq!(self.balances.values().sum::<i64>(), 0, "every movement has two ends");
        assert!(
            payout.reserved.0 >= 0 && payout.instructions.iter().all(|one| one.in_transit.0 >= 0 && one.paid.0 >= 0)
        );
        assert!(-of(Account::Available) == if payout.funded { payout.amount.0 } else { 0 }, "{:?}", self.balances);
        let granted = if payout.funded { payout.amount.0 } else { 0 };
        let travelling = of(Account::InTransit) + of(Account::Paid);
        assert!(
            payout.reserved.0 <= (granted - travelling).max(0),
            "set apart beside what is spent: {:?}",
            self.balances
        );
        assert_eq!(self.granted - self.freed, usize::from(payout.funded), "charged and freed once");

        let live = payout.instructions.iter().filter(|one| one.is_live()).count();
        assert!(live <= 1, "one live instruction: {:?}", self.states());
        let (minted, earlier) = payout.instructions.split_last().unwrap();
        if payout.instructions.len() > was.instructions.len() {
            assert!(earlier.iter().all(Instruction::is_dead), "minted beside {:?}", self.states());
            assert!(payout.ended.is_none());
        }
        let stands_against = !payout.holds.is_empty()
            || payout.ended.is_some()
            || !payout.funded
            || earlier.iter().any(|one| !one.is_dead())
            || minted.has_evidence();
        assert!(!(payout.may_be_sent() && stands_against), "{:?}", self.states());
        for (one, before) in payout.instructions.iter().zip(&was.instructions) {
            let by_bank = before.debit.as_ref().is_some_and(|debit| debit.carrier != Carrier::Officers);
            assert!(!by_bank || one.debit.is_some(), "a debit was lost");
            assert!(before.returned.is_none() || one.returned.is_some(), "a return was lost");
            assert!(one.transfer.is_none() || before.transfer.is_none() || one.transfer == before.transfer);
        }
        for one in &payout.instructions {
            let soon = self.now + SignedDuration::from_mins(30);
            let asked = one.enquire_at.is_some_and(|at| at <= soon);
            let to_be_asked = matches!(one.state(), InstructionState::Unknown | InstructionState::Pending)
                || one.contradiction && one.claim.is_none();
            assert_eq!(asked, to_be_asked, "asked for exactly while unknown: {one:?}");
        }
    }

    pub(crate) fn states(&self) -> Vec<InstructionState> {
        self.payout.instructions.iter().map(Instruction::state).collect()
    }

    pub(crate) fn id(&self, generation: u32) -> InstructionId {
        InstructionId::derive("example", &self.payout.key, generation)
    }

    // ── what can happen, in one word each ──

    pub(crate) fn claim(&mut self) -> Result<(), Refused> {
        self.batches += 1;
        let open = self.payout.latest().and_then(|one| one.msg_id.clone());
        let msg_id = open.unwrap_or_else(|| MsgId(format!("M-{}", self.batches)));
        let lease_until = self.now + self.rules.bank.lease;
        let claim = Claim { epoch: self.payout.epoch + 1, lease_until };
        let transfer = Box::new(transfer(&self.payout));
        self.happens(Event::Claimed { claim, msg_id, transfer })
    }

    pub(crate) fn call_ends(&mut self, end: CallEnd) -> Result<(), Refused> {
        let epoch = self.payout.epoch;
        self.happens(Event::CallEnded { epoch, end, not_before: None })
    }

    pub(crate) fn says(&mut self, generation: u32, word: Word, carrier: Carrier) {
        let instruction_id = self.id(generation);
        self.must(Event::Evidence { instruction_id, word, carrier });
    }

    /// An enquiry, begun and ended now.
    pub(crate) fn not_found(&mut self, generation: u32) {
        let begun_at = self.now;
        self.says(generation, Word::NotFound { begun_at }, Carrier::Enquiry);
    }

    pub(crate) fn decides(&mut self, officer: &str, generation: u32, decision: Decision) -> Result<(), Refused> {
        let (instruction_id, by) = (self.id(generation), OperatorId::from(officer));
        self.happens(Event::Decided { instruction_id, by, decision })
    }

    pub(crate) fn corrects(&mut self, account_no: &str) -> Result<(), Refused> {
        let authority = ("/review".to_owned(), format!("c-{account_no}"));
        self.happens(Event::Corrected { payee: payee(account_no), authority, at: self.now })
    }

    pub(crate) fn is_held(&mut self, code: HoldCode) {
        self.must(Event::Placed(code, hold()));
    }

    /// Claimed, and the call ended without an answer.
    pub(crate) fn sent_in_doubt(&mut self) {
        self.claim().unwrap();
        self.call_ends(CallEnd::Doubtful { why: "time-out".to_owned() }).unwrap();
    }

    /// Claimed, and certainly not taken in.
    pub(crate) fn not_taken_in(&mut self) {
        self.claim().unwrap();
        self.call_ends(CallEnd::NotTakenIn(NotTakenIn::ConnectionRefused)).unwrap();
    }

    /// In doubt, and definitively absent; its batch is closed.
    pub(crate) fn absent(&mut self) {
        self.sent_in_doubt();
        self.must(Event::BatchClosed);
        self.pass(121);
        let generation = self.payout.latest().unwrap().generation;
        self.not_found(generation);
    }

    /// Sent and refused, confirmed by an enquiry.
    pub(crate) fn refused(&mut self, reason: &str) {
        self.claim().unwrap();
        self.call_ends(CallEnd::Answered).unwrap();
        let generation = self.payout.latest().unwrap().generation;
        self.must(Event::BatchClosed);
        self.says(generation, rejected(reason), Carrier::Answer);
        self.says(generation, rejected(reason), Carrier::Enquiry);
    }
}
