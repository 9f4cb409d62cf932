//! The settings as a whole: reading the merged layers into typed values, and showing them with their origins. The single
//! settings are declared in [`crate::sections`].

use crate::form::{Secrecy, Setting};
use crate::layers::{self, Bare, Entry, Key, NamedGroup, Table, Written};
use crate::notices::{Mail, NoticeKindSettings, Notices, SmsProvider};
use crate::patterns::Patterns;
use crate::problem::{ConfigError, Origin, Problem};
use crate::sections::{
    Bank, Calendar, Database, Digest, District, ENVIRONMENT, Environment, Holds, Http, Intake, Limits, Logging, Payout,
    Queue, Relay, Release, Store, Supervision, Sweeps,
};
use crate::tokens::ApiToken;
use crate::trusted_keys::TrustedKey;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Every setting, typed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the installation is for.
    pub environment: Environment,
    /// `district.*`
    pub district: District,
    /// `database.*`
    pub database: Database,
    /// `store.*`
    pub store: Store,
    /// `queue.*`
    pub queue: Queue,
    /// `http.*` but the named tokens
    pub http: Http,
    /// `http.api_tokens.<name>`
    pub api_tokens: BTreeMap<String, ApiToken>,
    /// `intake.*` but the trusted keys
    pub intake: Intake,
    /// `intake.trusted_keys.<keyid>`
    pub trusted_keys: BTreeMap<String, TrustedKey>,
    /// `bank.*`
    pub bank: Bank,
    /// `limits.*`
    pub limits: Limits,
    /// `release.*`
    pub release: Release,
    /// `holds.*`
    pub holds: Holds,
    /// `calendar.*`
    pub calendar: Calendar,
    /// `supervision.*`
    pub supervision: Supervision,
    /// `patterns.*` and `policy_health.*`
    pub patterns: Patterns,
    /// `digest.*`
    pub digest: Digest,
    /// `notices.*` but mail, providers and kinds
    pub notices: Notices,
    /// `notices.mail.*`
    pub mail: Mail,
    /// `notices.sms.<name>`
    pub sms: BTreeMap<String, SmsProvider>,
    /// `notices.kinds.<kind>`
    pub notice_kinds: BTreeMap<String, NoticeKindSettings>,
    /// `payout.*`
    pub payout: Payout,
    /// `sweeps.*`
    pub sweeps: Sweeps,
    /// `relay.*`
    pub relay: Relay,
    /// `logging.*`
    pub logging: Logging,
    rows: Vec<Row>,
}

/// One line of `zhida config show`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The setting.
    pub key: String,
    /// Its value; secrets are redacted.
    pub value: String,
    /// Where the value came from.
    pub origin: Origin,
}

impl Settings {
    /// Merges the layers (first wins): `flags` as key and value, `environment` as name and value, the TOML `file`, and
    /// the embedded defaults.
    ///
    /// # Errors
    /// Everything that is wrong, not only the first: unknown keys, wrong forms, unreadable files, and what `serve` would refuse of the rest.
    pub fn load(
        flags: &[(String, String)],
        environment: impl IntoIterator<Item = (String, String)>,
        file: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let table = layers::merge(flags, environment, file, &mut problems);
        let mut reader = Reader { table, rows: Vec::new(), problems };
        let settings = Self::read(&mut reader);
        match settings {
            Some(settings) if reader.problems.is_empty() => Ok(Self { rows: reader.rows, ..settings }),
            Some(_) | None => {
                let refusals = Self::refused_of_the_rest(reader.table, &reader.problems).unwrap_or_default();
                Err(ConfigError { problems: reader.problems, refusals })
            }
        }
    }

