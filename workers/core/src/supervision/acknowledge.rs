//! Acknowledging an alert: who may, for how long, how often. It stops the ladder, never the clock; those who are supervised cannot
//! do it in the place of those who supervise them.

use super::alert::{Alert, Level, Raised};
use super::look::District;
use crate::ids::{DepartmentId, OfficerId};
use crate::organisation::{Matter, Organisation};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Somebody has taken notice, for a stated time and reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Who.
    pub by: OfficerId,
    /// When.
    pub at: Timestamp,
    /// The ladder rests until then.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

/// Why an acknowledgement was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotAcknowledged {
    /// It is over.
    #[error("alert {0} is cleared; there is nothing to acknowledge")]
    Cleared(String),
    /// Somebody else has to.
    #[error(
        "{by} may not acknowledge {alert}: it has reached people up to {level}; those who stand there, or above, may"
    )]
    NotTheirs {
        /// Who.
        by: OfficerId,
        /// Which.
        alert: String,
        /// The highest rung on which it reached somebody.
        level: Level,
    },
    /// It rests already.
    #[error("{by} has acknowledged it until {until}; it can be acknowledged anew after that")]
    Already {
        /// Who.
        by: OfficerId,
        /// Until when, in the district's time.
        until: String,
    },
    /// The supervised department may say once that it knows.
    #[error("the department has acknowledged this alert before; only those who supervise it may do so again")]
    OnceOnly,
    /// Too long.
    #[error("an acknowledgement lasts at most {most} working hours, not {asked}")]
    TooLong {
        /// Asked for.
        asked: u32,
        /// Allowed.
        most: u32,
    },
}

impl Alert {
    /// Somebody takes notice: the ladder rests for so many working hours; the clock runs on.
    ///
    /// # Errors
    /// [`NotAcknowledged`]; nothing is changed then.
    pub fn acknowledge(
        &mut self,
        by: &OfficerId,
        working_hours: u32,
        reason: &str,
        district: District<'_>,
    ) -> Result<(), NotAcknowledged> {
        let District { organisation, time, now, rules } = district;
        let most_hours = rules.acknowledge_max_working_hours;
        if self.cleared.is_some() {
            return Err(NotAcknowledged::Cleared(self.id.clone()));
        }
        let supervised = |id: &OfficerId| organisation.officers.get(id).is_none_or(|one| one.role.is_supervised());
        // Whoever supervises is not kept from it by the word of those they supervise.
        if let Some(one) = self.acknowledged_at(now).filter(|one| supervised(by) || !supervised(&one.by)) {
            let until = time.zone.to_datetime(one.until).strftime("%Y-%m-%d %H:%M").to_string();
            return Err(NotAcknowledged::Already { by: one.by.clone(), until });
        }
        if working_hours == 0 || working_hours > most_hours {
            return Err(NotAcknowledged::TooLong { asked: working_hours, most: most_hours });
        }
        let department = self.department_id.clone().unwrap_or_else(|| DepartmentId::from(""));
        let matter = Matter { department_id: &department, officer_id: self.officer_id.as_ref() };
        let level = self.level_to_acknowledge(organisation, matter);
        if !organisation.may_acknowledge(by, level.rung(), matter) {
            let (by, alert) = (by.clone(), self.id.clone());
            return Err(NotAcknowledged::NotTheirs { by, alert, level });
        }
        if supervised(by) && self.acknowledged.iter().any(|one| supervised(&one.by)) {
            return Err(NotAcknowledged::OnceOnly);
        }
        let until = time.after_hours(now, working_hours).at;
        self.acknowledged.push(Acknowledgement { by: by.clone(), at: now, until, reason: reason.to_owned() });
        Ok(())
    }

    /// From where on it may be acknowledged: the highest rung that reached somebody and on which somebody still stands. A rung above it
    /// where nobody stands would leave nobody to do it. Where no rung reached anybody, the one to which it has climbed.
    fn level_to_acknowledge(&self, organisation: &Organisation, matter: Matter<'_>) -> Level {
        let reached = |one: &&Raised| !one.told.is_empty() && organisation.somebody_stands(one.level.rung(), matter);
        self.raised.iter().rev().find(reached).map_or_else(|| self.level(), |one| one.level)
    }
}
