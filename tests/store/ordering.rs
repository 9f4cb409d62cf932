//! What people do about alerts: acknowledge them, issue orders, answer and close them; each once, whoever else does the same.

use crate::supervising::{accepted, alerts, assigned, case, look, organisation, state, submitted};
use crate::world::{World, operator, signed};
use jiff::SignedDuration;
use zhida_core::case_file::ClockState;
use zhida_core::ids::{OfficerId, OrderId};
use zhida_core::ports::orders::OrderFilter;
use zhida_core::ports::store::{Acted, Which};
use zhida_core::steps::{ActOutcome, ActRefused, Role};
use zhida_core::supervision::{
    Alert, Audience, NewOrder, NotAcknowledged, Occasion, Order, OrderState, SupervisionAct, SupervisionRefused,
};

const DAY: SignedDuration = SignedDuration::from_hours(24);

const DONE: Acted = Acted::Done(ActOutcome::Done);

/// A review that stalls for a working week, in a district with people who may act; its alert about the whole review.
pub(crate) async fn stalled(world: &World) -> Alert {
    organisation(world).await;
    for (id, role) in [
        ("O-201", Role::Officer),
        ("O-951", Role::Supervisor),
        ("O-952", Role::Supervisor),
        ("O-971", Role::Inspector),
        ("O-972", Role::Inspector),
    ] {
        world.store.put_operator(&operator(id, role), "test").await.unwrap();
    }
    let now = world.now().await;
    world.take(&[submitted(now), accepted(now), assigned(now)]).await;
    look(world).await;
    world.pass(10 * DAY);
    while look(world).await > 0 {}
    open_step(world).await
}

async fn open_step(world: &World) -> Alert {
    let open = alerts(world, Which::Open).await;
    open.into_iter().find(|one| one.clock.starts_with("step:")).expect("the step is late")
}

fn acknowledge(alert: &Alert) -> SupervisionAct {
    SupervisionAct::Acknowledge { alert_id: alert.id.clone(), working_hours: 8 }
}

fn issue(alert: &Alert) -> SupervisionAct {
    let (occasion, addressee) = (Occasion::Alert(alert.id.clone()), OfficerId::from("O-201"));
    SupervisionAct::IssueOrder(NewOrder { occasion, addressee, working_days: 2 })
}

fn reply() -> SupervisionAct {
    SupervisionAct::ReplyOrder { order_id: "SO-1".to_owned(), measure: "done by Friday".to_owned() }
}

async fn orders(world: &World, which: Which, audiences: &[Audience]) -> Vec<Order> {
    let filter = OrderFilter { which, audiences: audiences.to_vec(), addressees: None, limit: 100 };
    world.other.orders(&filter).await.unwrap()
}

fn refusal(acted: &Acted) -> &SupervisionRefused {
    match acted {
        Acted::Refused(ActRefused::Supervision(refused)) => refused,
        other => panic!("{other:?} is no refusal of supervision"),
    }
}

pub(crate) async fn an_alert_acknowledged_twice_at_once_is_acknowledged_once(world: World) {
    let alert = stalled(&world).await;
    let (one, two) = (signed("k-1", "O-971", acknowledge(&alert)), signed("k-2", "O-972", acknowledge(&alert)));
    let (one, two) = tokio::join!(world.store.act(&one), world.other.act(&two));
    let both = [one.unwrap(), two.unwrap()];
    assert_eq!(both.iter().filter(|acted| **acted == DONE).count(), 1, "{both:?}");
    let refused = both.iter().find(|acted| **acted != DONE).unwrap();
    assert!(
        matches!(refusal(refused), SupervisionRefused::NotAcknowledged(NotAcknowledged::Already { .. })),
        "{refused:?}"
    );
    let alert = world.other.alert(&alert.id).await.unwrap().unwrap();
    assert_eq!(alert.acknowledged.len(), 1);
    // A look keeps it, and the clock runs on.
    world.pass(DAY);
    while look(&world).await > 0 {}
    assert_eq!(world.other.alert(&alert.id).await.unwrap().unwrap().acknowledged.len(), 1);
    assert_eq!(state(&case(&world).await, "step:first:D-SCI:1"), ClockState::Overdue);
    let story = world.other.trace(&alert.application_id).await.unwrap();
    assert_eq!(story.iter().filter(|row| row.kind == "alert.acknowledged").count(), 1);
    assert_eq!(story.iter().filter(|row| row.kind == "operator.refused").count(), 1);
}

pub(crate) async fn nobody_acknowledges_for_those_above(world: World) {
    let alert = stalled(&world).await;
    assert_eq!(alert.level().to_string(), "escalated_3", "it has climbed to discipline inspection");
    for who in ["O-201", "O-951"] {
        let acted = world.act(who, acknowledge(&alert)).await;
        assert!(
            matches!(refusal(&acted), SupervisionRefused::NotAcknowledged(NotAcknowledged::NotTheirs { .. })),
            "{who}: {acted:?}"
        );
    }
    assert!(matches!(refusal(&world.act("O-971", issue_of_nothing()).await), SupervisionRefused::NoSuchAlert(_)));
    world.done("O-971", acknowledge(&alert)).await;
}

