//! A supervision worker dies before, after and at every wait within intake and look: real stores, signed events through the real
//! door. Whatever dies, people are asked to be told the same, once, as where nobody died.

use crate::cut::{Cut, Life, Side};
use crate::district::{DISTRICT, KEYID, fund, policy};
use crate::place::Place;
use crate::ports::{Broker, MortalConsumer, MortalStore, MovedTime};
use jiff::civil::{Weekday, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;
use zhida_adapters::providers::bank::Pain001Format;
use zhida_config::sample_district::ORGANISATION_TOML;
use zhida_config::trusted_keys::{PublicKey, TrustedKey};
use zhida_core::ids::ApplicationId;
use zhida_core::ports::cases::CaseStore;
use zhida_core::ports::store::{OutboxStore, Protocol, ReadStore, ReferenceStore};
use zhida_core::ports::supervision::OrganisationStore;
use zhida_core::rules::Rules;
use zhida_intake::{Door, IntakeWorker, Keyring};
use zhida_monitoring::Metrics;
use zhida_schemas::organisation_file::OrganisationFile;
use zhida_schemas::signing::{SigningKey, sign};
use zhida_schemas::text::Id;

/// Between two rounds of a process; and how many there are: ten days.
const ROUND: SignedDuration = SignedDuration::from_hours(16);
const ROUNDS: u32 = 16;

/// When the decisions of those that are decided come in.
const DECIDED: u32 = 8;

struct Story<'a> {
    place: &'a Place,
    protocol: Protocol,
    keyring: Arc<Keyring>,
    key: SigningKey,
    broker: Arc<Broker>,
    number: u64,
    begins: Timestamp,
    decided: AtomicBool,
}

/// What people are asked to be told, and what went out: of which application, what measures the clock, which rung, whom.
type Told = BTreeSet<String>;

impl<'a> Story<'a> {
    async fn begin(place: &'a Place) -> Self {
        let key = SigningKey::generate().unwrap();
        let trusted = TrustedKey::for_everything(PublicKey(*key.public_key().as_bytes()));
        let keyring = Arc::new(Keyring::new(&BTreeMap::from([(KEYID.to_owned(), trusted)])));
        let format = Arc::new(Pain001Format::new("示例区", TimeZone::UTC));
        let rules = Arc::new(Rules::with_defaults(DISTRICT));
        let protocol = Protocol { rules, format, verifier: keyring.clone() };
        let store = place.open(&protocol).await;
        store.import_policies(&[fund()], &[policy()], "test").await.unwrap();
        let organisation = OrganisationFile::parse(ORGANISATION_TOML).unwrap().into();
        store.import_organisation(&organisation, "test").await.unwrap();
        // Every story begins on a Monday morning, in years without holidays, so that all of them are alike.
        let now = store.now().await.unwrap();
        store.close().await;
        let day = protocol.rules.zone.to_datetime(now).date().max(date(2040, 1, 1));
        let monday = day.nth_weekday(1, Weekday::Monday).unwrap();
        let begins = protocol.rules.zone.to_timestamp(monday.at(9, 0, 0, 0)).unwrap();
        place.clock.advance(begins.duration_since(now));
        let (broker, number) = (Arc::new(Broker::default()), place.next_story());
        let story = Self { place, protocol, keyring, key, broker, number, begins, decided: AtomicBool::new(false) };
        for application in 0..3 {
            story.send(
                application,
                "application.submitted.v1",
                "submitted_at",
                json!({"policy_id": "P-1",
                "enterprise": {"uscc": "91350100M000100Y43", "name": "示例科技有限责任公司"}}),
            );
            story.send(application, "application.accepted.v1", "at", json!({}));
            let assigned = json!({"stage": "first", "due_working_days": 1});
            story.send(application, "review.assigned.v1", "assigned_at", assigned);
        }
        story
    }

    /// A signed event of an application, at the beginning of the story or at its present.
    fn send(&self, application: u32, event_type: &str, at: &str, mut data: Value) {
        let subject = format!("A-{}-{application}", self.number);
        data["application_id"] = subject.clone().into();
        data[at] = self.begins.to_string().into();
        if event_type != "application.submitted.v1" {
            data["department_id"] = "D-SCI".into();
            data["officer_id"] = "O-101".into();
        }
        let mut event = json!({"specversion": "1.0", "id": format!("{event_type}-{subject}"), "source": "/review/crash",
            "type": event_type, "subject": subject, "time": self.begins.to_string(), "datacontenttype": "application/json",
            "data": data});
        sign(&mut event, &Id::parse(KEYID).unwrap(), &self.key).unwrap();
        self.broker.publish(event.to_string().into_bytes());
    }

