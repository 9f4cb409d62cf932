//! The district's working-day calendar: the one that travels with the program, amended by every calendar that was imported, in
//! the order in which they were. Which days are worked stands in the calendars themselves.

use crate::payout::{Alarm, AlarmKind};
use crate::steps::JournalRow;
use crate::working_time::WorkingTime;
use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan as _};
use serde_json::json;
use std::collections::BTreeSet;
use thiserror::Error;
use zhida_config::calendar::{Calendar, CalendarError, DayKind};

/// A calendar as it was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedCalendar {
    /// Its version; deadlines carry the newest.
    pub version: String,
    /// As [`Calendar`] writes itself down.
    pub text: String,
    /// When.
    pub imported_at: Timestamp,
    /// By whom.
    pub imported_by: String,
}

/// What an import does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalendarImport {
    /// It is written.
    New,
    /// It stands there already, just so.
    Known,
}

/// A version names one calendar for good, for deadlines are explained by it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the version {version} is another calendar's already: give the new one a version of its own")]
pub struct VersionTaken {
    /// The version.
    pub version: String,
}

/// Why the calendar in force cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the calendar {version} cannot be read: {error}")]
pub struct Unreadable {
    /// Which of them.
    pub version: String,
    /// Why.
    pub error: CalendarError,
}

/// Whether `calendar` is new beside those imported before.
///
/// # Errors
/// Its version is that of another calendar, also of the embedded one.
pub fn judge(imported: &[ImportedCalendar], calendar: &Calendar) -> Result<CalendarImport, VersionTaken> {
    let taken = || VersionTaken { version: calendar.version().to_owned() };
    let known = imported.iter().find(|one| one.version == calendar.version()).map(|one| one.text.clone());
    let embedded =
        Calendar::mainland_china().ok().filter(|one| one.version() == calendar.version()).map(|one| one.to_string());
    match known.or(embedded) {
        None => Ok(CalendarImport::New),
        Some(text) if text == calendar.to_string() => Ok(CalendarImport::Known),
        Some(_) => Err(taken()),
    }
}

/// The calendar in force: the embedded one amended by `imported`, oldest first.
///
/// # Errors
/// One of them cannot be read.
pub fn in_force(imported: &[ImportedCalendar]) -> Result<Calendar, Unreadable> {
    let unreadable = |version: &str| {
        let version = version.to_owned();
        move |error| Unreadable { version, error }
    };
    let embedded = Calendar::mainland_china().map_err(unreadable("built in"))?;
    imported.iter().try_fold(embedded, |calendar, one| {
        Ok(calendar.amended_by(Calendar::parse(&one.text).map_err(unreadable(&one.version))?))
    })
}

/// The first year of a file that names no day off: its `year` line says that it is complete, which no year without holidays is.
#[must_use]
pub fn without_holidays(calendar: &Calendar) -> Option<i16> {
    let off = |year: i16| calendar.days().iter().any(|(date, day)| date.year() == year && day.kind == DayKind::Off);
    calendar.years().keys().copied().find(|year| !off(*year))
}

/// The name under which it is noted that a missing year has rung: as a run of a job at the year's beginning.
pub const JOB: &str = "calendar_missing";

/// A year without data is told so many days before its first day, and whenever a running deadline needs it.
pub const TOLD_DAYS_AHEAD: i32 = 60;

/// Running deadlines that were counted through a year without data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Provisional {
    /// How many.
    pub count: u64,
    /// From the first start to the last deadline.
    pub span: Option<(Timestamp, Timestamp)>,
}

