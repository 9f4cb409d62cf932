//! A supervision order (督办单): somebody who supervises demands an answer, with cause and measure, within a term. It is answered by
//! its addressee, returned when the answer does not do, and closed (销号) only by those who supervise. That an answer is late is told
//! by a clock like any other, so that it climbs the ladder of the addressee's department.

use crate::case_file::{Clock, ClockEvent, ClockId, ClockKind, Counting, Ending, Term};
use crate::ids::{ApplicationId, DepartmentId, OfficerId, OperatorId, OrderId};
use crate::working_time::WorkingTime;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What an order was issued from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Occasion {
    /// An alert, by its id.
    Alert(String),
    /// A pattern, by its id.
    Pattern(String),
}

/// Who may see something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The supervision office and discipline inspection.
    Supervision,
    /// Discipline inspection alone.
    Inspection,
}

impl Audience {
    /// Every audience.
    pub const ALL: [Self; 2] = [Self::Supervision, Self::Inspection];

    /// The name in tables.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Supervision => "supervision",
            Self::Inspection => "inspection",
        }
    }

    /// What everybody may read of what was written for this audience.
    #[must_use]
    pub fn told(self, text: &str) -> &str {
        match self {
            Self::Supervision => text,
            Self::Inspection => "仅纪检监察可见 for discipline inspection alone",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.code() == code)
    }
}

/// What happened between the issue of an order and its closing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum OrderStep {
    /// It was answered.
    Replied {
        /// By the addressee, or who stands in.
        by: OperatorId,
        /// When.
        at: Timestamp,
        /// How it came about.
        cause: String,
        /// What is done about it.
        measure: String,
    },
    /// The answer did not do.
    Returned {
        /// Who found so.
        by: OperatorId,
        /// When; the new term runs from then.
        at: Timestamp,
        /// Working days for the next answer.
        working_days: u16,
        /// What is lacking.
        reason: String,
    },
}

/// The matter is settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// Who closed it.
    pub by: OperatorId,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// An answer is awaited.
    Issued,
    /// It was answered; whoever supervises judges.
    Replied,
    /// Settled.
    Closed,
}

impl OrderState {
    /// The name in tables and messages.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Replied => "replied",
            Self::Closed => "closed",
        }
    }

    /// What people call it, Chinese and English.
    #[must_use]
    pub fn title(self) -> (&'static str, &'static str) {
        match self {
            Self::Issued => ("待回复", "answer awaited"),
            Self::Replied => ("已回复待销号", "answered, to be closed"),
            Self::Closed => ("已销号", "closed"),
        }
    }
}

/// A supervision order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its number.
    pub id: OrderId,
    /// What it was issued from.
    pub occasion: Occasion,
    /// The application it is about, if it is about one.
    pub application_id: Option<ApplicationId>,
    /// Who sees it beside its addressee.
    pub audience: Audience,
    /// Who has to answer.
    pub addressee: OfficerId,
    /// The addressee's department when it was issued.
    pub department_id: DepartmentId,
    /// Who issued it.
    pub issued_by: OperatorId,
    /// When.
    pub issued_at: Timestamp,
    /// Working days for the first answer.
    pub working_days: u16,
    /// What is demanded.
    pub demand: String,
    /// Answers and returns, in the order in which they came.
    pub steps: Vec<OrderStep>,
    /// When and why it was closed.
    pub closed: Option<Closing>,
}

impl Order {
    /// Under which name its clock, its alerts and its story stand: the application's, or its own.
    #[must_use]
    pub fn matter(&self) -> ApplicationId {
        self.application_id.clone().unwrap_or_else(|| ApplicationId(self.id.to_string()))
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> OrderState {
        match (&self.closed, self.answered_at()) {
            (Some(_), _) => OrderState::Closed,
            (None, Some(_)) => OrderState::Replied,
            (None, None) => OrderState::Issued,
        }
    }

    /// Since when an answer is awaited, and for how many working days.
    #[must_use]
    pub fn term(&self) -> (Timestamp, u16) {
        let returned = self.steps.iter().rev().find_map(|step| match step {
            OrderStep::Returned { at, working_days, .. } => Some((*at, *working_days)),
            OrderStep::Replied { .. } => None,
        });
        returned.unwrap_or((self.issued_at, self.working_days))
    }

    /// When the present demand was first answered.
    fn answered_at(&self) -> Option<Timestamp> {
        let replied = |step: &OrderStep| match step {
            OrderStep::Replied { at, .. } => Some(*at),
            OrderStep::Returned { .. } => None,
        };
        self.steps.iter().rev().map_while(replied).last()
    }

    /// By when an answer is due; by when it was, where it has come.
    #[must_use]
    pub fn due_at(&self, time: &WorkingTime, counting: &Counting) -> Timestamp {
        self.clock().read(time, counting).deadline
    }

    /// The clock of its answer.
    pub(super) fn clock(&self) -> Clock {
        let (since, working_days) = self.term();
        let id = ClockId { kind: ClockKind::Order, stage: None, department: None, number: self.id.0 };
        let mut clock = Clock::start(id, since, since, Term::WorkingDays(working_days));
        match self.audience {
            Audience::Supervision => {
                clock.department = Some(self.department_id.0.clone());
                clock.officer = Some(self.addressee.0.clone());
            }
            // Clocks and alerts are seen by more than inspectors.
            Audience::Inspection => {}
        }
        let ended = match (self.answered_at(), &self.closed) {
            (Some(at), _) => Some((at, Ending::Met)),
            (None, Some(closing)) => Some((closing.at, Ending::Void)),
            (None, None) => None,
        };
        if let Some((at, ending)) = ended {
            // A clock that has just begun takes its end.
            let _ = clock.on(ClockEvent::Ended(at, ending));
            clock.end_heard_at = Some(at);
        }
        clock
    }
}
