//! What sending goes by beside the notices: the stop switch, how providers fare, what was sent within the windows that count, what is
//! known of addresses, and who does not want to be told what.

use super::alarms;
use super::fault::Fault;
use super::link::{Lock, Tx};
use super::value::{Record, Row, Value, json};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use zhida_core::notice::{
    AddressWord, Channel, Counters, Known, NoticeKind, NoticeRules, NumberKey, ProviderHealth, Stopped, Switch,
};
use zhida_core::patterns::Seal;
use zhida_core::payout::{Alarm, AlarmKind};
use zhida_core::ports::notices::{AddressFacts, Content};

/// Names of the ceilings' counters.
const MINUTE: &str = "minute";
const DAY: &str = "day";

/// The stop switch. One that cannot be read stops sending: whether somebody had stopped it is not known.
pub(super) async fn switch(tx: &mut Tx) -> Result<Switch, Fault> {
    let now = tx.now;
    match tx
        .rows("select stopped_by, stopped_reason, stopped_at, rung from notice_switch where id = 1", vec![])
        .await?
        .first()
    {
        Some(row) => Ok(read_switch(row).unwrap_or_else(|_| Switch::unreadable(now))),
        None => Ok(Switch::unreadable(now)),
    }
}

fn read_switch(row: &Row) -> Result<Switch, Fault> {
    let (by, reason): (Option<String>, Option<String>) = (row.get("stopped_by")?, row.get("stopped_reason")?);
    let stopped = by.zip(reason).zip(row.time_or_none("stopped_at")?);
    let stopped = stopped.map(|((by, reason), at)| Stopped { by, at, reason });
    // Which bells have rung is no reason to stop: another version may know bells that this one does not.
    Ok(Switch { stopped, rung: row.json("rung").unwrap_or_default() })
}

/// The stop switch for whoever sends by it: one that cannot be read is written as stopped, and rings.
pub(super) async fn switch_to_send_by(tx: &mut Tx) -> Result<Switch, Fault> {
    let switch = switch(tx).await?;
    if switch.is_unreadable(tx.now) {
        write_switch(tx, &switch).await?;
        ring(tx, "the stop switch of notices cannot be read: sending is stopped until somebody resumes it").await?;
    }
    Ok(switch)
}

async fn ring(tx: &mut Tx, text: &str) -> Result<(), Fault> {
    let alarm = Alarm { kind: AlarmKind::RowUnusable, key: None, instruction_id: None, text: text.to_owned() };
    alarms::ring(tx, &[alarm]).await
}

/// Writes the stop switch as it is now.
pub(super) async fn write_switch(tx: &mut Tx, switch: &Switch) -> Result<(), Fault> {
    let stopped = switch.stopped.as_ref();
    let sql = "insert into notice_switch (id, stopped_by, stopped_reason, stopped_at, rung) values (1, $1, $2, $3, $4) \
        on conflict (id) do update set stopped_by = excluded.stopped_by, stopped_reason = excluded.stopped_reason, \
        stopped_at = excluded.stopped_at, rung = excluded.rung";
    let values: Vec<Value> = vec![
        stopped.map(|one| one.by.clone()).into(),
        stopped.map(|one| one.reason.clone()).into(),
        stopped.map(|one| one.at).into(),
        json(&switch.rung).into(),
    ];
    tx.execute(sql, values).await?;
    Ok(())
}

/// How the providers of the settings fare; those that have no row get one. Locked with [`Lock::Wait`], so that what is learnt of a provider
/// is written by one transaction after the other: for whoever may change it. Everybody else would only wait.
pub(super) async fn health(
    tx: &mut Tx,
    rules: &NoticeRules,
    lock: Lock,
) -> Result<BTreeMap<String, ProviderHealth>, Fault> {
    let names: BTreeSet<&str> = rules.providers.iter().map(|provider| provider.name.as_str()).collect();
    let found = read_health(tx, lock).await?;
    let new: Vec<&str> = names.into_iter().filter(|name| !found.contains_key(*name)).collect();
    if new.is_empty() {
        return Ok(found);
    }
    let record =
        |name: &str| -> Record { vec![("name", name.into()), ("health", json(&ProviderHealth::default()).into())] };
    let records = new.into_iter().map(record).collect();
    tx.insert("notice_providers", records, "on conflict (name) do nothing").await?;
    read_health(tx, lock).await
}

