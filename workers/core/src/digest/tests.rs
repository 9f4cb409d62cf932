//! What a digest says, told in small districts.
#![allow(clippy::unwrap_used)] // a failing unwrap is the finding

use super::*;
use crate::ids::{OperatorId, OrderId};
use crate::notice::NoticeKind;
use crate::patterns::{Health, Phase};
use crate::payout::PayoutState;
use crate::supervision::{
    Acknowledgement, Alert, Audience, District, Level, Occasion, Order, OrderStep, Raised, SupervisionRules,
};
use crate::working_time::WorkingTime;
use crate::working_time::tests::{china, local};
use zhida_config::sample_district::ORGANISATION_TOML;
use zhida_schemas::organisation_file::OrganisationFile;

const SCHEDULED: &str = "2026-11-26T08:30";

fn alert(id: &str, deadline: &str, raised_at: &str) -> Alert {
    let rung = |level, at: &str| Raised {
        level,
        due_at: local(at),
        raised_at: local(at),
        told: vec![OfficerId::from("O-101")],
        note: None,
    };
    Alert {
        id: id.to_owned(),
        application_id: ApplicationId(format!("A-{id}")),
        cause: "c".to_owned(),
        clock: "step:first:D-SCI:1".to_owned(),
        kind: ClockKind::Step,
        episode: 1,
        department_id: Some(DepartmentId::from("D-SCI")),
        officer_id: Some(OfficerId::from("O-101")),
        deadline: local(deadline),
        raised: vec![rung(Level::DueSoon, "2026-11-20T17:30"), rung(Level::Rung(0), raised_at)],
        acknowledged: Vec::new(),
        cleared: None,
    }
}

fn made(facts: Facts, since: Option<&str>, scheduled: &str) -> Digest {
    let (time, now) = (china(), local(scheduled));
    let period = Period::of(since.map(local), &time, now);
    let (rules, organisation) = (SupervisionRules::default(), Organisation::default());
    compose(facts, period, now, District { rules: &rules, organisation: &organisation, time: &time, now })
}

#[test]
fn breaches_are_new_since_the_digest_before_and_aged_in_working_time() {
    let mut acknowledged = alert("AL-2", "2026-11-25T17:30", "2026-11-25T17:30");
    acknowledged.acknowledged.push(Acknowledgement {
        by: OfficerId::from("H-1"),
        at: local("2026-11-25T18:00"),
        until: local("2026-11-26T12:00"),
        reason: "人手不足".to_owned(),
    });
    let alerts = vec![alert("AL-1", "2026-11-20T17:30", "2026-11-20T17:30"), acknowledged];
    let digest = made(Facts { alerts, ended: 3, ..Facts::default() }, Some("2026-11-25T08:30"), SCHEDULED);
    let Breaches { open, new, ended, listed, .. } = &digest.breaches;
    assert_eq!((*open, *new, *ended), (2, 1, 3));
    assert_eq!((listed[0].new, listed[0].late_minutes), (false, 3 * 390), "three working days of 6.5 hours");
    assert_eq!((listed[1].new, listed[1].late_minutes), (true, 0));
    assert_eq!(listed[1].acknowledged_until, Some(local("2026-11-26T12:00")));
    assert_eq!(digest.headline(), ("超期 2 项，其中新增 1 项".to_owned(), "2 overdue, 1 of them new".to_owned()));
    assert_eq!(digest.id, "DG-20261126-0830");
}

#[test]
fn new_is_what_the_digest_before_does_not_name() {
    let (known, unseen) =
        (alert("AL-1", "2026-11-20T17:30", "2026-11-20T17:30"), alert("AL-2", "2026-11-24T17:30", "2026-11-25T08:29"));
    let before = made(Facts { alerts: vec![known.clone()], ..Facts::default() }, None, "2026-11-25T08:30").breaches;
    let news = |before: &Breaches, alerts: &[Alert]| {
        let facts = Facts { alerts: alerts.to_vec(), before: Some(before.clone()), ..Facts::default() };
        made(facts, Some("2026-11-25T08:30"), SCHEDULED).breaches.listed.iter().map(|one| one.new).collect::<Vec<_>>()
    };
    // Rung before the digest before was made, and written after it had read.
    assert_eq!(news(&before, &[known.clone(), unseen.clone()]), [false, true]);
    // Beyond the end of a list that was cut, nobody knows but by time.
    let cut = Breaches { open: 201, ..before };
    let late = alert("AL-3", "2026-11-24T17:30", "2026-11-25T09:00");
    assert_eq!(news(&cut, &[known, unseen, late]), [false, false, true]);
}

