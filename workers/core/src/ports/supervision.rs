//! What supervision keeps in the store: the organisation and the calendars. As everywhere, each method is one transaction.

use super::store::StoreError;
use crate::calendars::{self, ImportedCalendar};
use crate::organisation::Organisation;
use async_trait::async_trait;
use zhida_config::Calendar;

/// The organisation and the calendars, as they were imported.
#[async_trait]
pub trait OrganisationStore: Send + Sync {
    /// Replaces the whole organisation; nothing happens when it is the same. `by` stands in the journal, with counts and ids.
    async fn import_organisation(&self, organisation: &Organisation, by: &str) -> Result<(), StoreError>;

    /// The organisation; empty before the first import.
    async fn organisation(&self) -> Result<Organisation, StoreError>;

    /// Adds a calendar; nothing happens when it was imported before or is built in. [`StoreError::Conflict`] when another one
    /// has its version. `by` stands in the journal.
    async fn import_calendar(&self, calendar: &Calendar, by: &str) -> Result<(), StoreError>;

    /// The imported calendars, oldest first.
    async fn calendars(&self) -> Result<Vec<ImportedCalendar>, StoreError>;

    /// The calendar in force: the embedded one amended by the imported ones.
    async fn calendar(&self) -> Result<Calendar, StoreError> {
        let unreadable = |error: calendars::Unreadable| StoreError::Corrupt {
            place: "calendars".to_owned(),
            what: error.to_string(),
        };
        calendars::in_force(&self.calendars().await?).map_err(unreadable)
    }
}
