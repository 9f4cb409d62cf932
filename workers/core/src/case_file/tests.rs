//! Case files and clocks as tables, and against a slow and obvious reference.

#![allow(clippy::unwrap_used)] // a failing unwrap is the finding

mod counting;
mod moments;
pub(crate) mod story;

use super::{ClockState as S, FindingCode as F, Standing};
use story::Story;

#[test]
fn a_plain_review_meets_every_clock() {
    let story = Story::begins()
        .submitted("2026-11-23T10:00")
        .accepted("2026-11-23T15:00", "D1")
        .assigned("2026-11-23T15:00", "first", "D1")
        .decided("2026-11-24T11:00", "first", "D1", "approve")
        .assigned("2026-11-24T11:00", "final", "D2")
        .decided("2026-11-25T09:30", "final", "D2", "approve")
        .approved("2026-11-26T17:30");
    assert_eq!(story.file().standing, Standing::Approved);
    assert_eq!(story.findings(), []);
    let clocks = story.clocks_at("2026-11-26T18:00");
    let clocks: Vec<_> = clocks.iter().map(|(id, state, deadline)| (id.as_str(), *state, deadline.as_str())).collect();
    assert_eq!(
        clocks,
        [
            ("acceptance:1", S::Met, "2026-11-24T17:30"),
            ("review:1", S::Met, "2026-11-26T17:30"), // at the last moment
            ("legal:1", S::Met, "2026-12-21T17:30"),
            ("step:first:D1:1", S::Met, "2026-11-24T17:30"),
            ("step:final:D2:1", S::Met, "2026-11-25T17:30"),
        ]
    );
}

#[test]
fn clocks_turn_yellow_and_red_while_nothing_happens() {
    let story = Story::begins().submitted("2026-11-23T10:00").accepted("2026-11-23T11:00", "D1");
    for (now, state) in [
        ("2026-11-23T10:00", S::Running),
        ("2026-11-25T17:29:59", S::Running),
        ("2026-11-25T17:30", S::DueSoon), // one working day before
        ("2026-11-26T17:29:59", S::DueSoon),
        ("2026-11-26T17:30", S::Overdue),
        ("2027-06-01T12:00", S::Overdue),
    ] {
        assert_eq!(story.state_at("review:1", now), state, "{now}");
    }
    let late = story.approved("2026-11-26T17:30:01");
    assert_eq!(late.state_at("review:1", "2026-11-27T00:00"), S::MetLate);
}

#[test]
fn deadlines_step_over_years_holidays_and_sundays_worked_in_exchange() {
    for (submitted, deadline) in [
        ("2025-12-31T10:00", "2026-01-06T17:30"), // over New Year: the 4th is a Sunday worked
        ("2026-09-30T10:00", "2026-10-10T17:30"), // National Day, and the Saturday worked after it
        ("2026-11-20T23:59", "2026-11-25T17:30"), // a Friday night
        ("2026-11-21T00:01", "2026-11-25T17:30"), // Saturday: counting begins with Monday
        ("2026-11-22T20:00", "2026-11-25T17:30"),
        ("2026-11-23T00:01", "2026-11-26T17:30"),
    ] {
        let story = Story::begins().submitted(submitted);
        assert_eq!(story.deadline("review:1"), deadline, "{submitted}");
    }
}

#[test]
fn an_amended_calendar_moves_the_deadline_and_a_missing_year_marks_it() {
    let story = Story::begins().submitted("2026-12-30T10:00");
    assert_eq!(story.deadline("review:1"), "2027-01-04T17:30");
    assert!(story.reading("review:1").provisional, "2027 is a guess");
    let story = story.calendar("version,next\nyear,2027,notice\noff,2027-01-01,元旦\n");
    assert_eq!(story.deadline("review:1"), "2027-01-05T17:30");
    assert!(!story.reading("review:1").provisional);
    // In the middle of a holiday one more day is given, and no Saturday is worked in exchange: an amendment replaces its year.
    let mut amended = "version,more\nyear,2026,notice\n".to_owned();
    (1..=8).for_each(|day| amended.push_str(&format!("off,2026-10-{day:02},国庆节\n")));
    let story = Story::begins().submitted("2026-09-30T10:00");
    assert_eq!(story.deadline("review:1"), "2026-10-10T17:30");
    assert_eq!(story.calendar(&amended).deadline("review:1"), "2026-10-13T17:30");
}

