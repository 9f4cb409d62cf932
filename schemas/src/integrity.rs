//! Events of a dishonesty case that come from outside.

use crate::inbound::about;
use crate::parts::{Document, Enterprise};
use crate::text::{Id, Name, Text};
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `integrity.alleged.v1`: somebody alleges a dishonest act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alleged {
    /// The case.
    pub case_id: Id,
    /// About whom.
    pub enterprise: Enterprise,
    /// Which act.
    pub act: Text,
    /// What is said to have happened.
    pub facts: Text,
    /// Who alleges it.
    pub alleged_by: Name,
    /// When it happened.
    pub at: Time,
    /// Applications it concerns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub application_ids: Vec<Id>,
    /// Documents behind it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<Document>,
}

/// `integrity.objected.v1`, `integrity.repair_requested.v1`: the enterprise answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answered {
    /// The case.
    pub case_id: Id,
    /// Who: an id, or a name where the actor has none.
    pub by: Name,
    /// When it happened.
    pub at: Time,
    /// What it says.
    pub text: Text,
    /// Documents behind it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<Document>,
}

about!(case_id: Alleged, Answered);
