//! What the sandbox's bank promises, since tests and the demo believe its ledger: paid once for each EndToEndId, kept over a
//! restart, faults when asked for.

use super::scenery::{PATIENT, enquire, http, link, message, pay, transfer};
use std::collections::BTreeMap;
use std::path::PathBuf;
use zhida_core::ids::MsgId;
use zhida_core::money::Fen;
use zhida_core::ports::bank::BankLink;
use zhida_sandbox::{
    AnswerFault, CallFault, Chance, Fault, FaultSettings, Ledger, MagicAmounts, Sandbox, SandboxSettings, State,
    Target, TransferFault,
};

fn file(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.ndjson", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

fn refuse(reason: &str) -> Fault {
    Fault::Transfer(TransferFault::Refuse { reason: reason.to_owned() })
}

#[tokio::test]
async fn an_end_to_end_id_is_paid_once_under_any_message() {
    let sandbox = Sandbox::start(SandboxSettings::default()).await.unwrap();
    let bank = link(&sandbox.url(), PATIENT);
    let both = [transfer("E1", 100), transfer("E2", 100)];
    sandbox.bank.script(Target::Instruction("E2".to_owned()), [Some(refuse("AC01"))]);
    let outcome = "answered E1=settled:ACSC E2=rejected:AC01";
    assert_eq!(pay(&bank, "M1", &both).await, outcome);
    assert_eq!(pay(&bank, "M1", &both).await, outcome, "the same bytes");
    assert_eq!(pay(&bank, "M2", &both).await, outcome, "a refusal is kept for good, under another message too");
    assert_eq!(sandbox.bank.ledger().credits_by_instruction(), BTreeMap::from([("E1".to_owned(), 1)]));
    assert_eq!(sandbox.bank.ledger().total(), Fen(100));
    assert_eq!(sandbox.bank.reproaches(), Vec::<String>::new());

    assert_eq!(
        pay(&bank, "M2", &[transfer("E1", 999)]).await,
        "answered E1=settled:ACSC",
        "the present status, unaltered"
    );
    assert_eq!(sandbox.bank.ledger().total(), Fen(100));
    assert_eq!(sandbox.bank.reproaches().len(), 2, "{:?}", sandbox.bank.reproaches());
    sandbox.stop().await;
}

#[tokio::test]
async fn the_ledger_outlives_the_bank() {
    let path = file("ledger");
    let settings = || SandboxSettings { ledger: Some(path.clone()), ..SandboxSettings::default() };
    let sandbox = Sandbox::start(settings()).await.unwrap();
    let pend = |enquiries| Fault::Transfer(TransferFault::Pend { enquiries });
    sandbox.bank.script(Target::Instruction("E2".to_owned()), [Some(refuse("BE01"))]);
    sandbox.bank.script(Target::Instruction("E3".to_owned()), [Some(pend(Some(2)))]);
    sandbox.bank.script(Target::Instruction("E4".to_owned()), [Some(pend(None))]);
    let transfers = ["E1", "E2", "E3", "E4"].map(|id| transfer(id, 100));
    let outcome = "answered E1=settled:ACSC E2=rejected:BE01 E3=way:PDNG E4=way:PDNG";
    assert_eq!(pay(&link(&sandbox.url(), PATIENT), "M1", &transfers).await, outcome);
    sandbox.stop().await;
    // The bank died in the middle of a line that it had not answered.
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend_from_slice(b"{\"end_to_end_id\":\"E9\"");
    std::fs::write(&path, &bytes).unwrap();

    let sandbox = Sandbox::start(settings()).await.unwrap();
    let bank = link(&sandbox.url(), PATIENT);
    assert_eq!(pay(&bank, "M2", &transfers).await, outcome);
    assert_eq!(enquire(&bank, "E3").await, "E3=way:PDNG");
    assert_eq!(enquire(&bank, "E3").await, "E3=settled:ACSC");
    assert_eq!(sandbox.bank.settle("E4").await, 1);
    assert_eq!(enquire(&bank, "E4").await, "E4=settled:ACSC");
    assert_eq!(sandbox.bank.settle("E4").await, 0);
    sandbox.stop().await;

    let ledger = Ledger::read(&path).unwrap();
    assert_eq!(ledger.entries().len(), 4);
    let credits = ["E1", "E3", "E4"].map(|id| (id.to_owned(), 1));
    assert_eq!(ledger.credits_by_instruction(), BTreeMap::from(credits));
    assert_eq!(ledger.get("E2").unwrap().state, State::Rejected);
    assert!(ledger.to_string().ends_with("4 orders, 3 credited, 3.00 in all\n"), "{ledger}");
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn many_messages_at_once_share_their_syncs_and_lose_nothing() {
    let path = file("many");
    let sandbox =
        Sandbox::start(SandboxSettings { ledger: Some(path.clone()), ..SandboxSettings::default() }).await.unwrap();
    let url = sandbox.url();
    let calls: Vec<_> = (0..20)
        .map(|call| {
            let url = url.clone();
            tokio::spawn(async move {
                let transfers: Vec<_> = (0..50).map(|one| transfer(&format!("E{call}-{one}"), 1)).collect();
                pay(&link(&url, PATIENT), &format!("M{call}"), &transfers).await
            })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().matches("settled").count(), 50);
    }
    sandbox.stop().await;
    assert_eq!(Ledger::read(&path).unwrap().total(), Fen(1000));
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn magic_amounts_spoil_a_call_once_and_a_transfer_for_good() {
    let faults = FaultSettings { magic: MagicAmounts::On, ..FaultSettings::default() };
    let sandbox = Sandbox::start(SandboxSettings { faults, ..SandboxSettings::default() }).await.unwrap();
    let bank = link(&sandbox.url(), PATIENT);
    let transfers = [transfer("E1", 1080), transfer("E2", 1094), transfer("E3", 1092), transfer("E4", 1000)];
    assert_eq!(pay(&bank, "M1", &transfers).await, "doubtful", "reset before paying");
    assert_eq!(sandbox.bank.ledger().entries().len(), 0);
    assert_eq!(pay(&bank, "M1", &transfers).await, "doubtful", "paid, then 500");
    let outcome = "answered E1=rejected:AC01 E2=settled:ACSC E3=settled:ACSC E4=settled:ACSC";
    assert_eq!(pay(&bank, "M1", &transfers).await, outcome);
    assert_eq!(sandbox.bank.ledger().total(), Fen(3186));
    sandbox.stop().await;
}

#[tokio::test]
async fn scripts_are_taken_step_by_step() {
    let sandbox = Sandbox::start(SandboxSettings::default()).await.unwrap();
    let bank = link(&sandbox.url(), PATIENT);
    let busy = Fault::Call(CallFault::Status { status: 503, retry_after_seconds: None });
    sandbox.bank.script(Target::Payments, [Some(busy.clone()), None]);
    sandbox.bank.script(Target::Message("M3".to_owned()), [Some(busy)]);
    sandbox.bank.script(
        Target::Account(transfer("E2", 1).payee.account_no),
        [None, Some(Fault::Answer(AnswerFault::PayReset))],
    );
    let both = [transfer("E1", 100), transfer("E2", 100)];
    let paid = "answered E1=settled:ACSC E2=settled:ACSC";
    for (msg_id, outcome) in [("M1", "doubtful"), ("M1", paid), ("M2", "doubtful"), ("M3", "doubtful"), ("M3", paid)] {
        assert_eq!(pay(&bank, msg_id, &both).await, outcome, "{msg_id}");
    }
    sandbox.stop().await;
}

#[tokio::test]
async fn the_same_seed_goes_wrong_in_the_same_way() {
    let run = async |seed| {
        let chances = vec![
            Chance { fault: refuse("AC04"), per_mille: 300 },
            Chance { fault: Fault::Answer(AnswerFault::PayStatus { status: 500 }), per_mille: 300 },
        ];
        let faults = FaultSettings { chances, seed, ..FaultSettings::default() };
        let sandbox = Sandbox::start(SandboxSettings { faults, ..SandboxSettings::default() }).await.unwrap();
        let bank = link(&sandbox.url(), PATIENT);
        let mut outcomes = Vec::new();
        for number in 0..20 {
            outcomes.push(pay(&bank, &format!("M{number}"), &[transfer(&format!("E{number}"), 100)]).await);
        }
        sandbox.stop().await;
        outcomes
    };
    let first = run(1).await;
    assert_eq!(first, run(1).await);
    assert_ne!(first, run(2).await);
    for kind in ["settled", "rejected:AC04", "doubtful"] {
        assert!(first.iter().any(|outcome| outcome.contains(kind)), "{kind} in {first:?}");
    }
}

#[tokio::test]
async fn messages_without_form_are_refused_whole() {
    let sandbox = Sandbox::start(SandboxSettings::default()).await.unwrap();
    let bank = link(&sandbox.url(), PATIENT);
    let good = String::from_utf8(message("M1", &[transfer("E1", 100), transfer("E2", 100)])).unwrap();
    for (case, bytes, outcome) in [
        ("count", good.replacen("<NbOfTxs>2", "<NbOfTxs>3", 1), "refused whole FF01"),
        ("sum", good.replacen("<CtrlSum>2.00", "<CtrlSum>2.01", 1), "refused whole AM10"),
        ("amount", good.replace("\"CNY\">1.00", "\"CNY\">1"), "refused whole AM10"),
        ("twice", good.replace("<EndToEndId>E2", "<EndToEndId>E1"), "refused whole FF01"),
        ("no account", good.replace("40000201090000E2", ""), "refused whole FF01"),
        ("older generation", good.replace("pain.001.001.09", "pain.001.001.03"), "refused whole FF01"),
        ("long name", good.replace("示例科技", &"示".repeat(140)), "refused whole FF01"),
        ("truncated", good[..good.len() - 30].to_owned(), "refused whole FF01"),
        ("no message", "hello".to_owned(), "doubtful"),
    ] {
        let found = super::scenery::in_words(&bank.pay(&MsgId::from("M1"), bytes.as_bytes()).await);
        assert_eq!(found, outcome, "{case}");
    }
    assert_eq!(sandbox.bank.ledger().entries().len(), 0);
    sandbox.stop().await;
}

#[tokio::test]
async fn faults_are_arranged_over_http() {
    let sandbox = Sandbox::start(SandboxSettings::default()).await.unwrap();
    let url = sandbox.url();
    let control = async |route: &str, body: &str| {
        let (head, answer) = http(&url, "POST", &format!("/control/{route}"), body).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{route} {body}: {head} {answer}");
        answer
    };
    let bank = link(&url, PATIENT);
    control(
        "scripts",
        r#"{"target":"payments","steps":[{"fault":"status","status":429,"retry_after_seconds":5},null]}"#,
    )
    .await;
    control("scripts", r#"{"target":"instruction","id":"E1","steps":[{"fault":"pend","enquiries":null}]}"#).await;
    control("scripts", r#"{"target":"instruction","id":"E2","steps":[{"fault":"pend"}]}"#).await;
    let both = [transfer("E1", 100), transfer("E2", 50)];
    assert_eq!(pay(&bank, "M1", &both).await, "not taken in TooManyRequests wait 5");
    assert_eq!(pay(&bank, "M1", &both).await, "answered E1=way:PDNG E2=way:PDNG");
    assert_eq!(control("settle", r#"{"end_to_end_id":"E1"}"#).await, r#"{"settled":1}"#);
    assert_eq!(control("refuse", r#"{"end_to_end_id":"E2","reason":"AC04"}"#).await, r#"{"refused":1}"#);
    assert_eq!(control("settle", "{}").await, r#"{"settled":0}"#);
    control("chances", r#"[{"fault":"reset","per_mille":1000}]"#).await;
    assert_eq!(pay(&bank, "M2", &both).await, "doubtful");
    control("chances", "[]").await;
    assert_eq!(pay(&bank, "M2", &both).await, "answered E1=settled:ACSC E2=rejected:AC04");

    let (_, ledger) = http(&url, "GET", "/ledger", "").await;
    for part in [
        r#""credits_by_instruction":{"E1":1}"#,
        r#""total":"1.00""#,
        r#""reproaches":[]"#,
        r#""remittance":"稳岗补贴 A-E1""#,
    ] {
        assert!(ledger.contains(part), "{part} in {ledger}");
    }
    let (head, _) =
        http(&url, "POST", "/control/scripts", r#"{"target":"payments","steps":[{"fault":"no such"}]}"#).await;
    assert!(head.starts_with("HTTP/1.1 422"), "{head}");
    sandbox.stop().await;
}
