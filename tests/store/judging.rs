//! What people say of patterns, and the orders they issue from them: by those who may, once, and asked anew when there is more.

use crate::patterns::{found, look, patterns, submitted, supplement};
use crate::supervising::organisation;
use crate::world::{World, operator, signed};
use jiff::SignedDuration;
use serde_json::Value;
use std::collections::BTreeSet;
use zhida_core::ids::{ApplicationId, OfficerId};
use zhida_core::patterns::{Evidence, Found, Judgement, NotJudged, Pattern, PatternState, Rule, Subject};
use zhida_core::ports::orders::OrderFilter;
use zhida_core::ports::store::{Acted, JournalEntry, Which};
use zhida_core::steps::{ActOutcome, ActRefused, Role};
use zhida_core::supervision::{Audience, NewOrder, Occasion, SupervisionAct, SupervisionRefused};

const DAY: SignedDuration = SignedDuration::from_hours(24);

const DONE: Acted = Acted::Done(ActOutcome::Done);

async fn people(world: &World) {
    for (id, role) in [("S-1", Role::Supervisor), ("S-2", Role::Supervisor), ("I-1", Role::Inspector)] {
        world.store.put_operator(&operator(id, role), "test").await.unwrap();
    }
}

fn judge(pattern: &Pattern, judgement: Judgement) -> SupervisionAct {
    SupervisionAct::JudgePattern { pattern_id: pattern.id.clone(), judgement }
}

fn issue(pattern: &Pattern) -> SupervisionAct {
    let (occasion, addressee) = (Occasion::Pattern(pattern.id.clone()), OfficerId::from("O-201"));
    SupervisionAct::IssueOrder(NewOrder { occasion, addressee, working_days: 2 })
}

fn refusal(acted: &Acted) -> &SupervisionRefused {
    match acted {
        Acted::Refused(ActRefused::Supervision(refused)) => refused,
        other => panic!("not refused: {other:?}"),
    }
}

async fn journal(world: &World, pattern: &Pattern) -> Vec<JournalEntry> {
    world.store.trace(&ApplicationId(pattern.id.clone())).await.unwrap()
}

/// An application that was asked for material twice, found.
async fn asked_twice(world: &World) -> Pattern {
    let now = world.now().await;
    world.take(&[submitted(1, now - 9 * DAY)]).await;
    world.take(&[supplement("first", 1, now - 8 * DAY), supplement("second", 1, now - 6 * DAY)]).await;
    look_for_it(world).await
}

async fn look_for_it(world: &World) -> Pattern {
    look(world).await;
    world.store.put_patterns(&found(world, Rule::SecondSupplement).await).await.unwrap();
    patterns(world).await.into_iter().find(|one| one.rule == Rule::SecondSupplement).unwrap()
}

/// A pattern about the officer O-7.
async fn about_an_officer(world: &World) -> Pattern {
    let evidence = Evidence { marks: BTreeSet::from(["A-1".to_owned()]), strength: 100, ..Evidence::default() };
    let found = Found {
        rule: Rule::OfficerTimes,
        key: "P-1/first/O-7".to_owned(),
        subject: Subject::Officer(OfficerId::from("O-7")),
        evidence,
        chinese: "O-7 值得核实".to_owned(),
        english: "O-7, worth a look".to_owned(),
    };
    world.store.put_patterns(&[found]).await.unwrap();
    patterns(world).await.into_iter().find(|one| one.rule == Rule::OfficerTimes).unwrap()
}

