//! One simulated world: the durable store, the bank, the queues, the clock, the dice, and what watches while it runs.
//! Everything random comes from one seeded generator, everything runs on one thread: a seed is a history.

use crate::bank::{Bank, CallPlan, Temper};
use crate::district::{District, SealedEvents};
use crate::history::Trace;
use crate::message::{PlainFormat, read_message};
use crate::scheduling::{Breath, Chances, Side, Virtual};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zhida_config::Calendar;
use zhida_core::batch::ClaimedBatch;
use zhida_core::ids::{InstructionId, MsgId};
use zhida_core::money::Fen;
use zhida_core::payout::Payout;
use zhida_core::ports::bank::Transfer;
use zhida_core::ports::queue::DeliveryTag;
use zhida_core::ports::store::{Protocol, SignedAct};
use zhida_core::rails::LargeValueRail;
use zhida_core::rules::{Idempotency, Rules};
use zhida_core::steps::Arrival;
use zhida_tests::memory_store::{MemoryStore, Tables};

/// The start of every history.
pub(crate) const START: Timestamp = Timestamp::constant(1_795_000_000, 0);

/// What the lease must leave beyond the bank's time-out.
pub(crate) const MARGIN: SignedDuration = SignedDuration::from_secs(5);

/// The world, shared by all workers of one history.
pub(crate) struct Sim {
    pub(crate) store: MemoryStore,
    pub(crate) rules: Arc<Rules>,
    events: Arc<Vec<Arrival>>,
    world: Mutex<World>,
}

