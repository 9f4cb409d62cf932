//! Restores: noticed by the journal, made good by a recovery.

use super::fault::Fault;
use super::link::{Lock, Tx};
use super::value::{Row, Value};
use super::{SqlStore, evidence, load, payout_rows, transact};
use async_trait::async_trait;
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use zhida_core::ids::{InstructionId, PayoutKey};
use zhida_core::ports::store::{Compared, Position, Recovered, RestoreStore, StoreError};
use zhida_core::steps::{self, Desk, Restored};

#[async_trait]
impl RestoreStore for SqlStore {
    async fn compare(&self, noted: Option<&Position>) -> Result<Compared, StoreError> {
        transact!(self, Reading, |tx| compare(&mut tx, noted))
    }

    async fn close_sending(&self, why: &str) -> Result<(), StoreError> {
        transact!(self, Writing, |tx| self.close_within(&mut tx, why))
    }

    async fn recover(&self, opens_from: Timestamp, by: &str, why: &str) -> Result<Recovered, StoreError> {
        transact!(self, Writing, |tx| self.recover_within(&mut tx, opens_from, by, why))
    }
}

impl SqlStore {
    async fn close_within(&self, tx: &mut Tx, why: &str) -> Result<(), Fault> {
        let switch = load::switch(tx, Lock::Wait).await?;
        let mut desk = self.desk(tx, []);
        steps::close_sending(&mut desk, &switch, why);
        let changes = desk.changes;
        self.write(tx, changes).await
    }

    async fn recover_within(
        &self,
        tx: &mut Tx,
        opens_from: Timestamp,
        by: &str,
        why: &str,
    ) -> Result<Recovered, Fault> {
        // Nothing is taken in meanwhile: what is judged before is recovered here, what is judged later knows of it.
        tx.lock_judging().await?;
        let restored_to = tx.one("select max(at) as at from journal", vec![]).await?.time_or_none("at")?;
        let past = position(tx).await?.incarnation;
        let incarnation = uuid::Uuid::new_v4();
        // Random and far above any count of claims: an epoch of a lost history is never met again.
        let epoch_base = i64::try_from(incarnation.as_u128() >> 88).unwrap_or(i64::MAX >> 8) | 1 << 40;
        let sql = "update payouts set restored = $1, epoch = epoch + $2";
        tx.execute(sql, vec![true.into(), epoch_base.into()]).await?;
        let sql = "update batches set closed = 'the database was restored', examine_at = null where closed is null";
        tx.execute(sql, vec![]).await?;
        let open = "select application_id, tranche from instructions where live or state in ('refused', 'returned')";
        let keys = tx.rows(open, vec![]).await?;
        let keys = keys.iter().map(payout_rows::key).collect::<Result<BTreeSet<_>, _>>()?;
        let payouts = load::payouts(tx, &keys, Lock::Wait).await?;
        let switch = load::switch(tx, Lock::Wait).await?;
        let in_doubt = payouts.len() as u64;
        let mut desk = self.desk(tx, payouts);
        by.clone_into(&mut desk.by);
        steps::recover(&mut desk, &switch, opens_from, why);
        let changes = desk.changes;
        self.write(tx, changes).await?;
        let past = [past_incarnations(tx).await?, vec![past]].concat().join(",");
        for (name, value) in [
            ("incarnation", incarnation.to_string()),
            ("past_incarnations", past),
            ("restored_at", tx.now.as_microsecond().to_string()),
            ("epoch_base", epoch_base.to_string()),
        ] {
            let record = vec![("name", name.into()), ("value", value.into())];
            tx.insert("meta", vec![record], "on conflict (name) do update set value = excluded.value").await?;
        }
        Ok(Recovered { position: position(tx).await?, restored_to, in_doubt, opens_from })
    }
}

async fn compare(tx: &mut Tx, noted: Option<&Position>) -> Result<Compared, Fault> {
    let now = position(tx).await?;
    let Some(noted) = noted else {
        return Ok(Compared { now, verdict: zhida_core::ports::store::Verdict::Onward });
    };
    let leaf_there = match &noted.head {
        Some((sequence, _)) => leaf_of(tx, "sequence = $1", vec![(*sequence).into()]).await?.map(|(_, leaf)| leaf),
        None => None,
    };
    let past = past_incarnations(tx).await?;
    let verdict = steps::compare(noted, &now, leaf_there.as_deref(), &past);
    Ok(Compared { now, verdict })
}

