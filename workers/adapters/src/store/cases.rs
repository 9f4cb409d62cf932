//! Case files: what changed is marked, what is marked or due is looked at, and what a look wants is written.

use super::fault::Fault;
use super::judging::policies;
use super::link::{Lock, Tx};
use super::value::{Record, Row, Value, json};
use super::{SqlStore, case_rows, load, notice_marks, order_rows, organisation, transact, write};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tracing::error;
use zhida_core::case_file::{CaseEvent, CaseNote, PayoutFacts, policy_named};
use zhida_core::contacts::Contacts;
use zhida_core::ids::ApplicationId;
use zhida_core::organisation::Organisation;
use zhida_core::payout::{Alarm, AlarmKind, PayoutState};
use zhida_core::ports::cases::{AlertFilter, CaseStore, CaseView};
use zhida_core::ports::store::StoreError;
use zhida_core::steps::Changes;
use zhida_core::supervision::{Alert, Case, District, RULES_SUBJECT, look};
use zhida_core::working_time::WorkingTime;

/// Marks turned into applications that are due, in one go.
const MARKS_MAX: u32 = 5_000;

/// When an application that could not be looked at is tried again.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(1);

#[async_trait]
impl CaseStore for SqlStore {
    async fn note_rules(&self) -> Result<(), StoreError> {
        transact!(self, Writing, |tx| self.note_rules_within(&mut tx))
    }

    async fn look_at_cases(&self, max: u32) -> Result<u32, StoreError> {
        transact!(self, Writing, |tx| take_up_marks(&mut tx))?;
        loop {
            // Read apart and as of one moment: what is wrong here is no application's fault.
            let circumstances = transact!(self, Reading, |tx| self.circumstances(&mut tx))?;
            match transact!(self, Writing, |tx| self.look_at_due(&mut tx, &circumstances, max)) {
                Err(error) if error.is_of_a_row() => return self.look_one_by_one(&circumstances, max).await,
                Err(error) => return Err(error),
                Ok(Looked::At(count)) => return Ok(count),
                Ok(Looked::Outdated) => {}
            }
        }
    }

    async fn case(&self, id: &ApplicationId) -> Result<Option<CaseView>, StoreError> {
        transact!(self, Reading, |tx| self.view(&mut tx, id))
    }

    async fn alerts(&self, filter: &AlertFilter) -> Result<Vec<Alert>, StoreError> {
        transact!(self, Reading, |tx| case_rows::alerts_listed(&mut tx, filter))
    }

    async fn alert(&self, id: &str) -> Result<Option<Alert>, StoreError> {
        transact!(self, Reading, |tx| case_rows::alert(&mut tx, id))
    }
}

/// What every look needs beside the case.
pub(super) struct Circumstances {
    pub(super) organisation: Organisation,
    pub(super) time: WorkingTime,
    /// The journal row of their last import.
    pub(super) version: i64,
}

/// What became of an attempt to look.
enum Looked {
    /// At so many applications.
    At(u32),
    /// Nothing: something was imported after the circumstances were read.
    Outdated,
}

impl SqlStore {
    async fn note_rules_within(&self, tx: &mut Tx) -> Result<(), Fault> {
        // One at a time, as imports are: the last row says what is in force.
        tx.lock_judging().await?;
        let rules = &self.protocol.rules;
        let row = rules.supervision.journal_row(&rules.zone);
        let sql = "select detail from journal where subject = $1 and kind = $2 order by sequence desc limit 1";
        let last = tx.rows(sql, vec![RULES_SUBJECT.into(), (&row.kind).into()]).await?;
        let known = last.first().map(|row| row.json::<serde_json::Value>("detail")).transpose()?;
        if known.as_ref() == Some(&row.detail) {
            return Ok(());
        }
        write::write_journal(tx, &[row]).await
    }

    async fn look_at_due(&self, tx: &mut Tx, circumstances: &Circumstances, max: u32) -> Result<Looked, Fault> {
        if version(tx).await? != circumstances.version {
            return Ok(Looked::Outdated);
        }
        let ids = to_look_at(tx, circumstances.version, max, Lock::Skip).await?;
        self.look_at(tx, circumstances, &ids).await?;
        Ok(Looked::At(u32::try_from(ids.len()).unwrap_or(u32::MAX)))
    }

