//! Tests of the policy file: what is read, what is refused and in which words, all at once.

#![allow(clippy::unwrap_used)] // a failing unwrap is the finding

use super::*;

const FUND: &str = r#"
[[funds]]
id = "F-1"
name = "发展资金"
currency = "CNY"
appropriated = "1000000.00"
debtor_name = "财政局"
debtor_account = "4000-0201"
debtor_bank_code = "102100099996"
"#;

const POLICY: &str = r#"
[[policies]]
id = "P-1"
title = "稳岗返还"
department_id = "D-1"
fund_id = "F-1"
valid_from = 2026-01-01
"#;

fn parse(text: &str) -> Result<PolicyFile, ReferenceFileError> {
    PolicyFile::parse(text, &BTreeSet::new())
}

/// The findings of a file, one sentence each.
fn findings(text: &str) -> Vec<String> {
    match parse(text).unwrap_err() {
        ReferenceFileError::Invalid(findings) => findings.iter().map(Finding::to_string).collect(),
        ReferenceFileError::Unreadable { why, .. } => vec![why],
    }
}

#[test]
fn the_least_file_has_the_documented_defaults() {
    let file = parse(&format!("{FUND}{POLICY}")).unwrap();
    assert_eq!(file.funds[0].appropriated_fen, 100_000_000);
    assert_eq!(file.funds[0].budget_document, None);
    let policy = &file.policies[0];
    assert_eq!(policy.valid_from.to_string(), "2026-01-01");
    assert_eq!((policy.valid_to, policy.legal_working_days), (None, None));
    assert_eq!((policy.review_working_days, policy.commitment_required), (3, false));
    assert_eq!(
        (policy.cap_per_application_fen, policy.cap_per_enterprise_per_year_fen, policy.release_limit_fen),
        (None, None, None)
    );
    assert!(
        policy.joint_department_ids.is_empty() && policy.materials.is_empty() && policy.step_working_days.is_empty()
    );
}

#[test]
fn every_field_is_read_and_json_says_the_same_as_toml() {
    let toml = format!(
        r#"{FUND}budget_document = "预〔2026〕1号"
{POLICY}valid_to = "2026-12-31"
joint_department_ids = ["D-2", "D-3"]
cap_per_application = "500000.00"
cap_per_enterprise_per_year = "800000.05"
release_limit = "0.00"
commitment_required = true
conditions = """在本区登记。
依法纳税。"""
materials = ["营业执照"]
review_working_days = 2
step_working_days = {{ first = 1, final = 2 }}
legal_working_days = 20
"#
    );
    let json = r#" {"funds":[{"id":"F-1","name":"发展资金","currency":"CNY","appropriated":"1000000.00","debtor_name":"财政局",
        "debtor_account":"4000-0201","debtor_bank_code":"102100099996","budget_document":"预〔2026〕1号"}],
        "policies":[{"id":"P-1","title":"稳岗返还","department_id":"D-1","fund_id":"F-1","valid_from":"2026-01-01","valid_to":"2026-12-31",
        "joint_department_ids":["D-2","D-3"],"cap_per_application":"500000.00","cap_per_enterprise_per_year":"800000.05",
        "release_limit":"0.00","commitment_required":true,"conditions":"在本区登记。\n依法纳税。","materials":["营业执照"],
        "review_working_days":2,"step_working_days":{"first":1,"final":2},"legal_working_days":20}]}"#;
    let file = parse(&toml).unwrap();
    assert_eq!(file, parse(json).unwrap());
    let policy = &file.policies[0];
    assert_eq!(policy.cap_per_application_fen, Some(50_000_000));
    assert_eq!(policy.cap_per_enterprise_per_year_fen, Some(80_000_005));
    assert_eq!(policy.release_limit_fen, Some(0));
    assert_eq!(policy.step_working_days, [(Stage::First, 1), (Stage::Final, 2)]);
    assert_eq!((policy.review_working_days, policy.legal_working_days), (2, Some(20)));
    assert!(policy.commitment_required && file.funds[0].budget_document.is_some());
}

