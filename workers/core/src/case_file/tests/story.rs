//! Tells the events of one application in local time, and asks its case file.

use crate::case_file::{
    Actor, CaseEvent, CaseFile, Clock, ClockState, Counting, FindingCode, PayoutFacts, Reading, Said, Terms,
};
use crate::ids::PolicyId;
use crate::money::Fen;
use crate::working_time::WorkingTime;
use crate::working_time::tests::{china, local};
use jiff::SignedDuration;
use jiff::civil::DateTime;
use std::collections::BTreeMap;
use std::sync::Arc;
use zhida_config::calendar::Calendar;
use zhida_schemas::review::{Decision, PauseReason, Stage};

#[derive(Clone)]
pub(crate) struct Story {
    events: Vec<CaseEvent>,
    payouts: Vec<PayoutFacts>,
    time: WorkingTime,
    joint: Vec<String>,
}

pub(crate) fn counting() -> Counting {
    Counting { pause_max_working_days: 20, due_soon_working_days: 1, due_soon_part: (2, 3) }
}

fn terms() -> Terms {
    Terms {
        department_id: Some("D1".to_owned()),
        joint_department_ids: Vec::new(),
        acceptance_working_days: 1,
        supplement_working_days: 5,
        review_working_days: 3,
        legal_working_days: Some(20),
        steps: BTreeMap::from([(Stage::First, 1)]),
        step_working_days: 1,
    }
}

fn by(department: &str) -> Actor {
    Actor { department_id: department.to_owned(), officer_id: format!("O-{department}") }
}

fn stage(name: &str) -> Stage {
    serde_json::from_value(name.into()).unwrap()
}

impl Story {
    pub(crate) fn begins() -> Self {
        Self { events: Vec::new(), payouts: Vec::new(), time: china(), joint: Vec::new() }
    }

    /// Told by one event.
    pub(crate) fn of(event: CaseEvent) -> Self {
        Self { events: vec![event], ..Self::begins() }
    }

    fn says(mut self, at: &str, said: Said) -> Self {
        let at = local(at);
        let event_id = format!("e-{}", self.events.len());
        self.events.push(CaseEvent { source: "/review".to_owned(), event_id, at, received_at: at, said });
        self
    }

    pub(crate) fn submitted(self, at: &str) -> Self {
        self.says(at, Said::Submitted { policy_id: PolicyId::from("P-1"), uscc: "U".to_owned(), mode: None })
    }

    pub(crate) fn accepted(self, at: &str, department: &str) -> Self {
        self.says(at, Said::Accepted(by(department)))
    }

    pub(crate) fn assigned(self, at: &str, name: &str, department: &str) -> Self {
        self.says(at, Said::Assigned { to: by(department), stage: stage(name), due_working_days: None })
    }

    pub(crate) fn handed_to(self, at: &str, name: &str, department: &str, officer: &str) -> Self {
        let to = Actor { officer_id: officer.to_owned(), ..by(department) };
        self.says(at, Said::Assigned { to, stage: stage(name), due_working_days: None })
    }

    pub(crate) fn assigned_for(self, at: &str, name: &str, department: &str, days: u16) -> Self {
        self.says(at, Said::Assigned { to: by(department), stage: stage(name), due_working_days: Some(days) })
    }

    pub(crate) fn decided(self, at: &str, name: &str, department: &str, decision: &str) -> Self {
        let decision: Decision = serde_json::from_value(decision.into()).unwrap();
        let (by, stage) = (by(department), stage(name));
        self.says(at, Said::Decided { by, stage, decision, reason: None, return_to: None })
    }

    pub(crate) fn returned(self, at: &str, name: &str, from: &str, to: &str) -> Self {
        let (by, stage) = (by(from), stage(name));
        let return_to = Some(to.to_owned());
        self.says(at, Said::Decided { by, stage, decision: Decision::Return, reason: None, return_to })
    }

    pub(crate) fn supplement_requested(self, at: &str, department: &str) -> Self {
        self.says(at, Said::SupplementRequested { by: by(department), items: vec!["x".to_owned()], due_at: None })
    }

    pub(crate) fn supplement_received(self, at: &str) -> Self {
        self.says(at, Said::SupplementReceived)
    }

    pub(crate) fn paused(self, at: &str, department: Option<&str>) -> Self {
        let department_id = department.map(str::to_owned);
        let (reason, evidence) = (PauseReason::Hearing, "minutes".to_owned());
        self.says(at, Said::Paused { reason, evidence, by: "O-1".to_owned(), department_id })
    }

    pub(crate) fn resumed(self, at: &str, department: Option<&str>) -> Self {
        self.says(at, Said::Resumed { by: "O-1".to_owned(), department_id: department.map(str::to_owned) })
    }

