//! The raw limit: what is left when all thinking is taken out of a run. The same messages are consumed from the same queue with
//! the same prefetch and acknowledged after the commit; the rows that the real run left are written into an identical schema
//! by the same shape of statements (one array per column), in the same batches and in as many transactions that write (intake,
//! claim, result); the same pain.001 bytes are posted to the same bank by as many lanes, each on a connection of its own; the
//! outbox is claimed, published with confirms, and marked.
//!
//! It contains: RabbitMQ, PostgreSQL with every index, constraint and trigger and its syncs, the bank, and a client that only
//! moves bytes. It does not contain: signatures (checked at intake and again at the claim), parsing, rules, XML, journal
//! leaves; reading anything back before it is changed, locks, the last look before the call; doorbells; figures, sweeps and
//! health. All parameters are in memory before the clock starts.

use crate::district::Approval;
use crate::meter::CpuSeconds;
use crate::paid::{Figures, UNSENT, statements, until_settled};
use crate::recorded::{Column, Put, Recording, Rows, Statement};
use crate::small::post;
use crate::world::{Bank, Prepared, World};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::sync::{Notify, watch};

/// As the defaults of the settings: `queue.prefetch`, `bank.parallel_calls`, `relay.batch_max`.
const PREFETCH: u16 = 400;
const LANES: usize = 4;
const RELAYED: i64 = 500;
const LEASE: i64 = 120_000_000;

/// Columns of a payout that never change after it was taken in.
const FIXED: [&str; 16] = [
    "policy_id",
    "named_fund_id",
    "uscc",
    "enterprise_name",
    "amount",
    "currency",
    "approved_payee",
    "approved_at",
    "received_at",
    "due_at",
    "commitment_id",
    "officers",
    "approval_source",
    "approval_id",
    "keyid",
    "reconsider_at",
];

/// One transaction that writes.
struct Writing {
    statements: Vec<Statement>,
}

/// A batch of arrivals: so many messages, one transaction.
struct Intake {
    messages: usize,
    writing: Writing,
}

/// A message to the bank between two transactions.
struct Sending {
    claim: Writing,
    msg_id: String,
    bytes: Vec<u8>,
    result: Writing,
    /// Batches of arrivals that must be in before.
    after: usize,
}

/// The same work without the thinking.
pub(crate) async fn measure(world: &World, approvals: &[Approval], recording: Recording) -> Figures {
    let (count, prepared) = (approvals.len(), world.prepared().await);
    let (intakes, sendings) = plan(&recording);
    drop(recording);
    world.publish(approvals).await;
    let bank = world.bank("raw.ndjson").await;
    let (began, before) = (Instant::now(), CpuSeconds::now(&[bank.process.id()]));
    let (progress, seen) = watch::channel(0);
    let written = Arc::new(Notify::new());
    let sendings = Arc::new(Mutex::new(VecDeque::from(sendings)));
    let lanes = (0..LANES).map(|_| {
        let lane = Lane { sendings: sendings.clone(), seen: seen.clone(), written: written.clone() };
        tokio::spawn(lane.run(prepared.database.url().to_owned(), bank.address.clone()))
    });
    let lanes: Vec<_> = lanes.collect();
    let relay = tokio::spawn(relay(prepared.database.url().to_owned(), world.broker.url().to_owned(), written.clone()));
    take_in(&prepared, world.broker.url(), intakes, &progress, &written).await;
    let settled = until_settled(&prepared, &bank, count, began).await;
    for lane in lanes {
        lane.await.unwrap();
    }
    prepared.until("the outbox to be empty", UNSENT, 0).await;
    let at_rest = began.elapsed();
    relay.abort();
    finish(world, prepared, bank, Figures::of(count, settled, at_rest, CpuSeconds::default()), before).await
}

async fn finish(world: &World, prepared: Prepared, bank: Bank, figures: Figures, before: CpuSeconds) -> Figures {
    let cpu = CpuSeconds::now(&[bank.process.id()]).since(&before);
    let statements = statements(world, &prepared).await;
    assert_eq!(bank.paid_once(), figures.payouts, "credits in the bank's ledger");
    Figures { cpu, statements, ..figures }
}

