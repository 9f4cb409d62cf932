//! What is wrong with a set of templates, all of it at once: found when a set is imported, so that nothing is found when something
//! is to be sent. Each finding names the template, the field and the value, and says what to do.

use super::render::part;
use super::sample::{Sample, values};
use super::variables::{ITEM, Required, VariableType, variable, variables};
use super::{Form, Problem, Template, TemplateKey, TemplateSet, entities, html, sms, syntax};
use crate::notice::segments::{LENGTH_MAX, length, of_length, with_signature};
use crate::notice::value::Values;
use crate::notice::{Channel, Grouping};
use std::collections::BTreeSet;

/// A signature may be so long. A vendor that the template does not name sends that of the settings, so that this is what no message may
/// exceed its limit with.
const SIGNATURE_MAX: usize = 20;

/// Costs are bounded for signatures of at least this length (vendors approve 2 to 12 characters; check).
const SIGNATURE_USUAL: usize = 12;

/// Characters that a subject may have, its longest values left out of account.
const SUBJECT_MAX: usize = 120;

/// Every problem of a set.
#[must_use]
pub fn check(set: &TemplateSet) -> Vec<Problem> {
    set.templates.values().flat_map(problems).collect()
}

/// Every problem of those templates of a set.
pub(super) fn check_of(set: &TemplateSet, keys: &BTreeSet<TemplateKey>) -> Vec<Problem> {
    keys.iter().filter_map(|key| set.get(key)).flat_map(problems).collect()
}

fn problems(template: &Template) -> Vec<Problem> {
    let mut check = Check { template, problems: Vec::new() };
    if template.key.form == Form::Combined && template.key.kind.traits().grouping == Grouping::Alone {
        check.find("combined", format!("{} is never combined; take `combined` out", template.key.kind.code()));
    }
    match template.key.channel {
        Channel::Sms => check.sms(),
        Channel::Mail => check.mail(),
    }
    check.problems
}

