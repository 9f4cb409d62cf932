//! Digests: what they report is read as of one moment, and each moment at which one was due is claimed by inserting its row.

use super::cases::Circumstances;
use super::fault::Fault;
use super::link::Tx;
use super::value::{Record, Row, Value, json};
use super::write::insert_new;
use super::{SqlStore, case_rows, moved, order_rows, organisation, pattern_rows, patterns, transact};
use async_trait::async_trait;
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use tracing::error;
use zhida_config::{Calendar, Schedule};
use zhida_core::calendars::{self, Provisional};
use zhida_core::digest::{Breaches, CountedPayouts, Digest, Facts, Held, JOB, PatternFacts, Period, Total, compose};
use zhida_core::ids::{ApplicationId, DepartmentId, OfficerId};
use zhida_core::jobs::{self, Outcome, Run, Standing};
use zhida_core::money::Fen;
use zhida_core::notice::NoticeRequest;
use zhida_core::payout::{PROMISE, PayoutState};
use zhida_core::ports::digests::{DigestStore, MovedPage, Outlook};
use zhida_core::ports::orders::OrderFilter;
use zhida_core::ports::store::{Figures, StoreError, Which};
use zhida_core::steps::Changes;
use zhida_core::supervision::{Audience, District};
use zhida_core::working_time::WorkingTime;

#[async_trait]
impl DigestStore for SqlStore {
    async fn make_due_digest(&self) -> Result<Vec<Run>, StoreError> {
        // Read apart, as of one moment, so that a long list keeps nobody from writing.
        let turn = transact!(self, Reading, |tx| self.turn(&mut tx))?;
        if turn.runs.is_empty() {
            return Ok(Vec::new());
        }
        transact!(self, Writing, |tx| self.record(&mut tx, &turn))
    }

    async fn ring_missing_years(&self) -> Result<u32, StoreError> {
        let (years, provisional) = transact!(self, Reading, |tx| self.needed_years(&mut tx))?;
        if years.is_empty() {
            return Ok(0);
        }
        transact!(self, Writing, |tx| self.ring_years(&mut tx, &years, provisional))
    }

    async fn digest_preview(&self) -> Result<Digest, StoreError> {
        transact!(self, Reading, |tx| self.preview(&mut tx))
    }

    async fn digest(&self, of: Option<Date>) -> Result<Option<Digest>, StoreError> {
        transact!(self, Reading, |tx| kept(&mut tx, of))
    }

    async fn digest_outlook(&self) -> Result<Outlook, StoreError> {
        transact!(self, Reading, |tx| self.outlook(&mut tx))
    }

    async fn moved_by(
        &self,
        amendment: &Calendar,
        after: Option<&ApplicationId>,
        max: u32,
    ) -> Result<MovedPage, StoreError> {
        transact!(self, Reading, |tx| moved::page(self, &mut tx, amendment, after, max))
    }
}

/// What one turn of the job found to be done.
struct Turn {
    runs: Vec<Run>,
    /// The digest, where the last of them is to be made.
    digest: Option<(Digest, Date, Vec<NoticeRequest>)>,
}

impl SqlStore {
    async fn turn(&self, tx: &mut Tx) -> Result<Turn, Fault> {
        let Some(schedule) = &self.protocol.rules.digest else { return Ok(Turn { runs: Vec::new(), digest: None }) };
        let newest = newest_moment(tx).await?;
        // The calendar is read only when a moment has come.
        if newest.is_some_and(|newest| schedule.after(newest, &self.protocol.rules.zone).is_none_or(|at| at > tx.now)) {
            return Ok(Turn { runs: Vec::new(), digest: None });
        }
        let circumstances = self.circumstances(tx).await?;
        let Circumstances { organisation, time, .. } = &circumstances;
        let runs = jobs::due(schedule, time, newest, tx.now);
        let digest = match runs.last() {
            Some(Run { scheduled_at, outcome: Outcome::Made }) => {
                let digest = self.made(tx, &circumstances, *scheduled_at).await?;
                let notices = digest.notices(organisation, &time.zone);
                Some((digest, time.day_of(*scheduled_at), notices))
            }
            Some(Run { outcome: Outcome::Missed | Outcome::DayOff | Outcome::BeforeStart, .. }) | None => None,
        };
        Ok(Turn { runs, digest })
    }

