//! Reading, for people and machines: one state of the database each, without standing in anybody's way.

use super::fault::Fault;
use super::link::Tx;
use super::reference::all_funds;
use super::value::{Row, Value};
use super::write::write_journal;
use super::{SqlStore, alarms, case_rows, load, notice_figures, pattern_rows, transact};
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use zhida_core::ids::ApplicationId;
use zhida_core::money::Fen;
use zhida_core::payout::{HoldCode, Payout};
use zhida_core::ports::store::{
    ALARMS_RING, AlarmEntry, AlarmFilter, Figures, JournalEntry, PayoutFilter, PayoutPage, Place, QuarantineRow,
    ReadStore, Sending, StoreError, Which, with_alarms,
};
use zhida_core::steps::{JournalRow, Quarantined};

#[async_trait]
impl ReadStore for SqlStore {
    async fn payouts_of(&self, id: &ApplicationId) -> Result<Vec<Payout>, StoreError> {
        transact!(self, Reading, |tx| load::payouts_of(&mut tx, vec![id.0.clone()], super::link::Lock::None))
    }

    async fn payouts(&self, filter: &PayoutFilter) -> Result<PayoutPage, StoreError> {
        transact!(self, Reading, |tx| page(&mut tx, filter))
    }

    async fn trace(&self, id: &ApplicationId) -> Result<Vec<JournalEntry>, StoreError> {
        transact!(self, Reading, |tx| story_of(&mut tx, id))
    }

    async fn alarms(&self, filter: &AlarmFilter) -> Result<Vec<AlarmEntry>, StoreError> {
        transact!(self, Reading, |tx| alarms::list(&mut tx, filter))
    }

    async fn sending(&self) -> Result<Sending, StoreError> {
        transact!(self, Reading, |tx| self.sending_within(&mut tx))
    }

    async fn quarantine_rows(&self, which: Which) -> Result<Vec<QuarantineRow>, StoreError> {
        transact!(self, Reading, |tx| quarantine(&mut tx, which))
    }

    async fn close_quarantine(&self, id: &str, state: &str, by: &str, why: &str) -> Result<bool, StoreError> {
        transact!(self, Writing, |tx| close(&mut tx, id, state, by, why))
    }

    async fn figures(&self) -> Result<Figures, StoreError> {
        transact!(self, Reading, |tx| self.figures_within(&mut tx))
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        transact!(self, Reading, |tx| clock(&mut tx))
    }
}

async fn clock(tx: &mut Tx) -> Result<Timestamp, Fault> {
    Ok(tx.now)
}

async fn page(tx: &mut Tx, filter: &PayoutFilter) -> Result<PayoutPage, Fault> {
    let mut values: Vec<Value> = Vec::new();
    let mut conditions: Vec<String> = Vec::new();
    if let Some(state) = filter.state {
        values.push(state.code().into());
        conditions.push(format!("state = ${}", values.len()));
    }
    if let Some(policy_id) = &filter.policy_id {
        values.push(policy_id.as_str().into());
        conditions.push(format!("policy_id = ${}", values.len()));
    }
    if let Some(before) = &filter.before {
        let n = values.len();
        conditions.push(format!("(received_at, application_id, tranche) < (${}, ${}, ${})", n + 1, n + 2, n + 3));
        let Place { received_at, key } = before;
        values.extend([(*received_at).into(), key.application_id.as_str().into(), key.tranche.into()]);
    }
    let whole = if conditions.is_empty() { String::new() } else { format!("where {}", conditions.join(" and ")) };
    let limit = filter.limit.clamp(1, 1000);
    let tail = format!("{whole} order by received_at desc, application_id desc, tranche desc");
    let (mut items, more) = load::page(tx, &tail, values, limit).await?;
    items.truncate(limit as usize);
    let next = items.last().filter(|_| more).map(Place::of);
    Ok(PayoutPage { items, next })
}

/// Alarms are few: they are not kept in the order of applications.
async fn story_of(tx: &mut Tx, id: &ApplicationId) -> Result<Vec<JournalEntry>, Fault> {
    let rang = AlarmFilter { application_id: Some(id.clone()), kind: None, limit: u32::MAX };
    let rang = alarms::list(tx, &rang).await?;
    Ok(with_alarms(journal_of(tx, id).await?, rang))
}

async fn journal_of(tx: &mut Tx, id: &ApplicationId) -> Result<Vec<JournalEntry>, Fault> {
    // '0' follows '/': everything that begins with the id and a slash.
    let sql = "select sequence, at, kind, subject, by, detail from journal \
        where subject = $1 or (subject > $2 and subject < $3) order by sequence";
    let values = vec![id.as_str().into(), format!("{id}/").into(), format!("{id}0").into()];
    let mut story = tx.rows(sql, values).await?.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    story.extend(of_shared_notices(tx, id).await?);
    story.sort_by_key(|entry| entry.sequence);
    Ok(story)
}

