//! The small world: its state, its steps, and the folding of time.

use crate::bank::{Bank, Fate, Standing};
use crate::scene::{Approved, NOW, Names, approval, fund, names_in, policy, withdrawal};
use jiff::{SignedDuration, Timestamp};
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use zhida_core::batch::{Batch, ClaimedBatch, Stopped, may_be_written};
use zhida_core::ids::{InstructionId, MsgId, PayoutKey};
use zhida_core::payout::{Carrier, Payout, Word};
use zhida_core::ports::bank::CallOutcome;
use zhida_core::ports::store::{Enquiry, IntakeStore, PayoutStore, Protocol, ReferenceStore};
use zhida_core::rules::Rules;
use zhida_core::steps::EnquiryResult;
use zhida_tests::memory_store::{MemoryStore, Tables};

/// Longer than lease, visibility and every pause together.
const JUMP: SignedDuration = SignedDuration::from_hours(24);

/// The model: what never changes.
pub(crate) struct Small {
    protocol: Protocol,
    empty: Tables,
    start: State,
}

/// Everything that does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    pub(crate) payouts: Vec<Arc<Known>>,
    pub(crate) batches: Vec<Batch>,
    pub(crate) bank: Bank,
    pub(crate) wrote_without_claim: bool,
    pub(crate) claimed_after_end: bool,
    workers: [At; 2],
    left: Budget,
}

/// A folded payout with the hash of its written form: whatever a payout holds, now or in later versions, is part of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Known {
    hash: u64,
    payout: Payout,
}

impl std::ops::Deref for Known {
    type Target = Payout;

    fn deref(&self) -> &Payout {
        &self.payout
    }
}

impl Known {
    fn of(payout: Payout) -> Arc<Self> {
        let payout = folded_payout(payout);
        let mut hasher = DefaultHasher::new();
        serde_json::to_vec(&payout).unwrap().hash(&mut hasher);
        Arc::new(Self { hash: hasher.finish(), payout })
    }
}

impl Eq for State {}

impl Hash for State {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.payouts.iter().for_each(|known| known.hash.hash(state));
        for batch in &self.batches {
            (&batch.msg_id, &batch.bytes, batch.calls, batch.closed.is_some(), batch.examine_at).hash(state);
        }
        format!("{:?}", self.workers).hash(state);
        (&self.bank, self.left, self.wrote_without_claim, self.claimed_after_end).hash(state);
    }
}

/// What may still go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    /// Claims, counted for each payout.
    pub(crate) claims: u8,
    /// Payouts in one message, and questions in one turn, at most.
    pub(crate) together: u32,
    /// Crashes of workers.
    pub(crate) crashes: u8,
    /// Calls without a certain end.
    pub(crate) doubts: u8,
    /// Transfers that the bank takes its time for.
    pub(crate) pendings: u8,
    /// Refusals by the bank.
    pub(crate) refusals: u8,
    /// Refusals by its front end of what the bank has taken in.
    pub(crate) false_refusals: u8,
    /// Withdrawals of the first application.
    pub(crate) withdrawals: u8,
}

/// Where a worker stands in its turn.
#[derive(Clone, Debug, PartialEq)]
enum At {
    Idle,
    /// Claimed; whether the lease is over by the worker's own stopwatch.
    Claimed(ClaimedBatch, Lease),
    /// The call is over, nothing is booked.
    Called(ClaimedBatch, CallOutcome),
    /// Enquiries are answered, nothing is booked.
    Enquired(Vec<EnquiryResult>),
}

