//! Rules about single applications: asked for material twice, sent back and forth, refused without a reason, approved within seconds.

use super::{CaseFacts, Evidence, Found, Material, Rule, Subject};
use crate::case_file::Standing;
use crate::working_time::WorkingTime;
use jiff::Timestamp;
use std::collections::BTreeMap;
use zhida_schemas::application::Mode;

/// What is missing is told at once (一次性告知). Different departments that ask on one day, as in a joint review, have asked once.
pub(super) fn second_supplement(material: &Material<'_>) -> Vec<Found> {
    let least = material.thresholds.second_supplement.min_requests as usize;
    let found = |case: &CaseFacts| {
        let requests = separate_requests(case, material.time);
        let evidence = of_moments(case, &requests).figure("requests", requests.len(), "");
        (requests.len() >= least).then(|| {
            let (chinese, english) = (
                format!("{} 先后 {} 次被要求补正，值得核实是否一次性告知", case.application_id, requests.len()),
                format!(
                    "{} was asked for supplements {} times; worth a look whether everything was told at once",
                    case.application_id,
                    requests.len()
                ),
            );
            of_case(Rule::SecondSupplement, case, evidence, chinese, english)
        })
    };
    material.cases.iter().filter_map(found).collect()
}

/// The first request of a day counts, and each by which a department has asked more often on that day than any has so far.
fn separate_requests(case: &CaseFacts, time: &WorkingTime) -> Vec<Timestamp> {
    let mut requests: Vec<Timestamp> = Vec::new();
    let (mut day, mut asked, mut most) = (None, BTreeMap::<&str, u32>::new(), 0);
    for (at, department) in &case.supplements {
        if day != Some(time.day_of(*at)) {
            (day, asked, most) = (Some(time.day_of(*at)), BTreeMap::new(), 0);
        }
        let times = asked.entry(department).or_default();
        *times += 1;
        if *times > most {
            most = *times;
            requests.push(*at);
        }
    }
    requests
}

/// Passing the buck: back and forth between departments.
pub(super) fn ping_pong(material: &Material<'_>) -> Vec<Found> {
    let least = material.thresholds.ping_pong.min_returns as usize;
    let found = |case: &CaseFacts| {
        let returns: Vec<Timestamp> = case.returns.iter().copied().collect();
        let evidence = of_moments(case, &returns).figure("returns", returns.len(), "");
        (returns.len() >= least).then(|| {
            let (chinese, english) = (
                format!("{} 在部门间退回 {} 次，值得核实职责如何划分", case.application_id, returns.len()),
                format!(
                    "{} was sent back between departments {} times; worth a look whose it is",
                    case.application_id,
                    returns.len()
                ),
            );
            of_case(Rule::PingPong, case, evidence, chinese, english)
        })
    };
    material.cases.iter().filter_map(found).collect()
}

/// Refused, and nowhere a reason: neither with the end, nor with a step. Of an application that is open still the reason may be on
/// its way; one that was approved or withdrawn after all was not refused.
pub(super) fn refusal_without_reason(material: &Material<'_>) -> Vec<Found> {
    let rule = &material.thresholds.refusal_without_reason;
    let least = rule.min_characters as usize;
    let found = |case: &CaseFacts| {
        let refused_at = refused_at(case).filter(|at| {
            case.is_refused() || material.time.after_hours(*at, rule.grace_working_hours).at <= material.now
        })?;
        let steps = case.decisions.iter().filter(|one| one.refused).map(|one| one.reason);
        let most = steps.chain(case.end_reason).max().unwrap_or(0);
        let evidence = of_moments(case, &[refused_at]).figure("reason_characters", most, "");
        (most < least).then(|| {
            let (chinese, english) = (
                format!("{} 未通过，未见具体理由，值得核实是否告知企业", case.application_id),
                format!(
                    "{} was refused and no reason is seen; worth a look what the enterprise was told",
                    case.application_id
                ),
            );
            of_case(Rule::RefusalWithoutReason, case, evidence, chinese, english)
        })
    };
    material.cases.iter().filter_map(found).collect()
}

/// When it was first refused, by a step or as a whole. None of what was not refused, or not for good.
fn refused_at(case: &CaseFacts) -> Option<Timestamp> {
    let step = || case.decisions.iter().find(|one| one.refused).map(|one| one.at);
    match case.standing {
        Standing::Declined | Standing::Rejected => step().or(case.decided_at),
        Standing::Submitted | Standing::InReview => step(),
        Standing::NotSeen | Standing::Approved | Standing::Withdrawn | Standing::Revoked => None,
    }
}

/// Approved within seconds. Awards without application (免申即享) are submitted and approved by one stroke, as they should.
pub(super) fn instant_approval(material: &Material<'_>) -> Vec<Found> {
    let most = i64::from(material.thresholds.instant_approval.max_seconds);
    let found = |case: &CaseFacts| {
        let (submitted_at, award) = (case.submitted_at?, case.awards.first()?);
        let seconds = award.approved_at.duration_since(submitted_at).as_secs();
        let at_once = case.mode != Mode::NoApplication && submitted_at <= award.approved_at && seconds <= most;
        at_once.then(|| {
            let evidence = of_moments(case, &[award.approved_at]).figure("seconds", seconds, "seconds");
            let (chinese, english) = (
                format!("{} 申报后 {seconds} 秒即审定，值得核实审核过程", case.application_id),
                format!(
                    "{} was approved {seconds} seconds after its submission; worth a look how it was reviewed",
                    case.application_id
                ),
            );
            of_case(Rule::InstantApproval, case, evidence, chinese, english)
        })
    };
    material.cases.iter().filter_map(found).collect()
}

/// Each moment at which it happened is a mark.
fn of_moments(case: &CaseFacts, moments: &[Timestamp]) -> Evidence {
    let marks = moments.iter().map(|at| at.as_microsecond().to_string()).collect();
    let (policy_id, strength) = (case.policy_id.clone(), moments.len() as u64);
    Evidence { policy_id, marks, sample: 1, strength, ..Evidence::default() }.naming([case.application_id.clone()])
}

fn of_case(rule: Rule, case: &CaseFacts, evidence: Evidence, chinese: String, english: String) -> Found {
    let (key, subject) = (case.application_id.to_string(), Subject::Application(case.application_id.clone()));
    Found { rule, key, subject, evidence, chinese, english }
}