#[test]
fn a_joint_review_has_a_clock_for_each_department() {
    let story = Story::begins()
        .submitted("2026-11-23T10:00")
        .accepted("2026-11-23T11:00", "D1")
        .assigned("2026-11-23T11:00", "joint", "D1")
        .assigned("2026-11-23T11:00", "joint", "D2")
        .assigned("2026-11-24T11:00", "joint", "D3")
        .decided("2026-11-24T10:00", "joint", "D2", "approve");
    let now = "2026-11-25T09:00";
    assert_eq!(story.state_at("step:joint:D1:1", now), S::Overdue);
    assert_eq!(story.state_at("step:joint:D2:1", now), S::Met);
    assert_eq!(story.state_at("step:joint:D3:1", now), S::DueSoon);
    assert_eq!(story.findings(), []);
}

#[test]
fn a_supplement_stops_the_officials_clocks_and_starts_the_enterprises() {
    let story = Story::begins()
        .submitted("2026-11-23T10:00")
        .accepted("2026-11-23T11:00", "D1")
        .assigned("2026-11-23T11:00", "first", "D1")
        .supplement_requested("2026-11-24T10:00", "D1");
    assert_eq!(story.state_at("step:first:D1:1", "2026-11-25T09:00"), S::Paused);
    assert_eq!(story.state_at("supplement:1", "2026-11-25T09:00"), S::Running);
    let story = story.supplement_received("2026-11-26T10:00");
    // Two closes (24th, 25th) fell into the pause.
    assert_eq!(story.deadline("step:first:D1:1"), "2026-11-26T17:30");
    assert_eq!(story.deadline("review:1"), "2026-11-30T17:30");
    assert_eq!(story.findings(), []);
    let story = story.supplement_requested("2026-11-26T11:00", "D1");
    assert_eq!(story.findings(), [F::SupplementTwice]);
}

#[test]
fn pauses_add_up_overlap_and_end_alone() {
    // Ten pauses in a row within a day move nothing: the clock runs at the close.
    let mut story = Story::begins().submitted("2026-11-23T10:00").accepted("2026-11-23T11:00", "D1");
    for minute in 10..20 {
        story =
            story.paused(&format!("2026-11-24T10:{minute}"), None).resumed(&format!("2026-11-24T10:{minute}:30"), None);
    }
    assert_eq!(story.deadline("review:1"), "2026-11-26T17:30");

    // Ten pauses over ten closes move it by ten working days.
    let mut story = Story::begins().submitted("2026-11-02T10:00").accepted("2026-11-02T11:00", "D1");
    for day in [3, 4, 5, 6, 9, 10, 11, 12, 13, 16] {
        let close = format!("2026-11-{day:02}T17:00");
        story = story.paused(&close, None).resumed(&format!("2026-11-{day:02}T18:00"), None);
    }
    assert_eq!(story.deadline("review:1"), "2026-11-19T17:30");
    assert_eq!(story.findings(), []);

    // Overlapping pauses count once.
    let story = Story::begins()
        .submitted("2026-11-23T10:00")
        .accepted("2026-11-23T11:00", "D1")
        .publicity_started("2026-11-24T09:00")
        .paused("2026-11-24T10:00", None)
        .publicity_ended("2026-11-25T09:00")
        .resumed("2026-11-26T09:00", None);
    assert_eq!(story.deadline("review:1"), "2026-11-30T17:30", "closes of the 24th and the 25th");
    assert_eq!(story.findings(), []);
    let story = story.resumed("2026-11-26T10:00", None);
    assert_eq!(story.findings(), [F::ResumedWithoutPause]);
}

