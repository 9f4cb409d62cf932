//! Tests of the organisation file: what is read, what is refused and in which words, all at once.

#![allow(clippy::unwrap_used)] // a failing unwrap is the finding

use super::*;
use crate::policy_file::PolicyFile;
use std::collections::BTreeSet;

const FILE: &str = r#"
[[departments]]
id = "D-0"
name = "区政府"
[[departments]]
id = "D-1"
name = "财政局"
parent_id = "D-0"

[[officers]]
id = "O-1"
name = "王敏"
department_id = "D-1"
role = "officer"
[[officers]]
id = "O-2"
name = "李强"
department_id = "D-1"
role = "head"
mobile = "+8613800000002"
email = "o-2@example.com"
substitute_id = "O-1"
absent = [{ from = 2026-11-30, to = 2026-12-04 }]
[[officers]]
id = "O-3"
name = "赵宁"
department_id = "D-0"
role = "supervisor"

[[ladder]]
rungs = [{ role = "officer", after_working_hours = 0 }, { role = "supervisor", after_working_hours = 8 }]
[[ladder]]
department_id = "D-1"
[[ladder.rungs]]
officer_id = "O-2"
after_working_hours = 0
[[ladder.rungs]]
role = "inspector"
after_working_hours = 400
"#;

/// The findings of a file, one sentence each.
fn findings(text: &str) -> Vec<String> {
    match OrganisationFile::parse(text).unwrap_err() {
        ReferenceFileError::Invalid(findings) => findings.iter().map(ToString::to_string).collect(),
        ReferenceFileError::Unreadable { file, why } => vec![format!("{file}: {why}")],
    }
}

/// The file with one piece replaced.
fn with(old: &str, new: &str) -> String {
    assert!(FILE.contains(old), "{old}");
    FILE.replacen(old, new, 1)
}

#[test]
fn every_field_is_read_and_json_says_the_same_as_toml() {
    let json = r#"{"departments":[{"id":"D-0","name":"区政府"},{"id":"D-1","name":"财政局","parent_id":"D-0"}],
        "officers":[{"id":"O-1","name":"王敏","department_id":"D-1","role":"officer"},
        {"id":"O-2","name":"李强","department_id":"D-1","role":"head","mobile":"+8613800000002","email":"o-2@example.com",
         "substitute_id":"O-1","absent":[{"from":"2026-11-30","to":"2026-12-04"}]},
        {"id":"O-3","name":"赵宁","department_id":"D-0","role":"supervisor"}],
        "ladder":[{"rungs":[{"role":"officer","after_working_hours":0},{"role":"supervisor","after_working_hours":8}]},
        {"department_id":"D-1","rungs":[{"officer_id":"O-2","after_working_hours":0},{"role":"inspector","after_working_hours":400}]}]}"#;
    let file = OrganisationFile::parse(FILE).unwrap();
    assert_eq!(file, OrganisationFile::parse(json).unwrap());
    let head = &file.officers[1];
    assert_eq!((head.role, head.substitute_id.as_ref().map(Id::as_str)), (Role::Head, Some("O-1")));
    assert_eq!(head.absent[0].to.to_string(), "2026-12-04");
    assert_eq!(head.mobile.as_ref().map(Mobile::as_str), Some("+8613800000002"));
    assert_eq!(file.ladders[1].rungs[0], Rung { whom: Whom::Officer(head.id.clone()), after_working_hours: 0 });
    assert_eq!(file.ladders[0].department_id, None);
}

