//! Random histories of one notice against vendors whose ledger says what was really sent: calls that end in every way, late or never
//! booked, questions, receipts early, late, wrong and repeated, time, the switch, subjects that move on. What must hold always is
//! asked after every step; then time runs out, and everything has come to an end.

use super::{ADDRESS, NUMBER, Play, delivered, noon, undelivered};
use crate::notice::{
    Channel, Course, LostPoint, Message, NoticeKind, NoticeState, Repeat, Standing, Stopped, possible_ids,
};
use crate::ports::notices::{Errand, ErrandEnd};
use crate::ports::sms::{AskOutcome, DeliveryWord, Receipt, RefusalClass, SendOutcome, Trust};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// What a vendor does with a message that is handed in.
#[derive(Clone, Copy, Debug)]
enum Act {
    Takes,
    TakesAndAnswerIsLost,
    Refuses(RefusalClass),
    IsAway,
    HangsAndTakesNothing,
}

/// Who comes back from a call, and when.
#[derive(Clone, Copy, Debug)]
enum Booking {
    AtOnce,
    Later,
    Never,
}

/// Whether a vendor is reached with a question.
#[derive(Clone, Copy, Debug)]
enum Reached {
    Yes,
    No,
}

#[derive(Clone, Copy, Debug)]
enum Told {
    Truth,
    OtherNumber,
    UnknownId,
    Forged,
}

#[derive(Clone, Debug)]
enum Turn {
    Take,
    Call(Act, Booking),
    NotMade,
    /// A question that was handed out is answered, or not.
    Answer(Reached, Booking),
    /// What was put off is booked.
    BookLate,
    /// Something that was sent arrives, or does not.
    Fate(u8, DeliveryWord),
    Receipt(u8, Told),
    Stop,
    Resume,
    Moves(Standing),
    Pass(i64),
}

/// One message as its vendor knows it.
#[derive(Clone, Debug)]
struct Entry {
    channel: Channel,
    provider: String,
    fate: DeliveryWord,
    /// Questions that begin before do not see it yet.
    visible_from: Timestamp,
}

struct World {
    play: Play,
    ledger: BTreeMap<String, Entry>,
    calls: Vec<Errand>,
    questions: Vec<Errand>,
    put_off: Vec<ErrandEnd>,
    was_delivered: bool,
}

/// The first vendor signs no receipts and answers questions; the second signs and answers none.
fn trust(provider: &str) -> Trust {
    if provider == "second" { Trust::Signed } else { Trust::Hint }
}

impl World {
    fn new(kind: NoticeKind, mail: Message) -> Self {
        let play = Play::of(kind, vec![Message::first(Channel::Sms, 1, noon()), mail]);
        let (calls, questions, put_off) = (Vec::new(), Vec::new(), Vec::new());
        Self { play, ledger: BTreeMap::new(), calls, questions, put_off, was_delivered: false }
    }

    fn take(&mut self) -> Result<(), TestCaseError> {
        let stopped = self.play.switch.stopped.is_some();
        for errand in self.play.take() {
            match errand {
                Errand::Ask { .. } => self.questions.push(errand),
                Errand::SendSms { .. } | Errand::SendMail { .. } => {
                    prop_assert!(!stopped, "sent although it was stopped");
                    self.calls.push(errand);
                }
            }
        }
        Ok(())
    }

