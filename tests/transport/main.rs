//! The transports against the port they implement, and the one over RabbitMQ against a real broker that is killed,
//! emptied, starved and cut off. No business of the workers is tested here.
#![allow(clippy::unwrap_used, clippy::expect_used)] // tests: a failure may say so by panicking

mod blocked;
mod broker;
mod conformance;
mod dead_letters;
mod deleted_queue;
mod foreign_sender;
mod link;
mod lost_broker;
mod permissions;
mod probe;
mod topology;
mod unroutable;
