//! What enterprises are told of a payout: which announcement asks for which notice, and under which occasion, so that no repetition
//! of events asks twice. How a notice reaches anybody is not decided here.

use super::subject;
use crate::notice::{NoticeKind, NoticeRequest, hold_occasion};
use crate::payout::{Announcement, HoldCode, Payout, PayoutState, PayoutWord, RejectionClass, RiskCode};
use crate::rules::Rules;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// The notice that an announcement asks for, if enterprises are told of it.
pub(super) fn asked_for(
    payout: &Payout,
    announcement: &Announcement,
    rules: &Rules,
    now: Timestamp,
) -> Option<NoticeRequest> {
    let generation = payout.speaking().map_or(0, |one| one.generation);
    let (kind, occasion) = match announcement.word {
        PayoutWord::Settled => {
            let debited = payout.instructions.iter().find(|one| one.is_debited())?;
            let credited_at = debited.debit.as_ref()?.credited_at;
            news(NoticeKind::PayoutCredited, credited_at, now)
                .then(|| (NoticeKind::PayoutCredited, format!("credited_{}", debited.generation)))?
        }
        // What is no affair of the enterprise's own account it is not told: it could mend nothing.
        PayoutWord::Refused => match payout.speaking()?.rejection.as_ref()?.class {
            RejectionClass::Payee => (NoticeKind::PayoutRefused, format!("refused_{generation}")),
            RejectionClass::Fund | RejectionClass::Window | RejectionClass::Other => return None,
        },
        PayoutWord::Returned => {
            let returned_at = payout.speaking()?.returned.as_ref()?.at;
            news(NoticeKind::PayoutReturned, returned_at, now)
                .then(|| (NoticeKind::PayoutReturned, format!("returned_{generation}")))?
        }
        PayoutWord::AtRisk if !is_history(payout, rules) => match announcement.risk.as_ref()?.code {
            RiskCode::RailClosed => (NoticeKind::PayoutLate, "rail_closed".to_owned()),
            // People of the district are in time to see to it: nothing is late yet.
            RiskCode::Time => return None,
        },
        PayoutWord::Overdue if !is_history(payout, rules) => (NoticeKind::PayoutLate, "overdue".to_owned()),
        PayoutWord::AtRisk | PayoutWord::Overdue => return None,
        // Of holds it is told by their reasons, and that it was received depends on them: see `held` and `received`.
        PayoutWord::Received | PayoutWord::Held => return None,
        PayoutWord::Released
        | PayoutWord::Submitted
        | PayoutWord::Pending
        | PayoutWord::Unknown
        | PayoutWord::Cancelled => return None,
    };
    Some(request(payout, kind, occasion))
}

/// The reasons that the enterprise is told while the payout is held, each with the moment since when: one that was lifted and holds again
/// is told again, for whoever has corrected an account waits to hear whether it is right now.
pub(super) fn told_holds(payout: &Payout) -> BTreeSet<(HoldCode, Timestamp)> {
    let held = payout.state() == PayoutState::Held;
    let told = payout.holds.iter().filter(|(code, _)| held && code.concerns_enterprise());
    told.map(|(code, hold)| (*code, hold.since)).collect()
}

/// Notices of the reasons that a transaction has added to those it began with, each by itself: one may be mended while another holds on.
pub(super) fn held(payout: &Payout, before: &BTreeSet<(HoldCode, Timestamp)>, rules: &Rules) -> Vec<NoticeRequest> {
    if is_history(payout, rules) {
        return Vec::new();
    }
    let now = told_holds(payout);
    let occasions = now.difference(before).map(|(code, since)| hold_occasion(*code, *since));
    occasions.map(|occasion| request(payout, NoticeKind::PayoutHeld, occasion)).collect()
}

/// That it was taken in, and by when the money will be there: not while a hold is told, nor when that it will be late is, which say more.
pub(super) fn received(payout: &Payout, rules: &Rules, now: Timestamp) -> Option<NoticeRequest> {
    let says_more = !told_holds(payout).is_empty() || payout.is_known_to_be_late() || payout.due_at <= now;
    let told = payout.state().is_live() && !says_more && !is_history(payout, rules);
    told.then(|| request(payout, NoticeKind::PayoutReceived, "received".to_owned()))
}

/// Whether a request is the one that [`received`] makes of a payout.
pub(super) fn is_of_receipt(request: &NoticeRequest, payout: &Payout) -> bool {
    request.kind == NoticeKind::PayoutReceived && request.subject == subject(&payout.key)
}

/// Whether a request is the one that [`held`] makes of a payout.
pub(super) fn is_of_holds(request: &NoticeRequest, payout: &Payout) -> bool {
    request.kind == NoticeKind::PayoutHeld && request.subject == subject(&payout.key)
}

fn request(payout: &Payout, kind: NoticeKind, occasion: String) -> NoticeRequest {
    NoticeRequest {
        kind,
        subject: subject(&payout.key),
        recipient: payout.enterprise.uscc.clone(),
        occasion,
        application_id: payout.key.application_id.clone(),
    }
}

/// It was older at its first arrival than approvals may be: a history that is handed in again, and nobody waits to hear of it.
fn is_history(payout: &Payout, rules: &Rules) -> bool {
    payout.received_at.duration_since(payout.approved_at) > rules.max_age
}

/// What happened longer ago than a notice of it would live is told to nobody.
fn news(kind: NoticeKind, at: Timestamp, now: Timestamp) -> bool {
    let age: SignedDuration = now.duration_since(at);
    age < kind.expires_after()
}
