//! Alerts as stories: who is told when, what silences what, and when it is over.

#![allow(clippy::unwrap_used)] // a failing unwrap is the finding

mod orders;
mod watch;

use super::{Cleared, NotAcknowledged};
use crate::case_file::tests::story::Story;
use watch::Watch;

fn supervisor(id: &str) -> crate::steps::Operator {
    let (name, public_key) = (id.to_owned(), format!("key of {id}"));
    let role = crate::steps::Role::Supervisor;
    crate::steps::Operator { id: id.into(), name, role, public_key, disabled_at: None }
}

/// Department D1 with officer O-D1 and head H-1, two supervisors, one inspector; the built-in ladder (0, 4, 8, 16 hours).
fn stalled() -> Watch {
    Watch::over(
        Story::begins()
            .submitted("2026-11-02T10:00")
            .accepted("2026-11-02T11:00", "D1")
            .assigned("2026-11-23T10:00", "first", "D1")
            .publicity_started("2026-11-02T12:00")
            .publicity_ended("2026-11-23T10:00"),
    )
}

#[test]
fn a_stalled_step_turns_yellow_and_red_and_climbs() {
    let mut watch = stalled();
    for (now, news) in [
        ("2026-11-23T17:29", vec![]),
        ("2026-11-23T17:30", vec!["step due_soon O-D1"]),
        ("2026-11-24T17:29", vec![]),
        ("2026-11-24T17:30", vec!["step overdue O-D1"]),
        ("2026-11-25T09:00", vec![]),
        ("2026-11-25T13:59", vec![]),
        ("2026-11-25T15:00", vec!["step escalated_1 H-1"]), // four working hours
        ("2026-11-26T09:00", vec![]),
        ("2026-11-26T10:30", vec!["step escalated_2 S-1 S-2"]), // eight
        ("2026-11-27T12:00", vec!["step escalated_3 I-1"]),     // sixteen
        ("2026-12-31T12:00", vec![]),                           // the last rung was the last
    ] {
        assert_eq!(watch.news_of("step", now), news, "{now}");
    }
    watch.story = watch.story.decided("2026-12-31T13:00", "first", "D1", "approve");
    assert_eq!(watch.news_of("step", "2026-12-31T13:00"), ["step cleared met"]);
    assert_eq!(watch.cleared("step:first:D1:1"), Some(Cleared::Met));
    assert_eq!(watch.told_of_the_end("step:first:D1:1"), ["H-1", "I-1", "O-D1", "S-1", "S-2"]);
}

#[test]
fn whoever_looks_and_how_often_each_rung_is_raised_once() {
    let mut often = stalled();
    let mut seldom = stalled();
    let mut quarter = crate::working_time::tests::local("2026-11-23T10:00");
    let end = crate::working_time::tests::local("2026-11-27T12:00");
    while quarter < end {
        often.look_at(quarter);
        often.look_at(quarter);
        quarter += jiff::SignedDuration::from_mins(15);
    }
    often.look_at(end);
    seldom.look_at(end);
    assert_eq!(often.levels("step:first:D1:1"), seldom.levels("step:first:D1:1"));
    assert_eq!(seldom.levels("step:first:D1:1"), ["due_soon", "overdue", "escalated_1", "escalated_2", "escalated_3"]);
}

#[test]
fn after_an_outage_missed_rungs_are_made_up_in_one_notice_to_each() {
    let mut watch = stalled();
    watch.look("2026-11-27T12:00");
    let mut told = watch.notices_of("step:first:D1:1");
    told.sort();
    // The officer hears of the breach, not first of the warning: one notice, the highest.
    assert_eq!(told, ["H-1 escalated_1", "I-1 escalated_3", "O-D1 overdue", "S-1 escalated_2", "S-2 escalated_2"]);
}

#[test]
fn a_rung_without_anybody_goes_on_to_the_next_and_says_so() {
    let mut watch = stalled();
    watch.organisation.officers.remove(&crate::ids::OfficerId::from("H-1"));
    watch.look("2026-11-24T17:30");
    assert_eq!(
        watch.news_of("step", "2026-11-25T15:00"),
        [
            "step escalated_1 (本部门及上级均无负责人 nobody heads D1 or a department above it)",
            "step escalated_2 S-1 S-2"
        ]
    );
    assert_eq!(watch.news_of("step", "2026-11-26T10:30"), Vec::<String>::new(), "not told twice");
}

