//! What supervisors and inspectors say of patterns: signed with their own keys, through the same door as any other act.

use super::out::Out;
use super::{acting, typed_id, typed_text};
use crate::cli::SwitchArgs;
use crate::wiring::Context;
use std::process::ExitCode;
use zhida_schemas::InboundEvent;
use zhida_schemas::supervision_acts::{JudgePattern, Judgement};
use zhida_schemas::time::Time;

/// Says what a pattern is.
pub(super) async fn judge(
    context: &Context,
    id: &str,
    judgement: Judgement,
    act: &SwitchArgs,
) -> anyhow::Result<ExitCode> {
    let now = context.store.now().await?;
    let event = InboundEvent::OperatorJudgePattern(JudgePattern {
        operator_id: typed_id("--as", &act.operator)?,
        at: Time::from(now),
        pattern_id: typed_id("pattern id", id)?,
        judgement,
        reason: typed_text("--reason", &act.reason)?,
    });
    let handed = acting::hand_in(context, &act.operator, &act.key, &event, now).await?;
    let mut out = Out::new();
    let code = acting::say(&mut out, &handed, &act.operator)?;
    out.flush()?;
    Ok(code)
}
