//! Alibaba Cloud (Dysmsapi 2017-05-25): `SendSms` and `QuerySendDetails`, parameters in the query as the vendor's own SDK sends them,
//! and the receipts it pushes (`SmsReport`), which it does not sign. Its clock is China's.

use super::elements::{self, filled, loose};
use super::link::Link;
use super::{Meaning, acs3, aliyun_codes, without_numbers};
use crate::providers::wire::Seen;
use async_trait::async_trait;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;
use zhida_core::ports::sms::{
    AskOutcome, DeliveryWord, Push, PushRead, Question, Receipt, RefusalClass, SendOutcome, Sms, SmsProvider, Trust,
    UnreadableReceipt,
};

const VERSION: &str = "2017-05-25";
/// The most that one page of `QuerySendDetails` holds.
const PAGE: u32 = 50;
/// More pages for one number and day are not read.
const MOST_PAGES: u32 = 20;

/// The link to Alibaba Cloud. Holds a secret: it is not printable.
pub struct Aliyun {
    pub(super) link: Link,
    pub(super) key_id: String,
    pub(super) secret: String,
    pub(super) region: String,
}

#[async_trait]
impl SmsProvider for Aliyun {
    async fn send(&self, sms: &Sms) -> SendOutcome {
        let (number, template) = match (number_of(&sms.to), &sms.template_code) {
            (None, _) => return refused(RefusalClass::Recipient, "not_e164", "the number is not in E.164 form"),
            (_, None) => {
                return refused(RefusalClass::Template, "no_template", "the template has no code at this vendor");
            }
            (Some(number), Some(template)) => (number, template),
        };
        let parameters: serde_json::Map<String, serde_json::Value> =
            sms.parameters.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        let query = BTreeMap::from([
            ("PhoneNumbers", number),
            ("SignName", sms.signature.clone()),
            ("TemplateCode", template.clone()),
            ("TemplateParam", serde_json::Value::Object(parameters).to_string()),
            ("OutId", sms.out_id.clone()),
        ]);
        let (url, headers) = self.signed("SendSms", query);
        on_send(self.link.send(url, &headers, Vec::new()).await)
    }

    async fn ask(&self, question: &Question) -> AskOutcome {
        let asked = tokio::time::timeout(self.link.timeout, self.look_through(question)).await;
        asked.unwrap_or_else(|_| AskOutcome::NoAnswer { why: "time-out".to_owned() })
    }

