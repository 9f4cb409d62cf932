//! The sample district's commitments and approvals, made from its awards and handed in by the review system.

use super::sender::Sender;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use zhida_config::sample_district::{Award, Twist};
use zhida_core::money::Fen;

/// What was handed in.
pub(super) struct HandedIn {
    /// Different approvals.
    pub(super) approvals: u64,
    /// Their sum.
    pub(super) total: Fen,
}

/// Events in one request.
const BATCH: usize = 50;
/// SHA-256 of the commitment's wording, as a sample has it.
const WORDING: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// Hands everything in: commitments first, approvals, commitments that come late, approvals that are sent again.
pub(super) async fn hand_in(sender: &Sender<'_>, awards: &[Award]) -> anyhow::Result<HandedIn> {
    let mut early = Vec::new();
    let mut late = Vec::new();
    let mut signed_commitments = BTreeSet::new();
    for award in awards {
        let Some(commitment_id) = &award.commitment_id else { continue };
        if award.twist == Some(Twist::CommitmentNever) || !signed_commitments.insert(commitment_id.clone()) {
            continue;
        }
        let event = commitment(sender, award, commitment_id)?;
        if award.twist == Some(Twist::CommitmentLater) { late.push(event) } else { early.push(event) }
    }
    let mut approvals = Vec::new();
    for award in awards {
        let event = approval(sender, award)?;
        if award.twist == Some(Twist::ResentBySender) {
            late.push(event.clone());
        }
        approvals.push(event);
    }
    for events in [early, approvals, late] {
        for batch in events.chunks(BATCH) {
            sender.post(batch).await?;
        }
    }
    let total = awards.iter().map(|award| Fen(award.amount.fen)).sum();
    Ok(HandedIn { approvals: awards.len() as u64, total })
}

fn commitment(sender: &Sender<'_>, award: &Award, commitment_id: &str) -> anyhow::Result<Value> {
    let signed_at = sender.now.saturating_sub(SignedDuration::from_hours(24 * 40)).unwrap_or(sender.now);
    let data = json!({"commitment_id": commitment_id, "enterprise": enterprise(award), "text_version": "2026-1",
        "text_sha256": WORDING, "signer_name": "法定代表人", "signed_at": signed_at});
    sender.event("commitment.signed.v1", &format!("commitment-{commitment_id}"), commitment_id, data)
}

fn approval(sender: &Sender<'_>, award: &Award) -> anyhow::Result<Value> {
    let now = sender.now;
    let approvals: Vec<Value> = award
        .officer_ids
        .iter()
        .map(|officer| json!({"department_id": award.department_id, "officer_id": officer, "decided_at": now}))
        .collect();
    let mut data = json!({
        "application_id": award.application_id, "policy_id": award.policy_id, "enterprise": enterprise(award),
        "amount": {"currency": "CNY", "value": Fen(award.amount.fen).to_string()},
        "payee": {"account_name": award.account_name, "account_no": award.account_no, "bank_code": award.bank_code,
            "bank_name": award.bank_name},
        "approved_at": now, "approvals": approvals,
        "contacts": contacts(award.mobile.as_deref(), &award.email, &award.locale),
    });
    if let Some(commitment_id) = &award.commitment_id {
        data["commitment_id"] = json!(commitment_id);
    }
    let id = format!("approved-{}", award.application_id);
    sender.event("application.approved.v1", &id, &award.application_id, data)
}

/// How an enterprise is told.
pub(super) fn contacts(mobile: Option<&str>, email: &str, locale: &str) -> Value {
    let mut contacts = json!({"email": email, "locale": locale});
    if let Some(mobile) = mobile {
        contacts["mobile"] = json!(mobile);
    }
    contacts
}

fn enterprise(award: &Award) -> Value {
    json!({"uscc": award.uscc, "name": award.enterprise_name})
}
