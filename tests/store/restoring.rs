//! A database that went back in time: noticed, recovered, and never a reason to pay twice.

use crate::world::{World, key, policy, rejected, settled};
use jiff::SignedDuration;
use zhida_core::ids::{InstructionId, MsgId, PolicyId};
use zhida_core::money::Fen;
use zhida_core::payout::{Carrier, Word};
use zhida_core::ports::bank::{CallOutcome, EnquiryOutcome, StatusReport};
use zhida_core::ports::store::{Acted, Position, Verdict};
use zhida_core::steps::{Act, ActRefused, Fact, Policy, TakenIn};

async fn verdict(world: &World, noted: &Position) -> Verdict {
    world.store.compare(Some(noted)).await.unwrap().verdict
}

async fn recover(world: &World) {
    let opens_from = world.now().await + SignedDuration::from_hours(24);
    world.store.recover(opens_from, "test", "a backup").await.unwrap();
}

/// Two officers, when the bank day is over.
async fn open(world: &World) {
    world.pass(SignedDuration::from_hours(25));
    world.act("R-1", Act::Resume).await;
    world.done("R-2", Act::Resume).await;
}

fn successor(number: u32, generation: u32) -> InstructionId {
    InstructionId::derive("example", &key(number), generation)
}

pub(crate) async fn going_back_is_noticed_and_going_on_is_not(world: World) {
    world.accept([1]).await;
    let noted = world.store.compare(None).await.unwrap().now;
    world.accept([2]).await;
    assert_eq!(verdict(&world, &noted).await, Verdict::Onward);
    let (sequence, _) = noted.head.clone().unwrap();
    let other_row = Position { head: Some((sequence, "another leaf".to_owned())), ..noted.clone() };
    let lost_row = Position { head: Some((sequence + 1_000, "a leaf".to_owned())), ..noted.clone() };
    let other_database = Position { incarnation: "another".to_owned(), ..noted.clone() };
    for gone in [&other_row, &lost_row, &other_database] {
        assert_eq!(verdict(&world, gone).await, Verdict::WentBack, "{gone:?}");
    }
    recover(&world).await;
    // Another machine's copy speaks of the incarnation before: it is renewed, not rung about.
    assert_eq!(verdict(&world, &lost_row).await, Verdict::Onward);
    assert_eq!(verdict(&world, &other_database).await, Verdict::WentBack);
}

pub(crate) async fn sending_closes_until_a_bank_day_after_the_recovery(world: World) {
    world.accept([1]).await;
    world.store.close_sending("test").await.unwrap();
    world.store.close_sending("test").await.unwrap();
    assert_eq!(world.rang("database_went_back").await, 1);
    assert_eq!(world.claim("M-1").await, None);
    assert_eq!(world.act("R-1", Act::Resume).await, Acted::Refused(ActRefused::NotRecovered));
    recover(&world).await;
    let refused = world.act("R-1", Act::Resume).await;
    assert!(matches!(refused, Acted::Refused(ActRefused::BankDayOpen(_))), "{refused:?}");
    assert_eq!(world.states([1]).await, ["unknown"], "a lost history may have sent it");
    world.enquire_finds_nothing().await;
    assert_eq!(world.states([1]).await, ["ready"]);
    assert_eq!(world.claim("M-2").await, None, "ready, and sending is closed");
    open(&world).await;
    world.pay("M-3").await;
    assert_eq!(world.states([1]).await, ["settled"]);
}

pub(crate) async fn a_backup_of_a_recovered_database_is_recovered_again(world: World) {
    // Sending waits to be opened, and in a later history it was: a database that goes back to this moment has lost that.
    world.accept([1]).await;
    world.store.close_sending("test").await.unwrap();
    recover(&world).await;
    world.enquire_finds_nothing().await;
    world.pass(SignedDuration::from_hours(25));
    world.store.close_sending("back again").await.unwrap();
    assert_eq!(world.rang("database_went_back").await, 2);
    assert_eq!(world.act("R-1", Act::Resume).await, Acted::Refused(ActRefused::NotRecovered));
    recover(&world).await;
    let refused = world.act("R-1", Act::Resume).await;
    assert!(matches!(refused, Acted::Refused(ActRefused::BankDayOpen(_))), "{refused:?}");
    assert_eq!(world.states([1]).await, ["unknown"], "in doubt once more");
}

