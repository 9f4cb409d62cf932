//! The stories themselves, told to any database.

use super::place::{Place, approval, fund, key, policy, protocol};
use jiff::SignedDuration;
use zhida_adapters::store::{OpenError, SqlStore, migrate};
use zhida_core::batch::ClaimedBatch;
use zhida_core::ids::{InstructionId, MsgId, OperatorId};
use zhida_core::money::Fen;
use zhida_core::payout::{Carrier, PayoutState, Word};
use zhida_core::ports::bank::{BankWord, CallOutcome, EnquiryOutcome, NotTakenIn, StatusReport};
use zhida_core::ports::queue::Destination;
use zhida_core::ports::store::{
    ActStore, Acted, AnyAct, Enquiry, IntakeStore, OutboxStore, PayoutFilter, PayoutStore, ReadStore, ReferenceStore,
    SignedAct, Which,
};
use zhida_core::steps::{Act, ActOutcome, EnquiryResult, Operator, Quarantined, Role, TakenIn};
use zhida_tests::outgoing::keeps_its_contract;

pub(crate) async fn paid(place: &Place) {
    let store = place.open().await;
    store.import_policies(&[fund(1_000_000)], &[policy()], "test").await.unwrap();
    let now = store.now().await.unwrap();
    let arrivals = vec![approval(1, now, "k"), approval(2, now, "k"), approval(3, now, "k")];
    let taken = store.take_in(arrivals.clone()).await.unwrap();
    assert_eq!(taken, vec![TakenIn::Accepted; 3]);
    assert_eq!(store.take_in(arrivals).await.unwrap(), vec![TakenIn::Duplicate; 3]);
    let claimed = store.claim(MsgId::from("M-1"), 200).await.unwrap().expect("three payouts are ready");
    assert_eq!(claimed.members.len(), 3);
    assert_eq!(store.claim(MsgId::from("M-2"), 200).await.unwrap(), None);
    assert_eq!(store.may_write(&claimed).await.unwrap(), Ok(()));
    let answer = vec![
        report(&claimed, 1, settled()),
        report(&claimed, 2, BankWord::OnTheWay { code: "ACSP".to_owned() }),
        report(&claimed, 3, rejected()),
    ];
    store.book_call(&claimed, &CallOutcome::Answered(answer)).await.unwrap();
    assert_eq!(states(&store).await, ["settled", "pending", "unknown"]);
    place.clock.advance(SignedDuration::from_mins(1));
    for enquiry in store.claim_enquiries(10).await.unwrap() {
        let word = if enquiry.key == key(2) { settled() } else { rejected() };
        let found = StatusReport { instruction_id: enquiry.instruction_id.clone(), word };
        let (key, instruction_id) = (enquiry.key, enquiry.instruction_id);
        let outcome = EnquiryOutcome::Found(found);
        let result = EnquiryResult { key, instruction_id, begun_at: enquiry.begun_at, outcome };
        store.book_enquiries(&[result]).await.unwrap();
    }
    assert_eq!(states(&store).await, ["settled", "settled", "refused"]);
    assert!(store.claim_enquiries(10).await.unwrap().is_empty());
    let unknown = InstructionId::from("NOBODY-KNOWS-IT");
    store.book_evidence(&[(unknown, Word::OnTheWay, Carrier::Pushed)]).await.unwrap();
    let figures = store.figures().await.unwrap();
    assert_eq!(figures.by_state["settled"], (2, Fen(300)));
    assert_eq!(figures.refused_by_class["payee"], 1);
    assert_eq!(figures.alarms_by_kind["unknown_instruction"], 1);
    assert_eq!(figures.funds[0].committed, Fen(600));
    told(&store).await;
    let first = store.payouts(&PayoutFilter { limit: 2, ..PayoutFilter::default() }).await.unwrap();
    let rest = PayoutFilter { limit: 2, before: first.next.clone(), ..PayoutFilter::default() };
    assert_eq!((first.items.len(), store.payouts(&rest).await.unwrap().items.len()), (2, 1));
    assert_eq!(first.items[0].approved_at, now);
}