async fn take_in(
    prepared: &Prepared,
    broker: &str,
    intakes: Vec<Intake>,
    progress: &watch::Sender<usize>,
    written: &Notify,
) {
    let mut database = PgConnection::connect(prepared.database.url()).await.unwrap();
    let connection = Connection::connect(broker, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await.unwrap();
    let options = BasicConsumeOptions::default();
    let queue = channel.basic_consume("zhida.intake.v1".into(), "".into(), options, FieldTable::default());
    let mut queue = queue.await.unwrap();
    for intake in intakes {
        let mut last = 0;
        for _ in 0..intake.messages {
            last = queue.next().await.unwrap().unwrap().delivery_tag;
        }
        write(&mut database, intake.writing).await;
        channel.basic_ack(last, BasicAckOptions { multiple: true }).await.unwrap();
        progress.send_modify(|done| *done += 1);
        written.notify_one();
    }
    connection.close(200, "done".into()).await.unwrap();
}

struct Lane {
    sendings: Arc<Mutex<VecDeque<Sending>>>,
    seen: watch::Receiver<usize>,
    written: Arc<Notify>,
}

impl Lane {
    async fn run(mut self, database: String, bank: String) {
        let mut database = PgConnection::connect(&database).await.unwrap();
        while let Some(sending) = self.next() {
            self.seen.wait_for(|done| *done >= sending.after).await.unwrap();
            write(&mut database, sending.claim).await;
            let head =
                format!("idempotency-key: {}\r\ncontent-type: application/xml; charset=utf-8\r\n", sending.msg_id);
            assert_eq!(post(&bank, "/payments", &head, &sending.bytes).await, 200, "the bank takes it");
            write(&mut database, sending.result).await;
            self.written.notify_one();
        }
    }

    fn next(&self) -> Option<Sending> {
        self.sendings.lock().unwrap().pop_front()
    }
}

async fn relay(database: String, broker: String, written: Arc<Notify>) {
    let mut database = PgConnection::connect(&database).await.unwrap();
    let connection = Connection::connect(&broker, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let claim = "with due as materialized (select id from outbox where sent_at is null and claimed_until <= 1 \
        order by id limit $1 for no key update skip locked) \
        update outbox set claimed_until = 2 where id in (select id from due) returning id, event_type, body";
    let sent = "update outbox set sent_at = 3 where sent_at is null and id = any($1)";
    loop {
        let rows = sqlx::query(claim).bind(RELAYED).fetch_all(&mut database).await.unwrap();
        if rows.is_empty() {
            written.notified().await;
            continue;
        }
        let ids: Vec<String> = rows.iter().map(|row| row.get("id")).collect();
        let published = rows.iter().map(|row| publish(&channel, row.get("id"), row.get("event_type"), row.get("body")));
        join_all(published).await;
        sqlx::query(sent).bind(ids).execute(&mut database).await.unwrap();
    }
}

async fn publish(channel: &Channel, id: String, event_type: String, body: Vec<u8>) {
    let properties = BasicProperties::default().with_delivery_mode(2).with_message_id(id.into());
    let options = BasicPublishOptions::default();
    let confirm = channel.basic_publish("zhida.out".into(), event_type.into(), options, &body, properties);
    confirm.await.unwrap().await.unwrap();
}

async fn write(database: &mut PgConnection, writing: Writing) {
    let mut transaction = database.begin().await.unwrap();
    for statement in writing.statements {
        let query = sqlx::query(AssertSqlSafe(statement.sql));
        let query = statement.values.into_iter().fold(query, |query, column| match column {
            Column::Ints(it) => query.bind(it),
            Column::Texts(it) => query.bind(it),
            Column::Blobs(it) => query.bind(it),
            Column::Bools(it) => query.bind(it),
        });
        query.execute(&mut *transaction).await.unwrap();
    }
    transaction.commit().await.unwrap();
}

/// Rows by the time of their transaction and by what they are about: lanes that one doorbell wakes begin in the same microsecond.
struct Once<'a> {
    recording: &'a Recording,
    used: BTreeSet<(&'static str, i64)>,
}

impl Once<'_> {
    /// The rows about these; and those about nothing (doorbells), once.
    fn at(&mut self, table: &'static str, time: i64, wanted: &[Option<String>]) -> Rows {
        let rows = self.recording.at(table, time);
        let first = self.used.insert((table, time));
        let wanted: BTreeSet<&str> = wanted.iter().flatten().map(String::as_str).collect();
        let about = match table {
            "postings" => "application_id",
            "evidence" => "instruction_id",
            _ => "subject",
        };
        let ours = |one: &Option<String>| one.as_deref().map_or(first, |one| wanted.contains(one));
        let places: Vec<usize> =
            rows.texts(about).iter().enumerate().filter(|(_, one)| ours(one)).map(|(place, _)| place).collect();
        rows.pick(&places)
    }
}

fn plan(recording: &Recording) -> (Vec<Intake>, Vec<Sending>) {
    let taken_in: Vec<i64> = recording.times("payouts").map(|(time, _)| time).collect();
    let mut once = Once { recording, used: BTreeSet::new() };
    let intakes = recording.times("payouts").map(|(time, places)| {
        let payouts = recording.rows("payouts").pick(places);
        let applications = payouts.texts("application_id");
        let mut statements = Vec::new();
        statements.extend(recording.at("enterprises", time).insert("on conflict do nothing"));
        statements.extend(as_taken_in(recording.at("payouts", time)).insert(""));
        statements.extend(as_minted(recording.at("instructions", time)).insert(""));
        statements.extend(once.at("postings", time, applications).insert(""));
        let inbox = recording.at("inbox", time);
        statements.extend(inbox.insert(""));
        statements.extend(bodies_of(recording, &inbox).insert(""));
        statements.extend(told(&mut once, time, applications));
        statements.extend(charges(&payouts));
        Intake { messages: places.len(), writing: Writing { statements } }
    });
    let intakes = intakes.collect();
    (intakes, sendings(&mut once, &taken_in))
}

fn sendings(once: &mut Once<'_>, taken_in: &[i64]) -> Vec<Sending> {
    let recording = once.recording;
    let (batches, members) = (recording.rows("batches"), recording.rows("batch_members"));
    let (of_batch, evidence) = (members.by_text("msg_id"), recording.rows("evidence"));
    let (payouts, instructions) = (recording.rows("payouts"), recording.rows("instructions"));
    let (by_id, evidence_by_id) = (instructions.by_text("id"), evidence.by_text("instruction_id"));
    let by_application = payouts.by_text("application_id");
    let place = |index: &HashMap<&str, Vec<usize>>, id: &Option<String>| index[id.as_deref().unwrap()][0];
    let sending = |(claimed_at, batch): (i64, usize)| {
        let batch = batches.pick(&[batch]);
        let msg_id = batch.texts("msg_id")[0].clone().unwrap();
        let members = members.pick(&of_batch[msg_id.as_str()]);
        let ids = members.texts("instruction_id");
        let instructions = instructions.pick(&ids.iter().map(|id| place(&by_id, id)).collect::<Vec<_>>());
        let applications = members.texts("application_id");
        let payouts = payouts.pick(&applications.iter().map(|id| place(&by_application, id)).collect::<Vec<_>>());
        let booked_at = evidence.ints("at")[place(&evidence_by_id, &ids[0])].unwrap();
        let keys = ["application_id", "tranche"];
        let mut claim = Vec::new();
        claim.extend(as_claimed(payouts.clone()).update(&keys, &FIXED));
        claim.extend(batch.clone().with(&[("calls", Put::Int(1)), ("examine_at", Put::Null)]).insert(""));
        claim.extend(as_sending(instructions.clone(), claimed_at).update(&["id"], &[]));
        claim.extend(members.insert(""));
        claim.extend(once.at("postings", claimed_at, applications).insert(""));
        claim.extend(told(once, claimed_at, applications));
        claim.push(sent_amounts(&payouts));
        let mut result = Vec::new();
        result.extend(once.at("evidence", booked_at, ids).insert(""));
        result.extend(payouts.update(&keys, &FIXED));
        result.extend(batch.update(&["msg_id"], &["created_at", "bytes"]));
        result.extend(instructions.update(&["id"], &[]));
        result.extend(once.at("postings", booked_at, applications).insert(""));
        result.extend(told(once, booked_at, applications));
        let newest = payouts.ints("received_at").iter().max().copied().flatten().unwrap();
        let after = taken_in.partition_point(|time| *time <= newest);
        let (claim, result) = (Writing { statements: claim }, Writing { statements: result });
        Sending { claim, msg_id, bytes: batch.blobs("bytes")[0].clone().unwrap(), result, after }
    };
    let each = |(time, places): (i64, &[usize])| places.iter().map(|place| (time, *place)).collect::<Vec<_>>();
    recording.times("batches").flat_map(each).map(sending).collect()
}

/// Journal, outbox and the numbers of its events, of one transaction.
fn told(once: &mut Once<'_>, time: i64, applications: &[Option<String>]) -> Vec<Statement> {
    let unsent = [("sent_at", Put::Null), ("claimed_until", Put::Int(0))];
    let outbox = once.at("outbox", time, applications).with(&unsent);
    let mut statements: Vec<Statement> = once.at("journal", time, applications).insert("").into_iter().collect();
    let mut counts: BTreeMap<Option<String>, i64> = BTreeMap::new();
    for subject in outbox.texts("subject") {
        *counts.entry(subject.clone()).or_default() += 1;
    }
    let (subjects, raised) = counts.into_iter().map(|(subject, count)| (subject, Some(count))).unzip();
    let sql = "insert into sequences (subject, last) select * from unnest($1::text[], $2::bigint[]) \
        on conflict (subject) do update set last = sequences.last + excluded.last";
    statements.push(Statement { sql: sql.to_owned(), values: vec![Column::Texts(subjects), Column::Ints(raised)] });
    statements.extend(outbox.insert(""));
    statements
}

fn bodies_of(recording: &Recording, inbox: &Rows) -> Rows {
    let bodies = recording.rows("inbox_bodies");
    let by_id = bodies.by_text("event_id");
    let places: Vec<usize> = inbox.texts("event_id").iter().map(|id| by_id[id.as_deref().unwrap()][0]).collect();
    bodies.pick(&places)
}

fn as_taken_in(payouts: Rows) -> Rows {
    payouts.with(&[
        ("state", Put::Text("ready")),
        ("claimable", Put::Bool(true)),
        ("live", Put::Bool(true)),
        ("epoch", Put::Int(0)),
        ("reserved", Put::Like("amount")),
        ("credited_at", Put::Null),
        ("paid_account_no", Put::Null),
        ("wake_at", Put::Like("due_at")),
    ])
}

fn as_claimed(payouts: Rows) -> Rows {
    payouts.with(&[
        ("state", Put::Text("sending")),
        ("live", Put::Bool(true)),
        ("credited_at", Put::Null),
        ("paid_account_no", Put::Null),
        ("wake_at", Put::Like("due_at")),
    ])
}

fn as_minted(instructions: Rows) -> Rows {
    as_uncredited(instructions).with(&[
        ("state", Put::Text("fresh")),
        ("transfer", Put::Null),
        ("first_claimed_at", Put::Null),
        ("msg_id", Put::Null),
        ("in_transit", Put::Int(0)),
    ])
}

fn as_sending(instructions: Rows, now: i64) -> Rows {
    as_uncredited(instructions).with(&[
        ("state", Put::Text("sending")),
        ("claim_epoch", Put::Int(1)),
        ("lease_until", Put::Int(now + LEASE)),
    ])
}

fn as_uncredited(instructions: Rows) -> Rows {
    instructions.with(&[
        ("live", Put::Bool(true)),
        ("last_call_ended_at", Put::Null),
        ("credited_at", Put::Null),
        ("observed_at", Put::Null),
        ("bank_reference", Put::Null),
        ("debit_carrier", Put::Null),
        ("known_to_bank", Put::Bool(false)),
        ("paid", Put::Int(0)),
    ])
}

/// The counters of fund and caps.
fn charges(payouts: &Rows) -> Vec<Statement> {
    let mut by_enterprise: HashMap<Option<String>, i64> = HashMap::new();
    for (uscc, amount) in payouts.texts("uscc").iter().zip(payouts.ints("amount")) {
        *by_enterprise.entry(uscc.clone()).or_default() += amount.unwrap();
    }
    let (usccs, sums): (Vec<Option<String>>, Vec<Option<i64>>) =
        by_enterprise.into_iter().map(|(uscc, sum)| (uscc, Some(sum))).unzip();
    let total = Some(sums.iter().flatten().sum());
    let fund = "update funds set committed = committed + ($1::bigint[])[1] where id = 'F-1'".to_owned();
    let caps = "insert into caps (policy_id, uscc, year, charged) select 'P-1', uscc, 2026, sum \
        from unnest($1::text[], $2::bigint[]) as new (uscc, sum) \
        on conflict (policy_id, uscc, year) do update set charged = caps.charged + excluded.charged";
    vec![
        Statement { sql: fund, values: vec![Column::Ints(vec![total])] },
        Statement { sql: caps.to_owned(), values: vec![Column::Texts(usccs), Column::Ints(sums)] },
    ]
}

fn sent_amounts(payouts: &Rows) -> Statement {
    let sum = payouts.ints("amount").iter().flatten().sum();
    let sql = "insert into sent_amounts (fund_id, hour_at, amount) select 'F-1', 0, ($1::bigint[])[1] \
        on conflict (fund_id, hour_at) do update set amount = sent_amounts.amount + excluded.amount";
    Statement { sql: sql.to_owned(), values: vec![Column::Ints(vec![Some(sum)])] }
}