#[test]
fn an_acknowledgement_rests_the_ladder_and_not_the_clock() {
    let mut watch = stalled();
    watch.look("2026-11-24T17:30");
    let alert = watch.open("step:first:D1:1");
    assert_eq!(watch.acknowledge(&alert, "O-D1", 8, "2026-11-25T09:00"), Ok(()));
    // Eight working hours from nine: until 10:30 on the next day.
    assert_eq!(watch.news_of("step", "2026-11-25T15:00"), Vec::<String>::new());
    assert_eq!(watch.news_of("step", "2026-11-26T10:30"), ["step escalated_1 H-1", "step escalated_2 S-1 S-2"]);
    let by_now = watch.acknowledge(&alert, "O-D1", 8, "2026-11-26T11:00");
    assert!(matches!(by_now, Err(NotAcknowledged::NotTheirs { .. })), "not for those who supervise: {by_now:?}");
    assert_eq!(watch.acknowledge(&alert, "S-1", 16, "2026-11-26T11:00"), Ok(()));
    let again = watch.acknowledge(&alert, "S-2", 16, "2026-11-26T11:00");
    assert!(matches!(again, Err(NotAcknowledged::Already { .. })), "two at once: one counts: {again:?}");
    assert_eq!(watch.news_of("step", "2026-11-27T12:00"), Vec::<String>::new());
}

#[test]
fn who_may_acknowledge_what() {
    for (who, hours, expected) in [
        ("O-D1", 8, "ok"),
        ("H-1", 8, "ok"),
        ("I-1", 8, "ok"),
        ("O-D2", 8, "not theirs"),
        ("nobody", 8, "not theirs"),
        ("O-D1", 0, "too long"),
        ("O-D1", 17, "too long"),
    ] {
        let mut watch = stalled();
        watch.look("2026-11-24T17:30");
        let alert = watch.open("step:first:D1:1");
        let answer = match watch.acknowledge(&alert, who, hours, "2026-11-24T17:31") {
            Ok(()) => "ok",
            Err(NotAcknowledged::NotTheirs { .. }) => "not theirs",
            Err(NotAcknowledged::TooLong { .. }) => "too long",
            Err(NotAcknowledged::Cleared(_) | NotAcknowledged::Already { .. } | NotAcknowledged::OnceOnly) => "else",
        };
        assert_eq!(answer, expected, "{who} {hours}");
    }
}

/// Nobody inspects in this district: the built-in ladder ends with a rung on which nobody stands.
#[test]
fn an_empty_rung_on_top_leaves_it_to_the_highest_that_reached_somebody() {
    let mut watch = stalled();
    let officer = crate::ids::OfficerId::from;
    watch.organisation.officers.remove(&officer("I-1"));
    watch.look("2026-11-27T12:00");
    let alert = watch.open("step:first:D1:1");
    assert_eq!(watch.levels("step:first:D1:1").last().map(String::as_str), Some("escalated_3"));
    for who in ["O-D1", "H-1", "nobody"] {
        let refused = watch.acknowledge(&alert, who, 8, "2026-11-27T12:01");
        let theirs =
            matches!(&refused, Err(NotAcknowledged::NotTheirs { level, .. }) if level.to_string() == "escalated_2");
        assert!(theirs, "{who}: {refused:?}");
    }
    assert_eq!(watch.acknowledge(&alert, "S-1", 8, "2026-11-27T12:01"), Ok(()));
    // Whoever is named to the top later is told there, and may; so may no longer those below.
    let inspector = crate::organisation::Officer {
        id: officer("I-2"),
        role: crate::organisation::OfficerRole::Inspector,
        ..watch.organisation.officers[&officer("S-1")].clone()
    };
    watch.organisation.officers.insert(officer("I-2"), inspector);
    watch.look("2026-11-30T16:00");
    assert!(watch.notices_of("step:first:D1:1").contains(&"I-2 escalated_3".to_owned()));
    let supervisor = watch.acknowledge(&alert, "S-1", 8, "2026-11-30T16:01");
    assert!(matches!(supervisor, Err(NotAcknowledged::NotTheirs { .. })), "{supervisor:?}");
    assert_eq!(watch.acknowledge(&alert, "I-2", 8, "2026-11-30T16:01"), Ok(()));
    // Nobody stands any more on the rungs that reached somebody, but for the officer's own.
    let mut left_alone = stalled();
    left_alone.look("2026-11-27T12:00");
    for gone in ["H-1", "S-1", "S-2", "I-1"] {
        left_alone.organisation.officers.remove(&officer(gone));
    }
    assert_eq!(left_alone.acknowledge(&left_alone.open("step:first:D1:1"), "O-D1", 8, "2026-11-27T12:01"), Ok(()));
}

