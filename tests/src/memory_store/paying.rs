//! Sending and booking.

use super::{MemoryStore, Tables};
use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::DateTime;
use std::collections::{BTreeMap, BTreeSet};
use zhida_core::batch::{Batch, ClaimedBatch, Examination, Stopped, may_be_written};
use zhida_core::ids::{InstructionId, MsgId, PayoutKey};
use zhida_core::money::Fen;
use zhida_core::payout::{Alarm, AlarmKind, Carrier, Payout, PayoutState, Word};
use zhida_core::ports::bank::CallOutcome;
use zhida_core::ports::queue::Destination;
use zhida_core::ports::store::{Enquiry, PayoutStore, StoreError};
use zhida_core::steps::{self, Authority, ClaimInputs, EnquiryResult, PaidAccounts, ResendInputs, Spent};

#[async_trait]
impl PayoutStore for MemoryStore {
    async fn claim(&self, msg_id: MsgId, max: u32) -> Result<Option<ClaimedBatch>, StoreError> {
        let mut tables = self.tables();
        if tables.stopped() == Stopped::Yes {
            return Ok(None);
        }
        Ok(match self.claim_again(&mut tables) {
            Some(claimed) => Some(claimed),
            None => self.claim_new(&mut tables, &msg_id, max),
        })
    }

    async fn may_write(&self, claimed: &ClaimedBatch) -> Result<Result<(), String>, StoreError> {
        let tables = self.tables();
        let payouts = tables.payouts_named(claimed.members.iter().map(|(member, _)| &member.key));
        Ok(may_be_written(claimed, &payouts, tables.stopped()))
    }

    async fn book_call(&self, claimed: &ClaimedBatch, outcome: &CallOutcome) -> Result<(), StoreError> {
        self.book(claimed, Some(outcome), |desk, batch| steps::book_call(desk, batch, claimed, outcome))
    }

    async fn book_not_made(&self, claimed: &ClaimedBatch, why: &str) -> Result<(), StoreError> {
        self.book(claimed, None, |desk, batch| steps::book_not_made(desk, batch, claimed, why))
    }

    async fn expire_leases(&self, max: u32) -> Result<u32, StoreError> {
        let now = self.clock();
        let over = |payout: &Payout| {
            payout.instructions.iter().any(|one| one.claim.as_ref().is_some_and(|claim| claim.lease_until <= now))
        };
        self.each(max, over, steps::expire_lease)
    }

    async fn claim_enquiries(&self, max: u32) -> Result<Vec<Enquiry>, StoreError> {
        let begun_at = self.clock();
        let next = begun_at.checked_add(self.protocol.rules.bank.lease).unwrap_or(Timestamp::MAX);
        let mut tables = self.tables();
        let mut handed_out = Vec::new();
        for payout in tables.payouts.values_mut() {
            let key = payout.key.clone();
            for one in &mut payout.instructions {
                let due = one.claim.is_none() && one.enquire_at.is_some_and(|at| at <= begun_at);
                if due && handed_out.len() < max as usize {
                    one.enquire_at = Some(next);
                    if one.successor_in_doubt {
                        let district = &self.protocol.rules.district;
                        handed_out.push(Enquiry::of_successor(district, &key, one.generation, begun_at));
                    }
                    handed_out.push(Enquiry { key: key.clone(), instruction_id: one.id.clone(), begun_at });
                }
            }
        }
        Ok(handed_out)
    }

