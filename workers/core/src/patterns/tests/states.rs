//! A pattern is found once, and people say what it is.

use super::district::seal;
use crate::ids::{ApplicationId, OperatorId, PolicyId};
use crate::patterns::{
    Change, Evidence, Found, Judgement, NotJudged, Pattern, PatternState, Rule, Subject, ids, settle,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

fn at(hour: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour)
}

fn found(rule: Rule, subject: Subject, marks: &[&str], strength: u64) -> Found {
    let applications = marks.iter().map(|mark| ApplicationId::from(*mark)).collect();
    let evidence = Evidence {
        policy_id: Some(PolicyId::from("P-1")),
        marks: marks.iter().map(|mark| (*mark).to_owned()).collect(),
        applications,
        strength,
        ..Evidence::default()
    };
    Found {
        rule,
        key: "the key".to_owned(),
        subject,
        evidence,
        chinese: "值得核实".to_owned(),
        english: "worth a look".to_owned(),
    }
}

fn awards(marks: &[&str]) -> Found {
    found(Rule::RepeatAward, Subject::Enterprise("U-1".to_owned()), marks, marks.len() as u64)
}

fn times(strength: u64, marks: &[&str]) -> Found {
    found(Rule::OfficerTimes, Subject::Officer("O-7".into()), marks, strength)
}

fn judge(pattern: &mut Pattern, by: &str, judgement: Judgement) -> Result<(), NotJudged> {
    pattern.judge(&OperatorId::from(by), judgement, "看过了", at(9))
}

fn explained(found: Found) -> Pattern {
    let mut pattern = Pattern::new(found, &seal(), at(0));
    judge(&mut pattern, "I-1", Judgement::Explained).unwrap();
    pattern
}

#[test]
fn the_same_pattern_found_twice_is_one_and_more_evidence_extends_it() {
    let first = settle(BTreeMap::new(), vec![awards(&["A-1", "A-2"])], &seal(), at(0));
    assert_eq!(first.journal.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>(), ["pattern.found"]);
    assert_eq!(first.world.len(), 1);
    let known = |seen: &crate::patterns::PatternsSeen| -> BTreeMap<String, Pattern> {
        seen.patterns.iter().map(|one| (one.id.clone(), one.clone())).collect()
    };
    let again = settle(known(&first), vec![awards(&["A-1", "A-2"])], &seal(), at(1));
    assert!(again.journal.is_empty() && again.world.is_empty(), "nothing is told twice");
    assert_eq!((again.patterns[0].found_at, again.patterns[0].last_found_at), (at(0), at(1)));
    // A-1 has left the window; A-3 is new.
    let more = settle(known(&again), vec![awards(&["A-2", "A-3"])], &seal(), at(2));
    assert_eq!(more.journal[0].kind, "pattern.grown");
    assert_eq!(more.patterns[0].evidence.marks.len(), 3);
    assert_eq!(more.patterns[0].evidence.applications.len(), 3);
    assert_eq!(ids(&[awards(&["A-9"])], &seal()), [more.patterns[0].id.clone()]);
}

#[test]
fn what_was_explained_is_new_again_only_when_there_is_more_of_it() {
    let mut pattern = explained(awards(&["A-1", "A-2"]));
    assert_eq!(pattern.found_again(awards(&["A-1", "A-2"]), at(10)), Change::Same);
    assert_eq!(pattern.found_again(awards(&["A-2"]), at(11)), Change::Same);
    assert_eq!(pattern.state, PatternState::Explained);
    assert_eq!(pattern.found_again(awards(&["A-2", "A-3"]), at(12)), Change::Reopened);
    assert_eq!(pattern.state, PatternState::New);
    // Of what is measured half as much again counts, whichever cases it comes from.
    let mut pattern = explained(times(100, &["A-1"]));
    assert_eq!(pattern.found_again(times(149, &["A-2", "A-3"]), at(10)), Change::Same);
    assert_eq!(pattern.found_again(times(150, &["A-2"]), at(11)), Change::Reopened);
    // Confirmed stays confirmed.
    let mut pattern = explained(awards(&["A-1"]));
    judge(&mut pattern, "S-1", Judgement::Confirmed).unwrap();
    assert_eq!(pattern.found_again(awards(&["A-1", "A-2"]), at(12)), Change::Grown);
    assert_eq!(pattern.state, PatternState::Confirmed);
}