    /// Processes that die at the cut, twice, and one that lives; what came of it, and whether anybody died.
    async fn told(&self, cut: Option<Cut>) -> (Told, bool) {
        let (mut round, mut deaths) = (0, 0);
        while round < ROUNDS {
            let life = Arc::new(Life::until(cut.filter(|_| deaths < 2)));
            let store = Arc::new(MortalStore { store: self.place.open(&self.protocol).await, life: life.clone() });
            let lived = life.live(self.process(store.clone(), &life, &mut round)).await;
            deaths += u32::from(lived.is_none());
            store.store.close().await;
        }
        (self.judge().await, deaths > 0)
    }

    /// Round after round, until it dies or the story is over.
    async fn process(&self, store: Arc<MortalStore>, life: &Arc<Life>, round: &mut u32) {
        while *round < ROUNDS {
            // What is sent once is sent, also when the process dies.
            if *round == DECIDED && !self.decided.swap(true, Ordering::SeqCst) {
                let decided = json!({"stage": "first", "decision": "approve"});
                self.send(1, "review.decided.v1", "decided_at", decided);
            }
            let (_stop, stopped) = watch::channel(false);
            let door = Door { store: store.clone(), keyring: self.keyring.clone(), district: DISTRICT.to_owned() };
            let time = Arc::new(MovedTime(self.place.clock.clone()));
            let metrics = Arc::new(Metrics::new("test").unwrap());
            let worker = IntakeWorker { door, time, batch_max: 4, metrics };
            let consumer = MortalConsumer::new(self.broker.clone(), life.clone());
            zhida_intake::run(worker, Box::new(consumer), stopped).await;
            while store.look_at_cases(2).await.unwrap() > 0 {}
            self.place.clock.advance(ROUND);
            *round += 1;
        }
    }

    async fn judge(&self) -> Told {
        let prefix = format!("A-{}-", self.number);
        let rungs = "select a.application_id || ' ' || a.kind || ' ' || r.level || ' ' || r.told from alert_rungs r \
            join alerts a on a.id = r.alert_id";
        let notices = "select n.application_id || ' ' || a.kind || ' ' || n.kind || ' ' || n.recipient || ' ' || n.occasion \
            from notice_requests n join alerts a on a.id = n.subject";
        let mut told = Told::new();
        for sql in [rungs, notices] {
            let rows = self.place.texts(sql).await;
            told.extend(rows.iter().filter_map(|row| row.strip_prefix(&prefix)).map(str::to_owned));
        }
        let store = self.place.open(&self.protocol).await;
        let mut rows: Vec<Value> = Vec::new();
        for application in 0..3 {
            let story = store.trace(&ApplicationId(format!("{prefix}{application}"))).await.unwrap();
            rows.extend(story.into_iter().map(|row| json!({"type": row.kind, "data": row.detail})));
        }
        loop {
            let out = store.claim_outbox(1_000).await.unwrap();
            store.outbox_sent(&out.iter().map(|row| row.id.clone()).collect::<Vec<_>>()).await.unwrap();
            rows.extend(out.iter().filter_map(|row| serde_json::from_slice::<Value>(&row.body).ok()));
            if out.is_empty() {
                break;
            }
        }
        store.close().await;
        for row in rows.iter().filter(|row| row["data"]["alert_id"].is_string()) {
            let (data, application) = (&row["data"], row["data"]["application_id"].as_str().unwrap());
            let what = format!("{} {application} {} {}", row["type"], data["measures"], data["level"]);
            assert!(told.insert(what.replace(&prefix, "")), "told twice: {what}");
        }
        told
    }
}

async fn deaths_at(place: Place) {
    let (undisturbed, _) = Story::begin(&place).await.told(None).await;
    // Three steps and three reviews, each with five rungs.
    assert_eq!(undisturbed.iter().filter(|line| line.contains("escalated_3 [")).count(), 6, "{undisturbed:#?}");
    let mut died = BTreeSet::new();
    for (step, side) in
        ["take_in", "acknowledge", "look_at_cases"].iter().flat_map(|step| Side::ALL.map(|side| (*step, side)))
    {
        // The first call, and one of later rounds, at which rungs are due.
        for nth in [1, 6] {
            let mut waits = 1;
            loop {
                let cut = Cut { step, side, nth, waits };
                let (told, dead) = Story::begin(&place).await.told(Some(cut)).await;
                assert_eq!(told, undisturbed, "{cut:?}");
                if dead {
                    died.insert((step, side));
                }
                // Further and further into the call, by growing strides, until it ends first.
                if side != Side::Within || !dead {
                    break;
                }
                waits += 1 + waits / 3;
            }
        }
    }
    assert_eq!(died.len(), 9, "somebody died everywhere: {died:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deaths_in_supervision_tell_everybody_once_on_sqlite() {
    deaths_at(Place::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deaths_in_supervision_tell_everybody_once_on_postgresql() {
    deaths_at(Place::postgres().await).await;
}