#[test]
fn a_department_that_pauses_stops_its_own_step_and_the_whole() {
    let story = Story::begins()
        .submitted("2026-11-23T10:00")
        .accepted("2026-11-23T11:00", "D1")
        .assigned("2026-11-23T11:00", "joint", "D1")
        .assigned("2026-11-23T11:00", "joint", "D2")
        .paused("2026-11-24T10:00", Some("D2"));
    let now = "2026-11-24T12:00";
    assert_eq!(story.state_at("step:joint:D1:1", now), S::DueSoon);
    assert_eq!(story.state_at("step:joint:D2:1", now), S::Paused);
    assert_eq!(story.state_at("review:1", now), S::Paused);
    let story = story.resumed("2026-11-25T10:00", Some("D2"));
    assert_eq!(story.deadline("step:joint:D1:1"), "2026-11-24T17:30");
    assert_eq!(story.deadline("step:joint:D2:1"), "2026-11-25T17:30");
    assert_eq!(story.deadline("review:1"), "2026-11-27T17:30");
}

#[test]
fn a_pause_without_end_moves_a_deadline_so_far_and_no_further() {
    let story = Story::begins()
        .submitted("2026-11-02T10:00")
        .accepted("2026-11-02T11:00", "D1")
        .paused("2026-11-03T10:00", None);
    // Twenty closes from the 3rd to the 30th, then three days that count.
    assert_eq!(story.deadline("review:1"), "2026-12-03T17:30");
    assert_eq!(story.state_at("review:1", "2026-11-30T17:29"), S::Paused);
    assert_eq!(story.state_at("review:1", "2026-11-30T17:30"), S::Running);
    assert_eq!(story.state_at("review:1", "2026-12-03T17:30"), S::Overdue);
}

#[test]
fn what_is_sent_back_lies_there_whether_assigned_or_not() {
    let story = Story::begins()
        .submitted("2026-11-23T10:00")
        .accepted("2026-11-23T11:00", "D1")
        .assigned("2026-11-23T11:00", "first", "D1")
        .returned("2026-11-24T10:00", "first", "D1", "D2");
    assert_eq!(story.file().returns, 1);
    assert_eq!(story.state_at("step:first:D2:1", "2026-11-25T18:00"), S::Overdue);
    let story = story.assigned("2026-11-24T15:00", "first", "D2").returned("2026-11-25T09:00", "first", "D2", "D1");
    assert_eq!(story.state_at("step:first:D2:1", "2026-11-25T18:00"), S::Met);
    assert_eq!(story.deadline("step:first:D1:2"), "2026-11-26T17:30", "once more in the first department");
    assert_eq!(story.findings(), []);
}

/// Clocks of two systems differ by seconds.
#[test]
fn a_review_is_watched_although_something_of_it_is_dated_before_the_application() {
    let story = Story::begins().submitted("2026-11-23T10:00:23").accepted("2026-11-23T10:00", "D1");
    assert_eq!(story.findings(), [F::BeforeSubmission]);
    assert_eq!(story.state_at("review:1", "2026-11-26T17:30"), S::Overdue);
}

#[test]
fn ping_pong_between_stages_leaves_no_step_that_nobody_has() {
    let story = Story::begins()
        .submitted("2026-11-23T09:00")
        .accepted("2026-11-23T09:10", "D1")
        .assigned("2026-11-23T09:10", "first", "D1")
        .decided("2026-11-23T11:00", "first", "D1", "approve")
        .assigned("2026-11-23T11:00", "second", "D2")
        .returned("2026-11-23T14:00", "second", "D2", "D1")
        .assigned("2026-11-23T14:00", "first", "D1");
    let names = |story: &Story| -> Vec<String> {
        let steps = story.clocks_at("2026-11-23T15:00").into_iter().map(|(id, ..)| id);
        steps.filter(|id| id.starts_with("step")).collect()
    };
    assert_eq!(names(&story), ["step:first:D1:1", "step:second:D2:1", "step:first:D1:2"]);
    assert_eq!(story.state_at("step:first:D1:2", "2026-11-24T17:30"), S::Overdue);
    assert_eq!(story.findings(), []);
    // Sent back, it goes on under another stage: the same step.
    let story = Story::begins()
        .submitted("2026-11-23T09:00")
        .accepted("2026-11-23T09:10", "D1")
        .assigned("2026-11-23T09:10", "first", "D1")
        .returned("2026-11-23T14:00", "first", "D1", "D2")
        .assigned("2026-11-23T15:00", "second", "D2")
        .decided("2026-11-23T16:00", "second", "D2", "approve");
    assert_eq!(names(&story), ["step:first:D1:1", "step:first:D2:1"]);
    assert_eq!(story.state_at("step:first:D2:1", "2026-11-24T17:30"), S::Met);
    assert_eq!(story.findings(), []);
}

