//! What can go wrong at the bank, and when: by script, by magic amount, by chance. Deciding only; the bank carries it out.

#[cfg(test)]
mod tests;

use crate::iso::Order;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::{HashMap, HashSet, VecDeque};

/// What happens to one transfer. Its call is answered in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum TransferFault {
    /// Refused for good.
    Refuse {
        /// ISO external status reason.
        reason: String,
    },
    /// Pending; credited at the n-th enquiry, or when told.
    Pend {
        /// From 1; none: until told.
        enquiries: Option<u32>,
    },
    /// Accepted, then refused at the n-th enquiry.
    AcceptThenRefuse {
        /// From 1.
        enquiries: u32,
        /// ISO external status reason.
        reason: String,
    },
    /// Paid, missing from the answer, and "not found" for so many enquiries.
    PayUnseen {
        /// How many 404.
        enquiries: u32,
    },
    /// Paid, missing from the answer.
    PayUnnamed,
    /// Paid; the answer says both settled and refused.
    PayContradict,
    /// Paid; the answer calls it a duplicate (DU01).
    PayCallDuplicate,
    /// Paid; the answer has a status nobody knows.
    PayUnknownCode {
        /// The status.
        code: String,
    },
}

/// What happens to a whole call of which nothing is taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum CallFault {
    /// The connection is reset.
    Reset,
    /// No answer ever.
    Hang,
    /// A bare status: 401, 403, 429, 500, 503 …
    Status {
        /// HTTP status.
        status: u16,
        /// `Retry-After`.
        #[serde(default)]
        retry_after_seconds: Option<u64>,
    },
    /// 400 with a group-level refusal.
    RefuseWhole {
        /// ISO external status reason.
        reason: String,
    },
    /// 200 with something that is no pain.002.
    Garbage,
}

/// What happens to the answer of a call that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum AnswerFault {
    /// Paid, never answered.
    PayHang,
    /// Paid, then a bare status (500).
    PayStatus {
        /// HTTP status.
        status: u16,
    },
    /// Paid, then the connection is reset.
    PayReset,
    /// Paid, then 200 with something that is no pain.002.
    PayGarbage,
    /// Paid, then half an answer.
    PayTruncated,
    /// Paid, answered late: after the time given or when released.
    PaySlow {
        /// None: only when released.
        milliseconds: Option<u64>,
    },
    /// Held before paying, after the time given or when released; paid then, also if nobody waits any more.
    PayLate {
        /// None: only when released.
        milliseconds: Option<u64>,
    },
    /// Paid; the answer has a status of the group only.
    PayGroupOnly {
        /// `ACCP`, `PART` …
        status: String,
    },
    /// Paid; the answer refuses the whole message as a duplicate (DU01).
    PayDuplicateWhole,
}

/// Anything that can go wrong. In JSON the variants are told apart by their `fault`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Fault {
    /// With one transfer.
    Transfer(TransferFault),
    /// With a call of which nothing is taken in.
    Call(CallFault),
    /// With the answer.
    Answer(AnswerFault),
}

/// The names that `fault` may have, by what they happen to.
const OF_TRANSFERS: [&str; 8] = [
    "refuse",
    "pend",
    "accept_then_refuse",
    "pay_unseen",
    "pay_unnamed",
    "pay_contradict",
    "pay_call_duplicate",
    "pay_unknown_code",
];
const OF_CALLS: [&str; 5] = ["reset", "hang", "status", "refuse_whole", "garbage"];
const OF_ANSWERS: [&str; 9] = [
    "pay_hang",
    "pay_status",
    "pay_reset",
    "pay_garbage",
    "pay_truncated",
    "pay_slow",
    "pay_late",
    "pay_group_only",
    "pay_duplicate_whole",
];

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let name = value.get("fault").and_then(Value::as_str).unwrap_or_default().to_owned();
        let read = if OF_TRANSFERS.contains(&name.as_str()) {
            serde_json::from_value(value).map(Self::Transfer)
        } else if OF_CALLS.contains(&name.as_str()) {
            serde_json::from_value(value).map(Self::Call)
        } else if OF_ANSWERS.contains(&name.as_str()) {
            serde_json::from_value(value).map(Self::Answer)
        } else {
            let all = [&OF_TRANSFERS[..], &OF_CALLS[..], &OF_ANSWERS[..]].concat().join(", ");
            return Err(D::Error::custom(format!("`fault` is {name:?}; use one of {all}")));
        };
        read.map_err(|error| D::Error::custom(format!("the fault {name}: {error}")))
    }
}

