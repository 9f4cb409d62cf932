//! Digests, made as the real stores do.

use super::{MemoryStore, Tables};
use async_trait::async_trait;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use zhida_config::Calendar;
use zhida_core::calendars::{self, Provisional};
use zhida_core::case_file::ClockKind;
use zhida_core::case_file::ClockState;
use zhida_core::digest::{CountedPayouts, Digest, Facts, Held, PatternFacts, Period, Total, compose};
use zhida_core::ids::{ApplicationId, DepartmentId, OfficerId};
use zhida_core::jobs::{self, Outcome, Run, Standing};
use zhida_core::money::Fen;
use zhida_core::patterns::{PatternState, Rule};
use zhida_core::payout::{PROMISE, Payout, PayoutState};
use zhida_core::ports::digests::{DigestStore, MovedPage, Outlook};
use zhida_core::ports::store::{Figures, StoreError};
use zhida_core::steps::Changes;
use zhida_core::supervision::{ClockRow, District, moved};
use zhida_core::working_time::WorkingTime;

/// What is stored of digests.
#[derive(Clone, Debug, Default)]
pub struct DigestTables {
    /// Moments at which one was due.
    pub runs: BTreeMap<Timestamp, Outcome>,
    /// Digests by the moment at which they were due.
    pub digests: BTreeMap<Timestamp, Digest>,
    /// Years that have rung.
    pub years_rung: BTreeSet<i16>,
}

#[async_trait]
impl DigestStore for MemoryStore {
    async fn make_due_digest(&self) -> Result<Vec<Run>, StoreError> {
        let Some(schedule) = &self.protocol.rules.digest else { return Ok(Vec::new()) };
        let mut tables = self.tables();
        let time = self.working_time(&tables)?;
        let newest = tables.digesting.runs.range(..=self.clock()).next_back().map(|(at, _)| *at);
        let runs = jobs::due(schedule, &time, newest, self.clock());
        for run in &runs {
            tables.digesting.runs.insert(run.scheduled_at, run.outcome);
            if run.outcome == Outcome::Made {
                let digest = self.made(&tables, &time, run.scheduled_at)?;
                let notices = digest.notices(&tables.organisation, &time.zone);
                let journal = vec![digest.journal_row()];
                tables.digesting.digests.insert(run.scheduled_at, digest);
                self.write(&mut tables, Changes { journal, notices, ..Changes::default() });
            }
        }
        Ok(runs)
    }

    async fn ring_missing_years(&self) -> Result<u32, StoreError> {
        let mut tables = self.tables();
        let provisional = self.provisional(&tables)?;
        let time = self.working_time(&tables)?;
        let years = calendars::missing_years(&time, time.day_of(self.clock()), provisional);
        let new: Vec<i16> = years.into_iter().filter(|year| tables.digesting.years_rung.insert(*year)).collect();
        let alarms = new.iter().map(|year| calendars::alarm_of_year(*year, provisional)).collect();
        self.write(&mut tables, Changes { alarms, ..Changes::default() });
        Ok(u32::try_from(new.len()).unwrap_or(u32::MAX))
    }

    async fn digest_preview(&self) -> Result<Digest, StoreError> {
        let tables = self.tables();
        self.made(&tables, &self.working_time(&tables)?, self.clock())
    }

    async fn digest(&self, of: Option<Date>) -> Result<Option<Digest>, StoreError> {
        let tables = self.tables();
        let time = self.working_time(&tables)?;
        let now = self.clock();
        let wanted = |one: &&Digest| of.map_or(one.scheduled_at <= now, |day| time.day_of(one.scheduled_at) == day);
        Ok(tables.digesting.digests.values().rev().find(wanted).cloned())
    }

    async fn digest_outlook(&self) -> Result<Outlook, StoreError> {
        let tables = self.tables();
        let (time, now) = (self.working_time(&tables)?, self.clock());
        let schedule = self.protocol.rules.digest.as_ref();
        let next_due = schedule.and_then(|schedule| jobs::next_due(schedule, &time, now));
        Ok(Outlook { now, next_due, missing_since: self.missing_digest(&tables, &time) })
    }

