//! Taking in: arrivals, quarantine, and judging again what waits.

use super::fault::Fault;
use super::judging::Circumstances;
use super::link::{Lock, Tx};
use super::value::{Row, Value};
use super::{SqlStore, load, restoring, transact};
use async_trait::async_trait;
use std::collections::BTreeSet;
use zhida_core::ids::PayoutKey;
use zhida_core::ports::store::{IntakeStore, StoreError};
use zhida_core::steps::{self, Arrival, Changes, Quarantined, TakenIn};

#[async_trait]
impl IntakeStore for SqlStore {
    async fn take_in(&self, arrivals: Vec<Arrival>) -> Result<Vec<TakenIn>, StoreError> {
        if arrivals.is_empty() {
            return Ok(Vec::new());
        }
        transact!(self, Writing, |tx| self.take_in_within(&mut tx, &arrivals))
    }

    async fn quarantine(&self, items: Vec<Quarantined>) -> Result<(), StoreError> {
        if items.is_empty() {
            return Ok(());
        }
        let changes = Changes { quarantine: items, ..Changes::default() };
        transact!(self, Writing, |tx| self.write(&mut tx, changes.clone()))
    }

    async fn reconsider(&self, max: u32) -> Result<u32, StoreError> {
        transact!(self, Writing, |tx| mark(&mut tx))?;
        transact!(self, Writing, |tx| self.reconsider_within(&mut tx, max))
    }
}

impl SqlStore {
    async fn take_in_within(&self, tx: &mut Tx, arrivals: &[Arrival]) -> Result<Vec<TakenIn>, Fault> {
        // Another process may be taking in the same events: one after the other, so that the second sees the first's.
        tx.lock_judging().await?;
        let circumstances = Circumstances::of_arrivals(arrivals);
        let applications = circumstances.applications.iter().cloned().collect();
        let payouts = load::payouts_of(tx, applications, Lock::Wait).await?;
        let mut context = circumstances.read(tx, self.protocol.verifier.revoked_keys()).await?;
        let mut desk = self.desk(tx, payouts);
        let taken = steps::take_in(&mut desk, &mut context, arrivals.to_vec());
        if context.restored.is_some() {
            restoring::hear_kept_evidence(tx, &mut desk).await?;
        }
        let changes = desk.changes;
        self.write(tx, changes).await?;
        Ok(taken)
    }

    async fn reconsider_within(&self, tx: &mut Tx, max: u32) -> Result<u32, Fault> {
        tx.lock_judging().await?;
        let tail = "where reconsider_at is not null order by due_at, application_id, tranche";
        let payouts = load::payouts_due(tx, tail, vec![], max, Lock::Skip).await?;
        if payouts.is_empty() {
            return Ok(0);
        }
        let circumstances = Circumstances::of_payouts(&payouts);
        let mut context = circumstances.read(tx, self.protocol.verifier.revoked_keys()).await?;
        let keys: Vec<PayoutKey> = payouts.iter().map(|payout| payout.key.clone()).collect();
        let sql =
            format!("update payouts set reconsider_at = null where (application_id, tranche) {}", tx.pairs_among(1));
        tx.execute(sql, load::lists(&keys)).await?;
        let mut desk = self.desk(tx, payouts);
        for key in &keys {
            steps::reconsider(&mut desk, &mut context, key);
        }
        let changes = desk.changes;
        self.write(tx, changes).await?;
        Ok(u32::try_from(keys.len()).unwrap_or(u32::MAX))
    }
}

/// Turns what changed (an application, a commitment, a fund) into payouts to be judged again. A transaction of its own: who
/// noted the change held locks that would stand in the way of this one's.
async fn mark(tx: &mut Tx) -> Result<(), Fault> {
    let any = tx.rows("select id from reconsiderations limit 1", vec![]).await?;
    if any.is_empty() {
        return Ok(());
    }
    // After whoever judges now: a payout judged without the change must be visible here.
    tx.lock_judging().await?;
    let rows = tx.rows("delete from reconsiderations returning kind, subject", vec![]).await?;
    let subjects = |kind: &str| -> Result<Value, Fault> {
        let of_kind = |row: &Row| Ok((row.get::<String>("kind")?, row.get::<String>("subject")?));
        let all = rows.iter().map(of_kind).collect::<Result<BTreeSet<_>, Fault>>()?;
        let subjects: Vec<String> =
            all.into_iter().filter(|(one, _)| one == kind).map(|(_, subject)| subject).collect();
        Ok(subjects.into())
    };
    let (applications, commitments, funds) = (subjects("application")?, subjects("commitment")?, subjects("fund")?);
    let concerned = format!(
        "application_id {} or commitment_id {} or (fund_id {} and not funded)",
        tx.among(2),
        tx.among(3),
        tx.among(4)
    );
    mark_payouts(tx, NOT_AT_THEIR_END, &concerned, vec![applications, commitments, funds]).await
}

/// Payouts that a judgement may still change.
pub(super) const NOT_AT_THEIR_END: &str = "state not in ('settled', 'cancelled') and ended_kind is null";

/// Payouts that a lost history paid before anybody here knew out of which fund: their books wait for it.
pub(super) const PAID_UNCHARGED: &str = "state = 'settled' and not funded and ended_kind is null";

/// Marks payouts of which `which` and `concerned` (parameters from `$2`) hold; locked in the order of their keys.
pub(super) async fn mark_payouts(tx: &mut Tx, which: &str, concerned: &str, values: Vec<Value>) -> Result<(), Fault> {
    let sql = format!(
        "with marked as materialized (select application_id, tranche from payouts where {which} and ({concerned}) \
         order by application_id, tranche {}) \
         update payouts set reconsider_at = $1 \
         where (application_id, tranche) in (select application_id, tranche from marked)",
        tx.locked(Lock::Wait)
    );
    let now: Value = tx.now.into();
    tx.execute(sql, std::iter::once(now).chain(values).collect()).await?;
    Ok(())
}
