//! A clock of a review as a state machine: started, paused and resumed, ended. It keeps facts; its deadline is counted out of
//! them (`count.rs`), so that late events and amended calendars move it by themselves. What rings is not decided here.

use super::count::Reading;
use super::pause::{Pause, Resumption};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use zhida_schemas::review::Stage;

/// What a clock measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockKind {
    /// From the application to its acceptance, or not.
    Acceptance,
    /// A department's step of the review, from assignment to decision.
    Step,
    /// The enterprise's time to bring what is missing.
    Supplement,
    /// The whole review as promised: from application to decision.
    Review,
    /// The whole review as the law allows it.
    Legal,
    /// From approval to credit: 24 hours by the sun.
    Payout,
    /// From a supervision order to its answer.
    Order,
}

impl ClockKind {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Acceptance, Self::Step, Self::Supplement, Self::Review, Self::Legal, Self::Payout, Self::Order];

    /// Reads a name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The name in tables and messages.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Acceptance => "acceptance",
            Self::Step => "step",
            Self::Supplement => "supplement",
            Self::Review => "review",
            Self::Legal => "legal",
            Self::Payout => "payout",
            Self::Order => "order",
        }
    }

    /// What people call it, Chinese and English.
    #[must_use]
    pub fn title(self) -> (&'static str, &'static str) {
        match self {
            Self::Acceptance => ("受理", "acceptance"),
            Self::Step => ("部门审核", "department's step"),
            Self::Supplement => ("企业补正", "enterprise's supplement"),
            Self::Review => ("承诺时限（全程）", "whole review, as promised"),
            Self::Legal => ("法定时限（全程）", "whole review, by law"),
            Self::Payout => ("兑付到账", "payout"),
            Self::Order => ("督办回复", "answer to a supervision order"),
        }
    }
}

/// Which clock of an application: its text is its name in tables, messages and on the command line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClockId {
    /// What it measures.
    pub kind: ClockKind,
    /// Of a step: which.
    pub stage: Option<Stage>,
    /// Of a step: whose.
    pub department: Option<String>,
    /// From 1: how often there was such a clock before, plus one; of a payout, its tranche; of an order, its number.
    pub number: u32,
}

impl fmt::Display for ClockId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.kind.code())?;
        if let Some(stage) = self.stage {
            write!(out, ":{}", stage.code())?;
        }
        if let Some(department) = &self.department {
            write!(out, ":{department}")?;
        }
        write!(out, ":{}", self.number)
    }
}

/// How long it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Term {
    /// So many working days; zero ends with the day of the start.
    WorkingDays(u16),
    /// Until a moment that somebody else has fixed, by natural time.
    Until(Timestamp),
}

/// How a clock ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By what it waited for.
    Met,
    /// Its matter is gone: withdrawn, or decided over its head.
    Void,
}

/// A clock and its facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Which.
    pub id: ClockId,
    /// Whose department has to act; none: the enterprise's clock, or nobody is known.
    pub department: Option<String>,
    /// Who has to act.
    pub officer: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When its beginning came to be known here.
    pub heard_at: Timestamp,
    /// How long it may take.
    pub term: Term,
    /// Times in which it stood still, in the order in which they began.
    pub pauses: Vec<Pause>,
    /// When and how it ended.
    pub ended: Option<(Timestamp, Ending)>,
    /// When that came to be known here.
    pub end_heard_at: Option<Timestamp>,
    /// So many clocks before it measure the same from the same moment: a step given back and taken up within one minute of a
    /// sender whose clock counts minutes.
    pub twins: u32,
}

/// What happens to a clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClockEvent {
    /// It stops.
    Paused(Pause),
    /// It runs again, as far as this cause stopped it.
    Resumed(Resumption),
    /// Another officer has to act.
    HandedTo(String),
    /// It ends.
    Ended(Timestamp, Ending),
}

/// Why an event does not apply to a clock; the clock is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// It stands still for that cause already.
    PausedAlready,
    /// It does not stand still for that cause.
    NotPaused,
    /// It has ended.
    Over,
}

/// How a clock stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockState {
    /// It runs.
    Running,
    /// It runs and is due soon (yellow).
    DueSoon,
    /// Its deadline has passed (red).
    Overdue,
    /// It stands still.
    Paused,
    /// It ended in time.
    Met,
    /// It ended after its deadline.
    MetLate,
    /// Its matter is gone.
    Void,
}

impl ClockState {
    /// Every state.
    pub const ALL: [Self; 7] =
        [Self::Running, Self::DueSoon, Self::Overdue, Self::Paused, Self::Met, Self::MetLate, Self::Void];

