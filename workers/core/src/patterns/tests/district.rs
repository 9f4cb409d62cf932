//! A district whose applications are told in local time, and what rules find in it.

use crate::case_file::{Actor, CaseEvent, ReviewTerms, Said};
use crate::contacts::Contacts;
use crate::ids::{ApplicationId, FundId, InstructionId, PolicyId};
use crate::money::Fen;
use crate::patterns::{CaseFacts, CaseSource, Found, Health, Material, Rule, Seal, Thresholds, health};
use crate::payout::{Carrier, Debit, Instruction, Payout};
use crate::scenery::{award, debtor};
use crate::steps::{Fund, Policy};
use crate::supervision::SupervisionRules;
use crate::working_time::tests::{china, local};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use zhida_schemas::application::Mode;
use zhida_schemas::review::{Decision, Stage};

/// An application in the making.
#[derive(Clone)]
pub(crate) struct Application {
    pub(crate) id: String,
    policy: String,
    uscc: String,
    events: Vec<CaseEvent>,
    payouts: Vec<Payout>,
    contacts: Option<Contacts>,
}

pub(crate) fn application(id: &str) -> Application {
    Application {
        id: id.to_owned(),
        policy: "P-1".to_owned(),
        uscc: format!("U-{id}"),
        events: Vec::new(),
        payouts: Vec::new(),
        contacts: None,
    }
}

pub(crate) fn by(department: &str, officer: &str) -> Actor {
    Actor { department_id: department.to_owned(), officer_id: officer.to_owned() }
}

impl Application {
    pub(crate) fn under(mut self, policy: &str) -> Self {
        self.policy = policy.to_owned();
        self
    }

    pub(crate) fn of(mut self, uscc: &str) -> Self {
        self.uscc = uscc.to_owned();
        self
    }

    fn says(mut self, at: Timestamp, said: Said) -> Self {
        let event_id = format!("e-{}", self.events.len());
        self.events.push(CaseEvent { source: "/review".to_owned(), event_id, at, received_at: at, said });
        self
    }

    pub(crate) fn submitted(self, at: &str) -> Self {
        self.submitted_by(at, None)
    }

    pub(crate) fn submitted_by(self, at: &str, mode: Option<Mode>) -> Self {
        let (policy_id, uscc) = (PolicyId::from(self.policy.as_str()), self.uscc.clone());
        self.says(local(at), Said::Submitted { policy_id, uscc, mode })
    }

    pub(crate) fn accepted(self, at: &str, officer: &str) -> Self {
        self.says(local(at), Said::Accepted(by("D1", officer)))
    }

    pub(crate) fn declined(self, at: &str, officer: &str, reason: &str) -> Self {
        self.says(local(at), Said::Declined { by: by("D1", officer), reason: reason.to_owned() })
    }

    pub(crate) fn assigned(self, at: &str, stage: Stage, department: &str, officer: &str) -> Self {
        self.says(local(at), Said::Assigned { to: by(department, officer), stage, due_working_days: None })
    }

    pub(crate) fn decided(self, at: &str, stage: Stage, department: &str, officer: &str) -> Self {
        self.decides(at, stage, by(department, officer), (Decision::Approve, None, None))
    }

    pub(crate) fn refused(self, at: &str, stage: Stage, officer: &str, reason: Option<&str>) -> Self {
        self.decides(at, stage, by("D1", officer), (Decision::Reject, reason, None))
    }

    pub(crate) fn returned(self, at: &str, from: &str, to: Option<&str>) -> Self {
        self.decides(at, Stage::First, by(from, "O-1"), (Decision::Return, None, to))
    }

    fn decides(
        self,
        at: &str,
        stage: Stage,
        by: Actor,
        (decision, reason, return_to): (Decision, Option<&str>, Option<&str>),
    ) -> Self {
        let (reason, return_to) = (reason.map(str::to_owned), return_to.map(str::to_owned));
        self.says(local(at), Said::Decided { by, stage, decision, reason, return_to })
    }

