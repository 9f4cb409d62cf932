//! An alert: one cause that a person has to end, with the rungs by which it climbs. It is raised once for each cause and rung
//! whoever looks and how often; it is cleared only when the cause is gone. Whom a rung reaches is the organisation's affair;
//! how it reaches them is that of the notices.

use super::acknowledge::Acknowledgement;
use crate::case_file::{Clock, ClockKind, ClockState, Reading};
use crate::ids::{ApplicationId, DepartmentId, OfficerId};
use crate::organisation::{Matter, Organisation};
use crate::working_time::WorkingTime;
use data_encoding::BASE32_NOPAD;
use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How far an alert has climbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Yellow: due soon.
    DueSoon,
    /// Red, and the ladder: its rung, from 0.
    Rung(u16),
}

impl fmt::Display for Level {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DueSoon => out.write_str("due_soon"),
            Self::Rung(0) => out.write_str("overdue"),
            Self::Rung(rung) => write!(out, "escalated_{rung}"),
        }
    }
}

impl FromStr for Level {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "due_soon" => Ok(Self::DueSoon),
            "overdue" => Ok(Self::Rung(0)),
            _ => text.strip_prefix("escalated_").and_then(|rung| rung.parse().ok()).map(Self::Rung).ok_or(()),
        }
    }
}

/// A rung that was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    /// Which.
    pub level: Level,
    /// When it was due.
    pub due_at: Timestamp,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// Who is told; nobody when it is only recorded.
    pub told: Vec<OfficerId>,
    /// Why nobody is told, Chinese first.
    pub note: Option<String>,
}

/// Why an alert was cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cleared {
    /// What was waited for has happened.
    Met,
    /// The matter is gone.
    Void,
    /// The deadline has moved: by a pause, a late event or an amended calendar.
    Moved,
    /// Late events show that there never was such a clock.
    Gone,
}

impl Cleared {
    /// The name in tables and messages.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Void => "void",
            Self::Moved => "moved",
            Self::Gone => "gone",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Met, Self::Void, Self::Moved, Self::Gone].into_iter().find(|why| why.code() == code)
    }

    /// What people read, Chinese and English.
    #[must_use]
    pub fn sentences(self) -> (&'static str, &'static str) {
        match self {
            Self::Met => ("已办结", "what was waited for has happened"),
            Self::Void => ("事项已终止", "the matter is gone"),
            Self::Moved => ("时限已顺延", "the deadline has moved"),
            Self::Gone => ("补到的记录表明该时限不存在", "late events show that there was no such deadline"),
        }
    }
}

/// An alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Its id, short enough to be typed.
    pub id: String,
    /// The application.
    pub application_id: ApplicationId,
    /// The clock.
    pub clock: String,
    /// What the clock measures.
    pub kind: ClockKind,
    /// From 1: how often this clock gave cause.
    pub episode: u32,
    /// Whose turn it is: the department.
    pub department_id: Option<DepartmentId>,
    /// Whose turn it is: the officer.
    pub officer_id: Option<OfficerId>,
    /// The deadline, as last counted.
    pub deadline: Timestamp,
    /// Rungs reached, lowest first.
    pub raised: Vec<Raised>,
    /// Who took notice, oldest first.
    pub acknowledged: Vec<Acknowledgement>,
    /// When and why it was cleared.
    pub cleared: Option<(Timestamp, Cleared)>,
}

/// What a look at an alert brought about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlertEffect {
    /// A rung was reached, and those named are told.
    Raised(Raised),
    /// Recorded afterwards: the cause had gone before anybody heard of it.
    Recorded(Raised),
    /// It was cleared.
    Cleared(Cleared),
}

/// One look at a clock.
pub struct Look<'a> {
    /// The application.
    pub application_id: &'a ApplicationId,
    /// The clock.
    pub clock: &'a Clock,
    /// Its deadline.
    pub reading: &'a Reading,
    /// How often the clock gave cause before.
    pub episodes: u32,
    /// Who is told.
    pub organisation: &'a Organisation,
    /// Working hours.
    pub time: &'a WorkingTime,
    /// A deadline that was past when its clock was heard of rings so much later: the rest of a replayed history may still be
    /// on its way.
    pub replay_pause: SignedDuration,
    /// The database's clock.
    pub now: Timestamp,
}