#[test]
fn the_first_digest_calls_everything_new_and_a_long_list_is_cut_and_counted() {
    let one = alert("AL-1", "2026-11-20T17:30", "2026-11-20T17:30");
    let digest = made(Facts { alerts: vec![one; 300], ..Facts::default() }, None, SCHEDULED);
    assert_eq!((digest.breaches.open, digest.breaches.new), (300, 300));
    assert_eq!(digest.breaches.listed.len(), Breaches::LISTED_MAX);
}

#[test]
fn a_payout_is_late_by_the_sun() {
    let mut one = alert("AL-1", "2026-11-25T20:30", "2026-11-25T20:30");
    one.kind = ClockKind::Payout;
    let digest = made(Facts { alerts: vec![one], ..Facts::default() }, None, SCHEDULED);
    assert_eq!(digest.breaches.listed[0].late_minutes, 12 * 60);
}

#[test]
fn nothing_overdue_is_said() {
    let digest = made(Facts::default(), Some("2026-11-25T08:30"), SCHEDULED);
    assert_eq!(digest.headline(), ("无超期".to_owned(), "nothing overdue".to_owned()));
    assert_eq!((digest.orders, digest.patterns, digest.policies), (Orders::default(), None, None));
}

#[test]
fn what_is_past_and_has_not_rung_is_not_nothing() {
    let quiet = made(Facts { unrung: 3, ..Facts::default() }, Some("2026-11-25T08:30"), SCHEDULED);
    assert!(!quiet.is_quiet());
    assert_eq!(quiet.headline(), ("逾期待核 3 项".to_owned(), "3 overdue, not rung yet".to_owned()));
    let alerts = vec![alert("AL-1", "2026-11-20T17:30", "2026-11-20T17:30")];
    let both = made(Facts { alerts, unrung: 3, ..Facts::default() }, None, SCHEDULED);
    assert_eq!(both.headline().1, "1 overdue, 1 of them new; 3 overdue, not rung yet");
    // A digest of before that counted none.
    let mut kept = serde_json::to_value(&both).unwrap();
    kept["breaches"].as_object_mut().unwrap().remove("unrung");
    assert_eq!(serde_json::from_value::<Digest>(kept).unwrap().breaches.unrung, 0);
}

#[test]
fn the_record_is_of_yesterday_or_since_the_digest_before() {
    for (since, scheduled, first, last) in [
        (None, SCHEDULED, "2026-11-25", "2026-11-25"),
        (Some("2026-11-25T08:30"), SCHEDULED, "2026-11-25", "2026-11-25"),
        (Some("2026-11-20T08:30"), "2026-11-23T08:30", "2026-11-20", "2026-11-22"), // over a weekend
        (Some("2026-11-26T08:30"), "2026-11-26T16:30", "2026-11-26", "2026-11-25"), // the second of a day
        (Some("2025-01-02T08:30"), SCHEDULED, "2025-01-02", "2026-11-25"),          // after a very long time
    ] {
        let (time, now) = (china(), local(scheduled));
        let period = Period::of(since.map(local), &time, now);
        assert_eq!(
            (period.first.to_string(), period.last.to_string()),
            (first.to_owned(), last.to_owned()),
            "{since:?}"
        );
        assert_eq!(period.begins, local(&format!("{first}T00:00")));
        assert_eq!(period.ends, local(&format!("{}T00:00", &scheduled[..10])));
    }
}

#[test]
fn the_second_digest_of_a_day_has_no_days_of_its_own() {
    let first = made(Facts::default(), Some("2026-11-25T08:30"), SCHEDULED);
    assert_eq!(first.payouts.days(), "2026-11-25");
    let second = made(Facts::default(), Some(SCHEDULED), "2026-11-26T16:30");
    assert!(second.payouts.days().contains("前一期"), "{}", second.payouts.days());
    assert_eq!(
        made(Facts::default(), Some("2026-11-20T08:30"), "2026-11-23T08:30").payouts.days(),
        "2026-11-20 – 2026-11-22"
    );
}

