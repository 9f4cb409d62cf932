//! `zhida quarantine`: what could not be taken in. Its bytes are never lost, and printed as they came only when that is asked for:
//! they may hold anything.

use super::masked_body::masked_body;
use super::out::Out;
use super::table::{Column, Table};
use super::{Form, closing_operator, local, submit};
use crate::cli::{QuarantineVerb, SignerArgs};
use crate::wiring::Context;
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::ExitCode;
use zhida_core::ids::OperatorId;
use zhida_core::ports::door::{Handed, Raw};
use zhida_core::ports::store::{QuarantineRow, Which};
use zhida_core::steps::ActOutcome;

/// How a message comes that is taken out of quarantine.
const REPLAY: &str = "replay";

/// Does one of the verbs.
pub(crate) async fn run(context: &Context, verb: &QuarantineVerb) -> anyhow::Result<ExitCode> {
    match verb {
        QuarantineVerb::List { all, json } => {
            let which = if *all { Which::All } else { Which::Open };
            list(context, which, Form::from(*json)).await
        }
        QuarantineVerb::Show { id, raw: true, .. } => raw(context, id).await,
        QuarantineVerb::Show { id, raw: false, json } => show(context, id, Form::from(*json)).await,
        QuarantineVerb::Replay { id, who, json } => replay(context, id, who, Form::from(*json)).await,
        QuarantineVerb::Discard { id, who, reason, json } => discard(context, id, who, reason, Form::from(*json)).await,
    }
}