/// What a look saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Alerts that are new or changed, oldest first.
    pub alerts: Vec<Alert>,
    /// What happened to which of them, by index.
    pub effects: Vec<(usize, AlertEffect)>,
    /// When to look again, if anything can happen by itself.
    pub wake_at: Option<Timestamp>,
}

impl Look<'_> {
    /// Looks at the clock, with its open alert if there is one.
    #[must_use]
    pub fn at(&self, open: Option<Alert>) -> Looked {
        let state = self.clock.state(self.reading, self.now);
        let mut looked = Looked { wake_at: self.clock.next_change(self.reading, self.now), ..Looked::default() };
        match (state, open) {
            (ClockState::Met, Some(alert)) | (ClockState::MetLate, Some(alert)) => {
                looked.clear(alert, self, Cleared::Met)
            }
            (ClockState::Void, Some(alert)) => looked.clear(alert, self, Cleared::Void),
            (ClockState::Running | ClockState::Paused, Some(alert)) => looked.clear(alert, self, Cleared::Moved),
            (ClockState::DueSoon, Some(alert)) if alert.is_red() => {
                looked.clear(alert, self, Cleared::Moved);
                self.raise(self.new_alert(1), &mut looked);
            }
            (ClockState::MetLate, None) if self.episodes == 0 => self.record(&mut looked),
            (ClockState::DueSoon | ClockState::Overdue, open) => {
                self.raise(open.unwrap_or_else(|| self.new_alert(0)), &mut looked);
            }
            (
                ClockState::Running | ClockState::Paused | ClockState::Met | ClockState::MetLate | ClockState::Void,
                None,
            ) => {}
        }
        looked
    }

    /// `just_cleared`: alerts of this clock that this very look has cleared.
    fn new_alert(&self, just_cleared: u32) -> Alert {
        let clock = self.clock.id.to_string();
        let episode = self.episodes + just_cleared + 1;
        Alert {
            id: alert_id(self.application_id, &clock, episode),
            application_id: self.application_id.clone(),
            clock,
            kind: self.clock.id.kind,
            episode,
            department_id: None,
            officer_id: None,
            deadline: self.reading.deadline,
            raised: Vec::new(),
            acknowledged: Vec::new(),
            cleared: None,
        }
    }

    /// Raises every rung that is due.
    fn raise(&self, mut alert: Alert, looked: &mut Looked) {
        let before = alert.clone();
        alert.department_id = self.clock.department.as_deref().map(DepartmentId::from);
        alert.officer_id = self.clock.officer.as_deref().map(OfficerId::from);
        alert.deadline = self.reading.deadline;
        let quiet = self.quiet_until().filter(|_| alert.raised.is_empty());
        let mut raised = Vec::new();
        while let Some((level, due_at)) = self.next_level(&alert) {
            let rests = alert.rests_until(level).into_iter().chain(quiet).max().filter(|until| *until > self.now);
            if due_at > self.now || rests.is_some() {
                let at = rests.map_or(due_at, |until| until.max(due_at));
                looked.wake_at = Some(looked.wake_at.map_or(at, |wake| wake.min(at)));
                break;
            }
            let (told, note) = self.addressees(level);
            let rung = Raised { level, due_at, raised_at: self.now, told, note };
            alert.raised.push(rung.clone());
            raised.push(rung);
        }
        if alert.raised.is_empty() || alert == before {
            return; // Nothing is raised yet, or nothing has changed.
        }
        let place = looked.put(alert);
        looked.effects.extend(raised.into_iter().map(|rung| (place, AlertEffect::Raised(rung))));
    }

    /// What would have been raised while the clock ran, had anybody known: for the record alone.
    fn record(&self, looked: &mut Looked) {
        let Some((ended_at, _)) = self.clock.ended else { return };
        let mut alert = self.new_alert(0);
        alert.department_id = self.clock.department.as_deref().map(DepartmentId::from);
        alert.officer_id = self.clock.officer.as_deref().map(OfficerId::from);
        while let Some((level, due_at)) = self.next_level(&alert).filter(|(_, due_at)| *due_at <= ended_at) {
            alert.raised.push(Raised { level, due_at, raised_at: self.now, told: Vec::new(), note: None });
        }
        alert.cleared = Some((self.now, Cleared::Met));
        let rungs = alert.raised.clone();
        let place = looked.put(alert);
        looked.effects.extend(rungs.into_iter().map(|rung| (place, AlertEffect::Recorded(rung))));
    }

    /// The next rung and when it is due. Where nobody stood on a rung the next one is due at once.
    fn next_level(&self, alert: &Alert) -> Option<(Level, Timestamp)> {
        let last = alert.raised.last();
        let rung = match last.map(|one| one.level) {
            None if self.reading.due_soon_at < self.reading.deadline => {
                return Some((Level::DueSoon, self.reading.due_soon_at));
            }
            None | Some(Level::DueSoon) => 0,
            Some(Level::Rung(rung)) => rung + 1,
        };
        // The enterprise's own time is nobody's breach: its officer hears that it is over, and that is all.
        if rung > 0 && self.clock.id.kind == ClockKind::Supplement {
            return None;
        }
        let ladder = self.organisation.ladder_of(&self.department());
        let step = ladder.rungs.get(usize::from(rung))?;
        let due_at = self.time.after_hours(self.reading.deadline, u32::from(step.after_working_hours)).at;
        let nobody_before = last.filter(|one| one.told.is_empty() && one.note.is_some() && one.level != Level::DueSoon);
        Some((Level::Rung(rung), nobody_before.map_or(due_at, |one| due_at.min(one.due_at.max(one.raised_at)))))
    }

    fn addressees(&self, level: Level) -> (Vec<OfficerId>, Option<String>) {
        let rung = match level {
            Level::DueSoon => 0,
            Level::Rung(rung) => usize::from(rung),
        };
        let (department, officer) = (self.department(), self.clock.officer.as_deref().map(OfficerId::from));
        let matter = Matter { department_id: &department, officer_id: officer.as_ref() };
        let found = self.organisation.addressees(rung, matter, self.time.day_of(self.now));
        let told = found.officers.iter().map(|one| one.id.clone()).collect();
        (told, found.missing.map(|missing| missing.to_string()))
    }

    fn department(&self) -> DepartmentId {
        DepartmentId::from(self.clock.department.as_deref().unwrap_or_default())
    }

    /// Until when a cause waits that was past when it was heard of.
    fn quiet_until(&self) -> Option<Timestamp> {
        let heard_at = self.clock.heard_at;
        let heard_late = self.reading.deadline < heard_at;
        heard_late.then(|| heard_at.checked_add(self.replay_pause).unwrap_or(Timestamp::MAX))
    }
}

