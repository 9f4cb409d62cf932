//! What the reader makes of reports: one row a case.
#![allow(clippy::unwrap_used)] // a test may fail loudly

use super::{GroupWord, Pain002, Pain002Reader, SettledStatus, Unreadable};
use jiff::tz::TimeZone;
use zhida_core::ports::bank::BankWord;

fn read_as(settled: SettledStatus, bytes: &[u8]) -> Result<Pain002, Unreadable> {
    Pain002Reader::new(settled, TimeZone::get("Asia/Shanghai").unwrap()).read(bytes)
}

fn document(group: &str, payments: &str) -> String {
    format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt><GrpHdr><MsgId>B1</MsgId></GrpHdr>\
         <OrgnlGrpInfAndSts><OrgnlMsgId>M1</OrgnlMsgId>{group}</OrgnlGrpInfAndSts>{payments}</CstmrPmtStsRpt></Document>"
    )
}

fn transactions(content: &[&str]) -> String {
    let all: String = content.iter().map(|one| format!("<TxInfAndSts>{one}</TxInfAndSts>")).collect();
    document(
        "<GrpSts>PART</GrpSts>",
        &format!("<OrgnlPmtInfAndSts><OrgnlPmtInfId>P</OrgnlPmtInfId>{all}</OrgnlPmtInfAndSts>"),
    )
}

fn words(settled: SettledStatus, content: &[&str]) -> Vec<(String, BankWord)> {
    let report = read_as(settled, transactions(content).as_bytes()).unwrap();
    assert_eq!(report.group, GroupWord::Silent, "members speak for themselves");
    report.reports.into_iter().map(|report| (report.instruction_id.0, report.word)).collect()
}

fn word(settled: SettledStatus, content: &str) -> BankWord {
    let one = format!("<OrgnlEndToEndId>E1</OrgnlEndToEndId>{content}");
    let mut all = words(settled, &[&one]);
    assert_eq!(all.len(), 1);
    all.remove(0).1
}

fn on_the_way(code: &str) -> BankWord {
    BankWord::OnTheWay { code: code.to_owned() }
}

fn rejected(reason: &str, text: &str) -> BankWord {
    BankWord::Rejected { reason: reason.to_owned(), text: text.to_owned() }
}

fn unclear(code: &str) -> BankWord {
    BankWord::Unclear { code: code.to_owned() }
}

fn settled(code: &str) -> BankWord {
    BankWord::Settled { code: code.to_owned(), credited_at: None, bank_reference: None }
}

#[test]
fn codes_become_words() {
    use SettledStatus::{Accc, Acsc};
    for (agreed, content, expected) in [
        (Acsc, "<TxSts>ACSC</TxSts>", settled("ACSC")),
        (Acsc, "<TxSts>ACCC</TxSts>", settled("ACCC")),
        (Accc, "<TxSts>ACSC</TxSts>", on_the_way("ACSC")),
        (Accc, "<TxSts>ACCC</TxSts>", settled("ACCC")),
        (Acsc, "<TxSts>RCVD</TxSts>", on_the_way("RCVD")),
        (Acsc, "<TxSts> PDNG\n</TxSts>", on_the_way("PDNG")),
        (Acsc, "<TxSts>ACTC</TxSts>", on_the_way("ACTC")),
        (Acsc, "<TxSts>ACCP</TxSts>", on_the_way("ACCP")),
        (Acsc, "<TxSts>ACSP</TxSts>", on_the_way("ACSP")),
        (Acsc, "<TxSts>ACWC</TxSts>", on_the_way("ACWC")),
        (Acsc, "<TxSts>BLCK</TxSts>", unclear("BLCK")),
        (Acsc, "<TxSts>CANC</TxSts>", unclear("CANC")),
        (Acsc, "<TxSts>acsc</TxSts>", unclear("acsc")),
        (Acsc, "<TxSts>成功</TxSts>", unclear("成功")),
        (Acsc, "<TxSts/>", unclear("no TxSts")),
        (Acsc, "", unclear("no TxSts")),
        (Acsc, "<TxSts>RJCT</TxSts>", rejected("NARR", "")),
        (
            Acsc,
            "<TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>closed</AddtlInf><AddtlInf>since May</AddtlInf></StsRsnInf>",
            rejected("AC04", "closed since May"),
        ),
        (Acsc, "<TxSts>RJCT</TxSts><StsRsnInf><Rsn><Prtry>AM04</Prtry></Rsn></StsRsnInf>", rejected("AM04", "")),
        (
            Acsc,
            "<TxSts>RJCT</TxSts><StsRsnInf><Rsn><Prtry>ACME-7</Prtry></Rsn></StsRsnInf>",
            rejected("NARR", "ACME-7"),
        ),
        (
            Acsc,
            "<TxSts>RJCT</TxSts><StsRsnInf><AddtlInf>no</AddtlInf></StsRsnInf><StsRsnInf><Rsn><Cd>BE01</Cd></Rsn></StsRsnInf>",
            rejected("BE01", "no"),
        ),
        (
            Acsc,
            "<TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AM05</Cd></Rsn></StsRsnInf>",
            BankWord::Duplicate { code: "AM05".into() },
        ),
        (
            Acsc,
            "<TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC01</Cd></Rsn></StsRsnInf><StsRsnInf><Rsn><Cd>DU01</Cd></Rsn></StsRsnInf>",
            BankWord::Duplicate { code: "DU01".into() },
        ),
        (
            Acsc,
            "<TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>DU04</Cd></Rsn></StsRsnInf>",
            BankWord::Duplicate { code: "DU04".into() },
        ),
    ] {
        assert_eq!(word(agreed, content), expected, "{agreed:?} {content}");
    }
}

