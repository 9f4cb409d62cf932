//! Many workers on one database at once, each doing everything: whatever they do to each other, nothing is claimed twice,
//! nothing is over-reserved, nobody is told an error, and all of it comes to rest.

use super::place::{Place, approval, fund, key, policy};
use super::story::operator;
use jiff::SignedDuration;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use zhida_adapters::store::SqlStore;
use zhida_core::batch::ClaimedBatch;
use zhida_core::ids::{InstructionId, MsgId, OperatorId};
use zhida_core::money::Fen;
use zhida_core::payout::Payout;
use zhida_core::ports::bank::{BankWord, CallOutcome, EnquiryOutcome, NotTakenIn, StatusReport};
use zhida_core::ports::store::{ActStore, IntakeStore, OutboxStore, PayoutStore, ReadStore, ReferenceStore, SignedAct};
use zhida_core::steps::{Act, EnquiryResult};

/// Payouts, and workers.
const PAYOUTS: u32 = 120;
const WORKERS: u32 = 4;

/// The bank: what it was given, by instruction, and how often it was given something new.
type Bank = Arc<Mutex<BTreeSet<InstructionId>>>;

pub(crate) async fn everybody_at_once(place: &Place) {
    let store = place.open().await;
    // Enough for two thirds of the sum: some wait for what others give back.
    let sum: i64 = (1..=PAYOUTS).map(|number| i64::from(number) * 100).sum();
    store.import_policies(&[fund(sum * 2 / 3)], &[policy()], "test").await.unwrap();
    store.put_operator(&operator("O-1"), "test").await.unwrap();
    let bank = Bank::default();
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..WORKERS {
        workers.spawn(work(place.open().await, place.clone(), bank.clone(), worker));
    }
    while let Some(ended) = workers.join_next().await {
        ended.unwrap();
    }
    rest(&store, place, &bank).await;
    let mut payouts: Vec<Payout> = Vec::new();
    for number in 1..=PAYOUTS {
        payouts.extend(store.payouts_of(&key(number).application_id).await.unwrap());
    }
    assert_eq!(payouts.len(), PAYOUTS as usize);
    let at_rest = ["settled", "held", "cancelled"];
    assert!(payouts.iter().all(|one| at_rest.contains(&one.state().code())), "{:?}", states(&payouts));
    let held: Fen = payouts.iter().map(Payout::total_held).sum();
    let fund = &store.funds().await.unwrap()[0];
    assert_eq!(fund.committed, held, "what the fund gave is what the payouts hold");
    assert!(fund.committed <= fund.appropriated);
    let short = payouts.iter().filter(|one| one.state().code() == "held").map(|one| one.amount).min();
    let left = fund.appropriated.0 - fund.committed.0;
    assert!(short.is_none_or(|amount| amount.0 > left), "{short:?} waits although {left} is left");
    let settled = payouts.iter().filter(|one| one.state().code() == "settled").count();
    assert_eq!(settled, bank.lock().unwrap().len(), "the bank paid what is settled, and nothing else");
}

async fn work(store: SqlStore, place: Place, bank: Bank, worker: u32) {
    let now = store.now().await.unwrap();
    // Everybody brings everything, each in another order.
    let mut numbers: Vec<u32> = (1..=PAYOUTS).collect();
    numbers.rotate_left((worker * PAYOUTS / WORKERS) as usize);
    for (turn, numbers) in numbers.chunks(10).enumerate() {
        let arrivals = numbers.iter().map(|number| approval(*number, now, "k")).collect();
        store.take_in(arrivals).await.unwrap();
        if turn % 3 == 0 {
            cancel(&store, worker, numbers[0]).await;
        }
        turn_of(&store, &place, &bank, &format!("{worker}-{turn}"), turn).await;
    }
}

async fn rest(store: &SqlStore, place: &Place, bank: &Bank) {
    for turn in 0..200 {
        place.clock.advance(SignedDuration::from_mins(20));
        if !turn_of(store, place, bank, &format!("rest-{turn}"), 1).await {
            return;
        }
    }
    panic!("it never comes to rest");
}

/// One turn of everything; whether anything was done.
async fn turn_of(store: &SqlStore, place: &Place, bank: &Bank, name: &str, turn: usize) -> bool {
    let mut busy = false;
    if let Some(claimed) = store.claim(MsgId(format!("M-{name}")), 7).await.unwrap() {
        busy = true;
        match store.may_write(&claimed).await.unwrap() {
            Ok(()) => store.book_call(&claimed, &call(bank, &claimed, turn)).await.unwrap(),
            Err(why) => store.book_not_made(&claimed, &why).await.unwrap(),
        }
    }
    place.clock.advance(SignedDuration::from_secs(30));
    let enquiries = store.claim_enquiries(20).await.unwrap();
    busy |= !enquiries.is_empty();
    let ask = |one: zhida_core::ports::store::Enquiry| {
        let known = bank.lock().unwrap().contains(&one.instruction_id);
        let report = StatusReport { instruction_id: one.instruction_id.clone(), word: settled() };
        let outcome = if known { EnquiryOutcome::Found(report) } else { EnquiryOutcome::NotFound };
        EnquiryResult { key: one.key, instruction_id: one.instruction_id, begun_at: one.begun_at, outcome }
    };
    let results: Vec<EnquiryResult> = enquiries.into_iter().map(ask).collect();
    store.book_enquiries(&results).await.unwrap();
    busy |= store.reconsider(50).await.unwrap() > 0;
    busy |= store.expire_leases(50).await.unwrap() > 0;
    busy |= store.time_passes(50).await.unwrap() > 0;
    store.ring_again().await.unwrap();
    let rows = store.claim_outbox(50).await.unwrap();
    let ids: Vec<String> = rows.into_iter().map(|row| row.id).collect();
    store.outbox_sent(&ids).await.unwrap();
    busy
}

/// Calls that end in every way, by turns.
fn call(bank: &Bank, claimed: &ClaimedBatch, turn: usize) -> CallOutcome {
    let pay = || {
        let mut paid = bank.lock().unwrap();
        paid.extend(claimed.members.iter().map(|(member, _)| member.instruction_id.clone()));
    };
    let doubtful = CallOutcome::Doubtful { why: "time-out".to_owned(), retry_after: None };
    match turn % 4 {
        0 => CallOutcome::NotTakenIn { why: NotTakenIn::ConnectionRefused, retry_after: None },
        1 => {
            pay();
            let ids = claimed.members.iter().map(|(member, _)| member.instruction_id.clone());
            CallOutcome::Answered(ids.map(|instruction_id| StatusReport { instruction_id, word: settled() }).collect())
        }
        2 => {
            pay();
            doubtful
        }
        _ => doubtful,
    }
}

async fn cancel(store: &SqlStore, worker: u32, number: u32) {
    let act = SignedAct {
        source: "/operators".to_owned(),
        event_id: format!("cancel-{worker}-{number}"),
        event_type: "operator.cancel.v1".to_owned(),
        content_sha256: format!("cancel-{worker}-{number}"),
        body: b"{}".to_vec(),
        operator_id: OperatorId::from("O-1"),
        act: Act::Cancel(key(number)).into(),
        reason: "a test".to_owned(),
    };
    // Refused when it was sent before.
    store.act(&act).await.unwrap();
}

fn settled() -> BankWord {
    BankWord::Settled { code: "ACSC".to_owned(), credited_at: None, bank_reference: None }
}

fn states(payouts: &[Payout]) -> Vec<String> {
    payouts.iter().map(|one| format!("{} {} {:?}", one.key, one.state().code(), one.reason())).collect()
}
