//! The OpenAPI 3.1 document of the API, written beside the routes it describes.

use crate::authorise::Scope;
use crate::problem::Problem;
use crate::routes::Console;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde_json::{Value, json};
use zhida_core::payout::PayoutState;

pub(crate) async fn document(State(console): State<Console>, headers: HeaderMap) -> Result<Json<Value>, Problem> {
    console.watch.tokens.check(&headers, Scope::Read)?;
    Ok(Json(openapi()))
}

/// The document.
#[must_use]
pub fn openapi() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {"title": "zhida (直达)", "version": env!("CARGO_PKG_VERSION"),
            "description": "Approved subsidies in, payouts out. Every route but /livez and /readyz needs a bearer token of its scope.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths(),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas(),
            "responses": {"Problem": {"description": "What is wrong and what to do (RFC 9457)",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}},
        },
    })
}

fn paths() -> Value {
    // No more is asked of them here: what is no event is quarantined and answered so, beside those that are accepted.
    let event = json!({"schema": {"description": "a CloudEvent; `zhida schema` has the form of each type"}});
    let batch = json!({"schema": {"type": "array", "items": {"description": "a CloudEvent"}}});
    json!({
        "/livez": {"get": {"operationId": "livez", "security": [], "summary": "The process lives",
            "responses": {"200": answer("alive", json!({"type": "object"}))}}},
        "/readyz": {"get": {"operationId": "readyz", "security": [], "summary": "The process can serve, or what is missing; what people must know stands under warnings",
            "responses": {"200": answer("ready", json!({"type": "object"})), "503": answer("not ready", json!({"type": "object"}))}}},
        "/metrics": {"get": {"operationId": "metrics", "summary": "Metrics in the Prometheus text format (scope metrics)",
            "responses": with_problems(json!({"200": {"description": "metrics", "content": {"text/plain": {"schema": {"type": "string"}}}}}), &["401", "403"])}},
        "/v1/events": {"post": {"operationId": "postEvents", "summary": "Hand in events; accepted means durable (scope events)",
            "requestBody": {"required": true, "content": {"application/cloudevents+json": event, "application/cloudevents-batch+json": batch}},
            "responses": with_problems(json!({"202": answer("taken in", json!({"$ref": "#/components/schemas/TakenIn"}))}),
                &["400", "401", "403", "413", "415", "429", "503"])}},
        "/v1/payouts": {"get": {"operationId": "listPayouts", "summary": "Payouts, newest first (scope read)",
            "parameters": [
                parameter("state", json!({"type": "string", "enum": states()})),
                parameter("policy_id", id()),
                parameter("before", json!({"type": "string", "pattern": "^[0-9]{1,16}-[0-9]{1,9}-[A-Za-z0-9._-]{1,64}$"})),
                parameter("limit", json!({"type": "integer", "minimum": 1, "maximum": 1000, "default": 100})),
            ],
            "responses": with_problems(json!({"200": answer("a page", json!({"type": "object", "required": ["items", "next"],
                "properties": {"items": {"type": "array", "items": {"$ref": "#/components/schemas/Payout"}}, "next": {"type": ["string", "null"]}}}))}),
                &["400", "401", "403", "503"])}},
        "/v1/payouts/{application_id}": {"get": {"operationId": "getPayout", "summary": "One payout (scope read)",
            "parameters": [path_parameter()],
            "responses": with_problems(json!({"200": answer("the payout", json!({"$ref": "#/components/schemas/Payout"}))}),
                &["400", "401", "403", "404", "503"])}},
        "/v1/applications/{application_id}/timeline": {"get": {"operationId": "getTimeline",
            "summary": "An application's story, oldest first (scope read)", "parameters": [path_parameter()],
            "responses": with_problems(json!({"200": answer("the timeline", json!({"type": "array", "items": {"$ref": "#/components/schemas/Entry"}}))}),
                &["400", "401", "403", "404", "503"])}},
        "/digest": {"get": {"operationId": "digest", "summary": "The newest daily digest, a page for people (scope read)",
            "responses": with_problems(page("the digest"), &["401", "403", "404", "503"])}},
        "/digest/{date}": {"get": {"operationId": "digestOfDay", "summary": "The daily digest of a day, a page for people (scope read)",
            "parameters": [{"name": "date", "in": "path", "required": true, "example": "2026-11-26",
                "schema": {"type": "string", "format": "date"}}],
            "responses": with_problems(page("the digest"), &["400", "401", "403", "404", "503"])}},
        "/v1/sms/receipts/{provider}": {"post": {"operationId": "postReceipts",
            "summary": "Receipts of a provider of SMS, in its own form; the bearer token is notices.sms.<provider>.receipt_secret",
            "parameters": [named("provider", "main")], "requestBody": receipts(), "responses": with_problems(taken(), RECEIPT_PROBLEMS)}},
        "/v1/sms/receipts/{provider}/{secret}": {"post": {"operationId": "postReceiptsByAddress",
            "summary": "The same for vendors that push to an address and nothing else: the secret is its end",
            "parameters": [named("provider", "main"), named("secret", "sixteen-characters-or-more")], "requestBody": receipts(),
            "responses": with_problems(taken(), RECEIPT_PROBLEMS)}},
        "/v1/notices/unsubscribe/{notice_id}/{key}": {
            "get": {"operationId": "askUnsubscribe", "security": [], "summary": "A page with a button that unsubscribes from digests by mail; it changes nothing",
                "parameters": [named("notice_id", "n-1"), named("key", "k-1")], "responses": unsubscribing(&["404", "503"])},
            "post": {"operationId": "unsubscribe", "security": [],
                "summary": "Unsubscribes with one click (RFC 8058); the key of the address, which stands in the mail, authorises it",
                "parameters": [named("notice_id", "n-1"), named("key", "k-1")], "requestBody": one_click(),
                "responses": unsubscribing(&["400", "404", "503"])}},
        "/v1/openapi.json": {"get": {"operationId": "openapi", "summary": "This document (scope read)",
            "responses": with_problems(json!({"200": answer("the document", json!({"type": "object"}))}), &["401", "403"])}},
    })
}

