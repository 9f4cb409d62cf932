//! By which ways a notice goes, which requests become one notice, and of which none is made.

use super::desk::{World, about, alert, all_of, award, order, reachable, text_of, told_of};
use crate::case_file::ClockKind;
use crate::ids::PayoutKey;
use crate::notice::making::{Addressee, Asked, FLAG_DAYS, Outcome, Subject};
use crate::notice::{Channel, Channels, KindRules, Known, NoticeKind, NoticeState};
use crate::organisation::OfficerRole;
use crate::supervision::Audience;
use jiff::SignedDuration;
use std::collections::BTreeSet;

/// Channel, and whether it is a standby, of each message of a notice about one payout.
fn ways(world: &World, kind: NoticeKind, addressee: Addressee) -> Vec<(Channel, bool)> {
    let mut asked = world.asked(kind, about(&award().payout));
    asked.addressee = addressee;
    let made = world.make(vec![asked]);
    made.notices.iter().flat_map(|one| &one.notice.messages).map(|message| (message.channel, message.standby)).collect()
}

#[test]
fn each_kind_goes_by_its_ways_as_far_as_there_are_addresses() {
    let world = World::new();
    let (sms, mail, standby) = ((Channel::Sms, false), (Channel::Mail, false), (Channel::Mail, true));
    let mobile = |text: &str| Addressee { mobile: Some(text.to_owned()), ..reachable() };
    let flagged = |channel| Addressee { flagged: [(channel, world.now)].into(), ..reachable() };
    // Received goes by SMS, else by mail; late by both.
    for (addressee, received, late) in [
        (reachable(), vec![sms, standby], vec![sms, mail]),
        (Addressee { email: None, ..reachable() }, vec![sms], vec![sms]),
        (Addressee { mobile: None, ..reachable() }, vec![mail], vec![mail]),
        (mobile("0591-87654321"), vec![mail], vec![mail]),
        (mobile("no number"), vec![mail], vec![mail]),
        (Addressee { email: Some("a@b\r\nBcc: c@d.example".to_owned()), ..reachable() }, vec![sms], vec![sms]),
        (flagged(Channel::Sms), vec![mail], vec![mail]),
        (flagged(Channel::Mail), vec![sms], vec![sms]),
        (Addressee::default(), vec![], vec![]),
    ] {
        assert_eq!(ways(&world, NoticeKind::PayoutReceived, addressee.clone()), received, "{:?}", addressee.mobile);
        assert_eq!(ways(&world, NoticeKind::PayoutLate, addressee.clone()), late, "{:?}", addressee.mobile);
    }
}

#[test]
fn a_flag_holds_until_it_ages_or_the_address_is_told_anew_or_somebody_wants_it_tried() {
    let world = World::new();
    let hours_ago = |hours| world.now - SignedDuration::from_hours(hours);
    for (flagged_at, told_at, occasion, sms) in [
        (hours_ago(1), None, "overdue", false),
        (hours_ago(1), Some(hours_ago(2)), "overdue", false),
        (hours_ago(1), Some(hours_ago(1)), "overdue", false),
        (hours_ago(2), Some(hours_ago(1)), "overdue", true),
        (hours_ago(24 * FLAG_DAYS - 1), None, "overdue", false),
        (hours_ago(24 * FLAG_DAYS), None, "overdue", true),
        (hours_ago(1), None, "overdue@e-7", true),
    ] {
        let mut asked = world.asked(NoticeKind::PayoutLate, about(&award().payout));
        asked.request.occasion = occasion.to_owned();
        asked.addressee = Addressee { flagged: [(Channel::Sms, flagged_at)].into(), told_at, ..reachable() };
        let made = world.make(vec![asked]);
        let ways: Vec<Channel> = made.notices[0].notice.messages.iter().map(|one| one.channel).collect();
        assert_eq!(ways.contains(&Channel::Sms), sms, "{flagged_at} {told_at:?} {occasion}");
        let lifted: Vec<(Channel, &Known)> =
            made.effects.addresses.iter().map(|word| (word.channel, &word.known)).collect();
        let expected = if sms { vec![(Channel::Sms, &Known::Lifted)] } else { Vec::new() };
        assert_eq!(lifted, expected, "who is written to in spite of a flag has it no more");
    }
}

#[test]
fn who_tries_a_channel_wants_it_tried() {
    let world = World::new();
    let mut trial = world.asked(NoticeKind::Test, Subject::Nothing);
    trial.addressee = Addressee { flagged: [(Channel::Sms, world.now)].into(), email: None, ..reachable() };
    assert_eq!(world.outcome(trial).code(), "made");
}

