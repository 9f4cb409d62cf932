//! The ports of the simulated notice workers: the store behind a connection that fails before, after and during every commit, the
//! wires to the vendors, the mailbox, the stopwatch. Each call of the store is two scheduling points around one effect.

use super::auditor;
use super::planted::{self, Plant};
use super::vendors::{HandedIn, TIMEOUT};
use super::world::{Sim, World};
use crate::scheduling::{Side, Until};
use async_trait::async_trait;
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::Duration;
use zhida_core::notice::template::{Replacing, TemplateSet};
use zhida_core::notice::{Notice, NoticeRequest, Switch};
use zhida_core::ports::mail::{BounceReader, Mail, MailProvider};
use zhida_core::ports::notices::*;
use zhida_core::ports::sms::{
    AskOutcome, Push, PushRead, Question, Receipt, SendOutcome, Sms, SmsProvider, Trust, UnreadableReceipt,
};
use zhida_core::ports::store::StoreError;
use zhida_core::ports::time::Time;
use zhida_notice::MAIL;
use zhida_tests::memory_store::MemoryStore;

/// One worker's connection to the store.
pub(super) struct Connection {
    pub(super) sim: Arc<Sim>,
    pub(super) store: MemoryStore,
    pub(super) slot: usize,
    pub(super) plant: Option<Plant>,
}

/// Forwards one call: a breath, the effect or none, a breath.
macro_rules! served {
    ($self:ident, $name:literal, $call:expr) => {{
        $self.sim.breathe($self.slot, Side::Before, $name).await;
        let chance = $self.sim.world().chances.store_fault;
        let fate = if $self.sim.strikes(chance) { $self.sim.world().rng.u8(0..3) } else { 3 };
        match fate {
            0 => Err(StoreError::Unavailable("simulated".to_owned())),
            1 => Err(StoreError::Unknown("simulated".to_owned())),
            lost => {
                let rows = $self.sim.store.tables().journal.len();
                let result = $call.await;
                $self.tell($name, rows);
                auditor::look(&$self.sim);
                $self.sim.breathe($self.slot, Side::After, $name).await;
                if lost == 2 {
                    $self.sim.saw(concat!("commit unknown: ", $name));
                    $self.sim.say(|| format!("worker {} · {} committed, nobody knows", $self.slot, $name));
                    Err(StoreError::Unknown("simulated".to_owned()))
                } else {
                    result
                }
            }
        }
    }};
}

impl Connection {
    fn tell(&self, name: &str, since: usize) {
        if self.sim.world().trace.is_none() {
            return;
        }
        let rows: Vec<String> = {
            let tables = self.sim.store.tables();
            tables.journal.iter().skip(since).map(|row| format!("{} {}", row.kind, row.detail)).collect()
        };
        rows.into_iter().for_each(|row| self.sim.say(|| format!("worker {} · {name}: {row}", self.slot)));
    }

    async fn take_and_watch(&self, max: u32) -> Result<Vec<Errand>, StoreError> {
        let errands = planted::take(self, max).await?;
        auditor::watch_take(&self.sim, &errands);
        Ok(errands)
    }
}

#[async_trait]
impl NoticeStore for Connection {
    async fn make_notices(&self, max: u32) -> Result<u32, StoreError> {
        served!(self, "make", planted::make(self, max))
    }
    async fn take_errands(&self, max: u32) -> Result<Vec<Errand>, StoreError> {
        served!(self, "take", self.take_and_watch(max))
    }
    async fn book_errands(&self, ends: &[ErrandEnd]) -> Result<(), StoreError> {
        let ends = planted::ends(self.plant, ends);
        self.sim.say(|| format!("worker {} · books {ends:?}", self.slot));
        served!(self, "book", self.store.book_errands(&ends))
    }
    async fn book_receipts(
        &self,
        provider: &str,
        trust: Trust,
        receipts: &[Receipt],
    ) -> Result<ReceiptsBooked, StoreError> {
        let (trust, receipts) = planted::receipts(self, trust, receipts);
        self.sim.say(|| format!("worker {} · receipts of {provider} {receipts:?}", self.slot));
        served!(self, "receipts", self.store.book_receipts(provider, trust, &receipts))
    }
    async fn ask_for_notices(&self, requests: &[NoticeRequest]) -> Result<u32, StoreError> {
        self.store.ask_for_notices(requests).await
    }
    async fn try_notice(&self, request: &NoticeRequest, to: &str) -> Result<Vec<Errand>, StoreError> {
        self.store.try_notice(request, to).await
    }
    async fn look_again(&self) -> Result<(), StoreError> {
        self.store.look_again().await
    }

