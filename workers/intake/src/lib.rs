//! The intake worker: what review systems and operators hand in is read, its signature checked, and taken in; what is
//! unreadable, untrusted or contradictory goes into quarantine with the reason. The same path serves the broker, the HTTP
//! API and the command line. Rules of payment are the core's.

mod door;
mod keyring;
mod notices;
mod read;
mod run;
mod supervising;

pub use door::Door;
pub use keyring::Keyring;
pub use read::{Refusal, Understood, read};
pub use run::{DeadLetterWriter, IntakeWorker, Stop, count, run, run_dead_letters};