/// What a script is for. Every script is a list of steps; the first is taken each time, `None` being "as it should".
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "target", content = "id", rename_all = "snake_case")]
pub enum Target {
    /// Each message that carries this `EndToEndId`.
    Instruction(String),
    /// Each message that carries a transfer to this account.
    Account(String),
    /// Each call with this `MsgId`.
    Message(String),
    /// Each call of `POST /payments`.
    Payments,
    /// Each call of `GET /payments/…`.
    Enquiries,
    /// Each enquiry for this `EndToEndId`.
    EnquiriesFor(String),
}

/// Whether the amounts of [`magic`] work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MagicAmounts {
    /// Every amount is an amount.
    #[default]
    Off,
    /// The last two digits of an amount choose a fault.
    On,
}

/// A fault by chance. Those of calls strike payments and enquiries, those of answers payments, those of transfers new transfers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chance {
    /// Which.
    #[serde(flatten)]
    pub fault: Fault,
    /// How often, of a thousand.
    pub per_mille: u32,
}

/// What is to go wrong from the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultSettings {
    /// By amount.
    pub magic: MagicAmounts,
    /// By chance; the first that strikes counts.
    pub chances: Vec<Chance>,
    /// Of the chances: the same calls in the same order meet the same faults.
    pub seed: u64,
}

/// The fault that an amount with these last two digits (the fen) stands for, while magic amounts are on.
#[must_use]
pub fn magic(fen: i64) -> Option<Fault> {
    let refuse = |reason: &str| Some(Fault::Transfer(TransferFault::Refuse { reason: reason.to_owned() }));
    let status = |status, seconds| Some(Fault::Call(CallFault::Status { status, retry_after_seconds: seconds }));
    match fen.rem_euclid(100) {
        78 => refuse("RC04"),
        79 => refuse("AC06"),
        80 => refuse("AC01"),
        81 => refuse("AC04"),
        82 => refuse("AM04"),
        83 => refuse("BE01"),
        84 => refuse("TM01"),
        85 => refuse("FF01"),
        86 => Some(Fault::Transfer(TransferFault::PayCallDuplicate)),
        87 => Some(Fault::Transfer(TransferFault::Pend { enquiries: Some(2) })),
        88 => Some(Fault::Transfer(TransferFault::AcceptThenRefuse { enquiries: 2, reason: "AC04".to_owned() })),
        89 => Some(Fault::Transfer(TransferFault::PayUnseen { enquiries: 2 })),
        90 => Some(Fault::Transfer(TransferFault::PayUnnamed)),
        91 => Some(Fault::Answer(AnswerFault::PayHang)),
        92 => Some(Fault::Answer(AnswerFault::PayStatus { status: 500 })),
        93 => Some(Fault::Answer(AnswerFault::PayReset)),
        94 => Some(Fault::Call(CallFault::Reset)),
        95 => Some(Fault::Answer(AnswerFault::PayGarbage)),
        96 => Some(Fault::Answer(AnswerFault::PayTruncated)),
        97 => status(429, Some(1)),
        98 => status(503, Some(1)),
        99 => Some(Fault::Transfer(TransferFault::PayContradict)),
        _ => None,
    }
}

/// What a whole call meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CallFate {
    /// Nothing.
    Plain,
    /// This, and nothing is taken in.
    Before(CallFault),
    /// This, after it was carried out.
    After(AnswerFault),
}

/// The scripts and dice of a running bank.
pub(crate) struct Faults {
    magic: MagicAmounts,
    chances: Vec<Chance>,
    random: fastrand::Rng,
    scripts: HashMap<Target, VecDeque<Option<Fault>>>,
    /// Transfers whose magic amount has already spoilt a call: a resend must come through.
    struck: HashSet<String>,
}

