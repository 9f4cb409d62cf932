//! Sending and booking: the port of the payout worker. The claim itself is in `sending`.

use super::aside::isolating;
use super::fault::Fault;
use super::link::{Lock, Tx};
use super::value::Value;
use super::{SqlStore, aside, envelope, evidence, load, payout_rows, restoring, transact};
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use zhida_core::batch::{Batch, ClaimedBatch, Member, may_be_written};
use zhida_core::ids::{InstructionId, MsgId, PayoutKey};
use zhida_core::payout::{Alarm, AlarmKind, Carrier, Payout, Word};
use zhida_core::ports::bank::{CallOutcome, EnquiryOutcome};
use zhida_core::ports::store::{Enquiry, PayoutStore, StoreError};
use zhida_core::steps::{self, Desk, EnquiryResult};

#[async_trait]
impl PayoutStore for SqlStore {
    async fn claim(&self, msg_id: MsgId, max: u32) -> Result<Option<ClaimedBatch>, StoreError> {
        transact!(self, Writing, |tx| self.claim_within(&mut tx, &msg_id, max.max(1)))
    }

    async fn may_write(&self, claimed: &ClaimedBatch) -> Result<Result<(), String>, StoreError> {
        transact!(self, Reading, |tx| last_look(&mut tx, claimed))
    }

    async fn book_call(&self, claimed: &ClaimedBatch, outcome: &CallOutcome) -> Result<(), StoreError> {
        isolating!(self, self.keys_of(claimed, Some(outcome)).await?, |tx, left_out| self
            .book_call_within(&mut tx, left_out, claimed, outcome))
    }

    async fn book_not_made(&self, claimed: &ClaimedBatch, why: &str) -> Result<(), StoreError> {
        isolating!(self, self.keys_of(claimed, None).await?, |tx, left_out| self
            .book_not_made_within(&mut tx, left_out, claimed, why))
    }

    async fn expire_leases(&self, max: u32) -> Result<u32, StoreError> {
        transact!(self, Writing, |tx| self.expire_within(&mut tx, max))
    }

    async fn claim_enquiries(&self, max: u32) -> Result<Vec<Enquiry>, StoreError> {
        transact!(self, Writing, |tx| self.claim_enquiries_within(&mut tx, max))
    }

    async fn book_enquiries(&self, results: &[EnquiryResult]) -> Result<(), StoreError> {
        if results.is_empty() {
            return Ok(());
        }
        let keys = results.iter().map(|result| result.key.clone()).collect();
        isolating!(self, keys, |tx, left_out| self.book_enquiries_within(&mut tx, left_out, results))
    }

    async fn book_evidence(&self, items: &[(InstructionId, Word, Carrier)]) -> Result<(), StoreError> {
        if items.is_empty() {
            return Ok(());
        }
        transact!(self, Writing, |tx| self.book_evidence_within(&mut tx, items))
    }

    async fn book_statement_check(&self, id: &InstructionId, covered_until: Timestamp) -> Result<bool, StoreError> {
        transact!(self, Writing, |tx| self.book_statement_check_within(&mut tx, id, covered_until))
    }

    async fn time_passes(&self, max: u32) -> Result<u32, StoreError> {
        transact!(self, Writing, |tx| self.time_passes_within(&mut tx, max))
    }

    async fn ring_again(&self) -> Result<u32, StoreError> {
        transact!(self, Writing, |tx| ring_within(&mut tx))
    }
}

impl SqlStore {
    async fn book_call_within(
        &self,
        tx: &mut Tx,
        left_out: &BTreeSet<PayoutKey>,
        claimed: &ClaimedBatch,
        outcome: &CallOutcome,
    ) -> Result<(), Fault> {
        let members = load::members(tx, &claimed.msg_id).await?;
        let besides = self.owners(tx, steps::named_besides(&members, outcome)).await?;
        let (mut desk, batch) = self.desk_of(tx, claimed, members, &besides, left_out).await?;
        let named = batch.members.iter().map(|member| (&member.instruction_id, &member.key)).chain(&besides);
        let without = named.filter(|(_, key)| left_out.contains(*key));
        let without: BTreeSet<&InstructionId> = without.map(|(id, _)| id).collect();
        // A word about one that is left out comes again by an enquiry, when its lease has run out.
        let outcome = match outcome {
            CallOutcome::Answered(reports) if !without.is_empty() => {
                let booked = reports.iter().filter(|report| !without.contains(&report.instruction_id));
                &CallOutcome::Answered(booked.cloned().collect())
            }
            whole => whole,
        };
        steps::book_call(&mut desk, batch.clone(), claimed, outcome);
        let changes = desk.changes;
        let now = tx.now;
        let words = match outcome {
            CallOutcome::Answered(reports) => {
                reports.iter().map(|report| evidence::of_report(report, Carrier::Answer, now)).collect()
            }
            CallOutcome::RefusedWhole { .. }
            | CallOutcome::NotTakenIn { .. }
            | CallOutcome::DuplicateGroup
            | CallOutcome::Doubtful { .. } => Vec::new(),
        };
        evidence::write(tx, words).await?;
        if changes.batches.get(&claimed.msg_id).is_some_and(|batch| batch.closed.is_some()) {
            aside::leave_batch(tx, &claimed.msg_id, left_out).await?;
        }
        self.write(tx, changes).await
    }

