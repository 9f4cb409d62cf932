//! An instruction as a row, and back.

use super::fault::Fault;
use super::value::{Record, Row, json};
use zhida_core::ids::{InstructionId, MsgId, OperatorId, PayoutKey};
use zhida_core::money::Fen;
use zhida_core::payout::{Carrier, Claim, Debit, Instruction, InstructionState, Returned};

pub(super) const COLUMNS: &str = "application_id, tranche, id, generation, minted_at, payee, transfer, claim_epoch, \
    lease_until, first_claimed_at, doubt, last_call_ended_at, msg_id, batch_limit, on_the_way_since, rejection, \
    credited_at, observed_at, bank_reference, debit_carrier, returned_at, returned_reason, known_to_bank, not_found, \
    absent, resend_expired, resend_allowed_until, successor_in_doubt, contradiction, decision_by, decision, closed_at, enquire_at, enquiries, in_transit, paid";

/// The row of an instruction. The id, by which rows are updated, stands first.
pub(super) fn record(key: &PayoutKey, one: &Instruction) -> Record {
    let (debit, returned) = (one.debit.as_ref(), one.returned.as_ref());
    vec![
        ("id", one.id.as_str().into()),
        ("application_id", key.application_id.as_str().into()),
        ("tranche", key.tranche.into()),
        ("generation", one.generation.into()),
        ("state", state_code(one.state()).into()),
        ("live", one.is_live().into()),
        ("minted_at", one.minted_at.into()),
        ("payee", json(&one.payee).into()),
        ("transfer", one.transfer.as_ref().map(json).into()),
        ("claim_epoch", one.claim.as_ref().map(|claim| signed(claim.epoch)).into()),
        ("lease_until", one.claim.as_ref().map(|claim| claim.lease_until).into()),
        ("first_claimed_at", one.first_claimed_at.into()),
        ("doubt", one.doubt.into()),
        ("last_call_ended_at", one.last_call_ended_at.into()),
        ("msg_id", one.msg_id.as_ref().map(MsgId::as_str).into()),
        ("batch_limit", one.batch_limit.map(i64::from).into()),
        ("on_the_way_since", one.on_the_way_since.into()),
        ("rejection", one.rejection.as_ref().map(json).into()),
        ("credited_at", debit.map(|debit| debit.credited_at).into()),
        ("observed_at", debit.map(|debit| debit.observed_at).into()),
        ("bank_reference", debit.and_then(|debit| debit.bank_reference.clone()).into()),
        ("debit_carrier", debit.map(|debit| carrier_code(debit.carrier)).into()),
        ("returned_at", returned.map(|returned| returned.at).into()),
        ("returned_reason", returned.map(|returned| returned.reason.clone()).into()),
        ("known_to_bank", one.known_to_bank.into()),
        ("not_found", one.not_found.into()),
        ("absent", one.absent.into()),
        ("resend_expired", one.resend_expired.into()),
        ("resend_allowed_until", one.resend_allowed_until.into()),
        ("successor_in_doubt", one.successor_in_doubt.into()),
        ("contradiction", one.contradiction.into()),
        ("decision_by", one.decision_by.as_ref().map(|(by, _)| by.0.clone()).into()),
        ("decision", one.decision_by.as_ref().map(|(_, what)| what.clone()).into()),
        ("closed_at", one.closed_at.into()),
        ("enquire_at", one.enquire_at.into()),
        ("enquiries", one.enquiries.into()),
        ("in_transit", one.in_transit.into()),
        ("paid", one.paid.into()),
    ]
}

/// Reads a row of [`COLUMNS`] but for the payout it belongs to.
pub(super) fn read(row: &Row) -> Result<Instruction, Fault> {
    let lease_until = row.time_or_none("lease_until")?;
    let claim = match lease_until {
        Some(lease_until) => Some(Claim { epoch: row.unsigned("claim_epoch")?, lease_until }),
        None => None,
    };
    let (msg_id, decided): (Option<String>, Option<String>) = (row.get("msg_id")?, row.get("decision")?);
    let decision_by = match (row.get::<Option<String>>("decision_by")?, decided) {
        (Some(by), Some(what)) => Some((OperatorId(by), what)),
        (Some(_) | None, _) => None,
    };
    let batch_limit = match row.get::<Option<i64>>("batch_limit")? {
        Some(_) => Some(row.unsigned("batch_limit")?),
        None => None,
    };
    Ok(Instruction {
        id: InstructionId(row.get("id")?),
        generation: row.unsigned("generation")?,
        minted_at: row.time("minted_at")?,
        payee: row.json("payee")?,
        transfer: row.json_or_none("transfer")?,
        claim,
        first_claimed_at: row.time_or_none("first_claimed_at")?,
        doubt: row.get("doubt")?,
        last_call_ended_at: row.time_or_none("last_call_ended_at")?,
        msg_id: msg_id.map(MsgId),
        batch_limit,
        on_the_way_since: row.time_or_none("on_the_way_since")?,
        rejection: row.json_or_none("rejection")?,
        debit: debit(row)?,
        returned: returned(row)?,
        known_to_bank: row.get("known_to_bank")?,
        not_found: row.unsigned("not_found")?,
        absent: row.get("absent")?,
        resend_expired: row.get("resend_expired")?,
        resend_allowed_until: row.time_or_none("resend_allowed_until")?,
        successor_in_doubt: row.get("successor_in_doubt")?,
        contradiction: row.get("contradiction")?,
        decision_by,
        closed_at: row.time_or_none("closed_at")?,
        enquire_at: row.time_or_none("enquire_at")?,
        enquiries: row.unsigned("enquiries")?,
        in_transit: Fen(row.get("in_transit")?),
        paid: Fen(row.get("paid")?),
    })
}

pub(super) fn carrier_code(carrier: Carrier) -> &'static str {
    match carrier {
        Carrier::Officers => "officers",
        Carrier::Answer => "answer",
        Carrier::Enquiry => "enquiry",
        Carrier::Pushed => "pushed",
        Carrier::Statement => "statement",
    }
}

pub(super) fn carrier(row: &Row, column: &'static str) -> Result<Carrier, Fault> {
    let code: String = row.get(column)?;
    let all = [Carrier::Officers, Carrier::Answer, Carrier::Enquiry, Carrier::Pushed, Carrier::Statement];
    all.into_iter().find(|one| carrier_code(*one) == code).ok_or_else(|| Fault::corrupt(column, &code))
}

fn debit(row: &Row) -> Result<Option<Debit>, Fault> {
    let Some(credited_at) = row.time_or_none("credited_at")? else { return Ok(None) };
    let carrier = carrier(row, "debit_carrier")?;
    let (observed_at, bank_reference) = (row.time("observed_at")?, row.get("bank_reference")?);
    Ok(Some(Debit { credited_at, observed_at, bank_reference, carrier }))
}

fn returned(row: &Row) -> Result<Option<Returned>, Fault> {
    let Some(at) = row.time_or_none("returned_at")? else { return Ok(None) };
    Ok(Some(Returned { at, reason: row.get("returned_reason")? }))
}

fn state_code(state: InstructionState) -> &'static str {
    match state {
        InstructionState::Fresh => "fresh",
        InstructionState::Sending => "sending",
        InstructionState::Unknown => "unknown",
        InstructionState::Pending => "pending",
        InstructionState::Settled => "settled",
        InstructionState::Refused => "refused",
        InstructionState::Returned => "returned",
        InstructionState::Closed => "closed",
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
