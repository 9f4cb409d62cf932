//! Time passes for one notice: what is due of it is sent, asked for, handed to the other channel, or ended.

use super::choice::Choice;
use super::desk::{Candidate, Desk};
use super::effects::has_to_be_told;
use super::rules::{NoticeRules, ProviderRules};
use super::segments::segments;
use super::step::{Beside, Over, Step, after};
use super::{
    Attempt, Bell, Channel, Ended, LostPoint, Message, Notice, ProviderTemplate, Repeat, SentAs, Standing, WaitsFor,
};
use crate::payout::AlarmKind;
use crate::ports::mail::Mail;
use crate::ports::notices::{Content, Errand};
use crate::ports::sms::{Question, Sms};
use jiff::Timestamp;

/// More turns than a message can have to make in one taking.
const TURNS_MAX: usize = 8;

impl Desk<'_> {
    pub(super) fn take_one(&mut self, mut candidate: Candidate, errands: &mut Vec<Errand>) -> Notice {
        let before = candidate.notice.clone();
        for place in 0..candidate.notice.messages.len() {
            candidate.notice.messages[place].leases_run_out(self.now);
            if self.is_due(&candidate.notice, &candidate.notice.messages[place]) {
                self.take_message(&mut candidate, place, errands);
            }
            self.settle_standby(&mut candidate.notice);
        }
        self.effects.tell(&before, &candidate.notice, self.now);
        candidate.notice
    }

    /// What people have made room for is due before its time.
    fn is_due(&self, notice: &Notice, message: &Message) -> bool {
        let has_room = match message.waits_for {
            Some(WaitsFor::Switch) => self.switch.stopped.is_none(),
            // Somebody raised it: what is above that of the minute waits for the next one.
            Some(WaitsFor::Ceiling) => {
                let full = self.counters.full(notice.priority(), self.rules, self.now);
                full.is_none_or(|(bell, _)| bell != Bell::DayCeiling)
            }
            // Whichever is open is found when it is chosen; where none is, it waits on.
            Some(WaitsFor::Provider) => true,
            Some(WaitsFor::Call | WaitsFor::Word | WaitsFor::Quiet | WaitsFor::Limit) | None => false,
        };
        has_room || message.next_at.is_some_and(|at| at <= self.now)
    }

    fn take_message(&mut self, candidate: &mut Candidate, place: usize, errands: &mut Vec<Errand>) {
        for _ in 0..TURNS_MAX {
            let view = self.view(&candidate.notice, candidate.standing, place);
            let brought = candidate.notice.is_brought_without(place);
            let message = &mut candidate.notice.messages[place];
            let step = message.step(&view);
            if !message.doubt_rung && message.is_in_doubt_for_good(&view) {
                message.doubt_rung = true;
                let text = "nobody can say whether it was sent: look with the provider";
                let concerns_people = match self.rules.repeat(candidate.notice.kind) {
                    Repeat::Never => !candidate.notice.kind.is_trial(),
                    // Where this stood by for what has arrived by the other channel, that is enough.
                    Repeat::May => has_to_be_told(candidate.notice.kind) && !brought,
                };
                if concerns_people {
                    self.effects.ring(AlarmKind::NoticeInDoubt, &candidate.notice, text);
                }
            }
            let message = &mut candidate.notice.messages[place];
            match step {
                Step::Rest => return message.rest(),
                Step::AwaitCall(until) => return message.wait(until, WaitsFor::Call),
                Step::AwaitWord(until) => return message.wait(until, WaitsFor::Word),
                Step::WakeStandby => wake_standby(&mut candidate.notice, self.now),
                Step::Over(over) => return message.end_by(over, candidate.standing),
                Step::Send(beside) => return self.send(candidate, place, beside, errands),
                Step::Ask(attempt) => {
                    if let Some(errand) = self.ask(candidate, place, attempt) {
                        return errands.push(errand);
                    }
                }
            }
        }
        // Not reached; were it, the message would be looked at again rather than forgotten.
        candidate.notice.messages[place].wait(after(self.now, self.rules.lease), WaitsFor::Word);
    }

    /// The question for an attempt; none when nobody can be asked, for good or this time.
    fn ask(&self, candidate: &mut Candidate, place: usize, attempt: usize) -> Option<Errand> {
        let channel = candidate.notice.messages[place].channel;
        let to = candidate.content(channel).map(|content| content.to.clone());
        let message = &mut candidate.notice.messages[place];
        let one = &mut message.attempts[attempt];
        let Some(to) = to else {
            message.cannot_be_asked(attempt);
            return None;
        };
        one.asked = one.asked.saturating_add(1);
        one.asked_at = Some(self.now);
        if one.hint.is_some() {
            one.hint_questions = one.hint_questions.saturating_add(1);
        }
        // One that is not in the settings of this process may be in those of another, or again tomorrow: no answer, this time.
        self.rules.provider(&one.provider)?;
        let question = Question {
            out_id: one.out_id.clone(),
            provider_id: one.provider_id().map(str::to_owned),
            to,
            sent_at: one.began_at,
        };
        let provider = one.provider.clone();
        // Whoever asks may not come back: then it is asked again.
        message.wait(after(self.now, self.rules.lease), WaitsFor::Word);
        Some(Errand::Ask { provider, notice_id: candidate.notice.id.clone(), question, begun_at: self.now })
    }

    fn send(&mut self, candidate: &mut Candidate, place: usize, beside: Beside, errands: &mut Vec<Errand>) {
        let expires_at = candidate.notice.expires_at;
        let latest = match beside {
            Beside::Nothing => expires_at,
            Beside::Doubt(next) | Beside::Silence(next) => next.min(expires_at),
        };
        let channel = candidate.notice.messages[place].channel;
        if candidate.content(channel).is_none() {
            return candidate.notice.messages[place].end(Ended::Expired, Some(LostPoint::Erased.code().to_owned()));
        }
        // What was to go in the morning does not go at night because somebody raised its ceiling.
        let message = &mut candidate.notice.messages[place];
        let early = message.next_at.filter(|at| *at > self.now && message.waits_for == Some(WaitsFor::Ceiling));
        let quiet = || self.rules.quiet.and_then(|hours| hours.end(self.now, &self.rules.zone));
        if let Some((at, end)) = early.and_then(|at| Some((at, quiet()?))) {
            return message.wait(at.min(end), WaitsFor::Ceiling);
        }
        if let Some((until, what)) = self.held_back(&candidate.notice) {
            return candidate.notice.messages[place].wait(until.min(latest), what);
        }
        match self.choose(candidate, place, beside) {
            Choice::Provider(provider) => errands.extend(self.claim(candidate, place, provider, beside)),
            Choice::Later(until, what) => {
                candidate.notice.messages[place].wait(until.min(latest), what);
                let waited = self.now >= after(candidate.notice.created_at, self.rules.switch_after);
                if beside == Beside::Nothing && waited {
                    wake_standby(&mut candidate.notice, self.now);
                }
            }
            Choice::Never(code) => match beside {
                Beside::Nothing => candidate.notice.messages[place].end(Ended::Failed, Some(code)),
                Beside::Doubt(next) | Beside::Silence(next) => {
                    candidate.notice.messages[place].wait(next, WaitsFor::Word);
                }
            },
        }
    }

    fn claim(
        &mut self,
        candidate: &mut Candidate,
        place: usize,
        provider: &ProviderRules,
        beside: Beside,
    ) -> Option<Errand> {
        let lease_until = after(self.now, self.rules.lease);
        let channel = candidate.notice.messages[place].channel;
        let counted = candidate.counted_by(provider, self.rules, channel);
        let out_id = out_id(&candidate.notice, place);
        let sent_as = sent_as(candidate, provider, self.rules, channel);
        let errand = errand(candidate, provider, sent_as.as_ref().map(|one| &one.way), channel, &out_id, self.now)?;
        self.counters.count(&counted, self.rules, self.now);
        if let Some(health) = self.health.get_mut(&provider.name) {
            health.claim(lease_until);
        }
        let message = &mut candidate.notice.messages[place];
        message.attempts.push(Attempt {
            out_id,
            provider: provider.name.clone(),
            began_at: self.now,
            lease_until,
            ended_at: None,
            outcome: None,
            beside_doubt: beside != Beside::Nothing,
            cost: None,
            asked: 0,
            asked_at: None,
            not_offered: false,
            not_made: false,
            answered: None,
            found_as: None,
            hint: None,
            hint_questions: 0,
            absent: false,
            word: None,
            word_from: None,
            sent_as,
        });
        message.wait(lease_until, WaitsFor::Call);
        Some(errand)
    }
}

