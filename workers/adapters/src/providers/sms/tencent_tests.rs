//! Tencent's forms of answers and receipts, one row a case. Over sockets it is tried beside the bank.
#![allow(clippy::unwrap_used)] // a test may fail loudly

use super::{Report, elements, on_ask, on_send};
use crate::providers::wire::Seen;
use zhida_core::ports::sms::{AskOutcome, DeliveryWord, Question, RefusalClass, SendOutcome, Trust};

fn answer(status: u16, body: &str) -> Seen {
    Seen::Answer { status, retry_after: None, body: Ok(body.as_bytes().to_vec()) }
}

#[test]
fn every_answer_has_one_meaning() {
    let said = |seen| match on_send(seen, "n-1") {
        SendOutcome::Accepted { provider_id, segments } => format!("accepted {provider_id:?} {segments:?}"),
        SendOutcome::Refused { class, code, text } => format!("{class:?} {code} {text}"),
        SendOutcome::NotConnected { .. } => "not connected".to_owned(),
        SendOutcome::Doubtful { why } => format!("doubtful: {why}"),
    };
    let set = |inside: &str| format!(r#"{{"Response":{{"SendStatusSet":[{inside}],"RequestId":"R"}}}}"#);
    let one = |code: &str| {
        set(&format!(
            r#"{{"SerialNo":"5000:1","PhoneNumber":"+8613800000000","Fee":2,"SessionContext":"n-1","Code":"{code}","Message":"m","IsoCode":"CN"}}"#
        ))
    };
    let error = |code: &str| format!(r#"{{"Response":{{"Error":{{"Code":"{code}","Message":"m"}},"RequestId":"R"}}}}"#);
    let other = set(r#"{"SessionContext":"n-2","Code":"Ok"}"#);
    let not_ours = "doubtful: an answer that does not speak of this one message";
    for (status, body, expected) in [
        (200, one("Ok"), r#"accepted Some("5000:1") Some(2)"#),
        (200, one("LimitExceeded.PhoneNumberDailyLimit"), "Limit LimitExceeded.PhoneNumberDailyLimit m"),
        (200, one("InternalError.Timeout"), "doubtful: code InternalError.Timeout"),
        (200, error("AuthFailure.SignatureFailure"), "Account AuthFailure.SignatureFailure m"),
        (200, error("RequestLimitExceeded"), "Busy RequestLimitExceeded m"),
        (200, error("InternalError"), "doubtful: code InternalError"),
        (200, other, not_ours),
        (200, set(""), not_ours),
        (200, r#"{"Response":{}}"#.to_owned(), not_ours),
        (200, "{".to_owned(), "doubtful: an answer that cannot be read"),
        (429, String::new(), "Busy 429 "),
        (400, one("Ok"), "doubtful: status 400"),
        (502, String::new(), "doubtful: status 502"),
    ] {
        assert_eq!(said(answer(status, &body)), expected, "{status} {body}");
    }
    assert_eq!(said(Seen::NoConnection), "not connected");
}

#[test]
fn what_is_not_listed_may_have_been_sent_all_the_same() {
    let question = Question {
        out_id: "n-1".to_owned(),
        provider_id: Some("5000:1".to_owned()),
        to: "+8613800000000".to_owned(),
        sent_at: "2026-11-23T01:30:00Z".parse().unwrap(),
    };
    let pulled = |inside: &str| {
        let body = format!(r#"{{"Response":{{"PullSmsSendStatusSet":[{inside}],"RequestId":"R"}}}}"#);
        match on_ask(answer(200, &body), &question) {
            AskOutcome::Found { provider_id, word } => format!("{provider_id:?} {word:?}"),
            AskOutcome::NotFound => "not found".to_owned(),
            AskOutcome::NoAnswer { why } => format!("no answer: {why}"),
            AskOutcome::NotOffered => "not offered".to_owned(),
        }
    };
    let nothing = "no answer: no receipt yet; the vendor lists nothing else";
    assert_eq!(pulled(""), nothing);
    let row = |session: &str, status: &str| {
        format!(
            r#"{{"SerialNo":"5000:1","SessionContext":"{session}","ReportStatus":"{status}","Description":"DELIVRD","UserReceiveTime":1763861400}}"#
        )
    };
    assert_eq!(pulled(&row("n-2", "SUCCESS")), nothing, "of another message");
    for session in ["n-1", ""] {
        let found = pulled(&row(session, "SUCCESS"));
        assert_eq!(found, r#"Some("5000:1") Delivered { at: Some(2025-11-23T01:30:00Z) }"#);
    }
    assert!(pulled(&row("n-1", "FAIL")).contains("Undelivered { class: Busy"), "another may do better");
}

#[test]
fn a_receipt_is_read_with_its_number_and_time() {
    let receipt = serde_json::from_str::<Report>(
        r#"{"user_receive_time":"2026-11-23 09:30:07","nationcode":"86","mobile":"13800000000","report_status":"SUCCESS",
            "errmsg":"DELIVRD","description":"用户短信送达成功","sid":"5000:1"}"#,
    )
    .unwrap()
    .receipt()
    .unwrap();
    assert_eq!((receipt.to.as_deref(), receipt.provider_id.as_deref()), (Some("+8613800000000"), Some("5000:1")));
    assert_eq!(receipt.word, DeliveryWord::Delivered { at: Some("2026-11-23T01:30:07Z".parse().unwrap()) });
    let failed =
        serde_json::from_str::<Report>(r#"{"report_status":"FAIL","errmsg":"UNDELIV","sid":50001,"mobile":null}"#)
            .unwrap()
            .receipt()
            .unwrap();
    let DeliveryWord::Undelivered { class, code, .. } = failed.word else { panic!("it did not arrive") };
    assert_eq!((class, code.as_str(), failed.to), (RefusalClass::Busy, "UNDELIV", None));
}

#[test]
fn what_cannot_be_read_of_a_push_takes_nothing_else_with_it() {
    let body = r#"[{"sid":"1","report_status":"SUCCESS","mobile":13800000000,"nationcode":86,"errmsg":null},null,7,{},
        {"sid":"2","report_status":"FAIL","errmsg":4,"mobile":null,"nationcode":null,"user_receive_time":null},{"sid":["3"]}]"#;
    let read = elements::read(body.as_bytes(), Trust::Hint, "{}", Report::receipt).unwrap();
    let ids: Vec<&str> = read.receipts.iter().filter_map(|one| one.provider_id.as_deref()).collect();
    assert_eq!((ids, read.unreadable), (vec!["1", "2"], 4));
    assert_eq!(read.receipts[0].to.as_deref(), Some("+8613800000000"));
}
