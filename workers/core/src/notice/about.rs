//! What a request is about: its kind says how its subject is to be read.

use super::kind::NoticeKind;
use super::{Notice, NoticeRequest};
use crate::ids::{ApplicationId, OrderId, PayoutKey};

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// A payout.
    Payout(PayoutKey),
    /// An alert, by its id.
    Alert(String),
    /// A supervision order.
    Order(OrderId),
    /// A digest, by its id.
    Digest(String),
    /// A case of dishonesty, by its id.
    Case(String),
    /// Nothing that is stored, or a subject in no lawful form.
    Nothing,
}

impl About {
    /// What a request of that kind with that subject is about.
    #[must_use]
    pub fn of(kind: NoticeKind, subject: &str) -> Self {
        match kind {
            NoticeKind::PayoutReceived
            | NoticeKind::PayoutHeld
            | NoticeKind::PayoutCredited
            | NoticeKind::PayoutRefused
            | NoticeKind::PayoutReturned
            | NoticeKind::PayoutLate => payout(subject).map_or(Self::Nothing, Self::Payout),
            NoticeKind::ReviewDueSoon
            | NoticeKind::ReviewOverdue
            | NoticeKind::ReviewEscalated
            | NoticeKind::ReviewCleared => Self::Alert(subject.to_owned()),
            NoticeKind::OrderIssued
            | NoticeKind::OrderReplied
            | NoticeKind::OrderReturned
            | NoticeKind::OrderClosed => OrderId::parse(subject).map_or(Self::Nothing, Self::Order),
            NoticeKind::Digest => Self::Digest(subject.to_owned()),
            NoticeKind::IntegrityNotified | NoticeKind::IntegrityDecided | NoticeKind::IntegrityRepaired => {
                Self::Case(subject.to_owned())
            }
            NoticeKind::Test => Self::Nothing,
        }
    }
}

impl NoticeRequest {
    /// In whose story it stands when it rings, see [`crate::payout::Alarm::key`].
    #[must_use]
    pub fn story(&self) -> Option<PayoutKey> {
        story(self.kind, &self.subject, &self.application_id)
    }
}

impl Notice {
    /// In whose story it stands when it rings; none of one that covers several.
    #[must_use]
    pub fn story(&self) -> Option<PayoutKey> {
        if self.covers > 1 { None } else { story(self.kind, &self.subject, &self.application_id) }
    }
}

/// What is about a payout stands with that; what is about the review of an application, or an order about one, with the application.
fn story(kind: NoticeKind, subject: &str, application_id: &ApplicationId) -> Option<PayoutKey> {
    let of_application = || PayoutKey { application_id: application_id.clone(), tranche: 1 };
    match About::of(kind, subject) {
        About::Payout(key) => Some(key),
        // What is about no application has an order, or its own name, in the application's place.
        About::Alert(_) | About::Order(_) => OrderId::parse(application_id.as_str()).is_none().then(of_application),
        About::Case(case_id) => (case_id != application_id.as_str()).then(of_application),
        About::Digest(_) | About::Nothing => None,
    }
}

/// As [`crate::steps::subject`] writes it.
fn payout(subject: &str) -> Option<PayoutKey> {
    let (id, tranche) = match subject.split_once('/') {
        Some((id, tranche)) => (id, tranche.parse().ok()?),
        None => (subject, 1),
    };
    Some(PayoutKey { application_id: ApplicationId(id.to_owned()), tranche })
}

#[cfg(test)]
mod tests {
    use super::About;
    use crate::ids::{ApplicationId, OrderId, PayoutKey};
    use crate::notice::{NoticeKind, NoticeRequest};

    #[test]
    fn a_subject_is_read_as_it_was_written() {
        for tranche in [1, 2, 17] {
            let key = PayoutKey { application_id: ApplicationId::from("A-2026-1"), tranche };
            let subject = crate::steps::subject(&key);
            assert_eq!(About::of(NoticeKind::PayoutCredited, &subject), About::Payout(key));
        }
        let order = OrderId(7);
        assert_eq!(About::of(NoticeKind::OrderIssued, &order.to_string()), About::Order(order));
        assert_eq!(About::of(NoticeKind::ReviewOverdue, "AL-1"), About::Alert("AL-1".to_owned()));
    }

    #[test]
    fn what_rings_stands_in_the_story_of_what_it_is_about() {
        for (kind, subject, application_id, expected) in [
            (NoticeKind::PayoutCredited, "A-1", "A-1", Some(("A-1", 1))),
            (NoticeKind::PayoutRefused, "A-1/2", "A-1", Some(("A-1", 2))),
            (NoticeKind::ReviewOverdue, "AL-1", "A-1", Some(("A-1", 1))),
            (NoticeKind::ReviewOverdue, "AL-1", "SO-7", None),
            (NoticeKind::OrderIssued, "SO-7", "A-1", Some(("A-1", 1))),
            (NoticeKind::OrderIssued, "SO-7", "SO-7", None),
            (NoticeKind::IntegrityDecided, "C-1", "A-1", Some(("A-1", 1))),
            (NoticeKind::IntegrityDecided, "C-1", "C-1", None),
            (NoticeKind::Digest, "D-1", "D-1", None),
            (NoticeKind::Test, "T-1", "T-1", None),
        ] {
            let request = NoticeRequest {
                kind,
                subject: subject.to_owned(),
                recipient: "R".to_owned(),
                occasion: "1".to_owned(),
                application_id: ApplicationId::from(application_id),
            };
            let told = request.story().map(|key| (key.application_id.0, key.tranche));
            assert_eq!(told.as_ref().map(|(id, tranche)| (id.as_str(), *tranche)), expected, "{request:?}");
        }
    }

    #[test]
    fn what_is_in_no_lawful_form_is_nothing() {
        for (kind, subject) in [(NoticeKind::PayoutHeld, "A-1/x"), (NoticeKind::OrderClosed, "AL-1")] {
            assert_eq!(About::of(kind, subject), About::Nothing, "{subject}");
        }
    }
}
