//! Whose signatures count: the trusted keys of the settings, and the check of stored events before every claim.

use jiff::Timestamp;
use std::collections::BTreeMap;
use zhida_config::trusted_keys::TrustedKey;
use zhida_core::money::Fen;
use zhida_core::ports::bank::Payee;
use zhida_core::ports::store::{AuthorityReader, StoredEvent};
use zhida_core::steps::Authority;
use zhida_schemas::signing::PublicKey;
use zhida_schemas::{Envelope, InboundEvent, parts};

/// The trusted keys by key id.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    keys: BTreeMap<String, (PublicKey, TrustedKey)>,
}

impl Keyring {
    /// The keyring of these settings.
    #[must_use]
    pub fn new(trusted: &BTreeMap<String, TrustedKey>) -> Self {
        let keys = trusted.iter().map(|(id, key)| (id.clone(), (PublicKey::from(key.key.0), key.clone()))).collect();
        Self { keys }
    }

    /// Checks that the event was signed by a key that was entitled to it when it first arrived.
    ///
    /// # Errors
    /// Reason code, field and sentence for quarantine.
    pub fn check(
        &self,
        envelope: &Envelope,
        arrived_at: Timestamp,
    ) -> Result<(), (&'static str, &'static str, String)> {
        let attributes = &envelope.attributes;
        let keyid = attributes.keyid.as_str();
        let Some((public_key, trusted)) = self.keys.get(keyid) else {
            let reason = format!(
                "keyid {keyid} is not trusted here; add it under intake.trusted_keys or sign with a trusted key"
            );
            return Err(("key_unknown", "keyid", reason));
        };
        envelope.verify(public_key).map_err(|error| ("signature_invalid", "signature", error.to_string()))?;
        trusted
            .may_sign(attributes.source.as_str(), attributes.event_type.as_str(), arrived_at)
            .map_err(|error| ("key_not_entitled", "keyid", format!("{keyid}: {error}")))
    }

    /// The event, and the key that signed it when that was revoked since.
    fn trusted_event(&self, stored: &StoredEvent) -> Option<(InboundEvent, Option<String>)> {
        let envelope = Envelope::parse(&stored.body).ok()?;
        self.check(&envelope, stored.received_at).ok()?;
        let keyid = envelope.attributes.keyid.as_str();
        let revoked = self.keys.get(keyid).is_some_and(|(_, key)| key.revoked_at.is_some());
        Some((InboundEvent::parse(&envelope).ok()?, revoked.then(|| keyid.to_owned())))
    }
}

impl AuthorityReader for Keyring {
    fn read(&self, approval: &StoredEvent, correction: Option<&StoredEvent>) -> Option<Authority> {
        let (InboundEvent::ApplicationApproved(approved), revoked) = self.trusted_event(approval)? else { return None };
        let (payee, revoked_key) = match correction {
            None => (payee(&approved.payee), revoked),
            Some(stored) => match self.trusted_event(stored)? {
                (InboundEvent::PayeeCorrected(corrected), also)
                    if corrected.application_id == approved.application_id && corrected.tranche == approved.tranche =>
                {
                    (payee(&corrected.payee), revoked.or(also))
                }
                _ => return None,
            },
        };
        Some(Authority {
            key: crate::read::key(&approved.application_id, approved.tranche),
            amount: Fen(approved.amount.minor_units()),
            currency: approved.amount.currency.as_str().to_owned(),
            uscc: approved.enterprise.uscc.as_str().to_owned(),
            payee,
            revoked_key,
        })
    }

    fn revoked_keys(&self) -> Vec<String> {
        self.keys.iter().filter(|(_, (_, key))| key.revoked_at.is_some()).map(|(id, _)| id.clone()).collect()
    }
}

/// The payee of the wire as the core knows it.
pub(crate) fn payee(wire: &parts::Payee) -> Payee {
    Payee {
        account_name: wire.account_name.as_str().to_owned(),
        account_no: wire.account_no.as_str().to_owned(),
        bank_code: wire.bank_code.as_str().to_owned(),
        bank_name: wire.bank_name.as_str().to_owned(),
    }
}

#[cfg(test)]
mod tests;
