//! The small world: what there is, who may do what next, and what becomes of it. A worker's turn stands in `turn.rs`.

use crate::bank::{Bank, Handling, Name, Standing};
use crate::roads::Roads;
use crate::scene::{NOW, authority, awards, fund, names_in, policy, withdrawal};
use crate::state::{At, Known, Question, State};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use zhida_core::batch::ClaimedBatch;
use zhida_core::ids::{FundId, MsgId, PayoutKey, PolicyId};
use zhida_core::payout::{Carrier, Event, Payout, Word};
use zhida_core::rules::{Idempotency, Rules};
use zhida_core::steps::{self, Authority, Fund, Policy};

/// How much there is of the world.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    pub(crate) payouts: u32,
    pub(crate) pace: Pace,
    pub(crate) stragglers: Stragglers,
    /// What the bank really recognises a repetition by.
    pub(crate) bank: Idempotency,
    /// Why it refuses transfers.
    pub(crate) reason: &'static str,
    /// It may refuse whole messages for their form.
    pub(crate) form_refusals: bool,
    /// Applications may be withdrawn.
    pub(crate) withdrawals: bool,
}

/// How fast the bank and its answers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Transfers wait or are hidden for a while; answers to enquiries are on their way for a while.
    Slow,
    /// All that is decided, shown, answered and booked at once.
    Fast,
}

/// What becomes of workers whose claim is over when they have neither called nor heard anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stragglers {
    /// They find out at any later time.
    Linger,
    /// They find out at once.
    Leave,
}

/// A mistake, planted to see that it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plant {
    /// A call in doubt is a refusal, and so says whoever asks.
    UnknownIsFailed,
    /// The verdict of the last look is ignored, and a stale result ends the claim of the day.
    NoEpochCheck,
    /// "Not found" is believed at once.
    NotFoundTooEarly,
    /// A message goes again whole, whatever became of its members.
    WholeBatchAgain,
    /// The lease is not measured before the call.
    LeaseUnmeasured,
    /// An absent member travels in another message although the bank recognises repetitions by the message.
    BankMisjudged,
    /// Nobody asks the bank.
    NobodyAsks,
}

/// What never changes, and what was seen on the way.
pub(crate) struct World {
    pub(crate) scope: Scope,
    pub(crate) plant: Option<Plant>,
    pub(crate) rules: Rules,
    pub(crate) funds: BTreeMap<FundId, Fund>,
    pub(crate) policies: BTreeMap<PolicyId, Policy>,
    pub(crate) authorities: BTreeMap<PayoutKey, Option<Authority>>,
    pub(crate) roads: Roads,
    pub(crate) sights: Mutex<BTreeSet<&'static str>>,
}

/// One step of somebody.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// A worker claims what is ready in a new message: this one, or all.
    Claim(usize, Option<usize>),
    /// A worker looks at an open message whose time has come, and claims it when it may go again.
    ClaimAgain(usize, MsgId),
    /// The last look; when it speaks against the call the claim is given up.
    Look(usize),
    /// The database cannot be asked: the claim is given up.
    GiveUp(usize),
    Call(usize, Fate),
    Book(usize),
    /// Booked, but the worker does not learn it and will book again.
    BookUnconfirmed(usize),
    Crash(usize),
    Ask(Name),
    BookAnswer,
    /// A payout's lease ends, and the sweep finds it.
    LeaseEnds(usize),
    /// The visibility window since the last call ends.
    WindowEnds(Name),
    HoldEnds(usize),
    /// Enquiries find it from now on.
    Shows(Name),
    Decides(Name, Standing),
    /// The bank tells of it unasked.
    Tells(Name),
    Withdraw(usize),
}

/// What becomes of a call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fate {
    TurnedAway,
    RefusedWhole,
    /// What is done with each transfer, in their order.
    Handled(Vec<Handling>),
}

impl World {
    pub(crate) fn new(scope: Scope, plant: Option<Plant>) -> Self {
        let mut rules = Rules::with_defaults("model");
        rules.at_risk_after.clear();
        rules.bank.idempotency = scope.bank;
        if plant == Some(Plant::BankMisjudged) {
            rules.bank.idempotency = Idempotency::EndToEndId;
        }
        let awards = awards(&rules, scope.payouts);
        Self {
            scope,
            plant,
            funds: [(fund().id, fund())].into(),
            policies: [(policy().id, policy())].into(),
            authorities: awards.iter().map(|one| (one.key.clone(), Some(authority(one)))).collect(),
            rules,
            roads: Roads::default(),
            sights: Mutex::default(),
        }
    }

