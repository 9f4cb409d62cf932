//! What officials are told, and what is kept from all but inspectors.

use super::desk::{World, about_alert, alert, all_of, content_of, order, text_of, told_of};
use crate::case_file::ClockKind;
use crate::digest::{Facts, Period, compose};
use crate::notice::making::{IntegrityFacts, Outcome, Subject};
use crate::notice::{Channel, NoticeKind};
use crate::organisation::{OfficerRole, Organisation};
use crate::supervision::{Audience, Cleared, District, Level, OrderStep, Raised, SupervisionRules};
use crate::working_time::tests::{china, local};
use jiff::civil::date;

fn at(now: &str) -> World {
    let mut world = World::new();
    world.now = local(now);
    world
}

#[test]
fn a_breach_is_told_with_its_clock_its_deadline_and_what_to_do() {
    let world = at("2026-11-24T10:30");
    let one = told_of(&world, NoticeKind::ReviewOverdue, alert(1, "2026-11-23T17:30"), "O-1", 60);
    let made = world.notice(one);
    assert_eq!(
        text_of(&made, Channel::Sms),
        "红牌：事项A-1（高新技术企业认定奖励）的部门审核应于2026-11-23 17:30完成，已超期工作时间1小时30分钟。请尽快作出审核决定。"
    );
    let mail = text_of(&made, Channel::Mail);
    for part in ["区科技局", "AL-1", "over by 1 h 30 min of working time", "Please decide this step."] {
        assert!(mail.contains(part), "{part}: {mail}");
    }
}

/// The organisation file names no language of people: an SMS to an official is Chinese, the language of the office; a mail is Chinese
/// first and English below, as to everybody.
#[test]
fn officials_are_written_to_in_chinese_and_their_mails_hold_the_english_as_well() {
    let world = at("2026-11-24T10:30");
    let one = told_of(&world, NoticeKind::ReviewOverdue, alert(1, "2026-11-23T17:30"), "O-1", 60);
    assert_eq!(one.addressee.locale, None, "nothing tells one");
    let made = world.notice(one);
    assert_eq!(made.notice.locale, "zh-CN");
    assert!(text_of(&made, Channel::Sms).starts_with("红牌"));
    let mail = text_of(&made, Channel::Mail);
    let places = (mail.find("已超期"), mail.find("over by"));
    assert!(places.0.is_some() && places.0 < places.1, "{mail}");
}

/// Whatever stands in a title, a department or an id, a notice that covers several stays text of bounded length.
#[test]
fn hostile_names_are_text_in_a_notice_that_covers_several_as_well() {
    let hostile = [
        "第一行\r\n第二行\u{0}\u{7}".to_owned(),
        "😀🎉".to_owned(),
        "字".repeat(5_000),
        "=HYPERLINK(\"http://x.example\")".to_owned(),
        "<script>alert(1)</script>".to_owned(),
        "{{ count }}{% for x in items %}".to_owned(),
        "\u{202e}txt.exe ¥100".to_owned(),
    ];
    let world = at("2026-11-24T10:30");
    for kind in
        [NoticeKind::ReviewDueSoon, NoticeKind::ReviewOverdue, NoticeKind::ReviewEscalated, NoticeKind::ReviewCleared]
    {
        let asked = hostile.iter().zip(1..).map(|(name, number)| {
            let mut one = alert(number, "2026-11-23T17:30");
            one.application_id = name.as_str().into();
            match kind {
                NoticeKind::ReviewDueSoon => one.deadline = local("2026-11-25T17:30"),
                NoticeKind::ReviewCleared => one.cleared = Some((local("2026-11-24T10:00"), Cleared::Met)),
                _ => {}
            }
            if kind == NoticeKind::ReviewDueSoon {
                one.raised.truncate(1);
            }
            let mut asked = told_of(&world, kind, one, "O-1", 60);
            let Subject::Alert { policy, .. } = &mut asked.subject else { panic!("an alert") };
            *policy = Some(("P-1".into(), Some(name.clone())));
            asked
        });
        let made = world.notice_of(asked.collect());
        assert_eq!(made.notice.covers, 7, "{}", kind.code());
        let sms = text_of(&made, Channel::Sms);
        assert!(!sms.contains(char::is_control) && !sms.contains('¥') && sms.chars().count() <= 500, "{sms}");
        if let Some(mail) = made.contents.iter().find(|one| one.channel == Channel::Mail) {
            let (subject, html) = (mail.subject.as_deref().unwrap(), mail.html.as_deref().unwrap());
            assert!(!subject.contains(char::is_control), "{subject}");
            assert!(!html.contains("<script>") && html.contains("&lt;script&gt;"), "{html}");
            assert!(mail.text.contains("{{ count }}{% for x in items %}"), "a name is never a template: {}", mail.text);
            assert!(!mail.text.contains('\u{202e}') && !mail.text.contains('\u{0}'), "{}", mail.text);
            assert!(mail.text.contains("第一行 第二行"), "one line: {}", mail.text);
            assert!(mail.text.contains("😀") && !mail.text.contains(&"字".repeat(300)), "{}", mail.text);
        }
    }
}

