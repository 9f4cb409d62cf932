//! The form in which messages travel in the simulation: bytes that can be read again, not ISO 20022; and what is read of events where no
//! bank is asked.

use jiff::Timestamp;
use zhida_core::ids::MsgId;
use zhida_core::ports::bank::{PaymentFormat, Transfer};
use zhida_core::ports::store::{AuthorityReader, StoredEvent};
use zhida_core::steps::Authority;

/// What one call brings.
pub(crate) type Message = (MsgId, Vec<Transfer>);

/// The message format of the simulation: readable again by the bank, the same bytes for the same content.
pub(crate) struct PlainFormat;

impl PaymentFormat for PlainFormat {
    fn write(&self, msg_id: &MsgId, created_at: Timestamp, transfers: &[Transfer]) -> Vec<u8> {
        serde_json::to_vec(&(msg_id, created_at, transfers)).unwrap()
    }
}

/// Reads what [`PlainFormat`] wrote.
pub(crate) fn read_message(bytes: &[u8]) -> Vec<Transfer> {
    let (_, _, transfers): (MsgId, Timestamp, Vec<Transfer>) = serde_json::from_slice(bytes).unwrap();
    transfers
}

/// Where no bank is asked, nobody orders a payment: what counts of a payout is how it stands.
pub(crate) struct NothingIsPaid;

impl AuthorityReader for NothingIsPaid {
    fn read(&self, _: &StoredEvent, _: Option<&StoredEvent>) -> Option<Authority> {
        None
    }
    fn revoked_keys(&self) -> Vec<String> {
        Vec::new()
    }
}