/// A provider whose row cannot be read is tried: nothing is known against it, and its row is written anew.
async fn read_health(tx: &mut Tx, lock: Lock) -> Result<BTreeMap<String, ProviderHealth>, Fault> {
    let sql = format!("select name, health from notice_providers order by name {}", tx.locked(lock));
    let mut found = BTreeMap::new();
    for row in &tx.rows(sql, vec![]).await? {
        let name: String = row.get("name")?;
        let health = match row.json("health") {
            Ok(health) => health,
            Err(_) => {
                let well = ProviderHealth::default();
                let sql = "update notice_providers set health = $2 where name = $1";
                tx.execute(sql, vec![(&name).into(), json(&well).into()]).await?;
                ring(tx, &format!("how provider {name} of notices fares could not be read: it is tried")).await?;
                well
            }
        };
        found.insert(name, health);
    }
    Ok(found)
}

/// Writes what was learnt of providers.
pub(super) async fn write_health(
    tx: &mut Tx,
    before: &BTreeMap<String, ProviderHealth>,
    after: &BTreeMap<String, ProviderHealth>,
) -> Result<(), Fault> {
    let changed = after.iter().filter(|(name, health)| before.get(*name) != Some(health));
    let record = |(name, health): (&String, &ProviderHealth)| -> Record {
        vec![("name", name.into()), ("health", json(health).into())]
    };
    let tail = "on conflict (name) do update set health = excluded.health";
    tx.insert("notice_providers", changed.map(record).collect(), tail).await
}

/// What was sent: the ceilings' tallies, and these numbers'. One transaction at a time takes notices and reads this.
pub(super) async fn counters(tx: &mut Tx, keys: BTreeSet<NumberKey>) -> Result<Counters, Fault> {
    let by_name: BTreeMap<String, NumberKey> = keys.into_iter().map(|key| (key.to_string(), key)).collect();
    let names: Vec<String> = by_name.keys().cloned().chain([MINUTE.to_owned(), DAY.to_owned()]).collect();
    // One by one by the key, however the planner judges a table that was empty a moment ago.
    let sql = format!(
        "select found.name, found.tally from {} as wanted cross join {} as found",
        tx.list(1),
        tx.either(
            "lateral (select name, tally from notice_counters where name = wanted.value limit 1)",
            "notice_counters",
        )
    );
    let sql = format!("{sql} {}", tx.either("", "where found.name = wanted.value"));
    let mut counters = Counters::default();
    for row in &tx.rows(sql, vec![names.into()]).await? {
        let name: String = row.get("name")?;
        match name.as_str() {
            MINUTE => counters.minute = tally(tx, row, &name).await?,
            DAY => counters.day = tally(tx, row, &name).await?,
            _ => {
                if let Some(key) = by_name.get(&name) {
                    counters.numbers.insert(key.clone(), tally(tx, row, &name).await?);
                }
            }
        }
    }
    Ok(counters)
}

/// What was counted; nothing where that cannot be read, which rings and is written anew.
async fn tally<T>(tx: &mut Tx, row: &Row, name: &str) -> Result<T, Fault>
where
    T: Default + Serialize + DeserializeOwned,
{
    if let Ok(tally) = row.json("tally") {
        return Ok(tally);
    }
    let empty = T::default();
    let sql = "update notice_counters set tally = $2 where name = $1";
    tx.execute(sql, vec![name.into(), json(&empty).into()]).await?;
    ring(tx, "a counter of notices could not be read: it counts anew, a ceiling or a limit may be passed once").await?;
    Ok(empty)
}

