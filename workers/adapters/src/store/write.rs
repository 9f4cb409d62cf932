//! Writing what a step wants, in one order for every step: payouts, batches, instructions, then what only grows, then the
//! counters that many transactions share, so that they are locked last and for the shortest time.

use super::fault::Fault;
use super::link::Tx;
use super::value::Record;
use super::{alarms, cases, envelope, instruction_rows, notice_requests, payout_rows, sequences};
use std::collections::{BTreeMap, BTreeSet};
use zhida_core::batch::Batch;
use zhida_core::ids::{FundId, InstructionId, MsgId};
use zhida_core::payout::{PayoutState, Posting};
use zhida_core::rules::Rules;
use zhida_core::steps::{CapKey, Changes, JournalRow, Reconsider, Switch, WorldEvent};

/// Writes everything that a step collected.
pub(super) async fn write(tx: &mut Tx, changes: Changes, rules: &Rules) -> Result<(), Fault> {
    let now = tx.now;
    write_payouts(tx, &changes, rules).await?;
    let new_batches = write_batches(tx, &changes).await?;
    write_instructions(tx, &changes).await?;
    write_members(tx, new_batches).await?;
    examine(tx, &changes.examine).await?;
    tx.insert("postings", changes.postings.iter().map(|one| posting(one, tx.now)).collect(), "").await?;
    write_inbox(tx, &changes).await?;
    write_facts(tx, &changes).await?;
    let (mut world, mut journal) = (changes.world.clone(), changes.journal.clone());
    for item in &changes.quarantine {
        let (record, event) = envelope::quarantined(item, now);
        if insert_new(tx, "quarantine", record).await? {
            journal.push(envelope::journal_of_quarantine(&event));
            world.push(event);
        }
    }
    write_journal(tx, &journal).await?;
    alarms::ring(tx, &changes.alarms).await?;
    tx.insert("outbox", envelope::doorbells(&changes.doorbells, now), "").await?;
    if let Some(switch) = &changes.switch {
        write_switch(tx, switch).await?;
    }
    for (fund_id, amount) in &changes.funds {
        let sql = "update funds set committed = committed + $2 where id = $1";
        tx.execute(sql, vec![fund_id.as_str().into(), (*amount).into()]).await?;
    }
    write_caps(tx, &changes).await?;
    cases::note(tx, &changes).await?;
    notice_requests::ask(tx, &changes.notices, &rules.notices).await?;
    count_finished(tx, &changes).await?;
    write_world(tx, &world, rules).await
}

/// Journal rows.
pub(super) async fn write_journal(tx: &mut Tx, rows: &[JournalRow]) -> Result<(), Fault> {
    let now = tx.now;
    tx.insert("journal", rows.iter().map(|row| envelope::journal(row, now)).collect(), "").await
}

/// Events for the world, last of all: their numbers are drawn from counters that whoever else changes the same application waits
/// for.
async fn write_world(tx: &mut Tx, events: &[WorldEvent], rules: &Rules) -> Result<(), Fault> {
    let now = tx.now;
    let numbers = sequences::draw(tx, events).await?;
    let row = |(event, number): (&WorldEvent, u64)| envelope::world(event, number, &rules.district, now);
    tx.insert("outbox", events.iter().zip(numbers).map(row).collect(), "").await
}

async fn write_payouts(tx: &mut Tx, changes: &Changes, rules: &Rules) -> Result<(), Fault> {
    let (new, old): (Vec<_>, Vec<_>) =
        changes.payouts.values().partition(|payout| changes.created.contains(&payout.key));
    let enterprise = |payout: &&zhida_core::payout::Payout| {
        vec![
            ("id", uuid::Uuid::now_v7().to_string().into()),
            ("uscc", (&payout.enterprise.uscc).into()),
            ("name", (&payout.enterprise.name).into()),
            ("since", payout.received_at.into()),
        ]
    };
    let mut seen = BTreeSet::new();
    let first = new.iter().filter(|payout| seen.insert(&payout.enterprise.uscc));
    tx.insert("enterprises", first.map(enterprise).collect(), "on conflict do nothing").await?;
    tx.insert("payouts", new.into_iter().map(|one| payout_rows::created(one, rules)).collect(), "").await?;
    tx.update("payouts", 2, old.into_iter().map(|one| payout_rows::changed(one, rules)).collect()).await
}

async fn write_batches<'a>(tx: &mut Tx, changes: &'a Changes) -> Result<Vec<&'a Batch>, Fault> {
    let (old, new): (Vec<_>, Vec<_>) =
        changes.batches.values().partition(|batch| tx.known_batches.contains(&batch.msg_id));
    let changing = |batch: &Batch| {
        vec![
            ("msg_id", batch.msg_id.as_str().into()),
            ("calls", batch.calls.into()),
            ("closed", batch.closed.clone().into()),
            ("examine_at", batch.examine_at.into()),
        ]
    };
    let created = |batch: &Batch| {
        let mut record = changing(batch);
        record.extend([("created_at", batch.created_at.into()), ("bytes", batch.bytes.clone().into())]);
        record
    };
    tx.update("batches", 1, old.into_iter().map(changing).collect()).await?;
    tx.insert("batches", new.iter().map(|batch| created(batch)).collect(), "").await?;
    tx.known_batches.extend(new.iter().map(|batch| batch.msg_id.clone()));
    Ok(new)
}

