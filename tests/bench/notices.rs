//! The benchmark of notices, on PostgreSQL and RabbitMQ with the real binary: as many enterprises wait to hear that their money
//! arrived, and `zhida serve --only notice,relay` tells them through the sandbox's gateway of SMS. Beside it, in the same run, a bare
//! client hands the same messages, as many at once and each over a connection of its own as the worker does, to the same sandbox: it
//! makes nothing, claims nothing, books nothing. Then how soon a settlement is told when every role runs. Judges no figure, but checks that
//! everybody was told, once.

use crate::meter::{CpuSeconds, peak_memory};
use crate::paid::{UNSENT, statements, until_settled};
use crate::world::{Bank, Environment, Prepared, World, serve, serve_only};
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use zhida_config::Settings;
use zhida_core::ports::sms::{SendOutcome, Sms, SmsProvider};

/// Notices in a run that takes about a minute.
const QUICK: [usize; 1] = [1_000];
/// Notices in the runs whose figures stand in the README.
const FULL: [usize; 2] = [1_000, 10_000];

/// Calls open at once, here and there: the default of `notices.parallel_calls`.
const PARALLEL: usize = 16;

/// Approvals that are handed in one by one.
const CALM: usize = 100;

const SIGNATURE: &str = "鼓楼直达";

/// 1 while a request was not dealt with, or a notice not sent. Not how many: counting them again and again would be a good part of what
/// is measured.
const UNTOLD: &str = "select (exists (select from notice_requests where outcome is null) \
    or exists (select from notices where state in ('created', 'sending')))::int::bigint";

/// What telling so many cost.
struct Cost {
    notices: usize,
    took: Duration,
    cpu: CpuSeconds,
    memory: f64,
    statements: (i64, i64),
}

/// Whether the statements that cost most are listed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Statements {
    Counted,
    Listed,
}

/// `tests/bench/run notices [--full | COUNT…] [--statements]`
pub(crate) async fn run(arguments: Vec<String>) {
    let (mut sizes, mut shown) = (Vec::new(), Statements::Counted);
    for argument in arguments {
        match argument.as_str() {
            "--full" => sizes.extend(FULL),
            "--statements" => shown = Statements::Listed,
            "--bench" => {}
            size => sizes.push(size.parse().expect("--full, --statements, or numbers of notices")),
        }
    }
    if sizes.is_empty() {
        sizes.extend(QUICK);
    }
    let world = tokio::task::spawn_blocking(World::start).await.unwrap();
    println!("{} cores; {PARALLEL} calls open at once", std::thread::available_parallelism().unwrap());
    println!(
        "| | notices | per second | seconds | CPU ms a notice | of which zhida | postgres | rabbitmq | sandbox | benchmark | \
         memory MB | statements a notice | commits a notice |\n|{}",
        "---|".repeat(13)
    );
    for count in sizes {
        let (real, messages, delay) = measure(&world, count, shown).await;
        println!("{}", real.row("zhida"));
        let bare = bare(&world, messages).await;
        println!("{}", bare.row("bare client"));
        let (clock, cpu) = (bare.took.as_secs_f64() / real.took.as_secs_f64(), bare.cpu.sum() / real.cpu.sum());
        println!("{count}: zhida reaches {clock:.2} of the bare client by the clock, {cpu:.2} by CPU time");
        println!(
            "{count}: settled to sent, every role running, one award every 50 ms: p50 {:.3} s, p99 {:.3} s",
            delay.0, delay.1
        );
    }
}

/// Awards are settled by workers that send no notices; then the notice worker starts.
async fn measure(world: &World, count: usize, shown: Statements) -> (Cost, Vec<Sms>, (f64, f64)) {
    let (approvals, prepared) = (world.district.approvals(0, count), world.prepared().await);
    world.publish(&approvals).await;
    let bank = world.bank("notices.ndjson").await;
    let environment = world.environment(prepared.database.url(), world.broker.url(), &bank.url(), 0);
    let workers = serve_only(&environment, "intake,payout,relay");
    until_settled(&prepared, &bank, count, Instant::now()).await;
    prepared.until("the outbox to be empty", UNSENT, 0).await;
    workers.drain();
    if world.counts {
        prepared.execute("select pg_stat_statements_reset()").await;
    }

    let environment = [environment, of_notices(&bank)].concat();
    let (began, before) = (Instant::now(), CpuSeconds::now(&[bank.process.id()]));
    let worker = serve_only(&environment, "notice,relay");
    prepared.until("everybody to be told", UNTOLD, 0).await;
    let took = began.elapsed();
    prepared.until("the outbox to be empty", UNSENT, 0).await;
    let cpu = CpuSeconds::now(&[bank.process.id()]).since(&before);
    let statements = statements(world, &prepared).await;
    if shown == Statements::Listed && world.counts {
        crate::paid::show_statements(&prepared).await;
    }
    let memory = peak_memory(worker.id());
    worker.drain();
    assert_eq!(told_once(&bank), count, "messages in the gateway's ledger");
    let messages = messages(&prepared).await;
    assert_eq!(messages.len(), count);
    let cost = Cost { notices: count, took, cpu, memory, statements };
    let delay = calm(world, &prepared, &bank, &environment, count).await;
    (cost, messages, delay)
}

