//! A worker dies before, within and after every step that something durable depends on: the workers' own functions, the real
//! stores, the sandbox's bank over HTTP. Judged by the bank's ledger alone: one credit of the right amount for every award, and
//! everything at rest. Nothing here waits: the database's clock is moved instead.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

mod cut;
mod district;
mod place;
mod ports;
mod process;

use cut::{Cut, Side};
use place::Place;
use process::{Weather, lives_and_dies};
use std::collections::BTreeSet;

/// Where a worker may die: the calls of its ports in the order in which an award meets them.
const STEPS: &[&str] = &[
    "take_in",
    "acknowledge",
    "claim",
    "may_write",
    "pay",
    "book_call",
    "expire_leases",
    "claim_enquiries",
    "enquire",
    "book_enquiries",
    "claim_outbox",
    "publish",
    "outbox_sent",
];

/// What the bank does with the first message, and at which call of the step the process dies.
const OCCASIONS: &[(Weather, u32)] = &[
    (Weather::Fair, 1),
    (Weather::Lost, 1),
    (Weather::PaidUnanswered, 1),
    (Weather::OnTheWay, 1),
    (Weather::Fair, 2),
    (Weather::Lost, 2),
];

/// Every step, every side of it, on every occasion; `ZHIDA_CASE="After pay"` tells only those whose name has it.
async fn every_step(mut fresh: impl AsyncFnMut() -> Place, occasions: &[(Weather, u32)]) {
    let wanted = std::env::var("ZHIDA_CASE").unwrap_or_default();
    let mut died = BTreeSet::new();
    for step in STEPS {
        let place = fresh().await;
        for side in Side::ALL {
            for (weather, nth) in occasions.iter().copied() {
                let cut = Cut { step, side, nth };
                let name = format!("{side:?} {step} number {nth}, {weather:?}");
                if name.contains(&wanted) && lives_and_dies(&place, cut, weather, &name).await {
                    died.insert((*step, side));
                }
            }
        }
    }
    let idle: Vec<_> = STEPS.iter().flat_map(|step| Side::ALL.map(|side| (*step, side))).collect();
    let idle: Vec<_> = idle.iter().filter(|one| !died.contains(*one)).collect();
    assert!(!wanted.is_empty() || idle.is_empty(), "nobody ever died there: {idle:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_at_any_step_pays_every_award_once_on_sqlite() {
    every_step(async || Place::sqlite().await, OCCASIONS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_at_any_step_pays_every_award_once_on_postgresql() {
    // Each takes a server many round trips: the first call of each step is enough here.
    every_step(async || Place::postgres().await, &OCCASIONS[..3]).await;
}
