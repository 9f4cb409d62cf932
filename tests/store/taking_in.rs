//! Taking in: repetitions, contradictions, funds, caps, what waits for something.

use crate::world::{Award, World, arrival, correction, fund, key, policy, uscc, withdrawal};
use jiff::SignedDuration;
use serde_json::json;
use zhida_core::ids::MsgId;
use zhida_core::money::Fen;
use zhida_core::ports::store::Which;
use zhida_core::steps::{Act, Arrival, Fact, Policy, Quarantined, TakenIn};

fn code(taken: &TakenIn) -> &str {
    match taken {
        TakenIn::Accepted => "accepted",
        TakenIn::Duplicate => "duplicate",
        TakenIn::Quarantined { reason_code, .. } => reason_code,
    }
}

pub(crate) async fn the_same_event_a_thousand_times_is_one_payout(world: World) {
    let event = world.award(1).await.arrival();
    let hundred = vec![event.clone(); 100];
    let mut accepted = 0;
    for _ in 0..5 {
        let both = tokio::join!(world.store.take_in(hundred.clone()), world.other.take_in(hundred.clone()));
        let taken = [both.0.unwrap(), both.1.unwrap()].concat();
        accepted += taken.iter().filter(|one| **one == TakenIn::Accepted).count();
        assert!(taken.iter().all(|one| matches!(one, TakenIn::Accepted | TakenIn::Duplicate)));
    }
    assert_eq!(accepted, 1);
    assert_eq!(world.figures().await.funds[0].committed, Fen(10_000));
}

pub(crate) async fn events_in_any_order_come_to_the_same(world: World) {
    // The correction finds no payout at first and is handed in again, as quarantine says.
    for (number, order) in [(1, [0, 1, 2]), (2, [2, 1, 0]), (3, [1, 2, 0])] {
        let award = world.award(number).await;
        let started = {
            let fact = Fact::PublicityStarted(key(number).application_id, award.approved);
            arrival(&format!("p-{number}"), number, fact, &json!({}))
        };
        let events = [award.arrival(), correction(&format!("c-{number}"), number, "777"), started];
        for place in order.into_iter().chain(order) {
            world.take(&[events[place].clone()]).await;
        }
        world.sweep().await;
        let payout = world.payout(number).await;
        assert_eq!(payout.reason().unwrap().0, "publicity_open", "order {order:?}");
        assert_eq!(payout.payee.account_no, "777", "order {order:?}");
    }
}

pub(crate) async fn messages_that_were_overtaken_change_nothing(world: World) {
    world.accept([1]).await;
    let now = world.now().await;
    let ago = |minutes| now - SignedDuration::from_mins(minutes);
    let corrected = |account: &str, minutes| {
        let mut arrival = correction(account, 1, account);
        if let Fact::PayeeCorrected(_, _, at) = &mut arrival.fact {
            *at = ago(minutes);
        }
        arrival
    };
    assert_eq!(world.take(&[corrected("888", 1)]).await, [TakenIn::Accepted]);
    assert_eq!(code(&world.take(&[corrected("777", 2)]).await[0]), "correction_not_possible");
    let id = || key(1).application_id;
    let notice = |event: &str, fact| arrival(event, 1, fact, &json!({}));
    world.take(&[notice("ended", Fact::PublicityEnded(id(), ago(1)))]).await;
    world.take(&[notice("started", Fact::PublicityStarted(id(), ago(3)))]).await;
    world.take(&[notice("objected", Fact::PublicityObjected(id(), ago(2)))]).await;
    world.sweep().await;
    world.pay("M-1").await;
    assert_eq!(world.payout(1).await.instructions[0].transfer.as_ref().unwrap().payee.account_no, "888");
}

pub(crate) async fn the_same_id_with_other_content_is_quarantined(world: World) {
    let award = world.award(1).await;
    world.take(&[award.arrival()]).await;
    let forged = Award { fen: 99_999, ..award };
    assert_eq!(code(&world.take(&[forged.arrival()]).await[0]), "event_conflict");
    assert_eq!(world.payout(1).await.amount, Fen(10_000));
}

pub(crate) async fn a_second_approval_with_another_account_is_quarantined(world: World) {
    let award = world.award(1).await;
    let second = Award { event: "e-1b".to_owned(), account: "999".to_owned(), ..award.clone() };
    let taken = world.take(&[award.arrival(), second.arrival()]).await;
    assert_eq!([code(&taken[0]), code(&taken[1])], ["accepted", "approval_conflict"]);
    assert_eq!(world.rang("approval_conflict").await, 1);
    world.pay("M-1").await;
    assert_eq!(code(&world.take(&[second.arrival()]).await[0]), "approval_conflict");
    assert_eq!(world.payout(1).await.payee.account_no, award.account);
    assert_eq!(world.claim("M-2").await, None);
}

