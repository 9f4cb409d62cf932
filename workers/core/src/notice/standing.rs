//! Whether a notice still has a point: what it tells must be so when it is sent. Asked before every sending, of what the subject is
//! then.

use super::NoticeRequest;
use super::kind::NoticeKind;
use crate::payout::{HoldCode, Instruction, Payout, PayoutState};
use crate::supervision::{Alert, Order, OrderState};
use jiff::Timestamp;

/// What a request is about, as it is now.
#[derive(Clone, Copy, Debug)]
pub enum Present<'a> {
    /// A payout.
    Payout(&'a Payout),
    /// An alert.
    Alert(&'a Alert),
    /// A supervision order.
    Order(&'a Order),
    /// Something that does not change, or that nobody finds.
    Nothing,
}

/// Whether there is a point in sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is.
    Stands,
    /// There is none any more.
    Lost(LostPoint),
}

/// Why a notice has lost its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LostPoint {
    /// Its time is over.
    Expired,
    /// The payout is not what the notice says any more.
    PayoutMoved,
    /// The alert was cleared.
    AlertCleared,
    /// The alert has climbed: another notice says more.
    AlertClimbed,
    /// The order was answered, or closed.
    OrderMoved,
    /// What was to be written was erased.
    Erased,
}

impl LostPoint {
    /// The name in records and the journal.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::PayoutMoved => "payout_moved",
            Self::AlertCleared => "alert_cleared",
            Self::AlertClimbed => "alert_climbed",
            Self::OrderMoved => "order_moved",
            Self::Erased => "erased",
        }
    }
}

/// Whether a notice that was asked for by these requests has a point: of several, while one of them has.
#[must_use]
pub fn standing<'a>(asked: impl IntoIterator<Item = (&'a NoticeRequest, Present<'a>)>) -> Standing {
    let mut last = Standing::Stands;
    for (request, present) in asked {
        last = standing_of(request, present);
        if last == Standing::Stands {
            return last;
        }
    }
    last
}

fn standing_of(request: &NoticeRequest, present: Present<'_>) -> Standing {
    let kind = request.kind;
    match present {
        Present::Payout(payout) => of_payout(kind, request.first_occasion(), payout),
        Present::Alert(alert) => of_alert(kind, alert),
        Present::Order(order) => of_order(kind, request.first_occasion(), order),
        Present::Nothing => Standing::Stands,
    }
}

fn stands_if(so: impl FnOnce() -> bool, else_lost: LostPoint) -> Standing {
    if so() { Standing::Stands } else { Standing::Lost(else_lost) }
}

/// Words were written when the notice was made: of what has come round again since, with another account or for another reason, another
/// notice tells.
fn of_payout(kind: NoticeKind, occasion: &str, payout: &Payout) -> Standing {
    let state = payout.state();
    let generation = |what: &str, instruction: Option<&Instruction>| {
        instruction.is_some_and(|one| occasion == format!("{what}_{}", one.generation))
    };
    let so = || match kind {
        // What comes after says more, and so does a hold that is told. Of one that is the district's own affair nothing is told: the
        // 24 hours run on, as the notice says, and if they are missed they are told of that.
        // Nor is a promise made that is known to be broken.
        NoticeKind::PayoutReceived => state.is_live() && !is_told_of_hold(payout) && !payout.is_known_to_be_late(),
        NoticeKind::PayoutHeld => is_told_of_hold(payout) && still_holds(payout, occasion),
        NoticeKind::PayoutCredited => {
            state == PayoutState::Settled
                && payout.instructions.iter().any(|one| one.is_debited() && generation("credited", Some(one)))
        }
        NoticeKind::PayoutRefused => state == PayoutState::Refused && generation("refused", payout.speaking()),
        NoticeKind::PayoutReturned => state == PayoutState::Returned && generation("returned", payout.speaking()),
        NoticeKind::PayoutLate => payout.is_unpaid(),
        NoticeKind::ReviewDueSoon
        | NoticeKind::ReviewOverdue
        | NoticeKind::ReviewEscalated
        | NoticeKind::ReviewCleared
        | NoticeKind::OrderIssued
        | NoticeKind::OrderReplied
        | NoticeKind::OrderReturned
        | NoticeKind::OrderClosed
        | NoticeKind::Digest
        | NoticeKind::IntegrityNotified
        | NoticeKind::IntegrityDecided
        | NoticeKind::IntegrityRepaired
        | NoticeKind::Test => true,
    };
    stands_if(so, LostPoint::PayoutMoved)
}

