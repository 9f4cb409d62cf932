//! The outbox. Rows are claimed by state, never by "greater than the last". Events for the world stay where they can be
//! read; doorbells are deleted when they have rung.

use super::envelope::{DOORBELL, NOTICE_DOORBELL, WORLD};
use super::fault::Fault;
use super::link::{Lock, Tx};
use super::value::Row;
use super::{SqlStore, transact};
use async_trait::async_trait;
use jiff::Timestamp;
use zhida_core::ports::queue::Destination;
use zhida_core::ports::store::{OutboxRow, OutboxStore, StoreError};

#[async_trait]
impl OutboxStore for SqlStore {
    async fn claim_outbox(&self, max: u32) -> Result<Vec<OutboxRow>, StoreError> {
        transact!(self, Writing, |tx| self.claim_rows(&mut tx, max))
    }

    async fn outbox_sent(&self, ids: &[String]) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        transact!(self, Writing, |tx| sent(&mut tx, ids))
    }

    async fn outbox_kept(&self, ids: &[String]) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        transact!(self, Writing, |tx| kept(&mut tx, ids))
    }
}

impl SqlStore {
    async fn claim_rows(&self, tx: &mut Tx, max: u32) -> Result<Vec<OutboxRow>, Fault> {
        let until = tx.now.checked_add(self.protocol.rules.bank.lease).unwrap_or(Timestamp::MAX);
        let sql = format!(
            "with due as materialized \
             (select id from outbox where sent_at is null and claimed_until <= $2 order by id limit $3 {}) \
             update outbox set claimed_until = $1 where id in (select id from due) \
             returning id, destination, event_type, body",
            tx.locked(Lock::Skip)
        );
        let rows = tx.rows(sql, vec![until.into(), tx.now.into(), max.into()]).await?;
        let mut rows = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        rows.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(rows)
    }
}

fn read(row: &Row) -> Result<OutboxRow, Fault> {
    let destination: String = row.get("destination")?;
    let destination = match (destination.as_str(), row.get::<Option<String>>("event_type")?) {
        (WORLD, Some(event_type)) => Destination::World { event_type },
        (DOORBELL, None) => Destination::PayoutDoorbell,
        (NOTICE_DOORBELL, None) => Destination::NoticeDoorbell,
        (other, _) => return Err(Fault::corrupt("outbox.destination", &other)),
    };
    Ok(OutboxRow { id: row.get("id")?, destination, body: row.get("body")? })
}

async fn sent(tx: &mut Tx, ids: &[String]) -> Result<(), Fault> {
    let mut ids = ids.to_vec();
    ids.sort();
    let delete = format!("delete from outbox where destination <> 'world' and id {}", tx.among(1));
    tx.execute(delete, vec![ids.clone().into()]).await?;
    let keep = format!("update outbox set sent_at = $2 where sent_at is null and id {}", tx.among(1));
    tx.execute(keep, vec![ids.into(), tx.now.into()]).await?;
    Ok(())
}

async fn kept(tx: &mut Tx, ids: &[String]) -> Result<(), Fault> {
    let sql = format!("update outbox set claimed_until = 0 where sent_at is null and id {}", tx.among(1));
    tx.execute(sql, vec![ids.to_vec().into()]).await?;
    Ok(())
}
