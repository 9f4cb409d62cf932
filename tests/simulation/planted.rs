//! The test of the test: known mistakes of payment systems, planted between the workers and their ports. Nothing of this is in
//! the product; each must be caught.

use crate::ports::{Connection, Stopwatch, Wire};
use crate::world::Sim;
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use zhida_core::batch::ClaimedBatch;
use zhida_core::ids::{ApplicationId, InstructionId, MsgId, PolicyId};
use zhida_core::payout::{Carrier, Payout, Word};
use zhida_core::ports::bank::{BankLink, BankWord, CallOutcome, EnquiryOutcome, PaymentFormat, StatusReport, Transfer};
use zhida_core::ports::cases::{AlertFilter, CaseStore, CaseView};
use zhida_core::ports::queue::{Consumer, Delivery, DeliveryTag, QueueError};
use zhida_core::ports::store::*;
use zhida_core::ports::time::Time;
use zhida_core::steps::{Arrival, EnquiryResult, Fund, Operator, Policy, Quarantined, Switch, TakenIn};
use zhida_core::supervision::Alert;

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Plant {
    /// Intake acknowledges what it has not committed yet.
    AckBeforeCommit,
    /// Every attempt travels under a fresh `EndToEndId`.
    NewKeyPerAttempt,
    /// A time-out is a refusal: the next generation goes out.
    UnknownIsFailed,
    /// The last look's verdict and the epochs of stale results are ignored.
    NoEpochCheck,
    /// The relay goes by `id > last`.
    RelayByLastId,
    /// An old message goes again whole, although a member was refused and superseded.
    WholeBatchAgain,
    /// "Not found" is believed at once.
    NotFoundTooEarly,
    /// Evidence about what is final is dropped.
    LateTruthDropped,
    /// Nothing is sent unless a doorbell rang.
    DoorbellIsTruth,
    /// The bank call is tried again on any trouble.
    RetryAroundCall,
    /// A message refused as a whole kills its members.
    GroupRefusalKills,
    /// The lease is not measured before the call.
    LeaseUnmeasured,
}

impl Plant {
    pub(crate) const ALL: [Self; 12] = [
        Self::AckBeforeCommit,
        Self::NewKeyPerAttempt,
        Self::UnknownIsFailed,
        Self::NoEpochCheck,
        Self::RelayByLastId,
        Self::WholeBatchAgain,
        Self::NotFoundTooEarly,
        Self::LateTruthDropped,
        Self::DoorbellIsTruth,
        Self::RetryAroundCall,
        Self::GroupRefusalKills,
        Self::LeaseUnmeasured,
    ];
}

/// A port with the mistake in it.
pub(crate) struct Planted<P> {
    pub(crate) inner: P,
    plant: Plant,
    sim: Arc<Sim>,
    memory: Mutex<Memory>,
}

/// What the mistaken code remembers.
#[derive(Default)]
struct Memory {
    last_outbox_id: u64,
    attempts: u64,
    attempt_of: BTreeMap<InstructionId, InstructionId>,
    messages: BTreeMap<InstructionId, ClaimedBatch>,
    failed: BTreeSet<InstructionId>,
}

impl Planted<()> {
    /// A worker's ports with the mistake between them and the world.
    pub(crate) fn ports(
        plant: Plant,
        sim: Arc<Sim>,
        connection: Connection,
        wire: Wire,
        stopwatch: Stopwatch,
    ) -> (Arc<dyn Store>, Arc<dyn BankLink>, Arc<dyn Time>) {
        let store = Planted { inner: connection, plant, sim: sim.clone(), memory: Mutex::default() };
        let bank = Planted { inner: wire, plant, sim: sim.clone(), memory: Mutex::default() };
        let time = Planted { inner: stopwatch, plant, sim, memory: Mutex::default() };
        (Arc::new(store), Arc::new(bank), Arc::new(time))
    }
}

impl<P> Planted<P> {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has(&self, plant: Plant) -> bool {
        self.plant == plant
    }