/// What is replaced, by what, and what is said of it.
const WRONG: &[(&str, &str, &str)] = &[
    (
        r#"name = "区政府""#,
        r#"name = " ""#,
        r#"departments[0].name = " " is empty or blank: write at least one visible"#,
    ),
    (
        r#"parent_id = "D-0""#,
        r#"parent_id = "D-9""#,
        r#"departments[1].parent_id = "D-9" is no department of this file: write an existing department (the nearest is D-0), or add it under [[departments]]"#,
    ),
    (
        r#"parent_id = "D-0""#,
        r#"parent_id = "D-1""#,
        r#"departments[1].parent_id = "D-1" goes round in a circle (D-1 → D-1): let one of them have no parent"#,
    ),
    (
        r#"name = "区政府""#,
        "name = \"区政府\"\nparent_id = \"D-1\"",
        r#"departments[0].parent_id = "D-1" goes round in a circle (D-0 → D-1 → D-0): let one of them have no parent"#,
    ),
    (
        r#"department_id = "D-0""#,
        r#"department_id = "D-7""#,
        r#"officers[2].department_id = "D-7" is no department of this file"#,
    ),
    (
        r#"role = "head""#,
        r#"role = "boss""#,
        r#"officers[1].role = "boss" is none of the words that stand here: write one of officer, head, supervisor, inspector"#,
    ),
    (r#"role = "head""#, "", "officers[1].role is missing: write officer, head, supervisor or inspector"),
    (
        r#"substitute_id = "O-1""#,
        r#"substitute_id = "O-8""#,
        r#"officers[1].substitute_id = "O-8" is no officer of this file"#,
    ),
    (
        r#"substitute_id = "O-1""#,
        r#"substitute_id = "O-2""#,
        r#"officers[1].substitute_id = "O-2" goes round in a circle (O-2 → O-2): let one of them have another"#,
    ),
    (
        r#"role = "supervisor""#,
        "role = \"supervisor\"\nsubstitute_id = \"O-2\"",
        r#"officers[2].substitute_id = "O-2" has the role head and cannot stand in for the role supervisor: name a supervisor or an inspector"#,
    ),
    (
        r#"mobile = "+8613800000002""#,
        r#"mobile = "12""#,
        r#"officers[1].mobile = "12" is not a phone number that receives SMS: write the number as"#,
    ),
    (r#"email = "o-2@example.com""#, r#"email = "o-2""#, r#"officers[1].email = "o-2" is not one mail address"#),
    (
        "to = 2026-12-04",
        "to = 2026-11-29",
        r#"officers[1].absent[0].to = "2026-11-29" lies before from (2026-11-30): write the same or a later day"#,
    ),
    (", to = 2026-12-04", "", "officers[1].absent[0].to is missing"),
    (
        "id = \"O-3\"",
        "id = \"O-3\"\nemial = \"1\"",
        r#"officers[2].emial = "1" is not a known field: remove it, or correct it (the nearest is email)"#,
    ),
    (
        r#"officer_id = "O-2""#,
        r#"officer_id = "O-20""#,
        r#"ladder[1].rungs[0].officer_id = "O-20" is no officer of this file"#,
    ),
    (
        r#"officer_id = "O-2""#,
        "officer_id = \"O-2\"\nrole = \"head\"",
        "ladder[1].rungs[0] names a role and an officer_id: keep one of the two",
    ),
    (r#"officer_id = "O-2""#, "", "ladder[1].rungs[0] names neither a role nor an officer_id: add one of the two"),
    (
        "after_working_hours = 400",
        "after_working_hours = 401",
        "ladder[1].rungs[1].after_working_hours = 401 is no number of working hours: write a whole number of working hours from 0 to 400",
    ),
    (
        "after_working_hours = 400",
        "after_working_hours = 0",
        "ladder[1].rungs[1].after_working_hours = 0 does not come after the rung before it (0): let the hours ascend",
    ),
    (
        "after_working_hours = 0\n[[ladder.rungs]]",
        "after_working_hours = 2\n[[ladder.rungs]]",
        "ladder[1].rungs[0].after_working_hours = 2 keeps a missed deadline from everybody for a while: let the first rung be told at once: 0",
    ),
    ("after_working_hours = 400", "", "ladder[1].rungs[1].after_working_hours is missing"),
    (
        r#"role = "inspector""#,
        r#"role = "head""#,
        "ladder[1].rungs leaves supervision out: add a rung with the role supervisor or inspector",
    ),
    (
        "[[ladder]]\ndepartment_id = \"D-1\"",
        "[[ladder]]",
        "ladder[1] names no department, and neither does ladder[0]: keep one of the two, or name the department",
    ),
    (
        "[[ladder]]\nrungs",
        "[[ladder]]\ndepartment_id = \"D-1\"\nrungs",
        r#"ladder[1].department_id = "D-1" has its ladder in ladder[0] already: keep one of the two"#,
    ),
];

#[test]
fn each_wrong_thing_is_named_with_its_value_and_a_remedy() {
    for (old, new, sentence) in WRONG {
        let found = findings(&with(old, new));
        assert!(found.len() == 1 && found[0].starts_with(sentence), "{new}: {found:#?}");
    }
}

#[test]
fn all_findings_come_at_once_and_a_circle_is_told_once() {
    let found = findings(
        r#"
staff = []
[[departments]]
id = "D-1"
parent_id = "D-3"
[[departments]]
id = "D-3"
name = "c"
parent_id = "D-2"
[[departments]]
id = "D-2"
name = "b"
parent_id = "D-1"
[[departments]]
id = "D-2"
name = "again"
[[officers]]
id = "O-1"
name = "a"
department_id = "D-1"
role = "inspector"
substitute_id = "O-2"
[[officers]]
id = "O-2"
name = "b"
department_id = "D-1"
role = "supervisor"
[[ladder]]
"#,
    );
    assert_eq!(
        found,
        [
            "departments[0].name is missing: add it",
            "ladder[0].rungs is missing: add [[ladder.rungs]]",
            "staff = [] is not a known field: remove it, or correct it (the nearest is ladder)",
            r#"departments[3].id = "D-2" is the id of departments[2] already: give each its own id"#,
            r#"departments[0].parent_id = "D-3" goes round in a circle (D-1 → D-3 → D-2 → D-1): let one of them have no parent"#,
            r#"officers[0].substitute_id = "O-2" has the role supervisor and cannot stand in for the role inspector: name another inspector"#,
        ]
    );
}

#[test]
fn what_cannot_be_read_says_where() {
    for (text, sentence) in [
        ("[[departments]]\nid = \n", "the organisation file: line 2 is not valid TOML"),
        ("", "the organisation file holds neither departments nor officers nor a ladder: add [[departments]]"),
        ("departments = 5", "departments = 5 is not a list of tables: write each as [[departments]]"),
        ("ladder = [{rungs = 5}]", "ladder[0].rungs = 5 is not a list of tables"),
    ] {
        let found = findings(text);
        assert!(found[0].starts_with(sentence), "{text}: {found:?}");
    }
}

#[test]
fn the_sample_organisation_covers_the_sample_district() {
    let organisation =
        OrganisationFile::parse(include_str!("../../../config/sample_district/organisation.toml")).unwrap();
    let policies = include_str!("../../../config/sample_district/policies.toml");
    let policies = PolicyFile::parse(policies, &BTreeSet::new()).unwrap().policies;
    let reviewing: BTreeSet<&Id> =
        policies.iter().flat_map(|one| one.joint_department_ids.iter().chain([&one.department_id])).collect();
    assert_eq!(reviewing.len(), 13, "twelve that lead and finance beside them");
    let count = |department: &Id, role: Role| {
        let of = |one: &&Officer| one.department_id == *department && one.role == role;
        organisation.officers.iter().filter(of).count()
    };
    for department in reviewing {
        assert_eq!(count(department, Role::Head), 1, "{department}");
        assert!((2..=3).contains(&count(department, Role::Officer)), "{department}");
    }
    let everybody = |role: Role| organisation.officers.iter().filter(|one| one.role == role).count();
    assert_eq!((everybody(Role::Supervisor), everybody(Role::Inspector)), (2, 2));
    let absent = organisation.officers.iter().filter(|one| !one.absent.is_empty());
    assert_eq!(absent.filter(|one| one.substitute_id.is_some()).count(), 1);
    // The approvals name officers of the department that approved.
    let awards = include_str!("../../../config/sample_district/awards.csv");
    let known: BTreeSet<(&str, &str)> =
        organisation.officers.iter().map(|one| (one.department_id.as_str(), one.id.as_str())).collect();
    for award in awards.lines().skip(1) {
        let columns: Vec<&str> = award.split(',').collect();
        for officer in columns[13].split(';') {
            assert!(known.contains(&(columns[12], officer)), "{award}");
        }
    }
}
