//! A bank whose sockets misbehave in ways the sandbox cannot: each accepted connection is treated as its step says. A payment
//! must be on the wire once, whatever happens.

use super::scenery::{HASTY, PATIENT, enquire, link, message, pay, settings, transfer};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use zhida_adapters::providers::bank::{HttpBank, HttpBankSettings};

/// What is done with one connection.
#[derive(Clone)]
enum Step {
    /// Closed before anything is read.
    Close,
    /// The request is read, then the connection is closed.
    ReadClose,
    /// The request is read, then the connection is reset.
    ReadReset,
    /// These bytes are written after the request, then the connection is closed.
    Write(Vec<u8>),
    /// These bytes are written after the request, then nothing more comes.
    WriteHang(Vec<u8>),
    /// These bytes are written after the first request; the next on the same connection is read and the connection is closed.
    WriteThenReadClose(Vec<u8>),
}

/// A server that treats its connections by the steps given, and every later one with an answer that says "settled".
struct Server {
    url: String,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Server {
    async fn start(steps: Vec<Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/api", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let serving = tokio::spawn(async move {
            let mut steps = steps.into_iter();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let step = steps.next().unwrap_or_else(|| Step::Write(settled()));
                tokio::spawn(treat(stream, step, Arc::clone(&seen)));
            }
        });
        Self { url, requests, serving }
    }

    fn requests(&self) -> Vec<Vec<u8>> {
        self.requests.lock().unwrap().clone()
    }
}

async fn treat(mut stream: TcpStream, step: Step, seen: Arc<Mutex<Vec<Vec<u8>>>>) {
    if matches!(step, Step::Close) {
        return;
    }
    read_request(&mut stream, &seen).await;
    match step {
        Step::Close | Step::ReadClose => {}
        Step::ReadReset => stream.set_zero_linger().unwrap(),
        Step::Write(bytes) => stream.write_all(&bytes).await.unwrap(),
        Step::WriteHang(bytes) => {
            stream.write_all(&bytes).await.unwrap();
            std::future::pending::<()>().await;
        }
        Step::WriteThenReadClose(bytes) => {
            stream.write_all(&bytes).await.unwrap();
            read_request(&mut stream, &seen).await;
        }
    }
}

/// Reads one request whole (headers, then as much as `content-length` says) and notes it; nothing when the client closes.
async fn read_request(stream: &mut TcpStream, seen: &Mutex<Vec<Vec<u8>>>) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let head = request.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
        if let Some(head) = head {
            let text = String::from_utf8_lossy(&request[..head]).to_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
            if request.len() >= head + length.map_or(0, |length| length.trim().parse().unwrap()) {
                seen.lock().unwrap().push(request);
                return;
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => request.extend_from_slice(&buffer[..count]),
        }
    }
}

fn report(msg_id: &str, rest: &str) -> String {
    format!(
        "<Document><CstmrPmtStsRpt><OrgnlGrpInfAndSts><OrgnlMsgId>{msg_id}</OrgnlMsgId>{rest}</CstmrPmtStsRpt></Document>"
    )
}

fn settled_report(msg_id: &str) -> String {
    report(
        msg_id,
        "</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><TxInfAndSts><OrgnlEndToEndId>E1</OrgnlEndToEndId><TxSts>ACSC</TxSts>\
         <AccptncDtTm>2026-11-23T09:30:00</AccptncDtTm><AcctSvcrRef>B1</AcctSvcrRef></TxInfAndSts></OrgnlPmtInfAndSts>",
    )
}

fn response(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len()).into_bytes()
}

fn settled() -> Vec<u8> {
    response("200 OK", "", &settled_report("M1"))
}