#[test]
fn the_department_may_say_once_that_it_knows() {
    let mut watch = stalled();
    watch.look("2026-11-24T17:30");
    let alert = watch.open("step:first:D1:1");
    assert_eq!(watch.acknowledge(&alert, "O-D1", 1, "2026-11-24T17:31"), Ok(()));
    assert_eq!(watch.acknowledge(&alert, "H-1", 1, "2026-11-25T11:00"), Err(NotAcknowledged::OnceOnly));
    assert_eq!(watch.acknowledge(&alert, "S-1", 1, "2026-11-25T11:00"), Ok(()));
}

#[test]
fn a_deadline_that_moves_clears_the_alert_and_the_next_cause_is_a_new_one() {
    let mut watch = stalled();
    watch.look("2026-11-24T17:30");
    // An event that was late: the step had been paused in time.
    watch.story = watch.story.paused("2026-11-24T10:00", None);
    assert_eq!(watch.news_of("step", "2026-11-24T18:00"), ["step cleared moved"]);
    watch.story = watch.story.resumed("2026-11-25T10:00", None);
    assert_eq!(watch.news_of("step", "2026-11-25T10:00"), ["step due_soon O-D1"]);
    assert_eq!(watch.news_of("step", "2026-11-25T17:30"), ["step overdue O-D1"]);
    assert_eq!(watch.episodes("step:first:D1:1"), 2);
}

#[test]
fn a_replayed_history_is_recorded_and_not_sent() {
    let long_ago = Story::begins().submitted("2025-11-03T10:00").accepted("2025-11-03T11:00", "D1").assigned(
        "2025-11-03T11:00",
        "first",
        "D1",
    );
    // While it comes in nothing rings …
    let mut watch = Watch::over(long_ago.clone().heard_at("2026-11-23T10:00"));
    assert_eq!(watch.news("2026-11-23T10:00"), Vec::<String>::new());
    // … when it is whole, what was late is recorded …
    let whole = long_ago.clone().decided("2025-11-06T10:00", "first", "D1", "approve").approved("2025-11-20T10:00");
    watch.story = whole.heard_at("2026-11-23T10:00");
    watch.look("2026-11-23T10:01");
    assert_eq!(watch.recorded("step:first:D1:1"), ["due_soon", "overdue", "escalated_1"]);
    assert!(watch.all_notices().is_empty());
    assert_eq!(watch.news("2026-11-24T10:00"), Vec::<String>::new(), "once");
    // … and what is open after all rings after a pause, all rungs in one.
    let mut watch = Watch::over(long_ago.heard_at("2026-11-23T10:00"));
    watch.look("2026-11-23T10:00");
    assert_eq!(watch.news("2026-11-23T10:29"), Vec::<String>::new());
    assert!(!watch.news("2026-11-23T10:30").is_empty());
}

#[test]
fn what_never_was_is_cleared_and_says_so() {
    let mut watch = stalled();
    watch.look("2026-11-24T17:30");
    // The assignment turns out to be another department's: its event is corrected under another id, the old one is gone.
    watch.story = Story::begins().submitted("2026-11-23T10:00").accepted("2026-11-23T11:00", "D1");
    assert!(watch.news("2026-11-24T17:31").contains(&"step cleared gone".to_owned()));
}

#[test]
fn the_enterprises_own_time_does_not_climb() {
    let mut watch = Watch::over(
        Story::begins()
            .submitted("2026-11-02T10:00")
            .accepted("2026-11-02T11:00", "D1")
            .supplement_requested("2026-11-02T12:00", "D1"),
    );
    watch.look("2026-11-09T17:30");
    assert_eq!(watch.levels("supplement:1"), ["due_soon", "overdue"]);
    watch.look("2026-11-20T17:30");
    assert_eq!(watch.levels("supplement:1"), ["due_soon", "overdue"]);
}

