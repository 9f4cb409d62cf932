//! A payout as a row, and back. Its instructions have rows of their own.

use super::fault::Fault;
use super::value::{Record, Row, json};
use zhida_core::ids::{ApplicationId, FundId, PayoutKey, PolicyId};
use zhida_core::money::Fen;
use zhida_core::payout::{Alert, EndKind, Ended, Enterprise, Instruction, Payout, PayoutState};
use zhida_core::ports::bank::Payee;
use zhida_core::rules::Rules;

pub(super) const COLUMNS: &str = "application_id, tranche, policy_id, fund_id, named_fund_id, uscc, enterprise_name, \
    amount, currency, account_name, account_no, bank_code, bank_name, approved_payee, approved_at, received_at, due_at, \
    commitment_id, officers, approval_source, approval_id, correction_source, correction_id, corrected_at, keyid, epoch, sequence, \
    holds, waived, ended_kind, ended_at, ended_reason, correction, funded, reserved, overpaid, restored, told";

/// The row of a new payout.
pub(super) fn created(payout: &Payout, rules: &Rules) -> Record {
    let mut record = changed(payout, rules);
    record.extend([
        ("policy_id", payout.policy_id.as_str().into()),
        ("named_fund_id", payout.named_fund_id.as_ref().map(FundId::as_str).into()),
        ("uscc", (&payout.enterprise.uscc).into()),
        ("enterprise_name", (&payout.enterprise.name).into()),
        ("amount", payout.amount.into()),
        ("currency", (&payout.currency).into()),
        ("approved_payee", json(&payout.approved_payee).into()),
        ("approved_at", payout.approved_at.into()),
        ("received_at", payout.received_at.into()),
        ("due_at", payout.due_at.into()),
        ("commitment_id", payout.commitment_id.clone().into()),
        ("officers", payout.officers.into()),
        ("approval_source", (&payout.approval_event.0).into()),
        ("approval_id", (&payout.approval_event.1).into()),
        ("keyid", (&payout.keyid).into()),
    ]);
    record
}

/// What of a payout may change, after the key by which it is updated. What the approval says never does.
pub(super) fn changed(payout: &Payout, rules: &Rules) -> Record {
    let state = payout.state();
    let paid = payout.instructions.iter().rev().find(|one| one.is_debited());
    let credited_at = match state {
        PayoutState::Settled => {
            let first = payout.instructions.iter().find(|one| one.is_debited());
            first.and_then(|one| one.debit.as_ref()).map(|debit| debit.credited_at)
        }
        PayoutState::Held
        | PayoutState::Ready
        | PayoutState::Sending
        | PayoutState::Unknown
        | PayoutState::Pending
        | PayoutState::Refused
        | PayoutState::Returned
        | PayoutState::Cancelled => None,
    };
    let correction_event = payout.correction_event.as_ref();
    vec![
        ("application_id", payout.key.application_id.as_str().into()),
        ("tranche", payout.key.tranche.into()),
        ("state", state.code().into()),
        ("reason_code", payout.reason().map(|(code, _)| code).into()),
        ("live", payout.is_unpaid().into()),
        ("claimable", payout.is_claimable().into()),
        ("fund_id", payout.fund_id.as_ref().map(FundId::as_str).into()),
        ("account_name", (&payout.payee.account_name).into()),
        ("account_no", (&payout.payee.account_no).into()),
        ("bank_code", (&payout.payee.bank_code).into()),
        ("bank_name", (&payout.payee.bank_name).into()),
        ("correction_source", correction_event.map(|(source, _)| source.clone()).into()),
        ("correction_id", correction_event.map(|(_, id)| id.clone()).into()),
        ("corrected_at", payout.corrected_at.into()),
        ("epoch", payout.epoch.into()),
        ("sequence", payout.sequence.into()),
        ("holds", json(&payout.holds).into()),
        ("waived", json(&payout.waived).into()),
        ("ended_kind", payout.ended.as_ref().map(|ended| ended.kind.code()).into()),
        ("ended_at", payout.ended.as_ref().map(|ended| ended.at).into()),
        ("ended_reason", payout.ended.as_ref().map(|ended| ended.reason.clone()).into()),
        ("correction", payout.correction.as_ref().map(json).into()),
        ("funded", payout.funded.into()),
        ("reserved", payout.reserved.into()),
        ("overpaid", payout.overpaid.into()),
        ("restored", payout.restored.into()),
        ("told", json(&payout.told).into()),
        ("rail_closed", payout.told.contains(&Alert::RailClosed.name()).into()),
        ("credited_at", credited_at.into()),
        ("paid_account_no", paid.map(account_of).into()),
        ("wake_at", payout.next_moment(rules).into()),
    ]
}

pub(super) fn key(row: &Row) -> Result<PayoutKey, Fault> {
    Ok(PayoutKey { application_id: ApplicationId(row.get("application_id")?), tranche: row.unsigned("tranche")? })
}

/// Reads a row of [`COLUMNS`]; the instructions are still to come.
pub(super) fn read(row: &Row) -> Result<Payout, Fault> {
    let correction_event = match (row.get::<Option<String>>("correction_source")?, row.get("correction_id")?) {
        (Some(source), Some(id)) => Some((source, id)),
        (Some(_) | None, _) => None,
    };
    let fund = |column| Ok::<_, Fault>(row.get::<Option<String>>(column)?.map(FundId));
    Ok(Payout {
        key: key(row)?,
        policy_id: PolicyId(row.get("policy_id")?),
        fund_id: fund("fund_id")?,
        named_fund_id: fund("named_fund_id")?,
        enterprise: Enterprise { uscc: row.get("uscc")?, name: row.get("enterprise_name")? },
        amount: Fen(row.get("amount")?),
        currency: row.get("currency")?,
        payee: Payee {
            account_name: row.get("account_name")?,
            account_no: row.get("account_no")?,
            bank_code: row.get("bank_code")?,
            bank_name: row.get("bank_name")?,
        },
        approved_payee: row.json("approved_payee")?,
        approved_at: row.time("approved_at")?,
        received_at: row.time("received_at")?,
        due_at: row.time("due_at")?,
        commitment_id: row.get("commitment_id")?,
        officers: row.unsigned("officers")?,
        approval_event: (row.get("approval_source")?, row.get("approval_id")?),
        correction_event,
        corrected_at: row.time_or_none("corrected_at")?,
        keyid: row.get("keyid")?,
        epoch: row.unsigned("epoch")?,
        sequence: row.unsigned("sequence")?,
        holds: row.json("holds")?,
        waived: row.json("waived")?,
        ended: ended(row)?,
        correction: row.json_or_none("correction")?,
        funded: row.get("funded")?,
        reserved: Fen(row.get("reserved")?),
        overpaid: row.get("overpaid")?,
        restored: row.get("restored")?,
        told: row.json("told")?,
        instructions: Vec::new(),
    })
}

/// The end of an application, in the three columns that payouts and applications share.
pub(super) fn ended(row: &Row) -> Result<Option<Ended>, Fault> {
    let Some(code) = row.get::<Option<String>>("ended_kind")? else { return Ok(None) };
    let all = [EndKind::Withdrawn, EndKind::Rejected, EndKind::Revoked, EndKind::Cancelled];
    let kind = all.into_iter().find(|kind| kind.code() == code).ok_or_else(|| Fault::corrupt("ended_kind", &code))?;
    Ok(Some(Ended { kind, at: row.time("ended_at")?, reason: row.get("ended_reason")? }))
}

fn account_of(paid: &Instruction) -> String {
    paid.transfer.as_ref().map_or(&paid.payee, |transfer| &transfer.payee).account_no.clone()
}
