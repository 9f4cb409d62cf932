//! A store in a file with one policy, a door before it, a queue and a clock that do what the test says.

use async_trait::async_trait;
use serde_json::{Value, json};
use sqlx::Connection as _;
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use zhida_adapters::store::{DatabaseSettings, SqlStore, StoreClock, migrate};
use zhida_config::trusted_keys::{self, TrustedKey};
use zhida_core::case_file::ReviewTerms;
use zhida_core::ids::{FundId, MsgId, OperatorId, PolicyId};
use zhida_core::money::Fen;
use zhida_core::ports::bank::{Debtor, PaymentFormat, Transfer};
use zhida_core::ports::queue::{Consumer, Delivery, DeliveryTag, QueueError};
use zhida_core::ports::store::{Protocol, ReadStore as _, ReferenceStore as _, Which};
use zhida_core::ports::time::Time;
use zhida_core::rules::Rules;
use zhida_core::steps::{Fund, Operator, Policy, Role};
use zhida_intake::{Door, Keyring};
use zhida_schemas::signing::{SigningKey, sign};
use zhida_schemas::text::Id;

pub(crate) struct World {
    pub(crate) store: Arc<SqlStore>,
    pub(crate) door: Door,
    key: SigningKey,
    operator: SigningKey,
    path: String,
    folder: PathBuf,
}

