//! Bounces out of a mailbox folder in the form of Maildir (`new/`, `cur/`), which any mail server can fill.
//!
//! A bounce of ours is handed out until it was booked, and is then moved to `cur/` with the flag "seen". Whatever else lies there, a
//! foreign bounce, an answer, something unreadable, is left alone where it is, unseen, for people; this process remembers
//! its name and reads it once (again after a restart). What people, or we, have marked as seen is never read.

use super::report;
use async_trait::async_trait;
use std::collections::HashSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use zhida_core::ports::mail::BounceReader;
use zhida_core::ports::sms::Receipt;

/// Of a longer mail only the beginning is read: a bounce names us there.
const MAX_MAIL: u64 = 512 * 1024;

/// A mailbox folder.
#[derive(Clone)]
pub struct MailboxFolder {
    directory: PathBuf,
    /// That of our own address: whose mails came back.
    domain: String,
    /// What was looked at and is nothing of ours, by its name without flags.
    passed_over: Arc<Mutex<HashSet<String>>>,
}

impl MailboxFolder {
    /// The folder at `directory`, to which mails to `from` come back (`notices.mail.from`).
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>, from: &str) -> Self {
        let domain = from.rsplit('@').next().unwrap_or_default().trim_end_matches('>').trim().to_owned();
        Self { directory: directory.into(), domain, passed_over: Arc::default() }
    }

    fn read_now(&self, max: usize) -> Result<Vec<(String, Receipt)>, String> {
        let unseen: Vec<PathBuf> = self.files()?.into_iter().filter(|file| !is_seen(file)).collect();
        let mut passed_over = self.passed_over.lock().unwrap_or_else(PoisonError::into_inner);
        let there: HashSet<&str> = unseen.iter().map(|file| stem(file)).collect();
        passed_over.retain(|name| there.contains(name.as_str()));
        let mut found = Vec::new();
        for file in &unseen {
            if found.len() == max {
                break;
            }
            if passed_over.contains(stem(file)) {
                continue;
            }
            match beginning(file).map(|bytes| report::read(&bytes, &self.domain)) {
                Ok(Some(receipt)) => found.push((stem(file).to_owned(), receipt)),
                // Somebody took it away meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Ok(None) | Err(_) => {
                    passed_over.insert(stem(file).to_owned());
                }
            }
        }
        Ok(found)
    }

    fn put_away(&self, names: &[String]) -> Result<(), String> {
        let names: HashSet<&str> = names.iter().map(String::as_str).collect();
        for file in self.files()? {
            if !names.contains(stem(&file)) || is_seen(&file) {
                continue;
            }
            let seen = self.directory.join("cur").join(with_seen(&file));
            match fs::rename(&file, &seen) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(self.complaint("cur", &error)),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Every mail, in the order of names, which begin with the time of arrival.
    fn files(&self) -> Result<Vec<PathBuf>, String> {
        let mut files = Vec::new();
        for part in ["new", "cur"] {
            let entries = fs::read_dir(self.directory.join(part)).map_err(|error| self.complaint(part, &error))?;
            for entry in entries {
                let entry = entry.map_err(|error| self.complaint(part, &error))?;
                let plain = entry.file_type().is_ok_and(|kind| kind.is_file());
                if plain && !entry.file_name().as_encoded_bytes().starts_with(b".") {
                    files.push(entry.path());
                }
            }
        }
        files.sort_by(|one, other| stem(one).cmp(stem(other)));
        Ok(files)
    }

    fn complaint(&self, part: &str, error: &io::Error) -> String {
        let directory = self.directory.join(part);
        format!(
            "notices.mail.bounces_dir: {} cannot be read or changed: {error}; is it a Maildir of ours?",
            directory.display()
        )
    }
}

#[async_trait]
impl BounceReader for MailboxFolder {
    async fn read(&self, max: usize) -> Result<Vec<(String, Receipt)>, String> {
        let folder = self.clone();
        blocking(move || folder.read_now(max)).await
    }

    async fn done(&self, names: &[String]) -> Result<(), String> {
        let (folder, names) = (self.clone(), names.to_vec());
        blocking(move || folder.put_away(&names)).await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, String> + Send + 'static) -> Result<T, String> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(format!("reading bounces was broken off: {error}")),
    }
}

fn beginning(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(file)?.take(MAX_MAIL).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The name without flags, by which a mail is known wherever it lies. Names that are not UTF-8 are nobody's.
fn stem(file: &Path) -> &str {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.split_once(":2,").map_or(name, |(stem, _)| stem)
}

fn flags(file: &Path) -> &str {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.split_once(":2,").map_or("", |(_, flags)| flags)
}

fn is_seen(file: &Path) -> bool {
    flags(file).contains('S')
}

/// Flags stand in the order of the alphabet.
fn with_seen(file: &Path) -> String {
    let mut flags: Vec<char> = flags(file).chars().chain(['S']).collect();
    flags.sort_unstable();
    format!("{}:2,{}", stem(file), flags.into_iter().collect::<String>())
}

#[cfg(test)]
mod tests;
