//! One simulated district under supervision: the store, the clock, the dice, the queue of events, and what is noted of it.

use super::district::District;
use crate::history::Trace;
use crate::message::{NothingIsPaid, PlainFormat};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use zhida_core::ids::{ApplicationId, OfficerId};
use zhida_core::notice::NoticeRequest;
use zhida_core::ports::store::Protocol;
use zhida_core::rules::Rules;
use zhida_core::steps::Arrival;
use zhida_core::supervision::Level;
use zhida_tests::memory_store::MemoryStore;

/// The world of one history.
pub(super) struct World {
    pub(super) store: MemoryStore,
    pub(super) protocol: Protocol,
    pub(super) rng: fastrand::Rng,
    pub(super) district: District,
    pub(super) chances: Chances,
    /// Events that wait in the queue, by place; what nobody acknowledged comes back.
    pub(super) waiting: Vec<usize>,
    /// What changed what is supervised, in the order of its commits.
    pub(super) inputs: Vec<(Timestamp, Input)>,
    pub(super) books: Books,
    pub(super) violations: Vec<String>,
    pub(super) seen: BTreeSet<String>,
    pub(super) trace: Option<Vec<String>>,
}

/// How likely things go wrong, in so many of a thousand.
#[derive(Clone, Copy)]
pub(super) struct Chances {
    pub(super) crash: u32,
    pub(super) store_fault: u32,
    pub(super) queue_fault: u32,
    /// The workers of this history are slow: time passes between any two of their steps.
    pub(super) slow: u32,
}

/// What was committed.
#[derive(Clone)]
pub(super) enum Input {
    Events(Vec<usize>),
    Organisation(usize),
    Calendar(usize),
    Policies(usize),
    Credited(ApplicationId),
}

/// What the auditor has read so far.
#[derive(Default)]
pub(super) struct Books {
    pub(super) journal_read: usize,
    pub(super) outbox_read: u64,
    /// Rungs of every alert, in the order in which they were raised or recorded.
    pub(super) levels: BTreeMap<String, Vec<Level>>,
    /// Everybody who was told of an alert.
    pub(super) told: BTreeMap<String, BTreeSet<OfficerId>>,
    /// Alerts whose end was told.
    pub(super) cleared: BTreeSet<String>,
    pub(super) notices: BTreeSet<NoticeRequest>,
    /// Events of supervision that went out: type, alert and level.
    pub(super) out: BTreeSet<(String, String, String)>,
}

impl World {
    pub(super) fn new(seed: u64, trace: Trace) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let rules = rules(&mut rng);
        let district = District::invent(&mut rng, &rules);
        let protocol =
            Protocol { rules: Arc::new(rules), format: Arc::new(PlainFormat), verifier: Arc::new(NothingIsPaid) };
        let mut pick = |choices: [u32; 3]| choices[rng.usize(0..3)];
        let chances = Chances {
            crash: pick([0, 20, 100]),
            store_fault: pick([0, 20, 150]),
            queue_fault: pick([0, 50, 300]),
            slow: pick([0, 20, 100]),
        };
        let store = MemoryStore::new(protocol.clone(), district.start);
        Self {
            store,
            protocol,
            rng,
            district,
            chances,
            waiting: Vec::new(),
            inputs: Vec::new(),
            books: Books::default(),
            violations: Vec::new(),
            seen: BTreeSet::new(),
            trace: (trace == Trace::On).then(Vec::new),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.store.clock()
    }

    /// One of a thousand, so many times.
    pub(super) fn strikes(&mut self, chance: u32) -> bool {
        self.rng.u32(0..1000) < chance
    }

    pub(super) fn advance(&self, to: Timestamp) {
        if to > self.now() {
            self.store.set_clock(to);
        }
    }

    pub(super) fn is_at_rest(&self, id: &ApplicationId) -> bool {
        !self.store.tables().cases.looked_by.contains_key(id)
    }

    pub(super) fn input(&mut self, input: Input) {
        let now = self.now();
        self.inputs.push((now, input));
        // Two commits never bear the same time.
        self.advance(now + SignedDuration::from_micros(1));
    }

    pub(super) fn saw(&mut self, what: &str) {
        if !self.seen.contains(what) {
            self.seen.insert(what.to_owned());
        }
    }

    pub(super) fn forbid(&mut self, what: String) {
        self.say(|| format!("!!! {what}"));
        self.violations.push(what);
    }

    pub(super) fn say(&mut self, line: impl FnOnce() -> String) {
        let now = self.protocol.rules.zone.to_datetime(self.store.clock());
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{}  {}", now.strftime("%m-%d %a %H:%M:%S%.6f"), line()));
        }
    }
}

fn rules(rng: &mut fastrand::Rng) -> Rules {
    let mut rules = Rules::with_defaults("sim");
    rules.supervision.counting.pause_max_working_days = [1, 3, 20][rng.usize(0..3)];
    rules
}

impl District {
    pub(super) fn arrivals(&self, places: &[usize]) -> Vec<Arrival> {
        places.iter().map(|place| self.events[*place].clone()).collect()
    }
}
