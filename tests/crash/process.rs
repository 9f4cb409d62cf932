//! One story: three approvals, a process that dies at the cut (and so does the next one), a third that lives, until everything
//! is at rest; and the judge.

use crate::cut::{Cut, Life};
use crate::district::{ACCOUNT, Award, DISTRICT, KEYID, approval, awards, fund, policy, total};
use crate::place::Place;
use crate::ports::{Broker, MortalBank, MortalConsumer, MortalPublisher, MortalStore, MovedTime};
use crate::story::{Ended, Story};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use zhida_adapters::providers::bank::{HttpBank, HttpBankSettings, Pain001Format, SettledStatus};
use zhida_config::trusted_keys::{PublicKey, TrustedKey};
use zhida_core::ids::MsgId;
use zhida_core::payout::{Payout, PayoutState};
use zhida_core::ports::store::{Protocol, ReadStore, ReferenceStore};
use zhida_core::rules::Rules;
use zhida_intake::{Door, IntakeWorker, Keyring};
use zhida_monitoring::Metrics;
use zhida_payout::{SendSettings, Sent, enquire_once, send_once, sweep_once};
use zhida_sandbox::{AnswerFault, CallFault, Fault, Sandbox, SandboxSettings, Target, TransferFault};
use zhida_schemas::signing::SigningKey;

/// What the bank does with the first message it gets; afterwards it is well.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Weather {
    /// Pays and says so.
    Fair,
    /// Pays, and the connection breaks before the answer.
    PaidUnanswered,
    /// Loses it, and the connection breaks.
    Lost,
    /// Has one of two on its way.
    OnTheWay,
}

impl Weather {
    fn fault(self) -> Option<Fault> {
        match self {
            Self::Fair => None,
            Self::PaidUnanswered => Some(Fault::Answer(AnswerFault::PayReset)),
            Self::Lost => Some(Fault::Call(CallFault::Reset)),
            Self::OnTheWay => Some(Fault::Transfer(TransferFault::Pend { enquiries: Some(2) })),
        }
    }
}

/// Rounds within which everything must be at rest; each without work moves the clock on.
const ROUNDS: usize = 100;
const IDLE_STEP: SignedDuration = SignedDuration::from_secs(100);

/// Whether anybody died.
pub(crate) async fn lives_and_dies(place: &Place, cut: Cut, weather: Weather, name: &str) -> bool {
    Payments::begin(place, weather).await.lives_and_dies(cut, name).await
}

struct Payments<'a> {
    place: &'a Place,
    awards: Vec<Award>,
    bank: Sandbox,
    broker: Arc<Broker>,
    protocol: Protocol,
    keyring: Arc<Keyring>,
}

impl<'a> Payments<'a> {
    async fn begin(place: &'a Place, weather: Weather) -> Self {
        let bank = Sandbox::start(SandboxSettings::default()).await.unwrap();
        bank.bank.script(Target::Payments, [weather.fault()]);
        let key = SigningKey::generate().unwrap();
        let trusted = TrustedKey::for_everything(PublicKey(*key.public_key().as_bytes()));
        let keyring = Arc::new(Keyring::new(&BTreeMap::from([(KEYID.to_owned(), trusted)])));
        let mut rules = Rules::with_defaults(DISTRICT);
        rules.bank.batch_max = 2;
        let format = Arc::new(Pain001Format::new("示例区", zone()));
        let protocol = Protocol { rules: Arc::new(rules), format, verifier: keyring.clone() };
        let store = place.open(&protocol).await;
        store.import_policies(&[fund()], &[policy()], "test").await.unwrap();
        let (now, awards, broker) = (store.now().await.unwrap(), awards(place.next_story()), Broker::default());
        store.close().await;
        for award in &awards {
            broker.publish(approval(&key, award, now));
        }
        Self { place, awards, bank, broker: Arc::new(broker), protocol, keyring }
    }
}

