//! What officers do from the command line: the act becomes an event, signed with the officer's own key, and goes through the
//! same door as any other event, so that it works beside a running `serve`. Roles and four eyes are the core's.

use super::acting::{hand_in, say};
use super::out::Out;
use super::present::{state_word, switch_lines};
use super::{Usage, typed_application, typed_id};
use crate::cli::{ActArgs, PayoutsVerb, SwitchArgs};
use crate::wiring::Context;
use anyhow::Context as _;
use std::path::Path;
use std::process::ExitCode;
use zhida_core::ids::ApplicationId;
use zhida_core::payout::{HoldCode, Release};
use zhida_core::ports::door::Handed;
use zhida_core::steps::subject;
use zhida_schemas::InboundEvent;
use zhida_schemas::identifiers::Sha256Hex;
use zhida_schemas::operator::{Decide, PayoutAct, Release as ReleaseAct, SwitchAct, Verdict};
use zhida_schemas::parts::{AtLeastOne, Document, Generation, Tranche};
use zhida_schemas::text::{Id, Name, Text};
use zhida_schemas::time::Time;

/// Does the act, and says what became of it.
pub(crate) async fn run(context: &Context, verb: &PayoutsVerb) -> anyhow::Result<ExitCode> {
    let now = context.store.now().await?;
    let lifted = codes_to_lift(context, verb).await?;
    let Some((who, event)) = event(verb, &lifted, Time::from(now))? else {
        return Err(Usage("this verb is no act of an officer".to_owned()).into());
    };
    let mut out = Out::new();
    let handed = hand_in(context, &who.operator, &who.key, &event, now).await?;
    if let (Handed::Acted(_), false) = (&handed, lifted.is_empty()) {
        out.line(&format!("解除 lifts: {}", lifted.join(", ")))?;
    }
    let code = say(&mut out, &handed, &who.operator)?;
    if code == ExitCode::SUCCESS {
        out.lines(&present(context, verb).await?)?;
    }
    out.flush()?;
    Ok(code)
}

/// The codes that `release` signs: those named, else every hold in force that officers may lift.
async fn codes_to_lift(context: &Context, verb: &PayoutsVerb) -> anyhow::Result<Vec<String>> {
    let PayoutsVerb::Release { application_id, codes, act } = verb else { return Ok(Vec::new()) };
    if !codes.is_empty() {
        return Ok(codes.clone());
    }
    let payouts = context.store.payouts_of(&typed_application(application_id)?).await?;
    let concerned = payouts.iter().find(|payout| payout.key.tranche == act.tranche);
    let payout = concerned.with_context(|| format!("{application_id} has no payout of tranche {}", act.tranche))?;
    let in_force = || payout.holds.keys();
    let lifted: Vec<String> =
        in_force().filter(|code| code.release() != Release::Nobody).map(|code| code.code().to_owned()).collect();
    if lifted.is_empty() {
        let all: Vec<&str> = in_force().map(|code| code.code()).collect();
        anyhow::bail!(
            "no hold of {application_id} can be lifted by officers (in force: {}); `zhida trace` says what ends them",
            if all.is_empty() { "none".to_owned() } else { all.join(", ") }
        );
    }
    Ok(lifted)
}

fn event<'a>(
    verb: &'a PayoutsVerb,
    lifted: &[String],
    at: Time,
) -> anyhow::Result<Option<(&'a SwitchArgs, InboundEvent)>> {
    Ok(Some(match verb {
        PayoutsVerb::Hold { application_id, act } => {
            (&act.who, InboundEvent::OperatorHold(on_payout(application_id, act, at)?))
        }
        PayoutsVerb::Cancel { application_id, act } => {
            (&act.who, InboundEvent::OperatorCancel(on_payout(application_id, act, at)?))
        }
        PayoutsVerb::Release { application_id, act, .. } => {
            let PayoutAct { operator_id, application_id, tranche, reason, .. } = on_payout(application_id, act, at)?;
            let reason_codes = hold_codes(lifted)?;
            let release = ReleaseAct { operator_id, at, application_id, tranche, reason_codes, reason };
            (&act.who, InboundEvent::OperatorRelease(release))
        }
        PayoutsVerb::Decide { application_id, decision, generation, proof, act } => {
            let PayoutAct { operator_id, application_id, tranche, reason, .. } = on_payout(application_id, act, at)?;
            let decision = verdict(decision)?;
            if decision == Verdict::Settled && proof.is_none() {
                return Err(
                    Usage("--decision settled counts with a written proof only: give --proof FILE".to_owned()).into()
                );
            }
            let generation = Generation::try_from(i64::from(*generation))
                .map_err(|fault| Usage(format!("--generation {generation} {}", fault.reason)))?;
            let proof = proof.as_deref().map(document).transpose()?;
            let decide = Decide { operator_id, at, application_id, tranche, generation, decision, proof, reason };
            (&act.who, InboundEvent::OperatorDecide(decide))
        }
        PayoutsVerb::Stop { act } => (act, InboundEvent::OperatorStop(on_switch(act, at)?)),
        PayoutsVerb::Resume { act } => (act, InboundEvent::OperatorResume(on_switch(act, at)?)),
        PayoutsVerb::List { .. } | PayoutsVerb::Status { .. } => return Ok(None),
    }))
}

