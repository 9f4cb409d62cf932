//! Bounces in the forms of several mail systems. They are modelled on what those systems write, not captured from them.
#![allow(clippy::unwrap_used, clippy::panic)] // tests

use super::read;
use zhida_core::ports::sms::{DeliveryWord, Receipt, RefusalClass};

const DOMAIN: &str = "district.example";

/// The headers of a mail of ours.
const OURS: &str = "From: =?utf-8?b?55u06L6+?= <notice@district.example>\n\
    To: finance@example.com\n\
    Subject: =?utf-8?b?5Yiw6LSm?=\n\
    Message-ID: <0193-n1@district.example>\n\
    Auto-Submitted: auto-generated\n\
    X-Zhida-Attempt: 0193-n1-m2\n";

fn is(bounce: &str) -> Option<Receipt> {
    read(bounce.replace('\n', "\r\n").as_bytes(), DOMAIN)
}

fn report(status: &str) -> String {
    format!(
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net (Mail Delivery System)\nTo: notice@district.example\n\
         Subject: Undelivered Mail Returned to Sender\nDate: Mon, 23 Nov 2026 09:30:00 +0800\nAuto-Submitted: auto-replied\n\
         MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"B1\"\n\n\
         --B1\nContent-Description: Notification\nContent-Type: text/plain; charset=us-ascii\n\n\
         This is the mail system at host mx.example.net.\n\n\
         --B1\nContent-Description: Delivery report\nContent-Type: message/delivery-status\n\n\
         Reporting-MTA: dns; mx.example.net\nX-Postfix-Queue-ID: 4F1\nArrival-Date: Mon, 23 Nov 2026 09:29:58 +0800 (CST)\n\n\
         {status}\n\
         --B1\nContent-Description: Undelivered Message\nContent-Type: text/rfc822-headers\n\n{OURS}\n--B1--\n"
    )
}

fn undelivered(class: RefusalClass, code: &str, receipt: &Receipt) -> String {
    match &receipt.word {
        DeliveryWord::Undelivered { class: found, code: as_code, text } => {
            assert_eq!((*found, as_code.as_str()), (class, code), "{text}");
            assert!(!text.contains('@'), "{text}");
            text.clone()
        }
        DeliveryWord::OnTheWay | DeliveryWord::Delivered { .. } => panic!("{receipt:?}"),
    }
}

#[test]
fn postfix_names_the_recipient_and_the_reason() {
    let status = "Final-Recipient: rfc822; finance@example.com\nOriginal-Recipient: rfc822;finance@example.com\n\
        Action: failed\nStatus: 5.1.1\nRemote-MTA: dns; mx.example.com\n\
        Diagnostic-Code: smtp; 550 5.1.1 <finance@example.com>: Recipient address\n    rejected: User unknown\n";
    let receipt = is(&report(status)).unwrap();
    assert_eq!(receipt.out_id, "0193-n1-m2", "the attempt stands in what was returned");
    assert_eq!(receipt.to.as_deref(), Some("finance@example.com"));
    let text = undelivered(RefusalClass::Recipient, "5.1.1", &receipt);
    assert_eq!(text, "550 5.1.1 … Recipient address rejected: User unknown", "folded lines are one");
}

#[test]
fn the_action_says_whether_it_is_over() {
    let status =
        |action: &str, status: &str| format!("Final-Recipient: rfc822; a@b\nAction: {action}\nStatus: {status}\n");
    let word = |action: &str, code: &str| is(&report(&status(action, code))).unwrap().word;
    // Anybody can write "delivered": a mail is never more than sent.
    for action in ["delayed", "relayed", "expanded", "sleeping", "delivered"] {
        assert_eq!(word(action, "4.4.1"), DeliveryWord::OnTheWay, "{action}");
    }
    let gave_up = is(&report(&status("failed", "4.4.1"))).unwrap();
    undelivered(RefusalClass::Busy, "4.4.1", &gave_up);
    let full = is(&report(&status("FAILED", "5.2.2 (full)"))).unwrap();
    undelivered(RefusalClass::Busy, "5.2.2", &full);
}

#[test]
fn a_status_without_meaning_is_explained_by_the_diagnostic() {
    let status =
        "Final-Recipient: rfc822; a@b\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550-5.1.1 no such\n";
    undelivered(RefusalClass::Recipient, "5.1.1", &is(&report(status)).unwrap());
    let status = "Final-Recipient: rfc822; a@b\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: X-Notes; no route\n";
    undelivered(RefusalClass::Content, "5.0.0", &is(&report(status)).unwrap());
}

#[test]
fn exchange_returns_the_whole_mail() {
    let bounce = format!(
        "From: postmaster@example.com\nTo: notice@district.example\nSubject: Undeliverable: notice\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status;\n\tboundary=\"_EX_\"\nContent-Language: en-US\n\n\
         --_EX_\nContent-Type: multipart/alternative; boundary=\"_IN_\"\n\n\
         --_IN_\nContent-Type: text/plain; charset=\"us-ascii\"\n\nYour message couldn't be delivered.\n\
         --_IN_\nContent-Type: text/html; charset=\"us-ascii\"\n\n<p>Your message couldn't be delivered.</p>\n--_IN_--\n\
         --_EX_\nContent-Type: message/delivery-status\n\nReporting-MTA: dns;HK0.example.com\nReceived-From-MTA: dns;mx\n\n\
         Final-Recipient: rfc822;finance@example.com\nAction: failed\nStatus: 5.1.10\n\
         Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup\n\n\
         --_EX_\nContent-Type: message/rfc822\n\nReceived: from mx by HK0.example.com\n{OURS}Content-Type: text/plain\n\nours\n--_EX_--\n"
    );
    let receipt = is(&bounce).unwrap();
    assert_eq!(receipt.out_id, "0193-n1-m2");
    undelivered(RefusalClass::Recipient, "5.1.10", &receipt);
}

