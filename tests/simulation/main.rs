//! The seeded simulator of the whole protocol: virtual time, crashes at every port call, commits of unknown outcome, a queue that
//! doubles and reorders, a bank that is hostile in every way it may be; thousands of histories a second on one thread. Reviews
//! under supervision and notices have histories of their own (`reviews`, `notices`).
//!
//! `ZHIDA_SEEDS=1000000` plays that many histories, `ZHIDA_SEED=17` plays one and prints its story.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

mod bank;
mod checker;
mod digests;
mod district;
mod echoes;
mod forwards;
mod history;
mod message;
mod notices;
mod officers;
mod planted;
mod ports;
mod queues;
mod restore;
mod reviews;
mod scheduling;
mod search;
mod turns;
mod world;

use history::{Trace, play};
use planted::{Plant, WITHIN_SEEDS};
use search::{all_come_to_rest, first_failure, seen_in};

/// Histories played when nobody says otherwise.
const SEEDS: u64 = 20_000;

#[test]
fn every_history_ends_with_every_award_paid_once_or_explained() {
    all_come_to_rest(SEEDS, "every_history", |seed, trace| play(seed, None, trace));
}

/// The simulator must not go blind: what it is there for has to happen in its histories.
#[test]
fn histories_see_what_they_are_meant_to_see() {
    let seen = seen_in(0..SIGHTED, |seed, trace| play(seed, None, trace));
    let deaths = DEATHS.iter().flat_map(|call| [format!("dies Before {call}"), format!("dies After {call}")]);
    let meant = MEANT_TO_BE_SEEN.iter().map(|one| (*one).to_owned()).chain(deaths);
    let missing: Vec<String> = meant.filter(|one| !seen.contains(one)).collect();
    assert!(missing.is_empty(), "not seen in {SIGHTED} histories: {missing:?}");
}

const SIGHTED: u64 = 6_000;

/// Calls before and after which a worker has to die.
const DEATHS: &[&str] = &[
    "take_in",
    "acknowledge",
    "claim",
    "may_write",
    "book_call",
    "book_not_made",
    "expire_leases",
    "time_passes",
    "reconsider",
    "ring_again",
    "claim_enquiries",
    "enquire",
    "book_enquiries",
    "book_evidence",
    "claim_outbox",
    "publish",
    "outbox_sent",
    "outbox_kept",
];

const MEANT_TO_BE_SEEN: &[&str] = &[
    "rests settled",
    "rests refused",
    "rests held",
    "rests unknown",
    "rests returned",
    "rests cancelled",
    "generations 3",
    "dies Within pay",
    "the same bytes again",
    "by message: rests settled",
    "by message: rests unknown",
    "by message: settled in a second message",
    "closed: answered",
    "closed: a member has evidence",
    "closed: a member is held, ended or travels otherwise",
    "closed: refused as a whole",
    "closed: three definitive answers that it is not there",
    "closed: too long after the first claim to be sent again",
    "batch.call_not_made",
    "payout.absent",
    "payout.call_doubtful",
    "payout.call_not_taken_in",
    "payout.known_to_bank",
    "payout.lease_expired",
    "payout.officer_decided",
    "payout.on_the_way",
    "payout.release_seconded_awaited",
    "payout.stale_result",
    "payout.unclear_word",
    "payout.restored",
    "payout.never_sent",
    "payout.generation_remembered",
    "payout.successor_not_found",
    "payout.statement_checked",
    "held by fund_short",
    "held by key_revoked",
    "held by cap_per_enterprise",
    "held by payee_changed",
    "quarantine approval_conflict",
    "quarantine approved_in_future",
    "rings overpaid",
    "rings contradiction",
    "rings mismatch",
    "rings paid_after_end",
    "rings refused_other",
    "rings resend_expired",
    "rings signature_mismatch",
    "rings unknown_instruction",
    "rings database_went_back",
    "payout.at_risk_rail_closed",
    "a successor that never left is Closed and said to be on the way",
];

#[test]
fn a_seed_is_a_history() {
    let told = |seed| {
        let sim = world::Sim::new(seed, Trace::On);
        let plan = format!("{:?}", sim.world().district.plan);
        plan
    };
    assert_eq!(told(7), told(7));
    assert_ne!(told(7), told(8));
}

#[test]
fn every_planted_mistake_is_caught() {
    let mut survived = Vec::new();
    for plant in Plant::ALL {
        match first_failure(0..WITHIN_SEEDS, &|seed, trace| play(seed, Some(plant), trace)) {
            Some((seed, failure)) => println!("{plant:?}: caught by seed {seed}: {}", failure.findings.join("; ")),
            None => survived.push(plant),
        }
    }
    assert!(survived.is_empty(), "not caught within {WITHIN_SEEDS} seeds: {survived:?}");
}
