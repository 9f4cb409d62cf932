//! The claim: which payouts travel in which message. The exact batch is persisted before the bank is called; every member's
//! content is checked against the signed event it stems from.

use super::call::{close, lease_end};
use super::{Desk, Fund, JournalRow, Policy};
use crate::batch::{Batch, ClaimedBatch, Member, Stopped};
use crate::ids::{FundId, InstructionId, MsgId, PayoutKey, PolicyId};
use crate::money::Fen;
use crate::payout::{Alarm, AlarmKind, Claim, Event, Hold, HoldCode, Instruction, Payout};
use crate::ports::bank::{Payee, PaymentFormat, Transfer};
use crate::rules::{ChangedPayee, Limits};
use serde_json::json;
use std::collections::BTreeMap;

/// What a signed approval (and a signed correction, if one took effect) entitles to, read again from the stored bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Which award the approval is of.
    pub key: PayoutKey,
    /// Amount of the approval.
    pub amount: Fen,
    /// ISO 4217.
    pub currency: String,
    /// USCC of the approval.
    pub uscc: String,
    /// Payee of the approval or of the correction.
    pub payee: Payee,
    /// A key that signed one of them and was revoked since.
    pub revoked_key: Option<String>,
}

/// What was first sent so far in the windows of the limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// This clock hour.
    pub this_hour: Fen,
    /// Today.
    pub today: Fen,
    /// Today, by fund.
    pub today_by_fund: BTreeMap<FundId, Fen>,
}

/// On which account each of the candidates' enterprises is paid, by USCC, for the rule of the changed account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaidAccounts {
    /// The account it was last paid on.
    pub last_paid: BTreeMap<String, String>,
    /// Where it never was: the account of its award that is under way, else of the one that is ready and due first.
    pub goes_first: BTreeMap<String, String>,
}

/// What a claim needs beside the candidates on the desk.
pub struct ClaimInputs<'a> {
    /// Candidates, oldest due first; loaded and locked.
    pub candidates: Vec<PayoutKey>,
    /// Their funds.
    pub funds: &'a BTreeMap<FundId, Fund>,
    /// Their policies.
    pub policies: &'a BTreeMap<PolicyId, Policy>,
    /// What each candidate's signed events entitle to; none when a signature does not hold (any more).
    pub authorities: &'a BTreeMap<PayoutKey, Option<Authority>>,
    /// Their enterprises' accounts.
    pub accounts: &'a PaidAccounts,
    /// The stop switch.
    pub stopped: Stopped,
    /// Sent so far.
    pub spent: Spent,
    /// A new, random name.
    pub msg_id: MsgId,
    /// Writes the bytes.
    pub format: &'a dyn PaymentFormat,
}

/// What going again needs beside the batch and its members' payouts.
pub struct ResendInputs<'a> {
    /// What each member's signed events entitle to; none when a signature does not hold (any more).
    pub authorities: &'a BTreeMap<PayoutKey, Option<Authority>>,
    /// Sent so far.
    pub spent: &'a Spent,
    /// Writes the bytes: the stored ones must be what it would write.
    pub format: &'a dyn PaymentFormat,
}

/// Makes a new batch of the candidates that may travel together, and claims it. None when nothing may be sent.
pub fn claim(desk: &mut Desk<'_>, mut inputs: ClaimInputs<'_>) -> Option<ClaimedBatch> {
    if inputs.stopped == Stopped::Yes {
        return None;
    }
    let mut chosen: Vec<(PayoutKey, Transfer)> = Vec::new();
    let mut limit: Option<Option<u32>> = None;
    for key in inputs.candidates.clone() {
        let named_twice = chosen.iter().any(|(one, _)| *one == key);
        let Some(payout) = desk.payouts.get(&key).filter(|one| one.is_claimable() && !named_twice) else { continue };
        let own_limit = payout.latest().and_then(|one| one.batch_limit);
        // Members of a message that was refused for its form travel among themselves, in ever smaller messages.
        let size = own_limit.unwrap_or(desk.rules.bank.batch_max).min(desk.rules.bank.batch_max);
        if limit.is_some_and(|first| first != own_limit) || chosen.len() as u64 >= u64::from(size) {
            continue;
        }
        if let Some(transfer) = sendable(desk, &key, &mut inputs) {
            limit = Some(own_limit);
            chosen.push((key, transfer));
        }
    }
    if chosen.is_empty() {
        return None;
    }
    let transfers: Vec<Transfer> = chosen.iter().map(|(_, transfer)| transfer.clone()).collect();
    let batch = Batch {
        msg_id: inputs.msg_id.clone(),
        created_at: desk.now,
        bytes: inputs.format.write(&inputs.msg_id, desk.now, &transfers),
        members: chosen
            .iter()
            .map(|(key, transfer)| Member { key: key.clone(), instruction_id: transfer.instruction_id.clone() })
            .collect(),
        calls: 0,
        closed: None,
        examine_at: None,
    };
    Some(take(desk, batch, transfers))
}

