//! Every outcome of the port, met over real sockets: one row a case. The ledger says what was paid whatever the answer said.

use super::scenery::{HASTY, PATIENT, enquire, link, pay, settings, transfer};
use std::time::Duration;
use zhida_adapters::providers::bank::{HttpBank, HttpBankSettings, SettledStatus};
use zhida_sandbox::{AnswerFault, CallFault, Fault, Sandbox, SandboxSettings, Target, TransferFault};

/// One call with the transfers E1 and E2, of which E1 (or the call) meets a fault, and what an enquiry for E1 brings then.
struct Row {
    fault: Option<Fault>,
    outcome: &'static str,
    credited: &'static [&'static str],
    enquiry: &'static str,
}

fn row(fault: Fault, outcome: &'static str, credited: &'static [&'static str], enquiry: &'static str) -> Row {
    Row { fault: Some(fault), outcome, credited, enquiry }
}

fn refuse(reason: &str, outcome: &'static str, enquiry: &'static str) -> Row {
    row(Fault::Transfer(TransferFault::Refuse { reason: reason.to_owned() }), outcome, &["E2"], enquiry)
}

fn status(status: u16, retry_after_seconds: Option<u64>, outcome: &'static str) -> Row {
    row(Fault::Call(CallFault::Status { status, retry_after_seconds }), outcome, &[], "not found")
}

fn of_transfer(
    fault: TransferFault,
    outcome: &'static str,
    credited: &'static [&'static str],
    enquiry: &'static str,
) -> Row {
    row(Fault::Transfer(fault), outcome, credited, enquiry)
}

fn after_paying(fault: AnswerFault, outcome: &'static str) -> Row {
    row(Fault::Answer(fault), outcome, BOTH, SETTLED)
}

const BOTH: &[&str] = &["E1", "E2"];
const SETTLED: &str = "E1=settled:ACSC";

fn rows() -> Vec<Row> {
    vec![
        Row { fault: None, outcome: "answered E1=settled:ACSC E2=settled:ACSC", credited: BOTH, enquiry: SETTLED },
        refuse("AC01", "answered E1=rejected:AC01 E2=settled:ACSC", "E1=rejected:AC01"),
        refuse("AC04", "answered E1=rejected:AC04 E2=settled:ACSC", "E1=rejected:AC04"),
        refuse("AM04", "answered E1=rejected:AM04 E2=settled:ACSC", "E1=rejected:AM04"),
        refuse("BE01", "answered E1=rejected:BE01 E2=settled:ACSC", "E1=rejected:BE01"),
        refuse("TM01", "answered E1=rejected:TM01 E2=settled:ACSC", "E1=rejected:TM01"),
        refuse("FF01", "answered E1=rejected:FF01 E2=settled:ACSC", "E1=rejected:FF01"),
        of_transfer(
            TransferFault::Pend { enquiries: None },
            "answered E1=way:PDNG E2=settled:ACSC",
            &["E2"],
            "E1=way:PDNG",
        ),
        of_transfer(
            TransferFault::Pend { enquiries: Some(1) },
            "answered E1=way:PDNG E2=settled:ACSC",
            &["E2"],
            SETTLED,
        ),
        of_transfer(
            TransferFault::AcceptThenRefuse { enquiries: 1, reason: "AC04".to_owned() },
            "answered E1=way:ACCP E2=settled:ACSC",
            &["E2"],
            "E1=rejected:AC04",
        ),
        of_transfer(TransferFault::PayUnseen { enquiries: 1 }, "answered E2=settled:ACSC", BOTH, "not found"),
        of_transfer(TransferFault::PayUnnamed, "answered E2=settled:ACSC", BOTH, SETTLED),
        of_transfer(TransferFault::PayContradict, "answered E1=unclear:RJCT and ACSC E2=settled:ACSC", BOTH, SETTLED),
        of_transfer(TransferFault::PayCallDuplicate, "answered E1=duplicate:DU01 E2=settled:ACSC", BOTH, SETTLED),
        of_transfer(
            TransferFault::PayUnknownCode { code: "WXYZ".to_owned() },
            "answered E1=unclear:WXYZ E2=settled:ACSC",
            BOTH,
            SETTLED,
        ),
        row(Fault::Call(CallFault::RefuseWhole { reason: "FF01".to_owned() }), "refused whole FF01", &[], "not found"),
        row(Fault::Call(CallFault::RefuseWhole { reason: "AM05".to_owned() }), "duplicate group", &[], "not found"),
        row(Fault::Call(CallFault::Reset), "doubtful", &[], "not found"),
        row(Fault::Call(CallFault::Hang), "doubtful", &[], "not found"),
        row(Fault::Call(CallFault::Garbage), "doubtful", &[], "not found"),
        status(401, None, "not taken in Unauthorised"),
        status(403, None, "not taken in Forbidden"),
        status(429, None, "not taken in TooManyRequests"),
        status(429, Some(7), "not taken in TooManyRequests wait 7"),
        status(400, None, "doubtful"),
        status(404, None, "doubtful"),
        status(408, None, "doubtful"),
        status(409, None, "doubtful"),
        status(201, None, "doubtful"),
        status(302, None, "doubtful"),
        status(500, None, "doubtful"),
        status(503, Some(9), "doubtful wait 9"),
        status(504, None, "doubtful"),
        after_paying(AnswerFault::PayHang, "doubtful"),
        after_paying(AnswerFault::PayStatus { status: 500 }, "doubtful"),
        after_paying(AnswerFault::PayReset, "doubtful"),
        after_paying(AnswerFault::PayGarbage, "doubtful"),
        after_paying(AnswerFault::PayTruncated, "doubtful"),
        after_paying(AnswerFault::PayGroupOnly { status: "ACCP".to_owned() }, "answered"),
        after_paying(AnswerFault::PayGroupOnly { status: "PART".to_owned() }, "answered"),
        after_paying(AnswerFault::PayDuplicateWhole, "duplicate group"),
        after_paying(AnswerFault::PaySlow { milliseconds: Some(1) }, "answered E1=settled:ACSC E2=settled:ACSC"),
        after_paying(AnswerFault::PayLate { milliseconds: Some(1) }, "answered E1=settled:ACSC E2=settled:ACSC"),
    ]
}

