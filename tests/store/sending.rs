//! Sending: claims, leases, results, resending, the next generation.

use crate::world::{
    Award, World, correction, correction_of, doubtful, fund, key, on_the_way, policy, rejected, settled,
};
use jiff::SignedDuration;
use std::collections::BTreeSet;
use zhida_core::ids::{FundId, MsgId, PolicyId};
use zhida_core::money::Fen;
use zhida_core::payout::HoldCode;
use zhida_core::ports::bank::{CallOutcome, EnquiryOutcome, NotTakenIn, StatusReport, Transfer};
use zhida_core::steps::{Act, Fact, Fund, Policy, TakenIn};

fn not_taken_in() -> CallOutcome {
    CallOutcome::NotTakenIn { why: NotTakenIn::ConnectionRefused, retry_after: None }
}

pub(crate) async fn concurrent_claims_share_nothing(world: World) {
    world.accept(1..=40).await;
    let mut members = Vec::new();
    for round in 0..10 {
        let names = [format!("M-{round}a"), format!("M-{round}b")].map(|name| MsgId::from(name.as_str()));
        let [one, other] = names;
        let both = tokio::join!(world.store.claim(one, 3), world.other.claim(other, 3));
        members.extend([both.0.unwrap(), both.1.unwrap()].into_iter().flatten().flat_map(|claimed| claimed.members));
    }
    let distinct: BTreeSet<_> = members.iter().map(|(member, _)| &member.key).collect();
    assert_eq!(members.len(), distinct.len(), "nothing is claimed twice");
    // A claimer that meets the other's locks may have gone empty-handed; nothing is left in the end.
    while let Some(claimed) = world.claim(&format!("M-{}", members.len())).await {
        members.extend(claimed.members);
    }
    assert_eq!(members.len(), 40);
}

pub(crate) async fn the_oldest_deadline_goes_first(world: World) {
    for (number, hours) in [(1, 1), (2, 3), (3, 2)] {
        let mut award = world.award(number).await;
        award.approved -= SignedDuration::from_hours(hours);
        world.take(&[award.arrival()]).await;
    }
    let order = world.claimed("M-1").await.members.into_iter().map(|(member, _)| member.key);
    assert_eq!(order.collect::<Vec<_>>(), [key(2), key(3), key(1)]);
}

pub(crate) async fn an_expired_lease_is_unknown_and_a_stale_booking_changes_no_claim(world: World) {
    world.accept([1]).await;
    let first = world.claimed("M-1").await;
    assert_eq!(world.store.expire_leases(10).await.unwrap(), 0);
    world.pass(world.rules().bank.lease + SignedDuration::from_secs(1));
    assert_eq!(world.store.expire_leases(10).await.unwrap(), 1);
    assert_eq!(world.states([1]).await, ["unknown"]);
    assert!(world.store.may_write(&first).await.unwrap().is_err(), "the old worker must not write any more");
    let mut second = None;
    for _ in 0..4 {
        world.enquire_finds_nothing().await;
        second = second.or(world.claim("M-2").await);
        if second.is_some() {
            break;
        }
    }
    let second = second.expect("definitively absent: it goes again");
    assert!(second.members[0].1 > first.members[0].1, "a higher epoch");
    world.book(&first, not_taken_in()).await;
    assert_eq!(world.states([1]).await, ["sending"], "a stale result changes no claim");
    world.store.book_not_made(&first, "late").await.unwrap();
    assert_eq!(world.states([1]).await, ["sending"]);
    assert_eq!(world.store.may_write(&second).await.unwrap(), Ok(()));
    world.answer(&second, settled()).await;
    assert_eq!(world.states([1]).await, ["settled"]);
}

pub(crate) async fn what_was_not_taken_in_goes_again_with_the_same_bytes(world: World) {
    world.accept([1, 2]).await;
    let first = world.claimed("M-1").await;
    world.book(&first, not_taken_in()).await;
    assert_eq!(world.states([1, 2]).await, ["ready", "ready"]);
    assert_eq!(world.claim("M-2").await, None, "not before the pause");
    world.pass(world.rules().bank.retry_pause);
    let again = world.claimed("M-3").await;
    assert_eq!((&again.msg_id, &again.bytes), (&first.msg_id, &first.bytes));
    // A hold in between closes it: its members travel otherwise.
    world.book(&again, not_taken_in()).await;
    world.done("O-1", Act::Hold(key(1))).await;
    world.pass(world.rules().bank.retry_pause);
    let without = world.claimed("M-4").await;
    assert_eq!(without.msg_id, MsgId::from("M-4"));
    assert_eq!((without.members.len(), &without.members[0].0.key), (1, &key(2)));
    assert_eq!(world.states([1, 2]).await, ["held", "sending"]);
}

