//! Who is told of an alert on a rung of its ladder, and who may acknowledge it there. Those who are absent are stood in for;
//! where nobody is left the rung says so and the caller goes on to the next.

use super::{Officer, OfficerRole, Organisation, Whom};
use crate::ids::{DepartmentId, OfficerId};
use jiff::civil::Date;
use std::fmt;

/// What an alert is about, as far as it decides who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matter<'a> {
    /// The department whose step it is.
    pub department_id: &'a DepartmentId,
    /// The person whose step it is, when one is named.
    pub officer_id: Option<&'a OfficerId>,
}

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressees<'a> {
    /// Everybody once; empty when the rung is.
    pub officers: Vec<&'a Officer>,
    /// Why nobody is told.
    pub missing: Option<Missing>,
}

/// Why nobody is told on a rung. In words, Chinese first; ids only, so that the journal may hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The ladder has no such rung.
    Rung,
    /// Nobody is named for the step yet.
    Officer,
    /// The organisation does not know the person.
    Unknown(OfficerId),
    /// Nobody heads the department or one above it.
    Head(DepartmentId),
    /// Nobody has the role.
    Role(OfficerRole),
    /// All are absent, and so is whoever could stand in.
    Absent(Vec<OfficerId>),
}

impl fmt::Display for Missing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rung => out.write_str("梯级已尽 the ladder has no further rung"),
            Self::Officer => out.write_str("尚无经办人 no officer is named for the step"),
            Self::Unknown(id) => write!(out, "机构文件未列此人 officer {id} is not in the organisation"),
            Self::Head(id) => write!(out, "本部门及上级均无负责人 nobody heads {id} or a department above it"),
            Self::Role(role) => write!(out, "无此类人员 nobody has the role {}", role.code()),
            Self::Absent(ids) => {
                let ids = ids.iter().map(OfficerId::as_str).collect::<Vec<_>>().join(", ");
                write!(out, "均不在岗且无人代理 absent, with nobody to stand in: {ids}")
            }
        }
    }
}

impl Organisation {
    /// Who is told on that rung (counted from 0) of the ladder of the matter's department, on that day. Somebody absent is
    /// replaced by the substitute, an absent substitute by theirs; but nobody who stands on a lower rung stands in on a higher
    /// one, for there they would be told of themselves.
    #[must_use]
    pub fn addressees(&self, rung: usize, matter: Matter<'_>, on: Date) -> Addressees<'_> {
        let nobody = |missing| Addressees { officers: Vec::new(), missing: Some(missing) };
        let own = match self.standing(rung, matter) {
            Ok(own) => own,
            Err(missing) => return nobody(missing),
        };
        let below = self.below(rung, matter);
        let mut officers: Vec<&Officer> = Vec::new();
        for person in &own {
            let fit = |one: &&Officer| {
                let stands = own.contains(one) || !below.contains(one);
                stands && !one.is_absent(on)
            };
            if let Some(told) = self.substitutes(person).find(fit).filter(|told| !officers.contains(told)) {
                officers.push(told);
            }
        }
        if officers.is_empty() {
            return nobody(Missing::Absent(own.iter().map(|one| one.id.clone()).collect()));
        }
        Addressees { officers, missing: None }
    }

    /// Discipline inspection, as on a rung of theirs.
    #[must_use]
    pub fn inspectors(&self, on: Date) -> Addressees<'_> {
        let all: Vec<&Officer> = self.officers.values().filter(|one| one.role == OfficerRole::Inspector).collect();
        let officers: Vec<&Officer> = all.iter().copied().filter(|one| !one.is_absent(on)).collect();
        let missing = match (all.is_empty(), officers.is_empty()) {
            (true, _) => Some(Missing::Role(OfficerRole::Inspector)),
            (false, true) => Some(Missing::Absent(all.iter().map(|one| one.id.clone()).collect())),
            (false, false) => None,
        };
        Addressees { officers, missing }
    }

