//! `zhida trace`: one application's whole story, oldest first, and what stands against it now with the way out.

use super::out::{JsonList, Out};
use super::table::{Column, Table};
use super::{Form, local, typed_application};
use crate::wiring::Context;
use serde_json::Value;
use std::process::ExitCode;
use zhida_config::Settings;
use zhida_core::ids::ApplicationId;
use zhida_core::payout::{Hold, HoldCode, Payout, PayoutState, Release};
use zhida_core::ports::store::JournalEntry;
use zhida_core::view::{journal_view, masked};

/// Prints the story.
pub(crate) async fn run(context: &Context, application_id: &str, form: impl Into<Form>) -> anyhow::Result<ExitCode> {
    let id = typed_application(application_id)?;
    let entries = context.store.trace(&id).await?;
    if entries.is_empty() {
        anyhow::bail!(
            "application {id} is not known in district {}: nothing of it was taken in. `zhida payouts list` shows what was, \
             `zhida quarantine list` what could not be",
            context.district
        );
    }
    let mut out = Out::new();
    match form.into() {
        Form::Programs => {
            let mut list = JsonList::new(&mut out);
            entries.iter().try_for_each(|entry| list.member(&journal_view(entry)))?;
            list.end()?;
        }
        Form::People => {
            let payouts = context.store.payouts_of(&id).await?;
            out.lines(&story(&context.settings, &id, &entries).lines())?;
            for payout in &payouts {
                out.line("")?;
                out.lines(&present(&context.settings, payout))?;
            }
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn story(settings: &Settings, id: &ApplicationId, entries: &[JournalEntry]) -> Table {
    let zone = settings.calendar.timezone.iana_name().unwrap_or("UTC");
    let when = format!("时间 time ({zone})");
    let mut table = Table::new(&[
        (when.as_str(), Column::Text),
        ("事项 what", Column::Text),
        ("经办 by", Column::Text),
        ("内容 detail", Column::Text),
    ]);
    for entry in entries {
        let at = settings.calendar.timezone.to_datetime(entry.at).strftime("%Y-%m-%d %H:%M:%S%.3f").to_string();
        let mut facts = facts(&entry.detail);
        // A later part of the award has rows of its own.
        if entry.subject != id.0 {
            facts = format!("{}: {facts}", entry.subject);
        }
        table.row(vec![at, words(&entry.kind), entry.by.clone(), facts]);
    }
    table
}

/// `{"code":"fund_short","detail":"…"}` as `code=fund_short detail=…`.
fn facts(detail: &Value) -> String {
    let Value::Object(members) = detail else { return detail.to_string() };
    let fact = |(name, value): (&String, &Value)| match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(format!("{name}={text}")),
        other => Some(format!("{name}={other}")),
    };
    members.iter().filter_map(fact).collect::<Vec<_>>().join("  ")
}

/// What is so now, and who can change it.
fn present(settings: &Settings, payout: &Payout) -> Vec<String> {
    let part = if payout.key.tranche == 1 { String::new() } else { format!(" --tranche {}", payout.key.tranche) };
    let state = payout.state();
    let mut lines = vec![
        format!(
            "现状 now: {} {} — {} {} → {} {}{part}",
            state_word(state),
            state.code(),
            payout.amount,
            payout.currency,
            payout.payee.account_name,
            masked(&payout.payee.account_no),
        ),
        format!(
            "    审定 approved {}, 24小时到 due {}",
            local(settings, payout.approved_at),
            local(settings, payout.due_at)
        ),
    ];
    if let Some(speaking) = payout.speaking() {
        lines.push(format!("    指令 instruction {} (generation {})", speaking.id, speaking.generation));
    }
    match payout.reason() {
        Some((code, text)) if state != PayoutState::Held => lines.push(format!("    原因 reason [{code}] {text}")),
        Some(_) | None => {}
    }
    for (code, hold) in &payout.holds {
        lines.extend(hold_lines(settings, payout, *code, hold, &part));
    }
    lines
}

fn hold_lines(settings: &Settings, payout: &Payout, code: HoldCode, hold: &Hold, part: &str) -> Vec<String> {
    let (chinese, english) = code.sentences();
    let mut lines =
        vec![format!("  暂缓 hold [{}] {chinese} {english} {}", code.code(), hold.detail).trim_end().to_owned()];
    let command = format!(
        "      zhida payouts release {} --codes {}{part} --as OPERATOR --key FILE --reason TEXT",
        payout.key.application_id,
        code.code()
    );
    match code.release() {
        Release::Nobody => {
            let until = hold.until.map(|until| format!(", {}", local(settings, until))).unwrap_or_default();
            lines.push(format!("      不能人工解除 nobody may release it: its cause must go{until}"));
        }
        Release::One => {
            lines.push("      一名复核人可解除 one releaser may lift it:".to_owned());
            lines.push(command);
        }
        Release::Two => {
            lines.push(match &hold.released_by {
                None => "      需两名复核人解除 two different releasers lift it, each with:".to_owned(),
                Some(first) => format!(
                    "      {first} 已同意 has agreed; 还需另一名复核人 a second, different releaser lifts it with:"
                ),
            });
            lines.push(command);
        }
    }
    lines
}

/// A state in Chinese.
pub(crate) fn state_word(state: PayoutState) -> &'static str {
    match state {
        PayoutState::Held => "暂缓",
        PayoutState::Ready => "待付",
        PayoutState::Sending => "发送中",
        PayoutState::Unknown => "待查",
        PayoutState::Pending => "银行处理中",
        PayoutState::Settled => "已到账",
        PayoutState::Refused => "银行拒绝",
        PayoutState::Returned => "已退汇",
        PayoutState::Cancelled => "已取消",
    }
}

/// The journal's kinds in words; one that has none here stands for itself.
fn words(kind: &str) -> String {
    let words = match kind {
        "event.accepted" => "收到 event taken in",
        "payout.received" => "待兑付 payout received",
        "payout.held" => "暂缓 held",
        "payout.hold_lifted" => "解除暂缓 hold lifted",
        "payout.release_seconded_awaited" => "待第二人 second officer awaited",
        "payout.claimed" => "发送 sending",
        "payout.claimed_again" => "重发同一指令 sending the same again",
        "payout.call_doubtful" => "答复不明 no certain answer",
        "payout.call_not_taken_in" => "银行未受理 not taken in by the bank",
        "payout.message_refused" => "报文被拒 message refused",
        "payout.lease_expired" => "发送中断 claim ran out",
        "payout.stale_result" => "过期结果 stale result",
        "payout.on_the_way" => "银行已受理 on the way",
        "payout.known_to_bank" => "银行已有记录 known to the bank",
        "payout.unclear_word" => "答复难解 unclear word",
        "payout.absent" => "银行无记录 absent at the bank",
        "payout.debited" => "到账 credited",
        "payout.rejected" => "银行拒绝 refused by the bank",
        "payout.returned" => "退汇 returned",
        "payout.next_generation" => "新指令 new instruction",
        "payout.officer_decided" => "人工认定 officer's word",
        "payout.payee_corrected" => "更正账户 payee corrected",
        "payout.ended" => "终止 ended",
        "payout.signature_mismatch" => "与签名不符 not what was signed",
        "operator.acted" => "经办操作 operator acted",
        "operator.refused" => "操作被拒 act refused",
        other => return other.to_owned(),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::facts;
    use serde_json::json;

    #[test]
    fn facts_are_told_without_quotes_and_without_what_is_empty() {
        let detail = json!({"code": "fund_short", "detail": "", "n": 2, "none": null, "of": ["a", "b"]});
        assert_eq!(facts(&detail), "code=fund_short  n=2  of=[\"a\",\"b\"]");
    }
}
