//! Holds: business reasons why a payout waits although its 24 hours run. Not quarantine, which is for what is unreadable,
//! untrusted or contradictory.

use crate::ids::OperatorId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

macro_rules! hold_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $ends:ident, $release:ident, $chinese:literal, $english:literal;)*) => {
        /// Why a payout is held. The code is public: it stands in `reason.code`, in `release` and in alerts.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum HoldCode {
            $($(#[$doc])* $name,)*
        }

        impl HoldCode {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The public code.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// How the hold ends.
            #[must_use]
            pub fn ends(self) -> Ends {
                match self { $(Self::$name => Ends::$ends,)* }
            }

            /// Who may release it by hand.
            #[must_use]
            pub fn release(self) -> Release {
                match self { $(Self::$name => Release::$release,)* }
            }

            /// One sentence in Chinese and in English.
            #[must_use]
            pub fn sentences(self) -> (&'static str, &'static str) {
                match self { $(Self::$name => ($chinese, $english),)* }
            }

            /// Reads a public code.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$name),)* _ => None }
            }
        }
    };
}

/// How a hold ends without a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// By itself: the rule is tried again whenever what it depends on changes.
    ByItself,
    /// When its time has come.
    AtTime,
    /// Only by a person.
    ByPerson,
}

/// Who may release a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// Nobody: the cause itself must go.
    Nobody,
    /// One releasing officer.
    One,
    /// Two different releasing officers.
    Two,
}

hold_codes! {
    /// The policy is not known yet.
    PolicyUnknown = "policy_unknown", ByItself, Nobody,
        "政策尚未登记，登记后自动继续。", "The policy is not registered; this ends by itself when it is imported.";
    /// The policy was not open on the day of approval.
    PolicyNotOpen = "policy_not_open", ByItself, Two,
        "审定之日不在政策有效期内。", "The policy was not open on the day of approval.";
    /// The approval names another fund than its policy's, or one nobody knows.
    FundUnknown = "fund_unknown", ByItself, Nobody,
        "资金来源未登记或与政策不符。", "The fund is unknown or not the policy's.";
    /// The currency is not the fund's.
    CurrencyNotFunds = "currency_not_funds", ByItself, Nobody,
        "币种与资金币种不符。", "The currency is not the fund's.";
    /// More than the policy allows for one application.
    CapPerApplication = "cap_per_application", ByItself, Two,
        "超过单项申报上限。", "The amount is above the policy's cap for one application.";
    /// More than the policy allows one enterprise in a year.
    CapPerEnterprise = "cap_per_enterprise", ByItself, Two,
        "超过企业年度上限。", "The amount is above the policy's yearly cap for one enterprise.";
    /// The fund has less left than the amount.
    FundShort = "fund_short", ByItself, Nobody,
        "资金余额不足，补足后自动继续。", "The fund is short; this ends by itself when it is filled.";
    /// The account's name is not the enterprise's registered name.
    AccountName = "account_name", ByPerson, One,
        "收款户名与企业名称不一致。", "The account name is not the enterprise's registered name.";
    /// Above the release limit and fewer than two officers approved it.
    OfficersMissing = "officers_missing", ByPerson, Two,
        "超过复核限额，需两名经办人审定。", "Above the release limit fewer than two different officers approved it.";
    /// The approval was older than allowed when it first arrived.
    TooOld = "too_old", ByPerson, One,
        "审定时间过早，需人工确认。", "The approval was too old when it first arrived; a person confirms it.";
    /// The policy requires a signed integrity commitment.
    CommitmentMissing = "commitment_missing", ByItself, One,
        "缺少诚信承诺书，收到后自动继续。", "The integrity commitment is missing; this ends by itself when it arrives.";
    /// The public notice has not ended.
    PublicityOpen = "publicity_open", ByItself, Nobody,
        "公示尚未结束。", "The public notice has not ended.";
    /// An objection is open.
    ObjectionOpen = "objection_open", ByItself, Nobody,
        "异议尚未处理完毕。", "An objection raised during publicity is open.";
    /// The application was withdrawn, rejected or revoked before this approval came.
    ApplicationEnded = "application_ended", ByPerson, Two,
        "申请此前已撤回、驳回或撤销。", "The application was withdrawn, rejected or revoked before its approval arrived.";
    /// The account differs from the one the enterprise was last paid on.
    PayeeChanged = "payee_changed", ByPerson, One,
        "收款账户与上次不同，需确认。", "The account differs from the enterprise's last paid one; a person confirms it.";
    /// The key that signed the approval has been revoked.
    KeyRevoked = "key_revoked", ByPerson, Two,
        "签名密钥已被吊销。", "The key that signed the approval has been revoked.";
    /// What would be sent is not what was signed.
    SignatureMismatch = "signature_mismatch", ByPerson, Two,
        "待付内容与签名审定不一致，请查明原因；解除后付款前仍会核对。", "What would be sent differs from the signed approval: look for tampering. After a release it is checked again before it is sent.";
    /// An operator holds it.
    Operator = "operator", ByPerson, One,
        "经办人暂缓。", "An operator holds it.";
    /// The bank said that the debtor account lacks funds.
    BankFunds = "bank_funds", AtTime, Nobody,
        "付款账户余额不足，稍后自动重付。", "The bank says the paying account lacks funds; a new instruction goes out later.";
    /// The bank's window is closed.
    BankWindow = "bank_window", AtTime, Nobody,
        "银行业务窗口已关闭，开放后自动继续。", "The bank's window is closed; a new instruction goes out when it opens.";
    /// The bank refused the message that carried it alone, for its form.
    FormatRefused = "format_refused", ByPerson, Two,
        "银行拒收报文格式，需人工处理。", "The bank refused the form of the message that carried it; two officers decide.";
}

/// A hold in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// When it was placed.
    pub since: Timestamp,
    /// When it ends by time, for the codes that do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The figures behind it, in plain words without personal data.
    pub detail: String,
    /// The first of two officers who released it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_by: Option<OperatorId>,
}
