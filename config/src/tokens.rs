//! Tokens of the HTTP API: `http.api_tokens.<name>`, kept as hashes. Authorising a request is the console's affair.

use crate::form::{Secrecy, Setting, choice};
use crate::layers::{Bare, Key, NamedGroup};
use crate::settings::Reader;
use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};

choice!(
    /// What a token opens.
    Scope {
        /// `POST /v1/events`.
        Events = "events",
        /// Payouts, timelines and documents.
        Read = "read",
        /// `/metrics`.
        Metrics = "metrics",
    }
);

/// SHA-256 of a token; written `sha256:` and 64 hexadecimal digits. Tokens are long and random, so a plain hash suffices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a token.
    #[must_use]
    pub fn of(token: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        Self(bytes)
    }

    /// As it stands in settings.
    #[must_use]
    pub fn written(&self) -> String {
        format!("sha256:{}", HEXLOWER.encode(&self.0))
    }
}

impl Setting for TokenHash {
    const EXPECTED: &'static str = "\"sha256:\" and 64 hexadecimal digits, as `zhida config token` prints it";
    const SECRECY: Secrecy = Secrecy::Secret;

    fn from_text(text: &str) -> Option<Self> {
        let bytes = HEXLOWER.decode(text.strip_prefix("sha256:")?.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }

    fn repeated(_: &str) -> String {
        // Somebody may have written the token itself.
        "(hidden)".to_owned()
    }

    fn shown(&self) -> String {
        "(hidden)".to_owned()
    }
}

impl Setting for Vec<Scope> {
    const EXPECTED: &'static str = "a list of one or more of \"events\", \"read\", \"metrics\" (as text: events,read)";

    fn from_text(text: &str) -> Option<Self> {
        text.split(',').map(|part| Scope::from_text(part.trim())).collect()
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        let scopes: Option<Self> = value.as_array()?.iter().map(Scope::from_toml).collect();
        scopes.filter(|scopes| !scopes.is_empty())
    }

    fn shown(&self) -> String {
        let words: Vec<&str> = self.iter().map(|scope| scope.word()).collect();
        format!("[{}]", words.join(", "))
    }
}

/// A token that opens a part of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Hash of the token.
    pub hash: TokenHash,
    /// What it opens.
    pub scopes: Vec<Scope>,
}

impl ApiToken {
    pub(crate) const GROUP: NamedGroup = NamedGroup {
        path: "http.api_tokens",
        fields: &[Key { path: "hash", secrecy: Secrecy::Secret }, Key { path: "scopes", secrecy: Secrecy::Open }],
        bare: Bare::Refused,
    };

    pub(crate) fn read(reader: &mut Reader, entry: &[String]) -> Option<Self> {
        let field = |name: &str| [entry, &[name.to_owned()]].concat();
        let hash = reader.read_at(&field("hash"));
        let scopes = reader.read_at(&field("scopes"));
        Some(Self { hash: hash?, scopes: scopes? })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::*;

    #[test]
    fn a_hash_is_read_back_as_it_was_written() {
        let hash = TokenHash::of("abc");
        // The vector of FIPS 180-4.
        let written = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash.written(), written);
        assert_eq!(TokenHash::from_text(written), Some(hash));
        assert_eq!(TokenHash::from_text("abc"), None);
        assert_eq!(TokenHash::repeated("abc"), "(hidden)");
    }

    #[test]
    fn scopes_are_known_words() {
        assert_eq!(Vec::<Scope>::from_text("events, read").unwrap(), [Scope::Events, Scope::Read]);
        assert_eq!(Vec::<Scope>::from_text(""), None);
        assert_eq!(Vec::<Scope>::from_text("events,writ"), None);
    }
}
