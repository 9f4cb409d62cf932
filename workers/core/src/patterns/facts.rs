//! What rules know of an application: its case file boiled down to who did what when, how it ended, what was awarded and what it
//! shares with others. Derived whole from the stored events, payouts and contacts; nothing is judged here.

use super::Seal;
use crate::case_file::{Actor, CaseEvent, CaseFile, Clock, ClockKind, Ending, PayoutFacts, Said, Standing};
use crate::contacts::Contacts;
use crate::ids::{ApplicationId, PolicyId};
use crate::money::Fen;
use crate::payout::Payout;
use crate::steps::Policy;
use crate::supervision::SupervisionRules;
use crate::working_time::WorkingTime;
use jiff::Timestamp;
use std::collections::BTreeSet;
use zhida_schemas::application::Mode;
use zhida_schemas::review::{Decision, Stage};

/// An application as stored: what facts are derived from.
pub struct CaseSource<'a> {
    /// Which.
    pub application_id: &'a ApplicationId,
    /// Its events, in any order.
    pub events: &'a [CaseEvent],
    /// Its payouts.
    pub payouts: &'a [Payout],
    /// Its policy, when that is known.
    pub policy: Option<&'a Policy>,
    /// How its enterprise is reached.
    pub contacts: Option<&'a Contacts>,
}

/// An application as rules see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseFacts {
    /// Which.
    pub application_id: ApplicationId,
    /// Under which policy.
    pub policy_id: Option<PolicyId>,
    /// Of which enterprise: unified social credit code.
    pub uscc: Option<String>,
    /// In which way it was made.
    pub mode: Mode,
    /// Where it stands.
    pub standing: Standing,
    /// When it was submitted.
    pub submitted_at: Option<Timestamp>,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// When anything last happened after it was submitted.
    pub moved_at: Option<Timestamp>,
    /// It waits for the enterprise, a public notice, a hearing …
    pub waits: bool,
    /// Its steps, in the order in which they began.
    pub steps: Vec<StepFacts>,
    /// Decisions of officers, acceptance among them, in the order in which they were made.
    pub decisions: Vec<DecisionFacts>,
    /// Requests for a supplement before its end, each with the department.
    pub supplements: Vec<(Timestamp, String)>,
    /// When it was sent back from one department to another.
    pub returns: BTreeSet<Timestamp>,
    /// Letters and digits of the reason of its end, when that was a refusal.
    pub end_reason: Option<usize>,
    /// Its awards by tranche.
    pub awards: Vec<Award>,
    /// Fingerprints of the accounts it is paid on.
    pub accounts: BTreeSet<String>,
    /// Fingerprint of the mobile that it names.
    pub mobile: Option<String>,
    /// Fingerprint of the mail address that it names.
    pub email: Option<String>,
}

/// A step of a review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepFacts {
    /// Which stage.
    pub stage: Stage,
    /// Whose.
    pub department: String,
    /// Whose hands it was in from beginning to end; none where it changed hands, or nobody was named.
    pub officer: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; the decision, unless it was overtaken.
    pub ended: Option<(Timestamp, Option<Decision>)>,
    /// When it stood still.
    pub pauses: Vec<(Timestamp, Option<Timestamp>)>,
}

/// A decision of an officer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DecisionFacts {
    /// When.
    pub at: Timestamp,
    /// Of which stage; none: of acceptance.
    pub stage: Option<Stage>,
    /// By whom.
    pub by: Actor,
    /// Refused; else approved or accepted. What was sent back was not decided.
    pub refused: bool,
    /// Letters and digits of the reason.
    pub reason: usize,
}

/// A part of an award.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Award {
    /// Which part.
    pub tranche: u32,
    /// How much.
    pub amount: Fen,
    /// When it was approved.
    pub approved_at: Timestamp,
    /// By whom.
    pub approvers: BTreeSet<Actor>,
    /// When it has to be credited, while it is owed: not credited, not cancelled, not waiting for the enterprise.
    pub owed_since: Option<Timestamp>,
    /// When it was credited; none once the money has come back.
    pub credited_at: Option<Timestamp>,
}

