//! The bank's reading of pain.001.001.09. Stricter than the standard where a bank is: sums and counts must agree, ids must be
//! short, no transfer may stand twice.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::collections::HashSet;
use zhida_core::money::Fen;

const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";

/// One transfer as the bank understood it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) end_to_end_id: String,
    pub(crate) amount: Fen,
    pub(crate) currency: String,
    pub(crate) debtor_account: String,
    pub(crate) name: String,
    pub(crate) account: String,
    pub(crate) bank_code: String,
    pub(crate) uscc: String,
    pub(crate) remittance: String,
}

/// One message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Initiation {
    pub(crate) msg_id: String,
    pub(crate) orders: Vec<Order>,
}

/// Why a message is refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfit {
    /// Its `MsgId`, as far as it was read.
    pub(crate) msg_id: Option<String>,
    /// ISO external status reason.
    pub(crate) reason: &'static str,
    pub(crate) text: String,
}

/// Reads a message.
pub(crate) fn read(bytes: &[u8]) -> Result<Initiation, Unfit> {
    let mut reading = Reading::default();
    let result = reading.run(bytes).and_then(|()| reading.verify());
    let msg_id = Some(reading.message.msg_id.clone()).filter(|id| !id.is_empty());
    result.map_err(|(reason, text)| Unfit { msg_id, reason, text })?;
    Ok(reading.message)
}

#[derive(Default)]
struct Reading {
    path: Vec<String>,
    text: String,
    namespace: String,
    message: Initiation,
    debtor_account: String,
    order: Order,
    amount: String,
    declared_count: String,
    declared_sum: String,
}

type Fault = (&'static str, String);

impl Reading {
    fn run(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let unreadable = |why: String| ("FF01", why);
        let text = std::str::from_utf8(bytes).map_err(|error| unreadable(error.to_string()))?;
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        loop {
            match reader.read_event().map_err(|error| unreadable(error.to_string()))? {
                Event::Start(start) => self.open(&start)?,
                Event::End(_) => self.close(),
                Event::Text(part) => self.text.push_str(&part.xml10_content()),
                Event::CData(part) => self.text.push_str(&part),
                Event::GeneralRef(reference) => {
                    let whole = format!("&{};", &*reference);
                    let part = quick_xml::escape::unescape(&whole).map_err(|error| unreadable(error.to_string()))?;
                    self.text.push_str(&part);
                }
                Event::DocType(_) => return Err(unreadable("a document type definition".to_owned())),
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::Eof if self.path.is_empty() => return Ok(()),
                Event::Eof => return Err(unreadable("the message ends before its end".to_owned())),
            }
        }
    }

    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), Fault> {
        let name = start.local_name().as_ref().to_owned();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| ("FF01", error.to_string()))?;
            match attribute.key.as_ref() {
                "xmlns" if self.path.is_empty() => self.namespace = attribute.value.to_string(),
                "Ccy" if name == "InstdAmt" => self.order.currency = attribute.value.to_string(),
                _ => {}
            }
        }
        self.path.push(name);
        self.text.clear();
        Ok(())
    }

    fn close(&mut self) {
        let path = self.path.join("/");
        let text = std::mem::take(&mut self.text);
        let place = path.strip_prefix("Document/CstmrCdtTrfInitn/").unwrap_or_default();
        match place {
            "GrpHdr/MsgId" => self.message.msg_id = text,
            "GrpHdr/NbOfTxs" => self.declared_count = text,
            "GrpHdr/CtrlSum" => self.declared_sum = text,
            "PmtInf/DbtrAcct/Id/IBAN" | "PmtInf/DbtrAcct/Id/Othr/Id" => self.debtor_account = text,
            "PmtInf/CdtTrfTxInf/PmtId/EndToEndId" => self.order.end_to_end_id = text,
            "PmtInf/CdtTrfTxInf/Amt/InstdAmt" => self.amount = text,
            "PmtInf/CdtTrfTxInf/CdtrAgt/FinInstnId/ClrSysMmbId/MmbId" => self.order.bank_code = text,
            "PmtInf/CdtTrfTxInf/Cdtr/Nm" => self.order.name = text,
            "PmtInf/CdtTrfTxInf/Cdtr/Id/OrgId/Othr/Id" => self.order.uscc = text,
            "PmtInf/CdtTrfTxInf/CdtrAcct/Id/IBAN" | "PmtInf/CdtTrfTxInf/CdtrAcct/Id/Othr/Id" => {
                self.order.account = text
            }
            "PmtInf/CdtTrfTxInf/RmtInf/Ustrd" => self.order.remittance = text,
            "PmtInf/CdtTrfTxInf" => {
                let mut order = std::mem::take(&mut self.order);
                order.debtor_account.clone_from(&self.debtor_account);
                // What is no amount becomes zero, which no order may carry.
                order.amount = Fen::parse_yuan(&std::mem::take(&mut self.amount)).unwrap_or(Fen::ZERO);
                self.message.orders.push(order);
            }
            _ => {}
        }
        self.path.pop();
    }

    fn verify(&self) -> Result<(), Fault> {
        let orders = &self.message.orders;
        let sum: Fen = orders.iter().map(|order| order.amount).sum();
        if self.namespace != NAMESPACE {
            return Err(("FF01", format!("the namespace is {:?}, not that of pain.001.001.09", self.namespace)));
        }
        if !(1..=35).contains(&self.message.msg_id.chars().count()) {
            return Err(("FF01", "MsgId has not 1 to 35 characters".to_owned()));
        }
        if orders.is_empty() || self.declared_count != orders.len().to_string() {
            return Err(("FF01", format!("NbOfTxs says {:?}, there are {}", self.declared_count, orders.len())));
        }
        if Fen::parse_yuan(&self.declared_sum) != Some(sum) {
            return Err(("AM10", format!("CtrlSum says {:?}, the sum is {sum}", self.declared_sum)));
        }
        let mut known = HashSet::new();
        for order in orders {
            let text = |name: &str| format!("{name} of transfer {:?} cannot be accepted", order.end_to_end_id);
            if !(1..=35).contains(&order.end_to_end_id.chars().count()) || !known.insert(&order.end_to_end_id) {
                return Err(("FF01", text("EndToEndId")));
            }
            if order.amount <= Fen::ZERO {
                return Err(("AM12", text("InstdAmt")));
            }
            if !(1..=140).contains(&order.name.chars().count()) {
                return Err(("FF01", text("Cdtr/Nm")));
            }
            if !(1..=34).contains(&order.account.chars().count()) || order.debtor_account.is_empty() {
                return Err(("FF01", text("CdtrAcct or DbtrAcct")));
            }
        }
        Ok(())
    }
}
