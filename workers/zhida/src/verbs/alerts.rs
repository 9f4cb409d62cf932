//! `zhida alerts`: what supervision found: who is late with what, how far it has climbed, who was told. Acknowledging is an act.

use super::out::Out;
use super::table::{Column, Table};
use super::{Form, acting, local, typed_count, typed_id, typed_text};
use crate::cli::{AlertsVerb, SwitchArgs};
use crate::wiring::Context;
use serde_json::{Value, json};
use std::process::ExitCode;
use zhida_config::{Calendar, Settings};
use zhida_core::ids::{DepartmentId, OfficerId};
use zhida_core::ports::cases::AlertFilter;
use zhida_core::ports::store::Which;
use zhida_core::supervision::{Alert, Level};
use zhida_core::view::micros;
use zhida_schemas::InboundEvent;
use zhida_schemas::supervision_acts::Acknowledge;
use zhida_schemas::time::Time;

/// Alerts that are listed at most.
const LISTED_MAX: u32 = 1_000;

/// Does one of the verbs.
pub(crate) async fn run(context: &Context, verb: &AlertsVerb) -> anyhow::Result<ExitCode> {
    match verb {
        AlertsVerb::List { all, department, json } => {
            let which = if *all { Which::All } else { Which::Open };
            let department_id = department.as_deref().map(DepartmentId::from);
            let filter = AlertFilter { which, department_id, limit: LISTED_MAX };
            list(context, &filter, Form::from(*json)).await
        }
        AlertsVerb::Show { id, json } => show(context, id, Form::from(*json)).await,
        AlertsVerb::Acknowledge { id, working_hours, act } => acknowledge(context, id, *working_hours, act).await,
    }
}

