//! Evidence in every order, and what ends an application while money travels.

use crate::world::{World, correction, doubtful, key, on_the_way, rejected, withdrawal};
use jiff::{SignedDuration, Timestamp};
use zhida_core::ids::InstructionId;
use zhida_core::money::Fen;
use zhida_core::payout::{Carrier, HoldCode, Word};
use zhida_core::steps::{Act, TakenIn};

fn debit() -> Word {
    Word::Settled { credited_at: Some(Timestamp::UNIX_EPOCH), bank_reference: Some("R-9".to_owned()) }
}

fn returned() -> Word {
    Word::Returned { at: Timestamp::UNIX_EPOCH, reason: "AC04".to_owned(), amount: Fen(10_000) }
}

async fn refuse(world: &World, number: u32, reason: &str) {
    let claimed = world.claimed(&format!("M-refused-{number}")).await;
    world.answer(&claimed, rejected(reason)).await;
    world.enquire_says(rejected(reason)).await;
}

pub(crate) async fn a_late_debit_after_a_refusal_settles_and_rings(world: World) {
    world.accept([1]).await;
    refuse(&world, 1, "AC01").await;
    assert_eq!(world.states([1]).await, ["refused"]);
    let id = world.instruction(1).await;
    for _ in 0..3 {
        world.hear(&id, debit(), Carrier::Statement).await;
    }
    assert_eq!(world.states([1]).await, ["settled"]);
    assert_eq!(world.rang("mismatch").await, 1, "the same line thrice is one");
    assert_eq!(world.figures().await.funds[0].committed, Fen(10_000));
}

pub(crate) async fn a_return_may_come_before_its_debit(world: World) {
    world.accept([1]).await;
    let claimed = world.claimed("M-1").await;
    world.book(&claimed, doubtful()).await;
    let id = world.instruction(1).await;
    world.hear(&id, returned(), Carrier::Statement).await;
    assert_eq!(world.states([1]).await, ["returned"]);
    world.hear(&id, debit(), Carrier::Statement).await;
    world.hear(&id, returned(), Carrier::Pushed).await;
    assert_eq!(world.states([1]).await, ["returned"], "the debit completes the books only");
    assert_eq!(world.payout(1).await.reserved, Fen(10_000));
    assert_eq!(world.take(&[correction("c-1", 1, "777")]).await, [TakenIn::Accepted]);
    world.pay("M-2").await;
    assert_eq!(world.states([1]).await, ["settled"]);
    assert_eq!(world.payout(1).await.instructions.len(), 2);
}

pub(crate) async fn a_refused_payee_is_corrected_and_paid(world: World) {
    world.accept([1]).await;
    let claimed = world.claimed("M-1").await;
    world.answer(&claimed, rejected("AC01")).await;
    // Claimed ever: the correction waits until this generation is dead.
    assert_eq!(world.take(&[correction("c-1", 1, "777")]).await, [TakenIn::Accepted]);
    assert_eq!(world.claim("M-2").await, None);
    world.enquire_says(rejected("AC01")).await;
    world.pay("M-3").await;
    let payout = world.payout(1).await;
    let accounts = payout.instructions.iter().filter_map(|one| one.transfer.as_ref());
    assert_eq!(accounts.map(|one| one.payee.account_no.as_str()).collect::<Vec<_>>(), ["6222001", "777"]);
    let late = world.take(&[correction("c-2", 1, "888")]).await;
    assert!(matches!(&late[0], TakenIn::Quarantined { reason_code, .. } if reason_code == "correction_not_possible"));
    assert_eq!(world.rang("mismatch").await, 1);
}

pub(crate) async fn evidence_for_nobody_is_kept_and_rings(world: World) {
    world.accept([1]).await;
    let nobody = InstructionId::from("NOBODYS");
    let known = world.instruction(1).await;
    let claimed = world.claimed("M-1").await;
    world.book(&claimed, doubtful()).await;
    let items = [(nobody, debit(), Carrier::Statement), (known, debit(), Carrier::Statement)];
    world.store.book_evidence(&items).await.unwrap();
    assert_eq!(world.states([1]).await, ["settled"], "one strange line fails none of the others");
    assert_eq!(world.rang("unknown_instruction").await, 1);
}

