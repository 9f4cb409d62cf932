//! What rings is heard: one line in the log, a list, the application's story. What waits says why. What is personal stays hidden.

use crate::World;
use crate::world::approved;
use serde_json::{Value, json};

const SINGLE: &str = "application/cloudevents+json";

/// Lines of a log with this message.
fn lines(log: &str, message: &str) -> Vec<Value> {
    let all = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    all.filter(|line| line["message"].as_str().is_some_and(|text| text.starts_with(message))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_is_logged_once_listed_and_traced() {
    let mut world = World::new("alarms").await;
    world.hand_in(&world.approval("A-1", "60000.00")).await;
    world.until("A-1", "held").await;
    assert_eq!(world.json(&["alarms", "list", "--kind", "approval_conflict", "--json"]), json!([]));
    let second = world.signed("application.approved.v1", "e-2", "A-1", &approved("A-1", "70000.00"));
    for _ in 0..2 {
        let (_, answer) = world.post(second.to_string().into_bytes(), SINGLE).await;
        assert_eq!(answer["quarantined"][0]["reason_code"], "approval_conflict", "{answer}");
    }
    let listed = world.json(&["alarms", "list", "--kind", "approval_conflict", "--json"]);
    assert_eq!((&listed[0]["kind"], &listed[0]["application_id"]), (&json!("approval_conflict"), &json!("A-1")));
    let rang = listed.as_array().unwrap().len();
    assert!(
        world.run(&["alarms", "list", "--kind", "approval_conflict", "--limit", "1"]).contains("approval_conflict")
    );
    assert!(world.ends(2, &["alarms", "list", "--kind", "fire"]).contains("use one of overpaid"));
    let told = world.run(&["trace", "A-1"]);
    assert!(told.contains("报警 alarm approval_conflict"), "{told}");
    let (_, timeline) = world.get("/v1/applications/A-1/timeline").await;
    let of_alarm = |entry: &&Value| entry["kind"] == "alarm.approval_conflict";
    assert_eq!(timeline.as_array().unwrap().iter().filter(of_alarm).count(), rang, "{timeline}");

    let (_, log) = world.terminate();
    // Towards the end of a year the next one may ring, too.
    let logged: Vec<Value> = lines(&log, "alarm").into_iter().filter(|one| one["kind"] != "calendar_missing").collect();
    assert_eq!(logged.len(), rang, "each once: {log}");
    let first = &logged[0];
    assert_eq!(
        (&first["level"], &first["kind"], &first["application"]),
        (&json!("ERROR"), &json!("approval_conflict"), &json!("A-1")),
        "{first}"
    );
    let quarantined = lines(&log, "events went into quarantine");
    assert!(quarantined.iter().all(|line| line["counts"] == "approval_conflict=1" && line["level"] == "WARN"), "{log}");
    assert_eq!(quarantined.len(), 2, "one line for each batch: {log}");
    assert!(!log.contains("示例科技") && !log.contains("4000020109000000001"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_ready_and_waits_says_why() {
    let mut world = World::with_settings("waits", &[("LIMITS__PER_HOUR", "100.00")]).await;
    let (wang, li) = (world.operator("wang", "releaser"), world.operator("li", "releaser"));
    assert!(world.run(&["payouts", "status"]).contains("sending is open"));
    world.run(&["payouts", "stop", "--as", "wang", "--key", &wang, "--reason", "对账"]);
    world.hand_in(&world.approval("A-1", "150.00")).await;
    world.until("A-1", "ready").await;
    let why = "waits because 发送已停 sending is stopped by wang since ";
    for shown in [world.run(&["trace", "A-1"]), world.run(&["payouts", "list"])] {
        assert!(shown.contains(why) && shown.contains(": 对账"), "{shown}");
    }
    let listed = world.json(&["payouts", "list", "--json"]);
    assert_eq!(listed[0]["waits_because"]["code"], "stopped");
    world.run(&["payouts", "resume", "--as", "wang", "--key", &wang, "--reason", "已对账"]);
    let status = world.run(&["payouts", "status"]);
    assert!(status.contains("stopped by wang") && status.contains("wang 已同意开放"), "{status}");
    world.run(&["payouts", "resume", "--as", "li", "--key", &li, "--reason", "已对账"]);
    assert_eq!(world.json(&["payouts", "status", "--json"])["sending"], "open");
    let shown = world.run(&["trace", "A-1"]);
    assert!(shown.contains("waits because") && shown.contains("limits.per_hour itself and never fits"), "{shown}");
    let nothing = world.ends(1, &["--set", "limits.per_hour=0.00", "config", "check"]);
    assert!(nothing.contains("payouts stop"), "{nothing}");
    // A-1 never fits, which no test waits for.
    world.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_quarantined_early_has_a_name_and_hides_account_numbers() {
    let world = World::new("early").await;
    let mut unsigned = world.approval("A-1", "10.00");
    unsigned.as_object_mut().unwrap().remove("signature");
    let mut strange = unsigned.clone();
    strange["id"] = json!("a name with blanks");
    let body = json!([unsigned, strange]).to_string().into_bytes();
    let (_, answer) = world.post(body, "application/cloudevents-batch+json").await;
    let ids = (&answer["quarantined"][0]["id"], &answer["quarantined"][1]["id"]);
    assert_eq!(ids, (&json!("approved-A-1"), &Value::Null), "{answer}");
    let rows = world.json(&["quarantine", "list", "--json"]);
    let row = &rows[0];
    assert_eq!(
        (&row["source"], &row["event_id"], &row["type"], &row["reason_code"]),
        (&json!("/review/flows"), &json!("approved-A-1"), &json!("application.approved.v1"), &json!("missing"))
    );
    let id = row["id"].as_str().unwrap();
    for shown in [world.run(&["quarantine", "show", id]), world.run(&["quarantine", "show", id, "--json"])] {
        assert!(shown.contains("***0001") && !shown.contains("4000020109000000001"), "{shown}");
    }
    assert_eq!(world.run(&["quarantine", "show", id, "--raw"]), unsigned.to_string());
}
