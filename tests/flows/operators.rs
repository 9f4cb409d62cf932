//! Operators act with their own keys; four eyes are two keys.

use crate::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_above_the_release_limit_takes_two_officers() {
    let world = World::new("release").await;
    let (wang, li) = (world.operator("wang", "releaser"), world.operator("li", "releaser"));
    world.hand_in(&world.approval("A-1", "60000.00")).await;
    let held = world.until("A-1", "held").await;
    assert_eq!(held["reason"]["code"], "officers_missing");
    let release = |who: &str, key: &str| {
        world.try_run(&[
            "payouts",
            "release",
            "A-1",
            "--codes",
            "officers_missing",
            "--as",
            who,
            "--key",
            key,
            "--reason",
            "已核",
        ])
    };
    assert!(release("wang", &wang).status.success());
    let again = release("wang", &wang);
    assert!(!again.status.success(), "the same officer twice is one officer");
    assert!(String::from_utf8_lossy(&again.stderr).contains("second"), "{again:?}");
    assert_eq!(world.credits(), 0);
    assert!(release("li", &li).status.success());
    world.until("A-1", "settled").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_officer_stops_all_sending_and_two_resume() {
    let world = World::new("stop").await;
    let (wang, li) = (world.operator("wang", "releaser"), world.operator("li", "releaser"));
    let act = |verb: &str, who: &str, key: &str| {
        world.run(&["payouts", verb, "--as", who, "--key", key, "--reason", "演练"]);
    };
    act("stop", "wang", &wang);
    world.hand_in(&world.approval("A-1", "100.00")).await;
    world.until("A-1", "ready").await;
    act("resume", "wang", &wang);
    assert_eq!(world.until("A-1", "ready").await["state"], "ready");
    act("resume", "li", &li);
    world.until("A-1", "settled").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_and_keys_are_checked_and_a_cancelled_payout_is_never_paid() {
    let world = World::new("roles").await;
    let (wang, auditor) = (world.operator("wang", "releaser"), world.operator("zhao", "auditor"));
    world.hand_in(&world.approval("A-1", "60000.00")).await;
    world.until("A-1", "held").await;
    for (who, key) in [("zhao", &auditor), ("wang", &auditor), ("nobody", &wang)] {
        let refused = world.try_run(&["payouts", "cancel", "A-1", "--as", who, "--key", key, "--reason", "x"]);
        assert!(!refused.status.success(), "{who} with that key must not cancel");
    }
    world.run(&["payouts", "cancel", "A-1", "--as", "wang", "--key", &wang, "--reason", "申请有误"]);
    let cancelled = world.until("A-1", "cancelled").await;
    assert_eq!(cancelled["reason"]["code"], "cancelled");
    assert_eq!(world.credits(), 0);
}
