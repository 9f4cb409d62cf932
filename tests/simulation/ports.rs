//! The ports of the simulated workers: the store behind a connection that fails before, after and during every commit,
//! the bank's wire and the stopwatch; the queues stand in `queues`. Each port call is two scheduling points around one effect.

use crate::scheduling::{Side, Until};
use crate::world::{START, Sim};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use zhida_core::batch::ClaimedBatch;
use zhida_core::ids::{ApplicationId, InstructionId, MsgId, PolicyId};
use zhida_core::payout::{Carrier, Payout, Word};
use zhida_core::ports::bank::{BankLink, CallOutcome, EnquiryOutcome};
use zhida_core::ports::cases::{AlertFilter, CaseStore, CaseView};
use zhida_core::ports::store::*;
use zhida_core::ports::time::Time;
use zhida_core::steps::{Arrival, EnquiryResult, Fund, Operator, Policy, Quarantined, Switch, TakenIn};
use zhida_core::supervision::Alert;
use zhida_tests::memory_store::MemoryStore;

/// One worker's connection to the store.
pub(crate) struct Connection {
    pub(crate) sim: Arc<Sim>,
    pub(crate) store: MemoryStore,
    pub(crate) slot: usize,
}

/// What the connection does to one call.
enum Fate {
    Serves,
    Unavailable,
    LostBeforeCommit,
    LostAfterCommit,
}

impl Connection {
    fn fate(&self) -> Fate {
        let mut world = self.sim.world();
        let chance = world.chances.store_fault;
        if world.rng.u32(0..1000) >= chance {
            return Fate::Serves;
        }
        match world.rng.u8(0..3) {
            0 => Fate::Unavailable,
            1 => Fate::LostBeforeCommit,
            _ => Fate::LostAfterCommit,
        }
    }
}

/// Forwards one call: a breath, the effect or none, a breath.
macro_rules! served {
    ($self:ident, $name:literal, $call:expr) => {{
        $self.sim.breathe($self.slot, Side::Before, $name).await;
        match $self.fate() {
            Fate::Serves => {
                let rows = $self.sim.journal_rows();
                let result = $call.await;
                $self.sim.say_journal($self.slot, $name, rows);
                $self.sim.breathe($self.slot, Side::After, $name).await;
                result
            }
            Fate::Unavailable => Err(StoreError::Unavailable("simulated".to_owned())),
            Fate::LostBeforeCommit => {
                $self.sim.say(|| format!("worker {} · {} lost before its commit", $self.slot, $name));
                Err(StoreError::Unknown("simulated".to_owned()))
            }
            Fate::LostAfterCommit => {
                $self.sim.say(|| format!("worker {} · {} committed, nobody knows", $self.slot, $name));
                let rows = $self.sim.journal_rows();
                let _ = $call.await?;
                $self.sim.say_journal($self.slot, $name, rows);
                $self.sim.breathe($self.slot, Side::After, $name).await;
                Err(StoreError::Unknown("simulated".to_owned()))
            }
        }
    }};
}

#[async_trait]
impl IntakeStore for Connection {
    async fn take_in(&self, arrivals: Vec<Arrival>) -> Result<Vec<TakenIn>, StoreError> {
        served!(self, "take_in", self.store.take_in(arrivals))
    }
    async fn quarantine(&self, items: Vec<Quarantined>) -> Result<(), StoreError> {
        served!(self, "quarantine", self.store.quarantine(items))
    }
    async fn reconsider(&self, max: u32) -> Result<u32, StoreError> {
        served!(self, "reconsider", self.store.reconsider(max))
    }
}

impl Connection {
    async fn claim_and_watch(&self, msg_id: MsgId, max: u32) -> Result<Option<ClaimedBatch>, StoreError> {
        let claimed = self.store.claim(msg_id, max).await?;
        if let Some(claimed) = &claimed {
            self.sim.watch_claim(self.slot, claimed);
            self.sim.say(|| {
                let members: Vec<String> =
                    claimed.members.iter().map(|(one, epoch)| format!("{}@{epoch}", one.key)).collect();
                format!("worker {} · claimed {}: {}", self.slot, claimed.msg_id, members.join(" "))
            });
        }
        Ok(claimed)
    }

    async fn look_and_watch(&self, claimed: &ClaimedBatch) -> Result<Result<(), String>, StoreError> {
        let verdict = self.store.may_write(claimed).await?;
        self.sim.watch_look(self.slot, claimed, &verdict);
        Ok(verdict)
    }

    async fn book_and_watch(&self, claimed: &ClaimedBatch, outcome: &CallOutcome) -> Result<(), StoreError> {
        self.sim.say(|| format!("worker {} · books {}: {outcome:?}", self.slot, claimed.msg_id));
        let before = self.sim.open_claims(claimed);
        self.store.book_call(claimed, outcome).await?;
        self.sim.watch_booking(self.slot, claimed, &before);
        Ok(())
    }