    /// The epochs as they stand now instead of those of the claim.
    fn brought_up_to_date(&self, claimed: &ClaimedBatch) -> ClaimedBatch {
        let mut claimed = claimed.clone();
        let tables = self.sim.store.tables();
        for (member, epoch) in &mut claimed.members {
            *epoch = tables.payouts.get(&member.key).map_or(*epoch, |payout| payout.epoch);
        }
        claimed
    }
}

fn refused(id: &InstructionId, reason: &str) -> StatusReport {
    let word = BankWord::Rejected { reason: reason.to_owned(), text: "assumed".to_owned() };
    StatusReport { instruction_id: id.clone(), word }
}

#[async_trait]
impl PayoutStore for Planted<Connection> {
    async fn claim(&self, msg_id: MsgId, max: u32) -> Result<Option<ClaimedBatch>, StoreError> {
        if self.has(Plant::DoorbellIsTruth) {
            let mut world = self.sim.world();
            if world.doorbells == 0 {
                return Ok(None);
            }
            world.doorbells -= 1;
        }
        let claimed = self.inner.claim(msg_id, max).await?;
        if !self.has(Plant::WholeBatchAgain) {
            return Ok(claimed);
        }
        let Some(claimed) = claimed else { return Ok(None) };
        let mut memory = self.memory();
        let first = claimed.members.first().map(|(member, _)| member.instruction_id.clone());
        let before = first.and_then(|id| memory.messages.get(&id).cloned());
        for (member, _) in &claimed.members {
            memory.messages.entry(member.instruction_id.clone()).or_insert_with(|| claimed.clone());
        }
        Ok(Some(match before {
            Some(before) => ClaimedBatch { bytes: before.bytes, ..claimed },
            None => claimed,
        }))
    }

    async fn may_write(&self, claimed: &ClaimedBatch) -> Result<Result<(), String>, StoreError> {
        let verdict = self.inner.may_write(claimed).await?;
        Ok(if self.has(Plant::NoEpochCheck) { Ok(()) } else { verdict })
    }

    async fn book_call(&self, claimed: &ClaimedBatch, outcome: &CallOutcome) -> Result<(), StoreError> {
        let ids = claimed.members.iter().map(|(member, _)| &member.instruction_id);
        match (self.plant, outcome) {
            (Plant::NoEpochCheck, _) => self.inner.book_call(&self.brought_up_to_date(claimed), outcome).await,
            (Plant::UnknownIsFailed, CallOutcome::Doubtful { .. }) => {
                self.memory().failed.extend(ids.clone().cloned());
                let reports = ids.map(|id| refused(id, "TM01")).collect();
                self.inner.book_call(claimed, &CallOutcome::Answered(reports)).await
            }
            (Plant::GroupRefusalKills, CallOutcome::RefusedWhole { reason, .. }) => {
                let reports = ids.map(|id| refused(id, reason)).collect();
                self.inner.book_call(claimed, &CallOutcome::Answered(reports)).await
            }
            _ => self.inner.book_call(claimed, outcome).await,
        }
    }

    async fn book_not_made(&self, claimed: &ClaimedBatch, why: &str) -> Result<(), StoreError> {
        self.inner.book_not_made(claimed, why).await
    }
    async fn expire_leases(&self, max: u32) -> Result<u32, StoreError> {
        self.inner.expire_leases(max).await
    }
    async fn claim_enquiries(&self, max: u32) -> Result<Vec<Enquiry>, StoreError> {
        self.inner.claim_enquiries(max).await
    }

    async fn book_enquiries(&self, results: &[EnquiryResult]) -> Result<(), StoreError> {
        let mut results = results.to_vec();
        for one in &mut results {
            if self.has(Plant::NotFoundTooEarly) && one.outcome == EnquiryOutcome::NotFound {
                one.begun_at = Timestamp::MAX;
            }
            if self.has(Plant::UnknownIsFailed) && self.memory().failed.contains(&one.instruction_id) {
                one.outcome = EnquiryOutcome::Found(refused(&one.instruction_id, "TM01"));
            }
        }
        self.inner.book_enquiries(&results).await
    }

