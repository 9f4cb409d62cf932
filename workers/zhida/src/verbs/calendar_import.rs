//! `zhida calendar import`: a calendar from a file amends the district's; before that, which days change and which running deadlines
//! move, and why.

use super::clock::{day_kind, weekday};
use super::out::Out;
use super::table::{Column, Table};
use super::{COMMAND_LINE, Form, Import, file_text, local};
use crate::wiring::Context;
use anyhow::Context as _;
use jiff::civil::{Date, date};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use zhida_config::calendar::{DayKind, YearMissing};
use zhida_config::{Calendar, Settings};
use zhida_core::calendars::{self, CalendarImport};
use zhida_core::supervision::{ChangedDay, Deadline, Moved};
use zhida_core::view::micros;

/// Deadlines that are listed for people; programs get all.
const LISTED: usize = 20;

/// Applications whose deadlines are counted over in one go.
const AT_ONCE: u32 = 500;

/// Checks a file, shows what changes, and imports it.
pub(crate) async fn run(
    context: &Context,
    path: &Path,
    import: impl Into<Import>,
    form: impl Into<Form>,
) -> anyhow::Result<ExitCode> {
    let new = Calendar::parse(&file_text("the calendar file", path)?).context("nothing was imported")?;
    if let Some(year) = calendars::without_holidays(&new) {
        anyhow::bail!(
            "nothing was imported: {year} 年没有一天放假 the file names no day off in {year}; its `year` line says that the year is \
             complete, and a complete year names its holidays: add its off,DATE,NAME lines, or begin from `zhida calendar export \
             --year {year}`"
        );
    }
    let imported = context.store.calendars().await?;
    let (import, form) = (import.into(), form.into());
    let known = match calendars::judge(&imported, &new).context("nothing was imported")? {
        CalendarImport::Known => true,
        CalendarImport::New => false,
    };
    let mut out = Out::new();
    if known {
        let when = imported.iter().find(|one| one.version == new.version()).map(|one| one.imported_at);
        let when = when.map_or_else(
            || "内置 built in".to_owned(),
            |at| format!("导入于 imported {}", local(&context.settings, at)),
        );
        match form {
            Form::Programs => out.json(&json!({"version": new.version(), "imported": false, "moved": []}))?,
            Form::People => {
                out.line(&format!("版本 version {} ({when})", new.version()))?;
                out.line("无变化 nothing changes; nothing was written")?;
            }
        }
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let days = preview(&context.store.calendar().await?, &new)?;
    let moved = deadlines(context, &new).await?;
    if import == Import::Write {
        context.store.import_calendar(&new, COMMAND_LINE).await?;
    }
    match form {
        Form::Programs => out.json(&json!({
            "version": new.version(), "imported": import == Import::Write,
            "moved": moved.iter().map(moved_json).collect::<Vec<_>>(),
        }))?,
        Form::People => {
            out.lines(&days)?;
            out.lines(&deadline_lines(&context.settings, &moved))?;
            out.line(match import {
                Import::DryRun => "仅预览 a preview; nothing was written",
                Import::Write => {
                    "已导入 imported; deadlines are counted anew at once, the hours of the large-value system by a running \
                     `zhida serve` from its next start on"
                }
            })?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Every running deadline of which the calendar says something else once it is amended.
async fn deadlines(context: &Context, new: &Calendar) -> anyhow::Result<Vec<Moved>> {
    let (mut moved, mut after) = (Vec::new(), None);
    loop {
        let page = context.store.moved_by(new, after.as_ref(), AT_ONCE).await?;
        moved.extend(page.moved);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(moved),
        }
    }
}

fn deadline_lines(settings: &Settings, moved: &[Moved]) -> Vec<String> {
    let (elsewhere, only_firm): (Vec<&Moved>, Vec<&Moved>) = moved.iter().partition(|one| one.from.at != one.to.at);
    let mut lines = vec![format!("移动的期限 running deadlines that move: {}", elsewhere.len())];
    if !elsewhere.is_empty() {
        let mut table = Table::new(&[
            ("申请 application", Column::Text),
            ("时限 clock", Column::Text),
            ("原期限 from", Column::Text),
            ("新期限 to", Column::Text),
            ("因为 because of", Column::Text),
        ]);
        for one in elsewhere.iter().take(LISTED) {
            table.row(vec![
                one.application_id.to_string(),
                one.clock.clone(),
                deadline(settings, one.from),
                deadline(settings, one.to),
                because(&one.because),
            ]);
        }
        lines.extend(table.lines().iter().map(|line| format!("    {line}")));
        if elsewhere.len() > LISTED {
            lines.push(format!("    … 另 {0} 项 {0} more; --json lists all", elsewhere.len() - LISTED));
        }
    }
    let confirmed = only_firm.iter().filter(|one| one.from.provisional && !one.to.provisional).count();
    if confirmed > 0 {
        lines.push(format!("暂定转为确定 provisional deadlines that stay and become firm: {confirmed}"));
    }
    lines
}

fn deadline(settings: &Settings, deadline: Deadline) -> String {
    let mark = if deadline.provisional { " 暂定 provisional" } else { "" };
    format!("{}{mark}", local(settings, deadline.at))
}

fn because(days: &[ChangedDay]) -> String {
    let day = |day: &ChangedDay| {
        format!("{} {}: {} → {}", day.date, weekday(day.date), day_kind(&day.before), day_kind(&day.after))
    };
    days.iter().map(day).collect::<Vec<_>>().join("; ")
}

fn moved_json(one: &Moved) -> Value {
    let deadline = |deadline: Deadline| json!({"at": micros(Some(deadline.at)), "provisional": deadline.provisional});
    json!({
        "application_id": one.application_id, "clock": one.clock, "measures": one.measures.code(),
        "department_id": one.department_id, "from": deadline(one.from), "to": deadline(one.to),
        "because": one.because.iter().map(|day| json!({
            "date": day.date.to_string(), "before": day_kind(&day.before), "after": day_kind(&day.after),
        })).collect::<Vec<_>>(),
    })
}

/// What the calendar in force becomes, year by year.
fn preview(force: &Calendar, new: &Calendar) -> Result<Vec<String>, YearMissing> {
    let after = force.clone().amended_by(new.clone());
    let mut lines = Vec::new();
    for (year, source) in new.years() {
        let about = format!("年份 year {year} {source}: 工作日 {} working days", days_of(&after, *year)?.len());
        if !force.years().contains_key(year) {
            let named = |kind| new.days().iter().filter(|(date, day)| date.year() == *year && day.kind == kind).count();
            let (off, worked) = (named(DayKind::Off), named(DayKind::Work));
            lines.push(format!("+ {about}, 放假 {off} days off, 调休上班 {worked} worked in exchange"));
            continue;
        }
        let changed = changed_days(force, &after, *year)?;
        lines.push(format!("{} {about}, 变更 {} changed", if changed.is_empty() { "=" } else { "~" }, changed.len()));
        lines.extend(changed);
    }
    lines.push(format!("版本 version: {} → {}", force.version(), after.version()));
    Ok(lines)
}

/// The working days of a year.
fn days_of(calendar: &Calendar, year: i16) -> Result<Vec<Date>, YearMissing> {
    calendar.workdays(date(year, 1, 1), date(year, 12, 31))
}

/// The days of a year that are worked in one calendar only, one a line.
fn changed_days(before: &Calendar, after: &Calendar, year: i16) -> Result<Vec<String>, YearMissing> {
    let mut lines = Vec::new();
    let (mut day, last) = (date(year, 1, 1), date(year, 12, 31));
    loop {
        if before.is_workday(day)? != after.is_workday(day)? {
            let (old, new) = (kind(before, day)?, kind(after, day)?);
            lines.push(format!("    {day} {}: {old} → {new}", weekday(day)));
        }
        match day.tomorrow() {
            Ok(next) if next <= last => day = next,
            Ok(_) | Err(_) => return Ok(lines),
        }
    }
}

fn kind(calendar: &Calendar, day: Date) -> Result<String, YearMissing> {
    let word = if calendar.is_workday(day)? { "上班 worked" } else { "休息 off" };
    Ok(match calendar.days().get(&day) {
        Some(named) => format!("{word} ({})", named.name),
        None => word.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::{Calendar, preview};

    #[test]
    fn the_preview_names_new_years_and_days_that_change() {
        let force = Calendar::parse(
            "version,a\nyear,2025,x\nyear,2026,x\noff,2026-10-01,国庆节\noff,2026-10-02,国庆节\nwork,2026-10-10,国庆节\n",
        )
        .unwrap();
        let new = Calendar::parse(
            "version,b\nyear,2025,again\nyear,2026,amended\noff,2026-10-01,国庆\noff,2026-10-05,台风\nwork,2026-10-10,国庆节\nyear,2027,y\noff,2027-01-01,元旦\n",
        )
        .unwrap();
        assert_eq!(
            preview(&force, &new).unwrap(),
            [
                "= 年份 year 2025 again: 工作日 261 working days, 变更 0 changed",
                "~ 年份 year 2026 amended: 工作日 260 working days, 变更 2 changed",
                "    2026-10-02 周五 Fri: 休息 off (国庆节) → 上班 worked",
                "    2026-10-05 周一 Mon: 上班 worked → 休息 off (台风)",
                "+ 年份 year 2027 y: 工作日 260 working days, 放假 1 days off, 调休上班 0 worked in exchange",
                "版本 version: a → b",
            ]
        );
    }
}
