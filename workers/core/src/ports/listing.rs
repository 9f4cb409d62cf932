//! What is listed for people and machines: payouts in pages, quarantine rows, journal entries.

use crate::ids::{ApplicationId, PayoutKey, PolicyId};
use crate::payout::{Payout, PayoutState};
use crate::steps::Quarantined;
use jiff::Timestamp;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Which payouts to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PayoutFilter {
    /// In this state only.
    pub state: Option<PayoutState>,
    /// Of this policy only.
    pub policy_id: Option<PolicyId>,
    /// Older than this place in the list (`next` of the page before).
    pub before: Option<Place>,
    /// At most this many, 1–1000.
    pub limit: u32,
}

/// A place in the list of payouts: newest first, then by application and tranche. Its text is what the API calls `next`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// First arrival.
    pub received_at: Timestamp,
    /// Which payout.
    pub key: PayoutKey,
}

impl Place {
    /// Where this payout stands.
    #[must_use]
    pub fn of(payout: &Payout) -> Self {
        Self { received_at: payout.received_at, key: payout.key.clone() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}-{}", self.received_at.as_microsecond(), self.key.tranche, self.key.application_id)
    }
}

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let parts = text.split_once('-').and_then(|(at, rest)| Some((at, rest.split_once('-')?)));
        let (received_at, (tranche, application_id)) = parts.ok_or(NoPlace)?;
        let received_at = received_at.parse().ok().and_then(|at| Timestamp::from_microsecond(at).ok());
        let tranche = tranche.parse().map_err(|_| NoPlace)?;
        let key = PayoutKey { application_id: ApplicationId::from(application_id), tranche };
        Ok(Self { received_at: received_at.ok_or(NoPlace)?, key })
    }
}

/// The text names no place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("it is no place in the list; use the `next` of the page before")]
pub struct NoPlace;

/// A page of payouts, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayoutPage {
    /// The payouts.
    pub items: Vec<Payout>,
    /// Where the next page begins, if there is one.
    pub next: Option<Place>,
}

/// A quarantine row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineRow {
    /// Its id.
    pub id: String,
    /// When it came.
    pub received_at: Timestamp,
    /// What and why.
    pub item: Quarantined,
    /// `open`, `replayed` or `discarded`.
    pub state: String,
    /// Who closed it, when and why.
    pub closed: Option<(String, Timestamp, String)>,
}

/// A journal row as read.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalEntry {
    /// Order of writing.
    pub sequence: i64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: String,
    /// About what.
    pub subject: String,
    /// Who.
    pub by: String,
    /// The facts.
    pub detail: serde_json::Value,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::Place;

    #[test]
    fn a_place_is_read_as_it_was_written_and_nothing_else_is_one() {
        let text = "1764000000000000-2-A-2026-000123";
        let place: Place = text.parse().unwrap();
        assert_eq!((place.key.application_id.as_str(), place.key.tranche), ("A-2026-000123", 2));
        assert_eq!(place.to_string(), text);
        for garbage in ["", "garbage", "1-2", "x-1-A", "1-x-A", "99999999999999999999-1-A", "9223372036854775807-1-A"] {
            assert!(garbage.parse::<Place>().is_err(), "{garbage}");
        }
    }
}
