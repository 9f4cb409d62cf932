//! Alibaba's forms of numbers, times and answers, one row a case. Over sockets it is tried beside the bank.
#![allow(clippy::unwrap_used)] // a test may fail loudly

use super::{Report, china_time, days_of, e164_of, elements, number_of, on_send};
use crate::providers::wire::Seen;
use std::time::Duration;
use zhida_core::ports::sms::{DeliveryWord, RefusalClass, SendOutcome, Trust};

#[test]
fn numbers_lose_and_regain_their_country() {
    for (e164, theirs) in
        [("+8613800000000", "13800000000"), ("+85298765432", "85298765432"), ("+8659188888888", "8659188888888")]
    {
        assert_eq!(number_of(e164).as_deref(), Some(theirs));
        assert_eq!(e164_of(theirs).as_deref(), Some(e164), "{theirs}");
    }
    for wrong in ["13800000000", "+", "+86 13800000000", "+1234567890123456", "", "+861380000000x"] {
        assert_eq!(number_of(wrong), None, "{wrong}");
    }
    assert_eq!(e164_of("+8613800000000").as_deref(), Some("+8613800000000"));
    assert_eq!(e164_of("1381111****"), None, "masked");
}

#[test]
fn the_vendor_s_clock_is_china_s() {
    assert_eq!(china_time("2026-11-23 09:30:00"), Some("2026-11-23T01:30:00Z".parse().unwrap()));
    assert_eq!(china_time("yesterday"), None);
}

#[test]
fn days_around_midnight_are_asked_for_once_they_have_come() {
    let days = |sent_at: &str, now: &str| -> Vec<String> {
        let found = days_of(sent_at.parse().unwrap(), Duration::from_secs(10), now.parse().unwrap());
        found.into_iter().map(|day| day.to_string()).collect()
    };
    let before_midnight = "2026-11-23T23:59:30+08:00";
    assert_eq!(days("2026-11-23T12:00:00+08:00", "2026-11-23T12:00:20+08:00"), ["2026-11-23"]);
    assert_eq!(days(before_midnight, "2026-11-23T23:59:50+08:00"), ["2026-11-23"], "tomorrow has not come");
    assert_eq!(days(before_midnight, "2026-11-24T00:00:01+08:00"), ["2026-11-23", "2026-11-24"]);
    assert_eq!(days("2026-11-24T00:00:30+08:00", "2026-11-24T09:00:00+08:00"), ["2026-11-23", "2026-11-24"]);
}

#[test]
fn every_answer_has_one_meaning() {
    let answer = |status, body: &str| Seen::Answer { status, retry_after: None, body: Ok(body.as_bytes().to_vec()) };
    let said = |seen| match on_send(seen) {
        SendOutcome::Accepted { provider_id, .. } => format!("accepted {}", provider_id.unwrap_or_default()),
        SendOutcome::Refused { class, code, text } => format!("{class:?} {code} {text}"),
        SendOutcome::NotConnected { .. } => "not connected".to_owned(),
        SendOutcome::Doubtful { why } => format!("doubtful: {why}"),
    };
    for (status, body, expected) in [
        (200, r#"{"Code":"OK","Message":"OK","BizId":"9^0","RequestId":"R"}"#, "accepted 9^0"),
        (
            200,
            r#"{"Code":"isv.MOBILE_NUMBER_ILLEGAL","Message":"13800000000非法"}"#,
            "Recipient isv.MOBILE_NUMBER_ILLEGAL ***非法",
        ),
        (200, r#"{"Code":"isp.SYSTEM_ERROR"}"#, "doubtful: code isp.SYSTEM_ERROR"),
        (
            400,
            r#"{"Code":"SignatureDoesNotMatch","Message":"canonical … SignName=秘密"}"#,
            "Account SignatureDoesNotMatch ",
        ),
        (400, r#"{"Code":"Throttling.User"}"#, "Busy Throttling.User "),
        (400, r#"{"Code":"OK"}"#, "doubtful: status 400 that says OK"),
        (429, "", "Busy 429 "),
        (404, "<html>", "doubtful: status 404 with an answer that cannot be read"),
        (200, r#"{"Code":"OK""#, "doubtful: status 200 with an answer that cannot be read"),
        (200, "{}", "doubtful: status 200 with an answer that cannot be read"),
        (302, "", "doubtful: status 302"),
        (503, r#"{"Code":"Throttling"}"#, "doubtful: status 503"),
    ] {
        assert_eq!(said(answer(status, body)), expected, "{status} {body}");
    }
    assert_eq!(said(Seen::NoConnection), "not connected");
    assert_eq!(said(Seen::Silence { why: "time-out".to_owned() }), "doubtful: time-out");
}

#[test]
fn a_report_is_read_with_its_number_time_and_class() {
    let report = |text: &str| serde_json::from_str::<Report>(text).unwrap().receipt().unwrap();
    let arrived = report(
        r#"{"phone_number":"13900000001","success":true,"report_time":"2026-11-23 09:30:07","send_time":"2026-11-23 09:30:00",
            "err_code":"DELIVERED","err_msg":"用户接收成功","sms_size":"1","biz_id":"932702304080415357^0","out_id":"n-1"}"#,
    );
    assert_eq!((arrived.out_id.as_str(), arrived.to.as_deref()), ("n-1", Some("+8613900000001")));
    assert_eq!(arrived.provider_id.as_deref(), Some("932702304080415357^0"));
    assert_eq!(arrived.word, DeliveryWord::Delivered { at: Some("2026-11-23T01:30:07Z".parse().unwrap()) });
    let failed = report(r#"{"phone_number":"13900000001","success":false,"err_code":"MOBILE_IN_BLACK"}"#);
    let DeliveryWord::Undelivered { class, code, .. } = failed.word else { panic!("it did not arrive") };
    assert_eq!((class, code.as_str(), failed.out_id.as_str()), (RefusalClass::Recipient, "MOBILE_IN_BLACK", ""));
}

#[test]
fn what_cannot_be_read_of_a_push_takes_nothing_else_with_it() {
    let body = r#"[{"phone_number":13900000001,"success":true,"biz_id":9,"out_id":"n-1","err_msg":null,"report_time":null},null,
        {"success":null,"out_id":"n-2"},"x",{"out_id":"n-3","success":"false","phone_number":null,"err_code":null},{"out_id":{}}]"#;
    let read = elements::read(body.as_bytes(), Trust::Hint, "{}", Report::receipt).unwrap();
    let ids: Vec<&str> = read.receipts.iter().map(|one| one.out_id.as_str()).collect();
    assert_eq!((ids, read.unreadable), (vec!["n-1", "n-3"], 4));
    assert_eq!(
        (read.receipts[0].to.as_deref(), read.receipts[0].provider_id.as_deref()),
        (Some("+8613900000001"), Some("9"))
    );
    assert!(elements::read(b"{}", Trust::Hint, "{}", Report::receipt).is_err());
}