    /// Writes what a turn found, as far as nobody else has.
    async fn record(&self, tx: &mut Tx, turn: &Turn) -> Result<Vec<Run>, Fault> {
        let mut done = Vec::new();
        for run in &turn.runs {
            if insert_new(tx, "job_runs", run_record(JOB, *run, tx.now)).await? {
                done.push(*run);
            }
        }
        let made = done.last().is_some_and(|run| run.outcome == Outcome::Made);
        if let Some((digest, day, notices)) = turn.digest.as_ref().filter(|_| made) {
            tx.insert("digests", vec![digest_record(digest, *day)], "").await?;
            let (journal, notices) = (vec![digest.journal_row()], notices.clone());
            self.write(tx, Changes { journal, notices, ..Changes::default() }).await?;
        }
        Ok(done)
    }

    async fn preview(&self, tx: &mut Tx) -> Result<Digest, Fault> {
        let circumstances = self.circumstances(tx).await?;
        let now = tx.now;
        self.made(tx, &circumstances, now).await
    }

    async fn made(&self, tx: &mut Tx, by: &Circumstances, scheduled_at: Timestamp) -> Result<Digest, Fault> {
        let Circumstances { organisation, time, .. } = by;
        let period = Period::of(newest_made(tx).await?, time, tx.now);
        let facts = self.digest_facts(tx, period).await?;
        let rules = &self.protocol.rules.supervision;
        Ok(compose(facts, period, scheduled_at, District { rules, organisation, time, now: tx.now }))
    }

    async fn digest_facts(&self, tx: &mut Tx, period: Period) -> Result<Facts, Fault> {
        let (alerts, orders) = (case_rows::red_alerts(tx).await?, order_rows::orders_listed(tx, &open_orders()).await?);
        Ok(Facts {
            unreadable: alerts.unreadable + orders.unreadable,
            alerts: alerts.rows,
            before: before(tx).await?,
            ended: ended(tx, period).await?,
            unrung: unrung(tx).await?,
            held: held(tx).await?,
            payouts: self.payouts_ended(tx, period).await?,
            approved: self.payouts_approved(tx, period).await?,
            provisional: provisional(tx).await?,
            orders: orders.rows,
            patterns: pattern_facts(tx).await?,
        })
    }

    /// Whatever was approved since came in since, but for clocks that run ahead: where the index begins to be read.
    fn received_from(&self, approved_from: Timestamp) -> Timestamp {
        approved_from.checked_sub(self.protocol.rules.max_ahead).unwrap_or(Timestamp::MIN)
    }

    /// The values of: received and approved so long ago before the end of the period, and not both before its beginning.
    fn ripe(&self, period: Period, age: SignedDuration) -> Vec<Value> {
        let Period { begins, ends, .. } = period;
        let approved = (earlier(begins, age), earlier(ends, age));
        vec![self.received_from(approved.0).into(), ends.into(), approved.1.into(), begins.into(), approved.0.into()]
    }

    async fn payouts_ended(&self, tx: &mut Tx, period: Period) -> Result<Vec<CountedPayouts>, Fault> {
        let sql = "select currency, state, reason_code, \
            cast(case when credited_at <= due_at then 1 when credited_at is not null then 0 end as bigint) as in_time, \
            count(*) as count, cast(sum(amount) as bigint) as amount from payouts \
            where received_at >= $1 and received_at < $2 and approved_at < $3 and (received_at >= $4 or approved_at >= $5) \
            group by 1, 2, 3, 4 order by 1, 2, 3, 4";
        let values = self.ripe(period, PROMISE);
        let read = |row: &Row| {
            let state: String = row.get("state")?;
            Ok(CountedPayouts {
                currency: row.get("currency")?,
                state: PayoutState::from_code(&state).ok_or_else(|| Fault::corrupt("payouts.state", &state))?,
                reason_code: row.get("reason_code")?,
                in_time: row.get::<Option<i64>>("in_time")?.map(|in_time| in_time == 1),
                total: total(row)?,
            })
        };
        tx.rows(sql, values).await?.iter().map(read).collect()
    }

    async fn payouts_approved(&self, tx: &mut Tx, period: Period) -> Result<Vec<(String, Total)>, Fault> {
        let sql = "select currency, count(*) as count, cast(sum(amount) as bigint) as amount from payouts \
            where received_at >= $1 and received_at < $2 and approved_at < $3 and (received_at >= $4 or approved_at >= $5) \
            group by currency order by currency";
        let values = self.ripe(period, SignedDuration::ZERO);
        tx.rows(sql, values).await?.iter().map(|row| Ok((row.get("currency")?, total(row)?))).collect()
    }

