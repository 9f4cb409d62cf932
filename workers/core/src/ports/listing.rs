//! What is listed for people and machines: payouts in pages, quarantine rows, journal entries, figures of the state.

use crate::ids::{ApplicationId, PayoutKey, PolicyId};
use crate::money::Fen;
use crate::notice::{NoticeKind, NoticeState, ProviderHealth};
use crate::payout::{Alarm, AlarmKind, Payout, PayoutState};
use crate::rules::Limits;
use crate::steps::{Fund, Quarantined, Spent, Switch, subject};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Which rows of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those still open.
    Open,
    /// All of them.
    All,
}

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

/// Which alarms to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlarmFilter {
    /// Of this kind only.
    pub kind: Option<AlarmKind>,
    /// About this application only, any tranche.
    pub application_id: Option<ApplicationId>,
    /// At most this many.
    pub limit: u32,
}

/// An alarm as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmEntry {
    /// When it rang.
    pub at: Timestamp,
    /// What it says.
    pub alarm: Alarm,
}

impl JournalEntry {
    /// The notice that it tells of, if it does.
    #[must_use]
    pub fn notice_id(&self) -> Option<&str> {
        self.detail.get("notice_id").and_then(serde_json::Value::as_str)
    }
}

/// An application's story with what rang about it, as kind `alarm.<kind>`: each alarm behind the journal's rows of its
/// transaction, whose number it bears. `journal` is in the order of writing, `alarms` are newest first.
#[must_use]
pub fn with_alarms(journal: Vec<JournalEntry>, alarms: Vec<AlarmEntry>) -> Vec<JournalEntry> {
    let mut story = journal;
    for AlarmEntry { at, alarm } in alarms.into_iter().rev() {
        let place = story.iter().rposition(|entry| entry.at <= at).map_or(0, |last| last + 1);
        let before = place.checked_sub(1).and_then(|last| story.get(last));
        let entry = JournalEntry {
            sequence: before.map_or(0, |entry| entry.sequence),
            at,
            kind: format!("alarm.{}", alarm.kind.code()),
            subject: alarm.key.as_ref().map(subject).unwrap_or_default(),
            by: "system".to_owned(),
            detail: serde_json::json!({"instruction_id": alarm.instruction_id, "text": alarm.text}),
        };
        story.insert(place, entry);
    }
    story
}

/// What may keep every payout from being sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sending {
    /// The stop switch.
    pub switch: Switch,
    /// The limits in force.
    pub limits: Limits,
    /// What was first sent in their windows.
    pub spent: Spent,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::{AlarmEntry, JournalEntry, Place, with_alarms};
    use crate::ids::PayoutKey;
    use crate::payout::{Alarm, AlarmKind};
    use jiff::Timestamp;

    #[test]
    fn an_alarm_stands_behind_the_rows_of_its_transaction() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let row = |sequence: i64, second: i64| JournalEntry {
            sequence,
            at: at(second),
            kind: "row".to_owned(),
            subject: "A-1".to_owned(),
            by: "system".to_owned(),
            detail: serde_json::Value::Null,
        };
        let key = PayoutKey { application_id: "A-1".into(), tranche: 1 };
        let rang = |kind, second| AlarmEntry {
            at: at(second),
            alarm: Alarm { kind, key: Some(key.clone()), instruction_id: None, text: "look".to_owned() },
        };
        let alarms =
            vec![rang(AlarmKind::Overpaid, 9), rang(AlarmKind::Mismatch, 2), rang(AlarmKind::Contradiction, 2)];
        let story = with_alarms(vec![row(4, 1), row(5, 2), row(7, 2), row(8, 3)], alarms);
        let told: Vec<(&str, i64)> = story.iter().map(|entry| (entry.kind.as_str(), entry.sequence)).collect();
        assert_eq!(
            told,
            [
                ("row", 4),
                ("row", 5),
                ("row", 7),
                ("alarm.contradiction", 7),
                ("alarm.mismatch", 7),
                ("row", 8),
                ("alarm.overpaid", 8)
            ]
        );
    }

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

/// How long an alarm is among those that ring: whoever was not there when it was written still hears it.
pub const ALARMS_RING: SignedDuration = SignedDuration::from_hours(1);

/// Figures of the state, read from the database, so that they are right with several processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// The database's clock.
    pub at: Option<Timestamp>,
    /// Payouts and their sum by state.
    pub by_state: BTreeMap<String, (u64, Fen)>,
    /// Held payouts by reason code; one with two counts under both.
    pub held_by_code: BTreeMap<String, u64>,
    /// Refused payouts by class.
    pub refused_by_class: BTreeMap<String, u64>,
    /// Approval of the oldest unpaid payout.
    pub oldest_unpaid: Option<Timestamp>,
    /// Unpaid beyond their 24 hours.
    pub overdue: u64,
    /// Unpaid and at risk because much of the time has gone by.
    pub at_risk: u64,
    /// Unpaid and at risk because the large-value rail is closed; not counted among the others.
    pub at_risk_rail_closed: u64,
    /// Since when the oldest unknown waits (end of its last call).
    pub oldest_unknown: Option<Timestamp>,
    /// Since when the oldest pending waits.
    pub oldest_pending: Option<Timestamp>,
    /// Funds.
    pub funds: Vec<Fund>,
    /// Unsent outbox rows, and the oldest.
    pub outbox: (u64, Option<Timestamp>),
    /// Open quarantine rows by reason code.
    pub quarantine_by_code: BTreeMap<String, u64>,
    /// Alarms by kind, ever.
    pub alarms_by_kind: BTreeMap<String, u64>,
    /// Alarms by kind that rang within [`ALARMS_RING`].
    pub alarms_last_hour: BTreeMap<String, u64>,
    /// Clocks of reviews and payouts that are due soon, overdue or paused, by state. Those that just run are not counted.
    pub clocks_by_state: BTreeMap<String, u64>,
    /// Open alerts of supervision: yellow, and red.
    pub alerts_open: (u64, u64),
    /// Patterns by state.
    pub patterns_by_state: BTreeMap<String, u64>,
    /// Since when the oldest case file that is due waits to be looked at.
    pub oldest_case_due: Option<Timestamp>,
    /// When the newest digest was made.
    pub digest_made_at: Option<Timestamp>,
    /// Since when the digest of the newest working day is missing.
    pub digest_missing_since: Option<Timestamp>,
    /// Calendar years that are needed soon and have no data.
    pub years_missing: u64,
    /// The stop switch.
    pub stopped: bool,
    /// Notices.
    pub notices: NoticeFigures,
}

/// How notices stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoticeFigures {
    /// Those made within [`ALARMS_RING`], by kind and by how they stand.
    pub last_hour: BTreeMap<(NoticeKind, NoticeState), u64>,
    /// Requests of which none was made within [`ALARMS_RING`], by kind and by [`crate::notice::making::Outcome::code`].
    pub not_made: BTreeMap<(NoticeKind, String), u64>,
    /// Since when the oldest request waits to become a notice, or the oldest notice to be sent, however often that was tried. What is to
    /// wait (quiet hours, the switch, ceilings, a vendor's limit, word of a call in doubt) waits from when that is over.
    pub oldest_waiting: Option<Timestamp>,
    /// All sending is stopped.
    pub stopped: bool,
    /// Providers that are given a rest, by name.
    pub providers_shut: Vec<String>,
    /// What the last calls have shown of each provider that was ever called.
    pub providers: BTreeMap<String, ProviderHealth>,
}
