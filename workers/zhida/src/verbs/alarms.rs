//! `zhida alarms list`: what rang, newest first. What each kind means and whose move it is stands in the runbook `ZhidaAlarm`.

use super::out::{JsonList, Out};
use super::table::{Column, Table};
use super::{Form, Usage, local};
use crate::wiring::Context;
use serde_json::{Value, json};
use std::process::ExitCode;
use zhida_core::payout::AlarmKind;
use zhida_core::ports::store::{AlarmEntry, AlarmFilter};
use zhida_core::steps::subject;

/// Lists them.
pub(crate) async fn list(
    context: &Context,
    kind: Option<&str>,
    limit: u32,
    form: impl Into<Form>,
) -> anyhow::Result<ExitCode> {
    let kind = kind.map(known_kind).transpose()?;
    let entries = context.store.alarms(&AlarmFilter { kind, application_id: None, limit }).await?;
    let mut out = Out::new();
    match form.into() {
        Form::Programs => {
            let mut list = JsonList::new(&mut out);
            entries.iter().try_for_each(|entry| list.member(&view(entry)))?;
            list.end()?;
        }
        Form::People => {
            let mut table = Table::new(&[
                ("时间 at", Column::Text),
                ("种类 kind", Column::Text),
                ("申请 application", Column::Text),
                ("内容 what", Column::Text),
            ]);
            for AlarmEntry { at, alarm } in &entries {
                let application = alarm.key.as_ref().map(subject).unwrap_or_default();
                let kind = alarm.kind.code().to_owned();
                table.row(vec![local(&context.settings, *at), kind, application, alarm.text.clone()]);
            }
            out.lines(&table.lines())?;
            out.line(&format!("共 {} 条 alarms", entries.len()))?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn known_kind(code: &str) -> Result<AlarmKind, Usage> {
    AlarmKind::from_code(code).ok_or_else(|| {
        let known = AlarmKind::ALL.map(AlarmKind::code).join(", ");
        Usage(format!("--kind {code:?} is no kind of alarm; use one of {known}"))
    })
}

fn view(entry: &AlarmEntry) -> Value {
    let AlarmEntry { at, alarm } = entry;
    json!({"at": format!("{at:.6}"), "kind": alarm.kind.code(),
        "application_id": alarm.key.as_ref().map(|key| &key.application_id),
        "tranche": alarm.key.as_ref().map(|key| key.tranche), "instruction_id": alarm.instruction_id, "text": alarm.text})
}
