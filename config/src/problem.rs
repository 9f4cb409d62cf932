//! What can be wrong with the settings, in sentences a person can act on, and where a value came from. Not the checks
//! themselves.

use std::fmt;
use std::path::PathBuf;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The embedded `config/default.toml`.
    Default,
    /// The file given with `--config`.
    File(PathBuf),
    /// An environment variable, by its name.
    Variable(String),
    /// A file named by an environment variable that ends in `_FILE`.
    SecretFile {
        /// Name of the variable.
        variable: String,
        /// The file it names.
        path: PathBuf,
    },
    /// The command line.
    Flag,
    /// Nobody gave a value and there is no default.
    NotSet,
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::File(path) => write!(out, "file {}", path.display()),
            Self::Variable(name) => write!(out, "environment {name}"),
            Self::SecretFile { variable, path } => write!(out, "environment {variable}, file {}", path.display()),
            Self::Flag => out.write_str("command line"),
            Self::NotSet => out.write_str("not set"),
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A key that is no setting.
    #[error("{key} (from: {origin}) is not a setting; the nearest is {nearest}")]
    UnknownKey {
        /// The key as it was written (the whole variable name for an environment variable).
        key: String,
        /// Where it stands.
        origin: Origin,
        /// The setting whose name is nearest.
        nearest: String,
    },
    /// A value of another form than the setting's.
    #[error("{key} = {value} (from: {origin}) cannot be used: expected {expected}")]
    WrongForm {
        /// The setting.
        key: String,
        /// The value as it was written; secrets are not repeated.
        value: String,
        /// The form that is expected, in words.
        expected: String,
        /// Where the value stands.
        origin: Origin,
    },
    /// A required part of a named entry is missing.
    #[error("{key} has no value: set it to {expected}")]
    Missing {
        /// The setting.
        key: String,
        /// The form that is expected, in words.
        expected: String,
    },
    /// A named entry given both as a bare value and as a table.
    #[error("{key} is given both as a bare value and as a table: keep one of the two")]
    GivenTwice {
        /// The entry.
        key: String,
    },
    /// A `_FILE` variable for something that is no secret.
    #[error("environment {variable}: {key} is not a secret and cannot be read from a file; set the value itself")]
    NotASecret {
        /// Name of the variable.
        variable: String,
        /// The setting it would set.
        key: String,
    },
    /// A variable that only almost has our prefix.
    #[error("environment {variable} is not read: variables begin with ZHIDA__, with two underscores; write {meant}")]
    AlmostOurs {
        /// Name of the variable.
        variable: String,
        /// What was probably meant.
        meant: String,
    },
    /// Two named entries whose names differ in capital letters only.
    #[error(
        "{key} (from: {origin}) and {other} differ in capital letters only; names that you give stand as you wrote them, in variables \
         too: write the same in both places"
    )]
    NamesAlike {
        /// The one.
        key: String,
        /// Where it stands.
        origin: Origin,
        /// The other.
        other: String,
    },
    /// A file that could not be read.
    #[error("{path} (from: {origin}) cannot be read: {reason}; check the path and the rights")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Who named it.
        origin: Origin,
        /// What the operating system says.
        reason: String,
    },
    /// A settings file that is not TOML.
    #[error("{origin} is not valid TOML: {reason}")]
    NotToml {
        /// The file.
        origin: Origin,
        /// What the reader says, with line and column.
        reason: String,
    },
}

/// Everything that is wrong with the settings, one sentence a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.problems, .refusals))]
pub struct ConfigError {
    /// At least one.
    pub problems: Vec<Problem>,
    /// What `serve` would refuse of the rest, as far as it can be judged without what is in the problems.
    pub refusals: Vec<String>,
}

fn lines(problems: &[Problem], refusals: &[String]) -> String {
    problems.iter().map(Problem::to_string).chain(refusals.iter().cloned()).collect::<Vec<_>>().join("\n")
}

impl Problem {
    /// The settings that it is about, as far as it says; none: what it leaves of the settings is not known.
    pub(crate) fn keys(&self) -> Option<Vec<String>> {
        match self {
            Self::UnknownKey { key, nearest, .. } => Some(vec![key.clone(), nearest.clone()]),
            Self::WrongForm { key, .. }
            | Self::Missing { key, .. }
            | Self::GivenTwice { key }
            | Self::NotASecret { key, .. } => Some(vec![key.clone()]),
            Self::NamesAlike { key, other, .. } => Some(vec![key.clone(), other.clone()]),
            Self::AlmostOurs { .. } | Self::Unreadable { .. } | Self::NotToml { .. } => None,
        }
    }
}
