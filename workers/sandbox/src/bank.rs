//! The bank itself: takes orders in once for each EndToEndId, answers for them, and goes wrong as it is told to. Its sockets
//! are in `routes`, its XML in `iso`.

use crate::faults::{AnswerFault, CallFate, FaultSettings, Faults, TransferFault};
use crate::iso::{self, Initiation, Order, Said};
use crate::ledger::{Entry, Ledger, LedgerError, Plan, State};
use crate::log::{Durable, Log};
use crate::reply::{Reply, answer, before, say, xml};
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The bank.
pub(crate) struct Bank {
    books: Mutex<Books>,
    log: Log,
    settled_code: String,
    /// Counts changes of the ledger and calls, for those who wait for one.
    changed: watch::Sender<u64>,
    /// Counts releases of calls that are held back.
    released: watch::Sender<u64>,
}

pub(crate) struct Books {
    pub(crate) ledger: Ledger,
    pub(crate) faults: Faults,
    /// Every `MsgId` of `POST /payments`, in order.
    pub(crate) calls: Vec<String>,
    pub(crate) enquiries: u64,
    /// What the client did that it must never do.
    pub(crate) reproaches: Vec<String>,
    /// A fingerprint of the bytes that first came under each `MsgId`.
    messages: HashMap<String, u64>,
    /// Enquiries that are still answered "not found".
    unseen: HashMap<String, u32>,
    /// Enquiries a pending order has seen.
    asked: HashMap<String, u32>,
}

impl Bank {
    pub(crate) fn open(ledger: Option<&Path>, settled_code: &str, faults: FaultSettings) -> Result<Self, LedgerError> {
        let (log, ledger) = match ledger {
            Some(path) => (Log::open(path)?, Ledger::read(path)?),
            None => (Log::in_memory(), Ledger::default()),
        };
        let books = Books {
            ledger,
            faults: Faults::new(faults),
            calls: Vec::new(),
            enquiries: 0,
            reproaches: Vec::new(),
            messages: HashMap::new(),
            unseen: HashMap::new(),
            asked: HashMap::new(),
        };
        let (changed, released) = (watch::Sender::new(0), watch::Sender::new(0));
        Ok(Self { books: Mutex::new(books), log, settled_code: settled_code.to_owned(), changed, released })
    }

    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Lets every call go that is held back at this moment.
    pub(crate) fn release(&self) {
        self.released.send_modify(|count| *count += 1);
    }

    /// `POST /payments`.
    pub(crate) async fn pay(&self, bytes: &[u8], idempotency_key: Option<&str>) -> Reply {
        let initiation = match iso::read(bytes) {
            Ok(initiation) => initiation,
            Err(unfit) => {
                let msg_id = unfit.msg_id.as_deref().unwrap_or("NOTPROVIDED");
                return xml(400, iso::refusal(msg_id, unfit.reason, &unfit.text, Timestamp::now()));
            }
        };
        // Taken before the call becomes visible: whoever waits for the call may release it.
        let held = self.released.subscribe();
        let fate = self.books().arrive(&initiation, fingerprint(bytes), idempotency_key);
        self.changed.send_modify(|count| *count += 1);
        let after = match fate {
            CallFate::Before(fault) => return before(fault, &initiation.msg_id),
            CallFate::After(fault) => Some(fault),
            CallFate::Plain => None,
        };
        if let Some(AnswerFault::PayLate { milliseconds }) = after {
            hold(held.clone(), milliseconds).await;
        }
        let (said, durable) = self.carry_out(&initiation);
        if !durable.kept().await {
            return Reply::Bare { status: 500, retry_after_seconds: None };
        }
        self.changed.send_modify(|count| *count += 1);
        if let Some(AnswerFault::PaySlow { milliseconds }) = after {
            hold(held, milliseconds).await;
        }
        let now = Timestamp::now();
        let text = iso::report(&initiation.msg_id, &said, now);
        answer(text, after, &initiation.msg_id)
    }

