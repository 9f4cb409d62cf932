//! A link that stalls with full buffers and is cut later, or never: the supervisors let go and come back.

use std::time::Duration;

use zhida_adapters::transport::rabbitmq::{Queue, RabbitConsumer, RabbitSettings};
use zhida_core::ports::queue::{Consumer, OutgoingMessage, Published, Publisher, QueueError};
use zhida_tests::link::Link;
use zhida_tests::servers::vhost;
use zhida_tests::waiting::wait_until;

use crate::broker::{consume, doorbell, next, relay, ring, settings, soon, world_event};

/// More than the buffers of both sockets and of the relay between hold.
fn flood() -> Vec<OutgoingMessage> {
    (0..128).map(|id| OutgoingMessage { body: vec![b'x'; 256 * 1024], ..world_event(&format!("flood-{id}")) }).collect()
}

#[tokio::test]
async fn a_link_cut_with_full_buffers_is_replaced() {
    let vhost = vhost();
    let link = Link::to(vhost.url());
    let mut hasty = settings(&link.url(vhost.url()));
    hasty.publish_timeout = Duration::from_secs(2);
    let publisher = relay(hasty.clone());
    let mut consumer = RabbitConsumer::new(hasty, Queue::Payout, 10);
    ring(&publisher, "before").await;
    assert_eq!(consume(&mut consumer, 1).await, ["before"]);

    link.stall();
    let flooded = publisher.publish(&flood()).await;
    assert!(flooded.iter().all(|result| matches!(result, Published::NotConfirmed(_))), "{:?}", flooded[0]);
    let lost = soon("the loss", consumer.next_batch(1)).await;
    assert!(matches!(lost, Err(QueueError::Disconnected(_))), "{lost:?}");
    link.cut();
    link.restore();
    ring(&publisher, "after").await;
    // The first one's acknowledgement may have been lost with the link: then it comes once more.
    let mut came = consume(&mut consumer, 1).await;
    if came == ["before"] {
        came = consume(&mut consumer, 1).await;
    }
    assert_eq!(came, ["after"]);
}

#[tokio::test]
async fn a_link_that_stays_stalled_leaves_nothing_behind() {
    let vhost = vhost();
    let link = Link::to(vhost.url());
    // The heartbeat would notice after two minutes, longer than this test waits: it must be the time limit's doing.
    let url = format!("{}?heartbeat=60", link.url(vhost.url()));
    let mut hasty = RabbitSettings::new(&url, "zhida test").unwrap();
    hasty.publish_timeout = Duration::from_secs(2);
    let publisher = relay(hasty);
    ring(&publisher, "before").await;
    link.stall();
    let flooded = publisher.publish(&flood()).await;
    assert!(flooded.iter().all(|result| matches!(result, Published::NotConfirmed(_))));
    // The socket takes no bytes and nobody closes it; lapin's thread must end nevertheless.
    wait_until("the end of lapin's threads", Duration::from_secs(60), async || (io_threads() == 0).then_some(())).await;
}

/// Threads of lapin in this process; the tests run in a process each.
fn io_threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("this test reads Linux's list of threads");
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.starts_with("lapin-io-loop")).count()
}

#[tokio::test]
async fn a_publication_given_up_half_way_leaves_a_clean_publisher() {
    let vhost = vhost();
    let publisher = relay(settings(vhost.url()));
    ring(&publisher, "before").await;
    for id in 0..20 {
        let messages = [doorbell(&format!("given-up-{id}")), world_event("x")];
        let given_up = tokio::time::timeout(Duration::from_micros(50 * id), publisher.publish(&messages)).await;
        drop(given_up); // whether it was in time does not matter
        assert_eq!(publisher.publish(&[doorbell(&id.to_string())]).await, [Published::Confirmed]);
    }
    let mut consumer = RabbitConsumer::new(settings(vhost.url()), Queue::Payout, 100);
    let mut missing: Vec<Vec<u8>> = (0..20).map(|id| id.to_string().into_bytes()).collect();
    while !missing.is_empty() {
        let batch = next(&mut consumer, 100).await;
        missing.retain(|id| !batch.iter().any(|delivery| delivery.body == *id));
    }
}
