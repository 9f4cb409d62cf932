//! The played vendors of SMS and the played mail server. Each keeps a ledger of what it really took in; it refuses, hangs, loses its
//! answers, is away for hours, and reports early, late, twice, about others and untruly. What it promises it keeps: what it took in
//! it shows to questions when the time that we allow for that has passed.

use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use zhida_core::notice::Channel;
use zhida_core::ports::sms::{AskOutcome, DeliveryWord, Receipt, RefusalClass, SendOutcome, Trust};
use zhida_notice::MAIL;

/// The longest a call of any vendor takes by its own account.
pub(super) const TIMEOUT: SignedDuration = SignedDuration::from_secs(10);

/// A number that belongs to nobody of the district.
pub(super) const STRANGER: &str = "+8613911112222";

/// One vendor.
pub(super) struct Vendor {
    pub(super) channel: Channel,
    pub(super) trust: Trust,
    pub(super) answers: Answers,
    /// Nobody is there until then.
    pub(super) away_until: Timestamp,
    /// What it takes from nobody, if anything.
    pub(super) refuses: Option<Refusing>,
}

/// Whether it can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    Questions,
    Nothing,
}

/// Content that it does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusing {
    /// Every text in which this stands.
    pub(super) what: &'static str,
}

/// A message as it is handed in.
#[derive(Clone, Debug)]
pub(super) struct HandedIn {
    pub(super) provider: String,
    pub(super) out_id: String,
    pub(super) to: String,
    pub(super) text: String,
}

/// One line of the ledger.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) provider: String,
    pub(super) channel: Channel,
    /// Questions see it from then on.
    pub(super) visible_from: Timestamp,
    /// What becomes of it, and when.
    pub(super) fate: Fate,
    pub(super) at: Timestamp,
}

/// What becomes of a message that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Arrives,
    DoesNotArrive(RefusalClass),
    /// Nobody ever hears of it again.
    Silence,
}

/// How a call goes on after the message is on the wire.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) outcome: SendOutcome,
    pub(super) ends_at: Timestamp,
}

/// A receipt on its way to us; a bounce in the mailbox, for the mail server.
#[derive(Clone)]
pub(super) struct Push {
    pub(super) due: Timestamp,
    pub(super) provider: String,
    pub(super) trust: Trust,
    pub(super) receipt: Receipt,
    /// It says the truth, and names the message by our id.
    pub(super) counts: bool,
}

/// All of them.
#[derive(Default)]
pub(super) struct Vendors {
    pub(super) all: BTreeMap<String, Vendor>,
    pub(super) ledger: BTreeMap<String, Entry>,
    pub(super) pushes: Vec<Push>,
    /// Numbers and addresses that do not exist.
    pub(super) nobody: BTreeSet<String>,
    /// How many calls of a hundred go wrong.
    pub(super) temper: u32,
    /// What was ever pushed, and booked.
    pub(super) booked: Vec<Push>,
}

fn soon(rng: &mut fastrand::Rng, most: SignedDuration) -> SignedDuration {
    SignedDuration::from_millis(rng.i64(1..i64::try_from(most.as_millis()).unwrap()))
}

