//! A pattern whose row cannot be read is left out of what tells of many, and nothing is written over it.

use super::place::Place;
use std::collections::BTreeSet;
use zhida_core::ids::ApplicationId;
use zhida_core::patterns::{Evidence, Found, Rule, Subject};
use zhida_core::ports::patterns::{PatternFilter, PatternStore};
use zhida_core::ports::store::ReadStore;

fn found(id: &str) -> Found {
    Found {
        rule: Rule::PingPong,
        key: id.to_owned(),
        subject: Subject::Application(ApplicationId::from(id)),
        evidence: Evidence { marks: BTreeSet::from(["1".to_owned()]), strength: 1, ..Evidence::default() },
        chinese: "值得核实".to_owned(),
        english: "worth a look".to_owned(),
    }
}

pub(crate) async fn an_unreadable_pattern(place: &Place) {
    let store = place.open().await;
    let both = [found("A-1"), found("A-2")];
    store.put_patterns(&both).await.unwrap();
    place.execute("update patterns set evidence = 'broken', rule = 'broken' where key = 'A-1'").await.unwrap();
    store.put_patterns(&both).await.unwrap();
    let listed = store.patterns(&PatternFilter { rule: None, state: None, limit: 10 }).await.unwrap();
    assert_eq!(listed.iter().map(|one| one.key.as_str()).collect::<Vec<_>>(), ["A-2"]);
    assert_eq!(store.figures().await.unwrap().patterns_by_state.get("new"), Some(&1));
    place.execute("update patterns set rule = 'ping_pong' where key = 'A-1'").await.unwrap();
    assert_eq!(store.patterns(&PatternFilter { rule: None, state: None, limit: 10 }).await.unwrap().len(), 1);
    assert_eq!(store.figures().await.unwrap().patterns_by_state.get("new"), Some(&2));
}
