//! `/v1/notices/unsubscribe/{notice_id}/{key}`: who got a digest by mail and wants no more of them. `POST` is the one click of RFC 8058,
//! which mail programs send by themselves; `GET` shows a page with a button, because some programs open every address that they
//! see, and changes nothing. The key in the address is what authorises it: nobody can make one for another.

use crate::page::{Forms, guards, policy};
use crate::problem::Problem;
use crate::routes::Console;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse};
use std::sync::LazyLock;

const STYLE: &str = include_str!("../templates/unsubscribe.css");

static POLICY: LazyLock<String> = LazyLock::new(|| policy(STYLE, Forms::Own));

/// The page.
#[derive(Template)]
#[template(path = "unsubscribe.html")]
struct UnsubscribePage {
    style: &'static str,
    stage: Stage,
}

/// How far its reader has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The button is there.
    Asks,
    /// It was pressed.
    Done,
}

/// The page with the button.
pub(crate) async fn ask(State(console): State<Console>) -> Result<impl IntoResponse, Problem> {
    console.api()?;
    page(Stage::Asks)
}

/// One click. Whoever presses the button reads the page that comes back; a mail program reads the status.
pub(crate) async fn done(
    State(console): State<Console>,
    Path((notice_id, key)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    if console.api()?.store.unsubscribe(&notice_id, &key).await? {
        return page(Stage::Done);
    }
    let detail = "此退订链接无效或不完整，请使用最近一封日报邮件中的链接。 This address is not whole, or not one of ours: use that of the newest digest.";
    Err(Problem::new(StatusCode::UNAUTHORIZED, "this address unsubscribes nobody", detail))
}

fn page(stage: Stage) -> Result<impl IntoResponse, Problem> {
    let text = UnsubscribePage { style: STYLE, stage }.render().map_err(|error| {
        tracing::error!(%error, "a page cannot be written");
        let detail = "the page cannot be written; ask an operator for `zhida notices preference`";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "no page", detail)
    })?;
    Ok((guards(&POLICY), Html(text)))
}
