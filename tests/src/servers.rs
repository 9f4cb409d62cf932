//! Real servers for tests: private ones that may be killed and emptied, and fresh corners of the shared ones.
//! Not a fake: every test that says PostgreSQL or RabbitMQ speaks to one. How a server is started and stopped is
//! written once, in `tests/servers/` (bash), which `tests/run` uses as well; this file only holds its strings.
//!
//! The calls block until they are done (a start takes seconds). In a test on a single-threaded runtime wrap them in
//! `spawn_blocking`, or the system under test stands still meanwhile.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::BASE64;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// A PostgreSQL of this test alone, durable (fsync on). Stopped and removed when dropped.
pub struct PostgresServer {
    server: PrivateServer,
    url: String,
}

impl PostgresServer {
    /// Starts one; ready for connections on return.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with server settings such as `max_connections=20`.
    pub fn start_with(settings: &[&str]) -> Self {
        let (server, mut facts) = PrivateServer::start("postgresql", settings);
        Self { server, url: fact(&mut facts, "url") }
    }

    /// `postgres://` URL of its only database; the same after a restart.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A fresh database on this server. Do not let it outlive the server.
    pub fn database(&self) -> Database {
        Database::on(&self.url)
    }

    /// kill -9 of the server and everything it forked. Returns when all of it is gone.
    pub fn kill9(&self) {
        self.server.command("kill");
    }

    /// Starts it again after [`Self::kill9`], on the same data and port; returns when it has recovered.
    pub fn start_again(&self) {
        self.server.command("start");
    }

    /// Killed with -9 and started again at once.
    pub fn restart(&self) {
        self.kill9();
        self.start_again();
    }
}

/// A RabbitMQ node of this test alone. Stopped and removed when dropped.
pub struct RabbitServer {
    server: PrivateServer,
    url: String,
}

impl RabbitServer {
    /// Starts one; ready for connections on return.
    pub fn start() -> Self {
        let (server, mut facts) = PrivateServer::start("rabbitmq", &[]);
        Self { server, url: fact(&mut facts, "url") }
    }

    /// `amqp://` URL of its vhost `/`; the same after a restart.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Writes what the node declared lately to disk. Without it a queue declared within seconds before a kill -9 may be
    /// gone or empty afterwards, confirmed messages included: the node collects such writes for a while.
    pub fn settle(&self) {
        self.server.command("control eval catch(mnesia:sync_log()),[dets:sync(Table)||Table<-dets:all()],ok.");
    }

    /// kill -9 of the node. Returns when it is gone.
    pub fn kill9(&self) {
        self.server.command("kill");
    }

    /// Starts it again after [`Self::kill9`] or [`Self::empty`], on the same port; ready on return.
    pub fn start_again(&self) {
        self.server.command("start");
    }

    /// Killed with -9, and every exchange, queue and message deleted. Down until [`Self::start_again`].
    pub fn empty(&self) {
        self.server.command("empty");
    }

    /// Raises the memory alarm: the node reads nothing more from connections that publish.
    pub fn raise_memory_alarm(&self) {
        self.server.command("control set_vm_memory_high_watermark 0");
    }

    /// Ends the memory alarm.
    pub fn clear_memory_alarm(&self) {
        self.server.command("control set_vm_memory_high_watermark 0.8");
    }

    /// Deletes a queue behind the back of its consumers.
    pub fn delete_queue(&self, name: &str) {
        self.server.command(&format!("control delete_queue {name}"));
    }

    /// Any other command of `rabbitmqctl`, words without spaces: `close_all_connections gone`.
    pub fn control(&self, arguments: &str) {
        self.server.command(&format!("control {arguments}"));
    }
}

/// A fresh, empty database, deleted with its connections when dropped.
pub struct Database {
    name: String,
    server_url: String,
    url: String,
}

/// A fresh database on the shared server: `ZHIDA_TEST_POSTGRES_URL`, else a server started for this process.
pub fn database() -> Database {
    static OWN: OnceLock<PostgresServer> = OnceLock::new();
    match std::env::var("ZHIDA_TEST_POSTGRES_URL") {
        Ok(url) => Database::on(&url),
        Err(_) => Database::on(OWN.get_or_init(|| PostgresServer::start_with(&["--not-durable"])).url()),
    }
}

