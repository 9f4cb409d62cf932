//! That each thing that can be amiss with notices is seen by the demo: in what phones and mailboxes hold, not in what our records say.

use super::{Mail, Paid, Received, Told};
use jiff::Timestamp;
use zhida_core::notice::{Attempt, Channel, Message, Notice, NoticeKind};
use zhida_core::ports::sms::{DeliveryWord, SendOutcome};
use zhida_sandbox::{SmsEntry, SmsWord, Vendor};

const AT: Timestamp = Timestamp::UNIX_EPOCH;
const TEXT: &str = "到账通知：申请编号A-1，银行流水号B77。";

fn sms(out_id: &str, text: &str) -> SmsEntry {
    SmsEntry {
        vendor: Vendor::Aliyun,
        provider_id: "1^0".to_owned(),
        out_id: out_id.to_owned(),
        to: "+8613800000001".to_owned(),
        signature: "云岫直达".to_owned(),
        template_code: None,
        text: text.to_owned(),
        segments: 2,
        at: AT,
        word: SmsWord::Delivered { at: AT },
        unseen: 0,
    }
}

fn mail(attempt: &str, text: &str) -> Mail {
    Mail { to: "finance-001@example.com".to_owned(), text: text.to_owned(), attempt: attempt.to_owned() }
}

fn attempt(provider: &str, out_id: &str, cost: Option<i64>) -> Attempt {
    Attempt {
        out_id: out_id.to_owned(),
        provider: provider.to_owned(),
        began_at: AT,
        lease_until: AT,
        ended_at: Some(AT),
        outcome: Some(SendOutcome::Accepted { provider_id: None, segments: None }),
        beside_doubt: false,
        cost,
        asked: 0,
        asked_at: None,
        not_offered: false,
        not_made: false,
        answered: None,
        found_as: None,
        hint: None,
        hint_questions: 0,
        absent: false,
        word: Some((DeliveryWord::Delivered { at: None }, AT)),
        word_from: None,
        sent_as: None,
    }
}

/// A notice that went by both channels.
fn notice() -> Notice {
    let by = |channel, attempt| Message { attempts: vec![attempt], ..Message::first(channel, 2, AT) };
    Notice {
        id: "n".to_owned(),
        kind: NoticeKind::PayoutCredited,
        subject: "A-1".to_owned(),
        recipient: "91350100M000100Y43".to_owned(),
        application_id: "A-1".into(),
        covers: 1,
        locale: "zh-CN".to_owned(),
        template_version: "1".to_owned(),
        created_at: AT,
        expires_at: AT,
        messages: vec![
            by(Channel::Sms, attempt("aliyun", "n", Some(900))),
            by(Channel::Mail, attempt("mail", "n-m1", None)),
        ],
    }
}

fn judged(sms: Vec<SmsEntry>, mails: Vec<Mail>) -> Told {
    let paid = Paid {
        application_id: "A-1".to_owned(),
        reference: "B77".to_owned(),
        mobile: Some("+8613800000001".to_owned()),
        email: "finance-001@example.com".to_owned(),
    };
    Told::of(1, &[notice()], &Received { sms, mails }, &[paid])
}

#[test]
fn what_is_told_once_by_both_channels_is_sound() {
    let told = judged(vec![sms("n", TEXT)], vec![mail("n-m1", TEXT)]);
    assert!(told.is_sound(), "{}", told.json());
    let summary = told.json();
    assert_eq!((&summary["asked"], &summary["delivered"]), (&1.into(), &1.into()), "{summary}");
    assert_eq!((&summary["sms_segments"], &summary["cost"]), (&2.into(), &"0.0900".into()), "{summary}");
    assert_eq!(summary["by_kind"]["payout_credited"]["delivered"], 1, "{summary}");
}

#[test]
fn one_thing_amiss_is_enough_to_be_unsound() {
    let figures = |told: &Told| (told.paid_without_notice, told.twice, told.unexplained, told.bill - told.cost);
    let other = "到账通知：申请编号A-2，银行流水号B78。";
    for (what, found, wanted) in [
        ("told by mail alone, and our record says both", judged(vec![], vec![mail("n-m1", TEXT)]), (0, 0, 1, -900)),
        ("on nobody's phone and in no mailbox", judged(vec![], vec![]), (1, 0, 2, -900)),
        ("a stranger's text", judged(vec![sms("n", other)], vec![mail("n-m1", other)]), (1, 0, 0, 0)),
        ("one SMS twice", judged(vec![sms("n", TEXT), sms("n", TEXT)], vec![mail("n-m1", TEXT)]), (0, 1, 0, 900)),
        (
            "and by a second notice",
            judged(vec![sms("n", TEXT), sms("o", TEXT)], vec![mail("n-m1", TEXT)]),
            (0, 1, 1, 900),
        ),
        ("one mail twice", judged(vec![sms("n", TEXT)], vec![mail("n-m1", TEXT), mail("n-m1", TEXT)]), (0, 1, 0, 0)),
    ] {
        assert_eq!(figures(&found), wanted, "{what}");
        assert!(!found.is_sound(), "{what}");
    }
    let mut unreached = sms("n", TEXT);
    unreached.word = SmsWord::Undelivered { code: "MOBILE_NOT_ON_SERVICE".to_owned(), at: AT };
    assert_eq!(figures(&judged(vec![unreached.clone()], vec![mail("n-m1", TEXT)])), (0, 0, 0, 0), "the mail has to do");
    assert_eq!(figures(&judged(vec![unreached], vec![mail("n-m1", "…")])), (1, 0, 0, 0), "and there is none");
}

#[test]
fn what_was_asked_for_adds_up() {
    let gathered = Notice { id: "m".to_owned(), covers: 3, ..notice() };
    let waits = Notice { id: "w".to_owned(), messages: vec![Message::first(Channel::Sms, 1, AT)], ..notice() };
    let told = Told::of(7, &[notice(), gathered, waits], &Received { sms: Vec::new(), mails: Vec::new() }, &[]);
    let json = told.json();
    for (key, count) in [("asked", 7), ("gathered", 2), ("not_made", 2), ("notices", 3), ("delivered", 2)] {
        assert_eq!(json[key], count, "{key} in {json}");
    }
    let headline = told.headline();
    let numbers: Vec<i64> = headline.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [asked, gathered, not_made, notices, states @ ..] = &numbers[..] else { panic!("{headline}") };
    assert_eq!((asked - gathered - not_made, states.iter().sum::<i64>()), (*notices, *notices), "{headline}");
}
