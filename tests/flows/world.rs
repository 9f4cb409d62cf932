//! A service on SQLite and the embedded queue with a bank beside it, and the hands of those who use it.

use crate::books::{self, Serves};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use zhida_sandbox::{Sandbox, SandboxSettings};
use zhida_schemas::signing::{SigningKey, sign};
use zhida_schemas::text::Id;
use zhida_tests::waiting::wait_until;

const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const POLICIES: &str = r#"
[[funds]]
id = "F-1"
name = "惠企资金"
currency = "CNY"
appropriated = "1000000.00"
debtor_name = "示例区财政局"
debtor_account = "1100000000000000001"
debtor_bank_code = "102100099996"

[[policies]]
id = "P-1"
title = "稳岗补贴"
department_id = "D-1"
fund_id = "F-1"
valid_from = "2020-01-01"
release_limit = "50000.00"
conditions = "无"
materials = []
"#;

pub(crate) struct World {
    pub(crate) bank: Sandbox,
    pub(crate) review: SigningKey,
    folder: PathBuf,
    service: Option<Child>,
    address: String,
    more: Vec<(String, String)>,
}

impl World {
    /// A running service that knows [`POLICIES`].
    pub(crate) async fn new(name: &str) -> Self {
        Self::with_settings(name, &[]).await
    }

    /// The same under further settings, named as variables without `ZHIDA__`.
    pub(crate) async fn with_settings(name: &str, more: &[(&str, &str)]) -> Self {
        let mut world = Self::closed(name).await;
        more.iter().for_each(|(name, value)| world.set(name, value));
        world.open().await;
        world
    }

    /// A bank, and a service that has not been set up yet.
    pub(crate) async fn closed(name: &str) -> Self {
        // Whoever comes first installs it; the others find it there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = std::env::temp_dir().join(format!("zhida-flow-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let bank = Sandbox::start(SandboxSettings::default()).await.unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let review = SigningKey::generate().unwrap();
        Self { bank, review, folder, service: None, address, more: Vec::new() }
    }

    /// Sets the service up and starts it.
    pub(crate) async fn open(&mut self) {
        self.run(&["migrate"]);
        self.import(POLICIES);
        self.start().await;
    }