pub(crate) async fn a_pattern_is_judged_by_those_who_may_and_asked_anew_when_there_is_more(world: World) {
    people(&world).await;
    let pattern = asked_twice(&world).await;
    let refused = world.act("R-1", judge(&pattern, Judgement::Explained)).await;
    assert!(matches!(refusal(&refused), SupervisionRefused::Role { .. }));
    assert_eq!(world.act("S-1", judge(&pattern, Judgement::LookedAt)).await, DONE);
    let explained = signed("explained", "S-1", judge(&pattern, Judgement::Explained));
    assert_eq!(world.store.act(&explained).await.unwrap(), DONE);
    assert_eq!(world.other.act(&explained).await.unwrap(), Acted::Duplicate);
    let known = look_for_it(&world).await;
    assert_eq!(known.state, PatternState::Explained, "nothing more of it");
    let said: Vec<(&str, &str)> = known.judged.iter().map(|one| (one.by.as_str(), one.reason.as_str())).collect();
    assert_eq!(said, [("S-1", "as seen"), ("S-1", "as seen")]);
    world.take(&[supplement("third", 1, world.now().await - DAY)]).await;
    assert_eq!(look_for_it(&world).await.state, PatternState::New, "a third request was not explained");
    let kinds: Vec<String> = journal(&world, &pattern).await.into_iter().map(|row| row.kind).collect();
    assert_eq!(
        kinds,
        ["pattern.found", "operator.refused", "pattern.judged", "pattern.judged", "pattern.reopened"],
        "who said what stands in the journal"
    );
    // Two who say the same at once: it is so once, and the other hears it.
    let (one, two) = (
        signed("one", "S-1", judge(&pattern, Judgement::Confirmed)),
        signed("two", "S-2", judge(&pattern, Judgement::Confirmed)),
    );
    let (one, two) = tokio::join!(world.store.act(&one), world.other.act(&two));
    let both = [one.unwrap(), two.unwrap()];
    assert_eq!(both.iter().filter(|acted| **acted == DONE).count(), 1, "{both:?}");
    let other = both.iter().find(|acted| **acted != DONE).unwrap();
    assert!(matches!(refusal(other), SupervisionRefused::NotJudged(NotJudged::Already { .. })));
}

pub(crate) async fn what_is_about_officers_is_for_discipline_inspection_alone(world: World) {
    people(&world).await;
    organisation(&world).await;
    let pattern = about_an_officer(&world).await;
    let unknown = SupervisionRefused::NoSuchPattern(pattern.id.clone());
    for act in [judge(&pattern, Judgement::Confirmed), issue(&pattern)] {
        assert_eq!(refusal(&world.act("S-1", act).await), &unknown, "a supervisor does not learn that there is one");
    }
    assert_eq!(world.act("I-1", judge(&pattern, Judgement::Confirmed)).await, DONE);
    assert_eq!(world.act("I-1", issue(&pattern)).await, DONE);
    for row in journal(&world, &pattern).await.iter().filter(|row| row.kind != "operator.refused") {
        let row = format!("{row:?}");
        assert!(!row.contains("O-7") && !row.contains("as seen"), "{row}");
    }
    for row in world.store.claim_outbox(1_000).await.unwrap() {
        let event: Value = serde_json::from_slice(&row.body).unwrap();
        assert!(!event.to_string().contains("O-7"), "{event}");
        let names_it = event["data"]["pattern_id"] == pattern.id.as_str();
        assert!(!names_it || event["data"].get("subject_id").is_none(), "{event}");
    }
    let filter = OrderFilter { which: Which::All, audiences: vec![Audience::Supervision], addressees: None, limit: 9 };
    assert!(world.other.orders(&filter).await.unwrap().is_empty());
    let filter = OrderFilter { audiences: vec![Audience::Inspection], ..filter };
    assert_eq!(world.other.orders(&filter).await.unwrap().len(), 1);
}

pub(crate) async fn an_order_is_issued_from_a_pattern(world: World) {
    people(&world).await;
    organisation(&world).await;
    let pattern = asked_twice(&world).await;
    assert_eq!(world.act("S-1", issue(&pattern)).await, DONE);
    let filter = OrderFilter { which: Which::Open, audiences: vec![Audience::Supervision], addressees: None, limit: 9 };
    let orders = world.other.orders(&filter).await.unwrap();
    assert_eq!(orders[0].occasion, Occasion::Pattern(pattern.id.clone()));
    assert_eq!(orders[0].application_id, Some(ApplicationId::from("A-1")), "it is about that application");
}
