//! Reading what a step decides about: payouts with their instructions, batches with their members, the stop switch.

use super::fault::Fault;
use super::link::{Lock, Tx};
use super::value::{Row, Value};
use super::{aside, instruction_rows, payout_rows};
use std::collections::{BTreeMap, BTreeSet};
use tracing::error;
use zhida_core::batch::{Batch, Member, Stopped};
use zhida_core::ids::{InstructionId, MsgId, OperatorId, PayoutKey};
use zhida_core::payout::{Instruction, Payout};
use zhida_core::steps::{Restore, Switch};

/// The two lists of a set of keys, for [`Tx::pairs_among`].
pub(super) fn lists<'a>(keys: impl IntoIterator<Item = &'a PayoutKey>) -> Vec<Value> {
    let (ids, tranches): (Vec<String>, Vec<i64>) =
        keys.into_iter().map(|key| (key.application_id.0.clone(), i64::from(key.tranche))).unzip();
    vec![ids.into(), tranches.into()]
}

/// Payouts by key, locked in the order of their keys.
pub(super) async fn payouts(tx: &mut Tx, keys: &BTreeSet<PayoutKey>, lock: Lock) -> Result<Vec<Payout>, Fault> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let tail = format!("where (application_id, tranche) {}", tx.pairs_among(1));
    payouts_where(tx, &tail, lists(keys), lock).await
}

/// Payouts of applications, every tranche, locked in the order of their keys.
pub(super) async fn payouts_of(tx: &mut Tx, ids: Vec<String>, lock: Lock) -> Result<Vec<Payout>, Fault> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let tail = format!("where application_id {}", tx.among(1));
    payouts_where(tx, &tail, vec![ids.into()], lock).await
}

async fn payouts_where(tx: &mut Tx, tail: &str, values: Vec<Value>, lock: Lock) -> Result<Vec<Payout>, Fault> {
    let (columns, locked) = (payout_rows::COLUMNS, tx.locked(lock));
    let sql = format!("select {columns} from payouts {tail} order by application_id, tranche {locked}");
    let rows = tx.rows(sql, values).await?;
    complete(tx, rows).await
}

/// Payouts of a query that says itself which, in which order, how many; with `max` as its last parameter. What cannot be
/// read is set aside.
pub(super) async fn payouts_due(
    tx: &mut Tx,
    tail: &str,
    values: Vec<Value>,
    max: u32,
    lock: Lock,
) -> Result<Vec<Payout>, Fault> {
    let read = due(tx, tail, values, max, lock).await?;
    aside::set_aside(tx, &read.places()).await?;
    Ok(read.payouts)
}

/// As [`payouts_due`], for reading only: at most one more than `max`, and whether more rows were there than `max`.
pub(super) async fn page(tx: &mut Tx, tail: &str, values: Vec<Value>, max: u32) -> Result<(Vec<Payout>, bool), Fault> {
    let read = due(tx, tail, values, max + 1, Lock::None).await?;
    for (key, place) in read.places() {
        error!(payout = %key, place, "a payout that cannot be read is left out of a list");
    }
    let more = read.payouts.len() + read.unreadable.len() > max as usize;
    Ok((read.payouts, more))
}

async fn due(tx: &mut Tx, tail: &str, mut values: Vec<Value>, max: u32, lock: Lock) -> Result<Read, Fault> {
    values.push(max.into());
    let (columns, limit, locked) = (payout_rows::COLUMNS, values.len(), tx.locked(lock));
    let rows = tx.rows(format!("select {columns} from payouts {tail} limit ${limit} {locked}"), values).await?;
    readable(tx, rows).await
}

/// Payouts by key, locked in the order of their keys, those left alone that somebody else has; and those that cannot be
/// read, set aside.
pub(super) async fn payouts_and_unreadable(
    tx: &mut Tx,
    keys: &BTreeSet<PayoutKey>,
) -> Result<(Vec<Payout>, BTreeSet<PayoutKey>), Fault> {
    let (columns, locked, among) = (payout_rows::COLUMNS, tx.locked(Lock::Skip), tx.pairs_among(1));
    let sql = format!(
        "select {columns} from payouts where (application_id, tranche) {among} order by application_id, tranche {locked}"
    );
    let rows = tx.rows(sql, lists(keys)).await?;
    let read = readable(tx, rows).await?;
    aside::set_aside(tx, &read.places()).await?;
    Ok((read.payouts, read.unreadable.into_keys().collect()))
}

/// Payout rows with their instructions, in the order of the rows; one that cannot be read fails them all.
pub(super) async fn complete(tx: &mut Tx, rows: Vec<Row>) -> Result<Vec<Payout>, Fault> {
    let read = readable(tx, rows).await?;
    match read.unreadable.into_values().next() {
        Some(fault) => Err(fault),
        None => Ok(read.payouts),
    }
}

/// What could be read of some rows, and why the rest could not.
struct Read {
    payouts: Vec<Payout>,
    unreadable: BTreeMap<PayoutKey, Fault>,
}

impl Read {
    /// Where each unreadable payout is unreadable.
    fn places(&self) -> BTreeMap<PayoutKey, String> {
        self.unreadable.iter().map(|(key, fault)| (key.clone(), fault.place())).collect()
    }
}

