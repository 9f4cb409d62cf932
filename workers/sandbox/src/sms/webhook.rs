//! A gateway that speaks the webhook of zhida: signed requests, idempotent by `out_id`, questions, signed receipts.

use super::Vendor;
use super::desk::{Content, Desk, Fate, Incoming, Refusal};
use super::ledger::SmsWord;
use super::routes::Asked;
use super::signing::{hex, hmac_sha256};
use crate::reply::Reply;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Message {
    out_id: String,
    to: String,
    signature: String,
    text: String,
}

/// `POST /sms/webhook`.
pub(super) async fn send(desk: &Desk, asked: &Asked) -> Reply {
    if !is_authentic(desk, asked, &asked.body) {
        return respond(401, &json!({ "status": "refused" }));
    }
    let Ok(message) = serde_json::from_slice::<Message>(&asked.body) else {
        return refused("content", "unreadable");
    };
    let incoming = Incoming {
        vendor: Vendor::Webhook,
        to: message.to.starts_with('+').then_some(message.to),
        out_id: message.out_id,
        signature: message.signature,
        content: Content::Text(message.text),
    };
    match desk.take_in(incoming).await {
        Fate::Accepted(entry) => {
            respond(202, &json!({ "status": "accepted", "id": entry.provider_id, "segments": entry.segments }))
        }
        Fate::Unclear => respond(500, &json!({ "status": "trouble" })),
        Fate::Spoilt(reply) => reply,
        Fate::Refused(refusal) => match refusal {
            Refusal::Throttle => Reply::Bare { status: 429, retry_after_seconds: None },
            Refusal::Code(code) => {
                let (class, code) = code.split_once(':').unwrap_or(("content", &code));
                refused(class, code)
            }
            Refusal::Number => refused("recipient", "number"),
            Refusal::Limit => refused("limit", "per_number"),
            Refusal::Signature | Refusal::Template | Refusal::Variables | Refusal::Length => {
                refused("content", "unfit")
            }
        },
    }
}

/// `GET /sms/webhook/{out_id}`.
pub(super) fn ask(desk: &Desk, asked: &Asked, out_id: &str) -> Reply {
    if !is_authentic(desk, asked, out_id.as_bytes()) {
        return respond(401, &json!({ "status": "refused" }));
    }
    if let Some(reply) = desk.meets(Vendor::Webhook) {
        return reply;
    }
    let found = desk.look_up(|entry| entry.vendor == Vendor::Webhook && entry.out_id == out_id);
    let Some(entry) = found.into_iter().next() else { return respond(404, &json!({ "status": "unknown" })) };
    let id = &entry.provider_id;
    match &entry.word {
        SmsWord::OnTheWay => respond(200, &json!({ "status": "on_the_way", "id": id })),
        SmsWord::Delivered { at } => respond(200, &json!({ "status": "delivered", "id": id, "at": at.to_string() })),
        SmsWord::Undelivered { code, .. } => {
            respond(200, &json!({ "status": "undelivered", "id": id, "class": "recipient", "code": code }))
        }
    }
}

fn is_authentic(desk: &Desk, asked: &Asked, signed: &[u8]) -> bool {
    let timestamp = asked.header("x-zhida-timestamp");
    let text = [timestamp.as_bytes(), b".", signed].concat();
    let expected = format!("sha256={}", hex(&hmac_sha256(desk.settings.webhook_key.as_bytes(), &text)));
    let second: Option<i64> = timestamp.parse().ok();
    asked.header("x-zhida-signature") == expected
        && second.is_some_and(|second| Timestamp::now().as_second().abs_diff(second) <= 15 * 60)
}

fn refused(class: &str, code: &str) -> Reply {
    respond(422, &json!({ "status": "refused", "class": class, "code": code }))
}

fn respond(status: u16, answer: &Value) -> Reply {
    Reply::Json { status, text: answer.to_string() }
}
