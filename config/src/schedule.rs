//! When a job is due: the five fields of cron, read in the district's zone. Weekdays go by name alone, for their numbers mean
//! different days in different programs. The dates of `chrono`, in which the cron library counts, stay in this file.

use crate::form::Setting;
use chrono::{DateTime, NaiveDate, Timelike as _, Utc};
use chrono::{Datelike as _, NaiveDateTime};
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;
use std::fmt;
use std::str::FromStr as _;

/// When a job is due, at most once an hour.
#[derive(Clone)]
pub struct Schedule {
    text: String,
    cron: cron::Schedule,
}

impl Schedule {
    /// Reads the five fields; `None` when they are wrong.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, _, _, _, weekday] = fields[..] else { return None };
        let digits = |field: &str| field.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(minute) || weekday.bytes().any(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let text = fields.join(" ");
        let cron = cron::Schedule::from_str(&format!("0 {text}")).ok()?;
        Some(Self { text, cron })
    }

    /// The first moment at which it is due after `at`. Where clocks are put forward over it, it is due when they have been; where
    /// they are put back, once.
    #[must_use]
    pub fn after(&self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let local = by_chrono(zone.to_datetime(at))?;
        self.cron.after(&local).filter_map(|next| by_jiff(next.naive_utc(), zone)).find(|next| *next > at)
    }

    /// The last moment at which it was due, `at` included.
    #[must_use]
    pub fn at_or_before(&self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let local = by_chrono(zone.to_datetime(at))?.checked_add_signed(chrono::TimeDelta::seconds(1))?;
        self.cron.after(&local).rev().filter_map(|last| by_jiff(last.naive_utc(), zone)).find(|last| *last <= at)
    }
}

/// The clock on the wall, which is all that cron counts in.
fn by_chrono(at: civil::DateTime) -> Option<DateTime<Utc>> {
    let (month, day) = (u32::try_from(at.month()).ok()?, u32::try_from(at.day()).ok()?);
    let (hour, minute) = (u32::try_from(at.hour()).ok()?, u32::try_from(at.minute()).ok()?);
    let date = NaiveDate::from_ymd_opt(i32::from(at.year()), month, day)?;
    Some(date.and_hms_opt(hour, minute, u32::try_from(at.second()).ok()?)?.and_utc())
}

fn by_jiff(at: NaiveDateTime, zone: &TimeZone) -> Option<Timestamp> {
    let (year, month, day) = (i16::try_from(at.year()).ok()?, i8::try_from(at.month()).ok()?, at.day());
    let date = civil::Date::new(year, month, i8::try_from(day).ok()?).ok()?;
    let time = civil::Time::new(i8::try_from(at.hour()).ok()?, i8::try_from(at.minute()).ok()?, 0, 0).ok()?;
    zone.to_timestamp(date.to_datetime(time)).ok()
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Schedule {}

impl fmt::Debug for Schedule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Schedule({})", self.text)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl Setting for Schedule {
    const EXPECTED: &'static str = "the five fields of cron, minute hour day-of-month month weekday, such as \
        \"30 8 * * *\": the minute one number, weekdays by name (Mon-Fri; never by number, for 1 is Sunday in some programs \
        and Monday in others)";

    fn from_text(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    fn shown(&self) -> String {
        self.text.clone()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::*;

    fn moment(text: &str, zone: &TimeZone) -> Timestamp {
        zone.to_timestamp(text.parse::<civil::DateTime>().unwrap()).unwrap()
    }

    #[test]
    fn the_next_and_the_last_moment_are_found_by_the_clock_of_the_district() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        for (schedule, at, next, last) in [
            ("30 8 * * *", "2026-11-26T08:29:59.999", "2026-11-26T08:30", "2026-11-25T08:30"),
            ("30 8 * * *", "2026-11-26T08:30", "2026-11-27T08:30", "2026-11-26T08:30"),
            ("30 8 * * *", "2026-11-26T08:30:00.000001", "2026-11-27T08:30", "2026-11-26T08:30"),
            ("30 8 * * *", "2026-12-31T23:59", "2027-01-01T08:30", "2026-12-31T08:30"),
            ("0 17 * * Mon-Fri", "2026-11-28T12:00", "2026-11-30T17:00", "2026-11-27T17:00"),
            ("0 9 1 Jan,Jul *", "2026-11-28T12:00", "2027-01-01T09:00", "2026-07-01T09:00"),
            ("15 8,16 * * *", "2026-11-26T08:15", "2026-11-26T16:15", "2026-11-26T08:15"),
        ] {
            let (schedule, at) = (Schedule::parse(schedule).unwrap(), moment(at, &zone));
            assert_eq!(schedule.after(at, &zone), Some(moment(next, &zone)), "{schedule} after {at}");
            assert_eq!(schedule.at_or_before(at, &zone), Some(moment(last, &zone)), "{schedule} before {at}");
        }
    }

    #[test]
    fn a_clock_that_is_put_forward_or_back_loses_no_day_and_doubles_none() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let schedule = Schedule::parse("30 2 * * *").unwrap();
        let mut at = moment("2026-03-27T12:00", &zone);
        let mut days = Vec::new();
        for _ in 0..240 {
            at = schedule.after(at, &zone).unwrap();
            days.push(zone.to_datetime(at).date());
        }
        assert!(days.windows(2).all(|pair| pair[0].tomorrow().unwrap() == pair[1]), "{days:?}");
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        assert_eq!(Schedule::from_text(" 30  8 * * mon-FRI").unwrap().shown(), "30 8 * * mon-FRI");
        for wrong in [
            "",
            "30 8 * *",
            "0 30 8 * * *", // seconds are not asked for
            "30 8 * * 1-5", // which day is 1?
            "30 8 * * Mon-5",
            "* 8 * * *", // every minute of an hour
            "*/5 8 * * *",
            "0,30 8 * * *",
            "60 8 * * *",
            "30 25 * * *",
            "30 8 * * Someday",
            "@daily",
        ] {
            assert_eq!(Schedule::parse(wrong), None, "{wrong}");
        }
        assert!(Schedule::EXPECTED.contains("never by number"));
    }
}
