//! Case files, looked at as the real stores do.

use super::{MemoryStore, Tables};
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use zhida_config::Calendar;
use zhida_core::calendars;
use zhida_core::case_file::{CaseEvent, CaseNote, ClockState, PayoutFacts, policy_named};
use zhida_core::contacts::Contacts;
use zhida_core::ids::{ApplicationId, OrderId, PolicyId};
use zhida_core::notice::{Audience, NoticeRequest};
use zhida_core::organisation::Organisation;
use zhida_core::payout::{Payout, PayoutState};
use zhida_core::ports::cases::{AlertFilter, CaseStore, CaseView};
use zhida_core::ports::store::{Figures, StoreError, Which};
use zhida_core::steps::{Arrival, Changes};
use zhida_core::supervision::{Alert, Case, District, Order, RULES_SUBJECT, Seen, look};
use zhida_core::working_time::WorkingTime;

/// What is stored of reviews.
#[derive(Clone, Debug, Default)]
pub struct CaseTables {
    /// Events by source and id, each with its application.
    pub events: BTreeMap<(String, String), (ApplicationId, CaseEvent)>,
    /// Applications that changed.
    pub marks: BTreeSet<ApplicationId>,
    /// When each is to be looked at.
    pub look_at: BTreeMap<ApplicationId, Option<Timestamp>>,
    /// Those that are not at rest, with the version of the circumstances of their last look.
    pub looked_by: BTreeMap<ApplicationId, u64>,
    /// How often the organisation or the calendar was changed.
    pub version: u64,
    /// The calendar in force when so many had been imported: reading one takes longer than looking at a case file.
    calendar: Option<(usize, Arc<Calendar>)>,
    /// Alerts by id.
    pub alerts: BTreeMap<String, Alert>,
    /// Supervision orders.
    pub orders: BTreeMap<OrderId, Order>,
    /// How enterprises of applications are reached.
    pub contacts: BTreeMap<ApplicationId, Contacts>,
}

/// The organisation and the calendar as of one moment.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// Who is told.
    pub organisation: Organisation,
    /// Working days and hours.
    pub time: WorkingTime,
    /// How often they had been changed by then.
    pub version: u64,
}

/// The three transactions of [`CaseStore::look_at_cases`], one by one, for whoever wants something to happen between them.
impl MemoryStore {
    /// What is marked becomes due.
    pub fn take_up_marks(&self) {
        let mut tables = self.tables();
        let now = self.clock();
        for id in std::mem::take(&mut tables.cases.marks) {
            let at = tables.cases.look_at.entry(id).or_default();
            *at = Some(at.map_or(now, |at| at.min(now)));
        }
    }

    /// What a look needs beside the case.
    ///
    /// # Errors
    /// A calendar cannot be read.
    pub fn circumstances(&self) -> Result<Circumstances, StoreError> {
        let mut tables = self.tables();
        let circumstances = self.circumstances_of(&tables)?;
        tables.cases.calendar = Some((tables.calendars.len(), circumstances.time.calendar.clone()));
        Ok(circumstances)
    }

    /// Looks at what is due, and behind it at what was last looked at under other circumstances; at nothing (none) when these
    /// are not the present ones.
    #[must_use]
    pub fn look_at_due(&self, circumstances: &Circumstances, max: u32) -> Option<u32> {
        let mut tables = self.tables();
        if circumstances.version != tables.cases.version {
            return None;
        }
        let found = tables.cases.to_look_at(circumstances.version, self.clock(), max as usize);
        for id in &found {
            let seen = self.look_at_one(&tables, id, circumstances);
            self.write_seen(&mut tables, id, seen, circumstances.version);
        }
        Some(u32::try_from(found.len()).unwrap_or(u32::MAX))
    }

    /// What a look at an application sees now.
    #[must_use]
    pub fn look_at_one(&self, tables: &Tables, id: &ApplicationId, circumstances: &Circumstances) -> Seen {
        let rules = &self.protocol.rules.supervision;
        let Circumstances { organisation, time, version: _ } = circumstances;
        look(id, tables.case(id), District { rules, organisation, time, now: self.clock() })
    }