    async fn working_time(&self, tx: &mut Tx) -> Result<WorkingTime, Fault> {
        let rules = &self.protocol.rules;
        let calendar = Arc::new(organisation::calendar(tx).await?);
        Ok(WorkingTime { calendar, zone: rules.zone.clone(), hours: rules.supervision.hours.clone() })
    }

    async fn outlook(&self, tx: &mut Tx) -> Result<Outlook, Fault> {
        let now = tx.now;
        let Some(schedule) = &self.protocol.rules.digest else {
            return Ok(Outlook { now, next_due: None, missing_since: None });
        };
        let time = self.working_time(tx).await?;
        let missing_since = missing(tx, schedule, &time).await?;
        Ok(Outlook { now, next_due: jobs::next_due(schedule, &time, now), missing_since })
    }

    async fn needed_years(&self, tx: &mut Tx) -> Result<(Vec<i16>, Provisional), Fault> {
        let time = self.working_time(tx).await?;
        missing_years(tx, &time).await
    }

    async fn ring_years(&self, tx: &mut Tx, years: &[i16], provisional: Provisional) -> Result<u32, Fault> {
        let time = self.working_time(tx).await?;
        let mut changes = Changes::default();
        for year in years {
            let run = Run { scheduled_at: time.midnight(date(*year, 1, 1)), outcome: Outcome::Made };
            if insert_new(tx, "job_runs", run_record(calendars::JOB, run, tx.now)).await? {
                changes.alarms.push(calendars::alarm_of_year(*year, provisional));
            }
        }
        let rung = u32::try_from(changes.alarms.len()).unwrap_or(u32::MAX);
        self.write(tx, changes).await?;
        Ok(rung)
    }

    /// The figures of digests and of the calendar.
    pub(super) async fn count_digests(&self, tx: &mut Tx, figures: &mut Figures) -> Result<(), Fault> {
        let time = self.working_time(tx).await?;
        figures.digest_made_at = newest_made(tx).await?;
        if let Some(schedule) = &self.protocol.rules.digest {
            figures.digest_missing_since = missing(tx, schedule, &time).await?;
        }
        figures.years_missing = missing_years(tx, &time).await?.0.len() as u64;
        Ok(())
    }
}

async fn missing(tx: &mut Tx, schedule: &Schedule, time: &WorkingTime) -> Result<Option<Timestamp>, Fault> {
    let standing = Standing { newest: newest_moment(tx).await?, newest_due: newest_due(tx).await? };
    Ok(jobs::missing_since(schedule, time, standing, tx.now))
}

async fn missing_years(tx: &mut Tx, time: &WorkingTime) -> Result<(Vec<i16>, Provisional), Fault> {
    let provisional = provisional(tx).await?;
    Ok((calendars::missing_years(time, time.day_of(tx.now), provisional), provisional))
}

/// What a clock that once ran ahead has left in the future is no last run, here and below.
async fn newest_moment(tx: &mut Tx) -> Result<Option<Timestamp>, Fault> {
    let sql = "select max(scheduled_at) as at from job_runs where job = $1 and scheduled_at <= $2";
    let now = tx.now;
    tx.one(sql, vec![JOB.into(), now.into()]).await?.time_or_none("at")
}

async fn newest_due(tx: &mut Tx) -> Result<Option<Run>, Fault> {
    let due: Vec<String> = Outcome::ALL.iter().filter(|one| one.was_due()).map(|one| one.code().to_owned()).collect();
    let sql = format!(
        "select scheduled_at, outcome from job_runs where job = $1 and scheduled_at <= $2 and outcome {} \
         order by scheduled_at desc limit 1",
        tx.among(3)
    );
    let read = |row: &Row| {
        let outcome: String = row.get("outcome")?;
        let outcome = Outcome::from_code(&outcome).ok_or_else(|| Fault::corrupt("job_runs.outcome", &outcome))?;
        Ok(Run { scheduled_at: row.time("scheduled_at")?, outcome })
    };
    let now = tx.now;
    tx.rows(sql, vec![JOB.into(), now.into(), due.into()]).await?.first().map(read).transpose()
}

async fn newest_made(tx: &mut Tx) -> Result<Option<Timestamp>, Fault> {
    let sql = "select made_at from digests where scheduled_at <= $1 order by scheduled_at desc limit 1";
    let now = tx.now;
    let rows = tx.rows(sql, vec![now.into()]).await?;
    rows.first().map(|row| row.time("made_at")).transpose()
}

fn run_record(job: &str, run: Run, now: Timestamp) -> Record {
    vec![
        ("job", job.into()),
        ("scheduled_at", run.scheduled_at.into()),
        ("outcome", run.outcome.code().into()),
        ("at", now.into()),
    ]
}

