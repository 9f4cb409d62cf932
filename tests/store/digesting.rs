//! Digests: each once, on working days, with what every store knows alike; calendars that lack a year ring; and what an amendment
//! would move.

use crate::supervising::{DAY, accepted, assigned, case, event, look, organisation, submitted};
use crate::world::{Award, World};
use jiff::civil::{Date, time};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use std::sync::Arc;
use zhida_config::Calendar;
use zhida_core::case_file::Said;
use zhida_core::digest::{Digest, Total};
use zhida_core::ids::{ApplicationId, DepartmentId, OfficerId, PolicyId};
use zhida_core::jobs::{Outcome, Run};
use zhida_core::money::Fen;
use zhida_core::ports::store::AlarmFilter;
use zhida_core::working_time::WorkingTime;

async fn working_time(world: &World) -> WorkingTime {
    let calendar = Arc::new(world.store.calendar().await.unwrap());
    let hours = world.rules().supervision.hours.clone();
    WorkingTime { calendar, zone: world.rules().zone.clone(), hours }
}

/// The first working day from that day on.
fn working_day(time: &WorkingTime, from: Date) -> Date {
    let days = std::iter::successors(Some(from), |day| day.tomorrow().ok());
    days.into_iter().find(|day| time.day_type(*day).is_worked()).unwrap()
}

fn at(world: &World, day: Date, hour: i8, minute: i8) -> Timestamp {
    world.rules().zone.to_timestamp(day.to_datetime(time(hour, minute, 0, 0))).unwrap()
}

async fn go_to(world: &World, moment: Timestamp) {
    let way = moment.duration_since(world.now().await);
    assert!(way.is_positive(), "{moment} has passed");
    world.pass(way);
}

async fn today(world: &World) -> Date {
    world.rules().zone.to_datetime(world.now().await).date()
}

/// A working day a few days ahead.
async fn a_working_day(world: &World) -> Date {
    working_day(&working_time(world).await, today(world).await + 4.days())
}

async fn newest(world: &World) -> Digest {
    world.other.digest(None).await.unwrap().expect("one was made")
}

pub(crate) async fn a_digest_is_made_once_however_many_make_it(world: World) {
    let day = a_working_day(&world).await;
    let due = at(&world, day, 8, 30);
    go_to(&world, at(&world, day, 8, 29)).await;
    let first = world.store.make_due_digest().await.unwrap();
    assert_eq!(first.len(), 1, "{first:?}");
    assert!(!first[0].outcome.was_due(), "the district begins with the next one: {first:?}");
    assert_eq!(world.store.make_due_digest().await.unwrap(), []);
    assert_eq!(world.other.digest(None).await.unwrap(), None);
    let outlook = world.other.digest_outlook().await.unwrap();
    assert_eq!((outlook.next_due, outlook.missing_since), (Some(due), None));

    go_to(&world, at(&world, day, 8, 31)).await;
    assert_eq!(world.figures().await.digest_missing_since, Some(due));
    let (one, two) = tokio::join!(world.store.make_due_digest(), world.other.make_due_digest());
    let runs: Vec<Run> = one.unwrap().into_iter().chain(two.unwrap()).collect();
    assert_eq!(runs, [Run { scheduled_at: due, outcome: Outcome::Made }]);
    let digest = newest(&world).await;
    assert_eq!(digest.headline().1, "nothing overdue");
    assert_eq!((digest.scheduled_at, digest.since), (due, None));
    assert_eq!(world.store.digest(Some(day)).await.unwrap(), Some(digest.clone()));
    assert_eq!(world.store.digest(Some(day.yesterday().unwrap())).await.unwrap(), None);
    let figures = world.figures().await;
    assert_eq!((figures.digest_made_at, figures.digest_missing_since), (Some(digest.made_at), None));
    let journal = world.store.trace(&ApplicationId(digest.id.clone())).await.unwrap();
    assert_eq!(journal.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>(), ["digest.made"]);
    assert_eq!(world.store.make_due_digest().await.unwrap(), []);
}

