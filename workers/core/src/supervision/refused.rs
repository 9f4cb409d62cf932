//! Why an act of supervision was refused, in sentences for whoever tried.

use super::acknowledge::NotAcknowledged;
use crate::ids::{OfficerId, OperatorId, OrderId};
use crate::patterns::NotJudged;
use thiserror::Error;

/// An answer may take so many working days at most.
pub(super) const TERM_MAX_WORKING_DAYS: u16 = 60;

/// Why an act was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SupervisionRefused {
    /// The role does not allow it.
    #[error("{operator} has the role {role}, which may not {act}; ask one of: {allowed}")]
    Role {
        /// Who.
        operator: OperatorId,
        /// As what.
        role: &'static str,
        /// What.
        act: &'static str,
        /// Who may.
        allowed: &'static str,
    },
    /// No such alert.
    #[error("no alert {0} is known; `zhida alerts list` shows them")]
    NoSuchAlert(String),
    /// No such order, or it is not for these eyes.
    #[error("no order {0} is known; `zhida orders list` shows them")]
    NoSuchOrder(String),
    /// No such pattern, or it is not for these eyes.
    #[error("no pattern {0} is known; `zhida patterns list` shows them")]
    NoSuchPattern(String),
    /// The alert cannot be acknowledged.
    #[error(transparent)]
    NotAcknowledged(#[from] NotAcknowledged),
    /// The pattern cannot be judged so.
    #[error(transparent)]
    NotJudged(#[from] NotJudged),
    /// Nobody by that name.
    #[error("the addressee {0} is not in the organisation; `zhida organisation list` shows everybody")]
    AddresseeUnknown(OfficerId),
    /// Orders go to those who are supervised.
    #[error("{0} supervises; an order goes to an officer or a head of department")]
    AddresseeSupervises(OfficerId),
    /// Too long, or none.
    #[error("{0} working days are no term for an answer; give 1 to {TERM_MAX_WORKING_DAYS}")]
    Term(u16),
    /// Somebody else has to answer.
    #[error("{order} is answered by {addressee}, or by who stands in for them, not by {by}")]
    NotTheAddressee {
        /// Who tried.
        by: OperatorId,
        /// Which.
        order: OrderId,
        /// Whose it is.
        addressee: OfficerId,
    },
    /// Nobody judges an answer of their own.
    #[error("{0} has answered this order, or has to, and cannot judge the answer; somebody else who supervises does")]
    OwnAnswer(OperatorId),
    /// There is no answer to return.
    #[error("{0} has no answer that could be returned; it is {1}")]
    NothingToReturn(OrderId, &'static str),
    /// It is over.
    #[error("{0} is closed; issue another order")]
    Closed(OrderId),
}
