//! By which ways a notice reaches its recipient: the channels of its kind, as far as they are open and there is an address that
//! works.

use super::{Addressee, Making};
use crate::notice::{Channel, Channels, NoticeKind, Number};
use zhida_schemas::identifiers::Email;

/// One way.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) channel: Channel,
    /// E.164, or one mail address.
    pub(super) to: String,
    /// It goes only when the other one fails.
    pub(super) standby: bool,
}

/// The ways of a notice, SMS first; none where it cannot be reached.
pub(super) fn ways(kind: NoticeKind, addressee: &Addressee, making: Making<'_>) -> Vec<Way> {
    let open = |channel| making.rules.providers_of(channel).next().is_some() && !addressee.flagged.contains(&channel);
    let mobile = addressee.mobile.as_deref().filter(|_| open(Channel::Sms)).and_then(mobile);
    let email = addressee.email.as_deref().filter(|_| open(Channel::Mail)).and_then(email);
    let sms = mobile.map(|to| Way { channel: Channel::Sms, to, standby: false });
    let mail = |standby| email.clone().map(|to| Way { channel: Channel::Mail, to, standby });
    let ways = match (making.rules.channels(kind), sms.is_some()) {
        (Channels::Both, _) | (Channels::SmsElseMail, false) => [sms, mail(false)],
        (Channels::SmsElseMail, true) => [sms, mail(true)],
        (Channels::Mail, _) => [None, mail(false)],
    };
    ways.into_iter().flatten().collect()
}

/// The number in E.164 form; none for what receives no SMS.
fn mobile(told: &str) -> Option<String> {
    Number::parse(told).ok().map(|number| number.e164().to_owned())
}

/// The address, if it is one: whatever else stood there could make a header.
fn email(told: &str) -> Option<String> {
    Email::parse(told.trim()).ok().map(|email| email.as_str().to_owned())
}
