//! Pauses: why a clock stands still, since when, and what sets it going again.

use super::clock::{Clock, ClockKind};
use jiff::Timestamp;
use zhida_schemas::review::PauseReason;

/// Why a clock stands still.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PauseCause {
    /// The enterprise was asked for something.
    Supplement,
    /// The award is on public notice.
    Publicity,
    /// A hearing, an expert review, an inspection; of one department, or of all.
    Review {
        /// Why, as the event says.
        reason: PauseReason,
        /// Whose clocks; none: everybody's.
        department: Option<String>,
    },
    /// The payout waits for the enterprise's own correction of its account.
    Enterprise,
}

impl PauseCause {
    pub(super) fn is_of_the_review(&self) -> bool {
        match self {
            Self::Review { .. } => true,
            Self::Supplement | Self::Publicity | Self::Enterprise => false,
        }
    }

    /// What people call it, Chinese and English.
    #[must_use]
    pub fn title(&self) -> (&'static str, &'static str) {
        match self {
            Self::Supplement => ("补正", "supplement"),
            Self::Publicity => ("公示", "publicity"),
            Self::Enterprise => ("待企业更正账户", "the enterprise corrects its account"),
            Self::Review { reason, .. } => match reason {
                PauseReason::Hearing => ("听证", "hearing"),
                PauseReason::ExpertReview => ("专家评审", "expert review"),
                PauseReason::Inspection => ("检查核验", "inspection"),
                PauseReason::Other => ("其他", "other"),
            },
        }
    }
}

/// A time in which a clock stood still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Why.
    pub cause: PauseCause,
    /// Who stopped it.
    pub by: String,
    /// Title and digest of what proves it, where the event brings that.
    pub evidence: Option<String>,
    /// From when.
    pub from: Timestamp,
    /// When that came to be known here.
    pub heard_at: Timestamp,
    /// To when; none while it lasts.
    pub to: Option<Timestamp>,
}

impl Pause {
    pub(super) fn covers(&self, at: Timestamp) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }
}

/// What ends a pause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumption {
    /// Which pauses end: every one with this cause; of pauses of the review, those of the department, or all without one.
    pub cause: PauseCause,
    /// When.
    pub at: Timestamp,
}

impl PauseCause {
    /// Whether it stops this clock.
    pub(super) fn stops(&self, clock: &Clock) -> bool {
        match (clock.id.kind, self) {
            (ClockKind::Supplement | ClockKind::Payout | ClockKind::Order, _) => false,
            (ClockKind::Step, Self::Review { department: Some(department), .. }) => {
                clock.department.as_ref() == Some(department)
            }
            (ClockKind::Acceptance | ClockKind::Step | ClockKind::Review | ClockKind::Legal, _) => true,
        }
    }
}

impl Resumption {
    /// It is this department that goes on.
    pub(super) fn is_for(&self, own: Option<&str>) -> bool {
        match &self.cause {
            PauseCause::Review { department: Some(department), .. } => own == Some(department),
            PauseCause::Review { department: None, .. }
            | PauseCause::Supplement
            | PauseCause::Publicity
            | PauseCause::Enterprise => false,
        }
    }

    /// It ends pauses of this cause wherever they stand.
    pub(super) fn ends(&self, cause: &PauseCause) -> bool {
        match (&self.cause, cause) {
            (PauseCause::Review { department: None, .. }, PauseCause::Review { .. }) => true,
            (PauseCause::Review { department: resumed, .. }, PauseCause::Review { department: paused, .. }) => {
                resumed == paused
            }
            (resumed, paused) => resumed == paused,
        }
    }
}
