//! A model check (stateright) of the money protocol: two workers, one or two payouts, a hostile bank, in every order of their
//! steps. Every state is visited; nothing bounds depth, crashes, lost leases, calls or enquiries (two crashes are among "any").
//!
//! Real is what decides: `zhida_core::steps`, `batch`, `payout`. Played are the workers' turn (claim, last look, call, book, each
//! a step of its own, as in `zhida_payout::send_once`), the sweep, enquiries, statement lines and pushed words, the bank.
//!
//! How the world is kept finite, and why nothing is lost by it:
//! * *Time.* There is no clock: a lease, the bank's visibility window, a hold may end at any moment, each by a step of its own.
//!   Clocks allow less than that. Two promises stand instead: a lease does not end between the last look and the write (it was
//!   measured), though it may end during the call; and by the end of the window enquiries find what the bank has. Pauses are
//!   not waited for. The window in which repetitions are recognised does not end: after it nothing is sent at all.
//! * *Steps.* A lease ends when the sweep finds it: before, nothing looks at it. What a worker will hear is decided when it writes:
//!   what the bank decides later is heard by asking. One question is on its way at a time: the bank's last word stays, so a second
//!   answer tells what the first told, or what a late worker tells. One repetition of a booking whose commit was not confirmed.
//! * *Likeness.* States that nothing can tell apart are one (`likeness.rs`): names of messages, numbers of epochs, which of two
//!   payouts or workers is which, what is past and decides nothing. A test here compares what alike states lead to.
//! * *Generations.* The bank refuses first generations only, or they would go on for ever; the core makes no difference between
//!   the second and later ones.
//! * *Two worlds.* What concerns a payout alone (windows, answers on their way, transfers on their way at the bank, withdrawal,
//!   refusals for form) is played with one payout, where the bank is slow. Two payouts meet in shared messages and in the hands
//!   of workers; they are played with a bank that decides, shows and answers at once, but does with each transfer of a message
//!   what it likes. Workers that lost their claim before they called find out at once there, or, in the full check
//!   (`ZHIDA_MODEL=full`, `tests/all/model.sh`), any time.
//! * *Not played:* officers, stop switch, limits, corrections, returns, restores, doorbells (a worker may look any time). The simulator
//!   plays them (`tests/simulation`).
//!
//! The bank keeps its word (`bank.rs`): else money can be paid twice whatever we do.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

mod bank;
mod likeness;
mod promises;
mod roads;
mod scene;
mod state;
mod turn;
mod world;

use promises::{SIGHTS, is_smooth, promises, sight};
use state::State;
use stateright::{Checker, Expectation, HasDiscoveries, Model, Property};
use std::collections::{BTreeSet, HashMap, VecDeque};
use world::{Pace, Plant, Scope, Step, Stragglers, World};
use zhida_core::rules::Idempotency;

impl Model for World {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let start = self.start();
        self.roads.visit(&start);
        vec![start]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        self.steps(state, steps);
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let next = self.after(last, &step);
        if next == *last {
            return None;
        }
        self.roads.visit(&next);
        if is_smooth(last, &step) {
            self.roads.lead(last.likeness, next.likeness);
        }
        if let Some(sight) = sight(last, &step, &next) {
            self.sights.lock().unwrap().insert(sight);
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        promises()
    }
}

/// One payout and a slow bank.
const ALONE: Scope = Scope {
    payouts: 1,
    pace: Pace::Slow,
    stragglers: Stragglers::Linger,
    bank: Idempotency::EndToEndId,
    reason: "TM01",
    form_refusals: false,
    withdrawals: false,
};

/// Two payouts and a fast bank.
const TOGETHER: Scope = Scope { payouts: 2, pace: Pace::Fast, stragglers: Stragglers::Leave, ..ALONE };

/// Seen in every world, beside what its test names.
const ALWAYS_SEEN: [&str; 2] =
    ["all rest settled", "a lease is over, its worker still calls, and the other writes again"];

#[test]
fn one_payout_whatever_happens() {
    let scope = Scope { form_refusals: true, withdrawals: true, ..ALONE };
    let rests = ["all rest held", "all rest unknown", "all rest cancelled", "a second generation is settled"];
    exhaust(scope, &[&rests, &SIGHTS[..]].concat());
}

#[test]
fn a_refusal_that_the_enterprise_has_to_correct() {
    exhaust(Scope { reason: "AC01", ..ALONE }, &[&["all rest refused"], &SIGHTS[..]].concat());
}

#[test]
fn a_bank_that_knows_repetitions_by_the_message() {
    let scope = Scope { bank: Idempotency::MessageId, ..ALONE };
    let mut meant = [&["all rest unknown", "a second generation is settled"], &SIGHTS[..]].concat();
    // Only two officers could do that there, and they are not played.
    meant.retain(|sight| *sight != "what is absent goes in another message");
    exhaust(scope, &meant);
}

