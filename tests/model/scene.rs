//! What the small world is made of: one fund, one policy, two approvals, a message format and a signature check that read
//! as little as can be.

use jiff::Timestamp;
use zhida_core::ids::{ApplicationId, FundId, InstructionId, MsgId, PayoutKey, PolicyId};
use zhida_core::money::Fen;
use zhida_core::payout::{EndKind, Ended, Enterprise};
use zhida_core::ports::bank::{Debtor, Payee, PaymentFormat, Transfer};
use zhida_core::ports::store::{AuthorityReader, StoredEvent};
use zhida_core::steps::{Approval, Arrival, Authority, Fact, Fund, Policy};

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

pub(crate) struct Approved;

impl AuthorityReader for Approved {
    fn read(&self, approval: &StoredEvent, _: Option<&StoredEvent>) -> Option<Authority> {
        let number: u32 = std::str::from_utf8(&approval.body).ok()?.parse().ok()?;
        let (uscc, currency) = (format!("USCC-{number}"), "CNY".to_owned());
        Some(Authority { key: key(number), amount: Fen(100), currency, uscc, payee: payee(number) })
    }

    fn revoked_keys(&self) -> Vec<String> {
        Vec::new()
    }
}

fn key(number: u32) -> PayoutKey {
    PayoutKey { application_id: ApplicationId(format!("A-{number}")), tranche: 1 }
}

fn payee(number: u32) -> Payee {
    let (bank_code, bank_name) = (String::new(), String::new());
    Payee { account_name: format!("E-{number}"), account_no: number.to_string(), bank_code, bank_name }
}

pub(crate) fn approval(number: u32) -> Arrival {
    let approval = Approval {
        key: key(number),
        policy_id: PolicyId::from("P"),
        fund_id: None,
        enterprise: Enterprise { uscc: format!("USCC-{number}"), name: format!("E-{number}") },
        amount: Fen(100),
        currency: "CNY".to_owned(),
        payee: payee(number),
        approved_at: NOW,
        officers: 1,
        commitment_id: None,
    };
    arrival(number, Fact::Approved(Box::new(approval)))
}

/// The first application is withdrawn.
pub(crate) fn withdrawal() -> Arrival {
    let ended = Ended { kind: EndKind::Withdrawn, at: NOW, reason: String::new() };
    Arrival { event_id: "withdrawal".to_owned(), ..arrival(0, Fact::Ended(key(0).application_id, ended)) }
}

fn arrival(number: u32, fact: Fact) -> Arrival {
    Arrival {
        source: "/model".to_owned(),
        event_id: number.to_string(),
        event_type: String::new(),
        subject: String::new(),
        keyid: String::new(),
        content_sha256: String::new(),
        body: number.to_string().into_bytes(),
        way: String::new(),
        fact,
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
    }
}
