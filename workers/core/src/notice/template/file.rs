//! The TOML file of a set of templates: what it changes, and how it is kept. It says here only whether the file can be read;
//! whether its templates are good is said by the checks.

use super::fields::Fields;
use super::{Form, KnownProviders, Locale, Problem, Template, TemplateKey, TemplateSet};
use crate::notice::{Channel, NoticeKind, ProviderTemplate};
use std::collections::BTreeMap;

/// Segments that an SMS may have with the longest values, where its template says nothing.
const SEGMENTS_MAX: u32 = 5;

/// What a file changes, entry by entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) version: String,
    pub(super) of: BTreeMap<TemplateKey, Change>,
}

/// What becomes of one template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    words: Words,
    pub(super) providers: BTreeMap<String, ProviderChange>,
}

/// Which words it has.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Words {
    /// Those in force.
    Stay,
    /// Those that came with the program.
    Programs,
    /// These.
    New { text: String, subject: String, html: Option<String>, segments_max: u32 },
}

/// What becomes of a vendor's part; what is not named stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ProviderChange {
    /// Empty: the vendor has no code any longer.
    pub(super) code: Option<String>,
    /// Empty: that of the settings.
    signature: Option<String>,
    parameters: Option<Vec<String>>,
}

/// Reads what a file changes, with everything that is wrong with its form.
pub(super) fn read(source: &str) -> (Changes, Vec<Problem>) {
    let (mut changes, mut problems) = (Changes::default(), Vec::new());
    let parsed: Result<toml::Table, _> = toml::from_str(source);
    let table = match parsed {
        Ok(table) => table,
        Err(error) => {
            let what = format!("{}; see config/notices/templates.toml for the form", error.to_string().trim_end());
            return (changes, vec![Problem { place: "the file".to_owned(), what }]);
        }
    };
    let mut fields = Fields::of("the file", table);
    let version = fields.needed("version");
    let entries = fields.tables("template");
    fields.end(&mut problems);
    if let Some(what) = version.as_deref().and_then(wrong_version) {
        problems.push(Problem { place: "version".to_owned(), what });
    }
    changes.version = version.unwrap_or_default();
    for (place, entry) in entries.into_iter().enumerate() {
        let mut fields = Fields::of(&format!("template {}", place + 1), entry);
        let read = change(&mut fields);
        fields.end(&mut problems);
        if let Some((key, change)) = read
            && changes.of.insert(key, change).is_some()
        {
            let what = "stands twice in the file; keep one of the two".to_owned();
            problems.push(Problem { place: key.to_string(), what });
        }
    }
    (changes, problems)
}

fn wrong_version(version: &str) -> Option<String> {
    let lawful = (1..=40).contains(&version.len())
        && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    (!lawful).then(|| format!("`{version}` is not a version; use 1 to 40 letters, digits, `.`, `_`, `-`"))
}

/// One entry; everything that is wrong with it is noted with its fields.
fn change(fields: &mut Fields) -> Option<(TemplateKey, Change)> {
    let key = key(fields);
    if let Some(key) = key {
        fields.belong_to(&key.to_string());
    }
    let (text, words) = (fields.text("text"), fields.text("words"));
    let (subject, html) = (fields.text("subject"), fields.text("html"));
    let segments_max = fields.count("segments_max");
    let providers = fields.named_tables("providers", |fields| ProviderChange {
        code: fields.text("code"),
        signature: fields.text("signature"),
        parameters: fields.texts("parameters"),
    });
    let words = match (text, words.as_deref()) {
        (Some(text), None) => Words::New {
            text: text.trim().to_owned(),
            subject: subject.unwrap_or_default(),
            html,
            segments_max: segments_max.unwrap_or(SEGMENTS_MAX),
        },
        (None, _) if subject.is_some() || html.is_some() || segments_max.is_some() => {
            fields.wrong(
                "subject, html and segments_max go with a text of its own; give the `text` as well, or leave them out",
            );
            Words::Stay
        }
        (None, Some("program")) => Words::Programs,
        (Some(_), Some(_)) => {
            fields.wrong("has a text of its own and `words`; keep one of the two");
            Words::Stay
        }
        (None, Some(other)) => {
            fields.wrong(&format!(
                "words `{other}` is not known; write words = \"program\" to go back to the program's own"
            ));
            Words::Stay
        }
        (None, None) if providers.is_empty() => {
            fields.wrong(
                "changes nothing; give a `text`, `words = \"program\"`, or what a vendor has for it under `providers`",
            );
            Words::Stay
        }
        (None, None) => Words::Stay,
    };
    Some((key?, Change { words, providers }))
}

/// What the entry is for.
fn key(fields: &mut Fields) -> Option<TemplateKey> {
    let (kind, channel, locale) = (fields.needed("kind"), fields.needed("channel"), fields.needed("locale"));
    let form = if fields.yes("combined") { Form::Combined } else { Form::Single };
    let kind = kind.and_then(|name| {
        let known = NoticeKind::from_code(&name);
        if known.is_none() {
            let all: Vec<&str> = NoticeKind::ALL.iter().map(|kind| kind.code()).collect();
            fields.wrong(&format!("kind `{name}` is not known; use one of {}", all.join(", ")));
        }
        known
    });
    let channel = channel.and_then(|name| {
        let known = Channel::ALL.into_iter().find(|one| one.code() == name);
        if known.is_none() {
            fields.wrong(&format!("channel `{name}` is not known; use sms or mail"));
        }
        known
    });
    let locale = locale.and_then(|name| {
        let known = Locale::from_code(&name);
        if known.is_none() {
            fields.wrong(&format!("locale `{name}` is not known; use zh-CN or en"));
        }
        known
    });
    Some(TemplateKey { kind: kind?, form, channel: channel?, locale: locale? })
}

