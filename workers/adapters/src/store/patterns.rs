//! Patterns: the applications of a window are read page by page, and what rules found in them is written. One worker at a time
//! looks; what two would find is the same.

use super::fault::Fault;
use super::link::{Lock, Tx};
use super::reference::{all_funds, all_policies};
use super::value::Row;
use super::{SqlStore, cases, judging, load, pattern_rows, transact};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use tracing::error;
use zhida_core::case_file::{CaseEvent, policy_named};
use zhida_core::contacts::Contacts;
use zhida_core::ids::ApplicationId;
use zhida_core::money::Fen;
use zhida_core::patterns::{self, CaseFacts, CaseSource, Found, Health, Pattern, PatternState, Rule, Seal};
use zhida_core::payout::Payout;
use zhida_core::ports::patterns::{BACKLOG, CasePage, PatternFilter, PatternRun, PatternStore, PatternSurroundings};
use zhida_core::ports::store::StoreError;
use zhida_core::steps::Changes;

#[async_trait]
impl PatternStore for SqlStore {
    async fn begin_pattern_run(&self, pause: SignedDuration, lease: SignedDuration) -> Result<bool, StoreError> {
        transact!(self, Writing, |tx| begin(&mut tx, pause, lease))
    }

    async fn pattern_cases(
        &self,
        since: Timestamp,
        after: Option<&ApplicationId>,
        max: u32,
    ) -> Result<CasePage, StoreError> {
        let ids = transact!(self, Reading, |tx| ids(&mut tx, since, after, max))?;
        let next = ids.last().filter(|_| ids.len() >= max as usize).cloned();
        let cases = match transact!(self, Reading, |tx| self.facts(&mut tx, &ids)) {
            Err(error) if error.is_of_a_row() => self.facts_one_by_one(&ids).await?,
            read => read?,
        };
        Ok(CasePage { cases, next })
    }

    async fn pattern_surroundings(&self) -> Result<PatternSurroundings, StoreError> {
        transact!(self, Reading, |tx| self.surroundings(&mut tx))
    }

    async fn put_patterns(&self, found: &[Found]) -> Result<(), StoreError> {
        if found.is_empty() {
            return Ok(());
        }
        transact!(self, Writing, |tx| self.put(&mut tx, found))
    }

    async fn drop_pattern_run(&self) -> Result<(), StoreError> {
        transact!(self, Writing, |tx| give_up(&mut tx))
    }

    async fn end_pattern_run(&self, health: &[Health]) -> Result<(), StoreError> {
        transact!(self, Writing, |tx| end(&mut tx, health))
    }

    async fn last_pattern_run(&self) -> Result<Option<PatternRun>, StoreError> {
        transact!(self, Reading, |tx| last_run(&mut tx))
    }

    async fn patterns(&self, filter: &PatternFilter) -> Result<Vec<Pattern>, StoreError> {
        transact!(self, Reading, |tx| pattern_rows::listed(&mut tx, filter))
    }

    async fn pattern(&self, id: &str) -> Result<Option<Pattern>, StoreError> {
        transact!(self, Reading, |tx| pattern_rows::one(&mut tx, id, Lock::None))
    }

    async fn pattern_counts(&self) -> Result<BTreeMap<(Rule, PatternState), u64>, StoreError> {
        transact!(self, Reading, |tx| pattern_rows::counted(&mut tx))
    }

    async fn policy_health(&self) -> Result<Vec<Health>, StoreError> {
        transact!(self, Reading, |tx| pattern_rows::health(&mut tx))
    }
}

