//! How much goes: ceilings over everything for each minute and day, and what a provider allows one address for a signature and a
//! template. Ceilings count clock minutes and days; limits count back from now, as the vendors do.

use super::Bell;
use super::rules::{Limit, NoticeRules};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// How many were handed in since the start of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The start of the window.
    pub since: Timestamp,
    /// How many.
    pub count: u32,
}

impl Default for Tally {
    fn default() -> Self {
        Self { since: Timestamp::UNIX_EPOCH, count: 0 }
    }
}

impl Tally {
    /// How many in the window that started at `since`.
    fn of(&self, since: Timestamp) -> u32 {
        if self.since == since { self.count } else { 0 }
    }

    fn take_back(&mut self, since: Timestamp) {
        if self.since == since {
            self.count = self.count.saturating_sub(1);
        }
    }

    fn add(&mut self, since: Timestamp) {
        *self = Self { since, count: self.of(since).saturating_add(1) };
    }
}

/// What limits are counted by. The address stands here as its keyed fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NumberKey {
    /// The provider.
    pub provider: String,
    /// The signature; empty where all are counted together.
    pub signature: String,
    /// The kind and language of the template; empty where all are counted together.
    pub template: String,
    /// The address' fingerprint.
    pub fingerprint: String,
}

/// As it stands in tables.
impl fmt::Display for NumberKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}|{}|{}|{}", self.provider, self.signature, self.template, self.fingerprint)
    }
}

/// What has gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Everything in the present minute.
    pub minute: Tally,
    /// Everything in the present day.
    pub day: Tally,
    /// When each address was last written to, oldest first; as many moments as the largest limit counts.
    pub numbers: BTreeMap<NumberKey, Vec<Timestamp>>,
}

impl Counters {
    /// Which ceiling holds a message of that priority back, and until when; none: there is room.
    #[must_use]
    pub fn full(&self, priority: u8, rules: &NoticeRules, now: Timestamp) -> Option<(Bell, Timestamp)> {
        let (today, tomorrow) = day(rules, now);
        if priority > 0 && self.day.of(today) >= rules.per_day_max {
            // Nobody is rung out of bed by what a broken day left over.
            let morning = rules.quiet.and_then(|hours| hours.end(tomorrow, &rules.zone)).unwrap_or(tomorrow);
            return Some((Bell::DayCeiling, morning));
        }
        let minute = start_of_minute(now);
        let next = minute.checked_add(SignedDuration::from_mins(1)).unwrap_or(Timestamp::MAX);
        (self.minute.of(minute) >= rules.per_minute_max).then_some((Bell::MinuteCeiling, next))
    }

    /// From when on that address may be written to.
    #[must_use]
    pub fn free_at(&self, key: &NumberKey, limits: &[Limit], now: Timestamp) -> Timestamp {
        let moments = self.numbers.get(key).map_or(&[][..], Vec::as_slice);
        let free = limits.iter().map(|limit| {
            let place = moments.len().checked_sub(limit.count.max(1) as usize);
            // The limit is used up until the moment before so many others has left its window.
            let oldest = place.and_then(|place| moments.get(place));
            oldest.and_then(|at| at.checked_add(limit.window).ok()).unwrap_or(now)
        });
        free.max().unwrap_or(now).max(now)
    }

    /// One more is handed in, which these limits count.
    pub fn count(&mut self, counted: &[(NumberKey, &[Limit])], rules: &NoticeRules, now: Timestamp) {
        self.minute.add(start_of_minute(now));
        self.day.add(day(rules, now).0);
        for (key, limits) in counted {
            let Some(largest) = limits.iter().map(|limit| limit.count as usize).max() else { continue };
            let moments = self.numbers.entry(key.clone()).or_default();
            moments.push(now);
            let surplus = moments.len().saturating_sub(largest);
            moments.drain(..surplus);
        }
    }