impl Looked {
    fn put(&mut self, alert: Alert) -> usize {
        self.alerts.push(alert);
        self.alerts.len() - 1
    }

    fn clear(&mut self, mut alert: Alert, look: &Look<'_>, why: Cleared) {
        alert.cleared = Some((look.now, why));
        let place = self.put(alert);
        self.effects.push((place, AlertEffect::Cleared(why)));
    }
}

impl Alert {
    /// It has gone beyond yellow.
    #[must_use]
    pub fn is_red(&self) -> bool {
        self.raised.iter().any(|one| one.level != Level::DueSoon)
    }

    /// How far it has climbed.
    #[must_use]
    pub fn level(&self) -> Level {
        self.raised.last().map_or(Level::DueSoon, |one| one.level)
    }

    /// The acknowledgement in force at `now`.
    #[must_use]
    pub fn acknowledged_at(&self, now: Timestamp) -> Option<&Acknowledgement> {
        self.acknowledged.last().filter(|one| now < one.until)
    }

    /// Until when this level waits for an acknowledgement. That a deadline was missed is a fact and never waits.
    fn rests_until(&self, level: Level) -> Option<Timestamp> {
        match level {
            Level::DueSoon | Level::Rung(0) => None,
            Level::Rung(_) => self.acknowledged.last().map(|one| one.until),
        }
    }
}

/// The id of an alert: the same whoever raises it.
fn alert_id(application_id: &ApplicationId, clock: &str, episode: u32) -> String {
    let text = format!("{application_id}\n{clock}\n{episode}");
    let hash = digest(&SHA256, text.as_bytes());
    let letters: String = BASE32_NOPAD.encode(hash.as_ref()).chars().take(10).collect();
    format!("AL-{letters}")
}
