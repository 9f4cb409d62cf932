//! Servers, processes and the bank of one chaos test, and the judge: the bank's ledger.

use crate::district::{Approval, DISTRICT, District, KEYID, POLICIES};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use zhida_adapters::transport::rabbitmq::{IncomingEvent, RabbitPublisher, RabbitSettings};
use zhida_core::ports::queue::Published;
use zhida_sandbox::{Chance, FaultSettings, Sandbox, SandboxSettings};
use zhida_tests::crowd::Crowd;
use zhida_tests::servers::{PostgresServer, RabbitServer};
use zhida_tests::waiting::wait_until;

/// How long the longest wait of a healthy run may take on a slow machine; a test that waits longer is stuck.
const PATIENCE: Duration = Duration::from_secs(900);

const TOKEN: &str = "chaos-token";

/// The HTTP address of a process.
pub(crate) struct Api(String);

impl Api {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.0)
    }

    /// Waits until `/readyz` answers so.
    pub(crate) async fn until_ready(&self, status: u16) {
        let url = format!("http://{}/readyz", self.0);
        wait_until("another readiness", PATIENCE, async || {
            let answer = reqwest::get(&url).await.ok()?;
            (answer.status() == status).then_some(())
        })
        .await;
    }

    /// Hands an event in once; the status.
    pub(crate) async fn hand_in(&self, event: &Approval) -> u16 {
        let request = reqwest::Client::new().post(format!("http://{}/v1/events", self.0)).bearer_auth(TOKEN);
        let request = request.header("content-type", "application/cloudevents+json").body(event.body.clone());
        request.send().await.unwrap().status().as_u16()
    }
}

pub(crate) struct World {
    pub(crate) district: District,
    database: PostgresServer,
    broker: RabbitServer,
    bank: Sandbox,
    processes: Vec<Child>,
    policies: PathBuf,
    /// Settings of this test, beside those that all have.
    settings: Vec<(String, String)>,
}

impl World {
    pub(crate) async fn start(chances: Vec<Chance>, seed: u64) -> Self {
        Self::with_database(chances, seed, &[]).await
    }

