//! Every event that may come in, as one enum, and how an envelope's data becomes one. A new type is one row of the table here,
//! a struct in its family's module, and a frozen schema.

use crate::contract_error::{ContractError, ReasonCode};
use crate::envelope::Envelope;
use crate::text::{Id, Source};
use crate::time::Time;
use crate::{
    application, approved, commitment, enterprise, integrity, notice_acts, operator, payee, publicity, review,
    strict_json, supervision_acts,
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// What an event's data is about; the envelope's `subject` must say the same.
pub(crate) trait About {
    /// Path of the member that the subject repeats.
    const FIELD: &'static str;

    /// The subject a sender writes.
    fn subject(&self) -> &str;

    /// Whether a subject that came in fits.
    fn is_about(&self, subject: &str) -> bool {
        subject == self.subject()
    }
}

/// The usual case: the subject repeats one member of the data.
macro_rules! about {
    ($member:ident: $($name:ident),*) => {
        $(impl crate::inbound::About for $name {
            const FIELD: &'static str = concat!("data.", stringify!($member));

            fn subject(&self) -> &str {
                self.$member.as_str()
            }
        })*
    };
}
pub(crate) use about;

macro_rules! inbound_events {
    ($($variant:ident($data:ty) = $type:literal: $doc:literal;)*) => {
        /// An event that came in and keeps its contract.
        // One is made for each message and soon taken apart; boxing the large ones would cost every reader a box.
        #[allow(clippy::large_enum_variant)]
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum InboundEvent {
            $(
                #[doc = concat!("`", $type, "`: ", $doc)]
                $variant($data),
            )*
        }

        impl InboundEvent {
            /// Every type there is, in the order of the contract.
            pub const TYPES: &'static [&'static str] = &[$($type,)*];

            /// Reads the data of an envelope by its type, and checks that the subject names the same thing.
            pub fn parse(envelope: &Envelope) -> Result<Self, ContractError> {
                let event = match envelope.attributes.event_type.as_str() {
                    $($type => Self::$variant(read(envelope)?),)*
                    unknown => {
                        let error = ContractError::new(ReasonCode::UnknownType, "type", "is not a type of the contract");
                        return Err(error.with_value(&Value::from(unknown)));
                    }
                };
                event.check()?;
                Ok(event)
            }

            /// The type, which is also the routing key.
            #[must_use]
            pub fn event_type(&self) -> &'static str {
                match self { $(Self::$variant(_) => $type,)* }
            }

            /// What the event is about: an application, a case, an enterprise, a commitment, or the operator of the stop switch.
            #[must_use]
            pub fn subject(&self) -> &str {
                match self { $(Self::$variant(data) => data.subject(),)* }
            }

            /// The unsigned event as a sender writes it; `signing::sign` completes it.
            #[must_use]
            pub fn draft(&self, id: &Id, source: &Source, time: Time) -> Value {
                let data = match self { $(Self::$variant(data) => json!(data),)* };
                json!({
                    "specversion": "1.0", "id": id, "source": source, "type": self.event_type(),
                    "subject": self.subject(), "time": time, "datacontenttype": "application/json", "data": data,
                })
            }
        }

        /// Each type with its sentence and the schema of its data.
        pub(crate) fn data_schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, &'static str, Schema)> {
            vec![$(($type, $doc, data_schema::<$data>(generator)),)*]
        }
    };
}

