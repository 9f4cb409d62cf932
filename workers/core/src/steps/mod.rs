//! The steps of the protocol as pure functions: what a store has loaded and locked goes in, what it has to write comes out.
//! Each step is one transaction; the stores only load, call and write.

mod act;
mod arrivals;
mod call;
mod claim;
mod enquiry;
mod intake;
mod notices;
mod restore;
mod rules_of_intake;
mod telling;
#[cfg(test)]
mod tests;

pub use act::{Act, ActOutcome, ActRefused, Operator, Role, Switch, act};
pub use arrivals::{ApplicationFacts, Approval, Arrival, Fact, Quarantined, TakenIn};
pub use call::{book_call, book_not_made, examine_batch, expire_lease, named_besides};
pub use claim::{Authority, ClaimInputs, PaidAccounts, ResendInputs, Spent, claim, claim_again};
pub use enquiry::{EnquiryResult, book_enquiry, book_evidence, book_statement_check};
pub use intake::{IntakeContext, reconsider, take_in};
pub use restore::{Restore, Restored, close_sending, compare, owners_of_forgotten, possible_ids, recover};
pub use rules_of_intake::{CapKey, Fund, Policy};
pub use telling::time_passes;

use crate::batch::Batch;
use crate::ids::{ApplicationId, FundId, MsgId, PayoutKey};
use crate::money::Fen;
use crate::notice::NoticeRequest;
use crate::payout::{Alarm, Announcement, Effect, Event, HoldCode, Payout, PayoutWord, Posting, Refused};
use crate::rules::Rules;
use crate::view::micros;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A journal row to be written: append-only, without personal data.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalRow {
    /// What happened, e.g. `payout.claimed`.
    pub kind: String,
    /// Application id (with `/tranche` beyond the first), or another subject.
    pub subject: String,
    /// Who: `system`, a key id, or an operator.
    pub by: String,
    /// The facts, in JSON.
    pub detail: Value,
}

/// An event for the world, to be written into the outbox. Its number is drawn by the store in the same transaction: counted per
/// subject from 1 without gaps, in the order of announcement.
#[derive(Clone, Debug, PartialEq)]
pub struct WorldEvent {
    /// CloudEvents type.
    pub event_type: String,
    /// CloudEvents subject.
    pub subject: String,
    /// CloudEvents data.
    pub data: Value,
}

/// Everything one step wants written, in one transaction.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Payouts that are new.
    pub created: BTreeSet<PayoutKey>,
    /// Payouts as they are now, new and changed.
    pub payouts: BTreeMap<PayoutKey, Payout>,
    /// Batches as they are now, new and changed.
    pub batches: BTreeMap<MsgId, Batch>,
    /// Open batches to be looked at now.
    pub examine: BTreeSet<MsgId>,
    /// Movements in the books.
    pub postings: Vec<Posting>,
    /// Journal rows, in order.
    pub journal: Vec<JournalRow>,
    /// Events for the world, in order.
    pub world: Vec<WorldEvent>,
    /// What rings.
    pub alarms: Vec<Alarm>,
    /// Charged to (or, negative, given back by) each fund.
    pub funds: BTreeMap<FundId, Fen>,
    /// Charged to (or given back by) each cap.
    pub caps: BTreeMap<CapKey, Fen>,
    /// What is known of applications beside their payouts.
    pub applications: BTreeMap<ApplicationId, ApplicationFacts>,
    /// Commitments that arrived: id and USCC.
    pub commitments: Vec<(String, String)>,
    /// New inbox rows.
    pub inbox: Vec<Arrival>,
    /// New quarantine rows.
    pub quarantine: Vec<Quarantined>,
    /// Payouts to be judged again.
    pub reconsider: Vec<Reconsider>,
    /// The stop switch as it is now, when it changed.
    pub switch: Option<Switch>,
    /// Payouts for which a doorbell is to be rung.
    pub doorbells: Vec<PayoutKey>,
    /// Who is to be told what; each once, whoever asks for it how often.
    pub notices: Vec<NoticeRequest>,
}

/// Which held payouts are to be judged again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reconsider {
    /// Those of an application.
    Application(ApplicationId),
    /// Those that name a commitment.
    Commitment(String),
    /// Those that draw on a fund.
    Fund(FundId),
}

/// The payouts a step works on, and what it has changed so far.
pub struct Desk<'a> {
    /// Rules in force.
    pub rules: &'a Rules,
    /// The database's clock at the start of the transaction.
    pub now: Timestamp,
    /// Who acts, for the journal.
    pub by: String,
    /// Loaded and locked.
    pub payouts: BTreeMap<PayoutKey, Payout>,
    /// What is to be written.
    pub changes: Changes,
    /// Of which holds enterprises had been told when the transaction began.
    told_holds: BTreeMap<PayoutKey, BTreeSet<(HoldCode, Timestamp)>>,
    /// What was taken in by this transaction.
    received: BTreeSet<PayoutKey>,
}

impl<'a> Desk<'a> {
    /// A desk with these payouts on it.
    pub fn new(rules: &'a Rules, now: Timestamp, payouts: impl IntoIterator<Item = Payout>) -> Self {
        let payouts = payouts.into_iter().map(|one| (one.key.clone(), one)).collect();
        Self {
            rules,
            now,
            by: "system".to_owned(),
            payouts,
            changes: Changes::default(),
            told_holds: BTreeMap::new(),
            received: BTreeSet::new(),
        }
    }

