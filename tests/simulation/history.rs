//! One history: a few workers that take turns at the dice's pleasure, crash, and see time jump, while things come from outside;
//! then the storm ends, the bank is healthy, time passes, and everything has to come to rest.
//!
//! What a worker does in its turn stands in `turns`.

use crate::bank::Temper;
use crate::checker;
use crate::district::{HORIZON, Outside};
use crate::officers;
use crate::planted::{Plant, Planted};
use crate::ports::{Connection, Stopwatch, Wire};
use crate::restore;
use crate::scheduling::{self, Chances, Turn, awake, next_awake, poll};
use crate::turns::{JOBS, Ports, begin_names_anew, turn};
use crate::world::Sim;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use zhida_core::batch::Batch;
use zhida_core::ids::InstructionId;
use zhida_core::payout::{Carrier, Instruction, Word};
use zhida_core::ports::bank::BankLink;
use zhida_core::ports::store::{ActStore, ReferenceStore, SignedAct, Store};
use zhida_core::ports::time::Time;
use zhida_core::rules::Idempotency;
use zhida_tests::memory_store::Tables;

/// What a history came to, when it went wrong.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What was found.
    pub(crate) findings: Vec<String>,
    /// The readable history, when it was asked for.
    pub(crate) trace: Vec<String>,
}

/// What came about in a history: states at rest, what rang, what was journalled.
pub(crate) type Seen = BTreeSet<String>;

/// Whether a history writes down what happens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trace {
    Off,
    On,
}

const WORKERS: usize = 3;

type Worker = scheduling::Worker<Ports>;

/// Plays the history of `seed`, with a bug planted or none.
pub(crate) fn play(seed: u64, plant: Option<Plant>, trace: Trace) -> Result<Seen, Failure> {
    begin_names_anew();
    let sim = Sim::new(seed, trace);
    let mut workers: Vec<Worker> = (0..WORKERS).map(|slot| worker(&sim, slot, plant)).collect();
    prepare(&sim);
    storm(&sim, &mut workers);
    // A violation seen while it ran is the story; what follows from it is not.
    if sim.world().violations.is_empty() {
        calm(&sim, &mut workers);
        let findings = checker::check(&sim);
        findings.into_iter().for_each(|one| sim.forbid(one));
    }
    let mut world = sim.world();
    if world.violations.is_empty() {
        drop(world);
        return Ok(seen(&sim));
    }
    Err(Failure { findings: std::mem::take(&mut world.violations), trace: world.trace.take().unwrap_or_default() })
}

fn seen(sim: &Sim) -> Seen {
    let tables = sim.store.tables();
    let states = tables.payouts.values().map(|payout| format!("rests {}", payout.state().code()));
    let generations = tables.payouts.values().map(|payout| format!("generations {}", payout.instructions.len()));
    let alarms = tables.alarms.iter().map(|alarm| format!("rings {}", alarm.kind.code()));
    let holds = tables.payouts.values().flat_map(|one| one.holds.keys().map(|code| format!("held by {}", code.code())));
    let closed = tables.batches.values().filter_map(|batch| batch.closed.as_ref().map(|why| format!("closed: {why}")));
    let again = tables.batches.values().filter(|batch| batch.calls > 1).map(|_| "the same bytes again".to_owned());
    let quarantine = tables.quarantine.iter().map(|row| format!("quarantine {}", row.item.reason_code));
    let journal = tables.journal.iter().map(|row| row.kind.clone());
    let by_message = sim.rules.bank.idempotency == Idempotency::MessageId;
    let told =
        by_message.then(|| tables.payouts.values().map(|one| format!("by message: rests {}", one.state().code())));
    let told = told.into_iter().flatten().chain(travelled_alone(&tables).filter(|_| by_message));
    let died = sim.world().died.iter().map(|(side, call)| format!("dies {side:?} {call}")).collect::<Vec<_>>();
    let echoed = |one: &Instruction| one.first_claimed_at.is_none() && one.on_the_way_since.is_some();
    let echoes = tables.payouts.values().flat_map(|one| one.instructions.iter().skip(1).filter(|one| echoed(one)));
    let echoes =
        echoes.map(|one| format!("a successor that never left is {:?} and said to be on the way", one.state()));
    states
        .chain(generations)
        .chain(alarms)
        .chain(holds)
        .chain(closed)
        .chain(again)
        .chain(quarantine)
        .chain(journal)
        .chain(told)
        .chain(died)
        .chain(echoes)
        .collect()
}

/// Instructions that were in doubt in one message and settled in another, where repetitions are known by the message.
fn travelled_alone(tables: &Tables) -> impl Iterator<Item = String> {
    let settled = tables.payouts.values().flat_map(|one| &one.instructions).filter(|one| one.is_debited());
    let messages = |one: &&Instruction| {
        let carries = |batch: &&Batch| batch.members.iter().any(|member| member.instruction_id == one.id);
        tables.batches.values().filter(carries).count() > 1
    };
    settled.filter(messages).map(|_| "by message: settled in a second message".to_owned())
}

