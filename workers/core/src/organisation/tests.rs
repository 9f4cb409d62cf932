//! Tests of who is told and who may acknowledge, over a small district: two offices in a bureau, supervision, inspection.

#![allow(clippy::unwrap_used)] // a failing unwrap is the finding

use super::*;
use jiff::civil::date;
use zhida_schemas::organisation_file::OrganisationFile;

const DISTRICT: &str = r#"
departments = [{ id = "gov", name = "区政府" }, { id = "bureau", name = "局", parent_id = "gov" },
    { id = "office", name = "科", parent_id = "bureau" }, { id = "other", name = "另一局", parent_id = "gov" },
    { id = "lone", name = "无上级" }]

[[officers]]
id = "clerk"
name = "经办"
department_id = "office"
role = "officer"
substitute_id = "second"
absent = [{ from = 2026-11-23, to = 2026-11-24 }, { from = 2026-12-01, to = 2026-12-01 }]
[[officers]]
id = "second"
name = "另一经办"
department_id = "office"
role = "officer"
substitute_id = "third"
absent = [{ from = 2026-11-24, to = 2026-11-25 }]
[[officers]]
id = "third"
name = "又一经办"
department_id = "office"
role = "officer"
[[officers]]
id = "head"
name = "局长"
department_id = "bureau"
role = "head"
substitute_id = "clerk"
absent = [{ from = 2026-11-26, to = 2026-11-27 }]
[[officers]]
id = "super-1"
name = "督办一"
department_id = "gov"
role = "supervisor"
substitute_id = "super-2"
absent = [{ from = 2026-11-23, to = 2026-11-23 }]
[[officers]]
id = "super-2"
name = "督办二"
department_id = "gov"
role = "supervisor"
absent = [{ from = 2026-11-24, to = 2026-11-24 }]

[[ladder]]
department_id = "other"
rungs = [{ officer_id = "third", after_working_hours = 0 }, { role = "supervisor", after_working_hours = 2 }]
"#;

fn district() -> Organisation {
    OrganisationFile::parse(DISTRICT).unwrap().into()
}

fn matter<'a>(department_id: &'a DepartmentId, officer_id: &'a OfficerId) -> Matter<'a> {
    Matter { department_id, officer_id: Some(officer_id) }
}

/// Who is told, or why nobody is.
fn told(department: &str, officer: &str, rung: usize, on: Date) -> String {
    let (district, department, officer) = (district(), DepartmentId::from(department), OfficerId::from(officer));
    let told = district.addressees(rung, matter(&department, &officer), on);
    match told.missing {
        Some(missing) => missing.to_string(),
        None => told.officers.iter().map(|one| one.id.as_str()).collect::<Vec<_>>().join(" "),
    }
}

#[test]
fn a_ladder_is_ones_own_an_ancestors_everybodys_or_the_built_in_one() {
    let mut district = district();
    let hours = |district: &Organisation, id: &str| {
        let ladder = district.ladder_of(&DepartmentId::from(id));
        ladder.rungs.iter().map(|rung| rung.after_working_hours).collect::<Vec<_>>()
    };
    assert_eq!(hours(&district, "other"), [0, 2]);
    for id in ["office", "lone", "nobody knows it"] {
        assert_eq!(hours(&district, id), [0, 4, 8, 16], "{id}");
    }
    let ladder = |owner: Option<&str>, hours: u16| {
        let department_id = owner.map(DepartmentId::from);
        let rungs = vec![Rung { whom: Whom::Role(OfficerRole::Supervisor), after_working_hours: hours }];
        (department_id.clone(), Ladder { department_id, rungs })
    };
    district.ladders.extend([ladder(None, 30), ladder(Some("gov"), 40), ladder(Some("bureau"), 50)]);
    for (id, expected) in
        [("office", vec![50]), ("bureau", vec![50]), ("other", vec![0, 2]), ("gov", vec![40]), ("lone", vec![30])]
    {
        assert_eq!(hours(&district, id), expected, "{id}");
    }
}

#[test]
fn each_rung_tells_those_who_stand_on_it_or_stand_in() {
    let day = |day: i8| date(2026, 11, day);
    for (officer, rung, on, expected) in [
        ("clerk", 0, day(30), "clerk"),
        ("clerk", 0, day(23), "second"),
        ("clerk", 0, day(24), "third"), // the substitute is absent too
        ("third", 0, day(24), "third"),
        ("clerk", 1, day(30), "head"),
        ("second", 1, day(26), "clerk"), // the head's substitute
        ("clerk", 1, day(26), "second"), // the head's substitute is the one it is about: on to the next
        ("clerk", 2, day(30), "super-1 super-2"),
        ("clerk", 2, day(23), "super-2"), // once, also as a substitute
        ("clerk", 2, day(24), "super-1"), // without a substitute the others are told
        ("clerk", 3, day(30), "无此类人员 nobody has the role inspector"),
        ("clerk", 4, day(30), "梯级已尽 the ladder has no further rung"),
        ("unknown", 0, day(30), "机构文件未列此人 officer unknown is not in the organisation"),
        ("unknown", 1, day(30), "head"),
    ] {
        assert_eq!(told("office", officer, rung, on), expected, "{officer} {rung} {on}");
    }
    assert_eq!(told("office", "clerk", 0, date(2026, 12, 1)), "second", "a second absence");
    assert_eq!(told("lone", "clerk", 1, day(30)), "本部门及上级均无负责人 nobody heads lone or a department above it");
    assert_eq!(told("other", "clerk", 0, day(30)), "third", "a rung that names a person");
}

