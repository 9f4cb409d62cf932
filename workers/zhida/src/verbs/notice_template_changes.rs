//! What an import of templates would change, template by template. Pure: two sets go in.

use std::collections::BTreeMap;
use zhida_core::notice::ProviderTemplate;
use zhida_core::notice::template::{Template, TemplateKey, TemplateSet};

/// The changes, as people read them, and what stays of what a district has for its own; both sets are whole.
pub(crate) fn changes(before: &TemplateSet, after: &TemplateSet) -> Vec<String> {
    let mut lines = vec![format!("版本 version: {} → {}", before.version, after.version)];
    let mut same = 0;
    for (key, template) in &after.templates {
        match before.templates.get(key) {
            Some(known) if known == template => same += 1,
            Some(known) => {
                lines.push(format!("~ {key}"));
                lines.extend(differing(known, template));
            }
            None => lines.push(format!("+ {key}")),
        }
    }
    let gone = before.templates.keys().filter(|key| !after.templates.contains_key(key));
    lines.extend(gone.map(|key| format!("- {key}")));
    let own = |(key, template): &(&TemplateKey, &Template)| TemplateSet::embedded().get(key) != Some(*template);
    let same_own =
        after.templates.iter().filter(|(key, template)| before.templates.get(key) == Some(template)).filter(own);
    lines.push(format!(
        "不变 unchanged: {same}，其中与程序自带不同的 of these other than the program's own: {}",
        same_own.clone().count()
    ));
    lines.extend(same_own.map(|(key, template)| format!("= {key}  {}", providers(&template.providers))));
    lines
}

fn differing(before: &Template, after: &Template) -> Vec<String> {
    let html = |one: &Template| one.html.clone().unwrap_or_else(|| "(按正文 from the text)".to_owned());
    let fields = [
        ("text", before.text.clone(), after.text.clone()),
        ("subject", before.subject.clone(), after.subject.clone()),
        ("html", html(before), html(after)),
        ("segments_max", before.segments_max.to_string(), after.segments_max.to_string()),
        ("providers", providers(&before.providers), providers(&after.providers)),
    ];
    let changed = fields.into_iter().filter(|(_, old, new)| old != new);
    changed
        .flat_map(|(name, old, new)| {
            [format!("    {name} - {}", inline(&old)), format!("    {name} + {}", inline(&new))]
        })
        .collect()
}

fn providers(providers: &BTreeMap<String, ProviderTemplate>) -> String {
    let one = |(name, one): (&String, &ProviderTemplate)| {
        let mut parts = vec![one.code.clone().unwrap_or_default()];
        parts.extend(one.signature.iter().map(|signature| format!("【{signature}】")));
        if !one.parameters.is_empty() {
            parts.push(format!("({})", one.parameters.join(", ")));
        }
        format!("{name} {}", parts.join(" "))
    };
    if providers.is_empty() { "无 none".to_owned() } else { providers.iter().map(one).collect::<Vec<_>>().join("; ") }
}

/// On one line.
fn inline(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" / ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::changes;
    use zhida_core::notice::template::{KnownProviders, TemplateSet};

    #[test]
    fn the_preview_names_what_differs_and_counts_the_rest() {
        let before = TemplateSet::embedded().clone();
        let after = TemplateSet::read(
            "version = \"2026.12\"\n[[template]]\nkind = \"test\"\nchannel = \"sms\"\nlocale = \"en\"\ntext = \"Try {{time}}\"\n\
             [template.providers.ali]\ncode = \"SMS_1\"\nsignature = \"鼓楼直达\"\nparameters = [\"time\"]\n",
        );
        let after = after.unwrap().filled();
        let lines = changes(&before, &after);
        assert_eq!(
            lines,
            [
                &format!("版本 version: {} → 2026.12", before.version),
                "~ test/sms/en",
                "    text - This is a test message of {{sender}}, sent at {{time}}. Please ignore it.",
                "    text + Try {{time}}",
                "    providers - 无 none",
                "    providers + ali SMS_1 【鼓楼直达】 (time)",
                &format!(
                    "不变 unchanged: {}，其中与程序自带不同的 of these other than the program's own: 0",
                    before.templates.len() - 1
                ),
            ]
        );
        let codes = "version = \"2026.12-2\"\n[[template]]\nkind = \"test\"\nchannel = \"sms\"\nlocale = \"zh-CN\"\nproviders.ali.code = \"2\"\n";
        let lines = changes(&after, &after.changed(codes, &KnownProviders::Any).unwrap());
        assert_eq!(lines[1..4], ["~ test/sms/zh-CN", "    providers - 无 none", "    providers + ali 2"]);
        assert_eq!(lines[5], "= test/sms/en  ali SMS_1 【鼓楼直达】 (time)", "{lines:?}");
    }
}