fn digest_record(digest: &Digest, day: Date) -> Record {
    vec![
        ("id", (&digest.id).into()),
        ("scheduled_at", digest.scheduled_at.into()),
        ("day", day.to_string().into()),
        ("made_at", digest.made_at.into()),
        ("calendar_version", (&digest.calendar.version).into()),
        ("body", json(digest).into()),
    ]
}

async fn kept(tx: &mut Tx, of: Option<Date>) -> Result<Option<Digest>, Fault> {
    let (condition, value): (&str, Value) = match of {
        Some(day) => ("day = $1", day.to_string().into()),
        None => ("scheduled_at <= $1", tx.now.into()),
    };
    let sql = format!("select id, body from digests where {condition} order by scheduled_at desc limit 1");
    let rows = tx.rows(sql, vec![value]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let id: String = row.get("id")?;
    row.json("body").map(Some).map_err(|fault| fault.at("digests", &id))
}

/// What the digest before said is overdue.
async fn before(tx: &mut Tx) -> Result<Option<Breaches>, Fault> {
    match kept(tx, None).await {
        Ok(digest) => Ok(digest.map(|one| one.breaches)),
        Err(Fault::Corrupt { place, what }) => {
            error!(place, what, "the digest before cannot be read; what is new is told by time");
            Ok(None)
        }
        Err(fault) => Err(fault),
    }
}

/// What was red and has been cleared since the digest before.
async fn ended(tx: &mut Tx, period: Period) -> Result<u64, Fault> {
    let Some(since) = period.since else { return Ok(0) };
    let sql = "select count(*) as count from alerts where cleared_at > $1 and level <> 'due_soon' and kind <> 'order'";
    tx.one(sql, vec![since.into()]).await?.unsigned("count")
}

/// What is past its deadline while no red alert tells of it.
async fn unrung(tx: &mut Tx) -> Result<u64, Fault> {
    let sql = "select count(*) as count from clocks c where c.ended_at is null and c.state = 'overdue' and c.kind <> 'order' \
        and not exists (select 1 from alerts a where a.application_id = c.application_id and a.clock = c.clock \
        and a.cleared_at is null and a.level <> 'due_soon')";
    tx.one(sql, vec![]).await?.unsigned("count")
}

fn open_orders() -> OrderFilter {
    OrderFilter { which: Which::Open, audiences: Audience::ALL.to_vec(), addressees: None, limit: u32::MAX }
}

async fn held(tx: &mut Tx) -> Result<Vec<Held>, Fault> {
    let sql = "select department_id, officer_id, count(*) as open, count(*) filter (where state = 'due_soon') as due_soon, \
        count(*) filter (where state = 'overdue') as overdue, min(started_at) as oldest from clocks \
        where ended_at is null and state <> 'paused' and kind in ('acceptance', 'step') group by department_id, officer_id";
    let read = |row: &Row| {
        Ok(Held {
            department_id: row.get::<Option<String>>("department_id")?.map(DepartmentId),
            officer_id: row.get::<Option<String>>("officer_id")?.map(OfficerId),
            open: row.unsigned("open")?,
            due_soon: row.unsigned("due_soon")?,
            overdue: row.unsigned("overdue")?,
            oldest_started_at: row.time("oldest")?,
        })
    };
    tx.rows(sql, vec![]).await?.iter().map(read).collect()
}

async fn provisional(tx: &mut Tx) -> Result<Provisional, Fault> {
    let sql = "select count(*) as count, min(started_at) as begins, max(deadline) as ends from clocks \
        where ended_at is null and provisional";
    let row = tx.one(sql, vec![]).await?;
    let span = row.time_or_none("begins")?.zip(row.time_or_none("ends")?);
    Ok(Provisional { count: row.unsigned("count")?, span })
}

async fn pattern_facts(tx: &mut Tx) -> Result<Option<PatternFacts>, Fault> {
    let Some(run) = patterns::last_run(tx).await? else { return Ok(None) };
    let counts = pattern_rows::counted(tx).await?.into_iter();
    let counts = counts.map(|((rule, state), count)| (rule, state, count)).collect();
    Ok(Some(PatternFacts { finished_at: run.finished_at, counts, health: pattern_rows::health(tx).await? }))
}

fn total(row: &Row) -> Result<Total, Fault> {
    Ok(Total { count: row.unsigned("count")?, fen: Fen(row.get("amount")?) })
}

fn earlier(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}
