//! Tencent-shaped: `SendSms` and `PullSmsSendStatusByPhoneNumber` with TC3-HMAC-SHA256, checked step by step as the vendor documents it.
//! Like the real one it lists only messages whose receipt has come.

use super::Vendor;
use super::desk::{Content, Desk, Fate, Incoming, Refusal};
use super::ledger::{SmsEntry, SmsWord};
use super::receipts::nation_and_number;
use super::routes::Asked;
use super::signing::{hex, hmac_sha256, part_of, sha256_hex};
use crate::reply::Reply;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

const ALGORITHM: &str = "TC3-HMAC-SHA256";

/// Answers one request.
pub(super) async fn answer(desk: &Desk, asked: &Asked) -> Reply {
    if let Err((code, text)) = authentic(desk, asked) {
        return trouble(code, text);
    }
    match (asked.header("x-tc-version"), asked.header("x-tc-action")) {
        ("2021-01-11", "SendSms") => send(desk, asked).await,
        ("2021-01-11", "PullSmsSendStatusByPhoneNumber") => pull(desk, asked),
        ("2021-01-11", _) => trouble("InvalidAction", "no such action"),
        _ => trouble("NoSuchVersion", "no such version"),
    }
}

/// Credentials, scope, time, signature.
fn authentic(desk: &Desk, asked: &Asked) -> Result<(), (&'static str, &'static str)> {
    const INVALID: (&str, &str) = ("AuthFailure.InvalidAuthorization", "the authorization cannot be read");
    let authorization = asked.header("authorization");
    if !authorization.starts_with(ALGORITHM) || asked.method != "POST" {
        return Err(INVALID);
    }
    let part = |name| part_of(authorization, name).ok_or(INVALID);
    let (credential, signed, signature) = (part("Credential")?, part("SignedHeaders")?, part("Signature")?);
    let seconds: i64 = asked.header("x-tc-timestamp").parse().map_err(|_| INVALID)?;
    let at = Timestamp::from_second(seconds).map_err(|_| INVALID)?;
    let date = at.strftime("%Y-%m-%d").to_string();
    let (key_id, scope) = credential.split_once('/').ok_or(INVALID)?;
    if key_id != desk.settings.key_id {
        return Err(("AuthFailure.SecretIdNotFound", "no such key"));
    }
    let names: Vec<&str> = signed.split(';').collect();
    let whole = names.contains(&"content-type") && names.contains(&"host") && names.is_sorted();
    if !whole {
        return Err(INVALID);
    }
    let headers: String =
        names.iter().map(|name| format!("{name}:{}\n", asked.header(name).trim().to_lowercase())).collect();
    let hashed = sha256_hex(&asked.body);
    let canonical = format!("POST\n{}\n{}\n{headers}\n{signed}\n{hashed}", asked.path, asked.query);
    let text = format!("{ALGORITHM}\n{seconds}\n{scope}\n{}", sha256_hex(canonical.as_bytes()));
    let mut key = format!("TC3{}", desk.settings.secret).into_bytes();
    for part in scope.split('/').chain([text.as_str()]) {
        key = hmac_sha256(&key, part.as_bytes());
    }
    if hex(&key) != signature {
        return Err(("AuthFailure.SignatureFailure", "the signature does not match"));
    }
    if scope != format!("{date}/sms/tc3_request") {
        return Err(("AuthFailure.InvalidAuthorization", "the scope is of another day or service"));
    }
    if Timestamp::now().as_second().abs_diff(seconds) > 15 * 60 {
        return Err(("AuthFailure.SignatureExpire", "the signature has expired"));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendSms {
    phone_number_set: Vec<String>,
    sms_sdk_app_id: String,
    template_id: String,
    sign_name: String,
    #[serde(default)]
    template_param_set: Vec<String>,
    #[serde(default)]
    session_context: String,
}

async fn send(desk: &Desk, asked: &Asked) -> Reply {
    let Ok(call) = serde_json::from_slice::<SendSms>(&asked.body) else {
        return trouble("InvalidParameter", "the body cannot be read");
    };
    if call.sms_sdk_app_id != desk.settings.app_id {
        return trouble("UnauthorizedOperation.SmsSdkAppIdVerifyFail", "the app is not the key's");
    }
    let [number] = call.phone_number_set.as_slice() else {
        return trouble("LimitExceeded.PhoneNumberCountLimit", "the sandbox sends to one number a call");
    };
    let variables = call.template_param_set.iter().enumerate();
    let incoming = Incoming {
        vendor: Vendor::Tencent,
        out_id: call.session_context.clone(),
        to: is_e164(number).then(|| number.clone()),
        signature: call.sign_name,
        content: Content::Template {
            code: call.template_id,
            variables: variables.map(|(at, value)| ((at + 1).to_string(), value.clone())).collect(),
        },
    };
    let status = |code: &str, serial: &str, fee: u32| {
        let one = json!({
            "SerialNo": serial,
            "PhoneNumber": number,
            "Fee": fee,
            "SessionContext": call.session_context,
            "Code": code,
            "Message": if code == "Ok" { "send success" } else { code },
            "IsoCode": "CN",
        });
        respond(&json!({ "SendStatusSet": [one], "RequestId": "sandbox" }))
    };
    match desk.take_in(incoming).await {
        Fate::Accepted(entry) => status("Ok", &entry.provider_id, entry.segments),
        Fate::Unclear => status("InternalError.Timeout", "", 0),
        Fate::Spoilt(reply) => reply,
        Fate::Refused(refusal) => match refusal {
            Refusal::Throttle => trouble("RequestLimitExceeded", "too many requests"),
            Refusal::Code(code) => status(&code, "", 0),
            Refusal::Number => status("InvalidParameterValue.IncorrectPhoneNumber", "", 0),
            Refusal::Signature => status("FailedOperation.SignatureIncorrectOrUnapproved", "", 0),
            Refusal::Template | Refusal::Variables => status("FailedOperation.TemplateIncorrectOrUnapproved", "", 0),
            Refusal::Length => status("InvalidParameterValue.ContentLengthLimit", "", 0),
            Refusal::Limit => status("LimitExceeded.PhoneNumberDailyLimit", "", 0),
        },
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pull {
    begin_time: i64,
    end_time: Option<i64>,
    offset: i64,
    limit: usize,
    phone_number: String,
    sms_sdk_app_id: String,
}

fn pull(desk: &Desk, asked: &Asked) -> Reply {
    if let Some(reply) = desk.meets(Vendor::Tencent) {
        return reply;
    }
    let Ok(call) = serde_json::from_slice::<Pull>(&asked.body) else {
        return trouble("InvalidParameter", "the body cannot be read");
    };
    if call.sms_sdk_app_id != desk.settings.app_id {
        return trouble("UnauthorizedOperation.SmsSdkAppIdVerifyFail", "the app is not the key's");
    }
    if call.offset != 0 || call.limit > 100 {
        return trouble("InvalidParameterValue.LimitVerifyFail", "offset 0, and 100 at most");
    }
    let found = desk.look_up(|entry| {
        entry.vendor == Vendor::Tencent
            && entry.to == call.phone_number
            && entry.at.as_second() >= call.begin_time
            && call.end_time.is_none_or(|end| entry.at.as_second() <= end)
            && entry.word != SmsWord::OnTheWay
    });
    let rows: Vec<Value> = found.iter().take(call.limit).map(pulled).collect();
    respond(&json!({ "PullSmsSendStatusSet": rows, "RequestId": "sandbox" }))
}

fn pulled(entry: &SmsEntry) -> Value {
    let (status, description, at) = match &entry.word {
        SmsWord::Delivered { at } => ("SUCCESS", "DELIVRD", *at),
        SmsWord::Undelivered { code, at } => ("FAIL", code.as_str(), *at),
        SmsWord::OnTheWay => ("", "", entry.at),
    };
    let (nation, number) = nation_and_number(&entry.to);
    json!({
        "UserReceiveTime": at.as_second(),
        "CountryCode": nation,
        "SubscriberNumber": number,
        "PhoneNumber": entry.to,
        "SerialNo": entry.provider_id,
        "ReportStatus": status,
        "Description": description,
        "SessionContext": entry.out_id,
    })
}

fn is_e164(number: &str) -> bool {
    number
        .strip_prefix('+')
        .is_some_and(|digits| (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn respond(response: &Value) -> Reply {
    Reply::Json { status: 200, text: json!({ "Response": response }).to_string() }
}

fn trouble(code: &str, text: &str) -> Reply {
    respond(&json!({ "Error": { "Code": code, "Message": text }, "RequestId": "sandbox" }))
}
