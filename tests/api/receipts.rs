//! Receipts of SMS as vendors push them: who is let in, and what is answered.

use crate::problem_says;
use crate::scenery::{Caller, Everything, Served, closed_store, console, memory};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use zhida_console::{ReceiptDoor, ReceiptDoors};
use zhida_core::ports::sms::{
    AskOutcome, DeliveryWord, Push, PushRead, Question, Receipt, SendOutcome, Sms, SmsProvider, Trust,
    UnreadableReceipt,
};

/// The secret of the vendor `main`; `silent` has none.
const SECRET: &str = "sixteen-letters-or-more";

/// A vendor that pushes `out_id`s, one a line, and signs nothing.
struct Lines;

#[async_trait]
impl SmsProvider for Lines {
    async fn send(&self, _: &Sms) -> SendOutcome {
        SendOutcome::NotConnected { why: "nothing is sent here".to_owned() }
    }

    async fn ask(&self, _: &Question) -> AskOutcome {
        AskOutcome::NotOffered
    }

    fn read_push(&self, push: &Push<'_>) -> Result<PushRead, UnreadableReceipt> {
        let text = std::str::from_utf8(push.body).map_err(|_| UnreadableReceipt("it is no text".to_owned()))?;
        if push.headers.get("content-type").is_none_or(|kind| kind != "application/json") {
            return Err(UnreadableReceipt("the content type is not application/json".to_owned()));
        }
        let receipt = |line: &str| Receipt {
            out_id: line.to_owned(),
            provider_id: None,
            to: Some("+8613812345678".to_owned()),
            word: DeliveryWord::Delivered { at: None },
        };
        let (unreadable, lines): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| *line == "null");
        let (receipts, unreadable) =
            (lines.into_iter().map(receipt).collect(), u32::try_from(unreadable.len()).unwrap());
        Ok(PushRead { receipts, unreadable, trust: Trust::Hint, answer: r#"{"code":0}"# })
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(1)
    }
}

/// The doors of the console in these tests.
pub(crate) fn doors() -> ReceiptDoors {
    ReceiptDoors::from([
        ("main".to_owned(), ReceiptDoor::new(Arc::new(Lines), Some(SECRET))),
        ("silent".to_owned(), ReceiptDoor::new(Arc::new(Lines), None)),
    ])
}

async fn push(console: &Served, path: &str, body: &[u8]) -> crate::scenery::Answer {
    console.ask(Caller::Nobody, "POST", path, "application/json", body).await
}

#[tokio::test]
async fn receipts_come_in_by_their_secret_alone() {
    let console = console(Arc::new(memory(0).await), Arc::new(Everything)).await;
    let by_address = format!("/v1/sms/receipts/main/{SECRET}");
    let taken = push(&console, &by_address, b"n-1\nn-2").await;
    assert_eq!((taken.status, taken.body.as_str()), (200, r#"{"code":0}"#), "the answer is the vendor's");
    assert_eq!(taken.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(push(&console, &by_address, b"n-1").await.status, 200, "again, and nothing happens");
    let with_token = console.ask_with(Some(SECRET), "POST", "/v1/sms/receipts/main", "application/json", b"n-3").await;
    assert_eq!(with_token.status, 200);
    for (path, status, word) in [
        ("/v1/sms/receipts/main", 401, "receipt_secret"),
        ("/v1/sms/receipts/main/another-secret", 401, "receipt_secret"),
        ("/v1/sms/receipts/silent/", 404, "this address is not known"),
        ("/v1/sms/receipts/silent/sixteen-letters-or-more", 401, "receipt_secret"),
        ("/v1/sms/receipts/nobody/sixteen-letters-or-more", 404, "no provider of SMS by that name"),
    ] {
        let answer = push(&console, path, b"n-1").await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        problem_says(&answer, word);
        assert!(!answer.body.contains(SECRET) && !answer.body.contains("another-secret"), "{}", answer.body);
    }
    let with_others = push(&console, &by_address, b"n-4\nnull\nnull").await;
    assert_eq!((with_others.status, with_others.body.as_str()), (200, r#"{"code":0}"#), "the others are taken");
    let unreadable = push(&console, &by_address, b"\xff").await;
    assert_eq!(unreadable.status, 400);
    problem_says(&unreadable, "it is no text");
    let large = push(&console, &by_address, &vec![b'n'; 4 * 1024 * 1024 + 1]).await;
    assert_eq!(large.status, 413);
    let metrics = console.ask(Caller::Watcher, "GET", "/metrics", "", b"").await.body;
    for line in [
        r#"zhida_notice_receipts_total{outcome="unmatched",provider="main"} 4"#,
        r#"zhida_notice_receipts_total{outcome="unreadable",provider="main"} 4"#,
        r#"zhida_notice_receipts_total{outcome="repeated",provider="main"} 1"#,
    ] {
        assert!(metrics.lines().any(|one| one == line), "{line} in {metrics}");
    }
}

#[tokio::test]
async fn what_cannot_be_booked_is_pushed_again() {
    let (store, _folder) = closed_store().await;
    let console = console(Arc::new(store), Arc::new(Everything)).await;
    let answer = push(&console, &format!("/v1/sms/receipts/main/{SECRET}"), b"n-1").await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("2")));
}
