//! The mailbox as people see it, and as programs read it. Pages show a mail's HTML in a frame that may do nothing.
//!
//! | route | |
//! |---|---|
//! | `GET /mail`, `GET /mail/{id}` | the box, one mail |
//! | `GET /mail.json` | every mail: `{"id","at","from","to","subject","message_id","headers":[{"name","value"}],"text","html"}`, oldest first |
//! | `POST /control/mail` | `[{"fault":"keep_and_hang"},null]` adds steps to the script; `null` is "as it should" |

use super::{KeptMail, MailFault, MailHandle};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::tz::TimeZone;
use mail_parser::MessageParser;
use serde::Serialize;

/// Nothing but the style and the frame of a mail, which itself may run, load and send nothing.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'";

/// Everything the mailbox serves.
pub(crate) fn of_mail(handle: MailHandle) -> Router {
    Router::new()
        .route("/mail", get(list))
        .route("/mail.json", get(all))
        .route("/mail/{id}", get(one))
        .route("/control/mail", post(script))
        .with_state(handle)
}

/// A mail, read.
#[derive(Serialize)]
struct Shown {
    id: u64,
    at: String,
    from: String,
    to: String,
    subject: String,
    message_id: String,
    headers: Vec<Header>,
    text: String,
    html: String,
}

/// A header of it; without a value where it has none by that name.
#[derive(Serialize)]
struct Header {
    name: &'static str,
    value: Option<String>,
}

/// What a mail of ours is expected to have, in this order: who it is from, what answers and unsubscribes, and who vouches for it.
const HEADERS: [&str; 10] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Auto-Submitted",
    "DKIM-Signature",
];

impl Shown {
    fn of(mail: &KeptMail) -> Self {
        let read = MessageParser::default().parse(&mail.bytes);
        let text = |part: Option<&str>| part.unwrap_or_default().to_owned();
        let zone = TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC);
        Self {
            id: mail.id,
            at: mail.at.to_zoned_datetime(zone).strftime("%Y-%m-%d %H:%M:%S").to_string(),
            from: mail.from.clone(),
            to: mail.to.join(", "),
            subject: text(read.as_ref().and_then(|mail| mail.subject())),
            message_id: text(read.as_ref().and_then(|mail| mail.message_id())),
            headers: HEADERS.map(|name| Header { name, value: mail.header_line(name) }).into(),
            text: read.as_ref().and_then(|mail| mail.body_text(0)).unwrap_or_default().into_owned(),
            html: read.as_ref().and_then(|mail| mail.body_html(0)).unwrap_or_default().into_owned(),
        }
    }
}

#[derive(Template)]
#[template(path = "mailbox.html")]
struct BoxPage {
    mails: Vec<Shown>,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct MailPage {
    mail: Shown,
}

async fn list(State(handle): State<MailHandle>) -> Response {
    page(&BoxPage { mails: handle.mails().iter().rev().map(Shown::of).collect() })
}

async fn one(State(handle): State<MailHandle>, Path(id): Path<u64>) -> Response {
    match handle.mail(id) {
        Some(mail) => page(&MailPage { mail: Shown::of(&mail) }),
        None => (StatusCode::NOT_FOUND, "没有这封邮件 no such mail").into_response(),
    }
}

async fn all(State(handle): State<MailHandle>) -> Json<Vec<Shown>> {
    Json(handle.mails().iter().map(Shown::of).collect())
}

async fn script(State(handle): State<MailHandle>, Json(steps): Json<Vec<Option<MailFault>>>) {
    handle.script(steps);
}

fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page of the sandbox could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
