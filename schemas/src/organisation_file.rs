//! The organisation file of `zhida organisation import`: departments, officers with their substitutes and absences, and the
//! ladders by which alerts climb, as TOML or JSON, read and checked whole. Who is told of what is decided elsewhere.

mod checks;

use crate::identifiers::{Email, Mobile};
use crate::reference_file::{self, FileKind, Members, ReferenceFileError};
use crate::text::{Id, Name};
use crate::time::Date;
use serde_json::Value;

const KIND: FileKind = FileKind { name: "the organisation file", tables: "departments, officers and ladder" };

/// An organisation file that passed every check. It states the organisation whole: what it does not name is no more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrganisationFile {
    /// In the order of the file; ids are unique, parents are in the file, nobody is above themselves.
    pub departments: Vec<Department>,
    /// In the order of the file; ids are unique, departments and substitutes are in the file, substitutes go round no circle.
    pub officers: Vec<Officer>,
    /// In the order of the file; at most one for each department and one without.
    pub ladders: Vec<Ladder>,
}

/// A department of the district.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Department {
    /// Id.
    pub id: Id,
    /// What people call it.
    pub name: Name,
    /// The department above it.
    pub parent_id: Option<Id>,
}

/// A person who reviews, leads or supervises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Officer {
    /// Id, as events name it.
    pub id: Id,
    /// The person's name.
    pub name: Name,
    /// Where the person works.
    pub department_id: Id,
    /// As what.
    pub role: Role,
    /// Phone for SMS.
    pub mobile: Option<Mobile>,
    /// Mail address.
    pub email: Option<Email>,
    /// Who stands in while the person is absent. For a supervisor a supervisor or an inspector, for an inspector an inspector.
    pub substitute_id: Option<Id>,
    /// When the person is absent.
    pub absent: Vec<Absence>,
}

/// As what a person works, from the supervised to those who supervise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reviews (经办).
    Officer,
    /// Leads a department (主管领导).
    Head,
    /// The supervision office (督办).
    Supervisor,
    /// Discipline inspection (纪检监察).
    Inspector,
}

/// Days on which a person is not there, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Absence {
    /// The first.
    pub from: Date,
    /// The last; not before the first.
    pub to: Date,
}

/// How alerts climb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// Whose alerts, with the departments below; without it everybody's who has no other.
    pub department_id: Option<Id>,
    /// From the first told to the last. Their hours ascend, and one of them at least belongs to supervision.
    pub rungs: Vec<Rung>,
}

/// Who is told when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Who.
    pub whom: Whom,
    /// So many working hours after the deadline was missed.
    pub after_working_hours: u16,
}

/// Whom a rung names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Whoever has this role for the case.
    Role(Role),
    /// This person.
    Officer(Id),
}

const ROLES: [(&str, Role); 4] = [
    ("officer", Role::Officer),
    ("head", Role::Head),
    ("supervisor", Role::Supervisor),
    ("inspector", Role::Inspector),
];

impl OrganisationFile {
    /// Reads an organisation file: JSON when it begins with `{`, else TOML.
    ///
    /// # Errors
    /// Everything that is wrong with it, not only the first.
    pub fn parse(text: &str) -> Result<Self, ReferenceFileError> {
        let root = reference_file::read(text, KIND)?;
        let mut findings = Vec::new();
        let mut file = Members::new(String::new(), &root, &mut findings);
        let departments = file.tables("departments", department);
        let officers = file.tables("officers", officer);
        let ladders = file.tables("ladder", ladder);
        if ["departments", "officers", "ladder"].iter().all(|name| !file.has(name)) {
            let problem = "holds neither departments nor officers nor a ladder";
            file.note(KIND.name, None, problem, "add [[departments]] and [[officers]]");
        }
        file.finish();
        checks::check(&root, &mut findings);
        if findings.is_empty() {
            Ok(Self { departments, officers, ladders })
        } else {
            Err(ReferenceFileError::Invalid(findings))
        }
    }
}

fn department(members: &mut Members<'_>) -> Option<Department> {
    let id = members.required("id");
    let name = members.required("name");
    let parent_id = members.optional("parent_id");
    Some(Department { id: id?, name: name?, parent_id: parent_id? })
}

fn officer(members: &mut Members<'_>) -> Option<Officer> {
    let id = members.required("id");
    let name = members.required("name");
    let department_id = members.required("department_id");
    let role = members.word("role", &ROLES);
    if role == Some(None) {
        members.note("role", None, "is missing", "write officer, head, supervisor or inspector");
    }
    let mobile = members.optional("mobile");
    let email = members.optional("email");
    let substitute_id = members.optional("substitute_id");
    let absent = members.tables("absent", absence);
    Some(Officer {
        id: id?,
        name: name?,
        department_id: department_id?,
        role: role??,
        mobile: mobile?,
        email: email?,
        substitute_id: substitute_id?,
        absent,
    })
}

fn absence(members: &mut Members<'_>) -> Option<Absence> {
    let from = members.required::<Date>("from");
    let to = members.required::<Date>("to");
    let absence = Absence { from: from?, to: to? };
    if absence.to < absence.from {
        let value = Value::from(absence.to.to_string());
        members.note(
            "to",
            Some(&value),
            &format!("lies before from ({})", absence.from),
            "write the same or a later day",
        );
        return None;
    }
    Some(absence)
}

fn ladder(members: &mut Members<'_>) -> Option<Ladder> {
    let department_id = members.optional("department_id");
    if !members.has("rungs") {
        members.note("rungs", None, "is missing", "add [[ladder.rungs]]");
    }
    let rungs = members.tables("rungs", rung);
    Some(Ladder { department_id: department_id?, rungs })
}

fn rung(members: &mut Members<'_>) -> Option<Rung> {
    let role = members.word("role", &ROLES);
    let officer_id = members.optional("officer_id");
    let after_working_hours = members.hours("after_working_hours");
    let whom = match (role?, officer_id?) {
        (Some(role), None) => Whom::Role(role),
        (None, Some(id)) => Whom::Officer(id),
        (Some(_), Some(_)) => {
            members.note("", None, "names a role and an officer_id", "keep one of the two");
            return None;
        }
        (None, None) => {
            members.note("", None, "names neither a role nor an officer_id", "add one of the two");
            return None;
        }
    };
    Some(Rung { whom, after_working_hours: after_working_hours? })
}

#[cfg(test)]
mod tests;
