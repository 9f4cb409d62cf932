//! How messages travel between workers: over RabbitMQ, or inside one process. Both implement the ports of
//! [`zhida_core::ports::queue`] and pass one conformance suite. No event is understood here; bodies are bytes.

pub mod embedded;
pub mod rabbitmq;
