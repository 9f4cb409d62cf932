//! What enterprises are told of a payout, once: which events ask for which notices.

use super::super::{Desk, Fact, take_in, time_passes};
use super::{Arrival, approval, arrival, context};
use crate::money::Fen;
use crate::notice::{NoticeKind, NoticeRequest};
use crate::payout::{Carrier, Event, Hold, HoldCode, Payout, Word};
use crate::ports::bank::Payee;
use crate::rails::LargeValueRail;
use crate::rules::Rules;
use crate::scenery::{Story, at, hold, key, rejected, rules, settled};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;
use zhida_config::Calendar;

/// What a story's payout asked for over its life, and which requests were new: a table that takes each once.
#[derive(Default)]
struct Requests(BTreeSet<NoticeRequest>);

impl Requests {
    /// Kinds and occasions, without the moments of holds, that were asked for and had not been before.
    fn take(&mut self, desk: &Desk<'_>) -> Vec<String> {
        let asked = desk.changes.notices.iter();
        let new = asked.filter(|one| self.0.insert((*one).clone()));
        let without = |occasion: &str| {
            let holds = occasion.split('+').map(|hold| hold.split('.').next().unwrap_or_default());
            holds.collect::<Vec<_>>().join("+")
        };
        new.map(|one| format!("{} {}", one.kind.code(), without(&one.occasion))).collect()
    }
}

fn approved_with(change: impl FnOnce(&mut crate::steps::Approval)) -> Arrival {
    let mut approval = approval(1);
    change(&mut approval);
    arrival("e-1", Fact::Approved(Box::new(approval)))
}

fn taken_in(rules: &Rules, now: Timestamp, arrival: Arrival) -> Desk<'_> {
    let mut desk = Desk::new(rules, now, []);
    take_in(&mut desk, &mut context(1_000_000, None), vec![arrival]);
    desk
}

fn then<'a>(rules: &'a Rules, payout: Payout, now: Timestamp, event: Event) -> Desk<'a> {
    let mut desk = Desk::new(rules, now, [payout]);
    desk.apply(&key(1), event).unwrap();
    desk
}

fn placed(code: HoldCode) -> Event {
    Event::Placed(code, Hold { since: at(0), ..hold() })
}

#[test]
fn an_award_is_received_and_credited() {
    let rules = rules();
    let mut requests = Requests::default();
    let desk = taken_in(&rules, at(0), approved_with(|_| {}));
    assert_eq!(requests.take(&desk), ["payout_received received"]);
    let request = desk.changes.notices[0].clone();
    assert_eq!((request.subject.as_str(), request.recipient.as_str()), ("A-1", "91350100M000100Y43"));

    let mut story = Story::ready(rules.clone());
    story.claim().unwrap();
    for expected in [&["payout_credited credited_1"][..], &[]] {
        let evidence = Event::Evidence { instruction_id: story.id(1), word: settled(), carrier: Carrier::Enquiry };
        let desk = then(&rules, story.payout.clone(), at(60), evidence);
        assert_eq!(requests.take(&desk), expected, "told twice by the bank, once by us");
    }
}

#[test]
fn a_later_tranche_is_a_subject_of_its_own() {
    let rules = rules();
    let desk = taken_in(&rules, at(0), approved_with(|approval| approval.key.tranche = 2));
    assert_eq!(desk.changes.notices[0].subject, "A-1/2");
    assert_eq!(desk.changes.notices[0].application_id, key(1).application_id);
}

#[test]
fn a_refusal_is_told_when_the_enterprise_can_mend_it() {
    for (reason, expected) in [
        ("AC01", &["payout_refused refused_1"][..]),
        ("BE01", &["payout_refused refused_1"]),
        ("AM04", &[]),
        ("TM01", &[]),
        ("AM02", &[]),
    ] {
        let rules = rules();
        let mut story = Story::ready(rules.clone());
        story.claim().unwrap();
        story.call_ends(crate::payout::CallEnd::Answered).unwrap();
        story.says(1, rejected(reason), Carrier::Answer);
        let word = Event::Evidence { instruction_id: story.id(1), word: rejected(reason), carrier: Carrier::Enquiry };
        let desk = then(&rules, story.payout.clone(), at(60), word);
        assert_eq!(Requests::default().take(&desk), expected, "{reason}");
    }
}

