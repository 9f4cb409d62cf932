//! Payouts and journal entries as programs and people read them outside: the objects of the contract, account numbers masked.

use crate::payout::Payout;
use crate::ports::store::JournalEntry;
use jiff::Timestamp;
use serde_json::{Value, json};

/// The payout object of the API, of `payouts list --json` and of whoever else shows one.
#[must_use]
pub fn payout_view(payout: &Payout) -> Value {
    let debited = payout.instructions.iter().find(|one| one.is_debited());
    let speaking = debited.or_else(|| payout.speaking());
    let debit = speaking.and_then(|one| one.debit.as_ref());
    json!({
        "application_id": payout.key.application_id,
        "tranche": payout.key.tranche,
        "state": payout.state().code(),
        "amount": {"currency": payout.currency, "value": payout.amount.to_string()},
        "enterprise": {"uscc": payout.enterprise.uscc, "name": payout.enterprise.name},
        "payee": {"account_name": payout.payee.account_name, "account_no": masked(&payout.payee.account_no),
            "bank_code": payout.payee.bank_code, "bank_name": payout.payee.bank_name},
        "policy_id": payout.policy_id,
        "instruction_id": speaking.map(|one| &one.id),
        "generation": speaking.map(|one| one.generation),
        "approved_at": micros(Some(payout.approved_at)),
        "received_at": micros(Some(payout.received_at)),
        "due_at": micros(Some(payout.due_at)),
        "submitted_at": micros(speaking.filter(|one| one.transfer.is_some()).and_then(|one| one.first_claimed_at)),
        "credited_at": micros(debit.map(|one| one.credited_at)),
        "observed_at": micros(debit.map(|one| one.observed_at)),
        "bank_reference": debit.and_then(|one| one.bank_reference.as_ref()),
        "overpaid": payout.overpaid,
        "holds": payout.holds.iter().map(|(code, hold)| json!({
            "code": code.code(), "since": micros(Some(hold.since)), "until": micros(hold.until), "detail": hold.detail,
            "released_by": hold.released_by,
        })).collect::<Vec<_>>(),
        "reason": payout.reason().map(|(code, text)| json!({"code": code, "text": text})),
    })
}

/// An entry of a timeline: `{"at","kind","by","detail"}`.
#[must_use]
pub fn journal_view(entry: &JournalEntry) -> Value {
    json!({"at": micros(Some(entry.at)), "kind": entry.kind, "by": entry.by, "subject": entry.subject,
        "detail": entry.detail})
}

/// All but the last four characters hidden.
#[must_use]
pub fn masked(account_no: &str) -> String {
    let length = account_no.chars().count();
    let shown: String = account_no.chars().skip(length.saturating_sub(4)).collect();
    format!("{}{shown}", "*".repeat(length.saturating_sub(4)))
}

/// A mail address with its first letter and its domain.
#[must_use]
pub fn masked_email(email: &str) -> String {
    let (local, domain) = email.rsplit_once('@').unwrap_or((email, ""));
    let first: String = local.chars().take(1).collect();
    format!("{first}***@{domain}")
}

/// A moment with microseconds, always six digits.
#[must_use]
pub fn micros(moment: Option<Timestamp>) -> Option<String> {
    moment.map(|moment| format!("{moment:.6}"))
}

#[cfg(test)]
mod tests {
    use super::{masked, masked_email};

    #[test]
    fn four_characters_are_shown() {
        assert_eq!(masked("4000020109000000001"), "***************0001");
        assert_eq!(masked("123"), "123");
    }

    #[test]
    fn a_mail_address_shows_its_first_letter_and_domain() {
        assert_eq!(masked_email("wang.min@example.com"), "w***@example.com");
    }
}
