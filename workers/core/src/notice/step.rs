//! What is to be done with one message now. A pure reading of what is known of it; which provider is free is not known here.

use super::rules::retry_pause;
use super::{Channel, Course, Message, Notice, Repeat, Standing};
use jiff::{SignedDuration, Timestamp};

/// What a message is looked at with.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    /// The clock.
    pub(super) now: Timestamp,
    /// Whether it may arrive twice.
    pub(super) repeat: Repeat,
    /// Whether its notice has a point.
    pub(super) standing: Standing,
    /// When its point is lost in any case.
    pub(super) expires_at: Timestamp,
    /// Taken in and without a receipt for so long.
    pub(super) switch_after: SignedDuration,
    /// From the end of a call on, not found is definitive after this.
    pub(super) visibility: SignedDuration,
    /// In doubt for so long.
    pub(super) doubt: SignedDuration,
    /// The other channel's message waits for this one to fail.
    pub(super) standby: Standby,
}

/// Whether another message can take over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standby {
    /// One waits for it.
    Waits,
    /// One has taken over.
    Goes,
    /// There is none, or it came to nothing.
    None,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing by ourselves.
    Rest,
    /// A call is under way until then, at most.
    AwaitCall(Timestamp),
    /// Nothing until then, but for word from outside.
    AwaitWord(Timestamp),
    /// The provider of that attempt (by its place) is asked for it.
    Ask(usize),
    /// It is handed in.
    Send(Beside),
    /// The other channel takes over; this one is looked at again afterwards.
    WakeStandby,
    /// Its point is lost before it was sent, or nothing came of it in time.
    Over(Over),
}

/// Beside what another attempt is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    /// Nothing that might have been sent.
    Nothing,
    /// Something that may have been sent: with another provider where there is one. If it cannot be, word is awaited until then.
    Doubt(Timestamp),
    /// Something taken in that no receipt came for: with another provider, or not at all until then.
    Silence(Timestamp),
}

/// How a message ends by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// Nothing was tried, or nothing may be tried any more.
    PointLost,
    /// It was tried in vain until its point was lost.
    GaveUp,
    /// Nobody could say what became of it.
    InDoubt,
    /// It was sent again and again and never arrived.
    Undelivered,
}

/// What was sent so often without arriving has failed, whatever the reasons that were given.
const UNDELIVERED_MAX: usize = 3;

/// So many attempts may be in doubt at once: rather told twice than never, but not without end.
const IN_DOUBT_MAX: usize = 3;

impl Message {
    pub(super) fn step(&self, view: &View) -> Step {
        if let Some(step) = self.step_after_hint(view) {
            return step;
        }
        // Whatever else is known by now, a call does not stay under way on record for ever.
        if let Some(call) = self.attempts.iter().find(|one| one.course() == Course::UnderWay) {
            return Step::AwaitCall(call.lease_until);
        }
        if self.is_delivered() || self.ended.is_some() {
            return Step::Rest;
        }
        let latest = |course| self.attempts.iter().rposition(|one| one.course() == course);
        match (latest(Course::TakenIn), latest(Course::InDoubt)) {
            (Some(place), _) => self.step_when_taken_in(view, place),
            (None, Some(place)) => self.step_in_doubt(view, place),
            (None, None) if view.now >= view.expires_at && self.was_tried() => Step::Over(Over::GaveUp),
            (None, None) if view.now >= view.expires_at || view.standing != Standing::Stands => {
                Step::Over(Over::PointLost)
            }
            // None of it was sent after all, and another notice tells it.
            (None, None) if self.told_again => Step::Over(Over::GaveUp),
            (None, None) if self.came_to_nothing() => Step::Over(Over::Undelivered),
            (None, None) => Step::Send(Beside::Nothing),
        }
    }

    /// It was sent so often and did not arrive that another time would not either.
    fn came_to_nothing(&self) -> bool {
        self.attempts.iter().filter(|one| one.course() == Course::Undelivered).count() >= UNDELIVERED_MAX
    }

    /// A call was made for it.
    fn was_tried(&self) -> bool {
        self.attempts.iter().any(|one| !one.not_made)
    }

    /// An unsigned receipt is a question to be asked, also after the end and also when another attempt has arrived: each attempt keeps
    /// what is true of it, for the proof and for the bill.
    fn step_after_hint(&self, view: &View) -> Option<Step> {
        let hinted =
            self.attempts.iter().enumerate().filter(|(_, one)| one.open_hint().is_some() && self.can_be_asked(one));
        let (from, place) = hinted.map(|(place, one)| (one.hint_asked_from(view.now), place)).min()?;
        Some(if from <= view.now { Step::Ask(place) } else { Step::AwaitWord(from) })
    }

