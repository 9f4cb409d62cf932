//! Reading the members of one table of a file of reference data, noting everything that is wrong on the way. Knows forms,
//! not what they mean.

use super::Finding;
use crate::amount::Money;
use crate::contract_error::Fault;
use serde_json::{Map, Value};
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Longest promise in working days that is no slip of the pen: about a year.
const MOST_DAYS: u16 = 250;

/// Longest term in working hours that is no slip of the pen: fifty working days.
const MOST_HOURS: u16 = 400;

/// The members of one table. Every reading method answers `None` after noting a finding.
pub(crate) struct Members<'a> {
    path: String,
    table: &'a Map<String, Value>,
    known: Vec<&'static str>,
    findings: &'a mut Vec<Finding>,
}

impl<'a> Members<'a> {
    pub(crate) fn new(path: String, table: &'a Map<String, Value>, findings: &'a mut Vec<Finding>) -> Self {
        Self { path, table, known: Vec::new(), findings }
    }

    /// Notes what is wrong with a member; an empty name means the table itself. At the root of a file a name may also be the
    /// file's own.
    pub(crate) fn note(&mut self, name: &str, value: Option<&Value>, problem: &str, remedy: &str) {
        let field = self.field(name);
        self.findings.push(Finding {
            field,
            value: value.map(shown),
            problem: problem.to_owned(),
            remedy: remedy.to_owned(),
        });
    }

    /// A text that must be there.
    pub(crate) fn required<T: FromStr<Err = Fault>>(&mut self, name: &'static str) -> Option<T> {
        match self.member(name) {
            Some(value) => self.text(name, value),
            None => {
                self.note(name, None, "is missing", "add it");
                None
            }
        }
    }

    /// A text that may be absent.
    pub(crate) fn optional<T: FromStr<Err = Fault>>(&mut self, name: &'static str) -> Option<Option<T>> {
        match self.member(name) {
            Some(value) => self.text(name, value).map(Some),
            None => Some(None),
        }
    }

