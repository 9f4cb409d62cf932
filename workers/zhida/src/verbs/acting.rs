//! How an act of a person goes in from the command line: signed with the person's own key, through the same door as any other event, so
//! that it works beside a running `serve`; and what is said of it then. Who may do what is the core's.

use super::out::{Out, plain};
use super::{known_operator, submit, typed_id};
use crate::wiring::Context;
use anyhow::Context as _;
use jiff::Timestamp;
use std::path::Path;
use std::process::ExitCode;
use zhida_core::ports::door::{Handed, Raw};
use zhida_core::steps::ActOutcome;
use zhida_schemas::InboundEvent;
use zhida_schemas::signing::sign;
use zhida_schemas::text::{Id, Source};
use zhida_schemas::time::Time;

/// Signs an event with a person's own key and hands it in.
pub(super) async fn hand_in(
    context: &Context,
    operator: &str,
    key: &Path,
    event: &InboundEvent,
    now: Timestamp,
) -> anyhow::Result<Handed> {
    let operator = typed_id("--as", operator)?;
    // A slip of the hand is told here; it need not go through the door and lie in quarantine.
    let (_, key) = known_operator(&*context.store, operator.as_str(), key).await?;
    let id = Id::parse(uuid::Uuid::now_v7().to_string())?;
    let source = Source::parse(format!("/operator/{operator}"))?;
    let mut draft = event.draft(&id, &source, Time::from(now));
    sign(&mut draft, &operator, &key).map_err(|error| anyhow::anyhow!("{error}"))?;
    let raw = Raw { body: serde_json::to_vec(&draft)?, routing_key: None, way: "submit" };
    let handed =
        context.door.hand_in(&[raw]).await.context("it is not certain whether the act was done; see `zhida trace`")?;
    handed.into_iter().next().context("the door gave no answer")
}

/// Says what became of it.
pub(super) fn say(out: &mut Out, handed: &Handed, operator: &str) -> anyhow::Result<ExitCode> {
    Ok(match handed {
        Handed::Acted(ActOutcome::Done) => {
            out.line("已办 done")?;
            ExitCode::SUCCESS
        }
        Handed::Acted(ActOutcome::AwaitsSecondOfficer) => {
            out.line(&format!(
                "已记录,待另一名复核人 noted; it takes effect when a second, different officer does the same as {operator}"
            ))?;
            ExitCode::SUCCESS
        }
        Handed::Accepted | Handed::Duplicate => {
            out.line(submit::word(handed))?;
            ExitCode::SUCCESS
        }
        Handed::Refused(reason) => {
            eprintln!("zhida: 未办 refused: {}", plain(reason));
            ExitCode::FAILURE
        }
        Handed::Quarantined(item) => {
            eprintln!("zhida: 未办 not taken in: {}; `zhida quarantine list` shows it", plain(&item.reason));
            ExitCode::FAILURE
        }
    })
}