    /// Taken in: a receipt is awaited, then asked for, then another way is tried, then asked for with growing pauses.
    fn step_when_taken_in(&self, view: &View, place: usize) -> Step {
        let attempt = &self.attempts[place];
        let switch_at = after(attempt.since(), view.switch_after);
        if self.channel == Channel::Mail || view.now >= view.expires_at {
            return Step::Rest;
        }
        if view.now < switch_at {
            return Step::AwaitWord(switch_at.min(view.expires_at));
        }
        if attempt.asked == 0 && !attempt.not_offered {
            return Step::Ask(place);
        }
        if view.standby == Standby::Waits && view.standing == Standing::Stands {
            return Step::WakeStandby;
        }
        let pause = view.switch_after * 2_i32.pow(attempt.asked.saturating_sub(1).min(4));
        let ask_at = attempt.asked_at.map_or(view.expires_at, |at| after(at, pause)).min(view.expires_at);
        let ask_at = if attempt.not_offered { view.expires_at } else { ask_at };
        if view.now >= ask_at {
            return Step::Ask(place);
        }
        let alone = view.standby == Standby::None;
        if alone && self.may_repeat(view) { Step::Send(Beside::Silence(ask_at)) } else { Step::AwaitWord(ask_at) }
    }

    /// In doubt: asked for, with growing pauses; after a time sent again where that is the lesser evil.
    fn step_in_doubt(&self, view: &View, place: usize) -> Step {
        if view.now >= view.expires_at {
            return Step::Over(Over::InDoubt);
        }
        let attempt = &self.attempts[place];
        let doubt_ends = after(attempt.since(), view.doubt);
        let can_be_asked = self.can_be_asked(attempt);
        let ask_at = match attempt.asked_at {
            None => attempt.since(),
            // Before it can be seen there is no use in asking twice.
            Some(at) => after(at, retry_pause(attempt.asked)).max(after(attempt.since(), view.visibility)),
        };
        if can_be_asked && view.now >= ask_at {
            return Step::Ask(place);
        }
        let next = if can_be_asked { ask_at.min(view.expires_at) } else { view.expires_at };
        if view.now < doubt_ends {
            return Step::AwaitWord(next.min(doubt_ends));
        }
        if self.may_repeat(view) {
            return Step::Send(Beside::Doubt(next));
        }
        match (view.standby, view.repeat) {
            (Standby::Waits, Repeat::May) => Step::WakeStandby,
            (Standby::Waits, Repeat::Never) | (Standby::Goes | Standby::None, _) => Step::AwaitWord(next),
        }
    }

    /// Where the kind allows it, and the notice still has a point.
    fn may_repeat(&self, view: &View) -> bool {
        let allowed = match view.repeat {
            Repeat::May => true,
            Repeat::Never => false,
        };
        allowed && self.has_room_for_another(view.standby) && !self.told_again && view.standing == Standing::Stands
    }

    /// Once beside what somebody has taken in; twice while all that may arrive is in doubt, for both of an outage's calls may have broken
    /// off, and no other channel is left, which is better than the same once more.
    pub(super) fn has_room_for_another(&self, standby: Standby) -> bool {
        let mut alive = self.attempts.iter().filter(|one| one.may_arrive());
        let in_doubt = alive.clone().all(|one| one.course() == Course::InDoubt);
        let most = match standby {
            Standby::None if in_doubt => IN_DOUBT_MAX,
            Standby::None | Standby::Waits | Standby::Goes => 2,
        };
        alive.nth(most - 1).is_none()
    }

    /// It has been in doubt for longer than people should have to wait, or to its end, and nothing follows by itself.
    pub(super) fn is_in_doubt_for_good(&self, view: &View) -> bool {
        let doubt = self.attempts.iter().filter(|one| one.course() == Course::InDoubt).map(|one| one.since()).min();
        let known = self.attempts.iter().any(|one| match one.course() {
            Course::TakenIn | Course::Arrived | Course::UnderWay => true,
            Course::InDoubt | Course::Undelivered | Course::NotSent => false,
        });
        let long = |since| view.now >= after(since, view.doubt).min(view.expires_at);
        // A mail that stands by goes, or is about to.
        let mail_follows = view.standby != Standby::None
            && view.repeat == Repeat::May
            && view.standing == Standing::Stands
            && view.now < view.expires_at;
        doubt.is_some_and(long) && !known && !self.may_repeat(view) && !mail_follows
    }
}

impl Notice {
    /// Whether the message at this place stood by for one that has arrived: it is not repeated, then.
    pub(super) fn is_brought_without(&self, place: usize) -> bool {
        self.messages[place].standby && self.messages.iter().any(|one| !one.standby && one.is_delivered())
    }

    /// Whether another message can take over from the one at this place.
    pub(super) fn standby_beside(&self, place: usize) -> Standby {
        let standby = self.messages.iter().enumerate().find(|(other, one)| *other != place && one.standby);
        match standby {
            Some((_, message)) if message.is_dormant() => Standby::Waits,
            Some((_, message)) if message.ended.is_none() => Standby::Goes,
            Some(_) | None => Standby::None,
        }
    }
}

pub(super) fn after(at: Timestamp, pause: SignedDuration) -> Timestamp {
    at.checked_add(pause).unwrap_or(Timestamp::MAX)
}
