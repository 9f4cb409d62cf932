//! From a template and values to words. An SMS is put together as the vendor does it, value by value; a mail is rendered by the
//! engine, with nothing in it but two filters, with fuel for a text and no more, and with an end to what it may write.

use super::syntax::{FILTERS, Piece, pieces};
use super::{Template, TemplateKey};
use crate::notice::value::{NOT_KNOWN, Value, Values};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use std::io;

/// Instructions that the engine may carry out for one text; the longest of ours takes about a twentieth.
const FUEL: u64 = 50_000;

/// Bytes that one part of a mail may have.
const OUTPUT_MAX: usize = 128 * 1024;

/// A template could not be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{template} {field}: {why}")]
pub struct RenderError {
    /// Which.
    pub template: String,
    /// Text, subject or html.
    pub field: &'static str,
    /// What the engine says.
    pub why: String,
}

impl RenderError {
    /// There is no such template; the embedded set has them all.
    pub(crate) fn missing(key: &TemplateKey) -> Self {
        Self { template: key.to_string(), field: "text", why: "there is no such template".to_owned() }
    }
}

/// An SMS without its signature.
#[derive(Clone, PartialEq, Eq)]
pub struct SmsText {
    /// The whole text.
    pub text: String,
    /// The variables by name, in the order in which the text first uses them.
    pub parameters: Vec<(String, String)>,
}

/// A mail.
#[derive(Clone, PartialEq, Eq)]
pub struct MailText {
    /// One line.
    pub subject: String,
    /// Plain.
    pub text: String,
    /// A whole document.
    pub html: String,
}

/// Renders an SMS.
///
/// # Errors
/// [`RenderError`]; a set that passed its checks has none.
pub fn sms(template: &Template, values: &Values) -> Result<SmsText, RenderError> {
    let error = |why| RenderError { template: template.key.to_string(), field: "text", why };
    let mut sms = SmsText { text: String::new(), parameters: Vec::new() };
    for piece in pieces(&template.text).map_err(error)? {
        match piece {
            Piece::Text(text) => sms.text.push_str(text),
            Piece::Block(inside) => return Err(error(format!("`{inside}` cannot stand in an SMS"))),
            Piece::Value(name) => {
                let value = values.for_sms(name).ok_or_else(|| error(format!("there is no variable {name}")))?;
                sms.text.push_str(&value);
                if !sms.parameters.iter().any(|(known, _)| known == name) {
                    sms.parameters.push((name.to_owned(), value));
                }
            }
        }
    }
    Ok(sms)
}

/// Renders a mail in both languages, Chinese first.
///
/// # Errors
/// [`RenderError`]; a set that passed its checks has none.
pub fn mail(chinese: (&Template, &Values), english: (&Template, &Values)) -> Result<MailText, RenderError> {
    let (first, second) = (part(chinese.0, chinese.1)?, part(english.0, english.1)?);
    let html = format!(
        "<!doctype html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><title>{}</title></head>\n\
         <body style=\"margin:0;padding:16px;font:16px/1.6 sans-serif;color:#222;background:#fff;overflow-wrap:anywhere\">\n\
         <div style=\"max-width:640px\" lang=\"zh-CN\">\n{}\n</div>\n\
         <hr style=\"max-width:640px;margin:24px 0;border:0;border-top:1px solid #ccc\">\n\
         <div style=\"max-width:640px;color:#444\" lang=\"en\">\n{}\n</div>\n</body></html>\n",
        escaped(&first.subject),
        first.html.trim(),
        second.html.trim(),
    );
    Ok(MailText {
        subject: format!("{} · {}", first.subject, second.subject),
        text: format!("{}\n\n----------\n\n{}\n", first.text.trim(), second.text.trim()),
        html,
    })
}

