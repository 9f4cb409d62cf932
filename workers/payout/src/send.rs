//! One turn of sending: claim, last look, call, result. The claim commits before the bank is called; the result is booked
//! whatever it is; nothing here ever calls the bank twice for one claim.

use std::time::Duration;
use tracing::{info, warn};
use zhida_core::batch::ClaimedBatch;
use zhida_core::ids::MsgId;
use zhida_core::ports::bank::{BankLink, CallOutcome, NotTakenIn};
use zhida_core::ports::store::{PayoutStore, StoreError};
use zhida_core::ports::time::Time;

/// Makes a new, random `MsgId`.
pub type NewMsgId = fn() -> MsgId;

/// What sending needs to know.
#[derive(Clone, Debug)]
pub struct SendSettings {
    /// Transfers in one message at most.
    pub batch_max: u32,
    /// Within this time every call of the bank link ends.
    pub bank_timeout: Duration,
    /// What the lease must leave beyond the bank's time-out for the call to begin.
    pub margin: Duration,
    /// Names new messages.
    pub new_msg_id: NewMsgId,
}

/// What a turn did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// There was nothing to send.
    Nothing,
    /// A claim was given up before the call.
    NotMade,
    /// A message was handed in and answered, well or not.
    Called {
        /// Transfers in it.
        members: usize,
        /// How it ended, as a metric label.
        outcome: &'static str,
        /// What the bank asked us to wait.
        retry_after: Option<Duration>,
        /// How long the call took.
        took: Duration,
    },
    /// The bank is not reachable or does not want us now.
    Refused {
        /// Why.
        why: NotTakenIn,
        /// What it asked us to wait.
        retry_after: Option<Duration>,
        /// How long the call took.
        took: Duration,
    },
}

/// How often a result is tried to be booked before it is left to the lease's end, and the first pause between.
const BOOKING_TRIES: u32 = 6;
const BOOKING_PAUSE: Duration = Duration::from_millis(200);

/// Claims at most one batch, calls the bank with it and books the result.
///
/// # Errors
/// [`StoreError`] when the store could not serve. Nothing is lost: a claim without a booked result ends with its lease as
/// *unknown* and is enquired.
pub async fn send_once(
    store: &dyn PayoutStore,
    bank: &dyn BankLink,
    time: &dyn Time,
    settings: &SendSettings,
) -> Result<Sent, StoreError> {
    // The lease runs by the database's clock from some moment after this one: what is left is never overestimated.
    let asked_at = time.elapsed();
    let Some(claimed) = store.claim((settings.new_msg_id)(), settings.batch_max).await? else {
        return Ok(Sent::Nothing);
    };
    if let Err(why) = last_look(store, time, settings, &claimed, asked_at).await {
        info!(msg_id = %claimed.msg_id, why, "claim given up before the call");
        book(time, || store.book_not_made(&claimed, &why)).await?;
        return Ok(Sent::NotMade);
    }
    let called_at = time.elapsed();
    let outcome = bank.pay(&claimed.msg_id, &claimed.bytes).await;
    let took = time.elapsed().saturating_sub(called_at);
    book(time, || store.book_call(&claimed, &outcome)).await?;
    Ok(report(&claimed, &outcome, took))
}

async fn last_look(
    store: &dyn PayoutStore,
    time: &dyn Time,
    settings: &SendSettings,
    claimed: &ClaimedBatch,
    asked_at: Duration,
) -> Result<(), String> {
    match store.may_write(claimed).await {
        Ok(standing) => standing?,
        Err(error) => return Err(error.to_string()),
    }
    // Measured after the look at the database: whatever that took is gone from the lease.
    let lease = Duration::try_from(claimed.lease).unwrap_or_default();
    let left = lease.saturating_sub(time.elapsed().saturating_sub(asked_at));
    if left <= settings.bank_timeout + settings.margin {
        return Err(format!("the lease leaves {left:?}, the bank's time-out needs {:?}", settings.bank_timeout));
    }
    Ok(())
}

/// Books with patience: the bank's word is in our hands, and an unreachable database passes.
async fn book<'a, F>(time: &dyn Time, mut booking: impl FnMut() -> F) -> Result<(), StoreError>
where
    F: Future<Output = Result<(), StoreError>> + 'a,
{
    let mut pause = BOOKING_PAUSE;
    for _ in 1..BOOKING_TRIES {
        match booking().await {
            Ok(()) => return Ok(()),
            // Booking is repeatable: a result that was booked after all is stale the second time, its evidence is the same.
            Err(error) => warn!(%error, "a result could not be booked; trying again"),
        }
        time.pause(pause).await;
        pause *= 2;
    }
    booking().await
}

fn report(claimed: &ClaimedBatch, outcome: &CallOutcome, took: Duration) -> Sent {
    let members = claimed.members.len();
    let mut wait = None;
    let label = match outcome {
        CallOutcome::Answered(_) => "answered",
        CallOutcome::RefusedWhole { .. } => "refused_whole",
        CallOutcome::DuplicateGroup => "duplicate_group",
        CallOutcome::Doubtful { retry_after, .. } => {
            wait = *retry_after;
            "doubtful"
        }
        CallOutcome::NotTakenIn { why, retry_after } => {
            return Sent::Refused { why: *why, retry_after: *retry_after, took };
        }
    };
    Sent::Called { members, outcome: label, retry_after: wait, took }
}
