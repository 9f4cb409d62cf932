//! The bank's words as they came, one row for each, whatever follows from them.

use super::fault::Fault;
use super::instruction_rows::carrier_code;
use super::link::Tx;
use super::value::{Record, json as text};
use jiff::Timestamp;
use serde_json::{Value, json};
use zhida_core::ids::InstructionId;
use zhida_core::payout::{Carrier, Word};
use zhida_core::ports::bank::{BankWord, StatusReport};

/// A row for a report found in an answer or brought by an enquiry.
pub(super) fn of_report(report: &StatusReport, carrier: Carrier, now: Timestamp) -> Record {
    let word = match &report.word {
        BankWord::OnTheWay { .. } => "on_the_way",
        BankWord::Settled { .. } => "settled",
        BankWord::Rejected { .. } => "rejected",
        BankWord::Duplicate { .. } => "duplicate",
        BankWord::Unclear { .. } => "unclear",
    };
    row(&report.instruction_id, word, text(&report.word), carrier, now)
}

/// A row for a word that came another way.
pub(super) fn of_word(id: &InstructionId, word: &Word, carrier: Carrier, now: Timestamp) -> Record {
    let (word, detail): (_, Value) = match word {
        Word::OnTheWay => ("on_the_way", json!({})),
        Word::Settled { credited_at, bank_reference } => {
            ("settled", json!({"credited_at": credited_at, "bank_reference": bank_reference}))
        }
        Word::Rejected { reason, text } => ("rejected", json!({"reason": reason, "text": text})),
        Word::Duplicate => ("duplicate", json!({})),
        Word::Unclear { code } => ("unclear", json!({"code": code})),
        Word::NotFound { begun_at } => ("not_found", json!({"begun_at": begun_at})),
        Word::Returned { at, reason, amount } => {
            ("returned", json!({"at": at, "reason": reason, "amount": amount.to_string()}))
        }
    };
    row(id, word, detail.to_string(), carrier, now)
}

/// Writes them.
pub(super) async fn write(tx: &mut Tx, rows: Vec<Record>) -> Result<(), Fault> {
    tx.insert("evidence", rows, "").await
}

fn row(id: &InstructionId, word: &str, detail: String, carrier: Carrier, now: Timestamp) -> Record {
    vec![
        ("at", now.into()),
        ("instruction_id", id.as_str().into()),
        ("word", word.into()),
        ("detail", detail.into()),
        ("carrier", carrier_code(carrier).into()),
    ]
}
