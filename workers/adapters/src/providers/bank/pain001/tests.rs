//! The bytes of a message: frozen form, lawful but strange content, grouping. Validation against the schema is another test's.
#![allow(clippy::unwrap_used)] // a test may fail loudly

use super::super::xml::{self, Element};
use super::{Pain001Format, is_iban};
use jiff::tz::TimeZone;
use zhida_core::ids::{FundId, InstructionId, MsgId};
use zhida_core::money::Fen;
use zhida_core::ports::bank::{Debtor, Payee, PaymentFormat, Transfer};

fn transfer(id: &str, fen: i64) -> Transfer {
    Transfer {
        instruction_id: InstructionId::from(id),
        amount: Fen(fen),
        currency: "CNY".to_owned(),
        fund_id: FundId::from("F-1"),
        debtor: Debtor {
            name: "示例区财政局".into(), account_no: "35000001".into(), bank_code: "102100099996".into()
        },
        payee: Payee {
            account_name: "示例科技有限责任公司".to_owned(),
            account_no: "4000020109000000001".to_owned(),
            bank_code: "103100000026".to_owned(),
            bank_name: "示例银行".to_owned(),
        },
        uscc: "91350100M000100Y43".to_owned(),
        remittance: "稳岗补贴 A-2026-000123".to_owned(),
    }
}

fn write(transfers: &[Transfer]) -> String {
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    let made_at = "2026-11-22T16:30:00Z".parse().unwrap();
    String::from_utf8(Pain001Format::new("示例区", zone).write(&MsgId::from("M1"), made_at, transfers)).unwrap()
}

fn read(text: &str) -> Element {
    xml::read(text.as_bytes()).unwrap()
}

const TRANSACTION: [&str; 3] = ["CstmrCdtTrfInitn", "PmtInf", "CdtTrfTxInf"];

fn of_transaction(root: &Element, path: &[&str]) -> Option<String> {
    root.text_at(&[&TRANSACTION[..], path].concat()).map(str::to_owned)
}

#[test]
fn the_bytes_are_frozen() {
    let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\">\
        <CstmrCdtTrfInitn><GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-11-23T00:30:00+08:00</CreDtTm><NbOfTxs>1</NbOfTxs>\
        <CtrlSum>500000.00</CtrlSum><InitgPty><Nm>示例区</Nm></InitgPty></GrpHdr><PmtInf><PmtInfId>M1-1</PmtInfId><PmtMtd>TRF</PmtMtd>\
        <BtchBookg>false</BtchBookg><NbOfTxs>1</NbOfTxs><CtrlSum>500000.00</CtrlSum><ReqdExctnDt><Dt>2026-11-23</Dt></ReqdExctnDt>\
        <Dbtr><Nm>示例区财政局</Nm></Dbtr><DbtrAcct><Id><Othr><Id>35000001</Id></Othr></Id></DbtrAcct><DbtrAgt><FinInstnId><ClrSysMmbId>\
        <ClrSysId><Cd>CNAPS</Cd></ClrSysId><MmbId>102100099996</MmbId></ClrSysMmbId></FinInstnId></DbtrAgt><CdtTrfTxInf><PmtId>\
        <EndToEndId>E1</EndToEndId></PmtId><Amt><InstdAmt Ccy=\"CNY\">500000.00</InstdAmt></Amt><CdtrAgt><FinInstnId><ClrSysMmbId>\
        <ClrSysId><Cd>CNAPS</Cd></ClrSysId><MmbId>103100000026</MmbId></ClrSysMmbId><Nm>示例银行</Nm></FinInstnId></CdtrAgt><Cdtr>\
        <Nm>示例科技有限责任公司</Nm><Id><OrgId><Othr><Id>91350100M000100Y43</Id><SchmeNm><Prtry>USCC</Prtry></SchmeNm></Othr></OrgId></Id>\
        </Cdtr><CdtrAcct><Id><Othr><Id>4000020109000000001</Id></Othr></Id></CdtrAcct><Purp><Cd>GOVT</Cd></Purp><RmtInf>\
        <Ustrd>稳岗补贴 A-2026-000123</Ustrd></RmtInf></CdtTrfTxInf></PmtInf></CstmrCdtTrfInitn></Document>\n";
    assert_eq!(write(&[transfer("E1", 50_000_000)]), expected);
}

