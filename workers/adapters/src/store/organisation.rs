//! The organisation, written and read whole, and the calendars that were imported.

use super::fault::Fault;
use super::link::Tx;
use super::value::{Record, Row, Value};
use super::write::write_journal;
use super::{SqlStore, notice_marks, transact};
use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use zhida_config::Calendar;
use zhida_core::calendars::{self, CalendarImport, ImportedCalendar};
use zhida_core::ids::{DepartmentId, OfficerId};
use zhida_core::organisation::{Absence, Department, Ladder, Officer, OfficerRole, Organisation, Rung, Whom};
use zhida_core::ports::store::StoreError;
use zhida_core::ports::supervision::OrganisationStore;
use zhida_schemas::identifiers::{Email, Mobile};

#[async_trait]
impl OrganisationStore for SqlStore {
    async fn import_organisation(&self, organisation: &Organisation, by: &str) -> Result<(), StoreError> {
        transact!(self, Writing, |tx| import(&mut tx, organisation, by))
    }

    async fn organisation(&self) -> Result<Organisation, StoreError> {
        transact!(self, Reading, |tx| whole(&mut tx))
    }

    async fn import_calendar(&self, calendar: &Calendar, by: &str) -> Result<(), StoreError> {
        transact!(self, Writing, |tx| add_calendar(&mut tx, calendar, by))
    }

    async fn calendars(&self) -> Result<Vec<ImportedCalendar>, StoreError> {
        transact!(self, Reading, |tx| imported_calendars(&mut tx))
    }
}

async fn import(tx: &mut Tx, organisation: &Organisation, by: &str) -> Result<(), Fault> {
    // One import at a time: what is compared and replaced is one organisation.
    tx.lock_judging().await?;
    let differences = organisation.differences(&whole(tx).await?);
    if differences.are_none() {
        return Ok(());
    }
    for sql in ["delete from absences", "delete from ladder_rungs", "delete from officers", "delete from departments"] {
        tx.execute(sql, vec![]).await?;
    }
    tx.insert("departments", organisation.departments.values().map(department_record).collect(), "").await?;
    tx.insert("officers", organisation.officers.values().map(officer_record).collect(), "").await?;
    // As with flags: whoever stands in a changed file was told anew.
    let reachable = organisation.officers.values().filter(|one| one.mobile.is_some() || one.email.is_some());
    notice_marks::of_officials(tx, reachable.map(|one| one.id.as_str())).await?;
    let absences = organisation.officers.values().flat_map(|one| one.absent.iter().map(move |absence| (one, absence)));
    tx.insert("absences", absences.map(|(one, absence)| absence_record(&one.id, absence)).collect(), "").await?;
    let rungs =
        organisation.ladders.values().flat_map(|ladder| ladder.rungs.iter().enumerate().map(move |one| (ladder, one)));
    tx.insert(
        "ladder_rungs",
        rungs.map(|(ladder, (position, rung))| rung_record(ladder, position, rung)).collect(),
        "",
    )
    .await?;
    write_journal(tx, &[differences.journal_row(organisation, by)]).await
}

fn department_record(one: &Department) -> Record {
    vec![
        ("id", one.id.as_str().into()),
        ("name", (&one.name).into()),
        ("parent_id", one.parent_id.as_ref().map(DepartmentId::as_str).into()),
    ]
}

fn officer_record(one: &Officer) -> Record {
    vec![
        ("id", one.id.as_str().into()),
        ("name", (&one.name).into()),
        ("department_id", one.department_id.as_str().into()),
        ("role", one.role.code().into()),
        ("mobile", one.mobile.as_ref().map(Mobile::as_str).into()),
        ("email", one.email.as_ref().map(Email::as_str).into()),
        ("substitute_id", one.substitute_id.as_ref().map(OfficerId::as_str).into()),
    ]
}

fn absence_record(id: &OfficerId, absence: &Absence) -> Record {
    vec![
        ("officer_id", id.as_str().into()),
        ("first_day", absence.from.to_string().into()),
        ("last_day", absence.to.to_string().into()),
    ]
}

fn rung_record(ladder: &Ladder, position: usize, rung: &Rung) -> Record {
    let (role, officer) = match &rung.whom {
        Whom::Role(role) => (Some(role.code()), None),
        Whom::Officer(id) => (None, Some(id.as_str())),
    };
    vec![
        ("department_id", ladder.department_id.as_ref().map(DepartmentId::as_str).into()),
        ("position", (position as u64).into()),
        ("role", role.into()),
        ("officer_id", officer.into()),
        ("after_working_hours", u32::from(rung.after_working_hours).into()),
    ]
}

/// The whole organisation.
pub(super) async fn whole(tx: &mut Tx) -> Result<Organisation, Fault> {
    let rows = tx.rows("select id, name, parent_id from departments", vec![]).await?;
    let departments: Vec<Department> = rows.iter().map(read_department).collect::<Result<_, Fault>>()?;
    let mut absences = absences(tx).await?;
    let columns = "select id, name, department_id, role, mobile, email, substitute_id from officers";
    let mut officers = BTreeMap::new();
    for row in &tx.rows(columns, vec![]).await? {
        let mut officer = read_officer(row)?;
        officer.absent = absences.remove(&officer.id).unwrap_or_default();
        officers.insert(officer.id.clone(), officer);
    }
    Ok(Organisation {
        departments: departments.into_iter().map(|one| (one.id.clone(), one)).collect(),
        officers,
        ladders: ladders(tx).await?,
    })
}

