//! Changes of an enterprise in the register.

use crate::contract_error::{ContractError, ReasonCode};
use crate::identifiers::Uscc;
use crate::inbound::about;
use crate::parts::Document;
use crate::text::Name;
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `enterprise.changed.v1`: an enterprise got another code or name; at least one of the two is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Changed {
    /// The code so far.
    pub uscc: Uscc,
    /// When it happened.
    pub at: Time,
    /// The new code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_uscc: Option<Uscc>,
    /// The new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_name: Option<Name>,
    /// The document behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
}

about!(uscc: Changed);

impl Changed {
    /// A change without a new code or name says nothing.
    pub(crate) fn check(&self) -> Result<(), ContractError> {
        if self.new_uscc.is_none() && self.new_name.is_none() {
            let reason = "and data.new_uscc are both missing";
            return Err(ContractError::new(ReasonCode::Missing, "data.new_name", reason));
        }
        Ok(())
    }
}
