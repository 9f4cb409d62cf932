//! The simulated bank: what it has taken in, what becomes of it, what it says. It keeps what CONTRACT §6 promises (an
//! `EndToEndId` it knows is never paid again, a refusal stays a refusal, "not found" ends with the visibility window) and is
//! hostile in everything else. Its ledger is the only judge of what was paid.

use crate::message::Message;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use zhida_core::ids::{InstructionId, MsgId};
use zhida_core::payout::{Carrier, Word};
use zhida_core::ports::bank::{BankWord, CallOutcome, EnquiryOutcome, NotTakenIn, StatusReport, Transfer};

/// Temper of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Temper {
    /// Takes in, answers, settles.
    Healthy,
    /// Everything that can go wrong within its promises does, in so many of a hundred calls.
    Hostile(u8),
}

/// What the bank has of one transfer.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// As first taken in.
    pub(crate) transfer: Transfer,
    /// Where it stands.
    pub(crate) standing: Standing,
    /// Enquiries find it from then on.
    visible_from: Timestamp,
    /// What becomes of it, and when.
    next: Option<(Timestamp, Standing)>,
}

/// Where a transfer stands at the bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Pending,
    Settled { at: Timestamp, reference: String },
    Rejected { reason: String },
    Returned { at: Timestamp },
}

/// A message on its way to the bank.
#[derive(Clone, Debug)]
struct Travelling {
    arrives_at: Timestamp,
    message: Message,
    visible_after: SignedDuration,
}

/// How one call will go: decided when it is written.
#[derive(Clone, Debug)]
pub(crate) struct CallPlan {
    /// When the worker sees the end of it.
    pub(crate) ends_at: Timestamp,
    answer: Answer,
}

#[derive(Clone, Debug)]
enum Answer {
    Certain(CallOutcome),
    Doubtful(&'static str),
    /// The front end refuses every member, and nothing reaches the bank itself.
    TurnedAway,
    /// What is said then of the members, with a lie or none.
    Statuses(Lie),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    None,
    MemberMissing,
    GroupAlone,
    DuplicateMembers,
    DuplicateGroup,
    /// A refusal by the front end of what the bank itself has taken in.
    FalseRefusal,
    UnclearWord,
}

/// The bank.
pub(crate) struct Bank {
    pub(crate) temper: Temper,
    /// Every settlement and return stands in a statement that is read.
    pub(crate) all_in_statements: bool,
    /// Breaks even its promises: what it has refused it may pay all the same. Then nothing can be guaranteed, but it rings.
    pub(crate) breaks_promises: bool,
    /// Knows a repetition by its `MsgId` only: an `EndToEndId` in another message is paid again.
    pub(crate) by_message: bool,
    messages: BTreeSet<MsgId>,
    pub(crate) entries: BTreeMap<InstructionId, Entry>,
    /// Credits ever made.
    pub(crate) credits: Vec<(InstructionId, Transfer)>,
    /// Ids of which it ever said RJCT, by whatever way.
    pub(crate) said_refused: BTreeSet<InstructionId>,
    /// Statement lines and pushed messages not yet taken over by us, with the time from which they can be had.
    pub(crate) news: Vec<(Timestamp, InstructionId, Word, Carrier)>,
    /// No connection before that.
    pub(crate) closed_until: Timestamp,
    travelling: Vec<Travelling>,
    timeout: SignedDuration,
    visibility: SignedDuration,
}

const REASONS: [&str; 10] = ["AC01", "AC04", "AC06", "BE01", "RC01", "AM02", "AM04", "AM04", "TM01", "FF01"];

impl Bank {
    pub(crate) fn new(temper: Temper, timeout: SignedDuration, visibility: SignedDuration) -> Self {
        Self {
            temper,
            all_in_statements: false,
            breaks_promises: false,
            by_message: false,
            messages: BTreeSet::new(),
            entries: BTreeMap::new(),
            credits: Vec::new(),
            said_refused: BTreeSet::new(),
            news: Vec::new(),
            closed_until: Timestamp::MIN,
            travelling: Vec::new(),
            timeout,
            visibility,
        }
    }

    fn is_hostile(&self, rng: &mut fastrand::Rng) -> bool {
        match self.temper {
            Temper::Healthy => false,
            Temper::Hostile(percent) => rng.u8(0..100) < percent,
        }
    }

