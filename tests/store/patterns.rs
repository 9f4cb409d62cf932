//! Patterns: read page by page, found once whoever looks and how often, judged by people, and how policies fare beside them.

use crate::world::{World, arrival};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::collections::BTreeSet;
use zhida_config::patterns::Patterns;
use zhida_core::case_file::{Actor, CaseNote, Said};
use zhida_core::contacts::Contacts;
use zhida_core::ids::{ApplicationId, PolicyId};
use zhida_core::patterns::{
    CaseFacts, Evidence, Found, HealthWord, Material, Pattern, PatternState, Rule, Subject, health,
};
use zhida_core::ports::patterns::PatternFilter;
use zhida_core::steps::{Arrival, Fact};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);

fn event(name: &str, number: u32, at: Timestamp, said: Said) -> Arrival {
    let note = CaseNote { application_id: ApplicationId(format!("A-{number}")), at, said };
    Arrival { case: Some(note), ..arrival(name, number, Fact::Other, &json!({"event": name})) }
}

pub(crate) fn submitted(number: u32, at: Timestamp) -> Arrival {
    let said = Said::Submitted { policy_id: PolicyId::from("P-1"), uscc: format!("U-{number}"), mode: None };
    event(&format!("submitted-{number}"), number, at, said)
}

pub(crate) fn supplement(name: &str, number: u32, at: Timestamp) -> Arrival {
    let by = Actor { department_id: "D-SCI".to_owned(), officer_id: "O-101".to_owned() };
    event(name, number, at, Said::SupplementRequested { by, items: vec!["x".to_owned()], due_at: None })
}

fn reached_by(one: Arrival, at: Timestamp, mobile: Option<&str>, email: Option<&str>) -> Arrival {
    let text = |text: Option<&str>| text.map(str::to_owned);
    Arrival { contacts: Some(Contacts::new(at, text(mobile), text(email), None)), ..one }
}

pub(crate) async fn look(world: &World) {
    while world.store.look_at_cases(100).await.unwrap() > 0 {}
}

/// Every application of the last year, in pages of so many.
async fn pages(world: &World, max: u32) -> Vec<Vec<CaseFacts>> {
    let since = world.now().await - YEAR;
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let page = world.other.pattern_cases(since, after.as_ref(), max).await.unwrap();
        pages.push(page.cases);
        after = page.next;
        if after.is_none() {
            return pages;
        }
    }
}

