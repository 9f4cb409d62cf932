//! Mail as the notice worker sees it: hand one message to a mail server, and read what comes back to a mailbox folder. Outcomes are
//! those of [`super::sms`]; a mail server answers no questions, so what is doubtful stays so.

use super::sms::{Receipt, SendOutcome};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One mail exactly as it is handed in. The same content under the same id gives the same `Message-ID`, so that a repetition can be
/// told from a new mail.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// Our id of this attempt: the notice's id with `-m1`, `-m2` …
    pub out_id: String,
    /// What the `Message-ID` is made of: the notice's id, the same for every attempt.
    pub message_id: String,
    /// One address, as `local@domain`.
    pub to: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// Address of one-click unsubscribing (RFC 8058); digests alone have one.
    pub unsubscribe: Option<String>,
}

/// A link to a mail server.
#[async_trait]
pub trait MailProvider: Send + Sync {
    /// Hands in one mail.
    async fn send(&self, mail: &Mail) -> SendOutcome;

    /// The longest a call may take, a second try on a fresh connection included.
    fn timeout(&self) -> Duration;
}

/// Reads bounces (RFC 3464) out of a mailbox folder.
#[async_trait]
pub trait BounceReader: Send + Sync {
    /// Bounces that were not read before, at most `max`, each with its name; what is no bounce of ours is passed over and kept.
    ///
    /// # Errors
    /// A sentence: the folder cannot be read.
    async fn read(&self, max: usize) -> Result<Vec<(String, Receipt)>, String>;

    /// These were booked: they are put away and not read again.
    ///
    /// # Errors
    /// As [`BounceReader::read`].
    async fn done(&self, names: &[String]) -> Result<(), String>;
}
