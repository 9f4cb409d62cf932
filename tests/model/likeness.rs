//! Which states are taken for one: those that nothing that may follow can tell apart. Every field of a payout and of an
//! instruction is named here, so that a new one has to be thought about. `alike_states_go_on_alike` in `main.rs` tries whether
//! it is true.

use crate::bank::Name;
use crate::state::{At, Heard, Known, State};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use zhida_core::batch::{Batch, ClaimedBatch};
use zhida_core::ids::MsgId;
use zhida_core::payout::{Instruction, Payout};

impl Known {
    pub(crate) fn of(payout: Payout) -> Arc<Self> {
        let mut hasher = DefaultHasher::new();
        hash_payout(&payout, &mut hasher);
        Arc::new(Self { likeness: hasher.finish(), payout })
    }
}

impl State {
    /// Drops messages that nobody can come back to, and takes the likeness.
    pub(crate) fn compared(mut self) -> Self {
        let mut batches = std::mem::take(&mut self.batches);
        batches.retain(|batch| {
            let travels = |one: &Instruction| travels_with(one) == Some(&batch.msg_id);
            let open =
                batch.closed.is_none() && self.payouts.iter().any(|known| known.instructions.iter().any(travels));
            let in_hand = |at: &At| at.claimed().is_some_and(|claimed| claimed.msg_id == batch.msg_id);
            open || self.workers.iter().any(in_hand)
        });
        self.batches = batches;
        let orders: &[&[usize]] = if self.payouts.len() == 1 { &[&[0]] } else { &[&[0, 1], &[1, 0]] };
        // Which payout is which matters as little as which worker is which.
        self.likeness = orders.iter().map(|order| self.hash_in(order)).min().unwrap();
        self
    }

    fn hash_in(&self, order: &[usize]) -> u64 {
        let place = |name: Name| (order.iter().position(|payout| *payout == name.0), name.1);
        let mut hasher = DefaultHasher::new();
        let mut batches: Vec<&Batch> = Vec::new();
        for payout in order {
            self.payouts[*payout].likeness.hash(&mut hasher);
            for (generation, one) in self.payouts[*payout].instructions.iter().enumerate() {
                // Messages have no names of their own: they are numbered as the instructions speak of them.
                let batch = travels_with(one).and_then(|msg_id| self.batch(msg_id)).filter(|it| it.closed.is_none());
                batch.map(|batch| number_of(batch, &mut batches)).hash(&mut hasher);
                let entry = self.bank.entry((*payout, generation));
                // The window decides something only while an enquiry may find nothing.
                let window = entry.is_none_or(|it| it.hidden) && self.window_runs((*payout, generation));
                // Where repetitions are known by the message: whether its next one would be one.
                let brought_by = entry.and_then(|it| it.msg_id.as_ref());
                let repeated = brought_by.is_some() && brought_by == self.next_message(one);
                (entry.map(|it| (it.standing, it.hidden)), window, repeated).hash(&mut hasher);
            }
        }
        for batch in &batches {
            let members = batch.members.iter().map(|member| place(self.name(&member.instruction_id)));
            (sorted(members), batch.examine_at.is_some()).hash(&mut hasher);
        }
        let worker = |at: &At| {
            let claimed = at.claimed();
            let members = claimed.into_iter().flat_map(|claimed| &claimed.members);
            let members = members.map(|one| (place(self.name(&one.0.instruction_id)), self.is_in_force(one)));
            let batch = claimed.and_then(|claimed| batches.iter().position(|it| it.msg_id == claimed.msg_id));
            let stage = match at {
                At::Idle => (0, Vec::new()),
                At::Claimed(_) => (1, Vec::new()),
                At::Looked(_) => (2, Vec::new()),
                At::Called(_, Heard::TurnedAway) => (3, Vec::new()),
                At::Called(_, Heard::RefusedWhole) => (4, Vec::new()),
                At::Called(_, Heard::Said(said)) => (5, sorted(said.iter().map(|(name, said)| (place(*name), *said)))),
            };
            (stage, batch, sorted(members))
        };
        sorted(self.workers.iter().map(worker)).hash(&mut hasher);
        let question = self.question.as_ref().map(|one| (place(one.name), one.answer, one.early));
        (question, self.bank.paid_again, self.false_books).hash(&mut hasher);
        hasher.finish()
    }

