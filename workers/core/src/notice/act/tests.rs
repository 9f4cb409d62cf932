//! Who may do what about notices, one row a case.

#![allow(clippy::unwrap_used)] // a failing unwrap is the finding

use super::{Loaded, LoadedNotice, NoticeAct, Preference, RecipientKnown, act};
use crate::ids::{ApplicationId, OperatorId};
use crate::notice::making::Addressee;
use crate::notice::{
    Attempt, Channel, Ended, LostPoint, Message, Notice, NoticeKind, NoticeRequest, NoticeRules, ProviderRules,
    Standing, Stopped, Switch,
};
use crate::ports::notices::Wish;
use crate::ports::sms::SendOutcome;
use crate::steps::{Operator, Role};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

fn operator(role: Role) -> Operator {
    let (id, name, public_key) = (OperatorId("wang".to_owned()), "wang".to_owned(), String::new());
    Operator { id, name, role, public_key, disabled_at: None }
}

fn attempt(outcome: SendOutcome) -> Attempt {
    Attempt {
        out_id: "n-1".to_owned(),
        provider: "main".to_owned(),
        began_at: NOW,
        lease_until: NOW,
        ended_at: Some(NOW),
        outcome: Some(outcome),
        beside_doubt: false,
        cost: None,
        asked: 0,
        asked_at: None,
        not_offered: false,
        not_made: false,
        answered: None,
        hint: None,
        hint_questions: 0,
        found_as: None,
        absent: false,
        word: None,
        word_from: None,
        sent_as: None,
    }
}

fn refused() -> Attempt {
    attempt(SendOutcome::NotConnected { why: "refused".to_owned() })
}

fn in_doubt() -> Attempt {
    attempt(SendOutcome::Doubtful { why: "time-out".to_owned() })
}

fn notice(kind: NoticeKind, ended: Option<Ended>, attempts: Vec<Attempt>) -> Notice {
    Notice {
        id: "n-1".to_owned(),
        kind,
        subject: "A-1".to_owned(),
        recipient: "91350100M000100Y43".to_owned(),
        application_id: ApplicationId::from("A-1"),
        covers: 1,
        locale: "zh-CN".to_owned(),
        template_version: "1".to_owned(),
        created_at: NOW,
        expires_at: NOW + SignedDuration::from_hours(1),
        messages: vec![Message { ended, attempts, ..Message::first(Channel::Sms, 1, NOW) }],
    }
}

fn stopped() -> Switch {
    let stopped = Stopped { by: "li".to_owned(), at: NOW, reason: "内容有误".to_owned() };
    Switch { stopped: Some(stopped), ..Switch::default() }
}

fn said(role: Role, what: &NoticeAct, loaded: &Loaded) -> Result<String, String> {
    let mut rules = NoticeRules::with_defaults(TimeZone::UTC);
    rules.providers.push(ProviderRules::of_texts("main", Channel::Sms));
    let done = act(&operator(role), what, ("因故", "e-1"), loaded, &rules);
    done.map(|deed| format!("{} {}", deed.journal.subject, deed.notices.len())).map_err(|refused| refused.to_string())
}

#[test]
fn whoever_may_stop_payouts_may_stop_notices() {
    let open = Loaded { switch: Switch::default(), notice: None, recipient: RecipientKnown::Yes };
    for role in Role::ALL {
        let may = [Role::Operator, Role::Releaser, Role::Supervisor].contains(&role);
        assert_eq!(said(role, &NoticeAct::Stop, &open).is_ok(), may, "{role:?}");
    }
    let closed = Loaded { switch: stopped(), notice: None, recipient: RecipientKnown::Yes };
    assert_eq!(said(Role::Operator, &NoticeAct::Resume, &closed).unwrap(), "notices 0");
    assert!(said(Role::Operator, &NoticeAct::Resume, &open).unwrap_err().contains("nothing to resume"));
    assert!(said(Role::Operator, &NoticeAct::Stop, &closed).unwrap_err().contains("li has stopped notices already"));
}

/// Name, kind, how its message ended, its attempts, whether it has a point, and a word of the refusal.
type Row = (&'static str, NoticeKind, Option<Ended>, Vec<Attempt>, Standing, Option<&'static str>);