/// What the database itself refuses, whoever asks: a rewritten journal, a second live instruction, a negative fund.
pub(crate) async fn refusals(place: &Place) {
    let store = place.open().await;
    store.import_policies(&[fund(1_000_000)], &[policy()], "test").await.unwrap();
    let now = store.now().await.unwrap();
    store.take_in(vec![approval(1, now, "k")]).await.unwrap();
    store.close().await;
    let columns = "application_id, tranche, state, live, minted_at, payee, doubt, known_to_bank, not_found, absent, \
        resend_expired, contradiction, enquiries, in_transit, paid";
    let second =
        format!("insert into instructions (id, generation, {columns}) select 'X', 2, {columns} from instructions");
    for statement in [
        "update journal set detail = '{}'",
        "delete from journal",
        "update funds set committed = -1",
        "update payouts set amount = 0",
        "update payouts set funded = not funded",
        "insert into caps (policy_id, uscc, year, charged) values ('P-1', 'X', 2026, -1)",
        second.as_str(),
        "insert into departments (id, name, parent_id) values ('D', 'D', 'D')",
        "insert into departments (id, name, parent_id) values ('D', 'D', 'nowhere')",
        "insert into officers (id, name, department_id, role) values ('O', 'O', 'nowhere', 'officer')",
        "insert into ladder_rungs (position, after_working_hours) values (0, 1)",
        "insert into ladder_rungs (position, role, after_working_hours) values (0, 'head', 401)",
        "insert into ladder_rungs (position, role, after_working_hours) values (0, 'head', 1), (0, 'head', 2)",
        "update notice_requests set outcome = 'made'",
        "update notice_requests set outcome = 'not_told'",
        "update notice_requests set outcome = 'nonsense', made_at = 1",
        "insert into notice_contents (notice_id, channel, address, text, parameters, providers) \
         values ('nobody', 'sms', '1', 't', '[]', '{}')",
        "insert into notice_switch (id, rung) values (2, '{}')",
        "update notice_switch set stopped_by = 'O-1'",
        "update outbox set destination = 'elsewhere'",
    ] {
        let refused = place.execute(statement).await.unwrap_err();
        let constraint = ["append-only", "constraint", "CHECK", "UNIQUE"];
        assert!(constraint.iter().any(|word| refused.contains(word)), "{statement}: {refused}");
    }
    place.execute("update journal set block = 1").await.unwrap();
    place.execute("update journal set block = 2").await.unwrap_err();
}

/// Every event for the world is told once, in order; doorbells are gone when they have rung.
async fn told(store: &SqlStore) {
    let rows = store.claim_outbox(100).await.unwrap();
    assert!(store.claim_outbox(100).await.unwrap().is_empty(), "all are in a relay's hands");
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    store.outbox_kept(&ids[..1]).await.unwrap();
    assert_eq!(store.claim_outbox(100).await.unwrap(), rows[..1]);
    keeps_its_contract(&rows);
    let of_first = rows.iter().filter(|row| matches!(row.destination, Destination::World { .. }));
    let events = of_first.map(|row| serde_json::from_slice::<serde_json::Value>(&row.body).unwrap());
    let told = events.filter(|event| event["subject"] == "A-1").map(|event| {
        assert_eq!(event["source"], "/zhida/example");
        (event["type"].as_str().unwrap().to_owned(), event["sequence"].as_u64().unwrap())
    });
    let told: Vec<_> = told.collect();
    // A clean answer is told as what it says, without a detour over "unknown".
    let expected = [("payout.received.v1", 1), ("payout.submitted.v1", 2), ("payout.settled.v1", 3)];
    assert_eq!(told, expected.map(|(kind, sequence)| (kind.to_owned(), sequence)));
    store.outbox_sent(&ids).await.unwrap();
    assert_eq!(store.figures().await.unwrap().outbox.0, 0);
    let story = store.trace(&key(1).application_id).await.unwrap();
    let kinds: Vec<&str> = story.iter().map(|entry| entry.kind.as_str()).collect();
    for kind in ["event.accepted", "payout.received", "payout.claimed", "payout.debited"] {
        assert!(kinds.contains(&kind), "{kind} in {kinds:?}");
    }
}