    /// What `serve` would refuse of settings that have these problems: judged with the defaults in the place of what is wrong, and without
    /// any sentence about that. None where nobody can say what the settings would be.
    fn refused_of_the_rest(mut table: Table, problems: &[Problem]) -> Option<Vec<String>> {
        let mut wrong: Vec<String> = problems.iter().map(Problem::keys).collect::<Option<Vec<_>>>()?.concat();
        let defaults = layers::merge(&[], [], None, &mut Vec::new());
        table.retain(|key, _| !wrong.contains(&key.join(".")));
        table.extend(defaults.into_iter().filter(|(key, _)| wrong.contains(&key.join("."))));
        let mut reader = Reader { table, rows: Vec::new(), problems: Vec::new() };
        let settings = Self::read(&mut reader)?;
        // An entry that lacks a part now is not there for whoever names it.
        let lacking: Vec<String> = reader.problems.iter().filter_map(Problem::keys).flatten().collect();
        let is_there = |entry: &str| {
            let part = |key: &String| key.rsplit_once('.').is_some_and(|(above, _)| above == entry);
            !lacking.iter().any(part) && reader.rows.iter().any(|row| part(&row.key))
        };
        let entries = wrong.iter().filter_map(|key| key.rsplit_once('.')).map(|(entry, _)| entry);
        let named = |entry: &&str| named_groups().iter().any(|group| entry.starts_with(&format!("{}.", group.path)));
        let lost: Vec<String> = entries.filter(named).filter(|entry| !is_there(entry)).map(str::to_owned).collect();
        wrong.extend(lost);
        let refusals = settings.check_for_serve();
        Some(refusals.into_iter().filter(|one| !wrong.iter().any(|key| one.contains(key.as_str()))).collect())
    }

    /// Every setting with its value (secrets redacted) and where it came from.
    #[must_use]
    pub fn show(&self) -> &[Row] {
        &self.rows
    }

    /// Reads every section before giving up, so that every problem is reported at once.
    fn read(reader: &mut Reader) -> Option<Self> {
        let environment = reader.read::<Environment>(ENVIRONMENT.path);
        let district = District::read(reader);
        let database = Database::read(reader);
        let store = Store::read(reader);
        let queue = Queue::read(reader);
        let http = Http::read(reader);
        let api_tokens = reader.read_named(ApiToken::GROUP, ApiToken::read);
        let intake = Intake::read(reader);
        let trusted_keys = reader.read_named(TrustedKey::GROUP, TrustedKey::read);
        let bank = Bank::read(reader);
        let limits = Limits::read(reader);
        let release = Release::read(reader);
        let holds = Holds::read(reader);
        let calendar = Calendar::read(reader);
        let supervision = Supervision::read(reader);
        let patterns = Patterns::read(reader);
        let digest = Digest::read(reader);
        let notices = Notices::read(reader);
        let mail = Mail::read(reader);
        let sms = reader.read_named(SmsProvider::GROUP, SmsProvider::read);
        let notice_kinds = reader.read_named(NoticeKindSettings::GROUP, NoticeKindSettings::read);
        let payout = Payout::read(reader);
        let sweeps = Sweeps::read(reader);
        let relay = Relay::read(reader);
        let logging = Logging::read(reader);
        Some(Self {
            environment: environment?,
            district: district?,
            database: database?,
            store: store?,
            queue: queue?,
            http: http?,
            api_tokens,
            intake: intake?,
            trusted_keys,
            bank: bank?,
            limits: limits?,
            release: release?,
            holds: holds?,
            calendar: calendar?,
            supervision: supervision?,
            patterns: patterns?,
            digest: digest?,
            notices: notices?,
            mail: mail?,
            sms,
            notice_kinds,
            payout: payout?,
            sweeps: sweeps?,
            relay: relay?,
            logging: logging?,
            rows: Vec::new(),
        })
    }
}

