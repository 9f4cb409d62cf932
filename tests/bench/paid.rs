//! One run of the real thing, and the figures that every run gives.

use crate::Wishes;
use crate::district::Approval;
use crate::meter::{CpuSeconds, peak_memory};
use crate::recorded::Recording;
use crate::world::{Bank, Prepared, Process, World, serve};
use std::time::{Duration, Instant};

/// What a run cost.
pub(crate) struct Figures {
    pub(crate) payouts: usize,
    /// From the start of the workers to the last payout settled in the database and in the bank's ledger.
    pub(crate) settled: Duration,
    /// From the start of the workers to the last event out of the outbox.
    pub(crate) at_rest: Duration,
    pub(crate) cpu: CpuSeconds,
    /// MB, of the largest worker.
    pub(crate) memory: f64,
    /// Taken in → settled, seconds, under the full load: p50 and p99.
    pub(crate) loaded: (f64, f64),
    /// Approved → settled, seconds, one every 50 milliseconds: p50 and p99.
    pub(crate) calm: (f64, f64),
    /// Statements and commits of the database.
    pub(crate) statements: (i64, i64),
}

impl Figures {
    /// Of a run that was only timed.
    pub(crate) fn of(payouts: usize, settled: Duration, at_rest: Duration, cpu: CpuSeconds) -> Self {
        let nothing = (0.0, 0.0);
        Self { payouts, settled, at_rest, cpu, memory: 0.0, loaded: nothing, calm: nothing, statements: (0, 0) }
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.payouts as f64 / self.settled.as_secs_f64()
    }

    pub(crate) fn head() -> String {
        let figures = "payouts | per second | settled s | at rest s | CPU ms a payout | of which zhida | postgres | \
            rabbitmq | bank | benchmark | memory MB | statements a payout | commits a payout | \
            loaded p50/p99 s | calm p50/p99 s";
        format!("| | {figures} |\n|{}", "---|".repeat(16))
    }

    pub(crate) fn row(&self, name: &str) -> String {
        let each = self.payouts as f64;
        let parts = ["zhida", "postgres", "rabbitmq", "bank", "benchmark"];
        let parts = parts.map(|part| format!("{:.2}", self.cpu.of(part) * 1_000.0 / each)).join(" | ");
        // What a run does not measure stands as a dash.
        let figure = |figure: f64| if figure == 0.0 { "–".to_owned() } else { format!("{figure:.2}") };
        let pair = |(p50, p99): (f64, f64)| format!("{}/{}", figure(p50), figure(p99));
        format!(
            "| {name} | {} | {:.0} | {:.2} | {:.2} | {:.2} | {parts} | {} | {} | {} | {} | {} |",
            self.payouts,
            self.per_second(),
            self.settled.as_secs_f64(),
            self.at_rest.as_secs_f64(),
            self.cpu.sum() * 1_000.0 / each,
            figure(self.memory),
            figure(self.statements.0 as f64 / each),
            figure(self.statements.1 as f64 / each),
            pair(self.loaded),
            pair(self.calm),
        )
    }
}

/// Approvals that are handed in one by one.
const CALM: usize = 100;

/// All approvals wait in the queue; then the workers start.
pub(crate) async fn measure(world: &World, approvals: &[Approval], wishes: &Wishes) -> (Figures, Recording) {
    let (count, prepared) = (approvals.len(), world.prepared().await);
    world.publish(approvals).await;
    let bank = world.bank("ledger.ndjson").await;
    let environment = world.environment(prepared.database.url(), world.broker.url(), &bank.url(), 0);
    let (began, before) = (Instant::now(), CpuSeconds::now(&[bank.process.id()]));
    let workers: Vec<Process> = (0..wishes.processes).map(|_| serve(&environment)).collect();
    let settled = until_settled(&prepared, &bank, count, began).await;
    prepared.until("the outbox to be empty", UNSENT, 0).await;
    let at_rest = began.elapsed();
    let cpu = CpuSeconds::now(&[bank.process.id()]).since(&before);
    if wishes.statements && world.counts {
        show_statements(&prepared).await;
    }
    let statements = statements(world, &prepared).await;
    let loaded = latencies(&prepared, "observed_at - received_at", "").await;
    let recording = Recording::read(&prepared.pool).await;
    let calm = calm(world, &prepared, &bank, count).await;
    let memory = workers.iter().map(|worker| peak_memory(worker.id())).fold(0.0, f64::max);
    workers.into_iter().for_each(Process::drain);
    assert_eq!(bank.paid_once(), count + CALM, "credits in the bank's ledger");
    let figures = Figures { payouts: count, settled, at_rest, cpu, memory, loaded, calm, statements };
    (figures, recording)
}

pub(crate) const UNSENT: &str = "select count(*) from outbox where sent_at is null";

/// Until the bank's ledger and our own books say so.
pub(crate) async fn until_settled(prepared: &Prepared, bank: &Bank, count: usize, began: Instant) -> Duration {
    bank.until_booked(count).await;
    // What is not at its end: few rows, found by an index, so that looking costs nothing.
    prepared.until("every payout to be settled", "select count(*) from instructions where live", 0).await;
    let settled = began.elapsed();
    let states = prepared.number("select count(*) from payouts where state = 'settled'").await;
    assert_eq!(states, i64::try_from(count).unwrap(), "settled payouts in the database");
    settled
}

/// Approvals that come one by one to workers that have nothing else to do.
async fn calm(world: &World, prepared: &Prepared, bank: &Bank, before: usize) -> (f64, f64) {
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    for number in 0..CALM {
        ticks.tick().await;
        world.publish(&world.district.approvals(before + number, 1)).await;
    }
    until_settled(prepared, bank, before + CALM, Instant::now()).await;
    let first = format!("A-2026-{before:07}");
    latencies(prepared, "observed_at - approved_at", &first).await
}

/// Median and 99th percentile in seconds, of payouts from this application on.
async fn latencies(prepared: &Prepared, span: &'static str, first: &str) -> (f64, f64) {
    let sql = format!(
        "select percentile_disc(array[0.5, 0.99]) within group (order by ({span})::double precision / 1e6) \
         from payouts join instructions using (application_id, tranche) where application_id >= $1"
    );
    let both: Vec<f64> =
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(first).fetch_one(&prepared.pool).await.unwrap();
    (both[0], both[1])
}

/// Statements and commits so far; zero when the server does not count them.
pub(crate) async fn statements(world: &World, prepared: &Prepared) -> (i64, i64) {
    if !world.counts {
        return (0, 0);
    }
    let ours = "select coalesce(sum(calls), 0)::bigint from pg_stat_statements \
        where dbid = (select oid from pg_database where datname = current_database())";
    let commits = "select coalesce(sum(calls), 0)::bigint from pg_stat_statements where query ilike 'commit' \
        and dbid = (select oid from pg_database where datname = current_database())";
    (prepared.number(ours).await, prepared.number(commits).await)
}

/// What the database spent its time with.
pub(crate) async fn show_statements(prepared: &Prepared) {
    let sql = "select calls, total_exec_time, rows, left(regexp_replace(query, '\\s+', ' ', 'g'), 110) \
        from pg_stat_statements where dbid = (select oid from pg_database where datname = current_database()) \
        order by total_exec_time desc limit 40";
    let rows: Vec<(i64, f64, i64, String)> = sqlx::query_as(sql).fetch_all(&prepared.pool).await.unwrap();
    for (calls, milliseconds, rows, query) in rows {
        println!("{calls:>8} calls {milliseconds:>10.1} ms {rows:>9} rows  {query}");
    }
}