pub(crate) async fn crash_after_claim(place: &Place) {
    let store = place.open().await;
    store.import_policies(&[fund(1_000_000)], &[policy()], "test").await.unwrap();
    let now = store.now().await.unwrap();
    store.take_in(vec![approval(1, now, "k"), approval(2, now, "k")]).await.unwrap();
    let first = store.claim(MsgId::from("M-1"), 200).await.unwrap().unwrap();
    let refused = CallOutcome::NotTakenIn { why: NotTakenIn::ConnectionRefused, retry_after: None };
    store.book_call(&first, &refused).await.unwrap();
    assert_eq!(states(&store).await, ["ready", "ready"]);
    place.clock.advance(SignedDuration::from_mins(1));
    let claimed = store.claim(MsgId::from("M-2"), 200).await.unwrap().expect("the same bytes may go again");
    assert_eq!((&claimed.msg_id, &claimed.bytes), (&first.msg_id, &first.bytes));
    // The worker dies here, and with it its connections.
    store.close().await;
    let store = place.open().await;
    assert_eq!(store.claim(MsgId::from("M-2"), 200).await.unwrap(), None, "the claim is still open");
    assert_eq!(store.expire_leases(10).await.unwrap(), 0);
    place.clock.advance(SignedDuration::from_mins(2));
    assert_eq!(store.expire_leases(10).await.unwrap(), 2);
    assert_eq!(states(&store).await, ["unknown", "unknown"]);
    place.clock.advance(SignedDuration::from_mins(5));
    assert_eq!(not_found(&store).await, 2);
    assert_eq!(not_found(&store).await, 0, "their next turn is put off");
    assert_eq!(store.ring_again().await.unwrap(), 0, "the first doorbell is still in the outbox");
    let again = store.claim(MsgId::from("M-3"), 200).await.unwrap().expect("the same batch may go again");
    assert_eq!((&again.msg_id, &again.bytes), (&claimed.msg_id, &claimed.bytes));
    assert!(again.members[0].1 > claimed.members[0].1, "a new epoch");
    // The old worker wakes up: its claim is stale, its evidence counts.
    let late = CallOutcome::Answered(vec![report(&again, 1, settled())]);
    store.book_call(&claimed, &late).await.unwrap();
    let why = store.may_write(&again).await.unwrap().unwrap_err();
    assert!(why.contains("paid") || why.contains("evidence"), "{why}");
    store.book_not_made(&again, &why).await.unwrap();
    assert_eq!(not_found(&store).await, 1, "the claim that was given up leaves the earlier call in doubt");
    let alone = store.claim(MsgId::from("M-4"), 200).await.unwrap().expect("the other one travels alone");
    assert_eq!((alone.members.len(), &alone.members[0].0.key), (1, &key(2)));
    store.book_call(&alone, &CallOutcome::Answered(vec![report(&alone, 2, settled())])).await.unwrap();
    assert_eq!(states(&store).await, ["settled", "settled"]);
    assert_eq!(store.funds().await.unwrap()[0].committed, Fen(300));
}

/// Asks for whatever is due; the bank has none of it.
async fn not_found(store: &SqlStore) -> usize {
    let enquiries = store.claim_enquiries(10).await.unwrap();
    let result = |one: Enquiry| EnquiryResult {
        key: one.key,
        instruction_id: one.instruction_id,
        begun_at: one.begun_at,
        outcome: EnquiryOutcome::NotFound,
    };
    let results: Vec<EnquiryResult> = enquiries.into_iter().map(result).collect();
    store.book_enquiries(&results).await.unwrap();
    results.len()
}