impl Database {
    fn on(server_url: &str) -> Self {
        let name = unique_name().replace('-', "_");
        execute(server_url, format!("create database {name}")).unwrap_or_else(|error| panic!("no database: {error}"));
        Self { url: Url::parse(server_url).with_path(&name), server_url: server_url.to_owned(), name }
    }

    /// `postgres://` URL of this database; the user owns it.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Cleaning up decides no test: the server may have been killed, and a failing test shows its own failure.
        if let Err(error) = execute(&self.server_url, format!("drop database if exists {} with (force)", self.name)) {
            eprintln!("left behind: database {}: {error}", self.name);
        }
    }
}

/// A fresh vhost of a broker, deleted with its connections when dropped.
pub struct Vhost {
    name: String,
    api_url: String,
    url: String,
}

/// A fresh vhost on the shared broker: `ZHIDA_TEST_AMQP_URL` with the management API at
/// `ZHIDA_TEST_RABBITMQ_API_URL` (`http://user:password@host:port`), else on a broker started for this process.
pub fn vhost() -> Vhost {
    static OWN: OnceLock<(PrivateServer, String, String)> = OnceLock::new();
    match (std::env::var("ZHIDA_TEST_AMQP_URL"), std::env::var("ZHIDA_TEST_RABBITMQ_API_URL")) {
        (Ok(url), Ok(api_url)) => Vhost::on(&url, &api_url),
        _ => {
            let (_, url, api_url) = OWN.get_or_init(|| {
                let (server, mut facts) = PrivateServer::start("rabbitmq", &["--management"]);
                (server, fact(&mut facts, "url"), fact(&mut facts, "api_url"))
            });
            Vhost::on(url, api_url)
        }
    }
}

impl Vhost {
    fn on(url: &str, api_url: &str) -> Self {
        let name = unique_name();
        let user = Url::parse(url).user().to_owned();
        let everything = r#"{"configure":".*","write":".*","read":".*"}"#;
        api_call(api_url, "PUT", &format!("/api/vhosts/{name}"), "")
            .and_then(|()| api_call(api_url, "PUT", &format!("/api/permissions/{name}/{user}"), everything))
            .unwrap_or_else(|error| panic!("no vhost: {error}"));
        Self { url: Url::parse(url).with_path(&name), api_url: api_url.to_owned(), name }
    }

    /// `amqp://` URL of this vhost; the user may do everything in it.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Vhost {
    fn drop(&mut self) {
        if let Err(error) = api_call(&self.api_url, "DELETE", &format!("/api/vhosts/{}", self.name), "") {
            eprintln!("left behind: vhost {}: {error}", self.name);
        }
    }
}

/// A server script of `tests/servers/` and its two pipes. The script stops the server when its input ends, so nothing
/// is left behind even when this process is killed.
pub(crate) struct PrivateServer {
    child: Child,
    pipes: Mutex<Option<(ChildStdin, BufReader<ChildStdout>)>>,
}

impl PrivateServer {
    fn start(script: &str, arguments: &[&str]) -> (Self, HashMap<String, String>) {
        Self::try_start(script, arguments).unwrap_or_else(|why| panic!("{script}: {why}"))
    }

    /// An error only where the script says that its server is unavailable on this machine.
    pub(crate) fn try_start(script: &str, arguments: &[&str]) -> Result<(Self, HashMap<String, String>), String> {
        let path = script_path(script);
        let mut child = Command::new(&path)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {}: {error}", path.display()));
        let input = child.stdin.take().expect("stdin is piped");
        let mut output = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let greeting = answer(&mut output, script);
        if greeting.starts_with("unavailable: ") {
            let _ = child.wait();
            return Err(greeting);
        }
        let words = greeting.strip_prefix("ready ").unwrap_or_else(|| panic!("{script} answered '{greeting}'"));
        let facts = words.split(' ').filter_map(|word| word.split_once('='));
        let facts = facts.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok((Self { child, pipes: Mutex::new(Some((input, output))) }, facts))
    }