pub(crate) async fn a_second_identical_approval_is_a_duplicate(world: World) {
    let award = world.award(1).await;
    let second = Award { event: "e-1b".to_owned(), ..award.clone() };
    assert_eq!(world.take(&[award.arrival(), second.arrival()]).await, [TakenIn::Accepted, TakenIn::Duplicate]);
    assert_eq!(world.take(&[second.arrival()]).await, [TakenIn::Duplicate]);
    world.pay("M-1").await;
    assert_eq!(world.claim("M-2").await, None);
    assert_eq!(world.figures().await.by_state["settled"], (1, Fen(10_000)));
}

pub(crate) async fn two_equal_awards_of_one_enterprise_are_both_paid(world: World) {
    let first = Award { enterprise: 9, account: "1".to_owned(), ..world.award(1).await };
    let second = Award { number: 2, event: "e-2".to_owned(), ..first.clone() };
    let third = Award { tranche: 2, event: "e-3".to_owned(), ..first.clone() };
    let arrivals = [first.arrival(), second.arrival(), third.arrival()];
    assert_eq!(world.take(&arrivals).await, vec![TakenIn::Accepted; 3]);
    world.pay("M-1").await;
    assert_eq!(world.figures().await.by_state["settled"], (3, Fen(30_000)));
}

pub(crate) async fn a_short_fund_pays_when_it_is_filled(world: World) {
    world.store.import_policies(&[fund(25_000)], &[policy()], "test").await.unwrap();
    world.accept(1..=4).await;
    assert_eq!(world.states(1..=4).await, ["ready", "ready", "held", "held"]);
    assert_eq!(world.reason(3).await, "fund_short");
    world.pay("M-1").await;
    world.store.import_policies(&[fund(30_000)], &[], "test").await.unwrap();
    world.sweep().await;
    assert_eq!(world.states(1..=4).await, ["settled", "settled", "ready", "held"]);
    // What a cancelled one frees goes to the next.
    world.done("R-1", Act::Cancel(key(3))).await;
    world.sweep().await;
    assert_eq!(world.states(3..=4).await, ["cancelled", "ready"]);
    world.pay("M-2").await;
    assert_eq!(world.figures().await.funds[0].committed, Fen(30_000));
}

pub(crate) async fn a_yearly_cap_holds_what_exceeds_it(world: World) {
    let capped = Policy { cap_per_enterprise_per_year: Some(Fen(20_000)), ..policy() };
    world.store.import_policies(&[fund(1_000_000)], std::slice::from_ref(&capped), "test").await.unwrap();
    for number in 1..=3 {
        let award = Award { enterprise: 7, account: "1".to_owned(), ..world.award(number).await };
        world.take(&[award.arrival()]).await;
    }
    assert_eq!(world.states(1..=3).await, ["ready", "ready", "held"]);
    assert_eq!(world.reason(3).await, "cap_per_enterprise");
    world.done("R-1", Act::Cancel(key(1))).await;
    world.sweep().await;
    assert_eq!(world.states(1..=3).await, ["cancelled", "ready", "ready"]);
    let raised =
        Policy { cap_per_enterprise_per_year: Some(Fen(30_000)), cap_per_application: Some(Fen(5_000)), ..capped };
    world.store.import_policies(&[], &[raised], "test").await.unwrap();
    let award = Award { enterprise: 7, account: "1".to_owned(), ..world.award(4).await };
    world.take(&[award.arrival()]).await;
    assert_eq!(world.reason(4).await, "cap_per_application");
}

pub(crate) async fn two_handles_never_overdraw_a_fund(world: World) {
    world.store.import_policies(&[fund(105_000)], &[policy()], "test").await.unwrap();
    let mut arrivals: Vec<Arrival> = Vec::new();
    for number in 1..=30 {
        arrivals.push(world.award(number).await.arrival());
    }
    let halves = arrivals.split_at(15);
    let both = tokio::join!(world.store.take_in(halves.0.to_vec()), world.other.take_in(halves.1.to_vec()));
    assert_eq!([both.0.unwrap(), both.1.unwrap()].concat(), vec![TakenIn::Accepted; 30]);
    world.store.import_policies(&[fund(155_000)], &[], "test").await.unwrap();
    for _ in 0..10 {
        let both = tokio::join!(world.store.reconsider(3), world.other.reconsider(3));
        assert!(both.0.is_ok() && both.1.is_ok());
    }
    world.sweep().await;
    let figures = world.figures().await;
    assert_eq!(figures.funds[0].committed, Fen(150_000));
    assert_eq!((figures.by_state["ready"].0, figures.by_state["held"].0), (15, 15));
}

