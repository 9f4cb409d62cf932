//! Reads pain.002 (001.10, and .03 of the older generation), the bank's report on a message: leniently in form (prefixes,
//! namespaces and unknown elements do not matter), never in meaning. What cannot be read with certainty is [`Unreadable`] or
//! [`BankWord::Unclear`]; what the words lead to is decided in the core.

use super::xml::{self, Element};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use thiserror::Error;
use zhida_core::ids::InstructionId;
use zhida_core::ports::bank::{BankWord, StatusReport};

/// Most characters kept of what a bank writes in its own words.
const TEXT_KEPT: usize = 500;
/// Most characters kept of a code this version does not know.
const CODE_KEPT: usize = 35;

/// Which status the bank agreed to mean "settled" (`bank.settled_status`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettledStatus {
    /// `ACSC`, settled on the debtor's side; `ACCC` goes further and is settled too.
    Acsc,
    /// `ACCC`, credited to the creditor's account; `ACSC` is still on the way.
    Accc,
}

/// An answer that cannot be understood with certainty: anything may have happened.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the bank's answer is no pain.002 that can be read: {0}; its members are asked for one by one")]
pub struct Unreadable(pub String);

/// What the group part of a report says of the message as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupWord {
    /// Nothing that would hold for its members: accepted, partly accepted, pending, or no status. Members speak for themselves.
    Silent,
    /// `RJCT`, and no transaction is named: refused whole.
    Refused {
        /// ISO external status reason, or `NARR`.
        reason: String,
        /// What the bank wrote beside it.
        text: String,
    },
    /// `RJCT` as a duplicate, and no transaction is named.
    Duplicate,
    /// `RJCT` for the whole beside another word for a part.
    Contradiction,
}

/// A report as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pain002 {
    /// `OrgnlMsgId`: the message it answers.
    pub original_msg_id: Option<String>,
    /// The word on the whole.
    pub group: GroupWord,
    /// One word for each transaction named by `OrgnlEndToEndId`, in the order of first mention.
    pub reports: Vec<StatusReport>,
}

/// Reader of pain.002.
#[derive(Clone, Debug)]
pub struct Pain002Reader {
    settled_status: SettledStatus,
    zone: TimeZone,
}

impl Pain002Reader {
    /// `zone` is the bank's, for times it writes without an offset.
    #[must_use]
    pub fn new(settled_status: SettledStatus, zone: TimeZone) -> Self {
        Self { settled_status, zone }
    }

    /// Reads a report.
    ///
    /// # Errors
    /// Broken, truncated or foreign XML; a document type definition; one element saying two things.
    pub fn read(&self, bytes: &[u8]) -> Result<Pain002, Unreadable> {
        let root = xml::read(bytes).map_err(Unreadable)?;
        if root.name != "Document" {
            return Err(Unreadable("its root is not Document".to_owned()));
        }
        let report = single(&root, "CstmrPmtStsRpt")?
            .ok_or_else(|| Unreadable("Document holds no CstmrPmtStsRpt".to_owned()))?;
        let group = single(report, "OrgnlGrpInfAndSts")?
            .ok_or_else(|| Unreadable("CstmrPmtStsRpt holds no OrgnlGrpInfAndSts".to_owned()))?;

        let mut reports = Vec::new();
        let mut transactions = 0;
        // The older generations allow transactions beside the payments; a lenient reader finds both.
        for part in report.all("OrgnlPmtInfAndSts").chain([report]) {
            for transaction in part.all("TxInfAndSts") {
                transactions += 1;
                if let Some(id) = only_text(transaction, "OrgnlEndToEndId")? {
                    let word = self.word(transaction)?;
                    add(&mut reports, StatusReport { instruction_id: InstructionId::from(id), word });
                }
            }
        }
        let group_word = match only_text(group, "GrpSts")? {
            Some("RJCT") if transactions == 0 => whole_refusal(report, group)?,
            Some(_) | None => GroupWord::Silent,
        };
        let original_msg_id = only_text(group, "OrgnlMsgId")?.map(str::to_owned);
        Ok(Pain002 { original_msg_id, group: group_word, reports })
    }

    /// The one table from a bank's codes to our words.
    fn word(&self, transaction: &Element) -> Result<BankWord, Unreadable> {
        let code = only_text(transaction, "TxSts")?.unwrap_or("no TxSts");
        Ok(match (code, self.settled_status) {
            ("ACCC", _) | ("ACSC", SettledStatus::Acsc) => self.settled(code, transaction)?,
            (
                "RCVD" | "PDNG" | "PATC" | "PRES" | "ACTC" | "ACCP" | "ACFC" | "ACWC" | "ACWP" | "ACPD" | "ACIS"
                | "ACSP",
                _,
            )
            | ("ACSC", SettledStatus::Accc) => BankWord::OnTheWay { code: code.to_owned() },
            ("RJCT", _) => rejected(transaction),
            // BLCK, CANC, CPUC and whatever a bank invents: neither good nor bad.
            (unknown, _) => BankWord::Unclear { code: clipped(unknown, CODE_KEPT) },
        })
    }

