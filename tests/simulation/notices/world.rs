//! One simulated district that is told things: the store, the clock, the dice, the vendors, and what watches while it runs.
//! Everything random comes from one seeded generator, everything runs on one thread: a seed is a history.

use super::district::{self, District};
use super::vendors::{self, HandedIn, Plan, Vendors};
use crate::history::Trace;
use crate::message::{NothingIsPaid, PlainFormat};
use crate::scheduling::{Breath, Chances, Side, Virtual};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zhida_core::notice::NoticeRequest;
use zhida_core::ports::queue::Destination;
use zhida_core::ports::store::Protocol;
use zhida_core::rules::Rules;
use zhida_tests::memory_store::MemoryStore;

/// The world, shared by all workers of one history.
pub(super) struct Sim {
    pub(super) store: MemoryStore,
    pub(super) rules: Arc<Rules>,
    pub(super) protocol: Protocol,
    world: Mutex<World>,
}

/// What changes without being stored by us.
pub(super) struct World {
    pub(super) rng: fastrand::Rng,
    pub(super) chances: Chances,
    pub(super) vendors: Vendors,
    pub(super) district: District,
    /// Everything that anybody was to be told, as it was asked for.
    pub(super) asked: BTreeSet<NoticeRequest>,
    /// Doorbells that rang and were not answered yet; rows of the outbox that were looked at for them.
    pub(super) doorbells: u32,
    pub(super) rows_rung: u64,
    /// Set by a sleeping future while it is polled: the earliest moment at which polling it again makes sense.
    pub(super) asleep_until: Option<Timestamp>,
    /// When one provider was to write to one number with one template.
    pub(super) numbers: BTreeMap<(String, String, String), Vec<Timestamp>>,
    stands: BTreeMap<usize, (Side, &'static str)>,
    pub(super) seen: BTreeSet<String>,
    pub(super) violations: Vec<String>,
    pub(super) trace: Option<Vec<String>>,
}

impl Sim {
    pub(super) fn new(seed: u64, trace: Trace) -> Arc<Self> {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut vendors = vendors::invent(&mut rng);
        let rules = Arc::new(district::rules(&mut rng, &vendors));
        let district = District::invent(&mut rng, &mut vendors);
        let verifier = Arc::new(NothingIsPaid);
        let protocol = Protocol { rules: rules.clone(), format: Arc::new(PlainFormat), verifier };
        let mut pick = |choices: [u32; 3]| choices[rng.usize(0..3)];
        let chances = Chances {
            crash: pick([0, 10, 60]),
            store_fault: pick([0, 15, 100]),
            queue_fault: pick([0, 100, 400]),
            jump: pick([10, 40, 120]),
        };
        let store = MemoryStore::new(protocol.clone(), district.start);
        let world = World {
            rng,
            chances,
            vendors,
            district,
            asked: BTreeSet::new(),
            doorbells: 0,
            rows_rung: 0,
            asleep_until: None,
            numbers: BTreeMap::new(),
            stands: BTreeMap::new(),
            seen: BTreeSet::new(),
            violations: Vec::new(),
            trace: (trace == Trace::On).then(Vec::new),
        };
        Arc::new(Self { store, rules, protocol, world: Mutex::new(world) })
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.store.clock()
    }

    pub(super) fn strikes(&self, chance: u32) -> bool {
        self.world().rng.u32(0..1000) < chance
    }

    pub(super) fn advance(&self, to: Timestamp) {
        if to > self.now() {
            self.store.set_clock(to);
        }
    }

    /// The relay has carried the doorbells of the outbox; some were lost on the way, some ring twice.
    pub(super) fn ring(&self) {
        let first = self.world().rows_rung;
        let (rows, last) = {
            let tables = self.store.tables();
            let new = tables.outbox.range(first..);
            let rung = new.filter(|(_, row)| row.destination == Destination::NoticeDoorbell).count();
            (rung, tables.outbox.keys().next_back().map_or(first, |last| last + 1))
        };
        self.world().rows_rung = last;
        for _ in 0..rows {
            let chance = self.world().chances.queue_fault;
            match (self.strikes(chance), self.strikes(500)) {
                (false, _) => self.world().doorbells += 1,
                (true, true) => self.world().doorbells += 2,
                (true, false) => self.saw("a doorbell is lost"),
            }
        }
    }

    pub(super) fn saw(&self, what: &str) {
        let mut world = self.world();
        if !world.seen.contains(what) {
            world.seen.insert(what.to_owned());
        }
    }

    pub(super) fn say(&self, line: impl FnOnce() -> String) {
        if self.world().trace.is_none() {
            return;
        }
        let now = self.rules.zone.to_datetime(self.now());
        let line = format!("{}  {}", now.strftime("%d %H:%M:%S%.3f"), line());
        if let Some(trace) = &mut self.world().trace {
            trace.push(line);
        }
    }

    pub(super) fn forbid(&self, what: String) {
        self.say(|| format!("!!! {what}"));
        self.world().violations.push(what);
    }

    /// From here on that is where the worker dies, if it does.
    pub(super) fn stands(&self, slot: usize, side: Side, call: &'static str) {
        self.world().stands.insert(slot, (side, call));
    }

    /// A scheduling point at a call: here other workers go on, time passes, and a crash may strike.
    pub(super) fn breathe(&self, slot: usize, side: Side, call: &'static str) -> impl Future<Output = ()> + use<> {
        self.stands(slot, side, call);
        Breath::default()
    }

    /// The worker dies where it stands.
    pub(super) fn dies(&self, slot: usize) {
        let place = self.world().stands.get(&slot).copied();
        if let Some((side, call)) = place {
            self.saw(&format!("dies {side:?} {call}"));
        }
        self.say(|| format!("worker {slot} dies: {place:?}"));
    }

    /// The moment of truth: a message is on the wire.
    pub(super) fn hand_in(&self, slot: usize, message: &HandedIn) -> Plan {
        super::auditor::watch_call(self, message);
        let now = self.now();
        let plan = {
            let mut world = self.world();
            let World { rng, vendors, .. } = &mut *world;
            vendors.hand_in(rng, now, message)
        };
        self.say(|| format!("worker {slot} · {} to {}: {plan:?}", message.out_id, message.provider));
        plan
    }
}

impl Virtual for Sim {
    fn now(&self) -> Timestamp {
        self.store.clock()
    }

    fn rests_until(&self, until: Timestamp) {
        let mut world = self.world();
        world.asleep_until = Some(world.asleep_until.map_or(until, |known| known.min(until)));
    }

    fn resting_until(&self) -> Option<Timestamp> {
        self.world().asleep_until.take()
    }
}
