//! Puts the providers of notices together by the settings. Nothing is sent here.

use crate::wiring::{RealTime, pem, sms_providers};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use zhida_adapters::providers::mail::{ClearText, Dkim, MailSettings, MailboxFolder, Security, SmtpMail};
use zhida_config::Settings;
use zhida_config::notices::MailSecurity;
use zhida_config::sections::Environment;
use zhida_console::{ReceiptDoor, ReceiptDoors};
use zhida_core::ports::mail::{BounceReader, MailProvider};
use zhida_monitoring::Metrics;
use zhida_notice::Hands;

/// What a lease must leave beyond a provider's time limit.
const MARGIN: Duration = Duration::from_secs(2);

/// Whether anything can be sent, and if so by what, for people.
pub(crate) fn channels(settings: &Settings) -> Vec<String> {
    let sms = settings.notices.in_order(&settings.sms).into_iter().map(|(name, _)| format!("SMS {name}"));
    let mail = settings.mail.host.as_ref().map(|_| "mail".to_owned());
    sms.chain(mail).collect()
}

/// What is said where nothing can be sent.
pub(crate) const NO_CHANNEL: &str = "没有配置短信或邮件渠道 neither notices.sms nor notices.mail.host is set: no notice is sent, requests for them wait";

/// Everything that errands are carried out with.
pub(crate) fn hands(settings: &Settings, metrics: Arc<Metrics>) -> anyhow::Result<Hands> {
    Ok(Hands {
        sms: sms_providers(settings)?.into_iter().collect(),
        mail: mail(settings)?,
        time: RealTime::new(),
        lease: Duration::from_secs(u64::from(settings.notices.claim_lease_seconds)),
        margin: MARGIN,
        metrics,
    })
}

/// Everything that could not be set up, one sentence each with the settings that it is about. Certificates, keys and folders are read,
/// nothing is sent.
pub(crate) fn check(settings: &Settings) -> Vec<(String, String)> {
    let mut wrong: Vec<(String, String)> = Vec::new();
    // By itself each, so that one that cannot be set up hides no other.
    for (name, provider) in &settings.sms {
        let refused = zhida_adapters::providers::sms::open(name, provider).err();
        wrong.extend(refused.map(|error| (format!("notices.sms.{name}."), error.to_string())));
        let missing = provider.dir.as_deref().and_then(|dir| no_folder(name, dir));
        wrong.extend(missing.map(|error| (format!("notices.sms.{name}.dir"), error)));
    }
    wrong.extend(mail(settings).err().map(|error| ("notices.mail.".to_owned(), format!("{error:#}"))));
    if let Some(folder) = &settings.mail.bounces_dir {
        let unreadable = ["new", "cur"].iter().filter_map(|part| unreadable(folder, part));
        wrong.extend(unreadable.map(|error| ("notices.mail.bounces_dir".to_owned(), error)));
    }
    wrong
}

/// Why no messages can be laid into a folder.
fn no_folder(name: &str, dir: &Path) -> Option<String> {
    let why = match std::fs::metadata(dir) {
        Ok(found) if !found.is_dir() => "it is no folder".to_owned(),
        Ok(found) if found.permissions().readonly() => "nobody may write there".to_owned(),
        Ok(_) => return None,
        Err(error) => error.to_string(),
    };
    let dir = dir.display();
    Some(format!(
        "notices.sms.{name}.dir = \"{dir}\": {why}: name a folder that is there and that this user may write to"
    ))
}

/// Why a part of a Maildir cannot be used.
fn unreadable(folder: &Path, part: &str) -> Option<String> {
    let error = std::fs::read_dir(folder.join(part)).err()?;
    Some(format!(
        "notices.mail.bounces_dir = \"{}\": its folder {part} cannot be read ({error}): name a Maildir, which has the folders new and cur, \
         and let this user read and change them",
        folder.display()
    ))
}

