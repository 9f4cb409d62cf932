//! Signatures of events: Ed25519 over the RFC 8785 form of the event without `signature`. Which key may speak for whom is the
//! affair of intake; keys and signatures here are only right or wrong.

use crate::canonical::object_without;
use crate::contract_error::{ContractError, ReasonCode};
use crate::envelope::Signature;
use crate::identifiers::Sha256Hex;
use crate::text::Id;
use data_encoding::BASE64URL_NOPAD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde_json::{Map, Value};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Why a key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The text is not a key.
    #[error("a key is 32 bytes written as 43 characters of base64url without padding; this text is not")]
    Form,
    /// The system gave no random bytes.
    #[error("the system gave no random bytes for a new key; try again")]
    NoRandomness,
}

/// A private key. Its file holds the 32 bytes of the seed (RFC 8032) as 43 characters of base64url.
pub struct SigningKey {
    seed: [u8; 32],
    pair: Ed25519KeyPair,
}

impl SigningKey {
    /// A new key from the system's random bytes.
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        SystemRandom::new().fill(&mut seed).map_err(|_| KeyError::NoRandomness)?;
        Self::from_seed(seed)
    }

    /// The key of a seed.
    pub fn from_seed(seed: [u8; 32]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| KeyError::Form)?;
        Ok(Self { seed, pair })
    }

    /// What goes into the key's file, and nowhere else.
    #[must_use]
    pub fn seed_text(&self) -> String {
        BASE64URL_NOPAD.encode(&self.seed)
    }

    /// The key by which others verify.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.pair.public_key().as_ref());
        PublicKey(bytes)
    }

    fn sign(&self, message: &[u8]) -> Signature {
        Signature::from_bytes(self.pair.sign(message).as_ref())
    }
}

impl FromStr for SigningKey {
    type Err = KeyError;

    /// Reads a key file's text; blanks and line ends around it do not matter.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::from_seed(key_bytes(text)?)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SigningKey(of {})", self.public_key())
    }
}

/// A public key; its text is 43 characters of base64url.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The key's 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for PublicKey {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        key_bytes(text).map(Self)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&BASE64URL_NOPAD.encode(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PublicKey({self})")
    }
}

/// Completes an event with `keyid` and `signature`, in place of any that were there.
pub fn sign(event: &mut Value, keyid: &Id, key: &SigningKey) -> Result<(), ContractError> {
    let members = event.as_object_mut().ok_or_else(not_an_object)?;
    members.insert("keyid".to_owned(), Value::from(keyid.as_str()));
    let signature = key.sign(&signed_form(members));
    members.insert("signature".to_owned(), Value::from(signature.into_string()));
    Ok(())
}

/// Whether `key` signed this event. Refused with `missing`, `signature_form` or `signature_invalid`.
pub fn verify(event: &Value, key: &PublicKey) -> Result<(), ContractError> {
    let members = event.as_object().ok_or_else(not_an_object)?;
    let Some(text) = members.get("signature").and_then(Value::as_str) else {
        return Err(ContractError::new(ReasonCode::Missing, "signature", "is missing"));
    };
    let signature = Signature::parse(text).map_err(|fault| fault.at("signature"))?;
    verify_members(members, &signature, key)
}

/// Digest of an event's content: SHA-256 over its RFC 8785 form without `signature` and `keyid`. The same content signed again, also
/// with the successor of a key, is the same content; anything else that differs makes a conflict.
#[must_use]
pub fn content_sha256(members: &Map<String, Value>) -> Sha256Hex {
    Sha256Hex::of(&object_without(members, &["signature", "keyid"]))
}

pub(crate) fn verify_members(
    members: &Map<String, Value>,
    signature: &Signature,
    key: &PublicKey,
) -> Result<(), ContractError> {
    UnparsedPublicKey::new(&ED25519, key.as_bytes()).verify(&signed_form(members), &signature.bytes()).map_err(|_| {
        ContractError::new(ReasonCode::SignatureInvalid, "signature", "was not made by that key over this event")
    })
}

fn signed_form(members: &Map<String, Value>) -> Vec<u8> {
    object_without(members, &["signature"])
}

fn key_bytes(text: &str) -> Result<[u8; 32], KeyError> {
    let bytes = BASE64URL_NOPAD.decode(text.trim().as_bytes()).map_err(|_| KeyError::Form)?;
    bytes.try_into().map_err(|_| KeyError::Form)
}

fn not_an_object() -> ContractError {
    ContractError::new(ReasonCode::NotAnObject, "", "is not a JSON object")
}
