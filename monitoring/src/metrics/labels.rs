//! The values labels take where this crate owns the words. States, hold codes and alarm kinds are the core's words and come
//! as `&'static str`: text made at run time (an application's id, a name) does not fit through that type.

macro_rules! label {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $label:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Every value; each is shown from the start, at 0.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The label's value.
            #[must_use]
            pub fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }
        }
    };
}

label! {
    /// A result booked for a payout.
    PayoutResult {
        /// Credited.
        Settled = "settled",
        /// Refused: the enterprise corrects its account.
        RefusedPayee = "refused_payee",
        /// Refused: the paying account lacks funds.
        RefusedFund = "refused_fund",
        /// Refused: outside the bank's window.
        RefusedWindow = "refused_window",
        /// Refused: two officers decide.
        RefusedOther = "refused_other",
        /// Came back.
        Returned = "returned",
        /// Will never be paid.
        Cancelled = "cancelled",
    }
}

label! {
    /// What became of an event that came in.
    InboxOutcome {
        /// New, and durable.
        Accepted = "accepted",
        /// The same event, or the same approval, once more: nothing changed.
        Duplicate = "duplicate",
        /// An act of an operator that may not be; the journal has it.
        Refused = "refused",
        /// Put aside with a reason.
        Quarantined = "quarantined",
    }
}

label! {
    /// Which dead-letter queue.
    DeadQueue {
        /// `zhida.intake.dead.v1`.
        Intake = "intake",
        /// `zhida.dead.v1`.
        Work = "work",
    }
}

label! {
    /// Which connection to the broker.
    BrokerLink {
        /// The one that publishes.
        Publish = "publish",
        /// The one that consumes.
        Consume = "consume",
    }
}

/// A call to the bank and how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BankCall {
    /// A payment message, answered readably.
    PayAnswered,
    /// A payment message, refused as a duplicate.
    PayDuplicate,
    /// A payment message, refused as a whole for its form.
    PayRefusedWhole,
    /// A payment message that found no connection.
    PayConnectionRefused,
    /// A payment message answered 401.
    PayUnauthorised,
    /// A payment message answered 403.
    PayForbidden,
    /// A payment message answered 429.
    PayTooManyRequests,
    /// A payment message after which anything may have happened.
    PayDoubtful,
    /// An enquiry that found the transfer.
    EnquiryFound,
    /// An enquiry answered 404.
    EnquiryNotFound,
    /// An enquiry without a usable answer.
    EnquiryNoAnswer,
}

impl BankCall {
    /// Every value; each is shown from the start, at 0.
    pub const ALL: &'static [Self] = &[
        Self::PayAnswered,
        Self::PayDuplicate,
        Self::PayRefusedWhole,
        Self::PayConnectionRefused,
        Self::PayUnauthorised,
        Self::PayForbidden,
        Self::PayTooManyRequests,
        Self::PayDoubtful,
        Self::EnquiryFound,
        Self::EnquiryNotFound,
        Self::EnquiryNoAnswer,
    ];

    /// Labels `call`, `outcome` and `class`.
    #[must_use]
    pub fn labels(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::PayAnswered => ("pay", "answered", "clear"),
            Self::PayDuplicate => ("pay", "duplicate", "clear"),
            Self::PayRefusedWhole => ("pay", "refused_whole", "clear"),
            Self::PayConnectionRefused => ("pay", "connection_refused", "not_taken_in"),
            Self::PayUnauthorised => ("pay", "unauthorised", "not_taken_in"),
            Self::PayForbidden => ("pay", "forbidden", "not_taken_in"),
            Self::PayTooManyRequests => ("pay", "too_many_requests", "not_taken_in"),
            Self::PayDoubtful => ("pay", "doubtful", "doubtful"),
            Self::EnquiryFound => ("enquiry", "found", "clear"),
            Self::EnquiryNotFound => ("enquiry", "not_found", "clear"),
            Self::EnquiryNoAnswer => ("enquiry", "no_answer", "doubtful"),
        }
    }
}

label! {
    /// A call to a provider of notices and how it ended.
    NoticeCall {
        /// Taken in.
        Accepted = "accepted",
        /// Refused for the address.
        RefusedRecipient = "refused_recipient",
        /// Refused because the address cannot be reached now.
        RefusedUnreachable = "refused_unreachable",
        /// Refused because template or signature are not approved there.
        RefusedTemplate = "refused_template",
        /// Refused for what it says.
        RefusedContent = "refused_content",
        /// Refused because this address has had enough.
        RefusedLimit = "refused_limit",
        /// Refused for our account there.
        RefusedAccount = "refused_account",
        /// Refused for the moment.
        RefusedBusy = "refused_busy",
        /// It found no connection.
        NotConnected = "not_connected",
        /// Anything may have happened.
        Doubtful = "doubtful",
        /// It was not made after all.
        NotMade = "not_made",
        /// A question that found the message.
        Found = "found",
        /// A question about a message that the provider does not know.
        NotFound = "not_found",
        /// A question without a usable answer.
        NoAnswer = "no_answer",
        /// A question to somebody who answers none.
        NotOffered = "not_offered",
    }
}

label! {
    /// What became of a receipt.
    NoticeReceipt {
        /// It was new and spoke of a message of ours.
        Booked = "booked",
        /// It had come before.
        Repeated = "repeated",
        /// It spoke of nothing we know.
        Unmatched = "unmatched",
        /// It stood among others in a push and could not be read.
        Unreadable = "unreadable",
    }
}

/// Whether all sending is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopSwitch {
    /// Payouts are sent.
    Running,
    /// An officer has stopped all sending.
    Stopped,
}

/// Whether a provider of notices is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Circuit {
    /// It is.
    Closed,
    /// It is given a rest because its calls failed.
    Open,
}

/// How the database compares with the copy of its head kept outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incarnation {
    /// The same, or further on.
    Same,
    /// It has gone back: sending is closed.
    WentBack,
}
