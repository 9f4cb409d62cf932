//! A vendor of SMS as the notice worker sees it: hand in one message, ask what became of one. It reports what happened on the wire;
//! what follows is decided by [`crate::notice`]. An implementation never retries, never holds an outcome back, and ends every call
//! within its own time limit. (CMPP 2.0, which government gateways use, would be one more of these.)

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// One SMS exactly as it is handed in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sms {
    /// Our id of this attempt, which the vendor gives back in receipts (`out_id`): the notice's id, from the second attempt on
    /// followed by `-2`, `-3` …
    pub out_id: String,
    /// The number in E.164 form, `+8613800000000`.
    pub to: String,
    /// The signature without its brackets, `鼓楼直达`; the text does not hold it.
    pub signature: String,
    /// The whole text without the signature, for vendors that take texts and for records.
    pub text: String,
    /// The vendor's name of the approved template; none for vendors that take texts.
    pub template_code: Option<String>,
    /// The template's variables in the order of the template.
    pub parameters: Vec<(String, String)>,
}

/// Why a vendor certainly sent nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalClass {
    /// The address is invalid, blocked or unsubscribed: no provider will do better.
    Recipient,
    /// The address may be a good one and cannot be reached now (off, out of range, out of service, no way there): no provider does
    /// better with this message, and the next one may arrive.
    Unreachable,
    /// What the vendor was told of the template or the signature: not known or not approved there, or it does not fit. Ours to mend; the
    /// message waits for that.
    Template,
    /// What it says does not suit this vendor (a word, a value): another one may take it; people have to look.
    Content,
    /// This address has had as many as the vendor allows: later, or another vendor.
    Limit,
    /// Our account there: out of money, suspended, wrong credentials. The vendor is of no use until people have looked.
    Account,
    /// The vendor cannot now: later, or another one.
    Busy,
}

/// How a call that carried one message ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SendOutcome {
    /// Taken in.
    Accepted {
        /// The vendor's own name of it (`BizId`, `SerialNo`), by which it is asked for.
        provider_id: Option<String>,
        /// Segments as the vendor counts them, where it says.
        segments: Option<u32>,
    },
    /// Certainly not sent.
    Refused {
        /// Of which kind.
        class: RefusalClass,
        /// The vendor's code.
        code: String,
        /// What the vendor wrote; no address.
        text: String,
    },
    /// No connection came about: nothing was handed in.
    NotConnected {
        /// What was seen.
        why: String,
    },
    /// Time-out, reset, 5xx, unreadable answer: it may have been sent.
    Doubtful {
        /// What was seen; no address.
        why: String,
    },
}

/// What became of a message that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryWord {
    /// No word yet.
    OnTheWay,
    /// It is on the phone, or in the mailbox.
    Delivered {
        /// When, by the vendor's clock.
        at: Option<Timestamp>,
    },
    /// It did not arrive.
    Undelivered {
        /// [`RefusalClass::Recipient`] or [`RefusalClass::Unreachable`] when no other attempt will do better.
        class: RefusalClass,
        /// The vendor's or the operator's code.
        code: String,
        /// What was written; no address.
        text: String,
    },
}

/// What asking brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskOutcome {
    /// The vendor has it.
    Found {
        /// The vendor's name of it.
        provider_id: Option<String>,
        /// What became of it.
        word: DeliveryWord,
    },
    /// The vendor knows nothing of it. Whether that is definitive is decided by the core.
    NotFound,
    /// No usable answer; nothing is learnt.
    NoAnswer {
        /// What was seen.
        why: String,
    },
    /// This channel answers no questions (a folder, mail).
    NotOffered,
}

/// The question for one message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Our id of the attempt.
    pub out_id: String,
    /// The vendor's name, when it was told.
    pub provider_id: Option<String>,
    /// The number it went to.
    pub to: String,
    /// When the call began: vendors are asked by day.
    pub sent_at: Timestamp,
}

/// A receipt as a vendor pushes it, read into our terms.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Our id of the attempt; empty when the vendor left it out.
    pub out_id: String,
    /// The vendor's name of it.
    pub provider_id: Option<String>,
    /// The number it speaks of, E.164 where it can be read: a receipt about another number is not ours.
    pub to: Option<String>,
    /// What became of it.
    pub word: DeliveryWord,
}

impl fmt::Debug for Receipt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "Receipt {{ out_id: {:?}, provider_id: {:?}, word: {:?}, .. }}",
            self.out_id, self.provider_id, self.word
        )
    }
}

/// A push that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnreadableReceipt(pub String);

/// A request of a vendor as it came, for the check of its authenticity. Its bytes name numbers: it prints none of them.
#[derive(Clone)]
pub struct Push<'a> {
    /// Headers, names in lower case.
    pub headers: &'a BTreeMap<String, String>,
    /// The bytes as they came.
    pub body: &'a [u8],
}

impl fmt::Debug for Push<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Push {{ {} bytes }}", self.body.len())
    }
}

/// Whether a vendor signs its receipts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// It does, and the signature held: its word counts.
    Signed,
    /// It does not: its word is a hint, and the vendor is asked.
    Hint,
}

/// What the answer to a push is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushRead {
    /// In order.
    pub receipts: Vec<Receipt>,
    /// How many elements of the push could not be read; the others stand.
    pub unreadable: u32,
    /// Whether the word counts by itself.
    pub trust: Trust,
    /// The JSON that the vendor wants for an answer.
    pub answer: &'static str,
}

/// A link to one vendor.
#[async_trait]
pub trait SmsProvider: Send + Sync {
    /// Hands in one message.
    async fn send(&self, sms: &Sms) -> SendOutcome;

    /// Asks for one message.
    async fn ask(&self, question: &Question) -> AskOutcome;

    /// Reads what the vendor pushes.
    ///
    /// # Errors
    /// [`UnreadableReceipt`]: in a sentence, without personal data.
    fn read_push(&self, push: &Push<'_>) -> Result<PushRead, UnreadableReceipt>;

    /// The longest a call may take.
    fn timeout(&self) -> Duration;
}
