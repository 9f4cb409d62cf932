//! Events of the reviews of an application, and of the pauses of their clocks.

use crate::inbound::about;
use crate::parts::Document;
use crate::text::{Id, Name, Text};
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `review.assigned.v1`: a step was given to an officer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Assigned {
    /// The application.
    pub application_id: Id,
    /// The department that acts.
    pub department_id: Id,
    /// The officer who acts.
    pub officer_id: Id,
    /// Which step.
    pub stage: Stage,
    /// When.
    pub assigned_at: Time,
    /// Working days promised for the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_working_days: Option<u16>,
}

/// A step of the review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Stage {
    /// First review (初审).
    #[serde(rename = "first")]
    First,
    /// Second review (复审).
    #[serde(rename = "second")]
    Second,
    /// Several departments at once (联审).
    #[serde(rename = "joint")]
    Joint,
    /// Verification on the spot.
    #[serde(rename = "verification")]
    Verification,
    /// The deciding step (审定).
    #[serde(rename = "final")]
    Final,
}

impl Stage {
    /// The name in events, tables and messages.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Joint => "joint",
            Self::Verification => "verification",
            Self::Final => "final",
        }
    }
}

/// `review.decided.v1`: an officer decided a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decided {
    /// The application.
    pub application_id: Id,
    /// The department that acts.
    pub department_id: Id,
    /// The officer who acts.
    pub officer_id: Id,
    /// Which step.
    pub stage: Stage,
    /// How.
    pub decision: Decision,
    /// When.
    pub decided_at: Time,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
    /// Where a returned application goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_to_department_id: Option<Id>,
}

/// The outcome of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Decision {
    /// It goes on.
    #[serde(rename = "approve")]
    Approve,
    /// It ends.
    #[serde(rename = "reject")]
    Reject,
    /// It goes back.
    #[serde(rename = "return")]
    Return,
}

/// `review.paused.v1`: the clocks of the review stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Paused {
    /// The application.
    pub application_id: Id,
    /// Why.
    pub reason: PauseReason,
    /// What proves it.
    pub evidence: Document,
    /// Who: an id, or a name where the actor has none.
    pub by: Name,
    /// When it happened.
    pub at: Time,
    /// The department whose clock stops; none means all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department_id: Option<Id>,
}

/// Why clocks stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum PauseReason {
    /// A hearing.
    #[serde(rename = "hearing")]
    Hearing,
    /// An opinion of experts.
    #[serde(rename = "expert_review")]
    ExpertReview,
    /// An inspection.
    #[serde(rename = "inspection")]
    Inspection,
    /// Another reason, which the evidence states.
    #[serde(rename = "other")]
    Other,
}

/// `review.resumed.v1`: the clocks run again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Resumed {
    /// The application.
    pub application_id: Id,
    /// Who: an id, or a name where the actor has none.
    pub by: Name,
    /// When it happened.
    pub at: Time,
    /// The department whose clock runs; none means all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department_id: Option<Id>,
}

about!(application_id: Assigned, Decided, Paused, Resumed);
