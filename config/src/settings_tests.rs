//! Tests of the settings as a whole: precedence, origins, messages, the documentation, what `serve` refuses.

#![allow(clippy::unwrap_used)] // a failing unwrap is the finding

use super::*;
use crate::layers::DEFAULTS;
use std::collections::BTreeSet;
use std::path::PathBuf;

const PUBLIC_KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

/// A file of its own for one test; removed when dropped.
struct File(PathBuf);

impl File {
    fn with(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("zhida-config-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // What cannot be removed lies in the system's folder for temporary files.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(one, other)| ((*one).to_owned(), (*other).to_owned())).collect()
}

fn from_flags(flags: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    Settings::load(&pairs(flags), [], None)
}

fn messages(flags: &[(&str, &str)], environment: &[(&str, &str)], file: Option<&Path>) -> Vec<String> {
    let error = Settings::load(&pairs(flags), pairs(environment), file).unwrap_err();
    error.problems.iter().map(Problem::to_string).collect()
}

fn row(settings: &Settings, key: &str) -> (String, Origin) {
    let row = settings.show().iter().find(|row| row.key == key).unwrap();
    (row.value.clone(), row.origin.clone())
}

#[test]
fn the_nearer_layer_wins_and_every_value_says_where_it_came_from() {
    let file = File::with(
        "layers.toml",
        "[bank]\nbatch_max = 10\ntimeout_seconds = 11\nvisibility_seconds = 12\n[intake.trusted_keys]\nk-1 = { key = \"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\", sources = [\"/a\"], types = [\"*\"] }\n",
    );
    let environment = pairs(&[
        ("ZHIDA__BANK__TIMEOUT_SECONDS", "21"),
        ("ZHIDA__BANK__VISIBILITY_SECONDS", "22"),
        ("ZHIDA__ENVIRONMENT", "sandbox"),
        ("ZHIDA__INTAKE__TRUSTED_KEYS__k-1__TYPES", "application.*,payee.*"),
        ("ZHIDA__PAYOUT__AT_RISK_HOURS", "1,2"),
        ("ZHIDA_OTHER", "is not ours"),
        ("PATH", "/bin"),
    ]);
    let flags = pairs(&[("bank.visibility_seconds", "32"), ("intake.trusted_keys.K2", PUBLIC_KEY)]);
    let settings = Settings::load(&flags, environment, Some(&file.0)).unwrap();
    let in_file = Origin::File(file.0.clone());
    for (key, value, origin) in [
        ("bank.answer_by_minutes", "120", Origin::Default),
        ("bank.batch_max", "10", in_file.clone()),
        ("bank.timeout_seconds", "21", Origin::Variable("ZHIDA__BANK__TIMEOUT_SECONDS".into())),
        ("bank.visibility_seconds", "32", Origin::Flag),
        ("environment", "sandbox", Origin::Variable("ZHIDA__ENVIRONMENT".into())),
        ("intake.trusted_keys.K2", PUBLIC_KEY, Origin::Flag),
        ("intake.trusted_keys.k-1.sources", "[/a]", in_file),
        (
            "intake.trusted_keys.k-1.types",
            "[application.*, payee.*]",
            Origin::Variable("ZHIDA__INTAKE__TRUSTED_KEYS__k-1__TYPES".into()),
        ),
        ("district.id", "(not set)", Origin::NotSet),
    ] {
        assert_eq!(row(&settings, key), (value.to_owned(), origin), "{key}");
    }
    assert_eq!(settings.bank.visibility_seconds, 32);
    assert_eq!(settings.payout.at_risk_hours, [1, 2]);
    assert!(settings.trusted_keys["K2"].is_unbounded() && !settings.trusted_keys["k-1"].is_unbounded());
}

#[test]
fn unknown_keys_are_errors_that_name_the_nearest_setting() {
    let file = File::with(
        "unknown.toml",
        "[bnak]\nurl = \"x\"\n[intake.trusted_keys.k1]\nkey = \"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\"\nsourcs = []\n[notices.sms.main]\nacces_key = \"x\"\n[http.api_tokens]\nportal = \"bare\"\n",
    );
    let path = file.0.display();
    assert_eq!(
        messages(
            &[("bank.time_out_seconds", "1"), ("intake.trusted_keys.k1.kye", "x")],
            &[("ZHIDA__QUEUE__ULR", "x"), ("ZHIDA__BANK__BATCH_MAX_FILE", "x"), ("ZHIDA__", "x")],
            Some(&file.0),
        ),
        [
            format!("bnak.url (from: file {path}) is not a setting; the nearest is bank.url"),
            format!("http.api_tokens.portal (from: file {path}) is not a setting; the nearest is http.api_tokens.portal.hash"),
            format!("intake.trusted_keys.k1.sourcs (from: file {path}) is not a setting; the nearest is intake.trusted_keys.k1.sources"),
            format!("notices.sms.main.acces_key (from: file {path}) is not a setting; the nearest is notices.sms.main.access_key_id"),
            "ZHIDA__ (from: environment ZHIDA__) is not a setting; the nearest is bank.url".to_owned(),
            "environment ZHIDA__BANK__BATCH_MAX_FILE: bank.batch_max is not a secret and cannot be read from a file; set the value itself".to_owned(),
            "ZHIDA__QUEUE__ULR (from: environment ZHIDA__QUEUE__ULR) is not a setting; the nearest is queue.url".to_owned(),
            "bank.time_out_seconds (from: command line) is not a setting; the nearest is bank.timeout_seconds".to_owned(),
            "intake.trusted_keys.k1.kye (from: command line) is not a setting; the nearest is intake.trusted_keys.k1.key".to_owned(),
        ]
    );
}

#[test]
fn a_value_of_the_wrong_form_names_key_value_form_and_origin_but_no_secret() {
    let file = File::with(
        "forms.toml",
        "[bank]\nbatch_max = \"200\"\ntoken = 5\nkind = \"iso20022\"\n[limits]\nper_day = 1000\n[queue]\nurl = { host = \"x\" }\n",
    );
    let path = file.0.display();
    let found = messages(
        &[("district.id", "Gulou District")],
        &[("ZHIDA__DATABASE__URL", "mysql://u:geheim@h/d"), ("ZHIDA__HTTP__API_TOKEN", "geheim")],
        Some(&file.0),
    );
    assert_eq!(
        found,
        [
            "district.id = \"Gulou District\" (from: command line) cannot be used: expected a short name of 2 to 16 characters out of a-z, 0-9 and -".to_owned(),
            "database.url = mysql:(hidden) (from: environment ZHIDA__DATABASE__URL) cannot be used: expected sqlite:FILE or postgres://…".to_owned(),
            format!("queue.url = (hidden) (from: file {path}) cannot be used: expected \"embedded\", amqp://… or amqps://…"),
            "http.api_token = (hidden) (from: environment ZHIDA__HTTP__API_TOKEN) cannot be used: expected a secret of 8 to 1000 characters without blanks".to_owned(),
            format!("bank.kind = \"iso20022\" (from: file {path}) cannot be used: expected one of: \"iso20022-http\" \"iso20022-files\""),
            format!("bank.token = (hidden) (from: file {path}) cannot be used: expected a secret of 8 to 1000 characters without blanks"),
            format!("bank.batch_max = \"200\" (from: file {path}) cannot be used: expected a whole number from 1 to 1000000"),
            format!("limits.per_day = 1000 (from: file {path}) cannot be used: expected yuan as a text with exactly two decimals, such as \"1000000.00\""),
        ]
    );
}

#[test]
fn secrets_come_from_files_and_are_never_shown() {
    let secret = File::with("token", "geheimgeheim\r\n");
    let path = secret.0.display().to_string();
    let environment = pairs(&[
        ("ZHIDA__BANK__TOKEN_FILE", &path),
        ("ZHIDA__DATABASE__URL", "postgres://zhida:geheim@db/zhida"),
        ("ZHIDA__HTTP__API_TOKENS__portal__HASH", &crate::tokens::TokenHash::of("geheim").written()),
        ("ZHIDA__HTTP__API_TOKENS__portal__SCOPES", "events"),
        ("ZHIDA__STORE__INCARNATION_FILE", "/x/geh"),
        ("ZHIDA__NOTICES__SMS__main__KIND", "aliyun"),
        ("ZHIDA__NOTICES__SMS__main__ACCESS_KEY_SECRET_FILE", &path),
        ("ZHIDA__NOTICES__SMS__main__KEY", "geheimgeheim"),
        ("ZHIDA__NOTICES__SMS__main__RECEIPT_SECRET", "geheimgeheim"),
        ("ZHIDA__NOTICES__SMS__main__URL", "https://u:geheim@h"),
        ("ZHIDA__NOTICES__MAIL__PASSWORD_FILE", &path),
    ]);
    let settings = Settings::load(&[], environment, None).unwrap();
    assert_eq!(settings.bank.token.as_ref().unwrap().expose(), "geheimgeheim");
    assert_eq!(settings.store.incarnation_file, PathBuf::from("/x/geh"), "a setting whose own name ends in _file");
    let origin = Origin::SecretFile { variable: "ZHIDA__BANK__TOKEN_FILE".into(), path: secret.0.clone() };
    assert_eq!(row(&settings, "bank.token"), ("(hidden)".to_owned(), origin));
    assert_eq!(row(&settings, "database.url").0, "postgres://(hidden)@db/zhida");
    assert_eq!(settings.sms["main"].access_key_secret.as_ref().unwrap().expose(), "geheimgeheim");
    for key in ["http.api_tokens.portal.hash", "notices.sms.main.access_key_secret", "notices.mail.password"] {
        assert_eq!(row(&settings, key).0, "(hidden)", "{key}");
    }
    assert!(settings.show().iter().all(|row| !row.value.contains("geheim")), "{:?}", settings.show());
    assert!(!format!("{settings:?}").contains("geheim"));

    let missing = messages(&[], &[("ZHIDA__BANK__TOKEN_FILE", "/no/such/file")], None);
    assert!(
        missing[0].starts_with("/no/such/file (from: environment ZHIDA__BANK__TOKEN_FILE) cannot be read: "),
        "{missing:?}"
    );
}

#[test]
fn a_file_that_is_missing_or_broken_is_an_error_that_repeats_no_line_of_it() {
    let broken = File::with("broken.toml", "[bank]\ntoken = \"geheim\n");
    let found = messages(&[], &[], Some(&broken.0));
    assert!(found[0].contains("is not valid TOML: line 2") && !found[0].contains("geheim"), "{found:?}");
    let found = messages(&[], &[], Some(Path::new("/no/such/file")));
    assert!(found[0].starts_with("/no/such/file (from: command line) cannot be read"), "{found:?}");
}

#[test]
fn named_entries_need_their_parts_once() {
    let file = File::with(
        "named.toml",
        "[intake.trusted_keys.k1]\nsources = [\"/a\"]\n[http.api_tokens.portal]\nscopes = []\n",
    );
    assert_eq!(
        messages(&[("intake.trusted_keys.k2", PUBLIC_KEY), ("intake.trusted_keys.k2.types", "*")], &[], Some(&file.0)),
        [
            "http.api_tokens.portal.hash has no value: set it to \"sha256:\" and 64 hexadecimal digits, as `zhida config token` prints it".to_owned(),
            format!("http.api_tokens.portal.scopes = [] (from: file {}) cannot be used: expected a list of one or more of \"events\", \"read\", \"metrics\" (as text: events,read)", file.0.display()),
            "intake.trusted_keys.k1.key has no value: set it to an Ed25519 public key: 32 bytes in base64url without padding (43 characters)".to_owned(),
            "intake.trusted_keys.k2 is given both as a bare value and as a table: keep one of the two".to_owned(),
        ]
    );
}

/// Section, key and whether it is a comment, for every `key = value` line of the defaults; and the line before it.
fn documented() -> Vec<(String, String)> {
    let mut section = String::new();
    let mut found = Vec::new();
    let mut before = "";
    for line in DEFAULTS.lines() {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        if let Some(name) = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = format!("{name}.");
        } else if let Some((key, _)) = bare.split_once(" = ")
            && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        {
            found.push((format!("{section}{key}"), before.to_owned()));
        }
        before = line;
    }
    found
}

#[test]
fn every_setting_is_documented_and_everything_documented_is_a_setting() {
    let mut expected: BTreeSet<String> = keys().iter().map(|key| key.path.to_owned()).collect();
    for (group, example) in [
        (ApiToken::GROUP, "portal"),
        (TrustedKey::GROUP, "district-2026"),
        (SmsProvider::GROUP, "main"),
        (NoticeKindSettings::GROUP, "payout_credited"),
    ] {
        expected.extend(group.fields.iter().map(|field| format!("{}.{example}.{}", group.path, field.path)));
    }
    let documented = documented();
    let found: BTreeSet<String> = documented.iter().map(|(key, _)| key.clone()).collect();
    assert_eq!(found, expected);
    assert_eq!(found.len(), documented.len(), "a setting stands twice");
    for (key, before) in documented {
        assert!(before.starts_with("# ") && !before.contains(" = \""), "{key} has no comment before it");
    }
}

#[test]
fn every_example_in_the_defaults_is_a_value_that_works() {
    let mut text = String::new();
    for line in DEFAULTS.lines() {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let is_key = bare
            .split_once(" = ")
            .is_some_and(|(key, _)| key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
        if is_key || (bare.starts_with('[') && bare.ends_with(']')) {
            text.push_str(bare);
            text.push('\n');
        }
    }
    let file = File::with("examples.toml", &text);
    let settings = Settings::load(&[], [], Some(&file.0)).unwrap();
    let without: Vec<&Row> = settings.show().iter().filter(|row| row.origin != Origin::File(file.0.clone())).collect();
    assert!(without.is_empty(), "{without:?}");
    assert_eq!(
        settings.check_for_serve(),
        [
            "bank.push_token is set, and taking in what the bank pushes is not built yet in this version: leave it out",
            "bank.out_dir is set, and the file link is not built yet in this version: leave it out",
            "bank.in_dir is set, and the file link is not built yet in this version: leave it out",
            "bank.answer_by_minutes is set, and the file link is not built yet in this version: leave it out",
            "notices.sms.main.app_id is set and kind = \"aliyun\" has no use for it: leave it out",
            "notices.sms.main.dir is set and kind = \"aliyun\" has no use for it: leave it out",
            "notices.sms.main.key is set and kind = \"aliyun\" has no use for it: leave it out",
            "http.api_token is for environment = \"sandbox\" only: make a token with `zhida config token` and put it under http.api_tokens"
        ]
    );
}

#[test]
fn serve_refuses_what_it_cannot_honour_in_one_sentence_each() {
    let ready = [("district.id", "gulou"), ("bank.kind", "iso20022-http"), ("bank.url", "http://127.0.0.1:9/")];
    let refusals = |more: &[(&str, &str)]| from_flags(&[&ready[..], more].concat()).unwrap().check_for_serve();
    assert_eq!(refusals(&[]), [""; 0]);

    let nothing_set = from_flags(&[]).unwrap().check_for_serve();
    assert!(nothing_set[0].starts_with("district.id is missing") && nothing_set[1].starts_with("bank.kind is missing"));
    assert_eq!(nothing_set.len(), 2, "{nothing_set:?}");

    for (more, beginning) in [
        (("bank.kind", "iso20022-files"), "bank.kind = \"iso20022-files\" is not built yet"),
        (("bank.claim_lease_seconds", "59"), "bank.claim_lease_seconds = 59 is too short"),
        (("bank.enquiry_first_seconds", "901"), "bank.enquiry_first_seconds = 901 is above"),
        (("payout.at_risk_hours", "12,12"), "payout.at_risk_hours = [12, 12] cannot be used"),
        (("payout.at_risk_hours", "12,24"), "payout.at_risk_hours = [12, 24] cannot be used"),
        (
            ("bank.push_token", "geheimgeheim"),
            "bank.push_token is set, and taking in what the bank pushes is not built",
        ),
        (("bank.url", "http://bank.example:8080/"), "bank.url is plain http:// to another machine"),
        (("bank.url", "http://localhost@10.1.2.3/"), "bank.url is plain http:// to another machine"),
        (("limits.per_hour", "0.00"), "limits.per_hour = \"0.00\" would let nothing be sent"),
        (("bank.out_dir", "/srv/out"), "bank.out_dir is set, and the file link is not built"),
        (("bank.in_dir", "/srv/in"), "bank.in_dir is set, and the file link is not built"),
        (("bank.answer_by_minutes", "60"), "bank.answer_by_minutes is set, and the file link is not built"),
        (("database.url", "postgres://zhida@db/zhida"), "queue.url = \"embedded\" rings inside one process only"),
        (("http.api_token", "geheimgeheim"), "http.api_token is for environment"),
        (("intake.trusted_keys.k1", PUBLIC_KEY), "intake.trusted_keys.k1 is trusted for every source"),
    ] {
        let found = refusals(&[more]);
        assert!(found.len() == 1 && found[0].starts_with(beginning), "{more:?}: {found:?}");
    }
    let bank = [("bank.url", "https://bank.example/")];
    for (more, whole) in [
        (
            [&bank[..], &[("bank.client_certificate_file", "c.pem")]].concat(),
            "bank.client_certificate_file is set and bank.client_key_file is not: a certificate and its key go together",
        ),
        (
            [&bank[..], &[("bank.client_key_file", "k.pem")]].concat(),
            "bank.client_key_file is set and bank.client_certificate_file is not: a certificate and its key go together",
        ),
        (
            vec![("bank.ca_file", "ca.pem")],
            "bank.ca_file counts for https only: write bank.url as https://…, or leave it out",
        ),
    ] {
        assert_eq!(refusals(&more), [whole], "{more:?}");
    }
    let mutual =
        [("bank.client_certificate_file", "c.pem"), ("bank.client_key_file", "k.pem"), ("bank.ca_file", "a.pem")];
    assert_eq!(refusals(&[&bank[..], &mutual].concat()), [""; 0]);

    let without_url = from_flags(&ready[..2]).unwrap().check_for_serve();
    assert!(without_url.len() == 1 && without_url[0].starts_with("bank.url is missing"), "{without_url:?}");

    let live_key = [("intake.trusted_keys.k1", PUBLIC_KEY)];
    assert_eq!(from_flags(&live_key).unwrap().check_trusted_keys().len(), 1, "for every verb that opens the door");
    let in_sandbox =
        [("environment", "sandbox"), ("http.api_token", "geheimgeheim"), ("intake.trusted_keys.k1", PUBLIC_KEY)];
    assert_eq!(refusals(&in_sandbox), [""; 0]);
    for here in ["http://localhost:8090/bank", "http://[::1]:8090", "http://127.0.0.2", "https://bank.example"] {
        assert_eq!(refusals(&[("bank.url", here)]), [""; 0], "{here}");
    }
    let far_sandbox = [("environment", "sandbox"), ("bank.url", "http://bank.example/")];
    assert_eq!(refusals(&far_sandbox), [""; 0]);
}

#[test]
fn a_value_of_a_wrong_form_hides_nothing_that_serve_would_refuse() {
    let text = "[district]\nid = \"gulou\"\n\n[notices]\nsms_order = [\"main\", \"spare\", \"lost\"]\nsweep_secnds = 2\n\n\
        [notices.sms.main]\nkind = \"fax\"\n\n[notices.sms.spare]\nkind = \"aliyun\"\nurl = 7\naccess_key_id = \"id\"\n\
        access_key_secret = \"geheimgeheim\"\nreceipt_secret = \"shortened\"\n\n[notices.mail]\nhost = \"mail.example.com\"\nport = \"x\"\n";
    let load = |text: &str| Settings::load(&[], [], Some(&File::with("forms", text).0)).unwrap_err();
    let (error, broken) = (load(text), load(&format!("{text}\nbroken")));
    let told = error.to_string();
    for beginning in [
        "notices.sms.main.kind = \"fax\"",
        "notices.mail.port = \"x\"",
        "notices.sweep_secnds",
        "notices.sms_order names \"lost\"",
        "notices.sms.spare.url = (hidden)",
        "notices.sms.spare.signature is missing",
        "notices.sms.spare.receipt_secret (hidden) has 9 characters",
        "notices.mail.from is missing",
        "bank.kind",
    ] {
        let found = told.lines().filter(|line| line.starts_with(beginning)).count();
        assert_eq!(found, 1, "{beginning} in {told}");
    }
    // What follows from something that was told of already is not told of.
    for part in ["names \"main\"", "notices.sms.main.url", "notices.sms.spare.url is missing"] {
        assert!(!told.contains(part), "{part} in {told}");
    }
    assert_eq!((broken.problems.len(), broken.refusals), (1, vec![]), "of what cannot be read nothing is known");
}
