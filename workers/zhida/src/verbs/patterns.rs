//! `zhida patterns`: what stands out when all applications are looked at together. What is about officers is shown to whoever proves
//! to be an inspector, and counted for everybody else, all rules together: a count under a filter would tell of whom there is talk.
//! Judging is an act.

use super::out::Out;
use super::table::{Column, Table};
use super::{Form, Usage, local, pattern_acts, reader};
use crate::cli::{EyesArgs, PatternsVerb};
use crate::wiring::Context;
use jiff::civil::Date;
use serde_json::{Value, json};
use std::process::ExitCode;
use zhida_config::settings::Row;
use zhida_core::digest::words;
use zhida_core::ids::PolicyId;
use zhida_core::patterns::{Evidence, Figure, Found, Pattern, PatternState, Rule};
use zhida_core::ports::patterns::{PatternFilter, PatternRun};
use zhida_core::steps::Role;
use zhida_core::supervision::{Audience, sees};
use zhida_core::view::micros;
use zhida_schemas::supervision_acts::Judgement;
use zhida_supervision::{Matter, tried};

/// Patterns that are listed at most.
const LISTED_MAX: u32 = 1_000;

/// Does one of the verbs.
pub(crate) async fn run(context: &Context, verb: &PatternsVerb) -> anyhow::Result<ExitCode> {
    match verb {
        PatternsVerb::List { rule, state, eyes, json } => {
            let rule = rule.as_deref().map(known_rule).transpose()?;
            let state = state.as_deref().map(known_state).transpose()?;
            let filter = PatternFilter { rule, state, limit: LISTED_MAX };
            list(context, &filter, &viewer(context, eyes).await?, Form::from(*json)).await
        }
        PatternsVerb::Show { id, eyes, json } => {
            show(context, id, &viewer(context, eyes).await?, Form::from(*json)).await
        }
        PatternsVerb::Try { rule, since, eyes, json } => {
            let rule = known_rule(rule)?;
            try_rule(context, rule, *since, &viewer(context, eyes).await?, Form::from(*json)).await
        }
        PatternsVerb::Look { id, act } => pattern_acts::judge(context, id, Judgement::LookedAt, act).await,
        PatternsVerb::Explain { id, act } => pattern_acts::judge(context, id, Judgement::Explained, act).await,
        PatternsVerb::Confirm { id, act } => pattern_acts::judge(context, id, Judgement::Confirmed, act).await,
    }
}

fn known_rule(code: &str) -> Result<Rule, Usage> {
    Rule::from_code(code).ok_or_else(|| {
        let known: Vec<&str> = Rule::ALL.iter().map(|rule| rule.code()).collect();
        Usage(format!("{code:?} is no rule; use one of {}", known.join(", ")))
    })
}

fn known_state(code: &str) -> Result<PatternState, Usage> {
    PatternState::from_code(code).ok_or_else(|| {
        let known = PatternState::ALL.map(PatternState::code).join(", ");
        Usage(format!("--state {code:?} is no state; use one of {known}"))
    })
}

/// Whoever looks: in the role of an operator who has shown the key, or with the eyes of the supervision office.
struct Eyes(Option<Role>);

impl Eyes {
    fn see(&self, rule: Rule) -> bool {
        match self.0 {
            Some(role) => sees(role, rule.audience()),
            None => rule.audience() == Audience::Supervision,
        }
    }
}

/// What a viewer is told of what they may not see.
enum Hidden {
    /// So much, of all rules together.
    Count(usize),
    /// That there may be some.
    Perhaps,
}

impl Hidden {
    fn json(&self) -> Value {
        match self {
            Self::Count(count) => json!(count),
            Self::Perhaps => Value::Null,
        }
    }

    fn lines(&self) -> Vec<String> {
        match self {
            Self::Count(0) => Vec::new(),
            Self::Count(count) => vec![format!("{count} 条仅纪检可见 visible to discipline inspection alone")],
            Self::Perhaps => {
                vec!["另有仅纪检可见者不计 what is visible to discipline inspection alone is not counted".to_owned()]
            }
        }
    }
}

async fn viewer(context: &Context, eyes: &EyesArgs) -> anyhow::Result<Eyes> {
    let role = reader(&*context.store, eyes).await?.map(|operator| operator.role);
    if let Some(role) = role.filter(|role| !sees(*role, Audience::Supervision)) {
        anyhow::bail!("the role {} sees no patterns; supervisors and inspectors do", role.code());
    }
    Ok(Eyes(role))
}

