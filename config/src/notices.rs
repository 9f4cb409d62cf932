//! Settings of notices: when and how many go out, who carries them, and what may differ for a kind. What is decided by them stands
//! in the core.

use crate::address::HttpUrl;
use crate::form::{Secret, Setting, choice};
use crate::layers::{Bare, Key, NamedGroup};
use crate::notice_forms::{Names, NumberLimits, Price, PublicUrl, QuietHours, Signature};
use crate::sections::section;
use crate::settings::Reader;
use std::collections::BTreeMap;
use std::path::PathBuf;

section!(
    /// Notices as a whole.
    Notices = "notices" {
        /// When what can wait does not go.
        quiet: QuietHours,
        /// How long kinds that gather wait for more.
        group_seconds: u32,
        /// From so many on they become one.
        group_from: u32,
        /// Messages handed to providers in a minute at most.
        per_minute_max: u32,
        /// In a day of the district's zone at most.
        per_day_max: u32,
        /// Without a receipt for so long the provider is asked, then another way is tried.
        switch_after_minutes: u32,
        /// This long after the end of a call a provider's "not found" is definitive.
        visibility_seconds: u32,
        /// How long a doubtful sending is asked for before its kind decides.
        doubt_minutes: u32,
        /// How long a claim gives the right to call.
        claim_lease_seconds: u32,
        /// Calls open at once, in one process.
        parallel_calls: u32,
        /// Notices that one transaction takes at most.
        batch_max: u32,
        /// Pause between looks at what is due.
        sweep_seconds: u32,
        /// SMS signature where a provider has none of its own.
        signature: Option<Signature>,
        /// Address of the pages as recipients reach them, for links.
        public_url: Option<PublicUrl>,
        /// Names of SMS providers, the preferred first.
        sms_order: Names,
    }
);
section!(
    /// The mail server that carries notices.
    Mail = "notices.mail" {
        /// Its name; without it there is no mail.
        host: Option<String>,
        /// Its port.
        port: u32,
        /// How the connection is protected.
        security: MailSecurity,
        /// Whom to sign in as.
        user: Option<String>,
        /// With which password.
        password: Option<Secret>,
        /// Sender.
        from: Option<String>,
        /// Where answers go.
        reply_to: Option<String>,
        /// DKIM: signing domain.
        dkim_domain: Option<String>,
        /// DKIM: selector.
        dkim_selector: Option<String>,
        /// DKIM: private key, PEM.
        dkim_key_file: Option<PathBuf>,
        /// Roots that alone are trusted, PEM; without it those of the operating system.
        ca_file: Option<PathBuf>,
        /// Time limit of one mail.
        timeout_seconds: u32,
        /// Maildir to which bounces come.
        bounces_dir: Option<PathBuf>,
    }
);
choice!(
    /// How the connection to the mail server is protected.
    MailSecurity {
        /// It begins in clear and is encrypted before anything is said.
        StartTls = "starttls",
        /// Encrypted from the first byte.
        Tls = "tls",
        /// Not at all: to this machine, or in a sandbox.
        None = "none",
    }
);
choice!(
    /// How an SMS provider is spoken to.
    SmsKind {
        /// Alibaba Cloud, Dysmsapi 2017-05-25.
        Aliyun = "aliyun",
        /// Tencent Cloud, sms 2021-01-11.
        Tencent = "tencent",
        /// A signed request in JSON of our own definition.
        Webhook = "webhook",
        /// A file for each message.
        Folder = "folder",
    }
);
choice!(
    /// Whether a notice may arrive twice when nobody can say whether it was sent.
    RepeatWord {
        /// Rather twice than never.
        May = "may",
        /// Never.
        Never = "never",
    }
);
choice!(
    /// By which channels a kind goes.
    ChannelsWord {
        /// SMS, and mail beside it.
        Both = "both",
        /// SMS; mail where that does not arrive.
        SmsElseMail = "sms_else_mail",
        /// Mail alone.
        Mail = "mail",
    }
);

/// Kinds of notices that `notices.kinds.<kind>` may name. The kinds themselves are the core's; a test there holds the two together.
pub const KINDS: &[&str] = &[
    "payout_received",
    "payout_held",
    "payout_credited",
    "payout_refused",
    "payout_returned",
    "payout_late",
    "review_due_soon",
    "review_overdue",
    "review_escalated",
    "review_cleared",
    "order_issued",
    "order_replied",
    "order_returned",
    "order_closed",
    "digest",
    "integrity_notified",
    "integrity_decided",
    "integrity_repaired",
    "test",
];

/// Those of them that are served: they never go twice. The same test holds them to the core's.
pub const SERVED: &[&str] = &["integrity_notified", "integrity_decided", "integrity_repaired"];

