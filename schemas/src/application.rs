//! Events of an application's way: submitted, accepted or declined, supplemented, ended. Not the reviews (review) and
//! not the approval (approved).

use crate::amount::Amount;
use crate::inbound::about;
use crate::parts::{Contacts, Document, Enterprise};
use crate::text::{Id, Name, Text};
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `application.submitted.v1`: an enterprise applied under a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Submitted {
    /// The application.
    pub application_id: Id,
    /// The policy it applied under.
    pub policy_id: Id,
    /// Who applied.
    pub enterprise: Enterprise,
    /// When.
    pub submitted_at: Time,
    /// How the enterprise wants to be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contacts: Option<Contacts>,
    /// What it asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_requested: Option<Amount>,
    /// In which way it applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
}

/// The way of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Mode {
    /// With proofs.
    #[serde(rename = "ordinary")]
    Ordinary,
    /// A commitment instead of proofs (以承诺代证明).
    #[serde(rename = "commitment")]
    Commitment,
    /// Accepted with parts to follow (容缺受理).
    #[serde(rename = "tolerance")]
    Tolerance,
    /// Awarded without applying (免申即享).
    #[serde(rename = "no-application")]
    NoApplication,
}

/// `application.accepted.v1`: a department took the application on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Accepted {
    /// The application.
    pub application_id: Id,
    /// The department that acts.
    pub department_id: Id,
    /// The officer who acts.
    pub officer_id: Id,
    /// When it happened.
    pub at: Time,
}

/// `application.declined.v1`: a department did not take it on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Declined {
    /// The application.
    pub application_id: Id,
    /// The department that acts.
    pub department_id: Id,
    /// The officer who acts.
    pub officer_id: Id,
    /// When it happened.
    pub at: Time,
    /// Why.
    pub reason: Text,
}

/// `application.supplement_requested.v1`: missing material is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SupplementRequested {
    /// The application.
    pub application_id: Id,
    /// The department that acts.
    pub department_id: Id,
    /// The officer who acts.
    pub officer_id: Id,
    /// What is missing.
    pub items: Vec<Text>,
    /// When it happened.
    pub at: Time,
    /// Until when it is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Time>,
}

/// `application.supplement_received.v1`: the missing material came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SupplementReceived {
    /// The application.
    pub application_id: Id,
    /// When it happened.
    pub at: Time,
}

/// `application.rejected.v1`, `application.withdrawn.v1`, `application.revoked.v1`: nothing is to be paid, or no longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ended {
    /// The application.
    pub application_id: Id,
    /// Who: an id, or a name where the actor has none.
    pub by: Name,
    /// When it happened.
    pub at: Time,
    /// Why.
    pub reason: Text,
    /// The document behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
}

about!(application_id: Submitted, Accepted, Declined, SupplementRequested, SupplementReceived, Ended);