    fn command(&self, line: &str) {
        let mut pipes = self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
        let (input, output) = pipes.as_mut().expect("the pipes are there until the drop");
        writeln!(input, "{line}")
            .unwrap_or_else(|error| panic!("the server's script is gone before '{line}': {error}"));
        let answer = answer(output, line);
        assert_eq!(answer, "done", "answer to '{line}'");
    }
}

impl Drop for PrivateServer {
    fn drop(&mut self) {
        self.pipes.lock().unwrap_or_else(PoisonError::into_inner).take();
        let _ = self.child.wait();
    }
}

/// `tests/servers/{script}` of the checkout whose tests run: tests of several crates use it, and a checkout may have been
/// moved since it was built. Where cargo does not say which crate is tested, this crate's place at compile time counts.
fn script_path(script: &str) -> PathBuf {
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    let candidates = Path::new(&here).ancestors().map(|folder| folder.join("tests/servers").join(script));
    candidates
        .into_iter()
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("no tests/servers/{script} above {here}"))
}

/// One line from a server's script; its log when it says that something failed.
fn answer(output: &mut BufReader<ChildStdout>, asked: &str) -> String {
    let mut line = String::new();
    output.read_line(&mut line).unwrap_or_else(|error| panic!("no answer to '{asked}': {error}"));
    if line.is_empty() || line.starts_with("failed") {
        let mut log = String::new();
        let _ = output.read_to_string(&mut log);
        panic!("'{asked}' failed; the server's last words:\n{log}");
    }
    line.trim_end().to_owned()
}

fn fact(facts: &mut HashMap<String, String>, name: &str) -> String {
    facts.remove(name).unwrap_or_else(|| panic!("the server's script did not tell its {name}"))
}

/// Runs one statement on a connection, runtime and thread of its own, so that it works from any test and any drop.
fn execute(url: &str, statement: String) -> Result<(), sqlx::Error> {
    let url = url.to_owned();
    let job = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut connection = PgConnection::connect(&url).await?;
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
            connection.close().await
        })
    };
    std::thread::spawn(job).join().expect("the thread ends")
}

/// One call of RabbitMQ's management API.
fn api_call(api_url: &str, method: &str, path: &str, body: &str) -> std::io::Result<()> {
    let api = Url::parse(api_url);
    let (host, credentials, length) = (api.address(), BASE64.encode(api.credentials.as_bytes()), body.len());
    let mut stream = TcpStream::connect(&host)?;
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {credentials}\r\n")?;
    write!(stream, "Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 2") {
        return Ok(());
    }
    Err(std::io::Error::other(format!("{method} {path} at RabbitMQ's API {host} answered: {answer}")))
}

fn unique_name() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    format!("zhida-test-{}-{now}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed))
}

/// `scheme://user:password@host:port/path`, as the servers' scripts print it: nothing percent-encoded but the path.
pub(crate) struct Url<'a> {
    scheme: &'a str,
    credentials: &'a str,
    authority: &'a str,
    path: &'a str,
}

impl<'a> Url<'a> {
    pub(crate) fn parse(url: &'a str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or_else(|| panic!("'{url}' is no URL: no ://"));
        let (rest, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, authority) = rest.rsplit_once('@').unwrap_or(("", rest));
        Self { scheme, credentials, authority, path }
    }

    /// `host:port`, with the scheme's own port when none is written.
    pub(crate) fn address(&self) -> String {
        let port = match self.scheme {
            "postgres" | "postgresql" => 5432,
            "amqp" => 5672,
            "http" => 80,
            other => panic!("tests know postgres, amqp and http, not '{other}'"),
        };
        if self.authority.contains(':') { self.authority.to_owned() } else { format!("{}:{port}", self.authority) }
    }

    pub(crate) fn with_address(&self, address: &str) -> String {
        format!("{}://{}@{address}/{}", self.scheme, self.credentials, self.path)
    }

    fn with_path(&self, path: &str) -> String {
        format!("{}://{}@{}/{path}", self.scheme, self.credentials, self.authority)
    }

    fn user(&self) -> &str {
        self.credentials.split(':').next().unwrap_or_default()
    }
}
