//! Reads the header `Retry-After` (RFC 9110, 10.2.3): seconds, or a date of HTTP. Nothing is waited for here.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use std::time::Duration;
use zhida_core::ports::bank::LONGEST_WAIT;

/// What the bank asked us to wait, seen from `now`, at most [`LONGEST_WAIT`]; `None` when it said nothing that can be read. A date in the past is no wait.
pub(super) fn read(value: Option<&str>, now: Timestamp) -> Option<Duration> {
    let value = value?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than the number holds is a very long time.
        return Some(value.parse().map_or(LONGEST_WAIT, Duration::from_secs).min(LONGEST_WAIT));
    }
    let until = DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO).min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test may fail loudly
    use super::{LONGEST_WAIT, read};
    use std::time::Duration;

    #[test]
    fn seconds_and_dates_are_honoured_nonsense_is_not() {
        let now = "1994-11-06T08:49:00Z".parse().unwrap();
        for (value, wait) in [
            ("0", Some(Duration::ZERO)),
            (" 120 ", Some(Duration::from_secs(120))),
            ("99999999999999999999999", Some(LONGEST_WAIT)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(Duration::from_secs(37))),
            ("Sun, 06 Nov 1994 08:48:37 GMT", Some(Duration::ZERO)),
            ("Sun, 06 Nov 2094 08:48:37 GMT", None), // the weekday is wrong
            ("Sat, 06 Nov 2094 08:48:37 GMT", Some(LONGEST_WAIT)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
        ] {
            assert_eq!(read(Some(value), now), wait, "{value}");
        }
        assert_eq!(read(None, now), None);
    }
}
