//! A database that went back in time: sending closes; a recovery puts in doubt whatever a lost history may have done; a bank day
//! later two officers open sending again.

use super::act::Switch;
use super::{Desk, JournalRow};
use crate::ids::{InstructionId, OperatorId, PayoutKey};
use crate::payout::{Alarm, AlarmKind, Event, FORGOTTEN_MAX, Payout};
use crate::ports::store::{Position, Verdict};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Why officers alone do not open sending: the database went back, and what has been done about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// When it was noticed.
    pub noticed_at: Timestamp,
    /// When two officers may open sending; none until `zhida recover` has run.
    pub opens_from: Option<Timestamp>,
}

/// The last recovery of a database, for whatever of before it may still arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// When.
    pub at: Timestamp,
    /// Epochs of payouts that a lost history may have known begin above this, so that its claims mean nothing here.
    pub epoch_base: u64,
}

/// Closes sending because the database went back in time. Nothing happens when it is closed for that already and waits for its
/// recovery. A recovery that was made before does not count: it is in the backup, the history after it is lost.
pub fn close_sending(desk: &mut Desk<'_>, switch: &Switch, why: &str) {
    if switch.restore.as_ref().is_some_and(|restore| restore.opens_from.is_none()) {
        return;
    }
    let now = desk.now;
    desk.changes.alarms.push(Alarm {
        kind: AlarmKind::DatabaseWentBack,
        key: None,
        instruction_id: None,
        text: "the database went back in time; sending is closed: run `zhida recover`".to_owned(),
    });
    journal(desk, "sending.closed", json!({"why": why}));
    desk.changes.switch = Some(stopped(switch, why, now, Restore { noticed_at: now, opens_from: None }));
}

/// Recovers: whatever is not final on the desk is in doubt, and sending stays closed until two officers open it, not before
/// `opens_from`. The desk holds every payout with an instruction that is neither settled nor
/// closed. `why` it was done stands in the journal.
pub fn recover(desk: &mut Desk<'_>, switch: &Switch, opens_from: Timestamp, why: &str) {
    let now = desk.now;
    let keys: Vec<_> = desk.payouts.keys().cloned().collect();
    for key in &keys {
        // A restore is never refused.
        let _ = desk.apply(key, Event::Restored);
    }
    journal(desk, "database.recovered", json!({"in_doubt": keys.len(), "opens_from": opens_from, "why": why}));
    let noticed_at = switch.restore.as_ref().map_or(now, |restore| restore.noticed_at);
    let restore = Restore { noticed_at, opens_from: Some(opens_from) };
    desk.changes.switch = Some(stopped(switch, "the database was restored", now, restore));
}

/// Whoever had stopped sending before stays named.
fn stopped(switch: &Switch, why: &str, now: Timestamp, restore: Restore) -> Switch {
    let by = switch.stopped_by.clone().unwrap_or_else(|| (OperatorId::from("system"), why.to_owned()));
    Switch { stopped_by: Some(by), since: Some(switch.since.unwrap_or(now)), resumed_by: None, restore: Some(restore) }
}

/// Whether a database that stands at `now` has lost what it held when it stood at `noted`. `leaf_there` is the leaf of the
/// journal row of that number now; `past` are the incarnations before the present one, which a recovery ended.
#[must_use]
pub fn compare(noted: &Position, now: &Position, leaf_there: Option<&str>, past: &[String]) -> Verdict {
    let same_history = match &noted.head {
        Some((_, leaf)) => leaf_there == Some(leaf),
        None => true,
    };
    let recovered_since = past.contains(&noted.incarnation);
    if (noted.incarnation == now.incarnation && same_history) || recovered_since {
        Verdict::Onward
    } else {
        Verdict::WentBack
    }
}

/// Which of `ids`, that no instruction bears, belong to a generation of a payout that a lost history had made. `known` gives
/// the payouts that a lost history may have known, each with the number of its generations.
#[must_use]
pub fn owners_of_forgotten(
    district: &str,
    known: impl IntoIterator<Item = (PayoutKey, u32)>,
    ids: &BTreeSet<InstructionId>,
) -> BTreeMap<InstructionId, PayoutKey> {
    let mut owners = BTreeMap::new();
    for (key, generations) in known {
        for generation in generations + 1..=generations + FORGOTTEN_MAX {
            let id = InstructionId::derive(district, &key, generation);
            if ids.contains(&id) {
                owners.insert(id, key.clone());
            }
        }
    }
    owners
}

/// Every id that a payout's generations, known or forgotten, may bear.
pub fn possible_ids<'a>(district: &'a str, payout: &'a Payout) -> impl Iterator<Item = InstructionId> + 'a {
    let known = u32::try_from(payout.instructions.len()).unwrap_or(u32::MAX);
    (1..=known + FORGOTTEN_MAX).map(|generation| InstructionId::derive(district, &payout.key, generation))
}

fn journal(desk: &mut Desk<'_>, kind: &str, detail: serde_json::Value) {
    let row = JournalRow { kind: kind.to_owned(), subject: "sending".to_owned(), by: desk.by.clone(), detail };
    desk.changes.journal.push(row);
}
