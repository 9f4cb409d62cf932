//! Conformance of providers: the bank link over HTTP and the vendors of SMS, against the sandbox and against raw sockets that misbehave,
//! and the sandbox's own promises. What a payout or a notice makes of the outcomes is tested elsewhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test may fail loudly

mod messages;
mod outcomes;
mod sandbox_bank;
mod scenery;
mod sms_outcomes;
mod sms_receipts;
mod sms_scenery;
mod sockets;
mod tls;
