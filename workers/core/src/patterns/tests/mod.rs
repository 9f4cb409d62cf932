//! Each rule finds what it is for, and not its nearest innocent neighbour.

#![allow(clippy::unwrap_used)] // a failing unwrap is the finding

pub(crate) mod district;
mod enterprises;
mod health;
mod officers;
mod policies;
mod queue;
mod states;

use super::{Rule, Thresholds};
use district::{application, district};
use std::collections::BTreeSet;
use zhida_config::sections::Switch;
use zhida_schemas::application::Mode;
use zhida_schemas::review::Stage;

const NOW: &str = "2026-11-25T12:00";

#[test]
fn a_rule_is_found_by_its_code_and_has_its_settings() {
    let codes: BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.code()).collect();
    assert_eq!(codes.len(), 18);
    let mut thresholds = Thresholds::documented().unwrap();
    for rule in Rule::ALL {
        assert_eq!(Rule::from_code(rule.code()), Some(*rule));
        assert!(rule.is_on(&thresholds), "{rule:?}");
        assert_eq!(serde_json::to_value(rule).unwrap(), rule.code());
    }
    thresholds.queue_jump.enabled = Switch::Off;
    assert!(!Rule::QueueJump.is_on(&thresholds));
}

#[test]
fn a_second_supplement() {
    let begun = |id: &str| application(id).submitted("2026-11-23T09:00").supplement("2026-11-23T10:00", "D1");
    let district = district(
        NOW,
        [
            begun("again").supplied("2026-11-24T09:00").supplement("2026-11-24T10:00", "D1"),
            begun("the-same-hour").supplement("2026-11-23T10:30", "D1"),
            begun("another-department-later").supplement("2026-11-24T10:00", "D2"),
            begun("behind-another").supplement("2026-11-23T10:30", "D2").supplement("2026-11-23T15:00", "D2"),
            // Innocent: asked once; two departments of a joint review on one day; the same request told by another system after the end.
            begun("once").supplied("2026-11-24T09:00"),
            begun("jointly").supplement("2026-11-23T11:00", "D2"),
            begun("told-by-two-systems").supplement("2026-11-23T10:00", "D1"),
            begun("after-the-end")
                .rejected("2026-11-24T09:00", "材料不齐且逾期未补")
                .supplement("2026-11-24T10:00", "D1"),
        ],
    );
    assert_eq!(
        district.named(Rule::SecondSupplement),
        ["again", "the-same-hour", "another-department-later", "behind-another"]
    );
}

#[test]
fn ping_pong() {
    let returned = |id: &str, times: u32, to: Option<&str>| {
        let begun =
            application(id).submitted("2026-11-23T09:00").assigned("2026-11-23T09:10", Stage::First, "D1", "O-1");
        (0..times).fold(begun, |one, n| {
            one.returned(&format!("2026-11-24T{:02}:00", 9 + n), if n.is_multiple_of(2) { "D1" } else { "D2" }, to)
        })
    };
    let district = district(
        NOW,
        [
            returned("thrice", 3, Some("D3")),
            returned("unnamed", 3, None),
            returned("twice", 2, Some("D3")),
            // Within D1 only the stage changes.
            returned("within", 3, Some("D1")),
        ],
    );
    assert_eq!(district.named(Rule::PingPong), ["thrice", "unnamed"]);
}

#[test]
fn a_refusal_without_a_reason() {
    let begun = |id: &str| application(id).submitted("2026-11-23T09:00").accepted("2026-11-23T09:10", "O-1");
    let refused = |id: &str, reason| begun(id).refused("2026-11-24T09:00", Stage::First, "O-1", reason);
    let district = district(
        NOW,
        [
            refused("silent", None).rejected("2026-11-24T10:00", "不予"),
            refused("strokes", Some("————————")).rejected("2026-11-24T10:00", "……"),
            application("declined").submitted("2026-11-23T09:00").declined("2026-11-23T10:00", "O-1", "无"),
            refused("open-since-yesterday", None),
            // Innocent: the reason stands with the step, or with the end, or may still come; or it was not refused after all.
            refused("with-the-step", Some("注册地不在本区")).rejected("2026-11-24T10:00", "不予"),
            refused("with-the-end", None).rejected("2026-11-24T10:00", "申报主体不符合条件"),
            begun("just-now").refused("2026-11-25T10:00", Stage::First, "O-1", None),
            refused("withdrawn", None).withdrawn("2026-11-24T10:00"),
            refused("approved-all-the-same", None).approved("2026-11-24T15:00", 100, &["AO"]),
        ],
    );
    assert_eq!(district.named(Rule::RefusalWithoutReason), ["silent", "strokes", "declined", "open-since-yesterday"]);
}

#[test]
fn an_instant_approval() {
    let district = district(
        NOW,
        [
            application("seconds").submitted("2026-11-23T09:00:00").approved("2026-11-23T09:00:40", 100, &["AO"]),
            application("minutes").submitted("2026-11-23T09:00:00").approved("2026-11-23T09:01:01", 100, &["AO"]),
            application("unasked").submitted_by("2026-11-23T09:00:00", Some(Mode::NoApplication)).approved(
                "2026-11-23T09:00:00",
                100,
                &["AO"],
            ),
            // Clocks of two systems: a finding of the case file, no pattern.
            application("before").submitted("2026-11-23T09:00:00").approved("2026-11-23T08:59:59", 100, &["AO"]),
            application("never-seen").approved("2026-11-23T09:00:00", 100, &["AO"]),
        ],
    );
    assert_eq!(district.named(Rule::InstantApproval), ["seconds"]);
}

#[test]
fn sentences_accuse_nobody_and_evidence_holds_nothing_personal() {
    let account = "4000020109000000001";
    let shared = |id: &str| {
        let one =
            application(id).submitted("2026-11-25T09:00:00").reached_by(Some("13800000000"), Some("a@example.com"));
        one.approved("2026-11-25T09:00:30", 100, &["AO"]).payout(account)
    };
    let found = district(NOW, [shared("A-1"), shared("A-2")]).all();
    let rules: Vec<&str> = found.iter().map(|one| one.rule.code()).collect();
    assert_eq!(rules, ["shared_account", "shared_mobile", "shared_email", "instant_approval", "instant_approval"]);
    for one in found {
        assert!(one.chinese.contains("值得核实") && one.english.contains("worth a look"), "{}", one.english);
        let all = format!("{one:?}");
        assert!(!all.contains(account) && !all.contains("13800000000") && !all.contains("example.com"), "{all}");
    }
}
