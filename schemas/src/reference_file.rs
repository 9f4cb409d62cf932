//! What the files of reference data (policies, organisation) have in common: TOML or JSON in, everything that is wrong with them
//! out, each finding with field, value, problem and remedy. What a file means stands with that file.

mod members;

pub(crate) use members::Members;

use crate::strict_json;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Why a file of reference data is refused; nothing of it is imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceFileError {
    /// Neither TOML nor JSON.
    #[error("{file} cannot be read: {why}")]
    Unreadable {
        /// Which file, as in "the policy file".
        file: &'static str,
        /// Why.
        why: String,
    },
    /// Everything that is wrong with it, in the order of the file.
    #[error("{}", lines(.0))]
    Invalid(Vec<Finding>),
}

/// One thing that is wrong with a file of reference data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Path of the field: `policies[3].cap_per_application`; or the file as a whole, as in "the policy file".
    pub field: String,
    /// The value as JSON, shortened.
    pub value: Option<String>,
    /// What is wrong with it.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(out, "{} = {value} {}: {}", self.field, self.problem, self.remedy),
            None => write!(out, "{} {}: {}", self.field, self.problem, self.remedy),
        }
    }
}

fn lines(findings: &[Finding]) -> String {
    findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("\n")
}

/// One kind of file, for messages.
#[derive(Clone, Copy)]
pub(crate) struct FileKind {
    /// As in "the policy file".
    pub(crate) name: &'static str,
    /// Its tables, as in "funds and policies".
    pub(crate) tables: &'static str,
}

/// The root of a file: JSON when it begins with `{`, else TOML.
pub(crate) fn read(text: &str, kind: FileKind) -> Result<Map<String, Value>, ReferenceFileError> {
    let unreadable = |why: String| ReferenceFileError::Unreadable { file: kind.name, why };
    if text.trim_start().starts_with('{') {
        return match strict_json::parse(text.as_bytes()) {
            Ok(Value::Object(root)) => Ok(root),
            Ok(_) => Err(unreadable(format!("JSON must be one object with {}", kind.tables))),
            Err(error) if text.len() > strict_json::MAX_EVENT_BYTES => {
                Err(unreadable(format!("{}; a file of this size may be written as TOML", error.reason)))
            }
            Err(error) => Err(unreadable(error.to_string())),
        };
    }
    match text.parse::<toml::Table>() {
        Ok(root) => Ok(root.into_iter().map(|(name, value)| (name, json_of(value))).collect()),
        Err(error) => {
            let line = text[..error.span().map_or(0, |span| span.start)].matches('\n').count() + 1;
            Err(unreadable(format!("line {line} is not valid TOML: {}", error.message())))
        }
    }
}

/// TOML as JSON, so that both are checked by the same code; a TOML date becomes its text.
fn json_of(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::from(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => Value::from(number),
        toml::Value::Boolean(flag) => Value::from(flag),
        toml::Value::Datetime(moment) => Value::from(moment.to_string()),
        toml::Value::Array(items) => items.into_iter().map(json_of).collect(),
        toml::Value::Table(table) => table.into_iter().map(|(name, value)| (name, json_of(value))).collect(),
    }
}

/// The tables of an array as they stand in the file, each with its place. Checks that look from one table to another work on
/// these, so that one wrong field does not make all that refer to its table wrong too.
pub(crate) fn tables_of<'a>(
    root: &'a Map<String, Value>,
    table: &str,
) -> impl Iterator<Item = (usize, &'a Map<String, Value>)> {
    let rows = root.get(table).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    rows.iter().enumerate().filter_map(|(index, row)| Some((index, row.as_object()?)))
}

/// Every text under one name in the tables of an array, with the table's place.
pub(crate) fn texts_of<'a>(
    root: &'a Map<String, Value>,
    table: &str,
    name: &str,
) -> impl Iterator<Item = (usize, &'a str)> {
    tables_of(root, table).filter_map(move |(index, row)| Some((index, row.get(name)?.as_str()?)))
}

/// Every id of an array's tables stands once.
pub(crate) fn check_ids(root: &Map<String, Value>, table: &str, findings: &mut Vec<Finding>) {
    let mut first_at: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, id) in texts_of(root, table, "id") {
        let Some(first) = first_at.get(id) else {
            first_at.insert(id, index);
            continue;
        };
        findings.push(finding(
            format!("{table}[{index}].id"),
            id,
            format!("is the id of {table}[{first}] already"),
            "give each its own id".to_owned(),
        ));
    }
}

/// What a field may name.
pub(crate) struct Named<'a> {
    /// The ids there are.
    pub(crate) known: &'a BTreeSet<&'a str>,
    /// As in "fund".
    pub(crate) noun: &'static str,
    /// As in "is no fund of this file".
    pub(crate) problem: &'static str,
    /// The table it is added under, as in "funds".
    pub(crate) table: &'static str,
}

impl Named<'_> {
    /// Notes a field that names something that is not there.
    pub(crate) fn check(&self, field: String, id: &str, findings: &mut Vec<Finding>) {
        if self.known.contains(id) {
            return;
        }
        let (noun, table) = (self.noun, self.table);
        let remedy = match members::nearest(id, self.known.iter().copied()) {
            Some(near) => {
                format!("write an existing {noun} (the nearest is {near}), or add it under [[{table}]]")
            }
            None => format!("add the {noun} under [[{table}]]"),
        };
        findings.push(finding(field, id, self.problem.to_owned(), remedy));
    }
}

/// A finding about a text.
pub(crate) fn finding(field: String, text: &str, problem: String, remedy: String) -> Finding {
    Finding { field, value: Some(members::shown(&Value::from(text))), problem, remedy }
}
