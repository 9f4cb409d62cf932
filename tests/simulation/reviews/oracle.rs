//! What must stand, counted over without the looks: from the clocks as they are read now and the ladder in force follows which
//! alerts are open and how far they have climbed; and an undisturbed district with the same inputs comes to the same.

use super::world::{Input, World};
use crate::history::at_once;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use zhida_core::case_file::{ClockKind, ClockState};
use zhida_core::ids::{ApplicationId, DepartmentId, InstructionId, OfficerId, PayoutKey};
use zhida_core::organisation::{Matter, Organisation};
use zhida_core::payout::{Carrier, Word};
use zhida_core::ports::cases::{CaseStore, CaseView};
use zhida_core::ports::store::{IntakeStore, PayoutStore, ReferenceStore};
use zhida_core::ports::supervision::OrganisationStore;
use zhida_core::supervision::{Alert, ClockRow, Level};
use zhida_core::working_time::WorkingTime;
use zhida_tests::memory_store::MemoryStore;

/// How far the oracle looks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Colours only: rungs may rest or wait still.
    Colours,
    /// Everything has had its time.
    Ladders,
}

fn view(store: &MemoryStore, id: &ApplicationId) -> Option<CaseView> {
    at_once(store.case(id)).expect("case files are readable")
}

/// The state of the clock on which an alert hangs; none when there is no such clock.
pub(super) fn state_of(world: &World, alert: &Alert) -> Option<ClockState> {
    let clocks = view(&world.store, &alert.application_id).map(|view| view.clocks).unwrap_or_default();
    clocks.iter().find(|row| row.clock.cause() == alert.cause).map(|row| row.state)
}

/// Everything that is wrong with what stands now.
pub(super) fn check(world: &mut World, depth: Depth) -> Vec<String> {
    let mut found = Vec::new();
    let (ids, organisation, time) = {
        let tables = world.store.tables();
        let ids: Vec<ApplicationId> = tables.cases.look_at.keys().cloned().collect();
        drop(tables);
        let circumstances = world.store.circumstances().expect("calendars are readable");
        (ids, circumstances.organisation, circumstances.time)
    };
    let replay = world.protocol.rules.supervision.replay_pause;
    let recounted = |input: &(Timestamp, Input)| matches!(input.1, Input::Calendar(_) | Input::Policies(1));
    let recounted = world.inputs.iter().any(recounted);
    for id in ids {
        let Some(view) = view(&world.store, &id) else { continue };
        for row in &view.clocks {
            let quiet_until = row.clock.heard_at + replay;
            let quiet = row.reading.deadline < row.clock.heard_at && world.now() < quiet_until;
            let alerts: Vec<&Alert> = view.alerts.iter().filter(|one| one.cause == row.clock.cause()).collect();
            let eye = Eye { organisation: &organisation, time: &time, now: view.now, depth };
            // What is at rest stays as it was found, whatever is imported afterwards.
            let settled = row.clock.ended.is_some() && recounted && world.is_at_rest(&id);
            if !quiet && !settled {
                found.extend(eye.wrong_with(row, &alerts).map(|what| format!("{id} {}: {what}", row.clock.id)));
            }
            if row.reading.provisional {
                world.saw("provisional");
            }
            let open = alerts.iter().any(|one| one.cleared.is_none());
            let what = if open { "open at the end" } else { "late and over" };
            if depth == Depth::Ladders && (open || row.state == ClockState::MetLate) {
                world.saw(what);
            }
        }
        for finding in &view.file.findings {
            world.saw(&format!("finding: {}", finding.code.code()));
        }
        let causes: BTreeSet<String> = view.clocks.iter().map(|row| row.clock.cause()).collect();
        let astray = view.alerts.iter().filter(|one| one.cleared.is_none() && !causes.contains(&one.cause));
        found.extend(astray.map(|one| format!("{id}: {} is open for {}, which is no clock", one.id, one.cause)));
    }
    found
}

struct Eye<'a> {
    organisation: &'a Organisation,
    time: &'a WorkingTime,
    now: Timestamp,
    depth: Depth,
}

