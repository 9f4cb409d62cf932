//! What must hold between the tables of an organisation file: names that are there, no circles, ladders that supervision
//! stands on. Works on the file as it stands, so that one wrong field is told once.

use crate::reference_file::{Finding, Named, check_ids, finding, tables_of, texts_of};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

type Root = Map<String, Value>;

/// Whoever supervises.
const SUPERVISING: [&str; 2] = ["supervisor", "inspector"];

pub(super) fn check(root: &Root, findings: &mut Vec<Finding>) {
    check_ids(root, "departments", findings);
    check_ids(root, "officers", findings);
    check_names(root, findings);
    check_circles(root, "departments", "parent_id", "let one of them have no parent", findings);
    check_circles(root, "officers", "substitute_id", "let one of them have another substitute or none", findings);
    check_substitutes(root, findings);
    check_owners(root, findings);
    for (index, ladder) in tables_of(root, "ladder") {
        check_rungs(&format!("ladder[{index}]"), ladder, findings);
    }
}

/// Departments, parents, officers and substitutes that are named stand in the file.
fn check_names(root: &Root, findings: &mut Vec<Finding>) {
    let departments: BTreeSet<&str> = texts_of(root, "departments", "id").map(|(_, id)| id).collect();
    let problem = "is no department of this file";
    let department = Named { known: &departments, noun: "department", problem, table: "departments" };
    let officers: BTreeSet<&str> = texts_of(root, "officers", "id").map(|(_, id)| id).collect();
    let problem = "is no officer of this file";
    let officer = Named { known: &officers, noun: "officer", problem, table: "officers" };
    for (table, name, named) in [
        ("departments", "parent_id", &department),
        ("officers", "department_id", &department),
        ("officers", "substitute_id", &officer),
        ("ladder", "department_id", &department),
    ] {
        for (index, id) in texts_of(root, table, name) {
            named.check(format!("{table}[{index}].{name}"), id, findings);
        }
    }
    for (index, ladder) in tables_of(root, "ladder") {
        for (place, id) in texts_of(ladder, "rungs", "officer_id") {
            officer.check(format!("ladder[{index}].rungs[{place}].officer_id"), id, findings);
        }
    }
}

/// Whoever follows the links comes to an end. Each circle is told once, at its first member in the file.
fn check_circles(root: &Root, table: &str, link: &str, remedy: &str, findings: &mut Vec<Finding>) {
    let places: BTreeMap<&str, usize> = texts_of(root, table, "id").map(|(index, id)| (id, index)).collect();
    let links: BTreeMap<&str, &str> = tables_of(root, table)
        .filter_map(|(_, row)| Some((row.get("id")?.as_str()?, row.get(link)?.as_str()?)))
        .collect();
    let mut followed: BTreeSet<&str> = BTreeSet::new();
    for (_, start) in texts_of(root, table, "id") {
        let mut path = Vec::new();
        let mut next = Some(start);
        while let Some(id) = next.filter(|id| !followed.contains(id)) {
            followed.insert(id);
            path.push(id);
            next = links.get(id).copied();
        }
        let Some(circle) = next.and_then(|id| path.iter().position(|one| *one == id)).map(|from| &path[from..]) else {
            continue;
        };
        let Some(first) = (0..circle.len()).min_by_key(|place| places.get(circle[*place])) else { continue };
        let round = [&circle[first..], &circle[..=first]].concat();
        let place = places.get(round[0]).copied().unwrap_or_default();
        let problem = format!("goes round in a circle ({})", round.join(" → "));
        findings.push(finding(format!("{table}[{place}].{link}"), round[1], problem, remedy.to_owned()));
    }
}

/// Nobody who is supervised stands in for those who supervise.
fn check_substitutes(root: &Root, findings: &mut Vec<Finding>) {
    let roles: BTreeMap<&str, &str> = tables_of(root, "officers")
        .filter_map(|(_, row)| Some((row.get("id")?.as_str()?, row.get("role")?.as_str()?)))
        .collect();
    for (index, row) in tables_of(root, "officers") {
        let text = |name: &str| row.get(name).and_then(Value::as_str);
        let (Some(role), Some(substitute)) = (text("role"), text("substitute_id")) else { continue };
        let Some(other) = roles.get(substitute) else { continue };
        let remedy = match (role, *other) {
            ("supervisor", "officer" | "head") => "name a supervisor or an inspector",
            ("inspector", "officer" | "head" | "supervisor") => "name another inspector",
            (_, _) => continue,
        };
        let problem = format!("has the role {other} and cannot stand in for the role {role}");
        findings.push(finding(format!("officers[{index}].substitute_id"), substitute, problem, remedy.to_owned()));
    }
}

/// At most one ladder for each department, and one for all others.
fn check_owners(root: &Root, findings: &mut Vec<Finding>) {
    let mut first_at: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    for (index, ladder) in tables_of(root, "ladder") {
        let owner = ladder.get("department_id").and_then(Value::as_str);
        let Some(first) = first_at.get(&owner) else {
            first_at.insert(owner, index);
            continue;
        };
        let remedy = "keep one of the two".to_owned();
        findings.push(match owner {
            Some(id) => finding(
                format!("ladder[{index}].department_id"),
                id,
                format!("has its ladder in ladder[{first}] already"),
                remedy,
            ),
            None => Finding {
                field: format!("ladder[{index}]"),
                value: None,
                problem: format!("names no department, and neither does ladder[{first}]"),
                remedy: format!("{remedy}, or name the department"),
            },
        });
    }
}

/// The hours ascend, and supervision is among those who are told.
fn check_rungs(path: &str, ladder: &Root, findings: &mut Vec<Finding>) {
    let mut before: Option<u64> = None;
    for (place, rung) in tables_of(ladder, "rungs") {
        let Some(hours) = rung.get("after_working_hours").and_then(Value::as_u64) else { continue };
        if place == 0 && hours > 0 {
            findings.push(Finding {
                field: format!("{path}.rungs[{place}].after_working_hours"),
                value: Some(hours.to_string()),
                problem: "keeps a missed deadline from everybody for a while".to_owned(),
                remedy: "let the first rung be told at once: 0".to_owned(),
            });
        }
        if let Some(before) = before.filter(|before| hours <= *before) {
            findings.push(Finding {
                field: format!("{path}.rungs[{place}].after_working_hours"),
                value: Some(hours.to_string()),
                problem: format!("does not come after the rung before it ({before})"),
                remedy: "let the hours ascend from rung to rung".to_owned(),
            });
        }
        before = Some(hours);
    }
    let supervised = texts_of(ladder, "rungs", "role").any(|(_, role)| SUPERVISING.contains(&role));
    if ladder.contains_key("rungs") && !supervised {
        findings.push(Finding {
            field: format!("{path}.rungs"),
            value: None,
            problem: "leaves supervision out".to_owned(),
            remedy: "add a rung with the role supervisor or inspector".to_owned(),
        });
    }
}
