//! The servers of one benchmark and the processes of the real binary on them. Everything is private, on 127.0.0.1, and gone
//! afterwards.

use crate::district::{Approval, DISTRICT, District, KEYID, POLICIES};
use sqlx::postgres::{PgPool, PgPoolOptions};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use zhida_adapters::transport::rabbitmq::{IncomingEvent, RabbitPublisher, RabbitSettings};
use zhida_core::ports::queue::Published;
use zhida_tests::servers::{Database, PostgresServer, RabbitServer};
use zhida_tests::waiting::wait_until;

/// A run that takes longer is stuck.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3600);
/// Token of the API in the runs that hand events in over HTTP.
pub(crate) const API_TOKEN: &str = "benchmark-token";

pub(crate) struct World {
    pub(crate) district: District,
    server: PostgresServer,
    pub(crate) broker: RabbitServer,
    directory: PathBuf,
    /// Whether the server counts statements.
    pub(crate) counts: bool,
}

impl World {
    /// PostgreSQL durable as installed (fsync, synchronous commit), with memory as one would give it; RabbitMQ as installed.
    pub(crate) fn start() -> Self {
        let counts = counts_statements();
        let mut settings = vec!["shared_buffers=512MB", "max_wal_size=4GB"];
        settings.extend(counts.then_some("shared_preload_libraries=pg_stat_statements"));
        let directory = std::env::temp_dir().join(format!("zhida-bench-{}", std::process::id()));
        std::fs::create_dir(&directory).unwrap();
        let server = PostgresServer::start_with(&settings);
        Self { district: District::new(), server, broker: RabbitServer::start(), directory, counts }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// A migrated database with the policy in it; exchanges and queues stand as well.
    pub(crate) async fn prepared(&self) -> Prepared {
        let database = self.server.database();
        let pool = PgPoolOptions::new().max_connections(8).connect(database.url()).await.unwrap();
        let prepared = Prepared { pool, database };
        let environment = self.environment(prepared.database.url(), self.broker.url(), "http://127.0.0.1:1", 0);
        self.prepare(&environment);
        if self.counts {
            prepared.execute("create extension if not exists pg_stat_statements").await;
            prepared.execute("select pg_stat_statements_reset()").await;
        }
        prepared
    }

    /// `migrate` and the policy, with these settings.
    pub(crate) fn prepare(&self, environment: &Environment) {
        let policies = self.file("policies.toml");
        std::fs::write(&policies, POLICIES).unwrap();
        self.run(environment, &["migrate"]);
        self.run(environment, &["policies", "import", policies.to_str().unwrap()]);
    }

    /// Settings of every process: the defaults but for addresses.
    pub(crate) fn environment(&self, database: &str, queue: &str, bank: &str, port: u16) -> Environment {
        // Each database has a history of its own, and so a note of its own.
        let name = database.rsplit('/').next().unwrap_or(database).split('?').next().unwrap_or(database);
        let settings = [
            ("ENVIRONMENT", "sandbox".to_owned()),
            ("DISTRICT__ID", DISTRICT.to_owned()),
            ("DATABASE__URL", database.to_owned()),
            ("QUEUE__URL", queue.to_owned()),
            ("HTTP__LISTEN", format!("127.0.0.1:{port}")),
            ("HTTP__API_TOKEN", API_TOKEN.to_owned()),
            ("BANK__KIND", "iso20022-http".to_owned()),
            ("BANK__URL", bank.to_owned()),
            ("LOGGING__LEVEL", "warn".to_owned()),
            ("STORE__INCARNATION_FILE", self.file(&format!("{name}.incarnation")).display().to_string()),
        ];
        let mut all: Environment = settings.map(|(name, value)| (format!("ZHIDA__{name}"), value)).into();
        all.push((format!("ZHIDA__INTAKE__TRUSTED_KEYS__{KEYID}"), self.district.public_key()));
        all
    }

    fn run(&self, environment: &Environment, arguments: &[&str]) {
        let output = zhida().envs(environment.clone()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// The simulated bank as a process of its own, with an empty ledger, synced before every answer.
    pub(crate) async fn bank(&self, name: &str) -> Bank {
        let (port, ledger) = (free_port(), self.file(name));
        let listen = format!("127.0.0.1:{port}");
        let arguments = ["sandbox", "--listen", &listen, "--ledger", ledger.to_str().unwrap()];
        let child = zhida().args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let bank = Bank { process: Process(child), address: listen, ledger };
        wait_until("the bank", PATIENCE, async || std::net::TcpStream::connect(&bank.address).ok().map(drop)).await;
        bank
    }

    /// Hands events in as a review system does: each until the broker has confirmed it.
    pub(crate) async fn publish(&self, events: &[Approval]) {
        let settings = RabbitSettings::new(self.broker.url(), "review system").unwrap();
        let sender = RabbitPublisher::new(settings, Vec::new());
        for chunk in events.chunks(1_000) {
            let mut left: Vec<IncomingEvent> = chunk.iter().map(incoming).collect();
            wait_until("the broker to confirm every event", PATIENCE, async || {
                let results = sender.hand_in(&left).await;
                let mut results = results.iter();
                left.retain(|_| results.next() != Some(&Published::Confirmed));
                left.is_empty().then_some(())
            })
            .await;
        }
    }
}

/// Whether a PostgreSQL of this machine can count statements.
pub(crate) fn counts_statements() -> bool {
    std::fs::read_dir("/usr/lib/postgresql").is_ok_and(|versions| {
        versions.filter_map(Result::ok).any(|one| one.path().join("lib/pg_stat_statements.so").exists())
    })
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Names and values.
pub(crate) type Environment = Vec<(String, String)>;

fn incoming(event: &Approval) -> IncomingEvent {
    IncomingEvent {
        routing_key: event.event_type.to_owned(),
        message_id: event.event_id.clone(),
        body: event.body.clone(),
    }
}

/// A port on which nobody listens now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn zhida() -> Command {
    Command::new(env!("CARGO_BIN_EXE_zhida"))
}

/// `zhida serve`, every role.
pub(crate) fn serve(environment: &Environment) -> Process {
    started(zhida().arg("serve").envs(environment.clone()))
}

/// `zhida serve`, these roles.
pub(crate) fn serve_only(environment: &Environment, roles: &str) -> Process {
    started(zhida().args(["serve", "--only", roles]).envs(environment.clone()))
}

fn started(command: &mut Command) -> Process {
    // Its last words at the drain are about connections that end; that it ended well is seen by its status.
    Process(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

/// A process that is killed when it is no longer needed.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// SIGTERM; it ends by itself, well.
    pub(crate) fn drain(mut self) {
        let told = Command::new("kill").args(["-TERM", &self.id().to_string()]).status().unwrap();
        assert!(told.success());
        assert!(self.0.wait().unwrap().success(), "a drained process ends with status 0");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) struct Bank {
    pub(crate) process: Process,
    pub(crate) address: String,
    ledger: PathBuf,
}

impl Bank {
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until the ledger has so many lines.
    pub(crate) async fn until_booked(&self, count: usize) {
        let (mut read, mut lines) = (0_u64, 0_usize);
        wait_until("the bank's ledger", PATIENCE, async || {
            let (more, length) = new_lines(&self.ledger, read);
            (read, lines) = (read + length, lines + more);
            (lines >= count).then_some(())
        })
        .await;
    }

    /// Lines of the ledger, and whether each names another instruction.
    pub(crate) fn paid_once(&self) -> usize {
        let text = std::fs::read_to_string(&self.ledger).unwrap();
        let id = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["end_to_end_id"].to_string();
        let ids: Vec<String> = text.lines().map(id).collect();
        let distinct: std::collections::BTreeSet<&String> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len(), "the bank's ledger names an instruction twice");
        ids.len()
    }
}

/// Line feeds behind `from`, and how many bytes were looked at.
fn new_lines(path: &Path, from: u64) -> (usize, u64) {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut bytes = Vec::new();
    let mut file = std::fs::File::open(path).unwrap();
    file.seek(SeekFrom::Start(from)).unwrap();
    file.read_to_end(&mut bytes).unwrap();
    (bytes.iter().filter(|byte| **byte == b'\n').count(), bytes.len() as u64)
}

/// A database and a way to look into it.
pub(crate) struct Prepared {
    pub(crate) pool: PgPool,
    pub(crate) database: Database,
}

impl Prepared {
    pub(crate) async fn execute(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&self.pool).await.unwrap();
    }

    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }

    /// Waits until a number in the database is `wanted`.
    pub(crate) async fn until(&self, what: &str, sql: &'static str, wanted: i64) {
        wait_until(what, PATIENCE, async || (self.number(sql).await == wanted).then_some(())).await;
    }
}
