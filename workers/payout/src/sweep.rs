//! One turn of the sweep: what time alone, or a lost message, would leave lying. Leases that ran out, holds that end, the
//! alerts of the 24 hours, waiting payouts whose circumstances changed, doorbells that were lost.

use zhida_core::ports::store::{Store, StoreError};

/// What a turn did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Claims ended because their lease had run out.
    pub leases_expired: u32,
    /// Payouts told something, or freed of a hold, by time.
    pub by_time: u32,
    /// Payouts judged again.
    pub reconsidered: u32,
    /// Payouts held because the key that approved them was revoked.
    pub key_revoked: u32,
    /// Doorbells rung again.
    pub rung_again: u32,
}

impl Swept {
    /// Something was found at the limit of `max`: there may be more.
    #[must_use]
    pub fn is_full(&self, max: u32) -> bool {
        [self.leases_expired, self.by_time, self.reconsidered, self.key_revoked].into_iter().any(|count| count >= max)
    }
}

/// Sweeps once, at most `max` of each kind.
///
/// # Errors
/// [`StoreError`] of the first part that could not be done; the rest waits for the next turn.
pub async fn sweep_once(store: &dyn Store, max: u32) -> Result<Swept, StoreError> {
    Ok(Swept {
        leases_expired: store.expire_leases(max).await?,
        key_revoked: store.hold_revoked(max).await?,
        by_time: store.time_passes(max).await?,
        reconsidered: store.reconsider(max).await?,
        rung_again: store.ring_again().await?,
    })
}
