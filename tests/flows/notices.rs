//! Notices as enterprises, officials and operators meet them: the phone rings when money arrives, a dead provider costs a step and no
//! message, operators stop, resume and tell again, and every notice is shown with its proof.

use crate::World;
use crate::digest::every_day_but;
use crate::world::approved;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;
use zhida_config::sample_district::ORGANISATION_TOML;
use zhida_sandbox::{SmsFault, SmsTarget, Vendor};
use zhida_tests::waiting::wait_until;

const PATIENCE: Duration = Duration::from_secs(60);

const NUMBER: &str = "+8613812345678";
const SECRET: &str = "flow-receipt-secret-1";

/// A district that sends by the sandbox's webhook, at any hour, and looks every second.
async fn district(name: &str) -> World {
    let mut world = World::closed(name).await;
    let url = world.bank.sms.url(Vendor::Webhook);
    provider(&mut world, "main", &url);
    for (name, value) in [("SIGNATURE", "鼓楼直达"), ("QUIET", ""), ("SWEEP_SECONDS", "1"), ("SMS_ORDER", "main")] {
        world.set(&format!("NOTICES__{name}"), value);
    }
    let receipts = world.url(&format!("/v1/sms/receipts/main/{SECRET}"));
    world.bank.sms.set_receipts_url(Vendor::Webhook, Some(&receipts));
    world
}

fn provider(world: &mut World, name: &str, url: &str) {
    for (key, value) in [
        ("KIND", "webhook"),
        ("URL", url),
        ("KEY", "sandbox-webhook-key"),
        ("RECEIPT_SECRET", SECRET),
        ("TIMEOUT_SECONDS", "5"),
        ("PRICE_PER_SEGMENT", "0.0450"),
        ("LIMITS", ""),
    ] {
        world.set(&format!("NOTICES__SMS__{name}__{key}"), value);
    }
}

/// An award whose enterprise has that number.
async fn award(world: &World, application_id: &str) {
    let mut data = approved(application_id, "1409.50");
    data["contacts"] = json!({"mobile": "13812345678", "locale": "zh-CN"});
    world
        .hand_in(&world.signed("application.approved.v1", &format!("approved-{application_id}"), application_id, &data))
        .await;
}

/// An award of an enterprise that gave no contacts: it is known from then on, and is told nothing.
async fn award_without_contacts(world: &World, application_id: &str) {
    let data = approved(application_id, "10.00");
    world
        .hand_in(&world.signed("application.approved.v1", &format!("approved-{application_id}"), application_id, &data))
        .await;
    world.until(application_id, "settled").await;
}

/// Waits until a notice of that kind about that application is in this state, and gives it as programs read it.
async fn notice(world: &World, application_id: &str, kind: &str, state: &str) -> Value {
    wait_until(&format!("the notice {kind} of {application_id} to be {state}"), PATIENCE, async || {
        let arguments =
            ["notices", "list", "--application", application_id, "--kind", kind, "--state", state, "--json"];
        let Value::Array(found) = world.json(&arguments) else { return None };
        found.into_iter().next()
    })
    .await
}

fn id(notice: &Value) -> String {
    notice["notice_id"].as_str().unwrap().to_owned()
}

fn signed(who: &str, key: &str) -> Vec<String> {
    ["--as", who, "--key", key, "--reason", "因故"].map(str::to_owned).to_vec()
}

