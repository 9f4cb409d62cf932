//! `POST /v1/events`: one event or an array of them, accepted when durable.

use crate::authorise::Scope;
use crate::body;
use crate::problem::Problem;
use crate::routes::{BODY_MAX, Console};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde_json::json;
use zhida_core::ports::door::{Handed, Raw};
use zhida_schemas::strict_json::{self, MAX_EVENT_BYTES};

const SINGLE: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json";

pub(crate) async fn post_events(
    State(console): State<Console>,
    headers: HeaderMap,
    body: Body,
) -> Result<impl IntoResponse, Problem> {
    console.watch.tokens.check(&headers, Scope::Events)?;
    let api = console.api()?;
    let media_type = media_type(&headers)?;
    not_encoded(&headers)?;
    let Ok(_permit) = console.events_at_once.try_acquire() else {
        let detail = "many requests are being worked on; send it again in a second";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many requests", detail).retry_after(1));
    };
    let limit = if media_type == SINGLE { MAX_EVENT_BYTES } else { BODY_MAX };
    let bytes = body::read(body, limit).await?;
    let events: Vec<&[u8]> = if media_type == SINGLE {
        vec![&bytes]
    } else {
        strict_json::split_events(&bytes).map_err(|error| {
            let detail = format!("the body {}; send a JSON array of events, or one event as {SINGLE}", error.reason);
            Problem::new(StatusCode::BAD_REQUEST, "not a batch of events", detail)
        })?
    };
    if events.iter().any(|event| event.len() > MAX_EVENT_BYTES) {
        let detail = format!("an event of the batch has more than {MAX_EVENT_BYTES} bytes");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too large", detail));
    }
    let raws: Vec<Raw> =
        events.into_iter().map(|event| Raw { body: event.to_vec(), routing_key: None, way: "http" }).collect();
    let results = api.door.hand_in(&raws).await?;
    Ok((StatusCode::ACCEPTED, Json(answer(&results))))
}

fn answer(results: &[Handed]) -> serde_json::Value {
    let mut accepted = 0_u32;
    let mut duplicates = 0_u32;
    let (mut refused, mut quarantined) = (Vec::new(), Vec::new());
    for (index, result) in results.iter().enumerate() {
        match result {
            Handed::Accepted | Handed::Acted(_) => accepted += 1,
            Handed::Duplicate => duplicates += 1,
            Handed::Refused(reason) => refused.push(json!({"index": index, "reason": reason})),
            Handed::Quarantined(item) => quarantined.push(json!({
                "index": index, "id": item.event_id, "reason_code": item.reason_code, "field": item.field,
                "reason": item.reason,
            })),
        }
    }
    json!({"accepted": accepted, "duplicates": duplicates, "refused": refused, "quarantined": quarantined})
}

/// A packed body would be quarantined as something that is no JSON.
fn not_encoded(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(encoding) = headers.get(header::CONTENT_ENCODING) else { return Ok(()) };
    if encoding.as_bytes().eq_ignore_ascii_case(b"identity") {
        return Ok(());
    }
    let detail = format!("Content-Encoding is {:?}; send the body as it is", encoding.to_str().unwrap_or_default());
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported encoding", detail))
}

fn media_type(headers: &HeaderMap) -> Result<&'static str, Problem> {
    let written = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let bare = written.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match bare.as_str() {
        SINGLE => Ok(SINGLE),
        BATCH => Ok(BATCH),
        _ => {
            let detail = format!("Content-Type is {written:?}; send {SINGLE} or {BATCH}");
            Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported media type", detail))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::{HeaderMap, header, not_encoded};

    #[test]
    fn a_packed_body_is_refused() {
        let mut headers = HeaderMap::new();
        assert!(not_encoded(&headers).is_ok());
        for (encoding, passes) in [("identity", true), ("Identity", true), ("gzip", false), ("br, gzip", false)] {
            headers.insert(header::CONTENT_ENCODING, encoding.parse().unwrap());
            assert_eq!(not_encoded(&headers).is_ok(), passes, "{encoding}");
        }
    }
}
