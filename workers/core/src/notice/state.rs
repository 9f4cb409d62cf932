//! How attempts, messages and notices stand, derived from what is known of them.

use super::rules::retry_pause;
use super::step::after;
use super::{Attempt, Channel, Ended, Hint, LostPoint, Message, Notice, NoticeState, WaitsFor};
use crate::ports::sms::{DeliveryWord, RefusalClass, SendOutcome};
use jiff::{SignedDuration, Timestamp};

/// So many questions about one attempt because of unsigned receipts, until it was not asked for at all for
/// [`HINT_QUESTIONS_RENEWED_AFTER`]. With their pauses they are three quarters of an hour, longer than a vendor's enquiry lags behind its
/// receipts. Whoever knows the secret address, or a vendor that contradicts itself, costs us so many calls a day and no more; what has not
/// been confirmed by then is left to the usual questions.
const HINT_QUESTIONS_MAX: u32 = 8;

/// A receipt that comes so long after the last question is a new matter.
const HINT_QUESTIONS_RENEWED_AFTER: SignedDuration = SignedDuration::from_hours(24);

impl NoticeState {
    /// Every state, the best first.
    pub const ALL: [Self; 7] =
        [Self::Delivered, Self::Sent, Self::Sending, Self::Created, Self::Failed, Self::GaveUp, Self::Expired];

    /// The name in tables, screens and metrics.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::GaveUp => "gave_up",
            Self::Expired => "expired",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Nothing more is done by ourselves.
    #[must_use]
    pub fn is_over(self) -> bool {
        match self {
            Self::Created | Self::Sending | Self::Sent => false,
            Self::Delivered | Self::Failed | Self::GaveUp | Self::Expired => true,
        }
    }
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 2] = [Self::Sms, Self::Mail];

    /// The name in tables, events and metrics.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Mail => "mail",
        }
    }
}

/// How one attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Course {
    /// The call has not ended, as far as we know.
    UnderWay,
    /// It may have been sent, or not.
    InDoubt,
    /// A provider has it, or had it.
    TakenIn,
    /// It arrived.
    Arrived,
    /// It was sent and did not arrive.
    Undelivered,
    /// It was certainly not sent.
    NotSent,
}

impl Attempt {
    /// How it stands: what became of it outweighs how the call ended, and that the provider does not know it counts while nothing
    /// says that it does.
    #[must_use]
    pub fn course(&self) -> Course {
        match (&self.word, &self.outcome) {
            (Some((DeliveryWord::Delivered { .. }, _)), _) => Course::Arrived,
            (Some((DeliveryWord::Undelivered { .. }, _)), _) => Course::Undelivered,
            (Some((DeliveryWord::OnTheWay, _)), _) => Course::TakenIn,
            (None, None) => Course::UnderWay,
            (None, Some(SendOutcome::Accepted { .. })) => Course::TakenIn,
            (None, Some(SendOutcome::Refused { .. } | SendOutcome::NotConnected { .. })) => Course::NotSent,
            (None, Some(SendOutcome::Doubtful { .. })) if self.absent => Course::NotSent,
            (None, Some(SendOutcome::Doubtful { .. })) => Course::InDoubt,
        }
    }

    /// It may be with the provider, or on the way from there.
    #[must_use]
    pub fn may_arrive(&self) -> bool {
        match self.course() {
            Course::UnderWay | Course::InDoubt | Course::TakenIn | Course::Arrived => true,
            Course::Undelivered | Course::NotSent => false,
        }
    }

    /// The provider's own name of it, where it said one.
    #[must_use]
    pub fn provider_id(&self) -> Option<&str> {
        match &self.outcome {
            Some(SendOutcome::Accepted { provider_id: Some(id), .. }) => Some(id),
            Some(
                SendOutcome::Accepted { provider_id: None, .. }
                | SendOutcome::Refused { .. }
                | SendOutcome::NotConnected { .. }
                | SendOutcome::Doubtful { .. },
            )
            | None => self.found_as.as_deref(),
        }
    }

    /// An unsigned receipt about which it is still worth asking.
    #[must_use]
    pub fn open_hint(&self) -> Option<&Hint> {
        self.hint.as_ref().filter(|_| self.hint_questions < HINT_QUESTIONS_MAX)
    }

    /// An unsigned receipt said something.
    pub(super) fn hinted(&mut self, word: &DeliveryWord, now: Timestamp) {
        if self.asked_at.is_some_and(|at| now >= after(at, HINT_QUESTIONS_RENEWED_AFTER)) {
            self.hint_questions = 0;
        }
        self.hint = Some(Hint { word: word.clone() });
    }

