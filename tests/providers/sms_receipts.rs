//! Receipts as the sandbox's vendors push them and the providers read them, over real sockets, true ones and others; and the phone.

use super::scenery::http;
use super::sms_scenery::{Listener, NUMBER, PATIENT, Treatment, provider, sandbox, send, sms, with_variables, word_of};
use zhida_core::ports::sms::Trust;
use zhida_sandbox::{Pushed, SmsFault, SmsTarget, Vendor};

const TAKEN: &str = r#"{"code":0,"msg":"接收成功"}"#;

#[tokio::test]
async fn a_receipt_reaches_us_and_is_read() {
    for vendor in Vendor::ALL {
        let sandbox = sandbox().await;
        let mut listener = Listener::start(&[Treatment::Answer(TAKEN)]).await;
        sandbox.sms.set_receipts_url(vendor, Some(&listener.url));
        let provider = provider(&sandbox, vendor, PATIENT);
        let undelivered = SmsFault::Undelivered { code: "MOBILE_NOT_ON_SERVICE".to_owned() };
        sandbox.sms.script(SmsTarget::Message("n-2".to_owned()), [vec![undelivered]]);
        let mut read = Vec::new();
        for out_id in ["n-1", "n-2"] {
            assert_eq!(send(&provider, &sms(out_id)).await, "accepted");
            let push = listener.next().await.read(&provider);
            assert_eq!(push.trust, if vendor == Vendor::Webhook { Trust::Signed } else { Trust::Hint });
            read.extend(push.receipts);
        }
        let ledger = sandbox.sms.ledger();
        for (receipt, entry) in read.iter().zip(&ledger) {
            // Tencent names the serial number alone.
            let out_id = if vendor == Vendor::Tencent { "" } else { entry.out_id.as_str() };
            assert_eq!((receipt.out_id.as_str(), receipt.to.as_deref()), (out_id, Some(NUMBER)), "{vendor:?}");
            assert_eq!(receipt.provider_id.as_ref(), Some(&entry.provider_id), "{vendor:?}");
        }
        let class = if vendor == Vendor::Aliyun { "Unreachable" } else { "Busy" };
        let words: Vec<String> = read.iter().map(|receipt| word_of(&receipt.word)).collect();
        assert_eq!(words, ["delivered".to_owned(), format!("undelivered {class} MOBILE_NOT_ON_SERVICE")], "{vendor:?}");
        sandbox.stop().await;
    }
}

