//! Policies and funds.

use super::district::{Application, application, district, policy};
use crate::money::Fen;
use crate::patterns::{Found, Rule};
use crate::steps::Policy;

fn subjects(found: Vec<Found>) -> Vec<String> {
    found.into_iter().map(|one| one.subject.text()).collect()
}

fn seen(at: &str) -> Application {
    application("seen").submitted(at)
}

fn ending(last: &str) -> Policy {
    Policy { valid_to: Some(last.parse().unwrap()), ..policy("P-1") }
}

#[test]
fn a_policy_that_nobody_applies_to() {
    let unused = |now: &str, watched: &str, policy: Policy| {
        subjects(district(now, [seen(watched)]).with_policy(policy).finds(Rule::PolicyUnused))
    };
    let open_from = |day: &str| Policy { valid_from: day.parse().unwrap(), ..policy("P-2") };
    assert_eq!(unused("2026-11-25T12:00", "2026-08-01T09:00", policy("P-2")), ["P-2"], "P-1 is used");
    assert!(unused("2026-11-25T12:00", "2026-10-01T09:00", policy("P-2")).is_empty(), "watched for too short a time");
    assert!(
        unused("2026-11-25T12:00", "2026-01-05T09:00", open_from("2026-10-01")).is_empty(),
        "open for too short a time"
    );
    assert!(unused("2026-11-25T12:00", "2026-01-05T09:00", open_from("2027-01-01")).is_empty(), "not yet open");
    let over = Policy { valid_to: Some("2026-11-24".parse().unwrap()), ..policy("P-2") };
    assert!(unused("2026-11-25T12:00", "2026-01-05T09:00", over).is_empty(), "no longer open");
    assert!(district("2026-11-25T12:00", []).finds(Rule::PolicyUnused).is_empty(), "nothing is watched");
}

#[test]
fn a_policy_that_takes_applications_after_its_last_day() {
    let listed = |one: Application| {
        district("2026-11-25T12:00", [one]).with_policy(ending("2026-10-31")).named(Rule::ListedAfterExpiry)
    };
    assert_eq!(listed(application("late").submitted("2026-11-01T00:00")), ["late"]);
    assert!(
        listed(application("last").submitted("2026-10-31T23:59")).is_empty(),
        "on the last day, in the district's zone"
    );
    let declined =
        application("declined").submitted("2026-11-02T09:00").declined("2026-11-02T10:00", "O-1", "政策已到期");
    assert!(listed(declined).is_empty(), "turned away");
    let open = district("2026-11-25T12:00", [application("one").submitted("2026-11-02T09:00")]);
    assert!(open.finds(Rule::ListedAfterExpiry).is_empty(), "a policy without end");
}

#[test]
fn an_award_of_a_policy_that_was_over() {
    let awarded = |submitted: &str, approved: &str| {
        application("one").submitted(submitted).approved(approved, 100, &["A1"]).payout("1")
    };
    let late = |one: Application| {
        district("2026-12-20T12:00", [one]).with_policy(ending("2026-10-31")).named(Rule::PaidAfterExpiry)
    };
    assert_eq!(late(awarded("2026-11-02T09:00", "2026-11-03T09:00").credited("2026-11-03T10:00")), ["one"]);
    assert_eq!(
        late(awarded("2026-10-30T09:00", "2026-12-01T09:00").credited("2026-12-01T10:00")),
        ["one"],
        "grace is over"
    );
    assert!(
        late(awarded("2026-10-30T09:00", "2026-11-30T09:00").credited("2026-12-01T10:00")).is_empty(),
        "applied in time"
    );
    assert!(late(awarded("2026-11-02T09:00", "2026-11-03T09:00")).is_empty(), "not paid");
}

#[test]
fn approvals_that_are_not_paid() {
    let awarded =
        || application("one").submitted("2026-11-20T09:00").approved("2026-11-23T10:00", 100, &["A1"]).payout("1");
    let unpaid = |now: &str, one: Application| district(now, [one]).finds(Rule::ApprovedUnpaid);
    assert!(unpaid("2026-11-25T09:59", awarded()).is_empty(), "its 24 hours, and 24 more");
    let found = unpaid("2026-11-25T10:00", awarded());
    assert_eq!(found[0].evidence.figures[1].value, 10_000, "fen");
    assert!(unpaid("2026-12-25T10:00", awarded().credited("2026-11-23T11:00")).is_empty(), "paid");
}

#[test]
fn an_appropriation_hardly_used_near_the_end_of_the_year() {
    let idle = |now: &str, used: i64, policy: Policy| {
        let seen = application("seen").submitted("2026-01-05T09:00");
        let district =
            district(now, [seen]).with_policy(policy).with_fund(|fund| fund.committed = Fen(used * 1_000_000));
        subjects(district.finds(Rule::AppropriationUnused))
    };
    assert_eq!(idle("2026-12-01T12:00", 49, policy("P-1")), ["F-1"]);
    assert!(idle("2026-12-01T12:00", 50, policy("P-1")).is_empty(), "half is used");
    assert!(idle("2026-11-16T12:00", 0, policy("P-1")).is_empty(), "six weeks and more are left");
    assert_eq!(idle("2026-11-17T12:00", 0, policy("P-1")), ["F-1"]);
    let young = Policy { valid_from: "2026-10-01".parse().unwrap(), ..policy("P-1") };
    assert!(idle("2026-12-01T12:00", 0, young).is_empty(), "its policy has just begun");
    let watched_late =
        district("2026-12-01T12:00", [seen("2026-11-27T09:00")]).with_fund(|fund| fund.committed = Fen(0));
    assert!(watched_late.finds(Rule::AppropriationUnused).is_empty(), "who watches for days knows nothing of a year");
}

#[test]
fn what_has_left_the_window_was_applied_for_all_the_same() {
    // P-1: forty applications, the last of them paid 400 days ago: `pattern_cases` leaves them out. P-2 has one that lies open since then.
    let lies = application("lies").under("P-2").submitted("2025-01-06T09:00");
    let old = Policy { valid_from: "2025-01-01".parse().unwrap(), ..policy("P-1") };
    let found = district("2026-11-25T12:00", [lies]).with_policy(old).finds(Rule::PolicyUnused);
    let most = found.iter().map(|one| one.evidence.strength).max().unwrap_or(0);
    assert!(most <= 365, "says of days that it cannot see: {}", found[0].english);
}
