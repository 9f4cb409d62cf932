//! What the cases share: transfers, a link, and outcomes in words short enough for a table.

use jiff::tz::TimeZone;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zhida_adapters::providers::bank::{HttpBank, HttpBankSettings, Pain001Format, SettledStatus};
use zhida_core::ids::{FundId, InstructionId, MsgId};
use zhida_core::money::Fen;
use zhida_core::ports::bank::{
    BankLink, BankWord, CallOutcome, Debtor, EnquiryOutcome, Payee, PaymentFormat, Transfer,
};

/// For a bank that answers.
pub(crate) const PATIENT: Duration = Duration::from_secs(20);
/// For a bank that is known not to answer.
pub(crate) const HASTY: Duration = Duration::from_secs(1);

pub(crate) fn zone() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap()
}

pub(crate) fn transfer(id: &str, fen: i64) -> Transfer {
    Transfer {
        instruction_id: InstructionId::from(id),
        amount: Fen(fen),
        currency: "CNY".to_owned(),
        fund_id: FundId::from("F-1"),
        debtor: Debtor {
            name: "示例区财政局".to_owned(),
            account_no: "3500-0001".to_owned(),
            bank_code: "102100099996".to_owned(),
        },
        payee: Payee {
            account_name: "示例科技有限责任公司".to_owned(),
            account_no: format!("40000201090000{id}"),
            bank_code: "103100000026".to_owned(),
            bank_name: "示例银行".to_owned(),
        },
        uscc: "91350100M000100Y43".to_owned(),
        remittance: format!("稳岗补贴 A-{id}"),
    }
}

pub(crate) fn message(msg_id: &str, transfers: &[Transfer]) -> Vec<u8> {
    let made_at = "2026-11-23T01:30:00Z".parse().unwrap();
    Pain001Format::new("示例区", zone()).write(&MsgId::from(msg_id), made_at, transfers)
}

pub(crate) fn settings(url: &str) -> HttpBankSettings {
    HttpBankSettings {
        url: url.to_owned(),
        token: None,
        identity_pem: None,
        ca_pem: None,
        timeout: PATIENT,
        settled_status: SettledStatus::Acsc,
        zone: zone(),
    }
}

pub(crate) fn link(url: &str, timeout: Duration) -> HttpBank {
    HttpBank::new(HttpBankSettings { timeout, ..settings(url) }).unwrap()
}

pub(crate) async fn pay(bank: &HttpBank, msg_id: &str, transfers: &[Transfer]) -> String {
    in_words(&bank.pay(&MsgId::from(msg_id), &message(msg_id, transfers)).await)
}

pub(crate) async fn enquire(bank: &HttpBank, id: &str) -> String {
    match bank.enquire(&InstructionId::from(id)).await {
        EnquiryOutcome::Found(report) => format!("{}={}", report.instruction_id, word(&report.word)),
        EnquiryOutcome::NotFound => "not found".to_owned(),
        EnquiryOutcome::NoAnswer { retry_after, .. } => format!("no answer{}", wait(retry_after)),
    }
}

pub(crate) fn in_words(outcome: &CallOutcome) -> String {
    match outcome {
        CallOutcome::Answered(reports) => {
            let words: Vec<_> =
                reports.iter().map(|report| format!(" {}={}", report.instruction_id, word(&report.word))).collect();
            format!("answered{}", words.concat())
        }
        CallOutcome::RefusedWhole { reason, .. } => format!("refused whole {reason}"),
        CallOutcome::NotTakenIn { why, retry_after } => format!("not taken in {why:?}{}", wait(*retry_after)),
        CallOutcome::DuplicateGroup => "duplicate group".to_owned(),
        CallOutcome::Doubtful { retry_after, .. } => format!("doubtful{}", wait(*retry_after)),
    }
}

fn word(word: &BankWord) -> String {
    match word {
        BankWord::OnTheWay { code } => format!("way:{code}"),
        BankWord::Settled { code, credited_at, bank_reference } => {
            assert!(
                credited_at.is_some() && bank_reference.is_some(),
                "the sandbox says when and under which reference"
            );
            format!("settled:{code}")
        }
        BankWord::Rejected { reason, .. } => format!("rejected:{reason}"),
        BankWord::Duplicate { code } => format!("duplicate:{code}"),
        BankWord::Unclear { code } => format!("unclear:{code}"),
    }
}

fn wait(retry_after: Option<Duration>) -> String {
    retry_after.map_or_else(String::new, |wait| format!(" wait {}", wait.as_secs()))
}

/// One plain HTTP request over a connection of its own; the head and the body of the answer.
pub(crate) async fn http(url: &str, method: &str, target: &str, body: &str) -> (String, String) {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nhost: bank\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}
