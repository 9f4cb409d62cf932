//! `zhida notices status`: the stop switch, how the providers stand, how many notices wait and for what, and what was asked for and told
//! to nobody.

use super::notice_words::{not_made_words, waits_words};
use super::out::Out;
use super::{Form, local};
use crate::notice_rules::notice_rules;
use crate::notice_wiring::NO_CHANNEL;
use crate::wiring::Context;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::process::ExitCode;
use zhida_core::notice::{ProviderHealth, Switch, WaitsFor};
use zhida_core::ports::notices::{RequestCounts, Waiting, WaitingNotices};
use zhida_core::view::micros;

/// The outcome of a request whose recipient has no address; what has to be told rings then.
const NO_ADDRESS: &str = "no_address";

/// The stop switch, how the providers stand, and what was ever asked for and told to nobody.
pub(super) async fn status(context: &Context, form: Form) -> anyhow::Result<ExitCode> {
    let switch = context.store.notice_switch().await?;
    let (figures, now) = (context.store.figures().await?.notices, context.store.now().await?);
    let RequestCounts { waiting: not_made_yet, by_outcome: mut not_made } = context.store.count_requests().await?;
    let waiting = context.store.waiting_notices().await?;
    not_made.remove("made");
    let rules = notice_rules(&context.settings);
    let none = ProviderHealth::default();
    let providers =
        rules.providers.iter().map(|one| (one.name.as_str(), figures.providers.get(&one.name).unwrap_or(&none)));
    let mut out = Out::new();
    match form {
        Form::Programs => {
            let stopped = switch.stopped.as_ref();
            out.json(&json!({"notices": if stopped.is_some() { "stopped" } else { "open" },
                "stopped_by": stopped.map(|one| &one.by), "reason": stopped.map(|one| &one.reason),
                "since": micros(stopped.map(|one| one.at)), "not_made": not_made,
                "not_made_yet": not_made_yet, "waiting": waiting_json(&waiting),
                "providers": providers.map(|(name, health)| provider_json(name, health, now)).collect::<Vec<_>>()}))?;
        }
        Form::People => {
            out.lines(&switch_lines(context, &switch))?;
            let lines: Vec<String> = providers.map(|(name, one)| provider_line(context, name, one, now)).collect();
            if lines.is_empty() {
                out.line(NO_CHANNEL)?;
            }
            out.lines(&lines)?;
            out.lines(&waiting_lines(&|at| local(&context.settings, at), &waiting))?;
            if not_made_yet > 0 {
                out.line(&format!("待生成 to be made: {not_made_yet}"))?;
            }
            for (code, count) in &not_made {
                let who =
                    if code == NO_ADDRESS { "；名单 who: zhida alarms list --kind notice_no_address" } else { "" };
                out.line(&format!("未生成 not made: {count} {}{who}", not_made_words(code)))?;
            }
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// By the names of [`WaitsFor::code`]; what waits for nothing but its turn under `turn`.
fn waiting_json(waiting: &WaitingNotices) -> Value {
    let one = |(what, waiting): (&Option<WaitsFor>, &Waiting)| {
        let value = json!({"notices": waiting.count, "until": micros(Some(waiting.until))});
        (what.map_or("turn", WaitsFor::code).to_owned(), value)
    };
    waiting.iter().map(one).collect::<serde_json::Map<_, _>>().into()
}

/// How many wait, for what, and when the first of them is looked at again where that is in sight.
fn waiting_lines(time: &dyn Fn(Timestamp) -> String, waiting: &WaitingNotices) -> Vec<String> {
    let one = |(what, Waiting { count, until }): (&Option<WaitsFor>, &Waiting)| {
        let words = what.map_or("依次发送 their turn", waits_words);
        let until = match what {
            Some(WaitsFor::Quiet | WaitsFor::Ceiling) => format!("，至 until {}", time(*until)),
            Some(WaitsFor::Limit | WaitsFor::Provider) => format!("，最早 at the earliest {}", time(*until)),
            // That depends on people, or on nothing.
            Some(WaitsFor::Switch | WaitsFor::Call | WaitsFor::Word) | None => String::new(),
        };
        format!("等待 waiting: {count} 条，等 for {words}{until}")
    };
    waiting.iter().map(one).collect()
}

fn provider_json(name: &str, health: &ProviderHealth, now: Timestamp) -> Value {
    let shut_until = health.shut_until.filter(|until| health.is_shut() && *until > now);
    json!({"name": name, "state": if health.is_shut() { "shut" } else { "open" }, "shut_since": micros(health.shut_since),
        "shut_until": micros(shut_until), "failures": health.failures, "last_failure": health.last_failure})
}

/// How a provider stands, in words.
fn provider_line(context: &Context, name: &str, health: &ProviderHealth, now: Timestamp) -> String {
    let time = |at: Timestamp| local(&context.settings, at);
    let why = health.last_failure.as_ref().map(|why| format!("; 最近的错误 last error: {why}")).unwrap_or_default();
    if !health.is_shut() {
        let failures = match health.failures {
            0 => String::new(),
            count => format!(" ({count} 次失败 failures in a row)"),
        };
        return format!("渠道 provider {name}: 可用 usable{failures}{why}");
    }
    let since = health.shut_since.map(|at| format!(" since {}", time(at))).unwrap_or_default();
    let until = match health.shut_until {
        Some(until) if until > now => format!(", 下次尝试 next try {}", time(until)),
        Some(_) | None => ", 下一条消息将试一次 the next message tries".to_owned(),
    };
    format!("渠道 provider {name}: 因故障暂停 shut after failures{since}{until}{why}")
}

/// The stop switch in words.
pub(super) fn switch_lines(context: &Context, switch: &Switch) -> Vec<String> {
    match &switch.stopped {
        None => vec!["通知未停发 notices are not stopped".to_owned()],
        Some(one) => vec![format!(
            "通知已停发 notices are stopped by {} since {}: {}; `zhida notices resume` sends them again",
            one.by,
            local(&context.settings, one.at),
            one.reason
        )],
    }
}

#[cfg(test)]
mod tests {
    use super::{Waiting, WaitingNotices, WaitsFor, waiting_json, waiting_lines};
    use jiff::Timestamp;
    use serde_json::json;

    #[test]
    fn what_waits_is_told_with_its_reason_and_its_time() {
        let waiting = |count| Waiting { count, until: Timestamp::UNIX_EPOCH };
        let all: WaitingNotices = [
            (None, waiting(2)),
            (Some(WaitsFor::Ceiling), waiting(1_457)),
            (Some(WaitsFor::Provider), waiting(3)),
            (Some(WaitsFor::Switch), waiting(4)),
        ]
        .into();
        let time = |at: Timestamp| format!("[{at}]");
        assert_eq!(
            waiting_lines(&time, &all),
            [
                "等待 waiting: 2 条，等 for 依次发送 their turn",
                "等待 waiting: 1457 条，等 for 总量上限 room under a ceiling，至 until [1970-01-01T00:00:00Z]",
                "等待 waiting: 3 条，等 for 可用渠道 a provider that takes it，最早 at the earliest [1970-01-01T00:00:00Z]",
                "等待 waiting: 4 条，等 for 恢复发送 that sending is resumed",
            ]
        );
        let told = waiting_json(&all);
        assert_eq!((&told["turn"]["notices"], &told["ceiling"]["notices"]), (&json!(2), &json!(1_457)), "{told}");
    }
}