#[test]
fn nobody_is_left_untold_without_a_trace() {
    let mut world = World::new();
    let mut land_line = world.asked(NoticeKind::PayoutLate, about(&award().payout));
    land_line.addressee =
        Addressee { mobile: Some("0591-87654321".to_owned()), email: Some("a@b".to_owned()), ..Addressee::default() };
    let mut flagged = land_line.clone();
    flagged.addressee = Addressee { flagged: [(Channel::Mail, world.now)].into(), mobile: None, ..reachable() };
    let mut received = world.asked(NoticeKind::PayoutReceived, about(&award().payout));
    received.addressee = Addressee::default();
    let mut official = told_of(&world, NoticeKind::ReviewOverdue, alert(1, "2026-11-20T17:30"), "O-7", 60);
    official.addressee = Addressee::default();
    let mut turned_off = world.asked(NoticeKind::PayoutReceived, about(&award().payout));
    turned_off.addressee.turned_off = [NoticeKind::PayoutReceived].into();
    let trial = {
        let mut one = world.asked(NoticeKind::Test, Subject::Nothing);
        one.addressee = Addressee { mobile: Some("95588".to_owned()), ..Addressee::default() };
        one
    };
    let rang = ["notice_no_address"].as_slice();
    for (asked, outcome, sms, mail, rings) in [
        (land_line, "no_address", Some("unusable"), Some("unusable"), rang),
        (flagged, "no_address", Some("no_address"), Some("flagged"), rang),
        (received, "no_address", Some("no_address"), Some("no_address"), &[]),
        (official.clone(), "no_address", Some("no_address"), Some("no_address"), rang),
        (turned_off, "turned_off", None, None, &[]),
        (trial, "no_address", Some("unusable"), Some("no_address"), &[]),
    ] {
        let made = world.make(vec![asked.clone()]);
        let [row] = made.effects.journal.as_slice() else { panic!("one row: {:?}", made.effects.journal) };
        assert_eq!(
            (row.kind.as_str(), row.subject.as_str()),
            ("notice.not_made", asked.request.application_id.as_str())
        );
        let said = |name: &str| row.detail[name].as_str();
        assert_eq!((said("kind"), said("outcome")), (Some(asked.request.kind.code()), Some(outcome)));
        assert_eq!((said("sms"), said("mail")), (sms, mail), "{}", row.detail);
        let rung: Vec<&str> = made.effects.alarms.iter().map(|one| one.kind.code()).collect();
        assert_eq!(rung, rings, "{}", asked.request.kind.code());
        let told = format!("{:?} {:?}", made.effects.journal, made.effects.alarms);
        for secret in ["87654321", "a@b", "finance@"] {
            assert!(!told.contains(secret), "{told}");
        }
    }
    let late = world.make(vec![world.asked(NoticeKind::PayoutLate, about(&award().payout))]);
    assert_eq!((late.effects.journal[0].kind.as_str(), late.effects.alarms.len()), ("notice.made", 0));
    // What would have been one notice rings once, and each of its requests keeps its row.
    let gathered = (1..=5).map(|number| {
        let mut one = told_of(&world, NoticeKind::ReviewOverdue, alert(number, "2026-11-20T17:30"), "O-1", 60);
        one.addressee = Addressee::default();
        one
    });
    let made = world.make(gathered.collect());
    assert_eq!((made.effects.journal.len(), made.effects.alarms.len()), (5, 1));
    let alarm = &made.effects.alarms[0];
    assert!(alarm.key.is_none() && alarm.text.contains("about AL-1 (and 4 more) to O-1 ("), "{alarm:?}");
    // A payout is found by its application in the list of alarms.
    world.rules.providers.clear();
    let made = world.make(vec![world.asked(NoticeKind::PayoutLate, about(&award().payout))]);
    let alarm = &made.effects.alarms[0];
    assert!(alarm.key.is_some() && alarm.text.contains("no provider is in the settings"), "{alarm:?}");
}

#[test]
fn a_channel_without_a_provider_and_another_wish_of_the_district_are_heeded() {
    let mut world = World::new();
    world
        .rules
        .kinds
        .insert(NoticeKind::PayoutReceived, KindRules { channels: Some(Channels::Mail), ..KindRules::default() });
    assert_eq!(ways(&world, NoticeKind::PayoutReceived, reachable()), [(Channel::Mail, false)]);
    world.rules.providers.retain(|one| one.channel == Channel::Sms);
    assert_eq!(ways(&world, NoticeKind::PayoutLate, reachable()), [(Channel::Sms, false)]);
    let asked = world.asked(NoticeKind::PayoutReceived, about(&award().payout));
    assert_eq!(world.outcome(asked), Outcome::NoAddress);
}

