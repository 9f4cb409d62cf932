//! Rules about what enterprises share, and about awards: one account, mobile or mail address for several enterprises; more than one
//! award under one policy; awards just under the sum from which a second officer is needed.

use super::{CaseFacts, Evidence, Found, Material, Rule, Subject};
use crate::ids::{ApplicationId, PolicyId};
use crate::money::Fen;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn shared_account(material: &Material<'_>) -> Vec<Found> {
    let least = material.thresholds.shared_account.min_enterprises;
    let accounts = |case: &CaseFacts| case.accounts.iter().cloned().collect();
    shared(material, Rule::SharedAccount, least, ("收款账户", "an account"), accounts)
}

pub(super) fn shared_mobile(material: &Material<'_>) -> Vec<Found> {
    let least = material.thresholds.shared_mobile.min_enterprises;
    shared(material, Rule::SharedMobile, least, ("手机", "a mobile"), |case| case.mobile.iter().cloned().collect())
}

pub(super) fn shared_email(material: &Material<'_>) -> Vec<Found> {
    let least = material.thresholds.shared_email.min_enterprises;
    shared(material, Rule::SharedEmail, least, ("邮箱", "a mail address"), |case| {
        case.email.iter().cloned().collect()
    })
}

/// One fingerprint at several enterprises. However often one enterprise uses its own is nobody's affair.
fn shared(
    material: &Material<'_>,
    rule: Rule,
    least: u32,
    (chinese, english): (&str, &str),
    prints: impl Fn(&CaseFacts) -> Vec<String>,
) -> Vec<Found> {
    let mut users: BTreeMap<String, BTreeMap<&str, BTreeSet<ApplicationId>>> = BTreeMap::new();
    for case in material.cases {
        let Some(uscc) = &case.uscc else { continue };
        for print in prints(case) {
            users.entry(print).or_default().entry(uscc).or_default().insert(case.application_id.clone());
        }
    }
    users.retain(|_, enterprises| enterprises.len() >= least as usize);
    let found = |(print, enterprises): (String, BTreeMap<&str, BTreeSet<ApplicationId>>)| {
        let count = enterprises.len();
        let evidence = Evidence {
            marks: enterprises.keys().map(|uscc| (*uscc).to_owned()).collect(),
            sample: material.cases.len() as u64,
            strength: count as u64,
            peers: enterprises.iter().map(|(uscc, ids)| format!("{uscc}: {}", ids.len())).collect(),
            ..Evidence::default()
        };
        Found {
            rule,
            key: print.clone(),
            evidence: evidence.figure("enterprises", count, "").naming(enterprises.into_values().flatten()),
            chinese: format!("{count} 家企业共用一个{chinese}（指纹 {print}），值得核实关联关系"),
            english: format!(
                "{count} enterprises share {english} (fingerprint {print}); worth a look how they are related"
            ),
            subject: Subject::Fingerprint(print),
        }
    };
    users.into_iter().map(found).collect()
}

/// Several awarded applications of one enterprise under one policy in one calendar year of their approval. Parts of one award are one,
/// and so is what was revoked or withdrawn: none.
pub(super) fn repeat_award(material: &Material<'_>) -> Vec<Found> {
    let least = material.thresholds.repeat_award.min_awards as usize;
    let mut awarded: BTreeMap<(&PolicyId, &str, i16), BTreeMap<ApplicationId, i64>> = BTreeMap::new();
    for case in material.cases.iter().filter(|case| case.is_awarded()) {
        let (Some(policy_id), Some(uscc), Some(award)) = (&case.policy_id, &case.uscc, case.awards.first()) else {
            continue;
        };
        let of_year = awarded.entry((policy_id, uscc, year_of(award.approved_at, material))).or_default();
        of_year.insert(case.application_id.clone(), case.awards.iter().map(|award| award.amount.0).sum());
    }
    awarded.retain(|(policy_id, ..), awards| awards.len() >= least && !foresees_several(policy_id, material));
    let found = |((policy_id, uscc, year), awards): ((&PolicyId, &str, i16), BTreeMap<ApplicationId, i64>)| {
        let (count, sum) = (awards.len(), Fen(awards.values().sum()));
        let evidence = Evidence::of_each(awards.into_keys().collect());
        let policy = material.policy_name(policy_id);
        Found {
            rule: Rule::RepeatAward,
            key: format!("{policy_id}/{uscc}/{year}"),
            subject: Subject::Enterprise(uscc.to_owned()),
            evidence: Evidence { policy_id: Some(policy_id.clone()), ..evidence }
                .figure("awards", count, "")
                .figure("sum", sum.0, "fen"),
            chinese: format!("{policy}：企业 {uscc} 在 {year} 年获批 {count} 次，合计 {sum} 元，值得核实政策是否允许"),
            english: format!(
                "{policy}: enterprise {uscc} was awarded {count} times in {year}, {sum} yuan in all; worth a look whether the policy \
                 allows it"
            ),
        }
    };
    awarded.into_iter().map(found).collect()
}

