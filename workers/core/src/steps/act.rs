//! Acts of operators: hold, release, cancel, stop, resume, decide, revoke a key's approvals. Signature and freshness were
//! checked before; here stand the roles and the four eyes.

use super::{Desk, JournalRow, Restore};
use crate::ids::{InstructionId, OperatorId, PayoutKey};
use crate::notice::NoticeRefused;
use crate::payout::{Decision, EndKind, Ended, Event, Hold, HoldCode, Payout, PayoutState, Refused};
use crate::supervision::SupervisionRefused;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use thiserror::Error;

/// What an operator may do. Roles are separated (等保 level 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Holds payouts and stops sending.
    Operator,
    /// Releases, cancels, decides, resumes.
    Releaser,
    /// Supervises; may stop sending.
    Supervisor,
    /// Leads dishonesty cases.
    IntegrityOfficer,
    /// Keeps operators and settings; moves no money.
    Administrator,
    /// Reads.
    Auditor,
    /// Reviews, or heads a department: is told by supervision, and answers.
    Officer,
    /// Discipline inspection (纪检监察): supervises, and alone sees what is about officers.
    Inspector,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 8] = [
        Self::Operator,
        Self::Releaser,
        Self::Supervisor,
        Self::IntegrityOfficer,
        Self::Administrator,
        Self::Auditor,
        Self::Officer,
        Self::Inspector,
    ];

    /// The name in files and tables.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Releaser => "releaser",
            Self::Supervisor => "supervisor",
            Self::IntegrityOfficer => "integrity_officer",
            Self::Administrator => "administrator",
            Self::Auditor => "auditor",
            Self::Officer => "officer",
            Self::Inspector => "inspector",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }
}

/// A person who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// Who.
    pub id: OperatorId,
    /// Display name.
    pub name: String,
    /// In which role.
    pub role: Role,
    /// Ed25519 public key, base64url of 32 bytes.
    pub public_key: String,
    /// No longer acts.
    pub disabled_at: Option<Timestamp>,
}

/// The stop switch and the first of two officers who want it off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// Who stopped sending, and why; sending is open while none.
    pub stopped_by: Option<(OperatorId, String)>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// The first officer who resumed.
    pub resumed_by: Option<OperatorId>,
    /// The database went back in time: officers alone do not open sending.
    pub restore: Option<Restore>,
}

/// What an operator does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Holds a payout.
    Hold(PayoutKey),
    /// Releases holds by code.
    Release(PayoutKey, Vec<HoldCode>),
    /// Cancels a held or ready payout.
    Cancel(PayoutKey),
    /// Decides about one instruction, with a second officer.
    Decide(PayoutKey, InstructionId, Decision),
    /// Stops all sending.
    Stop,
    /// Opens sending again, with a second officer.
    Resume,
}

/// What an act did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActOutcome {
    /// Done.
    Done,
    /// A second, different officer is awaited.
    AwaitsSecondOfficer,
}

/// Why an act was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ActRefused {
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
    /// An act of supervision.
    #[error(transparent)]
    Supervision(#[from] SupervisionRefused),
    /// An act about notices.
    #[error(transparent)]
    Notices(#[from] NoticeRefused),
    /// No such payout.
    #[error("no payout {0} is known; `zhida payouts list` shows all")]
    NoSuchPayout(PayoutKey),
    /// The payout refuses.
    #[error(transparent)]
    Payout(#[from] Refused),
    /// The same person twice.
    #[error("{0} has already resumed; a second, different officer is needed")]
    SameOfficer(OperatorId),
    /// Sending is open.
    #[error("sending is not stopped; there is nothing to resume")]
    NotStopped,
    /// The database went back in time and was not recovered.
    #[error(
        "the database went back in time; run `zhida recover` first, it says what has to happen before sending opens"
    )]
    NotRecovered,
    /// The bank day after the restore is not over.
    #[error(
        "sending opens from {0} on, when a whole bank day has closed after the restore and its statement was checked"
    )]
    BankDayOpen(Timestamp),
}

/// Does an act. The desk holds the payout concerned; `switch` is the stop switch as stored.
///
/// # Errors
/// [`ActRefused`]; nothing is changed then.
pub fn act(
    desk: &mut Desk<'_>,
    switch: &Switch,
    operator: &Operator,
    act: &Act,
    reason: &str,
) -> Result<ActOutcome, ActRefused> {
    permitted(operator, act)?;
    desk.by = operator.id.0.clone();
    let now = desk.now;
    let subject = match act {
        Act::Hold(key) | Act::Release(key, _) | Act::Cancel(key) | Act::Decide(key, _, _) => {
            if !desk.payouts.contains_key(key) {
                return Err(ActRefused::NoSuchPayout(key.clone()));
            }
            super::subject(key)
        }
        Act::Stop | Act::Resume => "sending".to_owned(),
    };
    let outcome = match act {
        Act::Hold(key) => {
            refuse_hold_at_the_end(desk, key)?;
            let hold = Hold { since: now, until: None, detail: reason.to_owned(), released_by: None };
            desk.apply(key, Event::Placed(HoldCode::Operator, hold))?;
            ActOutcome::Done
        }
        Act::Release(key, codes) => release(desk, key, codes, &operator.id)?,
        Act::Cancel(key) => {
            let ended = Ended { kind: EndKind::Cancelled, at: now, reason: reason.to_owned() };
            desk.apply(key, Event::Cancelled(ended))?;
            ActOutcome::Done
        }
        Act::Decide(key, instruction_id, decision) => decide(desk, key, instruction_id, *decision, &operator.id)?,
        Act::Stop => {
            let stopped_by = Some((operator.id.clone(), reason.to_owned()));
            let since = Some(switch.since.unwrap_or(now));
            desk.changes.switch = Some(Switch { stopped_by, since, resumed_by: None, restore: switch.restore.clone() });
            ActOutcome::Done
        }
        Act::Resume => resume(desk, switch, &operator.id)?,
    };
    let detail = json!({"act": name(act), "role": operator.role.code(), "reason": reason,
        "awaits_second_officer": outcome == ActOutcome::AwaitsSecondOfficer});
    desk.changes.journal.push(JournalRow {
        kind: "operator.acted".to_owned(),
        subject,
        by: operator.id.0.clone(),
        detail,
    });
    desk.by = "system".to_owned();
    Ok(outcome)
}

