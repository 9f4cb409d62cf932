//! The database's clock as tests move it. Not a clock: the time itself is asked of the database in every transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// What is added to the database's clock. Zero in production; tests share the offset with the store and move it.
#[derive(Clone, Debug, Default)]
pub struct StoreClock {
    /// Microseconds.
    pub offset_micros: Arc<AtomicI64>,
}

impl StoreClock {
    /// Moves the clock ahead.
    pub fn advance(&self, by: jiff::SignedDuration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.offset_micros.fetch_add(micros, Ordering::SeqCst);
    }

    pub(super) fn offset(&self) -> i64 {
        self.offset_micros.load(Ordering::SeqCst)
    }
}
