//! The command line from a person's chair: every verb once, and what wrong usage is told. What the verbs decide is tested where
//! it is decided.

use crate::World;
use crate::world::{POLICIES, approved, unsigned};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use zhida_config::sample_district::ORGANISATION_TOML;

/// Signed events as `zhida sign` writes them, from unsigned ones in a file.
fn sign(world: &World, name: &str, events: &Value) -> String {
    let file = world.file(&format!("{name}.json"), &events.to_string());
    let key = world.file("review.key", &world.review.seed_text());
    world.run(&["sign", "--key", &key, "--keyid", "review", &file])
}

fn award(application_id: &str, yuan: &str) -> Value {
    let id = format!("e-{application_id}");
    unsigned("application.approved.v1", &id, application_id, &approved(application_id, yuan))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_signed_handed_in_and_traced() {
    let world = World::new("submit").await;
    // One event; an array; one a line; on standard input; and everything once more.
    let one = sign(&world, "one", &award("A-1", "10.00"));
    let lines = sign(&world, "two", &json!([award("A-2", "10.00"), award("A-3", "10.00")]));
    let array: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let array = json!(array).to_string();
    let more = sign(&world, "more", &json!([award("A-4", "10.00"), award("A-5", "10.00")]));
    for (name, events, count) in [("one.signed", &one, 1), ("two.signed", &array, 2), ("more.signed", &more, 2)] {
        let file = world.file(name, events);
        let said = world.run(&["submit", &file]);
        assert!(said.contains(&format!("{count} events: {count} accepted, 0 duplicates, 0 quarantined")), "{said}");
        let again = world.run(&["submit", &file]);
        assert!(again.contains(&format!("{count} events: 0 accepted, {count} duplicates, 0 quarantined")), "{again}");
    }
    let mut piped = world.command();
    let piped = piped.args(["submit", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut piped = piped.unwrap();
    piped.stdin.take().unwrap().write_all(format!("{one}{more}").as_bytes()).unwrap();
    let output = piped.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("3 events: 0 accepted, 3 duplicates"), "{said}");

    let empty = world.file("empty.json", " \n");
    let key = world.file("review.key", &world.review.seed_text());
    assert!(world.ends(1, &["submit", &empty]).contains("holds no event"));
    assert!(world.ends(1, &["sign", "--key", &key, "--keyid", "review", &empty]).contains("holds no event"));
    let mistyped = world.ends(1, &["--set", "database.url=sqlite:nowhere.db", "payouts", "list"]);
    assert!(mistyped.contains("sqlite:nowhere.db: there is no such file"), "{mistyped}");

    let unsigned = world.file("unsigned.json", &award("A-6", "10.00").to_string());
    let said = world.ends(1, &["submit", &unsigned]);
    assert!(said.contains("1 of them are not signed"), "{said}");
    for number in 1..=5 {
        world.until(&format!("A-{number}"), "settled").await;
    }
    let story = world.json(&["trace", "A-2", "--json"]);
    let kinds: Vec<&str> = story.as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    for kind in ["event.accepted", "payout.received", "payout.claimed", "payout.debited"] {
        assert!(kinds.contains(&kind), "{kind} in {kinds:?}");
    }
    for entry in story.as_array().unwrap() {
        assert!(entry["at"].is_string() && entry["by"].is_string() && entry["detail"].is_object(), "{entry}");
    }
    let told = world.run(&["trace", "A-2"]);
    assert!(told.contains("到账") && told.contains("settled"), "{told}");
    assert!(world.ends(1, &["trace", "A-none"]).contains("is not known in district flows"));
    let listed = world.json(&["payouts", "list", "--state", "settled", "--json"]);
    assert_eq!(listed.as_array().map(Vec::len), Some(5));
    assert_eq!(world.json(&["payouts", "list", "--state", "held", "--json"]), json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn officers_hold_release_and_decide() {
    let world = World::new("verbs-of-officers").await;
    let (wang, li) = (world.operator("wang", "releaser"), world.operator("li", "releaser"));
    let signed = |who: &'static str, key: &str| -> Vec<String> {
        ["--as", who, "--key", key, "--reason", "已核"].map(str::to_owned).to_vec()
    };
    let act = |status: i32, verb: &[&str], who: &'static str, key: &str| {
        let who = signed(who, key);
        let arguments: Vec<&str> = verb.iter().copied().chain(who.iter().map(String::as_str)).collect();
        world.ends(status, &arguments)
    };
    act(0, &["payouts", "stop"], "wang", &wang);
    world.hand_in(&world.approval("A-1", "60000.00")).await;
    world.until("A-1", "held").await;
    act(0, &["payouts", "hold", "A-1"], "wang", &wang);
    // Everything that officers may lift, named: one hold takes one of them, the other two.
    let said = act(0, &["payouts", "release", "A-1"], "wang", &wang);
    assert!(said.contains("lifts: officers_missing, operator") && said.contains("second"), "{said}");
    assert_eq!(world.until("A-1", "held").await["reason"]["code"], "officers_missing");
    act(0, &["payouts", "release", "A-1"], "li", &li);
    world.until("A-1", "ready").await;
    let said = act(1, &["payouts", "release", "A-1"], "li", &li);
    assert!(said.contains("in force: none"), "{said}");
    let mut waiting = approved("A-2", "10.00");
    waiting["policy_id"] = json!("P-later");
    world.hand_in(&world.signed("application.approved.v1", "e-2", "A-2", &waiting)).await;
    let said = act(1, &["payouts", "release", "A-2"], "wang", &wang);
    assert!(said.contains("in force: policy_unknown"), "{said}");
    let said = act(1, &["payouts", "decide", "A-1", "--decision", "retry"], "wang", &wang);
    assert!(said.contains("refused") && said.contains("ready"), "{said}");
    let said = act(2, &["payouts", "decide", "A-1", "--decision", "settled"], "wang", &wang);
    assert!(said.contains("--proof"), "{said}");
    act(2, &["payouts", "decide", "A-1", "--decision", "perhaps"], "wang", &wang);
    act(0, &["payouts", "cancel", "A-1"], "wang", &wang);

    assert!(world.run(&["operator", "disable", "wang"]).contains("disabled"));
    act(1, &["payouts", "hold", "A-2"], "wang", &wang);
    let all = world.json(&["operator", "list", "--json"]);
    assert!(all[1]["id"] == "wang" && all[1]["disabled_at"].is_string() && all[0]["disabled_at"].is_null(), "{all}");
    let borrowed = all[0]["public_key"].as_str().unwrap();
    let said =
        world.ends(1, &["operator", "add", "zhao", "--name", "赵", "--role", "releaser", "--public-key", borrowed]);
    assert!(said.contains("is li's already"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quarantine_is_closed_with_or_without_a_name_and_a_name_needs_its_key() {
    let world = World::new("verbs-of-quarantine").await;
    let (wang, li) = (world.operator("wang", "releaser"), world.operator("li", "releaser"));
    for body in ["one", "two", "three"] {
        world.post(body.as_bytes().to_vec(), "application/cloudevents+json").await;
    }
    let rows = world.json(&["quarantine", "list", "--json"]);
    let id = |number: usize| rows[number]["id"].as_str().unwrap().to_owned();
    for key in ["id", "received_at", "source", "event_id", "type", "reason_code", "field", "reason"] {
        assert!(rows[0].get(key).is_some(), "{key} in {rows}");
    }
    let first = id(0);
    let discard = ["quarantine", "discard", &first, "--reason", "噪声"];
    let nameless = world.ends(2, &[&discard[..], &["--as", "wang"]].concat());
    assert!(nameless.contains("--key"), "a name without its key: {nameless}");
    let borrowed = world.ends(1, &[&discard[..], &["--as", "wang", "--key", &li]].concat());
    assert!(borrowed.contains("is not operator wang's key"), "{borrowed}");
    assert_eq!(world.json(&["quarantine", "list", "--json"]).as_array().map(Vec::len), Some(3));
    world.run(&[&discard[..], &["--as", "wang", "--key", &wang]].concat());
    world.run(&["quarantine", "discard", &id(1), "--reason", "噪声"]);
    assert!(world.ends(1, &discard).contains("by wang"), "closed already");
    for (number, by) in [(0, "wang"), (1, "command line")] {
        let shown = world.json(&["quarantine", "show", &id(number), "--json"]);
        assert_eq!((&shown["state"], &shown["closed"]["by"]), (&json!("discarded"), &json!(by)));
    }
    assert!(world.ends(1, &["quarantine", "replay", &id(2)]).contains("stays open"));
    let open = world.json(&["quarantine", "list", "--json"]);
    assert_eq!(open.as_array().map(Vec::len), Some(1), "a replay that fails leaves one thing to do, not two");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reference_data_settings_and_documents() {
    let world = World::new("verbs-of-reading").await;
    let changed = world.file("changed.toml", &POLICIES.replace("稳岗补贴", "扩岗补贴"));
    let preview = world.run(&["policies", "import", &changed, "--dry-run"]);
    assert!(preview.contains("扩岗补贴") && preview.contains("nothing was written"), "{preview}");
    assert_eq!(world.json(&["policies", "list", "--json"])["policies"][0]["title"], "稳岗补贴");
    world.run(&["policies", "import", &changed]);
    assert_eq!(world.json(&["policies", "list", "--json"])["policies"][0]["title"], "扩岗补贴");
    assert!(world.run(&["policies", "import", &changed]).contains("nothing changes"));

    let days = world.run(&["calendar", "workdays", "--from", "2026-09-30", "--to", "2026-10-09"]);
    assert!(days.starts_with("2026-09-30\n") && !days.contains("2026-10-01"), "{days}");
    let third = world.run(&["calendar", "workdays", "--from", "2026-11-23", "--add", "3"]);
    assert_eq!(third, "2026-11-26\n");

    let shown = world.run(&["config", "show"]);
    assert!(shown.contains("ZHIDA__BANK__URL") && !shown.contains("flow-token"), "{shown}");
    assert!(world.run(&["config", "check"]).contains("hold together"));
    let token = world.run(&["config", "token"]);
    assert!(token.starts_with("zhida_") && token.lines().count() == 1, "nothing but the token can be piped");
    let file = world.file("more.toml", "[bank]\nbatch_max = 77\n");
    for arguments in [["--config", &file, "config", "show"], ["config", "show", "--config", &file]] {
        let shown = world.run(&arguments);
        assert!(shown.lines().any(|line| line.contains("bank.batch_max") && line.contains("77")), "{shown}");
    }
    let live = ["--set", "environment=live", "submit", "-"];
    assert!(world.ends(1, &live).contains("intake.trusted_keys.review is trusted for every source"));

    assert!(world.run(&["schema"]).contains("payout.settled.v1"));
    assert_eq!(world.json(&["schema", "application.approved.v1"])["title"], "application.approved.v1");
    assert!(world.json(&["schema", "asyncapi"])["asyncapi"].is_string());
    assert_eq!(world.json(&["schema", "openapi"])["openapi"], "3.1.0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_organisation_is_imported_with_a_preview_and_listed_with_masks() {
    let world = World::new("verbs-of-organisation").await;
    let file = world.file("organisation.toml", ORGANISATION_TOML);
    let preview = world.run(&["organisation", "import", &file, "--dry-run"]);
    for word in ["+ 部门 department D-IND", "+ 人员 officer O-952", "not: D-1", "nothing was written"] {
        assert!(preview.contains(word), "{word} in {preview}");
    }
    assert_eq!(world.json(&["organisation", "list", "--json"])["officers"], json!([]));
    world.run(&["organisation", "import", &file]);
    assert!(world.run(&["organisation", "import", &file]).contains("nothing changes"));
    let listed = world.json(&["organisation", "list", "--json"]);
    let officers = listed["officers"].as_array().unwrap();
    let absent = officers.iter().find(|one| one["id"] == "O-202").unwrap();
    let masked = (&absent["mobile"], &absent["email"]);
    assert_eq!(masked, (&json!("**********9202"), &json!("o***@example.com")));
    assert_eq!(absent["absent"], json!([{"from": "2026-11-23", "to": "2026-12-04"}]));
    assert_eq!(
        listed["ladder"][0]["rungs"][3],
        json!({"role": "inspector", "officer_id": null, "after_working_hours": 16})
    );
    let table = world.run(&["organisation", "list"]);
    assert!(table.contains("督查室") && table.contains("officer 0 h, head 4 h"), "{table}");
    assert!(!format!("{listed}{table}{preview}").contains("+8613800009"), "a mobile number is shown whole");

    let changed = ORGANISATION_TOML.replace("+8613800009202", "+8613900009202").replace("D-TRA", "D-ROAD");
    let changed = world.run(&["organisation", "import", &world.file("changed.toml", &changed)]);
    for word in
        ["- 部门 department D-TRA", "+ 部门 department D-ROAD", "~ 人员 officer O-202", "    mobile: **********9202"]
    {
        assert!(changed.contains(word), "{word} in {changed}");
    }
    let wrong = ORGANISATION_TOML
        .replace("role = \"supervisor\", after", "role = \"head\", after")
        .replace("role = \"inspector\", after", "role = \"head\", after");
    let said = world.ends(1, &["organisation", "import", &world.file("wrong.toml", &wrong)]);
    assert!(said.contains("nothing was imported") && said.contains("ladder[0].rungs leaves supervision out"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_calendar_is_imported_with_a_preview_and_counted_by() {
    let world = World::new("verbs-of-calendar").await;
    let next = ["calendar", "workdays", "--from", "2026-12-31", "--add", "1"];
    assert!(world.ends(1, &next).contains("no data for 2027: once"), "and what to do");
    let text = "version,cn-2027-1\nyear,2027,an invented notice\noff,2027-01-01,元旦\n";
    let file = world.file("calendar.csv", text);
    let preview = world.run(&["calendar", "import", &file, "--dry-run"]);
    for word in ["+ 年份 year 2027 an invented notice: 工作日 260", "cn-2026-1 → cn-2027-1", "nothing was written"]
    {
        assert!(preview.contains(word), "{word} in {preview}");
    }
    world.ends(1, &next);
    world.run(&["calendar", "import", &file]);
    assert_eq!(world.run(&next), "2027-01-04\n");
    assert!(world.run(&["calendar", "import", &file]).contains("nothing changes"));
    let other = world.file("other.csv", &text.replace("元旦", "another day"));
    assert!(world.ends(1, &["calendar", "import", &other]).contains("cn-2027-1 is another calendar's already"));
    let moved = world.file("moved.csv", "version,typhoon\nyear,2027,amended\nwork,2027-01-10,x\n");
    let refused = world.ends(1, &["calendar", "import", &moved]);
    assert!(refused.contains("no day off in 2027") && refused.contains("calendar export --year 2027"), "{refused}");
    let exported = world.run(&["calendar", "export", "--year", "2027"]);
    assert!(exported.starts_with('#') && exported.ends_with(text), "{exported}");
    let amended = exported.replace("cn-2027-1", "typhoon") + "off,2027-01-04,台风\n";
    let preview = world.run(&["calendar", "import", &world.file("amended.csv", &amended), "--dry-run"]);
    assert!(preview.contains("变更 1 changed"), "{preview}");
    assert!(world.run(&["calendar", "export"]).contains("year,2024,"), "all of it");
    assert!(world.ends(1, &["calendar", "export", "--year", "2031"]).contains("no data for 2031"));
    let broken = world.file("broken.csv", "version,x\nholiday,2027-01-01,x\n");
    assert!(world.ends(1, &["calendar", "import", &broken]).contains("calendar line 2"));
    // Without a database the calendar built in answers.
    let elsewhere =
        ["--set", "database.url=sqlite:nowhere.db", "calendar", "workdays", "--from", "2026-09-30", "--add", "1"];
    assert_eq!(world.run(&elsewhere), "2026-10-08\n");
    assert!(world.ends(1, &[&elsewhere[..2], &next].concat()).contains("no data for 2027"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sandbox_serves_keeps_its_ledger_and_prints_it() {
    let world = World::new("verbs-of-sandbox").await;
    let ledger = world.file("ledger.ndjson", "");
    let mut bank = world.command();
    let bank = bank.args(["sandbox", "--listen", "127.0.0.1:0", "--ledger", &ledger]).stdout(Stdio::piped()).spawn();
    let mut bank = bank.unwrap();
    let mut greeting = String::new();
    BufReader::new(bank.stdout.as_mut().unwrap()).read_line(&mut greeting).unwrap();
    let url = greeting.split_whitespace().find(|word| word.starts_with("http://")).expect("where it listens");
    let shown: Value =
        serde_json::from_str(&reqwest::get(format!("{url}/ledger")).await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!((&shown["total"], &shown["reproaches"]), (&json!("0.00"), &json!([])));
    let told = std::process::Command::new("kill").args(["-INT", &bank.id().to_string()]).status().unwrap();
    assert!(told.success() && bank.wait().unwrap().success());
    assert!(world.ends(0, &["sandbox", "--ledger", &ledger, "--print"]).contains("0 orders, 0.00 credited"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_usage_is_2_and_says_what_to_do() {
    let world = World::new("usage").await;
    for (arguments, word) in [
        (&[][..], "Usage"),
        (&["pay"], "unrecognized subcommand"),
        (&["serve", "--only", "registry"], "is to come"),
        (&["serve", "--only", "everything"], "is not a role"),
        (&["--set", "bank.batch_max", "config", "show"], "KEY=VALUE"),
        (&["sign"], "--key"),
        (&["sign", "--key", "k", "--keyid", "a b", "f"], "--keyid"),
        (&["trace", "A 1"], "application id"),
        (&["payouts", "list", "--state", "lost"], "held, ready"),
        (&["payouts", "release", "A-1"], "--as"),
        (&["payouts", "stop", "--as", "wang"], "--key"),
        (&["quarantine", "discard", "x"], "--reason"),
        (&["quarantine", "discard", "x", "--reason", " "], "--reason"),
        (&["organisation", "import"], "<FILE>"),
        (&["calendar", "import"], "<FILE>"),
        (&["calendar", "workdays", "--from", "2026-11-23"], "--to <TO>|--add <ADD>"),
        (&["calendar", "workdays", "--from", "2026-11-23", "--add", "0"], "--add"),
        (&["calendar", "workdays", "--from", "2026-11-23", "--to", "2026-11-22"], "exchange"),
        (&["operator", "add", "w", "--name", "w", "--role", "king", "--public-key", "x"], "--role"),
        (&["schema", "nonsense"], "lists all"),
        (&["sandbox", "--print"], "--ledger"),
    ] {
        let said = world.ends(2, arguments);
        assert!(said.contains(word), "{arguments:?}: {word} in {said}");
    }
    // What was meant well and cannot be done is 1.
    for arguments in [&["submit", "no-such-file"][..], &["--set", "bank.batch_maximum=1", "config", "show"]] {
        world.ends(1, arguments);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn templates_of_notices_are_checked_shown_and_imported() {
    let world = World::new("verbs-of-templates").await;
    let template = |text: &str| {
        format!(
            "version = \"2026.12\"\n[[template]]\nkind = \"payout_credited\"\nchannel = \"sms\"\nlocale = \"zh-CN\"\n\
             text = \"{text}\"\n[template.providers.ali]\ncode = \"SMS_1\"\n"
        )
    };
    let bad = world.file("bad.toml", &template("{{amount}}¥{{nobody}}"));
    let said = world.ends(1, &["notices", "templates", "check", &bad]);
    for word in [
        "`¥` is in it",
        "the variable `nobody` is not known here",
        "it lacks {{ policy }}",
        "payout_credited/sms/zh-CN text",
    ] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(world.ends(1, &["notices", "templates", "import", &bad]).contains("nothing was imported"));

    let good =
        world.file("good.toml", &template("{{policy}}补贴{{amount}}已于{{credited_at}}汇入尾号{{account}}的账户。"));
    assert!(world.run(&["notices", "templates", "check", &good]).contains("1 templates, no problem"));
    let priced = ["--set", "notices.sms.ali.kind=aliyun", "--set", "notices.sms.ali.price_per_segment=0.0450"];
    let said = world.run(&[&priced[..], &["notices", "templates", "preview", &good]].concat());
    for word in [
        "补贴1409.50元已于",
        "0.0450 元 yuan",
        "SMS_1: ${policy}补贴${amount}已于${credited_at}汇入尾号${account}的账户。",
    ] {
        assert!(said.contains(word), "{word}: {said}");
    }

    let preview = world.run(&["notices", "templates", "import", &good, "--dry-run"]);
    for word in ["→ 2026.12", "~ payout_credited/sms/zh-CN", "providers + ali SMS_1", "nothing was written"] {
        assert!(preview.contains(word), "{word}: {preview}");
    }
    world.run(&["notices", "templates", "import", &good]);
    assert!(world.run(&["notices", "templates", "import", &good]).contains("nothing changes"));
    let current = world.json(&["notices", "templates", "preview", "--current", "--json"]);
    assert_eq!(current["version"], "2026.12");
    assert!(current["templates"].as_array().unwrap().len() > 80, "what the file leaves out is there");
    let credited = world.run(&["notices", "templates", "preview", "--current", "--kind", "payout_credited"]);
    assert!(credited.contains("补贴1409.50元已于") && !credited.contains("review_overdue"), "{credited}");

    // A code alone is entered for the words in force, and nothing that was brought in before is lost.
    let codes = world.file(
        "codes.toml",
        "version = \"2026.12-2\"\n[[template]]\nkind = \"payout_credited\"\nchannel = \"sms\"\nlocale = \"zh-CN\"\n\
         providers.tx.code = \"7\"\n",
    );
    let told = world.ends(1, &[&priced[..], &["notices", "templates", "import", &codes]].concat());
    assert!(told.contains("the settings know no provider of SMS `tx`, only ali"), "{told}");
    let told = world.run(&["notices", "templates", "import", &codes]);
    assert!(told.contains("providers - ali SMS_1") && told.contains("providers + ali SMS_1; tx 7"), "{told}");
    let credited = world.run(&["notices", "templates", "preview", "--current", "--kind", "payout_credited"]);
    assert!(credited.contains("补贴1409.50元已于"), "{credited}");

    let other = world.file("other.toml", &template("{{policy}}{{amount}}{{credited_at}}{{account}}"));
    let refused = world.ends(1, &["notices", "templates", "import", &other]);
    assert!(refused.contains("its text changes, and tx had the code of the old one"), "{refused}");
    let other =
        fs::read_to_string(other).unwrap().replace("\"2026.12\"", "\"2026.12-2\"") + "providers.tx.code = \"8\"\n";
    let other = world.file("other.toml", &other.replace("[template.providers.ali]\ncode", "providers.ali.code"));
    assert!(world.ends(1, &["notices", "templates", "import", &other]).contains("give this set a version of its own"));
    assert!(world.ends(2, &["notices", "templates", "preview", "--current", "--kind", "x"]).contains("the kinds are"));
}
