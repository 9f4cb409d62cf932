//! Telling something once more because a person asks for it. It is a request of its own, under an occasion that names the act, so that
//! it is made, written and sent as any other, and so that the same act asks once.

use super::{Attempt, Notice, NoticeRequest, NoticeRules, NoticeState, Repeat};

/// Why something is not told again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAgain {
    /// It has not come to an end.
    #[error("通知仍在发送 the notice is still under way; wait for its end, or stop notices")]
    UnderWay,
    /// Served once, and it may have arrived.
    #[error(
        "该类通知不得重复送达，且上次可能已送达 a notice of this kind is never served twice, and the last one may have arrived; \
         serve it another way"
    )]
    MayHaveArrived,
}

/// The requests that tell again what a notice told; `act_id` is the id of the act that asks for it. What has lost its point meanwhile
/// is not made, as ever.
///
/// # Errors
/// [`NotAgain`]; nothing is asked for then.
pub fn again(
    notice: &Notice,
    requests: &[NoticeRequest],
    rules: &NoticeRules,
    act_id: &str,
) -> Result<Vec<NoticeRequest>, NotAgain> {
    let may_have_arrived = notice.messages.iter().flat_map(|message| &message.attempts).any(Attempt::may_arrive);
    match (rules.repeat(notice.kind), notice.state()) {
        (_, NoticeState::Created | NoticeState::Sending) => return Err(NotAgain::UnderWay),
        (Repeat::Never, _) if may_have_arrived => return Err(NotAgain::MayHaveArrived),
        (
            Repeat::May | Repeat::Never,
            NoticeState::Sent
            | NoticeState::Delivered
            | NoticeState::Failed
            | NoticeState::GaveUp
            | NoticeState::Expired,
        ) => {}
    }
    let once_more = |one: &NoticeRequest| {
        // The first occasion stays readable; of several acts the last is named.
        let first = one.occasion.split('@').next().unwrap_or_default();
        NoticeRequest { occasion: format!("{first}@{act_id}"), ..one.clone() }
    };
    Ok(requests.iter().map(once_more).collect())
}