#[tokio::test]
async fn every_end_of_a_call() {
    for row in rows() {
        let Row { fault, outcome, credited, enquiry } = row;
        let case = format!("{fault:?}");
        let sandbox = Sandbox::start(SandboxSettings::default()).await.unwrap();
        let silent = matches!(fault, Some(Fault::Call(CallFault::Hang) | Fault::Answer(AnswerFault::PayHang)));
        sandbox.bank.script(Target::Instruction("E1".to_owned()), [fault]);

        let bank = link(&sandbox.url(), if silent { HASTY } else { PATIENT });
        let both = [transfer("E1", 100), transfer("E2", 200)];
        assert_eq!(pay(&bank, "M1", &both).await, outcome, "{case}");
        let paid: Vec<_> = sandbox.bank.ledger().credits_by_instruction().into_keys().collect();
        assert_eq!(paid, credited, "{case}");
        assert_eq!(enquire(&link(&sandbox.url(), PATIENT), "E1").await, enquiry, "{case}");
        assert_eq!(sandbox.bank.calls(), ["M1"], "{case}: on the wire once");
        assert_eq!(sandbox.bank.reproaches(), Vec::<String>::new(), "{case}");
        sandbox.stop().await;
    }
}

#[tokio::test]
async fn every_end_of_an_enquiry() {
    let call = |fault| Some(Fault::Call(fault));
    let answer = |fault| Some(Fault::Answer(fault));
    let status = |status, retry_after_seconds| call(CallFault::Status { status, retry_after_seconds });
    for (fault, expected) in [
        (None, SETTLED),
        (call(CallFault::Reset), "no answer"),
        (call(CallFault::Hang), "no answer"),
        (call(CallFault::Garbage), "no answer"),
        (status(401, None), "no answer"),
        (status(403, None), "no answer"),
        (status(404, None), "not found"),
        (status(429, Some(3)), "no answer wait 3"),
        (status(500, None), "no answer"),
        (status(503, Some(4)), "no answer wait 4"),
        (status(302, None), "no answer"),
        (status(204, None), "no answer"),
        (answer(AnswerFault::PayTruncated), "no answer"),
        (answer(AnswerFault::PayGroupOnly { status: "ACSC".to_owned() }), "no answer"),
        (answer(AnswerFault::PayDuplicateWhole), "no answer"),
    ] {
        let case = format!("{fault:?}");
        let silent = fault == call(CallFault::Hang);
        let sandbox = Sandbox::start(SandboxSettings::default()).await.unwrap();
        let patient = link(&sandbox.url(), PATIENT);
        pay(&patient, "M1", &[transfer("E1", 100)]).await;
        sandbox.bank.script(Target::EnquiriesFor("E1".to_owned()), [fault]);
        let bank = if silent { link(&sandbox.url(), HASTY) } else { patient };
        assert_eq!(enquire(&bank, "E1").await, expected, "{case}");
        assert_eq!(enquire(&bank, "E2").await, "not found", "{case}");
        sandbox.stop().await;
    }
}