async fn list(context: &Context, filter: &PatternFilter, eyes: &Eyes, form: Form) -> anyhow::Result<ExitCode> {
    let all = context.store.patterns(filter).await?;
    let run = context.store.last_pattern_run().await?;
    let (shown, hidden): (Vec<Pattern>, Vec<Pattern>) = all.into_iter().partition(|one| eyes.see(one.rule));
    let filtered = filter.rule.is_some() || filter.state.is_some();
    let all_are_seen = Rule::ALL.iter().all(|rule| eyes.see(*rule));
    let hidden = if filtered && !all_are_seen { Hidden::Perhaps } else { Hidden::Count(hidden.len()) };
    let mut out = Out::new();
    match form {
        Form::Programs => {
            let patterns: Vec<Value> = shown.iter().map(|one| pattern_json(one, run)).collect();
            out.json(&json!({"patterns": patterns, "hidden": hidden.json(), "looked_at": micros(run.map(|run| run.began_at))}))?;
        }
        Form::People => {
            for one in &shown {
                let (state, english) = one.state.title();
                let gone = if is_gone(one, run) { "，不再出现 found no more" } else { "" };
                out.line(&format!("{}  {}  {state} {english}{gone}", one.id, title(one.rule)))?;
                out.line(&format!("    {}", one.chinese))?;
                out.line(&format!("    {}", one.english))?;
            }
            out.line(&format!("共 {} 条 patterns", shown.len()))?;
            out.lines(&hidden.lines())?;
            out.line(&last_run_line(context, run))?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn last_run_line(context: &Context, run: Option<PatternRun>) -> String {
    match run {
        Some(run) => format!("上次查找 last looked for {}", local(&context.settings, run.began_at)),
        None => "尚未查找过 nobody has looked for any yet; `zhida serve` does".to_owned(),
    }
}

fn title(rule: Rule) -> String {
    let (chinese, english) = rule.title();
    format!("{chinese} {english} ({})", rule.code())
}

/// The last run did not find it: late events or the passing of time have ended it.
fn is_gone(pattern: &Pattern, run: Option<PatternRun>) -> bool {
    run.is_some_and(|run| pattern.last_found_at < run.began_at)
}

async fn show(context: &Context, id: &str, eyes: &Eyes, form: Form) -> anyhow::Result<ExitCode> {
    // Of one for other eyes the same is said as of one that is not there.
    let Some(pattern) = context.store.pattern(id).await?.filter(|one| eyes.see(one.rule)) else {
        anyhow::bail!("no pattern {id} is known; `zhida patterns list` shows them");
    };
    let run = context.store.last_pattern_run().await?;
    let mut out = Out::new();
    match form {
        Form::Programs => out.json(&pattern_json(&pattern, run))?,
        Form::People => out.lines(&shown(context, &pattern, run))?,
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn shown(context: &Context, pattern: &Pattern, run: Option<PatternRun>) -> Vec<String> {
    let settings = &context.settings;
    let (state, english) = pattern.state.title();
    let mut lines = vec![
        format!("编号 id          {}", pattern.id),
        format!("规则 rule        {}", title(pattern.rule)),
        format!("对象 subject     {} {}", pattern.subject.kind(), pattern.subject.text()),
        format!("状态 state       {state} {english}"),
        pattern.chinese.clone(),
        pattern.english.clone(),
        format!("首次 first found {}", local(settings, pattern.found_at)),
        format!("最近 last found  {}", local(settings, pattern.last_found_at)),
    ];
    if is_gone(pattern, run) {
        lines.push("不再出现 the last run did not find it any more".to_owned());
    }
    lines.extend(evidence_lines(&pattern.evidence));
    for one in &pattern.judged {
        let (chinese, english) = one.judgement.state().title();
        lines.push(format!("{}  {chinese} {english} by {}: {}", local(settings, one.at), one.by, one.reason));
    }
    lines
}

fn evidence_lines(evidence: &Evidence) -> Vec<String> {
    let mut lines: Vec<String> = evidence.figures.iter().map(figure_line).collect();
    lines.push(format!("样本 sample      {}", evidence.sample));
    lines.extend(evidence.peers.iter().map(|peer| format!("对照 compared    {peer}")));
    let ids: Vec<&str> = evidence.applications.iter().map(|id| id.as_str()).collect();
    for part in ids.chunks(6) {
        lines.push(format!("申请 application {}", part.join(" ")));
    }
    lines
}

fn figure_line(figure: &Figure) -> String {
    format!("数据 figure      {} {} {}", figure.name, figure.value, figure.unit).trim_end().to_owned()
}

/// Tells what a rule would find; writes nothing.
async fn try_rule(context: &Context, rule: Rule, since: Date, eyes: &Eyes, form: Form) -> anyhow::Result<ExitCode> {
    let (store, settings) = (&context.store, &context.settings);
    let from = settings.calendar.timezone.to_timestamp(since.to_datetime(jiff::civil::Time::MIN))?;
    let window = store.now().await?.duration_since(from);
    if window.is_negative() {
        return Err(Usage(format!("--since {since} is in the future")).into());
    }
    let matter = Matter::read(&**store, window, settings.patterns.runs.page_max).await?;
    let found = tried(&matter, &settings.patterns, rule);
    let (shown, hidden) = if eyes.see(rule) { (found, Hidden::Count(0)) } else { (Vec::new(), Hidden::Perhaps) };
    let prefix = format!("patterns.{}.", rule.code());
    let thresholds: Vec<&Row> = settings.show().iter().filter(|row| row.key.starts_with(&prefix)).collect();
    let mut out = Out::new();
    match form {
        Form::Programs => out.json(&json!({
            "rule": rule.code(), "since": since, "applications": matter.cases.len(), "hidden": hidden.json(),
            "thresholds": thresholds.iter().map(|row| (row.key[prefix.len()..].to_owned(), json!(row.value)))
                .collect::<serde_json::Map<_, _>>(),
            "found": shown.iter().map(found_json).collect::<Vec<_>>(),
        }))?,
        Form::People => {
            out.line(&format!("试算 tried, nothing was written: {}", title(rule)))?;
            out.line(&format!("自 since {since}: {} 件申请 applications", matter.cases.len()))?;
            for row in thresholds {
                out.line(&format!("    {} = {}", row.key, row.value))?;
            }
            for one in &shown {
                out.line(&one.chinese)?;
                out.line(&format!("    {}", one.english))?;
                for line in evidence_lines(&one.evidence) {
                    out.line(&format!("    {line}"))?;
                }
            }
            out.line(&format!("会发现 would find: {}", shown.len()))?;
            out.lines(&hidden.lines())?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn found_json(found: &Found) -> Value {
    json!({"rule": found.rule.code(), "subject_kind": found.subject.kind(), "subject_id": found.subject.text(),
        "chinese": found.chinese, "english": found.english, "evidence": found.evidence})
}

fn pattern_json(pattern: &Pattern, run: Option<PatternRun>) -> Value {
    json!({
        "pattern_id": pattern.id,
        "rule": pattern.rule.code(),
        "subject_kind": pattern.subject.kind(),
        "subject_id": pattern.subject.text(),
        "state": pattern.state.code(),
        "chinese": pattern.chinese,
        "english": pattern.english,
        "found_at": micros(Some(pattern.found_at)),
        "last_found_at": micros(Some(pattern.last_found_at)),
        "found_no_more": is_gone(pattern, run),
        "evidence": pattern.evidence,
        "judged": pattern.judged.iter().map(|one| json!({
            "judgement": one.judgement, "by": one.by, "at": micros(Some(one.at)), "reason": one.reason,
        })).collect::<Vec<_>>(),
    })
}

/// How every policy fares, as things stand now.
pub(crate) async fn health(context: &Context, form: Form) -> anyhow::Result<ExitCode> {
    let thresholds = &context.settings.patterns;
    let window = zhida_supervision::window(thresholds);
    let matter = Matter::read(&*context.store, window, thresholds.runs.page_max).await?;
    let mut all = zhida_core::patterns::health(&matter.material(thresholds));
    all.sort_by(|one, other| (one.word, &one.policy_id).cmp(&(other.word, &other.policy_id)));
    let policies = &matter.surroundings.policies;
    let policy_title = |id: &PolicyId| policies.get(id).map(|policy| policy.title.clone()).unwrap_or_default();
    let mut out = Out::new();
    match form {
        Form::Programs => {
            let row = |one: &zhida_core::patterns::Health| {
                json!({"policy_id": one.policy_id, "title": policy_title(&one.policy_id), "word": one.word,
                    "also": one.also, "phase": one.phase, "figures": one.figures})
            };
            out.json(&all.iter().map(row).collect())?;
        }
        Form::People => {
            let mut table = Table::new(&[
                ("政策 policy", Column::Text),
                ("名称 title", Column::Short),
                ("状况 health", Column::Text),
                ("阶段 phase", Column::Text),
                ("数据 figures", Column::Text),
            ]);
            for one in &all {
                let words: Vec<String> =
                    std::iter::once(&one.word).chain(&one.also).map(|word| both(word.title())).collect();
                table.row(vec![
                    one.policy_id.to_string(),
                    policy_title(&one.policy_id),
                    words.join(" + "),
                    both(one.phase.title()),
                    words::figures(&one.figures),
                ]);
            }
            out.lines(&table.lines())?;
            let count = |word| all.iter().filter(|one| one.word == word).count();
            let words =
                zhida_core::patterns::HealthWord::ALL.map(|word| format!("{} {}", both(word.title()), count(word)));
            out.line(&format!("共 {} 项政策 policies: {}", all.len(), words.join(", ")))?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn both((chinese, english): (&str, &str)) -> String {
    format!("{chinese} {english}")
}