fn on_payout(application_id: &str, act: &ActArgs, at: Time) -> Result<PayoutAct, Usage> {
    let tranche = Tranche::try_from(i64::from(act.tranche))
        .map_err(|fault| Usage(format!("--tranche {} {}", act.tranche, fault.reason)))?;
    let SwitchAct { operator_id, at, reason } = on_switch(&act.who, at)?;
    Ok(PayoutAct { operator_id, at, application_id: typed_id("application id", application_id)?, tranche, reason })
}

fn on_switch(act: &SwitchArgs, at: Time) -> Result<SwitchAct, Usage> {
    let reason = Text::parse(act.reason.as_str())
        .map_err(|fault| Usage(format!("--reason {}: {}", fault.reason, fault.code.remedy())))?;
    Ok(SwitchAct { operator_id: typed_id("--as", &act.operator)?, at, reason })
}

fn hold_codes(codes: &[String]) -> Result<AtLeastOne<Id>, Usage> {
    let known = |code: &String| {
        let found = HoldCode::from_code(code.trim()).ok_or_else(|| {
            let all: Vec<&str> = HoldCode::ALL.iter().map(|code| code.code()).collect();
            Usage(format!("--codes {code:?} is no reason code of a hold; use some of {}", all.join(", ")))
        })?;
        typed_id("--codes", found.code())
    };
    let ids = codes.iter().map(known).collect::<Result<Vec<Id>, Usage>>()?;
    AtLeastOne::try_from(ids).map_err(|fault| Usage(format!("--codes {}", fault.reason)))
}

fn verdict(word: &str) -> Result<Verdict, Usage> {
    match word {
        "settled" => Ok(Verdict::Settled),
        "retry" => Ok(Verdict::Retry),
        "close" => Ok(Verdict::Close),
        other => Err(Usage(format!("--decision {other:?} is no decision; use settled, retry or close"))),
    }
}

/// The proof itself stays where it is; its name and digest are signed.
fn document(path: &Path) -> anyhow::Result<Document> {
    let bytes = std::fs::read(path).with_context(|| format!("the proof {} cannot be read", path.display()))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let title =
        Name::parse(name).map_err(|fault| Usage(format!("the name of --proof {}; rename the file", fault.reason)))?;
    Ok(Document { title, number: None, date: None, sha256: Sha256Hex::of(&bytes), uri: None })
}

/// How things stand after the act.
async fn present(context: &Context, verb: &PayoutsVerb) -> anyhow::Result<Vec<String>> {
    match verb {
        PayoutsVerb::Hold { application_id, act }
        | PayoutsVerb::Release { application_id, act, .. }
        | PayoutsVerb::Cancel { application_id, act }
        | PayoutsVerb::Decide { application_id, act, .. } => {
            let payouts = context.store.payouts_of(&ApplicationId(application_id.clone())).await?;
            let concerned = payouts.iter().filter(|payout| payout.key.tranche == act.tranche);
            Ok(concerned
                .map(|payout| {
                    let state = payout.state();
                    let holds: Vec<&str> = payout.holds.keys().map(|code| code.code()).collect();
                    let holds = if holds.is_empty() { String::new() } else { format!(" ({})", holds.join(", ")) };
                    format!("{}: {} {}{holds}", subject(&payout.key), state_word(state), state.code())
                })
                .collect())
        }
        PayoutsVerb::Stop { .. } | PayoutsVerb::Resume { .. } => {
            Ok(switch_lines(&context.settings, &context.store.switch().await?))
        }
        PayoutsVerb::List { .. } | PayoutsVerb::Status { .. } => Ok(Vec::new()),
    }
}
