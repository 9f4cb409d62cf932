//! Figures of notices, each by an index that holds little else.

use super::fault::Fault;
use super::link::Tx;
use super::notice_surroundings;
use jiff::Timestamp;
use zhida_core::notice::{NoticeKind, NoticeState, ProviderHealth, WaitsFor};
use zhida_core::ports::notices::{Waiting, WaitingNotices};
use zhida_core::ports::store::{ALARMS_RING, NoticeFigures};

/// Reads them.
pub(super) async fn read(tx: &mut Tx) -> Result<NoticeFigures, Fault> {
    let now = tx.now;
    let since = now.checked_sub(ALARMS_RING).unwrap_or(Timestamp::MIN);
    let sql = "select kind, state, count(*) as count from notices where created_at > $1 group by kind, state";
    let mut figures = NoticeFigures::default();
    for row in tx.rows(sql, vec![since.into()]).await? {
        let (kind, state): (String, String) = (row.get("kind")?, row.get("state")?);
        // What another version wrote is counted by that one.
        if let (Some(kind), Some(state)) = (NoticeKind::from_code(&kind), NoticeState::from_code(&state)) {
            figures.last_hour.insert((kind, state), row.unsigned("count")?);
        }
    }
    let sql = "select kind, outcome, count(*) as count from notice_requests \
        where outcome <> 'made' and made_at > $1 group by kind, outcome";
    for row in tx.rows(sql, vec![since.into()]).await? {
        let kind: String = row.get("kind")?;
        if let Some(kind) = NoticeKind::from_code(&kind) {
            figures.not_made.insert((kind, row.get("outcome")?), row.unsigned("count")?);
        }
    }
    let sql = "select min(at) as at from (select min(at) as at from notice_requests where outcome is null \
        union all select min(waiting_since) from notices where waiting_since is not null) as waiting";
    figures.oldest_waiting = tx.one(sql, vec![]).await?.time_or_none("at")?.filter(|at| *at < now);
    figures.stopped = notice_surroundings::switch(tx).await?.stopped.is_some();
    let rows = tx.rows("select name, health from notice_providers order by name", vec![]).await?;
    for row in &rows {
        let (name, health): (String, ProviderHealth) = (row.get("name")?, row.json("health").unwrap_or_default());
        figures.providers_shut.extend(health.rests(now).then(|| name.clone()));
        figures.providers.insert(name, health);
    }
    Ok(figures)
}

/// Counts what waits to be sent, by what it waits for.
pub(super) async fn waiting(tx: &mut Tx) -> Result<WaitingNotices, Fault> {
    let sql = "select waits_for, count(*) as count, min(next_at) as until from notices \
        where waiting_since is not null and next_at is not null group by waits_for";
    let mut found = WaitingNotices::new();
    for row in tx.rows(sql, vec![]).await? {
        let code: Option<String> = row.get("waits_for")?;
        let what = code.as_deref().and_then(WaitsFor::from_code);
        // What another version wrote, and this one has no word for, it cannot count.
        if what.is_some() == code.is_some() && what.is_none_or(WaitsFor::holds_back) {
            found.insert(what, Waiting { count: row.unsigned("count")?, until: row.time("until")? });
        }
    }
    Ok(found)
}
