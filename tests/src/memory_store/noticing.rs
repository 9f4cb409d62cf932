//! Notices, handed out and booked as the real stores do.

use super::notice_tables::{AskedRow, ReceiptRow};
use super::{MemoryStore, Tables};
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;
use zhida_core::ids::{ApplicationId, OrderId, PayoutKey};
use zhida_core::notice::health::some_opened;
use zhida_core::notice::rules::UNMATCHED_KEPT;
use zhida_core::notice::template::{Replacing, TemplateSet, replacing};
use zhida_core::notice::{
    About, Candidate, Channel, Desk, Effects, Known, Notice, NoticeRequest, Present, Standing, Switch, WaitsFor,
    standing, unsubscribe_url, unsubscribes, with_codes_in_force,
};
use zhida_core::patterns::Seal;
use zhida_core::ports::notices::{
    Errand, ErrandEnd, NoticeFilter, NoticeStore, NoticeView, ReceiptsBooked, RequestCounts, WaitingNotices, Wish,
};
use zhida_core::ports::queue::Destination;
use zhida_core::ports::sms::{Receipt, Trust};
use zhida_core::ports::store::StoreError;
use zhida_core::steps::{Changes, JournalRow};

#[async_trait]
impl NoticeStore for MemoryStore {
    async fn ask_for_notices(&self, requests: &[NoticeRequest]) -> Result<u32, StoreError> {
        let mut tables = self.tables();
        Ok(self.ask(&mut tables, requests.to_vec()))
    }

    async fn try_notice(&self, request: &NoticeRequest, to: &str) -> Result<Vec<Errand>, StoreError> {
        self.ask(&mut self.tables(), vec![request.clone()]);
        self.tables().noticing.trials.insert(request.subject.clone(), to.to_owned());
        self.make_due_notices(u32::MAX)?;
        let mut tables = self.tables();
        let made = tables.noticing.made_of(request);
        Ok(self.take(&mut tables, made.into_iter().collect()))
    }

    async fn make_notices(&self, max: u32) -> Result<u32, StoreError> {
        self.make_due_notices(max)
    }

    async fn take_errands(&self, max: u32) -> Result<Vec<Errand>, StoreError> {
        let mut tables = self.tables();
        loop {
            let due = tables.noticing.due(self.clock(), max as usize);
            if due.is_empty() {
                return Ok(Vec::new());
            }
            for id in &due {
                tables.noticing.looked_at_again.remove(id);
            }
            let errands = self.take(&mut tables, due);
            if !errands.is_empty() {
                return Ok(errands);
            }
        }
    }