impl Vendors {
    /// A message is on the wire: what becomes of it, and of the call, is settled.
    pub(super) fn hand_in(&mut self, rng: &mut fastrand::Rng, now: Timestamp, sms: &HandedIn) -> Plan {
        let vendor = &self.all[&sms.provider];
        let at_once = now + soon(rng, SignedDuration::from_secs(2));
        let at_last = now + TIMEOUT;
        let refused = |class: RefusalClass| SendOutcome::Refused {
            class,
            code: format!("{class:?}"),
            text: "not taken in".to_owned(),
        };
        let not_connected = || SendOutcome::NotConnected { why: "connection refused".to_owned() };
        let doubtful = || SendOutcome::Doubtful { why: "time-out".to_owned() };
        if now < vendor.away_until {
            return match rng.u8(0..3) {
                0 => Plan { outcome: doubtful(), ends_at: at_last },
                _ => Plan { outcome: not_connected(), ends_at: at_once },
            };
        }
        let dice = rng.u32(0..100);
        if dice >= self.temper {
            if self.nobody.contains(&sms.to) && rng.bool() {
                return Plan { outcome: refused(RefusalClass::Recipient), ends_at: at_once };
            }
            if vendor.refuses.is_some_and(|one| sms.text.contains(one.what)) {
                return Plan { outcome: refused(RefusalClass::Content), ends_at: at_once };
            }
            self.take_in(rng, now, sms);
            let provider_id = (rng.u8(0..4) > 0).then(|| format!("V-{}", sms.out_id));
            let outcome = SendOutcome::Accepted { provider_id, segments: None };
            return Plan { outcome, ends_at: at_once };
        }
        match rng.u8(0..8) {
            0 => Plan { outcome: not_connected(), ends_at: at_once },
            1 => Plan { outcome: refused(RefusalClass::Busy), ends_at: at_once },
            2 => Plan { outcome: refused(RefusalClass::Limit), ends_at: at_once },
            3 if rng.u8(0..4) == 0 => Plan { outcome: refused(RefusalClass::Account), ends_at: at_once },
            // It hangs, also beyond its own time limit.
            3 | 4 => Plan { outcome: doubtful(), ends_at: at_last + soon(rng, SignedDuration::from_secs(9)) },
            _ => {
                self.take_in(rng, now, sms);
                Plan { outcome: doubtful(), ends_at: at_last }
            }
        }
    }

    fn take_in(&mut self, rng: &mut fastrand::Rng, now: Timestamp, sms: &HandedIn) {
        let vendor = &self.all[&sms.provider];
        let (channel, trust) = (vendor.channel, vendor.trust);
        let fate = if self.nobody.contains(&sms.to) {
            Fate::DoesNotArrive(RefusalClass::Recipient)
        } else {
            match (rng.u8(0..20), channel) {
                (0 | 1, _) => Fate::DoesNotArrive(RefusalClass::Busy),
                (2..=4, Channel::Sms) => Fate::Silence,
                (_, _) => Fate::Arrives,
            }
        };
        let lengths = [1, 5, 40, 300, 2_400, 30_000];
        let at = now + SignedDuration::from_secs(lengths[rng.usize(0..lengths.len())]);
        let visible_from = now + soon(rng, SignedDuration::from_secs(119));
        let entry = Entry { provider: sms.provider.clone(), channel, visible_from, fate, at };
        self.report(rng, now, sms, &entry, trust);
        self.ledger.insert(sms.out_id.clone(), entry);
    }

    /// What it will push about a message, true and untrue.
    fn report(&mut self, rng: &mut fastrand::Rng, now: Timestamp, sms: &HandedIn, entry: &Entry, trust: Trust) {
        let receipt = |word| Receipt {
            out_id: sms.out_id.clone(),
            provider_id: Some(format!("V-{}", sms.out_id)),
            to: Some(sms.to.clone()),
            word,
        };
        let mut push = |due, receipt, counts| {
            self.pushes.push(Push { due, provider: sms.provider.clone(), trust, receipt, counts });
        };
        let later = |rng: &mut fastrand::Rng| SignedDuration::from_secs([0, 1, 60, 4_000][rng.usize(0..4)]);
        let word = match (&entry.fate, entry.channel) {
            (Fate::Silence, _) | (Fate::Arrives, Channel::Mail) => None,
            (Fate::Arrives, Channel::Sms) => Some(DeliveryWord::Delivered { at: Some(entry.at) }),
            (Fate::DoesNotArrive(class), _) => Some(undelivered(*class)),
        };
        if let Some(word) = word.clone().filter(|_| rng.u8(0..5) > 0) {
            for _ in 0..=rng.usize(0..2) {
                push(entry.at + later(rng), receipt(word.clone()), true);
            }
            if entry.channel == Channel::Sms && rng.u8(0..6) == 0 {
                push(entry.at, Receipt { out_id: String::new(), ..receipt(word) }, false);
            }
        }
        let delivered = || DeliveryWord::Delivered { at: None };
        if rng.u8(0..6) == 0 {
            push(now + later(rng), receipt(DeliveryWord::OnTheWay), false);
        }
        if rng.u8(0..4) == 0 {
            // About somebody else, under our id.
            let lie = if entry.channel == Channel::Mail { undelivered(RefusalClass::Busy) } else { delivered() };
            push(now + later(rng), Receipt { to: Some(STRANGER.to_owned()), ..receipt(lie) }, false);
        }
        if rng.u8(0..8) == 0 {
            push(now + later(rng), Receipt { out_id: "n999".to_owned(), ..receipt(delivered()) }, false);
        }
        // Whoever has found the secret address of a vendor that does not sign.
        if entry.channel == Channel::Sms && trust == Trust::Hint && entry.fate != Fate::Arrives && rng.bool() {
            push(now + later(rng), receipt(delivered()), false);
        }
    }