#[test]
fn addresses_are_kept_in_one_form_and_print_themselves_nowhere() {
    let world = World::new();
    let made = world.notice(world.asked(NoticeKind::PayoutLate, about(&award().payout)));
    let to: Vec<&str> = made.contents.iter().map(|one| one.to.as_str()).collect();
    assert_eq!(to, ["+8613800000000", "finance@example.com"]);
    assert_eq!(format!("{:?}", reachable()), "(addressee)");
    assert_eq!(made.notice.state(), NoticeState::Created);
}

#[test]
fn what_is_not_essential_can_be_turned_off_and_nothing_else() {
    let world = World::new();
    let turned_off: BTreeSet<NoticeKind> = NoticeKind::ALL.iter().copied().collect();
    for (kind, expected) in [(NoticeKind::PayoutReceived, "turned_off"), (NoticeKind::PayoutLate, "made")] {
        let mut asked = world.asked(kind, about(&award().payout));
        asked.addressee.turned_off = turned_off.clone();
        assert_eq!(world.outcome(asked).code(), expected, "{kind:?}");
    }
}

#[test]
fn what_has_passed_or_is_gone_is_not_told() {
    let world = World::new();
    let mut old = world.asked(NoticeKind::PayoutReceived, about(&award().payout));
    old.asked_at = world.now - SignedDuration::from_hours(24);
    assert_eq!(world.outcome(old.clone()), Outcome::TooOld, "its time is over");
    old.asked_at += SignedDuration::from_secs(1);
    assert_eq!(world.outcome(old).code(), "made");
    let gone = world.asked(NoticeKind::PayoutCredited, Subject::Gone);
    assert_eq!(world.outcome(gone), Outcome::LostItsPoint);
    let unpaid = world.asked(NoticeKind::PayoutCredited, about(&award().payout));
    assert_eq!(world.outcome(unpaid), Outcome::LostItsPoint, "nothing is credited");
}

/// Notices were broken for days: what had to be told is not sent any more, and somebody hears of it.
#[test]
fn what_was_too_old_before_it_was_made_rings_where_it_had_to_be_told() {
    let mut world = World::new();
    world.now = crate::working_time::tests::local("2026-11-24T10:30");
    let made_after = |kind: NoticeKind, hours, asked: &dyn Fn(&World) -> Asked| {
        let mut asked = asked(&world);
        asked.request.kind = kind;
        asked.asked_at = world.now - SignedDuration::from_hours(hours);
        let made = world.make(vec![asked]);
        let rung: Vec<String> =
            made.effects.alarms.iter().map(|one| format!("{} {:?}", one.kind.code(), one.key)).collect();
        (made.outcomes[0].1.code(), made.effects.journal[0].detail["outcome"].clone(), rung)
    };
    let award = about(&award().payout);
    let payout = |world: &World| {
        let mut asked = world.asked(NoticeKind::PayoutLate, award.clone());
        asked.request.subject = "A-1/2".to_owned();
        asked
    };
    let review = |world: &World| told_of(world, NoticeKind::ReviewOverdue, alert(1, "2026-11-20T17:30"), "O-1", 60);
    let key = |tranche| Some(PayoutKey { application_id: "A-1".into(), tranche });
    let rung = |tranche| vec![format!("notice_failed {:?}", key(tranche))];
    for (kind, hours, asked, outcome, rings) in [
        (NoticeKind::PayoutLate, 48, &payout as &dyn Fn(&World) -> Asked, "too_old", rung(2)),
        (NoticeKind::PayoutLate, 47, &payout, "made", vec![]),
        (NoticeKind::PayoutReceived, 24, &payout, "too_old", vec![]),
        (NoticeKind::PayoutCredited, 200, &payout, "lost_its_point", vec![]),
        (NoticeKind::ReviewOverdue, 72, &review, "too_old", rung(1)),
    ] {
        let (became, recorded, rang) = made_after(kind, hours, asked);
        assert_eq!((became, rang), (outcome, rings), "{kind:?} {hours}");
        assert!(outcome == "made" || recorded == outcome, "{recorded}");
    }
}

