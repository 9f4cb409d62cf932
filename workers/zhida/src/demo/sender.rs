//! Signs events with the review system's key and hands them in over the API, as a review system would.

use super::{KEYID, TOKEN};
use anyhow::Context as _;
use jiff::Timestamp;
use serde_json::{Value, json};
use zhida_schemas::signing::{SigningKey, sign};
use zhida_schemas::text::Id;

/// The review system.
pub(super) struct Sender<'a> {
    client: reqwest::Client,
    url: String,
    keyid: Id,
    key: &'a SigningKey,
    /// The moment at which it speaks.
    pub(super) now: Timestamp,
}

impl<'a> Sender<'a> {
    /// To the API at `url`.
    pub(super) fn new(url: String, key: &'a SigningKey, now: Timestamp) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().build().context("the demo's own HTTP client")?;
        let keyid = Id::parse(KEYID).map_err(|fault| anyhow::anyhow!("{fault}"))?;
        Ok(Self { client, url, keyid, key, now })
    }

    /// A signed event.
    pub(super) fn event(&self, event_type: &str, id: &str, subject: &str, data: Value) -> anyhow::Result<Value> {
        let mut event = json!({"specversion": "1.0", "id": id, "source": "/review/sample", "type": event_type,
            "subject": subject, "time": self.now, "datacontenttype": "application/json", "data": data});
        sign(&mut event, &self.keyid, self.key).map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(event)
    }

    /// Hands them in; none of them may be quarantined.
    pub(super) async fn post(&self, events: &[Value]) -> anyhow::Result<()> {
        let answer = self
            .client
            .post(format!("{}/v1/events", self.url))
            .bearer_auth(TOKEN)
            .header("content-type", "application/cloudevents-batch+json")
            .body(serde_json::to_vec(events)?)
            .send()
            .await?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            anyhow::bail!("POST /v1/events answered {status}: {text}");
        }
        let answer: Value = serde_json::from_str(&text)?;
        if answer["quarantined"].as_array().is_none_or(|items| !items.is_empty()) {
            anyhow::bail!("an event of the sample district was quarantined: {text}");
        }
        Ok(())
    }
}
