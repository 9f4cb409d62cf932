//! Notices: what enterprises and officials are told, once, provably. A *request* says that somebody is to be told of something
//! (kind, subject, recipient, occasion: unique). A *notice* is made of one request, or of several for one recipient that were
//! gathered. It has a *message* for each channel, and a message has *attempts*, each with one provider. As with payouts, facts are
//! stored and states derived: a late receipt is a fact more and never a forbidden transition.
//!
//! Nothing here sends, reads a clock or speaks SQL. Whoever sends is told what to do by [`Desk::take`], and books what came of it by
//! [`Desk::book`] and [`Desk::receive`].

mod about;
mod act;
mod again;
mod choice;
mod codes;
mod desk;
mod effects;
pub mod health;
pub mod kind;
pub mod limits;
mod looks;
pub mod making;
pub mod number;
mod on;
pub mod quiet;
pub mod rules;
pub mod segments;
mod standing;
mod state;
mod step;
mod switch;
mod take;
pub mod template;
#[cfg(test)]
mod tests;
mod unsubscribe;
pub mod value;
mod waits;
mod words;

pub use about::About;
pub use act::{Deed, Loaded, LoadedNotice, NoticeAct, NoticeRefused, Preference, RecipientKnown, act};
pub use again::{Kin, NotAgain, again};
pub use codes::with_codes_in_force;
pub use desk::{Candidate, Desk, ProviderTemplate, Received};
pub use effects::{AddressWord, Effects, Known};
pub use health::ProviderHealth;
pub use kind::{Audience, Channels, Essential, Grouping, NoticeKind, Quiet, Repeat, Traits};
pub use limits::{Counters, NumberKey, Tally};
pub use looks::{Look, looks};
pub use number::{Number, NumberRefused};
pub use on::possible_ids;
pub use quiet::QuietHours;
pub use rules::{KindRules, Limit, NoticeRules, ProviderRules, Takes};
pub use standing::{LostPoint, Present, Standing, hold_occasion, standing};
pub use state::Course;
pub use switch::{Bell, Stopped, Switch};
pub use unsubscribe::{unsubscribe_key, unsubscribe_url, unsubscribes};

use crate::ids::ApplicationId;
use crate::ports::sms::{AskOutcome, DeliveryWord, SendOutcome};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Somebody is to be told something, once, whoever asks for it how often. It prints no address: the recipient of a try is one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NoticeRequest {
    /// What kind of notice.
    pub kind: NoticeKind,
    /// About what: the payout (`A-1`, `A-1/2`), the alert, the order, the digest, the case.
    pub subject: String,
    /// Who, as [`Audience`] says.
    pub recipient: String,
    /// On which occasion of the subject.
    pub occasion: String,
    /// The application; what is about none has its subject here.
    pub application_id: ApplicationId,
}

impl fmt::Debug for NoticeRequest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("NoticeRequest")
            .field("kind", &self.kind)
            .field("subject", &self.subject)
            .field("recipient", &printable(self.kind, &self.recipient))
            .field("occasion", &self.occasion)
            .field("application_id", &self.application_id)
            .finish()
    }
}

impl fmt::Debug for Notice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Notice")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("subject", &self.subject)
            .field("recipient", &printable(self.kind, &self.recipient))
            .field("application_id", &self.application_id)
            .field("covers", &self.covers)
            .field("created_at", &self.created_at)
            .field("expires_at", &self.expires_at)
            .field("messages", &self.messages)
            .finish_non_exhaustive()
    }
}

/// A recipient as it may be printed: of whoever may be anybody, nothing.
fn printable(kind: NoticeKind, recipient: &str) -> &str {
    match kind.traits().audience {
        Audience::Enterprise | Audience::Official => recipient,
        Audience::Anybody => "(hidden)",
    }
}

/// How something travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Short message.
    Sms,
    /// Mail.
    Mail,
}

/// What was made of a request. It prints no address.
#[derive(Clone, PartialEq, Eq)]
pub struct Notice {
    /// Random, at most 36 characters of `[a-z0-9-]`; the `out_id` of its first SMS.
    pub id: String,
    /// What kind.
    pub kind: NoticeKind,
    /// What it is about ([`About::of`]); of several requests, that of the first.
    pub subject: String,
    /// Who, as the kind's [`Audience`] says.
    pub recipient: String,
    /// The application of its request; of several, that of the first.
    pub application_id: ApplicationId,
    /// How many requests it answers.
    pub covers: u32,
    /// `zh-CN` or `en`.
    pub locale: String,
    /// Which set of templates it was written by.
    pub template_version: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its point is lost.
    pub expires_at: Timestamp,
    /// SMS and mail, at most one of each.
    pub messages: Vec<Message>,
}

