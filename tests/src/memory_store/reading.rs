//! Reading, for people and machines.

use super::{MemoryStore, Tables};
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::BTreeMap;
use zhida_core::ids::ApplicationId;
use zhida_core::payout::{Alarm, Alert, InstructionState, Payout, PayoutState};
use zhida_core::ports::store::{
    ALARMS_RING, AlarmEntry, AlarmFilter, Figures, JournalEntry, PayoutFilter, PayoutPage, Place, QuarantineRow,
    ReadStore, Sending, StoreError, Which, with_alarms,
};

#[async_trait]
impl ReadStore for MemoryStore {
    async fn payouts_of(&self, id: &ApplicationId) -> Result<Vec<Payout>, StoreError> {
        let tables = self.tables();
        Ok(tables.payouts.values().filter(|payout| payout.key.application_id == *id).cloned().collect())
    }

    async fn payouts(&self, filter: &PayoutFilter) -> Result<PayoutPage, StoreError> {
        let tables = self.tables();
        let mut found: Vec<&Payout> = tables
            .payouts
            .values()
            .filter(|one| filter.state.is_none_or(|state| one.state() == state))
            .filter(|one| filter.policy_id.as_ref().is_none_or(|id| one.policy_id == *id))
            .filter(|one| filter.before.as_ref().is_none_or(|before| Place::of(one) < *before))
            .collect();
        found.sort_by_key(|payout| std::cmp::Reverse(Place::of(payout)));
        let more = found.len() > filter.limit as usize;
        found.truncate(filter.limit as usize);
        let next = found.last().filter(|_| more).map(|payout| Place::of(payout));
        Ok(PayoutPage { items: found.into_iter().cloned().collect(), next })
    }

    async fn trace(&self, id: &ApplicationId) -> Result<Vec<JournalEntry>, StoreError> {
        let prefix = format!("{id}/");
        let tables = self.tables();
        let told = |entry: &JournalEntry| entry.notice_id().is_some_and(|notice| tables.noticing.covers(notice, id));
        let own = |entry: &&JournalEntry| entry.subject == id.0 || entry.subject.starts_with(&prefix) || told(entry);
        let rang = tables.alarms_of(|alarm| alarm.key.as_ref().is_some_and(|key| key.application_id == *id));
        Ok(with_alarms(tables.journal.iter().filter(own).cloned().collect(), rang))
    }

    async fn alarms(&self, filter: &AlarmFilter) -> Result<Vec<AlarmEntry>, StoreError> {
        let wanted = |alarm: &Alarm| {
            let about = alarm.key.as_ref().map(|key| &key.application_id);
            filter.kind.is_none_or(|kind| alarm.kind == kind)
                && filter.application_id.as_ref().is_none_or(|id| about == Some(id))
        };
        let mut rang = self.tables().alarms_of(wanted);
        rang.truncate(filter.limit as usize);
        Ok(rang)
    }

    async fn sending(&self) -> Result<Sending, StoreError> {
        let tables = self.tables();
        let (limits, spent) = (self.protocol.rules.limits, self.spent(&tables));
        Ok(Sending { switch: tables.switch.clone(), limits, spent })
    }

    async fn quarantine_rows(&self, which: Which) -> Result<Vec<QuarantineRow>, StoreError> {
        let tables = self.tables();
        Ok(tables.quarantine.iter().filter(|row| which == Which::All || row.state == "open").cloned().collect())
    }

    async fn close_quarantine(&self, id: &str, state: &str, by: &str, why: &str) -> Result<bool, StoreError> {
        let now = self.clock();
        let mut tables = self.tables();
        let Some(row) = tables.quarantine.iter_mut().find(|row| row.id == id && row.state == "open") else {
            return Ok(false);
        };
        row.state = state.to_owned();
        row.closed = Some((by.to_owned(), now, why.to_owned()));
        Ok(true)
    }