    /// Writes what a look has seen.
    pub fn write_seen(&self, tables: &mut Tables, id: &ApplicationId, seen: Seen, version: u64) {
        tables.cases.look_at.insert(id.clone(), seen.look_at);
        if seen.is_at_rest() {
            tables.cases.looked_by.remove(id);
        } else {
            tables.cases.looked_by.insert(id.clone(), version);
        }
        tables.cases.alerts.extend(seen.alerts.into_iter().map(|alert| (alert.id.clone(), alert)));
        let Seen { journal, world, notices, .. } = seen;
        self.write(tables, Changes { journal, world, notices, ..Changes::default() });
    }

    fn circumstances_of(&self, tables: &Tables) -> Result<Circumstances, StoreError> {
        let (organisation, version) = (tables.organisation.clone(), tables.cases.version);
        Ok(Circumstances { organisation, time: self.working_time(tables)?, version })
    }
}

impl CaseTables {
    /// What is due, and behind it what was last looked at under other circumstances.
    #[must_use]
    pub fn to_look_at(&self, version: u64, now: Timestamp, max: usize) -> Vec<ApplicationId> {
        let due = |id: &ApplicationId| self.look_at.get(id).copied().flatten().filter(|at| *at <= now);
        let mut found: Vec<_> = self.look_at.keys().filter_map(|id| Some((due(id)?, id))).collect();
        found.sort();
        let old = self.looked_by.iter().filter(|(id, by)| **by < version && due(id).is_none()).map(|(id, _)| id);
        found.into_iter().map(|(_, id)| id).chain(old).take(max).cloned().collect()
    }
}

#[async_trait]
impl CaseStore for MemoryStore {
    async fn note_rules(&self) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let rules = &self.protocol.rules;
        let row = rules.supervision.journal_row(&rules.zone);
        let last = tables.journal.iter().rev().find(|one| one.subject == RULES_SUBJECT && one.kind == row.kind);
        if last.is_none_or(|last| last.detail != row.detail) {
            tables.cases.version += 1;
            self.write(&mut tables, Changes { journal: vec![row], ..Changes::default() });
        }
        Ok(())
    }

    async fn look_at_cases(&self, max: u32) -> Result<u32, StoreError> {
        self.take_up_marks();
        loop {
            if let Some(looked) = self.look_at_due(&self.circumstances()?, max) {
                return Ok(looked);
            }
        }
    }

    async fn case(&self, id: &ApplicationId) -> Result<Option<CaseView>, StoreError> {
        let tables = self.tables();
        let case = tables.case(id);
        if case.events.is_empty() && case.payouts.is_empty() && case.orders.is_empty() {
            return Ok(None);
        }
        let circumstances = self.circumstances_of(&tables)?;
        let seen = self.look_at_one(&tables, id, &circumstances);
        let calendar_version = circumstances.time.calendar.version().to_owned();
        let (mut events, mut alerts) = (case.events, case.alerts);
        events.sort_by_key(|event| event.at);
        alerts.sort_by_key(|alert| (alert.raised.first().map(|rung| rung.raised_at), alert.id.clone()));
        let (file, clocks, now) = (seen.file, seen.clocks, self.clock());
        Ok(Some(CaseView { file, clocks, events, alerts, calendar_version, now }))
    }

    async fn alerts(&self, filter: &AlertFilter) -> Result<Vec<Alert>, StoreError> {
        let tables = self.tables();
        let of_department = |one: &&Alert| filter.department_id.is_none() || one.department_id == filter.department_id;
        let mut found: Vec<Alert> = tables.cases.alerts.values().filter(of_department).cloned().collect();
        let raised = |one: &Alert| one.raised.first().map(|rung| rung.raised_at);
        match filter.which {
            Which::Open => {
                found.retain(|one| one.cleared.is_none());
                found.sort_by_key(|one| (one.deadline, one.id.clone()));
            }
            Which::All => found.sort_by_key(|one| std::cmp::Reverse((raised(one), one.id.clone()))),
        }
        found.truncate(filter.limit as usize);
        Ok(found)
    }

    async fn alert(&self, id: &str) -> Result<Option<Alert>, StoreError> {
        Ok(self.tables().cases.alerts.get(id).cloned())
    }
}

impl MemoryStore {
    pub(super) fn see(&self, tables: &Tables, id: &ApplicationId) -> Result<Seen, StoreError> {
        Ok(self.look_at_one(tables, id, &self.circumstances_of(tables)?))
    }

