//! Officers and their peers.

use super::district::{Application, application, district};
use crate::patterns::{Rule, Subject};
use std::collections::BTreeSet;
use zhida_schemas::review::Stage;

const NOW: &str = "2026-11-25T12:00";

/// So many steps of an officer, each assigned at nine and decided at the time given by its number.
fn steps(officer: &str, count: u32, decided: impl Fn(u32) -> String) -> Vec<Application> {
    let step = |n: u32| {
        application(&format!("{officer}-{n:02}")).submitted("2026-11-09T08:00").step(
            "2026-11-09T09:00",
            &decided(n),
            officer,
        )
    };
    (0..count).map(step).collect()
}

/// An hour and a bit.
fn ordinary(n: u32) -> String {
    format!("2026-11-09T10:{:02}", n * 7 % 60)
}

fn far(n: u32) -> String {
    format!("2026-11-12T15:{:02}", n * 7 % 60)
}

fn found(applications: Vec<Application>, rule: Rule) -> Vec<String> {
    district(NOW, applications).finds(rule).into_iter().map(|one| one.subject.text()).collect()
}

#[test]
fn times_far_from_those_of_peers() {
    let peers = || [steps("O-2", 10, ordinary), steps("O-3", 10, ordinary)].concat();
    let times = |own: Vec<Application>| found([own, peers()].concat(), Rule::OfficerTimes);
    assert_eq!(times(steps("O-1", 8, far)), ["O-1"]);
    // Innocent: too few; an hour longer; a few outliers among many; handed over in between; paused; peers who differ as much.
    assert!(times(steps("O-1", 7, far)).is_empty(), "a sample too small");
    assert!(times(steps("O-1", 8, |n| format!("2026-11-09T11:{n:02}"))).is_empty(), "not far");
    assert!(times(steps("O-1", 8, |n| if n < 3 { far(n) } else { ordinary(n) })).is_empty(), "some odd cases");
    let handed = |n: u32| {
        application(&format!("O-1-{n:02}"))
            .submitted("2026-11-09T08:00")
            .assigned("2026-11-09T09:00", Stage::First, "D1", "O-9")
            .assigned("2026-11-12T14:00", Stage::First, "D1", "O-1")
            .decided(&far(n), Stage::First, "D1", "O-1")
    };
    assert!(times((0..8).map(handed).collect()).is_empty(), "it lay elsewhere");
    let paused = |n: u32| {
        application(&format!("O-1-{n:02}"))
            .submitted("2026-11-09T08:00")
            .assigned("2026-11-09T09:00", Stage::First, "D1", "O-1")
            .supplement("2026-11-09T09:30", "D1")
            .supplied("2026-11-12T14:30")
            .decided(&far(n), Stage::First, "D1", "O-1")
    };
    assert!(times((0..8).map(paused).collect()).is_empty(), "the enterprise's time");
    let one_peer = [steps("O-1", 8, far), steps("O-2", 20, ordinary)].concat();
    assert!(found(one_peer, Rule::OfficerTimes).is_empty(), "one peer is no measure");
    let wide = |n: u32| if n.is_multiple_of(2) { ordinary(n) } else { format!("2026-11-{}T10:00", 10 + n % 4) };
    let differing = [steps("O-1", 8, far), steps("O-2", 10, wide), steps("O-3", 10, wide)].concat();
    assert!(found(differing, Rule::OfficerTimes).is_empty(), "peers differ as much among themselves");
}

#[test]
fn an_officer_far_faster_than_all_others_stands_out_too() {
    let quick = steps("O-1", 8, |n| format!("2026-11-09T09:{n:02}"));
    let applications = [quick, steps("O-2", 10, far), steps("O-3", 10, far)].concat();
    let found = district(NOW, applications).finds(Rule::OfficerTimes);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].subject, Subject::Officer("O-1".into()));
    assert_eq!(found[0].evidence.sample, 28);
    assert_eq!(found[0].evidence.peers.len(), 2);
}

#[test]
fn peers_who_all_take_the_same_time_leave_the_floor_alone() {
    let same = |_: u32| "2026-11-09T10:00".to_owned();
    let peers = || [steps("O-2", 10, same), steps("O-3", 10, same)].concat();
    let times = |end: &str| found([steps("O-1", 8, |_| end.to_owned()), peers()].concat(), Rule::OfficerTimes);
    assert_eq!(times("2026-11-09T15:59"), Vec::<String>::new(), "four hours less a minute away");
    assert_eq!(times("2026-11-09T16:00"), ["O-1"]);
}

/// So many decisions of an officer, the first ones refusals.
fn decisions(officer: &str, refused: u32, count: u32) -> Vec<Application> {
    let decision = |n: u32| {
        let begun = application(&format!("{officer}-{n:02}")).submitted("2026-11-09T08:00");
        let begun = begun.assigned("2026-11-09T09:00", Stage::First, "D1", officer);
        if n < refused {
            begun.refused("2026-11-09T10:00", Stage::First, officer, Some("不在本区范围"))
        } else {
            begun.decided("2026-11-09T10:00", Stage::First, "D1", officer)
        }
    };
    (0..count).map(decision).collect()
}

