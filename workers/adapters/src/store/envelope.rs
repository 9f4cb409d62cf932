//! How journal rows and outbox rows look: the canonical detail and its leaf, the CloudEvents envelope, the doorbell.

use super::value::{Record, Value};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde_json::json;
use std::str::FromStr;
use uuid::Uuid;
use zhida_core::ids::PayoutKey;
use zhida_core::steps::{JournalRow, Quarantined, WorldEvent};
use zhida_schemas::canonical;
use zhida_schemas::text::{Id, Source, Text};

/// Version of the journal's rows and of what their leaf is computed over.
const JOURNAL_VERSION: i64 = 1;
/// Name of the leaf's algorithm: SHA-256 over the JCS form of `{at, by, detail, kind, subject, version}`, `at` in
/// microseconds.
const LEAF_ALGORITHM: &str = "sha256-jcs";
/// Payouts that one doorbell names at most.
const DOORBELL_MAX: usize = 200;

/// A journal row.
pub(super) fn journal(row: &JournalRow, now: Timestamp) -> Record {
    let detail = String::from_utf8_lossy(&canonical(&row.detail)).into_owned();
    let at = now.as_microsecond();
    let leaf = digest(&SHA256, &whole(row, &detail, at));
    vec![
        ("version", JOURNAL_VERSION.into()),
        ("kind", (&row.kind).into()),
        ("subject", (&row.subject).into()),
        ("at", at.into()),
        ("by", (&row.by).into()),
        ("detail", detail.into()),
        ("leaf_algorithm", LEAF_ALGORITHM.into()),
        ("leaf", leaf.as_ref().to_vec().into()),
    ]
}

/// What a leaf is computed over. It is put together of parts in their canonical form, for a detail may be large, and stands in a column of
/// its own besides.
fn whole(row: &JournalRow, detail: &str, at: i64) -> Vec<u8> {
    let text = |text: &str| canonical(&text.into());
    let (by, kind, subject) = (text(&row.by), text(&row.kind), text(&row.subject));
    let (at, version) = (at.to_string(), JOURNAL_VERSION.to_string());
    let parts: [&[u8]; 13] = [
        b"{\"at\":",
        at.as_bytes(),
        b",\"by\":",
        &by,
        b",\"detail\":",
        detail.as_bytes(),
        b",\"kind\":",
        &kind,
        b",\"subject\":",
        &subject,
        b",\"version\":",
        version.as_bytes(),
        b"}",
    ];
    parts.concat()
}

/// An outbox row with an event for the world.
pub(super) fn world(event: &WorldEvent, sequence: u64, district: &str, now: Timestamp) -> Record {
    let id = Uuid::now_v7().to_string();
    let body = json!({
        "specversion": "1.0",
        "id": id,
        "source": format!("/zhida/{district}"),
        "type": event.event_type,
        "subject": event.subject,
        "time": format!("{now:.6}"),
        "datacontenttype": "application/json",
        "sequence": sequence,
        "data": event.data,
    });
    vec![
        ("id", id.into()),
        ("destination", WORLD.into()),
        ("event_type", Some(event.event_type.as_str()).into()),
        ("subject", Some(event.subject.as_str()).into()),
        ("sequence", Some(i64::try_from(sequence).unwrap_or(i64::MAX)).into()),
        ("body", canonical(&body).into()),
        ("created_at", now.into()),
    ]
}

/// Outbox rows with doorbells for these payouts, many in one.
pub(super) fn doorbells(keys: &[PayoutKey], now: Timestamp) -> Vec<Record> {
    let names = |keys: &[PayoutKey]| keys.iter().map(ToString::to_string).collect::<Vec<_>>();
    keys.chunks(DOORBELL_MAX).map(|keys| doorbell(DOORBELL, &json!({"payouts": names(keys)}), now)).collect()
}

/// An outbox row with a doorbell for the notice workers. It names nothing: they look what waits.
pub(super) fn notice_doorbell(now: Timestamp) -> Record {
    doorbell(NOTICE_DOORBELL, &json!({}), now)
}

