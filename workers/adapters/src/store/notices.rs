//! Notices in a database: each method is one transaction, and what it decides is the core's.

use super::fault::Fault;
use super::link::{Lock, Tx};
use super::{
    SqlStore, notice_acts, notice_booking, notice_figures, notice_requests, notice_rows, notice_surroundings,
    notice_templates, patterns, transact,
};
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::BTreeMap;
use zhida_core::notice::rules::UNMATCHED_KEPT;
use zhida_core::notice::template::{Replacing, TemplateSet};
use zhida_core::notice::{Channel, Notice, NoticeRequest, Switch, WaitsFor};
use zhida_core::ports::notices::{
    Content, Errand, ErrandEnd, NoticeFilter, NoticeStore, NoticeView, ReceiptsBooked, RequestCounts, WaitingNotices,
};
use zhida_core::ports::sms::{Receipt, Trust};
use zhida_core::ports::store::StoreError;

#[async_trait]
impl NoticeStore for SqlStore {
    async fn ask_for_notices(&self, requests: &[NoticeRequest]) -> Result<u32, StoreError> {
        transact!(self, Writing, |tx| self.ask_within(&mut tx, requests))
    }

    async fn try_notice(&self, request: &NoticeRequest, to: &str) -> Result<Vec<Errand>, StoreError> {
        self.ask_make_and_take(request, to).await
    }

    async fn make_notices(&self, max: u32) -> Result<u32, StoreError> {
        self.make_due_notices(max).await
    }

    async fn take_errands(&self, max: u32) -> Result<Vec<Errand>, StoreError> {
        self.take_notices(max).await
    }

    async fn book_errands(&self, ends: &[ErrandEnd]) -> Result<(), StoreError> {
        self.book_ends(ends).await
    }

    async fn book_receipts(
        &self,
        provider: &str,
        trust: Trust,
        receipts: &[Receipt],
    ) -> Result<ReceiptsBooked, StoreError> {
        self.book_receipts_of(provider, trust, receipts).await
    }

    async fn look_again(&self) -> Result<(), StoreError> {
        for what in [WaitsFor::Ceiling, WaitsFor::Provider] {
            transact!(self, Writing, |tx| notice_booking::look_again_at(&mut tx, what))?;
        }
        Ok(())
    }

    async fn forget_old(&self) -> Result<u32, StoreError> {
        let forgotten = transact!(self, Writing, |tx| self.forget(&mut tx))?;
        Ok(u32::try_from(forgotten).unwrap_or(u32::MAX))
    }

    async fn notices(&self, filter: &NoticeFilter) -> Result<Vec<Notice>, StoreError> {
        transact!(self, Reading, |tx| notice_rows::listed(&mut tx, filter))
    }

    async fn notice(&self, id: &str) -> Result<Option<NoticeView>, StoreError> {
        transact!(self, Reading, |tx| view(&mut tx, id))
    }

    async fn count_requests(&self) -> Result<RequestCounts, StoreError> {
        transact!(self, Reading, |tx| notice_requests::count(&mut tx))
    }

    async fn waiting_notices(&self) -> Result<WaitingNotices, StoreError> {
        transact!(self, Reading, |tx| notice_figures::waiting(&mut tx))
    }

    async fn import_templates(&self, set: &TemplateSet, seen: &TemplateSet, by: &str) -> Result<Replacing, StoreError> {
        transact!(self, Writing, |tx| notice_templates::import(&mut tx, set, seen, by))
    }

    async fn templates(&self) -> Result<TemplateSet, StoreError> {
        let (last, _) = transact!(self, Reading, |tx| notice_templates::last_readable(&mut tx))?;
        Ok(last.unwrap_or_else(|| TemplateSet::embedded().clone()))
    }

    async fn notice_switch(&self) -> Result<Switch, StoreError> {
        transact!(self, Reading, |tx| notice_surroundings::switch(&mut tx))
    }

    async fn unsubscribes(&self, notice_id: &str, key: &str) -> Result<bool, StoreError> {
        let found = transact!(self, Reading, |tx| notice_acts::unsubscribed_by(&mut tx, notice_id, key))?;
        Ok(found.is_some())
    }

    async fn unsubscribe(&self, notice_id: &str, key: &str) -> Result<bool, StoreError> {
        transact!(self, Writing, |tx| self.unsubscribe_by(&mut tx, notice_id, key))
    }
}

impl SqlStore {
    async fn forget(&self, tx: &mut Tx) -> Result<u64, Fault> {
        let since = self.protocol.rules.notices.counts_since(tx.now);
        let counters = tx.execute("delete from notice_counters where at < $1", vec![since.into()]).await?;
        let kept = tx.now.checked_sub(UNMATCHED_KEPT).unwrap_or(Timestamp::MIN);
        let sql = "delete from notice_receipts where notice_id is null and at < $1";
        Ok(counters + tx.execute(sql, vec![kept.into()]).await?)
    }

    async fn ask_within(&self, tx: &mut Tx, requests: &[NoticeRequest]) -> Result<u32, Fault> {
        let new = notice_requests::ask(tx, requests, &self.protocol.rules.notices).await?;
        Ok(u32::try_from(new).unwrap_or(u32::MAX))
    }
}

async fn view(tx: &mut Tx, id: &str) -> Result<Option<NoticeView>, Fault> {
    let ids = vec![id.to_owned()];
    let read = notice_rows::locked(tx, ids.clone(), Lock::None).await?;
    if let Some(fault) = read.unreadable.into_values().next() {
        return Err(fault);
    }
    let Some(notice) = read.notices.into_iter().next() else { return Ok(None) };
    let (mut contents, unreadable) = notice_rows::contents(tx, ids.clone()).await?;
    if let Some(fault) = unreadable.into_values().next() {
        return Err(fault);
    }
    let contents = contents.remove(id).unwrap_or_default();
    let seal = patterns::seal(tx).await?;
    let fingerprint = |one: &Content| (one.channel, notice_surroundings::fingerprint(&seal, one.channel, &one.to));
    let marks: BTreeMap<Channel, String> = contents.iter().map(fingerprint).collect();
    let known = notice_surroundings::known_of(tx, marks.values().cloned().collect()).await?;
    let facts = |(channel, mark): (Channel, String)| Some((channel, known.get(&mark)?.clone()));
    Ok(Some(NoticeView {
        requests: notice_rows::requests(tx, ids).await?.remove(id).unwrap_or_default(),
        addresses: marks.into_iter().filter_map(facts).collect(),
        contents,
        receipts: notice_rows::receipts(tx, id).await?,
        notice,
    }))
}
