//! What is wrong with something that came in, told so that its sender can mend it: a frozen reason code, the field, the
//! value (shortened, personal data masked), a sentence and a remedy. Not the rules of the district: those are holds.

use serde_json::Value;
use std::fmt::{self, Write as _};

macro_rules! reason_codes {
    ($($name:ident = $code:literal: $remedy:literal;)*) => {
        /// Why something is refused; the text form is public and never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ReasonCode {
            $(
                #[doc = concat!("`", $code, "`: ", $remedy, ".")]
                $name,
            )*
        }

        impl ReasonCode {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The public code.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What the sender should do.
            #[must_use]
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy,)* }
            }

            fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$name),)* _ => None }
            }
        }
    };
}

reason_codes! {
    TooLarge = "too_large": "send one event of at most 262144 bytes a message";
    NotUtf8 = "not_utf8": "encode the message as UTF-8";
    NotJson = "not_json": "send one JSON object as RFC 8259 describes it";
    NotAnObject = "not_an_object": "send one JSON object a message";
    DuplicateMember = "duplicate_member": "write every member of an object once";
    TooDeep = "too_deep": "nest at most 64 levels";
    NulCharacter = "nul_character": "remove U+0000";
    NumberRange = "number_range": "write integers within 2^53 of zero, and larger figures as strings";
    Missing = "missing": "add the field";
    WrongType = "wrong_type": "write the field in the JSON type that the schema names";
    UnknownValue = "unknown_value": "use one of the values that the schema lists";
    OutOfRange = "out_of_range": "use a value within the range that the schema names";
    SpecVersion = "specversion": "write \"1.0\"";
    UnknownType = "unknown_type": "use one of the types of the contract, in its exact spelling";
    ContentType = "content_type": "write \"application/json\" or leave the attribute out";
    DataBase64 = "data_base64": "send the data as a JSON object in \"data\"";
    SubjectMismatch = "subject_mismatch": "let the subject name the same thing as the data";
    RoutingKey = "routing_key": "publish the event with its type as the routing key";
    IdForm = "id_form": "use 1 to 64 characters of A-Z a-z 0-9 . _ -";
    TextEmpty = "text_empty": "write at least one visible character";
    TextTooLong = "text_too_long": "shorten it to the length that the schema names";
    ControlCharacter = "control_character": "remove control characters and U+FFFE, U+FFFF";
    UriForm = "uri_form": "write a URI reference of printable ASCII characters";
    UsccLength = "uscc_length": "write all 18 characters of the unified social credit code";
    UsccCharacter = "uscc_character": "use 0-9 and A-Z without I O S V Z, upper case, half width";
    UsccCheckDigit = "uscc_check_digit": "compare the code with the business licence";
    CnapsForm = "cnaps_form": "write the 12 digits of the bank's CNAPS code";
    CnapsCheckDigit = "cnaps_check_digit": "compare the code with the bank's own";
    AccountNoForm = "account_no_form": "write 1 to 34 digits and hyphens, or a valid IBAN";
    Sha256Form = "sha256_form": "write the SHA-256 of the document as 64 hexadecimal digits";
    MobileForm = "mobile_form": "write the number as +8613800000000 or 13800000000";
    EmailForm = "email_form": "write one address of the form name@host.domain";
    TimeForm = "time_form": "write the time as 2026-11-23T09:30:00+08:00";
    TimeOffsetMissing = "time_offset_missing": "add the offset, as in 2026-11-23T09:30:00+08:00";
    DateForm = "date_form": "write the date as 2026-11-23";
    AmountForm = "amount_form": "write digits, a point and two decimals, as in \"500000.00\"";
    AmountDigits = "amount_digits": "write the digits 0-9 in half width";
    AmountExponent = "amount_exponent": "write the amount without an exponent, as in \"1000000.00\"";
    AmountDecimals = "amount_decimals": "write exactly two decimals, as in \"500000.00\"";
    AmountZero = "amount_zero": "award an amount above zero";
    AmountNegative = "amount_negative": "award an amount above zero; recoveries have their own events";
    AmountTooLarge = "amount_too_large": "stay at or below 10000000000000.00";
    CurrencyForm = "currency_form": "write the ISO 4217 code, as in \"CNY\"";
    TooFew = "too_few": "list at least one";
    SamePerson = "same_person": "name two different officers";
    SignatureForm = "signature_form": "write the 64 bytes as 86 characters of base64url without padding";
    SignatureInvalid = "signature_invalid": "sign the RFC 8785 form of the event without `signature` with the key that `keyid` names";
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// A single value refused by its own type; the field it stood in is not known here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {reason}")]
pub struct Fault {
    /// Which rule it broke.
    pub code: ReasonCode,
    /// What is wrong with it. Never repeats the value.
    pub reason: String,
}

impl Fault {
    pub(crate) fn new(code: ReasonCode, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// Names the field the value stood in.
    #[must_use]
    pub fn at(self, field: impl Into<String>) -> ContractError {
        ContractError::new(self.code, field, self.reason)
    }

    /// Reads back what [`Display`](fmt::Display) wrote: serde carries our faults as text only.
    fn from_message(message: &str) -> Option<Self> {
        let (code, reason) = message.split_once(": ")?;
        Some(Self::new(ReasonCode::from_code(code)?, reason))
    }
}

/// Why an event is refused, with the field named. The sentence holds no personal data and may be logged and answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractError {
    /// Which rule it broke.
    pub code: ReasonCode,
    /// Path of the field (`data.payee.bank_code`, `data.approvals[0].officer_id`); empty for the message as a whole.
    pub field: String,
    /// The value as JSON, shortened; account numbers, phones, mail addresses and personal names masked.
    pub value: Option<String>,
    /// What is wrong.
    pub reason: String,
}

impl ContractError {
    pub(crate) fn new(code: ReasonCode, field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { code, field: field.into(), value: None, reason: reason.into() }
    }

    pub(crate) fn with_value(mut self, value: &Value) -> Self {
        self.value = Some(shown(&self.field, value));
        self
    }

    /// What the sender should do.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        self.code.remedy()
    }

    /// Turns what serde says of `root` into our words. `prefix` is the path of `root` itself (empty, or `data`).
    pub(crate) fn from_serde(
        prefix: &str,
        error: &serde_path_to_error::Error<serde_json::Error>,
        root: &Value,
    ) -> ContractError {
        let mut field = join(prefix, &path_of(error.path()));
        let message = error.inner().to_string();
        if let Some(name) = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
            field = join(&field, name);
            return Self::new(ReasonCode::Missing, field, "is missing");
        }
        let fault = Fault::from_message(&message).unwrap_or_else(|| in_our_words(&message));
        let refused = fault.at(field);
        match value_at(root, error.path()) {
            Some(value) => refused.with_value(value),
            None => refused,
        }
    }
}

