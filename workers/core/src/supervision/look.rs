//! One look at an application: what its events, payouts and open alerts say now, and what has to be written of it.

use super::SupervisionRules;
use super::alert::{Alert, Cleared, Level, Raised};
use super::order::{Audience, Order};
use super::watch::{AlertEffect, Circle, Look, WasRed};
use crate::case_file::{
    CaseEvent, CaseFile, Clock, ClockKind, ClockState, Finding, FindingCode, PayoutFacts, Reading, ReviewTerms,
};
use crate::ids::{ApplicationId, OfficerId, PolicyId};
use crate::notice::{NoticeKind, NoticeRequest};
use crate::organisation::Organisation;
use crate::steps::{JournalRow, WorldEvent};
use crate::view::micros;
use crate::working_time::WorkingTime;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Everything that is known of an application.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// Its events, in any order.
    pub events: Vec<CaseEvent>,
    /// Its payouts.
    pub payouts: Vec<PayoutFacts>,
    /// Of its policy, when that is known: the department and how applications are reviewed.
    pub policy: Option<(String, ReviewTerms)>,
    /// Supervision orders about it.
    pub orders: Vec<Order>,
    /// Its alerts, open and cleared.
    pub alerts: Vec<Alert>,
}

/// What every look needs beside the case.
#[derive(Clone, Copy)]
pub struct District<'a> {
    /// Rules of supervision.
    pub rules: &'a SupervisionRules,
    /// Who is told.
    pub organisation: &'a Organisation,
    /// Working days and hours.
    pub time: &'a WorkingTime,
    /// The database's clock.
    pub now: Timestamp,
}

/// A clock as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockRow {
    /// The clock.
    pub clock: Clock,
    /// Its deadline.
    pub reading: Reading,
    /// How it stands.
    pub state: ClockState,
}

/// What a look saw, and what it wants written.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The case file.
    pub file: CaseFile,
    /// Its clocks.
    pub clocks: Vec<ClockRow>,
    /// Alerts that are new or changed.
    pub alerts: Vec<Alert>,
    /// Journal rows, in order.
    pub journal: Vec<JournalRow>,
    /// Events for the world, in order.
    pub world: Vec<WorldEvent>,
    /// Whom to tell; each once, whoever asks for it how often.
    pub notices: Vec<NoticeRequest>,
    /// When to look again, if anything can happen by itself.
    pub look_at: Option<Timestamp>,
}

/// A clock that was set back by no more than this unsees nothing: what was raised by it stands.
const SET_BACK_MAX: SignedDuration = SignedDuration::from_hours(24);

impl Case {
    /// The moment of a look: `now`, or when the last rung of an open alert was raised, where the clock was set back since. A
    /// deadline that has passed has not moved because a clock did.
    fn moment(&self, now: Timestamp) -> Timestamp {
        let open = self.alerts.iter().filter(|alert| alert.cleared.is_none());
        let raised = open.flat_map(|alert| &alert.raised).map(|rung| rung.raised_at).max();
        raised.filter(|at| at.duration_since(now) <= SET_BACK_MAX).map_or(now, |at| at.max(now))
    }
}

