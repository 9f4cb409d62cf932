//! Which provider takes a message now: the first, in order of preference, that is of use, is not in a pause after a failure with this
//! message, and may write to this address; or until when the message waits.

use super::desk::{Candidate, Desk};
use super::rules::{NoticeRules, ProviderRules, Takes, retry_pause};
use super::step::{Beside, after};
use super::take::sent_as;
use super::value::time_and_zone;
use super::{Attempt, Bell, Channel, Course, Message, Notice, Quiet, WaitsFor};
use crate::payout::AlarmKind;
use crate::ports::sms::RefusalClass;
use jiff::{SignedDuration, Timestamp};

/// Nothing can be sent until people have mended something: looked at again after this, which costs no call.
const WITHOUT_PROVIDER: SignedDuration = SignedDuration::from_mins(2);

/// The vendor refused the code or the signature: the same is not tried again for so long. (What is right by then goes at once.)
const WRONG_CODE: SignedDuration = SignedDuration::from_hours(1);

/// Who takes it.
pub(super) enum Choice<'a> {
    /// This one, now.
    Provider(&'a ProviderRules),
    /// Nobody before then.
    Later(Timestamp, WaitsFor),
    /// Nobody, ever: each has refused it as it is, the last with this code.
    Never(String),
}

/// How a provider stands to a message.
pub(super) enum Place {
    /// It may be used from then on; until then it waits for that.
    From(Timestamp, WaitsFor),
    /// It has refused this content.
    Refused(String),
    /// It has no template for it, or the message is with it already.
    NotThis,
}

impl<'a> Desk<'a> {
    /// What holds a sending back, whoever the provider: the switch, quiet hours, a ceiling.
    pub(super) fn held_back(&mut self, notice: &Notice) -> Option<(Timestamp, WaitsFor)> {
        if self.switch.stopped.is_some() {
            return Some((after(self.now, SignedDuration::from_mins(5)), WaitsFor::Switch));
        }
        let traits = notice.kind.traits();
        let quiet = match traits.quiet {
            Quiet::Goes => None,
            Quiet::Waits => self.rules.quiet.and_then(|hours| hours.end(self.now, &self.rules.zone)),
        };
        if let Some(end) = quiet {
            return Some((end, WaitsFor::Quiet));
        }
        let (bell, full_until) = self.counters.full(traits.priority, self.rules, self.now)?;
        if !notice.kind.is_trial() && self.switch.rings(bell, self.now) {
            let until = time_and_zone(full_until, &self.rules.zone);
            let (which, what) = if bell == Bell::DayCeiling {
                (format!("per_day_max = {}", self.rules.per_day_max), "what is due, but for money that arrived,")
            } else {
                (format!("per_minute_max = {}", self.rules.per_minute_max), "what is due")
            };
            let text = format!("a ceiling of notices was reached (notices.{which}): {what} waits until {until}");
            self.effects.alarm(AlarmKind::NoticeCeiling, text);
        }
        Some((full_until, WaitsFor::Ceiling))
    }