impl CaseFacts {
    /// Derives what rules see. Events dated ahead of `now` do not count yet.
    #[must_use]
    pub fn of(source: &CaseSource<'_>, rules: &SupervisionRules, seal: &Seal, now: Timestamp) -> Self {
        let mut events: Vec<CaseEvent> =
            source.events.iter().filter(|one| one.at.duration_since(now) <= rules.max_ahead).cloned().collect();
        events.sort_by(|one, other| one.place().cmp(&other.place()));
        let payouts: Vec<PayoutFacts> = source.payouts.iter().map(PayoutFacts::of).collect();
        let terms = rules.terms(source.policy.map(|policy| (policy.department_id.as_str(), &policy.review)));
        let file = CaseFile::of(&events, &payouts, &terms);
        let mode = events.iter().find_map(|one| match &one.said {
            Said::Submitted { mode, .. } => *mode,
            _ => None,
        });
        let contact = |text: Option<&str>, mark: fn(&Seal, &str) -> String| text.map(|text| mark(seal, text));
        Self {
            application_id: source.application_id.clone(),
            mode: mode.unwrap_or(Mode::Ordinary),
            moved_at: events.iter().rfind(|one| !matches!(one.said, Said::Submitted { .. })).map(|one| one.at),
            waits: !file.standing.is_over() && file.clocks.iter().any(is_paused),
            steps: file.clocks.iter().filter_map(|clock| step(clock, &events)).collect(),
            decisions: decisions(&events),
            supplements: supplements(&events, file.decided_at),
            returns: returns(&events),
            end_reason: end_reason(&events, file.standing),
            awards: awards(&events, source.payouts),
            accounts: source.payouts.iter().map(|payout| seal.account(&payout.payee.account_no)).collect(),
            mobile: contact(source.contacts.and_then(Contacts::mobile), Seal::mobile),
            email: contact(source.contacts.and_then(Contacts::email), Seal::email),
            policy_id: file.policy_id,
            uscc: file.uscc,
            standing: file.standing,
            submitted_at: file.submitted_at,
            decided_at: file.decided_at,
        }
    }

    /// It is awarded and stays so.
    #[must_use]
    pub fn is_awarded(&self) -> bool {
        self.standing == Standing::Approved && !self.awards.is_empty()
    }

    /// It is seen, and not decided.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self.standing {
            Standing::Submitted | Standing::InReview => true,
            Standing::NotSeen
            | Standing::Approved
            | Standing::Declined
            | Standing::Rejected
            | Standing::Withdrawn
            | Standing::Revoked => false,
        }
    }

    /// It was refused.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self.standing, Standing::Declined | Standing::Rejected)
    }
}

impl StepFacts {
    /// Working minutes in which it lay in somebody's hands; none while it is not decided.
    #[must_use]
    pub fn working_minutes(&self, time: &WorkingTime) -> Option<i64> {
        let (ended_at, Some(_)) = self.ended? else { return None };
        let mut pauses: Vec<(Timestamp, Timestamp)> =
            self.pauses.iter().map(|(from, to)| (*from, to.unwrap_or(ended_at).min(ended_at))).collect();
        pauses.sort_unstable();
        let mut minutes = time.minutes_between(self.started_at, ended_at);
        let mut counted_to = self.started_at;
        for (from, to) in pauses {
            minutes -= time.minutes_between(from.max(counted_to), to);
            counted_to = counted_to.max(to);
        }
        Some(minutes.max(0))
    }
}

/// The letters and digits of a reason: strokes and blanks are none.
fn weight(reason: &str) -> usize {
    reason.chars().filter(|letter| letter.is_alphanumeric()).count()
}

fn is_paused(clock: &Clock) -> bool {
    clock.id.kind == ClockKind::Review && clock.ended.is_none() && clock.pauses.iter().any(|pause| pause.to.is_none())
}

fn step(clock: &Clock, events: &[CaseEvent]) -> Option<StepFacts> {
    let (stage, department) = (clock.id.stage?, clock.id.department.clone()?);
    let ended_at = clock.ended.map(|(at, _)| at);
    let within = |at: Timestamp| clock.started_at <= at && ended_at.is_none_or(|end| at <= end);
    let given: Vec<(Timestamp, &Actor)> = events
        .iter()
        .filter_map(|one| match &one.said {
            Said::Assigned { to, .. } if to.department_id == department && within(one.at) => Some((one.at, to)),
            _ => None,
        })
        .collect();
    let hands: BTreeSet<&str> = given.iter().map(|(_, to)| to.officer_id.as_str()).collect();
    let from_the_beginning = given.iter().any(|(at, _)| *at == clock.started_at);
    let officer = clock.officer.clone().filter(|_| from_the_beginning && hands.len() == 1);
    let decision = |end: Timestamp| {
        events.iter().find_map(|one| match &one.said {
            Said::Decided { by, decision, .. } if one.at == end && by.department_id == department => Some(*decision),
            _ => None,
        })
    };
    let ended = clock.ended.map(|(at, ending)| match ending {
        Ending::Met => (at, decision(at)),
        Ending::Void => (at, None),
    });
    let pauses = clock.pauses.iter().map(|pause| (pause.from, pause.to)).collect();
    Some(StepFacts { stage, department, officer, started_at: clock.started_at, ended, pauses })
}

