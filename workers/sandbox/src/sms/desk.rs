//! The desk behind all vendors: takes messages in, keeps them, lets receipts go, answers questions, and goes wrong as it is told to. How
//! a vendor words it stands in the vendor's own file.

use super::faults::{SmsFault, SmsFaults};
use super::ledger::{SmsEntry, SmsWord, segments};
use super::receipts::{Pushers, SmsReceipt};
use super::{SmsSettings, Vendor};
use crate::reply::Reply;
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The running vendors.
pub(crate) struct Desk {
    pub(super) settings: SmsSettings,
    pub(super) pushers: Pushers,
    books: Mutex<Books>,
    changed: watch::Sender<u64>,
}

pub(super) struct Books {
    pub(super) ledger: Vec<SmsEntry>,
    /// Where a message of the webhook stands in the ledger, by its `out_id`.
    webhooks: HashMap<String, usize>,
    pub(super) templates: HashMap<(Vendor, String), String>,
    pub(super) faults: SmsFaults,
    /// Every sending that was understood, by vendor and `out_id`, in order.
    pub(super) calls: Vec<(Vendor, String)>,
    pub(super) questions: u64,
    /// What the client did that it must never do.
    pub(super) reproaches: Vec<String>,
    /// How many messages a number may have, where that is limited.
    pub(super) limits: HashMap<Vendor, u32>,
    nonces: HashSet<String>,
    /// Receipts that wait to be released, with the place of their message in the ledger.
    held: Vec<(usize, SmsReceipt)>,
}

/// A message as a vendor understood it.
pub(super) struct Incoming {
    pub(super) vendor: Vendor,
    pub(super) out_id: String,
    /// E.164, or none when the number had not the vendor's form.
    pub(super) to: Option<String>,
    pub(super) signature: String,
    pub(super) content: Content,
}

/// What is to be sent.
pub(super) enum Content {
    /// By the vendor's template.
    Template { code: String, variables: Vec<(String, String)> },
    /// As it stands.
    Text(String),
}

/// Why a vendor takes a message not in.
pub(super) enum Refusal {
    Number,
    Signature,
    Template,
    Variables,
    Length,
    Limit,
    Throttle,
    Code(String),
}

/// What a vendor answers to a sending.
pub(super) enum Fate {
    Accepted(SmsEntry),
    Refused(Refusal),
    /// A trouble of the vendor's own.
    Unclear,
    /// No answer of the vendor's at all.
    Spoilt(Reply),
}

impl Desk {
    pub(crate) fn open(settings: SmsSettings) -> Self {
        let books = Books {
            ledger: Vec::new(),
            webhooks: HashMap::new(),
            templates: HashMap::new(),
            faults: SmsFaults::new(settings.chances.clone(), settings.seed),
            calls: Vec::new(),
            questions: 0,
            reproaches: Vec::new(),
            limits: HashMap::new(),
            nonces: HashSet::new(),
            held: Vec::new(),
        };
        let changed = watch::Sender::new(0);
        let pushers = Pushers::start(&settings.webhook_key, &changed);
        Self { settings, pushers, books: Mutex::new(books), changed }
    }

    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Whether this nonce is new.
    pub(super) fn is_fresh(&self, nonce: &str) -> bool {
        self.books().nonces.insert(nonce.to_owned())
    }

    /// Takes a message in, or does not.
    pub(super) async fn take_in(&self, incoming: Incoming) -> Fate {
        let (fate, first) = {
            let mut books = self.books();
            books.calls.push((incoming.vendor, incoming.out_id.clone()));
            let to = incoming.to.clone().unwrap_or_default();
            let faults = books.faults.for_sending(incoming.vendor, &incoming.out_id, &to);
            match faults.iter().find_map(before) {
                Some(fate) => (fate, None),
                None => match books.book(incoming, &faults) {
                    Ok((entry, receipts)) => {
                        let waits = faults.contains(&SmsFault::ReceiptFirst);
                        let pushed: Vec<_> =
                            receipts.into_iter().map(|one| self.pushers.push(entry.vendor, one)).collect();
                        let fate = faults.iter().find_map(after).unwrap_or(Fate::Accepted(entry));
                        (fate, waits.then_some(pushed))
                    }
                    Err(refusal) => (Fate::Refused(refusal), None),
                },
            }
        };
        self.changed.send_modify(|count| *count += 1);
        for pushed in first.into_iter().flatten() {
            // A pusher that has no address any more is done as well.
            let _ = pushed.await;
        }
        fate
    }

