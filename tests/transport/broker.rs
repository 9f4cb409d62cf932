//! What the tests against RabbitMQ share: settings that lose patience sooner than in production, messages, and waits that
//! end with a sentence. Not a place for tests.

use std::time::Duration;

use lapin::{Channel, Connection, ConnectionProperties};
use zhida_adapters::transport::rabbitmq::{IncomingEvent, Part, RabbitPublisher, RabbitSettings};
use zhida_core::ports::queue::{Consumer, Delivery, Destination, OutgoingMessage, Published, Publisher, QueueError};

/// A private broker started off the runtime, for it takes seconds.
pub(crate) async fn private() -> zhida_tests::servers::RabbitServer {
    tokio::task::spawn_blocking(zhida_tests::servers::RabbitServer::start).await.unwrap()
}

/// Settings for `url`: a dead link shows within two heartbeats of a second.
pub(crate) fn settings(url: &str) -> RabbitSettings {
    let mut settings = RabbitSettings::new(&format!("{url}?heartbeat=1"), "zhida test").unwrap();
    settings.step_timeout = Duration::from_secs(10);
    settings.publish_timeout = Duration::from_secs(30);
    settings.first_pause = Duration::from_millis(10);
    settings.longest_pause = Duration::from_millis(200);
    settings
}

/// As the relay publishes.
pub(crate) fn relay(settings: RabbitSettings) -> RabbitPublisher {
    RabbitPublisher::new(settings, vec![Part::Work, Part::World])
}

/// As a review system publishes; unlike one it declares, so that tests need no `migrate`.
pub(crate) fn review_system(settings: RabbitSettings) -> RabbitPublisher {
    RabbitPublisher::new(settings, vec![Part::Intake])
}

pub(crate) fn doorbell(id: &str) -> OutgoingMessage {
    OutgoingMessage {
        destination: Destination::PayoutDoorbell,
        message_id: id.to_owned(),
        body: id.as_bytes().to_vec(),
    }
}

/// The bell of the notice workers.
pub(crate) fn notice_doorbell(id: &str) -> OutgoingMessage {
    OutgoingMessage { destination: Destination::NoticeDoorbell, ..doorbell(id) }
}

pub(crate) fn world_event(id: &str) -> OutgoingMessage {
    let event_type = "payout.settled.v1".to_owned();
    OutgoingMessage { destination: Destination::World { event_type }, ..doorbell(id) }
}

pub(crate) fn event(id: &str, body: &[u8]) -> IncomingEvent {
    IncomingEvent { routing_key: "application.approved.v1".to_owned(), message_id: id.to_owned(), body: body.to_vec() }
}

pub(crate) fn bodies(batch: &[Delivery]) -> Vec<String> {
    batch.iter().map(|delivery| String::from_utf8_lossy(&delivery.body).into_owned()).collect()
}

/// What `awaited` brings; a test that would hang fails instead.
pub(crate) async fn soon<T>(what: &str, awaited: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(90);
    tokio::time::timeout(limit, awaited).await.unwrap_or_else(|_| panic!("waited {} s for {what}", limit.as_secs()))
}

/// The next batch, as a worker waits for it: through every loss of the connection.
pub(crate) async fn next(consumer: &mut dyn Consumer, max: usize) -> Vec<Delivery> {
    soon("the next batch", async {
        loop {
            match consumer.next_batch(max).await {
                Ok(batch) => return batch,
                Err(QueueError::Disconnected(_)) => {}
                Err(QueueError::Closed) => panic!("the consumer was closed"),
            }
        }
    })
    .await
}

/// Takes `count` deliveries, acknowledges them and gives their bodies.
pub(crate) async fn consume(consumer: &mut dyn Consumer, count: usize) -> Vec<String> {
    let mut taken = Vec::new();
    while taken.len() < count {
        let batch = next(consumer, count - taken.len()).await;
        consumer.acknowledge(&batch.iter().map(|delivery| delivery.tag).collect::<Vec<_>>()).await.unwrap();
        taken.extend(bodies(&batch));
    }
    taken
}

/// Publishes until the broker has confirmed it, as the relay does.
pub(crate) async fn ring(publisher: &dyn Publisher, id: &str) {
    soon("a confirm", async { while publisher.publish(&[doorbell(id)]).await != [Published::Confirmed] {} }).await;
}

/// A plain connection, for what the product never does.
pub(crate) async fn bystander(url: &str) -> (Connection, Channel) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    (connection, channel)
}
