//! What every transport of doorbells promises: one suite, run over both.

use std::time::Duration;

use zhida_adapters::transport::embedded::EmbeddedQueue;
use zhida_adapters::transport::rabbitmq::{Queue, RabbitConsumer};
use zhida_core::ports::queue::{Consumer, DeliveryTag, Published, Publisher, QueueError};
use zhida_tests::servers::vhost;

use crate::broker::{bodies, consume, doorbell, next, notice_doorbell, relay, ring, settings, soon, world_event};

/// One transport: its publisher, and a new consumer of its doorbells as often as asked.
struct Transport {
    publisher: Box<dyn Publisher>,
    consumer: Box<dyn Fn() -> Box<dyn Consumer>>,
    notices: Box<dyn Fn() -> Box<dyn Consumer>>,
}

fn embedded() -> Transport {
    let queue = EmbeddedQueue::new(100);
    let other = queue.clone();
    Transport {
        publisher: Box::new(queue.publisher()),
        consumer: Box::new(move || Box::new(queue.doorbell())),
        notices: Box::new(move || Box::new(other.notice_doorbell())),
    }
}

fn rabbit(url: &str) -> Transport {
    let settings = settings(url);
    let consumer = |queue: Queue| -> Box<dyn Fn() -> Box<dyn Consumer>> {
        let settings = settings.clone();
        Box::new(move || Box::new(RabbitConsumer::new(settings.clone(), queue, 10)))
    };
    let (payout, notice) = (consumer(Queue::Payout), consumer(Queue::Notice));
    Transport { publisher: Box::new(relay(settings)), consumer: payout, notices: notice }
}

macro_rules! both {
    ($($case:ident)*) => {
        mod over_memory {
            $(#[tokio::test] async fn $case() { super::$case(super::embedded()).await })*
        }
        mod over_rabbitmq {
            $(#[tokio::test] async fn $case() {
                let vhost = super::vhost();
                super::$case(super::rabbit(vhost.url())).await
            })*
        }
    };
}

both! {
    delivers_in_order_and_forgets_what_is_acknowledged
    a_batch_takes_what_is_there_and_no_more_than_asked
    given_back_is_delivered_again
    closing_gives_back
    dropping_gives_back
    a_closed_consumer_says_so
    tags_of_others_are_ignored
    giving_up_a_wait_loses_nothing
    the_world_is_confirmed_without_listeners
    an_empty_publication_is_empty
    bells_of_notices_reach_the_notice_workers_alone
}

async fn delivers_in_order_and_forgets_what_is_acknowledged(transport: Transport) {
    let mut consumer = (transport.consumer)();
    for id in ["a", "b", "c"] {
        ring(&*transport.publisher, id).await;
    }
    let first = next(&mut *consumer, 1).await;
    assert_eq!((bodies(&first), first[0].routing_key.as_str()), (vec!["a".to_owned()], "zhida.payout.v1"));
    consumer.acknowledge(&[first[0].tag]).await.unwrap();
    assert_eq!(consume(&mut *consumer, 2).await, ["b", "c"]);
    consumer.close().await;
    ring(&*transport.publisher, "d").await;
    assert_eq!(consume(&mut *(transport.consumer)(), 1).await, ["d"], "the acknowledged ones came back");
}

async fn a_batch_takes_what_is_there_and_no_more_than_asked(transport: Transport) {
    let messages: Vec<_> = ["a", "b", "c", "d"].map(doorbell).into();
    assert_eq!(transport.publisher.publish(&messages).await, vec![Published::Confirmed; 4]);
    let mut consumer = (transport.consumer)();
    let first = next(&mut *consumer, 3).await;
    assert!((1..=3).contains(&first.len()), "{}", first.len());
    let mut taken = bodies(&first);
    taken.extend(consume(&mut *consumer, 4 - first.len()).await);
    assert_eq!(taken, ["a", "b", "c", "d"]);
}

async fn given_back_is_delivered_again(transport: Transport) {
    let mut consumer = (transport.consumer)();
    for id in ["a", "b", "c"] {
        ring(&*transport.publisher, id).await;
    }
    let mut tags = Vec::new();
    while tags.len() < 3 {
        tags.extend(next(&mut *consumer, 3).await.iter().map(|delivery| delivery.tag));
    }
    consumer.give_back(&[tags[1]]).await.unwrap(); // not a prefix
    consumer.acknowledge(&[tags[2], tags[0]]).await.unwrap(); // neither, and out of order
    assert_eq!(consume(&mut *consumer, 1).await, ["b"]);
    consumer.close().await;
    ring(&*transport.publisher, "last").await;
    assert_eq!(consume(&mut *(transport.consumer)(), 1).await, ["last"]);
}