#[test]
fn what_begins_and_ends_at_one_moment_fits() {
    let story = Story::begins()
        .submitted("2026-11-23T00:00")
        .accepted("2026-11-23T00:00", "D1")
        .assigned("2026-11-23T00:00", "first", "D1")
        .decided("2026-11-23T00:00", "first", "D1", "approve")
        .supplement_requested("2026-11-24T00:00", "D1")
        .supplement_received("2026-11-24T00:00")
        .paused("2026-11-24T00:00", None)
        .resumed("2026-11-24T00:00", None)
        .publicity_started("2026-11-24T00:00")
        .publicity_ended("2026-11-24T00:00");
    for seed in 0..100 {
        assert_eq!(story.shuffled(seed).findings(), [], "{seed}");
        assert_eq!(story.shuffled(seed).deadline("review:1"), "2026-11-26T17:30");
    }
}

#[test]
fn an_assignment_does_not_outbid_the_policy() {
    let begun = || Story::begins().submitted("2026-11-23T09:00").accepted("2026-11-23T09:10", "D1");
    let story = begun().assigned_for("2026-11-23T10:00", "first", "D1", 5);
    assert_eq!(story.deadline("step:first:D1:1"), "2026-11-24T17:30", "the policy promises one day");
    assert_eq!(story.findings(), [F::TermExceedsPolicy]);
    let story = begun().assigned_for("2026-11-23T10:00", "second", "D1", u16::MAX);
    assert_eq!(story.reading("step:second:D1:1").days.len(), 351, "so many days hold 250 working days");
}

#[test]
fn what_does_not_fit_is_found_and_nothing_is_lost() {
    let submitted = || Story::begins().submitted("2026-11-23T10:00");
    let accepted = || submitted().accepted("2026-11-23T11:00", "D1");
    for (story, standing, findings) in [
        (Story::begins().approved("2026-11-23T10:00"), Standing::Approved, vec![F::NotSubmitted]),
        (
            Story::begins().decided("2026-11-23T10:00", "first", "D1", "approve"),
            Standing::InReview,
            vec![F::NotSubmitted, F::DecidedWithoutAssignment],
        ),
        (submitted().accepted("2026-11-22T10:00", "D1"), Standing::InReview, vec![F::BeforeSubmission]),
        (submitted().submitted("2026-11-24T10:00"), Standing::Submitted, vec![F::SubmittedTwice]),
        (submitted().assigned("2026-11-24T10:00", "first", "D1"), Standing::InReview, vec![F::NotAccepted]),
        (accepted().accepted("2026-11-24T10:00", "D2"), Standing::InReview, vec![F::AcceptedTwice]),
        (
            accepted().assigned("2026-11-24T10:00", "first", "D1").assigned("2026-11-24T11:00", "first", "D1"),
            Standing::InReview,
            vec![F::AssignedTwice],
        ),
        (
            accepted().assigned("2026-11-24T10:00", "first", "D1").approved("2026-11-24T11:00"),
            Standing::Approved,
            vec![F::StepOvertaken],
        ),
        (accepted().supplement_received("2026-11-24T10:00"), Standing::InReview, vec![F::SupplementUnasked]),
        (accepted().publicity_ended("2026-11-24T10:00"), Standing::InReview, vec![F::NoPublicity]),
        (
            accepted().paused("2026-11-24T10:00", None).paused("2026-11-24T11:00", None),
            Standing::InReview,
            vec![F::PausedTwice],
        ),
        (
            accepted().approved("2026-11-24T10:00").assigned("2026-11-24T11:00", "first", "D1"),
            Standing::Approved,
            vec![F::AfterEnd],
        ),
        (accepted().rejected("2026-11-24T10:00").approved("2026-11-24T11:00"), Standing::Rejected, vec![F::EndedTwice]),
        (accepted().approved("2026-11-24T10:00").withdrawn("2026-11-24T11:00"), Standing::Withdrawn, vec![]),
    ] {
        assert_eq!(story.findings(), findings);
        assert_eq!(story.file().standing, standing, "{findings:?}");
    }
}

