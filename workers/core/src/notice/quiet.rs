//! Quiet hours: when what can wait is not sent. What may not wait is decided by the kind.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

/// A stretch of every day, over midnight when it ends before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// From this time on.
    pub from: Time,
    /// Until this time, which is quiet no more.
    pub to: Time,
}

impl QuietHours {
    /// Reads `22:00-07:30`; none for anything else, and for a stretch without length.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        let time = |text: &str| Time::strptime("%H:%M", text).ok();
        let (from, to) = (time(from)?, time(to)?);
        (from != to).then_some(Self { from, to })
    }

    /// When they end, while they last.
    #[must_use]
    pub fn end(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let here = zone.to_datetime(now);
        let time = here.time();
        let quiet =
            if self.from < self.to { self.from <= time && time < self.to } else { self.from <= time || time < self.to };
        if !quiet {
            return None;
        }
        let day = if time < self.to { here.date() } else { here.date().tomorrow().ok()? };
        zone.to_timestamp(day.to_datetime(self.to)).ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::QuietHours;
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    #[test]
    fn quiet_hours_end_in_the_morning_also_over_midnight() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        for (hours, now, end) in [
            ("22:00-07:30", "2026-11-23T21:59:59+08:00", None),
            ("22:00-07:30", "2026-11-23T22:00:00+08:00", Some("2026-11-24T07:30:00+08:00")),
            ("22:00-07:30", "2026-12-31T23:00:00+08:00", Some("2027-01-01T07:30:00+08:00")),
            ("22:00-07:30", "2026-11-24T07:29:59+08:00", Some("2026-11-24T07:30:00+08:00")),
            ("22:00-07:30", "2026-11-24T07:30:00+08:00", None),
            ("12:00-14:00", "2026-11-24T11:00:00+08:00", None),
            ("12:00-14:00", "2026-11-24T13:00:00+08:00", Some("2026-11-24T14:00:00+08:00")),
            ("12:00-14:00", "2026-11-24T14:00:00+08:00", None),
        ] {
            let expected = end.map(|end| end.parse::<Timestamp>().unwrap());
            let quiet = QuietHours::parse(hours).unwrap();
            assert_eq!(quiet.end(now.parse().unwrap(), &zone), expected, "{hours} at {now}");
        }
    }

    #[test]
    fn only_one_form_is_read() {
        for text in ["", "22:00", "22:00-22:00", "22-7", "25:00-07:00", "22:00–07:30"] {
            assert_eq!(QuietHours::parse(text), None, "{text}");
        }
    }
}
