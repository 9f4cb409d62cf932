//! Jobs that are due by the clock on working days: which moments have come, which of them is made now, which was missed. The rule
//! after an outage: of the moments that passed, the last one is made if it is of today; older ones are recorded as missed and
//! never made up. Who runs a job, and that it is run once, is the store's affair.

use crate::working_time::WorkingTime;
use jiff::Timestamp;
use zhida_config::Schedule;

/// What became of a moment at which a job was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The job was done.
    Made,
    /// Nobody was there; it is not made up.
    Missed,
    /// The day is not worked.
    DayOff,
    /// It lies before the district began.
    BeforeStart,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Made, Self::Missed, Self::DayOff, Self::BeforeStart];

    /// The name in tables.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Missed => "missed",
            Self::DayOff => "day_off",
            Self::BeforeStart => "before_start",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.code() == code)
    }

    /// It was to be made.
    #[must_use]
    pub fn was_due(self) -> bool {
        match self {
            Self::Made | Self::Missed => true,
            Self::DayOff | Self::BeforeStart => false,
        }
    }
}

/// A moment at which a job was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// When it was due.
    pub scheduled_at: Timestamp,
    /// What became of it.
    pub outcome: Outcome,
}

/// How far a job has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The newest moment that was dealt with.
    pub newest: Option<Timestamp>,
    /// The newest at which it was to be made.
    pub newest_due: Option<Run>,
}

/// Moments that one turn deals with at most; older ones are passed over.
const MOMENTS_MAX: usize = 400;

/// The moments that have come since `newest`, oldest first, with what becomes of each; the last may be to be made.
#[must_use]
pub fn due(schedule: &Schedule, time: &WorkingTime, newest: Option<Timestamp>, now: Timestamp) -> Vec<Run> {
    let is_today = |at: Timestamp| time.day_of(at) == time.day_of(now);
    let Some(newest) = newest else {
        // The first turn ever: only today's can be owed.
        let last = schedule.at_or_before(now, &time.zone);
        let outcome = |at| if is_today(at) { outcome(time, at, Outcome::Made) } else { Outcome::BeforeStart };
        return last.map(|at| Run { scheduled_at: at, outcome: outcome(at) }).into_iter().collect();
    };
    let next = |at: &Timestamp| schedule.after(*at, &time.zone).filter(|next| *next <= now);
    let moments: Vec<Timestamp> = std::iter::successors(next(&newest), next).collect();
    let (last, skipped) = (moments.last().copied(), moments.len().saturating_sub(MOMENTS_MAX));
    let run = |at: Timestamp| {
        let on_a_working_day = if Some(at) == last && is_today(at) { Outcome::Made } else { Outcome::Missed };
        Run { scheduled_at: at, outcome: outcome(time, at, on_a_working_day) }
    };
    moments.into_iter().skip(skipped).map(run).collect()
}

fn outcome(time: &WorkingTime, at: Timestamp, on_a_working_day: Outcome) -> Outcome {
    if is_worked(time, at) { on_a_working_day } else { Outcome::DayOff }
}

/// A year that the calendar lacks is counted Monday to Friday.
fn is_worked(time: &WorkingTime, at: Timestamp) -> bool {
    time.day_type(time.day_of(at)).is_worked()
}

/// When the job is due next.
#[must_use]
pub fn next_due(schedule: &Schedule, time: &WorkingTime, now: Timestamp) -> Option<Timestamp> {
    let next = |at: &Timestamp| schedule.after(*at, &time.zone);
    std::iter::successors(next(&now), next).take(MOMENTS_MAX).find(|at| is_worked(time, *at))
}

