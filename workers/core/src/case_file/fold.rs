//! From the events of an application to its case file: sorted by the time at which they happened and applied one after the
//! other. The order in which they came in does not matter, nor how often; what does not fit becomes a finding.

use super::clock::{Clock, ClockEvent, ClockId, ClockKind, Ending, Misfit, Term};
use super::event::{Actor, CaseEvent, Said};
use super::finding::{Finding, FindingCode};
use super::pause::{Pause, PauseCause, Resumption};
use super::{CaseFile, Standing, Terms};
use jiff::Timestamp;
use std::collections::BTreeSet;
use zhida_schemas::review::{Decision, PauseReason, Stage};

/// No step takes longer than the policy file lets a step take, whatever its assignment says.
const STEP_MAX_WORKING_DAYS: u16 = 250;

/// A case file in the making.
pub(super) struct Fold<'a> {
    pub(super) terms: &'a Terms,
    pub(super) file: CaseFile,
    /// Pauses in force, which clocks that begin now inherit.
    pub(super) pauses: Vec<Pause>,
    /// Steps that a department got back, by place: whatever stage it goes on with, these are meant.
    sent_back: BTreeSet<usize>,
    /// When the event at hand happened.
    at: Timestamp,
    /// When it came in.
    heard_at: Timestamp,
}

impl<'a> Fold<'a> {
    pub(super) fn new(terms: &'a Terms) -> Self {
        Self {
            terms,
            file: CaseFile::default(),
            pauses: Vec::new(),
            sent_back: BTreeSet::new(),
            at: Timestamp::MIN,
            heard_at: Timestamp::MIN,
        }
    }

    pub(super) fn apply(&mut self, event: &CaseEvent) {
        self.at = event.at;
        self.heard_at = event.received_at;
        if self.file.standing == Standing::NotSeen && !matches!(event.said, Said::Submitted { .. }) {
            self.file.standing = Standing::InReview;
            self.find(FindingCode::NotSubmitted, "");
        }
        match &event.said {
            Said::Submitted { policy_id, uscc, .. } => self.submitted(policy_id, uscc),
            Said::Accepted(by) => self.accepted(by),
            Said::Declined { by, .. } => {
                self.accepted(by);
                self.over(Standing::Declined, Ending::Met);
            }
            Said::SupplementRequested { by, due_at, .. } => self.supplement_requested(by, *due_at),
            Said::SupplementReceived => self.supplement_received(),
            Said::Assigned { to, stage, due_working_days } => self.assigned(to, *stage, *due_working_days),
            Said::Decided { by, stage, decision, return_to, .. } => {
                self.decided(by, *stage, *decision, return_to.as_deref());
            }
            Said::Paused { reason, evidence, by, department_id } => {
                let cause = PauseCause::Review { reason: *reason, department: department_id.clone() };
                self.pause(cause, by, Some(evidence.clone()));
            }
            Said::Resumed { department_id, .. } => {
                self.resume(PauseCause::Review { reason: PauseReason::Other, department: department_id.clone() });
            }
            Said::PublicityStarted { .. } => self.pause(PauseCause::Publicity, "", None),
            Said::PublicityObjected => {
                if !self.pauses.iter().any(|one| one.cause == PauseCause::Publicity) {
                    self.find(FindingCode::NoPublicity, "objection");
                }
            }
            Said::PublicityEnded => self.resume(PauseCause::Publicity),
            Said::Approved { policy_id, uscc, .. } => self.approved(policy_id, uscc),
            Said::Rejected { .. } => self.over(Standing::Rejected, Ending::Met),
            Said::Withdrawn { .. } => self.over(Standing::Withdrawn, Ending::Void),
            Said::Revoked { .. } => self.revoked(),
        }
    }

