//! Obstacles without a death: a database without a free connection, a queue deleted behind the consumer's back, a broker out of
//! memory, senders who send what nobody can read. All of it costs time and no money.

use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_without_a_free_connection_is_told_and_waited_for() {
    // Fewer connections than the service and the crowd would like; three are a superuser's.
    let mut world = World::with_database(Vec::new(), 1, &["max_connections=14"]).await;
    let events = world.district.approvals(20);
    let api = world.start_listening().await;
    world.publish(&events[..10]).await;
    world.until_credited(1).await;
    let crowd = world.crowd().await;
    assert_eq!(api.hand_in(&events[10]).await, 503, "nothing is accepted that is not durable");
    api.until_ready(503).await;
    // The broker keeps what is published meanwhile.
    world.publish(&events[11..]).await;
    drop(crowd);
    api.until_ready(200).await;
    assert_eq!(api.hand_in(&events[10]).await, 202);
    world.until_settled(events.len()).await;
    world.everything_was_paid_once(&events);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_queue_and_a_broker_out_of_memory_cost_time_and_no_money() {
    let mut world = World::start(Vec::new(), 1).await;
    world.start_processes(1);
    let events = world.district.approvals(60);
    world.publish(&events[..20]).await;
    world.until_credited(5).await;
    world.intake_queue_deleted().await;
    // What lay in it is gone with it; its sender has it still.
    world.publish(&events[..40]).await;
    world.until_credited(10).await;
    world.broker_out_of_memory().await;
    // No doorbell rings now: what was taken in is found by the sweep.
    world.until_credited(20).await;
    world.broker_has_memory_again().await;
    world.publish(&events).await;
    world.until_settled(events.len()).await;
    world.everything_was_paid_once(&events);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_can_read_is_quarantined_and_stops_nobody() {
    let mut world = World::start(Vec::new(), 1).await;
    world.start_processes(1);
    let events = world.district.approvals(7);
    let (good, other) = (&events[..6], &events[6]);
    let approved = "application.approved.v1";
    // 示例 in GBK.
    let gbk = [b"{\"id\":\"".as_slice(), &[0xca, 0xbe, 0xc0, 0xfd], b"\"}"].concat();
    let bad: [(&str, Vec<u8>); 5] = [
        (approved, b"hello".to_vec()),
        (approved, Vec::new()),
        (approved, gbk),
        (approved, vec![b' '; 300 * 1024]),
        ("application.rejected.v1", other.body.clone()),
    ];
    world.publish(&good[..3]).await;
    world.publish_anything(&bad).await;
    world.publish(&good[3..]).await;
    let rows = world.until_quarantined(bad.len()).await;
    let mut codes: Vec<&str> = rows.iter().filter_map(|row| row["reason_code"].as_str()).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["not_json", "not_json", "not_utf8", "routing_key", "too_large"], "{rows:#?}");
    world.until_settled(good.len()).await;
    world.everything_was_paid_once(good);
}
