//! The claim: an open batch that may go again, else a new one. The exact bytes are committed before anybody calls the bank.

use super::fault::Fault;
use super::link::{Lock, Tx};
use super::value::{Record, Row, Value};
use super::{SqlStore, aside, judging, load};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use zhida_core::batch::{ClaimedBatch, Examination};
use zhida_core::ids::{FundId, MsgId, PayoutKey};
use zhida_core::money::Fen;
use zhida_core::payout::Payout;
use zhida_core::ports::store::StoredEvent;
use zhida_core::rules::{ChangedPayee, Limits};
use zhida_core::steps::{self, Authority, ClaimInputs, Desk, PaidAccounts, ResendInputs, Spent};

/// Open batches looked at in one claim at most.
const EXAMINED_MAX: i64 = 20;
/// Pages of candidates looked through when those before them may not be sent now (limits).
const PAGES_MAX: u32 = 10;

impl SqlStore {
    pub(super) async fn claim_within(
        &self,
        tx: &mut Tx,
        msg_id: &MsgId,
        max: u32,
    ) -> Result<Option<ClaimedBatch>, Fault> {
        let limited = self.protocol.rules.limits != Limits::default();
        // With limits, one claim at a time: what one sends counts for the next.
        let switch = load::switch(tx, if limited { Lock::Wait } else { Lock::None }).await?;
        if switch.stopped_by.is_some() {
            return Ok(None);
        }
        let spent = if limited { self.spent(tx).await? } else { Spent::default() };
        if let Some(claimed) = self.claim_again(tx, &spent).await? {
            return Ok(Some(claimed));
        }
        let mut after: Option<Payout> = None;
        for _ in 0..PAGES_MAX {
            let payouts = candidates(tx, self.room(&spent), after.as_ref(), max).await?;
            let full = payouts.len() as u64 >= u64::from(max);
            after = payouts.last().cloned();
            if payouts.is_empty() {
                return Ok(None);
            }
            let claimed = self.claim_new(tx, payouts, spent.clone(), msg_id).await?;
            if claimed.is_some() || !full {
                return Ok(claimed);
            }
        }
        Ok(None)
    }

    /// Looks at open batches whose time has come, until one may go again. A batch with a member in other hands waits.
    async fn claim_again(&self, tx: &mut Tx, spent: &Spent) -> Result<Option<ClaimedBatch>, Fault> {
        let (columns, locked) = (load::BATCH_COLUMNS, tx.locked(Lock::Skip));
        let sql = format!(
            "select {columns} from batches where closed is null and examine_at <= $1 order by examine_at limit $2 {locked}"
        );
        for row in tx.rows(sql, vec![tx.now.into(), EXAMINED_MAX.into()]).await? {
            let msg_id = MsgId(row.get("msg_id")?);
            let members = load::members(tx, &msg_id).await?;
            let batch = match load::read_batch(tx, &row, members.clone()) {
                Ok(batch) => batch,
                Err(fault) => {
                    aside::put_off_batch(tx, &msg_id, fault).await?;
                    continue;
                }
            };
            let keys: BTreeSet<PayoutKey> = members.iter().map(|member| member.key.clone()).collect();
            let (payouts, unreadable) = load::payouts_and_unreadable(tx, &keys).await?;
            if payouts.len() + unreadable.len() < keys.len() {
                continue;
            }
            // A batch with a member that cannot be read is closed as one whose member is gone: the others travel without it.
            aside::leave_batch(tx, &msg_id, &unreadable).await?;
            let authorities = self.authorities(tx, &payouts).await?;
            let inputs = ResendInputs { authorities: &authorities, spent, format: self.protocol.format.as_ref() };
            let mut desk = self.desk(tx, payouts);
            let claimed = match steps::examine_batch(&mut desk, batch.clone()) {
                Examination::GoesAgain => steps::claim_again(&mut desk, batch, &inputs),
                Examination::Waits | Examination::Closes(_) => None,
            };
            let changes = desk.changes;
            self.write(tx, changes).await?;
            if claimed.is_some() {
                return Ok(claimed);
            }
        }
        Ok(None)
    }