/// Looks at an application.
#[must_use]
pub fn look(application_id: &ApplicationId, case: Case, district: District<'_>) -> Seen {
    let district = District { now: case.moment(district.now), ..district };
    let policy = case.policy.as_ref().map(|(department, terms)| (department.as_str(), terms));
    let terms = district.rules.terms(policy);
    let (events, ahead): (Vec<_>, Vec<_>) =
        case.events.into_iter().partition(|event| event.at.duration_since(district.now) <= district.rules.max_ahead);
    let mut file = CaseFile::of(&events, &case.payouts, &terms);
    file.clocks.extend(case.orders.iter().map(Order::clock));
    let for_inspection = |clock: &Clock| {
        let hidden = |order: &&Order| order.audience == Audience::Inspection && order.clock().id == clock.id;
        case.orders.iter().find(hidden)
    };
    let dated =
        |event: &CaseEvent| Finding { at: event.at, code: FindingCode::DatedAhead, about: event.event_id.clone() };
    file.findings.extend(ahead.iter().map(dated));
    let mut seen = Seen { look_at: ahead.iter().map(|event| event.at).min(), ..Seen::default() };
    let mut alerts: BTreeMap<String, Vec<Alert>> = BTreeMap::new();
    for alert in case.alerts {
        alerts.entry(alert.cause.clone()).or_default().push(alert);
    }
    for clock in &file.clocks {
        let reading = clock.read(district.time, &district.rules.counting);
        let known = alerts.remove(&clock.cause()).unwrap_or_default();
        let episodes = u32::try_from(known.len()).unwrap_or(u32::MAX);
        let was_red = if known.iter().any(Alert::is_red) { WasRed::Yes } else { WasRed::No };
        let open = known.into_iter().find(|alert| alert.cleared.is_none());
        let eye = Look {
            application_id,
            clock,
            reading: &reading,
            episodes: episodes - u32::from(open.is_some()),
            was_red,
            told: if for_inspection(clock).is_some() { Circle::Inspectors } else { Circle::Ladder },
            organisation: district.organisation,
            time: district.time,
            replay_pause: district.rules.replay_pause,
            now: district.now,
        };
        let looked = eye.at(open);
        seen.look_at = seen.look_at.into_iter().chain(looked.wake_at).min();
        for (place, effect) in looked.effects {
            let alert = &looked.alerts[place];
            seen.tell(alert, &effect, &file);
            if let Some(order) = for_inspection(clock) {
                seen.remind(&order.addressee, alert, &effect);
            }
        }
        seen.alerts.extend(looked.alerts);
        let state = clock.state(&reading, district.now);
        seen.clocks.push(ClockRow { clock: clock.clone(), reading, state });
    }
    // Late events have shown that these clocks never were; or an order was answered, and the answer returned, since the last look.
    for mut alert in alerts.into_values().flatten().filter(|alert| alert.cleared.is_none()) {
        let why = if alert.kind == ClockKind::Order { Cleared::Met } else { Cleared::Gone };
        alert.cleared = Some((district.now, why));
        seen.tell(&alert, &AlertEffect::Cleared(why), &file);
        seen.alerts.push(alert);
    }
    seen.combine();
    seen.file = with_findings_of_clocks(file, &seen.clocks, district);
    seen
}

/// That the pauses of a clock have moved its deadline as far as they may is a finding, too; so is what was told of it too late.
fn with_findings_of_clocks(mut file: CaseFile, clocks: &[ClockRow], district: District<'_>) -> CaseFile {
    for ClockRow { clock, reading, .. } in clocks {
        let mut find = |at, code| file.findings.push(Finding { at, code, about: clock.id.to_string() });
        let ended = clock.ended.map_or(Timestamp::MAX, |(at, _)| at);
        // A pause that lasts is counted ahead: that it will have used up what pauses may is none yet.
        if let Some(at) = reading.pauses_used_up_at.filter(|at| *at < ended && *at <= district.now) {
            find(at, FindingCode::PausesUsedUp);
        }
        for place in 0..clock.pauses.len() {
            let mut without = clock.clone();
            let pause = without.pauses.remove(place);
            let deadline = without.read(district.time, &district.rules.counting).deadline;
            if clock.heard_at <= deadline && pause.from < deadline && deadline < pause.heard_at {
                find(pause.from, FindingCode::HeardAfterDeadline);
            }
        }
        let in_time = ended <= reading.deadline && clock.heard_at <= reading.deadline;
        if in_time && clock.end_heard_at.is_some_and(|heard_at| reading.deadline < heard_at) {
            find(ended, FindingCode::HeardAfterDeadline);
        }
    }
    file.findings.sort();
    file
}

