//! Bounces of mail: read out of the mailbox folder, booked, then put away. In this order, so that a crash reads one twice, which
//! changes nothing, and never loses one.

use crate::carry::MAIL;
use thiserror::Error;
use zhida_core::ports::mail::BounceReader;
use zhida_core::ports::notices::{NoticeStore, ReceiptsBooked};
use zhida_core::ports::sms::{Receipt, Trust};
use zhida_core::ports::store::StoreError;

/// Why bounces could not be dealt with.
#[derive(Debug, Error)]
pub enum NotRead {
    /// The folder.
    #[error("{0}")]
    Folder(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Books at most `max` bounces; says what became of them.
///
/// # Errors
/// [`NotRead`]; what was not put away is read again.
pub async fn bounces_once(
    store: &dyn NoticeStore,
    bounces: &dyn BounceReader,
    max: usize,
) -> Result<ReceiptsBooked, NotRead> {
    let found = bounces.read(max).await.map_err(NotRead::Folder)?;
    if found.is_empty() {
        return Ok(ReceiptsBooked::default());
    }
    let (names, receipts): (Vec<String>, Vec<Receipt>) = found.into_iter().unzip();
    // Anybody can write a mail that looks like a bounce.
    let booked = store.book_receipts(MAIL, Trust::Hint, &receipts).await?;
    bounces.done(&names).await.map_err(NotRead::Folder)?;
    Ok(booked)
}