#[test]
fn a_rung_without_anybody_says_who_is_missing() {
    let mut district = district();
    district.officers.get_mut(&OfficerId::from("head")).unwrap().substitute_id = None;
    let (department, officer) = (DepartmentId::from("office"), OfficerId::from("clerk"));
    let on = date(2026, 11, 26);
    let told = district.addressees(1, matter(&department, &officer), on);
    assert_eq!((told.officers.len(), told.missing), (0, Some(Missing::Absent(vec![OfficerId::from("head")]))));
    let nobody = Matter { department_id: &department, officer_id: None };
    assert_eq!(district.addressees(0, nobody, on).missing, Some(Missing::Officer));
    let words = Missing::Absent(vec![OfficerId::from("a"), OfficerId::from("b")]).to_string();
    assert_eq!(words, "均不在岗且无人代理 absent, with nobody to stand in: a, b");
}

#[test]
fn only_those_who_stand_there_or_higher_may_acknowledge() {
    let district = district();
    let may = |person: &str, rung: usize, officer: &str| {
        let (department, officer) = (DepartmentId::from("office"), OfficerId::from(officer));
        district.may_acknowledge(&OfficerId::from(person), rung, matter(&department, &officer))
    };
    for (person, rung, officer, expected) in [
        ("clerk", 0, "clerk", true),
        ("second", 0, "clerk", true), // the substitute, also while the officer is there
        ("third", 0, "clerk", true),  // the substitute's substitute
        ("head", 0, "clerk", true),
        ("super-1", 0, "clerk", true),
        ("clerk", 1, "clerk", false), // the head's substitute, but it is about the clerk
        ("second", 1, "clerk", true), // stands in for the head after the clerk
        ("clerk", 1, "third", true),  // the head's substitute
        ("head", 1, "clerk", true),
        ("head", 1, "head", true), // the addressee
        ("head", 2, "clerk", false),
        ("clerk", 2, "clerk", false),
        ("super-2", 2, "clerk", true),
        ("super-2", 3, "clerk", false), // nobody stands on the last rung
        ("stranger", 0, "clerk", false),
    ] {
        assert_eq!(may(person, rung, officer), expected, "{person} {rung} {officer}");
    }
}

#[test]
fn circles_end_even_where_no_file_was_checked() {
    let mut district = district();
    for id in ["clerk", "second", "third"] {
        let one = district.officers.get_mut(&OfficerId::from(id)).unwrap();
        one.substitute_id = Some(OfficerId::from("clerk"));
        one.absent.insert(Absence { from: date(2026, 1, 1), to: date(2026, 12, 31) });
    }
    district.departments.get_mut(&DepartmentId::from("gov")).unwrap().parent_id = Some(DepartmentId::from("office"));
    district.officers.remove(&OfficerId::from("head"));
    let (department, officer) = (DepartmentId::from("office"), OfficerId::from("clerk"));
    let on = date(2026, 6, 1);
    assert_eq!(
        district.addressees(0, matter(&department, &officer), on).missing,
        Some(Missing::Absent(vec![officer.clone()]))
    );
    assert_eq!(
        district.addressees(1, matter(&department, &officer), on).missing,
        Some(Missing::Head(department.clone()))
    );
    assert_eq!(district.ladder_of(&department).rungs.len(), 4);
}

#[test]
fn differences_name_what_changed_and_no_contacts() {
    let before = district();
    assert!(before.differences(&before).are_none());
    let changed = DISTRICT
        .replace("name = \"局长\"", "name = \"局长\"\nmobile = \"+8613800000001\"\nemail = \"head@example.com\"")
        .replace("id = \"lone\"", "id = \"new\"")
        .replace("[[ladder]]\ndepartment_id = \"other\"", "[[ladder]]");
    let after: Organisation = OrganisationFile::parse(&changed).unwrap().into();
    let differences = after.differences(&before);
    let row = differences.journal_row(&after, "test");
    assert_eq!(
        row.detail,
        json!({"departments": {"count": 5, "added": ["new"], "changed": [], "removed": ["lone"]},
            "officers": {"count": 6, "added": [], "changed": ["head"], "removed": []},
            "ladders": {"count": 1, "added": ["(default)"], "changed": [], "removed": ["other"]}})
    );
    assert!(!format!("{after:?}").contains("13800000001"), "contacts do not slip into logs");
}
