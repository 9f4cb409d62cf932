//! Payouts whose rows cannot be read, or whose change the database refuses: they are left out with an alarm, and hold up
//! none of the others.

use super::fault::Fault;
use super::link::Tx;
use super::value::Value;
use super::{alarms, load};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use zhida_core::ids::{MsgId, PayoutKey};
use zhida_core::payout::{Alarm, AlarmKind};

/// When a payout that was left out is looked at again. Its wake-up then writes it anew, once its rows are mended.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// Takes payouts out of what is claimed until their next wake-up, and rings for each, once in that time.
pub(super) async fn set_aside(tx: &mut Tx, places: &BTreeMap<PayoutKey, String>) -> Result<(), Fault> {
    let again = tx.now.checked_add(AGAIN_AFTER).unwrap_or(Timestamp::MAX);
    let mut rung = Vec::new();
    for (key, place) in places {
        // Whoever has set it aside before has rung.
        let sql = "update payouts set claimable = false, wake_at = $3 where application_id = $1 and tranche = $2 \
            and (claimable or wake_at is null or wake_at <= $4 or wake_at > $3)";
        let values: Vec<Value> =
            vec![key.application_id.as_str().into(), key.tranche.into(), again.into(), tx.now.into()];
        if tx.execute(sql, values).await? == 0 {
            continue;
        }
        rung.push(Alarm {
            kind: AlarmKind::RowUnusable,
            key: Some(key.clone()),
            instruction_id: None,
            text: format!("left out until its rows are mended, and looked at again every hour: {place}"),
        });
    }
    alarms::ring(tx, &rung).await
}

/// As [`set_aside`], for payouts whose change was refused.
pub(super) async fn set_aside_refused(tx: &mut Tx, keys: &BTreeSet<PayoutKey>) -> Result<(), Fault> {
    let place = |key: &PayoutKey| (key.clone(), "the database refuses to read or to change them".to_owned());
    set_aside(tx, &keys.iter().map(place).collect()).await
}

/// Puts an open batch off whose row cannot be read, with its members, and rings: every claim looks at open batches first, and one
/// must not stop them all.
pub(super) async fn put_off_batch(tx: &mut Tx, msg_id: &MsgId, fault: Fault) -> Result<(), Fault> {
    let Fault::Corrupt { place, .. } = fault else { return Err(fault) };
    let again = tx.now.checked_add(AGAIN_AFTER).unwrap_or(Timestamp::MAX);
    let values: Vec<Value> = vec![msg_id.as_str().into(), again.into()];
    tx.execute("update batches set examine_at = $2 where msg_id = $1", values).await?;
    let alarm = Alarm {
        kind: AlarmKind::RowUnusable,
        key: None,
        instruction_id: None,
        text: format!("batch {msg_id} is left out until its row is mended, and looked at again every hour: {place}"),
    };
    alarms::ring(tx, &[alarm]).await
}

/// Frees payouts that were left out of a batch that is closed now: once mended they travel otherwise.
pub(super) async fn leave_batch(tx: &mut Tx, msg_id: &MsgId, keys: &BTreeSet<PayoutKey>) -> Result<(), Fault> {
    if keys.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "update instructions set msg_id = null where msg_id = $1 and (application_id, tranche) {}",
        tx.pairs_among(2)
    );
    let msg_id: Value = msg_id.as_str().into();
    tx.execute(sql, std::iter::once(msg_id).chain(load::lists(keys)).collect()).await?;
    Ok(())
}

/// Does `$work`, which leaves out the payouts in `$left_out`, in one transaction with nobody left out. When a row of one of
/// `$keys` is in the way, each is tried alone and rolled back, and the work is done without those that cannot be done.
macro_rules! isolating {
    ($store:expr, $keys:expr, |$tx:ident, $left_out:ident| $work:expr) => {{
        let nobody = std::collections::BTreeSet::new();
        let $left_out = &nobody;
        match crate::store::transact!($store, Writing, |$tx| $work) {
            Err(error) if error.is_of_a_row() => {
                let keys: std::collections::BTreeSet<zhida_core::ids::PayoutKey> = $keys;
                let mut refused = std::collections::BTreeSet::new();
                for key in &keys {
                    let others = keys.iter().filter(|one| *one != key).cloned().collect();
                    let $left_out = &others;
                    let mut $tx = $store.begin(crate::store::pools::Purpose::Writing).await?;
                    let worked = $work.await;
                    if $tx.tried(worked).await?.is_err() {
                        refused.insert(key.clone());
                    }
                }
                let $left_out = &refused;
                crate::store::transact!($store, Writing, |$tx| async {
                    crate::store::aside::set_aside_refused(&mut $tx, $left_out).await?;
                    $work.await
                })
            }
            done => done,
        }
    }};
}
pub(super) use isolating;