    /// A message is written to the socket.
    pub(crate) fn receive(&mut self, rng: &mut fastrand::Rng, now: Timestamp, message: Message) -> CallPlan {
        let soon = now + SignedDuration::from_millis(rng.i64(1..2_000));
        let certain = |outcome| CallPlan { ends_at: soon, answer: Answer::Certain(outcome) };
        if now < self.closed_until {
            return certain(not_taken_in(NotTakenIn::ConnectionRefused));
        }
        // An account the bank's form check stumbles over spoils the message it travels in.
        if message.1.iter().any(|one| one.payee.account_no.starts_with("0000")) {
            return certain(CallOutcome::RefusedWhole { reason: "FF01".to_owned(), text: "schema".to_owned() });
        }
        if !self.is_hostile(rng) {
            self.travel(soon, message, SignedDuration::ZERO);
            return CallPlan { ends_at: soon, answer: Answer::Statuses(Lie::None) };
        }
        let slow = now + SignedDuration::from_millis(rng.i64(2_000..self.timeout.as_millis() as i64));
        let visible_after = SignedDuration::from_millis(rng.i64(0..=self.visibility.as_millis() as i64));
        let ends_at = if rng.bool() { soon } else { slow };
        match rng.u8(0..20) {
            0 => certain(not_taken_in(NotTakenIn::ConnectionRefused)),
            1 => certain(not_taken_in(NotTakenIn::Unauthorised)),
            2 => certain(not_taken_in(NotTakenIn::Forbidden)),
            3 => certain(not_taken_in(NotTakenIn::TooManyRequests)),
            4 if rng.bool() => CallPlan { ends_at: soon, answer: Answer::TurnedAway },
            4 => certain(CallOutcome::RefusedWhole { reason: "AC01".to_owned(), text: "group".to_owned() }),
            5 => CallPlan { ends_at: soon, answer: Answer::Doubtful("reset before anything was read") },
            6 => CallPlan { ends_at: now + self.timeout, answer: Answer::Doubtful("time-out, nothing taken in") },
            choice => {
                // Taken in at some moment before the end of the call.
                let answer = match choice {
                    7 | 8 => Answer::Doubtful("time-out"),
                    9 => Answer::Doubtful("500"),
                    10 => Answer::Doubtful("reset"),
                    11 => Answer::Doubtful("unreadable"),
                    12 => Answer::Statuses(Lie::MemberMissing),
                    13 => Answer::Statuses(Lie::GroupAlone),
                    14 => Answer::Statuses(Lie::DuplicateMembers),
                    15 => Answer::Statuses(Lie::DuplicateGroup),
                    16 | 17 => Answer::Statuses(Lie::FalseRefusal),
                    18 => Answer::Statuses(Lie::UnclearWord),
                    _ => Answer::Statuses(Lie::None),
                };
                let ends_at = if choice <= 8 { now + self.timeout } else { ends_at };
                let span = (ends_at.as_millisecond() - now.as_millisecond()).max(1);
                let arrives_at = now + SignedDuration::from_millis(rng.i64(0..span));
                self.travel(arrives_at, message, visible_after);
                CallPlan { ends_at, answer }
            }
        }
    }

    fn travel(&mut self, arrives_at: Timestamp, message: Message, visible_after: SignedDuration) {
        self.travelling.push(Travelling { arrives_at, message, visible_after });
    }

