//! Which variables the templates of a kind may use: one table, each with its type, and whether a text without it would leave out
//! what the notice is for.

use super::Form;
use crate::notice::{Channel, NoticeKind};

/// What a variable holds, which bounds its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariableType {
    /// A name or title from outside; in an SMS at most [`SMS_TEXT_MAX`] units.
    Text {
        /// At most so many units.
        max: usize,
    },
    /// A phrase of ours, in the language of the template.
    Words,
    /// An amount in figures.
    Money,
    /// An amount in capitals; below 10^12 yuan it has at most 31 characters.
    Capitals,
    /// The last four digits of an account.
    MaskedAccount,
    /// A moment in the district's zone.
    Time,
    /// A day.
    Date,
    /// A number; 0 is no.
    Count,
    /// An id or a reference; never shortened.
    Id,
    /// An address of a page of ours.
    Link,
    /// The matters of a combined notice, in mails only: `{% for item in items %}`.
    Items,
}

/// Vendors refuse an SMS with a longer variable (Alibaba's rules for the variables of templates; check).
pub const SMS_VARIABLE_MAX: usize = 35;

/// A text from outside is cut to so many characters in an SMS.
pub const SMS_TEXT_MAX: usize = 30;

/// In a mail a phrase of ours has at most so many characters.
const WORDS_MAX: usize = 200;

/// A combined notice names at most so many matters.
pub const ITEMS_MAX: usize = 50;

impl VariableType {
    /// The most units of UTF-16 that a value has on a channel: as segments are counted, an emoji is two.
    #[must_use]
    pub fn longest(self, channel: Channel) -> usize {
        match (self, channel) {
            (Self::Text { max }, Channel::Sms) => max.min(SMS_TEXT_MAX),
            (Self::Text { max }, Channel::Mail) => max,
            (Self::Words | Self::Capitals, Channel::Sms) => SMS_VARIABLE_MAX,
            (Self::Words, Channel::Mail) => WORDS_MAX,
            (Self::Money, _) => 24,
            (Self::Capitals, Channel::Mail) => 50,
            (Self::MaskedAccount, _) => 4,
            (Self::Time, _) => 16,
            (Self::Date, _) => 10,
            (Self::Count, _) => 7,
            (Self::Id, _) => 64,
            (Self::Link, _) => 200,
            (Self::Items, _) => 0,
        }
    }

    /// What the documents call it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Words => "words",
            Self::Money => "money",
            Self::Capitals => "capitals",
            Self::MaskedAccount => "account",
            Self::Time => "time",
            Self::Date => "date",
            Self::Count => "count",
            Self::Id => "id",
            Self::Link => "link",
            Self::Items => "items",
        }
    }
}

/// Where a text has to say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Required {
    /// In SMS and mail.
    Everywhere,
    /// In mails; an SMS may leave it out.
    InMail,
    /// Nowhere.
    Nowhere,
}

/// A variable that templates of a kind may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name in `{{ name }}`.
    pub name: &'static str,
    /// What it holds.
    pub kind: VariableType,
    /// Where it has to stand.
    pub required: Required,
}

use Required::{Everywhere, InMail, Nowhere};
use VariableType::{Capitals, Count, Date, Id, Items, Link, MaskedAccount, Money, Text, Time, Words};

const fn v(name: &'static str, kind: VariableType, required: Required) -> Variable {
    Variable { name, kind, required }
}

const TITLE: VariableType = Text { max: 120 };
const SENTENCES: VariableType = Text { max: 500 };

