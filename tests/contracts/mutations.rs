//! The frozen schemas against the types that read: every member of every example is removed and replaced by many values. What the
//! types accept, the schema accepts; what only the types refuse is of a kind that a schema cannot say.

use crate::example;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use zhida_schemas::{ContractError, Envelope, InboundEvent, ReasonCode, inbound_schemas};

/// Check digits, calendars, comparisons between members and blank names are beyond a schema.
const BEYOND_A_SCHEMA: [ReasonCode; 8] = [
    ReasonCode::SubjectMismatch,
    ReasonCode::UsccCheckDigit,
    ReasonCode::CnapsCheckDigit,
    ReasonCode::AccountNoForm,
    ReasonCode::TimeForm,
    ReasonCode::DateForm,
    ReasonCode::SignatureForm,
    ReasonCode::TextEmpty,
];

/// Texts of every form the contract knows, and their near misses.
const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "A-1",
    "0",
    "-",
    "1.00",
    "0.00",
    "-1.00",
    "1e6",
    "1.000",
    "100000000000000000000.00",
    "１.00",
    "CNY",
    "cny",
    "zh-CN",
    "first",
    "approve",
    "hearing",
    "settled",
    "ordinary",
    "2026-11-23",
    "2026-02-30",
    "2026-11-23T09:30:00",
    "2026-11-23T09:30:00Z",
    "2026-11-23t09:30:00.123456789z",
    "2026-13-23T09:30:00+08:00",
    "2026-11-23T09:30:60Z",
    "91350100M000100Y43",
    "91350100M000100Y44",
    "91350100m000100y43",
    "102100099996",
    "102100099997",
    "000000000000",
    "+8613800000000",
    "13800000000",
    "GB82WEST12345698765432",
    "GB82WEST12345698765433",
    "-1-2-",
    "a@b.cn",
    "a@b",
    "https://a.example/?q=1#f",
    "a b",
    "a\u{7f}b",
    "a\nb",
    "\u{FFFE}",
    "<b>\"'=1+1</b>",
    "示例科技",
    "😀",
    "1.0",
    "application/json",
    "application/json; charset=utf-8",
    "text/plain",
    "2C26B46B68FFC68FF99B453C1D30413413422D706483BFA0F98A5E886266E7AE",
];

fn replacements() -> Vec<Value> {
    let mut all: Vec<Value> = TEXTS.iter().map(|text| json!(text)).collect();
    all.extend([64, 65, 140, 141, 256, 257, 2048, 2049, 10_000, 10_001].map(|length| json!("a".repeat(length))));
    all.extend([140, 141].map(|length| json!("企".repeat(length))));
    all.extend([
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(-1),
        json!(9999),
        json!(10_000),
        json!(1.5),
        json!(1.0),
    ]);
    all.extend([json!(4_294_967_296_u64), json!([]), json!({}), json!(["A"]), json!(["A", "A"]), json!(["A", "B"])]);
    all.extend([json!(["A", "B", "C"]), json!([[]]), json!([{}])]);
    // What serde would read as a structure by position, or as a word of a list.
    all.extend([json!(["CNY", "1.00"]), json!({"approve": null}), json!({"zh-CN": null}), json!([null, null, null])]);
    all
}

fn take_in(event: &Value) -> Result<InboundEvent, ContractError> {
    InboundEvent::parse(&Envelope::parse(event.to_string().as_bytes())?)
}

fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, child)| (format!("{at}/{name}"), child)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, child)| (format!("{at}/{index}"), child)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (pointer, child) in children {
        pointers(child, &pointer, all);
        all.push(pointer);
    }
}

fn removed(event: &Value, pointer: &str) -> Value {
    let mut event = event.clone();
    let (parent, leaf) = pointer.rsplit_once('/').unwrap();
    match event.pointer_mut(parent).unwrap() {
        Value::Object(members) => drop(members.remove(leaf)),
        Value::Array(items) => drop(items.remove(leaf.parse().unwrap())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => unreachable!("a parent holds members"),
    }
    event
}

#[test]
fn schemas_and_types_agree_on_every_small_change_of_every_example() {
    let replacements = replacements();
    let mut tried: BTreeMap<&str, usize> = BTreeMap::new();
    for schema in inbound_schemas() {
        let validator = jsonschema::validator_for(&schema.schema).unwrap();
        let sample = example(schema.event_type);
        let mut places = Vec::new();
        pointers(&sample, "", &mut places);
        // The attributes are read alike for every type: one type tries them.
        places.retain(|place| place.starts_with("/data") || schema.event_type == "application.approved.v1");
        for place in &places {
            let mut changed = vec![removed(&sample, place)];
            changed.extend(replacements.iter().map(|replacement| {
                let mut event = sample.clone();
                *event.pointer_mut(place).unwrap() = replacement.clone();
                event
            }));
            for event in changed {
                let shown = || format!("{} {place}: {:?}", schema.event_type, event.pointer(place));
                match (take_in(&event), validator.is_valid(&event)) {
                    (Ok(_), true) => *tried.entry("accepted by both").or_default() += 1,
                    (Ok(_), false) => panic!("{}: read, but refused by the schema", shown()),
                    (Err(_), false) => *tried.entry("refused by both").or_default() += 1,
                    (Err(error), true) => {
                        let beyond = BEYOND_A_SCHEMA.contains(&error.code) || place == "/data/new_name";
                        assert!(beyond, "{}: the schema lets through {error}", shown());
                        *tried.entry("refused by the types alone").or_default() += 1;
                    }
                }
            }
        }
    }
    assert!(tried.values().all(|&count| count > 500) && tried.len() == 3, "the changes must try all sides: {tried:?}");
}

#[test]
fn an_optional_member_may_be_absent_or_null_and_unknown_ones_are_kept() {
    let mut event = example("application.approved.v1");
    event["data"]["contacts"] = Value::Null;
    event["data"]["future_member"] = json!({"deep": [1]});
    event["futureattribute"] = json!("kept");
    event.as_object_mut().unwrap().remove("time");
    take_in(&event).unwrap();
    let envelope = Envelope::from_value(event.clone()).unwrap();
    assert_eq!(Value::Object(envelope.members().clone()), event);
}