pub(crate) async fn a_definitive_not_found_sends_the_same_bytes_again(world: World) {
    world.accept([1, 2]).await;
    let first = world.claimed("M-1").await;
    world.book(&first, doubtful()).await;
    assert_eq!(world.states([1, 2]).await, ["unknown", "unknown"]);
    assert_eq!(world.claim("M-2").await, None);
    world.enquire_finds_nothing().await;
    let again = world.claimed("M-3").await;
    assert_eq!((&again.msg_id, &again.bytes), (&first.msg_id, &first.bytes));
    world.answer(&again, settled()).await;
    assert_eq!(world.states([1, 2]).await, ["settled", "settled"]);
}

pub(crate) async fn not_found_within_the_window_proves_nothing(world: World) {
    world.accept([1]).await;
    let claimed = world.claimed("M-1").await;
    world.book(&claimed, doubtful()).await;
    assert_eq!(world.enquire(|_| EnquiryOutcome::NotFound).await, 1);
    world.pass(SignedDuration::from_secs(60));
    world.enquire(|_| EnquiryOutcome::NotFound).await;
    assert_eq!(world.states([1]).await, ["unknown"]);
    assert_eq!(world.claim("M-2").await, None, "it may still appear");
    world.enquire_says(settled()).await;
    assert_eq!(world.states([1]).await, ["settled"]);
}

pub(crate) async fn three_definitive_not_found_give_a_new_message_for_the_same_instruction(world: World) {
    world.accept([1]).await;
    let first = world.claimed("M-1").await;
    let id = world.instruction(1).await;
    world.book(&first, doubtful()).await;
    for _ in 0..3 {
        world.enquire_finds_nothing().await;
    }
    let fresh = world.claimed("M-2").await;
    assert_eq!(fresh.msg_id, MsgId::from("M-2"));
    assert_eq!(fresh.members[0].0.instruction_id, id, "the same EndToEndId");
    let content = |bytes: &[u8]| -> Vec<Transfer> {
        let (_, _, transfers): (MsgId, jiff::Timestamp, Vec<Transfer>) = serde_json::from_slice(bytes).unwrap();
        transfers
    };
    assert_eq!(content(&fresh.bytes), content(&first.bytes), "and the same content");
    world.answer(&fresh, settled()).await;
    assert_eq!(world.states([1]).await, ["settled"]);
}

pub(crate) async fn a_batch_with_a_refused_member_is_closed(world: World) {
    world.accept([1, 2, 3]).await;
    let first = world.claimed("M-1").await;
    world.book(&first, doubtful()).await;
    let refused = world.instruction(1).await;
    world.pass(world.rules().bank.visibility + world.rules().bank.lease);
    world
        .enquire(|id| {
            let report = StatusReport { instruction_id: id.clone(), word: rejected("AC01") };
            if *id == refused { EnquiryOutcome::Found(report) } else { EnquiryOutcome::NotFound }
        })
        .await;
    assert_eq!(world.states([1, 2, 3]).await, ["refused", "unknown", "unknown"]);
    let rest = world.claimed("M-2").await;
    let keys: Vec<_> = rest.members.iter().map(|(member, _)| member.key.clone()).collect();
    assert_eq!((rest.msg_id, keys), (MsgId::from("M-2"), vec![key(2), key(3)]));
}

pub(crate) async fn lack_of_funds_and_a_closed_window_give_the_next_generation(world: World) {
    world.accept([1, 2]).await;
    let first = world.claimed("M-1").await;
    let reports = first.members.iter().map(|(member, _)| {
        let reason = if member.key == key(1) { "AM04" } else { "TM01" };
        StatusReport { instruction_id: member.instruction_id.clone(), word: rejected(reason) }
    });
    let reports: Vec<StatusReport> = reports.collect();
    world.book(&first, CallOutcome::Answered(reports.clone())).await;
    assert_eq!(world.states([1, 2]).await, ["unknown", "unknown"], "a refusal counts when an enquiry confirms it");
    let words = |id: &zhida_core::ids::InstructionId| reports.iter().find(|one| one.instruction_id == *id).unwrap();
    world.enquire(|id| EnquiryOutcome::Found(words(id).clone())).await;
    assert_eq!((world.reason(1).await, world.reason(2).await), ("bank_funds".to_owned(), "bank_window".to_owned()));
    assert_eq!(world.claim("M-2").await, None);
    world.pass(world.rules().bank.funds_retry);
    world.sweep().await;
    let next = world.claimed("M-3").await;
    let old: BTreeSet<_> = first.members.iter().map(|(member, _)| &member.instruction_id).collect();
    assert!(next.members.iter().all(|(member, _)| !old.contains(&member.instruction_id)), "new EndToEndIds");
    world.answer(&next, settled()).await;
    assert_eq!(world.states([1, 2]).await, ["settled", "settled"]);
    assert_eq!(world.figures().await.funds[0].committed, Fen(20_000));
}

