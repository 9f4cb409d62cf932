//! The business rules an approval meets: what stands against paying it now. Rules never refuse an approval, they hold it.

use super::arrivals::Approval;
use super::intake::IntakeContext;
use crate::case_file::ReviewTerms;
use crate::ids::{FundId, PolicyId};
use crate::money::Fen;
use crate::payout::{Ends, Hold, HoldCode, Payout};
use crate::ports::bank::Debtor;
use crate::rules::{ChangedPayee, Rules};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A fund as the policy file states it, and what is charged to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fund {
    /// Its id.
    pub id: FundId,
    /// Its name.
    pub name: String,
    /// ISO 4217.
    pub currency: String,
    /// Appropriated amount.
    pub appropriated: Fen,
    /// Charged: reserved, in transit and paid together.
    pub committed: Fen,
    /// The account that pays.
    pub debtor: Debtor,
    /// Budget document number, 预算指标文号.
    pub budget_document: Option<String>,
}

/// A policy as the policy file states it; what payout needs of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Its id.
    pub id: PolicyId,
    /// Its title.
    pub title: String,
    /// The department that answers for it.
    pub department_id: String,
    /// The fund it draws on.
    pub fund_id: FundId,
    /// First day on which it is open.
    pub valid_from: Date,
    /// Last day, if it ends.
    pub valid_to: Option<Date>,
    /// Cap for one application.
    pub cap_per_application: Option<Fen>,
    /// Cap for one enterprise in a calendar year.
    pub cap_per_enterprise_per_year: Option<Fen>,
    /// Above it two different officers must have approved.
    pub release_limit: Option<Fen>,
    /// Whether a signed integrity commitment is required.
    pub commitment_required: bool,
    /// How its applications are reviewed.
    pub review: ReviewTerms,
}

/// A yearly cap of one enterprise under one policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CapKey {
    /// The policy.
    pub policy_id: PolicyId,
    /// The enterprise.
    pub uscc: String,
    /// Calendar year of the approval in the district's zone.
    pub year: i16,
}

impl CapKey {
    /// The cap that a payout counts against.
    #[must_use]
    pub fn of(payout: &Payout, zone: &TimeZone) -> Self {
        Self {
            policy_id: payout.policy_id.clone(),
            uscc: payout.enterprise.uscc.clone(),
            year: zone.to_datetime(payout.approved_at).year(),
        }
    }
}

/// The fund of an award, when it is known and pays in another currency. While it is not known the award is held.
pub(super) fn fund_in_another_currency<'a>(context: &'a IntakeContext, approval: &Approval) -> Option<&'a Fund> {
    let policy = context.policies.get(&approval.policy_id)?;
    let named_other = approval.fund_id.as_ref().is_some_and(|named| *named != policy.fund_id);
    let fund = context.funds.get(&policy.fund_id).filter(|_| !named_other)?;
    (fund.currency != approval.currency).then_some(fund)
}

/// What the rules say of a payout that is not funded yet, or that waits.
pub(super) struct Judgement {
    /// The fund it draws on, when known.
    pub(super) fund_id: Option<FundId>,
    /// What stands against it, waived codes left out.
    pub holds: BTreeMap<HoldCode, Hold>,
    /// Fund and caps can be charged now.
    pub can_be_charged: bool,
}

/// Judges a payout by the rules. `context` carries policies, funds and caps with everything charged so far.
#[must_use]
pub(super) fn judge(payout: &Payout, context: &IntakeContext, rules: &Rules, now: Timestamp) -> Judgement {
    let mut holds = Holds { payout, now, placed: BTreeMap::new() };
    application_rules(&mut holds, context);
    let policy = context.policies.get(&payout.policy_id);
    let Some(policy) = policy else {
        holds.place(HoldCode::PolicyUnknown, &format!("policy {}", payout.policy_id));
        return Judgement { fund_id: None, holds: holds.placed, can_be_charged: false };
    };
    policy_rules(&mut holds, policy, context, rules);
    let named_other = payout.named_fund_id.as_ref().is_some_and(|named| *named != policy.fund_id);
    let fund = context.funds.get(&policy.fund_id).filter(|_| !named_other);
    let Some(fund) = fund else {
        holds.place(HoldCode::FundUnknown, &format!("policy {} draws on fund {}", policy.id, policy.fund_id));
        return Judgement { fund_id: None, holds: holds.placed, can_be_charged: false };
    };
    if !payout.funded {
        let left = fund.appropriated.0 - fund.committed.0;
        if fund.currency != payout.currency {
            holds.place(HoldCode::CurrencyNotFunds, &format!("fund {} is in {}", fund.id, fund.currency));
        } else if left < payout.amount.0 {
            holds.place(HoldCode::FundShort, &format!("fund {} has {} left", fund.id, Fen(left)));
        }
    }
    let blocking = [
        HoldCode::CurrencyNotFunds,
        HoldCode::FundShort,
        HoldCode::CapPerApplication,
        HoldCode::CapPerEnterprise,
        HoldCode::ApplicationEnded,
    ];
    let can_be_charged = !payout.funded && !blocking.iter().any(|code| holds.stands(*code));
    Judgement { fund_id: Some(fund.id.clone()), holds: holds.placed, can_be_charged }
}

