//! An exhaustive check of a small world: two workers, two payouts, two crashes, every interleaving. What moves the state are the
//! real pure steps, through the store in memory; the workers' steps are cut at every point where another may come between.
//!
//! What is abstracted, and why nothing is lost by it:
//! * *Time.* The clock stands still but for jumps longer than lease, visibility and every pause. What matters of a moment is then
//!   whether it is to come, now, one jump ago or longer ago; moments are folded to these four. The idempotency window never ends.
//! * *Identity.* Names of messages are reused once nobody remembers them; counters that decide nothing are zeroed.
//! * *The bank* gives one fate to a call: taken in or not, seen by enquiries at once or after a jump, answered truly, falsely
//!   (a refusal of its front end) or not at all. One transfer is refused for its window, so that a next generation exists.
//! * *Bounds.* Two crashes, two calls without a certain end, one refusal, one false refusal, one withdrawal, and as many
//!   claims as [`world::CLAIMS`]; within them every state is visited.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

mod bank;
mod scene;
mod world;

use stateright::{Checker, Expectation, Model, Property};
use world::{Budget, Small, State, Step};
use zhida_core::ids::MsgId;
use zhida_core::payout::{Instruction, Payout, PayoutState};

impl Model for Small {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![self.start()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        self.steps(state, actions);
    }

    fn next_state(&self, last: &State, action: Step) -> Option<State> {
        self.after(last, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no payout is credited twice", |_, state: &State| {
                state.payouts.iter().all(|payout| state.bank.credits(payout) <= 1)
            }),
            Property::always("every write has a claim in force", |_, state: &State| !state.wrote_without_claim),
            Property::always("settled is what is credited", |_, state: &State| {
                state.payouts.iter().all(|one| one.state() != PayoutState::Settled || state.bank.credits(one) == 1)
            }),
            Property::always("what is dead is never paid", |_, state: &State| {
                let instructions = || state.payouts.iter().flat_map(|payout| &payout.instructions);
                instructions().filter(|one| one.is_dead()).all(|one| state.bank.will_not_pay(&one.id))
            }),
            Property::always("what was withdrawn is not sent afterwards", |_, state: &State| !state.claimed_after_end),
            Property::always("the books balance", |_, state: &State| state.payouts.iter().all(|known| balanced(known))),
            Property::always("nothing is stuck", |_, state: &State| {
                state.payouts.iter().all(|payout| moves_on(payout, state))
            }),
            Property::sometimes("both are settled", |_, state: &State| {
                state.payouts.iter().all(|payout| payout.state() == PayoutState::Settled)
            }),
            Property::sometimes("a second generation is settled", |_, state: &State| {
                let second = |payout: &Payout| payout.instruction(2).is_some_and(Instruction::is_debited);
                state.payouts.iter().any(|known| second(known))
            }),
            Property::sometimes("a withdrawn one is cancelled", |_, state: &State| {
                state.payouts.iter().any(|payout| payout.state() == PayoutState::Cancelled)
            }),
            Property::sometimes("a withdrawn one was paid before", |_, state: &State| {
                state.payouts.iter().any(|one| one.ended.is_some() && one.state() == PayoutState::Settled)
            }),
            Property::sometimes("a message is sent again", |_, state: &State| {
                state.batches.iter().any(|one| one.calls > 1)
            }),
        ]
    }
}

fn balanced(payout: &Payout) -> bool {
    let all = payout.instructions.iter().flat_map(|one| [one.in_transit, one.paid]).chain([payout.reserved]);
    let held = if payout.funded { payout.amount } else { zhida_core::money::Fen::ZERO };
    all.clone().all(|amount| amount.0 >= 0) && payout.total_held() == held
}

/// Whoever is not at rest has something in the database that will bring him on: a claim that ends, an enquiry that is due one
/// day, a message that is looked at again, a hold that ends by time, or he may simply be claimed.
fn moves_on(payout: &Payout, state: &State) -> bool {
    match payout.state() {
        PayoutState::Settled | PayoutState::Cancelled => return true,
        PayoutState::Refused | PayoutState::Returned => return false,
        PayoutState::Held
        | PayoutState::Ready
        | PayoutState::Sending
        | PayoutState::Unknown
        | PayoutState::Pending => {}
    }
    let looked_at = |name: &MsgId| {
        state.batches.iter().any(|batch| batch.msg_id == *name && batch.closed.is_none() && batch.examine_at.is_some())
    };
    let brought_on = |one: &Instruction| {
        one.claim.is_some() || one.enquire_at.is_some() || one.msg_id.as_ref().is_some_and(looked_at)
    };
    let ends = payout.holds.values().any(|hold| hold.until.is_some());
    ends || payout.is_claimable() || payout.instructions.iter().any(brought_on)
}

/// What every model goes without, unless it says otherwise.
const CALM: Budget = Budget {
    claims: 4,
    together: 2,
    crashes: 0,
    doubts: 0,
    pendings: 0,
    refusals: 0,
    false_refusals: 0,
    withdrawals: 0,
};

#[test]
fn two_crashes_while_both_travel_in_one_message() {
    exhaust(Budget { claims: 6, crashes: 2, ..CALM }, &["both are settled", "a message is sent again"]);
}

#[test]
fn two_crashes_while_each_travels_alone() {
    exhaust(Budget { claims: 3, together: 1, crashes: 2, ..CALM }, &["both are settled", "a message is sent again"]);
}

#[test]
fn refusals_true_and_false() {
    let budget = Budget { refusals: 1, false_refusals: 1, pendings: 1, ..CALM };
    exhaust(budget, &["both are settled", "a second generation is settled"]);
}

#[test]
fn a_withdrawal_a_doubt_and_a_crash() {
    let budget = Budget { claims: 3, crashes: 1, doubts: 1, withdrawals: 1, ..CALM };
    exhaust(budget, &["both are settled", "a withdrawn one is cancelled", "a withdrawn one was paid before"]);
}

/// Visits every state; what must hold always does, and what the model is there for is seen.
fn exhaust(budget: Budget, meant_to_be_seen: &[&'static str]) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let checker = Small::new(budget).checker().threads(threads).spawn_bfs().join();
    let (visited, distinct, depth) = (checker.state_count(), checker.unique_state_count(), checker.max_depth());
    println!("{budget:?}: {visited} states, {distinct} of them distinct, depth {depth}");
    for property in checker.model().properties() {
        match property.expectation {
            Expectation::Always => checker.assert_no_discovery(property.name),
            Expectation::Sometimes if meant_to_be_seen.contains(&property.name) => {
                checker.assert_any_discovery(property.name);
            }
            Expectation::Sometimes | Expectation::Eventually => {}
        }
    }
}
