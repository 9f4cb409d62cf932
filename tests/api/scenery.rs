//! A console on a free port, with stores and doors that do what a case wants, and callers with tokens of one scope each.

use async_trait::async_trait;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use zhida_adapters::store::{DatabaseSettings, SqlStore, StoreClock, migrate};
use zhida_config::tokens::{ApiToken, TokenHash};
use zhida_console::{Api, Console, Scope, Tokens, Watch};
use zhida_core::ids::{ApplicationId, MsgId, PayoutKey, PolicyId};
use zhida_core::money::Fen;
use zhida_core::payout::Enterprise;
use zhida_core::ports::bank::{Payee, PaymentFormat, Transfer};
use zhida_core::ports::door::{EventDoor, Handed, Raw};
use zhida_core::ports::store::{AuthorityReader, IntakeStore, Protocol, Store, StoreError, StoredEvent};
use zhida_core::rules::Rules;
use zhida_core::steps::{Approval, Arrival, Authority, Fact, TakenIn};
use zhida_monitoring::{Health, Metrics};
use zhida_tests::memory_store::MemoryStore;

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Caller {
    /// Without a token.
    Nobody,
    /// With one that nobody made.
    Stranger,
    /// Scope `events`.
    Sender,
    /// Scope `read`.
    Reader,
    /// Scope `metrics`.
    Watcher,
}

impl Caller {
    fn token(self) -> Option<&'static str> {
        match self {
            Self::Nobody => None,
            Self::Stranger => Some("found-in-the-street"),
            Self::Sender => Some("sender-token"),
            Self::Reader => Some("reader-token"),
            Self::Watcher => Some("watcher-token"),
        }
    }
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    headers: reqwest::header::HeaderMap,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A console that serves until it is dropped.
pub(crate) struct Served {
    address: String,
    client: reqwest::Client,
    _stop: watch::Sender<bool>,
}

impl Served {
    pub(crate) async fn ask(&self, caller: Caller, method: &str, path: &str, media_type: &str, body: &[u8]) -> Answer {
        self.ask_with(caller.token(), method, path, media_type, body).await
    }

    /// The same with a token of one's own.
    pub(crate) async fn ask_with(
        &self,
        token: Option<&str>,
        method: &str,
        path: &str,
        media_type: &str,
        body: &[u8],
    ) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.client.request(method, format!("http://{}{path}", self.address)).body(body.to_vec());
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if !media_type.is_empty() {
            request = request.header("content-type", media_type);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Answer { status, headers, body: answer.text().await.unwrap() }
    }
}

/// A console over this store and this door.
pub(crate) async fn console(store: Arc<dyn Store>, door: Arc<dyn EventDoor>) -> Served {
    // Whoever comes first installs it; the others find it there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let token = |caller: Caller, scope| ApiToken { hash: TokenHash::of(caller.token().unwrap()), scopes: vec![scope] };
    let tokens = [
        token(Caller::Sender, Scope::Events),
        token(Caller::Reader, Scope::Read),
        token(Caller::Watcher, Scope::Metrics),
    ];
    let watch = Watch {
        tokens: Tokens::new(&tokens, None),
        health: Health::new(),
        metrics: Arc::new(Metrics::new("test").unwrap()),
    };
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(zhida_console::serve(
        listener,
        Console::new(
            watch,
            Some(Api {
                store,
                door,
                receipts: crate::receipts::doors(),
                zone: TimeZone::get("Asia/Shanghai").unwrap(),
            }),
        ),
        stopped,
    ));
    Served { address, client: reqwest::Client::new(), _stop: stop }
}

// ── doors ──

/// Takes everything in.
pub(crate) struct Everything;

#[async_trait]
impl EventDoor for Everything {
    async fn hand_in(&self, raws: &[Raw]) -> Result<Vec<Handed>, StoreError> {
        Ok(vec![Handed::Accepted; raws.len()])
    }
}

/// A door whose store is away.
pub(crate) struct Refuses;

#[async_trait]
impl EventDoor for Refuses {
    async fn hand_in(&self, _: &[Raw]) -> Result<Vec<Handed>, StoreError> {
        Err(StoreError::Unavailable("sqlite: the disk is gone".to_owned()))
    }
}