pub(crate) async fn a_message_refused_whole_is_split_until_the_culprit_is_alone(world: World) {
    world.accept(1..=5).await;
    let culprit = world.instruction(3).await;
    for number in 0..40 {
        let Some(claimed) = world.claim(&format!("M-{number}")).await else { break };
        if claimed.members.iter().any(|(member, _)| member.instruction_id == culprit) {
            world.book(&claimed, CallOutcome::RefusedWhole { reason: "FF01".to_owned(), text: String::new() }).await;
        } else {
            world.answer(&claimed, settled()).await;
        }
    }
    assert_eq!(world.states(1..=5).await, ["settled", "settled", "held", "settled", "settled"]);
    assert_eq!(world.reason(3).await, "format_refused");
    assert_eq!(world.rang("format_refused").await, 1);
}

pub(crate) async fn limits_let_the_rest_wait(world: World) {
    // The limit is 250 yuan in one clock hour; the case begins at the start of one.
    let into = world.now().await.as_second() % 3600;
    world.pass(SignedDuration::from_secs(3600 - into + 1));
    world.accept(1..=4).await;
    let first = world.claimed("M-1").await;
    assert_eq!(first.members.len(), 2);
    assert_eq!(world.claim("M-2").await, None);
    // A repetition is not counted again.
    world.book(&first, not_taken_in()).await;
    world.pass(world.rules().bank.retry_pause);
    world.pay("M-3").await;
    assert_eq!(world.claim("M-4").await, None);
    world.pass(SignedDuration::from_hours(1));
    world.pay("M-5").await;
    assert_eq!(world.states(1..=4).await, ["settled"; 4]);
}

pub(crate) async fn two_handles_never_pass_a_limit(world: World) {
    // The limit is 250 yuan in one clock hour; every round is another hour, at its start.
    let into = world.now().await.as_second() % 3600;
    world.pass(SignedDuration::from_secs(3600 - into + 1));
    world.accept(1..=16).await;
    for round in 0..5 {
        let [one, other] = ["a", "b"].map(|name| MsgId(format!("M-{round}{name}")));
        let both = tokio::join!(world.store.claim(one, 2), world.other.claim(other, 2));
        let claimed = [both.0.unwrap(), both.1.unwrap()].into_iter().flatten();
        assert_eq!(claimed.map(|one| one.members.len()).sum::<usize>(), 2, "what one sends counts for the other");
        world.pass(SignedDuration::from_hours(1));
    }
}

pub(crate) async fn another_account_waits_for_confirmation(world: World) {
    let award = async |number: u32, account: &str| {
        let award = world.award(number).await;
        Award { enterprise: 9, account: account.to_owned(), ..award }.arrival()
    };
    // Handed in together: nothing was paid when they were judged. The one that is due first fixes the account.
    let together = [award(1, "one").await, award(2, "another").await, award(3, "one").await];
    assert_eq!(world.take(&together).await, vec![TakenIn::Accepted; 3]);
    let first = world.claimed("M-1").await;
    assert_eq!(first.members.iter().map(|(member, _)| &member.key).collect::<Vec<_>>(), [&key(1), &key(3)]);
    assert_eq!((world.states([2]).await, world.reason(2).await), (vec!["held"], "payee_changed".to_owned()));
    // While the first is under way, too.
    world.take(&[award(4, "another").await]).await;
    assert_eq!(world.claim("M-2").await, None);
    assert_eq!(world.reason(4).await, "payee_changed");
    world.answer(&first, settled()).await;
    let release = |number| Act::Release(key(number), vec![HoldCode::PayeeChanged]);
    world.done("R-1", release(2)).await;
    world.pay("M-3").await;
    assert_eq!(world.states(1..=4).await, ["settled", "settled", "settled", "held"]);
    // What two officers have confirmed as a correction is confirmed.
    world.take(&[correction_of("c-4", 4, 9, "third")]).await;
    world.pay("M-4").await;
    assert_eq!(world.states([4]).await, ["settled"]);
}

/// The first minute of a day of the district's zone is over.
async fn until_morning(world: &World) {
    let (now, zone) = (world.now().await, world.rules().zone.clone());
    let tomorrow = zone.to_datetime(now).date().tomorrow().unwrap();
    let morning = zone.to_timestamp(tomorrow.at(0, 0, 0, 0)).unwrap();
    world.pass(morning.duration_since(now) + SignedDuration::from_mins(1));
}

pub(crate) async fn a_days_limit_lets_the_rest_wait(world: World) {
    // The limit is 250 yuan in one day of the district's zone; the case begins in the first hour of one.
    until_morning(&world).await;
    world.accept(1..=4).await;
    world.pay("M-1").await;
    world.pass(SignedDuration::from_hours(22));
    assert_eq!(world.claim("M-2").await, None, "another hour of the same day");
    assert_eq!(world.states(1..=4).await, ["settled", "settled", "ready", "ready"]);
    world.pass(SignedDuration::from_hours(2));
    world.pay("M-3").await;
    assert_eq!(world.states(1..=4).await, ["settled"; 4]);
}