#[tokio::test]
async fn a_bank_that_is_down_takes_nothing_in() {
    let sandbox = Sandbox::start(SandboxSettings::default()).await.unwrap();
    let bank = link(&sandbox.url(), PATIENT);
    let one = [transfer("E1", 100)];
    assert_eq!(enquire(&bank, "E1").await, "not found");
    sandbox.bank.down().await;
    assert_eq!(pay(&bank, "M1", &one).await, "not taken in ConnectionRefused");
    assert_eq!(enquire(&bank, "E1").await, "no answer");
    sandbox.bank.up().await.unwrap();
    assert_eq!(pay(&bank, "M1", &one).await, "answered E1=settled:ACSC");
    assert_eq!(sandbox.bank.calls(), ["M1"]);
    sandbox.stop().await;
}

#[tokio::test]
async fn the_token_is_shown_and_its_absence_is_unauthorised() {
    let token = Some("secret-of-the-bank".to_owned());
    let sandbox = Sandbox::start(SandboxSettings { token: token.clone(), ..SandboxSettings::default() }).await.unwrap();
    let one = [transfer("E1", 100)];
    let stranger = link(&sandbox.url(), PATIENT);
    assert_eq!(pay(&stranger, "M1", &one).await, "not taken in Unauthorised");
    assert_eq!(enquire(&stranger, "E1").await, "no answer");
    let known = HttpBank::new(HttpBankSettings { token, ..settings(&sandbox.url()) }).unwrap();
    assert_eq!(pay(&known, "M1", &one).await, "answered E1=settled:ACSC");
    assert_eq!(enquire(&known, "E1").await, SETTLED);
    sandbox.stop().await;
}

#[tokio::test]
async fn what_settled_means_is_agreed() {
    for (says, agreed, outcome) in [
        ("ACSC", SettledStatus::Acsc, "answered E1=settled:ACSC"),
        ("ACCC", SettledStatus::Acsc, "answered E1=settled:ACCC"),
        ("ACSC", SettledStatus::Accc, "answered E1=way:ACSC"),
        ("ACCC", SettledStatus::Accc, "answered E1=settled:ACCC"),
    ] {
        let setup = SandboxSettings { settled_code: says.to_owned(), ..SandboxSettings::default() };
        let sandbox = Sandbox::start(setup).await.unwrap();
        let bank = HttpBank::new(HttpBankSettings { settled_status: agreed, ..settings(&sandbox.url()) }).unwrap();
        assert_eq!(pay(&bank, "M1", &[transfer("E1", 100)]).await, outcome, "{says} {agreed:?}");
        sandbox.stop().await;
    }
}

#[tokio::test]
async fn a_payment_that_was_given_up_may_still_come() {
    let sandbox = Sandbox::start(SandboxSettings::default()).await.unwrap();
    sandbox.bank.script(Target::Payments, [Some(Fault::Answer(AnswerFault::PayLate { milliseconds: None }))]);
    let url = sandbox.url();
    let client = tokio::spawn(async move { pay(&link(&url, PATIENT), "M1", &[transfer("E1", 100)]).await });
    sandbox.bank.until(|bank| bank.calls() == ["M1"]).await;
    client.abort();
    assert!(client.await.unwrap_err().is_cancelled(), "the client has gone");
    let bank = link(&sandbox.url(), PATIENT);
    assert_eq!(enquire(&bank, "E1").await, "not found");
    sandbox.bank.release();
    sandbox.bank.until(|bank| bank.with_ledger(|ledger| ledger.credits().count() == 1)).await;
    assert_eq!(enquire(&bank, "E1").await, SETTLED);
    sandbox.stop().await;
}

#[test]
fn settings_that_cannot_be_honoured_are_refused() {
    for (case, settings, says) in [
        ("no address", HttpBankSettings { url: "bank.example".to_owned(), ..settings("") }, "bank.url"),
        ("other protocol", settings("ftp://bank.example"), "bank.url"),
        ("no host", settings("mailto:a@b.example"), "bank.url"),
        ("token", HttpBankSettings { token: Some("a\nb".to_owned()), ..settings("http://127.0.0.1") }, "bank.token"),
        (
            "identity",
            HttpBankSettings { identity_pem: Some(b"x".to_vec()), ..settings("https://127.0.0.1") },
            "bank.client_certificate_file",
        ),
        ("roots", HttpBankSettings { ca_pem: Some(b"x".to_vec()), ..settings("https://127.0.0.1") }, "bank.ca_file"),
    ] {
        let Err(error) = HttpBank::new(settings) else { panic!("{case} was accepted") };
        assert!(error.to_string().contains(says), "{case}: {error}");
    }
    let quick = HttpBankSettings { timeout: Duration::from_secs(1), ..settings("http://127.0.0.1:1/api/v1/") };
    assert!(HttpBank::new(quick).is_ok());
}
