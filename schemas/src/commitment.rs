//! The integrity commitment (诚信承诺书) an enterprise signs.

use crate::identifiers::Sha256Hex;
use crate::parts::{Document, Enterprise};
use crate::text::{Id, Name};
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `commitment.signed.v1`: an enterprise signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Signed {
    /// The commitment.
    pub commitment_id: Id,
    /// Who signed.
    pub enterprise: Enterprise,
    /// Which wording.
    pub text_version: Name,
    /// Digest of the wording.
    pub text_sha256: Sha256Hex,
    /// The person who signed.
    pub signer_name: Name,
    /// When.
    pub signed_at: Time,
    /// The document behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
}

impl crate::inbound::About for Signed {
    const FIELD: &'static str = "data.commitment_id";

    fn subject(&self) -> &str {
        self.commitment_id.as_str()
    }

    /// Such an event has no application; senders that order by enterprise may name that instead.
    fn is_about(&self, subject: &str) -> bool {
        subject == self.commitment_id.as_str() || subject == self.enterprise.uscc.as_str()
    }
}
