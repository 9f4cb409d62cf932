//! `zhida serve`: the chosen workers until a signal, then a graceful drain: stop consuming, finish, acknowledge, close.

mod looks;

use crate::figures::{self, FiguresReader};
use crate::notice_wiring;
use crate::opening;
use crate::restore_watch::{self, RestoreWatch};
use crate::roles::Role;
use crate::wiring::{self, CountedDoor, RealTime, bank, broker, new_msg_id};
use anyhow::Context as _;
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{info, warn};
use zhida_adapters::transport::embedded::EmbeddedQueue;
use zhida_adapters::transport::rabbitmq::{Part, Queue, RabbitConsumer, RabbitProbe, RabbitPublisher, Reconnected};
use zhida_config::sections::LogFormat;
use zhida_config::{QueueUrl, Settings};
use zhida_console::{Api, Console, Tokens, Watch};
use zhida_core::ports::queue::{Consumer, Publisher};
use zhida_core::ports::store::Store;
use zhida_intake::{DeadLetterWriter, Door, IntakeWorker, Keyring};
use zhida_monitoring::logging::LogForm;
use zhida_monitoring::metrics::BrokerLink;
use zhida_monitoring::{Health, Metrics};
use zhida_notice::NoticeWorker;
use zhida_payout::{Doorbells, PayoutWorker, SendSettings};
use zhida_relay::Relay;

/// Doorbells that wait in the embedded queue; more are pointless.
const DOORBELLS_WAITING: usize = 1_000;

/// Doorbells a worker holds unacknowledged.
const DOORBELL_PREFETCH: u32 = 100;

/// How logs are written.
pub(crate) fn log_form(settings: &Settings) -> LogForm {
    match settings.logging.format {
        LogFormat::Json => LogForm::Json,
        LogFormat::Text => LogForm::Compact,
    }
}

/// Serves until SIGTERM or SIGINT.
pub(crate) async fn run(settings: Settings, only: &[String]) -> anyhow::Result<ExitCode> {
    let roles = Role::chosen(only)?;
    let refusals = settings.check_for_serve();
    if !refusals.is_empty() {
        anyhow::bail!("serve cannot start:\n  {}", refusals.join("\n  "));
    }
    let guard = opening::guard(&settings)?;
    let (stop, stopped) = watch::channel(false);
    let listener = TcpListener::bind(settings.http.listen)
        .await
        .with_context(|| format!("http.listen {} cannot be used", settings.http.listen))?;
    let listen = listener.local_addr()?;
    let mut house = House::open(settings, stopped).await?;
    house.start(&roles, listener).await?;
    info!(?roles, %listen, "serving");
    tokio::select! {
        signal = signalled() => signal?,
        broken = house.broken() => return Err(broken),
    }
    info!("draining: what is under way is finished");
    house.health.draining();
    stop.send_replace(true);
    let result = house.drain().await;
    drop(guard);
    result
}

async fn signalled() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    Ok(())
}

/// Everything that runs in one process.
pub(crate) struct House {
    pub(crate) settings: Settings,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) door: Door,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) health: Health,
    embedded: EmbeddedQueue,
    stopped: watch::Receiver<bool>,
    tasks: JoinSet<&'static str>,
    /// This process sends, and notes outside where the database stands.
    notes: bool,
}

impl House {
    /// Opens what the workers share.
    pub(crate) async fn open(settings: Settings, stopped: watch::Receiver<bool>) -> anyhow::Result<Self> {
        let district = wiring::district(&settings)?;
        let keyring = Arc::new(Keyring::new(&settings.trusted_keys));
        let store = opening::store(&settings, &keyring).await?;
        let metrics = Arc::new(Metrics::new(env!("CARGO_PKG_VERSION"))?);
        Ok(Self {
            door: Door { store: store.clone(), keyring, district },
            settings,
            store,
            metrics,
            health: Health::new(),
            embedded: EmbeddedQueue::new(DOORBELLS_WAITING),
            stopped,
            tasks: JoinSet::new(),
            notes: false,
        })
    }

