//! The kinds of notices, and what holds for each: whom it addresses, by which channels it goes, whether it may wait, repeat, or be
//! turned off. The words of a notice stand in its templates.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// Whom a kind addresses: how its `recipient` is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// An enterprise; the recipient is its USCC, its address that of the application's contacts.
    Enterprise,
    /// Somebody of the organisation; the recipient is the officer's id.
    Official,
    /// Whoever is named, for trying a channel: the recipient is the address itself.
    Anybody,
}

/// By which channels a kind goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// By SMS, and by mail beside it.
    Both,
    /// By SMS; by mail where there is no mobile, or when the SMS does not arrive.
    SmsElseMail,
    /// By mail alone.
    Mail,
}

/// Whether a notice may arrive twice when nobody can say whether it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// Rather twice than never.
    May,
    /// Never: what is served is served once. It waits for word, and rings when none comes.
    Never,
}

/// Whether quiet hours hold it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quiet {
    /// It waits until they are over.
    Waits,
    /// It goes at any hour.
    Goes,
}

/// Whether an enterprise may turn it off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Essential {
    /// About money, or served: it may not.
    Yes,
    /// It may.
    No,
}

/// Several for one recipient become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// They wait a little, and what gathered meanwhile goes as one.
    Together,
    /// Each is a fact of its own.
    Alone,
}

/// What holds for a kind.
#[derive(Clone, Copy, Debug)]
pub struct Traits {
    /// Whom it addresses.
    pub audience: Audience,
    /// By which channels.
    pub channels: Channels,
    /// Whether it may arrive twice (the default of `notices.kinds.<kind>.repeat`).
    pub repeat: Repeat,
    /// Whether quiet hours hold it back.
    pub quiet: Quiet,
    /// Whether it may be turned off.
    pub essential: Essential,
    /// Whether several become one.
    pub grouping: Grouping,
    /// Its point is lost after so many hours, whether or not it was sent.
    pub expires_after_hours: i64,
    /// What goes first when there is not room for everything; 0 before 1 before 2. Money that arrived goes beyond the ceiling of a day, for
    /// each is a payment that was made; what a broken day makes many of (refused, returned, late) does not.
    pub priority: u8,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal: $audience:ident, $channels:ident, $repeat:ident, $quiet:ident, $essential:ident,
       $grouping:ident, $hours:literal, $priority:literal;)*) => {
        /// What kind of notice.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum NoticeKind {
            $($(#[$doc])* $name,)*
        }

        impl NoticeKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in tables, templates, events and figures.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// Reads a name.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$name),)* _ => None }
            }

            /// What holds for it.
            #[must_use]
            pub fn traits(self) -> Traits {
                match self {
                    $(Self::$name => Traits {
                        audience: Audience::$audience,
                        channels: Channels::$channels,
                        repeat: Repeat::$repeat,
                        quiet: Quiet::$quiet,
                        essential: Essential::$essential,
                        grouping: Grouping::$grouping,
                        expires_after_hours: $hours,
                        priority: $priority,
                    },)*
                }
            }
        }
    };
}

kinds! {
    /// The approval was taken in; the 24 hours run.
    PayoutReceived = "payout_received": Enterprise, SmsElseMail, May, Waits, No, Alone, 24, 2;
    /// It is on hold, with what the enterprise can do.
    PayoutHeld = "payout_held": Enterprise, Both, May, Waits, Yes, Alone, 72, 1;
    /// The money is there (到账).
    PayoutCredited = "payout_credited": Enterprise, Both, May, Goes, Yes, Alone, 168, 0;
    /// The bank refused it, with what to correct.
    PayoutRefused = "payout_refused": Enterprise, Both, May, Goes, Yes, Alone, 168, 1;
    /// The money came back, with what to correct.
    PayoutReturned = "payout_returned": Enterprise, Both, May, Goes, Yes, Alone, 168, 1;
    /// It will not be there, or is not, within the 24 hours.
    PayoutLate = "payout_late": Enterprise, Both, May, Goes, Yes, Alone, 48, 1;
    /// A clock is due soon (yellow).
    ReviewDueSoon = "review_due_soon": Official, SmsElseMail, May, Waits, Yes, Together, 24, 1;
    /// A clock is overdue (red).
    ReviewOverdue = "review_overdue": Official, Both, May, Goes, Yes, Together, 72, 1;
    /// A rung of the ladder.
    ReviewEscalated = "review_escalated": Official, Both, May, Goes, Yes, Together, 72, 1;
    /// The cause of a red alert is gone.
    ReviewCleared = "review_cleared": Official, SmsElseMail, May, Waits, Yes, Together, 24, 2;
    /// A supervision order (督办单) was issued.
    OrderIssued = "order_issued": Official, Both, May, Waits, Yes, Alone, 168, 1;
    /// It was replied to.
    OrderReplied = "order_replied": Official, SmsElseMail, May, Waits, Yes, Alone, 72, 2;
    /// The reply was not good enough.
    OrderReturned = "order_returned": Official, Both, May, Waits, Yes, Alone, 168, 1;
    /// It is closed (销号).
    OrderClosed = "order_closed": Official, SmsElseMail, May, Waits, Yes, Alone, 72, 2;
    /// The daily digest: counts and a link.
    Digest = "digest": Official, Mail, May, Goes, No, Alone, 24, 2;
    /// Dishonesty: the allegation with the term for defence (告知), served.
    IntegrityNotified = "integrity_notified": Enterprise, Both, Never, Waits, Yes, Alone, 720, 1;
    /// Dishonesty: the decision (认定) with the notice on repair, served together (两书同达).
    IntegrityDecided = "integrity_decided": Enterprise, Both, Never, Waits, Yes, Alone, 720, 1;
    /// Dishonesty: repaired (修复).
    IntegrityRepaired = "integrity_repaired": Enterprise, Both, Never, Waits, Yes, Alone, 720, 1;
    /// A try of a channel (`zhida notices test`).
    Test = "test": Anybody, Both, May, Goes, Yes, Alone, 1, 0;
}

impl NoticeKind {
    /// It tries a channel: whoever asked for it is looking on, so it rings for nobody.
    #[must_use]
    pub fn is_trial(self) -> bool {
        match self.traits().audience {
            Audience::Anybody => true,
            Audience::Enterprise | Audience::Official => false,
        }
    }

    /// How long after it was asked for its point is lost.
    #[must_use]
    pub fn expires_after(self) -> SignedDuration {
        SignedDuration::from_hours(self.traits().expires_after_hours)
    }

    /// The longest of all: what was not made by then after it was asked for never is.
    #[must_use]
    pub fn longest_expiry() -> SignedDuration {
        Self::ALL.iter().map(|kind| kind.expires_after()).max().unwrap_or_default()
    }
}

impl Serialize for NoticeKind {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for NoticeKind {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let code = String::deserialize(from)?;
        Self::from_code(&code).ok_or_else(|| serde::de::Error::custom(format!("{code} is no kind of notice")))
    }
}

#[cfg(test)]
mod tests {
    use super::{NoticeKind, Repeat};

    #[test]
    fn the_settings_know_every_kind() {
        let known: Vec<&str> = NoticeKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(zhida_config::notices::KINDS, known);
        let never = NoticeKind::ALL.iter().filter(|kind| kind.traits().repeat == Repeat::Never);
        let served: Vec<&str> = never.map(|kind| kind.code()).collect();
        assert_eq!(zhida_config::notices::SERVED, served);
    }
}
