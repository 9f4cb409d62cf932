//! How templates read: each with telling values, its segments and what they cost with the vendors of the settings, and the form in
//! which a vendor registers it. Nothing is stored and nothing is sent.

use serde_json::{Value, json};
use zhida_config::Settings;
use zhida_config::notices::SmsKind;
use zhida_core::notice::Channel;
use zhida_core::notice::segments::{length, segments, with_signature};
use zhida_core::notice::template::sample::{Sample, values};
use zhida_core::notice::template::{Template, part, sms};

/// A vendor of the settings, as far as templates concern it.
pub(crate) struct Vendor {
    /// Its name in the settings.
    pub(crate) name: String,
    /// How it writes variables.
    pub(crate) writes: Writes,
    /// The signature there.
    pub(crate) signature: Option<String>,
    /// Of a segment, in 0.0001 yuan.
    pub(crate) price: Option<i64>,
}

/// How a vendor writes the variables of a template.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writes {
    /// `${amount}`.
    Names,
    /// `{1}`.
    Numbers,
    /// It takes texts and has no templates.
    Nothing,
}

impl Vendor {
    /// Those of the settings, the preferred first; where there are none, one of each form.
    pub(crate) fn of(settings: &Settings) -> Vec<Self> {
        let shared = settings.notices.signature.as_ref().map(|one| one.as_str().to_owned());
        let vendors = settings.notices.in_order(&settings.sms).into_iter();
        let found: Vec<Self> = vendors
            .map(|(name, one)| Self {
                name: name.to_owned(),
                writes: match one.kind {
                    SmsKind::Aliyun => Writes::Names,
                    SmsKind::Tencent => Writes::Numbers,
                    SmsKind::Webhook | SmsKind::Folder => Writes::Nothing,
                },
                signature: one.signature.as_ref().map(|own| own.as_str().to_owned()).or_else(|| shared.clone()),
                price: one.price_per_segment.as_ref().map(|price| price.ten_thousandths),
            })
            .collect();
        if !found.is_empty() {
            return found;
        }
        let example =
            |name: &str, writes| Self { name: name.to_owned(), writes, signature: shared.clone(), price: None };
        vec![example("aliyun", Writes::Names), example("tencent", Writes::Numbers)]
    }
}

/// Stands for a signature where none is set: most have four characters.
const NO_SIGNATURE: &str = "签名未定";

/// A template with values.
pub(crate) fn shown(template: &Template, vendors: &[Vendor]) -> Value {
    let key = template.key;
    let usual = values(key.kind, key.form, key.locale, Sample::Usual);
    match key.channel {
        Channel::Mail => match part(template, &usual) {
            Ok(mail) => json!({
                "template": key.to_string(), "subject": mail.subject, "text": mail.text, "html": mail.html,
                "html_from_text": template.html.is_none(),
            }),
            Err(error) => json!({"template": key.to_string(), "error": error.to_string()}),
        },
        Channel::Sms => {
            let longest = values(key.kind, key.form, key.locale, Sample::Longest(Channel::Sms));
            match (sms(template, &usual), sms(template, &longest)) {
                (Ok(usual), Ok(longest)) => json!({
                    "template": key.to_string(), "text": usual.text, "segments_max": template.segments_max,
                    "vendors": vendors.iter().map(|one| of_vendor(template, one, &usual.text, &longest.text)).collect::<Vec<_>>(),
                }),
                (Err(error), _) | (_, Err(error)) => json!({"template": key.to_string(), "error": error.to_string()}),
            }
        }
    }
}

/// How it is with one vendor.
fn of_vendor(template: &Template, vendor: &Vendor, usual: &str, longest: &str) -> Value {
    let registered = template.providers.get(&vendor.name);
    let own = registered.and_then(|one| one.signature.as_ref()).or(vendor.signature.as_ref());
    let signature = own.map_or(NO_SIGNATURE, String::as_str);
    let count = segments(signature, usual);
    let form = match vendor.writes {
        Writes::Names => Some(template.named_form()),
        Writes::Numbers => Some(template.numbered_form(registered.map_or(&[][..], |one| &one.parameters))),
        Writes::Nothing => None,
    };
    json!({
        "vendor": vendor.name,
        "signature": own,
        "characters": length(&with_signature(signature, usual)),
        "segments": count,
        "segments_longest": segments(signature, longest),
        "cost_yuan": vendor.price.map(|price| yuan(price.saturating_mul(i64::from(count)))),
        "code": registered.and_then(|one| one.code.as_ref()),
        "to_register": form,
    })
}

