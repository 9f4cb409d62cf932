//! Intake: what arrives becomes inbox rows, payouts with their holds and reservations, facts about applications, or
//! quarantine rows. Signature and form have been checked before; here only contradictions are found.

use super::arrivals::{ApplicationFacts, Approval, Arrival, Fact, Quarantined, TakenIn};
use super::rules_of_intake::{CapKey, Fund, Policy, fund_in_another_currency, judge, judge_arrival};
use super::telling::tell_of_the_rail;
use super::{Desk, JournalRow, Reconsider, Restored, add};
use crate::ids::{ApplicationId, FundId, PayoutKey, PolicyId};
use crate::money::Fen;
use crate::payout::{Alarm, AlarmKind, EndKind, Ended, Event, FundGrant, PROMISE, Payout, Refused};
use crate::ports::bank::Payee;
use jiff::Timestamp;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Everything intake has to know beside the payouts on the desk.
#[derive(Clone, Debug, Default)]
pub struct IntakeContext {
    /// Content hashes of those arrivals' (source, id) that are known.
    pub inbox: BTreeMap<(String, String), String>,
    /// Policies.
    pub policies: BTreeMap<PolicyId, Policy>,
    /// Funds, locked.
    pub funds: BTreeMap<FundId, Fund>,
    /// Yearly caps, locked.
    pub caps: BTreeMap<CapKey, Fen>,
    /// Applications.
    pub applications: BTreeMap<ApplicationId, ApplicationFacts>,
    /// Commitments that arrived: id → USCC.
    pub commitments: BTreeMap<String, String>,
    /// Last account each enterprise was paid on: USCC → account number.
    pub last_paid: BTreeMap<String, String>,
    /// Keys that were revoked.
    pub revoked_keys: BTreeSet<String>,
    /// The last restore of this database, if there ever was one.
    pub restored: Option<Restored>,
}

/// Takes in a batch. The desk holds every payout of every application that the arrivals name.
pub fn take_in(desk: &mut Desk<'_>, context: &mut IntakeContext, arrivals: Vec<Arrival>) -> Vec<TakenIn> {
    arrivals.into_iter().map(|arrival| take_in_one(desk, context, arrival)).collect()
}

fn take_in_one(desk: &mut Desk<'_>, context: &mut IntakeContext, arrival: Arrival) -> TakenIn {
    let name = (arrival.source.clone(), arrival.event_id.clone());
    match context.inbox.get(&name) {
        Some(known) if *known == arrival.content_sha256 => return TakenIn::Duplicate,
        Some(_) => {
            return quarantine(
                desk,
                &arrival,
                "event_conflict",
                "id",
                "the same source and id came before with other content; send it under a new id",
            );
        }
        None => {}
    }
    desk.by.clone_from(&arrival.keyid);
    let taken = match arrival.fact.clone() {
        Fact::Approved(approval) => approved(desk, context, &arrival, *approval),
        Fact::Ended(application_id, ended) => application_ended(desk, context, &application_id, &ended),
        Fact::PublicityStarted(id, at) => publicity(desk, context, id, at, |facts| &mut facts.publicity_started_at),
        Fact::PublicityObjected(id, at) => publicity(desk, context, id, at, |facts| &mut facts.publicity_objected_at),
        Fact::PublicityEnded(id, at) => publicity(desk, context, id, at, |facts| &mut facts.publicity_ended_at),
        Fact::PayeeCorrected(key, payee, at) => corrected(desk, &arrival, &key, payee, at),
        Fact::CommitmentSigned { commitment_id, uscc } => commitment(desk, context, commitment_id, uscc),
        Fact::Other => TakenIn::Accepted,
    };
    match taken {
        TakenIn::Accepted => {
            context.inbox.insert(name, arrival.content_sha256.clone());
            desk.changes.journal.push(JournalRow {
                kind: "event.accepted".to_owned(),
                subject: arrival.subject.clone(),
                by: arrival.keyid.clone(),
                detail: json!({"type": arrival.event_type, "source": arrival.source, "id": arrival.event_id,
                    "sha256": arrival.content_sha256, "way": arrival.way}),
            });
            desk.changes.inbox.push(arrival);
        }
        // A second approval of the same substance is remembered too, so that its repetitions are cheap.
        TakenIn::Duplicate => {
            context.inbox.insert(name, arrival.content_sha256.clone());
            desk.changes.inbox.push(arrival);
        }
        TakenIn::Quarantined { .. } => {}
    }
    desk.by = "system".to_owned();
    taken
}

