//! Writes pain.001.001.09, the credit transfer initiation. Pure: equal content gives equal bytes, so that a resend is byte for
//! byte. Not a validator: lengths and characters are the affair of those who took the content in.

use super::xml::is_forbidden;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fmt::Write;
use zhida_core::ids::MsgId;
use zhida_core::money::Fen;
use zhida_core::ports::bank::{Debtor, PaymentFormat, Transfer};

/// Longest `Max140Text`, in characters.
const LONG_TEXT: usize = 140;

/// Writer of pain.001.001.09 in UTF-8.
///
/// Names and account numbers are escaped and never altered, also where they are longer than the standard allows (such a message
/// is refused by the bank as a whole, and its culprit found by splitting). Characters that XML 1.0 cannot carry at all become
/// U+FFFD, so that one member cannot make a whole message unreadable.
#[derive(Clone, Debug)]
pub struct Pain001Format {
    initiating_party: String,
    zone: TimeZone,
}

impl Pain001Format {
    /// `initiating_party`: who hands the messages in (1 to 140 characters, the district's name or id). `zone`: whose date is
    /// the requested execution date.
    #[must_use]
    pub fn new(initiating_party: &str, zone: TimeZone) -> Self {
        Self { initiating_party: initiating_party.to_owned(), zone }
    }
}

impl PaymentFormat for Pain001Format {
    fn write(&self, msg_id: &MsgId, created_at: Timestamp, transfers: &[Transfer]) -> Vec<u8> {
        let created = created_at.to_zoned_datetime(self.zone.clone());
        let mut xml = Xml(String::with_capacity(1024 + transfers.len() * 1400));
        xml.0.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        xml.0.push_str("<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\">");
        xml.within("CstmrCdtTrfInitn", |xml| {
            xml.within("GrpHdr", |xml| {
                xml.text("MsgId", msg_id.as_str());
                xml.text("CreDtTm", &created.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string());
                write_totals(xml, transfers.iter());
                xml.within("InitgPty", |xml| xml.text("Nm", &self.initiating_party));
            });
            let date = created.date().to_string();
            for (number, group) in by_debtor(transfers).iter().enumerate() {
                write_payment(xml, &payment_id(msg_id, number + 1), &date, group);
            }
        });
        xml.0.push_str("</Document>\n");
        xml.0.into_bytes()
    }
}

/// Transfers of one debtor account, in the order given. Never empty.
struct Group<'a> {
    debtor: &'a Debtor,
    members: Vec<&'a Transfer>,
}

/// One group for each debtor account, in the order of first appearance. A batch knows few accounts, so a search is enough.
fn by_debtor(transfers: &[Transfer]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for transfer in transfers {
        match groups.iter_mut().find(|group| *group.debtor == transfer.debtor) {
            Some(group) => group.members.push(transfer),
            None => groups.push(Group { debtor: &transfer.debtor, members: vec![transfer] }),
        }
    }
    groups
}

/// `PmtInfId`, at most 35 characters: unique within the message, derived from its id.
fn payment_id(msg_id: &MsgId, number: usize) -> String {
    let head: String = msg_id.as_str().chars().take(30).collect();
    format!("{head}-{number}")
}

fn write_totals<'a>(xml: &mut Xml, transfers: impl ExactSizeIterator<Item = &'a Transfer>) {
    xml.text("NbOfTxs", &transfers.len().to_string());
    xml.text("CtrlSum", &transfers.map(|transfer| transfer.amount).sum::<Fen>().to_string());
}

fn write_payment(xml: &mut Xml, payment_id: &str, date: &str, group: &Group<'_>) {
    xml.within("PmtInf", |xml| {
        xml.text("PmtInfId", payment_id);
        xml.text("PmtMtd", "TRF");
        // One debit line for each transfer: a statement must name every instruction.
        xml.text("BtchBookg", "false");
        write_totals(xml, group.members.iter().copied());
        xml.within("ReqdExctnDt", |xml| xml.text("Dt", date));
        xml.within("Dbtr", |xml| xml.text("Nm", &group.debtor.name));
        xml.within("DbtrAcct", |xml| write_account(xml, &group.debtor.account_no));
        xml.within("DbtrAgt", |xml| write_agent(xml, &group.debtor.bank_code, ""));
        for transfer in &group.members {
            write_transfer(xml, transfer);
        }
    });
}

