//! What people do about notices: stop and resume all sending, have one sent again, say what somebody does not want to be told. Signature
//! and freshness were checked before; here stand the roles, and what may not be done.

use super::making::{Addressee, Unreached, unreached_when_told_again};
use super::{
    Audience, Channel, Ended, Essential, Kin, LostPoint, Message, NotAgain, Notice, NoticeKind, NoticeRequest,
    NoticeRules, NoticeState, Repeat, Standing, Switch, again, again::superseded,
};
use crate::ids::{ApplicationId, OperatorId};
use crate::ports::notices::Wish;
use crate::steps::{JournalRow, Operator, Role};
use serde_json::json;
use thiserror::Error;
use zhida_schemas::identifiers::Uscc;

/// An act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoticeAct {
    /// Nothing is sent any more; questions and receipts go on.
    Stop,
    /// Sending goes on.
    Resume,
    /// What a notice told that did not arrive is told again: by a new one, with the addresses and words of today.
    Resend {
        /// Which.
        notice_id: String,
    },
    /// Somebody wants to be told something, or not.
    Prefer(Preference),
}

/// What somebody wants to be told, or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preference {
    /// Who, as the kind's [`Audience`] says.
    pub recipient: String,
    /// What.
    pub kind: NoticeKind,
    /// Whether.
    pub wish: Wish,
}

/// What the store has loaded and locked for an act.
pub struct Loaded {
    /// The stop switch.
    pub switch: Switch,
    /// The notice that it names.
    pub notice: Option<LoadedNotice>,
    /// The recipient that it names.
    pub recipient: RecipientKnown,
}

/// Whether there is a recipient of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecipientKnown {
    /// An enterprise that some application names, or somebody of the organisation.
    Yes,
    /// Nobody that anything was ever heard of; also where an act names none.
    No,
}

/// A notice that an act names.
pub struct LoadedNotice {
    /// It.
    pub notice: Notice,
    /// What it answers.
    pub requests: Vec<NoticeRequest>,
    /// What became of all requests of the same kinds, subjects and recipients, its own among them.
    pub kin: Vec<(NoticeRequest, Kin)>,
    /// Whether it has a point.
    pub standing: Standing,
    /// How its recipient is reached now.
    pub addressee: Addressee,
}

/// What follows from an act, beside what it says itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Deed {
    /// What stands in the journal of it.
    pub journal: JournalRow,
    /// Who is to be told what, once more.
    pub notices: Vec<NoticeRequest>,
    /// Notices as they stand afterwards, where the act changes them.
    pub changed: Vec<Notice>,
}

/// Why an act was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoticeRefused {
    /// The role does not allow it.
    #[error("{operator} has the role {role}, which may not {act}; ask one of: operator, releaser, supervisor")]
    Role {
        /// Who.
        operator: OperatorId,
        /// As what.
        role: &'static str,
        /// What.
        act: &'static str,
    },
    /// Nobody has stopped it.
    #[error("notices are not stopped; there is nothing to resume")]
    NotStopped,
    /// Somebody has stopped it.
    #[error("{0} has stopped notices already; `zhida notices status` says since when and why")]
    StoppedAlready(String),
    /// No such notice.
    #[error("no notice {0} is known; `zhida notices list` shows them")]
    NoSuchNotice(String),
    /// It arrived, or is under way.
    #[error("notice {id} is {state}: only one that failed, gave up or expired is sent again")]
    NotLost {
        /// Which.
        id: String,
        /// How it stands.
        state: &'static str,
    },
    /// It is under way, or served.
    #[error(transparent)]
    NotAgain(#[from] NotAgain),
    /// What it tells is not so any more.
    #[error("notice {id} has lost its point ({why}): it would tell what is not so any more")]
    NoPoint {
        /// Which.
        id: String,
        /// Why.
        why: &'static str,
    },
    /// A try of a channel.
    #[error("通知 {0} 是渠道测试 notice {0} is a try of a channel: try again with `zhida notices test`")]
    Trial(String),
    /// Nothing leads to whom it would tell.
    #[error("notice {id} would reach nobody: {unreached}")]
    Unreached {
        /// Which.
        id: String,
        /// What is missing.
        unreached: Unreached,
    },
    /// Nobody of that name.
    #[error(
        "没有这个收件人 {0} is unknown: an enterprise is known from its first application on, an officer by the organisation file (`zhida organisation list`); check what was typed"
    )]
    UnknownRecipient(String),
    /// About money, or served, or for officials in the course of their office.
    #[error("a notice of kind {0} is essential and cannot be turned off; those that can are: {1}")]
    Essential(&'static str, String),
    /// An id that no recipient can have.
    #[error("{0:?} is no recipient: name the USCC of an enterprise, for the digest the id of an officer")]
    NoRecipient(String),
}

const ALLOWED: [Role; 3] = [Role::Operator, Role::Releaser, Role::Supervisor];

