//! The numbers of events that go out: counted per subject from 1, over all tranches of an application and in the order of
//! commits. A number is drawn in the transaction that announces, so that one rolled back leaves no gap.

use super::fault::Fault;
use super::link::Tx;
use std::collections::BTreeMap;
use zhida_core::steps::WorldEvent;

/// A number for each of `events`, in their order. The counters of all subjects are raised by one statement, in the order of
/// subjects. They stay locked until the end of the transaction: whoever draws numbers locks nothing afterwards.
pub(super) async fn draw(tx: &mut Tx, events: &[WorldEvent]) -> Result<Vec<u64>, Fault> {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for event in events {
        *counts.entry(&event.subject).or_default() += 1;
    }
    if counts.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "insert into sequences (subject, last) {} on conflict (subject) do update set last = sequences.last + excluded.last \
         returning subject, last",
        tx.either(
            "select * from unnest($1::text[], $2::bigint[])",
            // Without a condition the parser takes "on conflict" for that of the join.
            "select one.value, two.value from json_each($1) one join json_each($2) two on two.key = one.key where true",
        )
    );
    let (subjects, raised): (Vec<String>, Vec<i64>) =
        counts.iter().map(|(subject, count)| ((*subject).to_owned(), *count)).unzip();
    let mut next: BTreeMap<String, u64> = BTreeMap::new();
    for row in tx.rows(sql, vec![subjects.into(), raised.into()]).await? {
        let (subject, last): (String, u64) = (row.get("subject")?, row.unsigned("last")?);
        let count = counts.get(subject.as_str()).copied().unwrap_or_default().unsigned_abs();
        next.insert(subject, last - count);
    }
    let number = |event: &WorldEvent| {
        let last = next.get_mut(&event.subject).ok_or_else(|| Fault::corrupt("sequences", &event.subject))?;
        *last += 1;
        Ok(*last)
    };
    events.iter().map(number).collect()
}
