//! What a request is about: its kind says how its subject is to be read.

use super::kind::NoticeKind;
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
    use crate::notice::NoticeKind;

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
    fn what_is_in_no_lawful_form_is_nothing() {
        for (kind, subject) in [(NoticeKind::PayoutHeld, "A-1/x"), (NoticeKind::OrderClosed, "AL-1")] {
            assert_eq!(About::of(kind, subject), About::Nothing, "{subject}");
        }
    }
}
