//! Digests play no part in these histories: their port is passed through, by sound and by mistaken code alike.

use crate::planted::Planted;
use crate::ports::Connection;
use async_trait::async_trait;
use jiff::civil::Date;
use zhida_config::Calendar;
use zhida_core::digest::Digest;
use zhida_core::ids::ApplicationId;
use zhida_core::jobs::Run;
use zhida_core::ports::digests::{DigestStore, MovedPage, Outlook};
use zhida_core::ports::store::StoreError;

macro_rules! passed_through {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $result:ty;)*) => {
        #[async_trait]
        impl DigestStore for Connection {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$result, StoreError> {
                self.store.$name($($arg),*).await
            })*
        }

        #[async_trait]
        impl DigestStore for Planted<Connection> {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$result, StoreError> {
                self.inner.$name($($arg),*).await
            })*
        }
    };
}

passed_through! {
    fn make_due_digest() -> Vec<Run>;
    fn ring_missing_years() -> u32;
    fn digest_preview() -> Digest;
    fn digest(of: Option<Date>) -> Option<Digest>;
    fn digest_outlook() -> Outlook;
    fn moved_by(amendment: &Calendar, after: Option<&ApplicationId>, max: u32) -> MovedPage;
}
