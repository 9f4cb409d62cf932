//! Parts that several events share: enterprises, contacts, payees, approvals, documents, and lists with a rule.

use crate::contract_error::{Fault, ReasonCode};
use crate::identifiers::{AccountNo, CnapsCode, Email, Phone, Sha256Hex, Uscc};
use crate::text::{Id, Name, Uri};
use crate::time::{Date, Time};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// An enterprise as registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Enterprise {
    /// Unified social credit code.
    pub uscc: Uscc,
    /// Registered name.
    pub name: Name,
}

/// How an enterprise wants to be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contacts {
    /// Phone for SMS, in any spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mobile: Option<Phone>,
    /// Mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// Language of notices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Locale>,
}

/// A language that notices are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Locale {
    /// Chinese as written on the mainland.
    #[serde(rename = "zh-CN")]
    Chinese,
    /// English.
    #[serde(rename = "en")]
    English,
}

/// The account that is paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Payee {
    /// Name of the account's holder at the bank.
    pub account_name: Name,
    /// The account.
    pub account_no: AccountNo,
    /// The bank's CNAPS code.
    pub bank_code: CnapsCode,
    /// The bank's name, for people.
    pub bank_name: Name,
}

/// One officer's approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    /// The officer's department.
    pub department_id: Id,
    /// Who approved.
    pub officer_id: Id,
    /// When.
    pub decided_at: Time,
}

/// A document that proves something; only its digest is kept here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    /// What it is called.
    pub title: Name,
    /// Its number, such as a decision's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Name>,
    /// Its date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// Digest of its bytes.
    pub sha256: Sha256Hex,
    /// Where it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<Uri>,
}

/// Declares a number that counts things from 1 and stays small enough for every column and screen.
macro_rules! ordinal {
    ($(#[$doc:meta])* $name:ident, $description:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "i64", into = "u32")]
        pub struct $name(u32);

        impl $name {
            /// The first.
            pub const FIRST: Self = Self(1);

            /// The number, from 1.
            #[must_use]
            pub fn get(self) -> u32 {
                self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::FIRST
            }
        }

        impl TryFrom<i64> for $name {
            type Error = Fault;

            fn try_from(number: i64) -> Result<Self, Fault> {
                u32::try_from(number)
                    .ok()
                    .filter(|number| (1..=9_999).contains(number))
                    .map(Self)
                    .ok_or_else(|| Fault::new(ReasonCode::OutOfRange, "is not a number from 1 to 9999"))
            }
        }

        impl From<$name> for u32 {
            fn from(ordinal: $name) -> Self {
                ordinal.0
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "integer", "minimum": 1, "maximum": 9999, "description": $description })
            }
        }
    };
}

ordinal!(
    /// Which part of an award, from 1 to 9,999.
    Tranche, "part of an award, from 1"
);

ordinal!(
    /// Which instruction of a payout, from 1 to 9,999.
    Generation, "instruction of a payout, from 1"
);

ordinal!(
    /// How many working hours or days, from 1 to 9,999.
    Count, "number of working hours or days, from 1"
);

/// A list of at least one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<T>")]
pub struct AtLeastOne<T>(Vec<T>);

impl<T> AtLeastOne<T> {
    /// The members.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }
}

impl<T> TryFrom<Vec<T>> for AtLeastOne<T> {
    type Error = Fault;

    fn try_from(members: Vec<T>) -> Result<Self, Fault> {
        if members.is_empty() {
            return Err(Fault::new(ReasonCode::TooFew, "is an empty list"));
        }
        Ok(Self(members))
    }
}

impl<T: JsonSchema> JsonSchema for AtLeastOne<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("AtLeastOne_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "minItems": 1, "items": generator.subschema_for::<T>() })
    }
}

/// Two different officers who vouch for the same thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Id>")]
pub struct TwoOfficers([Id; 2]);

impl TwoOfficers {
    /// The two.
    #[must_use]
    pub fn as_slice(&self) -> &[Id] {
        &self.0
    }
}

impl TryFrom<Vec<Id>> for TwoOfficers {
    type Error = Fault;

    fn try_from(officers: Vec<Id>) -> Result<Self, Fault> {
        let count = officers.len();
        let pair = <[Id; 2]>::try_from(officers)
            .map_err(|_| Fault::new(ReasonCode::OutOfRange, format!("names {count} officers, not two")))?;
        if pair[0] == pair[1] {
            return Err(Fault::new(ReasonCode::SamePerson, "names the same officer twice"));
        }
        Ok(Self(pair))
    }
}

impl JsonSchema for TwoOfficers {
    fn schema_name() -> Cow<'static, str> {
        "TwoOfficers".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array", "minItems": 2, "maxItems": 2, "uniqueItems": true,
            "items": generator.subschema_for::<Id>(),
            "description": "ids of two different officers"
        })
    }
}