    async fn book_enquiries(&self, results: &[EnquiryResult]) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let mut desk = self.desk(tables.payouts_named(results.iter().map(|one| &one.key)));
        for result in results {
            steps::book_enquiry(&mut desk, result);
        }
        let changes = desk.changes;
        self.write(&mut tables, changes);
        Ok(())
    }

    async fn book_evidence(&self, items: &[(InstructionId, Word, Carrier)]) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let owners = tables.owners(&self.protocol.rules.district, items.iter().map(|(id, _, _)| id));
        let mut desk = self.desk(tables.payouts_named(owners.values()));
        for (id, word, carrier) in items {
            match owners.get(id) {
                Some(key) => steps::book_evidence(&mut desk, key, id, word.clone(), *carrier),
                None => {
                    tables.strange_evidence.push((id.clone(), word.clone(), *carrier));
                    desk.changes.alarms.push(Alarm {
                        kind: AlarmKind::UnknownInstruction,
                        key: None,
                        instruction_id: Some(id.clone()),
                        text: "evidence names an instruction nobody knows".to_owned(),
                    });
                }
            }
        }
        let changes = desk.changes;
        self.write(&mut tables, changes);
        Ok(())
    }

    async fn book_statement_check(&self, id: &InstructionId, covered_until: Timestamp) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let Some(key) = tables.instructions.get(id).cloned() else { return Ok(false) };
        let mut desk = self.desk(tables.payouts_named([&key]));
        let enough = steps::book_statement_check(&mut desk, &key, id, covered_until).is_ok();
        let changes = desk.changes;
        self.write(&mut tables, changes);
        Ok(enough)
    }

    async fn time_passes(&self, max: u32) -> Result<u32, StoreError> {
        let now = self.clock();
        let due = |payout: &Payout| payout.next_moment(&self.protocol.rules).is_some_and(|at| at <= now);
        self.each(max, due, steps::time_passes)
    }

    async fn ring_again(&self) -> Result<u32, StoreError> {
        let mut tables = self.tables();
        let doorbell = |destination: &Destination| *destination == Destination::PayoutDoorbell;
        let ringing = tables.outbox.values().any(|row| !row.sent && doorbell(&row.destination));
        let waiting = tables.payouts.values().any(Payout::is_claimable) || !tables.due_batches(self.clock()).is_empty();
        if ringing || !waiting {
            return Ok(0);
        }
        self.enqueue(&mut tables, Destination::PayoutDoorbell, b"look".to_vec());
        Ok(1)
    }
}

impl MemoryStore {
    /// Looks at open batches whose time has come, until one may go again.
    fn claim_again(&self, tables: &mut Tables) -> Option<ClaimedBatch> {
        for msg_id in tables.due_batches(self.clock()) {
            let Some(batch) = tables.batches.get(&msg_id).cloned() else { continue };
            let keys: Vec<PayoutKey> = batch.members.iter().map(|member| member.key.clone()).collect();
            let authorities = keys.iter().map(|key| (key.clone(), self.authority(tables, key))).collect();
            let spent = self.spent(tables);
            let format = self.protocol.format.as_ref();
            let inputs = ResendInputs { authorities: &authorities, spent: &spent, format };
            let mut desk = self.desk(tables.payouts_named(&keys));
            let examination = steps::examine_batch(&mut desk, batch.clone());
            let claimed = match examination {
                Examination::GoesAgain => steps::claim_again(&mut desk, batch, &inputs),
                Examination::Waits | Examination::Closes(_) => None,
            };
            let changes = desk.changes;
            self.write(tables, changes);
            if claimed.is_some() {
                return claimed;
            }
        }
        None
    }

    /// A message of the first that may be sent now; those that may not hold up none of the others.
    fn claim_new(&self, tables: &mut Tables, msg_id: &MsgId, max: u32) -> Option<ClaimedBatch> {
        let mut waiting: Vec<&Payout> = tables.payouts.values().filter(|payout| payout.is_claimable()).collect();
        waiting.sort_by_key(|payout| (payout.due_at, payout.key.clone()));
        let candidates: Vec<PayoutKey> = waiting.into_iter().map(|payout| payout.key.clone()).collect();
        candidates.chunks(max.max(1) as usize).find_map(|page| self.claim_of(tables, page, msg_id))
    }

    fn claim_of(&self, tables: &mut Tables, candidates: &[PayoutKey], msg_id: &MsgId) -> Option<ClaimedBatch> {
        let authorities: BTreeMap<PayoutKey, Option<Authority>> =
            candidates.iter().map(|key| (key.clone(), self.authority(tables, key))).collect();
        let mut desk = self.desk(tables.payouts_named(candidates));
        let claimed = steps::claim(
            &mut desk,
            ClaimInputs {
                candidates: candidates.to_vec(),
                funds: &tables.funds,
                policies: &tables.policies,
                authorities: &authorities,
                accounts: &tables.paid_accounts(),
                stopped: tables.stopped(),
                spent: self.spent(tables),
                msg_id: msg_id.clone(),
                format: self.protocol.format.as_ref(),
            },
        );
        let changes = desk.changes;
        self.write(tables, changes);
        claimed
    }

