//! Rules about officers: clues for discipline inspection alone. Officers are compared with peers who do the same: the same stage
//! in the same department under the same policy. The middle of many cases counts, never a single one.

use super::statistics::Middle;
use super::{CaseFacts, Evidence, Found, Material, Rule, Subject};
use crate::case_file::Actor;
use crate::ids::{ApplicationId, OfficerId, PolicyId};
use std::collections::{BTreeMap, BTreeSet};
use zhida_schemas::review::Stage;

/// A peer counts as one from so many cases on.
const CASES_OF_A_PEER: usize = 3;

/// What an officer did in one place: a value with the application it comes from.
type Cases<'a> = BTreeMap<&'a str, Vec<(i64, &'a ApplicationId)>>;

/// An officer whose times stand far from those of peers, on either side. Only steps that lay in one person's hands from beginning to
/// end are compared, in working minutes without pauses.
pub(super) fn officer_times(material: &Material<'_>) -> Vec<Found> {
    let mut places: BTreeMap<(&PolicyId, Stage, &str), Cases<'_>> = BTreeMap::new();
    for (policy_id, cases) in material.by_policy() {
        for case in cases {
            for step in &case.steps {
                let (Some(officer), Some(minutes)) = (&step.officer, step.working_minutes(material.time)) else {
                    continue;
                };
                let place = places.entry((policy_id, step.stage, &step.department)).or_default();
                place.entry(officer).or_default().push((minutes, &case.application_id));
            }
        }
    }
    let each = places.iter().flat_map(|(place, cases)| cases.keys().map(move |officer| (place, cases, *officer)));
    each.filter_map(|(place, cases, officer)| far_in_time(*place, cases, officer, material)).collect()
}

fn far_in_time(
    (policy_id, stage, department): (&PolicyId, Stage, &str),
    cases: &Cases<'_>,
    officer: &str,
    material: &Material<'_>,
) -> Option<Found> {
    let rule = &material.thresholds.officer_times;
    let own = cases.get(officer)?;
    let minutes = |cases: &[(i64, &ApplicationId)]| -> Vec<i64> { cases.iter().map(|(minutes, _)| *minutes).collect() };
    let mine = Middle::of(&minutes(own)).filter(|one| one.sample >= rule.min_sample as usize)?;
    let others = || cases.iter().filter(|(other, _)| **other != officer);
    let peers = others().filter(|(_, cases)| cases.len() >= CASES_OF_A_PEER).count();
    let pooled: Vec<i64> = others().flat_map(|(_, cases)| minutes(cases)).collect();
    let theirs = Middle::of(&pooled).filter(|one| one.sample >= rule.min_peer_sample as usize)?;
    let distance = (mine.median - theirs.median).abs();
    // Where all peers take the same time the deviation is 0, and the floor alone counts.
    let floor = i64::from(rule.floor_working_minutes).max(theirs.deviation.saturating_mul(i64::from(rule.deviations)));
    let times = i64::from(rule.times);
    let far = mine.median >= theirs.median.saturating_mul(times) || mine.median.saturating_mul(times) <= theirs.median;
    if peers < rule.min_peers as usize || distance < floor || !far {
        return None;
    }
    let line = |(other, cases): (&&str, &Vec<(i64, &ApplicationId)>)| {
        Middle::of(&minutes(cases)).map(|one| format!("{other}: median {} min of {}", one.median, one.sample))
    };
    let applications: BTreeSet<ApplicationId> = own.iter().map(|(_, id)| (*id).clone()).collect();
    let evidence = Evidence {
        policy_id: Some(policy_id.clone()),
        peers: others().filter_map(line).collect(),
        sample: (mine.sample + theirs.sample) as u64,
        strength: distance.unsigned_abs(),
        ..Evidence::of_each(applications)
    };
    let evidence = evidence
        .figure("median", mine.median, "working_minutes")
        .figure("sample_own", mine.sample, "")
        .figure("median_of_peers", theirs.median, "working_minutes")
        .figure("deviation_of_peers", theirs.deviation, "working_minutes")
        .figure("sample_of_peers", theirs.sample, "");
    let (policy, step) = (material.policy_name(policy_id), stage.code());
    let (own, peers, sample, of_peers) = (mine.median, theirs.median, mine.sample, theirs.sample);
    Some(Found {
        rule: Rule::OfficerTimes,
        key: format!("{policy_id}/{step}/{department}/{officer}"),
        subject: Subject::Officer(OfficerId::from(officer)),
        evidence,
        chinese: format!(
            "{policy}：{officer} 在 {step} 环节用时中位数 {own} 工作分钟（{sample} 件），同岗 {peers}（{of_peers} 件），值得核实原因"
        ),
        english: format!(
            "{policy}: the median time of {officer} in step {step} is {own} working minutes ({sample} cases), that of peers {peers} \
             ({of_peers}); worth a look why"
        ),
    })
}

/// An officer who refuses far more, or far less, than peers. The share must stand out from the shares of the peers, and be more than
/// chance would bring about with so many decisions.
pub(super) fn officer_refusals(material: &Material<'_>) -> Vec<Found> {
    let mut places: BTreeMap<(&PolicyId, Option<Stage>, &str), Cases<'_>> = BTreeMap::new();
    for (policy_id, cases) in material.by_policy() {
        for case in cases {
            for one in &case.decisions {
                let of_officer = places.entry((policy_id, one.stage, &one.by.department_id)).or_default();
                let of_officer = of_officer.entry(one.by.officer_id.as_str()).or_default();
                of_officer.push((i64::from(one.refused), &case.application_id));
            }
        }
    }
    let least = material.thresholds.officer_refusals.min_sample as usize;
    places.values_mut().for_each(|cases| cases.retain(|_, own| own.len() >= least));
    let each = places.iter().flat_map(|(place, cases)| cases.keys().map(move |officer| (place, cases, *officer)));
    each.filter_map(|(place, cases, officer)| far_in_refusals(*place, cases, officer, material)).collect()
}

fn far_in_refusals(
    (policy_id, stage, department): (&PolicyId, Option<Stage>, &str),
    cases: &Cases<'_>,
    officer: &str,
    material: &Material<'_>,
) -> Option<Found> {
    let rule = &material.thresholds.officer_refusals;
    let own = cases.get(officer)?;
    let mine = share(own);
    let others = || cases.iter().filter(|(other, _)| **other != officer);
    let shares: Vec<i64> = others().map(|(_, cases)| share(cases)).collect();
    let theirs = Middle::of(&shares).filter(|one| one.sample >= rule.min_peers as usize)?;
    let distance = (mine - theirs.median).abs();
    let floor = i64::from(rule.floor_percent * 10).max(theirs.deviation.saturating_mul(i64::from(rule.deviations)));
    if distance < floor || !is_beyond_chance(distance, theirs.median, own.len()) {
        return None;
    }
    let refused: BTreeSet<ApplicationId> =
        own.iter().filter(|(refused, _)| *refused > 0).map(|(_, id)| (*id).clone()).collect();
    let decided: u64 = cases.values().map(|cases| cases.len() as u64).sum();
    let line = |(other, cases): (&&str, &Vec<(i64, &ApplicationId)>)| {
        format!("{other}: {} ‰ of {}", share(cases), cases.len())
    };
    let evidence = Evidence {
        policy_id: Some(policy_id.clone()),
        peers: others().map(line).collect(),
        sample: decided,
        strength: distance.unsigned_abs(),
        ..Evidence::of_each(refused)
    };
    let evidence = evidence
        .figure("refused", mine, "per_mille")
        .figure("sample_own", own.len(), "")
        .figure("median_of_peers", theirs.median, "per_mille")
        .figure("deviation_of_peers", theirs.deviation, "per_mille")
        .figure("peers", theirs.sample, "");
    let (policy, step) = (material.policy_name(policy_id), stage.map_or("acceptance", Stage::code));
    let (own, peers, sample, of_peers) = (percent(mine), percent(theirs.median), own.len(), theirs.sample);
    Some(Found {
        rule: Rule::OfficerRefusals,
        key: format!("{policy_id}/{step}/{department}/{officer}"),
        subject: Subject::Officer(OfficerId::from(officer)),
        evidence,
        chinese: format!(
            "{policy}：{officer} 在 {step} 环节不予通过 {own}%（{sample} 件），同岗 {of_peers} 人中位数 {peers}%，值得核实原因"
        ),
        english: format!(
            "{policy}: {officer} refused {own} % in step {step} ({sample} decisions), the median of {of_peers} peers is {peers} %; \
             worth a look why"
        ),
    })
}

/// Refusals, per mille.
fn share(cases: &[(i64, &ApplicationId)]) -> i64 {
    let refused: i64 = cases.iter().map(|(refused, _)| refused).sum();
    refused * 1000 / i64::try_from(cases.len()).unwrap_or(i64::MAX).max(1)
}

/// Per mille as percent with one decimal.
fn percent(per_mille: i64) -> String {
    format!("{}.{}", per_mille / 10, per_mille % 10)
}

/// More than three standard errors of a share like the peers' over so many decisions (normal approximation of the binomial
/// distribution); a share of peers near 0 or 1 is taken for 5 % from it, for theirs is an estimate too.
fn is_beyond_chance(distance: i64, share_of_peers: i64, decisions: usize) -> bool {
    let share = i128::from(share_of_peers.clamp(50, 950));
    i128::from(distance).pow(2) * decisions as i128 > 9 * share * (1000 - share)
}

/// Awards that an officer approved, and the departments that this was done for: renamed ones are several.
#[derive(Default)]
struct Approver<'a> {
    awards: usize,
    departments: BTreeSet<&'a str>,
}