#[tokio::test]
async fn a_payment_is_on_the_wire_once_whatever_the_socket_does() {
    let whole = settled();
    let refusal = |msg_id: &str| report(msg_id, "<GrpSts>RJCT</GrpSts></OrgnlGrpInfAndSts>");
    let unframed = |body: &str| format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{body}").into_bytes();
    let long = "x".repeat(5 * 1024 * 1024);
    let redirect = |status: &str| Step::Write(response(status, "location: /api/payments\r\n", ""));
    let half = settled_report("M1");
    let half = &half[..half.len() / 2];
    for (case, step, requests, outcome) in [
        ("whole answer", Step::Write(whole.clone()), 1, "answered E1=settled:ACSC"),
        ("202", Step::Write(response("202 Accepted", "", &settled_report("M1"))), 1, "answered E1=settled:ACSC"),
        (
            "names another message",
            Step::Write(response("200 OK", "", &settled_report("M0"))),
            1,
            "answered E1=settled:ACSC",
        ),
        (
            "400 with a word on us",
            Step::Write(response("400 Bad Request", "", &settled_report("M1"))),
            1,
            "answered E1=settled:ACSC",
        ),
        ("refused whole", Step::Write(response("200 OK", "", &refusal("M1"))), 1, "refused whole NARR"),
        ("400", Step::Write(response("400 Bad Request", "", &refusal("M1"))), 1, "refused whole NARR"),
        ("another is refused", Step::Write(response("200 OK", "", &refusal("M0"))), 1, "doubtful"),
        ("400 for another", Step::Write(response("400 Bad Request", "", &refusal("M0"))), 1, "doubtful"),
        ("400 in plain text", Step::Write(response("400 Bad Request", "", "bad request")), 1, "doubtful"),
        (
            "401 with half a body",
            Step::Write(b"HTTP/1.1 401 No\r\ncontent-length: 9\r\n\r\nx".to_vec()),
            1,
            "not taken in Unauthorised",
        ),
        ("closed at once", Step::Close, 0, "doubtful"),
        ("read, then closed", Step::ReadClose, 1, "doubtful"),
        ("read, then reset", Step::ReadReset, 1, "doubtful"),
        ("hangs", Step::WriteHang(Vec::new()), 1, "doubtful"),
        ("hangs in the answer", Step::WriteHang(whole[..whole.len() - 9].to_vec()), 1, "doubtful"),
        ("half a head", Step::Write(b"HTTP/1.1 200".to_vec()), 1, "doubtful"),
        ("half a body", Step::Write(whole[..whole.len() - 9].to_vec()), 1, "doubtful"),
        ("half a body without a length", Step::Write(unframed(half)), 1, "doubtful"),
        ("no HTTP", Step::Write(b"220 mail.example ready\r\n".to_vec()), 1, "doubtful"),
        ("no content", Step::Write(response("200 OK", "", "")), 1, "doubtful"),
        ("too long", Step::Write(unframed(&long)), 1, "doubtful"),
        ("redirected", redirect("302 Found"), 1, "doubtful"),
        ("redirected with the body", redirect("307 Temporary Redirect"), 1, "doubtful"),
        ("redirected for good", redirect("308 Permanent Redirect"), 1, "doubtful"),
        ("gateway", Step::Write(response("502 Bad Gateway", "", "")), 1, "doubtful"),
    ] {
        let hangs = matches!(step, Step::WriteHang(_));
        let server = Server::start(vec![step]).await;
        let bank = link(&server.url, if hangs { HASTY } else { PATIENT });
        // A second sending would be answered "settled", so the outcome itself tells that there was none.
        assert_eq!(pay(&bank, "M1", &[transfer("E1", 100)]).await, outcome, "{case}");
        assert_eq!(server.requests().len(), requests, "{case}");
    }
}

#[tokio::test]
async fn a_kept_connection_that_closes_does_not_repeat_a_payment() {
    let one = [transfer("E1", 100)];
    // The answer keeps the connection open. If the second payment took it, it would be read and the connection closed
    // without an answer, which is where a client with a pool is tempted to send again.
    for steps in [
        vec![Step::WriteThenReadClose(settled()), Step::ReadClose],
        vec![Step::WriteThenReadClose(settled()), Step::Close],
        vec![Step::Write(settled()), Step::ReadReset],
    ] {
        let server = Server::start(steps).await;
        let bank = link(&server.url, PATIENT);
        assert_eq!(pay(&bank, "M1", &one).await, "answered E1=settled:ACSC");
        assert_eq!(pay(&bank, "M2", &one).await, "doubtful");
        let seconds = server.requests().iter().filter(|request| contains(request, b"idempotency-key: M2")).count();
        assert!(seconds <= 1, "sent {seconds} times");
        assert_eq!(pay(&bank, "M3", &one).await, "answered E1=settled:ACSC");
    }
}

#[tokio::test]
async fn the_request_is_what_was_agreed() {
    let server = Server::start(Vec::new()).await;
    let token = Some("secret-of-the-bank".to_owned());
    let bank = HttpBank::new(HttpBankSettings { token, ..settings(&format!("{}/", server.url)) }).unwrap();
    let one = [transfer("E1", 100)];
    assert_eq!(pay(&bank, "M1", &one).await, "answered E1=settled:ACSC");
    assert_eq!(enquire(&bank, "E1").await, "E1=settled:ACSC");
    assert_eq!(enquire(&bank, "../E 2/?").await, "no answer");
    let requests = server.requests();
    for part in [
        "POST /api/payments HTTP/1.1\r\n",
        "idempotency-key: M1\r\n",
        "authorization: Bearer secret-of-the-bank\r\n",
        "content-type: application/xml; charset=utf-8\r\n",
        "accept: application/xml\r\n",
    ] {
        assert!(contains(&requests[0], part.as_bytes()), "{part} in {}", String::from_utf8_lossy(&requests[0]));
    }
    assert!(requests[0].ends_with(&message("M1", &one)), "byte for byte");
    assert!(requests[1].starts_with(b"GET /api/payments/E1 HTTP/1.1\r\n"));
    assert!(contains(&requests[1], b"authorization: Bearer secret-of-the-bank\r\n"));
    assert!(requests[2].starts_with(b"GET /api/payments/..%2FE%202%2F%3F HTTP/1.1\r\n"), "one segment");
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
