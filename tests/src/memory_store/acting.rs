//! Outbox, reference data and acts of operators.

use super::{MemoryStore, Tables};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use zhida_core::ids::{PayoutKey, PolicyId};
use zhida_core::money::Fen;
use zhida_core::payout::{Event, Hold, HoldCode, Payout, PayoutState};
use zhida_core::ports::store::{
    ActStore, Acted, AnyAct, JournalEntry, OutboxRow, OutboxStore, ReferenceStore, SignedAct, StoreError, StoredEvent,
};
use zhida_core::steps::{self, Act, ActOutcome, ActRefused, Changes, Fund, Operator, Policy, Switch};

/// How long a relay may keep rows.
const OUTBOX_LEASE: SignedDuration = SignedDuration::from_secs(60);

#[async_trait]
impl OutboxStore for MemoryStore {
    async fn claim_outbox(&self, max: u32) -> Result<Vec<OutboxRow>, StoreError> {
        let now = self.clock();
        let mut tables = self.tables();
        let free = |until: Option<Timestamp>| until.is_none_or(|until| until <= now);
        let mut rows = Vec::new();
        for (number, entry) in &mut tables.outbox {
            if rows.len() < max as usize && !entry.sent && free(entry.leased_until) {
                entry.leased_until = now.checked_add(OUTBOX_LEASE).ok();
                let (destination, body) = (entry.destination.clone(), entry.body.clone());
                rows.push(OutboxRow { id: number.to_string(), destination, body });
            }
        }
        Ok(rows)
    }

    async fn outbox_sent(&self, ids: &[String]) -> Result<(), StoreError> {
        self.tables().for_rows(ids, |entry| entry.sent = true);
        Ok(())
    }

    async fn outbox_kept(&self, ids: &[String]) -> Result<(), StoreError> {
        self.tables().for_rows(ids, |entry| entry.leased_until = None);
        Ok(())
    }
}

impl MemoryStore {
    fn act_on_payouts(
        &self,
        tables: &Tables,
        operator: &Operator,
        act: &Act,
        reason: &str,
    ) -> (String, Result<(ActOutcome, Changes), ActRefused>) {
        let keys: Vec<PayoutKey> = match act {
            Act::Hold(key) | Act::Release(key, _) | Act::Cancel(key) | Act::Decide(key, _, _) => vec![key.clone()],
            Act::Stop | Act::Resume => Vec::new(),
        };
        let mut desk = self.desk(tables.payouts_named(&keys));
        let done = steps::act(&mut desk, &tables.switch, operator, act, reason);
        let subject = keys.first().map_or_else(|| "sending".to_owned(), steps::subject);
        (subject, done.map(|outcome| (outcome, desk.changes)))
    }
}

impl Tables {
    fn for_rows(&mut self, ids: &[String], change: impl Fn(&mut super::OutboxEntry)) {
        for number in ids.iter().filter_map(|id| id.parse().ok()) {
            if let Some(entry) = self.outbox.get_mut(&number) {
                change(entry);
            }
        }
    }

    pub(super) fn log(&mut self, at: Timestamp, kind: &str, subject: &str, by: &str, detail: serde_json::Value) {
        let sequence = i64::try_from(self.journal.len()).unwrap_or(i64::MAX) + 1;
        let (kind, subject, by) = (kind.to_owned(), subject.to_owned(), by.to_owned());
        self.journal.push(JournalEntry { sequence, at, kind, subject, by, detail });
    }
}

#[async_trait]
impl ReferenceStore for MemoryStore {
    async fn import_policies(&self, funds: &[Fund], policies: &[Policy], by: &str) -> Result<(), StoreError> {
        let mut tables = self.tables();
        for fund in funds {
            let committed = tables.funds.get(&fund.id).map_or(Fen::ZERO, |known| known.committed);
            tables.funds.insert(fund.id.clone(), Fund { committed, ..fund.clone() });
        }
        for policy in policies {
            tables.policies.insert(policy.id.clone(), policy.clone());
        }
        let concerned = |payout: &&Payout| {
            let fund = tables.policies.get(&payout.policy_id).map(|policy| &policy.fund_id);
            let uncharged = payout.state() == PayoutState::Settled && !payout.funded;
            (payout.state().is_live() || uncharged)
                && (policies.iter().any(|one| one.id == payout.policy_id)
                    || funds.iter().any(|one| Some(&one.id) == fund || Some(&one.id) == payout.fund_id.as_ref()))
        };
        let keys: Vec<PayoutKey> = tables.payouts.values().filter(concerned).map(|one| one.key.clone()).collect();
        tables.reconsider.extend(keys);
        tables.mark_cases(|id| id.is_none_or(|id| policies.iter().any(|one| one.id == *id)));
        let detail = json!({"funds": funds.len(), "policies": policies.len()});
        tables.log(self.clock(), "policies.imported", "policies", by, detail);
        Ok(())
    }

