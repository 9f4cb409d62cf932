//! The rails of interbank clearing. Small-value clearing runs all day, every day, up to a sum; what is above it travels by the
//! large-value system, which opens on the evening before each working day and closes on its afternoon. Only the hours are known
//! here: nothing is held back by them. A year for which the calendar has no data is an error, never a guess.

use crate::money::Fen;
use crate::rules::Rules;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use std::sync::Arc;
use zhida_config::calendar::{Calendar, YearMissing};

/// The hours of large-value clearing, as agreed with the bank (`bank.large_value_*` settings).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LargeValueRail {
    /// A transfer of more than this travels by it.
    pub above: Fen,
    /// Opens at this time of the evening before each working day.
    pub opens: Time,
    /// Closes at this time of each working day.
    pub closes: Time,
    /// Which days are worked.
    pub calendar: Arc<Calendar>,
    /// The zone of days and hours.
    pub zone: TimeZone,
}

impl LargeValueRail {
    /// A transfer of this amount travels by it.
    #[must_use]
    pub fn carries(&self, amount: Fen) -> bool {
        amount > self.above
    }

    /// The first moment from `after` on at which it is open: `after` itself while it is.
    ///
    /// # Errors
    /// The calendar has no data for a year that decides about it.
    pub fn next_opening(&self, after: Timestamp) -> Result<Timestamp, YearMissing> {
        let year = self.zone.to_datetime(after).year();
        let (opening, _) = self.window(after, Timestamp::MAX)?.ok_or(YearMissing { year })?;
        Ok(opening.max(after))
    }

    /// From this moment on nothing can go through before `due` any more: the last closing between `since` and `due`, or `since`
    /// when it is closed all the time. None when it is open just before `due`.
    ///
    /// # Errors
    /// The calendar has no data for a year that decides about it.
    pub fn last_chance(&self, since: Timestamp, due: Timestamp) -> Result<Option<Timestamp>, YearMissing> {
        let mut last = since;
        while let Some((_, closing)) = self.window(last, due)? {
            if closing >= due {
                return Ok(None);
            }
            last = closing;
        }
        Ok(Some(last))
    }

    /// Opening and closing of the first window that ends after `after`, when it opens before `before`.
    fn window(&self, after: Timestamp, before: Timestamp) -> Result<Option<(Timestamp, Timestamp)>, YearMissing> {
        let mut day = self.zone.to_datetime(after).date();
        loop {
            let (opening, closing) = self.hours(day)?;
            if opening >= before {
                return Ok(None);
            }
            if after < closing && self.calendar.is_workday(day)? {
                return Ok(Some((opening, closing)));
            }
            day = day.tomorrow().map_err(|_| YearMissing { year: day.year() })?;
        }
    }

    /// From when to when it would be open for this day, were it a working day.
    fn hours(&self, day: Date) -> Result<(Timestamp, Timestamp), YearMissing> {
        // Beyond the end of time (year 9999) there is no data either.
        let missing = |_| YearMissing { year: day.year() };
        let eve = day.yesterday().map_err(missing)?;
        let opening = self.zone.to_timestamp(eve.to_datetime(self.opens)).map_err(missing)?;
        let closing = self.zone.to_timestamp(day.to_datetime(self.closes)).map_err(missing)?;
        Ok((opening, closing))
    }
}

impl Rules {
    /// The large-value rail, when a transfer of this amount travels by it.
    #[must_use]
    pub fn large_value_rail(&self, amount: Fen) -> Option<&LargeValueRail> {
        self.large_value.as_ref().filter(|rail| rail.carries(amount))
    }

