//! What must be true when a history has come to rest. The bank's ledger judges what was paid; the sealed events judge what was
//! owed; the store must know both and have nothing left to do.

use crate::bank::Standing;
use crate::district::entitlements;
use crate::history::at_once;
use crate::world::Sim;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use zhida_core::ids::{FundId, InstructionId, PayoutKey};
use zhida_core::money::Fen;
use zhida_core::payout::{
    Account, AlarmKind, Ends, Instruction, InstructionState, Payout, PayoutState, RejectionClass,
};
use zhida_core::ports::store::IntakeStore;
use zhida_core::rules::Rules;
use zhida_core::steps::{CapKey, Fact};
use zhida_tests::memory_store::Tables;

/// Everything that is wrong with the world as it stands.
pub(crate) fn check(sim: &Sim) -> Vec<String> {
    let mut found = std::mem::take(&mut sim.store.tables().offences);
    payments(sim, &mut found);
    books(sim, &mut found);
    nothing_is_lost(sim, &mut found);
    nothing_is_stuck(sim, &mut found);
    // Last, for it lets every waiting payout be judged once more.
    holds_still_stand(sim, &mut found);
    found
}

/// Credits that stand: made and not returned.
fn standing_credits<'a>(sim: &Sim, ids: impl Iterator<Item = &'a InstructionId>) -> usize {
    let world = sim.world();
    let credits = |id: &InstructionId| world.bank.credits.iter().filter(|(credited, _)| credited == id).count();
    let returns = |id: &InstructionId| {
        let entry = world.bank.entries.get(id);
        usize::from(entry.is_some_and(|one| matches!(one.standing, Standing::Returned { .. })))
    };
    ids.map(|id| credits(id) - returns(id)).sum()
}

fn payments(sim: &Sim, found: &mut Vec<String>) {
    let tables = sim.store.tables();
    for (id, transfer) in &sim.world().bank.credits {
        let Some(key) = tables.instructions.get(id) else {
            found.push(format!("{id} was credited and no payout knows it"));
            continue;
        };
        let (amounts, payees) = entitlements(&sim.world_events(), key);
        if !amounts.contains(&transfer.amount) || !payees.contains(&transfer.payee) {
            found.push(format!("{key} was paid {} to {:?}: nobody signed that", transfer.amount, transfer.payee));
        }
    }
    for payout in tables.payouts.values() {
        let credits = standing_credits(sim, payout.instructions.iter().map(|one| &one.id));
        let rang_overpaid = payout.overpaid && rang(&tables, payout, AlarmKind::Overpaid);
        if credits > 1 && !(sim.world().bank.breaks_promises && rang_overpaid) {
            found.push(format!("{} was paid {credits} times", payout.key));
        }
        if (payout.state() == PayoutState::Settled) != (credits > 0) {
            found.push(format!("{} is {} and has {credits} credit(s)", payout.key, payout.state().code()));
        }
        for one in &payout.instructions {
            instruction_agrees(sim, payout, one, found);
        }
        let paid_after_end = payout.ended.is_some() && credits > 0;
        if paid_after_end && !rang(&tables, payout, AlarmKind::PaidAfterEnd) {
            found.push(format!("{} was paid although it had ended, and nothing rang", payout.key));
        }
    }
}

fn rang(tables: &Tables, payout: &Payout, kind: AlarmKind) -> bool {
    tables.alarms.iter().any(|alarm| alarm.kind == kind && alarm.key.as_ref() == Some(&payout.key))
}

fn instruction_agrees(sim: &Sim, payout: &Payout, one: &Instruction, found: &mut Vec<String>) {
    let world = sim.world();
    let standing = world.bank.entries.get(&one.id).map(|entry| &entry.standing);
    let ours = one.state();
    let agrees = match ours {
        InstructionState::Settled => matches!(standing, Some(Standing::Settled { .. })),
        InstructionState::Returned => matches!(standing, Some(Standing::Returned { .. })),
        // Refused by the front end and never taken in is refused, too; but somebody must have said so.
        InstructionState::Refused => {
            matches!(standing, None | Some(Standing::Rejected { .. })) && world.bank.said_refused.contains(&one.id)
        }
        InstructionState::Closed | InstructionState::Fresh => {
            matches!(standing, None | Some(Standing::Rejected { .. }))
        }
        InstructionState::Unknown => true,
        InstructionState::Sending | InstructionState::Pending => false,
    };
    if !agrees {
        let (key, generation) = (&payout.key, one.generation);
        found.push(format!("{key} generation {generation} rests as {ours:?}, at the bank it is {standing:?}"));
    }
}