#[test]
fn due_soon_escalated_and_cleared_say_how_it_stands() {
    let world = at("2026-11-23T16:30");
    let mut soon = alert(1, "2026-11-24T17:30");
    soon.raised.truncate(1);
    let made = world.notice(told_of(&world, NoticeKind::ReviewDueSoon, soon.clone(), "O-1", 60));
    assert!(text_of(&made, Channel::Sms).contains("将于2026-11-24 17:30到期，还剩1个工作日1小时"));

    // At night it is read in the morning, and says how it stands by then.
    let world = at("2026-11-24T02:00");
    let mut paying = alert(1, "2026-11-24T10:00");
    paying.kind = ClockKind::Payout;
    paying.raised.truncate(1);
    let made = world.notice(told_of(&world, NoticeKind::ReviewDueSoon, paying, "O-1", 60));
    assert!(text_of(&made, Channel::Sms).contains("10:00到期，还剩2小时30分钟"), "{}", text_of(&made, Channel::Sms));

    let world = at("2026-11-25T09:30");
    let mut climbed = alert(1, "2026-11-23T17:30");
    climbed.raised.push(Raised { level: Level::Rung(2), ..climbed.raised[1].clone() });
    let made = world.notice(told_of(&world, NoticeKind::ReviewEscalated, climbed, "S-1", 60));
    assert!(
        text_of(&made, Channel::Sms).contains("已超期1个工作日，上报第2级。请督促责任单位办理"),
        "{}",
        text_of(&made, Channel::Sms)
    );

    let mut cleared = alert(1, "2026-11-23T17:30");
    cleared.cleared = Some((local("2026-11-25T09:00"), Cleared::Met));
    let made = world.notice(told_of(&world, NoticeKind::ReviewCleared, cleared.clone(), "O-1", 60));
    assert!(text_of(&made, Channel::Sms).ends_with("的部门审核，已办结。"), "{}", text_of(&made, Channel::Sms));
    cleared.cleared = Some((local("2026-11-25T09:00"), Cleared::Void));
    let made = world.notice(told_of(&world, NoticeKind::ReviewCleared, cleared.clone(), "O-1", 60));
    // It may have been approved, and paid.
    let text = text_of(&made, Channel::Sms);
    assert!(text.ends_with("的部门审核，申请已有结果或已撤回，本环节无需再办。"), "{text}");
    let late = told_of(&world, NoticeKind::ReviewOverdue, cleared, "O-1", 60);
    assert_eq!(world.outcome(late), Outcome::LostItsPoint);
}

#[test]
fn whoever_stands_in_reads_for_whom() {
    let mut world = at("2026-11-24T10:30");
    for (id, name) in [("O-1", "孙经办"), ("O-2", "李代办")] {
        world.knows(id, name, OfficerRole::Officer, "D-SCI");
    }
    let text = |world: &World, who: &str| {
        let made = world.notice(told_of(world, NoticeKind::ReviewOverdue, alert(1, "2026-11-23T17:30"), who, 60));
        assert_eq!(all_of(&made).contains("孙经办"), all_of(&made).contains("(for 孙经办)"));
        text_of(&made, Channel::Sms).to_owned()
    };
    assert!(!text(&world, "O-2").contains("代"), "the officer is there");
    world.absent("O-1", "O-2", date(2026, 11, 24));
    assert!(text(&world, "O-2").contains("已超期工作时间1小时30分钟（代孙经办）。请"), "{}", text(&world, "O-2"));
    assert!(!text(&world, "O-1").contains("代"), "told themselves");
    assert!(!text(&world, "O-3").contains("代"), "who does not stand in");
}

