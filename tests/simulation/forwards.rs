//! Ports that the simulator leaves as they are: what goes through them is read, or is not what its histories are about.

use crate::planted::Planted;
use crate::ports::Connection;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use zhida_config::Calendar;
use zhida_core::calendars::ImportedCalendar;
use zhida_core::ids::{ApplicationId, OrderId};
use zhida_core::notice::template::{Replacing, TemplateSet};
use zhida_core::notice::{Notice, NoticeRequest, Switch};
use zhida_core::organisation::Organisation;
use zhida_core::patterns::{Found, Health, Pattern, PatternState, Rule};
use zhida_core::ports::notices::*;
use zhida_core::ports::orders::{OrderFilter, OrderStore};
use zhida_core::ports::patterns::*;
use zhida_core::ports::sms::{Receipt, Trust};
use zhida_core::ports::store::StoreError;
use zhida_core::ports::supervision::OrganisationStore;
use zhida_core::supervision::Order;

macro_rules! forwarded {
    ($trait:ident { $(fn $name:ident($($arg:ident: $type:ty),*) -> $result:ty;)* }) => {
        #[async_trait]
        impl $trait for Connection {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$result, StoreError> {
                self.store.$name($($arg),*).await
            })*
        }

        #[async_trait]
        impl $trait for Planted<Connection> {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$result, StoreError> {
                self.inner.$name($($arg),*).await
            })*
        }
    };
}

forwarded!(OrganisationStore {
    fn import_organisation(organisation: &Organisation, by: &str) -> ();
    fn organisation() -> Organisation;
    fn import_calendar(calendar: &Calendar, by: &str) -> ();
    fn calendars() -> Vec<ImportedCalendar>;
});
forwarded!(NoticeStore {
    fn ask_for_notices(requests: &[NoticeRequest]) -> u32;
    fn try_notice(request: &NoticeRequest, to: &str) -> Vec<Errand>;
    fn make_notices(max: u32) -> u32;
    fn take_errands(max: u32) -> Vec<Errand>;
    fn book_errands(ends: &[ErrandEnd]) -> ();
    fn book_receipts(provider: &str, trust: Trust, receipts: &[Receipt]) -> ReceiptsBooked;
    fn look_again() -> ();
    fn forget_old() -> u32;
    fn notices(filter: &NoticeFilter) -> Vec<Notice>;
    fn notice(id: &str) -> Option<NoticeView>;
    fn count_requests() -> RequestCounts;
    fn waiting_notices() -> WaitingNotices;
    fn import_templates(set: &TemplateSet, seen: &TemplateSet, by: &str) -> Replacing;
    fn templates() -> TemplateSet;
    fn notice_switch() -> Switch;
    fn unsubscribes(notice_id: &str, key: &str) -> bool;
    fn unsubscribe(notice_id: &str, key: &str) -> bool;
});
forwarded!(OrderStore {
    fn orders(filter: &OrderFilter) -> Vec<Order>;
    fn order(id: OrderId) -> Option<Order>;
});
forwarded!(PatternStore {
    fn begin_pattern_run(pause: SignedDuration, lease: SignedDuration) -> bool;
    fn pattern_cases(since: Timestamp, after: Option<&ApplicationId>, max: u32) -> CasePage;
    fn pattern_surroundings() -> PatternSurroundings;
    fn put_patterns(found: &[Found]) -> ();
    fn drop_pattern_run() -> ();
    fn end_pattern_run(health: &[Health]) -> ();
    fn last_pattern_run() -> Option<PatternRun>;
    fn patterns(filter: &PatternFilter) -> Vec<Pattern>;
    fn pattern(id: &str) -> Option<Pattern>;
    fn pattern_counts() -> BTreeMap<(Rule, PatternState), u64>;
    fn policy_health() -> Vec<Health>;
});