/// The part of a mail that is in one language; its HTML is a fragment.
///
/// # Errors
/// [`RenderError`]; a set that passed its checks has none.
pub fn part(template: &Template, values: &Values) -> Result<MailText, RenderError> {
    let render = |field, source: &str, escape| {
        rendered(source, values, escape).map_err(|why| RenderError { template: template.key.to_string(), field, why })
    };
    let text = render("text", &template.text, AutoEscape::None)?;
    let html = match &template.html {
        Some(html) => render("html", html, AutoEscape::Html)?,
        None => paragraphs(&text),
    };
    Ok(MailText { subject: render("subject", &template.subject, AutoEscape::None)?, text, html })
}

fn rendered(source: &str, values: &Values, escape: AutoEscape) -> Result<String, String> {
    let mut engine = Environment::empty();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_auto_escape_callback(move |_| escape);
    engine.set_fuel(Some(FUEL));
    engine.set_trim_blocks(true);
    engine.set_lstrip_blocks(true);
    let [dash, length] = FILTERS;
    engine.add_filter(dash, |value: minijinja::Value| if value.is_true() { value } else { NOT_KNOWN.into() });
    engine.add_filter(length, |value: minijinja::Value| value.len().unwrap_or(0));
    let template = engine.template_from_str(source).map_err(|error| error.to_string())?;
    let mut output = Bounded(Vec::new());
    template.render_captured_to(context(values), &mut output).map_err(|error| error.to_string())?;
    String::from_utf8(output.0).map_err(|error| error.to_string())
}

fn context(values: &Values) -> minijinja::Value {
    values.all().iter().map(|(name, value)| (*name, engine_value(value))).collect()
}

fn engine_value(value: &Value) -> minijinja::Value {
    match value {
        Value::Text(text) => text.as_str().into(),
        Value::Count(count) => (*count).into(),
        Value::Items(items) => {
            let item = |item: &std::collections::BTreeMap<&'static str, String>| {
                item.iter().map(|(name, text)| (*name, minijinja::Value::from(text.as_str()))).collect()
            };
            items.iter().map(item).collect::<Vec<minijinja::Value>>().into()
        }
    }
}

/// What is written beyond [`OUTPUT_MAX`] is an error.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > OUTPUT_MAX {
            return Err(io::Error::other(format!("it grows beyond {OUTPUT_MAX} bytes")));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A plain text as HTML: what is apart by an empty line becomes a paragraph.
fn paragraphs(text: &str) -> String {
    let paragraph = |part: &str| {
        let lines: Vec<String> = part.trim().lines().map(|line| escaped(line.trim_end())).collect();
        format!("<p>{}</p>", lines.join("<br>\n"))
    };
    text.split("\n\n").filter(|part| !part.trim().is_empty()).map(paragraph).collect::<Vec<_>>().join("\n")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

impl Template {
    /// The template in the form in which a vendor registers it: `${amount}`.
    #[must_use]
    pub fn named_form(&self) -> String {
        self.vendor_form(|name| format!("${{{name}}}"))
    }

    /// The template in the form of vendors that number variables: `{1}`, in the order of `parameters` (empty: of first use).
    #[must_use]
    pub fn numbered_form(&self, parameters: &[String]) -> String {
        let order = if parameters.is_empty() { self.parameters() } else { parameters.to_vec() };
        self.vendor_form(|name| match order.iter().position(|one| one == name) {
            Some(place) => format!("{{{}}}", place + 1),
            None => format!("{{{name}?}}"),
        })
    }

    /// The variables of an SMS in the order in which its text first uses them.
    #[must_use]
    pub fn parameters(&self) -> Vec<String> {
        super::syntax::names(&self.text, self.key.channel).unwrap_or_default()
    }

    fn vendor_form(&self, of: impl Fn(&str) -> String) -> String {
        let pieces = pieces(&self.text).unwrap_or_default();
        let written = pieces.into_iter().map(|piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Value(name) => of(name),
            Piece::Block(_) => String::new(),
        });
        written.collect()
    }
}