#[test]
fn an_officer_on_leave_is_stood_in_for() {
    let mut watch = stalled();
    watch.absent("O-D1", "2026-11-23", "2026-11-30", "H-1");
    assert_eq!(watch.news_of("step", "2026-11-23T17:30"), ["step due_soon H-1"]);
}

#[test]
fn an_amended_calendar_is_seen_at_the_next_look() {
    let mut watch = stalled();
    watch.look("2026-11-24T17:30");
    watch.story = watch.story.calendar("version,amended\nyear,2026,notice\noff,2026-11-24,x\n");
    assert_eq!(watch.news_of("step", "2026-11-24T17:31"), ["step cleared moved", "step due_soon O-D1"]);
    assert_eq!(watch.news_of("step", "2026-11-25T17:30"), ["step overdue O-D1"]);
}

#[test]
fn a_payout_that_is_not_credited_climbs_too() {
    let mut watch = Watch::over(Story::begins().approved("2026-11-23T10:00").payout("2026-11-23T10:00"));
    watch.look("2026-11-24T10:00");
    assert_eq!(watch.levels("payout:1")[..2], ["due_soon", "overdue"]);
    watch.story = watch.story.credited("2026-11-24T11:00");
    watch.look("2026-11-24T11:01");
    assert_eq!(watch.cleared("payout:1"), Some(Cleared::Met));
}

#[test]
fn a_rung_that_reached_nobody_reaches_whoever_comes_to_stand_there() {
    let mut watch = stalled();
    let whole = std::mem::take(&mut watch.organisation);
    watch.look("2026-11-27T12:00");
    assert_eq!(watch.levels("step:first:D1:1"), ["due_soon", "overdue", "escalated_1", "escalated_2", "escalated_3"]);
    assert!(watch.notices_of("step:first:D1:1").is_empty(), "nobody is known");
    assert_eq!(watch.wake_at("2026-11-27T12:00"), Some("2026-11-30T09:00".to_owned()), "asked again every morning");
    watch.organisation = whole;
    watch.look("2026-11-30T09:00");
    let mut told = watch.notices_of("step:first:D1:1");
    told.sort();
    assert_eq!(told, ["H-1 escalated_1", "I-1 escalated_3", "O-D1 overdue", "S-1 escalated_2", "S-2 escalated_2"]);
    assert_eq!(watch.levels("step:first:D1:1").len(), 5, "each rung once");
}

#[test]
fn an_earlier_step_that_is_heard_of_late_leaves_the_alert_where_it_hangs() {
    let mut watch = stalled();
    watch.look("2026-11-25T15:00");
    let alert = watch.open("step:first:D1:1");
    watch.story =
        watch.story.assigned("2026-11-20T09:00", "first", "D1").returned("2026-11-20T10:00", "first", "D1", "D2");
    assert_eq!(watch.news_of("step", "2026-11-25T15:01").iter().filter(|line| line.contains("cleared")).count(), 0);
    assert_eq!(watch.open("step:first:D1:2"), alert, "the same cause, under the name it bears now");
}

#[test]
fn a_breach_that_was_over_before_anybody_looked_is_recorded_beside_its_warning() {
    let mut watch = stalled();
    watch.look("2026-11-23T17:30");
    watch.story = watch.story.decided("2026-11-25T15:30", "first", "D1", "approve");
    assert_eq!(watch.news_of("step", "2026-11-25T16:00"), ["step cleared met"]);
    assert_eq!(watch.recorded("step:first:D1:1"), ["overdue", "escalated_1"]);
    assert_eq!(watch.cleared("step:first:D1:1"), Some(Cleared::Met));
}

#[test]
fn a_pause_that_is_told_after_the_deadline_it_moves_is_found() {
    let story = Story::begins().submitted("2026-11-20T10:00").accepted("2026-11-20T11:00", "D1").assigned(
        "2026-11-23T10:00",
        "first",
        "D1",
    );
    let told_late = story.clone().paused("2026-11-24T10:00", None).last_heard_at("2026-11-25T20:00");
    assert!(Watch::over(told_late).findings("2026-11-25T20:00").contains(&"heard_after_deadline"));
    let told_in_time = story.paused("2026-11-24T10:00", None);
    assert!(!Watch::over(told_in_time).findings("2026-11-25T20:00").contains(&"heard_after_deadline"));
}

