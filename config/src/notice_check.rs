//! Whether `serve` can honour the settings of notices as they stand together. The form of each one was checked when it was read.

use crate::form::{Secret, Setting};
use crate::notices::{ChannelsWord, KINDS, MailSecurity, RepeatWord, SERVED, SmsKind, SmsProvider};
use crate::sections::Environment;
use crate::serve_check::is_plain_and_elsewhere;
use crate::settings::Settings;

impl Settings {
    /// Every reason why notices could not be sent as these settings say, one sentence each.
    pub(crate) fn check_notices(&self, refusals: &mut Vec<String>) {
        for name in self.notices.sms_order.0.iter().filter(|name| !self.sms.contains_key(*name)) {
            refusals.push(format!(
                "notices.sms_order names {name:?} and there is no notices.sms.{name}: add that table, or leave the name out"
            ));
        }
        for kind in self.notice_kinds.keys().filter(|kind| !KINDS.contains(&kind.as_str())) {
            let nearest = KINDS.iter().min_by_key(|known| strsim::damerau_levenshtein(known, kind));
            let nearest = nearest.copied().unwrap_or_default();
            refusals.push(format!("notices.kinds.{kind} is no kind of notice; the nearest is notices.kinds.{nearest}"));
        }
        self.check_served(refusals);
        if self.sms.contains_key("mail") {
            refusals.push(
                "notices.sms.mail bears the name under which the mail server is known: choose another".to_owned(),
            );
        }
        for (name, provider) in &self.sms {
            self.check_sms(name, provider, refusals);
        }
        self.check_mail(refusals);
    }

    /// What is served never goes twice, whatever is set.
    fn check_served(&self, refusals: &mut Vec<String>) {
        for (kind, settings) in self.notice_kinds.iter().filter(|(kind, _)| SERVED.contains(&kind.as_str())) {
            match settings.repeat {
                Some(RepeatWord::May) => refusals.push(format!(
                    "notices.kinds.{kind}.repeat = \"may\": what is served is never sent twice; leave it out"
                )),
                Some(RepeatWord::Never) | None => {}
            }
            match settings.channels {
                Some(ChannelsWord::SmsElseMail) => refusals.push(format!(
                    "notices.kinds.{kind}.channels = \"sms_else_mail\": what is served is not sent again another way; \
                     choose \"both\" or \"mail\""
                )),
                Some(ChannelsWord::Both | ChannelsWord::Mail) | None => {}
            }
        }
    }

    fn check_sms(&self, name: &str, provider: &SmsProvider, refusals: &mut Vec<String>) {
        let kind = provider.kind;
        let fields = fields(provider);
        for (field, state, kinds) in &fields {
            let (wanted, taken) = match kinds {
                Wanted::By(kinds) => (kinds.contains(&kind), kinds.contains(&kind)),
                Wanted::Maybe(kinds) => (false, kinds.contains(&kind)),
            };
            let word = kind.word();
            match state {
                State::Missing if wanted => {
                    refusals.push(format!("notices.sms.{name}.{field} is missing: kind = \"{word}\" needs it"))
                }
                State::Given if !taken => refusals.push(format!(
                    "notices.sms.{name}.{field} is set and kind = \"{word}\" has no use for it: leave it out"
                )),
                State::Missing | State::Given => {}
            }
        }
        if matches!(kind, SmsKind::Aliyun | SmsKind::Tencent)
            && provider.signature.is_none()
            && self.notices.signature.is_none()
        {
            refusals.push(format!(
                "notices.sms.{name}.signature is missing: set it, or notices.signature, to the signature that was approved there"
            ));
        }
        if self.environment == Environment::Live
            && provider.url.as_ref().is_some_and(|url| is_plain_and_elsewhere(url.expose()))
        {
            refusals.push(format!(
                "notices.sms.{name}.url is plain http:// to another machine, where anybody on the way may read numbers and texts: write https://…"
            ));
        }
        let secret = provider.receipt_secret.as_ref().map(Secret::expose).filter(|secret| !fits_an_address(secret));
        refusals.extend(secret.map(|secret| {
            format!(
                "notices.sms.{name}.receipt_secret (hidden) has {} characters and cannot be the secret part of an address: use \
                 {SECRET_LETTERS_MIN} or more, all of them letters, digits, - and _; `openssl rand -hex 16` makes one",
                secret.chars().count()
            )
        }));
        self.check_lease(&format!("notices.sms.{name}.timeout_seconds"), provider.timeout_seconds(), refusals);
    }

