//! Conformance of providers: the bank link over HTTP, the vendors of SMS and mail over SMTP, against the sandbox, against raw sockets
//! that misbehave and against a mail server that is not ours; and the sandbox's own promises. What a payout or a notice makes of the
//! outcomes is tested elsewhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test may fail loudly

mod hostile_values;
mod mail_outcomes;
mod mail_postfix;
mod mail_scenery;
mod messages;
mod outcomes;
mod sandbox_bank;
mod scenery;
mod sms_outcomes;
mod sms_receipts;
mod sms_scenery;
mod sockets;
mod tls;