    /// What was counted at that moment was not handed in after all: there is room for another one under the ceilings. (What one address may
    /// be sent stays counted: fewer are sent than the vendor allows, never more.)
    pub(super) fn give_back(&mut self, rules: &NoticeRules, counted_at: Timestamp) {
        self.minute.take_back(start_of_minute(counted_at));
        self.day.take_back(day(rules, counted_at).0);
    }
}

fn start_of_minute(now: Timestamp) -> Timestamp {
    let second = now.as_second();
    Timestamp::from_second(second - second.rem_euclid(60)).unwrap_or(now)
}

/// Today's start and tomorrow's, in the district's zone.
fn day(rules: &NoticeRules, now: Timestamp) -> (Timestamp, Timestamp) {
    let today = rules.zone.to_datetime(now).date();
    let start = |date: jiff::civil::Date| rules.zone.to_timestamp(date.at(0, 0, 0, 0)).ok();
    let tomorrow = today.tomorrow().ok().and_then(start).unwrap_or(Timestamp::MAX);
    (start(today).unwrap_or(now), tomorrow)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Counters, NumberKey};
    use crate::notice::rules::{Limit, NoticeRules};
    use jiff::tz::TimeZone;
    use jiff::{SignedDuration, Timestamp};

    fn rules() -> NoticeRules {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        NoticeRules { per_minute_max: 2, per_day_max: 3, ..NoticeRules::with_defaults(zone) }
    }

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn full(counters: &Counters, priority: u8, rules: &NoticeRules, now: Timestamp) -> Option<Timestamp> {
        counters.full(priority, rules, now).map(|(_, until)| until)
    }

    #[test]
    fn ceilings_count_clock_minutes_and_days() {
        let rules = rules();
        let mut counters = Counters::default();
        let (first, later) = (time("2026-11-23T23:00:59+08:00"), time("2026-11-23T23:01:00+08:00"));
        for _ in 0..2 {
            assert_eq!(full(&counters, 2, &rules, first), None);
            counters.count(&[], &rules, first);
        }
        assert_eq!(full(&counters, 0, &rules, first), Some(later), "nobody goes beyond the minute's");
        assert_eq!(full(&counters, 2, &rules, later), None);
        counters.count(&[], &rules, later);
        let midnight = time("2026-11-24T00:00:00+08:00");
        let morning = time("2026-11-24T07:30:00+08:00");
        assert_eq!(full(&counters, 1, &rules, later), Some(morning), "nobody is rung out of bed");
        assert_eq!(full(&counters, 0, &rules, later), None, "money goes beyond the day's");
        counters.count(&[], &rules, later);
        assert_eq!(counters.day.count, 4, "and is counted");
        assert_eq!(full(&counters, 1, &rules, midnight), None);
    }

    #[test]
    fn limits_count_back_from_now() {
        let rules = rules();
        let limit = |count, seconds| Limit { count, window: SignedDuration::from_secs(seconds) };
        let limits = [limit(1, 60), limit(3, 3600)];
        let key = NumberKey {
            provider: "a".to_owned(),
            signature: "签名".to_owned(),
            template: "test.zh-CN".to_owned(),
            fingerprint: "f".to_owned(),
        };
        let at = |second| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second);
        let mut counters = Counters::default();
        for (second, free) in
            [(0, 0), (1, 60), (60, 60), (61, 120), (120, 120), (121, 3600), (3599, 3600), (3600, 3600)]
        {
            assert_eq!(counters.free_at(&key, &limits, at(second)), at(free.max(second)), "{second}");
            if free <= second {
                counters.count(&[(key.clone(), &limits)], &rules, at(second));
            }
        }
        assert_eq!(counters.numbers[&key].len(), 3, "no more is kept than is counted");
        let other = NumberKey { fingerprint: "g".to_owned(), ..key };
        assert_eq!(counters.free_at(&other, &limits, at(3600)), at(3600));
    }
}