    /// When the provider is asked about its hint: at once for the first, with growing pauses afterwards, whatever was hinted meanwhile.
    pub(super) fn hint_asked_from(&self, now: Timestamp) -> Timestamp {
        match self.asked_at {
            Some(at) if self.hint_questions > 0 => after(at, retry_pause(self.hint_questions)).max(now),
            Some(_) | None => now,
        }
    }

    /// What it costs, once a provider has taken it: by the provider's count of segments, else by ours; `segments` stands for that where
    /// it is not on record how the attempt was handed in.
    pub(super) fn charge(&mut self, price: Option<i64>, segments: u32) {
        let taken = match self.course() {
            Course::TakenIn | Course::Arrived | Course::Undelivered => true,
            Course::UnderWay | Course::InDoubt | Course::NotSent => false,
        };
        let counted = match &self.outcome {
            Some(SendOutcome::Accepted { segments: Some(counted), .. }) => *counted,
            Some(
                SendOutcome::Accepted { segments: None, .. }
                | SendOutcome::Refused { .. }
                | SendOutcome::NotConnected { .. }
                | SendOutcome::Doubtful { .. },
            )
            | None => self.sent_as.as_ref().map_or(segments, |one| one.segments),
        };
        // Where the price is not known any more, what was on record stands.
        if let (true, Some(price)) = (taken, price) {
            self.cost = Some(price.saturating_mul(i64::from(counted)));
        }
    }

    /// What refused it, or said that it did not arrive.
    #[must_use]
    pub fn refusal(&self) -> Option<(RefusalClass, &str)> {
        if let Some((DeliveryWord::Undelivered { class, code, .. }, _)) = &self.word {
            return Some((*class, code));
        }
        match &self.outcome {
            Some(SendOutcome::Refused { class, code, .. }) => Some((*class, code)),
            Some(SendOutcome::Accepted { .. } | SendOutcome::NotConnected { .. } | SendOutcome::Doubtful { .. })
            | None => None,
        }
    }

    /// A code of what came of it, for records.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match (self.refusal(), &self.outcome) {
            (Some((_, code)), _) => Some(code),
            (None, Some(SendOutcome::NotConnected { .. })) if self.not_made => Some("not_made"),
            (None, Some(SendOutcome::NotConnected { .. })) => Some("not_connected"),
            (None, Some(SendOutcome::Doubtful { .. })) if self.absent => Some("not_found"),
            (None, Some(SendOutcome::Doubtful { .. })) => Some("in_doubt"),
            (None, Some(SendOutcome::Accepted { .. } | SendOutcome::Refused { .. }) | None) => None,
        }
    }

    /// When the call ended; while it has not, when it began.
    pub(super) fn since(&self) -> Timestamp {
        self.ended_at.unwrap_or(self.began_at)
    }
}

impl Message {
    /// Its time was over, or its words were erased, and nothing was sent; what it tells may still be so.
    pub(super) fn went_unsent(&self) -> bool {
        let because = [LostPoint::Expired.code(), LostPoint::Erased.code()];
        self.ended == Some(Ended::Expired) && self.because.as_deref().is_some_and(|why| because.contains(&why))
    }

    /// A message that is sent as soon as it may.
    #[must_use]
    pub fn first(channel: Channel, segments: u32, now: Timestamp) -> Self {
        Self { next_at: Some(now), waiting_since: Some(now), standby: false, ..Self::standby(channel, segments) }
    }

    /// A message that goes only when the other channel does not do.
    #[must_use]
    pub fn standby(channel: Channel, segments: u32) -> Self {
        Self {
            channel,
            standby: true,
            segments,
            attempts: Vec::new(),
            ended: None,
            next_at: None,
            waits_for: None,
            waiting_since: None,
            because: None,
            doubt_rung: false,
            told_again: false,
        }
    }

    /// It waits for the other channel to fail, and for nothing else.
    #[must_use]
    pub fn is_dormant(&self) -> bool {
        self.standby && self.attempts.is_empty() && self.next_at.is_none() && self.ended.is_none()
    }

    /// How it stands; none for a standby that is not needed, or not yet.
    #[must_use]
    pub fn state(&self) -> Option<NoticeState> {
        if self.is_dormant() {
            return None;
        }
        let best = self.attempts.iter().map(Attempt::course).fold(NoticeState::Created, |best, course| {
            best.min_by_rank(match course {
                Course::Arrived => NoticeState::Delivered,
                Course::TakenIn => NoticeState::Sent,
                Course::UnderWay | Course::InDoubt => NoticeState::Sending,
                Course::Undelivered | Course::NotSent => NoticeState::Created,
            })
        });
        match (best, self.ended) {
            (NoticeState::Delivered, _) => Some(NoticeState::Delivered),
            (_, Some(Ended::Failed)) => Some(NoticeState::Failed),
            (_, Some(Ended::GaveUp)) => Some(NoticeState::GaveUp),
            (_, Some(Ended::Expired)) => Some(NoticeState::Expired),
            (_, Some(Ended::NotNeeded)) => None,
            (best, None) => Some(best),
        }
    }