async fn with_material<T>(world: &World, look: impl Fn(&Material<'_>) -> T) -> T {
    let (cases, thresholds) = (pages(world, 100).await.concat(), Patterns::documented().unwrap());
    let surroundings = world.store.pattern_surroundings().await.unwrap();
    look(&Material {
        seen_from: Timestamp::MIN,
        cases: &cases,
        policies: &surroundings.policies,
        funds: &surroundings.funds,
        time: &surroundings.time,
        thresholds: &thresholds,
        second_officer_above: surroundings.second_officer_above,
        now: surroundings.now,
    })
}

pub(crate) async fn found(world: &World, rule: Rule) -> Vec<Found> {
    with_material(world, |material| rule.find(material)).await
}

pub(crate) async fn patterns(world: &World) -> Vec<Pattern> {
    world.other.patterns(&PatternFilter { rule: None, state: None, limit: 100 }).await.unwrap()
}

/// What is on its way out of patterns.
async fn told(world: &World) -> usize {
    let out = world.store.claim_outbox(10_000).await.unwrap();
    out.iter().filter(|row| String::from_utf8_lossy(&row.body).contains("supervision.pattern.v1")).count()
}

pub(crate) async fn applications_are_read_page_by_page_and_those_of_long_ago_left_out(world: World) {
    let now = world.now().await;
    for number in 1..=5 {
        world.take(&[submitted(number, now)]).await;
    }
    let gone = Said::Withdrawn { by: "U".to_owned(), reason: "x".to_owned() };
    world.take(&[submitted(6, now - 400 * DAY), event("withdrawn", 6, now - 380 * DAY, gone.clone())]).await;
    world.take(&[submitted(7, now - 400 * DAY), event("withdrawn-7", 7, now - 300 * DAY, gone)]).await;
    world.take(&[submitted(8, now - 400 * DAY)]).await;
    look(&world).await;
    let ids = |page: &Vec<CaseFacts>| page.iter().map(|case| case.application_id.0.clone()).collect::<Vec<_>>();
    let read: Vec<Vec<String>> = pages(&world, 3).await.iter().map(ids).collect();
    assert_eq!(read.concat(), ["A-1", "A-2", "A-3", "A-4", "A-5", "A-7", "A-8"], "open, or decided within the year");
    assert!(read.iter().all(|page| page.len() <= 3) && read.len() >= 3);
}

pub(crate) async fn contacts_are_kept_apart_and_the_later_word_counts(world: World) {
    let now = world.now().await;
    let corrected = event("accepted", 1, now, Said::SupplementReceived);
    world
        .take(&[
            reached_by(submitted(1, now - DAY), now - DAY, Some("13800000001"), Some("a@example.com")),
            reached_by(corrected, now, Some("13800000002"), None),
            reached_by(submitted(2, now), now, Some("13800000002"), Some("A@example.com")),
            reached_by(submitted(3, now), now, Some("13800000001"), None),
        ])
        .await;
    // What is older changes nothing that is known, and is heard where nothing is.
    let late = event("late", 3, now, Said::SupplementReceived);
    world.take(&[reached_by(late, now - HOUR, Some("13800000002"), Some("c@example.com"))]).await;
    look(&world).await;
    let cases = pages(&world, 10).await.concat();
    let of = |number: usize| (cases[number - 1].mobile.clone().unwrap(), cases[number - 1].email.clone().unwrap());
    assert_eq!(of(1), of(2), "the later mobile, the mail of before");
    assert_ne!(of(3).0, of(1).0);
    assert_ne!(of(3).1, of(1).1);
    for number in 1..=3 {
        let story = world.store.trace(&ApplicationId(format!("A-{number}"))).await.unwrap();
        assert!(!format!("{story:?}").contains("1380000") && !format!("{story:?}").contains("example.com"));
    }
}

pub(crate) async fn a_pattern_is_found_once_whoever_looks_and_how_often(world: World) {
    let now = world.now().await;
    world.take(&[submitted(1, now - 5 * DAY), supplement("first", 1, now - 4 * DAY)]).await;
    look(&world).await;
    assert!(found(&world, Rule::SecondSupplement).await.is_empty());
    world.take(&[supplement("second", 1, now - 2 * DAY)]).await;
    look(&world).await;
    let again = found(&world, Rule::SecondSupplement).await;
    let (one, two) = tokio::join!(world.store.put_patterns(&again), world.other.put_patterns(&again));
    one.unwrap();
    two.unwrap();
    let known = patterns(&world).await;
    assert_eq!(known.len(), 1);
    assert_eq!(world.store.pattern(&known[0].id).await.unwrap().as_ref(), Some(&known[0]));
    assert_eq!((known[0].rule, known[0].state), (Rule::SecondSupplement, PatternState::New));
    assert_eq!(told(&world).await, 1, "told once");
    let journal = world.store.trace(&ApplicationId(known[0].id.clone())).await.unwrap();
    assert_eq!(journal.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>(), ["pattern.found"]);
    // More of it extends it.
    world.pass(HOUR);
    world.take(&[supplement("third", 1, now - DAY)]).await;
    look(&world).await;
    world.store.put_patterns(&found(&world, Rule::SecondSupplement).await).await.unwrap();
    let grown = patterns(&world).await;
    assert_eq!((grown.len(), grown[0].evidence.marks.len()), (1, 3));
    assert_eq!(grown[0].found_at, known[0].found_at);
    assert!(grown[0].last_found_at > known[0].last_found_at);
    assert_eq!(told(&world).await, 2, "what was not sent yet, and this");
    assert_eq!(world.figures().await.patterns_by_state.get("new"), Some(&1));
    let counts = world.other.pattern_counts().await.unwrap();
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [((Rule::SecondSupplement, PatternState::New), 1)]);
    let of_rule = |rule| PatternFilter { rule: Some(rule), state: Some(PatternState::New), limit: 10 };
    assert_eq!(world.other.patterns(&of_rule(Rule::SecondSupplement)).await.unwrap().len(), 1);
    assert!(world.other.patterns(&of_rule(Rule::PingPong)).await.unwrap().is_empty());
}

