//! What enterprises are told of their payouts.

use super::desk::{World, about, all_of, award, content_of, text_of};
use crate::money::Fen;
use crate::notice::making::{Outcome, Subject};
use crate::notice::{Channel, NoticeKind, hold_occasion};
use crate::payout::{Carrier, HoldCode};
use crate::rails::LargeValueRail;
use crate::scenery::{Story, returned, settled};
use std::sync::Arc;
use zhida_config::Calendar;
use zhida_config::calendar::MAINLAND_CHINA;

/// As a store would load it once the bank has said so.
fn paid() -> crate::payout::Payout {
    let mut story = award();
    story.claim().unwrap();
    story.says(1, settled(), Carrier::Answer);
    story.payout.amount = Fen(140_950);
    story.payout
}

#[test]
fn the_money_is_there_is_told_with_all_that_the_enterprise_looks_for() {
    let world = World::new();
    let made = world.notice(world.asked(NoticeKind::PayoutCredited, about(&paid())));
    assert_eq!(
        text_of(&made, Channel::Sms),
        "到账通知：高新技术企业认定奖励款项1409.50元（人民币壹仟肆佰零玖元伍角）已于2026-11-23 09:30汇入贵单位尾号0001的账户，银行流水号R，\
         申请编号A-1。"
    );
    let names: Vec<&str> = content_of(&made, Channel::Sms).parameters.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["policy", "amount", "capitals", "credited_at", "account", "reference", "application"]);
    assert_eq!(made.notice.messages[0].segments, 2);
    assert_eq!((made.notice.locale.as_str(), made.notice.covers), ("zh-CN", 1));
    let all = all_of(&made);
    assert!(!all.contains("4000020109"), "the account is masked: {all}");
    assert!(!all.contains("91350100M000100Y43"), "nobody needs the code: {all}");
    let mail = content_of(&made, Channel::Mail);
    assert!(mail.subject.as_ref().unwrap().starts_with("到账通知：1409.50元（A-1）"));
    assert!(mail.text.find("示例科技有限公司").unwrap() < mail.text.find("has been credited").unwrap());
}

#[test]
fn who_asked_for_english_gets_an_english_sms_and_a_mail_in_both() {
    let world = World::new();
    let mut asked = world.asked(NoticeKind::PayoutCredited, about(&paid()));
    asked.addressee.locale = Some("en".to_owned());
    let made = world.notice(asked);
    assert!(text_of(&made, Channel::Sms).starts_with("Credited: CNY 1409.50 under"));
    assert_eq!(made.notice.locale, "en");
    assert!(text_of(&made, Channel::Mail).contains("款项已到账"));
}

#[test]
fn of_a_hold_the_enterprise_is_told_what_concerns_it() {
    let world = World::new();
    let held = |codes: &[HoldCode]| {
        let mut story = award();
        codes.iter().for_each(|code| story.is_held(*code));
        world.asked(NoticeKind::PayoutHeld, about(&story.payout))
    };
    let together = [HoldCode::Operator, HoldCode::CommitmentMissing, HoldCode::FundShort];
    for (code, among, expected) in [
        (HoldCode::CommitmentMissing, &together[1..2], "尚未收到诚信承诺书。请在申报平台签署，签署后自动拨付"),
        (HoldCode::CommitmentMissing, &together, "尚未收到诚信承诺书。请在申报平台签署，全部事项办结后拨付"),
        (HoldCode::Operator, &together[..1], "经办部门正在核实。无需贵单位操作"),
        (HoldCode::Operator, &together, "经办部门正在核实。此项无需贵单位操作，全部事项办结后拨付"),
    ] {
        let mut asked = held(among);
        let Subject::Payout { payout, .. } = &asked.subject else { panic!("a payout") };
        asked.request.occasion = hold_occasion(code, payout.holds[&code].since);
        let made = world.notice(asked);
        assert!(text_of(&made, Channel::Sms).contains(expected), "{}", text_of(&made, Channel::Sms));
    }
    // After a refusal, too, a hold is told by its own reason.
    let mut story = award();
    story.refused("AC04");
    story.corrects("2").unwrap();
    story.is_held(HoldCode::AccountName);
    let made = world.notice(world.asked(NoticeKind::PayoutHeld, about(&story.payout)));
    assert!(
        text_of(&made, Channel::Sms).contains("收款户名与企业登记名称不一致（尾号"),
        "{}",
        text_of(&made, Channel::Sms)
    );
    assert_eq!(world.outcome(held(&[HoldCode::FundShort])), Outcome::NotTold, "the fund is the district's affair");
    assert_eq!(world.outcome(held(&[HoldCode::SignatureMismatch])), Outcome::NotTold, "nobody is warned");
    assert_eq!(world.outcome(held(&[])), Outcome::LostItsPoint, "it is not held any more");
}

