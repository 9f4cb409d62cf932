//! A notice worker that sends mails which may never go twice dies before, within and after every step, and so does the verb that tries a
//! channel: real stores, a mail server and a folder of bounces that remember. Judged by the mail server: nobody got two, and whoever
//! got none is not told of as sent. Every mail bounces as a forger would have it, and nothing goes again for that.

use crate::cut::{Cut, Life, Side};
use crate::district::DISTRICT;
use crate::notices::Stopwatch;
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
use zhida_core::ids::ApplicationId;
use zhida_core::notice::{Channel, KindRules, Notice, NoticeKind, NoticeRequest, NoticeState, ProviderRules, Repeat};
use zhida_core::ports::mail::{BounceReader, Mail, MailProvider};
use zhida_core::ports::notices::{NoticeFilter, NoticeStore};
use zhida_core::ports::sms::{DeliveryWord, Receipt, RefusalClass, SendOutcome};
use zhida_core::ports::store::Protocol;
use zhida_core::rules::Rules;
use zhida_intake::Keyring;
use zhida_monitoring::Metrics;
use zhida_notice::{Hands, MAIL, bounces_once, notice_once};

/// Calls of the ports, in the order in which a mail meets them.
const STEPS: [&str; 8] =
    ["try_notice", "make_notices", "take_errands", "send_mail", "book_errands", "read", "book_receipts", "done"];

/// People who are told by the worker; one more is told by a trial.
const PEOPLE: usize = 2;

/// Rounds within which everything must be at rest; each without work moves the clock on.
const ROUNDS: usize = 60;
const IDLE_STEP: SignedDuration = SignedDuration::from_mins(5);

/// Whether the first answer of the mail server arrives.
#[derive(Clone, Copy, Debug)]
enum Weather {
    Fair,
    Unanswered,
}

/// What the world outside remembers: mails as they were taken in, and bounces that were put away.
#[derive(Default)]
struct Outside {
    mails: Mutex<Vec<(String, String)>>,
    put_away: Mutex<BTreeSet<String>>,
}

struct Mailing<'a> {
    place: &'a Place,
    protocol: Protocol,
    weather: Weather,
    requests: Vec<NoticeRequest>,
    outside: Arc<Outside>,
}

impl<'a> Mailing<'a> {
    async fn begin(place: &'a Place, weather: Weather) -> Self {
        let mut rules = Rules::with_defaults(DISTRICT);
        rules.notices.quiet = None;
        rules.notices.kinds.insert(NoticeKind::Test, KindRules { repeat: Some(Repeat::Never), channels: None });
        rules.notices.providers = vec![ProviderRules::of_texts(MAIL, Channel::Mail)];
        let (format, verifier) = (Arc::new(Pain001Format::new("示例区", TimeZone::UTC)), Arc::new(Keyring::default()));
        let protocol = Protocol { rules: Arc::new(rules), format, verifier };
        let number = place.next_story();
        let request = |person: usize| NoticeRequest {
            kind: NoticeKind::Test,
            subject: format!("story-{number}"),
            recipient: format!("p{number}-{person}@example.com"),
            occasion: "once".to_owned(),
            application_id: ApplicationId(format!("story-{number}")),
        };
        let requests: Vec<NoticeRequest> = (0..=PEOPLE).map(request).collect();
        let store = place.open(&protocol).await;
        store.ask_for_notices(&requests[1..]).await.unwrap();
        store.close().await;
        Self { place, protocol, weather, requests, outside: Arc::default() }
    }

    /// Whether it all came to rest.
    async fn work(&self, store: &MortalStore, hands: &Hands, outside: &Mortal) -> bool {
        let taken_at = hands.time.elapsed();
        for errand in store.try_notice(&self.requests[0], &self.requests[0].recipient).await.unwrap() {
            let end = hands.carry(errand, taken_at).await;
            store.book_errands(&[end]).await.unwrap();
        }
        for _ in 0..ROUNDS {
            let made = store.make_notices(2).await.unwrap();
            let carried = notice_once(store, hands, 2).await.unwrap();
            let bounced = bounces_once(store, outside, 2).await.unwrap();
            if made == 0 && carried == 0 && bounced.booked + bounced.repeated == 0 {
                let notices = self.notices(store).await;
                if notices.len() == self.requests.len() && notices.iter().all(|one| one.next_at().is_none()) {
                    return true;
                }
                self.place.clock.advance(IDLE_STEP);
            }
        }
        false
    }

    async fn notices(&self, store: &MortalStore) -> Vec<Notice> {
        let application_id = Some(self.requests[0].subject.clone());
        store.store.notices(&NoticeFilter { application_id, ..NoticeFilter::default() }).await.unwrap()
    }
}

