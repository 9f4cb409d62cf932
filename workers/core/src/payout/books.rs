//! The books of one payout: where its money stands. Every movement has a from and a to, so that a transaction sums to zero;
//! limits are tested when reserving only, late truth is booked always.

use super::Payout;
use crate::ids::{FundId, InstructionId, PayoutKey};
use crate::money::Fen;
use serde::{Deserialize, Serialize};

/// An account of the ledger. All but `Available` and `Overpaid` belong to one payout or instruction and are never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// The fund's money nobody has claimed.
    Available,
    /// Set apart for a payout.
    Reserved,
    /// Handed to the bank, perhaps.
    InTransit,
    /// Debited, the bank says.
    Paid,
    /// Debited beyond every reservation: a claim against whoever was paid too much.
    Overpaid,
}

impl Account {
    /// The name in tables.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Reserved => "reserved",
            Self::InTransit => "in_transit",
            Self::Paid => "paid",
            Self::Overpaid => "overpaid",
        }
    }
}

/// One movement of money in the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// The fund.
    pub fund_id: FundId,
    /// The payout.
    pub key: PayoutKey,
    /// The instruction, where one is concerned.
    pub instruction_id: Option<InstructionId>,
    /// Out of this account.
    pub from: Account,
    /// Into this one.
    pub to: Account,
    /// How much; always positive.
    pub amount: Fen,
}

impl Payout {
    /// Sets the whole amount apart; the caller has tested the limits. Nothing happens when it is reserved already.
    pub(crate) fn reserve(&mut self) -> Option<Posting> {
        let fund_id = self.fund_id.clone()?;
        if self.funded {
            return None;
        }
        self.funded = true;
        self.reserved = self.amount;
        Some(Posting {
            fund_id,
            key: self.key.clone(),
            instruction_id: None,
            from: Account::Available,
            to: Account::Reserved,
            amount: self.amount,
        })
    }

    /// Gives the reservation back to the fund: cancellation only.
    pub(crate) fn free(&mut self) -> Option<Posting> {
        let amount = self.reserved;
        self.reserved = Fen::ZERO;
        if amount == Fen::ZERO {
            return None;
        }
        self.funded = false;
        self.posting(None, Account::Reserved, Account::Available, amount)
    }

    /// Reserved → in transit, at a claim.
    pub(crate) fn send_money(&mut self, generation: u32) -> Option<Posting> {
        let amount = self.amount;
        let already = self.instruction(generation)?.in_transit;
        if already == amount || self.reserved < amount {
            return None;
        }
        self.reserved = Fen(self.reserved.0 - amount.0);
        let instruction = self.instruction_mut(generation)?;
        instruction.in_transit = amount;
        let id = instruction.id.clone();
        self.posting(Some(id), Account::Reserved, Account::InTransit, amount)
    }

    /// In transit → reserved: refused, or certainly not taken in.
    pub(crate) fn take_money_back(&mut self, generation: u32) -> Option<Posting> {
        let instruction = self.instruction_mut(generation)?;
        let amount = instruction.in_transit;
        if amount == Fen::ZERO {
            return None;
        }
        instruction.in_transit = Fen::ZERO;
        let id = instruction.id.clone();
        self.reserved = Fen(self.reserved.0 + amount.0);
        self.posting(Some(id), Account::InTransit, Account::Reserved, amount)
    }

    /// The fund it draws on becomes known. What was debited before it was (by a lost history) is booked now, on the overpaid
    /// account; the charge that follows covers it. A fund that debits were booked on stays.
    pub(crate) fn learn_fund(&mut self, fund_id: FundId) -> Vec<Posting> {
        let paid: Vec<(InstructionId, Fen)> = self
            .instructions
            .iter()
            .filter(|one| one.paid != Fen::ZERO)
            .map(|one| (one.id.clone(), one.paid))
            .collect();
        if self.fund_id.is_some() && !paid.is_empty() {
            return Vec::new();
        }
        self.fund_id = Some(fund_id);
        let late = |(id, amount)| self.posting(Some(id), Account::Overpaid, Account::Paid, amount);
        paid.into_iter().filter_map(late).collect()
    }

    /// Whatever the books say → paid: a debit is booked always. It draws on what is in transit, else on the payout's own
    /// reservation, else on the overpaid account.
    pub(crate) fn book_debit(&mut self, generation: u32) -> Option<Posting> {
        let amount = self.amount;
        let reserved = self.reserved;
        let instruction = self.instruction_mut(generation)?;
        let from = if instruction.in_transit == amount {
            instruction.in_transit = Fen::ZERO;
            Account::InTransit
        } else if reserved >= amount {
            Account::Reserved
        } else {
            Account::Overpaid
        };
        instruction.paid = amount;
        let id = instruction.id.clone();
        if from == Account::Reserved {
            self.reserved = Fen(reserved.0 - amount.0);
        }
        self.posting(Some(id), from, Account::Paid, amount)
    }

    /// Paid → reserved: the money came back.
    pub(crate) fn book_return(&mut self, generation: u32) -> Option<Posting> {
        let instruction = self.instruction_mut(generation)?;
        let amount = instruction.paid;
        if amount == Fen::ZERO {
            return None;
        }
        instruction.paid = Fen::ZERO;
        let id = instruction.id.clone();
        // Money drawn from the overpaid account goes back there, not into a reservation that never was.
        let to = if self.funded && self.total_held().0 + amount.0 <= self.amount.0 {
            self.reserved = Fen(self.reserved.0 + amount.0);
            Account::Reserved
        } else {
            Account::Overpaid
        };
        self.posting(Some(id), Account::Paid, to, amount)
    }

    /// Reserved → overpaid, when a generation that had drawn on the overpaid account turns out to be the only one paid.
    pub(crate) fn cover_overdraft(&mut self) -> Option<Posting> {
        let excess = if self.funded { self.total_held().0 - self.amount.0 } else { self.total_held().0 };
        let amount = Fen(excess.min(self.reserved.0));
        if amount.0 <= 0 {
            return None;
        }
        self.reserved = Fen(self.reserved.0 - amount.0);
        self.posting(None, Account::Reserved, Account::Overpaid, amount)
    }

    /// What of the fund this payout holds, in any account but the fund's own.
    #[must_use]
    pub fn total_held(&self) -> Fen {
        let travelling: Fen = self.instructions.iter().map(|one| Fen(one.in_transit.0 + one.paid.0)).sum();
        Fen(self.reserved.0 + travelling.0)
    }

    fn posting(
        &self,
        instruction_id: Option<InstructionId>,
        from: Account,
        to: Account,
        amount: Fen,
    ) -> Option<Posting> {
        Some(Posting { fund_id: self.fund_id.clone()?, key: self.key.clone(), instruction_id, from, to, amount })
    }
}