    pub(super) fn choose(&mut self, candidate: &Candidate, place: usize, beside: Beside) -> Choice<'a> {
        let (rules, message) = (self.rules, &candidate.notice.messages[place]);
        // Where something may have been sent, another provider is better than the same.
        let has_it = |provider: &&ProviderRules| {
            message.attempts.iter().any(|one| one.provider == provider.name && one.may_arrive())
        };
        let places: Vec<(&'a ProviderRules, Place)> = rules
            .providers_of(message.channel)
            .map(|provider| (provider, self.place(provider, candidate, message, beside)))
            .collect();
        let mut free: Vec<&'a ProviderRules> = Vec::new();
        let mut next: Option<(Timestamp, WaitsFor)> = None;
        let mut another: Option<(Timestamp, WaitsFor)> = None;
        let mut refused: Option<String> = None;
        let mut all_shut = true;
        for (provider, place) in places {
            match place {
                Place::From(from, _) if from <= self.now => free.push(provider),
                Place::From(from, what) => {
                    let shut = self.health.get(&provider.name).is_some_and(|health| health.is_shut());
                    all_shut &= shut;
                    for earliest in
                        [Some(&mut next), (!has_it(&provider)).then_some(&mut another)].into_iter().flatten()
                    {
                        if earliest.is_none_or(|(at, _)| from < at) {
                            *earliest = Some((from, what));
                        }
                    }
                }
                Place::Refused(code) => refused = Some(code),
                Place::NotThis => {}
            }
        }
        let others = free.iter().find(|one| !has_it(one));
        let end = self.patience(message);
        if others.is_none()
            && !free.is_empty()
            && let Some((at, what)) = another
            && self.now < end
        {
            return Choice::Later(at.min(end), what);
        }
        if let Some(provider) = others.or(free.first()) {
            // One that is tried after an outage has to show first that it is over.
            if !self.health.get(&provider.name).is_some_and(|health| health.is_shut()) {
                self.switch.is_over(Bell::down(message.channel));
            }
            return Choice::Provider(provider);
        }
        match (next, refused) {
            (Some((at, what)), _) => {
                if all_shut {
                    self.ring_providers_down(&candidate.notice, message.channel);
                } else if let Some(refused) =
                    message.attempts.iter().rev().find(|one| self.is_wrong_still(one, candidate))
                {
                    self.ring_template_refused(&candidate.notice, refused);
                }
                Choice::Later(at, what)
            }
            (None, Some(code)) => Choice::Never(code),
            (None, None) => {
                let at = match beside {
                    Beside::Nothing => {
                        self.ring_nobody_takes_it(&candidate.notice, message.channel);
                        after(self.now, WITHOUT_PROVIDER)
                    }
                    Beside::Doubt(_) => after(self.now, WITHOUT_PROVIDER),
                    // Whoever could take it has it: until it is asked for again, there is nothing to look at.
                    Beside::Silence(next) => next,
                };
                Choice::Later(at, WaitsFor::Provider)
            }
        }
    }

    /// Until when a message in doubt waits for another provider than the one that may have it: as long again as for the end of its doubt.
    fn patience(&self, message: &Message) -> Timestamp {
        let doubts = message.attempts.iter().filter(|one| one.course() == Course::InDoubt).map(Attempt::since);
        doubts.max().map_or(self.now, |since| after(since, self.rules.doubt * 2))
    }

    pub(super) fn place(
        &self,
        provider: &ProviderRules,
        candidate: &Candidate,
        message: &Message,
        beside: Beside,
    ) -> Place {
        let way = candidate.way(&provider.name);
        let without_template = match (message.channel, provider.takes) {
            (Channel::Sms, Takes::Templates) => way.is_none_or(|way| way.code.is_none()),
            (Channel::Sms, Takes::Texts) | (Channel::Mail, _) => false,
        };
        let of_provider = || message.attempts.iter().filter(|one| one.provider == provider.name && !one.not_made);
        let has_it = match beside {
            Beside::Silence(_) => of_provider().any(|one| one.may_arrive()),
            Beside::Nothing | Beside::Doubt(_) => false,
        };
        if without_template || has_it || signature_missing(candidate, provider, self.rules, message.channel) {
            return Place::NotThis;
        }
        let content = of_provider().find_map(|one| match one.refusal() {
            Some((RefusalClass::Content, code)) => Some(code.to_owned()),
            Some((
                RefusalClass::Recipient
                | RefusalClass::Unreachable
                | RefusalClass::Template
                | RefusalClass::Limit
                | RefusalClass::Account
                | RefusalClass::Busy,
                _,
            ))
            | None => None,
        });
        if let Some(code) = content {
            return Place::Refused(code);
        }
        let now_by = sent_as(candidate, provider, self.rules, message.channel);
        let failed: Vec<&Attempt> = of_provider()
            .filter(|one| match one.course() {
                Course::NotSent | Course::Undelivered => !(refused_template(one) && one.sent_as != now_by),
                Course::UnderWay | Course::InDoubt | Course::TakenIn | Course::Arrived => false,
            })
            .collect();
        let tries = u32::try_from(failed.len()).unwrap_or(u32::MAX);
        // What a clock wrote that was set right since gives no pause.
        let since = failed.iter().map(|one| one.since()).filter(|since| *since <= self.now);
        let mut pause = since.map(|since| after(since, retry_pause(tries))).max().unwrap_or(self.now);
        // The right code may be imported at any time, and goes at once.
        if let Some(last) = failed.last().filter(|one| refused_template(one)) {
            pause = after(last.since(), WRONG_CODE).min(after(self.now, WITHOUT_PROVIDER));
        }
        // Whoever tries a channel wants to know whether it is well again.
        let healthy = match self.health.get(&provider.name) {
            Some(health) if !candidate.notice.kind.is_trial() => health.free_at(self.now),
            Some(_) | None => self.now,
        };
        let counted = candidate.counted_by(provider, self.rules, message.channel);
        let free = counted.iter().map(|(key, limits)| self.counters.free_at(key, limits, self.now));
        let allowed = free.max().unwrap_or(self.now);
        let provider_at = pause.max(healthy);
        if allowed > provider_at {
            Place::From(allowed, WaitsFor::Limit)
        } else {
            Place::From(provider_at, WaitsFor::Provider)
        }
    }

