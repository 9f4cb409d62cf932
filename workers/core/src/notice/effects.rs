//! What follows when a notice changes: journal rows, events for the world, alarms, and what was learnt of an address. Rows, never
//! calls. Neither addresses nor names nor reasons stand in them. Whom a notice went to stands in the notice alone, so that nothing is
//! let out of orders that inspectors alone see; of an official who cannot be reached about anything else the id is told, for somebody
//! has to mend the organisation file.

use super::making::{Outcome, Unreached, Whom};
use super::{
    Attempt, Audience, Channel, Course, Ended, Essential, Message, Notice, NoticeKind, NoticeRequest, NoticeState,
};
use crate::ids::OrderId;
use crate::payout::{Alarm, AlarmKind};
use crate::ports::sms::RefusalClass;
use crate::steps::{JournalRow, WorldEvent};
use crate::view::micros;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// What was learnt of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Something arrived there.
    Verified,
    /// No provider will do better, says this code: it is not written to for a time ([`super::making::FLAG_DAYS`]).
    Flagged(String),
    /// It is written to again in spite of a flag, because that has aged, or somebody has a reason to try.
    Lifted,
}

/// What was learnt of the address of a notice's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressWord {
    /// The notice.
    pub notice_id: String,
    /// Which of its addresses.
    pub channel: Channel,
    /// What.
    pub known: Known,
}

/// Why nobody is reached.
pub(super) struct Missing<'a> {
    /// What is missing.
    pub(super) unreached: &'a Unreached,
    /// Of whom, where that is an official who may be named.
    pub(super) whom: Option<Whom>,
}

/// Everything that is to be written beside the notices themselves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    /// Journal rows, in order.
    pub journal: Vec<JournalRow>,
    /// Events for the world, in order.
    pub world: Vec<WorldEvent>,
    /// What rings.
    pub alarms: Vec<Alarm>,
    /// What was learnt of addresses, in order.
    pub addresses: Vec<AddressWord>,
}

impl Effects {
    /// Tells what has changed between two states of one notice.
    pub(super) fn tell(&mut self, before: &Notice, after: &Notice, now: Timestamp) {
        for message in &after.messages {
            let was = before.messages.iter().find(|one| one.channel == message.channel);
            self.tell_of_message(after, was, message, now);
        }
        let lost = |notice: &Notice| match notice.state() {
            NoticeState::Failed | NoticeState::GaveUp => true,
            // Its time was over, or its words were erased, before anybody took it: what it tells is still so.
            NoticeState::Expired => notice.messages.iter().any(Message::went_unsent),
            NoticeState::Created | NoticeState::Sending | NoticeState::Sent | NoticeState::Delivered => false,
        };
        let told_again = after.messages.iter().any(|message| message.told_again);
        if has_to_be_told(after.kind) && lost(after) && !lost(before) && !told_again {
            let text = match after.state() {
                NoticeState::Expired => "was not sent before its time was over",
                NoticeState::Created
                | NoticeState::Sending
                | NoticeState::Sent
                | NoticeState::Delivered
                | NoticeState::Failed
                | NoticeState::GaveUp => "does not arrive by any channel",
            };
            let text = format!("{text}: tell it otherwise, and see by `zhida notices show` why");
            self.ring(AlarmKind::NoticeFailed, after, &text);
        }
    }

    fn tell_of_message(&mut self, notice: &Notice, was: Option<&Message>, message: &Message, now: Timestamp) {
        let (before, after) = (was.and_then(Message::state), message.state());
        if before != after {
            match after {
                Some(NoticeState::Sent) => self.announce(notice, message, "notice.sent", Some("notice.sent.v1"), now),
                Some(NoticeState::Delivered) => {
                    self.announce(notice, message, "notice.delivered", Some("notice.delivered.v1"), now);
                }
                Some(NoticeState::Failed) => {
                    self.announce(notice, message, "notice.failed", Some("notice.failed.v1"), now);
                }
                Some(NoticeState::GaveUp) => {
                    self.announce(notice, message, "notice.gave_up", Some("notice.failed.v1"), now);
                }
                Some(NoticeState::Expired) => self.announce(notice, message, "notice.expired", None, now),
                Some(NoticeState::Created | NoticeState::Sending) | None => {}
            }
        }
        let said_lost = |message: &Message| message.attempts.iter().filter(|one| message.is_said_lost(one)).count();
        if said_lost(message) > was.map_or(0, said_lost) {
            let text = "an unsigned bounce says that it did not arrive, and it is never sent twice by itself: look, and serve it \
                another way, or decide by `zhida notices resend`";
            self.ring(AlarmKind::NoticeInDoubt, notice, text);
        }
        let known = |message: &Message| learnt(message);
        if let Some(known) = known(message).filter(|word| was.and_then(known).as_ref() != Some(word)) {
            self.addresses.push(AddressWord { notice_id: notice.id.clone(), channel: message.channel, known });
        }
    }

