//! Arrivals that compete, contradict or repeat each other; the alerts of the 24 hours; who may act.

use super::super::{Act, ActOutcome, ActRefused, Fact, Operator, Role, Switch, TakenIn, act, reconsider, take_in};
use super::{approval, approved, arrival, context, desk_with};
use crate::ids::{FundId, OperatorId, PayoutKey, PolicyId};
use crate::money::Fen;
use crate::payout::{EndKind, HoldCode, PayoutState};
use crate::rules::Rules;
use crate::scenery::{at, ended, key, payee, rules};
use crate::steps::{Desk, time_passes};

fn codes(desk: &Desk<'_>, number: u32) -> Vec<HoldCode> {
    desk.payouts[&key(number)].holds.keys().copied().collect()
}

fn reason_code(taken: &TakenIn) -> &str {
    match taken {
        TakenIn::Accepted => "accepted",
        TakenIn::Duplicate => "duplicate",
        TakenIn::Quarantined { reason_code, .. } => reason_code,
    }
}

#[test]
fn arrivals_of_one_batch_compete_for_the_last_money() {
    for (appropriated, cap, held_by) in [
        (20_000, None, Some(HoldCode::FundShort)),
        (1_000_000, Some(29_999), Some(HoldCode::CapPerEnterprise)),
        (30_000, Some(30_000), None),
    ] {
        let rules = rules();
        let mut desk = Desk::new(&rules, at(0), []);
        let mut context = context(appropriated, cap);
        let arrivals = vec![approved(1), approved(2), approved(3)];
        take_in(&mut desk, &mut context, arrivals);
        let funded = desk.payouts.values().filter(|one| one.funded).count();
        assert_eq!(funded, if held_by.is_some() { 2 } else { 3 });
        assert_eq!(codes(&desk, 3), held_by.into_iter().collect::<Vec<_>>());
        let charged = Fen(funded as i64 * 10_000);
        assert_eq!(desk.changes.funds.values().copied().sum::<Fen>(), charged);
        assert_eq!(desk.changes.caps.values().copied().sum::<Fen>(), charged);
        // One is withdrawn: what it held goes back once, and the one that waits takes it.
        take_in(
            &mut desk,
            &mut context,
            vec![arrival("w", Fact::Ended(key(1).application_id, ended(EndKind::Withdrawn)))],
        );
        take_in(
            &mut desk,
            &mut context,
            vec![arrival("w2", Fact::Ended(key(1).application_id, ended(EndKind::Revoked)))],
        );
        let charged_now = desk.changes.funds.values().copied().sum::<Fen>();
        assert_eq!(charged_now, Fen(charged.0 - 10_000), "given back once");
        for fund in context.funds.values_mut() {
            fund.committed = charged_now;
        }
        context.caps = desk.changes.caps.clone();
        reconsider(&mut desk, &mut context, &key(3));
        reconsider(&mut desk, &mut context, &key(3));
        assert!(desk.payouts[&key(3)].is_claimable());
        assert_eq!(desk.changes.funds.values().copied().sum::<Fen>(), Fen(20_000), "charged once");
    }
}

#[test]
fn a_second_approval_never_pays() {
    let mut other_account = approval(1);
    other_account.payee = payee("2");
    let mut other_amount = approval(1);
    other_amount.amount = Fen(1);
    let end = || Fact::Ended(key(1).application_id, ended(EndKind::Withdrawn));
    let again = |approval| arrival("again", Fact::Approved(Box::new(approval)));
    for (name, between, second, expected) in [
        ("the same event", None, approved(1), "duplicate"),
        ("the same id, other content", None, arrival("e-1", Fact::Other), "event_conflict"),
        ("the same substance", None, again(approval(1)), "duplicate"),
        ("another account", None, again(other_account), "approval_conflict"),
        ("another amount", None, again(other_amount), "approval_conflict"),
        ("the same substance after the end", Some(end()), again(approval(1)), "approval_conflict"),
        ("the same event after the end", Some(end()), approved(1), "duplicate"),
    ] {
        let rules = rules();
        let arrivals = [Some(approved(1)), between.map(|fact| arrival("b", fact)), Some(second)];
        let (desk, taken) = desk_with(&rules, arrivals.into_iter().flatten().collect());
        assert_eq!(reason_code(taken.last().unwrap()), expected, "{name}");
        assert_eq!(desk.payouts.len(), 1, "{name}");
        assert_eq!(desk.changes.alarms.is_empty(), expected != "approval_conflict", "{name}");
    }
}

