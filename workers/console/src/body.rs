//! Bodies of requests, read within a limit.

use crate::problem::Problem;
use axum::body::Body;
use axum::http::StatusCode;
use futures_util::StreamExt as _;

/// The body, at most `limit` bytes. A larger one is read to its end (within reason) and dropped, for a sender that is cut off in
/// the middle of writing never sees the answer.
pub(crate) async fn read(body: Body, limit: usize) -> Result<Vec<u8>, Problem> {
    const READ_MAX: usize = 64 * 1024 * 1024;
    let mut stream = body.into_data_stream();
    let (mut bytes, mut length) = (Vec::new(), 0_usize);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| {
            Problem::new(StatusCode::BAD_REQUEST, "broken off", "the body broke off; send the request again")
        })?;
        length += chunk.len();
        if length <= limit {
            bytes.extend_from_slice(&chunk);
        } else if length > READ_MAX {
            break;
        }
    }
    if length > limit {
        let detail = format!("the body has more than {limit} bytes; GET /v1/openapi.json says what is taken here");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too large", detail));
    }
    Ok(bytes)
}