/// SMS: the notice's id, then `-2`, `-3` …; mail: `-m1`, `-m2` …
fn out_id(notice: &Notice, place: usize) -> String {
    let message = &notice.messages[place];
    let number = message.attempts.len() + 1;
    match (message.channel, number) {
        (Channel::Sms, 1) => notice.id.clone(),
        (Channel::Sms, number) => format!("{}-{number}", notice.id),
        (Channel::Mail, number) => format!("{}-m{number}", notice.id),
    }
}

/// As what an SMS is handed in; a mail has none of it.
pub(super) fn sent_as(
    candidate: &Candidate,
    provider: &ProviderRules,
    rules: &NoticeRules,
    channel: Channel,
) -> Option<SentAs> {
    match channel {
        Channel::Sms => {
            let signature = candidate.signature(provider, rules).unwrap_or_default();
            let way = candidate.way(&provider.name).cloned().unwrap_or_default();
            let segments = segments(signature, &candidate.content(channel)?.text);
            Some(SentAs { way: ProviderTemplate { signature: Some(signature.to_owned()), ..way }, segments })
        }
        Channel::Mail => None,
    }
}

/// What travels; none when nothing was written for that channel.
fn errand(
    candidate: &Candidate,
    provider: &ProviderRules,
    way: Option<&ProviderTemplate>,
    channel: Channel,
    out_id: &str,
    now: Timestamp,
) -> Option<Errand> {
    let content = candidate.content(channel)?;
    let (provider_name, notice_id) = (provider.name.clone(), candidate.notice.id.clone());
    let (out_id, to) = (out_id.to_owned(), content.to.clone());
    let waited = now.duration_since(candidate.notice.asked_at());
    Some(match channel {
        Channel::Sms => {
            let sms = Sms {
                out_id,
                to,
                signature: way.and_then(|way| way.signature.clone()).unwrap_or_default(),
                text: content.text.clone(),
                template_code: way.and_then(|way| way.code.clone()),
                parameters: parameters(content, way.map_or(&[][..], |way| &way.parameters)),
            };
            Errand::SendSms { provider: provider_name, notice_id, sms, waited }
        }
        Channel::Mail => {
            let mail = Mail {
                out_id,
                message_id: notice_id.clone(),
                to,
                subject: content.subject.clone().unwrap_or_default(),
                text: content.text.clone(),
                html: content.html.clone().unwrap_or_default(),
                unsubscribe: candidate.unsubscribe.clone(),
            };
            Errand::SendMail { provider: provider_name, notice_id, mail, waited }
        }
    })
}