#[test]
fn an_order_for_inspectors_alone_gives_its_number_and_its_term() {
    let world = at("2026-11-24T09:30");
    let replied = OrderStep::Replied {
        by: "O-SECRET".into(),
        at: local("2026-11-24T09:00"),
        cause: "秘密原因".to_owned(),
        measure: "秘密措施".to_owned(),
    };
    let returned = OrderStep::Returned {
        by: "S-SECRET".into(),
        at: local("2026-11-24T09:10"),
        working_days: 2,
        reason: "秘密理由".to_owned(),
    };
    for (kind, steps) in [
        (NoticeKind::OrderIssued, vec![]),
        (NoticeKind::OrderReplied, vec![replied.clone()]),
        (NoticeKind::OrderReturned, vec![replied, returned]),
    ] {
        for audience in Audience::ALL {
            let mut one = order(audience);
            one.steps.clone_from(&steps);
            let mut asked = world.asked(kind, Subject::Order(Box::new(one)));
            asked.request.recipient = "O-9".to_owned();
            let all = all_of(&world.notice(asked));
            assert!(all.contains("SO-17"), "{all}");
            let secret = all.contains("SECRET") || all.contains("秘密");
            assert_eq!(secret, audience == Audience::Supervision, "{kind:?} {audience:?}: {all}");
        }
    }
}

#[test]
fn an_alert_about_the_answer_to_an_order_names_the_order_alone() {
    let world = at("2026-11-27T09:30");
    let mut one = alert(1, "2026-11-26T17:30");
    (one.kind, one.clock) = (ClockKind::Order, "order:17".to_owned());
    let mut asked = told_of(&world, NoticeKind::ReviewOverdue, one.clone(), "O-1", 60);
    let order = Some(Box::new(order(Audience::Inspection)));
    asked.subject = match about_alert(one) {
        Subject::Alert { alert, policy, .. } => Subject::Alert { alert, policy, order },
        other => other,
    };
    let made = world.notice(asked);
    assert!(
        text_of(&made, Channel::Sms).starts_with("红牌：事项SO-17（督办单）的督办回复应于2026-11-26 17:30完成"),
        "{}",
        text_of(&made, Channel::Sms)
    );
    let all = all_of(&made);
    assert!(!all.contains("A-1") && !all.contains("区科技局") && !all.contains("高新"), "{all}");
}

#[test]
fn the_digest_is_counts_and_a_link() {
    let world = at("2026-11-26T08:30");
    let (time, now) = (china(), world.now);
    let (rules, organisation) = (SupervisionRules::default(), Organisation::default());
    let district = District { rules: &rules, organisation: &organisation, time: &time, now };
    let facts = Facts { alerts: vec![alert(1, "2026-11-20T17:30")], ended: 3, ..Facts::default() };
    let digest = compose(facts, Period::of(None, &time, now), now, district);
    let made = world.notice(world.asked(NoticeKind::Digest, Subject::Digest(Box::new(digest))));
    assert_eq!(made.contents.len(), 1, "by mail alone");
    let mail = content_of(&made, Channel::Mail);
    assert!(mail.text.contains("超期 1 项，其中新增 1 项，上期以来办结 3 项"), "{}", mail.text);
    assert!(mail.text.contains("明细：https://zhida.example.gov.cn/digest/2026-11-26\n"), "{}", mail.text);
    let html = mail.html.as_ref().unwrap();
    assert!(html.contains("/digest/2026-11-26\"") || html.contains("&#x2f;digest&#x2f;2026-11-26\""), "{html}");
    let all = all_of(&made);
    assert!(!all.contains("O-1") && !all.contains("A-1") && !all.contains("D-SCI"), "{all}");
}

#[test]
fn what_is_served_names_its_document_and_the_term() {
    let world = at("2026-11-26T08:30");
    let facts = IntegrityFacts {
        case_id: "C-7".to_owned(),
        enterprise_name: "示例科技有限公司".to_owned(),
        document: "示区信〔2026〕7号".to_owned(),
        dated: date(2026, 11, 25),
        until: Some(date(2026, 12, 4)),
    };
    for (kind, expected) in [
        (NoticeKind::IntegrityNotified, "陈述申辩期限至2026-12-04"),
        (NoticeKind::IntegrityDecided, "自2026-12-04起可申请信用修复"),
        (NoticeKind::IntegrityRepaired, "2026-11-25"),
    ] {
        let made = world.notice(world.asked(kind, Subject::Integrity(Box::new(facts.clone()))));
        let text = text_of(&made, Channel::Sms);
        assert!(text.contains(expected) && text.contains("示区信〔2026〕7号"), "{text}");
    }
    let made = world.notice(world.asked(NoticeKind::Test, Subject::Nothing));
    assert!(text_of(&made, Channel::Sms).starts_with("这是鼓楼直达的测试短信，发送时间2026-11-26 08:30"));
}