#[test]
fn states_follow_each_other_by_judgements_with_name_and_reason() {
    use {Judgement as J, PatternState as S};
    for (judgements, state, refused) in [
        (vec![J::LookedAt], S::LookedAt, 0),
        (vec![J::LookedAt, J::Explained], S::Explained, 0),
        (vec![J::Confirmed], S::Confirmed, 0),
        (vec![J::Explained, J::Confirmed], S::Confirmed, 0),
        (vec![J::Confirmed, J::Explained], S::Explained, 0),
        (vec![J::LookedAt, J::LookedAt], S::LookedAt, 1),
        (vec![J::Explained, J::Explained], S::Explained, 1),
        (vec![J::Explained, J::LookedAt], S::Explained, 1),
        (vec![J::Confirmed, J::LookedAt, J::Confirmed], S::Confirmed, 2),
    ] {
        let mut pattern = Pattern::new(awards(&["A-1"]), &seal(), at(0));
        let results: Vec<_> = judgements.iter().map(|one| judge(&mut pattern, "S-1", *one)).collect();
        assert_eq!(pattern.state, state, "{judgements:?}");
        assert_eq!(results.iter().filter(|one| one.is_err()).count(), refused, "{judgements:?}");
        assert_eq!(pattern.judged.len(), judgements.len() - refused);
        assert!(pattern.judged.iter().all(|one| one.reason == "看过了"));
    }
}

#[test]
fn nobody_judges_what_concerns_themselves() {
    let mut own = Pattern::new(times(100, &["A-1"]), &seal(), at(0));
    assert_eq!(judge(&mut own, "O-7", Judgement::Explained), Err(NotJudged::OwnMatter(own.id.clone())));
    assert_eq!(judge(&mut own, "O-8", Judgement::Explained), Ok(()));
}

#[test]
fn of_officers_the_world_hears_rule_counts_and_id_alone() {
    let seen = settle(BTreeMap::new(), vec![times(100, &["A-1", "A-2"]), awards(&["A-1"])], &seal(), at(0));
    let of_officer = &seen.world[0];
    let keys: Vec<&str> = of_officer.data.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["applications", "occasion", "pattern_id", "rule", "sample", "state"]);
    assert_eq!(of_officer.subject, of_officer.data["pattern_id"]);
    for row in &seen.journal[..1] {
        assert!(!format!("{row:?}").contains("O-7") && !format!("{row:?}").contains("the key"));
    }
    assert_eq!(seen.world[1].data["subject_id"], "U-1");
}

/// A store writes each row once.
#[test]
fn what_is_found_twice_in_one_run_is_one_pattern_with_the_evidence_of_both() {
    let seen = settle(BTreeMap::new(), vec![awards(&["A-1", "A-2"]), awards(&["A-2", "A-3"])], &seal(), at(0));
    assert_eq!((seen.patterns.len(), seen.journal.len(), seen.world.len()), (1, 1, 1));
    assert_eq!(seen.patterns[0].evidence.marks.len(), 3, "neither is lost");
    assert_eq!(seen.patterns[0].evidence.applications.len(), 3);
}

/// An application that lies is passed by thousands: its row stays small, and what was explained stays explained.
#[test]
fn of_many_marks_some_are_kept_and_all_are_counted() {
    let names: Vec<String> = (0..1_000).map(|n| format!("A-{n:04}")).collect();
    let of = |from: usize, to: usize| {
        let marks: Vec<&str> = names[from..to].iter().map(String::as_str).collect();
        let mut found = awards(&marks);
        found.evidence.bound();
        found
    };
    let known = Pattern::new(of(0, 900), &seal(), at(0));
    assert_eq!((known.evidence.marks.len(), known.evidence.extent()), (200, 900));
    let mut pattern = explained(of(0, 900));
    assert_eq!(pattern.found_again(of(0, 900), at(10)), Change::Same);
    assert_eq!(pattern.found_again(of(500, 900), at(11)), Change::Same, "the older ones have left the window");
    assert_eq!((pattern.evidence.marks.len(), pattern.evidence.extent()), (200, 900));
    assert_eq!(pattern.found_again(of(0, 901), at(12)), Change::Reopened);
    // From kept to counted.
    let mut pattern = explained(of(0, 150));
    assert_eq!(pattern.found_again(of(100, 150), at(10)), Change::Same);
    assert_eq!(pattern.found_again(of(150, 300), at(11)), Change::Reopened);
    assert_eq!(pattern.evidence.extent(), 300);
    assert_eq!(pattern.found_again(of(250, 300), at(12)), Change::Same);
}