pub(crate) async fn what_is_found_twice_in_one_run_is_one_pattern(world: World) {
    let found = |mark: &str| Found {
        rule: Rule::QueueJump,
        key: "P-1/first/D1/A-1".to_owned(),
        subject: Subject::Application(ApplicationId::from("A-1")),
        evidence: Evidence { marks: BTreeSet::from([mark.to_owned()]), strength: 1, ..Evidence::default() },
        chinese: "值得核实".to_owned(),
        english: "worth a look".to_owned(),
    };
    world.store.put_patterns(&[found("A-1 A-2"), found("A-1 A-3")]).await.unwrap();
    let marks: Vec<usize> = patterns(&world).await.iter().map(|one| one.evidence.marks.len()).collect();
    assert_eq!(marks, [2], "neither is lost");
}

pub(crate) async fn an_account_has_one_fingerprint_and_stands_nowhere_in_clear(world: World) {
    for number in [1, 2] {
        let mut award = world.award(number).await;
        award.account = "62220099".to_owned();
        let said = Said::Approved {
            policy_id: PolicyId::from("P-1"),
            uscc: format!("U-{number}"),
            tranche: 1,
            amount: zhida_core::money::Fen(10_000),
            approvals: Vec::new(),
        };
        let case = CaseNote { application_id: ApplicationId(format!("A-{number}")), at: award.approved, said };
        world.take(&[Arrival { case: Some(case), ..award.arrival() }]).await;
    }
    look(&world).await;
    let shared = found(&world, Rule::SharedAccount).await;
    assert_eq!(shared.len(), 1);
    world.store.put_patterns(&shared).await.unwrap();
    world.other.put_patterns(&found(&world, Rule::SharedAccount).await).await.unwrap();
    let known = patterns(&world).await;
    assert_eq!(known.len(), 1, "the same for every handle");
    assert!(!format!("{known:?}").contains("62220099"));
}

pub(crate) async fn one_worker_at_a_time_looks_for_patterns(world: World) {
    let begin = async |pause, lease| world.store.begin_pattern_run(pause, lease).await.unwrap();
    assert_eq!(world.other.last_pattern_run().await.unwrap(), None);
    let (one, two) = tokio::join!(
        world.store.begin_pattern_run(SignedDuration::ZERO, HOUR),
        world.other.begin_pattern_run(SignedDuration::ZERO, HOUR)
    );
    assert!(one.unwrap() ^ two.unwrap(), "one of them");
    world.other.drop_pattern_run().await.unwrap();
    assert!(begin(SignedDuration::ZERO, HOUR).await, "whoever had it failed and said so");
    world.pass(2 * HOUR);
    assert!(begin(SignedDuration::ZERO, HOUR).await, "whoever had it did not come back");
    assert!(begin(SignedDuration::ZERO, HOUR / 2).await, "no lease is as long: the clock was ahead");
    let began_at = world.now().await;
    world.pass(HOUR / 4);
    world.store.end_pattern_run(&[]).await.unwrap();
    let last = world.other.last_pattern_run().await.unwrap().unwrap();
    assert!(last.began_at <= began_at && last.finished_at > last.began_at);
    assert!(!begin(HOUR, HOUR).await, "just done");
    world.pass(HOUR);
    assert!(begin(HOUR, HOUR).await);
}

pub(crate) async fn half_a_history_is_not_looked_at_for_patterns(world: World) {
    let begin = async || world.store.begin_pattern_run(SignedDuration::ZERO, SignedDuration::ZERO).await.unwrap();
    world.take(&[submitted(1, world.now().await)]).await;
    look(&world).await;
    assert!(begin().await);
    world.pass(10 * DAY);
    assert!(!begin().await, "its deadlines have passed and nobody has looked");
    look(&world).await;
    assert!(begin().await);
}

pub(crate) async fn how_policies_fare_is_kept_with_its_figures(world: World) {
    let now = world.now().await;
    world.take(&[submitted(1, now - 60 * DAY)]).await;
    look(&world).await;
    let seen = with_material(&world, health).await;
    assert!(world.store.policy_health().await.unwrap().is_empty(), "nothing before the first run");
    world.store.end_pattern_run(&seen).await.unwrap();
    assert_eq!(world.other.policy_health().await.unwrap(), seen);
    assert_eq!(seen.iter().map(|one| one.word).collect::<Vec<_>>(), [HealthWord::Zombie], "it lies and nothing moves");
    let policies: BTreeSet<&str> = seen.iter().map(|one| one.policy_id.as_str()).collect();
    assert_eq!(policies, BTreeSet::from(["P-1"]));
}
