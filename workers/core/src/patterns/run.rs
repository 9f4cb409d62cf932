//! What a run over all applications wants written: patterns that are new or were found again, with what the journal and the world are
//! told. Found twice, or by two workers at once, it comes to the same.

use super::pattern::{Change, pattern_id};
use super::{Found, Pattern, Rule, Seal};
use crate::steps::{JournalRow, WorldEvent};
use crate::supervision::Audience;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// What a run saw.
#[derive(Clone, Debug, Default)]
pub struct PatternsSeen {
    /// Patterns that are new or were found again.
    pub patterns: Vec<Pattern>,
    /// Journal rows, in order.
    pub journal: Vec<JournalRow>,
    /// Events for the world, in order.
    pub world: Vec<WorldEvent>,
}

/// What goes out of patterns.
pub(crate) const EVENT_TYPE: &str = "supervision.pattern.v1";

/// The ids of what was found, as it is stored or will be.
#[must_use]
pub fn ids(found: &[Found], seal: &Seal) -> Vec<String> {
    found.iter().map(|one| pattern_id(one.rule, &one.key, seal)).collect()
}

/// Brings what was found together with what is known of it, by id.
#[must_use]
pub fn settle(mut known: BTreeMap<String, Pattern>, found: Vec<Found>, seal: &Seal, now: Timestamp) -> PatternsSeen {
    let mut seen = PatternsSeen::default();
    for one in merged(found) {
        let id = pattern_id(one.rule, &one.key, seal);
        let (pattern, occasion) = match known.remove(&id) {
            None => (Pattern::new(one, seal, now), Some("found")),
            Some(mut pattern) => {
                let occasion = match pattern.found_again(one, now) {
                    Change::Same => None,
                    Change::Grown => Some("grown"),
                    Change::Reopened => Some("reopened"),
                };
                (pattern, occasion)
            }
        };
        if let Some(occasion) = occasion {
            seen.tell(&pattern, occasion);
        }
        seen.patterns.push(pattern);
    }
    seen
}

/// Each pattern once, where it was first found, with the evidence of all: a store writes each row once.
fn merged(found: Vec<Found>) -> Vec<Found> {
    let mut places: BTreeMap<(Rule, String), usize> = BTreeMap::new();
    let mut merged: Vec<Found> = Vec::with_capacity(found.len());
    for one in found {
        match places.entry((one.rule, one.key.clone())) {
            Entry::Vacant(place) => {
                place.insert(merged.len());
                merged.push(one);
            }
            Entry::Occupied(place) => merged[*place.get()].evidence.join(one.evidence),
        }
    }
    merged
}

impl PatternsSeen {
    fn tell(&mut self, pattern: &Pattern, occasion: &str) {
        let data = told(pattern, occasion);
        self.journal.push(JournalRow {
            kind: format!("pattern.{occasion}"),
            subject: pattern.id.clone(),
            by: "system".to_owned(),
            detail: data.clone(),
        });
        self.world.push(WorldEvent { event_type: EVENT_TYPE.to_owned(), subject: pattern.id.clone(), data });
    }
}

/// The pattern in the form of `schemas/v1/supervision.pattern.v1`. Of officers it tells rule, counts and id, and nothing else.
pub(crate) fn told(pattern: &Pattern, occasion: &str) -> Value {
    let mut data = json!({
        "pattern_id": pattern.id,
        "rule": pattern.rule.code(),
        "occasion": occasion,
        "state": pattern.state.code(),
        "applications": pattern.evidence.applications.len(),
        "sample": pattern.evidence.sample,
    });
    match pattern.rule.audience() {
        Audience::Inspection => {}
        Audience::Supervision => {
            data["subject_kind"] = json!(pattern.subject.kind());
            data["subject_id"] = json!(pattern.subject.text());
            if let Some(policy_id) = &pattern.evidence.policy_id {
                data["policy_id"] = json!(policy_id);
            }
        }
    }
    data
}
