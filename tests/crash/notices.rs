//! A notice worker dies before, within and after every step that something durable depends on: the worker's own steps, the real
//! stores, the sandbox's gateway of SMS over HTTP. Judged by the gateway: everybody is told once, no message was handed in twice under
//! its name, and everything is at rest. Nothing here waits: the database's clock is moved instead.

use crate::cut::{Cut, Life, Side};
use crate::district::DISTRICT;
use crate::place::Place;
use crate::ports::MortalStore;
use crate::story::{Ended, Story};
use async_trait::async_trait;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use zhida_adapters::providers::bank::Pain001Format;
use zhida_adapters::store::StoreClock;
use zhida_config::Settings;
use zhida_core::ids::ApplicationId;
use zhida_core::notice::{Channel, Notice, NoticeKind, NoticeRequest, NoticeState, ProviderRules};
use zhida_core::ports::notices::{NoticeFilter, NoticeStore};
use zhida_core::ports::sms::{
    AskOutcome, DeliveryWord, Push, PushRead, Question, Receipt, SendOutcome, Sms, SmsProvider, Trust,
    UnreadableReceipt,
};
use zhida_core::ports::store::{OutboxStore, Protocol, ReadStore};
use zhida_core::ports::time::Time;
use zhida_core::rules::Rules;
use zhida_intake::Keyring;
use zhida_monitoring::Metrics;
use zhida_notice::{Hands, notice_once};
use zhida_sandbox::{Sandbox, SandboxSettings, SmsFault, SmsTarget, Vendor};

/// What the gateway does with the first message it gets; afterwards it is well.
#[derive(Clone, Copy, Debug)]
enum Weather {
    /// Sends it and says so.
    Fair,
    /// Sends it, and the connection breaks before the answer.
    SentUnanswered,
    /// Loses it, and the connection breaks.
    Lost,
}

impl Weather {
    fn faults(self) -> Vec<SmsFault> {
        match self {
            Self::Fair => Vec::new(),
            Self::SentUnanswered => vec![SmsFault::AcceptReset],
            Self::Lost => vec![SmsFault::Reset],
        }
    }
}

/// Calls of the worker's ports, in the order in which a notice meets them.
const STEPS: [&str; 6] = ["make_notices", "take_errands", "send", "book_errands", "book_receipts", "ask"];

/// People who are to be told something in one story.
const PEOPLE: u64 = 3;

/// Rounds within which everything must be at rest; each without work moves the clock on.
const ROUNDS: usize = 60;
const IDLE_STEP: SignedDuration = SignedDuration::from_secs(61);

struct Telling<'a> {
    place: &'a Place,
    protocol: Protocol,
    sandbox: Sandbox,
    people: Vec<String>,
    /// Messages of which the gateway was told that its receipt was taken.
    answered: Mutex<BTreeSet<String>>,
}

impl<'a> Telling<'a> {
    async fn begin(place: &'a Place, weather: Weather) -> Self {
        let sandbox = Sandbox::start(SandboxSettings::default()).await.unwrap();
        sandbox.sms.script(SmsTarget::Vendor(Vendor::Webhook), [weather.faults()]);
        let mut rules = Rules::with_defaults(DISTRICT);
        rules.notices.signature = Some("鼓楼直达".to_owned());
        rules.notices.quiet = None;
        rules.notices.providers = vec![ProviderRules::of_texts("main", Channel::Sms)];
        let (format, verifier) = (Arc::new(Pain001Format::new("示例区", TimeZone::UTC)), Arc::new(Keyring::default()));
        let protocol = Protocol { rules: Arc::new(rules), format, verifier };
        let number = place.next_story();
        let people: Vec<String> = (0..PEOPLE).map(|one| format!("+86138{number:06}{one:02}")).collect();
        let store = place.open(&protocol).await;
        let request = |recipient: &String| NoticeRequest {
            kind: NoticeKind::Test,
            subject: format!("story-{number}"),
            recipient: recipient.clone(),
            occasion: "once".to_owned(),
            application_id: ApplicationId(format!("story-{number}")),
        };
        let requests: Vec<NoticeRequest> = people.iter().map(request).collect();
        assert_eq!(u64::from(store.ask_for_notices(&requests).await.unwrap()), PEOPLE);
        store.close().await;
        Self { place, protocol, sandbox, people, answered: Mutex::default() }
    }

