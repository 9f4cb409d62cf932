//! Fingerprints of what is personal: the same account, mobile or mail address has the same fingerprint in one database, and who
//! has the fingerprint alone cannot try out which it is. So are the ids of patterns, which go out although a pattern's key may
//! name an officer.

use crate::notice::Number;
use data_encoding::BASE32_NOPAD;
use ring::hmac;

/// The secret of a database by which fingerprints are made. It stays in it.
#[derive(Clone)]
pub struct Seal(hmac::Key);

impl Seal {
    /// The seal of a database with this secret.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
    }

    /// 16 characters that stand for `text` as a thing of this kind.
    #[must_use]
    pub fn mark(&self, kind: &str, text: &str) -> String {
        let tag = hmac::sign(&self.0, format!("{kind}\n{text}").as_bytes());
        let mut letters = BASE32_NOPAD.encode(tag.as_ref());
        letters.truncate(16);
        letters
    }

    /// An account, however it is written.
    #[must_use]
    pub fn account(&self, number: &str) -> String {
        let digits: String = number.chars().filter(char::is_ascii_alphanumeric).collect();
        self.mark("account", &digits)
    }

    /// A mobile, in whatever spelling.
    #[must_use]
    pub fn mobile(&self, number: &str) -> String {
        let known = Number::parse(number).ok();
        let plain = known.as_ref().map_or(number, |known| known.mainland().unwrap_or(known.e164()));
        self.mark("mobile", plain)
    }

    /// A mail address; capitals make no other.
    #[must_use]
    pub fn email(&self, address: &str) -> String {
        self.mark("email", &address.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::Seal;

    #[test]
    fn one_thing_has_one_fingerprint_in_one_database() {
        let seal = Seal::new("secret");
        assert_eq!(seal.account("4000-0201-0900"), seal.account("400002010900"));
        assert_eq!(seal.mobile("+8613800000000"), seal.mobile("13800000000"));
        assert_eq!(seal.mobile("0086 138-0000-0000"), seal.mobile("１３８００００００００"));
        assert_eq!(seal.email("Finance@example.com"), seal.email("finance@Example.com"));
        assert_ne!(seal.account("13800000000"), seal.mobile("13800000000"), "kinds are kept apart");
        assert_ne!(Seal::new("another").account("1"), seal.account("1"), "databases are kept apart");
        assert_eq!(seal.account("1").len(), 16);
    }
}