    /// What a question meets instead of an answer.
    pub(super) fn meets(&self, vendor: Vendor) -> Option<Reply> {
        let mut books = self.books();
        books.questions += 1;
        let step = books.faults.for_question(vendor);
        step.iter().find_map(|fault| match before(fault)? {
            Fate::Spoilt(reply) => Some(reply),
            // A refusal of a sending is no answer to a question.
            Fate::Refused(_) | Fate::Unclear | Fate::Accepted(_) => Some(Reply::Garbage),
        })
    }

    /// The messages that fit, the newest first, but for those that are still unseen.
    pub(super) fn look_up(&self, fits: impl Fn(&SmsEntry) -> bool) -> Vec<SmsEntry> {
        let mut books = self.books();
        let mut found = Vec::new();
        for entry in books.ledger.iter_mut().rev().filter(|entry| fits(entry)) {
            match entry.unseen {
                0 => found.push(entry.clone()),
                _ => entry.unseen -= 1,
            }
        }
        drop(books);
        self.changed.send_modify(|count| *count += 1);
        found
    }

    /// Lets late receipts go.
    pub(super) fn release(&self) -> usize {
        let mut books = self.books();
        let held = std::mem::take(&mut books.held);
        let count = held.len();
        for (place, receipt) in held {
            let entry = &mut books.ledger[place];
            entry.word = receipt.word.clone();
            let vendor = entry.vendor;
            drop(self.pushers.push(vendor, receipt));
        }
        count
    }
}

impl Books {
    /// Books a message and says which receipts go out at once.
    fn book(&mut self, incoming: Incoming, faults: &[SmsFault]) -> Result<(SmsEntry, Vec<SmsReceipt>), Refusal> {
        let Incoming { vendor, out_id, to, signature, content } = incoming;
        let to = to.ok_or(Refusal::Number)?;
        let length = signature.chars().count();
        if !(2..=20).contains(&length) || signature.contains(['【', '】']) {
            return Err(Refusal::Signature);
        }
        let (template_code, text) = match content {
            Content::Text(text) => (None, text),
            Content::Template { code, variables } => {
                let template = self.templates.get(&(vendor, code.clone())).ok_or(Refusal::Template)?;
                (Some(code), rendered(vendor, template, &variables).ok_or(Refusal::Variables)?)
            }
        };
        let segments = segments(&signature, &text).ok_or(Refusal::Length)?;
        if vendor == Vendor::Webhook
            && let Some(known) = self.webhooks.get(&out_id).map(|place| &self.ledger[*place])
        {
            if (&known.to, &known.text) != (&to, &text) {
                self.reproaches.push(format!("out_id {out_id:?} came again with other content"));
            }
            return Ok((known.clone(), Vec::new()));
        }
        let had = || self.ledger.iter().filter(|entry| entry.vendor == vendor && entry.to == to).count();
        if self.limits.get(&vendor).is_some_and(|limit| had() >= *limit as usize) {
            return Err(Refusal::Limit);
        }
        let at = Timestamp::now();
        let entry = SmsEntry {
            vendor,
            provider_id: format!("{}{}^0", at.as_microsecond(), self.ledger.len()),
            out_id,
            to,
            signature,
            template_code,
            text,
            segments,
            at,
            word: SmsWord::OnTheWay,
            unseen: faults
                .iter()
                .find_map(|fault| match fault {
                    SmsFault::Unseen { questions } => Some(*questions),
                    _ => None,
                })
                .unwrap_or_default(),
        };
        Ok(self.keep(entry, faults))
    }

    /// Keeps a message, decides what becomes of it, and which receipts say so.
    fn keep(&mut self, mut entry: SmsEntry, faults: &[SmsFault]) -> (SmsEntry, Vec<SmsReceipt>) {
        let at = entry.at;
        let failed = faults.iter().find_map(|fault| match fault {
            SmsFault::Undelivered { code } => Some(SmsWord::Undelivered { code: code.clone(), at }),
            _ => None,
        });
        let end = failed.unwrap_or(SmsWord::Delivered { at });
        let mut receipt = SmsReceipt::of(&entry, end.clone());
        if faults.contains(&SmsFault::WrongNumber) {
            receipt.to = "+8613900009999".to_owned();
        }
        if faults.contains(&SmsFault::WrongId) {
            (receipt.out_id, receipt.provider_id) = ("nobody-knows".to_owned(), "0^0".to_owned());
        }
        let mut receipts = Vec::new();
        if faults.contains(&SmsFault::LateReceipt) {
            self.held.push((self.ledger.len(), receipt));
        } else if !faults.contains(&SmsFault::NoReceipt) {
            entry.word = end;
            if faults.contains(&SmsFault::ReceiptTwice) {
                receipts.push(receipt.clone());
            }
            receipts.push(receipt);
        }
        if entry.vendor == Vendor::Webhook {
            self.webhooks.insert(entry.out_id.clone(), self.ledger.len());
        }
        self.ledger.push(entry.clone());
        (entry, receipts)
    }
}