impl Story for Mailing<'_> {
    async fn process(&self, cut: Option<Cut>, name: &str) -> Ended {
        let life = Arc::new(Life::until(cut));
        let store = MortalStore { store: self.place.open(&self.protocol).await, life: life.clone() };
        let outside = Mortal { outside: self.outside.clone(), weather: self.weather, life: life.clone() };
        let outside = Arc::new(outside);
        let hands = Hands {
            sms: BTreeMap::new(),
            mail: Some(outside.clone()),
            time: Arc::new(Stopwatch(self.place.clock.clone())),
            lease: Duration::from_secs(60),
            margin: Duration::from_secs(2),
            metrics: Arc::new(Metrics::new("test").unwrap()),
        };
        let lived = life.live(self.work(&store, &hands, &outside)).await;
        store.store.close().await;
        Ended::of(lived, name)
    }

    async fn judge(&self, name: &str) {
        let life = Arc::new(Life::until(None));
        let store = MortalStore { store: self.place.open(&self.protocol).await, life };
        let mails = self.outside.mails.lock().unwrap().clone();
        let notices = self.notices(&store).await;
        assert_eq!(notices.len(), self.requests.len(), "{name}: one notice for each");
        for notice in &notices {
            let got = mails.iter().filter(|(to, _)| *to == notice.recipient).count();
            let attempts: Vec<_> = notice.messages.iter().flat_map(|message| &message.attempts).collect();
            assert_eq!(attempts.iter().filter(|one| one.beside_doubt).count(), 0, "{name}");
            match notice.state() {
                NoticeState::Sent => assert_eq!(got, 1, "{name}: {notice:?}"),
                // Nobody could say whether it was sent.
                NoticeState::GaveUp => assert!(got <= 1, "{name}: {got} mails, {notice:?}"),
                other => panic!("{name}: it ended as {other:?}: {notice:?}"),
            }
            let said_lost = notice.messages.iter().any(|one| one.attempts.iter().any(|call| one.is_said_lost(call)));
            assert_eq!(said_lost, got == 1, "{name}: each mail bounced");
            let view = store.store.notice(&notice.id).await.unwrap().unwrap();
            assert_eq!(view.receipts.len(), got, "{name}: each bounce is on record once");
        }
        store.store.close().await;
    }
}

/// The mail server and the folder of bounces, as one process sees them.
struct Mortal {
    outside: Arc<Outside>,
    weather: Weather,
    life: Arc<Life>,
}

#[async_trait]
impl MailProvider for Mortal {
    async fn send(&self, mail: &Mail) -> SendOutcome {
        let takes = async {
            let mut mails = self.outside.mails.lock().unwrap();
            mails.push((mail.to.clone(), mail.out_id.clone()));
            match self.weather {
                Weather::Unanswered if mails.len() == 1 => SendOutcome::Doubtful { why: "no answer".to_owned() },
                Weather::Fair | Weather::Unanswered => SendOutcome::Accepted { provider_id: None, segments: None },
            }
        };
        self.life.call("send_mail", takes).await
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(10)
    }
}

#[async_trait]
impl BounceReader for Mortal {
    async fn read(&self, max: usize) -> Result<Vec<(String, Receipt)>, String> {
        let reads = async {
            let put_away = self.outside.put_away.lock().unwrap();
            let mails = self.outside.mails.lock().unwrap();
            let word =
                DeliveryWord::Undelivered { class: RefusalClass::Busy, code: "5.2.2".to_owned(), text: String::new() };
            let bounce = |(to, out_id): &(String, String)| {
                let receipt =
                    Receipt { out_id: out_id.clone(), provider_id: None, to: Some(to.clone()), word: word.clone() };
                (out_id.clone(), receipt)
            };
            Ok(mails.iter().filter(|(_, name)| !put_away.contains(name)).take(max).map(bounce).collect())
        };
        self.life.call("read", reads).await
    }

    async fn done(&self, names: &[String]) -> Result<(), String> {
        let puts_away = async {
            self.outside.put_away.lock().unwrap().extend(names.iter().cloned());
            Ok(())
        };
        self.life.call("done", puts_away).await
    }
}

/// Whether anybody died.
async fn lives_and_dies(place: &Place, cut: Cut, weather: Weather) -> bool {
    let name = format!("{cut:?}, {weather:?}");
    let story = Mailing::begin(place, weather).await;
    story.lives_and_dies(cut, &name).await
}

async fn deaths_at(place: Place, weathers: &[Weather]) {
    let mut died = BTreeSet::new();
    for (step, side) in STEPS.iter().flat_map(|step| Side::ALL.map(|side| (*step, side))) {
        for weather in weathers.iter().copied() {
            if lives_and_dies(&place, Cut { step, side, nth: 1, waits: 1 }, weather).await {
                died.insert((step, side));
            }
        }
    }
    let everywhere: BTreeSet<_> = STEPS.iter().flat_map(|step| Side::ALL.map(|side| (*step, side))).collect();
    assert_eq!(died, everywhere, "somebody died everywhere");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deaths_of_whoever_serves_by_mail_serve_nobody_twice_on_sqlite() {
    deaths_at(Place::sqlite().await, &[Weather::Fair, Weather::Unanswered]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deaths_of_whoever_serves_by_mail_serve_nobody_twice_on_postgresql() {
    deaths_at(Place::postgres().await, &[Weather::Unanswered]).await;
}
