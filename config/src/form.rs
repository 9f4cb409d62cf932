//! The forms a setting's value can have: how it is read from TOML and from text (environment, command line), and how it
//! is shown. Not the settings themselves.

use jiff::tz::TimeZone;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Whether a value may be shown, and whether it may come from a file named by a `_FILE` variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrecy {
    /// Anybody may see it.
    Open,
    /// Never shown whole; may come from a file.
    Secret,
}

/// A form of value.
pub trait Setting: Sized {
    /// The form in words; completes "expected …".
    const EXPECTED: &'static str;
    /// Whether the value is a secret.
    const SECRECY: Secrecy = Secrecy::Open;

    /// Reads the text of an environment variable or of the command line.
    fn from_text(text: &str) -> Option<Self>;

    /// Reads a TOML value; for most forms a TOML string.
    fn from_toml(value: &toml::Value) -> Option<Self> {
        value.as_str().and_then(Self::from_text)
    }

    /// What stands for a missing value: only optional forms have something.
    fn absent() -> Option<Self> {
        None
    }

    /// How a text of another form is repeated to the person who wrote it; secrets are not.
    fn repeated(text: &str) -> String {
        format!("\"{}\"", text.escape_debug())
    }

    /// As `zhida config show` prints it, secrets redacted.
    fn shown(&self) -> String;
}

impl<T: Setting> Setting for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    const SECRECY: Secrecy = T::SECRECY;

    fn from_text(text: &str) -> Option<Self> {
        T::from_text(text).map(Some)
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        T::from_toml(value).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn repeated(text: &str) -> String {
        T::repeated(text)
    }

    fn shown(&self) -> String {
        self.as_ref().map_or_else(|| "(not set)".to_owned(), T::shown)
    }
}

impl Setting for String {
    const EXPECTED: &'static str = "a text that is not empty, at most 1000 characters, without control characters";

    fn from_text(text: &str) -> Option<Self> {
        let fits = !text.is_empty() && text.chars().count() <= 1000 && !text.chars().any(char::is_control);
        fits.then(|| text.to_owned())
    }

    fn shown(&self) -> String {
        self.clone()
    }
}

impl Setting for PathBuf {
    const EXPECTED: &'static str = "a path that is not empty";

    fn from_text(text: &str) -> Option<Self> {
        String::from_text(text).map(Self::from)
    }

    fn shown(&self) -> String {
        self.display().to_string()
    }
}

impl Setting for u32 {
    const EXPECTED: &'static str = "a whole number from 1 to 1000000";

    fn from_text(text: &str) -> Option<Self> {
        text.parse::<i64>().ok().and_then(in_range)
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        value.as_integer().and_then(in_range)
    }

    fn shown(&self) -> String {
        self.to_string()
    }
}

fn in_range(number: i64) -> Option<u32> {
    u32::try_from(number).ok().filter(|number| (1..=1_000_000).contains(number))
}

/// A number that may be nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FromZero(pub u32);

impl Setting for FromZero {
    const EXPECTED: &'static str = "a whole number from 0 to 1000000";

    fn from_text(text: &str) -> Option<Self> {
        if text == "0" { Some(Self(0)) } else { u32::from_text(text).map(Self) }
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        if value.as_integer() == Some(0) { Some(Self(0)) } else { u32::from_toml(value).map(Self) }
    }

    fn shown(&self) -> String {
        self.0.to_string()
    }
}

/// Lists are TOML arrays; in text their members are separated by commas.
impl Setting for Vec<u32> {
    const EXPECTED: &'static str =
        "a list of whole numbers from 1 to 1000000, such as [12, 18, 23] (as text: 12,18,23)";

    fn from_text(text: &str) -> Option<Self> {
        text.split(',').map(|part| u32::from_text(part.trim())).collect()
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        value.as_array()?.iter().map(u32::from_toml).collect()
    }

    fn shown(&self) -> String {
        let members: Vec<String> = self.iter().map(u32::to_string).collect();
        format!("[{}]", members.join(", "))
    }
}

impl Setting for SocketAddr {
    const EXPECTED: &'static str = "an address and port such as 127.0.0.1:8080";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn shown(&self) -> String {
        self.to_string()
    }
}

/// A time of day.
impl Setting for jiff::civil::Time {
    const EXPECTED: &'static str = "a time of day such as \"17:15\"";

    fn from_text(text: &str) -> Option<Self> {
        let (hour, minute) = text.split_once(':').filter(|(hour, minute)| hour.len() == 2 && minute.len() == 2)?;
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let parts = (digits(hour) && digits(minute)).then_some((hour.parse().ok()?, minute.parse().ok()?))?;
        Self::new(parts.0, parts.1, 0, 0).ok()
    }

    fn shown(&self) -> String {
        format!("{:02}:{:02}", self.hour(), self.minute())
    }
}

impl Setting for TimeZone {
    const EXPECTED: &'static str = "the IANA name of a time zone such as \"Asia/Shanghai\"";

    fn from_text(text: &str) -> Option<Self> {
        Self::get(text).ok()
    }

