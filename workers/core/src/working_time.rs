//! Working days and working hours as moments: when a day's work ends, which day is the n-th, where so many working hours lead.
//! A year for which the calendar has no data is counted Monday to Friday and the result is marked provisional, never silently
//! right: whoever asks sees the mark, and the missing year rings.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use zhida_config::calendar::{Calendar, DayKind};

/// The district's working time (`calendar.*` settings and the calendar in force).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkingTime {
    /// Which days are worked.
    pub calendar: Arc<Calendar>,
    /// The zone of days and hours.
    pub zone: TimeZone,
    /// The hours of a working day, ascending and apart from each other; the end of the last is the close of the day.
    pub hours: Vec<Hours>,
}

/// A stretch of a working day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// Its beginning.
    pub from: Time,
    /// Its end.
    pub to: Time,
}

/// What kind of day it is, for counting and for explaining.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DayType {
    /// A weekday that is worked.
    Workday,
    /// A day of a weekend that is worked in exchange, for this holiday.
    WorkedInExchange(String),
    /// A Saturday or Sunday.
    Weekend,
    /// A day off by this holiday.
    Holiday(String),
    /// The calendar has no data for its year; taken for a workday because it is a weekday.
    AssumedWorkday,
    /// The calendar has no data for its year; taken for free because it is a Saturday or Sunday.
    AssumedWeekend,
}

impl DayType {
    /// Whether work is done on it.
    #[must_use]
    pub fn is_worked(&self) -> bool {
        match self {
            Self::Workday | Self::WorkedInExchange(_) | Self::AssumedWorkday => true,
            Self::Weekend | Self::Holiday(_) | Self::AssumedWeekend => false,
        }
    }

    /// Whether that is a guess, because the calendar lacks the year.
    #[must_use]
    pub fn is_assumed(&self) -> bool {
        match self {
            Self::AssumedWorkday | Self::AssumedWeekend => true,
            Self::Workday | Self::WorkedInExchange(_) | Self::Weekend | Self::Holiday(_) => false,
        }
    }
}

/// A moment that was counted out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The moment.
    pub at: Timestamp,
    /// A year without data was touched on the way.
    pub provisional: bool,
}

