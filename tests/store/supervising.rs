//! Reviews under supervision: events become case files, deadlines become alerts, each once whoever looks.

use crate::world::{World, arrival, policy};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use zhida_config::Calendar;
use zhida_config::sample_district::ORGANISATION_TOML;
use zhida_core::case_file::{Actor, CaseNote, ClockState, ReviewTerms, Said, Standing};
use zhida_core::ids::{ApplicationId, PolicyId};
use zhida_core::organisation::Organisation;
use zhida_core::ports::cases::{AlertFilter, CaseView};
use zhida_core::ports::store::Which;
use zhida_core::steps::{Arrival, Fact, TakenIn};
use zhida_core::supervision::Alert;
use zhida_schemas::organisation_file::OrganisationFile;
use zhida_schemas::review::{Decision, Stage};

pub(crate) const DAY: SignedDuration = SignedDuration::from_hours(24);

pub(crate) fn event(event: &str, application: u32, at: Timestamp, said: Said) -> Arrival {
    let note = CaseNote { application_id: ApplicationId(format!("A-{application}")), at, said };
    Arrival { case: Some(note), ..arrival(event, application, Fact::Other, &json!({"event": event})) }
}

pub(crate) fn submitted(at: Timestamp) -> Arrival {
    event("submitted", 1, at, Said::Submitted { policy_id: PolicyId::from("P-1"), uscc: "U-1".to_owned(), mode: None })
}

pub(crate) fn officer() -> Actor {
    Actor { department_id: "D-SCI".to_owned(), officer_id: "O-101".to_owned() }
}

pub(crate) fn accepted(at: Timestamp) -> Arrival {
    event("accepted", 1, at, Said::Accepted(officer()))
}

pub(crate) fn assigned(at: Timestamp) -> Arrival {
    event("assigned", 1, at, Said::Assigned { to: officer(), stage: Stage::First, due_working_days: Some(1) })
}

pub(crate) fn decided(at: Timestamp) -> Arrival {
    let (by, stage, decision) = (officer(), Stage::First, Decision::Approve);
    event("decided", 1, at, Said::Decided { by, stage, decision, reason: None, return_to: None })
}

pub(crate) async fn case(world: &World) -> CaseView {
    world.other.case(&ApplicationId::from("A-1")).await.unwrap().expect("something is known of it")
}

pub(crate) async fn alerts(world: &World, which: Which) -> Vec<Alert> {
    world.other.alerts(&AlertFilter { which, department_id: None, limit: 100 }).await.unwrap()
}

pub(crate) async fn look(world: &World) -> u32 {
    world.store.look_at_cases(100).await.unwrap()
}

pub(crate) fn state(view: &CaseView, clock: &str) -> ClockState {
    view.clocks.iter().find(|row| row.clock.id.to_string() == clock).unwrap().state
}

pub(crate) async fn organisation(world: &World) {
    let organisation: Organisation = OrganisationFile::parse(ORGANISATION_TOML).unwrap().into();
    world.store.import_organisation(&organisation, "test").await.unwrap();
}

pub(crate) async fn events_in_any_order_make_one_case_file(world: World) {
    let now = world.now().await;
    assert_eq!(world.other.case(&ApplicationId::from("A-1")).await.unwrap(), None);
    for one in [assigned(now), submitted(now), accepted(now), assigned(now)] {
        world.take(&[one]).await;
    }
    assert_eq!(look(&world).await, 1);
    assert_eq!(look(&world).await, 0, "nothing has changed since");
    let view = case(&world).await;
    assert_eq!(view.file.standing, Standing::InReview);
    assert_eq!(view.events.len(), 3);
    assert_eq!(state(&view, "acceptance:1"), ClockState::Met);
    assert_eq!(state(&view, "review:1"), ClockState::Running);
    assert!(view.file.findings.is_empty(), "{:?}", view.file.findings);
}