    async fn book_errands(&self, ends: &[ErrandEnd]) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let tables = &mut *tables;
        let mut desk = self.notice_desk(tables, Switch::default());
        for end in ends {
            if let Some(notice) = tables.noticing.notices.get(end.notice_id()).cloned() {
                let notice = desk.book(notice, end);
                tables.noticing.note_provider_id(&notice, end);
                tables.noticing.notices.insert(notice.id.clone(), notice);
            }
        }
        tables.noticing.receive_kept(&mut desk, ends);
        if some_opened(&tables.noticing.health, &desk.health) {
            tables.noticing.look_again_at(WaitsFor::Provider);
        }
        (tables.noticing.health, tables.noticing.counters) = (desk.health, desk.counters);
        self.write_effects(tables, desk.effects);
        Ok(())
    }

    async fn book_receipts(
        &self,
        provider: &str,
        trust: Trust,
        receipts: &[Receipt],
    ) -> Result<ReceiptsBooked, StoreError> {
        let mut tables = self.tables();
        let tables = &mut *tables;
        let mut desk = self.notice_desk(tables, Switch::default());
        let mut counted = ReceiptsBooked::default();
        for receipt in receipts {
            let same = |row: &ReceiptRow| row.provider == provider && row.receipt == *receipt;
            if tables.noticing.receipts.iter().any(same) {
                counted.repeated += 1;
                continue;
            }
            let candidates = tables.noticing.spoken_of(provider, receipt);
            let found =
                candidates.into_iter().find(|id| tables.noticing.receive(&mut desk, id, provider, trust, receipt));
            match found {
                Some(_) => counted.booked += 1,
                None => counted.unmatched += 1,
            }
            let (at, provider, receipt) = (desk.now, provider.to_owned(), receipt.clone());
            tables.noticing.receipts.push(ReceiptRow { at, provider, trust, receipt, notice_id: found });
        }
        self.write_effects(tables, desk.effects);
        Ok(counted)
    }

    async fn look_again(&self) -> Result<(), StoreError> {
        let mut tables = self.tables();
        [WaitsFor::Ceiling, WaitsFor::Provider].into_iter().for_each(|what| tables.noticing.look_again_at(what));
        Ok(())
    }

    async fn forget_old(&self) -> Result<u32, StoreError> {
        let (now, rules) = (self.clock(), &self.protocol.rules.notices);
        let mut tables = self.tables();
        let noticing = &mut tables.noticing;
        let before = noticing.counters.numbers.len() + noticing.receipts.len();
        let since = rules.counts_since(now);
        noticing.counters.numbers.retain(|_, moments| moments.last().is_some_and(|at| *at >= since));
        let kept = now.checked_sub(UNMATCHED_KEPT).unwrap_or(Timestamp::MIN);
        noticing.receipts.retain(|row| row.notice_id.is_some() || row.at >= kept);
        let after = noticing.counters.numbers.len() + noticing.receipts.len();
        Ok(u32::try_from(before - after).unwrap_or(u32::MAX))
    }

    async fn notices(&self, filter: &NoticeFilter) -> Result<Vec<Notice>, StoreError> {
        let tables = self.tables();
        let about = filter.application_id.as_deref().map(ApplicationId::from);
        let (from, before) = (filter.asked_from, filter.asked_before);
        let asked = |id: &str| {
            let mut asked = tables.noticing.requests_of(id).into_iter().map(|one| tables.noticing.asked[&one].at);
            asked.any(|at| from.is_none_or(|from| from <= at) && before.is_none_or(|before| at < before))
        };
        let wanted = |one: &&Notice| {
            about.as_ref().is_none_or(|about| tables.noticing.covers(&one.id, about))
                && filter.kind.is_none_or(|kind| one.kind == kind)
                && filter.state.is_none_or(|state| one.state() == state)
                && filter.recipient.as_ref().is_none_or(|recipient| one.recipient == *recipient)
                && (from.is_none() && before.is_none() || asked(&one.id))
        };
        let mut found: Vec<Notice> = tables.noticing.notices.values().filter(wanted).cloned().collect();
        found.sort_by_key(|one| std::cmp::Reverse((one.created_at, one.id.clone())));
        found.truncate(if filter.limit == 0 { 100 } else { filter.limit as usize });
        Ok(found)
    }

    async fn notice(&self, id: &str) -> Result<Option<NoticeView>, StoreError> {
        let tables = self.tables();
        let noticing = &tables.noticing;
        let Some(notice) = noticing.notices.get(id).cloned() else { return Ok(None) };
        let receipts = noticing.receipts.iter().filter(|row| row.notice_id.as_deref() == Some(id));
        let receipts = receipts.map(|row| (row.at, row.provider.clone(), row.receipt.clone(), row.trust)).collect();
        let contents = noticing.contents.get(id).cloned().unwrap_or_default();
        let known = contents
            .iter()
            .filter_map(|one| Some((one.channel, noticing.addresses.get(&fingerprint(one.channel, &one.to))?.clone())));
        let addresses = known.collect();
        Ok(Some(NoticeView { requests: noticing.requests_of(id), notice, contents, receipts, addresses }))
    }

    async fn count_requests(&self) -> Result<RequestCounts, StoreError> {
        let mut counts = RequestCounts::default();
        for row in self.tables().noticing.asked.values() {
            match &row.outcome {
                None => counts.waiting += 1,
                Some(outcome) => *counts.by_outcome.entry(outcome.code().to_owned()).or_default() += 1,
            }
        }
        Ok(counts)
    }

    async fn waiting_notices(&self) -> Result<WaitingNotices, StoreError> {
        Ok(self.tables().waiting_notices())
    }

    async fn import_templates(&self, set: &TemplateSet, seen: &TemplateSet, by: &str) -> Result<Replacing, StoreError> {
        let mut tables = self.tables();
        let imported = &tables.noticing.templates;
        let of_its_version = imported.iter().filter(|one| one.version == set.version).map(|one| one.source.clone());
        let of_its_version: Vec<String> = of_its_version.collect();
        let in_force = imported.last().unwrap_or(TemplateSet::embedded());
        let replacing = replacing(set, seen, in_force, &of_its_version);
        match replacing {
            Replacing::Imported => {
                tables.noticing.templates.push(set.clone());
                let detail = json!({"version": set.version, "templates": set.templates.len()});
                self.note_of_notices(&mut tables, "notice_templates.imported", "notice_templates", by, detail);
            }
            Replacing::Same | Replacing::Overtaken { .. } | Replacing::VersionUsed => {}
        }
        Ok(replacing)
    }

    async fn templates(&self) -> Result<TemplateSet, StoreError> {
        Ok(self.tables().noticing.templates.last().unwrap_or(TemplateSet::embedded()).clone())
    }

    async fn notice_switch(&self) -> Result<Switch, StoreError> {
        Ok(self.tables().noticing.switch.clone())
    }

    async fn unsubscribes(&self, notice_id: &str, key: &str) -> Result<bool, StoreError> {
        Ok(self.tables().noticing.notices.get(notice_id).is_some_and(|one| unsubscribes(one, key, &seal())))
    }

    async fn unsubscribe(&self, notice_id: &str, key: &str) -> Result<bool, StoreError> {
        let notice = self.tables().noticing.notices.get(notice_id).cloned();
        let Some(notice) = notice.filter(|one| unsubscribes(one, key, &seal())) else { return Ok(false) };
        let recipient = &notice.recipient;
        self.put_preference(&mut self.tables(), recipient, notice.kind, Wish::NotTold, recipient);
        Ok(true)
    }
}

