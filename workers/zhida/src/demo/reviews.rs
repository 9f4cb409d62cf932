//! The sample district's month of reviews as events: its moments become real ones by the calendar in force, and what a network does
//! to messages is done to them: some come late, some twice.

use super::events::contacts;
use super::sender::Sender;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};
use zhida_config::sample_district::{Actor, Moment, Review, Step, What};
use zhida_core::money::Fen;
use zhida_core::working_time::WorkingTime;

/// Events in one request.
const BATCH: usize = 200;
/// Of so many events one is overtaken by …
const LATE_OF: usize = 7;
/// … so many others, and …
const LATE_BY: usize = 300;
/// … of so many one is sent twice.
const TWICE_OF: usize = 31;
/// SHA-256 of a document, as a sample has it.
const EVIDENCE: &str = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752";

/// Hands all of it in, the oldest first but for what is overtaken; says how many events there were.
pub(super) async fn hand_in(sender: &Sender<'_>, reviews: &[Review], time: &WorkingTime) -> anyhow::Result<usize> {
    let month = Month::before(sender.now, time);
    let mut events = Vec::new();
    for review in reviews {
        for (place, step) in review.history.iter().enumerate() {
            let id = format!("{}-{}", review.application_id, place + 1);
            let (event_type, data) = event(&month, review, step);
            let event = sender.event(event_type, &id, &review.application_id, data)?;
            events.push((month.moment(step.at), event));
        }
    }
    events.sort_by_key(|(at, _)| *at);
    let count = events.len();
    let sent = as_a_network_would(events.into_iter().map(|(_, event)| event).collect());
    let bar = ProgressBar::new(sent.len() as u64);
    // Eighty columns hold it.
    bar.set_style(ProgressStyle::with_template("{bar:20} {pos}/{len} 审核记录 events of reviews")?);
    for batch in sent.chunks(BATCH) {
        sender.post(batch).await?;
        bar.inc(batch.len() as u64);
    }
    bar.finish();
    Ok(count)
}

/// The same events, some overtaken and some twice; the same every time.
fn as_a_network_would(events: Vec<Value>) -> Vec<Value> {
    let mut arriving: Vec<(usize, Value)> = Vec::new();
    for (place, event) in events.into_iter().enumerate() {
        if place % TWICE_OF == 0 {
            arriving.push((place + LATE_BY / 2, event.clone()));
        }
        arriving.push((place + if place % LATE_OF == 0 { LATE_BY } else { 0 }, event));
    }
    arriving.sort_by_key(|(place, _)| *place);
    arriving.into_iter().map(|(_, event)| event).collect()
}

/// The working days before the demo's.
struct Month<'a> {
    now: Timestamp,
    time: &'a WorkingTime,
    /// The last one first.
    days: Vec<Date>,
}

impl<'a> Month<'a> {
    /// As many as any review reaches back.
    const DAYS: usize = 30;

    fn before(now: Timestamp, time: &'a WorkingTime) -> Self {
        let mut days = Vec::new();
        let mut day = time.day_of(now);
        while let Ok(before) = day.yesterday()
            && days.len() < Self::DAYS
        {
            day = before;
            if time.day_type(day).is_worked() {
                days.push(day);
            }
        }
        Self { now, time, days }
    }

    fn moment(&self, moment: Moment) -> Timestamp {
        let found = match moment {
            Moment::FromNow(span) => self.now.checked_add(span).ok(),
            Moment::WorkingDay(before, at) => {
                let day = usize::from(before).checked_sub(1).and_then(|place| self.days.get(place));
                day.and_then(|day| self.time.zone.to_timestamp(day.to_datetime(at)).ok())
            }
        };
        found.unwrap_or(self.now)
    }
}

/// A step as an event's type and data.
fn event(month: &Month<'_>, review: &Review, step: &Step) -> (&'static str, Value) {
    let at = month.moment(step.at);
    let (event_type, mut data) = match &step.what {
        What::Submitted { mode } => ("application.submitted.v1", submitted(review, mode, at)),
        What::Accepted(by) => ("application.accepted.v1", by_officer(by, json!({"at": at}))),
        What::Declined { by, reason } => {
            ("application.declined.v1", by_officer(by, json!({"at": at, "reason": reason})))
        }
        What::SupplementRequested { by, item, due_at } => {
            let due_at = due_at.map(|due| month.moment(due));
            (
                "application.supplement_requested.v1",
                by_officer(by, json!({"at": at, "items": [item], "due_at": due_at})),
            )
        }
        What::SupplementReceived => ("application.supplement_received.v1", json!({"at": at})),
        What::Assigned { to, stage, due_working_days } => {
            let more = json!({"stage": stage, "assigned_at": at, "due_working_days": due_working_days});
            ("review.assigned.v1", by_officer(to, more))
        }
        What::Decided { by, stage, decision, return_to, reason } => {
            let more = json!({"stage": stage, "decision": decision, "decided_at": at, "reason": reason,
                "return_to_department_id": return_to});
            ("review.decided.v1", by_officer(by, more))
        }
        What::Paused { reason, by, evidence } => {
            let evidence = json!({"title": evidence, "sha256": EVIDENCE});
            ("review.paused.v1", json!({"reason": reason, "evidence": evidence, "by": by, "at": at}))
        }
        What::Resumed { by } => ("review.resumed.v1", json!({"by": by, "at": at})),
        What::PublicityStarted { ends_at } => {
            ("publicity.started.v1", json!({"at": at, "ends_at": month.moment(*ends_at)}))
        }
        What::PublicityEnded { outcome } => ("publicity.ended.v1", json!({"at": at, "outcome": outcome})),
        What::Rejected { by, reason } => ("application.rejected.v1", json!({"by": by, "at": at, "reason": reason})),
        What::Withdrawn { by, reason } => ("application.withdrawn.v1", json!({"by": by, "at": at, "reason": reason})),
    };
    data["application_id"] = json!(review.application_id);
    if let Some(members) = data.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    (event_type, data)
}

fn submitted(review: &Review, mode: &str, at: Timestamp) -> Value {
    json!({"policy_id": review.policy_id, "enterprise": {"uscc": review.uscc, "name": review.enterprise_name},
        "submitted_at": at, "mode": mode,
        "amount_requested": {"currency": "CNY", "value": Fen(review.amount.fen).to_string()},
        "contacts": contacts(review.mobile.as_deref(), &review.email, &review.locale)})
}

fn by_officer(by: &Actor, mut data: Value) -> Value {
    data["department_id"] = json!(by.department_id);
    data["officer_id"] = json!(by.officer_id);
    data
}

#[cfg(test)]
#[path = "reviews_tests.rs"]
mod tests;
