//! What supervision must withstand, as every store does it: imports that concern everything, a year of history at once, a clock
//! that is set back.

use crate::supervising::{DAY, accepted, alerts, assigned, event, officer, organisation, submitted};
use crate::world::World;
use jiff::{SignedDuration, Timestamp};
use zhida_core::case_file::Said;
use zhida_core::ids::PolicyId;
use zhida_core::ports::store::Which;
use zhida_core::steps::Arrival;
use zhida_schemas::review::{Decision, Stage};

async fn look(world: &World, max: u32) -> u32 {
    world.store.look_at_cases(max).await.unwrap()
}

/// How many events of supervision went out since this was last asked.
async fn went_out(world: &World) -> usize {
    let rows = world.store.claim_outbox(10_000).await.unwrap();
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    world.store.outbox_sent(&ids).await.unwrap();
    rows.iter().filter(|row| String::from_utf8_lossy(&row.body).contains("\"supervision.")).count()
}

fn of(number: u32, name: &str, at: Timestamp, said: Said) -> Arrival {
    event(&format!("{name}-{number}"), number, at, said)
}

fn applied(number: u32, at: Timestamp) -> Arrival {
    of(
        number,
        "submitted",
        at,
        Said::Submitted { policy_id: PolicyId::from("P-1"), uscc: format!("U-{number}"), mode: None },
    )
}

/// Whoever imports an organisation concerns every open review; what is due is looked at before all of these.
pub(crate) async fn what_is_due_does_not_wait_for_what_an_import_concerns(world: World) {
    let now = world.now().await;
    world.take(&(1..=4).map(|number| applied(number, now)).collect::<Vec<_>>()).await;
    let ended = Said::Withdrawn { by: "U-4".to_owned(), reason: "of its own accord".to_owned() };
    world.take(&[of(4, "withdrawn", now, ended)]).await;
    assert_eq!(look(&world, 100).await, 4);
    organisation(&world).await;
    assert_eq!(world.figures().await.oldest_case_due, None, "an import makes nothing due");
    world.take(&[of(3, "accepted", now, Said::Accepted(officer()))]).await;
    assert!(world.figures().await.oldest_case_due.is_some());
    assert_eq!(look(&world, 1).await, 1);
    assert_eq!(world.figures().await.oldest_case_due, None, "the event was looked at first");
    let (one, two) = tokio::join!(world.store.look_at_cases(1), world.other.look_at_cases(1));
    assert_eq!((one.unwrap() + two.unwrap(), look(&world, 100).await), (2, 0), "the two that are open, and no other");
}

pub(crate) async fn a_year_of_history_is_recorded_and_not_sent(world: World) {
    organisation(&world).await;
    let now = world.now().await;
    let mut history = Vec::new();
    for month in 1..=12 {
        let at = |days: i32| now - DAY * (31 * i32::try_from(month).unwrap()) + DAY * days;
        let (by, stage, decision) = (officer(), Stage::First, Decision::Approve);
        history.extend([
            applied(month, at(0)),
            of(month, "accepted", at(0), Said::Accepted(officer())),
            of(month, "assigned", at(1), Said::Assigned { to: officer(), stage, due_working_days: Some(1) }),
            of(month, "decided", at(15), Said::Decided { by, stage, decision, reason: None, return_to: None }),
            of(month, "rejected", at(20), Said::Rejected { by: "O-101".to_owned(), reason: "late".to_owned() }),
        ]);
    }
    // In an order of its own, and looked at all the while.
    history.sort_by_key(|one| one.event_id.bytes().rev().collect::<Vec<_>>());
    for some in history.chunks(7) {
        world.take(some).await;
        while look(&world, 5).await > 0 {}
    }
    for _ in 0..2 {
        assert_eq!(alerts(&world, Which::Open).await, []);
        let recorded = alerts(&world, Which::All).await;
        assert_eq!(recorded.iter().filter(|alert| alert.is_red()).count(), 24, "step and review of each were late");
        assert!(recorded.iter().flat_map(|alert| &alert.raised).all(|rung| rung.told.is_empty()), "nobody is told");
        assert_eq!(went_out(&world).await, 0);
        world.pass(DAY);
        while look(&world, 100).await > 0 {}
    }
}

pub(crate) async fn a_clock_that_is_set_back_unsees_nothing(world: World) {
    organisation(&world).await;
    let now = world.now().await;
    world.take(&[submitted(now), accepted(now), assigned(now)]).await;
    look(&world, 100).await;
    world.pass(DAY * 30);
    while look(&world, 100).await > 0 {}
    let raised = alerts(&world, Which::Open).await;
    assert_eq!((raised.len(), went_out(&world).await), (2, 10));
    world.pass(-SignedDuration::from_hours(3));
    world.take(&[of(1, "noted", now, Said::SupplementReceived)]).await;
    look(&world, 100).await;
    assert_eq!((alerts(&world, Which::Open).await, went_out(&world).await), (raised.clone(), 0));
    world.pass(SignedDuration::from_hours(4));
    while look(&world, 100).await > 0 {}
    assert_eq!((alerts(&world, Which::Open).await, went_out(&world).await), (raised, 0));
}
