//! The ports of a process that may die at any call: each forwards to the real thing. The broker is in memory: it keeps what is
//! not acknowledged, and delivers it again.

use crate::cut::Life;
use async_trait::async_trait;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use zhida_adapters::providers::bank::HttpBank;
use zhida_adapters::store::{SqlStore, StoreClock};
use zhida_config::Calendar;
use zhida_core::batch::ClaimedBatch;
use zhida_core::calendars::ImportedCalendar;
use zhida_core::digest::Digest;
use zhida_core::ids::{ApplicationId, InstructionId, MsgId, OrderId, PolicyId};
use zhida_core::jobs::Run;
use zhida_core::notice::template::{Replacing, TemplateSet};
use zhida_core::notice::{self, Notice, NoticeRequest};
use zhida_core::organisation::Organisation;
use zhida_core::patterns::{Found, Health, Pattern, PatternState, Rule};
use zhida_core::payout::{Carrier, Payout, Word};
use zhida_core::ports::bank::{BankLink, CallOutcome, EnquiryOutcome};
use zhida_core::ports::cases::{AlertFilter, CaseStore, CaseView};
use zhida_core::ports::digests::{DigestStore, MovedPage, Outlook};
use zhida_core::ports::notices::*;
use zhida_core::ports::orders::{OrderFilter, OrderStore};
use zhida_core::ports::patterns::*;
use zhida_core::ports::queue::{Consumer, Delivery, DeliveryTag, OutgoingMessage, Published, Publisher, QueueError};
use zhida_core::ports::sms::{Receipt, Trust};
use zhida_core::ports::store::*;
use zhida_core::ports::supervision::OrganisationStore;
use zhida_core::ports::time::Time;
use zhida_core::steps::{Arrival, EnquiryResult, Fund, Operator, Policy, Quarantined, Switch, TakenIn};
use zhida_core::supervision::{Alert, Order};

/// The store of one process.
pub(crate) struct MortalStore {
    pub(crate) store: Arc<SqlStore>,
    pub(crate) life: Arc<Life>,
}

macro_rules! mortal {
    ($($trait:ident { $(fn $name:ident($($arg:ident: $type:ty),*) -> $result:ty;)* })*) => {$(
        #[async_trait]
        impl $trait for MortalStore {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$result, StoreError> {
                self.life.call(stringify!($name), self.store.$name($($arg),*)).await
            })*
        }
    )*};
}

