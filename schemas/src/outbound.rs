//! Events that go out: what became of payouts, alerts and notices, what could not be taken in, which operators acted. They are not signed: whoever binds
//! a queue trusts the broker's rights.

use crate::amount::Amount;
use crate::envelope::SpecVersion;
use crate::notices::{self, NoticeData, NoticeOccasion};
use crate::occasions::occasions;
use crate::parts::{Enterprise, Tranche};
use crate::supervision::{self, OrderData, PatternData, SupervisionData, SupervisionOccasion};
use crate::text::{Id, Name, Source, Text};
use crate::time::Time;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The attributes of an event that goes out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutboundAttributes {
    /// Version of CloudEvents.
    pub specversion: SpecVersion,
    /// Unique; the same event delivered twice bears the same id.
    pub id: Id,
    /// `/zhida/` and the district.
    pub source: Source,
    /// What happened; also the AMQP routing key.
    #[serde(rename = "type")]
    pub event_type: Id,
    /// What it is about.
    pub subject: Id,
    /// When it happened.
    pub time: Time,
    /// Always `application/json`.
    pub datacontenttype: Name,
    /// Place of the event among those of its subject, from 1 without gaps: by it readers put them in order and see what they miss.
    #[schemars(range(min = 1))]
    pub sequence: u64,
}

/// An event that goes out, whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutboundEvent {
    /// The attributes.
    #[serde(flatten)]
    pub attributes: OutboundAttributes,
    /// The data, as `OutboundData::to_value` wrote it.
    pub data: Value,
}

impl OutboundEvent {
    /// The bytes that are published.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        crate::canonical::canonical(&json!(self))
    }
}

/// What an event that goes out says.
// Made once for each event and serialised at once; a box would gain nothing.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboundData {
    /// What became of a payout.
    Payout(PayoutOccasion, PayoutData),
    /// A payout may miss its 24 hours.
    AtRisk(AtRiskData),
    /// Something could not be taken in.
    Quarantined(QuarantinedData),
    /// An operator acted.
    OperatorActed(OperatorActedData),
    /// What became of an alert of supervision.
    Supervision(SupervisionOccasion, SupervisionData),
    /// What became of a supervision order.
    Order(OrderData),
    /// A pattern stands out.
    Pattern(PatternData),
    /// What became of a notice.
    Notice(NoticeOccasion, NoticeData),
}

impl OutboundData {
    /// The type, which is also the routing key.
    #[must_use]
    pub fn event_type(&self) -> &'static str {
        match self {
            Self::Payout(occasion, _) => occasion.event_type(),
            Self::AtRisk(_) => PayoutOccasion::AtRisk.event_type(),
            Self::Quarantined(_) => QUARANTINED,
            Self::OperatorActed(_) => OPERATOR_ACTED,
            Self::Supervision(occasion, _) => occasion.event_type(),
            Self::Order(_) => supervision::ORDER,
            Self::Pattern(_) => supervision::PATTERN,
            Self::Notice(occasion, _) => occasion.event_type(),
        }
    }

    /// The data as it travels.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Payout(_, data) => json!(data),
            Self::AtRisk(data) => json!(data),
            Self::Quarantined(data) => json!(data),
            Self::OperatorActed(data) => json!(data),
            Self::Supervision(_, data) => json!(data),
            Self::Order(data) => json!(data),
            Self::Pattern(data) => json!(data),
            Self::Notice(_, data) => json!(data),
        }
    }
}

const QUARANTINED: &str = "event.quarantined.v1";
const OPERATOR_ACTED: &str = "operator.acted.v1";

occasions! {
    /// What happened to a payout.
    PayoutOccasion:
    Received = "payout.received.v1": "An approval became a payout.";
    Held = "payout.held.v1": "A rule stands against the payout.";
    Released = "payout.released.v1": "No rule stands against the payout any more.";
    Submitted = "payout.submitted.v1": "The payout was handed to the bank.";
    Pending = "payout.pending.v1": "The bank has it on its way.";
    Settled = "payout.settled.v1": "The money is in the account.";
    Refused = "payout.refused.v1": "The bank refused it for good.";
    Unknown = "payout.unknown.v1": "It is not known yet whether the bank has it.";
    Returned = "payout.returned.v1": "The money came back.";
    AtRisk = "payout.at_risk.v1": "It may not be credited within its 24 hours.";
    Overdue = "payout.overdue.v1": "It was not credited within its 24 hours.";
    Cancelled = "payout.cancelled.v1": "It will not be paid.";
}

