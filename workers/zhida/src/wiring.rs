//! Puts stores, queues, banks and doors together by the settings.

use crate::opening;
use crate::rules::rules;
use async_trait::async_trait;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zhida_adapters::providers::bank::{HttpBank, HttpBankSettings, Pain001Format, SettledStatus};
use zhida_adapters::providers::sms;
use zhida_adapters::transport::rabbitmq::RabbitSettings;
use zhida_config::{Calendar, Settings, sections};
use zhida_core::ids::{InstructionId, MsgId};
use zhida_core::ports::bank::{BankLink, CallOutcome, EnquiryOutcome, NotTakenIn};
use zhida_core::ports::door::{EventDoor, Handed, Raw};
use zhida_core::ports::sms::SmsProvider;
use zhida_core::ports::store::{Protocol, Store, StoreError};
use zhida_core::ports::time::Time;
use zhida_intake::{Door, Keyring};
use zhida_monitoring::Metrics;
use zhida_monitoring::metrics::BankCall;

/// What verbs beside a running `serve` need: short transactions, no worker.
pub(crate) struct Context {
    /// The settings.
    pub(crate) settings: Settings,
    /// The store.
    pub(crate) store: Arc<dyn Store>,
    /// The door for events.
    pub(crate) door: Arc<dyn EventDoor>,
    /// The district.
    pub(crate) district: String,
}

impl Context {
    /// Opens the database that the settings name.
    pub(crate) async fn open(settings: Settings) -> anyhow::Result<Self> {
        let untrusted = settings.check_trusted_keys();
        if !untrusted.is_empty() {
            anyhow::bail!("{}", untrusted.join("\n  "));
        }
        let district = district(&settings)?;
        let keyring = Arc::new(Keyring::new(&settings.trusted_keys));
        let store = opening::store(&settings, &keyring).await?;
        let door = Arc::new(Door { store: store.clone(), keyring, district: district.clone() });
        Ok(Self { settings, store, door, district })
    }
}

/// The district's id; everything that touches the database needs it.
pub(crate) fn district(settings: &Settings) -> anyhow::Result<String> {
    let id = settings.district.id.as_ref().ok_or_else(|| {
        anyhow::anyhow!(
            "district.id is not set: give it in the settings file, as ZHIDA__DISTRICT__ID or --set district.id=…"
        )
    })?;
    Ok(id.as_str().to_owned())
}

/// Rules, message format and signature check, as every store needs them.
pub(crate) fn protocol(settings: &Settings, district: &str, keyring: Arc<Keyring>, calendar: Calendar) -> Protocol {
    Protocol {
        rules: Arc::new(rules(settings, district, calendar)),
        format: Arc::new(Pain001Format::new(district, settings.calendar.timezone.clone())),
        verifier: keyring,
    }
}

/// The bank link of the settings, measured.
pub(crate) fn bank(settings: &Settings, metrics: Arc<Metrics>) -> anyhow::Result<Arc<dyn BankLink>> {
    Ok(Arc::new(MeasuredBank { link: bank_link(settings)?, metrics }))
}

/// The bank link of the settings, its certificates read. Nothing is sent.
pub(crate) fn bank_link(settings: &Settings) -> anyhow::Result<HttpBank> {
    let bank = &settings.bank;
    let url = bank.url.as_ref().ok_or_else(|| anyhow::anyhow!("bank.url is not set: where does the bank listen?"))?;
    Ok(HttpBank::new(HttpBankSettings {
        url: url.expose().to_owned(),
        token: bank.token.as_ref().map(|token| token.expose().to_owned()),
        identity_pem: client_identity(bank)?,
        ca_pem: bank.ca_file.as_deref().map(|path| pem("bank.ca_file", path)).transpose()?,
        timeout: Duration::from_secs(u64::from(bank.timeout_seconds)),
        settled_status: match bank.settled_status {
            sections::SettledStatus::Acsc => SettledStatus::Acsc,
            sections::SettledStatus::Accc => SettledStatus::Accc,
        },
        zone: settings.calendar.timezone.clone(),
    })?)
}

