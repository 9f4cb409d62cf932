//! The mail link against a server that fails on demand: what is certain, what is doubtful, and that nothing is sent twice.

use super::mail_scenery::{hasty, in_clear, mail, send, settings, words};
use std::path::PathBuf;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use zhida_adapters::providers::mail::{MailSettings, MailboxFolder, Security, SmtpMail};
use zhida_core::ports::mail::{BounceReader, MailProvider};
use zhida_core::ports::sms::{DeliveryWord, RefusalClass, SendOutcome};
use zhida_sandbox::{MailFault, MailStage, MailboxSettings, Sandbox, SandboxSettings};

async fn sandbox(mail: MailboxSettings) -> Sandbox {
    Sandbox::start(SandboxSettings { mail, ..SandboxSettings::default() }).await.unwrap()
}

fn refuse(at: MailStage, code: u16, text: &str) -> MailFault {
    MailFault::Refuse { at, code, text: text.to_owned() }
}

#[tokio::test]
async fn every_ending_has_its_outcome_and_keeps_what_it_says() {
    use MailStage::{Connect, Content, Data, Recipient, Sender};
    let table: [(MailFault, &str, usize); 19] = [
        (refuse(Connect, 554, "5.7.1 no"), "refused Account 554 5.7.1", 0),
        (refuse(Connect, 421, "4.3.2 busy"), "refused Busy 421 4.3.2", 0),
        (refuse(Sender, 550, "5.7.1 not you"), "refused Content 550 5.7.1", 0),
        (refuse(Recipient, 550, "5.1.1 <finance@example.test> unknown"), "refused Recipient 550 5.1.1", 0),
        (refuse(Recipient, 450, "4.2.0 greylisted"), "refused Busy 450 4.2.0", 0),
        (refuse(Data, 554, "5.7.1 no"), "refused Content 554 5.7.1", 0),
        (refuse(Content, 554, "5.7.1 spam"), "refused Content 554 5.7.1", 0),
        (refuse(Content, 451, "4.3.0 disk"), "refused Busy 451 4.3.0", 0),
        (refuse(Content, 421, "4.3.2 going down"), "refused Busy 421 4.3.2", 0),
        (MailFault::Hang { at: Connect }, "not connected", 0),
        (MailFault::Hang { at: Sender }, "not connected", 0),
        (MailFault::Hang { at: Recipient }, "not connected", 0),
        (MailFault::Hang { at: Data }, "not connected", 0),
        (MailFault::Cut { at: Connect }, "not connected", 0),
        (MailFault::Cut { at: Data }, "not connected", 0),
        // From here on only the server knows.
        (MailFault::Cut { at: Content }, "doubtful", 0),
        (MailFault::KeepAndHang, "doubtful", 1),
        (MailFault::KeepAndCut, "doubtful", 1),
        (MailFault::KeepAndGarble, "doubtful", 1),
    ];
    for (fault, expected, kept) in table {
        let sandbox = sandbox(MailboxSettings::default()).await;
        let silent = matches!(fault, MailFault::Hang { .. } | MailFault::KeepAndHang);
        let port = sandbox.mail.address().port();
        let link = SmtpMail::new(&if silent { hasty(port) } else { in_clear(port) }).unwrap();
        sandbox.mail.script([Some(fault.clone())]);
        assert_eq!(send(&link, &mail("n1", "finance@example.test")).await, expected, "{fault:?}");
        assert_eq!(sandbox.mail.mails().len(), kept, "{fault:?}");
        assert_eq!(sandbox.mail.connections(), 1, "{fault:?}: nothing is tried twice");
        let patient = SmtpMail::new(&in_clear(port)).unwrap();
        assert_eq!(send(&patient, &mail("n2", "finance@example.test")).await, "accepted", "after {fault:?}");
    }
}

#[tokio::test]
async fn a_temporary_no_then_a_final_one_are_two_outcomes() {
    let sandbox = sandbox(MailboxSettings::default()).await;
    let link = SmtpMail::new(&in_clear(sandbox.mail.address().port())).unwrap();
    let (later, never) =
        (refuse(MailStage::Content, 451, "4.7.1 later"), refuse(MailStage::Recipient, 550, "5.1.1 never"));
    sandbox.mail.script([Some(later), Some(never)]);
    assert_eq!(send(&link, &mail("n1", "a@example.test")).await, "refused Busy 451 4.7.1");
    assert_eq!(send(&link, &mail("n1", "a@example.test")).await, "refused Recipient 550 5.1.1");
    assert_eq!(sandbox.mail.connections(), 1, "a refusal does not cost the connection");
    assert!(sandbox.mail.mails().is_empty());
    sandbox.mail.refuse("gone@example.test", 550, "5.1.1 no such user");
    assert_eq!(send(&link, &mail("n2", "gone@example.test")).await, "refused Recipient 550 5.1.1");
    assert_eq!(send(&link, &mail("n3", "a@example.test")).await, "accepted");
}