fn release(
    desk: &mut Desk<'_>,
    key: &PayoutKey,
    codes: &[HoldCode],
    by: &OperatorId,
) -> Result<ActOutcome, ActRefused> {
    desk.apply(key, Event::Released { by: by.clone(), codes: codes.to_vec() })?;
    // A cap that was waived lets the fund be charged at the next judgement.
    desk.changes.reconsider.push(super::Reconsider::Application(key.application_id.clone()));
    let waits = desk.payouts.get(key).is_some_and(|payout| codes.iter().any(|code| payout.holds.contains_key(code)));
    Ok(if waits { ActOutcome::AwaitsSecondOfficer } else { ActOutcome::Done })
}

fn decide(
    desk: &mut Desk<'_>,
    key: &PayoutKey,
    instruction_id: &InstructionId,
    decision: Decision,
    by: &OperatorId,
) -> Result<ActOutcome, ActRefused> {
    let waited = |desk: &Desk<'_>| {
        desk.payouts.get(key).and_then(|one| one.by_id(instruction_id)).and_then(|one| one.decision_by.clone())
    };
    desk.apply(key, Event::Decided { instruction_id: instruction_id.clone(), by: by.clone(), decision })?;
    let mine = Some((by.clone(), format!("{decision:?}")));
    Ok(if waited(desk) == mine { ActOutcome::AwaitsSecondOfficer } else { ActOutcome::Done })
}

fn resume(desk: &mut Desk<'_>, switch: &Switch, by: &OperatorId) -> Result<ActOutcome, ActRefused> {
    if switch.stopped_by.is_none() {
        return Err(ActRefused::NotStopped);
    }
    match switch.restore.as_ref().map(|restore| restore.opens_from) {
        Some(None) => return Err(ActRefused::NotRecovered),
        Some(Some(opens_from)) if desk.now < opens_from => return Err(ActRefused::BankDayOpen(opens_from)),
        Some(Some(_)) | None => {}
    }
    match &switch.resumed_by {
        Some(first) if first == by => Err(ActRefused::SameOfficer(by.clone())),
        Some(_) => {
            desk.changes.switch = Some(Switch::default());
            Ok(ActOutcome::Done)
        }
        None => {
            desk.changes.switch = Some(Switch { resumed_by: Some(by.clone()), ..switch.clone() });
            Ok(ActOutcome::AwaitsSecondOfficer)
        }
    }
}

/// A hold would promise what it cannot do: nothing of it will be sent any more, or everything was.
fn refuse_hold_at_the_end(desk: &Desk<'_>, key: &PayoutKey) -> Result<(), ActRefused> {
    let state = desk.payouts.get(key).map(Payout::state);
    match state {
        Some(state @ (PayoutState::Settled | PayoutState::Cancelled)) => Err(ActRefused::Payout(Refused::WrongState {
            act: "hold",
            state: state.code(),
            remedy: "nothing of it is sent any more; money that was paid in error is recovered, not held",
        })),
        _ => Ok(()),
    }
}

fn permitted(operator: &Operator, act: &Act) -> Result<(), ActRefused> {
    let allowed: &[Role] = match act {
        Act::Hold(_) => &[Role::Operator, Role::Releaser, Role::Supervisor],
        Act::Release(..) | Act::Cancel(_) | Act::Decide(..) | Act::Resume => &[Role::Releaser],
        Act::Stop => &[Role::Operator, Role::Releaser, Role::Supervisor],
    };
    if allowed.contains(&operator.role) {
        return Ok(());
    }
    let names = match act {
        Act::Hold(_) | Act::Stop => "operator, releaser, supervisor",
        Act::Release(..) | Act::Cancel(_) | Act::Decide(..) | Act::Resume => "releaser",
    };
    Err(ActRefused::Role { operator: operator.id.clone(), role: operator.role.code(), act: name(act), allowed: names })
}

fn name(act: &Act) -> &'static str {
    match act {
        Act::Hold(_) => "hold",
        Act::Release(..) => "release",
        Act::Cancel(_) => "cancel",
        Act::Decide(..) => "decide",
        Act::Stop => "stop",
        Act::Resume => "resume",
    }
}