fn read_department(row: &Row) -> Result<Department, Fault> {
    Ok(Department {
        id: DepartmentId(row.get("id")?),
        name: row.get("name")?,
        parent_id: row.get::<Option<String>>("parent_id")?.map(DepartmentId),
    })
}

fn read_officer(row: &Row) -> Result<Officer, Fault> {
    let id = OfficerId(row.get("id")?);
    let (mobile, email): (Option<String>, Option<String>) = (row.get("mobile")?, row.get("email")?);
    // What is wrong with it is not repeated: it is personal.
    let unreadable = |column: &str| Fault::corrupt(&format!("officers {id}"), &format!("{column} has no lawful form"));
    Ok(Officer {
        name: row.get("name")?,
        department_id: DepartmentId(row.get("department_id")?),
        role: role(row, "role")?.ok_or_else(|| unreadable("role"))?,
        mobile: mobile.map(Mobile::parse).transpose().map_err(|_| unreadable("mobile"))?,
        email: email.map(Email::parse).transpose().map_err(|_| unreadable("email"))?,
        substitute_id: row.get::<Option<String>>("substitute_id")?.map(OfficerId),
        absent: BTreeSet::new(),
        id,
    })
}

async fn absences(tx: &mut Tx) -> Result<BTreeMap<OfficerId, BTreeSet<Absence>>, Fault> {
    let mut absences: BTreeMap<OfficerId, BTreeSet<Absence>> = BTreeMap::new();
    for row in &tx.rows("select officer_id, first_day, last_day from absences", vec![]).await? {
        let absence = Absence { from: day(row, "first_day")?, to: day(row, "last_day")? };
        absences.entry(OfficerId(row.get("officer_id")?)).or_default().insert(absence);
    }
    Ok(absences)
}

async fn ladders(tx: &mut Tx) -> Result<BTreeMap<Option<DepartmentId>, Ladder>, Fault> {
    let mut ladders: BTreeMap<Option<DepartmentId>, Ladder> = BTreeMap::new();
    let sql = "select department_id, role, officer_id, after_working_hours from ladder_rungs order by position";
    for row in &tx.rows(sql, vec![]).await? {
        let whom = match (role(row, "role")?, row.get::<Option<String>>("officer_id")?) {
            (Some(role), None) => Whom::Role(role),
            (None, Some(id)) => Whom::Officer(OfficerId(id)),
            (_, _) => return Err(Fault::corrupt("ladder_rungs", &"a rung names neither or both of role and person")),
        };
        let rung = Rung { whom, after_working_hours: row.unsigned("after_working_hours")? };
        let department_id = row.get::<Option<String>>("department_id")?.map(DepartmentId);
        let new = Ladder { department_id: department_id.clone(), rungs: Vec::new() };
        ladders.entry(department_id).or_insert(new).rungs.push(rung);
    }
    Ok(ladders)
}

fn role(row: &Row, column: &'static str) -> Result<Option<OfficerRole>, Fault> {
    let Some(code) = row.get::<Option<String>>(column)? else { return Ok(None) };
    OfficerRole::from_code(&code).map(Some).ok_or_else(|| Fault::corrupt(column, &code))
}

fn day(row: &Row, column: &'static str) -> Result<Date, Fault> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error| Fault::corrupt(column, &error))
}

async fn add_calendar(tx: &mut Tx, calendar: &Calendar, by: &str) -> Result<(), Fault> {
    // One import at a time: each amends those before it.
    tx.lock_judging().await?;
    let known = imported_calendars(tx).await?;
    match calendars::judge(&known, calendar) {
        Ok(CalendarImport::New) => {}
        Ok(CalendarImport::Known) => return Ok(()),
        Err(taken) => return Err(Fault::Conflict(taken.to_string())),
    }
    let record: Record = vec![
        ("version", calendar.version().into()),
        ("number", (known.len() as u64 + 1).into()),
        ("imported_at", tx.now.into()),
        ("imported_by", by.into()),
        ("text", Value::from(calendar.to_string())),
    ];
    tx.insert("calendars", vec![record], "").await?;
    write_journal(tx, &[calendars::journal_row(calendar, by)]).await
}

/// The calendar in force.
pub(super) async fn calendar(tx: &mut Tx) -> Result<Calendar, Fault> {
    calendars::in_force(&imported_calendars(tx).await?).map_err(|error| Fault::corrupt("calendars", &error))
}

async fn imported_calendars(tx: &mut Tx) -> Result<Vec<ImportedCalendar>, Fault> {
    let rows = tx.rows("select version, text, imported_at, imported_by from calendars order by number", vec![]).await?;
    let read = |row: &Row| {
        Ok(ImportedCalendar {
            version: row.get("version")?,
            text: row.get("text")?,
            imported_at: row.time("imported_at")?,
            imported_by: row.get("imported_by")?,
        })
    };
    rows.iter().map(read).collect()
}

/// When an organisation was last imported; none: never.
pub(super) async fn imported_at(tx: &mut Tx) -> Result<Option<Timestamp>, Fault> {
    let sql = "select max(at) as at from journal where subject = 'organisation' and kind = 'organisation.imported'";
    tx.one(sql, vec![]).await?.time_or_none("at")
}