    async fn moved_by(
        &self,
        amendment: &Calendar,
        after: Option<&ApplicationId>,
        max: u32,
    ) -> Result<MovedPage, StoreError> {
        let tables = self.tables();
        let time = self.working_time(&tables)?;
        let amended = Calendar::clone(&time.calendar).amended_by(amendment.clone());
        let then = WorkingTime { calendar: Arc::new(amended), ..time.clone() };
        let rules = &self.protocol.rules.supervision;
        let district = District { rules, organisation: &tables.organisation, time: &time, now: self.clock() };
        let following = |id: &&ApplicationId| after.is_none_or(|after| *id > after);
        let mut ids: Vec<&ApplicationId> = tables.cases.look_at.keys().filter(following).collect();
        ids.truncate(max as usize);
        let next = ids.last().filter(|_| ids.len() == max as usize).map(|id| (*id).clone());
        let moved = ids.into_iter().flat_map(|id| moved(id, tables.case(id), district, &then)).collect();
        Ok(MovedPage { moved, next })
    }
}

impl MemoryStore {
    fn made(&self, tables: &Tables, time: &WorkingTime, scheduled_at: Timestamp) -> Result<Digest, StoreError> {
        let since = self.newest_made(tables).map(|one| one.made_at);
        let period = Period::of(since, time, self.clock());
        let (payouts, approved) = tables.counted_payouts(period);
        let mut alerts: Vec<_> =
            tables.cases.alerts.values().filter(|one| one.cleared.is_none() && one.is_red()).cloned().collect();
        alerts.sort_by_key(|one| (one.deadline, one.id.clone()));
        let ended = tables.cases.alerts.values().filter(|one| {
            let at = one.cleared.map(|(at, _)| at);
            one.is_red() && one.kind != ClockKind::Order && at.zip(since).is_some_and(|(at, since)| at > since)
        });
        let facts = Facts {
            // What is in memory can be read.
            unreadable: 0,
            before: self.newest_made(tables).map(|one| one.breaches.clone()),
            ended: ended.count() as u64,
            unrung: self.unrung(tables)?,
            alerts,
            held: self.held(tables)?,
            payouts,
            approved,
            provisional: self.provisional(tables)?,
            orders: tables.cases.orders.values().filter(|one| one.closed.is_none()).cloned().collect(),
            patterns: tables.pattern_facts(),
        };
        let (rules, organisation) = (&self.protocol.rules.supervision, &tables.organisation);
        Ok(compose(facts, period, scheduled_at, District { rules, organisation, time, now: self.clock() }))
    }