#[tokio::test]
async fn a_kept_connection_that_is_gone_is_replaced_once() {
    for idle in [MailFault::CloseIdle, MailFault::CutIdle] {
        let sandbox = sandbox(MailboxSettings::default()).await;
        let link = SmtpMail::new(&in_clear(sandbox.mail.address().port())).unwrap();
        sandbox.mail.script([Some(idle.clone())]);
        assert_eq!(send(&link, &mail("n1", "a@example.test")).await, "accepted");
        assert_eq!(send(&link, &mail("n2", "a@example.test")).await, "accepted", "{idle:?}");
        assert_eq!(send(&link, &mail("n3", "a@example.test")).await, "accepted");
        assert_eq!(sandbox.mail.connections(), 2, "{idle:?}: one more, which is kept in turn");
        let ids: Vec<String> =
            sandbox.mail.mails().iter().map(|mail| String::from_utf8_lossy(&mail.bytes).into_owned()).collect();
        assert_eq!(ids.len(), 3, "each once");
    }
}

#[tokio::test]
async fn a_kept_connection_is_replaced_only_before_the_content() {
    // What a fresh connection then meets, and how often the mail arrived.
    let table = [
        (MailFault::Cut { at: MailStage::Sender }, "accepted", 1),
        (MailFault::Cut { at: MailStage::Data }, "accepted", 1),
        (refuse(MailStage::Sender, 421, "4.4.2 idle"), "accepted", 1),
        (MailFault::Cut { at: MailStage::Content }, "doubtful", 0),
        (MailFault::KeepAndCut, "doubtful", 1),
        (refuse(MailStage::Sender, 451, "4.3.0 later"), "refused Busy 451 4.3.0", 0),
    ];
    for (fault, expected, arrived) in table {
        let sandbox = sandbox(MailboxSettings::default()).await;
        let link = SmtpMail::new(&in_clear(sandbox.mail.address().port())).unwrap();
        sandbox.mail.script([None, Some(fault.clone())]);
        assert_eq!(send(&link, &mail("n1", "a@example.test")).await, "accepted");
        assert_eq!(send(&link, &mail("n2", "a@example.test")).await, expected, "{fault:?}");
        assert_eq!(sandbox.mail.mails().len(), 1 + arrived, "{fault:?}");
    }
    let sandbox = sandbox(MailboxSettings::default()).await;
    let link = SmtpMail::new(&in_clear(sandbox.mail.address().port())).unwrap();
    let cut = || Some(MailFault::Cut { at: MailStage::Sender });
    sandbox.mail.script([None, cut(), cut()]);
    assert_eq!(send(&link, &mail("n1", "a@example.test")).await, "accepted");
    assert_eq!(send(&link, &mail("n2", "a@example.test")).await, "not connected", "once, not again");
    assert_eq!(sandbox.mail.connections(), 2);
}

#[tokio::test]
async fn an_answer_too_many_is_not_taken_for_the_next_mails() {
    let sandbox = sandbox(MailboxSettings::default()).await;
    let link = SmtpMail::new(&in_clear(sandbox.mail.address().port())).unwrap();
    sandbox.mail.script([Some(MailFault::AnswerTwice)]);
    assert_eq!(send(&link, &mail("n1", "a@example.test")).await, "accepted");
    sandbox.mail.refuse("gone@example.test", 550, "5.1.1 no such user");
    let second = send(&link, &mail("n2", "gone@example.test")).await;
    assert_eq!(second, "refused Recipient 550 5.1.1", "the stray answer shifts all; a fresh connection is asked");
    assert_eq!(sandbox.mail.mails().len(), 1);
}

#[tokio::test]
async fn without_starttls_where_it_is_required_nothing_is_said() {
    let sandbox = sandbox(MailboxSettings::default()).await;
    let secret = Some(("district".to_owned(), "secret".to_owned()));
    let required = MailSettings { credentials: secret, ..settings(sandbox.mail.address().port(), Security::StartTls) };
    let link = SmtpMail::new(&required).unwrap();
    assert_eq!(send(&link, &mail("n1", "finance@example.test")).await, "refused Account no_starttls");
    let heard: Vec<String> = sandbox.mail.heard().into_iter().map(|(_, line)| line).collect();
    assert_eq!(heard, ["EHLO district.test"], "no sign-in, no envelope, no content");
    assert!(sandbox.mail.mails().is_empty());
}

