//! The test of the test: mistakes that senders of notices make, planted between the workers and their ports. Nothing of this is in the
//! product; each must be caught.

use super::ports::Connection;
use super::world::Sim;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;
use zhida_core::notice::making::Outcome;
use zhida_core::notice::{KindRules, NoticeKind, NoticeRequest, NoticeState, Repeat};
use zhida_core::ports::notices::{Errand, ErrandEnd, NoticeStore};
use zhida_core::ports::sms::{AskOutcome, Receipt, SendOutcome, Trust};
use zhida_core::ports::store::{Protocol, StoreError};
use zhida_core::rules::Rules;
use zhida_tests::memory_store::MemoryStore;

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plant {
    /// A claim is written after the call, so that two workers take the same message.
    DoubleClaim,
    /// Nobody looks at what is left of the lease before calling.
    NoLeaseCheck,
    /// A time-out after sending is booked as if nothing had been sent.
    ForgetsDoubt,
    /// A first "not found" is final.
    NotFoundAtOnce,
    /// The link calls again when it has heard nothing.
    TriesAgainInTheLink,
    /// A receipt that comes before the answer to the call is thrown away.
    EarlyReceiptLost,
    /// A receipt that comes after a notice was given up is thrown away.
    LateReceiptLost,
    /// The vendor is told that a receipt was taken before it is stored.
    ReceiptTakenBeforeStored,
    /// A receipt about another number is believed.
    OtherNumberBelieved,
    /// An unsigned receipt is proof.
    HintBelieved,
    /// What has run out is sent.
    SendsExpired,
    /// What is not so any more is told.
    SendsWhatHasPassed,
    /// The stop switch stops nothing.
    StopIgnored,
    /// Quiet hours are loud.
    QuietIgnored,
    /// What is served once is served twice.
    ServesTwice,
    /// Of a group one falls out.
    GroupDropsOne,
    /// What was made is made again after a restart.
    MakesTwice,
    /// Only what a doorbell rang for is looked at.
    OnlyByDoorbell,
}

impl Plant {
    pub(super) const ALL: [Self; 18] = [
        Self::DoubleClaim,
        Self::NoLeaseCheck,
        Self::ForgetsDoubt,
        Self::NotFoundAtOnce,
        Self::TriesAgainInTheLink,
        Self::EarlyReceiptLost,
        Self::LateReceiptLost,
        Self::ReceiptTakenBeforeStored,
        Self::OtherNumberBelieved,
        Self::HintBelieved,
        Self::SendsExpired,
        Self::SendsWhatHasPassed,
        Self::StopIgnored,
        Self::QuietIgnored,
        Self::ServesTwice,
        Self::GroupDropsOne,
        Self::MakesTwice,
        Self::OnlyByDoorbell,
    ];
}

/// The store as a worker with this mistake reaches it.
pub(super) fn store(sim: &Sim, plant: Option<Plant>) -> MemoryStore {
    let store = sim.store.session();
    let mut rules: Rules = (*sim.rules).clone();
    match plant {
        Some(Plant::QuietIgnored) => rules.notices.quiet = None,
        Some(Plant::ServesTwice) => {
            let may = KindRules { repeat: Some(Repeat::May), channels: None };
            rules.notices.kinds = NoticeKind::ALL.iter().map(|kind| (*kind, may)).collect();
        }
        Some(_) | None => return store,
    }
    store.with_protocol(Protocol { rules: Arc::new(rules), ..sim.protocol.clone() })
}

pub(super) async fn take(connection: &Connection, max: u32) -> Result<Vec<Errand>, StoreError> {
    let Connection { sim, store, plant, .. } = connection;
    match plant {
        Some(Plant::DoubleClaim) => {
            let before = store.tables().noticing.clone();
            let errands = store.take_errands(max).await;
            if sim.strikes(200) {
                store.tables().noticing = before;
            }
            errands
        }
        Some(Plant::SendsExpired) => {
            let later = SignedDuration::from_hours(24 * 30);
            shift_expiry(store, later);
            let errands = store.take_errands(max).await;
            shift_expiry(store, -later);
            errands
        }
        Some(Plant::SendsWhatHasPassed) => {
            let (payouts, alerts) = {
                let mut tables = store.tables();
                (std::mem::take(&mut tables.payouts), std::mem::take(&mut tables.cases.alerts))
            };
            let errands = store.take_errands(max).await;
            let mut tables = store.tables();
            (tables.payouts, tables.cases.alerts) = (payouts, alerts);
            errands
        }
        Some(Plant::StopIgnored) => {
            let stopped = store.tables().noticing.switch.stopped.take();
            let errands = store.take_errands(max).await;
            store.tables().noticing.switch.stopped = stopped;
            errands
        }
        Some(_) | None => store.take_errands(max).await,
    }
}

