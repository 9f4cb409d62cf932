//! A webhook of our own definition, for a gateway that a district writes or has written. Both sides sign with one key.
//!
//! **Signature.** Headers `x-zhida-timestamp` (seconds since 1970, decimal) and `x-zhida-signature`: `sha256=` and the hexadecimal
//! HMAC-SHA256, under the agreed key, of the timestamp, a full stop, and the bytes of the body; of a question, which has no body, in its
//! place the `out_id`. The receiver refuses a signature that is more than 15 minutes away from its clock.
//!
//! **Sending.** `POST {url}` with `{"out_id","to","signature","text","template_code","parameters":[["name","value"],…]}`. The gateway is
//! idempotent by `out_id`: one that it has is not sent again, and answered as the first time. Answers, always JSON:
//! 200 or 202 `{"status":"accepted","id"?,"segments"?}`; 422 `{"status":"refused","class","code","text"?}` with a class of `recipient`
//! (nobody will do better), `unreachable` (nor now, and the address is a good one), `template` (its code or signature: another provider,
//! or it waits until that is mended), `content`, `limit`, `account`, `busy`. 401 and 403 mean the account, 429 means busy; everything
//! else, and no answer, leaves open whether it was sent, and is asked for.
//!
//! **Asking.** `GET {url}/{out_id}`: 200 `{"status":"on_the_way"|"delivered"|"undelivered","id"?,"at"?,"class"?,"code"?,"text"?}`, or 404
//! `{"status":"unknown"}` for what never came; `at` is RFC 3339.
//!
//! **Receipts.** The gateway posts an array of `{"out_id","to"?}` with the members of an answer to a question to the address of receipts;
//! they are answered `{"code":0,"msg":"接收成功"}`.

use super::aliyun::refused;
use super::elements;
use super::link::Link;
use super::without_numbers;
use crate::providers::wire::Seen;
use async_trait::async_trait;
use data_encoding::HEXLOWER_PERMISSIVE;
use jiff::Timestamp;
use ring::hmac;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use zhida_core::ports::sms::{
    AskOutcome, DeliveryWord, Push, PushRead, Question, Receipt, RefusalClass, SendOutcome, Sms, SmsProvider, Trust,
    UnreadableReceipt,
};

const TIMESTAMP: &str = "x-zhida-timestamp";
const SIGNATURE: &str = "x-zhida-signature";
/// How far the clocks of both sides may be apart, and how long a receipt may be under way.
const MOST_SECONDS: u64 = 15 * 60;

/// The link to a gateway. Holds a secret: it is not printable.
pub struct Webhook {
    pub(super) link: Link,
    pub(super) key: String,
}

#[async_trait]
impl SmsProvider for Webhook {
    async fn send(&self, sms: &Sms) -> SendOutcome {
        let body = json!({
            "out_id": sms.out_id,
            "to": sms.to,
            "signature": sms.signature,
            "text": sms.text,
            "template_code": sms.template_code,
            "parameters": sms.parameters,
        });
        let body = body.to_string().into_bytes();
        let mut headers = self.signed(&body);
        headers.push(("content-type", "application/json".to_owned()));
        on_send(self.link.send(self.link.url.clone(), &headers, body).await)
    }

    async fn ask(&self, question: &Question) -> AskOutcome {
        let mut url = self.link.url.clone();
        // An address with a host has segments.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(&question.out_id);
        }
        on_ask(self.link.get(url, &self.signed(question.out_id.as_bytes())).await)
    }

    fn read_push(&self, push: &Push<'_>) -> Result<PushRead, UnreadableReceipt> {
        self.check(push, Timestamp::now())?;
        elements::read(push.body, Trust::Signed, r#"{"code":0,"msg":"接收成功"}"#, |told: Told| {
            let (out_id, to, provider_id) = (told.out_id.clone(), told.to.clone(), told.id.clone());
            Some(Receipt { out_id, provider_id, to, word: told.word()? })
        })
    }

    fn timeout(&self) -> Duration {
        self.link.timeout
    }
}

impl Webhook {
    fn signed(&self, body: &[u8]) -> Vec<(&'static str, String)> {
        let timestamp = Timestamp::now().as_second().to_string();
        let tag = hmac::sign(&self.hmac_key(), &signed_text(&timestamp, body));
        let signature = format!("sha256={}", HEXLOWER_PERMISSIVE.encode(tag.as_ref()));
        vec![(TIMESTAMP, timestamp), (SIGNATURE, signature)]
    }

