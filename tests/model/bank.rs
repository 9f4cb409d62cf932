//! The bank of the small world: which transfers it has taken in, where they stand, what it says of them. It keeps its word: a
//! repetition that it recognises is never paid again, and what it answers to an enquiry is so. In all else it is hostile.

use zhida_core::ids::{InstructionId, MsgId};
use zhida_core::ports::bank::{BankWord, StatusReport};

/// An instruction: which payout, and which generation of it, both counted from 0.
pub(crate) type Name = (usize, usize);

/// Where a transfer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Standing {
    Pending,
    Settled,
    Refused,
}

/// A transfer that was taken in.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) standing: Standing,
    /// Enquiries do not find it yet.
    pub(crate) hidden: bool,
    /// The message that brought it, where repetitions are known by that.
    pub(crate) msg_id: Option<MsgId>,
}

/// More generations than the small world can come to: the first is refused, perhaps given up, and brought back once.
const GENERATIONS: usize = 4;

/// The bank's books, by payout and generation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bank {
    entries: [[Option<Entry>; GENERATIONS]; 2],
    /// It paid one instruction twice: the repetition was not one that it recognises.
    pub(crate) paid_again: bool,
}

/// What it does with one transfer of a message, and says of it in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Handling {
    /// Pays and says so; of what it has already it says where that stands.
    Settles,
    /// Takes it in, to be decided later, and says so.
    Delays,
    /// Refuses it, says so and remembers it.
    Refuses,
    /// Refuses it and says so, and keeps no record: enquiries will find nothing.
    RefusesAndForgets,
    /// Says that it refuses it, and pays; enquiries find that out later.
    RefusesAndPays,
    /// Pays and says nothing; enquiries find it later.
    Swallows,
    /// Never gets it, and says nothing.
    Loses,
}

impl Handling {
    const OF_NEW: [Self; 7] = [
        Self::Settles,
        Self::Delays,
        Self::Refuses,
        Self::RefusesAndForgets,
        Self::RefusesAndPays,
        Self::Swallows,
        Self::Loses,
    ];
    const OF_KNOWN: [Self; 3] = [Self::Settles, Self::RefusesAndPays, Self::Swallows];

    fn refuses(self) -> bool {
        matches!(self, Self::Refuses | Self::RefusesAndForgets | Self::RefusesAndPays)
    }

    /// Where a new transfer stands after it, and whether it is hidden.
    fn taken_in(self) -> Option<(Standing, bool)> {
        match self {
            Self::Settles => Some((Standing::Settled, false)),
            Self::Delays => Some((Standing::Pending, false)),
            Self::Refuses => Some((Standing::Refused, false)),
            Self::RefusesAndPays | Self::Swallows => Some((Standing::Settled, true)),
            Self::RefusesAndForgets | Self::Loses => None,
        }
    }
}

impl Bank {
    pub(crate) fn entry(&self, (payout, generation): Name) -> Option<&Entry> {
        self.entries[payout][generation].as_ref()
    }

    pub(crate) fn entry_mut(&mut self, (payout, generation): Name) -> Option<&mut Entry> {
        self.entries[payout][generation].as_mut()
    }

    /// All it may do with this transfer. It refuses first generations only, or they would go on for ever.
    pub(crate) fn may(&self, name: Name) -> Vec<Handling> {
        let all: &[Handling] = if self.entry(name).is_some() { &Handling::OF_KNOWN } else { &Handling::OF_NEW };
        all.iter().copied().filter(|how| name.1 == 0 || !how.refuses()).collect()
    }

    /// Does it with a transfer that came in this message (named where repetitions are known by that); returns what it says.
    pub(crate) fn handle(&mut self, name: Name, msg_id: Option<MsgId>, how: Handling) -> Option<Standing> {
        let slot = &mut self.entries[name.0][name.1];
        match slot {
            None => *slot = how.taken_in().map(|(standing, hidden)| Entry { standing, hidden, msg_id }),
            Some(known) if known.msg_id != msg_id => {
                self.paid_again |= known.standing != Standing::Refused && how.taken_in().is_some();
            }
            Some(_) => {}
        }
        match how {
            Handling::Settles | Handling::Delays | Handling::Refuses => slot.as_ref().map(|known| known.standing),
            Handling::RefusesAndForgets | Handling::RefusesAndPays => Some(Standing::Refused),
            Handling::Swallows | Handling::Loses => None,
        }
    }

    /// Enquiries find everything from now on.
    pub(crate) fn shows_all(&mut self) {
        self.entries.iter_mut().flatten().flatten().for_each(|entry| entry.hidden = false);
    }

    /// The answer to an enquiry; none: not found.
    pub(crate) fn enquire(&self, name: Name) -> Option<Standing> {
        self.entry(name).filter(|entry| !entry.hidden).map(|entry| entry.standing)
    }

    /// How many generations of a payout it has debited.
    pub(crate) fn debits(&self, payout: usize) -> usize {
        self.entries[payout].iter().flatten().filter(|entry| entry.standing == Standing::Settled).count()
    }

    /// It has paid it, or may yet.
    pub(crate) fn may_pay(&self, name: Name) -> bool {
        self.entry(name).is_some_and(|entry| entry.standing != Standing::Refused)
    }

    /// It has decided everything and hides nothing.
    pub(crate) fn rests(&self) -> bool {
        self.entries.iter().flatten().flatten().all(|entry| entry.standing != Standing::Pending && !entry.hidden)
    }
}

/// What it reports of a transfer that stands so; `reason` is why it refuses.
pub(crate) fn report(instruction_id: InstructionId, standing: Standing, reason: &str) -> StatusReport {
    let word = match standing {
        Standing::Pending => BankWord::OnTheWay { code: "PDNG".to_owned() },
        Standing::Settled => BankWord::Settled { code: "ACSC".to_owned(), credited_at: None, bank_reference: None },
        Standing::Refused => BankWord::Rejected { reason: reason.to_owned(), text: String::new() },
    };
    StatusReport { instruction_id, word }
}