/// A server that offers STARTTLS and, behind its "go ahead", slips in what would be its answers under encryption.
#[tokio::test]
async fn answers_slipped_in_before_encryption_are_not_believed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut heard = [0; 512];
        stream.write_all(b"220 mx ESMTP\r\n").await.unwrap();
        assert!(stream.read(&mut heard).await.unwrap() > 0);
        stream.write_all(b"250-mx\r\n250 STARTTLS\r\n").await.unwrap();
        assert!(stream.read(&mut heard).await.unwrap() > 0);
        stream.write_all(b"220 go ahead\r\n250 mx\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n").await.unwrap();
        // The handshake, and whatever follows; nothing of it is answered.
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        rest
    });
    let link = SmtpMail::new(&settings(port, Security::StartTls)).unwrap();
    assert_eq!(send(&link, &mail("n1", "finance@example.test")).await, "refused Account tls");
    drop(link);
    let rest = server.await.unwrap();
    assert!(!String::from_utf8_lossy(&rest).contains("finance"), "nothing was said in clear");
}

#[tokio::test]
async fn who_may_hand_in_is_asked_for_a_password() {
    let pair = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
    let sandbox = sandbox(MailboxSettings { sign_in: pair("district", "right"), ..MailboxSettings::default() }).await;
    let with = |credentials| MailSettings { credentials, ..in_clear(sandbox.mail.address().port()) };
    for (credentials, expected) in [
        (pair("district", "wrong"), "refused Account 535 5.7.8"),
        (None, "refused Account 530 5.7.0"),
        (pair("district", "right"), "accepted"),
    ] {
        let link = SmtpMail::new(&with(credentials)).unwrap();
        assert_eq!(send(&link, &mail("n1", "finance@example.test")).await, expected);
    }
    let open = self::sandbox(MailboxSettings::default()).await;
    let credentials = pair("district", "right");
    let link = SmtpMail::new(&MailSettings { credentials, ..in_clear(open.mail.address().port()) }).unwrap();
    assert_eq!(send(&link, &mail("n1", "finance@example.test")).await, "refused Account auth_not_offered");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_not_connected() {
    let sandbox = sandbox(MailboxSettings::default()).await;
    let link = SmtpMail::new(&in_clear(sandbox.mail.address().port())).unwrap();
    assert_eq!(send(&link, &mail("n1", "a@example.test")).await, "accepted");
    sandbox.mail.down().await;
    assert_eq!(send(&link, &mail("n2", "a@example.test")).await, "not connected");
    sandbox.mail.up().await.unwrap();
    assert_eq!(send(&link, &mail("n2", "a@example.test")).await, "accepted");
    assert_eq!(sandbox.mail.mails().len(), 2);
}

#[tokio::test]
async fn a_subject_that_would_be_a_header_is_one_over_the_wire_as_well() {
    let sandbox = sandbox(MailboxSettings::default()).await;
    let link = SmtpMail::new(&in_clear(sandbox.mail.address().port())).unwrap();
    let mut evil = mail("n1", "finance@example.test");
    evil.subject = "到账\r\nBcc: victim@example.org\r\n\r\n.\r\nMAIL FROM:<x@y>".to_owned();
    evil.text = "a\r\n.\r\nMAIL FROM:<x@example.org>\r\nRCPT TO:<victim@example.org>\r\nDATA\r\n".to_owned();
    assert_eq!(send(&link, &evil).await, "accepted");
    let mails = sandbox.mail.mails();
    assert_eq!(mails.len(), 1, "one mail");
    assert_eq!(mails[0].to, ["finance@example.test"], "to one recipient");
    let text = String::from_utf8_lossy(&mails[0].bytes).into_owned();
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    assert!(!head.contains("\r\nBcc"), "{head}");
    let commands = sandbox.mail.heard().into_iter().filter(|(_, line)| line.starts_with("MAIL")).count();
    assert_eq!(commands, 1);
    let mut address = mail("n2", "finance@example.test");
    address.to = "finance@example.test>\r\nRCPT TO:<victim@example.org".to_owned();
    assert_eq!(words(&link.send(&address).await), "refused Recipient address");
}

/// A folder of its own, removed when dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn a_mail_that_bounces_is_read_as_a_receipt_of_its_attempt() {
    let folder = Folder(std::env::temp_dir().join(format!("zhida-sandbox-bounces-{}", std::process::id())));
    let bounces_dir = Some(folder.0.clone());
    let sandbox = sandbox(MailboxSettings { bounces_dir, ..MailboxSettings::default() }).await;
    let link = SmtpMail::new(&in_clear(sandbox.mail.address().port())).unwrap();
    sandbox.mail.script([Some(MailFault::Bounce { status: "5.2.2".to_owned() })]);
    let mut second = mail("n1", "finance@example.test");
    second.out_id = "n1-m2".to_owned();
    let outcome = link.send(&second).await;
    assert!(
        matches!(&outcome, SendOutcome::Accepted { provider_id: Some(said), .. } if said == "2.0.0 queued as 1"),
        "{outcome:?}"
    );
    let reader = MailboxFolder::new(&folder.0, "notice@district.test");
    let found = reader.read(10).await.unwrap();
    let [(name, receipt)] = found.as_slice() else { panic!("{} bounces", found.len()) };
    assert_eq!((receipt.out_id.as_str(), receipt.to.as_deref()), ("n1-m2", Some("finance@example.test")));
    let DeliveryWord::Undelivered { class, .. } = &receipt.word else { panic!("{:?}", receipt.word) };
    assert_eq!(*class, RefusalClass::Busy, "a full mailbox");
    reader.done(std::slice::from_ref(name)).await.unwrap();
    assert!(reader.read(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_mailbox_shows_mails_to_people_and_to_programs() {
    let sandbox = sandbox(MailboxSettings::default()).await;
    let link = SmtpMail::new(&in_clear(sandbox.mail.address().port())).unwrap();
    let mut evil = mail("n1", "finance@example.test");
    evil.subject = "<script>alert(1)</script>".to_owned();
    evil.unsubscribe = Some("https://zhida.test/u?a=1&b=2".to_owned());
    evil.html = "<p>你好</p>\"><script>alert(2)</script>".to_owned();
    assert_eq!(send(&link, &evil).await, "accepted");
    let page = async |path: &str| reqwest::get(format!("{}{path}", sandbox.url())).await.unwrap().text().await.unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (list, one) = (page("/mail").await, page("/mail/1").await);
    for html in [&list, &one] {
        assert!(!html.contains("<script"), "{html}");
        assert!(html.contains("finance@example.test") && html.contains("alert(1)"), "{html}");
    }
    assert!(one.contains("<iframe sandbox srcdoc=\""), "{one}");
    assert!(one.contains("伍拾万元整"), "{one}");
    let mails: serde_json::Value = serde_json::from_str(&page("/mail.json").await).unwrap();
    assert_eq!(mails[0]["message_id"], "n1@district.test");
    assert_eq!(mails[0]["subject"], "<script>alert(1)</script>");
    let header = |name: &str| {
        let headers = mails[0]["headers"].as_array().unwrap();
        headers.iter().find(|one| one["name"] == name).unwrap()["value"].clone()
    };
    for (name, value) in [
        ("To", "finance@example.test"),
        ("Subject", "<script>alert(1)</script>"),
        ("Message-ID", "<n1@district.test>"),
        ("Auto-Submitted", "auto-generated"),
        ("List-Unsubscribe", "<https://zhida.test/u?a=1&b=2>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ] {
        assert_eq!(header(name), value, "{name} in {mails}");
    }
    assert!(header("Date").is_string() && header("From").as_str().unwrap().contains("@district.test"), "{mails}");
    assert!(header("DKIM-Signature").is_null(), "{mails}");
    for name in ["List-Unsubscribe-Post", "DKIM-Signature", "Auto-Submitted"] {
        assert!(one.contains(&format!("<dt>{name}</dt>")), "{name} in {one}");
    }
    assert!(!one.contains("<https://") && one.contains("List-Unsubscribe=One-Click"), "escaped: {one}");
    let client = reqwest::Client::new();
    let steps = r#"[{"fault":"refuse","at":"recipient","code":550,"text":"5.1.1 no"}]"#;
    let told = client.post(format!("{}/control/mail", sandbox.url())).header("content-type", "application/json");
    assert!(told.body(steps).send().await.unwrap().status().is_success());
    assert_eq!(send(&link, &mail("n2", "finance@example.test")).await, "refused Recipient 550 5.1.1");
}
