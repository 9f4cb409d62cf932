//! Working days: Monday to Friday, except what a calendar says. A year without data is an error, never "no holidays".
//! Hours and deadlines are not counted here.

use jiff::civil::{Date, Weekday};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The calendar of mainland China that travels with the program.
pub const MAINLAND_CHINA: &str = include_str!("../calendars/cn.csv");

/// How a named day differs from the week's rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayKind {
    /// A holiday, also where it falls on a weekend.
    Off,
    /// A day of a weekend that is worked in exchange (调休).
    Work,
}

/// A day that a calendar names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// How it differs.
    pub kind: DayKind,
    /// The holiday it belongs to.
    pub name: String,
}

/// A calendar of working days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    version: String,
    years: BTreeMap<i16, String>,
    days: BTreeMap<Date, Day>,
}

/// A question about a year that the calendar has no data for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the calendar has no data for {year}: once the State Council has published the year, bring it in with \
     `zhida calendar import FILE`"
)]
pub struct YearMissing {
    /// The year.
    pub year: i16,
}

/// What is wrong with a calendar file; lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// A line of no known form.
    #[error(
        "calendar line {line}: \"{text}\" is none of version,NAME · year,YEAR,SOURCE · off,DATE,NAME · work,DATE,NAME"
    )]
    Form {
        /// Where.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// A fact that stands twice.
    #[error("calendar line {line}: {what} stands twice; keep one")]
    Twice {
        /// Where the second one stands.
        line: usize,
        /// The version, year or date.
        what: String,
    },
    /// A day of a year that the file does not declare.
    #[error("calendar line {line}: {date} lies in a year without a line year,{},SOURCE before it; add it when the year is complete", date.year())]
    YearUndeclared {
        /// Where.
        line: usize,
        /// The day.
        date: Date,
    },
    /// A day worked that is worked anyway.
    #[error("calendar line {line}: {date} is marked `work` but is no Saturday or Sunday; check the date")]
    NoWeekend {
        /// Where.
        line: usize,
        /// The day.
        date: Date,
    },
    /// No version line.
    #[error("the calendar has no line version,NAME; deadlines carry it, so give one")]
    NoVersion,
}

impl Calendar {
    /// The embedded calendar of mainland China.
    ///
    /// # Errors
    /// None with the file as it is built in, which a test reads.
    pub fn mainland_china() -> Result<Self, CalendarError> {
        Self::parse(MAINLAND_CHINA)
    }

    /// Reads a calendar file.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, CalendarError> {
        let mut version = None;
        let mut years = BTreeMap::new();
        let mut days = BTreeMap::new();
        for (number, raw) in text.lines().enumerate() {
            let (line, trimmed) = (number + 1, raw.trim());
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            let form = || CalendarError::Form { line, text: trimmed.to_owned() };
            let twice = |what: &str| CalendarError::Twice { line, what: what.to_owned() };
            let parts: Vec<&str> = trimmed.split(',').map(str::trim).collect();
            match parts[..] {
                ["version", name] if !name.is_empty() => {
                    if version.replace(name.to_owned()).is_some() {
                        return Err(twice("version"));
                    }
                }
                ["year", year, source] if !source.is_empty() => {
                    let number =
                        year.parse::<i16>().ok().filter(|year| (1990..=2200).contains(year)).ok_or_else(form)?;
                    if years.insert(number, source.to_owned()).is_some() {
                        return Err(twice(year));
                    }
                }
                [kind @ ("off" | "work"), date, name] if !name.is_empty() => {
                    let date: Date = date.parse().map_err(|_| form())?;
                    let kind = if kind == "off" { DayKind::Off } else { DayKind::Work };
                    check_day(line, date, kind, &years)?;
                    if days.insert(date, Day { kind, name: name.to_owned() }).is_some() {
                        return Err(twice(&date.to_string()));
                    }
                }
                _ => return Err(form()),
            }
        }
        Ok(Self { version: version.ok_or(CalendarError::NoVersion)?, years, days })
    }

    /// The name of this state of the calendar; deadlines carry it.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The years with data, ascending, each with the source of its facts.
    #[must_use]
    pub fn years(&self) -> &BTreeMap<i16, String> {
        &self.years
    }

    /// The days that differ from the week's rule.
    #[must_use]
    pub fn days(&self) -> &BTreeMap<Date, Day> {
        &self.days
    }

    /// What it says of one year, in its own version.
    ///
    /// # Errors
    /// It has no data for that year.
    pub fn of_year(&self, year: i16) -> Result<Self, YearMissing> {
        let source = self.years.get(&year).ok_or(YearMissing { year })?;
        let days = self.days.iter().filter(|(date, _)| date.year() == year);
        Ok(Self {
            version: self.version.clone(),
            years: BTreeMap::from([(year, source.clone())]),
            days: days.map(|(date, day)| (*date, day.clone())).collect(),
        })
    }

    /// The calendar after an amendment: `newer` replaces every year it contains, whole, and gives the version.
    #[must_use]
    pub fn amended_by(self, newer: Self) -> Self {
        let replaced: BTreeSet<i16> = newer.years.keys().copied().collect();
        let mut days = self.days;
        days.retain(|date, _| !replaced.contains(&date.year()));
        days.extend(newer.days);
        let mut years = self.years;
        years.extend(newer.years);
        Self { version: newer.version, years, days }
    }

    /// Whether the day is a working day.
    ///
    /// # Errors
    /// The calendar has no data for the day's year.
    pub fn is_workday(&self, date: Date) -> Result<bool, YearMissing> {
        if !self.years.contains_key(&date.year()) {
            return Err(YearMissing { year: date.year() });
        }
        Ok(match self.days.get(&date).map(|day| day.kind) {
            Some(DayKind::Off) => false,
            Some(DayKind::Work) => true,
            None => !is_weekend(date),
        })
    }

    /// The working days from `from` to `to`, both included, ascending; empty when `to` is earlier.
    ///
    /// # Errors
    /// The calendar has no data for a year that is touched.
    pub fn workdays(&self, from: Date, to: Date) -> Result<Vec<Date>, YearMissing> {
        let mut found = Vec::new();
        let mut day = from;
        while day <= to {
            if self.is_workday(day)? {
                found.push(day);
            }
            day = following(day)?;
        }
        Ok(found)
    }

    /// The next `count` working days after `date`, ascending; `date` itself never counts.
    ///
    /// # Errors
    /// The calendar has no data for a year that is touched.
    pub fn next_workdays(&self, date: Date, count: usize) -> Result<Vec<Date>, YearMissing> {
        let mut found = Vec::new();
        let mut day = date;
        while found.len() < count {
            day = following(day)?;
            if self.is_workday(day)? {
                found.push(day);
            }
        }
        Ok(found)
    }
}