impl fmt::Display for ContractError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = if self.field.is_empty() { "the message" } else { &self.field };
        write!(out, "{field} ")?;
        if let Some(value) = &self.value {
            write!(out, "(here {value}) ")?;
        }
        write!(out, "{}: {} [{}]", self.reason, self.remedy(), self.code)
    }
}

impl std::error::Error for ContractError {}

/// Serde's own complaints quote the value; ours may not, so only the expectation is kept.
fn in_our_words(message: &str) -> Fault {
    let expected = message.rsplit_once("expected ").map_or("another form", |(_, expected)| expected);
    let expected = if expected.starts_with("struct ") { "an object" } else { expected };
    if message.starts_with("unknown variant") {
        Fault::new(ReasonCode::UnknownValue, format!("is not a value of the contract: expected {expected}"))
    } else if message.starts_with("invalid value") {
        Fault::new(ReasonCode::OutOfRange, format!("is out of range: expected {expected}"))
    } else {
        Fault::new(ReasonCode::WrongType, format!("is of the wrong JSON type: expected {expected}"))
    }
}

fn join(prefix: &str, path: &str) -> String {
    match (prefix.is_empty(), path.is_empty()) {
        (true, _) => path.to_owned(),
        (_, true) => prefix.to_owned(),
        (false, false) if path.starts_with('[') => format!("{prefix}{path}"),
        (false, false) => format!("{prefix}.{path}"),
    }
}

fn path_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => {
                let _ = write!(text, "[{index}]");
            }
            Segment::Map { key } => text = join(&text, key),
            // The name of a refused enum value is the value, not a place; Unknown names nothing.
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    text
}

fn value_at<'value>(root: &'value Value, path: &serde_path_to_error::Path) -> Option<&'value Value> {
    use serde_path_to_error::Segment;
    path.iter().try_fold(root, |value, segment| match segment {
        Segment::Seq { index } => value.get(index),
        Segment::Map { key } => value.get(key),
        Segment::Enum { .. } | Segment::Unknown => Some(value),
    })
}

/// Longest text of a value in an error, in characters.
const SHOWN_CHARACTERS: usize = 48;

/// Members whose content is personal data, and those below them that are not.
const PERSONAL: [&str; 5] = ["payee", "contacts", "signer_name", "alleged_by", "facts"];
const NOT_PERSONAL: [&str; 3] = ["bank_code", "bank_name", "locale"];

fn shown(field: &str, value: &Value) -> String {
    let text = match value {
        Value::Array(items) => return format!("an array of {}", items.len()),
        Value::Object(members) => return format!("an object of {} members", members.len()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    };
    let mut names = field.split(['.', '[']);
    let personal = names.any(|name| PERSONAL.contains(&name))
        && !field.rsplit('.').next().is_some_and(|leaf| NOT_PERSONAL.contains(&leaf));
    if personal {
        return format!("a value of {} characters, not shown", value.as_str().unwrap_or(&text).chars().count());
    }
    if text.chars().count() <= SHOWN_CHARACTERS {
        return text;
    }
    text.chars().take(SHOWN_CHARACTERS).chain(['…']).collect()
}