/// Claims an open batch again: the same bytes, new epochs. The caller has examined it. None when a limit is used up, or when
/// the stored message is not what was signed; it is put off or closed then.
pub fn claim_again(desk: &mut Desk<'_>, mut batch: Batch, inputs: &ResendInputs<'_>) -> Option<ClaimedBatch> {
    let mut transfers = Vec::with_capacity(batch.members.len());
    for member in batch.members.clone() {
        let signed = inputs.authorities.get(&member.key).and_then(Option::as_ref);
        let payout = desk.payouts.get(&member.key).cloned();
        let instruction = payout.as_ref().and_then(|payout| payout.by_id(&member.instruction_id));
        let transfer = instruction.and_then(|one| one.transfer.clone());
        match (signed, &payout, instruction, transfer) {
            (Some(signed), Some(payout), Some(instruction), Some(transfer))
                if agrees(signed, payout, instruction, &transfer, &desk.rules.district) =>
            {
                if !hold_revoked(desk, payout, signed) {
                    transfers.push(transfer);
                }
            }
            _ => hold_mismatch(desk, &member.key, signed),
        }
    }
    if transfers.len() < batch.members.len() {
        close(desk, &mut batch, "a member is not what was signed, or its key was revoked");
        desk.changes.batches.insert(batch.msg_id.clone(), batch);
        return None;
    }
    if inputs.format.write(&batch.msg_id, batch.created_at, &transfers) != batch.bytes {
        close(desk, &mut batch, "the stored message is not what was signed, or was written by another version");
        desk.changes.batches.insert(batch.msg_id.clone(), batch);
        return None;
    }
    if transfers.iter().any(|one| is_used_up(&desk.rules.limits, inputs.spent, one)) {
        batch.examine_at = desk.now.checked_add(desk.rules.bank.retry_pause).ok();
        desk.changes.batches.insert(batch.msg_id.clone(), batch);
        return None;
    }
    Some(take(desk, batch, transfers))
}

fn take(desk: &mut Desk<'_>, mut batch: Batch, transfers: Vec<Transfer>) -> ClaimedBatch {
    let lease = desk.rules.bank.lease;
    let lease_until = lease_end(desk.now, lease);
    let mut members = Vec::with_capacity(batch.members.len());
    for (member, transfer) in batch.members.iter().zip(transfers) {
        let epoch = desk.payouts.get(&member.key).map_or(0, |payout| payout.epoch) + 1;
        let claim = Claim { epoch, lease_until };
        let event = Event::Claimed { claim, msg_id: batch.msg_id.clone(), transfer: Box::new(transfer) };
        if desk.apply(&member.key, event).is_ok() {
            members.push((member.clone(), epoch));
        }
    }
    batch.examine_at = None;
    desk.changes.examine.remove(&batch.msg_id);
    let claimed = ClaimedBatch { msg_id: batch.msg_id.clone(), bytes: batch.bytes.clone(), members, lease };
    desk.changes.batches.insert(batch.msg_id.clone(), batch);
    claimed
}

/// The transfer of a candidate, when nothing stands against it: its signature, the limits, the time in which a repetition
/// is recognised.
fn sendable(desk: &mut Desk<'_>, key: &PayoutKey, inputs: &mut ClaimInputs<'_>) -> Option<Transfer> {
    let payout = desk.payouts.get(key)?.clone();
    let latest = payout.latest()?;
    let transfer = match latest.transfer.clone() {
        Some(frozen) => frozen,
        None => first_transfer(&payout, latest, inputs)?,
    };
    let authority = inputs.authorities.get(key).and_then(Option::as_ref);
    let agreed = authority.filter(|signed| agrees(signed, &payout, latest, &transfer, &desk.rules.district));
    let Some(signed) = agreed else {
        hold_mismatch(desk, key, authority);
        return None;
    };
    if hold_revoked(desk, &payout, signed) {
        return None;
    }
    if latest.first_claimed_at.is_some() {
        let may_go = !latest.is_too_old_to_resend(&desk.rules.bank, desk.now)
            && !is_used_up(&desk.rules.limits, &inputs.spent, &transfer);
        return may_go.then_some(transfer);
    }
    if let Some(detail) = changed_account(&payout, &transfer, inputs.accounts, desk.rules.changed_payee) {
        let hold = Hold { since: desk.now, until: None, detail: detail.to_owned(), released_by: None };
        // Placing a hold is never refused.
        let _ = desk.apply(key, Event::Placed(HoldCode::PayeeChanged, hold));
        return None;
    }
    within_limits(&desk.rules.limits, &mut inputs.spent, &transfer).then_some(transfer)
}

/// Why the account of a first sending must be confirmed. Asked again here, because awards that came in together were judged
/// before any of them was paid: the one that is due first goes, and fixes the account.
fn changed_account(
    payout: &Payout,
    transfer: &Transfer,
    accounts: &PaidAccounts,
    rule: ChangedPayee,
) -> Option<&'static str> {
    // An officer has released it, or two have confirmed the correction.
    let confirmed = payout.waived.contains(&HoldCode::PayeeChanged) || payout.correction_event.is_some();
    if rule == ChangedPayee::Pay || confirmed {
        return None;
    }
    let (account, detail) = match accounts.last_paid.get(&transfer.uscc) {
        Some(paid) => (paid, "another account was paid since it came in"),
        None => (accounts.goes_first.get(&transfer.uscc)?, "an award on another account is under way or due first"),
    };
    (*account != transfer.payee.account_no).then_some(detail)
}

