//! Kinds of bad input, one row each: what is wrong, the reason code, the field. Signed after the edit, so that each row is refused for
//! its own fault and not for a broken signature, unless the signature is the fault.

use crate::{example, example_key, resign};
use serde_json::{Value, json};
use zhida_schemas::ReasonCode::{self, *};
use zhida_schemas::{ContractError, Envelope, InboundEvent, strict_json};

const APPROVED: &str = "application.approved.v1";

/// As intake does it: read, compare with the routing key, verify, read the data.
fn take_in(bytes: &[u8], routing_key: &str) -> Result<InboundEvent, ContractError> {
    let envelope = Envelope::parse(bytes)?;
    envelope.check_routing_key(routing_key)?;
    envelope.verify(&example_key().public_key())?;
    InboundEvent::parse(&envelope)
}

fn edited(pointer: &str, value: Value) -> Value {
    let mut event = example(APPROVED);
    let (parent, leaf) = pointer.rsplit_once('/').unwrap();
    event.pointer_mut(parent).unwrap()[leaf] = value;
    event
}

#[test]
fn a_value_of_the_wrong_form_is_named() {
    let long_name = json!("企".repeat(141));
    let rows: Vec<(&str, Value, ReasonCode, &str)> = vec![
        ("/data/amount/value", json!("1e6"), AmountExponent, "data.amount.value"),
        ("/data/amount/value", json!("1.000"), AmountDecimals, "data.amount.value"),
        ("/data/amount/value", json!("0.00"), AmountZero, "data.amount.value"),
        ("/data/amount/value", json!("-5.00"), AmountNegative, "data.amount.value"),
        ("/data/amount/value", json!("100000000000000000000.00"), AmountTooLarge, "data.amount.value"),
        ("/data/amount/value", json!("５０００.00"), AmountDigits, "data.amount.value"),
        ("/data/amount/value", json!("1,000.00"), AmountForm, "data.amount.value"),
        ("/data/amount/value", json!(500000), WrongType, "data.amount.value"),
        ("/data/amount", json!("500000.00"), WrongType, "data.amount"),
        ("/data/amount/currency", json!("cny"), CurrencyForm, "data.amount.currency"),
        ("/data/enterprise/uscc", json!("91350100M000100Y44"), UsccCheckDigit, "data.enterprise.uscc"),
        ("/data/enterprise/uscc", json!("91350100m000100y43"), UsccCharacter, "data.enterprise.uscc"),
        ("/data/enterprise/uscc", json!("91350100M000100Y4"), UsccLength, "data.enterprise.uscc"),
        ("/data/payee/bank_code", json!("102100099997"), CnapsCheckDigit, "data.payee.bank_code"),
        ("/data/payee/bank_code", json!("ICBKCNBJ"), CnapsForm, "data.payee.bank_code"),
        ("/data/payee/account_no", json!("4000 0201 0900"), AccountNoForm, "data.payee.account_no"),
        ("/data/payee/account_name", json!(""), TextEmpty, "data.payee.account_name"),
        ("/data/enterprise/name", long_name, TextTooLong, "data.enterprise.name"),
        ("/data/enterprise/name", json!("两行\n名称"), ControlCharacter, "data.enterprise.name"),
        ("/data/approved_at", json!("2026-11-23T09:30:00"), TimeOffsetMissing, "data.approved_at"),
        ("/data/approved_at", json!("2026-02-30T09:30:00+08:00"), TimeForm, "data.approved_at"),
        ("/data/approvals", json!([]), TooFew, "data.approvals"),
        ("/data/approvals/0/officer_id", json!("O 12"), IdForm, "data.approvals[0].officer_id"),
        ("/data/tranche", json!(0), OutOfRange, "data.tranche"),
        ("/data/tranche", json!(-1), OutOfRange, "data.tranche"),
        ("/data/tranche", json!("1"), WrongType, "data.tranche"),
        ("/data/policy_id", json!("'; drop table payouts; --"), IdForm, "data.policy_id"),
        ("/data/contacts/mobile", json!("call me"), MobileForm, "data.contacts.mobile"),
        ("/data/contacts/email", json!("a@b.cn\r\nBcc: c@d.cn"), EmailForm, "data.contacts.email"),
        ("/data/contacts/locale", json!("fr"), UnknownValue, "data.contacts.locale"),
        ("/data/documents", json!([{"title": "t", "sha256": "00"}]), Sha256Form, "data.documents[0].sha256"),
        ("/data/application_id", json!("A-2026-999999"), SubjectMismatch, "subject"),
        ("/subject", json!("A-2026-999999"), SubjectMismatch, "subject"),
        ("/data", json!([]), WrongType, "data"),
        ("/data_base64", json!("e30="), DataBase64, "data_base64"),
        ("/specversion", json!("0.3"), SpecVersion, "specversion"),
        ("/type", json!("application.approved.v9"), UnknownType, "type"),
        ("/id", json!("x".repeat(65)), IdForm, "id"),
        ("/source", json!("/review district"), UriForm, "source"),
        ("/time", json!("yesterday"), TimeForm, "time"),
        ("/datacontenttype", json!("application/xml"), ContentType, "datacontenttype"),
    ];
    for (pointer, value, code, field) in rows {
        let mut event = edited(pointer, value);
        resign(&mut event);
        let routing_key = event["type"].as_str().unwrap().to_owned();
        let error = take_in(event.to_string().as_bytes(), &routing_key).expect_err(pointer);
        assert_eq!((error.code, error.field.as_str()), (code, field), "{pointer}: {error}");
    }
}

