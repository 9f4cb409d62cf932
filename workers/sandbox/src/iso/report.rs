//! The bank's pain.002.001.10: what it says of a message and of each transfer.

use super::{date_time, escaped};
use jiff::Timestamp;
use std::fmt::Write;

/// What the bank says of one transfer; the truth is in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) end_to_end_id: String,
    pub(crate) code: String,
    pub(crate) reason: Option<String>,
    pub(crate) credited_at: Option<Timestamp>,
    pub(crate) reference: Option<String>,
}

/// A report on the transfers `said` of the message `msg_id`.
pub(crate) fn report(msg_id: &str, said: &[Said], now: Timestamp) -> String {
    let mut members = String::new();
    for one in said {
        write_transaction(&mut members, one);
    }
    // One word for the group when its members agree, PART when they do not.
    let group = match said {
        [first, rest @ ..] if rest.iter().all(|one| one.code == first.code) => &first.code,
        _ => "PART",
    };
    let payment = if members.is_empty() {
        String::new()
    } else {
        format!("<OrgnlPmtInfAndSts><OrgnlPmtInfId>NOTPROVIDED</OrgnlPmtInfId>{members}</OrgnlPmtInfAndSts>")
    };
    document(msg_id, &format!("<GrpSts>{}</GrpSts>", escaped(group)), &payment, now)
}

/// A report with a status of the group alone.
pub(crate) fn reports_group(msg_id: &str, status: &str, now: Timestamp) -> String {
    document(msg_id, &format!("<GrpSts>{}</GrpSts>", escaped(status)), "", now)
}

/// The refusal of a whole message.
pub(crate) fn refusal(msg_id: &str, reason: &str, text: &str, now: Timestamp) -> String {
    let text: String = text.chars().take(105).collect();
    let group = format!("<GrpSts>RJCT</GrpSts>{}", reason_xml(reason, &text));
    document(msg_id, &group, "", now)
}

fn document(msg_id: &str, group: &str, payments: &str, now: Timestamp) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\">\
         <CstmrPmtStsRpt><GrpHdr><MsgId>R{micros}</MsgId><CreDtTm>{created}</CreDtTm></GrpHdr><OrgnlGrpInfAndSts>\
         <OrgnlMsgId>{msg_id}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{group}</OrgnlGrpInfAndSts>{payments}\
         </CstmrPmtStsRpt></Document>\n",
        micros = now.as_microsecond(),
        created = date_time(now),
        msg_id = escaped(msg_id),
    )
}

fn write_transaction(xml: &mut String, said: &Said) {
    // Writing into a string cannot fail.
    let _ = write!(
        xml,
        "<TxInfAndSts><OrgnlEndToEndId>{}</OrgnlEndToEndId><TxSts>{}</TxSts>",
        escaped(&said.end_to_end_id),
        escaped(&said.code)
    );
    if let Some(reason) = &said.reason {
        xml.push_str(&reason_xml(reason, "refused by the sandbox"));
    }
    if let Some(at) = said.credited_at {
        let _ = write!(xml, "<AccptncDtTm>{}</AccptncDtTm>", date_time(at));
    }
    if let Some(reference) = &said.reference {
        let _ = write!(xml, "<AcctSvcrRef>{}</AcctSvcrRef>", escaped(reference));
    }
    xml.push_str("</TxInfAndSts>");
}

fn reason_xml(reason: &str, text: &str) -> String {
    let (reason, text) = (escaped(reason), escaped(text));
    format!("<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn><AddtlInf>{text}</AddtlInf></StsRsnInf>")
}
