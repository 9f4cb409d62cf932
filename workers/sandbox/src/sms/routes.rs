//! The routes of the vendors of SMS, of the phone, and `/control/sms/…`, by which templates and faults are arranged over HTTP.
//!
//! | route | body | does |
//! |---|---|---|
//! | `POST /sms/aliyun`, `POST /sms/tencent` | as the vendors have it | sends, answers questions |
//! | `POST /sms/webhook`, `GET /sms/webhook/{out_id}` | as the webhook has it | sends, answers questions |
//! | `GET /sms/ledger` | – | everything that was taken in |
//! | `GET /phone`, `GET /phone/{number}`, `GET /phone/{number}.json` | – | what a number has received |
//! | `POST /control/sms/templates` | `{"provider":"aliyun","code":"SMS_1","text":"…${amount}…"}` | enters a template |
//! | `POST /control/sms/receipts` | `{"provider":"aliyun","url":"http://…"}`, or without `url` | says where receipts go |
//! | `POST /control/sms/limit` | `{"provider":"aliyun","limit":1}`, or without `limit` | limits messages per number |
//! | `POST /control/sms/scripts` | `{"target":"number","id":"+86…","steps":[[{"fault":"accept_hang"}],[]]}` | adds steps |
//! | `POST /control/sms/chances` | `[{"vendor":"aliyun","faults":[{"fault":"hang"}],"per_mille":20}]` | replaces the chances |
//! | `POST /control/sms/release` | – | lets late receipts go |

use super::desk::Desk;
use super::faults::{SmsChance, SmsFault, SmsTarget};
use super::handle::SmsHandle;
use super::{Vendor, aliyun, phone, tencent, webhook};
use crate::reply::Reply;
use crate::routes::send;
use crate::wire::Cut;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, Method, Response, Uri};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

const MAX_BODY: usize = 1024 * 1024;

/// A request as it came, for the check of its signature.
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    /// As it stood in the address, not decoded.
    pub(super) query: String,
    /// Names in lower case.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Bytes,
}

impl Asked {
    fn new(method: &Method, uri: &Uri, headers: &HeaderMap, body: Bytes) -> Self {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        Self {
            method: method.as_str().to_owned(),
            path: uri.path().to_owned(),
            query: uri.query().unwrap_or_default().to_owned(),
            headers: headers.collect(),
            body,
        }
    }

    /// A header, or nothing.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// Everything the vendors serve.
pub(crate) fn of_sms(handle: SmsHandle) -> Router {
    Router::new()
        .route("/sms/aliyun", post(aliyun_call))
        .route("/sms/aliyun/", post(aliyun_call))
        .route("/sms/tencent", post(tencent_call))
        .route("/sms/tencent/", post(tencent_call))
        .route("/sms/webhook", post(webhook_call))
        .route("/sms/webhook/{out_id}", get(webhook_question))
        .route("/sms/ledger", get(ledger))
        .route("/phone", get(phone::numbers))
        .route("/phone/phone.css", get(phone::style))
        .route("/phone/{number}", get(phone::number))
        .route("/control/sms/templates", post(template))
        .route("/control/sms/receipts", post(receipts))
        .route("/control/sms/limit", post(limit))
        .route("/control/sms/scripts", post(script))
        .route("/control/sms/chances", post(chances))
        .route("/control/sms/release", post(release))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(handle)
}

/// What every call to a vendor is made of.
type Call = (State<SmsHandle>, ConnectInfo<Cut>, Method, Uri, HeaderMap, Bytes);

async fn aliyun_call((State(handle), ConnectInfo(cut), method, uri, headers, body): Call) -> Response<Body> {
    let asked = Asked::new(&method, &uri, &headers, body);
    carried_out(&cut, handle, move |desk| async move { aliyun::answer(&desk, &asked).await }).await
}

async fn tencent_call((State(handle), ConnectInfo(cut), method, uri, headers, body): Call) -> Response<Body> {
    let asked = Asked::new(&method, &uri, &headers, body);
    carried_out(&cut, handle, move |desk| async move { tencent::answer(&desk, &asked).await }).await
}

async fn webhook_call((State(handle), ConnectInfo(cut), method, uri, headers, body): Call) -> Response<Body> {
    let asked = Asked::new(&method, &uri, &headers, body);
    carried_out(&cut, handle, move |desk| async move { webhook::send(&desk, &asked).await }).await
}

async fn webhook_question(
    Path(out_id): Path<String>,
    (State(handle), ConnectInfo(cut), method, uri, headers, body): Call,
) -> Response<Body> {
    let asked = Asked::new(&method, &uri, &headers, body);
    send(webhook::ask(&handle.desk, &asked, &out_id), &cut).await
}

/// A client that goes away takes nothing back: the call is carried out to its end.
async fn carried_out<F>(cut: &Cut, handle: SmsHandle, call: impl FnOnce(Arc<Desk>) -> F) -> Response<Body>
where
    F: Future<Output = Reply> + Send + 'static,
{
    let reply = tokio::spawn(call(Arc::clone(&handle.desk))).await;
    send(reply.unwrap_or(Reply::Reset), cut).await
}

async fn ledger(State(handle): State<SmsHandle>) -> impl IntoResponse {
    Json(json!({ "messages": handle.ledger(), "reproaches": handle.reproaches() }))
}

#[derive(Deserialize)]
struct Template {
    provider: Vendor,
    code: String,
    text: String,
}

async fn template(State(handle): State<SmsHandle>, Json(template): Json<Template>) {
    handle.register_template(template.provider, &template.code, &template.text);
}

#[derive(Deserialize)]
struct Receipts {
    provider: Vendor,
    url: Option<String>,
}

async fn receipts(State(handle): State<SmsHandle>, Json(receipts): Json<Receipts>) {
    handle.set_receipts_url(receipts.provider, receipts.url.as_deref());
}

#[derive(Deserialize)]
struct Limit {
    provider: Vendor,
    limit: Option<u32>,
}

async fn limit(State(handle): State<SmsHandle>, Json(limit): Json<Limit>) {
    handle.limit_per_number(limit.provider, limit.limit);
}

#[derive(Deserialize)]
struct Script {
    #[serde(flatten)]
    target: SmsTarget,
    steps: Vec<Vec<SmsFault>>,
}

async fn script(State(handle): State<SmsHandle>, Json(script): Json<Script>) {
    handle.script(script.target, script.steps);
}

async fn chances(State(handle): State<SmsHandle>, Json(chances): Json<Vec<SmsChance>>) {
    handle.set_chances(chances);
}

async fn release(State(handle): State<SmsHandle>) -> impl IntoResponse {
    Json(json!({ "released": handle.release() }))
}
