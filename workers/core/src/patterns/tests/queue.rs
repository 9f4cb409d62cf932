//! Queue jumps, and what looks like one.

use super::district::{Application, application, district};
use crate::patterns::Rule;
use zhida_schemas::application::Mode;
use zhida_schemas::review::Stage;

const NOW: &str = "2026-11-25T17:00";

fn early(id: &str) -> Application {
    application(id).submitted("2026-11-16T09:00").assigned("2026-11-16T14:00", Stage::First, "D1", "O-1")
}

fn late(id: &str) -> Application {
    application(id).submitted("2026-11-18T09:00").step("2026-11-18T14:00", "2026-11-19T09:00", "O-1")
}

fn pairs(applications: impl IntoIterator<Item = Application>) -> Vec<String> {
    let found = district(NOW, applications).finds(Rule::QueueJump);
    found.into_iter().flat_map(|one| one.evidence.marks).collect()
}

#[test]
fn a_later_application_is_approved_while_an_earlier_one_waits() {
    assert_eq!(pairs([early("early"), late("late")]), ["early late"], "it waits still");
    let decided = early("early").decided("2026-11-20T17:00", Stage::First, "D1", "O-1");
    assert_eq!(pairs([decided, late("late")]), ["early late"], "it waited a day longer");
    let withdrawn = early("early").withdrawn("2026-11-24T09:00");
    assert_eq!(pairs([withdrawn, late("late")]), ["early late"], "until it was given up");
}

#[test]
fn what_is_not_equal_or_not_clearly_later_is_no_jump() {
    let innocent = [
        ("decided in time", early("early").decided("2026-11-18T17:00", Stage::First, "D1", "O-1"), late("late")),
        ("decided hours later", early("early").decided("2026-11-19T14:00", Stage::First, "D1", "O-1"), late("late")),
        (
            "submitted an hour later",
            early("early"),
            application("late").submitted("2026-11-16T10:00").step("2026-11-16T15:00", "2026-11-17T09:00", "O-1"),
        ),
        (
            "there first",
            application("early").submitted("2026-11-16T09:00").assigned("2026-11-18T15:00", Stage::First, "D1", "O-1"),
            late("late"),
        ),
        (
            "a supplement",
            early("early").supplement("2026-11-17T09:00", "D1").supplied("2026-11-18T09:00"),
            late("late"),
        ),
        ("another policy", early("early"), late("late").under("P-2")),
        (
            "the later one was refused",
            early("early"),
            application("late")
                .submitted("2026-11-18T09:00")
                .assigned("2026-11-18T14:00", Stage::First, "D1", "O-1")
                .refused("2026-11-19T09:00", Stage::First, "O-1", Some("不在本区")),
        ),
        (
            "the earlier one was refused in the end",
            early("early")
                .refused("2026-11-24T09:00", Stage::First, "O-1", Some("不在本区"))
                .rejected("2026-11-24T10:00", "x"),
            late("late"),
        ),
        (
            "another way of applying",
            early("early"),
            application("late").submitted_by("2026-11-18T09:00", Some(Mode::Commitment)).step(
                "2026-11-18T14:00",
                "2026-11-19T09:00",
                "O-1",
            ),
        ),
        (
            "another department",
            early("early"),
            application("late")
                .submitted("2026-11-18T09:00")
                .assigned("2026-11-18T14:00", Stage::First, "D2", "O-2")
                .decided("2026-11-19T09:00", Stage::First, "D2", "O-2"),
        ),
    ];
    for (why, one, other) in innocent {
        // The policy is named when it is submitted: told anew where it differs.
        let other = if why == "another policy" {
            application("late").under("P-2").submitted("2026-11-18T09:00").step(
                "2026-11-18T14:00",
                "2026-11-19T09:00",
                "O-1",
            )
        } else {
            other
        };
        assert!(pairs([one, other]).is_empty(), "{why}");
    }
}

#[test]
fn a_queue_in_order_is_no_jump_however_long_it_is() {
    let orderly = (0..20).map(|n| {
        let day = 2 + n;
        let worked = |day: u32| format!("2026-11-{:02}", day.min(30));
        application(&format!("A-{n:02}")).submitted(&format!("{}T09:00", worked(day))).step(
            &format!("{}T10:00", worked(day)),
            &format!("{}T11:00", worked(day + 4)),
            "O-1",
        )
    });
    assert_eq!(pairs(orderly), Vec::<String>::new());
}

#[test]
fn what_hangs_together_is_one_pattern_under_the_name_of_the_first() {
    let jumper = application("late").submitted("2026-11-19T09:00").step("2026-11-19T10:00", "2026-11-19T11:00", "O-1");
    let other =
        application("second").submitted("2026-11-17T09:00").assigned("2026-11-17T10:00", Stage::First, "D1", "O-1");
    let found = district(NOW, [early("first"), other, jumper]).finds(Rule::QueueJump);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].subject.text(), "first");
    assert_eq!(found[0].evidence.marks.iter().collect::<Vec<_>>(), ["first late", "second late"]);
    assert_eq!(found[0].evidence.strength, 2);
}

fn waits(id: &str, from: &str, decided: &str) -> Application {
    application(id).submitted(from).step(from, decided, "O-1")
}

/// PostgreSQL refuses one statement that writes a row twice: "ON CONFLICT DO UPDATE command cannot affect row a second time".
#[test]
fn one_run_finds_each_pattern_once_also_where_a_step_was_given_twice() {
    let twice = application("E")
        .submitted("2026-11-02T09:00")
        .step("2026-11-02T10:00", "2026-11-10T16:00", "O-1")
        .step("2026-11-12T09:00", "2026-11-20T16:00", "O-1");
    let first = waits("L-1", "2026-11-04T09:00", "2026-11-05T09:00");
    let second = waits("L-2", "2026-11-13T09:00", "2026-11-16T09:00");
    let found = district(NOW, [twice, first, second]).finds(Rule::QueueJump);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn one_application_that_lies_costs_no_mark_for_each_that_passes() {
    let lies =
        application("lies").submitted("2026-01-05T09:00").assigned("2026-01-05T10:00", Stage::First, "D1", "O-9");
    let passes = |n: u32| {
        let at = |hour: u32| format!("2026-{:02}-{:02}T{hour:02}:{:02}", 2 + n / 250, 2 + n / 10 % 25, n % 60);
        application(&format!("A-{n:05}")).submitted(&at(9)).step(&at(10), &at(11), "O-1")
    };
    let found = district(NOW, std::iter::once(lies).chain((0..2_000).map(passes))).finds(Rule::QueueJump);
    let size = serde_json::to_string(&found[0].evidence).unwrap().len();
    assert!(size < 20_000, "{} marks, {size} bytes in a row that every run rewrites", found[0].evidence.marks.len());
}