async fn write_members(tx: &mut Tx, batches: Vec<&Batch>) -> Result<(), Fault> {
    let mut records: Vec<Record> = Vec::new();
    for batch in batches {
        for (position, member) in batch.members.iter().enumerate() {
            records.push(vec![
                ("msg_id", batch.msg_id.as_str().into()),
                ("position", (position as u64).into()),
                ("application_id", member.key.application_id.as_str().into()),
                ("tranche", member.key.tranche.into()),
                ("instruction_id", member.instruction_id.as_str().into()),
            ]);
        }
    }
    tx.insert("batch_members", records, "").await
}

/// The dead before the living: one live instruction per payout holds after every row, not only at the end.
async fn write_instructions(tx: &mut Tx, changes: &Changes) -> Result<(), Fault> {
    let (mut dead, mut live, mut new, mut ids): (Vec<Record>, Vec<Record>, Vec<Record>, Vec<InstructionId>) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for payout in changes.payouts.values() {
        for one in &payout.instructions {
            let record = instruction_rows::record(&payout.key, one);
            if !tx.known_instructions.contains(&one.id) {
                new.push(record);
                ids.push(one.id.clone());
            } else if one.is_live() {
                live.push(record);
            } else {
                dead.push(record);
            }
        }
    }
    tx.update("instructions", 1, dead).await?;
    tx.update("instructions", 1, live).await?;
    tx.insert("instructions", new, "").await?;
    tx.known_instructions.extend(ids);
    Ok(())
}

async fn examine(tx: &mut Tx, batches: &BTreeSet<MsgId>) -> Result<(), Fault> {
    if batches.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = batches.iter().map(|id| id.0.clone()).collect();
    let sql = format!("update batches set examine_at = $2 where msg_id {} and closed is null", tx.among(1));
    tx.execute(sql, vec![ids.into(), tx.now.into()]).await?;
    Ok(())
}

async fn write_inbox(tx: &mut Tx, changes: &Changes) -> Result<(), Fault> {
    let now = tx.now;
    let mut arrivals: Vec<_> = changes.inbox.iter().collect();
    arrivals.sort_by(|one, other| (&one.source, &one.event_id).cmp(&(&other.source, &other.event_id)));
    let head = |one: &&zhida_core::steps::Arrival| {
        vec![
            ("source", (&one.source).into()),
            ("event_id", (&one.event_id).into()),
            ("content_sha256", (&one.content_sha256).into()),
            ("event_type", (&one.event_type).into()),
            ("subject", (&one.subject).into()),
            ("keyid", (&one.keyid).into()),
            ("way", (&one.way).into()),
            ("received_at", now.into()),
        ]
    };
    let body = |one: &&zhida_core::steps::Arrival| {
        vec![("source", (&one.source).into()), ("event_id", (&one.event_id).into()), ("body", one.body.clone().into())]
    };
    tx.insert("inbox", arrivals.iter().map(head).collect(), "").await?;
    tx.insert("inbox_bodies", arrivals.iter().map(body).collect(), "").await
}

async fn write_facts(tx: &mut Tx, changes: &Changes) -> Result<(), Fault> {
    let now = tx.now;
    let application = |(id, facts): (&zhida_core::ids::ApplicationId, &zhida_core::steps::ApplicationFacts)| {
        vec![
            ("id", id.as_str().into()),
            ("ended_kind", facts.ended.as_ref().map(|ended| ended.kind.code()).into()),
            ("ended_at", facts.ended.as_ref().map(|ended| ended.at).into()),
            ("ended_reason", facts.ended.as_ref().map(|ended| ended.reason.clone()).into()),
            ("publicity_open", facts.publicity_open().into()),
            ("objection_open", facts.objection_open().into()),
            ("publicity_started_at", facts.publicity_started_at.into()),
            ("publicity_objected_at", facts.publicity_objected_at.into()),
            ("publicity_ended_at", facts.publicity_ended_at.into()),
        ]
    };
    let tail = "on conflict (id) do update set ended_kind = excluded.ended_kind, ended_at = excluded.ended_at, \
        ended_reason = excluded.ended_reason, publicity_open = excluded.publicity_open, \
        objection_open = excluded.objection_open, publicity_started_at = excluded.publicity_started_at, \
        publicity_objected_at = excluded.publicity_objected_at, publicity_ended_at = excluded.publicity_ended_at";
    tx.insert("applications", changes.applications.iter().map(application).collect(), tail).await?;
    // One by one: the same commitment may have come twice, and the last one counts.
    for (id, uscc) in &changes.commitments {
        let record = vec![("id", id.into()), ("uscc", uscc.into()), ("received_at", now.into())];
        tx.insert("commitments", vec![record], "on conflict (id) do update set uscc = excluded.uscc").await?;
    }
    let distinct: BTreeSet<&Reconsider> = changes.reconsider.iter().collect();
    let request = |which: &Reconsider| {
        let (kind, subject) = match which {
            Reconsider::Application(id) => ("application", id.as_str()),
            Reconsider::Commitment(id) => ("commitment", id.as_str()),
            Reconsider::Fund(id) => ("fund", id.as_str()),
        };
        vec![("kind", kind.into()), ("subject", subject.into()), ("at", now.into())]
    };
    tx.insert("reconsiderations", distinct.into_iter().map(request).collect(), "").await
}

