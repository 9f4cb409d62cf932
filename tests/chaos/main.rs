//! Processes of the real binary on real servers, killed at random: every approval is credited once, whatever dies. Not timed;
//! `ZHIDA_CHAOS_APPROVALS` and `ZHIDA_CHAOS_SEED` make it longer or repeat a run.

// A test may fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod district;
mod notices;
mod obstacles;
mod world;

use world::World;
use zhida_sandbox::{AnswerFault, CallFault, Chance, Fault, TransferFault};

fn approvals(default: usize) -> usize {
    std::env::var("ZHIDA_CHAOS_APPROVALS").map_or(default, |text| text.parse().expect("a number of approvals"))
}

fn seed() -> u64 {
    std::env::var("ZHIDA_CHAOS_SEED").map_or(1, |text| text.parse().expect("a seed"))
}

/// A bank that lies about one call in four, and settles everything in the end.
fn lying_bank() -> Vec<Chance> {
    let chance = |fault, per_mille| Chance { fault, per_mille };
    vec![
        chance(Fault::Answer(AnswerFault::PayHang), 20),
        chance(Fault::Answer(AnswerFault::PayStatus { status: 500 }), 50),
        chance(Fault::Answer(AnswerFault::PayReset), 50),
        chance(Fault::Answer(AnswerFault::PayGarbage), 30),
        chance(Fault::Call(CallFault::Reset), 30),
        chance(Fault::Call(CallFault::Status { status: 503, retry_after_seconds: None }), 30),
        chance(Fault::Call(CallFault::Status { status: 429, retry_after_seconds: Some(1) }), 30),
        chance(Fault::Transfer(TransferFault::PayUnnamed), 20),
        chance(Fault::Transfer(TransferFault::PayUnseen { enquiries: 1 }), 10),
        chance(Fault::Transfer(TransferFault::Pend { enquiries: Some(1) }), 30),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_processes_killed_at_random_pay_everything_once() {
    let count = approvals(300);
    let mut dice = fastrand::Rng::with_seed(seed());
    eprintln!("{count} approvals, ZHIDA_CHAOS_SEED={}", seed());
    let mut world = World::start(lying_bank(), seed()).await;
    world.start_processes(3);
    let events = world.district.approvals(count);
    // A review system keeps an event until the broker has it; here some are handed in twice, by two publishers.
    world.publish(&events).await;
    world.publish(&events[..count / 3]).await;
    for step in 1..=6 {
        world.until_credited(count * step / 8).await;
        match (step, dice.usize(..3)) {
            (2, _) => world.broker_killed_and_back().await,
            (4, _) => world.database_killed_and_back().await,
            (_, victim) => world.kill_and_replace(victim),
        }
    }
    world.until_settled(count).await;
    world.everything_was_paid_once(&events);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drained_process_leaves_nothing_behind_and_another_goes_on() {
    let count = 60;
    let mut world = World::start(Vec::new(), 1).await;
    world.start_processes(1);
    let events = world.district.approvals(count);
    world.publish(&events).await;
    world.until_credited(1).await;
    world.drain(0);
    world.start_processes(1);
    world.until_settled(count).await;
    world.everything_was_paid_once(&events);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_broker_costs_time_and_no_money() {
    let count = 60;
    let mut world = World::start(Vec::new(), 1).await;
    world.start_processes(1);
    let events = world.district.approvals(count);
    world.publish(&events).await;
    world.until_credited(1).await;
    world.broker_emptied_and_back().await;
    // What the broker had lost before it was taken in, its sender still has: it hands everything in again.
    world.publish(&events).await;
    world.until_settled(count).await;
    world.everything_was_paid_once(&events);
}
