//! People, time, outbox, figures.

use crate::world::{Award, World, correction, doubtful, key, settled, signed};
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};
use zhida_core::ids::{InstructionId, OperatorId};
use zhida_core::money::Fen;
use zhida_core::payout::{Carrier, Decision, HoldCode, PayoutState, Word};
use zhida_core::ports::bank::{CallOutcome, NotTakenIn};
use zhida_core::ports::queue::Destination;
use zhida_core::ports::store::{Acted, PayoutFilter, SignedAct, StoreError};
use zhida_core::steps::{Act, ActOutcome, Operator, TakenIn};

const AWAITS: Acted = Acted::Done(ActOutcome::AwaitsSecondOfficer);
const DONE: Acted = Acted::Done(ActOutcome::Done);

fn was_refused(acted: &Acted) -> bool {
    matches!(acted, Acted::Refused(_))
}

pub(crate) async fn holds_and_releases_by_two_officers(world: World) {
    let mut old = world.award(1).await;
    old.approved -= SignedDuration::from_hours(24);
    let approver_missing = zhida_core::steps::Policy { release_limit: Some(Fen(5_000)), ..crate::world::policy() };
    world.store.import_policies(&[], &[approver_missing], "test").await.unwrap();
    world.take(&[old.arrival()]).await;
    assert_eq!(world.reason(1).await, "officers_missing");
    let release = || Act::Release(key(1), vec![HoldCode::OfficersMissing]);
    assert!(was_refused(&world.act("O-1", release()).await), "an operator may hold, not release");
    assert_eq!(world.act("R-1", release()).await, AWAITS);
    assert!(was_refused(&world.act("R-1", release()).await), "the same officer twice is one");
    world.sweep().await;
    assert_eq!(world.states([1]).await, ["held"]);
    assert_eq!(world.act("R-2", release()).await, DONE);
    world.sweep().await;
    assert_eq!(world.states([1]).await, ["ready"]);
    world.done("O-1", Act::Hold(key(1))).await;
    assert_eq!(world.claim("M-1").await, None);
    let short = Act::Release(key(1), vec![HoldCode::FundShort]);
    assert!(was_refused(&world.act("R-1", short).await), "no such hold");
    world.done("R-1", Act::Release(key(1), vec![HoldCode::Operator])).await;
    world.pay("M-2").await;
    assert_eq!(world.states([1]).await, ["settled"]);
}

pub(crate) async fn the_stop_switch_needs_two_to_open(world: World) {
    world.accept([1]).await;
    let claimed = world.claimed("M-1").await;
    world.done("O-1", Act::Stop).await;
    assert!(world.other.may_write(&claimed).await.unwrap().is_err(), "also what is claimed already is not sent");
    world.store.book_not_made(&claimed, "stopped").await.unwrap();
    assert_eq!(world.claim("M-2").await, None);
    assert!(world.figures().await.stopped);
    assert!(was_refused(&world.act("O-1", Act::Resume).await));
    assert_eq!(world.act("R-1", Act::Resume).await, AWAITS);
    assert!(was_refused(&world.act("R-1", Act::Resume).await));
    assert_eq!(world.claim("M-3").await, None);
    assert_eq!(world.act("R-2", Act::Resume).await, DONE);
    assert!(was_refused(&world.act("R-2", Act::Resume).await), "open already");
    world.pay("M-4").await;
    assert_eq!(world.states([1]).await, ["settled"]);
}

pub(crate) async fn cancel_works_from_held_and_ready_alone(world: World) {
    world.accept([1, 2, 3]).await;
    world.done("O-1", Act::Hold(key(1))).await;
    world.done("R-1", Act::Cancel(key(1))).await;
    world.done("R-1", Act::Cancel(key(2))).await;
    let claimed = world.claimed("M-1").await;
    assert!(was_refused(&world.act("R-1", Act::Cancel(key(3))).await));
    world.book(&claimed, doubtful()).await;
    assert!(was_refused(&world.act("R-1", Act::Cancel(key(3))).await));
    world.enquire_says(settled()).await;
    assert!(was_refused(&world.act("R-1", Act::Cancel(key(3))).await));
    for number in 1..=3 {
        assert!(was_refused(&world.act("O-1", Act::Hold(key(number))).await), "a hold would promise what it cannot do");
    }
    assert_eq!(world.states(1..=3).await, ["cancelled", "cancelled", "settled"]);
    assert_eq!(world.figures().await.funds[0].committed, Fen(10_000));
}