    async fn figures(&self) -> Result<Figures, StoreError> {
        let now = self.clock();
        let tables = self.tables();
        let mut figures = Figures {
            at: Some(now),
            funds: tables.funds.values().cloned().collect(),
            stopped: tables.switch.stopped_by.is_some(),
            notices: tables.notice_figures(now),
            ..Figures::default()
        };
        for payout in tables.payouts.values() {
            self.count(&mut figures, payout, now);
        }
        self.count_cases(&tables, &mut figures)?;
        self.count_digests(&tables, &mut figures)?;
        for row in tables.outbox.values().filter(|row| !row.sent) {
            figures.outbox.0 += 1;
            figures.outbox.1 = earliest(figures.outbox.1, row.written_at);
        }
        for row in tables.quarantine.iter().filter(|row| row.state == "open") {
            count_one(&mut figures.quarantine_by_code, &row.item.reason_code);
        }
        for (alarm, at) in tables.alarms.iter().zip(&tables.alarm_times) {
            count_one(&mut figures.alarms_by_kind, alarm.kind.code());
            if now.duration_since(*at) < ALARMS_RING {
                count_one(&mut figures.alarms_last_hour, alarm.kind.code());
            }
        }
        Ok(figures)
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        Ok(self.clock())
    }
}

impl Tables {
    /// Newest first.
    fn alarms_of(&self, wanted: impl Fn(&Alarm) -> bool) -> Vec<AlarmEntry> {
        let all = self.alarms.iter().zip(&self.alarm_times).rev();
        all.filter(|(alarm, _)| wanted(alarm)).map(|(alarm, at)| AlarmEntry { at: *at, alarm: alarm.clone() }).collect()
    }
}

impl MemoryStore {
    fn count(&self, figures: &mut Figures, payout: &Payout, now: Timestamp) {
        let state = payout.state();
        let sum = figures.by_state.entry(state.code().to_owned()).or_default();
        sum.0 += 1;
        sum.1.0 += payout.amount.0;
        if payout.is_unpaid() {
            figures.oldest_unpaid = earliest(figures.oldest_unpaid, payout.approved_at);
            let first = self
                .protocol
                .rules
                .at_risk_after
                .iter()
                .min()
                .and_then(|after| payout.approved_at.checked_add(*after).ok());
            let overdue = now >= payout.due_at;
            let rail_closed = payout.told.contains(&Alert::RailClosed.name());
            figures.overdue += u64::from(overdue);
            figures.at_risk_rail_closed += u64::from(!overdue && rail_closed);
            figures.at_risk += u64::from(!overdue && !rail_closed && first.is_some_and(|from| now >= from));
        }
        let live = payout.instructions.iter().rev().find(|one| !one.is_dead());
        match state {
            PayoutState::Held => {
                payout.holds.keys().for_each(|code| count_one(&mut figures.held_by_code, code.code()));
            }
            PayoutState::Refused => {
                if let Some(rejection) = payout.speaking().and_then(|one| one.rejection.as_ref()) {
                    count_one(&mut figures.refused_by_class, rejection.class.code());
                }
            }
            PayoutState::Unknown => {
                if let Some(ended) = live.and_then(|one| one.last_call_ended_at) {
                    figures.oldest_unknown = earliest(figures.oldest_unknown, ended);
                }
            }
            PayoutState::Pending => {
                let pending = live.filter(|one| one.state() == InstructionState::Pending);
                if let Some(since) = pending.and_then(|one| one.on_the_way_since) {
                    figures.oldest_pending = earliest(figures.oldest_pending, since);
                }
            }
            PayoutState::Ready
            | PayoutState::Sending
            | PayoutState::Settled
            | PayoutState::Returned
            | PayoutState::Cancelled => {}
        }
    }
}

fn count_one(counts: &mut BTreeMap<String, u64>, name: &str) {
    *counts.entry(name.to_owned()).or_default() += 1;
}

fn earliest(known: Option<Timestamp>, other: Timestamp) -> Option<Timestamp> {
    Some(known.map_or(other, |known| known.min(other)))
}
