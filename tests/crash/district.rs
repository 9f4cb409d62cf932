//! Three awards, two of them equal in all but their application, and the signed events that approve them.

use jiff::Timestamp;
use serde_json::{Value, json};
use zhida_core::case_file::ReviewTerms;
use zhida_core::ids::{ApplicationId, FundId, InstructionId, PayoutKey, PolicyId};
use zhida_core::money::Fen;
use zhida_core::ports::bank::Debtor;
use zhida_core::steps::{Fund, Policy};
use zhida_schemas::signing::{SigningKey, sign};
use zhida_schemas::text::Id;

pub(crate) const DISTRICT: &str = "crash";
pub(crate) const KEYID: &str = "review";
pub(crate) const ACCOUNT: &str = "4000020109000000001";

/// An award, and the only instruction under which it may be paid here.
pub(crate) struct Award {
    pub(crate) application: ApplicationId,
    pub(crate) amount: Fen,
    pub(crate) instruction: InstructionId,
}

/// The awards of story number `story` on one database.
pub(crate) fn awards(story: u64) -> Vec<Award> {
    let award = |(number, fen): (usize, i64)| {
        let key = PayoutKey { application_id: ApplicationId(format!("A-{story}-{number}")), tranche: 1 };
        let instruction = InstructionId::derive(DISTRICT, &key, 1);
        Award { application: key.application_id, amount: Fen(fen), instruction }
    };
    [150_000, 150_000, 20_050].into_iter().enumerate().map(award).collect()
}

pub(crate) fn total(awards: &[Award]) -> Fen {
    awards.iter().map(|award| award.amount).sum()
}

/// The signed approval of an award.
pub(crate) fn approval(key: &SigningKey, award: &Award, now: Timestamp) -> Vec<u8> {
    let (application, name) = (&award.application, "示例科技有限责任公司");
    let mut event: Value = json!({
        "specversion": "1.0", "id": format!("e-{application}"), "source": "/review/crash",
        "type": "application.approved.v1", "subject": application, "time": now,
        "datacontenttype": "application/json",
        "data": {
            "application_id": application, "policy_id": "P-1",
            "enterprise": {"uscc": "91350100M000100Y43", "name": name},
            "amount": {"currency": "CNY", "value": award.amount.to_string()},
            "payee": {"account_name": name, "account_no": ACCOUNT, "bank_code": "102100099996", "bank_name": "示例银行"},
            "approved_at": now,
            "approvals": [{"department_id": "D-1", "officer_id": "O-1", "decided_at": now}],
        },
    });
    sign(&mut event, &Id::parse(KEYID).unwrap(), key).unwrap();
    event.to_string().into_bytes()
}

pub(crate) fn fund() -> Fund {
    Fund {
        id: FundId::from("F-1"),
        name: "惠企资金".to_owned(),
        currency: "CNY".to_owned(),
        appropriated: Fen(10_000_000_000),
        committed: Fen::ZERO,
        debtor: Debtor {
            name: "示例区财政局".to_owned(),
            account_no: "1100000000000000001".to_owned(),
            bank_code: "102100099996".to_owned(),
        },
        budget_document: None,
    }
}

pub(crate) fn policy() -> Policy {
    Policy {
        id: PolicyId::from("P-1"),
        title: "稳岗补贴".to_owned(),
        department_id: "D-1".to_owned(),
        fund_id: FundId::from("F-1"),
        valid_from: "2020-01-01".parse().unwrap(),
        valid_to: None,
        cap_per_application: None,
        cap_per_enterprise_per_year: None,
        release_limit: None,
        commitment_required: false,
        review: ReviewTerms::default(),
    }
}
