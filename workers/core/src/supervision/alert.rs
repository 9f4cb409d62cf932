//! An alert: one cause that a person has to end, with the rungs by which it climbs. It is raised once for each cause and rung
//! whoever looks and how often; it is cleared only when the cause is gone. Whom a rung reaches is the organisation's affair;
//! how it reaches them is that of the notices.

use super::acknowledge::Acknowledgement;
use crate::case_file::ClockKind;
use crate::ids::{ApplicationId, DepartmentId, OfficerId, OrderId};
use data_encoding::BASE32_NOPAD;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use zhida_config::Calendar;

/// How far an alert has climbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Yellow: due soon.
    DueSoon,
    /// Red, and the ladder: its rung, from 0.
    Rung(u16),
}

impl Level {
    /// The rung that hears of it, from 0: of what is due soon the first.
    #[must_use]
    pub fn rung(self) -> usize {
        match self {
            Self::DueSoon => 0,
            Self::Rung(rung) => usize::from(rung),
        }
    }
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
            Self::Void => ("事项已终止，或已另有结果", "the matter is gone, or was decided without it"),
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
    /// The application; for the answer to an order that is about none, the order.
    pub application_id: ApplicationId,
    /// The cause: a clock by its beginning, see [`crate::case_file::Clock::cause`].
    pub cause: String,
    /// The clock, as it is called now.
    pub clock: String,
    /// What the clock measures.
    pub kind: ClockKind,
    /// From 1: how often this cause rang.
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

impl Raised {
    /// It reached nobody, and would reach whoever came to stand there.
    pub(super) fn waits_for_somebody(&self) -> bool {
        self.told.is_empty() && self.note.is_some()
    }
}

impl Alert {
    /// The order whose answer is due, if it is about one.
    #[must_use]
    pub fn order_id(&self) -> Option<OrderId> {
        let number = self.clock.strip_prefix("order:").filter(|_| self.kind == ClockKind::Order)?;
        number.parse().ok().map(OrderId)
    }

    /// The calendar lacks the year of its deadline, which may move once that is brought in. The 24 hours of a payout need no
    /// calendar.
    #[must_use]
    pub fn is_provisional(&self, calendar: &Calendar, zone: &TimeZone) -> bool {
        let year = zone.to_datetime(self.deadline).year();
        self.kind != ClockKind::Payout && !calendar.years().contains_key(&year)
    }

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
    pub(super) fn rests_until(&self, level: Level) -> Option<Timestamp> {
        match level {
            Level::DueSoon | Level::Rung(0) => None,
            Level::Rung(_) => self.acknowledged.last().map(|one| one.until),
        }
    }
}

/// The id of an alert: the same whoever raises it.
pub(super) fn alert_id(application_id: &ApplicationId, cause: &str, episode: u32) -> String {
    let text = format!("{application_id}\n{cause}\n{episode}");
    let hash = digest(&SHA256, text.as_bytes());
    let letters: String = BASE32_NOPAD.encode(hash.as_ref()).chars().take(16).collect();
    format!("AL-{letters}")
}