    /// A row of one of them is in the way: the others are looked at without it, and it is put off with an alarm.
    async fn look_one_by_one(&self, circumstances: &Circumstances, max: u32) -> Result<u32, StoreError> {
        let version = circumstances.version;
        let found = transact!(self, Reading, |tx| to_look_at(&mut tx, version, max, Lock::None))?;
        let mut looked = 0;
        for id in found {
            match transact!(self, Writing, |tx| self.look_at_one(&mut tx, circumstances, &id)) {
                Ok(count) => looked += count,
                Err(error) if error.is_of_a_row() => {
                    error!(application = %id, %error, "a case file cannot be looked at; it is tried again in an hour");
                    transact!(self, Writing, |tx| self.put_off(&mut tx, &id, version))?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(looked)
    }

    /// Looks at one application, unless somebody else does or has done so.
    async fn look_at_one(&self, tx: &mut Tx, circumstances: &Circumstances, id: &ApplicationId) -> Result<u32, Fault> {
        let sql = format!(
            "select application_id from case_files where application_id = $1 and (look_at <= $2 or looked_by < $3) {}",
            tx.locked(Lock::Skip)
        );
        let rows = tx.rows(sql, vec![id.as_str().into(), tx.now.into(), circumstances.version.into()]).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        self.look_at(tx, circumstances, std::slice::from_ref(id)).await?;
        Ok(1)
    }

    async fn put_off(&self, tx: &mut Tx, id: &ApplicationId, version: i64) -> Result<(), Fault> {
        let again = tx.now.checked_add(AGAIN_AFTER).unwrap_or(Timestamp::MAX);
        let sql = "update case_files set look_at = $2, looked_by = $3 where application_id = $1";
        tx.execute(sql, vec![id.as_str().into(), again.into(), version.into()]).await?;
        let text = format!("the case file of {id} cannot be read or written; it is tried again every hour");
        let alarm = Alarm { kind: AlarmKind::RowUnusable, key: None, instruction_id: None, text };
        self.write(tx, Changes { alarms: vec![alarm], ..Changes::default() }).await
    }

    async fn look_at(&self, tx: &mut Tx, circumstances: &Circumstances, ids: &[ApplicationId]) -> Result<(), Fault> {
        if ids.is_empty() {
            return Ok(());
        }
        let Circumstances { organisation, time, version } = circumstances;
        let mut cases = cases(tx, ids).await?;
        let rules = &self.protocol.rules.supervision;
        let district = District { rules, organisation, time, now: tx.now };
        let mut changes = Changes::default();
        let mut seen = Vec::new();
        for id in ids {
            let mut one = look(id, cases.remove(id).unwrap_or_default(), district);
            changes.journal.append(&mut one.journal);
            changes.world.append(&mut one.world);
            changes.notices.append(&mut one.notices);
            seen.push((id, one));
        }
        case_rows::write(tx, &seen, time.calendar.version(), *version).await?;
        write::write(tx, changes, &self.protocol.rules).await
    }

    async fn view(&self, tx: &mut Tx, id: &ApplicationId) -> Result<Option<CaseView>, Fault> {
        let mut case = cases(tx, std::slice::from_ref(id)).await?.remove(id).unwrap_or_default();
        if case.events.is_empty() && case.payouts.is_empty() && case.orders.is_empty() {
            return Ok(None);
        }
        let Circumstances { organisation, time, version: _ } = self.circumstances(tx).await?;
        let rules = &self.protocol.rules.supervision;
        let district = District { rules, organisation: &organisation, time: &time, now: tx.now };
        let alerts = case.alerts.clone();
        case.events.sort_by_key(|event| event.at);
        let events = case.events.clone();
        let seen = look(id, case, district);
        let calendar_version = time.calendar.version().to_owned();
        Ok(Some(CaseView { file: seen.file, clocks: seen.clocks, events, alerts, calendar_version, now: tx.now }))
    }

    pub(super) async fn circumstances(&self, tx: &mut Tx) -> Result<Circumstances, Fault> {
        let rules = &self.protocol.rules;
        let calendar = Arc::new(organisation::calendar(tx).await?);
        let time = WorkingTime { calendar, zone: rules.zone.clone(), hours: rules.supervision.hours.clone() };
        Ok(Circumstances { organisation: organisation::whole(tx).await?, time, version: version(tx).await? })
    }
}

/// Every import of the organisation or of a calendar, and other rules, leave a journal row: the last one names what is in force.
pub(super) async fn version(tx: &mut Tx) -> Result<i64, Fault> {
    // Found by their subjects before the largest is taken: the planner would look for it from the end of a journal of millions.
    let sql = "with found as materialized (select sequence from journal where subject in ('organisation', 'calendar', 'rules') \
        and kind in ('organisation.imported', 'calendar.imported', 'rules.in_force')) \
        select coalesce(max(sequence), 0) as version from found";
    tx.one(sql, vec![]).await?.get("version")
}

/// What is due, longest due first; behind it, as far as there is room, what was last looked at under another organisation or
/// calendar: an import concerns everything that is open, and must not keep what is due waiting.
async fn to_look_at(tx: &mut Tx, version: i64, max: u32, lock: Lock) -> Result<Vec<ApplicationId>, Fault> {
    let (now, locked) = (tx.now, tx.locked(lock));
    let sql = format!(
        "select application_id from case_files where look_at is not null and look_at <= $1 \
         order by look_at, application_id limit $2 {locked}"
    );
    let mut rows = tx.rows(sql, vec![now.into(), max.into()]).await?;
    let room = u64::from(max).saturating_sub(rows.len() as u64);
    if room > 0 {
        let sql = format!(
            "select application_id from case_files where not at_rest and looked_by < $1 and (look_at is null or look_at > $2) \
             order by looked_by, application_id limit $3 {locked}"
        );
        rows.extend(tx.rows(sql, vec![version.into(), now.into(), room.into()]).await?);
    }
    rows.iter().map(|row| row.get("application_id").map(ApplicationId)).collect()
}

/// Turns marks into applications that are due now. Whoever looks at one of them meanwhile may have missed what was marked: it is
/// due again when that look is over.
async fn take_up_marks(tx: &mut Tx) -> Result<(), Fault> {
    let sql = format!(
        "delete from case_marks where id in (select id from case_marks order by id limit $1 {}) returning application_id",
        tx.locked(Lock::Skip)
    );
    let rows = tx.rows(sql, vec![MARKS_MAX.into()]).await?;
    let ids: BTreeSet<String> = rows.iter().map(|row| row.get("application_id")).collect::<Result<_, _>>()?;
    let now = tx.now;
    let record = |id: String| -> Record {
        vec![
            ("application_id", id.into()),
            ("standing", "not_seen".into()),
            ("returns", 0_i64.into()),
            ("supplements", 0_i64.into()),
            ("findings", "[]".into()),
            ("look_at", now.into()),
        ]
    };
    let tail = "on conflict (application_id) do update set look_at = \
        case when case_files.look_at < excluded.look_at then case_files.look_at else excluded.look_at end";
    tx.insert("case_files", ids.into_iter().map(record).collect(), tail).await
}

/// Terms of policies have changed: what runs under them, or under a policy that no look has seen yet, is looked at anew. Only
/// marks are written, so that nobody waits.
pub(super) async fn mark_of_policies(tx: &mut Tx, policy_ids: Vec<String>) -> Result<(), Fault> {
    let sql = format!(
        "insert into case_marks (application_id, at) select application_id, $1 from case_files \
         where not at_rest and (policy_id is null or policy_id {})",
        tx.among(2)
    );
    tx.execute(sql, vec![tx.now.into(), policy_ids.into()]).await?;
    Ok(())
}

/// Everything that is known of these applications.
pub(super) async fn cases(tx: &mut Tx, ids: &[ApplicationId]) -> Result<BTreeMap<ApplicationId, Case>, Fault> {
    let mut cases: BTreeMap<ApplicationId, Case> = BTreeMap::new();
    let texts: Vec<String> = ids.iter().map(|id| id.0.clone()).collect();
    let sql = format!(
        "select source, event_id, application_id, at, received_at, said from case_events where application_id {}",
        tx.among(1)
    );
    for row in &tx.rows(sql, vec![texts.clone().into()]).await? {
        let (id, event) = read_event(row)?;
        cases.entry(id).or_default().events.push(event);
    }
    for payout in load::payouts_of(tx, texts.clone(), Lock::None).await? {
        cases.entry(payout.key.application_id.clone()).or_default().payouts.push(PayoutFacts::of(&payout));
    }
    for (matter, orders) in order_rows::orders_about(tx, texts.clone()).await? {
        cases.entry(matter).or_default().orders = orders;
    }
    for alert in case_rows::alerts_of(tx, texts).await? {
        cases.entry(alert.application_id.clone()).or_default().alerts.push(alert);
    }
    let named: BTreeSet<String> =
        cases.values().filter_map(|case| policy_named(&case.events)).map(|id| id.0.clone()).collect();
    let known = policies(tx, named).await?;
    for case in cases.values_mut() {
        let policy = policy_named(&case.events).and_then(|id| known.get(id));
        case.policy = policy.map(|policy| (policy.department_id.clone(), policy.review.clone()));
    }
    Ok(cases)
}

pub(super) fn read_event(row: &Row) -> Result<(ApplicationId, CaseEvent), Fault> {
    let event_id: String = row.get("event_id")?;
    let read = || {
        Ok(CaseEvent {
            source: row.get("source")?,
            event_id: event_id.clone(),
            at: row.time("at")?,
            received_at: row.time("received_at")?,
            said: row.json("said")?,
        })
    };
    let event = read().map_err(|fault: Fault| fault.at("case_events", &event_id))?;
    Ok((ApplicationId(row.get("application_id")?), event))
}

/// Writes the case events of what came in, and marks their applications and those whose payouts changed what a case file sees.
pub(super) async fn note(tx: &mut Tx, changes: &Changes) -> Result<(), Fault> {
    let now = tx.now;
    let mut marked: BTreeSet<&ApplicationId> = BTreeSet::new();
    let mut events: Vec<Record> = Vec::new();
    for arrival in &changes.inbox {
        let Some(CaseNote { application_id, at, said }) = &arrival.case else { continue };
        marked.insert(application_id);
        events.push(vec![
            ("source", (&arrival.source).into()),
            ("event_id", (&arrival.event_id).into()),
            ("application_id", application_id.as_str().into()),
            ("at", (*at).into()),
            ("received_at", now.into()),
            ("said", json(said).into()),
        ]);
    }
    note_contacts(tx, changes).await?;
    for (key, payout) in &changes.payouts {
        let before = tx.known_states.get(key).copied();
        // The day of a credit may be set right without a change of state.
        if changes.created.contains(key) || before != Some(payout.state()) || payout.state() == PayoutState::Settled {
            marked.insert(&key.application_id);
        }
    }
    let mark =
        |id: &ApplicationId| -> Record { vec![("application_id", Value::from(id.as_str())), ("at", now.into())] };
    tx.insert("case_events", events, "").await?;
    tx.insert("case_marks", marked.into_iter().map(mark).collect(), "").await
}

/// How the enterprises of applications are reached, as the latest of their events says.
async fn note_contacts(tx: &mut Tx, changes: &Changes) -> Result<(), Fault> {
    let mut told: BTreeMap<&ApplicationId, Contacts> = BTreeMap::new();
    for arrival in &changes.inbox {
        let (Some(note), Some(contacts)) = (&arrival.case, &arrival.contacts) else { continue };
        let together = match told.remove(&note.application_id) {
            Some(before) => before.together(contacts.clone()),
            None => contacts.clone(),
        };
        told.insert(&note.application_id, together);
    }
    let reachable = told.iter().filter(|(_, one)| one.has_address());
    notice_marks::of_applications(tx, reachable.map(|(id, _)| id.as_str())).await?;
    let record = |(id, one): (&ApplicationId, Contacts)| -> Record {
        vec![
            ("application_id", id.as_str().into()),
            ("at", one.at().into()),
            ("mobile", one.mobile().into()),
            ("email", one.email().into()),
            ("locale", one.locale().into()),
        ]
    };
    let later = |column: &str| {
        let (new, old) = (format!("excluded.{column}"), format!("application_contacts.{column}"));
        format!(
            "{column} = case when excluded.at >= application_contacts.at then coalesce({new}, {old}) else coalesce({old}, {new}) end"
        )
    };
    let tail = format!(
        "on conflict (application_id) do update set {}, {}, {}, \
         at = case when excluded.at >= application_contacts.at then excluded.at else application_contacts.at end",
        later("mobile"),
        later("email"),
        later("locale")
    );
    tx.insert("application_contacts", told.into_iter().map(record).collect(), &tail).await
}
