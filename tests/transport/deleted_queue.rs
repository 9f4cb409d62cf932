//! A queue deleted while it is consumed: the worker is told that its deliveries are void, and the queue comes back.

use lapin::options::QueueDeleteOptions;
use zhida_adapters::transport::rabbitmq::{Queue, RabbitConsumer};
use zhida_core::ports::queue::{Consumer, QueueError};
use zhida_tests::servers::vhost;

use crate::broker::{bystander, next, relay, ring, settings, soon};

#[tokio::test]
async fn the_queue_is_declared_again_and_old_tags_are_void() {
    let vhost = vhost();
    let publisher = relay(settings(vhost.url()));
    let mut consumer = RabbitConsumer::new(settings(vhost.url()), Queue::Payout, 10);
    ring(&publisher, "before").await;
    let before = next(&mut consumer, 1).await;
    let (_connection, channel) = bystander(vhost.url()).await;
    channel.queue_delete(Queue::Payout.name().into(), QueueDeleteOptions::default()).await.unwrap();

    let lost = soon("the loss", consumer.next_batch(10)).await;
    assert!(matches!(&lost, Err(QueueError::Disconnected(why)) if why.contains("cancelled")), "{lost:?}");
    let consuming = tokio::spawn(async move {
        let batch = next(&mut consumer, 1).await;
        (consumer, batch)
    });
    ring(&publisher, "after").await; // unroutable until the consumer has declared the queue again
    let (mut consumer, after) = soon("the doorbell", consuming).await.unwrap();
    assert_eq!(after[0].body, b"after");
    assert_eq!(after[0].tag.number, before[0].tag.number, "the same number in another session");
    assert!(after[0].tag.session > before[0].tag.session);

    consumer.acknowledge(&[before[0].tag]).await.unwrap(); // must not settle its namesake
    consumer.close().await;
    let mut second = RabbitConsumer::new(settings(vhost.url()), Queue::Payout, 10);
    assert!(next(&mut second, 10).await.iter().any(|delivery| delivery.body == b"after"));
}
