//! One history: a few workers that take turns at the dice's pleasure, die, and see time jump, while things come from outside; then the
//! storm ends, vendors are well, time passes, and everything has to come to its end.

use super::checker;
use super::district::{self, Outside};
use super::people;
use super::planted::{self, Looks, Plant};
use super::ports::{Connection, Mailbox, Stopwatch, Wire};
use super::world::Sim;
use crate::history::{Failure, Seen, Trace, at_once};
use crate::scheduling::{self, Chances, Turn, awake, next_awake};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use zhida_core::ports::mail::MailProvider;
use zhida_core::ports::notices::NoticeStore;
use zhida_core::ports::sms::SmsProvider;
use zhida_core::ports::store::ReferenceStore;
use zhida_core::ports::supervision::OrganisationStore;
use zhida_monitoring::Metrics;
use zhida_notice::{Hands, MAIL, bounces_once, notice_once};

const WORKERS: usize = 3;

/// Requests, notices or receipts in one transaction; few, so that there is often more than one transaction takes.
const BATCH_MAX: u32 = 3;

/// Kinds of turns; each worker does any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Job {
    Make,
    Send,
    /// A vendor pushes receipts, and one of us answers.
    Receipts,
    Bounces,
}

const JOBS: [Job; 5] = [Job::Make, Job::Send, Job::Send, Job::Receipts, Job::Bounces];

/// What a worker reaches the world by.
#[derive(Clone)]
struct Ports {
    store: Arc<dyn NoticeStore>,
    hands: Hands,
    mailbox: Arc<Mailbox>,
    sim: Arc<Sim>,
    plant: Option<Plant>,
}

type Worker = scheduling::Worker<Ports>;

/// Plays the history of `seed`, with a mistake planted or none.
pub(super) fn play(seed: u64, plant: Option<Plant>, trace: Trace) -> Result<Seen, Failure> {
    let sim = Sim::new(seed, trace);
    let mut workers: Vec<Worker> = (0..WORKERS).map(|slot| worker(&sim, slot, plant)).collect();
    prepare(&sim);
    storm(&sim, &mut workers);
    // A violation seen while it ran is the story; what follows from it is not.
    if sim.world().violations.is_empty() {
        calm(&sim, &mut workers);
    }
    if sim.world().violations.is_empty() {
        checker::check(&sim).into_iter().for_each(|one| sim.forbid(one));
    }
    let mut world = sim.world();
    if world.violations.is_empty() {
        return Ok(std::mem::take(&mut world.seen));
    }
    Err(Failure { findings: std::mem::take(&mut world.violations), trace: world.trace.take().unwrap_or_default() })
}

fn worker(sim: &Arc<Sim>, slot: usize, plant: Option<Plant>) -> Worker {
    static METRICS: OnceLock<Arc<Metrics>> = OnceLock::new();
    let metrics = METRICS.get_or_init(|| Arc::new(Metrics::new("sim").expect("figures can be made"))).clone();
    let wire = |provider: &str| Wire { sim: sim.clone(), slot, provider: provider.to_owned(), plant };
    let names: Vec<String> = sim.world().vendors.all.keys().cloned().collect();
    let sms = names.iter().filter(|name| *name != MAIL);
    let lease =
        if plant == Some(Plant::NoLeaseCheck) { SignedDuration::from_hours(99) } else { sim.rules.notices.lease };
    let hands = Hands {
        sms: sms.map(|name| (name.clone(), Arc::new(wire(name)) as Arc<dyn SmsProvider>)).collect(),
        mail: names.iter().find(|name| *name == MAIL).map(|name| Arc::new(wire(name)) as Arc<dyn MailProvider>),
        time: Arc::new(Stopwatch(sim.clone())),
        lease: Duration::try_from(lease).unwrap_or_default(),
        margin: Duration::try_from(super::auditor::MARGIN).unwrap_or_default(),
        metrics,
    };
    let store = planted::store(sim, plant);
    let store = Arc::new(Connection { sim: sim.clone(), store, slot, plant });
    let mailbox = Arc::new(Mailbox(sim.clone()));
    Worker::new(Ports { store, hands, mailbox, sim: sim.clone(), plant })
}

/// Reference data that stands before anything happens.
fn prepare(sim: &Sim) {
    at_once(sim.store.import_policies(&[district::fund()], &district::policies(), "sim")).expect("it is lawful");
    at_once(sim.store.put_operator(&district::operator(), "sim")).expect("it is lawful");
    at_once(sim.store.import_organisation(&district::organisation(), "sim")).expect("it is new");
}

// ── turns ──

fn turn(ports: Ports, job: Job) -> Turn {
    match job {
        Job::Make => Box::pin(async move {
            if planted::looks(&ports.sim, ports.plant) == Looks::AtEverything {
                let _ = ports.store.make_notices(BATCH_MAX).await;
            }
        }),
        Job::Send => Box::pin(async move {
            let _ = notice_once(&*ports.store, &ports.hands, BATCH_MAX).await;
        }),
        Job::Receipts => Box::pin(receipts_once(ports)),
        Job::Bounces => Box::pin(async move {
            if ports.hands.mail.is_some() {
                let _ = bounces_once(&*ports.store, &*ports.mailbox, 2).await;
            }
        }),
    }
}