/// Where a payout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PayoutState {
    /// A rule stands against it.
    Held,
    /// It may be sent.
    Ready,
    /// It is being sent.
    Sending,
    /// Whether the bank has it is not known.
    Unknown,
    /// The bank has it on its way.
    Pending,
    /// The money is in the account.
    Settled,
    /// The bank refused it.
    Refused,
    /// The money came back.
    Returned,
    /// It will not be paid.
    Cancelled,
}

/// Why a payout stands where it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// The reason's code.
    pub code: Id,
    /// The reason in a sentence for people.
    pub text: Text,
}

/// Data of every `payout.*` event: the payout after what happened. No account numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PayoutData {
    /// The application, which is also the subject.
    pub application_id: Id,
    /// Which part of the award.
    pub tranche: Tranche,
    /// Where it stands now.
    pub state: PayoutState,
    /// How much.
    pub amount: Amount,
    /// Who is paid.
    pub enterprise: Enterprise,
    /// The policy that grants it.
    pub policy_id: Id,
    /// When it was approved.
    pub approved_at: Time,
    /// When its 24 hours end.
    pub due_at: Time,
    /// Id of the payment instruction (`EndToEndId`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruction_id: Option<Id>,
    /// When it was first handed to the bank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<Time>,
    /// When the bank credited it, as the bank says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credited_at: Option<Time>,
    /// When we learnt of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<Time>,
    /// The bank's own reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank_reference: Option<Name>,
    /// Why; always there for held, refused, unknown, returned and cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// Data of `payout.at_risk.v1`: the payout, and why its 24 hours are in danger. Told once for each danger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AtRiskData {
    /// The payout.
    #[serde(flatten)]
    pub payout: PayoutData,
    /// Why.
    pub risk: Risk,
    /// When the bank's rail opens again; there for `rail_closed` when the calendar knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank_reopens_at: Option<Time>,
}

/// Why the 24 hours are in danger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Risk {
    /// Which danger.
    pub code: RiskCode,
    /// The danger in a sentence for people.
    pub text: Text,
}

/// Which danger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RiskCode {
    /// Much of the time has gone by.
    Time,
    /// It needs the large-value rail, which is closed until after its 24 hours.
    RailClosed,
}

/// Data of `event.quarantined.v1`: which message, and what is wrong with it. What could not be read is absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QuarantinedData {
    /// Id in quarantine, which is also the subject.
    pub quarantine_id: Id,
    /// When the message came.
    pub received_at: Time,
    /// The event's source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The event's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<Id>,
    /// The event's type.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "type")]
    pub event_type: Option<Id>,
    /// Code of the reason.
    pub reason_code: Id,
    /// The field that is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<Text>,
    /// The reason in a sentence.
    pub reason: Text,
}

/// Data of `operator.acted.v1`: who did what, and whether it took effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OperatorActedData {
    /// Who acted.
    pub operator_id: Id,
    /// Type of the signed event that carried the act.
    pub act: Id,
    /// Id of that event.
    pub event_id: Id,
    /// When it was taken in.
    pub at: Time,
    /// The application it concerns; absent for the stop switch and for what is about none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application_id: Option<Id>,
    /// Which part of the award.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tranche: Option<Tranche>,
    /// What came of it.
    pub outcome: ActOutcome,
    /// Why the operator acted.
    pub reason: Text,
}

/// What came of an operator's act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActOutcome {
    /// It took effect.
    Done,
    /// It counts, and waits for a second officer.
    WaitsForSecond,
    /// It could not take effect.
    Refused,
}

/// Each type with its sentence and the schema of its data.
pub(crate) fn data_schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, &'static str, Schema)> {
    let payout = generator.subschema_for::<PayoutData>();
    let at_risk = generator.subschema_for::<AtRiskData>();
    let data = |occasion: &PayoutOccasion| if *occasion == PayoutOccasion::AtRisk { &at_risk } else { &payout };
    let mut all: Vec<_> = PayoutOccasion::ALL
        .iter()
        .map(|occasion| (occasion.event_type(), occasion.sentence(), data(occasion).clone()))
        .collect();
    let quarantined = generator.subschema_for::<QuarantinedData>();
    all.push((QUARANTINED, "A message could not be taken in.", quarantined));
    let acted = generator.subschema_for::<OperatorActedData>();
    all.push((OPERATOR_ACTED, "An operator acted.", acted));
    all.extend(supervision::data_schemas(generator));
    all.extend(notices::data_schemas(generator));
    all
}