    /// With settings of PostgreSQL such as `max_connections=20`.
    pub(crate) async fn with_database(chances: Vec<Chance>, seed: u64, settings: &[&'static str]) -> Self {
        let faults = FaultSettings { chances, seed, ..FaultSettings::default() };
        let bank = Sandbox::start(SandboxSettings { faults, ..SandboxSettings::default() }).await.unwrap();
        let settings = settings.to_vec();
        let (database, broker) =
            tokio::task::spawn_blocking(move || (PostgresServer::start_with(&settings), RabbitServer::start()))
                .await
                .unwrap();
        let mut policies = tempfile();
        policies.1.write_all(POLICIES.as_bytes()).unwrap();
        let (processes, policies, settings) = (Vec::new(), policies.0, Vec::new());
        let world = Self { district: District::new(), database, broker, bank, processes, policies, settings };
        world.run(&["migrate"]);
        world.run(&["policies", "import", world.policies.to_str().unwrap()]);
        world
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zhida"));
        let environment = [
            ("ENVIRONMENT", "sandbox".to_owned()),
            ("DISTRICT__ID", DISTRICT.to_owned()),
            ("DATABASE__URL", self.database.url().to_owned()),
            ("QUEUE__URL", self.broker.url().to_owned()),
            ("HTTP__LISTEN", "127.0.0.1:0".to_owned()),
            ("BANK__KIND", "iso20022-http".to_owned()),
            ("BANK__URL", self.bank.url()),
            ("BANK__BATCH_MAX", "10".to_owned()),
            ("BANK__TIMEOUT_SECONDS", "2".to_owned()),
            ("BANK__CLAIM_LEASE_SECONDS", "8".to_owned()),
            ("BANK__VISIBILITY_SECONDS", "2".to_owned()),
            ("BANK__ENQUIRY_FIRST_SECONDS", "1".to_owned()),
            ("BANK__ENQUIRY_MAX_SECONDS", "2".to_owned()),
            ("SWEEPS__READY_SECONDS", "1".to_owned()),
            ("SWEEPS__ENQUIRY_SECONDS", "1".to_owned()),
            ("LOGGING__LEVEL", "warn".to_owned()),
        ];
        command.envs(environment.map(|(name, value)| (format!("ZHIDA__{name}"), value)));
        command.env(format!("ZHIDA__INTAKE__TRUSTED_KEYS__{KEYID}"), self.district.public_key());
        command.env("ZHIDA__STORE__INCARNATION_FILE", self.policies.with_extension("incarnation"));
        command.envs(self.settings.clone());
        command
    }

    fn run(&self, arguments: &[&str]) {
        let output = self.command().args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Processes that start from now on have these settings as well, named as in the environment.
    pub(crate) fn with_settings(mut self, settings: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let named = settings.into_iter().map(|(name, value)| (format!("ZHIDA__{name}"), value));
        self.settings.extend(named);
        self
    }

    /// Everything outside, with the phones.
    pub(crate) fn sandbox(&self) -> &Sandbox {
        &self.bank
    }

    pub(crate) fn database_url(&self) -> &str {
        self.database.url()
    }

    /// Starts a process whose API listens where it says, and waits until it is ready.
    pub(crate) async fn start_listening(&mut self) -> Api {
        // Whoever comes first installs it; the others find it there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let api = Api(listener.local_addr().unwrap().to_string());
        drop(listener);
        let mut serve = self.command();
        serve.env("ZHIDA__HTTP__LISTEN", &api.0).env("ZHIDA__SWEEPS__FIGURES_SECONDS", "1");
        let process =
            serve.env("ZHIDA__HTTP__API_TOKEN", TOKEN).arg("serve").stdin(Stdio::null()).stdout(Stdio::null());
        self.processes.push(process.spawn().unwrap());
        api.until_ready(200).await;
        api
    }

    fn serve(&self) -> Child {
        self.command().arg("serve").stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
    }

    pub(crate) fn start_processes(&mut self, count: usize) {
        for _ in 0..count {
            let process = self.serve();
            self.processes.push(process);
        }
    }

    /// kill -9, and another in its place.
    pub(crate) fn kill_and_replace(&mut self, victim: usize) {
        let process = &mut self.processes[victim];
        process.kill().unwrap();
        process.wait().unwrap();
        self.processes[victim] = self.serve();
    }

    /// SIGTERM; it ends by itself, well.
    pub(crate) fn drain(&mut self, which: usize) {
        let mut process = self.processes.remove(which);
        let killed = Command::new("kill").args(["-TERM", &process.id().to_string()]).status().unwrap();
        assert!(killed.success());
        assert!(process.wait().unwrap().success(), "a drained process ends with status 0");
    }

    pub(crate) async fn broker_killed_and_back(&self) {
        tokio::task::block_in_place(|| {
            self.broker.kill9();
            self.broker.start_again();
        });
    }

    pub(crate) async fn broker_emptied_and_back(&self) {
        tokio::task::block_in_place(|| {
            self.broker.empty();
            self.broker.start_again();
        });
    }

    pub(crate) async fn intake_queue_deleted(&self) {
        tokio::task::block_in_place(|| self.broker.delete_queue("zhida.intake.v1"));
    }

    /// From now on the broker reads nothing more from those who publish, until the alarm ends.
    pub(crate) async fn broker_out_of_memory(&self) {
        tokio::task::block_in_place(|| self.broker.raise_memory_alarm());
    }

    pub(crate) async fn broker_has_memory_again(&self) {
        tokio::task::block_in_place(|| self.broker.clear_memory_alarm());
    }

    /// Every connection of the database is somebody else's, until the crowd goes.
    pub(crate) async fn crowd(&self) -> Crowd {
        Crowd::takes_everything(self.database.url()).await
    }

    pub(crate) async fn database_killed_and_back(&self) {
        tokio::task::block_in_place(|| self.database.restart());
    }

    /// Hands events in as a review system does: each until the broker has confirmed it.
    pub(crate) async fn publish(&self, events: &[Approval]) {
        let sender = RabbitPublisher::new(RabbitSettings::new(self.broker.url(), "review system").unwrap(), Vec::new());
        let mut left: Vec<IncomingEvent> = events
            .iter()
            .map(|event| IncomingEvent {
                routing_key: "application.approved.v1".to_owned(),
                message_id: event.event_id.clone(),
                body: event.body.clone(),
            })
            .collect();
        wait_until("the broker to confirm every event", PATIENCE, async || {
            let results = sender.hand_in(&left).await;
            let mut results = results.iter();
            left.retain(|_| results.next() != Some(&Published::Confirmed));
            left.is_empty().then_some(())
        })
        .await;
    }

    /// What a sender publishes who got something wrong: routing key and bytes.
    pub(crate) async fn publish_anything(&self, messages: &[(&str, Vec<u8>)]) {
        let sender = RabbitPublisher::new(RabbitSettings::new(self.broker.url(), "somebody").unwrap(), Vec::new());
        let message = |(number, (key, body)): (usize, &(&str, Vec<u8>))| IncomingEvent {
            routing_key: (*key).to_owned(),
            message_id: format!("anything-{number}"),
            body: body.clone(),
        };
        let events: Vec<IncomingEvent> = messages.iter().enumerate().map(message).collect();
        assert_eq!(sender.hand_in(&events).await, vec![Published::Confirmed; events.len()]);
    }

    /// What a verb prints as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let output = self.command().args(arguments).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    pub(crate) async fn until_quarantined(&self, count: usize) -> Vec<serde_json::Value> {
        wait_until("everything bad to be in quarantine", PATIENCE, async || {
            let rows = self.json(&["quarantine", "list", "--json"]).as_array().cloned().unwrap_or_default();
            (rows.len() == count).then_some(rows)
        })
        .await
    }

    pub(crate) async fn until_credited(&self, count: usize) {
        wait_until("credits at the bank", PATIENCE, async || {
            (self.bank.bank.with_ledger(|ledger| ledger.credits().count()) >= count).then_some(())
        })
        .await;
    }

    /// Until our own books say so too.
    pub(crate) async fn until_settled(&self, count: usize) {
        wait_until("every payout to be settled", PATIENCE, async || {
            let payouts = self.json(&["payouts", "list", "--json"]).as_array().cloned().unwrap_or_default();
            let settled = payouts.iter().filter(|payout| payout["state"] == "settled").count();
            (settled == count).then_some(())
        })
        .await;
    }

    pub(crate) fn everything_was_paid_once(&self, events: &[Approval]) {
        let ledger = self.bank.bank.ledger();
        let credits = ledger.credits_by_instruction();
        for event in events {
            assert_eq!(credits.get(&event.instruction_id), Some(&1), "credits of {}", event.instruction_id);
        }
        assert_eq!(ledger.credits().count(), events.len(), "the bank credited something nobody approved");
        assert_eq!(ledger.total().0, events.iter().map(|event| event.fen).sum::<i64>());
        assert_eq!(self.bank.bank.reproaches(), Vec::<String>::new(), "the bank has a complaint about what we sent");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
        let _ = std::fs::remove_file(&self.policies);
        let _ = std::fs::remove_file(self.policies.with_extension("incarnation"));
    }
}

fn tempfile() -> (PathBuf, std::fs::File) {
    let path = std::env::temp_dir().join(format!("zhida-chaos-{}-{}.toml", std::process::id(), fastrand::u64(..)));
    let file = std::fs::File::create_new(&path).unwrap();
    (path, file)
}