pub(crate) async fn what_a_lost_history_paid_is_found_and_not_paid_again(world: World) {
    world.accept([1, 2]).await;
    recover(&world).await;
    // 1 was paid by its first generation, 2 by its second: the bank knows nothing of the first.
    world.pass(world.rules().bank.visibility + world.rules().bank.lease);
    let paid = [world.instruction(1).await, successor(2, 2)];
    let found = |id: &InstructionId| StatusReport { instruction_id: id.clone(), word: settled() };
    let asked = world
        .enquire(|id| if paid.contains(id) { EnquiryOutcome::Found(found(id)) } else { EnquiryOutcome::NotFound })
        .await;
    assert_eq!(asked, 4, "each, and the successor of each");
    assert_eq!(world.states([1, 2]).await, ["settled", "settled"]);
    assert_eq!(world.payout(2).await.instructions.len(), 2);
    open(&world).await;
    assert_eq!(world.claim("M-1").await, None);
}

pub(crate) async fn the_first_stays_while_its_successor_is_not_known_to_be_absent(world: World) {
    world.accept([1]).await;
    recover(&world).await;
    let first = world.instruction(1).await;
    // Within the window "not found" says nothing of the successor either.
    world.pass(world.rules().bank.lease);
    assert_eq!(world.enquire(|_| EnquiryOutcome::NotFound).await, 2);
    let silent = || EnquiryOutcome::NoAnswer { why: "time-out".to_owned(), retry_after: None };
    for _ in 0..3 {
        world.pass(world.rules().bank.visibility + world.rules().bank.lease);
        let asked = world.enquire(|id| if *id == first { EnquiryOutcome::NotFound } else { silent() }).await;
        assert_eq!(asked, 2, "each, and its successor");
    }
    open(&world).await;
    assert_eq!(world.states([1]).await, ["unknown"]);
    assert_eq!(world.claim("M-1").await, None, "a lost history may have paid with the successor");
    world.enquire_finds_nothing().await;
    world.pay("M-2").await;
    assert_eq!(world.states([1]).await, ["settled"]);
}

pub(crate) async fn an_approval_from_before_the_restore_is_asked_for_first(world: World) {
    let old = world.award(1).await;
    recover(&world).await;
    world.pass(world.rules().max_ahead + SignedDuration::from_secs(1));
    let new = world.award(2).await;
    assert_eq!(world.take(&[old.arrival(), new.arrival()]).await, [TakenIn::Accepted, TakenIn::Accepted]);
    assert_eq!(world.states([1, 2]).await, ["unknown", "ready"]);
    assert!(world.payout(1).await.epoch > 1_000_000, "no claim of a lost history is met again");
}

pub(crate) async fn an_approval_ahead_of_the_clock_is_from_before_the_restore(world: World) {
    // Lawfully dated two minutes ahead, taken in and paid; then the database is lost and recovered within those minutes.
    let mut ahead = world.award(1).await;
    ahead.approved += SignedDuration::from_mins(2);
    recover(&world).await;
    assert_eq!(world.take(&[ahead.arrival()]).await, [TakenIn::Accepted]);
    assert_eq!(world.states([1]).await, ["unknown"], "asked for first");
}

pub(crate) async fn evidence_that_came_before_its_approval_is_heard(world: World) {
    let old = world.award(1).await;
    recover(&world).await;
    let debit = Word::Settled { credited_at: None, bank_reference: Some("R-7".to_owned()) };
    world.hear(&successor(1, 2), debit, Carrier::Statement).await;
    assert_eq!(world.rang("unknown_instruction").await, 1);
    assert_eq!(world.take(&[old.arrival()]).await, [TakenIn::Accepted]);
    assert_eq!(world.states([1]).await, ["settled"], "by a generation that this database had forgotten");
}