fn approved(desk: &mut Desk<'_>, context: &mut IntakeContext, arrival: &Arrival, approval: Approval) -> TakenIn {
    let latest = desk.now.checked_add(desk.rules.max_ahead).unwrap_or(Timestamp::MAX);
    if approval.approved_at > latest {
        let reason = format!(
            "approved_at {} lies in the future; check the sender's clock and send it again",
            approval.approved_at
        );
        return quarantine(desk, arrival, "approved_in_future", "data.approved_at", &reason);
    }
    if let Some(existing) = desk.payouts.get(&approval.key) {
        let same = existing.policy_id == approval.policy_id
            && existing.enterprise == approval.enterprise
            && existing.amount == approval.amount
            && existing.currency == approval.currency
            && existing.approved_payee == approval.payee
            && existing.ended.is_none();
        if same {
            return TakenIn::Duplicate;
        }
        let text = "a second, different approval of the same award is in quarantine";
        let reason = "this application's tranche was approved before, with another policy, enterprise, amount or payee, or it has ended; a further award needs a further tranche";
        return approval_conflict(desk, arrival, approval.key, text, reason);
    }
    let may_be_paid = restored(desk, context, &approval).is_some();
    if approved_application_ended(desk, &approval.key.application_id) && !may_be_paid {
        let text = "an approval of an application that ended after an earlier approval is in quarantine";
        let reason = "this application was approved before, and withdrawn, rejected or revoked since; nothing of it is paid any more: a further award needs a new application";
        return approval_conflict(desk, arrival, approval.key, text, reason);
    }
    if let Some(fund) = fund_in_another_currency(context, &approval) {
        let reason = format!(
            "fund {} pays in {}, the award is in {}; approve it in the fund's currency, or mend the policy and replay it",
            fund.id, fund.currency, approval.currency
        );
        return quarantine(desk, arrival, "currency_not_funds", "data.amount.currency", &reason);
    }
    let payout = new_payout(desk, context, arrival, approval);
    let key = payout.key.clone();
    let arrival_holds = judge_arrival(&payout, context, desk.rules, desk.now);
    let (payout, effects) = payout.received(desk.rules, desk.now);
    desk.changes.created.insert(key.clone());
    desk.put(payout, effects);
    for (code, hold) in arrival_holds {
        let _ = desk.apply(&key, Event::Placed(code, hold));
    }
    apply_rules(desk, context, &key);
    ring_if_new_and_ready(desk, &key);
    tell_of_the_rail(desk, &key);
    TakenIn::Accepted
}

/// The end of an approved application ends all its tranches, those to come included. What an officer cancels is one tranche.
fn approved_application_ended(desk: &Desk<'_>, id: &ApplicationId) -> bool {
    let of_application = desk.payouts.values().filter(|one| one.key.application_id == *id);
    of_application.filter_map(|one| one.ended.as_ref()).any(|ended| ended.kind != EndKind::Cancelled)
}

/// Quarantines a contradicting approval, and rings.
fn approval_conflict(desk: &mut Desk<'_>, arrival: &Arrival, key: PayoutKey, text: &str, reason: &str) -> TakenIn {
    desk.changes.alarms.push(Alarm {
        kind: AlarmKind::ApprovalConflict,
        key: Some(key),
        instruction_id: None,
        text: text.to_owned(),
    });
    quarantine(desk, arrival, "approval_conflict", "data.application_id", reason)
}

/// The restore whose lost history may have had this approval, and paid it. A sender's clock may have run ahead of ours then.
fn restored(desk: &Desk<'_>, context: &IntakeContext, approval: &Approval) -> Option<Restored> {
    let latest = |at: Timestamp| at.checked_add(desk.rules.max_ahead).unwrap_or(Timestamp::MAX);
    context.restored.filter(|restored| approval.approved_at <= latest(restored.at))
}

fn new_payout(desk: &Desk<'_>, context: &IntakeContext, arrival: &Arrival, approval: Approval) -> Payout {
    let restored = restored(desk, context, &approval);
    Payout {
        due_at: approval.approved_at.checked_add(PROMISE).unwrap_or(Timestamp::MAX),
        key: approval.key,
        policy_id: approval.policy_id,
        fund_id: None,
        named_fund_id: approval.fund_id,
        enterprise: approval.enterprise,
        amount: approval.amount,
        currency: approval.currency,
        approved_payee: approval.payee.clone(),
        payee: approval.payee,
        approved_at: approval.approved_at,
        received_at: desk.now,
        commitment_id: approval.commitment_id,
        officers: approval.officers,
        approval_event: (arrival.source.clone(), arrival.event_id.clone()),
        correction_event: None,
        corrected_at: None,
        keyid: arrival.keyid.clone(),
        epoch: restored.map_or(0, |restored| restored.epoch_base),
        sequence: 0,
        holds: BTreeMap::new(),
        waived: BTreeSet::new(),
        ended: None,
        correction: None,
        funded: false,
        reserved: Fen::ZERO,
        overpaid: false,
        restored: restored.is_some(),
        told: BTreeSet::new(),
        instructions: Vec::new(),
    }
}

/// Judges a payout again: rules that end by themselves, and the charge to fund and caps.
pub fn reconsider(desk: &mut Desk<'_>, context: &mut IntakeContext, key: &PayoutKey) {
    apply_rules(desk, context, key);
}

