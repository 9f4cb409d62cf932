//! What is learnt of a notice: how calls ended, what questions and receipts brought. Facts are added in whatever order they come and
//! however late; one that says less than what is known changes nothing.

use super::step::after;
use super::{Attempt, Channel, Course, Ended, Message, Notice, Number, Repeat, WordFrom};
use crate::ports::sms::{AskOutcome, DeliveryWord, Receipt, RefusalClass, SendOutcome, Trust};
use jiff::{SignedDuration, Timestamp};

/// What the lease of a call that nobody has booked the end of leaves behind.
const LEASE_RAN_OUT: &str = "the lease ran out";

/// Whose attempt an `out_id` may be: ids of notices, the likelier first. (The id itself may end like the number of an attempt.)
#[must_use]
pub fn possible_ids(out_id: &str) -> Vec<&str> {
    let mut ids = vec![out_id];
    if let Some((id, attempt)) = out_id.rsplit_once('-') {
        let number = attempt.strip_prefix('m').unwrap_or(attempt);
        if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
            ids.insert(0, id);
        }
    }
    ids
}

impl Notice {
    /// Where the attempt with this `out_id` stands: place of its message, and its own there.
    pub(super) fn attempt(&self, out_id: &str) -> Option<(usize, usize)> {
        self.attempt_where(|attempt| attempt.out_id == out_id)
    }

    fn attempt_where(&self, is_it: impl Fn(&Attempt) -> bool) -> Option<(usize, usize)> {
        let in_message = |message: &Message| message.attempts.iter().position(&is_it);
        self.messages.iter().enumerate().find_map(|(place, one)| Some((place, in_message(one)?)))
    }

    /// The attempt that a provider's receipt speaks of: by our id, or by the provider's where ours was left out.
    pub(super) fn spoken_of(&self, provider: &str, receipt: &Receipt) -> Option<(usize, usize)> {
        if !receipt.out_id.is_empty() {
            return self.attempt_where(|one| one.out_id == receipt.out_id && one.provider == provider);
        }
        let id = receipt.provider_id.as_deref()?;
        self.attempt_where(|one| one.provider_id() == Some(id) && one.provider == provider)
    }
}

/// Whether a receipt for `told` can be about what went to `to`.
pub(super) fn same_address(channel: Channel, to: &str, told: &str) -> bool {
    match channel {
        Channel::Sms => match (Number::parse(to), Number::parse(told)) {
            (Ok(to), Ok(told)) => to == told,
            (Err(_), _) | (_, Err(_)) => to == told,
        },
        Channel::Mail => to.eq_ignore_ascii_case(told),
    }
}

impl Message {
    /// Leases that have run out: whether those calls sent anything, nobody knows.
    pub(super) fn leases_run_out(&mut self, now: Timestamp) {
        for attempt in &mut self.attempts {
            if attempt.outcome.is_none() && attempt.lease_until <= now {
                attempt.outcome = Some(SendOutcome::Doubtful { why: LEASE_RAN_OUT.to_owned() });
                attempt.ended_at = Some(attempt.lease_until);
            }
        }
    }

    /// A call has ended. Says whether that is news.
    pub(super) fn call_ended(&mut self, place: usize, outcome: &SendOutcome, now: Timestamp) -> News {
        let attempt = &mut self.attempts[place];
        match &attempt.outcome {
            None => attempt.ended_at = Some(now),
            // Its lease had run out before the end was booked; the call itself was over before that.
            Some(SendOutcome::Doubtful { .. }) => {}
            Some(SendOutcome::Accepted { .. } | SendOutcome::Refused { .. } | SendOutcome::NotConnected { .. }) => {
                return News::No;
            }
        }
        let same = attempt.outcome.as_ref() == Some(outcome);
        attempt.outcome = Some(outcome.clone());
        self.draw_consequences(place);
        if same { News::No } else { News::Yes }
    }

    /// A call was not made after all.
    pub(super) fn not_made(&mut self, place: usize, now: Timestamp) -> News {
        let outcome = SendOutcome::NotConnected { why: "the call was not made".to_owned() };
        let news = self.call_ended(place, &outcome, now);
        if news == News::Yes {
            self.attempts[place].not_made = true;
        }
        news
    }