impl Changes {
    /// Vendors that the settings do not know; a code of one that is gone may be taken away.
    pub(super) fn unknown_providers(&self, known: &KnownProviders) -> Vec<Problem> {
        let KnownProviders::Named(names) = known else { return Vec::new() };
        let all = names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let of = |(key, change): (&TemplateKey, &Change)| {
            let unknown =
                |(name, one): &(&String, &ProviderChange)| !names.contains(*name) && one.code.as_deref() != Some("");
            let told = |(name, _): (&String, &ProviderChange)| Problem {
                place: format!("{key} providers.{name}"),
                what: format!(
                    "the settings know no provider of SMS `{name}`, only {all}; use one of these names, or add notices.sms.{name}"
                ),
            };
            change.providers.iter().filter(unknown).map(told).collect::<Vec<_>>()
        };
        self.of.iter().flat_map(of).collect()
    }

    /// What is in force after them, with what cannot be brought onto what was before.
    pub(super) fn onto(&self, before: &TemplateSet) -> (TemplateSet, Vec<Problem>) {
        let mut after = TemplateSet { version: self.version.clone(), source: String::new(), ..before.clone() };
        let mut problems = Vec::new();
        for (key, change) in &self.of {
            match changed(*key, before.get(key), change) {
                Ok(template) => {
                    after.templates.insert(*key, template);
                }
                Err(what) => problems.push(Problem { place: key.to_string(), what }),
            }
        }
        (after, problems)
    }
}

fn changed(key: TemplateKey, before: Option<&Template>, change: &Change) -> Result<Template, String> {
    let words = match &change.words {
        Words::New { text, subject, html, segments_max } => Template {
            key,
            text: text.clone(),
            subject: subject.clone(),
            html: html.clone(),
            segments_max: *segments_max,
            providers: BTreeMap::new(),
        },
        Words::Stay => before.cloned().ok_or("has no text yet; give its `text`")?,
        Words::Programs => {
            TemplateSet::embedded().get(&key).cloned().ok_or("did not come with the program; give its `text`")?
        }
    };
    let known = before.map(|one| &one.providers);
    let same_text = before.is_some_and(|one| one.text == words.text);
    let mut providers: BTreeMap<String, ProviderTemplate> = known.cloned().unwrap_or_default();
    // A vendor sends the text that it approved under a code: another text may not travel under it unsaid.
    let unsaid = |name: &&String| change.providers.get(*name).is_none_or(|one| one.code.is_none());
    let left: Vec<&str> = providers
        .iter()
        .filter(|(name, one)| !same_text && one.code.is_some() && unsaid(name))
        .map(|(name, _)| name.as_str())
        .collect();
    if let Some(first) = left.first() {
        return Err(format!(
            "its text changes, and {} had the code of the old one: say providers.{first}.code, as it is approved for this text, or \"\" \
             for none",
            left.join(", ")
        ));
    }
    for (name, change) in &change.providers {
        let mut one = providers.remove(name).unwrap_or_default();
        if let Some(code) = &change.code {
            one.code = Some(code.clone()).filter(|code| !code.is_empty());
        }
        if let Some(signature) = &change.signature {
            one.signature = Some(signature.clone()).filter(|signature| !signature.is_empty());
        }
        match &change.parameters {
            Some(parameters) => one.parameters.clone_from(parameters),
            // An order belongs to the text that it was given for.
            None if !same_text => one.parameters.clear(),
            None => {}
        }
        if one != ProviderTemplate::default() {
            providers.insert(name.clone(), one);
        }
    }
    Ok(Template { providers, ..words })
}

/// A set as it is kept: what differs from what came with the program.
pub(super) fn written(set: &TemplateSet) -> String {
    let embedded = TemplateSet::embedded();
    let own = set.templates.iter().filter(|(key, template)| embedded.get(key) != Some(template));
    let entries: Vec<toml::Value> = own.map(|(_, template)| toml::Value::Table(entry(template))).collect();
    let mut file = toml::Table::from_iter([("version".to_owned(), set.version.clone().into())]);
    if !entries.is_empty() {
        file.insert("template".to_owned(), toml::Value::Array(entries));
    }
    file.to_string()
}

fn entry(template: &Template) -> toml::Table {
    let key = template.key;
    let mut entry = toml::Table::from_iter([
        ("kind".to_owned(), key.kind.code().into()),
        ("channel".to_owned(), key.channel.code().into()),
        ("locale".to_owned(), key.locale.code().into()),
        ("combined".to_owned(), (key.form == Form::Combined).into()),
        ("text".to_owned(), template.text.clone().into()),
        ("segments_max".to_owned(), i64::from(template.segments_max).into()),
    ]);
    if !template.subject.is_empty() {
        entry.insert("subject".to_owned(), template.subject.clone().into());
    }
    if let Some(html) = &template.html {
        entry.insert("html".to_owned(), html.clone().into());
    }
    let provider = |(name, one): (&String, &ProviderTemplate)| {
        let mut table = toml::Table::new();
        table.extend(one.code.iter().map(|code| ("code".to_owned(), code.clone().into())));
        table.extend(one.signature.iter().map(|signature| ("signature".to_owned(), signature.clone().into())));
        if !one.parameters.is_empty() {
            table.insert("parameters".to_owned(), one.parameters.clone().into());
        }
        (name.clone(), toml::Value::Table(table))
    };
    if !template.providers.is_empty() {
        let providers = template.providers.iter().map(provider).collect();
        entry.insert("providers".to_owned(), toml::Value::Table(providers));
    }
    entry
}
