//! `zhida organisation`: departments, people and ladders from a file into the database, with a preview of what changes, and
//! their list. Contacts are masked wherever they are shown.

use super::organisation_changes::{Changes, absences, rungs};
use super::out::Out;
use super::table::{Column, Table};
use super::{COMMAND_LINE, Form, Import, file_text};
use crate::wiring::Context;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use zhida_core::ids::{DepartmentId, OfficerId};
use zhida_core::organisation::{EVERYBODY, Ladder, Officer, Organisation, Whom};
use zhida_core::ports::cases::AlertFilter;
use zhida_core::ports::orders::OrderFilter;
use zhida_core::ports::store::{Store, Which};
use zhida_core::supervision::Audience;
use zhida_core::view::{masked, masked_email};
use zhida_schemas::organisation_file::OrganisationFile;

/// Checks a file, shows what changes, and imports it: the file states the organisation whole.
pub(crate) async fn import(context: &Context, path: &Path, import: impl Into<Import>) -> anyhow::Result<ExitCode> {
    let organisation = parse(&file_text("the organisation file", path)?)?;
    let changes = Changes::of(&context.store.organisation().await?, &organisation);
    let mut out = Out::new();
    out.lines(&changes.lines)?;
    out.lines(&strangers(&*context.store, &organisation).await?)?;
    out.lines(&left_behind(&*context.store, &organisation).await?)?;
    if changes.are_none {
        out.line("无变化 nothing changes; nothing was written")?;
    } else {
        match import.into() {
            Import::DryRun => out.line("仅预览 a preview; nothing was written")?,
            Import::Write => {
                context.store.import_organisation(&organisation, COMMAND_LINE).await?;
                out.line("已导入 imported; the organisation is what the file says")?;
            }
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Imports an organisation file's text without a word.
pub(crate) async fn import_text(store: &dyn Store, text: &str, by: &str) -> anyhow::Result<()> {
    Ok(store.import_organisation(&parse(text)?, by).await?)
}

fn parse(text: &str) -> anyhow::Result<Organisation> {
    let file = OrganisationFile::parse(text)
        .map_err(|error| anyhow::anyhow!("nothing was imported:\n  {}", error.to_string().replace('\n', "\n  ")))?;
    Ok(file.into())
}

/// Departments that lead a policy and are not in the organisation: nobody there would be told.
async fn strangers(store: &dyn Store, organisation: &Organisation) -> anyhow::Result<Vec<String>> {
    let policies = store.policies().await?;
    let named: BTreeSet<DepartmentId> = policies.into_iter().map(|policy| DepartmentId(policy.department_id)).collect();
    let missing: Vec<&str> =
        named.iter().filter(|id| !organisation.departments.contains_key(id)).map(DepartmentId::as_str).collect();
    Ok(if missing.is_empty() {
        Vec::new()
    } else {
        let missing = missing.join(", ");
        vec![format!("注意 note: 政策所列部门未在文件中 policies name departments that the file does not: {missing}")]
    })
}

/// What waits for people whom the file does not name any more: somebody has to take it over. Orders for discipline inspection alone
/// are not told of here.
async fn left_behind(store: &dyn Store, organisation: &Organisation) -> anyhow::Result<Vec<String>> {
    let before = store.organisation().await?;
    let alerts = store.alerts(&AlertFilter { which: Which::Open, department_id: None, limit: u32::MAX }).await?;
    let audiences = vec![Audience::Supervision];
    let filter = OrderFilter { which: Which::Open, audiences, addressees: None, limit: u32::MAX };
    let orders = store.orders(&filter).await?;
    let gone = before.officers.keys().filter(|id| !organisation.officers.contains_key(*id));
    let note = |id: &OfficerId| {
        let alerts = alerts.iter().filter(|one| one.officer_id.as_ref() == Some(id)).count();
        let orders = orders.iter().filter(|one| one.addressee == *id).count();
        (alerts + orders > 0).then(|| {
            format!(
                "注意 note: 文件中已无 {id}，其名下尚有未消除告警 {alerts} 项、未销号督办单 {orders} 份，请改派 — {id} is not in the \
                 file any more, and {alerts} open alerts and {orders} open orders are theirs: somebody has to take them over"
            )
        })
    };
    Ok(gone.filter_map(note).collect())
}

/// Lists departments, people and ladders.
pub(crate) async fn list(context: &Context, form: impl Into<Form>) -> anyhow::Result<ExitCode> {
    let organisation = context.store.organisation().await?;
    let mut out = Out::new();
    match form.into() {
        Form::Programs => out.json(&organisation_json(&organisation))?,
        Form::People => {
            for table in [departments_table(&organisation), officers_table(&organisation), ladders_table(&organisation)]
            {
                out.lines(&table.lines())?;
                out.line("")?;
            }
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn departments_table(organisation: &Organisation) -> Table {
    let mut table =
        Table::new(&[("部门 department", Column::Text), ("名称 name", Column::Short), ("上级 parent", Column::Text)]);
    for one in organisation.departments.values() {
        let parent = one.parent_id.as_ref().map(DepartmentId::to_string).unwrap_or_default();
        table.row(vec![one.id.to_string(), one.name.clone(), parent]);
    }
    table
}

fn officers_table(organisation: &Organisation) -> Table {
    let mut table = Table::new(&[
        ("人员 officer", Column::Text),
        ("姓名 name", Column::Short),
        ("部门 department", Column::Text),
        ("角色 role", Column::Text),
        ("手机 mobile", Column::Text),
        ("邮箱 email", Column::Text),
        ("代理 substitute", Column::Text),
        ("不在岗 absent", Column::Text),
    ]);
    for one in organisation.officers.values() {
        table.row(vec![
            one.id.to_string(),
            one.name.clone(),
            one.department_id.to_string(),
            one.role.code().to_owned(),
            mobile(one).unwrap_or_default(),
            email(one).unwrap_or_default(),
            one.substitute_id.as_ref().map(OfficerId::to_string).unwrap_or_default(),
            absences(one),
        ]);
    }
    table
}

fn ladders_table(organisation: &Organisation) -> Table {
    let mut table = Table::new(&[
        ("督办梯级 ladder", Column::Text),
        ("逾期后工作小时 working hours after the deadline", Column::Text),
    ]);
    for one in organisation.ladders.values() {
        table.row(vec![ladder_name(one), rungs(one)]);
    }
    table
}

/// A ladder's department, or that it is everybody's.
pub(super) fn ladder_name(ladder: &Ladder) -> String {
    ladder.department_id.as_ref().map_or_else(|| EVERYBODY.to_owned(), DepartmentId::to_string)
}

/// The phone with its last four digits.
pub(super) fn mobile(officer: &Officer) -> Option<String> {
    officer.mobile.as_ref().map(|mobile| masked(mobile.as_str()))
}

/// The address with its first letter and its domain.
pub(super) fn email(officer: &Officer) -> Option<String> {
    officer.email.as_ref().map(|email| masked_email(email.as_str()))
}

fn organisation_json(organisation: &Organisation) -> Value {
    let department = |one: &zhida_core::organisation::Department| json!({"id": one.id, "name": one.name, "parent_id": one.parent_id});
    json!({
        "departments": organisation.departments.values().map(department).collect::<Vec<_>>(),
        "officers": organisation.officers.values().map(officer_json).collect::<Vec<_>>(),
        "ladder": organisation.ladders.values().map(ladder_json).collect::<Vec<_>>(),
    })
}

fn officer_json(one: &Officer) -> Value {
    let absent: Vec<Value> = one.absent.iter().map(|absence| json!({"from": absence.from, "to": absence.to})).collect();
    json!({"id": one.id, "name": one.name, "department_id": one.department_id, "role": one.role.code(),
        "mobile": mobile(one), "email": email(one), "substitute_id": one.substitute_id, "absent": absent})
}

fn ladder_json(one: &Ladder) -> Value {
    let rung = |rung: &zhida_core::organisation::Rung| {
        let (role, officer_id) = match &rung.whom {
            Whom::Role(role) => (Some(role.code()), None),
            Whom::Officer(id) => (None, Some(id)),
        };
        json!({"role": role, "officer_id": officer_id, "after_working_hours": rung.after_working_hours})
    };
    json!({"department_id": one.department_id, "rungs": one.rungs.iter().map(rung).collect::<Vec<_>>()})
}