    fn announce(&mut self, notice: &Notice, message: &Message, kind: &str, event: Option<&str>, now: Timestamp) {
        let speaking = message.speaking();
        let mut data = about(notice);
        data.insert("channel".to_owned(), json!(message.channel.code()));
        data.insert("provider".to_owned(), json!(speaking.map(|one| &one.provider)));
        let code = message.because.as_deref().or_else(|| speaking.and_then(Attempt::code));
        data.insert("code".to_owned(), json!(code));
        data.insert("at".to_owned(), json!(micros(Some(now))));
        data.retain(|_, value| !value.is_null());
        let subject = notice.application_id.0.clone();
        if let Some(event_type) = event {
            let world = WorldEvent {
                event_type: event_type.to_owned(),
                subject: subject.clone(),
                data: Value::Object(data.clone()),
            };
            self.world.push(world);
        }
        data.insert("attempts".to_owned(), json!(message.attempts.len()));
        let doubled = message.attempts.iter().filter(|one| one.beside_doubt && one.may_arrive()).count();
        if doubled > 0 {
            data.insert("beside_doubt".to_owned(), json!(doubled));
        }
        self.row(kind, subject, data);
    }

    /// No notice was made of a request. Where the reason is that there is no address, what was missing is named, and whose it was as far
    /// as that may be said; whom it would have told otherwise stands in the request alone.
    pub(super) fn not_made(&mut self, request: &NoticeRequest, outcome: &Outcome, missing: Option<&Missing<'_>>) {
        let mut data = Map::new();
        data.insert("kind".to_owned(), json!(request.kind.code()));
        data.insert("outcome".to_owned(), json!(outcome.code()));
        if is_of_application(request.kind, request.application_id.as_str()) {
            data.insert("application_id".to_owned(), json!(request.application_id));
        }
        if let Some(missing) = missing {
            for (channel, lack) in missing.unreached.lacks() {
                data.insert(channel.code().to_owned(), json!(lack.code()));
            }
            data.extend(missing.whom.iter().flat_map(Whom::facts));
        }
        self.row("notice.not_made", request.application_id.0.clone(), data);
    }

    /// What became of a request before anything was made of it. What had to be told and was too old by then rings, as it would had its
    /// time run out while it waited to be sent.
    pub(super) fn dropped(&mut self, request: &NoticeRequest, outcome: &Outcome) {
        self.not_made(request, outcome, None);
        if *outcome != Outcome::TooOld || !has_to_be_told(request.kind) {
            return;
        }
        let (kind, subject) = (request.kind.code(), &request.subject);
        let text = format!(
            "notice {kind} about {subject} was asked for so long ago that it is not sent any more: tell it otherwise, and see why no \
             notices were made for so long"
        );
        self.alarms.push(Alarm { kind: AlarmKind::NoticeFailed, key: request.story(), instruction_id: None, text });
    }

    /// Somebody cannot be told of something essential. It rings once for what would have been one notice, about the first of these.
    pub(super) fn nobody_reached(&mut self, requests: &[&NoticeRequest], missing: &Missing<'_>) {
        let Some(first) = requests.first().filter(|one| has_to_be_told(one.kind)) else { return };
        let (kind, subject) = (first.kind.code(), &first.subject);
        let more = match requests.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        let whom = match (&missing.whom, first.kind.traits().audience) {
            (Some(whom), _) => format!("to {whom} "),
            (None, Audience::Official) => "to somebody whom inspectors alone may know ".to_owned(),
            (None, Audience::Enterprise | Audience::Anybody) => String::new(),
        };
        let text = format!("notice {kind} about {subject}{more} {whom}reaches nobody: {}", missing.unreached);
        let key = first.story().filter(|key| requests.iter().all(|one| one.story().as_ref() == Some(key)));
        self.alarms.push(Alarm { kind: AlarmKind::NoticeNoAddress, key, instruction_id: None, text });
    }