#[test]
fn a_pause_that_lasts_has_not_used_up_what_pauses_may() {
    let paused = Story::begins().submitted("2026-10-12T10:00").paused("2026-10-12T11:00", None);
    let used_up = |now: &str| Watch::over(paused.clone()).findings(now).contains(&"pauses_used_up");
    assert!(!used_up("2026-10-12T11:00") && !used_up("2026-11-09T17:29"));
    assert!(used_up("2026-11-09T17:30"), "twenty closes after the day of the submission");
}

#[test]
fn an_event_dated_ahead_counts_when_its_time_has_come() {
    let mut watch = stalled();
    watch.story = watch.story.decided("2062-11-23T11:00", "first", "D1", "approve");
    assert!(watch.findings("2026-11-24T17:30").contains(&"dated_ahead"));
    assert_eq!(watch.levels("step:first:D1:1"), ["due_soon", "overdue"], "nobody has decided");
}

#[test]
fn a_clock_that_is_set_back_unsees_nothing() {
    let mut watch = stalled();
    watch.look("2026-11-24T17:30");
    assert_eq!(watch.news_of("step", "2026-11-24T17:29"), Vec::<String>::new(), "by a minute");
    assert_eq!(watch.news_of("step", "2026-11-23T18:00"), Vec::<String>::new(), "by most of a day");
    assert_eq!(watch.news_of("step", "2026-11-25T15:00"), ["step escalated_1 H-1"]);
    assert_eq!(watch.episodes("step:first:D1:1"), 1);
    // A clock that had been wrong by months is believed when it is right again.
    let mut watch = stalled();
    watch.look("2027-03-01T10:00");
    assert!(watch.news_of("step", "2026-11-23T10:30").contains(&"step cleared moved".to_owned()));
}

#[test]
fn a_step_that_is_given_back_within_its_minute_rings_once() {
    let mut watch = Watch::over(
        Story::begins()
            .submitted("2026-11-23T09:00")
            .accepted("2026-11-23T09:10", "D1")
            .returned("2026-11-23T10:00", "first", "D1", "D1")
            .returned("2026-11-23T10:00", "first", "D1", "D1"),
    );
    watch.look("2026-11-24T17:30");
    watch.look("2026-11-24T18:00");
    watch.look("2026-11-25T09:00");
    assert_eq!(watch.levels("step:first:D1:1"), Vec::<String>::new(), "it was given back at once");
    assert_eq!(watch.levels("step:first:D1:2")[..2], ["due_soon", "overdue"]);
    assert_eq!(watch.episodes("step:first:D1:2"), 1);
}

#[test]
fn where_nobody_has_a_step_yet_its_head_is_warned() {
    let mut watch = Watch::of_policy(Story::begins().submitted("2026-11-23T10:00"), "D1");
    assert_eq!(watch.news_of("acceptance", "2026-11-23T17:30"), ["acceptance due_soon H-1"]);
}

#[test]
fn whoever_is_handed_a_red_step_is_told() {
    let mut watch = stalled();
    watch.look("2026-11-24T17:30");
    watch.story = watch.story.clone().handed_to("2026-11-25T09:30", "first", "D1", "O-D2");
    watch.look("2026-11-25T09:30");
    watch.look("2026-11-25T09:31");
    let told = watch.notices_of("step:first:D1:1");
    assert_eq!(told, ["O-D1 overdue", "O-D2 overdue"], "each once");
    // The ladder climbs from where it was.
    assert_eq!(watch.news_of("step", "2026-11-25T15:00"), ["step escalated_1 H-1"]);
}

#[test]
fn a_supervisor_may_acknowledge_over_the_departments_own_word() {
    let mut watch = stalled();
    watch.look("2026-11-24T17:30");
    let alert = watch.open("step:first:D1:1");
    assert_eq!(watch.acknowledge(&alert, "O-D1", 16, "2026-11-25T09:00"), Ok(()));
    let head = watch.acknowledge(&alert, "H-1", 8, "2026-11-25T09:30");
    assert!(matches!(head, Err(NotAcknowledged::Already { .. })), "{head:?}");
    assert_eq!(
        watch.acknowledge(&alert, "S-1", 1, "2026-11-25T09:30"),
        Ok(()),
        "and ends its rest early, if they like"
    );
    assert_eq!(watch.news_of("step", "2026-11-25T15:00"), ["step escalated_1 H-1"]);
}
