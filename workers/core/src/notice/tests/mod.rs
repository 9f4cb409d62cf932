//! Tests of the machine of notices: one notice with its desk, played by hand. Tables of cases, and random histories against a
//! vendor whose ledger says what was really sent.

#![allow(clippy::unwrap_used)] // a test may fail loudly

mod again;
mod bounces;
mod codes;
mod looks;
mod random;
mod receipts;
mod routes;
mod standing;
mod time;
mod waits;

use super::{
    Candidate, Channel, Counters, Desk, Effects, Message, Notice, NoticeKind, NoticeRules, NoticeState, ProviderHealth,
    ProviderRules, Received, Standing, Switch,
};
use crate::ids::ApplicationId;
use crate::ports::notices::{Content, Errand, ErrandEnd};
use crate::ports::sms::{AskOutcome, DeliveryWord, Receipt, RefusalClass, SendOutcome, Trust};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

pub(super) const NUMBER: &str = "+8613800000000";
pub(super) const ADDRESS: &str = "finance@example.com";

/// Noon in the district, so that no quiet hour is near.
pub(super) fn noon() -> Timestamp {
    "2026-11-23T12:00:00+08:00".parse().unwrap()
}

/// Two providers of SMS that take texts, and mail.
pub(super) fn rules() -> NoticeRules {
    let sms = |name| ProviderRules { price_per_segment: Some(450), ..ProviderRules::of_texts(name, Channel::Sms) };
    let mut rules = NoticeRules::with_defaults(TimeZone::get("Asia/Shanghai").unwrap());
    rules.signature = Some("鼓楼直达".to_owned());
    rules.providers = vec![sms("first"), sms("second"), ProviderRules::of_texts("mail", Channel::Mail)];
    rules
}

pub(super) fn accepted() -> SendOutcome {
    SendOutcome::Accepted { provider_id: Some("BIZ".to_owned()), segments: None }
}

pub(super) fn refused(class: RefusalClass) -> SendOutcome {
    SendOutcome::Refused { class, code: "CODE".to_owned(), text: String::new() }
}

pub(super) fn not_connected() -> SendOutcome {
    SendOutcome::NotConnected { why: "refused".to_owned() }
}

pub(super) fn doubtful() -> SendOutcome {
    SendOutcome::Doubtful { why: "time-out".to_owned() }
}

pub(super) fn delivered() -> DeliveryWord {
    DeliveryWord::Delivered { at: None }
}

pub(super) fn undelivered(class: RefusalClass) -> DeliveryWord {
    DeliveryWord::Undelivered { class, code: "UNDELIV".to_owned(), text: String::new() }
}

pub(super) fn found(word: DeliveryWord) -> AskOutcome {
    AskOutcome::Found { provider_id: None, word }
}

/// One notice, its desk, and everything that followed.
pub(super) struct Play {
    pub(super) rules: NoticeRules,
    pub(super) now: Timestamp,
    pub(super) switch: Switch,
    pub(super) health: BTreeMap<String, ProviderHealth>,
    pub(super) counters: Counters,
    pub(super) standing: Standing,
    pub(super) contents: Vec<Content>,
    pub(super) notice: Notice,
    pub(super) effects: Effects,
}

impl Play {
    /// A notice that was just made, with these messages.
    pub(super) fn of(kind: NoticeKind, messages: Vec<Message>) -> Self {
        let content = |channel, to: &str| Content {
            channel,
            to: to.to_owned(),
            subject: Some("到账通知".to_owned()),
            text: "款项已到账。".to_owned(),
            html: Some("<p>款项已到账。</p>".to_owned()),
            parameters: vec![("amount".to_owned(), "1.00元".to_owned()), ("tail".to_owned(), "0001".to_owned())],
            template: None,
            providers: BTreeMap::new(),
        };
        Self {
            rules: rules(),
            now: noon(),
            switch: Switch::default(),
            health: BTreeMap::new(),
            counters: Counters::default(),
            standing: Standing::Stands,
            contents: vec![content(Channel::Sms, NUMBER), content(Channel::Mail, ADDRESS)],
            notice: Notice {
                id: "n1".to_owned(),
                kind,
                subject: "A-1".to_owned(),
                recipient: "91350100M000100Y43".to_owned(),
                application_id: ApplicationId::from("A-1"),
                covers: 1,
                locale: "zh-CN".to_owned(),
                template_version: "v1".to_owned(),
                created_at: noon(),
                expires_at: noon() + kind.expires_after(),
                messages,
            },
            effects: Effects::default(),
        }
    }

    /// An SMS alone.
    pub(super) fn sms(kind: NoticeKind) -> Self {
        Self::of(kind, vec![Message::first(Channel::Sms, 1, noon())])
    }

    /// An SMS, and a mail that goes when it does not do.
    pub(super) fn with_standby(kind: NoticeKind) -> Self {
        Self::of(kind, vec![Message::first(Channel::Sms, 1, noon()), Message::standby(Channel::Mail, 0)])
    }

