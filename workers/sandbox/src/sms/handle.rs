//! The vendors of SMS as tests and the demo hold them within one process: to enter templates, look at what was taken in, and arrange
//! faults.

use super::desk::Desk;
use super::faults::{SmsChance, SmsFault, SmsTarget};
use super::ledger::SmsEntry;
use super::receipts::Pushed;
use super::{SmsSettings, Vendor};
use std::sync::{Arc, OnceLock};

/// The running vendors. Clones are the same vendors.
#[derive(Clone)]
pub struct SmsHandle {
    pub(super) desk: Arc<Desk>,
    /// Where the door is, which is the bank's as well; filled once, when it opens.
    base: Arc<OnceLock<String>>,
}

impl SmsHandle {
    pub(crate) fn new(settings: SmsSettings) -> Self {
        Self { desk: Arc::new(Desk::open(settings)), base: Arc::default() }
    }

    pub(crate) fn opened_at(&self, base: String) {
        // Opened once only, by `Sandbox::start`.
        let _ = self.base.set(base);
    }

    fn base(&self) -> &str {
        self.base.get().map(String::as_str).unwrap_or_default()
    }

    /// Where a vendor is: what `notices.sms.<name>.url` is set to.
    #[must_use]
    pub fn url(&self, vendor: Vendor) -> String {
        format!("{}/sms/{}", self.base(), vendor.word())
    }

    /// Where people see what a number has received.
    #[must_use]
    pub fn phone_url(&self) -> String {
        format!("{}/phone", self.base())
    }

    /// Who zhida is to them.
    #[must_use]
    pub fn settings(&self) -> &SmsSettings {
        &self.desk.settings
    }

    /// Enters an approved template: `${name}` stands for a variable at Alibaba, `{1}` at Tencent.
    pub fn register_template(&self, vendor: Vendor, code: &str, text: &str) {
        self.desk.books().templates.insert((vendor, code.to_owned()), text.to_owned());
    }

    /// Where a vendor pushes receipts; none: nowhere.
    pub fn set_receipts_url(&self, vendor: Vendor, url: Option<&str>) {
        self.desk.pushers.set_url(vendor, url.map(str::to_owned));
    }

    /// How many messages a vendor lets one number have; none: any number.
    pub fn limit_per_number(&self, vendor: Vendor, limit: Option<u32>) {
        let mut books = self.desk.books();
        match limit {
            Some(limit) => books.limits.insert(vendor, limit),
            None => books.limits.remove(&vendor),
        };
    }

    /// Adds steps to the script of `target`; an empty one is "as it should".
    pub fn script(&self, target: SmsTarget, steps: impl IntoIterator<Item = Vec<SmsFault>>) {
        self.desk.books().faults.script(target, steps.into_iter().collect());
    }

    /// Replaces the faults by chance.
    pub fn set_chances(&self, chances: Vec<SmsChance>) {
        self.desk.books().faults.set_chances(chances);
    }

    /// Lets late receipts go; how many.
    pub fn release(&self) -> usize {
        self.desk.release()
    }

    /// Everything that was taken in, in order.
    #[must_use]
    pub fn ledger(&self) -> Vec<SmsEntry> {
        self.desk.books().ledger.clone()
    }

    /// Looks at the ledger without copying it.
    pub fn with_ledger<T>(&self, look: impl FnOnce(&[SmsEntry]) -> T) -> T {
        look(&self.desk.books().ledger)
    }

    /// What the phone with this number shows, the oldest first.
    #[must_use]
    pub fn received(&self, number: &str) -> Vec<SmsEntry> {
        let books = self.desk.books();
        books.ledger.iter().filter(|entry| entry.to == number && entry.is_on_phone()).cloned().collect()
    }

    /// Every sending that a vendor understood, by vendor and `out_id`, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<(Vendor, String)> {
        self.desk.books().calls.clone()
    }

    /// How many questions there were.
    #[must_use]
    pub fn questions(&self) -> u64 {
        self.desk.books().questions
    }

    /// Pushes of receipts that were answered, or given up.
    #[must_use]
    pub fn pushed(&self) -> Vec<Pushed> {
        self.desk.pushers.pushed()
    }

    /// What the client did that it must never do: other content under an old `out_id` of the webhook.
    #[must_use]
    pub fn reproaches(&self) -> Vec<String> {
        self.desk.books().reproaches.clone()
    }

    /// Waits until `reached` is true of the vendors; they are looked at after every call, question and push.
    pub async fn until(&self, reached: impl Fn(&Self) -> bool) {
        let mut changes = self.desk.changes();
        while !reached(self) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }
}
