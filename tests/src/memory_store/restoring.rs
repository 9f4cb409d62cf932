//! Restores: noticed by the journal, made good by a recovery.

use super::{MemoryStore, Tables};
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use zhida_core::ids::{InstructionId, PayoutKey};
use zhida_core::payout::{InstructionState, Payout};
use zhida_core::ports::store::{Compared, JournalEntry, Position, Recovered, RestoreStore, StoreError, Verdict};
use zhida_core::steps::{self, Desk, Restored};

#[async_trait]
impl RestoreStore for MemoryStore {
    async fn compare(&self, noted: Option<&Position>) -> Result<Compared, StoreError> {
        let tables = self.tables();
        let now = tables.position();
        let Some(noted) = noted else { return Ok(Compared { now, verdict: Verdict::Onward }) };
        let there = noted
            .head
            .as_ref()
            .and_then(|(sequence, _)| tables.journal.iter().find(|entry| entry.sequence == *sequence).map(leaf));
        let verdict = steps::compare(noted, &now, there.as_deref(), &tables.past_incarnations);
        Ok(Compared { now, verdict })
    }

    async fn close_sending(&self, why: &str) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let mut desk = self.desk([]);
        steps::close_sending(&mut desk, &tables.switch, why);
        let changes = desk.changes;
        self.write(&mut tables, changes);
        Ok(())
    }

    async fn recover(&self, opens_from: Timestamp, by: &str, why: &str) -> Result<Recovered, StoreError> {
        let mut tables = self.tables();
        let restored_to = tables.journal.last().map(|entry| entry.at);
        // As random as a store without dice can be: never the same twice, and far above any count of claims.
        let epoch_base = (tables.past_incarnations.len() as u64 + 1) << 40;
        for payout in tables.payouts.values_mut() {
            payout.restored = true;
            payout.epoch += epoch_base;
        }
        for batch in tables.batches.values_mut().filter(|one| one.closed.is_none()) {
            batch.closed = Some("the database was restored".to_owned());
            batch.examine_at = None;
        }
        let open: Vec<Payout> = tables.payouts.values().filter(|payout| is_open(payout)).cloned().collect();
        let in_doubt = open.len() as u64;
        let mut desk = self.desk(open);
        by.clone_into(&mut desk.by);
        steps::recover(&mut desk, &tables.switch, opens_from, why);
        let changes = desk.changes;
        self.write(&mut tables, changes);
        let past = std::mem::take(&mut tables.incarnation);
        tables.past_incarnations.push(past);
        tables.incarnation = format!("incarnation {}", tables.past_incarnations.len());
        tables.restored = Some(Restored { at: self.clock(), epoch_base });
        Ok(Recovered { position: tables.position(), restored_to, in_doubt, opens_from })
    }
}

fn is_open(payout: &Payout) -> bool {
    payout.instructions.iter().any(|one| match one.state() {
        InstructionState::Fresh
        | InstructionState::Sending
        | InstructionState::Unknown
        | InstructionState::Pending
        | InstructionState::Refused
        | InstructionState::Returned => true,
        InstructionState::Settled | InstructionState::Closed => false,
    })
}

fn leaf(entry: &JournalEntry) -> String {
    format!("{} {} {} {} {}", entry.at, entry.kind, entry.subject, entry.by, entry.detail)
}

impl Tables {
    /// This backup in the place of the tables that were lost. Sessions go on: numbers they have drawn stay drawn.
    #[must_use]
    pub fn after(self, lost: &Self) -> Self {
        Self { numbers: lost.numbers, ..self }
    }

    fn position(&self) -> Position {
        let head = self.journal.last().map(|entry| (entry.sequence, leaf(entry)));
        Position { incarnation: self.incarnation.clone(), head }
    }

    /// What was kept about payouts that arrive only now: a lost history had sent them.
    pub(super) fn hear_kept_evidence(&self, desk: &mut Desk<'_>) {
        if self.restored.is_none() {
            return;
        }
        let district = desk.rules.district.clone();
        for key in desk.changes.created.clone() {
            let Some(payout) = desk.payouts.get(&key).cloned() else { continue };
            let ids: BTreeSet<InstructionId> = steps::possible_ids(&district, &payout).collect();
            for (id, word, carrier) in self.strange_evidence.iter().filter(|(id, _, _)| ids.contains(id)) {
                steps::book_evidence(desk, &key, id, word.clone(), *carrier);
            }
        }
    }

    /// Whose these instructions are, those of a lost history included.
    pub(super) fn owners<'a>(
        &self,
        district: &str,
        ids: impl Iterator<Item = &'a InstructionId>,
    ) -> BTreeMap<InstructionId, PayoutKey> {
        let (known, strange): (Vec<_>, Vec<_>) = ids.partition(|id| self.instructions.contains_key(*id));
        let mut owners: BTreeMap<InstructionId, PayoutKey> =
            known.into_iter().filter_map(|id| Some((id.clone(), self.instructions.get(id)?.clone()))).collect();
        let restored = self.payouts.values().filter(|payout| payout.restored);
        let restored = restored.map(|one| (one.key.clone(), u32::try_from(one.instructions.len()).unwrap_or(u32::MAX)));
        owners.extend(steps::owners_of_forgotten(district, restored, &strange.into_iter().cloned().collect()));
        owners
    }
}
