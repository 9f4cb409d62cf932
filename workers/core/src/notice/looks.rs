//! Why each provider does, or does not, take a message that waits: the same judgement as at sending, in words for people who look. It
//! decides nothing.

use super::choice::{Place, signature_missing};
use super::desk::{Candidate, Desk};
use super::limits::Counters;
use super::step::Beside;
use super::{Channel, NoticeRules, ProviderHealth, Standing, Switch, WaitsFor};
use crate::ports::notices::NoticeView;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// How a provider stands to a message that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// Nothing is known against it.
    Free,
    /// The template has no code there.
    NoCode,
    /// There is no signature for it.
    NoSignature,
    /// It is shut until then, after this was seen.
    Shut(Timestamp, Option<String>),
    /// It did not take this message, and is tried again from then on.
    Pause(Timestamp),
    /// This address has had as many as the provider allows.
    Limit,
    /// It has refused this content, with this code.
    Refused(String),
}

/// How each provider of its channel stands to a message of the notice, whose contents are [`super::with_codes_in_force`], in the order of
/// preference.
#[must_use]
pub fn looks(
    view: &NoticeView,
    channel: Channel,
    rules: &NoticeRules,
    health: &BTreeMap<String, ProviderHealth>,
    now: Timestamp,
) -> Vec<(String, Look)> {
    let notice = view.notice.clone();
    let Some(message) = view.notice.messages.iter().find(|one| one.channel == channel) else { return Vec::new() };
    let candidate = Candidate {
        notice,
        standing: Standing::Stands,
        contents: view.contents.clone(),
        fingerprints: BTreeMap::new(),
        unsubscribe: None,
    };
    let desk = Desk::new(rules, now, Switch::default(), health.clone(), Counters::default());
    let look = |provider| match desk.place(provider, &candidate, message, Beside::Nothing) {
        Place::NotThis if signature_missing(&candidate, provider, rules, channel) => Look::NoSignature,
        Place::NotThis => Look::NoCode,
        Place::Refused(code) => Look::Refused(code),
        Place::From(at, _) if at > now => match health.get(&provider.name).filter(|one| one.free_at(now) == at) {
            Some(shut) if shut.is_shut() => Look::Shut(at, shut.last_failure.clone()),
            Some(_) | None => Look::Pause(at),
        },
        // What an address was sent is not looked at here: a message waits for that only where nobody else can take it.
        Place::From(..) if message.waits_for == Some(WaitsFor::Limit) => Look::Limit,
        Place::From(..) => Look::Free,
    };
    rules.providers_of(channel).map(|provider| (provider.name.clone(), look(provider))).collect()
}