#[test]
fn a_settled_word_carries_the_banks_time_and_reference() {
    for (content, time, reference) in [
        (
            "<AccptncDtTm>2026-11-23T09:30:00.123456+08:00</AccptncDtTm><AcctSvcrRef>R1</AcctSvcrRef>",
            Some("2026-11-23T01:30:00.123456Z"),
            Some("R1"),
        ),
        (
            "<AccptncDtTm>2026-11-23T01:30:00Z</AccptncDtTm><ClrSysRef>C1</ClrSysRef>",
            Some("2026-11-23T01:30:00Z"),
            Some("C1"),
        ),
        (
            "<AccptncDtTm>2026-11-23T09:30:00</AccptncDtTm><AcctSvcrRef>R1</AcctSvcrRef><ClrSysRef>C1</ClrSysRef>",
            Some("2026-11-23T01:30:00Z"),
            Some("R1"),
        ),
        ("<AccptncDtTm>yesterday</AccptncDtTm>", None, None),
    ] {
        assert_eq!(
            word(SettledStatus::Acsc, &format!("<TxSts>ACSC</TxSts>{content}")),
            BankWord::Settled {
                code: "ACSC".into(),
                credited_at: time.map(|time| time.parse().unwrap()),
                bank_reference: reference.map(str::to_owned),
            },
            "{content}"
        );
    }
}

#[test]
fn two_words_on_one_transaction_are_no_word() {
    let settled_r1 = BankWord::Settled { code: "ACSC".into(), credited_at: None, bank_reference: Some("R1".into()) };
    for (one, other, expected) in [
        ("ACSC", "ACSC", settled("ACSC")),
        ("ACSP", "ACSC", settled("ACSC")),
        ("ACSC", "ACSP", settled("ACSC")),
        ("RCVD", "ACSP", on_the_way("RCVD")),
        ("ACSC", "RJCT", unclear("ACSC and RJCT")),
        ("RJCT", "ACSC", unclear("RJCT and ACSC")),
        ("ACSP", "RJCT", unclear("ACSP and RJCT")),
        ("RJCT", "ACSP", unclear("RJCT and ACSP")),
        ("ACSC</TxSts><AcctSvcrRef>R1</AcctSvcrRef><TxStz>", "ACSP", settled_r1),
        ("ACSC</TxSts><AcctSvcrRef>R1</AcctSvcrRef><TxStz>", "ACSC", unclear("ACSC and ACSC")),
    ] {
        let content = [one, other].map(|code| {
            format!("<OrgnlEndToEndId>E1</OrgnlEndToEndId><TxSts>{code}</TxSts>").replace("<TxStz></TxSts>", "")
        });
        let found = words(
            SettledStatus::Acsc,
            &[&content[0], "<OrgnlEndToEndId>E2</OrgnlEndToEndId><TxSts>ACSC</TxSts>", &content[1]],
        );
        assert_eq!(found, [("E1".to_owned(), expected), ("E2".to_owned(), settled("ACSC"))], "{one} {other}");
    }
    let three =
        ["ACSC", "RJCT", "ACSC"].map(|code| format!("<OrgnlEndToEndId>E1</OrgnlEndToEndId><TxSts>{code}</TxSts>"));
    let found = words(SettledStatus::Acsc, &[&three[0], &three[1], &three[2]]);
    assert!(matches!(found[0].1, BankWord::Unclear { .. }), "a third word does not heal it");
}

