//! What must not get in, over HTTP: quarantined with the field named or refused with 4xx; nothing else is disturbed.

use crate::World;
use crate::world::approved;
use serde_json::{Value, json};
use zhida_schemas::signing::{SigningKey, sign};
use zhida_schemas::text::Id;

const SINGLE: &str = "application/cloudevents+json";

/// Changes of an approval's data that its contract or the intake's own rules forbid: path, value, field named.
fn forbidden() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("/amount/value", json!("1e6"), "data.amount.value"),
        ("/amount/value", json!("1.000"), "data.amount.value"),
        ("/amount/value", json!("0.00"), "data.amount.value"),
        ("/amount/value", json!("-1.00"), "data.amount.value"),
        ("/amount/value", json!("100000000000000000000.00"), "data.amount.value"),
        ("/amount/value", json!("１.00"), "data.amount.value"),
        ("/amount/value", json!(100), "data.amount.value"),
        ("/amount/value", json!(null), "data.amount.value"),
        ("/amount/currency", json!("yuan"), "data.amount.currency"),
        ("/amount/currency", json!("USD"), "data.amount.currency"),
        ("/enterprise/uscc", json!("914403001922038217"), "data.enterprise.uscc"),
        ("/enterprise/uscc", json!("91350100m000100y43"), "data.enterprise.uscc"),
        ("/enterprise/uscc", json!("９1350100M000100Y43"), "data.enterprise.uscc"),
        ("/enterprise/name", json!(""), "data.enterprise.name"),
        ("/enterprise/name", json!("名".repeat(141)), "data.enterprise.name"),
        ("/payee/bank_code", json!("102100099997"), "data.payee.bank_code"),
        ("/payee/account_no", json!("4000 0201"), "data.payee.account_no"),
        ("/payee/account_no", json!("４000"), "data.payee.account_no"),
        ("/payee", json!([]), "data.payee"),
        ("/policy_id", json!("P 1"), "data.policy_id"),
        ("/policy_id", json!("P-1'; drop table payouts; --"), "data.policy_id"),
        ("/approved_at", json!("2026-11-23T09:30:00"), "data.approved_at"),
        ("/approved_at", json!("soon"), "data.approved_at"),
        ("/approved_at", json!("2999-01-01T00:00:00+08:00"), "data.approved_at"),
        ("/approved_at", json!("1970-01-01T00:00:00Z"), "data.approved_at"),
        ("/approved_at", json!("2001-01-01T00:00:00+08:00"), "data.approved_at"),
        ("/approvals", json!([]), "data.approvals"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_data_is_quarantined_with_its_field_and_disturbs_nothing() {
    let world = World::new("bad-data").await;
    let mut batch = vec![world.approval("A-good-1", "10.00")];
    let cases = forbidden();
    for (number, (path, value, _)) in cases.iter().enumerate() {
        let id = format!("A-bad-{number}");
        let mut data = approved(&id, "10.00");
        *data.pointer_mut(path).unwrap() = value.clone();
        batch.push(world.signed("application.approved.v1", &format!("e-{number}"), &id, &data));
    }
    batch.push(world.approval("A-good-2", "10.00"));
    let (status, answer) =
        world.post(json!(batch).to_string().into_bytes(), "application/cloudevents-batch+json").await;
    assert_eq!((status, &answer["accepted"]), (202, &json!(2)), "{answer}");
    for (number, (path, value, field)) in cases.iter().enumerate() {
        let row = &answer["quarantined"][number];
        assert_eq!((&row["index"], &row["field"]), (&json!(number + 1), &json!(field)), "{path} = {value}: {row}");
    }
    let rows = world.json(&["quarantine", "list", "--json"]);
    assert_eq!(rows.as_array().map(Vec::len), Some(cases.len()));
    world.until("A-good-1", "settled").await;
    world.until("A-good-2", "settled").await;
    assert_eq!(world.credits(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_even_an_event_is_quarantined_or_refused() {
    let world = World::new("no-event").await;
    let good = world.approval("A-1", "10.00").to_string();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let quarantined: [(&str, Vec<u8>); 8] = [
        ("not JSON", b"hello".to_vec()),
        ("nothing", Vec::new()),
        ("half", good.as_bytes()[..good.len() / 2].to_vec()),
        ("not UTF-8", [b"{\"id\":\"".as_slice(), &[0xff, 0xfe], b"\"}"].concat()),
        ("deep", deep.into_bytes()),
        ("an array", b"[]".to_vec()),
        ("a member twice", good.replacen("{", "{\"id\":\"twice\",", 1).into_bytes()),
        ("NUL", good.replacen("示例科技", "\\u0000", 1).into_bytes()),
    ];
    for (what, body) in &quarantined {
        let (status, answer) = world.post(body.clone(), SINGLE).await;
        assert_eq!((status, answer["quarantined"].as_array().map(Vec::len)), (202, Some(1)), "{what}: {answer}");
    }
    let refused: [(&str, Vec<u8>, &str, u16); 6] = [
        ("10 MB", vec![b' '; 10 * 1024 * 1024], SINGLE, 413),
        ("a batch of 10 MB", vec![b' '; 10 * 1024 * 1024], "application/cloudevents-batch+json", 413),
        ("just over 256 KiB", vec![b' '; 256 * 1024 + 1], SINGLE, 413),
        ("another media type", good.clone().into_bytes(), "text/plain", 415),
        ("one event as a batch", good.clone().into_bytes(), "application/cloudevents-batch+json", 400),
        ("no batch", b"{".to_vec(), "application/cloudevents-batch+json", 400),
    ];
    for (what, body, media_type, wanted) in refused {
        let (status, answer) = world.post(body, media_type).await;
        assert_eq!(status, wanted, "{what}: {answer}");
    }
    world.hand_in(&serde_json::from_str(&good).unwrap()).await;
    world.until("A-1", "settled").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_authentic_is_quarantined_and_poisons_no_id() {
    let world = World::new("forged").await;
    let good = world.approval("A-1", "10.00");
    let mut altered = good.clone();
    altered["data"]["payee"]["account_no"] = json!("4000020109000000666");
    let mut stranger = good.clone();
    sign(&mut stranger, &Id::parse("stranger").unwrap(), &SigningKey::generate().unwrap()).unwrap();
    let mut other_key = good.clone();
    sign(&mut other_key, &Id::parse("review").unwrap(), &SigningKey::generate().unwrap()).unwrap();
    let mut unsigned = good.clone();
    unsigned.as_object_mut().unwrap().remove("signature");
    for (event, code) in [
        (altered, "signature_invalid"),
        (stranger, "key_unknown"),
        (other_key, "signature_invalid"),
        (unsigned, "missing"),
    ] {
        let (_, answer) = world.post(event.to_string().into_bytes(), SINGLE).await;
        assert_eq!(answer["quarantined"][0]["reason_code"], code, "{answer}");
    }
    world.hand_in(&good).await;
    world.until("A-1", "settled").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_signs_only_what_it_is_entitled_to() {
    let mut world = World::new("entitled").await;
    let key = world.review.public_key().to_string();
    let ago = "2020-01-01T00:00:00Z";
    for (keyid, name, value) in [
        ("narrow", "SOURCES", "/review/narrow,/review/more/*"),
        ("narrow", "TYPES", "application.approved.v1"),
        ("expired", "NOT_AFTER", ago),
        ("early", "NOT_BEFORE", "2999-01-01T00:00:00Z"),
        ("revoked", "REVOKED_AT", ago),
    ] {
        world.set(&format!("INTAKE__TRUSTED_KEYS__{keyid}__KEY"), &key);
        world.set(&format!("INTAKE__TRUSTED_KEYS__{keyid}__{name}"), value);
    }
    world.kill();
    world.start().await;
    let signed = |keyid: &str, source: &str, event_type: &str| {
        let mut event = world.approval("A-1", "10.00");
        event["type"] = json!(event_type);
        event["source"] = json!(source);
        sign(&mut event, &Id::parse(keyid).unwrap(), &world.review).unwrap();
        event
    };
    let approved = "application.approved.v1";
    for (what, event) in [
        ("another source", signed("narrow", "/review/flows", approved)),
        ("a source that only begins alike", signed("narrow", "/review/narrower", approved)),
        ("another type", signed("narrow", "/review/narrow", "application.revoked.v1")),
        ("a key that has expired", signed("expired", "/review/flows", approved)),
        ("a key that is not valid yet", signed("early", "/review/flows", approved)),
        ("a key that is revoked", signed("revoked", "/review/flows", approved)),
    ] {
        let (_, answer) = world.post(event.to_string().into_bytes(), SINGLE).await;
        assert_eq!(answer["quarantined"][0]["reason_code"], "key_not_entitled", "{what}: {answer}");
    }
    // None of them has used up the name, and what the key may sign is paid.
    world.hand_in(&signed("narrow", "/review/narrow", approved)).await;
    world.until("A-1", "settled").await;
    let mut below = world.approval("A-2", "10.00");
    below["source"] = json!("/review/more/office");
    sign(&mut below, &Id::parse("narrow").unwrap(), &world.review).unwrap();
    world.hand_in(&below).await;
    world.until("A-2", "settled").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strange_names_are_names() {
    let world = World::new("names").await;
    let names = [
        "=cmd|' /C calc'!A0",
        "<script>alert(1)</script>公司",
        "Robert'); drop table payouts;--",
        "\"引号\" & <标签>",
        "😀科技",
    ];
    for (number, name) in names.iter().enumerate() {
        let id = format!("A-{number}");
        let mut data = approved(&id, "10.00");
        data["enterprise"]["name"] = json!(name);
        data["payee"]["account_name"] = json!(name);
        world.hand_in(&world.signed("application.approved.v1", &id, &id, &data)).await;
        let paid = world.until(&id, "settled").await;
        assert_eq!(paid["enterprise"]["name"], **name);
    }
    let paid: Vec<String> =
        world.bank.bank.with_ledger(|ledger| ledger.credits().map(|entry| entry.name.clone()).collect());
    assert_eq!(paid, names);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quarantined_event_is_replayed_when_what_was_wrong_is_mended() {
    let world = World::new("replay").await;
    let wang = world.operator("wang", "releaser");
    // A correction that overtook its approval.
    let correction = json!({"application_id": "A-1", "tranche": 1, "confirmed_by": ["O-1", "O-2"], "at": jiff::Timestamp::now(),
        "reason": "更正", "payee": approved("A-1", "10.00")["payee"]});
    let event = world.signed("payee.corrected.v1", "c-1", "A-1", &correction);
    let (_, answer) = world.post(event.to_string().into_bytes(), SINGLE).await;
    assert_eq!(answer["quarantined"][0]["reason_code"], "correction_without_payout");
    let rows = world.json(&["quarantine", "list", "--json"]);
    let id = rows[0]["id"].as_str().unwrap().to_owned();
    let too_early = world.try_run(&["quarantine", "replay", &id, "--as", "wang", "--key", &wang]);
    assert!(!too_early.status.success(), "still nothing to correct");
    assert_eq!(world.json(&["quarantine", "list", "--json"]).as_array().map(Vec::len), Some(1), "one row, still open");
    let mut waiting = approved("A-1", "10.00");
    waiting["policy_id"] = json!("P-later");
    world.hand_in(&world.signed("application.approved.v1", "a-1", "A-1", &waiting)).await;
    world.run(&["quarantine", "replay", &id]);
    assert_eq!(world.json(&["quarantine", "list", "--json"]), json!([]));
    let shown = world.run(&["quarantine", "show", &id]);
    assert!(shown.contains("payee.corrected.v1"), "{shown}");
}
