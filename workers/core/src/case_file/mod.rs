//! The case file of an application: what its events, put in the order in which they happened, say of its review. It is derived as
//! a whole whenever an event comes in, so that late, repeated and missing events need no treatment of their own. Nothing here
//! reads a clock or a table; what rings when is decided in `supervision`.

mod clock;
mod count;
mod event;
mod finding;
mod fold;
mod moment;
mod pause;
#[cfg(test)]
pub(crate) mod tests;

pub use clock::{Clock, ClockEvent, ClockId, ClockKind, ClockState, Ending, Misfit, Term};
pub use count::{Counting, DayCounted, Reading, Verdict};
pub use event::{Actor, CaseEvent, CaseNote, Said};
pub use finding::{Finding, FindingCode};
pub use pause::{Pause, PauseCause, Resumption};

use crate::ids::PolicyId;
use crate::payout::{Payout, PayoutState};
use fold::Fold;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use zhida_schemas::review::Stage;

/// Where an application stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// No event of it is known.
    #[default]
    NotSeen,
    /// It waits to be accepted.
    Submitted,
    /// It is under review.
    InReview,
    /// It was approved.
    Approved,
    /// It was not accepted.
    Declined,
    /// It was rejected.
    Rejected,
    /// The enterprise withdrew it.
    Withdrawn,
    /// Its approval was revoked.
    Revoked,
}

impl Standing {
    /// Every standing.
    pub const ALL: [Self; 8] = [
        Self::NotSeen,
        Self::Submitted,
        Self::InReview,
        Self::Approved,
        Self::Declined,
        Self::Rejected,
        Self::Withdrawn,
        Self::Revoked,
    ];

    /// The name in tables and messages.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotSeen => "not_seen",
            Self::Submitted => "submitted",
            Self::InReview => "in_review",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Revoked => "revoked",
        }
    }

    /// Decided, or gone: no review is under way.
    #[must_use]
    pub fn is_over(self) -> bool {
        match self {
            Self::NotSeen | Self::Submitted | Self::InReview => false,
            Self::Approved | Self::Declined | Self::Rejected | Self::Withdrawn | Self::Revoked => true,
        }
    }
}

/// What a policy says of the review of its applications.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewTerms {
    /// Departments that review together with the policy's own.
    pub joint_department_ids: Vec<String>,
    /// Working days promised for the whole review.
    pub review_working_days: u16,
    /// Working days promised for single steps.
    pub step_working_days: BTreeMap<Stage, u16>,
    /// Working days that the law allows for the whole review.
    pub legal_working_days: Option<u16>,
}

impl Default for ReviewTerms {
    /// What the district promises where a policy says nothing: three working days from application to decision.
    fn default() -> Self {
        let (joint_department_ids, step_working_days) = (Vec::new(), BTreeMap::new());
        Self { joint_department_ids, review_working_days: 3, step_working_days, legal_working_days: None }
    }
}

/// How long things may take under a policy, in working days, and who answers for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The policy's department; none while the policy is unknown.
    pub department_id: Option<String>,
    /// Departments that review together with it.
    pub joint_department_ids: Vec<String>,
    /// From application to acceptance.
    pub acceptance_working_days: u16,
    /// For the enterprise to bring what is missing, where the request names no day.
    pub supplement_working_days: u16,
    /// For the whole review, as promised.
    pub review_working_days: u16,
    /// For the whole review, by law.
    pub legal_working_days: Option<u16>,
    /// For single steps, as promised by the policy.
    pub steps: BTreeMap<Stage, u16>,
    /// For steps that the policy does not name.
    pub step_working_days: u16,
}

impl Terms {
    fn step(&self, stage: Stage) -> u16 {
        self.steps.get(&stage).copied().unwrap_or(self.step_working_days)
    }
}

/// What a payout is for the case file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayoutFacts {
    /// Which part of the award.
    pub tranche: u32,
    /// Start of the 24 hours.
    pub approved_at: Timestamp,
    /// When the approval came in.
    pub received_at: Timestamp,
    /// Their end.
    pub due_at: Timestamp,
    /// When the money was credited.
    pub credited_at: Option<Timestamp>,
    /// Times in which it waited for the enterprise's correction of its account, oldest first; the last may go on.
    pub waits_for_enterprise: Vec<(Timestamp, Option<Timestamp>)>,
    /// When it was cancelled.
    pub cancelled_at: Option<Timestamp>,
}

