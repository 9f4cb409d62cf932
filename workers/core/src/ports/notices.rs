//! Notices in the store. As everywhere, each method is one transaction; what it decides is [`crate::notice`].

use super::mail::Mail;
use super::sms::{AskOutcome, Question, Receipt, SendOutcome, Sms, Trust};
use super::store::StoreError;
use crate::notice::{Channel, Notice, NoticeKind, NoticeRequest, NoticeState};
use async_trait::async_trait;
use jiff::Timestamp;

/// What is to be done for one message now.
#[derive(Clone, PartialEq, Eq)]
pub enum Errand {
    /// Hand it in.
    SendSms {
        /// The provider's name in the settings.
        provider: String,
        /// The notice.
        notice_id: String,
        /// What.
        sms: Sms,
    },
    /// Hand it in.
    SendMail {
        /// The provider's name in the settings (`mail`).
        provider: String,
        /// The notice.
        notice_id: String,
        /// What.
        mail: Mail,
    },
    /// Ask for it.
    Ask {
        /// The provider's name in the settings.
        provider: String,
        /// The notice.
        notice_id: String,
        /// Which.
        question: Question,
        /// The database's clock when it was handed out: the enquiry begins after it.
        begun_at: Timestamp,
    },
}

/// What came of an errand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrandEnd {
    /// A call.
    Sent {
        /// The notice.
        notice_id: String,
        /// The attempt.
        out_id: String,
        /// How it ended.
        outcome: SendOutcome,
    },
    /// The call was not made (no time was left of its lease, the worker drains): certainly not sent.
    NotMade {
        /// The notice.
        notice_id: String,
        /// The attempt.
        out_id: String,
    },
    /// A question.
    Asked {
        /// The notice.
        notice_id: String,
        /// The attempt.
        out_id: String,
        /// When the question was handed out.
        begun_at: Timestamp,
        /// What it brought.
        outcome: AskOutcome,
    },
}

/// What became of receipts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReceiptsBooked {
    /// They were new and spoke of attempts of ours.
    pub booked: u32,
    /// They had come before.
    pub repeated: u32,
    /// They spoke of nothing we know, or of another number: kept, and counted.
    pub unmatched: u32,
}

/// Which notices to list, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoticeFilter {
    /// Those of an application.
    pub application_id: Option<String>,
    /// Of a kind.
    pub kind: Option<NoticeKind>,
    /// In a state.
    pub state: Option<NoticeState>,
    /// To a recipient.
    pub recipient: Option<String>,
    /// At most this many; 0 is 100.
    pub limit: u32,
}

/// What was written to whom. Personal: it stands in its own erasable table.
#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    /// Which channel.
    pub channel: Channel,
    /// Number or address.
    pub to: String,
    /// The mail's subject.
    pub subject: Option<String>,
    /// The text, without the SMS signature.
    pub text: String,
    /// The mail's HTML.
    pub html: Option<String>,
    /// Variables by name, for vendors that take templates.
    pub parameters: Vec<(String, String)>,
}

/// A notice with everything that is known of it.
#[derive(Clone, PartialEq, Eq)]
pub struct NoticeView {
    /// The notice.
    pub notice: Notice,
    /// What it answers.
    pub requests: Vec<NoticeRequest>,
    /// What was written; empty after an erasure.
    pub contents: Vec<Content>,
    /// Receipts as they came: when, from whom, which word.
    pub receipts: Vec<(Timestamp, String, Receipt)>,
}

/// Sends notices.
#[async_trait]
pub trait NoticeStore: Send + Sync {
    /// Makes notices of requests whose time has come, at most `max` requests; says how many requests it dealt with.
    async fn make_notices(&self, max: u32) -> Result<u32, StoreError>;

    /// What is due now, at most `max` notices, by priority and then the longest due: time passes for each (expiry, leases that ran
    /// out, receipts that did not come), and what is to be called is claimed. Says also whether more may be due.
    async fn take_errands(&self, max: u32) -> Result<Vec<Errand>, StoreError>;

    /// Books what came of errands, each on its own.
    async fn book_errands(&self, ends: &[ErrandEnd]) -> Result<(), StoreError>;

    /// Books receipts of a provider, in any order, before or after our own record, again and again.
    async fn book_receipts(&self, provider: &str, trust: Trust, receipts: &[Receipt])
    -> Result<ReceiptsBooked, StoreError>;

    /// A page of notices.
    async fn notices(&self, filter: &NoticeFilter) -> Result<Vec<Notice>, StoreError>;

    /// One notice.
    async fn notice(&self, id: &str) -> Result<Option<NoticeView>, StoreError>;
}
