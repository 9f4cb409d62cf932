//! The step of the worker that sends: errands are taken, carried out and booked.

use crate::carry::Hands;
use futures_util::future::join_all;
use std::time::Duration;
use tracing::warn;
use zhida_core::ports::notices::{ErrandEnd, NoticeStore};
use zhida_core::ports::store::StoreError;
use zhida_core::ports::time::Time;

/// Takes the errands of at most `max` notices, carries them out side by side, and books what came of them; says how many there were.
///
/// # Errors
/// [`StoreError`] when the store could not serve. Nothing is lost: a claim whose end is not booked ends with its lease, in doubt, and is
/// asked for.
pub async fn notice_once(store: &dyn NoticeStore, hands: &Hands, max: u32) -> Result<usize, StoreError> {
    // The lease runs by the database's clock from some moment after this one.
    let taken_at = hands.time.elapsed();
    let errands = store.take_errands(max).await?;
    let ends = join_all(errands.into_iter().map(|errand| hands.carry(errand, taken_at))).await;
    book(store, &*hands.time, &ends).await?;
    Ok(ends.len())
}

/// How often ends are tried to be booked before they are left to their leases, and the first pause between.
const BOOKING_TRIES: u32 = 6;
const BOOKING_PAUSE: Duration = Duration::from_millis(200);

/// Books with patience: the provider's word is in our hands, and an unreachable database passes. Booking is repeatable.
pub(crate) async fn book(store: &dyn NoticeStore, time: &dyn Time, ends: &[ErrandEnd]) -> Result<(), StoreError> {
    if ends.is_empty() {
        return Ok(());
    }
    let mut pause = BOOKING_PAUSE;
    for _ in 1..BOOKING_TRIES {
        match store.book_errands(ends).await {
            Ok(()) => return Ok(()),
            Err(error) => warn!(%error, "what became of messages could not be booked; trying again"),
        }
        time.pause(pause).await;
        pause *= 2;
    }
    store.book_errands(ends).await
}