/// Runs a verb of an operator.
fn act(world: &World, status: i32, verb: &[&str], who: &str, key: &str) -> String {
    let who = signed(who, key);
    let arguments: Vec<&str> = verb.iter().copied().chain(who.iter().map(String::as_str)).collect();
    world.ends(status, &arguments)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_phone_rings_when_the_money_is_there() {
    let mut world = district("notices-credited").await;
    world.open().await;
    award(&world, "A-1").await;
    world.until("A-1", "settled").await;
    let credited = notice(&world, "A-1", "payout_credited", "delivered").await;
    assert_eq!(credited["recipient"], "91350100M000100Y43");
    let phone = world.bank.sms.received(NUMBER);
    let text = phone.iter().map(|one| one.text.as_str()).find(|text| text.contains("1409.50元"));
    assert!(text.is_some_and(|text| text.contains("0001")), "{text:?}");
    let shown = world.run(&["notices", "show", &id(&credited)]);
    for part in [
        "已送达 delivered",
        "138****5678",
        "到账 payout_credited",
        "main",
        "条 segments",
        "签名 signature 【",
        "渠道编号 vendor's id ",
        "费用 cost 0.0",
        "回执 receipts",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(!shown.contains("13812345678"), "numbers are masked: {shown}");
    let proof = world.json(&["notices", "show", &id(&credited), "--json"]);
    assert_eq!(proof["messages"][0]["attempts"][0]["out_id"], proof["notice_id"]);
    assert_eq!(
        (&proof["contents"][0]["to"], proof["receipts"].as_array().map(Vec::len)),
        (&json!("138****5678"), Some(1))
    );
    let story = world.run(&["trace", "A-1"]);
    assert!(story.contains("通知送达 notice delivered") && !story.contains("13812345678"), "{story}");
    world.metrics_with("zhida_notice_receipts_total{outcome=\"unmatched\",provider=\"main\"} 0").await;
    world.metrics_with("zhida_notices_last_hour{kind=\"payout_credited\",state=\"delivered\"} 1").await;
    let (_, log) = world.terminate();
    assert!(log.contains("notices are sent") && !log.contains("13812345678") && !log.contains(SECRET), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_provider_costs_a_step_and_no_message() {
    let mut world = district("notices-dead").await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    provider(&mut world, "dead", &nobody);
    world.set("NOTICES__SMS_ORDER", "dead,main");
    world.open().await;
    award(&world, "A-1").await;
    let credited = notice(&world, "A-1", "payout_credited", "delivered").await;
    let attempts = credited["messages"][0]["attempts"].as_array().unwrap();
    let ways: Vec<(&Value, &Value)> = attempts.iter().map(|one| (&one["provider"], &one["code"])).collect();
    assert_eq!(ways, [(&json!("dead"), &json!("not_connected")), (&json!("main"), &Value::Null)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receipts_come_before_the_answer_and_answers_are_lost() {
    let mut world = district("notices-receipts").await;
    world.open().await;
    let wang = world.operator("wang", "operator");
    award_without_contacts(&world, "A-0").await;
    act(&world, 0, &["notices", "preference", "91350100M000100Y43", "payout_received", "off"], "wang", &wang);
    // The first message: its receipt overtakes the answer. The second: it is taken in, and the answer is lost.
    let number = SmsTarget::Number(NUMBER.to_owned());
    world.bank.sms.script(number, [vec![SmsFault::ReceiptFirst], vec![SmsFault::AcceptReset]]);
    for application_id in ["A-1", "A-2"] {
        award(&world, application_id).await;
        let found = notice(&world, application_id, "payout_credited", "delivered").await;
        assert_eq!(found["messages"][0]["attempts"].as_array().map(Vec::len), Some(1), "sent once: {found}");
    }
    assert_eq!(world.bank.sms.with_ledger(|ledger| ledger.len()), 2, "nothing twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_stop_resume_and_tell_again() {
    let mut world = district("notices-operators").await;
    world.open().await;
    let (wang, qian) = (world.operator("wang", "operator"), world.operator("qian", "auditor"));
    let status = world.run(&["notices", "status"]);
    assert!(status.contains("通知未停发") && status.contains("渠道 provider main: 可用 usable"), "{status}");
    assert!(act(&world, 1, &["notices", "stop"], "qian", &qian).contains("may not stop notices"));
    assert!(act(&world, 0, &["notices", "stop"], "wang", &wang).contains("notices are stopped by wang"));
    world.metrics_with("zhida_notices_stopped 1").await;
    award(&world, "A-1").await;
    world.until("A-1", "settled").await;
    let waiting = wait_until("the notice to wait", PATIENCE, async || {
        let Value::Array(found) = world.json(&["notices", "list", "--kind", "payout_credited", "--json"]) else {
            return None;
        };
        found.into_iter().find(|one| one["messages"][0]["waits_for"] == "switch")
    })
    .await;
    assert!(world.run(&["notices", "list"]).contains("恢复发送"));
    assert_eq!(world.json(&["notices", "status", "--json"])["stopped_by"], "wang");
    assert_eq!(world.bank.sms.ledger().len(), 0);
    assert!(act(&world, 1, &["notices", "resend", &id(&waiting)], "wang", &wang).contains("still under way"));
    // The only provider refuses its words once.
    let number = SmsTarget::Number(NUMBER.to_owned());
    world.bank.sms.script(number, [vec![SmsFault::Refuse { code: "content:TEMPLATE".to_owned() }]]);
    act(&world, 0, &["notices", "resume"], "wang", &wang);
    let failed = notice(&world, "A-1", "payout_credited", "failed").await;
    world.metrics_with("zhida_alarms_last_hour{kind=\"notice_failed\"} 1").await;
    let said = act(&world, 0, &["notices", "resend", &id(&failed)], "wang", &wang);
    assert!(said.contains("another") || said.contains("另发一条"), "{said}");
    let arrived = notice(&world, "A-1", "payout_credited", "delivered").await;
    assert_ne!(id(&arrived), id(&failed), "a notice of its own");
    assert!(act(&world, 1, &["notices", "resend", &id(&arrived)], "wang", &wang).contains("is delivered"));
    let story = world.run(&["trace", "A-1"]);
    for part in [
        "通知失败 notice failed",
        "报警 alarm notice_failed",
        "经办操作 operator acted",
        "通知送达 notice delivered",
        "操作被拒 act refused",
    ] {
        assert!(story.contains(part), "{part} in {story}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_essential_can_be_turned_off() {
    let mut world = district("notices-preference").await;
    world.open().await;
    let wang = world.operator("wang", "operator");
    let prefer = |recipient: &'static str, kind: &'static str, wish: &'static str| {
        ["notices", "preference", recipient, kind, wish]
    };
    let uscc = "91350100M000100Y43";
    assert!(act(&world, 1, &prefer(uscc, "payout_credited", "off"), "wang", &wang).contains("is essential"));
    assert!(act(&world, 1, &prefer("O-1", "payout_received", "off"), "wang", &wang).contains("name the USCC"));
    act(&world, 2, &prefer(uscc, "payout_lost", "off"), "wang", &wang);
    let unknown = act(&world, 1, &prefer(uscc, "payout_received", "off"), "wang", &wang);
    assert!(unknown.contains("is unknown"), "nobody of that code was ever heard of: {unknown}");
    award_without_contacts(&world, "A-0").await;
    assert!(act(&world, 0, &prefer(uscc, "payout_received", "off"), "wang", &wang).contains("不再通知"));
    award(&world, "A-1").await;
    notice(&world, "A-1", "payout_credited", "delivered").await;
    assert_eq!(world.json(&["notices", "list", "--kind", "payout_received", "--json"]), json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_cannot_be_told_is_on_record_and_rings() {
    let mut world = district("notices-nobody").await;
    world.open().await;
    award_without_contacts(&world, "A-1").await;
    world.metrics_with("zhida_notices_not_made_last_hour{kind=\"payout_credited\",outcome=\"no_address\"} 1").await;
    world.metrics_with("zhida_alarms_last_hour{kind=\"notice_no_address\"} 1").await;
    let story = world.run(&["trace", "A-1"]);
    assert!(story.contains("未通知 nobody told") && story.contains("outcome=no_address"), "{story}");
    let listed = world.run(&["notices", "list", "--application", "A-1"]);
    let line = "未通知 nobody told  到账 payout_credited: 无可用联系方式 no address (短信 sms: 未提供 not given, 邮件 mail: 未配置渠道 no provider)";
    assert!(listed.contains(line), "{listed}");
    assert!(world.run(&["alarms", "list", "--kind", "notice_no_address"]).contains("no mobile is known"));
    // Received as well, unless the money was there before it could be made.
    let not_made = world.json(&["notices", "status", "--json"])["not_made"].clone();
    let count = |code: &str| not_made[code].as_u64().unwrap_or_default();
    assert_eq!((count("no_address") + count("lost_its_point"), count("no_address") > 0), (2, true), "{not_made}");
    // A number comes: it is told, and stands as told alone.
    let enterprise = approved("A-1", "10.00")["enterprise"].clone();
    let data = json!({"application_id": "A-1", "policy_id": "P-1", "enterprise": enterprise,
        "submitted_at": jiff::Timestamp::now(), "contacts": {"mobile": "13812345678"}});
    world.hand_in(&world.signed("application.submitted.v1", "submitted-A-1", "A-1", &data)).await;
    notice(&world, "A-1", "payout_credited", "delivered").await;
    let listed = world.run(&["notices", "list", "--application", "A-1"]);
    assert!(!listed.contains("未通知 nobody told  到账 payout_credited"), "{listed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_is_tried_step_by_step() {
    let mut world = district("notices-test").await;
    world.open().await;
    let said = world.run(&["notices", "test", "--to", "138 1234 5678"]);
    for part in ["138****5678", "→ main", "渠道已收 taken in", "结果 outcome: 已送达 delivered", "费用 cost 0.0450元"]
    {
        assert!(said.contains(part), "{part} in {said}");
    }
    assert!(!said.contains("13812345678"), "{said}");
    assert_eq!(world.bank.sms.received(NUMBER).len(), 1);
    let told = world.json(&["notices", "test", "--to", "+8613812345678", "--json"]);
    assert_eq!((&told["state"], &told["recipient"]), (&json!("delivered"), &json!("138****5678")));
    assert!(
        told["steps"].as_array().unwrap().len() >= 3 && told["messages"][0]["attempts"][0]["signature"].is_string()
    );
    let number = SmsTarget::Number(NUMBER.to_owned());
    world.bank.sms.script(number, [vec![SmsFault::Refuse { code: "recipient:BLOCKED".to_owned() }]]);
    let refused = world.ends(1, &["notices", "test", "--to", "+8613812345678", "--provider", "main"]);
    assert!(refused.contains("BLOCKED") && refused.contains("失败 failed"), "{refused}");
    assert!(world.ends(2, &["notices", "test", "--to", NUMBER, "--provider", "nobody"]).contains("SMS main"));
    let wrong = world.ends(2, &["notices", "test", "--to", "0591-87654321"]);
    assert!(wrong.contains("\"0591-87654321\" is no mobile number") && wrong.contains("write one such as"), "{wrong}");
    let mail = world.ends(2, &["notices", "test", "--to", NUMBER, "--provider", "mail"]);
    assert!(mail.contains("is the mail server, and --to is a number"), "{mail}");
    assert!(world.ends(1, &["notices", "test", "--to", "a@example.com"]).contains("no mail server is set"));
    let checked = world.run(&["config", "check"]);
    assert!(checked.contains("notices go by: SMS main"), "{checked}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_channel_nothing_is_sent_and_it_is_said() {
    let mut world = World::closed("notices-none").await;
    world.open().await;
    assert!(world.run(&["config", "check"]).contains("没有配置短信或邮件渠道"));
    award(&world, "A-1").await;
    world.until("A-1", "settled").await;
    world.metrics_with("zhida_notices_oldest_waiting_seconds 0").await;
    assert_eq!(world.json(&["notices", "list", "--json"]), json!([]));
    let (_, log) = world.terminate();
    assert!(log.contains("no notice is sent, requests for them wait"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_review_rings_officer_head_and_supervisor() {
    let mut world = district("notices-review").await;
    world.set("SUPERVISION__SWEEP_SECONDS", "1");
    world.set("SUPERVISION__REPLAY_MINUTES", "0");
    world.set("NOTICES__GROUP_SECONDS", "1");
    world.run(&["migrate"]);
    let organisation = world.file("organisation.toml", ORGANISATION_TOML);
    world.run(&["organisation", "import", &organisation]);
    world.start().await;
    // The officer was to decide weeks ago, so that every rung's working hours are over, whatever day it is.
    let assigned = Timestamp::now() - SignedDuration::from_hours(24 * 40);
    let data = json!({"application_id": "A-1", "department_id": "D-SCI", "officer_id": "O-201", "stage": "first",
        "assigned_at": assigned.to_string(), "due_working_days": 1});
    world.hand_in(&world.signed("review.assigned.v1", "s-1", "A-1", &data)).await;
    let told = |recipient: &'static str| {
        let world = &world;
        async move {
            wait_until(&format!("{recipient} to be told"), PATIENCE, async || {
                let found =
                    world.json(&["notices", "list", "--recipient", recipient, "--state", "delivered", "--json"]);
                found.as_array().filter(|found| !found.is_empty()).map(|found| found[0].clone())
            })
            .await
        }
    };
    let officer = told("O-201").await;
    assert_eq!((&officer["kind"], &officer["application_id"]), (&json!("review_overdue"), &json!("A-1")));
    assert_eq!(told("O-200").await["kind"], "review_escalated", "the head");
    assert_eq!(told("O-951").await["kind"], "review_escalated");
    let rung = world.bank.sms.received("+8613800009201");
    assert!(
        rung.iter().any(|one| one.text.contains("A-1")),
        "{:?}",
        rung.iter().map(|one| &one.text).collect::<Vec<_>>()
    );
    assert!(!world.bank.sms.received("+8613800009951").is_empty(), "the supervision office");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_click_in_a_digest_unsubscribes_and_no_other_address_does() {
    let mut world = World::closed("notices-unsubscribe").await;
    let port = world.bank.mail.address().port().to_string();
    let public = world.url("");
    for (name, value) in [
        ("NOTICES__MAIL__HOST", "127.0.0.1"),
        ("NOTICES__MAIL__PORT", port.as_str()),
        ("NOTICES__MAIL__SECURITY", "none"),
        ("NOTICES__MAIL__FROM", "zhida@district.example.com"),
        ("NOTICES__PUBLIC_URL", public.as_str()),
        ("NOTICES__SWEEP_SECONDS", "1"),
        // It was due when this day began.
        ("DIGEST__CRON", "0 0 * * *"),
    ] {
        world.set(name, value);
    }
    world.run(&["migrate"]);
    let calendar = world.file("calendar.csv", &every_day_but("test-1", &[]));
    world.run(&["calendar", "import", &calendar]);
    let organisation = world.file("organisation.toml", ORGANISATION_TOML);
    world.run(&["organisation", "import", &organisation]);
    world.start().await;
    let mails = &world.bank.mail;
    mails.until(|mails| mails.mails().iter().any(|mail| mail.to.iter().any(|to| to == "o-951@example.com"))).await;
    let mail = mails.mails().into_iter().find(|mail| mail.to.iter().any(|to| to == "o-951@example.com")).unwrap();
    let text = String::from_utf8_lossy(&mail.bytes).replace("\r\n ", " ").replace("\r\n\t", " ");
    let header = text.lines().find(|line| line.to_lowercase().starts_with("list-unsubscribe:")).unwrap().to_owned();
    let link = header.split_once('<').unwrap().1.split_once('>').unwrap().0.replace(' ', "");
    assert!(link.starts_with(&world.url("/v1/notices/unsubscribe/")), "{link}");
    assert!(text.contains("List-Unsubscribe=One-Click"), "{text}");

    let client = reqwest::Client::new();
    let page = client.get(&link).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("确认退订"), "{page}");
    let trace = ["trace", "O-951"];
    assert!(world.ends(1, &trace).contains("is not known"), "looking changes nothing");
    let click = async |link: &str| {
        let request = client.post(link).header("content-type", "application/x-www-form-urlencoded");
        request.body("List-Unsubscribe=One-Click").send().await.unwrap().status().as_u16()
    };
    let bare = client.post(&link).send().await.unwrap();
    assert_eq!(bare.status().as_u16(), 400, "what RFC 8058 does not call a click is none");
    assert!(world.ends(1, &trace).contains("is not known"), "and changes nothing");
    let last = if link.ends_with('A') { "B" } else { "A" };
    assert_eq!(click(&format!("{}{last}", &link[..link.len() - 1])).await, 404, "another key");
    assert_eq!(click(&link).await, 200);
    assert_eq!(click(&link).await, 200, "again, and nothing happens");
    let told = world.run(&trace);
    assert!(told.contains("通知偏好 preference of notices") && told.contains("kind=digest"), "{told}");
}