    pub(super) fn pass(&mut self, seconds: i64) -> &mut Self {
        self.now += SignedDuration::from_secs(seconds);
        self
    }

    /// The next moment at which something is due has come.
    pub(super) fn pass_until_due(&mut self) -> &mut Self {
        self.now = self.notice.next_at().unwrap().max(self.now);
        self
    }

    /// One transaction over the notice.
    pub(super) fn desk<T>(&mut self, act: impl FnOnce(&mut Desk<'_>, Notice) -> (Notice, T)) -> T {
        let counters = std::mem::take(&mut self.counters);
        let mut desk = Desk::new(&self.rules, self.now, self.switch.clone(), self.health.clone(), counters);
        let (notice, result) = act(&mut desk, self.notice.clone());
        let Desk { switch, health, counters, effects, .. } = desk;
        (self.switch, self.health, self.counters, self.notice) = (switch, health, counters, notice);
        self.effects.journal.extend(effects.journal);
        self.effects.world.extend(effects.world);
        self.effects.alarms.extend(effects.alarms);
        self.effects.addresses.extend(effects.addresses);
        result
    }

    pub(super) fn candidate(&self) -> Candidate {
        let (notice, contents) = (self.notice.clone(), self.contents.clone());
        let fingerprints = [(Channel::Sms, "f1".to_owned()), (Channel::Mail, "f2".to_owned())].into();
        Candidate { notice, standing: self.standing, contents, fingerprints, unsubscribe: None }
    }

    pub(super) fn take(&mut self) -> Vec<Errand> {
        let candidate = self.candidate();
        self.desk(|desk, _| {
            let (mut notices, errands) = desk.take(vec![candidate]);
            (notices.remove(0), errands)
        })
    }

    pub(super) fn book(&mut self, end: &ErrandEnd) {
        self.desk(|desk, notice| (desk.book(notice, end), ()));
    }

    pub(super) fn ends(&mut self, out_id: &str, outcome: SendOutcome) -> &mut Self {
        let (notice_id, out_id) = (self.notice.id.clone(), out_id.to_owned());
        self.book(&ErrandEnd::Sent { notice_id, out_id, outcome });
        self
    }

    /// A question begun and answered now.
    pub(super) fn answers(&mut self, out_id: &str, outcome: AskOutcome) -> &mut Self {
        let (notice_id, out_id, begun_at) = (self.notice.id.clone(), out_id.to_owned(), self.now);
        self.book(&ErrandEnd::Asked { notice_id, out_id, begun_at, outcome });
        self
    }

    pub(super) fn receives(&mut self, provider: &str, receipt: &Receipt, trust: Trust) -> bool {
        let to = |channel| {
            Some(match channel {
                Channel::Sms => NUMBER.to_owned(),
                Channel::Mail => ADDRESS.to_owned(),
            })
        };
        self.desk(|desk, notice| match desk.receive(&notice, provider, receipt, trust, to) {
            Received::Booked(notice) => (*notice, true),
            Received::NotOurs => (notice, false),
        })
    }

    /// What was to be done, in words.
    pub(super) fn todo(&mut self) -> Vec<String> {
        self.take().iter().map(told).collect()
    }

    pub(super) fn state(&self) -> NoticeState {
        self.notice.state()
    }

    pub(super) fn rung(&self) -> Vec<&'static str> {
        self.effects.alarms.iter().map(|alarm| alarm.kind.code()).collect()
    }

    pub(super) fn journal(&self) -> Vec<&str> {
        self.effects.journal.iter().map(|row| row.kind.as_str()).collect()
    }

    /// Seconds until something is due again.
    pub(super) fn waits(&self) -> Option<i64> {
        self.notice.next_at().map(|at| at.duration_since(self.now).as_secs())
    }
}

pub(super) fn told(errand: &Errand) -> String {
    match errand {
        Errand::SendSms { provider, sms, .. } => format!("{provider} sends {}", sms.out_id),
        Errand::SendMail { provider, mail, .. } => format!("{provider} sends {}", mail.out_id),
        Errand::Ask { provider, question, .. } => format!("{provider} is asked for {}", question.out_id),
    }
}

#[test]
fn neither_a_notice_nor_a_push_prints_an_address() {
    let push = crate::ports::sms::Push { headers: &BTreeMap::new(), body: NUMBER.as_bytes() };
    assert_eq!(format!("{push:?}"), "Push { 14 bytes }");
    for (kind, told) in [(NoticeKind::Test, false), (NoticeKind::PayoutCredited, true)] {
        let mut play = Play::sms(kind);
        let known = play.notice.recipient.clone();
        let request = super::NoticeRequest {
            kind,
            subject: "A-1".to_owned(),
            recipient: known.clone(),
            occasion: String::new(),
            application_id: ApplicationId::from("A-1"),
        };
        assert_eq!(format!("{request:?}").contains(&known), told);
        assert_eq!(format!("{:?}", play.notice).contains(&known), told);
        play.take();
        assert!(!format!("{:?}", play.notice).contains(NUMBER));
    }
}
