//! Acts of named operators, signed with their own keys. Whether the operator may act is decided by the rules of roles.

use crate::inbound::about;
use crate::parts::{AtLeastOne, Document, Generation, Tranche};
use crate::text::{Id, Text};
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `operator.hold.v1`, `operator.cancel.v1`: one payout is stopped for now, or for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PayoutAct {
    /// Who acts; the key that signs is theirs.
    pub operator_id: Id,
    /// When it happened.
    pub at: Time,
    /// The application.
    pub application_id: Id,
    /// Which part of the award.
    #[serde(default)]
    pub tranche: Tranche,
    /// Why.
    pub reason: Text,
}

/// `operator.release.v1`: holds are lifted, each named by its reason code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Release {
    /// Who acts; the key that signs is theirs.
    pub operator_id: Id,
    /// When it happened.
    pub at: Time,
    /// The application.
    pub application_id: Id,
    /// Which part of the award.
    #[serde(default)]
    pub tranche: Tranche,
    /// The holds it lifts.
    pub reason_codes: AtLeastOne<Id>,
    /// Why.
    pub reason: Text,
}

/// `operator.stop.v1`, `operator.resume.v1`: all sending stops (one officer), or is resumed (two).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SwitchAct {
    /// Who acts; the key that signs is theirs.
    pub operator_id: Id,
    /// When it happened.
    pub at: Time,
    /// Why.
    pub reason: Text,
}

/// `operator.decide.v1`: what evidence could not settle is decided by two officers; this is one of their words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decide {
    /// Who acts; the key that signs is theirs.
    pub operator_id: Id,
    /// When it happened.
    pub at: Time,
    /// The application.
    pub application_id: Id,
    /// Which part of the award.
    #[serde(default)]
    pub tranche: Tranche,
    /// Which instruction of the payout, from 1.
    pub generation: Generation,
    /// What is decided.
    pub decision: Verdict,
    /// The written proof; `settled` counts with one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Document>,
    /// Why.
    pub reason: Text,
}

/// A word of an officer about an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Verdict {
    /// The bank paid it, as the proof says.
    #[serde(rename = "settled")]
    Settled,
    /// It may be sent again, or followed by another.
    #[serde(rename = "retry")]
    Retry,
    /// It is absent at the bank for good.
    #[serde(rename = "close")]
    Close,
}

about!(application_id: PayoutAct, Release, Decide);
about!(operator_id: SwitchAct);