/// Certificate chain and key as one text. That they are given together was checked with the settings.
fn client_identity(bank: &sections::Bank) -> anyhow::Result<Option<Vec<u8>>> {
    let (Some(certificate), Some(key)) = (&bank.client_certificate_file, &bank.client_key_file) else {
        return Ok(None);
    };
    let mut identity = pem("bank.client_certificate_file", certificate)?;
    identity.push(b'\n');
    identity.extend(pem("bank.client_key_file", key)?);
    Ok(Some(identity))
}

/// A file with keys or certificates; the setting names it in the refusal.
pub(crate) fn pem(setting: &str, path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| {
        anyhow::anyhow!("{setting} = {} cannot be read ({error}): name a PEM file this user may read", path.display())
    })
}

/// The vendors of SMS by name, in the order in which they are tried; none when the settings name none. Nothing is sent.
pub(crate) fn sms_providers(settings: &Settings) -> anyhow::Result<Vec<(String, Arc<dyn SmsProvider>)>> {
    let in_order = settings.notices.in_order(&settings.sms).into_iter();
    in_order.map(|(name, provider)| Ok((name.to_owned(), sms::open(name, provider)?))).collect()
}

/// The broker of the settings, for a connection of this name.
pub(crate) fn broker(settings: &Settings, url: &str, name: &str) -> anyhow::Result<RabbitSettings> {
    let mut broker = RabbitSettings::new(url, format!("zhida {name}"))?;
    broker.step_timeout = Duration::from_secs(u64::from(settings.queue.operation_timeout_seconds));
    broker.longest_pause = Duration::from_secs(u64::from(settings.queue.reconnect_max_seconds));
    broker.linger = Duration::from_millis(u64::from(settings.intake.batch_wait_milliseconds));
    Ok(broker)
}

/// A new, random name of a batch.
pub(crate) fn new_msg_id() -> MsgId {
    MsgId(uuid::Uuid::new_v4().simple().to_string())
}

/// Real time.
pub(crate) struct RealTime(Instant);

impl RealTime {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Instant::now()))
    }
}

#[async_trait]
impl Time for RealTime {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    async fn pause(&self, length: Duration) {
        tokio::time::sleep(length).await;
    }
}

/// A bank link whose calls are counted and timed.
struct MeasuredBank {
    link: HttpBank,
    metrics: Arc<Metrics>,
}

#[async_trait]
impl BankLink for MeasuredBank {
    async fn pay(&self, msg_id: &MsgId, bytes: &[u8]) -> CallOutcome {
        let began = Instant::now();
        let outcome = self.link.pay(msg_id, bytes).await;
        let call = match &outcome {
            CallOutcome::Answered(_) => BankCall::PayAnswered,
            CallOutcome::RefusedWhole { .. } => BankCall::PayRefusedWhole,
            CallOutcome::DuplicateGroup => BankCall::PayDuplicate,
            CallOutcome::Doubtful { .. } => BankCall::PayDoubtful,
            CallOutcome::NotTakenIn { why, .. } => match why {
                NotTakenIn::ConnectionRefused => BankCall::PayConnectionRefused,
                NotTakenIn::Unauthorised => BankCall::PayUnauthorised,
                NotTakenIn::Forbidden => BankCall::PayForbidden,
                NotTakenIn::TooManyRequests => BankCall::PayTooManyRequests,
            },
        };
        self.metrics.bank_call(call, began.elapsed());
        outcome
    }

    async fn enquire(&self, instruction_id: &InstructionId) -> EnquiryOutcome {
        let began = Instant::now();
        let outcome = self.link.enquire(instruction_id).await;
        let call = match &outcome {
            EnquiryOutcome::Found(_) => BankCall::EnquiryFound,
            EnquiryOutcome::NotFound => BankCall::EnquiryNotFound,
            EnquiryOutcome::NoAnswer { .. } => BankCall::EnquiryNoAnswer,
        };
        self.metrics.bank_call(call, began.elapsed());
        outcome
    }
}

/// The door as the API uses it, which counts what comes in; the intake worker counts for itself.
pub(crate) struct CountedDoor {
    pub(crate) door: Door,
    pub(crate) metrics: Arc<Metrics>,
}

#[async_trait]
impl EventDoor for CountedDoor {
    async fn hand_in(&self, raws: &[Raw]) -> Result<Vec<Handed>, StoreError> {
        let results = self.door.hand_in(raws).await?;
        zhida_intake::count(&self.metrics, &results);
        Ok(results)
    }
}