fn books(sim: &Sim, found: &mut Vec<String>) {
    let tables = sim.store.tables();
    let mut balances: BTreeMap<(FundId, PayoutKey, Option<InstructionId>, Account), i64> = BTreeMap::new();
    let mut available: BTreeMap<FundId, i64> = BTreeMap::new();
    for posting in &tables.postings {
        if posting.amount.0 <= 0 {
            found.push(format!("a posting of {}", posting.amount));
        }
        for (account, amount) in [(posting.from, -posting.amount.0), (posting.to, posting.amount.0)] {
            let instruction_id = match account {
                Account::InTransit | Account::Paid => posting.instruction_id.clone(),
                Account::Available | Account::Reserved | Account::Overpaid => None,
            };
            if account == Account::Available {
                *available.entry(posting.fund_id.clone()).or_default() += amount;
            }
            let place = (posting.fund_id.clone(), posting.key.clone(), instruction_id, account);
            let balance = balances.entry(place).or_default();
            *balance += amount;
            let may_be_negative = matches!(account, Account::Available | Account::Overpaid);
            if *balance < 0 && !may_be_negative {
                found.push(format!("{} of {} went negative", account.code(), posting.key));
            }
        }
    }
    for payout in tables.payouts.values() {
        payout_books(payout, &balances, found);
    }
    for fund in tables.funds.values() {
        let gone = -available.get(&fund.id).copied().unwrap_or_default();
        if gone != fund.committed.0 {
            found.push(format!("fund {} says {} is committed, the books {}", fund.id, fund.committed, Fen(gone)));
        }
        if fund.committed > fund.appropriated {
            found.push(format!("fund {} is over-reserved: {} of {}", fund.id, fund.committed, fund.appropriated));
        }
    }
    let mut caps: BTreeMap<CapKey, i64> = BTreeMap::new();
    for payout in tables.payouts.values().filter(|one| one.funded) {
        *caps.entry(CapKey::of(payout, &sim.rules.zone)).or_default() += payout.amount.0;
    }
    for (key, charged) in &tables.caps {
        if charged.0 != caps.get(key).copied().unwrap_or_default() {
            found.push(format!("{key:?} is charged {charged}, its payouts hold {:?}", caps.get(key)));
        }
    }
}

fn payout_books(
    payout: &Payout,
    balances: &BTreeMap<(FundId, PayoutKey, Option<InstructionId>, Account), i64>,
    found: &mut Vec<String>,
) {
    let Some(fund_id) = payout.fund_id.clone() else { return };
    let balance = |id: Option<&InstructionId>, account: Account| {
        balances.get(&(fund_id.clone(), payout.key.clone(), id.cloned(), account)).copied().unwrap_or_default()
    };
    let mut differs = balance(None, Account::Reserved) != payout.reserved.0;
    for one in &payout.instructions {
        differs |= balance(Some(&one.id), Account::InTransit) != one.in_transit.0;
        differs |= balance(Some(&one.id), Account::Paid) != one.paid.0;
        if (one.paid != Fen::ZERO) != one.is_debited() {
            found.push(format!("{} generation {} has {} in paid", payout.key, one.generation, one.paid));
        }
        if one.in_transit != Fen::ZERO && one.is_dead() {
            found.push(format!("{} generation {} is dead with money in transit", payout.key, one.generation));
        }
    }
    if differs {
        found.push(format!("{}: its rows and its postings differ", payout.key));
    }
    if payout.state() == PayoutState::Cancelled && payout.total_held() != Fen::ZERO {
        found.push(format!("{} is cancelled and still holds {}", payout.key, payout.total_held()));
    }
}