    pub(super) fn count_cases(&self, tables: &Tables, figures: &mut Figures) -> Result<(), StoreError> {
        let circumstances = self.circumstances_of(tables)?;
        let counted = |state: ClockState| state.is_open() && state != ClockState::Running;
        for id in tables.cases.look_at.keys() {
            let seen = self.look_at_one(tables, id, &circumstances);
            for row in seen.clocks.iter().filter(|row| counted(row.state)) {
                *figures.clocks_by_state.entry(row.state.code().to_owned()).or_default() += 1;
            }
        }
        for alert in tables.cases.alerts.values().filter(|one| one.cleared.is_none()) {
            let (yellow, red) = &mut figures.alerts_open;
            *(if alert.is_red() { red } else { yellow }) += 1;
        }
        for pattern in tables.patterns.patterns.values() {
            *figures.patterns_by_state.entry(pattern.state.code().to_owned()).or_default() += 1;
        }
        let now = self.clock();
        figures.oldest_case_due = tables.cases.look_at.values().flatten().filter(|at| **at <= now).min().copied();
        if figures.oldest_case_due.is_none() && !tables.cases.marks.is_empty() {
            figures.oldest_case_due = Some(now);
        }
        Ok(())
    }

    pub(super) fn working_time(&self, tables: &Tables) -> Result<WorkingTime, StoreError> {
        let calendar = match &tables.cases.calendar {
            Some((count, calendar)) if *count == tables.calendars.len() => calendar.clone(),
            Some(_) | None => in_force(tables)?,
        };
        let rules = &self.protocol.rules;
        let hours = rules.supervision.hours.clone();
        Ok(WorkingTime { calendar, zone: rules.zone.clone(), hours })
    }
}

fn in_force(tables: &Tables) -> Result<Arc<Calendar>, StoreError> {
    let calendar = calendars::in_force(&tables.calendars)
        .map_err(|error| StoreError::Corrupt { place: "calendars".to_owned(), what: error.to_string() })?;
    Ok(Arc::new(calendar))
}

impl Tables {
    pub(super) fn case(&self, id: &ApplicationId) -> Case {
        let events: Vec<CaseEvent> =
            self.cases.events.values().filter(|(of, _)| of == id).map(|(_, event)| event.clone()).collect();
        let policy = policy_named(&events).and_then(|id| self.policies.get(id));
        Case {
            policy: policy.map(|policy| (policy.department_id.clone(), policy.review.clone())),
            events,
            payouts: self.payouts.values().filter(|one| one.key.application_id == *id).map(PayoutFacts::of).collect(),
            orders: self.cases.orders.values().filter(|one| one.matter() == *id).cloned().collect(),
            alerts: self.cases.alerts.values().filter(|one| one.application_id == *id).cloned().collect(),
        }
    }

    pub(super) fn note_case(&mut self, arrival: &Arrival, now: Timestamp) {
        let Some(CaseNote { application_id, at, said }) = &arrival.case else { return };
        let (source, event_id) = (arrival.source.clone(), arrival.event_id.clone());
        let event = CaseEvent {
            source: source.clone(),
            event_id: event_id.clone(),
            at: *at,
            received_at: now,
            said: said.clone(),
        };
        self.cases.events.insert((source, event_id), (application_id.clone(), event));
        self.cases.marks.insert(application_id.clone());
        if let Some(contacts) = arrival.contacts.clone() {
            let has_address = contacts.has_address();
            let together = match self.cases.contacts.remove(application_id) {
                Some(before) => before.together(contacts),
                None => contacts,
            };
            self.cases.contacts.insert(application_id.clone(), together);
            let concerned = |request: &NoticeRequest| has_address && request.application_id == *application_id;
            self.noticing.look_again(Audience::Enterprise, concerned, now);
        }
    }

    /// What runs under these policies, or under none that is known, is looked at anew.
    pub(super) fn mark_cases(&mut self, concerned: impl Fn(Option<&PolicyId>) -> bool) {
        let open: Vec<ApplicationId> = self.cases.looked_by.keys().cloned().collect();
        for id in open {
            if concerned(policy_named(&self.case(&id).events)) {
                self.cases.marks.insert(id);
            }
        }
    }

    pub(super) fn note_change(&mut self, payout: &Payout) {
        let before = self.payouts.get(&payout.key).map(Payout::state);
        if before != Some(payout.state()) || payout.state() == PayoutState::Settled {
            self.cases.marks.insert(payout.key.application_id.clone());
        }
    }
}
