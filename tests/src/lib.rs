//! What the tests of the whole share: real servers, a link that can be cut, the contract of what goes
//! out, one way to wait.
//! Not a place for tests, nor for anything the product needs.

// A test that cannot get its server has failed; there is nobody to hand an error to.
#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod crowd;
pub mod link;
pub mod mail_server;
pub mod memory_store;
pub mod outgoing;
pub mod servers;
pub mod waiting;
