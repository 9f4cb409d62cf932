//! From the settings of notices to the core's rules of them.

use jiff::SignedDuration;
use zhida_config::Settings;
use zhida_config::notice_forms::{NumberLimits, Per};
use zhida_config::notices::{ChannelsWord, NoticeKindSettings, RepeatWord, SmsKind, SmsProvider};
use zhida_core::notice::{
    Channel, Channels, KindRules, Limit, NoticeKind, NoticeRules, ProviderRules, QuietHours, Repeat, Takes,
};

/// The name under which the mail server is known.
pub(crate) const MAIL: &str = zhida_notice::MAIL;

/// The rules that these settings state.
pub(crate) fn notice_rules(settings: &Settings) -> NoticeRules {
    let notices = &settings.notices;
    let seconds = |count: u32| SignedDuration::from_secs(i64::from(count));
    let minutes = |count: u32| SignedDuration::from_mins(i64::from(count));
    let mut providers: Vec<ProviderRules> =
        notices.in_order(&settings.sms).into_iter().map(|(name, provider)| sms(name, provider)).collect();
    providers.extend(settings.mail.host.as_ref().map(|_| ProviderRules::of_texts(MAIL, Channel::Mail)));
    NoticeRules {
        quiet: notices.quiet.0.map(|(from, to)| QuietHours { from, to }),
        zone: settings.calendar.timezone.clone(),
        group: seconds(notices.group_seconds),
        group_from: notices.group_from,
        per_minute_max: notices.per_minute_max,
        per_day_max: notices.per_day_max,
        switch_after: minutes(notices.switch_after_minutes),
        visibility: seconds(notices.visibility_seconds),
        doubt: minutes(notices.doubt_minutes),
        lease: seconds(notices.claim_lease_seconds),
        signature: notices.signature.as_ref().map(|signature| signature.as_str().to_owned()),
        public_url: notices.public_url.as_ref().map(|url| url.as_str().to_owned()),
        // A name that is no kind's was refused before.
        kinds: settings
            .notice_kinds
            .iter()
            .filter_map(|(name, kind)| Some((NoticeKind::from_code(name)?, of_kind(kind))))
            .collect(),
        providers,
    }
}

fn sms(name: &str, provider: &SmsProvider) -> ProviderRules {
    ProviderRules {
        name: name.to_owned(),
        channel: Channel::Sms,
        takes: match provider.kind {
            SmsKind::Aliyun | SmsKind::Tencent => Takes::Templates,
            SmsKind::Webhook | SmsKind::Folder => Takes::Texts,
        },
        signature: provider.signature.as_ref().map(|signature| signature.as_str().to_owned()),
        limits: limits(provider.limits()),
        number_limits: limits(provider.number_limits()),
        price_per_segment: provider.price_per_segment.map(|price| price.ten_thousandths),
    }
}

fn limits(set: NumberLimits) -> Vec<Limit> {
    let window = |per: Per| match per {
        Per::Minute => SignedDuration::from_mins(1),
        Per::Hour => SignedDuration::from_hours(1),
        Per::Day => SignedDuration::from_hours(24),
    };
    set.0.into_iter().map(|(count, per)| Limit { count, window: window(per) }).collect()
}

fn of_kind(kind: &NoticeKindSettings) -> KindRules {
    KindRules {
        repeat: kind.repeat.map(|repeat| match repeat {
            RepeatWord::May => Repeat::May,
            RepeatWord::Never => Repeat::Never,
        }),
        channels: kind.channels.map(|channels| match channels {
            ChannelsWord::Both => Channels::Both,
            ChannelsWord::SmsElseMail => Channels::SmsElseMail,
            ChannelsWord::Mail => Channels::Mail,
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test may fail loudly
    use super::{MAIL, notice_rules};
    use jiff::SignedDuration;
    use zhida_config::Settings;
    use zhida_core::notice::{Channel, Channels, Limit, NoticeKind, NoticeRules, Repeat, Takes};

    fn rules(flags: &[(&str, &str)]) -> NoticeRules {
        let flags: Vec<_> = flags.iter().map(|(one, other)| ((*one).to_owned(), (*other).to_owned())).collect();
        let settings = Settings::load(&flags, [], None).unwrap();
        assert_eq!(notice_rules(&settings).zone, settings.calendar.timezone);
        notice_rules(&settings)
    }

    #[test]
    fn what_is_documented_is_what_the_core_has_without_settings() {
        let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
        assert_eq!(rules(&[]), NoticeRules::with_defaults(zone));
    }

    #[test]
    fn providers_kinds_and_limits_reach_the_core() {
        let rules = rules(&[
            ("notices.quiet", ""),
            ("notices.sms_order", "spare"),
            ("notices.sms.main.kind", "aliyun"),
            ("notices.sms.main.signature", "鼓楼直达"),
            ("notices.sms.main.price_per_segment", "0.0450"),
            ("notices.sms.spare.kind", "webhook"),
            ("notices.sms.spare.limits", "2/minute,7/day"),
            ("notices.sms.spare.number_limits", "10/day"),
            ("notices.mail.host", "mail.example.com"),
            ("notices.kinds.payout_credited.repeat", "never"),
            ("notices.kinds.payout_received.channels", "mail"),
        ]);
        assert_eq!(rules.quiet, None);
        let named: Vec<_> = rules.providers.iter().map(|one| (one.name.as_str(), one.channel, one.takes)).collect();
        assert_eq!(
            named,
            [
                ("spare", Channel::Sms, Takes::Texts),
                ("main", Channel::Sms, Takes::Templates),
                (MAIL, Channel::Mail, Takes::Texts)
            ]
        );
        let limit = |count, hours| Limit { count, window: SignedDuration::from_hours(hours) };
        let minute = Limit { count: 2, window: SignedDuration::from_mins(1) };
        assert_eq!(rules.providers[0].limits, [minute, limit(7, 24)]);
        assert_eq!(rules.providers[1].limits, [limit(50, 24)]);
        assert_eq!(rules.providers[0].number_limits, [limit(10, 24)]);
        assert_eq!(rules.providers[1].number_limits, []);
        assert_eq!(rules.providers[1].price_per_segment, Some(450));
        assert_eq!(rules.repeat(NoticeKind::PayoutCredited), Repeat::Never);
        assert_eq!(rules.repeat(NoticeKind::PayoutRefused), Repeat::May);
        assert_eq!(rules.channels(NoticeKind::PayoutReceived), Channels::Mail);
    }
}
