//! What the health check sees: no broker, a broker without queues, messages, consumers.

use zhida_adapters::transport::rabbitmq::{BrokerHealth, Queue, QueueFigures, RabbitConsumer, RabbitProbe, topology};
use zhida_core::ports::queue::{Consumer, Published};
use zhida_tests::link::Link;
use zhida_tests::servers::vhost;

use crate::broker::{event, next, review_system, settings};

#[tokio::test]
async fn it_counts_what_waits_and_who_consumes() {
    let vhost = vhost();
    let probe = RabbitProbe::new(settings(vhost.url()));
    let BrokerHealth::Connected(figures) = probe.probe().await else { panic!("not connected") };
    assert_eq!((figures.intake, figures.intake_dead, figures.payout, figures.dead), (None, None, None, None));

    topology::declare_all(&settings(vhost.url())).await.unwrap();
    let sender = review_system(settings(vhost.url()));
    assert_eq!(sender.hand_in(&[event("1", b"{}"), event("2", b"{}")]).await, vec![Published::Confirmed; 2]);
    let BrokerHealth::Connected(figures) = probe.probe().await else { panic!("not connected") };
    assert_eq!(figures.intake, Some(QueueFigures { ready: 2, consumers: 0 }));
    assert_eq!(figures.dead, Some(QueueFigures { ready: 0, consumers: 0 }));
    assert!(!figures.round_trip.is_zero());

    let mut intake = RabbitConsumer::new(settings(vhost.url()), Queue::Intake, 1);
    next(&mut intake, 1).await;
    let BrokerHealth::Connected(figures) = probe.probe().await else { panic!("not connected") };
    assert_eq!(figures.intake, Some(QueueFigures { ready: 1, consumers: 1 }));
    intake.close().await;
}

#[tokio::test]
async fn it_says_when_the_broker_is_out_of_reach_and_when_it_is_back() {
    let vhost = vhost();
    let link = Link::to(vhost.url());
    let probe = RabbitProbe::new(settings(&link.url(vhost.url())));
    assert!(matches!(probe.probe().await, BrokerHealth::Connected(_)));
    link.cut();
    let BrokerHealth::Disconnected { reason } = probe.probe().await else { panic!("still connected") };
    assert!(!reason.is_empty());
    link.restore();
    assert!(matches!(probe.probe().await, BrokerHealth::Connected(_)));
}
