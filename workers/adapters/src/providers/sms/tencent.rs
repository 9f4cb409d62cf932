//! Tencent Cloud (sms 2021-01-11): `SendSms` and `PullSmsSendStatusByPhoneNumber`, and the receipts it pushes, which it does not sign.
//!
//! Two things that this vendor cannot say: it lists only messages whose receipt has come, so that a message which is not in the list
//! may have been sent all the same (no answer, never "not found"); and its pushes name a message by its serial number alone.

use super::aliyun::{china_time, refused};
use super::elements::{self, filled, loose};
use super::link::Link;
use super::{Meaning, tc3, tencent_codes, without_numbers};
use crate::providers::wire::Seen;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use zhida_core::ports::sms::{
    AskOutcome, DeliveryWord, Push, PushRead, Question, Receipt, RefusalClass, SendOutcome, Sms, SmsProvider, Trust,
    UnreadableReceipt,
};

const SERVICE: &str = "sms";
const VERSION: &str = "2021-01-11";
/// The most that one pull may bring.
const PAGE: usize = 100;
/// Our clock may be ahead of the vendor's.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// The link to Tencent Cloud. Holds a secret: it is not printable.
pub struct Tencent {
    pub(super) link: Link,
    pub(super) key_id: String,
    pub(super) secret: String,
    pub(super) app_id: String,
    pub(super) region: String,
}

#[async_trait]
impl SmsProvider for Tencent {
    async fn send(&self, sms: &Sms) -> SendOutcome {
        let Some(template) = &sms.template_code else {
            return refused(RefusalClass::Template, "no_template", "the template has no code at this vendor");
        };
        let parameters: Vec<&str> = sms.parameters.iter().map(|(_, value)| value.as_str()).collect();
        let body = json!({
            "PhoneNumberSet": [sms.to],
            "SmsSdkAppId": self.app_id,
            "SignName": sms.signature,
            "TemplateId": template,
            "TemplateParamSet": parameters,
            "SessionContext": sms.out_id,
        });
        let (headers, body) = self.signed("SendSms", &body);
        on_send(self.link.send(self.link.url.clone(), &headers, body).await, &sms.out_id)
    }

    async fn ask(&self, question: &Question) -> AskOutcome {
        let body = json!({
            "BeginTime": (question.sent_at - MARGIN).as_second(),
            "Offset": 0,
            "Limit": PAGE,
            "PhoneNumber": question.to,
            "SmsSdkAppId": self.app_id,
        });
        let (headers, body) = self.signed("PullSmsSendStatusByPhoneNumber", &body);
        on_ask(self.link.ask(self.link.url.clone(), &headers, body).await, question)
    }

