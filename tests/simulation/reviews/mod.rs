//! Histories of reviews under supervision: a few workers that take in events and look at case files, one transaction after the
//! other, and die or stop between any two of them; events late, twice and out of order; organisation, calendar and policies
//! imported meanwhile; outages of hours. What is told is audited at every look, and what stands at the end is counted over by
//! an oracle that knows the clocks and the ladder, and not how looks are made.

mod auditor;
mod district;
mod history;
mod oracle;
mod people;
mod planted;
mod stories;
mod workers;
mod world;

use crate::history::Trace;
use crate::search::{all_come_to_rest, first_failure, seen_in};
use history::play;
use planted::Plant;

/// Histories played when nobody says otherwise.
const SEEDS: u64 = 3_000;

#[test]
fn every_review_rings_once_for_each_cause_and_rung() {
    all_come_to_rest(SEEDS, "every_review_rings", |seed, trace| play(seed, None, trace));
}

/// The simulator must not go blind: what it is there for has to happen in its histories.
#[test]
fn reviews_see_what_they_are_meant_to_see() {
    let seen = seen_in(0..SIGHTED, |seed, trace| play(seed, None, trace));
    let missing: Vec<&&str> = MEANT_TO_BE_SEEN.iter().filter(|one| !seen.contains(**one)).collect();
    assert!(missing.is_empty(), "not seen in {SIGHTED} histories: {missing:?}");
}

const SIGHTED: u64 = 500;

const MEANT_TO_BE_SEEN: &[&str] = &[
    "dies with events in hand",
    "dies with events stored",
    "dies with marks taken up",
    "dies with circumstances read",
    "commit unknown: events",
    "commit unknown: marks",
    "commit unknown: look",
    "an import between circumstances and look",
    "an event between marks and look",
    "an event twice",
    "several rungs in one look",
    "several rungs to one person in one look",
    "nobody on a rung",
    "somebody comes to stand on a rung",
    "recorded and not sent",
    "a cause that rang twice",
    "cleared: met",
    "cleared: void",
    "cleared: moved",
    "cleared: gone",
    "provisional",
    "acknowledged",
    "acknowledged over the word of the department",
    "acknowledged twice at once, and one counts",
    "a clock that was set back",
    "finding: paused_twice",
    "finding: resumed_without_pause",
    "finding: pauses_used_up",
    "finding: dated_ahead",
    "finding: supplement_twice",
    "open at the end",
    "late and over",
];

#[test]
fn every_mistake_planted_in_supervision_is_caught() {
    let mut survived = Vec::new();
    for plant in Plant::ALL {
        match first_failure(0..SEEDS, &|seed, trace: Trace| play(seed, Some(plant), trace)) {
            Some((seed, failure)) => println!("{plant:?}: caught by seed {seed}: {}", failure.findings.join("; ")),
            None => survived.push(plant),
        }
    }
    assert!(survived.is_empty(), "not caught within {SEEDS} seeds: {survived:?}");
}
