//! What a case file is made of: the events of an application as supervision needs them, without contacts and account numbers.

use crate::ids::{ApplicationId, PolicyId};
use crate::money::Fen;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zhida_schemas::InboundEvent;
use zhida_schemas::publicity;
use zhida_schemas::review::{self, Decision, PauseReason, Stage};
use zhida_schemas::text::Id;
use zhida_schemas::{application, application::Mode, approved::Approved};

/// An event of an application as it stands in the case file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseEvent {
    /// CloudEvents source.
    pub source: String,
    /// CloudEvents id.
    pub event_id: String,
    /// When it happened, by the event itself.
    pub at: Timestamp,
    /// When it came in first, by the database's clock.
    pub received_at: Timestamp,
    /// What it says.
    pub said: Said,
}

/// What came in for a case file: which application, when it happened, what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseNote {
    /// The application.
    pub application_id: ApplicationId,
    /// When it happened, by the event itself.
    pub at: Timestamp,
    /// What it says.
    pub said: Said,
}

/// A department and one of its officers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Actor {
    /// The department.
    pub department_id: String,
    /// The officer.
    pub officer_id: String,
}

/// What an event says of an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "snake_case")]
pub enum Said {
    /// An enterprise applied.
    Submitted {
        /// Under which policy.
        policy_id: PolicyId,
        /// Unified social credit code.
        uscc: String,
        /// In which way, if the event says so.
        #[serde(default)]
        mode: Option<Mode>,
    },
    /// Taken on.
    Accepted(Actor),
    /// Not taken on.
    Declined {
        /// By whom.
        #[serde(flatten)]
        by: Actor,
        /// Why.
        reason: String,
    },
    /// Missing material is asked for.
    SupplementRequested {
        /// By whom.
        #[serde(flatten)]
        by: Actor,
        /// What is missing.
        items: Vec<String>,
        /// Until when it is expected, if the event says so.
        due_at: Option<Timestamp>,
    },
    /// It came.
    SupplementReceived,
    /// A step was given to an officer.
    Assigned {
        /// To whom.
        #[serde(flatten)]
        to: Actor,
        /// Which step.
        stage: Stage,
        /// Working days promised for it, if the event says so.
        due_working_days: Option<u16>,
    },
    /// A step was decided.
    Decided {
        /// By whom.
        #[serde(flatten)]
        by: Actor,
        /// Which step.
        stage: Stage,
        /// How.
        decision: Decision,
        /// Why.
        reason: Option<String>,
        /// Where a returned application goes.
        return_to: Option<String>,
    },
    /// The clocks stop.
    Paused {
        /// Why.
        reason: PauseReason,
        /// What proves it: title and digest.
        evidence: String,
        /// Who stopped them.
        by: String,
        /// Whose clocks; none: everybody's.
        department_id: Option<String>,
    },
    /// They run again.
    Resumed {
        /// Who set them going.
        by: String,
        /// Whose clocks; none: everybody's.
        department_id: Option<String>,
    },
    /// The award is on public notice.
    PublicityStarted {
        /// Until when.
        ends_at: Timestamp,
    },
    /// Somebody objected.
    PublicityObjected,
    /// The public notice is over.
    PublicityEnded,
    /// Approved: an award, or one more part of it.
    Approved {
        /// Under which policy.
        policy_id: PolicyId,
        /// Unified social credit code.
        uscc: String,
        /// Which part.
        tranche: u32,
        /// How much.
        amount: Fen,
        /// By whom, each with the moment of the decision.
        approvals: Vec<(Actor, Timestamp)>,
    },
    /// Rejected.
    Rejected {
        /// By whom.
        by: String,
        /// Why.
        reason: String,
    },
    /// Withdrawn by the enterprise.
    Withdrawn {
        /// By whom.
        by: String,
        /// Why.
        reason: String,
    },
    /// The approval was revoked.
    Revoked {
        /// By whom.
        by: String,
        /// Why.
        reason: String,
    },
}

