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
        (
            &[("notices.kinds.integrity_decided.repeat", "may")],
            "notices.kinds.integrity_decided.repeat = \"may\": what is served is never sent twice",
        ),
        (
            &[("notices.kinds.integrity_notified.channels", "sms_else_mail")],
            "notices.kinds.integrity_notified.channels = \"sms_else_mail\": what is served is not sent again",
        ),
        (&[("notices.sms.main.dir", "/x")], "notices.sms.main.dir is set and kind = \"aliyun\" has no use for it"),
        (&[("notices.sms.main.key", "geheimgeheim")], "notices.sms.main.key is set and kind = \"aliyun\" has no use"),
        (&[("notices.sms.main.kind", "tencent")], "notices.sms.main.app_id is missing: kind = \"tencent\" needs it"),
        (&[("notices.sms.main.url", "http://sms.example")], "notices.sms.main.url is plain http:// to another machine"),
        (
            &[("notices.sms.main.receipt_secret", "too/short")],
            "notices.sms.main.receipt_secret (hidden) has 9 characters and cannot be the secret part of an address: use 16 or more, all of \
             them letters, digits, - and _; `openssl rand -hex 16` makes one",
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
fn of_a_mail_server_that_is_not_named_every_key_is_told_of() {
    let keys = ["user", "password", "from", "reply_to", "dkim_selector", "bounces_dir"];
    let given: Vec<(String, String)> =
        keys.iter().map(|key| (format!("notices.mail.{key}"), "a@example.com".to_owned())).collect();
    let given: Vec<(&str, &str)> = given.iter().map(|(one, other)| (one.as_str(), other.as_str())).collect();
    let found = refusals(&[BANK, &given]);
    for key in keys {
        let beginning = format!("notices.mail.{key} is set and notices.mail.host is not");
        assert!(found.iter().any(|one| one.starts_with(&beginning)), "{beginning}: {found:?}");
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

/// What is wrong with the forms of these settings.
fn messages(flags: &[(&str, &str)], environment: &[(&str, &str)]) -> Vec<String> {
    let owned = |of: &[(&str, &str)]| -> Vec<(String, String)> {
        of.iter().map(|(one, other)| ((*one).to_owned(), (*other).to_owned())).collect()
    };
    let error = Settings::load(&owned(flags), owned(environment), None).unwrap_err();
    error.problems.iter().map(ToString::to_string).collect()
}

#[test]
fn names_that_are_almost_right_are_told_of() {
    let told = messages(
        &[("notices.sms.aliyun.kind", "aliyun")],
        &[
            ("ZHIDA__NOTICES__SMS__Aliyun__ACCESS_KEY_SECRET", "geheimgeheim"),
            ("ZHIDA_NOTICES__SMS__aliyun__KEY_FILE", "/nowhere"),
            ("ZHIDA_NOTICES__QUIET", ""),
            ("ZHIDA_CONFIG", "x.toml"),
            ("ZHIDA_OTHER__THING", "is not ours"),
        ],
    );
    for beginning in [
        "notices.sms.aliyun (from: command line) and notices.sms.Aliyun differ in capital letters only",
        "environment ZHIDA_NOTICES__QUIET is not read: variables begin with ZHIDA__, with two underscores; write ZHIDA__NOTICES__QUIET",
        "environment ZHIDA_NOTICES__SMS__aliyun__KEY_FILE is not read",
    ] {
        assert!(told.iter().any(|one| one.starts_with(beginning)), "{beginning}: {told:#?}");
    }
    assert!(!told.iter().any(|one| one.contains("OTHER") || one.contains("CONFIG")), "{told:#?}");
}

#[test]
fn forms_of_notices_are_told_of_all_at_once_with_their_values() {
    let told = messages(
        &[
            ("notices.sms_order", "[\"main\"]"),
            ("notices.public_url", "zhida.example.com"),
            ("notices.quiet", "x"),
            ("notices.sms.main.kind", "fax"),
            ("notices.sms.main.limits", "1/week"),
            ("notices.mail.port", "x"),
        ],
        &[],
    );
    for beginning in [
        "notices.sms_order = \"[\\\"main\\\"]\" (from: command line) cannot be used: expected a list of names",
        "notices.public_url = \"zhida.example.com\" (from: command line) cannot be used: expected the address of these pages",
        "notices.quiet = \"x\"",
        "notices.sms.main.kind = \"fax\"",
        "notices.sms.main.limits = \"1/week\"",
        "notices.mail.port = \"x\"",
    ] {
        assert!(told.iter().any(|one| one.starts_with(beginning)), "{beginning}: {told:#?}");
    }
    for wrong in [
        "https://",
        "https://user:word@zhida.example.com",
        "https://zhida.example.com/?a=b",
        "https://zhida.example.com/#x",
        "https:///x",
    ] {
        let told = messages(&[("notices.public_url", wrong)], &[]);
        assert!(told[0].contains("expected the address of these pages"), "{wrong}: {told:?}");
    }
}