    /// Nobody can be asked about it: its address was erased. What was hinted stays unproven.
    pub(super) fn cannot_be_asked(&mut self, place: usize) {
        self.attempts[place].not_offered = true;
        self.attempts[place].hint = None;
    }

    /// A question was answered, or not.
    pub(super) fn asked(
        &mut self,
        place: usize,
        begun_at: Timestamp,
        outcome: &AskOutcome,
        (visibility, repeat): (SignedDuration, Repeat),
        now: Timestamp,
    ) {
        let attempt = &mut self.attempts[place];
        attempt.answered = Some(outcome.clone());
        match outcome {
            AskOutcome::Found { provider_id, word } => {
                attempt.found_as = provider_id.clone().or(attempt.found_as.take());
                self.learn(place, word, WordFrom::Enquiry, now);
            }
            AskOutcome::NotFound => {
                let visible = begun_at >= after(attempt.since(), visibility);
                if attempt.course() == Course::InDoubt && attempt.open_hint().is_none() && visible {
                    attempt.absent = true;
                }
            }
            AskOutcome::NoAnswer { .. } => {}
            AskOutcome::NotOffered => {
                attempt.not_offered = true;
                if let Some(hint) = attempt.hint.take() {
                    self.received(place, &hint.word, Trust::Hint, repeat, now);
                }
            }
        }
    }

    /// A receipt about one of its attempts.
    pub(super) fn received(&mut self, place: usize, word: &DeliveryWord, trust: Trust, repeat: Repeat, now: Timestamp) {
        let asked = self.can_be_asked(&self.attempts[place]);
        match (trust, word) {
            (Trust::Signed, _) => return self.learn(place, word, WordFrom::Signed, now),
            // Anybody can write that it was lost, and what is served would go again for that: a person decides.
            (Trust::Hint, DeliveryWord::Undelivered { .. }) if !asked && repeat == Repeat::Never => {}
            // Who answers no questions has only receipts to say anything with.
            (Trust::Hint, _) if !asked => return self.learn(place, word, WordFrom::Unsigned, now),
            (Trust::Hint, _) => {}
        }
        let attempt = &mut self.attempts[place];
        let says_something = match word {
            DeliveryWord::OnTheWay => false,
            DeliveryWord::Delivered { .. } | DeliveryWord::Undelivered { .. } => true,
        };
        let known = attempt.hint.as_ref().is_some_and(|hint| hint.word == *word);
        if says_something && !known && attempt.course() != Course::Arrived {
            attempt.hinted(word, now);
        }
    }

    /// What became of an attempt: that it arrived outweighs that it did not, and both that it is on the way.
    fn learn(&mut self, place: usize, word: &DeliveryWord, from: WordFrom, now: Timestamp) {
        let attempt = &mut self.attempts[place];
        let weight = |word: &DeliveryWord| match word {
            DeliveryWord::OnTheWay => 1,
            DeliveryWord::Undelivered { .. } => 2,
            DeliveryWord::Delivered { .. } => 3,
        };
        let known = attempt.word.as_ref().map_or(0, |(known, _)| weight(known));
        if weight(word) > known {
            attempt.word = Some((word.clone(), now));
            attempt.word_from = Some(from);
        } else if weight(word) == known {
            attempt.word_from = attempt.word_from.max(Some(from));
        }
        if weight(word) > 1 {
            attempt.hint = None;
        }
        self.draw_consequences(place);
    }

    /// What no provider can do is not tried with another one; what has arrived needs nothing more.
    fn draw_consequences(&mut self, place: usize) {
        if self.is_delivered() {
            return self.rest();
        }
        let useless = match self.attempts[place].refusal() {
            Some((RefusalClass::Recipient | RefusalClass::Unreachable, code)) => Some(code.to_owned()),
            Some((
                RefusalClass::Template
                | RefusalClass::Content
                | RefusalClass::Limit
                | RefusalClass::Account
                | RefusalClass::Busy,
                _,
            ))
            | None => None,
        };
        if useless.is_some() {
            self.end(Ended::Failed, useless);
        }
    }
}

/// Whether something was not known before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// It was not.
    Yes,
    /// It was.
    No,
}
