//! `zhida clock explain`: how the deadlines of an application came about, day by day, so that anybody can count them over with
//! a calendar on the table.

use super::out::Out;
use super::table::{Column, Table};
use super::{Form, local, typed_application};
use crate::wiring::Context;
use jiff::civil::Date;
use serde_json::{Value, json};
use std::process::ExitCode;
use zhida_config::Settings;
use zhida_core::case_file::{ClockState, Standing, Term, Verdict};
use zhida_core::ports::cases::CaseView;
use zhida_core::supervision::ClockRow;
use zhida_core::view::micros;
use zhida_core::working_time::DayType;

/// Prints the clocks of an application, or one of them.
pub(crate) async fn explain(
    context: &Context,
    application_id: &str,
    clock: Option<&str>,
    form: impl Into<Form>,
) -> anyhow::Result<ExitCode> {
    let id = typed_application(application_id)?;
    let Some(view) = context.store.case(&id).await? else {
        anyhow::bail!(
            "application {id} is not known in district {}: no event of it was taken in; `zhida quarantine list` shows what could not be",
            context.district
        );
    };
    let wanted = |row: &&ClockRow| clock.is_none_or(|clock| row.clock.id.to_string() == clock);
    let rows: Vec<&ClockRow> = view.clocks.iter().filter(wanted).collect();
    if let (Some(clock), true) = (clock, rows.is_empty()) {
        let all: Vec<String> = view.clocks.iter().map(|row| row.clock.id.to_string()).collect();
        anyhow::bail!("application {id} has no clock {clock}; it has: {}", all.join(", "));
    }
    let mut out = Out::new();
    match form.into() {
        Form::Programs => out.json(&programs(&view, &rows))?,
        Form::People => people(&context.settings, application_id, &view, &rows, &mut out)?,
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn people(
    settings: &Settings,
    application_id: &str,
    view: &CaseView,
    rows: &[&ClockRow],
    out: &mut Out,
) -> anyhow::Result<()> {
    let file = &view.file;
    let policy = file.policy_id.as_ref().map_or("–", |id| id.as_str());
    out.line(&format!("申请 application {application_id}  政策 policy {policy}  {}", standing(file.standing)))?;
    out.line(&format!("日历 calendar {}  现在 now {}", view.calendar_version, local(settings, view.now)))?;
    for finding in &file.findings {
        let (chinese, english) = finding.code.sentences();
        let about = if finding.about.is_empty() { String::new() } else { format!(" ({})", finding.about) };
        out.line(&format!("疑点 finding  {}  {chinese} {english}{about}", local(settings, finding.at)))?;
    }
    for row in rows {
        out.line("")?;
        clock(settings, row, out)?;
    }
    Ok(())
}

fn clock(settings: &Settings, row: &ClockRow, out: &mut Out) -> anyhow::Result<()> {
    let (clock, reading) = (&row.clock, &row.reading);
    let (chinese, english) = clock.id.kind.title();
    out.line(&format!("{}  {chinese} {english}  {}", clock.id, state(row.state)))?;
    if let Some(department) = &clock.department {
        out.line(&format!("  责任 with       {department} {}", clock.officer.as_deref().unwrap_or("–")))?;
    }
    out.line(&format!("  起算 started    {}", local(settings, clock.started_at)))?;
    out.line(&match clock.term {
        Term::WorkingDays(days) => format!("  时限 term       {days} 个工作日 working days"),
        Term::Until(until) => format!("  时限 term       至 until {}", local(settings, until)),
    })?;
    for pause in &clock.pauses {
        let (chinese, english) = pause.cause.title();
        let to = pause.to.map_or_else(|| "…".to_owned(), |to| local(settings, to));
        let evidence = pause.evidence.as_ref().map(|text| format!("  {text}")).unwrap_or_default();
        let by = if pause.by.is_empty() { String::new() } else { format!("  {}", pause.by) };
        out.line(&format!(
            "  暂停 paused     {} – {to}  {chinese} {english}{by}{evidence}",
            local(settings, pause.from)
        ))?;
    }
    out.line(&format!("  黄牌 due soon   {}", local(settings, reading.due_soon_at)))?;
    let provisional =
        if reading.provisional { "  (暂定 provisional: 日历缺年份 the calendar lacks a year)" } else { "" };
    out.line(&format!("  期限 deadline   {}{provisional}", local(settings, reading.deadline)))?;
    if let Some((at, _)) = clock.ended {
        out.line(&format!("  结束 ended      {}", local(settings, at)))?;
    }
    if reading.days.is_empty() {
        return Ok(());
    }
    let mut table =
        Table::new(&[("日期 day", Column::Text), ("性质 kind", Column::Text), ("计算 count", Column::Text)]);
    for day in &reading.days {
        table.row(vec![format!("{} {}", day.date, weekday(day.date)), day_kind(&day.day), verdict(&day.verdict)]);
    }
    out.lines(&table.lines().iter().map(|line| format!("    {line}")).collect::<Vec<_>>())?;
    Ok(())
}

/// A day of the week, Chinese and English.
pub(super) fn weekday(day: Date) -> &'static str {
    match day.weekday() {
        jiff::civil::Weekday::Monday => "周一 Mon",
        jiff::civil::Weekday::Tuesday => "周二 Tue",
        jiff::civil::Weekday::Wednesday => "周三 Wed",
        jiff::civil::Weekday::Thursday => "周四 Thu",
        jiff::civil::Weekday::Friday => "周五 Fri",
        jiff::civil::Weekday::Saturday => "周六 Sat",
        jiff::civil::Weekday::Sunday => "周日 Sun",
    }
}

/// What kind of day it is, Chinese and English.
pub(super) fn day_kind(day: &DayType) -> String {
    match day {
        DayType::Workday => "工作日 working day".to_owned(),
        DayType::WorkedInExchange(name) => format!("调休上班 worked in exchange ({name})"),
        DayType::Weekend => "周末 weekend".to_owned(),
        DayType::Holiday(name) => format!("放假 holiday ({name})"),
        DayType::AssumedWorkday => "暂按工作日 taken for a working day".to_owned(),
        DayType::AssumedWeekend => "暂按周末 taken for a weekend".to_owned(),
    }
}

fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Start => "起算日不计 the start does not count".to_owned(),
        Verdict::Off => "不计 does not count".to_owned(),
        Verdict::Counts(number) => format!("第 {number} 日 day {number}"),
        Verdict::Paused(cause) => {
            let (chinese, english) = cause.title();
            format!("暂停不计 paused: {chinese} {english}")
        }
        Verdict::CountsAllTheSame(number, cause) => {
            let (chinese, english) = cause.title();
            format!("第 {number} 日 day {number} ({chinese}已达上限 {english}: pauses are used up)")
        }
    }
}