async fn position(tx: &mut Tx) -> Result<Position, Fault> {
    let incarnation = meta(tx, "incarnation").await?.unwrap_or_default();
    let head = leaf_of(tx, "sequence = (select max(sequence) from journal)", vec![]).await?;
    Ok(Position { incarnation, head })
}

async fn leaf_of(tx: &mut Tx, which: &str, values: Vec<Value>) -> Result<Option<(i64, String)>, Fault> {
    let rows = tx.rows(format!("select sequence, leaf from journal where {which}"), values).await?;
    let read = |row: &Row| Ok((row.get("sequence")?, HEXLOWER.encode(&row.get::<Vec<u8>>("leaf")?)));
    rows.first().map(read).transpose()
}

async fn past_incarnations(tx: &mut Tx) -> Result<Vec<String>, Fault> {
    let past = meta(tx, "past_incarnations").await?.unwrap_or_default();
    Ok(past.split(',').filter(|one| !one.is_empty()).map(str::to_owned).collect())
}

async fn meta(tx: &mut Tx, name: &str) -> Result<Option<String>, Fault> {
    let rows = tx.rows("select value from meta where name = $1", vec![name.into()]).await?;
    rows.first().map(|row| row.get("value")).transpose()
}

/// The last recovery, if there ever was one.
pub(super) async fn last(tx: &mut Tx) -> Result<Option<Restored>, Fault> {
    let rows = tx.rows("select name, value from meta where name in ('restored_at', 'epoch_base')", vec![]).await?;
    let value = |row: &Row| Ok((row.get::<String>("name")?, row.get::<String>("value")?));
    let values = rows.iter().map(value).collect::<Result<BTreeMap<_, _>, Fault>>()?;
    let number = |name: &str| values.get(name).and_then(|value| value.parse::<i64>().ok());
    let (Some(at), Some(base)) = (number("restored_at"), number("epoch_base")) else { return Ok(None) };
    let at = super::value::time("meta.restored_at", at)?;
    let epoch_base = u64::try_from(base).map_err(|error| Fault::corrupt("meta.epoch_base", &error))?;
    Ok(Some(Restored { at, epoch_base }))
}

/// What was kept about payouts that arrive only now: a lost history had sent them.
pub(super) async fn hear_kept_evidence(tx: &mut Tx, desk: &mut Desk<'_>) -> Result<(), Fault> {
    let district = &desk.rules.district;
    let created = desk.changes.created.iter().filter_map(|key| desk.payouts.get(key));
    let owners: BTreeMap<InstructionId, PayoutKey> =
        created.flat_map(|payout| steps::possible_ids(district, payout).map(|id| (id, payout.key.clone()))).collect();
    if owners.is_empty() {
        return Ok(());
    }
    for (id, word, carrier) in evidence::about(tx, owners.keys().map(|id| id.0.clone()).collect()).await? {
        if let Some(key) = owners.get(&id) {
            steps::book_evidence(desk, key, &id, word, carrier);
        }
    }
    Ok(())
}

/// Payouts of which these strange ids are generations that a lost history had made.
pub(super) async fn owners_of_forgotten(
    tx: &mut Tx,
    ids: &BTreeSet<InstructionId>,
    district: &str,
) -> Result<BTreeMap<InstructionId, PayoutKey>, Fault> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = "select application_id, tranche, (select count(*) from instructions one \
        where one.application_id = payouts.application_id and one.tranche = payouts.tranche) as generations \
        from payouts where restored";
    let rows = tx.rows(sql, vec![]).await?;
    let known = |row: &Row| Ok((payout_rows::key(row)?, row.unsigned("generations")?));
    let known = rows.iter().map(known).collect::<Result<Vec<(PayoutKey, u32)>, Fault>>()?;
    Ok(steps::owners_of_forgotten(district, known, ids))
}
