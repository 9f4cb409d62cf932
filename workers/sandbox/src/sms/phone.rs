//! The phone: pages that show what a number has received, as its owner would see it. They let nothing in but themselves and their style;
//! they renew themselves without a script.

use super::handle::SmsHandle;
use super::ledger::SmsEntry;
use super::signing::china_time;
use askama::Template;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use std::collections::BTreeMap;

const POLICY: &str = "default-src 'none'; style-src 'self'";

/// Every phone that has received something.
#[derive(Template)]
#[template(path = "phones.html")]
struct Phones {
    rows: Vec<PhoneRow>,
}

struct PhoneRow {
    number: String,
    messages: usize,
    /// Of the newest message.
    at: String,
    newest: String,
}

/// One phone.
#[derive(Template)]
#[template(path = "phone.html")]
struct Phone {
    number: String,
    messages: Vec<Bubble>,
}

struct Bubble {
    at: String,
    signature: String,
    text: String,
    segments: u32,
    vendor: &'static str,
}

impl Bubble {
    fn of(entry: SmsEntry) -> Self {
        Self {
            at: china_time(entry.at),
            signature: entry.signature,
            text: entry.text,
            segments: entry.segments,
            vendor: entry.vendor.word(),
        }
    }
}

/// `GET /phone`.
pub(super) async fn numbers(State(handle): State<SmsHandle>) -> Response {
    let mut phones: BTreeMap<String, (usize, SmsEntry)> = BTreeMap::new();
    handle.with_ledger(|ledger| {
        // The newest message of each number comes last.
        for entry in ledger.iter().filter(|entry| entry.is_on_phone()) {
            let before = phones.get(&entry.to).map_or(0, |(messages, _)| *messages);
            phones.insert(entry.to.clone(), (before + 1, entry.clone()));
        }
    });
    let mut phones: Vec<_> = phones.into_iter().collect();
    phones.sort_by_key(|(_, (_, newest))| std::cmp::Reverse(newest.at));
    let row = |(number, (messages, newest)): (String, (usize, SmsEntry))| PhoneRow {
        number,
        messages,
        at: china_time(newest.at),
        newest: newest.text,
    };
    page(&Phones { rows: phones.into_iter().map(row).collect() })
}

/// `GET /phone/{number}` and `GET /phone/{number}.json`. The plus of the number may be left out (it means a blank in some addresses), and
/// so may the country of a mainland number.
pub(super) async fn number(State(handle): State<SmsHandle>, Path(number): Path<String>) -> Response {
    let (number, as_json) = match number.strip_suffix(".json") {
        Some(number) => (number, true),
        None => (number.as_str(), false),
    };
    let (number, mut received) = of_number(&handle, number);
    if as_json {
        return Json(received).into_response();
    }
    received.reverse();
    page(&Phone { number, messages: received.into_iter().map(Bubble::of).collect() })
}

/// The number in E.164 form, and what it has received, the oldest first. A mainland number may stand without its country.
fn of_number(handle: &SmsHandle, written: &str) -> (String, Vec<SmsEntry>) {
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    let mainland = digits.len() == 11 && digits.starts_with('1') && !written.trim_start().starts_with('+');
    let whole = format!("+{digits}");
    let received = handle.received(&whole);
    if !mainland || !received.is_empty() {
        return (whole, received);
    }
    let whole = format!("+86{digits}");
    let received = handle.received(&whole);
    (whole, received)
}

/// `GET /phone/phone.css`.
pub(super) async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../../templates/phone.css"))
}

fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page of the phone");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