/// Variables in the provider's order; as they stand where it states none.
fn parameters(content: &Content, order: &[String]) -> Vec<(String, String)> {
    if order.is_empty() {
        return content.parameters.clone();
    }
    let named = |name: &String| content.parameters.iter().find(|(known, _)| known == name).cloned();
    order.iter().filter_map(named).collect()
}

fn wake_standby(notice: &mut Notice, now: Timestamp) {
    if let Some(standby) = notice.messages.iter_mut().find(|message| message.is_dormant()) {
        standby.wake(now);
    }
}

impl Message {
    fn end_by(&mut self, over: Over, standing: Standing) {
        let lost = match standing {
            Standing::Lost(why) => why,
            Standing::Stands => LostPoint::Expired,
        };
        match over {
            Over::PointLost => self.end(Ended::Expired, Some(lost.code().to_owned())),
            Over::GaveUp => self.end(Ended::GaveUp, self.attempts.last().and_then(Attempt::code).map(str::to_owned)),
            Over::InDoubt => self.end(Ended::GaveUp, Some("in_doubt".to_owned())),
            Over::Undelivered => {
                let code = self.attempts.iter().rev().find_map(Attempt::refusal).map(|(_, code)| code.to_owned());
                self.end(Ended::Failed, code);
            }
        }
    }
}