/// Declares a named entry of optional fields, and its keys, so that the two cannot drift apart.
macro_rules! entry {
    ($(#[$doc:meta])* $name:ident = $group:literal { $($(#[$field_doc:meta])* $field:ident: $form:ty,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name { $($(#[$field_doc])* pub $field: $form,)+ }

        impl $name {
            pub(crate) const GROUP: NamedGroup = NamedGroup {
                path: $group,
                fields: &[$(Key { path: stringify!($field), secrecy: <$form as Setting>::SECRECY },)+],
                bare: Bare::Refused,
            };

            pub(crate) fn read(reader: &mut Reader, entry: &[String]) -> Option<Self> {
                $(let $field = reader.read_at::<$form>(&[entry, &[stringify!($field).to_owned()]].concat());)+
                Some(Self { $($field: $field?,)+ })
            }
        }
    };
}

entry!(
    /// An SMS provider, `notices.sms.<name>`.
    SmsProvider = "notices.sms" {
        /// How it is spoken to.
        kind: SmsKind,
        /// Where it is.
        url: Option<HttpUrl>,
        /// Who we are there.
        access_key_id: Option<String>,
        /// What proves it.
        access_key_secret: Option<Secret>,
        /// Tencent's SmsSdkAppId.
        app_id: Option<String>,
        /// The vendor's region.
        region: Option<String>,
        /// The signature as it is approved there; without one `notices.signature`.
        signature: Option<Signature>,
        /// Secret part of the address to which receipts are pushed; without one none are taken.
        receipt_secret: Option<Secret>,
        /// Time limit of one call; see [`SmsProvider::timeout_seconds`].
        timeout_seconds: Option<u32>,
        /// Limits per number, signature and template; see [`SmsProvider::limits`].
        limits: Option<NumberLimits>,
        /// Limits per number, whatever is sent there; see [`SmsProvider::number_limits`].
        number_limits: Option<NumberLimits>,
        /// Price of a segment.
        price_per_segment: Option<Price>,
        /// Folder of the kind `folder`.
        dir: Option<PathBuf>,
        /// Key of the kind `webhook`.
        key: Option<Secret>,
    }
);
entry!(
    /// What differs for a kind, `notices.kinds.<kind>`.
    NoticeKindSettings = "notices.kinds" {
        /// Whether it may arrive twice.
        repeat: Option<RepeatWord>,
        /// By which channels it goes.
        channels: Option<ChannelsWord>,
    }
);

impl SmsProvider {
    /// Time limit of one call.
    #[must_use]
    pub fn timeout_seconds(&self) -> u32 {
        self.timeout_seconds.unwrap_or(10)
    }

    /// Limits per number, signature and template.
    #[must_use]
    pub fn limits(&self) -> NumberLimits {
        self.limits.clone().unwrap_or_default()
    }

    /// Limits per number, whatever is sent there; none unless they are set.
    #[must_use]
    pub fn number_limits(&self) -> NumberLimits {
        self.number_limits.clone().unwrap_or_else(|| NumberLimits(Vec::new()))
    }
}

impl Notices {
    /// The providers in the order in which they are tried: those of `sms_order`, then the others by name.
    #[must_use]
    pub fn in_order<'a, T>(&self, providers: &'a BTreeMap<String, T>) -> Vec<(&'a str, &'a T)> {
        let named = self.sms_order.0.iter().filter_map(|name| providers.get_key_value(name));
        let others = providers.iter().filter(|(name, _)| !self.sms_order.0.contains(name));
        named.chain(others).map(|(name, one)| (name.as_str(), one)).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use crate::settings::Settings;

    #[test]
    fn providers_are_tried_in_the_order_given_and_then_by_name() {
        let set = |text: &[(&str, &str)]| {
            let flags: Vec<_> = text.iter().map(|(one, other)| ((*one).to_owned(), (*other).to_owned())).collect();
            Settings::load(&flags, [], None).unwrap()
        };
        let kinds = ["a", "b", "c"].map(|name| format!("notices.sms.{name}.kind"));
        let mut flags: Vec<(&str, &str)> = kinds.iter().map(|key| (key.as_str(), "folder")).collect();
        flags.push(("notices.sms_order", "c,nobody"));
        let settings = set(&flags);
        let order: Vec<&str> = settings.notices.in_order(&settings.sms).into_iter().map(|(name, _)| name).collect();
        assert_eq!(order, ["c", "a", "b"]);
        assert_eq!(settings.sms["a"].timeout_seconds(), 10);
        assert_eq!(settings.sms["a"].limits().0.len(), 1);
        assert!(set(&[]).sms.is_empty() && set(&[]).mail.host.is_none(), "nothing is sent by default");
    }
}
