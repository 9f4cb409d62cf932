//! Notices in the store. As everywhere, each method is one transaction; what it decides is [`crate::notice`].

use super::mail::Mail;
use super::sms::{AskOutcome, Question, Receipt, RefusalClass, SendOutcome, Sms, Trust};
use super::store::StoreError;
use crate::notice::template::{Replacing, TemplateSet};
use crate::notice::{Channel, Notice, NoticeKind, NoticeRequest, NoticeState, ProviderTemplate, Switch, WaitsFor};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

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
        /// How long ago it was asked for, by the database's clock.
        waited: SignedDuration,
    },
    /// Hand it in.
    SendMail {
        /// The provider's name in the settings (`mail`).
        provider: String,
        /// The notice.
        notice_id: String,
        /// What.
        mail: Mail,
        /// How long ago it was asked for, by the database's clock.
        waited: SignedDuration,
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

impl Errand {
    /// The name of the provider that it is about.
    #[must_use]
    pub fn provider(&self) -> &str {
        match self {
            Self::SendSms { provider, .. } | Self::SendMail { provider, .. } | Self::Ask { provider, .. } => provider,
        }
    }
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

impl ErrandEnd {
    /// The notice that it is about.
    #[must_use]
    pub fn notice_id(&self) -> &str {
        match self {
            Self::Sent { notice_id, .. } | Self::NotMade { notice_id, .. } | Self::Asked { notice_id, .. } => notice_id,
        }
    }

    /// What was counted for it when it was claimed is given back, for no message went, nor will one go by what was sent: its booking needs the ceilings' tallies.
    #[must_use]
    pub fn gives_back(&self) -> bool {
        match self {
            Self::NotMade { .. }
            | Self::Sent { outcome: SendOutcome::Refused { class: RefusalClass::Template, .. }, .. } => true,
            Self::Sent { .. } | Self::Asked { .. } => false,
        }
    }

    /// The attempt, and the provider's own name of it where the provider said one.
    #[must_use]
    pub fn told_name(&self) -> Option<(&str, &str)> {
        let (out_id, name) = match self {
            Self::Sent { out_id, outcome: SendOutcome::Accepted { provider_id, .. }, .. }
            | Self::Asked { out_id, outcome: AskOutcome::Found { provider_id, .. }, .. } => (out_id, provider_id),
            Self::Sent { .. } | Self::NotMade { .. } | Self::Asked { .. } => return None,
        };
        name.as_deref().map(|name| (out_id.as_str(), name))
    }
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

impl std::ops::AddAssign for ReceiptsBooked {
    fn add_assign(&mut self, more: Self) {
        self.booked += more.booked;
        self.repeated += more.repeated;
        self.unmatched += more.unmatched;
    }
}

/// How many requests there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// Those that were not dealt with.
    pub waiting: u64,
    /// What became of the others, by [`crate::notice::making::Outcome::code`].
    pub by_outcome: BTreeMap<String, u64>,
}

impl RequestCounts {
    /// All of them.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.waiting + self.by_outcome.values().sum::<u64>()
    }
}

/// How many notices wait for one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// So many.
    pub count: u64,
    /// When the first of them is looked at again.
    pub until: Timestamp,
}

/// Notices that should have been sent, or will be when what they wait for has come, by what that is; none: it is their turn. What was
/// handed in and waits for the end of a call, or for word, is not among them.
pub type WaitingNotices = BTreeMap<Option<WaitsFor>, Waiting>;

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
    /// Asked for at this moment or later; of one that covers several, one of them.
    pub asked_from: Option<Timestamp>,
    /// Asked for before this moment; of one that covers several, the same one.
    pub asked_before: Option<Timestamp>,
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
    /// The SMS template that the text was written from, as it stood in its set: codes of another text do not fit it.
    pub template: Option<String>,
    /// What each of these vendors has to be told of the template, by the names of providers, as it was when this was written.
    pub providers: BTreeMap<String, ProviderTemplate>,
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
    /// Receipts as they came: when, from whom, which word, and whether it was signed.
    pub receipts: Vec<(Timestamp, String, Receipt, Trust)>,
    /// What is known of the addresses that it was written to, as far as they were not erased and something is known.
    pub addresses: BTreeMap<Channel, AddressFacts>,
}