    fn read_push(&self, push: &Push<'_>) -> Result<PushRead, UnreadableReceipt> {
        elements::read(push.body, Trust::Hint, r#"{"code":0,"msg":"接收成功"}"#, Report::receipt)
    }

    fn timeout(&self) -> Duration {
        self.link.timeout
    }
}

impl Aliyun {
    /// Address and headers of a call with these parameters.
    fn signed(
        &self,
        action: &str,
        mut query: BTreeMap<&'static str, String>,
    ) -> (reqwest::Url, Vec<(&'static str, String)>) {
        query.insert("RegionId", self.region.clone());
        let mut url = self.link.url.clone();
        url.set_query(Some(&acs3::query(&query)));
        let body_hash = acs3::hash(b"");
        let mut headers = BTreeMap::from([
            ("host", self.link.host()),
            ("x-acs-action", action.to_owned()),
            ("x-acs-content-sha256", body_hash.clone()),
            ("x-acs-date", Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            ("x-acs-signature-nonce", uuid::Uuid::new_v4().simple().to_string()),
            ("x-acs-version", VERSION.to_owned()),
        ]);
        let request = acs3::Unsigned {
            method: "POST",
            path: url.path(),
            query: &query,
            headers: &headers,
            body_hash: &body_hash,
        };
        let authorization = acs3::authorization(&request, &self.key_id, &self.secret);
        headers.insert("authorization", authorization);
        headers.insert("accept", "application/json".to_owned());
        (url, headers.into_iter().collect())
    }

    /// Looks for a message in the details of its number and day, and of the next day when it was sent shortly before it.
    async fn look_through(&self, question: &Question) -> AskOutcome {
        let Some(number) = number_of(&question.to) else {
            return AskOutcome::NoAnswer { why: "the number is not in E.164 form".to_owned() };
        };
        for day in days_of(question.sent_at, self.link.timeout, Timestamp::now()) {
            for page in 1..=MOST_PAGES {
                let details = match self.details(question, &number, day, page).await {
                    Ok(details) => details,
                    Err(why) => return AskOutcome::NoAnswer { why },
                };
                let full = details.len() >= PAGE as usize;
                if let Some(detail) = details.into_iter().find(|detail| detail.is_of(question)) {
                    return AskOutcome::Found { provider_id: question.provider_id.clone(), word: detail.word() };
                }
                match (full, page) {
                    (false, _) => break,
                    (true, MOST_PAGES) => {
                        return AskOutcome::NoAnswer { why: format!("more than {MOST_PAGES} pages for one number") };
                    }
                    (true, _) => {}
                }
            }
        }
        AskOutcome::NotFound
    }

    async fn details(&self, question: &Question, number: &str, day: Date, page: u32) -> Result<Vec<Detail>, String> {
        let mut query = BTreeMap::from([
            ("PhoneNumber", number.to_owned()),
            ("SendDate", day.strftime("%Y%m%d").to_string()),
            ("PageSize", PAGE.to_string()),
            ("CurrentPage", page.to_string()),
        ]);
        if let Some(biz_id) = &question.provider_id {
            query.insert("BizId", biz_id.clone());
        }
        let (url, headers) = self.signed("QuerySendDetails", query);
        let body = match self.link.ask(url, &headers, Vec::new()).await {
            Seen::NoConnection => return Err("no connection".to_owned()),
            Seen::Silence { why } => return Err(why),
            Seen::Answer { status: 200, body, .. } => body?,
            Seen::Answer { status, .. } => return Err(format!("status {status}")),
        };
        let answer: Details = serde_json::from_slice(&body)
            .map_err(|error| format!("an answer that cannot be read (column {})", error.column()))?;
        if answer.code != "OK" {
            return Err(format!("code {}", without_numbers(&answer.code)));
        }
        Ok(answer.details.map(|list| list.details).unwrap_or_default())
    }
}

/// The number as Alibaba wants it: mainland numbers bare, others with their country and without the plus.
fn number_of(e164: &str) -> Option<String> {
    let digits = e164.strip_prefix('+').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    if !(7..=15).contains(&digits.len()) {
        return None;
    }
    let mainland = digits.strip_prefix("86").filter(|rest| rest.len() == 11 && rest.starts_with('1'));
    Some(mainland.unwrap_or(digits).to_owned())
}

/// The other way round.
fn e164_of(number: &str) -> Option<String> {
    let digits = number.trim().trim_start_matches('+');
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let bare = digits.len() == 11 && digits.starts_with('1');
    Some(if bare { format!("+86{digits}") } else { format!("+{digits}") })
}

fn china() -> TimeZone {
    TimeZone::fixed(Offset::constant(8))
}

fn day_of(at: Timestamp) -> Date {
    china().to_datetime(at).date()
}

/// The days on which the vendor may have booked a message whose call began then: the day itself, the one before it where our clock may
/// have been ahead, and the next one where the call may have crossed midnight. No day that has not come.
fn days_of(sent_at: Timestamp, timeout: Duration, now: Timestamp) -> Vec<Date> {
    let margin = SignedDuration::try_from(timeout).unwrap_or_default() + SignedDuration::from_mins(1);
    let mut days = vec![day_of(sent_at - margin), day_of(sent_at), day_of((sent_at + margin).min(now.max(sent_at)))];
    days.dedup();
    days
}

/// A time as the vendors write it, by China's clock.
pub(super) fn china_time(text: &str) -> Option<Timestamp> {
    let civil = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", text.trim()).ok()?;
    china().to_timestamp(civil).ok()
}

/// A refusal of ours, before any call.
pub(super) fn refused(class: RefusalClass, code: &str, text: &str) -> SendOutcome {
    SendOutcome::Refused { class, code: code.to_owned(), text: text.to_owned() }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    code: String,
    #[serde(default)]
    message: String,
    biz_id: Option<String>,
}

fn on_send(seen: Seen) -> SendOutcome {
    let doubtful = |why: String| SendOutcome::Doubtful { why };
    let (status, body) = match seen {
        Seen::NoConnection => return SendOutcome::NotConnected { why: "no connection".to_owned() },
        Seen::Silence { why } => return doubtful(why),
        Seen::Answer { status, body, .. } => (status, body),
    };
    if status == 429 {
        return refused(RefusalClass::Busy, "429", "");
    }
    if status != 200 && !(400..500).contains(&status) {
        return doubtful(format!("status {status}"));
    }
    let answer: Answer = match body.map(|body| serde_json::from_slice(&body)) {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => return doubtful(format!("status {status} with an answer that cannot be read")),
        Err(why) => return doubtful(why),
    };
    // A gateway that refuses repeats the whole request in its message, names and all: of that the code is kept alone.
    let text = if status == 200 { without_numbers(&answer.message) } else { String::new() };
    match (status, answer.code.as_str()) {
        (200, "OK") => SendOutcome::Accepted { provider_id: answer.biz_id, segments: None },
        (_, "OK") => doubtful(format!("status {status} that says OK")),
        (_, code) => match aliyun_codes::of_answer(code) {
            Meaning::Refused(class) => SendOutcome::Refused { class, code: without_numbers(code), text },
            Meaning::Unclear => doubtful(format!("code {}", without_numbers(code))),
        },
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Details {
    code: String,
    #[serde(rename = "SmsSendDetailDTOs")]
    details: Option<DetailList>,
}

#[derive(Deserialize)]
struct DetailList {
    #[serde(rename = "SmsSendDetailDTO", default)]
    details: Vec<Detail>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Detail {
    #[serde(default)]
    out_id: String,
    #[serde(default)]
    err_code: String,
    receive_date: Option<String>,
    /// 1 waits for a receipt, 2 failed, 3 arrived.
    send_status: i64,
}

impl Detail {
    /// By our id; where the vendor left it out, by its own, which was asked for.
    fn is_of(&self, question: &Question) -> bool {
        self.out_id == question.out_id || (self.out_id.is_empty() && question.provider_id.is_some())
    }

    fn word(self) -> DeliveryWord {
        match self.send_status {
            3 => DeliveryWord::Delivered { at: self.receive_date.as_deref().and_then(china_time) },
            2 => undelivered(&self.err_code, ""),
            _ => DeliveryWord::OnTheWay,
        }
    }
}

/// One element of `SmsReport`.
#[derive(Deserialize)]
struct Report {
    #[serde(default, deserialize_with = "loose")]
    phone_number: String,
    #[serde(default, deserialize_with = "loose")]
    success: String,
    #[serde(default, deserialize_with = "loose")]
    report_time: String,
    #[serde(default, deserialize_with = "loose")]
    err_code: String,
    #[serde(default, deserialize_with = "loose")]
    err_msg: String,
    #[serde(default, deserialize_with = "loose")]
    biz_id: String,
    #[serde(default, deserialize_with = "loose")]
    out_id: String,
}

impl Report {
    /// None where it says neither yes nor no.
    fn receipt(self) -> Option<Receipt> {
        let word = match self.success.as_str() {
            "true" => DeliveryWord::Delivered { at: china_time(&self.report_time) },
            "false" => undelivered(&self.err_code, &self.err_msg),
            _ => return None,
        };
        let to = e164_of(&self.phone_number);
        Some(Receipt { out_id: self.out_id, provider_id: filled(self.biz_id), to, word })
    }
}

fn undelivered(code: &str, text: &str) -> DeliveryWord {
    DeliveryWord::Undelivered {
        class: aliyun_codes::of_delivery(code),
        code: without_numbers(code),
        text: without_numbers(text),
    }
}

#[cfg(test)]
#[path = "aliyun_tests.rs"]
mod tests;
