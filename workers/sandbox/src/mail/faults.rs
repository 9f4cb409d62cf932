//! What can go wrong at the mail server, and when: by script, or for an address. Deciding only; the server carries it out.

use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};

/// Where in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailStage {
    /// Instead of the greeting.
    Connect,
    /// At MAIL.
    Sender,
    /// At RCPT.
    Recipient,
    /// At DATA.
    Data,
    /// After the content, of which nothing is kept.
    Content,
}

/// What goes wrong with one mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum MailFault {
    /// Refused.
    Refuse {
        /// Where.
        at: MailStage,
        /// The reply code.
        code: u16,
        /// What is said with it.
        text: String,
    },
    /// No answer from here on; nothing is kept.
    Hang {
        /// Where.
        at: MailStage,
    },
    /// Cut without an answer; nothing is kept.
    Cut {
        /// Where.
        at: MailStage,
    },
    /// Kept, and never answered.
    KeepAndHang,
    /// Kept, and the connection is cut instead of an answer.
    KeepAndCut,
    /// Kept, and answered with something that is no SMTP.
    KeepAndGarble,
    /// Kept and answered; then the connection is closed with a 421, as an idle one is.
    CloseIdle,
    /// Kept and answered; then the connection is closed without a word.
    CutIdle,
    /// Kept and answered, with an answer too many.
    AnswerTwice,
    /// Kept and answered; then a report says that it could not be delivered.
    Bounce {
        /// As in RFC 3463, `5.1.1`.
        status: String,
    },
}

/// The script of a running server.
#[derive(Default)]
pub(super) struct Script {
    steps: VecDeque<Option<MailFault>>,
    refused: HashMap<String, (u16, String)>,
}

impl Script {
    pub(super) fn add(&mut self, steps: impl IntoIterator<Item = Option<MailFault>>) {
        self.steps.extend(steps);
    }

    pub(super) fn refuse(&mut self, address: &str, code: u16, text: &str) {
        self.refused.insert(address.to_ascii_lowercase(), (code, text.to_owned()));
    }

    /// What a connection meets at its start.
    pub(super) fn for_connection(&mut self) -> Option<MailFault> {
        let at_start = matches!(
            self.steps.front(),
            Some(Some(
                MailFault::Refuse { at: MailStage::Connect, .. }
                    | MailFault::Hang { at: MailStage::Connect }
                    | MailFault::Cut { at: MailStage::Connect }
            ))
        );
        if at_start { self.steps.pop_front().flatten() } else { None }
    }

    /// What the next mail meets.
    pub(super) fn for_mail(&mut self) -> Option<MailFault> {
        self.steps.pop_front().flatten()
    }

    /// How mails to this address are refused.
    pub(super) fn for_address(&self, address: &str) -> Option<(u16, String)> {
        self.refused.get(&address.to_ascii_lowercase()).cloned()
    }
}
