//! What the small world is made of: one fund, one policy, one or two awards taken in by the real intake step, and a message
//! format that reads as little as can be.

use jiff::Timestamp;
use zhida_core::case_file::ReviewTerms;
use zhida_core::ids::{ApplicationId, FundId, InstructionId, MsgId, PayoutKey, PolicyId};
use zhida_core::money::Fen;
use zhida_core::payout::{EndKind, Ended, Enterprise, Payout};
use zhida_core::ports::bank::{Debtor, Payee, PaymentFormat, Transfer};
use zhida_core::rules::Rules;
use zhida_core::steps::{Approval, Arrival, Authority, Desk, Fact, Fund, IntakeContext, Policy, take_in};

/// The moment at which the clock stands still.
pub(crate) const NOW: Timestamp = Timestamp::constant(1_795_000_000, 0);

/// A message is the names of its members, one a line.
pub(crate) struct Names;

impl PaymentFormat for Names {
    fn write(&self, _: &MsgId, _: Timestamp, transfers: &[Transfer]) -> Vec<u8> {
        let names: Vec<&str> = transfers.iter().map(|one| one.instruction_id.as_str()).collect();
        names.join("\n").into_bytes()
    }
}

pub(crate) fn names_in(bytes: &[u8]) -> Vec<InstructionId> {
    std::str::from_utf8(bytes).unwrap().lines().map(InstructionId::from).collect()
}

/// Awards 0, 1, … as intake makes them: funded, nothing stands against them.
pub(crate) fn awards(rules: &Rules, count: u32) -> Vec<Payout> {
    let policies = [(policy().id, policy())].into();
    let funds = [(fund().id, fund())].into();
    let mut context = IntakeContext { policies, funds, ..IntakeContext::default() };
    let mut desk = Desk::new(rules, NOW, []);
    take_in(&mut desk, &mut context, (0..count).map(approval).collect());
    desk.payouts.into_values().collect()
}

/// What the signed approval of an award entitles to.
pub(crate) fn authority(payout: &Payout) -> Authority {
    Authority {
        key: payout.key.clone(),
        amount: payout.amount,
        currency: payout.currency.clone(),
        uscc: payout.enterprise.uscc.clone(),
        payee: payout.payee.clone(),
        revoked_key: None,
    }
}

pub(crate) fn withdrawal() -> Ended {
    Ended { kind: EndKind::Withdrawn, at: NOW, reason: "as asked".to_owned() }
}

fn approval(number: u32) -> Arrival {
    let payee = Payee {
        account_name: format!("E-{number}"),
        account_no: number.to_string(),
        bank_code: String::new(),
        bank_name: String::new(),
    };
    let approval = Approval {
        key: PayoutKey { application_id: ApplicationId(format!("A-{number}")), tranche: 1 },
        policy_id: PolicyId::from("P"),
        fund_id: None,
        enterprise: Enterprise { uscc: format!("USCC-{number}"), name: format!("E-{number}") },
        amount: Fen(100),
        currency: "CNY".to_owned(),
        payee,
        approved_at: NOW,
        officers: 1,
        commitment_id: None,
    };
    Arrival {
        case: None,
        contacts: None,
        source: "/model".to_owned(),
        event_id: number.to_string(),
        event_type: String::new(),
        subject: String::new(),
        keyid: String::new(),
        content_sha256: String::new(),
        body: Vec::new(),
        way: String::new(),
        fact: Fact::Approved(Box::new(approval)),
    }
}

pub(crate) fn fund() -> Fund {
    let debtor = Debtor { name: String::new(), account_no: String::new(), bank_code: String::new() };
    let (name, currency) = (String::new(), "CNY".to_owned());
    let (appropriated, committed) = (Fen(1_000), Fen::ZERO);
    Fund { id: FundId::from("F"), name, currency, appropriated, committed, debtor, budget_document: None }
}

pub(crate) fn policy() -> Policy {
    Policy {
        id: PolicyId::from("P"),
        title: String::new(),
        department_id: String::new(),
        fund_id: FundId::from("F"),
        valid_from: jiff::civil::date(2020, 1, 1),
        valid_to: None,
        cap_per_application: None,
        cap_per_enterprise_per_year: None,
        release_limit: None,
        commitment_required: false,
        review: ReviewTerms::default(),
    }
}