#[test]
fn refusals_far_from_those_of_peers() {
    let peers = |refused| ["O-2", "O-3", "O-4"].map(|peer| decisions(peer, refused, 20)).concat();
    let refusals = |own: Vec<Application>, peers: Vec<Application>| found([own, peers].concat(), Rule::OfficerRefusals);
    assert_eq!(refusals(decisions("O-1", 12, 20), peers(2)), ["O-1"], "far more");
    assert_eq!(refusals(decisions("O-1", 0, 40), peers(12)), ["O-1"], "far fewer");
    // Innocent: too few decisions; a difference that is small, or chance; too few peers; peers who differ as much.
    assert!(refusals(decisions("O-1", 10, 14), peers(2)).is_empty(), "a sample too small");
    assert!(refusals(decisions("O-1", 7, 20), peers(2)).is_empty(), "25 points");
    assert!(refusals(decisions("O-1", 13, 15), peers(10)).is_empty(), "chance");
    let two = ["O-2", "O-3"].map(|peer| decisions(peer, 2, 20)).concat();
    assert!(refusals(decisions("O-1", 12, 20), two).is_empty(), "two peers");
    let differing = [decisions("O-2", 0, 20), decisions("O-3", 4, 20), decisions("O-4", 8, 20)].concat();
    assert!(refusals(decisions("O-1", 16, 20), differing).is_empty(), "peers differ among themselves");
}

/// So many awards approved by these two.
fn awards(one: &str, other: &str, count: u32) -> Vec<Application> {
    let award = |n: u32| {
        let application = application(&format!("{one}-{other}-{n:02}")).submitted("2026-11-09T08:00");
        application.approved("2026-11-10T09:00", 100, &[one, other])
    };
    (0..count).map(award).collect()
}

#[test]
fn always_the_same_two_approvers() {
    let same = |applications: Vec<Vec<Application>>| found(applications.concat(), Rule::SameApprovers);
    // Colleagues in both departments approve as well, with each other.
    let others = || [awards("A2", "B2", 3), awards("A3", "B3", 3), awards("A2", "B3", 2)].concat();
    assert_eq!(same(vec![awards("A1", "B1", 10), others()]), ["A1 B1"]);
    assert!(same(vec![awards("A1", "B1", 9), others()]).is_empty(), "too few");
    assert!(same(vec![awards("A1", "B1", 10), awards("A1", "B2", 2), others()]).is_empty(), "not always");
    // Innocent: the only head of a department signs everything, and everybody's cases with their own.
    let head = vec![awards("A1", "B1", 12), awards("A2", "B1", 11), awards("A3", "B1", 10)];
    assert!(same(head).is_empty(), "there is but one who can");
    assert!(same(vec![awards("A1", "B1", 30)]).is_empty(), "nobody else approves");
}

#[test]
fn one_run_finds_each_pair_once_also_where_departments_were_renamed() {
    let awards = |department: &'static str, one: &'static str, other: &'static str, count: u32| {
        (0..count).map(move |n| {
            application(&format!("{department}-{one}-{other}-{n:02}")).submitted("2026-11-02T09:00").approved_by(
                "2026-11-05T09:00",
                100,
                &[(department, one), (department, other)],
            )
        })
    };
    let mut all: Vec<Application> = Vec::new();
    for department in ["D1", "D7"] {
        all.extend(awards(department, "O-1", "O-2", 12));
        all.extend(awards(department, "O-3", "O-4", 4));
    }
    let found = district(NOW, all).finds(Rule::SameApprovers);
    let pairs: BTreeSet<&str> = found.iter().map(|one| one.key.as_str()).collect();
    assert_eq!(found.len(), pairs.len());
}

/// A joint review: D1 looks into its books, D2 goes and inspects, as it must.
fn joint(n: u32, desk: &str) -> Application {
    application(&format!("J-{n:02}"))
        .submitted("2026-11-09T08:00")
        .assigned("2026-11-09T09:00", Stage::Joint, "D1", desk)
        .assigned("2026-11-09T09:00", Stage::Joint, "D2", "O-INSPECTS")
        .decided(&format!("2026-11-09T10:{:02}", n * 7 % 60), Stage::Joint, "D1", desk)
        .decided(&format!("2026-11-12T15:{:02}", n * 7 % 60), Stage::Joint, "D2", "O-INSPECTS")
}

#[test]
fn officers_of_departments_that_do_different_things_are_no_peers() {
    let cases: Vec<Application> = (0..16).map(|n| joint(n, if n < 8 { "O-1" } else { "O-2" })).collect();
    let found = district(NOW, cases).finds(Rule::OfficerTimes);
    let whom: Vec<String> = found.iter().map(|one| one.subject.text()).collect();
    assert_eq!(whom, Vec::<String>::new(), "{:?}", found.first().map(|one| &one.english));
}

#[test]
fn refusals_of_different_departments_are_not_compared() {
    let of = |n: u32, department: &str, officer: &str, refuses: bool| {
        let id = format!("{officer}-{n:02}");
        let begun = application(&id).submitted("2026-11-09T08:00");
        if refuses {
            begun.refused_by("2026-11-09T10:00", Stage::Joint, department, officer, "消防验收不合格")
        } else {
            begun.decided("2026-11-09T10:00", Stage::Joint, department, officer)
        }
    };
    let desks = ["O-1", "O-2", "O-3"].into_iter().flat_map(|one| (0..15).map(move |n| of(n, "D1", one, n == 0)));
    let inspects = (0..20).map(|n| of(n, "D2", "O-INSPECTS", n % 2 == 0));
    let found = district(NOW, desks.chain(inspects)).finds(Rule::OfficerRefusals);
    assert!(found.is_empty(), "{}", found[0].english);
}