    pub(crate) fn start(&self) -> State {
        let state = State {
            payouts: awards(&self.rules, self.scope.payouts).into_iter().map(Known::of).collect(),
            batches: Vec::new(),
            workers: [At::Idle, At::Idle],
            question: None,
            bank: Bank::default(),
            named: 0,
            false_books: false,
            likeness: 0,
        };
        state.compared()
    }

    /// Everything that may happen next.
    pub(crate) fn steps(&self, state: &State, steps: &mut Vec<Step>) {
        for (who, at) in state.workers.iter().enumerate() {
            match at {
                At::Idle => continue,
                At::Claimed(_) => steps.extend([Step::Look(who), Step::GiveUp(who)]),
                At::Looked(claimed) => {
                    steps.extend(self.fates(state, claimed).into_iter().map(|fate| Step::Call(who, fate)));
                }
                At::Called(claimed, _) => {
                    steps.push(Step::Book(who));
                    if claimed.members.iter().any(|one| state.is_in_force(one)) {
                        steps.push(Step::BookUnconfirmed(who));
                    }
                }
            }
            steps.push(Step::Crash(who));
        }
        // Which worker is which does not matter: the first that has nothing to do claims.
        if let Some(who) = state.workers.iter().position(|at| matches!(at, At::Idle)) {
            steps.extend(claims(state, who));
        }
        steps.extend(state.question.iter().map(|_| Step::BookAnswer));
        for name in state.names() {
            steps.extend(self.about(state, name));
        }
        for (payout, known) in state.payouts.iter().enumerate() {
            if known.instructions.iter().any(|one| one.claim.is_some()) && !self.is_writing(state, payout) {
                steps.push(Step::LeaseEnds(payout));
            }
            if known.holds.values().any(|hold| hold.until.is_some()) {
                steps.push(Step::HoldEnds(payout));
            }
            if self.scope.withdrawals && known.ended.is_none() {
                steps.push(Step::Withdraw(payout));
            }
        }
    }

    /// What clock, bank and enquiries may do with one instruction.
    fn about(&self, state: &State, name: Name) -> Vec<Step> {
        let mut steps = Vec::new();
        let one = state.instruction(name);
        let entry = state.bank.entry(name);
        let due = one.claim.is_none() && one.enquire_at.is_some();
        if due && state.question.is_none() && self.plant != Some(Plant::NobodyAsks) {
            steps.push(Step::Ask(name));
        }
        if entry.is_none_or(|entry| entry.hidden) && state.window_runs(name) {
            steps.push(Step::WindowEnds(name));
        }
        let Some(entry) = entry else { return steps };
        if entry.hidden {
            steps.push(Step::Shows(name));
        }
        if entry.standing == Standing::Pending {
            steps.push(Step::Decides(name, Standing::Settled));
            if name.1 == 0 {
                steps.push(Step::Decides(name, Standing::Refused));
            }
        }
        steps.push(Step::Tells(name));
        steps
    }

    /// A message with this payout is about to be written: the lease was measured, it does not end before the call.
    fn is_writing(&self, state: &State, payout: usize) -> bool {
        let writing = |at: &At| at.writing().is_some() && state.holds_claim(at, payout);
        self.plant != Some(Plant::LeaseUnmeasured) && state.workers.iter().any(writing)
    }

    /// What may become of a call: anything the bank may do with each of its transfers.
    fn fates(&self, state: &State, claimed: &ClaimedBatch) -> Vec<Fate> {
        let mut fates: Vec<Vec<Handling>> = vec![Vec::new()];
        for id in names_in(&claimed.bytes) {
            let mut may = state.bank.may(state.name(&id));
            may.retain(|how| self.scope.pace == Pace::Slow || *how != Handling::Delays);
            let with_each = |so_far: &Vec<Handling>| {
                let with = |how: &Handling| so_far.iter().chain([how]).copied().collect();
                may.iter().map(with).collect::<Vec<_>>()
            };
            fates = fates.iter().flat_map(with_each).collect();
        }
        let refused = self.scope.form_refusals.then_some(Fate::RefusedWhole);
        fates.into_iter().map(Fate::Handled).chain([Fate::TurnedAway]).chain(refused).collect()
    }