    fn authority(&self, tables: &Tables, key: &PayoutKey) -> Option<Authority> {
        let payout = tables.payouts.get(key)?;
        let (_, approval) = tables.inbox.get(&payout.approval_event)?;
        let correction = payout.correction_event.as_ref().and_then(|name| tables.inbox.get(name));
        self.protocol.verifier.read(approval, correction.map(|(_, event)| event))
    }

    /// What was first sent in this hour and on this day of the district's zone.
    pub(super) fn spent(&self, tables: &Tables) -> Spent {
        let zone = &self.protocol.rules.zone;
        let now = zone.to_datetime(self.clock());
        let hour = |at: DateTime| (at.date(), at.hour());
        let mut spent = Spent::default();
        for (at, fund_id, amount) in &tables.first_sent {
            let at = zone.to_datetime(*at);
            if hour(at) == hour(now) {
                spent.this_hour = Fen(spent.this_hour.0 + amount.0);
            }
            if at.date() == now.date() {
                spent.today = Fen(spent.today.0 + amount.0);
                let sum = spent.today_by_fund.entry(fund_id.clone()).or_default();
                *sum = Fen(sum.0 + amount.0);
            }
        }
        spent
    }

    fn book(
        &self,
        claimed: &ClaimedBatch,
        outcome: Option<&CallOutcome>,
        step: impl FnOnce(&mut steps::Desk<'_>, Batch),
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let Some(batch) = tables.batches.get(&claimed.msg_id).cloned() else {
            return Err(StoreError::Corrupt { place: format!("batch {}", claimed.msg_id), what: "absent".to_owned() });
        };
        let besides = outcome.into_iter().flat_map(|outcome| steps::named_besides(&batch.members, outcome));
        let owners = tables.owners(&self.protocol.rules.district, besides);
        let keys: BTreeSet<&PayoutKey> =
            batch.members.iter().map(|member| &member.key).chain(owners.values()).collect();
        let mut desk = self.desk(tables.payouts_named(keys));
        step(&mut desk, batch);
        let changes = desk.changes;
        self.write(&mut tables, changes);
        Ok(())
    }

    pub(super) fn each(
        &self,
        max: u32,
        concerned: impl Fn(&Payout) -> bool,
        step: impl Fn(&mut steps::Desk<'_>, &PayoutKey),
    ) -> Result<u32, StoreError> {
        let mut tables = self.tables();
        let found = tables.payouts.values().filter(|payout| concerned(payout)).take(max as usize);
        let payouts: Vec<Payout> = found.cloned().collect();
        if payouts.is_empty() {
            return Ok(0);
        }
        let keys: Vec<PayoutKey> = payouts.iter().map(|payout| payout.key.clone()).collect();
        let mut desk = self.desk(payouts);
        for key in &keys {
            step(&mut desk, key);
        }
        let changes = desk.changes;
        self.write(&mut tables, changes);
        Ok(u32::try_from(keys.len()).unwrap_or(u32::MAX))
    }
}

impl Tables {
    fn paid_accounts(&self) -> PaidAccounts {
        let mut goes_first = BTreeMap::new();
        let mut open: Vec<&Payout> = self.payouts.values().filter(|one| is_under_way(one).is_some()).collect();
        open.sort_by_key(|one| (is_under_way(one) == Some(false), one.due_at, one.key.clone()));
        for payout in open {
            goes_first.entry(payout.enterprise.uscc.clone()).or_insert_with(|| payout.payee.account_no.clone());
        }
        PaidAccounts { last_paid: self.last_paid.clone(), goes_first }
    }

    fn due_batches(&self, now: Timestamp) -> Vec<MsgId> {
        let due = |batch: &&Batch| batch.closed.is_none() && batch.examine_at.is_some_and(|at| at <= now);
        self.batches.values().filter(due).map(|batch| batch.msg_id.clone()).collect()
    }

    pub(super) fn stopped(&self) -> Stopped {
        if self.switch.stopped_by.is_some() { Stopped::Yes } else { Stopped::No }
    }
}

/// None: neither under way nor ready.
fn is_under_way(payout: &Payout) -> Option<bool> {
    match payout.state() {
        PayoutState::Ready => Some(false),
        PayoutState::Sending | PayoutState::Unknown | PayoutState::Pending => Some(true),
        PayoutState::Held
        | PayoutState::Settled
        | PayoutState::Refused
        | PayoutState::Returned
        | PayoutState::Cancelled => None,
    }
}