#[tokio::test]
async fn the_answer_is_the_one_that_the_vendor_wants() {
    let sandbox = sandbox().await;
    for (vendor, body) in [(Vendor::Aliyun, TAKEN), (Vendor::Tencent, r#"{"result":0,"errmsg":"OK"}"#)] {
        let read = provider(&sandbox, vendor, PATIENT);
        let push = zhida_core::ports::sms::Push { headers: &std::collections::BTreeMap::new(), body: b"[]" };
        assert_eq!(read.read_push(&push).unwrap().answer, body);
        for wrong in ["", "{}", "null", "\u{0}"] {
            let push = zhida_core::ports::sms::Push { body: wrong.as_bytes(), ..push };
            assert!(read.read_push(&push).is_err(), "{vendor:?} {wrong}");
        }
    }
    sandbox.stop().await;
}

#[tokio::test]
async fn receipts_may_be_wrong_early_late_or_come_twice() {
    let sandbox = sandbox().await;
    let mut listener = Listener::start(&[Treatment::Answer(TAKEN)]).await;
    sandbox.sms.set_receipts_url(Vendor::Aliyun, Some(&listener.url));
    let provider = provider(&sandbox, Vendor::Aliyun, PATIENT);
    let meet = |out_id: &str, fault| sandbox.sms.script(SmsTarget::Message(out_id.to_owned()), [vec![fault]]);

    meet("early", SmsFault::ReceiptFirst);
    assert_eq!(send(&provider, &sms("early")).await, "accepted");
    assert_eq!(listener.waiting(), 1, "before the answer");
    assert_eq!(listener.receipts(&provider).await[0].out_id, "early");

    meet("number", SmsFault::WrongNumber);
    assert_eq!(send(&provider, &sms("number")).await, "accepted");
    let wrong = listener.receipts(&provider).await;
    assert_eq!((wrong[0].out_id.as_str(), wrong[0].to.as_deref()), ("number", Some("+8613900009999")));

    meet("id", SmsFault::WrongId);
    assert_eq!(send(&provider, &sms("id")).await, "accepted");
    assert_eq!(listener.receipts(&provider).await[0].out_id, "nobody-knows");

    meet("twice", SmsFault::ReceiptTwice);
    assert_eq!(send(&provider, &sms("twice")).await, "accepted");
    let mut ids = Vec::new();
    while ids.len() < 2 {
        ids.extend(listener.receipts(&provider).await.into_iter().map(|receipt| receipt.out_id));
    }
    assert_eq!(ids, ["twice", "twice"]);

    meet("never", SmsFault::NoReceipt);
    meet("late", SmsFault::LateReceipt);
    for out_id in ["never", "late"] {
        assert_eq!(send(&provider, &sms(out_id)).await, "accepted");
    }
    assert_eq!(sandbox.sms.release(), 1);
    assert_eq!(listener.receipts(&provider).await[0].out_id, "late");
    assert_eq!(sandbox.sms.release(), 0);
    sandbox.stop().await;
}

#[tokio::test]
async fn a_receipt_that_nobody_took_is_pushed_again() {
    let sandbox = sandbox().await;
    let treatments = &[Treatment::Status("503 Busy"), Treatment::Close, Treatment::Answer(TAKEN)];
    let mut listener = Listener::start(treatments).await;
    sandbox.sms.set_receipts_url(Vendor::Webhook, Some(&listener.url));
    let provider = provider(&sandbox, Vendor::Webhook, PATIENT);
    assert_eq!(send(&provider, &sms("n-1")).await, "accepted");
    for _ in 0..3 {
        assert_eq!(listener.receipts(&provider).await[0].out_id, "n-1", "signed anew each time");
    }
    sandbox.sms.until(|sms| !sms.pushed().is_empty()).await;
    let pushed = Pushed { vendor: Vendor::Webhook, receipts: 1, status: Some(200), answer: TAKEN.to_owned() };
    assert_eq!(sandbox.sms.pushed(), [pushed]);
    sandbox.stop().await;
}

#[tokio::test]
async fn the_phone_shows_what_arrived_and_runs_nothing_of_it() {
    let sandbox = sandbox().await;
    let url = sandbox.url();
    let (_, empty) = http(&url, "GET", "/phone", "").await;
    assert!(empty.contains("还没有收到短信") && !empty.contains("+86"), "{empty}");
    let provider = provider(&sandbox, Vendor::Aliyun, PATIENT);
    let undelivered = SmsFault::Undelivered { code: "MOBILE_IN_BLACK".to_owned() };
    sandbox.sms.script(SmsTarget::Message("n-2".to_owned()), [vec![undelivered]]);
    sandbox.sms.script(SmsTarget::Message("n-3".to_owned()), [vec![SmsFault::AcceptReset, SmsFault::NoReceipt]]);
    send(&provider, &with_variables("n-1", "1.00", "<script>alert(1)</script>")).await;
    send(&provider, &with_variables("n-2", "2.00", "不会到")).await;
    send(&provider, &with_variables("n-3", "3.00", "到了")).await;

    let (_, numbers) = http(&url, "GET", "/phone", "").await;
    assert!(numbers.contains(NUMBER) && numbers.contains("2 条"), "{numbers}");
    let (head, page) = http(&url, "GET", &format!("/phone/{NUMBER}"), "").await;
    assert!(head.contains("content-security-policy: default-src 'none'; style-src 'self'"), "{head}");
    assert!(page.contains("【鼓楼直达】到账1.00元,政策&#60;script&#62;alert(1)&#60;/script&#62;。"), "{page}");
    assert!(page.contains("到了") && !page.contains("不会到") && !page.contains("<script"), "{page}");
    assert!(page.contains("http-equiv=\"refresh\"") && page.contains("计费 1 条"), "{page}");
    for other in ["8613800000000", "13800000000", "%2B8613800000000", "138-0000-0000"] {
        let (_, same) = http(&url, "GET", &format!("/phone/{other}"), "").await;
        assert_eq!(same, page, "{other}");
    }
    let (_, json) = http(&url, "GET", "/phone/8613800000000.json", "").await;
    let messages: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(messages.as_array().unwrap().len(), 2);
    assert_eq!(messages[0]["segments"], 1);
    assert_eq!(messages[1]["out_id"], "n-3");
    sandbox.stop().await;
}

#[tokio::test]
async fn templates_faults_and_receipts_are_arranged_over_http() {
    let sandbox = sandbox().await;
    let url = sandbox.url();
    let mut listener = Listener::start(&[Treatment::Answer(TAKEN)]).await;
    let receipts = format!(r#"{{"provider":"aliyun","url":"{}"}}"#, listener.url);
    for (route, body) in [
        ("templates", r#"{"provider":"aliyun","code":"SMS_1","text":"新${amount}"}"#),
        ("receipts", receipts.as_str()),
        ("limit", r#"{"provider":"aliyun","limit":2}"#),
        ("scripts", r#"{"target":"vendor","id":"aliyun","steps":[[{"fault":"late_receipt"}],[]]}"#),
        ("chances", r#"[{"vendor":"tencent","faults":[{"fault":"throttle"}],"per_mille":1000}]"#),
    ] {
        let (head, _) = http(&url, "POST", &format!("/control/sms/{route}"), body).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{route}: {head}");
    }
    let aliyun = provider(&sandbox, Vendor::Aliyun, PATIENT);
    assert_eq!(send(&aliyun, &sms("n-1")).await, "accepted");
    assert_eq!(send(&aliyun, &sms("n-2")).await, "accepted");
    assert_eq!(listener.receipts(&aliyun).await[0].out_id, "n-2");
    let (_, released) = http(&url, "POST", "/control/sms/release", "").await;
    assert_eq!(released, r#"{"released":1}"#);
    assert_eq!(listener.receipts(&aliyun).await[0].out_id, "n-1");
    assert!(send(&aliyun, &sms("n-3")).await.starts_with("Limit "));
    assert!(send(&provider(&sandbox, Vendor::Tencent, PATIENT), &sms("n-4")).await.starts_with("Busy "));
    let (_, ledger) = http(&url, "GET", "/sms/ledger", "").await;
    assert!(ledger.contains(r#""text":"新1409.50""#), "{ledger}");
    sandbox.stop().await;
}
