//! What workers do, each step on its own, and the one way to the database. Every decision is the core's.

use crate::bank::{Name, Standing, report};
use crate::scene::{NOW, Names, names_in};
use crate::state::{At, Heard, Known, State};
use crate::world::{Fate, Plant, World};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use zhida_core::batch::{Batch, ClaimedBatch, Examination, Stopped, may_be_written};
use zhida_core::ids::{InstructionId, MsgId};
use zhida_core::money::Fen;
use zhida_core::payout::{Account, Payout, Posting};
use zhida_core::ports::bank::{CallOutcome, EnquiryOutcome, NotTakenIn};
use zhida_core::rules::Idempotency;
use zhida_core::steps::{self, Changes, ClaimInputs, Desk, EnquiryResult, PaidAccounts, ResendInputs, Spent};

impl World {
    pub(crate) fn claim(&self, state: &mut State, who: usize, lone: Option<usize>) {
        state.named += 1;
        let chosen: Vec<usize> = lone.map_or_else(|| (0..state.payouts.len()).collect(), |one| vec![one]);
        let inputs = ClaimInputs {
            candidates: chosen.iter().map(|one| state.payouts[*one].key.clone()).collect(),
            funds: &self.funds,
            policies: &self.policies,
            authorities: &self.authorities,
            accounts: &PaidAccounts::default(),
            stopped: Stopped::No,
            spent: Spent::default(),
            msg_id: MsgId(format!("M{}", state.named)),
            format: &Names,
        };
        if let Some(claimed) = self.on_desk(state, &chosen, |desk| steps::claim(desk, inputs)) {
            state.workers[who] = At::Claimed(Arc::new(claimed));
        }
    }

    pub(crate) fn claim_again(&self, state: &mut State, who: usize, msg_id: &MsgId) {
        let batch = Batch::clone(state.batch(msg_id).unwrap());
        let inputs = ResendInputs { authorities: &self.authorities, spent: &Spent::default(), format: &Names };
        let claimed =
            self.on_desk(state, &members(state, &batch), |desk| match steps::examine_batch(desk, batch.clone()) {
                Examination::GoesAgain => steps::claim_again(desk, batch, &inputs),
                Examination::Closes(_) if self.plant == Some(Plant::WholeBatchAgain) => {
                    desk.changes = Changes::default();
                    steps::claim_again(desk, batch, &inputs)
                }
                Examination::Waits | Examination::Closes(_) => None,
            });
        if let Some(claimed) = claimed {
            state.workers[who] = At::Claimed(Arc::new(claimed));
        }
    }

    pub(crate) fn look(&self, state: &mut State, who: usize) {
        let claimed = state.workers[who].claimed().unwrap().clone();
        let payouts: Vec<Payout> = state.payouts.iter().map(|known| known.payout.clone()).collect();
        let verdict = may_be_written(&claimed, &payouts, Stopped::No);
        if verdict.is_ok() || self.plant == Some(Plant::NoEpochCheck) {
            state.workers[who] = At::Looked(claimed);
        } else {
            self.give_up(state, who);
        }
    }

    pub(crate) fn give_up(&self, state: &mut State, who: usize) {
        let claimed = state.workers[who].claimed().unwrap().clone();
        let batch = Batch::clone(state.batch(&claimed.msg_id).unwrap());
        self.on_desk(state, &members(state, &batch), |desk| steps::book_not_made(desk, batch, &claimed, ""));
        state.workers[who] = At::Idle;
    }

    pub(crate) fn call(&self, state: &mut State, who: usize, fate: &Fate) {
        let claimed = state.workers[who].claimed().unwrap().clone();
        let heard = match fate {
            Fate::TurnedAway => Heard::TurnedAway,
            Fate::RefusedWhole => Heard::RefusedWhole,
            Fate::Handled(how) => {
                let known_by = (self.scope.bank == Idempotency::MessageId).then_some(&claimed.msg_id);
                // What is written counts, not what was claimed.
                let names: Vec<Name> = names_in(&claimed.bytes).iter().map(|id| state.name(id)).collect();
                let bank = &mut state.bank;
                let said =
                    names.into_iter().zip(how).map(|(name, how)| (name, bank.handle(name, known_by.cloned(), *how)));
                Heard::Said(said.collect())
            }
        };
        state.workers[who] = At::Called(claimed, heard);
    }

    /// Books what the worker heard; it stays where it is.
    pub(crate) fn book(&self, state: &mut State, who: usize) {
        let At::Called(claimed, heard) = state.workers[who].clone() else { unreachable!("only who called books") };
        let batch = Batch::clone(state.batch(&claimed.msg_id).unwrap());
        let concerned = members(state, &batch);
        let claimed = self.of_the_day(state, claimed);
        let mut outcome = self.outcome(state, &heard);
        let mut assumed = Vec::new();
        if self.plant == Some(Plant::UnknownIsFailed) && matches!(outcome, CallOutcome::Doubtful { .. }) {
            let refused = |id: &InstructionId| report(id.clone(), Standing::Refused, self.scope.reason);
            assumed = claimed.members.iter().map(|(member, _)| refused(&member.instruction_id)).collect();
            outcome = CallOutcome::Answered(assumed.clone());
        }
        self.on_desk(state, &concerned, |desk| {
            steps::book_call(desk, batch, &claimed, &outcome);
            for ((member, _), report) in claimed.members.iter().zip(assumed) {
                let (key, instruction_id) = (member.key.clone(), member.instruction_id.clone());
                let outcome = EnquiryOutcome::Found(report);
                steps::book_enquiry(desk, &EnquiryResult { key, instruction_id, begun_at: NOW, outcome });
            }
        });
    }

