//! The sample district's events, signed by the review system's key and handed in over the API as a review system would.

use super::{KEYID, TOKEN};
use crate::serve::House;
use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use zhida_config::sample_district::{Award, Twist};
use zhida_core::money::Fen;
use zhida_schemas::signing::{SigningKey, sign};
use zhida_schemas::text::Id;

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
pub(super) async fn hand_in(house: &House, key: &SigningKey, awards: &[Award], url: &str) -> anyhow::Result<HandedIn> {
    let keyid = Id::parse(KEYID).map_err(|fault| anyhow::anyhow!("{fault}"))?;
    let now = house.store.now().await?;
    let mut early = Vec::new();
    let mut late = Vec::new();
    let mut signed_commitments = BTreeSet::new();
    for award in awards {
        let Some(commitment_id) = &award.commitment_id else { continue };
        if award.twist == Some(Twist::CommitmentNever) || !signed_commitments.insert(commitment_id.clone()) {
            continue;
        }
        let event = signed(commitment(award, commitment_id, now), &keyid, key)?;
        if award.twist == Some(Twist::CommitmentLater) { late.push(event) } else { early.push(event) }
    }
    let mut approvals = Vec::new();
    for award in awards {
        let event = signed(approval(award, now), &keyid, key)?;
        if award.twist == Some(Twist::ResentBySender) {
            late.push(event.clone());
        }
        approvals.push(event);
    }
    let client = reqwest::Client::builder().no_proxy().build().context("the demo's own HTTP client")?;
    for events in [early, approvals, late] {
        for batch in events.chunks(BATCH) {
            post(&client, url, batch).await?;
        }
    }
    let total = awards.iter().map(|award| Fen(award.amount.fen)).sum();
    Ok(HandedIn { approvals: awards.len() as u64, total })
}

async fn post(client: &reqwest::Client, url: &str, events: &[Value]) -> anyhow::Result<()> {
    let answer = client
        .post(format!("{url}/v1/events"))
        .bearer_auth(TOKEN)
        .header("content-type", "application/cloudevents-batch+json")
        .body(serde_json::to_vec(events)?)
        .send()
        .await?;
    let status = answer.status();
    let text = answer.text().await?;
    if !status.is_success() {
        anyhow::bail!("POST /v1/events answered {status}: {text}");
    }
    let answer: Value = serde_json::from_str(&text)?;
    if answer["quarantined"].as_array().is_none_or(|items| !items.is_empty()) {
        anyhow::bail!("an event of the sample district was quarantined: {text}");
    }
    Ok(())
}

fn signed(mut event: Value, keyid: &Id, key: &SigningKey) -> anyhow::Result<Value> {
    sign(&mut event, keyid, key).map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(event)
}

fn envelope(event_type: &str, id: &str, subject: &str, now: Timestamp, data: Value) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "/review/sample", "type": event_type, "subject": subject,
        "time": now, "datacontenttype": "application/json", "data": data})
}

fn commitment(award: &Award, commitment_id: &str, now: Timestamp) -> Value {
    let signed_at = now.saturating_sub(SignedDuration::from_hours(24 * 40)).unwrap_or(now);
    let data = json!({"commitment_id": commitment_id, "enterprise": enterprise(award), "text_version": "2026-1",
        "text_sha256": WORDING, "signer_name": "法定代表人", "signed_at": signed_at});
    envelope("commitment.signed.v1", &format!("commitment-{commitment_id}"), commitment_id, now, data)
}

fn approval(award: &Award, now: Timestamp) -> Value {
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
        "contacts": {"mobile": award.mobile, "email": award.email, "locale": "zh-CN"},
    });
    if let Some(commitment_id) = &award.commitment_id {
        data["commitment_id"] = json!(commitment_id);
    }
    envelope("application.approved.v1", &format!("approved-{}", award.application_id), &award.application_id, now, data)
}

fn enterprise(award: &Award) -> Value {
    json!({"uscc": award.uscc, "name": award.enterprise_name})
}
