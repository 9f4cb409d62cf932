//! One turn of enquiries: instructions that are uncertain or on the way are asked for, a few at a time.

use futures_util::future::join_all;
use std::time::Duration;
use zhida_core::ports::bank::{BankLink, EnquiryOutcome};
use zhida_core::ports::store::{Enquiry, PayoutStore, StoreError};
use zhida_core::steps::EnquiryResult;

/// What a turn did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Enquired {
    /// Questions put.
    pub asked: usize,
    /// Questions that brought no usable answer.
    pub without_answer: usize,
    /// The longest wait that the bank asked for in them.
    pub retry_after: Option<Duration>,
}

/// Asks for at most `max` instructions that are due, side by side, and books what comes.
///
/// # Errors
/// [`StoreError`] when the store could not serve; the instructions come up again by themselves.
pub async fn enquire_once(store: &dyn PayoutStore, bank: &dyn BankLink, max: u32) -> Result<Enquired, StoreError> {
    let enquiries = store.claim_enquiries(max).await?;
    if enquiries.is_empty() {
        return Ok(Enquired::default());
    }
    let results = join_all(enquiries.into_iter().map(|enquiry| ask(bank, enquiry))).await;
    let without_answer = results.iter().filter(|one| matches!(one.outcome, EnquiryOutcome::NoAnswer { .. })).count();
    let retry_after = results.iter().filter_map(|one| wait_asked(&one.outcome)).max();
    store.book_enquiries(&results).await?;
    Ok(Enquired { asked: results.len(), without_answer, retry_after })
}

fn wait_asked(outcome: &EnquiryOutcome) -> Option<Duration> {
    match outcome {
        EnquiryOutcome::NoAnswer { retry_after, .. } => *retry_after,
        EnquiryOutcome::Found(_) | EnquiryOutcome::NotFound => None,
    }
}

async fn ask(bank: &dyn BankLink, enquiry: Enquiry) -> EnquiryResult {
    let outcome = bank.enquire(&enquiry.instruction_id).await;
    EnquiryResult { key: enquiry.key, instruction_id: enquiry.instruction_id, begun_at: enquiry.begun_at, outcome }
}