impl MemoryStore {
    fn notice_desk(&self, tables: &Tables, switch: Switch) -> Desk<'_> {
        let (health, counters) = (tables.noticing.health.clone(), tables.noticing.counters.clone());
        Desk::new(&self.protocol.rules.notices, self.clock(), switch, health, counters)
    }

    fn take(&self, tables: &mut Tables, due: Vec<String>) -> Vec<Errand> {
        let candidates = due.iter().filter_map(|id| self.candidate(tables, id)).collect();
        let mut desk = self.notice_desk(tables, tables.noticing.switch.clone());
        for provider in &self.protocol.rules.notices.providers {
            desk.health.entry(provider.name.clone()).or_default();
        }
        let (notices, errands) = desk.take(candidates);
        tables.noticing.notices.extend(notices.into_iter().map(|one| (one.id.clone(), one)));
        (tables.noticing.health, tables.noticing.counters, tables.noticing.switch) =
            (desk.health, desk.counters, desk.switch);
        self.write_effects(tables, desk.effects);
        errands
    }

    fn candidate(&self, tables: &Tables, id: &str) -> Option<Candidate> {
        let notice = tables.noticing.notices.get(id)?.clone();
        let contents = tables.noticing.contents.get(id).cloned().unwrap_or_default();
        let set = tables.noticing.templates.last().unwrap_or(TemplateSet::embedded()).clone().filled();
        let contents = with_codes_in_force(&notice, contents, &set);
        let requests = tables.noticing.requests_of(id);
        Some(Candidate {
            standing: tables.standing(&requests),
            fingerprints: contents.iter().map(|one| (one.channel, fingerprint(one.channel, &one.to))).collect(),
            unsubscribe: unsubscribe_url(&notice, &self.protocol.rules.notices, &seal()),
            contents,
            notice,
        })
    }

    pub(super) fn write_effects(&self, tables: &mut Tables, effects: Effects) {
        for word in effects.addresses {
            let written = tables.noticing.contents.get(&word.notice_id).into_iter().flatten();
            if let Some(content) = written.into_iter().find(|content| content.channel == word.channel) {
                let mark = fingerprint(word.channel, &content.to);
                let facts = tables.noticing.addresses.entry(mark).or_default();
                (facts.verified_at, facts.flagged) = match word.known {
                    Known::Verified => (Some(self.clock()), None),
                    Known::Flagged(code) => (facts.verified_at, Some((self.clock(), code))),
                    Known::Lifted => (facts.verified_at, None),
                };
            }
        }
        let Effects { journal, world, alarms, addresses: _ } = Effects { addresses: Vec::new(), ..effects };
        self.write(tables, Changes { journal, world, alarms, ..Changes::default() });
    }

    pub(super) fn note_of_notices(
        &self,
        tables: &mut Tables,
        kind: &str,
        subject: &str,
        by: &str,
        detail: serde_json::Value,
    ) {
        let row = JournalRow { kind: kind.to_owned(), subject: subject.to_owned(), by: by.to_owned(), detail };
        self.write(tables, Changes { journal: vec![row], ..Changes::default() });
    }

    /// Writes requests that are new, and rings where there is somebody to send.
    pub(super) fn ask(&self, tables: &mut Tables, notices: Vec<NoticeRequest>) -> u32 {
        let now = self.clock();
        let mut new = 0;
        for request in notices {
            tables.noticing.asked.entry(request).or_insert_with(|| {
                new += 1;
                AskedRow { at: now, look_at: now, outcome: None, made_at: None }
            });
        }
        if new > 0 && !self.protocol.rules.notices.providers.is_empty() {
            self.enqueue(tables, Destination::NoticeDoorbell, b"look".to_vec());
        }
        new
    }
}

impl Tables {
    pub(super) fn standing(&self, requests: &[NoticeRequest]) -> Standing {
        standing(requests.iter().map(|one| (one, self.present(&About::of(one.kind, &one.subject)))))
    }

    fn present(&self, about: &About) -> Present<'_> {
        let payout = |key: &PayoutKey| self.payouts.get(key).map(Present::Payout);
        let order = |id: &OrderId| self.cases.orders.get(id).map(Present::Order);
        let found = match about {
            About::Payout(key) => payout(key),
            About::Alert(id) => self.cases.alerts.get(id).map(Present::Alert),
            About::Order(id) => order(id),
            About::Digest(_) | About::Case(_) | About::Nothing => None,
        };
        found.unwrap_or(Present::Nothing)
    }
}

/// The keyed fingerprint of an address.
pub(super) fn fingerprint(channel: Channel, address: &str) -> String {
    match channel {
        Channel::Sms => seal().mobile(address),
        Channel::Mail => seal().email(address),
    }
}

fn seal() -> Seal {
    super::patterns::seal()
}