#[test]
fn qmail_writes_to_people() {
    let bounce = format!(
        "Return-Path: <>\nFrom: MAILER-DAEMON@qmail.example.org\nTo: notice@district.example\nSubject: failure notice\n\n\
         Hi. This is the qmail-send program at qmail.example.org.\nI'm afraid I wasn't able to deliver your message.\n\
         This is a permanent error; I've given up. Sorry it didn't work out.\n\n\
         <finance@example.com>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n\
         --- Below this line is a copy of the message.\n\nReturn-Path: <notice@district.example>\n{OURS}\nours\n"
    );
    let receipt = is(&bounce).unwrap();
    assert_eq!((receipt.out_id.as_str(), receipt.to.as_deref()), ("0193-n1-m2", Some("finance@example.com")));
    undelivered(RefusalClass::Recipient, "5.1.1", &receipt);
}

#[test]
fn mailboxes_of_the_country_explain_themselves_in_chinese_and_return_the_mail() {
    // QQ: a page for people, the mail beside it. 163: a report, without our attempt's header.
    let qq = format!(
        "From: PostMaster@qq.com\nTo: notice@district.example\nSubject: =?utf-8?b?57O757uf6YCA5L+h?=\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=\"QQ\"\n\n--QQ\nContent-Type: text/html; charset=\"utf-8\"\n\n\
         <p>抱歉,您的邮件被退回来了。</p><p>原因:收件人邮箱不存在 host said: 550 Mailbox not found.</p>\n\
         --QQ\nContent-Type: message/rfc822\n\n{OURS}\nours\n--QQ--\n"
    );
    let receipt = is(&qq).unwrap();
    let text = undelivered(RefusalClass::Recipient, "550", &receipt);
    assert!(text.contains("收件人邮箱不存在"), "{text}");
    let status = "Final-Recipient: RFC822; finance@example.com\nAction: failed\nStatus: 5.0.0\n\
        Diagnostic-Code: SMTP; 552 Quota exceeded or service disabled.\n";
    let netease = report(status).replace("X-Zhida-Attempt: 0193-n1-m2\n", "");
    let receipt = is(&netease).unwrap();
    assert_eq!(receipt.out_id, "0193-n1-m1", "without its header the first attempt is meant");
    undelivered(RefusalClass::Busy, "5.0.0", &receipt);
}

#[test]
fn what_is_not_ours_is_nothing() {
    let status = "Final-Recipient: rfc822; a@b\nAction: failed\nStatus: 5.1.1\n";
    let foreign = report(status).replace("n1@district.example>", "n1@elsewhere.example>");
    let without_mail = report(status).replace("text/rfc822-headers", "text/plain");
    let odd = report(status).replace("<0193-n1@", "<0193$n1@");
    let holiday = format!(
        "From: finance@example.com\nTo: notice@district.example\nSubject: out of office\nAuto-Submitted: auto-replied\n\
         Content-Type: multipart/mixed; boundary=\"H\"\nMIME-Version: 1.0\n\n--H\nContent-Type: text/plain\n\n550 5.1.1 I am away.\n\
         --H\nContent-Type: message/rfc822\n\n{OURS}\nours\n--H--\n"
    );
    let read_receipt =
        report(status).replace("delivery-status", "disposition-notification").replace("MAILER-DAEMON", "finance");
    for (name, mail) in [
        ("another sender's", foreign.as_str()),
        ("without our mail", &without_mail),
        ("an id that we never made", &odd),
        ("a holiday's answer", &holiday),
        ("a receipt of reading", &read_receipt),
        ("nothing", ""),
        ("garbage", "\u{0}\u{1}\n\n\n:::"),
    ] {
        assert!(is(mail).is_none(), "{name}");
    }
}

#[test]
fn an_attempt_of_another_notice_is_not_believed() {
    let status = "Final-Recipient: rfc822; a@b\nAction: failed\nStatus: 5.1.1\n";
    let strange = report(status).replace("X-Zhida-Attempt: 0193-n1-m2", "X-Zhida-Attempt: 0777-n9-m1");
    assert_eq!(is(&strange).unwrap().out_id, "0193-n1-m1");
}

/// What comes into a mailbox is written by strangers.
#[test]
fn a_mangled_mail_breaks_nothing() {
    let status = "Final-Recipient: rfc822; a@b\nAction: failed\nStatus: 5.1.1\n";
    let whole = report(status).replace('\n', "\r\n").into_bytes();
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..3_000 {
        let mut mangled = whole.clone();
        for _ in 0..random.usize(1..6) {
            let at = random.usize(..mangled.len());
            match random.u8(..4) {
                0 => mangled.truncate(at.max(1)),
                1 => mangled[at] = random.u8(..),
                2 => drop(mangled.splice(at..at, *b"\r\n--B1\r\nContent-Type: message/rfc822\r\n\r\n")),
                _ => drop(mangled.drain(at..(at + random.usize(..80)).min(mangled.len()))),
            }
            if mangled.is_empty() {
                mangled.push(b':');
            }
        }
        // Whatever it is taken for, it names an id that may stand in a header.
        if let Some(receipt) = read(&mangled, DOMAIN) {
            assert!(super::is_id(&receipt.out_id), "{receipt:?}");
        }
    }
}
