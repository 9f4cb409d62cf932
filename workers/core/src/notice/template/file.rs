//! The TOML file of a set of templates. It says here only whether the file can be read as a set; whether its templates are good is
//! said by the checks.

use super::{Form, Locale, Problem, Template, TemplateKey, TemplateSet};
use crate::notice::{Channel, NoticeKind, ProviderTemplate};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Segments that an SMS may have with the longest values, where its template says nothing.
const SEGMENTS_MAX: u32 = 5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetFile {
    version: String,
    #[serde(default, rename = "template")]
    templates: Vec<TemplateFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateFile {
    kind: String,
    channel: String,
    locale: String,
    #[serde(default)]
    combined: bool,
    text: String,
    #[serde(default)]
    subject: String,
    html: Option<String>,
    segments_max: Option<u32>,
    #[serde(default)]
    providers: BTreeMap<String, ProviderFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderFile {
    code: String,
    signature: Option<String>,
    #[serde(default)]
    parameters: Vec<String>,
}

/// Reads a set.
pub(super) fn read(source: &str) -> Result<TemplateSet, Vec<Problem>> {
    let file: SetFile = toml::from_str(source).map_err(|error| {
        let what = format!("{}; see config/notices/templates.toml for the form", error.to_string().trim_end());
        vec![Problem { place: "the file".to_owned(), what }]
    })?;
    let mut set = TemplateSet { version: file.version, source: source.to_owned(), ..TemplateSet::default() };
    let mut problems = Vec::new();
    let lawful = |version: &str| {
        (1..=40).contains(&version.len())
            && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    if !lawful(&set.version) {
        let what = format!("`{}` is not a version; use 1 to 40 letters, digits, `.`, `_`, `-`", set.version);
        problems.push(Problem { place: "version".to_owned(), what });
    }
    for (place, template) in file.templates.into_iter().enumerate() {
        match of_file(template) {
            Err(what) => problems.push(Problem { place: format!("template {}", place + 1), what }),
            Ok(template) => {
                let key = template.key;
                if set.templates.insert(key, template).is_some() {
                    let what = "stands twice in the file; keep one of the two".to_owned();
                    problems.push(Problem { place: key.to_string(), what });
                }
            }
        }
    }
    if problems.is_empty() { Ok(set) } else { Err(problems) }
}

fn of_file(file: TemplateFile) -> Result<Template, String> {
    let kind = NoticeKind::from_code(&file.kind).ok_or_else(|| {
        let all: Vec<&str> = NoticeKind::ALL.iter().map(|kind| kind.code()).collect();
        format!("kind `{}` is not known; use one of {}", file.kind, all.join(", "))
    })?;
    let channel = Channel::ALL.into_iter().find(|one| one.code() == file.channel);
    let channel = channel.ok_or_else(|| format!("channel `{}` is not known; use sms or mail", file.channel))?;
    let locale = Locale::from_code(&file.locale);
    let locale = locale.ok_or_else(|| format!("locale `{}` is not known; use zh-CN or en", file.locale))?;
    let form = if file.combined { Form::Combined } else { Form::Single };
    Ok(Template {
        key: TemplateKey { kind, form, channel, locale },
        text: file.text.trim().to_owned(),
        subject: file.subject,
        html: file.html,
        segments_max: file.segments_max.unwrap_or(SEGMENTS_MAX),
        providers: file.providers.into_iter().map(|(name, one)| (name, of_provider(one))).collect(),
    })
}

fn of_provider(file: ProviderFile) -> ProviderTemplate {
    ProviderTemplate { code: Some(file.code), signature: file.signature, parameters: file.parameters }
}
