//! What the bank says, truly or not: of a transfer, of a message, and what of it goes over the wire. No books are kept here.

use crate::faults::{AnswerFault, CallFault, TransferFault};
use crate::iso::{self, Said};
use jiff::Timestamp;

/// What goes back over the wire.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// A document.
    Xml { status: u16, text: String },
    /// An object of JSON.
    Json { status: u16, text: String },
    /// A bare status.
    Bare { status: u16, retry_after_seconds: Option<u64> },
    /// 200 with something that is no XML.
    Garbage,
    /// The connection is reset.
    Reset,
    /// Nothing, as long as the client waits.
    Silence,
}

/// What is said of a transfer, which need not be the truth.
pub(crate) fn say(said: &mut Vec<Said>, truth: Said, fault: Option<TransferFault>) {
    let refused = |reason: &str| Said {
        code: "RJCT".to_owned(),
        reason: Some(reason.to_owned()),
        credited_at: None,
        reference: None,
        ..truth.clone()
    };
    match fault {
        Some(TransferFault::PayUnseen { .. } | TransferFault::PayUnnamed) => {}
        Some(TransferFault::PayContradict) => said.extend([refused("AC01"), truth]),
        Some(TransferFault::PayCallDuplicate) => said.push(refused("DU01")),
        Some(TransferFault::PayUnknownCode { code }) => said.push(Said { code, ..truth }),
        Some(TransferFault::Refuse { .. } | TransferFault::Pend { .. } | TransferFault::AcceptThenRefuse { .. })
        | None => said.push(truth),
    }
}

pub(crate) fn before(fault: CallFault, msg_id: &str) -> Reply {
    match fault {
        CallFault::Reset => Reply::Reset,
        CallFault::Hang => Reply::Silence,
        CallFault::Status { status, retry_after_seconds } => Reply::Bare { status, retry_after_seconds },
        CallFault::RefuseWhole { reason } => {
            xml(400, iso::refusal(msg_id, &reason, "refused by the sandbox", Timestamp::now()))
        }
        CallFault::Garbage => Reply::Garbage,
    }
}

pub(crate) fn answer(text: String, fault: Option<AnswerFault>, msg_id: &str) -> Reply {
    match fault {
        None | Some(AnswerFault::PaySlow { .. } | AnswerFault::PayLate { .. }) => xml(200, text),
        Some(AnswerFault::PayHang) => Reply::Silence,
        Some(AnswerFault::PayStatus { status }) => Reply::Bare { status, retry_after_seconds: None },
        Some(AnswerFault::PayReset) => Reply::Reset,
        Some(AnswerFault::PayGarbage) => Reply::Garbage,
        // Half the characters: the XML of this bank is cut in the middle of its members.
        Some(AnswerFault::PayTruncated) => xml(200, text.chars().take(text.chars().count() / 2).collect()),
        Some(AnswerFault::PayGroupOnly { status }) => xml(200, iso::reports_group(msg_id, &status, Timestamp::now())),
        Some(AnswerFault::PayDuplicateWhole) => xml(200, iso::refusal(msg_id, "DU01", "seen before", Timestamp::now())),
    }
}

pub(crate) fn xml(status: u16, text: String) -> Reply {
    Reply::Xml { status, text }
}