/// How long after its settlement an award is told of, when every role runs and has little to do: p50 and p99, to the booking.
async fn calm(world: &World, prepared: &Prepared, bank: &Bank, environment: &Environment, before: usize) -> (f64, f64) {
    let workers = serve(environment);
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    for number in 0..CALM {
        ticks.tick().await;
        world.publish(&world.district.approvals(before + number, 1)).await;
    }
    until_settled(prepared, bank, before + CALM, Instant::now()).await;
    prepared.until("everybody to be told", UNTOLD, 0).await;
    workers.drain();
    let sql = "select percentile_disc(array[0.5, 0.99]) within group \
        (order by (journal.at - instructions.observed_at)::double precision / 1e6) \
        from journal join instructions on instructions.application_id = journal.subject \
        where journal.kind = 'notice.sent' and journal.detail like '%\"kind\":\"payout_credited\"%' and journal.subject >= $1";
    let first = format!("A-2026-{before:07}");
    let both: Vec<f64> = sqlx::query_scalar(sql).bind(first).fetch_one(&prepared.pool).await.unwrap();
    (both[0], both[1])
}

/// The same messages by nothing but a client, to a sandbox that has taken nothing in before.
async fn bare(world: &World, messages: Vec<Sms>) -> Cost {
    let (count, bank) = (messages.len(), world.bank("bare.ndjson").await);
    let provider = provider(&bank);
    let (messages, next) = (Arc::new(messages), Arc::new(AtomicUsize::new(0)));
    let (began, before) = (Instant::now(), CpuSeconds::now(&[bank.process.id()]));
    let mut senders = JoinSet::new();
    for _ in 0..PARALLEL {
        let (provider, messages, next) = (provider.clone(), messages.clone(), next.clone());
        senders.spawn(async move {
            while let Some(sms) = messages.get(next.fetch_add(1, Ordering::Relaxed)) {
                let outcome = provider.send(sms).await;
                assert!(matches!(outcome, SendOutcome::Accepted { .. }), "{outcome:?}");
            }
        });
    }
    senders.join_all().await;
    let took = began.elapsed();
    let cpu = CpuSeconds::now(&[bank.process.id()]).since(&before);
    assert_eq!(told_once(&bank), count);
    Cost { notices: count, took, cpu, memory: 0.0, statements: (0, 0) }
}

/// What was sent, as it was sent.
async fn messages(prepared: &Prepared) -> Vec<Sms> {
    let sql = "select notice_id, address, text from notice_contents where channel = 'sms' order by notice_id";
    let rows: Vec<(String, String, String)> = sqlx::query_as(sql).fetch_all(&prepared.pool).await.unwrap();
    let sms = |(out_id, to, text)| Sms {
        out_id,
        to,
        signature: SIGNATURE.to_owned(),
        text,
        template_code: None,
        parameters: Vec::new(),
    };
    rows.into_iter().map(sms).collect()
}

fn gateway(bank: &Bank) -> [(&'static str, String); 3] {
    let url = format!("{}/sms/webhook", bank.url());
    [("kind", "webhook".to_owned()), ("url", url), ("key", "sandbox-webhook-key".to_owned())]
}

/// Settings of the workers that send: the defaults, but for ceilings and quiet hours.
fn of_notices(bank: &Bank) -> Environment {
    let gateway = gateway(bank).map(|(field, value)| (format!("SMS__gateway__{}", field.to_uppercase()), value));
    // No quiet hours: a run must not depend on the hour of the day.
    let ceilings = [("PER_MINUTE_MAX", "1000000"), ("PER_DAY_MAX", "1000000"), ("SIGNATURE", SIGNATURE), ("QUIET", "")];
    let ceilings = ceilings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    gateway.into_iter().chain(ceilings).map(|(name, value)| (format!("ZHIDA__NOTICES__{name}"), value)).collect()
}

/// The provider as `serve` sets it up.
fn provider(bank: &Bank) -> Arc<dyn SmsProvider> {
    let flags = gateway(bank).map(|(field, value)| (format!("notices.sms.gateway.{field}"), value));
    let settings = Settings::load(&flags, [], None).unwrap();
    zhida_adapters::providers::sms::open("gateway", &settings.sms["gateway"]).unwrap()
}

/// Messages in the gateway's ledger, each under a name of its own.
fn told_once(bank: &Bank) -> usize {
    let mut stream = std::net::TcpStream::connect(&bank.address).unwrap();
    stream.write_all(b"GET /sms/ledger HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let ledger: serde_json::Value = serde_json::from_str(body).unwrap();
    let messages = ledger["messages"].as_array().unwrap();
    let names: BTreeSet<&str> = messages.iter().map(|one| one["out_id"].as_str().unwrap()).collect();
    assert_eq!(names.len(), messages.len(), "the gateway's ledger names a message twice");
    assert_eq!(ledger["reproaches"], serde_json::json!([]));
    names.len()
}

impl Cost {
    fn row(&self, name: &str) -> String {
        let each = self.notices as f64;
        let parts = ["zhida", "postgres", "rabbitmq", "bank", "benchmark"];
        let parts = parts.map(|part| format!("{:.2}", self.cpu.of(part) * 1_000.0 / each)).join(" | ");
        // What a run does not measure stands as a dash.
        let figure = |figure: f64| if figure == 0.0 { "–".to_owned() } else { format!("{figure:.2}") };
        format!(
            "| {name} | {} | {:.0} | {:.2} | {:.2} | {parts} | {} | {} | {} |",
            self.notices,
            each / self.took.as_secs_f64(),
            self.took.as_secs_f64(),
            self.cpu.sum() * 1_000.0 / each,
            figure(self.memory),
            figure(self.statements.0 as f64 / each),
            figure(self.statements.1 as f64 / each),
        )
    }
}
