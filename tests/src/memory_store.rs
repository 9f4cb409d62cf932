//! A store in memory: the ports of `zhida_core::ports::store` over ordered maps, with the same pure steps as the real ones,
//! for the simulator and as the simplest candidate of the conformance suite. Not durable, not meant for volume.
//!
//! Every method is one transaction: the tables are locked, a pure step decides, what it wants is written at once. Handles
//! may be cloned; [`MemoryStore::session`] gives one that draws its row numbers from blocks of its own, as database
//! sessions do, so that a row written later may bear a smaller number.

mod acting;
mod acting_on_notices;
mod cases;
mod digesting;
mod making;
mod notice_tables;
mod noticing;
mod noticing_figures;
mod organising;
mod patterns;
mod paying;
mod reading;
mod restoring;
mod supervising;
mod taking_in;

pub use cases::{CaseTables, Circumstances};
pub use digesting::DigestTables;
pub use notice_tables::{AskedRow, NoticeTables, ReceiptRow};
pub use patterns::{PatternTables, seal};

use jiff::Timestamp;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zhida_core::batch::Batch;
use zhida_core::calendars::ImportedCalendar;
use zhida_core::ids::{ApplicationId, FundId, InstructionId, MsgId, OperatorId, PayoutKey, PolicyId};
use zhida_core::money::Fen;
use zhida_core::organisation::Organisation;
use zhida_core::payout::{Alarm, Carrier, Payout, PayoutState, Posting, Word};
use zhida_core::ports::queue::Destination;
use zhida_core::ports::store::{JournalEntry, Protocol, QuarantineRow, StoredEvent};
use zhida_core::steps::{
    ApplicationFacts, CapKey, Changes, Desk, Fund, Operator, Policy, Reconsider, Restored, Switch, WorldEvent,
};

/// One handle on the store.
#[derive(Clone)]
pub struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
    clock: Arc<AtomicI64>,
    protocol: Protocol,
    session: Arc<Session>,
}

/// Where a session takes its row numbers from.
#[derive(Default)]
struct Session {
    next: AtomicU64,
    end: AtomicU64,
}

/// How many row numbers a session takes at once.
const BLOCK: u64 = 8;

/// What is stored. Public to be read by checkers; tests that tamper with a database do it here.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// Payouts.
    pub payouts: BTreeMap<PayoutKey, Payout>,
    /// Instruction → payout.
    pub instructions: BTreeMap<InstructionId, PayoutKey>,
    /// Batches.
    pub batches: BTreeMap<MsgId, Batch>,
    /// Movements of money; each is a transaction of its own that sums to zero by its form.
    pub postings: Vec<Posting>,
    /// The journal.
    pub journal: Vec<JournalEntry>,
    /// Everything that rang.
    pub alarms: Vec<Alarm>,
    /// When each of them rang.
    pub alarm_times: Vec<Timestamp>,
    /// Funds.
    pub funds: BTreeMap<FundId, Fund>,
    /// Policies.
    pub policies: BTreeMap<PolicyId, Policy>,
    /// Charged to yearly caps.
    pub caps: BTreeMap<CapKey, Fen>,
    /// What is known of applications.
    pub applications: BTreeMap<ApplicationId, ApplicationFacts>,
    /// Commitments: id → USCC.
    pub commitments: BTreeMap<String, String>,
    /// Inbox: (source, id) → content hash and the event as stored.
    pub inbox: BTreeMap<(String, String), (String, StoredEvent)>,
    /// Quarantine.
    pub quarantine: Vec<QuarantineRow>,
    /// Payouts to be judged again.
    pub reconsider: BTreeSet<PayoutKey>,
    /// The stop switch.
    pub switch: Switch,
    /// Last account each enterprise was paid on.
    pub last_paid: BTreeMap<String, String>,
    /// First sendings: when, out of which fund, how much.
    pub first_sent: Vec<(Timestamp, FundId, Fen)>,
    /// Outbox by row number.
    pub outbox: BTreeMap<u64, OutboxEntry>,
    /// Operators.
    pub operators: BTreeMap<OperatorId, Operator>,
    /// The organisation.
    pub organisation: Organisation,
    /// Imported calendars, oldest first.
    pub calendars: Vec<ImportedCalendar>,
    /// Reviews.
    pub cases: CaseTables,
    /// Patterns.
    pub patterns: PatternTables,
    /// Digests.
    pub digesting: DigestTables,
    /// Notices.
    pub noticing: NoticeTables,
    /// Random, made anew by every recovery.
    pub incarnation: String,
    /// Those before.
    pub past_incarnations: Vec<String>,
    /// The last recovery.
    pub restored: Option<Restored>,
    /// Evidence that named an instruction nobody knew.
    pub strange_evidence: Vec<(InstructionId, Word, Carrier)>,
    /// The last number of each subject's events.
    pub sequences: BTreeMap<String, u64>,
    /// What a database's constraints would have refused to store.
    pub offences: Vec<String>,
    numbers: u64,
}