    /// One more setting, from the next start on: `SECTION__KEY`.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.more.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) async fn start(&mut self) {
        self.start_as(&["serve"]).await;
        self.answers("/readyz").await;
    }

    /// Starts a service with these arguments and waits until it lives, ready or not.
    pub(crate) async fn start_as(&mut self, arguments: &[&str]) {
        let log = std::fs::File::create(self.folder.join("serve.log")).unwrap();
        let service = self.command().args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        self.service = Some(service.unwrap());
        self.answers("/livez").await;
    }

    async fn answers(&self, path: &str) {
        let url = format!("http://{}{path}", self.address);
        wait_until(&format!("{path} to answer well"), PATIENCE, async || {
            let answer = reqwest::get(&url).await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }

    /// Asks the service to end, as a service manager does; how it ended, and what it had logged.
    pub(crate) fn terminate(&mut self) -> (Option<i32>, String) {
        let mut service = self.service.take().unwrap();
        let told = Command::new("kill").args(["-TERM", &service.id().to_string()]).status().unwrap();
        assert!(told.success());
        let code = service.wait().unwrap().code();
        (code, std::fs::read_to_string(self.folder.join("serve.log")).unwrap())
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        if let Some(mut service) = self.service.take() {
            service.kill().unwrap();
            service.wait().unwrap();
        }
    }

    /// Copies the files of the stopped service's database away.
    pub(crate) fn back_up(&self) {
        self.each_database_file(|file| drop(std::fs::copy(file, file.with_extension(backup_of(file)))));
    }

    /// Puts the copies in the place of the stopped service's database.
    pub(crate) fn restore(&self) {
        self.each_database_file(|file| {
            let copy = file.with_extension(backup_of(file));
            let _ = if copy.exists() { std::fs::copy(copy, file).map(drop) } else { std::fs::remove_file(file) };
        });
    }

    fn each_database_file(&self, act: impl Fn(&std::path::Path)) {
        for name in ["zhida.db", "zhida.db-wal", "zhida.db-shm"] {
            act(&self.folder.join(name));
        }
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zhida"));
        let environment = [
            ("ENVIRONMENT", "sandbox".to_owned()),
            ("DISTRICT__ID", "flows".to_owned()),
            ("DATABASE__URL", format!("sqlite:{}", self.folder.join("zhida.db").display())),
            ("STORE__INCARNATION_FILE", self.folder.join("incarnation").display().to_string()),
            ("HTTP__LISTEN", self.address.clone()),
            ("HTTP__API_TOKEN", "flow-token".to_owned()),
            ("INTAKE__TRUSTED_KEYS__review", self.review.public_key().to_string()),
            ("BANK__KIND", "iso20022-http".to_owned()),
            ("BANK__URL", self.bank.url()),
            ("BANK__TIMEOUT_SECONDS", "2".to_owned()),
            ("BANK__CLAIM_LEASE_SECONDS", "8".to_owned()),
            ("BANK__VISIBILITY_SECONDS", "2".to_owned()),
            ("BANK__ENQUIRY_FIRST_SECONDS", "1".to_owned()),
            ("BANK__ENQUIRY_MAX_SECONDS", "2".to_owned()),
            ("SWEEPS__READY_SECONDS", "1".to_owned()),
            ("SWEEPS__ENQUIRY_SECONDS", "1".to_owned()),
            ("SWEEPS__FIGURES_SECONDS", "1".to_owned()),
        ];
        command.envs(environment.map(|(name, value)| (format!("ZHIDA__{name}"), value)));
        command.envs(self.more.iter().map(|(name, value)| (format!("ZHIDA__{name}"), value)));
        command.current_dir(&self.folder);
        command
    }

    /// Runs a verb, well or not.
    pub(crate) fn try_run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    /// Runs a verb that must end with this status; what it printed, on both ways.
    pub(crate) fn ends(&self, status: i32, arguments: &[&str]) -> String {
        let output = self.try_run(arguments);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
        said
    }

    /// Runs a verb that must do well; what it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = self.try_run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}{}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(arguments)).unwrap()
    }

    pub(crate) fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder.join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    pub(crate) fn import(&self, policies: &str) {
        let file = self.file("policies.toml", policies);
        self.run(&["policies", "import", &file]);
    }

    /// An operator with a key of their own; the path of the key.
    pub(crate) fn operator(&self, id: &str, role: &str) -> String {
        let path = self.folder.join(format!("{id}.key")).display().to_string();
        let key = SigningKey::generate().unwrap();
        std::fs::write(&path, key.seed_text()).unwrap();
        let public_key = key.public_key().to_string();
        self.run(&["operator", "add", id, "--name", id, "--role", role, "--public-key", &public_key]);
        path
    }

    /// The key in a file that [`World::operator`] has written.
    pub(crate) fn key(&self, path: &str) -> SigningKey {
        std::fs::read_to_string(path).unwrap().parse().unwrap()
    }

    /// A signed event of the review system.
    pub(crate) fn signed(&self, event_type: &str, id: &str, subject: &str, data: &Value) -> Value {
        let mut event = unsigned(event_type, id, subject, data);
        sign(&mut event, &Id::parse("review").unwrap(), &self.review).unwrap();
        event
    }

    /// An act signed with the operator's own key, as another program than ours would hand it in.
    pub(crate) fn act(&self, operator: &str, key: &str, event_type: &str, application_id: &str) -> Value {
        let key = self.key(key);
        let now = jiff::Timestamp::now();
        let mut event = json!({"specversion": "1.0", "id": format!("{operator}-{event_type}-{application_id}"),
            "source": format!("/operator/{operator}"), "type": event_type, "subject": application_id, "time": now,
            "datacontenttype": "application/json",
            "data": {"operator_id": operator, "at": now, "application_id": application_id, "reason": "已核"}});
        sign(&mut event, &Id::parse(operator).unwrap(), &key).unwrap();
        event
    }

    /// The signed approval of an ordinary award.
    pub(crate) fn approval(&self, application_id: &str, yuan: &str) -> Value {
        self.signed(
            "application.approved.v1",
            &format!("approved-{application_id}"),
            application_id,
            &approved(application_id, yuan),
        )
    }

    /// `POST /v1/events`: status and answer.
    pub(crate) async fn post(&self, body: Vec<u8>, media_type: &str) -> (u16, Value) {
        let answer = reqwest::Client::new()
            .post(format!("http://{}/v1/events", self.address))
            .bearer_auth("flow-token")
            .header("content-type", media_type)
            .body(body)
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
    }

    /// Hands in one event that must be accepted.
    pub(crate) async fn hand_in(&self, event: &Value) {
        let (status, answer) = self.post(event.to_string().into_bytes(), "application/cloudevents+json").await;
        assert_eq!((status, answer["quarantined"].as_array().map(Vec::len)), (202, Some(0)), "{answer}");
    }

    /// `GET` of an API address.
    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let request = reqwest::Client::new().get(format!("http://{}{path}", self.address)).bearer_auth("flow-token");
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
    }

    /// `GET` of a page for people.
    pub(crate) async fn page(&self, path: &str) -> (u16, String) {
        let request = reqwest::Client::new().get(format!("http://{}{path}", self.address)).bearer_auth("flow-token");
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// The whole address of a path of the service.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Waits until a line stands in the metrics, and gives them.
    pub(crate) async fn metrics_with(&self, line: &str) -> String {
        let url = format!("http://{}/metrics", self.address);
        assert_eq!(reqwest::get(&url).await.unwrap().status().as_u16(), 401, "metrics need a token");
        let client = reqwest::Client::new();
        wait_until(&format!("{line} among the metrics"), PATIENCE, async || {
            let answer = client.get(&url).bearer_auth("flow-token").send().await.unwrap();
            let text = answer.text().await.unwrap();
            text.lines().any(|one| one == line).then_some(text)
        })
        .await
    }

    /// Waits until the process says that it is not ready for the sake of this check, and gives what it says.
    pub(crate) async fn not_ready_for(&self, check: &str) -> Value {
        wait_until(&format!("{check} to fail"), PATIENCE, async || {
            let (status, ready) = self.get("/readyz").await;
            (status == 503 && ready["checks"][check]["state"] == "failing").then_some(ready)
        })
        .await
    }

    /// Waits until a payout is in this state, and gives it.
    pub(crate) async fn until(&self, application_id: &str, state: &str) -> Value {
        wait_until(&format!("{application_id} to be {state}"), PATIENCE, async || {
            let (_, payout) = self.get(&format!("/v1/payouts/{application_id}")).await;
            (payout["state"] == state).then_some(payout)
        })
        .await
    }

    /// Credits at the bank by account, counted.
    pub(crate) fn credits(&self) -> usize {
        self.bank.bank.with_ledger(|ledger| ledger.credits().count())
    }
}

