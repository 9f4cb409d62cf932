//! Taking in: arrivals, quarantine, and judging again what waits.

use super::{MemoryStore, Tables};
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::BTreeSet;
use zhida_core::ids::{ApplicationId, PayoutKey};
use zhida_core::payout::Payout;
use zhida_core::ports::store::{AuthorityReader, IntakeStore, QuarantineRow, StoreError};
use zhida_core::steps::{self, Arrival, Fact, IntakeContext, Quarantined, TakenIn};

#[async_trait]
impl IntakeStore for MemoryStore {
    async fn take_in(&self, arrivals: Vec<Arrival>) -> Result<Vec<TakenIn>, StoreError> {
        let mut tables = self.tables();
        let applications: BTreeSet<ApplicationId> = arrivals.iter().filter_map(application_of).collect();
        let concerned = |payout: &&Payout| applications.contains(&payout.key.application_id);
        let mut desk = self.desk(tables.payouts.values().filter(concerned).cloned().collect::<Vec<_>>());
        let mut context = tables.context(self.protocol.verifier.as_ref());
        let taken = steps::take_in(&mut desk, &mut context, arrivals);
        tables.hear_kept_evidence(&mut desk);
        let changes = desk.changes;
        self.write(&mut tables, changes);
        Ok(taken)
    }

    async fn quarantine(&self, items: Vec<Quarantined>) -> Result<(), StoreError> {
        let mut tables = self.tables();
        for item in items {
            tables.put_in_quarantine(item, self.clock());
        }
        Ok(())
    }

    async fn reconsider(&self, max: u32) -> Result<u32, StoreError> {
        let mut tables = self.tables();
        if tables.reconsider.is_empty() {
            return Ok(0);
        }
        let mut waiting: Vec<(Timestamp, PayoutKey)> = tables
            .reconsider
            .iter()
            .filter_map(|key| tables.payouts.get(key).map(|payout| (payout.due_at, key.clone())))
            .collect();
        waiting.sort();
        waiting.truncate(max as usize);
        let keys: Vec<PayoutKey> = waiting.into_iter().map(|(_, key)| key).collect();
        let mut desk = self.desk(tables.payouts_named(&keys));
        let mut context = tables.context(self.protocol.verifier.as_ref());
        for key in &keys {
            steps::reconsider(&mut desk, &mut context, key);
            tables.reconsider.remove(key);
        }
        let changes = desk.changes;
        self.write(&mut tables, changes);
        Ok(u32::try_from(keys.len()).unwrap_or(u32::MAX))
    }
}

impl Tables {
    pub(super) fn put_in_quarantine(&mut self, item: Quarantined, now: Timestamp) {
        let same = |row: &&QuarantineRow| row.item == item && row.state == "open";
        if self.quarantine.iter().any(|row| same(&row)) {
            return;
        }
        let id = format!("q-{}", self.quarantine.len() + 1);
        self.log(now, "event.quarantined", &id, "system", serde_json::json!({"reason_code": item.reason_code}));
        self.quarantine.push(QuarantineRow { id, received_at: now, item, state: "open".to_owned(), closed: None });
    }

    fn context(&self, verifier: &dyn AuthorityReader) -> IntakeContext {
        IntakeContext {
            inbox: self.inbox.iter().map(|(name, (hash, _))| (name.clone(), hash.clone())).collect(),
            policies: self.policies.clone(),
            funds: self.funds.clone(),
            caps: self.caps.clone(),
            applications: self.applications.clone(),
            commitments: self.commitments.clone(),
            last_paid: self.last_paid.clone(),
            revoked_keys: verifier.revoked_keys().into_iter().collect(),
            restored: self.restored,
        }
    }
}

fn application_of(arrival: &Arrival) -> Option<ApplicationId> {
    match &arrival.fact {
        Fact::Approved(approval) => Some(approval.key.application_id.clone()),
        Fact::PayeeCorrected(key, ..) => Some(key.application_id.clone()),
        Fact::Ended(id, _)
        | Fact::PublicityStarted(id, _)
        | Fact::PublicityObjected(id, _)
        | Fact::PublicityEnded(id, _) => Some(id.clone()),
        Fact::CommitmentSigned { .. } | Fact::Other => None,
    }
}