    /// A first step in D1 by this officer, without anything else.
    pub(crate) fn step(self, from: &str, to: &str, officer: &str) -> Self {
        self.assigned(from, Stage::First, "D1", officer).decided(to, Stage::First, "D1", officer)
    }

    pub(crate) fn supplement(self, at: &str, department: &str) -> Self {
        let (by, items) = (by(department, "O-1"), vec!["x".to_owned()]);
        self.says(local(at), Said::SupplementRequested { by, items, due_at: None })
    }

    pub(crate) fn supplied(self, at: &str) -> Self {
        self.says(local(at), Said::SupplementReceived)
    }

    pub(crate) fn rejected(self, at: &str, reason: &str) -> Self {
        self.says(local(at), Said::Rejected { by: "O-1".to_owned(), reason: reason.to_owned() })
    }

    pub(crate) fn withdrawn(self, at: &str) -> Self {
        self.says(local(at), Said::Withdrawn { by: "U".to_owned(), reason: "x".to_owned() })
    }

    pub(crate) fn revoked(self, at: &str) -> Self {
        self.says(local(at), Said::Revoked { by: "O-1".to_owned(), reason: "x".to_owned() })
    }

    pub(crate) fn approved(self, at: &str, yuan: i64, officers: &[&str]) -> Self {
        self.approved_part(at, 1, yuan, officers)
    }

    pub(crate) fn approved_part(self, at: &str, tranche: u32, yuan: i64, officers: &[&str]) -> Self {
        let (policy_id, uscc) = (PolicyId::from(self.policy.as_str()), self.uscc.clone());
        // The first letter of an officer's id is the department's.
        let approvals = officers.iter().map(|one| (by(&one[..1], one), local(at))).collect();
        self.says(local(at), Said::Approved { policy_id, uscc, tranche, amount: Fen(yuan * 100), approvals })
    }

    /// The payout of what was approved, on this account, not credited.
    pub(crate) fn payout(mut self, account: &str) -> Self {
        let approved_at = self.events.last().unwrap().at;
        let mut payout = award(1);
        payout.key.application_id = ApplicationId(self.id.clone());
        payout.payee.account_no = account.to_owned();
        payout.approved_at = approved_at;
        payout.due_at = approved_at + SignedDuration::from_hours(24);
        let id = InstructionId::derive("example", &payout.key, 1);
        payout.instructions.push(Instruction::mint(id, 1, payout.payee.clone(), approved_at));
        self.payouts.push(payout);
        self
    }

    pub(crate) fn credited(mut self, at: &str) -> Self {
        let (credited_at, carrier) = (local(at), Carrier::Answer);
        let debit = Debit { credited_at, observed_at: credited_at, bank_reference: None, carrier };
        self.payouts.last_mut().unwrap().instructions[0].debit = Some(debit);
        self
    }

    /// The money came back; the account was corrected and a second instruction made, which is not credited.
    pub(crate) fn came_back_and_goes_again(mut self, back: &str, corrected: &str) -> Self {
        let payout = self.payouts.last_mut().unwrap();
        payout.instructions[0].returned = Some(crate::payout::Returned { at: local(back), reason: "AC04".to_owned() });
        let id = InstructionId::derive("example", &payout.key, 2);
        payout.instructions.push(Instruction::mint(id, 2, payout.payee.clone(), local(corrected)));
        self
    }

    pub(crate) fn approved_by(self, at: &str, yuan: i64, officers: &[(&str, &str)]) -> Self {
        let (policy_id, uscc) = (PolicyId::from(self.policy.as_str()), self.uscc.clone());
        let approvals = officers.iter().map(|(department, one)| (by(department, one), local(at))).collect();
        self.says(local(at), Said::Approved { policy_id, uscc, tranche: 1, amount: Fen(yuan * 100), approvals })
    }

    pub(crate) fn refused_by(self, at: &str, stage: Stage, department: &str, officer: &str, reason: &str) -> Self {
        self.decides(at, stage, by(department, officer), (Decision::Reject, Some(reason), None))
    }

