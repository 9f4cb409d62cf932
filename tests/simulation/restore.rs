//! The database is lost and an older backup takes its place; then everything that a recovery asks of people is done: senders hand
//! in again, officers confirm their acts, statements since are booked, sending opens a bank day later.

use crate::bank::Standing;
use crate::history::at_once;
use crate::world::{START, Sim};
use jiff::SignedDuration;
use zhida_core::ids::InstructionId;
use zhida_core::payout::{Carrier, Word};
use zhida_core::ports::store::{AnyAct, PayoutStore, ReferenceStore, RestoreStore, SignedAct, Verdict};
use zhida_core::steps::Act;

/// A backup of the database as it stands.
pub(crate) fn back_up(sim: &Sim) {
    let tables = sim.store.tables().clone();
    sim.world().backup = Some(tables);
}

/// The backup takes the database's place; returns the acts that people confirm again.
pub(crate) fn restore(sim: &Sim) -> Vec<SignedAct> {
    let Some(backup) = sim.world().backup.take() else { return Vec::new() };
    let noted = at_once(sim.store.compare(None)).unwrap().now;
    {
        let mut tables = sim.store.tables();
        *tables = backup.after(&tables);
    }
    let found = at_once(sim.store.compare(Some(&noted))).unwrap();
    if found.verdict == Verdict::Onward {
        // Not one journal row was lost, and so no claim, no approval, no act; repetitions, perhaps.
        hand_in_again(sim);
        return Vec::new();
    }
    at_once(sim.store.close_sending("the journal is shorter than it was")).unwrap();
    at_once(sim.store.recover(sim.now() + SignedDuration::from_hours(24), "sim", "a backup")).unwrap();
    hand_in_again(sim);
    statements_since(sim);
    let world = sim.world();
    world.acts.iter().filter(|act| is_confirmed_again(&act.act)).cloned().collect()
}

/// Decisions about single instructions are taken anew by whoever sees a need; the others are confirmed.
fn is_confirmed_again(act: &AnyAct) -> bool {
    match act {
        AnyAct::Payouts(Act::Hold(_) | Act::Release(..) | Act::Cancel(_) | Act::Stop) => true,
        AnyAct::Payouts(Act::Decide(..) | Act::Resume) | AnyAct::Supervision(_) | AnyAct::Notices(_) => false,
    }
}

fn hand_in_again(sim: &Sim) {
    let (funds, policies, operators) = {
        let mut world = sim.world();
        world.restored_at = Some(sim.now());
        world.content.clear();
        let published: Vec<usize> = world.published.iter().copied().collect();
        world.intake.waiting.extend(published);
        let policies = world.imported.iter().map(|place| world.district.policies[*place].clone()).collect::<Vec<_>>();
        (world.district.funds.clone(), policies, world.district.operators.clone())
    };
    at_once(sim.store.import_policies(&funds, &policies, "sim")).unwrap();
    for operator in operators {
        at_once(sim.store.put_operator(&operator, "sim")).unwrap();
    }
}

/// Every debit and return so far stands in a statement, and from now on all of them do. Where nothing came back, enquiries alone
/// must do: half of those histories have no statements.
fn statements_since(sim: &Sim) {
    let now = sim.now();
    let mut world = sim.world();
    let returned = world.bank.entries.values().any(|entry| matches!(entry.standing, Standing::Returned { .. }));
    if !returned && !world.bank.breaks_promises && world.rng.bool() {
        return;
    }
    world.bank.all_in_statements = true;
    let mut lines: Vec<(InstructionId, Word)> = Vec::new();
    for (id, entry) in &world.bank.entries {
        let debit = |reference: String| Word::Settled { credited_at: None, bank_reference: Some(reference) };
        match &entry.standing {
            Standing::Settled { reference, .. } => lines.push((id.clone(), debit(reference.clone()))),
            Standing::Returned { at } => {
                let amount = entry.transfer.amount;
                lines.push((id.clone(), Word::Returned { at: *at, reason: "AC04".to_owned(), amount }));
            }
            Standing::Pending | Standing::Rejected { .. } => {}
        }
    }
    for (id, word) in lines {
        let at = now + SignedDuration::from_secs(world.rng.i64(0..80_000));
        world.bank.news.push((at, id, word, Carrier::Statement));
    }
}

/// Somebody reads the statements for what is absent and too old to be sent again by itself: those of all closed days hold
/// nothing of it.
pub(crate) fn check_statements(sim: &Sim) {
    let now = sim.now();
    let midnight = sim.rules.zone.to_datetime(now).date().at(0, 0, 0, 0);
    let covered_until = sim.rules.zone.to_timestamp(midnight).unwrap_or(START);
    let expired: Vec<InstructionId> = {
        let (tables, world) = (sim.store.tables(), sim.world());
        let instructions = tables.payouts.values().flat_map(|payout| &payout.instructions);
        let waiting = instructions.filter(|one| one.resend_expired && !world.bank.entries.contains_key(&one.id));
        waiting.map(|one| one.id.clone()).collect()
    };
    for id in expired {
        let enough = at_once(sim.store.book_statement_check(&id, covered_until)).unwrap();
        sim.say(|| format!("outside · the statements up to {covered_until} hold nothing of {id}: enough is {enough}"));
    }
}
