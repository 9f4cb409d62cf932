//! `zhida notices templates`: the words of notices from a file into the database, checked, with a preview of what changes and what
//! stays; and how they read.

use super::notice_template_changes::changes;
use super::notice_template_preview::{Vendor, lines, shown};
use super::out::Out;
use super::{COMMAND_LINE, Form, Import, Usage, file_text};
use crate::cli::NoticeTemplatesVerb;
use crate::wiring::Context;
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use zhida_config::Settings;
use zhida_core::notice::NoticeKind;
use zhida_core::notice::template::{KnownProviders, Problem, Replacing, Template, TemplateSet};

/// What needs no database; none where the verb needs one.
pub(crate) fn without_store(settings: &Settings, verb: &NoticeTemplatesVerb) -> Option<anyhow::Result<ExitCode>> {
    match verb {
        NoticeTemplatesVerb::Check { file } => Some(check(settings, file)),
        NoticeTemplatesVerb::Preview { file: Some(file), kind, json, current: _ } => {
            let set = read(settings, file);
            Some(set.and_then(|set| preview(settings, &set, kind.as_deref(), (*json).into())))
        }
        NoticeTemplatesVerb::Preview { file: None, .. } | NoticeTemplatesVerb::Import { .. } => None,
    }
}

/// What needs the database.
pub(crate) async fn run(context: &Context, verb: &NoticeTemplatesVerb) -> anyhow::Result<ExitCode> {
    if let Some(done) = without_store(&context.settings, verb) {
        return done;
    }
    match verb {
        NoticeTemplatesVerb::Preview { kind, json, .. } => {
            let set = context.store.templates().await?.filled();
            preview(&context.settings, &set, kind.as_deref(), (*json).into())
        }
        NoticeTemplatesVerb::Import { file, dry_run } => import(context, file, *dry_run).await,
        NoticeTemplatesVerb::Check { file } => check(&context.settings, file),
    }
}

/// The templates that a file names, on top of what came with the program, where they passed all checks; every problem otherwise.
fn read(settings: &Settings, path: &Path) -> anyhow::Result<TemplateSet> {
    let text = file_text("the file of templates", path)?;
    TemplateSet::checked(&text, &known(settings)).map_err(|problems| anyhow::anyhow!("{}", told(&problems)))
}

fn known(settings: &Settings) -> KnownProviders {
    KnownProviders::of(settings.sms.keys().cloned())
}

fn told(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(|one| format!("\n  {one}")).collect();
    format!("模板有 {0} 处问题 the templates have {0} problems:{1}", problems.len(), lines.concat())
}

fn check(settings: &Settings, path: &Path) -> anyhow::Result<ExitCode> {
    let set = read(settings, path)?;
    let mut out = Out::new();
    let count = set.templates.len();
    out.line(&format!("版本 version {}: {count} 个模板，没有问题 {count} templates, no problem", set.version))?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn preview(settings: &Settings, set: &TemplateSet, kind: Option<&str>, form: Form) -> anyhow::Result<ExitCode> {
    let kind = kind.map(known_kind).transpose()?;
    let vendors = Vendor::of(settings);
    let wanted = |template: &&Template| kind.is_none_or(|kind| template.key.kind == kind);
    let mut out = Out::new();
    match form {
        Form::Programs => {
            let all: Vec<Value> = set.templates.values().filter(wanted).map(|one| shown(one, &vendors)).collect();
            out.json(&json!({"version": set.version, "templates": all}))?;
        }
        Form::People => {
            out.line(&format!("版本 version {}", set.version))?;
            for template in set.templates.values().filter(wanted) {
                out.line("")?;
                out.lines(&lines(&shown(template, &vendors)))?;
            }
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn known_kind(name: &str) -> Result<NoticeKind, Usage> {
    NoticeKind::from_code(name).ok_or_else(|| {
        let all: Vec<&str> = NoticeKind::ALL.iter().map(|kind| kind.code()).collect();
        Usage(format!("--kind {name:?} is no kind of notice; the kinds are {}", all.join(", ")))
    })
}

async fn import(context: &Context, path: &Path, import: impl Into<Import>) -> anyhow::Result<ExitCode> {
    let text = file_text("the file of templates", path)?;
    let seen = context.store.templates().await?;
    let set = seen.changed(&text, &known(&context.settings));
    let set = set.map_err(|problems| anyhow::anyhow!("nothing was imported; {}", told(&problems)))?;
    let before = seen.clone().filled();
    let mut out = Out::new();
    if before.version == set.version && before.templates != set.templates {
        anyhow::bail!(
            "nothing was imported; 版本 {} 已在使用且内容不同 version {0} is in force with other words, and notices bear it: give this \
             set a version of its own",
            set.version
        );
    }
    out.lines(&changes(&before, &set))?;
    if before.version == set.version {
        out.line("无变化 nothing changes; nothing was written")?;
    } else {
        match import.into() {
            Import::DryRun => out.line(
                "仅预览 a preview; nothing was written. 版本号是否用过在导入时核对 whether its version was used before is checked at the import",
            )?,
            Import::Write => match context.store.import_templates(&set, &seen, COMMAND_LINE).await? {
                Replacing::Imported | Replacing::Same => out.line(
                    "已导入 imported; notices that are made from now on bear these words, codes reach what waits too",
                )?,
                Replacing::VersionUsed => anyhow::bail!("{}", version_used(&set.version)),
                Replacing::Overtaken { version } => {
                    let now = context.store.templates().await?.filled();
                    anyhow::bail!("{}", overtaken(&version, &before, &now));
                }
            },
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Notices name their version alone: it must not become two contents.
fn version_used(version: &str) -> String {
    format!(
        "nothing was imported; 版本号 {version} 以前用过且内容不同 version {version} was in force before with other content, and notices bear it: \
         give this set a version that was never used"
    )
}

/// Somebody else has imported between the look and the writing: what that changed, and what to do.
fn overtaken(version: &str, before: &TemplateSet, now: &TemplateSet) -> String {
    let meanwhile: Vec<String> = changes(before, now).iter().map(|line| format!("\n  {line}")).collect();
    format!(
        "nothing was imported; 此间版本 {version} 已导入 version {version} came into force meanwhile, and this import would undo it; run it \
         again and look at what it changes then. 此间变化 What has changed meanwhile:{}",
        meanwhile.concat()
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::overtaken;
    use zhida_core::notice::template::{KnownProviders, TemplateSet};

    #[test]
    fn whoever_was_overtaken_reads_by_what_and_what_to_do() {
        let before = TemplateSet::embedded().clone();
        let code = "version = \"2026.12-3\"\n[[template]]\nkind = \"test\"\nchannel = \"sms\"\nlocale = \"en\"\nproviders.ali.code = \"7\"\n";
        let now = before.changed(code, &KnownProviders::Any).unwrap();
        let text = overtaken(&now.version, &before, &now);
        for part in ["nothing was imported", "2026.12-3", "run it again", "~ test/sms/en", "    providers + ali 7"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
