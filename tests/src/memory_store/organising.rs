//! The organisation and the calendars.

use super::MemoryStore;
use async_trait::async_trait;
use std::collections::BTreeSet;
use zhida_config::Calendar;
use zhida_core::calendars::{self, CalendarImport, ImportedCalendar};
use zhida_core::notice::{Audience, NoticeRequest};
use zhida_core::organisation::Organisation;
use zhida_core::ports::store::StoreError;
use zhida_core::ports::supervision::OrganisationStore;
use zhida_core::steps::Changes;

#[async_trait]
impl OrganisationStore for MemoryStore {
    async fn import_organisation(&self, organisation: &Organisation, by: &str) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let differences = organisation.differences(&tables.organisation);
        if !differences.are_none() {
            tables.organisation = organisation.clone();
            tables.cases.version += 1;
            let addressed = organisation.officers.values().filter(|one| one.mobile.is_some() || one.email.is_some());
            let addressed: BTreeSet<&str> = addressed.map(|one| one.id.as_str()).collect();
            let concerned = |request: &NoticeRequest| addressed.contains(request.recipient.as_str());
            tables.noticing.look_again(Audience::Official, concerned, self.clock());
            let journal = vec![differences.journal_row(organisation, by)];
            self.write(&mut tables, Changes { journal, ..Changes::default() });
        }
        Ok(())
    }

    async fn organisation(&self) -> Result<Organisation, StoreError> {
        Ok(self.tables().organisation.clone())
    }

    async fn import_calendar(&self, calendar: &Calendar, by: &str) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let judged = calendars::judge(&tables.calendars, calendar);
        if judged.map_err(|taken| StoreError::Conflict(taken.to_string()))? == CalendarImport::New {
            tables.calendars.push(ImportedCalendar {
                version: calendar.version().to_owned(),
                text: calendar.to_string(),
                imported_at: self.clock(),
                imported_by: by.to_owned(),
            });
            tables.cases.version += 1;
            let journal = vec![calendars::journal_row(calendar, by)];
            self.write(&mut tables, Changes { journal, ..Changes::default() });
        }
        Ok(())
    }

    async fn calendars(&self) -> Result<Vec<ImportedCalendar>, StoreError> {
        Ok(self.tables().calendars.clone())
    }
}