fn nothing_is_lost(sim: &Sim, found: &mut Vec<String>) {
    let events = sim.world_events();
    let published = sim.world().published.clone();
    let tables = sim.store.tables();
    for place in published {
        let arrival = &events[place];
        let name = (arrival.source.clone(), arrival.event_id.clone());
        let quarantined = tables.quarantine.iter().any(|row| row.item.event_id.as_ref() == Some(&arrival.event_id));
        if !tables.inbox.contains_key(&name) && !quarantined {
            found.push(format!("{} was published and is nowhere", arrival.event_id));
        }
        if let Fact::Approved(approval) = &arrival.fact
            && !tables.payouts.contains_key(&approval.key)
            && !quarantined
        {
            found.push(format!("the approval of {} is in no state", approval.key));
        }
    }
    for (number, row) in &tables.outbox {
        if !row.sent {
            found.push(format!("outbox row {number} to {:?} was never sent", row.destination));
        } else if !sim.world().heard.contains(&number.to_string()) {
            found.push(format!("outbox row {number} is marked sent and nobody heard it"));
        }
    }
}

fn nothing_is_stuck(sim: &Sim, found: &mut Vec<String>) {
    let now = sim.now();
    let tables = sim.store.tables();
    for payout in tables.payouts.values() {
        if let Some(why) = stuck(payout, &sim.rules, &tables, now) {
            let instructions: Vec<_> =
                payout.instructions.iter().map(|one| (one.generation, one.state(), &one.msg_id)).collect();
            found.push(format!("{} is stuck: {why} {instructions:?}", payout.key));
        }
        if payout.instructions.iter().any(|one| one.enquire_at.is_some_and(|at| at <= now)) {
            found.push(format!("{}: a due enquiry was not made", payout.key));
        }
    }
    if !sim.world().intake.waiting.is_empty() || !sim.world().intake.in_flight.is_empty() {
        found.push("messages are left in the intake queue".to_owned());
    }
}

fn stuck(payout: &Payout, rules: &Rules, tables: &Tables, now: Timestamp) -> Option<String> {
    let state = payout.state();
    let latest = payout.speaking()?;
    match state {
        PayoutState::Ready | PayoutState::Sending | PayoutState::Pending => Some(format!("it rests {}", state.code())),
        PayoutState::Unknown => {
            let explained = latest.contradiction
                || latest.absent
                    && (latest.is_recognised_by_message_only(&rules.bank)
                        || latest.resend_expired
                        || payout.ended.is_some()
                        || !payout.holds.is_empty());
            (!explained).then(|| format!("unknown without need: {:?}", payout.reason()))
        }
        PayoutState::Refused => {
            let class = latest.rejection.as_ref().map(|one| one.class);
            match class {
                Some(RejectionClass::Payee) if payout.correction.is_none() => None,
                Some(RejectionClass::Other) => None,
                Some(RejectionClass::Payee | RejectionClass::Fund | RejectionClass::Window) | None => {
                    Some(format!("refused in class {class:?} has a next step"))
                }
            }
        }
        PayoutState::Returned => payout.correction.is_some().then(|| "returned and corrected: pay it".to_owned()),
        PayoutState::Cancelled => payout.ended.is_none().then(|| "cancelled by nobody".to_owned()),
        PayoutState::Held => {
            let over = payout.holds.values().any(|hold| hold.until.is_some_and(|until| until <= now));
            let unjudged = tables.reconsider.contains(&payout.key);
            (payout.holds.is_empty() || over || unjudged).then(|| "held without a reason".to_owned())
        }
        PayoutState::Settled => None,
    }
}

/// Holds that end by themselves are there because their cause is: judging again lifts none. (It may find more, where another
/// hold kept the rules from being asked again.)
fn holds_still_stand(sim: &Sim, found: &mut Vec<String>) {
    let by_rules = |tables: &Tables| -> BTreeSet<(PayoutKey, &'static str)> {
        let waiting = tables.payouts.values().filter(|one| one.state() == PayoutState::Held);
        let codes = waiting.flat_map(|one| one.holds.keys().map(|code| (one.key.clone(), *code)));
        codes.filter(|(_, code)| code.ends() == Ends::ByItself).map(|(key, code)| (key, code.code())).collect()
    };
    let before = by_rules(&sim.store.tables());
    {
        let mut tables = sim.store.tables();
        let keys: Vec<PayoutKey> = tables.payouts.keys().cloned().collect();
        tables.reconsider.extend(keys);
    }
    at_once(sim.store.reconsider(1_000)).unwrap();
    let after = by_rules(&sim.store.tables());
    for (key, code) in before.difference(&after) {
        found.push(format!("{key} is held by {code} without its cause"));
    }
}