    fn hmac_key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.key.as_bytes())
    }

    fn check(&self, push: &Push<'_>, now: Timestamp) -> Result<(), UnreadableReceipt> {
        let refusal = |why: &str| UnreadableReceipt(why.to_owned());
        let header = |name: &str| push.headers.get(name).ok_or_else(|| UnreadableReceipt(format!("no header {name}")));
        let (timestamp, signature) = (header(TIMESTAMP)?, header(SIGNATURE)?);
        let hexadecimal =
            signature.strip_prefix("sha256=").and_then(|text| HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok());
        let tag = hexadecimal.ok_or_else(|| refusal("x-zhida-signature is not sha256= and hexadecimal digits"))?;
        hmac::verify(&self.hmac_key(), &signed_text(timestamp, push.body), &tag)
            .map_err(|_| refusal("the signature does not hold"))?;
        let second: i64 = timestamp.parse().map_err(|_| refusal("x-zhida-timestamp is no number of seconds"))?;
        if now.as_second().abs_diff(second) > MOST_SECONDS {
            return Err(refusal("x-zhida-timestamp is more than 15 minutes away from our clock"));
        }
        Ok(())
    }
}

fn signed_text(timestamp: &str, body: &[u8]) -> Vec<u8> {
    [timestamp.as_bytes(), b".", body].concat()
}

/// Everything an answer or a receipt may hold.
#[derive(Deserialize)]
pub(super) struct Told {
    status: String,
    id: Option<String>,
    #[serde(default)]
    out_id: String,
    to: Option<String>,
    segments: Option<u32>,
    class: Option<RefusalClass>,
    at: Option<Timestamp>,
    #[serde(default)]
    code: String,
    #[serde(default)]
    text: String,
}

impl Told {
    pub(super) fn word(self) -> Option<DeliveryWord> {
        match self.status.as_str() {
            "on_the_way" => Some(DeliveryWord::OnTheWay),
            "delivered" => Some(DeliveryWord::Delivered { at: self.at }),
            "undelivered" => Some(DeliveryWord::Undelivered {
                class: self.class.unwrap_or(RefusalClass::Busy),
                code: without_numbers(&self.code),
                text: without_numbers(&self.text),
            }),
            _ => None,
        }
    }
}

fn told(body: Result<Vec<u8>, String>) -> Result<Told, String> {
    serde_json::from_slice(&body?).map_err(|_| "an answer that cannot be read".to_owned())
}

fn on_send(seen: Seen) -> SendOutcome {
    let doubtful = |why: String| SendOutcome::Doubtful { why };
    let (status, body) = match seen {
        Seen::NoConnection => return SendOutcome::NotConnected { why: "no connection".to_owned() },
        Seen::Silence { why } => return doubtful(why),
        Seen::Answer { status, body, .. } => (status, body),
    };
    match status {
        401 | 403 => return refused(RefusalClass::Account, &status.to_string(), ""),
        429 => return refused(RefusalClass::Busy, "429", ""),
        200 | 202 | 422 => {}
        other => return doubtful(format!("status {other}")),
    }
    let told = match told(body) {
        Ok(told) => told,
        Err(why) => return doubtful(why),
    };
    match (status, told.status.as_str(), told.class) {
        (200 | 202, "accepted", _) => SendOutcome::Accepted { provider_id: told.id, segments: told.segments },
        (422, "refused", Some(class)) => {
            SendOutcome::Refused { class, code: without_numbers(&told.code), text: without_numbers(&told.text) }
        }
        _ => doubtful(format!("status {status} with an answer that does not fit it")),
    }
}

fn on_ask(seen: Seen) -> AskOutcome {
    let no_answer = |why: String| AskOutcome::NoAnswer { why };
    let (status, body) = match seen {
        Seen::NoConnection => return no_answer("no connection".to_owned()),
        Seen::Silence { why } => return no_answer(why),
        Seen::Answer { status, body, .. } => (status, body),
    };
    let told = match (status, told(body)) {
        (200 | 404, Ok(told)) => told,
        (200 | 404, Err(why)) => return no_answer(why),
        (other, _) => return no_answer(format!("status {other}")),
    };
    // A 404 alone may come from anything that stands in between.
    if status == 404 {
        return if told.status == "unknown" { AskOutcome::NotFound } else { no_answer("status 404".to_owned()) };
    }
    let provider_id = told.id.clone();
    match told.word() {
        Some(word) => AskOutcome::Found { provider_id, word },
        None => no_answer("a status that is not agreed".to_owned()),
    }
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