    /// `GET /payments/{EndToEndId}`.
    pub(crate) async fn enquire(&self, end_to_end_id: &str) -> Reply {
        let held = self.released.subscribe();
        let (fate, found, durable) = {
            let mut books = self.books();
            books.enquiries += 1;
            let fate = books.faults.for_enquiry(end_to_end_id);
            let (found, lines) = match &fate {
                CallFate::Before(_) => (None, Vec::new()),
                CallFate::Plain | CallFate::After(_) => books.look_up(end_to_end_id, Timestamp::now()),
            };
            (fate, found, self.log.append(lines))
        };
        if !durable.kept().await {
            return Reply::Bare { status: 500, retry_after_seconds: None };
        }
        self.changed.send_modify(|count| *count += 1);
        let msg_id = found.as_ref().map_or("NOTPROVIDED", |entry| entry.msg_id.as_str());
        let after = match fate {
            CallFate::Before(fault) => return before(fault, msg_id),
            CallFate::After(fault) => Some(fault),
            CallFate::Plain => None,
        };
        if let Some(AnswerFault::PaySlow { milliseconds } | AnswerFault::PayLate { milliseconds }) = after {
            hold(held, milliseconds).await;
        }
        match &found {
            Some(entry) => answer(iso::report(msg_id, &[self.truth(entry)], Timestamp::now()), after, msg_id),
            None => Reply::Bare { status: 404, retry_after_seconds: None },
        }
    }

    /// `GET /statements`.
    pub(crate) async fn statements(&self, from: Date, to: Date) -> Reply {
        let (text, durable) = {
            let books = self.books();
            (iso::statements(&books.ledger, from, to, Timestamp::now()), self.log.append(Vec::new()))
        };
        match (text, durable.kept().await) {
            (Some(text), true) => xml(200, text),
            (None, true) => Reply::Bare { status: 404, retry_after_seconds: None },
            (_, false) => Reply::Bare { status: 500, retry_after_seconds: None },
        }
    }

    /// Brings pending orders into a final state; `chosen` says which and what with. Returns how many once they are durable.
    pub(crate) async fn decide(&self, chosen: impl Fn(&Entry) -> Option<Decision>) -> usize {
        let (count, durable) = {
            let mut books = self.books();
            let now = Timestamp::now();
            let pending = books.ledger.entries().iter().filter(|entry| entry.state == State::Pending);
            let decided: Vec<Entry> = pending.filter_map(|entry| Some(chosen(entry)?.on(entry.clone(), now))).collect();
            let lines = books.book(&decided);
            (decided.len(), self.log.append(lines))
        };
        // A failed disk shows in the next answer.
        let _ = durable.kept().await;
        self.changed.send_modify(|count| *count += 1);
        count
    }

    /// Books what is new and says what is to be said of every member.
    fn carry_out(&self, initiation: &Initiation) -> (Vec<Said>, Durable) {
        let mut books = self.books();
        let now = Timestamp::now();
        let (mut said, mut fresh) = (Vec::new(), Vec::new());
        for order in &initiation.orders {
            let fault = books.faults.for_order(order);
            let known = books.ledger.get(&order.end_to_end_id).cloned();
            let fault = if known.is_some() { None } else { fault };
            let entry = known.unwrap_or_else(|| {
                let entry = first_state(order, &initiation.msg_id, fault.as_ref(), now);
                fresh.push(entry.clone());
                entry
            });
            if let Some(TransferFault::PayUnseen { enquiries }) = fault {
                books.unseen.insert(order.end_to_end_id.clone(), enquiries);
            }
            say(&mut said, self.truth(&entry), fault);
        }
        let lines = books.book(&fresh);
        // The promise covers what others booked of these orders a moment ago as well.
        (said, self.log.append(lines))
    }

    fn truth(&self, entry: &Entry) -> Said {
        let said = |code: &str| Said {
            end_to_end_id: entry.end_to_end_id.clone(),
            code: code.to_owned(),
            reason: None,
            credited_at: None,
            reference: None,
        };
        match (entry.state, &entry.plan) {
            (State::Booked, _) => Said {
                credited_at: Some(entry.at),
                reference: Some(entry.reference.clone()),
                ..said(&self.settled_code)
            },
            (State::Rejected, _) => Said { reason: entry.reason.clone(), ..said("RJCT") },
            (State::Pending, Some(Plan::RefuseAfter { .. })) => said("ACCP"),
            (State::Pending, Some(Plan::UntilTold | Plan::SettleAfter { .. }) | None) => said("PDNG"),
        }
    }
}

impl Books {
    /// Registers a call, compares it with earlier ones, and says what it meets.
    fn arrive(&mut self, initiation: &Initiation, fingerprint: u64, idempotency_key: Option<&str>) -> CallFate {
        let Initiation { msg_id, orders } = initiation;
        self.calls.push(msg_id.clone());
        if idempotency_key != Some(msg_id.as_str()) {
            self.reproaches.push(format!("Idempotency-Key is {idempotency_key:?}, MsgId is {msg_id:?}"));
        }
        if *self.messages.entry(msg_id.clone()).or_insert(fingerprint) != fingerprint {
            self.reproaches.push(format!("MsgId {msg_id:?} came again with other bytes"));
        }
        for order in orders {
            let altered = self.ledger.get(&order.end_to_end_id).is_some_and(|known| {
                (known.amount, &known.account, &known.name) != (order.amount, &order.account, &order.name)
            });
            if altered {
                self.reproaches.push(format!("EndToEndId {:?} came again with other content", order.end_to_end_id));
            }
        }
        self.faults.for_call(msg_id, orders)
    }