impl CaseNote {
    /// What an inbound event says of an application's review. None for what is about something else, and for corrections of an
    /// account, which belong to the payout.
    #[must_use]
    pub fn of(event: &InboundEvent) -> Option<Self> {
        use Said as S;
        let (id, at, said) = match event {
            InboundEvent::ApplicationSubmitted(one) => (&one.application_id, one.submitted_at, submitted(one)),
            InboundEvent::ApplicationAccepted(one) => {
                (&one.application_id, one.at, S::Accepted(actor(&one.department_id, &one.officer_id)))
            }
            InboundEvent::ApplicationDeclined(one) => {
                let by = actor(&one.department_id, &one.officer_id);
                (&one.application_id, one.at, S::Declined { by, reason: one.reason.as_str().to_owned() })
            }
            InboundEvent::SupplementRequested(one) => (&one.application_id, one.at, supplement_requested(one)),
            InboundEvent::SupplementReceived(one) => (&one.application_id, one.at, S::SupplementReceived),
            InboundEvent::ReviewAssigned(one) => (&one.application_id, one.assigned_at, assigned(one)),
            InboundEvent::ReviewDecided(one) => (&one.application_id, one.decided_at, decided(one)),
            InboundEvent::ReviewPaused(one) => (&one.application_id, one.at, paused(one)),
            InboundEvent::ReviewResumed(one) => {
                let department_id = one.department_id.as_ref().map(text);
                (&one.application_id, one.at, S::Resumed { by: one.by.as_str().to_owned(), department_id })
            }
            InboundEvent::PublicityStarted(publicity::Started { application_id, at, ends_at, .. }) => {
                (application_id, *at, S::PublicityStarted { ends_at: ends_at.timestamp() })
            }
            InboundEvent::PublicityObjected(one) => (&one.application_id, one.at, S::PublicityObjected),
            InboundEvent::PublicityEnded(one) => (&one.application_id, one.at, S::PublicityEnded),
            InboundEvent::ApplicationApproved(one) => (&one.application_id, one.approved_at, approved(one)),
            InboundEvent::ApplicationRejected(one) => {
                let (by, reason) = ended(one);
                (&one.application_id, one.at, S::Rejected { by, reason })
            }
            InboundEvent::ApplicationWithdrawn(one) => {
                let (by, reason) = ended(one);
                (&one.application_id, one.at, S::Withdrawn { by, reason })
            }
            InboundEvent::ApplicationRevoked(one) => {
                let (by, reason) = ended(one);
                (&one.application_id, one.at, S::Revoked { by, reason })
            }
            InboundEvent::PayeeCorrected(_)
            | InboundEvent::CommitmentSigned(_)
            | InboundEvent::EnterpriseChanged(_)
            | InboundEvent::IntegrityAlleged(_)
            | InboundEvent::IntegrityObjected(_)
            | InboundEvent::IntegrityRepairRequested(_)
            | InboundEvent::OperatorHold(_)
            | InboundEvent::OperatorRelease(_)
            | InboundEvent::OperatorCancel(_)
            | InboundEvent::OperatorStop(_)
            | InboundEvent::OperatorResume(_)
            | InboundEvent::OperatorDecide(_)
            | InboundEvent::OperatorAcknowledge(_)
            | InboundEvent::OperatorIssueOrder(_)
            | InboundEvent::OperatorReplyOrder(_)
            | InboundEvent::OperatorReturnOrder(_)
            | InboundEvent::OperatorCloseOrder(_)
            | InboundEvent::OperatorJudgePattern(_)
            | InboundEvent::OperatorStopNotices(_)
            | InboundEvent::OperatorResumeNotices(_)
            | InboundEvent::OperatorResendNotice(_)
            | InboundEvent::OperatorPreferNotice(_) => return None,
        };
        Some(Self { application_id: ApplicationId::from(id.as_str()), at: at.timestamp(), said })
    }
}

