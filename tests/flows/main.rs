//! The product as its users use it: the demo, a service on SQLite with a bank beside it, the command line, the API. Written as
//! sentences through a [`World`], whose end checks that the books balance.

// A test may fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod alarms;
mod bad_input;
mod bank_certificates;
mod books;
mod demo;
mod digest;
mod keys;
mod notices;
mod operators;
mod patterns;
mod payments;
mod readme;
mod restore;
mod service;
mod supervision;
mod verbs;
mod world;

use world::World;
