//! Enquiries, evidence from elsewhere, and what time alone brings.

use super::call::{evidence, no_earlier};
use super::{Desk, JournalRow};
use crate::ids::{InstructionId, PayoutKey};
use crate::payout::{Alarm, AlarmKind, Announcement, Carrier, Event, PayoutWord, Refused, Word};
use crate::ports::bank::EnquiryOutcome;
use jiff::Timestamp;
use serde_json::json;

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

/// What time alone brings a payout: holds that end at a time, and the alerts of its 24 hours, each given once.
pub fn time_passes(desk: &mut Desk<'_>, key: &PayoutKey) {
    let _ = desk.apply(key, Event::TimePassed);
    let Some(payout) = desk.payouts.get(key).cloned() else { return };
    if !payout.is_unpaid() {
        return;
    }
    for (name, from) in payout.alerts(desk.rules) {
        let word = if name == "overdue" { PayoutWord::Overdue } else { PayoutWord::AtRisk };
        tell_once(desk, key, word, &name, from);
    }
}

fn tell_once(desk: &mut Desk<'_>, key: &PayoutKey, word: PayoutWord, name: &str, from: Timestamp) {
    let Some(mut payout) = desk.payouts.get(key).cloned() else { return };
    if desk.now < from || !payout.told.insert(name.to_owned()) {
        return;
    }
    payout.sequence += 1;
    let announcement = Announcement { word };
    desk.put(payout, vec![crate::payout::Effect::Announce(announcement)]);
    desk.changes.journal.push(JournalRow {
        kind: format!("payout.{name}"),
        subject: super::subject(key),
        by: desk.by.clone(),
        detail: json!({"since": from}),
    });
}