    /// The outcome the worker sees when its call ends.
    pub(crate) fn answer(&mut self, rng: &mut fastrand::Rng, plan: &CallPlan, ids: &[InstructionId]) -> CallOutcome {
        let lie = match &plan.answer {
            Answer::Certain(outcome) => return outcome.clone(),
            Answer::Doubtful(why) => {
                let retry_after = (rng.u8(0..4) == 0).then(|| Duration::from_secs(rng.u64(1..10_000)));
                return CallOutcome::Doubtful { why: (*why).to_owned(), retry_after };
            }
            Answer::TurnedAway => return CallOutcome::Answered(ids.iter().map(|id| self.turn_away(rng, id)).collect()),
            Answer::Statuses(lie) => *lie,
        };
        let mut reports: Vec<StatusReport> = ids.iter().filter_map(|id| self.status(rng, id)).collect();
        let victim = rng.usize(0..reports.len().max(1));
        match lie {
            Lie::None => {}
            Lie::MemberMissing => {
                if !reports.is_empty() {
                    reports.remove(victim);
                }
            }
            Lie::GroupAlone => reports.clear(),
            Lie::DuplicateGroup => return CallOutcome::DuplicateGroup,
            Lie::DuplicateMembers => {
                for one in &mut reports {
                    one.word = BankWord::Duplicate { code: if rng.bool() { "DU01" } else { "AM05" }.to_owned() };
                }
            }
            Lie::FalseRefusal => {
                reports = reports.iter().map(|one| self.turn_away(rng, &one.instruction_id)).collect();
            }
            Lie::UnclearWord => {
                if let Some(one) = reports.get_mut(victim) {
                    one.word = BankWord::Unclear { code: "WAIT".to_owned() };
                }
            }
        }
        CallOutcome::Answered(reports)
    }

    /// A refusal by the front end.
    fn turn_away(&mut self, rng: &mut fastrand::Rng, id: &InstructionId) -> StatusReport {
        let reason = (*rng.choice(&REASONS).unwrap_or(&"NARR")).to_owned();
        self.said_refused.insert(id.clone());
        StatusReport { instruction_id: id.clone(), word: BankWord::Rejected { reason, text: "front end".to_owned() } }
    }

    /// An enquiry that reaches the bank now.
    pub(crate) fn enquire(&mut self, rng: &mut fastrand::Rng, now: Timestamp, id: &InstructionId) -> EnquiryOutcome {
        if now < self.closed_until || (self.is_hostile(rng) && rng.u8(0..3) == 0) {
            let retry_after = (rng.u8(0..4) == 0).then(|| Duration::from_secs(rng.u64(1..10_000)));
            return EnquiryOutcome::NoAnswer { why: "no usable answer".to_owned(), retry_after };
        }
        if self.entries.get(id).is_none_or(|entry| now < entry.visible_from) {
            return EnquiryOutcome::NotFound;
        }
        self.status(rng, id).map_or(EnquiryOutcome::NotFound, EnquiryOutcome::Found)
    }

    fn status(&mut self, rng: &mut fastrand::Rng, id: &InstructionId) -> Option<StatusReport> {
        let word = match &self.entries.get(id)?.standing {
            Standing::Pending => BankWord::OnTheWay { code: "PDNG".to_owned() },
            // Its status service knows nothing of returns: these come by statement.
            Standing::Settled { at, .. } | Standing::Returned { at } => BankWord::Settled {
                code: "ACSC".to_owned(),
                credited_at: rng.bool().then_some(*at),
                bank_reference: None,
            },
            Standing::Rejected { reason } => {
                self.said_refused.insert(id.clone());
                BankWord::Rejected { reason: reason.clone(), text: String::new() }
            }
        };
        Some(StatusReport { instruction_id: id.clone(), word })
    }

    /// When something next happens here by itself.
    pub(crate) fn next_moment(&self) -> Option<Timestamp> {
        let travelling = self.travelling.iter().map(|one| one.arrives_at);
        let standing = self.entries.values().filter_map(|one| one.next.as_ref().map(|(at, _)| *at));
        travelling.chain(standing).chain(self.news.iter().map(|news| news.0)).min()
    }

    /// Everything that happens here up to `now`.
    pub(crate) fn advance(&mut self, rng: &mut fastrand::Rng, now: Timestamp) {
        let mut arrived: Vec<Travelling> = self.travelling.extract_if(.., |one| one.arrives_at <= now).collect();
        arrived.sort_by_key(|one| one.arrives_at);
        for Travelling { arrives_at, message: (msg_id, transfers), visible_after } in arrived {
            if !self.messages.insert(msg_id) && self.by_message {
                continue;
            }
            for transfer in &transfers {
                self.take_in(rng, transfer, arrives_at, visible_after);
            }
        }
        let ids: Vec<InstructionId> = self.entries.keys().cloned().collect();
        for id in ids {
            while let Some(entry) = self.entries.get_mut(&id)
                && let Some((at, standing)) = entry.next.take_if(|(at, _)| *at <= now)
            {
                self.becomes(rng, &id, standing, at);
            }
        }
    }

