//! The test of the test: mistakes that supervisors of deadlines make, planted between the workers and the store. Nothing of this
//! is in the product; each must be caught.

use super::auditor;
use super::workers::{Stage, Worker};
use super::world::World;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use zhida_core::ids::ApplicationId;
use zhida_core::supervision::Seen;
use zhida_tests::memory_store::Circumstances;

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plant {
    /// An event is acknowledged before it is stored.
    AckBeforeCommit,
    /// Marks that were taken up are kept in the worker's memory.
    MarksInMemory,
    /// Organisation and calendar are read once, when the worker starts.
    ReadOnce,
    /// An import tells nobody to look again.
    SilentImport,
    /// What is read is not locked until it is written.
    NoLock,
    /// The world is told in a transaction of its own, before what it is told is written.
    ToldBeforeWritten,
    /// Notices are asked for in a transaction of their own, afterwards.
    NoticesAfterwards,
    /// A commit of unknown outcome is done again, as if it had not happened.
    AgainAfterUnknown,
    /// What is due is what came due since the worker's last sweep.
    SinceLastSweep,
    /// What is due is judged by the worker's own clock, three hours ahead.
    HostClock,
    /// What somebody has acknowledged is cleared.
    AcknowledgedIsCleared,
}

impl Plant {
    pub(super) const ALL: [Self; 11] = [
        Self::AckBeforeCommit,
        Self::MarksInMemory,
        Self::ReadOnce,
        Self::SilentImport,
        Self::NoLock,
        Self::ToldBeforeWritten,
        Self::NoticesAfterwards,
        Self::AgainAfterUnknown,
        Self::SinceLastSweep,
        Self::HostClock,
        Self::AcknowledgedIsCleared,
    ];
}

const AHEAD: SignedDuration = SignedDuration::from_hours(3);

pub(super) fn take_up_marks(worker: &mut Worker, world: &World) {
    if worker.plant == Some(Plant::MarksInMemory) {
        let marks = std::mem::take(&mut world.store.tables().cases.marks);
        worker.memory.marks.extend(marks);
    } else {
        world.store.take_up_marks();
    }
}

pub(super) fn circumstances(worker: &mut Worker, read: Box<Circumstances>) -> Box<Circumstances> {
    if worker.plant != Some(Plant::ReadOnce) {
        return read;
    }
    let kept = worker.memory.circumstances.get_or_insert_with(|| (*read).clone());
    Box::new(Circumstances { version: read.version, ..kept.clone() })
}

pub(super) fn imported(world: &World, plant: Option<Plant>) {
    if plant == Some(Plant::SilentImport) {
        world.store.tables().cases.version -= 1;
    }
}

/// The look itself; none when the circumstances are outdated.
pub(super) fn look_at_due(worker: &mut Worker, world: &World, circumstances: &Circumstances, max: u32) -> Option<u32> {
    let (store, now) = (&world.store, world.now());
    match worker.plant {
        Some(Plant::NoLock | Plant::ToldBeforeWritten | Plant::NoticesAfterwards | Plant::AgainAfterUnknown) => {
            Some(look_in_two(worker, world, circumstances, max))
        }
        Some(Plant::MarksInMemory) => {
            for id in std::mem::take(&mut worker.memory.marks) {
                store.tables().cases.look_at.insert(id, Some(now));
            }
            store.look_at_due(circumstances, max)
        }
        Some(Plant::SinceLastSweep) => {
            let since = worker.memory.last_sweep.replace(now).unwrap_or(now);
            let missed: BTreeMap<ApplicationId, Option<Timestamp>> = {
                let files = &store.tables().cases.look_at;
                files
                    .iter()
                    .filter(|(_, at)| at.is_some_and(|at| at < since))
                    .map(|(id, at)| (id.clone(), *at))
                    .collect()
            };
            let later = missed.keys().map(|id| (id.clone(), Some(Timestamp::MAX)));
            store.tables().cases.look_at.extend(later);
            let looked = store.look_at_due(circumstances, max);
            store.tables().cases.look_at.extend(missed);
            looked
        }
        Some(Plant::HostClock) => {
            store.set_clock(now + AHEAD);
            let looked = store.look_at_due(circumstances, max);
            store.set_clock(now);
            looked
        }
        Some(Plant::AckBeforeCommit | Plant::ReadOnce | Plant::SilentImport | Plant::AcknowledgedIsCleared) | None => {
            store.look_at_due(circumstances, max)
        }
    }
}

/// Looks, and leaves to the next step what is to be written then.
fn look_in_two(worker: &mut Worker, world: &World, circumstances: &Circumstances, max: u32) -> u32 {
    let store = &world.store;
    let found = store.tables().cases.to_look_at(circumstances.version, world.now(), max as usize);
    let mut later = Vec::new();
    for id in &found {
        let mut tables = store.tables();
        let seen = store.look_at_one(&tables, id, circumstances);
        let (now, then) = match worker.plant {
            Some(Plant::ToldBeforeWritten) => {
                let told = Seen { alerts: Vec::new(), look_at: Some(world.now()), ..seen.clone() };
                let (journal, events, notices) = (Vec::new(), Vec::new(), Vec::new());
                (Some(told), Seen { journal, world: events, notices, ..seen })
            }
            Some(Plant::NoticesAfterwards) => {
                let notices = Seen { notices: seen.notices.clone(), look_at: seen.look_at, ..Seen::default() };
                (Some(Seen { notices: Vec::new(), ..seen }), notices)
            }
            Some(Plant::AgainAfterUnknown) if world.chances.store_fault > 0 => (Some(seen.clone()), seen),
            Some(Plant::AgainAfterUnknown) => (Some(seen), Seen::default()),
            _ => (None, seen),
        };
        if let Some(now) = now {
            store.write_seen(&mut tables, id, now, circumstances.version);
        }
        later.push((id.clone(), then));
    }
    if worker.plant != Some(Plant::AgainAfterUnknown) || world.chances.store_fault > 0 {
        worker.stage = Stage::Seen(later);
    }
    u32::try_from(found.len()).unwrap_or(u32::MAX)
}

/// The second half.
pub(super) fn writes(worker: &Worker, world: &mut World, seen: Vec<(ApplicationId, Seen)>) {
    let again = worker.plant == Some(Plant::AgainAfterUnknown);
    if again && !world.strikes(world.chances.store_fault) {
        return;
    }
    for (id, seen) in seen {
        let version = world.store.tables().cases.version;
        let store = world.store.clone();
        let mut tables = store.tables();
        store.write_seen(&mut tables, &id, seen, version);
    }
    auditor::audit(world);
}
