//! Telling something once more because a person asks for it. It is a request of its own, under an occasion that names the act, so that
//! it is made, written and sent as any other, and so that the same act asks once. What was told of the same occasion, first or again,
//! is its kin: none of it may be on its way when one more is asked for.

use super::{Attempt, Channel, Course, Message, Notice, NoticeRequest, NoticeRules, NoticeState, Repeat};
use crate::ports::sms::DeliveryWord;
use std::collections::{BTreeMap, BTreeSet};

/// Why something is not told again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAgain {
    /// It, or one of its kin, has not come to an end.
    #[error(
        "通知 {0} 仍在发送 notice {0} tells this and is still under way; wait for its end (`zhida notices show {0}`), or stop notices"
    )]
    UnderWay(String),
    /// One more was asked for, and is not made yet.
    #[error(
        "{0} 已请求重发，尚未生成 it was asked for again already ({0}), and that notice is not made yet; \
         see `zhida notices list` in a moment"
    )]
    AskedAlready(String),
    /// One of its kin has told it since.
    #[error("通知 {id} 已告知 notice {id} has told this since: it is {state}; only what did not arrive is sent again")]
    ToldSince {
        /// Which.
        id: String,
        /// How it stands.
        state: &'static str,
    },
    /// Served once, and it may have arrived.
    #[error(
        "该类通知不得重复送达，且通知 {0} 可能已送达 a notice of this kind is never served twice, and notice {0} may have arrived; \
         serve it another way"
    )]
    MayHaveArrived(String),
}

/// What became of a request that tells the same as another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kin {
    /// Nothing yet.
    Waits,
    /// This notice.
    Made(Box<Notice>),
    /// It was dealt with and no notice was made.
    NotMade,
}

/// The requests that tell again what a notice told; `act_id` is the id of the act that asks for it. `kin` is what became of the requests
/// of the same kinds, subjects and recipients; those of other occasions are none. What has lost its point meanwhile is not made, as ever.
///
/// # Errors
/// [`NotAgain`]; nothing is asked for then.
pub fn again(
    notice: &Notice,
    requests: &[NoticeRequest],
    kin: &[(NoticeRequest, Kin)],
    rules: &NoticeRules,
    act_id: &str,
) -> Result<Vec<NoticeRequest>, NotAgain> {
    let repeat = rules.repeat(notice.kind);
    may_be_followed(notice, repeat)?;
    let told: BTreeSet<_> = requests.iter().map(NoticeRequest::told).collect();
    for (request, became) in kin.iter().filter(|(request, _)| told.contains(&request.told())) {
        match became {
            Kin::Waits => return Err(NotAgain::AskedAlready(request.occasion.clone())),
            Kin::Made(other) if other.id != notice.id => {
                may_be_followed(other, repeat)?;
                was_not_told(other)?;
            }
            Kin::Made(_) | Kin::NotMade => {}
        }
    }
    let once_more = |one: &NoticeRequest| {
        // The first occasion stays readable; of several acts the last is named.
        NoticeRequest { occasion: format!("{}@{act_id}", one.first_occasion()), ..one.clone() }
    };
    Ok(requests.iter().map(once_more).collect())
}

/// The notices that tell nothing but what is told again, as they stand then: this one, and earlier ones of the same.
pub(super) fn superseded(notice: &Notice, requests: &[NoticeRequest], kin: &[(NoticeRequest, Kin)]) -> Vec<Notice> {
    let told: BTreeSet<_> = requests.iter().map(NoticeRequest::told).collect();
    let others =
        kin.iter().filter(|(request, _)| told.contains(&request.told())).filter_map(|(_, became)| match became {
            // One that covers more than one tells others as well, which nobody tells again.
            Kin::Made(other) if other.id != notice.id && other.covers == 1 => Some(&**other),
            Kin::Made(_) | Kin::Waits | Kin::NotMade => None,
        });
    let all: BTreeMap<&str, &Notice> = others.chain([notice]).map(|one| (one.id.as_str(), one)).collect();
    all.into_values().filter_map(Notice::told_again).collect()
}