fn backup_of(file: &std::path::Path) -> String {
    format!("{}.backup", file.extension().unwrap_or_default().display())
}

/// An event before it is signed.
pub(crate) fn unsigned(event_type: &str, id: &str, subject: &str, data: &Value) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "/review/flows", "type": event_type, "subject": subject,
        "time": jiff::Timestamp::now(), "datacontenttype": "application/json", "data": data})
}

/// The data of an ordinary award.
pub(crate) fn approved(application_id: &str, yuan: &str) -> Value {
    let now = jiff::Timestamp::now();
    json!({
        "application_id": application_id, "policy_id": "P-1",
        "enterprise": {"uscc": "91350100M000100Y43", "name": "示例科技有限责任公司"},
        "amount": {"currency": "CNY", "value": yuan},
        "payee": {"account_name": "示例科技有限责任公司", "account_no": "4000020109000000001",
            "bank_code": "102100099996", "bank_name": "示例银行"},
        "approved_at": now, "approvals": [{"department_id": "D-1", "officer_id": "O-1", "decided_at": now}],
    })
}

impl Drop for World {
    fn drop(&mut self) {
        let serves = if self.service.is_some() { Serves::Still } else { Serves::NoMore };
        let credited = self.bank.bank.with_ledger(zhida_sandbox::Ledger::total);
        let database = self.folder.join("zhida.db");
        // However the books look, the service does not outlive its test.
        let books = (!std::thread::panicking())
            .then(|| std::panic::catch_unwind(|| books::balance(&database, serves, credited)));
        self.kill();
        if let None | Some(Err(_)) = books {
            let log = std::fs::read_to_string(self.folder.join("serve.log")).unwrap_or_default();
            eprintln!("the service said:\n{log}");
        }
        match books {
            None => return,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            Some(Ok(())) => {}
        }
        assert_eq!(self.bank.bank.reproaches(), Vec::<String>::new(), "the bank has a complaint about what we sent");
        let twice = self.bank.bank.with_ledger(|ledger| ledger.credits_by_instruction().into_values().any(|n| n > 1));
        assert!(!twice, "an instruction was credited twice");
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
