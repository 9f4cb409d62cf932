//! What goes out, held against its own frozen contract. Not the contract itself: that stands in `schemas/v1`.

use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::OnceLock;
use zhida_core::ports::queue::Destination;
use zhida_core::ports::store::OutboxRow;

/// Fails unless every event among these rows is what its schema demands. Says which types there were, in order.
///
/// # Panics
/// With the schema's complaints and the event.
pub fn keeps_its_contract(rows: &[OutboxRow]) -> Vec<String> {
    let mut types = Vec::new();
    for row in rows {
        let Destination::World { event_type } = &row.destination else { continue };
        let body: Value = serde_json::from_slice(&row.body).expect("an event is JSON");
        let schema = schema_of(event_type);
        let complaints: Vec<String> = schema.iter_errors(&body).map(|error| error.to_string()).collect();
        assert!(complaints.is_empty(), "{event_type} breaks its contract: {complaints:?} in {body:#}");
        types.push(event_type.clone());
    }
    types
}

fn schema_of(event_type: &str) -> &'static jsonschema::Validator {
    static SCHEMAS: OnceLock<BTreeMap<&'static str, jsonschema::Validator>> = OnceLock::new();
    let schemas = SCHEMAS.get_or_init(|| {
        let all = zhida_schemas::outbound_schemas().into_iter();
        all.map(|one| (one.event_type, jsonschema::validator_for(&one.schema).expect("a schema"))).collect()
    });
    schemas.get(event_type).unwrap_or_else(|| panic!("{event_type} has no contract"))
}
