//! `zhida trace`: one application's whole story, oldest first, and what stands against it now with the way out.

use super::out::{JsonList, Out};
use super::present::present;
use super::table::{Column, Table};
use super::{Form, local, typed_application};
use crate::wiring::Context;
use jiff::Timestamp;
use serde_json::Value;
use std::process::ExitCode;
use zhida_config::Settings;
use zhida_core::ids::ApplicationId;
use zhida_core::ports::store::JournalEntry;
use zhida_core::view::journal_view;

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
            let sending = context.store.sending().await?;
            for payout in &payouts {
                out.line("")?;
                out.lines(&present(&context.settings, payout, &sending))?;
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
        let mut facts = facts(settings, &entry.detail);
        // A later part of the award has rows of its own.
        if entry.subject != id.0 {
            facts = format!("{}: {facts}", entry.subject);
        }
        table.row(vec![at, words(&entry.kind), entry.by.clone(), facts]);
    }
    table
}

/// `{"code":"fund_short","detail":"…"}` as `code=fund_short detail=…`, times by the clocks of the district; digests are for programs,
/// who read JSON.
fn facts(settings: &Settings, detail: &Value) -> String {
    let Value::Object(members) = detail else { return detail.to_string() };
    let fact = |(name, value): (&String, &Value)| match value {
        _ if name == "sha256" => None,
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(match text.parse::<Timestamp>() {
            Ok(at) => format!("{name}={}", local(settings, at)),
            Err(_) => format!("{name}={text}"),
        }),
        other => Some(format!("{name}={other}")),
    };
    members.iter().filter_map(fact).collect::<Vec<_>>().join("  ")
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
        "payout.overdue" => "超过24小时 overdue",
        "alert.raised" => "预警 alert raised",
        "alert.reached" => "预警送达 alert reached somebody",
        "alert.recorded" => "预警存档 alert recorded",
        "alert.cleared" => "预警消除 alert cleared",
        "alert.acknowledged" => "预警知悉 alert acknowledged",
        "order.issued" => "督办签发 order issued",
        "order.replied" => "督办回复 order answered",
        "order.returned" => "回复退回 answer returned",
        "order.closed" => "督办销号 order closed",
        "digest.made" => "日报 digest made",
        "notice.not_made" => "未通知 nobody told",
        "notice.made" => "生成通知 notice made",
        "notice.sent" => "通知发出 notice sent",
        "notice.delivered" => "通知送达 notice delivered",
        "notice.failed" => "通知失败 notice failed",
        "notice.gave_up" => "通知放弃 notice given up",
        "notice.expired" => "通知过时 notice not sent, its point was lost",
        "notice.asked_again" => "再次通知 notice asked for again",
        "notices.stopped" => "停发通知 notices stopped",
        "notices.resumed" => "恢复通知 notices resumed",
        "notices.preference" => "通知偏好 preference of notices",
        "operator.acted" => "经办操作 operator acted",
        "operator.refused" => "操作被拒 act refused",
        other => {
            return match (other.strip_prefix("payout.at_risk_after_"), other.strip_prefix("alarm.")) {
                (Some(hours), _) => format!("{hours} 未到账 unpaid for {hours}"),
                (None, Some(alarm)) => format!("报警 alarm {alarm}"),
                (None, None) => other.to_owned(),
            };
        }
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::facts;
    use serde_json::json;
    use zhida_config::Settings;

    #[test]
    fn facts_are_told_without_quotes_and_without_what_is_empty() {
        let detail = json!({"code": "fund_short", "detail": "", "n": 2, "sha256": "ab", "none": null, "of": ["a", "b"],
            "until": "2026-11-23T16:00:00Z"});
        let settings = Settings::load(&[], std::iter::empty(), None).unwrap();
        let told = facts(&settings, &detail);
        assert_eq!(told, "code=fund_short  n=2  of=[\"a\",\"b\"]  until=2026-11-24 00:00:00");
    }
}