/// A vendor pushes what is due, and pushes it again until it is answered.
async fn receipts_once(ports: Ports) {
    let now = ports.sim.now();
    let pushed: Vec<_> = {
        let mut world = ports.sim.world();
        let due = |one: &&super::vendors::Push| one.provider != MAIL && one.due <= now;
        let Some(first) = world.vendors.pushes.iter().find(due).cloned() else { return };
        let most = world.rng.usize(1..4);
        let of_one = world.vendors.pushes.iter().filter(due).filter(|one| one.provider == first.provider);
        of_one.take(most).cloned().collect()
    };
    let answered = || {
        let mut world = ports.sim.world();
        for one in &pushed {
            let is_it = |other: &super::vendors::Push| other.receipt == one.receipt && other.due == one.due;
            if let Some(place) = world.vendors.pushes.iter().position(is_it) {
                let booked = world.vendors.pushes.remove(place);
                world.vendors.booked.push(booked);
            }
        }
    };
    if ports.plant == Some(Plant::ReceiptTakenBeforeStored) {
        answered();
    }
    let receipts: Vec<_> = pushed.iter().map(|one| one.receipt.clone()).collect();
    let (provider, trust) = (pushed[0].provider.clone(), pushed[0].trust);
    if ports.store.book_receipts(&provider, trust, &receipts).await.is_ok()
        && ports.plant != Some(Plant::ReceiptTakenBeforeStored)
    {
        answered();
    }
}

// ── the storm ──

fn storm(sim: &Arc<Sim>, workers: &mut [Worker]) {
    let mut plan = std::mem::take(&mut sim.world().district.plan);
    plan.reverse();
    let mut quiet = 0;
    for _ in 0..3_000 {
        let (dice, jump) = {
            let mut world = sim.world();
            (world.rng.u32(0..1000), world.chances.jump)
        };
        if dice < jump {
            let seconds = [1, 5, 20, 45, 61, 130, 300, 1_801, 7_000, 30_000];
            let length = seconds[sim.world().rng.usize(0..seconds.len())];
            sim.advance(sim.now() + SignedDuration::from_secs(length));
        } else if dice < jump + 40 {
            match plan.pop() {
                Some((at, outside)) => {
                    sim.advance(at);
                    happens(sim, &outside, workers);
                }
                None => quiet += 1,
            }
        }
        sim.ring();
        if quiet > 12 || !sim.world().violations.is_empty() {
            break;
        }
        work(sim, workers);
    }
    // Whatever was left of the plan happens all the same.
    while let Some((at, outside)) = plan.pop() {
        sim.advance(at);
        happens(sim, &outside, workers);
    }
}

/// One poll of one worker that is awake, or its death; time goes on when all are asleep.
fn work(sim: &Arc<Sim>, workers: &mut [Worker]) {
    let awake = awake(workers, sim.now());
    let slot = sim.world().rng.choice(&awake).copied();
    let Some(slot) = slot else {
        if let Some(next) = next_awake(workers) {
            sim.advance(next);
        }
        return;
    };
    let crash = sim.world().chances.crash;
    let worker = &mut workers[slot];
    if worker.turn.is_some() && sim.strikes(crash) {
        sim.dies(slot);
        return worker.ends();
    }
    if worker.turn.is_none() {
        let job = { JOBS[sim.world().rng.usize(0..JOBS.len())] };
        worker.turn = Some(turn(worker.ports.clone(), job));
    }
    worker.step(&**sim);
}

fn happens(sim: &Arc<Sim>, outside: &Outside, workers: &mut [Worker]) {
    sim.say(|| format!("outside · {outside:?}"));
    match outside {
        Outside::Outage(length) => {
            for (slot, worker) in workers.iter_mut().enumerate() {
                if worker.turn.take().is_some() {
                    sim.dies(slot);
                }
                worker.asleep_until = Some(sim.now() + *length);
            }
        }
        other => people::happens(sim, other),
    }
}

// ── the calm after it ──

fn calm(sim: &Arc<Sim>, workers: &mut [Worker]) {
    sim.say(|| "──── the storm is over ────".to_owned());
    people::happens(sim, &Outside::Resume);
    {
        let mut world = sim.world();
        world.chances = Chances { crash: 0, store_fault: 0, queue_fault: 0, jump: 0 };
        world.vendors.temper = 0;
        world.vendors.all.values_mut().for_each(|one| one.away_until = Timestamp::MIN);
    }
    for round in 0.. {
        until_nothing_is_due(sim, workers);
        let Some(next) = next_due(sim) else { return };
        if round > 3_000 {
            return sim.forbid("it never comes to rest".to_owned());
        }
        if !sim.world().violations.is_empty() {
            return;
        }
        sim.advance(next.max(sim.now() + SignedDuration::from_micros(1)));
    }
}

/// When anything is due next: a request, a notice, a receipt.
fn next_due(sim: &Sim) -> Option<Timestamp> {
    let pushes = sim.world().vendors.next_push();
    let tables = sim.store.tables();
    let asked = tables.noticing.asked.values().filter(|row| row.outcome.is_none()).map(|row| row.look_at);
    let notices = tables.noticing.notices.values().filter_map(zhida_core::notice::Notice::next_at);
    let (asked, notices) = (asked.filter(|at| *at < Timestamp::MAX).min(), notices.min());
    [pushes, asked, notices].into_iter().flatten().min()
}

fn until_nothing_is_due(sim: &Arc<Sim>, workers: &mut [Worker]) {
    for _ in 0..40 {
        for worker in workers.iter_mut() {
            finish(sim, worker);
        }
        for job in JOBS {
            sim.ring();
            workers[0].turn = Some(turn(workers[0].ports.clone(), job));
            finish(sim, &mut workers[0]);
        }
        if !sim.world().violations.is_empty() || next_due(sim).is_none_or(|at| at > sim.now()) {
            return;
        }
    }
}

/// A turn to its end, with the time that it takes.
fn finish(sim: &Arc<Sim>, worker: &mut Worker) {
    while worker.turn.is_some() {
        worker.step(&**sim);
        if let Some(until) = worker.asleep_until {
            sim.advance(until);
        }
    }
}
