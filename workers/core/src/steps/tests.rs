//! The steps as transactions: claims against signatures and limits, calls booked member by member, intake with competing
//! arrivals, acts of two officers.

#![allow(clippy::unwrap_used)] // a test may fail loudly

mod holds;
mod intake;
mod notices;
mod sending;
mod telling;

use super::{Arrival, Desk, Fact, Fund, IntakeContext, Policy, TakenIn, take_in};
use crate::case_file::ReviewTerms;
use crate::ids::{FundId, PolicyId};
use crate::money::Fen;
use crate::rules::Rules;
use crate::scenery::{at, award, debtor};
use crate::steps::Approval;
use std::collections::BTreeMap;

pub(super) fn approval(number: u32) -> Approval {
    let award = award(number);
    Approval {
        key: award.key,
        policy_id: award.policy_id,
        fund_id: None,
        enterprise: award.enterprise,
        amount: award.amount,
        currency: award.currency,
        payee: award.payee,
        approved_at: award.approved_at,
        officers: 1,
        commitment_id: None,
    }
}

pub(super) fn arrival(event_id: &str, fact: Fact) -> Arrival {
    Arrival {
        case: None,
        contacts: None,
        source: "/review".to_owned(),
        event_id: event_id.to_owned(),
        event_type: "any".to_owned(),
        subject: "A-1".to_owned(),
        keyid: "k".to_owned(),
        content_sha256: format!("{fact:?}"),
        body: Vec::new(),
        way: "submit".to_owned(),
        fact,
    }
}

pub(super) fn approved(number: u32) -> Arrival {
    arrival(&format!("e-{number}"), Fact::Approved(Box::new(approval(number))))
}

/// One fund with so much in it, one policy.
pub(super) fn context(appropriated: i64, cap: Option<i64>) -> IntakeContext {
    let fund = Fund {
        id: FundId::from("F-1"),
        name: "示例资金".to_owned(),
        currency: "CNY".to_owned(),
        appropriated: Fen(appropriated),
        committed: Fen::ZERO,
        debtor: debtor(),
        budget_document: None,
    };
    let policy = Policy {
        id: PolicyId::from("P-1"),
        title: "示例政策".to_owned(),
        department_id: "D-1".to_owned(),
        fund_id: fund.id.clone(),
        valid_from: "2020-01-01".parse().unwrap(),
        valid_to: None,
        cap_per_application: None,
        cap_per_enterprise_per_year: cap.map(Fen),
        release_limit: None,
        commitment_required: false,
        review: ReviewTerms::default(),
    };
    IntakeContext {
        funds: BTreeMap::from([(fund.id.clone(), fund)]),
        policies: BTreeMap::from([(policy.id.clone(), policy)]),
        ..IntakeContext::default()
    }
}

/// A desk on which these arrivals were taken in.
pub(super) fn desk_with<'a>(rules: &'a Rules, arrivals: Vec<Arrival>) -> (Desk<'a>, Vec<TakenIn>) {
    let mut desk = Desk::new(rules, at(0), []);
    let taken = take_in(&mut desk, &mut context(1_000_000, None), arrivals);
    (desk, taken)
}