/// Whether an act may be done, and what follows then; the switch and preferences are written by the store as the act says. `act_id` is
/// the id under which it came in.
///
/// # Errors
/// [`NoticeRefused`]; nothing is changed then.
pub fn act(
    operator: &Operator,
    what: &NoticeAct,
    (reason, act_id): (&str, &str),
    loaded: &Loaded,
    rules: &NoticeRules,
) -> Result<Deed, NoticeRefused> {
    if !ALLOWED.contains(&operator.role) {
        let (operator, role) = (operator.id.clone(), operator.role.code());
        return Err(NoticeRefused::Role { operator, role, act: what.name() });
    }
    let (mut notices, mut changed) = (Vec::new(), Vec::new());
    let mut detail = json!({"act": what.name(), "role": operator.role.code(), "reason": reason});
    match what {
        NoticeAct::Stop => {
            if let Some(stopped) = &loaded.switch.stopped {
                return Err(NoticeRefused::StoppedAlready(stopped.by.clone()));
            }
        }
        NoticeAct::Resume if loaded.switch.stopped.is_none() => return Err(NoticeRefused::NotStopped),
        NoticeAct::Resume => {}
        NoticeAct::Resend { notice_id } => {
            let known = loaded.notice.as_ref().ok_or_else(|| NoticeRefused::NoSuchNotice(notice_id.clone()))?;
            if known.notice.kind.is_trial() {
                return Err(NoticeRefused::Trial(notice_id.clone()));
            }
            may_be_told_again(&known.notice, rules.repeat(known.notice.kind), known.standing)?;
            notices = again(&known.notice, &known.requests, &known.kin, rules, act_id)?;
            changed = superseded(&known.notice, &known.requests, &known.kin);
            if let Some(unreached) = unreached_when_told_again(known.notice.kind, &known.addressee, rules) {
                return Err(NoticeRefused::Unreached { id: notice_id.clone(), unreached });
            }
            detail["notice_id"] = json!(notice_id);
        }
        NoticeAct::Prefer(preference) => {
            may_be_turned_off(preference)?;
            match loaded.recipient {
                RecipientKnown::Yes => {}
                RecipientKnown::No => return Err(NoticeRefused::UnknownRecipient(preference.recipient.clone())),
            }
            detail["kind"] = json!(preference.kind);
            detail["told"] = json!(preference.wish == Wish::Told);
        }
    }
    let (subject, by) = (what.subject(loaded), operator.id.0.clone());
    Ok(Deed { journal: JournalRow { kind: "operator.acted".to_owned(), subject, by, detail }, notices, changed })
}

/// Only what did not arrive, and still has a point.
fn may_be_told_again(notice: &Notice, repeat: Repeat, standing: Standing) -> Result<(), NoticeRefused> {
    let id = || notice.id.clone();
    match notice.state() {
        // What is under way is refused by [`again`].
        NoticeState::Created
        | NoticeState::Sending
        | NoticeState::Failed
        | NoticeState::GaveUp
        | NoticeState::Expired => {}
        // Served, and an unsigned bounce says that it did not arrive: whoever acts gives the reason.
        NoticeState::Sent if !notice.may_have_arrived() => {}
        // A mail is never more than sent. Whoever knows that the phone is on again, or that the vendor has nothing, may have both go once
        // more. Where the mail failed the SMS is on its way.
        NoticeState::Sent if repeat == Repeat::May && notice.messages.iter().any(is_lost_sms) => {}
        state @ (NoticeState::Sent | NoticeState::Delivered) => {
            return Err(NoticeRefused::NotLost { id: id(), state: state.code() });
        }
    }
    match standing {
        // That its time was over, or that its words were erased, is mended by writing it anew.
        Standing::Stands | Standing::Lost(LostPoint::Expired | LostPoint::Erased) => Ok(()),
        Standing::Lost(
            why @ (LostPoint::PayoutMoved | LostPoint::AlertCleared | LostPoint::AlertClimbed | LostPoint::OrderMoved),
        ) => Err(NoticeRefused::NoPoint { id: id(), why: why.code() }),
    }
}

/// It failed, or nobody can say, and people were rung for.
fn is_lost_sms(message: &Message) -> bool {
    let lost = match message.ended {
        Some(Ended::Failed) => true,
        Some(Ended::GaveUp | Ended::Expired | Ended::NotNeeded) => false,
        None => message.doubt_rung && message.state() == Some(NoticeState::Sending),
    };
    message.channel == Channel::Sms && lost
}

/// What is essential is told, whoever asks.
fn may_be_turned_off(preference: &Preference) -> Result<(), NoticeRefused> {
    let traits = preference.kind.traits();
    match traits.essential {
        Essential::Yes => {
            let can = |kind: &&NoticeKind| kind.traits().essential == Essential::No;
            let others: Vec<&str> = NoticeKind::ALL.iter().filter(can).map(|kind| kind.code()).collect();
            Err(NoticeRefused::Essential(preference.kind.code(), others.join(", ")))
        }
        Essential::No => {
            let id = &preference.recipient;
            let fits = match traits.audience {
                Audience::Enterprise => Uscc::parse(id.as_str()).is_ok(),
                Audience::Official | Audience::Anybody => !id.is_empty(),
            };
            if fits { Ok(()) } else { Err(NoticeRefused::NoRecipient(id.clone())) }
        }
    }
}

impl NoticeAct {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Stop => "stop notices",
            Self::Resume => "resume notices",
            Self::Resend { .. } => "resend notices",
            Self::Prefer(_) => "turn notices on and off",
        }
    }

    /// Under which name it stands in the journal.
    #[must_use]
    pub fn subject(&self, loaded: &Loaded) -> String {
        match self {
            Self::Stop | Self::Resume => "notices".to_owned(),
            Self::Resend { notice_id } => {
                loaded.notice.as_ref().map_or_else(|| notice_id.clone(), |one| one.notice.application_id.0.clone())
            }
            Self::Prefer(preference) => preference.recipient.clone(),
        }
    }
}

impl Loaded {
    /// The application that the act is about, where it is about one for certain.
    #[must_use]
    pub fn application_id(&self) -> Option<&ApplicationId> {
        let notice = &self.notice.as_ref()?.notice;
        match notice.kind.traits().audience {
            Audience::Enterprise => Some(&notice.application_id),
            Audience::Official | Audience::Anybody => None,
        }
    }
}

#[cfg(test)]
mod tests;
