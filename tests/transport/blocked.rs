//! A broker short of memory: publishing waits and is not believed, consuming goes on, and nothing need be rebuilt.

use std::time::Duration;

use zhida_adapters::transport::rabbitmq::{Queue, RabbitConsumer};
use zhida_core::ports::queue::{Published, Publisher};
use zhida_tests::link::Link;

use crate::broker::{consume, doorbell, private, relay, ring, settings, soon};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishing_waits_while_consuming_goes_on() {
    let server = private().await;
    let patient = relay(settings(server.url()));
    let link = Link::to(server.url()); // counts connections
    let mut hasty = settings(&link.url(server.url()));
    hasty.publish_timeout = Duration::from_secs(1);
    let hasty = relay(hasty);
    for publisher in [&patient, &hasty] {
        ring(publisher, "before").await;
    }
    let server = tokio::task::spawn_blocking(move || {
        server.raise_memory_alarm();
        server
    })
    .await
    .unwrap();

    // The broker blocks a connection with the first message after the alarm, which it may still take.
    let why = soon("the blockade", async {
        loop {
            if let [Published::NotConfirmed(why)] = &hasty.publish(&[doorbell("blocked")]).await[..] {
                return why.clone();
            }
        }
    })
    .await;
    assert!(why.contains("blocks publishing"), "{why}");
    let connections = link.connections();
    for id in 0..3 {
        let again = hasty.publish(&[doorbell(&format!("still blocked {id}"))]).await;
        assert!(matches!(&again[..], [Published::NotConfirmed(why)] if why.contains("blocks publishing")), "{again:?}");
    }

    let mut consumer = RabbitConsumer::new(settings(server.url()), Queue::Payout, 10);
    assert_eq!(consume(&mut consumer, 2).await, ["before", "before"]);

    let waiting = tokio::spawn(async move { patient.publish(&[doorbell("patient"), doorbell("patient too")]).await });
    let server = tokio::task::spawn_blocking(move || {
        server.clear_memory_alarm();
        server
    })
    .await
    .unwrap();
    assert_eq!(soon("the patient one", waiting).await.unwrap(), vec![Published::Confirmed; 2]);
    ring(&hasty, "after").await;
    assert_eq!(link.connections(), connections, "a blocked connection is waited for, not replaced");
    soon("all of them", async {
        let mut missing = vec!["patient", "patient too", "after"];
        while !missing.is_empty() {
            let taken = consume(&mut consumer, 1).await;
            missing.retain(|id| !taken.contains(&(*id).to_owned()));
        }
    })
    .await;
    drop(server);
}