fn mail(settings: &Settings) -> anyhow::Result<Option<Arc<dyn MailProvider>>> {
    let Some(agreed) = mail_settings(settings)? else { return Ok(None) };
    Ok(Some(Arc::new(SmtpMail::new(&agreed)?)))
}

/// What was agreed with the mail server; none where there is none.
fn mail_settings(settings: &Settings) -> anyhow::Result<Option<MailSettings>> {
    let mail = &settings.mail;
    let Some(host) = &mail.host else { return Ok(None) };
    let from = mail.from.clone().ok_or_else(|| anyhow::anyhow!("notices.mail.from is missing"))?;
    let dkim = match (&mail.dkim_domain, &mail.dkim_selector, &mail.dkim_key_file) {
        (Some(domain), Some(selector), Some(file)) => Some(Dkim {
            domain: domain.clone(),
            selector: selector.clone(),
            key_pem: pem("notices.mail.dkim_key_file", file)?,
        }),
        _ => None,
    };
    let credentials = mail.user.clone().zip(mail.password.as_ref().map(|password| password.expose().to_owned()));
    Ok(Some(MailSettings {
        host: host.clone(),
        port: u16::try_from(mail.port)?,
        security: match (mail.security, settings.environment) {
            (MailSecurity::StartTls, _) => Security::StartTls,
            (MailSecurity::Tls, _) => Security::Tls,
            (MailSecurity::None, Environment::Live) => Security::None(ClearText::ToThisMachine),
            (MailSecurity::None, Environment::Sandbox) => Security::None(ClearText::Anywhere),
        },
        credentials,
        from,
        reply_to: mail.reply_to.clone(),
        dkim,
        ca_pem: mail.ca_file.as_deref().map(|path| pem("notices.mail.ca_file", path)).transpose()?,
        timeout: Duration::from_secs(u64::from(mail.timeout_seconds)),
    }))
}

/// What comes back, where a mailbox folder is set.
pub(crate) fn bounces(settings: &Settings) -> Option<Arc<dyn BounceReader>> {
    let folder = settings.mail.bounces_dir.as_ref()?;
    let from = settings.mail.from.as_deref().unwrap_or_default();
    Some(Arc::new(MailboxFolder::new(folder.clone(), from)))
}