    async fn unmake_and_watch(&self, claimed: &ClaimedBatch, why: &str) -> Result<(), StoreError> {
        self.sim.say(|| format!("worker {} · gives {} up: {why}", self.slot, claimed.msg_id));
        let before = self.sim.open_claims(claimed);
        self.store.book_not_made(claimed, why).await?;
        self.sim.watch_booking(self.slot, claimed, &before);
        Ok(())
    }
}

#[async_trait]
impl PayoutStore for Connection {
    async fn claim(&self, msg_id: MsgId, max: u32) -> Result<Option<ClaimedBatch>, StoreError> {
        served!(self, "claim", self.claim_and_watch(msg_id, max))
    }
    async fn may_write(&self, claimed: &ClaimedBatch) -> Result<Result<(), String>, StoreError> {
        served!(self, "may_write", self.look_and_watch(claimed))
    }
    async fn book_call(&self, claimed: &ClaimedBatch, outcome: &CallOutcome) -> Result<(), StoreError> {
        served!(self, "book_call", self.book_and_watch(claimed, outcome))
    }
    async fn book_not_made(&self, claimed: &ClaimedBatch, why: &str) -> Result<(), StoreError> {
        served!(self, "book_not_made", self.unmake_and_watch(claimed, why))
    }
    async fn expire_leases(&self, max: u32) -> Result<u32, StoreError> {
        served!(self, "expire_leases", self.store.expire_leases(max))
    }
    async fn claim_enquiries(&self, max: u32) -> Result<Vec<Enquiry>, StoreError> {
        served!(self, "claim_enquiries", self.store.claim_enquiries(max))
    }
    async fn book_enquiries(&self, results: &[EnquiryResult]) -> Result<(), StoreError> {
        self.sim.say(|| {
            let lines: Vec<String> = results.iter().map(|one| format!("{} {:?}", one.key, one.outcome)).collect();
            format!("worker {} · enquiries brought {}", self.slot, lines.join("; "))
        });
        served!(self, "book_enquiries", self.store.book_enquiries(results))
    }
    async fn book_evidence(&self, items: &[(InstructionId, Word, Carrier)]) -> Result<(), StoreError> {
        self.sim.say(|| format!("worker {} · evidence {items:?}", self.slot));
        served!(self, "book_evidence", self.store.book_evidence(items))
    }
    async fn book_statement_check(&self, id: &InstructionId, covered_until: Timestamp) -> Result<bool, StoreError> {
        served!(self, "book_statement_check", self.store.book_statement_check(id, covered_until))
    }
    async fn time_passes(&self, max: u32) -> Result<u32, StoreError> {
        served!(self, "time_passes", self.store.time_passes(max))
    }
    async fn ring_again(&self) -> Result<u32, StoreError> {
        served!(self, "ring_again", self.store.ring_again())
    }
}

#[async_trait]
impl OutboxStore for Connection {
    async fn claim_outbox(&self, max: u32) -> Result<Vec<OutboxRow>, StoreError> {
        served!(self, "claim_outbox", self.store.claim_outbox(max))
    }
    async fn outbox_sent(&self, ids: &[String]) -> Result<(), StoreError> {
        served!(self, "outbox_sent", self.store.outbox_sent(ids))
    }
    async fn outbox_kept(&self, ids: &[String]) -> Result<(), StoreError> {
        served!(self, "outbox_kept", self.store.outbox_kept(ids))
    }
}

#[async_trait]
impl ReferenceStore for Connection {
    async fn import_policies(&self, funds: &[Fund], policies: &[Policy], by: &str) -> Result<(), StoreError> {
        served!(self, "import_policies", self.store.import_policies(funds, policies, by))
    }
    async fn funds(&self) -> Result<Vec<Fund>, StoreError> {
        served!(self, "funds", self.store.funds())
    }
    async fn policies(&self) -> Result<Vec<Policy>, StoreError> {
        served!(self, "policies", self.store.policies())
    }
    async fn policy(&self, id: &PolicyId) -> Result<Option<Policy>, StoreError> {
        served!(self, "policy", self.store.policy(id))
    }
    async fn put_operator(&self, operator: &Operator, by: &str) -> Result<(), StoreError> {
        served!(self, "put_operator", self.store.put_operator(operator, by))
    }
    async fn operators(&self) -> Result<Vec<Operator>, StoreError> {
        served!(self, "operators", self.store.operators())
    }
}

#[async_trait]
impl ActStore for Connection {
    async fn act(&self, act: &SignedAct) -> Result<Acted, StoreError> {
        served!(self, "act", self.store.act(act))
    }
    async fn switch(&self) -> Result<Switch, StoreError> {
        served!(self, "switch", self.store.switch())
    }
    async fn hold_revoked(&self, max: u32) -> Result<u32, StoreError> {
        served!(self, "hold_revoked", self.store.hold_revoked(max))
    }
}