    /// The claim; or, where epochs are not checked, the claim of the day.
    fn of_the_day(&self, state: &State, claimed: Arc<ClaimedBatch>) -> Arc<ClaimedBatch> {
        let mut claimed = claimed;
        if self.plant == Some(Plant::NoEpochCheck) {
            let members = &mut Arc::make_mut(&mut claimed).members;
            members.iter_mut().for_each(|(member, epoch)| *epoch = state.payouts[state.position(&member.key)].epoch);
        }
        claimed
    }

    fn outcome(&self, state: &State, heard: &Heard) -> CallOutcome {
        match heard {
            Heard::TurnedAway => CallOutcome::NotTakenIn { why: NotTakenIn::ConnectionRefused, retry_after: None },
            Heard::RefusedWhole => CallOutcome::RefusedWhole { reason: "FF01".to_owned(), text: String::new() },
            Heard::Said(_) if !heard.tells() => CallOutcome::Doubtful { why: String::new(), retry_after: None },
            Heard::Said(said) => {
                let id = |name: &Name| state.instruction(*name).id.clone();
                let named =
                    |(name, said): &(Name, Option<Standing>)| Some(report(id(name), (*said)?, self.scope.reason));
                CallOutcome::Answered(said.iter().filter_map(named).collect())
            }
        }
    }

    /// A worker whose claim is over and who has nothing to tell finds out.
    pub(crate) fn leave(&self, state: &mut State, who: usize) {
        let mut claims = state.workers[who].claimed().into_iter().flat_map(|claimed| &claimed.members);
        match &state.workers[who] {
            At::Claimed(_) if !claims.all(|one| state.is_in_force(one)) => self.look(state, who),
            At::Called(_, heard) if !heard.tells() && !claims.any(|one| state.is_in_force(one)) => {
                self.book(state, who);
                state.workers[who] = At::Idle;
            }
            At::Idle | At::Claimed(_) | At::Looked(_) | At::Called(..) => {}
        }
    }

    /// The answer to the question that is on its way.
    pub(crate) fn book_answer(&self, state: &mut State) {
        let Some(question) = state.question.take() else { unreachable!("only what was asked is answered") };
        let instruction_id = state.instruction(question.name).id.clone();
        let result = EnquiryResult {
            key: state.payouts[question.name.0].key.clone(),
            instruction_id: instruction_id.clone(),
            begun_at: match self.plant {
                Some(Plant::NotFoundTooEarly | Plant::BankMisjudged) => Timestamp::MAX,
                _ if question.early => NOW - SignedDuration::from_secs(1),
                _ => NOW,
            },
            outcome: question.answer.map_or(EnquiryOutcome::NotFound, |standing| {
                EnquiryOutcome::Found(report(instruction_id, standing, self.scope.reason))
            }),
        };
        self.on_desk(state, &[question.name.0], |desk| steps::book_enquiry(desk, &result));
    }

    // ── the database ──

    /// One transaction: these payouts on the desk, a step of the core, what it wants written.
    pub(crate) fn on_desk<T>(&self, state: &mut State, payouts: &[usize], step: impl FnOnce(&mut Desk<'_>) -> T) -> T {
        let loaded = payouts.iter().map(|payout| state.payouts[*payout].payout.clone());
        let mut desk = Desk::new(&self.rules, NOW, loaded);
        let result = step(&mut desk);
        let changes = desk.changes;
        for (key, payout) in changes.payouts {
            let position = state.position(&key);
            state.false_books |= !moved_as_posted(&state.payouts[position], &payout, &changes.postings);
            state.payouts[position] = Known::of(payout);
        }
        for (msg_id, batch) in changes.batches {
            state.batches.retain(|known| known.msg_id != msg_id);
            state.batches.push(Arc::new(batch));
        }
        for batch in state.batches.iter_mut().filter(|one| changes.examine.contains(&one.msg_id)) {
            if batch.closed.is_none() {
                Arc::make_mut(batch).examine_at = Some(NOW);
            }
        }
        result
    }
}

fn members(state: &State, batch: &Batch) -> Vec<usize> {
    batch.members.iter().map(|member| state.position(&member.key)).collect()
}

/// The books of a payout and of its instructions moved by what was posted, and by nothing else.
fn moved_as_posted(before: &Payout, after: &Payout, postings: &[Posting]) -> bool {
    let posted = |account: Account, id: Option<&InstructionId>| {
        let concerned = |one: &&Posting| one.key == after.key && (id.is_none() || one.instruction_id.as_ref() == id);
        let amount = |one: &Posting| {
            let into = if one.to == account { one.amount.0 } else { 0 };
            if one.from == account { into - one.amount.0 } else { into }
        };
        postings.iter().filter(concerned).map(amount).sum::<i64>()
    };
    let reserved = before.reserved.0 + posted(Account::Reserved, None) == after.reserved.0;
    reserved
        && after.instructions.iter().all(|one| {
            let (in_transit, paid) =
                before.by_id(&one.id).map_or((Fen::ZERO, Fen::ZERO), |known| (known.in_transit, known.paid));
            in_transit.0 + posted(Account::InTransit, Some(&one.id)) == one.in_transit.0
                && paid.0 + posted(Account::Paid, Some(&one.id)) == one.paid.0
        })
}
