//! What an import of an organisation file would change, field by field. Pure: the file and what stands in the database go in.

use super::organisation::{email, ladder_name, mobile};
use super::policy_changes::{Change, tell};
use std::collections::BTreeMap;
use zhida_core::ids::{DepartmentId, OfficerId};
use zhida_core::organisation::{Department, Ladder, Officer, Organisation, Whom};
use zhida_schemas::identifiers::{Email, Mobile};

/// What an import would change.
pub(crate) struct Changes {
    /// The preview.
    pub(crate) lines: Vec<String>,
    /// Whether an import would write nothing.
    pub(crate) are_none: bool,
}

/// A field: its name as in the file, its value, and the value as it may be shown.
struct Field {
    name: &'static str,
    value: String,
    shown: String,
}

impl Changes {
    /// Compares.
    pub(crate) fn of(before: &Organisation, after: &Organisation) -> Self {
        let mut lines = Vec::new();
        let departments = Section {
            word: "部门 departments",
            about: |one: &Department| format!("部门 department {} {}", one.id, one.name),
            fields: department_fields,
        };
        let officers = Section {
            word: "人员 officers",
            about: |one: &Officer| format!("人员 officer {} {} ({})", one.id, one.name, one.role.code()),
            fields: officer_fields,
        };
        let ladders = Section {
            word: "督办梯级 ladders",
            about: |one: &Ladder| format!("督办梯级 ladder {}: {}", ladder_name(one), rungs(one)),
            fields: |one: &Ladder| vec![shown("rungs", rungs(one))],
        };
        let counts = [
            departments.tell(&mut lines, &before.departments, &after.departments),
            officers.tell(&mut lines, &before.officers, &after.officers),
            ladders.tell(&mut lines, &before.ladders, &after.ladders),
        ];
        lines.extend(counts);
        Self { lines, are_none: after.differences(before).are_none() }
    }
}

/// How one kind of thing is told.
struct Section<Item> {
    word: &'static str,
    about: fn(&Item) -> String,
    fields: fn(&Item) -> Vec<Field>,
}

impl<Item> Section<Item> {
    /// Tells what is new, changed and gone; gives the line that counts them.
    fn tell<Key: Ord>(
        &self,
        lines: &mut Vec<String>,
        before: &BTreeMap<Key, Item>,
        after: &BTreeMap<Key, Item>,
    ) -> String {
        let (mut new, mut changed, mut unchanged, mut gone) = (0, 0, 0, 0);
        for (key, item) in after {
            let change = match before.get(key) {
                None => Change::New,
                Some(old) => self.change(old, item),
            };
            match &change {
                Change::New => new += 1,
                Change::Changed(_) => changed += 1,
                Change::Unchanged => unchanged += 1,
            }
            tell(lines, &(self.about)(item), &change);
        }
        for (_, item) in before.iter().filter(|(key, _)| !after.contains_key(key)) {
            gone += 1;
            lines.push(format!("- {}", (self.about)(item)));
        }
        let word = self.word;
        format!("{word}: 新增 {new} new, 变更 {changed} changed, 不变 {unchanged} unchanged, 删除 {gone} removed")
    }

    fn change(&self, old: &Item, new: &Item) -> Change {
        let both = (self.fields)(old).into_iter().zip((self.fields)(new));
        let differing = both.filter(|(old, new)| old.value != new.value);
        let fields: Vec<_> = differing.map(|(old, new)| (old.name, old.shown, new.shown)).collect();
        if fields.is_empty() { Change::Unchanged } else { Change::Changed(fields) }
    }
}

fn shown(name: &'static str, value: String) -> Field {
    Field { name, shown: value.clone(), value }
}

fn or_none(value: Option<String>) -> String {
    value.unwrap_or_else(|| "–".to_owned())
}

fn department_fields(one: &Department) -> Vec<Field> {
    let parent = or_none(one.parent_id.as_ref().map(DepartmentId::to_string));
    vec![shown("name", one.name.clone()), shown("parent_id", parent)]
}

fn officer_fields(one: &Officer) -> Vec<Field> {
    let mobile_value = or_none(one.mobile.clone().map(Mobile::into_string));
    let email_value = or_none(one.email.clone().map(Email::into_string));
    vec![
        shown("name", one.name.clone()),
        shown("department_id", one.department_id.to_string()),
        shown("role", one.role.code().to_owned()),
        Field { name: "mobile", value: mobile_value, shown: or_none(mobile(one)) },
        Field { name: "email", value: email_value, shown: or_none(email(one)) },
        shown("substitute_id", or_none(one.substitute_id.as_ref().map(OfficerId::to_string))),
        shown("absent", or_none(Some(absences(one)).filter(|days| !days.is_empty()))),
    ]
}

/// When a person is absent.
pub(super) fn absences(one: &Officer) -> String {
    one.absent.iter().map(|absence| format!("{} – {}", absence.from, absence.to)).collect::<Vec<_>>().join(", ")
}

/// Who is told after how many working hours.
pub(super) fn rungs(ladder: &Ladder) -> String {
    let rung = |rung: &zhida_core::organisation::Rung| {
        let whom = match &rung.whom {
            Whom::Role(role) => role.code(),
            Whom::Officer(id) => id.as_str(),
        };
        format!("{whom} {} h", rung.after_working_hours)
    };
    ladder.rungs.iter().map(rung).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::Changes;
    use zhida_core::organisation::Organisation;
    use zhida_schemas::organisation_file::OrganisationFile;

    const FILE: &str = r#"
        departments = [{ id = "D-1", name = "财政局" }, { id = "D-2", name = "商务局", parent_id = "D-1" }]
        officers = [{ id = "O-1", name = "王敏", department_id = "D-1", role = "head", mobile = "+8613800000001", email = "wang@example.com" }]
        ladder = [{ rungs = [{ role = "head", after_working_hours = 0 }, { role = "inspector", after_working_hours = 9 }] }]
        "#;

    fn organisation(text: &str) -> Organisation {
        OrganisationFile::parse(text).unwrap().into()
    }

    #[test]
    fn every_change_is_told_and_contacts_are_masked() {
        let changed = FILE
            .replace(r#", { id = "D-2", name = "商务局", parent_id = "D-1" }"#, r#", { id = "D-3", name = "科技局" }"#)
            .replace("138", "139")
            .replace("wang@", "wu@")
            .replace("hours = 9", "hours = 8");
        let changes = Changes::of(&organisation(FILE), &organisation(&changed));
        assert!(!changes.are_none);
        assert_eq!(
            changes.lines,
            [
                "+ 部门 department D-3 科技局",
                "- 部门 department D-2 商务局",
                "~ 人员 officer O-1 王敏 (head)",
                "    mobile: **********0001 → **********0001",
                "    email: w***@example.com → w***@example.com",
                "~ 督办梯级 ladder (default): head 0 h, inspector 8 h",
                "    rungs: head 0 h, inspector 9 h → head 0 h, inspector 8 h",
                "部门 departments: 新增 1 new, 变更 0 changed, 不变 1 unchanged, 删除 1 removed",
                "人员 officers: 新增 0 new, 变更 1 changed, 不变 0 unchanged, 删除 0 removed",
                "督办梯级 ladders: 新增 0 new, 变更 1 changed, 不变 0 unchanged, 删除 0 removed",
            ]
        );
    }

    #[test]
    fn the_same_file_again_changes_nothing() {
        let changes = Changes::of(&organisation(FILE), &organisation(FILE));
        assert!(changes.are_none && changes.lines.len() == 3, "{:?}", changes.lines);
    }
}
