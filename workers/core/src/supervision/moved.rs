//! What another calendar would do to the deadlines that run: which move, from when to when, because of which days. A preview; what
//! is written is decided by the look that follows the import.

use super::look::{Case, ClockRow, District, look};
use crate::case_file::ClockKind;
use crate::ids::ApplicationId;
use crate::working_time::{DayType, WorkingTime};
use jiff::Timestamp;
use jiff::civil::Date;

/// A running deadline of which another calendar says something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The application.
    pub application_id: ApplicationId,
    /// The clock.
    pub clock: String,
    /// What it measures.
    pub measures: ClockKind,
    /// Whose turn it is.
    pub department_id: Option<String>,
    /// The deadline by the calendar in force; provisional when that lacks a year on the way.
    pub from: Deadline,
    /// By the other.
    pub to: Deadline,
    /// The days between the start and the later deadline that are worked by one of them only.
    pub because: Vec<ChangedDay>,
}

/// A deadline, and whether the calendar lacked a year on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// When.
    pub at: Timestamp,
    /// It was counted through a year without data.
    pub provisional: bool,
}

/// A day that two calendars tell differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedDay {
    /// The day.
    pub date: Date,
    /// By the calendar in force.
    pub before: DayType,
    /// By the other.
    pub after: DayType,
}

/// Which running deadlines of an application move, or are no longer (or newly) provisional, when `after` is in force.
#[must_use]
pub fn moved(application_id: &ApplicationId, case: Case, district: District<'_>, after: &WorkingTime) -> Vec<Moved> {
    let before = look(application_id, case.clone(), district).clocks;
    let then = look(application_id, case, District { time: after, ..district }).clocks;
    let pairs = before.iter().zip(&then).filter(|(one, _)| one.clock.ended.is_none());
    let differs = |(one, other): &(&ClockRow, &ClockRow)| deadline(one) != deadline(other);
    let moved = |(one, other): (&ClockRow, &ClockRow)| Moved {
        application_id: application_id.clone(),
        clock: one.clock.id.to_string(),
        measures: one.clock.id.kind,
        department_id: one.clock.department.clone(),
        from: deadline(one),
        to: deadline(other),
        because: changed_days(one, other, district.time, after),
    };
    pairs.filter(differs).map(moved).collect()
}

fn deadline(row: &ClockRow) -> Deadline {
    Deadline { at: row.reading.deadline, provisional: row.reading.provisional }
}

fn changed_days(one: &ClockRow, other: &ClockRow, before: &WorkingTime, after: &WorkingTime) -> Vec<ChangedDay> {
    let longer = if one.reading.days.len() < other.reading.days.len() { other } else { one };
    let day = |date: Date| ChangedDay { date, before: before.day_type(date), after: after.day_type(date) };
    // The day of the start never counts.
    let days = longer.reading.days.iter().skip(1).map(|counted| day(counted.date));
    days.filter(|day| day.before.is_worked() != day.after.is_worked()).collect()
}
