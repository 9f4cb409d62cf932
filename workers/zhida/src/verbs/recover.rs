//! `zhida recover`: after the database was restored from a backup. Puts in doubt whatever a lost history may have sent, and says
//! what people have to do before two officers open sending again.

use super::out::Out;
use super::{Usage, local};
use crate::restore_watch::{note, noted};
use crate::wiring::Context;
use anyhow::Context as _;
use jiff::{Timestamp, ToSpan};
use std::process::ExitCode;
use zhida_config::{Calendar, Settings};
use zhida_core::ports::store::{Recovered, Verdict};

/// Who stands in the journal: whoever may run this program on the database.
const BY: &str = "command line";

/// Recovers; says how things stand when it was done before. `all_the_same` is why, when the copy outside tells of no loss.
pub(crate) async fn run(context: &Context, all_the_same: Option<&str>) -> anyhow::Result<ExitCode> {
    if all_the_same.is_some_and(|reason| reason.trim().is_empty()) {
        return Err(Usage("--reason is empty; say how it is known that the database went back".to_owned()).into());
    }
    let path = &context.settings.store.incarnation_file;
    // A damaged copy tells nothing, which is no reason not to recover.
    let noted = noted(path).unwrap_or_default();
    let fits = noted.is_some() && context.store.compare(noted.as_ref()).await?.verdict == Verdict::Onward;
    let restore = context.store.switch().await?.restore;
    let pending = restore.as_ref().and_then(|restore| restore.opens_from);
    if let (Some(opens_from), true, None) = (pending, fits, all_the_same) {
        let mut out = Out::new();
        out.line("已恢复,待开放发送。 Recovered already; sending waits to be opened:")?;
        out.lines(&to_open(&context.settings, opens_from))?;
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    if fits && restore.is_none() && all_the_same.is_none() {
        anyhow::bail!(
            "数据库没有丢失任何记录,无需恢复。 The journal holds everything noted outside ({}); nothing was lost, nothing to recover, \
             and sending stays as it is. A recovery would close it until a bank day has passed. If the database was restored all the \
             same, to a moment after the copy was last written: `zhida recover --went-back-all-the-same --reason TEXT`",
            path.display()
        );
    }
    let why = all_the_same.unwrap_or(match noted {
        Some(_) => "the database does not hold what was noted of it outside",
        None => "no copy outside tells where it stood",
    });
    let opens_from = bank_day_after(&context.settings, context.store.now().await?)?;
    let recovered = context.store.recover(opens_from, BY, why).await?;
    note(path, &recovered.position)?;
    tell(&context.settings, &recovered)?;
    Ok(ExitCode::SUCCESS)
}

/// The copy was lost and the database was not: notes anew where it stands.
pub(crate) async fn not_restored(context: &Context) -> anyhow::Result<ExitCode> {
    let path = &context.settings.store.incarnation_file;
    if let Some(noted) = noted(path)?
        && context.store.compare(Some(&noted)).await?.verdict == Verdict::WentBack
    {
        anyhow::bail!(
            "{} says that this database has lost something: it was restored, or made anew. Run `zhida recover`; if you are sure \
             that nothing was ever paid from it, remove the file first",
            path.display()
        );
    }
    note(path, &context.store.compare(None).await?.now)?;
    let mut out = Out::new();
    out.line(&format!("已记录数据库当前位置。 Noted where the database stands: {}", path.display()))?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The end of the next whole bank day: of today when it is a working day, else of the next one.
fn bank_day_after(settings: &Settings, now: Timestamp) -> anyhow::Result<Timestamp> {
    let calendar = Calendar::mainland_china()?;
    let zone = &settings.calendar.timezone;
    let today = zone.to_datetime(now).date();
    let day =
        if calendar.is_workday(today)? { today } else { calendar.next_workdays(today, 1)?.pop().unwrap_or(today) };
    let next = day.checked_add(1.day())?;
    zone.to_timestamp(next.at(0, 0, 0, 0)).context("the end of the bank day")
}

fn tell(settings: &Settings, recovered: &Recovered) -> anyhow::Result<()> {
    let mut out = Out::new();
    out.line(&format!("数据库已进入恢复:{} 笔未了结的付款全部转为“存疑”,逐笔向银行核实。", recovered.in_doubt))?;
    out.line(&format!(
        "Recovered: {} payout(s) that were not final are in doubt and are asked for at the bank, with the generations that a lost \
         history may have sent. Nothing is sent meanwhile.",
        recovered.in_doubt
    ))?;
    let since = recovered.restored_to.map_or_else(
        || "从头开始 everything".to_owned(),
        |at| {
            format!("{} 以后的全部事件 everything since then", local(settings, at.checked_sub(1.hour()).unwrap_or(at)))
        },
    );
    out.lines(&[
        String::new(),
        "接下来 What has to happen now:".to_owned(),
        format!("  1. 各评审系统重新送入 Senders hand in again: {since}"),
        "  2. 重新导入政策、资金和操作人员 Policies, funds and operators that changed since are imported again".to_owned(),
        "  3. 操作人员重新确认停止、暂缓、取消 Officers repeat stops, holds, releases and cancellations made since".to_owned(),
        "  4. 核对恢复点以来的银行对账单 Bank statements since then are checked; what they show as paid and zhida does not is".to_owned(),
        "     settled by two officers: zhida payouts decide APPLICATION --decision settled --generation N --proof FILE".to_owned(),
    ])?;
    out.lines(&to_open(settings, recovered.opens_from))?;
    out.flush()?;
    Ok(())
}

fn to_open(settings: &Settings, opens_from: Timestamp) -> Vec<String> {
    vec![
        format!("  5. 银行日终后({} 起),两名放行人开放发送:", local(settings, opens_from)),
        format!(
            "     After that bank day has closed, from {} on, two releasers open sending:",
            local(settings, opens_from)
        ),
        "     zhida payouts resume --as OPERATOR --key FILE --reason TEXT".to_owned(),
    ]
}