    /// The vendor refused what it was sent by, and that is what it would be sent by now.
    fn is_wrong_still(&self, attempt: &Attempt, candidate: &Candidate) -> bool {
        let provider = self.rules.providers_of(Channel::Sms).find(|one| one.name == attempt.provider);
        let now_by = provider.and_then(|one| sent_as(candidate, one, self.rules, Channel::Sms));
        refused_template(attempt) && attempt.sent_as == now_by
    }

    fn ring_providers_down(&mut self, notice: &Notice, channel: Channel) {
        if !notice.kind.is_trial() && self.switch.rings(Bell::down(channel), self.now) {
            let text = format!("no provider of {} is of use: notices wait", channel.code());
            self.effects.alarm(AlarmKind::NoticeProvidersDown, text);
        }
    }

    /// Nobody takes it, and a vendor does not know what it is sent by.
    fn ring_template_refused(&mut self, notice: &Notice, refused: &Attempt) {
        if !notice.kind.is_trial() && self.switch.rings(Bell::SmsWithoutCode, self.now) {
            let (name, provider) = (notice.template_name(), &refused.provider);
            let code = refused.refusal().map(|(_, code)| code).unwrap_or_default();
            let sent_as = refused.sent_as.as_ref().and_then(|one| one.way.code.as_deref()).unwrap_or("-");
            let text = format!(
                "{provider} refuses the code {sent_as} or the signature of {name} with {code}, and nobody else takes it: what is \
                 written by it waits until `zhida notices templates import` brings the right one"
            );
            self.effects.alarm(AlarmKind::NoticeProvidersDown, text);
        }
    }

    /// Providers may be well, and none can take this message: a bell of its own, so that an outage still rings.
    fn ring_nobody_takes_it(&mut self, notice: &Notice, channel: Channel) {
        match channel {
            Channel::Sms if self.rules.providers_of(channel).next().is_some() => {
                if !notice.kind.is_trial() && self.switch.rings(Bell::SmsWithoutCode, self.now) {
                    let name = notice.template_name();
                    let text =
                        format!("no provider of sms has code and signature for {name}: what is written by it waits");
                    self.effects.alarm(AlarmKind::NoticeProvidersDown, text);
                }
            }
            Channel::Sms | Channel::Mail => self.ring_providers_down(notice, channel),
        }
    }
}

/// The vendor did not know what it was sent by.
fn refused_template(attempt: &Attempt) -> bool {
    attempt.refusal().is_some_and(|(class, _)| class == RefusalClass::Template)
}

/// An SMS without a signature is taken by nobody.
pub(super) fn signature_missing(
    candidate: &Candidate,
    provider: &ProviderRules,
    rules: &NoticeRules,
    channel: Channel,
) -> bool {
    match channel {
        Channel::Sms => candidate.signature(provider, rules).is_none(),
        Channel::Mail => false,
    }
}
