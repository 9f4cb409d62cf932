//! The bank: messages of ISO 20022 ([`Pain001Format`], [`Pain002Reader`]) and the link over HTTP ([`HttpBank`]).
//! No state of a payout is kept or decided here; every outcome is handed to the core as evidence.

mod http;
mod pain001;
mod pain002;
mod tls;
mod verdict;
mod xml;

pub use http::{HttpBank, HttpBankError, HttpBankSettings};
pub use pain001::Pain001Format;
pub use pain002::{GroupWord, Pain002, Pain002Reader, SettledStatus, Unreadable};