/// The calendar as a file: what is read back is the same calendar, so that two files that say the same have one text.
impl fmt::Display for Calendar {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "version,{}", self.version)?;
        for (year, source) in &self.years {
            writeln!(out, "year,{year},{source}")?;
            for (date, day) in self.days.iter().filter(|(date, _)| date.year() == *year) {
                let kind = match day.kind {
                    DayKind::Off => "off",
                    DayKind::Work => "work",
                };
                writeln!(out, "{kind},{date},{}", day.name)?;
            }
        }
        Ok(())
    }
}

fn check_day(line: usize, date: Date, kind: DayKind, years: &BTreeMap<i16, String>) -> Result<(), CalendarError> {
    if !years.contains_key(&date.year()) {
        return Err(CalendarError::YearUndeclared { line, date });
    }
    match kind {
        DayKind::Work if !is_weekend(date) => Err(CalendarError::NoWeekend { line, date }),
        DayKind::Work | DayKind::Off => Ok(()),
    }
}

fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// The next day; the end of time (year 9999) has no data either.
fn following(date: Date) -> Result<Date, YearMissing> {
    date.tomorrow().map_err(|_| YearMissing { year: date.year() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::*;
    use jiff::civil::date;

    fn china() -> Calendar {
        Calendar::mainland_china().unwrap()
    }

    #[test]
    fn each_year_has_the_working_days_that_its_notice_leaves() {
        // Monday to Friday of the year, less holidays on weekdays, plus weekend days worked; counted by hand from the
        // notices: 2024 has 262 weekdays, 2025 and 2026 have 261.
        for (year, workdays) in [(2024, 251), (2025, 248), (2026, 248)] {
            let found = china().workdays(date(year, 1, 1), date(year, 12, 31)).unwrap();
            assert_eq!(found.len(), workdays, "{year}");
        }
    }

    #[test]
    fn holidays_are_off_and_days_in_exchange_are_worked() {
        for (day, workday) in [
            (date(2024, 2, 9), true),    // New Year's Eve of 2024 was no statutory day off
            (date(2024, 2, 18), true),   // a Sunday worked
            (date(2025, 1, 28), false),  // New Year's Eve of 2025 was
            (date(2025, 10, 8), false),  // the eighth day of the double holiday
            (date(2025, 10, 11), true),  // a Saturday worked
            (date(2026, 1, 2), false),   // a Friday between
            (date(2026, 1, 4), true),    // the Sunday in exchange
            (date(2026, 11, 23), true),  // a plain Monday
            (date(2026, 11, 22), false), // a plain Sunday
        ] {
            assert_eq!(china().is_workday(day), Ok(workday), "{day}");
        }
    }

    #[test]
    fn counting_starts_with_the_next_day_and_steps_over_holidays() {
        let days = china().next_workdays(date(2026, 9, 30), 3).unwrap();
        assert_eq!(days, [date(2026, 10, 8), date(2026, 10, 9), date(2026, 10, 10)]);
        assert_eq!(china().next_workdays(date(2026, 9, 30), 0).unwrap(), []);
        assert_eq!(china().workdays(date(2026, 10, 9), date(2026, 10, 12)).unwrap().len(), 3);
        assert_eq!(china().workdays(date(2026, 10, 9), date(2026, 10, 8)).unwrap(), []);
    }

    #[test]
    fn a_year_without_data_is_an_error() {
        assert_eq!(china().is_workday(date(2027, 3, 1)), Err(YearMissing { year: 2027 }));
        assert_eq!(china().next_workdays(date(2026, 12, 31), 1), Err(YearMissing { year: 2027 }));
        assert_eq!(china().workdays(date(2023, 12, 31), date(2024, 1, 2)), Err(YearMissing { year: 2023 }));
        assert!(YearMissing { year: 2027 }.to_string().contains("`zhida calendar import FILE`"));
    }

    #[test]
    fn an_amendment_replaces_its_years_whole() {
        let newer = Calendar::parse("version,cn-2026-2\nyear,2026,amended\noff,2026-10-08,typhoon\n").unwrap();
        let amended = china().amended_by(newer);
        assert_eq!(amended.version(), "cn-2026-2");
        assert_eq!(amended.is_workday(date(2026, 10, 8)), Ok(false));
        assert_eq!(amended.is_workday(date(2026, 10, 1)), Ok(true), "the amendment did not repeat it");
        assert_eq!(amended.is_workday(date(2025, 10, 1)), Ok(false), "another year");
    }

    #[test]
    fn a_calendar_written_down_is_the_same_calendar() {
        assert_eq!(Calendar::parse(&china().to_string()), Ok(china()));
        let untidy = "\n# notes\n year, 2027 , x\nwork,2027-02-14, y\noff,2027-01-01,z\nversion, cn-2027-1\n";
        let tidy = "version,cn-2027-1\nyear,2027,x\noff,2027-01-01,z\nwork,2027-02-14,y\n";
        assert_eq!(Calendar::parse(untidy).unwrap().to_string(), tidy);
    }

    #[test]
    fn a_year_of_a_calendar_is_a_calendar() {
        let year = china().of_year(2026).unwrap();
        assert_eq!(year.years().keys().collect::<Vec<_>>(), [&2026]);
        assert!(!year.days().is_empty() && year.days().keys().all(|date| date.year() == 2026));
        assert_eq!(china().amended_by(year), china());
        assert_eq!(china().of_year(1999), Err(YearMissing { year: 1999 }));
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (text, message) in [
            ("year,2026,x\n", "the calendar has no line version"),
            ("version,a\nversion,b\n", "line 2: version stands twice"),
            ("version,a\nyear,2026,x\nyear,2026,x\n", "line 3: 2026 stands twice"),
            ("version,a\noff,2026-01-01,x\n", "line 2: 2026-01-01 lies in a year without a line year,2026"),
            ("version,a\nyear,2026,x\n\noff,2026-01-01,x\noff,2026-01-01,x\n", "line 5: 2026-01-01 stands twice"),
            ("version,a\nyear,2026,x\nwork,2026-11-23,x\n", "line 3: 2026-11-23 is marked `work`"),
            ("version,a\nyear,2026,x\noff,2026-02-30,x\n", "line 3: \"off,2026-02-30,x\" is none of"),
            ("version,a\nyear,26,x\n", "line 2: \"year,26,x\" is none of"),
            ("version,a\nholiday,2026-01-01,x\n", "line 2: \"holiday,2026-01-01,x\" is none of"),
        ] {
            let error = Calendar::parse(text).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn the_facts_agree_with_an_independent_list_where_there_is_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/cn_calendar.csv");
        let Ok(text) = std::fs::read_to_string(path) else {
            println!("skipped: no independent list at {path}");
            return;
        };
        let expected: BTreeMap<Date, DayKind> = text
            .lines()
            .skip(1)
            .map(|line| {
                let parts: Vec<&str> = line.split(',').collect();
                (parts[0].parse().unwrap(), if parts[1] == "holiday" { DayKind::Off } else { DayKind::Work })
            })
            .collect();
        let found: BTreeMap<Date, DayKind> = china().days().iter().map(|(date, day)| (*date, day.kind)).collect();
        assert_eq!(found, expected);
    }
}