async fn readable(tx: &mut Tx, rows: Vec<Row>) -> Result<Read, Fault> {
    let mut read = Read { payouts: Vec::with_capacity(rows.len()), unreadable: BTreeMap::new() };
    for row in &rows {
        let key = payout_rows::key(row)?;
        match payout_rows::read(row) {
            Ok(payout) => read.payouts.push(payout),
            Err(fault) => drop(read.unreadable.insert(key.clone(), fault.at("payouts", &key))),
        }
    }
    if read.payouts.is_empty() {
        return Ok(read);
    }
    let sql = format!(
        "select {} from instructions where (application_id, tranche) {} order by application_id, tranche, generation",
        instruction_rows::COLUMNS,
        tx.pairs_among(1)
    );
    let rows = tx.rows(sql, lists(read.payouts.iter().map(|payout| &payout.key))).await?;
    let mut by_key: BTreeMap<PayoutKey, Vec<Instruction>> = BTreeMap::new();
    for row in &rows {
        let key = payout_rows::key(row)?;
        match instruction_rows::read(row) {
            Ok(instruction) => {
                tx.known_instructions.insert(instruction.id.clone());
                by_key.entry(key).or_default().push(instruction);
            }
            Err(fault) => drop(read.unreadable.insert(key.clone(), fault.at("instructions of", &key))),
        }
    }
    read.payouts.retain(|payout| !read.unreadable.contains_key(&payout.key));
    for payout in &mut read.payouts {
        payout.instructions = by_key.remove(&payout.key).unwrap_or_default();
        tx.known_states.insert(payout.key.clone(), payout.state());
    }
    Ok(read)
}

/// Which payout each of these instructions belongs to; unknown ones are absent.
pub(super) async fn owners(
    tx: &mut Tx,
    ids: impl IntoIterator<Item = &InstructionId>,
) -> Result<BTreeMap<InstructionId, PayoutKey>, Fault> {
    let ids: Vec<String> = ids.into_iter().map(|id| id.0.clone()).collect();
    let sql = format!("select id, application_id, tranche from instructions where id {}", tx.among(1));
    let rows = tx.rows(sql, vec![ids.into()]).await?;
    rows.iter().map(|row| Ok((InstructionId(row.get("id")?), payout_rows::key(row)?))).collect()
}

/// Members of a batch, in the order in which they stand in the message.
pub(super) async fn members(tx: &mut Tx, msg_id: &MsgId) -> Result<Vec<Member>, Fault> {
    let sql = "select application_id, tranche, instruction_id from batch_members where msg_id = $1 order by position";
    let rows = tx.rows(sql, vec![msg_id.as_str().into()]).await?;
    let member = |row: &Row| {
        Ok(Member { key: payout_rows::key(row)?, instruction_id: InstructionId(row.get("instruction_id")?) })
    };
    rows.iter().map(member).collect()
}

/// A batch by name, locked. Its members' payouts are locked before it.
pub(super) async fn batch(tx: &mut Tx, msg_id: &MsgId, members: Vec<Member>) -> Result<Batch, Fault> {
    let locked = tx.locked(Lock::Wait);
    let sql = format!("select {BATCH_COLUMNS} from batches where msg_id = $1 {locked}");
    let rows = tx.rows(sql, vec![msg_id.as_str().into()]).await?;
    let row = rows.first().ok_or_else(|| Fault::corrupt(&format!("batch {msg_id}"), &"it is not there"))?;
    read_batch(tx, row, members)
}

pub(super) const BATCH_COLUMNS: &str = "msg_id, created_at, bytes, calls, closed, examine_at";

pub(super) fn read_batch(tx: &mut Tx, row: &Row, members: Vec<Member>) -> Result<Batch, Fault> {
    let msg_id = MsgId(row.get("msg_id")?);
    tx.known_batches.insert(msg_id.clone());
    Ok(Batch {
        msg_id,
        created_at: row.time("created_at")?,
        bytes: row.get("bytes")?,
        members,
        calls: row.unsigned("calls")?,
        closed: row.get("closed")?,
        examine_at: row.time_or_none("examine_at")?,
    })
}

/// The stop switch.
pub(super) async fn switch(tx: &mut Tx, lock: Lock) -> Result<Switch, Fault> {
    let locked = tx.locked(lock);
    let sql = format!(
        "select stopped_by, stopped_reason, since, resumed_by, restore_noticed_at, restore_opens_from \
         from switch where id = 1 {locked}"
    );
    let row = tx.one(sql, vec![]).await?;
    let (by, why): (Option<String>, Option<String>) = (row.get("stopped_by")?, row.get("stopped_reason")?);
    Ok(Switch {
        stopped_by: by.map(|by| (OperatorId(by), why.unwrap_or_default())),
        since: row.time_or_none("since")?,
        resumed_by: row.get::<Option<String>>("resumed_by")?.map(OperatorId),
        restore: match row.time_or_none("restore_noticed_at")? {
            Some(noticed_at) => Some(Restore { noticed_at, opens_from: row.time_or_none("restore_opens_from")? }),
            None => None,
        },
    })
}

/// Whether it is on.
pub(super) fn stopped(switch: &Switch) -> Stopped {
    if switch.stopped_by.is_some() { Stopped::Yes } else { Stopped::No }
}
