//! A message delivered too often leaves the queue for the one of dead letters, its bytes untouched, and lies there until
//! somebody takes it.

use zhida_adapters::transport::rabbitmq::{Queue, RabbitConsumer};
use zhida_core::ports::queue::{Consumer, Published, Publisher};
use zhida_tests::servers::vhost;

use crate::broker::{consume, doorbell, event, next, notice_doorbell, relay, review_system, settings};

/// Deliveries before a message is dead-lettered (the queue's `x-delivery-limit`).
const DELIVERY_LIMIT: usize = 100;

#[tokio::test]
async fn an_event_given_back_too_often_arrives_intact_among_the_dead() {
    let vhost = vhost();
    let bytes: Vec<u8> = (0..=255).chain([0, 0xff, 0xc5, 0xfa]).collect();
    let sender = review_system(settings(vhost.url()));
    assert_eq!(sender.hand_in(&[event("1", &bytes), event("2", b"innocent")]).await, vec![Published::Confirmed; 2]);

    let mut intake = RabbitConsumer::new(settings(vhost.url()), Queue::Intake, 1);
    let mut deliveries = 0;
    loop {
        let batch = next(&mut intake, 1).await;
        if batch[0].body == b"innocent" {
            intake.acknowledge(&[batch[0].tag]).await.unwrap();
            break;
        }
        deliveries += 1;
        intake.give_back(&[batch[0].tag]).await.unwrap();
    }
    assert_eq!(deliveries, DELIVERY_LIMIT + 1);

    let mut dead = RabbitConsumer::new(settings(vhost.url()), Queue::IntakeDead, 1);
    // The writer of the quarantine fails more often than any limit of the first queue: nothing gets lost here.
    for _ in 0..DELIVERY_LIMIT + 20 {
        let batch = next(&mut dead, 1).await;
        assert_eq!(batch[0].body, bytes);
        dead.give_back(&[batch[0].tag]).await.unwrap();
    }
    let batch = next(&mut dead, 1).await;
    assert_eq!(batch[0].body, bytes);
    dead.acknowledge(&[batch[0].tag]).await.unwrap();
}

#[tokio::test]
async fn doorbells_given_back_too_often_arrive_among_the_dead() {
    let vhost = vhost();
    let publisher = relay(settings(vhost.url()));
    let bells = [doorbell("a"), notice_doorbell("b")];
    assert_eq!(publisher.publish(&bells).await, vec![Published::Confirmed; 2]);
    for queue in [Queue::Payout, Queue::Notice] {
        let mut consumer = RabbitConsumer::new(settings(vhost.url()), queue, 1);
        for _ in 0..=DELIVERY_LIMIT {
            let batch = next(&mut consumer, 1).await;
            consumer.give_back(&[batch[0].tag]).await.unwrap();
        }
    }
    let mut dead = RabbitConsumer::new(settings(vhost.url()), Queue::Dead, 1);
    assert_eq!(consume(&mut dead, 2).await, ["a", "b"]);
}
