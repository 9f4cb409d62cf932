//! The bank of the small world: where each transfer stands, and whether enquiries see it.

use std::collections::BTreeMap;
use zhida_core::ids::InstructionId;
use zhida_core::payout::Payout;
use zhida_core::ports::bank::{BankWord, CallOutcome, EnquiryOutcome, NotTakenIn, StatusReport};

/// Where a transfer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Standing {
    Pending,
    Settled,
    Refused,
}

/// The bank's books.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Bank {
    entries: BTreeMap<InstructionId, (Standing, Seen)>,
}

/// Whether enquiries find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Seen {
    Now,
    AfterAJump,
}

/// What becomes of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fate {
    /// Taken in, it stands so, and the answer says so.
    Answered(Standing),
    /// Taken in, it stands so, enquiries see it later; the worker learns nothing.
    Swallowed(Standing),
    /// Not taken in; the worker learns nothing.
    Lost,
    /// Not taken in, and the worker knows.
    TurnedAway,
    /// Settled and seen later, while the front end says it refused.
    FalselyRefused,
    /// Settled, but the answer names the first member only.
    FirstNamedOnly,
}

impl Bank {
    /// The call with these members.
    pub(crate) fn call(&mut self, ids: &[InstructionId], fate: Fate) -> CallOutcome {
        let taken_in = match fate {
            Fate::Answered(standing) => Some((standing, Seen::Now)),
            Fate::Swallowed(standing) => Some((standing, Seen::AfterAJump)),
            Fate::FalselyRefused => Some((Standing::Settled, Seen::AfterAJump)),
            Fate::FirstNamedOnly => Some((Standing::Settled, Seen::Now)),
            Fate::Lost | Fate::TurnedAway => None,
        };
        for id in ids {
            if let Some(entry) = taken_in {
                // Known ids are never paid again.
                self.entries.entry(id.clone()).or_insert(entry);
            }
        }
        match fate {
            Fate::Answered(_) => CallOutcome::Answered(ids.iter().filter_map(|id| self.report(id)).collect()),
            Fate::FirstNamedOnly => {
                CallOutcome::Answered(ids.iter().take(1).filter_map(|id| self.report(id)).collect())
            }
            Fate::FalselyRefused => CallOutcome::Answered(ids.iter().map(|id| report(id, refused())).collect()),
            Fate::Swallowed(_) | Fate::Lost => CallOutcome::Doubtful { why: String::new(), retry_after: None },
            Fate::TurnedAway => CallOutcome::NotTakenIn { why: NotTakenIn::ConnectionRefused, retry_after: None },
        }
    }

    pub(crate) fn enquire(&self, id: &InstructionId) -> EnquiryOutcome {
        match self.entries.get(id) {
            Some((_, Seen::Now)) => self.report(id).map_or(EnquiryOutcome::NotFound, EnquiryOutcome::Found),
            Some((_, Seen::AfterAJump)) | None => EnquiryOutcome::NotFound,
        }
    }

    /// Transfers that are pending, to become something.
    pub(crate) fn pending(&self) -> Vec<InstructionId> {
        let pending = self.entries.iter().filter(|(_, (standing, _))| *standing == Standing::Pending);
        pending.map(|(id, _)| id.clone()).collect()
    }

    pub(crate) fn becomes(&mut self, id: &InstructionId, standing: Standing) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.0 = standing;
        }
    }

    pub(crate) fn settled(&self) -> Vec<InstructionId> {
        let settled = self.entries.iter().filter(|(_, (standing, _))| *standing == Standing::Settled);
        settled.map(|(id, _)| id.clone()).collect()
    }

    /// Everything taken in is visible by now.
    pub(crate) fn time_jumps(&mut self) {
        self.entries.values_mut().for_each(|entry| entry.1 = Seen::Now);
    }

    pub(crate) fn credits(&self, payout: &Payout) -> usize {
        let standing = |id: &InstructionId| self.entries.get(id).map(|(standing, _)| *standing);
        payout.instructions.iter().filter(|one| standing(&one.id) == Some(Standing::Settled)).count()
    }

    pub(crate) fn will_not_pay(&self, id: &InstructionId) -> bool {
        match self.entries.get(id) {
            None | Some((Standing::Refused, _)) => true,
            Some((Standing::Pending | Standing::Settled, _)) => false,
        }
    }

    fn report(&self, id: &InstructionId) -> Option<StatusReport> {
        let word = match self.entries.get(id)?.0 {
            Standing::Pending => BankWord::OnTheWay { code: String::new() },
            Standing::Settled => BankWord::Settled { code: String::new(), credited_at: None, bank_reference: None },
            Standing::Refused => refused(),
        };
        Some(report(id, word))
    }
}

fn report(id: &InstructionId, word: BankWord) -> StatusReport {
    StatusReport { instruction_id: id.clone(), word }
}

fn refused() -> BankWord {
    BankWord::Rejected { reason: "TM01".to_owned(), text: String::new() }
}
