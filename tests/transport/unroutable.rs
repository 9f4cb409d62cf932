//! A doorbell that reaches no queue is told from one that did, in one publication and by its own id; a message the
//! broker cannot take is refused without harm to its neighbours.

use lapin::options::QueueDeleteOptions;
use lapin::types::FieldTable;
use zhida_adapters::transport::rabbitmq::{Queue, RabbitConsumer};
use zhida_core::ports::queue::{Published, Publisher};
use zhida_tests::servers::vhost;

use crate::broker::{bystander, consume, doorbell, event, relay, review_system, ring, settings, world_event};

#[tokio::test]
async fn an_unroutable_doorbell_is_reported_and_the_world_is_not() {
    let vhost = vhost();
    let publisher = relay(settings(vhost.url()));
    ring(&publisher, "declared").await;
    let (_connection, channel) = bystander(vhost.url()).await;
    channel.queue_delete(Queue::Payout.name().into(), QueueDeleteOptions::default()).await.unwrap();

    let mut messages = Vec::new();
    let mut expected = Vec::new();
    for id in 0..50 {
        messages.push(world_event(&format!("world-{id}")));
        expected.push(Published::Confirmed);
        messages.push(doorbell(&format!("doorbell-{id}")));
        expected.push(Published::Unroutable);
    }
    assert_eq!(publisher.publish(&messages).await, expected);
    // The connection is still good: what was wrong was not its fault.
    assert_eq!(publisher.publish(&[world_event("after")]).await, [Published::Confirmed]);
}

#[tokio::test]
async fn a_sender_learns_that_nobody_takes_his_event() {
    let vhost = vhost();
    let sender = review_system(settings(vhost.url()));
    assert_eq!(sender.hand_in(&[event("1", b"{}")]).await, [Published::Confirmed]);
    let (_connection, channel) = bystander(vhost.url()).await;
    let (queue, exchange) = (Queue::Intake.name().into(), "zhida.in".into());
    channel.queue_unbind(queue, exchange, "#".into(), FieldTable::default()).await.unwrap();
    let results = sender.hand_in(&[event("2", b"{}"), event("3", b"{}")]).await;
    assert_eq!(results, [Published::Unroutable, Published::Unroutable]);
}

#[tokio::test]
async fn a_message_that_cannot_be_written_is_refused_alone() {
    let vhost = vhost();
    let sender = review_system(settings(vhost.url()));
    let mut long = event("2", b"two");
    long.routing_key = "x".repeat(256);
    let results = sender.hand_in(&[event("1", b"one"), long, event("3", b"three")]).await;
    assert_eq!((&results[0], &results[2]), (&Published::Confirmed, &Published::Confirmed));
    let Published::NotConfirmed(why) = &results[1] else { panic!("{results:?}") };
    assert!(why.contains("routing key"), "{why}");
    let mut intake = RabbitConsumer::new(settings(vhost.url()), Queue::Intake, 10);
    assert_eq!(consume(&mut intake, 2).await, ["one", "three"]);
}
