//! Alibaba-shaped: `SendSms` and `QuerySendDetails` with ACS3-HMAC-SHA256, checked step by step as the vendor documents it.

use super::Vendor;
use super::desk::{Content, Desk, Fate, Incoming, Refusal};
use super::ledger::{SmsEntry, SmsWord};
use super::routes::Asked;
use super::signing::{china_day, china_time, hex, hmac_sha256, pairs, part_of, percent_encoded, sha256_hex};
use crate::reply::Reply;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const ALGORITHM: &str = "ACS3-HMAC-SHA256";
const SIGNED: [&str; 5] = ["host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce"];

/// Answers one request.
pub(super) async fn answer(desk: &Desk, asked: &Asked) -> Reply {
    let Some(query) = pairs(&asked.query) else { return gateway(400, "InvalidParameter", "the query is not UTF-8") };
    if let Err((status, code, text)) = authentic(desk, asked, &query) {
        return gateway(status, code, &text);
    }
    let query: BTreeMap<String, String> = query.into_iter().collect();
    match (asked.header("x-acs-version"), asked.header("x-acs-action")) {
        ("2017-05-25", "SendSms") => send(desk, &query).await,
        ("2017-05-25", "QuerySendDetails") => details(desk, &query),
        ("2017-05-25", _) => gateway(404, "InvalidAction.NotFound", "no such action"),
        _ => gateway(400, "InvalidVersion", "no such version"),
    }
}

/// Credentials, time, nonce, hash of the body, signature.
fn authentic(desk: &Desk, asked: &Asked, query: &[(String, String)]) -> Result<(), (u16, &'static str, String)> {
    let incomplete = |what: &str| (400, "IncompleteSignature", format!("{what} is missing or wrong"));
    let authorization = asked.header("authorization");
    if !authorization.starts_with(ALGORITHM) {
        return Err(incomplete("authorization"));
    }
    let part = |name: &'static str| part_of(authorization, name).ok_or_else(|| incomplete(name));
    let (credential, signed, signature) = (part("Credential")?, part("SignedHeaders")?, part("Signature")?);
    if credential != desk.settings.key_id {
        return Err((404, "InvalidAccessKeyId.NotFound", "no such key".to_owned()));
    }
    let names: Vec<&str> = signed.split(';').collect();
    let unsigned = asked.headers.keys().find(|name| name.starts_with("x-acs-") && !names.contains(&name.as_str()));
    if !names.is_sorted() || unsigned.is_some() || SIGNED.iter().any(|name| !names.contains(name)) {
        return Err(incomplete("SignedHeaders"));
    }
    let hashed = sha256_hex(&asked.body);
    if asked.header("x-acs-content-sha256") != hashed {
        return Err(incomplete("x-acs-content-sha256"));
    }
    let mut sorted: Vec<String> =
        query.iter().map(|(name, value)| format!("{}={}", percent_encoded(name), percent_encoded(value))).collect();
    sorted.sort();
    let headers: String = names.iter().map(|name| format!("{name}:{}\n", asked.header(name).trim())).collect();
    let canonical = format!("{}\n{}\n{}\n{headers}\n{signed}\n{hashed}", asked.method, asked.path, sorted.join("&"));
    let text = format!("{ALGORITHM}\n{}", sha256_hex(canonical.as_bytes()));
    if hex(&hmac_sha256(desk.settings.secret.as_bytes(), text.as_bytes())) != signature {
        // As the real one does: it repeats what it has computed.
        return Err((400, "SignatureDoesNotMatch", format!("server CanonicalRequest is [{canonical}]")));
    }
    let date: Option<Timestamp> = asked.header("x-acs-date").parse().ok();
    if date.is_none_or(|date| date.duration_since(Timestamp::now()).abs() > SignedDuration::from_mins(15)) {
        return Err((400, "InvalidTimeStamp.Expired", "more than 15 minutes away".to_owned()));
    }
    if !desk.is_fresh(asked.header("x-acs-signature-nonce")) {
        return Err((400, "SignatureNonceUsed", "the nonce was used".to_owned()));
    }
    Ok(())
}

