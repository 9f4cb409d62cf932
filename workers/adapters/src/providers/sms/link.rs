//! The HTTP side that the vendors share: where one is, and two clients, one that sends each message over a connection of its own and
//! one that asks. It signs nothing and understands no answer.

use super::SmsProviderError;
use crate::providers::wire::{self, Connections, Seen};
use reqwest::{Client, Url};
use std::time::Duration;

/// One vendor's address and how it is reached.
pub(super) struct Link {
    pub(super) url: Url,
    pub(super) timeout: Duration,
    sends: Client,
    asks: Client,
}

impl Link {
    /// Sets the link up. Nothing is sent.
    pub(super) fn new(name: &str, url: &str, timeout: Duration) -> Result<Self, SmsProviderError> {
        let bad_url = || SmsProviderError::Url { name: name.to_owned() };
        let url = Url::parse(url).map_err(|_| bad_url())?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() || url.query().is_some() {
            return Err(bad_url());
        }
        // Another part of the process may have installed it already; it is the only one compiled in.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let build = |connections| {
            let mut client = Client::builder().tls_backend_rustls();
            if url.scheme() == "http" {
                // Without TLS no roots are needed, and a machine without any (a bare container) must not be refused.
                client = client.tls_certs_only([]);
            }
            let client = wire::plain(client, connections, timeout).build();
            client.map_err(|source| SmsProviderError::Client { name: name.to_owned(), source })
        };
        Ok(Self { sends: build(Connections::OneEach)?, asks: build(Connections::Kept)?, timeout, url })
    }

    /// The header `host` as it is sent, which is signed.
    pub(super) fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Posts what must not travel twice.
    pub(super) async fn send(&self, url: Url, headers: &[(&str, String)], body: Vec<u8>) -> Seen {
        post(&self.sends, url, headers, body).await
    }

    /// Posts a question.
    pub(super) async fn ask(&self, url: Url, headers: &[(&str, String)], body: Vec<u8>) -> Seen {
        post(&self.asks, url, headers, body).await
    }

    /// Gets an answer.
    pub(super) async fn get(&self, url: Url, headers: &[(&str, String)]) -> Seen {
        let request = self.asks.get(url);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        wire::exchange(request).await
    }
}

async fn post(client: &Client, url: Url, headers: &[(&str, String)], body: Vec<u8>) -> Seen {
    let request = client.post(url).body(body);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
    wire::exchange(request).await
}
