//! Which official a request was to tell, as far as records may say it: by id, role and department, never by name or number. It looks
//! up nothing but the organisation.

use super::{Asked, Subject};
use crate::ids::{DepartmentId, OfficerId};
use crate::notice::Audience;
use crate::organisation::{OfficerRole, Organisation};
use crate::supervision;
use serde_json::{Value, json};
use std::fmt;

/// An official. Shows itself in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whom {
    officer_id: OfficerId,
    /// As what and where the person works; none where the organisation does not know them.
    works: Option<(OfficerRole, DepartmentId)>,
}

impl Whom {
    /// None for what goes to no official, and for what is about an order that inspectors alone see.
    pub(super) fn of(asked: &Asked, organisation: &Organisation) -> Option<Self> {
        let told = match asked.request.kind.traits().audience {
            Audience::Official => !asked.subject.is_for_inspectors(),
            Audience::Enterprise | Audience::Anybody => false,
        };
        let officer_id = OfficerId::from(asked.request.recipient.as_str());
        let works = organisation.officers.get(&officer_id).map(|one| (one.role, one.department_id.clone()));
        told.then_some(Self { officer_id, works })
    }

    /// For a row of the journal.
    pub(in crate::notice) fn facts(&self) -> Vec<(String, Value)> {
        let (role, department_id) = self.works.clone().unzip();
        let facts = [
            ("officer_id", json!(self.officer_id)),
            ("role", json!(role.map(OfficerRole::code))),
            ("department_id", json!(department_id)),
        ];
        facts.into_iter().filter(|(_, fact)| !fact.is_null()).map(|(name, fact)| (name.to_owned(), fact)).collect()
    }
}

impl fmt::Display for Whom {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.works {
            Some((role, department_id)) => {
                write!(out, "{} (role {}, department {department_id})", self.officer_id, role.code())
            }
            None => write!(out, "{} (机构文件未列此人 not in the organisation)", self.officer_id),
        }
    }
}

impl Subject {
    /// It is about an order that inspectors alone see, or that nobody finds.
    fn is_for_inspectors(&self) -> bool {
        match self {
            Self::Order(order) => order.audience == supervision::Audience::Inspection,
            Self::Alert { alert, order, .. } => match order {
                Some(order) => order.audience == supervision::Audience::Inspection,
                None => alert.order_id().is_some(),
            },
            Self::Payout { .. } | Self::Digest(_) | Self::Integrity(_) | Self::Nothing => false,
            Self::Gone => true,
        }
    }
}