impl Faults {
    pub(crate) fn new(settings: FaultSettings) -> Self {
        let random = fastrand::Rng::with_seed(settings.seed);
        let (scripts, struck) = (HashMap::new(), HashSet::new());
        Self { magic: settings.magic, chances: settings.chances, random, scripts, struck }
    }

    pub(crate) fn script(&mut self, target: Target, steps: Vec<Option<Fault>>) {
        self.scripts.entry(target).or_default().extend(steps);
    }

    pub(crate) fn set_chances(&mut self, chances: Vec<Chance>) {
        self.chances = chances;
    }

    /// What this call of `POST /payments` meets. Steps for single transfers stay where they are.
    pub(crate) fn for_call(&mut self, msg_id: &str, orders: &[Order]) -> CallFate {
        for target in [Target::Message(msg_id.to_owned()), Target::Payments] {
            match self.next_step(&target) {
                Some(Some(fault)) => return fate_of(fault),
                Some(None) => return CallFate::Plain,
                None => {}
            }
        }
        for order in orders {
            for target in targets_of(order) {
                let of_call = matches!(self.front(&target), Some(Some(Fault::Call(_) | Fault::Answer(_))));
                if of_call && let Some(Some(fault)) = self.next_step(&target) {
                    return fate_of(fault);
                }
            }
            if let Some(fault) = self.magic_of(order)
                && fate_of(fault.clone()) != CallFate::Plain
                && self.struck.insert(order.end_to_end_id.clone())
            {
                return fate_of(fault);
            }
        }
        self.roll(|fault| fate_of(fault.clone()) != CallFate::Plain).map_or(CallFate::Plain, fate_of)
    }

    /// What this transfer meets in a call that is carried out; `known` orders use a step up without effect.
    pub(crate) fn for_order(&mut self, order: &Order) -> Option<TransferFault> {
        for target in targets_of(order) {
            let of_call = matches!(self.front(&target), Some(Some(Fault::Call(_) | Fault::Answer(_))));
            if !of_call && let Some(step) = self.next_step(&target) {
                return step.and_then(transfer_fault);
            }
        }
        if let Some(fault) = self.magic_of(order).and_then(transfer_fault) {
            return Some(fault);
        }
        self.roll(|fault| matches!(fault, Fault::Transfer(_))).and_then(transfer_fault)
    }

    /// What this enquiry meets. Faults of answers spoil its answer as they would a payment's.
    pub(crate) fn for_enquiry(&mut self, end_to_end_id: &str) -> CallFate {
        for target in [Target::EnquiriesFor(end_to_end_id.to_owned()), Target::Enquiries] {
            if let Some(step) = self.next_step(&target) {
                return step.map_or(CallFate::Plain, fate_of);
            }
        }
        self.roll(|fault| matches!(fault, Fault::Call(_))).map_or(CallFate::Plain, fate_of)
    }

    fn front(&self, target: &Target) -> Option<&Option<Fault>> {
        self.scripts.get(target)?.front()
    }

    fn next_step(&mut self, target: &Target) -> Option<Option<Fault>> {
        self.scripts.get_mut(target)?.pop_front()
    }

    fn magic_of(&self, order: &Order) -> Option<Fault> {
        match self.magic {
            MagicAmounts::On => magic(order.amount.0),
            MagicAmounts::Off => None,
        }
    }

    fn roll(&mut self, wanted: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let random = &mut self.random;
        self.chances
            .iter()
            .find(|chance| wanted(&chance.fault) && random.u32(..1000) < chance.per_mille)
            .map(|chance| chance.fault.clone())
    }
}

fn targets_of(order: &Order) -> [Target; 2] {
    [Target::Instruction(order.end_to_end_id.clone()), Target::Account(order.account.clone())]
}

fn fate_of(fault: Fault) -> CallFate {
    match fault {
        Fault::Transfer(_) => CallFate::Plain,
        Fault::Call(fault) => CallFate::Before(fault),
        Fault::Answer(fault) => CallFate::After(fault),
    }
}

fn transfer_fault(fault: Fault) -> Option<TransferFault> {
    match fault {
        Fault::Transfer(fault) => Some(fault),
        Fault::Call(_) | Fault::Answer(_) => None,
    }
}
