//! `zhida config`: what is set and from where, whether `serve` could honour it, and new API tokens.

use super::out::Out;
use super::table::{Column, Table};
use crate::cli::ConfigVerb;
use crate::{notice_wiring, wiring};
use std::process::ExitCode;
use zhida_config::Settings;
use zhida_config::notices::{SmsKind, SmsProvider};
use zhida_config::tokens::TokenHash;

/// Does one of the verbs.
pub(crate) fn run(settings: &Settings, verb: &ConfigVerb) -> anyhow::Result<ExitCode> {
    match verb {
        ConfigVerb::Show => show(settings),
        ConfigVerb::Check => check(settings),
        ConfigVerb::Token => token(),
    }
}

fn show(settings: &Settings) -> anyhow::Result<ExitCode> {
    let heads = [("设置 setting", Column::Text), ("值 value", Column::Text), ("来源 from", Column::Text)];
    let mut table = Table::new(&heads);
    for row in settings.show() {
        table.row(vec![row.key.clone(), row.value.clone(), row.origin.to_string()]);
    }
    let mut out = Out::new();
    out.lines(&table.lines())?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn check(settings: &Settings) -> anyhow::Result<ExitCode> {
    let mut refusals = settings.check_for_serve();
    // What is there is opened, but where a section was told of already.
    let bank = wiring::bank_link(settings).err().map(|error| ("bank.".to_owned(), format!("{error:#}")));
    let opened: Vec<(String, String)> = bank.into_iter().chain(notice_wiring::check(settings)).collect();
    let told = |section: &str| refusals.iter().any(|one| one.contains(section));
    let news: Vec<String> = opened.into_iter().filter(|(of, _)| !told(of)).map(|(_, error)| error).collect();
    refusals.extend(news);
    if !refusals.is_empty() {
        anyhow::bail!("serve cannot start:\n  {}", refusals.join("\n  "));
    }
    let mut out = Out::new();
    out.line("设置可用 the settings hold together; database and bank are reached when `serve` starts")?;
    if settings.trusted_keys.is_empty() {
        out.line("注意 note: intake.trusted_keys is empty, so that every event goes into quarantine")?;
    }
    if settings.api_tokens.is_empty() && settings.http.api_token.is_none() {
        out.line(
            "注意 note: there is no http.api_tokens entry, so that the API is closed (`zhida config token` makes one)",
        )?;
    }
    let channels = notice_wiring::channels(settings);
    if channels.is_empty() {
        out.line(&format!("注意 note: {}", notice_wiring::NO_CHANNEL))?;
    } else {
        out.line(&format!("通知渠道 notices go by: {}", channels.join(", ")))?;
    }
    out.lines(&without_pushes(settings))?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Providers of SMS that push no receipts, each with how we learn what became of a message.
fn without_pushes(settings: &Settings) -> Vec<String> {
    let minutes = settings.notices.switch_after_minutes;
    let silent = settings.sms.iter().filter(|(_, one)| one.receipt_secret.is_none());
    let note = |(name, one): (&String, &SmsProvider)| match one.kind {
        SmsKind::Folder => format!(
            "注意 note: notices.sms.{name} is a folder: what became of a message is looked for there, in OUT_ID.receipt.json, after {minutes} minutes"
        ),
        SmsKind::Aliyun | SmsKind::Tencent | SmsKind::Webhook => format!(
            "注意 note: notices.sms.{name}.receipt_secret is not set, so that no receipt that is pushed is taken in, and each message is asked \
             for after {minutes} minutes: set it (`openssl rand -hex 16` makes one), and give the vendor the address /v1/sms/receipts/{name}/SECRET"
        ),
    };
    silent.map(note).collect()
}

/// The token stands on standard output alone, and nowhere else ever again.
fn token() -> anyhow::Result<ExitCode> {
    // Two random UUIDs: 244 random bits.
    let random = || uuid::Uuid::new_v4().simple().to_string();
    let token = format!("zhida_{}{}", random(), random());
    let mut out = Out::new();
    out.line(&token)?;
    out.flush()?;
    eprintln!("令牌只显示这一次,请交给使用者。设置中只写散列:");
    eprintln!("The token is shown this once: give it to whoever needs it. The settings hold its hash:");
    eprintln!();
    eprintln!("[http.api_tokens.NAME]");
    eprintln!("hash = \"{}\"", TokenHash::of(&token).written());
    eprintln!("scopes = [\"events\", \"read\", \"metrics\"]");
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::without_pushes;
    use zhida_config::Settings;

    #[test]
    fn whoever_writes_files_is_not_told_to_give_a_vendor_an_address() {
        let kinds = [("files", "folder"), ("hook", "webhook"), ("ali", "aliyun")];
        let mut flags: Vec<(String, String)> =
            kinds.iter().map(|(name, kind)| (format!("notices.sms.{name}.kind"), (*kind).to_owned())).collect();
        flags.push(("notices.sms.ali.receipt_secret".to_owned(), "sixteen-letters-or-more".to_owned()));
        let notes = without_pushes(&Settings::load(&flags, [], None).unwrap());
        let of = |name: &str| notes.iter().find(|one| one.contains(&format!("notices.sms.{name}"))).cloned();
        assert!(of("files").is_some_and(|one| one.contains("receipt.json") && !one.contains("/v1/sms/receipts")));
        assert!(of("hook").is_some_and(|one| one.contains("/v1/sms/receipts/hook/SECRET") && one.contains("openssl")));
        assert_eq!((of("ali"), notes.len()), (None, 2));
    }
}