    /// A claim must outlive its call, or two workers could call for the same message.
    fn check_lease(&self, key: &str, timeout: u32, refusals: &mut Vec<String>) {
        let lease = self.notices.claim_lease_seconds;
        if lease < timeout.saturating_mul(2) {
            refusals.push(format!(
                "notices.claim_lease_seconds = {lease} is too short: set it to at least twice {key} ({timeout})"
            ));
        }
    }

    fn check_mail(&self, refusals: &mut Vec<String>) {
        let mail = &self.mail;
        let Some(host) = &mail.host else {
            let given = [
                ("user", mail.user.is_some()),
                ("password", mail.password.is_some()),
                ("from", mail.from.is_some()),
                ("reply_to", mail.reply_to.is_some()),
                ("dkim_domain", mail.dkim_domain.is_some()),
                ("dkim_selector", mail.dkim_selector.is_some()),
                ("dkim_key_file", mail.dkim_key_file.is_some()),
                ("ca_file", mail.ca_file.is_some()),
                ("bounces_dir", mail.bounces_dir.is_some()),
            ];
            for (field, _) in given.iter().filter(|(_, given)| *given) {
                refusals.push(format!(
                    "notices.mail.{field} is set and notices.mail.host is not: name the mail server, or leave both out"
                ));
            }
            return;
        };
        if mail.from.is_none() {
            refusals.push("notices.mail.from is missing: set it to the sender's address".to_owned());
        }
        if mail.port > u32::from(u16::MAX) {
            refusals.push(format!("notices.mail.port = {} is no port: use 587, 465 or 25", mail.port));
        }
        if mail.user.is_some() != mail.password.is_some() {
            refusals.push("notices.mail.user and notices.mail.password go together: set both or neither".to_owned());
        }
        let dkim = [mail.dkim_domain.is_some(), mail.dkim_selector.is_some(), mail.dkim_key_file.is_some()];
        if dkim.contains(&true) && dkim.contains(&false) {
            refusals.push(
                "notices.mail.dkim_domain, dkim_selector and dkim_key_file go together: set all of them or none"
                    .to_owned(),
            );
        }
        let bracketed = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let here = !is_plain_and_elsewhere(&format!("http://{bracketed}"));
        match (mail.security, self.environment) {
            (MailSecurity::None, Environment::Live) if !here => refusals.push(
                "notices.mail.security = \"none\" would send notices to another machine in clear: use \"starttls\" or \"tls\""
                    .to_owned(),
            ),
            (MailSecurity::None | MailSecurity::StartTls | MailSecurity::Tls, Environment::Live | Environment::Sandbox) => {}
        }
        self.check_lease("notices.mail.timeout_seconds", mail.timeout_seconds, refusals);
    }
}

/// Whether a field has a value.
#[derive(Clone, Copy)]
enum State {
    Given,
    Missing,
}

/// Which kinds need a field, or only take it.
enum Wanted {
    By(&'static [SmsKind]),
    Maybe(&'static [SmsKind]),
}

/// The fields that not every kind has, and who wants them.
fn fields(provider: &SmsProvider) -> [(&'static str, State, Wanted); 8] {
    use SmsKind::{Aliyun, Folder, Tencent, Webhook};
    const VENDORS: &[SmsKind] = &[Aliyun, Tencent];
    fn state<T: Setting>(field: &Option<T>) -> State {
        if field.is_some() { State::Given } else { State::Missing }
    }
    [
        ("url", state(&provider.url), Wanted::By(&[Aliyun, Tencent, Webhook])),
        ("access_key_id", state(&provider.access_key_id), Wanted::By(VENDORS)),
        ("access_key_secret", state(&provider.access_key_secret), Wanted::By(VENDORS)),
        ("app_id", state(&provider.app_id), Wanted::By(&[Tencent])),
        ("region", state(&provider.region), Wanted::Maybe(VENDORS)),
        ("receipt_secret", state(&provider.receipt_secret), Wanted::Maybe(&[Aliyun, Tencent, Webhook])),
        ("dir", state(&provider.dir), Wanted::By(&[Folder])),
        ("key", state(&provider.key), Wanted::By(&[Webhook])),
    ]
}

/// Whoever learns the address of receipts can push hints: it must not be guessed.
const SECRET_LETTERS_MIN: usize = 16;

fn fits_an_address(secret: &str) -> bool {
    secret.len() >= SECRET_LETTERS_MIN
        && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
#[path = "notice_check_tests.rs"]
mod tests;
