//! What goes over the wire, byte by byte: form, signature, and text that would like to be a header.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests

use super::{Letter, Writer};
use crate::providers::mail::{ClearText, Dkim, MailSettings, MailSettingsError, Security};
use mail_parser::MessageParser;
use std::time::{Duration, SystemTime};
use zhida_core::ports::mail::Mail;
use zhida_core::ports::sms::{RefusalClass, SendOutcome};

fn settings() -> MailSettings {
    MailSettings {
        host: "localhost".to_owned(),
        port: 25,
        security: Security::None(ClearText::ToThisMachine),
        credentials: None,
        from: "直达 <notice@district.example>".to_owned(),
        reply_to: Some("help@district.example".to_owned()),
        dkim: None,
        ca_pem: None,
        timeout: Duration::from_secs(5),
    }
}

fn mail() -> Mail {
    Mail {
        out_id: "0193-n1-m1".to_owned(),
        message_id: "0193-n1".to_owned(),
        to: "finance@example.com".to_owned(),
        subject: "资金已到账 Money arrived".to_owned(),
        text: "您好:500000.00元已到账。\n.\nThe money is there.".to_owned(),
        html: "<p>您好:500000.00元已到账。</p>".to_owned(),
        unsubscribe: None,
    }
}

fn write(mail: &Mail) -> Result<Letter, SendOutcome> {
    Writer::new(&settings()).unwrap().write(mail, SystemTime::UNIX_EPOCH)
}

fn headers(letter: &Letter) -> Vec<String> {
    let text = String::from_utf8(letter.bytes.clone()).expect("a letter is ASCII");
    assert!(text.is_ascii(), "no server needs to be able to do more");
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    head.replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n").map(str::to_owned).collect()
}

#[test]
fn a_letter_has_its_headers_and_both_forms() {
    let letter = write(&mail()).unwrap();
    let headers = headers(&letter);
    for header in [
        "Message-ID: <0193-n1@district.example>",
        "X-Zhida-Attempt: 0193-n1-m1",
        "Auto-Submitted: auto-generated",
        "Date: Thu, 01 Jan 1970 00:00:00 +0000",
        "To: finance@example.com",
        "Reply-To: help@district.example",
        "MIME-Version: 1.0",
    ] {
        assert!(headers.iter().any(|one| one == header), "{header} in {headers:#?}");
    }
    let read = MessageParser::default().parse(&letter.bytes).unwrap();
    assert_eq!(read.subject(), Some("资金已到账 Money arrived"));
    assert_eq!(read.from().unwrap().first().unwrap().name(), Some("直达"));
    assert_eq!(read.body_text(0).unwrap().replace("\r\n", "\n").trim_end(), mail().text);
    assert_eq!(read.body_html(0).unwrap().trim_end(), mail().html);
    assert_eq!(letter.from.to_string(), "notice@district.example", "bounces come back to it");
    assert!(!headers.iter().any(|one| one.starts_with("List-")), "only digests can be unsubscribed");
    let again = Mail { out_id: "0193-n1-m2".to_owned(), ..mail() };
    let read = write(&again).unwrap();
    let read = MessageParser::default().parse(&read.bytes).unwrap();
    assert_eq!(read.message_id(), Some("0193-n1@district.example"), "every attempt is the same mail");
}

#[test]
fn a_digest_can_be_unsubscribed_with_one_click() {
    let url = format!("https://district.example/unsubscribe/{}", "a".repeat(120));
    let letter = write(&Mail { unsubscribe: Some(url.clone()), ..mail() }).unwrap();
    let headers = headers(&letter);
    assert!(headers.contains(&format!("List-Unsubscribe: <{url}>")), "{headers:#?}");
    assert!(headers.contains(&"List-Unsubscribe-Post: List-Unsubscribe=One-Click".to_owned()));
}

#[test]
fn text_never_becomes_a_header() {
    let names = |letter: &Letter| -> Vec<String> {
        headers(letter).iter().map(|line| line.split(':').next().unwrap().to_owned()).collect()
    };
    let plain = names(&write(&mail()).unwrap());
    for evil in [
        "Hello\r\nBcc: victim@example.org",
        "Hello\nBcc: victim@example.org",
        "Hello\rBcc: victim@example.org",
        "Hello\r\n\r\n<script>",
        "到账\r\nBcc: victim@example.org\r\n\r\n正文",
        "Hello\u{2028}Bcc: victim@example.org",
        "Hello\u{85}Bcc: victim@example.org",
        "Hello\u{0}\u{1}\u{b}\u{c}\u{7f}Bcc: victim@example.org",
        "=?utf-8?q?Hello=0D=0ABcc:_victim@example.org?=",
        "\r\nBcc: victim@example.org",
        &format!("{}\r\nBcc: victim@example.org", "长".repeat(500)),
        "🎉\r\n\tBcc: victim@example.org",
    ] {
        let letter = write(&Mail { subject: evil.to_owned(), ..mail() }).unwrap();
        assert_eq!(names(&letter), plain, "{evil:?}");
        let text = String::from_utf8(letter.bytes).unwrap();
        assert!(!text.contains("\nBcc") && !text.contains("\rBcc"), "{evil:?}");
        let bytes = text.as_bytes();
        let lone = (0..bytes.len()).any(|at| match bytes[at] {
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            b'\n' => at == 0 || bytes[at - 1] != b'\r',
            one => one < 32 && one != b'\t' || one == 127,
        });
        assert!(!lone, "a control character got through: {evil:?}");
    }
}