/// What became of notices about several applications, of which this is not the first: it is written under that one.
async fn of_shared_notices(tx: &mut Tx, id: &ApplicationId) -> Result<Vec<JournalEntry>, Fault> {
    let sql = "select notices.id, notices.application_id from notices join notice_requests on notice_requests.notice_id = notices.id \
        where notice_requests.application_id = $1 and notices.application_id <> $1";
    let (mut ids, mut subjects) = (BTreeSet::new(), BTreeSet::new());
    for row in &tx.rows(sql, vec![id.as_str().into()]).await? {
        ids.insert(row.get::<String>("id")?);
        subjects.insert(row.get::<String>("application_id")?);
    }
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "select sequence, at, kind, subject, by, detail from journal where kind like 'notice.%' and subject {}",
        tx.among(1)
    );
    let rows = tx.rows(sql, vec![subjects.into_iter().collect::<Vec<_>>().into()]).await?;
    let found = rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    Ok(found.into_iter().filter(|entry| entry.notice_id().is_some_and(|id| ids.contains(id))).collect())
}

fn entry(row: &Row) -> Result<JournalEntry, Fault> {
    Ok(JournalEntry {
        sequence: row.get("sequence")?,
        at: row.time("at")?,
        kind: row.get("kind")?,
        subject: row.get("subject")?,
        by: row.get("by")?,
        detail: row.json("detail")?,
    })
}

async fn quarantine(tx: &mut Tx, which: Which) -> Result<Vec<QuarantineRow>, Fault> {
    let condition = match which {
        Which::Open => "where state = 'open'",
        Which::All => "",
    };
    let sql = format!(
        "select id, received_at, body, way, source, event_id, event_type, reason_code, field, reason, state, \
         closed_by, closed_at, closed_reason from quarantine {condition} order by id"
    );
    let rows = tx.rows(sql, vec![]).await?;
    let read = |row: &Row| {
        let closed = match row.time_or_none("closed_at")? {
            Some(at) => Some((row.get("closed_by")?, at, row.get("closed_reason")?)),
            None => None,
        };
        let item = Quarantined {
            body: row.get("body")?,
            way: row.get("way")?,
            source: row.get("source")?,
            event_id: row.get("event_id")?,
            event_type: row.get("event_type")?,
            reason_code: row.get("reason_code")?,
            field: row.get("field")?,
            reason: row.get("reason")?,
        };
        let (id, received_at, state) = (row.get("id")?, row.time("received_at")?, row.get("state")?);
        Ok(QuarantineRow { id, received_at, item, state, closed })
    };
    rows.iter().map(read).collect()
}

async fn close(tx: &mut Tx, id: &str, state: &str, by: &str, why: &str) -> Result<bool, Fault> {
    let sql = "update quarantine set state = $2, closed_by = $3, closed_at = $4, closed_reason = $5 \
        where id = $1 and state = 'open'";
    let values = vec![id.into(), state.into(), by.into(), tx.now.into(), why.into()];
    if tx.execute(sql, values).await? == 0 {
        return Ok(false);
    }
    let row = JournalRow {
        kind: "quarantine.closed".to_owned(),
        subject: id.to_owned(),
        by: by.to_owned(),
        detail: json!({"state": state, "why": why}),
    };
    write_journal(tx, &[row]).await?;
    Ok(true)
}

impl SqlStore {
    async fn sending_within(&self, tx: &mut Tx) -> Result<Sending, Fault> {
        let (switch, spent) = (load::switch(tx, super::link::Lock::None).await?, self.spent(tx).await?);
        Ok(Sending { switch, limits: self.protocol.rules.limits, spent })
    }

    async fn figures_within(&self, tx: &mut Tx) -> Result<Figures, Fault> {
        let mut figures = Figures { at: Some(tx.now), funds: all_funds(tx).await?, ..Figures::default() };
        count_payouts(tx, &mut figures).await?;
        count_holds(tx, &mut figures).await?;
        figures.oldest_unpaid = first_time(tx, "select min(approved_at) as at from payouts where live", vec![]).await?;
        self.count_late(tx, &mut figures).await?;
        let unknown = "select min(last_call_ended_at) as at from instructions where state = 'unknown'";
        figures.oldest_unknown = first_time(tx, unknown, vec![]).await?;
        let pending = "select min(on_the_way_since) as at from instructions where state = 'pending'";
        figures.oldest_pending = first_time(tx, pending, vec![]).await?;
        let unsent = "select count(*) as count, min(created_at) as at from outbox where sent_at is null";
        let row = tx.one(unsent, vec![]).await?;
        figures.outbox = (row.unsigned("count")?, row.time_or_none("at")?);
        let open =
            "select reason_code as name, count(*) as count from quarantine where state = 'open' group by reason_code";
        figures.quarantine_by_code = counts(tx, open, vec![]).await?;
        let alarms = "select kind as name, count(*) as count from alarms group by kind";
        figures.alarms_by_kind = counts(tx, alarms, vec![]).await?;
        let recent = "select kind as name, count(*) as count from alarms where at > $1 group by kind";
        let since = tx.now.checked_sub(ALARMS_RING).unwrap_or(Timestamp::MIN);
        figures.alarms_last_hour = counts(tx, recent, vec![since.into()]).await?;
        case_rows::count(tx, &mut figures).await?;
        for ((_, state), count) in pattern_rows::counted(tx).await? {
            *figures.patterns_by_state.entry(state.code().to_owned()).or_default() += count;
        }
        self.count_digests(tx, &mut figures).await?;
        figures.stopped = load::switch(tx, super::link::Lock::None).await?.stopped_by.is_some();
        figures.notices = notice_figures::read(tx).await?;
        Ok(figures)
    }

