//! Events of one moment: senders whose clocks count minutes or days tell of a cause and its end with the same time. Of such events
//! always the first that follows from what was before is applied, so that their order of arrival decides nothing.

use super::event::{CaseEvent, Said};
use super::fold::Fold;
use super::pause::PauseCause;

impl Fold<'_> {
    /// Applies the events of one moment, sorted by rank: of those left always the first that fits, else the first.
    pub(super) fn apply_moment(&mut self, mut events: Vec<&CaseEvent>) {
        while !events.is_empty() {
            let place = events.iter().position(|event| self.fits(&event.said)).unwrap_or(0);
            self.apply(events.remove(place));
        }
    }

    /// Whether it follows from what was before.
    fn fits(&mut self, said: &Said) -> bool {
        let paused = |cause: &PauseCause| self.pauses.iter().any(|one| one.cause == *cause);
        match said {
            Said::Submitted { .. } => self.file.submitted_at.is_none(),
            Said::Accepted(_) => self.file.accepted_at.is_none(),
            Said::SupplementReceived => paused(&PauseCause::Supplement),
            Said::SupplementRequested { .. } => !paused(&PauseCause::Supplement),
            Said::PublicityEnded | Said::PublicityObjected => paused(&PauseCause::Publicity),
            Said::PublicityStarted { .. } => !paused(&PauseCause::Publicity),
            Said::Paused { reason, department_id, .. } => {
                !paused(&PauseCause::Review { reason: *reason, department: department_id.clone() })
            }
            Said::Resumed { .. } => self.pauses.iter().any(|one| matches!(one.cause, PauseCause::Review { .. })),
            Said::Decided { by, stage, .. } => self.open_step(*stage, &by.department_id).is_some(),
            Said::Assigned { to, stage, .. } => {
                let open = self.open_step(*stage, &to.department_id);
                open.is_none_or(|clock| clock.officer.as_ref() != Some(&to.officer_id))
            }
            Said::Approved { .. }
            | Said::Declined { .. }
            | Said::Rejected { .. }
            | Said::Withdrawn { .. }
            | Said::Revoked { .. } => true,
        }
    }
}