/// What goes by one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Which.
    pub channel: Channel,
    /// It goes only when the other channel fails, or brings no receipt in time.
    pub standby: bool,
    /// Segments, for SMS, by our count with the longest signature under which it may be sent; 0 for mail. An attempt has its own.
    pub segments: u32,
    /// In order.
    pub attempts: Vec<Attempt>,
    /// It ended without arriving, for this reason. A receipt that arrives later still counts.
    pub ended: Option<Ended>,
    /// When something has to be done with it again; none: only word from outside can change it.
    pub next_at: Option<Timestamp>,
    /// What it waits for until then, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<WaitsFor>,
    /// From when on it should have been sent, whatever was tried meanwhile: since it was made, or since what it was to wait for has
    /// come ([`WaitsFor::is_wanted`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<Timestamp>,
    /// Why it ended: a code of a vendor, or of [`LostPoint`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// That nobody can say whether it was sent has rung.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub doubt_rung: bool,
    /// Somebody had it told again by another notice, while this was in doubt: nothing more is sent of it, and it is asked for on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub told_again: bool,
}

/// What a message waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitsFor {
    /// The end of a call.
    Call,
    /// Word of what became of it.
    Word,
    /// The end of quiet hours.
    Quiet,
    /// A ceiling over everything.
    Ceiling,
    /// What one address may be sent.
    Limit,
    /// A provider that can.
    Provider,
    /// That somebody resumes sending.
    Switch,
}

/// One handing in to one provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The `out_id`.
    pub out_id: String,
    /// The provider's name in the settings.
    pub provider: String,
    /// When it was claimed.
    pub began_at: Timestamp,
    /// Until when the claim gives the right to call.
    pub lease_until: Timestamp,
    /// When the call ended, or its lease had run out.
    pub ended_at: Option<Timestamp>,
    /// How the call ended; none while it is under way. A lease that ran out is [`SendOutcome::Doubtful`].
    pub outcome: Option<SendOutcome>,
    /// It was sent although an earlier one might have been: the lesser evil.
    pub beside_doubt: bool,
    /// As what it was handed in, for SMS; none for mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_as: Option<SentAs>,
    /// In 0.0001 yuan, by the provider's price in the settings.
    pub cost: Option<i64>,
    /// How often it was asked for.
    pub asked: u32,
    /// When it was last asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
    /// What the provider said when it was last asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<AskOutcome>,
    /// The provider answers no questions about it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_offered: bool,
    /// The call was not made: it says nothing of the provider.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_made: bool,
    /// The provider's own name of it, where an enquiry brought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found_as: Option<String>,
    /// What an unsigned receipt said, until the provider has confirmed or denied it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Hint>,
    /// How often it was asked for because of unsigned receipts, whatever they said: none of them may have it asked without end.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub hint_questions: u32,
    /// The provider definitely knows nothing of it.
    pub absent: bool,
    /// What became of it, and when we learnt of it.
    pub word: Option<(DeliveryWord, Timestamp)>,
    /// How far that word is to be trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word_from: Option<WordFrom>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// As what an SMS was handed in to a vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentAs {
    /// The code of the template, the signature and the order of variables: what goes to this provider again goes by the same.
    pub way: ProviderTemplate,
    /// Its segments with that signature, by our count.
    pub segments: u32,
}

/// Where the word of what became of an attempt is from, the less trustworthy first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WordFrom {
    /// An unsigned receipt or bounce about which nobody can be asked.
    Unsigned,
    /// The provider's answer to our question.
    Enquiry,
    /// A signed receipt.
    Signed,
}

/// What an unsigned receipt said of an attempt: reason to ask, or for a person to look, and no proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// What it said.
    pub word: DeliveryWord,
}

/// Why a message ended without arriving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Permanently: the address, or the content everywhere.
    Failed,
    /// Temporarily, until its point was lost; or nobody could say.
    GaveUp,
    /// Its point was lost before it was sent.
    Expired,
    /// The other channel brought it; this one was only a standby.
    NotNeeded,
}

/// How a notice, or a message, stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoticeState {
    /// Waits to be sent.
    Created,
    /// With a provider, or in doubt.
    Sending,
    /// Taken in by a provider.
    Sent,
    /// On the phone, or in the mailbox, as far as anybody can say.
    Delivered,
    /// Permanently not.
    Failed,
    /// Not, for lack of a provider that could.
    GaveUp,
    /// Not, because it had lost its point.
    Expired,
}
