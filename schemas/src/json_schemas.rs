//! The JSON Schemas (draft 2020-12) of every event, made from the types that read them. The frozen copies stand in `schemas/v1`.

use crate::envelope::Attributes;
use crate::outbound::OutboundAttributes;
use crate::{inbound, outbound};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

/// An event's type, what it says, and its whole schema.
#[derive(Clone, Debug, PartialEq)]
pub struct EventSchema {
    /// The type, which is also the routing key and the name of the files.
    pub event_type: &'static str,
    /// What it says, in a sentence.
    pub sentence: &'static str,
    /// The schema of the whole event.
    pub schema: Value,
}

/// Schemas of what comes in, each complete in itself.
#[must_use]
pub fn inbound_schemas() -> Vec<EventSchema> {
    complete(|generator| events_of::<Attributes>(generator, inbound::data_schemas))
}

/// Schemas of what goes out, each complete in itself.
#[must_use]
pub fn outbound_schemas() -> Vec<EventSchema> {
    complete(|generator| events_of::<OutboundAttributes>(generator, outbound::data_schemas))
}

pub(crate) type DataSchemas = fn(&mut SchemaGenerator) -> Vec<(&'static str, &'static str, Schema)>;

/// Whole events: the attributes `A` around each data schema. What they refer to is left in the generator.
pub(crate) fn events_of<A: JsonSchema>(generator: &mut SchemaGenerator, data: DataSchemas) -> Vec<EventSchema> {
    let attributes = A::json_schema(generator).to_value();
    data(generator)
        .into_iter()
        .map(|(event_type, sentence, data)| {
            let mut schema = attributes.clone();
            schema["title"] = json!(event_type);
            schema["description"] = json!(sentence);
            schema["properties"]["type"] = json!({ "const": event_type });
            schema["properties"]["data"] = data.to_value();
            if let Some(required) = schema["required"].as_array_mut() {
                required.push(json!("data"));
            }
            EventSchema { event_type, sentence, schema }
        })
        .collect()
}

/// Gives each schema the definitions it reaches, and no others.
fn complete(events: impl Fn(&mut SchemaGenerator) -> Vec<EventSchema>) -> Vec<EventSchema> {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut all = events(&mut generator);
    let definitions = Value::Object(generator.take_definitions(true));
    for event in &mut all {
        let mut reached = serde_json::Map::new();
        collect(&event.schema, &definitions, &mut reached);
        event.schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        event.schema["$id"] = json!(format!("urn:zhida:event:{}", event.event_type));
        event.schema["$defs"] = Value::Object(reached);
    }
    all
}

fn collect(schema: &Value, definitions: &Value, reached: &mut serde_json::Map<String, Value>) {
    match schema {
        Value::Object(members) => {
            if let Some(name) =
                members.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/"))
                && !reached.contains_key(name)
            {
                reached.insert(name.to_owned(), definitions[name].clone());
                collect(&definitions[name], definitions, reached);
            }
            members.values().for_each(|member| collect(member, definitions, reached));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, definitions, reached)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
