//! The database is lost, an older backup takes its place: nothing is paid twice, what was paid is found, people are told what to do.

use crate::World;
use crate::world::{POLICIES, approved};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_database_sends_nothing_and_finds_what_was_paid() {
    let mut world = World::new("restored").await;
    world.hand_in(&world.approval("A-1", "100.00")).await;
    world.until("A-1", "settled").await;
    let mut waiting = approved("A-2", "100.00");
    waiting["policy_id"] = json!("P-9");
    world.hand_in(&world.signed("application.approved.v1", "e-2", "A-2", &waiting)).await;
    world.until("A-2", "held").await;
    let late_policy = POLICIES.replace("\"P-1\"", "\"P-9\"");
    let (wang, _) = (world.operator("wang", "releaser"), world.operator("li", "releaser"));
    world.kill();
    world.back_up();

    // What happens after the backup is lost with the database, and has happened at the bank.
    world.start().await;
    world.import(&late_policy);
    world.until("A-2", "settled").await;
    let third = world.approval("A-3", "100.00");
    world.hand_in(&third).await;
    world.until("A-3", "settled").await;
    let fourth = world.approval("A-4", "100.00");
    world.kill();
    world.restore();

    // Ready all the same: senders are to be heard.
    world.start().await;
    let ready = world.get("/readyz").await;
    assert!(ready.0 == 200 && ready.1["warnings"].to_string().contains("zhida recover"), "{ready:?}");
    world.metrics_with("zhida_incarnation_mismatch 1").await;
    world.hand_in(&fourth).await;
    world.until("A-4", "ready").await;
    let resume = ["payouts", "resume", "--as", "wang", "--key", &wang, "--reason", "对账完成"];
    let refused = world.try_run(&resume);
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("zhida recover"));

    let told = world.run(&["recover"]);
    assert!(told.contains("Senders hand in again") && told.contains("payouts resume"), "{told}");
    assert!(world.run(&["recover"]).contains("Recovered already"), "a second time changes nothing");
    world.import(&late_policy);
    world.hand_in(&third).await;
    world.until("A-2", "settled").await;
    world.until("A-3", "settled").await;
    // Never sent by anybody: as if it had just been approved, and sending is closed.
    world.until("A-4", "ready").await;
    let refused = world.try_run(&resume);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && why.contains("bank day"), "{why}");
    assert_eq!(world.credits(), 3);
    let status = world.run(&["payouts", "status"]);
    assert!(status.contains("stopped by system") && status.contains("not before"), "{status}");
    // A-4 waits for the end of the bank day, which no test waits for.
    world.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_lost_nothing_is_not_recovered_unless_somebody_says_why() {
    let mut world = World::new("nothing-lost").await;
    world.hand_in(&world.approval("A-1", "100.00")).await;
    world.until("A-1", "settled").await;
    let refused = world.ends(1, &["recover"]);
    assert!(refused.contains("nothing was lost, nothing to recover") && refused.contains("--went-back"), "{refused}");
    assert!(world.run(&["payouts", "status"]).contains("sending is open"), "and nothing was closed");
    // What an ordered end leaves is noted to its last row: going back to any moment before it is noticed.
    world.back_up();
    world.hand_in(&world.approval("A-2", "60000.00")).await;
    world.until("A-2", "held").await;
    world.terminate();
    world.restore();
    world.start().await;
    assert!(world.run(&["payouts", "status"]).contains("run `zhida recover`"));
    world.run(&["recover"]);
    world.ends(2, &["recover", "--went-back-all-the-same"]);
    world.ends(2, &["recover", "--not-restored", "--went-back-all-the-same", "--reason", "x"]);
    world.run(&["recover", "--went-back-all-the-same", "--reason", "备份是昨夜的"]);
    let journal = world.json(&["trace", "sending", "--json"]);
    assert!(journal.to_string().contains("备份是昨夜的"), "{journal}");
    world.kill();
}