    pub(crate) fn reached_by(mut self, mobile: Option<&str>, email: Option<&str>) -> Self {
        let text = |text: Option<&str>| text.map(str::to_owned);
        self.contacts = Some(Contacts::new(Timestamp::UNIX_EPOCH, text(mobile), text(email), None));
        self
    }

    fn facts(&self, policies: &BTreeMap<PolicyId, Policy>, now: Timestamp) -> CaseFacts {
        let id = ApplicationId(self.id.clone());
        let source = CaseSource {
            application_id: &id,
            events: &self.events,
            payouts: &self.payouts,
            policy: policies.get(&PolicyId::from(self.policy.as_str())),
            contacts: self.contacts.as_ref(),
        };
        CaseFacts::of(&source, &SupervisionRules::default(), &seal(), now)
    }
}

pub(crate) fn seal() -> Seal {
    Seal::new("a secret of tests")
}

pub(crate) fn policy(id: &str) -> Policy {
    Policy {
        id: PolicyId::from(id),
        title: "稳岗补贴".to_owned(),
        department_id: "D1".to_owned(),
        fund_id: FundId::from("F-1"),
        valid_from: "2026-01-01".parse::<Date>().unwrap(),
        valid_to: None,
        cap_per_application: None,
        cap_per_enterprise_per_year: None,
        release_limit: None,
        commitment_required: false,
        review: ReviewTerms::default(),
    }
}

/// The district.
pub(crate) struct District {
    applications: Vec<Application>,
    policies: BTreeMap<PolicyId, Policy>,
    pub(crate) funds: Vec<Fund>,
    thresholds: Thresholds,
    now: Timestamp,
}

/// A district with these applications and the policy P-1, on that day.
pub(crate) fn district(now: &str, applications: impl IntoIterator<Item = Application>) -> District {
    let fund = Fund {
        id: FundId::from("F-1"),
        name: "惠企资金".to_owned(),
        currency: "CNY".to_owned(),
        appropriated: Fen(100_000_000),
        committed: Fen(80_000_000),
        debtor: debtor(),
        budget_document: None,
    };
    District {
        applications: applications.into_iter().collect(),
        policies: BTreeMap::from([(PolicyId::from("P-1"), policy("P-1"))]),
        funds: vec![fund],
        thresholds: Thresholds::documented().unwrap(),
        now: local(now),
    }
}

impl District {
    pub(crate) fn with_policy(mut self, policy: Policy) -> Self {
        self.policies.insert(policy.id.clone(), policy);
        self
    }

    pub(crate) fn with_fund(mut self, change: impl Fn(&mut Fund)) -> Self {
        self.funds.iter_mut().for_each(change);
        self
    }

    fn look<T>(&self, look: impl Fn(&Material<'_>) -> T) -> T {
        let cases: Vec<CaseFacts> = self.applications.iter().map(|one| one.facts(&self.policies, self.now)).collect();
        look(&Material {
            cases: &cases,
            seen_from: self.now - SignedDuration::from_hours(24 * i64::from(self.thresholds.runs.window_days)),
            policies: &self.policies,
            funds: &self.funds,
            time: &china(),
            thresholds: &self.thresholds,
            second_officer_above: None,
            now: self.now,
        })
    }

    pub(crate) fn all(&self) -> Vec<Found> {
        self.look(|material| material.find_all())
    }

    pub(crate) fn finds(&self, rule: Rule) -> Vec<Found> {
        self.look(|material| rule.find(material))
    }

    /// The applications, of all that this rule found.
    pub(crate) fn named(&self, rule: Rule) -> Vec<String> {
        let named = self.finds(rule).into_iter().flat_map(|found| found.evidence.applications);
        named.map(|id| id.0).collect()
    }

    pub(crate) fn health(&self, policy: &str) -> Health {
        let all = self.look(health);
        all.into_iter().find(|one| one.policy_id.as_str() == policy).unwrap()
    }
}
