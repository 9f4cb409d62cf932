//! The ports: small traits by which workers reach banks, queues, stores and time. Each has at least two real implementations.

pub mod bank;
pub mod cases;
pub mod digests;
pub mod door;
pub mod listing;
pub mod mail;
pub mod notices;
pub mod orders;
pub mod patterns;
pub mod queue;
pub mod sms;
pub mod store;
pub mod supervision;
pub mod time;