    fn shown(&self) -> String {
        self.iana_name().unwrap_or("UTC").to_owned()
    }
}

/// RFC 3339 with offset, as a text or as a TOML date-time.
impl Setting for jiff::Timestamp {
    const EXPECTED: &'static str = "a time with offset such as \"2026-01-01T00:00:00+08:00\"";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        match value.as_datetime() {
            Some(written) => Self::from_text(&written.to_string()),
            None => value.as_str().and_then(Self::from_text),
        }
    }

    fn shown(&self) -> String {
        self.to_string()
    }
}

/// A sum of money in fen, written as yuan with exactly two decimals (`"1000000.00"`); never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount {
    /// Minor units (fen).
    pub fen: i64,
}

impl Setting for Amount {
    const EXPECTED: &'static str = "yuan as a text with exactly two decimals, such as \"1000000.00\"";

    fn from_text(text: &str) -> Option<Self> {
        let (yuan, cents) = text.split_once('.')?;
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if yuan.is_empty() || yuan.len() > 15 || cents.len() != 2 || !digits(yuan) || !digits(cents) {
            return None;
        }
        let fen = yuan.parse::<i64>().ok()? * 100 + cents.parse::<i64>().ok()?;
        Some(Self { fen })
    }

    fn shown(&self) -> String {
        format!("{}.{:02}", self.fen / 100, self.fen % 100)
    }
}

/// A text that nothing prints: tokens and the like.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(hidden)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(hidden)")
    }
}

impl Setting for Secret {
    const EXPECTED: &'static str = "a secret of 8 to 1000 characters without blanks";
    const SECRECY: Secrecy = Secrecy::Secret;

    fn from_text(text: &str) -> Option<Self> {
        let fits = (8..=1000).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
    }

    fn repeated(_: &str) -> String {
        "(hidden)".to_owned()
    }

    fn shown(&self) -> String {
        self.to_string()
    }
}

/// Declares an enum whose members are the words a setting may be.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$member_doc:meta])* $member:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$member_doc])* $member,)+ }

        impl $name {
            /// Every member, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$member,)+];

            /// The word in settings.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$member => $word,)+ }
            }
        }

        impl $crate::form::Setting for $name {
            const EXPECTED: &'static str = concat!("one of:" $(, " \"", $word, "\"")+);

            fn from_text(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|member| member.word() == text)
            }

            fn shown(&self) -> String {
                self.word().to_owned()
            }
        }
    };
}
pub(crate) use choice;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::*;

    #[test]
    fn amounts_have_exactly_two_decimals_and_no_sign() {
        for (text, fen) in [
            ("0.00", Some(0)),
            ("1000000.00", Some(100_000_000)),
            ("999999999999999.99", Some(99_999_999_999_999_999)),
            ("1", None),
            ("1.0", None),
            ("1.000", None),
            ("-1.00", None),
            ("+1.00", None),
            (".00", None),
            ("1e6", None),
            ("１.00", None),
            ("9999999999999999.00", None),
        ] {
            assert_eq!(Amount::from_text(text).map(|amount| amount.fen), fen, "{text}");
        }
    }

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::from_text("geheimgeheim").unwrap();
        assert_eq!(format!("{secret} {secret:?} {}", secret.shown()), "(hidden) (hidden) (hidden)");
        assert_eq!(secret.expose(), "geheimgeheim");
    }

    #[test]
    fn lists_and_times_are_read_from_text_and_from_toml() {
        assert_eq!(Vec::<u32>::from_text("12, 18,23"), Some(vec![12, 18, 23]));
        assert_eq!(Vec::<u32>::from_text("12,,23"), None);
        assert_eq!(Vec::<u32>::from_text(""), None);
        assert_eq!(u32::from_text("0"), None);
        assert_eq!(FromZero::from_text("0"), Some(FromZero(0)));
        assert_eq!(FromZero::from_text("-1"), None);
        let numbers: toml::Table = "none = 0\nsome = 30".parse().unwrap();
        assert_eq!(["none", "some"].map(|key| FromZero::from_toml(&numbers[key])), [0, 30].map(|n| Some(FromZero(n))));
        assert_eq!(u32::from_text("1000001"), None);
        let dated: toml::Table = "at = 2026-01-01T08:00:00+08:00".parse().unwrap();
        assert_eq!(jiff::Timestamp::from_toml(&dated["at"]).unwrap().shown(), "2026-01-01T00:00:00Z");
        let time = |text: &str| jiff::civil::Time::from_text(text).map(|time| time.shown());
        assert_eq!(time("17:15").as_deref(), Some("17:15"));
        for wrong in ["7:15", "24:00", "17:60", "17:15:00", "+7:15", "1715", ""] {
            assert_eq!(time(wrong), None, "{wrong}");
        }
        let bare: toml::Table = "at = 2026-01-01T08:00:00".parse().unwrap();
        assert_eq!(jiff::Timestamp::from_toml(&bare["at"]), None, "without an offset");
    }
}