    fn submitted(&mut self, policy_id: &crate::ids::PolicyId, uscc: &str) {
        if self.file.submitted_at.is_some() {
            return self.find(FindingCode::SubmittedTwice, "");
        }
        self.file.submitted_at = Some(self.at);
        self.file.policy_id.get_or_insert_with(|| policy_id.clone());
        self.file.uscc.get_or_insert_with(|| uscc.to_owned());
        self.file.findings.retain(|finding| finding.code != FindingCode::NotSubmitted);
        let mut clocks = vec![(ClockKind::Review, self.terms.review_working_days)];
        clocks.extend(self.terms.legal_working_days.map(|days| (ClockKind::Legal, days)));
        match self.file.standing {
            Standing::NotSeen => {
                self.file.standing = Standing::Submitted;
                clocks.insert(0, (ClockKind::Acceptance, self.terms.acceptance_working_days));
            }
            // Clocks of two systems differ by seconds: the review is watched all the same.
            Standing::Submitted | Standing::InReview => self.find(FindingCode::BeforeSubmission, ""),
            Standing::Approved | Standing::Declined | Standing::Rejected | Standing::Withdrawn | Standing::Revoked => {
                return self.find(FindingCode::BeforeSubmission, "");
            }
        }
        let department = self.terms.department_id.clone();
        for (kind, days) in clocks {
            let id = ClockId { kind, stage: None, department: None, number: 1 };
            self.start(Clock {
                department: department.clone(),
                ..Clock::start(id, self.at, self.heard_at, Term::WorkingDays(days))
            });
        }
    }

    fn accepted(&mut self, by: &Actor) {
        if self.is_over() {
            return self.find(FindingCode::AfterEnd, "acceptance");
        }
        let seen = self.file.accepted_at.replace(self.at).is_some();
        if seen {
            self.find(FindingCode::AcceptedTwice, &by.department_id);
        }
        self.file.standing = Standing::InReview;
        self.end(ClockKind::Acceptance, Ending::Met);
        self.sits_with(by);
    }

    fn assigned(&mut self, to: &Actor, stage: Stage, due_working_days: Option<u16>) {
        if self.is_over() {
            return self.find(FindingCode::AfterEnd, stage.code());
        }
        self.begun();
        self.sits_with(to);
        let due_working_days = self.allowed(stage, due_working_days, &to.department_id);
        if let Some(clock) = self.open_step(stage, &to.department_id) {
            let same = clock.officer.as_ref() == Some(&to.officer_id);
            // A step that was sent back has no officer until now: this is its assignment.
            if let (None, Some(days)) = (&clock.officer, due_working_days) {
                clock.term = Term::WorkingDays(days);
            }
            let _ = clock.on(ClockEvent::HandedTo(to.officer_id.clone()));
            if same {
                self.find(FindingCode::AssignedTwice, &step_name(stage, &to.department_id));
            }
            return;
        }
        self.start_step(stage, &to.department_id, Some(&to.officer_id), due_working_days);
    }

    /// The days that the assignment allows, as far as the policy lets it.
    fn allowed(&mut self, stage: Stage, due_working_days: Option<u16>, department: &str) -> Option<u16> {
        let asked = due_working_days?;
        let promised = self.terms.steps.get(&stage).copied();
        if promised.is_some_and(|promised| asked > promised) {
            self.find(FindingCode::TermExceedsPolicy, &step_name(stage, department));
        }
        Some(asked.min(promised.unwrap_or(STEP_MAX_WORKING_DAYS)))
    }

    fn decided(&mut self, by: &Actor, stage: Stage, decision: Decision, return_to: Option<&str>) {
        if self.is_over() {
            return self.find(FindingCode::AfterEnd, stage.code());
        }
        self.begun();
        let (at, heard_at) = (self.at, self.heard_at);
        let name = step_name(stage, &by.department_id);
        match self.open_step(stage, &by.department_id) {
            Some(clock) => {
                let officer = clock.officer.clone();
                let _ = clock.on(ClockEvent::Ended(at, Ending::Met));
                clock.end_heard_at = Some(heard_at);
                if officer.is_some_and(|officer| officer != by.officer_id) {
                    self.find(FindingCode::DecidedByAnother, &name);
                }
            }
            None => self.find(FindingCode::DecidedWithoutAssignment, &name),
        }
        match (decision, return_to) {
            (Decision::Return, Some(department)) => {
                self.file.returns += 1;
                // From now on it lies there, whether or not somebody has been given it, in the stage that department had.
                let of_department = |one: &&Clock| one.id.department.as_deref() == Some(department);
                let had = self.file.clocks.iter().rev().find(of_department).and_then(|one| one.id.stage);
                let stage = had.unwrap_or(stage);
                if self.open_step(stage, department).is_none() {
                    self.start_step(stage, department, None, None);
                    self.sent_back.insert(self.file.clocks.len() - 1);
                }
            }
            (Decision::Return, None) => self.file.returns += 1,
            (Decision::Approve | Decision::Reject, _) => {}
        }
    }

