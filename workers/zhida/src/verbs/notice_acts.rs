//! What operators do about notices from the command line: signed events through the same door as any other. Who may do what, and what
//! may not be turned off or sent again, is the core's.

use super::notice_status::switch_lines;
use super::notices::known_kind;
use super::out::Out;
use super::{Usage, acting, typed_id, typed_text};
use crate::cli::{NoticesVerb, SwitchArgs, WishArg};
use crate::wiring::Context;
use std::process::ExitCode;
use zhida_core::ports::door::Handed;
use zhida_schemas::InboundEvent;
use zhida_schemas::notice_acts::{PreferNotice, ResendNotice, Wish};
use zhida_schemas::operator::SwitchAct;
use zhida_schemas::time::Time;

/// Does the act, and says what became of it.
pub(super) async fn run(context: &Context, verb: &NoticesVerb) -> anyhow::Result<ExitCode> {
    let now = context.store.now().await?;
    let (who, event) = event(verb, Time::from(now))?;
    let handed = acting::hand_in(context, &who.operator, &who.key, &event, now).await?;
    let mut out = Out::new();
    let code = acting::say(&mut out, &handed, &who.operator)?;
    if matches!(handed, Handed::Acted(_)) {
        out.lines(&present(context, verb).await?)?;
    }
    out.flush()?;
    Ok(code)
}

fn event(verb: &NoticesVerb, at: Time) -> anyhow::Result<(&SwitchArgs, InboundEvent)> {
    Ok(match verb {
        NoticesVerb::Stop { act } => (act, InboundEvent::OperatorStopNotices(switch(act, at)?)),
        NoticesVerb::Resume { act } => (act, InboundEvent::OperatorResumeNotices(switch(act, at)?)),
        NoticesVerb::Resend { id, act } => {
            let SwitchAct { operator_id, reason, .. } = switch(act, at)?;
            let notice_id = typed_id("notice id", id)?;
            (act, InboundEvent::OperatorResendNotice(ResendNotice { operator_id, at, notice_id, reason }))
        }
        NoticesVerb::Preference { recipient, kind, wish, act } => {
            let SwitchAct { operator_id, reason, .. } = switch(act, at)?;
            let recipient_id = typed_id("recipient", recipient)?;
            let kind = typed_id("kind", known_kind(kind)?.code())?;
            let wish = match wish {
                WishArg::On => Wish::On,
                WishArg::Off => Wish::Off,
            };
            let prefer = PreferNotice { operator_id, at, recipient_id, kind, wish, reason };
            (act, InboundEvent::OperatorPreferNotice(prefer))
        }
        NoticesVerb::List { .. }
        | NoticesVerb::Show { .. }
        | NoticesVerb::Status { .. }
        | NoticesVerb::Test { .. }
        | NoticesVerb::Templates(_) => {
            return Err(Usage("this verb is no act of a person".to_owned()).into());
        }
    })
}

fn switch(act: &SwitchArgs, at: Time) -> Result<SwitchAct, Usage> {
    Ok(SwitchAct { operator_id: typed_id("--as", &act.operator)?, at, reason: typed_text("--reason", &act.reason)? })
}

/// How things stand after the act.
async fn present(context: &Context, verb: &NoticesVerb) -> anyhow::Result<Vec<String>> {
    Ok(match verb {
        NoticesVerb::Stop { .. } | NoticesVerb::Resume { .. } => {
            switch_lines(context, &context.store.notice_switch().await?)
        }
        NoticesVerb::Resend { id, .. } => vec![format!(
            "将以现有联系方式另发一条 it is told again by a notice of its own, with the address of now; {id} stays on record as it ended"
        )],
        NoticesVerb::Preference { recipient, kind, wish, .. } => {
            let told = match wish {
                WishArg::On => "恢复通知 is told again",
                WishArg::Off => "不再通知 is told no more",
            };
            vec![format!("{recipient} {kind}: {told}")]
        }
        NoticesVerb::List { .. }
        | NoticesVerb::Show { .. }
        | NoticesVerb::Status { .. }
        | NoticesVerb::Test { .. }
        | NoticesVerb::Templates(_) => Vec::new(),
    })
}
