//! The HTTP side: the API of the contract, health, metrics. Pages for people are to come and find their place here. It takes
//! events in through the door like everybody else and decides nothing.

mod authorise;
mod events;
mod openapi;
mod payouts;
mod problem;
mod routes;
mod watch;

pub use authorise::{Scope, Tokens};
pub use openapi::openapi;
pub use routes::{Api, Console, Watch, router, serve};
