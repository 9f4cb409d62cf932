//! `zhida calendar`: the working days of the district, and calendars from files that amend them.

use super::out::Out;
use super::{COMMAND_LINE, Import, Usage, file_text, local};
use crate::opening;
use crate::wiring::Context;
use anyhow::Context as _;
use jiff::civil::{Date, Weekday, date};
use std::path::Path;
use std::process::ExitCode;
use zhida_config::calendar::{DayKind, YearMissing};
use zhida_config::{Calendar, Settings};
use zhida_core::calendars::{self, CalendarImport};

/// Prints working days, one a line: by the database's calendar, or by the one built in where there is no database yet.
pub(crate) async fn workdays(
    settings: &Settings,
    from: Date,
    to: Option<Date>,
    add: Option<usize>,
) -> anyhow::Result<ExitCode> {
    let calendar = opening::calendar(settings).await?;
    let days = match (to, add) {
        (_, Some(0)) => return Err(Usage("--add 0: name a number of working days from 1 on".to_owned()).into()),
        (_, Some(count)) => calendar.next_workdays(from, count)?.pop().into_iter().collect(),
        (Some(to), None) if to < from => {
            return Err(Usage(format!("--to {to} lies before --from {from}; exchange the two")).into());
        }
        (Some(to), None) => calendar.workdays(from, to)?,
        (None, None) => return Err(Usage("give --to DATE or --add N".to_owned()).into()),
    };
    let mut out = Out::new();
    days.iter().try_for_each(|day| out.line(&day.to_string()))?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Checks a file, shows which days change, and imports it.
pub(crate) async fn import(context: &Context, path: &Path, import: impl Into<Import>) -> anyhow::Result<ExitCode> {
    let new = Calendar::parse(&file_text("the calendar file", path)?).context("nothing was imported")?;
    let imported = context.store.calendars().await?;
    let mut out = Out::new();
    match calendars::judge(&imported, &new).context("nothing was imported")? {
        CalendarImport::Known => {
            let known = imported.iter().find(|one| one.version == new.version());
            let when = known.map_or_else(
                || "内置 built in".to_owned(),
                |one| format!("导入于 imported {}", local(&context.settings, one.imported_at)),
            );
            out.line(&format!("版本 version {} ({when})", new.version()))?;
            out.line("无变化 nothing changes; nothing was written")?;
        }
        CalendarImport::New => {
            out.lines(&preview(&context.store.calendar().await?, &new)?)?;
            match import.into() {
                Import::DryRun => out.line("仅预览 a preview; nothing was written")?,
                Import::Write => {
                    context.store.import_calendar(&new, COMMAND_LINE).await?;
                    out.line("已导入 imported; a running `zhida serve` counts by it from its next start on")?;
                }
            }
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
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

fn weekday(day: Date) -> &'static str {
    match day.weekday() {
        Weekday::Monday => "周一 Mon",
        Weekday::Tuesday => "周二 Tue",
        Weekday::Wednesday => "周三 Wed",
        Weekday::Thursday => "周四 Thu",
        Weekday::Friday => "周五 Fri",
        Weekday::Saturday => "周六 Sat",
        Weekday::Sunday => "周日 Sun",
    }
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
