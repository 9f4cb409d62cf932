//! The worker's hands: which calls are made of errands and which are not, how many at once, and that what was learnt is booked, also at the
//! end. What follows from it is tested in the core and in the stores.

#![allow(clippy::unwrap_used, clippy::unimplemented)] // a failing unwrap is the finding; the worker uses a few methods of its store

mod scenery;

use scenery::{Bell, Desk, Folder, Vendor, ask, hands, mail, sms, worker};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use zhida_core::ports::notices::ErrandEnd;
use zhida_core::ports::sms::{AskOutcome, SendOutcome};
use zhida_notice::{bounces_once, notice_once, run};

fn outcome(end: &ErrandEnd) -> String {
    match end {
        ErrandEnd::Sent { out_id, outcome, .. } => match outcome {
            SendOutcome::Accepted { .. } => format!("{out_id} accepted"),
            SendOutcome::Doubtful { .. } => format!("{out_id} doubtful"),
            other => format!("{out_id} {other:?}"),
        },
        ErrandEnd::NotMade { out_id, .. } => format!("{out_id} not made"),
        ErrandEnd::Asked { out_id, outcome, .. } => match outcome {
            AskOutcome::NotFound => format!("{out_id} not found"),
            AskOutcome::NoAnswer { .. } => format!("{out_id} no answer"),
            other => format!("{out_id} {other:?}"),
        },
    }
}