#[test]
fn what_ended_before_its_approval_is_held_for_every_tranche() {
    let rules = rules();
    let mut second = approval(1);
    second.key.tranche = 2;
    let arrivals = vec![
        arrival("w", Fact::Ended(key(1).application_id, ended(EndKind::Withdrawn))),
        approved(1),
        arrival("t2", Fact::Approved(Box::new(second))),
    ];
    let (desk, _) = desk_with(&rules, arrivals);
    assert_eq!(desk.payouts.len(), 2);
    assert!(desk.payouts.values().all(|one| one.holds.contains_key(&HoldCode::ApplicationEnded) && !one.funded));
}

#[test]
fn a_tranche_after_the_end_of_an_approved_application_is_a_conflict_that_rings() {
    for (kind, expected) in [
        (EndKind::Withdrawn, "approval_conflict"),
        (EndKind::Rejected, "approval_conflict"),
        (EndKind::Revoked, "approval_conflict"),
    ] {
        let rules = rules();
        let mut second = approval(1);
        second.key.tranche = 2;
        let arrivals = vec![
            approved(1),
            arrival("w", Fact::Ended(key(1).application_id, ended(kind))),
            arrival("t2", Fact::Approved(Box::new(second))),
            approved(2),
        ];
        let (desk, taken) = desk_with(&rules, arrivals);
        assert_eq!(reason_code(&taken[2]), expected);
        assert_eq!(reason_code(&taken[3]), "accepted", "another application");
        assert_eq!((desk.payouts.len(), desk.changes.alarms.len()), (2, 1));
    }
}

#[test]
fn another_currency_than_the_funds_is_refused_when_the_fund_is_known() {
    let mut dollars = approval(1);
    dollars.currency = "USD".to_owned();
    let mut of_unknown_policy = dollars.clone();
    of_unknown_policy.policy_id = PolicyId::from("P-later");
    let mut of_another_fund = dollars.clone();
    of_another_fund.fund_id = Some(FundId::from("F-other"));
    for (approval, expected, held) in [
        (dollars, "currency_not_funds", None),
        (of_unknown_policy, "accepted", Some(HoldCode::PolicyUnknown)),
        (of_another_fund, "accepted", Some(HoldCode::FundUnknown)),
    ] {
        let rules = rules();
        let (desk, taken) = desk_with(&rules, vec![arrival("e", Fact::Approved(Box::new(approval)))]);
        assert_eq!(reason_code(&taken[0]), expected);
        if let TakenIn::Quarantined { field, .. } = &taken[0] {
            assert_eq!(field, "data.amount.currency");
        }
        assert_eq!(desk.payouts.get(&key(1)).and_then(|one| one.holds.keys().next().copied()), held);
    }
}

#[test]
fn a_correction_without_payout_or_after_the_end_is_quarantined() {
    let corrected = || arrival("c", Fact::PayeeCorrected(key(1), payee("2"), at(0)));
    let end = || arrival("w", Fact::Ended(key(1).application_id, ended(EndKind::Withdrawn)));
    for (arrivals, expected) in [
        (vec![corrected()], "correction_without_payout"),
        (vec![approved(1), corrected()], "accepted"),
        (vec![approved(1), end(), corrected()], "correction_not_possible"),
    ] {
        let rules = rules();
        let (_, taken) = desk_with(&rules, arrivals);
        assert_eq!(reason_code(taken.last().unwrap()), expected);
    }
}

#[test]
fn what_counts_is_when_it_happened_and_not_what_came_last() {
    let corrected = |account, seconds| arrival(account, Fact::PayeeCorrected(key(1), payee(account), at(seconds)));
    let id = || key(1).application_id;
    let started = |seconds| arrival("started", Fact::PublicityStarted(id(), at(seconds)));
    let objected = |seconds| arrival("objected", Fact::PublicityObjected(id(), at(seconds)));
    let over = |seconds| arrival("ended", Fact::PublicityEnded(id(), at(seconds)));
    for (arrivals, last, account, held) in [
        (vec![corrected("2", -20), corrected("3", -10)], "accepted", "3", vec![]),
        (vec![corrected("3", -10), corrected("2", -20)], "correction_not_possible", "3", vec![]),
        (vec![corrected("2", 299), corrected("3", -10)], "correction_not_possible", "2", vec![]),
        (vec![corrected("2", 301)], "corrected_in_future", "1", vec![]),
        (vec![over(-10), objected(-20), started(-30)], "accepted", "1", vec![]),
        (vec![started(-30), over(-10), objected(-20)], "accepted", "1", vec![]),
        (
            vec![started(-5), objected(-4), over(-10)],
            "accepted",
            "1",
            vec![HoldCode::PublicityOpen, HoldCode::ObjectionOpen],
        ),
    ] {
        let (rules, mut context) = (rules(), context(1_000_000, None));
        let mut desk = Desk::new(&rules, at(0), []);
        take_in(&mut desk, &mut context, vec![approved(1)]);
        let taken = take_in(&mut desk, &mut context, arrivals);
        reconsider(&mut desk, &mut context, &key(1));
        assert_eq!(reason_code(taken.last().unwrap()), last);
        let payout = &desk.payouts[&key(1)];
        assert_eq!(payout.latest().unwrap().payee, payee(account));
        assert_eq!(codes(&desk, 1), held);
    }
}