/// An outbox row as stored.
#[derive(Clone, Debug)]
pub struct OutboxEntry {
    /// Where it goes.
    pub destination: Destination,
    /// The payload.
    pub body: Vec<u8>,
    /// When it was written.
    pub written_at: Timestamp,
    /// In a relay's hands until then.
    pub leased_until: Option<Timestamp>,
    /// Out.
    pub sent: bool,
}

impl MemoryStore {
    /// An empty store whose clock stands at `now`.
    #[must_use]
    pub fn new(protocol: Protocol, now: Timestamp) -> Self {
        Self {
            tables: Arc::default(),
            clock: Arc::new(AtomicI64::new(now.as_microsecond())),
            protocol,
            session: Arc::default(),
        }
    }

    /// Another handle, with row numbers of its own.
    #[must_use]
    pub fn session(&self) -> Self {
        Self { session: Arc::default(), ..self.clone() }
    }

    /// The same store under another protocol.
    #[must_use]
    pub fn with_protocol(self, protocol: Protocol) -> Self {
        Self { protocol, ..self }
    }

    /// The database's clock.
    #[must_use]
    pub fn clock(&self) -> Timestamp {
        Timestamp::from_microsecond(self.clock.load(Ordering::Relaxed)).unwrap_or(Timestamp::MAX)
    }

    /// Sets the database's clock.
    pub fn set_clock(&self, now: Timestamp) {
        self.clock.store(now.as_microsecond(), Ordering::Relaxed);
    }

    /// The tables, for reading and for tampering.
    pub fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn desk<'a>(&'a self, payouts: impl IntoIterator<Item = Payout>) -> Desk<'a> {
        Desk::new(&self.protocol.rules, self.clock(), payouts)
    }

    /// Writes what a step wants; the transaction ends here.
    fn write(&self, tables: &mut Tables, changes: Changes) {
        let now = self.clock();
        for payout in changes.payouts.into_values() {
            tables.note_first_sendings(&payout, now);
            tables.note_account(&payout);
            tables.note_offences(&payout);
            tables.note_change(&payout);
            for one in &payout.instructions {
                tables.instructions.insert(one.id.clone(), payout.key.clone());
            }
            tables.payouts.insert(payout.key.clone(), payout);
        }
        tables.batches.extend(changes.batches);
        for msg_id in changes.examine {
            if let Some(batch) = tables.batches.get_mut(&msg_id).filter(|one| one.closed.is_none()) {
                batch.examine_at = Some(now);
            }
        }
        tables.postings.extend(changes.postings);
        tables.alarm_times.extend(changes.alarms.iter().map(|_| now));
        tables.alarms.extend(changes.alarms);
        for (id, amount) in changes.funds {
            if let Some(fund) = tables.funds.get_mut(&id) {
                fund.committed = Fen(fund.committed.0 + amount.0);
            }
        }
        for (key, amount) in changes.caps {
            let sum = tables.caps.entry(key).or_default();
            *sum = Fen(sum.0 + amount.0);
        }
        tables.applications.extend(changes.applications);
        tables.commitments.extend(changes.commitments);
        for arrival in changes.inbox {
            tables.note_case(&arrival, now);
            let event = StoredEvent { body: arrival.body, received_at: now };
            tables.inbox.insert((arrival.source, arrival.event_id), (arrival.content_sha256, event));
        }
        for row in changes.journal {
            let sequence = i64::try_from(tables.journal.len()).unwrap_or(i64::MAX) + 1;
            let (kind, subject, by, detail) = (row.kind, row.subject, row.by, row.detail);
            tables.journal.push(JournalEntry { sequence, at: now, kind, subject, by, detail });
        }
        for item in changes.quarantine {
            tables.put_in_quarantine(item, now);
        }
        for event in changes.world {
            let sequence = tables.next_number(&event.subject);
            let body = outgoing(&event, sequence, now);
            self.enqueue(tables, Destination::World { event_type: event.event_type }, body);
        }
        if !changes.doorbells.is_empty() {
            let names: Vec<String> = changes.doorbells.iter().map(ToString::to_string).collect();
            self.enqueue(tables, Destination::PayoutDoorbell, names.join(" ").into_bytes());
        }
        self.ask(tables, changes.notices);
        for which in &changes.reconsider {
            tables.mark_for_reconsideration(which);
        }
        if let Some(switch) = changes.switch {
            tables.switch = switch;
        }
    }

    fn enqueue(&self, tables: &mut Tables, destination: Destination, body: Vec<u8>) {
        let mut number = self.session.next.load(Ordering::Relaxed);
        if number == self.session.end.load(Ordering::Relaxed) {
            number = tables.numbers + 1;
            tables.numbers += BLOCK;
            self.session.end.store(number + BLOCK, Ordering::Relaxed);
        }
        self.session.next.store(number + 1, Ordering::Relaxed);
        let entry = OutboxEntry { destination, body, written_at: self.clock(), leased_until: None, sent: false };
        tables.outbox.insert(number, entry);
    }
}

