//! One HTTP exchange with an outside party: at most once on the wire, within a time limit, and told as it was seen. Nothing in here,
//! nor in the client below, sends a second time. What an answer means is read elsewhere.

use super::retry_after;
use jiff::Timestamp;
use reqwest::header::RETRY_AFTER;
use reqwest::{ClientBuilder, RequestBuilder, Response, redirect, retry};
use std::error::Error as _;
use std::time::Duration;

/// A longer answer is not read: two hundred statuses of a bank take a tenth of it.
const MAX_ANSWER: usize = 4 * 1024 * 1024;
/// Coming to a connection may take this long, or half of the whole time if that is shorter.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What came back over the wire.
#[derive(Debug)]
pub(crate) enum Seen {
    /// The connection never came about: not one byte of the request was written.
    NoConnection,
    /// An answer.
    Answer {
        status: u16,
        retry_after: Option<Duration>,
        /// The whole body, or why it could not be had whole.
        body: Result<Vec<u8>, String>,
    },
    /// The request may have been written, wholly or in part, and no answer came.
    Silence { why: String },
}

/// Whether connections are kept for later requests.
#[derive(Clone, Copy)]
pub(crate) enum Connections {
    /// One for each request. A client that keeps connections sends a request again, without a word, when a kept connection turns
    /// out to be closed: what must not travel twice has a connection of its own.
    OneEach,
    /// They are kept: for questions.
    Kept,
}

/// A client that follows nothing, repeats nothing and ends every exchange within `timeout`, from the first byte of the connection
/// to the last of the answer.
pub(crate) fn plain(client: ClientBuilder, connections: Connections, timeout: Duration) -> ClientBuilder {
    let client = client
        .http1_only()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT.min(timeout / 2))
        .timeout(timeout);
    match connections {
        Connections::OneEach => client.pool_max_idle_per_host(0),
        Connections::Kept => client,
    }
}

/// Sends a request once and says what was seen.
pub(crate) async fn exchange(request: RequestBuilder) -> Seen {
    match request.send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let retry_after = retry_after::read(header, Timestamp::now());
            Seen::Answer { status, retry_after, body: whole_body(response).await }
        }
        // Raised by the connector only, before it hands over a connection: no byte of the request was written.
        Err(error) if error.is_connect() => Seen::NoConnection,
        // The request itself could not be made; nothing was sent, but nothing will ever be either: let it ring.
        Err(error) => Seen::Silence { why: chain(&error) },
    }
}

async fn whole_body(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|error| chain(&error))? {
        if body.len() + part.len() > MAX_ANSWER {
            return Err(format!("an answer longer than {MAX_ANSWER} bytes"));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

/// The causes of an error in one line, without the address it happened at (it may name a transfer or a number).
fn chain(error: &reqwest::Error) -> String {
    let kind = if error.is_timeout() { "time-out" } else { "broken off" };
    let mut causes = vec![kind.to_owned()];
    let mut cause = error.source();
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    causes.join(": ")
}
