//! The embedded set is whole, passes its own checks, and its messages are short.

use crate::notice::segments::{length, segments, with_signature};
use crate::notice::template::sample::{Sample, values};
use crate::notice::template::variables::{ITEM, variables};
use crate::notice::template::{Form, Locale, TemplateKey, TemplateSet, check, mail, sms};
use crate::notice::{Channel, Channels, Grouping, NoticeKind};

fn keys() -> Vec<TemplateKey> {
    let mut keys = Vec::new();
    for kind in NoticeKind::ALL.iter().copied() {
        let forms: &[Form] = match kind.traits().grouping {
            Grouping::Together => &[Form::Single, Form::Combined],
            Grouping::Alone => &[Form::Single],
        };
        let channels: &[Channel] = match kind.traits().channels {
            Channels::Mail => &[Channel::Mail],
            Channels::Both | Channels::SmsElseMail => &[Channel::Sms, Channel::Mail],
        };
        for form in forms.iter().copied() {
            for channel in channels.iter().copied() {
                keys.extend(Locale::ALL.map(|locale| TemplateKey { kind, form, channel, locale }));
            }
        }
    }
    keys
}

#[test]
fn the_embedded_set_is_whole_and_passes_the_checks() {
    let set = TemplateSet::read(zhida_config::NOTICE_TEMPLATES).unwrap();
    let problems: Vec<String> = check(&set).iter().map(ToString::to_string).collect();
    assert_eq!(problems, Vec::<String>::new());
    let found: Vec<TemplateKey> = set.templates.keys().copied().collect();
    let mut wanted = keys();
    wanted.sort();
    assert_eq!(found, wanted);
    assert_eq!(TemplateSet::embedded(), &set);
}

#[test]
fn every_sms_is_at_most_three_segments_with_usual_values() {
    for template in TemplateSet::embedded().templates.values().filter(|one| one.key.channel == Channel::Sms) {
        let key = template.key;
        let text = sms(template, &values(key.kind, key.form, key.locale, Sample::Usual)).unwrap().text;
        let count = segments("鼓楼直达", &text);
        println!("{count} segments, {:>3} characters  {key}  {text}", length(&with_signature("鼓楼直达", &text)));
        let most = if key.locale == Locale::Chinese { 2 } else { 3 };
        assert!(count <= most, "{key}: {count} segments: {text}");
    }
}

#[test]
fn no_value_gets_out_of_its_place() {
    let set = TemplateSet::embedded();
    for key in keys() {
        for sample in [Sample::Hostile, Sample::Empty, Sample::Longest(key.channel), Sample::Usual] {
            let of = |locale| values(key.kind, key.form, locale, sample);
            if key.channel == Channel::Sms {
                let text = sms(&set.templates[&key], &of(key.locale)).unwrap().text;
                assert!(!text.chars().any(char::is_control), "{key} {sample:?}: {text}");
                assert!(!text.contains(['¥', '￥', '\u{202e}']), "{key} {sample:?}: {text}");
                assert!(length(&with_signature(&"𠮷".repeat(10), &text)) <= 500, "{key} {sample:?}: {}", length(&text));
                continue;
            }
            let [chinese, english] = Locale::ALL.map(|locale| TemplateKey { locale, ..key });
            let one =
                mail((&set.templates[&chinese], &of(chinese.locale)), (&set.templates[&english], &of(english.locale)));
            let one = one.unwrap();
            assert!(!one.subject.contains(['\n', '\r']), "{key} {sample:?}: {}", one.subject);
            assert!(!one.html.contains("<script") && !one.html.contains("<img"), "{key} {sample:?}");
            assert!(!one.text.contains('\r') && !one.text.contains('\u{0}'), "{key} {sample:?}");
            assert!(one.text.len() < 300_000 && one.html.len() < 400_000, "{key} {sample:?}");
        }
    }
}

#[test]
fn a_mail_holds_both_languages_chinese_first() {
    let set = TemplateSet::embedded();
    let of = |locale| {
        let key = TemplateKey { kind: NoticeKind::PayoutCredited, form: Form::Single, channel: Channel::Mail, locale };
        (&set.templates[&key], values(key.kind, key.form, locale, Sample::Usual))
    };
    let (chinese, english) = (of(Locale::Chinese), of(Locale::English));
    let one = mail((chinese.0, &chinese.1), (english.0, &english.1)).unwrap();
    assert_eq!(one.subject, "到账通知：1409.50元（A-2026-000123） · Credited: CNY 1409.50 (A-2026-000123)");
    for part in [&one.text, &one.html] {
        let first = part.find("款项已到账").unwrap();
        let second = part.find("has been credited").unwrap();
        assert!(first < second);
        assert!(part.contains("人民币壹仟肆佰零玖元伍角") && part.contains("0001"));
    }
    assert!(one.html.starts_with("<!doctype html>") && one.html.contains("<td "), "{}", one.html);
}

#[test]
fn the_head_of_the_file_names_every_kind_and_every_variable() {
    let head: Vec<&str> =
        zhida_config::NOTICE_TEMPLATES.lines().take_while(|line| !line.starts_with("version")).collect();
    let head = head.join("\n");
    let words: Vec<&str> = head.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').collect();
    for kind in NoticeKind::ALL.iter().copied() {
        assert!(words.contains(&kind.code()), "{}", kind.code());
        for form in [Form::Single, Form::Combined] {
            for one in variables(kind, form).iter().chain(ITEM) {
                assert!(words.contains(&one.name), "{} of {}", one.name, kind.code());
            }
        }
    }
}
