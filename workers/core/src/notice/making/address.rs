//! By which ways a notice reaches its recipient: the channels of its kind, as far as they are open and there is an address that
//! works. Where there is none, what is missing is said by channel. It looks nothing up, and nothing here is an address.

use super::{Addressee, Asked};
use crate::notice::{Audience, Channel, Channels, NoticeKind, NoticeRequest, NoticeRules, Number, Repeat};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::fmt;
use zhida_schemas::identifiers::Email;

/// An address at which nothing can arrive is left alone for so many days. Then it is tried once more: numbers are given out again,
/// mailboxes are opened, and a refused SMS a month costs less than somebody who is never told of money again.
pub const FLAG_DAYS: i64 = 30;

/// One way.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) channel: Channel,
    /// E.164, or one mail address.
    pub(super) to: String,
    /// It goes only when the other one fails.
    pub(super) standby: bool,
}

/// Why a channel does not lead to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// No provider of this channel is in the settings.
    NoProvider,
    /// No address was told.
    NoAddress,
    /// What was told is none that can be written to.
    Unusable,
    /// Nothing could arrive there, not long ago.
    Flagged,
}

impl Lack {
    /// The name in the journal.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NoProvider => "no_provider",
            Self::NoAddress => "no_address",
            Self::Unusable => "unusable",
            Self::Flagged => "flagged",
        }
    }

    /// In words, with what to do about it.
    fn words(self, channel: Channel) -> &'static str {
        match (self, channel) {
            (Self::NoProvider, Channel::Sms) => {
                "未配置短信渠道 SMS: no provider is in the settings (`notices.sms`); set one up"
            }
            (Self::NoProvider, Channel::Mail) => {
                "未配置邮件服务器 mail: no server is in the settings (`notices.mail`); set one up"
            }
            (Self::NoAddress, Channel::Sms) => {
                "未登记手机号 SMS: no mobile is known; have the review system send it (`contacts`), or import it with the organisation"
            }
            (Self::NoAddress, Channel::Mail) => {
                "未登记邮箱 mail: no address is known; have the review system send it (`contacts`), or import it with the organisation"
            }
            (Self::Unusable, Channel::Sms) => {
                "手机号收不到短信 SMS: what is known is no number that receives SMS (a land line, digits missing, two in one); have it corrected"
            }
            (Self::Unusable, Channel::Mail) => "邮箱格式有误 mail: what is known is no mail address; have it corrected",
            (Self::Flagged, Channel::Sms) => {
                "手机号近期无法送达 SMS: nothing could arrive at the number not long ago; have it checked and sent again"
            }
            (Self::Flagged, Channel::Mail) => {
                "邮箱近期无法送达 mail: nothing could arrive at the address not long ago; have it checked and sent again"
            }
        }
    }
}

/// What is missing by each channel of a kind, where none leads to its recipient. Shows itself in words, with the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached(BTreeMap<Channel, Lack>);

impl Unreached {
    /// By channel.
    pub fn lacks(&self) -> impl Iterator<Item = (Channel, Lack)> {
        self.0.iter().map(|(channel, lack)| (*channel, *lack))
    }
}

impl fmt::Display for Unreached {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.lacks().map(|(channel, lack)| lack.words(channel)).collect();
        out.write_str(&words.join("; "))
    }
}

/// Whether flags of addresses are heeded.
#[derive(Clone, Copy)]
pub(super) enum Flags {
    /// Those that hold at this moment.
    Heeded(Timestamp),
    /// None: a person wants it tried.
    PassedOver,
}

impl Flags {
    /// For these requests, now. What is served is tried at any address: a bounce is not signed, and must not keep it from being served.
    pub(super) fn of(asked: &[Asked], rules: &NoticeRules, now: Timestamp) -> Self {
        let tried =
            |one: &Asked| is_wanted_by_a_person(&one.request) || rules.repeat(one.request.kind) == Repeat::Never;
        if asked.iter().any(tried) { Self::PassedOver } else { Self::Heeded(now) }
    }

    /// A flag holds until it has aged, or the addresses were told once more after it: whoever sends them again, even the same, says that
    /// they are good.
    fn hold(self, channel: Channel, addressee: &Addressee) -> bool {
        let Some(flagged_at) = addressee.flagged.get(&channel) else { return false };
        match self {
            Self::PassedOver => false,
            Self::Heeded(now) => {
                let aged = now.duration_since(*flagged_at) >= SignedDuration::from_hours(24 * FLAG_DAYS);
                let told_since = addressee.told_at.is_some_and(|told_at| told_at > *flagged_at);
                !aged && !told_since
            }
        }
    }
}

/// Somebody tries a channel, or asked for it once more: see [`crate::notice::again`] for how such an occasion is named.
fn is_wanted_by_a_person(request: &NoticeRequest) -> bool {
    match request.kind.traits().audience {
        Audience::Anybody => true,
        Audience::Enterprise | Audience::Official => request.occasion.contains('@'),
    }
}

/// The ways of a notice, SMS first, never none.
pub(super) fn ways(
    kind: NoticeKind,
    addressee: &Addressee,
    rules: &NoticeRules,
    flags: Flags,
) -> Result<Vec<Way>, Unreached> {
    let way = |channel, standby| {
        address(channel, addressee, rules, flags).map(|to| Way { channel, to, standby }).map_err(|lack| (channel, lack))
    };
    let sms = || way(Channel::Sms, false);
    let found = match rules.channels(kind) {
        Channels::Both => vec![sms(), way(Channel::Mail, false)],
        Channels::SmsElseMail => {
            let first = sms();
            let standby = first.is_ok();
            vec![first, way(Channel::Mail, standby)]
        }
        Channels::Mail => vec![way(Channel::Mail, false)],
    };
    let (ways, lacks): (Vec<_>, Vec<_>) = found.into_iter().partition(Result::is_ok);
    if ways.is_empty() {
        return Err(Unreached(lacks.into_iter().filter_map(Result::err).collect()));
    }
    Ok(ways.into_iter().flatten().collect())
}

/// What is missing for telling somebody again because a person wants it; none where some way leads there.
#[must_use]
pub fn unreached_when_told_again(kind: NoticeKind, addressee: &Addressee, rules: &NoticeRules) -> Option<Unreached> {
    ways(kind, addressee, rules, Flags::PassedOver).err()
}

fn address(channel: Channel, addressee: &Addressee, rules: &NoticeRules, flags: Flags) -> Result<String, Lack> {
    if rules.providers_of(channel).next().is_none() {
        return Err(Lack::NoProvider);
    }
    let to = match channel {
        Channel::Sms => addressee.mobile.as_deref().map(mobile),
        Channel::Mail => addressee.email.as_deref().map(email),
    };
    let to = to.ok_or(Lack::NoAddress)?.ok_or(Lack::Unusable)?;
    if flags.hold(channel, addressee) { Err(Lack::Flagged) } else { Ok(to) }
}

/// The number in E.164 form; none for what receives no SMS.
fn mobile(told: &str) -> Option<String> {
    Number::parse(told).ok().map(|number| number.e164().to_owned())
}

/// The address, if it is one: whatever else stood there could make a header.
fn email(told: &str) -> Option<String> {
    Email::parse(told.trim()).ok().map(|email| email.as_str().to_owned())
}
