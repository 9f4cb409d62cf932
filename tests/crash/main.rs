//! A worker dies before, within and after every step that something durable depends on: the workers' own functions, the real
//! stores, the sandbox's bank over HTTP. Judged by the bank's ledger alone: one credit of the right amount for every award, and
//! everything at rest. Nothing here waits: the database's clock is moved instead.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

mod cut;
mod dead_letters;
mod district;
mod mailing;
mod notices;
mod place;
mod ports;
mod process;
mod reviews;
mod story;

use cut::{Cut, Side};
use place::Place;
use process::{Weather, lives_and_dies};
use std::collections::BTreeSet;

/// What the bank does with the first message, and at which call of the step the process dies.
const OCCASIONS: &[(Weather, u32)] = &[
    (Weather::Fair, 1),
    (Weather::Lost, 1),
    (Weather::PaidUnanswered, 1),
    (Weather::OnTheWay, 1),
    (Weather::Fair, 2),
    (Weather::Lost, 2),
];

/// Every side of these steps on every occasion; `ZHIDA_CASE="After pay"` tells only the stories whose name has it.
async fn deaths_at(steps: &[&'static str], place: Place, occasions: &[(Weather, u32)]) {
    let wanted = std::env::var("ZHIDA_CASE").unwrap_or_default();
    let mut died = BTreeSet::new();
    for (step, side) in steps.iter().flat_map(|step| Side::ALL.map(|side| (*step, side))) {
        for (weather, nth) in occasions.iter().copied() {
            let name = format!("{side:?} {step} number {nth}, {weather:?}");
            let cut = Cut { step, side, nth, waits: 1 };
            if name.contains(&wanted) && lives_and_dies(&place, cut, weather, &name).await {
                died.insert((step, side));
            }
        }
    }
    let all: BTreeSet<_> = steps.iter().flat_map(|step| Side::ALL.map(|side| (*step, side))).collect();
    assert!(!wanted.is_empty() || died == all, "nobody ever died at some of {all:?}");
}

/// The calls of the workers' ports, in the order in which an award meets them.
macro_rules! deaths {
    ($($place:ident: $($step:literal)*;)*) => {$(
        mod $place {
            use super::{OCCASIONS, Place, deaths_at};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn pay_every_award_once_on_sqlite() {
                deaths_at(&[$($step),*], Place::sqlite().await, OCCASIONS).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn pay_every_award_once_on_postgresql() {
                // Each story takes a server many round trips: the first call of each step is enough here.
                deaths_at(&[$($step),*], Place::postgres().await, &OCCASIONS[..3]).await;
            }
        }
    )*};
}

deaths! {
    deaths_in_intake: "take_in" "acknowledge";
    deaths_before_the_call: "claim" "may_write";
    deaths_around_the_call: "pay" "book_call" "expire_leases";
    deaths_in_enquiries: "claim_enquiries" "enquire" "book_enquiries";
    deaths_in_the_relay: "claim_outbox" "publish" "outbox_sent";
}