impl SqlStore {
    /// Everything that rules see of these applications.
    async fn facts(&self, tx: &mut Tx, ids: &[ApplicationId]) -> Result<Vec<CaseFacts>, Fault> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let texts: Vec<String> = ids.iter().map(|id| id.0.clone()).collect();
        let mut events: BTreeMap<ApplicationId, Vec<CaseEvent>> = BTreeMap::new();
        let sql = format!(
            "select source, event_id, application_id, at, received_at, said from case_events where application_id {}",
            tx.among(1)
        );
        for row in &tx.rows(sql, vec![texts.clone().into()]).await? {
            let (id, event) = cases::read_event(row)?;
            events.entry(id).or_default().push(event);
        }
        let mut payouts: BTreeMap<ApplicationId, Vec<Payout>> = BTreeMap::new();
        for payout in load::payouts_of(tx, texts.clone(), Lock::None).await? {
            payouts.entry(payout.key.application_id.clone()).or_default().push(payout);
        }
        let contacts = contacts(tx, texts).await?;
        let named: BTreeSet<String> =
            events.values().filter_map(|events| policy_named(events)).map(|id| id.0.clone()).collect();
        let policies = judging::policies(tx, named).await?;
        let (seal, rules) = (seal(tx).await?, &self.protocol.rules.supervision);
        let facts = |id: &ApplicationId| {
            let events = events.get(id).map_or(&[][..], Vec::as_slice);
            let source = CaseSource {
                application_id: id,
                events,
                payouts: payouts.get(id).map_or(&[][..], Vec::as_slice),
                policy: policy_named(events).and_then(|id| policies.get(id)),
                contacts: contacts.get(id),
            };
            CaseFacts::of(&source, rules, &seal, tx.now)
        };
        Ok(ids.iter().map(facts).collect())
    }

    /// A row of one of them cannot be read: the others are looked at without it.
    async fn facts_one_by_one(&self, ids: &[ApplicationId]) -> Result<Vec<CaseFacts>, StoreError> {
        let mut cases = Vec::with_capacity(ids.len());
        for id in ids {
            match transact!(self, Reading, |tx| self.facts(&mut tx, std::slice::from_ref(id))) {
                Ok(mut one) => cases.append(&mut one),
                Err(error) if error.is_of_a_row() => {
                    error!(application = %id, %error, "patterns are looked for without an application that cannot be read");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(cases)
    }

    async fn surroundings(&self, tx: &mut Tx) -> Result<PatternSurroundings, Fault> {
        let policies = all_policies(tx).await?.into_iter().map(|policy| (policy.id.clone(), policy)).collect();
        Ok(PatternSurroundings {
            policies,
            funds: all_funds(tx).await?,
            time: self.circumstances(tx).await?.time,
            second_officer_above: self.protocol.rules.second_officer_above.map(Fen),
            now: tx.now,
        })
    }

    async fn put(&self, tx: &mut Tx, found: &[Found]) -> Result<(), Fault> {
        // Two workers that find the same new pattern: the second finds it known.
        lock_run(tx).await?;
        let seal = seal(tx).await?;
        let known = pattern_rows::known(tx, patterns::ids(found, &seal), Lock::Wait).await?;
        // What is known and cannot be read stays as it is: nobody knows what people have said of it.
        let readable = |one: &Found| {
            patterns::ids(std::slice::from_ref(one), &seal).iter().all(|id| known.get(id).is_none_or(Option::is_some))
        };
        let found: Vec<Found> = found.iter().filter(|one| readable(one)).cloned().collect();
        let known = known.into_iter().filter_map(|(id, one)| Some((id, one?))).collect();
        let seen = patterns::settle(known, found, &seal, tx.now);
        pattern_rows::write(tx, &seen.patterns).await?;
        let changes = Changes { journal: seen.journal, world: seen.world, ..Changes::default() };
        self.write(tx, changes).await
    }
}

/// The secret of this database.
pub(super) async fn seal(tx: &mut Tx) -> Result<Seal, Fault> {
    let secret: String = tx.one("select secret from fingerprints", vec![]).await?.get("secret")?;
    Ok(Seal::new(&secret))
}

async fn ids(
    tx: &mut Tx,
    since: Timestamp,
    after: Option<&ApplicationId>,
    max: u32,
) -> Result<Vec<ApplicationId>, Fault> {
    let sql = "select application_id from case_files where application_id > $1 \
        and (decided_at is null or decided_at >= $2) order by application_id limit $3";
    let after = after.map_or("", ApplicationId::as_str);
    let rows = tx.rows(sql, vec![after.into(), since.into(), max.into()]).await?;
    rows.iter().map(|row| row.get("application_id").map(ApplicationId)).collect()
}

pub(super) async fn contacts(tx: &mut Tx, ids: Vec<String>) -> Result<BTreeMap<ApplicationId, Contacts>, Fault> {
    let sql = format!(
        "select application_id, at, mobile, email, locale from application_contacts where application_id {}",
        tx.among(1)
    );
    let read = |row: &Row| {
        let contacts = Contacts::new(row.time("at")?, row.get("mobile")?, row.get("email")?, row.get("locale")?);
        Ok((ApplicationId(row.get("application_id")?), contacts))
    };
    tx.rows(sql, vec![ids.into()]).await?.iter().map(read).collect()
}

async fn lock_run(tx: &mut Tx) -> Result<Row, Fault> {
    let sql = format!("select leased_until, finished_at from pattern_runs {}", tx.locked(Lock::Wait));
    tx.one(sql, vec![]).await
}

async fn begin(tx: &mut Tx, pause: SignedDuration, lease: SignedDuration) -> Result<bool, Fault> {
    let row = lock_run(tx).await?;
    let now = tx.now;
    let longest = now.checked_add(lease).unwrap_or(Timestamp::MAX);
    let leased = row.time_or_none("leased_until")?.is_some_and(|until| now < until && until <= longest);
    let fresh = row
        .time_or_none("finished_at")?
        .is_some_and(|at| at <= now && now < at.checked_add(pause).unwrap_or(Timestamp::MAX));
    if leased || fresh || waits(tx).await? {
        return Ok(false);
    }
    let sql = "update pattern_runs set leased_until = $1, running_since = $2";
    tx.execute(sql, vec![longest.into(), now.into()]).await?;
    Ok(true)
}

/// Something has waited long for supervision to look at it.
async fn waits(tx: &mut Tx) -> Result<bool, Fault> {
    let before = tx.now.checked_sub(BACKLOG).unwrap_or(Timestamp::MIN);
    let sql = "select (select min(look_at) from case_files where look_at is not null and look_at <= $1) as due, \
        (select at from case_marks order by id limit 1) as marked";
    let row = tx.one(sql, vec![before.into()]).await?;
    let marked = row.time_or_none("marked")?.is_some_and(|at| at <= before);
    Ok(marked || row.time_or_none("due")?.is_some())
}

async fn give_up(tx: &mut Tx) -> Result<(), Fault> {
    tx.execute("update pattern_runs set leased_until = null", vec![]).await?;
    Ok(())
}

async fn end(tx: &mut Tx, health: &[Health]) -> Result<(), Fault> {
    let now = tx.now;
    pattern_rows::write_health(tx, health).await?;
    let sql = "update pattern_runs set leased_until = null, began_at = running_since, finished_at = $1";
    tx.execute(sql, vec![now.into()]).await?;
    Ok(())
}

pub(super) async fn last_run(tx: &mut Tx) -> Result<Option<PatternRun>, Fault> {
    let row = tx.one("select began_at, finished_at from pattern_runs", vec![]).await?;
    let (began_at, finished_at) = (row.time_or_none("began_at")?, row.time_or_none("finished_at")?);
    Ok(began_at.zip(finished_at).map(|(began_at, finished_at)| PatternRun { began_at, finished_at }))
}
