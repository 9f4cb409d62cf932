//! Counting a deadline, day by day, so that every day of the count can be shown.
//!
//! The rule, to be followed by hand with a calendar on the table: counting begins with the working day after the start; a
//! working day counts when the clock runs at its close; the deadline is the close of the n-th day that counts. A pause
//! therefore moves the deadline by as many working days as closes fall into it, and by none when it ends before the day does.
//! All pauses together move it by a fixed number of working days at most; after that the days count, pause or no pause.

use super::clock::{Clock, Term};
use super::pause::PauseCause;
use crate::working_time::{DayType, WorkingTime};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

/// How deadlines are counted (`supervision.*` settings).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counting {
    /// All pauses of a clock together move its deadline by so many working days at most.
    pub pause_max_working_days: u32,
    /// A clock in working days is due soon so many working days before its deadline.
    pub due_soon_working_days: u16,
    /// A clock by natural time is due soon when this part of its time has gone: numerator and denominator.
    pub due_soon_part: (u32, u32),
}

/// One day of a count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayCounted {
    /// The day.
    pub date: Date,
    /// What kind of day.
    pub day: DayType,
    /// What it was for the clock.
    pub verdict: Verdict,
}

/// What a day is for a clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The clock began on it.
    Start,
    /// Not worked.
    Off,
    /// The n-th day.
    Counts(u16),
    /// The clock stood still at its close.
    Paused(PauseCause),
    /// As before, but the pauses have used up what they may move a deadline by: it counts, as the n-th day.
    CountsAllTheSame(u16, PauseCause),
}

/// A deadline and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The deadline; as things stand while the clock is paused.
    pub deadline: Timestamp,
    /// From when on it is due soon.
    pub due_soon_at: Timestamp,
    /// The calendar lacked a year on the way.
    pub provisional: bool,
    /// From then on the clock runs, paused or not: its pauses have moved the deadline as far as they may.
    pub pauses_used_up_at: Option<Timestamp>,
    /// The days, from the start to the deadline; empty for a clock by natural time.
    pub days: Vec<DayCounted>,
}

impl Clock {
    /// Counts the deadline.
    #[must_use]
    pub fn read(&self, time: &WorkingTime, counting: &Counting) -> Reading {
        match self.term {
            Term::WorkingDays(days) => self.count_days(days, time, counting),
            Term::Until(until) => self.count_time(until, counting),
        }
    }

    fn count_days(&self, term: u16, time: &WorkingTime, counting: &Counting) -> Reading {
        let first = time.day_of(self.started_at);
        let start_close = time.close_of(first).max(self.started_at);
        let mut days = vec![DayCounted { date: first, day: time.day_type(first), verdict: Verdict::Start }];
        let due_soon_day = term.saturating_sub(counting.due_soon_working_days);
        let mut reading = Reading::at(start_close, start_close);
        reading.pauses_used_up_at = (counting.pause_max_working_days == 0).then_some(self.started_at);
        let (mut counted, mut moved) = (0, 0);
        let mut date = first;
        while counted < term {
            let Ok(next) = date.tomorrow() else {
                reading.deadline = Timestamp::MAX;
                reading.provisional = true;
                break;
            };
            date = next;
            let day = time.day_type(date);
            reading.provisional |= day.is_assumed();
            let verdict = if day.is_worked() {
                let close = time.close_of(date);
                let pause = self.pauses.iter().find(|pause| pause.covers(close)).map(|pause| pause.cause.clone());
                match pause {
                    Some(cause) if moved < counting.pause_max_working_days => {
                        moved += 1;
                        if moved == counting.pause_max_working_days {
                            reading.pauses_used_up_at = Some(close);
                        }
                        Verdict::Paused(cause)
                    }
                    pause => {
                        counted += 1;
                        reading.deadline = close;
                        if counted == due_soon_day {
                            reading.due_soon_at = close;
                        }
                        pause.map_or(Verdict::Counts(counted), |cause| Verdict::CountsAllTheSame(counted, cause))
                    }
                }
            } else {
                Verdict::Off
            };
            days.push(DayCounted { date, day, verdict });
        }
        reading.days = days;
        reading
    }

    fn count_time(&self, until: Timestamp, counting: &Counting) -> Reading {
        let (numerator, denominator) = counting.due_soon_part;
        let whole = until.duration_since(self.started_at).max(SignedDuration::ZERO).as_micros();
        let part = whole * i128::from(numerator) / i128::from(denominator.max(1));
        let part = SignedDuration::from_micros(i64::try_from(part).unwrap_or(i64::MAX));
        let stood = self.stood_still();
        let moved = |at: Timestamp| at.checked_add(stood).unwrap_or(Timestamp::MAX);
        let due_soon_at = self.started_at.checked_add(part).unwrap_or(Timestamp::MAX);
        Reading::at(moved(until), moved(due_soon_at))
    }

    /// How long it stood still by natural time, overlapping pauses once, in pauses that are over.
    fn stood_still(&self) -> SignedDuration {
        let mut over: Vec<(Timestamp, Timestamp)> =
            self.pauses.iter().filter_map(|pause| Some((pause.from, pause.to?))).collect();
        over.sort();
        let mut sum = SignedDuration::ZERO;
        let mut reached = Timestamp::MIN;
        for (from, to) in over {
            let from = from.max(reached);
            if to > from {
                sum += to.duration_since(from);
                reached = to;
            }
        }
        sum
    }
}

impl Reading {
    fn at(deadline: Timestamp, due_soon_at: Timestamp) -> Self {
        Self { deadline, due_soon_at, provisional: false, pauses_used_up_at: None, days: Vec::new() }
    }
}
