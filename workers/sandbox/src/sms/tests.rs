//! What the simulated vendors check of a request, tried with the examples of the real vendors' documentation and with requests that are
//! almost right. That whole calls come through is tried with the providers, over sockets.
#![allow(clippy::unwrap_used)] // a test may fail loudly

use super::desk::Desk;
use super::routes::Asked;
use super::signing::{hex, hmac_sha256, sha256_hex};
use super::{SmsSettings, aliyun, tencent};
use crate::reply::Reply;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

fn asked(path: &str, query: &str, headers: &[(&str, &str)], body: &str) -> Asked {
    Asked {
        method: "POST".to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: body.to_owned().into(),
    }
}

/// The code of an answer, wherever the vendor puts it.
fn code(reply: &Reply) -> String {
    let Reply::Json { text, .. } = reply else { panic!("{reply:?}") };
    let answer: serde_json::Value = serde_json::from_str(text).unwrap();
    let of = answer.get("Code").or_else(|| answer.pointer("/Response/Error/Code"));
    of.map_or_else(String::new, |code| code.as_str().unwrap().to_owned())
}

fn desk(key_id: &str, secret: &str) -> Desk {
    Desk::open(SmsSettings { key_id: key_id.to_owned(), secret: secret.to_owned(), ..SmsSettings::default() })
}

/// The signature holds: only the time, of years ago, is refused.
#[tokio::test]
async fn the_documented_examples_are_authentic_and_old() {
    let empty = sha256_hex(b"");
    let authorization = "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;\
                         x-acs-date;x-acs-signature-nonce;x-acs-version,\
                         Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0";
    let headers = [
        ("host", "ecs.cn-shanghai.aliyuncs.com"),
        ("x-acs-action", "RunInstances"),
        ("x-acs-content-sha256", empty.as_str()),
        ("x-acs-date", "2023-10-26T10:22:32Z"),
        ("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
        ("x-acs-version", "2014-05-26"),
        ("authorization", authorization),
    ];
    let query = "RegionId=cn-shanghai&ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd";
    let vendor = desk("YourAccessKeyId", "YourAccessKeySecret");
    let reply = aliyun::answer(&vendor, &asked("/", query, &headers, "")).await;
    assert_eq!(code(&reply), "InvalidTimeStamp.Expired");
    let reply = aliyun::answer(&vendor, &asked("/", &query.replace("cn-shanghai", "cn-hangzhou"), &headers, "")).await;
    assert_eq!(code(&reply), "SignatureDoesNotMatch");
    let reply = aliyun::answer(&vendor, &asked("/", query, &headers, "x")).await;
    assert_eq!(code(&reply), "IncompleteSignature", "of another body");

    let vendor = desk("AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE");
    let authorization = "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, \
                         SignedHeaders=content-type;host, \
                         Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168";
    let headers = [
        ("host", "cvm.tencentcloudapi.com"),
        ("content-type", "application/json; charset=utf-8"),
        ("x-tc-timestamp", "1551113065"),
        ("authorization", authorization),
    ];
    let body = r#"{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}"#;
    let reply = tencent::answer(&vendor, &asked("/", "", &headers, body)).await;
    assert_eq!(code(&reply), "AuthFailure.InvalidAuthorization", "of another service");
    let reply = tencent::answer(&vendor, &asked("/", "", &headers, &body.replace('1', "2"))).await;
    assert_eq!(code(&reply), "AuthFailure.SignatureFailure");
}

/// A request to Alibaba, signed here.
fn signed(at: Timestamp, nonce: &str, leave_out: &str) -> Asked {
    let empty = sha256_hex(b"");
    let date = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let headers = BTreeMap::from([
        ("host", "sms"),
        ("x-acs-action", "Nothing"),
        ("x-acs-content-sha256", empty.as_str()),
        ("x-acs-date", date.as_str()),
        ("x-acs-signature-nonce", nonce),
        ("x-acs-version", "2017-05-25"),
    ]);
    let names: Vec<&str> = headers.keys().copied().filter(|name| *name != leave_out).collect();
    let lines: String = names.iter().map(|name| format!("{name}:{}\n", headers[name])).collect();
    let names = names.join(";");
    let canonical = format!("POST\n/sms/aliyun\n\n{lines}\n{names}\n{empty}");
    let text = format!("ACS3-HMAC-SHA256\n{}", sha256_hex(canonical.as_bytes()));
    let signature = hex(&hmac_sha256(b"sandbox-key-secret", text.as_bytes()));
    let authorization =
        format!("ACS3-HMAC-SHA256 Credential=sandbox-key-id,SignedHeaders={names},Signature={signature}");
    let mut all: Vec<(&str, &str)> = headers.into_iter().collect();
    all.push(("authorization", &authorization));
    asked("/sms/aliyun", "", &all, "")
}

#[tokio::test]
async fn a_request_counts_once_now_and_with_every_header_signed() {
    let vendor = Desk::open(SmsSettings::default());
    let now = Timestamp::now();
    let minutes = SignedDuration::from_mins;
    for (at, nonce, leave_out, expected) in [
        (now, "a", "", "InvalidAction.NotFound"),
        (now, "a", "", "SignatureNonceUsed"),
        (now, "b", "", "InvalidAction.NotFound"),
        (now - minutes(14), "c", "", "InvalidAction.NotFound"),
        (now - minutes(16), "d", "", "InvalidTimeStamp.Expired"),
        (now + minutes(16), "e", "", "InvalidTimeStamp.Expired"),
        (now, "f", "x-acs-action", "IncompleteSignature"),
        (now, "g", "host", "IncompleteSignature"),
        (now, "h", "x-acs-content-sha256", "IncompleteSignature"),
    ] {
        let reply = aliyun::answer(&vendor, &signed(at, nonce, leave_out)).await;
        assert_eq!(code(&reply), expected, "{nonce} {leave_out}");
    }
    let mut bare = signed(now, "i", "");
    bare.headers.remove("authorization");
    assert_eq!(code(&aliyun::answer(&vendor, &bare).await), "IncompleteSignature");
}
