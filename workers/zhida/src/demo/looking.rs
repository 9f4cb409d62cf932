//! How to look on while the demo goes on, and afterwards with `--dir`: the hints that it prints, and the settings with which the commands
//! in them see what the demo sees.

use super::TOKEN;
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use zhida_config::sample_district::Award;
use zhida_sandbox::Sandbox;

/// The mobile of a head of department whose officers are late.
const OF_A_HEAD: &str = "+8613800009100";

/// What a shell reads.
fn environment_file(folder: &Path) -> PathBuf {
    folder.join("zhida.env")
}

/// Writes the demo's settings for a shell to read. Everything in it is on loopback and invented.
pub(super) fn write_environment(folder: &Path, flags: &[(String, String)]) -> anyhow::Result<()> {
    let path = environment_file(folder);
    std::fs::write(&path, exports(flags)).with_context(|| format!("{} cannot be written", path.display()))
}

/// A line for each setting whose name a shell takes; no command that looks on needs the others (the keys that are trusted).
fn exports(flags: &[(String, String)]) -> String {
    let line = |(key, value): &(String, String)| {
        let name = variable(key)?;
        Some(format!("export {name}='{}'\n", value.replace('\'', "'\\''")))
    };
    flags.iter().filter_map(line).collect()
}

/// `notices.sms.aliyun.kind` is `ZHIDA__NOTICES__SMS__aliyun__KIND`: names that were given stay as they are.
fn variable(key: &str) -> Option<String> {
    let given = key.starts_with("notices.sms.").then_some(2);
    let part = |(place, part): (usize, &str)| {
        if given == Some(place) { part.to_owned() } else { part.to_ascii_uppercase() }
    };
    let parts: Vec<String> = key.split('.').enumerate().map(part).collect();
    let name = format!("ZHIDA__{}", parts.join("__"));
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then_some(name)
}

/// How to look on. The folder holds the database while the demo runs, and with --dir afterwards, too.
pub(super) fn around(address: &str, folder: &Path, worst: Option<&str>) {
    println!("\n查看 Look around (Ctrl-C ends it; with --dir the data stays):");
    println!("  curl -H 'Authorization: Bearer {TOKEN}' 'http://{address}/v1/payouts?state=held'");
    println!("  curl -H 'Authorization: Bearer {TOKEN}' http://{address}/metrics");
    println!("  . '{}'      # 本次演示的设置 the settings of this demo", environment_file(folder).display());
    println!("  zhida payouts list; zhida alerts list; zhida patterns list");
    println!("  zhida notices status; zhida notices list; zhida policies health; zhida digest preview");
    if let Some(application) = worst {
        println!("  zhida clock explain {application}; zhida trace {application}");
    }
}

/// What an enterprise and a head of department hold in their hands.
pub(super) fn at_phones(sandbox: &Sandbox, awards: &[Award]) {
    let phone = sandbox.sms.phone_url();
    println!("  {phone} {} — 手机短信与邮件 text messages and mails", mail_url(sandbox));
    let mut shown = awards.iter().filter(|award| award.twist.is_none()).filter_map(|award| award.mobile.as_deref());
    if let Some(mobile) = shown.next() {
        println!("  {phone}/{mobile} — 一家企业 an enterprise; {phone}/{OF_A_HEAD} — 一位主管 a head of department");
    }
}

pub(super) fn mail_url(sandbox: &Sandbox) -> String {
    format!("{}/mail", sandbox.url())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::{exports, variable};
    use crate::demo::{flags, notices};
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::process::Command;
    use zhida_config::Settings;
    use zhida_sandbox::{Sandbox, SandboxSettings};
    use zhida_schemas::signing::SigningKey;

    /// What a shell has after it has read the exports.
    fn read_by_a_shell(exports: &str) -> Vec<(String, String)> {
        let script = format!("{exports}\nenv -0");
        let output =
            Command::new("sh").env_clear().env("PATH", "/usr/bin:/bin").args(["-c", &script]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let ours =
            text.split('\0').filter_map(|line| line.split_once('=')).filter(|(name, _)| name.starts_with("ZHIDA__"));
        ours.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[tokio::test]
    async fn whoever_reads_the_exports_has_the_settings_of_the_demo() {
        let sandbox = Sandbox::start(SandboxSettings::default()).await.unwrap();
        let key = SigningKey::generate().unwrap();
        let of_notices = notices::settings(&sandbox, "127.0.0.1:8080");
        let flags = flags(Path::new("/tmp/demo"), &key, &sandbox.url(), "127.0.0.1:8080", of_notices);
        let shown = |settings: &Settings| -> BTreeMap<String, String> {
            let rows = settings.show().iter().filter(|row| !row.key.starts_with("intake.trusted_keys"));
            rows.map(|row| (row.key.clone(), row.value.clone())).collect()
        };
        let environment = read_by_a_shell(&exports(&flags));
        sandbox.stop().await;
        let looking_on = Settings::load(&[], environment, None).unwrap();
        assert_eq!(shown(&looking_on), shown(&Settings::load(&flags, [], None).unwrap()));
        assert!(!crate::notice_wiring::channels(&looking_on).is_empty(), "notices are sent, and `status` says so");
    }

    #[test]
    fn whatever_stands_in_a_value_comes_out_of_the_shell_as_it_was() {
        let value = "it's $HOME `x` \"y\" <z>";
        let read = read_by_a_shell(&exports(&[("district.name".to_owned(), value.to_owned())]));
        assert_eq!(read, [("ZHIDA__DISTRICT__NAME".to_owned(), value.to_owned())]);
    }

    #[test]
    fn a_name_that_a_shell_does_not_take_is_left_out() {
        assert_eq!(variable("intake.trusted_keys.review-demo"), None);
        assert_eq!(variable("notices.sms.aliyun.kind").as_deref(), Some("ZHIDA__NOTICES__SMS__aliyun__KIND"));
        assert_eq!(variable("environment").as_deref(), Some("ZHIDA__ENVIRONMENT"));
    }
}