    /// Whether it all came to rest.
    async fn work(&self, store: &MortalStore, hands: &Hands) -> bool {
        for _ in 0..ROUNDS {
            let made = store.make_notices(2).await.unwrap();
            let carried = notice_once(store, hands, 2).await.unwrap();
            let pushed = self.receipts(store).await;
            if made == 0 && carried == 0 && pushed == 0 {
                if self.notices(store).await.iter().all(|one| one.state() == NoticeState::Delivered) {
                    return true;
                }
                self.place.clock.advance(IDLE_STEP);
            }
        }
        false
    }

    /// The gateway pushes a receipt until it hears that it was taken; how many were.
    async fn receipts(&self, store: &MortalStore) -> usize {
        let answered = self.answered.lock().unwrap().clone();
        let entries = self.sandbox.sms.ledger();
        let new: Vec<_> = entries.into_iter().filter(|one| !answered.contains(&one.out_id)).take(2).collect();
        let receipt = |one: &zhida_sandbox::SmsEntry| Receipt {
            out_id: one.out_id.clone(),
            provider_id: Some(one.provider_id.clone()),
            to: Some(one.to.clone()),
            word: DeliveryWord::Delivered { at: Some(one.at) },
        };
        let receipts: Vec<Receipt> = new.iter().map(receipt).collect();
        if !receipts.is_empty() {
            store.book_receipts("main", Trust::Signed, &receipts).await.unwrap();
        }
        self.answered.lock().unwrap().extend(new.iter().map(|one| one.out_id.clone()));
        receipts.len()
    }

    async fn notices(&self, store: &MortalStore) -> Vec<Notice> {
        let mut found = Vec::new();
        for recipient in &self.people {
            let filter = NoticeFilter { recipient: Some(recipient.clone()), ..NoticeFilter::default() };
            found.extend(store.store.notices(&filter).await.unwrap());
        }
        found
    }

    /// The gateway as the settings of a process name it.
    fn link(&self) -> Arc<dyn SmsProvider> {
        let url = self.sandbox.sms.url(Vendor::Webhook);
        let key = self.sandbox.sms.settings().webhook_key.clone();
        let fields = [("kind", "webhook".to_owned()), ("url", url), ("key", key)];
        let flags = fields.map(|(field, value)| (format!("notices.sms.main.{field}"), value));
        let settings = Settings::load(&flags, [], None).unwrap();
        zhida_adapters::providers::sms::open("main", &settings.sms["main"]).unwrap()
    }

    /// Of each notice one word that it was delivered, and at most one that it was sent, and none that it failed.
    async fn world_heard_once(&self, mortal: &MortalStore, notices: &[Notice], name: &str) {
        let mut words: BTreeMap<(String, String), u32> = BTreeMap::new();
        loop {
            let out = mortal.store.claim_outbox(1_000).await.unwrap();
            mortal.store.outbox_sent(&out.iter().map(|row| row.id.clone()).collect::<Vec<_>>()).await.unwrap();
            for event in out.iter().filter_map(|row| serde_json::from_slice::<serde_json::Value>(&row.body).ok()) {
                let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
                *words.entry((text(&event["data"]["notice_id"]), text(&event["type"]))).or_default() += 1;
            }
            if out.is_empty() {
                break;
            }
        }
        for notice in notices {
            let heard = |word: &str| words.get(&(notice.id.clone(), word.to_owned())).copied().unwrap_or(0);
            let all = ["notice.delivered.v1", "notice.failed.v1"].map(heard);
            assert_eq!(all, [1, 0], "{name}: {words:?}");
            assert!(heard("notice.sent.v1") <= 1, "{name}: {words:?}");
        }
    }
}

