//! Which address does what, and the server. Every route but `/livez` and `/readyz` names the scope it needs in its handler.

use crate::authorise::Tokens;
use crate::problem::Problem;
use crate::receipts::ReceiptDoors;
use crate::{digest, events, openapi, payouts, receipts, unsubscribe, watch};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{get, post};
use jiff::tz::TimeZone;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch as signal};
use zhida_core::ports::door::EventDoor;
use zhida_core::ports::store::Store;
use zhida_monitoring::{Health, Metrics};

/// Largest body of `POST /v1/events`.
pub(crate) const BODY_MAX: usize = 8 * 1024 * 1024;

/// Requests with a body worked on at once; more are asked to come again.
const EVENTS_AT_ONCE: usize = 32;

/// What every role serves: health and metrics.
#[derive(Clone)]
pub struct Watch {
    /// Tokens of the settings.
    pub tokens: Tokens,
    /// Health checks.
    pub health: Health,
    /// Metrics.
    pub metrics: Arc<Metrics>,
}

/// What the role `console` serves beside: the API.
#[derive(Clone)]
pub struct Api {
    /// Reading.
    pub store: Arc<dyn Store>,
    /// Taking in.
    pub door: Arc<dyn EventDoor>,
    /// Where receipts of SMS come in.
    pub receipts: ReceiptDoors,
    /// The zone in which pages tell times.
    pub zone: TimeZone,
}

/// The state of all handlers.
#[derive(Clone)]
pub struct Console {
    pub(crate) watch: Watch,
    pub(crate) api: Option<Api>,
    pub(crate) events_at_once: Arc<Semaphore>,
}

impl Console {
    /// A console; without `api` it serves health and metrics only.
    #[must_use]
    pub fn new(watch: Watch, api: Option<Api>) -> Self {
        Self { watch, api, events_at_once: Arc::new(Semaphore::new(EVENTS_AT_ONCE)) }
    }

    pub(crate) fn api(&self) -> Result<&Api, Problem> {
        self.api
            .as_ref()
            .ok_or_else(|| Problem::nowhere("this process does not run the role console, which serves the API"))
    }
}

/// Every route.
pub fn router(console: Console) -> Router {
    Router::new()
        .route("/livez", get(watch::live))
        .route("/readyz", get(watch::ready))
        .route("/metrics", get(watch::metrics))
        .route("/v1/events", post(events::post_events).layer(DefaultBodyLimit::disable()))
        .route("/v1/payouts", get(payouts::list))
        .route("/v1/payouts/{application_id}", get(payouts::one))
        .route("/v1/applications/{application_id}/timeline", get(payouts::timeline))
        .route("/v1/sms/receipts/{provider}", post(receipts::with_token).layer(DefaultBodyLimit::disable()))
        .route("/v1/sms/receipts/{provider}/{secret}", post(receipts::with_address).layer(DefaultBodyLimit::disable()))
        .route("/v1/notices/unsubscribe/{notice_id}/{key}", get(unsubscribe::ask).post(unsubscribe::done))
        .route("/v1/openapi.json", get(openapi::document))
        .route("/digest", get(digest::newest))
        .route("/digest/{date}", get(digest::of_day))
        .fallback(async || Problem::nowhere("this address is not known here; GET /v1/openapi.json lists all"))
        .method_not_allowed_fallback(async || {
            let detail = "this address knows other methods; GET /v1/openapi.json lists them";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed", detail)
        })
        .with_state(console)
}

/// Serves until `stop` turns true; requests under way are answered, for a while.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: TcpListener, console: Console, mut stop: signal::Receiver<bool>) -> std::io::Result<()> {
    const PATIENCE: Duration = Duration::from_secs(10);
    let mut ending = stop.clone();
    let serving = axum::serve(listener, router(console)).with_graceful_shutdown(async move {
        // An error says that nobody can stop us any more, which is a reason to stop.
        let _ = ending.wait_for(|stopped| *stopped).await;
    });
    tokio::select! {
        ended = serving.into_future() => ended,
        () = async {
            let _ = stop.wait_for(|stopped| *stopped).await;
            tokio::time::sleep(PATIENCE).await;
        } => Ok(()),
    }
}
