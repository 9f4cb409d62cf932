//! Case files, clocks and alerts as rows.

use super::fault::{Fault, Readable, readable};
use super::link::{Lock, Tx};
use super::value::{Record, Row, Value, json};
use jiff::Timestamp;
use std::collections::BTreeMap;
use zhida_core::case_file::ClockKind;
use zhida_core::ids::{ApplicationId, DepartmentId, OfficerId};
use zhida_core::ports::cases::AlertFilter;
use zhida_core::ports::store::{Figures, Which};
use zhida_core::supervision::{Alert, Cleared, ClockRow, Raised, Seen};

/// Writes what looks have seen, by this calendar and by circumstances of this version.
pub(super) async fn write(
    tx: &mut Tx,
    seen: &[(&ApplicationId, Seen)],
    calendar: &str,
    version: i64,
) -> Result<(), Fault> {
    let now = tx.now;
    let looked = |(id, one): &(&ApplicationId, Seen)| {
        let mut file = file(id, one, calendar, now);
        file.extend([("at_rest", one.is_at_rest().into()), ("looked_by", version.into())]);
        file
    };
    let files = seen.iter().map(looked).collect();
    tx.update("case_files", 1, files).await?;
    let ids: Vec<String> = seen.iter().map(|(id, _)| id.0.clone()).collect();
    tx.execute(format!("delete from clocks where application_id {}", tx.among(1)), vec![ids.into()]).await?;
    let clocks = seen.iter().flat_map(|(id, one)| one.clocks.iter().map(|row| clock(id, row)));
    tx.insert("clocks", clocks.collect(), "").await?;
    let alerts: Vec<&Alert> = seen.iter().flat_map(|(_, one)| &one.alerts).collect();
    write_alerts(tx, &alerts).await
}

/// Alerts as they are now. The closed before the open: one open alert for a cause holds after every row.
pub(super) async fn write_alerts(tx: &mut Tx, alerts: &[&Alert]) -> Result<(), Fault> {
    let tail = "on conflict (id) do update set clock = excluded.clock, department_id = excluded.department_id, officer_id = excluded.officer_id, \
        deadline = excluded.deadline, level = excluded.level, acknowledged = excluded.acknowledged, \
        cleared_at = excluded.cleared_at, cleared_because = excluded.cleared_because";
    let (cleared, open): (Vec<&Alert>, Vec<&Alert>) = alerts.iter().partition(|one| one.cleared.is_some());
    for part in [cleared, open] {
        tx.insert("alerts", part.iter().map(|one| alert_record(one)).collect(), tail).await?;
        let rungs = part.iter().flat_map(|one| one.raised.iter().enumerate().map(|(place, rung)| (*one, place, rung)));
        let tail = "on conflict (alert_id, level) do update set told = excluded.told, note = excluded.note";
        tx.insert("alert_rungs", rungs.map(rung_record).collect(), tail).await?;
    }
    Ok(())
}

fn file(id: &ApplicationId, seen: &Seen, calendar: &str, now: Timestamp) -> Record {
    let file = &seen.file;
    let findings: Vec<_> =
        file.findings.iter().map(|one| (one.code.code(), one.at.as_microsecond(), &one.about)).collect();
    vec![
        ("application_id", id.as_str().into()),
        ("policy_id", file.policy_id.as_ref().map(|id| id.0.clone()).into()),
        ("uscc", file.uscc.clone().into()),
        ("standing", file.standing.code().into()),
        ("submitted_at", file.submitted_at.into()),
        ("accepted_at", file.accepted_at.into()),
        ("decided_at", file.decided_at.into()),
        ("returns", file.returns.into()),
        ("supplements", file.supplements.into()),
        ("findings", json(&findings).into()),
        ("calendar_version", calendar.into()),
        ("looked_at", now.into()),
        ("look_at", seen.look_at.into()),
    ]
}

fn clock(id: &ApplicationId, row: &ClockRow) -> Record {
    let clock = &row.clock;
    vec![
        ("application_id", id.as_str().into()),
        ("clock", clock.id.to_string().into()),
        ("kind", clock.id.kind.code().into()),
        ("department_id", clock.department.clone().into()),
        ("officer_id", clock.officer.clone().into()),
        ("state", row.state.code().into()),
        ("started_at", clock.started_at.into()),
        ("due_soon_at", row.reading.due_soon_at.into()),
        ("deadline", row.reading.deadline.into()),
        ("ended_at", clock.ended.map(|(at, _)| at).into()),
        ("provisional", row.reading.provisional.into()),
    ]
}