impl Story for Telling<'_> {
    async fn process(&self, cut: Option<Cut>, name: &str) -> Ended {
        let life = Arc::new(Life::until(cut));
        let store = Arc::new(MortalStore { store: self.place.open(&self.protocol).await, life: life.clone() });
        let link = self.link();
        let hands = Hands {
            sms: BTreeMap::from([(
                "main".to_owned(),
                Arc::new(Mortal { link, life: life.clone() }) as Arc<dyn SmsProvider>,
            )]),
            mail: None,
            time: Arc::new(Stopwatch(self.place.clock.clone())),
            lease: Duration::from_secs(60),
            margin: Duration::from_secs(2),
            metrics: Arc::new(Metrics::new("test").unwrap()),
        };
        let lived = life.live(self.work(&store, &hands)).await;
        store.store.close().await;
        Ended::of(lived, name)
    }

    async fn judge(&self, name: &str) {
        let ledger = self.sandbox.sms.ledger();
        for person in &self.people {
            let told = ledger.iter().filter(|one| one.to == *person).count();
            assert_eq!(told, 1, "{name}: messages to one number");
        }
        assert_eq!(ledger.len(), self.people.len(), "{name}");
        let calls = self.sandbox.sms.calls();
        let distinct: BTreeSet<&String> = calls.iter().map(|(_, out_id)| out_id).collect();
        assert_eq!(distinct.len(), calls.len(), "{name}: handed in twice under one name: {calls:?}");
        assert_eq!(self.sandbox.sms.reproaches(), Vec::<String>::new(), "{name}");
        let store = self.place.open(&self.protocol).await;
        let life = Arc::new(Life::until(None));
        let mortal = MortalStore { store, life };
        let notices = self.notices(&mortal).await;
        assert_eq!(notices.len(), self.people.len(), "{name}: one notice for each");
        for notice in &notices {
            assert_eq!((notice.state(), notice.next_at()), (NoticeState::Delivered, None), "{name}");
            let attempts = notice.messages.iter().flat_map(|message| &message.attempts);
            assert_eq!(attempts.filter(|one| one.beside_doubt).count(), 0, "{name}: nothing was sent beside a doubt");
        }
        self.world_heard_once(&mortal, &notices, name).await;
        assert_eq!(mortal.store.figures().await.unwrap().alarms_by_kind, BTreeMap::new(), "{name}");
        mortal.store.close().await;
    }
}

/// The wire to the gateway, of one process.
struct Mortal {
    link: Arc<dyn SmsProvider>,
    life: Arc<Life>,
}

#[async_trait]
impl SmsProvider for Mortal {
    async fn send(&self, sms: &Sms) -> SendOutcome {
        self.life.call("send", self.link.send(sms)).await
    }

    async fn ask(&self, question: &Question) -> AskOutcome {
        self.life.call("ask", self.link.ask(question)).await
    }

    fn read_push(&self, push: &Push<'_>) -> Result<PushRead, UnreadableReceipt> {
        self.link.read_push(push)
    }

    fn timeout(&self) -> Duration {
        self.link.timeout()
    }
}

/// The stopwatch shows how far the database's clock was moved. Nobody waits for time limits here: calls end by themselves.
pub(crate) struct Stopwatch(pub(crate) StoreClock);

#[async_trait]
impl Time for Stopwatch {
    fn elapsed(&self) -> Duration {
        let micros = self.0.offset_micros.load(std::sync::atomic::Ordering::SeqCst);
        Duration::from_micros(u64::try_from(micros).unwrap())
    }

    async fn pause(&self, _: Duration) {
        std::future::pending().await
    }
}

/// Whether anybody died.
async fn lives_and_dies(place: &Place, cut: Cut, weather: Weather) -> bool {
    let name = format!("{cut:?}, {weather:?}");
    let story = Telling::begin(place, weather).await;
    let died = story.lives_and_dies(cut, &name).await;
    story.sandbox.stop().await;
    died
}

/// What the gateway does, and at which call of the step the process dies. Each story takes a server many round trips: there the first
/// call of each step is enough.
const OCCASIONS: [(Weather, u32); 5] = [
    (Weather::Fair, 1),
    (Weather::SentUnanswered, 1),
    (Weather::Lost, 1),
    (Weather::Fair, 2),
    (Weather::SentUnanswered, 2),
];

async fn deaths_at(place: Place, occasions: &[(Weather, u32)]) {
    let mut died = BTreeSet::new();
    for (step, side) in STEPS.iter().flat_map(|step| Side::ALL.map(|side| (*step, side))) {
        for (weather, nth) in occasions.iter().copied() {
            let mut waits = 1;
            // Within: further and further into the call, by growing strides, until it ends first.
            while lives_and_dies(&place, Cut { step, side, nth, waits }, weather).await {
                died.insert((step, side));
                if side != Side::Within {
                    break;
                }
                waits = 2 * waits + 1;
            }
        }
    }
    let everywhere: BTreeSet<_> = STEPS.iter().flat_map(|step| Side::ALL.map(|side| (*step, side))).collect();
    assert_eq!(died, everywhere, "somebody died everywhere");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deaths_of_notice_workers_tell_everybody_once_on_sqlite() {
    deaths_at(Place::sqlite().await, &OCCASIONS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deaths_of_notice_workers_tell_everybody_once_on_postgresql() {
    deaths_at(Place::postgres().await, &OCCASIONS[1..3]).await;
}
