//! Deadlines against a slow and obvious reference: every moment at which a day closes, one after the other.

use super::story::counting;
use crate::case_file::{Clock, ClockEvent, ClockId, ClockKind, Counting, Pause, PauseCause, Resumption, Term};
use crate::working_time::tests::china;
use jiff::civil::{Date, Weekday, date};
use jiff::{SignedDuration, Timestamp, ToSpan};
use proptest::prelude::*;
use std::collections::BTreeSet;
use zhida_config::calendar::{Calendar, DayKind};

/// All days on which work is done, by a plain reading of the calendar's list.
fn workdays() -> BTreeSet<Date> {
    let calendar = Calendar::mainland_china().unwrap();
    let mut found = BTreeSet::new();
    let mut day = date(2024, 1, 1);
    while day < date(2027, 1, 1) {
        let named = calendar.days().get(&day).map(|one| one.kind);
        let weekday = !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        if named == Some(DayKind::Work) || (named.is_none() && weekday) {
            found.insert(day);
        }
        day += 1.day();
    }
    found
}

/// The deadline by the rule's own words.
fn reference(start: Timestamp, days: u16, pauses: &[(Timestamp, Option<Timestamp>)], most: u32) -> Timestamp {
    let zone = china().zone;
    let first = zone.to_datetime(start).date();
    let close = |day: Date| zone.to_timestamp(day.at(17, 30, 0, 0)).unwrap();
    let mut deadline = close(first).max(start);
    let (mut counted, mut excused) = (0, 0);
    for day in workdays().into_iter().filter(|day| *day > first) {
        if counted == days {
            break;
        }
        let at = close(day);
        let paused = pauses.iter().any(|(from, to)| (*from).max(start) <= at && to.is_none_or(|to| at < to));
        if paused && excused < most {
            excused += 1;
        } else {
            counted += 1;
            deadline = at;
        }
    }
    deadline
}

fn clock(start: Timestamp, days: u16, pauses: &[(Timestamp, Option<Timestamp>)]) -> Clock {
    let id = ClockId { kind: ClockKind::Review, stage: None, department: None, number: 1 };
    let mut clock = Clock::start(id, start, start, Term::WorkingDays(days));
    for (number, (from, to)) in pauses.iter().enumerate() {
        // Each for a cause of its own, so that they may overlap.
        let department = Some(format!("D-{number}"));
        let cause = PauseCause::Review { reason: zhida_schemas::review::PauseReason::Hearing, department };
        let pause =
            Pause { cause: cause.clone(), by: String::new(), evidence: None, from: *from, heard_at: *from, to: None };
        clock.on(ClockEvent::Paused(pause)).unwrap();
        if let Some(to) = to {
            clock.on(ClockEvent::Resumed(Resumption { cause, at: *to })).unwrap();
        }
    }
    clock
}

fn moment() -> impl Strategy<Value = Timestamp> {
    let first = date(2024, 1, 1).at(0, 0, 0, 0).in_tz("Asia/Shanghai").unwrap().timestamp();
    (0_i64..2 * 365 * 24 * 3600).prop_map(move |seconds| first + SignedDuration::from_secs(seconds))
}

fn pauses() -> impl Strategy<Value = Vec<(Timestamp, Option<Timestamp>)>> {
    let pause = (moment(), prop::option::weighted(0.9, 0_i64..20 * 24 * 3600));
    let pause = pause.prop_map(|(from, length)| (from, length.map(|length| from + SignedDuration::from_secs(length))));
    prop::collection::vec(pause, 0..10)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_deadline_is_what_counting_by_hand_gives(start in moment(), days in 0_u16..60, pauses in pauses(), most in 0_u32..30) {
        let rules = Counting { pause_max_working_days: most, ..counting() };
        let reading = clock(start, days, &pauses).read(&china(), &rules);
        prop_assert_eq!(reading.deadline, reference(start, days, &pauses, most));
        prop_assert!(!reading.provisional);
        prop_assert!(reading.due_soon_at <= reading.deadline);
    }

    #[test]
    fn more_time_and_more_pauses_never_make_a_deadline_earlier(
        start in moment(), days in 0_u16..60, more in 0_u16..20, pauses in pauses(), pause in moment(),
    ) {
        let deadline = |days, pauses: &[_]| clock(start, days, pauses).read(&china(), &counting()).deadline;
        let before = deadline(days, &pauses);
        prop_assert!(deadline(days + more, &pauses) >= before);
        let mut with_one_more = pauses;
        with_one_more.push((pause, None));
        prop_assert!(deadline(days, &with_one_more) >= before);
    }
}