fn year_of(at: Timestamp, material: &Material<'_>) -> i16 {
    material.time.day_of(at).year()
}

/// A cap for a year above that for one application says that an enterprise may apply more than once.
fn foresees_several(policy_id: &PolicyId, material: &Material<'_>) -> bool {
    material.policies.get(policy_id).is_some_and(|policy| {
        let caps = policy.cap_per_enterprise_per_year.zip(policy.cap_per_application);
        caps.is_some_and(|(of_year, of_one)| of_year > of_one)
    })
}

/// So many different sums at most are grades of an award, where each was awarded twice or more on average.
const GRADES_MAX: usize = 10;

/// Many awards of a single officer just under the limit from which a second one is needed, and few just above it. Where the
/// awards of the policy are a few sums, each again and again, the policy has fixed them; an award of its cap was cut off there.
pub(super) fn under_release_limit(material: &Material<'_>) -> Vec<Found> {
    let each = material.by_policy().into_iter();
    each.filter_map(|(policy_id, cases)| just_under(policy_id, &cases, material)).collect()
}

fn just_under(policy_id: &PolicyId, cases: &[&CaseFacts], material: &Material<'_>) -> Option<Found> {
    let rule = &material.thresholds.under_release_limit;
    let policy = material.policies.get(policy_id)?;
    let limit = policy.release_limit.or(material.second_officer_above)?;
    let band = limit.0.saturating_mul(i64::from(rule.within_percent)) / 100;
    let awards = || {
        let awarded = cases.iter().filter(|case| case.is_awarded());
        awarded.flat_map(|case| case.awards.iter().map(move |award| (*case, award.amount)))
    };
    let sums: BTreeSet<Fen> = awards().map(|(_, amount)| amount).collect();
    if sums.len() <= GRADES_MAX && sums.len() * 2 <= awards().count() {
        return None;
    }
    let is_cap = |amount: Fen| policy.cap_per_application == Some(amount);
    let below: BTreeSet<ApplicationId> = awards()
        .filter(|(case, amount)| {
            (limit.0 - band..=limit.0).contains(&amount.0) && !is_cap(*amount) && case.most_approvers() == 1
        })
        .map(|(case, _)| case.application_id.clone())
        .collect();
    let above = awards().filter(|(_, amount)| (limit.0 + 1..=limit.0.saturating_add(band)).contains(&amount.0)).count();
    let many = below.len() >= rule.min_awards as usize && below.len() >= above * rule.times_above as usize;
    many.then(|| {
        let (count, sample) = (below.len(), awards().count());
        let evidence = Evidence::of_each(below);
        let (policy, percent) = (material.policy_name(policy_id), rule.within_percent);
        Found {
            rule: Rule::UnderReleaseLimit,
            key: policy_id.to_string(),
            subject: Subject::Policy(policy_id.clone()),
            evidence: Evidence { policy_id: Some(policy_id.clone()), sample: sample as u64, ..evidence }
                .figure("just_under", count, "")
                .figure("just_above", above, "")
                .figure("limit", limit.0, "fen")
                .figure("awards", sample, ""),
            chinese: format!(
                "{policy}：{count} 笔（共 {sample} 笔）略低于复核线 {limit} 元（{percent}% 以内）且由一人审定，略高的 {above} 笔，值得核实"
            ),
            english: format!(
                "{policy}: {count} of {sample} awards lie within {percent} % under the release limit of {limit} yuan, approved by one \
                 officer, {above} as near above it; worth a look"
            ),
        }
    })
}
