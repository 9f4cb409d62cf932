//! Every hold of the rules, one row each: what brings it about, and what lifts it.

use super::super::{Act, ActOutcome, ActRefused, Approval, Fact, Operator, Role, Switch, act, reconsider, take_in};
use super::{approval, arrival, context};
use crate::ids::{FundId, OperatorId, PolicyId};
use crate::money::Fen;
use crate::payout::{EndKind, Ends, HoldCode, Refused, Release};
use crate::scenery::{at, ended, key, rules};
use crate::steps::{ApplicationFacts, Desk, IntakeContext, Policy};
use jiff::SignedDuration;

struct Row {
    code: HoldCode,
    /// How the world stands against the award.
    against: fn(&mut IntakeContext, &mut Approval),
    /// What changes before it is judged once more, and held.
    then: fn(&mut IntakeContext),
    /// What mends it, for holds that end by themselves.
    mended: fn(&mut IntakeContext),
}

/// Holds that are no rule of intake: an officer's, the bank's, and what tampering brings about.
const NOT_OF_INTAKE: [HoldCode; 5] = [
    HoldCode::SignatureMismatch,
    HoldCode::Operator,
    HoldCode::BankFunds,
    HoldCode::BankWindow,
    HoldCode::FormatRefused,
];

fn policy(context: &mut IntakeContext) -> &mut Policy {
    context.policies.get_mut(&PolicyId::from("P-1")).unwrap()
}

fn facts(context: &mut IntakeContext) -> &mut ApplicationFacts {
    context.applications.entry(key(1).application_id).or_default()
}

fn fund_is_back(context: &mut IntakeContext) {
    context.funds = super::context(10_000, None).funds;
}

fn nothing(_: &mut IntakeContext) {}

fn by_itself(code: HoldCode, against: fn(&mut IntakeContext, &mut Approval), mended: fn(&mut IntakeContext)) -> Row {
    Row { code, against, then: nothing, mended }
}

fn by_person(code: HoldCode, against: fn(&mut IntakeContext, &mut Approval)) -> Row {
    Row { code, against, then: nothing, mended: nothing }
}

fn rules_of_the_policy() -> Vec<Row> {
    vec![
        by_itself(
            HoldCode::PolicyUnknown,
            |context, _| context.policies.clear(),
            |context| context.policies = super::context(0, None).policies,
        ),
        by_itself(
            HoldCode::PolicyNotOpen,
            |context, _| policy(context).valid_to = Some("2020-12-31".parse().unwrap()),
            |context| policy(context).valid_to = None,
        ),
        by_itself(HoldCode::FundUnknown, |context, _| context.funds.clear(), fund_is_back),
        Row {
            code: HoldCode::CurrencyNotFunds,
            against: |context, approval| {
                context.funds.clear();
                approval.currency = "USD".to_owned();
            },
            then: fund_is_back,
            mended: |context| context.funds.get_mut(&FundId::from("F-1")).unwrap().currency = "USD".to_owned(),
        },
        by_itself(
            HoldCode::CapPerApplication,
            |context, _| policy(context).cap_per_application = Some(Fen(9_999)),
            |context| policy(context).cap_per_application = Some(Fen(10_000)),
        ),
        by_itself(
            HoldCode::CapPerEnterprise,
            |context, _| policy(context).cap_per_enterprise_per_year = Some(Fen(9_999)),
            |context| policy(context).cap_per_enterprise_per_year = Some(Fen(10_000)),
        ),
        by_itself(
            HoldCode::FundShort,
            |context, _| context.funds.get_mut(&FundId::from("F-1")).unwrap().appropriated = Fen(9_999),
            fund_is_back,
        ),
        by_person(HoldCode::OfficersMissing, |context, _| policy(context).release_limit = Some(Fen(9_999))),
        by_itself(
            HoldCode::CommitmentMissing,
            |context, approval| {
                policy(context).commitment_required = true;
                approval.commitment_id = Some("C-1".to_owned());
            },
            |context| drop(context.commitments.insert("C-1".to_owned(), "91350100M000100Y43".to_owned())),
        ),
    ]
}

