//! The district's rules of notices (`notices.*` settings) as plain values. Credentials and addresses of providers are none of them.

use super::kind::{Channels, NoticeKind, Repeat};
use super::{Channel, QuietHours};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// So many to one address within a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// At most this many.
    pub count: u32,
    /// In any stretch of this length.
    pub window: SignedDuration,
}

/// In which form a provider takes a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// By the code of a template that was approved there: without one it cannot be used.
    Templates,
    /// As a text.
    Texts,
}

/// What the core has to know of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderRules {
    /// Its name in the settings; that of mail is `mail`.
    pub name: String,
    /// What it carries.
    pub channel: Channel,
    /// In which form.
    pub takes: Takes,
    /// The signature there, where it has its own.
    pub signature: Option<String>,
    /// What it allows for each number, signature and template.
    pub limits: Vec<Limit>,
    /// What it allows for each number, whatever is sent there.
    pub number_limits: Vec<Limit>,
    /// Price of a segment in 0.0001 yuan; none: it is not counted.
    pub price_per_segment: Option<i64>,
}

impl ProviderRules {
    /// One that takes texts under the signature of the district, without limits and without a price: as mail does.
    #[must_use]
    pub fn of_texts(name: &str, channel: Channel) -> Self {
        Self {
            name: name.to_owned(),
            channel,
            takes: Takes::Texts,
            signature: None,
            limits: Vec::new(),
            number_limits: Vec::new(),
            price_per_segment: None,
        }
    }
}

/// What the settings say of one kind, where they say something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KindRules {
    /// Whether it may arrive twice.
    pub repeat: Option<Repeat>,
    /// By which channels it goes.
    pub channels: Option<Channels>,
}

/// The rules of notices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeRules {
    /// When what can wait is not sent; none: it is sent at any hour.
    pub quiet: Option<QuietHours>,
    /// The zone of quiet hours and of days.
    pub zone: TimeZone,
    /// Requests of a kind that gathers wait so long for others.
    pub group: SignedDuration,
    /// From so many on they become one notice.
    pub group_from: u32,
    /// Messages handed in within a minute, all together.
    pub per_minute_max: u32,
    /// Messages handed in within a day of the zone; kinds of priority 0 go beyond it. Less than half of what must not happen on a broken
    /// day (10,000), for two calendar days touch each other.
    pub per_day_max: u32,
    /// Taken in and without a receipt for so long: asked for, then another way is tried.
    pub switch_after: SignedDuration,
    /// Not found so long after the end of a call is definitive.
    pub visibility: SignedDuration,
    /// In doubt for so long: sent again where that is the lesser evil.
    pub doubt: SignedDuration,
    /// How long a claim gives the right to call.
    pub lease: SignedDuration,
    /// The signature of SMS where neither template nor provider has its own.
    pub signature: Option<String>,
    /// Where the console is reached, for links.
    pub public_url: Option<String>,
    /// What the settings say of single kinds.
    pub kinds: BTreeMap<NoticeKind, KindRules>,
    /// Providers, for each channel in the order of preference.
    pub providers: Vec<ProviderRules>,
}

impl NoticeRules {
    /// The documented defaults, without a provider.
    #[must_use]
    pub fn with_defaults(zone: TimeZone) -> Self {
        Self {
            quiet: QuietHours::parse("22:00-07:30"),
            zone,
            group: SignedDuration::from_secs(30),
            group_from: 3,
            per_minute_max: 600,
            per_day_max: 5_000,
            switch_after: SignedDuration::from_mins(30),
            visibility: SignedDuration::from_secs(120),
            doubt: SignedDuration::from_mins(30),
            lease: SignedDuration::from_secs(60),
            signature: None,
            public_url: None,
            kinds: BTreeMap::new(),
            providers: Vec::new(),
        }
    }

    /// Whether a kind may arrive twice.
    #[must_use]
    pub fn repeat(&self, kind: NoticeKind) -> Repeat {
        self.kinds.get(&kind).and_then(|rules| rules.repeat).unwrap_or(kind.traits().repeat)
    }

    /// By which channels a kind goes.
    #[must_use]
    pub fn channels(&self, kind: NoticeKind) -> Channels {
        self.kinds.get(&kind).and_then(|rules| rules.channels).unwrap_or(kind.traits().channels)
    }

    /// Providers of a channel, in order of preference.
    pub fn providers_of(&self, channel: Channel) -> impl Iterator<Item = &ProviderRules> {
        self.providers.iter().filter(move |provider| provider.channel == channel)
    }

    /// What was last counted before then no ceiling and no limit asks for any more: a day before the longest of their windows.
    #[must_use]
    pub fn counts_since(&self, now: Timestamp) -> Timestamp {
        // The ceiling of the day, which is 25 hours long where the clocks are set back.
        let day = SignedDuration::from_hours(25);
        let windows = self.providers.iter().flat_map(|provider| &provider.limits).map(|limit| limit.window);
        let longest = windows.max().unwrap_or(day).max(day);
        now.checked_sub(longest).and_then(|at| at.checked_sub(COUNTERS_KEPT)).unwrap_or(Timestamp::MIN)
    }

    /// The provider of that name.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<&ProviderRules> {
        self.providers.iter().find(|provider| provider.name == name)
    }
}

/// Receipts that spoke of nothing we know are kept so long for people, and for the provider's own name that may still be told.
pub const UNMATCHED_KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Counters are kept so long beyond what any limit looks back.
const COUNTERS_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// Pauses between tries with one provider: 30 seconds, doubled to 15 minutes, and an hour after ten tries, so that a week without
/// success is no thousand tries. `tries` counts from 1.
#[must_use]
pub fn retry_pause(tries: u32) -> SignedDuration {
    if tries > 10 {
        return SignedDuration::from_hours(1);
    }
    let doubled = SignedDuration::from_secs(30) * 2_i32.pow(tries.saturating_sub(1).min(8));
    doubled.min(SignedDuration::from_mins(15))
}
