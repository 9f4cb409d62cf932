//! Sets of templates: as they were imported, the last one in force.

use super::alarms;
use super::fault::Fault;
use super::link::Tx;
use super::value::Row;
use super::write::write_journal;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zhida_core::notice::template::{Replacing, TemplateSet, replacing};
use zhida_core::payout::{Alarm, AlarmKind};
use zhida_core::steps::JournalRow;

/// The set in force as it was last read: reading one takes longer than making many notices.
pub(super) type KeptSet = Arc<Mutex<Option<Kept>>>;

/// A set that was read.
pub(super) struct Kept {
    /// The number of the last import then.
    number: i64,
    set: Arc<TemplateSet>,
    /// When the last import is tried again, where it could not be read.
    again_at: Option<Timestamp>,
}

/// When a set that could not be read is tried again.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// What notices are made with.
pub(super) struct InForce {
    /// The last import that can be read, and what it leaves out from the embedded one.
    pub(super) set: Arc<TemplateSet>,
    /// Where later ones cannot be read: once an hour, to ring.
    pub(super) unreadable: Vec<String>,
}

/// The set that notices are made with. One that this version cannot read (another one may have imported it) keeps nobody from being
/// told: it goes on by the one before, and rings.
pub(super) async fn in_force(tx: &mut Tx, kept: &KeptSet) -> Result<InForce, Fault> {
    let rows = tx.rows("select max(number) as number from notice_templates", vec![]).await?;
    let number = rows.first().map(|row| row.get::<Option<i64>>("number")).transpose()?.flatten();
    let number = number.unwrap_or_default();
    let now = tx.now;
    let fresh = |kept: &&Kept| kept.number == number && kept.again_at.is_none_or(|at| now < at);
    if let Some(Kept { set, .. }) = lock(kept).as_ref().filter(fresh) {
        return Ok(InForce { set: Arc::clone(set), unreadable: Vec::new() });
    }
    let (found, unreadable) = last_readable(tx).await?;
    let set = Arc::new(found.unwrap_or_else(|| TemplateSet::embedded().clone()).filled());
    let again_at = if unreadable.is_empty() { None } else { now.checked_add(AGAIN_AFTER).ok() };
    *lock(kept) = Some(Kept { number, set: Arc::clone(&set), again_at });
    Ok(InForce { set, unreadable })
}

/// The last import that can be read, as it came, and where later ones are; none: the embedded set is in force.
pub(super) async fn last_readable(tx: &mut Tx) -> Result<(Option<TemplateSet>, Vec<String>), Fault> {
    let mut unreadable = Vec::new();
    for row in &tx.rows("select number, body from notice_templates order by number desc", vec![]).await? {
        match read(row) {
            Ok(set) => return Ok((Some(set), unreadable)),
            Err(fault) => unreadable.push(fault.place()),
        }
    }
    Ok((None, unreadable))
}

/// Rings for sets that cannot be read.
pub(super) async fn ring(tx: &mut Tx, unreadable: &[String]) -> Result<(), Fault> {
    let alarm = |place: &String| Alarm {
        kind: AlarmKind::RowUnusable,
        key: None,
        instruction_id: None,
        text: format!("templates that cannot be read are left out, notices are made by those before: {place}"),
    };
    alarms::ring(tx, &unreadable.iter().map(alarm).collect::<Vec<_>>()).await
}

fn lock(kept: &KeptSet) -> MutexGuard<'_, Option<Kept>> {
    // A panic elsewhere leaves it whole: it is replaced in one step.
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read(row: &Row) -> Result<TemplateSet, Fault> {
    let (number, body): (i64, String) = (row.get("number")?, row.get("body")?);
    TemplateSet::read(&body).map_err(|problems| {
        let what = problems.first().map(ToString::to_string).unwrap_or_default();
        Fault::corrupt("body", &what).at("notice_templates", &number)
    })
}

/// Writes a set that was checked, where what its importer had seen is still in force.
pub(super) async fn import(tx: &mut Tx, set: &TemplateSet, seen: &TemplateSet, by: &str) -> Result<Replacing, Fault> {
    // One import at a time: what is compared is what is in force.
    tx.lock_judging().await?;
    let (last, _) = last_readable(tx).await?;
    let of_its_version = sources_of(tx, &set.version).await?;
    let replacing = replacing(set, seen, last.as_ref().unwrap_or_else(|| TemplateSet::embedded()), &of_its_version);
    match replacing {
        Replacing::Imported => write(tx, set, by).await?,
        Replacing::Same | Replacing::Overtaken { .. } | Replacing::VersionUsed => {}
    }
    Ok(replacing)
}

/// What was ever imported under that version, as it came.
async fn sources_of(tx: &mut Tx, version: &str) -> Result<Vec<String>, Fault> {
    let rows = tx.rows("select body from notice_templates where version = $1", vec![version.into()]).await?;
    rows.iter().map(|row| row.get("body")).collect()
}

async fn write(tx: &mut Tx, set: &TemplateSet, by: &str) -> Result<(), Fault> {
    let record = vec![
        ("version", (&set.version).into()),
        ("body", (&set.source).into()),
        ("imported_at", tx.now.into()),
        ("imported_by", by.into()),
    ];
    tx.insert("notice_templates", vec![record], "").await?;
    let row = JournalRow {
        kind: "notice_templates.imported".to_owned(),
        subject: "notice_templates".to_owned(),
        by: by.to_owned(),
        detail: json!({"version": set.version, "templates": set.templates.len()}),
    };
    write_journal(tx, &[row]).await
}
