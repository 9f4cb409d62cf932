//! The verbs that look things up or hand something in beside a running `serve`: one file each. They decide nothing; what is
//! shared between them is how files of events and keys are read, and how results are printed.

mod acting;
pub(crate) mod alarms;
pub(crate) mod alerts;
pub(crate) mod calendar;
pub(crate) mod calendar_import;
pub(crate) mod clock;
pub(crate) mod config;
pub(crate) mod digest;
mod event_file;
mod key_file;
mod masked_body;
mod notice_acts;
mod notice_status;
mod notice_template_changes;
mod notice_template_preview;
pub(crate) mod notice_templates;
mod notice_test;
mod notice_view;
mod notice_words;
pub(crate) mod notices;
pub(crate) mod operator;
mod operator_acts;
pub(crate) mod orders;
pub(crate) mod organisation;
mod organisation_changes;
mod out;
mod pattern_acts;
pub(crate) mod patterns;
pub(crate) mod payouts;
mod period;
pub(crate) mod policies;
pub(crate) mod policy_changes;
mod present;
pub(crate) mod quarantine;
pub(crate) mod recover;
pub(crate) mod schema;
pub(crate) mod sign;
pub(crate) mod submit;
mod table;
pub(crate) mod trace;

use crate::cli::{EyesArgs, SignerArgs};
use anyhow::Context as _;
use jiff::Timestamp;
use std::fmt;
use std::path::Path;
use zhida_config::Settings;
use zhida_core::ids::{ApplicationId, OperatorId};
use zhida_core::ports::store::Store;
use zhida_core::steps::{Operator, Role};
use zhida_schemas::parts::Count;
use zhida_schemas::signing::SigningKey;
use zhida_schemas::text::{Id, Text};

pub(crate) use table::{Column, Table};

/// Wrong usage that the parser of the command line could not see: exit status 2.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Usage(pub(crate) String);

impl fmt::Display for Usage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// For whom a result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Tables and sentences, Chinese first.
    People,
    /// JSON.
    Programs,
}

impl From<bool> for Form {
    fn from(json: bool) -> Self {
        if json { Self::Programs } else { Self::People }
    }
}

/// Whether an import writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Import {
    /// It does.
    Write,
    /// It only shows what it would change.
    DryRun,
}

impl From<bool> for Import {
    fn from(dry_run: bool) -> Self {
        if dry_run { Self::DryRun } else { Self::Write }
    }
}

/// The text of a file of reference data, `-` for standard input; `what` names it in the refusal.
fn file_text(what: &str, path: &Path) -> anyhow::Result<String> {
    let text =
        if path == Path::new("-") { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(path) };
    text.with_context(|| format!("{what} {} cannot be read", path.display()))
}

/// Reads an id that was typed; `what` names it in the refusal.
fn typed_id(what: &str, text: &str) -> Result<Id, Usage> {
    Id::parse(text).map_err(|fault| Usage(format!("{what} {text:?} {}: {}", fault.reason, fault.code.remedy())))
}

/// Reads a text that was typed.
fn typed_text(what: &str, text: &str) -> Result<Text, Usage> {
    Text::parse(text).map_err(|fault| Usage(format!("{what} {}: {}", fault.reason, fault.code.remedy())))
}

/// Reads a number of working hours or days that was typed.
fn typed_count(what: &str, count: u16) -> Result<Count, Usage> {
    Count::try_from(i64::from(count)).map_err(|fault| Usage(format!("{what} {count} {}", fault.reason)))
}

/// Reads an application, also as notices name one of its tranches: `A-1/2`.
fn typed_application(text: &str) -> Result<ApplicationId, Usage> {
    let tranche = text.rsplit_once('/').filter(|(_, tranche)| tranche.parse::<u32>().is_ok());
    let id = tranche.map_or(text, |(id, _)| id);
    typed_id("application id", id).map(|id| ApplicationId(id.into_string()))
}

/// A moment by the clocks of the district, to the second.
fn local(settings: &Settings, at: Timestamp) -> String {
    settings.calendar.timezone.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Who stands in the journal where nobody is named: whoever may run this program on the database.
const COMMAND_LINE: &str = "command line";

/// Who acts, a person known here and not disabled, with the key that must be theirs.
async fn known_operator(store: &dyn Store, id: &str, key: &Path) -> anyhow::Result<(Operator, SigningKey)> {
    let operators = store.operators().await?;
    let Some(operator) = operators.into_iter().find(|one| one.id.0 == id) else {
        anyhow::bail!("operator {id:?} is not known; `zhida operator list` shows all");
    };
    if operator.disabled_at.is_some() {
        anyhow::bail!("operator {id} is disabled and acts no longer");
    }
    let signing = key_file::read(key)?;
    if signing.public_key().to_string() != operator.public_key {
        anyhow::bail!("{} is not operator {id}'s key; act with your own name and key", key.display());
    }
    Ok((operator, signing))
}

/// Who reads, if they show who they are.
async fn reader(store: &dyn Store, eyes: &EyesArgs) -> anyhow::Result<Option<Operator>> {
    let (Some(id), Some(key)) = (&eyes.operator, &eyes.key) else { return Ok(None) };
    Ok(Some(known_operator(store, id, key).await?.0))
}

/// Whoever closes something under a name must be a person known here who shows the key; auditors read only.
async fn closing_operator(store: &dyn Store, who: &SignerArgs) -> anyhow::Result<OperatorId> {
    let (Some(id), Some(key)) = (&who.operator, &who.key) else { return Ok(OperatorId::from(COMMAND_LINE)) };
    let (operator, _) = known_operator(store, id, key).await?;
    if matches!(operator.role, Role::Auditor | Role::Officer | Role::Inspector) {
        let role = operator.role.code();
        anyhow::bail!("operator {id} has the role {role}, which closes nothing here; ask somebody of another role");
    }
    Ok(operator.id)
}