/// Where receipts of SMS come in.
pub(crate) fn receipt_doors(settings: &Settings) -> anyhow::Result<ReceiptDoors> {
    let providers = sms_providers(settings)?;
    let secret = |name: &str| settings.sms.get(name)?.receipt_secret.as_ref().map(|secret| secret.expose());
    let door = |(name, provider): (String, _)| {
        let door = ReceiptDoor::new(provider, secret(&name));
        (name, door)
    };
    Ok(providers.into_iter().map(door).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test may fail loudly
    use super::{bounces, check, mail_settings};
    use std::time::Duration;
    use zhida_adapters::providers::mail::{ClearText, Security};
    use zhida_config::Settings;

    fn with(flags: &[(&str, &str)]) -> Settings {
        let flags = flags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Settings::load(&flags.collect::<Vec<_>>(), [], None).unwrap()
    }

    #[test]
    fn every_setting_of_the_mail_server_reaches_it() {
        let folder = std::env::temp_dir().join(format!("zhida-mail-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = |name: &str| {
            let path = folder.join(name);
            std::fs::write(&path, format!("-----BEGIN {name}-----\n")).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (key, roots, bounced) = (file("KEY"), file("ROOTS"), folder.to_str().unwrap().to_owned());
        let all = [
            ("notices.mail.host", "mail.example.com"),
            ("notices.mail.port", "2525"),
            ("notices.mail.security", "starttls"),
            ("notices.mail.user", "zhida"),
            ("notices.mail.password", "geheimgeheim"),
            ("notices.mail.from", "直达 <a@example.com>"),
            ("notices.mail.reply_to", "b@example.com"),
            ("notices.mail.dkim_domain", "example.com"),
            ("notices.mail.dkim_selector", "s1"),
            ("notices.mail.dkim_key_file", &key),
            ("notices.mail.ca_file", &roots),
            ("notices.mail.bounces_dir", &bounced),
            ("notices.mail.timeout_seconds", "7"),
        ];
        let settings = with(&all);
        let agreed = mail_settings(&settings).unwrap().unwrap();
        assert_eq!(
            (agreed.host.as_str(), agreed.port, agreed.security),
            ("mail.example.com", 2525, Security::StartTls)
        );
        assert_eq!(agreed.credentials, Some(("zhida".to_owned(), "geheimgeheim".to_owned())));
        assert_eq!((agreed.from.as_str(), agreed.reply_to.as_deref()), ("直达 <a@example.com>", Some("b@example.com")));
        let dkim = agreed.dkim.unwrap();
        assert_eq!((dkim.domain.as_str(), dkim.selector.as_str()), ("example.com", "s1"));
        assert_eq!(dkim.key_pem, b"-----BEGIN KEY-----\n");
        assert_eq!(agreed.ca_pem.as_deref(), Some(&b"-----BEGIN ROOTS-----\n"[..]));
        assert_eq!(agreed.timeout, Duration::from_secs(7));
        assert!(bounces(&settings).is_some());
        std::fs::remove_dir_all(&folder).unwrap();
        // Left out, nothing of it is there; and in the clear a live district speaks to this machine alone.
        let few = &[("notices.mail.host", "127.0.0.1"), ("notices.mail.from", "a@example.com")];
        let security = |more: &[(&str, &str)]| mail_settings(&with(&[few, more].concat())).unwrap().unwrap().security;
        assert_eq!(security(&[("notices.mail.security", "tls")]), Security::Tls);
        assert_eq!(security(&[("notices.mail.security", "none")]), Security::None(ClearText::ToThisMachine));
        let sandbox = [("notices.mail.security", "none"), ("environment", "sandbox")];
        assert_eq!(security(&sandbox), Security::None(ClearText::Anywhere));
        let agreed = mail_settings(&with(few)).unwrap().unwrap();
        assert!(agreed.credentials.is_none() && agreed.dkim.is_none() && agreed.ca_pem.is_none());
        assert!(bounces(&with(few)).is_none());
    }

    #[test]
    fn nothing_that_cannot_be_set_up_hides_another() {
        let folder = std::env::temp_dir().join(format!("zhida-bounces-{}", std::process::id()));
        let path = folder.to_str().unwrap().to_owned();
        let settings = |more: &[(&str, &str)]| {
            let flags = [
                ("notices.sms.main.kind", "webhook"),
                ("notices.sms.gateway.kind", "folder"),
                ("notices.mail.host", "127.0.0.1"),
                ("notices.mail.from", "a@example.com"),
                ("notices.mail.bounces_dir", &path),
            ];
            with(&flags.iter().chain(more).copied().collect::<Vec<_>>())
        };
        let found =
            check(&settings(&[("notices.mail.ca_file", "/nowhere.pem"), ("notices.sms.gateway.dir", "/nowhere")]));
        for part in [
            "notices.sms.main.url",
            "notices.sms.gateway.dir = \"/nowhere\"",
            "/nowhere.pem",
            "its folder new cannot",
            "its folder cur cannot",
        ] {
            assert!(
                found.iter().any(|(of, one)| one.contains(part) && of.starts_with("notices.")),
                "{part}: {found:?}"
            );
        }
        for part in ["new", "cur"] {
            std::fs::create_dir_all(folder.join(part)).unwrap();
        }
        let sound = [
            ("notices.sms.main.url", "http://127.0.0.1:9/"),
            ("notices.sms.main.key", "geheimgeheim"),
            ("notices.sms.gateway.dir", path.as_str()),
        ];
        let found = check(&settings(&sound));
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(found, []);
    }
}