    /// At risk: from the first alert on, or because the large-value rail is closed, until the 24 hours are over; then overdue.
    async fn count_late(&self, tx: &mut Tx, figures: &mut Figures) -> Result<(), Fault> {
        let now = tx.now;
        let first_alert = self.protocol.rules.at_risk_after.iter().min();
        let risky = first_alert.and_then(|after| now.checked_sub(*after).ok()).unwrap_or(Timestamp::MIN);
        let late = now.checked_sub(zhida_core::payout::PROMISE).unwrap_or(Timestamp::MIN);
        // due_at is approved_at and the promise, so that one index serves both.
        let sql = "select count(*) as count from payouts where live and approved_at <= $1";
        figures.overdue = tx.one(sql, vec![late.into()]).await?.unsigned("count")?;
        let at_risk_or_overdue: u64 = tx.one(sql, vec![risky.into()]).await?.unsigned("count")?;
        let sql = "select count(*) as count, count(*) filter (where approved_at <= $2) as both \
            from payouts where live and rail_closed and approved_at > $1";
        let rail = tx.one(sql, vec![late.into(), risky.into()]).await?;
        figures.at_risk_rail_closed = rail.unsigned("count")?;
        figures.at_risk = at_risk_or_overdue.saturating_sub(figures.overdue).saturating_sub(rail.unsigned("both")?);
        Ok(())
    }
}

/// What is at its end was counted when it got there; the rest is counted now, by its index.
async fn count_payouts(tx: &mut Tx, figures: &mut Figures) -> Result<(), Fault> {
    let sql = "select state, reason_code, count(*) as count, cast(sum(amount) as bigint) as amount \
        from payouts where state not in ('settled', 'cancelled') group by state, reason_code \
        union all select state, null, cast(sum(count) as bigint), cast(sum(amount) as bigint) \
        from finished_payouts group by state having sum(count) > 0";
    for row in tx.rows(sql, vec![]).await? {
        let (state, reason): (String, Option<String>) = (row.get("state")?, row.get("reason_code")?);
        let (count, amount): (u64, i64) = (row.unsigned("count")?, row.get("amount")?);
        let reason = reason.unwrap_or_default();
        if let Some(class) = reason.strip_prefix("refused_") {
            *figures.refused_by_class.entry(class.to_owned()).or_default() += count;
        }
        let sum = figures.by_state.entry(state).or_default();
        *sum = (sum.0 + count, Fen(sum.1.0 + amount));
    }
    Ok(())
}

/// Every hold of every held payout, not only the one that is its reason. The column is read as text, so that one that cannot
/// be read does not blind the rest.
async fn count_holds(tx: &mut Tx, figures: &mut Figures) -> Result<(), Fault> {
    let sums = HoldCode::ALL.iter().map(|code| {
        let code = code.code();
        format!("count(case when holds like '%\"{code}\":{{%' then 1 end) as {code}")
    });
    let sql = format!("select {} from payouts where state = 'held'", sums.collect::<Vec<_>>().join(", "));
    let row = tx.one(sql, vec![]).await?;
    for code in HoldCode::ALL {
        let count = row.unsigned(code.code())?;
        if count > 0 {
            figures.held_by_code.insert(code.code().to_owned(), count);
        }
    }
    Ok(())
}

async fn counts(tx: &mut Tx, sql: &str, values: Vec<Value>) -> Result<BTreeMap<String, u64>, Fault> {
    let rows = tx.rows(sql, values).await?;
    rows.iter().map(|row| Ok((row.get("name")?, row.unsigned("count")?))).collect()
}

async fn first_time(tx: &mut Tx, sql: &str, values: Vec<Value>) -> Result<Option<Timestamp>, Fault> {
    tx.one(sql, values).await?.time_or_none("at")
}