#[tokio::test(start_paused = true)]
async fn an_errand_is_one_call_and_its_end_is_booked() {
    let (desk, main) = (Desk::new(), Vendor::new());
    desk.due([sms("main", "a"), sms("gone", "b"), mail("c-m1"), ask("main", "d"), ask("gone", "e"), ask("mail", "f")]);
    let hands = hands([("main", main.clone())]);
    assert_eq!(notice_once(&*desk, &hands, 10).await.unwrap(), 6);
    let booked: Vec<String> = desk.booked().iter().map(outcome).collect();
    assert_eq!(booked, ["a accepted", "b not made", "c-m1 not made", "d not found", "e no answer", "f NotOffered"]);
    assert_eq!(main.calls(), ["send a", "ask d"]);
    let shown = hands.metrics.render();
    for line in [
        "zhida_notice_calls_total{outcome=\"accepted\",provider=\"main\"} 1",
        "zhida_notice_calls_total{outcome=\"not_made\",provider=\"gone\"} 1",
        "zhida_notice_calls_total{outcome=\"not_found\",provider=\"main\"} 1",
        "zhida_notice_asked_to_sent_seconds_count 1",
        "zhida_notice_asked_to_sent_seconds_sum 3",
    ] {
        assert!(shown.lines().any(|one| one == line), "{line} in {shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_call_begins_that_could_outlive_its_lease() {
    let (desk, main) = (Desk::new(), Vendor::new());
    let mut hands = hands([("main", main.clone())]);
    hands.lease = Duration::from_secs(12);
    desk.due([sms("main", "a")]);
    notice_once(&*desk, &hands, 10).await.unwrap();
    assert_eq!(desk.booked().iter().map(outcome).collect::<Vec<_>>(), ["a not made"], "10 s and a margin of 2 s");
    assert_eq!(main.calls(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_does_not_end_is_doubtful() {
    let (desk, main) = (Desk::new(), Vendor::new());
    main.hangs();
    desk.due([sms("main", "a"), ask("main", "b")]);
    notice_once(&*desk, &hands([("main", main)]), 10).await.unwrap();
    assert_eq!(desk.booked().iter().map(outcome).collect::<Vec<_>>(), ["a doubtful", "b no answer"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_learnt_is_booked_with_patience() {
    let desk = Desk::new();
    desk.refuses_bookings(3);
    desk.due([sms("main", "a")]);
    notice_once(&*desk, &hands([("main", Vendor::new())]), 10).await.unwrap();
    assert_eq!(desk.booked().len(), 1);
    desk.refuses_bookings(100);
    desk.due([sms("main", "b")]);
    assert!(notice_once(&*desk, &hands([("main", Vendor::new())]), 10).await.is_err(), "left to its lease");
}

#[tokio::test(start_paused = true)]
async fn what_is_made_is_sent_while_more_is_made_and_a_drain_waits_for_no_more() {
    let (desk, main, bell) = (Desk::new(), Vendor::new(), Bell::new());
    // More than will ever be made.
    desk.asked(u32::MAX);
    let (stop, stopped) = watch::channel(false);
    let mut worker = worker(&desk, &main, 4);
    worker.every = Duration::from_secs(3600);
    let before = tokio::time::Instant::now();
    let running = tokio::spawn(run(worker, Box::new(bell), stopped));
    desk.until_booked(3).await;
    assert!(before.elapsed() < Duration::from_secs(60), "long before the sweep");
    stop.send_replace(true);
    running.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_running_worker_sends_at_most_so_many_at_once_and_finishes_what_it_has_begun() {
    let (desk, main, bell) = (Desk::new(), Vendor::new(), Bell::new());
    main.waits_to_be_released();
    desk.due((0..9).map(|number| sms("main", &format!("n{number}"))));
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(run(worker(&desk, &main, 2), Box::new(bell.clone()), stopped));
    main.until_under_way(2).await;
    main.release(1);
    main.until_under_way(3).await;
    assert_eq!(main.most_at_once(), 2);
    // Two are under way; what waits for a place is left, and certainly not sent.
    stop.send_replace(true);
    main.release(100);
    running.await.unwrap();
    let booked: Vec<String> = desk.booked().iter().map(outcome).collect();
    assert_eq!(booked.iter().filter(|end| end.ends_with(" accepted")).count(), 3, "{booked:?}");
    assert_eq!(main.calls().len(), 3, "{booked:?}");
    assert!(
        booked.iter().filter(|end| !end.ends_with(" accepted")).all(|end| end.ends_with(" not made")),
        "{booked:?}"
    );
    assert_eq!(desk.taken(), booked.len(), "everything that was taken has its end");
}

#[tokio::test(start_paused = true)]
async fn a_doorbell_wakes_it_and_without_one_the_sweep_does() {
    let (desk, main, bell) = (Desk::new(), Vendor::new(), Bell::new());
    let (stop, stopped) = watch::channel(false);
    let mut worker = worker(&desk, &main, 4);
    worker.every = Duration::from_secs(3600);
    let metrics = worker.hands.metrics.clone();
    let running = tokio::spawn(run(worker, Box::new(bell.clone()), stopped));
    desk.has_been_asked(1).await;
    assert_eq!(desk.looks(), 1, "ceilings may be higher than before");
    desk.due([sms("main", "rung")]);
    let before = tokio::time::Instant::now();
    bell.ring();
    main.until_under_way(1).await;
    assert!(before.elapsed() < Duration::from_secs(60), "long before the sweep");
    desk.due([sms("main", "swept")]);
    main.until_under_way(2).await;
    assert!(before.elapsed() > Duration::from_secs(60), "nobody rang");
    stop.send_replace(true);
    running.await.unwrap();
    for sweep in ["notices", "notice_requests"] {
        assert!(metrics.render().contains(&format!("zhida_sweep_interval_seconds{{sweep=\"{sweep}\"}} 3600")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_followed_up_at_once() {
    let (desk, main, bell) = (Desk::new(), Vendor::new(), Bell::new());
    main.refuses_connections();
    let (stop, stopped) = watch::channel(false);
    let mut worker = worker(&desk, &main, 4);
    worker.every = Duration::from_secs(3600);
    desk.due([sms("main", "a")]);
    let desk_of_next = Arc::clone(&desk);
    desk.then_due(move || desk_of_next.due([sms("main", "a-2")]));
    let before = tokio::time::Instant::now();
    let running = tokio::spawn(run(worker, Box::new(bell), stopped));
    main.until_under_way(2).await;
    assert!(before.elapsed() < Duration::from_secs(60), "the other way is taken at once");
    stop.send_replace(true);
    running.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn bounces_are_booked_before_they_are_put_away() {
    let (desk, folder) = (Desk::new(), Folder::with(&["a-m1", "b-m1", "c-m2"]));
    desk.refuses_bookings(1);
    assert!(bounces_once(&*desk, &*folder, 2).await.is_err());
    assert_eq!(folder.holds().len(), 3, "what was not booked is read again");
    assert_eq!(bounces_once(&*desk, &*folder, 2).await.unwrap().booked, 2);
    assert_eq!(
        (folder.holds(), desk.receipts()),
        (vec!["c-m2".to_owned()], ["mail a-m1", "mail b-m1"].map(str::to_owned).to_vec())
    );

    let (bell, main) = (Bell::new(), Vendor::new());
    let (stop, stopped) = watch::channel(false);
    let mut worker = worker(&desk, &main, 2);
    worker.bounces = Some(folder.clone());
    let metrics = worker.hands.metrics.clone();
    let running = tokio::spawn(run(worker, Box::new(bell), stopped));
    desk.has_been_asked(3).await;
    stop.send_replace(true);
    running.await.unwrap();
    assert_eq!(folder.holds(), [""; 0]);
    assert!(metrics.render().contains("zhida_notice_receipts_total{outcome=\"booked\",provider=\"mail\"} 1"));
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_is_booked_however_long_it_takes_to_find_more() {
    let (desk, main, bell) = (Desk::new(), Vendor::new(), Bell::new());
    desk.answers_only(1);
    desk.due([sms("main", "a")]);
    main.waits_to_be_released();
    let (booked, is_booked) = oneshot::channel();
    desk.then_due(move || booked.send(()).unwrap());
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(run(worker(&desk, &main, 4), Box::new(bell), stopped));
    desk.has_been_asked(2).await;
    main.release(1);
    is_booked.await.unwrap();
    assert_eq!(desk.booked().iter().map(outcome).collect::<Vec<_>>(), ["a accepted"]);
    stop.send_replace(true);
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn what_ends_at_about_the_same_time_is_booked_together() {
    let (desk, main, bell) = (Desk::new(), Vendor::new(), Bell::new());
    main.waits_to_be_released();
    desk.due((0..4).map(|number| sms("main", &format!("n{number}"))));
    let (stop, stopped) = watch::channel(false);
    let worker = worker(&desk, &main, 4);
    let time = worker.hands.time.clone();
    let running = tokio::spawn(run(worker, Box::new(bell), stopped));
    main.until_under_way(4).await;
    // The first one comes alone, and is tried again in a fifth of a second; meanwhile two more end.
    desk.refuses_bookings(1);
    main.release(1);
    desk.until_bookings_begun(1).await;
    main.release(2);
    desk.until_booked(1).await;
    // The last one a moment after the two of them.
    time.pause(Duration::from_millis(5)).await;
    main.release(1);
    desk.until_booked(4).await;
    assert_eq!(desk.most_booked(), 3);
    stop.send_replace(true);
    running.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn more_is_taken_ahead_while_it_goes_fast_and_the_rest_is_left_when_calls_fail() {
    let (desk, main, bell) = (Desk::new(), Vendor::new(), Bell::new());
    desk.due((0..60).map(|number| sms("main", &format!("n{number}"))));
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(run(worker(&desk, &main, 2), Box::new(bell.clone()), stopped));
    main.until_under_way(60).await;
    assert!(main.most_at_once() <= 2, "never more at once");
    assert!((3..=8).contains(&desk.most_taken()), "up to four times as many in hand: {}", desk.most_taken());
    main.refuses_connections();
    desk.due((60..100).map(|number| sms("main", &format!("n{number}"))));
    bell.ring();
    desk.until_booked(100).await;
    let ends: Vec<String> = desk.booked().iter().map(outcome).collect();
    assert!(ends.iter().any(|end| end.ends_with(" not made")), "{ends:?}");
    stop.send_replace(true);
    running.await.unwrap();
}