fn shift_expiry(store: &MemoryStore, by: SignedDuration) {
    for notice in store.tables().noticing.notices.values_mut() {
        notice.expires_at += by;
    }
}

pub(super) async fn make(connection: &Connection, max: u32) -> Result<u32, StoreError> {
    let Connection { sim, store, plant, .. } = connection;
    let dealt_with = store.make_notices(max).await?;
    let again = sim.world().chances.store_fault;
    match plant {
        Some(Plant::GroupDropsOne) => {
            let tables = &mut *store.tables();
            for notice in tables.noticing.notices.values().filter(|one| one.covers > 1) {
                let is_of =
                    |outcome: &Option<Outcome>| *outcome == Some(Outcome::Made { notice_id: notice.id.clone() });
                if let Some(row) = tables.noticing.asked.values_mut().find(|row| is_of(&row.outcome)) {
                    (row.outcome, row.look_at) = (None, Timestamp::MAX);
                }
            }
        }
        Some(Plant::MakesTwice) if sim.strikes(again) => {
            for row in store.tables().noticing.asked.values_mut() {
                row.outcome = None;
            }
        }
        Some(_) | None => {}
    }
    Ok(dealt_with)
}

pub(super) fn ends(plant: Option<Plant>, ends: &[ErrandEnd]) -> Vec<ErrandEnd> {
    let mistaken = |end: &ErrandEnd| match (plant, end.clone()) {
        (Some(Plant::ForgetsDoubt), ErrandEnd::Sent { notice_id, out_id, outcome: SendOutcome::Doubtful { why } }) => {
            ErrandEnd::Sent { notice_id, out_id, outcome: SendOutcome::NotConnected { why } }
        }
        (Some(Plant::NotFoundAtOnce), ErrandEnd::Asked { notice_id, out_id, outcome: AskOutcome::NotFound, .. }) => {
            ErrandEnd::Asked { notice_id, out_id, begun_at: Timestamp::MAX, outcome: AskOutcome::NotFound }
        }
        (_, end) => end,
    };
    ends.iter().map(mistaken).collect()
}

pub(super) fn receipts(connection: &Connection, trust: Trust, receipts: &[Receipt]) -> (Trust, Vec<Receipt>) {
    let mut receipts = receipts.to_vec();
    let tables = connection.store.tables();
    let notice_of = |receipt: &Receipt| {
        let ids = zhida_core::notice::possible_ids(&receipt.out_id);
        ids.into_iter().find_map(|id| tables.noticing.notices.get(id))
    };
    match connection.plant {
        Some(Plant::EarlyReceiptLost) => receipts.retain(|receipt| {
            let attempts = notice_of(receipt).into_iter().flat_map(|one| &one.messages).flat_map(|one| &one.attempts);
            !attempts.into_iter().any(|one| one.out_id == receipt.out_id && one.outcome.is_none())
        }),
        Some(Plant::LateReceiptLost) => receipts.retain(|receipt| {
            let given_up = |state| matches!(state, NoticeState::GaveUp | NoticeState::Failed | NoticeState::Expired);
            !notice_of(receipt).is_some_and(|one| given_up(one.state()))
        }),
        Some(Plant::OtherNumberBelieved) => receipts.iter_mut().for_each(|receipt| receipt.to = None),
        Some(Plant::HintBelieved) => return (Trust::Signed, receipts),
        Some(_) | None => {}
    }
    (trust, receipts)
}

/// What a worker with this mistake still finds.
pub(super) fn looks(sim: &Sim, plant: Option<Plant>) -> Looks {
    if plant != Some(Plant::OnlyByDoorbell) {
        return Looks::AtEverything;
    }
    let mut world = sim.world();
    if world.doorbells == 0 {
        return Looks::AtNothing;
    }
    world.doorbells -= 1;
    Looks::AtEverything
}

/// Whether a sweep finds anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looks {
    AtEverything,
    AtNothing,
}

/// Requests that nobody made twice: each is in one notice, and each notice answers some.
pub(super) fn requests_by_notice(sim: &Sim) -> BTreeSet<(String, NoticeRequest)> {
    let tables = sim.store.tables();
    let made = tables.noticing.asked.iter().filter_map(|(request, row)| match &row.outcome {
        Some(Outcome::Made { notice_id }) => Some((notice_id.clone(), request.clone())),
        Some(
            Outcome::TurnedOff
            | Outcome::NoAddress
            | Outcome::LostItsPoint
            | Outcome::NotTold
            | Outcome::TooOld
            | Outcome::BeforeNotices,
        )
        | None => None,
    });
    made.collect()
}