    /// The name in tables and metrics.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::DueSoon => "due_soon",
            Self::Overdue => "overdue",
            Self::Paused => "paused",
            Self::Met => "met",
            Self::MetLate => "met_late",
            Self::Void => "void",
        }
    }

    /// Its clock has not ended.
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::Running | Self::DueSoon | Self::Overdue | Self::Paused => true,
            Self::Met | Self::MetLate | Self::Void => false,
        }
    }
}

impl Clock {
    /// A clock that begins to run.
    #[must_use]
    pub fn start(id: ClockId, started_at: Timestamp, heard_at: Timestamp, term: Term) -> Self {
        Self {
            id,
            department: None,
            officer: None,
            started_at,
            heard_at,
            term,
            pauses: Vec::new(),
            ended: None,
            end_heard_at: None,
            twins: 0,
        }
    }

    /// Applies an event.
    ///
    /// # Errors
    /// [`Misfit`] when it does not apply; the clock is unchanged then.
    pub fn on(&mut self, event: ClockEvent) -> Result<(), Misfit> {
        if self.ended.is_some() {
            return Err(Misfit::Over);
        }
        match event {
            ClockEvent::Paused(mut pause) => {
                if self.pauses.iter().any(|one| one.to.is_none() && one.cause == pause.cause) {
                    return Err(Misfit::PausedAlready);
                }
                pause.from = pause.from.max(self.started_at);
                self.pauses.push(pause);
            }
            ClockEvent::Resumed(resumption) => {
                let mine = self.id.kind == ClockKind::Step && resumption.is_for(self.department.as_deref());
                let mut ended = false;
                for pause in self.pauses.iter_mut().filter(|one| one.to.is_none()) {
                    if resumption.ends(&pause.cause) || (mine && pause.cause.is_of_the_review()) {
                        pause.to = Some(resumption.at.max(pause.from));
                        ended = true;
                    }
                }
                if !ended {
                    return Err(Misfit::NotPaused);
                }
            }
            ClockEvent::HandedTo(officer) => self.officer = Some(officer),
            ClockEvent::Ended(at, ending) => {
                self.ended = Some((at, ending));
                for pause in self.pauses.iter_mut().filter(|one| one.to.is_none()) {
                    pause.to = Some(at.max(pause.from));
                }
            }
        }
        Ok(())
    }

    /// How it stands at `now`.
    #[must_use]
    pub fn state(&self, reading: &Reading, now: Timestamp) -> ClockState {
        match self.ended {
            Some((_, Ending::Void)) => ClockState::Void,
            Some((at, Ending::Met)) if at <= reading.deadline => ClockState::Met,
            Some((_, Ending::Met)) => ClockState::MetLate,
            None if self.stands_still(reading, now) => ClockState::Paused,
            None if now >= reading.deadline => ClockState::Overdue,
            None if now >= reading.due_soon_at => ClockState::DueSoon,
            None => ClockState::Running,
        }
    }

    /// Both measure the same from the same moment.
    pub(super) fn is_twin_of(&self, other: &Self) -> bool {
        let ClockId { kind, stage, department, number: _ } = &self.id;
        let same = (*kind, *stage, department) == (other.id.kind, other.id.stage, &other.id.department);
        same && self.started_at == other.started_at
    }

    /// What it measures from when: the same however many clocks like it turn out to have been before. Alerts hang on it.
    #[must_use]
    pub fn cause(&self) -> String {
        let ClockId { kind, stage, department, number: _ } = &self.id;
        if *kind == ClockKind::Payout {
            return self.id.to_string();
        }
        let mut cause = kind.code().to_owned();
        for part in stage.map(Stage::code).into_iter().chain(department.as_deref()) {
            cause.push(':');
            cause.push_str(part);
        }
        cause.push_str(&format!("@{}", self.started_at.as_microsecond()));
        if self.twins > 0 {
            cause.push_str(&format!("+{}", self.twins));
        }
        cause
    }

    /// When it next changes by itself after `now`; none when only an event can change it.
    #[must_use]
    pub fn next_change(&self, reading: &Reading, now: Timestamp) -> Option<Timestamp> {
        if self.ended.is_some() {
            return None;
        }
        let pauses = self.pauses.iter().flat_map(|pause| [Some(pause.from), pause.to]).flatten();
        let moments =
            [reading.due_soon_at, reading.deadline].into_iter().chain(reading.pauses_used_up_at).chain(pauses);
        moments.filter(|moment| *moment > now).min()
    }

    /// It stands still at `now`, began to do so in time, and its pauses may still move the deadline.
    fn stands_still(&self, reading: &Reading, now: Timestamp) -> bool {
        let paused = |one: &Pause| one.covers(now) && one.from < reading.deadline;
        self.pauses.iter().any(paused) && reading.pauses_used_up_at.is_none_or(|at| now < at)
    }
}
