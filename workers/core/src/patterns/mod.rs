//! Patterns: what stands out when all applications of a window are looked at together. Each rule is a row of one table, a pure
//! function from facts to what it found, with its evidence. A pattern accuses nobody: it says what is worth a look and by which
//! figures; people look at it and say what it is.

mod applications;
mod enterprises;
mod evidence;
mod facts;
mod health;
mod officers;
mod pattern;
mod policies;
mod queue;
mod run;
mod seal;
mod statistics;
#[cfg(test)]
pub(crate) mod tests;

pub use evidence::{Evidence, Figure};
pub use facts::{Award, CaseFacts, CaseSource, DecisionFacts, StepFacts};
pub use health::{Health, HealthWord, Phase, health};
pub use pattern::{Change, Explained, Judged, Judgement, NotJudged, Pattern, PatternState};
pub(crate) use run::{EVENT_TYPE, told};
pub use run::{PatternsSeen, ids, settle};
pub use seal::Seal;
pub use zhida_config::patterns::Patterns as Thresholds;

use crate::ids::{ApplicationId, FundId, OfficerId, PolicyId};
use crate::money::Fen;
use crate::steps::{Fund, Policy};
use crate::supervision::Audience;
use crate::working_time::WorkingTime;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use zhida_config::sections::Switch;

/// What counts as more evidence than was explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// Each further mark: one more case is one more thing to explain.
    EachMark,
    /// A strength half as much again: figures over many cases move a little with every case.
    ByHalf,
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident($field:ident) = $audience:ident, $growth:ident, $find:path, $chinese:literal, $english:literal;)*) => {
        /// A rule. Its code is its name in settings, tables, messages and on the command line.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Rule {
            $($(#[$doc])* $name,)*
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in tables, settings and messages.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => stringify!($field),)* }
            }

            /// What people call it, Chinese and English.
            #[must_use]
            pub fn title(self) -> (&'static str, &'static str) {
                match self { $(Self::$name => ($chinese, $english),)* }
            }

            /// Who sees what it finds: what is about officers are clues for discipline inspection alone.
            #[must_use]
            pub fn audience(self) -> Audience {
                match self { $(Self::$name => Audience::$audience,)* }
            }

            /// What counts as more evidence.
            #[must_use]
            pub fn growth(self) -> Growth {
                match self { $(Self::$name => Growth::$growth,)* }
            }

            /// Whether the settings have it looked for.
            #[must_use]
            pub fn is_on(self, thresholds: &Thresholds) -> bool {
                let switch = match self { $(Self::$name => thresholds.$field.enabled,)* };
                switch == Switch::On
            }

            /// Looks for it, whether it is switched on or not.
            #[must_use]
            pub fn find(self, material: &Material<'_>) -> Vec<Found> {
                let mut found = match self { $(Self::$name => $find(material),)* };
                found.iter_mut().for_each(|one| one.evidence.bound());
                found
            }
        }
    };
}

rules! {
    /// A second supplement was asked for.
    SecondSupplement(second_supplement) = Supervision, EachMark, applications::second_supplement,
        "补正要求超过一次", "asked for a supplement more than once";
    /// Sent back between departments again and again.
    PingPong(ping_pong) = Supervision, EachMark, applications::ping_pong,
        "部门间反复退回", "sent back between departments again and again";
    /// A later application approved while an earlier equal one waits.
    QueueJump(queue_jump) = Supervision, EachMark, queue::queue_jump,
        "后报先批", "approved before an earlier, equal application";
    /// Times far from those of peers.
    OfficerTimes(officer_times) = Inspection, ByHalf, officers::officer_times,
        "办理用时偏离同岗", "times far from those of peers";
    /// Refusals far from those of peers.
    OfficerRefusals(officer_refusals) = Inspection, ByHalf, officers::officer_refusals,
        "不予通过比例偏离同岗", "share of refusals far from that of peers";
    /// Refused without a reason.
    RefusalWithoutReason(refusal_without_reason) = Supervision, EachMark, applications::refusal_without_reason,
        "不予通过未说明理由", "refused without a reason";
    /// One account for several enterprises.
    SharedAccount(shared_account) = Supervision, EachMark, enterprises::shared_account,
        "多家企业同一收款账户", "several enterprises, one account";
    /// One mobile for several enterprises.
    SharedMobile(shared_mobile) = Supervision, EachMark, enterprises::shared_mobile,
        "多家企业同一手机", "several enterprises, one mobile";
    /// One mail address for several enterprises.
    SharedEmail(shared_email) = Supervision, EachMark, enterprises::shared_email,
        "多家企业同一邮箱", "several enterprises, one mail address";
    /// Many awards just under the release limit.
    UnderReleaseLimit(under_release_limit) = Supervision, ByHalf, enterprises::under_release_limit,
        "金额密集低于复核线", "many awards just under the release limit";
    /// The same pair of approvers always.
    SameApprovers(same_approvers) = Inspection, ByHalf, officers::same_approvers,
        "固定两人审批", "always the same two approvers";
    /// One enterprise awarded twice under one policy.
    RepeatAward(repeat_award) = Supervision, EachMark, enterprises::repeat_award,
        "同一企业重复获批", "one enterprise awarded more than once under one policy";
    /// Approved seconds after submission.
    InstantApproval(instant_approval) = Supervision, EachMark, applications::instant_approval,
        "秒批", "approved within seconds of the submission";
    /// A policy that nobody applies to.
    PolicyUnused(policy_unused) = Supervision, ByHalf, policies::policy_unused,
        "政策长期无人申报", "nobody applies under the policy";
    /// A policy that takes applications after its last day.
    ListedAfterExpiry(listed_after_expiry) = Supervision, EachMark, policies::listed_after_expiry,
        "政策过期仍受理", "applications after the policy's last day";
    /// Awards of a policy that was over.
    PaidAfterExpiry(paid_after_expiry) = Supervision, EachMark, policies::paid_after_expiry,
        "政策过期仍兑付", "awards after the policy's last day";
    /// Approvals that are not paid.
    ApprovedUnpaid(approved_unpaid) = Supervision, EachMark, policies::approved_unpaid,
        "批而未付", "approved and not paid";
    /// An appropriation hardly used near the end of the year.
    AppropriationUnused(appropriation_unused) = Supervision, ByHalf, policies::appropriation_unused,
        "年末资金闲置", "appropriation hardly used near the end of the year";
}

