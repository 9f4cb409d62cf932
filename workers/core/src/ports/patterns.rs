//! Patterns in the store. As everywhere, each method is one transaction; what is found is decided by [`crate::patterns`]. A run reads
//! the applications of its window page by page, so that it stands in nobody's way, and writes what it found in parts, each of which
//! may be written twice.

use super::store::StoreError;
use crate::ids::{ApplicationId, PolicyId};
use crate::money::Fen;
use crate::patterns::{CaseFacts, Found, Health, Pattern, PatternState, Rule};
use crate::steps::{Fund, Policy};
use crate::working_time::WorkingTime;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Some applications of the window.
#[derive(Clone, Debug, Default)]
pub struct CasePage {
    /// What rules see of them, by id.
    pub cases: Vec<CaseFacts>,
    /// Where the next page begins, if there is one.
    pub next: Option<ApplicationId>,
}

/// What rules see beside the applications.
#[derive(Clone, Debug)]
pub struct PatternSurroundings {
    /// Policies by id.
    pub policies: BTreeMap<PolicyId, Policy>,
    /// Funds.
    pub funds: Vec<Fund>,
    /// Working days and hours.
    pub time: WorkingTime,
    /// The limit above which a second officer is needed where the policy has none.
    pub second_officer_above: Option<Fen>,
    /// The database's clock.
    pub now: Timestamp,
}

/// The last run that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatternRun {
    /// When it began: a pattern that was last found before is found no more.
    pub began_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
}

/// Which patterns to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternFilter {
    /// Of this rule only.
    pub rule: Option<Rule>,
    /// In this state only.
    pub state: Option<PatternState>,
    /// At most this many.
    pub limit: u32,
}

/// What waits for a look this long keeps runs from beginning.
pub const BACKLOG: SignedDuration = SignedDuration::from_mins(5);

/// Looking for patterns, and looking at them.
#[async_trait]
pub trait PatternStore: Send + Sync {
    /// Begins a run, for `lease`, unless somebody else is at it, one ended less than `pause` ago, or supervision has not yet looked at what
    /// came in more than [`BACKLOG`] ago: half a history would show what is not there. Says whether it may begin. What a clock that was
    /// ahead has left, a lease longer than `lease` or an end that is to come, keeps nobody from beginning.
    async fn begin_pattern_run(&self, pause: SignedDuration, lease: SignedDuration) -> Result<bool, StoreError>;

    /// Applications that are open or were decided since, those after `after` in the order of their ids, at most `max`. One that cannot
    /// be read is left out, and logged.
    async fn pattern_cases(
        &self,
        since: Timestamp,
        after: Option<&ApplicationId>,
        max: u32,
    ) -> Result<CasePage, StoreError>;

    /// Everything else that rules look at.
    async fn pattern_surroundings(&self) -> Result<PatternSurroundings, StoreError>;

    /// Writes what was found: new, found again, grown or reopened; the same once or twice.
    async fn put_patterns(&self, found: &[Found]) -> Result<(), StoreError>;

    /// Gives up the run that has failed: another may begin at once.
    async fn drop_pattern_run(&self) -> Result<(), StoreError>;

    /// Ends the run with the health of policies that it saw.
    async fn end_pattern_run(&self, health: &[Health]) -> Result<(), StoreError>;

    /// The last run that ended.
    async fn last_pattern_run(&self) -> Result<Option<PatternRun>, StoreError>;

    /// Patterns, newest first; whoever shows them leaves out what the viewer may not see.
    async fn patterns(&self, filter: &PatternFilter) -> Result<Vec<Pattern>, StoreError>;

    /// One pattern.
    async fn pattern(&self, id: &str) -> Result<Option<Pattern>, StoreError>;

    /// How many patterns there are of each rule in each state.
    async fn pattern_counts(&self) -> Result<BTreeMap<(Rule, PatternState), u64>, StoreError>;

    /// How policies fared at the last run, by id; empty before it.
    async fn policy_health(&self) -> Result<Vec<Health>, StoreError>;
}
