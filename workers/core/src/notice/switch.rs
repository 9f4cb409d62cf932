//! The stop switch of notices, and when what concerns all of them last rang.

use super::Channel;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What concerns all of them rings again after so long.
const RINGS_AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// Who stopped sending, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// The operator.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// What rings once for all notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bell {
    /// The ceiling of a minute was reached.
    MinuteCeiling,
    /// That of a day.
    DayCeiling,
    /// No provider of SMS is of use.
    SmsDown,
    /// No provider of mail is of use.
    MailDown,
    /// No provider of SMS can take a message as it is: code or signature is missing.
    SmsWithoutCode,
}

impl Bell {
    /// That of a channel without a provider that is of use.
    #[must_use]
    pub fn down(channel: Channel) -> Self {
        match channel {
            Channel::Sms => Self::SmsDown,
            Channel::Mail => Self::MailDown,
        }
    }
}

/// The switch: one for all notices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// While it is there nothing is sent; questions and receipts go on.
    pub stopped: Option<Stopped>,
    /// When each bell last rang.
    pub rung: BTreeMap<Bell, Timestamp>,
}

/// Who has stopped it when it could not be read.
const SYSTEM: &str = "system";

impl Switch {
    /// What stands for a switch that cannot be read: nothing is sent until somebody resumes it.
    #[must_use]
    pub fn unreadable(now: Timestamp) -> Self {
        let reason = "停止开关无法读取 The stop switch could not be read".to_owned();
        Self { stopped: Some(Stopped { by: SYSTEM.to_owned(), at: now, reason }), rung: BTreeMap::new() }
    }

    /// Whether it is what [`Switch::unreadable`] has just made.
    #[must_use]
    pub fn is_unreadable(&self, now: Timestamp) -> bool {
        self.stopped.as_ref().is_some_and(|stopped| stopped.by == SYSTEM && stopped.at == now)
    }

    /// Whether a bell is to ring now; from then on it is silent for an hour, or until it is over.
    pub(super) fn rings(&mut self, bell: Bell, now: Timestamp) -> bool {
        let silent = self.rung.get(&bell).is_some_and(|at| now.duration_since(*at) < RINGS_AGAIN_AFTER);
        if !silent {
            self.rung.insert(bell, now);
        }
        !silent
    }

    /// What the bell rang for is over: when it comes again, that is news.
    pub(super) fn is_over(&mut self, bell: Bell) {
        self.rung.remove(&bell);
    }
}
