//! Sets of templates: as they were imported, the last one in force.

use super::fault::Fault;
use super::link::Tx;
use super::write::write_journal;
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};
use zhida_core::notice::template::TemplateSet;
use zhida_core::steps::JournalRow;

/// The set in force as it was last read, by the number of its import: reading one takes longer than making many notices.
pub(super) type KeptSet = Arc<Mutex<Option<(i64, Arc<TemplateSet>)>>>;

/// The set that notices are made with: the last import, and what it leaves out from the embedded one.
pub(super) async fn in_force(tx: &mut Tx, kept: &KeptSet) -> Result<Arc<TemplateSet>, Fault> {
    let rows = tx.rows("select max(number) as number from notice_templates", vec![]).await?;
    let number = rows.first().map(|row| row.get::<Option<i64>>("number")).transpose()?.flatten();
    let number = number.unwrap_or_default();
    if let Some((_, set)) = lock(kept).as_ref().filter(|(known, _)| *known == number) {
        return Ok(Arc::clone(set));
    }
    let set = Arc::new(last(tx).await?.unwrap_or_else(|| TemplateSet::embedded().clone()).filled());
    *lock(kept) = Some((number, Arc::clone(&set)));
    Ok(set)
}

fn lock(kept: &KeptSet) -> std::sync::MutexGuard<'_, Option<(i64, Arc<TemplateSet>)>> {
    // A panic elsewhere leaves it whole: it is replaced in one step.
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The last import as it came; none: only the embedded set was ever in force.
pub(super) async fn last(tx: &mut Tx) -> Result<Option<TemplateSet>, Fault> {
    let sql = "select number, body from notice_templates order by number desc limit 1";
    let rows = tx.rows(sql, vec![]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let (number, body): (i64, String) = (row.get("number")?, row.get("body")?);
    TemplateSet::read(&body).map(Some).map_err(|problems| {
        let what = problems.first().map(ToString::to_string).unwrap_or_default();
        Fault::corrupt("body", &what).at("notice_templates", &number)
    })
}

/// Writes a set that was checked; nothing when it is in force already.
pub(super) async fn import(tx: &mut Tx, set: &TemplateSet, by: &str) -> Result<(), Fault> {
    // One import at a time: what is compared is what is in force.
    tx.lock_judging().await?;
    let sql = "select body from notice_templates order by number desc limit 1";
    let rows = tx.rows(sql, vec![]).await?;
    let known = rows.first().map(|row| row.get::<String>("body")).transpose()?;
    if known.as_deref() == Some(set.source.as_str()) {
        return Ok(());
    }
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