/// Since when the job's newest result is missing; none when it is there.
#[must_use]
pub fn missing_since(schedule: &Schedule, time: &WorkingTime, standing: Standing, now: Timestamp) -> Option<Timestamp> {
    let just_before = |at: Timestamp| at.checked_sub(jiff::SignedDuration::from_micros(1)).unwrap_or(Timestamp::MIN);
    let last = |at: Timestamp| schedule.at_or_before(at, &time.zone);
    let moments = std::iter::successors(last(now), |at| last(just_before(*at)));
    let owed = moments.take(MOMENTS_MAX).find(|at| is_worked(time, *at));
    match standing.newest {
        // Nobody has ever looked: only today's can be missed.
        None => owed.filter(|at| time.day_of(*at) == time.day_of(now)),
        Some(newest) => owed.filter(|at| *at > newest).or_else(|| {
            let missed = standing.newest_due.filter(|run| run.outcome == Outcome::Missed);
            missed.map(|run| run.scheduled_at)
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::*;
    use crate::working_time::tests::{china, local};

    fn schedule() -> Schedule {
        Schedule::parse("30 8 * * *").unwrap()
    }

    fn due_at(newest: Option<&str>, now: &str) -> Vec<String> {
        let runs = due(&schedule(), &china(), newest.map(local), local(now));
        let zone = china().zone;
        let day = |at| zone.to_datetime(at).strftime("%m-%d").to_string();
        runs.iter().map(|run| format!("{} {}", day(run.scheduled_at), run.outcome.code())).collect()
    }

    #[test]
    fn what_is_due_is_made_and_what_was_missed_is_recorded() {
        for (newest, now, runs) in [
            (Some("2026-11-25T08:30"), "2026-11-26T08:29", vec![]),
            (Some("2026-11-25T08:30"), "2026-11-26T08:30", vec!["11-26 made"]),
            (Some("2026-11-26T08:30"), "2026-11-26T09:00", vec![]),
            // Hours late, it is made all the same; a day late it is not.
            (Some("2026-11-25T08:30"), "2026-11-26T23:59", vec!["11-26 made"]),
            (Some("2026-11-25T08:30"), "2026-11-27T00:00", vec!["11-26 missed"]),
            (Some("2026-11-23T08:30"), "2026-11-26T10:00", vec!["11-24 missed", "11-25 missed", "11-26 made"]),
            // Over a weekend, a holiday with a Sunday worked in exchange, and into a year without data.
            (Some("2026-11-27T08:30"), "2026-11-30T08:30", vec!["11-28 day_off", "11-29 day_off", "11-30 made"]),
            (Some("2026-01-02T08:30"), "2026-01-04T08:30", vec!["01-03 day_off", "01-04 made"]),
            (Some("2026-12-31T08:30"), "2027-01-01T08:30", vec!["01-01 made"]),
            (Some("2027-01-01T08:30"), "2027-01-02T08:30", vec!["01-02 day_off"]),
            // The first turn ever.
            (None, "2026-11-26T08:29", vec!["11-25 before_start"]),
            (None, "2026-11-26T15:00", vec!["11-26 made"]),
            (None, "2026-11-28T15:00", vec!["11-28 day_off"]),
        ] {
            assert_eq!(due_at(newest, now), runs, "{newest:?} {now}");
        }
        assert_eq!(due_at(Some("2024-01-02T08:30"), "2026-11-26T10:00").len(), MOMENTS_MAX);
    }

    #[test]
    fn what_is_missing_is_told_until_the_next_is_made() {
        let run = |at: &str, outcome| Some(Run { scheduled_at: local(at), outcome });
        for (newest, newest_due, now, missing) in [
            (Some("2026-11-26T08:30"), run("2026-11-26T08:30", Outcome::Made), "2026-11-27T08:29", None),
            (
                Some("2026-11-26T08:30"),
                run("2026-11-26T08:30", Outcome::Made),
                "2026-11-27T08:31",
                Some("2026-11-27T08:30"),
            ),
            (Some("2026-11-29T08:30"), run("2026-11-27T08:30", Outcome::Made), "2026-11-29T12:00", None),
            // A whole working day without anybody: told until the next one is made.
            (
                Some("2026-11-26T08:30"),
                run("2026-11-26T08:30", Outcome::Missed),
                "2026-11-27T01:00",
                Some("2026-11-26T08:30"),
            ),
            // The weekend after an outage that began on Friday.
            (
                Some("2026-11-28T08:30"),
                run("2026-11-27T08:30", Outcome::Missed),
                "2026-11-28T12:00",
                Some("2026-11-27T08:30"),
            ),
            // A district that has just begun owes nothing of the days before.
            (Some("2026-11-25T08:30"), None, "2026-11-26T08:00", None),
            (None, None, "2026-11-28T12:00", None),
            (None, None, "2026-11-26T08:00", None),
            (None, None, "2026-11-26T09:00", Some("2026-11-26T08:30")),
        ] {
            let standing = Standing { newest: newest.map(local), newest_due };
            let found = missing_since(&schedule(), &china(), standing, local(now));
            assert_eq!(found, missing.map(local), "{newest:?} {now}");
        }
    }

    #[test]
    fn the_next_one_is_on_a_working_day() {
        let next = |now: &str| next_due(&schedule(), &china(), local(now)).unwrap();
        assert_eq!(next("2026-11-27T08:30"), local("2026-11-30T08:30"));
        assert_eq!(next("2026-09-30T09:00"), local("2026-10-08T08:30"));
        assert_eq!(next("2026-11-26T08:00"), local("2026-11-26T08:30"));
        let never = Schedule::parse("30 8 31 Feb *").unwrap();
        assert_eq!(next_due(&never, &china(), local("2026-11-26T08:00")), None);
    }
}
