//! What must hold in every state, what is meant to be seen in some, and when the world is at rest.

use crate::bank::{Handling, Name, Standing};
use crate::state::{At, State};
use crate::world::{Fate, Step, World};
use stateright::Property;
use zhida_core::batch::{Batch, Member};
use zhida_core::money::Fen;
use zhida_core::payout::{Instruction, InstructionState, Payout, PayoutState};

pub(crate) fn promises() -> Vec<Property<World>> {
    vec![
        Property::always("no payout is debited for two generations", |_, state: &State| {
            (0..state.payouts.len()).all(|payout| state.bank.debits(payout) <= 1)
        }),
        Property::always("no instruction is debited twice", |_, state: &State| !state.bank.paid_again),
        Property::always("who may write holds every claim", |_, state: &State| {
            let writing = state.workers.iter().filter_map(At::writing);
            writing.flat_map(|claimed| &claimed.members).all(|one| state.is_in_force(one))
        }),
        Property::always("the dead are never paid", |_, state: &State| {
            state.names().into_iter().filter(|name| state.instruction(*name).is_dead()).all(|name| is_out(state, name))
        }),
        Property::always("no successor while an earlier generation may move money", |_, state: &State| {
            state.names().into_iter().filter(|name| has_successor(state, *name)).all(|name| is_out(state, name))
        }),
        Property::always("one generation lives at most", |_, state: &State| {
            let living = |payout: &Payout| payout.instructions.iter().filter(|one| one.is_live()).count();
            state.payouts.iter().all(|known| living(known) <= 1)
        }),
        Property::always("settled is what the bank has debited", |_, state: &State| {
            let debited = |name: &Name| state.instruction(*name).is_debited();
            let settled = |name| state.bank.entry(name).is_some_and(|entry| entry.standing == Standing::Settled);
            state.names().into_iter().filter(debited).all(settled)
        }),
        Property::always("the books balance", |_, state: &State| {
            !state.false_books && state.payouts.iter().all(|known| is_balanced(known))
        }),
        Property::always("who does not move on says why", |_, state: &State| {
            let silent = [PayoutState::Ready, PayoutState::Sending, PayoutState::Pending, PayoutState::Settled];
            state.payouts.iter().all(|known| silent.contains(&known.state()) || known.reason().is_some())
        }),
        Property::always("what rests unpaid is unpaid at the bank", |_, state: &State| {
            let paid = |payout: usize| state.payouts[payout].state() == PayoutState::Settled;
            !rests(state) || (0..state.payouts.len()).all(|one| paid(one) == (state.bank.debits(one) == 1))
        }),
        Property::sometimes("all rest settled", |_, state: &State| rest_as(state, PayoutState::Settled)),
        Property::sometimes("all rest refused", |_, state: &State| rest_as(state, PayoutState::Refused)),
        Property::sometimes("all rest held", |_, state: &State| rest_as(state, PayoutState::Held)),
        Property::sometimes("all rest unknown", |_, state: &State| rest_as(state, PayoutState::Unknown)),
        Property::sometimes("all rest cancelled", |_, state: &State| rest_as(state, PayoutState::Cancelled)),
        Property::sometimes("a second generation is settled", |_, state: &State| {
            state.names().iter().any(|name| name.1 == 1 && state.instruction(*name).is_debited())
        }),
        Property::sometimes("two of one message part", |_, state: &State| {
            let known_apart = |batch: &Batch| {
                let evidence = |one: &Member| state.instruction(state.name(&one.instruction_id)).has_evidence();
                batch.members.iter().any(evidence) && !batch.members.iter().all(evidence)
            };
            state.batches.iter().any(|batch| known_apart(batch))
        }),
        Property::sometimes(
            "a lease is over, its worker still calls, and the other writes again",
            |_, state: &State| {
                let [one, other] = &state.workers;
                state.names().into_iter().any(|name| {
                    (calls_late(state, one, name) && state.may_write(other, name))
                        || (calls_late(state, other, name) && state.may_write(one, name))
                })
            },
        ),
    ]
}

fn rest_as(state: &State, rest: PayoutState) -> bool {
    rests(state) && state.payouts.iter().all(|known| known.state() == rest)
}

/// It cannot move money any more: the bank will not, and nobody is about to hand it in.
fn is_out(state: &State, name: Name) -> bool {
    !state.bank.may_pay(name) && !state.workers.iter().any(|at| state.may_write(at, name))
}

/// A worker that has called with it, and whose claim is over.
fn calls_late(state: &State, at: &At, name: Name) -> bool {
    let id = &state.instruction(name).id;
    match at {
        At::Called(claimed, _) => {
            claimed.members.iter().any(|one| one.0.instruction_id == *id && !state.is_in_force(one))
        }
        At::Idle | At::Claimed(_) | At::Looked(_) => false,
    }
}

fn has_successor(state: &State, (payout, generation): Name) -> bool {
    let later = &state.payouts[payout].instructions[generation + 1..];
    later.iter().any(|one| one.state() != InstructionState::Closed)
}

fn is_balanced(payout: &Payout) -> bool {
    let accounts = payout.instructions.iter().flat_map(|one| [one.in_transit, one.paid]).chain([payout.reserved]);
    let charged = if payout.funded { payout.amount } else { Fen::ZERO };
    accounts.into_iter().all(|amount| amount >= Fen::ZERO) && payout.total_held() == charged
}

