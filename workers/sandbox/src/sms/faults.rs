//! What can go wrong at a vendor of SMS, and when: by script or by chance. Deciding only; the desk carries it out.

use super::Vendor;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};

/// Anything that can go wrong with one message; several may strike together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum SmsFault {
    /// Refused with this code of the vendor (of the webhook: `class:code`); nothing is taken in.
    Refuse {
        /// As the vendor writes it.
        code: String,
    },
    /// Refused: the number has had as many as it may.
    Limit,
    /// Refused: too many requests.
    Throttle,
    /// No answer ever, and nothing is taken in.
    Hang,
    /// The connection is reset, and nothing is taken in.
    Reset,
    /// A bare status, and nothing is taken in.
    Status {
        /// HTTP status.
        status: u16,
    },
    /// 200 with something that is no answer, and nothing is taken in.
    Garbage,
    /// Taken in, never answered.
    AcceptHang,
    /// Taken in, then the connection is reset.
    AcceptReset,
    /// Taken in, then a bare status.
    AcceptStatus {
        /// HTTP status.
        status: u16,
    },
    /// Taken in, then 200 with something that is no answer.
    AcceptGarbage,
    /// Taken in, and answered with the vendor's code for a trouble of its own.
    AcceptUnclear,
    /// It arrives, and no receipt ever says so.
    NoReceipt,
    /// Its receipt comes when released.
    LateReceipt,
    /// Its receipt speaks of another number.
    WrongNumber,
    /// Its receipt speaks of a message that nobody knows.
    WrongId,
    /// Its receipt is pushed before the answer.
    ReceiptFirst,
    /// Its receipt is pushed twice.
    ReceiptTwice,
    /// It does not arrive.
    Undelivered {
        /// The operator's code.
        code: String,
    },
    /// So many questions find nothing.
    Unseen {
        /// How many.
        questions: u32,
    },
}

/// What a script is for. Every script is a list of steps; the first is taken each time. A step is what strikes together; an empty one
/// is "as it should".
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "target", content = "id", rename_all = "snake_case")]
pub enum SmsTarget {
    /// Each sending of this `out_id`.
    Message(String),
    /// Each sending to this number, in E.164 form.
    Number(String),
    /// Each sending to this vendor.
    Vendor(Vendor),
    /// Each question to this vendor; of the faults those count that take nothing in.
    Questions(Vendor),
}

/// Faults by chance, for sendings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmsChance {
    /// At which vendor; none: at every one.
    #[serde(default)]
    pub vendor: Option<Vendor>,
    /// What strikes together.
    pub faults: Vec<SmsFault>,
    /// How often, of a thousand.
    pub per_mille: u32,
}

/// The scripts and dice of the running vendors.
pub(super) struct SmsFaults {
    chances: Vec<SmsChance>,
    random: fastrand::Rng,
    scripts: HashMap<SmsTarget, VecDeque<Vec<SmsFault>>>,
}

impl SmsFaults {
    pub(super) fn new(chances: Vec<SmsChance>, seed: u64) -> Self {
        Self { chances, random: fastrand::Rng::with_seed(seed), scripts: HashMap::new() }
    }

    pub(super) fn script(&mut self, target: SmsTarget, steps: Vec<Vec<SmsFault>>) {
        self.scripts.entry(target).or_default().extend(steps);
    }

    pub(super) fn set_chances(&mut self, chances: Vec<SmsChance>) {
        self.chances = chances;
    }

    /// What this sending meets: the nearest script that has a step, else chance.
    pub(super) fn for_sending(&mut self, vendor: Vendor, out_id: &str, to: &str) -> Vec<SmsFault> {
        let targets =
            [SmsTarget::Message(out_id.to_owned()), SmsTarget::Number(to.to_owned()), SmsTarget::Vendor(vendor)];
        for target in targets {
            if let Some(step) = self.next_step(&target) {
                return step;
            }
        }
        let random = &mut self.random;
        let struck = self
            .chances
            .iter()
            .find(|chance| chance.vendor.is_none_or(|of| of == vendor) && random.u32(..1000) < chance.per_mille);
        struck.map(|chance| chance.faults.clone()).unwrap_or_default()
    }

    /// What this question meets.
    pub(super) fn for_question(&mut self, vendor: Vendor) -> Vec<SmsFault> {
        self.next_step(&SmsTarget::Questions(vendor)).unwrap_or_default()
    }

    fn next_step(&mut self, target: &SmsTarget) -> Option<Vec<SmsFault>> {
        self.scripts.get_mut(target)?.pop_front()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test may fail loudly
    use super::{SmsChance, SmsFault, SmsFaults, SmsTarget};
    use crate::sms::Vendor;

    #[test]
    fn the_nearest_script_counts_then_chance() {
        let chance = |vendor, per_mille| SmsChance { vendor, faults: vec![SmsFault::Hang], per_mille };
        let mut faults = SmsFaults::new(vec![chance(Some(Vendor::Tencent), 1000)], 7);
        faults.script(SmsTarget::Number("+861".to_owned()), vec![vec![], vec![SmsFault::Limit]]);
        faults.script(SmsTarget::Message("n-2".to_owned()), vec![vec![SmsFault::Reset, SmsFault::NoReceipt]]);
        assert_eq!(faults.for_sending(Vendor::Aliyun, "n-1", "+861"), []);
        assert_eq!(faults.for_sending(Vendor::Aliyun, "n-2", "+861"), [SmsFault::Reset, SmsFault::NoReceipt]);
        assert_eq!(faults.for_sending(Vendor::Aliyun, "n-2", "+861"), [SmsFault::Limit]);
        assert_eq!(faults.for_sending(Vendor::Aliyun, "n-2", "+861"), []);
        assert_eq!(faults.for_sending(Vendor::Tencent, "n-2", "+861"), [SmsFault::Hang]);
    }

    #[test]
    fn scripts_are_written_in_json() {
        let text = r#"{"target":"number","id":"+8613800000000","steps":[[{"fault":"accept_hang"},{"fault":"no_receipt"}],[]]}"#;
        #[derive(serde::Deserialize)]
        struct Script {
            #[serde(flatten)]
            target: SmsTarget,
            steps: Vec<Vec<SmsFault>>,
        }
        let script: Script = serde_json::from_str(text).unwrap();
        assert_eq!(script.target, SmsTarget::Number("+8613800000000".to_owned()));
        assert_eq!(script.steps, [vec![SmsFault::AcceptHang, SmsFault::NoReceipt], vec![]]);
    }
}