    /// Applies an event to one payout and collects what follows.
    ///
    /// # Errors
    /// [`Refused`] as [`Payout::on`]; nothing is changed then. A payout that is not on the desk is left alone.
    pub fn apply(&mut self, key: &PayoutKey, event: Event) -> Result<(), Refused> {
        let Some(payout) = self.payouts.get(key) else { return Ok(()) };
        let (payout, effects) = payout.clone().on(event, self.rules, self.now)?;
        self.put(payout, effects);
        Ok(())
    }

    pub(crate) fn put(&mut self, payout: Payout, effects: Vec<Effect>) {
        let key = payout.key.clone();
        for effect in effects {
            self.collect(&payout, effect);
        }
        self.tell_of_holds(&payout);
        self.tell_of_receipt(&payout);
        self.changes.payouts.insert(key.clone(), payout.clone());
        self.payouts.insert(key, payout);
    }

    /// However many steps it takes, a transaction tells once of each hold that it leaves behind.
    fn tell_of_holds(&mut self, payout: &Payout) {
        let was = || self.payouts.get(&payout.key).map(notices::told_holds).unwrap_or_default();
        let before = self.told_holds.entry(payout.key.clone()).or_insert_with(was);
        let requests = notices::held(payout, before, self.rules);
        self.changes.notices.retain(|one| !notices::is_of_holds(one, payout));
        self.changes.notices.extend(requests);
    }

    /// That it was received is told once no hold speaks for it, while there is time: when it was taken in, else when such a hold is lifted.
    /// Whoever was told of none because it was lifted first, as at night, hears this, and whoever was told of one hears that it is over.
    /// Who was told before it was held is not told again, for it is asked for once.
    fn tell_of_receipt(&mut self, payout: &Payout) {
        let was_held = self.told_holds.get(&payout.key).is_some_and(|before| !before.is_empty());
        if !self.received.contains(&payout.key) && !was_held {
            return;
        }
        let request = notices::received(payout, self.rules, self.now);
        self.changes.notices.retain(|one| !notices::is_of_receipt(one, payout));
        self.changes.notices.extend(request);
    }

    fn collect(&mut self, payout: &Payout, effect: Effect) {
        let changes = &mut self.changes;
        match effect {
            Effect::Journal(kind, detail) => changes.journal.push(JournalRow {
                kind: kind.to_owned(),
                subject: subject(&payout.key),
                by: self.by.clone(),
                detail,
            }),
            Effect::Announce(announcement) => {
                if announcement.word == PayoutWord::Received {
                    self.received.insert(payout.key.clone());
                }
                changes.notices.extend(notices::asked_for(payout, &announcement, self.rules, self.now));
                changes.world.push(world_event(payout, &announcement));
            }
            Effect::Post(posting) => changes.postings.push(posting),
            Effect::Free => {
                let back = Fen(-payout.amount.0);
                if let Some(fund_id) = &payout.fund_id {
                    add(&mut changes.funds, fund_id.clone(), back);
                    changes.reconsider.push(Reconsider::Fund(fund_id.clone()));
                }
                add(&mut changes.caps, CapKey::of(payout, &self.rules.zone), back);
            }
            Effect::Ring(alarm) => changes.alarms.push(alarm),
            Effect::ExamineBatch(msg_id) => {
                changes.examine.insert(msg_id);
            }
            Effect::Doorbell => changes.doorbells.push(payout.key.clone()),
        }
    }
}

pub(crate) fn add<K: Ord>(sums: &mut BTreeMap<K, Fen>, key: K, amount: Fen) {
    let sum = sums.entry(key).or_default();
    *sum = Fen(sum.0 + amount.0);
}

/// The subject of a payout's journal rows: the application id; tranches beyond the first are named.
#[must_use]
pub fn subject(key: &PayoutKey) -> String {
    if key.tranche == 1 { key.application_id.0.clone() } else { key.to_string() }
}

/// The payout as it is now, in the form of `schemas/v1/payout.*`; what is not known is left out.
fn world_event(payout: &Payout, announcement: &Announcement) -> WorldEvent {
    let debited = payout.instructions.iter().find(|one| one.is_debited());
    let speaking = debited.or_else(|| payout.speaking());
    let debit = speaking.and_then(|one| one.debit.as_ref());
    let mut data = json!({
        "application_id": payout.key.application_id,
        "tranche": payout.key.tranche,
        "state": payout.state().code(),
        "amount": {"currency": payout.currency, "value": payout.amount.to_string()},
        "enterprise": payout.enterprise,
        "policy_id": payout.policy_id,
        "instruction_id": speaking.map(|one| &one.id),
        "approved_at": micros(Some(payout.approved_at)),
        "due_at": micros(Some(payout.due_at)),
        "submitted_at": micros(speaking.filter(|one| one.transfer.is_some()).and_then(|one| one.first_claimed_at)),
        "credited_at": micros(debit.map(|one| one.credited_at)),
        "observed_at": micros(debit.map(|one| one.observed_at)),
        "bank_reference": debit.and_then(|one| one.bank_reference.as_ref()),
        "reason": payout.reason().map(|(code, text)| json!({"code": code, "text": text})),
    });
    if let Some(risk) = &announcement.risk {
        data["risk"] = json!({"code": risk.code, "text": risk.text});
        data["bank_reopens_at"] = json!(micros(risk.bank_reopens_at));
    }
    if let Some(members) = data.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    WorldEvent {
        event_type: announcement.word.event_type().to_owned(),
        subject: payout.key.application_id.0.clone(),
        data,
    }
}