fn rules_of_the_award() -> Vec<Row> {
    vec![
        by_person(HoldCode::AccountName, |_, approval| approval.payee.account_name = "另一公司".to_owned()),
        by_person(HoldCode::TooOld, |_, approval| {
            approval.approved_at = at(0) - rules().max_age - SignedDuration::from_secs(1);
        }),
        by_itself(
            HoldCode::PublicityOpen,
            |context, _| facts(context).publicity_started_at = Some(at(-2)),
            |context| facts(context).publicity_ended_at = Some(at(-1)),
        ),
        by_itself(
            HoldCode::ObjectionOpen,
            |context, _| facts(context).publicity_objected_at = Some(at(-2)),
            |context| facts(context).publicity_ended_at = Some(at(-1)),
        ),
        by_person(HoldCode::ApplicationEnded, |context, _| facts(context).ended = Some(ended(EndKind::Rejected))),
        by_person(HoldCode::PayeeChanged, |context, approval| {
            context.last_paid.insert(approval.enterprise.uscc.clone(), "another".to_owned());
        }),
        by_person(HoldCode::KeyRevoked, |context, _| context.revoked_keys.extend(["k".to_owned()])),
    ]
}

fn rows() -> Vec<Row> {
    rules_of_the_policy().into_iter().chain(rules_of_the_award()).collect()
}

/// An award that this row's rule holds, and nothing else.
fn held<'a>(rules: &'a crate::rules::Rules, row: &Row) -> (Desk<'a>, IntakeContext) {
    let (mut context, mut approval) = (context(10_000, None), approval(1));
    (row.against)(&mut context, &mut approval);
    let mut desk = Desk::new(rules, at(0), []);
    take_in(&mut desk, &mut context, vec![arrival("e", Fact::Approved(Box::new(approval)))]);
    (row.then)(&mut context);
    reconsider(&mut desk, &mut context, &key(1));
    let payout = &desk.payouts[&key(1)];
    assert_eq!(payout.holds.keys().collect::<Vec<_>>(), [&row.code]);
    assert_eq!(payout.reason().map(|(code, _)| code).as_deref(), Some(row.code.code()));
    assert!(!payout.is_claimable());
    (desk, context)
}

#[test]
fn every_rule_of_intake_has_its_row() {
    for code in HoldCode::ALL.iter().filter(|code| !NOT_OF_INTAKE.contains(code)) {
        assert_eq!(rows().iter().filter(|row| row.code == *code).count(), 1, "{}", code.code());
    }
}

#[test]
fn a_hold_that_ends_by_itself_does_so_when_its_cause_is_gone() {
    for row in rows() {
        let rules = rules();
        let (mut desk, mut context) = held(&rules, &row);
        (row.mended)(&mut context);
        reconsider(&mut desk, &mut context, &key(1));
        let lifted = row.code.ends() == Ends::ByItself;
        assert_eq!(desk.payouts[&key(1)].is_claimable(), lifted, "{}", row.code.code());
    }
}

#[test]
fn officers_lift_what_they_may_as_many_as_it_takes() {
    for row in rows() {
        let rules = rules();
        let (mut desk, mut context) = held(&rules, &row);
        let mut release = |officer: &str| {
            let (id, public_key) = (OperatorId::from(officer), String::new());
            let officer = Operator { id, name: String::new(), role: Role::Releaser, public_key, disabled_at: None };
            act(&mut desk, &Switch::default(), &officer, &Act::Release(key(1), vec![row.code]), "as seen")
        };
        let first = release("O-1");
        let released = match row.code.release() {
            Release::Nobody => {
                assert_eq!(first, Err(ActRefused::Payout(Refused::NotReleasable(row.code.code()))));
                false
            }
            Release::One => {
                assert_eq!(first, Ok(ActOutcome::Done));
                true
            }
            Release::Two => {
                assert_eq!(first, Ok(ActOutcome::AwaitsSecondOfficer));
                assert!(release("O-1").is_err(), "the same officer twice is one");
                assert_eq!(release("O-2"), Ok(ActOutcome::Done));
                true
            }
        };
        reconsider(&mut desk, &mut context, &key(1));
        assert_eq!(desk.payouts[&key(1)].is_claimable(), released, "{}", row.code.code());
    }
}