    async fn book_not_made_within(
        &self,
        tx: &mut Tx,
        left_out: &BTreeSet<PayoutKey>,
        claimed: &ClaimedBatch,
        why: &str,
    ) -> Result<(), Fault> {
        let members = load::members(tx, &claimed.msg_id).await?;
        let (mut desk, batch) = self.desk_of(tx, claimed, members, &BTreeMap::new(), left_out).await?;
        steps::book_not_made(&mut desk, batch, claimed, why);
        let changes = desk.changes;
        self.write(tx, changes).await
    }

    /// The members' payouts on a desk, those beside them, and the batch as stored.
    async fn desk_of(
        &self,
        tx: &mut Tx,
        claimed: &ClaimedBatch,
        members: Vec<Member>,
        besides: &BTreeMap<InstructionId, PayoutKey>,
        left_out: &BTreeSet<PayoutKey>,
    ) -> Result<(Desk<'_>, Batch), Fault> {
        let keys = members.iter().map(|member| &member.key).chain(besides.values());
        let keys = keys.filter(|key| !left_out.contains(*key)).cloned().collect();
        let payouts = load::payouts(tx, &keys, Lock::Wait).await?;
        let batch = load::batch(tx, &claimed.msg_id, members).await?;
        Ok((self.desk(tx, payouts), batch))
    }

    /// Whose payouts these instructions are, those of a lost history included; unknown ones are absent.
    async fn owners(
        &self,
        tx: &mut Tx,
        ids: impl Iterator<Item = &InstructionId>,
    ) -> Result<BTreeMap<InstructionId, PayoutKey>, Fault> {
        let ids: BTreeSet<&InstructionId> = ids.collect();
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut owners = load::owners(tx, ids.iter().copied()).await?;
        let strange = ids.into_iter().filter(|id| !owners.contains_key(*id)).cloned().collect();
        owners.extend(restoring::owners_of_forgotten(tx, &strange, &self.protocol.rules.district).await?);
        Ok(owners)
    }

    async fn keys_of(
        &self,
        claimed: &ClaimedBatch,
        outcome: Option<&CallOutcome>,
    ) -> Result<BTreeSet<PayoutKey>, StoreError> {
        transact!(self, Reading, |tx| self.keys_of_within(&mut tx, claimed, outcome))
    }

    async fn keys_of_within(
        &self,
        tx: &mut Tx,
        claimed: &ClaimedBatch,
        outcome: Option<&CallOutcome>,
    ) -> Result<BTreeSet<PayoutKey>, Fault> {
        let members = load::members(tx, &claimed.msg_id).await?;
        let besides = outcome.into_iter().flat_map(|outcome| steps::named_besides(&members, outcome));
        let besides = self.owners(tx, besides).await?;
        Ok(members.iter().map(|member| member.key.clone()).chain(besides.into_values()).collect())
    }

    async fn expire_within(&self, tx: &mut Tx, max: u32) -> Result<u32, Fault> {
        let tail = "where (application_id, tranche) in \
            (select application_id, tranche from instructions where lease_until <= $1 order by lease_until limit $2)";
        let payouts = load::payouts_due(tx, tail, vec![tx.now.into(), max.into()], max, Lock::Skip).await?;
        self.each(tx, payouts, steps::expire_lease).await
    }

    async fn time_passes_within(&self, tx: &mut Tx, max: u32) -> Result<u32, Fault> {
        let tail = "where wake_at <= $1 order by wake_at";
        let payouts = load::payouts_due(tx, tail, vec![tx.now.into()], max, Lock::Skip).await?;
        self.each(tx, payouts, steps::time_passes).await
    }