/// What was learnt of an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressFacts {
    /// When something last arrived there for certain; none: it was never verified.
    pub verified_at: Option<Timestamp>,
    /// When it was found that nothing can arrive there, and the code that said so; it is left alone for
    /// [`crate::notice::making::FLAG_DAYS`].
    pub flagged: Option<(Timestamp, String)>,
}

/// Sends notices.
#[async_trait]
pub trait NoticeStore: Send + Sync {
    /// Asks for notices that follow from nothing else that is written (a try of a channel); says how many are new.
    async fn ask_for_notices(&self, requests: &[NoticeRequest]) -> Result<u32, StoreError>;

    /// Asks for a notice, makes it, and says what is to be done for it: alone and in one transaction, so that no other worker does so
    /// in between (a try of one channel). It goes `to` a number or a mail address, which is kept with what was written and nowhere
    /// else; the request's recipient stands for it. Nothing when it cannot be made, or waits.
    async fn try_notice(&self, request: &NoticeRequest, to: &str) -> Result<Vec<Errand>, StoreError>;

    /// Makes notices of requests whose time has come, at most `max` requests; says how many requests it dealt with.
    async fn make_notices(&self, max: u32) -> Result<u32, StoreError>;

    /// What is due now, at most `max` notices, by priority and then the longest due: time passes for each (expiry, leases that ran
    /// out, receipts that did not come), and what is to be called is claimed. None: nothing more can be called now.
    async fn take_errands(&self, max: u32) -> Result<Vec<Errand>, StoreError>;

    /// Lets what waits for a ceiling or a provider be looked at again: whoever starts may know a higher one and others, what was booked of a
    /// notice meanwhile puts it back to its time, and that time may be a wrong clock's.
    async fn look_again(&self) -> Result<(), StoreError>;

    /// Books what came of errands, each on its own.
    async fn book_errands(&self, ends: &[ErrandEnd]) -> Result<(), StoreError>;

    /// Books receipts of a provider, in any order, before or after our own record, again and again.
    async fn book_receipts(
        &self,
        provider: &str,
        trust: Trust,
        receipts: &[Receipt],
    ) -> Result<ReceiptsBooked, StoreError>;

    /// Forgets what nobody needs any more: counters that lie behind every window ([`crate::notice::NoticeRules::counts_since`]) and
    /// receipts that spoke of nothing we know ([`crate::notice::rules::UNMATCHED_KEPT`]). Says how many rows that were.
    async fn forget_old(&self) -> Result<u32, StoreError>;

    /// A page of notices.
    async fn notices(&self, filter: &NoticeFilter) -> Result<Vec<Notice>, StoreError>;

    /// One notice.
    async fn notice(&self, id: &str) -> Result<Option<NoticeView>, StoreError>;

    /// What became of all requests there ever were. It counts them, so it is for a look now and then.
    async fn count_requests(&self) -> Result<RequestCounts, StoreError>;

    /// How many notices wait to be sent, and for what. It counts them, so it is for a look now and then.
    async fn waiting_notices(&self) -> Result<WaitingNotices, StoreError>;

    /// Imports a set of templates that was checked ([`TemplateSet::changed`] onto `seen`, which [`NoticeStore::templates`] had
    /// brought); nothing happens when it is in force, or when something else than `seen` is ([`crate::notice::template::replacing`]).
    /// `by` stands in the journal.
    async fn import_templates(&self, set: &TemplateSet, seen: &TemplateSet, by: &str) -> Result<Replacing, StoreError>;

    /// The set in force as it was imported; the embedded one while none was.
    async fn templates(&self) -> Result<TemplateSet, StoreError>;

    /// The stop switch of notices.
    async fn notice_switch(&self) -> Result<Switch, StoreError>;

    /// Whether [`NoticeStore::unsubscribe`] with the same would turn something off ([`crate::notice::unsubscribes`]). Changes nothing.
    async fn unsubscribes(&self, notice_id: &str, key: &str) -> Result<bool, StoreError>;

    /// Turns off the kind of that notice for its recipient, where the key is right ([`crate::notice::unsubscribe_key`]). False when it
    /// is not, or what is told is essential.
    async fn unsubscribe(&self, notice_id: &str, key: &str) -> Result<bool, StoreError>;
}

/// What a recipient wants of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To be told.
    Told,
    /// Not to be told.
    NotTold,
}