/// Years without data that the next [`TOLD_DAYS_AHEAD`] days or running deadlines need, ascending.
#[must_use]
pub fn missing_years(time: &WorkingTime, today: Date, provisional: Provisional) -> Vec<i16> {
    let soon = today.checked_add(TOLD_DAYS_AHEAD.days()).unwrap_or(today);
    let year = |at| time.day_of(at).year();
    // A deadline at the end of time asks for no more than the years that anybody plans.
    let furthest = today.year().saturating_add(2);
    let known = time.calendar.years();
    // Nobody will publish a year before the calendar's first: an event dated 1970 lacks none.
    let first = known.keys().next().copied().unwrap_or(i16::MAX).min(today.year());
    let needed = provisional.span.map(|(from, to)| year(from).max(first)..=year(to).min(furthest));
    let years: BTreeSet<i16> = (today.year()..=soon.year()).chain(needed.into_iter().flatten()).collect();
    let missing = years.into_iter().filter(|year| !known.contains_key(year));
    // Of years that are over, one is enough to be told of.
    let (over, needed): (Vec<i16>, Vec<i16>) = missing.partition(|year| *year < today.year());
    over.last().copied().into_iter().chain(needed).collect()
}

/// What rings, once, when a year is missing.
#[must_use]
pub fn alarm_of_year(year: i16, provisional: Provisional) -> Alarm {
    let text = format!(
        "the calendar has no data for {year}, and {} running deadlines are provisional because of missing years: bring the year \
         in with `zhida calendar import FILE` once the State Council has published it",
        provisional.count
    );
    Alarm { kind: AlarmKind::CalendarMissing, key: None, instruction_id: None, text }
}

/// From the first to the last day of which `after` says something else than `before`: worked or not, or data at all.
#[must_use]
pub fn changed_days(before: &Calendar, after: &Calendar) -> Option<(Date, Date)> {
    let years: BTreeSet<i16> = before.years().keys().chain(after.years().keys()).copied().collect();
    let mut changed: Option<(Date, Date)> = None;
    let mut note =
        |day: Date| changed = Some(changed.map_or((day, day), |(first, last)| (first.min(day), last.max(day))));
    for year in years {
        let last = date(year, 12, 31);
        if before.years().contains_key(&year) != after.years().contains_key(&year) {
            [date(year, 1, 1), last].into_iter().for_each(&mut note);
            continue;
        }
        let days =
            std::iter::successors(Some(date(year, 1, 1)), |day| day.tomorrow().ok().filter(|next| *next <= last));
        days.filter(|day| before.is_workday(*day) != after.is_workday(*day)).for_each(&mut note);
    }
    changed
}

