//! The page of the digest: for those with the right token, harmless whatever names it shows, and with nothing from elsewhere.

use crate::scenery::{Caller, Everything, console, memory};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::sync::Arc;
use zhida_core::case_file::ClockKind;
use zhida_core::ids::{ApplicationId, DepartmentId, OfficerId};
use zhida_core::organisation::{Department, Organisation};
use zhida_core::ports::digests::DigestStore as _;
use zhida_core::supervision::{Alert, Level, Raised};
use zhida_tests::memory_store::MemoryStore;

const HOSTILE: &str = "\"><script>alert(1)</script>&";

fn moment(text: &str) -> Timestamp {
    TimeZone::get("Asia/Shanghai").unwrap().to_timestamp(text.parse::<DateTime>().unwrap()).unwrap()
}

/// A Thursday on which something is overdue in a department with a strange name.
async fn thursday() -> MemoryStore {
    let store = memory(0).await;
    store.set_clock(moment("2026-11-26T08:31"));
    let department_id = DepartmentId::from("D-1");
    let department = Department { id: department_id.clone(), name: HOSTILE.to_owned(), parent_id: None };
    let (level, at) = (Level::Rung(0), moment("2026-11-24T17:30"));
    let alert = Alert {
        id: "AL-1".to_owned(),
        application_id: ApplicationId::from("A-1"),
        cause: "c".to_owned(),
        clock: "step:first:D-1:1".to_owned(),
        kind: ClockKind::Step,
        episode: 1,
        department_id: Some(department_id.clone()),
        officer_id: Some(OfficerId::from("O-1")),
        deadline: at,
        raised: vec![Raised { level, due_at: at, raised_at: at, told: Vec::new(), note: None }],
        acknowledged: Vec::new(),
        cleared: None,
    };
    let mut tables = store.tables();
    tables.organisation = Organisation { departments: [(department_id, department)].into(), ..Organisation::default() };
    tables.cases.alerts.insert(alert.id.clone(), alert);
    drop(tables);
    store
}

#[tokio::test]
async fn a_digest_is_a_page_that_lets_nothing_else_in() {
    let store = thursday().await;
    let console = console(Arc::new(store.clone()), Arc::new(Everything)).await;
    let none = console.ask(Caller::Reader, "GET", "/digest", "", b"").await;
    assert_eq!((none.status, none.header("content-type")), (404, Some("application/problem+json")));
    assert_eq!(store.make_due_digest().await.unwrap().len(), 1);

    let page = console.ask(Caller::Reader, "GET", "/digest", "", b"").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    for part in ["超期 1 项", "1 overdue, 1 of them new", "A-1", "step:first:D-1:1", "2026-11-27 08:30"] {
        assert!(page.body.contains(part), "{part} in {}", page.body);
    }
    assert!(page.body.contains("&lt;script&gt;") || page.body.contains("&#60;script&#62;"), "{}", page.body);
    for forbidden in ["<script", "style=\"", "src=", "http:", "https:", "url(", "@import", "onclick"] {
        assert!(!page.body.contains(forbidden), "{forbidden} in {}", page.body);
    }
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{policy}");
    let (_, style) = page.body.split_once("<style>").unwrap();
    let (style, _) = style.split_once("</style>").unwrap();
    let hash = ring::digest::digest(&ring::digest::SHA256, style.as_bytes());
    assert!(policy.contains(&data_encoding::BASE64.encode(hash.as_ref())), "the style in the page is the one allowed");
    assert_eq!(page.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_day_is_asked_for_by_its_date_and_the_token_must_read() {
    let store = thursday().await;
    store.make_due_digest().await.unwrap();
    let console = console(Arc::new(store), Arc::new(Everything)).await;
    for (caller, path, status, word) in [
        (Caller::Reader, "/digest/2026-11-26", 200, "2026-11-26"),
        (Caller::Reader, "/digest/2026-11-25", 404, "there is no digest of 2026-11-25"),
        (Caller::Reader, "/digest/yesterday", 400, "write it as 2026-11-26"),
        (Caller::Reader, "/digest/2026-02-30", 400, "write it as 2026-11-26"),
        (Caller::Reader, "/digest/+002026-11-26", 400, "write it as 2026-11-26"),
        (Caller::Sender, "/digest/yesterday", 403, "lacks the scope"),
        (Caller::Sender, "/digest", 403, "lacks the scope"),
        (Caller::Nobody, "/digest", 401, "zhida config token"),
        (Caller::Stranger, "/digest/2026-11-26", 401, "no token like this"),
    ] {
        let answer = console.ask(caller, "GET", path, "", b"").await;
        assert_eq!(answer.status, status, "{caller:?} {path}: {}", answer.body);
        assert!(answer.body.contains(word), "{word} in {}", answer.body);
    }
}