    fn call(&mut self, act: Act, booking: Booking) {
        let Some(errand) = self.calls.pop() else { return };
        let (channel, provider, out_id) = called(&errand);
        let attempts = self.play.notice.messages.iter().flat_map(|one| &one.attempts);
        let lease = attempts.filter(|one| one.out_id == out_id).map(|one| one.lease_until).next().unwrap();
        if self.play.now >= lease {
            return; // Whoever was to call came too late, and goes away without a word.
        }
        let outcome = match act {
            Act::Takes | Act::TakesAndAnswerIsLost => {
                let visible_from = self.play.now + SignedDuration::from_secs(119);
                let fate = DeliveryWord::OnTheWay;
                let entry = Entry { channel, provider: provider.clone(), fate, visible_from };
                let twice = self.ledger.insert(out_id.clone(), entry);
                assert!(twice.is_none(), "{out_id} was handed in twice");
                match act {
                    Act::TakesAndAnswerIsLost => super::doubtful(),
                    Act::Takes | Act::Refuses(_) | Act::IsAway | Act::HangsAndTakesNothing => {
                        SendOutcome::Accepted { provider_id: Some(format!("V-{out_id}")), segments: None }
                    }
                }
            }
            Act::Refuses(class) => super::refused(class),
            Act::IsAway => super::not_connected(),
            Act::HangsAndTakesNothing => super::doubtful(),
        };
        self.comes_back(ErrandEnd::Sent { notice_id: "n1".to_owned(), out_id, outcome }, booking);
    }

    fn comes_back(&mut self, end: ErrandEnd, booking: Booking) {
        match booking {
            Booking::AtOnce => self.play.book(&end),
            Booking::Later => self.put_off.push(end),
            Booking::Never => {}
        }
    }

    fn not_made(&mut self) {
        let Some(errand) = self.calls.pop() else { return };
        let (_, _, out_id) = called(&errand);
        self.play.book(&ErrandEnd::NotMade { notice_id: "n1".to_owned(), out_id });
    }

    fn answer(&mut self, reached: Reached, booked: Booking) {
        let Some(Errand::Ask { provider, question, begun_at, .. }) = self.questions.pop() else { return };
        let outcome = match self.ledger.get(&question.out_id) {
            Some(_) | None if provider == "second" => AskOutcome::NotOffered,
            Some(_) | None if matches!(reached, Reached::No) => AskOutcome::NoAnswer { why: "time-out".to_owned() },
            Some(entry) if begun_at >= entry.visible_from => {
                AskOutcome::Found { provider_id: None, word: entry.fate.clone() }
            }
            Some(_) | None => AskOutcome::NotFound,
        };
        let (notice_id, out_id) = ("n1".to_owned(), question.out_id);
        self.comes_back(ErrandEnd::Asked { notice_id, out_id, begun_at, outcome }, booked);
    }

    fn entry(&self, which: u8) -> Option<(String, Entry)> {
        let place = usize::from(which).checked_rem(self.ledger.len())?;
        self.ledger.iter().nth(place).map(|(out_id, entry)| (out_id.clone(), entry.clone()))
    }

    /// What happens to a message is final with its vendor.
    fn fate(&mut self, which: u8, fate: DeliveryWord) {
        let Some((out_id, _)) = self.entry(which) else { return };
        let entry = self.ledger.get_mut(&out_id).unwrap();
        if entry.fate == DeliveryWord::OnTheWay {
            entry.fate = fate;
        }
    }

    fn receipt(&mut self, which: u8, told: Told) -> Result<(), TestCaseError> {
        let Some((out_id, entry)) = self.entry(which) else { return Ok(()) };
        let to = if entry.channel == Channel::Sms { NUMBER } else { ADDRESS };
        let truth = Receipt { out_id, provider_id: None, to: Some(to.to_owned()), word: entry.fate };
        let (receipt, ours) = match told {
            Told::Truth => (truth, true),
            Told::OtherNumber => (Receipt { to: Some("+8613911112222".to_owned()), ..truth }, false),
            Told::UnknownId => (Receipt { out_id: "n1-99".to_owned(), ..truth }, false),
            // Whoever has found the secret address of the vendor that does not sign.
            Told::Forged if entry.provider == "first" => (Receipt { word: delivered(), ..truth }, true),
            Told::Forged => return Ok(()),
        };
        prop_assert_eq!(self.play.receives(&entry.provider, &receipt, trust(&entry.provider)), ours);
        Ok(())
    }

