//! `zhida operator`: the people who act, each with a role and the public half of an Ed25519 key.

use super::out::Out;
use super::table::{Column, Table};
use super::{COMMAND_LINE, Form, Usage, local, typed_id};
use crate::cli::OperatorVerb;
use crate::wiring::Context;
use serde_json::json;
use std::process::ExitCode;
use zhida_core::ids::OperatorId;
use zhida_core::steps::{Operator, Role};
use zhida_schemas::signing::PublicKey;
use zhida_schemas::text::Name;

/// Does one of the verbs.
pub(crate) async fn run(context: &Context, verb: &OperatorVerb) -> anyhow::Result<ExitCode> {
    match verb {
        OperatorVerb::Add { id, name, role, public_key } => add(context, typed(id, name, role, public_key)?).await,
        OperatorVerb::Disable { id } => disable(context, id).await,
        OperatorVerb::List { json } => list(context, Form::from(*json)).await,
    }
}

fn typed(id: &str, name: &str, role: &str, public_key: &str) -> Result<Operator, Usage> {
    let known = Role::ALL.map(Role::code).join(", ");
    let role = Role::from_code(role).ok_or_else(|| Usage(format!("--role {role:?} is no role; use one of {known}")))?;
    let key: PublicKey = public_key.parse().map_err(|error| Usage(format!("--public-key: {error}")))?;
    let name = Name::parse(name).map_err(|fault| Usage(format!("--name {}: {}", fault.reason, fault.code.remedy())))?;
    Ok(Operator {
        id: OperatorId(typed_id("operator id", id)?.into_string()),
        name: name.into_string(),
        role,
        public_key: key.to_string(),
        disabled_at: None,
    })
}

async fn add(context: &Context, operator: Operator) -> anyhow::Result<ExitCode> {
    let all = context.store.operators().await?;
    // One key for two names would let one person be both pairs of the four eyes.
    if let Some(other) = all.iter().find(|one| one.id != operator.id && one.public_key == operator.public_key) {
        anyhow::bail!("this public key is {}'s already; every person has a key of their own", other.id);
    }
    let before = all.iter().find(|one| one.id == operator.id);
    if before == Some(&operator) {
        return done(&format!("无变化 {} is there already, just so", operator.id));
    }
    context.store.put_operator(&operator, COMMAND_LINE).await?;
    let word = match before {
        None => "已添加 added",
        Some(one) if one.disabled_at.is_some() => "已恢复 enabled again",
        Some(_) => "已更新 replaced",
    };
    done(&format!("{word}: {} {} ({})", operator.id, operator.name, operator.role.code()))
}

async fn disable(context: &Context, id: &str) -> anyhow::Result<ExitCode> {
    let all = context.store.operators().await?;
    let Some(operator) = all.into_iter().find(|one| one.id.0 == id) else {
        anyhow::bail!("operator {id:?} is not known; `zhida operator list` shows all");
    };
    if operator.disabled_at.is_some() {
        return done(&format!("无变化 {id} is disabled already"));
    }
    let disabled_at = Some(context.store.now().await?);
    context.store.put_operator(&Operator { disabled_at, ..operator }, COMMAND_LINE).await?;
    done(&format!("已停用 disabled: {id}"))
}

async fn list(context: &Context, form: Form) -> anyhow::Result<ExitCode> {
    let operators = context.store.operators().await?;
    let mut out = Out::new();
    match form {
        Form::Programs => {
            let all = operators.iter().map(|one| {
                json!({"id": one.id, "name": one.name, "role": one.role.code(), "public_key": one.public_key,
                    "disabled_at": one.disabled_at})
            });
            out.json(&all.collect())?;
        }
        Form::People => {
            let mut table = Table::new(&[
                ("编号 id", Column::Text),
                ("姓名 name", Column::Short),
                ("角色 role", Column::Text),
                ("公钥 public key", Column::Text),
                ("停用 disabled", Column::Text),
            ]);
            for one in operators {
                let disabled = one.disabled_at.map(|at| local(&context.settings, at)).unwrap_or_default();
                table.row(vec![one.id.0, one.name, one.role.code().to_owned(), one.public_key, disabled]);
            }
            out.lines(&table.lines())?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn done(sentence: &str) -> anyhow::Result<ExitCode> {
    let mut out = Out::new();
    out.line(sentence)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
