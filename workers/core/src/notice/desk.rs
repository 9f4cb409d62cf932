//! One transaction over notices: what the store has loaded goes in, what it has to write and what is to be done comes out. A store
//! loads, calls and writes; it decides nothing.

use super::limits::{Counters, NumberKey};
use super::on::{News, same_address};
use super::rules::{Limit, NoticeRules, ProviderRules};
use super::step::{Step, View};
use super::{
    Attempt, Channel, Effects, Ended, Message, Notice, NoticeState, ProviderHealth, Repeat, Standing, Switch, WaitsFor,
};
use crate::ports::notices::{Content, Errand, ErrandEnd};
use crate::ports::sms::{Receipt, SendOutcome, Trust};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the template of a notice's SMS says of one provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderTemplate {
    /// The provider's code of the approved template.
    pub code: Option<String>,
    /// The signature it was approved with, where that is its own.
    pub signature: Option<String>,
    /// Variables in the order of the provider's template; empty: as they stand in the content.
    pub parameters: Vec<String>,
}

/// A notice that is due, with what is needed to send it.
pub struct Candidate {
    /// The notice.
    pub notice: Notice,
    /// Whether it has a point.
    pub standing: Standing,
    /// What was written, [`super::with_codes_in_force`]; a channel that is missing was erased.
    pub contents: Vec<Content>,
    /// Keyed fingerprints of the addresses.
    pub fingerprints: BTreeMap<Channel, String>,
    /// Where its mail can be unsubscribed from; digests alone.
    pub unsubscribe: Option<String>,
}

impl Candidate {
    /// What limits count its messages by: the counters that its desk has to know.
    #[must_use]
    pub fn number_keys(&self, rules: &NoticeRules) -> Vec<NumberKey> {
        let of_message = |message: &Message| {
            let channel = message.channel;
            let counted = rules.providers_of(channel).flat_map(|provider| self.counted_by(provider, rules, channel));
            counted.map(|(key, _)| key).collect()
        };
        self.notice.messages.iter().flat_map(|message| -> Vec<NumberKey> { of_message(message) }).collect()
    }

    /// What the limits of one provider count it by.
    pub(super) fn counted_by<'p>(
        &self,
        provider: &'p ProviderRules,
        rules: &NoticeRules,
        channel: Channel,
    ) -> Vec<(NumberKey, &'p [Limit])> {
        let Some(fingerprint) = self.fingerprints.get(&channel) else { return Vec::new() };
        let key = |signature: &str, template: String| NumberKey {
            provider: provider.name.clone(),
            signature: signature.to_owned(),
            template,
            fingerprint: fingerprint.clone(),
        };
        let by_template = key(self.signature(provider, rules).unwrap_or_default(), self.notice.template_name());
        let keys = [(by_template, &provider.limits[..]), (key("", String::new()), &provider.number_limits[..])];
        keys.into_iter().filter(|(_, limits)| !limits.is_empty()).collect()
    }

    /// The signature under which that provider sends it.
    pub(super) fn signature<'b>(&'b self, provider: &'b ProviderRules, rules: &'b NoticeRules) -> Option<&'b str> {
        let way = self.way(&provider.name).and_then(|way| way.signature.as_deref());
        way.or(provider.signature.as_deref()).or(rules.signature.as_deref())
    }

    pub(super) fn content(&self, channel: Channel) -> Option<&Content> {
        self.contents.iter().find(|content| content.channel == channel)
    }
}

/// What became of a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// It spoke of this notice, which may have changed.
    Booked(Box<Notice>),
    /// It speaks of no attempt of this notice, or of another address.
    NotOurs,
}

/// The desk of a transaction.
pub struct Desk<'a> {
    /// The rules.
    pub rules: &'a NoticeRules,
    /// The database's clock.
    pub now: Timestamp,
    /// The stop switch, as it is then.
    pub switch: Switch,
    /// Providers' health by name, as it is then; who has none is well.
    pub health: BTreeMap<String, ProviderHealth>,
    /// What has gone, as it is then: the ceilings' tallies, and for taking the numbers of [`Candidate::number_keys`].
    pub counters: Counters,
    /// What is to be written beside.
    pub effects: Effects,
}

impl<'a> Desk<'a> {
    /// A desk.
    #[must_use]
    pub fn new(
        rules: &'a NoticeRules,
        now: Timestamp,
        switch: Switch,
        health: BTreeMap<String, ProviderHealth>,
        counters: Counters,
    ) -> Self {
        Self { rules, now, switch, health, counters, effects: Effects::default() }
    }

    /// Lets time pass for each notice that is due, in the order given, and says what is to be called and asked. Every notice is to be
    /// written, also one for which there was nothing to do.
    #[must_use]
    pub fn take(&mut self, candidates: Vec<Candidate>) -> (Vec<Notice>, Vec<Errand>) {
        let mut errands = Vec::new();
        let taken = candidates.into_iter().map(|candidate| self.take_one(candidate, &mut errands)).collect();
        (taken, errands)
    }