    fn turn(&mut self, turn: Turn) -> Result<(), TestCaseError> {
        match turn {
            Turn::Take => self.take()?,
            Turn::Call(act, booking) => self.call(act, booking),
            Turn::NotMade => self.not_made(),
            Turn::Answer(reached, booked) => self.answer(reached, booked),
            Turn::BookLate => {
                if let Some(end) = self.put_off.pop() {
                    self.play.book(&end);
                    self.play.book(&end);
                }
            }
            Turn::Fate(which, fate) => self.fate(which, fate),
            Turn::Receipt(which, told) => self.receipt(which, told)?,
            Turn::Stop => {
                let stopped = Stopped { by: "o-1".to_owned(), at: self.play.now, reason: "why".to_owned() };
                self.play.switch.stopped = Some(stopped);
            }
            Turn::Resume => self.play.switch.stopped = None,
            Turn::Moves(standing) => self.play.standing = standing,
            Turn::Pass(seconds) => {
                self.play.pass(seconds);
            }
        }
        self.must_hold()
    }

    fn must_hold(&mut self) -> Result<(), TestCaseError> {
        let notice = &self.play.notice;
        let repeat = self.play.rules.repeat(notice.kind);
        for message in &notice.messages {
            let of = |course| message.attempts.iter().filter(|one| one.course() == course).count();
            prop_assert!(of(Course::UnderWay) <= 1, "two attempts under way: {message:?}");
            let alive = message.attempts.iter().filter(|one| one.may_arrive()).count();
            let beside = message.attempts.iter().filter(|one| one.beside_doubt).count();
            let most = match repeat {
                // All of them in doubt, then; one more is taken in at last.
                Repeat::May => 3,
                Repeat::Never => 1,
            };
            prop_assert!(alive <= most, "{alive} may arrive: {message:?}");
            prop_assert!(repeat == Repeat::May || beside == 0);
            // What a person can have got of it is got once, unless the record says that a second one was the lesser evil.
            let sent = self.ledger.values().filter(|one| one.channel == message.channel);
            let arriving =
                sent.filter(|one| matches!(one.fate, DeliveryWord::OnTheWay | DeliveryWord::Delivered { .. }));
            prop_assert!(arriving.count() <= 1 + beside, "{:?} {message:?}", self.ledger);
            let settled =
                message.ended.is_some() || message.is_dormant() || of(Course::Arrived) + of(Course::TakenIn) > 0;
            prop_assert!(settled || message.next_at.is_some(), "forgotten: {message:?}");
            for attempt in &message.attempts {
                let sent = self.ledger.get(&attempt.out_id);
                prop_assert!(possible_ids(&attempt.out_id).contains(&"n1"));
                let proof = sent.is_some_and(|entry| entry.fate == delivered());
                let believed = attempt.course() == Course::Arrived;
                prop_assert!(proof || !believed, "arrived, says nobody but us: {attempt:?}");
            }
        }
        let delivered = notice.state() == NoticeState::Delivered;
        prop_assert!(delivered || !self.was_delivered, "delivered is final");
        self.was_delivered = delivered;
        self.must_hold_of_what_is_told()
    }

    fn must_hold_of_what_is_told(&self) -> Result<(), TestCaseError> {
        let effects = &self.play.effects;
        let told = |kind: &str| effects.world.iter().filter(|one| one.event_type == kind).count();
        prop_assert!(told("notice.delivered.v1") <= self.play.notice.messages.len(), "told of each message once");
        prop_assert!(effects.alarms.len() < 100);
        let everything = format!("{:?}{:?}{:?}", effects.journal, effects.world, effects.alarms);
        prop_assert!(!everything.contains("3800000000") && !everything.contains("example.com"));
        Ok(())
    }

