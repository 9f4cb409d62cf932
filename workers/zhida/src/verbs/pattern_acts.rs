//! What supervisors and inspectors say of patterns: signed with their own keys, through the same door as any other act.

use crate::cli::SwitchArgs;
use crate::wiring::Context;
use std::process::ExitCode;
use zhida_core::patterns::Judgement;

/// Says what a pattern is.
pub(crate) async fn judge(_: &Context, _: &str, _: Judgement, _: &SwitchArgs) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not yet")
}