fn alert_record(one: &Alert) -> Record {
    let (cleared_at, because) = one.cleared.unzip();
    vec![
        ("id", (&one.id).into()),
        ("application_id", one.application_id.as_str().into()),
        ("cause", (&one.cause).into()),
        ("clock", (&one.clock).into()),
        ("kind", one.kind.code().into()),
        ("episode", one.episode.into()),
        ("department_id", one.department_id.as_ref().map(|id| id.0.clone()).into()),
        ("officer_id", one.officer_id.as_ref().map(|id| id.0.clone()).into()),
        ("deadline", one.deadline.into()),
        ("level", one.level().to_string().into()),
        ("acknowledged", json(&one.acknowledged).into()),
        ("raised_at", one.raised.first().map_or(one.deadline, |rung| rung.raised_at).into()),
        ("cleared_at", cleared_at.into()),
        ("cleared_because", because.map(Cleared::code).into()),
    ]
}

fn rung_record((alert, place, rung): (&Alert, usize, &Raised)) -> Record {
    vec![
        ("alert_id", (&alert.id).into()),
        ("level", rung.level.to_string().into()),
        ("place", (place as u64).into()),
        ("due_at", rung.due_at.into()),
        ("raised_at", rung.raised_at.into()),
        ("told", json(&rung.told).into()),
        ("note", rung.note.clone().into()),
    ]
}

const ALERT_COLUMNS: &str = "id, application_id, cause, clock, kind, episode, department_id, officer_id, deadline, acknowledged, \
    cleared_at, cleared_because";

/// Alerts of applications, oldest first.
pub(super) async fn alerts_of(tx: &mut Tx, applications: Vec<String>) -> Result<Vec<Alert>, Fault> {
    let tail = format!("where application_id {} order by raised_at, id", tx.among(1));
    alerts_where(tx, &tail, vec![applications.into()]).await
}

/// One alert.
pub(super) async fn alert(tx: &mut Tx, id: &str) -> Result<Option<Alert>, Fault> {
    Ok(alerts_where(tx, "where id = $1", vec![id.into()]).await?.pop())
}

/// Alerts by id.
pub(super) async fn alerts_named(tx: &mut Tx, ids: Vec<String>) -> Result<Vec<Alert>, Fault> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let tail = format!("where id {}", tx.among(1));
    alerts_where(tx, &tail, vec![ids.into()]).await
}

/// One alert, with the case file that it stands in locked: whoever looks at that application looks before, or after.
pub(super) async fn alert_locked(tx: &mut Tx, id: &str) -> Result<Option<Alert>, Fault> {
    let locked = tx.locked(Lock::Wait);
    let sql = format!(
        "select application_id from case_files \
         where application_id = (select application_id from alerts where id = $1) {locked}"
    );
    tx.rows(sql, vec![id.into()]).await?;
    alert(tx, id).await
}

/// Alerts of a list.
pub(super) async fn alerts_listed(tx: &mut Tx, filter: &AlertFilter) -> Result<Vec<Alert>, Fault> {
    let mut values: Vec<Value> = vec![filter.limit.into()];
    let mut conditions = vec!["true".to_owned()];
    if let Some(department) = &filter.department_id {
        values.push(department.as_str().into());
        conditions.push("department_id = $2".to_owned());
    }
    let order = match filter.which {
        Which::Open => {
            conditions.push("cleared_at is null".to_owned());
            "deadline, id"
        }
        Which::All => "raised_at desc, id desc",
    };
    let tail = format!("where {} order by {order} limit $1", conditions.join(" and "));
    Ok(readable(alert_rows(tx, &tail, values).await?)?.rows)
}

/// Open alerts beyond yellow, the oldest deadline first, and how many of them cannot be read.
pub(super) async fn red_alerts(tx: &mut Tx) -> Result<Readable<Alert>, Fault> {
    let tail = "where cleared_at is null and level <> 'due_soon' order by deadline, id";
    readable(alert_rows(tx, tail, vec![]).await?)
}

