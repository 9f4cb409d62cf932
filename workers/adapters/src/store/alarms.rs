//! Alarms: written within their transaction, logged once it has committed, listed for people.

use super::fault::Fault;
use super::link::Tx;
use super::value::{Record, Row, Value};
use jiff::Timestamp;
use tracing::{error, warn};
use zhida_core::ids::{ApplicationId, InstructionId, PayoutKey};
use zhida_core::payout::{Alarm, AlarmKind};
use zhida_core::ports::store::{AlarmEntry, AlarmFilter};
use zhida_core::steps::subject;

/// Writes alarms, and remembers them for the log.
pub(super) async fn ring(tx: &mut Tx, alarms: &[Alarm]) -> Result<(), Fault> {
    let now = tx.now;
    tx.insert("alarms", alarms.iter().map(|one| record(one, now)).collect(), "").await?;
    tx.rung.extend_from_slice(alarms);
    Ok(())
}

fn record(one: &Alarm, now: Timestamp) -> Record {
    let key = one.key.as_ref();
    vec![
        ("at", now.into()),
        ("kind", one.kind.code().into()),
        ("application_id", key.map(|key| key.application_id.0.clone()).into()),
        ("tranche", Value::Int(key.map(|key| i64::from(key.tranche)))),
        ("instruction_id", one.instruction_id.as_ref().map(InstructionId::as_str).into()),
        ("text", (&one.text).into()),
    ]
}

/// One line for each alarm of a transaction that has committed. Those of a commit that was not confirmed are logged by nobody;
/// they are in the database if it happened, where the metric and `zhida alarms list` find them.
pub(super) fn log(rung: &[Alarm]) {
    for alarm in rung {
        let (kind, text) = (alarm.kind.code(), alarm.text.as_str());
        let application = alarm.key.as_ref().map(subject).unwrap_or_default();
        let instruction = alarm.instruction_id.as_ref().map(InstructionId::as_str).unwrap_or_default();
        match alarm.kind {
            AlarmKind::Overpaid
            | AlarmKind::SignatureMismatch
            | AlarmKind::PaidAfterEnd
            | AlarmKind::ApprovalConflict
            | AlarmKind::DatabaseWentBack => error!(kind, application, instruction, text, "alarm"),
            AlarmKind::Contradiction
            | AlarmKind::Mismatch
            | AlarmKind::FormatRefused
            | AlarmKind::RefusedOther
            | AlarmKind::BankUnauthorised
            | AlarmKind::ResendExpired
            | AlarmKind::UnknownInstruction
            | AlarmKind::RowUnusable
            | AlarmKind::CalendarMissing
            | AlarmKind::NoticeCeiling
            | AlarmKind::NoticeProvidersDown
            | AlarmKind::NoticeInDoubt
            | AlarmKind::NoticeFailed
            | AlarmKind::NoticeNoAddress => warn!(kind, application, instruction, text, "alarm"),
        }
    }
}

/// Newest first.
pub(super) async fn list(tx: &mut Tx, filter: &AlarmFilter) -> Result<Vec<AlarmEntry>, Fault> {
    let mut values: Vec<Value> = vec![i64::from(filter.limit).into()];
    let mut conditions: Vec<String> = Vec::new();
    if let Some(kind) = filter.kind {
        values.push(kind.code().into());
        conditions.push(format!("kind = ${}", values.len()));
    }
    if let Some(id) = &filter.application_id {
        values.push(id.as_str().into());
        conditions.push(format!("application_id = ${}", values.len()));
    }
    let whole = if conditions.is_empty() { String::new() } else { format!("where {}", conditions.join(" and ")) };
    let sql = format!(
        "select at, kind, application_id, tranche, instruction_id, text from alarms {whole} \
         order by at desc, id desc limit $1"
    );
    tx.rows(sql, values).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<AlarmEntry, Fault> {
    let kind: String = row.get("kind")?;
    let (application, tranche): (Option<String>, Option<i64>) = (row.get("application_id")?, row.get("tranche")?);
    let key = application.zip(tranche).map(|(id, tranche)| {
        let tranche = u32::try_from(tranche).map_err(|error| Fault::corrupt("alarms.tranche", &error))?;
        Ok::<_, Fault>(PayoutKey { application_id: ApplicationId(id), tranche })
    });
    let alarm = Alarm {
        kind: AlarmKind::from_code(&kind).ok_or_else(|| Fault::corrupt("alarms.kind", &kind))?,
        key: key.transpose()?,
        instruction_id: row.get::<Option<String>>("instruction_id")?.map(InstructionId),
        text: row.get("text")?,
    };
    Ok(AlarmEntry { at: row.time("at")?, alarm })
}