    fn read_push(&self, push: &Push<'_>) -> Result<PushRead, UnreadableReceipt> {
        elements::read(push.body, Trust::Hint, r#"{"result":0,"errmsg":"OK"}"#, Report::receipt)
    }

    fn timeout(&self) -> Duration {
        self.link.timeout
    }
}

impl Tencent {
    /// Headers and bytes of a call.
    fn signed(&self, action: &str, body: &Value) -> (Vec<(&'static str, String)>, Vec<u8>) {
        let (body, host, at) = (body.to_string().into_bytes(), self.link.host(), Timestamp::now());
        let request = tc3::Unsigned { service: SERVICE, host: &host, path: self.link.url.path(), at, body: &body };
        let authorization = tc3::authorization(&request, &self.key_id, &self.secret);
        let headers = vec![
            ("content-type", tc3::CONTENT_TYPE.to_owned()),
            ("host", host),
            ("authorization", authorization),
            ("x-tc-action", action.to_owned()),
            ("x-tc-version", VERSION.to_owned()),
            ("x-tc-region", self.region.clone()),
            ("x-tc-timestamp", at.as_second().to_string()),
        ];
        (headers, body)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    error: Option<Trouble>,
    send_status_set: Option<Vec<Status>>,
    pull_sms_send_status_set: Option<Vec<Pulled>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Trouble {
    code: String,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    serial_no: String,
    fee: Option<u32>,
    #[serde(default)]
    session_context: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pulled {
    #[serde(default)]
    serial_no: String,
    #[serde(default)]
    session_context: String,
    report_status: String,
    #[serde(default)]
    description: String,
    user_receive_time: Option<i64>,
}

fn on_send(seen: Seen, out_id: &str) -> SendOutcome {
    let doubtful = |why: String| SendOutcome::Doubtful { why };
    let (status, body) = match seen {
        Seen::NoConnection => return SendOutcome::NotConnected { why: "no connection".to_owned() },
        Seen::Silence { why } => return doubtful(why),
        Seen::Answer { status, body, .. } => (status, body),
    };
    match status {
        429 => return refused(RefusalClass::Busy, "429", ""),
        200 => {}
        other => return doubtful(format!("status {other}")),
    }
    let response = match body.map(|body| serde_json::from_slice::<Envelope>(&body)) {
        Ok(Ok(envelope)) => envelope.response,
        Ok(Err(_)) => return doubtful("an answer that cannot be read".to_owned()),
        Err(why) => return doubtful(why),
    };
    if let Some(trouble) = response.error {
        return by_code(&trouble.code, &trouble.message);
    }
    let mut statuses = response.send_status_set.unwrap_or_default();
    match (statuses.pop(), statuses.is_empty()) {
        // The session is given back; one of another message says nothing of ours.
        (Some(one), true) if one.session_context.is_empty() || one.session_context == out_id => {
            if one.code == "Ok" {
                let provider_id = Some(one.serial_no).filter(|serial| !serial.is_empty());
                return SendOutcome::Accepted { provider_id, segments: one.fee.filter(|fee| *fee > 0) };
            }
            by_code(&one.code, &one.message)
        }
        (Some(_) | None, _) => doubtful("an answer that does not speak of this one message".to_owned()),
    }
}

fn by_code(code: &str, message: &str) -> SendOutcome {
    match tencent_codes::of_answer(code) {
        Meaning::Refused(class) => {
            SendOutcome::Refused { class, code: without_numbers(code), text: without_numbers(message) }
        }
        Meaning::Unclear => SendOutcome::Doubtful { why: format!("code {}", without_numbers(code)) },
    }
}

fn on_ask(seen: Seen, question: &Question) -> AskOutcome {
    let no_answer = |why: String| AskOutcome::NoAnswer { why };
    let body = match seen {
        Seen::NoConnection => return no_answer("no connection".to_owned()),
        Seen::Silence { why } => return no_answer(why),
        Seen::Answer { status: 200, body, .. } => body,
        Seen::Answer { status, .. } => return no_answer(format!("status {status}")),
    };
    let response = match body.map(|body| serde_json::from_slice::<Envelope>(&body)) {
        Ok(Ok(envelope)) => envelope.response,
        Ok(Err(_)) => return no_answer("an answer that cannot be read".to_owned()),
        Err(why) => return no_answer(why),
    };
    if let Some(trouble) = response.error {
        return no_answer(format!("code {}", without_numbers(&trouble.code)));
    }
    let ours = |one: &Pulled| {
        one.session_context == question.out_id
            || (one.session_context.is_empty() && question.provider_id.as_ref() == Some(&one.serial_no))
    };
    match response.pull_sms_send_status_set.unwrap_or_default().into_iter().find(ours) {
        Some(one) => AskOutcome::Found {
            provider_id: Some(one.serial_no.clone()).filter(|serial| !serial.is_empty()),
            word: word(&one.report_status, &one.description, || {
                one.user_receive_time.and_then(|second| Timestamp::from_second(second).ok())
            }),
        },
        None => no_answer("no receipt yet; the vendor lists nothing else".to_owned()),
    }
}

/// One element of a push. Numbers and times may be texts or numbers.
#[derive(Deserialize)]
struct Report {
    #[serde(default, deserialize_with = "loose")]
    report_status: String,
    #[serde(default, deserialize_with = "loose")]
    errmsg: String,
    #[serde(default, deserialize_with = "loose")]
    sid: String,
    #[serde(default, deserialize_with = "loose")]
    mobile: String,
    #[serde(default, deserialize_with = "loose")]
    nationcode: String,
    #[serde(default, deserialize_with = "loose")]
    user_receive_time: String,
}

impl Report {
    /// None where it does not say what became of which message.
    fn receipt(self) -> Option<Receipt> {
        let (provider_id, to) = (filled(self.sid)?, e164_of(&self.nationcode, &self.mobile));
        let status = filled(self.report_status)?;
        let word = word(&status, &self.errmsg, || china_time(&self.user_receive_time));
        Some(Receipt { out_id: String::new(), provider_id: Some(provider_id), to, word })
    }
}

fn e164_of(nation: &str, mobile: &str) -> Option<String> {
    let number = format!("{}{mobile}", nation.trim_start_matches('+'));
    let whole = !nation.is_empty() && !mobile.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    whole.then(|| format!("+{number}"))
}

fn word(status: &str, code: &str, at: impl FnOnce() -> Option<Timestamp>) -> DeliveryWord {
    match status {
        "SUCCESS" => DeliveryWord::Delivered { at: at() },
        "FAIL" => DeliveryWord::Undelivered {
            class: tencent_codes::of_delivery(code),
            code: without_numbers(code),
            text: String::new(),
        },
        _ => DeliveryWord::OnTheWay,
    }
}

#[cfg(test)]
#[path = "tencent_tests.rs"]
mod tests;
