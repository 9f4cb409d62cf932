//! The store on PostgreSQL and on SQLite: every port of `zhida_core::ports::store`. Each method is one transaction: load and
//! lock, let a pure step of the core decide, write, commit. Nothing is decided here.
//!
//! Order of locks: the judging lock, payouts by key, batches, then the counters of funds and caps. What cannot wait in that
//! order is left to others (`skip locked`).

mod acting;
mod alarms;
mod aside;
mod case_rows;
mod cases;
mod clock;
mod digests;
mod envelope;
mod evidence;
mod fault;
mod instruction_rows;
mod judging;
mod link;
mod load;
mod moved;
mod notice_acts;
mod notice_addressees;
mod notice_booking;
mod notice_figures;
mod notice_making;
mod notice_marks;
mod notice_requests;
mod notice_rows;
mod notice_surroundings;
mod notice_taking;
mod notice_templates;
mod notices;
mod order_rows;
mod organisation;
mod outbox;
mod pattern_rows;
mod patterns;
mod paying;
mod payout_rows;
mod pools;
mod reading;
mod reference;
mod restoring;
mod schema;
mod sending;
mod sequences;
mod supervising;
mod taking_in;
mod value;
mod worker_lock;
mod write;

pub use clock::StoreClock;
pub use schema::{DatabaseSettings, OpenError, migrate};
pub use worker_lock::{WorkerLock, WorkerLockError};

use fault::Fault;
use link::Tx;
use pools::{Create, Pools, Purpose};
use zhida_core::payout::Payout;
use zhida_core::ports::store::{Protocol, StoreError};
use zhida_core::steps::{Changes, Desk};

/// The store. Clones share their connections.
#[derive(Clone)]
pub struct SqlStore {
    pools: Pools,
    protocol: Protocol,
    clock: StoreClock,
    templates: notice_templates::KeptSet,
}

impl SqlStore {
    /// Opens a database that `migrate` has prepared. Changes nothing in it and needs no right to.
    ///
    /// # Errors
    /// [`OpenError`]: not reachable, not migrated, of another district or environment.
    pub async fn open(settings: &DatabaseSettings, protocol: Protocol, clock: StoreClock) -> Result<Self, OpenError> {
        let pools = Pools::open(settings, Create::Never).await?;
        schema::check(&pools, settings).await?;
        Ok(Self { pools, protocol, clock, templates: notice_templates::KeptSet::default() })
    }

    /// The same store under another protocol.
    #[must_use]
    pub fn with_protocol(self, protocol: Protocol) -> Self {
        Self { protocol, ..self }
    }

    /// Closes every connection; transactions under way end first.
    pub async fn close(&self) {
        self.pools.close().await;
    }

    async fn begin(&self, purpose: Purpose) -> Result<Tx, StoreError> {
        let link = self.pools.begin(purpose).await.map_err(|error| Fault::from(error).told())?;
        Tx::new(link, self.clock.offset()).await.map_err(Fault::told)
    }

    fn desk(&self, tx: &Tx, payouts: impl IntoIterator<Item = Payout>) -> Desk<'_> {
        Desk::new(&self.protocol.rules, tx.now, payouts)
    }

    async fn write(&self, tx: &mut Tx, changes: Changes) -> Result<(), Fault> {
        write::write(tx, changes, &self.protocol.rules).await
    }
}

/// Does `$work` with the open transaction `$tx`, and commits it; again from the start when the database broke it off
/// before the commit, for nothing has happened then.
macro_rules! transact {
    ($store:expr, $purpose:ident, |$tx:ident| $work:expr) => {{
        let mut tries = 0_u32;
        loop {
            let mut $tx = $store.begin(crate::store::pools::Purpose::$purpose).await?;
            let worked = $work.await;
            match $tx.end(worked, tries).await {
                crate::store::link::Ended::Done(result) => break result,
                crate::store::link::Ended::Again => tries += 1,
            }
        }
    }};
}
use transact;