/// Writes what was counted.
pub(super) async fn write_counters(tx: &mut Tx, before: &Counters, after: &Counters) -> Result<(), Fault> {
    let (mut records, now): (Vec<Record>, _) = (Vec::new(), tx.now);
    let mut add = |name: String, tally: String| {
        records.push(vec![("name", name.into()), ("tally", tally.into()), ("at", now.into())]);
    };
    for (name, was, is) in [(MINUTE, before.minute, after.minute), (DAY, before.day, after.day)] {
        if was != is {
            add(name.to_owned(), json(&is));
        }
    }
    for (key, moments) in after.numbers.iter().filter(|(key, moments)| before.numbers.get(*key) != Some(moments)) {
        add(key.to_string(), json(moments));
    }
    tx.insert("notice_counters", records, "on conflict (name) do update set tally = excluded.tally, at = excluded.at")
        .await
}

/// The keyed fingerprint of an address.
pub(super) fn fingerprint(seal: &Seal, channel: Channel, address: &str) -> String {
    match channel {
        Channel::Sms => seal.mobile(address),
        Channel::Mail => seal.email(address),
    }
}

/// Writes what was learnt of addresses, as far as they were not erased; the later word counts.
pub(super) async fn write_addresses(
    tx: &mut Tx,
    words: &[AddressWord],
    contents: &BTreeMap<String, Vec<Content>>,
    seal: &Seal,
) -> Result<(), Fault> {
    let now = tx.now;
    let mut learnt: BTreeMap<String, &Known> = BTreeMap::new();
    for word in words {
        let written = contents.get(&word.notice_id).into_iter().flatten();
        if let Some(content) = written.into_iter().find(|content| content.channel == word.channel) {
            learnt.insert(fingerprint(seal, word.channel, &content.to), &word.known);
        }
    }
    let record = |(fingerprint, known): (String, &Known)| -> Record {
        let (verified_at, flagged_at, code) = match known {
            Known::Verified => (Some(now), None, None),
            Known::Flagged(code) => (None, Some(now), Some(code.clone())),
            Known::Lifted => (None, None, None),
        };
        vec![
            ("fingerprint", fingerprint.into()),
            ("verified_at", verified_at.into()),
            ("flagged_at", flagged_at.into()),
            ("flagged_code", code.into()),
        ]
    };
    let tail = "on conflict (fingerprint) do update set \
        verified_at = coalesce(excluded.verified_at, notice_addresses.verified_at), \
        flagged_at = excluded.flagged_at, flagged_code = excluded.flagged_code";
    tx.insert("notice_addresses", learnt.into_iter().map(record).collect(), tail).await
}

/// What is known of these addresses; those of which nothing is are missing.
pub(super) async fn known_of(
    tx: &mut Tx,
    fingerprints: BTreeSet<String>,
) -> Result<BTreeMap<String, AddressFacts>, Fault> {
    if fingerprints.is_empty() {
        return Ok(BTreeMap::new());
    }
    let list: Vec<String> = fingerprints.into_iter().collect();
    let sql = format!(
        "select fingerprint, verified_at, flagged_at, flagged_code from notice_addresses where fingerprint {}",
        tx.among(1)
    );
    let read = |row: &Row| {
        let code: Option<String> = row.get("flagged_code")?;
        let facts = AddressFacts {
            verified_at: row.time_or_none("verified_at")?,
            flagged: row.time_or_none("flagged_at")?.zip(code),
        };
        Ok((row.get("fingerprint")?, facts))
    };
    tx.rows(sql, vec![list.into()]).await?.iter().map(read).collect()
}

/// What these recipients do not want to be told.
pub(super) async fn turned_off(
    tx: &mut Tx,
    recipients: BTreeSet<String>,
) -> Result<BTreeMap<String, BTreeSet<NoticeKind>>, Fault> {
    let list: Vec<String> = recipients.into_iter().collect();
    let sql = format!(
        "select recipient, kind from notice_preferences where turned_off_at is not null and recipient {}",
        tx.among(1)
    );
    let mut found: BTreeMap<String, BTreeSet<NoticeKind>> = BTreeMap::new();
    for row in &tx.rows(sql, vec![list.into()]).await? {
        let kind = read_kind(row)?;
        found.entry(row.get("recipient")?).or_default().insert(kind);
    }
    Ok(found)
}

fn read_kind(row: &Row) -> Result<NoticeKind, Fault> {
    let kind: String = row.get("kind")?;
    NoticeKind::from_code(&kind).ok_or_else(|| Fault::corrupt("notice_preferences.kind", &kind))
}