/// An operator learns whose address is missing, in the alarm and in the record; of orders for inspectors nobody does.
#[test]
fn an_official_who_cannot_be_reached_is_named_unless_inspectors_alone_may_know() {
    let mut world = World::new();
    world.knows("O-7", "某人", OfficerRole::Head, "D-SCI");
    let nobody = |mut asked: Asked| {
        asked.addressee = Addressee::default();
        let made = world.make(vec![asked]);
        (made.effects.alarms[0].clone(), made.effects.journal[0].detail.clone())
    };
    let overdue = |who: &str| told_of(&world, NoticeKind::ReviewOverdue, alert(1, "2026-11-20T17:30"), who, 60);
    let (alarm, row) = nobody(overdue("O-7"));
    assert!(alarm.text.contains("about AL-1 to O-7 (role head, department D-SCI) reaches nobody"), "{alarm:?}");
    assert_eq!(alarm.key, Some(PayoutKey { application_id: "A-1".into(), tranche: 1 }), "in the application's story");
    assert_eq!(
        (&row["officer_id"], &row["role"], &row["department_id"]),
        (&"O-7".into(), &"head".into(), &"D-SCI".into())
    );
    let (alarm, row) = nobody(overdue("O-8"));
    assert!(alarm.text.contains("O-8 (机构文件未列此人 not in the organisation)"), "{alarm:?}");
    assert_eq!((&row["officer_id"], row.get("role")), (&"O-8".into(), None));
    for (audience, named) in [(Audience::Supervision, true), (Audience::Inspection, false)] {
        let mut issued = world.asked(NoticeKind::OrderIssued, Subject::Order(Box::new(order(audience))));
        (issued.request.recipient, issued.request.subject) = ("O-7".to_owned(), "SO-17".to_owned());
        let mut late = overdue("O-7");
        let Subject::Alert { alert, order: about, .. } = &mut late.subject else { panic!("an alert") };
        (alert.kind, alert.clock) = (ClockKind::Order, "order:17".to_owned());
        *about = Some(Box::new(order(audience)));
        for asked in [issued, late] {
            let told = format!("{:?}", nobody(asked));
            assert_eq!(told.contains("O-7"), named, "{told}");
            assert!(named || told.contains("inspectors alone may know"), "{told}");
        }
    }
}

#[test]
fn several_for_one_person_become_one_notice_when_their_window_is_over() {
    let world = World::new();
    let told = |number, who: &str, ago| {
        told_of(&world, NoticeKind::ReviewOverdue, alert(number, "2026-11-20T17:30"), who, ago)
    };
    let made = world.make(vec![told(1, "O-1", 29), told(2, "O-1", 5), told(3, "O-1", 0)]);
    assert!(made.notices.is_empty() && made.outcomes.is_empty());
    assert_eq!(made.waits_until, Some(world.now + SignedDuration::from_secs(1)), "30 seconds after the first");

    let made = world.make(vec![told(1, "O-1", 30), told(2, "O-1", 5), told(3, "O-1", 0), told(4, "O-2", 31)]);
    assert_eq!(made.waits_until, None);
    let covers: Vec<(&str, u32)> =
        made.notices.iter().map(|one| (one.notice.recipient.as_str(), one.notice.covers)).collect();
    assert_eq!(covers, [("O-1", 3), ("O-2", 1)]);
    let same = made.outcomes.iter().filter(|(_, one)| *one == Outcome::Made { notice_id: "n-1".to_owned() }).count();
    assert_eq!((made.outcomes.len(), same), (4, 3), "each request has its outcome");
    let one = &made.notices[0];
    assert!(text_of(one, Channel::Sms).starts_with("红牌：有3项已超期"), "{}", text_of(one, Channel::Sms));
    for matter in ["A-1", "A-2", "A-3"] {
        assert!(text_of(one, Channel::Mail).contains(matter), "{}", text_of(one, Channel::Mail));
    }

    let made = world.make(vec![told(1, "O-1", 30), told(2, "O-1", 5)]);
    assert_eq!(made.notices.len(), 2, "two are not enough");
    let mixed = told_of(&world, NoticeKind::ReviewEscalated, alert(3, "2026-11-20T17:30"), "O-1", 40);
    assert_eq!(world.make(vec![told(1, "O-1", 30), told(2, "O-1", 5), mixed]).notices.len(), 3, "kinds stay apart");
}

#[test]
fn of_very_many_a_mail_names_the_oldest_and_counts_the_rest() {
    let world = World::new();
    let asked = (1..=120).map(|number| {
        let day = if number == 7 { "2026-11-19T17:30" } else { "2026-11-20T17:30" };
        told_of(&world, NoticeKind::ReviewOverdue, alert(number, day), "O-1", 60)
    });
    let made = world.make(asked.collect());
    let one = &made.notices[0];
    assert_eq!(one.notice.covers, 120);
    assert!(text_of(one, Channel::Sms).contains("最早的A-7应于2026-11-19 17:30完成"));
    assert!(text_of(one, Channel::Mail).contains("另有 70 项"));
    assert_eq!(text_of(one, Channel::Mail).matches("已超期").count(), 50, "{}", all_of(one));
}
