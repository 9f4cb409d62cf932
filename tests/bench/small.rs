//! The small installation: SQLite and the embedded queue in one process, events over HTTP in arrays of two hundred.

use crate::district::Approval;
use crate::meter::{CpuSeconds, peak_memory};
use crate::paid::Figures;
use crate::world::{API_TOKEN, PATIENCE, World, free_port, serve};
use std::time::Instant;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use zhida_tests::waiting::wait_until;

/// Events in one request.
const TOGETHER: usize = 200;

/// From the first request to the last payout settled.
pub(crate) async fn measure(world: &World, approvals: &[Approval]) -> Figures {
    let (count, port) = (approvals.len(), free_port());
    let name = format!("small-{count}");
    let database = format!("sqlite:{}", world.file(&format!("{name}.db")).display());
    let bank = world.bank(&format!("{name}.ndjson")).await;
    let environment = world.environment(&database, "embedded", &bank.url(), port);
    world.prepare(&environment);
    let worker = serve(&environment);
    let address = format!("127.0.0.1:{port}");
    wait_until("the API", PATIENCE, async || TcpStream::connect(&address).await.ok().map(drop)).await;
    let reader = sqlx::SqlitePool::connect(&format!("{database}?mode=ro")).await.unwrap();
    let number = async |sql: &'static str| sqlx::query_scalar::<_, i64>(sql).fetch_one(&reader).await.unwrap();
    let (began, before) = (Instant::now(), CpuSeconds::now(&[bank.process.id()]));
    for events in approvals.chunks(TOGETHER) {
        let bodies: Vec<&[u8]> = events.iter().map(|event| event.body.as_slice()).collect();
        let body = [b"[", bodies.join(&b","[..]).as_slice(), b"]"].concat();
        let head = format!("authorization: Bearer {API_TOKEN}\r\ncontent-type: application/cloudevents-batch+json\r\n");
        assert_eq!(post(&address, "/v1/events", &head, &body).await, 202, "events are accepted");
    }
    bank.until_booked(count).await;
    let live = "select count(*) from instructions where live";
    wait_until("every payout to be settled", PATIENCE, async || (number(live).await == 0).then_some(())).await;
    let settled = began.elapsed();
    let unsent = "select count(*) from outbox where sent_at is null";
    wait_until("the outbox to be empty", PATIENCE, async || (number(unsent).await == 0).then_some(())).await;
    let at_rest = began.elapsed();
    let cpu = CpuSeconds::now(&[bank.process.id()]).since(&before);
    let paid = number("select count(*) from payouts where state = 'settled'").await;
    assert_eq!(usize::try_from(paid), Ok(count), "settled payouts in the database");
    let memory = peak_memory(worker.id());
    worker.drain();
    assert_eq!(bank.paid_once(), count, "credits in the bank's ledger");
    Figures { memory, ..Figures::of(count, settled, at_rest, cpu) }
}

/// One request on a connection of its own; the status of the answer.
pub(crate) async fn post(address: &str, path: &str, head: &str, body: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n{head}\r\n"
    );
    stream.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap()
}