    async fn claim_new(
        &self,
        tx: &mut Tx,
        payouts: Vec<Payout>,
        spent: Spent,
        msg_id: &MsgId,
    ) -> Result<Option<ClaimedBatch>, Fault> {
        let authorities = self.authorities(tx, &payouts).await?;
        let fund_ids = payouts.iter().filter_map(|payout| payout.fund_id.as_ref()).map(|id| id.0.clone()).collect();
        let policy_ids = payouts.iter().map(|payout| payout.policy_id.0.clone()).collect();
        let (funds, policies) = (judging::funds(tx, fund_ids).await?, judging::policies(tx, policy_ids).await?);
        let accounts = self.paid_accounts(tx, &payouts).await?;
        let inputs = ClaimInputs {
            candidates: payouts.iter().map(|payout| payout.key.clone()).collect(),
            funds: &funds,
            policies: &policies,
            authorities: &authorities,
            accounts: &accounts,
            stopped: zhida_core::batch::Stopped::No,
            spent,
            msg_id: msg_id.clone(),
            format: self.protocol.format.as_ref(),
        };
        let mut desk = self.desk(tx, payouts);
        let claimed = steps::claim(&mut desk, inputs);
        let first_sent = claimed.as_ref().map(|claimed| first_sent(&desk, claimed)).unwrap_or_default();
        let changes = desk.changes;
        self.write(tx, changes).await?;
        self.count_sent(tx, first_sent).await?;
        Ok(claimed)
    }

    /// What the signed events behind the candidates entitle to, read again from the bytes as they came.
    async fn authorities(
        &self,
        tx: &mut Tx,
        payouts: &[Payout],
    ) -> Result<BTreeMap<PayoutKey, Option<Authority>>, Fault> {
        let names = payouts.iter().flat_map(|one| std::iter::once(&one.approval_event).chain(&one.correction_event));
        let names: BTreeSet<(String, String)> = names.cloned().collect();
        let (sources, ids): (Vec<String>, Vec<String>) = names.into_iter().unzip();
        let sql = format!(
            "select source, event_id, body, received_at from inbox join inbox_bodies using (source, event_id) \
             where (source, event_id) {}",
            tx.pairs_among(1)
        );
        let rows = tx.rows(sql, vec![sources.into(), ids.into()]).await?;
        let event = |row: &Row| {
            let stored = StoredEvent { body: row.get("body")?, received_at: row.time("received_at")? };
            Ok(((row.get("source")?, row.get("event_id")?), stored))
        };
        let events = rows.iter().map(event).collect::<Result<BTreeMap<(String, String), StoredEvent>, Fault>>()?;
        let authority = |payout: &Payout| {
            let approval = events.get(&payout.approval_event)?;
            let correction = match &payout.correction_event {
                // A correction that took effect and cannot be read again entitles to nothing.
                Some(name) => Some(events.get(name)?),
                None => None,
            };
            self.protocol.verifier.read(approval, correction)
        };
        Ok(payouts.iter().map(|payout| (payout.key.clone(), authority(payout))).collect())
    }

    /// On which accounts the enterprises of those are paid that are sent for the first time.
    async fn paid_accounts(&self, tx: &mut Tx, payouts: &[Payout]) -> Result<PaidAccounts, Fault> {
        let first = payouts.iter().filter(|one| one.latest().is_some_and(|latest| latest.first_claimed_at.is_none()));
        let usccs: BTreeSet<String> = first.map(|one| one.enterprise.uscc.clone()).collect();
        if self.protocol.rules.changed_payee == ChangedPayee::Pay || usccs.is_empty() {
            return Ok(PaidAccounts::default());
        }
        let last_paid = judging::last_paid(tx, usccs.clone()).await?;
        let never_paid = usccs.into_iter().filter(|uscc| !last_paid.contains_key(uscc)).collect();
        let goes_first = judging::goes_first(tx, never_paid).await?;
        Ok(PaidAccounts { last_paid, goes_first })
    }

    /// What was first sent in this clock hour and on this day of the district's zone.
    pub(super) async fn spent(&self, tx: &mut Tx) -> Result<Spent, Fault> {
        let hour = self.hour(tx.now);
        let midnight = self.protocol.rules.zone.to_datetime(tx.now).date().at(0, 0, 0, 0);
        let day =
            self.protocol.rules.zone.to_timestamp(midnight).map_err(|error| Fault::corrupt("the clock", &error))?;
        let rows = tx.rows("select fund_id, hour_at, amount from sent_amounts where hour_at >= $1", vec![day.into()]);
        let mut spent = Spent::default();
        for row in rows.await? {
            let (amount, fund_id): (i64, String) = (row.get("amount")?, row.get("fund_id")?);
            if row.time("hour_at")? == hour {
                spent.this_hour = Fen(spent.this_hour.0 + amount);
            }
            spent.today = Fen(spent.today.0 + amount);
            let of_fund = spent.today_by_fund.entry(FundId(fund_id)).or_default();
            *of_fund = Fen(of_fund.0 + amount);
        }
        Ok(spent)
    }