pub(crate) async fn what_was_paid_before_its_policy_is_known_is_charged_when_it_is(world: World) {
    recover(&world).await;
    let mut old = world.award(1).await;
    old.approved -= SignedDuration::from_hours(1);
    let mut arrival = old.arrival();
    if let Fact::Approved(approval) = &mut arrival.fact {
        approval.policy_id = PolicyId::from("P-9");
    }
    assert_eq!(world.take(&[arrival]).await, [TakenIn::Accepted]);
    world.pass(world.rules().bank.visibility + world.rules().bank.lease);
    let id = world.instruction(1).await;
    let paid = |one: &InstructionId| StatusReport { instruction_id: one.clone(), word: settled() };
    let found = |one: &InstructionId| {
        if *one == id { EnquiryOutcome::Found(paid(one)) } else { EnquiryOutcome::NotFound }
    };
    world.enquire(found).await;
    assert_eq!(world.states([1]).await, ["settled"]);
    let late = Policy { id: PolicyId::from("P-9"), ..policy() };
    world.store.import_policies(&[], &[late], "test").await.unwrap();
    world.sweep().await;
    let committed = world.store.funds().await.unwrap()[0].committed;
    assert_eq!(
        (committed, world.payout(1).await.funded),
        (Fen(10_000), true),
        "the fund's money is gone, and it says so"
    );
}

pub(crate) async fn a_claim_of_a_lost_history_means_nothing(world: World) {
    world.accept([1]).await;
    let lost = world.claimed("M-1").await;
    recover(&world).await;
    assert!(world.payout(1).await.epoch > 1_000_000, "above any that a lost history gave");
    assert!(world.other.may_write(&lost).await.unwrap().is_err());
    // Its answer is evidence all the same.
    let report = StatusReport { instruction_id: world.instruction(1).await, word: settled() };
    world.book(&lost, CallOutcome::Answered(vec![report])).await;
    assert_eq!(world.states([1]).await, ["settled"]);
}

pub(crate) async fn a_refusal_after_a_restore_waits_for_its_successors_absence(world: World) {
    world.accept([1]).await;
    recover(&world).await;
    world.pass(world.rules().bank.visibility + world.rules().bank.lease);
    let id = world.instruction(1).await;
    let refused = |one: &InstructionId| StatusReport { instruction_id: one.clone(), word: rejected("AC01") };
    let asked =
        world.enquire(|one| if *one == id { EnquiryOutcome::Found(refused(one)) } else { EnquiryOutcome::NotFound });
    assert_eq!(asked.await, 2);
    assert_eq!(world.states([1]).await, ["refused"]);
    world.pass(SignedDuration::from_hours(1));
    assert_eq!(world.enquire(|_| EnquiryOutcome::NotFound).await, 0, "nothing is asked for any more");
}

pub(crate) async fn a_statement_check_lets_what_is_too_old_go_again(world: World) {
    // Repetitions are recognised for an hour only.
    world.accept([1]).await;
    let claimed = world.claimed("M-1").await;
    world.book(&claimed, CallOutcome::Doubtful { why: "time-out".to_owned(), retry_after: None }).await;
    let called_at = world.now().await;
    world.pass(SignedDuration::from_hours(2));
    world.enquire_finds_nothing().await;
    let id = world.instruction(1).await;
    let check = async |until| world.store.book_statement_check(&id, until).await.unwrap();
    assert!(!check(called_at - SignedDuration::from_hours(1)).await, "the day of the call is not covered");
    world.pass(SignedDuration::from_hours(48));
    assert!(!check(called_at).await, "a closed day is missing");
    assert_eq!(world.claim("M-2").await, None);
    assert!(check(world.now().await).await);
    let again = world.store.claim(MsgId::from("M-3"), 200).await.unwrap().expect("it goes again");
    assert_eq!(again.members[0].0.instruction_id, id, "under its old name");
    // The check is used up by one sending: what happened to that one it cannot have seen.
    world.book(&again, CallOutcome::Doubtful { why: "time-out".to_owned(), retry_after: None }).await;
    world.enquire_finds_nothing().await;
    assert_eq!(world.claim("M-4").await, None);
    assert!(check(world.now().await + SignedDuration::from_hours(24)).await);
    let again = world.claimed("M-5").await;
    world.answer(&again, settled()).await;
    assert_eq!(world.states([1]).await, ["settled"]);
}
