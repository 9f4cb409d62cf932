//! Vendors of SMS: Alibaba Cloud, Tencent Cloud, a webhook of our own definition, a folder. One message a call, at most once on the wire.
//! What an outcome leads to is decided in the core. (CMPP 2.0, which many government gateways speak, would stand beside them.)

mod acs3;
mod aliyun;
mod aliyun_codes;
mod elements;
mod folder;
mod link;
mod tc3;
mod tencent;
mod tencent_codes;
mod webhook;

pub use aliyun::Aliyun;
pub use folder::Folder;
pub use tencent::Tencent;
pub use webhook::Webhook;

use link::Link;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use zhida_config::form::Secret;
use zhida_config::notices::{SmsKind, SmsProvider as Settings};
use zhida_core::ports::sms::{RefusalClass, SmsProvider};

/// Settings of a provider that cannot be honoured.
#[derive(Debug, Error)]
pub enum SmsProviderError {
    /// A field that the kind needs.
    #[error("notices.sms.{name}.{field} is missing")]
    Missing {
        /// The provider.
        name: String,
        /// The field.
        field: &'static str,
    },
    /// Not an address.
    #[error("notices.sms.{name}.url is not an http or https address; write one like https://sms.example.com/send")]
    Url {
        /// The provider.
        name: String,
    },
    /// The client could not be built.
    #[error("the HTTP client for notices.sms.{name} could not be set up")]
    Client {
        /// The provider.
        name: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
}

/// Sets a provider up as its settings say; nothing is sent.
///
/// # Errors
/// A setting that cannot be honoured.
pub fn open(name: &str, settings: &Settings) -> Result<Arc<dyn SmsProvider>, SmsProviderError> {
    let missing = |field| SmsProviderError::Missing { name: name.to_owned(), field };
    let text = |field, value: &Option<String>| value.clone().ok_or_else(|| missing(field));
    let secret = |field, value: &Option<Secret>| {
        value.as_ref().map(|secret| secret.expose().to_owned()).ok_or_else(|| missing(field))
    };
    let timeout = Duration::from_secs(u64::from(settings.timeout_seconds()));
    let link = || {
        let url = settings.url.as_ref().ok_or_else(|| missing("url"))?;
        Link::new(name, url.expose(), timeout)
    };
    let region = |default: &str| settings.region.clone().unwrap_or_else(|| default.to_owned());
    Ok(match settings.kind {
        SmsKind::Aliyun => Arc::new(Aliyun {
            link: link()?,
            key_id: text("access_key_id", &settings.access_key_id)?,
            secret: secret("access_key_secret", &settings.access_key_secret)?,
            region: region("cn-hangzhou"),
        }),
        SmsKind::Tencent => Arc::new(Tencent {
            link: link()?,
            key_id: text("access_key_id", &settings.access_key_id)?,
            secret: secret("access_key_secret", &settings.access_key_secret)?,
            app_id: text("app_id", &settings.app_id)?,
            region: region("ap-guangzhou"),
        }),
        SmsKind::Webhook => Arc::new(Webhook { link: link()?, key: secret("key", &settings.key)? }),
        SmsKind::Folder => Arc::new(Folder { dir: settings.dir.clone().ok_or_else(|| missing("dir"))?, timeout }),
    })
}

/// What a vendor's code says of a message that was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// It was certainly not taken in.
    Refused(RefusalClass),
    /// The vendor stumbled: it may have been sent.
    Unclear,
}

/// What a vendor wrote, fit for records: no number, no line feed, not long.
fn without_numbers(text: &str) -> String {
    let mut kept = String::new();
    let mut digits = String::new();
    for letter in text.chars().take(200).chain([' ']) {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        kept.push_str(if digits.len() < 7 { &digits } else { "***" });
        digits.clear();
        kept.push(if letter.is_control() { ' ' } else { letter });
    }
    kept.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::without_numbers;

    #[test]
    fn numbers_do_not_reach_the_records() {
        for (text, kept) in [
            ("手机号 13800000000 格式错误", "手机号 *** 格式错误"),
            ("+8613800000000", "+***"),
            ("limit 50 of 100\nreached", "limit 50 of 100 reached"),
            ("", ""),
        ] {
            assert_eq!(without_numbers(text), kept, "{text}");
        }
        assert_eq!(without_numbers(&"长".repeat(5_000)).chars().count(), 200);
    }
}
