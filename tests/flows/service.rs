//! The service as those see it who run it: roles, health, metrics, logs, the end.

use crate::World;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_health_metrics_and_logs_of_a_service() {
    let mut world = World::new("service").await;
    let second = world.ends(1, &["serve"]);
    assert!(second.contains("another worker process"), "{second}");

    world.hand_in(&world.approval("A-1", "100.00")).await;
    world.until("A-1", "settled").await;
    let metrics = world.metrics_with("zhida_payouts{state=\"settled\"} 1").await;
    for line in [
        "zhida_inbox_events_total{outcome=\"accepted\"} 1",
        "zhida_intake_consumers 1",
        "zhida_stop_switch 0",
        "zhida_alarms_last_hour{kind=\"overpaid\"} 0",
        "zhida_bank_calls_total{call=\"pay\",outcome=\"answered\"} 1",
        "zhida_fund_committed_fen{fund=\"F-1\"} 10000",
    ] {
        assert!(metrics.contains(&format!("{line}\n")), "{line} in {metrics}");
    }
    let (status, ready) = world.get("/readyz").await;
    assert_eq!((status, &ready["status"], &ready["checks"]["database"]["state"]), (200, &"ready".into(), &"ok".into()));

    let (code, log) = world.terminate();
    assert_eq!(code, Some(0), "a drain is no failure: {log}");
    for line in log.lines() {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line} is no JSON: {error}"));
        for member in ["timestamp", "level", "target", "message"] {
            assert!(entry[member].is_string(), "{member} in {line}");
        }
    }
    assert!(log.contains("\"message\":\"draining"), "{log}");
    for secret in ["4000020109000000001", "flow-token", "示例科技"] {
        assert!(!log.contains(secret), "{secret} stands in the log");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_runs_the_roles_it_was_given() {
    let mut world = World::new("roles-of-serve").await;
    world.terminate();
    world.start_as(&["serve", "--only", "intake,console"]).await;
    world.hand_in(&world.approval("A-1", "100.00")).await;
    world.until("A-1", "ready").await;
    assert_eq!(world.terminate().0, Some(0));
    assert_eq!(world.credits(), 0, "nobody who sends was running");
    world.start_as(&["serve", "--only", "payout,relay"]).await;
    wait_for_credit(&world).await;
    assert_eq!(world.get("/v1/payouts/A-1").await.0, 404, "the API is the role console");
    assert_eq!(world.get("/metrics").await.0, 200);
    assert_eq!(world.terminate().0, Some(0));
    let refused = world.ends(2, &["serve", "--only", "registry"]);
    assert!(refused.contains("is to come"), "{refused}");
}

async fn wait_for_credit(world: &World) {
    world.bank.bank.until(|bank| bank.with_ledger(|ledger| ledger.credits().count()) == 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_broker_a_process_lives_and_is_not_ready() {
    let mut world = World::new("not-ready").await;
    world.terminate();
    // Port 9 of this machine: nobody listens.
    world.start_as(&["serve", "--set", "queue.url=amqp://guest:guest@127.0.0.1:9/%2f"]).await;
    let ready = world.not_ready_for("broker").await;
    assert!(!ready.to_string().contains("guest:guest"), "no password in {ready}");
    assert_eq!(world.get("/livez").await.0, 200);
    world.metrics_with("zhida_intake_consumers 0").await;
    assert_eq!(world.terminate().0, Some(0));
}
