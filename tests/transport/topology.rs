//! Exchanges and queues: declared, declared again, and found different.

use lapin::ExchangeKind;
use lapin::options::{ExchangeDeclareOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use zhida_adapters::transport::rabbitmq::{Queue, RabbitError, TopologyError, topology};
use zhida_tests::servers::vhost;

use crate::broker::{bystander, settings};

#[tokio::test]
async fn declaring_twice_changes_nothing() {
    let vhost = vhost();
    topology::declare_all(&settings(vhost.url())).await.unwrap();
    topology::declare_all(&settings(vhost.url())).await.unwrap();
    let (_connection, channel) = bystander(vhost.url()).await;
    for queue in Queue::ALL {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(queue.name().into(), passive, FieldTable::default()).await.unwrap();
    }
}

/// The arguments of `zhida.payout.v1` but for one.
fn all_but(argument: &str, other: AMQPValue) -> FieldTable {
    let text = |value: &str| AMQPValue::LongString(value.into());
    let ours = [
        ("x-queue-type", text("quorum")),
        ("x-delivery-limit", AMQPValue::LongInt(100)),
        ("x-max-length", AMQPValue::LongInt(100_000)),
        ("x-overflow", text("reject-publish")),
        ("x-dead-letter-exchange", text("")),
        ("x-dead-letter-routing-key", text("zhida.dead.v1")),
        ("x-dead-letter-strategy", text("at-least-once")),
    ];
    let mut table = FieldTable::default();
    for (name, value) in ours {
        table.insert(name.into(), if name == argument { other.clone() } else { value });
    }
    table
}

#[tokio::test]
async fn a_queue_with_another_argument_is_named_with_argument_and_remedy() {
    let text = |value: &str| AMQPValue::LongString(value.into());
    let rows = [
        ("x-queue-type", text("classic")),
        ("x-delivery-limit", AMQPValue::LongInt(5)),
        ("x-max-length", AMQPValue::LongInt(5)),
        ("x-overflow", text("drop-head")),
        ("x-dead-letter-exchange", text("amq.fanout")),
        ("x-dead-letter-routing-key", text("elsewhere")),
        ("x-dead-letter-strategy", text("at-most-once")),
    ];
    let vhost = vhost();
    let (_connection, channel) = bystander(vhost.url()).await;
    let queue = Queue::Payout.name();
    for (argument, other) in rows {
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        let mut arguments = all_but(argument, other);
        if argument == "x-queue-type" {
            arguments = FieldTable::default(); // a queue declared by hand, with nothing of ours
        }
        channel.queue_declare(queue.into(), options, arguments).await.unwrap();

        let error = topology::declare_all(&settings(vhost.url())).await.unwrap_err();
        let RabbitError::Topology(TopologyError::Mismatch { name, argument: found, .. }) = &error else {
            panic!("{error:?}")
        };
        assert_eq!(*name, queue);
        if argument != "x-queue-type" {
            assert_eq!(found, argument, "{error}");
        }
        let sentence = error.to_string();
        for part in [queue, found, "delete it", "zhida migrate"] {
            assert!(sentence.contains(part), "{part} is missing in: {sentence}");
        }
        channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    }
    topology::declare_all(&settings(vhost.url())).await.unwrap(); // the remedy helps
}

#[tokio::test]
async fn an_exchange_of_another_type_is_named() {
    let vhost = vhost();
    let (_connection, channel) = bystander(vhost.url()).await;
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare("zhida.out".into(), ExchangeKind::Fanout, options, FieldTable::default()).await.unwrap();
    let text = topology::declare_all(&settings(vhost.url())).await.unwrap_err().to_string();
    assert!(text.contains("exchange `zhida.out` exists with another `type`"), "{text}");
}