pub(crate) async fn two_officers_close_what_is_absent(world: World) {
    world.accept([1]).await;
    let claimed = world.claimed("M-1").await;
    world.book(&claimed, doubtful()).await;
    let close = Act::Decide(key(1), world.instruction(1).await, Decision::Close);
    assert!(was_refused(&world.act("R-1", close.clone()).await), "nobody knows yet that it is absent");
    world.enquire_finds_nothing().await;
    assert_eq!(world.act("R-1", close.clone()).await, AWAITS);
    assert_eq!(world.act("R-2", close).await, DONE);
    assert_eq!(world.states([1]).await, ["cancelled"]);
    assert_eq!(world.claim("M-2").await, None);
    assert_eq!(world.figures().await.funds[0].committed, Fen::ZERO);
}

pub(crate) async fn acts_are_done_once_and_refusals_leave_a_trace(world: World) {
    world.accept([1]).await;
    let hold = signed("act-once", "O-1", Act::Hold(key(1)));
    assert_eq!(world.store.act(&hold).await.unwrap(), DONE);
    assert_eq!(world.other.act(&hold).await.unwrap(), Acted::Duplicate);
    let other_content = SignedAct { content_sha256: "other".to_owned(), ..signed("act-once", "O-1", Act::Stop) };
    assert_eq!(world.other.act(&other_content).await.unwrap(), Acted::Conflict);
    assert!(!world.figures().await.stopped, "a conflict does nothing");
    assert_eq!(world.store.act(&hold).await.unwrap(), Acted::Duplicate, "and changes nothing that is remembered");
    let stranger = signed("act-strange", "nobody", Act::Stop);
    let gone = world.store.operators().await.unwrap().into_iter().find(|one| one.id.0 == "R-2").unwrap();
    world.store.put_operator(&Operator { disabled_at: Some(world.now().await), ..gone }, "test").await.unwrap();
    let disabled = Acted::UnknownOperator(OperatorId::from("R-2"));
    assert_eq!(world.act("R-2", Act::Stop).await, disabled, "disabled since the signature was checked");
    let unknown = Acted::UnknownOperator(OperatorId::from("nobody"));
    assert_eq!(world.store.act(&stranger).await.unwrap(), unknown);
    assert!(was_refused(&world.act("O-1", Act::Cancel(key(1))).await));
    let trace = world.store.trace(&key(1).application_id).await.unwrap();
    let by_operator = trace.iter().filter(|row| row.by == "O-1").count();
    assert!(by_operator >= 2, "the act and the refused attempt: {trace:?}");
    assert!(trace.is_sorted_by_key(|row| row.sequence));
}

pub(crate) async fn a_revoked_key_holds_what_it_approved(world: World) {
    let stolen = Award { keyid: "stolen", ..world.award(1).await };
    world.take(&[stolen.arrival()]).await;
    world.accept([2]).await;
    assert_eq!(world.reason(1).await, "key_revoked");
    assert_eq!(world.store.hold_revoked(10).await.unwrap(), 0, "held at its arrival");
    world.pay("M-1").await;
    assert_eq!(world.states([1, 2]).await, ["held", "settled"]);
}

pub(crate) async fn a_key_revoked_later_holds_what_may_still_go(world: World) {
    world.accept([1]).await;
    let claimed = world.claimed("M-1").await;
    world.book(&claimed, doubtful()).await;
    world.accept([2]).await;
    world.revoke("key-1");
    assert_eq!(world.store.hold_revoked(10).await.unwrap(), 2);
    assert_eq!(world.store.hold_revoked(10).await.unwrap(), 0);
    assert_eq!(world.states([1, 2]).await, ["unknown", "held"]);
    world.enquire_finds_nothing().await;
    assert_eq!(world.claim("M-2").await, None, "absent at the bank, and not sent again");
    let release = || Act::Release(key(1), vec![HoldCode::KeyRevoked]);
    assert_eq!(world.act("R-1", release()).await, AWAITS);
    assert_eq!(world.act("R-2", release()).await, DONE);
    world.pay("M-3").await;
    assert_eq!(world.states([1, 2]).await, ["settled", "held"]);
}