    /// None without limits.
    fn room(&self, spent: &Spent) -> Option<Room> {
        let limits = &self.protocol.rules.limits;
        if *limits == Limits::default() {
            return None;
        }
        let left = |limit: Option<i64>, spent: i64| limit.map_or(i64::MAX, |limit| limit.saturating_sub(spent));
        let altogether = left(limits.per_hour, spent.this_hour.0)
            .min(left(limits.per_day, spent.today.0))
            .min(left(limits.per_fund_per_day, 0));
        let of_fund = |(id, sum): (&FundId, &Fen)| (id.clone(), left(limits.per_fund_per_day, sum.0));
        Some(Room { altogether, by_fund: spent.today_by_fund.iter().map(of_fund).collect() })
    }

    /// Shared counters, written last.
    async fn count_sent(&self, tx: &mut Tx, sums: BTreeMap<FundId, Fen>) -> Result<(), Fault> {
        let hour = self.hour(tx.now);
        let record = |(fund_id, amount): (FundId, Fen)| -> Record {
            vec![("fund_id", fund_id.0.into()), ("hour_at", hour.into()), ("amount", amount.into())]
        };
        let tail = "on conflict (fund_id, hour_at) do update set amount = sent_amounts.amount + excluded.amount";
        tx.insert("sent_amounts", sums.into_iter().map(record).collect(), tail).await
    }

    /// The start of the clock hour, in the district's zone.
    fn hour(&self, now: Timestamp) -> Timestamp {
        let zone = &self.protocol.rules.zone;
        let local = zone.to_datetime(now);
        let start = local.date().at(local.hour(), 0, 0, 0);
        // By the offset of now, which an hour repeated at a change of clocks has twice.
        zone.to_offset(now).to_timestamp(start).unwrap_or(now)
    }
}

/// What the limits leave for first sendings: altogether, and out of funds that have been drawn on today.
struct Room {
    altogether: i64,
    by_fund: BTreeMap<FundId, i64>,
}

/// Payouts that may be put into a new message, oldest deadline first, after the last one of the page before. Those for which the
/// limits leave no room are passed over here, so that however many they are they hold up none of the others.
async fn candidates(tx: &mut Tx, room: Option<Room>, after: Option<&Payout>, max: u32) -> Result<Vec<Payout>, Fault> {
    let (mut tail, mut values): (String, Vec<Value>) = ("where claimable".to_owned(), Vec::new());
    if let Some(room) = room {
        let (funds, rooms): (Vec<String>, Vec<i64>) = room.by_fund.into_iter().map(|(id, left)| (id.0, left)).unzip();
        values.extend([room.altogether.into(), funds.into(), rooms.into()]);
        tail.push_str(tx.either(FITS_POSTGRES, FITS_SQLITE));
    }
    if let Some(last) = after {
        let n = values.len();
        tail.push_str(&format!(" and (due_at, application_id, tranche) > (${}, ${}, ${})", n + 1, n + 2, n + 3));
        values.extend([last.due_at.into(), last.key.application_id.as_str().into(), last.key.tranche.into()]);
    }
    tail.push_str(" order by due_at, application_id, tranche");
    load::payouts_due(tx, &tail, values, max, Lock::Skip).await
}

macro_rules! fits {
    ($rooms:literal) => {
        concat!(
            " and (amount <= $1 and not exists (select 1 from ",
            $rooms,
            " where room.fund = payouts.fund_id and payouts.amount > room.amount)",
            // What was counted once is not counted again, and goes as long as anything is left.
            " or exists (select 1 from instructions one where one.application_id = payouts.application_id ",
            "and one.tranche = payouts.tranche and one.live and one.first_claimed_at is not null))"
        )
    };
}
const FITS_POSTGRES: &str = fits!("unnest($2::text[], $3::bigint[]) as room (fund, amount)");
const FITS_SQLITE: &str = fits!(
    "(select one.value as fund, two.value as amount from json_each($2) one join json_each($3) two on two.key = one.key) room"
);

/// What this claim sends for the first time, by fund.
fn first_sent(desk: &Desk<'_>, claimed: &ClaimedBatch) -> BTreeMap<FundId, Fen> {
    let mut sums: BTreeMap<FundId, Fen> = BTreeMap::new();
    for (member, _) in &claimed.members {
        let Some(payout) = desk.payouts.get(&member.key) else { continue };
        let first = payout.by_id(&member.instruction_id).is_some_and(|one| one.first_claimed_at == Some(desk.now));
        if let (true, Some(fund_id)) = (first, payout.fund_id.clone()) {
            let sum = sums.entry(fund_id).or_default();
            *sum = Fen(sum.0 + payout.amount.0);
        }
    }
    sums
}
