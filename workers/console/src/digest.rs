//! `GET /digest` and `GET /digest/{date}`: the daily digest as a page for people. It needs no script and nothing from elsewhere, and
//! its policy lets nothing else in.

use crate::authorise::Scope;
use crate::digest_page::{self, DigestPage};
use crate::page::{Forms, guards, policy};
use crate::problem::Problem;
use crate::routes::Console;
use askama::Template as _;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse};
use jiff::civil::Date;
use std::sync::LazyLock;

pub(crate) async fn newest(State(console): State<Console>, headers: HeaderMap) -> Result<impl IntoResponse, Problem> {
    page(&console, &headers, None).await
}

pub(crate) async fn of_day(
    State(console): State<Console>,
    headers: HeaderMap,
    Path(date): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    console.watch.tokens.check(&headers, Scope::Read)?;
    let day: Date = date.parse().ok().filter(|_| date.len() == 10).ok_or_else(|| {
        let detail = format!("the date is {date:?}; write it as 2026-11-26");
        Problem::new(StatusCode::BAD_REQUEST, "no date", detail)
    })?;
    page(&console, &headers, Some(day)).await
}

async fn page(console: &Console, headers: &HeaderMap, of: Option<Date>) -> Result<impl IntoResponse + use<>, Problem> {
    console.watch.tokens.check(headers, Scope::Read)?;
    let api = console.api()?;
    let Some(digest) = api.store.digest(of).await? else {
        return Err(match of {
            None => Problem::nowhere("no digest has been made yet; `zhida digest show` says when the next is due"),
            Some(day) => Problem::nowhere(&format!("there is no digest of {day}; GET /digest has the newest")),
        });
    };
    let outlook = api.store.digest_outlook().await?;
    let organisation = api.store.organisation().await?;
    let page = DigestPage::of(&digest, &outlook, &organisation, &api.zone, of);
    let text = page.render().map_err(|error| {
        tracing::error!(%error, "a page cannot be written");
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "no page",
            "the page cannot be written; `zhida digest show` can",
        )
    })?;
    Ok((guards(&POLICY), Html(text)))
}

static POLICY: LazyLock<String> = LazyLock::new(|| policy(digest_page::STYLE, Forms::None));