fn first_transfer(payout: &Payout, latest: &Instruction, inputs: &ClaimInputs<'_>) -> Option<Transfer> {
    let fund = inputs.funds.get(payout.fund_id.as_ref()?)?;
    let title = inputs.policies.get(&payout.policy_id).map_or("", |policy| policy.title.as_str());
    Some(Transfer {
        instruction_id: latest.id.clone(),
        amount: payout.amount,
        currency: payout.currency.clone(),
        fund_id: fund.id.clone(),
        debtor: fund.debtor.clone(),
        payee: latest.payee.clone(),
        uscc: payout.enterprise.uscc.clone(),
        remittance: remittance(title, payout),
    })
}

/// At most 140 characters: the title gives way, the application id stays whole.
fn remittance(title: &str, payout: &Payout) -> String {
    let id = super::subject(&payout.key);
    let room = 139_usize.saturating_sub(id.chars().count());
    let title: String = title.chars().filter(|letter| !letter.is_control()).take(room).collect();
    format!("{title} {id}").trim_start().to_owned()
}

/// Whether a transfer is what was signed, and travels under the id that belongs to it. A correction never takes effect on an
/// instruction that was claimed, so the signed payee is the transfer's, always.
fn agrees(signed: &Authority, payout: &Payout, one: &Instruction, transfer: &Transfer, district: &str) -> bool {
    signed.key == payout.key
        && signed.payee == transfer.payee
        && signed.amount == transfer.amount
        && signed.currency == transfer.currency
        && signed.uscc == transfer.uscc
        && payout.amount == transfer.amount
        && one.id == transfer.instruction_id
        && one.id == InstructionId::derive(district, &payout.key, one.generation)
}

/// Holds what a key signed that was revoked since, and says whether it did. The sweep holds it as well; here nothing slips
/// through before the sweep has come, and what a correction redirected is held with it.
fn hold_revoked(desk: &mut Desk<'_>, payout: &Payout, signed: &Authority) -> bool {
    let Some(keyid) = signed.revoked_key.as_ref().filter(|_| !payout.waived.contains(&HoldCode::KeyRevoked)) else {
        return false;
    };
    let hold = Hold { since: desk.now, until: None, detail: format!("key {keyid}"), released_by: None };
    // Placing a hold is never refused.
    let _ = desk.apply(&payout.key, Event::Placed(HoldCode::KeyRevoked, hold));
    true
}

fn hold_mismatch(desk: &mut Desk<'_>, key: &PayoutKey, signed: Option<&Authority>) {
    let detail = match signed {
        Some(_) => "amount, payee or id differ from the stored signed event",
        None => {
            "the stored event bears no trusted signature: it was altered, or its key is missing from the settings of the process that sends"
        }
    };
    let hold = Hold { since: desk.now, until: None, detail: detail.to_owned(), released_by: None };
    let _ = desk.apply(key, Event::Placed(HoldCode::SignatureMismatch, hold));
    desk.changes.alarms.push(Alarm {
        kind: AlarmKind::SignatureMismatch,
        key: Some(key.clone()),
        instruction_id: None,
        text: "what would be sent is not what was signed: look for tampering in the database".to_owned(),
    });
    desk.changes.journal.push(JournalRow {
        kind: "payout.signature_mismatch".to_owned(),
        subject: super::subject(key),
        by: desk.by.clone(),
        detail: json!({}),
    });
}

/// Nothing is left in a window that this transfer counts in: limits block what goes again, too, though it is counted once.
fn is_used_up(limits: &Limits, spent: &Spent, transfer: &Transfer) -> bool {
    let by_fund = spent.today_by_fund.get(&transfer.fund_id).map_or(0, |sum| sum.0);
    let used_up = |limit: Option<i64>, sum: i64| limit.is_some_and(|limit| sum >= limit);
    used_up(limits.per_hour, spent.this_hour.0)
        || used_up(limits.per_day, spent.today.0)
        || used_up(limits.per_fund_per_day, by_fund)
}

fn within_limits(limits: &Limits, spent: &mut Spent, transfer: &Transfer) -> bool {
    let amount = transfer.amount.0;
    let by_fund = spent.today_by_fund.get(&transfer.fund_id).map_or(0, |sum| sum.0);
    let fits = |limit: Option<i64>, sum: i64| limit.is_none_or(|limit| sum.saturating_add(amount) <= limit);
    if !fits(limits.per_hour, spent.this_hour.0)
        || !fits(limits.per_day, spent.today.0)
        || !fits(limits.per_fund_per_day, by_fund)
    {
        return false;
    }
    spent.this_hour = Fen(spent.this_hour.0 + amount);
    spent.today = Fen(spent.today.0 + amount);
    super::add(&mut spent.today_by_fund, transfer.fund_id.clone(), transfer.amount);
    true
}
