//! What enterprises share, and awards.

use super::district::{Application, application, district, policy};
use crate::money::Fen;
use crate::patterns::Rule;
use crate::steps::Policy;

const NOW: &str = "2026-11-25T12:00";

fn paid(id: &str, uscc: &str, account: &str) -> Application {
    application(id).of(uscc).submitted("2026-11-09T08:00").approved("2026-11-10T09:00", 100, &["A1"]).payout(account)
}

#[test]
fn one_account_for_several_enterprises() {
    let found = district(NOW, [paid("A-1", "U-1", "400-1"), paid("A-2", "U-2", "4001"), paid("A-3", "U-3", "4002")])
        .finds(Rule::SharedAccount);
    assert_eq!(found.len(), 1, "however it is written");
    assert_eq!(found[0].evidence.marks.iter().collect::<Vec<_>>(), ["U-1", "U-2"]);
    let own = [paid("A-1", "U-1", "4001"), paid("A-2", "U-1", "4001")];
    assert!(
        district(NOW, own).finds(Rule::SharedAccount).is_empty(),
        "an enterprise has one account for all its awards"
    );
}

#[test]
fn one_mobile_or_mail_for_several_enterprises() {
    let reached = |id: &str, uscc: &str, mobile, email| {
        application(id).of(uscc).submitted("2026-11-09T08:00").reached_by(mobile, email)
    };
    let applications = || {
        [
            reached("A-1", "U-1", Some("13800000000"), Some("a@example.com")),
            reached("A-2", "U-2", Some("+8613800000000"), None),
            reached("A-3", "U-3", Some("13800000001"), Some("A@example.com")),
            reached("A-4", "U-3", Some("13800000001"), Some("b@example.com")),
            reached("A-5", "U-4", None, Some("b@example.org")),
        ]
    };
    assert_eq!(district(NOW, applications()).named(Rule::SharedMobile), ["A-1", "A-2"]);
    assert_eq!(district(NOW, applications()).named(Rule::SharedEmail), ["A-1", "A-3"]);
}

#[test]
fn one_enterprise_awarded_twice_under_one_policy() {
    let awarded =
        |id: &str, at: &str| application(id).of("U-1").submitted("2026-01-05T08:00").approved(at, 100, &["A1"]);
    let repeated = |applications: Vec<Application>| district(NOW, applications).named(Rule::RepeatAward);
    let first = || awarded("A-1", "2026-03-02T09:00");
    assert_eq!(repeated(vec![first(), awarded("A-2", "2026-11-10T09:00")]), ["A-1", "A-2"]);
    let second = || application("A-2").of("U-1").under("P-2").submitted("2026-01-05T08:00");
    for (why, other) in [
        ("another year", awarded("A-2", "2025-12-31T09:00")),
        ("revoked", awarded("A-2", "2026-11-10T09:00").revoked("2026-11-11T09:00")),
        ("another policy", second().approved("2026-11-10T09:00", 100, &["A1"])),
        ("rejected", application("A-2").of("U-1").submitted("2026-01-05T08:00").rejected("2026-01-06T09:00", "x")),
    ] {
        assert!(repeated(vec![first(), other]).is_empty(), "{why}");
    }
    let parts = first().approved_part("2026-11-10T09:00", 2, 100, &["A1"]);
    assert!(repeated(vec![parts]).is_empty(), "parts of one award");
    let mut several = policy("P-1");
    several.cap_per_application = Some(Fen(10_000));
    several.cap_per_enterprise_per_year = Some(Fen(30_000));
    let foreseen = district(NOW, [first(), awarded("A-2", "2026-11-10T09:00")]).with_policy(several);
    assert!(foreseen.finds(Rule::RepeatAward).is_empty(), "the policy foresees several");
}

#[test]
fn many_awards_just_under_the_release_limit() {
    let awards = |sums: &[i64], officers: &[&str]| -> Vec<Application> {
        let award = |(n, yuan): (usize, &i64)| {
            let id = format!("{yuan}-{n}-{}", officers.len());
            application(&id).submitted("2026-11-09T08:00").approved("2026-11-10T09:00", *yuan, officers)
        };
        sums.iter().enumerate().map(award).collect()
    };
    let found = |applications: Vec<Application>, cap: Option<i64>| {
        let mut limited = policy("P-1");
        limited.release_limit = Some(Fen(5_000_000));
        limited.cap_per_application = cap.map(|yuan| Fen(yuan * 100));
        district(NOW, applications).with_policy(limited).named(Rule::UnderReleaseLimit).len()
    };
    let under = [49_000, 49_500, 49_900, 48_800, 50_000];
    let spread = [12_000, 23_000, 31_000];
    let with = |more: &[i64], officers: &[&str]| [awards(&under, officers), awards(more, &["A1", "B1"])].concat();
    assert_eq!(found(with(&spread, &["A1"]), None), 5);
    assert_eq!(found(with(&spread, &["A1", "B1"]), None), 0, "two officers approved: nothing was avoided");
    assert_eq!(found(with(&[50_100, 51_000, 52_000], &["A1"]), None), 0, "as many lie just above");
    assert_eq!(found(awards(&under[..4], &["A1"]), None), 0, "too few");
    assert_eq!(
        found([awards(&[49_000; 8], &["A1"]), awards(&spread, &["A1"])].concat(), Some(49_000)),
        0,
        "cut off at the cap"
    );
    assert_eq!(found(awards(&[49_000; 8], &["A1"]), None), 0, "a sum that the policy has fixed");
    assert_eq!(
        district(NOW, with(&spread, &["A1"])).finds(Rule::UnderReleaseLimit).len(),
        0,
        "no limit, nothing under it"
    );
}

#[test]
fn steps_of_an_award_that_the_policy_has_fixed_are_no_choice_of_an_officer() {
    // Two grades, 20,000 and 50,000 yuan; a second officer is needed above 50,000.
    let award = |n: i64, yuan: i64| {
        application(&format!("G-{yuan}-{n}")).submitted("2026-11-02T09:00").approved("2026-11-05T09:00", yuan, &["A1"])
    };
    let cases = (0..20).map(|n| award(n, 20_000)).chain((0..5).map(|n| award(n, 50_000)));
    let graded =
        Policy { release_limit: Some(Fen(5_000_000)), cap_per_application: Some(Fen(20_000_000)), ..policy("P-1") };
    let found = district(NOW, cases).with_policy(graded).finds(Rule::UnderReleaseLimit);
    assert!(found.is_empty(), "{}", found[0].english);
}