    /// Word of an attempt that may have arrived would be news, and nobody asks for it any more: what is known of it stays as it is,
    /// unless a receipt comes.
    #[must_use]
    pub fn is_asked_no_more(&self, attempt: &Attempt) -> bool {
        match attempt.course() {
            Course::InDoubt | Course::TakenIn => self.next_at.is_none(),
            Course::UnderWay | Course::Arrived | Course::Undelivered | Course::NotSent => false,
        }
    }

    pub(super) fn is_delivered(&self) -> bool {
        self.state() == Some(NoticeState::Delivered)
    }

    pub(super) fn wait(&mut self, until: Timestamp, what: WaitsFor) {
        self.next_at = Some(until);
        self.waits_for = Some(what);
        if what.is_wanted() {
            self.waiting_since = Some(until);
        }
    }

    /// It is looked at as soon as possible.
    pub(super) fn wake(&mut self, now: Timestamp) {
        self.next_at = Some(now);
        self.waits_for = None;
        self.waiting_since = Some(self.waiting_since.map_or(now, |since| since.min(now)));
    }

    pub(super) fn rest(&mut self) {
        self.next_at = None;
        self.waits_for = None;
        self.waiting_since = None;
    }

    /// From when on it should have been sent; none once a provider has it, or it is over.
    fn waits_since(&self) -> Option<Timestamp> {
        match self.state() {
            Some(NoticeState::Created | NoticeState::Sending) => self.waiting_since,
            Some(
                NoticeState::Sent
                | NoticeState::Delivered
                | NoticeState::Failed
                | NoticeState::GaveUp
                | NoticeState::Expired,
            )
            | None => None,
        }
    }

    pub(super) fn end(&mut self, ended: Ended, because: Option<String>) {
        if self.ended.is_none() {
            self.ended = Some(ended);
            self.because = because;
        }
        self.rest();
    }
}

impl NoticeState {
    fn rank(self) -> usize {
        Self::ALL.iter().position(|one| *one == self).unwrap_or(usize::MAX)
    }

    fn min_by_rank(self, other: Self) -> Self {
        if other.rank() < self.rank() { other } else { self }
    }
}

impl Notice {
    /// How it stands: the best over its messages. One without any message has failed.
    #[must_use]
    pub fn state(&self) -> NoticeState {
        let states = self.messages.iter().filter_map(Message::state);
        states.min_by_key(|state| state.rank()).unwrap_or(NoticeState::Failed)
    }

    /// When it was asked for; of several, the last.
    #[must_use]
    pub fn asked_at(&self) -> Timestamp {
        self.expires_at.checked_sub(self.kind.expires_after()).unwrap_or(self.created_at)
    }

    /// When something has to be done with it again, if ever.
    #[must_use]
    pub fn next_at(&self) -> Option<Timestamp> {
        self.messages.iter().filter_map(|message| message.next_at).min()
    }

    /// From when on it should have been sent: the longest of its messages. None once that was done, or is over.
    #[must_use]
    pub fn waiting_since(&self) -> Option<Timestamp> {
        self.messages.iter().filter_map(Message::waits_since).min()
    }

    /// What goes first when there is not room for everything.
    #[must_use]
    pub fn priority(&self) -> u8 {
        self.kind.traits().priority
    }

    /// It waits for sending to be resumed, and is to be looked at as soon as it is, whatever [`Notice::next_at`] says.
    #[must_use]
    pub fn waits_for_switch(&self) -> bool {
        self.waits_for() == Some(WaitsFor::Switch)
    }

    /// What it waits for. Of two messages that wait for different things, what people would see to first: the later in [`WaitsFor::ALL`].
    #[must_use]
    pub fn waits_for(&self) -> Option<WaitsFor> {
        self.messages.iter().filter_map(|message| message.waits_for).max()
    }

    /// The name by which limits count what is written by one template: that for several is another.
    #[must_use]
    pub fn template_name(&self) -> String {
        let form = if self.covers > 1 { "combined" } else { "single" };
        format!("{}.{form}.{}", self.kind.code(), self.locale)
    }
}