impl Story for Payments<'_> {
    async fn process(&self, cut: Option<Cut>, name: &str) -> Ended {
        let life = Arc::new(Life::until(cut));
        let process = Process::open(self, life.clone()).await;
        match life.live(process.work()).await {
            None => Ended::Dead,
            Some(true) => Ended::AtRest,
            Some(false) => panic!("{name}: it never comes to rest:\n{:#?}", process.payouts().await),
        }
    }

    /// The bank's ledger; then that nothing is under way any more, in our books or in a queue.
    async fn judge(&self, name: &str) {
        let ledger = self.bank.bank.ledger();
        let credits = ledger.credits_by_instruction();
        for award in &self.awards {
            let id = &award.instruction.0;
            assert_eq!(credits.get(id), Some(&1), "{name}: credits of {id}");
            let entry = ledger.get(id).unwrap();
            assert_eq!((entry.amount, entry.account.as_str()), (award.amount, ACCOUNT), "{name}");
        }
        assert_eq!((credits.len(), ledger.total()), (self.awards.len(), total(&self.awards)), "{name}");
        assert_eq!(self.bank.bank.reproaches(), Vec::<String>::new(), "{name}");
        let store = self.place.open(&self.protocol).await;
        let figures = store.figures().await.unwrap();
        assert_eq!(figures.by_state.keys().collect::<Vec<_>>(), ["settled"], "{name}");
        assert_eq!(figures.funds[0].committed, figures.by_state["settled"].1, "{name}");
        assert_eq!((figures.outbox.0, self.broker.waiting()), (0, 0), "{name}");
        assert_eq!(figures.alarms_by_kind, BTreeMap::new(), "{name}: a crash is nothing to wake people for");
        let heard = self.broker.heard.lock().unwrap().clone();
        let told = heard.values().filter_map(|body| serde_json::from_slice::<serde_json::Value>(body).ok());
        let settled: Vec<_> = told.filter(|event| event["type"] == "payout.settled.v1").collect();
        for award in &self.awards {
            let told = settled.iter().filter(|event| event["subject"] == award.application.0.as_str()).count();
            assert_eq!(told, 1, "{name}: how often the world was told that {} is settled", award.application);
        }
        store.close().await;
    }
}

/// One process with all workers in it.
struct Process<'a> {
    story: &'a Payments<'a>,
    life: Arc<Life>,
    store: Arc<MortalStore>,
    bank: MortalBank,
    time: Arc<MovedTime>,
}

impl<'a> Process<'a> {
    async fn open(story: &'a Payments<'a>, life: Arc<Life>) -> Self {
        let store = story.place.open(&story.protocol).await;
        let link = HttpBank::new(HttpBankSettings {
            url: story.bank.url(),
            token: None,
            identity_pem: None,
            ca_pem: None,
            timeout: Duration::from_secs(20),
            settled_status: SettledStatus::Acsc,
            zone: zone(),
        });
        Self {
            story,
            store: Arc::new(MortalStore { store, life: life.clone() }),
            bank: MortalBank { link: link.unwrap(), life: life.clone() },
            time: Arc::new(MovedTime(story.place.clock.clone())),
            life,
        }
    }

    /// Whether it all came to rest.
    async fn work(&self) -> bool {
        for _ in 0..ROUNDS {
            self.take_in().await;
            if !self.turn().await {
                if self.is_at_rest().await {
                    return self.stays_at_rest().await;
                }
                self.story.place.clock.advance(IDLE_STEP);
            }
        }
        false
    }

    async fn take_in(&self) {
        let (_stop, stopped) = watch::channel(false);
        let door =
            Door { store: self.store.clone(), keyring: self.story.keyring.clone(), district: DISTRICT.to_owned() };
        let metrics = Arc::new(Metrics::new("test").unwrap());
        let worker = IntakeWorker { door, time: self.time.clone(), batch_max: 2, metrics };
        let consumer = MortalConsumer::new(self.story.broker.clone(), self.life.clone());
        zhida_intake::run(worker, Box::new(consumer), stopped).await;
    }

    /// One turn of everything else; whether anything was done.
    async fn turn(&self) -> bool {
        let settings = SendSettings {
            batch_max: self.story.protocol.rules.bank.batch_max,
            bank_timeout: Duration::from_secs(20),
            margin: Duration::from_secs(2),
            new_msg_id,
        };
        let sent = send_once(&*self.store, &self.bank, &*self.time, &settings).await.unwrap();
        let enquired = enquire_once(&*self.store, &self.bank, 2).await.unwrap();
        let swept = sweep_once(&*self.store, 2).await.unwrap();
        let publisher = MortalPublisher { broker: self.story.broker.clone(), life: self.life.clone() };
        let relayed = zhida_relay::relay_once(&*self.store, &publisher, 3).await.unwrap();
        sent != Sent::Nothing || enquired.asked > 0 || swept.leases_expired > 0 || !relayed.sent.is_empty()
    }

    async fn payouts(&self) -> Vec<Payout> {
        let mut payouts = Vec::new();
        for award in &self.story.awards {
            payouts.extend(self.store.store.payouts_of(&award.application).await.unwrap());
        }
        payouts
    }

    async fn is_at_rest(&self) -> bool {
        let payouts = self.payouts().await;
        let settled = payouts.iter().filter(|payout| payout.state() == PayoutState::Settled).count();
        let unsent = self.store.store.figures().await.unwrap().outbox.0;
        settled == self.story.awards.len() && unsent == 0 && self.story.broker.waiting() == 0
    }

    /// Days later nothing has moved.
    async fn stays_at_rest(&self) -> bool {
        let calls = self.story.bank.bank.calls().len();
        self.story.place.clock.advance(SignedDuration::from_hours(72));
        let moved = self.turn().await;
        !moved && self.story.bank.bank.calls().len() == calls
    }
}

fn zone() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap()
}

fn new_msg_id() -> MsgId {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    MsgId(format!("M-{}", NEXT.fetch_add(1, Ordering::Relaxed)))
}