    /// Starts the workers of these roles.
    pub(crate) async fn start(&mut self, roles: &BTreeSet<Role>, listener: TcpListener) -> anyhow::Result<()> {
        for role in roles {
            match role {
                Role::Intake => self.start_intake()?,
                Role::Payout => {
                    self.watch_for_restores().await?;
                    self.start_payout()?;
                }
                Role::Supervision => {
                    self.start_looks();
                    self.start_patterns();
                    self.start_digests();
                }
                Role::Notice => self.start_notices()?,
                Role::Relay => self.start_relay()?,
                Role::Console => {}
            }
        }
        let reader = FiguresReader {
            store: self.store.clone(),
            broker: self
                .broker_url()
                .map(|url| broker(&self.settings, url, "probe"))
                .transpose()?
                .map(RabbitProbe::new),
            metrics: self.metrics.clone(),
            health: self.health.clone(),
            every: Duration::from_secs(u64::from(self.settings.sweeps.figures_seconds)),
            notice_providers: self
                .settings
                .notices
                .in_order(&self.settings.sms)
                .into_iter()
                .map(|(name, _)| name.to_owned())
                .chain(self.settings.mail.host.as_ref().map(|_| zhida_notice::MAIL.to_owned()))
                .collect(),
        };
        let stopped = self.stopped.clone();
        self.tasks.spawn(async {
            figures::run(reader, stopped).await;
            "figures"
        });
        let api = Api {
            store: self.store.clone(),
            door: Arc::new(CountedDoor { door: self.door.clone(), metrics: self.metrics.clone() }),
            receipts: notice_wiring::receipt_doors(&self.settings)?,
            zone: self.settings.calendar.timezone.clone(),
        };
        self.start_console(roles.contains(&Role::Console).then_some(api), listener);
        Ok(())
    }