    fn settled(&self, code: &str, transaction: &Element) -> Result<BankWord, Unreadable> {
        let reference = match only_text(transaction, "AcctSvcrRef")? {
            Some(reference) => Some(reference),
            None => only_text(transaction, "ClrSysRef")?,
        };
        Ok(BankWord::Settled {
            code: code.to_owned(),
            credited_at: only_text(transaction, "AccptncDtTm")?.and_then(|text| self.time(text)),
            bank_reference: reference.map(str::to_owned),
        })
    }

    /// A time with offset, or the bank's local time. One that cannot be read is left out: it is no reason to doubt the money.
    fn time(&self, text: &str) -> Option<Timestamp> {
        if let Ok(at) = text.parse::<Timestamp>() {
            return Some(at);
        }
        let local: DateTime = text.parse().ok()?;
        self.zone.to_timestamp(local).ok()
    }
}

/// A refusal with its reasons in the order given; a duplicate among them wins, because it means "ask", never "failed".
fn rejected(element: &Element) -> BankWord {
    let codes: Vec<&str> = reason_codes(element).collect();
    if let Some(code) = codes.iter().find(|code| is_duplicate(code)) {
        return BankWord::Duplicate { code: (*code).to_owned() };
    }
    // Proprietary codes are text: their letters must not be taken for a class of ISO reasons.
    let reason = codes.iter().find(|code| is_iso_reason(code)).map_or("NARR", |code| code);
    let mut texts: Vec<&str> = codes.iter().filter(|code| !is_iso_reason(code)).copied().collect();
    texts
        .extend(element.all("StsRsnInf").flat_map(|information| information.all("AddtlInf").filter_map(Element::text)));
    BankWord::Rejected { reason: reason.to_owned(), text: clipped(&texts.join(" "), TEXT_KEPT) }
}

fn whole_refusal(report: &Element, group: &Element) -> Result<GroupWord, Unreadable> {
    for payment in report.all("OrgnlPmtInfAndSts") {
        if only_text(payment, "PmtInfSts")?.is_some_and(|status| status != "RJCT") {
            return Ok(GroupWord::Contradiction);
        }
    }
    Ok(match rejected(group) {
        BankWord::Rejected { reason, text } => GroupWord::Refused { reason, text },
        BankWord::Duplicate { .. } => GroupWord::Duplicate,
        BankWord::OnTheWay { .. } | BankWord::Settled { .. } | BankWord::Unclear { .. } => GroupWord::Contradiction,
    })
}

fn reason_codes(element: &Element) -> impl Iterator<Item = &str> {
    element.all("StsRsnInf").filter_map(|information| {
        information.text_at(&["Rsn", "Cd"]).or_else(|| information.text_at(&["Rsn", "Prtry"]))
    })
}

/// Duplicates of the ISO external code set: amount, message, payment, transaction, end-to-end id, instruction id, and plain.
fn is_duplicate(code: &str) -> bool {
    matches!(code, "AM05" | "DU01" | "DU02" | "DU03" | "DU04" | "DU05" | "DUPL")
}

fn is_iso_reason(code: &str) -> bool {
    code.len() == 4 && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Adds a word on a transaction. Two different words on one transaction are no word, except that "on the way" may stand beside
/// the "settled" it led to.
fn add(reports: &mut Vec<StatusReport>, report: StatusReport) {
    let Some(earlier) = reports.iter_mut().find(|earlier| earlier.instruction_id == report.instruction_id) else {
        reports.push(report);
        return;
    };
    match (&earlier.word, &report.word) {
        (one, other) if one == other => {}
        (BankWord::OnTheWay { .. }, BankWord::Settled { .. }) => earlier.word = report.word,
        (BankWord::Settled { .. }, BankWord::OnTheWay { .. })
        | (BankWord::OnTheWay { .. }, BankWord::OnTheWay { .. }) => {}
        (one, other) => {
            let code = clipped(&format!("{} and {}", code_of(one), code_of(other)), CODE_KEPT);
            earlier.word = BankWord::Unclear { code };
        }
    }
}

fn code_of(word: &BankWord) -> &str {
    match word {
        BankWord::OnTheWay { code }
        | BankWord::Settled { code, .. }
        | BankWord::Duplicate { code }
        | BankWord::Unclear { code } => code,
        BankWord::Rejected { .. } => "RJCT",
    }
}

fn clipped(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

/// The one child called `name`, if any.
fn single<'a>(element: &'a Element, name: &'a str) -> Result<Option<&'a Element>, Unreadable> {
    let mut found = element.all(name);
    match (found.next(), found.next()) {
        (child, None) => Ok(child),
        (_, Some(_)) => Err(Unreadable(format!("{name} stands twice in {}", element.name))),
    }
}

fn only_text<'a>(element: &'a Element, name: &'a str) -> Result<Option<&'a str>, Unreadable> {
    Ok(single(element, name)?.and_then(Element::text))
}

#[cfg(test)]
mod tests;
