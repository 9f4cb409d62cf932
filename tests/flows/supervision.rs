//! Reviews under supervision, as a supervisor sees them: events come in, a deadline comes near, somebody is told, the answer ends
//! it; and any deadline can be counted over by hand.

use crate::World;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;
use zhida_config::Calendar;
use zhida_config::sample_district::ORGANISATION_TOML;
use zhida_tests::waiting::wait_until;

const PATIENCE: Duration = Duration::from_secs(60);

/// An event of application A-1 at the office D-SCI, officer O-101.
fn event(world: &World, event_type: &str, id: &str, at: &str, more: Value) -> Value {
    let mut data = json!({"application_id": "A-1", "department_id": "D-SCI", "officer_id": "O-101", "at": at});
    data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.signed(event_type, id, "A-1", &data)
}

async fn alerts(world: &World, all: &[&str], many: usize, cleared: usize) -> Vec<Value> {
    wait_until(&format!("{many} alerts, {cleared} of them cleared"), PATIENCE, async || {
        let arguments: Vec<&str> = ["alerts", "list", "--json"].iter().chain(all).copied().collect();
        let Value::Array(found) = world.json(&arguments) else { return None };
        let over = found.iter().filter(|one| !one["cleared_at"].is_null()).count();
        (found.len() == many && over == cleared).then_some(found)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_is_explained_rings_and_ends() {
    let mut world = World::new("supervision").await;
    world.terminate();
    let organisation = world.file("organisation.toml", ORGANISATION_TOML);
    world.run(&["organisation", "import", &organisation]);
    world.start_as(&["serve", "--set", "supervision.sweep_seconds=1"]).await;

    let enterprise = json!({"uscc": "91350100M000100Y43", "name": "示例科技有限责任公司"});
    let submitted = json!({"policy_id": "P-1", "enterprise": enterprise, "submitted_at": "2026-09-29T10:00:00+08:00"});
    // The acceptance comes before the application it belongs to, and from another zone.
    world.hand_in(&event(&world, "application.accepted.v1", "s-2", "2026-09-29T03:00:00Z", json!({}))).await;
    world.hand_in(&event(&world, "application.submitted.v1", "s-1", "2026-09-29T10:00:00+08:00", submitted)).await;
    let explained = world.run(&["clock", "explain", "A-1", "--clock", "review:1"]);
    for part in [
        "审核中 in review",
        "红牌 overdue",
        "2026-09-29 周二 Tue  工作日 working day",
        "起算日不计",
        "第 1 日 day 1",
        "2026-10-01 周四 Thu  放假 holiday (国庆节)",
        "期限 deadline   2026-10-09 17:30:00",
    ] {
        assert!(explained.contains(part), "{part} in {explained}");
    }
    assert!(world.ends(1, &["clock", "explain", "A-9"]).contains("is not known"));
    assert!(world.ends(1, &["clock", "explain", "A-1", "--clock", "step:1"]).contains("acceptance:1, review:1"));
    let programs = world.json(&["clock", "explain", "A-1", "--json"]);
    assert_eq!((&programs["standing"], programs["clocks"].as_array().unwrap().len()), (&json!("in_review"), 2));

    // Asked for three hours ago, expected within four: two thirds have gone.
    let now = Timestamp::now();
    let (asked, due) = (now - SignedDuration::from_hours(3), now + SignedDuration::from_hours(1));
    let supplement = json!({"items": ["审计报告"], "due_at": due.to_string()});
    let requested = event(&world, "application.supplement_requested.v1", "s-3", &asked.to_string(), supplement);
    world.hand_in(&requested).await;
    let found = alerts(&world, &[], 1, 0).await;
    let alert = &found[0];
    assert_eq!((&alert["clock"], &alert["level"]), (&json!("supplement:1"), &json!("due_soon")));
    let year = TimeZone::get("Asia/Shanghai").unwrap().to_datetime(due).year();
    let known = Calendar::mainland_china().unwrap().years().contains_key(&year);
    assert_eq!(alert["provisional"], !known, "as long as the calendar that is built in goes");
    assert_eq!(alert["rungs"][0]["told"], json!(["O-101"]));
    world.metrics_with("zhida_review_alerts_open{state=\"due_soon\"} 1").await;
    let id = alert["alert_id"].as_str().unwrap();
    let listed = world.run(&["alerts", "list", "--department", "D-SCI"]);
    assert!(listed.contains(id) && listed.contains("黄牌 due soon"), "{listed}");
    assert!(world.run(&["alerts", "list", "--department", "D-FIN"]).contains("未消除 open: 0"));

    let received = event(&world, "application.supplement_received.v1", "s-4", &now.to_string(), json!({"items": []}));
    world.hand_in(&received).await;
    alerts(&world, &["--all"], 1, 1).await;
    let shown = world.run(&["alerts", "show", id]);
    for part in ["黄牌 due soon  O-101", "已消除 cleared: 已办结", "zhida clock explain A-1 --clock supplement:1"]
    {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(world.ends(1, &["alerts", "show", "AL-NOBODY"]).contains("alerts list --all"));
    let story = world.run(&["trace", "A-1"]);
    assert!(story.contains("预警 alert raised") && story.contains("预警消除 alert cleared"), "{story}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_is_acknowledged_and_an_order_answered_by_those_who_may() {
    let mut world = World::new("supervision-orders").await;
    world.terminate();
    let organisation = world.file("organisation.toml", ORGANISATION_TOML);
    world.run(&["organisation", "import", &organisation]);
    let (officer, supervisor) = (world.operator("O-201", "officer"), world.operator("O-951", "supervisor"));
    let inspector = world.operator("O-971", "inspector");
    world.start_as(&["serve", "--set", "supervision.sweep_seconds=1"]).await;
    // The enterprise is asked for something and two thirds of its time have gone.
    let now = Timestamp::now();
    let (asked, due) = (now - SignedDuration::from_hours(3), now + SignedDuration::from_hours(1));
    let data = json!({"application_id": "A-1", "department_id": "D-SCI", "officer_id": "O-201", "at": asked.to_string(),
        "items": ["审计报告"], "due_at": due.to_string()});
    world.hand_in(&world.signed("application.supplement_requested.v1", "s-1", "A-1", &data)).await;
    let found = alerts(&world, &[], 1, 0).await;
    let alert = found[0]["alert_id"].as_str().unwrap().to_owned();
    let acknowledge = |who: &str, key: &str, hours: &str, id: &str| {
        ["alerts", "acknowledge", id, "--as", who, "--key", key, "--working-hours", hours, "--reason", "材料已在途"]
            .map(str::to_owned)
    };
    let run = |arguments: &[String]| world.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let ends = |arguments: &[String]| world.ends(1, &arguments.iter().map(String::as_str).collect::<Vec<_>>());

    assert!(ends(&acknowledge("O-201", &supervisor, "8", &alert)).contains("is not operator O-201's key"));
    assert!(ends(&acknowledge("O-201", &officer, "8", "AL-NOBODY")).contains("no alert AL-NOBODY is known"));
    assert!(ends(&acknowledge("O-201", &officer, "99", &alert)).contains("at most 16 working hours, not 99"));
    let shown = run(&acknowledge("O-201", &officer, "8", &alert));
    assert!(shown.contains("已办 done") && shown.contains("已知悉 acknowledged by O-201"), "{shown}");
    assert!(ends(&acknowledge("O-201", &officer, "8", &alert)).contains("O-201 has acknowledged it until"));
    let over = run(&acknowledge("O-951", &supervisor, "4", &alert));
    assert!(over.contains("acknowledged by O-951"), "not kept from it by those they supervise: {over}");

    let issue =
        ["orders", "issue", "--alert", &alert, "--to", "O-201", "--working-days", "2", "--demand", "请说明原因"];
    let as_who = |arguments: &[&str], who: &str, key: &str| -> Vec<String> {
        arguments.iter().copied().chain(["--as", who, "--key", key]).map(str::to_owned).collect()
    };
    assert!(
        ends(&as_who(&issue, "O-201", &officer)).contains("may not issue orders; ask one of: supervisor, inspector")
    );
    let issued = run(&as_who(&issue, "O-951", &supervisor));
    let whole = ORGANISATION_TOML.replace("substitute_id = \"O-201\"\n", "");
    let people: Vec<&str> = whole.split("[[officers]]").collect();
    let stay: Vec<&str> = people.into_iter().filter(|one| !one.contains("id = \"O-201\"")).collect();
    let preview = ["organisation", "import", &world.file("fewer.toml", &stay.join("[[officers]]")), "--dry-run"];
    let preview = world.run(&preview);
    assert!(preview.contains("and 1 open alerts and 1 open orders are theirs"), "{preview}");
    for part in ["督办单 order    SO-1", "号", "待回复 answer awaited", "D-SCI O-201", "请说明原因"] {
        assert!(issued.contains(part), "{part} in {issued}");
    }
    let reply = ["orders", "reply", "SO-1", "--cause", "人手不足", "--measure", "周五前办结"];
    assert!(ends(&as_who(&reply, "O-951", &supervisor)).contains("SO-1 is answered by O-201"));
    assert!(run(&as_who(&reply, "O-201", &officer)).contains("已回复待销号"));
    let back = ["orders", "return", "SO-1", "--working-days", "1", "--reason", "不够具体"];
    assert!(run(&as_who(&back, "O-971", &inspector)).contains("退回 returned by O-971"));
    run(&as_who(&reply, "O-201", &officer));
    let close = ["orders", "close", "SO-1", "--reason", "已核实"];
    assert!(ends(&as_who(&close, "O-201", &officer)).contains("may not close orders"));
    assert!(run(&as_who(&close, "O-951", &supervisor)).contains("销号 closed by O-951"));
    assert!(world.run(&["orders", "list"]).contains("未销号 open: 0"));
    let listed = world.json(&["orders", "list", "--all", "--json"]);
    assert_eq!((&listed[0]["state"], listed[0]["steps"].as_array().unwrap().len()), (&json!("closed"), 3));
    let own = world.json(&["orders", "list", "--all", "--json", "--as", "O-201", "--key", &officer]);
    assert_eq!(own.as_array().unwrap().len(), 1, "an officer sees what is addressed to them");
    assert!(world.ends(2, &["orders", "show", "17"]).contains("not of the form SO-17"));
    let story = world.run(&["trace", "A-1"]);
    for part in
        ["预警知悉 alert acknowledged", "督办签发 order issued", "督办销号 order closed", "操作被拒 act refused"]
    {
        assert!(story.contains(part), "{part} in {story}");
    }
}

/// The built-in ladder ends with discipline inspection; where the organisation has no inspector, supervision is the highest that hears.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nobody_stands_on_top_supervision_acknowledges() {
    let mut world = World::new("supervision-top").await;
    world.terminate();
    let (people, _ladders) = ORGANISATION_TOML.split_once("[[ladder]]").unwrap();
    let blocks: Vec<&str> = people.split("[[officers]]").filter(|one| !one.contains("role = \"inspector\"")).collect();
    let organisation = world.file("organisation.toml", &blocks.join("[[officers]]"));
    world.run(&["organisation", "import", &organisation]);
    let (officer, supervisor) = (world.operator("O-201", "officer"), world.operator("O-951", "supervisor"));
    world.start_as(&["serve", "--set", "supervision.sweep_seconds=1", "--set", "supervision.replay_minutes=0"]).await;
    // A step that was over long before it was heard of: every rung is due at once.
    let assigned = json!({"application_id": "A-1", "department_id": "D-SCI", "officer_id": "O-201", "stage": "first",
        "assigned_at": "2026-03-02T10:00:00+08:00"});
    world.hand_in(&world.signed("review.assigned.v1", "s-1", "A-1", &assigned)).await;
    let alert = wait_until("an alert on the top of its ladder", PATIENCE, async || {
        let Value::Array(found) = world.json(&["alerts", "list", "--json"]) else { return None };
        found.into_iter().find(|one| one["measures"] == "step" && one["level"] == "escalated_3")
    })
    .await;
    assert_eq!(alert["rungs"].as_array().unwrap().last().unwrap()["told"], json!([]), "{alert}");
    let id = alert["alert_id"].as_str().unwrap();
    let acknowledge = |who: &'static str, key: &str| -> Vec<String> {
        ["alerts", "acknowledge", id, "--as", who, "--key", key, "--working-hours", "4", "--reason", "正在督促"]
            .map(str::to_owned)
            .into()
    };
    let arguments = acknowledge("O-201", &officer);
    let refused = world.ends(1, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(refused.contains("it has reached people up to escalated_2"), "{refused}");
    let arguments = acknowledge("O-951", &supervisor);
    let shown = world.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(shown.contains("已知悉 acknowledged by O-951"), "{shown}");
}