    /// Whether a person may acknowledge an alert that is addressed to that rung (counted from 0): whoever stands on it or on a
    /// higher one, or is a substitute of somebody there; but nobody who stands on a lower rung only, not even as a substitute.
    #[must_use]
    pub fn may_acknowledge(&self, person: &OfficerId, rung: usize, matter: Matter<'_>) -> bool {
        let rungs = rung..self.ladder_of(matter.department_id).rungs.len();
        let from_here_on: Vec<&Officer> =
            rungs.flat_map(|rung| self.standing(rung, matter).unwrap_or_default()).collect();
        let is_person = |one: &&Officer| one.id == *person;
        if from_here_on.iter().any(is_person) {
            return true;
        }
        let stands_below = self.below(rung, matter).iter().any(is_person);
        !stands_below && from_here_on.iter().any(|one| self.substitutes(one).any(|other| other.id == *person))
    }

    /// In whose place the person is told on that rung on that day: those who stand there and are absent. Of nobody, where the person stands
    /// there too.
    #[must_use]
    pub fn stood_in_for(&self, person: &OfficerId, rung: usize, matter: Matter<'_>, on: Date) -> Vec<&Officer> {
        let own = self.standing(rung, matter).unwrap_or_default();
        if own.iter().any(|one| one.id == *person) {
            return Vec::new();
        }
        own.into_iter().filter(|one| one.is_absent(on) && self.stands_in(person, &one.id)).collect()
    }

    /// Whether anybody stands on that rung (counted from 0), absent or not.
    #[must_use]
    pub fn somebody_stands(&self, rung: usize, matter: Matter<'_>) -> bool {
        self.standing(rung, matter).is_ok()
    }

    /// The person, or the first who stands in and is there on that day.
    #[must_use]
    pub fn present(&self, officer: &OfficerId, on: Date) -> Option<&Officer> {
        self.substitutes(self.officers.get(officer)?).find(|one| !one.is_absent(on))
    }

    /// Everybody for whom the person answers: themselves, and those whom they stand in for.
    #[must_use]
    pub fn answers_for(&self, person: &OfficerId) -> Vec<OfficerId> {
        let others = self.officers.keys().filter(|one| *one != person && self.stands_in(person, one));
        std::iter::once(person).chain(others).cloned().collect()
    }

    /// Whether `person` is `officer`, or a substitute of theirs, or a substitute of that one.
    #[must_use]
    pub fn stands_in(&self, person: &OfficerId, officer: &OfficerId) -> bool {
        let stands = |one: &Officer| self.substitutes(one).any(|other| other.id == *person);
        person == officer || self.officers.get(officer).is_some_and(stands)
    }

    /// Who stands on a rung, absent or not; never empty.
    fn standing(&self, rung: usize, matter: Matter<'_>) -> Result<Vec<&Officer>, Missing> {
        let rung = self.ladder_of(matter.department_id).rungs.get(rung).ok_or(Missing::Rung)?;
        let known = |id: &OfficerId| match self.officers.get(id) {
            Some(officer) => Ok(vec![officer]),
            None => Err(Missing::Unknown(id.clone())),
        };
        match &rung.whom {
            Whom::Officer(id) => known(id),
            Whom::Role(OfficerRole::Officer) => known(matter.officer_id.ok_or(Missing::Officer)?),
            Whom::Role(OfficerRole::Head) => {
                let heads = self.upwards(matter.department_id).map(|id| self.heads_of(id));
                heads
                    .into_iter()
                    .find(|heads| !heads.is_empty())
                    .ok_or_else(|| Missing::Head(matter.department_id.clone()))
            }
            Whom::Role(role @ (OfficerRole::Supervisor | OfficerRole::Inspector)) => {
                let all: Vec<&Officer> = self.officers.values().filter(|one| one.role == *role).collect();
                if all.is_empty() { Err(Missing::Role(*role)) } else { Ok(all) }
            }
        }
    }

    fn heads_of(&self, department_id: &DepartmentId) -> Vec<&Officer> {
        let heads = |one: &&Officer| one.role == OfficerRole::Head && one.department_id == *department_id;
        self.officers.values().filter(heads).collect()
    }

    /// Everybody who stands on a lower rung.
    fn below(&self, rung: usize, matter: Matter<'_>) -> Vec<&Officer> {
        (0..rung).flat_map(|lower| self.standing(lower, matter).unwrap_or_default()).collect()
    }

    /// A person, the substitute, the substitute's substitute, and so on.
    fn substitutes<'a>(&'a self, person: &'a Officer) -> impl Iterator<Item = &'a Officer> {
        let next = |one: &&Officer| self.officers.get(one.substitute_id.as_ref()?);
        std::iter::successors(Some(person), next).take(self.officers.len())
    }
}
