//! Corrections of an account to which money could not be brought.

use crate::inbound::about;
use crate::parts::{Payee, Tranche, TwoOfficers};
use crate::text::{Id, Text};
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `payee.corrected.v1`: two officers confirm another account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Corrected {
    /// The application.
    pub application_id: Id,
    /// Which part of the award.
    pub tranche: Tranche,
    /// The right account.
    pub payee: Payee,
    /// Who confirms it.
    pub confirmed_by: TwoOfficers,
    /// When it happened.
    pub at: Time,
    /// Why.
    pub reason: Text,
}

about!(application_id: Corrected);