/// Two officers who approve with each other alone, although each has colleagues who approve as well. Where a department has but one
/// who can, nothing is found.
pub(super) fn same_approvers(material: &Material<'_>) -> Vec<Found> {
    let mut of_officer: BTreeMap<&str, Approver<'_>> = BTreeMap::new();
    let mut of_pair: BTreeMap<(&str, &str), BTreeSet<ApplicationId>> = BTreeMap::new();
    for case in material.cases.iter().filter(|case| case.is_awarded()) {
        let approvers = || case.awards.iter().flat_map(|award| &award.approvers);
        let people: BTreeSet<&str> = approvers().map(|one| one.officer_id.as_str()).collect();
        if people.len() < 2 {
            continue;
        }
        for one in approvers() {
            of_officer.entry(&one.officer_id).or_default().departments.insert(&one.department_id);
        }
        for one in &people {
            of_officer.entry(one).or_default().awards += 1;
            for other in people.iter().filter(|other| one < *other) {
                of_pair.entry((one, other)).or_default().insert(case.application_id.clone());
            }
        }
    }
    let found = |(pair, awards): (&(&str, &str), &BTreeSet<ApplicationId>)| {
        always_together(*pair, awards, &of_officer, material)
    };
    of_pair.iter().filter_map(found).collect()
}