    async fn book_evidence(&self, items: &[(InstructionId, Word, Carrier)]) -> Result<(), StoreError> {
        if !self.has(Plant::LateTruthDropped) {
            return self.inner.book_evidence(items).await;
        }
        let live = |id: &InstructionId| {
            let tables = self.sim.store.tables();
            tables.instructions.get(id).and_then(|key| tables.payouts.get(key)).is_none_or(Payout::is_unpaid)
        };
        let kept: Vec<_> = items.iter().filter(|(id, _, _)| live(id)).cloned().collect();
        self.inner.book_evidence(&kept).await
    }

    async fn book_statement_check(&self, id: &InstructionId, covered_until: Timestamp) -> Result<bool, StoreError> {
        self.inner.book_statement_check(id, covered_until).await
    }
    async fn time_passes(&self, max: u32) -> Result<u32, StoreError> {
        self.inner.time_passes(max).await
    }
    async fn ring_again(&self) -> Result<u32, StoreError> {
        // Who trusts doorbells sees no need to ring them again.
        if self.has(Plant::DoorbellIsTruth) { Ok(0) } else { self.inner.ring_again().await }
    }
}

#[async_trait]
impl OutboxStore for Planted<Connection> {
    async fn claim_outbox(&self, max: u32) -> Result<Vec<OutboxRow>, StoreError> {
        let mut rows = self.inner.claim_outbox(max).await?;
        if self.has(Plant::RelayByLastId) {
            let number = |row: &OutboxRow| row.id.parse::<u64>().unwrap_or(0);
            let mut memory = self.memory();
            rows.retain(|row| number(row) > memory.last_outbox_id);
            memory.last_outbox_id = rows.iter().map(number).max().unwrap_or(memory.last_outbox_id);
        }
        Ok(rows)
    }
    async fn outbox_sent(&self, ids: &[String]) -> Result<(), StoreError> {
        self.inner.outbox_sent(ids).await
    }
    async fn outbox_kept(&self, ids: &[String]) -> Result<(), StoreError> {
        self.inner.outbox_kept(ids).await
    }
}

#[async_trait]
impl BankLink for Planted<Wire> {
    async fn pay(&self, msg_id: &MsgId, bytes: &[u8]) -> CallOutcome {
        match self.plant {
            Plant::NewKeyPerAttempt => {
                let outcome = self.inner.pay(msg_id, &self.with_fresh_keys(bytes)).await;
                self.with_our_keys(outcome)
            }
            Plant::RetryAroundCall => {
                let mut outcome = self.inner.pay(msg_id, bytes).await;
                for _ in 0..2 {
                    if let CallOutcome::Doubtful { .. } = outcome {
                        outcome = self.inner.pay(msg_id, bytes).await;
                    }
                }
                outcome
            }
            _ => self.inner.pay(msg_id, bytes).await,
        }
    }

    async fn enquire(&self, instruction_id: &InstructionId) -> EnquiryOutcome {
        let asked = self.memory().attempt_of.get(instruction_id).cloned();
        let mut outcome = self.inner.enquire(asked.as_ref().unwrap_or(instruction_id)).await;
        if let EnquiryOutcome::Found(report) = &mut outcome {
            report.instruction_id = instruction_id.clone();
        }
        outcome
    }
}

impl Planted<Wire> {
    fn with_fresh_keys(&self, bytes: &[u8]) -> Vec<u8> {
        let mut transfers: Vec<Transfer> = crate::message::read_message(bytes);
        let mut memory = self.memory();
        for one in &mut transfers {
            memory.attempts += 1;
            let fresh = InstructionId(format!("{}-{}-{}", one.instruction_id, self.inner.slot, memory.attempts));
            memory.attempt_of.insert(one.instruction_id.clone(), fresh.clone());
            one.instruction_id = fresh;
        }
        crate::message::PlainFormat.write(&MsgId::from("fresh"), crate::world::START, &transfers)
    }