    /// Waits for every worker to finish what it is at.
    pub(crate) async fn drain(mut self) -> anyhow::Result<ExitCode> {
        while let Some(ended) = self.tasks.join_next().await {
            info!(worker = ended.context("a worker died while draining")?, "drained");
        }
        // Last of all, when nobody writes any more: an ordered end leaves nothing that a restore could lose unnoticed.
        if self.notes
            && let Err(error) = restore_watch::look(&*self.store, &self.settings.store.incarnation_file).await
        {
            warn!(%error, "where the database stands could not be noted at the end");
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Waits until a worker ends although nobody asked it to.
    pub(crate) async fn broken(&mut self) -> anyhow::Error {
        match self.tasks.join_next().await {
            Some(Ok(worker)) => anyhow::anyhow!("the {worker} worker ended"),
            Some(Err(error)) => anyhow::anyhow!(error).context("a worker died"),
            None => anyhow::anyhow!("no worker runs"),
        }
    }

    fn broker_url(&self) -> Option<&str> {
        match &self.settings.queue.url {
            QueueUrl::Embedded => None,
            QueueUrl::Broker(url) => Some(url.expose()),
        }
    }

    fn consumer(&self, queue: Queue, prefetch: u32) -> anyhow::Result<Option<Box<dyn Consumer>>> {
        let Some(url) = self.broker_url() else { return Ok(None) };
        let mut settings = broker(&self.settings, url, queue.name())?;
        settings.reconnected = Some(self.reconnected(BrokerLink::Consume));
        let prefetch = u16::try_from(prefetch).unwrap_or(u16::MAX);
        Ok(Some(Box::new(RabbitConsumer::new(settings, queue, prefetch))))
    }

    fn reconnected(&self, link: BrokerLink) -> Reconnected {
        let metrics = self.metrics.clone();
        Arc::new(move || metrics.broker_reconnected(link))
    }

    fn start_intake(&mut self) -> anyhow::Result<()> {
        let worker = IntakeWorker {
            door: self.door.clone(),
            time: RealTime::new(),
            batch_max: self.settings.intake.batch_max as usize,
            metrics: self.metrics.clone(),
        };
        // Without a broker events come in over HTTP and the command line, straight through the door.
        let Some(consumer) = self.consumer(Queue::Intake, self.settings.queue.prefetch)? else {
            let mut stopped = self.stopped.clone();
            self.metrics.intake_consumers(1);
            self.tasks.spawn(async move {
                let _ = stopped.wait_for(|stopped| *stopped).await;
                "intake"
            });
            return Ok(());
        };
        let dead = self.consumer(Queue::IntakeDead, self.settings.queue.prefetch)?;
        let stopped = self.stopped.clone();
        let writer = DeadLetterWriter { worker: worker.clone() };
        self.tasks.spawn(async {
            zhida_intake::run(worker, consumer, stopped).await;
            "intake"
        });
        if let Some(dead) = dead {
            let stopped = self.stopped.clone();
            self.tasks.spawn(async {
                zhida_intake::run_dead_letters(writer, dead, stopped).await;
                "dead letters"
            });
        }
        Ok(())
    }

    /// Looks before anything is sent, and goes on looking.
    async fn watch_for_restores(&mut self) -> anyhow::Result<()> {
        let watch = RestoreWatch {
            store: self.store.clone(),
            path: self.settings.store.incarnation_file.clone(),
            metrics: self.metrics.clone(),
            health: self.health.clone(),
            every: restore_watch::EVERY,
        };
        watch.first_look().await?;
        self.notes = true;
        let stopped = self.stopped.clone();
        self.tasks.spawn(async {
            watch.run(stopped).await;
            "restore watch"
        });
        Ok(())
    }

    fn start_payout(&mut self) -> anyhow::Result<()> {
        let settings = &self.settings;
        let worker = PayoutWorker {
            store: self.store.clone(),
            bank: bank(settings, self.metrics.clone())?,
            time: RealTime::new(),
            send: SendSettings {
                batch_max: settings.bank.batch_max,
                bank_timeout: Duration::from_secs(u64::from(settings.bank.timeout_seconds)),
                margin: Duration::from_secs(2),
                new_msg_id,
            },
            lanes: settings.bank.parallel_calls,
            enquiries_max: settings.bank.parallel_calls.saturating_mul(8).max(16),
            sweep_max: 500,
            sweep_every: Duration::from_secs(u64::from(settings.sweeps.ready_seconds)),
            enquire_every: Duration::from_secs(u64::from(settings.sweeps.enquiry_seconds)),
            metrics: self.metrics.clone(),
        };
        let live = self.consumer(Queue::Payout, DOORBELL_PREFETCH)?;
        let live = live.unwrap_or_else(|| Box::new(self.embedded.doorbell()));
        let doorbells = Doorbells { live, dead: self.consumer(Queue::Dead, DOORBELL_PREFETCH)? };
        let stopped = self.stopped.clone();
        self.tasks.spawn(async {
            zhida_payout::run(worker, doorbells, stopped).await;
            "payout"
        });
        Ok(())
    }

    /// Sends notices where a channel is set; where none is, doorbells are only taken off the queue.
    fn start_notices(&mut self) -> anyhow::Result<()> {
        let settings = &self.settings;
        let live = self.consumer(Queue::Notice, DOORBELL_PREFETCH)?;
        let doorbell = live.unwrap_or_else(|| Box::new(self.embedded.notice_doorbell()));
        let stopped = self.stopped.clone();
        let channels = notice_wiring::channels(settings);
        if channels.is_empty() {
            warn!("{}", notice_wiring::NO_CHANNEL);
            self.tasks.spawn(async {
                zhida_notice::only_listen(doorbell, stopped).await;
                "notice"
            });
            return Ok(());
        }
        let worker = NoticeWorker {
            store: self.store.clone(),
            hands: notice_wiring::hands(settings, self.metrics.clone())?,
            bounces: notice_wiring::bounces(settings),
            parallel_calls: settings.notices.parallel_calls,
            batch_max: settings.notices.batch_max,
            every: Duration::from_secs(u64::from(settings.notices.sweep_seconds)),
        };
        info!(channels = channels.join(", "), "notices are sent");
        self.tasks.spawn(async {
            zhida_notice::run(worker, doorbell, stopped).await;
            "notice"
        });
        Ok(())
    }

    fn start_relay(&mut self) -> anyhow::Result<()> {
        let publisher: Arc<dyn Publisher> = match self.broker_url() {
            None => Arc::new(self.embedded.publisher()),
            Some(url) => {
                let mut settings = broker(&self.settings, url, "relay")?;
                settings.reconnected = Some(self.reconnected(BrokerLink::Publish));
                Arc::new(RabbitPublisher::new(settings, vec![Part::Work, Part::World]))
            }
        };
        let relay = Relay {
            store: self.store.clone(),
            publisher,
            time: RealTime::new(),
            batch_max: self.settings.relay.batch_max,
            every: Duration::from_millis(u64::from(self.settings.relay.idle_milliseconds)),
            metrics: self.metrics.clone(),
        };
        let stopped = self.stopped.clone();
        self.tasks.spawn(async {
            zhida_relay::run(relay, stopped).await;
            "relay"
        });
        Ok(())
    }

    fn start_console(&mut self, api: Option<Api>, listener: TcpListener) {
        let single = self.settings.http.api_token.as_ref().map(|token| token.expose());
        let watch = Watch {
            tokens: Tokens::new(self.settings.api_tokens.values(), single),
            health: self.health.clone(),
            metrics: self.metrics.clone(),
        };
        let (console, stopped) = (Console::new(watch, api), self.stopped.clone());
        self.tasks.spawn(async {
            if let Err(error) = zhida_console::serve(listener, console, stopped).await {
                tracing::error!(%error, "the HTTP server failed");
            }
            "console"
        });
    }
}
