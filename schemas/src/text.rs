//! Short texts that were checked at the edge: ids, names, free text, references. Not identifiers with check digits
//! (identifiers) and nothing that is repaired: what comes in is kept as it came or refused.

use crate::contract_error::{Fault, ReasonCode};

/// Declares a text that exists only if its check passed. `shown` says whether `Debug` may print it.
macro_rules! checked_text {
    (
        $(#[$doc:meta])*
        $name:ident { check: $check:path, shown: $shown:ident, schema: $schema:tt }
    ) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks and takes the text.
            pub fn parse(text: impl Into<String>) -> Result<Self, $crate::contract_error::Fault> {
                $check(text.into()).map(Self)
            }

            /// The text as it travels.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text itself.
            #[must_use]
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::contract_error::Fault;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::contract_error::Fault;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }

        checked_text!(@debug $shown $name);
    };
    (@debug plain $name:ident) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&self.0, out)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str(&self.0)
            }
        }
    };
    // Personal data has no Display, so that it cannot slip into a log: whoever needs it says as_str.
    (@debug masked $name:ident) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(out, "{}({} characters)", stringify!($name), self.0.chars().count())
            }
        }
    };
}
pub(crate) use checked_text;

checked_text!(
    /// A name of a thing: 1 to 64 of `A-Z a-z 0-9 . _ -`.
    Id { check: id, shown: plain, schema: {
        "type": "string",
        "pattern": "^[A-Za-z0-9._-]{1,64}$",
        "description": "1 to 64 characters of A-Z a-z 0-9 . _ -"
    }}
);

checked_text!(
    /// What a person, an organisation or an account is called: 1 to 140 characters (the limit of ISO 20022), at least one of
    /// them visible. Quotes, markup and formulas are lawful; whoever prints a name escapes it.
    Name { check: name, shown: plain, schema: {
        "type": "string",
        "minLength": 1,
        "maxLength": 140,
        "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f\\ufffe\\uffff]+$",
        "description": "1 to 140 characters, no control characters"
    }}
);

checked_text!(
    /// Free text written by people: 1 to 10,000 characters, line ends and tabs allowed.
    Text { check: free_text, shown: plain, schema: {
        "type": "string",
        "minLength": 1,
        "maxLength": 10000,
        "pattern": "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\ufffe\\uffff]+$",
        "description": "1 to 10,000 characters, no control characters but line ends and tabs"
    }}
);

checked_text!(
    /// Where an event comes from: a URI reference of 1 to 256 characters (CloudEvents `source`).
    Source { check: source, shown: plain, schema: {
        "type": "string",
        "minLength": 1,
        "maxLength": 256,
        "pattern": "^[!#-;=?-\\[\\]_a-z~]+$",
        "description": "URI reference of 1 to 256 characters"
    }}
);

checked_text!(
    /// Where a document can be read: a URI reference of 1 to 2,048 characters. It is never opened by the program.
    Uri { check: uri, shown: plain, schema: {
        "type": "string",
        "minLength": 1,
        "maxLength": 2048,
        "pattern": "^[!#-;=?-\\[\\]_a-z~]+$",
        "description": "URI reference of 1 to 2,048 characters"
    }}
);

fn id(text: String) -> Result<String, Fault> {
    if text.is_empty() || text.len() > 64 {
        return Err(Fault::new(ReasonCode::IdForm, format!("has {} bytes, not 1 to 64", text.len())));
    }
    let lawful = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if !text.bytes().all(lawful) {
        return Err(Fault::new(ReasonCode::IdForm, "holds a character that an id may not hold"));
    }
    Ok(text)
}

fn name(text: String) -> Result<String, Fault> {
    bounded(text, 140, |_| false)
}

fn free_text(text: String) -> Result<String, Fault> {
    bounded(text, 10_000, |letter| matches!(letter, '\n' | '\r' | '\t'))
}

fn bounded(text: String, longest: usize, allowed_control: fn(char) -> bool) -> Result<String, Fault> {
    // U+FFFE and U+FFFF are not characters of XML 1.0: no bank message could carry them.
    let unlawful =
        |letter: char| (letter.is_control() && !allowed_control(letter)) || matches!(letter, '\u{FFFE}' | '\u{FFFF}');
    let length = text.chars().count();
    if length > longest {
        return Err(Fault::new(ReasonCode::TextTooLong, format!("has {length} characters, more than {longest}")));
    }
    if text.chars().any(unlawful) {
        return Err(Fault::new(ReasonCode::ControlCharacter, "holds a control character"));
    }
    if text.chars().all(char::is_whitespace) {
        return Err(Fault::new(ReasonCode::TextEmpty, "is empty or blank"));
    }
    Ok(text)
}

fn source(text: String) -> Result<String, Fault> {
    reference(text, 256)
}

fn uri(text: String) -> Result<String, Fault> {
    reference(text, 2048)
}

fn reference(text: String, longest: usize) -> Result<String, Fault> {
    if text.is_empty() || text.len() > longest {
        return Err(Fault::new(ReasonCode::UriForm, format!("has {} bytes, not 1 to {longest}", text.len())));
    }
    // RFC 3986 leaves these out: blank " < > \ ^ ` { | } and everything outside ASCII.
    let lawful = |byte: u8| byte.is_ascii_graphic() && !br#""<>\^`{|}"#.contains(&byte);
    if !text.bytes().all(lawful) {
        return Err(Fault::new(ReasonCode::UriForm, "holds a character that a URI reference may not hold"));
    }
    Ok(text)
}