#[test]
fn a_return_is_told_by_its_generation_and_an_old_one_to_nobody() {
    let rules = rules();
    for (age_hours, expected) in [(1, &["payout_returned returned_1"][..]), (24 * 8, &[])] {
        let mut story = Story::ready(rules.clone());
        story.claim().unwrap();
        story.says(1, settled(), Carrier::Answer);
        let now = at(3600 * 24 * 10);
        let word = Word::Returned {
            at: now - SignedDuration::from_hours(age_hours),
            reason: "AC04".to_owned(),
            amount: Fen(10_000),
        };
        let evidence = Event::Evidence { instruction_id: story.id(1), word, carrier: Carrier::Statement };
        assert_eq!(Requests::default().take(&then(&rules, story.payout.clone(), now, evidence)), expected);
    }
    // After the correction the next generation's credit is another fact.
    let mut story = Story::ready(rules.clone());
    story.refused("AC01");
    story.corrects("2").unwrap();
    story.claim().unwrap();
    let evidence = Event::Evidence { instruction_id: story.id(2), word: settled(), carrier: Carrier::Answer };
    let desk = then(&rules, story.payout.clone(), at(60), evidence);
    assert_eq!(Requests::default().take(&desk), ["payout_credited credited_2"]);
}

#[test]
fn a_transaction_tells_once_of_the_holds_it_leaves_behind() {
    let rules = rules();
    let wrong_name = |approval: &mut crate::steps::Approval| approval.payee.account_name = "别的公司".to_owned();
    let desk = taken_in(&rules, at(0), approved_with(wrong_name));
    let mut requests = Requests::default();
    assert_eq!(requests.take(&desk), ["payout_held account_name"]);
    // One more reason is told by itself, and one that is not the enterprise's affair is not.
    let payout = desk.payouts[&key(1)].clone();
    let desk = then(&rules, payout, at(10), placed(HoldCode::ObjectionOpen));
    assert_eq!(requests.take(&desk), ["payout_held objection_open"]);
    let desk = then(&rules, desk.payouts[&key(1)].clone(), at(20), placed(HoldCode::KeyRevoked));
    assert_eq!(requests.take(&desk), [""; 0]);
    // Lifted, and held again for the same reason: who waits to hear that it is right now hears that it is not.
    let mut without = desk.payouts[&key(1)].clone();
    without.holds.remove(&HoldCode::ObjectionOpen);
    let again = Event::Placed(HoldCode::ObjectionOpen, Hold { since: at(40), ..hold() });
    let desk = then(&rules, without, at(40), again.clone());
    assert_eq!(requests.take(&desk), ["payout_held objection_open"]);
    let desk = then(&rules, desk.payouts[&key(1)].clone(), at(50), again);
    assert_eq!(requests.take(&desk), [""; 0], "what holds already is not placed again");
    // Corrected, and wrong again: lifted and placed in one transaction.
    let payout = desk.payouts[&key(1)].clone();
    let correction = |account: &str, seconds| {
        let payee = Payee { account_name: "又一公司".to_owned(), ..crate::scenery::payee(account) };
        Event::Corrected { payee, authority: ("t".to_owned(), account.to_owned()), at: at(seconds) }
    };
    let desk = then(&rules, payout, at(60), correction("2", 60));
    assert_eq!(requests.take(&desk), ["payout_held account_name"]);
    let desk = then(&rules, desk.payouts[&key(1)].clone(), at(70), correction("3", 70));
    assert_eq!(requests.take(&desk), ["payout_held account_name"]);
}

fn released(code: HoldCode) -> Event {
    Event::Released { by: crate::ids::OperatorId::from("o-1"), codes: vec![code] }
}

/// The hold's own notice may not have gone yet, at night, say, or when nobody could send.
#[test]
fn an_award_that_was_held_at_once_is_received_when_the_hold_is_lifted_in_time() {
    let rules = rules();
    let wrong_name = |approval: &mut crate::steps::Approval| approval.payee.account_name = "别的公司".to_owned();
    let hour = 3600;
    for (lifted_at, other_hold, expected) in [
        (hour, None, &["payout_received received"][..]),
        (hour, Some(HoldCode::FundShort), &["payout_received received"]),
        (hour, Some(HoldCode::ObjectionOpen), &[]),
        (25 * hour, None, &[]),
    ] {
        let mut requests = Requests::default();
        let desk = taken_in(&rules, at(0), approved_with(wrong_name));
        assert_eq!(requests.take(&desk), ["payout_held account_name"]);
        let mut payout = desk.payouts[&key(1)].clone();
        payout.holds.extend(other_hold.map(|code| (code, hold())));
        let desk = then(&rules, payout, at(lifted_at), released(HoldCode::AccountName));
        assert_eq!(requests.take(&desk), expected, "{lifted_at} {other_hold:?}");
        // Held for another reason and released again: it was asked for once.
        let payout = desk.payouts[&key(1)].clone();
        let desk = then(&rules, payout, at(lifted_at + 10), placed(HoldCode::PayeeChanged));
        assert_eq!(requests.take(&desk), ["payout_held payee_changed"]);
        let desk = then(&rules, desk.payouts[&key(1)].clone(), at(lifted_at + 20), released(HoldCode::PayeeChanged));
        assert_eq!(requests.take(&desk), [""; 0]);
    }
    // A history that is handed in again tells nobody, however its holds end.
    let desk = taken_in(&rules, at(31 * 24 * hour), approved_with(wrong_name));
    let desk = then(&rules, desk.payouts[&key(1)].clone(), at(31 * 24 * hour), released(HoldCode::AccountName));
    assert_eq!(Requests::default().take(&desk), [""; 0]);
}

