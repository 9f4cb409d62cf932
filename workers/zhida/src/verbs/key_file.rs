//! Files of private keys: one line, the 32 bytes of the seed as base64url, for its owner's eyes only.

use anyhow::Context as _;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use zhida_schemas::signing::SigningKey;

/// Reads a key; says so when others could read it too.
pub(crate) fn read(path: &Path) -> anyhow::Result<SigningKey> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("the key file {} cannot be read", path.display()))?;
    let key = text.parse().with_context(|| format!("{} is no key file", path.display()))?;
    let mode = std::fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        eprintln!("zhida: others may read the key file {0}; `chmod 600 {0}`", path.display());
    }
    Ok(key)
}

/// Makes a new key file, and never replaces one: a key that is gone cannot be had back.
pub(crate) fn create(path: &Path) -> anyhow::Result<SigningKey> {
    if path.exists() {
        let known = read(path).map(|key| format!("; its public key is {}", key.public_key())).unwrap_or_default();
        anyhow::bail!("{} is there already and a key is never replaced{known}", path.display());
    }
    let key = SigningKey::generate()?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).with_context(|| {
        format!("the key file {} cannot be made; choose a folder that exists and may be written", path.display())
    })?;
    writeln!(file, "{}", key.seed_text())?;
    file.sync_all()?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::{create, read};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_private_and_never_replaced() {
        let folder = std::env::temp_dir().join(format!("zhida-key-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("wang.key");
        let made = create(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read(&path).unwrap().public_key(), made.public_key());
        let refusal = create(&path).unwrap_err().to_string();
        assert!(refusal.contains(&made.public_key().to_string()), "whoever mislaid it is told: {refusal}");
        assert_eq!(read(&path).unwrap().public_key(), made.public_key(), "the first key is still there");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
