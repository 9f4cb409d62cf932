//! From what was seen on the wire to the outcomes of the port: one table for calls, one for enquiries. No input or output here.
//!
//! The rule behind both: only an answer that can mean nothing else says that nothing was taken in; whatever is left is doubt.

use super::pain002::{GroupWord, Pain002, Pain002Reader};
use crate::providers::wire::Seen;
use std::time::Duration;
use zhida_core::ids::{InstructionId, MsgId};
use zhida_core::ports::bank::{CallOutcome, EnquiryOutcome, NotTakenIn};

/// The outcome of handing in the message `msg_id`.
pub(super) fn on_call(seen: Seen, msg_id: &MsgId, reader: &Pain002Reader) -> CallOutcome {
    match seen {
        Seen::NoConnection => CallOutcome::NotTakenIn { why: NotTakenIn::ConnectionRefused, retry_after: None },
        Seen::Silence { why } => CallOutcome::Doubtful { why, retry_after: None },
        Seen::Answer { status, retry_after, body } => {
            let not_taken_in = |why| CallOutcome::NotTakenIn { why, retry_after };
            match status {
                200 | 202 => on_report(read(body, reader), msg_id, Expected::Report, retry_after),
                400 => on_report(read(body, reader), msg_id, Expected::Refusal, retry_after),
                401 => not_taken_in(NotTakenIn::Unauthorised),
                403 => not_taken_in(NotTakenIn::Forbidden),
                429 => not_taken_in(NotTakenIn::TooManyRequests),
                other => CallOutcome::Doubtful { why: format!("status {other}"), retry_after },
            }
        }
    }
}

/// The outcome of asking for `instruction_id`.
pub(super) fn on_enquiry(seen: Seen, instruction_id: &InstructionId, reader: &Pain002Reader) -> EnquiryOutcome {
    let no_answer = |why, retry_after| EnquiryOutcome::NoAnswer { why, retry_after };
    match seen {
        Seen::NoConnection => no_answer("no connection".to_owned(), None),
        Seen::Silence { why } => no_answer(why, None),
        Seen::Answer { status: 404, .. } => EnquiryOutcome::NotFound,
        Seen::Answer { status: 200, retry_after, body } => match read(body, reader) {
            Ok(report) => {
                let named = report.reports.into_iter().find(|report| report.instruction_id == *instruction_id);
                named.map_or_else(
                    || no_answer("the answer does not name this transfer".to_owned(), retry_after),
                    EnquiryOutcome::Found,
                )
            }
            Err(why) => no_answer(why, retry_after),
        },
        Seen::Answer { status, retry_after, .. } => no_answer(format!("status {status}"), retry_after),
    }
}

/// What the status line promised.
enum Expected {
    /// 200, 202: a report, possibly silent on some members.
    Report,
    /// 400: the refusal of the whole message; a silent report proves nothing.
    Refusal,
}

fn read(body: Result<Vec<u8>, String>, reader: &Pain002Reader) -> Result<Pain002, String> {
    reader.read(&body?).map_err(|error| error.to_string())
}

fn on_report(
    report: Result<Pain002, String>,
    msg_id: &MsgId,
    expected: Expected,
    retry_after: Option<Duration>,
) -> CallOutcome {
    let doubtful = |why: &str| CallOutcome::Doubtful { why: why.to_owned(), retry_after };
    let report = match report {
        Ok(report) => report,
        Err(why) => return doubtful(&why),
    };
    if !report.reports.is_empty() {
        // A word that names a transfer counts whatever message the report says it answers.
        return CallOutcome::Answered(report.reports);
    }
    if report.original_msg_id.as_deref() != Some(msg_id.as_str()) {
        return doubtful("the answer names another message and none of its transfers");
    }
    match (report.group, expected) {
        (GroupWord::Refused { reason, text }, Expected::Report | Expected::Refusal) => {
            CallOutcome::RefusedWhole { reason, text }
        }
        (GroupWord::Duplicate, Expected::Report | Expected::Refusal) => CallOutcome::DuplicateGroup,
        (GroupWord::Contradiction, Expected::Report | Expected::Refusal) => {
            doubtful("the whole is refused and a part is not")
        }
        (GroupWord::Silent, Expected::Report) => CallOutcome::Answered(Vec::new()),
        (GroupWord::Silent, Expected::Refusal) => doubtful("status 400 without a refusal of the message"),
    }
}
