//! How the enterprise of an application wants to be reached, as its events say. Personal: it stands in one erasable table, never in
//! the journal, and prints itself nowhere.

use jiff::Timestamp;
use std::fmt;
use zhida_schemas::InboundEvent;
use zhida_schemas::parts;

/// Contacts as of a moment. What an event leaves out stands as it was told before.
#[derive(Clone, PartialEq, Eq)]
pub struct Contacts {
    at: Timestamp,
    mobile: Option<String>,
    email: Option<String>,
    locale: Option<String>,
}

impl Contacts {
    /// As stored.
    #[must_use]
    pub fn new(at: Timestamp, mobile: Option<String>, email: Option<String>, locale: Option<String>) -> Self {
        Self { at, mobile, email, locale }
    }

    /// What an event says of them. None when it says nothing.
    #[must_use]
    pub fn of(event: &InboundEvent) -> Option<Self> {
        let (contacts, at) = match event {
            InboundEvent::ApplicationSubmitted(one) => (one.contacts.as_ref()?, one.submitted_at),
            InboundEvent::ApplicationApproved(one) => (one.contacts.as_ref()?, one.approved_at),
            _ => return None,
        };
        let locale = contacts.locale.map(|locale| match locale {
            parts::Locale::Chinese => "zh-CN".to_owned(),
            parts::Locale::English => "en".to_owned(),
        });
        let mobile = contacts.mobile.as_ref().map(|mobile| mobile.as_str().to_owned());
        let email = contacts.email.as_ref().map(|email| email.as_str().to_owned());
        Some(Self { at: at.timestamp(), mobile, email, locale }).filter(|one| !one.is_empty())
    }

    /// When this was so.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Phone for SMS.
    #[must_use]
    pub fn mobile(&self) -> Option<&str> {
        self.mobile.as_deref()
    }

    /// Mail address.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }

    /// Language of notices, `zh-CN` or `en`.
    #[must_use]
    pub fn locale(&self) -> Option<&str> {
        self.locale.as_deref()
    }

    /// Both together, in whatever order they came in: the later one's word counts where it says something.
    #[must_use]
    pub fn together(self, other: Self) -> Self {
        let (earlier, later) = if self.at <= other.at { (self, other) } else { (other, self) };
        Self {
            at: later.at,
            mobile: later.mobile.or(earlier.mobile),
            email: later.email.or(earlier.email),
            locale: later.locale.or(earlier.locale),
        }
    }

    /// There is something to write to.
    #[must_use]
    pub fn has_address(&self) -> bool {
        self.mobile.is_some() || self.email.is_some()
    }

    fn is_empty(&self) -> bool {
        !self.has_address() && self.locale.is_none()
    }
}

impl fmt::Debug for Contacts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(contacts)")
    }
}

#[cfg(test)]
mod tests {
    use super::Contacts;
    use jiff::Timestamp;

    #[test]
    fn the_later_word_counts_and_nothing_is_forgotten() {
        let told = |second, mobile: Option<&str>, email: Option<&str>| {
            let at = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(second);
            Contacts::new(at, mobile.map(str::to_owned), email.map(str::to_owned), None)
        };
        let (first, second) = (told(1, Some("1"), Some("a")), told(2, Some("2"), None));
        let both = first.clone().together(second.clone());
        assert_eq!((both.mobile(), both.email()), (Some("2"), Some("a")));
        assert_eq!(second.together(first), both, "in either order");
        assert_eq!(format!("{both:?}"), "(contacts)");
    }
}
