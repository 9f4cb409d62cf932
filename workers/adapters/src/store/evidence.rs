//! The bank's words as they came, one row for each, whatever follows from them.

use super::fault::Fault;
use super::instruction_rows::{carrier, carrier_code};
use super::link::Tx;
use super::value::{Record, Row, json as text};
use jiff::Timestamp;
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
    let name = match word {
        Word::OnTheWay => "on_the_way",
        Word::Settled { .. } => "settled",
        Word::Rejected { .. } => "rejected",
        Word::Duplicate => "duplicate",
        Word::Unclear { .. } => "unclear",
        Word::NotFound { .. } => "not_found",
        Word::Returned { .. } => "returned",
    };
    row(id, name, text(word), carrier, now)
}

/// Kept words about these instructions, oldest first.
pub(super) async fn about(tx: &mut Tx, ids: Vec<String>) -> Result<Vec<(InstructionId, Word, Carrier)>, Fault> {
    let sql = format!(
        "select instruction_id, detail, carrier from evidence where instruction_id {} order by id",
        tx.among(1)
    );
    let rows = tx.rows(sql, vec![ids.into()]).await?;
    let read = |row: &Row| {
        let detail: String = row.get("detail")?;
        // As a statement said it, or as the bank answered it.
        let word = serde_json::from_str::<Word>(&detail)
            .or_else(|_| serde_json::from_str::<BankWord>(&detail).map(|word| Word::from(&word)));
        let word = word.map_err(|error| Fault::corrupt("evidence.detail", &error))?;
        Ok((InstructionId(row.get("instruction_id")?), word, carrier(row, "carrier")?))
    };
    rows.iter().map(read).collect()
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