#[test]
fn text_never_ends_the_content() {
    for text in ["a\r\n.\r\nMAIL FROM:<x@y>", "a\n.\nb", "a\r.\rb", "a\n.\r\nb", "\u{0}a\u{7}b"] {
        let letter = write(&Mail { text: text.to_owned(), html: text.to_owned(), ..mail() }).unwrap();
        let bytes = String::from_utf8(letter.bytes).unwrap().replace("\r\n", "");
        assert!(
            !bytes.contains('\r') && !bytes.contains('\n') && !bytes.contains('\u{0}'),
            "{text:?}: lines end one way"
        );
    }
}

#[test]
fn only_a_plain_address_is_written_to() {
    for evil in [
        "",
        "finance",
        "@example.com",
        "finance@",
        "a@b@c",
        "a b@example.com",
        "a@example.com\r\nRCPT TO:<b@c>",
        "a@example.com\n",
        "<a@example.com>",
        "\"a b\"@example.com",
        "a@[127.0.0.1]",
        "a,b@example.com",
        "a@example.com,c@d.e",
        "名@example.com",
        "a@例子.中国",
        "a\u{0}@example.com",
        "a(b)@example.com",
        "@x:a@example.com",
    ] {
        let Err(SendOutcome::Refused { class, text, .. }) = write(&Mail { to: evil.to_owned(), ..mail() }) else {
            panic!("{evil:?} was written to")
        };
        assert_eq!(class, RefusalClass::Recipient, "{evil:?}");
        assert!(evil.len() < 2 || !text.contains(evil), "no address in a text");
    }
    for good in ["a+b_c.d-e@sub.example.com", "12345678@qq.com"] {
        assert!(write(&Mail { to: good.to_owned(), ..mail() }).is_ok(), "{good}");
    }
}

#[test]
fn ids_and_links_are_checked_as_well() {
    let evils = [
        Mail { message_id: "x>\r\nBcc: a@b".to_owned(), ..mail() },
        Mail { out_id: "x\r\nBcc: a@b".to_owned(), ..mail() },
        Mail { out_id: String::new(), ..mail() },
        Mail { unsubscribe: Some("https://x/\r\nBcc: a@b".to_owned()), ..mail() },
        Mail { unsubscribe: Some("mailto:a@b".to_owned()), ..mail() },
        Mail { unsubscribe: Some("https://x/>,<mailto:a@b".to_owned()), ..mail() },
    ];
    for evil in evils {
        let Err(SendOutcome::Refused { class, .. }) = write(&evil) else { panic!("written") };
        assert_eq!(class, RefusalClass::Content);
    }
}

#[test]
fn settings_that_cannot_be_honoured_are_named() {
    let complaint = |settings: MailSettings| match crate::providers::mail::SmtpMail::new(&settings) {
        Err(error) => error,
        Ok(_) => panic!("accepted"),
    };
    let from = complaint(MailSettings { from: "直达".to_owned(), ..settings() });
    assert!(from.to_string().contains("notices.mail.from"), "{from}");
    let injected = complaint(MailSettings { from: "a\r\nBcc: x@y <notice@district.example>".to_owned(), ..settings() });
    assert!(matches!(injected, MailSettingsError::Address { name: "from", .. }));
    let clear = complaint(MailSettings { host: "mx.example.net".to_owned(), ..settings() });
    assert!(matches!(clear, MailSettingsError::InClear { .. }), "{clear}");
    let dkim = |domain: &str, key: &str| {
        let dkim = Dkim { domain: domain.to_owned(), selector: "s1".to_owned(), key_pem: key.as_bytes().to_vec() };
        complaint(MailSettings { dkim: Some(dkim), ..settings() }).to_string()
    };
    assert!(dkim("district.example; x=y", "").contains("dkim_domain"));
    assert!(dkim("district.example", "no key").contains("openssl genrsa"));
    let roots = complaint(MailSettings { security: Security::StartTls, ca_pem: Some(b"none".to_vec()), ..settings() });
    assert!(matches!(roots, MailSettingsError::Roots), "{roots}");
}