fn issue_of_nothing() -> SupervisionAct {
    let (occasion, addressee) = (Occasion::Alert("AL-NOBODY".to_owned()), OfficerId::from("O-201"));
    SupervisionAct::IssueOrder(NewOrder { occasion, addressee, working_days: 2 })
}

pub(crate) async fn an_order_is_answered_and_closed(world: World) {
    let alert = stalled(&world).await;
    let one = signed("i-1", "O-951", issue(&alert));
    assert_eq!(world.store.act(&one).await.unwrap(), DONE);
    assert_eq!(world.other.act(&one).await.unwrap(), Acted::Duplicate, "the same act again is one order");
    world.done("O-952", issue(&alert)).await;
    let listed = orders(&world, Which::Open, &[Audience::Supervision]).await;
    assert_eq!(listed.iter().map(|order| order.id).collect::<Vec<_>>(), [OrderId(2), OrderId(1)], "newest first");
    assert_eq!(orders(&world, Which::Open, &[Audience::Inspection]).await, []);
    let of = |to: &str| OrderFilter {
        which: Which::All,
        audiences: Audience::ALL.to_vec(),
        addressees: Some(vec![OfficerId::from(to)]),
        limit: 1,
    };
    assert_eq!(world.other.orders(&of("O-201")).await.unwrap().len(), 1, "as many as were asked for");
    assert_eq!(world.other.orders(&of("O-102")).await.unwrap(), []);
    assert!(matches!(refusal(&world.act("O-952", reply()).await), SupervisionRefused::NotTheAddressee { .. }));
    world.done("O-201", reply()).await;
    assert_eq!(world.other.order(OrderId(1)).await.unwrap().unwrap().state(), OrderState::Replied);
    world.done("O-952", SupervisionAct::ReturnOrder { order_id: "SO-1".to_owned(), working_days: 1 }).await;
    assert_eq!(world.other.order(OrderId(1)).await.unwrap().unwrap().state(), OrderState::Issued);
    world.done("O-201", reply()).await;
    let close = SupervisionAct::CloseOrder { order_id: "SO-1".to_owned() };
    world.done("O-951", close.clone()).await;
    assert!(matches!(refusal(&world.act("O-951", close).await), SupervisionRefused::Closed(OrderId(1))));
    assert_eq!(orders(&world, Which::Open, &[Audience::Supervision]).await.len(), 1);
    assert_eq!(orders(&world, Which::All, &[Audience::Supervision]).await.len(), 2);
    let story = world.other.trace(&alert.application_id).await.unwrap();
    let kinds: Vec<&str> =
        story.iter().map(|row| row.kind.as_str()).filter(|kind| kind.starts_with("order.")).collect();
    let expected = ["issued", "issued", "replied", "returned", "replied", "closed"];
    assert_eq!(kinds, expected.map(|step| format!("order.{step}")));
}

pub(crate) async fn an_unanswered_order_rings_until_it_is_answered(world: World) {
    let alert = stalled(&world).await;
    world.done("O-951", issue(&alert)).await;
    look(&world).await;
    assert_eq!(state(&case(&world).await, "order:1"), ClockState::Running);
    world.pass(15 * DAY);
    while look(&world).await > 0 {}
    let late = alerts(&world, Which::Open).await.into_iter().find(|one| one.clock == "order:1").unwrap();
    assert_eq!(late.officer_id, Some(OfficerId::from("O-201")));
    assert!(late.raised.len() >= 4, "it climbs the ladder of its addressee: {late:?}");
    world.done("O-201", reply()).await;
    look(&world).await;
    assert!(world.other.alert(&late.id).await.unwrap().unwrap().cleared.is_some());
    assert_eq!(state(&case(&world).await, "order:1"), ClockState::MetLate);
}

pub(crate) async fn orders_issued_at_once_have_numbers_of_their_own(world: World) {
    let alert = stalled(&world).await;
    let acts: Vec<_> = (1..=6).map(|n| signed(&format!("i-{n}"), "O-951", issue(&alert))).collect();
    let (one, two) = (&world.store, &world.other);
    let [a, b, c, d, e, f] = [0, 1, 2, 3, 4, 5].map(|n| if n % 2 == 0 { one.act(&acts[n]) } else { two.act(&acts[n]) });
    let (a, b, c, d, e, f) = tokio::join!(a, b, c, d, e, f);
    for acted in [a, b, c, d, e, f] {
        assert_eq!(acted.unwrap(), DONE);
    }
    let mut numbers: Vec<u32> =
        orders(&world, Which::All, &[Audience::Supervision]).await.iter().map(|order| order.id.0).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
}