/// It is held, and for a reason that the enterprise is told.
fn is_told_of_hold(payout: &Payout) -> bool {
    payout.state() == PayoutState::Held && payout.holds.keys().any(|code| code.concerns_enterprise())
}

fn still_holds(payout: &Payout, occasion: &str) -> bool {
    payout.holds.iter().any(|(code, hold)| occasion == hold_occasion(*code, hold.since))
}

/// The occasion of one hold, by its code and since when: `account_name.1764172800000000`.
#[must_use]
pub fn hold_occasion(code: HoldCode, since: Timestamp) -> String {
    format!("{}.{}", code.code(), since.as_microsecond())
}

impl NoticeRequest {
    /// The hold that it is to tell of.
    pub(super) fn hold(&self) -> Option<HoldCode> {
        HoldCode::from_code(self.first_occasion().split('.').next()?)
    }
}

fn of_alert(kind: NoticeKind, alert: &Alert) -> Standing {
    let open = alert.cleared.is_none();
    match kind {
        NoticeKind::ReviewDueSoon if open => stands_if(|| !alert.is_red(), LostPoint::AlertClimbed),
        NoticeKind::ReviewDueSoon | NoticeKind::ReviewOverdue | NoticeKind::ReviewEscalated => {
            stands_if(|| open, LostPoint::AlertCleared)
        }
        NoticeKind::ReviewCleared
        | NoticeKind::PayoutReceived
        | NoticeKind::PayoutHeld
        | NoticeKind::PayoutCredited
        | NoticeKind::PayoutRefused
        | NoticeKind::PayoutReturned
        | NoticeKind::PayoutLate
        | NoticeKind::OrderIssued
        | NoticeKind::OrderReplied
        | NoticeKind::OrderReturned
        | NoticeKind::OrderClosed
        | NoticeKind::Digest
        | NoticeKind::IntegrityNotified
        | NoticeKind::IntegrityDecided
        | NoticeKind::IntegrityRepaired
        | NoticeKind::Test => Standing::Stands,
    }
}

/// Occasions of orders end with the number of steps that the order had then: after a reply and a return its term is another one.
fn of_order(kind: NoticeKind, occasion: &str, order: &Order) -> Standing {
    let as_then = || occasion.rsplit('_').next() == Some(order.steps.len().to_string().as_str());
    let so = || match kind {
        NoticeKind::OrderIssued | NoticeKind::OrderReturned => order.state() == OrderState::Issued && as_then(),
        NoticeKind::OrderReplied => order.state() == OrderState::Replied && as_then(),
        NoticeKind::OrderClosed
        | NoticeKind::PayoutReceived
        | NoticeKind::PayoutHeld
        | NoticeKind::PayoutCredited
        | NoticeKind::PayoutRefused
        | NoticeKind::PayoutReturned
        | NoticeKind::PayoutLate
        | NoticeKind::ReviewDueSoon
        | NoticeKind::ReviewOverdue
        | NoticeKind::ReviewEscalated
        | NoticeKind::ReviewCleared
        | NoticeKind::Digest
        | NoticeKind::IntegrityNotified
        | NoticeKind::IntegrityDecided
        | NoticeKind::IntegrityRepaired
        | NoticeKind::Test => true,
    };
    stands_if(so, LostPoint::OrderMoved)
}

impl HoldCode {
    /// Whether the enterprise is told of a hold: of what it can mend, or what its award waits for. Not of what is the district's
    /// own affair, ends by itself at the bank, or would warn whoever tampers.
    #[must_use]
    pub fn concerns_enterprise(self) -> bool {
        match self {
            Self::PolicyNotOpen
            | Self::CapPerApplication
            | Self::CapPerEnterprise
            | Self::AccountName
            | Self::CommitmentMissing
            | Self::PublicityOpen
            | Self::ObjectionOpen
            | Self::ApplicationEnded
            | Self::PayeeChanged
            | Self::Operator => true,
            Self::PolicyUnknown
            | Self::FundUnknown
            | Self::CurrencyNotFunds
            | Self::FundShort
            | Self::OfficersMissing
            | Self::TooOld
            | Self::KeyRevoked
            | Self::SignatureMismatch
            | Self::BankFunds
            | Self::BankWindow
            | Self::FormatRefused => false,
        }
    }
}
