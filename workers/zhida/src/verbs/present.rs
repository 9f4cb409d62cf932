//! How a payout stands now, for people: its state, what stands against it, and the way out with the command that takes it.

use super::local;
use jiff::Timestamp;
use zhida_config::Settings;
use zhida_core::obstacle::Obstacle;
use zhida_core::payout::{Hold, HoldCode, Instruction, Payout, PayoutState, RejectionClass, Release};
use zhida_core::ports::store::Sending;
use zhida_core::steps::{Restore, Switch};
use zhida_core::view::masked;

/// What is so now, and who can change it.
pub(crate) fn present(settings: &Settings, payout: &Payout, sending: &Sending) -> Vec<String> {
    let state = payout.state();
    let part = part(payout);
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
    let speaking = payout.instructions.iter().find(|one| one.is_debited()).or_else(|| payout.speaking());
    if let Some(one) = speaking {
        lines.push(format!("    指令 instruction {} (generation {})", one.id, one.generation));
    }
    if let Some((code, text)) = payout.reason().filter(|_| state != PayoutState::Held) {
        lines.push(format!("    原因 reason [{code}] {text}"));
    }
    match state {
        PayoutState::Settled | PayoutState::Returned | PayoutState::Cancelled => {}
        PayoutState::Held
        | PayoutState::Ready
        | PayoutState::Sending
        | PayoutState::Unknown
        | PayoutState::Pending
        | PayoutState::Refused => {
            lines.extend(speaking.into_iter().flat_map(|one| way_out(payout, state, one)));
            lines.extend(payout.holds.iter().flat_map(|(code, hold)| hold_lines(settings, payout, *code, hold)));
        }
    }
    if let Some(obstacle) = Obstacle::of(payout, sending) {
        lines.push(format!("  等待 waits because {}", obstacle_words(settings, &obstacle)));
    }
    lines
}

/// What a ready payout waits for, as the end of a sentence.
pub(crate) fn obstacle_words(settings: &Settings, obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::Stopped { by, since, why } => {
            format!("发送已停 sending is stopped by {by}{}: {why}", since_words(settings, *since))
        }
        Obstacle::UsedUp(limit) => {
            let until = if *limit == "limits.per_hour" { "整点 hour" } else { "当日 day" };
            format!("限额用尽 {limit} leaves no room for it; it goes on by itself when this {until} is over")
        }
        Obstacle::AboveLimit(limit) => {
            format!(
                "超过限额 its amount is above {limit} itself and never fits: raise the limit in the settings of every process"
            )
        }
    }
}

/// The stop switch in words.
pub(crate) fn switch_lines(settings: &Settings, switch: &Switch) -> Vec<String> {
    let Some((by, why)) = &switch.stopped_by else { return vec!["发送开放 sending is open".to_owned()] };
    let mut lines = vec![format!("发送已停 sending is stopped by {by}{}: {why}", since_words(settings, switch.since))];
    match (&switch.restore, &switch.resumed_by) {
        (Some(Restore { opens_from: None, .. }), _) => {
            lines.push("  数据库回退 the database went back in time: run `zhida recover`".to_owned());
        }
        (Some(Restore { opens_from: Some(from), .. }), None) => {
            lines.push(format!(
                "  两名放行人可开放,不早于 two releasers may open it, not before {}",
                local(settings, *from)
            ));
        }
        (_, Some(first)) => {
            lines.push(format!("  {first} 已同意开放 wants it open; a second, different officer is awaited"));
        }
        (None, None) => {
            lines.push(
                "  两名放行人开放 two releasers open it with `zhida payouts resume`; nobody has so far".to_owned(),
            );
        }
    }
    lines
}

fn since_words(settings: &Settings, since: Option<Timestamp>) -> String {
    since.map(|since| format!(" since {}", local(settings, since))).unwrap_or_default()
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

fn part(payout: &Payout) -> String {
    if payout.key.tranche == 1 { String::new() } else { format!(" --tranche {}", payout.key.tranche) }
}

/// Where evidence alone does not go on.
fn way_out(payout: &Payout, state: PayoutState, one: &Instruction) -> Vec<String> {
    let decide = |decision: &str| {
        format!(
            "      zhida payouts decide {} --decision {decision} --generation {}{} --as OPERATOR --key FILE --reason TEXT",
            payout.key.application_id,
            one.generation,
            part(payout)
        )
    };
    let mut lines = Vec::new();
    if state == PayoutState::Refused {
        match one.rejection.as_ref().map(|rejection| rejection.class) {
            Some(RejectionClass::Payee) => lines.push(
                "    待更正账户 it waits for a signed payee.corrected.v1; a new instruction then goes out by itself"
                    .to_owned(),
            ),
            Some(RejectionClass::Fund | RejectionClass::Window) | None => {
                lines.push("    稍后自动重付 a new instruction goes out by itself".to_owned());
            }
            Some(RejectionClass::Other) => {
                lines.push("    需两名复核人决定 two different releasers decide, each with:".to_owned());
                lines.push(decide("retry"));
            }
        }
    } else if state == PayoutState::Unknown && (one.contradiction || one.resend_expired) {
        lines.push(
            "    核对银行账单后由两名复核人认定 after a look at the bank's statements two releasers decide, each with:"
                .to_owned(),
        );
        lines.push(decide("settled --proof FILE"));
        lines.push(decide("close"));
    }
    // What is noted there after both have spoken is none of these.
    let waiting =
        one.decision_by.as_ref().filter(|(_, decision)| ["Settled", "Retry", "Close"].contains(&decision.as_str()));
    if let Some((first, decision)) = waiting {
        let decision = decision.to_lowercase();
        lines.push(format!(
            "    {first} 已认定 has said {decision}; 待另一名复核人 a second, different releaser is awaited"
        ));
    }
    lines
}

fn hold_lines(settings: &Settings, payout: &Payout, code: HoldCode, hold: &Hold) -> Vec<String> {
    let (chinese, english) = code.sentences();
    let mut lines =
        vec![format!("  暂缓 hold [{}] {chinese} {english} {}", code.code(), hold.detail).trim_end().to_owned()];
    let command = format!(
        "      zhida payouts release {} --codes {}{} --as OPERATOR --key FILE --reason TEXT",
        payout.key.application_id,
        code.code(),
        part(payout)
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
                Some(first) => {
                    format!(
                        "      {first} 已同意 has agreed; 还需另一名复核人 a second, different releaser lifts it with:"
                    )
                }
            });
            lines.push(command);
        }
    }
    lines
}
