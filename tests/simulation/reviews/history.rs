//! One history: workers that take turns at the dice's pleasure and die, while things happen outside at their moments; then the
//! storm ends, time passes from one moment to the next, and what stands is checked at each.

use super::district::Outside;
use super::oracle::{self, Depth, apply};
use super::people;
use super::planted::{self, Plant};
use super::workers::Worker;
use super::world::{Chances, Input, World};
use crate::history::{Failure, Seen, Trace};
use jiff::{SignedDuration, Timestamp};
use zhida_core::supervision::Alert;

const WORKERS: usize = 3;

/// When the last of a plan has happened, everything has its time: a ladder, a pause to its limit, an absence.
const CALM: SignedDuration = SignedDuration::from_hours(70 * 24);

/// Plays the history of `seed`, with a mistake planted or none.
pub(super) fn play(seed: u64, plant: Option<Plant>, trace: Trace) -> Result<Seen, Failure> {
    let mut world = World::new(seed, trace);
    let mut workers: Vec<Worker> = (0..WORKERS).map(|_| Worker::new(plant)).collect();
    people::arrive(&world);
    storm(&mut world, &mut workers);
    if world.violations.is_empty() {
        calm(&mut world, &mut workers);
    }
    if world.violations.is_empty() {
        let found = at_the_end(&mut world);
        found.into_iter().for_each(|what| world.forbid(what));
    }
    if world.violations.is_empty() {
        return Ok(world.seen);
    }
    Err(Failure { findings: world.violations, trace: world.trace.unwrap_or_default() })
}

fn storm(world: &mut World, workers: &mut [Worker]) {
    let mut plan = std::mem::take(&mut world.district.plan);
    plan.reverse();
    while let Some((at, _)) = plan.last() {
        let at = *at;
        if at <= world.now() {
            let (_, outside) = plan.pop().expect("there is a last one");
            happens(world, workers, outside);
        } else if !work(world, workers) || world.strikes(world.chances.slow) {
            pass(world, workers, at);
        }
        if !world.violations.is_empty() {
            return;
        }
    }
}

/// Time goes on: to whatever comes next, or a stretch of the way.
fn pass(world: &mut World, workers: &[Worker], at: Timestamp) {
    let now = world.now();
    let due = world.store.tables().cases.look_at.values().flatten().filter(|at| **at > now).min().copied();
    let awake = workers.iter().map(|one| one.asleep_until).filter(|until| *until > now).min();
    // Nobody counts the sweeps in which nothing is due.
    let next = match (awake, due) {
        (Some(awake), Some(due)) if world.waiting.is_empty() => at.min(awake.max(due)),
        (Some(awake), _) if !world.waiting.is_empty() => at.min(awake),
        (_, _) => at,
    };
    let stretch = SignedDuration::from_secs([1, 60, 3_600, 40_000][world.rng.usize(0..4)]);
    let next = if world.rng.u8(0..4) == 0 { next.min(now + stretch) } else { next };
    world.advance(next.max(now + SignedDuration::from_micros(1)));
}

/// One step of a worker that is awake, or its death; false when all sleep.
fn work(world: &mut World, workers: &mut [Worker]) -> bool {
    let now = world.now();
    let awake: Vec<usize> = (0..workers.len()).filter(|slot| workers[*slot].asleep_until <= now).collect();
    let Some(slot) = world.rng.choice(&awake).copied() else { return false };
    if world.strikes(world.chances.crash) {
        workers[slot].dies(world);
    } else {
        workers[slot].step(world);
    }
    true
}

fn happens(world: &mut World, workers: &mut [Worker], outside: Outside) {
    world.say(|| format!("outside · {outside:?}"));
    let input = match outside {
        Outside::SetBack(by) => {
            world.saw("a clock that was set back");
            return world.store.set_clock(world.now() - by);
        }
        Outside::Publish(place) => {
            let said = world.district.events[place].case.clone();
            world.say(|| format!("outside · e-{place} says {said:?}"));
            return world.waiting.push(place);
        }
        Outside::Organisation(place) => Input::Organisation(place),
        Outside::Calendar(place) => Input::Calendar(place),
        Outside::Policies(place) => Input::Policies(place),
        Outside::Credited(id) => Input::Credited(id),
        Outside::Acknowledge => return people::acknowledge(world, workers[0].plant),
        Outside::Outage(length) => {
            for worker in workers {
                worker.dies(world);
                worker.asleep_until = world.now() + length;
            }
            return;
        }
    };
    apply(world, &world.store, &input);
    if let Input::Organisation(_) | Input::Calendar(_) = input {
        planted::imported(world, workers[0].plant);
    }
    world.input(input);
}

/// Nothing goes wrong any more; from one moment at which anything is due to the next, and at each what stands is checked.
fn calm(world: &mut World, workers: &mut [Worker]) {
    world.say(|| "──── the storm is over ────".to_owned());
    world.chances = Chances { crash: 0, store_fault: 0, queue_fault: 0, slow: 0 };
    for worker in workers.iter_mut() {
        worker.asleep_until = Timestamp::MIN;
    }
    let time = world.store.circumstances().expect("calendars are readable").time;
    let end = time.next_opening(world.now() + CALM) + SignedDuration::from_hours(1);
    while world.violations.is_empty() {
        until_nothing_is_due(world, workers);
        let found = oracle::check(world, Depth::Colours);
        found.into_iter().for_each(|what| world.forbid(what));
        let next = world.store.tables().cases.look_at.values().flatten().min().copied();
        let Some(next) = next.filter(|next| *next < end) else { break };
        world.advance(next);
    }
    world.advance(end);
    until_nothing_is_due(world, workers);
}

/// Every worker sweeps until there is nothing in any hand.
fn until_nothing_is_due(world: &mut World, workers: &mut [Worker]) {
    for round in 0.. {
        for worker in workers.iter_mut() {
            worker.asleep_until = Timestamp::MIN;
            worker.step(world);
        }
        let now = world.now();
        let rests = {
            let tables = world.store.tables();
            let cases = &tables.cases;
            let due = cases.look_at.values().flatten().any(|at| *at <= now);
            let old = cases.looked_by.values().any(|by| *by < cases.version);
            !due && !old && cases.marks.is_empty() && world.waiting.is_empty()
        };
        // Each has three steps to a whole sweep, and as many for what it had in hand.
        if (rests && round > 6) || !world.violations.is_empty() {
            return;
        }
        if round > 1_000 {
            return world.forbid("it never comes to rest".to_owned());
        }
    }
}

fn at_the_end(world: &mut World) -> Vec<String> {
    let mut found = oracle::check(world, Depth::Ladders);
    let (ours, theirs) = (oracle::open(&world.store), oracle::undisturbed(world));
    if ours != theirs {
        found.push(format!("open is {ours:?}, and in an undisturbed district {theirs:?}"));
    }
    let tables = world.store.tables();
    let known = |place: usize| {
        let event = &world.district.events[place];
        let name = (event.source.clone(), event.event_id.clone());
        let quarantined = |item: &zhida_core::steps::Quarantined| item.event_id.as_deref() == Some(&event.event_id);
        tables.inbox.contains_key(&name) || tables.quarantine.iter().any(|row| quarantined(&row.item))
    };
    found.extend(
        (0..world.district.events.len()).filter(|place| !known(*place)).map(|place| format!("e-{place} is lost")),
    );
    let nameless = tables.cases.alerts.values().filter(|one: &&Alert| one.raised.is_empty());
    found.extend(nameless.map(|one| format!("{} was never raised", one.id)));
    found
}