pub(crate) async fn an_answer_that_names_others_is_heard(world: World) {
    world.accept([1]).await;
    let first = world.claimed("M-1").await;
    world.answer(&first, rejected("AC01")).await;
    world.enquire_says(rejected("AC01")).await;
    assert_eq!(world.states([1]).await, ["refused"]);
    world.accept([2]).await;
    let second = world.claimed("M-2").await;
    let report = async |number| StatusReport { instruction_id: world.instruction(number).await, word: settled() };
    let reports = vec![report(2).await, report(1).await];
    world.book(&second, CallOutcome::Answered(reports)).await;
    assert_eq!(world.states([1, 2]).await, ["settled"; 2], "evidence counts whoever carries it");
}

pub(crate) async fn one_funds_limit_holds_up_no_other_fund(world: World) {
    // The limit is 250 yuan out of each fund in a day; of the first one more waits than any look takes in.
    let other = Fund { id: FundId::from("F-2"), ..fund(1_000_000) };
    let drawn_on = Policy { id: PolicyId::from("P-2"), fund_id: other.id.clone(), ..policy() };
    world.store.import_policies(&[other], &[drawn_on], "test").await.unwrap();
    until_morning(&world).await;
    world.accept(1..=20).await;
    world.pass(SignedDuration::from_secs(1));
    let mut arrival = world.award(21).await.arrival();
    if let Fact::Approved(approval) = &mut arrival.fact {
        approval.policy_id = PolicyId::from("P-2");
    }
    world.take(&[arrival]).await;
    for name in ["M-1", "M-2", "M-3"] {
        let claimed =
            world.store.claim(MsgId::from(name), 1).await.unwrap().expect("two of the one fund, one of the other");
        world.answer(&claimed, settled()).await;
    }
    let states = world.states(1..=21).await;
    assert_eq!(states[..20].iter().filter(|state| **state == "settled").count(), 2, "{states:?}");
    assert_eq!(states[20], "settled");
    assert_eq!(world.claim("M-4").await, None);
}

pub(crate) async fn a_call_that_was_not_made_leaves_nothing(world: World) {
    world.accept([1]).await;
    let claimed = world.claimed("M-1").await;
    world.done("O-1", Act::Hold(key(1))).await;
    let why = world.store.may_write(&claimed).await.unwrap().unwrap_err();
    world.store.book_not_made(&claimed, &why).await.unwrap();
    assert_eq!(world.states([1]).await, ["held"]);
    assert_eq!(world.claim("M-2").await, None);
    let held = vec![HoldCode::Operator];
    world.done("R-1", Act::Release(key(1), held)).await;
    world.pay("M-3").await;
    assert_eq!(world.states([1]).await, ["settled"]);
}

pub(crate) async fn repeated_bookings_after_unknown_commits_change_nothing(world: World) {
    world.accept([1, 2, 3]).await;
    let claimed = world.claimed("M-1").await;
    let words = [settled(), on_the_way(), rejected("AC01")];
    let report = |(member, word): (&zhida_core::batch::Member, &zhida_core::ports::bank::BankWord)| StatusReport {
        instruction_id: member.instruction_id.clone(),
        word: word.clone(),
    };
    let members = claimed.members.iter().map(|(member, _)| member);
    let outcome = CallOutcome::Answered(members.zip(&words).map(report).collect());
    world.book(&claimed, outcome.clone()).await;
    let before = [world.payout(1).await, world.payout(2).await, world.payout(3).await];
    for _ in 0..3 {
        world.book(&claimed, outcome.clone()).await;
        world.store.book_not_made(&claimed, "never").await.unwrap();
    }
    for (number, before) in (1..).zip(before) {
        let after = world.payout(number).await;
        assert_eq!((after.state(), after.epoch, after.sequence), (before.state(), before.epoch, before.sequence));
        assert_eq!((after.reserved, after.total_held()), (before.reserved, before.total_held()));
    }
    assert_eq!(world.claim("M-2").await, None);
}

pub(crate) async fn an_edited_payee_is_never_paid(world: World) {
    // The signed correction and the payout as stored agree; what an intruder writes into the inbox's body does not.
    world.accept([1]).await;
    let mut forged = correction("c-1", 1, "666");
    forged.body = correction("c-1", 1, "777").body;
    world.take(&[forged]).await;
    assert_eq!(world.claim("M-1").await, None);
    assert_eq!(world.reason(1).await, "signature_mismatch");
    assert_eq!(world.rang("signature_mismatch").await, 1);
}