struct Check<'a> {
    template: &'a Template,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn find(&mut self, field: &str, what: String) {
        self.problems.push(Problem { place: format!("{} {field}", self.template.key), what });
    }

    fn sms(&mut self) {
        let template = self.template;
        if !template.subject.is_empty() {
            self.find("subject", "an SMS has no subject; take it out".to_owned());
        }
        if template.html.is_some() {
            self.find("html", "an SMS has no HTML; take it out".to_owned());
        }
        self.characters("text", &template.text, Breaks::No);
        for letter in ['【', '】'] {
            if template.text.contains(letter) {
                let what =
                    format!("`{letter}` is in the text; vendors put the signature in 【】 themselves: take it out");
                self.find("text", what);
            }
        }
        if let Some(used) = self.names("text", &template.text) {
            self.required("text", &used);
            self.providers(&used);
        }
        let literal = syntax::pieces(&template.text).unwrap_or_default().into_iter().any(|piece| match piece {
            syntax::Piece::Text(text) => text.contains(['{', '}']),
            syntax::Piece::Value(_) | syntax::Piece::Block(_) => false,
        });
        if literal {
            self.find("text", "`{` or `}` is in the text; vendors read it as a variable: take it out".to_owned());
        }
        if self.problems.is_empty() {
            self.length();
        }
    }

    /// How long it becomes, with the longest values and a signature.
    fn length(&mut self) {
        let template = self.template;
        let own = template.providers.values().filter_map(|one| one.signature.as_deref()).map(length).max();
        let usual = own.unwrap_or_default().max(SIGNATURE_USUAL);
        let longest = self.values(Sample::Longest(Channel::Sms));
        let text = match sms(template, &longest) {
            Ok(sms) => sms.text,
            Err(error) => return self.find(error.field, error.why),
        };
        let with = |signature: usize| length(&with_signature(&"签".repeat(signature), &text));
        let (length, segments) = (with(SIGNATURE_MAX), of_length(with(usual)));
        if length > LENGTH_MAX {
            let what = format!(
                "with the longest values and the longest signature it has {length} characters, more than {LENGTH_MAX}; shorten it, or leave \
                 variables out"
            );
            self.find("text", what);
        } else if segments > template.segments_max {
            let what = format!(
                "with the longest values it is {segments} segments, more than segments_max {}; shorten it, or raise segments_max",
                template.segments_max
            );
            self.find("segments_max", what);
        }
    }

    fn mail(&mut self) {
        let template = self.template;
        if !template.providers.is_empty() {
            self.find("providers", "only SMS are approved by vendors; take `template.providers` out".to_owned());
        }
        if template.subject.trim().is_empty() {
            self.find("subject", "a mail needs a subject; add one".to_owned());
        }
        if template.subject.chars().count() > SUBJECT_MAX {
            self.find("subject", format!("it has more than {SUBJECT_MAX} characters; shorten it"));
        }
        self.characters("subject", &template.subject, Breaks::No);
        self.characters("text", &template.text, Breaks::Lines);
        self.names("subject", &template.subject);
        if let Some(used) = self.names("text", &template.text) {
            self.required("text", &used);
        }
        if let Some(html) = &template.html {
            self.characters("html", html, Breaks::Lines);
            if let Some(used) = self.names("html", html) {
                self.required("html", &used);
            }
            let key = template.key;
            let type_of = |name: &str| variable(key.kind, key.form, name).map(|one| one.kind);
            html::problems(html, &type_of).into_iter().for_each(|what| self.find("html", what));
        }
        if self.problems.is_empty() {
            self.rendering();
        }
    }

    /// It is rendered with every kind of values; what comes out is looked at as well.
    fn rendering(&mut self) {
        for sample in Sample::ALL {
            match part(self.template, &self.values(sample)) {
                Err(error) => return self.find(error.field, format!("it cannot be rendered: {}; mend it", error.why)),
                Ok(mail) if mail.subject.contains(['\n', '\r']) => {
                    return self.find("subject", "it has more than one line; write it in one".to_owned());
                }
                Ok(mail) if sample == Sample::Usual && mail.text.trim().is_empty() => {
                    return self.find("text", "with usual values it says nothing; write a text".to_owned());
                }
                Ok(_) => {}
            }
        }
    }

    fn values(&self, sample: Sample) -> Values {
        values(self.template.key.kind, self.template.key.form, self.template.key.locale, sample)
    }

    fn characters(&mut self, field: &str, text: &str, breaks: Breaks) {
        if field != "subject" && text.trim().is_empty() {
            self.find(field, "it is empty; write a text".to_owned());
        }
        let text = &entities::decoded(text);
        for (sign, found) in [("¥", text.contains('¥')), ("￥", text.contains('￥')), ("&yen;", text.contains("&yen"))]
        {
            if found {
                self.find(
                    field,
                    format!("`{sign}` is in it; operators replace or refuse it: write 元, as {{{{ amount }}}} does"),
                );
            }
        }
        let lawful = |letter: char| breaks == Breaks::Lines && letter == '\n';
        if let Some(letter) = text.chars().find(|letter| letter.is_control() && !lawful(*letter)) {
            self.find(
                field,
                format!(
                    "the control character {letter:?} is in it; take it out, and write an SMS or a subject in one line"
                ),
            );
        }
        let lower = text.to_lowercase();
        if let Some(address) = ["http://", "https://", "www."].into_iter().find(|one| lower.contains(one)) {
            let what = format!(
                "`{address}` is in it; no address is written out, and none for signing in: a page of ours is {{{{ link }}}}"
            );
            self.find(field, what);
        }
    }

    /// The names that are used; what is wrong with them is found. None where it cannot be read at all, which is found as well.
    fn names(&mut self, field: &str, source: &str) -> Option<Vec<String>> {
        let key = self.template.key;
        let names = match syntax::names(source, key.channel) {
            Ok(names) => names,
            Err(problems) => {
                problems.into_iter().for_each(|what| self.find(field, what));
                return None;
            }
        };
        for name in &names {
            let known = match name.strip_prefix("items.") {
                Some(member) => ITEM.iter().find(|one| one.name == member),
                None => variable(key.kind, key.form, name),
            };
            match known {
                None => {
                    let all: Vec<&str> = match name.strip_prefix("items.") {
                        Some(_) => ITEM.iter().map(|one| one.name).collect(),
                        None => variables(key.kind, key.form).iter().map(|one| one.name).collect(),
                    };
                    self.find(field, format!("the variable `{name}` is not known here; use one of {}", all.join(", ")));
                }
                Some(one) if key.channel == Channel::Sms && one.kind == VariableType::Items => {
                    self.find(field, format!("`{name}` is a list, which an SMS cannot hold; use count and first"));
                }
                Some(_) => {}
            }
        }
        Some(names)
    }

    fn required(&mut self, field: &str, used: &[String]) {
        let key = self.template.key;
        for one in variables(key.kind, key.form) {
            let needed = match one.required {
                Required::Everywhere => true,
                Required::InMail => key.channel == Channel::Mail,
                Required::Nowhere => false,
            };
            if needed && !used.iter().any(|name| name == one.name) {
                self.find(
                    field,
                    format!("it lacks {{{{ {} }}}}, which {} must say; add it", one.name, key.kind.code()),
                );
            }
        }
    }

    fn providers(&mut self, used: &[String]) {
        for (name, provider) in &self.template.providers {
            let field = format!("providers.{name}");
            let lawful = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            let code = provider.code.as_deref().filter(|code| code.len() > 64 || !code.bytes().all(lawful));
            if let Some(code) = code {
                let what =
                    format!("code `{code}` is not a vendor's name of a template; write it as the vendor shows it");
                self.find(&field, what);
            }
            if let Some(signature) = &provider.signature {
                let count = length(signature);
                if !(2..=SIGNATURE_MAX).contains(&count)
                    || signature.contains(['【', '】'])
                    || signature.chars().any(char::is_control)
                {
                    let what = format!("signature `{signature}`: write 2 to 20 characters, without 【】");
                    self.find(&field, what);
                }
            }
            let told: BTreeSet<&String> = provider.parameters.iter().collect();
            let wanted: BTreeSet<&String> = used.iter().collect();
            if !provider.parameters.is_empty() && (told != wanted || provider.parameters.len() != wanted.len()) {
                let what = format!(
                    "parameters are {}, the text uses {}; name each of these once, in the vendor's order",
                    provider.parameters.join(", "),
                    used.join(", ")
                );
                self.find(&field, what);
            }
        }
    }
}

/// Which control characters a field may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Breaks {
    /// None.
    No,
    /// The ends of lines.
    Lines,
}