    /// The message that it may be written with next.
    fn next_message<'a>(&'a self, one: &'a Instruction) -> Option<&'a MsgId> {
        let carries = |claimed: &&ClaimedBatch| claimed.members.iter().any(|(it, _)| it.instruction_id == one.id);
        let writing = self.workers.iter().filter_map(At::writing).find(carries);
        writing.map_or_else(|| travels_with(one), |claimed| Some(&claimed.msg_id))
    }
}

fn sorted<T: Ord>(things: impl Iterator<Item = T>) -> Vec<T> {
    let mut things: Vec<T> = things.collect();
    things.sort();
    things
}

fn number_of<'a>(batch: &'a Batch, batches: &mut Vec<&'a Batch>) -> usize {
    batches.iter().position(|known| known.msg_id == batch.msg_id).unwrap_or_else(|| {
        batches.push(batch);
        batches.len() - 1
    })
}

/// The message that it may go again with. What the bank has spoken of never does.
fn travels_with(one: &Instruction) -> Option<&MsgId> {
    one.msg_id.as_ref().filter(|_| !one.has_evidence())
}

fn hash_payout(payout: &Payout, hasher: &mut DefaultHasher) {
    let Payout {
        // The award itself: the same for both but for the names, and nothing corrects or releases it here.
        key: _,
        policy_id: _,
        fund_id: _,
        named_fund_id: _,
        enterprise: _,
        amount: _,
        currency: _,
        payee: _,
        approved_payee: _,
        commitment_id: _,
        officers: _,
        approval_event: _,
        correction_event: _,
        corrected_at: _,
        correction: _,
        keyid: _,
        waived: _,
        // The clock stands still and alerts are not played; how much was announced decides nothing.
        approved_at: _,
        received_at: _,
        due_at: _,
        told: _,
        sequence: _,
        // Of the epoch only counts whose claim is in force, which stands with the workers.
        epoch: _,
        holds,
        ended,
        funded,
        reserved,
        overpaid,
        restored,
        instructions,
    } = payout;
    (ended.is_some(), funded, reserved, overpaid, restored).hash(hasher);
    // Nothing of a debited payout is sent any more, so its holds are idle.
    if !instructions.iter().any(Instruction::is_debited) {
        holds.iter().for_each(|(code, hold)| (code, hold.until.is_some()).hash(hasher));
    }
    instructions.iter().for_each(|one| hash_instruction(one, hasher));
}

fn hash_instruction(one: &Instruction, hasher: &mut DefaultHasher) {
    let Instruction {
        // What it orders, frozen.
        id: _,
        payee: _,
        transfer: _,
        // Moments that nobody compares with, and a counter that only lengthens pauses.
        minted_at: _,
        first_claimed_at: _,
        enquiries: _,
        // Hashed with the state: the message it travels with, and whether the window runs.
        msg_id: _,
        last_call_ended_at: _,
        generation,
        claim,
        doubt,
        batch_limit,
        on_the_way_since,
        rejection,
        debit,
        returned,
        known_to_bank,
        not_found,
        absent,
        resend_expired,
        resend_allowed_until,
        successor_in_doubt,
        contradiction,
        decision_by,
        closed_at,
        enquire_at,
        in_transit,
        paid,
    } = one;
    (generation, claim.is_some(), batch_limit, in_transit, paid).hash(hasher);
    (debit.is_some(), returned.is_some(), closed_at.is_some(), contradiction).hash(hasher);
    if one.is_debited() {
        return; // Nothing undoes it, and nothing of it is sent, asked for or judged any more.
    }
    let rejection = rejection.as_ref().map(|it| (it.class, it.confirmed));
    (rejection, on_the_way_since.is_some(), known_to_bank, successor_in_doubt, decision_by.is_some()).hash(hasher);
    if one.is_dead() {
        return; // Only the bank's word could change that.
    }
    (doubt, absent, resend_expired, resend_allowed_until.is_some(), enquire_at.is_some()).hash(hasher);
    // Counted to three, and only while the bank has never spoken of it.
    if !one.has_evidence() {
        not_found.min(&3).hash(hasher);
    }
}
