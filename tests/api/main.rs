//! The HTTP API as its callers meet it: who may ask what, what is answered to what, and what happens when the store or the door
//! cannot serve. In one process over a store in memory; what becomes of the events is for other tests.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

mod digest;
mod receipts;
mod scenery;
mod unsubscribing;

use scenery::{Answer, Caller, Everything, Hangs, Refuses, closed_store, console, memory};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

const SINGLE: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json";

/// A request and what it must be answered: caller, method, path, media type, body, status, word in the detail.
type Row = (Caller, &'static str, &'static str, &'static str, &'static [u8], u16, &'static str);

const TABLE: &[Row] = &[
    (Caller::Nobody, "GET", "/v1/payouts", "", b"", 401, "Authorization: Bearer"),
    (Caller::Stranger, "GET", "/v1/payouts", "", b"", 401, "no token like this"),
    (Caller::Reader, "POST", "/v1/events", SINGLE, b"{}", 403, "scope \"events\""),
    (Caller::Reader, "GET", "/metrics", "", b"", 403, "scope \"metrics\""),
    (Caller::Sender, "GET", "/v1/payouts/A-1", "", b"", 403, "scope \"read\""),
    (Caller::Sender, "GET", "/v1/openapi.json", "", b"", 403, "scope \"read\""),
    (Caller::Reader, "GET", "/v1/payouts/A-404", "", b"", 404, "A-404"),
    (Caller::Reader, "GET", "/v1/applications/A-404/timeline", "", b"", 404, "A-404"),
    (Caller::Reader, "GET", "/v2/payouts", "", b"", 404, "this address is not known here; GET /v1/openapi.json"),
    (Caller::Reader, "DELETE", "/v1/payouts/A-1", "", b"", 405, "openapi.json"),
    (Caller::Sender, "GET", "/v1/events", "", b"", 405, "openapi.json"),
    (Caller::Reader, "GET", "/v1/payouts/A%201", "", b"", 400, "application_id"),
    (Caller::Reader, "GET", "/v1/payouts?state=lost", "", b"", 400, "held, ready"),
    (Caller::Reader, "GET", "/v1/payouts?policy_id=P%201", "", b"", 400, "policy_id"),
    (Caller::Reader, "GET", "/v1/payouts?limit=0", "", b"", 400, "1 to 1000"),
    (Caller::Reader, "GET", "/v1/payouts?limit=1001", "", b"", 400, "1 to 1000"),
    (Caller::Reader, "GET", "/v1/payouts?limit=all", "", b"", 400, "1 to 1000"),
    (Caller::Reader, "GET", "/v1/payouts?before=garbage", "", b"", 400, "`next` of the page before"),
    (Caller::Reader, "GET", "/v1/payouts?before=1-x-A-1", "", b"", 400, "`next` of the page before"),
    (Caller::Reader, "GET", "/v1/payouts?colour=red", "", b"", 400, "unknown field `colour`"),
    (Caller::Reader, "GET", "/v1/payouts/A-1?state=held", "", b"", 400, "takes no query, not state=held"),
    (Caller::Reader, "GET", "/v1/applications/A-1/timeline?limit=1", "", b"", 400, "takes no query, not limit=1"),
    (Caller::Sender, "POST", "/v1/events", BATCH, b"{", 400, ""),
    (Caller::Sender, "POST", "/v1/events", "text/plain", b"{}", 415, SINGLE),
    (Caller::Reader, "GET", "/v1/payouts?limit=1000&state=settled", "", b"", 200, ""),
    (Caller::Reader, "GET", "/v1/payouts?before=1-1-A-1", "", b"", 200, ""),
    (Caller::Reader, "GET", "/v1/openapi.json", "", b"", 200, ""),
    (Caller::Watcher, "GET", "/metrics", "", b"", 200, ""),
    (Caller::Nobody, "GET", "/livez", "", b"", 200, ""),
    (Caller::Nobody, "GET", "/readyz", "", b"", 200, ""),
    (Caller::Sender, "POST", "/v1/events", SINGLE, b"{}", 202, ""),
];

#[tokio::test]
async fn every_request_is_answered_as_http_means_it() {
    let console = console(Arc::new(memory(0).await), Arc::new(Everything)).await;
    for (caller, method, path, media_type, body, status, word) in TABLE {
        let answer = console.ask(*caller, method, path, media_type, body).await;
        assert_eq!(answer.status, *status, "{method} {path} by {caller:?}: {}", answer.body);
        if *status >= 400 {
            problem_says(&answer, word);
        }
        assert_eq!(answer.header("www-authenticate").is_some(), *status == 401, "{method} {path}");
    }
}

/// RFC 9457: what is wrong and what to do.
fn problem_says(answer: &Answer, word: &str) {
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let problem: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(problem["status"], answer.status);
    assert!(problem["title"].is_string() && problem["type"] == "about:blank", "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains(word), "{word} in {problem}");
}

#[tokio::test]
async fn a_store_that_is_away_is_503_with_retry_after() {
    let (store, _folder) = closed_store().await;
    let console = console(Arc::new(store), Arc::new(Refuses)).await;
    for (caller, method, path, media_type) in [
        (Caller::Reader, "GET", "/v1/payouts", ""),
        (Caller::Reader, "GET", "/v1/payouts/A-1", ""),
        (Caller::Reader, "GET", "/v1/applications/A-1/timeline", ""),
        (Caller::Sender, "POST", "/v1/events", SINGLE),
    ] {
        let answer = console.ask(caller, method, path, media_type, b"{}").await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("2")), "{method} {path}");
        problem_says(&answer, "send the same request again");
        assert!(!answer.body.contains("sqlite"), "an answer says nothing of the inside: {}", answer.body);
    }
}