#[test]
fn only_what_did_not_arrive_and_has_a_point_is_sent_again() {
    use NoticeKind::{IntegrityDecided, PayoutCredited};
    let (stands, moved) = (Standing::Stands, Standing::Lost(LostPoint::PayoutMoved));
    let over = Standing::Lost(LostPoint::Expired);
    let accepted = || attempt(SendOutcome::Accepted { provider_id: None, segments: None });
    let rows: [Row; 9] = [
        ("sent", PayoutCredited, None, vec![accepted()], stands, Some("is sent: only one that failed")),
        ("waits", PayoutCredited, None, vec![], stands, Some("still under way")),
        ("in doubt", PayoutCredited, None, vec![in_doubt()], stands, Some("still under way")),
        ("failed", PayoutCredited, Some(Ended::Failed), vec![refused()], stands, None),
        ("expired", PayoutCredited, Some(Ended::Expired), vec![], over, None),
        ("gave up in doubt", PayoutCredited, Some(Ended::GaveUp), vec![in_doubt()], stands, None),
        ("moved", PayoutCredited, Some(Ended::Expired), vec![], moved, Some("payout_moved")),
        (
            "served in doubt",
            IntegrityDecided,
            Some(Ended::GaveUp),
            vec![in_doubt()],
            stands,
            Some("never served twice"),
        ),
        ("served never", IntegrityDecided, Some(Ended::GaveUp), vec![refused()], stands, None),
    ];
    for (name, kind, ended, attempts, standing, refusal) in rows {
        let notice = notice(kind, ended, attempts);
        let request = NoticeRequest {
            kind,
            subject: "A-1".to_owned(),
            recipient: notice.recipient.clone(),
            occasion: "1".to_owned(),
            application_id: notice.application_id.clone(),
        };
        let (requests, kin, addressee) = (vec![request], Vec::new(), reached());
        let notice = LoadedNotice { notice, requests, kin, standing, addressee };
        let loaded = Loaded { switch: Switch::default(), notice: Some(notice), recipient: RecipientKnown::No };
        let said = said(Role::Operator, &NoticeAct::Resend { notice_id: "n-1".to_owned() }, &loaded);
        match refusal {
            None => assert_eq!(said.as_deref(), Ok("A-1 1"), "{name}"),
            Some(word) => assert!(said.clone().unwrap_err().contains(word), "{name}: {said:?}"),
        }
    }
    let nothing = Loaded { switch: Switch::default(), notice: None, recipient: RecipientKnown::Yes };
    let unknown = said(Role::Operator, &NoticeAct::Resend { notice_id: "n-9".to_owned() }, &nothing);
    assert!(unknown.unwrap_err().contains("no notice n-9 is known"));
}

#[test]
fn an_sms_that_failed_beside_a_mail_can_be_sent_again_unless_it_is_served() {
    use NoticeKind::{IntegrityDecided, PayoutCredited};
    let accepted = attempt(SendOutcome::Accepted { provider_id: None, segments: None });
    // Where the mail failed, the SMS is on its way.
    for (kind, failed, taken_in, may) in [
        (PayoutCredited, Channel::Sms, Channel::Mail, true),
        (IntegrityDecided, Channel::Sms, Channel::Mail, false),
        (PayoutCredited, Channel::Mail, Channel::Sms, false),
    ] {
        let mut notice = notice(kind, Some(Ended::Failed), vec![refused()]);
        notice.messages[0].channel = failed;
        notice.messages.push(Message { attempts: vec![accepted.clone()], ..Message::first(taken_in, 0, NOW) });
        let request = NoticeRequest {
            kind,
            subject: "A-1".to_owned(),
            recipient: notice.recipient.clone(),
            occasion: "1".to_owned(),
            application_id: notice.application_id.clone(),
        };
        let (standing, addressee) = (Standing::Stands, reached());
        let notice = LoadedNotice { notice, requests: vec![request], kin: Vec::new(), standing, addressee };
        let loaded = Loaded { switch: Switch::default(), notice: Some(notice), recipient: RecipientKnown::No };
        let said = said(Role::Operator, &NoticeAct::Resend { notice_id: "n-1".to_owned() }, &loaded);
        assert_eq!(said.is_ok(), may, "{kind:?} {failed:?}: {said:?}");
    }
}