fn doorbell(destination: &str, body: &serde_json::Value, now: Timestamp) -> Record {
    vec![
        ("id", Uuid::now_v7().to_string().into()),
        ("destination", destination.into()),
        ("event_type", Value::Text(None)),
        ("subject", Value::Text(None)),
        ("sequence", Value::Int(None)),
        ("body", canonical(body).into()),
        ("created_at", now.into()),
    ]
}

/// `outbox.destination` of events for the world, and of the doorbells of payout and notice workers.
pub(super) const WORLD: &str = "world";
pub(super) const DOORBELL: &str = "payout_doorbell";
pub(super) const NOTICE_DOORBELL: &str = "notice_doorbell";

/// A quarantine row with the event that tells of it. What came may hold anything, so that texts are made storable.
pub(super) fn quarantined(item: &Quarantined, now: Timestamp) -> (Record, WorldEvent) {
    let id = Uuid::now_v7().to_string();
    let text = |text: &Option<String>| text.as_deref().map(storable);
    let (source, event_id, event_type) = (text(&item.source), text(&item.event_id), text(&item.event_type));
    let (field, reason) = (text(&item.field), storable(&item.reason));
    // The row keeps what came as it came; the event says only what its contract allows.
    let data = json!({"quarantine_id": id, "received_at": format!("{now:.6}"),
        "source": lawful::<Source>(&source), "event_id": lawful::<Id>(&event_id), "type": lawful::<Id>(&event_type),
        "reason_code": item.reason_code, "field": lawful::<Text>(&field),
        "reason": Text::parse(reason.as_str()).map_or("unreadable; see `zhida quarantine show`", |_| &reason)});
    let data = data.as_object().cloned().unwrap_or_default();
    let data = data.into_iter().filter(|(_, value)| !value.is_null()).collect();
    let world = WorldEvent { event_type: "event.quarantined.v1".to_owned(), subject: id.clone(), data };
    let record = vec![
        ("id", id.into()),
        ("received_at", now.into()),
        ("digest", item_digest(item).into()),
        ("body", item.body.clone().into()),
        ("way", (&item.way).into()),
        ("source", source.into()),
        ("event_id", event_id.into()),
        ("event_type", event_type.into()),
        ("reason_code", (&item.reason_code).into()),
        ("field", field.into()),
        ("reason", reason.into()),
        ("state", "open".into()),
    ];
    (record, world)
}

/// The journal's row of it, without what the reason may quote.
pub(super) fn journal_of_quarantine(event: &WorldEvent) -> JournalRow {
    let mut detail = event.data.clone();
    if let Some(members) = detail.as_object_mut() {
        members.remove("reason");
    }
    JournalRow { kind: "event.quarantined".to_owned(), subject: event.subject.clone(), by: "system".to_owned(), detail }
}

/// Tells equal quarantined messages: the same bytes, refused for the same reason.
fn item_digest(item: &Quarantined) -> String {
    let head =
        json!([item.reason_code, item.field, item.reason, item.way, item.source, item.event_id, item.event_type]);
    let mut bytes = canonical(&head);
    bytes.extend_from_slice(&item.body);
    HEXLOWER.encode(digest(&SHA256, &bytes).as_ref())
}

/// The text, if it is what a contract's type takes.
fn lawful<T: FromStr>(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| text.parse::<T>().is_ok())
}

/// PostgreSQL stores every character in a text but NUL.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test may fail loudly
    use super::{JOURNAL_VERSION, whole};
    use serde_json::json;
    use zhida_core::steps::JournalRow;
    use zhida_schemas::canonical;

    #[test]
    fn a_leaf_is_computed_over_the_canonical_form() {
        let row = JournalRow {
            kind: "notice.made".to_owned(),
            subject: "A-\"1\"\n直达".to_owned(),
            by: "O-1".to_owned(),
            detail: json!({"z": [1, 2.5, null], "a": {"ü": "\u{1}", "b": true}}),
        };
        let at = 1_795_709_723_494_644;
        let detail = String::from_utf8(canonical(&row.detail)).unwrap();
        let expected = canonical(&json!({"at": at, "by": row.by, "detail": row.detail, "kind": row.kind,
            "subject": row.subject, "version": JOURNAL_VERSION}));
        assert_eq!(whole(&row, &detail, at), expected);
    }
}