/// Inserts a row unless an equal one stands; says whether it did.
pub(super) async fn insert_new(tx: &mut Tx, table: &str, record: Record) -> Result<bool, Fault> {
    let columns = record.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let marks = (1..=record.len()).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
    let sql = format!("insert into {table} ({columns}) values ({marks}) on conflict do nothing");
    Ok(tx.execute(sql, record.into_iter().map(|(_, value)| value).collect()).await? > 0)
}

async fn write_switch(tx: &mut Tx, switch: &Switch) -> Result<(), Fault> {
    let (by, why) = switch.stopped_by.clone().map(|(by, why)| (by.0, why)).unzip();
    let sql = "update switch set stopped_by = $1, stopped_reason = $2, since = $3, resumed_by = $4, \
        restore_noticed_at = $5, restore_opens_from = $6 where id = 1";
    let resumed_by = switch.resumed_by.as_ref().map(|by| by.0.clone());
    let noticed_at = switch.restore.as_ref().map(|restore| restore.noticed_at);
    let opens_from = switch.restore.as_ref().and_then(|restore| restore.opens_from);
    let values =
        vec![by.into(), why.into(), switch.since.into(), resumed_by.into(), noticed_at.into(), opens_from.into()];
    tx.execute(sql, values).await?;
    Ok(())
}

/// Charges first make their row; what is given back finds it there.
async fn write_caps(tx: &mut Tx, changes: &Changes) -> Result<(), Fault> {
    let record = |(key, amount): (&CapKey, &zhida_core::money::Fen)| {
        vec![
            ("policy_id", key.policy_id.as_str().into()),
            ("uscc", (&key.uscc).into()),
            ("year", i64::from(key.year).into()),
            ("charged", (*amount).into()),
        ]
    };
    let charged = changes.caps.iter().filter(|(_, amount)| amount.0 > 0).map(record).collect();
    let tail = "on conflict (policy_id, uscc, year) do update set charged = caps.charged + excluded.charged";
    tx.insert("caps", charged, tail).await?;
    for (key, amount) in changes.caps.iter().filter(|(_, amount)| amount.0 < 0) {
        let sql = "update caps set charged = charged + $4 where policy_id = $1 and uscc = $2 and year = $3";
        let year = i64::from(key.year).into();
        tx.execute(sql, vec![key.policy_id.as_str().into(), (&key.uscc).into(), year, (*amount).into()]).await?;
    }
    Ok(())
}

/// Each end is counted in one of so many rows, chosen by chance, so that transactions seldom wait for each other.
const SHARDS: i64 = 16;

/// Counts what came to its end by these changes, or came back from it (a settled payout whose money was returned).
async fn count_finished(tx: &mut Tx, changes: &Changes) -> Result<(), Fault> {
    let is_finished = |state: PayoutState| matches!(state, PayoutState::Settled | PayoutState::Cancelled);
    let mut counts: BTreeMap<PayoutState, (i64, i64)> = BTreeMap::new();
    for (key, payout) in &changes.payouts {
        let (after, amount) = (payout.state(), payout.amount.0);
        let before = tx.known_states.insert(key.clone(), after);
        if before == Some(after) {
            continue;
        }
        for (state, sign) in before.map(|state| (state, -1)).into_iter().chain([(after, 1)]) {
            if is_finished(state) {
                let (count, sum) = counts.entry(state).or_default();
                (*count, *sum) = (*count + sign, *sum + sign * amount);
            }
        }
    }
    let shard = fastrand::i64(..SHARDS);
    let record = |(state, (count, amount)): (PayoutState, (i64, i64))| {
        vec![
            ("state", state.code().into()),
            ("shard", shard.into()),
            ("count", count.into()),
            ("amount", amount.into()),
        ]
    };
    let tail = "on conflict (state, shard) do update set count = finished_payouts.count + excluded.count, \
        amount = finished_payouts.amount + excluded.amount";
    tx.insert("finished_payouts", counts.into_iter().map(record).collect(), tail).await
}

fn posting(one: &Posting, now: jiff::Timestamp) -> Record {
    vec![
        ("at", now.into()),
        ("fund_id", FundId::as_str(&one.fund_id).into()),
        ("application_id", one.key.application_id.as_str().into()),
        ("tranche", one.key.tranche.into()),
        ("instruction_id", one.instruction_id.as_ref().map(InstructionId::as_str).into()),
        ("from_account", one.from.code().into()),
        ("to_account", one.to.code().into()),
        ("amount", one.amount.into()),
    ]
}