/// Nobody can say of the SMS, people were rung for, and the mail was taken in.
#[test]
fn an_sms_in_doubt_for_good_beside_a_mail_can_be_sent_again() {
    let accepted = attempt(SendOutcome::Accepted { provider_id: None, segments: None });
    for (doubts, may) in [(1, false), (3, true)] {
        let mut notice = notice(NoticeKind::PayoutCredited, None, vec![in_doubt(); doubts]);
        notice.messages[0].doubt_rung = true;
        notice.messages.push(Message { attempts: vec![accepted.clone()], ..Message::first(Channel::Mail, 0, NOW) });
        let request = NoticeRequest {
            kind: notice.kind,
            subject: "A-1".to_owned(),
            recipient: notice.recipient.clone(),
            occasion: "1".to_owned(),
            application_id: notice.application_id.clone(),
        };
        let (standing, addressee) = (Standing::Stands, reached());
        let notice = LoadedNotice { notice, requests: vec![request], kin: Vec::new(), standing, addressee };
        let loaded = Loaded { switch: Switch::default(), notice: Some(notice), recipient: RecipientKnown::No };
        let said = said(Role::Operator, &NoticeAct::Resend { notice_id: "n-1".to_owned() }, &loaded);
        assert_eq!(said.is_ok(), may, "{doubts}: {said:?}");
    }
}

fn reached() -> Addressee {
    let flagged = [(Channel::Sms, NOW)].into();
    Addressee { mobile: Some("13800000000".to_owned()), flagged, told_at: Some(NOW), ..Addressee::default() }
}

#[test]
fn what_would_reach_nobody_is_refused_with_what_is_missing() {
    let resend = |addressee| {
        let notice = notice(NoticeKind::PayoutCredited, Some(Ended::Failed), vec![refused()]);
        let notice =
            LoadedNotice { notice, requests: Vec::new(), kin: Vec::new(), standing: Standing::Stands, addressee };
        let loaded = Loaded { switch: Switch::default(), notice: Some(notice), recipient: RecipientKnown::No };
        said(Role::Operator, &NoticeAct::Resend { notice_id: "n-1".to_owned() }, &loaded)
    };
    assert!(resend(reached()).is_ok(), "a flag does not keep a person from having it tried");
    let land_line = Addressee { mobile: Some("0591-87550000".to_owned()), ..Addressee::default() };
    for (addressee, word) in [
        (Addressee::default(), "no mobile is known; have the review system send it"),
        (land_line, "what is known is no number that receives SMS"),
    ] {
        let refusal = resend(addressee).unwrap_err();
        assert!(refusal.contains(word) && refusal.contains("no server is in the settings"), "{refusal}");
        assert!(!refusal.contains("8755"), "{refusal}");
    }
}

#[test]
fn nobody_is_asked_what_he_wants_to_be_told() {
    let nobody = Loaded { switch: Switch::default(), notice: None, recipient: RecipientKnown::No };
    for (recipient, kind) in [("91350100M000100Y43", NoticeKind::PayoutReceived), ("O-951", NoticeKind::Digest)] {
        let preference = Preference { recipient: recipient.to_owned(), kind, wish: Wish::NotTold };
        let refusal = said(Role::Operator, &NoticeAct::Prefer(preference), &nobody).unwrap_err();
        assert!(refusal.contains(&format!("{recipient} is unknown")), "{refusal}");
    }
}

#[test]
fn what_is_essential_is_told_whoever_asks() {
    let open = Loaded { switch: Switch::default(), notice: None, recipient: RecipientKnown::Yes };
    let prefer = |recipient: &str, kind| {
        let preference = Preference { recipient: recipient.to_owned(), kind, wish: Wish::NotTold };
        said(Role::Operator, &NoticeAct::Prefer(preference), &open)
    };
    assert_eq!(prefer("91350100M000100Y43", NoticeKind::PayoutReceived).unwrap(), "91350100M000100Y43 0");
    assert_eq!(prefer("O-951", NoticeKind::Digest).unwrap(), "O-951 0");
    let money = prefer("91350100M000100Y43", NoticeKind::PayoutCredited).unwrap_err();
    assert!(money.contains("payout_credited is essential") && money.contains("payout_received, digest"), "{money}");
    assert!(prefer("O-951", NoticeKind::PayoutReceived).unwrap_err().contains("name the USCC"));
}