    async fn funds(&self) -> Result<Vec<Fund>, StoreError> {
        Ok(self.tables().funds.values().cloned().collect())
    }

    async fn policies(&self) -> Result<Vec<Policy>, StoreError> {
        Ok(self.tables().policies.values().cloned().collect())
    }

    async fn policy(&self, id: &PolicyId) -> Result<Option<Policy>, StoreError> {
        Ok(self.tables().policies.get(id).cloned())
    }

    async fn put_operator(&self, operator: &Operator, by: &str) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let same = |one: &&Operator| one.id != operator.id && one.public_key == operator.public_key;
        let active = |one: &Operator| one.disabled_at.is_none();
        if active(operator) && tables.operators.values().any(|one| same(&one) && active(one)) {
            return Err(StoreError::Conflict("the key is another operator's".to_owned()));
        }
        tables.operators.insert(operator.id.clone(), operator.clone());
        tables.log(self.clock(), "operator.put", &operator.id.0, by, json!({"role": operator.role.code()}));
        Ok(())
    }

    async fn operators(&self) -> Result<Vec<Operator>, StoreError> {
        Ok(self.tables().operators.values().cloned().collect())
    }
}

#[async_trait]
impl ActStore for MemoryStore {
    async fn act(&self, signed: &SignedAct) -> Result<Acted, StoreError> {
        let mut tables = self.tables();
        let name = (signed.source.clone(), signed.event_id.clone());
        if let Some((known, _)) = tables.inbox.get(&name) {
            return Ok(if *known == signed.content_sha256 { Acted::Duplicate } else { Acted::Conflict });
        }
        let operator = tables.operators.get(&signed.operator_id).filter(|one| one.disabled_at.is_none()).cloned();
        let Some(operator) = operator else { return Ok(Acted::UnknownOperator(signed.operator_id.clone())) };
        let (subject, done) = match &signed.act {
            AnyAct::Payouts(act) => self.act_on_payouts(&tables, &operator, act, &signed.reason),
            AnyAct::Supervision(act) => self.supervise(&mut tables, &operator, act, &signed.reason)?,
            AnyAct::Notices(act) => self.act_on_notices(&mut tables, &operator, act, signed),
        };
        let stored = StoredEvent { body: signed.body.clone(), received_at: self.clock() };
        tables.inbox.insert(name, (signed.content_sha256.clone(), stored));
        Ok(match done {
            Ok((outcome, changes)) => {
                self.write(&mut tables, changes);
                Acted::Done(outcome)
            }
            Err(refused) => {
                let detail = json!({"why": refused.to_string()});
                tables.log(self.clock(), "operator.refused", &subject, &signed.operator_id.0, detail);
                Acted::Refused(refused)
            }
        })
    }

    async fn switch(&self) -> Result<Switch, StoreError> {
        Ok(self.tables().switch.clone())
    }

    async fn hold_revoked(&self, max: u32) -> Result<u32, StoreError> {
        let revoked = self.protocol.verifier.revoked_keys();
        let concerned = |payout: &Payout| {
            let unsent = match payout.state() {
                PayoutState::Held | PayoutState::Ready | PayoutState::Unknown => true,
                PayoutState::Sending
                | PayoutState::Pending
                | PayoutState::Settled
                | PayoutState::Refused
                | PayoutState::Returned
                | PayoutState::Cancelled => false,
            };
            let held =
                payout.holds.contains_key(&HoldCode::KeyRevoked) || payout.waived.contains(&HoldCode::KeyRevoked);
            unsent && !held && payout.ended.is_none() && revoked.contains(&payout.keyid)
        };
        self.each(max, concerned, |desk, key| {
            let detail = "the key was revoked after its first arrival".to_owned();
            let hold = Hold { since: desk.now, until: None, detail, released_by: None };
            let _ = desk.apply(key, Event::Placed(HoldCode::KeyRevoked, hold));
        })
    }
}
