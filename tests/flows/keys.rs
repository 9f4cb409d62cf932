//! Whose signature counts for what: keys bounded to sources, types and times, in the settings of a running service.

use crate::World;
use crate::world::{approved, unsigned};
use serde_json::json;
use zhida_schemas::signing::{SigningKey, sign};
use zhida_schemas::text::Id;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_signs_for_its_own_sources_types_and_time_alone() {
    let key = SigningKey::generate().unwrap();
    let public_key = key.public_key().to_string();
    let mut settings = Vec::new();
    for (keyid, name, value) in [
        ("narrow", "SOURCES", "/review/flows"),
        ("narrow", "TYPES", "application.*"),
        ("old", "NOT_AFTER", "2026-01-01T00:00:00+08:00"),
        ("stolen", "REVOKED_AT", "2026-01-01T00:00:00+08:00"),
    ] {
        settings.push((format!("INTAKE__TRUSTED_KEYS__{keyid}__KEY"), public_key.as_str()));
        settings.push((format!("INTAKE__TRUSTED_KEYS__{keyid}__{name}"), value));
    }
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let world = World::with_settings("keys", &settings).await;
    for (number, (keyid, source, event_type, refused)) in [
        ("narrow", "/review/other", "application.approved.v1", "not entitled to this source"),
        ("narrow", "/review/flows", "publicity.started.v1", "not entitled to this event type"),
        ("old", "/review/flows", "application.approved.v1", "no longer valid"),
        ("stolen", "/review/flows", "application.approved.v1", "revoked"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("A-{number}");
        let mut event = unsigned(event_type, &id, &id, &approved(&id, "10.00"));
        event["source"] = json!(source);
        sign(&mut event, &Id::parse(keyid).unwrap(), &key).unwrap();
        let (status, answer) = world.post(event.to_string().into_bytes(), "application/cloudevents+json").await;
        let row = &answer["quarantined"][0];
        assert_eq!((status, &row["reason_code"], &row["field"]), (202, &json!("key_not_entitled"), &json!("keyid")));
        assert!(row["reason"].as_str().unwrap().contains(refused), "{refused} in {row}");
    }
    let mut event = unsigned("application.approved.v1", "ok", "A-ok", &approved("A-ok", "10.00"));
    sign(&mut event, &Id::parse("narrow").unwrap(), &key).unwrap();
    world.hand_in(&event).await;
    world.until("A-ok", "settled").await;
    assert_eq!(world.credits(), 1);
}
