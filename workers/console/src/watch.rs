//! Health and metrics, served by every role.

use crate::authorise::Scope;
use crate::problem::Problem;
use crate::routes::Console;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;

pub(crate) async fn live(State(console): State<Console>) -> impl IntoResponse {
    Json(console.watch.health.live())
}

pub(crate) async fn ready(State(console): State<Console>) -> impl IntoResponse {
    let readiness = console.watch.health.ready();
    let status = StatusCode::from_u16(readiness.http_status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    (status, Json(readiness))
}

pub(crate) async fn metrics(State(console): State<Console>, headers: HeaderMap) -> Result<impl IntoResponse, Problem> {
    console.watch.tokens.check(&headers, Scope::Metrics)?;
    let content_type = zhida_monitoring::metrics::CONTENT_TYPE;
    Ok(([(header::CONTENT_TYPE, content_type)], console.watch.metrics.render()))
}
