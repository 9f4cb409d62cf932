//! Vendors of SMS simulated: Alibaba-shaped, Tencent-shaped, and a gateway that speaks the webhook of zhida. Each checks signatures by code
//! of its own, keeps what it took in, sends receipts, and goes wrong as it is told to. What a number received is shown on its phone.

mod aliyun;
mod desk;
mod faults;
mod handle;
mod ledger;
mod phone;
mod receipts;
mod routes;
mod signing;
mod tencent;
#[cfg(test)]
mod tests;
mod webhook;

pub use faults::{SmsChance, SmsFault, SmsTarget};
pub use handle::SmsHandle;
pub use ledger::{SmsEntry, SmsWord};
pub use receipts::Pushed;

pub(crate) use routes::of_sms;

use serde::{Deserialize, Serialize};

/// Which vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vendor {
    /// Alibaba Cloud's form.
    Aliyun,
    /// Tencent Cloud's form.
    Tencent,
    /// zhida's own webhook.
    Webhook,
}

impl Vendor {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Aliyun, Self::Tencent, Self::Webhook];

    /// Its name in addresses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Aliyun => "aliyun",
            Self::Tencent => "tencent",
            Self::Webhook => "webhook",
        }
    }
}

/// Who zhida is to the vendors, and what goes wrong from the start.
#[derive(Clone, Debug)]
pub struct SmsSettings {
    /// Key id at Alibaba and Tencent.
    pub key_id: String,
    /// Its secret.
    pub secret: String,
    /// Tencent's SmsSdkAppId.
    pub app_id: String,
    /// Key of the webhook, by which requests and receipts are signed.
    pub webhook_key: String,
    /// Faults by chance; the first that strikes counts.
    pub chances: Vec<SmsChance>,
    /// Of the chances: the same calls in the same order meet the same faults.
    pub seed: u64,
}

impl Default for SmsSettings {
    /// Keys that anybody may know; nothing goes wrong.
    fn default() -> Self {
        Self {
            key_id: "sandbox-key-id".to_owned(),
            secret: "sandbox-key-secret".to_owned(),
            app_id: "1400000000".to_owned(),
            webhook_key: "sandbox-webhook-key".to_owned(),
            chances: Vec::new(),
            seed: 0,
        }
    }
}