fn decisions(events: &[CaseEvent]) -> Vec<DecisionFacts> {
    let made: BTreeSet<DecisionFacts> = events.iter().filter_map(decision).collect();
    made.into_iter().collect()
}

fn decision(event: &CaseEvent) -> Option<DecisionFacts> {
    let at = event.at;
    let (stage, by, refused, reason) = match &event.said {
        Said::Accepted(by) => (None, by, false, 0),
        Said::Declined { by, reason } => (None, by, true, weight(reason)),
        Said::Decided { by, stage, decision: Decision::Approve, .. } => (Some(*stage), by, false, 0),
        Said::Decided { by, stage, decision: Decision::Reject, reason, .. } => {
            (Some(*stage), by, true, reason.as_deref().map_or(0, weight))
        }
        _ => return None,
    };
    Some(DecisionFacts { at, stage, by: by.clone(), refused, reason })
}

fn supplements(events: &[CaseEvent], decided_at: Option<Timestamp>) -> Vec<(Timestamp, String)> {
    let asked = |one: &CaseEvent| match &one.said {
        Said::SupplementRequested { by, .. } => Some((one.at, by.department_id.clone())),
        _ => None,
    };
    // Told by two systems it is one request.
    let requests: BTreeSet<(Timestamp, String)> =
        events.iter().filter_map(asked).filter(|(at, _)| decided_at.is_none_or(|end| *at <= end)).collect();
    requests.into_iter().collect()
}

/// Back to another department; where none is named, to whoever had it before. Within one department nothing changes hands.
fn returns(events: &[CaseEvent]) -> BTreeSet<Timestamp> {
    let sent_back = |one: &CaseEvent| match &one.said {
        Said::Decided { by, decision: Decision::Return, return_to, .. } => {
            return_to.as_ref().is_none_or(|to| *to != by.department_id).then_some(one.at)
        }
        _ => None,
    };
    events.iter().filter_map(sent_back).collect()
}

fn end_reason(events: &[CaseEvent], standing: Standing) -> Option<usize> {
    let reason = |one: &CaseEvent| match (&one.said, standing) {
        (Said::Rejected { reason, .. }, Standing::Rejected) | (Said::Declined { reason, .. }, Standing::Declined) => {
            Some(weight(reason))
        }
        _ => None,
    };
    events.iter().filter_map(reason).max()
}

fn awards(events: &[CaseEvent], payouts: &[Payout]) -> Vec<Award> {
    let mut awards: Vec<Award> = Vec::new();
    for event in events {
        let Said::Approved { tranche, amount, approvals, .. } = &event.said else { continue };
        if awards.iter().any(|one| one.tranche == *tranche) {
            continue; // told twice under two names
        }
        let payout = payouts.iter().find(|one| one.key.tranche == *tranche);
        awards.push(Award {
            tranche: *tranche,
            amount: *amount,
            approved_at: event.at,
            approvers: approvals.iter().map(|(by, _)| by.clone()).collect(),
            owed_since: payout.and_then(owed_since),
            credited_at: payout.and_then(credited_at),
        });
    }
    awards
}

/// As it stands: what came back is not credited until it is credited again.
fn credited_at(payout: &Payout) -> Option<Timestamp> {
    let stands = payout.instructions.iter().filter(|one| one.is_debited());
    stands.filter_map(|one| one.debit.as_ref()).map(|debit| debit.credited_at).min()
}

/// The end of its 24 hours, moved by the times in which it waited for the enterprise, or was credited until it came back. None while it
/// waits, while it is credited, and once it is cancelled.
fn owed_since(payout: &Payout) -> Option<Timestamp> {
    let facts = PayoutFacts::of(payout);
    if credited_at(payout).is_some() || facts.cancelled_at.is_some() {
        return None;
    }
    let came_back = payout.instructions.iter().filter_map(|one| Some((one.debit.as_ref()?, one.returned.as_ref()?)));
    let credited = came_back.map(|(debit, returned)| (debit.credited_at, Some(returned.at.max(debit.credited_at))));
    let mut due_at = facts.due_at;
    for (from, to) in credited.chain(facts.waits_for_enterprise) {
        due_at = due_at.checked_add(to?.duration_since(from)).unwrap_or(Timestamp::MAX);
    }
    Some(due_at)
}
