//! Values that somebody chose to do harm, all the way: into the templates that come with the program, by the core's rendering, over the
//! wire to both vendors of SMS (which render their own templates) and to a mail server. What arrives is what was rendered: one message
//! of lawful length, one line where a line belongs, and nothing but text.

use crate::mail_scenery;
use crate::sms_scenery::{PATIENT, provider, send};
use zhida_adapters::providers::mail::SmtpMail;
use zhida_core::notice::template::variables::{VariableType, variables};
use zhida_core::notice::template::{self, Form, Locale, Template, TemplateKey, TemplateSet};
use zhida_core::notice::value::Values;
use zhida_core::notice::{Channel, NoticeKind};
use zhida_core::ports::mail::Mail;
use zhida_core::ports::sms::Sms;
use zhida_sandbox::{Sandbox, SandboxSettings, Vendor};

const SIGNATURE: &str = "鼓楼直达";

/// What stands for a name or a title; each in every text of a notice.
fn hostile() -> Vec<(&'static str, String)> {
    vec![
        ("line feeds that would be headers", "补贴\r\nBcc: x@evil.test\r\n\r\n<b>hi</b>".to_owned()),
        ("a dot alone on a line", "补贴\r\n.\r\nQUIT".to_owned()),
        ("emoji", "补贴🎉👨‍👩‍👧‍👦🇨🇳".to_owned()),
        ("5,000 characters", "长".repeat(5_000)),
        ("control characters", "补\u{0}贴\u{1b}[2J\u{7}\u{202e}反\u{feff}".to_owned()),
        ("a formula", "=cmd|' /C calc'!A0".to_owned()),
        ("HTML", "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;".to_owned()),
        ("our templates", "{{ amount }}{% for x in items %}{{".to_owned()),
        ("the vendors' templates", "${amount}{1}${".to_owned()),
        ("the signs of forms", "+%25&=;/?#%0A".to_owned()),
        ("the sign of the yuan", "¥100￥".to_owned()),
        ("brackets of signatures", "【别的签名】补贴".to_owned()),
    ]
}

/// Every text of the kind is this value.
fn values(kind: NoticeKind, locale: Locale, value: &str) -> Values {
    let mut values = Values::new(kind, Form::Single, locale);
    for one in variables(kind, Form::Single) {
        match one.kind {
            VariableType::Count => values.count(one.name, 1),
            VariableType::Items => {}
            VariableType::Text { .. }
            | VariableType::Words
            | VariableType::Money
            | VariableType::Capitals
            | VariableType::MaskedAccount
            | VariableType::Time
            | VariableType::Date
            | VariableType::Id
            | VariableType::Link => values.text(one.name, value),
        }
    }
    values
}

fn template(kind: NoticeKind, channel: Channel, locale: Locale) -> &'static Template {
    let key = TemplateKey { kind, form: Form::Single, channel, locale };
    TemplateSet::embedded().get(&key).expect("the embedded set has them all")
}

const KINDS: [NoticeKind; 3] = [NoticeKind::PayoutCredited, NoticeKind::PayoutHeld, NoticeKind::ReviewOverdue];

#[tokio::test]
async fn hostile_values_reach_phones_as_the_text_that_they_are() {
    for vendor in [Vendor::Aliyun, Vendor::Tencent] {
        let sandbox = Sandbox::start(SandboxSettings::default()).await.unwrap();
        let link = provider(&sandbox, vendor, PATIENT);
        let mut number = 0;
        for (kind, locale) in KINDS.into_iter().flat_map(|kind| [(kind, Locale::Chinese), (kind, Locale::English)]) {
            let template = template(kind, Channel::Sms, locale);
            let code = format!("SMS_{}_{}", kind.code(), locale.code());
            let registered = match vendor {
                Vendor::Tencent => template.numbered_form(&[]),
                Vendor::Aliyun | Vendor::Webhook => template.named_form(),
            };
            sandbox.sms.register_template(vendor, &code, &registered);
            for (what, value) in hostile() {
                number += 1;
                let rendered = template::sms(template, &values(kind, locale, &value)).unwrap();
                let sms = Sms {
                    out_id: format!("n-{number}"),
                    to: "+8613800000000".to_owned(),
                    signature: SIGNATURE.to_owned(),
                    text: rendered.text,
                    template_code: Some(code.clone()),
                    parameters: rendered.parameters,
                };
                let name = format!("{vendor:?} {kind:?} {locale:?}: {what}");
                assert_eq!(send(&link, &sms).await, "accepted", "{name}");
                let arrived = sandbox.sms.ledger().last().unwrap().clone();
                assert_eq!(arrived.text, sms.text, "{name}: what the vendor rendered is what we have on record");
                assert_eq!((arrived.signature.as_str(), arrived.to.as_str()), (SIGNATURE, "+8613800000000"), "{name}");
                assert!(!arrived.text.chars().any(char::is_control), "{name}: {:?}", arrived.text);
                assert!(!arrived.text.contains(['¥', '￥']), "{name}: {}", arrived.text);
                let length = arrived.text.chars().count() + SIGNATURE.chars().count() + 2;
                assert!(length <= 500, "{name}: {length} characters");
            }
        }
        assert_eq!(sandbox.sms.ledger().len(), number, "{vendor:?}: one message each");
        sandbox.stop().await;
    }
}

#[tokio::test]
async fn hostile_values_reach_mailboxes_as_the_text_that_they_are() {
    let sandbox = Sandbox::start(SandboxSettings::default()).await.unwrap();
    let link = SmtpMail::new(&mail_scenery::in_clear(sandbox.mail.address().port())).unwrap();
    let mut number = 0;
    for kind in KINDS {
        let chinese = template(kind, Channel::Mail, Locale::Chinese);
        let english = template(kind, Channel::Mail, Locale::English);
        for (what, value) in hostile() {
            number += 1;
            let values = |locale| values(kind, locale, &value);
            let rendered =
                template::mail((chinese, &values(Locale::Chinese)), (english, &values(Locale::English))).unwrap();
            let mail = Mail {
                out_id: format!("n-{number}-m1"),
                message_id: format!("n-{number}"),
                to: "finance@example.test".to_owned(),
                subject: rendered.subject,
                text: rendered.text,
                html: rendered.html,
                unsubscribe: None,
            };
            let name = format!("{kind:?}: {what}");
            assert_eq!(mail_scenery::send(&link, &mail).await, "accepted", "{name}");
            let kept = sandbox.mail.mails();
            assert_eq!(kept.len(), number, "{name}: one mail");
            let kept = kept.last().unwrap();
            assert_eq!(kept.to, ["finance@example.test"], "{name}: to nobody else");
            let read = mail_parser::MessageParser::default().parse(&kept.bytes).unwrap();
            assert!(read.bcc().is_none() && read.cc().is_none(), "{name}: no header was let in");
            assert_eq!(read.to().unwrap().iter().count(), 1, "{name}");
            assert_eq!(read.subject(), Some(mail.subject.as_str()), "{name}");
            let (text, html) = (read.body_text(0).unwrap(), read.body_html(0).unwrap());
            assert_eq!(lines(&text), lines(&mail.text), "{name}");
            assert!(!html.contains("<script") && !html.contains("<img"), "{name}: {html}");
            let rude = |letter: char| letter.is_control() && letter != '\n' && letter != '\r';
            assert!(!text.chars().any(rude) && !html.chars().any(rude), "{name}");
        }
    }
    sandbox.stop().await;
}

/// A mail may end its lines as mails do.
fn lines(text: &str) -> Vec<&str> {
    text.trim_end().lines().map(str::trim_end).collect()
}
