//! Whose signatures are believed: `intake.trusted_keys.<keyid>`. Verifying a signature is not done here.

use crate::form::{Secrecy, Setting};
use crate::layers::{Bare, Key, NamedGroup};
use crate::settings::Reader;
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;

/// An Ed25519 public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(pub [u8; 32]);

impl Setting for PublicKey {
    const EXPECTED: &'static str = "an Ed25519 public key: 32 bytes in base64url without padding (43 characters)";

    fn from_text(text: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }

    fn shown(&self) -> String {
        BASE64URL_NOPAD.encode(&self.0)
    }
}

/// A list of texts to match whole; a `*` at the end of one stands for any ending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patterns(Vec<String>);

impl Patterns {
    /// Whether one of them matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.0.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(beginning) => text.starts_with(beginning),
            None => pattern == text,
        })
    }
}

impl Setting for Patterns {
    const EXPECTED: &'static str =
        "a list of one or more texts, * only at the end, such as [\"application.*\"] (as text: separated by commas)";

    fn from_text(text: &str) -> Option<Self> {
        Self::checked(text.split(',').map(|part| part.trim().to_owned()).collect())
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        let texts: Option<Vec<String>> =
            value.as_array()?.iter().map(|member| member.as_str().map(str::to_owned)).collect();
        Self::checked(texts?)
    }

    fn shown(&self) -> String {
        format!("[{}]", self.0.join(", "))
    }
}

impl Patterns {
    fn checked(texts: Vec<String>) -> Option<Self> {
        let sound = |text: &String| !text.is_empty() && !text[..text.len() - 1].contains('*') && text.is_ascii();
        (!texts.is_empty() && texts.iter().all(sound)).then_some(Self(texts))
    }
}

/// A key that may sign events, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    /// The key.
    pub key: PublicKey,
    /// The sources it may sign for; `None`: every source (environment `sandbox` only).
    pub sources: Option<Patterns>,
    /// The event types it may sign; `None`: every type (environment `sandbox` only).
    pub types: Option<Patterns>,
    /// Nothing that first arrives before this is believed.
    pub not_before: Option<Timestamp>,
    /// Nothing that first arrives after this is believed.
    pub not_after: Option<Timestamp>,
    /// Nothing that first arrives at or after this is believed; what it approved before and is not sent yet is held.
    pub revoked_at: Option<Timestamp>,
}

/// Why a key may not sign an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotEntitled {
    /// The source is none of the key's.
    #[error("the key is not entitled to this source: extend its `sources` or let the right key sign")]
    Source,
    /// The type is none of the key's.
    #[error("the key is not entitled to this event type: extend its `types` or let the right key sign")]
    Type,
    /// Its time has not begun.
    #[error("the key is not valid yet (`not_before`)")]
    NotYetValid,
    /// Its time is over.
    #[error("the key is no longer valid (`not_after`): sign with its successor")]
    Expired,
    /// It was revoked.
    #[error("the key is revoked (`revoked_at`): sign with its successor")]
    Revoked,
}

impl TrustedKey {
    /// A key trusted for everything, as in a sandbox.
    #[must_use]
    pub fn for_everything(key: PublicKey) -> Self {
        Self { key, sources: None, types: None, not_before: None, not_after: None, revoked_at: None }
    }

    /// Whether it is trusted for every source or every type, which only a sandbox may do.
    #[must_use]
    pub fn is_unbounded(&self) -> bool {
        self.sources.is_none() || self.types.is_none()
    }

    /// Whether it may sign an event of this source and type that first arrived at this time.
    ///
    /// # Errors
    /// The first rule that stands against it; revocation and validity come first.
    pub fn may_sign(&self, source: &str, event_type: &str, arrived_at: Timestamp) -> Result<(), NotEntitled> {
        if self.revoked_at.is_some_and(|revoked_at| arrived_at >= revoked_at) {
            return Err(NotEntitled::Revoked);
        }
        if self.not_before.is_some_and(|not_before| arrived_at < not_before) {
            return Err(NotEntitled::NotYetValid);
        }
        if self.not_after.is_some_and(|not_after| arrived_at > not_after) {
            return Err(NotEntitled::Expired);
        }
        if self.sources.as_ref().is_some_and(|sources| !sources.matches(source)) {
            return Err(NotEntitled::Source);
        }
        if self.types.as_ref().is_some_and(|types| !types.matches(event_type)) {
            return Err(NotEntitled::Type);
        }
        Ok(())
    }

