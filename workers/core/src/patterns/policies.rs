//! Rules about policies and funds: nobody applies, applications or awards after the last day, awards that are not paid, funds that are
//! not used.

use super::{CaseFacts, Evidence, Found, Material, Rule, Subject};
use crate::ids::{ApplicationId, PolicyId};
use crate::money::Fen;
use crate::steps::{Fund, Policy};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// On paper only: open for so many days, watched for as many, and nobody applied.
pub(super) fn policy_unused(material: &Material<'_>) -> Vec<Found> {
    let used: BTreeSet<&PolicyId> = material.by_policy().into_keys().collect();
    let unused = material.policies.values().filter(|policy| !used.contains(&policy.id));
    unused.filter_map(|policy| found_unused(policy, material)).collect()
}

fn found_unused(policy: &Policy, material: &Material<'_>) -> Option<Found> {
    let today = material.today();
    let watched_from = material.time.day_of(material.watched_since()?);
    let days = days_from(policy.valid_from.max(watched_from), today);
    let is_open = policy.valid_from <= today && policy.valid_to.is_none_or(|last| today <= last);
    let least = i64::from(material.thresholds.policy_unused.days);
    (is_open && days >= least).then(|| {
        let evidence = Evidence {
            marks: BTreeSet::from([policy.id.to_string()]),
            strength: days.unsigned_abs(),
            sample: material.cases.len() as u64,
            ..Evidence::default()
        };
        of_policy(
            Rule::PolicyUnused,
            &policy.id,
            evidence.figure("days", days, "days"),
            material,
            &format!("已开放并观察 {days} 天，无人申报，值得核实是否为人所知、条件是否可行"),
            &format!(
                "open and watched for {days} days, and nobody applied; worth a look whether it is known and can be met"
            ),
        )
    })
}

/// Applications submitted after the policy's last day and not declined: it is still offered somewhere.
pub(super) fn listed_after_expiry(material: &Material<'_>) -> Vec<Found> {
    let least = material.thresholds.listed_after_expiry.min_applications as usize;
    let found = |(policy_id, cases): (&PolicyId, Vec<&CaseFacts>)| {
        let last = material.policies.get(policy_id)?.valid_to?;
        let late = late_applications(&cases, last, material);
        (late.len() >= least).then(|| {
            let count = late.len();
            of_policy(
                Rule::ListedAfterExpiry,
                policy_id,
                Evidence::of_each(late).figure("applications", count, ""),
                material,
                &format!("{last} 到期后仍有 {count} 件申报，值得核实是否已下架"),
                &format!(
                    "{count} applications came after its last day {last}; worth a look whether it is still offered"
                ),
            )
        })
    };
    material.by_policy().into_iter().filter_map(found).collect()
}

/// Submitted after the last day, and not turned away.
pub(super) fn late_applications(cases: &[&CaseFacts], last: Date, material: &Material<'_>) -> BTreeSet<ApplicationId> {
    let late = |case: &&&CaseFacts| {
        let submitted = case.submitted_at.map(|at| material.time.day_of(at));
        submitted.is_some_and(|day| day > last) && !case.is_refused()
    };
    cases.iter().filter(late).map(|case| case.application_id.clone()).collect()
}

/// Awards after the policy's last day: of what was submitted after it, or approved when the days of grace were over, too.
pub(super) fn paid_after_expiry(material: &Material<'_>) -> Vec<Found> {
    let found = |(policy_id, cases): (&PolicyId, Vec<&CaseFacts>)| {
        let last = material.policies.get(policy_id)?.valid_to?;
        let late = late_awards(&cases, last, material);
        (!late.is_empty()).then(|| {
            let count = late.len();
            of_policy(
                Rule::PaidAfterExpiry,
                policy_id,
                Evidence::of_each(late).figure("awards", count, ""),
                material,
                &format!("{last} 到期后仍兑付 {count} 件，值得核实依据"),
                &format!(
                    "{count} awards were paid that its last day {last} does not cover; worth a look on what they rest"
                ),
            )
        })
    };
    material.by_policy().into_iter().filter_map(found).collect()
}

/// Credited although the policy was over.
pub(super) fn late_awards(cases: &[&CaseFacts], last: Date, material: &Material<'_>) -> BTreeSet<ApplicationId> {
    let grace = i64::from(material.thresholds.paid_after_expiry.grace_days);
    let late = |case: &&&CaseFacts| {
        let submitted = case.submitted_at.map(|at| material.time.day_of(at));
        case.awards.iter().filter(|award| award.credited_at.is_some()).any(|award| {
            let approved = material.time.day_of(award.approved_at);
            match submitted {
                Some(day) if day > last => true,
                Some(_) | None => days_from(last, approved) > grace,
            }
        })
    };
    cases.iter().filter(late).map(|case| case.application_id.clone()).collect()
}

