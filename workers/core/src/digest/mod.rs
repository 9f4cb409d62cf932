//! The daily digest for those who supervise: what is overdue and since when, who sits on what, how the 24 hours were kept, what
//! else they have to know. It is made also when there is nothing to tell, so that silence means failure. A digest is kept as it
//! was made; people are named by their ids, so that what is kept holds no names.

mod compose;
#[cfg(test)]
mod tests;
pub mod words;

pub use compose::{CountedPayouts, Facts, Held, PatternFacts, Period, compose};

use crate::case_file::ClockKind;
use crate::ids::{ApplicationId, DepartmentId, OfficerId, PolicyId};
use crate::money::Fen;
use crate::notice::{NoticeKind, NoticeRequest};
use crate::organisation::{OfficerRole, Organisation};
use crate::patterns::{Figure, HealthWord, PatternState, Rule};
use crate::steps::JournalRow;
use crate::supervision::OrderState;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// The name of the job in the table of runs.
pub const JOB: &str = "digest";

/// A digest as it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// Its name: `DG-20261126-0830`.
    pub id: String,
    /// When it was due.
    pub scheduled_at: Timestamp,
    /// When it was made.
    pub made_at: Timestamp,
    /// When the one before was made; what happened since is new.
    pub since: Option<Timestamp>,
    /// Open alerts and orders whose rows cannot be read: this digest tells of them as a number alone, and the log of each.
    #[serde(default)]
    pub unreadable: u64,
    /// By which days it counts.
    pub calendar: CalendarState,
    /// What is overdue.
    pub breaches: Breaches,
    /// Who has to act on how much, those with most overdue first.
    pub holders: Vec<Holder>,
    /// How the 24 hours of payouts were kept.
    pub payouts: PayoutRecord,
    /// Supervision orders.
    pub orders: Orders,
    /// Patterns; none before they were first looked for.
    pub patterns: Option<Patterns>,
    /// Whether policies are alive; none before anybody has looked.
    pub policies: Option<Policies>,
}

/// By which days a digest counts, and what the calendar lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarState {
    /// The version of the calendar in force.
    pub version: String,
    /// Years without data that the next 60 days or running deadlines need.
    pub missing_years: Vec<i16>,
    /// Running deadlines that were counted through a year without data, and are provisional.
    pub provisional_deadlines: u64,
    /// The digest's own day lies in such a year: Monday to Friday were taken for worked.
    pub day_is_assumed: bool,
}

/// What is overdue, but for answers to supervision orders, which stand with these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaches {
    /// Open ones.
    pub open: u64,
    /// Of them, heard of since the digest before.
    pub new: u64,
    /// Ended since the digest before.
    pub ended: u64,
    /// Open deadlines that are past and of which no red alert tells yet: heard of late, they ring after a pause.
    #[serde(default)]
    pub unrung: u64,
    /// The open ones, the oldest deadline first; at most [`Breaches::LISTED_MAX`].
    pub listed: Vec<Breach>,
}

impl Breaches {
    /// How many a digest names.
    pub const LISTED_MAX: usize = 200;
}

/// A deadline that was missed and is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    /// The alert.
    pub alert_id: String,
    /// The application.
    pub application_id: ApplicationId,
    /// The clock.
    pub clock: String,
    /// What it measures.
    pub measures: ClockKind,
    /// Whose turn it is.
    pub department_id: Option<DepartmentId>,
    /// And whose there.
    pub officer_id: Option<OfficerId>,
    /// The deadline.
    pub deadline: Timestamp,
    /// It lies in a year without data.
    pub provisional: bool,
    /// Working minutes since; of a payout, minutes.
    pub late_minutes: i64,
    /// How far it has climbed.
    pub level: String,
    /// Not in the digest before.
    pub new: bool,
    /// The ladder rests until then.
    pub acknowledged_until: Option<Timestamp>,
}

/// Steps that wait for somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The department.
    pub department_id: Option<DepartmentId>,
    /// The officer, where one is named.
    pub officer_id: Option<OfficerId>,
    /// Steps that run and wait for them.
    pub open: u64,
    /// Of these, due soon.
    pub due_soon: u64,
    /// Of these, overdue.
    pub overdue: u64,
    /// Working minutes since the oldest of them began.
    pub oldest_minutes: i64,
}

/// How many, and how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// Payouts.
    pub count: u64,
    /// Their sum in fen.
    pub fen: Fen,
}

/// How the 24 hours were kept of the payouts whose 24 hours ended on the days of the record; one that came in after they had
/// ended counts on the day on which it came in. Each payout stands in one digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutRecord {
    /// The first day of the record: the day of the digest before, which reported until the day before it.
    pub from: Date,
    /// The last: yesterday. Before the first in the second digest of a day, which has nothing to add.
    pub to: Date,
    /// By currency.
    pub by_currency: BTreeMap<String, Kept>,
}

/// How the 24 hours were kept in one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Approved, and come in, on these days; their 24 hours may run still.
    pub approved: Total,
    /// Whose 24 hours ended on these days; the next six add up to it.
    pub ended: Total,
    /// Credited within them.
    pub in_time: Total,
    /// Credited later.
    pub late: Total,
    /// Not credited yet.
    pub open: Total,
    /// Not credited yet: the enterprise has to correct its account.
    pub enterprise: Total,
    /// Held.
    pub held: Total,
    /// Cancelled, or credited and returned.
    pub gone: Total,
}

