//! Enquiries, evidence from elsewhere, and what time alone brings.

use super::Desk;
use super::call::{evidence, no_earlier};
use crate::ids::{InstructionId, PayoutKey};
use crate::payout::{Alarm, AlarmKind, Carrier, Event, Refused, Word};
use crate::ports::bank::EnquiryOutcome;
use jiff::Timestamp;

/// What an enquiry brought, with the time by the database's clock at which it was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnquiryResult {
    /// The payout.
    pub key: PayoutKey,
    /// The instruction asked for.
    pub instruction_id: InstructionId,
    /// Before the question was put.
    pub begun_at: Timestamp,
    /// What came.
    pub outcome: EnquiryOutcome,
}

/// Books the result of one enquiry.
pub fn book_enquiry(desk: &mut Desk<'_>, result: &EnquiryResult) {
    let instruction_id = result.instruction_id.clone();
    let event = match &result.outcome {
        EnquiryOutcome::Found(report) => evidence(report, Carrier::Enquiry),
        EnquiryOutcome::NotFound => Event::Evidence {
            instruction_id,
            word: Word::NotFound { begun_at: result.begun_at },
            carrier: Carrier::Enquiry,
        },
        EnquiryOutcome::NoAnswer { retry_after, .. } => {
            let not_before = retry_after.map(|wait| no_earlier(desk.now, wait));
            Event::EnquiryFailed { instruction_id, not_before }
        }
    };
    book(desk, &result.key, &result.instruction_id, event);
}

/// Books evidence that came another way: pushed messages, statements, returns.
pub fn book_evidence(desk: &mut Desk<'_>, key: &PayoutKey, id: &InstructionId, word: Word, carrier: Carrier) {
    let event = Event::Evidence { instruction_id: id.clone(), word, carrier };
    book(desk, key, id, event);
}

/// Books that the statements of every closed day up to `covered_until` hold nothing that could be this instruction's.
///
/// # Errors
/// [`Refused`] when days are left open, or the instruction is not the payout's.
pub fn book_statement_check(
    desk: &mut Desk<'_>,
    key: &PayoutKey,
    id: &InstructionId,
    covered_until: Timestamp,
) -> Result<(), Refused> {
    desk.apply(key, Event::StatementChecked { instruction_id: id.clone(), covered_until })
}

fn book(desk: &mut Desk<'_>, key: &PayoutKey, id: &InstructionId, event: Event) {
    let Err(refused) = desk.apply(key, event) else { return };
    desk.changes.alarms.push(Alarm {
        kind: AlarmKind::UnknownInstruction,
        key: Some(key.clone()),
        instruction_id: Some(id.clone()),
        text: format!("evidence that could not be booked: {refused}"),
    });
}
