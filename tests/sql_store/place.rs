//! Databases for these tests, and the protocol they speak: signatures are taken as given, a batch is a line of text.

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde_json::json;
use sqlx::{Connection as _, Row as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use zhida_adapters::store::{DatabaseSettings, SqlStore, StoreClock, migrate};
use zhida_core::case_file::ReviewTerms;
use zhida_core::ids::{ApplicationId, FundId, MsgId, PayoutKey, PolicyId};
use zhida_core::money::Fen;
use zhida_core::payout::Enterprise;
use zhida_core::ports::bank::{Debtor, Payee, PaymentFormat, Transfer};
use zhida_core::ports::store::{AuthorityReader, Protocol, StoredEvent};
use zhida_core::rules::Rules;
use zhida_core::steps::{Approval, Arrival, Authority, Fact, Fund, Policy};
use zhida_tests::servers::{Database, database};

/// A database and its clock.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) settings: DatabaseSettings,
    pub(crate) clock: StoreClock,
    /// Whose the tables are.
    owner: DatabaseSettings,
}

impl Place {
    fn at(url: String) -> Self {
        let settings = DatabaseSettings {
            url,
            district: "example".to_owned(),
            environment: "sandbox".to_owned(),
            connections_max: 5,
        };
        Self { owner: settings.clone(), settings, clock: StoreClock::default() }
    }

    /// Migrates, and opens as a new process would.
    pub(crate) async fn open(&self) -> SqlStore {
        migrate(&self.owner).await.unwrap();
        SqlStore::open(&self.settings, protocol(), self.clock.clone()).await.unwrap()
    }
}

impl Place {
    /// Whether it is a file.
    pub(crate) fn is_sqlite(&self) -> bool {
        self.settings.url.starts_with("sqlite:")
    }

    /// How the database executes a query: its plan, on PostgreSQL with what it has read.
    pub(crate) async fn plan(&self, sql: &str) -> String {
        let lines: Vec<String> = match self.settings.url.strip_prefix("sqlite:") {
            Some(path) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
                let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
                let sql = sqlx::AssertSqlSafe(format!("explain query plan {sql}"));
                let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
                rows.iter().map(|row| row.get::<String, _>("detail")).collect()
            }
            None => {
                let mut connection = sqlx::PgConnection::connect(&self.settings.url).await.unwrap();
                let sql = sqlx::AssertSqlSafe(format!("explain (analyze, costs off, timing off) {sql}"));
                let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
                rows.iter().map(|row| row.get::<String, _>(0)).collect()
            }
        };
        lines.join("\n")
    }

    /// The schema as a program of that version has left it.
    pub(crate) async fn migrate_up_to(&self, version: usize) {
        let dialect = if self.is_sqlite() { "sqlite" } else { "postgres" };
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../schemas/migrations").join(dialect);
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        if self.is_sqlite() {
            std::fs::write(self.settings.url.strip_prefix("sqlite:").unwrap(), "").unwrap();
        }
        self.execute(
            "create table schema_versions (version bigint primary key, name text not null, sha256 text not null)",
        )
        .await
        .unwrap();
        for (number, file) in files.iter().take(version).enumerate() {
            let script = std::fs::read_to_string(file).unwrap();
            let sha256 = HEXLOWER.encode(digest(&SHA256, script.as_bytes()).as_ref());
            self.execute(&script).await.unwrap();
            let row = format!("insert into schema_versions values ({}, '{sha256}', '{sha256}')", number + 1);
            self.execute(&row).await.unwrap();
        }
    }

    /// The same database as a user of PostgreSQL opens it who owns nothing, and has the rights that the README names.
    pub(crate) async fn with_least_rights(&self) -> Self {
        migrate(&self.owner).await.unwrap();
        let name = self.owner.url.rsplit('/').next().unwrap();
        let user = format!("serve_of_{name}");
        self.execute(&format!(
            "create role {user} login password 'secret';
             grant select, insert, update on all tables in schema public to {user};
             grant delete on outbox, reconsiderations, case_marks, clocks, notice_counters, notice_receipts, notice_marks to {user};"
        ))
        .await
        .unwrap();
        let (_, address) = self.owner.url.split_once('@').unwrap();
        let settings = DatabaseSettings { url: format!("postgres://{user}:secret@{address}"), ..self.owner.clone() };
        Self { settings, ..self.clone() }
    }

    /// The further rights of whoever imports an organisation.
    pub(crate) async fn grant_imports(&self) {
        let name = self.owner.url.rsplit('/').next().unwrap();
        let owner = Self { settings: self.owner.clone(), ..self.clone() };
        let tables = "departments, officers, absences, ladder_rungs";
        owner.execute(&format!("grant delete on {tables} to serve_of_{name}")).await.unwrap();
    }

    /// Takes the rights and their user back.
    pub(crate) async fn drop_least_rights(&self) {
        let name = self.owner.url.rsplit('/').next().unwrap();
        let owner = Self { settings: self.owner.clone(), ..self.clone() };
        owner.execute(&format!("drop owned by serve_of_{name}; drop role serve_of_{name}")).await.unwrap();
    }

    /// One statement, as somebody with a client would run it; the error in words.
    pub(crate) async fn execute(&self, sql: &str) -> Result<(), String> {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        let done = match self.settings.url.strip_prefix("sqlite:") {
            Some(path) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
                let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
                sqlx::raw_sql(sql).execute(&mut connection).await.map(drop)
            }
            None => {
                let mut connection = sqlx::PgConnection::connect(&self.settings.url).await.unwrap();
                sqlx::raw_sql(sql).execute(&mut connection).await.map(drop)
            }
        };
        done.map_err(|error| error.to_string())
    }
}