pub(crate) async fn withdrawal_at_every_state(world: World) {
    // 1 ready, 2 held, 3 sending, 4 unknown, 5 pending, 6 settled, 7 refused, 8 returned.
    world.accept([6, 7, 8]).await;
    let claimed = world.claimed("M-1").await;
    world.book(&claimed, doubtful()).await;
    world.hear(&world.instruction(6).await, debit(), Carrier::Statement).await;
    world.hear(&world.instruction(8).await, returned(), Carrier::Statement).await;
    world.enquire_says(rejected("AC01")).await;
    world.accept([5]).await;
    let claimed = world.claimed("M-2").await;
    world.answer(&claimed, on_the_way()).await;
    world.accept([4]).await;
    let claimed = world.claimed("M-3").await;
    world.book(&claimed, doubtful()).await;
    world.accept([3]).await;
    let sending = world.claimed("M-4").await;
    world.accept([1, 2]).await;
    world.done("O-1", zhida_core::steps::Act::Hold(key(2))).await;
    let before = ["ready", "held", "sending", "unknown", "pending", "settled", "refused", "returned"];
    assert_eq!(world.states(1..=8).await, before);
    for number in 1..=8 {
        assert_eq!(world.take(&[withdrawal(&format!("w-{number}"), number)]).await, [TakenIn::Accepted]);
    }
    let after = ["cancelled", "cancelled", "sending", "unknown", "pending", "settled", "cancelled", "cancelled"];
    assert_eq!(world.states(1..=8).await, after);
    assert_eq!(world.rang("paid_after_end").await, 1);
    assert!(world.store.may_write(&sending).await.unwrap().is_err());
    world.store.book_not_made(&sending, "withdrawn").await.unwrap();
    assert_eq!(world.states([3]).await, ["cancelled"]);
    world.hear(&world.instruction(5).await, debit(), Carrier::Statement).await;
    assert_eq!(world.states([5]).await, ["settled"], "late truth is booked");
    assert_eq!(world.rang("paid_after_end").await, 2);
    world.enquire_finds_nothing().await;
    assert_eq!(world.states([4]).await, ["unknown"], "absent: two officers close it");
    assert_eq!(world.claim("M-5").await, None, "and nothing of it is ever sent again");
    assert_eq!(world.figures().await.funds[0].committed, Fen(30_000));
}

pub(crate) async fn too_late_for_a_repetition_rings_and_waits(world: World) {
    // Repetitions are recognised for an hour only.
    world.accept([1]).await;
    let claimed = world.claimed("M-1").await;
    world.book(&claimed, doubtful()).await;
    world.pass(SignedDuration::from_hours(2));
    world.enquire_finds_nothing().await;
    world.enquire_finds_nothing().await;
    assert_eq!(world.rang("resend_expired").await, 1);
    assert_eq!(world.states([1]).await, ["unknown"]);
    assert_eq!(world.claim("M-2").await, None);
}

pub(crate) async fn what_waited_beyond_the_time_of_repetitions_is_not_sent(world: World) {
    // Repetitions are recognised for an hour only. It was absent, and to be sent again, when an officer held it.
    world.accept([1]).await;
    let claimed = world.claimed("M-1").await;
    world.book(&claimed, doubtful()).await;
    world.enquire_finds_nothing().await;
    world.done("O-1", Act::Hold(key(1))).await;
    assert_eq!(world.claim("M-2").await, None);
    world.pass(SignedDuration::from_hours(2));
    world.done("R-1", Act::Release(key(1), vec![HoldCode::Operator])).await;
    assert_eq!(world.claim("M-3").await, None, "the bank need not recognise it any more");
    world.enquire_finds_nothing().await;
    assert_eq!((world.rang("resend_expired").await, world.states([1]).await), (1, vec!["unknown"]));
}