fn apply_rules(desk: &mut Desk<'_>, context: &mut IntakeContext, key: &PayoutKey) {
    let Some(payout) = desk.payouts.get(key).filter(|one| one.ended.is_none()) else { return };
    let judgement = judge(payout, context, desk.rules, desk.now);
    let (amount, cap) = (payout.amount, CapKey::of(payout, &desk.rules.zone));
    let granted = match (&judgement.fund_id, judgement.can_be_charged) {
        (Some(fund_id), true) => {
            if let Some(fund) = context.funds.get_mut(fund_id) {
                fund.committed = Fen(fund.committed.0 + amount.0);
            }
            add(&mut desk.changes.funds, fund_id.clone(), amount);
            add(&mut context.caps, cap.clone(), amount);
            add(&mut desk.changes.caps, cap, amount);
            FundGrant::Granted
        }
        (Some(_) | None, _) => FundGrant::Unchanged,
    };
    let event = Event::RulesSay { fund_id: judgement.fund_id, holds: judgement.holds, fund_granted: granted };
    let _ = desk.apply(key, event);
}

/// A payout that is ready from the first moment has had no change of state that rings.
fn ring_if_new_and_ready(desk: &mut Desk<'_>, key: &PayoutKey) {
    let ready = desk.payouts.get(key).is_some_and(Payout::is_claimable);
    if ready && !desk.changes.doorbells.contains(key) {
        desk.changes.doorbells.push(key.clone());
    }
}

fn application_ended(desk: &mut Desk<'_>, context: &mut IntakeContext, id: &ApplicationId, ended: &Ended) -> TakenIn {
    let facts = context.applications.entry(id.clone()).or_default();
    facts.ended.get_or_insert_with(|| ended.clone());
    desk.changes.applications.insert(id.clone(), facts.clone());
    let keys: Vec<PayoutKey> = desk.payouts.keys().filter(|key| key.application_id == *id).cloned().collect();
    for key in keys {
        let _ = desk.apply(&key, Event::Ended(ended.clone()));
    }
    TakenIn::Accepted
}

fn publicity(
    desk: &mut Desk<'_>,
    context: &mut IntakeContext,
    id: ApplicationId,
    at: Timestamp,
    which: impl FnOnce(&mut ApplicationFacts) -> &mut Option<Timestamp>,
) -> TakenIn {
    let facts = context.applications.entry(id.clone()).or_default();
    let last = which(facts);
    *last = (*last).max(Some(at));
    desk.changes.applications.insert(id.clone(), facts.clone());
    desk.changes.reconsider.push(Reconsider::Application(id));
    TakenIn::Accepted
}

fn commitment(desk: &mut Desk<'_>, context: &mut IntakeContext, commitment_id: String, uscc: String) -> TakenIn {
    context.commitments.insert(commitment_id.clone(), uscc.clone());
    desk.changes.commitments.push((commitment_id.clone(), uscc));
    desk.changes.reconsider.push(Reconsider::Commitment(commitment_id));
    TakenIn::Accepted
}

fn corrected(desk: &mut Desk<'_>, arrival: &Arrival, key: &PayoutKey, payee: Payee, at: Timestamp) -> TakenIn {
    if at > desk.now.checked_add(desk.rules.max_ahead).unwrap_or(Timestamp::MAX) {
        // It would outrank every correction until then.
        let reason = format!("the correction is of {at}, in the future; check the sender's clock and send it again");
        return quarantine(desk, arrival, "corrected_in_future", "data.at", &reason);
    }
    if !desk.payouts.contains_key(key) {
        let reason = "no approval of this application's tranche is known; replay it when the approval has arrived";
        return quarantine(desk, arrival, "correction_without_payout", "data.application_id", reason);
    }
    let authority = (arrival.source.clone(), arrival.event_id.clone());
    match desk.apply(key, Event::Corrected { payee, authority, at }) {
        Ok(()) => TakenIn::Accepted,
        Err(refused) => {
            let text = refused.to_string();
            if refused == Refused::AlreadySettled {
                desk.changes.alarms.push(Alarm {
                    kind: AlarmKind::Mismatch,
                    key: Some(key.clone()),
                    instruction_id: None,
                    text: "a payee correction came after the money was paid".to_owned(),
                });
            }
            quarantine(desk, arrival, "correction_not_possible", "data.payee", &text)
        }
    }
}

fn quarantine(desk: &mut Desk<'_>, arrival: &Arrival, code: &str, field: &str, reason: &str) -> TakenIn {
    desk.changes.quarantine.push(Quarantined {
        body: arrival.body.clone(),
        way: arrival.way.clone(),
        source: Some(arrival.source.clone()),
        event_id: Some(arrival.event_id.clone()),
        event_type: Some(arrival.event_type.clone()),
        reason_code: code.to_owned(),
        field: Some(field.to_owned()),
        reason: reason.to_owned(),
    });
    TakenIn::Quarantined { reason_code: code.to_owned(), field: field.to_owned(), reason: reason.to_owned() }
}
