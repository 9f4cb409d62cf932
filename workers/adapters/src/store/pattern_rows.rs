//! Patterns and the health of policies as rows.

use super::fault::{Fault, readable};
use super::link::{Lock, Tx};
use super::value::{Record, Row, Value, json};
use std::collections::BTreeMap;
use zhida_core::ids::PolicyId;
use zhida_core::patterns::{Health, HealthWord, Pattern, PatternState, Rule};
use zhida_core::ports::patterns::PatternFilter;

const COLUMNS: &str =
    "id, rule, key, subject, evidence, chinese, english, state, found_at, last_found_at, judged, explained";

/// Writes patterns as they are now, new and known.
pub(super) async fn write(tx: &mut Tx, patterns: &[Pattern]) -> Result<(), Fault> {
    let tail = "on conflict (id) do update set subject = excluded.subject, evidence = excluded.evidence, chinese = excluded.chinese, \
        english = excluded.english, state = excluded.state, last_found_at = excluded.last_found_at, judged = excluded.judged, \
        explained = excluded.explained";
    tx.insert("patterns", patterns.iter().map(record).collect(), tail).await
}

fn record(one: &Pattern) -> Record {
    vec![
        ("id", (&one.id).into()),
        ("rule", one.rule.code().into()),
        ("key", (&one.key).into()),
        ("subject", json(&one.subject).into()),
        ("evidence", json(&one.evidence).into()),
        ("chinese", (&one.chinese).into()),
        ("english", (&one.english).into()),
        ("state", one.state.code().into()),
        ("found_at", one.found_at.into()),
        ("last_found_at", one.last_found_at.into()),
        ("judged", json(&one.judged).into()),
        ("explained", one.explained.as_ref().map(json).into()),
    ]
}

/// Patterns by id, as far as they are known. None stands for one that is known and cannot be read.
pub(super) async fn known(
    tx: &mut Tx,
    ids: Vec<String>,
    lock: Lock,
) -> Result<BTreeMap<String, Option<Pattern>>, Fault> {
    let sql = format!("select {COLUMNS} from patterns where id {} order by id {}", tx.among(1), tx.locked(lock));
    let rows = tx.rows(sql, vec![ids.into()]).await?;
    rows.iter().map(|row| Ok((row.get("id")?, readable([read(row)])?.rows.pop()))).collect()
}

/// One pattern.
pub(super) async fn one(tx: &mut Tx, id: &str, lock: Lock) -> Result<Option<Pattern>, Fault> {
    let sql = format!("select {COLUMNS} from patterns where id = $1 {}", tx.locked(lock));
    tx.rows(sql, vec![id.into()]).await?.first().map(read).transpose()
}

/// Patterns of a list, newest first.
pub(super) async fn listed(tx: &mut Tx, filter: &PatternFilter) -> Result<Vec<Pattern>, Fault> {
    let mut values: Vec<Value> = vec![filter.limit.into()];
    let mut conditions = vec!["true".to_owned()];
    for (column, value) in [("rule", filter.rule.map(Rule::code)), ("state", filter.state.map(PatternState::code))] {
        if let Some(value) = value {
            values.push(value.into());
            conditions.push(format!("{column} = ${}", values.len()));
        }
    }
    let conditions = conditions.join(" and ");
    let sql = format!("select {COLUMNS} from patterns where {conditions} order by found_at desc, id desc limit $1");
    Ok(readable(tx.rows(sql, values).await?.iter().map(read))?.rows)
}

fn read(row: &Row) -> Result<Pattern, Fault> {
    let id: String = row.get("id")?;
    let (rule, state): (String, String) = (row.get("rule")?, row.get("state")?);
    let fields = || {
        Ok(Pattern {
            id: id.clone(),
            rule: Rule::from_code(&rule).ok_or_else(|| Fault::corrupt("rule", &rule))?,
            key: row.get("key")?,
            subject: row.json("subject")?,
            evidence: row.json("evidence")?,
            chinese: row.get("chinese")?,
            english: row.get("english")?,
            state: PatternState::from_code(&state).ok_or_else(|| Fault::corrupt("state", &state))?,
            found_at: row.time("found_at")?,
            last_found_at: row.time("last_found_at")?,
            judged: row.json("judged")?,
            explained: row.json_or_none("explained")?,
        })
    };
    fields().map_err(|fault: Fault| fault.at("patterns", &id))
}

/// Patterns by rule and state.
pub(super) async fn counted(tx: &mut Tx) -> Result<BTreeMap<(Rule, PatternState), u64>, Fault> {
    let rows = tx.rows("select rule, state, count(*) as n from patterns group by rule, state", vec![]).await?;
    let read = |row: &Row| {
        let (rule, state): (String, String) = (row.get("rule")?, row.get("state")?);
        let rule = Rule::from_code(&rule).ok_or_else(|| Fault::corrupt("patterns.rule", &rule))?;
        let state = PatternState::from_code(&state).ok_or_else(|| Fault::corrupt("patterns.state", &state))?;
        Ok(((rule, state), row.unsigned("n")?))
    };
    Ok(readable(rows.iter().map(read))?.rows.into_iter().collect())
}

/// Writes how policies fare.
pub(super) async fn write_health(tx: &mut Tx, health: &[Health]) -> Result<(), Fault> {
    let now = tx.now;
    let record = |one: &Health| -> Record {
        vec![
            ("policy_id", one.policy_id.as_str().into()),
            ("word", one.word.code().into()),
            ("also", json(&one.also).into()),
            ("phase", json(&one.phase).into()),
            ("figures", json(&one.figures).into()),
            ("at", now.into()),
        ]
    };
    let tail = "on conflict (policy_id) do update set word = excluded.word, also = excluded.also, phase = excluded.phase, \
        figures = excluded.figures, at = excluded.at";
    tx.insert("policy_health", health.iter().map(record).collect(), tail).await
}

/// How policies fared at the last run.
pub(super) async fn health(tx: &mut Tx) -> Result<Vec<Health>, Fault> {
    let sql = "select policy_id, word, also, phase, figures from policy_health order by policy_id";
    Ok(readable(tx.rows(sql, vec![]).await?.iter().map(read_health))?.rows)
}

fn read_health(row: &Row) -> Result<Health, Fault> {
    let word: String = row.get("word")?;
    Ok(Health {
        policy_id: PolicyId(row.get("policy_id")?),
        word: HealthWord::from_code(&word).ok_or_else(|| Fault::corrupt("policy_health.word", &word))?,
        also: row.json("also")?,
        phase: row.json("phase")?,
        figures: row.json("figures")?,
    })
}
