//! The files in `schemas/` are what the types say. `ZHIDA_BLESS=1` writes them anew; a change of a published `v1` is then seen in the
//! diff, and is a mistake unless it only widens what is accepted.

use crate::{example, example_key, resign, schemas_dir};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use zhida_schemas::outbound::OutboundEvent;
use zhida_schemas::{Envelope, EventSchema, InboundEvent, asyncapi, inbound_schemas, outbound_schemas, strict_json};

fn blessing() -> bool {
    std::env::var_os("ZHIDA_BLESS").is_some_and(|value| value == "1")
}

fn all_schemas() -> Vec<EventSchema> {
    inbound_schemas().into_iter().chain(outbound_schemas()).collect()
}

fn hold(path: &Path, wanted: &Value) {
    let text = format!("{wanted:#}\n");
    if blessing() {
        std::fs::write(path, text).unwrap();
        return;
    }
    let frozen = std::fs::read_to_string(path).unwrap_or_default();
    assert!(frozen == text, "{} is not what the types say; if the change is meant: ZHIDA_BLESS=1", path.display());
}

#[test]
fn schemas_are_frozen() {
    let folder = schemas_dir().join("v1");
    for event in all_schemas() {
        hold(&folder.join(format!("{}.schema.json", event.event_type)), &event.schema);
    }
    hold(&schemas_dir().join("asyncapi.json"), &asyncapi());
}

#[test]
fn every_type_has_its_two_files_and_no_file_is_left_over() {
    let expected: BTreeSet<String> = all_schemas()
        .iter()
        .flat_map(|event| ["schema", "example"].map(|kind| format!("{}.{kind}.json", event.event_type)))
        .collect();
    let folder = std::fs::read_dir(schemas_dir().join("v1")).unwrap();
    let present: BTreeSet<String> = folder.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(present, expected);
}

#[test]
fn examples_of_what_comes_in_are_signed_read_and_valid() {
    let listed: Vec<_> = inbound_schemas().iter().map(|event| event.event_type).collect();
    assert_eq!(listed, InboundEvent::TYPES);
    for event in inbound_schemas() {
        let mut sample = example(event.event_type);
        if blessing() {
            resign(&mut sample);
        }
        hold(&schemas_dir().join("v1").join(format!("{}.example.json", event.event_type)), &sample);
        let validator = jsonschema::validator_for(&event.schema).unwrap();
        let complaints: Vec<_> = validator.iter_errors(&sample).map(|error| error.to_string()).collect();
        assert!(complaints.is_empty(), "{}: {complaints:?}", event.event_type);

        let envelope = Envelope::parse(sample.to_string().as_bytes()).unwrap();
        envelope.verify(&example_key().public_key()).unwrap();
        let read = InboundEvent::parse(&envelope).unwrap();
        assert_eq!((read.event_type(), read.subject()), (event.event_type, envelope.attributes.subject.as_str()));
    }
}

/// What we write, we read back as the same: drafts of operators, the demo and the console rest on it.
#[test]
fn a_draft_of_what_was_read_says_the_same() {
    for event_type in InboundEvent::TYPES {
        let envelope = Envelope::from_value(example(event_type)).unwrap();
        let event = InboundEvent::parse(&envelope).unwrap();
        let attributes = &envelope.attributes;
        let mut draft = event.draft(&attributes.id, &attributes.source, attributes.time.unwrap());
        resign(&mut draft);
        assert_eq!(InboundEvent::parse(&Envelope::from_value(draft).unwrap()).unwrap(), event);
    }
}

#[test]
fn examples_of_what_goes_out_are_valid_and_as_we_write_them() {
    for event in outbound_schemas() {
        let sample = example(event.event_type);
        hold(&schemas_dir().join("v1").join(format!("{}.example.json", event.event_type)), &sample);
        let validator = jsonschema::validator_for(&event.schema).unwrap();
        let complaints: Vec<_> = validator.iter_errors(&sample).map(|error| error.to_string()).collect();
        assert!(complaints.is_empty(), "{}: {complaints:?}", event.event_type);
        let read: OutboundEvent = serde_json::from_value(sample.clone()).unwrap();
        assert_eq!(strict_json::parse(&read.to_bytes()).unwrap(), sample);
        assert_eq!(read.attributes.event_type.as_str(), event.event_type);
        typed_data_round_trips(event.event_type, &read.data);
    }
}

fn typed_data_round_trips(event_type: &str, data: &Value) {
    use zhida_schemas::notices::{NoticeData, NoticeOccasion};
    use zhida_schemas::outbound::{
        AtRiskData, OperatorActedData, OutboundData, PayoutData, PayoutOccasion, QuarantinedData,
    };
    use zhida_schemas::supervision::{OrderData, PatternData, SupervisionData, SupervisionOccasion};
    fn read<T: serde::de::DeserializeOwned>(data: &Value) -> T {
        serde_json::from_value(data.clone()).unwrap()
    }
    let occasion = PayoutOccasion::ALL.iter().find(|occasion| occasion.event_type() == event_type);
    let typed = match (occasion, event_type) {
        (Some(PayoutOccasion::AtRisk), _) => OutboundData::AtRisk(read::<AtRiskData>(data)),
        (Some(occasion), _) => OutboundData::Payout(*occasion, read::<PayoutData>(data)),
        (None, "event.quarantined.v1") => OutboundData::Quarantined(read::<QuarantinedData>(data)),
        (None, "operator.acted.v1") => OutboundData::OperatorActed(read::<OperatorActedData>(data)),
        (None, "supervision.order.v1") => OutboundData::Order(read::<OrderData>(data)),
        (None, "supervision.pattern.v1") => OutboundData::Pattern(read::<PatternData>(data)),
        (None, other) if other.starts_with("notice.") => {
            let occasion = NoticeOccasion::ALL.iter().find(|occasion| occasion.event_type() == other);
            OutboundData::Notice(*occasion.expect("a type that goes out"), read::<NoticeData>(data))
        }
        (None, other) => {
            let occasion = SupervisionOccasion::ALL.iter().find(|occasion| occasion.event_type() == other);
            OutboundData::Supervision(*occasion.expect("a type that goes out"), read::<SupervisionData>(data))
        }
    };
    assert_eq!((typed.event_type(), &typed.to_value()), (event_type, data));
}