    fn supplement_requested(&mut self, by: &Actor, due_at: Option<Timestamp>) {
        if self.is_over() {
            return self.find(FindingCode::AfterEnd, "supplement");
        }
        self.file.supplements += 1;
        if self.file.supplements > 1 {
            self.find(FindingCode::SupplementTwice, &by.department_id);
        }
        let number = self.file.supplements;
        let term = due_at.map_or(Term::WorkingDays(self.terms.supplement_working_days), Term::Until);
        let id = ClockId { kind: ClockKind::Supplement, stage: None, department: None, number };
        let clock =
            Clock { department: Some(by.department_id.clone()), ..Clock::start(id, self.at, self.heard_at, term) };
        self.start(Clock { officer: Some(by.officer_id.clone()), ..clock });
        if self.pauses.iter().any(|one| one.cause == PauseCause::Supplement) {
            return; // Still waiting for what was asked for before: the clocks stand still already.
        }
        self.pause(PauseCause::Supplement, &by.officer_id, None);
    }

    fn supplement_received(&mut self) {
        if self.end(ClockKind::Supplement, Ending::Met) == 0 {
            return self.find(FindingCode::SupplementUnasked, "");
        }
        self.resume(PauseCause::Supplement);
    }

    fn approved(&mut self, policy_id: &crate::ids::PolicyId, uscc: &str) {
        let differs = |known: Option<&str>, now: &str| known.is_some_and(|known| known != now);
        if differs(self.file.policy_id.as_ref().map(crate::ids::PolicyId::as_str), policy_id.as_str())
            || differs(self.file.uscc.as_deref(), uscc)
        {
            self.find(FindingCode::ApprovalDiffers, "");
        }
        self.file.policy_id.get_or_insert_with(|| policy_id.clone());
        self.file.uscc.get_or_insert_with(|| uscc.to_owned());
        // One more tranche of what was approved decides nothing anew.
        if self.file.standing != Standing::Approved {
            self.over(Standing::Approved, Ending::Met);
        }
    }

    fn revoked(&mut self) {
        match self.file.standing {
            Standing::Approved => self.file.standing = Standing::Revoked,
            Standing::NotSeen
            | Standing::Submitted
            | Standing::InReview
            | Standing::Declined
            | Standing::Rejected
            | Standing::Withdrawn
            | Standing::Revoked => self.over(Standing::Revoked, Ending::Void),
        }
    }

    /// The application is decided, or gone. `ending` is that of the clocks that measure the whole.
    fn over(&mut self, standing: Standing, ending: Ending) {
        if self.is_over() {
            // Withdrawn after its approval is no contradiction, nor rejected after all; approved after that is one.
            let after_approval = self.file.standing == Standing::Approved && standing != Standing::Approved;
            if after_approval {
                self.file.standing = standing;
            } else {
                self.find(FindingCode::EndedTwice, "");
            }
            return;
        }
        self.file.standing = standing;
        self.file.decided_at = Some(self.at);
        for kind in [ClockKind::Review, ClockKind::Legal] {
            self.end(kind, ending);
        }
        let overtaken = self.end(ClockKind::Step, Ending::Void) > 0;
        if overtaken && ending == Ending::Met {
            self.find(FindingCode::StepOvertaken, "");
        }
        self.end(ClockKind::Acceptance, ending);
        self.end(ClockKind::Supplement, Ending::Void);
        self.pauses.clear();
    }

    // ── clocks ──

    fn start_step(&mut self, stage: Stage, department: &str, officer: Option<&str>, due_working_days: Option<u16>) {
        let of_step = |one: &&Clock| one.id.stage == Some(stage) && one.id.department.as_deref() == Some(department);
        let number = self.file.clocks.iter().filter(of_step).count() as u32 + 1;
        let days = due_working_days.unwrap_or_else(|| self.terms.step(stage));
        let department = Some(department.to_owned());
        let id = ClockId { kind: ClockKind::Step, stage: Some(stage), department: department.clone(), number };
        let clock = Clock { department, ..Clock::start(id, self.at, self.heard_at, Term::WorkingDays(days)) };
        self.start(Clock { officer: officer.map(str::to_owned), ..clock });
    }

    fn start(&mut self, mut clock: Clock) {
        let is_twin = |one: &&Clock| one.is_twin_of(&clock);
        clock.twins = self.file.clocks.iter().filter(is_twin).count() as u32;
        for pause in &self.pauses {
            if pause.cause.stops(&clock) {
                let _ = clock.on(ClockEvent::Paused(pause.clone()));
            }
        }
        self.file.clocks.push(clock);
    }