impl WorkingTime {
    /// The day on which `at` falls in the district.
    #[must_use]
    pub fn day_of(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// What kind of day it is.
    #[must_use]
    pub fn day_type(&self, date: Date) -> DayType {
        let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        if !self.calendar.years().contains_key(&date.year()) {
            return if weekend { DayType::AssumedWeekend } else { DayType::AssumedWorkday };
        }
        match self.calendar.days().get(&date) {
            Some(day) if day.kind == DayKind::Off => DayType::Holiday(day.name.clone()),
            Some(day) => DayType::WorkedInExchange(day.name.clone()),
            None if weekend => DayType::Weekend,
            None => DayType::Workday,
        }
    }

    /// The close of work on that day, were it worked.
    #[must_use]
    pub fn close_of(&self, date: Date) -> Timestamp {
        self.moment(date, self.hours.last().map_or(Time::MAX, |hours| hours.to))
    }

    /// Where `hours` working hours from `from` on lead: outside of working hours time stands still. Zero is `from` itself.
    #[must_use]
    pub fn after_hours(&self, from: Timestamp, hours: u32) -> Counted {
        let mut left = SignedDuration::from_hours(i64::from(hours));
        let mut reached = Counted { at: from, provisional: false };
        let mut day = self.day_of(from);
        while left > SignedDuration::ZERO {
            let kind = self.day_type(day);
            reached.provisional |= kind.is_assumed();
            if kind.is_worked() {
                for hours in &self.hours {
                    let begin = self.moment(day, hours.from).max(from);
                    let stretch = self.moment(day, hours.to).duration_since(begin);
                    if stretch >= left {
                        return Counted { at: later(begin, left), ..reached };
                    }
                    left -= stretch.max(SignedDuration::ZERO);
                }
            }
            let Ok(next) = day.tomorrow() else { return Counted { at: Timestamp::MAX, provisional: true } };
            day = next;
        }
        reached
    }

    /// Working minutes from `from` to `to`, begun ones left out; none when `to` is not later.
    #[must_use]
    pub fn minutes_between(&self, from: Timestamp, to: Timestamp) -> i64 {
        let mut worked = SignedDuration::ZERO;
        let (mut day, last) = (self.day_of(from), self.day_of(to));
        while day <= last && from < to {
            if self.day_type(day).is_worked() {
                for hours in &self.hours {
                    let (begin, end) = (self.moment(day, hours.from).max(from), self.moment(day, hours.to).min(to));
                    worked += end.duration_since(begin).max(SignedDuration::ZERO);
                }
            }
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        worked.as_mins()
    }

    /// Minutes of a working day.
    #[must_use]
    pub fn minutes_of_a_day(&self) -> i64 {
        self.hours.iter().map(|hours| hours.from.duration_until(hours.to).as_mins()).sum()
    }

    /// When work next begins after `from`.
    #[must_use]
    pub fn next_opening(&self, from: Timestamp) -> Timestamp {
        let mut day = self.day_of(from);
        loop {
            let opening = self.moment(day, self.hours.first().map_or(Time::MIN, |hours| hours.from));
            if opening > from && self.day_type(day).is_worked() {
                return opening;
            }
            let Ok(next) = day.tomorrow() else { return Timestamp::MAX };
            day = next;
        }
    }

    /// When that day begins.
    #[must_use]
    pub fn midnight(&self, date: Date) -> Timestamp {
        self.moment(date, Time::MIN)
    }

    fn moment(&self, date: Date, time: Time) -> Timestamp {
        self.zone.to_timestamp(date.to_datetime(time)).unwrap_or(Timestamp::MAX)
    }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::*;
    use jiff::civil::{DateTime, date, time};

    pub(crate) fn china() -> WorkingTime {
        WorkingTime {
            calendar: Arc::new(Calendar::mainland_china().unwrap()),
            zone: TimeZone::get("Asia/Shanghai").unwrap(),
            hours: vec![
                Hours { from: time(9, 0, 0, 0), to: time(12, 0, 0, 0) },
                Hours { from: time(14, 0, 0, 0), to: time(17, 30, 0, 0) },
            ],
        }
    }

    pub(crate) fn local(text: &str) -> Timestamp {
        china().zone.to_timestamp(text.parse::<DateTime>().unwrap()).unwrap()
    }

    #[test]
    fn days_have_their_types() {
        let holiday = |name: &str| DayType::Holiday(name.to_owned());
        for (day, kind) in [
            (date(2026, 11, 23), DayType::Workday),
            (date(2026, 11, 22), DayType::Weekend),
            (date(2026, 10, 1), holiday("国庆节")),
            (date(2026, 10, 3), holiday("国庆节")), // a Saturday within the holiday
            (date(2026, 1, 4), DayType::WorkedInExchange("元旦".to_owned())),
            (date(2027, 1, 1), DayType::AssumedWorkday),
            (date(2027, 1, 2), DayType::AssumedWeekend),
        ] {
            assert_eq!(china().day_type(day), kind, "{day}");
        }
    }

    #[test]
    fn hours_run_while_work_is_done() {
        for (from, hours, to) in [
            ("2026-11-23T09:30", 0, "2026-11-23T09:30"),
            ("2026-11-23T09:30", 1, "2026-11-23T10:30"),
            ("2026-11-23T09:00", 3, "2026-11-23T12:00"), // to the end of the morning, not to the beginning of the afternoon
            ("2026-11-23T11:30", 1, "2026-11-23T14:30"), // over noon
            ("2026-11-23T13:00", 1, "2026-11-23T15:00"), // from noon
            ("2026-11-23T07:00", 1, "2026-11-23T10:00"), // from before work
            ("2026-11-20T17:30", 4, "2026-11-23T15:00"), // from a Friday's close over the weekend
            ("2026-09-30T17:30", 4, "2026-10-08T15:00"), // over National Day
            ("2026-01-01T10:00", 2, "2026-01-04T11:00"), // from a holiday to the Sunday worked in exchange
            ("2026-11-23T17:30", 16, "2026-11-26T12:00"), // 6.5 + 6.5 + 3
        ] {
            let expected = Counted { at: local(to), provisional: false };
            assert_eq!(china().after_hours(local(from), hours), expected, "{from} + {hours}");
        }
    }

    #[test]
    fn minutes_count_while_work_is_done() {
        for (from, to, minutes) in [
            ("2026-11-23T09:30", "2026-11-23T09:30", 0),
            ("2026-11-23T10:30", "2026-11-23T09:30", 0),
            ("2026-11-23T09:30", "2026-11-23T10:31:59", 61),
            ("2026-11-23T11:30", "2026-11-23T14:30", 60),  // over noon
            ("2026-11-23T17:00", "2026-11-24T09:30", 60),  // over night
            ("2026-11-20T17:30", "2026-11-23T09:00", 0),   // a weekend
            ("2026-11-20T09:00", "2026-11-23T17:30", 780), // a Friday and a Monday
            ("2026-09-30T17:00", "2026-10-08T10:00", 90),  // over National Day
            ("2026-11-23T00:00", "2026-11-24T00:00", 390),
        ] {
            assert_eq!(china().minutes_between(local(from), local(to)), minutes, "{from} to {to}");
        }
    }

    #[test]
    fn a_year_without_data_is_counted_and_marked() {
        let reached = china().after_hours(local("2026-12-31T17:30"), 4);
        assert_eq!(reached, Counted { at: local("2027-01-01T15:00"), provisional: true });
    }
}