#[test]
fn a_missing_member_is_named() {
    for (pointer, field) in [
        ("/data/payee", "data.payee"),
        ("/data/payee/bank_code", "data.payee.bank_code"),
        ("/data/approvals/0/decided_at", "data.approvals[0].decided_at"),
        ("/data/amount/currency", "data.amount.currency"),
        ("/data", "data"),
        ("/id", "id"),
        ("/subject", "subject"),
    ] {
        let mut event = example(APPROVED);
        let (parent, leaf) = pointer.rsplit_once('/').unwrap();
        event.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(leaf).unwrap();
        resign(&mut event);
        let error = take_in(event.to_string().as_bytes(), APPROVED).expect_err(pointer);
        assert_eq!((error.code, error.field.as_str()), (Missing, field), "{error}");
    }
}

#[test]
fn bytes_that_cannot_be_read_are_told_apart() {
    let good = example(APPROVED).to_string();
    let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    let with = |member: &str| good.replacen('{', &format!("{{{member},"), 1).into_bytes();
    let rows: Vec<(&str, Vec<u8>, ReasonCode, &str)> = vec![
        ("nothing", b"".to_vec(), NotJson, ""),
        ("not JSON", b"<event/>".to_vec(), NotJson, ""),
        ("cut short", good.as_bytes()[..good.len() - 1].to_vec(), NotJson, ""),
        ("something after it", format!("{good}{good}").into_bytes(), NotJson, ""),
        ("a byte order mark", format!("\u{FEFF}{good}").into_bytes(), NotJson, ""),
        ("half a surrogate pair", with(r#""x":"\ud800""#), NotJson, ""),
        ("NaN", with(r#""x":NaN"#), NotJson, ""),
        (
            "invalid UTF-8",
            good.replace("示", "@@").into_bytes().iter().map(|b| if *b == b'@' { 0xff } else { *b }).collect(),
            NotUtf8,
            "",
        ),
        ("10 MB", vec![b' '; 10_000_000], TooLarge, ""),
        ("a megabyte of brackets", vec![b'['; 200_000], TooDeep, ""),
        ("an array", format!("[{good}]").into_bytes(), NotAnObject, ""),
        ("a member twice", with(r#""id":"other""#), DuplicateMember, "id"),
        (
            "a member twice, deep",
            good.replacen(r#""value":"#, r#""value":"1.00","value":"#, 1).into_bytes(),
            DuplicateMember,
            "data.amount.value",
        ),
        ("a member twice, differently escaped", with(r#""\u0069d":"other""#), DuplicateMember, "id"),
        ("a member twice in a list", with(r#""x":[{},{"y":1,"y":1}]"#), DuplicateMember, "x[1].y"),
        (
            "NUL in a name",
            good.replacen("示例银行", "示例\\u0000银行", 1).into_bytes(),
            NulCharacter,
            "data.payee.bank_name",
        ),
        ("NUL in a member's name", with(r#""x\u0000":1"#), NulCharacter, ""),
        ("a raw NUL", good.replacen("示例银行", "示例\0银行", 1).into_bytes(), NotJson, ""),
        ("an integer that readers round", with(r#""x":9007199254740993"#), NumberRange, "x"),
        ("an integer of 100 digits", with(&format!(r#""x":1{}"#, "0".repeat(99))), NumberRange, "x"),
    ];
    for (what, bytes, code, field) in rows {
        let error = take_in(&bytes, APPROVED).expect_err(what);
        assert_eq!((error.code, error.field.as_str()), (code, field), "{what}: {error}");
    }
    let too_deep = strict_json::parse(nested(65).as_bytes()).unwrap_err();
    assert_eq!(too_deep.code, TooDeep);
    strict_json::parse(nested(64).as_bytes()).unwrap();
}

#[test]
fn who_signed_and_where_it_was_published_matter() {
    let signed = example(APPROVED);
    let without = |member: &str| {
        let mut event = signed.clone();
        event.as_object_mut().unwrap().remove(member);
        event
    };
    let rows = [
        ("altered after signing", edited("/data/amount/value", json!("900000.00")), SignatureInvalid, "signature"),
        ("unsigned", without("signature"), Missing, "signature"),
        ("no key named", without("keyid"), Missing, "keyid"),
        ("not a signature", edited("/signature", json!("abc")), SignatureForm, "signature"),
        ("padded signature", edited("/signature", json!(format!("{}==", "A".repeat(86)))), SignatureForm, "signature"),
        ("no id of a key", edited("/keyid", json!("a key")), IdForm, "keyid"),
    ];
    for (what, event, code, field) in rows {
        let error = take_in(event.to_string().as_bytes(), APPROVED).expect_err(what);
        assert_eq!((error.code, error.field.as_str()), (code, field), "{what}: {error}");
    }
    let error =
        take_in(edited("/data/payee/bank_code", json!("1".repeat(12))).to_string().as_bytes(), APPROVED).unwrap_err();
    assert_eq!(error.code, SignatureInvalid, "a forgery is refused before its data is read");
    let error = take_in(signed.to_string().as_bytes(), "application.withdrawn.v1").unwrap_err();
    assert_eq!((error.code, error.field.as_str()), (RoutingKey, "type"));
}

#[test]
fn other_events_have_rules_of_their_own() {
    let rows = [
        ("payee.corrected.v1", "/data/confirmed_by", json!(["O-1", "O-1"]), SamePerson, "data.confirmed_by"),
        ("payee.corrected.v1", "/data/confirmed_by", json!(["O-1"]), OutOfRange, "data.confirmed_by"),
        ("payee.corrected.v1", "/data/tranche", json!(null), WrongType, "data.tranche"),
        ("review.decided.v1", "/data/stage", json!("third"), UnknownValue, "data.stage"),
        ("enterprise.changed.v1", "/data/new_name", json!(null), Missing, "data.new_name"),
        ("enterprise.changed.v1", "/subject", json!("914403001922038216"), SubjectMismatch, "subject"),
        ("integrity.alleged.v1", "/subject", json!("A-2026-000123"), SubjectMismatch, "subject"),
        ("operator.release.v1", "/data/reason_codes", json!([]), TooFew, "data.reason_codes"),
        ("operator.decide.v1", "/data/decision", json!("paid"), UnknownValue, "data.decision"),
        ("operator.decide.v1", "/data/generation", json!(0), OutOfRange, "data.generation"),
    ];
    for (event_type, pointer, value, code, field) in rows {
        let mut event = example(event_type);
        *event.pointer_mut(pointer).unwrap() = value;
        resign(&mut event);
        let error = take_in(event.to_string().as_bytes(), event_type).expect_err(pointer);
        assert_eq!((error.code, error.field.as_str()), (code, field), "{event_type} {pointer}: {error}");
    }
    let mut commitment = example("commitment.signed.v1");
    commitment["subject"] = commitment["data"]["enterprise"]["uscc"].clone();
    resign(&mut commitment);
    take_in(commitment.to_string().as_bytes(), "commitment.signed.v1").unwrap();
}

#[test]
fn strange_names_are_names() {
    for name in [
        "'; drop table payouts; --",
        "<script>alert(1)</script>",
        "=1+1",
        "O\"Brien & 儿子",
        "Ωμέγα 😀",
        "\u{202E}示例",
    ] {
        let mut event = edited("/data/enterprise/name", json!(name));
        event["data"]["payee"]["account_name"] = json!(name);
        resign(&mut event);
        match take_in(event.to_string().as_bytes(), APPROVED).unwrap() {
            InboundEvent::ApplicationApproved(approved) => {
                assert_eq!((approved.enterprise.name.as_str(), approved.payee.account_name.as_str()), (name, name));
            }
            other => panic!("read as {}", other.event_type()),
        }
    }
}

/// Errors are answered, logged and listed: they may not carry what the law protects.
#[test]
fn errors_hold_no_personal_data() {
    let secrets = ["40000201090000000X1", "+861380000000X", "secret@example", "张三李四"];
    for (pointer, value) in [
        ("/data/payee/account_no", json!(secrets[0])),
        ("/data/payee", json!(secrets[0])),
        ("/data/payee", json!([secrets[0]])),
        ("/data/contacts/mobile", json!(secrets[1])),
        ("/data/contacts/email", json!(secrets[2])),
        ("/data/contacts", json!(secrets[2])),
        ("/data/contacts/locale", json!({"mobile": secrets[1]})),
        ("/data/payee/account_name", json!(format!("{}\n", secrets[3]))),
    ] {
        let mut event = edited(pointer, value);
        resign(&mut event);
        let error = take_in(event.to_string().as_bytes(), APPROVED).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(secrets.iter().all(|secret| !shown.contains(secret)), "{pointer}: {shown}");
    }
}

#[test]
fn the_sentence_says_what_where_and_what_to_do() {
    let mut event = edited("/data/amount/value", json!("1e6"));
    resign(&mut event);
    let error = take_in(event.to_string().as_bytes(), APPROVED).unwrap_err();
    let sentence = "data.amount.value (here \"1e6\") is written with an exponent: write the amount without an exponent, as in \
                    \"1000000.00\" [amount_exponent]";
    assert_eq!(error.to_string(), sentence);
    let codes: std::collections::BTreeSet<_> = ReasonCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(codes.len(), ReasonCode::ALL.len(), "codes are told apart");
}

#[test]
fn a_body_is_cut_into_its_events() {
    let two = strict_json::split_events(br#" [ {"a":1} , {"a":1,"a":2} ] "#).unwrap();
    assert_eq!(two, [br#"{"a":1}"#.as_slice(), br#"{"a":1,"a":2}"#.as_slice()]);
    assert_eq!(strict_json::split_events(br#"{"a":1}"#).unwrap_err().code, WrongType);
    assert_eq!(strict_json::split_events(b"[]").unwrap().len(), 0);
    assert_eq!(strict_json::split_events(b"[{},").unwrap_err().code, NotJson);
    assert_eq!(strict_json::split_events(b"[\xff]").unwrap_err().code, NotUtf8);
    let deep = [b"[".repeat(300_000), b"]".repeat(300_000)].concat();
    assert_eq!(strict_json::split_events(&deep).unwrap().len(), 1, "depth is each event's own affair");
}