    /// The open step of that stage in that department, else the one that it got back.
    pub(super) fn open_step(&mut self, stage: Stage, department: &str) -> Option<&mut Clock> {
        let open = |one: &Clock| one.ended.is_none() && one.id.department.as_deref() == Some(department);
        let exact = self.file.clocks.iter().position(|one| open(one) && one.id.stage == Some(stage));
        let sent_back = || self.sent_back.iter().copied().find(|place| self.file.clocks.get(*place).is_some_and(open));
        let place = exact.or_else(sent_back)?;
        self.file.clocks.get_mut(place)
    }

    /// Ends the open clocks of a kind; says how many.
    fn end(&mut self, kind: ClockKind, ending: Ending) -> usize {
        let (at, heard_at) = (self.at, self.heard_at);
        let mut ended = 0;
        for clock in self.file.clocks.iter_mut().filter(|one| one.id.kind == kind && one.ended.is_none()) {
            ended += usize::from(clock.on(ClockEvent::Ended(at, ending)).is_ok());
            clock.end_heard_at = Some(heard_at);
        }
        ended
    }

    /// The review is under way: with or without an acceptance nobody waits for one any more.
    fn begun(&mut self) {
        if self.file.accepted_at.is_none() && self.end(ClockKind::Acceptance, Ending::Met) > 0 {
            self.find(FindingCode::NotAccepted, "");
        }
        self.file.standing = Standing::InReview;
    }

    /// The whole review lies with whoever was given it last.
    fn sits_with(&mut self, actor: &Actor) {
        let whole = |one: &&mut Clock| matches!(one.id.kind, ClockKind::Review | ClockKind::Legal);
        for clock in self.file.clocks.iter_mut().filter(whole).filter(|one| one.ended.is_none()) {
            clock.department = Some(actor.department_id.clone());
            clock.officer = Some(actor.officer_id.clone());
        }
    }

    fn pause(&mut self, cause: PauseCause, by: &str, evidence: Option<String>) {
        if self.is_over() {
            return self.find(FindingCode::AfterEnd, cause.title().1);
        }
        if self.pauses.iter().any(|one| one.cause == cause) {
            return self.find(FindingCode::PausedTwice, cause.title().1);
        }
        let pause = Pause { cause, by: by.to_owned(), evidence, from: self.at, heard_at: self.heard_at, to: None };
        for clock in self.file.clocks.iter_mut().filter(|clock| pause.cause.stops(clock)) {
            let _ = clock.on(ClockEvent::Paused(pause.clone()));
        }
        self.pauses.push(pause);
    }

    fn resume(&mut self, cause: PauseCause) {
        let resumption = Resumption { cause, at: self.at };
        let before = self.pauses.len();
        self.pauses.retain(|one| !resumption.ends(&one.cause));
        let mut resumed = before != self.pauses.len();
        for clock in &mut self.file.clocks {
            match clock.on(ClockEvent::Resumed(resumption.clone())) {
                Ok(()) => resumed = true,
                Err(Misfit::NotPaused | Misfit::Over | Misfit::PausedAlready) => {}
            }
        }
        if !resumed && !self.is_over() {
            let code = match resumption.cause {
                PauseCause::Publicity => FindingCode::NoPublicity,
                PauseCause::Supplement | PauseCause::Review { .. } | PauseCause::Enterprise => {
                    FindingCode::ResumedWithoutPause
                }
            };
            self.find(code, "");
        }
    }

    /// A joint review has begun, and a department that the policy names was given no step of it.
    pub(super) fn find_missing_departments(&mut self) {
        let joint = |one: &&Clock| one.id.stage == Some(Stage::Joint);
        let Some(began) = self.file.clocks.iter().filter(joint).map(|one| one.started_at).min() else { return };
        let has =
            |id: &&String| !self.file.clocks.iter().any(|one| joint(&one) && one.id.department.as_ref() == Some(id));
        let missing: Vec<String> = self.terms.joint_department_ids.iter().filter(has).cloned().collect();
        for about in missing {
            self.file.findings.push(Finding { at: began, code: FindingCode::JointDepartmentMissing, about });
        }
    }

    fn is_over(&self) -> bool {
        self.file.standing.is_over()
    }

    fn find(&mut self, code: FindingCode, about: &str) {
        self.file.findings.push(Finding { at: self.at, code, about: about.to_owned() });
    }
}

fn step_name(stage: Stage, department: &str) -> String {
    format!("{} {department}", stage.code())
}
