//! The running worker: acknowledged is only what is durable, and what cannot be made durable goes back.

use crate::world::{Pauses, Queue, Told, World, execute};
use std::sync::Arc;
use tokio::sync::watch;
use zhida_core::ports::store::ReadStore as _;
use zhida_core::ports::time::Time;
use zhida_intake::{DeadLetterWriter, IntakeWorker, run, run_dead_letters};
use zhida_monitoring::Metrics;

fn worker(world: &World, time: impl Time + 'static) -> IntakeWorker {
    let metrics = Arc::new(Metrics::new("0.0.0").unwrap());
    IntakeWorker { door: world.door.clone(), time: Arc::new(time), batch_max: 10, metrics }
}

fn nothing_happens() -> Pauses {
    Pauses::new(Box::new(|_| Box::pin(async {})))
}

fn bytes(event: &serde_json::Value) -> Vec<u8> {
    event.to_string().into_bytes()
}

#[tokio::test]
async fn a_batch_is_acknowledged_when_every_message_of_it_is_durable() {
    let world = World::new().await;
    // The act stands before the approval it is about: it is done last. What cannot be read is put aside first.
    let approval = bytes(&world.approval("A-1"));
    let first = vec![bytes(&world.hold("act-1", "A-1")), approval.clone(), b"noise".to_vec()];
    let second = vec![approval, bytes(&world.approval("A-2"))];
    let (queue, told, mut empty) = Queue::of(&world, vec![first, second]);
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(run(worker(&world, nothing_happens()), Box::new(queue), stopped));
    empty.wait_for(|empty| *empty).await.unwrap();
    stop.send_replace(true);
    running.await.unwrap();
    let expected = [Told::Acknowledged(vec![1, 2, 3], (1, 1)), Told::Acknowledged(vec![4, 5], (2, 1)), Told::Closed];
    assert_eq!(*told.lock().unwrap(), expected);
    assert_eq!(world.store.payouts_of(&"A-1".into()).await.unwrap()[0].state().code(), "held", "by the act");
}

#[tokio::test]
async fn a_store_that_is_away_is_waited_for_and_nothing_is_acknowledged_before() {
    let world = World::new().await;
    world.execute("alter table inbox rename to away").await;
    let path = world.path();
    let mended = Pauses::new(Box::new(move |number| {
        let path = path.clone();
        Box::pin(async move {
            if number == 3 {
                execute(&path, "alter table away rename to inbox").await;
            }
        })
    }));
    let (queue, told, mut empty) = Queue::of(&world, vec![vec![bytes(&world.approval("A-1")), b"noise".to_vec()]]);
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(run(worker(&world, mended), Box::new(queue), stopped));
    empty.wait_for(|empty| *empty).await.unwrap();
    stop.send_replace(true);
    running.await.unwrap();
    assert_eq!(*told.lock().unwrap(), [Told::Acknowledged(vec![1, 2], (1, 1)), Told::Closed]);
}

#[tokio::test]
async fn what_could_not_be_taken_in_goes_back_when_the_process_drains() {
    let world = World::new().await;
    world.execute("alter table inbox rename to away").await;
    let (stop, stopped) = watch::channel(false);
    let draining = Pauses::new(Box::new(move |number| {
        if number == 2 {
            stop.send_replace(true);
        }
        Box::pin(async {})
    }));
    let (queue, told, _) =
        Queue::of(&world, vec![vec![bytes(&world.approval("A-1"))], vec![bytes(&world.approval("A-2"))]]);
    run(worker(&world, draining), Box::new(queue), stopped).await;
    assert_eq!(*told.lock().unwrap(), [Told::GivenBack(vec![1]), Told::Closed], "and the next is not begun");
    world.execute("alter table away rename to inbox").await;
    assert_eq!(world.durable().await, (0, 0));
}

#[tokio::test]
async fn a_store_that_stays_away_gets_its_batch_another_time() {
    let world = World::new().await;
    world.execute("alter table inbox rename to away").await;
    let (queue, told, mut empty) = Queue::of(&world, vec![vec![bytes(&world.approval("A-1"))]]);
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(run(worker(&world, nothing_happens()), Box::new(queue), stopped));
    // After a quarter of an hour of pauses, before the broker loses its patience.
    empty.wait_for(|empty| *empty).await.unwrap();
    stop.send_replace(true);
    running.await.unwrap();
    assert_eq!(*told.lock().unwrap(), [Told::GivenBack(vec![1]), Told::Closed]);
}

#[tokio::test]
async fn dead_letters_are_kept_unread_before_they_are_acknowledged() {
    let world = World::new().await;
    let (queue, told, mut empty) =
        Queue::of(&world, vec![vec![bytes(&world.approval("A-1")), b"\xff\0noise".to_vec()]]);
    let (stop, stopped) = watch::channel(false);
    let writer = DeadLetterWriter { worker: worker(&world, nothing_happens()) };
    let running = tokio::spawn(run_dead_letters(writer, Box::new(queue), stopped));
    empty.wait_for(|empty| *empty).await.unwrap();
    stop.send_replace(true);
    running.await.unwrap();
    assert_eq!(*told.lock().unwrap(), [Told::Acknowledged(vec![1, 2], (0, 2)), Told::Closed]);
    assert_eq!(world.reasons().await, ["delivered_too_often", "delivered_too_often"]);
    assert!(world.store.payouts_of(&"A-1".into()).await.unwrap().is_empty(), "nothing of it is taken in");
}