/// What changes without being stored by us.
pub(crate) struct World {
    pub(crate) rng: fastrand::Rng,
    pub(crate) chances: Chances,
    pub(crate) bank: Bank,
    pub(crate) district: District,
    pub(crate) intake: Inbound,
    /// Events that were published, by place.
    pub(crate) published: BTreeSet<usize>,
    /// Outbox rows that reached the world, by id.
    pub(crate) heard: BTreeSet<String>,
    /// Doorbells that rang and were not answered yet.
    pub(crate) doorbells: u32,
    /// Set by a sleeping future while it is polled: the earliest moment at which polling it again makes sense.
    pub(crate) asleep_until: Option<Timestamp>,
    /// The last backup of the database, and where it stood when it was lost.
    pub(crate) backup: Option<Tables>,
    /// When the database was last restored.
    pub(crate) restored_at: Option<Timestamp>,
    /// Policies that were imported, by place; acts that were handed in.
    pub(crate) imported: Vec<usize>,
    pub(crate) acts: Vec<SignedAct>,
    /// Where each worker stands: on which side of which call.
    stands: BTreeMap<usize, (Side, &'static str)>,
    /// Where workers died.
    pub(crate) died: BTreeSet<(Side, &'static str)>,
    /// What may never happen and did.
    pub(crate) violations: Vec<String>,
    /// The readable history, when somebody asked for it.
    pub(crate) trace: Option<Vec<String>>,
    given: BTreeMap<(usize, MsgId), Vec<(InstructionId, u64)>>,
    looks: BTreeMap<(usize, MsgId), Result<(), String>>,
    written: BTreeMap<MsgId, Vec<u8>>,
    pub(crate) content: BTreeMap<InstructionId, Transfer>,
}

/// The intake queue: loses nothing that is not acknowledged, doubles and reorders as it likes.
#[derive(Default)]
pub(crate) struct Inbound {
    pub(crate) waiting: VecDeque<usize>,
    pub(crate) in_flight: BTreeMap<DeliveryTag, usize>,
    pub(crate) next_number: u64,
}

impl Inbound {
    /// The connection `session` is gone: what it had not acknowledged comes again.
    pub(crate) fn disconnect(&mut self, session: u64) {
        let back: Vec<DeliveryTag> = self.in_flight.keys().copied().filter(|tag| tag.session == session).collect();
        self.waiting.extend(back.iter().filter_map(|tag| self.in_flight.remove(tag)));
    }
}

impl Sim {
    pub(crate) fn new(seed: u64, trace: Trace) -> Arc<Self> {
        let mut rng = fastrand::Rng::with_seed(seed);
        let rules = Arc::new(rules(&mut rng));
        let district = District::invent(&mut rng, &rules);
        let verifier = Arc::new(SealedEvents::of(&district));
        let events = district.events.clone();
        let protocol = Protocol { rules: rules.clone(), format: Arc::new(PlainFormat), verifier };
        let mut pick = |choices: [u32; 3]| choices[rng.usize(0..3)];
        let chances = Chances {
            crash: pick([0, 8, 30]),
            store_fault: pick([0, 10, 60]),
            queue_fault: pick([0, 30, 200]),
            jump: pick([5, 30, 100]),
        };
        let temper = [Temper::Healthy, Temper::Hostile(15), Temper::Hostile(50), Temper::Hostile(80)][rng.usize(0..4)];
        let mut bank = Bank::new(temper, rules.bank.timeout, rules.bank.visibility);
        bank.breaks_promises = rng.u8(0..12) == 0;
        bank.by_message = rules.bank.idempotency == Idempotency::MessageId;
        let world = World {
            rng,
            chances,
            bank,
            district,
            intake: Inbound::default(),
            published: BTreeSet::new(),
            heard: BTreeSet::new(),
            doorbells: 0,
            asleep_until: None,
            backup: None,
            restored_at: None,
            imported: vec![0],
            acts: Vec::new(),
            stands: BTreeMap::new(),
            died: BTreeSet::new(),
            violations: Vec::new(),
            trace: (trace == Trace::On).then(Vec::new),
            given: BTreeMap::new(),
            looks: BTreeMap::new(),
            written: BTreeMap::new(),
            content: BTreeMap::new(),
        };
        Arc::new(Self { store: MemoryStore::new(protocol, START), rules, events, world: Mutex::new(world) })
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.store.clock()
    }

    /// Every event that anybody signs in this history.
    pub(crate) fn world_events(&self) -> Arc<Vec<Arrival>> {
        self.events.clone()
    }

    /// Lets the clock run to `to`, with everything that happens at the bank meanwhile.
    pub(crate) fn advance(&self, to: Timestamp) {
        self.store.set_clock(to);
        let mut world = self.world();
        let World { rng, bank, .. } = &mut *world;
        bank.advance(rng, to);
    }

    pub(crate) fn say(&self, line: impl FnOnce() -> String) {
        let now = self.now();
        if self.world().trace.is_none() {
            return;
        }
        let millis = now.duration_since(START).as_millis();
        let line = format!("{:>8}.{:03}s  {}", millis / 1000, millis % 1000, line());
        if let Some(trace) = &mut self.world().trace {
            trace.push(line);
        }
    }

    /// Rows of the journal so far.
    pub(crate) fn journal_rows(&self) -> usize {
        self.store.tables().journal.len()
    }

    /// What a call has written into the journal since.
    pub(crate) fn say_journal(&self, slot: usize, call: &str, since: usize) {
        if self.world().trace.is_none() {
            return;
        }
        let rows: Vec<String> = {
            let tables = self.store.tables();
            let since = tables.journal.iter().skip(since);
            since.map(|row| format!("worker {slot} · {call}: {} {} {}", row.subject, row.kind, row.detail)).collect()
        };
        rows.into_iter().for_each(|row| self.say(|| row));
    }

    /// From here on that is where the worker dies, if it does.
    pub(crate) fn stands(&self, slot: usize, side: Side, call: &'static str) {
        self.world().stands.insert(slot, (side, call));
    }

    /// A scheduling point at a call: here other workers go on, time passes, and a crash may strike.
    pub(crate) fn breathe(&self, slot: usize, side: Side, call: &'static str) -> impl Future<Output = ()> + use<> {
        self.stands(slot, side, call);
        Breath::default()
    }

    /// The worker dies where it stands.
    pub(crate) fn dies(&self, slot: usize) {
        let mut world = self.world();
        let place = world.stands.get(&slot).copied();
        world.died.extend(place);
        drop(world);
        self.say(|| format!("worker {slot} crashes: {place:?}"));
    }

    pub(crate) fn forbid(&self, what: String) {
        self.say(|| format!("!!! {what}"));
        self.world().violations.push(what);
    }

    // ── what watches ──

    pub(crate) fn watch_claim(&self, slot: usize, claimed: &ClaimedBatch) {
        let members = claimed.members.iter().map(|(member, epoch)| (member.instruction_id.clone(), *epoch)).collect();
        self.world().given.insert((slot, claimed.msg_id.clone()), members);
    }

    pub(crate) fn watch_look(&self, slot: usize, claimed: &ClaimedBatch, verdict: &Result<(), String>) {
        self.world().looks.insert((slot, claimed.msg_id.clone()), verdict.clone());
    }

    /// The moment of truth: bytes go to the bank.
    pub(crate) fn watch_write(&self, slot: usize, msg_id: &MsgId, bytes: &[u8]) -> (CallPlan, Vec<InstructionId>) {
        let transfers = read_message(bytes);
        let now = self.now();
        for transfer in &transfers {
            self.watch_transfer(transfer, now);
        }
        let ids: Vec<InstructionId> = transfers.iter().map(|one| one.instruction_id.clone()).collect();
        let mut wrong = Vec::new();
        let mut world = self.world();
        match world.looks.remove(&(slot, msg_id.clone())) {
            Some(Ok(())) => {}
            Some(Err(why)) => wrong.push(format!("{msg_id} was written although the last look said: {why}")),
            None => wrong.push(format!("{msg_id} was written without a last look")),
        }
        if world.written.get(msg_id).is_some_and(|before| before != bytes) {
            wrong.push(format!("{msg_id} was written with other bytes than before"));
        }
        world.written.insert(msg_id.clone(), bytes.to_vec());
        let World { rng, bank, .. } = &mut *world;
        let plan = bank.receive(rng, now, (msg_id.clone(), transfers));
        drop(world);
        wrong.into_iter().for_each(|one| self.forbid(one));
        (plan, ids)
    }

    fn watch_transfer(&self, transfer: &Transfer, now: Timestamp) {
        let id = &transfer.instruction_id;
        let ends_at = now + self.rules.bank.timeout;
        let tables = self.store.tables();
        let payout = tables.instructions.get(id).and_then(|key| tables.payouts.get(key));
        let claim = payout.and_then(Payout::latest).filter(|one| one.id == *id).and_then(|one| one.claim.as_ref());
        let in_force = claim.is_some_and(|claim| claim.lease_until >= ends_at);
        drop(tables);
        // A look that passed just before the restore: its lease ends before anything is believed absent.
        let lost_lease = self.world().restored_at.is_some_and(|at| now < at + self.rules.bank.lease);
        if lost_lease {
            return;
        }
        if !in_force {
            self.forbid(format!("{id} was written to the bank without a claim whose lease covers the call"));
        }
        let mut world = self.world();
        let frozen = world.content.entry(id.clone()).or_insert_with(|| transfer.clone()) == transfer;
        drop(world);
        if !frozen {
            self.forbid(format!("{id} was written with other content than before"));
        }
    }

    /// The open claims of a batch's members.
    pub(crate) fn open_claims(&self, claimed: &ClaimedBatch) -> Vec<(InstructionId, u64)> {
        let tables = self.store.tables();
        let payouts = claimed.members.iter().filter_map(|(member, _)| tables.payouts.get(&member.key));
        let instructions = payouts.flat_map(|payout| &payout.instructions);
        instructions.filter_map(|one| one.claim.as_ref().map(|claim| (one.id.clone(), claim.epoch))).collect()
    }

    /// A booking closed claims: only those that were given to this worker under this name.
    pub(crate) fn watch_booking(&self, slot: usize, claimed: &ClaimedBatch, before: &[(InstructionId, u64)]) {
        let after = self.open_claims(claimed);
        let own = self.world().given.get(&(slot, claimed.msg_id.clone())).cloned().unwrap_or_default();
        for closed in before.iter().filter(|one| !after.contains(one) && !own.contains(one)) {
            self.forbid(format!("a stale result closed the claim of another worker: {} epoch {}", closed.0, closed.1));
        }
    }
}

/// The district's rules, tight enough that everything happens within a few virtual days.
fn rules(rng: &mut fastrand::Rng) -> Rules {
    let mut rules = Rules::with_defaults("sim");
    rules.bank.batch_max = [1, 2, 3, 10][rng.usize(0..4)];
    rules.bank.enquiry_max = SignedDuration::from_hours(6);
    rules.bank.idempotency_window = SignedDuration::from_hours([24, 72, 24 * 30][rng.usize(0..3)]);
    if rng.u8(0..4) == 0 {
        rules.limits.per_hour = Some(600_000);
        rules.limits.per_fund_per_day = Some(1_200_000);
    }
    if rng.u8(0..6) == 0 {
        rules.limits.per_day = Some(1_500_000);
    }
    if rng.u8(0..6) == 0 {
        rules.bank.idempotency = Idempotency::MessageId;
    }
    if rng.u8(0..4) == 0 {
        rules.large_value = Some(LargeValueRail {
            above: Fen(300_000),
            opens: jiff::civil::time(20, 30, 0, 0),
            closes: jiff::civil::time(17, 15, 0, 0),
            calendar: Arc::new(Calendar::mainland_china().expect("the embedded calendar is read by its own tests")),
            zone: rules.zone.clone(),
        });
    }
    rules
}

impl Virtual for Sim {
    fn now(&self) -> Timestamp {
        self.store.clock()
    }

    fn rests_until(&self, until: Timestamp) {
        let mut world = self.world();
        world.asleep_until = Some(world.asleep_until.map_or(until, |known| known.min(until)));
    }

    fn resting_until(&self) -> Option<Timestamp> {
        self.world().asleep_until.take()
    }
}