    async fn forget_old(&self) -> Result<u32, StoreError> {
        self.store.forget_old().await
    }
    async fn count_requests(&self) -> Result<RequestCounts, StoreError> {
        self.store.count_requests().await
    }
    async fn waiting_notices(&self) -> Result<WaitingNotices, StoreError> {
        self.store.waiting_notices().await
    }
    async fn notices(&self, filter: &NoticeFilter) -> Result<Vec<Notice>, StoreError> {
        self.store.notices(filter).await
    }
    async fn notice(&self, id: &str) -> Result<Option<NoticeView>, StoreError> {
        self.store.notice(id).await
    }
    async fn import_templates(&self, set: &TemplateSet, seen: &TemplateSet, by: &str) -> Result<Replacing, StoreError> {
        self.store.import_templates(set, seen, by).await
    }
    async fn templates(&self) -> Result<TemplateSet, StoreError> {
        self.store.templates().await
    }
    async fn notice_switch(&self) -> Result<Switch, StoreError> {
        self.store.notice_switch().await
    }
    async fn unsubscribes(&self, notice_id: &str, key: &str) -> Result<bool, StoreError> {
        self.store.unsubscribes(notice_id, key).await
    }
    async fn unsubscribe(&self, notice_id: &str, key: &str) -> Result<bool, StoreError> {
        self.store.unsubscribe(notice_id, key).await
    }
}

/// The wire to one vendor, or to the mail server.
pub(super) struct Wire {
    pub(super) sim: Arc<Sim>,
    pub(super) slot: usize,
    pub(super) provider: String,
    pub(super) plant: Option<Plant>,
}

impl Wire {
    /// The message is on the socket with the first poll, and reaches the vendor also when the worker dies.
    async fn call(&self, message: HandedIn) -> SendOutcome {
        let plan = self.sim.hand_in(self.slot, &message);
        self.sim.stands(self.slot, Side::Within, "call");
        Until { sim: &*self.sim, moment: plan.ends_at }.await;
        if self.plant == Some(Plant::TriesAgainInTheLink) && matches!(plan.outcome, SendOutcome::Doubtful { .. }) {
            return self.sim.hand_in(self.slot, &message).outcome;
        }
        plan.outcome
    }

    fn limit(&self) -> Duration {
        Duration::try_from(TIMEOUT).unwrap_or_default()
    }
}

#[async_trait]
impl SmsProvider for Wire {
    async fn send(&self, sms: &Sms) -> SendOutcome {
        let (out_id, to, text) = (sms.out_id.clone(), sms.to.clone(), sms.text.clone());
        self.call(HandedIn { provider: self.provider.clone(), out_id, to, text }).await
    }

    async fn ask(&self, question: &Question) -> AskOutcome {
        self.sim.stands(self.slot, Side::Within, "question");
        let length = SignedDuration::from_millis(self.sim.world().rng.i64(0..4_000));
        let moment = self.sim.now() + length;
        Until { sim: &*self.sim, moment }.await;
        let now = self.sim.now();
        let mut world = self.sim.world();
        let World { rng, vendors, .. } = &mut *world;
        vendors.ask(rng, now, &self.provider, &question.out_id)
    }

    fn read_push(&self, _: &Push<'_>) -> Result<PushRead, UnreadableReceipt> {
        Err(UnreadableReceipt("nothing is read here: pushes are played".to_owned()))
    }

    fn timeout(&self) -> Duration {
        self.limit()
    }
}

#[async_trait]
impl MailProvider for Wire {
    async fn send(&self, mail: &Mail) -> SendOutcome {
        let (out_id, to, text) = (mail.out_id.clone(), mail.to.clone(), mail.text.clone());
        self.call(HandedIn { provider: self.provider.clone(), out_id, to, text }).await
    }

    fn timeout(&self) -> Duration {
        self.limit()
    }
}

/// The mailbox in which bounces lie until they are put away.
pub(super) struct Mailbox(pub(super) Arc<Sim>);

#[async_trait]
impl BounceReader for Mailbox {
    async fn read(&self, max: usize) -> Result<Vec<(String, Receipt)>, String> {
        let now = self.0.now();
        let world = self.0.world();
        let due = world.vendors.pushes.iter().filter(|one| one.provider == MAIL && one.due <= now);
        Ok(due.take(max).map(|one| (format!("{:?}", one.receipt), one.receipt.clone())).collect())
    }

    async fn done(&self, names: &[String]) -> Result<(), String> {
        let mut world = self.0.world();
        for name in names {
            let is_it = |one: &super::vendors::Push| one.provider == MAIL && format!("{:?}", one.receipt) == *name;
            if let Some(place) = world.vendors.pushes.iter().position(is_it) {
                let booked = world.vendors.pushes.remove(place);
                world.vendors.booked.push(booked);
            }
        }
        Ok(())
    }
}

/// The stopwatch of the workers: the virtual clock.
pub(super) struct Stopwatch(pub(super) Arc<Sim>);

#[async_trait]
impl Time for Stopwatch {
    fn elapsed(&self) -> Duration {
        let since = self.0.now().duration_since(jiff::Timestamp::UNIX_EPOCH);
        Duration::try_from(since).unwrap_or_default()
    }

    async fn pause(&self, length: Duration) {
        let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
        let moment = self.0.now().checked_add(length).unwrap_or(jiff::Timestamp::MAX);
        Until { sim: &*self.0, moment }.await;
    }
}
