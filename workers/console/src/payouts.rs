//! Payouts and timelines, read. Account numbers show their last four digits only.

use crate::authorise::Scope;
use crate::problem::Problem;
use crate::routes::Console;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::str::FromStr;
use zhida_core::ids::{ApplicationId, PolicyId};
use zhida_core::payout::PayoutState;
use zhida_core::ports::store::{PayoutFilter, Place};
use zhida_core::view::{journal_view, payout_view};
use zhida_schemas::text::Id;

/// Payouts in one page, unless asked for otherwise, and at most.
const LIMIT_DEFAULT: u32 = 100;
const LIMIT_MAX: u32 = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    state: Option<String>,
    policy_id: Option<String>,
    before: Option<String>,
    limit: Option<String>,
}

pub(crate) async fn list(
    State(console): State<Console>,
    headers: HeaderMap,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    console.watch.tokens.check(&headers, Scope::Read)?;
    let Query(query) = query.map_err(|error| bad_query(&error.body_text()))?;
    let state = query.state.as_deref().map(|code| {
        PayoutState::from_code(code).ok_or_else(|| {
            let known: Vec<&str> = PayoutState::ALL.iter().map(|state| state.code()).collect();
            bad("state", code, &format!("use one of {}", known.join(", ")))
        })
    });
    let limit = match query.limit.as_deref() {
        None => LIMIT_DEFAULT,
        Some(text) => {
            let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
            limit.ok_or_else(|| bad("limit", text, "use a number from 1 to 1000"))?
        }
    };
    let policy_id = query.policy_id.map(|id| known_form("policy_id", id)).transpose()?.map(PolicyId);
    let before = query
        .before
        .as_deref()
        .map(|text| Place::from_str(text).map_err(|none| bad("before", text, &none.to_string())));
    let filter = PayoutFilter { state: state.transpose()?, policy_id, before: before.transpose()?, limit };
    let page = console.api()?.store.payouts(&filter).await?;
    let items: Vec<Value> = page.items.iter().map(payout_view).collect();
    Ok(Json(json!({"items": items, "next": page.next.map(|place| place.to_string())})))
}

pub(crate) async fn one(
    State(console): State<Console>,
    headers: HeaderMap,
    Path(application_id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    console.watch.tokens.check(&headers, Scope::Read)?;
    no_query(query.as_deref())?;
    let id = known_form("application_id", application_id)?;
    let payouts = console.api()?.store.payouts_of(&ApplicationId(id.clone())).await?;
    let mut views = payouts.iter().map(payout_view);
    let Some(mut first) = views.next() else {
        return Err(Problem::not_found(&format!("a payout of application {id}")));
    };
    // An award in several parts: the first stands at the top, the others beside it.
    let others: Vec<Value> = views.collect();
    if !others.is_empty() {
        first["further_tranches"] = Value::from(others);
    }
    Ok(Json(first))
}

pub(crate) async fn timeline(
    State(console): State<Console>,
    headers: HeaderMap,
    Path(application_id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    console.watch.tokens.check(&headers, Scope::Read)?;
    no_query(query.as_deref())?;
    let id = known_form("application_id", application_id)?;
    let entries = console.api()?.store.trace(&ApplicationId(id.clone())).await?;
    if entries.is_empty() {
        return Err(Problem::not_found(&format!("application {id}")));
    }
    Ok(Json(entries.iter().map(journal_view).collect()))
}

fn known_form(field: &str, text: String) -> Result<String, Problem> {
    match Id::parse(text.clone()) {
        Ok(id) => Ok(id.into_string()),
        Err(fault) => Err(bad(field, &text, &fault.to_string())),
    }
}

/// What is asked for and not understood would be answered wrongly.
fn no_query(query: Option<&str>) -> Result<(), Problem> {
    match query.filter(|query| !query.is_empty()) {
        None => Ok(()),
        Some(query) => Err(bad_query(&format!("this address takes no query, not {query}"))),
    }
}

fn bad_query(why: &str) -> Problem {
    let shown: String = why.chars().filter(|letter| !letter.is_control()).take(300).collect();
    Problem::new(StatusCode::BAD_REQUEST, "bad request", format!("{shown}; GET /v1/openapi.json lists what there is"))
}

fn bad(field: &str, value: &str, remedy: &str) -> Problem {
    let shown: String = value.chars().take(80).collect();
    Problem::new(StatusCode::BAD_REQUEST, "bad request", format!("{field} is {shown:?}: {remedy}"))
}