fn worker(sim: &Arc<Sim>, slot: usize, plant: Option<Plant>) -> Worker {
    let connection = Connection { sim: sim.clone(), store: sim.store.session(), slot };
    let wire = Wire { sim: sim.clone(), slot };
    let stopwatch = Stopwatch(sim.clone());
    let (store, bank, time): (Arc<dyn Store>, Arc<dyn BankLink>, Arc<dyn Time>) = match plant {
        None => (Arc::new(connection), Arc::new(wire), Arc::new(stopwatch)),
        Some(plant) => Planted::ports(plant, sim.clone(), connection, wire, stopwatch),
    };
    Worker::new(Ports { store, bank, time, plant, sim: sim.clone(), slot })
}

/// Reference data that stands before anything happens; written without the storm's hindrance.
fn prepare(sim: &Sim) {
    let (funds, policy, operators) = {
        let world = sim.world();
        (world.district.funds.clone(), world.district.policies[0].clone(), world.district.operators.clone())
    };
    at_once(sim.store.import_policies(&funds, &[policy], "sim")).unwrap();
    for operator in operators {
        at_once(sim.store.put_operator(&operator, "sim")).unwrap();
    }
}

// ── the storm ──

fn storm(sim: &Arc<Sim>, workers: &mut [Worker]) {
    let mut plan = std::mem::take(&mut sim.world().district.plan);
    plan.reverse();
    let mut people: Vec<Turn> = Vec::new();
    let mut quiet = 0;
    for _ in 0..3_000 {
        let dice = sim.world().rng.u32(0..1000);
        let jump = sim.world().chances.jump;
        if dice < 60 || plan.is_empty() {
            match plan.pop() {
                Some(outside) => happens(sim, outside, &mut people),
                // Some time for what is under way, then the storm is over.
                None => quiet += 1,
            }
        } else if dice < 60 + jump {
            let seconds = [1, 5, 20, 60, 95, 130, 300, 1_000, 5_000];
            let length = {
                let mut world = sim.world();
                if world.rng.u8(0..60) == 0 { 90_000 } else { seconds[world.rng.usize(0..seconds.len())] }
            };
            advance(sim, sim.now() + SignedDuration::from_secs(length));
        } else if dice < 100 + jump {
            people.retain_mut(|turn| poll(turn) == Poll::Pending);
        }
        if quiet > 300 || !sim.world().violations.is_empty() {
            return;
        }
        work(sim, workers);
    }
}

/// One poll of one worker that is awake, or its crash; time goes on when all are asleep.
fn work(sim: &Arc<Sim>, workers: &mut [Worker]) {
    let awake = awake(workers, sim.now());
    let (slot, crashes) = {
        let mut world = sim.world();
        let world = &mut *world;
        let slot = world.rng.choice(&awake).copied();
        (slot, world.rng.u32(0..1000) < world.chances.crash)
    };
    let Some(slot) = slot else {
        if let Some(next) = next_awake(workers) {
            advance(sim, next);
        }
        return;
    };
    let worker = &mut workers[slot];
    if crashes && worker.turn.is_some() {
        sim.dies(slot);
        return worker.ends();
    }
    if worker.turn.is_none() {
        let job = { JOBS[sim.world().rng.usize(0..JOBS.len())] };
        worker.turn = Some(turn(worker.ports.clone(), job));
    }
    step(sim, worker);
}

fn step(sim: &Sim, worker: &mut Worker) {
    worker.step(sim);
    let offences = std::mem::take(&mut sim.store.tables().offences);
    offences.into_iter().for_each(|one| sim.forbid(one));
}

fn advance(sim: &Sim, to: Timestamp) {
    if to > sim.now() && to < HORIZON {
        sim.advance(to);
    }
}