fn always_together(
    (first, second): (&str, &str),
    awards: &BTreeSet<ApplicationId>,
    of_officer: &BTreeMap<&str, Approver<'_>>,
    material: &Material<'_>,
) -> Option<Found> {
    let rule = &material.thresholds.same_approvers;
    let of = |officer: &str| of_officer.get(officer).map_or(0, |one| one.awards);
    let most = of(first).max(of(second));
    let colleagues = |of: &str| {
        let Some(own) = of_officer.get(of) else { return 0 };
        let is_one = |(officer, one): &(&&str, &Approver<'_>)| {
            let apart = ![first, second].contains(*officer);
            apart && one.awards >= CASES_OF_A_PEER && !one.departments.is_disjoint(&own.departments)
        };
        of_officer.iter().filter(is_one).count()
    };
    let free = colleagues(first).min(colleagues(second));
    let enough = awards.len() >= rule.min_awards as usize && free >= rule.min_colleagues as usize;
    if !enough || awards.len() * 100 < most * rule.min_share_percent as usize {
        return None;
    }
    let together = awards.len();
    let evidence = Evidence::of_each(awards.clone())
        .figure("together", together, "")
        .figure("of_first", of(first), "")
        .figure("of_second", of(second), "")
        .figure("colleagues", free, "");
    Some(Found {
        rule: Rule::SameApprovers,
        key: format!("{first}/{second}"),
        subject: Subject::Pair(OfficerId::from(first), OfficerId::from(second)),
        evidence,
        chinese: format!(
            "{first} 与 {second} 共同审定 {together} 件，占两人审定的几乎全部（至多 {most} 件），值得核实分工"
        ),
        english: format!(
            "{first} and {second} approved {together} awards together, nearly all that either approved ({most} at most); worth a look \
             how work is shared out"
        ),
    })
}

impl CaseFacts {
    /// Different people who approved one of its awards.
    pub(super) fn most_approvers(&self) -> usize {
        let people = |approvers: &BTreeSet<Actor>| {
            approvers.iter().map(|one| one.officer_id.as_str()).collect::<BTreeSet<&str>>().len()
        };
        self.awards.iter().map(|award| people(&award.approvers)).max().unwrap_or_default()
    }
}