impl Said {
    /// The policy that it names.
    pub(super) fn policy(&self) -> Option<&PolicyId> {
        match self {
            Self::Submitted { policy_id, .. } | Self::Approved { policy_id, .. } => Some(policy_id),
            Self::Accepted(_)
            | Self::Declined { .. }
            | Self::SupplementRequested { .. }
            | Self::SupplementReceived
            | Self::Assigned { .. }
            | Self::Decided { .. }
            | Self::Paused { .. }
            | Self::Resumed { .. }
            | Self::PublicityStarted { .. }
            | Self::PublicityObjected
            | Self::PublicityEnded
            | Self::Rejected { .. }
            | Self::Withdrawn { .. }
            | Self::Revoked { .. } => None,
        }
    }

    /// Where it stands among events of the same moment that fit one after the other: what ends something before what begins.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Submitted { .. } => 0,
            Self::Accepted(_) => 1,
            Self::SupplementReceived => 2,
            Self::Resumed { .. } => 3,
            Self::PublicityEnded => 4,
            Self::Decided { .. } => 5,
            Self::Assigned { .. } => 6,
            Self::SupplementRequested { .. } => 7,
            Self::Paused { .. } => 8,
            Self::PublicityStarted { .. } => 9,
            Self::PublicityObjected => 10,
            Self::Approved { .. } => 11,
            Self::Declined { .. } => 12,
            Self::Rejected { .. } => 13,
            Self::Withdrawn { .. } => 14,
            Self::Revoked { .. } => 15,
        }
    }
}

fn text(id: &Id) -> String {
    id.as_str().to_owned()
}

fn actor(department: &Id, officer: &Id) -> Actor {
    Actor { department_id: text(department), officer_id: text(officer) }
}

fn submitted(one: &application::Submitted) -> Said {
    let uscc = one.enterprise.uscc.as_str().to_owned();
    Said::Submitted { policy_id: PolicyId::from(one.policy_id.as_str()), uscc, mode: one.mode }
}

fn supplement_requested(one: &application::SupplementRequested) -> Said {
    Said::SupplementRequested {
        by: actor(&one.department_id, &one.officer_id),
        items: one.items.iter().map(|item| item.as_str().to_owned()).collect(),
        due_at: one.due_at.map(|due| due.timestamp()),
    }
}

fn assigned(one: &review::Assigned) -> Said {
    let to = actor(&one.department_id, &one.officer_id);
    Said::Assigned { to, stage: one.stage, due_working_days: one.due_working_days }
}

fn decided(one: &review::Decided) -> Said {
    Said::Decided {
        by: actor(&one.department_id, &one.officer_id),
        stage: one.stage,
        decision: one.decision,
        reason: one.reason.as_ref().map(|reason| reason.as_str().to_owned()),
        return_to: one.return_to_department_id.as_ref().map(text),
    }
}

fn paused(one: &review::Paused) -> Said {
    Said::Paused {
        reason: one.reason,
        evidence: format!("{} (sha256 {})", one.evidence.title.as_str(), one.evidence.sha256.as_str()),
        by: one.by.as_str().to_owned(),
        department_id: one.department_id.as_ref().map(text),
    }
}

fn approved(one: &Approved) -> Said {
    let approval =
        |one: &zhida_schemas::parts::Approval| (actor(&one.department_id, &one.officer_id), one.decided_at.timestamp());
    Said::Approved {
        policy_id: PolicyId::from(one.policy_id.as_str()),
        uscc: one.enterprise.uscc.as_str().to_owned(),
        tranche: one.tranche.get(),
        amount: Fen(one.amount.minor_units()),
        approvals: one.approvals.as_slice().iter().map(approval).collect(),
    }
}

fn ended(one: &application::Ended) -> (String, String) {
    (one.by.as_str().to_owned(), one.reason.as_str().to_owned())
}
