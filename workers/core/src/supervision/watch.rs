//! One look at a clock and its open alert: which rungs are due, whom they reach, whether the cause is gone, and when anything can
//! next happen by itself.

use super::alert::{Alert, Cleared, Level, Raised, alert_id};
use crate::case_file::{Clock, ClockKind, ClockState, Reading};
use crate::ids::{ApplicationId, DepartmentId, OfficerId};
use crate::organisation::{Matter, Organisation, Rung};
use crate::working_time::WorkingTime;
use jiff::{SignedDuration, Timestamp};

/// What a look at an alert brought about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlertEffect {
    /// A rung was reached, and those named are told.
    Raised(Raised),
    /// Somebody stands on a rung now who did not when it was reached: these are told.
    Reached(Raised),
    /// Recorded afterwards: the cause had gone before anybody heard of it.
    Recorded(Raised),
    /// It was cleared.
    Cleared(Cleared),
}

/// Whether an earlier alert of the cause tells of the breach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WasRed {
    /// It does.
    Yes,
    /// None does.
    No,
}

/// Who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Circle {
    /// Whoever stands on the rungs of the ladder.
    Ladder,
    /// Discipline inspection on every rung: what they alone see.
    Inspectors,
}

/// One look at a clock.
pub struct Look<'a> {
    /// The application.
    pub application_id: &'a ApplicationId,
    /// The clock.
    pub clock: &'a Clock,
    /// Its deadline.
    pub reading: &'a Reading,
    /// How often the cause rang before.
    pub episodes: u32,
    /// It was red then, or recorded.
    pub was_red: WasRed,
    /// Who is told of it.
    pub told: Circle,
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
            (ClockState::Met, Some(alert)) => looked.clear(alert, self, Cleared::Met),
            (ClockState::MetLate, Some(alert)) => self.record(alert, Cleared::Met, &mut looked),
            (ClockState::Void, Some(alert)) => self.record(alert, Cleared::Void, &mut looked),
            (ClockState::Running | ClockState::Paused, Some(alert)) => looked.clear(alert, self, Cleared::Moved),
            (ClockState::DueSoon, Some(alert)) if alert.is_red() => {
                looked.clear(alert, self, Cleared::Moved);
                self.raise(self.new_alert(1), &mut looked);
            }
            (ClockState::MetLate, None) if self.was_red == WasRed::No => {
                self.record(self.new_alert(0), Cleared::Met, &mut looked);
            }
            (ClockState::Void, None) if self.was_red == WasRed::No && self.ended_late() => {
                self.record(self.new_alert(0), Cleared::Void, &mut looked);
            }
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
        let cause = self.clock.cause();
        let episode = self.episodes + just_cleared + 1;
        Alert {
            id: alert_id(self.application_id, &cause, episode),
            application_id: self.application_id.clone(),
            cause,
            clock: self.clock.id.to_string(),
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
        self.turn_of(&mut alert);
        let mut effects = self.reach(&mut alert);
        if before.officer_id != alert.officer_id {
            effects.extend(self.hand_over(&mut alert));
        }
        let quiet = self.quiet_until().filter(|_| alert.raised.is_empty());
        while let Some((level, due_at)) = self.next_level(&alert) {
            let rests = alert.rests_until(level).into_iter().chain(quiet).max().filter(|until| *until > self.now);
            if due_at > self.now || rests.is_some() {
                looked.wake(rests.map_or(due_at, |until| until.max(due_at)));
                break;
            }
            let (told, note) = self.addressees(level);
            let rung = Raised { level, due_at, raised_at: self.now, told, note };
            alert.raised.push(rung.clone());
            effects.push(AlertEffect::Raised(rung));
        }
        if alert.raised.iter().any(Raised::waits_for_somebody) {
            looked.wake(self.time.next_opening(self.now));
        }
        if alert.raised.is_empty() || alert == before {
            return; // Nothing is raised yet, or nothing has changed.
        }
        let place = looked.put(alert);
        looked.effects.extend(effects.into_iter().map(|effect| (place, effect)));
    }

    /// Whose turn it is, and until when, as of now.
    fn turn_of(&self, alert: &mut Alert) {
        alert.clock = self.clock.id.to_string();
        alert.department_id = self.clock.department.as_deref().map(DepartmentId::from);
        alert.officer_id = self.clock.officer.as_deref().map(OfficerId::from);
        alert.deadline = self.reading.deadline;
    }

    /// Rungs that reached nobody reach whoever stands there now: back from leave, or named since.
    fn reach(&self, alert: &mut Alert) -> Vec<AlertEffect> {
        let mut effects = Vec::new();
        for rung in alert.raised.iter_mut().filter(|rung| rung.waits_for_somebody()) {
            let (told, note) = self.addressees(rung.level);
            if !told.is_empty() {
                (rung.told, rung.note) = (told, note);
                effects.push(AlertEffect::Reached(rung.clone()));
            }
        }
        effects
    }

    /// Whoever has the step now hears of what its officer was told: of the highest rung that is the officer's.
    fn hand_over(&self, alert: &mut Alert) -> Option<AlertEffect> {
        let ladder = self.organisation.ladder_of(&self.department());
        let of_officer = |one: &&mut Raised| match one.level {
            Level::DueSoon => true,
            Level::Rung(rung) => ladder.rungs.get(usize::from(rung)).is_some_and(Rung::is_the_officers),
        };
        let rung = alert.raised.iter_mut().rev().find(of_officer)?;
        let (mut told, note) = self.addressees(rung.level);
        told.retain(|one| !rung.told.contains(one));
        if told.is_empty() {
            return None;
        }
        rung.told.extend(told.iter().cloned());
        rung.note = note;
        Some(AlertEffect::Reached(Raised { told, ..rung.clone() }))
    }

    /// Ends the alert of a clock that has ended; what would have been raised before that, had anybody looked, is recorded.
    fn record(&self, mut alert: Alert, why: Cleared, looked: &mut Looked) {
        self.turn_of(&mut alert);
        let ended_at = self.clock.ended.map_or(self.now, |(at, _)| at);
        let mut effects = Vec::new();
        while let Some((level, due_at)) = self.next_level(&alert).filter(|(_, due_at)| *due_at <= ended_at) {
            let rung = Raised { level, due_at, raised_at: self.now, told: Vec::new(), note: None };
            alert.raised.push(rung.clone());
            effects.push(AlertEffect::Recorded(rung));
        }
        let heard = alert.raised.len() > effects.len();
        if heard {
            effects.push(AlertEffect::Cleared(why));
        }
        alert.cleared = Some((self.now, why));
        let place = looked.put(alert);
        looked.effects.extend(effects.into_iter().map(|effect| (place, effect)));
    }

    fn ended_late(&self) -> bool {
        self.clock.ended.is_some_and(|(at, _)| at > self.reading.deadline)
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
        let nobody_before = last.filter(|one| one.waits_for_somebody() && one.level != Level::DueSoon);
        Some((Level::Rung(rung), nobody_before.map_or(due_at, |one| due_at.min(one.due_at.max(one.raised_at)))))
    }

    /// Who is told. Of what is due soon the first rung hears, and where nobody stands there the second.
    fn addressees(&self, level: Level) -> (Vec<OfficerId>, Option<String>) {
        match level {
            Level::DueSoon => {
                let (told, note) = self.on_rung(0);
                let (second, _) = if told.is_empty() { self.on_rung(1) } else { (Vec::new(), None) };
                if second.is_empty() { (told, note) } else { (second, None) }
            }
            Level::Rung(rung) => self.on_rung(usize::from(rung)),
        }
    }

    fn on_rung(&self, rung: usize) -> (Vec<OfficerId>, Option<String>) {
        let (department, officer) = (self.department(), self.clock.officer.as_deref().map(OfficerId::from));
        let matter = Matter { department_id: &department, officer_id: officer.as_ref() };
        let today = self.time.day_of(self.now);
        let found = match self.told {
            Circle::Ladder => self.organisation.addressees(rung, matter, today),
            Circle::Inspectors => self.organisation.inspectors(today),
        };
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
    fn wake(&mut self, at: Timestamp) {
        self.wake_at = Some(self.wake_at.map_or(at, |wake| wake.min(at)));
    }

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
