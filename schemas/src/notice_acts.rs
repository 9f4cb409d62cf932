//! Acts about notices, signed with the operator's own key: all sending is stopped and resumed (those are [`SwitchAct`]), one notice is
//! sent again, somebody is told something or not. Whether the operator may act is decided by roles.
//!
//! [`SwitchAct`]: crate::operator::SwitchAct

use crate::inbound::about;
use crate::text::{Id, Text};
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `operator.notice.resend.v1`: a notice that did not arrive is sent again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResendNotice {
    /// Who acts; the key that signs is theirs.
    pub operator_id: Id,
    /// When it happened.
    pub at: Time,
    /// The notice.
    pub notice_id: Id,
    /// Why.
    pub reason: Text,
}

/// `operator.notice.preference.v1`: somebody is not to be told something any more, or again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PreferNotice {
    /// Who acts; the key that signs is theirs.
    pub operator_id: Id,
    /// When it happened.
    pub at: Time,
    /// Who asked for it: the USCC of an enterprise; for digests the id of an officer.
    pub recipient_id: Id,
    /// What kind of notice; what is about money, or served, is told whoever asks.
    pub kind: Id,
    /// Whether they want to be told.
    pub wish: Wish,
    /// Why.
    pub reason: Text,
}

/// Whether somebody wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// They do.
    On,
    /// They do not.
    Off,
}

about!(notice_id: ResendNotice);
about!(recipient_id: PreferNotice);