    /// One step for each of these payouts; says how many there were.
    pub(super) async fn each(
        &self,
        tx: &mut Tx,
        payouts: Vec<Payout>,
        step: impl Fn(&mut Desk<'_>, &PayoutKey) + Send,
    ) -> Result<u32, Fault> {
        let keys: Vec<PayoutKey> = payouts.iter().map(|payout| payout.key.clone()).collect();
        if keys.is_empty() {
            return Ok(0);
        }
        let mut desk = self.desk(tx, payouts);
        for key in &keys {
            step(&mut desk, key);
        }
        let changes = desk.changes;
        self.write(tx, changes).await?;
        Ok(u32::try_from(keys.len()).unwrap_or(u32::MAX))
    }

    async fn claim_enquiries_within(&self, tx: &mut Tx, max: u32) -> Result<Vec<Enquiry>, Fault> {
        let next = tx.now.checked_add(self.protocol.rules.bank.lease).unwrap_or(Timestamp::MAX);
        let sql = format!(
            "with due as materialized (select id from instructions where enquire_at <= $2 and claim_epoch is null \
             order by enquire_at limit $3 {}) \
             update instructions set enquire_at = $1 where id in (select id from due) \
             returning id, application_id, tranche, generation, successor_in_doubt",
            tx.locked(Lock::Skip)
        );
        let rows = tx.rows(sql, vec![next.into(), tx.now.into(), max.into()]).await?;
        let begun_at = tx.now;
        let mut enquiries = Vec::with_capacity(rows.len());
        for row in &rows {
            let (key, generation): (_, u32) = (payout_rows::key(row)?, row.unsigned("generation")?);
            if row.get("successor_in_doubt")? {
                enquiries.push(Enquiry::of_successor(&self.protocol.rules.district, &key, generation, begun_at));
            }
            enquiries.push(Enquiry { key, instruction_id: InstructionId(row.get("id")?), begun_at });
        }
        Ok(enquiries)
    }

    async fn book_enquiries_within(
        &self,
        tx: &mut Tx,
        left_out: &BTreeSet<PayoutKey>,
        results: &[EnquiryResult],
    ) -> Result<(), Fault> {
        let results: Vec<&EnquiryResult> = results.iter().filter(|one| !left_out.contains(&one.key)).collect();
        let keys = results.iter().map(|result| result.key.clone()).collect();
        let payouts = load::payouts(tx, &keys, Lock::Wait).await?;
        let now = tx.now;
        let word = |result: &EnquiryResult| match &result.outcome {
            EnquiryOutcome::Found(report) => Some(evidence::of_report(report, Carrier::Enquiry, now)),
            EnquiryOutcome::NotFound | EnquiryOutcome::NoAnswer { .. } => None,
        };
        evidence::write(tx, results.iter().copied().filter_map(word).collect()).await?;
        let mut desk = self.desk(tx, payouts);
        for result in results {
            steps::book_enquiry(&mut desk, result);
        }
        let changes = desk.changes;
        self.write(tx, changes).await
    }

    async fn book_evidence_within(&self, tx: &mut Tx, items: &[(InstructionId, Word, Carrier)]) -> Result<(), Fault> {
        let owners = self.owners(tx, items.iter().map(|(id, _, _)| id)).await?;
        let payouts = load::payouts(tx, &owners.values().cloned().collect(), Lock::Wait).await?;
        let now = tx.now;
        let words = items.iter().map(|(id, word, carrier)| evidence::of_word(id, word, *carrier, now)).collect();
        evidence::write(tx, words).await?;
        let mut desk = self.desk(tx, payouts);
        for (id, word, carrier) in items {
            match owners.get(id) {
                Some(key) => steps::book_evidence(&mut desk, key, id, word.clone(), *carrier),
                None => desk.changes.alarms.push(Alarm {
                    kind: AlarmKind::UnknownInstruction,
                    key: None,
                    instruction_id: Some(id.clone()),
                    text: "evidence names an instruction nobody knows".to_owned(),
                }),
            }
        }
        let changes = desk.changes;
        self.write(tx, changes).await
    }

    async fn book_statement_check_within(
        &self,
        tx: &mut Tx,
        id: &InstructionId,
        until: Timestamp,
    ) -> Result<bool, Fault> {
        let owners = load::owners(tx, [id]).await?;
        let Some(key) = owners.get(id) else { return Ok(false) };
        let payouts = load::payouts(tx, &BTreeSet::from([key.clone()]), Lock::Wait).await?;
        let mut desk = self.desk(tx, payouts);
        let enough = steps::book_statement_check(&mut desk, key, id, until).is_ok();
        let changes = desk.changes;
        self.write(tx, changes).await?;
        Ok(enough)
    }
}

async fn last_look(tx: &mut Tx, claimed: &ClaimedBatch) -> Result<Result<(), String>, Fault> {
    let keys = claimed.members.iter().map(|(member, _)| member.key.clone()).collect();
    let payouts = load::payouts(tx, &keys, Lock::None).await?;
    let stopped = load::stopped(&load::switch(tx, Lock::None).await?);
    Ok(may_be_written(claimed, &payouts, stopped))
}

/// Payouts named in a doorbell that is rung again.
const RUNG_AGAIN_MAX: i64 = 200;

async fn ring_within(tx: &mut Tx) -> Result<u32, Fault> {
    let rung = "select id from outbox where sent_at is null and destination = 'payout_doorbell' limit 1";
    if !tx.rows(rung, vec![]).await?.is_empty() {
        return Ok(0);
    }
    let sql =
        "select application_id, tranche from payouts where claimable order by due_at, application_id, tranche limit $1";
    let mut waiting = tx.rows(sql, vec![RUNG_AGAIN_MAX.into()]).await?;
    if waiting.is_empty() {
        let sql = "select application_id, tranche from batches join batch_members using (msg_id) \
            where closed is null and examine_at <= $1 limit $2";
        let values: Vec<Value> = vec![tx.now.into(), RUNG_AGAIN_MAX.into()];
        waiting = tx.rows(sql, values).await?;
    }
    let keys = waiting.iter().map(payout_rows::key).collect::<Result<Vec<_>, _>>()?;
    let rows = envelope::doorbells(&keys, tx.now);
    let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    tx.insert("outbox", rows, "").await?;
    Ok(count)
}