pub(crate) async fn days_that_passed_without_anybody_are_missed(world: World) {
    let day = a_working_day(&world).await;
    go_to(&world, at(&world, day, 9, 0)).await;
    world.store.make_due_digest().await.unwrap();
    let made = newest(&world).await;
    let time = working_time(&world).await;
    let missed = working_day(&time, day.tomorrow().unwrap());
    let back = working_day(&time, missed.tomorrow().unwrap());
    go_to(&world, at(&world, back, 7, 0)).await;
    assert_eq!(world.figures().await.digest_missing_since, Some(at(&world, missed, 8, 30)));
    let runs = world.store.make_due_digest().await.unwrap();
    assert!(runs.iter().all(|run| run.outcome != Outcome::Made), "{runs:?}");
    let of_days: Vec<&Run> = runs.iter().filter(|run| run.outcome.was_due()).collect();
    assert_eq!(of_days, [&Run { scheduled_at: at(&world, missed, 8, 30), outcome: Outcome::Missed }]);
    assert_eq!(runs.len() as i64, i64::from((back - day).get_days()) - 1, "days off are noted as well");
    let outlook = world.store.digest_outlook().await.unwrap();
    assert_eq!(outlook.missing_since, Some(at(&world, missed, 8, 30)), "it stays missing");
    assert_eq!(newest(&world).await, made);

    go_to(&world, at(&world, back, 17, 0)).await;
    let runs = world.other.make_due_digest().await.unwrap();
    assert_eq!(runs, [Run { scheduled_at: at(&world, back, 8, 30), outcome: Outcome::Made }], "hours late and made");
    let digest = newest(&world).await;
    assert_eq!((digest.since, digest.payouts.from), (Some(made.made_at), day), "it reports on the missed day as well");
    assert_eq!(world.figures().await.digest_missing_since, None);
}

pub(crate) async fn what_is_overdue_and_what_was_paid_stands_in_the_digest(world: World) {
    organisation(&world).await;
    let now = world.now().await;
    world.take(&[submitted(now), accepted(now), assigned(now)]).await;
    look(&world).await;
    let day = working_day(&working_time(&world).await, today(&world).await + 10.days());
    go_to(&world, at(&world, day - 2.days(), 10, 0)).await;
    world.accept([2]).await;
    world.pay("m-1").await;
    world.accept([3]).await;
    go_to(&world, at(&world, day - 1.days(), 12, 0)).await;
    world.accept([4]).await;
    while look(&world).await > 0 {}
    go_to(&world, at(&world, day, 8, 30)).await;
    while look(&world).await > 0 {}
    world.store.make_due_digest().await.unwrap();

    let digest = newest(&world).await;
    let clocks: Vec<&str> = digest.breaches.listed.iter().map(|one| one.clock.as_str()).collect();
    assert!(clocks.contains(&"review:1") && clocks.contains(&"step:first:D-SCI:1"), "{clocks:?}");
    assert!(digest.breaches.listed.is_sorted_by_key(|one| one.deadline), "the oldest first");
    assert!(digest.breaches.listed.iter().all(|one| one.new && one.late_minutes > 0), "{:?}", digest.breaches);
    assert_eq!(digest.breaches.new, digest.breaches.open);
    let holder = &digest.holders[0];
    assert_eq!(
        (holder.department_id.clone(), holder.officer_id.clone(), holder.open, holder.overdue),
        (Some(DepartmentId::from("D-SCI")), Some(OfficerId::from("O-101")), 1, 1)
    );
    let kept = digest.payouts.by_currency["CNY"];
    let one = Total { count: 1, fen: Fen(10_000) };
    assert_eq!((kept.approved, kept.in_time, kept.open), (one, one, one), "{:?}", digest.payouts);
    assert_eq!(kept.ended, Total { count: 2, fen: Fen(20_000) });
    assert_eq!(world.other.digest_preview().await.unwrap().breaches.new, 0, "nothing is new since");
}

