//! One member of a batch that the database refuses, or whose payout it cannot read: the others are taken in.

use crate::world::World;
use zhida_core::ports::door::{EventDoor as _, Handed, Raw};
use zhida_core::ports::store::ReadStore as _;

fn raw(event: &serde_json::Value) -> Raw {
    Raw { body: event.to_string().into_bytes(), routing_key: None, way: "http" }
}

fn word(handed: &Handed) -> &str {
    match handed {
        Handed::Accepted => "accepted",
        Handed::Duplicate => "duplicate",
        Handed::Acted(_) => "acted",
        Handed::Refused(_) => "refused",
        Handed::Quarantined(item) => &item.reason_code,
    }
}

#[tokio::test]
async fn one_refused_row_is_quarantined_and_the_others_are_taken_in() {
    let world = World::new().await;
    world.door.hand_in(&[raw(&world.approval("A-0"))]).await.unwrap();
    // From now on no payout of A-2 can be written beside that of A-0.
    let refusal = "create unique index refusal on payouts (policy_id) where application_id in ('A-0', 'A-2')";
    world.execute(refusal).await;
    let events = ["A-1", "A-2", "A-3"].map(|id| raw(&world.approval(id)));
    let handed = world.door.hand_in(&events).await.unwrap();
    assert_eq!(handed.iter().map(word).collect::<Vec<_>>(), ["accepted", "not_storable", "accepted"]);
    assert_eq!(world.reasons().await, ["not_storable"]);
    world.execute("drop index refusal").await;
    let handed = world.door.hand_in(&events).await.unwrap();
    assert_eq!(handed.iter().map(word).collect::<Vec<_>>(), ["duplicate", "accepted", "duplicate"]);
}

#[tokio::test]
async fn an_unreadable_payout_stops_only_what_concerns_it() {
    let world = World::new().await;
    let approvals = ["A-1", "A-2"].map(|id| raw(&world.approval(id)));
    world.door.hand_in(&approvals).await.unwrap();
    world.execute("update payouts set holds = '{' where application_id = 'A-1'").await;
    let events = [world.hold("act-1", "A-1"), world.hold("act-2", "A-2"), world.approval("A-1"), world.approval("A-3")];
    let handed = world.door.hand_in(&events.map(|event| raw(&event))).await.unwrap();
    let words: Vec<&str> = handed.iter().map(word).collect();
    assert_eq!(words, ["not_storable", "acted", "not_storable", "accepted"]);
    let Handed::Quarantined(item) = &handed[0] else { panic!("{handed:?}") };
    assert!(item.reason.contains("payouts A-1") && item.reason.contains("holds"), "{}", item.reason);
    assert_eq!(world.store.payouts_of(&"A-2".into()).await.unwrap()[0].state().code(), "held");
}