mortal! {
    IntakeStore {
        fn take_in(arrivals: Vec<Arrival>) -> Vec<TakenIn>;
        fn quarantine(items: Vec<Quarantined>) -> ();
        fn reconsider(max: u32) -> u32;
    }
    PayoutStore {
        fn claim(msg_id: MsgId, max: u32) -> Option<ClaimedBatch>;
        fn may_write(claimed: &ClaimedBatch) -> Result<(), String>;
        fn book_call(claimed: &ClaimedBatch, outcome: &CallOutcome) -> ();
        fn book_not_made(claimed: &ClaimedBatch, why: &str) -> ();
        fn expire_leases(max: u32) -> u32;
        fn claim_enquiries(max: u32) -> Vec<Enquiry>;
        fn book_enquiries(results: &[EnquiryResult]) -> ();
        fn book_evidence(items: &[(InstructionId, Word, Carrier)]) -> ();
        fn book_statement_check(id: &InstructionId, covered_until: Timestamp) -> bool;
        fn time_passes(max: u32) -> u32;
        fn ring_again() -> u32;
    }
    OutboxStore {
        fn claim_outbox(max: u32) -> Vec<OutboxRow>;
        fn outbox_sent(ids: &[String]) -> ();
        fn outbox_kept(ids: &[String]) -> ();
    }
    ReferenceStore {
        fn import_policies(funds: &[Fund], policies: &[Policy], by: &str) -> ();
        fn funds() -> Vec<Fund>;
        fn policies() -> Vec<Policy>;
        fn policy(id: &PolicyId) -> Option<Policy>;
        fn put_operator(operator: &Operator, by: &str) -> ();
        fn operators() -> Vec<Operator>;
    }
    ActStore {
        fn act(act: &SignedAct) -> Acted;
        fn switch() -> Switch;
        fn hold_revoked(max: u32) -> u32;
    }
    RestoreStore {
        fn compare(noted: Option<&Position>) -> Compared;
        fn close_sending(why: &str) -> ();
        fn recover(opens_from: Timestamp, by: &str, why: &str) -> Recovered;
    }
    OrganisationStore {
        fn import_organisation(organisation: &Organisation, by: &str) -> ();
        fn organisation() -> Organisation;
        fn import_calendar(calendar: &Calendar, by: &str) -> ();
        fn calendars() -> Vec<ImportedCalendar>;
    }
    OrderStore {
        fn orders(filter: &OrderFilter) -> Vec<Order>;
        fn order(id: OrderId) -> Option<Order>;
    }
    CaseStore {
        fn note_rules() -> ();
        fn look_at_cases(max: u32) -> u32;
        fn case(id: &ApplicationId) -> Option<CaseView>;
        fn alerts(filter: &AlertFilter) -> Vec<Alert>;
        fn alert(id: &str) -> Option<Alert>;
    }
    PatternStore {
        fn begin_pattern_run(pause: SignedDuration, lease: SignedDuration) -> bool;
        fn pattern_cases(since: Timestamp, after: Option<&ApplicationId>, max: u32) -> CasePage;
        fn pattern_surroundings() -> PatternSurroundings;
        fn put_patterns(found: &[Found]) -> ();
        fn drop_pattern_run() -> ();
        fn end_pattern_run(health: &[Health]) -> ();
        fn last_pattern_run() -> Option<PatternRun>;
        fn patterns(filter: &PatternFilter) -> Vec<Pattern>;
        fn pattern(id: &str) -> Option<Pattern>;
        fn pattern_counts() -> BTreeMap<(Rule, PatternState), u64>;
        fn policy_health() -> Vec<Health>;
    }
    DigestStore {
        fn make_due_digest() -> Vec<Run>;
        fn ring_missing_years() -> u32;
        fn digest_preview() -> Digest;
        fn digest(of: Option<Date>) -> Option<Digest>;
        fn digest_outlook() -> Outlook;
        fn moved_by(amendment: &Calendar, after: Option<&ApplicationId>, max: u32) -> MovedPage;
    }
    NoticeStore {
        fn ask_for_notices(requests: &[NoticeRequest]) -> u32;
        fn try_notice(request: &NoticeRequest, to: &str) -> Vec<Errand>;
        fn make_notices(max: u32) -> u32;
        fn take_errands(max: u32) -> Vec<Errand>;
        fn book_errands(ends: &[ErrandEnd]) -> ();
        fn book_receipts(provider: &str, trust: Trust, receipts: &[Receipt]) -> ReceiptsBooked;
        fn look_again() -> ();
        fn forget_old() -> u32;
        fn notices(filter: &NoticeFilter) -> Vec<Notice>;
        fn notice(id: &str) -> Option<NoticeView>;
        fn count_requests() -> RequestCounts;
        fn waiting_notices() -> WaitingNotices;
        fn import_templates(set: &TemplateSet, seen: &TemplateSet, by: &str) -> Replacing;
        fn templates() -> TemplateSet;
        fn notice_switch() -> notice::Switch;
        fn unsubscribes(notice_id: &str, key: &str) -> bool;
        fn unsubscribe(notice_id: &str, key: &str) -> bool;
    }
    ReadStore {
        fn payouts_of(id: &ApplicationId) -> Vec<Payout>;
        fn payouts(filter: &PayoutFilter) -> PayoutPage;
        fn trace(id: &ApplicationId) -> Vec<JournalEntry>;
        fn alarms(filter: &AlarmFilter) -> Vec<AlarmEntry>;
        fn sending() -> Sending;
        fn quarantine_rows(which: Which) -> Vec<QuarantineRow>;
        fn close_quarantine(id: &str, state: &str, by: &str, why: &str) -> bool;
        fn figures() -> Figures;
        fn now() -> Timestamp;
    }
}

/// The wire to the bank.
pub(crate) struct MortalBank {
    pub(crate) link: HttpBank,
    pub(crate) life: Arc<Life>,
}

