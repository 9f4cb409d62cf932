//! Digests in the store, and what an amended calendar would move. As everywhere, each method is one state of the database, and what
//! it decides is [`crate::jobs`], [`crate::digest`] and [`crate::supervision::moved`].

use super::store::StoreError;
use crate::digest::Digest;
use crate::ids::ApplicationId;
use crate::jobs::Run;
use crate::supervision::Moved;
use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use zhida_config::Calendar;

/// When digests come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// The database's clock.
    pub now: Timestamp,
    /// When the next is due.
    pub next_due: Option<Timestamp>,
    /// Since when the newest is missing.
    pub missing_since: Option<Timestamp>,
}

/// A page of deadlines that would move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedPage {
    /// Those of the applications of this page.
    pub moved: Vec<Moved>,
    /// The last application of this page; none when no page follows.
    pub next: Option<ApplicationId>,
}

/// Digests and previews.
#[async_trait]
pub trait DigestStore: Send + Sync {
    /// Deals with the moments at which a digest was due: makes it, or records why none was made. Says what this call did; however
    /// many workers call it, each moment is dealt with once.
    async fn make_due_digest(&self) -> Result<Vec<Run>, StoreError>;

    /// Rings for calendar years that are needed soon and have no data, for each once; says how many it rang for.
    async fn ring_missing_years(&self) -> Result<u32, StoreError>;

    /// The digest as it would be made now. Nothing is written.
    async fn digest_preview(&self) -> Result<Digest, StoreError>;

    /// The newest digest, or the last one of a day.
    async fn digest(&self, of: Option<Date>) -> Result<Option<Digest>, StoreError>;

    /// When the next is due, and whether the last is missing.
    async fn digest_outlook(&self) -> Result<Outlook, StoreError>;

    /// Running deadlines of which the calendar in force, amended by `amendment`, says something else: of at most `max` applications
    /// after that one. Nothing is written.
    async fn moved_by(
        &self,
        amendment: &Calendar,
        after: Option<&ApplicationId>,
        max: u32,
    ) -> Result<MovedPage, StoreError>;
}
