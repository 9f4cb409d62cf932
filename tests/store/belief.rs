//! What the cases take for granted: how a message looks, and that an event's body says what it entitles to.

use jiff::Timestamp;
use std::sync::{Arc, Mutex};
use zhida_core::ids::MsgId;
use zhida_core::money::Fen;
use zhida_core::ports::bank::{PaymentFormat, Transfer};
use zhida_core::ports::store::{AuthorityReader, StoredEvent};
use zhida_core::steps::Authority;

/// One JSON array a message.
pub(crate) struct Plain;

impl PaymentFormat for Plain {
    fn write(&self, msg_id: &MsgId, created_at: Timestamp, transfers: &[Transfer]) -> Vec<u8> {
        serde_json::to_vec(&(msg_id, created_at, transfers)).unwrap()
    }
}

/// Keys that a case revokes.
pub(crate) type Revoked = Arc<Mutex<Vec<String>>>;

/// Believes the bodies of events.
pub(crate) struct Bodies(pub(crate) Revoked);

impl AuthorityReader for Bodies {
    fn read(&self, approval: &StoredEvent, correction: Option<&StoredEvent>) -> Option<Authority> {
        let approved: serde_json::Value = serde_json::from_slice(&approval.body).ok()?;
        let corrected: Option<serde_json::Value> = match correction {
            Some(event) => Some(serde_json::from_slice(&event.body).ok()?),
            None => None,
        };
        let keyids = std::iter::once(&approved).chain(&corrected).filter_map(|event| event["keyid"].as_str());
        let revoked = self.revoked_keys();
        let revoked_key = keyids.map(str::to_owned).find(|keyid| revoked.contains(keyid));
        let payee = corrected.as_ref().unwrap_or(&approved)["payee"].clone();
        Some(Authority {
            key: serde_json::from_value(approved["key"].clone()).ok()?,
            amount: Fen(approved["amount"].as_i64()?),
            currency: "CNY".to_owned(),
            uscc: approved["uscc"].as_str()?.to_owned(),
            payee: serde_json::from_value(payee).ok()?,
            revoked_key,
        })
    }

    fn revoked_keys(&self) -> Vec<String> {
        [vec!["stolen".to_owned()], self.0.lock().unwrap().clone()].concat()
    }
}