pub(crate) fn protocol() -> Protocol {
    Protocol { rules: Arc::new(Rules::with_defaults("example")), format: Arc::new(Lines), verifier: Arc::new(Trusting) }
}

/// A SQLite file in a folder of its own, removed with it.
pub(crate) struct SqliteFile {
    folder: PathBuf,
}

impl SqliteFile {
    pub(crate) fn new() -> Self {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let name = format!("zhida-sql-{}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self { folder }
    }

    pub(crate) fn place(&self) -> Place {
        Place::at(format!("sqlite:{}", self.folder.join("zhida.db").display()))
    }
}

impl Drop for SqliteFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A fresh database on the shared server.
pub(crate) struct Postgres {
    database: Database,
}

impl Postgres {
    pub(crate) async fn new() -> Self {
        let database = tokio::task::spawn_blocking(database).await.unwrap();
        Self { database }
    }

    pub(crate) fn place(&self) -> Place {
        Place::at(self.database.url().to_owned())
    }
}

/// One member a line.
struct Lines;

impl PaymentFormat for Lines {
    fn write(&self, msg_id: &MsgId, _: Timestamp, transfers: &[Transfer]) -> Vec<u8> {
        let ids = transfers.iter().map(|one| format!("{} {}", one.instruction_id, one.amount));
        format!("{msg_id}\n{}", ids.collect::<Vec<_>>().join("\n")).into_bytes()
    }
}

/// Believes the body of an event.
struct Trusting;

impl AuthorityReader for Trusting {
    fn read(&self, approval: &StoredEvent, _: Option<&StoredEvent>) -> Option<Authority> {
        let body: serde_json::Value = serde_json::from_slice(&approval.body).ok()?;
        Some(Authority {
            key: serde_json::from_value(body["key"].clone()).ok()?,
            amount: Fen(body["amount"].as_i64()?),
            currency: "CNY".to_owned(),
            uscc: body["uscc"].as_str()?.to_owned(),
            payee: serde_json::from_value(body["payee"].clone()).ok()?,
            revoked_key: None,
        })
    }

    fn revoked_keys(&self) -> Vec<String> {
        vec!["stolen".to_owned()]
    }
}

pub(crate) fn fund(appropriated: i64) -> Fund {
    Fund {
        id: FundId::from("F-1"),
        name: "专项资金".to_owned(),
        currency: "CNY".to_owned(),
        appropriated: Fen(appropriated),
        committed: Fen::ZERO,
        debtor: Debtor {
            name: "财政局".to_owned(), account_no: "1".to_owned(), bank_code: "102100099996".to_owned()
        },
        budget_document: None,
    }
}

pub(crate) fn policy() -> Policy {
    Policy {
        id: PolicyId::from("P-1"),
        title: "稳岗补贴".to_owned(),
        department_id: "D-1".to_owned(),
        fund_id: FundId::from("F-1"),
        valid_from: "2020-01-01".parse().unwrap(),
        valid_to: None,
        cap_per_application: None,
        cap_per_enterprise_per_year: Some(Fen(10_000_000)),
        release_limit: None,
        commitment_required: false,
        review: ReviewTerms::default(),
    }
}

pub(crate) fn key(number: u32) -> PayoutKey {
    PayoutKey { application_id: ApplicationId(format!("A-{number}")), tranche: 1 }
}

/// Approval number `number` of enterprise number `number`, over `number` yuan, signed with `keyid`.
/// A code of the lawful form; nobody here looks at its check digit.
fn uscc(number: u32) -> String {
    format!("913501{number:012}")
}

pub(crate) fn approval(number: u32, approved_at: Timestamp, keyid: &str) -> Arrival {
    let name = format!("示例企业{number}有限公司'; drop table payouts; --");
    let payee = Payee {
        account_name: name.clone(),
        account_no: format!("62220000{number}"),
        bank_code: "102100099996".to_owned(),
        bank_name: "示例银行".to_owned(),
    };
    let enterprise = Enterprise { uscc: uscc(number), name };
    let amount = Fen(i64::from(number) * 100);
    let body = json!({"key": key(number), "amount": amount.0, "uscc": enterprise.uscc, "payee": payee})
        .to_string()
        .into_bytes();
    Arrival {
        case: None,
        contacts: None,
        source: "/review/example".to_owned(),
        event_id: format!("e-{number}"),
        event_type: "application.approved.v1".to_owned(),
        subject: format!("A-{number}"),
        keyid: keyid.to_owned(),
        content_sha256: format!("hash-{number}"),
        body,
        way: "submit".to_owned(),
        fact: Fact::Approved(Box::new(Approval {
            key: key(number),
            policy_id: PolicyId::from("P-1"),
            fund_id: None,
            enterprise,
            amount,
            currency: "CNY".to_owned(),
            payee,
            approved_at,
            officers: 1,
            commitment_id: None,
        })),
    }
}