pub(crate) async fn two_intakes(place: &Place) {
    let (one, other) = (place.open().await, place.open().await);
    one.import_policies(&[fund(1_000_000)], &[policy()], "test").await.unwrap();
    let now = one.now().await.unwrap();
    for round in 0..5_u32 {
        let batch: Vec<_> = (1..=20).map(|number| approval(round * 20 + number, now, "k")).collect();
        let mut reversed = batch.clone();
        reversed.reverse();
        let (first, second) = tokio::join!(one.take_in(batch), other.take_in(reversed));
        let all: Vec<TakenIn> = first.unwrap().into_iter().chain(second.unwrap()).collect();
        assert_eq!(all.iter().filter(|one| **one == TakenIn::Accepted).count(), 20);
        assert_eq!(all.iter().filter(|one| **one == TakenIn::Duplicate).count(), 20);
    }
    let claims = tokio::join!(one.claim(MsgId::from("M-1"), 60), other.claim(MsgId::from("M-2"), 60));
    let members: Vec<_> =
        [claims.0.unwrap(), claims.1.unwrap()].into_iter().flatten().flat_map(|one| one.members).collect();
    let distinct: std::collections::BTreeSet<_> = members.iter().map(|(member, _)| &member.key).collect();
    assert_eq!(members.len(), distinct.len(), "nothing is claimed twice");
    assert_eq!(one.figures().await.unwrap().funds[0].committed, Fen((1..=100).sum::<i64>() * 100));
}

pub(crate) async fn holds_and_acts(place: &Place) {
    let store = place.open().await;
    let now = store.now().await.unwrap();
    store.take_in(vec![approval(1, now, "k"), approval(2, now, "stolen")]).await.unwrap();
    assert_eq!(held(&store).await, ["policy_unknown", "policy_unknown"]);
    store.import_policies(&[fund(150)], &[policy()], "test").await.unwrap();
    assert_eq!(store.reconsider(10).await.unwrap(), 2);
    assert_eq!(store.reconsider(10).await.unwrap(), 0);
    assert_eq!(states(&store).await, ["ready", "held"], "the fund has enough for the first only");
    let cancel = act("a-1", "O-1", Act::Cancel(key(1)));
    assert_eq!(store.act(&cancel).await.unwrap(), Acted::UnknownOperator(OperatorId::from("O-1")));
    for id in ["O-1", "O-2"] {
        store.put_operator(&operator(id), "test").await.unwrap();
    }
    assert_eq!(store.act(&act("a-2", "O-1", Act::Stop)).await.unwrap(), Acted::Done(ActOutcome::Done));
    assert_eq!(store.claim(MsgId::from("M-1"), 10).await.unwrap(), None, "the stop switch is on");
    let first = store.act(&act("a-3", "O-1", Act::Resume)).await.unwrap();
    assert_eq!(first, Acted::Done(ActOutcome::AwaitsSecondOfficer));
    assert!(matches!(store.act(&act("a-4", "O-1", Act::Resume)).await.unwrap(), Acted::Refused(_)));
    assert_eq!(store.act(&act("a-4", "O-1", Act::Resume)).await.unwrap(), Acted::Duplicate);
    assert_eq!(store.act(&act("a-5", "O-2", Act::Resume)).await.unwrap(), Acted::Done(ActOutcome::Done));
    assert_eq!(store.act(&cancel).await.unwrap(), Acted::Done(ActOutcome::Done));
    assert_eq!(store.funds().await.unwrap()[0].committed, Fen::ZERO);
    // What was freed goes to the second one, which only the policy's cap and the stolen key stand against.
    store.import_policies(&[fund(1_000)], &[policy()], "test").await.unwrap();
    store.reconsider(10).await.unwrap();
    assert_eq!(held(&store).await, ["key_revoked"]);
    assert_eq!(store.hold_revoked(10).await.unwrap(), 0, "held at its arrival");
    place.clock.advance(SignedDuration::from_hours(25));
    assert!(store.time_passes(10).await.unwrap() > 0);
    assert_eq!(store.time_passes(10).await.unwrap(), 0);
    let figures = store.figures().await.unwrap();
    assert_eq!((figures.overdue, figures.at_risk), (1, 0));
    let item = Quarantined {
        body: b"\0\xff".to_vec(),
        way: "http".to_owned(),
        source: Some("a\0b".to_owned()),
        event_id: None,
        event_type: Some("a routing key, as it came".to_owned()),
        reason_code: "not_json".to_owned(),
        field: None,
        reason: "not JSON at byte 0".to_owned(),
    };
    store.quarantine(vec![item.clone(), item]).await.unwrap();
    let rows = store.quarantine_rows(Which::Open).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].item.body, b"\0\xff");
    assert!(store.close_quarantine(&rows[0].id, "discarded", "O-1", "noise").await.unwrap());
    assert!(!store.close_quarantine(&rows[0].id, "discarded", "O-1", "noise").await.unwrap());
    let told = keeps_its_contract(&store.claim_outbox(1_000).await.unwrap());
    for kind in ["event.quarantined.v1", "operator.acted.v1", "payout.overdue.v1", "payout.cancelled.v1"] {
        assert!(told.iter().any(|one| one == kind), "{kind} in {told:?}");
    }
}