const RECEIVED: &[Variable] = &[
    v("application", Id, Everywhere),
    v("policy", TITLE, Everywhere),
    v("enterprise", TITLE, Nowhere),
    v("amount", Money, Everywhere),
    v("capitals", Capitals, Nowhere),
    v("account", MaskedAccount, Nowhere),
    v("approved_at", Time, Nowhere),
    v("due_at", Time, Everywhere),
];
const HELD: &[Variable] = &[
    v("application", Id, Everywhere),
    v("policy", TITLE, InMail),
    v("enterprise", TITLE, Nowhere),
    v("amount", Money, Everywhere),
    v("capitals", Capitals, Nowhere),
    v("account", MaskedAccount, Nowhere),
    v("due_at", Time, Nowhere),
    v("reason", Words, Everywhere),
    v("action", Words, Everywhere),
];
const CREDITED: &[Variable] = &[
    v("application", Id, InMail),
    v("policy", TITLE, Everywhere),
    v("enterprise", TITLE, Nowhere),
    v("amount", Money, Everywhere),
    v("capitals", Capitals, InMail),
    v("account", MaskedAccount, Everywhere),
    v("credited_at", Time, Everywhere),
    v("reference", Id, InMail),
];
const REFUSED: &[Variable] = &[
    v("application", Id, Everywhere),
    v("policy", TITLE, InMail),
    v("enterprise", TITLE, Nowhere),
    v("amount", Money, Everywhere),
    v("capitals", Capitals, Nowhere),
    v("account", MaskedAccount, Everywhere),
    v("reason", Words, Everywhere),
    v("action", Words, Everywhere),
    v("code", Id, Nowhere),
];
const RETURNED: &[Variable] = &[
    v("application", Id, Everywhere),
    v("policy", TITLE, InMail),
    v("enterprise", TITLE, Nowhere),
    v("amount", Money, Everywhere),
    v("capitals", Capitals, Nowhere),
    v("account", MaskedAccount, Everywhere),
    v("returned_at", Time, InMail),
    v("reason", Words, Everywhere),
    v("action", Words, Everywhere),
    v("code", Id, Nowhere),
];
const LATE: &[Variable] = &[
    v("application", Id, Everywhere),
    v("policy", TITLE, InMail),
    v("enterprise", TITLE, Nowhere),
    v("amount", Money, Everywhere),
    v("capitals", Capitals, Nowhere),
    v("account", MaskedAccount, Nowhere),
    v("approved_at", Time, Nowhere),
    v("due_at", Time, InMail),
    v("reason", Words, Everywhere),
    v("expected", Words, Everywhere),
];
const REVIEW: &[Variable] = &[
    v("matter", Id, Everywhere),
    v("policy", TITLE, InMail),
    v("clock", Words, Everywhere),
    v("department", Text { max: 60 }, Nowhere),
    v("deadline", Time, Everywhere),
    v("standing", Words, Everywhere),
    v("action", Words, InMail),
    v("alert", Id, InMail),
];
const CLEARED: &[Variable] = &[
    v("matter", Id, Everywhere),
    v("policy", TITLE, Nowhere),
    v("clock", Words, Everywhere),
    v("department", Text { max: 60 }, Nowhere),
    v("deadline", Time, Nowhere),
    v("standing", Words, Everywhere),
    v("action", Words, Nowhere),
    v("alert", Id, InMail),
];
const COMBINED: &[Variable] = &[
    v("count", Count, Everywhere),
    v("first", Id, Nowhere),
    v("deadline", Time, Nowhere),
    v("items", Items, InMail),
    v("more", Count, InMail),
];
/// What each of `items` has.
pub const ITEM: &[Variable] = &[
    v("matter", Id, Nowhere),
    v("policy", TITLE, Nowhere),
    v("clock", Words, Nowhere),
    v("department", Text { max: 60 }, Nowhere),
    v("deadline", Time, Nowhere),
    v("standing", Words, Nowhere),
    v("alert", Id, Nowhere),
];
const ORDER: &[Variable] = &[
    v("order", Id, Everywhere),
    v("matter", Id, Nowhere),
    v("issued_at", Time, Nowhere),
    v("due_at", Time, Everywhere),
    v("demand", SENTENCES, Nowhere),
];
const ORDER_REPLIED: &[Variable] = &[
    v("order", Id, Everywhere),
    v("matter", Id, Nowhere),
    v("replied_at", Time, InMail),
    v("cause", SENTENCES, Nowhere),
    v("measure", SENTENCES, Nowhere),
];
const ORDER_RETURNED: &[Variable] = &[
    v("order", Id, Everywhere),
    v("matter", Id, Nowhere),
    v("due_at", Time, Everywhere),
    v("reason", SENTENCES, Nowhere),
];
const ORDER_CLOSED: &[Variable] =
    &[v("order", Id, Everywhere), v("matter", Id, Nowhere), v("closed_at", Time, Everywhere)];
const DIGEST: &[Variable] = &[
    v("date", Date, InMail),
    v("overdue", Count, InMail),
    v("new", Count, Nowhere),
    v("ended", Count, Nowhere),
    v("unrung", Count, Nowhere),
    v("orders_open", Count, Nowhere),
    v("orders_overdue", Count, Nowhere),
    v("payouts_ended", Count, Nowhere),
    v("payouts_in_time", Count, Nowhere),
    v("payouts_not_credited", Count, Nowhere),
    v("patterns_new", Count, Nowhere),
    v("years_missing", Text { max: 60 }, Nowhere),
    v("link", Link, InMail),
];
const SERVED: &[Variable] = &[
    v("case", Id, Everywhere),
    v("enterprise", TITLE, Nowhere),
    v("document", Text { max: 60 }, Everywhere),
    v("dated", Date, InMail),
    v("until", Date, Everywhere),
];
const REPAIRED: &[Variable] = &[
    v("case", Id, Everywhere),
    v("enterprise", TITLE, Nowhere),
    v("document", Text { max: 60 }, Everywhere),
    v("dated", Date, Everywhere),
];
const TEST: &[Variable] = &[v("sender", Text { max: 30 }, Nowhere), v("time", Time, Everywhere)];

/// The variables of a kind.
#[must_use]
pub fn variables(kind: NoticeKind, form: Form) -> &'static [Variable] {
    match (kind, form) {
        (_, Form::Combined) => COMBINED,
        (NoticeKind::PayoutReceived, Form::Single) => RECEIVED,
        (NoticeKind::PayoutHeld, Form::Single) => HELD,
        (NoticeKind::PayoutCredited, Form::Single) => CREDITED,
        (NoticeKind::PayoutRefused, Form::Single) => REFUSED,
        (NoticeKind::PayoutReturned, Form::Single) => RETURNED,
        (NoticeKind::PayoutLate, Form::Single) => LATE,
        (NoticeKind::ReviewDueSoon | NoticeKind::ReviewOverdue | NoticeKind::ReviewEscalated, Form::Single) => REVIEW,
        (NoticeKind::ReviewCleared, Form::Single) => CLEARED,
        (NoticeKind::OrderIssued, Form::Single) => ORDER,
        (NoticeKind::OrderReplied, Form::Single) => ORDER_REPLIED,
        (NoticeKind::OrderReturned, Form::Single) => ORDER_RETURNED,
        (NoticeKind::OrderClosed, Form::Single) => ORDER_CLOSED,
        (NoticeKind::Digest, Form::Single) => DIGEST,
        (NoticeKind::IntegrityNotified | NoticeKind::IntegrityDecided, Form::Single) => SERVED,
        (NoticeKind::IntegrityRepaired, Form::Single) => REPAIRED,
        (NoticeKind::Test, Form::Single) => TEST,
    }
}

/// The variable of that name.
#[must_use]
pub fn variable(kind: NoticeKind, form: Form, name: &str) -> Option<&'static Variable> {
    variables(kind, form).iter().find(|one| one.name == name)
}