#[test]
fn a_hold_that_is_lifted_in_its_own_transaction_is_told_to_nobody() {
    let rules = rules();
    let payout = Story::ready(rules.clone()).payout;
    let mut desk = Desk::new(&rules, at(0), [payout]);
    desk.apply(&key(1), placed(HoldCode::AccountName)).unwrap();
    assert_eq!(desk.changes.notices.len(), 1);
    let by = crate::ids::OperatorId::from("o-1");
    desk.apply(&key(1), Event::Released { by, codes: vec![HoldCode::AccountName] }).unwrap();
    assert_eq!(desk.changes.notices, []);
}

#[test]
fn of_the_districts_own_holds_nothing_is_told() {
    let rules = rules();
    for code in HoldCode::ALL {
        let desk = then(&rules, Story::ready(rules.clone()).payout, at(0), placed(*code));
        let told = desk.changes.notices.iter().any(|one| one.kind == NoticeKind::PayoutHeld);
        assert_eq!(told, code.concerns_enterprise(), "{}", code.code());
    }
    for silent in [HoldCode::BankFunds, HoldCode::BankWindow, HoldCode::FundShort, HoldCode::SignatureMismatch] {
        assert!(!silent.concerns_enterprise());
    }
}

#[test]
fn what_will_be_late_is_told_before_they_ask_and_once() {
    let rail = LargeValueRail {
        above: Fen(9_999),
        opens: jiff::civil::time(20, 30, 0, 0),
        closes: jiff::civil::time(17, 15, 0, 0),
        calendar: Arc::new(Calendar::mainland_china().unwrap()),
        zone: rules().zone,
    };
    let friday = rules().zone.to_timestamp("2026-11-20T18:00".parse().unwrap()).unwrap();
    for (large_value, at_once, in_time) in [
        (None, &["payout_received received"][..], &["payout_late overdue"][..]),
        (Some(rail), &["payout_late rail_closed"], &["payout_late overdue"]),
    ] {
        let rules = Rules { large_value, ..rules() };
        let mut requests = Requests::default();
        let desk = taken_in(&rules, friday, approved_with(|approval| approval.approved_at = friday));
        assert_eq!(requests.take(&desk), at_once);
        let mut payout = desk.payouts[&key(1)].clone();
        for (hours, expected) in [(23, &[][..]), (24, in_time), (25, &[])] {
            let mut desk = Desk::new(&rules, friday + SignedDuration::from_hours(hours), [payout]);
            time_passes(&mut desk, &key(1));
            assert_eq!(requests.take(&desk), expected, "{hours} h");
            payout = desk.payouts[&key(1)].clone();
        }
    }
}

#[test]
fn a_history_that_is_handed_in_again_rings_at_no_enterprise() {
    let rules = rules();
    for days in [3, 31] {
        let now = at(days * 24 * 3600);
        let mut desk = taken_in(&rules, now, approved_with(|_| {}));
        assert_eq!(
            Requests::default().take(&desk),
            [""; 0],
            "what comes after {days} days is promised for no moment gone by"
        );
        time_passes(&mut desk, &key(1));
        let late = desk.changes.notices.iter().any(|one| one.kind == NoticeKind::PayoutLate);
        assert_eq!(late, days == 3, "late it is all the same");
    }
    // Its credit of long ago is no news either; one of today is.
    for (age_days, told) in [(9, 0), (1, 1)] {
        let mut story = Story::ready(rules.clone());
        story.claim().unwrap();
        let now = at(40 * 24 * 3600);
        let credited_at = Some(now - SignedDuration::from_hours(24 * age_days));
        let word = Word::Settled { credited_at, bank_reference: None };
        let evidence = Event::Evidence { instruction_id: story.id(1), word, carrier: Carrier::Statement };
        let desk = then(&rules, story.payout.clone(), now, evidence);
        assert_eq!(desk.changes.notices.len(), told);
    }
}