/// Supervision orders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    /// Not closed.
    pub open: u64,
    /// Of them, with an answer that is late.
    pub overdue: u64,
    /// Those not closed that the supervision office may see, the earliest term first.
    pub listed: Vec<OrderLine>,
    /// Those that discipline inspection alone may see; a count and no more.
    pub for_inspection: u64,
}

/// A supervision order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// Its number.
    pub id: String,
    /// Who has to answer: the department.
    pub department_id: DepartmentId,
    /// Who has to answer: the officer.
    pub officer_id: OfficerId,
    /// By when.
    pub due_at: Timestamp,
    /// How it stands.
    pub state: OrderState,
    /// The answer is late.
    pub overdue: bool,
}

/// Patterns, counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patterns {
    /// When they were last looked for.
    pub looked_for_at: Timestamp,
    /// Those that the supervision office may see: by rule, and there by state.
    pub by_rule: BTreeMap<Rule, BTreeMap<PatternState, u64>>,
    /// Those that discipline inspection alone may see, by state; counts and no more, not even of which rule.
    pub for_inspection: BTreeMap<PatternState, u64>,
}

/// Whether policies are alive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policies {
    /// How many fare so.
    pub by_word: BTreeMap<HealthWord, u64>,
    /// Those that are not alive, the worst word first.
    pub listed: Vec<PolicyLine>,
}

/// A policy that is not alive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyLine {
    /// Which.
    pub policy_id: PolicyId,
    /// What it is.
    pub word: HealthWord,
    /// The figures behind the word.
    pub figures: Vec<Figure>,
}

impl Digest {
    /// The id of the digest that is due at that moment.
    #[must_use]
    pub fn id_of(scheduled_at: Timestamp, zone: &TimeZone) -> String {
        zone.to_datetime(scheduled_at).strftime("DG-%Y%m%d-%H%M").to_string()
    }

    /// What it says first, Chinese and English.
    #[must_use]
    pub fn headline(&self) -> (String, String) {
        let Breaches { open, new, unrung, .. } = self.breaches;
        let rung = (format!("超期 {open} 项，其中新增 {new} 项"), format!("{open} overdue, {new} of them new"));
        let waits = (format!("逾期待核 {unrung} 项"), format!("{unrung} overdue, not rung yet"));
        match (open, unrung) {
            (0, 0) => self.unread().unwrap_or_else(|| ("无超期".to_owned(), "nothing overdue".to_owned())),
            (0, _) => waits,
            (_, 0) => rung,
            (_, _) => (format!("{}；{}", rung.0, waits.0), format!("{}; {}", rung.1, waits.1)),
        }
    }

    /// What it cannot tell, Chinese and English; none when everything could be read.
    #[must_use]
    pub fn unread(&self) -> Option<(String, String)> {
        let count = self.unreadable;
        let words = || {
            (
                format!("另有 {count} 条未消除的告警或督办单无法读取，见日志"),
                format!("{count} open alerts or orders cannot be read, see the log"),
            )
        };
        (count > 0).then(words)
    }

    /// Steps that wait, by department, those with most overdue first.
    #[must_use]
    pub fn departments(&self) -> Vec<(Option<&DepartmentId>, Vec<&Holder>)> {
        let mut found: Vec<(Option<&DepartmentId>, Vec<&Holder>)> = Vec::new();
        for holder in &self.holders {
            let department = holder.department_id.as_ref();
            match found.iter_mut().find(|(known, _)| *known == department) {
                Some((_, holders)) => holders.push(holder),
                None => found.push((department, vec![holder])),
            }
        }
        let overdue = |holders: &[&Holder]| holders.iter().map(|one| one.overdue).sum::<u64>();
        found.sort_by_key(|(_, holders)| std::cmp::Reverse(overdue(holders)));
        found
    }

    /// Who is sent it: whoever supervises, each once for each digest. What travels is counts and a link.
    #[must_use]
    pub fn notices(&self, organisation: &Organisation, zone: &TimeZone) -> Vec<NoticeRequest> {
        let occasion = zone.to_datetime(self.scheduled_at).date().to_string();
        let reads = |role| match role {
            OfficerRole::Supervisor | OfficerRole::Inspector => true,
            OfficerRole::Officer | OfficerRole::Head => false,
        };
        let request = |person: &crate::organisation::Officer| NoticeRequest {
            kind: NoticeKind::Digest,
            subject: self.id.clone(),
            recipient: person.id.to_string(),
            occasion: occasion.clone(),
            application_id: ApplicationId(self.id.clone()),
        };
        organisation.officers.values().filter(|one| reads(one.role)).map(request).collect()
    }

    /// Nothing is overdue, whether or not it has rung, and nothing that may be cannot be read.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.breaches.open == 0 && self.breaches.unrung == 0 && self.unreadable == 0
    }

    /// What the journal says of it: counts, no names.
    #[must_use]
    pub fn journal_row(&self) -> JournalRow {
        JournalRow {
            kind: "digest.made".to_owned(),
            subject: self.id.clone(),
            by: "system".to_owned(),
            detail: json!({
                "scheduled_at": crate::view::micros(Some(self.scheduled_at)),
                "calendar_version": self.calendar.version,
                "overdue": self.breaches.open,
                "new": self.breaches.new,
                "unrung": self.breaches.unrung,
            }),
        }
    }
}