#[test]
fn alerts_of_the_24_hours_are_given_once_each() {
    let rules = rules();
    let (desk, _) = desk_with(&rules, vec![approved(1)]);
    let payout = desk.payouts[&key(1)].clone();
    let mut told = Vec::new();
    let mut payouts = vec![payout];
    for hours in [11, 12, 13, 25, 26] {
        let mut desk = Desk::new(&rules, at(hours * 3600), payouts);
        time_passes(&mut desk, &key(1));
        time_passes(&mut desk, &key(1));
        told.push(desk.changes.world.iter().map(|one| one.event_type.clone()).collect::<Vec<_>>().join(" "));
        payouts = desk.payouts.into_values().collect();
    }
    let late = "payout.at_risk.v1 payout.at_risk.v1 payout.overdue.v1";
    assert_eq!(told, ["", "payout.at_risk.v1", "", late, ""]);
    assert_eq!(payouts[0].next_moment(&rules), None);
}

fn operator(id: &str, role: Role) -> Operator {
    let (id, public_key) = (OperatorId::from(id), String::new());
    Operator { id, name: String::new(), role, public_key, disabled_at: None }
}

#[test]
fn each_role_does_its_own() {
    let all: [(Act, &[Role]); 5] = [
        (Act::Hold(key(1)), &[Role::Operator, Role::Releaser, Role::Supervisor]),
        (Act::Cancel(key(1)), &[Role::Releaser]),
        (Act::Release(key(1), vec![]), &[Role::Releaser]),
        (Act::Stop, &[Role::Operator, Role::Releaser, Role::Supervisor]),
        (Act::Resume, &[Role::Releaser]),
    ];
    let stopped = Switch {
        stopped_by: Some((OperatorId::from("O-9"), String::new())),
        since: None,
        resumed_by: None,
        restore: None,
    };
    for (what, allowed) in all {
        for role in Role::ALL {
            let rules = rules();
            let (mut desk, _) = desk_with(&rules, vec![approved(1)]);
            let done = act(&mut desk, &stopped, &operator("O-1", role), &what, "why");
            let refused = matches!(done, Err(ActRefused::Role { .. }));
            assert_eq!(!refused, allowed.contains(&role), "{what:?} {role:?}");
        }
    }
}

#[test]
fn one_stops_and_two_resume() {
    fn turn(rules: &Rules, switch: &Switch, by: &str, what: &Act) -> (Result<ActOutcome, ActRefused>, Switch) {
        let mut desk = Desk::new(rules, at(0), []);
        let done = act(&mut desk, switch, &operator(by, Role::Releaser), what, "why");
        (done, desk.changes.switch.unwrap_or_else(|| switch.clone()))
    }
    let rules = rules();
    let open = Switch::default();
    assert_eq!(turn(&rules, &open, "O-1", &Act::Resume).0, Err(ActRefused::NotStopped));
    let (_, stopped) = turn(&rules, &open, "O-1", &Act::Stop);
    let (first, half) = turn(&rules, &stopped, "O-1", &Act::Resume);
    assert_eq!(first, Ok(ActOutcome::AwaitsSecondOfficer));
    assert_eq!(turn(&rules, &half, "O-1", &Act::Resume).0, Err(ActRefused::SameOfficer(OperatorId::from("O-1"))));
    // Stopped anew in between: the first officer's word is gone.
    let (_, stopped_again) = turn(&rules, &half, "O-3", &Act::Stop);
    assert_eq!(turn(&rules, &stopped_again, "O-2", &Act::Resume).0, Ok(ActOutcome::AwaitsSecondOfficer));
    let (second, reopened) = turn(&rules, &half, "O-2", &Act::Resume);
    assert_eq!((second, reopened.stopped_by), (Ok(ActOutcome::Done), None));
}

#[test]
fn an_act_on_an_unknown_payout_is_refused() {
    let rules = rules();
    let (mut desk, _) = desk_with(&rules, vec![approved(1)]);
    let strange = PayoutKey { tranche: 9, ..key(1) };
    let done =
        act(&mut desk, &Switch::default(), &operator("O-1", Role::Releaser), &Act::Cancel(strange.clone()), "why");
    assert_eq!(done, Err(ActRefused::NoSuchPayout(strange)));
    let done = act(&mut desk, &Switch::default(), &operator("O-1", Role::Releaser), &Act::Cancel(key(1)), "why");
    assert_eq!((done, desk.payouts[&key(1)].state()), (Ok(ActOutcome::Done), PayoutState::Cancelled));
}
