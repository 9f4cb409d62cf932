//! Case files, their clocks and alerts in the store. As everywhere, each method is one transaction; what it decides is
//! [`crate::supervision::look`].

use super::store::{StoreError, Which};
use crate::case_file::{CaseEvent, CaseFile};
use crate::ids::{ApplicationId, DepartmentId};
use crate::supervision::{Alert, ClockRow};
use async_trait::async_trait;
use jiff::Timestamp;

/// An application's review as it stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseView {
    /// What its events say.
    pub file: CaseFile,
    /// Its clocks.
    pub clocks: Vec<ClockRow>,
    /// Its events, in the order in which they happened.
    pub events: Vec<CaseEvent>,
    /// Its alerts, oldest first.
    pub alerts: Vec<Alert>,
    /// The version of the calendar that counted.
    pub calendar_version: String,
    /// The database's clock.
    pub now: Timestamp,
}

/// Which alerts to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertFilter {
    /// Open ones, or all.
    pub which: Which,
    /// Of this department only.
    pub department_id: Option<DepartmentId>,
    /// At most this many.
    pub limit: u32,
}

/// Looking at case files.
#[async_trait]
pub trait CaseStore: Send + Sync {
    /// Notes by which rules (settings) this process looks. When they are others than those noted last, everything open is looked at
    /// anew, behind what is due.
    async fn note_rules(&self) -> Result<(), StoreError>;

    /// Looks at applications whose events or payouts changed, or whose clocks' moment has come, longest due first, at most `max`;
    /// says how many. Several workers never look at one at the same time.
    async fn look_at_cases(&self, max: u32) -> Result<u32, StoreError>;

    /// An application's review as its events say it now. None when nothing of it is known.
    async fn case(&self, id: &ApplicationId) -> Result<Option<CaseView>, StoreError>;

    /// Alerts: open ones by deadline, else newest first.
    async fn alerts(&self, filter: &AlertFilter) -> Result<Vec<Alert>, StoreError>;

    /// One alert.
    async fn alert(&self, id: &str) -> Result<Option<Alert>, StoreError>;
}
