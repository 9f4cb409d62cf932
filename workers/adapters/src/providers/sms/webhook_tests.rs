//! The webhook's answers and signed receipts, one row a case. Over sockets it is tried beside the bank.
#![allow(clippy::unwrap_used)] // a test may fail loudly

use super::{Link, Webhook, on_ask, on_send};
use crate::providers::wire::Seen;
use std::collections::BTreeMap;
use std::time::Duration;
use zhida_core::ports::sms::{AskOutcome, Push, SendOutcome, SmsProvider, Trust};

fn answer(status: u16, body: &str) -> Seen {
    Seen::Answer { status, retry_after: None, body: Ok(body.as_bytes().to_vec()) }
}

#[test]
fn every_answer_has_one_meaning() {
    for (status, body, expected) in [
        (200, r#"{"status":"accepted","id":"7","segments":2}"#, "accepted 7 2"),
        (202, r#"{"status":"accepted"}"#, "accepted  0"),
        (422, r#"{"status":"refused","class":"recipient","code":"gone"}"#, "Recipient gone"),
        (422, r#"{"status":"refused","class":"unreachable","code":"off"}"#, "Unreachable off"),
        (422, r#"{"status":"refused","class":"limit","code":"13800000000"}"#, "Limit ***"),
        (422, r#"{"status":"refused","code":"gone"}"#, "doubtful"),
        (422, r#"{"status":"accepted"}"#, "doubtful"),
        (200, r#"{"status":"refused","class":"busy","code":"x"}"#, "doubtful"),
        (200, "OK", "doubtful"),
        (401, "", "Account 401"),
        (403, "", "Account 403"),
        (429, "", "Busy 429"),
        (404, "", "doubtful"),
        (500, "", "doubtful"),
    ] {
        let said = match on_send(answer(status, body)) {
            SendOutcome::Accepted { provider_id, segments } => {
                format!("accepted {} {}", provider_id.unwrap_or_default(), segments.unwrap_or_default())
            }
            SendOutcome::Refused { class, code, .. } => format!("{class:?} {code}"),
            SendOutcome::NotConnected { .. } => "not connected".to_owned(),
            SendOutcome::Doubtful { .. } => "doubtful".to_owned(),
        };
        assert_eq!(said, expected, "{status} {body}");
    }
}

#[test]
fn only_the_gateway_itself_says_not_found() {
    for (status, body, expected) in [
        (
            200,
            r#"{"status":"delivered","id":"7","at":"2026-11-23T09:30:00+08:00"}"#,
            "Delivered { at: Some(2026-11-23T01:30:00Z) }",
        ),
        (200, r#"{"status":"on_the_way"}"#, "OnTheWay"),
        (
            200,
            r#"{"status":"undelivered","class":"recipient","code":"gone"}"#,
            "Undelivered { class: Recipient, code: \"gone\", text: \"\" }",
        ),
        (200, r#"{"status":"unknown"}"#, "no answer"),
        (404, r#"{"status":"unknown"}"#, "not found"),
        (404, r#"{"status":"delivered"}"#, "no answer"),
        (404, "<html>", "no answer"),
        (500, r#"{"status":"unknown"}"#, "no answer"),
    ] {
        let said = match on_ask(answer(status, body)) {
            AskOutcome::Found { word, .. } => format!("{word:?}"),
            AskOutcome::NotFound => "not found".to_owned(),
            AskOutcome::NoAnswer { .. } => "no answer".to_owned(),
            AskOutcome::NotOffered => "not offered".to_owned(),
        };
        assert_eq!(said, expected, "{status} {body}");
    }
}

#[test]
fn a_receipt_counts_only_with_its_signature() {
    let webhook = |key: &str| Webhook {
        link: Link::new("hook", "http://127.0.0.1:9/sms", Duration::from_secs(1)).unwrap(),
        key: key.to_owned(),
    };
    let ours = webhook("the agreed key");
    let body = r#"[{"out_id":"n-1","to":"+8613800000000","status":"delivered"},{"out_id":"n-2","status":"undelivered","code":"x"}]"#;
    let headers = |by: &Webhook, body: &str| -> BTreeMap<String, String> {
        by.signed(body.as_bytes()).into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    };
    let read = |headers: &BTreeMap<String, String>, body: &str| {
        ours.read_push(&Push { headers, body: body.as_bytes() }).map_err(|error| error.to_string())
    };
    let signed = headers(&ours, body);
    let push = read(&signed, body).unwrap();
    assert_eq!((push.trust, push.receipts.len()), (Trust::Signed, 2));
    assert_eq!(push.receipts[0].to.as_deref(), Some("+8613800000000"));
    let refusal = |headers: &BTreeMap<String, String>, body: &str| read(headers, body).unwrap_err();
    assert_eq!(refusal(&signed, &body.replace("n-2", "n-3")), "the signature does not hold");
    assert_eq!(refusal(&headers(&webhook("another key"), body), body), "the signature does not hold");
    assert_eq!(refusal(&BTreeMap::new(), body), "no header x-zhida-timestamp");
    let strange = r#"[{"out_id":"n-1","status":"accepted"}]"#;
    let read = read(&headers(&ours, strange), strange).unwrap();
    assert_eq!((read.receipts.len(), read.unreadable), (0, 1), "a status of its own");
    let push = Push { headers: &signed, body: body.as_bytes() };
    let later = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(17);
    assert!(ours.check(&push, later).unwrap_err().to_string().contains("15 minutes away"));
}