#[test]
fn lawful_but_strange_names_travel_unchanged() {
    for name in [
        "<script>alert('1')</script> & Co \"示例\"",
        "=HYPERLINK(\"http://example.com\")",
        "'; drop table payouts; --",
        "]]> &amp; &lt;",
        "示例🚀科技\u{200b}\u{3000}有限",
        "one\ttwo\nthree\rfour\r\nfive",
        &"示".repeat(140),
    ] {
        let mut strange = transfer("E1", 1);
        strange.payee.account_name = name.to_owned();
        strange.debtor.name = name.to_owned();
        let root = read(&write(&[strange]));
        assert_eq!(of_transaction(&root, &["Cdtr", "Nm"]).unwrap(), name);
        assert_eq!(root.text_at(&["CstmrCdtTrfInitn", "PmtInf", "Dbtr", "Nm"]).unwrap(), name);
    }
}

#[test]
fn one_member_cannot_make_the_message_unreadable() {
    let mut broken = transfer("E1", 1);
    broken.payee.account_name = "a\0b\u{1b}c\u{ffff}".to_owned();
    broken.remittance = "政".repeat(200);
    broken.payee.bank_name = "行".repeat(141);
    let root = read(&write(&[broken]));
    assert_eq!(of_transaction(&root, &["Cdtr", "Nm"]).unwrap(), "a\u{fffd}b\u{fffd}c\u{fffd}");
    assert_eq!(of_transaction(&root, &["RmtInf", "Ustrd"]).unwrap(), "政".repeat(140));
    assert_eq!(of_transaction(&root, &["CdtrAgt", "FinInstnId", "Nm"]), None);
}

#[test]
fn transfers_are_grouped_by_debtor_account_and_sums_agree() {
    let mut other = transfer("E2", 25);
    other.debtor.account_no = "35000002".to_owned();
    let root = read(&write(&[transfer("E1", 199), other, transfer("E3", 1)]));
    let message = root.first("CstmrCdtTrfInitn").unwrap();
    assert_eq!(message.text_at(&["GrpHdr", "NbOfTxs"]), Some("3"));
    assert_eq!(message.text_at(&["GrpHdr", "CtrlSum"]), Some("2.25"));
    let payments: Vec<_> = message
        .all("PmtInf")
        .map(|payment| {
            let ids: Vec<_> =
                payment.all("CdtTrfTxInf").filter_map(|one| one.text_at(&["PmtId", "EndToEndId"])).collect();
            let text = |name| payment.text_at(&[name]).unwrap();
            (text("PmtInfId"), text("NbOfTxs"), text("CtrlSum"), ids)
        })
        .collect();
    assert_eq!(payments, [("M1-1", "2", "2.00", vec!["E1", "E3"]), ("M1-2", "1", "0.25", vec!["E2"])]);
}

#[test]
fn only_a_valid_iban_is_written_as_one() {
    for (account_no, iban) in [
        ("GB82WEST12345698765432", true),
        ("DE89370400440532013000", true),
        ("DE89370400440532013001", false),
        ("de89370400440532013000", false),
        ("DE89 3704 0044 0532 0130 00", false),
        ("4000020109000000001", false),
        ("4000-0201-09", false),
        ("", false),
        ("DE", false),
        ("示例", false),
    ] {
        assert_eq!(is_iban(account_no), iban, "{account_no}");
        let mut one = transfer("E1", 1);
        one.payee.account_no = account_no.to_owned();
        let root = read(&write(&[one]));
        let path: &[&str] = if iban { &["CdtrAcct", "Id", "IBAN"] } else { &["CdtrAcct", "Id", "Othr", "Id"] };
        assert_eq!(of_transaction(&root, path).unwrap_or_default(), account_no, "{account_no}");
    }
}