pub(crate) async fn a_stalled_review_is_told_once_however_many_look(world: World) {
    organisation(&world).await;
    let now = world.now().await;
    assert_eq!(world.take(&[submitted(now), accepted(now), assigned(now)]).await, [const { TakenIn::Accepted }; 3]);
    look(&world).await;
    world.pass(30 * DAY);
    let (one, two) = (world.store.look_at_cases(100), world.other.look_at_cases(100));
    let (one, two) = tokio::join!(one, two);
    assert!(one.unwrap() + two.unwrap() >= 1);
    while look(&world).await > 0 {}
    let open = alerts(&world, Which::Open).await;
    let mut clocks: Vec<&str> = open.iter().map(|one| one.clock.as_str()).collect();
    clocks.sort_unstable();
    assert_eq!(clocks, ["review:1", "step:first:D-SCI:1"]);
    for alert in &open {
        let levels: Vec<String> = alert.raised.iter().map(|rung| rung.level.to_string()).collect();
        assert_eq!(levels, ["due_soon", "overdue", "escalated_1", "escalated_2", "escalated_3"]);
        assert_eq!(world.other.alert(&alert.id).await.unwrap().as_ref(), Some(alert));
    }
    // Each rung went out once.
    let out = world.store.claim_outbox(1_000).await.unwrap();
    let rungs = out.iter().filter(|row| String::from_utf8_lossy(&row.body).contains("supervision.")).count();
    assert_eq!(rungs, 10);
}

pub(crate) async fn a_decision_ends_the_alert_and_it_stays_on_record(world: World) {
    organisation(&world).await;
    let now = world.now().await;
    world.take(&[submitted(now), accepted(now), assigned(now)]).await;
    look(&world).await;
    world.pass(10 * DAY);
    while look(&world).await > 0 {}
    assert_eq!(alerts(&world, Which::Open).await.len(), 2);
    world.take(&[decided(world.now().await)]).await;
    look(&world).await;
    assert_eq!(alerts(&world, Which::Open).await.len(), 1, "the whole review is open still");
    let all = alerts(&world, Which::All).await;
    assert_eq!(all.iter().filter(|one| one.cleared.is_some()).count(), 1);
    assert_eq!(state(&case(&world).await, "step:first:D-SCI:1"), ClockState::MetLate);
}

pub(crate) async fn a_credit_ends_the_clock_of_its_payout(world: World) {
    world.accept([1]).await;
    look(&world).await;
    assert_eq!(state(&case(&world).await, "payout:1"), ClockState::Running);
    world.pay("m-1").await;
    assert_eq!(look(&world).await, 1, "a settled payout is looked at");
    assert_eq!(state(&case(&world).await, "payout:1"), ClockState::Met);
    assert_eq!(look(&world).await, 0);
}

pub(crate) async fn amended_calendars_and_policies_are_looked_at(world: World) {
    let now = world.now().await;
    world.take(&[submitted(now), accepted(now)]).await;
    look(&world).await;
    let deadline = |view: &CaseView| {
        view.clocks.iter().find(|row| row.clock.id.to_string() == "review:1").unwrap().reading.deadline
    };
    let before = deadline(&case(&world).await);
    let year = world.rules().zone.to_datetime(before).year();
    let mut text = "version,test\n".to_owned();
    for year in [year, year + 1] {
        text.push_str(&format!("year,{year},test\n"));
    }
    let mut day = world.rules().zone.to_datetime(now).date();
    for _ in 0..7 {
        day = day.tomorrow().unwrap();
        text.push_str(&format!("off,{day},test\n"));
    }
    world.store.import_calendar(&Calendar::parse(&text).unwrap(), "test").await.unwrap();
    assert_eq!(look(&world).await, 1, "an amendment concerns every open review");
    let amended = case(&world).await;
    assert!(deadline(&amended) > before);
    assert_eq!(amended.calendar_version, "test");
    let review = ReviewTerms { review_working_days: 9, ..ReviewTerms::default() };
    world.store.import_policies(&[], &[zhida_core::steps::Policy { review, ..policy() }], "test").await.unwrap();
    assert_eq!(look(&world).await, 1, "so do new terms of its policy");
    assert!(deadline(&case(&world).await) > deadline(&amended));
}

pub(crate) async fn other_rules_are_looked_by_and_the_same_are_not(world: World) {
    let now = world.now().await;
    world.take(&[submitted(now), accepted(now)]).await;
    world.store.note_rules().await.unwrap();
    assert_eq!(look(&world).await, 1);
    world.other.note_rules().await.unwrap();
    assert_eq!(look(&world).await, 0, "by the same rules there is nothing new");
    let mut rules = world.rules().clone();
    rules.supervision.counting.due_soon_working_days = 2;
    let restarted = world.with_rules(rules).await;
    restarted.store.note_rules().await.unwrap();
    assert_eq!(look(&restarted).await, 1, "other settings concern every open review");
    assert_eq!(look(&restarted).await, 0);
}
