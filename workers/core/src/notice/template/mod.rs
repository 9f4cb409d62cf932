//! The words of notices: a set of templates that operators may edit, version by version. A set is a TOML file; what is wrong with it
//! is found when it is imported, never when something is sent. A file changes what it names; what it leaves out stays as it is in force,
//! which is as it came with the program until something else was imported. Nothing is loaded from anywhere, and the work of rendering is
//! bounded.

mod check;
mod entities;
mod fields;
mod file;
mod html;
mod render;
pub mod sample;
mod syntax;
#[cfg(test)]
mod tests;
pub mod variables;

pub use check::check;
pub use render::{MailText, RenderError, SmsText, mail, part, sms};

use super::{Channel, NoticeKind, ProviderTemplate};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::LazyLock;

/// A language that notices are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Locale {
    /// Chinese, as written in the mainland.
    Chinese,
    /// English.
    English,
}

impl Locale {
    /// Both, Chinese first.
    pub const ALL: [Self; 2] = [Self::Chinese, Self::English];

    /// The name in files, tables and events.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.code() == code)
    }

    /// The one of two texts that is in this language.
    #[must_use]
    pub fn of<T>(self, (chinese, english): (T, T)) -> T {
        match self {
            Self::Chinese => chinese,
            Self::English => english,
        }
    }
}

/// Whether a template is for one matter or for several that came together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// One.
    Single,
    /// Several (`combined = true` in the file).
    Combined,
}

/// What a template is for. A set has at most one for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateKey {
    /// The kind of notice.
    pub kind: NoticeKind,
    /// One or several.
    pub form: Form,
    /// SMS or mail.
    pub channel: Channel,
    /// In which language.
    pub locale: Locale,
}

impl fmt::Display for TemplateKey {
    /// `payout_credited/sms/zh-CN`, `review_overdue/combined/mail/en`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = match self.form {
            Form::Single => "",
            Form::Combined => "combined/",
        };
        write!(out, "{}/{form}{}/{}", self.kind.code(), self.channel.code(), self.locale.code())
    }
}

/// One template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// What it is for.
    pub key: TemplateKey,
    /// The text; of an SMS without its signature.
    pub text: String,
    /// The mail's subject; empty for SMS.
    pub subject: String,
    /// The mail's HTML, a fragment without `html` and `body`; none: the text, line by line.
    pub html: Option<String>,
    /// With the longest values it has at most so many segments.
    pub segments_max: u32,
    /// What vendors have to be told of it, by the names of providers in the settings.
    pub providers: BTreeMap<String, ProviderTemplate>,
}

/// Templates of one version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateSet {
    /// Its name; stands on every notice that was written by it.
    pub version: String,
    /// The file that it was read from, as it is kept.
    pub source: String,
    /// By what they are for.
    pub templates: BTreeMap<TemplateKey, Template>,
}

/// What is wrong with a set, in a sentence that names template, field and value, and says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct Problem {
    /// Template and field: `payout_credited/sms/zh-CN text`.
    pub place: String,
    /// What is wrong, and what to do.
    pub what: String,
}

/// Which vendors of SMS a file may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KnownProviders {
    /// Nobody says: no vendor is set.
    Any,
    /// These names of the settings.
    Named(BTreeSet<String>),
}

impl KnownProviders {
    /// Those of the settings; where there are none, a file may be written before they are set.
    pub fn of(names: impl IntoIterator<Item = String>) -> Self {
        let names: BTreeSet<String> = names.into_iter().collect();
        if names.is_empty() { Self::Any } else { Self::Named(names) }
    }
}

/// What becomes of a set that is to replace the one in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replacing {
    /// It is in force from now on.
    Imported,
    /// It was in force already.
    Same,
    /// Nothing: something else came into force since its importer looked.
    Overtaken {
        /// The version that did.
        version: String,
    },
    /// Nothing: its version was in force before with other content, and notices bear it.
    VersionUsed,
}

/// What becomes of a set that was made from `seen`, while `in_force` is in force. It holds everything that it leaves as it was, so that
/// whatever was imported since `seen` would be undone by it. `of_its_version` are the sources of all imports that ever bore its version: a
/// notice's proof names that alone, so that one version is one content for ever.
#[must_use]
pub fn replacing(
    set: &TemplateSet,
    seen: &TemplateSet,
    in_force: &TemplateSet,
    of_its_version: &[String],
) -> Replacing {
    let embedded = TemplateSet::embedded();
    let is_program_s = set.version == embedded.version && set.clone().filled().templates != embedded.templates;
    if set.source == in_force.source {
        Replacing::Same
    } else if seen.source != in_force.source {
        Replacing::Overtaken { version: in_force.version.clone() }
    } else if is_program_s || of_its_version.iter().any(|source| *source != set.source) {
        Replacing::VersionUsed
    } else {
        Replacing::Imported
    }
}

static EMBEDDED: LazyLock<TemplateSet> =
    LazyLock::new(|| TemplateSet::read(zhida_config::NOTICE_TEMPLATES).unwrap_or_default()); // A test holds it to be whole.

impl TemplateSet {
    /// The set that comes with the program.
    #[must_use]
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// Reads a set as it is kept. What is wrong with its templates is [`check`]'s affair.
    ///
    /// # Errors
    /// Every problem that keeps it from being a set.
    pub fn read(source: &str) -> Result<Self, Vec<Problem>> {
        let (changes, mut problems) = file::read(source);
        let (set, more) = changes.onto(&Self::default());
        problems.extend(more);
        if problems.is_empty() { Ok(Self { source: source.to_owned(), ..set }) } else { Err(problems) }
    }

    /// Reads the templates that a file names, as they would be on top of the program's own set, and checks them.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn checked(source: &str, known: &KnownProviders) -> Result<Self, Vec<Problem>> {
        let (named, set) = Self::embedded().with(source, known)?;
        let templates = set.templates.into_iter().filter(|(key, _)| named.contains(key)).collect();
        Ok(Self { templates, source: source.to_owned(), ..set })
    }

    /// What is in force after a file of changes was brought onto this set, which is in force before: only what passes the checks. What
    /// the file leaves out stays as it is.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn changed(&self, source: &str, known: &KnownProviders) -> Result<Self, Vec<Problem>> {
        let (_, mut set) = self.clone().filled().with(source, known)?;
        set.source = file::written(&set);
        Ok(set)
    }

    /// What the file names, and the set with its changes.
    fn with(&self, source: &str, known: &KnownProviders) -> Result<(BTreeSet<TemplateKey>, Self), Vec<Problem>> {
        let (changes, mut problems) = file::read(source);
        let (set, more) = changes.onto(self);
        problems.extend(more);
        problems.extend(changes.unknown_providers(known));
        let named: BTreeSet<TemplateKey> = changes.of.into_keys().collect();
        problems.extend(check::check_of(&set, &named));
        if problems.is_empty() { Ok((named, set)) } else { Err(problems) }
    }

    /// With what it leaves out taken from the embedded set; its version is its own.
    #[must_use]
    pub fn filled(mut self) -> Self {
        for (key, template) in &Self::embedded().templates {
            self.templates.entry(*key).or_insert_with(|| template.clone());
        }
        self
    }

    /// A template.
    #[must_use]
    pub fn get(&self, key: &TemplateKey) -> Option<&Template> {
        self.templates.get(key)
    }
}