/// How a call ends of which nothing is taken in; none when the fault is of another kind.
fn before(fault: &SmsFault) -> Option<Fate> {
    Some(match fault {
        SmsFault::Refuse { code } => Fate::Refused(Refusal::Code(code.clone())),
        SmsFault::Limit => Fate::Refused(Refusal::Limit),
        SmsFault::Throttle => Fate::Refused(Refusal::Throttle),
        SmsFault::Hang => Fate::Spoilt(Reply::Silence),
        SmsFault::Reset => Fate::Spoilt(Reply::Reset),
        SmsFault::Status { status } => Fate::Spoilt(bare(*status)),
        SmsFault::Garbage => Fate::Spoilt(Reply::Garbage),
        SmsFault::AcceptHang
        | SmsFault::AcceptReset
        | SmsFault::AcceptStatus { .. }
        | SmsFault::AcceptGarbage
        | SmsFault::AcceptUnclear
        | SmsFault::NoReceipt
        | SmsFault::LateReceipt
        | SmsFault::WrongNumber
        | SmsFault::WrongId
        | SmsFault::ReceiptFirst
        | SmsFault::ReceiptTwice
        | SmsFault::Undelivered { .. }
        | SmsFault::Unseen { .. } => return None,
    })
}

/// How a call ends that was carried out; none when the fault does not touch the answer.
fn after(fault: &SmsFault) -> Option<Fate> {
    Some(match fault {
        SmsFault::AcceptHang => Fate::Spoilt(Reply::Silence),
        SmsFault::AcceptReset => Fate::Spoilt(Reply::Reset),
        SmsFault::AcceptStatus { status } => Fate::Spoilt(bare(*status)),
        SmsFault::AcceptGarbage => Fate::Spoilt(Reply::Garbage),
        SmsFault::AcceptUnclear => Fate::Unclear,
        SmsFault::Refuse { .. }
        | SmsFault::Limit
        | SmsFault::Throttle
        | SmsFault::Hang
        | SmsFault::Reset
        | SmsFault::Status { .. }
        | SmsFault::Garbage
        | SmsFault::NoReceipt
        | SmsFault::LateReceipt
        | SmsFault::WrongNumber
        | SmsFault::WrongId
        | SmsFault::ReceiptFirst
        | SmsFault::ReceiptTwice
        | SmsFault::Undelivered { .. }
        | SmsFault::Unseen { .. } => return None,
    })
}

fn bare(status: u16) -> Reply {
    Reply::Bare { status, retry_after_seconds: None }
}

/// The text as the vendor's template renders it: `${name}` at Alibaba, `{1}` at Tencent. None when a variable is missing, or, where they
/// are counted, too many are given.
fn rendered(vendor: Vendor, template: &str, variables: &[(String, String)]) -> Option<String> {
    let opening = match vendor {
        Vendor::Aliyun => "${",
        Vendor::Tencent | Vendor::Webhook => "{",
    };
    let mut text = String::new();
    let mut rest = template;
    let mut places = 0;
    while let Some((before, after)) = rest.split_once(opening) {
        let (name, after) = after.split_once('}')?;
        let (_, value) = variables.iter().find(|(known, _)| known == name)?;
        text.push_str(before);
        text.push_str(value);
        places += 1;
        rest = after;
    }
    text.push_str(rest);
    let counted = vendor == Vendor::Tencent;
    (!counted || variables.len() <= places).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::{Vendor, rendered};

    #[test]
    fn templates_are_rendered_as_each_vendor_does() {
        let variables = |of: &[(&str, &str)]| -> Vec<(String, String)> {
            of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let two = variables(&[("amount", "1.00"), ("policy", "${amount}")]);
        let aliyun = |template: &str| rendered(Vendor::Aliyun, template, &two);
        assert_eq!(aliyun("到账${amount}元({policy})${policy}。").as_deref(), Some("到账1.00元({policy})${amount}。"));
        assert_eq!(aliyun("${missing}"), None);
        assert_eq!(aliyun("${amount"), None);
        let numbered = variables(&[("1", "a"), ("2", "b")]);
        assert_eq!(rendered(Vendor::Tencent, "{2}{1}", &numbered).as_deref(), Some("ba"));
        assert_eq!(rendered(Vendor::Tencent, "{1}", &numbered), None, "one too many");
    }
}
