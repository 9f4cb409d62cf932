//! The approval of an application: the one event that lets money move.

use crate::amount::Amount;
use crate::inbound::about;
use crate::parts::{Approval, AtLeastOne, Contacts, Document, Enterprise, Payee, Tranche};
use crate::text::Id;
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `application.approved.v1`: the amount is to be in the account within 24 hours of `approved_at`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Approved {
    /// The application.
    pub application_id: Id,
    /// The policy that grants it.
    pub policy_id: Id,
    /// Who is awarded.
    pub enterprise: Enterprise,
    /// How much.
    pub amount: Amount,
    /// The account.
    pub payee: Payee,
    /// When; the 24 hours count from here.
    pub approved_at: Time,
    /// Who approved.
    pub approvals: AtLeastOne<Approval>,
    /// Which part of the award.
    #[serde(default)]
    pub tranche: Tranche,
    /// The fund; the policy's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fund_id: Option<Id>,
    /// The integrity commitment that the award rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitment_id: Option<Id>,
    /// How the enterprise wants to be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contacts: Option<Contacts>,
    /// Documents behind it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<Document>,
}

about!(application_id: Approved);
