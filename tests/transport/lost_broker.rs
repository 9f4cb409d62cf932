//! The broker killed and restarted, or emptied, while both ends work: what was confirmed and kept arrives at least once,
//! and both ends go on by themselves.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};
use zhida_adapters::transport::rabbitmq::{Queue, RabbitConsumer, RabbitSettings, topology};
use zhida_core::ports::queue::{Consumer, Published, Publisher, QueueError};
use zhida_tests::servers::RabbitServer;

use crate::broker::{bodies, consume, doorbell, private, relay, ring, settings, soon};

/// RabbitMQ 3.10 writes the register of quorum queues lazily: killed within about a second of the declaration it comes
/// back with queues that have lost their messages or answer nobody. This makes it write.
fn settle(server: &RabbitServer) {
    server.control("eval dets:sync(ra_directory_reverse).");
    server.control("eval dets:sync(ra_log_meta).");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_confirmed_arrives_through_a_kill() {
    let server = private().await;
    let settings = settings(server.url());
    topology::declare_all(&settings).await.unwrap();
    let server = spawn_blocking(move || {
        settle(&server);
        server
    })
    .await
    .unwrap();

    let stop = Arc::new(AtomicBool::new(false));
    let (mut confirmed, publishing) = publish(settings.clone(), Arc::clone(&stop));
    let (mut taken, consuming) = take(settings);
    soon("traffic", taken.wait_for(|taken| taken.len() >= 200)).await.unwrap();
    let server = spawn_blocking(move || {
        server.kill9();
        server.start_again();
        server
    })
    .await
    .unwrap();
    let before = confirmed.borrow().len();
    soon("traffic after the kill", confirmed.wait_for(|confirmed| confirmed.len() >= before + 200)).await.unwrap();
    stop.store(true, Ordering::SeqCst);
    soon("the publisher", publishing).await.unwrap();
    let confirmed = confirmed.borrow().clone();
    let arrived = soon("everything confirmed", taken.wait_for(|taken| taken.is_superset(&confirmed))).await;
    assert!(arrived.is_ok());
    consuming.abort();
    drop(server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_broker_is_furnished_anew() {
    let server = private().await;
    let settings = settings(server.url());
    let publisher = relay(settings.clone());
    let mut consumer = RabbitConsumer::new(settings, Queue::Payout, 10);
    ring(&publisher, "before").await;
    assert_eq!(consume(&mut consumer, 1).await, ["before"]);
    let server = spawn_blocking(move || {
        server.empty();
        server.start_again();
        server
    })
    .await
    .unwrap();
    ring(&publisher, "after").await;
    assert_eq!(consume(&mut consumer, 1).await, ["after"]);
    drop(server);
}

type Ids = watch::Receiver<BTreeSet<String>>;

/// Publishes in batches until told to stop, and again what was not confirmed, as the relay does.
fn publish(settings: RabbitSettings, stop: Arc<AtomicBool>) -> (Ids, JoinHandle<()>) {
    let (teller, ids) = watch::channel(BTreeSet::new());
    let publishing = tokio::spawn(async move {
        let publisher = relay(settings);
        let mut batch = 0;
        while !stop.load(Ordering::SeqCst) {
            let messages: Vec<_> = (0..20).map(|index| doorbell(&format!("{batch}-{index}"))).collect();
            let results = publisher.publish(&messages).await;
            let confirmed = messages.into_iter().zip(results).filter(|(_, result)| *result == Published::Confirmed);
            teller.send_modify(|ids| ids.extend(confirmed.map(|(message, _)| message.message_id)));
            batch += 1;
        }
    });
    (ids, publishing)
}

/// Consumes and acknowledges without end.
fn take(settings: RabbitSettings) -> (Ids, JoinHandle<()>) {
    let (teller, ids) = watch::channel(BTreeSet::new());
    let consuming = tokio::spawn(async move {
        let mut consumer = RabbitConsumer::new(settings, Queue::Payout, 50);
        loop {
            let batch = match consumer.next_batch(50).await {
                Ok(batch) => batch,
                Err(QueueError::Disconnected(_)) => continue,
                Err(QueueError::Closed) => return,
            };
            let tags: Vec<_> = batch.iter().map(|delivery| delivery.tag).collect();
            teller.send_modify(|ids| ids.extend(bodies(&batch)));
            let _ = consumer.acknowledge(&tags).await; // lost connection: they come again
        }
    });
    (ids, consuming)
}
