//! A folder in which each message is a file, for a gateway program beside us or for trying things out.
//!
//! A message is `<out_id>.json` with the members `out_id`, `to`, `signature`, `text`, `template_code`, `parameters`. It appears whole, under a
//! name that was not there, and is never written again. Who takes it may rename it to `<out_id>.taken.json`, and writes what became of
//! it to `<out_id>.receipt.json`: `{"status":"delivered"|"undelivered","at"?,"class"?,"code"?,"text"?}` (as in the webhook). A message of
//! which none of the three is there never came, so they stay where they are for as long as notices are asked for (30 days is ample).

use super::webhook::Told;
use async_trait::async_trait;
use serde_json::json;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use zhida_core::ports::sms::{
    AskOutcome, DeliveryWord, Push, PushRead, Question, RefusalClass, SendOutcome, Sms, SmsProvider, UnreadableReceipt,
};

/// The folder.
pub struct Folder {
    pub(super) dir: PathBuf,
    pub(super) timeout: Duration,
}

#[async_trait]
impl SmsProvider for Folder {
    async fn send(&self, sms: &Sms) -> SendOutcome {
        if !is_file_name(&sms.out_id) {
            return super::aliyun::refused(RefusalClass::Content, "no_file_name", "the id cannot be a file's name");
        }
        let content = json!({
            "out_id": sms.out_id,
            "to": sms.to,
            "signature": sms.signature,
            "text": sms.text,
            "template_code": sms.template_code,
            "parameters": sms.parameters,
        });
        let (dir, out_id, content) = (self.dir.clone(), sms.out_id.clone(), content.to_string());
        let written = tokio::task::spawn_blocking(move || put(&dir, &out_id, content.as_bytes()));
        match tokio::time::timeout(self.timeout, written).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => SendOutcome::Doubtful { why: "writing broke off".to_owned() },
            Err(_) => SendOutcome::Doubtful { why: "time-out".to_owned() },
        }
    }

    async fn ask(&self, question: &Question) -> AskOutcome {
        let no_answer = |why: &str| AskOutcome::NoAnswer { why: why.to_owned() };
        if !is_file_name(&question.out_id) {
            return no_answer("the id cannot be a file's name");
        }
        let (dir, out_id) = (self.dir.clone(), question.out_id.clone());
        let looked = tokio::task::spawn_blocking(move || look(&dir, &out_id));
        match tokio::time::timeout(self.timeout, looked).await {
            Ok(Ok(Ok(outcome))) => outcome,
            Ok(Ok(Err(why))) => no_answer(&why),
            Ok(Err(_)) => no_answer("reading broke off"),
            Err(_) => no_answer("time-out"),
        }
    }

    fn read_push(&self, _push: &Push<'_>) -> Result<PushRead, UnreadableReceipt> {
        Err(UnreadableReceipt("a folder pushes nothing: its receipts are files".to_owned()))
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }
}

/// Our own ids are; nothing else may name a place on the disk.
fn is_file_name(out_id: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=64).contains(&out_id.len()) && out_id.bytes().all(fits)
}

fn names(dir: &Path, out_id: &str) -> [PathBuf; 3] {
    [".json", ".taken.json", ".receipt.json"].map(|ending| dir.join(format!("{out_id}{ending}")))
}

/// Writes the file under another name, then gives it its own: whoever looks sees all of it or nothing.
fn put(dir: &Path, out_id: &str, content: &[u8]) -> SendOutcome {
    let accepted = || SendOutcome::Accepted { provider_id: None, segments: None };
    let names = names(dir, out_id);
    if names.iter().any(|name| name.exists()) {
        return accepted();
    }
    let temporary = dir.join(format!(".{out_id}.{}.part", uuid::Uuid::new_v4().simple()));
    let whole = File::create(&temporary).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    // A link, unlike a renaming, never takes the place of what is there.
    let named = whole.and_then(|()| fs::hard_link(&temporary, &names[0]));
    // What is left over is found by its name.
    let _ = fs::remove_file(&temporary);
    match named {
        Ok(()) => match File::open(dir).and_then(|folder| folder.sync_all()) {
            Ok(()) => accepted(),
            Err(error) => SendOutcome::Doubtful { why: format!("the folder was not synced: {}", error.kind()) },
        },
        // On a network disk a linking may be reported as failed and have happened.
        Err(_) if names.iter().any(|name| name.exists()) => accepted(),
        Err(error) => SendOutcome::NotConnected { why: format!("the folder cannot be written: {}", error.kind()) },
    }
}

fn look(dir: &Path, out_id: &str) -> Result<AskOutcome, String> {
    let [message, taken, receipt] = names(dir, out_id);
    let found = |word| Ok(AskOutcome::Found { provider_id: None, word });
    match fs::read(&receipt) {
        Ok(bytes) => {
            let told: Told = serde_json::from_slice(&bytes).map_err(|_| "a receipt that cannot be read".to_owned())?;
            return told.word().map_or_else(|| Err("a receipt with a status of its own".to_owned()), found);
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(format!("the receipt cannot be read: {}", error.kind())),
    }
    let there = |path: &Path| path.try_exists().map_err(|error| format!("the folder cannot be read: {}", error.kind()));
    // In this order: it is renamed from the first to the second.
    if there(&message)? || there(&taken)? {
        return found(DeliveryWord::OnTheWay);
    }
    // A folder that is not mounted knows nothing.
    if there(dir)? { Ok(AskOutcome::NotFound) } else { Err("the folder is not there".to_owned()) }
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