#[tokio::test]
async fn the_thirty_third_request_is_asked_to_come_again_and_the_others_are_served() {
    let door = Arc::new(Hangs::new());
    let console = Arc::new(console(Arc::new(memory(0).await), door.clone()).await);
    let waiting: Vec<_> = (0..32)
        .map(|_| {
            let console = console.clone();
            tokio::spawn(async move { console.ask(Caller::Sender, "POST", "/v1/events", SINGLE, b"{}").await.status })
        })
        .collect();
    door.has_let_in(32).await;
    let refused = console.ask(Caller::Sender, "POST", "/v1/events", SINGLE, b"{}").await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    problem_says(&refused, "again");
    assert_eq!(console.ask(Caller::Reader, "GET", "/v1/payouts", "", b"").await.status, 200, "reading goes on");
    door.open();
    for one in waiting {
        assert_eq!(one.await.unwrap(), 202);
    }
    assert_eq!(console.ask(Caller::Sender, "POST", "/v1/events", SINGLE, b"{}").await.status, 202);
}

#[tokio::test]
async fn pages_hold_every_payout_once_newest_first() {
    let console = console(Arc::new(memory(5).await), Arc::new(Everything)).await;
    let (mut seen, mut before, mut sizes) = (Vec::new(), String::new(), Vec::new());
    loop {
        let answer = console.ask(Caller::Reader, "GET", &format!("/v1/payouts?limit=2{before}"), "", b"").await;
        let page: Value = serde_json::from_str(&answer.body).unwrap();
        let items = page["items"].as_array().unwrap();
        sizes.push(items.len());
        seen.extend(items.iter().map(|item| item["application_id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        before = format!("&before={next}");
    }
    assert_eq!(sizes, [2, 2, 1]);
    assert_eq!(seen, ["A-5", "A-4", "A-3", "A-2", "A-1"]);
}

/// `METHOD path` of every operation in the document.
fn documented(openapi: &Value) -> BTreeSet<String> {
    let paths = openapi["paths"].as_object().unwrap();
    let of = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().unwrap().keys();
        methods.map(|method| format!("{} {path}", method.to_uppercase())).collect::<Vec<String>>()
    };
    paths.iter().flat_map(of).collect()
}

/// The same of the router, read from its source.
fn routed() -> BTreeSet<String> {
    let source = include_str!("../../workers/console/src/routes.rs");
    let routes = source.split(".route(\"").skip(1).filter_map(|rest| rest.split_once("\", "));
    let of = |(path, rest): (&str, &str)| {
        let rest = rest.split(".route(").next().unwrap().lines().next().unwrap();
        let methods = ["get(", "post("].into_iter().filter(|method| rest.contains(method));
        methods.map(|method| format!("{} {path}", method.trim_end_matches('(').to_uppercase())).collect::<Vec<_>>()
    };
    routes.flat_map(of).collect()
}

#[tokio::test]
async fn the_document_lists_every_route_and_every_route_asks_for_a_token() {
    let openapi = zhida_console::openapi();
    assert_eq!(documented(&openapi), routed());
    let console = console(Arc::new(memory(1).await), Arc::new(Everything)).await;
    for operation in documented(&openapi) {
        let (method, path) = operation.split_once(' ').unwrap();
        // A mail program has no token: the key in the address is what lets it in.
        let open = ["/livez", "/readyz", "/v1/notices/unsubscribe/{notice_id}/{key}"].contains(&path);
        let answer = console
            .ask(
                Caller::Nobody,
                method,
                &path.replace("{application_id}", "A-1").replace("{date}", "2026-11-26").replace("{provider}", "main"),
                SINGLE,
                b"{}",
            )
            .await;
        assert_eq!(answer.status == 401, !open, "{operation}: {}", answer.status);
        let said_open = openapi["paths"][path][method.to_lowercase()]["security"] == serde_json::json!([]);
        assert_eq!(said_open, open, "{operation}: what the document says of its security");
    }
    let served = console.ask(Caller::Reader, "GET", "/v1/openapi.json", "", b"").await;
    assert_eq!(serde_json::from_str::<Value>(&served.body).unwrap(), openapi);
}

#[tokio::test]
async fn payouts_and_timelines_have_what_the_document_promises() {
    let console = console(Arc::new(memory(1).await), Arc::new(Everything)).await;
    let openapi = zhida_console::openapi();
    let mut whole = openapi["components"]["schemas"]["Payout"].clone();
    whole["components"] = openapi["components"].clone();
    let payout = console.ask(Caller::Reader, "GET", "/v1/payouts/A-1", "", b"").await;
    let payout: Value = serde_json::from_str(&payout.body).unwrap();
    let complaints: Vec<String> =
        jsonschema::validator_for(&whole).unwrap().iter_errors(&payout).map(|error| error.to_string()).collect();
    assert!(complaints.is_empty(), "{complaints:?} in {payout}");
    assert_eq!(payout["payee"]["account_no"], "***************0001");
    let timeline = console.ask(Caller::Reader, "GET", "/v1/applications/A-1/timeline", "", b"").await;
    let timeline: Value = serde_json::from_str(&timeline.body).unwrap();
    for key in ["at", "kind", "by", "detail"] {
        assert!(timeline[0].get(key).is_some(), "{key} in {timeline}");
    }
}
