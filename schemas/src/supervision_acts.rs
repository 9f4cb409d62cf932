//! Acts of those who are told by supervision and of those who supervise, signed with their own keys: alerts are acknowledged, orders
//! (督办单) issued, answered, returned and closed. Whether a person may act is decided by roles and the organisation.

use crate::inbound::about;
use crate::parts::Count;
use crate::text::{Id, Text};
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `operator.acknowledge.v1`: somebody takes notice of an alert; its ladder rests for so long, its clock runs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Acknowledge {
    /// Who acts; the key that signs is theirs, the id is that of the organisation file.
    pub operator_id: Id,
    /// When it happened.
    pub at: Time,
    /// The alert.
    pub alert_id: Id,
    /// The ladder rests for so many working hours.
    pub working_hours: Count,
    /// Why.
    pub reason: Text,
}

/// `operator.order.issue.v1`: a supervision order is issued from an alert or a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IssueOrder {
    /// Who acts; the key that signs is theirs.
    pub operator_id: Id,
    /// When it happened.
    pub at: Time,
    /// What it is about.
    pub occasion: Occasion,
    /// The id of that alert or pattern.
    pub occasion_id: Id,
    /// The officer or head who has to answer.
    pub addressee_id: Id,
    /// Working days for the answer.
    pub working_days: Count,
    /// What is demanded.
    pub demand: Text,
}

/// What an order is issued from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// An alert.
    Alert,
    /// A pattern.
    Pattern,
}

/// `operator.order.reply.v1`: the addressee answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReplyOrder {
    /// Who acts; the key that signs is theirs.
    pub operator_id: Id,
    /// When it happened.
    pub at: Time,
    /// The order.
    pub order_id: Id,
    /// How it came about.
    pub cause: Text,
    /// What is done about it.
    pub measure: Text,
}

/// `operator.order.return.v1`: the answer does not do; another is awaited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReturnOrder {
    /// Who acts; the key that signs is theirs.
    pub operator_id: Id,
    /// When it happened.
    pub at: Time,
    /// The order.
    pub order_id: Id,
    /// Working days for the next answer.
    pub working_days: Count,
    /// What is lacking.
    pub reason: Text,
}

/// `operator.order.close.v1`: the matter is settled (销号).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CloseOrder {
    /// Who acts; the key that signs is theirs.
    pub operator_id: Id,
    /// When it happened.
    pub at: Time,
    /// The order.
    pub order_id: Id,
    /// Why.
    pub reason: Text,
}

/// `operator.judge_pattern.v1`: somebody looks at a pattern, or says what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JudgePattern {
    /// Who acts; the key that signs is theirs.
    pub operator_id: Id,
    /// When it happened.
    pub at: Time,
    /// The pattern.
    pub pattern_id: Id,
    /// What it is.
    pub judgement: Judgement,
    /// Why.
    pub reason: Text,
}

/// What somebody says of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// They look at it.
    LookedAt,
    /// It has an innocent explanation.
    Explained,
    /// It is what it looks like.
    Confirmed,
}

about!(alert_id: Acknowledge);
about!(pattern_id: JudgePattern);
about!(operator_id: IssueOrder);
about!(order_id: ReplyOrder, ReturnOrder, CloseOrder);