/// The rules of the moment of arrival, which no later event answers.
#[must_use]
pub(super) fn judge_arrival(
    payout: &Payout,
    context: &IntakeContext,
    rules: &Rules,
    now: Timestamp,
) -> BTreeMap<HoldCode, Hold> {
    let mut holds = Holds { payout, now, placed: BTreeMap::new() };
    if !crate::names::same_name(&payout.payee.account_name, &payout.enterprise.name) {
        holds.place(HoldCode::AccountName, "");
    }
    let oldest = now.checked_sub(rules.max_age).unwrap_or(Timestamp::MIN);
    if payout.approved_at < oldest {
        holds.place(HoldCode::TooOld, &format!("approved at {}", payout.approved_at));
    }
    if let Some(ended) = context.applications.get(&payout.key.application_id).and_then(|one| one.ended.as_ref()) {
        holds.place(HoldCode::ApplicationEnded, &format!("{} at {}", ended.kind.code(), ended.at));
    }
    let last_paid = context.last_paid.get(&payout.enterprise.uscc);
    if rules.changed_payee == ChangedPayee::Hold && last_paid.is_some_and(|account| *account != payout.payee.account_no)
    {
        holds.place(HoldCode::PayeeChanged, "");
    }
    if context.revoked_keys.contains(&payout.keyid) {
        holds.place(HoldCode::KeyRevoked, &format!("key {}", payout.keyid));
    }
    holds.placed
}

fn application_rules(holds: &mut Holds<'_>, context: &IntakeContext) {
    if let Some(facts) = context.applications.get(&holds.payout.key.application_id) {
        if facts.publicity_open() {
            holds.place(HoldCode::PublicityOpen, "");
        }
        if facts.objection_open() {
            holds.place(HoldCode::ObjectionOpen, "");
        }
    }
}

fn policy_rules(holds: &mut Holds<'_>, policy: &Policy, context: &IntakeContext, rules: &Rules) {
    let payout = holds.payout;
    let day = rules.zone.to_datetime(payout.approved_at).date();
    if day < policy.valid_from || policy.valid_to.is_some_and(|last| day > last) {
        let to = policy.valid_to.map_or("open".to_owned(), |last| last.to_string());
        holds.place(HoldCode::PolicyNotOpen, &format!("approved on {day}, open {} to {to}", policy.valid_from));
    }
    if policy.cap_per_application.is_some_and(|cap| payout.amount > cap) {
        let cap = policy.cap_per_application.unwrap_or_default();
        holds.place(HoldCode::CapPerApplication, &format!("cap {cap}, amount {}", payout.amount));
    }
    if let Some(cap) = policy.cap_per_enterprise_per_year
        && !payout.funded
    {
        let charged = context.caps.get(&CapKey::of(payout, &rules.zone)).copied().unwrap_or_default();
        if charged.0 + payout.amount.0 > cap.0 {
            holds.place(HoldCode::CapPerEnterprise, &format!("cap {cap}, charged {charged}, amount {}", payout.amount));
        }
    }
    let release_limit = policy.release_limit.or(rules.second_officer_above.map(Fen));
    if release_limit.is_some_and(|limit| payout.amount > limit) && payout.officers < 2 {
        holds.place(HoldCode::OfficersMissing, &format!("{} officer(s) approved", payout.officers));
    }
    if policy.commitment_required {
        let arrived = payout.commitment_id.as_ref().and_then(|id| context.commitments.get(id));
        if arrived != Some(&payout.enterprise.uscc) {
            let named = payout.commitment_id.as_deref().unwrap_or("none named");
            holds.place(HoldCode::CommitmentMissing, &format!("commitment {named}"));
        }
    }
}

struct Holds<'a> {
    payout: &'a Payout,
    now: Timestamp,
    placed: BTreeMap<HoldCode, Hold>,
}

impl Holds<'_> {
    fn place(&mut self, code: HoldCode, detail: &str) {
        if self.payout.waived.contains(&code) {
            return;
        }
        let since = self.payout.holds.get(&code).map_or(self.now, |hold| hold.since);
        self.placed.insert(code, Hold { since, until: None, detail: detail.to_owned(), released_by: None });
    }

    fn stands(&self, code: HoldCode) -> bool {
        self.placed.contains_key(&code) || (code.ends() != Ends::ByItself && self.payout.holds.contains_key(&code))
    }
}