#[async_trait]
impl BankLink for MortalBank {
    async fn pay(&self, msg_id: &MsgId, bytes: &[u8]) -> CallOutcome {
        self.life.call("pay", self.link.pay(msg_id, bytes)).await
    }

    async fn enquire(&self, instruction_id: &InstructionId) -> EnquiryOutcome {
        self.life.call("enquire", self.link.enquire(instruction_id)).await
    }
}

/// Pauses move the database's clock; the stopwatch shows nothing else.
pub(crate) struct MovedTime(pub(crate) StoreClock);

#[async_trait]
impl Time for MovedTime {
    fn elapsed(&self) -> Duration {
        let micros = self.0.offset_micros.load(std::sync::atomic::Ordering::SeqCst);
        Duration::from_micros(u64::try_from(micros).unwrap())
    }

    async fn pause(&self, length: Duration) {
        self.0.advance(SignedDuration::try_from(length).unwrap());
    }
}

/// The broker: outlives every process.
#[derive(Default)]
pub(crate) struct Broker {
    waiting: Mutex<VecDeque<Vec<u8>>>,
    /// Outbox rows that reached the world or the payout queue, by message id.
    pub(crate) heard: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Broker {
    pub(crate) fn publish(&self, body: Vec<u8>) {
        self.waiting.lock().unwrap().push_back(body);
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.lock().unwrap().len()
    }
}

/// A connection that consumes what is there and then closes. What it has not acknowledged goes back with it.
pub(crate) struct MortalConsumer {
    broker: Arc<Broker>,
    life: Arc<Life>,
    unsettled: BTreeMap<DeliveryTag, Vec<u8>>,
    given: u64,
}

impl MortalConsumer {
    pub(crate) fn new(broker: Arc<Broker>, life: Arc<Life>) -> Self {
        Self { broker, life, unsettled: BTreeMap::new(), given: 0 }
    }

    fn take(&mut self, max: usize) -> Vec<Delivery> {
        let mut waiting = self.broker.waiting.lock().unwrap();
        let bodies: Vec<Vec<u8>> = (0..max).map_while(|_| waiting.pop_front()).collect();
        let delivery = |body: Vec<u8>| {
            self.given += 1;
            let tag = DeliveryTag { session: 1, number: self.given };
            self.unsettled.insert(tag, body.clone());
            let event: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
            Delivery { body, routing_key: event["type"].as_str().unwrap_or("unreadable").to_owned(), tag }
        };
        bodies.into_iter().map(delivery).collect()
    }

    fn settle(&mut self, tags: &[DeliveryTag]) {
        self.unsettled.retain(|tag, _| !tags.contains(tag));
    }
}

impl Drop for MortalConsumer {
    fn drop(&mut self) {
        let back = std::mem::take(&mut self.unsettled);
        self.broker.waiting.lock().unwrap().extend(back.into_values());
    }
}

#[async_trait]
impl Consumer for MortalConsumer {
    async fn next_batch(&mut self, max: usize) -> Result<Vec<Delivery>, QueueError> {
        let deliveries = self.take(max);
        if deliveries.is_empty() { Err(QueueError::Closed) } else { Ok(deliveries) }
    }

    async fn acknowledge(&mut self, tags: &[DeliveryTag]) -> Result<(), QueueError> {
        let life = self.life.clone();
        life.call("acknowledge", async { self.settle(tags) }).await;
        Ok(())
    }

    async fn give_back(&mut self, _: &[DeliveryTag]) -> Result<(), QueueError> {
        Ok(()) // with the connection
    }

    async fn close(&mut self) {}
}

/// The relay's connection.
pub(crate) struct MortalPublisher {
    pub(crate) broker: Arc<Broker>,
    pub(crate) life: Arc<Life>,
}

#[async_trait]
impl Publisher for MortalPublisher {
    async fn publish(&self, messages: &[OutgoingMessage]) -> Vec<Published> {
        let hear = async {
            let mut heard = self.broker.heard.lock().unwrap();
            for message in messages {
                let before = heard.insert(message.message_id.clone(), message.body.clone());
                assert!(before.is_none_or(|body| body == message.body), "{} says two things", message.message_id);
            }
        };
        self.life.call("publish", hear).await;
        vec![Published::Confirmed; messages.len()]
    }
}
