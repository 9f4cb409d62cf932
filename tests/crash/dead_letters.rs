//! What the broker gave up delivering goes into quarantine as it is, once, whenever its writer dies: acknowledged only when it
//! is written.

use crate::cut::{Cut, Life, Side};
use crate::district::DISTRICT;
use crate::place::Place;
use crate::ports::{Broker, MortalConsumer, MortalStore, MovedTime};
use jiff::tz::TimeZone;
use std::sync::Arc;
use tokio::sync::watch;
use zhida_adapters::providers::bank::Pain001Format;
use zhida_core::ports::store::{Protocol, ReadStore, Which};
use zhida_core::rules::Rules;
use zhida_intake::{DeadLetterWriter, Door, IntakeWorker, Keyring};
use zhida_monitoring::Metrics;

/// No JSON, no UTF-8: nobody may have looked.
const LETTER: &[u8] = b"\0\xc4\xe3\xba\xc3{";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_is_quarantined_unread_and_once() {
    let keyring = Arc::new(Keyring::default());
    let format = Arc::new(Pain001Format::new("示例区", TimeZone::UTC));
    let rules = Arc::new(Rules::with_defaults(DISTRICT));
    let protocol = Protocol { rules, format, verifier: keyring.clone() };
    for (step, side) in ["quarantine", "acknowledge"].iter().flat_map(|step| Side::ALL.map(|side| (*step, side))) {
        let place = Place::sqlite().await;
        let broker = Arc::new(Broker::default());
        broker.publish(LETTER.to_vec());
        for cut in [Some(Cut { step, side, nth: 1, waits: 1 }), None] {
            let (life, store) = (Arc::new(Life::until(cut)), place.open(&protocol).await);
            let store = Arc::new(MortalStore { store, life: life.clone() });
            let worker = IntakeWorker {
                door: Door { store, keyring: keyring.clone(), district: DISTRICT.to_owned() },
                time: Arc::new(MovedTime(place.clock.clone())),
                batch_max: 10,
                metrics: Arc::new(Metrics::new("test").unwrap()),
            };
            let consumer = Box::new(MortalConsumer::new(broker.clone(), life.clone()));
            let (_stop, stopped) = watch::channel(false);
            let writing = zhida_intake::run_dead_letters(DeadLetterWriter { worker }, consumer, stopped);
            assert_eq!(life.live(writing).await.is_none(), cut.is_some(), "{side:?} {step}");
        }
        let rows = place.open(&protocol).await.quarantine_rows(Which::All).await.unwrap();
        assert_eq!((rows.len(), broker.waiting()), (1, 0), "{side:?} {step}");
        assert_eq!((rows[0].item.reason_code.as_str(), &*rows[0].item.body), ("delivered_too_often", LETTER));
    }
}