    fn with_our_keys(&self, outcome: CallOutcome) -> CallOutcome {
        let CallOutcome::Answered(mut reports) = outcome else { return outcome };
        let memory = self.memory();
        for report in &mut reports {
            let ours = memory.attempt_of.iter().find(|(_, fresh)| **fresh == report.instruction_id);
            report.instruction_id = ours.map_or_else(|| report.instruction_id.clone(), |(id, _)| id.clone());
        }
        CallOutcome::Answered(reports)
    }
}

#[async_trait]
impl Time for Planted<Stopwatch> {
    fn elapsed(&self) -> Duration {
        if self.has(Plant::LeaseUnmeasured) { Duration::ZERO } else { self.inner.elapsed() }
    }
    async fn pause(&self, length: Duration) {
        self.inner.pause(length).await;
    }
}

/// A consumer that acknowledges what it hands out.
pub(crate) fn hasty(queue: Box<dyn Consumer>) -> Box<dyn Consumer> {
    Box::new(Hasty(queue))
}

struct Hasty(Box<dyn Consumer>);

#[async_trait]
impl Consumer for Hasty {
    async fn next_batch(&mut self, max: usize) -> Result<Vec<Delivery>, QueueError> {
        let deliveries = self.0.next_batch(max).await?;
        let tags: Vec<DeliveryTag> = deliveries.iter().map(|one| one.tag).collect();
        self.0.acknowledge(&tags).await?;
        Ok(deliveries)
    }
    async fn acknowledge(&mut self, _: &[DeliveryTag]) -> Result<(), QueueError> {
        Ok(())
    }
    async fn give_back(&mut self, _: &[DeliveryTag]) -> Result<(), QueueError> {
        Ok(())
    }
    async fn close(&mut self) {}
}

/// Forwards what is not concerned.
macro_rules! forwarded {
    ($trait:ident { $(fn $name:ident($($arg:ident: $type:ty),*) -> $result:ty;)* }) => {
        #[async_trait]
        impl $trait for Planted<Connection> {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$result, StoreError> {
                self.inner.$name($($arg),*).await
            })*
        }
    };
}

forwarded!(IntakeStore {
    fn take_in(arrivals: Vec<Arrival>) -> Vec<TakenIn>;
    fn quarantine(items: Vec<Quarantined>) -> ();
    fn reconsider(max: u32) -> u32;
});
forwarded!(ReferenceStore {
    fn import_policies(funds: &[Fund], policies: &[Policy], by: &str) -> ();
    fn funds() -> Vec<Fund>;
    fn policies() -> Vec<Policy>;
    fn policy(id: &PolicyId) -> Option<Policy>;
    fn put_operator(operator: &Operator, by: &str) -> ();
    fn operators() -> Vec<Operator>;
});
forwarded!(ActStore {
    fn act(act: &SignedAct) -> Acted;
    fn switch() -> Switch;
    fn hold_revoked(max: u32) -> u32;
});
forwarded!(RestoreStore {
    fn compare(noted: Option<&Position>) -> Compared;
    fn close_sending(why: &str) -> ();
    fn recover(opens_from: Timestamp, by: &str, why: &str) -> Recovered;
});
forwarded!(CaseStore {
    fn note_rules() -> ();
    fn look_at_cases(max: u32) -> u32;
    fn case(id: &ApplicationId) -> Option<CaseView>;
    fn alerts(filter: &AlertFilter) -> Vec<Alert>;
    fn alert(id: &str) -> Option<Alert>;
});
forwarded!(ReadStore {
    fn payouts_of(id: &ApplicationId) -> Vec<Payout>;
    fn payouts(filter: &PayoutFilter) -> PayoutPage;
    fn trace(id: &ApplicationId) -> Vec<JournalEntry>;
    fn alarms(filter: &AlarmFilter) -> Vec<AlarmEntry>;
    fn sending() -> Sending;
    fn quarantine_rows(which: Which) -> Vec<QuarantineRow>;
    fn close_quarantine(id: &str, state: &str, by: &str, why: &str) -> bool;
    fn figures() -> Figures;
    fn now() -> Timestamp;
});

/// How long a mistake may stay undiscovered.
pub(crate) const WITHIN_SEEDS: u64 = 5_000;