/// A door that answers nobody until it is opened.
pub(crate) struct Hangs {
    inside: Semaphore,
    opened: watch::Sender<bool>,
}

impl Hangs {
    pub(crate) fn new() -> Self {
        Self { inside: Semaphore::new(0), opened: watch::channel(false).0 }
    }

    /// Waits until so many are inside.
    pub(crate) async fn has_let_in(&self, count: u32) {
        self.inside.acquire_many(count).await.unwrap().forget();
    }

    pub(crate) fn open(&self) {
        self.opened.send_replace(true);
    }
}

#[async_trait]
impl EventDoor for Hangs {
    async fn hand_in(&self, raws: &[Raw]) -> Result<Vec<Handed>, StoreError> {
        self.inside.add_permits(1);
        self.opened.subscribe().wait_for(|opened| *opened).await.unwrap();
        Ok(vec![Handed::Accepted; raws.len()])
    }
}

// ── stores ──

fn protocol() -> Protocol {
    let rules = Arc::new(Rules::with_defaults("example"));
    Protocol { rules, format: Arc::new(Nothing), verifier: Arc::new(Nothing) }
}

/// A store in memory with so many payouts, each received a minute after the one before.
pub(crate) async fn memory(payouts: u32) -> MemoryStore {
    let store = MemoryStore::new(protocol(), Timestamp::now());
    for number in 1..=payouts {
        assert_eq!(store.take_in(vec![approval(number, store.clock())]).await.unwrap(), [TakenIn::Accepted]);
        store.set_clock(store.clock() + SignedDuration::from_mins(1));
    }
    store
}

/// A database that does not answer any more.
pub(crate) async fn closed_store() -> (SqlStore, Folder) {
    let folder = Folder(std::env::temp_dir().join(format!("zhida-api-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0).unwrap();
    let settings = DatabaseSettings {
        url: format!("sqlite:{}", folder.0.join("zhida.db").display()),
        district: "example".to_owned(),
        environment: "sandbox".to_owned(),
        connections_max: 2,
    };
    migrate(&settings).await.unwrap();
    let store = SqlStore::open(&settings, protocol(), StoreClock::default()).await.unwrap();
    store.close().await;
    (store, folder)
}

/// Removed when dropped.
pub(crate) struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn approval(number: u32, approved_at: Timestamp) -> Arrival {
    let name = "示例科技有限责任公司".to_owned();
    let key = PayoutKey { application_id: ApplicationId(format!("A-{number}")), tranche: 1 };
    let approval = Approval {
        key: key.clone(),
        policy_id: PolicyId::from("P-1"),
        fund_id: None,
        enterprise: Enterprise { uscc: "91350100M000100Y43".to_owned(), name: name.clone() },
        amount: Fen(10_000),
        currency: "CNY".to_owned(),
        payee: Payee {
            account_name: name,
            account_no: "4000020109000000001".to_owned(),
            bank_code: "102100099996".to_owned(),
            bank_name: "示例银行".to_owned(),
        },
        approved_at,
        officers: 1,
        commitment_id: None,
    };
    Arrival {
        case: None,
        contacts: None,
        source: "/review/example".to_owned(),
        event_id: format!("e-{number}"),
        event_type: "application.approved.v1".to_owned(),
        subject: key.application_id.0,
        keyid: "k".to_owned(),
        content_sha256: format!("{number}"),
        body: b"{}".to_vec(),
        way: "http".to_owned(),
        fact: Fact::Approved(Box::new(approval)),
    }
}

/// Nothing is sent here, and no signature read.
struct Nothing;

impl PaymentFormat for Nothing {
    fn write(&self, _: &MsgId, _: Timestamp, _: &[Transfer]) -> Vec<u8> {
        Vec::new()
    }
}

impl AuthorityReader for Nothing {
    fn read(&self, _: &StoredEvent, _: Option<&StoredEvent>) -> Option<Authority> {
        None
    }

    fn revoked_keys(&self) -> Vec<String> {
        Vec::new()
    }
}