#[test]
fn each_wrong_field_is_named_with_its_value_and_a_remedy() {
    for (field, sentence) in [
        (r#"id = "F 1""#, r#"funds[0].id = "F 1" holds a character that an id may not hold: use 1 to 64 characters"#),
        (r#"name = """#, r#"funds[0].name = "" is empty or blank: write at least one"#),
        (r#"currency = "USD""#, r#"funds[0].currency = "USD" is not paid by this version: write "CNY""#),
        (
            r#"appropriated = "1000""#,
            r#"funds[0].appropriated = "1000" does not have exactly two decimals: write exactly two"#,
        ),
        (r#"appropriated = "-1.00""#, r#"funds[0].appropriated = "-1.00" is below zero"#),
        (
            "appropriated = 1000.00",
            "funds[0].appropriated = 1000.0 is not a text: write yuan as a text with two decimals",
        ),
        (r#"debtor_account = "4000 0201""#, r#"funds[0].debtor_account = "4000 0201" is neither 1 to 34 digits"#),
        (
            r#"debtor_bank_code = "102100099995""#,
            r#"funds[0].debtor_bank_code = "102100099995" has a check digit that does not fit"#,
        ),
        ("debtor_name = 5", "funds[0].debtor_name = 5 is not a text: write it in quotes"),
    ] {
        let name = field.split(' ').next().unwrap();
        let kept: Vec<&str> = FUND.lines().filter(|line| !line.starts_with(&format!("{name} "))).collect();
        let found = findings(&format!("{}\n{field}\n", kept.join("\n")));
        assert!(found.len() == 1 && found[0].starts_with(sentence), "{field}: {found:?}");
    }
    for (field, sentence) in [
        (
            r#"valid_from = "2026-02-30""#,
            r#"policies[0].valid_from = "2026-02-30" is not a date of the calendar: write the date as"#,
        ),
        ("valid_from = 2026-01-01T00:00:00", r#"policies[0].valid_from = "2026-01-01T00:00:00" is not a date"#),
        (
            r#"fund_id = "F-2""#,
            r#"policies[0].fund_id = "F-2" is no fund of this file, nor one imported before: write an existing fund (the nearest is F-1)"#,
        ),
        (
            r#"valid_to = "2025-12-31""#,
            r#"policies[0].valid_to = "2025-12-31" lies before valid_from (2026-01-01): write a later day"#,
        ),
        (r#"cap_per_application = "0.00""#, r#"policies[0].cap_per_application = "0.00" would let nothing through"#),
        (
            r#"cap_per_aplication = "1.00""#,
            r#"policies[0].cap_per_aplication = "1.00" is not a known field: remove it, or correct it (the nearest is cap_per_application)"#,
        ),
        (r#"commitment_required = "yes""#, r#"policies[0].commitment_required = "yes" is neither true nor false"#),
        (
            "review_working_days = 0",
            "policies[0].review_working_days = 0 is no number of working days: write a whole number of working days from 1 to 250",
        ),
        (r#"review_working_days = "3""#, r#"policies[0].review_working_days = "3" is no number"#),
        (
            "step_working_days = { frist = 1 }",
            "policies[0].step_working_days.frist = 1 is not a known field: remove it, or correct it (the nearest is first)",
        ),
        ("step_working_days = 1", "policies[0].step_working_days = 1 is not a table"),
        (r#"materials = ["a", 5]"#, "policies[0].materials[1] = 5 is not a text"),
        (r#"materials = "a""#, r#"policies[0].materials = "a" is not a list"#),
    ] {
        let name = field.split(' ').next().unwrap();
        let kept: Vec<&str> = POLICY.lines().filter(|line| !line.starts_with(&format!("{name} "))).collect();
        let found = findings(&format!("{FUND}{}\n{field}\n", kept.join("\n")));
        assert!(found.len() == 1 && found[0].starts_with(sentence), "{field}: {found:?}");
    }
}

#[test]
fn all_findings_come_at_once() {
    let found = findings(&format!(
        "version = 1\n{FUND}{POLICY}{FUND}{POLICY}valid_to = \"soon\"\nreview_working_days = -1\n[[policies]]\n"
    ));
    assert_eq!(
        found,
        [
            r#"policies[1].valid_to = "soon" is not a date of the calendar: write the date as 2026-11-23"#,
            "policies[1].review_working_days = -1 is no number of working days: write a whole number of working days from 1 to 250, without quotes",
            "policies[2].id is missing: add it",
            "policies[2].title is missing: add it",
            "policies[2].department_id is missing: add it",
            "policies[2].fund_id is missing: add it",
            "policies[2].valid_from is missing: add it",
            "version = 1 is not a known field: remove it, or correct it (the nearest is funds)",
            r#"funds[1].id = "F-1" is the id of funds[0] already: give each its own id"#,
            r#"policies[1].id = "P-1" is the id of policies[0] already: give each its own id"#,
        ]
    );
}

#[test]
fn a_file_may_draw_on_funds_imported_before() {
    let known = BTreeSet::from([Id::parse("F-1").unwrap()]);
    assert_eq!(PolicyFile::parse(POLICY, &known).unwrap().policies.len(), 1);
    let found = findings(POLICY);
    assert!(found.len() == 1 && found[0].ends_with("add the fund under [[funds]]"), "{found:?}");
}

#[test]
fn what_cannot_be_read_says_where() {
    for (text, sentence) in [
        ("[[funds]]\nid = \n", "line 2 is not valid TOML"),
        ("[[funds]]\nid = \"a\"\nid = \"b\"\n", "line 3 is not valid TOML: duplicate key"),
        (r#"{"funds":[],"funds":[]}"#, "duplicate_member"),
        (r#"{"funds":["#, "ends too early"),
        ("", "the policy file holds neither funds nor policies: add [[funds]] or [[policies]]"),
        ("funds = 5", "funds = 5 is not a list of tables: write each as [[funds]]"),
        ("policies = [5]", "policies[0] = 5 is not a table"),
    ] {
        let found = findings(text);
        assert!(found.len() == 1 && found[0].contains(sentence), "{text}: {found:?}");
    }
}

#[test]
fn the_sample_district_is_a_policy_file() {
    let file = parse(include_str!("../../../config/sample_district/policies.toml")).unwrap();
    assert_eq!((file.funds.len(), file.policies.len()), (6, 149));
}
