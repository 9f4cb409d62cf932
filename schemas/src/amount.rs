//! Awarded amounts as they travel: a currency and a decimal string with exactly two decimals, above zero. Whether the currency
//! is the fund's is a rule of intake, not of this form.

use crate::contract_error::{Fault, ReasonCode};
use crate::text::checked_text;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// An awarded amount.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Amount {
    /// Currency of the amount, which must be the fund's.
    pub currency: Currency,
    /// How much.
    pub value: Money,
}

impl Amount {
    /// The amount in the currency's minor unit (fen for CNY); always above zero.
    #[must_use]
    pub fn minor_units(&self) -> i64 {
        self.value.minor_units()
    }
}

checked_text!(
    /// ISO 4217 code: three upper-case letters.
    Currency { check: currency, shown: plain, schema: {
        "type": "string",
        "pattern": "^[A-Z]{3}$",
        "description": "ISO 4217 code"
    }}
);

/// A figure above zero with two decimals, held in minor units; at most 10^15 of them (ten trillion yuan).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Money(i64);

impl Money {
    /// The largest figure, in minor units.
    pub const MAX_MINOR_UNITS: i64 = 1_000_000_000_000_000;

    /// Takes a figure in minor units.
    pub fn from_minor_units(units: i64) -> Result<Self, Fault> {
        match units {
            ..0 => Err(Fault::new(ReasonCode::AmountNegative, "is below zero")),
            0 => Err(Fault::new(ReasonCode::AmountZero, "is zero")),
            1..=Self::MAX_MINOR_UNITS => Ok(Self(units)),
            _ => Err(Fault::new(ReasonCode::AmountTooLarge, "is above 10000000000000.00")),
        }
    }

    /// The figure in minor units.
    #[must_use]
    pub fn minor_units(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Money {
    /// Exactly two decimals: `500000.00`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl FromStr for Money {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        if let Some(code) = wrong_form(text) {
            return Err(Fault::new(code, wording(code)));
        }
        let digits = text.bytes().filter(u8::is_ascii_digit);
        // Saturating: a figure of any length ends above the largest lawful one, never around it.
        let units = digits.fold(0_i64, |units, digit| units.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
        Self::from_minor_units(units)
    }
}

impl TryFrom<String> for Money {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        text.parse()
    }
}

impl From<Money> for String {
    fn from(money: Money) -> Self {
        money.to_string()
    }
}

impl JsonSchema for Money {
    fn schema_name() -> Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(0|[1-9][0-9]{0,13})\\.[0-9]{2}$",
            "not": { "const": "0.00" },
            "description": "decimal string with exactly two decimals, above zero, at most 10000000000000.00"
        })
    }
}

/// Senders err in few ways, and each deserves its own name.
fn wrong_form(text: &str) -> Option<ReasonCode> {
    if text.chars().any(|letter| letter.is_numeric() && !letter.is_ascii()) {
        return Some(ReasonCode::AmountDigits);
    }
    if let Some(rest) = text.strip_prefix('-') {
        return Some(if wrong_form(rest).is_none() { ReasonCode::AmountNegative } else { ReasonCode::AmountForm });
    }
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((figure, exponent)) = text.split_once(['e', 'E']) {
        let numeric = figure.split('.').all(digits) && digits(exponent.trim_start_matches(['+', '-']));
        return Some(if numeric { ReasonCode::AmountExponent } else { ReasonCode::AmountForm });
    }
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if !digits(whole) || leading_zero || !(decimals.is_empty() || digits(decimals)) {
        return Some(ReasonCode::AmountForm);
    }
    (decimals.len() != 2).then_some(ReasonCode::AmountDecimals)
}

fn wording(code: ReasonCode) -> &'static str {
    match code {
        ReasonCode::AmountDigits => "holds digits other than 0-9 in half width",
        ReasonCode::AmountNegative => "is below zero",
        ReasonCode::AmountExponent => "is written with an exponent",
        ReasonCode::AmountDecimals => "does not have exactly two decimals",
        _ => "is not a decimal figure",
    }
}

fn currency(text: String) -> Result<String, Fault> {
    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(text);
    }
    Err(Fault::new(ReasonCode::CurrencyForm, "is not three upper-case letters"))
}