#[test]
fn every_payout_of_the_record_stands_in_one_place() {
    let counted = |state, reason: Option<&str>, in_time, count, fen| CountedPayouts {
        currency: "CNY".to_owned(),
        state,
        reason_code: reason.map(str::to_owned),
        in_time,
        total: Total { count, fen: Fen(fen) },
    };
    let payouts = vec![
        counted(PayoutState::Settled, None, Some(true), 7, 700),
        counted(PayoutState::Settled, None, Some(false), 2, 200),
        counted(PayoutState::Held, Some("fund_short"), None, 1, 10),
        counted(PayoutState::Held, Some("payee_changed"), None, 1, 20),
        counted(PayoutState::Ready, None, None, 1, 1),
        counted(PayoutState::Unknown, None, None, 1, 2),
        counted(PayoutState::Refused, Some("refused_other"), None, 1, 4),
        counted(PayoutState::Refused, Some("refused_payee"), None, 1, 5),
        counted(PayoutState::Returned, Some("returned"), None, 1, 6),
        counted(PayoutState::Cancelled, Some("cancelled"), None, 1, 7),
    ];
    let approved = vec![("CNY".to_owned(), Total { count: 20, fen: Fen(2_000) })];
    let digest = made(Facts { payouts, approved, ..Facts::default() }, None, SCHEDULED);
    let kept = digest.payouts.by_currency["CNY"];
    let total = |count, fen| Total { count, fen: Fen(fen) };
    assert_eq!((kept.approved, kept.ended), (total(20, 2_000), total(17, 955)));
    assert_eq!((kept.in_time, kept.late, kept.held), (total(7, 700), total(2, 200), total(2, 30)));
    assert_eq!((kept.open, kept.enterprise, kept.gone), (total(3, 7), total(1, 5), total(2, 13)));
    let parts = [kept.in_time, kept.late, kept.open, kept.enterprise, kept.held, kept.gone];
    assert_eq!(parts.iter().map(|one| one.count).sum::<u64>(), kept.ended.count);
}

#[test]
fn who_sits_on_what_stands_by_what_is_overdue_and_by_age() {
    let held = |department: &str, officer: Option<&str>, overdue, oldest: &str| Held {
        department_id: Some(DepartmentId::from(department)),
        officer_id: officer.map(OfficerId::from),
        open: 5,
        due_soon: 1,
        overdue,
        oldest_started_at: local(oldest),
    };
    let held = vec![
        held("D-A", Some("O-1"), 0, "2026-11-25T09:00"),
        held("D-B", Some("O-2"), 2, "2026-11-24T09:00"),
        held("D-A", None, 1, "2026-11-25T17:00"),
        held("D-A", Some("O-3"), 2, "2026-11-20T09:00"),
    ];
    let digest = made(Facts { held, ..Facts::default() }, None, SCHEDULED);
    let order: Vec<(Option<&str>, i64)> =
        digest.holders.iter().map(|one| (one.officer_id.as_ref().map(OfficerId::as_str), one.oldest_minutes)).collect();
    assert_eq!(order, [(Some("O-3"), 4 * 390), (Some("O-2"), 2 * 390), (None, 30), (Some("O-1"), 390)]);
    let departments = digest.departments();
    let names: Vec<(&str, usize)> = departments.iter().map(|(id, of)| (id.unwrap().as_str(), of.len())).collect();
    assert_eq!(names, [("D-A", 3), ("D-B", 1)]);
}

#[test]
fn orders_stand_by_their_term_and_those_for_inspection_are_only_counted() {
    let order = |number, issued: &str, audience, steps| Order {
        id: OrderId(number),
        occasion: Occasion::Alert("AL-1".to_owned()),
        application_id: None,
        audience,
        addressee: OfficerId::from("H-1"),
        department_id: DepartmentId::from("D-A"),
        issued_by: OperatorId::from("S-1"),
        issued_at: local(issued),
        working_days: 2,
        demand: "说明原因".to_owned(),
        steps,
        closed: None,
    };
    let answer = OrderStep::Replied {
        by: OperatorId::from("H-1"),
        at: local("2026-11-20T10:00"),
        cause: "人手不足".to_owned(),
        measure: "增派".to_owned(),
    };
    let orders = vec![
        order(1, "2026-11-25T10:00", Audience::Supervision, Vec::new()),
        order(2, "2026-11-20T10:00", Audience::Supervision, Vec::new()),
        order(3, "2026-11-19T10:00", Audience::Supervision, vec![answer]),
        order(4, "2026-11-18T10:00", Audience::Inspection, Vec::new()),
    ];
    // The alert that its answer is late stands with its order.
    let mut late = alert("AL-9", "2026-11-24T17:30", "2026-11-24T17:30");
    late.kind = ClockKind::Order;
    let digest = made(Facts { orders, alerts: vec![late], ..Facts::default() }, None, SCHEDULED);
    let Orders { open, overdue, listed, for_inspection } = &digest.orders;
    assert_eq!((*open, *overdue, *for_inspection, digest.breaches.open), (4, 2, 1, 0));
    let lines: Vec<(&str, Timestamp, OrderState, bool)> =
        listed.iter().map(|one| (one.id.as_str(), one.due_at, one.state, one.overdue)).collect();
    assert_eq!(
        lines,
        [
            ("SO-3", local("2026-11-23T17:30"), OrderState::Replied, false),
            ("SO-2", local("2026-11-24T17:30"), OrderState::Issued, true),
            ("SO-1", local("2026-11-27T17:30"), OrderState::Issued, false),
        ]
    );
}