impl Eye<'_> {
    fn wrong_with(&self, row: &ClockRow, alerts: &[&Alert]) -> Option<String> {
        let open: Vec<&&Alert> = alerts.iter().filter(|one| one.cleared.is_none()).collect();
        let levels = |alert: &Alert| alert.raised.iter().map(|rung| rung.level).collect::<Vec<_>>();
        match (row.state, open.as_slice()) {
            (ClockState::Running | ClockState::Paused | ClockState::Met | ClockState::Void, []) => None,
            (ClockState::MetLate, []) => {
                let told = alerts.iter().any(|one| one.is_red());
                (!told).then(|| "it ended late, and no alert tells of it".to_owned())
            }
            (ClockState::DueSoon, [alert]) if levels(alert) == [Level::DueSoon] => self.turn(row, alert),
            (ClockState::Overdue, [alert]) => {
                let (stands, least) = (levels(alert), self.least(row));
                if !stands.starts_with(&least) {
                    return Some(format!("{} stands at {stands:?}, at least {least:?} is due", alert.id));
                }
                self.turn(row, alert).or_else(|| self.somebody_waits(row, alert))
            }
            (state, open) => {
                let open: Vec<_> = open.iter().map(|one| (one.id.clone(), levels(one))).collect();
                Some(format!("its clock is {state:?} until {}, and open is {open:?}", row.reading.deadline))
            }
        }
    }

    /// What must have been raised by now.
    fn least(&self, row: &ClockRow) -> Vec<Level> {
        let deadline = row.reading.deadline;
        let mut levels = Vec::new();
        levels.extend((row.reading.due_soon_at < deadline).then_some(Level::DueSoon));
        levels.push(Level::Rung(0));
        if self.depth == Depth::Ladders && row.clock.id.kind != ClockKind::Supplement {
            let ladder = self.organisation.ladder_of(&department(row));
            for (place, rung) in ladder.rungs.iter().enumerate().skip(1) {
                if self.time.after_hours(deadline, rung.after_working_hours.into()).at <= self.now {
                    levels.push(Level::Rung(u16::try_from(place).unwrap_or(u16::MAX)));
                }
            }
        }
        levels
    }

    fn turn(&self, row: &ClockRow, alert: &Alert) -> Option<String> {
        let clock = &row.clock;
        let theirs = (alert.deadline, alert.clock.clone(), alert.department_id.clone(), alert.officer_id.clone());
        let department = clock.department.as_deref().map(DepartmentId::from);
        let officer = clock.officer.as_deref().map(OfficerId::from);
        let ours = (row.reading.deadline, clock.id.to_string(), department, officer);
        (theirs != ours).then(|| format!("{} says {theirs:?}, the clock {ours:?}", alert.id))
    }

    /// A rung that reached nobody although somebody stands there.
    fn somebody_waits(&self, row: &ClockRow, alert: &Alert) -> Option<String> {
        let (department, officer) = (department(row), row.clock.officer.as_deref().map(OfficerId::from));
        let matter = Matter { department_id: &department, officer_id: officer.as_ref() };
        let nobody = alert.raised.iter().filter(|rung| rung.told.is_empty() && rung.note.is_some());
        for rung in nobody {
            let place = match rung.level {
                Level::DueSoon => 0,
                Level::Rung(place) => usize::from(place),
            };
            let there = self.organisation.addressees(place, matter, self.time.day_of(self.now)).officers;
            if self.depth == Depth::Ladders && !there.is_empty() {
                return Some(format!(
                    "{} reached nobody at {}, and {} stands there",
                    alert.id, rung.level, there[0].id
                ));
            }
        }
        None
    }
}

fn department(row: &ClockRow) -> DepartmentId {
    DepartmentId::from(row.clock.department.as_deref().unwrap_or_default())
}

/// What an input does to a store.
pub(super) fn apply(world: &World, store: &MemoryStore, input: &Input) {
    let district = &world.district;
    match input {
        Input::Events(places) => {
            at_once(store.take_in(district.arrivals(places))).expect("the memory takes it in");
        }
        Input::Organisation(place) => {
            at_once(store.import_organisation(&district.organisations[*place], "sim")).expect("it is new");
        }
        Input::Calendar(place) => {
            at_once(store.import_calendar(&district.calendars[*place], "sim")).expect("it is new");
        }
        Input::Policies(place) => {
            let funds = std::slice::from_ref(&district.fund);
            at_once(store.import_policies(funds, &district.policies[*place], "sim")).expect("they are lawful");
        }
        Input::Credited(id) => {
            let key = PayoutKey { application_id: id.clone(), tranche: 1 };
            let instruction = InstructionId::derive(&world.protocol.rules.district, &key, 1);
            let word = Word::Settled { credited_at: Some(store.clock()), bank_reference: Some("R-1".to_owned()) };
            at_once(store.book_evidence(&[(instruction, word, Carrier::Statement)])).expect("evidence is booked");
        }
    }
}

/// What is open at the end, by application and cause, with how far it has climbed.
pub(super) type Open = BTreeMap<(ApplicationId, String), (Timestamp, Vec<Level>)>;

pub(super) fn open(store: &MemoryStore) -> Open {
    let tables = store.tables();
    let open = tables.cases.alerts.values().filter(|one| one.cleared.is_none());
    open.map(|one| {
        let levels = one.raised.iter().map(|rung| rung.level).collect();
        ((one.application_id.clone(), one.cause.clone()), (one.deadline, levels))
    })
    .collect()
}

/// The same inputs at the same moments, looked at whenever anything can have changed, by somebody whom nothing disturbs.
pub(super) fn undisturbed(world: &World) -> Open {
    let store = MemoryStore::new(world.protocol.clone(), world.district.start);
    let end = world.now();
    for (at, input) in &world.inputs {
        look_until(&store, *at);
        apply(world, &store, input);
    }
    look_until(&store, end);
    open(&store)
}

fn look_until(store: &MemoryStore, end: Timestamp) {
    loop {
        while at_once(store.look_at_cases(100)).expect("case files are readable") > 0 {}
        let next = store.tables().cases.look_at.values().flatten().min().copied();
        let Some(next) = next.filter(|next| *next < end) else { break };
        store.set_clock(next);
    }
    store.set_clock(end);
    while at_once(store.look_at_cases(100)).expect("case files are readable") > 0 {}
}
