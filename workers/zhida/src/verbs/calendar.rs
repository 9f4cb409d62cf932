//! `zhida calendar workdays`: the working days of mainland China, as the embedded calendar knows them.

use super::Usage;
use super::out::Out;
use crate::cli::CalendarVerb;
use std::process::ExitCode;
use zhida_config::Calendar;

/// Prints working days, one a line.
pub(crate) fn run(verb: &CalendarVerb) -> anyhow::Result<ExitCode> {
    let CalendarVerb::Workdays { from, to, add } = verb;
    let calendar = Calendar::mainland_china()?;
    let days = match (to, add) {
        (_, Some(0)) => return Err(Usage("--add 0: name a number of working days from 1 on".to_owned()).into()),
        (_, Some(count)) => calendar.next_workdays(*from, *count)?.pop().into_iter().collect(),
        (Some(to), None) if to < from => {
            return Err(Usage(format!("--to {to} lies before --from {from}; exchange the two")).into());
        }
        (Some(to), None) => calendar.workdays(*from, *to)?,
        (None, None) => return Err(Usage("give --to DATE or --add N".to_owned()).into()),
    };
    let mut out = Out::new();
    days.iter().try_for_each(|day| out.line(&day.to_string()))?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
