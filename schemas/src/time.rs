//! Moments and days as they travel: RFC 3339 with an offset, and calendar dates. Reads no clock.

use crate::contract_error::{Fault, ReasonCode};
use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// A moment, kept in microseconds (what the database keeps); finer digits of a sender are dropped. Written in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Time(Timestamp);

impl Time {
    /// The moment itself.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        self.0
    }
}

impl From<Timestamp> for Time {
    fn from(moment: Timestamp) -> Self {
        // Cannot fail: the microseconds of a timestamp lie within the range of timestamps.
        Self(Timestamp::from_microsecond(moment.as_microsecond()).unwrap_or(moment))
    }
}

impl fmt::Display for Time {
    /// RFC 3339 in UTC with microseconds: `2026-11-23T01:30:00.000000Z`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:.6}", self.0)
    }
}

impl FromStr for Time {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        if !has_rfc3339_form(text) {
            let offset_missing = has_rfc3339_form(&format!("{text}Z"));
            return Err(if offset_missing {
                Fault::new(ReasonCode::TimeOffsetMissing, "has no offset, so it names no moment")
            } else {
                Fault::new(ReasonCode::TimeForm, "is not a time of RFC 3339")
            });
        }
        let not_a_moment = |_| Fault::new(ReasonCode::TimeForm, "is not a moment of the calendar");
        text.parse::<Timestamp>().map(Self::from).map_err(not_a_moment)
    }
}

impl TryFrom<String> for Time {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        text.parse()
    }
}

impl From<Time> for String {
    fn from(time: Time) -> Self {
        time.to_string()
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})$",
            "description": "RFC 3339 time with offset"
        })
    }
}

/// A day of the calendar, `2026-11-23`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date(jiff::civil::Date);

impl Date {
    /// The day itself.
    #[must_use]
    pub fn civil(self) -> jiff::civil::Date {
        self.0
    }
}

impl From<jiff::civil::Date> for Date {
    fn from(day: jiff::civil::Date) -> Self {
        Self(day)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl FromStr for Date {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let refused = || Fault::new(ReasonCode::DateForm, "is not a date of the calendar");
        if !matches_form(text.as_bytes(), b"0000-00-00") {
            return Err(refused());
        }
        text.parse().map(Self).map_err(|_| refused())
    }
}

impl TryFrom<String> for Date {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        text.parse()
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

impl JsonSchema for Date {
    fn schema_name() -> Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
            "description": "calendar date"
        })
    }
}

/// The calendar library reads more than RFC 3339 allows (zone names in brackets, blanks, bare hours); senders may not.
fn has_rfc3339_form(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some((moment, rest)) = bytes.split_at_checked(19) else { return false };
    let (fraction, offset) = match rest.split_first() {
        Some((b'.', after)) => {
            let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
            (Some(digits), &after[digits..])
        }
        Some(_) | None => (None, rest),
    };
    matches_form(moment, b"0000-00-00T00:00:00")
        && fraction.is_none_or(|digits| (1..=9).contains(&digits))
        && (matches_form(offset, b"Z") || matches_form(offset, b"+00:00") || matches_form(offset, b"-00:00"))
}

/// `0` in the form stands for any digit, other characters for themselves (letters in either case).
fn matches_form(bytes: &[u8], form: &[u8]) -> bool {
    bytes.len() == form.len()
        && bytes.iter().zip(form).all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            letter => byte.eq_ignore_ascii_case(letter),
        })
}
