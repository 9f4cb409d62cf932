//! The health of a policy in one word.

use super::district::{Application, application, district, policy};
use crate::patterns::{HealthWord as W, Phase};
use crate::steps::Policy;
use zhida_schemas::review::Stage;

const NOW: &str = "2026-11-25T12:00";

fn word(applications: impl IntoIterator<Item = Application>) -> (W, Vec<W>) {
    let health = district(NOW, applications).health("P-1");
    (health.word, health.also)
}

fn awarded(id: &str, at: &str) -> Application {
    application(id).submitted("2026-11-02T09:00").approved(at, 100, &["A1"]).payout("1")
}

#[test]
fn a_policy_is_alive_until_something_says_otherwise() {
    let paid = || awarded("paid", "2026-11-23T09:00").credited("2026-11-23T10:00");
    assert_eq!(word([paid()]), (W::Alive, vec![]));
    assert_eq!(word([awarded("owed", "2026-11-20T09:00"), paid()]), (W::Unpaid, vec![]));
    let stuck = || application("stuck").submitted("2026-11-02T09:00").accepted("2026-11-03T09:00", "O-1");
    assert_eq!(word([stuck()]), (W::Zombie, vec![]));
    // Innocent: others move on, so that it is a stalled review and no more; or it waits for the enterprise.
    assert_eq!(word([stuck(), paid()]), (W::Alive, vec![]));
    assert_eq!(word([stuck().supplement("2026-11-04T09:00", "D1")]), (W::Alive, vec![]));
}

#[test]
fn the_heavier_word_comes_first_and_the_others_stand_behind() {
    let early =
        application("early").submitted("2026-11-02T09:00").assigned("2026-11-02T10:00", Stage::First, "D1", "O-1");
    let late = application("late")
        .submitted("2026-11-05T09:00")
        .step("2026-11-05T10:00", "2026-11-05T11:00", "O-1")
        .approved("2026-11-05T12:00", 100, &["A1"])
        .payout("1");
    assert_eq!(word([early.clone(), late.clone()]), (W::Unpaid, vec![W::Favour, W::Zombie]));
    assert_eq!(word([early, late.credited("2026-11-05T13:00")]), (W::Favour, vec![W::Zombie]));
}

#[test]
fn on_paper_and_over() {
    let unseen = district(NOW, [application("one").under("P-2").submitted("2026-08-03T09:00")]).health("P-1");
    assert_eq!((unseen.word, unseen.phase), (W::Paper, Phase::Open));
    let over = Policy { valid_to: Some("2026-10-31".parse().unwrap()), ..policy("P-1") };
    let quiet = district(NOW, [awarded("one", "2026-10-02T09:00").credited("2026-10-02T10:00")]);
    let quiet = quiet.with_policy(Policy { valid_from: "2026-01-01".parse().unwrap(), ..over.clone() }).health("P-1");
    assert_eq!(quiet.phase, Phase::Ended);
    assert_eq!(quiet.word, W::Expired, "its application came after the last day");
    let fine = application("one").submitted("2026-10-02T09:00").rejected("2026-10-05T09:00", "不符合条件");
    let fine = district(NOW, [fine]).with_policy(over).health("P-1");
    assert_eq!((fine.word, fine.phase), (W::Alive, Phase::Ended), "nothing is left of it");
}

#[test]
fn new_applications_do_not_revive_a_policy_under_which_nobody_moves() {
    let day = |n: u32| format!("2026-{:02}-{:02}T09:00", 6 + n / 4, 2 + 7 * (n % 4));
    let lying = (0..24).map(|n| application(&format!("Z-{n:02}")).submitted(&day(n)));
    let health = district(NOW, lying).health("P-1");
    assert_eq!(health.word, W::Zombie, "24 applications since June, nobody has touched one: {health:?}");
}

#[test]
fn money_that_came_back_is_owed_again() {
    let back = || {
        application("back")
            .submitted("2026-10-12T09:00")
            .approved("2026-10-14T09:00", 100, &["A1"])
            .payout("1")
            .credited("2026-10-14T10:00")
            .came_back_and_goes_again("2026-10-15T09:00", "2026-10-16T09:00")
    };
    let health = district(NOW, [back()]).health("P-1");
    let credited = health.figures.iter().find(|one| one.name == "credited").map(|one| one.value);
    assert_eq!((health.word, credited), (W::Unpaid, Some(0)), "corrected on 10-16, not credited on 11-25");
}