/// The review system was out for days; its approvals come in by the old time. And two digests are made a day.
pub(crate) async fn every_approval_stands_in_one_digest(world: World) {
    let day = a_working_day(&world).await;
    go_to(&world, at(&world, day, 9, 0)).await;
    world.store.make_due_digest().await.unwrap();
    let (mut approved, mut ended) = (0, 0);
    for number in 0..16 {
        world.pass(DAY);
        let runs = world.store.make_due_digest().await.unwrap();
        if runs.iter().any(|run| run.outcome == Outcome::Made) {
            let kept = newest(&world).await.payouts.by_currency.get("CNY").copied().unwrap_or_default();
            (approved, ended) = (approved + kept.approved.count, ended + kept.ended.count);
        }
        if number == 6 {
            let late = Award { approved: world.now().await - 5 * DAY, ..world.award(2).await };
            world.take(&[late.arrival()]).await;
            world.accept([3]).await;
        }
    }
    assert_eq!((approved, ended), (2, 2));
}

/// The database's clock ran a month ahead for a while, and was set right again.
pub(crate) async fn a_clock_that_ran_ahead_silences_no_digest(world: World) {
    let month = SignedDuration::from_hours(24 * 30);
    let day = a_working_day(&world).await;
    go_to(&world, at(&world, day, 9, 0)).await;
    world.pass(month);
    world.store.make_due_digest().await.unwrap();
    world.pass(-month);
    assert_eq!(world.other.digest_outlook().await.unwrap().missing_since, Some(at(&world, day, 8, 30)));
    let runs = world.store.make_due_digest().await.unwrap();
    assert_eq!(runs, [Run { scheduled_at: at(&world, day, 8, 30), outcome: Outcome::Made }]);
    let digest = newest(&world).await;
    assert_eq!((digest.scheduled_at, digest.since), (at(&world, day, 8, 30), None), "nor is it the digest before");
    assert_eq!(world.figures().await.digest_missing_since, None);
}

pub(crate) async fn what_has_not_rung_yet_is_counted_as_such(world: World) {
    organisation(&world).await;
    let long_ago = world.now().await - SignedDuration::from_hours(24 * 30);
    world.take(&[submitted(long_ago), accepted(long_ago), assigned(long_ago)]).await;
    while look(&world).await > 0 {}
    let heard = world.store.digest_preview().await.unwrap();
    assert_eq!((heard.breaches.open, heard.breaches.unrung, heard.is_quiet()), (0, 2, false), "{heard:?}");
    world.pass(SignedDuration::from_mins(31));
    while look(&world).await > 0 {}
    let rung = world.other.digest_preview().await.unwrap();
    assert_eq!((rung.breaches.open, rung.breaches.unrung), (2, 0), "{rung:?}");
}

