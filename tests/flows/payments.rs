//! An award from its approval to its credit, and what may happen on the way.

use crate::World;
use crate::world::{POLICIES, approved};
use serde_json::json;
use zhida_sandbox::{AnswerFault, CallFault, Fault, Target, TransferFault};

/// The account of every award here that does not say otherwise.
const ACCOUNT: &str = "4000020109000000001";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_is_credited_once_and_the_api_says_so() {
    let world = World::new("credited").await;
    let event = world.approval("A-1", "200.50");
    world.hand_in(&event).await;
    let payout = world.until("A-1", "settled").await;
    assert_eq!(payout["amount"], json!({"currency": "CNY", "value": "200.50"}));
    assert_eq!(payout["payee"]["account_no"], "***************0001", "account numbers are masked");
    assert!(payout["credited_at"].is_string() && payout["bank_reference"].is_string(), "{payout}");
    // The same event again, and the same approval under another id.
    let (_, answer) = world.post(event.to_string().into_bytes(), "application/cloudevents+json").await;
    assert_eq!(answer["duplicates"], 1);
    let again = world.signed("application.approved.v1", "another-id", "A-1", &event["data"]);
    let (_, answer) = world.post(again.to_string().into_bytes(), "application/cloudevents+json").await;
    assert_eq!(answer["duplicates"], 1, "{answer}");
    assert_eq!(world.credits(), 1);
    let (status, timeline) = world.get("/v1/applications/A-1/timeline").await;
    let kinds: Vec<&str> = timeline.as_array().unwrap().iter().filter_map(|entry| entry["kind"].as_str()).collect();
    assert_eq!(
        (status, kinds.first(), kinds.last()),
        (200, Some(&"payout.received"), Some(&"payout.debited")),
        "{kinds:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_equal_awards_of_one_enterprise_are_both_paid_and_a_contradicting_one_never() {
    let world = World::new("equal").await;
    world.hand_in(&world.approval("A-1", "300.00")).await;
    world.hand_in(&world.approval("A-2", "300.00")).await;
    world.until("A-1", "settled").await;
    world.until("A-2", "settled").await;
    let mut other = approved("A-1", "300.00");
    other["payee"]["account_no"] = json!("4000020109000000999");
    let event = world.signed("application.approved.v1", "other-account", "A-1", &other);
    let (status, answer) = world.post(event.to_string().into_bytes(), "application/cloudevents+json").await;
    assert_eq!((status, &answer["quarantined"][0]["reason_code"]), (202, &json!("approval_conflict")), "{answer}");
    assert_eq!(world.credits(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bank_that_pays_and_does_not_say_so_pays_once() {
    let world = World::new("lies").await;
    let faults = [
        Fault::Answer(AnswerFault::PayHang),
        Fault::Answer(AnswerFault::PayStatus { status: 500 }),
        Fault::Answer(AnswerFault::PayReset),
        Fault::Answer(AnswerFault::PayGarbage),
        Fault::Call(CallFault::Reset),
        Fault::Call(CallFault::Status { status: 503, retry_after_seconds: None }),
        Fault::Transfer(TransferFault::PayUnseen { enquiries: 1 }),
        Fault::Transfer(TransferFault::PayContradict),
        Fault::Transfer(TransferFault::PayCallDuplicate),
    ];
    let count = faults.len();
    world.bank.bank.script(Target::Account(ACCOUNT.to_owned()), faults.map(Some));
    for number in 0..count {
        let id = format!("A-{number}");
        world.hand_in(&world.approval(&id, "100.00")).await;
        world.until(&id, "settled").await;
    }
    assert_eq!(world.credits(), count);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_service_finishes_what_it_began() {
    let mut world = World::new("killed").await;
    // The bank has the money on its way and does not answer while we die.
    world.bank.bank.script(Target::Payments, [Some(Fault::Answer(AnswerFault::PayHang))]);
    world.hand_in(&world.approval("A-1", "100.00")).await;
    world.bank.bank.until(|bank| bank.with_ledger(|ledger| ledger.credits().count()) == 1).await;
    world.kill();
    world.start().await;
    world.until("A-1", "settled").await;
    assert_eq!(world.credits(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn holds_that_end_by_themselves_do_so() {
    let world = World::new("holds").await;
    let mut data = approved("A-1", "100.00");
    data["policy_id"] = json!("P-9");
    world.hand_in(&world.signed("application.approved.v1", "e-1", "A-1", &data)).await;
    let held = world.until("A-1", "held").await;
    assert_eq!(held["reason"]["code"], "policy_unknown");
    world.import(&POLICIES.replace("\"P-1\"", "\"P-9\""));
    world.until("A-1", "settled").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_account_is_told_with_its_reason_and_nothing_was_paid() {
    let world = World::new("refused").await;
    let refuse = Fault::Transfer(TransferFault::Refuse { reason: "AC01".to_owned() });
    world.bank.bank.script(Target::Account(ACCOUNT.to_owned()), [Some(refuse)]);
    world.hand_in(&world.approval("A-1", "100.00")).await;
    let refused = world.until("A-1", "refused").await;
    assert_eq!(refused["reason"]["code"], "refused_payee", "{refused}");
    assert_eq!(world.credits(), 0);
    // The corrected account, confirmed by two officers, is paid by the next instruction.
    let correction = json!({"application_id": "A-1", "tranche": 1, "confirmed_by": ["O-1", "O-2"], "at": jiff::Timestamp::now(),
        "reason": "账号更正", "payee": {"account_name": "示例科技有限责任公司", "account_no": "4000020109000000002",
            "bank_code": "102100099996", "bank_name": "示例银行"}});
    world.hand_in(&world.signed("payee.corrected.v1", "c-1", "A-1", &correction)).await;
    let paid = world.until("A-1", "settled").await;
    assert_eq!(paid["generation"], 2);
    assert_eq!(world.credits(), 1);
}
