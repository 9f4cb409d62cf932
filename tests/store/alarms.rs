//! What rings is listed and stands in the story of its application; what keeps everything from being sent is told.

use crate::world::{World, key};
use zhida_core::ids::InstructionId;
use zhida_core::money::Fen;
use zhida_core::obstacle::Obstacle;
use zhida_core::payout::{AlarmKind, Carrier, Word};
use zhida_core::ports::store::AlarmFilter;
use zhida_core::steps::Act;

async fn kinds(world: &World, filter: AlarmFilter) -> Vec<&'static str> {
    let listed = world.store.alarms(&filter).await.unwrap();
    assert!(listed.is_sorted_by(|one, next| one.at >= next.at), "newest first");
    listed.iter().map(|entry| entry.alarm.kind.code()).collect()
}

pub(crate) async fn what_rings_is_listed_and_stands_in_the_story(world: World) {
    world.accept([1, 2]).await;
    world.hear(&InstructionId::from("NOBODY-KNOWS-IT"), Word::OnTheWay, Carrier::Pushed).await;
    let mut other = world.award(1).await;
    other.account = "4000020109000000777".to_owned();
    other.event = "another".to_owned();
    world.take(&[other.arrival()]).await;
    let all = AlarmFilter { limit: 100, ..AlarmFilter::default() };
    assert_eq!(kinds(&world, all.clone()).await, ["approval_conflict", "unknown_instruction"]);
    assert_eq!(kinds(&world, AlarmFilter { limit: 1, ..all.clone() }).await, ["approval_conflict"]);
    let of_kind = AlarmFilter { kind: Some(AlarmKind::UnknownInstruction), ..all.clone() };
    assert_eq!(kinds(&world, of_kind).await, ["unknown_instruction"]);
    let about = |number| AlarmFilter { application_id: Some(key(number).application_id), ..all.clone() };
    assert_eq!(kinds(&world, about(1)).await, ["approval_conflict"]);
    assert_eq!(kinds(&world, about(2)).await, [""; 0]);
    let story = world.store.trace(&key(1).application_id).await.unwrap();
    let rang: Vec<_> = story.iter().filter(|entry| entry.kind == "alarm.approval_conflict").collect();
    assert!(rang.len() == 1 && rang[0].detail["text"].is_string() && rang[0].by == "system", "{story:?}");
    assert!(story.is_sorted_by_key(|entry| entry.sequence), "{story:?}");
    let silent = world.store.trace(&key(2).application_id).await.unwrap();
    assert!(silent.iter().all(|entry| !entry.kind.starts_with("alarm.")), "{silent:?}");
}

pub(crate) async fn what_keeps_sending_back_is_told(world: World) {
    world.accept([1, 2, 3]).await;
    let obstacle = async |number: u32| Obstacle::of(&world.payout(number).await, &world.store.sending().await.unwrap());
    assert_eq!(obstacle(3).await, None);
    world.pay("M-1").await;
    let sending = world.store.sending().await.unwrap();
    assert_eq!((sending.spent.this_hour, sending.limits.per_hour), (Fen(20_000), Some(25_000)));
    assert_eq!(obstacle(3).await, Some(Obstacle::UsedUp("limits.per_hour")));
    assert_eq!(obstacle(1).await, None, "it is settled and waits for nothing");
    world.done("O-1", Act::Stop).await;
    let stopped = obstacle(3).await;
    assert!(matches!(&stopped, Some(Obstacle::Stopped { by, since: Some(_), .. }) if by.0 == "O-1"), "{stopped:?}");
}
