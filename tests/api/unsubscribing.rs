//! Unsubscribing from digests: what a mail program's one click does, what the page with its button does, and what everything else does,
//! which is nothing. Whatever comes back is a page for people.

use crate::scenery::{Answer, Caller, Everything, Served, closed_store, console, memory};
use std::sync::Arc;
use zhida_core::ids::ApplicationId;
use zhida_core::notice::{Notice, NoticeKind, unsubscribe_key};
use zhida_tests::memory_store::{MemoryStore, seal};

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=----x7";
const CLICK: &[u8] = b"List-Unsubscribe=One-Click";
const CLICK_IN_PARTS: &[u8] =
    b"------x7\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n------x7--\r\n";

/// Words of the pages.
const ASKS: &str = "确认退订";
const NOTHING: &str = "没有任何变更";
const DONE: &str = "已退订";
const WRONG: &str = "退订链接无效";

/// A notice of this kind, as far as it is looked at here, in a store with a console over it.
async fn scene(kind: NoticeKind) -> (MemoryStore, Served, String) {
    let store = memory(0).await;
    let now = store.clock();
    let notice = Notice {
        id: "0193a7e2-n".to_owned(),
        kind,
        subject: "DG-1".to_owned(),
        recipient: "O-951".to_owned(),
        application_id: ApplicationId::from("digest"),
        covers: 1,
        locale: "zh-CN".to_owned(),
        template_version: "v1".to_owned(),
        created_at: now,
        expires_at: now + kind.expires_after(),
        messages: Vec::new(),
    };
    let path = format!("/v1/notices/unsubscribe/{}/{}", notice.id, unsubscribe_key(&notice.id, &seal()));
    store.tables().noticing.notices.insert(notice.id.clone(), notice);
    let console = console(Arc::new(store.clone()), Arc::new(Everything)).await;
    (store, console, path)
}

fn unsubscribed(store: &MemoryStore) -> usize {
    store.tables().journal.iter().filter(|row| row.kind == "notices.preference").count()
}

/// A page for people in both languages, whatever its status.
fn page_says(answer: &Answer, status: u16, words: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(answer.header("content-security-policy").is_some_and(|policy| policy.contains("form-action 'self'")));
    assert!(answer.body.contains(words) && answer.body.contains("lang=\"en\""), "{words} in {}", answer.body);
    assert_eq!(answer.body.contains("<button"), answer.body.contains(ASKS), "{}", answer.body);
}

/// What the form of the page posts.
fn of_the_button(page: &Answer) -> Vec<u8> {
    let field =
        |name: &str| page.body.split_once(&format!("{name}=\"")).unwrap().1.split('"').next().unwrap().to_owned();
    let form = page.body.split_once("<form").unwrap().1;
    assert!(form.contains("method=\"post\""), "{form}");
    let input = page.body.split_once("<input").unwrap().1;
    assert!(input.starts_with(" type=\"hidden\""), "{input}");
    format!("{}={}", field("<input type=\"hidden\" name"), field("value")).into_bytes()
}

#[tokio::test]
async fn looking_at_the_page_unsubscribes_nobody_and_its_button_does() {
    let (store, console, path) = scene(NoticeKind::Digest).await;
    let page = console.ask(Caller::Nobody, "GET", &path, "", b"").await;
    page_says(&page, 200, ASKS);
    let button = of_the_button(&page);
    assert_ne!(button, CLICK, "a mail program's click is not the button's");
    assert_eq!(unsubscribed(&store), 0);
    for _ in 0..2 {
        page_says(&console.ask(Caller::Nobody, "POST", &path, FORM, &button).await, 200, DONE);
    }
    assert_eq!(unsubscribed(&store), 1);
}

#[tokio::test]
async fn a_mail_program_unsubscribes_by_what_rfc_8058_says_and_by_nothing_else() {
    for (media_type, body, clicked) in [
        (FORM, CLICK, true),
        (MULTIPART, CLICK_IN_PARTS, true),
        ("", CLICK, true),
        ("", &b""[..], false),
        (FORM, b"", false),
        (FORM, b"List-Unsubscribe=", false),
        (FORM, b"One-Click", false),
        (MULTIPART, CLICK, false),
        ("application/json", b"{}", false),
        (FORM, &[b'x'; 70_000], false),
    ] {
        let (store, console, path) = scene(NoticeKind::Digest).await;
        let answer = console.ask(Caller::Nobody, "POST", &path, media_type, body).await;
        if clicked {
            page_says(&answer, 200, DONE);
        } else {
            page_says(&answer, 400, NOTHING);
            page_says(&answer, 400, ASKS);
        }
        assert_eq!(unsubscribed(&store), usize::from(clicked), "{media_type} {}", String::from_utf8_lossy(body));
    }
}

#[tokio::test]
async fn an_address_that_unsubscribes_nobody_says_so_before_and_after_the_click() {
    let (store, console, path) = scene(NoticeKind::Digest).await;
    let (id, key) = ("/v1/notices/unsubscribe/0193a7e2-n", path.rsplit('/').next().unwrap());
    for wrong in [
        format!("{id}/AAAAAAAAAAAAAAAA"),
        format!("{id}/{}", &key[1..]),
        format!("/v1/notices/unsubscribe/n-404/{key}"),
        format!("{id}/%FF"),
        format!("{id}/{key}%00"),
        format!("{id}/%3Cscript%3E"),
    ] {
        page_says(&console.ask(Caller::Nobody, "GET", &wrong, "", b"").await, 404, WRONG);
        for body in [CLICK, b""] {
            page_says(&console.ask(Caller::Nobody, "POST", &wrong, FORM, body).await, 404, WRONG);
        }
    }
    assert_eq!(unsubscribed(&store), 0);
    let (store, console, path) = scene(NoticeKind::ReviewOverdue).await;
    page_says(&console.ask(Caller::Nobody, "GET", &path, "", b"").await, 404, WRONG);
    page_says(&console.ask(Caller::Nobody, "POST", &path, FORM, CLICK).await, 404, WRONG);
    assert_eq!(unsubscribed(&store), 0, "what is essential is told");
}

#[tokio::test]
async fn a_store_that_is_away_is_a_page_as_well() {
    let (store, _folder) = closed_store().await;
    let console = console(Arc::new(store), Arc::new(Everything)).await;
    for (method, body) in [("GET", &b""[..]), ("POST", CLICK), ("POST", b"")] {
        let answer = console.ask(Caller::Nobody, method, "/v1/notices/unsubscribe/n-1/K1", FORM, body).await;
        page_says(&answer, 503, "请稍后再打开同一链接");
        assert_eq!(answer.header("retry-after"), Some("2"));
    }
}
