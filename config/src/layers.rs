//! The four layers of settings (command line, environment, file, defaults) brought into one table of keys, each value
//! with its origin. Forms of values are checked later, by [`crate::settings`].

use crate::form::Secrecy;
use crate::problem::{Origin, Problem};
use crate::settings::{keys, named_groups};
use std::collections::BTreeMap;
use std::path::Path;

/// The embedded, documented defaults.
pub const DEFAULTS: &str = include_str!("../default.toml");

const PREFIX: &str = "ZHIDA__";
/// What somebody writes who forgets one underscore.
const ALMOST: &str = "ZHIDA_";

/// A setting with a fixed name, or a field of a named entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) path: &'static str,
    pub(crate) secrecy: Secrecy,
}

/// A table whose entries are named by the user, `intake.trusted_keys.<name>`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NamedGroup {
    pub(crate) path: &'static str,
    pub(crate) fields: &'static [Key],
    /// Whether a bare value may stand for the whole entry.
    pub(crate) bare: Bare,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bare {
    Allowed,
    Refused,
}

/// A value as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Written {
    Toml(toml::Value),
    Text(String),
}

/// A value with its origin.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) written: Written,
    pub(crate) origin: Origin,
}

/// Key, split at its dots (the name of a named entry is one member, dots included), to value.
pub(crate) type Table = BTreeMap<Vec<String>, Entry>;

/// Merges the layers; the lowest comes first, so that later ones overwrite.
pub(crate) fn merge(
    flags: &[(String, String)],
    environment: impl IntoIterator<Item = (String, String)>,
    file: Option<&Path>,
    problems: &mut Vec<Problem>,
) -> Table {
    let mut table = Table::new();
    add_toml(DEFAULTS, &Origin::Default, &mut table, problems);
    if let Some(path) = file {
        let origin = Origin::File(path.to_owned());
        match std::fs::read_to_string(path) {
            Ok(text) => add_toml(&text, &origin, &mut table, problems),
            Err(error) => problems.push(unreadable(path, Origin::Flag, &error)),
        }
    }
    // Sorted, so that the messages come in the same order every time.
    let variables: BTreeMap<String, String> =
        environment.into_iter().filter(|(name, _)| name.starts_with(ALMOST)).collect();
    for (name, value) in variables {
        if name.starts_with(PREFIX) {
            add_variable(&name, value, &mut table, problems);
        } else {
            problems.extend(almost_ours(&name));
        }
    }
    for (key, value) in flags {
        let segments: Vec<String> = key.split('.').map(str::to_owned).collect();
        match find(&segments) {
            Some(_) => insert(&mut table, segments, Written::Text(value.clone()), Origin::Flag),
            None => problems.push(unknown(key.clone(), &segments, Origin::Flag)),
        }
    }
    alike(&table, problems);
    table
}

/// A variable with one underscore that would be a setting with two.
fn almost_ours(name: &str) -> Option<Problem> {
    let meant = format!("{PREFIX}{}", name.strip_prefix(ALMOST)?);
    let mut segments = segments_of_variable(&meant);
    let whole = find(&segments).is_some();
    let last = segments.last_mut()?;
    *last = last.strip_suffix("_file").unwrap_or(last).to_owned();
    (whole || find(&segments).is_some()).then(|| Problem::AlmostOurs { variable: name.to_owned(), meant })
}