impl At {
    fn rank(&self) -> u8 {
        match self {
            Self::Idle => 0,
            Self::Claimed(..) => 1,
            Self::Called(..) => 2,
            Self::Enquired(_) => 3,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lease {
    Runs,
    Over,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Claim(usize),
    /// The last look, and the call if it speaks for it: what comes between the two is as if it came after.
    Call(usize, Fate),
    /// The last look speaks against it: the claim is given up.
    Decline(usize),
    Book(usize),
    Enquire(usize),
    Crash(usize),
    ExpireLeases,
    TimeJumps,
    Becomes(InstructionId, Standing),
    StatementLine(InstructionId),
    Withdraw,
}

impl Small {
    /// A world in which so much may go wrong.
    pub(crate) fn new(left: Budget) -> Self {
        let mut rules = Rules::with_defaults("model");
        rules.at_risk_after.clear();
        let protocol = Protocol { rules: Arc::new(rules), format: Arc::new(Names), verifier: Arc::new(Approved) };
        let store = MemoryStore::new(protocol.clone(), NOW);
        at_once(store.import_policies(&[fund()], &[policy()], "model")).unwrap();
        at_once(store.take_in(vec![approval(0), approval(1)])).unwrap();
        let mut empty = store.tables().clone();
        let payouts = std::mem::take(&mut empty.payouts).into_values().map(Known::of).collect();
        (empty.journal, empty.outbox, empty.postings) = Default::default();
        let start = State {
            payouts,
            batches: Vec::new(),
            bank: Bank::default(),
            wrote_without_claim: false,
            claimed_after_end: false,
            workers: [At::Idle, At::Idle],
            left,
        };
        Self { protocol, empty, start: folded(start) }
    }

    pub(crate) fn start(&self) -> State {
        self.start.clone()
    }

    pub(crate) fn steps(&self, state: &State, steps: &mut Vec<Step>) {
        for (who, at) in state.workers.iter().enumerate() {
            match at {
                At::Idle => {
                    let claims: u64 = state.payouts.iter().map(|payout| payout.epoch).sum();
                    if claims < u64::from(state.left.claims) {
                        steps.push(Step::Claim(who));
                    }
                    steps.push(Step::Enquire(who));
                    continue; // a worker that holds nothing loses nothing by a crash
                }
                At::Claimed(claimed, lease) if may_call(state, claimed, *lease) => {
                    steps.extend(fates(state.left).into_iter().map(|fate| Step::Call(who, fate)));
                }
                At::Claimed(..) => steps.push(Step::Decline(who)),
                At::Called(..) | At::Enquired(_) => steps.push(Step::Book(who)),
            }
            if state.left.crashes > 0 {
                steps.push(Step::Crash(who));
            }
        }
        // An answer to an enquiry is booked or lost within the bank's time-out.
        let jumps = |at: &At| match at {
            At::Enquired(results) => results.iter().all(|one| one.begun_at == NOW),
            At::Idle | At::Claimed(..) | At::Called(..) => true,
        };
        if state.workers.iter().all(jumps) {
            steps.push(Step::TimeJumps);
        }
        steps.push(Step::ExpireLeases);
        for id in state.bank.pending() {
            steps.push(Step::Becomes(id.clone(), Standing::Settled));
            if state.left.refusals > 0 {
                steps.push(Step::Becomes(id, Standing::Refused));
            }
        }
        steps.extend(state.bank.settled().into_iter().map(Step::StatementLine));
        if state.left.withdrawals > 0 {
            steps.push(Step::Withdraw);
        }
    }

    pub(crate) fn after(&self, last: &State, step: Step) -> Option<State> {
        let mut state = last.clone();
        match step {
            Step::Claim(who) => {
                let name = free_name(&state);
                let claimed = self.in_store(&mut state, |store| at_once(store.claim(name, last.left.together)).unwrap());
                if let Some(claimed) = claimed {
                    let ended = |key: &PayoutKey| last.payouts.iter().any(|one| one.key == *key && one.ended.is_some());
                    state.claimed_after_end |= claimed.members.iter().any(|(member, _)| ended(&member.key));
                    state.workers[who] = At::Claimed(claimed, Lease::Runs);
                }
            }
            Step::Call(who, fate) => {
                let At::Claimed(claimed, _) = last.workers[who].clone() else { return None };
                call(&mut state, who, claimed, fate);
            }
            Step::Decline(who) => {
                let At::Claimed(claimed, _) = last.workers[who].clone() else { return None };
                state.workers[who] = At::Idle;
                self.in_store(&mut state, |store| at_once(store.book_not_made(&claimed, "")).unwrap());
            }
            Step::Book(who) => self.book(&mut state, who),
            Step::Enquire(who) => {
                let together = last.left.together;
                let due = self.in_store(&mut state, |store| at_once(store.claim_enquiries(together)).unwrap());
                let answered = |one: &Enquiry| EnquiryResult {
                    key: one.key.clone(),
                    instruction_id: one.instruction_id.clone(),
                    begun_at: one.begun_at,
                    outcome: state.bank.enquire(&one.instruction_id),
                };
                let results: Vec<EnquiryResult> = due.iter().map(answered).collect();
                if results.is_empty() {
                    return None;
                }
                state.workers[who] = At::Enquired(results);
            }
            Step::Crash(who) => {
                state.workers[who] = At::Idle;
                state.left.crashes -= 1;
            }
            Step::ExpireLeases => {
                self.in_store(&mut state, |store| at_once(store.expire_leases(2)).unwrap());
            }
            Step::TimeJumps => {
                jump(&mut state);
                // Holds that end by time end with it.
                self.in_store(&mut state, |store| at_once(store.time_passes(2)).unwrap());
            }
            Step::Becomes(id, standing) => {
                state.left.refusals -= u8::from(standing == Standing::Refused);
                state.bank.becomes(&id, standing);
            }
            Step::StatementLine(id) => {
                let word = Word::Settled { credited_at: None, bank_reference: None };
                let line = [(id, word, Carrier::Statement)];
                self.in_store(&mut state, |store| at_once(store.book_evidence(&line)).unwrap());
            }
            Step::Withdraw => {
                state.left.withdrawals -= 1;
                self.in_store(&mut state, |store| at_once(store.take_in(vec![withdrawal()])).unwrap());
            }
        }
        let state = folded(state);
        (state != *last).then_some(state)
    }

    fn book(&self, state: &mut State, who: usize) {
        let at = std::mem::replace(&mut state.workers[who], At::Idle);
        self.in_store(state, |store| match &at {
            At::Called(claimed, outcome) => at_once(store.book_call(claimed, outcome)).unwrap(),
            At::Enquired(results) => at_once(store.book_enquiries(results)).unwrap(),
            At::Idle | At::Claimed(..) => {}
        });
    }

    /// Does something in the store as it stands in this state.
    fn in_store<T>(&self, state: &mut State, work: impl FnOnce(&MemoryStore) -> T) -> T {
        let store = MemoryStore::new(self.protocol.clone(), NOW);
        let mut tables = self.empty.clone();
        tables.payouts = state.payouts.iter().map(|known| (known.key.clone(), known.payout.clone())).collect();
        for payout in tables.payouts.values() {
            let ids = payout.instructions.iter().map(|one| (one.id.clone(), payout.key.clone()));
            tables.instructions.extend(ids);
        }
        tables.batches = state.batches.drain(..).map(|batch| (batch.msg_id.clone(), batch)).collect();
        *store.tables() = tables;
        let result = work(&store);
        let mut tables = store.tables();
        for (known, payout) in state.payouts.iter_mut().zip(std::mem::take(&mut tables.payouts).into_values()) {
            if known.payout != payout {
                *known = Known::of(payout);
            }
        }
        state.batches = std::mem::take(&mut tables.batches).into_values().collect();
        result
    }
}

/// The last look: what the database says, and the worker's own stopwatch.
fn may_call(state: &State, claimed: &ClaimedBatch, lease: Lease) -> bool {
    lease == Lease::Runs && {
        let payouts: Vec<Payout> = state.payouts.iter().map(|known| known.payout.clone()).collect();
        may_be_written(claimed, &payouts, Stopped::No).is_ok()
    }
}

fn fates(left: Budget) -> Vec<Fate> {
    let mut fates = vec![Fate::Answered(Standing::Settled), Fate::TurnedAway];
    if left.pendings > 0 {
        fates.push(Fate::Answered(Standing::Pending));
    }
    if left.doubts > 0 {
        fates.extend([Fate::Swallowed(Standing::Settled), Fate::Lost, Fate::FirstNamedOnly]);
    }
    if left.refusals > 0 {
        fates.push(Fate::Answered(Standing::Refused));
        if left.doubts > 0 {
            fates.push(Fate::Swallowed(Standing::Refused));
        }
    }
    if left.false_refusals > 0 {
        fates.push(Fate::FalselyRefused);
    }
    fates
}

fn call(state: &mut State, who: usize, claimed: ClaimedBatch, fate: Fate) {
    let left = &mut state.left;
    match fate {
        Fate::Answered(Standing::Refused) => left.refusals -= 1,
        Fate::Swallowed(Standing::Refused) => (left.refusals, left.doubts) = (left.refusals - 1, left.doubts - 1),
        Fate::Swallowed(_) | Fate::Lost | Fate::FirstNamedOnly => left.doubts -= 1,
        Fate::FalselyRefused => left.false_refusals -= 1,
        Fate::Answered(Standing::Pending) => left.pendings -= 1,
        Fate::Answered(Standing::Settled) | Fate::TurnedAway => {}
    }
    for (member, epoch) in &claimed.members {
        let payout = state.payouts.iter().find(|one| one.key == member.key);
        let claim = payout.and_then(|one| one.by_id(&member.instruction_id)).and_then(|one| one.claim.as_ref());
        state.wrote_without_claim |= claim.is_none_or(|claim| claim.epoch != *epoch || claim.lease_until <= NOW);
    }
    let ids: Vec<InstructionId> = names_in(&claimed.bytes);
    let members: Vec<_> = claimed.members.iter().map(|(member, _)| member.instruction_id.clone()).collect();
    state.wrote_without_claim |= ids != members;
    let outcome = state.bank.call(&ids, fate);
    state.workers[who] = At::Called(claimed, outcome);
}

/// The smallest name that nobody remembers.
fn free_name(state: &State) -> MsgId {
    let taken = |name: &MsgId| {
        let of_worker = |at: &At| match at {
            At::Claimed(claimed, _) | At::Called(claimed, _) => {
                claimed.msg_id == *name
            }
            At::Idle | At::Enquired(_) => false,
        };
        state.batches.iter().any(|one| one.msg_id == *name) || state.workers.iter().any(of_worker)
    };
    (1..).map(|number| MsgId(format!("M{number}"))).find(|name| !taken(name)).unwrap()
}

// ── time ──

fn jump(state: &mut State) {
    for known in &mut state.payouts {
        let mut payout = known.payout.clone();
        moments(&mut payout, |moment| *moment -= JUMP);
        *known = Known::of(payout);
    }
    for batch in &mut state.batches {
        batch.examine_at = batch.examine_at.map(|moment| moment - JUMP);
    }
    for at in &mut state.workers {
        match at {
            At::Claimed(_, lease) => *lease = Lease::Over,
            At::Enquired(results) => results.iter_mut().for_each(|one| one.begun_at -= JUMP),
            At::Idle | At::Called(..) => {}
        }
    }
    state.bank.time_jumps();
}

/// The moments of a payout that decide something.
fn moments(payout: &mut Payout, mut change: impl FnMut(&mut Timestamp)) {
    payout.holds.values_mut().filter_map(|hold| hold.until.as_mut()).for_each(&mut change);
    for one in &mut payout.instructions {
        one.claim.iter_mut().for_each(|claim| change(&mut claim.lease_until));
        one.last_call_ended_at.iter_mut().for_each(&mut change);
        one.enquire_at.iter_mut().for_each(&mut change);
    }
}

/// Every moment becomes one of four.
fn fold(moment: &mut Timestamp) {
    *moment = match *moment {
        to_come if to_come > NOW => NOW + SignedDuration::from_secs(1),
        now if now == NOW => NOW,
        past if past > NOW - JUMP - JUMP => NOW - JUMP,
        _ => NOW - JUMP - JUMP,
    };
}

/// What decides nothing becomes nothing.
fn folded_payout(mut payout: Payout) -> Payout {
    moments(&mut payout, fold);
    payout.holds.values_mut().for_each(|hold| hold.since = NOW);
    (payout.sequence, payout.told) = (0, Default::default());
    for one in &mut payout.instructions {
        (one.minted_at, one.enquiries, one.not_found) = (NOW, 0, one.not_found.min(3));
        one.first_claimed_at.iter_mut().for_each(|at| *at = NOW);
        one.on_the_way_since.iter_mut().for_each(|at| *at = NOW);
        one.rejection.iter_mut().for_each(|rejection| rejection.at = NOW);
        one.closed_at.iter_mut().for_each(|at| *at = NOW);
        if let Some(debit) = &mut one.debit {
            (debit.credited_at, debit.observed_at) = (NOW, NOW);
        }
    }
    payout
}

fn folded(mut state: State) -> State {
    // Which worker is which does not matter.
    if state.workers[0].rank() > state.workers[1].rank() {
        state.workers.swap(0, 1);
    }
    let workers = &state.workers;
    state.batches.retain(|batch| {
        let in_hand = |at: &At| match at {
            At::Claimed(claimed, _) | At::Called(claimed, _) => {
                claimed.msg_id == batch.msg_id
            }
            At::Idle | At::Enquired(_) => false,
        };
        batch.closed.is_none() || workers.iter().any(in_hand)
    });
    for batch in &mut state.batches {
        batch.examine_at.iter_mut().for_each(fold);
        (batch.created_at, batch.calls) = (NOW, batch.calls.min(2));
    }
    state
}

fn at_once<T>(future: impl Future<Output = T>) -> T {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("the store in memory never waits"),
    }
}