/// An event as it leaves, in the form of every store.
fn outgoing(event: &WorldEvent, sequence: u64, now: Timestamp) -> Vec<u8> {
    let body = json!({"specversion": "1.0", "id": format!("{}-{sequence}", event.subject),
        "source": "/zhida/example", "type": event.event_type, "subject": event.subject, "time": now,
        "datacontenttype": "application/json", "sequence": sequence, "data": event.data});
    body.to_string().into_bytes()
}

impl Tables {
    fn next_number(&mut self, subject: &str) -> u64 {
        let last = self.sequences.entry(subject.to_owned()).or_default();
        *last += 1;
        *last
    }

    fn note_first_sendings(&mut self, payout: &Payout, now: Timestamp) {
        let known = self.payouts.get(&payout.key);
        for one in payout.instructions.iter().filter(|one| one.first_claimed_at == Some(now)) {
            let before = known.and_then(|before| before.by_id(&one.id)).and_then(|before| before.first_claimed_at);
            if let (None, Some(fund_id)) = (before, payout.fund_id.clone()) {
                self.first_sent.push((now, fund_id, payout.amount));
            }
        }
    }

    fn note_account(&mut self, payout: &Payout) {
        if payout.state() != PayoutState::Settled {
            return;
        }
        let paid = payout.instructions.iter().rev().find(|one| one.is_debited());
        if let Some(transfer) = paid.and_then(|one| one.transfer.as_ref()) {
            self.last_paid.insert(payout.enterprise.uscc.clone(), transfer.payee.account_no.clone());
        }
    }

    /// The unique index `instructions_one_live` of the real stores.
    fn note_offences(&mut self, payout: &Payout) {
        let live: Vec<u32> = payout.instructions.iter().filter(|one| one.is_live()).map(|one| one.generation).collect();
        if live.len() > 1 {
            self.offences.push(format!("{}: generations {live:?} are live at once", payout.key));
        }
    }

    fn mark_for_reconsideration(&mut self, which: &Reconsider) {
        let concerned = |payout: &&Payout| match which {
            Reconsider::Application(id) => payout.key.application_id == *id,
            Reconsider::Commitment(id) => payout.commitment_id.as_ref() == Some(id),
            Reconsider::Fund(id) => {
                let of_policy = self.policies.get(&payout.policy_id).map(|policy| &policy.fund_id);
                payout.fund_id.as_ref() == Some(id) || of_policy == Some(id)
            }
        };
        let keys: Vec<PayoutKey> = self.payouts.values().filter(concerned).map(|one| one.key.clone()).collect();
        self.reconsider.extend(keys);
    }

    fn payouts_named<'a>(&self, keys: impl IntoIterator<Item = &'a PayoutKey>) -> Vec<Payout> {
        let distinct: BTreeSet<&PayoutKey> = keys.into_iter().collect();
        distinct.into_iter().filter_map(|key| self.payouts.get(key)).cloned().collect()
    }
}
