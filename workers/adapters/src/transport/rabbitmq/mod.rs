//! RabbitMQ through lapin, with lapin's own recovery off: a session that shows any error, end or stall is dropped whole
//! and built anew. Publishing and consuming have a connection each, for a blocked connection writes nothing,
//! acknowledgements included. The broker keeps no truth: what it loses costs time and never money.

mod consumer;
mod ledger;
mod probe;
mod publisher;
mod session;
mod settlement;
mod sieve;
pub mod topology;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lapin::uri::{AMQPScheme, AMQPUri};
use thiserror::Error;

pub use consumer::RabbitConsumer;
pub use probe::{BrokerFigures, BrokerHealth, QueueFigures, RabbitProbe};
pub use publisher::{IncomingEvent, RabbitPublisher};
pub use topology::{Part, Queue, TopologyError};

/// Called when a connection was rebuilt.
pub type Reconnected = Arc<dyn Fn() + Send + Sync>;

/// How to reach one broker and how long to wait for it. The password never shows in logs or `Debug`.
#[derive(Clone)]
pub struct RabbitSettings {
    uri: AMQPUri,
    /// Shown in RabbitMQ's list of connections, e.g. `zhida intake`.
    pub connection_name: String,
    /// Certificates in PEM form trusted beside the public roots (`amqps` with a private authority).
    pub trusted_certificates: Option<String>,
    /// Longest wait for any single answer of the broker: connect, declare, acknowledge, close.
    pub step_timeout: Duration,
    /// Longest wait for a whole publication, connecting included.
    pub publish_timeout: Duration,
    /// Pause before the first reconnection; it doubles up to [`Self::longest_pause`], with jitter.
    pub first_pause: Duration,
    /// Longest pause between reconnections.
    pub longest_pause: Duration,
    /// How long a batch waits for company after its first delivery.
    pub linger: Duration,
    /// Told of every connection after the first of a consumer or publisher.
    pub reconnected: Option<Reconnected>,
}

impl RabbitSettings {
    /// Reads `url` (`amqp://user:password@host:5672/vhost`, `amqps://…`; characters with a meaning in URLs are
    /// percent-encoded, `%2f` is the vhost `/`). No path or a bare `/` mean the vhost `/`. A heartbeat of 10 seconds
    /// is asked for unless the URL carries `?heartbeat=SECONDS`: a dead link shows after two of them.
    ///
    /// # Errors
    /// [`RabbitError::Address`] when it cannot be read; the message does not repeat the password.
    pub fn new(url: &str, connection_name: impl Into<String>) -> Result<Self, RabbitError> {
        let mut uri: AMQPUri = url.parse().map_err(RabbitError::Address)?;
        if uri.vhost.is_empty() {
            uri.vhost = "/".to_owned();
        }
        uri.query.heartbeat.get_or_insert(10);
        // lapin keeps two buffers of 32 frames for each connection: 2 MiB with this, 8 MiB with the broker's default.
        uri.query.frame_max.get_or_insert(32 * 1024);
        Ok(Self {
            uri,
            connection_name: connection_name.into(),
            trusted_certificates: None,
            step_timeout: Duration::from_secs(10),
            publish_timeout: Duration::from_secs(30),
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(10),
            linger: Duration::from_millis(2),
            reconnected: None,
        })
    }

    /// `amqp://host:port/vhost`, for messages and logs.
    #[must_use]
    pub fn address(&self) -> String {
        let scheme = match self.uri.scheme {
            AMQPScheme::AMQP => "amqp",
            AMQPScheme::AMQPS => "amqps",
        };
        format!("{scheme}://{}:{}/{}", self.uri.authority.host, self.uri.authority.port, self.uri.vhost)
    }
}

impl fmt::Debug for RabbitSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RabbitSettings")
            .field("address", &self.address())
            .field("connection_name", &self.connection_name)
            .finish_non_exhaustive()
    }
}

/// Why RabbitMQ could not serve.
#[derive(Debug, Error)]
pub enum RabbitError {
    /// The setting is no AMQP address.
    #[error(
        "`queue.url` cannot be read as an AMQP address ({0}); write amqp://user:password@host:5672/vhost, percent-encoded"
    )]
    Address(String),
    /// No answer in time; the connection was dropped.
    #[error("RabbitMQ did not answer within {limit:?} when asked to {step}")]
    Late {
        /// What was asked.
        step: &'static str,
        /// How long we waited.
        limit: Duration,
    },
    /// An error of the connection or the broker.
    #[error("RabbitMQ failed when asked to {step}: {source}")]
    Failed {
        /// What was asked.
        step: &'static str,
        /// lapin's error.
        source: lapin::Error,
    },
    /// Exchanges or queues are not as they must be.
    #[error(transparent)]
    Topology(#[from] TopologyError),
}

/// Waits for one answer of the broker, never longer than `limit`.
async fn within<T>(
    limit: Duration,
    step: &'static str,
    answer: impl Future<Output = lapin::Result<T>>,
) -> Result<T, RabbitError> {
    match tokio::time::timeout(limit, answer).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(source)) => Err(RabbitError::Failed { step, source }),
        Err(_) => Err(RabbitError::Late { step, limit }),
    }
}