    /// A notice was made.
    pub(super) fn made(&mut self, notice: &Notice) {
        let mut data = about(notice);
        let channels: Vec<&str> = notice.messages.iter().map(|message| message.channel.code()).collect();
        data.insert("channels".to_owned(), json!(channels));
        data.insert("covers".to_owned(), json!(notice.covers));
        data.insert("template_version".to_owned(), json!(notice.template_version));
        self.row("notice.made", notice.application_id.0.clone(), data);
    }

    fn row(&mut self, kind: &str, subject: String, detail: Map<String, Value>) {
        let row = JournalRow { kind: kind.to_owned(), subject, by: "system".to_owned(), detail: Value::Object(detail) };
        self.journal.push(row);
    }

    /// Rings about nothing in particular.
    pub(super) fn alarm(&mut self, kind: AlarmKind, text: String) {
        self.alarms.push(Alarm { kind, key: None, instruction_id: None, text });
    }

    /// Rings about one notice.
    pub(super) fn ring(&mut self, kind: AlarmKind, notice: &Notice, text: &str) {
        let text = format!("notice {} ({}) of {}: {text}", notice.id, notice.kind.code(), notice.application_id);
        self.alarms.push(Alarm { kind, key: notice.story(), instruction_id: None, text });
    }
}

/// Whoever tries a channel is told by that verb; of everything else what is essential has to be told.
pub(super) fn has_to_be_told(kind: NoticeKind) -> bool {
    kind.traits().essential == Essential::Yes && !kind.is_trial()
}

/// What every row and event says of a notice.
fn about(notice: &Notice) -> Map<String, Value> {
    let mut data = Map::new();
    data.insert("notice_id".to_owned(), json!(notice.id));
    data.insert("kind".to_owned(), json!(notice.kind.code()));
    let id = notice.application_id.as_str();
    if is_of_application(notice.kind, id) {
        data.insert("application_id".to_owned(), json!(id));
    }
    data
}

/// What is about no application has an order, a digest or a trial in its place.
fn is_of_application(kind: NoticeKind, id: &str) -> bool {
    match kind.traits().audience {
        Audience::Enterprise => true,
        Audience::Official => kind != NoticeKind::Digest && OrderId::parse(id).is_none(),
        Audience::Anybody => false,
    }
}

fn learnt(message: &Message) -> Option<Known> {
    let arrived = message.attempts.iter().any(|attempt| attempt.course() == Course::Arrived);
    if arrived {
        return Some(Known::Verified);
    }
    let useless = |attempt: &Attempt| match attempt.refusal() {
        Some((RefusalClass::Recipient, code)) => Some(Known::Flagged(code.to_owned())),
        // A phone that is off today is on tomorrow: the address stays a good one.
        Some((
            RefusalClass::Unreachable
            | RefusalClass::Template
            | RefusalClass::Content
            | RefusalClass::Limit
            | RefusalClass::Account
            | RefusalClass::Busy,
            _,
        ))
        | None => None,
    };
    message.attempts.iter().find_map(useless)
}

impl Message {
    /// The attempt that says most of what became of it: the one that went furthest, the latest of several.
    fn speaking(&self) -> Option<&Attempt> {
        let ended_badly = match self.ended {
            Some(Ended::Failed) => !self.is_delivered(),
            Some(Ended::GaveUp | Ended::Expired | Ended::NotNeeded) | None => false,
        };
        if ended_badly {
            return self.attempts.iter().rev().find(|one| one.refusal().is_some()).or(self.attempts.last());
        }
        let rank = |course| match course {
            Course::Arrived => 0,
            Course::TakenIn => 1,
            Course::InDoubt => 2,
            Course::UnderWay => 3,
            Course::Undelivered => 4,
            Course::NotSent => 5,
        };
        self.attempts.iter().rev().min_by_key(|one| rank(one.course()))
    }
}