    fn take_in(&mut self, rng: &mut fastrand::Rng, transfer: &Transfer, now: Timestamp, visible_after: SignedDuration) {
        let id = transfer.instruction_id.clone();
        if self.entries.contains_key(&id) {
            if self.by_message {
                self.credits.push((id, transfer.clone()));
            }
            return; // known under whatever MsgId: never paid again, unless this bank goes by messages
        }
        let entry = Entry {
            transfer: transfer.clone(),
            standing: Standing::Pending,
            visible_from: now + visible_after,
            next: None,
        };
        self.entries.insert(id.clone(), entry);
        let settled = |at| Standing::Settled { at, reference: format!("R-{id}") };
        let refused = |rng: &mut fastrand::Rng| Standing::Rejected {
            reason: (*rng.choice(&REASONS).unwrap_or(&"NARR")).to_owned(),
        };
        let later = now + SignedDuration::from_secs(rng.i64(1..10_000));
        let first = if !self.is_hostile(rng) && rng.u8(0..10) > 0 {
            settled(now)
        } else {
            match (self.temper, rng.u8(0..6)) {
                (Temper::Healthy, _) | (_, 0) => settled(now),
                (_, 1 | 2) => refused(rng),
                (_, choice) => {
                    let end = if choice == 3 { refused(rng) } else { settled(later) };
                    self.push(rng, &id, Word::OnTheWay, now);
                    if let Some(entry) = self.entries.get_mut(&id) {
                        entry.next = Some((later, end));
                    }
                    return;
                }
            }
        };
        self.becomes(rng, &id, first, now);
    }

    fn becomes(&mut self, rng: &mut fastrand::Rng, id: &InstructionId, standing: Standing, now: Timestamp) {
        let hostile = self.is_hostile(rng);
        let Some(entry) = self.entries.get_mut(id) else { return };
        entry.standing = standing.clone();
        let transfer = entry.transfer.clone();
        match standing {
            Standing::Pending => {}
            Standing::Settled { at, reference } => {
                self.credits.push((id.clone(), transfer));
                let word = Word::Settled { credited_at: Some(at), bank_reference: Some(reference) };
                if self.breaks_promises || self.all_in_statements || rng.u8(0..4) == 0 {
                    self.tell(rng, id, word, Carrier::Statement, now);
                } else {
                    self.push(rng, id, word, now);
                }
                if hostile && rng.u8(0..4) == 0 {
                    let at = now + SignedDuration::from_secs(rng.i64(1..100_000));
                    if let Some(entry) = self.entries.get_mut(id) {
                        entry.next = Some((at, Standing::Returned { at }));
                    }
                }
            }
            Standing::Rejected { reason } => {
                self.said_refused.insert(id.clone());
                self.push(rng, id, Word::Rejected { reason, text: String::new() }, now);
                if self.breaks_promises && hostile {
                    let at = now + SignedDuration::from_secs(rng.i64(1..50_000));
                    let paid = Standing::Settled { at, reference: format!("R-late-{id}") };
                    if let Some(entry) = self.entries.get_mut(id) {
                        entry.next = Some((at, paid));
                    }
                }
            }
            Standing::Returned { at } => {
                let word = Word::Returned { at, reason: "AC04".to_owned(), amount: transfer.amount };
                self.tell(rng, id, word, Carrier::Statement, now);
            }
        }
    }

    /// A pushed status: one in three comes at all, some late, some twice.
    fn push(&mut self, rng: &mut fastrand::Rng, id: &InstructionId, word: Word, now: Timestamp) {
        if self.temper != Temper::Healthy && rng.u8(0..3) == 0 {
            self.tell(rng, id, word, Carrier::Pushed, now);
        }
    }

    fn tell(&mut self, rng: &mut fastrand::Rng, id: &InstructionId, word: Word, carrier: Carrier, now: Timestamp) {
        for _ in 0..=u8::from(rng.u8(0..4) == 0) {
            let at = now + SignedDuration::from_secs(rng.i64(0..20_000));
            self.news.push((at, id.clone(), word.clone(), carrier));
        }
    }
}

/// What a worker is told when its message was certainly not taken in.
fn not_taken_in(why: NotTakenIn) -> CallOutcome {
    CallOutcome::NotTakenIn { why, retry_after: None }
}
