//! Keys and what they are entitled to, at the first arrival and at every claim after it.

#![allow(clippy::unwrap_used)] // a failing unwrap is the finding

use super::Keyring;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use zhida_config::Settings;
use zhida_core::ports::store::{AuthorityReader, StoredEvent};
use zhida_core::steps::Authority;
use zhida_schemas::Envelope;
use zhida_schemas::signing::{SigningKey, sign};
use zhida_schemas::text::Id;

/// When the events here arrive.
fn arrival() -> Timestamp {
    "2026-11-23T02:00:00Z".parse().unwrap()
}

/// A keyring with one key, `k`, and these further settings of it.
fn keyring(key: &SigningKey, entitled: &[(&str, &str)]) -> Keyring {
    let public_key = key.public_key().to_string();
    let whole = [
        &[("key", public_key.as_str()), ("sources", "/review/*"), ("types", "application.*,payee.corrected.v1")],
        entitled,
    ];
    let mut members = BTreeMap::new();
    members.extend(whole.concat());
    let flags: Vec<(String, String)> =
        members.into_iter().map(|(name, value)| (format!("intake.trusted_keys.k.{name}"), value.to_owned())).collect();
    Keyring::new(&Settings::load(&flags, [], None).unwrap().trusted_keys)
}

fn signed(key: &SigningKey, source: &str, event_type: &str) -> Vec<u8> {
    let path = format!("{}/../../schemas/v1/{event_type}.example.json", env!("CARGO_MANIFEST_DIR"));
    let mut event: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    event["source"] = json!(source);
    sign(&mut event, &Id::parse("k").unwrap(), key).unwrap();
    event.to_string().into_bytes()
}

const APPROVED: &str = "application.approved.v1";

#[test]
fn a_key_signs_for_its_sources_types_and_time_alone() {
    let key = SigningKey::generate().unwrap();
    for (entitled, source, event_type, refused) in [
        (&[][..], "/review/district", APPROVED, None),
        (
            &[("not_before", "2026-11-23T02:00:00Z"), ("not_after", "2026-11-23T02:00:00Z")],
            "/review/district",
            APPROVED,
            None,
        ),
        (&[("revoked_at", "2026-11-23T02:00:01Z")], "/review/district", APPROVED, None),
        (&[], "/elsewhere", APPROVED, Some("not entitled to this source")),
        (&[("sources", "/review/district")], "/review/district/2", APPROVED, Some("not entitled to this source")),
        (&[], "/review/district", "publicity.started.v1", Some("not entitled to this event type")),
        (
            &[("types", "application.approved.v2")],
            "/review/district",
            APPROVED,
            Some("not entitled to this event type"),
        ),
        (&[("not_before", "2026-11-23T02:00:01Z")], "/review/district", APPROVED, Some("not valid yet")),
        (&[("not_after", "2026-11-23T01:59:59Z")], "/review/district", APPROVED, Some("no longer valid")),
        (&[("revoked_at", "2026-11-23T02:00:00Z")], "/review/district", APPROVED, Some("revoked")),
    ] {
        let envelope = Envelope::parse(&signed(&key, source, event_type)).unwrap();
        let checked = keyring(&key, entitled).check(&envelope, arrival());
        match (checked, refused) {
            (Ok(()), None) => {}
            (Err((code, field, reason)), Some(wanted)) => {
                assert_eq!((code, field), ("key_not_entitled", "keyid"), "{entitled:?}");
                assert!(reason.contains(wanted), "{wanted} in {reason}");
            }
            (checked, refused) => panic!("{entitled:?} {source} {event_type}: {checked:?}, not {refused:?}"),
        }
    }
}

#[test]
fn a_forged_or_unknown_signature_is_found_before_any_right() {
    let (key, forger) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let forged = Envelope::parse(&signed(&forger, "/elsewhere", APPROVED)).unwrap();
    let (code, field, _) = keyring(&key, &[]).check(&forged, arrival()).unwrap_err();
    assert_eq!((code, field), ("signature_invalid", "signature"), "not key_not_entitled: who forges learns nothing");
    let (code, field, _) = Keyring::default().check(&forged, arrival()).unwrap_err();
    assert_eq!((code, field), ("key_unknown", "keyid"));
}

#[test]
fn what_is_sent_is_read_with_the_rights_of_the_first_arrival() {
    let key = SigningKey::generate().unwrap();
    let stored = |body: Vec<u8>, received_at| StoredEvent { body, received_at };
    let approval = || stored(signed(&key, "/review/district", APPROVED), arrival());
    let earlier = arrival() - SignedDuration::from_secs(1);
    let until = |at: &'static str| keyring(&key, &[("not_after", at)]);

    let authority = until("2026-11-23T02:00:00Z").read(&approval(), None).unwrap();
    assert_eq!((authority.key.application_id.as_str(), authority.amount.0), ("A-2026-000123", 50_000_000));
    assert_eq!(until("2026-11-23T01:59:59Z").read(&approval(), None), None, "not valid at its first arrival");
    let in_time = stored(approval().body, earlier);
    assert!(until("2026-11-23T01:59:59Z").read(&in_time, None).is_some(), "what came in time stays authentic");
    assert_eq!(keyring(&key, &[("sources", "/other")]).read(&approval(), None), None);
    assert_eq!(Keyring::default().read(&approval(), None), None, "a key that is gone");

    let mut edited = approval();
    let text = String::from_utf8(edited.body).unwrap().replace("500000.00", "900000.00");
    edited.body = text.into_bytes();
    assert_eq!(keyring(&key, &[]).read(&edited, None), None, "an edit in the database");

    let later = keyring(&key, &[("revoked_at", "2026-11-23T02:00:01Z")]);
    let signed_by_revoked = |authority: Option<Authority>| authority.unwrap().revoked_key;
    assert_eq!(signed_by_revoked(later.read(&approval(), None)).as_deref(), Some("k"), "authentic, and to be held");
    assert_eq!(signed_by_revoked(keyring(&key, &[]).read(&approval(), None)), None);

    // The payee may come from a correction, which must be authentic as well.
    let correction = |at| stored(signed(&key, "/review/district", "payee.corrected.v1"), at);
    assert!(keyring(&key, &[]).read(&approval(), Some(&correction(arrival()))).is_some());
    let expired =
        until("2026-11-23T02:00:00Z").read(&approval(), Some(&correction(arrival() + SignedDuration::from_secs(1))));
    assert_eq!(expired, None, "a correction signed by an expired key");
    assert_eq!(keyring(&key, &[]).read(&correction(arrival()), None), None, "a correction is no approval");
}