fn happens(sim: &Arc<Sim>, outside: Outside, people: &mut Vec<Turn>) {
    sim.say(|| match &outside {
        Outside::Publish(place) => {
            let world = sim.world();
            format!("outside · publishes e-{place}: {:?}", world.district.events[*place].fact)
        }
        other => format!("outside · {other:?}"),
    });
    match outside {
        Outside::Publish(place) => {
            let mut world = sim.world();
            world.published.insert(place);
            world.intake.waiting.push_back(place);
        }
        Outside::Import(place) => {
            let (funds, policy) = {
                let world = sim.world();
                (world.district.funds.clone(), world.district.policies[place].clone())
            };
            at_once(sim.store.import_policies(&funds, &[policy], "sim")).unwrap();
            sim.world().imported.push(place);
        }
        Outside::Fill(fund_id, amount) => {
            let funds = {
                let mut world = sim.world();
                for fund in world.district.funds.iter_mut().filter(|one| one.id == fund_id) {
                    fund.appropriated.0 += amount.0;
                }
                world.district.funds.clone()
            };
            at_once(sim.store.import_policies(&funds, &[], "sim")).unwrap();
        }
        Outside::Officer => {
            restore::check_statements(sim);
            people.extend(officers::find_something(sim).into_iter().map(|act| hand_in(sim, act)));
        }
        Outside::Backup => restore::back_up(sim),
        Outside::Restore => people.extend(restore::restore(sim).into_iter().map(|act| hand_in(sim, act))),
        Outside::Stop => people.push(hand_in(sim, officers::stop(sim))),
        Outside::Resume => people.extend(officers::resume(sim).into_iter().map(|act| hand_in(sim, act))),
        Outside::RevokeKey => sim.world().district.revoked.store(true, std::sync::atomic::Ordering::Relaxed),
        Outside::Tamper => officers::tamper(sim),
        Outside::StrangeLine => {
            let now = sim.now();
            let line = Word::Settled { credited_at: None, bank_reference: Some("R-strange".to_owned()) };
            sim.world().bank.news.push((now, InstructionId::from("NOBODYS"), line, Carrier::Statement));
        }
        Outside::Echoes => crate::echoes::tell(sim),
        Outside::BankCloses(length) => {
            let until = sim.now() + length;
            sim.world().bank.closed_until = until;
        }
    }
}

/// A person hands a signed act in and tries again, under the same id, until it is answered.
fn hand_in(sim: &Arc<Sim>, act: SignedAct) -> Turn {
    sim.world().acts.push(act.clone());
    let people = Connection { sim: sim.clone(), store: sim.store.session(), slot: WORKERS };
    let sim = sim.clone();
    Box::pin(async move {
        loop {
            let acted = people.act(&act).await;
            sim.say(|| format!("{} · {:?}: {acted:?}", act.operator_id, act.act));
            if acted.is_ok() {
                return;
            }
        }
    })
}

// ── the calm ──

fn calm(sim: &Arc<Sim>, workers: &mut [Worker]) {
    sim.say(|| "──── the storm is over ────".to_owned());
    {
        let mut world = sim.world();
        world.chances = Chances { crash: 0, store_fault: 0, queue_fault: 0, jump: 0 };
        world.bank.temper = Temper::Healthy;
        world.bank.closed_until = Timestamp::MIN;
        for session in 0..WORKERS as u64 {
            world.intake.disconnect(session);
        }
    }
    workers.iter_mut().for_each(Worker::ends);
    let opens_from = sim.store.tables().switch.restore.as_ref().and_then(|restore| restore.opens_from);
    if let Some(opens_from) = opens_from {
        advance(sim, opens_from);
    }
    if sim.store.tables().switch.stopped_by.is_some() {
        for act in officers::resume(sim) {
            finish(sim, &mut Worker { turn: Some(hand_in(sim, act)), ..Worker::new(workers[0].ports.clone()) });
        }
    }
    let end = sim.now() + SignedDuration::from_hours(4 * 24);
    for place in 0.. {
        let before = fingerprint(sim);
        let worker = &mut workers[place % WORKERS];
        for job in JOBS {
            worker.turn = Some(turn(worker.ports.clone(), job));
            finish(sim, worker);
        }
        if fingerprint(sim) == before {
            let Some(next) = next_moment(sim).filter(|next| *next < end) else { return };
            advance(sim, next.max(sim.now() + SignedDuration::from_micros(1)));
        }
    }
}

fn finish(sim: &Sim, worker: &mut Worker) {
    while worker.turn.is_some() {
        if let Some(until) = worker.asleep_until {
            advance(sim, until);
        }
        step(sim, worker);
    }
}

/// Changes whenever anything was written that matters.
fn fingerprint(sim: &Sim) -> [usize; 6] {
    let tables = sim.store.tables();
    let unsent = tables.outbox.values().filter(|row| !row.sent).count();
    let (journal, examined) =
        (tables.journal.len(), tables.batches.values().filter(|one| one.examine_at.is_some()).count());
    let world = sim.world();
    [journal, examined, unsent, tables.reconsider.len(), world.intake.waiting.len(), world.bank.news.len()]
}

/// When time will next bring something.
fn next_moment(sim: &Sim) -> Option<Timestamp> {
    let now = sim.now();
    let tables = sim.store.tables();
    let mut moments: Vec<Timestamp> = Vec::new();
    for payout in tables.payouts.values() {
        moments.extend(payout.next_moment(&sim.rules));
        for one in &payout.instructions {
            moments.extend(one.enquire_at);
            moments.extend(one.claim.as_ref().map(|claim| claim.lease_until));
        }
        if payout.is_claimable() {
            moments.push(now + SignedDuration::from_hours(1));
        }
    }
    moments.extend(tables.batches.values().filter_map(|batch| batch.examine_at));
    moments.extend(tables.outbox.values().filter(|row| !row.sent).filter_map(|row| row.leased_until));
    moments.extend(sim.world().bank.next_moment());
    moments.into_iter().filter(|moment| *moment > now).min()
}

/// Runs a future that never waits.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("the store in memory never waits"),
    }
}