    /// What a question brings.
    pub(super) fn ask(&self, rng: &mut fastrand::Rng, now: Timestamp, provider: &str, out_id: &str) -> AskOutcome {
        let vendor = &self.all[provider];
        if vendor.answers == Answers::Nothing {
            return AskOutcome::NotOffered;
        }
        if now < vendor.away_until || rng.u32(0..100) < self.temper / 2 {
            return AskOutcome::NoAnswer { why: "time-out".to_owned() };
        }
        match self.ledger.get(out_id).filter(|one| one.provider == provider && now >= one.visible_from) {
            None => AskOutcome::NotFound,
            Some(entry) => AskOutcome::Found { provider_id: Some(format!("V-{out_id}")), word: entry.word(now) },
        }
    }

    /// When the next push is due.
    pub(super) fn next_push(&self) -> Option<Timestamp> {
        self.pushes.iter().map(|one| one.due).min()
    }
}

impl Entry {
    /// What is known of it at the vendor.
    pub(super) fn word(&self, now: Timestamp) -> DeliveryWord {
        match &self.fate {
            Fate::Arrives if now >= self.at => DeliveryWord::Delivered { at: Some(self.at) },
            Fate::DoesNotArrive(class) if now >= self.at => undelivered(*class),
            Fate::Arrives | Fate::DoesNotArrive(_) | Fate::Silence => DeliveryWord::OnTheWay,
        }
    }

    /// It was, or may be, read by somebody.
    pub(super) fn may_arrive(&self) -> bool {
        match self.fate {
            Fate::Arrives | Fate::Silence => true,
            Fate::DoesNotArrive(_) => false,
        }
    }
}

fn undelivered(class: RefusalClass) -> DeliveryWord {
    DeliveryWord::Undelivered { class, code: format!("U-{class:?}"), text: String::new() }
}

/// The vendors of one history: one to three of SMS, perhaps mail.
pub(super) fn invent(rng: &mut fastrand::Rng) -> Vendors {
    let mut vendors = Vendors { temper: [0, 5, 30, 60][rng.usize(0..4)], ..Vendors::default() };
    let kinds = [
        ("asked", Trust::Hint, Answers::Questions),
        ("signing", Trust::Signed, Answers::Nothing),
        ("other", Trust::Hint, Answers::Questions),
    ];
    let first = rng.usize(0..3);
    for place in 0..rng.usize(1..4) {
        let (name, trust, answers) = kinds[(first + place) % 3];
        let refuses = (rng.u8(0..6) == 0).then_some(Refusing { what: "到账" });
        let vendor = Vendor { channel: Channel::Sms, trust, answers, away_until: Timestamp::MIN, refuses };
        vendors.all.insert(name.to_owned(), vendor);
    }
    if rng.u8(0..4) > 0 {
        let (trust, answers) = (Trust::Hint, Answers::Nothing);
        let mail = Vendor { channel: Channel::Mail, trust, answers, away_until: Timestamp::MIN, refuses: None };
        vendors.all.insert(MAIL.to_owned(), mail);
    }
    vendors
}