/// Promised and not paid. What waits for the enterprise's own correction of its account is not owed meanwhile.
pub(super) fn approved_unpaid(material: &Material<'_>) -> Vec<Found> {
    let found = |(policy_id, cases): (&PolicyId, Vec<&CaseFacts>)| {
        let (unpaid, sum, oldest) = unpaid(&cases, material)?;
        let (count, hours) = (unpaid.len(), material.now.duration_since(oldest).as_hours());
        Some(of_policy(
            Rule::ApprovedUnpaid,
            policy_id,
            Evidence::of_each(unpaid).figure("awards", count, "").figure("sum", sum.0, "fen").figure(
                "oldest_overdue",
                hours,
                "hours",
            ),
            material,
            &format!("{count} 件已审定未到账，合计 {sum} 元，最久超期 {hours} 小时，值得核实原因"),
            &format!(
                "{count} awards of {sum} yuan are approved and not credited, the oldest {hours} hours overdue; worth a look why"
            ),
        ))
    };
    material.by_policy().into_iter().filter_map(found).collect()
}

/// Awards that are owed for longer than they may be, their sum, and since when the oldest is overdue.
pub(super) fn unpaid(
    cases: &[&CaseFacts],
    material: &Material<'_>,
) -> Option<(BTreeSet<ApplicationId>, Fen, Timestamp)> {
    let grace = SignedDuration::from_hours(i64::from(material.thresholds.approved_unpaid.hours));
    let mut owed: BTreeSet<ApplicationId> = BTreeSet::new();
    let (mut sum, mut oldest) = (0_i64, None::<Timestamp>);
    for case in cases {
        for award in &case.awards {
            let Some(due_at) = award.owed_since.filter(|due| material.now.duration_since(*due) >= grace) else {
                continue;
            };
            owed.insert(case.application_id.clone());
            sum = sum.saturating_add(award.amount.0);
            oldest = Some(oldest.map_or(due_at, |before| before.min(due_at)));
        }
    }
    oldest.map(|oldest| (owed, Fen(sum), oldest))
}

/// Money set aside and hardly used when the year ends, although a policy that draws on it was open, and watched, for long.
pub(super) fn appropriation_unused(material: &Material<'_>) -> Vec<Found> {
    material.funds.iter().filter_map(|fund| found_idle(fund, material)).collect()
}

fn found_idle(fund: &Fund, material: &Material<'_>) -> Option<Found> {
    let rule = &material.thresholds.appropriation_unused;
    let today = material.today();
    let (first, last) = (Date::new(today.year(), 1, 1).ok()?, Date::new(today.year(), 12, 31).ok()?);
    let watched_from = material.time.day_of(material.watched_since()?);
    let near_the_end = days_from(today, last) < i64::from(rule.before_year_end_days);
    let open_days = |policy: &Policy| {
        let until = policy.valid_to.map_or(today, |last| last.min(today));
        days_from(policy.valid_from.max(first).max(watched_from), until)
    };
    let of_fund = material.policies.values().filter(|policy| policy.fund_id == fund.id);
    let longest = of_fund.map(open_days).max().unwrap_or(0);
    if !near_the_end || longest < i64::from(rule.min_open_days) || fund.appropriated.0 <= 0 {
        return None;
    }
    let used = i64::try_from(i128::from(fund.committed.0) * 100 / i128::from(fund.appropriated.0)).unwrap_or(i64::MAX);
    (used < i64::from(rule.min_used_percent)).then(|| {
        let (year, left) = (today.year(), Fen(fund.appropriated.0.saturating_sub(fund.committed.0)));
        let evidence = Evidence {
            marks: BTreeSet::from([fund.id.to_string()]),
            strength: (100 - used).unsigned_abs(),
            ..Evidence::default()
        };
        Found {
            rule: Rule::AppropriationUnused,
            key: format!("{}/{year}", fund.id),
            subject: Subject::Fund(fund.id.clone()),
            evidence: evidence
                .figure("used", used, "percent")
                .figure("appropriated", fund.appropriated.0, "fen")
                .figure("left", left.0, "fen"),
            chinese: format!("{}（{}）临近年末仅使用 {used}%，尚余 {left} 元，值得核实政策落实情况", fund.name, fund.id),
            english: format!(
                "{} ({}) is used by {used} % near the end of {year}, {left} yuan are left; worth a look how its policies fare",
                fund.name, fund.id
            ),
        }
    })
}

fn of_policy(
    rule: Rule,
    id: &PolicyId,
    evidence: Evidence,
    material: &Material<'_>,
    chinese: &str,
    english: &str,
) -> Found {
    let policy = material.policy_name(id);
    Found {
        rule,
        key: id.to_string(),
        subject: Subject::Policy(id.clone()),
        evidence: Evidence { policy_id: Some(id.clone()), ..evidence },
        chinese: format!("{policy}：{chinese}"),
        english: format!("{policy}: {english}"),
    }
}

/// Days from one to the other; negative when the other is earlier.
pub(super) fn days_from(one: Date, other: Date) -> i64 {
    (other - one).get_days().into()
}