pub(crate) async fn a_policy_imported_late_and_a_late_commitment_release(world: World) {
    let mut late = world.award(1).await.arrival();
    if let Fact::Approved(approval) = &mut late.fact {
        approval.policy_id = zhida_core::ids::PolicyId::from("P-late");
    }
    world.take(&[late]).await;
    assert_eq!(world.reason(1).await, "policy_unknown");
    let policy = Policy { id: zhida_core::ids::PolicyId::from("P-late"), commitment_required: true, ..policy() };
    world.store.import_policies(&[], &[policy], "test").await.unwrap();
    world.sweep().await;
    assert_eq!(world.reason(1).await, "commitment_missing");
    let strangers = Fact::CommitmentSigned { commitment_id: "C-1".to_owned(), uscc: "USCC-other".to_owned() };
    world.take(&[arrival("s-0", 1, strangers, &json!({}))]).await;
    world.sweep().await;
    assert_eq!(world.reason(1).await, "commitment_missing", "another enterprise's commitment is none");
    let own = Fact::CommitmentSigned { commitment_id: "C-1".to_owned(), uscc: uscc(1) };
    world.take(&[arrival("s-1", 1, own, &json!({}))]).await;
    world.sweep().await;
    world.pay("M-1").await;
    assert_eq!(world.states([1]).await, ["settled"]);
}

pub(crate) async fn an_end_before_the_approval_holds_it(world: World) {
    assert_eq!(world.take(&[withdrawal("w-1", 1)]).await, [TakenIn::Accepted]);
    world.accept([1]).await;
    assert_eq!(world.reason(1).await, "application_ended");
    world.sweep().await;
    assert_eq!(world.states([1]).await, ["held"]);
    assert_eq!(world.store.claim(MsgId::from("M-1"), 10).await.unwrap(), None);
    assert_eq!(world.figures().await.funds[0].committed, Fen::ZERO);
}

pub(crate) async fn an_approval_after_the_end_is_a_conflict(world: World) {
    world.accept([1]).await;
    assert_eq!(world.take(&[withdrawal("w-1", 1)]).await, [TakenIn::Accepted]);
    assert_eq!(world.states([1]).await, ["cancelled"]);
    let again = Award { event: "e-1b".to_owned(), ..world.award(1).await };
    assert_eq!(code(&world.take(&[again.arrival()]).await[0]), "approval_conflict");
    assert_eq!(world.rang("approval_conflict").await, 1);
    // The very event of the first approval, handed in again, is still only a repetition.
    assert_eq!(world.take(&[world.award(1).await.arrival()]).await, [TakenIn::Duplicate]);
}

pub(crate) async fn a_tranche_approved_after_the_end_is_a_conflict(world: World) {
    world.accept([1, 2]).await;
    world.take(&[withdrawal("w-1", 1)]).await;
    world.done("R-1", Act::Cancel(key(2))).await;
    let tranche = |award: Award| Award { tranche: 2, event: format!("{}b", award.event), ..award }.arrival();
    let (of_ended, of_cancelled) = (tranche(world.award(1).await), tranche(world.award(2).await));
    let taken = world.take(&[of_ended, of_cancelled]).await;
    assert_eq!([code(&taken[0]), code(&taken[1])], ["approval_conflict", "accepted"], "an officer cancels one tranche");
    assert_eq!(world.rang("approval_conflict").await, 1);
}

pub(crate) async fn quarantine_is_kept_until_it_is_closed(world: World) {
    let item = |text: &str| Quarantined {
        body: text.as_bytes().to_vec(),
        way: "http".to_owned(),
        source: None,
        event_id: None,
        event_type: None,
        reason_code: "not_json".to_owned(),
        field: Some("amount".to_owned()),
        reason: "not JSON at byte 0".to_owned(),
    };
    world.store.quarantine(vec![item("one"), item("two\u{0}")]).await.unwrap();
    world.other.quarantine(vec![item("one")]).await.unwrap();
    let rows = world.store.quarantine_rows(Which::Open).await.unwrap();
    assert_eq!(rows.len(), 2, "the same twice is one");
    assert_eq!(rows[1].item, item("two\u{0}"));
    assert_eq!(world.figures().await.quarantine_by_code["not_json"], 2);
    assert!(world.store.close_quarantine(&rows[0].id, "discarded", "R-1", "noise").await.unwrap());
    assert!(!world.other.close_quarantine(&rows[0].id, "replayed", "R-1", "late").await.unwrap());
    assert_eq!(world.store.quarantine_rows(Which::Open).await.unwrap().len(), 1);
    let all = world.store.quarantine_rows(Which::All).await.unwrap();
    assert_eq!((all.len(), all[0].state.as_str()), (2, "discarded"));
    assert_eq!(all[0].closed.as_ref().map(|(by, _, why)| (by.as_str(), why.as_str())), Some(("R-1", "noise")));
}