    fn newest_made<'a>(&self, tables: &'a Tables) -> Option<&'a Digest> {
        tables.digesting.digests.range(..=self.clock()).next_back().map(|(_, one)| one)
    }

    fn open_clocks(&self, tables: &Tables) -> Result<Vec<ClockRow>, StoreError> {
        let mut found = Vec::new();
        for id in tables.cases.look_at.keys() {
            found.extend(self.see(tables, id)?.clocks.into_iter().filter(|row| row.state.is_open()));
        }
        Ok(found)
    }

    fn held(&self, tables: &Tables) -> Result<Vec<Held>, StoreError> {
        let mut found: BTreeMap<(Option<String>, Option<String>), Held> = BTreeMap::new();
        for row in self.open_clocks(tables)? {
            let counts = matches!(row.clock.id.kind, ClockKind::Acceptance | ClockKind::Step);
            if !counts || row.state == ClockState::Paused {
                continue;
            }
            let key = (row.clock.department.clone(), row.clock.officer.clone());
            let new = Held {
                department_id: key.0.clone().map(DepartmentId),
                officer_id: key.1.clone().map(OfficerId),
                open: 0,
                due_soon: 0,
                overdue: 0,
                oldest_started_at: row.clock.started_at,
            };
            let held = found.entry(key).or_insert(new);
            held.open += 1;
            held.due_soon += u64::from(row.state == ClockState::DueSoon);
            held.overdue += u64::from(row.state == ClockState::Overdue);
            held.oldest_started_at = held.oldest_started_at.min(row.clock.started_at);
        }
        Ok(found.into_values().collect())
    }

    fn unrung(&self, tables: &Tables) -> Result<u64, StoreError> {
        let rings = |row: &ClockRow, id: &ApplicationId| {
            let clock = row.clock.id.to_string();
            let mut alerts = tables.cases.alerts.values().filter(|one| one.cleared.is_none() && one.is_red());
            alerts.any(|one| one.application_id == *id && one.clock == clock)
        };
        let mut count = 0;
        for id in tables.cases.look_at.keys() {
            let late = |row: &&ClockRow| row.state == ClockState::Overdue && row.clock.id.kind != ClockKind::Order;
            count += self.see(tables, id)?.clocks.iter().filter(late).filter(|row| !rings(row, id)).count();
        }
        Ok(count as u64)
    }

    fn provisional(&self, tables: &Tables) -> Result<Provisional, StoreError> {
        let rows = self.open_clocks(tables)?;
        let provisional: Vec<&ClockRow> = rows.iter().filter(|row| row.reading.provisional).collect();
        let begins = provisional.iter().map(|row| row.clock.started_at).min();
        let ends = provisional.iter().map(|row| row.reading.deadline).max();
        Ok(Provisional { count: provisional.len() as u64, span: begins.zip(ends) })
    }

    fn missing_digest(&self, tables: &Tables, time: &WorkingTime) -> Option<Timestamp> {
        // What a clock that once ran ahead has left in the future is no last run.
        let runs = || tables.digesting.runs.range(..=self.clock()).rev();
        let due = runs().find(|(_, outcome)| outcome.was_due());
        let standing = Standing {
            newest: runs().next().map(|(at, _)| *at),
            newest_due: due.map(|(at, outcome)| Run { scheduled_at: *at, outcome: *outcome }),
        };
        jobs::missing_since(self.protocol.rules.digest.as_ref()?, time, standing, self.clock())
    }

    pub(super) fn count_digests(&self, tables: &Tables, figures: &mut Figures) -> Result<(), StoreError> {
        let time = self.working_time(tables)?;
        figures.digest_made_at = self.newest_made(tables).map(|one| one.made_at);
        figures.digest_missing_since = self.missing_digest(tables, &time);
        let years = calendars::missing_years(&time, time.day_of(self.clock()), self.provisional(tables)?);
        figures.years_missing = years.len() as u64;
        Ok(())
    }
}

impl Tables {
    fn pattern_facts(&self) -> Option<PatternFacts> {
        let mut counts: BTreeMap<(Rule, PatternState), u64> = BTreeMap::new();
        for one in self.patterns.patterns.values() {
            *counts.entry((one.rule, one.state)).or_default() += 1;
        }
        let counts = counts.into_iter().map(|((rule, state), count)| (rule, state, count)).collect();
        let health = self.patterns.health.values().cloned().collect();
        self.patterns.last.map(|run| PatternFacts { finished_at: run.finished_at, counts, health })
    }

    /// Payouts whose 24 hours ended in the period, and those approved in it.
    fn counted_payouts(&self, period: Period) -> (Vec<CountedPayouts>, Vec<(String, Total)>) {
        let one = |payout: &Payout| Total { count: 1, fen: payout.amount };
        let within = |payout: &Payout, age: SignedDuration| {
            let at = payout.received_at.max(payout.approved_at + age);
            at >= period.begins && at < period.ends
        };
        let ended = self.payouts.values().filter(|payout| within(payout, PROMISE));
        let counted = |payout: &Payout| CountedPayouts {
            currency: payout.currency.clone(),
            state: payout.state(),
            reason_code: payout.reason().map(|(code, _)| code),
            in_time: credited_at(payout).map(|at| at <= payout.due_at),
            total: one(payout),
        };
        let mut approved: BTreeMap<String, Total> = BTreeMap::new();
        for payout in self.payouts.values().filter(|payout| within(payout, SignedDuration::ZERO)) {
            let total = approved.entry(payout.currency.clone()).or_default();
            *total = Total { count: total.count + 1, fen: Fen(total.fen.0 + payout.amount.0) };
        }
        (ended.map(counted).collect(), approved.into_iter().collect())
    }
}

fn credited_at(payout: &Payout) -> Option<Timestamp> {
    let debited = payout.instructions.iter().find(|one| one.is_debited());
    let debit = debited.filter(|_| payout.state() == PayoutState::Settled).and_then(|one| one.debit.as_ref());
    debit.map(|debit| debit.credited_at)
}