fn state(state: ClockState) -> &'static str {
    match state {
        ClockState::Running => "计时中 running",
        ClockState::DueSoon => "黄牌 due soon",
        ClockState::Overdue => "红牌 overdue",
        ClockState::Paused => "暂停中 paused",
        ClockState::Met => "按期 met",
        ClockState::MetLate => "超期办结 met late",
        ClockState::Void => "终止 void",
    }
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::NotSeen => "未见申报 not seen",
        Standing::Submitted => "待受理 submitted",
        Standing::InReview => "审核中 in review",
        Standing::Approved => "已审定 approved",
        Standing::Declined => "不予受理 declined",
        Standing::Rejected => "未通过 rejected",
        Standing::Withdrawn => "已撤回 withdrawn",
        Standing::Revoked => "已撤销 revoked",
    }
}

fn programs(view: &CaseView, rows: &[&ClockRow]) -> Value {
    let file = &view.file;
    json!({
        "standing": file.standing.code(),
        "policy_id": file.policy_id,
        "calendar_version": view.calendar_version,
        "findings": file.findings.iter().map(|one| json!({
            "at": micros(Some(one.at)), "code": one.code.code(), "about": one.about,
        })).collect::<Vec<_>>(),
        "clocks": rows.iter().map(|row| clock_json(row)).collect::<Vec<_>>(),
    })
}

fn clock_json(row: &ClockRow) -> Value {
    let (clock, reading) = (&row.clock, &row.reading);
    json!({
        "clock": clock.id.to_string(),
        "measures": clock.id.kind.code(),
        "department_id": clock.department,
        "officer_id": clock.officer,
        "state": row.state.code(),
        "started_at": micros(Some(clock.started_at)),
        "due_soon_at": micros(Some(reading.due_soon_at)),
        "deadline": micros(Some(reading.deadline)),
        "ended_at": micros(clock.ended.map(|(at, _)| at)),
        "provisional": reading.provisional,
        "pauses": clock.pauses.iter().map(|pause| json!({
            "cause": pause.cause.title().1, "by": pause.by, "evidence": pause.evidence,
            "from": micros(Some(pause.from)), "to": micros(pause.to),
        })).collect::<Vec<_>>(),
        "days": reading.days.iter().map(|day| json!({
            "date": day.date.to_string(), "kind": day_kind(&day.day), "verdict": verdict(&day.verdict),
        })).collect::<Vec<_>>(),
    })
}