pub(crate) async fn what_a_revoked_key_signed_is_not_sent_before_the_sweep_comes(world: World) {
    world.accept([1]).await;
    let claimed = world.claimed("M-1").await;
    let not_taken_in = CallOutcome::NotTakenIn { why: NotTakenIn::ConnectionRefused, retry_after: None };
    world.book(&claimed, not_taken_in).await;
    world.accept([2]).await;
    // A correction redirects what another key has approved.
    let approved = Award { keyid: "key-2", ..world.award(3).await };
    world.take(&[approved.arrival(), correction("c-3", 3, "777")]).await;
    let others = Award { keyid: "key-2", ..world.award(4).await };
    world.take(&[others.arrival()]).await;
    world.revoke("key-1");
    world.pass(world.rules().bank.retry_pause);
    let claimed = world.claimed("M-2").await;
    assert_eq!(claimed.members.iter().map(|(member, _)| &member.key).collect::<Vec<_>>(), [&key(4)]);
    assert_eq!(world.claim("M-3").await, None);
    assert_eq!(world.states(1..=4).await, ["held", "held", "held", "sending"]);
    for number in 1..=3 {
        assert_eq!(world.reason(number).await, "key_revoked");
        let release = || Act::Release(key(number), vec![HoldCode::KeyRevoked]);
        assert_eq!(world.act("R-1", release()).await, AWAITS);
        assert_eq!(world.act("R-2", release()).await, DONE);
    }
    world.pay("M-4").await;
    assert_eq!(world.states(1..=3).await, ["settled"; 3], "two officers stand in for the key");
}

pub(crate) async fn alerts_of_the_24_hours_are_given_once(world: World) {
    world.accept([1, 2]).await;
    world.done("O-1", Act::Hold(key(1))).await;
    world.pay("M-1").await;
    assert_eq!(world.store.time_passes(10).await.unwrap(), 0);
    world.pass(SignedDuration::from_hours(13));
    assert_eq!(world.store.time_passes(10).await.unwrap(), 1, "a settled one is late no more");
    assert_eq!(world.store.time_passes(10).await.unwrap(), 0);
    assert_eq!(world.figures().await.at_risk, 1);
    world.pass(SignedDuration::from_hours(12));
    assert_eq!(world.other.time_passes(10).await.unwrap(), 1);
    assert_eq!(world.store.time_passes(10).await.unwrap(), 0);
    assert_eq!((world.figures().await.at_risk, world.figures().await.overdue), (0, 1));
}

pub(crate) async fn the_outbox_loses_nothing_between_two_relays(world: World) {
    let mut heard = BTreeSet::new();
    for round in 0..6 {
        // Awards come in while two relays look: a row that commits later may bear a smaller number.
        let (one, other) = (world.award(round * 2 + 1).await.arrival(), world.award(round * 2 + 2).await.arrival());
        let (first, second, mine, theirs) = tokio::join!(
            world.store.take_in(vec![one]),
            world.other.take_in(vec![other]),
            world.store.claim_outbox(2),
            world.other.claim_outbox(2),
        );
        assert!(first.is_ok() && second.is_ok());
        let (mine, theirs) = (mine.unwrap(), theirs.unwrap());
        for row in mine.iter().chain(&theirs) {
            assert!(heard.insert(row.id.clone()), "row {} in two hands", row.id);
        }
        let ids =
            |rows: &[zhida_core::ports::store::OutboxRow]| rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
        world.store.outbox_sent(&ids(&mine)).await.unwrap();
        world.store.outbox_sent(&ids(&mine)).await.unwrap();
        // The second relay's broker refused: these come again at once.
        world.other.outbox_kept(&ids(&theirs)).await.unwrap();
        theirs.iter().for_each(|row| assert!(heard.remove(&row.id)));
    }
    loop {
        let rows = world.store.claim_outbox(7).await.unwrap();
        if rows.is_empty() {
            break;
        }
        rows.iter().for_each(|row| assert!(heard.insert(row.id.clone()), "row {} twice", row.id));
        world.store.outbox_sent(&rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>()).await.unwrap();
    }
    assert_eq!(world.figures().await.outbox.0, 0);
    assert!(heard.len() >= 12, "at least one row for each award");
}