async fn closing_gives_back(transport: Transport) {
    let mut consumer = (transport.consumer)();
    ring(&*transport.publisher, "a").await;
    ring(&*transport.publisher, "b").await;
    let first = next(&mut *consumer, 1).await;
    consumer.acknowledge(&[first[0].tag]).await.unwrap();
    let second = next(&mut *consumer, 1).await;
    assert_eq!(bodies(&second), ["b"]);
    consumer.close().await;
    assert_eq!(consume(&mut *(transport.consumer)(), 1).await, ["b"]);
}

async fn dropping_gives_back(transport: Transport) {
    let mut consumer = (transport.consumer)();
    ring(&*transport.publisher, "a").await;
    next(&mut *consumer, 1).await;
    drop(consumer); // a worker that panicked
    assert_eq!(consume(&mut *(transport.consumer)(), 1).await, ["a"]);
}

async fn a_closed_consumer_says_so(transport: Transport) {
    let mut consumer = (transport.consumer)();
    ring(&*transport.publisher, "a").await;
    let batch = next(&mut *consumer, 1).await;
    consumer.close().await;
    assert!(matches!(consumer.next_batch(1).await, Err(QueueError::Closed)));
    consumer.acknowledge(&[batch[0].tag]).await.unwrap(); // too late: ignored
    consumer.close().await; // twice does no harm
    assert_eq!(consume(&mut *(transport.consumer)(), 1).await, ["a"]);
}

async fn tags_of_others_are_ignored(transport: Transport) {
    let mut consumer = (transport.consumer)();
    ring(&*transport.publisher, "a").await;
    let batch = next(&mut *consumer, 1).await;
    let tag = batch[0].tag;
    let foreign = [
        DeliveryTag { session: tag.session + 1, ..tag },
        DeliveryTag { session: tag.session.wrapping_sub(1), ..tag },
        DeliveryTag { number: tag.number + 1, ..tag },
    ];
    consumer.acknowledge(&foreign).await.unwrap();
    consumer.give_back(&foreign).await.unwrap();
    consumer.close().await;
    assert_eq!(consume(&mut *(transport.consumer)(), 1).await, ["a"]);
}

async fn giving_up_a_wait_loses_nothing(transport: Transport) {
    let mut consumer = (transport.consumer)();
    ring(&*transport.publisher, "a").await;
    assert_eq!(consume(&mut *consumer, 1).await, ["a"]);
    for id in 0..20 {
        // A worker that also waits for something else: the wait is dropped at any moment.
        let wait = consumer.next_batch(1);
        let given_up = tokio::time::timeout(Duration::ZERO, wait).await;
        assert!(given_up.is_err(), "nothing was there to deliver");
        ring(&*transport.publisher, &id.to_string()).await;
        assert_eq!(consume(&mut *consumer, 1).await, [id.to_string()]);
    }
}

async fn the_world_is_confirmed_without_listeners(transport: Transport) {
    let messages = [world_event("a"), doorbell("b"), world_event("c")];
    let mut consumer = (transport.consumer)();
    assert_eq!(soon("confirms", transport.publisher.publish(&messages)).await, vec![Published::Confirmed; 3]);
    assert_eq!(consume(&mut *consumer, 1).await, ["b"], "events for the world are no doorbells");
}

async fn an_empty_publication_is_empty(transport: Transport) {
    assert_eq!(transport.publisher.publish(&[]).await, []);
}

async fn bells_of_notices_reach_the_notice_workers_alone(transport: Transport) {
    let messages = [notice_doorbell("n-1"), doorbell("p-1"), notice_doorbell("n-2")];
    let (mut payouts, mut notices) = ((transport.consumer)(), (transport.notices)());
    assert_eq!(soon("confirms", transport.publisher.publish(&messages)).await, vec![Published::Confirmed; 3]);
    assert_eq!(consume(&mut *payouts, 1).await, ["p-1"]);
    let first = next(&mut *notices, 1).await;
    assert_eq!((bodies(&first), first[0].routing_key.as_str()), (vec!["n-1".to_owned()], "zhida.notice.v1"));
    notices.acknowledge(&[first[0].tag]).await.unwrap();
    assert_eq!(consume(&mut *notices, 1).await, ["n-2"]);
}
