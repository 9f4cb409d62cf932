//! The bank's camt.053.001.08: what it booked on the debtor accounts, one statement an account, one line a credit transfer.

use super::{date_time, escaped, zone};
use crate::ledger::{Entry, Ledger};
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::fmt::Write;
use zhida_core::money::Fen;

/// The statements of the days `from` to `to`, both included; `None` when the bank knows no account.
pub(crate) fn statements(ledger: &Ledger, from: Date, to: Date, now: Timestamp) -> Option<String> {
    let mut accounts: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in ledger.entries() {
        accounts.entry(&entry.debtor_account).or_default();
    }
    for entry in ledger.credits() {
        accounts.entry(&entry.debtor_account).or_default().push(entry);
    }
    if accounts.is_empty() {
        return None;
    }
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\">\
         <BkToCstmrStmt><GrpHdr><MsgId>S{}</MsgId><CreDtTm>{}</CreDtTm></GrpHdr>",
        now.as_microsecond(),
        date_time(now)
    );
    for (number, (account, credits)) in accounts.iter().enumerate() {
        write_statement(&mut xml, &format!("{from}-{to}-{}", number + 1), account, credits, (from, to), now);
    }
    xml.push_str("</BkToCstmrStmt></Document>\n");
    Some(xml)
}

fn write_statement(
    xml: &mut String,
    id: &str,
    account: &str,
    credits: &[&Entry],
    (from, to): (Date, Date),
    now: Timestamp,
) {
    let sum = |within: &dyn Fn(Date) -> bool| -> Fen {
        credits.iter().filter(|entry| within(day_of(entry))).map(|entry| entry.amount).sum()
    };
    let currency = credits.first().map_or("CNY", |entry| entry.currency.as_str());
    // Writing into a string cannot fail.
    let _ = write!(
        xml,
        "<Stmt><Id>{id}</Id><CreDtTm>{}</CreDtTm><FrToDt><FrDtTm>{from}T00:00:00</FrDtTm><ToDtTm>{to}T23:59:59</ToDtTm></FrToDt>\
         <Acct><Id><Othr><Id>{}</Id></Othr></Id></Acct>",
        date_time(now),
        escaped(account)
    );
    write_balance(xml, "OPBD", currency, sum(&|day| day < from), from);
    write_balance(xml, "CLBD", currency, sum(&|day| day <= to), to);
    for entry in credits.iter().filter(|entry| (from..=to).contains(&day_of(entry))) {
        write_entry(xml, entry);
    }
    xml.push_str("</Stmt>");
}

/// Accounts of the sandbox start at zero and only pay: every balance is on the debit side.
fn write_balance(xml: &mut String, kind: &str, currency: &str, paid: Fen, day: Date) {
    let _ = write!(
        xml,
        "<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy=\"{}\">{paid}</Amt><CdtDbtInd>DBIT</CdtDbtInd>\
         <Dt><Dt>{day}</Dt></Dt></Bal>",
        escaped(currency)
    );
}

fn write_entry(xml: &mut String, entry: &Entry) {
    let money = format!("<Amt Ccy=\"{}\">{}</Amt><CdtDbtInd>DBIT</CdtDbtInd>", escaped(&entry.currency), entry.amount);
    let reference = escaped(&entry.reference);
    let _ = write!(
        xml,
        "<Ntry><NtryRef>{reference}</NtryRef>{money}<Sts><Cd>BOOK</Cd></Sts><BookgDt><DtTm>{}</DtTm></BookgDt><ValDt><Dt>{}</Dt></ValDt>\
         <AcctSvcrRef>{reference}</AcctSvcrRef><BkTxCd><Prtry><Cd>TRF</Cd></Prtry></BkTxCd><NtryDtls><TxDtls><Refs><MsgId>{}</MsgId>\
         <AcctSvcrRef>{reference}</AcctSvcrRef><EndToEndId>{}</EndToEndId></Refs>{money}<RltdPties><Cdtr><Pty><Nm>{}</Nm></Pty></Cdtr>\
         <CdtrAcct><Id><Othr><Id>{}</Id></Othr></Id></CdtrAcct></RltdPties></TxDtls></NtryDtls></Ntry>",
        date_time(entry.at),
        day_of(entry),
        escaped(&entry.msg_id),
        escaped(&entry.end_to_end_id),
        escaped(&entry.name),
        escaped(&entry.account)
    );
}

fn day_of(entry: &Entry) -> Date {
    entry.at.to_zoned_datetime(zone()).date()
}