impl PayoutFacts {
    /// What this payout is for the case file.
    #[must_use]
    pub fn of(payout: &Payout) -> Self {
        let state = payout.state();
        let waiting = matches!(state, PayoutState::Refused | PayoutState::Returned) && !payout.is_unpaid();
        let mut waits: Vec<(Timestamp, Option<Timestamp>)> = Vec::new();
        for (place, one) in payout.instructions.iter().enumerate() {
            // Until its successor was made: that is when the correction had come.
            let until = payout.instructions.get(place + 1).map(|next| next.minted_at);
            if let Some(since) = one.sent_back_at().filter(|since| until.map_or(waiting, |until| until > *since)) {
                waits.push((since, until));
            }
        }
        // What was credited in time was credited in time, also when it came back because of the account.
        let credited = payout.instructions.iter().filter_map(|one| one.debit.as_ref()).map(|one| one.credited_at).min();
        Self {
            tranche: payout.key.tranche,
            approved_at: payout.approved_at,
            received_at: payout.received_at,
            due_at: payout.due_at,
            credited_at: credited,
            waits_for_enterprise: waits,
            cancelled_at: payout.ended.as_ref().map(|ended| ended.at).filter(|_| state == PayoutState::Cancelled),
        }
    }

    fn clock(&self) -> Clock {
        let id = ClockId { kind: ClockKind::Payout, stage: None, department: None, number: self.tranche };
        let mut clock = Clock::start(id, self.approved_at, self.received_at, Term::Until(self.due_at));
        let pause = |(from, to): &(Timestamp, Option<Timestamp>)| {
            let (cause, by) = (PauseCause::Enterprise, String::new());
            Pause { cause, by, evidence: None, from: *from, heard_at: *from, to: *to }
        };
        clock.pauses = self.waits_for_enterprise.iter().map(pause).collect();
        let ended = self.credited_at.map(|at| (at, Ending::Met)).or(self.cancelled_at.map(|at| (at, Ending::Void)));
        if let Some((at, ending)) = ended {
            // A clock that has not ended takes its end.
            let _ = clock.on(ClockEvent::Ended(at, ending));
        }
        clock
    }
}

/// What is known of an application's review.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseFile {
    /// Under which policy.
    pub policy_id: Option<PolicyId>,
    /// Of which enterprise: unified social credit code.
    pub uscc: Option<String>,
    /// Where it stands.
    pub standing: Standing,
    /// When it was submitted.
    pub submitted_at: Option<Timestamp>,
    /// When it was accepted, or declined.
    pub accepted_at: Option<Timestamp>,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// How often it was sent back between departments.
    pub returns: u32,
    /// How often the enterprise was asked for more.
    pub supplements: u32,
    /// Its clocks, in the order in which they began.
    pub clocks: Vec<Clock>,
    /// What does not fit, oldest first.
    pub findings: Vec<Finding>,
}

impl CaseFile {
    /// Derives the case file from everything that is known, in whatever order.
    #[must_use]
    pub fn of(events: &[CaseEvent], payouts: &[PayoutFacts], terms: &Terms) -> Self {
        let mut sorted: Vec<&CaseEvent> = events.iter().collect();
        sorted.sort_by(|one, other| one.place().cmp(&other.place()));
        sorted.dedup_by_key(|event| (&event.source, &event.event_id));
        let mut fold = Fold::new(terms);
        for moment in sorted.chunk_by(|one, other| one.at == other.at) {
            fold.apply_moment(moment.to_vec());
        }
        fold.find_missing_departments();
        let mut file = fold.file;
        let of_department = |payout: &PayoutFacts| Clock { department: terms.department_id.clone(), ..payout.clock() };
        file.clocks.extend(payouts.iter().map(of_department));
        file
    }
}

/// The policy under which an application runs: the first that its events name, by the time at which they happened.
#[must_use]
pub fn policy_named(events: &[CaseEvent]) -> Option<&PolicyId> {
    let naming = events.iter().filter(|event| event.said.policy().is_some());
    naming.min_by(|one, other| one.place().cmp(&other.place())).and_then(|event| event.said.policy())
}

impl CaseEvent {
    /// Its place among the events of its application.
    pub(crate) fn place(&self) -> (Timestamp, u8, &str, &str) {
        (self.at, self.said.rank(), &self.source, &self.event_id)
    }
}