impl World {
    pub(crate) async fn new() -> Self {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("zhida-intake-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("zhida.db").display().to_string();
        let settings = DatabaseSettings {
            url: format!("sqlite:{path}"),
            district: "example".to_owned(),
            environment: "sandbox".to_owned(),
            connections_max: 2,
        };
        migrate(&settings).await.unwrap();
        let (key, operator) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let keyring = Arc::new(Keyring::new(&BTreeMap::from([("review".to_owned(), trusted(&key))])));
        let rules = Arc::new(Rules::with_defaults("example"));
        let protocol = Protocol { rules, format: Arc::new(Nothing), verifier: keyring.clone() };
        let store = Arc::new(SqlStore::open(&settings, protocol, StoreClock::default()).await.unwrap());
        store.import_policies(&[fund()], &[policy()], "test").await.unwrap();
        let wang = Operator {
            id: OperatorId::from("wang"),
            name: "王敏".to_owned(),
            role: Role::Releaser,
            public_key: operator.public_key().to_string(),
            disabled_at: None,
        };
        store.put_operator(&wang, "test").await.unwrap();
        let door = Door { store: store.clone(), keyring, district: "example".to_owned() };
        Self { store, door, key, operator, path, folder }
    }

    /// One statement, past the program.
    pub(crate) async fn execute(&self, sql: &str) {
        execute(&self.path, sql).await;
    }

    /// A hand that can do the same from elsewhere.
    pub(crate) fn path(&self) -> String {
        self.path.clone()
    }

    /// The signed approval of an award of 100 yuan.
    pub(crate) fn approval(&self, application_id: &str) -> Value {
        let now = jiff::Timestamp::now();
        let data = json!({
            "application_id": application_id, "policy_id": "P-1",
            "enterprise": {"uscc": "91350100M000100Y43", "name": "示例科技有限责任公司"},
            "amount": {"currency": "CNY", "value": "100.00"},
            "payee": {"account_name": "示例科技有限责任公司", "account_no": "4000020109000000001",
                "bank_code": "102100099996", "bank_name": "示例银行"},
            "approved_at": now, "approvals": [{"department_id": "D-1", "officer_id": "O-1", "decided_at": now}],
        });
        let id = format!("approved-{application_id}");
        let mut event = event("application.approved.v1", "/review/example", &id, application_id, &data);
        sign(&mut event, &Id::parse("review").unwrap(), &self.key).unwrap();
        event
    }

    /// A signed act of an operator.
    pub(crate) fn hold(&self, id: &str, application_id: &str) -> Value {
        let now = jiff::Timestamp::now();
        let data = json!({"operator_id": "wang", "at": now, "application_id": application_id, "tranche": 1,
            "reason": "待核"});
        let mut event = event("operator.hold.v1", "/operator/wang", id, application_id, &data);
        sign(&mut event, &Id::parse("wang").unwrap(), &self.operator).unwrap();
        event
    }

    /// Payouts and open quarantine rows: what is durable.
    pub(crate) async fn durable(&self) -> (u64, usize) {
        durable(&self.store).await
    }

    pub(crate) async fn reasons(&self) -> Vec<String> {
        let rows = self.store.quarantine_rows(Which::Open).await.unwrap();
        rows.into_iter().map(|row| row.item.reason_code).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn event(event_type: &str, source: &str, id: &str, subject: &str, data: &Value) -> Value {
    json!({"specversion": "1.0", "id": id, "source": source, "type": event_type, "subject": subject,
        "time": jiff::Timestamp::now(), "datacontenttype": "application/json", "data": data})
}

/// A key that may sign everything.
pub(crate) fn trusted(key: &SigningKey) -> TrustedKey {
    TrustedKey::for_everything(trusted_keys::PublicKey(*key.public_key().as_bytes()))
}

pub(crate) async fn execute(path: &str, sql: &str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
}

async fn durable(store: &SqlStore) -> (u64, usize) {
    let payouts = store.figures().await.unwrap().by_state.values().map(|(count, _)| count).sum();
    (payouts, store.quarantine_rows(Which::Open).await.unwrap().len())
}

fn fund() -> Fund {
    let debtor =
        Debtor { name: "财政局".to_owned(), account_no: "1".to_owned(), bank_code: "102100099996".to_owned() };
    Fund {
        id: FundId::from("F-1"),
        name: "专项资金".to_owned(),
        currency: "CNY".to_owned(),
        appropriated: Fen(100_000_000),
        committed: Fen::ZERO,
        debtor,
        budget_document: None,
    }
}

fn policy() -> Policy {
    Policy {
        id: PolicyId::from("P-1"),
        title: "稳岗补贴".to_owned(),
        department_id: "D-1".to_owned(),
        fund_id: FundId::from("F-1"),
        valid_from: "2020-01-01".parse().unwrap(),
        valid_to: None,
        cap_per_application: None,
        cap_per_enterprise_per_year: None,
        release_limit: None,
        commitment_required: false,
        review: ReviewTerms::default(),
    }
}

/// Nothing is sent here.
struct Nothing;

impl PaymentFormat for Nothing {
    fn write(&self, _: &MsgId, _: jiff::Timestamp, _: &[Transfer]) -> Vec<u8> {
        Vec::new()
    }
}

/// What a queue was told, with what was durable at that moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Acknowledged(Vec<u64>, (u64, usize)),
    GivenBack(Vec<u64>),
    Closed,
}

/// A queue that hands out the batches it was given, then waits for ever.
pub(crate) struct Queue {
    batches: VecDeque<Vec<Delivery>>,
    told: Arc<Mutex<Vec<Told>>>,
    store: Arc<SqlStore>,
    empty: tokio::sync::watch::Sender<bool>,
}

impl Queue {
    /// The queue, what it is told, and a sign that turns true when everything was handed out.
    pub(crate) fn of(
        world: &World,
        batches: Vec<Vec<Vec<u8>>>,
    ) -> (Self, Arc<Mutex<Vec<Told>>>, tokio::sync::watch::Receiver<bool>) {
        let told = Arc::<Mutex<Vec<Told>>>::default();
        let (empty, is_empty) = tokio::sync::watch::channel(false);
        let mut number = 0;
        let mut delivery = |body: Vec<u8>| {
            number += 1;
            let event: Value = serde_json::from_slice(&body).unwrap_or_default();
            let routing_key = event["type"].as_str().unwrap_or("none").to_owned();
            Delivery { body, routing_key, tag: DeliveryTag { session: 1, number } }
        };
        let batches = batches.into_iter().map(|batch| batch.into_iter().map(&mut delivery).collect()).collect();
        (Self { batches, told: told.clone(), store: world.store.clone(), empty }, told, is_empty)
    }
}

fn numbers(tags: &[DeliveryTag]) -> Vec<u64> {
    tags.iter().map(|tag| tag.number).collect()
}

#[async_trait]
impl Consumer for Queue {
    async fn next_batch(&mut self, _: usize) -> Result<Vec<Delivery>, QueueError> {
        match self.batches.pop_front() {
            Some(batch) => Ok(batch),
            None => {
                self.empty.send_replace(true);
                std::future::pending().await
            }
        }
    }

    async fn acknowledge(&mut self, tags: &[DeliveryTag]) -> Result<(), QueueError> {
        let durable = durable(&self.store).await;
        self.told.lock().unwrap().push(Told::Acknowledged(numbers(tags), durable));
        Ok(())
    }

    async fn give_back(&mut self, tags: &[DeliveryTag]) -> Result<(), QueueError> {
        self.told.lock().unwrap().push(Told::GivenBack(numbers(tags)));
        Ok(())
    }

    async fn close(&mut self) {
        self.told.lock().unwrap().push(Told::Closed);
    }
}

/// What happens at the n-th pause.
pub(crate) type AtPause = Box<dyn Fn(u64) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// A clock that stands still but for pauses, at each of which something happens.
pub(crate) struct Pauses {
    count: AtomicU64,
    slept: Mutex<Duration>,
    at_each: AtPause,
}

impl Pauses {
    pub(crate) fn new(at_each: AtPause) -> Self {
        Self { count: AtomicU64::new(0), slept: Mutex::default(), at_each }
    }
}

#[async_trait]
impl Time for Pauses {
    fn elapsed(&self) -> Duration {
        *self.slept.lock().unwrap()
    }

    async fn pause(&self, length: Duration) {
        *self.slept.lock().unwrap() += length;
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        (self.at_each)(number).await;
    }
}
