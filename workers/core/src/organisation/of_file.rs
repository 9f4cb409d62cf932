//! An organisation as its file states it. Not its checks.

use super::{Absence, Department, Ladder, Officer, OfficerRole, Organisation, Rung, Whom};
use crate::ids::{DepartmentId, OfficerId};
use zhida_schemas::organisation_file::{self as file, OrganisationFile, Role};
use zhida_schemas::text::Id;

impl From<OrganisationFile> for Organisation {
    fn from(file: OrganisationFile) -> Self {
        Self {
            departments: file.departments.into_iter().map(department).map(|one| (one.id.clone(), one)).collect(),
            officers: file.officers.into_iter().map(officer).map(|one| (one.id.clone(), one)).collect(),
            ladders: file.ladders.into_iter().map(ladder).map(|one| (one.department_id.clone(), one)).collect(),
        }
    }
}

fn department_id(id: Id) -> DepartmentId {
    DepartmentId(id.into_string())
}

fn officer_id(id: Id) -> OfficerId {
    OfficerId(id.into_string())
}

fn department(one: file::Department) -> Department {
    Department { id: department_id(one.id), name: one.name.into_string(), parent_id: one.parent_id.map(department_id) }
}

fn officer(one: file::Officer) -> Officer {
    let absence = |absence: file::Absence| Absence { from: absence.from.civil(), to: absence.to.civil() };
    Officer {
        id: officer_id(one.id),
        name: one.name.into_string(),
        department_id: department_id(one.department_id),
        role: role(one.role),
        mobile: one.mobile,
        email: one.email,
        substitute_id: one.substitute_id.map(officer_id),
        absent: one.absent.into_iter().map(absence).collect(),
    }
}

fn role(role: Role) -> OfficerRole {
    match role {
        Role::Officer => OfficerRole::Officer,
        Role::Head => OfficerRole::Head,
        Role::Supervisor => OfficerRole::Supervisor,
        Role::Inspector => OfficerRole::Inspector,
    }
}

fn ladder(one: file::Ladder) -> Ladder {
    let rung = |rung: file::Rung| Rung {
        whom: match rung.whom {
            file::Whom::Role(named) => Whom::Role(role(named)),
            file::Whom::Officer(id) => Whom::Officer(officer_id(id)),
        },
        after_working_hours: rung.after_working_hours,
    };
    Ladder { department_id: one.department_id.map(department_id), rungs: one.rungs.into_iter().map(rung).collect() }
}