/// CONTRACT: `sequence` is counted per subject. Two tranches of one application move at the same time, on two handles.
pub(crate) async fn events_of_one_application_are_numbered_without_gaps_over_its_tranches(world: World) {
    let first = world.award(1).await;
    let second = Award { tranche: 2, event: "e-1-2".to_owned(), ..first.clone() };
    let (one, other) =
        tokio::join!(world.store.take_in(vec![first.arrival()]), world.other.take_in(vec![second.arrival()]));
    assert_eq!([one.unwrap(), other.unwrap()], [[TakenIn::Accepted], [TakenIn::Accepted]]);
    let claimed = world.claimed("M-1").await;
    assert_eq!(claimed.members.len(), 2, "both in one transaction");
    world.book(&claimed, doubtful()).await;
    let returned = Word::Returned { at: world.now().await, reason: "AC04".to_owned(), amount: Fen(10_000) };
    let paid = Word::Settled { credited_at: None, bank_reference: None };
    for word in [Word::OnTheWay, Word::Duplicate, paid, returned] {
        let [mine, theirs] = [0, 1].map(|place| claimed.members[place].0.instruction_id.clone());
        let (mine, theirs) = ([(mine, word.clone(), Carrier::Pushed)], [(theirs, word, Carrier::Pushed)]);
        let (one, other) = tokio::join!(world.store.book_evidence(&mine), world.other.book_evidence(&theirs));
        assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    }
    let mut numbers = Vec::new();
    let rows = world.store.claim_outbox(1_000).await.unwrap();
    for row in rows.iter().filter(|row| matches!(row.destination, Destination::World { .. })) {
        let event: serde_json::Value = serde_json::from_slice(&row.body).unwrap();
        if event["subject"] == "A-1" {
            numbers.push(event["sequence"].as_u64().unwrap());
        }
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    assert!(
        numbers.len() >= 12,
        "each tranche was received, submitted, unknown, pending, settled, returned: {numbers:?}"
    );
}

pub(crate) async fn lost_doorbells_are_rung_again(world: World) {
    world.accept([1]).await;
    let take_all = async || {
        let rows = world.store.claim_outbox(100).await.unwrap();
        world.store.outbox_sent(&rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>()).await.unwrap();
        rows.iter().filter(|row| row.destination == Destination::PayoutDoorbell).count()
    };
    assert_eq!(take_all().await, 1);
    // The broker lost it. A waiting payout is rung for again after a while, not at once and not twice.
    world.pass(SignedDuration::from_mins(30));
    assert!(world.store.ring_again().await.unwrap() > 0);
    assert_eq!(world.store.ring_again().await.unwrap(), 0, "it is in the outbox");
    assert!(take_all().await > 0);
    world.pay("M-1").await;
    take_all().await;
    world.pass(SignedDuration::from_mins(30));
    assert_eq!(world.store.ring_again().await.unwrap(), 0, "nothing waits");
}

pub(crate) async fn alarms_are_figures_for_an_hour(world: World) {
    let unknown = InstructionId::from("NOBODY-KNOWS-IT");
    world.hear(&unknown, Word::OnTheWay, Carrier::Pushed).await;
    let counts = async |world: &World| {
        let figures = world.other.figures().await.unwrap();
        let of = |counts: &BTreeMap<String, u64>| counts.get("unknown_instruction").copied().unwrap_or_default();
        (of(&figures.alarms_last_hour), of(&figures.alarms_by_kind))
    };
    assert_eq!(counts(&world).await, (1, 1), "also for a process that was not there when it rang");
    world.pass(SignedDuration::from_mins(59));
    assert_eq!(counts(&world).await, (1, 1));
    world.pass(SignedDuration::from_mins(2));
    assert_eq!(counts(&world).await, (0, 1));
}

pub(crate) async fn one_key_is_one_person(world: World) {
    let all = world.store.operators().await.unwrap();
    let known = |id: &str| all.iter().find(|one| one.id.0 == id).unwrap().clone();
    let borrowed = Operator { public_key: known("R-1").public_key, ..known("R-2") };
    for operator in [borrowed.clone(), Operator { id: OperatorId::from("R-3"), ..borrowed.clone() }] {
        let refused = world.store.put_operator(&operator, "test").await.unwrap_err();
        assert!(matches!(refused, StoreError::Conflict(_)), "{refused}");
    }
    assert_eq!(world.store.operators().await.unwrap(), all, "nothing was written");
    // Who acts no longer lends no eye: the key may go on with its owner's new name.
    let disabled_at = Some(world.now().await);
    world.store.put_operator(&Operator { disabled_at, ..known("R-1") }, "test").await.unwrap();
    world.store.put_operator(&Operator { id: OperatorId::from("R-3"), ..borrowed }, "test").await.unwrap();
}

pub(crate) async fn a_payout_with_two_holds_counts_under_both(world: World) {
    let greedy = Award { fen: 2_000_000, ..world.award(1).await };
    world.take(&[greedy.arrival()]).await;
    assert_eq!(world.reason(1).await, "fund_short");
    world.done("O-1", Act::Hold(key(1))).await;
    let both = BTreeMap::from([("fund_short".to_owned(), 1), ("operator".to_owned(), 1)]);
    assert_eq!(world.figures().await.held_by_code, both);
}

pub(crate) async fn figures_and_pages_tell_the_state(world: World) {
    world.accept(1..=5).await;
    world.done("O-1", Act::Hold(key(5))).await;
    let claimed = world.store.claim("M-1".into(), 2).await.unwrap().unwrap();
    world.answer(&claimed, settled()).await;
    let claimed = world.store.claim("M-2".into(), 1).await.unwrap().unwrap();
    world.book(&claimed, doubtful()).await;
    let figures = world.figures().await;
    let count = |state: &str| figures.by_state.get(state).copied().unwrap_or_default();
    assert_eq!([count("settled").0, count("unknown").0, count("ready").0, count("held").0], [2, 1, 1, 1]);
    assert_eq!(count("settled").1, Fen(20_000));
    assert_eq!(figures.held_by_code, BTreeMap::from([("operator".to_owned(), 1)]));
    assert!(figures.oldest_unpaid.is_some() && figures.oldest_unknown.is_some() && !figures.stopped);
    assert_eq!(figures.funds[0].committed, Fen(50_000));
    let mut filter = PayoutFilter { limit: 2, ..PayoutFilter::default() };
    let mut seen = Vec::new();
    loop {
        let page = world.other.payouts(&filter).await.unwrap();
        seen.extend(page.items.into_iter().map(|one| one.key));
        let Some(next) = page.next else { break };
        filter.before = Some(next);
    }
    let distinct: BTreeSet<_> = seen.iter().cloned().collect();
    assert_eq!((seen.len(), distinct.len()), (5, 5));
    assert_eq!((&seen[0], &seen[4]), (&key(5), &key(1)), "newest first");
    let held = PayoutFilter { state: Some(PayoutState::Held), limit: 10, ..PayoutFilter::default() };
    assert_eq!(world.store.payouts(&held).await.unwrap().items.len(), 1);
}

/// The large-value rail opens at no time that matters here; awards of 100 yuan need it.
pub(crate) async fn a_closed_rail_is_told_at_once_and_counted_apart(world: World) {
    world.accept([1]).await;
    let small = Award { fen: 5_000, ..world.award(2).await };
    world.take(&[small.arrival()]).await;
    let counts = async || {
        let figures = world.figures().await;
        (figures.at_risk, figures.at_risk_rail_closed, figures.overdue)
    };
    assert_eq!(counts().await, (0, 1, 0), "at its arrival");
    assert_eq!(world.store.time_passes(10).await.unwrap(), 0, "told once");
    world.pass(SignedDuration::from_hours(13));
    assert_eq!(world.store.time_passes(10).await.unwrap(), 2, "both are told that half of their time is over");
    assert_eq!(counts().await, (1, 1, 0), "each is counted under one reason");
    let trace = world.store.trace(&key(1).application_id).await.unwrap();
    assert_eq!(trace.iter().filter(|row| row.kind == "payout.at_risk_rail_closed").count(), 1);
    world.pass(SignedDuration::from_hours(12));
    world.store.time_passes(10).await.unwrap();
    assert_eq!(counts().await, (0, 0, 2));
}
