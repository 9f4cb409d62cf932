//! The AsyncAPI 3.0 document: exchanges and queues on RabbitMQ and the messages on them. The frozen copy stands in
//! `schemas/asyncapi.json`.

use crate::envelope::Attributes;
use crate::json_schemas::{EventSchema, events_of};
use crate::outbound::OutboundAttributes;
use crate::{inbound, outbound};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// The document.
#[must_use]
pub fn asyncapi() -> Value {
    // AsyncAPI reads draft-07, and resolves references within the whole document.
    let settings = SchemaSettings::draft07().with(|settings| settings.definitions_path = "/components/schemas".into());
    let mut generator = settings.into_generator();
    let coming_in = events_of::<Attributes>(&mut generator, inbound::data_schemas);
    let going_out = events_of::<OutboundAttributes>(&mut generator, outbound::data_schemas);
    let schemas = generator.take_definitions(true);
    let messages: Map<_, _> = coming_in.iter().chain(&going_out).map(message).collect();

    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "zhida",
            "version": "1.0.0",
            "description": DESCRIPTION,
            "license": { "name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0" },
        },
        "defaultContentType": "application/cloudevents+json",
        "servers": {
            "district": {
                "host": "{broker}",
                "protocol": "amqp",
                "protocolVersion": "0.9.1",
                "description": "The district's vhost; amqps outside of one machine.",
                "variables": { "broker": { "default": "localhost:5672", "description": "host and port" } },
            }
        },
        "channels": channels(&coming_in, &going_out),
        "operations": {
            "takeIn": operation("receive", "in", "Events that review systems and operators publish."),
            "tell": operation("send", "out", "What became of payouts, alerts and notices, and what could not be taken in."),
        },
        "components": { "messages": messages, "schemas": schemas },
    })
}

const DESCRIPTION: &str = "Approved subsidies reach the enterprise's account within 24 hours, once and only once. \
Events are CloudEvents 1.0 in structured mode, at most 262144 bytes, one a message; what comes in is signed with Ed25519 \
over the RFC 8785 form of the event without `signature`. Publish with confirms, `mandatory` and the type as the routing \
key, and keep an event until it is seen received, held or quarantined.";

fn channels(coming_in: &[EventSchema], going_out: &[EventSchema]) -> Value {
    let mut all = Map::new();
    all.insert(
        "in".to_owned(),
        exchange("zhida.in", "Events from outside; bound by `#` to `zhida.intake.v1`.", coming_in),
    );
    all.insert("out".to_owned(), exchange("zhida.out", "Events for whoever binds a queue.", going_out));
    let queues = [
        ("zhida.intake.v1", "Everything that comes in (quorum queue)."),
        ("zhida.intake.dead.v1", "What was delivered too often; its raw bytes go into quarantine (quorum queue)."),
        ("zhida.payout.v1", "Doorbells of the payout worker: ids, never the truth (quorum queue)."),
        ("zhida.notice.v1", "Doorbells of the notice worker: ids, never the truth (quorum queue)."),
        ("zhida.registry.v1", "Doorbells of the registry worker: ids, never the truth (quorum queue)."),
        ("zhida.dead.v1", "Doorbells delivered too often: look in the database (quorum queue)."),
    ];
    for (name, description) in queues {
        let binding = json!({ "amqp": { "is": "queue", "bindingVersion": "0.3.0", "queue": {
            "name": name, "durable": true, "exclusive": false, "autoDelete": false,
        }}});
        let messages = if name.starts_with("zhida.intake") { references(coming_in) } else { Map::new() };
        let channel = json!({ "address": name, "description": description, "messages": messages, "bindings": binding });
        all.insert(channel_key(name), channel);
    }
    all.insert(
        "work".to_owned(),
        json!({
            "address": null,
            "description": "Doorbells between the program's own workers, by queue name; nothing for others to bind.",
            "bindings": exchange_binding("zhida.work", "direct"),
        }),
    );
    Value::Object(all)
}

fn exchange(name: &str, description: &str, events: &[EventSchema]) -> Value {
    json!({
        "address": "{type}",
        "description": description,
        "parameters": { "type": {
            "description": "The event's type, as the routing key.",
            "enum": events.iter().map(|event| event.event_type).collect::<Vec<_>>(),
        }},
        "messages": references(events),
        "bindings": exchange_binding(name, "topic"),
    })
}

fn exchange_binding(name: &str, kind: &str) -> Value {
    json!({ "amqp": { "is": "routingKey", "bindingVersion": "0.3.0", "exchange": {
        "name": name, "type": kind, "durable": true, "autoDelete": false,
    }}})
}

fn operation(action: &str, channel: &str, summary: &str) -> Value {
    json!({
        "action": action,
        "channel": { "$ref": format!("#/channels/{channel}") },
        "summary": summary,
        "bindings": { "amqp": { "deliveryMode": 2, "mandatory": true, "ack": true, "bindingVersion": "0.3.0" } },
    })
}

fn references(events: &[EventSchema]) -> Map<String, Value> {
    let reference = |event: &EventSchema| json!({ "$ref": format!("#/components/messages/{}", event.event_type) });
    events.iter().map(|event| (event.event_type.to_owned(), reference(event))).collect()
}

fn message(event: &EventSchema) -> (String, Value) {
    let content = json!({
        "name": event.event_type,
        "title": event.event_type,
        "summary": event.sentence,
        "contentType": "application/cloudevents+json",
        "payload": event.schema,
    });
    (event.event_type.to_owned(), content)
}

/// `zhida.intake.dead.v1` becomes `intakeDead`.
fn channel_key(queue: &str) -> String {
    let words = queue.trim_start_matches("zhida.").trim_end_matches(".v1").split('.');
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    let joined: String = words.map(capital).collect();
    joined[..1].to_lowercase() + &joined[1..]
}
