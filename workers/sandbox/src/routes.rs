//! The bank's routes: those of the bank link, `GET /ledger`, and `/control/…`, by which faults are arranged over HTTP.
//!
//! | route | body | does |
//! |---|---|---|
//! | `POST /control/scripts` | `{"target":"instruction","id":"…","steps":[{"fault":"pay_hang"},null]}` | adds steps; `null` is "as it should" |
//! | `POST /control/chances` | `[{"fault":"pay_status","status":500,"per_mille":20}]` | replaces the chances |
//! | `POST /control/settle` | `{"end_to_end_id":"…"}`, or `{}` for all | credits what is pending |
//! | `POST /control/refuse` | `{"end_to_end_id":"…","reason":"AC04"}` | refuses what is pending |
//! | `POST /control/release` | – | lets slow and late calls go |
//! | `POST /control/down` | `{"seconds":5}` | refuses connections for so long |

use crate::bank::{Bank, Decision};
use crate::faults::{Chance, Fault, Target};
use crate::handle::BankHandle;
use crate::reply::Reply;
use crate::wire::Cut;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// A message of a few thousand transfers.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// Everything the bank serves.
pub(crate) fn of_bank(handle: BankHandle) -> Router {
    Router::new()
        .route("/payments", post(pay))
        .route("/payments/{end_to_end_id}", get(enquire))
        .route("/statements", get(statements))
        .route("/ledger", get(ledger))
        .route("/control/scripts", post(script))
        .route("/control/chances", post(chances))
        .route("/control/settle", post(settle))
        .route("/control/refuse", post(refuse))
        .route("/control/release", post(release))
        .route("/control/down", post(down))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(handle)
}

async fn pay(
    State(handle): State<BankHandle>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    if let Err(refused) = authorised(&handle, &headers) {
        return refused;
    }
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).map(str::to_owned);
    let bank: Arc<Bank> = handle.bank();
    // A client that goes away takes nothing back: the call is carried out to its end.
    let carried_out = tokio::spawn(async move { bank.pay(&body, key.as_deref()).await }).await;
    send(carried_out.unwrap_or(Reply::Reset), &cut).await
}

async fn enquire(
    State(handle): State<BankHandle>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    headers: HeaderMap,
    Path(end_to_end_id): Path<String>,
) -> Response<Body> {
    if let Err(refused) = authorised(&handle, &headers) {
        return refused;
    }
    send(handle.bank().enquire(&end_to_end_id).await, &cut).await
}

#[derive(Deserialize)]
struct Days {
    from: Date,
    to: Date,
}

async fn statements(
    State(handle): State<BankHandle>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    headers: HeaderMap,
    Query(days): Query<Days>,
) -> Response<Body> {
    if let Err(refused) = authorised(&handle, &headers) {
        return refused;
    }
    send(handle.bank().statements(days.from, days.to).await, &cut).await
}

async fn ledger(State(handle): State<BankHandle>) -> impl IntoResponse {
    let ledger = handle.ledger();
    Json(json!({
        "entries": ledger.entries(),
        "credits_by_instruction": ledger.credits_by_instruction(),
        "total": ledger.total().to_string(),
        "reproaches": handle.reproaches(),
    }))
}

#[derive(Deserialize)]
struct Script {
    #[serde(flatten)]
    target: Target,
    steps: Vec<Option<Fault>>,
}

async fn script(State(handle): State<BankHandle>, Json(script): Json<Script>) {
    handle.script(script.target, script.steps);
}

async fn chances(State(handle): State<BankHandle>, Json(chances): Json<Vec<Chance>>) {
    handle.set_chances(chances);
}

#[derive(Deserialize)]
struct Settle {
    end_to_end_id: Option<String>,
}

async fn settle(State(handle): State<BankHandle>, Json(settle): Json<Settle>) -> impl IntoResponse {
    let settled = match settle.end_to_end_id {
        Some(id) => handle.settle(&id).await,
        None => handle.bank().decide(|_| Some(Decision::Settle)).await,
    };
    Json(json!({ "settled": settled }))
}

#[derive(Deserialize)]
struct Refuse {
    end_to_end_id: String,
    reason: String,
}

async fn refuse(State(handle): State<BankHandle>, Json(refuse): Json<Refuse>) -> impl IntoResponse {
    Json(json!({ "refused": handle.refuse(&refuse.end_to_end_id, &refuse.reason).await }))
}

async fn release(State(handle): State<BankHandle>) {
    handle.release();
}

#[derive(Deserialize)]
struct Down {
    seconds: u64,
}

async fn down(State(handle): State<BankHandle>, Json(down): Json<Down>) {
    // The door closes behind this very call, so somebody else must hold it.
    tokio::spawn(async move {
        handle.down().await;
        tokio::time::sleep(Duration::from_secs(down.seconds)).await;
        if let Err(error) = handle.up().await {
            tracing::error!(%error, "the sandbox's bank could not open again");
        }
    });
}

// The error is the answer itself; it is made once a call at most.
#[allow(clippy::result_large_err)]
fn authorised(handle: &BankHandle, headers: &HeaderMap) -> Result<(), Response<Body>> {
    let Some(token) = handle.token() else { return Ok(()) };
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if given.and_then(|value| value.strip_prefix("Bearer ")) == Some(token) {
        Ok(())
    } else {
        Err(StatusCode::UNAUTHORIZED.into_response())
    }
}

/// Puts a reply on the wire.
pub(crate) async fn send(reply: Reply, cut: &Cut) -> Response<Body> {
    let status = |status| StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match reply {
        Reply::Xml { status: code, text } => {
            (status(code), [(header::CONTENT_TYPE, "application/xml; charset=utf-8")], text).into_response()
        }
        Reply::Json { status: code, text } => {
            (status(code), [(header::CONTENT_TYPE, "application/json; charset=utf-8")], text).into_response()
        }
        Reply::Bare { status: code, retry_after_seconds: Some(seconds) } => {
            (status(code), [(header::RETRY_AFTER, seconds.to_string())]).into_response()
        }
        Reply::Bare { status: code, retry_after_seconds: None } => status(code).into_response(),
        Reply::Garbage => "<html><body>System busy, please try again later</body>".into_response(),
        Reply::Reset => {
            cut.now();
            StatusCode::NO_CONTENT.into_response()
        }
        // Until the client goes away, which drops this.
        Reply::Silence => std::future::pending().await,
    }
}
