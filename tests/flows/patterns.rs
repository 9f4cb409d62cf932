//! Patterns as supervisors and inspectors meet them: found by a running service, shown to those whose affair they are, tried on past
//! data, and the health of policies in a word.

use crate::World;
use crate::world::approved;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;
use zhida_tests::waiting::wait_until;

const PATIENCE: Duration = Duration::from_secs(60);

/// An event of an application under P-1, at the office D-1.
fn event(world: &World, application: &str, event_type: &str, id: &str, data: Value) -> Value {
    let mut whole = json!({"application_id": application, "department_id": "D-1"});
    whole.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
    world.signed(event_type, &format!("{application}-{id}"), application, &whole)
}

fn submitted(world: &World, application: &str, uscc: &str) -> Value {
    let enterprise = json!({"uscc": uscc, "name": "示例科技有限责任公司"});
    let data = json!({"policy_id": "P-1", "enterprise": enterprise, "submitted_at": ago(30),
        "contacts": {"mobile": "13800000000"}});
    event(world, application, "application.submitted.v1", "submitted", data)
}

fn supplement(world: &World, days_ago: i64) -> Value {
    let data = json!({"officer_id": "O-101", "items": ["审计报告"], "at": ago(days_ago)});
    event(world, "A-1", "application.supplement_requested.v1", &format!("supplement-{days_ago}"), data)
}

fn ago(days: i64) -> String {
    (Timestamp::now() - SignedDuration::from_hours(24 * days)).to_string()
}

fn decided(world: &World, application: &str, officer: &str, decision: &str) -> Value {
    let data = json!({"officer_id": officer, "stage": "first", "decision": decision, "reason": "材料不符合要求",
        "decided_at": ago(20)});
    event(world, application, "review.decided.v1", "decided", data)
}

async fn found(world: &World, arguments: &[&str], many: usize) -> Value {
    wait_until(&format!("{many} patterns of {arguments:?}"), PATIENCE, async || {
        let list = world.json(&[&["patterns"], arguments, &["--json"]].concat());
        let found = list["patterns"].as_array().or(list["found"].as_array())?.len();
        (found == many).then_some(list)
    })
    .await
}

