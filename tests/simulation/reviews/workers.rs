//! A worker between two transactions. Each step is one transaction, whose commit may fail, or happen without the worker's
//! knowing; between any two steps it may die, other workers may go on, and time may pass.

use super::auditor;
use super::planted::{self, Plant};
use super::world::{Input, World};
use crate::history::at_once;
use jiff::{SignedDuration, Timestamp};
use zhida_core::ids::ApplicationId;
use zhida_core::ports::store::IntakeStore;
use zhida_core::supervision::Seen;
use zhida_tests::memory_store::Circumstances;

/// Pause between two looks for what is due.
pub(super) const EVERY: SignedDuration = SignedDuration::from_secs(10);

/// Case files in one transaction; few, so that there is often more than one transaction takes.
const BATCH_MAX: u32 = 2;

pub(super) struct Worker {
    pub(super) stage: Stage,
    pub(super) asleep_until: Timestamp,
    pub(super) plant: Option<Plant>,
    /// What mistaken workers remember.
    pub(super) memory: Memory,
}

/// What it has in hand.
pub(super) enum Stage {
    Idle,
    /// Events from the queue, not stored yet.
    Events(Vec<usize>),
    /// Events that are stored, not acknowledged yet.
    Stored(Vec<usize>),
    /// Marks are taken up.
    Marked,
    /// What a look needs beside the case is read.
    Informed(Box<Circumstances>),
    /// Only mistaken workers: what was seen, not written yet.
    Seen(Vec<(ApplicationId, Seen)>),
}

#[derive(Default)]
pub(super) struct Memory {
    pub(super) circumstances: Option<Circumstances>,
    pub(super) marks: Vec<ApplicationId>,
    pub(super) last_sweep: Option<Timestamp>,
}

/// What the connection does to one transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Commits,
    Fails,
    CommitsUnknown,
}

impl Worker {
    pub(super) fn new(plant: Option<Plant>) -> Self {
        Self { stage: Stage::Idle, asleep_until: Timestamp::MIN, plant, memory: Memory::default() }
    }

    /// It dies where it stands; the queue gets back what it had not acknowledged.
    pub(super) fn dies(&mut self, world: &mut World) {
        let place = match &self.stage {
            Stage::Idle => "with nothing in hand",
            Stage::Events(_) => "with events in hand",
            Stage::Stored(_) => "with events stored",
            Stage::Marked => "with marks taken up",
            Stage::Informed(_) => "with circumstances read",
            Stage::Seen(_) => "with a look not written",
        };
        world.saw(&format!("dies {place}"));
        world.say(|| format!("a worker dies {place}"));
        if let Stage::Events(places) | Stage::Stored(places) = std::mem::replace(&mut self.stage, Stage::Idle) {
            self.gives_back(world, places);
        }
        (self.memory, self.asleep_until) = (Memory::default(), Timestamp::MIN);
    }

    /// One step.
    pub(super) fn step(&mut self, world: &mut World) {
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Idle => self.begins(world),
            Stage::Events(places) => self.takes_in(world, places),
            Stage::Stored(places) => self.acknowledges(world, places),
            Stage::Marked => {
                if let Fate::Commits = self.fate(world, "circumstances") {
                    let circumstances = Box::new(world.store.circumstances().expect("calendars are readable"));
                    self.stage = Stage::Informed(planted::circumstances(self, circumstances));
                }
            }
            Stage::Informed(circumstances) => self.looks(world, *circumstances),
            Stage::Seen(seen) => planted::writes(self, world, seen),
        }
    }

    fn begins(&mut self, world: &mut World) {
        if !world.waiting.is_empty() && world.rng.bool() {
            let mut places = Vec::new();
            while places.len() < 3 && !world.waiting.is_empty() {
                let next = world.rng.usize(0..world.waiting.len());
                places.push(world.waiting.swap_remove(next));
            }
            if world.strikes(world.chances.queue_fault) {
                world.waiting.extend(&places);
                world.saw("an event twice");
            }
            self.stage = Stage::Events(places);
            return;
        }
        match self.fate(world, "marks") {
            Fate::Commits => {
                planted::take_up_marks(self, world);
                self.stage = Stage::Marked;
            }
            Fate::CommitsUnknown => planted::take_up_marks(self, world),
            Fate::Fails => {}
        }
    }

    fn takes_in(&mut self, world: &mut World, places: Vec<usize>) {
        let fate = self.fate(world, "events");
        if fate == Fate::Fails {
            return self.gives_back(world, places);
        }
        let taken = at_once(world.store.take_in(world.district.arrivals(&places))).expect("the memory takes it in");
        world.say(|| format!("takes in {places:?}: {taken:?}"));
        world.input(Input::Events(places.clone()));
        match fate {
            Fate::Commits => self.stage = Stage::Stored(places),
            Fate::CommitsUnknown | Fate::Fails => self.gives_back(world, places),
        }
    }

    /// What is not acknowledged comes again.
    fn gives_back(&self, world: &mut World, places: Vec<usize>) {
        if self.plant != Some(Plant::AckBeforeCommit) {
            world.waiting.extend(places);
        }
    }

    fn acknowledges(&mut self, world: &mut World, places: Vec<usize>) {
        if world.strikes(world.chances.queue_fault) {
            world.waiting.extend(places);
        }
    }

    fn looks(&mut self, world: &mut World, circumstances: Circumstances) {
        let fate = self.fate(world, "look");
        if fate == Fate::Fails {
            return;
        }
        let marked = !world.store.tables().cases.marks.is_empty();
        let Some(looked) = planted::look_at_due(self, world, &circumstances, BATCH_MAX) else {
            world.saw("an import between circumstances and look");
            self.stage = Stage::Marked;
            return;
        };
        if marked && looked > 0 {
            world.saw("an event between marks and look");
        }
        auditor::audit(world);
        // Looks bear different times, as transactions of a database do.
        let now = world.now();
        world.advance(now + SignedDuration::from_micros(1));
        if fate == Fate::Commits && looked < BATCH_MAX && matches!(self.stage, Stage::Idle) {
            self.asleep_until = world.now() + EVERY;
        }
    }

    /// After anything but a commit that it knows of it pauses.
    pub(super) fn fate(&mut self, world: &mut World, what: &str) -> Fate {
        if !world.strikes(world.chances.store_fault) {
            return Fate::Commits;
        }
        self.asleep_until = world.now() + EVERY;
        if world.rng.bool() {
            return Fate::Fails;
        }
        world.saw(&format!("commit unknown: {what}"));
        world.say(|| format!("{what} committed, and nobody knows"));
        Fate::CommitsUnknown
    }
}
