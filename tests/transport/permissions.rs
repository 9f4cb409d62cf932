//! The least rights of each worker, as the README's table gives them: enough to work, and not enough to declare.

use std::time::Duration;

use zhida_adapters::transport::rabbitmq::{
    BrokerFigures, BrokerHealth, Part, Queue, QueueFigures, RabbitConsumer, RabbitError, RabbitProbe, RabbitPublisher,
    TopologyError, topology,
};
use zhida_core::ports::queue::{Consumer, Published, Publisher};
use zhida_tests::waiting::wait_until;

use crate::broker::{consume, doorbell, event, notice_doorbell, private, relay, settings, world_event};

/// User; what it may configure, write, read.
const RIGHTS: [(&str, &str, &str, &str); 7] = [
    ("owner", "^zhida[.]", "^(zhida[.].+|amq[.]default)$", "^zhida[.]"),
    ("intake", "^$", "^$", "^zhida[.]intake[.]"),
    ("payout", "^$", "^$", "^zhida[.](payout|dead)[.]"),
    ("notice", "^$", "^$", "^zhida[.]notice[.]"),
    ("relay", "^$", "^zhida[.](work|out)$", "^$"),
    ("sender", "^$", "^zhida[.]in$", "^$"),
    ("health", "^$", "^$", "^$"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_least_rights_suffice() {
    let server = private().await;
    let server = tokio::task::spawn_blocking(move || {
        for (user, configure, write, read) in RIGHTS {
            server.control(&format!("add_user {user} secret"));
            server.control(&format!("set_permissions {user} {configure} {write} {read}"));
        }
        server
    })
    .await
    .unwrap();
    let as_user = |user: &str| {
        let (_, place) = server.url().split_once('@').unwrap();
        settings(&format!("amqp://{user}:secret@{place}"))
    };

    let mut early = RabbitConsumer::new(as_user("intake"), Queue::Intake, 10);
    let refused = early.next_batch(1).await.unwrap_err().to_string();
    assert!(refused.contains("zhida migrate"), "{refused}");
    let refused = topology::declare_all(&as_user("relay")).await.unwrap_err();
    assert!(matches!(refused, RabbitError::Topology(TopologyError::Missing { .. })), "{refused}");

    topology::declare_all(&as_user("owner")).await.unwrap();
    let sender = RabbitPublisher::new(as_user("sender"), Vec::new());
    assert_eq!(sender.hand_in(&[event("1", b"handed in")]).await, [Published::Confirmed]);
    assert_eq!(consume(&mut early, 1).await, ["handed in"]);
    let probe = RabbitProbe::new(as_user("health"));
    attaches(RabbitConsumer::new(as_user("intake"), Queue::IntakeDead, 10), &probe, |figures| figures.intake_dead)
        .await;

    let relay = relay(as_user("relay"));
    let messages = [doorbell("a"), world_event("b"), notice_doorbell("c")];
    assert_eq!(relay.publish(&messages).await, vec![Published::Confirmed; 3]);
    assert_eq!(consume(&mut RabbitConsumer::new(as_user("payout"), Queue::Payout, 10), 1).await, ["a"]);
    assert_eq!(consume(&mut RabbitConsumer::new(as_user("notice"), Queue::Notice, 10), 1).await, ["c"]);
    attaches(RabbitConsumer::new(as_user("payout"), Queue::Dead, 10), &probe, |figures| figures.dead).await;

    // And no more than that.
    let forger = RabbitPublisher::new(as_user("sender"), vec![Part::Work]);
    let forged = forger.publish(&[doorbell("forged")]).await;
    assert!(matches!(&forged[..], [Published::NotConfirmed(_)]), "{forged:?}");
}

/// It attaches, which the broker counts, and brings neither delivery nor error meanwhile.
async fn attaches(
    mut consumer: RabbitConsumer,
    probe: &RabbitProbe,
    which: impl Fn(BrokerFigures) -> Option<QueueFigures>,
) {
    let attached = wait_until("the consumer", Duration::from_secs(60), async || match probe.probe().await {
        BrokerHealth::Connected(figures) => which(figures).filter(|queue| queue.consumers == 1),
        BrokerHealth::Disconnected { reason } => panic!("{reason}"),
    });
    tokio::select! {
        batch = consumer.next_batch(1) => panic!("{batch:?}"),
        queue = attached => assert_eq!(queue.ready, 0),
    }
}
