//! Which running deadlines an amended calendar would move: those of applications whose clocks touch a day that changes, counted by
//! both calendars. Reads only.

use super::SqlStore;
use super::cases::{Circumstances, cases};
use super::fault::Fault;
use super::link::Tx;
use super::value::Value;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use zhida_config::Calendar;
use zhida_core::calendars::changed_days;
use zhida_core::ids::ApplicationId;
use zhida_core::ports::digests::MovedPage;
use zhida_core::supervision::{District, moved};
use zhida_core::working_time::WorkingTime;

/// The list of clocks is as old as the last looks: deadlines may have moved by so much since.
const MARGIN: SignedDuration = SignedDuration::from_hours(31 * 24);

/// The deadlines that move of at most `max` applications after that one.
pub(super) async fn page(
    store: &SqlStore,
    tx: &mut Tx,
    amendment: &Calendar,
    after: Option<&ApplicationId>,
    max: u32,
) -> Result<MovedPage, Fault> {
    let Circumstances { organisation, time, .. } = &store.circumstances(tx).await?;
    let amended = Calendar::clone(&time.calendar).amended_by(amendment.clone());
    let nothing = MovedPage { moved: Vec::new(), next: None };
    let Some((first, last)) = changed_days(&time.calendar, &amended) else { return Ok(nothing) };
    let then = WorkingTime { calendar: Arc::new(amended), ..time.clone() };
    let begins = time.midnight(first).checked_sub(MARGIN).unwrap_or(Timestamp::MIN);
    let ends = time.midnight(last.tomorrow().unwrap_or(last));
    let sql = "select distinct application_id from clocks where ended_at is null and started_at < $1 and deadline >= $2 \
        and application_id > $3 order by application_id limit $4";
    let from = after.map(ApplicationId::as_str).unwrap_or_default();
    let values: Vec<Value> = vec![ends.into(), begins.into(), from.into(), max.into()];
    let rows = tx.rows(sql, values).await?;
    let ids: Vec<ApplicationId> =
        rows.iter().map(|row| row.get("application_id").map(ApplicationId)).collect::<Result<_, _>>()?;
    let mut cases = cases(tx, &ids).await?;
    let rules = &store.protocol.rules.supervision;
    let district = District { rules, organisation, time, now: tx.now };
    let mut page = MovedPage { moved: Vec::new(), next: ids.last().filter(|_| ids.len() == max as usize).cloned() };
    for id in &ids {
        page.moved.extend(moved(id, cases.remove(id).unwrap_or_default(), district, &then));
    }
    Ok(page)
}
