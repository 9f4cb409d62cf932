//! `zhida payouts`: the list, newest first. What officers do to payouts is [`super::operator_acts`].

use super::out::{JsonList, Out};
use super::present::{obstacle_words, state_word, switch_lines};
use super::table::{Column, Table};
use super::{Form, Usage, local, operator_acts};
use crate::cli::PayoutsVerb;
use crate::wiring::Context;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::process::ExitCode;
use zhida_config::Settings;
use zhida_core::obstacle::Obstacle;
use zhida_core::payout::{Payout, PayoutState};
use zhida_core::ports::store::{PayoutFilter, PayoutPage, Sending};
use zhida_core::view::payout_view;

/// Payouts read at once.
const PAGE: u32 = 1000;

/// Does one of the verbs.
pub(crate) async fn run(context: &Context, verb: &PayoutsVerb) -> anyhow::Result<ExitCode> {
    match verb {
        PayoutsVerb::List { state, json } => list(context, state.as_deref(), Form::from(*json)).await,
        PayoutsVerb::Status { json } => status(context, Form::from(*json)).await,
        PayoutsVerb::Release { .. }
        | PayoutsVerb::Hold { .. }
        | PayoutsVerb::Cancel { .. }
        | PayoutsVerb::Decide { .. }
        | PayoutsVerb::Stop { .. }
        | PayoutsVerb::Resume { .. } => operator_acts::run(context, verb).await,
    }
}

async fn list(context: &Context, state: Option<&str>, form: Form) -> anyhow::Result<ExitCode> {
    let state = state.map(known_state).transpose()?;
    let mut filter = PayoutFilter { state, limit: PAGE, ..PayoutFilter::default() };
    let sending = context.store.sending().await?;
    let mut out = Out::new();
    match form {
        Form::Programs => {
            let mut list = JsonList::new(&mut out);
            while let Some(page) = next_page(context, &mut filter).await? {
                page.items.iter().try_for_each(|payout| list.member(&view(&context.settings, payout, &sending)))?;
            }
            list.end()?;
        }
        Form::People => {
            let mut table = table();
            let mut count = 0;
            while let Some(page) = next_page(context, &mut filter).await? {
                count += page.items.len();
                page.items.iter().for_each(|payout| table.row(row(&context.settings, payout, &sending)));
            }
            out.lines(&table.lines())?;
            out.line(&format!("共 {count} 笔 payouts"))?;
            if sending.switch.stopped_by.is_some() {
                out.lines(&switch_lines(&context.settings, &sending.switch))?;
            }
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The stop switch.
async fn status(context: &Context, form: Form) -> anyhow::Result<ExitCode> {
    let switch = context.store.switch().await?;
    let mut out = Out::new();
    match form {
        Form::Programs => {
            let moment = |at: Timestamp| format!("{at:.6}");
            let (by, why) = switch.stopped_by.clone().unzip();
            let opens_from = switch.restore.as_ref().and_then(|restore| restore.opens_from);
            out.json(
                &json!({"sending": if by.is_some() { "stopped" } else { "open" }, "stopped_by": by, "reason": why,
                "since": switch.since.map(moment), "resumed_by": switch.resumed_by,
                "after_restore": switch.restore.is_some(), "opens_from": opens_from.map(moment)}),
            )?;
        }
        Form::People => out.lines(&switch_lines(&context.settings, &switch))?,
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The payout object, and what a ready one waits for.
fn view(settings: &Settings, payout: &Payout, sending: &Sending) -> Value {
    let mut view = payout_view(payout);
    let waits = Obstacle::of(payout, sending);
    view["waits_because"] =
        json!(waits.map(|obstacle| json!({"code": obstacle.code(), "text": obstacle_words(settings, &obstacle)})));
    view
}

/// The next page, and after the last one none: then `before` is where the list would begin anew, and the limit is 0.
async fn next_page(context: &Context, filter: &mut PayoutFilter) -> anyhow::Result<Option<PayoutPage>> {
    if filter.limit == 0 {
        return Ok(None);
    }
    let page = context.store.payouts(filter).await?;
    filter.before.clone_from(&page.next);
    filter.limit = if page.next.is_some() { PAGE } else { 0 };
    Ok(Some(page))
}

fn known_state(code: &str) -> Result<PayoutState, Usage> {
    PayoutState::from_code(code).ok_or_else(|| {
        let known = PayoutState::ALL.map(PayoutState::code).join(", ");
        Usage(format!("--state {code:?} is no state; use one of {known}"))
    })
}

fn table() -> Table {
    Table::new(&[
        ("申请 application", Column::Text),
        ("状态 state", Column::Text),
        ("金额 amount", Column::Number),
        ("企业 enterprise", Column::Short),
        ("政策 policy", Column::Text),
        ("审定 approved", Column::Text),
        ("到账 credited", Column::Text),
        ("原因 reason", Column::Text),
    ])
}

fn row(settings: &Settings, payout: &Payout, sending: &Sending) -> Vec<String> {
    let state = payout.state();
    let credited = payout.instructions.iter().filter_map(|one| one.debit.as_ref()).map(|debit| debit.credited_at).min();
    vec![
        zhida_core::steps::subject(&payout.key),
        format!("{} {}", state_word(state), state.code()),
        payout.amount.to_string(),
        payout.enterprise.name.clone(),
        payout.policy_id.0.clone(),
        local(settings, payout.approved_at),
        credited.map(|at| local(settings, at)).unwrap_or_default(),
        reasons(settings, payout, sending),
    ]
}

/// Every hold by its code, so that the list shows all that stands against a payout; what a ready one waits for; for other states
/// the reason's code.
fn reasons(settings: &Settings, payout: &Payout, sending: &Sending) -> String {
    if let Some(obstacle) = Obstacle::of(payout, sending) {
        return format!("等待 waits because {}", obstacle_words(settings, &obstacle));
    }
    if payout.state() == PayoutState::Held {
        return payout.holds.keys().map(|code| code.code()).collect::<Vec<_>>().join(",");
    }
    payout.reason().map(|(code, _)| code).unwrap_or_default()
}