/// Every key with a fixed name.
pub(crate) fn keys() -> &'static [Key] {
    static KEYS: std::sync::OnceLock<Vec<Key>> = std::sync::OnceLock::new();
    KEYS.get_or_init(|| {
        let mut keys = vec![ENVIRONMENT];
        for section in [
            District::KEYS,
            Database::KEYS,
            Store::KEYS,
            Queue::KEYS,
            Http::KEYS,
            Intake::KEYS,
            Bank::KEYS,
            Limits::KEYS,
            Release::KEYS,
            Holds::KEYS,
            Calendar::KEYS,
            Supervision::KEYS,
            Digest::KEYS,
            Notices::KEYS,
            Mail::KEYS,
            Payout::KEYS,
            Sweeps::KEYS,
            Relay::KEYS,
            Logging::KEYS,
        ] {
            keys.extend_from_slice(section);
        }
        keys.extend(Patterns::KEYS.iter().copied().flatten().copied());
        keys
    })
}

/// Every table whose entries are named by the user.
pub(crate) fn named_groups() -> &'static [NamedGroup] {
    &[ApiToken::GROUP, TrustedKey::GROUP, SmsProvider::GROUP, NoticeKindSettings::GROUP]
}

/// Takes values out of the merged table, remembering what was read and what was wrong.
pub(crate) struct Reader {
    table: Table,
    rows: Vec<Row>,
    problems: Vec<Problem>,
}

impl Reader {
    /// The value of a key with a fixed name; `None` after noting a problem.
    pub(crate) fn read<T: Setting>(&mut self, path: &str) -> Option<T> {
        let segments: Vec<String> = path.split('.').map(str::to_owned).collect();
        self.read_at(&segments)
    }

    /// The value of a key given in parts.
    pub(crate) fn read_at<T: Setting>(&mut self, segments: &[String]) -> Option<T> {
        let key = segments.join(".");
        let Some(Entry { written, origin }) = self.table.get(segments) else {
            let absent = T::absent();
            match &absent {
                Some(value) => self.rows.push(Row { key, value: value.shown(), origin: Origin::NotSet }),
                None => self.problems.push(Problem::Missing { key, expected: T::EXPECTED.to_owned() }),
            }
            return absent;
        };
        let value = match written {
            Written::Toml(value) => T::from_toml(value),
            Written::Text(text) => T::from_text(text),
        };
        match &value {
            Some(value) => self.rows.push(Row { key, value: value.shown(), origin: origin.clone() }),
            None => self.problems.push(Problem::WrongForm {
                key,
                value: match (written, T::SECRECY) {
                    (Written::Text(text) | Written::Toml(toml::Value::String(text)), _) => T::repeated(text),
                    (Written::Toml(_), Secrecy::Secret) => "(hidden)".to_owned(),
                    (Written::Toml(value), Secrecy::Open) => value.to_string(),
                },
                expected: T::EXPECTED.to_owned(),
                origin: origin.clone(),
            }),
        }
        value
    }

    /// Whether the table holds a value for exactly this key.
    pub(crate) fn has(&self, segments: &[String]) -> bool {
        self.table.contains_key(segments)
    }

    /// Reads every entry of a named group that has no problem of its own.
    fn read_named<T>(&mut self, group: NamedGroup, read: fn(&mut Self, &[String]) -> Option<T>) -> BTreeMap<String, T> {
        let above: Vec<String> = group.path.split('.').map(str::to_owned).collect();
        let entries: BTreeSet<Vec<String>> = self
            .table
            .keys()
            .filter(|key| key.starts_with(&above))
            .map(|key| key[..3.min(key.len())].to_vec())
            .collect();
        let mut found = BTreeMap::new();
        for entry in entries.iter().filter(|entry| entry.len() == 3) {
            let has_fields = self.table.keys().any(|key| key.len() == 4 && key.starts_with(entry));
            if group.bare == Bare::Allowed && has_fields && self.has(entry) {
                self.problems.push(Problem::GivenTwice { key: entry.join(".") });
                continue;
            }
            if let Some(value) = read(self, entry) {
                found.insert(entry[2].clone(), value);
            }
        }
        found
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