    /// Books what came of an errand. An attempt that is not the notice's changes nothing.
    #[must_use]
    pub fn book(&mut self, notice: Notice, end: &ErrandEnd) -> Notice {
        let out_id = match end {
            ErrandEnd::Sent { out_id, .. } | ErrandEnd::NotMade { out_id, .. } | ErrandEnd::Asked { out_id, .. } => {
                out_id
            }
        };
        let Some((message, attempt)) = notice.attempt(out_id) else { return notice };
        let mut after = notice.clone();
        let changed = &mut after.messages[message];
        let claimed = &changed.attempts[attempt];
        let (provider, claimed_at) = (claimed.provider.clone(), claimed.began_at);
        match end {
            ErrandEnd::Sent { outcome, .. } => {
                if changed.call_ended(attempt, outcome, self.now) == News::Yes {
                    if end.gives_back() {
                        self.counters.give_back(self.rules, claimed_at);
                    }
                    self.learn_of_provider(&provider, outcome);
                }
            }
            ErrandEnd::NotMade { .. } => {
                if changed.not_made(attempt, self.now) == News::Yes {
                    self.counters.give_back(self.rules, claimed_at);
                    if let Some(health) = self.health.get_mut(&provider) {
                        health.not_made();
                    }
                }
            }
            ErrandEnd::Asked { begun_at, outcome, .. } => {
                let repeat = self.rules.repeat(notice.kind);
                changed.asked(attempt, *begun_at, outcome, (self.rules.visibility, repeat), self.now);
            }
        }
        self.settle(&notice, after, message)
    }

    /// Books a receipt of a provider. `to` is the address that the message went to, where it was not erased.
    #[must_use]
    pub fn receive(
        &mut self,
        notice: &Notice,
        provider: &str,
        receipt: &Receipt,
        trust: Trust,
        to: impl FnOnce(Channel) -> Option<String>,
    ) -> Received {
        let Some((message, attempt)) = notice.spoken_of(provider, receipt) else { return Received::NotOurs };
        let channel = notice.messages[message].channel;
        let agrees = match (&receipt.to, to(channel), trust) {
            (Some(told), Some(to), _) => same_address(channel, &to, told),
            (None, _, Trust::Signed) | (_, None, Trust::Signed) => true,
            // Whoever learns an id could send a hint; the address he has to know as well.
            (None, _, Trust::Hint) | (_, None, Trust::Hint) => false,
        };
        if !agrees {
            return Received::NotOurs;
        }
        let mut after = notice.clone();
        let repeat = self.rules.repeat(notice.kind);
        after.messages[message].received(attempt, &receipt.word, trust, repeat, self.now);
        Received::Booked(Box::new(self.settle(notice, after, message)))
    }

    fn learn_of_provider(&mut self, provider: &str, outcome: &SendOutcome) {
        let mut health = self.health.get(provider).cloned().unwrap_or_default();
        health.on(outcome, self.now);
        self.health.insert(provider.to_owned(), health);
    }

    /// After something was learnt of the message at `place`: when it is looked at next, what follows for the other channel, and what
    /// is told of it.
    fn settle(&mut self, before: &Notice, mut after: Notice, place: usize) -> Notice {
        let view = self.view(&after, Standing::Stands, place);
        let message = &mut after.messages[place];
        for attempt in &mut message.attempts {
            let price = self.rules.provider(&attempt.provider).and_then(|one| one.price_per_segment);
            attempt.charge(price, message.segments);
        }
        match message.step(&view) {
            Step::Rest => message.rest(),
            Step::AwaitCall(until) => message.wait(until, WaitsFor::Call),
            Step::AwaitWord(until) => message.wait(until, WaitsFor::Word),
            // Whoever takes it next knows what its subject has become, and which providers are free.
            Step::Ask(_) | Step::Send(_) | Step::WakeStandby | Step::Over(_) => message.wake(self.now),
        }
        self.settle_standby(&mut after);
        self.effects.tell(before, &after, self.now);
        after
    }

    /// The standby goes when the first message failed; it is not needed when that one arrived, and has no point when that one has none.
    pub(super) fn settle_standby(&self, notice: &mut Notice) {
        let main = notice.messages.iter().find(|message| !message.standby).and_then(Message::state);
        let Some(standby) = notice.messages.iter_mut().find(|message| message.standby && message.ended.is_none())
        else {
            return;
        };
        let unsent = !standby.attempts.iter().any(Attempt::may_arrive);
        match main {
            Some(NoticeState::Delivered) if unsent => standby.end(Ended::NotNeeded, None),
            Some(NoticeState::Failed | NoticeState::GaveUp) if standby.is_dormant() => standby.wake(self.now),
            Some(NoticeState::Expired) if standby.is_dormant() => standby.end(Ended::Expired, None),
            Some(
                NoticeState::Created
                | NoticeState::Sending
                | NoticeState::Sent
                | NoticeState::Delivered
                | NoticeState::Failed
                | NoticeState::GaveUp
                | NoticeState::Expired,
            )
            | None => {}
        }
    }

    pub(super) fn view(&self, notice: &Notice, standing: Standing, place: usize) -> View {
        View {
            now: self.now,
            repeat: if notice.is_brought_without(place) { Repeat::Never } else { self.rules.repeat(notice.kind) },
            standing,
            expires_at: notice.expires_at,
            switch_after: self.rules.switch_after,
            visibility: self.rules.visibility,
            doubt: self.rules.doubt,
            standby: notice.standby_beside(place),
        }
    }
}
