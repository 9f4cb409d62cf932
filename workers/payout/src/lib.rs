//! The payout worker: sends what is ready, asks for what is uncertain, and lets time do its part. It knows stores, banks and
//! queues by their ports only, and decides nothing about money: that is the core's.
//!
//! The steps ([`send_once`], [`enquire_once`], [`sweep_once`]) use ports alone, so that a simulator can drive them through
//! every crash; [`run`] turns them into a worker.

mod enquire;
mod run;
mod send;
mod sweep;

pub use enquire::{Enquired, enquire_once};
pub use run::{Doorbells, PayoutWorker, Stop, run};
pub use send::{NewMsgId, SendSettings, Sent, send_once};
pub use sweep::{Swept, sweep_once};
