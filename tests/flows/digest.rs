//! The daily digest as those who supervise get it, and a calendar that is amended while deadlines run.

use crate::World;
use jiff::civil::{Date, Weekday, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use std::time::Duration;
use zhida_config::sample_district::ORGANISATION_TOML;
use zhida_tests::waiting::wait_until;

const PATIENCE: Duration = Duration::from_secs(60);

fn today() -> Date {
    TimeZone::get("Asia/Shanghai").unwrap().to_datetime(Timestamp::now()).date()
}

/// A holiday of that year, for none is without, that lies months from today.
fn far_away(year: i16) -> Date {
    date(year, if (3..=10).contains(&today().month()) { 1 } else { 7 }, 1)
}

/// A calendar of this year and the next in which every day is worked but those named, and one far away in each.
pub(crate) fn every_day_but(version: &str, off: &[Date]) -> String {
    let mut text = format!("version,{version}\n");
    for year in [today().year(), today().year() + 1] {
        text.push_str(&format!("year,{year},test\n"));
        let days = std::iter::successors(Some(date(year, 1, 1)), |day| day.tomorrow().ok());
        for day in days.take_while(|day| day.year() == year) {
            let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
            if off.contains(&day) || day == far_away(year) {
                text.push_str(&format!("off,{day},台风\n"));
            } else if weekend {
                text.push_str(&format!("work,{day},test\n"));
            }
        }
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_digest_comes_on_a_working_day_also_when_there_is_nothing() {
    let mut world = World::closed("digest").await;
    world.run(&["migrate"]);
    let refused = world.ends(1, &["config", "check", "--set", "digest.cron=30 8 * * 1-5"]);
    assert!(refused.contains("digest.cron") && refused.contains("weekdays by name"), "{refused}");
    let calendar = world.file("calendar.csv", &every_day_but("test-1", &[]));
    world.run(&["calendar", "import", &calendar]);
    let organisation = world.file("organisation.toml", ORGANISATION_TOML);
    world.run(&["organisation", "import", &organisation]);
    // It was due when this day began.
    world.set("DIGEST__CRON", "0 0 * * *");
    let none = world.ends(1, &["digest", "show"]);
    assert!(none.contains("尚无日报") && none.contains("下一期 the next is due"), "{none}");
    assert!(world.run(&["digest", "preview"]).contains("预览 a preview"));

    world.start().await;
    let shown: Value = wait_until("the digest", PATIENCE, async || {
        let output = world.try_run(&["digest", "show", "--json"]);
        output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap())
    })
    .await;
    let id = shown["digest"]["id"].as_str().unwrap().to_owned();
    assert_eq!(id, format!("DG-{}-0000", today().strftime("%Y%m%d")));
    assert_eq!((&shown["missing_since"], shown["next_due"].is_string()), (&Value::Null, true));
    assert_eq!(shown["digest"]["calendar"]["version"], "test-1");
    let people = world.run(&["digest", "show", "--date", &today().to_string()]);
    for part in
        [id.as_str(), "无超期 nothing overdue", "在办 who has to act on what", "24 小时兑付", "下一期 the next is due"]
    {
        assert!(people.contains(part), "{part} in {people}");
    }
    let other = world.ends(1, &["digest", "show", "--date", "2026-01-01"]);
    assert!(other.contains("2026-01-01 无日报"), "{other}");
    assert!(world.run(&["trace", &id]).contains("日报 digest made"));
    world.metrics_with("zhida_digest_missing_seconds 0").await;
    world.metrics_with("zhida_calendar_years_missing 0").await;
    for path in ["/digest".to_owned(), format!("/digest/{}", today())] {
        let (status, page) = world.page(&path).await;
        assert!(status == 200 && page.contains("无超期") && page.contains(&id), "{status} {page}");
    }

    // A process that starts again makes no second one.
    let (_, log) = world.terminate();
    assert_eq!(log.matches("the digest was made").count(), 1, "{log}");
    world.start().await;
    world.metrics_with("zhida_digest_missing_seconds 0").await;
    assert_eq!(world.json(&["digest", "show", "--json"])["digest"]["made_at"], shown["digest"]["made_at"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_amended_calendar_tells_which_deadlines_move_before_it_moves_them() {
    let mut world = World::new("amended").await;
    let calendar = world.file("calendar.csv", &every_day_but("test-1", &[]));
    world.run(&["calendar", "import", &calendar]);
    let enterprise = json!({"uscc": "91350100M000100Y43", "name": "示例科技有限责任公司"});
    let data = |id: &str| json!({"application_id": id, "policy_id": "P-1", "enterprise": enterprise, "submitted_at": Timestamp::now()});
    for number in 1..=25 {
        let id = format!("A-{number}");
        world.hand_in(&world.signed("application.submitted.v1", &format!("s-{number}"), &id, &data(&id))).await;
    }
    wait_until("all to be looked at", PATIENCE, async || {
        let preview = world.json(&["digest", "preview", "--json"]);
        let open = preview["digest"]["holders"].as_array().unwrap().iter().map(|one| one["open"].as_u64().unwrap());
        (open.sum::<u64>() == 25).then_some(())
    })
    .await;

    let (typhoon, shanghai) = (today() + 1.days(), TimeZone::get("Asia/Shanghai").unwrap());
    let amendment = world.file("amendment.csv", &every_day_but("test-2", &[typhoon]));
    let preview = world.run(&["calendar", "import", &amendment, "--dry-run"]);
    for part in ["移动的期限 running deadlines that move: 50", "… 另 30 项 30 more", "仅预览 a preview", "(台风)"]
    {
        assert!(preview.contains(part), "{part} in {preview}");
    }
    let programs = world.json(&["calendar", "import", &amendment, "--dry-run", "--json"]);
    let moved = programs["moved"].as_array().unwrap();
    assert_eq!((moved.len(), &programs["imported"]), (50, &json!(false)));
    let review = moved.iter().find(|one| one["application_id"] == "A-7" && one["clock"] == "review:1").unwrap();
    assert_eq!(review["because"][0]["date"], typhoon.to_string());
    let at = |deadline: &Value| {
        let at: Timestamp = deadline["at"].as_str().unwrap().parse().unwrap();
        shanghai.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
    };
    let explain = || world.run(&["clock", "explain", "A-7", "--clock", "review:1"]);
    assert!(explain().contains(&at(&review["from"])), "nothing has moved yet");

    let imported = world.run(&["calendar", "import", &amendment]);
    assert!(imported.contains("running deadlines that move: 50") && imported.contains("已导入 imported"), "{imported}");
    assert!(explain().contains(&at(&review["to"])), "what was told came true");
    let again = world.json(&["calendar", "import", &amendment, "--json"]);
    assert_eq!(again, json!({"version": "test-2", "imported": false, "moved": []}));
    world.terminate();
}
