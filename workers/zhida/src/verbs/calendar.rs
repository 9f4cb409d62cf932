//! `zhida calendar workdays|export`: the working days of the district, and its calendar as a file.

use super::Usage;
use super::out::Out;
use crate::opening;
use jiff::civil::Date;
use std::process::ExitCode;
use zhida_config::Settings;

/// Prints the calendar in force, or a year of it, in the form in which one is imported.
pub(crate) async fn export(settings: &Settings, year: Option<i16>) -> anyhow::Result<ExitCode> {
    let force = opening::calendar(settings).await?;
    let calendar = match year {
        Some(year) => force.of_year(year)?,
        None => force,
    };
    let mut out = Out::new();
    out.line("# An amendment gets a version of its own: change the next line before `zhida calendar import`.")?;
    calendar.to_string().lines().try_for_each(|line| out.line(line))?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

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
