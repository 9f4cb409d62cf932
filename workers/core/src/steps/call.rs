//! The end of a call: every member is booked on its own, by `EndToEndId`, and the batch stays open only while its bytes may
//! go again.

use super::{Desk, JournalRow, possible_ids};
use crate::batch::{Batch, ClaimedBatch, Examination, Member, freed};
use crate::ids::{InstructionId, PayoutKey};
use crate::payout::{Alarm, AlarmKind, CallEnd, Carrier, Event, Payout, Refused, Word};
use crate::ports::bank::{CallOutcome, LONGEST_WAIT, NotTakenIn, StatusReport};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::time::Duration;

/// Books what the call with `claimed` brought. The desk holds the payouts of all members and of every report; `batch` is
/// the batch as stored. A stale worker's claim is dropped, its evidence is not.
pub fn book_call(desk: &mut Desk<'_>, mut batch: Batch, claimed: &ClaimedBatch, outcome: &CallOutcome) {
    batch.calls += 1;
    let not_before = wait_asked(outcome).map(|wait| no_earlier(desk.now, wait));
    let mut words: Vec<&StatusReport> = reports(outcome).iter().collect();
    for (member, epoch) in &claimed.members {
        let named = words.iter().position(|report| report.instruction_id == member.instruction_id);
        let event = match named {
            Some(place) => Event::Answered {
                epoch: *epoch,
                instruction_id: member.instruction_id.clone(),
                word: Word::from(&words[place].word),
            },
            None => Event::CallEnded { epoch: *epoch, end: end_for(claimed.members.len(), outcome), not_before },
        };
        match (desk.apply(&member.key, event), named) {
            (Ok(()), Some(place)) => {
                words.remove(place);
            }
            (Ok(()), None) => {}
            // The claim is dropped; a word that came with it is booked below like any other.
            (Err(refused), _) => journal_stale(desk, &member.key, &refused),
        }
    }
    for report in words {
        book_report(desk, report);
    }
    if let CallOutcome::DuplicateGroup = outcome {
        for (member, _) in &claimed.members {
            let instruction_id = member.instruction_id.clone();
            let event = Event::Evidence { instruction_id, word: Word::Duplicate, carrier: Carrier::Answer };
            // Refused only for a foreign instruction, which a member is not.
            let _ = desk.apply(&member.key, event);
        }
    }
    let now = desk.now;
    match outcome {
        CallOutcome::Answered(reports) if reports.is_empty() => {}
        CallOutcome::Answered(_) => close(desk, &mut batch, "answered"),
        CallOutcome::RefusedWhole { .. } => close(desk, &mut batch, "refused as a whole"),
        CallOutcome::NotTakenIn { why, .. } => {
            if batch.closed.is_none() {
                batch.examine_at = not_before.or(now.checked_add(desk.rules.bank.retry_pause).ok());
            }
            ring_for(desk, *why);
        }
        // Its members are asked for first, no sooner than the bank wants: they wait with it.
        CallOutcome::DuplicateGroup | CallOutcome::Doubtful { .. } => {}
    }
    desk.changes.examine.remove(&batch.msg_id);
    desk.changes.batches.insert(batch.msg_id.clone(), batch);
}

/// The claim ends without a call: the last look spoke against it.
pub fn book_not_made(desk: &mut Desk<'_>, mut batch: Batch, claimed: &ClaimedBatch, why: &str) {
    for (member, epoch) in &claimed.members {
        let event = Event::CallEnded { epoch: *epoch, end: CallEnd::NotMade, not_before: None };
        if let Err(refused) = desk.apply(&member.key, event) {
            journal_stale(desk, &member.key, &refused);
        }
    }
    desk.changes.journal.push(JournalRow {
        kind: "batch.call_not_made".to_owned(),
        subject: claimed.msg_id.0.clone(),
        by: desk.by.clone(),
        detail: json!({"why": why}),
    });
    if batch.closed.is_none() {
        batch.examine_at = Some(desk.now);
    }
    desk.changes.examine.remove(&batch.msg_id);
    desk.changes.batches.insert(batch.msg_id.clone(), batch);
}

/// Looks at an open batch whose time has come. Says whether the same bytes may go again now; closes it when they never may.
pub fn examine_batch(desk: &mut Desk<'_>, mut batch: Batch) -> Examination {
    let payouts: Vec<_> = batch.members.iter().filter_map(|member| desk.payouts.get(&member.key)).collect();
    let examination = batch.examine(&payouts, &desk.rules.bank, desk.now);
    batch.examine_at = None;
    match &examination {
        Examination::GoesAgain => {}
        Examination::Waits => {
            desk.changes.batches.insert(batch.msg_id.clone(), batch);
        }
        Examination::Closes(why) => {
            close(desk, &mut batch, why);
            desk.changes.batches.insert(batch.msg_id.clone(), batch);
        }
    }
    examination
}

/// The lease of a payout's open claim ran out: unknown, never ready.
pub fn expire_lease(desk: &mut Desk<'_>, key: &PayoutKey) {
    let _ = desk.apply(key, Event::LeaseExpired);
}