async fn list(context: &Context, which: Which, form: Form) -> anyhow::Result<ExitCode> {
    let rows = context.store.quarantine_rows(which).await?;
    let mut out = Out::new();
    match form {
        Form::Programs => out.json(&rows.iter().map(row_json).collect())?,
        Form::People => {
            let mut table = Table::new(&[
                ("编号 id", Column::Text),
                ("收到 received", Column::Text),
                ("状态 state", Column::Text),
                ("类型 type", Column::Text),
                ("来源 source", Column::Short),
                ("事件 event", Column::Short),
                ("原因 reason", Column::Text),
            ]);
            for row in &rows {
                let item = &row.item;
                table.row(vec![
                    row.id.clone(),
                    local(&context.settings, row.received_at),
                    row.state.clone(),
                    item.event_type.clone().unwrap_or_default(),
                    item.source.clone().unwrap_or_default(),
                    item.event_id.clone().unwrap_or_default(),
                    submit::why(item),
                ]);
            }
            out.lines(&table.lines())?;
            out.line(&format!("共 {} 条 in quarantine", rows.len()))?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

async fn show(context: &Context, id: &str, form: Form) -> anyhow::Result<ExitCode> {
    let row = find(context, id).await?;
    let text = masked_body(&String::from_utf8_lossy(&row.item.body));
    let mut out = Out::new();
    match form {
        Form::Programs => {
            let mut shown = row_json(&row);
            shown["body"] = json!(text);
            out.json(&shown)?;
        }
        Form::People => {
            let item = &row.item;
            out.line(&format!("编号 id        {}", row.id))?;
            out.line(&format!("收到 received  {} ({})", local(&context.settings, row.received_at), item.way))?;
            out.line(&format!("状态 state     {}", row.state))?;
            if let Some((by, at, why)) = &row.closed {
                out.line(&format!("办结 closed    {} by {by}: {why}", local(&context.settings, *at)))?;
            }
            for (head, value) in [
                ("类型 type      ", &item.event_type),
                ("来源 source    ", &item.source),
                ("事件 event     ", &item.event_id),
            ] {
                if let Some(value) = value {
                    out.line(&format!("{head}{value}"))?;
                }
            }
            out.line(&format!("原因 reason    {}", submit::why(item)))?;
            out.line(&format!("内容 body      {} bytes", item.body.len()))?;
            text.lines().try_for_each(|line| out.line(line))?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The bytes as they came, for whoever mends them: nothing before and nothing behind.
async fn raw(context: &Context, id: &str) -> anyhow::Result<ExitCode> {
    let row = find(context, id).await?;
    let mut out = std::io::stdout().lock();
    out.write_all(&row.item.body)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

async fn replay(context: &Context, id: &str, who: &SignerArgs, form: Form) -> anyhow::Result<ExitCode> {
    let by = closing_operator(&*context.store, who).await?;
    let row = find_open(context, id).await?;
    let raw = Raw { body: row.item.body.clone(), routing_key: None, way: REPLAY };
    let handed = context.door.hand_in(&[raw]).await?.into_iter().next();
    let Some(handed) = handed else { anyhow::bail!("the door gave no answer; {id} stays open") };
    let (outcome, refused) = match &handed {
        Handed::Accepted => ("accepted", None),
        Handed::Duplicate => ("duplicate", None),
        Handed::Acted(ActOutcome::Done) => ("done", None),
        Handed::Acted(ActOutcome::AwaitsSecondOfficer) => ("awaits_second_officer", None),
        Handed::Refused(reason) => return refused_act(context, &row, &by, reason, form).await,
        Handed::Quarantined(item) => ("quarantined", Some(item)),
    };
    match refused {
        None => close(context, &row, "replayed", &by, outcome).await?,
        Some(_) => close_echoes(context, &row, &by).await?,
    }
    let mut out = Out::new();
    match (form, refused) {
        (Form::Programs, None) => out.json(&json!({"id": row.id, "outcome": outcome, "state": "replayed"}))?,
        (Form::Programs, Some(item)) => out.json(&json!({"id": row.id, "outcome": outcome, "state": "open",
            "reason_code": item.reason_code, "field": item.field, "reason": item.reason}))?,
        (Form::People, None) => out.line(&format!("{}: {id} is closed as replayed", submit::word(&handed)))?,
        (Form::People, Some(_)) => {}
    }
    out.flush()?;
    if let Some(item) = refused {
        eprintln!(
            "zhida: 仍不能接收 it still cannot be taken in and stays open: {}",
            super::out::plain(&submit::why(item))
        );
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// An act that was authentic after all and is refused is in the journal: there is nothing left to mend.
async fn refused_act(
    context: &Context,
    row: &QuarantineRow,
    by: &OperatorId,
    reason: &str,
    form: Form,
) -> anyhow::Result<ExitCode> {
    close(context, row, "replayed", by, &format!("the act was refused: {reason}")).await?;
    let mut out = Out::new();
    if form == Form::Programs {
        out.json(&json!({"id": row.id, "outcome": "refused", "state": "replayed", "reason": reason}))?;
    }
    out.flush()?;
    eprintln!("zhida: 未办 refused, and {} is closed: {}", row.id, super::out::plain(reason));
    Ok(ExitCode::FAILURE)
}

/// The door has put the refused bytes into quarantine once more, when the reason or the way is another than before. The row
/// that was replayed stays open; its echo is closed, so that one message is one thing to do.
async fn close_echoes(context: &Context, row: &QuarantineRow, by: &OperatorId) -> anyhow::Result<()> {
    let why = format!("the same bytes as {}, replayed and refused; that one stays open", row.id);
    for echo in context.store.quarantine_rows(Which::Open).await? {
        if echo.id != row.id && echo.item.way == REPLAY && echo.item.body == row.item.body {
            context.store.close_quarantine(&echo.id, "discarded", &by.0, &why).await?;
        }
    }
    Ok(())
}

async fn discard(context: &Context, id: &str, who: &SignerArgs, reason: &str, form: Form) -> anyhow::Result<ExitCode> {
    if reason.trim().is_empty() {
        return Err(super::Usage("--reason is empty; say why it needs nothing more".to_owned()).into());
    }
    let by = closing_operator(&*context.store, who).await?;
    let row = find_open(context, id).await?;
    close(context, &row, "discarded", &by, reason).await?;
    let mut out = Out::new();
    match form {
        Form::Programs => out.json(&json!({"id": row.id, "state": "discarded"}))?,
        Form::People => out.line(&format!("已作废 discarded: {}; its bytes are kept", row.id))?,
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

async fn close(context: &Context, row: &QuarantineRow, state: &str, by: &OperatorId, why: &str) -> anyhow::Result<()> {
    if !context.store.close_quarantine(&row.id, state, &by.0, why).await? {
        anyhow::bail!("{} was closed by somebody else in the meantime; `zhida quarantine show {}`", row.id, row.id);
    }
    Ok(())
}

async fn find(context: &Context, id: &str) -> anyhow::Result<QuarantineRow> {
    let rows = context.store.quarantine_rows(Which::All).await?;
    rows.into_iter()
        .find(|row| row.id == id)
        .ok_or_else(|| anyhow::anyhow!("{id:?} is nothing in quarantine; `zhida quarantine list --all` shows all"))
}

async fn find_open(context: &Context, id: &str) -> anyhow::Result<QuarantineRow> {
    let row = find(context, id).await?;
    if let Some((by, at, why)) = &row.closed {
        let at = local(&context.settings, *at);
        anyhow::bail!("{id} was {} by {by} at {at} already: {}", row.state, super::out::plain(why));
    }
    Ok(row)
}

fn row_json(row: &QuarantineRow) -> Value {
    let item = &row.item;
    let closed = row.closed.as_ref().map(|(by, at, why)| json!({"by": by, "at": format!("{at:.6}"), "reason": why}));
    json!({"id": row.id, "received_at": format!("{:.6}", row.received_at), "source": item.source,
        "event_id": item.event_id, "type": item.event_type, "reason_code": item.reason_code, "field": item.field,
        "reason": item.reason, "way": item.way, "state": row.state, "closed": closed})
}