async fn send(desk: &Desk, query: &BTreeMap<String, String>) -> Reply {
    let value = |name: &str| query.get(name).cloned().unwrap_or_default();
    let variables: Option<BTreeMap<String, String>> = match query.get("TemplateParam") {
        Some(text) => serde_json::from_str(text).ok(),
        None => Some(BTreeMap::new()),
    };
    let Some(variables) = variables else { return business("isv.INVALID_JSON_PARAM", None) };
    let incoming = Incoming {
        vendor: Vendor::Aliyun,
        out_id: value("OutId"),
        to: e164(&value("PhoneNumbers")),
        signature: value("SignName"),
        content: Content::Template { code: value("TemplateCode"), variables: variables.into_iter().collect() },
    };
    match desk.take_in(incoming).await {
        Fate::Accepted(entry) => business("OK", Some(&entry.provider_id)),
        Fate::Unclear => business("isp.SYSTEM_ERROR", None),
        Fate::Spoilt(reply) => reply,
        Fate::Refused(refusal) => match refusal {
            Refusal::Throttle => gateway(400, "Throttling.User", "too many requests"),
            Refusal::Code(code) => business(&code, None),
            Refusal::Number => business("isv.MOBILE_NUMBER_ILLEGAL", None),
            Refusal::Signature => business("isv.SMS_SIGNATURE_ILLEGAL", None),
            Refusal::Template => business("isv.SMS_TEMPLATE_ILLEGAL", None),
            Refusal::Variables => business("isv.TEMPLATE_MISSING_PARAMETERS", None),
            Refusal::Length => business("isv.PARAM_LENGTH_LIMIT", None),
            Refusal::Limit => business("isv.BUSINESS_LIMIT_CONTROL", None),
        },
    }
}

fn details(desk: &Desk, query: &BTreeMap<String, String>) -> Reply {
    if let Some(reply) = desk.meets(Vendor::Aliyun) {
        return reply;
    }
    let value = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let number = |name: &str| value(name).parse::<usize>().ok().filter(|number| *number > 0);
    let (Some(to), Some(size), Some(page)) = (e164(value("PhoneNumber")), number("PageSize"), number("CurrentPage"))
    else {
        return business("isv.INVALID_PARAMETERS", None);
    };
    let day = value("SendDate");
    if size > 50 || day.len() != 8 {
        return business("isv.INVALID_PARAMETERS", None);
    }
    let biz_id = query.get("BizId");
    let found = desk.look_up(|entry| {
        entry.vendor == Vendor::Aliyun
            && entry.to == to
            && china_day(entry.at).strftime("%Y%m%d").to_string() == day
            && biz_id.is_none_or(|id| *id == entry.provider_id)
    });
    let rows: Vec<Value> = found.iter().skip((page - 1) * size).take(size).map(detail).collect();
    let answer = json!({
        "TotalCount": found.len().to_string(),
        "Message": "OK",
        "RequestId": "sandbox",
        "SmsSendDetailDTOs": { "SmsSendDetailDTO": rows },
        "Code": "OK",
    });
    Reply::Json { status: 200, text: answer.to_string() }
}

fn detail(entry: &SmsEntry) -> Value {
    let (status, code, at) = match &entry.word {
        SmsWord::OnTheWay => (1, "", None),
        SmsWord::Undelivered { code, at } => (2, code.as_str(), Some(at)),
        SmsWord::Delivered { at } => (3, "DELIVERED", Some(at)),
    };
    let mut row = json!({
        "OutId": entry.out_id,
        "SendStatus": status,
        "ErrCode": code,
        "TemplateCode": entry.template_code,
        "PhoneNum": entry.to.trim_start_matches("+86"),
        "Content": format!("【{}】{}", entry.signature, entry.text),
        "SendDate": china_time(entry.at),
    });
    if let Some(at) = at {
        row["ReceiveDate"] = china_time(*at).into();
    }
    row
}

/// A mainland number without its country, or another one with it and without a plus.
fn e164(number: &str) -> Option<String> {
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let mainland = number.len() == 11 && number.starts_with('1');
    let other = (8..=15).contains(&number.len()) && !number.starts_with("861") && !number.starts_with('0');
    match (digits, mainland, other) {
        (true, true, _) => Some(format!("+86{number}")),
        (true, false, true) => Some(format!("+{number}")),
        (true, false, false) | (false, _, _) => None,
    }
}

fn business(code: &str, biz_id: Option<&str>) -> Reply {
    let mut answer = json!({ "Code": code, "Message": code, "RequestId": "sandbox" });
    if let Some(biz_id) = biz_id {
        answer["BizId"] = biz_id.into();
    }
    Reply::Json { status: 200, text: answer.to_string() }
}

fn gateway(status: u16, code: &str, text: &str) -> Reply {
    let answer = json!({ "Code": code, "Message": text, "RequestId": "sandbox", "HostId": "sandbox" });
    Reply::Json { status, text: answer.to_string() }
}
