//! The bank's ledger: what it was asked to pay and what became of it. The only judge of what was paid. Not a copy of anybody's
//! books: it is filled by the bank alone.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use thiserror::Error;
use zhida_core::money::Fen;

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The creditor's account was credited. Final.
    Booked,
    /// Accepted, not yet credited.
    Pending,
    /// Refused, for good.
    Rejected,
}

/// What a pending order waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "plan")]
pub enum Plan {
    /// Being told.
    UntilTold,
    /// So many enquiries, then it is credited.
    SettleAfter {
        /// From 1.
        enquiries: u32,
    },
    /// So many enquiries, then it is refused.
    RefuseAfter {
        /// From 1.
        enquiries: u32,
        /// ISO external status reason.
        reason: String,
    },
}

/// One order in its present state; also one line of the file, of which the last of an order counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The idempotency key.
    pub end_to_end_id: String,
    /// The message it first came in.
    pub msg_id: String,
    /// In fen.
    pub amount: Fen,
    /// ISO 4217.
    pub currency: String,
    /// Where the money came from.
    pub debtor_account: String,
    /// Where it went.
    pub account: String,
    /// Name on that account, as ordered.
    pub name: String,
    /// CNAPS code, as ordered.
    pub bank_code: String,
    /// Organisation id, as ordered.
    pub uscc: String,
    /// Remittance text.
    pub remittance: String,
    /// What became of it.
    pub state: State,
    /// ISO external status reason of a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What a pending one waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// The bank's reference.
    pub reference: String,
    /// When it came into this state, by real time, to the microsecond.
    pub at: Timestamp,
}

/// The ledger cannot be read.
#[derive(Debug, Error)]
pub enum LedgerError {
    /// The file.
    #[error("the ledger {path} cannot be read or written: {source}")]
    File {
        /// Where.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A line in it.
    #[error(
        "line {line} of the ledger {path} is no entry ({source}); keep the file for inspection and start with a new one"
    )]
    Line {
        /// Where.
        path: String,
        /// From 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
}

/// Orders in the sequence in which they came, with every credit that was ever made.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
    index: HashMap<String, usize>,
    /// Credits for each order: never more than one unless this bank has a fault of its own.
    credits: HashMap<String, u32>,
}

impl Ledger {
    /// Reads a ledger from its file. A last line without its end was being written when the bank died and was never answered:
    /// it is passed over.
    ///
    /// # Errors
    /// A file that cannot be read, a line that is no entry.
    pub fn read(path: &Path) -> Result<Self, LedgerError> {
        let bytes =
            std::fs::read(path).map_err(|source| LedgerError::File { path: path.display().to_string(), source })?;
        let mut ledger = Self::default();
        for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            if line.ends_with(b"\n") {
                let entry = serde_json::from_slice(line).map_err(|source| LedgerError::Line {
                    path: path.display().to_string(),
                    line: number + 1,
                    source,
                })?;
                ledger.apply(entry);
            }
        }
        Ok(ledger)
    }

    /// Every order in its present state, in the sequence in which they came.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The order with this `EndToEndId`.
    #[must_use]
    pub fn get(&self, end_to_end_id: &str) -> Option<&Entry> {
        self.index.get(end_to_end_id).map(|at| &self.entries[*at])
    }

    /// The orders that were credited.
    pub fn credits(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.state == State::Booked)
    }

    /// How many credits each `EndToEndId` led to; those without any are absent.
    #[must_use]
    pub fn credits_by_instruction(&self) -> BTreeMap<String, u32> {
        self.credits.iter().map(|(id, credits)| (id.clone(), *credits)).collect()
    }

    /// Everything that was credited, in fen.
    #[must_use]
    pub fn total(&self) -> Fen {
        self.credits().map(|entry| Fen(entry.amount.0 * i64::from(self.credits[&entry.end_to_end_id]))).sum()
    }

    /// Takes a line in: a new order, or the new state of one.
    pub(crate) fn apply(&mut self, entry: Entry) {
        if entry.state == State::Booked {
            *self.credits.entry(entry.end_to_end_id.clone()).or_default() += 1;
        }
        match self.index.get(&entry.end_to_end_id) {
            Some(at) => self.entries[*at] = entry,
            None => {
                self.index.insert(entry.end_to_end_id.clone(), self.entries.len());
                self.entries.push(entry);
            }
        }
    }
}

impl fmt::Display for Ledger {
    /// One line an order, tab between columns, and the sum of the credits.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for entry in &self.entries {
            let state = match entry.state {
                State::Booked => "booked",
                State::Pending => "pending",
                State::Rejected => "rejected",
            };
            let reason = entry.reason.as_deref().unwrap_or("-");
            // Names are anybody's text: escaped, so that none can forge a line.
            let (name, account) = (entry.name.escape_debug(), entry.account.escape_debug());
            let id = entry.end_to_end_id.escape_debug();
            writeln!(out, "{}\t{state}\t{reason}\t{}\t{id}\t{account}\t{name}", entry.at, entry.amount)?;
        }
        writeln!(out, "{} orders, {} credited, {} in all", self.entries.len(), self.credits().count(), self.total())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)] // a test may fail loudly
    use super::{Entry, Ledger, State};
    use zhida_core::money::Fen;

    pub(crate) fn entry(id: &str, fen: i64, state: State) -> Entry {
        Entry {
            end_to_end_id: id.to_owned(),
            msg_id: "M1".to_owned(),
            amount: Fen(fen),
            currency: "CNY".to_owned(),
            debtor_account: "D".to_owned(),
            account: "A".to_owned(),
            name: "示例\t科技".to_owned(),
            bank_code: "102100099996".to_owned(),
            uscc: "91350100M000100Y43".to_owned(),
            remittance: "R".to_owned(),
            state,
            reason: None,
            plan: None,
            reference: "B1".to_owned(),
            at: "2026-11-23T01:30:00.123456Z".parse().unwrap(),
        }
    }

    #[test]
    fn the_last_state_counts_and_every_credit_is_counted() {
        let mut ledger = Ledger::default();
        ledger.apply(entry("E1", 100, State::Pending));
        ledger.apply(entry("E2", 7, State::Rejected));
        ledger.apply(entry("E1", 100, State::Booked));
        assert_eq!(ledger.entries().len(), 2);
        assert_eq!(ledger.total(), Fen(100));
        ledger.apply(entry("E1", 100, State::Booked)); // a bank with a fault of its own must be seen
        assert_eq!(ledger.credits_by_instruction(), [("E1".to_owned(), 2)].into());
        assert_eq!(ledger.total(), Fen(200));
        assert!(ledger.to_string().contains("booked\t-\t1.00\tE1\tA\t示例\\t科技\n"), "{ledger}");
    }
}
