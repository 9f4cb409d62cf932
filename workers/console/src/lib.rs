//! The HTTP side: the API of the contract, health, metrics, and pages for people, of which the daily digest is the first. It takes
//! events in through the door like everybody else and decides nothing.

mod authorise;
mod digest;
mod digest_page;
mod events;
mod openapi;
mod payouts;
mod problem;
mod routes;
mod watch;

pub use authorise::{Scope, Tokens};
pub use openapi::openapi;
pub use routes::{Api, Console, Watch, router, serve};
