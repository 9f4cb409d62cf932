//! Events of supervision that go out: a deadline comes near, is missed, climbs its ladder, is acknowledged, or the cause is gone.

use crate::occasions::occasions;
use crate::text::{Id, Name, Text};
use crate::time::Time;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

occasions! {
    /// What happened to an alert.
    SupervisionOccasion:
    Warned = "supervision.warned.v1": "A deadline of a review comes near.";
    Breached = "supervision.breached.v1": "A deadline of a review was missed.";
    Escalated = "supervision.escalated.v1": "A missed deadline climbed a rung of its ladder.";
    Acknowledged = "supervision.acknowledged.v1": "Somebody took notice of an alert: its ladder rests, its clock runs on.";
    Cleared = "supervision.cleared.v1": "The cause of an alert is gone.";
}

/// Data of the `supervision.*` events about alerts: the alert after what happened. No names, no contacts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SupervisionData {
    /// The alert.
    pub alert_id: Id,
    /// The application, which is then also the subject; absent for the answer to an order that is about none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application_id: Option<Id>,
    /// The supervision order whose answer is due; the subject where no application is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<Id>,
    /// The clock: kind, and of a step its stage and department, and a number, separated by colons.
    pub clock: Name,
    /// What the clock measures.
    pub measures: Measured,
    /// The deadline.
    pub deadline: Time,
    /// The policy, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<Id>,
    /// Whose turn it is: the department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department_id: Option<Id>,
    /// Whose turn it is: the officer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub officer_id: Option<Id>,
    /// How far it has climbed: `due_soon`, `overdue`, `escalated_1`, …; there unless it was cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Id>,
    /// When that was due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Time>,
    /// Who is told; empty when nobody stands on the rung.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Vec<Id>>,
    /// Why nobody is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
    /// Who acknowledged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<Id>,
    /// Until when its ladder rests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Why it was acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
    /// Why it was cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Because>,
}

/// What a clock measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Measured {
    /// From the application to its acceptance.
    Acceptance,
    /// A department's step.
    Step,
    /// The enterprise's time to bring what is missing.
    Supplement,
    /// The whole review, as promised.
    Review,
    /// The whole review, by law.
    Legal,
    /// From approval to credit.
    Payout,
    /// The answer to a supervision order.
    Order,
}

/// Why an alert was cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// What was waited for has happened.
    Met,
    /// The matter is gone.
    Void,
    /// The deadline has moved.
    Moved,
    /// Late events show that there was no such deadline.
    Gone,
}

/// Type of what becomes of a supervision order.
pub(crate) const ORDER: &str = "supervision.order.v1";

/// Data of `supervision.order.v1`: the order after what happened. Of an order that discipline inspection alone sees, neither
/// occasion nor addressee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderData {
    /// The order.
    pub order_id: Id,
    /// What happened.
    pub occasion: OrderOccasion,
    /// When.
    pub at: Time,
    /// Who did it.
    pub by: Id,
    /// When the answer is due, while one is awaited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Time>,
    /// The application it is about, which is then the subject; else the order is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application_id: Option<Id>,
    /// The alert it was issued from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_id: Option<Id>,
    /// The pattern it was issued from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern_id: Option<Id>,
    /// The department that has to answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department_id: Option<Id>,
    /// Who has to answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addressee_id: Option<Id>,
}

/// What happened to a supervision order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderOccasion {
    /// It was issued.
    Issued,
    /// It was answered.
    Replied,
    /// The answer did not do.
    Returned,
    /// It is settled.
    Closed,
}

/// Data of `supervision.pattern.v1`: a pattern that stands out. Of a pattern about officers it tells the rule, counts and the id, and
/// nothing else: these are clues for discipline inspection alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PatternData {
    /// The pattern, which is also the subject.
    pub pattern_id: Id,
    /// The rule by which it was found.
    pub rule: Id,
    /// What happened.
    pub occasion: PatternOccasion,
    /// How people stand to it.
    pub state: PatternStanding,
    /// How many applications its evidence names.
    pub applications: u32,
    /// How many cases were compared.
    pub sample: u64,
    /// What kind of thing it is about: `application`, `enterprise`, `policy`, `fund` or `fingerprint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_kind: Option<Id>,
    /// Which; of something personal that several share a fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_id: Option<Name>,
    /// The policy, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<Id>,
}

/// What happened to a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PatternOccasion {
    /// It was found.
    Found,
    /// There is more evidence.
    Grown,
    /// There is more evidence than was explained.
    Reopened,
    /// Somebody looks at it, or has said what it is.
    Judged,
}

/// How people stand to a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PatternStanding {
    /// Nobody has looked at it.
    New,
    /// Somebody looks at it.
    LookedAt,
    /// There is an innocent explanation.
    Explained,
    /// It is what it looks like.
    Confirmed,
}

/// The type of [`PatternData`].
pub(crate) const PATTERN: &str = "supervision.pattern.v1";

/// Each type with its sentence and the schema of its data.
pub(crate) fn data_schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, &'static str, Schema)> {
    let data = generator.subschema_for::<SupervisionData>();
    let row = |one: &SupervisionOccasion| (one.event_type(), one.sentence(), data.clone());
    let mut all: Vec<_> = SupervisionOccasion::ALL.iter().map(row).collect();
    all.push((ORDER, "What became of a supervision order.", generator.subschema_for::<OrderData>()));
    all.push((PATTERN, "A pattern stands out.", generator.subschema_for::<PatternData>()));
    all
}
