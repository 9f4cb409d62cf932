//! ISO 20022 as the sandbox's bank speaks it, written apart from the adapters' so that each checks the other.

mod initiation;
mod report;
mod statement;

pub(crate) use initiation::{Initiation, Order, read};
pub(crate) use report::{Said, refusal, report, reports_group};
pub(crate) use statement::statements;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The bank's zone.
pub(crate) fn zone() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC)
}

/// `ISODateTime` in the bank's zone, to the microsecond.
fn date_time(at: Timestamp) -> String {
    at.to_zoned_datetime(zone()).strftime("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string()
}

fn escaped(text: &str) -> std::borrow::Cow<'_, str> {
    quick_xml::escape::escape(text)
}
