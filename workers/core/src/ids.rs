//! The names of things: payouts, instructions, batches. Parsing of names that come from outside is the contracts' affair.

use data_encoding::BASE32_NOPAD;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The text as it travels.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

text_id!(
    /// An application of an enterprise under a policy; minted by the review system.
    ApplicationId
);
text_id!(
    /// A policy of the district.
    PolicyId
);
text_id!(
    /// A fund that policies draw on.
    FundId
);
text_id!(
    /// `EndToEndId` of a payment instruction: the idempotency key at the bank, at most 35 characters of every bank's set.
    InstructionId
);
text_id!(
    /// `MsgId` of one batch (one pain.001 message); random, never reused for other bytes.
    MsgId
);
text_id!(
    /// A department of the district.
    DepartmentId
);
text_id!(
    /// A person who reviews, leads or supervises, as the organisation and the events name them.
    OfficerId
);
text_id!(
    /// A person who acts, known by an Ed25519 key and a role.
    OperatorId
);

/// A supervision order by its number, counted in the district from 1; as text `SO-17`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(pub u32);

impl fmt::Display for OrderId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SO-{}", self.0)
    }
}

impl OrderId {
    /// Reads the text form; none for any other spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.strip_prefix("SO-")?.parse().ok().map(Self)?;
        (number.to_string() == text).then_some(number)
    }
}

/// One payout: an application's tranche (1 unless the approval says otherwise).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PayoutKey {
    /// The approved application.
    pub application_id: ApplicationId,
    /// Which part of the award, from 1.
    pub tranche: u32,
}

impl fmt::Display for PayoutKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.application_id, self.tranche)
    }
}

impl InstructionId {
    /// Derives the id of a payout's `generation` (from 1) in `district`: the first 32 characters of base32 over SHA-256 of
    /// `zhida1\n<district>\n<application>\n<tranche>\n<generation>`. A restored database therefore repeats the key instead
    /// of minting another, and the bank recognises it.
    #[must_use]
    pub fn derive(district: &str, key: &PayoutKey, generation: u32) -> Self {
        let text = format!("zhida1\n{district}\n{}\n{}\n{generation}", key.application_id, key.tranche);
        let mut id = BASE32_NOPAD.encode(digest(&SHA256, text.as_bytes()).as_ref());
        id.truncate(32);
        Self(id)
    }
}

#[cfg(test)]
mod tests {
    use super::{ApplicationId, InstructionId, OrderId, PayoutKey};

    #[test]
    fn an_order_has_one_spelling() {
        assert_eq!(OrderId::parse("SO-17"), Some(OrderId(17)));
        for other in ["SO-017", "SO-+17", "so-17", "17", "SO-", "SO-99999999999"] {
            assert_eq!(OrderId::parse(other), None, "{other}");
        }
    }

    #[test]
    fn the_frozen_vector_never_changes() {
        let key = PayoutKey { application_id: ApplicationId::from("A-2026-000123"), tranche: 1 };
        assert_eq!(InstructionId::derive("example", &key, 1).as_str(), "AKG56JKNTPZOMQWGJB4SLNGRHTORGZRO");
        assert_ne!(InstructionId::derive("example", &key, 1), InstructionId::derive("example", &key, 2));
    }
}