#[async_trait]
impl RestoreStore for Connection {
    async fn compare(&self, noted: Option<&Position>) -> Result<Compared, StoreError> {
        self.store.compare(noted).await
    }
    async fn close_sending(&self, why: &str) -> Result<(), StoreError> {
        self.store.close_sending(why).await
    }
    async fn recover(&self, opens_from: Timestamp, by: &str, why: &str) -> Result<Recovered, StoreError> {
        self.store.recover(opens_from, by, why).await
    }
}

#[async_trait]
impl CaseStore for Connection {
    async fn note_rules(&self) -> Result<(), StoreError> {
        self.store.note_rules().await
    }
    async fn look_at_cases(&self, max: u32) -> Result<u32, StoreError> {
        self.store.look_at_cases(max).await
    }
    async fn case(&self, id: &ApplicationId) -> Result<Option<CaseView>, StoreError> {
        self.store.case(id).await
    }
    async fn alerts(&self, filter: &AlertFilter) -> Result<Vec<Alert>, StoreError> {
        self.store.alerts(filter).await
    }
    async fn alert(&self, id: &str) -> Result<Option<Alert>, StoreError> {
        self.store.alert(id).await
    }
}

#[async_trait]
impl ReadStore for Connection {
    async fn payouts_of(&self, id: &ApplicationId) -> Result<Vec<Payout>, StoreError> {
        self.store.payouts_of(id).await
    }
    async fn payouts(&self, filter: &PayoutFilter) -> Result<PayoutPage, StoreError> {
        self.store.payouts(filter).await
    }
    async fn trace(&self, id: &ApplicationId) -> Result<Vec<JournalEntry>, StoreError> {
        self.store.trace(id).await
    }
    async fn alarms(&self, filter: &AlarmFilter) -> Result<Vec<AlarmEntry>, StoreError> {
        self.store.alarms(filter).await
    }
    async fn sending(&self) -> Result<Sending, StoreError> {
        self.store.sending().await
    }
    async fn quarantine_rows(&self, which: Which) -> Result<Vec<QuarantineRow>, StoreError> {
        self.store.quarantine_rows(which).await
    }
    async fn close_quarantine(&self, id: &str, state: &str, by: &str, why: &str) -> Result<bool, StoreError> {
        self.store.close_quarantine(id, state, by, why).await
    }
    async fn figures(&self) -> Result<Figures, StoreError> {
        self.store.figures().await
    }
    async fn now(&self) -> Result<Timestamp, StoreError> {
        self.store.now().await
    }
}

/// The wire to the bank, of one worker.
pub(crate) struct Wire {
    pub(crate) sim: Arc<Sim>,
    pub(crate) slot: usize,
}

#[async_trait]
impl BankLink for Wire {
    /// The bytes are on the socket with the first poll: nothing comes between the last look at the lease and the write. What
    /// was written reaches the bank also when the worker dies.
    async fn pay(&self, msg_id: &MsgId, bytes: &[u8]) -> CallOutcome {
        let (plan, ids) = self.sim.watch_write(self.slot, msg_id, bytes);
        self.sim.say(|| format!("worker {} · pays {msg_id}: {plan:?}", self.slot));
        self.sim.stands(self.slot, Side::Within, "pay");
        Until { sim: &*self.sim, moment: plan.ends_at }.await;
        let mut world = self.sim.world();
        let world = &mut *world;
        world.bank.answer(&mut world.rng, &plan, &ids)
    }

    async fn enquire(&self, instruction_id: &InstructionId) -> EnquiryOutcome {
        self.pause(Side::Before).await;
        let outcome = {
            let now = self.sim.now();
            let mut world = self.sim.world();
            let world = &mut *world;
            world.bank.enquire(&mut world.rng, now, instruction_id)
        };
        self.pause(Side::After).await;
        outcome
    }
}

impl Wire {
    async fn pause(&self, side: Side) {
        self.sim.stands(self.slot, side, "enquire");
        let length = SignedDuration::from_millis(self.sim.world().rng.i64(0..8_000));
        Until { sim: &*self.sim, moment: self.sim.now() + length }.await;
    }
}

/// The stopwatch of the workers: the virtual clock.
pub(crate) struct Stopwatch(pub(crate) Arc<Sim>);

#[async_trait]
impl Time for Stopwatch {
    fn elapsed(&self) -> Duration {
        Duration::try_from(self.0.now().duration_since(START)).unwrap_or_default()
    }

    async fn pause(&self, length: Duration) {
        let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
        Until { sim: &*self.0, moment: self.0.now() + length }.await;
    }
}
