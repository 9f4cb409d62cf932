//! What intake is about: verified events with what they mean for payouts, and what becomes of them.

use crate::case_file::CaseNote;
use crate::contacts::Contacts;
use crate::ids::{ApplicationId, FundId, PayoutKey, PolicyId};
use crate::money::Fen;
use crate::payout::{Ended, Enterprise};
use crate::ports::bank::Payee;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An event that was read, verified and found well formed.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    /// CloudEvents source.
    pub source: String,
    /// CloudEvents id.
    pub event_id: String,
    /// CloudEvents type.
    pub event_type: String,
    /// CloudEvents subject.
    pub subject: String,
    /// The key that signed it.
    pub keyid: String,
    /// SHA-256 over the canonical form without the signature, hexadecimal.
    pub content_sha256: String,
    /// The bytes as they came.
    pub body: Vec<u8>,
    /// By which way: `amqp`, `http`, `submit`.
    pub way: String,
    /// What it says, as far as payouts are concerned.
    pub fact: Fact,
    /// What it says of an application's review.
    pub case: Option<CaseNote>,
    /// How it says that the enterprise of its application is reached.
    pub contacts: Option<Contacts>,
}

/// What an inbound event means for payouts.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// An award.
    Approved(Box<Approval>),
    /// The application is withdrawn, rejected or revoked.
    Ended(ApplicationId, Ended),
    /// A public notice began.
    PublicityStarted(ApplicationId, Timestamp),
    /// Somebody objected.
    PublicityObjected(ApplicationId, Timestamp),
    /// The public notice ended, its objections with it.
    PublicityEnded(ApplicationId, Timestamp),
    /// The enterprise corrected its account; two officers confirmed it at that time.
    PayeeCorrected(PayoutKey, Payee, Timestamp),
    /// An integrity commitment was signed.
    CommitmentSigned {
        /// Its id.
        commitment_id: String,
        /// Of which enterprise.
        uscc: String,
    },
    /// Taken in and journalled for later workers.
    Other,
}

/// An approved award.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Which.
    pub key: PayoutKey,
    /// Under which policy.
    pub policy_id: PolicyId,
    /// Out of which fund, if it says so.
    pub fund_id: Option<FundId>,
    /// To whom.
    pub enterprise: Enterprise,
    /// How much.
    pub amount: Fen,
    /// ISO 4217.
    pub currency: String,
    /// On which account.
    pub payee: Payee,
    /// Start of the 24 hours.
    pub approved_at: Timestamp,
    /// How many different officers.
    pub officers: u32,
    /// The commitment it refers to.
    pub commitment_id: Option<String>,
}

/// What is known of an application beside its payouts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationFacts {
    /// It ended.
    pub ended: Option<Ended>,
    /// When the last public notice began, by whoever gave it.
    pub publicity_started_at: Option<Timestamp>,
    /// When somebody last objected.
    pub publicity_objected_at: Option<Timestamp>,
    /// When the last public notice ended, its objections with it.
    pub publicity_ended_at: Option<Timestamp>,
}

impl ApplicationFacts {
    /// A public notice is running, whichever of its messages came last.
    #[must_use]
    pub fn publicity_open(&self) -> bool {
        self.publicity_started_at.is_some_and(|at| self.is_after_the_end(at))
    }

    /// An objection is open.
    #[must_use]
    pub fn objection_open(&self) -> bool {
        self.publicity_objected_at.is_some_and(|at| self.is_after_the_end(at))
    }

    fn is_after_the_end(&self, at: Timestamp) -> bool {
        self.publicity_ended_at.is_none_or(|ended_at| at > ended_at)
    }
}

/// Something that could not be taken in; nothing is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// The bytes as they came.
    pub body: Vec<u8>,
    /// By which way.
    pub way: String,
    /// CloudEvents source, if it could be read.
    pub source: Option<String>,
    /// CloudEvents id, if it could be read.
    pub event_id: Option<String>,
    /// CloudEvents type, if it could be read.
    pub event_type: Option<String>,
    /// Why, as a code.
    pub reason_code: String,
    /// Which field, if one.
    pub field: Option<String>,
    /// Why, in words, with the remedy.
    pub reason: String,
}

/// What became of an arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakenIn {
    /// New, and durable once the transaction commits.
    Accepted,
    /// Seen before; nothing changed.
    Duplicate,
    /// Contradictory.
    Quarantined {
        /// Why, as a code.
        reason_code: String,
        /// The field that contradicts.
        field: String,
        /// Why, in words.
        reason: String,
    },
}