/// All of them, or none.
async fn alerts_where(tx: &mut Tx, tail: &str, values: Vec<Value>) -> Result<Vec<Alert>, Fault> {
    alert_rows(tx, tail, values).await?.into_iter().collect()
}

async fn alert_rows(tx: &mut Tx, tail: &str, values: Vec<Value>) -> Result<Vec<Result<Alert, Fault>>, Fault> {
    let rows = tx.rows(format!("select {ALERT_COLUMNS} from alerts {tail}"), values).await?;
    let ids: Vec<String> = rows.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "select alert_id, level, due_at, raised_at, told, note from alert_rungs where alert_id {} order by alert_id, place",
        tx.among(1)
    );
    let mut rungs: BTreeMap<String, Vec<Result<Raised, Fault>>> = BTreeMap::new();
    for row in &tx.rows(sql, vec![ids.into()]).await? {
        rungs.entry(row.get("alert_id")?).or_default().push(read_rung(row));
    }
    Ok(rows.iter().map(|row| read_alert(row, &mut rungs)).collect())
}

fn read_rung(row: &Row) -> Result<Raised, Fault> {
    let level: String = row.get("level")?;
    Ok(Raised {
        level: level.parse().map_err(|()| Fault::corrupt("alert_rungs.level", &level))?,
        due_at: row.time("due_at")?,
        raised_at: row.time("raised_at")?,
        told: row.json("told")?,
        note: row.get("note")?,
    })
}

fn read_alert(row: &Row, rungs: &mut BTreeMap<String, Vec<Result<Raised, Fault>>>) -> Result<Alert, Fault> {
    let id: String = row.get("id")?;
    let kind: String = row.get("kind")?;
    let because: Option<String> = row.get("cleared_because")?;
    let unreadable = |column: &str, what: &str| Fault::corrupt(column, &what.to_owned()).at("alerts", &id);
    let because = match because {
        Some(code) => Some(Cleared::from_code(&code).ok_or_else(|| unreadable("cleared_because", &code))?),
        None => None,
    };
    Ok(Alert {
        application_id: ApplicationId(row.get("application_id")?),
        cause: row.get("cause")?,
        clock: row.get("clock")?,
        kind: ClockKind::from_code(&kind).ok_or_else(|| unreadable("kind", &kind))?,
        episode: row.unsigned("episode")?,
        department_id: row.get::<Option<String>>("department_id")?.map(DepartmentId),
        officer_id: row.get::<Option<String>>("officer_id")?.map(OfficerId),
        deadline: row.time("deadline")?,
        raised: rungs
            .remove(&id)
            .into_iter()
            .flatten()
            .collect::<Result<_, _>>()
            .map_err(|fault| fault.at("alerts", &id))?,
        acknowledged: row.json("acknowledged")?,
        cleared: row.time_or_none("cleared_at")?.zip(because),
        id,
    })
}

/// The figures of supervision: what needs attention and what waits, each by an index. Clocks that just run are not counted: that
/// would cost more the more of them run.
pub(super) async fn count(tx: &mut Tx, figures: &mut Figures) -> Result<(), Fault> {
    let sql = "select state, count(*) as n from clocks where ended_at is null and state in ('due_soon', 'overdue', 'paused') \
        group by state";
    for row in &tx.rows(sql, vec![]).await? {
        figures.clocks_by_state.insert(row.get("state")?, row.unsigned("n")?);
    }
    let sql = "select count(*) filter (where level = 'due_soon') as yellow, \
        count(*) filter (where level <> 'due_soon') as red from alerts where cleared_at is null";
    let row = tx.one(sql, vec![]).await?;
    figures.alerts_open = (row.unsigned("yellow")?, row.unsigned("red")?);
    let sql = "select (select min(look_at) from case_files where look_at is not null and look_at <= $1) as due, \
        (select at from case_marks order by id limit 1) as marked";
    let row = tx.one(sql, vec![tx.now.into()]).await?;
    figures.oldest_case_due = row.time_or_none("due")?.into_iter().chain(row.time_or_none("marked")?).min();
    Ok(())
}
