//! What people do in a history: hold, release, cancel, decide, stop, resume; and the intruder who edits the database. Officers
//! who decide about an instruction have looked at the bank's ledger first, as their duty is.

use crate::bank::Standing;
use crate::world::Sim;
use zhida_core::ids::{InstructionId, OperatorId, PayoutKey};
use zhida_core::payout::{Decision, HoldCode, Instruction, Payout, PayoutState, Release};
use zhida_core::ports::store::SignedAct;
use zhida_core::steps::Act;

/// Something an officer could do now about some payout: one act, or the same of two officers.
pub(crate) fn find_something(sim: &Sim) -> Vec<SignedAct> {
    let known = sim.store.tables().payouts.len();
    if known == 0 {
        return Vec::new();
    }
    let place = sim.world().rng.usize(0..known);
    let payout = sim.store.tables().payouts.values().nth(place).cloned();
    let Some(payout) = payout else { return Vec::new() };
    let Some(act) = choose(sim, &payout) else { return Vec::new() };
    let (first, pairs) = {
        let mut world = sim.world();
        (world.rng.usize(1..4), world.rng.u8(0..4) > 0)
    };
    let mut acts = vec![sign(sim, first, act.clone())];
    if pairs {
        acts.push(sign(sim, first % 3 + 1, act));
    }
    acts
}

fn choose(sim: &Sim, payout: &Payout) -> Option<Act> {
    let key = payout.key.clone();
    let dice = sim.world().rng.u8(0..8);
    match payout.state() {
        PayoutState::Held if dice == 0 => Some(Act::Cancel(key)),
        PayoutState::Held => {
            let releasable = |code: &HoldCode| code.release() != Release::Nobody;
            let codes: Vec<HoldCode> = payout.holds.keys().copied().filter(releasable).collect();
            (!codes.is_empty()).then_some(Act::Release(key, codes))
        }
        PayoutState::Ready if dice == 0 => Some(Act::Cancel(key)),
        PayoutState::Ready => Some(Act::Hold(key)),
        PayoutState::Sending if dice < 4 => Some(Act::Hold(key)),
        PayoutState::Refused => decide(&key, payout.latest()?, Decision::Retry),
        PayoutState::Sending | PayoutState::Unknown | PayoutState::Pending => about_the_sent(sim, payout, &key),
        PayoutState::Settled | PayoutState::Returned | PayoutState::Cancelled => None,
    }
}

fn decide(key: &PayoutKey, instruction: &Instruction, decision: Decision) -> Option<Act> {
    Some(Act::Decide(key.clone(), instruction.id.clone(), decision))
}

/// A written proof of *settled*, or a statement check that finds nothing.
fn about_the_sent(sim: &Sim, payout: &Payout, key: &PayoutKey) -> Option<Act> {
    let latest = payout.latest()?;
    let by_message = latest.is_recognised_by_message_only(&sim.rules.bank);
    let mut world = sim.world();
    let dice = world.rng.bool();
    let standing = |id: &InstructionId| world.bank.entries.get(id).map(|entry| entry.standing.clone());
    match standing(&latest.id) {
        Some(Standing::Settled { .. }) => decide(key, latest, Decision::Settled),
        // It may travel in another message: they agree to that as well.
        None if latest.absent && by_message && dice => decide(key, latest, Decision::Retry),
        None if latest.absent => decide(key, latest, Decision::Close),
        None | Some(Standing::Pending | Standing::Rejected { .. } | Standing::Returned { .. }) => None,
    }
}

/// One officer stops all sending.
pub(crate) fn stop(sim: &Sim) -> SignedAct {
    sign(sim, 0, Act::Stop)
}

/// Two officers open it again.
pub(crate) fn resume(sim: &Sim) -> Vec<SignedAct> {
    // Two of the three: when one of them had begun before, the other completes it.
    (1..4).map(|place| sign(sim, place, Act::Resume)).collect()
}

fn sign(sim: &Sim, operator: usize, act: Act) -> SignedAct {
    let mut world = sim.world();
    let operator_id: OperatorId = world.district.operators[operator].id.clone();
    let event_id = format!("act-{}", world.rng.u64(..));
    SignedAct {
        source: "/operators".to_owned(),
        event_id,
        event_type: "operator.acted".to_owned(),
        content_sha256: String::new(),
        body: Vec::new(),
        operator_id,
        act: act.into(),
        reason: "as seen".to_owned(),
    }
}

/// Somebody with access to the database redirects a waiting payout to an account of theirs.
pub(crate) fn tamper(sim: &Sim) {
    let mut tables = sim.store.tables();
    let waiting = |payout: &&mut Payout| payout.latest().is_some_and(|one| one.first_claimed_at.is_none());
    if let Some(payout) = tables.payouts.values_mut().find(waiting)
        && let Some(latest) = payout.instructions.last_mut()
    {
        latest.payee.account_no = "6666666666666666666".to_owned();
        payout.payee.account_no.clone_from(&latest.payee.account_no);
    }
}