    /// Takes entries into the ledger and gives their lines.
    fn book(&mut self, entries: &[Entry]) -> Vec<u8> {
        let mut lines = Vec::new();
        for entry in entries {
            // An entry is text and numbers: it can always be written.
            if let Ok(mut line) = serde_json::to_vec(entry) {
                line.push(b'\n');
                lines.append(&mut line);
            }
            self.ledger.apply(entry.clone());
        }
        lines
    }

    /// What an enquiry finds; a plan may come to its end by it.
    fn look_up(&mut self, end_to_end_id: &str, now: Timestamp) -> (Option<Entry>, Vec<u8>) {
        if let Some(left) = self.unseen.get_mut(end_to_end_id).filter(|left| **left > 0) {
            *left -= 1;
            return (None, Vec::new());
        }
        let Some(entry) = self.ledger.get(end_to_end_id).cloned() else { return (None, Vec::new()) };
        let asked = self.asked.entry(end_to_end_id.to_owned()).or_default();
        *asked += 1;
        let decision = match &entry.plan {
            Some(Plan::SettleAfter { enquiries }) if *asked >= *enquiries => Decision::Settle,
            Some(Plan::RefuseAfter { enquiries, reason }) if *asked >= *enquiries => {
                Decision::Refuse { reason: reason.clone() }
            }
            Some(Plan::SettleAfter { .. } | Plan::RefuseAfter { .. } | Plan::UntilTold) | None => {
                return (Some(entry), Vec::new());
            }
        };
        let entry = decision.on(entry, now);
        let lines = self.book(std::slice::from_ref(&entry));
        (Some(entry), lines)
    }
}

/// How a pending order ends.
pub(crate) enum Decision {
    Settle,
    Refuse { reason: String },
}

impl Decision {
    fn on(self, entry: Entry, at: Timestamp) -> Entry {
        match self {
            Self::Settle => Entry { state: State::Booked, plan: None, at, ..entry },
            Self::Refuse { reason } => Entry { state: State::Rejected, plan: None, reason: Some(reason), at, ..entry },
        }
    }
}

/// The state a new order begins in.
fn first_state(order: &Order, msg_id: &str, fault: Option<&TransferFault>, at: Timestamp) -> Entry {
    let (state, reason, plan) = match fault {
        Some(TransferFault::Refuse { reason }) => (State::Rejected, Some(reason.clone()), None),
        Some(TransferFault::Pend { enquiries: None }) => (State::Pending, None, Some(Plan::UntilTold)),
        Some(TransferFault::Pend { enquiries: Some(enquiries) }) => {
            (State::Pending, None, Some(Plan::SettleAfter { enquiries: *enquiries }))
        }
        Some(TransferFault::AcceptThenRefuse { enquiries, reason }) => {
            (State::Pending, None, Some(Plan::RefuseAfter { enquiries: *enquiries, reason: reason.clone() }))
        }
        Some(
            TransferFault::PayUnseen { .. }
            | TransferFault::PayUnnamed
            | TransferFault::PayContradict
            | TransferFault::PayCallDuplicate
            | TransferFault::PayUnknownCode { .. },
        )
        | None => (State::Booked, None, None),
    };
    Entry {
        end_to_end_id: order.end_to_end_id.clone(),
        msg_id: msg_id.to_owned(),
        amount: order.amount,
        currency: order.currency.clone(),
        debtor_account: order.debtor_account.clone(),
        account: order.account.clone(),
        name: order.name.clone(),
        bank_code: order.bank_code.clone(),
        uscc: order.uscc.clone(),
        remittance: order.remittance.clone(),
        state,
        reason,
        plan,
        reference: format!("B{:.32}", order.end_to_end_id),
        at,
    }
}

fn fingerprint(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

/// Waits until released, or for the time given if that is sooner.
async fn hold(mut released: watch::Receiver<u64>, milliseconds: Option<u64>) {
    let release = async {
        if released.changed().await.is_err() {
            std::future::pending::<()>().await
        }
    };
    match milliseconds {
        Some(milliseconds) => {
            // Either way the time has come.
            let _ = tokio::time::timeout(Duration::from_millis(milliseconds), release).await;
        }
        None => release.await,
    }
}
