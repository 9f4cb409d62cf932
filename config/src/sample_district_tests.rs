//! Tests of the sample district: the figures it promises, identifiers that are valid, sums within their rules, and files
//! that are what the generator makes.

#![allow(clippy::unwrap_used)] // a failing unwrap is the finding

use super::*;
use std::collections::{BTreeMap, BTreeSet};

#[path = "../examples/sample_district/cases.rs"]
mod cases;
#[path = "../examples/sample_district/check_digits.rs"]
mod check_digits;
#[path = "../examples/sample_district/make.rs"]
mod make;
#[path = "../examples/sample_district/month.rs"]
mod month;
#[path = "../examples/sample_district/ordinary.rs"]
mod ordinary;
#[path = "../examples/sample_district/organisation.rs"]
mod organisation;
#[path = "../examples/sample_district/words.rs"]
mod words;

fn policies() -> BTreeMap<String, toml::Table> {
    let file: toml::Table = POLICIES_TOML.parse().unwrap();
    let policies = file["policies"].as_array().unwrap().iter();
    policies.map(|policy| (policy["id"].as_str().unwrap().to_owned(), policy.as_table().unwrap().clone())).collect()
}

fn fen(table: &toml::Table, key: &str) -> Option<i64> {
    table.get(key).map(|value| Amount::from_toml(value).unwrap().fen)
}

#[test]
fn the_files_are_what_the_generator_makes() {
    assert!(
        make::policies_toml() == POLICIES_TOML,
        "policies.toml: run the example sample_district and look at the difference"
    );
    assert!(
        organisation::organisation_toml() == ORGANISATION_TOML,
        "organisation.toml: run the example sample_district and look at the difference"
    );
    let (reviews, truth) = month::files();
    assert!(reviews == REVIEWS_CSV, "reviews.csv: run the example sample_district and look at the difference");
    let written = include_str!("../sample_district/truth.csv");
    assert!(truth == written, "truth.csv: run the example sample_district and look at the difference");
    assert!(make::awards_csv() == AWARDS_CSV, "awards.csv: run the example sample_district and look at the difference");
}

#[test]
fn the_figures_are_those_of_the_reference_district() {
    let awards = awards().unwrap();
    let distinct = |of: fn(&Award) -> &String| awards.iter().map(of).collect::<BTreeSet<_>>().len();
    assert_eq!(policies().len(), 149);
    assert_eq!(awards.len(), 286);
    assert_eq!(awards.iter().map(|award| award.amount.fen).sum::<i64>(), 3_557_010_000);
    for (what, count) in [
        ("applications", distinct(|award| &award.application_id)),
        ("enterprises", distinct(|award| &award.uscc)),
        ("names", distinct(|award| &award.enterprise_name)),
        ("accounts", distinct(|award| &award.account_no)),
    ] {
        assert_eq!(count, 286, "{what}");
    }
    let titles: BTreeSet<String> = policies().values().map(|policy| policy["title"].to_string()).collect();
    assert_eq!(titles.len(), 149, "titles");
}

#[test]
fn every_identifier_is_valid() {
    for award in awards().unwrap() {
        let (kind, rest) = award.uscc.split_at(2);
        let (region, organisation) = rest.split_at(6);
        assert_eq!(check_digits::uscc(kind, region, &organisation[..8]), award.uscc);
        assert_eq!(check_digits::cnaps(&award.bank_code[..11]), award.bank_code);
        assert!(award.account_no.len() <= 34 && award.account_no.bytes().all(|byte| byte.is_ascii_digit()));
        assert!(award.email.ends_with("@example.com"));
        assert!(award.mobile.is_none_or(|mobile| mobile.starts_with("+8613800000")));
        assert!(award.enterprise_name.chars().count() <= 140);
    }
}

#[test]
fn the_check_digits_agree_with_published_codes() {
    for code in ["102100099996", "103100000026", "304100040000", "313131000016"] {
        assert_eq!(check_digits::cnaps(&code[..11]), code);
    }
    for (code, organisation) in
        [("914403001922038216", "19220382"), ("9144030071526726XG", "71526726"), ("91110108551385082Q", "55138508")]
    {
        assert_eq!(check_digits::uscc(&code[..2], &code[2..8], organisation), code);
    }
}

