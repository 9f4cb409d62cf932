//! The district's organisation: departments, people with their substitutes and absences, and the ladders by which alerts climb.
//! Who is told of what is a pure function of it and a date (`told`). It is stated whole by the organisation file, whose checks
//! (`zhida_schemas::organisation_file`) are not repeated here; nothing here goes round in circles even without them.

mod of_file;
#[cfg(test)]
mod tests;
mod told;

pub use told::{Addressees, Matter, Missing};

use crate::ids::{DepartmentId, OfficerId};
use crate::steps::JournalRow;
use jiff::civil::Date;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use zhida_schemas::identifiers::{Email, Mobile};

/// All departments, people and ladders of the district.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Organisation {
    /// By id.
    pub departments: BTreeMap<DepartmentId, Department>,
    /// By id.
    pub officers: BTreeMap<OfficerId, Officer>,
    /// By the department whose alerts climb it; `None` for everybody's who has no other.
    pub ladders: BTreeMap<Option<DepartmentId>, Ladder>,
}

/// A department.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Department {
    /// Its id, as events and policies name it.
    pub id: DepartmentId,
    /// What people call it.
    pub name: String,
    /// The one above it.
    pub parent_id: Option<DepartmentId>,
}

/// A person who reviews, leads or supervises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Officer {
    /// The id, as events name it.
    pub id: OfficerId,
    /// The person's name.
    pub name: String,
    /// Where the person works.
    pub department_id: DepartmentId,
    /// As what.
    pub role: OfficerRole,
    /// Phone for SMS.
    pub mobile: Option<Mobile>,
    /// Mail address.
    pub email: Option<Email>,
    /// Who stands in while the person is absent.
    pub substitute_id: Option<OfficerId>,
    /// When the person is absent.
    pub absent: BTreeSet<Absence>,
}

/// As what a person works, from the supervised to those who supervise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OfficerRole {
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
    /// The last.
    pub to: Date,
}

/// How alerts climb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// Whose alerts, with those of the departments below; without it everybody's who has no other.
    pub department_id: Option<DepartmentId>,
    /// From the first who are told to the last, their hours ascending.
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

impl Rung {
    /// Whoever has the step stands on it.
    #[must_use]
    pub fn is_the_officers(&self) -> bool {
        self.whom == Whom::Role(OfficerRole::Officer)
    }
}

/// Whom a rung names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Whoever has this role for the matter.
    Role(OfficerRole),
    /// This person.
    Officer(OfficerId),
}

/// The ladder where the organisation states none: officer at once, head of department, supervision office, discipline
/// inspection, each after so many working hours (check: from memory; a district states its own in the organisation file).
static BUILT_IN: LazyLock<Ladder> = LazyLock::new(|| {
    let hours =
        [(OfficerRole::Officer, 0), (OfficerRole::Head, 4), (OfficerRole::Supervisor, 8), (OfficerRole::Inspector, 16)];
    let rung = |(role, after_working_hours)| Rung { whom: Whom::Role(role), after_working_hours };
    Ladder { department_id: None, rungs: hours.map(rung).into() }
});

impl OfficerRole {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Officer, Self::Head, Self::Supervisor, Self::Inspector];

    /// The word of the organisation file and of the database.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Officer => "officer",
            Self::Head => "head",
            Self::Supervisor => "supervisor",
            Self::Inspector => "inspector",
        }
    }

    /// It is among those whose deadlines are watched, not among those who watch.
    #[must_use]
    pub fn is_supervised(self) -> bool {
        match self {
            Self::Officer | Self::Head => true,
            Self::Supervisor | Self::Inspector => false,
        }
    }

    /// The role of that word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }
}

impl Officer {
    /// Whether the person is absent on that day.
    #[must_use]
    pub fn is_absent(&self, on: Date) -> bool {
        self.absent.iter().any(|absence| (absence.from..=absence.to).contains(&on))
    }
}

impl Organisation {
    /// The ladder of a department's alerts: its own, else its nearest ancestor's, else the one for everybody, else the built-in
    /// one. Also for departments that nobody knows.
    #[must_use]
    pub fn ladder_of(&self, department_id: &DepartmentId) -> &Ladder {
        let own = self.upwards(department_id).find_map(|id| self.ladders.get(&Some(id.clone())));
        own.or_else(|| self.ladders.get(&None)).unwrap_or(&BUILT_IN)
    }

    /// A department and those above it, nearest first.
    fn upwards<'a>(&'a self, department_id: &'a DepartmentId) -> impl Iterator<Item = &'a DepartmentId> {
        let above = |id: &&DepartmentId| self.departments.get(*id)?.parent_id.as_ref();
        std::iter::successors(Some(department_id), above).take(self.departments.len().max(1))
    }

    /// How this organisation differs from the one before.
    #[must_use]
    pub fn differences(&self, before: &Self) -> Differences {
        Differences {
            departments: Difference::between(&before.departments, &self.departments, DepartmentId::to_string),
            officers: Difference::between(&before.officers, &self.officers, OfficerId::to_string),
            ladders: Difference::between(&before.ladders, &self.ladders, |owner| {
                owner.as_ref().map_or_else(|| EVERYBODY.to_owned(), DepartmentId::to_string)
            }),
        }
    }
}

/// What the ladder without a department is called in lists and in the journal; no id has brackets.
pub const EVERYBODY: &str = "(default)";

/// How two organisations differ, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Departments.
    pub departments: Difference,
    /// People.
    pub officers: Difference,
    /// Ladders, by their department or [`EVERYBODY`].
    pub ladders: Difference,
}

/// How two lists differ, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// In the new one only.
    pub added: Vec<String>,
    /// In both, and not the same.
    pub changed: Vec<String>,
    /// In the old one only.
    pub removed: Vec<String>,
}

impl Difference {
    fn between<Key: Ord, Item: PartialEq>(
        before: &BTreeMap<Key, Item>,
        after: &BTreeMap<Key, Item>,
        name: impl Fn(&Key) -> String,
    ) -> Self {
        let mut difference = Self::default();
        for (key, item) in after {
            match before.get(key) {
                None => difference.added.push(name(key)),
                Some(old) if old != item => difference.changed.push(name(key)),
                Some(_) => {}
            }
        }
        difference.removed = before.keys().filter(|key| !after.contains_key(key)).map(name).collect();
        difference
    }

    fn is_none(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }

    fn json(&self, count: usize) -> Value {
        json!({"count": count, "added": self.added, "changed": self.changed, "removed": self.removed})
    }
}

impl Differences {
    /// Whether there are none.
    #[must_use]
    pub fn are_none(&self) -> bool {
        self.departments.is_none() && self.officers.is_none() && self.ladders.is_none()
    }

    /// What the journal says of an import: counts and ids, no names and no contacts.
    #[must_use]
    pub fn journal_row(&self, after: &Organisation, by: &str) -> JournalRow {
        JournalRow {
            kind: "organisation.imported".to_owned(),
            subject: "organisation".to_owned(),
            by: by.to_owned(),
            detail: json!({
                "departments": self.departments.json(after.departments.len()),
                "officers": self.officers.json(after.officers.len()),
                "ladders": self.ladders.json(after.ladders.len()),
            }),
        }
    }
}