/// Names that a user gave and that only almost name the same entry.
fn alike(table: &Table, problems: &mut Vec<Problem>) {
    let mut known: BTreeMap<String, &[String]> = BTreeMap::new();
    for (key, entry) in table {
        if key.len() < 3 || !named_groups().iter().any(|group| group.path == key[..2].join(".")) {
            continue;
        }
        let other = *known.entry(key[..3].join(".").to_lowercase()).or_insert(&key[..3]);
        if other != &key[..3] {
            let (key, origin) = (key[..3].join("."), entry.origin.clone());
            let problem = Problem::NamesAlike { key, origin, other: other.join(".") };
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    }
}

/// What is known of a key.
pub(crate) fn find(segments: &[String]) -> Option<Secrecy> {
    let path = segments.join(".");
    if let Some(key) = keys().iter().find(|key| key.path == path) {
        return Some(key.secrecy);
    }
    let group = named_groups()
        .iter()
        .find(|group| group.path == segments.iter().take(2).cloned().collect::<Vec<_>>().join("."))?;
    match segments {
        [_, _, name] if is_name(name) && group.bare == Bare::Allowed => Some(Secrecy::Open),
        [_, _, name, field] if is_name(name) => {
            group.fields.iter().find(|key| key.path == field).map(|key| key.secrecy)
        }
        _ => None,
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}

fn add_toml(text: &str, origin: &Origin, table: &mut Table, problems: &mut Vec<Problem>) {
    match text.parse::<toml::Table>() {
        Ok(parsed) => add_members(&[], &parsed, origin, table, problems),
        // The reader's own text quotes the line, which may hold a secret.
        Err(error) => {
            let line = text[..error.span().map_or(0, |span| span.start)].matches('\n').count() + 1;
            let reason = format!("line {line}: {}", error.message());
            problems.push(Problem::NotToml { origin: origin.clone(), reason });
        }
    }
}

/// Walks a TOML table down to its leaves. A table where a setting should stand is a leaf: its form is wrong, not its key.
fn add_members(
    above: &[String],
    members: &toml::Table,
    origin: &Origin,
    table: &mut Table,
    problems: &mut Vec<Problem>,
) {
    for (name, value) in members {
        let mut segments = above.to_vec();
        segments.push(name.clone());
        let is_setting = find(&segments).is_some();
        match value {
            toml::Value::Table(inner) if !is_setting || is_entry(&segments) => {
                add_members(&segments, inner, origin, table, problems);
            }
            _ if is_setting => insert(table, segments, Written::Toml(value.clone()), origin.clone()),
            _ => problems.push(unknown(segments.join("."), &segments, origin.clone())),
        }
    }
}

fn is_entry(segments: &[String]) -> bool {
    segments.len() == 3 && named_groups().iter().any(|group| group.path == segments[..2].join("."))
}

fn add_variable(name: &str, value: String, table: &mut Table, problems: &mut Vec<Problem>) {
    let segments = segments_of_variable(name);
    if find(&segments).is_some() {
        return insert(table, segments, Written::Text(value), Origin::Variable(name.to_owned()));
    }
    let mut stripped = segments.clone();
    let without_suffix = stripped.last().and_then(|last| last.strip_suffix("_file").map(str::to_owned));
    if let (Some(last), Some(short)) = (stripped.last_mut(), without_suffix) {
        *last = short;
        match find(&stripped) {
            Some(Secrecy::Secret) => return add_secret_file(name, &value, stripped, table, problems),
            Some(Secrecy::Open) => {
                problems.push(Problem::NotASecret { variable: name.to_owned(), key: stripped.join(".") });
                return;
            }
            None => {}
        }
    }
    problems.push(unknown(name.to_owned(), &segments, Origin::Variable(name.to_owned())));
}

/// `ZHIDA__BANK__URL` is `bank.url`. Names that users give stay as they are written: `ZHIDA__INTAKE__TRUSTED_KEYS__K-1__KEY`.
fn segments_of_variable(name: &str) -> Vec<String> {
    let lower: Vec<String> = name[PREFIX.len()..].split("__").map(str::to_ascii_lowercase).collect();
    let written: Vec<&str> = name[PREFIX.len()..].split("__").collect();
    let in_group = lower.len() > 2 && named_groups().iter().any(|group| group.path == lower[..2].join("."));
    let mut segments = lower;
    if in_group {
        segments[2] = written[2].to_owned();
    }
    segments
}

fn add_secret_file(variable: &str, path: &str, segments: Vec<String>, table: &mut Table, problems: &mut Vec<Problem>) {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let origin = Origin::SecretFile { variable: variable.to_owned(), path: path.into() };
            // Editors and secret stores end a file with a line feed that is no part of the secret.
            let value = text.trim_end_matches(['\r', '\n']).to_owned();
            insert(table, segments, Written::Text(value), origin);
        }
        Err(error) => problems.push(unreadable(Path::new(path), Origin::Variable(variable.to_owned()), &error)),
    }
}

fn insert(table: &mut Table, segments: Vec<String>, written: Written, origin: Origin) {
    table.insert(segments, Entry { written, origin });
}

fn unreadable(path: &Path, origin: Origin, error: &std::io::Error) -> Problem {
    Problem::Unreadable { path: path.to_owned(), origin, reason: error.to_string() }
}

fn unknown(key: String, segments: &[String], origin: Origin) -> Problem {
    Problem::UnknownKey { key, origin, nearest: nearest(segments) }
}

/// The setting whose name takes the fewest strokes to reach.
fn nearest(segments: &[String]) -> String {
    let written = segments.join(".");
    let name = segments.get(2).map_or("<name>", String::as_str);
    let fixed = keys().iter().map(|key| key.path.to_owned());
    let in_groups = named_groups()
        .iter()
        .flat_map(|group| group.fields.iter().map(move |field| format!("{}.{name}.{}", group.path, field.path)));
    fixed.chain(in_groups).min_by_key(|candidate| strsim::damerau_levenshtein(candidate, &written)).unwrap_or_default()
}
