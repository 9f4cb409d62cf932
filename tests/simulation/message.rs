//! The form in which messages travel in the simulation: bytes that can be read again. Not ISO 20022.

use jiff::Timestamp;
use zhida_core::ids::MsgId;
use zhida_core::ports::bank::{PaymentFormat, Transfer};

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
