//! Histories of notices: a few workers that make, send, ask and book, one transaction after the other, and die between any two of them
//! and in the middle of calls; vendors that refuse, hang, lose their answers and lie; people who stop, resume and have things sent
//! again. Every claim and every message on the wire is audited when it happens, and what stands at the end is held against the
//! vendors' ledger.

mod auditor;
mod checker;
mod district;
mod history;
mod people;
mod planted;
mod ports;
mod vendors;
mod world;

use crate::history::Trace;
use crate::search::{all_come_to_rest, first_failure, seen_in};
use history::play;
use planted::Plant;

/// Histories played when nobody says otherwise.
const SEEDS: u64 = 2_000;

#[test]
fn every_notice_is_sent_once_and_comes_to_its_end() {
    all_come_to_rest(SEEDS, "every_notice", |seed, trace| play(seed, None, trace));
}

/// The simulator must not go blind: what it is there for has to happen in its histories.
#[test]
fn notices_see_what_they_are_meant_to_see() {
    let seen = seen_in(0..SIGHTED, |seed, trace| play(seed, None, trace));
    let deaths = ["make", "take", "book", "receipts"];
    let deaths = deaths.iter().flat_map(|call| [format!("dies Before {call}"), format!("dies After {call}")]);
    let unknown = ["make", "take", "book", "receipts"].iter().map(|call| format!("commit unknown: {call}"));
    let meant = MEANT_TO_BE_SEEN.iter().map(|one| (*one).to_owned()).chain(deaths).chain(unknown);
    let missing: Vec<String> = meant.filter(|one| !seen.contains(one)).collect();
    assert!(missing.is_empty(), "not seen in {SIGHTED} histories: {missing:?}\nbut {seen:?}");
}

const SIGHTED: u64 = 800;

const MEANT_TO_BE_SEEN: &[&str] = &[
    "dies Within call",
    "dies Within question",
    "a doorbell is lost",
    "rests delivered",
    "rests sent",
    "rests failed",
    "rests gave_up",
    "rests expired",
    "several in one",
    "asked for: made",
    "asked for: turned_off",
    "asked for: no_address",
    "asked for: lost_its_point",
    "because in_doubt",
    "because expired",
    "because payout_moved",
    "because alert_cleared",
    "a standby went",
    "an attempt: not_made",
    "an attempt: not_connected",
    "an attempt: not_found",
    "an attempt: in_doubt",
    "an attempt: Content",
    "an attempt: Account",
    "an attempt: U-Recipient",
    "delivered after its end",
    "delivered before the answer",
    "sent again beside doubt",
    "sent again by hand",
    "rings notice_failed",
    "rings notice_in_doubt",
    "rings notice_ceiling",
    "rings notice_providers_down",
    "SMS of payout_received",
    "SMS of payout_credited",
    "SMS of payout_held",
    "SMS of payout_returned",
    "SMS of review_overdue",
    "SMS of test",
    "mail of payout_credited",
    "mail of payout_received",
    "mail of review_overdue",
];

#[test]
fn every_mistake_planted_in_notices_is_caught() {
    let mut survived = Vec::new();
    for plant in Plant::ALL {
        match first_failure(0..SEEDS, &|seed, trace: Trace| play(seed, Some(plant), trace)) {
            Some((seed, failure)) => println!("{plant:?}: caught by seed {seed}: {}", failure.findings.join("; ")),
            None => survived.push(plant),
        }
    }
    assert!(survived.is_empty(), "not caught within {SEEDS} seeds: {survived:?}");
}