/// Ten-thousandths of a yuan with four decimals.
fn yuan(ten_thousandths: i64) -> String {
    format!("{}.{:04}", ten_thousandths / 10_000, ten_thousandths % 10_000)
}

/// What [`shown`] says, for people.
pub(crate) fn lines(shown: &Value) -> Vec<String> {
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let mut lines = vec![text(shown, "template")];
    if shown["error"].is_string() {
        lines.push(format!("    无法生成 it cannot be rendered: {}", text(shown, "error")));
        return lines;
    }
    if shown["subject"].is_string() {
        lines.push(format!("    主题 subject: {}", text(shown, "subject")));
    }
    lines.extend(text(shown, "text").lines().map(|line| format!("    {line}").trim_end().to_owned()));
    if shown["html"].is_string() {
        let made = if shown["html_from_text"] == true { "按正文生成 made of the text" } else { "自有 its own" };
        lines.push(format!("    HTML: {made}"));
    }
    for one in shown["vendors"].as_array().into_iter().flatten() {
        let signature = one["signature"]
            .as_str()
            .map_or("签名未设置 no signature is set".to_owned(), |own| format!("【{own}】"));
        let cost = one["cost_yuan"].as_str().map_or(String::new(), |yuan| format!(", {yuan} 元 yuan"));
        lines.push(format!(
            "    {} {signature}: {} 字 characters, {} 条 segments{cost}; 最长 at most {}",
            text(one, "vendor"),
            one["characters"],
            one["segments"],
            one["segments_longest"]
        ));
        if one["to_register"].is_string() {
            let code = one["code"].as_str().unwrap_or("未登记 no code yet");
            lines.push(format!("        {code}: {}", text(one, "to_register")));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::{Vendor, lines, shown};
    use zhida_config::Settings;
    use zhida_core::notice::template::{KnownProviders, TemplateSet};

    #[test]
    fn a_preview_shows_text_segments_cost_and_the_vendors_forms() {
        let set = |flags: &[(&str, &str)]| {
            let flags: Vec<_> = flags.iter().map(|(one, other)| ((*one).to_owned(), (*other).to_owned())).collect();
            Vendor::of(&Settings::load(&flags, [], None).unwrap())
        };
        let vendors = set(&[
            ("notices.signature", "鼓楼直达"),
            ("notices.sms_order", "ali,tx"),
            ("notices.sms.ali.kind", "aliyun"),
            ("notices.sms.ali.price_per_segment", "0.0450"),
            ("notices.sms.tx.kind", "tencent"),
            ("notices.sms.paper.kind", "folder"),
        ]);
        let source = "version = \"1\"\n[[template]]\nkind = \"order_closed\"\nchannel = \"sms\"\nlocale = \"zh-CN\"\n\
            text = \"督办单{{order}}已于{{closed_at}}销号。\"\n[template.providers.tx]\ncode = \"123\"\nparameters = [\"closed_at\", \"order\"]\n";
        let templates = TemplateSet::checked(source, &KnownProviders::Any).unwrap();
        let template = templates.templates.values().next().unwrap();
        assert_eq!(
            lines(&shown(template, &vendors)),
            [
                "order_closed/sms/zh-CN",
                "    督办单SO-17已于2026-11-23 09:30销号。",
                "    ali 【鼓楼直达】: 35 字 characters, 1 条 segments, 0.0450 元 yuan; 最长 at most 2",
                "        未登记 no code yet: 督办单${order}已于${closed_at}销号。",
                "    tx 【鼓楼直达】: 35 字 characters, 1 条 segments; 最长 at most 2",
                "        123: 督办单{2}已于{1}销号。",
                "    paper 【鼓楼直达】: 35 字 characters, 1 条 segments; 最长 at most 2",
            ]
        );
        assert_eq!(set(&[]).len(), 2, "without vendors one of each form");
    }

    #[test]
    fn every_embedded_template_can_be_shown() {
        for template in TemplateSet::embedded().templates.values() {
            let one = shown(template, &[]);
            assert!(one["text"].is_string(), "{one}");
            assert!(lines(&one).len() > 1);
        }
    }
}