pub(crate) async fn a_missing_year_rings_once_ahead_of_time(world: World) {
    let year = today(&world).await.year() + 1;
    let calendar = |version: &str, years: &[i16]| {
        let lines: String = years.iter().map(|year| format!("year,{year},test\n")).collect();
        Calendar::parse(&format!("version,{version}\n{lines}")).unwrap()
    };
    world.store.import_calendar(&calendar("test-1", &[year - 1, year]), "test").await.unwrap();
    go_to(&world, at(&world, Date::new(year, 10, 1).unwrap(), 9, 0)).await;
    let embedded_lacks_more = Calendar::mainland_china().unwrap().years().contains_key(&(year + 1));
    assert!(!embedded_lacks_more, "the program knows no year so far ahead");
    assert_eq!((world.store.ring_missing_years().await.unwrap(), world.figures().await.years_missing), (0, 0));

    go_to(&world, at(&world, Date::new(year, 12, 30).unwrap(), 9, 0)).await;
    let now = world.now().await;
    world.take(&[submitted(now), accepted(now)]).await;
    look(&world).await;
    let (one, two) = tokio::join!(world.store.ring_missing_years(), world.other.ring_missing_years());
    assert_eq!(one.unwrap() + two.unwrap(), 1, "once, whoever looks");
    assert_eq!(world.store.ring_missing_years().await.unwrap(), 0);
    let listed = world.store.alarms(&AlarmFilter { limit: 10, ..AlarmFilter::default() }).await.unwrap();
    let texts: Vec<&str> = listed.iter().map(|entry| entry.alarm.text.as_str()).collect();
    assert!(texts.len() == 1 && texts[0].contains(&format!("no data for {}", year + 1)), "{texts:?}");
    assert_eq!(world.figures().await.years_missing, 1);
    let state = world.store.digest_preview().await.unwrap().calendar;
    assert_eq!((state.missing_years, state.provisional_deadlines), (vec![year + 1], 1));
    assert!(case(&world).await.clocks.iter().any(|row| row.reading.provisional));

    world.store.import_calendar(&calendar("test-2", &[year + 1]), "test").await.unwrap();
    while look(&world).await > 0 {}
    let state = world.store.digest_preview().await.unwrap().calendar;
    assert_eq!((state.version.as_str(), state.missing_years.len(), state.provisional_deadlines), ("test-2", 0, 0));
    assert_eq!(world.figures().await.years_missing, 0);
}

pub(crate) async fn what_an_amendment_moves_is_told_before(world: World) {
    let now = world.now().await;
    let other = event(
        "other",
        2,
        now,
        Said::Submitted { policy_id: PolicyId::from("P-1"), uscc: "U-2".to_owned(), mode: None },
    );
    world.take(&[submitted(now), accepted(now), other]).await;
    while look(&world).await > 0 {}
    let time = working_time(&world).await;
    let free = working_day(&time, today(&world).await.tomorrow().unwrap());
    // The next working day becomes a day off, and nothing else changes.
    let mut text = String::new();
    for year in time.calendar.years().keys().copied().chain([free.year(), free.year() + 1]) {
        let line = format!("year,{year},test\n");
        if !text.contains(&line) {
            text.push_str(&line);
        }
    }
    for (date, day) in time.calendar.days().iter().filter(|(date, _)| **date != free) {
        let kind = if day.kind == zhida_config::calendar::DayKind::Off { "off" } else { "work" };
        text.push_str(&format!("{kind},{date},{}\n", day.name));
    }
    let amendment = Calendar::parse(&format!("version,test\n{text}off,{free},台风\n")).unwrap();

    let whole = world.store.moved_by(&amendment, None, 10).await.unwrap();
    assert_eq!(whole.next, None);
    let review = whole.moved.iter().find(|one| one.application_id.0 == "A-1" && one.clock == "review:1").unwrap();
    assert!(review.to.at > review.from.at);
    assert!(review.because.iter().any(|day| day.date == free && day.before.is_worked() && !day.after.is_worked()));
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let page = world.other.moved_by(&amendment, after.as_ref(), 1).await.unwrap();
        paged.extend(page.moved);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(paged, whole.moved, "in pages as at once");
    assert!(paged.iter().any(|one| one.application_id.0 == "A-2"), "{paged:?}");

    let deadline = async || {
        let view = case(&world).await;
        view.clocks.iter().find(|row| row.clock.id.to_string() == "review:1").unwrap().reading.deadline
    };
    assert_eq!(deadline().await, review.from.at, "a preview changes nothing");
    world.store.import_calendar(&amendment, "test").await.unwrap();
    while look(&world).await > 0 {}
    assert_eq!(deadline().await, review.to.at, "and what it told comes true");
    assert_eq!(world.store.moved_by(&amendment, None, 10).await.unwrap().moved, []);
}
