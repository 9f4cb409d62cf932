//! Which roles may do what about alerts, orders and patterns, and who sees what.

use super::act::SupervisionAct;
use super::order::Audience;
use super::refused::SupervisionRefused;
use crate::steps::{Operator, Role};

/// Whoever is told of an alert takes notice of it, and whoever an order is addressed to answers it, in whatever role they act
/// otherwise; who that is says the organisation. Those who only read or keep the settings do neither.
pub(super) fn permitted(operator: &Operator, act: &SupervisionAct) -> Result<(), SupervisionRefused> {
    let (name, allowed): (_, &[Role]) = match act {
        SupervisionAct::Acknowledge { .. } => ("acknowledge alerts", TOLD),
        SupervisionAct::ReplyOrder { .. } => ("answer orders", TOLD),
        SupervisionAct::IssueOrder(_) => ("issue orders", SUPERVISING),
        SupervisionAct::ReturnOrder { .. } => ("return orders", SUPERVISING),
        SupervisionAct::CloseOrder { .. } => ("close orders", SUPERVISING),
        SupervisionAct::JudgePattern { .. } => ("judge patterns", SUPERVISING),
    };
    if allowed.contains(&operator.role) {
        return Ok(());
    }
    let allowed = if allowed == SUPERVISING {
        "supervisor, inspector"
    } else {
        "officer, supervisor, inspector and others who are told"
    };
    Err(SupervisionRefused::Role { operator: operator.id.clone(), role: operator.role.code(), act: name, allowed })
}

const SUPERVISING: &[Role] = &[Role::Supervisor, Role::Inspector];

const TOLD: &[Role] =
    &[Role::Officer, Role::Operator, Role::Releaser, Role::Supervisor, Role::Inspector, Role::IntegrityOfficer];

/// Whether somebody in this role sees what is for that audience.
#[must_use]
pub fn sees(role: Role, audience: Audience) -> bool {
    match audience {
        Audience::Supervision => SUPERVISING.contains(&role),
        Audience::Inspection => role == Role::Inspector,
    }
}