impl Rule {
    /// Reads a name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.code() == code)
    }
}

/// What a pattern is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Subject {
    /// An application.
    Application(ApplicationId),
    /// An enterprise, by its unified social credit code.
    Enterprise(String),
    /// A policy.
    Policy(PolicyId),
    /// A fund.
    Fund(FundId),
    /// An officer.
    Officer(OfficerId),
    /// Two officers, in the order of their ids.
    Pair(OfficerId, OfficerId),
    /// Something personal that several share, by its fingerprint: see [`Seal`].
    Fingerprint(String),
}

impl Subject {
    /// What kind of thing.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Application(_) => "application",
            Self::Enterprise(_) => "enterprise",
            Self::Policy(_) => "policy",
            Self::Fund(_) => "fund",
            Self::Officer(_) => "officer",
            Self::Pair(..) => "pair",
            Self::Fingerprint(_) => "fingerprint",
        }
    }

    /// Which.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Application(id) => id.to_string(),
            Self::Enterprise(text) | Self::Fingerprint(text) => text.clone(),
            Self::Policy(id) => id.to_string(),
            Self::Fund(id) => id.to_string(),
            Self::Officer(id) => id.to_string(),
            Self::Pair(one, other) => format!("{one} {other}"),
        }
    }

    /// It is, or is of, this person.
    #[must_use]
    pub fn is_about(&self, officer: &str) -> bool {
        match self {
            Self::Officer(id) => id.as_str() == officer,
            Self::Pair(one, other) => one.as_str() == officer || other.as_str() == officer,
            Self::Application(_) | Self::Enterprise(_) | Self::Policy(_) | Self::Fund(_) | Self::Fingerprint(_) => {
                false
            }
        }
    }
}

/// What a rule found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// By which rule.
    pub rule: Rule,
    /// What makes it this one and no other: the same pattern found again has the same key.
    pub key: String,
    /// What it is about.
    pub subject: Subject,
    /// What it rests on.
    pub evidence: Evidence,
    /// A plain sentence, Chinese.
    pub chinese: String,
    /// The same in English.
    pub english: String,
}

/// What rules look at.
pub struct Material<'a> {
    /// Applications of the window.
    pub cases: &'a [CaseFacts],
    /// Where the window begins: what was decided before is left out.
    pub seen_from: Timestamp,
    /// Policies by id.
    pub policies: &'a BTreeMap<PolicyId, Policy>,
    /// Funds.
    pub funds: &'a [Fund],
    /// Working days and hours.
    pub time: &'a WorkingTime,
    /// From where on it counts.
    pub thresholds: &'a Thresholds,
    /// The limit above which a second officer is needed where the policy has none.
    pub second_officer_above: Option<Fen>,
    /// The database's clock.
    pub now: Timestamp,
}

impl Material<'_> {
    /// What every rule that is switched on finds, rule by rule.
    #[must_use]
    pub fn find_all(&self) -> Vec<Found> {
        Rule::ALL.iter().filter(|rule| rule.is_on(self.thresholds)).flat_map(|rule| rule.find(self)).collect()
    }

    /// Since when all applications are seen; none while none was. Of what was decided before the window nothing is known, however long
    /// an application lies open.
    #[must_use]
    pub fn watched_since(&self) -> Option<Timestamp> {
        self.cases.iter().filter_map(|case| case.submitted_at).min().map(|first| first.max(self.seen_from))
    }

    fn today(&self) -> Date {
        self.time.day_of(self.now)
    }

    /// A policy as sentences name it.
    fn policy_name(&self, id: &PolicyId) -> String {
        self.policies.get(id).map_or_else(|| id.to_string(), |policy| format!("《{}》{id}", policy.title))
    }

    /// Cases by policy; those whose policy nobody named are left out.
    fn by_policy(&self) -> BTreeMap<&PolicyId, Vec<&CaseFacts>> {
        let mut by_policy: BTreeMap<&PolicyId, Vec<&CaseFacts>> = BTreeMap::new();
        for case in self.cases {
            if let Some(id) = &case.policy_id {
                by_policy.entry(id).or_default().push(case);
            }
        }
        by_policy
    }
}
