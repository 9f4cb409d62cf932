//! The bank link over HTTP (`iso20022-http`). One call is at most once on the wire (see `wire`). What an outcome leads to is decided
//! in the core.

use super::pain002::{Pain002Reader, SettledStatus};
use super::tls::{self, Pem};
use super::verdict;
use crate::providers::wire::{self, Connections, exchange};
use async_trait::async_trait;
use jiff::tz::TimeZone;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Url};
use std::time::Duration;
use thiserror::Error;
use zhida_core::ids::{InstructionId, MsgId};
use zhida_core::ports::bank::{BankLink, CallOutcome, EnquiryOutcome};

/// What is agreed with the bank. Holds secrets: it is not printable.
#[derive(Clone)]
pub struct HttpBankSettings {
    /// `bank.url`, to which `/payments` is added.
    pub url: String,
    /// Bearer token.
    pub token: Option<String>,
    /// Client certificate chain and private key as one PEM text, for mutual TLS.
    pub identity_pem: Option<Vec<u8>>,
    /// Roots that alone are trusted, as PEM; without them those of the operating system.
    pub ca_pem: Option<Vec<u8>>,
    /// `bank.timeout_seconds`: every call ends within it, from the first byte of the connection to the last of the answer.
    pub timeout: Duration,
    /// `bank.settled_status`.
    pub settled_status: SettledStatus,
    /// The bank's zone, for times it writes without an offset.
    pub zone: TimeZone,
}

/// Settings that cannot be honoured.
#[derive(Debug, Error)]
pub enum HttpBankError {
    /// Not an address.
    #[error("bank.url {0:?} is not an http or https address; write one like https://bank.example/api")]
    Url(String),
    /// Not a header value.
    #[error("bank.token holds characters no HTTP header can carry; use the printable ASCII text the bank gave")]
    Token,
    /// Not a certificate with a key.
    #[error(
        "bank.client_certificate_file and bank.client_key_file do not hold a certificate chain and its private key in PEM form"
    )]
    Identity(#[source] reqwest::Error),
    /// Not certificates.
    #[error("bank.ca_file does not hold certificates in PEM form")]
    Roots(#[source] reqwest::Error),
    /// A PEM text without certificates.
    #[error("bank.ca_file holds no certificate; leave it out to trust the authorities of the operating system")]
    NoRoots,
    /// The client could not be built.
    #[error(
        "the HTTP client for the bank could not be set up; do bank.client_certificate_file and bank.client_key_file belong together?"
    )]
    Client(#[source] reqwest::Error),
}

/// A bank that is spoken to over HTTP.
pub struct HttpBank {
    url: Url,
    payments: Client,
    enquiries: Client,
    reader: Pain002Reader,
}

impl HttpBank {
    /// Sets the link up. Nothing is sent.
    ///
    /// # Errors
    /// A setting that cannot be honoured.
    pub fn new(settings: HttpBankSettings) -> Result<Self, HttpBankError> {
        let bad_url = || HttpBankError::Url(settings.url.clone());
        let mut url = Url::parse(&settings.url).map_err(|_| bad_url())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad_url());
        }
        url.path_segments_mut().map_err(|()| bad_url())?.pop_if_empty().push("payments");
        let headers = headers(settings.token.as_deref())?;
        let pem = Pem { identity: settings.identity_pem, roots: settings.ca_pem };
        let build = |connections| {
            let client = tls::set_up(Client::builder(), &url, &pem)?.default_headers(headers.clone());
            wire::plain(client, connections, settings.timeout).build().map_err(HttpBankError::Client)
        };
        Ok(Self {
            payments: build(Connections::OneEach)?,
            enquiries: build(Connections::Kept)?,
            reader: Pain002Reader::new(settings.settled_status, settings.zone),
            url,
        })
    }
}

#[async_trait]
impl BankLink for HttpBank {
    async fn pay(&self, msg_id: &MsgId, bytes: &[u8]) -> CallOutcome {
        let request = self
            .payments
            .post(self.url.clone())
            .header("idempotency-key", msg_id.as_str())
            .header(CONTENT_TYPE, "application/xml; charset=utf-8")
            .body(bytes.to_vec());
        verdict::on_call(exchange(request).await, msg_id, &self.reader)
    }

    async fn enquire(&self, instruction_id: &InstructionId) -> EnquiryOutcome {
        let mut url = self.url.clone();
        // An address that was given segments once has them.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push(instruction_id.as_str());
        }
        verdict::on_enquiry(exchange(self.enquiries.get(url)).await, instruction_id, &self.reader)
    }
}

fn headers(token: Option<&str>) -> Result<HeaderMap, HttpBankError> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/xml"));
    if let Some(token) = token {
        let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| HttpBankError::Token)?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}