fn write_transfer(xml: &mut Xml, transfer: &Transfer) {
    let payee = &transfer.payee;
    xml.within("CdtTrfTxInf", |xml| {
        xml.within("PmtId", |xml| xml.text("EndToEndId", transfer.instruction_id.as_str()));
        xml.within("Amt", |xml| xml.amount("InstdAmt", &transfer.currency, transfer.amount));
        xml.within("CdtrAgt", |xml| write_agent(xml, &payee.bank_code, &payee.bank_name));
        xml.within("Cdtr", |xml| {
            xml.text("Nm", &payee.account_name);
            xml.within("Id", |xml| {
                xml.within("OrgId", |xml| {
                    xml.within("Othr", |xml| {
                        xml.text("Id", &transfer.uscc);
                        xml.within("SchmeNm", |xml| xml.text("Prtry", "USCC"));
                    });
                });
            });
        });
        xml.within("CdtrAcct", |xml| write_account(xml, &payee.account_no));
        // Government payment. SUBS would mean a subscription, not a subsidy.
        xml.within("Purp", |xml| xml.text("Cd", "GOVT"));
        if !transfer.remittance.is_empty() {
            // Our own words, not anybody's name: cut where the standard ends.
            let remittance: String = transfer.remittance.chars().take(LONG_TEXT).collect();
            xml.within("RmtInf", |xml| xml.text("Ustrd", &remittance));
        }
    });
}

fn write_account(xml: &mut Xml, account_no: &str) {
    xml.within("Id", |xml| {
        if is_iban(account_no) {
            xml.text("IBAN", account_no);
        } else {
            xml.within("Othr", |xml| xml.text("Id", account_no));
        }
    });
}

/// The bank by its CNAPS code; its name is a courtesy, left out where the standard has no room for it.
fn write_agent(xml: &mut Xml, bank_code: &str, bank_name: &str) {
    xml.within("FinInstnId", |xml| {
        xml.within("ClrSysMmbId", |xml| {
            xml.within("ClrSysId", |xml| xml.text("Cd", "CNAPS"));
            xml.text("MmbId", bank_code);
        });
        if (1..=LONG_TEXT).contains(&bank_name.chars().count()) {
            xml.text("Nm", bank_name);
        }
    });
}

/// ISO 13616: country, check digits, at most 34 characters in all, MOD 97-10 equal to 1. The lengths registered for single
/// countries are not looked up.
fn is_iban(account_no: &str) -> bool {
    let bytes = account_no.as_bytes();
    let shaped = (15..=34).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..4].iter().all(u8::is_ascii_digit);
    shaped
        && bytes[4..].iter().chain(&bytes[..4]).fold(0_u32, |rest, byte| {
            let value = if byte.is_ascii_digit() { u32::from(byte - b'0') } else { u32::from(byte - b'A') + 10 };
            (rest * if value < 10 { 10 } else { 100 } + value) % 97
        }) == 1
}

/// The message as it grows.
struct Xml(String);

impl Xml {
    fn within(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.push(&["<", name, ">"]);
        content(self);
        self.push(&["</", name, ">"]);
    }

    fn text(&mut self, name: &str, text: &str) {
        self.push(&["<", name, ">"]);
        self.escaped(text);
        self.push(&["</", name, ">"]);
    }

    fn amount(&mut self, name: &str, currency: &str, amount: Fen) {
        self.push(&["<", name, " Ccy=\""]);
        self.escaped(currency);
        // Writing into a string cannot fail.
        let _ = write!(self.0, "\">{amount}</{name}>");
    }

    fn push(&mut self, parts: &[&str]) {
        for part in parts {
            self.0.push_str(part);
        }
    }

    fn escaped(&mut self, text: &str) {
        for letter in text.chars() {
            match letter {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&apos;"),
                // A bare one would be read as a line feed.
                '\r' => self.0.push_str("&#13;"),
                other if is_forbidden(other) => self.0.push('\u{fffd}'),
                other => self.0.push(other),
            }
        }
    }
}

#[cfg(test)]
mod tests;
