//! What is told of the 24 hours, when, and how often: as time runs out, and at once where the large-value rail is closed.

use super::super::{Desk, time_passes};
use super::{Arrival, approval, arrival, context, take_in};
use crate::money::Fen;
use crate::payout::{Alert, HoldCode, PayoutState};
use crate::rails::LargeValueRail;
use crate::rules::Rules;
use crate::scenery::{key, rules};
use crate::steps::Fact;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use zhida_config::Calendar;
use zhida_schemas::outbound::{AtRiskData, PayoutData, RiskCode};

/// Awards of 100.00 are large.
fn large() -> Rules {
    let rail = LargeValueRail {
        above: Fen(9_999),
        opens: jiff::civil::time(20, 30, 0, 0),
        closes: jiff::civil::time(17, 15, 0, 0),
        calendar: Arc::new(Calendar::mainland_china().unwrap()),
        zone: rules().zone,
    };
    Rules { large_value: Some(rail), ..rules() }
}

fn moment(local: &str) -> Timestamp {
    rules().zone.to_timestamp(local.parse().unwrap()).unwrap()
}

fn approved_at(moment: Timestamp) -> Arrival {
    let mut approval = approval(1);
    approval.approved_at = moment;
    arrival("e-1", Fact::Approved(Box::new(approval)))
}

fn taken_in(rules: &Rules, at: Timestamp) -> Desk<'_> {
    let mut desk = Desk::new(rules, at, []);
    take_in(&mut desk, &mut context(1_000_000, None), vec![approved_at(at)]);
    desk
}

fn told(desk: &Desk<'_>) -> Vec<String> {
    desk.changes.world.iter().map(|one| one.event_type.clone()).collect()
}

fn later<'a>(rules: &'a Rules, desk: Desk<'_>, at: Timestamp) -> Desk<'a> {
    let mut desk = Desk::new(rules, at, desk.payouts.into_values());
    time_passes(&mut desk, &key(1));
    desk
}

#[test]
fn a_large_award_on_a_friday_evening_is_at_risk_in_the_transaction_that_takes_it_in() {
    let rules = large();
    let friday = moment("2026-11-20T18:00");
    let desk = taken_in(&rules, friday);
    assert_eq!(told(&desk), ["payout.received.v1", "payout.at_risk.v1"]);
    let data: AtRiskData = serde_json::from_value(desk.changes.world[1].data.clone()).unwrap();
    assert_eq!(data.risk.code, RiskCode::RailClosed);
    assert_eq!(serde_json::json!(data.bank_reopens_at), serde_json::json!("2026-11-22T12:30:00.000000Z"));
    assert!(data.risk.text.as_str().contains("2026-11-22 20:30"), "{:?}", data.risk.text);
    let entry = desk.changes.journal.iter().find(|row| row.kind == "payout.at_risk_rail_closed").unwrap();
    assert_eq!(entry.detail["bank_reopens_at"], "2026-11-22T12:30:00Z", "the trace says it, too");

    // Nothing is held back, and the 24 hours run: whatever else is due is told in its time, this once only.
    assert_eq!(desk.payouts[&key(1)].state(), PayoutState::Ready);
    let mut desk = desk;
    for (hours, expected) in [(1, &[][..]), (12, &["payout.at_risk.v1"]), (24, &["payout.at_risk.v1"; 2])] {
        desk = later(&rules, desk, friday + SignedDuration::from_hours(hours));
        let expected: Vec<_> = expected.iter().copied().chain((hours == 24).then_some("payout.overdue.v1")).collect();
        assert_eq!(told(&desk), expected, "{hours} h");
    }
}

#[test]
fn it_is_told_when_the_last_chance_passes_and_not_while_there_is_one() {
    let rules = large();
    let desk = taken_in(&rules, moment("2026-11-20T16:00"));
    assert_eq!(told(&desk), ["payout.received.v1"]);
    assert_eq!(desk.payouts[&key(1)].next_moment(&rules), Some(moment("2026-11-20T17:15")));
    let desk = later(&rules, desk, moment("2026-11-20T17:15"));
    assert_eq!(told(&desk), ["payout.at_risk.v1"]);
    assert!(desk.payouts[&key(1)].told.contains(&Alert::RailClosed.name()));
}

#[test]
fn a_year_without_data_rings_once_and_nobody_guesses() {
    let rules = large();
    let desk = taken_in(&rules, moment("2026-12-31T10:00"));
    assert_eq!(told(&desk), ["payout.received.v1"], "no early alert");
    let rung: Vec<_> = desk.changes.alarms.iter().map(|alarm| alarm.kind.code()).collect();
    assert_eq!(rung, ["calendar_missing"]);
    let desk = later(&rules, desk, moment("2026-12-31T18:00"));
    assert!(desk.changes.alarms.is_empty() && told(&desk).is_empty());
    // The last day that is known is over when it closes, whatever the next one is: only the reopening is not known.
    let desk = later(&rules, taken_in(&rules, moment("2026-12-30T18:00")), moment("2026-12-31T17:15"));
    let last: AtRiskData = serde_json::from_value(desk.changes.world.last().unwrap().data.clone()).unwrap();
    let rail_closed = desk.changes.journal.iter().any(|row| row.kind == "payout.at_risk_rail_closed");
    assert!(rail_closed && last.bank_reopens_at.is_none());
}

#[test]
fn small_awards_and_working_hours_are_nobodys_risk() {
    let (large, small) = (large(), rules());
    assert_eq!(
        told(&taken_in(&small, moment("2026-11-20T18:00"))),
        ["payout.received.v1"],
        "small-value clearing never closes"
    );
    assert_eq!(told(&taken_in(&large, moment("2026-11-19T10:00"))), ["payout.received.v1"]);
}

#[test]
fn a_closed_window_holds_a_large_award_until_the_rail_opens() {
    let mut story = crate::scenery::Story::ready(large());
    story.now = moment("2026-11-20T17:20");
    story.refused("TM01");
    assert_eq!(story.payout.holds[&HoldCode::BankWindow].until, Some(moment("2026-11-22T20:30")));
}

#[test]
fn what_is_told_of_a_payout_is_what_the_contract_says() {
    let rules = rules();
    let desk = taken_in(&rules, moment("2026-11-20T18:00"));
    let data: PayoutData = serde_json::from_value(desk.changes.world[0].data.clone()).unwrap();
    assert_eq!(data.enterprise.uscc.as_str(), approval(1).enterprise.uscc);
}