/// What may be wrong with receipts.
const RECEIPT_PROBLEMS: &[&str] = &["400", "401", "404", "413", "429", "503"];

fn receipts() -> Value {
    json!({"required": true, "content": {"application/json": {"schema": {"description": "as the vendor writes it"}}}})
}

fn taken() -> Value {
    json!({"200": answer("booked; the answer that the vendor wants", json!({"type": "object"}))})
}

fn named(name: &str, example: &str) -> Value {
    json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}, "example": example})
}

fn schemas() -> Value {
    let moment = json!({"type": ["string", "null"], "format": "date-time"});
    let text = json!({"type": ["string", "null"]});
    json!({
        "Problem": {"type": "object", "required": ["type", "title", "status", "detail"], "properties": {
            "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"}}},
        "TakenIn": {"type": "object", "required": ["accepted", "duplicates", "refused", "quarantined"], "properties": {
            "accepted": {"type": "integer"}, "duplicates": {"type": "integer"},
            "refused": {"type": "array", "description": "acts of operators that were not done; the journal keeps them", "items": {
                "type": "object", "required": ["index", "reason"], "properties": {"index": {"type": "integer"}, "reason": {"type": "string"}}}},
            "quarantined": {"type": "array", "items": {"type": "object", "required": ["index", "reason"], "properties": {
                "index": {"type": "integer"}, "id": text, "reason_code": {"type": "string"}, "field": text, "reason": {"type": "string"}}}}}},
        "Entry": {"type": "object", "required": ["at", "kind", "by", "detail"], "properties": {
            "at": {"type": "string", "format": "date-time"}, "kind": {"type": "string"}, "by": {"type": "string"}, "detail": {}}},
        "Payout": {"type": "object",
            "required": ["application_id", "tranche", "state", "amount", "enterprise", "policy_id", "instruction_id", "approved_at",
                "due_at", "submitted_at", "credited_at", "observed_at", "bank_reference", "reason"],
            "properties": {
                "application_id": id(), "tranche": {"type": "integer", "minimum": 1},
                "state": {"type": "string", "enum": states()},
                "amount": {"type": "object", "required": ["currency", "value"], "properties": {
                    "currency": {"type": "string"}, "value": {"type": "string", "pattern": "^[0-9]+\\.[0-9]{2}$"}}},
                "enterprise": {"type": "object", "required": ["uscc", "name"], "properties": {"uscc": {"type": "string"}, "name": {"type": "string"}}},
                "payee": {"type": "object", "description": "account number masked to its last four digits"},
                "policy_id": id(), "instruction_id": text, "generation": {"type": ["integer", "null"]},
                "approved_at": moment, "received_at": moment, "due_at": moment, "submitted_at": moment, "credited_at": moment,
                "observed_at": moment, "bank_reference": text, "overpaid": {"type": "boolean"},
                "holds": {"type": "array", "items": {"type": "object"}},
                "reason": {"type": ["object", "null"], "properties": {"code": {"type": "string"}, "text": {"type": "string"}}},
                "further_tranches": {"type": "array", "items": {"$ref": "#/components/schemas/Payout"}}}},
    })
}

fn states() -> Vec<&'static str> {
    PayoutState::ALL.iter().map(|state| state.code()).collect()
}

fn id() -> Value {
    json!({"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"})
}

fn parameter(name: &str, schema: Value) -> Value {
    json!({"name": name, "in": "query", "required": false, "schema": schema})
}

fn path_parameter() -> Value {
    json!({"name": "application_id", "in": "path", "required": true, "schema": id(), "example": "A-2026-000123"})
}

fn answer(description: &str, schema: Value) -> Value {
    json!({"description": description, "content": {"application/json": {"schema": schema}}})
}

fn page(description: &str) -> Value {
    json!({"200": {"description": description, "content": {"text/html": {"schema": {"type": "string"}}}}})
}

/// What the one click posts.
fn one_click() -> Value {
    let form = json!({"schema": {"type": "object", "required": ["List-Unsubscribe"],
        "properties": {"List-Unsubscribe": {"type": "string", "enum": ["One-Click"]}}}});
    json!({"required": true, "content": {"application/x-www-form-urlencoded": form, "multipart/form-data": form}})
}

/// A page whatever happens, for people open these addresses. Where this process serves no API it is a problem.
fn unsubscribing(statuses: &[&str]) -> Value {
    let mut responses = page("the page");
    for status in statuses {
        let content = responses["200"]["content"].clone();
        responses[*status] = json!({"description": "a page that says why, and what to do", "content": content});
    }
    responses
}

fn with_problems(mut responses: Value, statuses: &[&str]) -> Value {
    for status in statuses {
        responses[*status] = json!({"$ref": "#/components/responses/Problem"});
    }
    responses
}