#[test]
fn the_group_says_little() {
    let refused = |reason: &str, text: &str| GroupWord::Refused { reason: reason.to_owned(), text: text.to_owned() };
    let part = |status: &str| {
        format!(
            "<OrgnlPmtInfAndSts><OrgnlPmtInfId>P</OrgnlPmtInfId><PmtInfSts>{status}</PmtInfSts></OrgnlPmtInfAndSts>"
        )
    };
    let nameless = "<OrgnlPmtInfAndSts><TxInfAndSts><TxSts>ACSC</TxSts></TxInfAndSts></OrgnlPmtInfAndSts>";
    let reason = |code: &str| {
        format!("<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>{code}</Cd></Rsn><AddtlInf>x</AddtlInf></StsRsnInf>")
    };
    for (group, payments, expected) in [
        ("<GrpSts>ACCP</GrpSts>".to_owned(), String::new(), GroupWord::Silent),
        ("<GrpSts>ACSC</GrpSts>".to_owned(), String::new(), GroupWord::Silent),
        ("<GrpSts>PART</GrpSts>".to_owned(), part("RJCT"), GroupWord::Silent),
        (String::new(), String::new(), GroupWord::Silent),
        (reason("FF01"), String::new(), refused("FF01", "x")),
        (reason("FF01"), part("RJCT"), refused("FF01", "x")),
        (reason("FF01"), part("ACCP"), GroupWord::Contradiction),
        (reason("FF01"), nameless.to_owned(), GroupWord::Silent),
        ("<GrpSts>RJCT</GrpSts>".to_owned(), String::new(), refused("NARR", "")),
        (reason("AM05"), String::new(), GroupWord::Duplicate),
        (reason("DU01"), String::new(), GroupWord::Duplicate),
    ] {
        let report = read_as(SettledStatus::Acsc, document(&group, &payments).as_bytes()).unwrap();
        assert_eq!(report.group, expected, "{group} {payments}");
        assert_eq!(report.reports, [], "{group} {payments}");
        assert_eq!(report.original_msg_id.as_deref(), Some("M1"));
    }
}

#[test]
fn form_does_not_matter() {
    let plain = transactions(&["<OrgnlEndToEndId>E1</OrgnlEndToEndId><TxSts>ACSP</TxSts>"]);
    let expected = read_as(SettledStatus::Acsc, plain.as_bytes()).unwrap();
    let prefixed = plain
        .replace("<Document xmlns=", "<n:Document xmlns:n=")
        .replace("</Document", "</n:Document")
        .replace("<TxSts>", "<n:TxSts a='1'>")
        .replace("</TxSts>", "</n:TxSts>");
    let older = plain.replace("pain.002.001.10", "pain.002.001.03");
    let no_namespace = plain.replace(" xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"", "");
    let talkative = plain
        .replace("<TxSts>", "<!-- new --><New><TxSts>RJCT</TxSts></New><StsId>7</StsId>\n\t<TxSts>")
        .replace("<GrpHdr>", "<?x y?><GrpHdr>");
    let marked = format!("\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\r\n{plain}\n");
    for text in [prefixed, older, no_namespace, talkative, marked] {
        assert_eq!(read_as(SettledStatus::Acsc, text.as_bytes()).unwrap(), expected, "{text}");
    }
}

#[test]
fn what_is_not_certain_is_unreadable() {
    let good = transactions(&["<OrgnlEndToEndId>E1</OrgnlEndToEndId><TxSts>ACSP</TxSts>"]);
    for (case, text) in [
        ("empty", String::new()),
        ("text", "OK".to_owned()),
        ("json", "{\"status\":\"ACSC\"}".to_owned()),
        ("web page", "<html><body>ACSC</body></html>".to_owned()),
        ("wrong root", good.replace("Document", "Envelope")),
        ("other message", good.replace("CstmrPmtStsRpt", "BkToCstmrStmt")),
        ("no group", good.replace("OrgnlGrpInfAndSts", "Other")),
        ("two words in one", good.replace("<TxSts>", "<TxSts>RJCT</TxSts><TxSts>")),
        (
            "two names in one",
            good.replace("<OrgnlEndToEndId>", "<OrgnlEndToEndId>E2</OrgnlEndToEndId><OrgnlEndToEndId>"),
        ),
        (
            "document type",
            good.replace("<Document", "<!DOCTYPE Document [<!ENTITY s \"ACSC\">]><Document").replace("ACSP", "&s;"),
        ),
        ("own entity", good.replace("ACSP", "&s;")),
        ("two documents", format!("{good}{good}")),
        ("tail", format!("{good}x")),
        ("NUL", good.replace("ACSP", "ACSP\0")),
    ] {
        assert!(read_as(SettledStatus::Acsc, text.as_bytes()).is_err(), "{case}");
    }
    for end in 0..good.len() {
        assert!(read_as(SettledStatus::Acsc, &good.as_bytes()[..end]).is_err(), "cut at {end}");
    }
}