#[test]
fn every_award_keeps_its_policys_rules_unless_its_twist_says_otherwise() {
    let policies = policies();
    let mut drawn: BTreeMap<String, i64> = BTreeMap::new();
    for award in awards().unwrap() {
        let (policy, id) = (&policies[&award.policy_id], &award.application_id);
        let sum = award.amount.fen;
        assert!(0 < sum && sum <= fen(policy, "cap_per_application").unwrap(), "{id}");
        assert!(fen(policy, "cap_per_enterprise_per_year").is_none_or(|cap| sum <= cap), "{id}");
        assert!(sum <= 100_000_000, "{id}: the large-value system would have to be open");
        let needed = if fen(policy, "release_limit").is_some_and(|limit| sum > limit) { 2 } else { 1 };
        assert_eq!(award.officer_ids.len() < needed, award.twist == Some(Twist::OneOfficer), "{id}");
        assert_eq!(award.commitment_id.is_some(), policy["commitment_required"].as_bool().unwrap(), "{id}");
        assert_eq!(
            policy.get("valid_to").is_some_and(|day| day.as_str().unwrap() < "2026"),
            award.twist == Some(Twist::PolicyClosed),
            "{id}"
        );
        let other_name = matches!(award.twist, Some(Twist::AccountNameDiffers | Twist::AccountNameBrackets));
        assert_eq!(award.account_name != award.enterprise_name, other_name, "{id}");
        if matches!(award.twist, Some(Twist::CommitmentLater | Twist::CommitmentNever)) {
            assert!(award.commitment_id.is_some(), "{id}");
        }
        assert_eq!(policy["department_id"].as_str().unwrap(), award.department_id, "{id}");
        *drawn.entry(policy["fund_id"].as_str().unwrap().to_owned()).or_default() += sum;
    }
    let file: toml::Table = POLICIES_TOML.parse().unwrap();
    for fund in file["funds"].as_array().unwrap() {
        let (id, appropriated) = (fund["id"].as_str().unwrap(), fen(fund.as_table().unwrap(), "appropriated").unwrap());
        assert!(drawn.get(id).is_some_and(|drawn| *drawn <= appropriated), "{id}");
    }
}

#[test]
fn some_have_no_mobile_and_some_are_told_in_english() {
    let awards = awards().unwrap();
    let count = |of: fn(&Award) -> bool| awards.iter().filter(|award| of(award)).count();
    assert_eq!(count(|award| award.mobile.is_none()), 13);
    assert_eq!(count(|award| award.locale == "en"), 10);
    assert_eq!(count(|award| award.locale == "zh-CN"), 276);
}

#[test]
fn every_twist_occurs_and_most_awards_have_none() {
    let twists: Vec<Option<Twist>> = awards().unwrap().into_iter().map(|award| award.twist).collect();
    for (word, twist) in Twist::PLAIN {
        assert!(twists.contains(&Some(twist)), "{word}");
    }
    for code in ["AC01", "AC04", "AC06", "BE01", "RC01"] {
        assert!(twists.contains(&Some(Twist::Refused(code.to_owned()))), "{code}");
    }
    assert!(twists.iter().filter(|twist| twist.is_none()).count() >= 220);
}

#[test]
fn a_wrong_line_is_named() {
    let good = AWARDS_CSV.lines().nth(1).unwrap();
    for (line, field) in [
        (good.replacen(',', "", 1), "the number of columns"),
        (format!("{}flying", &good[..=good.rfind(',').unwrap()]), "twist"),
        (format!("{}reject:", &good[..=good.rfind(',').unwrap()]), "twist"),
    ] {
        assert_eq!(parse(&format!("{HEAD}\n{good}\n{line}\n")), Err(AwardUnreadable { line: 3, field }), "{line}");
    }
    assert_eq!(parse("x\n"), Err(AwardUnreadable { line: 1, field: "the number of columns" }));
}
