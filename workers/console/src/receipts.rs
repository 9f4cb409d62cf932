//! `POST /v1/sms/receipts/{provider}`: what vendors of SMS push. Authentic by a secret that only the vendor was told, in the address (most
//! vendors push to an address and nothing else) or as a bearer token; where the vendor does not sign what it says, it is asked before
//! it counts. Booked before it is answered; neither secret nor number is logged or repeated in an answer.

use crate::body;
use crate::problem::Problem;
use crate::routes::Console;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use std::collections::BTreeMap;
use std::sync::Arc;
use zhida_config::tokens::TokenHash;
use zhida_core::ports::sms::{Push, SmsProvider};
use zhida_monitoring::metrics::NoticeReceipt;

/// Largest push that is read: vendors send some hundred receipts at once, and this is room for some ten thousand.
pub(crate) const PUSH_MAX: usize = 4 * 1024 * 1024;

/// Where the receipts of one provider come in.
#[derive(Clone)]
pub struct ReceiptDoor {
    provider: Arc<dyn SmsProvider>,
    secret: Option<TokenHash>,
}

impl ReceiptDoor {
    /// A door that opens to this secret, kept as its hash only; without one it opens to nobody.
    #[must_use]
    pub fn new(provider: Arc<dyn SmsProvider>, secret: Option<&str>) -> Self {
        Self { provider, secret: secret.map(TokenHash::of) }
    }
}

/// By provider, as the settings name it.
pub type ReceiptDoors = BTreeMap<String, ReceiptDoor>;

/// With the secret as a bearer token.
pub(crate) async fn with_token(
    State(console): State<Console>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<impl IntoResponse, Problem> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer =
        bearer.and_then(|text| text.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let shown = bearer.map(|(_, token)| token.trim().to_owned());
    take(&console, &provider, shown.as_deref(), &headers, body).await
}

/// With the secret in the address.
pub(crate) async fn with_address(
    State(console): State<Console>,
    Path((provider, secret)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<impl IntoResponse, Problem> {
    take(&console, &provider, Some(&secret), &headers, body).await
}

async fn take(
    console: &Console,
    name: &str,
    shown: Option<&str>,
    headers: &HeaderMap,
    body: Body,
) -> Result<impl IntoResponse + use<>, Problem> {
    let api = console.api()?;
    let Some(door) = api.receipts.get(name) else {
        return Err(Problem::nowhere("there is no provider of SMS by that name in the settings (notices.sms.<name>)"));
    };
    check(door, shown)?;
    let Ok(_permit) = console.events_at_once.try_acquire() else {
        let detail = "many requests are being worked on; send it again in a second";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many requests", detail).retry_after(1));
    };
    let metrics = &console.watch.metrics;
    let bytes = body::read(body, PUSH_MAX).await.inspect_err(|_| {
        tracing::warn!(provider = name, "a push of receipts is refused: it is too large, or broke off");
        metrics.notice_receipts(name, NoticeReceipt::Unreadable, 1);
    })?;
    let lower: BTreeMap<String, String> = headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let read = door.provider.read_push(&Push { headers: &lower, body: &bytes }).map_err(|unreadable| {
        tracing::warn!(provider = name, why = %unreadable, "a push of receipts cannot be read");
        metrics.notice_receipts(name, NoticeReceipt::Unreadable, 1);
        Problem::new(StatusCode::BAD_REQUEST, "unreadable receipts", unreadable.to_string())
    })?;
    let booked = api.store.book_receipts(name, read.trust, &read.receipts).await?;
    metrics.notice_receipts(name, NoticeReceipt::Booked, booked.booked);
    metrics.notice_receipts(name, NoticeReceipt::Repeated, booked.repeated);
    metrics.notice_receipts(name, NoticeReceipt::Unmatched, booked.unmatched);
    metrics.notice_receipts(name, NoticeReceipt::Unreadable, read.unreadable);
    if read.unreadable > 0 {
        let (unreadable, taken) = (read.unreadable, read.receipts.len());
        tracing::warn!(provider = name, unreadable, taken, "receipts of a push cannot be read; the others are booked");
    }
    Ok(([(header::CONTENT_TYPE, "application/json; charset=utf-8")], read.answer))
}

/// Hashes are compared, not secrets: the time of a comparison says nothing useful about a secret.
fn check(door: &ReceiptDoor, shown: Option<&str>) -> Result<(), Problem> {
    let known = door.secret.as_ref().zip(shown).is_some_and(|(secret, shown)| *secret == TokenHash::of(shown));
    if known {
        return Ok(());
    }
    let detail = "push to the address that ends in the provider's receipt_secret, or send `Authorization: Bearer <receipt_secret>`";
    Err(Problem::new(StatusCode::UNAUTHORIZED, "the secret of this provider is needed", detail))
}
