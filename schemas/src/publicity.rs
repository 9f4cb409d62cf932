//! Events of the public notice (公示) before an approval, and of objections to it.

use crate::inbound::about;
use crate::parts::Document;
use crate::text::{Id, Text};
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `publicity.started.v1`: the award is on public notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Started {
    /// The application.
    pub application_id: Id,
    /// When it happened.
    pub at: Time,
    /// When the notice ends.
    pub ends_at: Time,
    /// The document behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
}

/// `publicity.objected.v1`: somebody objected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Objected {
    /// The application.
    pub application_id: Id,
    /// When it happened.
    pub at: Time,
    /// What the objection says.
    pub summary: Text,
    /// The document behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
}

/// `publicity.ended.v1`: the notice, with any objections, is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ended {
    /// The application.
    pub application_id: Id,
    /// When it happened.
    pub at: Time,
    /// How it ended.
    pub outcome: Text,
    /// The document behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
}

about!(application_id: Started, Objected, Ended);