#[test]
fn two_payouts_in_shared_messages() {
    let meant = ["a second generation is settled", "two of one message part", "two go again in the same bytes"];
    let meant = [&meant, &SIGHTS[..]].concat();
    if full() {
        exhaust(Scope { stragglers: Stragglers::Linger, ..TOGETHER }, &meant);
        exhaust(Scope { form_refusals: true, ..TOGETHER }, &[&meant[..], &["all rest held"]].concat());
    } else {
        exhaust(TOGETHER, &meant);
    }
}

#[test]
fn alike_states_go_on_alike() {
    compare(ALONE, 1);
    compare(Scope { bank: Idempotency::MessageId, ..ALONE }, 1);
    if full() {
        compare(Scope { form_refusals: true, withdrawals: true, ..ALONE }, 1);
        compare(TOGETHER, 8);
    }
}

/// The check of the check.
#[test]
fn every_planted_mistake_is_found() {
    let by_message = Scope { bank: Idempotency::MessageId, ..ALONE };
    for (plant, scope, broken) in [
        (Plant::UnknownIsFailed, ALONE, "no payout is debited for two generations"),
        (Plant::NotFoundTooEarly, ALONE, "no payout is debited for two generations"),
        (Plant::WholeBatchAgain, TOGETHER, "no payout is debited for two generations"),
        (Plant::NoEpochCheck, ALONE, "who may write holds every claim"),
        (Plant::LeaseUnmeasured, ALONE, "no payout is debited for two generations"),
        (Plant::BankMisjudged, by_message, "no instruction is debited twice"),
    ] {
        let until = HasDiscoveries::AnyOf([broken].into());
        let checker = World::new(scope, Some(plant)).checker().finish_when(until).spawn_bfs().join();
        println!("{plant:?}: found among {} states", checker.unique_state_count());
        assert!(checker.discovery(broken).is_some(), "{plant:?} does not show in \"{broken}\"");
    }
}

#[test]
fn who_never_asks_is_stranded() {
    let checker = World::new(ALONE, Some(Plant::NobodyAsks)).checker().spawn_bfs().join();
    assert!(checker.model().roads.stranded() > 0, "there is a road to rest without asking");
}

fn full() -> bool {
    std::env::var("ZHIDA_MODEL").is_ok_and(|which| which == "full")
}

/// Visits every state of the world: what is promised holds in each, each has a road to rest, and what is meant to be seen is.
fn exhaust(scope: Scope, meant: &[&'static str]) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let until = HasDiscoveries::AnyFailures;
    let checker = World::new(scope, None).checker().threads(threads).finish_when(until).spawn_bfs().join();
    println!("{scope:?}: {} steps between {} states", checker.state_count(), checker.unique_state_count());
    let world = checker.model();
    let mut seen = world.sights.lock().unwrap().clone();
    for (name, path) in checker.discoveries() {
        match world.property(name).expectation {
            Expectation::Sometimes => drop(seen.insert(name)),
            Expectation::Always | Expectation::Eventually => {
                panic!("\"{name}\" is broken by these steps:\n{}", told(path.into_actions()))
            }
        }
    }
    let missing: Vec<_> = meant.iter().chain(&ALWAYS_SEEN).filter(|sight| !seen.contains(*sight)).collect();
    assert!(missing.is_empty(), "never seen: {missing:?}");
    assert_eq!(world.roads.stranded(), 0, "states without a road to rest");
}

fn told(steps: Vec<Step>) -> String {
    steps.iter().map(|step| format!("  {step:?}\n")).collect()
}

/// Where a state is taken for another one, the same states must follow both. Tried with one in so many.
fn compare(scope: Scope, one_in: u64) {
    let world = World::new(scope, None);
    let mut known: HashMap<u64, BTreeSet<u64>> = HashMap::new();
    let mut open = VecDeque::from([world.start()]);
    let (mut alike, mut compared) = (0_u64, 0_u64);
    while let Some(state) = open.pop_front() {
        if known.contains_key(&state.likeness) {
            alike += 1;
            if alike % one_in != 0 {
                continue;
            }
        }
        let mut steps = Vec::new();
        world.steps(&state, &mut steps);
        let next: Vec<State> = steps.iter().map(|step| world.after(&state, step)).collect();
        let follow: BTreeSet<u64> = next.iter().map(|one| one.likeness).filter(|one| *one != state.likeness).collect();
        match known.get(&state.likeness) {
            Some(expected) => {
                assert_eq!(*expected, follow, "taken for another state, but leads elsewhere: {state:#?}");
                compared += 1;
            }
            None => {
                known.insert(state.likeness, follow);
                open.extend(next);
            }
        }
    }
    println!("{scope:?}: {} states, {compared} of {alike} that were taken for them compared", known.len());
}