    /// What the state is after the step.
    pub(crate) fn after(&self, last: &State, step: &Step) -> State {
        let mut state = last.clone();
        match step {
            Step::Claim(who, lone) => self.claim(&mut state, *who, *lone),
            Step::ClaimAgain(who, msg_id) => self.claim_again(&mut state, *who, msg_id),
            Step::Look(who) => self.look(&mut state, *who),
            Step::GiveUp(who) => self.give_up(&mut state, *who),
            Step::Call(who, fate) => self.call(&mut state, *who, fate),
            Step::Book(who) => {
                self.book(&mut state, *who);
                state.workers[*who] = At::Idle;
            }
            Step::BookUnconfirmed(who) => self.book(&mut state, *who),
            Step::Crash(who) => state.workers[*who] = At::Idle,
            Step::Ask(name) => {
                let answer = state.bank.enquire(*name);
                let early = answer.is_none() && state.window_runs(*name);
                state.question = Some(Question { name: *name, answer, early });
            }
            Step::BookAnswer => self.book_answer(&mut state),
            Step::LeaseEnds(payout) => self.lease_ends(&mut state, *payout),
            Step::WindowEnds(name) => self.window_ends(&mut state, *name),
            Step::HoldEnds(payout) => {
                let key = change(&mut state, *payout, |payout| {
                    payout.holds.values_mut().filter_map(|hold| hold.until.as_mut()).for_each(|until| *until = NOW);
                });
                self.on_desk(&mut state, &[*payout], |desk| steps::time_passes(desk, &key));
            }
            Step::Shows(name) => state.bank.entry_mut(*name).unwrap().hidden = false,
            Step::Decides(name, standing) => state.bank.entry_mut(*name).unwrap().standing = *standing,
            Step::Tells(name) => self.tells(&mut state, *name),
            Step::Withdraw(payout) => {
                let key = state.payouts[*payout].key.clone();
                let event = Event::Ended(withdrawal());
                self.on_desk(&mut state, &[*payout], |desk| desk.apply(&key, event).unwrap());
            }
        }
        self.keep_pace(&mut state);
        state.compared()
    }

    /// What takes no time where the pace is fast.
    fn keep_pace(&self, state: &mut State) {
        if self.scope.stragglers == Stragglers::Leave {
            (0..state.workers.len()).for_each(|who| self.leave(state, who));
        }
        if self.scope.pace == Pace::Slow {
            return;
        }
        state.bank.shows_all();
        if state.question.is_some() {
            self.book_answer(state);
        }
        for name in state.names() {
            if state.window_runs(name) {
                self.window_ends(state, name);
            }
        }
    }

    fn lease_ends(&self, state: &mut State, payout: usize) {
        let key = change(state, payout, |payout| {
            payout.instructions.iter_mut().filter_map(|one| one.claim.as_mut()).for_each(|it| it.lease_until = NOW);
        });
        self.on_desk(state, &[payout], |desk| steps::expire_lease(desk, &key));
    }

    fn window_ends(&self, state: &mut State, name: Name) {
        let long_ago = NOW - self.rules.bank.visibility;
        change(state, name.0, |payout| payout.instructions[name.1].last_call_ended_at = Some(long_ago));
        // So much the bank has promised.
        state.bank.entry_mut(name).into_iter().for_each(|entry| entry.hidden = false);
        let questions = state.question.iter_mut().filter(|one| one.name == name);
        questions.for_each(|one| one.early = one.answer.is_none());
    }

    fn tells(&self, state: &mut State, name: Name) {
        let (key, id) = (state.payouts[name.0].key.clone(), state.instruction(name).id.clone());
        let (word, carrier) = match state.bank.entry(name).unwrap().standing {
            Standing::Pending => (Word::OnTheWay, Carrier::Pushed),
            Standing::Settled => (Word::Settled { credited_at: None, bank_reference: None }, Carrier::Statement),
            Standing::Refused => {
                (Word::Rejected { reason: self.scope.reason.to_owned(), text: String::new() }, Carrier::Pushed)
            }
        };
        self.on_desk(state, &[name.0], |desk| steps::book_evidence(desk, &key, &id, word, carrier));
    }
}

/// The claims that a worker may make.
fn claims(state: &State, who: usize) -> Vec<Step> {
    let ready: Vec<usize> = (0..state.payouts.len()).filter(|one| state.payouts[*one].is_claimable()).collect();
    let due = state.batches.iter().filter(|one| one.closed.is_none() && one.examine_at.is_some());
    let mut claims: Vec<Step> = due.map(|batch| Step::ClaimAgain(who, batch.msg_id.clone())).collect();
    if !ready.is_empty() {
        claims.push(Step::Claim(who, None));
    }
    if ready.len() > 1 {
        claims.extend(ready.into_iter().map(|one| Step::Claim(who, Some(one))));
    }
    claims
}

/// Moves a moment of a payout, which is how time passes here.
fn change(state: &mut State, payout: usize, change: impl FnOnce(&mut Payout)) -> PayoutKey {
    let mut changed = state.payouts[payout].payout.clone();
    change(&mut changed);
    let key = changed.key.clone();
    state.payouts[payout] = Known::of(changed);
    key
}