inbound_events! {
    ApplicationSubmitted(application::Submitted) = "application.submitted.v1": "An enterprise applied.";
    ApplicationAccepted(application::Accepted) = "application.accepted.v1": "A department took an application on.";
    ApplicationDeclined(application::Declined) = "application.declined.v1": "A department did not take an application on.";
    ReviewAssigned(review::Assigned) = "review.assigned.v1": "A step of the review was given to an officer.";
    ReviewDecided(review::Decided) = "review.decided.v1": "A step of the review was decided.";
    SupplementRequested(application::SupplementRequested) = "application.supplement_requested.v1": "Missing material is asked for.";
    SupplementReceived(application::SupplementReceived) = "application.supplement_received.v1": "The missing material came.";
    ReviewPaused(review::Paused) = "review.paused.v1": "The clocks of a review stop.";
    ReviewResumed(review::Resumed) = "review.resumed.v1": "The clocks of a review run again.";
    PublicityStarted(publicity::Started) = "publicity.started.v1": "An award is on public notice.";
    PublicityObjected(publicity::Objected) = "publicity.objected.v1": "Somebody objected to an award.";
    PublicityEnded(publicity::Ended) = "publicity.ended.v1": "The public notice is over.";
    ApplicationApproved(approved::Approved) = "application.approved.v1": "An application was approved and is to be paid.";
    ApplicationRejected(application::Ended) = "application.rejected.v1": "An application was rejected.";
    ApplicationWithdrawn(application::Ended) = "application.withdrawn.v1": "An enterprise withdrew its application.";
    ApplicationRevoked(application::Ended) = "application.revoked.v1": "An approval was revoked.";
    PayeeCorrected(payee::Corrected) = "payee.corrected.v1": "Two officers confirmed another account.";
    CommitmentSigned(commitment::Signed) = "commitment.signed.v1": "An enterprise signed the integrity commitment.";
    EnterpriseChanged(enterprise::Changed) = "enterprise.changed.v1": "An enterprise got another code or name.";
    IntegrityAlleged(integrity::Alleged) = "integrity.alleged.v1": "Somebody alleges a dishonest act.";
    IntegrityObjected(integrity::Answered) = "integrity.objected.v1": "An enterprise objects to an allegation.";
    IntegrityRepairRequested(integrity::Answered) = "integrity.repair_requested.v1": "An enterprise asks for its repair.";
    OperatorHold(operator::PayoutAct) = "operator.hold.v1": "An operator holds a payout.";
    OperatorRelease(operator::Release) = "operator.release.v1": "An operator lifts holds of a payout.";
    OperatorCancel(operator::PayoutAct) = "operator.cancel.v1": "An operator cancels a payout that was never sent.";
    OperatorStop(operator::SwitchAct) = "operator.stop.v1": "An operator stops all sending.";
    OperatorResume(operator::SwitchAct) = "operator.resume.v1": "An operator agrees to resume sending.";
    OperatorDecide(operator::Decide) = "operator.decide.v1": "An operator gives a word on what evidence could not settle.";
    OperatorAcknowledge(supervision_acts::Acknowledge) = "operator.acknowledge.v1": "Somebody takes notice of an alert.";
    OperatorIssueOrder(supervision_acts::IssueOrder) = "operator.order.issue.v1": "A supervision order is issued.";
    OperatorReplyOrder(supervision_acts::ReplyOrder) = "operator.order.reply.v1": "A supervision order is answered.";
    OperatorReturnOrder(supervision_acts::ReturnOrder) = "operator.order.return.v1": "The answer to a supervision order does not do.";
    OperatorCloseOrder(supervision_acts::CloseOrder) = "operator.order.close.v1": "A supervision order is closed.";
    OperatorJudgePattern(supervision_acts::JudgePattern) = "operator.judge_pattern.v1": "Somebody looks at a pattern, or says what it is.";
    OperatorStopNotices(operator::SwitchAct) = "operator.notices.stop.v1": "An operator stops all sending of notices.";
    OperatorResumeNotices(operator::SwitchAct) = "operator.notices.resume.v1": "An operator resumes the sending of notices.";
    OperatorResendNotice(notice_acts::ResendNotice) = "operator.notice.resend.v1": "A notice that did not arrive is sent again.";
    OperatorPreferNotice(notice_acts::PreferNotice) = "operator.notice.preference.v1": "Somebody is not to be told something any more, or again.";
}

impl InboundEvent {
    /// Rules between members that no type of a single member can hold.
    fn check(&self) -> Result<(), ContractError> {
        if let Self::EnterpriseChanged(changed) = self { changed.check() } else { Ok(()) }
    }
}

fn read<T: DeserializeOwned + About>(envelope: &Envelope) -> Result<T, ContractError> {
    let event: T = strict_json::read("data", envelope.data())?;
    let subject = envelope.attributes.subject.as_str();
    if !event.is_about(subject) {
        let reason = format!("is not the {} of the data", T::FIELD.trim_start_matches("data."));
        return Err(
            ContractError::new(ReasonCode::SubjectMismatch, "subject", reason).with_value(&Value::from(subject))
        );
    }
    Ok(event)
}

fn data_schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}