    pub(crate) fn publicity_started(self, at: &str) -> Self {
        let ends_at = local(at);
        self.says(at, Said::PublicityStarted { ends_at })
    }

    pub(crate) fn publicity_ended(self, at: &str) -> Self {
        self.says(at, Said::PublicityEnded)
    }

    pub(crate) fn approved(self, at: &str) -> Self {
        let (policy_id, uscc) = (PolicyId::from("P-1"), "U".to_owned());
        self.says(at, Said::Approved { policy_id, uscc, tranche: 1, amount: Fen(100), approvals: vec![] })
    }

    pub(crate) fn rejected(self, at: &str) -> Self {
        self.says(at, Said::Rejected { by: "O-1".to_owned(), reason: "x".to_owned() })
    }

    pub(crate) fn withdrawn(self, at: &str) -> Self {
        self.says(at, Said::Withdrawn { by: "U".to_owned(), reason: "x".to_owned() })
    }

    pub(crate) fn payout(mut self, approved_at: &str) -> Self {
        let approved_at = local(approved_at);
        self.payouts.push(PayoutFacts {
            tranche: 1,
            approved_at,
            received_at: approved_at,
            due_at: approved_at + SignedDuration::from_hours(24),
            credited_at: None,
            waits_for_enterprise: Vec::new(),
            cancelled_at: None,
        });
        self
    }

    pub(crate) fn credited(mut self, at: &str) -> Self {
        self.payouts[0].credited_at = Some(local(at));
        self
    }

    pub(crate) fn waited_for_enterprise(mut self, since: &str, until: &str) -> Self {
        self.payouts[0].waits_for_enterprise.push((local(since), Some(local(until))));
        self
    }

    pub(crate) fn waits_for_enterprise(mut self, since: &str) -> Self {
        self.payouts[0].waits_for_enterprise.push((local(since), None));
        self
    }

    /// The policy names departments that review together.
    pub(crate) fn joint_with<const N: usize>(mut self, departments: [&str; N]) -> Self {
        self.joint = departments.map(str::to_owned).into();
        self
    }

    /// The calendar is amended.
    pub(crate) fn calendar(mut self, text: &str) -> Self {
        let calendar = Calendar::clone(&self.time.calendar).amended_by(Calendar::parse(text).unwrap());
        self.time.calendar = Arc::new(calendar);
        self
    }

    /// The same events in another order, some of them twice.
    pub(crate) fn shuffled(&self, seed: u64) -> Self {
        let mut state = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let mut events = self.events.clone();
        let twice = events[next(events.len())].clone();
        events.push(twice);
        for place in (1..events.len()).rev() {
            events.swap(place, next(place + 1));
        }
        Self { events, ..self.clone() }
    }

    /// Everything heard of so far came in at this moment.
    pub(crate) fn heard_at(mut self, at: &str) -> Self {
        self.events.iter_mut().for_each(|event| event.received_at = local(at));
        self
    }

    /// The last event came in at this moment.
    pub(crate) fn last_heard_at(mut self, at: &str) -> Self {
        self.events.last_mut().unwrap().received_at = local(at);
        self
    }

    pub(crate) fn events(&self) -> Vec<CaseEvent> {
        self.events.clone()
    }

    pub(crate) fn payouts(&self) -> Vec<PayoutFacts> {
        self.payouts.clone()
    }

    pub(crate) fn time(&self) -> &WorkingTime {
        &self.time
    }

    pub(crate) fn file(&self) -> CaseFile {
        CaseFile::of(&self.events, &self.payouts, &Terms { joint_department_ids: self.joint.clone(), ..terms() })
    }

    pub(crate) fn findings(&self) -> Vec<FindingCode> {
        self.file().findings.iter().map(|one| one.code).collect()
    }

    pub(crate) fn clocks_at(&self, now: &str) -> Vec<(String, ClockState, String)> {
        let now = local(now);
        let seen = |clock: &Clock| {
            let reading = clock.read(&self.time, &counting());
            (clock.id.to_string(), clock.state(&reading, now), self.local(&reading))
        };
        self.file().clocks.iter().map(seen).collect()
    }

    pub(crate) fn state_at(&self, clock: &str, now: &str) -> ClockState {
        self.clocks_at(now).into_iter().find(|(id, ..)| id == clock).unwrap().1
    }

    pub(crate) fn deadline(&self, clock: &str) -> String {
        self.local(&self.reading(clock))
    }

    pub(crate) fn reading(&self, clock: &str) -> Reading {
        let file = self.file();
        let found = file.clocks.iter().find(|one| one.id.to_string() == clock);
        found.unwrap().read(&self.time, &counting())
    }

    fn local(&self, reading: &Reading) -> String {
        let local: DateTime = self.time.zone.to_datetime(reading.deadline);
        local.strftime("%Y-%m-%dT%H:%M").to_string()
    }
}
