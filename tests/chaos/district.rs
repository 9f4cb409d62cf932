//! A district with one fund and one policy, and as many signed approvals as wanted.

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use zhida_core::ids::{ApplicationId, InstructionId, PayoutKey};
use zhida_schemas::signing::{SigningKey, sign};
use zhida_schemas::text::Id;

pub(crate) const DISTRICT: &str = "chaos";
pub(crate) const KEYID: &str = "review";

pub(crate) const POLICIES: &str = r#"
[[funds]]
id = "F-1"
name = "惠企资金"
currency = "CNY"
appropriated = "1000000000.00"
debtor_name = "示例区财政局"
debtor_account = "1100000000000000001"
debtor_bank_code = "102100099996"

[[policies]]
id = "P-1"
title = "稳岗补贴"
department_id = "D-1"
fund_id = "F-1"
valid_from = "2020-01-01"
conditions = "无"
materials = []
"#;

pub(crate) struct District {
    key: SigningKey,
}

/// A signed approval as a sender keeps it.
#[derive(Clone)]
pub(crate) struct Approval {
    pub(crate) event_id: String,
    pub(crate) instruction_id: String,
    pub(crate) fen: i64,
    pub(crate) body: Vec<u8>,
}

/// Each award has a phone of its own.
pub(crate) fn mobile(number: usize) -> String {
    format!("+86138{number:08}")
}

impl District {
    pub(crate) fn new() -> Self {
        Self { key: SigningKey::generate().unwrap() }
    }

    pub(crate) fn public_key(&self) -> String {
        self.key.public_key().to_string()
    }

    /// Approvals of two enterprises, so that many are equal in all but their application.
    pub(crate) fn approvals(&self, count: usize) -> Vec<Approval> {
        let now = jiff::Timestamp::now();
        (0..count).map(|number| self.approval(number, now)).collect()
    }

    fn approval(&self, number: usize, now: jiff::Timestamp) -> Approval {
        let application_id = format!("A-{number:06}");
        let (uscc, name) =
            [("91350100M000100Y43", "示例科技有限责任公司"), ("91110108551385082Q", "示例制造有限责任公司")]
                [number % 2];
        let fen = 100_000 + i64::try_from(number % 7).unwrap();
        let event_id = HEXLOWER.encode(application_id.as_bytes());
        let mut event: Value = json!({
            "specversion": "1.0", "id": event_id, "source": "/review/chaos", "type": "application.approved.v1",
            "subject": application_id, "time": now, "datacontenttype": "application/json",
            "data": {
                "application_id": application_id, "policy_id": "P-1", "enterprise": {"uscc": uscc, "name": name},
                "amount": {"currency": "CNY", "value": format!("{}.{:02}", fen / 100, fen % 100)},
                "payee": {"account_name": name, "account_no": format!("400002010900000000{}", number % 2),
                    "bank_code": "102100099996", "bank_name": "示例银行"},
                "approved_at": now,
                "approvals": [{"department_id": "D-1", "officer_id": "O-1", "decided_at": now}],
                "contacts": {"mobile": mobile(number)},
            },
        });
        sign(&mut event, &Id::parse(KEYID).unwrap(), &self.key).unwrap();
        let key = PayoutKey { application_id: ApplicationId(application_id), tranche: 1 };
        let instruction_id = InstructionId::derive(DISTRICT, &key, 1).0;
        Approval { event_id, instruction_id, fen, body: event.to_string().into_bytes() }
    }
}
