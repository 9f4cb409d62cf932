//! What `serve` refuses about notices, one row a sentence, and that a whole setting is refused nothing.

#![allow(clippy::unwrap_used)] // a failing unwrap is the finding

use crate::settings::Settings;

const BANK: &[(&str, &str)] =
    &[("district.id", "gulou"), ("bank.kind", "iso20022-http"), ("bank.url", "http://127.0.0.1:9/")];
const ALIYUN: &[(&str, &str)] = &[
    ("notices.sms.main.kind", "aliyun"),
    ("notices.sms.main.url", "https://dysmsapi.aliyuncs.com"),
    ("notices.sms.main.access_key_id", "id"),
    ("notices.sms.main.access_key_secret", "geheimgeheim"),
    ("notices.signature", "鼓楼直达"),
];
const MAIL: &[(&str, &str)] = &[("notices.mail.host", "mail.example.com"), ("notices.mail.from", "a@example.com")];

fn refusals(of: &[&[(&str, &str)]]) -> Vec<String> {
    let flags: Vec<_> = of.concat().iter().map(|(one, other)| ((*one).to_owned(), (*other).to_owned())).collect();
    Settings::load(&flags, [], None).unwrap().check_for_serve()
}

fn without(all: &'static [(&'static str, &'static str)], key: &str) -> Vec<(&'static str, &'static str)> {
    all.iter().copied().filter(|(name, _)| *name != key).collect()
}

#[test]
fn what_is_whole_is_refused_nothing() {
    let order = [("notices.sms_order", "main"), ("notices.kinds.payout_credited.repeat", "never")];
    assert_eq!(refusals(&[BANK, ALIYUN, MAIL, &order]), [""; 0]);
    let others = [
        ("notices.sms.hook.kind", "webhook"),
        ("notices.sms.hook.url", "http://127.0.0.1:9/sms"),
        ("notices.sms.hook.key", "geheimgeheim"),
        ("notices.sms.hook.receipt_secret", "abcdefgh-IJKL_0123"),
        ("notices.sms.files.kind", "folder"),
        ("notices.sms.files.dir", "/srv/sms"),
    ];
    assert_eq!(refusals(&[BANK, &others]), [""; 0]);
}

#[test]
fn what_cannot_be_honoured_is_refused_in_one_sentence() {
    let rows: &[(&[(&str, &str)], &str)] = &[
        (&[("notices.sms_order", "main,spare")], "notices.sms_order names \"spare\" and there is no notices.sms.spare"),
        (
            &[("notices.kinds.payout_credit.repeat", "may")],
            "notices.kinds.payout_credit is no kind of notice; the nearest is notices.kinds.payout_credited",
        ),
        (&[("notices.sms.main.dir", "/x")], "notices.sms.main.dir is set and kind = \"aliyun\" has no use for it"),
        (&[("notices.sms.main.key", "geheimgeheim")], "notices.sms.main.key is set and kind = \"aliyun\" has no use"),
        (&[("notices.sms.main.kind", "tencent")], "notices.sms.main.app_id is missing: kind = \"tencent\" needs it"),
        (&[("notices.sms.main.url", "http://sms.example")], "notices.sms.main.url is plain http:// to another machine"),
        (
            &[("notices.sms.main.receipt_secret", "too/short")],
            "notices.sms.main.receipt_secret (hidden, 9 characters) cannot stand in an address: use 16 or more",
        ),
        (
            &[("notices.sms.main.timeout_seconds", "31")],
            "notices.claim_lease_seconds = 60 is too short: set it to at least",
        ),
        (
            &[("notices.mail.timeout_seconds", "31")],
            "notices.claim_lease_seconds = 60 is too short: set it to at least",
        ),
        (&[("notices.mail.user", "zhida")], "notices.mail.user and notices.mail.password go together"),
        (
            &[("notices.mail.dkim_domain", "example.com")],
            "notices.mail.dkim_domain, dkim_selector and dkim_key_file go",
        ),
        (
            &[("notices.mail.security", "none")],
            "notices.mail.security = \"none\" would send notices to another machine",
        ),
        (&[("notices.mail.port", "65536")], "notices.mail.port = 65536 is no port"),
    ];
    for (more, beginning) in rows {
        let found = refusals(&[BANK, ALIYUN, MAIL, more]);
        assert!(found.len() == 1 && found[0].starts_with(beginning), "{more:?}: {found:?}");
    }
    for (key, beginning) in [
        ("notices.sms.main.url", "notices.sms.main.url is missing: kind = \"aliyun\" needs it"),
        ("notices.sms.main.access_key_secret", "notices.sms.main.access_key_secret is missing"),
        ("notices.signature", "notices.sms.main.signature is missing"),
    ] {
        let found = refusals(&[BANK, &without(ALIYUN, key)]);
        assert!(found.len() == 1 && found[0].starts_with(beginning), "{key}: {found:?}");
    }
    for (key, beginning) in [
        ("notices.mail.host", "notices.mail.from is set and notices.mail.host is not"),
        ("notices.mail.from", "notices.mail.from is missing"),
    ] {
        let found = refusals(&[BANK, &without(MAIL, key)]);
        assert!(found.len() == 1 && found[0].starts_with(beginning), "{key}: {found:?}");
    }
}

#[test]
fn no_provider_of_sms_is_called_mail() {
    let mail = [("notices.sms.mail.kind", "folder"), ("notices.sms.mail.dir", "/srv/sms")];
    let found = refusals(&[BANK, &mail]);
    assert!(found.len() == 1 && found[0].starts_with("notices.sms.mail bears the name"), "{found:?}");
}

#[test]
fn mail_in_clear_stays_on_this_machine_or_in_a_sandbox() {
    let clear = [("notices.mail.security", "none"), ("notices.mail.from", "a@example.com")];
    for host in ["127.0.0.1", "localhost", "::1"] {
        assert_eq!(refusals(&[BANK, &clear, &[("notices.mail.host", host)]]), [""; 0], "{host}");
    }
    let sandbox = [("environment", "sandbox"), ("notices.mail.host", "mail.example.com")];
    assert_eq!(refusals(&[BANK, &clear, &sandbox]), [""; 0]);
}
