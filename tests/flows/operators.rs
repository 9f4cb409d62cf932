//! Operators act with their own keys; four eyes are two keys.

use crate::World;
use serde_json::{Value, json};
use zhida_schemas::signing::sign;
use zhida_schemas::text::Id;

const BATCH: &str = "application/cloudevents-batch+json";

/// A signed `operator.hold.v1`, as another program than ours would make it.
fn hold(world: &World, key: &str, keyid: &str, source: &str, id: &str, application: &str) -> Value {
    let now = jiff::Timestamp::now();
    let mut event = json!({"specversion": "1.0", "id": id, "source": source, "type": "operator.hold.v1",
        "subject": application, "time": now, "datacontenttype": "application/json",
        "data": {"operator_id": keyid, "at": now, "application_id": application, "tranche": 1, "reason": "待核"}});
    sign(&mut event, &Id::parse(keyid).unwrap(), &world.key(key)).unwrap();
    event
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_act_under_a_used_id_is_quarantined_and_stops_nothing_else() {
    let world = World::new("act-conflict").await;
    let wang = world.operator("wang", "releaser");
    world.hand_in(&world.approval("A-1", "60000.00")).await;
    world.until("A-1", "held").await;
    let first = hold(&world, &wang, "wang", "/operator/wang", "act-1", "A-1");
    world.hand_in(&first).await;
    let poison = hold(&world, &wang, "wang", "/operator/wang", "act-1", "A-other");
    let batch = json!([poison, first, world.approval("A-2", "10.00")]).to_string().into_bytes();
    let (status, answer) = world.post(batch, BATCH).await;
    assert_eq!((status, &answer["accepted"], &answer["duplicates"]), (202, &json!(1), &json!(1)), "{answer}");
    let row = &answer["quarantined"][0];
    assert_eq!((&row["reason_code"], &row["field"]), (&json!("event_conflict"), &json!("id")), "{answer}");
    world.until("A-2", "settled").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_signs_below_a_source_of_their_own_and_nobody_else_does() {
    let world = World::new("act-source").await;
    let (wang, zhao) = (world.operator("wang", "releaser"), world.operator("zhao", "auditor"));
    let approval = world.approval("A-1", "10.00");
    let (source, id) = (approval["source"].as_str().unwrap(), approval["id"].as_str().unwrap());
    // An act under the very name that the approval will bear, or under another operator's.
    let mut review_as_operator = world.approval("A-9", "10.00");
    review_as_operator["source"] = json!("/operator/wang");
    sign(&mut review_as_operator, &Id::parse("review").unwrap(), &world.review).unwrap();
    for event in [
        hold(&world, &zhao, "zhao", source, id, "A-1"),
        hold(&world, &zhao, "zhao", "/operator/wang", "act-1", "A-1"),
        hold(&world, &zhao, "zhao", "/operator/zhaoyun", "act-1", "A-1"),
        review_as_operator,
    ] {
        let (_, answer) = world.post(json!([event]).to_string().into_bytes(), BATCH).await;
        let row = &answer["quarantined"][0];
        assert_eq!((&row["reason_code"], &row["field"]), (&json!("key_not_entitled"), &json!("source")), "{answer}");
    }
    world.hand_in(&approval).await;
    world.until("A-1", "settled").await;
    world.hand_in(&world.approval("A-2", "60000.00")).await;
    world.until("A-2", "held").await;
    world.hand_in(&hold(&world, &wang, "wang", "/operator/wang", "act-1", "A-2")).await;
}

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
    let journal = world.run(&["trace", "A-1"]);
    assert!(journal.contains("act refused"), "{journal}");
    assert_eq!(world.json(&["quarantine", "list", "--json"]), json!([]), "the journal has it");
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
    for (who, key, why) in [
        ("zhao", &auditor, "has the role auditor, which may not cancel"),
        ("wang", &auditor, "is not operator wang's key"),
        ("nobody", &wang, "operator \"nobody\" is not known"),
    ] {
        let refused = world.try_run(&["payouts", "cancel", "A-1", "--as", who, "--key", key, "--reason", "x"]);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(refused.status.code() == Some(1) && said.contains(why), "{who} with that key must not cancel: {said}");
    }
    world.run(&["payouts", "cancel", "A-1", "--as", "wang", "--key", &wang, "--reason", "申请有误"]);
    let cancelled = world.until("A-1", "cancelled").await;
    assert_eq!(cancelled["reason"]["code"], "cancelled");
    assert_eq!(world.credits(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_act_is_answered_and_journalled_and_an_unauthentic_one_is_quarantined() {
    let world = World::new("refused-act").await;
    let (wang, zhao) = (world.operator("wang", "releaser"), world.operator("zhao", "auditor"));
    world.hand_in(&world.approval("A-1", "60000.00")).await;
    world.until("A-1", "held").await;
    let media_type = "application/cloudevents-batch+json";
    let refused = world.act("zhao", &zhao, "operator.cancel.v1", "A-1");
    let forged = world.act("wang", &zhao, "operator.cancel.v1", "A-1");
    let batch = json!([refused, forged]).to_string();
    let (status, answer) = world.post(batch.into_bytes(), media_type).await;
    assert_eq!((status, &answer["accepted"], &answer["refused"][0]["index"]), (202, &json!(0), &json!(0)), "{answer}");
    assert!(answer["refused"][0]["reason"].as_str().is_some_and(|why| why.contains("auditor")), "{answer}");
    assert_eq!(answer["quarantined"][0]["reason_code"], "signature_invalid", "{answer}");
    let in_quarantine = world.json(&["quarantine", "list", "--json"]);
    assert_eq!(in_quarantine.as_array().map(Vec::len), Some(1), "the forged one alone: {in_quarantine}");
    // From a file it is told in words.
    let late = world.act("wang", &wang, "operator.cancel.v1", "A-9");
    let file = world.file("act.json", &late.to_string());
    let submitted = world.try_run(&["submit", &file]);
    let said = String::from_utf8_lossy(&submitted.stdout);
    assert!(submitted.status.code() == Some(1) && said.contains("refused") && said.contains("A-9"), "{said}");
    world.run(&["payouts", "cancel", "A-1", "--as", "wang", "--key", &wang, "--reason", "申请有误"]);
}
