//! A district with one fund and one policy, and as many signed approvals as wanted: every third one for the same enterprise,
//! sums without fen, so that the sandbox's bank does what it is asked to.

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use zhida_schemas::signing::{SigningKey, sign};
use zhida_schemas::text::Id;

pub(crate) const DISTRICT: &str = "bench";
pub(crate) const KEYID: &str = "review";
const EVENT_TYPE: &str = "application.approved.v1";
/// Approvals of one enterprise.
const AWARDS: usize = 3;

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
    pub(crate) event_type: &'static str,
    pub(crate) body: Vec<u8>,
}

impl District {
    pub(crate) fn new() -> Self {
        Self { key: SigningKey::generate().unwrap() }
    }

    pub(crate) fn public_key(&self) -> String {
        self.key.public_key().to_string()
    }

    /// Approvals numbered from `first` on.
    pub(crate) fn approvals(&self, first: usize, count: usize) -> Vec<Approval> {
        let now = jiff::Timestamp::now();
        (first..first + count).map(|number| self.approval(number, now)).collect()
    }

    fn approval(&self, number: usize, now: jiff::Timestamp) -> Approval {
        let application_id = format!("A-2026-{number:07}");
        let (uscc, name) = (uscc(number / AWARDS), format!("示例科技第{:06}有限责任公司", number / AWARDS));
        let event_id = HEXLOWER.encode(application_id.as_bytes());
        let mut event: Value = json!({
            "specversion": "1.0", "id": event_id, "source": "/review/bench", "type": EVENT_TYPE,
            "subject": application_id, "time": now, "datacontenttype": "application/json",
            "data": {
                "application_id": application_id, "policy_id": "P-1", "enterprise": {"uscc": uscc, "name": name},
                "amount": {"currency": "CNY", "value": format!("{}.00", 1_000 + number % 700)},
                "payee": {"account_name": name, "account_no": format!("40000201090{:08}", number / AWARDS),
                    "bank_code": "102100099996", "bank_name": "示例银行"},
                "approved_at": now,
                "approvals": [{"department_id": "D-1", "officer_id": "O-1", "decided_at": now}],
                "contacts": {"mobile": format!("+86138{number:08}"), "email": "finance@example.com", "locale": "zh-CN"},
            },
        });
        sign(&mut event, &Id::parse(KEYID).unwrap(), &self.key).unwrap();
        Approval { event_id, event_type: EVENT_TYPE, body: event.to_string().into_bytes() }
    }
}

/// A valid USCC for every number below 10⁹ (GB 32100-2015; the inner check of the organisation is only a warning).
fn uscc(number: usize) -> String {
    const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    const WEIGHTS: [usize; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
    let head = format!("91350100{number:09}");
    let value = |letter: u8| ALPHABET.iter().position(|one| *one == letter).unwrap();
    let sum: usize = head.bytes().zip(WEIGHTS).map(|(letter, weight)| value(letter) * weight).sum();
    format!("{head}{}", char::from(ALPHABET[(31 - sum % 31) % 31]))
}