#[test]
fn after_a_refusal_or_a_return_it_says_what_to_correct() {
    let world = World::new();
    for (reason, expected) in [
        ("AC01", "收款账号有误。请核对后在申报平台更正收款账户，更正后即重新拨付"),
        ("AC04", "收款账户已销户。请在申报平台改为可用的本企业对公账户"),
        ("BE01", "收款户名与银行登记的不一致。请核对户名"),
        ("RC01", "开户银行行号有误。请向开户银行核对12位行号"),
    ] {
        let mut story = award();
        story.refused(reason);
        let made = world.notice(world.asked(NoticeKind::PayoutRefused, about(&story.payout)));
        assert!(text_of(&made, Channel::Sms).contains(expected), "{}", text_of(&made, Channel::Sms));
    }
    let mut story = award();
    story.refused("FF01");
    let other = world.asked(NoticeKind::PayoutRefused, about(&story.payout));
    assert_eq!(world.outcome(other), Outcome::NotTold, "two officers decide");

    let mut story = award();
    story.claim().unwrap();
    story.says(1, returned(), Carrier::Statement);
    let made = world.notice(world.asked(NoticeKind::PayoutReturned, about(&story.payout)));
    assert!(text_of(&made, Channel::Sms).contains("汇往尾号0001的账户后被退回：收款账户已销户"));
    assert!(text_of(&made, Channel::Mail).contains("退回时间：2026-11-23 09:30"), "{}", text_of(&made, Channel::Mail));
}

#[test]
fn what_is_late_says_why_and_when() {
    let mut world = World::new();
    let late = |world: &World, story: &Story| {
        let made = world.notice(world.asked(NoticeKind::PayoutLate, about(&story.payout)));
        text_of(&made, Channel::Sms).to_owned()
    };
    assert!(late(&world, &award()).contains("拨付正在排队办理。到账后立即告知"));
    let mut sent = award();
    sent.sent_in_doubt();
    assert!(late(&world, &sent).contains("银行正在处理"));
    let mut short = award();
    short.is_held(HoldCode::BankFunds);
    assert!(late(&world, &short).contains("拨付手续正在办理"), "the fund is the district's affair");
    let mut wrong = award();
    wrong.is_held(HoldCode::AccountName);
    assert!(late(&world, &wrong).contains("收款户名与企业登记名称不一致（尾号0001）"));

    world.rail = Some(LargeValueRail {
        above: Fen(1),
        opens: "20:30".parse().unwrap(),
        closes: "17:15".parse().unwrap(),
        calendar: Arc::new(Calendar::parse(MAINLAND_CHINA).unwrap()),
        zone: world.rules.zone.clone(),
    });
    world.now = crate::working_time::tests::local("2026-11-27T18:00"); // A Friday evening.
    let closed = "大额支付系统已关闭，开放后继续办理。预计2026-11-29 20:30后到账";
    assert!(late(&world, &award()).contains(closed));
    let mut window = award();
    window.is_held(HoldCode::BankWindow);
    assert!(late(&world, &window).contains(closed));
    // Where more than the hour stands in the way, no hour is promised.
    window.is_held(HoldCode::CommitmentMissing);
    assert!(late(&world, &window).contains("尚未收到诚信承诺书。请在申报平台签署，全部事项办结后拨付"));
}

#[test]
fn whatever_a_title_holds_it_stays_text() {
    let world = World::new();
    let title = format!(
        "奖励\r\nBcc: x@example.com\u{0}<script>alert(1)</script>{{{{ amount }}}}=1+1😀¥{}",
        "长".repeat(5_000)
    );
    let subject = Subject::Payout { payout: Box::new(paid()), policy_title: Some(title) };
    let made = world.notice(world.asked(NoticeKind::PayoutCredited, subject));
    let sms = content_of(&made, Channel::Sms);
    assert!(!sms.text.chars().any(char::is_control) && !sms.text.contains('¥'), "{}", sms.text);
    assert_eq!(sms.parameters[0].1.chars().count(), 30, "{:?}", sms.parameters[0]);
    let mail = content_of(&made, Channel::Mail);
    assert!(!mail.subject.as_ref().unwrap().contains(['\r', '\n']));
    assert!(!mail.text.contains(['\r', '\u{0}']));
    assert!(mail.text.contains("{{ amount }}"), "a value is no template");
    let html = mail.html.as_ref().unwrap();
    assert!(!html.contains("<script>") && html.contains("&lt;script&gt;"), "{html}");
}

#[test]
fn a_later_tranche_is_named() {
    let world = World::new();
    let mut payout = paid();
    payout.key.tranche = 2;
    let made = world.notice(world.asked(NoticeKind::PayoutCredited, about(&payout)));
    assert!(text_of(&made, Channel::Sms).ends_with("申请编号A-1/2。"));
}