#[test]
fn patterns_are_counted_and_those_about_officers_without_their_rule() {
    use PatternState::{Confirmed, New};
    let counts = vec![
        (Rule::PingPong, New, 2),
        (Rule::PingPong, Confirmed, 1),
        (Rule::OfficerTimes, New, 3),
        (Rule::OfficerRefusals, New, 1),
    ];
    let health = |id: &str, word| Health {
        policy_id: PolicyId::from(id),
        word,
        also: Vec::new(),
        phase: Phase::Open,
        figures: vec![Figure { name: "applications".to_owned(), value: 3, unit: String::new() }],
    };
    let health =
        vec![health("P-1", HealthWord::Alive), health("P-2", HealthWord::Paper), health("P-3", HealthWord::Unpaid)];
    let patterns = Some(PatternFacts { finished_at: local("2026-11-26T08:00"), counts, health });
    let digest = made(Facts { patterns, ..Facts::default() }, None, SCHEDULED);
    let found = digest.patterns.unwrap();
    assert_eq!(found.by_rule, [(Rule::PingPong, [(New, 2), (Confirmed, 1)].into())].into());
    assert_eq!(found.for_inspection, [(New, 4)].into());
    let policies = digest.policies.unwrap();
    let listed: Vec<(&str, HealthWord)> =
        policies.listed.iter().map(|one| (one.policy_id.as_str(), one.word)).collect();
    assert_eq!(
        listed,
        [("P-3", HealthWord::Unpaid), ("P-2", HealthWord::Paper)],
        "the worst first, the living counted"
    );
    assert_eq!(policies.by_word[&HealthWord::Alive], 1);
    let text = serde_json::to_string(&policies).unwrap();
    assert_eq!(serde_json::from_str::<Policies>(&text).unwrap(), policies);
}

#[test]
fn figures_are_told_in_yuan_and_without_zeros() {
    let figure = |name: &str, value, unit: &str| Figure { name: name.to_owned(), value, unit: unit.to_owned() };
    let figures = [
        figure("applications", 3, ""),
        figure("credited", 0, "fen"),
        figure("unpaid_sum", 5_415_721, "fen"),
        figure("still", 41, "working_days"),
    ];
    assert_eq!(words::figures(&figures), "applications 3, unpaid_sum 54157.21 yuan, still 41 working_days");
}

#[test]
fn a_calendar_that_lacks_a_year_is_told() {
    let span = Some((local("2026-12-30T10:00"), local("2027-01-05T17:30")));
    let provisional = crate::calendars::Provisional { count: 4, span };
    let mut late = alert("AL-1", "2027-01-01T17:30", "2027-01-01T17:30");
    late.kind = ClockKind::Review;
    let facts = Facts { provisional, alerts: vec![late], ..Facts::default() };
    let digest = made(facts, None, "2027-01-04T08:30");
    let CalendarState { missing_years, provisional_deadlines, day_is_assumed, .. } = &digest.calendar;
    assert_eq!((missing_years.as_slice(), *provisional_deadlines, *day_is_assumed), ([2027].as_slice(), 4, true));
    assert!(digest.breaches.listed[0].provisional);
}

#[test]
fn those_who_supervise_are_told_and_nobody_else() {
    let organisation: Organisation = OrganisationFile::parse(ORGANISATION_TOML).unwrap().into();
    let digest = made(Facts::default(), None, SCHEDULED);
    let WorkingTime { zone, .. } = china();
    let told = digest.notices(&organisation, &zone);
    let role = |id: &str| organisation.officers[&OfficerId::from(id)].role;
    assert_eq!(told.len(), 4, "two of the supervision office, two of discipline inspection");
    for one in &told {
        assert!(!role(&one.recipient).is_supervised(), "{}", one.recipient);
        let (subject, occasion) = (one.subject.as_str(), one.occasion.as_str());
        assert_eq!((one.kind, subject, occasion), (NoticeKind::Digest, "DG-20261126-0830", "2026-11-26"));
    }
}

#[test]
fn what_is_kept_is_read_back() {
    let facts = Facts { alerts: vec![alert("AL-1", "2026-11-20T17:30", "2026-11-20T17:30")], ..Facts::default() };
    let digest = made(facts, Some("2026-11-25T08:30"), SCHEDULED);
    let text = serde_json::to_string(&digest).unwrap();
    assert_eq!(serde_json::from_str::<Digest>(&text).unwrap(), digest);
}
