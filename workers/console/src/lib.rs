//! The HTTP side: the API of the contract, health, metrics, and pages for people, of which the daily digest is the first. It takes
//! events in through the door like everybody else and decides nothing.

mod authorise;
mod body;
mod digest;
mod digest_page;
mod events;
mod openapi;
mod page;
mod payouts;
mod problem;
mod receipts;
mod routes;
mod unsubscribe;
mod watch;

pub use authorise::{Scope, Tokens};
pub use openapi::openapi;
pub use receipts::{ReceiptDoor, ReceiptDoors};
pub use routes::{Api, Console, Watch, router, serve};
