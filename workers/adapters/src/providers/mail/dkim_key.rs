//! The private key of DKIM from the file that OpenSSL wrote: RSA (`openssl genrsa`, PKCS#1 or PKCS#8) or Ed25519
//! (`openssl genpkey -algorithm ed25519`). Signing itself is the mail library's.

use data_encoding::BASE64;
use lettre::message::dkim::{DkimSigningAlgorithm, DkimSigningKey};
use pkcs8::{ObjectIdentifier, PrivateKeyInfo};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use thiserror::Error;

/// RFC 8017, `rsaEncryption`.
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// RFC 8410, `id-Ed25519`.
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// An Ed25519 key in PKCS#8 is an octet string within an octet string: its tag and length, then 32 bytes.
const ED25519_HEAD: [u8; 2] = [0x04, 0x20];

/// The key file cannot be used.
#[derive(Debug, Error)]
pub enum DkimKeyError {
    /// Nothing of the kind in it.
    #[error("it holds no private key in PEM form; write one with `openssl genrsa 2048`")]
    NoKey,
    /// Of a kind that mail is not signed with.
    #[error("its key is neither RSA nor Ed25519; write one with `openssl genrsa 2048`")]
    Kind,
    /// Broken.
    #[error("its private key cannot be read: {0}")]
    Unreadable(String),
}

/// Reads a key.
///
/// # Errors
/// What is wrong with the text; never the text itself.
pub(super) fn read(pem: &[u8]) -> Result<DkimSigningKey, DkimKeyError> {
    match PrivateKeyDer::from_pem_slice(pem).map_err(|_| DkimKeyError::NoKey)? {
        PrivateKeyDer::Pkcs1(der) => rsa(der.secret_pkcs1_der()),
        PrivateKeyDer::Pkcs8(der) => {
            let key = PrivateKeyInfo::try_from(der.secret_pkcs8_der())
                .map_err(|error| DkimKeyError::Unreadable(error.to_string()))?;
            match key.algorithm.oid {
                RSA => rsa(key.private_key),
                ED25519 => ed25519(key.private_key),
                _ => Err(DkimKeyError::Kind),
            }
        }
        _ => Err(DkimKeyError::Kind),
    }
}

fn rsa(der: &[u8]) -> Result<DkimSigningKey, DkimKeyError> {
    let pem = format!("-----BEGIN RSA PRIVATE KEY-----\n{}-----END RSA PRIVATE KEY-----\n", lines(&BASE64.encode(der)));
    DkimSigningKey::new(&pem, DkimSigningAlgorithm::Rsa).map_err(|error| DkimKeyError::Unreadable(error.to_string()))
}

fn ed25519(octets: &[u8]) -> Result<DkimSigningKey, DkimKeyError> {
    let seed = octets.strip_prefix(&ED25519_HEAD).filter(|seed| seed.len() == 32);
    let seed = seed.ok_or_else(|| DkimKeyError::Unreadable("an Ed25519 key has 32 bytes".to_owned()))?;
    DkimSigningKey::new(&BASE64.encode(seed), DkimSigningAlgorithm::Ed25519)
        .map_err(|error| DkimKeyError::Unreadable(error.to_string()))
}

/// As PEM wants it: 64 characters a line.
fn lines(text: &str) -> String {
    text.as_bytes().chunks(64).map(|line| format!("{}\n", String::from_utf8_lossy(line))).collect()
}
