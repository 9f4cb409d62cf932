//! Supervision: from case files to alerts. One look at an application derives its case file, reads its clocks and says what is to
//! be raised, cleared and told; whoever looks, and how often, it comes to the same.

mod acknowledge;
mod act;
mod alert;
mod look;
mod moved;
mod order;
mod refused;
mod roles;
#[cfg(test)]
mod tests;
mod watch;

pub use acknowledge::{Acknowledgement, NotAcknowledged};
pub use act::{Deed, Loaded, NewOrder, SupervisionAct, act};
pub use alert::{Alert, Cleared, Level, Raised};
pub use look::{Case, ClockRow, District, Seen, look};
pub use moved::{ChangedDay, Deadline, Moved, moved};
pub use order::{Audience, Closing, Occasion, Order, OrderState, OrderStep};
pub use refused::SupervisionRefused;
pub use roles::sees;
pub use watch::{AlertEffect, Circle, Look, Looked, WasRed};

use crate::case_file::{Counting, ReviewTerms, Terms};
use crate::steps::JournalRow;
use crate::working_time::Hours;
use data_encoding::HEXLOWER;
use jiff::SignedDuration;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use ring::digest::{SHA256, digest};
use serde_json::json;

/// The district's rules of supervision (`supervision.*` settings).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupervisionRules {
    /// The hours of a working day.
    pub hours: Vec<Hours>,
    /// How deadlines are counted.
    pub counting: Counting,
    /// From application to acceptance, in working days.
    pub acceptance_working_days: u16,
    /// For the enterprise to bring what is missing, in working days, where the request names no day.
    pub supplement_working_days: u16,
    /// For steps whose length nobody has stated, in working days.
    pub step_working_days: u16,
    /// An acknowledgement lasts so many working hours at most.
    pub acknowledge_max_working_hours: u32,
    /// A deadline that was past when its clock was heard of rings so much later.
    pub replay_pause: SignedDuration,
    /// An event dated further ahead than this counts when its time has come.
    pub max_ahead: SignedDuration,
}

impl Default for SupervisionRules {
    /// The documented defaults.
    fn default() -> Self {
        let at = |hour, minute| Time::new(hour, minute, 0, 0).unwrap_or(Time::MAX);
        Self {
            hours: vec![Hours { from: at(9, 0), to: at(12, 0) }, Hours { from: at(14, 0), to: at(17, 30) }],
            counting: Counting { pause_max_working_days: 20, due_soon_working_days: 1, due_soon_part: (2, 3) },
            acceptance_working_days: 1,
            supplement_working_days: 5,
            step_working_days: 1,
            acknowledge_max_working_hours: 16,
            replay_pause: SignedDuration::from_mins(30),
            max_ahead: SignedDuration::from_mins(5),
        }
    }
}

/// Under what subject the journal keeps by which rules was looked.
pub const RULES_SUBJECT: &str = "rules";

impl SupervisionRules {
    /// What the journal says when these rules come into force: their fingerprint, so that others are told from the same.
    #[must_use]
    pub fn journal_row(&self, zone: &TimeZone) -> JournalRow {
        let text = format!("{self:?} {}", zone.iana_name().unwrap_or_default());
        JournalRow {
            kind: "rules.in_force".to_owned(),
            subject: RULES_SUBJECT.to_owned(),
            by: "system".to_owned(),
            detail: json!({"sha256": HEXLOWER.encode(digest(&SHA256, text.as_bytes()).as_ref())}),
        }
    }

    /// How long things may take under a policy of that department; without a policy as the district promises.
    #[must_use]
    pub fn terms(&self, policy: Option<(&str, &ReviewTerms)>) -> Terms {
        let (department_id, review) = match policy {
            Some((department_id, review)) => (Some(department_id.to_owned()), review.clone()),
            None => (None, ReviewTerms::default()),
        };
        Terms {
            department_id,
            joint_department_ids: review.joint_department_ids,
            acceptance_working_days: self.acceptance_working_days,
            supplement_working_days: self.supplement_working_days,
            review_working_days: review.review_working_days,
            legal_working_days: review.legal_working_days,
            steps: review.step_working_days,
            step_working_days: self.step_working_days,
        }
    }
}