/// Nobody has anything in hand, the bank has decided everything, and no payout goes on without people.
pub(crate) fn rests(state: &State) -> bool {
    let idle = state.question.is_none() && state.workers.iter().all(|at| matches!(at, At::Idle));
    idle && state.bank.rests() && state.payouts.iter().all(|known| payout_rests(known))
}

fn payout_rests(payout: &Payout) -> bool {
    let quiet = payout.instructions.iter().all(|one| one.claim.is_none() && one.enquire_at.is_none());
    let no_time_ends_it = !payout.holds.is_empty() && payout.holds.values().all(|hold| hold.until.is_none());
    let people_decide = |one: &Instruction| {
        let absent = one.absent && (one.resend_expired || no_time_ends_it || payout.ended.is_some());
        one.claim.is_none() && (one.contradiction || absent)
    };
    match payout.state() {
        PayoutState::Settled | PayoutState::Refused | PayoutState::Returned | PayoutState::Cancelled => quiet,
        PayoutState::Held => quiet && no_time_ends_it,
        // Enquiries go on until people have decided.
        PayoutState::Unknown => payout.speaking().is_some_and(people_decide),
        PayoutState::Ready | PayoutState::Sending | PayoutState::Pending => false,
    }
}

/// Nothing goes wrong in this step: no crash, no lease that ends under its worker, a bank that answers and pays.
pub(crate) fn is_smooth(last: &State, step: &Step) -> bool {
    match step {
        Step::Call(_, Fate::Handled(how)) => how.iter().all(|how| *how == Handling::Settles),
        Step::Decides(_, standing) => *standing == Standing::Settled,
        Step::LeaseEnds(payout) => !last.workers.iter().any(|at| last.holds_claim(at, *payout)),
        Step::Call(_, Fate::TurnedAway | Fate::RefusedWhole)
        | Step::GiveUp(_)
        | Step::Crash(_)
        | Step::BookUnconfirmed(_)
        | Step::Tells(_)
        | Step::Withdraw(_) => false,
        Step::Claim(..)
        | Step::ClaimAgain(..)
        | Step::Look(_)
        | Step::Book(_)
        | Step::Ask(_)
        | Step::BookAnswer
        | Step::WindowEnds(_)
        | Step::HoldEnds(_)
        | Step::Shows(_) => true,
    }
}

/// What every world is meant to see on the way, for its steps do not show in the states they lead to.
pub(crate) const SIGHTS: [&str; 8] = [
    "the same bytes go again",
    "what is absent goes in another message",
    "the last look speaks against the call",
    "a lease ends while its worker calls",
    "a stale result is evidence",
    "an enquiry settles what was unknown",
    "an enquiry contradicts a refusal",
    "a refusal is confirmed by an enquiry that finds nothing",
];

/// What this step shows.
pub(crate) fn sight(last: &State, step: &Step, next: &State) -> Option<&'static str> {
    let in_doubt = |who: &usize| {
        let members = next.workers[*who].claimed().into_iter().flat_map(|claimed| &claimed.members);
        members.into_iter().any(|(member, _)| last.instruction(last.name(&member.instruction_id)).doubt)
    };
    match step {
        Step::ClaimAgain(who, _) if next.workers[*who].claimed().is_some_and(|claimed| claimed.members.len() > 1) => {
            in_doubt(who).then_some("two go again in the same bytes")
        }
        Step::ClaimAgain(who, _) => in_doubt(who).then_some(SIGHTS[0]),
        Step::Claim(who, _) => in_doubt(who).then_some(SIGHTS[1]),
        Step::Look(who) => matches!(next.workers[*who], At::Idle).then_some(SIGHTS[2]),
        Step::LeaseEnds(payout) => {
            let calls = |at: &At| matches!(at, At::Called(..)) && last.holds_claim(at, *payout);
            last.workers.iter().any(calls).then_some(SIGHTS[3])
        }
        Step::Book(who) => match &last.workers[*who] {
            At::Called(claimed, heard) if heard.tells() => {
                (!claimed.members.iter().any(|one| last.is_in_force(one))).then_some(SIGHTS[4])
            }
            At::Idle | At::Claimed(_) | At::Looked(_) | At::Called(..) => None,
        },
        Step::Ask(name) => judged(last, *name, next),
        Step::BookAnswer => judged(last, last.question.as_ref()?.name, next),
        Step::Call(..)
        | Step::GiveUp(_)
        | Step::BookUnconfirmed(_)
        | Step::Crash(_)
        | Step::WindowEnds(_)
        | Step::HoldEnds(_)
        | Step::Shows(_)
        | Step::Decides(..)
        | Step::Tells(_)
        | Step::Withdraw(_) => None,
    }
}

/// What an enquiry made of it.
fn judged(last: &State, name: Name, next: &State) -> Option<&'static str> {
    let (before, after) = (last.instruction(name), next.instruction(name));
    let refused = before.rejection.is_some();
    match after.state() {
        _ if before.state() != InstructionState::Unknown => None,
        InstructionState::Settled => Some(if refused { SIGHTS[6] } else { SIGHTS[5] }),
        InstructionState::Refused => last.bank.entry(name).is_none().then_some(SIGHTS[7]),
        _ => None,
    }
}