/// Instructions that an answer names although its message did not carry them. Evidence counts whoever carries it: the desk of
/// [`book_call`] must hold their payouts as well.
pub fn named_besides<'a>(members: &'a [Member], outcome: &'a CallOutcome) -> impl Iterator<Item = &'a InstructionId> {
    let ids = reports(outcome).iter().map(|report| &report.instruction_id);
    ids.filter(|id| members.iter().all(|member| member.instruction_id != **id))
}

/// Books what an answer says of one instruction, be it a member or any other that stands on the desk.
fn book_report(desk: &mut Desk<'_>, report: &StatusReport) {
    let (district, id) = (&desk.rules.district, &report.instruction_id);
    let forgotten = |payout: &Payout| payout.restored && possible_ids(district, payout).any(|one| one == *id);
    let owner = desk.payouts.values().find(|payout| payout.by_id(id).is_some() || forgotten(payout));
    match owner.map(|payout| payout.key.clone()) {
        // Refused only for a foreign instruction, which the search excludes.
        Some(key) => drop(desk.apply(&key, evidence(report, Carrier::Answer))),
        None => desk.changes.alarms.push(Alarm {
            kind: AlarmKind::UnknownInstruction,
            key: None,
            instruction_id: Some(report.instruction_id.clone()),
            text: "an answer names an instruction nobody knows".to_owned(),
        }),
    }
}

pub(super) fn close(desk: &mut Desk<'_>, batch: &mut Batch, why: &str) {
    batch.closed = Some(why.to_owned());
    batch.examine_at = None;
    let members: Vec<Member> = batch.members.clone();
    for member in members {
        if let Some(event) = desk.payouts.get(&member.key).and_then(|payout| freed(payout, &batch.msg_id)) {
            let _ = desk.apply(&member.key, event);
        }
    }
    desk.changes.journal.push(JournalRow {
        kind: "batch.closed".to_owned(),
        subject: batch.msg_id.0.clone(),
        by: desk.by.clone(),
        detail: json!({"why": why, "calls": batch.calls}),
    });
}

fn reports(outcome: &CallOutcome) -> &[StatusReport] {
    match outcome {
        CallOutcome::Answered(reports) => reports,
        CallOutcome::RefusedWhole { .. }
        | CallOutcome::NotTakenIn { .. }
        | CallOutcome::DuplicateGroup
        | CallOutcome::Doubtful { .. } => &[],
    }
}

/// The end of the call for a member that the outcome does not name.
fn end_for(members: usize, outcome: &CallOutcome) -> CallEnd {
    match outcome {
        CallOutcome::Answered(_) => CallEnd::Doubtful { why: "the answer does not name it".to_owned() },
        CallOutcome::RefusedWhole { .. } => {
            CallEnd::RefusedWhole { members: u32::try_from(members).unwrap_or(u32::MAX) }
        }
        CallOutcome::NotTakenIn { why, .. } => CallEnd::NotTakenIn(*why),
        CallOutcome::DuplicateGroup => CallEnd::Doubtful { why: "the group is called a duplicate".to_owned() },
        CallOutcome::Doubtful { why, .. } => CallEnd::Doubtful { why: why.clone() },
    }
}

/// A report of the bank as evidence.
#[must_use]
pub(super) fn evidence(report: &StatusReport, carrier: Carrier) -> Event {
    Event::Evidence { instruction_id: report.instruction_id.clone(), word: Word::from(&report.word), carrier }
}

/// What the bank asked us to wait.
fn wait_asked(outcome: &CallOutcome) -> Option<Duration> {
    match outcome {
        CallOutcome::NotTakenIn { retry_after, .. } | CallOutcome::Doubtful { retry_after, .. } => *retry_after,
        CallOutcome::Answered(_) | CallOutcome::RefusedWhole { .. } | CallOutcome::DuplicateGroup => None,
    }
}

/// The end of a wait the bank asked for, which is never longer than [`LONGEST_WAIT`].
pub(super) fn no_earlier(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait.min(LONGEST_WAIT)).unwrap_or(Timestamp::MAX)
}

fn ring_for(desk: &mut Desk<'_>, why: NotTakenIn) {
    match why {
        NotTakenIn::Unauthorised | NotTakenIn::Forbidden => desk.changes.alarms.push(Alarm {
            kind: AlarmKind::BankUnauthorised,
            key: None,
            instruction_id: None,
            text: "the bank does not accept our credentials: check bank.token and the bank's access list".to_owned(),
        }),
        NotTakenIn::ConnectionRefused | NotTakenIn::TooManyRequests => {}
    }
}

fn journal_stale(desk: &mut Desk<'_>, key: &PayoutKey, refused: &Refused) {
    desk.changes.journal.push(JournalRow {
        kind: "payout.stale_result".to_owned(),
        subject: super::subject(key),
        by: desk.by.clone(),
        detail: json!({"why": refused.to_string()}),
    });
}

/// When a claim's right to call ends, seen from `now`.
#[must_use]
pub(super) fn lease_end(now: Timestamp, lease: SignedDuration) -> Timestamp {
    now.checked_add(lease).unwrap_or(Timestamp::MAX)
}