#[test]
fn the_order_of_arrival_and_repetitions_make_no_difference() {
    let story = Story::begins()
        .submitted("2026-11-23T10:00")
        .accepted("2026-11-23T11:00", "D1")
        .assigned("2026-11-23T11:00", "joint", "D1")
        .assigned("2026-11-23T11:00", "joint", "D2")
        .supplement_requested("2026-11-24T10:00", "D1")
        .supplement_received("2026-11-25T10:00")
        .decided("2026-11-25T10:00", "joint", "D2", "approve")
        .returned("2026-11-25T11:00", "joint", "D1", "D2")
        .paused("2026-11-26T10:00", None)
        .resumed("2026-11-27T10:00", None)
        .approved("2026-11-30T10:00");
    let file = story.file();
    for seed in 0..200 {
        assert_eq!(story.shuffled(seed).file(), file, "{seed}");
    }
}

#[test]
fn the_clock_of_a_payout_runs_by_the_sun() {
    let story = Story::begins().approved("2026-11-27T16:00").payout("2026-11-27T16:00");
    for (now, state) in [
        ("2026-11-28T07:59:59", S::Running),
        ("2026-11-28T08:00", S::DueSoon), // two thirds of 24 hours
        ("2026-11-28T16:00", S::Overdue), // a Saturday
    ] {
        assert_eq!(story.state_at("payout:1", now), state, "{now}");
    }
    let credited = story.clone().credited("2026-11-28T16:00");
    assert_eq!(credited.state_at("payout:1", "2026-11-30T00:00"), S::Met);
    let waits = story.waits_for_enterprise("2026-11-28T10:00");
    assert_eq!(waits.state_at("payout:1", "2026-11-30T00:00"), S::Paused);
}

#[test]
fn a_department_that_the_policy_names_and_nobody_gave_a_step_is_found() {
    let begun =
        Story::begins().joint_with(["D2", "D3"]).submitted("2026-11-23T09:00").accepted("2026-11-23T10:00", "D1");
    assert_eq!(begun.findings(), [], "the joint review has not begun");
    let begun = begun.assigned("2026-11-23T11:00", "joint", "D1").assigned("2026-11-23T11:00", "joint", "D2");
    assert_eq!(begun.findings(), [super::FindingCode::JointDepartmentMissing]);
    assert_eq!(begun.file().findings[0].about, "D3");
    assert_eq!(begun.assigned("2026-11-24T11:00", "joint", "D3").findings(), []);
}

#[test]
fn what_the_enterprise_took_to_correct_its_account_is_given_back() {
    // Approved at ten; refused at eleven; corrected at three; refused again at four, and waiting.
    let paid = Story::begins().payout("2026-11-23T10:00").waited_for_enterprise("2026-11-23T11:00", "2026-11-23T15:00");
    assert_eq!(paid.deadline("payout:1"), "2026-11-24T14:00", "24 hours and the four that it waited");
    assert_eq!(paid.state_at("payout:1", "2026-11-24T13:59"), super::ClockState::DueSoon);
    assert_eq!(paid.state_at("payout:1", "2026-11-24T14:00"), super::ClockState::Overdue);
    let waits = paid.clone().waits_for_enterprise("2026-11-23T16:00");
    assert_eq!(waits.state_at("payout:1", "2026-12-23T16:00"), super::ClockState::Paused);
    assert_eq!(paid.credited("2026-11-24T13:00").state_at("payout:1", "2026-11-24T15:00"), super::ClockState::Met);
}