    /// Sending is allowed, workers come back, vendors answer truly: until nothing is due any more.
    fn ends(&mut self) -> Result<Timestamp, TestCaseError> {
        self.turn(Turn::Resume)?;
        let mut turns = 0;
        while let Some(due) = self.play.notice.next_at() {
            self.play.now = self.play.now.max(due);
            self.take()?;
            while !self.calls.is_empty() {
                self.turn(Turn::Call(Act::Takes, Booking::AtOnce))?;
            }
            while !self.questions.is_empty() {
                self.turn(Turn::Answer(Reached::Yes, Booking::AtOnce))?;
            }
            turns += 1;
            prop_assert!(turns < 500, "no end: {:?}", self.play.notice);
        }
        self.must_hold()?;
        let attempts = self.play.notice.messages.iter().flat_map(|one| &one.attempts);
        prop_assert!(attempts.clone().all(|one| one.course() != Course::UnderWay), "{:?}", self.play.notice);
        Ok(self.play.now)
    }
}

fn called(errand: &Errand) -> (Channel, String, String) {
    match errand {
        Errand::SendSms { provider, sms, .. } => (Channel::Sms, provider.clone(), sms.out_id.clone()),
        Errand::SendMail { provider, mail, .. } => (Channel::Mail, provider.clone(), mail.out_id.clone()),
        Errand::Ask { provider, question, .. } => (Channel::Sms, provider.clone(), question.out_id.clone()),
    }
}

fn turn() -> impl Strategy<Value = Turn> {
    let class = prop::sample::select(vec![
        RefusalClass::Recipient,
        RefusalClass::Unreachable,
        RefusalClass::Content,
        RefusalClass::Limit,
        RefusalClass::Account,
        RefusalClass::Busy,
        RefusalClass::Busy,
    ]);
    let act = prop_oneof![
        4 => Just(Act::Takes),
        3 => Just(Act::TakesAndAnswerIsLost),
        3 => class.prop_map(Act::Refuses),
        2 => Just(Act::IsAway),
        3 => Just(Act::HangsAndTakesNothing),
    ];
    let booking = || {
        prop::sample::select(vec![Booking::AtOnce, Booking::AtOnce, Booking::AtOnce, Booking::Later, Booking::Never])
    };
    let told = prop::sample::select(vec![Told::Truth, Told::Truth, Told::OtherNumber, Told::UnknownId, Told::Forged]);
    let reached = prop::sample::select(vec![Reached::Yes, Reached::No]);
    let standing = prop::sample::select(vec![Standing::Stands, Standing::Lost(LostPoint::PayoutMoved)]);
    let fate = prop::sample::select(vec![delivered(), undelivered(RefusalClass::Busy)]);
    prop_oneof![
        24 => Just(Turn::Take),
        16 => (act, booking()).prop_map(|(act, booking)| Turn::Call(act, booking)),
        2 => Just(Turn::NotMade),
        12 => (reached, booking()).prop_map(|(reached, booked)| Turn::Answer(reached, booked)),
        6 => Just(Turn::BookLate),
        5 => (any::<u8>(), fate).prop_map(|(which, fate)| Turn::Fate(which, fate)),
        10 => (any::<u8>(), told).prop_map(|(which, told)| Turn::Receipt(which, told)),
        1 => Just(Turn::Stop),
        2 => Just(Turn::Resume),
        2 => standing.prop_map(Turn::Moves),
        14 => prop::sample::select(vec![1_i64, 31, 61, 121, 901, 1_801, 7_201, 90_000]).prop_map(Turn::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_it_is_sent_once_or_on_record_and_comes_to_an_end(
        kind in prop::sample::select(vec![
            NoticeKind::PayoutReceived,
            NoticeKind::PayoutCredited,
            NoticeKind::ReviewDueSoon,
            NoticeKind::IntegrityNotified,
        ]),
        mail in prop::sample::select(vec![Message::standby(Channel::Mail, 0), Message::first(Channel::Mail, 0, noon())]),
        turns in prop::collection::vec(turn(), 1..80),
    ) {
        let mut world = World::new(kind, mail);
        for turn in turns {
            world.turn(turn)?;
        }
        world.ends()?;
        let state = world.play.state();
        prop_assert!(state.is_over() || state == NoticeState::Sent, "{state:?}");
    }
}