/// Patterns are looked for when a service starts.
async fn look_again(world: &mut World, settings: &[&str]) {
    world.terminate();
    let sets = settings.iter().flat_map(|one| ["--set", one]);
    world.start_as(&["serve"].into_iter().chain(sets).collect::<Vec<_>>()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patterns_are_found_shown_to_whom_they_concern_and_tried() {
    // The fund is hardly used, which is a pattern near the end of a year.
    let settings = [("PATTERNS__APPROPRIATION_UNUSED__ENABLED", "off"), ("SUPERVISION__SWEEP_SECONDS", "1")];
    let mut world = World::with_settings("patterns", &settings).await;
    let (supervisor, inspector) = (world.operator("sun", "supervisor"), world.operator("ji", "inspector"));
    assert!(world.run(&["patterns", "list"]).contains("共 0 条"));
    for (application, uscc) in [("A-1", "91350100M000100Y43"), ("A-2", "91350100M000100Y43")] {
        world.hand_in(&submitted(&world, application, uscc)).await;
    }
    world.hand_in(&supplement(&world, 28)).await;
    world.hand_in(&supplement(&world, 25)).await;
    for (application, officer, decision) in [("A-1", "O-101", "reject"), ("A-2", "O-102", "approve")] {
        world.hand_in(&decided(&world, application, officer, decision)).await;
    }
    // Tried before it is looked for: what it would find, by which thresholds, and nothing is written.
    let since = ago(60)[..10].to_owned();
    let tried = ["try", "second_supplement", "--since", &since];
    let would = found(&world, &tried, 1).await;
    assert_eq!((&would["applications"], &would["thresholds"]["min_requests"]), (&json!(2), &json!("2")));
    let stricter =
        found(&world, &[&tried[..], &["--set", "patterns.second_supplement.min_requests=3"]].concat(), 0).await;
    assert_eq!(stricter["thresholds"]["min_requests"], "3");
    let text = world.run(&[&["patterns"], &tried[..]].concat());
    assert!(text.contains("nothing was written") && text.contains("A-1 先后 2 次被要求补正"), "{text}");
    assert!(world.ends(2, &["patterns", "try", "favour", "--since", "2026-01-01"]).contains("queue_jump"));

    // Two decisions are no sample; in this district they are.
    let rough: Vec<String> = ["min_sample=1", "min_peers=1", "deviations=1", "floor_percent=1"]
        .map(|one| format!("patterns.officer_refusals.{one}"))
        .to_vec();
    let rough: Vec<&str> = rough.iter().map(String::as_str).collect();
    look_again(&mut world, &rough).await;
    let list = found(&world, &["list"], 1).await;
    assert_eq!(list["patterns"][0]["rule"], "second_supplement");
    assert_eq!(list["hidden"], 2, "of officers, for whoever is no inspector");
    let seen_by = |who: &str, key: &str| world.json(&["patterns", "list", "--as", who, "--key", key, "--json"]);
    assert_eq!(seen_by("sun", &supervisor)["hidden"], 2);
    let all = seen_by("ji", &inspector);
    assert_eq!((&all["hidden"], all["patterns"].as_array().unwrap().len()), (&json!(0), 3));
    assert!(world.ends(1, &["patterns", "list", "--as", "ji", "--key", &supervisor]).contains("not operator ji's key"));
    let text = world.run(&["patterns", "list"]);
    assert!(
        text.contains("2 条仅纪检可见 visible to discipline inspection alone") && !text.contains("O-101"),
        "{text}"
    );
    let of_officer = all["patterns"].as_array().unwrap().iter().find(|one| one["subject_id"] == "O-101").unwrap();
    let id = of_officer["pattern_id"].as_str().unwrap();
    assert_eq!(
        world.ends(1, &["patterns", "show", id]).replace(id, "PA-NONE"),
        world.ends(1, &["patterns", "show", "PA-NONE"]),
        "as of one that is not there"
    );
    assert_eq!(
        found(&world, &["list", "--rule", "officer_refusals"], 0).await["hidden"],
        json!(null),
        "not counted by rule"
    );
    let shown = world.run(&["patterns", "show", id, "--as", "ji", "--key", &inspector]);
    assert!(shown.contains("O-102: 0 ‰ of 1") && shown.contains("值得核实"), "{shown}");
    world.metrics_with("zhida_patterns{state=\"new\"} 3").await;

    // Said by signed acts; what is about officers by an inspector alone.
    let judge = |verb: &str, id: &str, who: &str, key: &str, status: i32| {
        world.ends(status, &["patterns", verb, id, "--as", who, "--key", key, "--reason", "已向企业说明"])
    };
    let other = list["patterns"][0]["pattern_id"].as_str().unwrap();
    judge("look", other, "sun", &supervisor, 0);
    judge("explain", other, "sun", &supervisor, 0);
    assert!(judge("explain", other, "ji", &inspector, 1).contains("is explained already"));
    assert!(judge("confirm", id, "sun", &supervisor, 1).contains("no pattern"));
    judge("confirm", id, "ji", &inspector, 0);
    let shown = world.run(&["patterns", "show", other]);
    assert!(shown.contains("已说明 explained by sun: 已向企业说明"), "{shown}");
    assert_eq!(found(&world, &["list", "--state", "explained"], 1).await["patterns"][0]["state"], "explained");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn policies_have_their_health_in_a_word() {
    let world = World::with_settings("health", &[("SUPERVISION__SWEEP_SECONDS", "1")]).await;
    world.hand_in(&submitted(&world, "A-1", "91350100M000100Y43")).await;
    let health = || world.json(&["policies", "health", "--json"])[0].clone();
    wait_until("the policy to be called a zombie", PATIENCE, async || (health()["word"] == "zombie").then_some(()))
        .await;
    let text = world.run(&["policies", "health"]);
    assert!(text.contains("僵尸 zombie") && text.contains("still") && text.contains("共 1 项政策"), "{text}");
    let award = world.signed("application.approved.v1", "approved-A-2", "A-2", &approved("A-2", "100.00"));
    world.hand_in(&award).await;
    world.until("A-2", "settled").await;
    wait_until("the policy to be alive", PATIENCE, async || (health()["word"] == "alive").then_some(())).await;
}
