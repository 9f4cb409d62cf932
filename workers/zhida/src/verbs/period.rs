//! The ends of a period as people type them: a day of the district, which belongs to the period whole, or a time in RFC 3339.

use super::Usage;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The moment with which a period begins.
pub(super) fn beginning(option: &str, text: &str, zone: &TimeZone) -> Result<Timestamp, Usage> {
    moment(option, text, |day| begins(day, zone))
}

/// The moment before which a period ends.
pub(super) fn end(option: &str, text: &str, zone: &TimeZone) -> Result<Timestamp, Usage> {
    moment(option, text, |day| begins(day.tomorrow()?, zone))
}

fn begins(day: Date, zone: &TimeZone) -> Result<Timestamp, jiff::Error> {
    zone.to_timestamp(day.at(0, 0, 0, 0))
}

fn moment(
    option: &str,
    text: &str,
    of_day: impl FnOnce(Date) -> Result<Timestamp, jiff::Error>,
) -> Result<Timestamp, Usage> {
    // What names a time of day has to say of which zone.
    let day = || text.parse::<Date>().ok().filter(|day| day.to_string() == text);
    let found = text.parse().ok().or_else(|| of_day(day()?).ok());
    found.ok_or_else(|| {
        Usage(format!(
            "{option} {text:?} 不是日期，也不是带时区的时间 is neither a day, such as 2026-11-24, nor a time with its zone, such as 2026-11-24T08:00:00+08:00"
        ))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::{beginning, end};
    use zhida_config::Settings;

    #[test]
    fn a_day_is_the_district_s_and_belongs_to_the_period_whole() {
        let zone = Settings::load(&[], std::iter::empty(), None).unwrap().calendar.timezone;
        let day = ["2026-11-24", "2026-11-24"];
        let (from, before) = (beginning("--since", day[0], &zone).unwrap(), end("--until", day[1], &zone).unwrap());
        assert_eq!(
            (from.to_string(), before.to_string()),
            ("2026-11-23T16:00:00Z".into(), "2026-11-24T16:00:00Z".into())
        );
        for text in ["2026-11-24T08:00:00+08:00", "2026-11-24T00:00:00Z"] {
            for read in [beginning, end] {
                assert_eq!(read("--since", text, &zone).unwrap().to_string(), "2026-11-24T00:00:00Z");
            }
        }
        for text in ["2026-11-24T08:00", "2026-02-30", "Tuesday", ""] {
            let refused = beginning("--since", text, &zone).unwrap_err();
            assert!(refused.to_string().contains("--since"), "{refused}");
        }
    }
}