/// What the journal says of an import.
#[must_use]
pub fn journal_row(calendar: &Calendar, by: &str) -> JournalRow {
    JournalRow {
        kind: "calendar.imported".to_owned(),
        subject: "calendar".to_owned(),
        by: by.to_owned(),
        detail: json!({"version": calendar.version(), "years": calendar.years().keys().collect::<Vec<_>>()}),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::*;

    fn calendar(version: &str, lines: &str) -> Calendar {
        Calendar::parse(&format!("version,{version}\n{lines}")).unwrap()
    }

    fn imported(calendar: &Calendar) -> ImportedCalendar {
        ImportedCalendar {
            version: calendar.version().to_owned(),
            text: calendar.to_string(),
            imported_at: Timestamp::UNIX_EPOCH,
            imported_by: "test".to_owned(),
        }
    }

    #[test]
    fn a_version_names_one_calendar() {
        let first = calendar("cn-2027-1", "year,2027,x\noff,2027-01-01,元旦\n");
        let known = [imported(&first)];
        assert_eq!(judge(&[], &first), Ok(CalendarImport::New));
        assert_eq!(judge(&known, &first), Ok(CalendarImport::Known));
        let other = calendar("cn-2027-1", "year,2027,x\n");
        assert!(judge(&known, &other).unwrap_err().to_string().contains("cn-2027-1 is another calendar's"));
        let embedded = Calendar::mainland_china().unwrap();
        assert_eq!(judge(&known, &embedded), Ok(CalendarImport::Known));
        assert!(judge(&[], &calendar(embedded.version(), "year,2027,x\n")).is_err());
    }

    #[test]
    fn a_year_is_missing_sixty_days_before_it_begins_or_when_a_deadline_needs_it() {
        use crate::working_time::tests::{china, local};
        let span = |from, to| Provisional { count: 1, span: Some((local(from), local(to))) };
        for (today, provisional, years) in [
            (date(2026, 11, 1), Provisional::default(), vec![]),
            (date(2026, 11, 2), Provisional::default(), vec![2027]),
            (date(2026, 6, 1), span("2026-05-30T10:00", "2027-01-04T17:30"), vec![2027]),
            (date(2026, 6, 1), span("2023-12-29T10:00", "2026-06-04T17:30"), vec![]),
            (date(2026, 6, 1), span("1970-01-01T08:00", "2026-06-04T17:30"), vec![]),
            (date(2026, 6, 1), span("2026-05-30T10:00", "9000-01-04T17:30"), vec![2027, 2028]),
            (date(2027, 12, 1), Provisional::default(), vec![2027, 2028]),
        ] {
            assert_eq!(missing_years(&china(), today, provisional), years, "{today}");
        }
    }

    #[test]
    fn of_years_that_are_over_one_is_told() {
        use crate::working_time::tests::{china, local};
        let time = WorkingTime { calendar: calendar("a", "year,2020,x\nyear,2026,x\n").into(), ..china() };
        let span = Some((local("1970-01-01T08:00"), local("2027-01-04T17:30")));
        assert_eq!(missing_years(&time, date(2026, 6, 1), Provisional { count: 1, span }), [2025, 2027]);
    }

    #[test]
    fn a_year_without_a_day_off_is_not_complete() {
        assert_eq!(without_holidays(&calendar("a", "year,2027,x\noff,2027-01-01,元旦\n")), None);
        let forgot = calendar("a", "year,2026,x\noff,2026-10-01,国庆节\nyear,2027,x\nwork,2027-01-10,元旦\n");
        assert_eq!(without_holidays(&forgot), Some(2027));
    }

    #[test]
    fn days_that_change_lie_between_the_first_and_the_last() {
        let before = calendar("a", "year,2026,x\noff,2026-10-01,x\n");
        for (lines, changed) in [
            ("year,2026,y\noff,2026-10-01,another name\n", None),
            ("year,2026,y\noff,2026-10-01,x\noff,2026-10-08,x\n", Some((date(2026, 10, 8), date(2026, 10, 8)))),
            ("year,2026,y\noff,2026-10-08,x\n", Some((date(2026, 10, 1), date(2026, 10, 8)))),
            ("year,2027,y\n", Some((date(2027, 1, 1), date(2027, 12, 31)))),
        ] {
            let after = before.clone().amended_by(calendar("b", lines));
            assert_eq!(changed_days(&before, &after), changed, "{lines}");
        }
    }

    #[test]
    fn the_calendar_in_force_is_amended_in_order() {
        let later = calendar("cn-2027-2", "year,2027,amended\noff,2027-01-04,x\n");
        let chain = [imported(&calendar("cn-2027-1", "year,2027,x\noff,2027-01-01,元旦\n")), imported(&later)];
        let force = in_force(&chain).unwrap();
        assert_eq!(force.version(), "cn-2027-2");
        assert_eq!(force.is_workday(date(2027, 1, 4)), Ok(false));
        assert_eq!(force.is_workday(date(2027, 1, 1)), Ok(true), "a later calendar replaces its years whole");
        assert_eq!(force.is_workday(date(2026, 10, 1)), Ok(false), "the embedded one goes on");
        assert_eq!(in_force(&[]).unwrap(), Calendar::mainland_china().unwrap());
        let broken = ImportedCalendar { text: "x".to_owned(), ..imported(&later) };
        assert!(in_force(&[broken]).unwrap_err().to_string().starts_with("the calendar cn-2027-2 cannot be read"));
    }
}
