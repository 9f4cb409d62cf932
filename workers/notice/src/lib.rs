//! The notice worker: makes notices of requests, hands messages to providers, asks for what is uncertain, and reads what comes back. It
//! knows stores, providers and queues by their ports only, and decides nothing about notices: that is the core's.
//!
//! The steps ([`notice_once`], [`bounces_once`]) use ports alone, so that a simulator can drive them through every
//! crash, and [`Hands::carry`] is also what the verb that tries a channel does; [`run`] turns them into a worker.

mod bounces;
mod carry;
mod run;
mod send;
mod turn;

pub use bounces::{NotRead, bounces_once};
pub use carry::{Hands, MAIL};
pub use run::{NoticeWorker, SWEEP, Stop, only_listen, run};
pub use turn::notice_once;