    /// When to try again after the bank has said at `now` that its window is closed for this amount: when the large-value rail
    /// opens. Where that is open by our knowledge, where we know nothing of the year, and for every other amount, after a pause.
    #[must_use]
    pub fn after_closed_window(&self, amount: Fen, now: Timestamp) -> Timestamp {
        let paused = now.checked_add(self.bank.window_retry).unwrap_or(Timestamp::MAX);
        let Some(rail) = self.large_value_rail(amount) else { return paused };
        match rail.next_opening(now) {
            Ok(opening) if opening > now => opening,
            // The bank closes earlier than agreed: by the end of the pause we may know it, too.
            Ok(_) => rail.next_opening(paused).unwrap_or(paused),
            Err(_) => paused,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test may fail loudly

    use super::*;
    use jiff::SignedDuration;
    use jiff::civil::{DateTime, time};

    fn rail() -> LargeValueRail {
        LargeValueRail {
            above: Fen(100_000_000),
            opens: time(20, 30, 0, 0),
            closes: time(17, 15, 0, 0),
            calendar: Arc::new(Calendar::mainland_china().unwrap()),
            zone: TimeZone::get("Asia/Shanghai").unwrap(),
        }
    }

    fn at(local: &str) -> Timestamp {
        rail().zone.to_timestamp(local.parse::<DateTime>().unwrap()).unwrap()
    }

    #[test]
    fn a_million_is_small_and_a_fen_more_is_large() {
        assert!(!rail().carries(Fen(100_000_000)));
        assert!(rail().carries(Fen(100_000_001)));
    }

    #[test]
    fn it_opens_on_the_evening_before_a_working_day() {
        for (after, opening) in [
            ("2026-11-20T16:00", "2026-11-20T16:00"),       // a Friday, open
            ("2026-11-20T17:14:59", "2026-11-20T17:14:59"), // its last second
            ("2026-11-20T17:15", "2026-11-22T20:30"),       // Friday evening: Sunday evening
            ("2026-11-21T12:00", "2026-11-22T20:30"),       // Saturday
            ("2026-11-22T21:00", "2026-11-22T21:00"),       // Sunday night belongs to Monday
            ("2026-11-18T17:15", "2026-11-18T20:30"),       // Wednesday
            ("2026-09-30T17:15", "2026-10-07T20:30"),       // the eve of National Day: after the holidays
            ("2026-10-09T18:00", "2026-10-09T20:30"),       // a Friday before a Saturday worked in exchange
            ("2026-01-02T12:00", "2026-01-03T20:30"),       // a Friday off, before a Sunday worked in exchange
            ("2026-01-04T12:00", "2026-01-04T12:00"),       // that Sunday
            ("2025-12-31T17:15", "2026-01-03T20:30"),       // the end of a year whose successor is known
            ("2026-12-31T17:00", "2026-12-31T17:00"),       // the last day that is known
        ] {
            assert_eq!(rail().next_opening(at(after)), Ok(at(opening)), "{after}");
        }
        assert_eq!(rail().next_opening(at("2026-12-31T17:15")), Err(YearMissing { year: 2027 }), "no guess");
    }

    #[test]
    fn the_last_chance_within_24_hours_is_the_last_closing() {
        for (approved, last) in [
            ("2026-11-20T18:00", Ok(Some("2026-11-20T18:00"))), // Friday evening: none at all
            ("2026-11-20T16:00", Ok(Some("2026-11-20T17:15"))), // Friday afternoon: until it closes
            ("2026-11-19T18:00", Ok(Some("2026-11-20T17:15"))), // Thursday evening
            ("2026-11-19T16:00", Ok(None)),                     // due on Friday while it is open
            ("2026-11-18T21:00", Ok(None)),                     // due on Thursday night while it is open
            ("2026-11-22T22:00", Ok(None)),                     // Sunday night
            ("2026-11-21T21:00", Ok(None)),                     // due on Sunday night, half an hour after it opens
            ("2026-11-21T20:30", Ok(Some("2026-11-21T20:30"))), // due the moment it opens
            ("2026-09-30T18:00", Ok(Some("2026-09-30T18:00"))), // the eve of National Day
            ("2026-01-03T10:00", Ok(None)),                     // a Saturday before a Sunday worked in exchange
            ("2026-12-30T18:00", Ok(Some("2026-12-31T17:15"))), // whatever New Year's Day is
            ("2026-12-30T21:00", Err(YearMissing { year: 2027 })),
            ("2026-12-31T10:00", Err(YearMissing { year: 2027 })),
        ] {
            let due = at(approved) + SignedDuration::from_hours(24);
            let found = rail().last_chance(at(approved), due);
            assert_eq!(found, last.map(|last| last.map(at)), "{approved}");
        }
    }

    #[test]
    fn a_closed_window_is_tried_again_when_the_rail_opens() {
        let mut rules = Rules::with_defaults("example");
        let (large, small) = (Fen(100_000_001), Fen(100));
        assert_eq!(rules.after_closed_window(large, at("2026-11-20T18:00")), at("2026-11-20T19:00"), "no rail is set");
        rules.large_value = Some(rail());
        for (amount, now, next) in [
            (small, "2026-11-20T18:00", "2026-11-20T19:00"),
            (large, "2026-11-20T18:00", "2026-11-22T20:30"),
            (large, "2026-11-18T20:20", "2026-11-18T20:30"),
            (large, "2026-11-18T10:00", "2026-11-18T11:00"), // open, says the calendar
            (large, "2026-11-18T17:05", "2026-11-18T20:30"), // the bank closed ten minutes early
            (large, "2026-12-31T18:00", "2026-12-31T19:00"), // nobody knows
        ] {
            assert_eq!(rules.after_closed_window(amount, at(now)), at(next), "{amount} at {now}");
        }
    }
}