    pub(crate) const GROUP: NamedGroup = NamedGroup {
        path: "intake.trusted_keys",
        fields: &[
            Key { path: "key", secrecy: Secrecy::Open },
            Key { path: "sources", secrecy: Secrecy::Open },
            Key { path: "types", secrecy: Secrecy::Open },
            Key { path: "not_before", secrecy: Secrecy::Open },
            Key { path: "not_after", secrecy: Secrecy::Open },
            Key { path: "revoked_at", secrecy: Secrecy::Open },
        ],
        bare: Bare::Allowed,
    };

    pub(crate) fn read(reader: &mut Reader, entry: &[String]) -> Option<Self> {
        if reader.has(entry) {
            return reader.read_at(entry).map(Self::for_everything);
        }
        let field = |name: &str| [entry, &[name.to_owned()]].concat();
        let key = reader.read_at(&field("key"));
        let sources = reader.read_at(&field("sources"));
        let types = reader.read_at(&field("types"));
        let not_before = reader.read_at(&field("not_before"));
        let not_after = reader.read_at(&field("not_after"));
        let revoked_at = reader.read_at(&field("revoked_at"));
        Some(Self {
            key: key?,
            sources: sources?,
            types: types?,
            not_before: not_before?,
            not_after: not_after?,
            revoked_at: revoked_at?,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_key_signs_only_for_its_sources_types_and_time() {
        let key = TrustedKey {
            key: PublicKey([7; 32]),
            sources: Patterns::from_text("/review/district"),
            types: Patterns::from_text("application.*,commitment.signed.v1"),
            not_before: Some(at("2026-01-01T00:00:00Z")),
            not_after: Some(at("2026-12-31T00:00:00Z")),
            revoked_at: Some(at("2026-06-01T00:00:00Z")),
        };
        let district = "/review/district";
        for (source, event_type, arrived_at, expected) in [
            (district, "application.approved.v1", "2026-03-01T00:00:00Z", Ok(())),
            (district, "commitment.signed.v1", "2026-01-01T00:00:00Z", Ok(())),
            (district, "commitment.signed.v12", "2026-03-01T00:00:00Z", Err(NotEntitled::Type)),
            (district, "payee.corrected.v1", "2026-03-01T00:00:00Z", Err(NotEntitled::Type)),
            ("/review/district/x", "application.approved.v1", "2026-03-01T00:00:00Z", Err(NotEntitled::Source)),
            (district, "application.approved.v1", "2025-12-31T23:59:59Z", Err(NotEntitled::NotYetValid)),
            (district, "application.approved.v1", "2026-06-01T00:00:00Z", Err(NotEntitled::Revoked)),
        ] {
            assert_eq!(
                key.may_sign(source, event_type, at(arrived_at)),
                expected,
                "{source} {event_type} {arrived_at}"
            );
        }
        let never_revoked = TrustedKey { revoked_at: None, ..key };
        let late = never_revoked.may_sign(district, "application.approved.v1", at("2027-01-01T00:00:00Z"));
        assert_eq!(late, Err(NotEntitled::Expired));
        assert_eq!(
            TrustedKey::for_everything(PublicKey([7; 32])).may_sign("x", "y", at("1990-01-01T00:00:00Z")),
            Ok(())
        );
    }

    #[test]
    fn keys_are_32_bytes_and_patterns_end_with_their_star() {
        let text = BASE64URL_NOPAD.encode(&[1; 32]);
        assert_eq!(PublicKey::from_text(&text), Some(PublicKey([1; 32])));
        assert_eq!(PublicKey::from_text(&format!("{text}=")), None);
        assert_eq!(PublicKey::from_text(&BASE64URL_NOPAD.encode(&[1; 31])), None);
        for wrong in ["", "a,,b", "*.approved.v1", "a*b*"] {
            assert_eq!(Patterns::from_text(wrong), None, "{wrong}");
        }
        assert!(Patterns::from_text("*").unwrap().matches("anything"));
    }
}