impl Seen {
    /// No clock is open and nothing can happen by itself: only an event concerns it any more. An alert is open only while its clock is.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.look_at.is_none() && self.clocks.iter().all(|row| !row.state.is_open())
    }

    fn tell(&mut self, alert: &Alert, effect: &AlertEffect, file: &CaseFile) {
        let (kind, detail, event) = match effect {
            AlertEffect::Raised(rung) => ("alert.raised", of_rung(rung), Some(event_type(rung.level))),
            AlertEffect::Reached(rung) => ("alert.reached", of_rung(rung), None),
            AlertEffect::Recorded(rung) => ("alert.recorded", of_rung(rung), None),
            AlertEffect::Cleared(why) => ("alert.cleared", json!({"because": why}), Some("supervision.cleared.v1")),
        };
        let mut whole = of_alert(alert, file.policy_id.as_ref());
        if let Value::Object(detail) = detail {
            whole.extend(detail);
        }
        let whole = Value::Object(whole);
        self.journal.push(JournalRow {
            kind: kind.to_owned(),
            subject: alert.application_id.0.clone(),
            by: "system".to_owned(),
            detail: whole.clone(),
        });
        if let Some(event_type) = event {
            let subject = alert.application_id.0.clone();
            self.world.push(WorldEvent { event_type: event_type.to_owned(), subject, data: whole });
        }
        match effect {
            AlertEffect::Raised(rung) | AlertEffect::Reached(rung) => {
                let (kind, occasion) = (notice_kind(rung.level), rung.level.to_string());
                let asked = rung.told.iter().map(|person| request(kind, alert, person, &occasion));
                self.notices.extend(asked);
            }
            // Whoever was told of a breach is told that it is over.
            AlertEffect::Cleared(_) if alert.is_red() => {
                let mut told: Vec<&OfficerId> = alert.raised.iter().flat_map(|rung| &rung.told).collect();
                told.sort();
                told.dedup();
                let cleared = |person| request(NoticeKind::ReviewCleared, alert, person, "cleared");
                self.notices.extend(told.into_iter().map(cleared));
            }
            AlertEffect::Recorded(_) | AlertEffect::Cleared(_) => {}
        }
    }

    /// Whoever has to answer an order that inspectors alone see is reminded of it, and stands in no alert.
    fn remind(&mut self, addressee: &OfficerId, alert: &Alert, effect: &AlertEffect) {
        match effect {
            AlertEffect::Raised(Raised { level: level @ (Level::DueSoon | Level::Rung(0)), .. }) => {
                self.notices.push(request(notice_kind(*level), alert, addressee, &level.to_string()));
            }
            AlertEffect::Raised(_) | AlertEffect::Reached(_) | AlertEffect::Recorded(_) | AlertEffect::Cleared(_) => {}
        }
    }

    /// Rungs that one look makes up come as one notice: of several about an alert a person gets the highest.
    fn combine(&mut self) {
        let mut last: BTreeMap<(String, String), usize> = BTreeMap::new();
        for (place, one) in self.notices.iter().enumerate() {
            last.insert((one.subject.clone(), one.recipient.clone()), place);
        }
        let mut place = 0..;
        self.notices.retain(|one| {
            let here = place.next();
            last.get(&(one.subject.clone(), one.recipient.clone())).copied() == here
        });
    }
}

fn request(kind: NoticeKind, alert: &Alert, person: &OfficerId, occasion: &str) -> NoticeRequest {
    NoticeRequest {
        kind,
        subject: alert.id.clone(),
        recipient: person.to_string(),
        occasion: occasion.to_owned(),
        application_id: alert.application_id.clone(),
    }
}

fn event_type(level: Level) -> &'static str {
    match level {
        Level::DueSoon => "supervision.warned.v1",
        Level::Rung(0) => "supervision.breached.v1",
        Level::Rung(_) => "supervision.escalated.v1",
    }
}

fn notice_kind(level: Level) -> NoticeKind {
    match level {
        Level::DueSoon => NoticeKind::ReviewDueSoon,
        Level::Rung(0) => NoticeKind::ReviewOverdue,
        Level::Rung(_) => NoticeKind::ReviewEscalated,
    }
}

/// The alert in the form of `schemas/v1/supervision.*`; what is not known is left out.
pub(super) fn of_alert(alert: &Alert, policy_id: Option<&PolicyId>) -> Map<String, Value> {
    let order = alert.order_id().map(|id| id.to_string());
    let whole = json!({
        "alert_id": alert.id,
        // The answer to an order that is about no application has its order for a subject.
        "application_id": Some(&alert.application_id.0).filter(|id| Some(*id) != order.as_ref()),
        "order_id": order,
        "clock": alert.clock,
        "measures": alert.kind.code(),
        "deadline": micros(Some(alert.deadline)),
        "policy_id": policy_id,
        "department_id": alert.department_id,
        "officer_id": alert.officer_id,
    });
    let Value::Object(mut members) = whole else { return Map::new() };
    members.retain(|_, value| !value.is_null());
    members
}

fn of_rung(rung: &Raised) -> Value {
    let mut detail = json!({"level": rung.level.to_string(), "due_at": micros(Some(rung.due_at)), "told": rung.told});
    if let Some(note) = &rung.note {
        detail["note"] = json!(note);
    }
    detail
}
