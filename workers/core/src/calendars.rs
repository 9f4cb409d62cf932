//! The district's working-day calendar: the one that travels with the program, amended by every calendar that was imported, in
//! the order in which they were. Which days are worked stands in the calendars themselves.

use crate::steps::JournalRow;
use jiff::Timestamp;
use serde_json::json;
use thiserror::Error;
use zhida_config::calendar::{Calendar, CalendarError};

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
    use jiff::civil::date;

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
