//! `zhida policies`: funds and policies from a file into the database, with a preview of what changes, and their list.

use super::out::Out;
use super::policy_changes::{Changes, fund_of_file, policy_of_file};
use super::table::{Column, Table};
use super::{COMMAND_LINE, Form, Import, file_text};
use crate::wiring::Context;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;
use zhida_core::money::Fen;
use zhida_core::ports::store::Store;
use zhida_core::steps::{Fund, Policy};
use zhida_schemas::policy_file::PolicyFile;
use zhida_schemas::text::Id;

/// Checks a file, shows what changes, and imports it.
pub(crate) async fn import(context: &Context, path: &Path, import: impl Into<Import>) -> anyhow::Result<ExitCode> {
    let text = file_text("the policy file", path)?;
    let changes = changes(&*context.store, &text).await?;
    let mut out = Out::new();
    out.lines(&changes.lines())?;
    if changes.are_none() {
        out.line("无变化 nothing changes; nothing was written")?;
    } else {
        match import.into() {
            Import::DryRun => out.line("仅预览 a preview; nothing was written")?,
            Import::Write => {
                write(&*context.store, changes, COMMAND_LINE).await?;
                out.line("已导入 imported; payouts that waited for it are judged again")?;
            }
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Imports a policy file's text without a word; says how many policies it holds.
pub(crate) async fn import_text(store: &dyn Store, text: &str, by: &str) -> anyhow::Result<usize> {
    let changes = changes(store, text).await?;
    let policies = changes.policies.len();
    if !changes.are_none() {
        write(store, changes, by).await?;
    }
    Ok(policies)
}

async fn changes(store: &dyn Store, text: &str) -> anyhow::Result<Changes> {
    let (old_funds, old_policies) = (store.funds().await?, store.policies().await?);
    let known: BTreeSet<Id> = old_funds.iter().filter_map(|fund| Id::parse(fund.id.as_str()).ok()).collect();
    let file = PolicyFile::parse(text, &known)
        .map_err(|error| anyhow::anyhow!("nothing was imported:\n  {}", error.to_string().replace('\n', "\n  ")))?;
    let committed: BTreeMap<&str, Fen> = old_funds.iter().map(|fund| (fund.id.as_str(), fund.committed)).collect();
    let committed = |id: &Id| committed.get(id.as_str()).copied().unwrap_or_default();
    let funds = file.funds.iter().map(|fund| fund_of_file(fund, committed(&fund.id))).collect();
    let policies = file.policies.iter().map(policy_of_file).collect();
    Ok(Changes::of(funds, policies, &old_funds, &old_policies))
}

async fn write(store: &dyn Store, changes: Changes, by: &str) -> anyhow::Result<()> {
    let funds: Vec<Fund> = changes.funds.into_iter().map(|(fund, _)| fund).collect();
    let policies: Vec<Policy> = changes.policies.into_iter().map(|(policy, _)| policy).collect();
    Ok(store.import_policies(&funds, &policies, by).await?)
}

/// Lists funds and policies.
pub(crate) async fn list(context: &Context, form: impl Into<Form>) -> anyhow::Result<ExitCode> {
    let (funds, policies) = (context.store.funds().await?, context.store.policies().await?);
    let mut out = Out::new();
    match form.into() {
        Form::Programs => out.json(&json!({
            "funds": funds.iter().map(fund_json).collect::<Vec<_>>(),
            "policies": policies.iter().map(policy_json).collect::<Vec<_>>(),
        }))?,
        Form::People => {
            out.lines(&fund_table(&funds).lines())?;
            out.line("")?;
            out.lines(&policy_table(&policies).lines())?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn left(fund: &Fund) -> Fen {
    Fen(fund.appropriated.0.saturating_sub(fund.committed.0))
}

fn fund_table(funds: &[Fund]) -> Table {
    let mut table = Table::new(&[
        ("资金 fund", Column::Text),
        ("名称 name", Column::Short),
        ("币种", Column::Text),
        ("预算 appropriated", Column::Number),
        ("占用 committed", Column::Number),
        ("余额 left", Column::Number),
        ("指标文号 budget document", Column::Text),
    ]);
    for fund in funds {
        table.row(vec![
            fund.id.0.clone(),
            fund.name.clone(),
            fund.currency.clone(),
            fund.appropriated.to_string(),
            fund.committed.to_string(),
            left(fund).to_string(),
            fund.budget_document.clone().unwrap_or_default(),
        ]);
    }
    table
}

fn policy_table(policies: &[Policy]) -> Table {
    let mut table = Table::new(&[
        ("政策 policy", Column::Text),
        ("名称 title", Column::Short),
        ("资金 fund", Column::Text),
        ("有效期 valid", Column::Text),
        ("单项上限 cap", Column::Number),
        ("年度上限 a year", Column::Number),
        ("复核 two officers above", Column::Number),
        ("承诺书 commitment", Column::Text),
    ]);
    for policy in policies {
        let amount = |amount: Option<Fen>| amount.map_or_else(|| "–".to_owned(), |amount| amount.to_string());
        let to = policy.valid_to.map_or_else(|| "…".to_owned(), |day| day.to_string());
        table.row(vec![
            policy.id.0.clone(),
            policy.title.clone(),
            policy.fund_id.0.clone(),
            format!("{} – {to}", policy.valid_from),
            amount(policy.cap_per_application),
            amount(policy.cap_per_enterprise_per_year),
            amount(policy.release_limit),
            if policy.commitment_required { "需 yes".to_owned() } else { "–".to_owned() },
        ]);
    }
    table
}

fn fund_json(fund: &Fund) -> serde_json::Value {
    json!({"id": fund.id, "name": fund.name, "currency": fund.currency, "appropriated": fund.appropriated.to_string(),
        "committed": fund.committed.to_string(), "left": left(fund).to_string(), "budget_document": fund.budget_document})
}

fn policy_json(policy: &Policy) -> serde_json::Value {
    let amount = |amount: Option<Fen>| amount.map(|amount| amount.to_string());
    json!({"id": policy.id, "title": policy.title, "department_id": policy.department_id, "fund_id": policy.fund_id,
        "valid_from": policy.valid_from, "valid_to": policy.valid_to,
        "cap_per_application": amount(policy.cap_per_application),
        "cap_per_enterprise_per_year": amount(policy.cap_per_enterprise_per_year),
        "release_limit": amount(policy.release_limit), "commitment_required": policy.commitment_required})
}