pub(crate) async fn wrong_database(place: &Place) {
    let opened = SqlStore::open(&place.settings, protocol(), place.clock.clone()).await.err().unwrap();
    assert!(opened.to_string().contains("zhida migrate"), "{opened}");
    migrate(&place.settings).await.unwrap();
    migrate(&place.settings).await.unwrap();
    let mut settings = place.settings.clone();
    settings.environment = "live".to_owned();
    for error in [
        SqlStore::open(&settings, protocol(), place.clock.clone()).await.err().unwrap(),
        migrate(&settings).await.unwrap_err(),
    ] {
        assert!(matches!(error, OpenError::Identity { name: "environment", .. }), "{error}");
    }
}

pub(crate) async fn states(store: &SqlStore) -> Vec<&'static str> {
    let mut states = Vec::new();
    for number in 1.. {
        let payouts = store.payouts_of(&key(number).application_id).await.unwrap();
        let Some(payout) = payouts.first() else { break };
        states.push(payout.state().code());
    }
    states
}

async fn held(store: &SqlStore) -> Vec<String> {
    let filter = PayoutFilter { state: Some(PayoutState::Held), limit: 10, ..PayoutFilter::default() };
    let page = store.payouts(&filter).await.unwrap();
    page.items.iter().filter_map(|payout| payout.reason()).map(|(code, _)| code).collect()
}

pub(crate) fn report(claimed: &ClaimedBatch, number: u32, word: BankWord) -> StatusReport {
    let (member, _) = claimed.members.iter().find(|(member, _)| member.key == key(number)).unwrap();
    StatusReport { instruction_id: member.instruction_id.clone(), word }
}

pub(crate) fn settled() -> BankWord {
    BankWord::Settled { code: "ACSC".to_owned(), credited_at: None, bank_reference: Some("R".to_owned()) }
}

fn rejected() -> BankWord {
    BankWord::Rejected { reason: "AC01".to_owned(), text: "no such account".to_owned() }
}

pub(crate) fn operator(id: &str) -> Operator {
    Operator {
        id: OperatorId::from(id),
        name: id.to_owned(),
        role: Role::Releaser,
        public_key: format!("key of {id}"),
        disabled_at: None,
    }
}

pub(crate) fn act(event_id: &str, operator: &str, act: impl Into<AnyAct>) -> SignedAct {
    SignedAct {
        source: "/operators".to_owned(),
        event_id: event_id.to_owned(),
        event_type: "operator.act.v1".to_owned(),
        content_sha256: format!("hash-{event_id}"),
        body: b"{}".to_vec(),
        operator_id: OperatorId::from(operator),
        act: act.into(),
        reason: "a test".to_owned(),
    }
}