async fn list(context: &Context, filter: &AlertFilter, form: Form) -> anyhow::Result<ExitCode> {
    let alerts = context.store.alerts(filter).await?;
    let calendar = context.store.calendar().await?;
    let mut out = Out::new();
    match form {
        Form::Programs => {
            out.json(&alerts.iter().map(|alert| alert_json(&context.settings, &calendar, alert)).collect())?
        }
        Form::People => {
            let mut table = Table::new(&[
                ("编号 id", Column::Text),
                ("级别 level", Column::Text),
                ("申请 application", Column::Text),
                ("时限 clock", Column::Text),
                ("期限 deadline", Column::Text),
                ("部门 department", Column::Text),
                ("经办 officer", Column::Text),
                ("状态 state", Column::Text),
            ]);
            let now = context.store.now().await?;
            for alert in &alerts {
                table.row(vec![
                    alert.id.clone(),
                    level(alert.level()),
                    alert.application_id.to_string(),
                    alert.clock.clone(),
                    deadline(&context.settings, &calendar, alert),
                    alert.department_id.as_ref().map(DepartmentId::to_string).unwrap_or_default(),
                    alert.officer_id.as_ref().map(OfficerId::to_string).unwrap_or_default(),
                    state(context, alert, now),
                ]);
            }
            if !alerts.is_empty() {
                out.lines(&table.lines())?;
            }
            let what = match filter.which {
                Which::Open => "未消除 open",
                Which::All => "共 in all",
            };
            out.line(&format!("{what}: {}", alerts.len()))?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

async fn acknowledge(context: &Context, id: &str, hours: u16, act: &SwitchArgs) -> anyhow::Result<ExitCode> {
    let now = context.store.now().await?;
    let event = InboundEvent::OperatorAcknowledge(Acknowledge {
        operator_id: typed_id("--as", &act.operator)?,
        at: Time::from(now),
        alert_id: typed_id("alert id", id)?,
        working_hours: typed_count("--working-hours", hours)?,
        reason: typed_text("--reason", &act.reason)?,
    });
    let handed = acting::hand_in(context, &act.operator, &act.key, &event, now).await?;
    let mut out = Out::new();
    let code = acting::say(&mut out, &handed, &act.operator)?;
    out.flush()?;
    if code == ExitCode::SUCCESS { show(context, id, Form::People).await } else { Ok(code) }
}

async fn show(context: &Context, id: &str, form: Form) -> anyhow::Result<ExitCode> {
    let Some(alert) = context.store.alert(id).await? else {
        anyhow::bail!("no alert {id} is known; `zhida alerts list --all` shows them");
    };
    let calendar = context.store.calendar().await?;
    let mut out = Out::new();
    match form {
        Form::Programs => out.json(&alert_json(&context.settings, &calendar, &alert))?,
        Form::People => {
            let settings = &context.settings;
            let (chinese, english) = alert.kind.title();
            out.line(&format!("编号 id          {}", alert.id))?;
            out.line(&format!("申请 application {}", alert.application_id))?;
            out.line(&format!("时限 clock       {} {chinese} {english}", alert.clock))?;
            out.line(&format!("期限 deadline    {}", deadline(settings, &calendar, &alert)))?;
            let department = alert.department_id.as_ref().map_or("–", |id| id.as_str());
            out.line(&format!(
                "责任 with        {department} {}",
                alert.officer_id.as_ref().map_or("–", |id| id.as_str())
            ))?;
            for rung in &alert.raised {
                let told: Vec<&str> = rung.told.iter().map(OfficerId::as_str).collect();
                let whom = match (&rung.note, told.is_empty()) {
                    (Some(note), true) => note.clone(),
                    (None, true) => "仅存档 recorded only".to_owned(),
                    (_, false) => told.join(", "),
                };
                out.line(&format!("{}  {}  {whom}", local(settings, rung.raised_at), level(rung.level)))?;
            }
            for one in &alert.acknowledged {
                let (at, until) = (local(settings, one.at), local(settings, one.until));
                out.line(&format!("{at}  已知悉 acknowledged by {} until {until}: {}", one.by, one.reason))?;
            }
            if let Some((at, why)) = alert.cleared {
                let (chinese, english) = why.sentences();
                out.line(&format!("{}  已消除 cleared: {chinese} {english}", local(settings, at)))?;
            }
            out.line(&format!(
                "逐日说明 day by day: zhida clock explain {} --clock {}",
                alert.application_id, alert.clock
            ))?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn state(context: &Context, alert: &Alert, now: jiff::Timestamp) -> String {
    if let Some((at, why)) = alert.cleared {
        return format!("已消除 cleared {} ({})", local(&context.settings, at), why.code());
    }
    match alert.acknowledged_at(now) {
        Some(one) => format!("{} 已知悉 acknowledged until {}", one.by, local(&context.settings, one.until)),
        None => "未消除 open".to_owned(),
    }
}

fn level(level: Level) -> String {
    match level {
        Level::DueSoon => "黄牌 due soon".to_owned(),
        Level::Rung(0) => "红牌 overdue".to_owned(),
        Level::Rung(rung) => format!("逐级 {rung} escalated {rung}"),
    }
}

fn deadline(settings: &Settings, calendar: &Calendar, alert: &Alert) -> String {
    let provisional = alert.is_provisional(calendar, &settings.calendar.timezone);
    let mark = if provisional { " (暂定 provisional: 日历缺年份 the calendar lacks a year)" } else { "" };
    format!("{}{mark}", local(settings, alert.deadline))
}

fn alert_json(settings: &Settings, calendar: &Calendar, alert: &Alert) -> Value {
    json!({
        "alert_id": alert.id,
        "application_id": alert.application_id,
        "clock": alert.clock,
        "measures": alert.kind.code(),
        "episode": alert.episode,
        "department_id": alert.department_id,
        "officer_id": alert.officer_id,
        "deadline": micros(Some(alert.deadline)),
        "provisional": alert.is_provisional(calendar, &settings.calendar.timezone),
        "level": alert.level().to_string(),
        "rungs": alert.raised.iter().map(|rung| json!({
            "level": rung.level.to_string(), "due_at": micros(Some(rung.due_at)),
            "raised_at": micros(Some(rung.raised_at)), "told": rung.told, "note": rung.note,
        })).collect::<Vec<_>>(),
        "acknowledged": alert.acknowledged.iter().map(|one| json!({
            "by": one.by, "at": micros(Some(one.at)), "until": micros(Some(one.until)), "reason": one.reason,
        })).collect::<Vec<_>>(),
        "cleared_at": micros(alert.cleared.map(|(at, _)| at)),
        "because": alert.cleared.map(|(_, why)| why.code()),
    })
}