/// Whether another one may be sent after this one.
fn may_be_followed(notice: &Notice, repeat: Repeat) -> Result<(), NotAgain> {
    match repeat {
        // People were rung for, and whoever acts knows more than we do.
        Repeat::May if notice.awaits_people() => Ok(()),
        Repeat::May | Repeat::Never if notice.is_under_way() => Err(NotAgain::UnderWay(notice.id.clone())),
        Repeat::Never if notice.may_have_arrived() => Err(NotAgain::MayHaveArrived(notice.id.clone())),
        Repeat::Never | Repeat::May => Ok(()),
    }
}

fn was_not_told(notice: &Notice) -> Result<(), NotAgain> {
    match notice.state() {
        state @ (NoticeState::Sent | NoticeState::Delivered) if notice.may_have_arrived() => {
            Err(NotAgain::ToldSince { id: notice.id.clone(), state: state.code() })
        }
        NoticeState::Created
        | NoticeState::Sending
        | NoticeState::Sent
        | NoticeState::Delivered
        | NoticeState::Failed
        | NoticeState::GaveUp
        | NoticeState::Expired => Ok(()),
    }
}

impl NoticeRequest {
    /// The occasion without the act that asked for it again.
    pub(super) fn first_occasion(&self) -> &str {
        self.occasion.split('@').next().unwrap_or_default()
    }

    /// What is told to whom, first or again.
    fn told(&self) -> (&str, &str, &str, &str) {
        (self.kind.code(), &self.subject, &self.recipient, self.first_occasion())
    }
}

impl Notice {
    /// Something of it may still be sent, or is being sent, or is in doubt, for all that is known.
    pub(super) fn is_under_way(&self) -> bool {
        self.messages.iter().any(|message| match message.state() {
            Some(NoticeState::Created) => true,
            Some(NoticeState::Sending) => {
                message.attempts.iter().any(|one| one.course() == Course::UnderWay || message.may_have_arrived(one))
            }
            Some(
                NoticeState::Sent
                | NoticeState::Delivered
                | NoticeState::Failed
                | NoticeState::GaveUp
                | NoticeState::Expired,
            )
            | None => false,
        })
    }

    /// As it stands once it is told again by another notice; none where that changes nothing, because nothing of it is in doubt.
    #[must_use]
    pub(super) fn told_again(&self) -> Option<Self> {
        let mut after = self.clone();
        for message in &mut after.messages {
            message.told_again |= message.state() == Some(NoticeState::Sending) && message.doubt_rung;
        }
        (after != *self).then_some(after)
    }

    /// What of it is under way is in doubt for good: nothing follows by itself.
    fn awaits_people(&self) -> bool {
        let rests = |(place, message): (usize, &Message)| match message.state() {
            Some(NoticeState::Created) => false,
            Some(NoticeState::Sending) => {
                let calls = message.attempts.iter().any(|one| one.course() == Course::UnderWay);
                let follows = !message.told_again && message.has_room_for_another(self.standby_beside(place));
                message.doubt_rung && !calls && !follows
            }
            Some(
                NoticeState::Sent
                | NoticeState::Delivered
                | NoticeState::Failed
                | NoticeState::GaveUp
                | NoticeState::Expired,
            )
            | None => true,
        };
        self.messages.iter().enumerate().all(rests)
    }

    /// Something of it may have arrived, for all that is known.
    pub(super) fn may_have_arrived(&self) -> bool {
        self.messages.iter().any(|message| message.attempts.iter().any(|one| message.may_have_arrived(one)))
    }
}

impl Message {
    /// It may have arrived. What an unsigned receipt calls lost, and nobody can be asked about, a person may take for lost.
    fn may_have_arrived(&self, attempt: &Attempt) -> bool {
        attempt.may_arrive() && !self.is_said_lost(attempt)
    }

    /// An unsigned receipt says that it did not arrive, and nobody can be asked.
    #[must_use]
    pub fn is_said_lost(&self, attempt: &Attempt) -> bool {
        let said = attempt.hint.as_ref().is_some_and(|hint| match hint.word {
            DeliveryWord::Undelivered { .. } => true,
            DeliveryWord::OnTheWay | DeliveryWord::Delivered { .. } => false,
        });
        said && !self.can_be_asked(attempt)
    }

    /// A question about it can be answered: a mail server answers none, and some providers of SMS do not.
    pub(super) fn can_be_asked(&self, attempt: &Attempt) -> bool {
        match self.channel {
            Channel::Sms => !attempt.not_offered,
            Channel::Mail => false,
        }
    }
}
