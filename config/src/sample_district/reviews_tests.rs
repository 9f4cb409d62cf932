//! Tests of the month of reviews: that it can be read, belongs to the sample district, and stands as its cases say.

#![allow(clippy::unwrap_used)] // a failing unwrap is the finding

use super::*;
use crate::sample_district::{ORGANISATION_TOML, POLICIES_TOML, Twist, awards};
use std::collections::{BTreeMap, BTreeSet};

/// What supervision has to find.
const TRUTH_CSV: &str = include_str!("../../sample_district/truth.csv");

fn by_id() -> BTreeMap<String, Review> {
    reviews().unwrap().into_iter().map(|review| (review.application_id.clone(), review)).collect()
}

/// Departments of the officers.
fn organisation() -> BTreeMap<String, String> {
    let file: toml::Table = ORGANISATION_TOML.parse().unwrap();
    let text = |table: &toml::Value, key: &str| table[key].as_str().unwrap().to_owned();
    file["officers"].as_array().unwrap().iter().map(|one| (text(one, "id"), text(one, "department_id"))).collect()
}

fn actors(what: &What) -> Option<&Actor> {
    match what {
        What::Accepted(by)
        | What::Declined { by, .. }
        | What::SupplementRequested { by, .. }
        | What::Assigned { to: by, .. }
        | What::Decided { by, .. } => Some(by),
        What::Submitted { .. }
        | What::SupplementReceived
        | What::Paused { .. }
        | What::Resumed { .. }
        | What::PublicityStarted { .. }
        | What::PublicityEnded { .. }
        | What::Rejected { .. }
        | What::Withdrawn { .. } => None,
    }
}

#[test]
fn every_award_has_its_review_and_others_stand_beside_it() {
    let reviews = by_id();
    for award in awards().unwrap() {
        let review = &reviews[&award.application_id];
        let told = |policy: &str, uscc: &str, name: &str| [policy, uscc, name].map(str::to_owned);
        assert_eq!(
            told(&review.policy_id, &review.uscc, &review.enterprise_name),
            told(&award.policy_id, &award.uscc, &award.enterprise_name),
            "{}",
            award.application_id
        );
        assert_eq!(
            (&review.mobile, &review.email, &review.locale),
            (&award.mobile, &award.email, &award.locale),
            "{}",
            award.application_id
        );
        assert_eq!(review.amount, award.amount);
        let finals = review.history.iter().filter_map(|step| match &step.what {
            What::Decided { by, stage, decision, .. } if stage == "final" && decision == "approve" => Some(by),
            _ => None,
        });
        let finals: Vec<&Actor> = finals.collect();
        assert_eq!(finals.len(), 1, "{}", award.application_id);
        assert_eq!(finals[0].officer_id, award.officer_ids[0], "{}: whoever approved", award.application_id);
        // A closed policy's and a lone officer's award are reviewed like any other.
        assert!(award.twist != Some(Twist::PolicyClosed) || review.policy_id == "P-057");
    }
    assert_eq!(reviews.len(), reviews_in_file());
    assert!(reviews.len() > 286 + 60, "{}", reviews.len());
}

fn reviews_in_file() -> usize {
    REVIEWS_CSV.lines().count() - 1
}

#[test]
fn histories_run_forward_and_know_their_officers() {
    let officers = organisation();
    for review in reviews().unwrap() {
        let id = &review.application_id;
        assert!(matches!(review.history[0].what, What::Submitted { .. }), "{id}");
        for pair in review.history.windows(2) {
            match (pair[0].at, pair[1].at) {
                (Moment::WorkingDay(first, at), Moment::WorkingDay(second, then)) => {
                    assert!(first > second || first == second && at <= then, "{id}: {pair:?}");
                    assert!(second > 0, "{id}: the day of the demo may not be worked");
                }
                (Moment::FromNow(first), Moment::FromNow(second)) => assert!(first <= second, "{id}: {pair:?}"),
                (Moment::WorkingDay(days, _), Moment::FromNow(span)) => {
                    assert!(
                        span < SignedDuration::ZERO && -span < SignedDuration::from_hours(24 * (i64::from(days) - 1))
                    );
                }
                (Moment::FromNow(_), Moment::WorkingDay(..)) => panic!("{id}: {pair:?}"),
            }
        }
        for actor in review.history.iter().filter_map(|step| actors(&step.what)) {
            assert_eq!(officers.get(&actor.officer_id), Some(&actor.department_id), "{id}");
        }
    }
}

#[test]
fn a_quarter_of_nothing_is_on_paper() {
    // The policies without any application are those that the truth calls paper, or closed.
    let applied: BTreeSet<String> = reviews().unwrap().into_iter().map(|review| review.policy_id).collect();
    let file: toml::Table = POLICIES_TOML.parse().unwrap();
    let ids = file["policies"].as_array().unwrap().iter().map(|policy| policy["id"].as_str().unwrap().to_owned());
    let without: BTreeSet<String> = ids.filter(|id| !applied.contains(id)).collect();
    let told = |word: &str| {
        let lines =
            TRUTH_CSV.lines().filter_map(|line| line.strip_prefix(&format!("health,{word},"))).map(str::to_owned);
        lines.map(|line| line.trim_end_matches(',').to_owned()).collect::<BTreeSet<_>>()
    };
    let closed = BTreeSet::from(["P-103".to_owned(), "P-141".to_owned()]);
    assert_eq!(without, told("paper").union(&closed).cloned().collect());
}

#[test]
fn the_truth_names_applications_that_are_there() {
    let reviews = by_id();
    for line in TRUTH_CSV.lines().skip(1) {
        let columns: Vec<&str> = line.split(',').collect();
        assert_eq!(columns.len(), 4, "{line}");
        for id in columns[3].split(';').filter(|id| !id.is_empty()) {
            assert!(reviews.contains_key(id), "{line}");
        }
    }
}

#[test]
fn a_wrong_line_is_named() {
    let good = REVIEWS_CSV.lines().nth(1).unwrap();
    let head = REVIEWS_CSV.lines().next().unwrap();
    assert!(parse(&format!("{head}\n{good}\n")).is_ok());
    for (line, what) in [
        (good.replacen(',', "", 1), "the number of columns"),
        (format!("{good}; -1T09:00 flew"), "-1T09:00 flew"),
        (format!("{good}; 1T09:00 supplement_received"), "1T09:00 supplement_received"),
        (format!("{good}; now-5d supplement_received"), "now-5d supplement_received"),
        (format!("{good}; -1T09:00 accepted O-101"), "-1T09:00 accepted O-101"),
    ] {
        let wrong = ReviewUnreadable { line: 3, what: what.to_owned() };
        assert_eq!(parse(&format!("{head}\n{good}\n{line}\n")), Err(wrong), "{line}");
    }
    assert_eq!(parse("x\n").unwrap_err().line, 1);
}