    /// A list of texts; absent means empty.
    pub(crate) fn list<T: FromStr<Err = Fault>>(&mut self, name: &'static str) -> Option<Vec<T>> {
        let items = match self.member(name) {
            None => return Some(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(other) => {
                self.note(name, Some(other), "is not a list", "write it as [\"…\", \"…\"]");
                return None;
            }
        };
        // All of them before giving up, so that every finding is noted.
        let read: Vec<Option<T>> =
            items.iter().enumerate().map(|(index, item)| self.text(&format!("{name}[{index}]"), item)).collect();
        read.into_iter().collect()
    }

    /// An amount in fen that must be there; zero is lawful.
    pub(crate) fn amount(&mut self, name: &'static str) -> Option<i64> {
        match self.optional_amount(name)? {
            Some(fen) => Some(fen),
            None => {
                self.note(name, None, "is missing", "add it, as in \"500000.00\"");
                None
            }
        }
    }

    /// An amount in fen that may be absent; zero is lawful.
    pub(crate) fn optional_amount(&mut self, name: &'static str) -> Option<Option<i64>> {
        let Some(value) = self.member(name) else {
            return Some(None);
        };
        match value {
            // Zero is no award, but it is a limit and a budget.
            Value::String(text) if text == "0.00" => Some(Some(0)),
            Value::String(_) => self.text::<Money>(name, value).map(|money| Some(money.minor_units())),
            other => {
                self.note(
                    name,
                    Some(other),
                    "is not a text",
                    "write yuan as a text with two decimals, as in \"500000.00\"",
                );
                None
            }
        }
    }

    /// An amount in fen above zero that may be absent.
    pub(crate) fn cap(&mut self, name: &'static str) -> Option<Option<i64>> {
        let fen = self.optional_amount(name)?;
        if fen == Some(0) {
            let value = Value::from("0.00");
            self.note(name, Some(&value), "would let nothing through", "write a higher cap or leave it out");
            return None;
        }
        Some(fen)
    }

    /// `true` or `false`; absent means `false`.
    pub(crate) fn flag(&mut self, name: &'static str) -> Option<bool> {
        match self.member(name) {
            None => Some(false),
            Some(Value::Bool(flag)) => Some(*flag),
            Some(other) => {
                self.note(name, Some(other), "is neither true nor false", "write true or false without quotes");
                None
            }
        }
    }

    /// A number of working days that may be absent.
    pub(crate) fn days(&mut self, name: &'static str) -> Option<Option<u16>> {
        self.number(name, 1..=MOST_DAYS, "working days")
    }

    /// A number of working hours that must be there.
    pub(crate) fn hours(&mut self, name: &'static str) -> Option<u16> {
        let hours = self.number(name, 0..=MOST_HOURS, "working hours")?;
        if hours.is_none() {
            self.note(name, None, "is missing", "add it");
        }
        hours
    }

    fn number(&mut self, name: &'static str, range: RangeInclusive<u16>, what: &str) -> Option<Option<u16>> {
        let Some(value) = self.member(name) else {
            return Some(None);
        };
        let number = value.as_u64().and_then(|number| u16::try_from(number).ok());
        if let Some(number) = number.filter(|number| range.contains(number)) {
            return Some(Some(number));
        }
        let (least, most) = (range.start(), range.end());
        let remedy = format!("write a whole number of {what} from {least} to {most}, without quotes");
        self.note(name, Some(value), &format!("is no number of {what}"), &remedy);
        None
    }

    /// One of a few words, that may be absent.
    pub(crate) fn word<T: Copy>(&mut self, name: &'static str, words: &[(&'static str, T)]) -> Option<Option<T>> {
        let Some(value) = self.member(name) else {
            return Some(None);
        };
        if let Some((_, meant)) = words.iter().find(|(word, _)| value.as_str() == Some(*word)) {
            return Some(Some(*meant));
        }
        let known = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        self.note(name, Some(value), "is none of the words that stand here", &format!("write one of {known}"));
        None
    }

    /// Whether a member stands in the table.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// A table that may be absent.
    pub(crate) fn table<T>(
        &mut self,
        name: &'static str,
        read: fn(&mut Members<'_>) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.member(name) {
            None => Some(None),
            Some(Value::Object(table)) => read_table(self.field(name), table, self.findings, read).map(Some),
            Some(other) => {
                self.note(name, Some(other), "is not a table", "write it as a table");
                None
            }
        }
    }

    /// The tables of an array that have nothing wrong.
    pub(crate) fn tables<T>(&mut self, name: &'static str, read: fn(&mut Members<'_>) -> Option<T>) -> Vec<T> {
        let items = match self.member(name) {
            None => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(other) => {
                self.note(name, Some(other), "is not a list of tables", &format!("write each as [[{name}]]"));
                return Vec::new();
            }
        };
        let mut found = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let field = self.field(&format!("{name}[{index}]"));
            match item {
                Value::Object(table) => found.extend(read_table(field, table, self.findings, read)),
                other => {
                    self.note(
                        &format!("{name}[{index}]"),
                        Some(other),
                        "is not a table",
                        &format!("write it as [[{name}]]"),
                    );
                }
            }
        }
        found
    }

    /// Notes the members that nobody asked for.
    pub(crate) fn finish(mut self) {
        let (table, known) = (self.table, std::mem::take(&mut self.known));
        for (name, value) in table.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
            let near = nearest(name, known.iter().copied()).unwrap_or_default();
            self.note(
                name,
                Some(value),
                "is not a known field",
                &format!("remove it, or correct it (the nearest is {near})"),
            );
        }
    }

    fn member(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        self.table.get(name)
    }

    fn text<T: FromStr<Err = Fault>>(&mut self, name: &str, value: &Value) -> Option<T> {
        let Some(text) = value.as_str() else {
            self.note(name, Some(value), "is not a text", "write it in quotes");
            return None;
        };
        match text.parse() {
            Ok(parsed) => Some(parsed),
            Err(fault) => {
                self.note(name, Some(value), &fault.reason, fault.code.remedy());
                None
            }
        }
    }

    fn field(&self, name: &str) -> String {
        match (self.path.as_str(), name) {
            (path, "") => path.to_owned(),
            ("", name) => name.to_owned(),
            (path, name) => format!("{path}.{name}"),
        }
    }
}

fn read_table<T>(
    path: String,
    table: &Map<String, Value>,
    findings: &mut Vec<Finding>,
    read: fn(&mut Members<'_>) -> Option<T>,
) -> Option<T> {
    let mut members = Members::new(path, table, findings);
    let value = read(&mut members);
    members.finish();
    value
}

/// A value as JSON, short enough for a sentence.
pub(crate) fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 80 { text } else { text.chars().take(79).chain(['…']).collect() }
}

/// The candidate that takes the fewest strokes to reach.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates.min_by_key(|candidate| strsim::damerau_levenshtein(candidate, name))
}
