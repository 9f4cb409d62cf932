//! `/v1/notices/unsubscribe/{notice_id}/{key}`: who got a digest by mail and wants no more of them. `POST` with `List-Unsubscribe=One-Click`
//! is the one click of RFC 8058, which mail programs send by themselves. `GET` shows a page with a button, because some programs open
//! every address that they see, and changes nothing; the button says so with a word of its own, and whatever else is posted changes
//! nothing either. The key in the address is what authorises it: nobody can make one for another. All answers are pages for people, for
//! people are who open the address; a mail program reads the status.

use crate::body;
use crate::page::{Forms, guards, policy};
use crate::problem::Problem;
use crate::routes::Console;
use askama::Template;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use std::sync::LazyLock;
use zhida_core::ports::store::StoreError;

const STYLE: &str = include_str!("../templates/unsubscribe.css");

static POLICY: LazyLock<String> = LazyLock::new(|| policy(STYLE, Forms::Own));

/// What a mail program posts (RFC 8058, section 3.1).
const ONE_CLICK: (&str, &str) = ("List-Unsubscribe", "One-Click");

/// What our own button posts.
const BUTTON: (&str, &str) = ("confirmed", "by-button");

/// The largest body that is read: either of the two has some hundred bytes.
const BODY_MAX: usize = 16 * 1024;

/// The page.
#[derive(Template)]
#[template(path = "unsubscribe.html")]
struct UnsubscribePage {
    style: &'static str,
    button: (&'static str, &'static str),
    stage: Stage,
}

/// How far its reader has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The button is there.
    Asks,
    /// Something was posted that neither a mail program nor the button posts: the button is there, and nothing was changed.
    Unclear,
    /// It was pressed.
    Done,
    /// The address unsubscribes nobody.
    Wrong,
    /// It cannot be looked up, or written, now.
    Away,
}

impl Stage {
    fn status(self) -> StatusCode {
        match self {
            Self::Asks | Self::Done => StatusCode::OK,
            Self::Unclear => StatusCode::BAD_REQUEST,
            Self::Wrong => StatusCode::NOT_FOUND,
            Self::Away => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

type Address = Result<Path<(String, String)>, PathRejection>;

/// The page with the button, where it would do something.
pub(crate) async fn ask(State(console): State<Console>, address: Address) -> Result<Response, Problem> {
    let api = console.api()?;
    let Some((notice_id, key)) = parts(address) else { return page(Stage::Wrong) };
    page(stage(api.store.unsubscribes(&notice_id, &key).await, Stage::Asks))
}

/// One click, of a mail program or on the button.
pub(crate) async fn done(
    State(console): State<Console>,
    address: Address,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let api = console.api()?;
    let Some((notice_id, key)) = parts(address) else { return page(Stage::Wrong) };
    // What breaks off, or is larger than any click, is none.
    let bytes = body::read(body, BODY_MAX).await.unwrap_or_default();
    let posted = posted(&headers, &String::from_utf8_lossy(&bytes));
    let wanted = [ONE_CLICK, BUTTON].iter().any(|(name, value)| posted.iter().any(|(n, v)| n == name && v == value));
    if wanted {
        page(stage(api.store.unsubscribe(&notice_id, &key).await, Stage::Done))
    } else {
        page(stage(api.store.unsubscribes(&notice_id, &key).await, Stage::Unclear))
    }
}

fn stage(right: Result<bool, StoreError>, when_right: Stage) -> Stage {
    match right {
        Ok(true) => when_right,
        Ok(false) => Stage::Wrong,
        Err(error) => {
            tracing::warn!(%error, "a page to unsubscribe could not be served");
            Stage::Away
        }
    }
}

/// Id and key, where the address can have been written by us: no other one is looked up.
fn parts(address: Address) -> Option<(String, String)> {
    let Path((notice_id, key)) = address.ok()?;
    let lawful = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (lawful(&notice_id) && lawful(&key)).then_some((notice_id, key))
}

/// Names and values of a form, in either of the forms that RFC 8058 allows. They are compared with words that need no encoding, so that
/// nothing is decoded.
fn posted(headers: &HeaderMap, body: &str) -> Vec<(String, String)> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let owned = |(name, value): (&str, &str)| (name.trim().to_owned(), value.trim().to_owned());
    let Some(boundary) = boundary(kind) else {
        return body.split('&').filter_map(|pair| pair.split_once('=')).map(owned).collect();
    };
    let field = |part: &str| {
        let (head, value) = part.split_once("\r\n\r\n")?;
        let disposition = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
        let name = disposition.split(';').map(str::trim).find_map(|one| one.strip_prefix("name="))?;
        Some(owned((name.trim_matches('"'), value)))
    };
    body.split(&format!("--{boundary}")).filter_map(field).collect()
}

/// The boundary of `multipart/form-data`; none: the body is another form.
fn boundary(kind: &str) -> Option<&str> {
    let (media, parameters) = kind.split_once(';')?;
    if !media.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let named = |one: &'_ &str| one.get(.."boundary=".len()).is_some_and(|name| name.eq_ignore_ascii_case("boundary="));
    let found = parameters.split(';').map(str::trim).find(named)?;
    Some(found["boundary=".len()..].trim_matches('"')).filter(|boundary| !boundary.is_empty())
}

fn page(stage: Stage) -> Result<Response, Problem> {
    let text = UnsubscribePage { style: STYLE, button: BUTTON, stage }.render().map_err(|error| {
        tracing::error!(%error, "a page cannot be written");
        let detail = "the page cannot be written; ask an operator for `zhida notices preference`";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "no page", detail)
    })?;
    let mut response = (stage.status(), guards(&POLICY), Html(text)).into_response();
    if stage == Stage::Away {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::posted;
    use axum::http::{HeaderMap, header};

    #[test]
    fn a_form_is_read_in_both_of_its_forms() {
        let multipart =
            "--x-7\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x-7--\r\n";
        let click = &[("List-Unsubscribe", "One-Click")][..];
        for (kind, body, expected) in [
            ("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click", click),
            ("application/x-www-form-urlencoded; charset=utf-8", "List-Unsubscribe=One-Click\r\n", click),
            ("", "List-Unsubscribe=One-Click", click),
            ("application/x-www-form-urlencoded", "a=b&List-Unsubscribe=One-Click", &[("a", "b"), click[0]]),
            ("application/x-www-form-urlencoded", "", &[]),
            ("multipart/form-data; boundary=x-7", multipart, click),
            ("Multipart/Form-Data; charset=utf-8; Boundary=\"x-7\"", multipart, click),
            // Not what it says it is: no click.
            ("multipart/form-data; boundary=other", multipart, &[("List-Unsubscribe", "One-Click\r\n--x-7--")]),
            ("multipart/form-data", "List-Unsubscribe=One-Click", click),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())]);
            let expected: Vec<(String, String)> =
                expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            assert_eq!(posted(&headers, body), expected, "{kind} {body}");
        }
    }
}
