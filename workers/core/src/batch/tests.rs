//! When a message goes again, waits, or never goes again. One row a case; the first member is the one that differs.

#![allow(clippy::unwrap_used)] // a test may fail loudly

use super::{Batch, ClaimedBatch, Examination, Member, Stopped, may_be_written};
use crate::ids::MsgId;
use crate::payout::{CallEnd, Carrier, EndKind, Event, HoldCode, Payout, Word};
use crate::ports::bank::NotTakenIn;
use crate::rules::Idempotency;
use crate::scenery::{Story, at, award, ended, rejected, rules, settled};
use jiff::SignedDuration;

/// `story`'s payout as number `number`, in message M-1.
fn member(story: &Story, number: u32) -> (Payout, Member) {
    let mut payout = story.payout.clone();
    payout.key = award(number).key;
    let latest = payout.instructions.iter().find(|one| one.first_claimed_at.is_some()).unwrap();
    let member = Member { key: payout.key.clone(), instruction_id: latest.id.clone() };
    (payout, member)
}

fn batch(members: Vec<Member>) -> Batch {
    let msg_id = MsgId::from("M-1");
    Batch { msg_id, created_at: at(0), bytes: Vec::new(), members, calls: 0, closed: None, examine_at: None }
}

/// In doubt within message M-1, and not found when asked after the window.
fn absent() -> Story {
    let mut story = Story::ready(rules());
    story.sent_in_doubt();
    story.pass(121);
    story.not_found(1);
    story
}

fn after(mut story: Story, change: impl FnOnce(&mut Story)) -> Story {
    change(&mut story);
    story
}

fn fresh() -> Story {
    after(Story::ready(rules()), |story| {
        story.claim().unwrap();
        story.call_ends(CallEnd::NotTakenIn(NotTakenIn::ConnectionRefused)).unwrap();
    })
}

fn code(examination: &Examination) -> &'static str {
    match examination {
        Examination::GoesAgain => "goes again",
        Examination::Waits => "waits",
        Examination::Closes(why) => why,
    }
}

#[test]
#[allow(clippy::too_many_lines)] // one table
fn a_message_goes_again_only_while_no_member_stands_against_it() {
    let in_doubt = || after(Story::ready(rules()), Story::sent_in_doubt);
    let crashed = || {
        after(Story::ready(rules()), |story| {
            story.claim().unwrap();
            story.pass(91);
            story.must(Event::LeaseExpired);
        })
    };
    let cases: Vec<(&str, Story, &str)> = vec![
        ("fresh", fresh(), "goes again"),
        ("absent", absent(), "goes again"),
        ("crashed, not asked yet", crashed(), "waits"),
        (
            "crashed and absent, never booked as called",
            after(crashed(), |one| {
                one.pass(121);
                one.not_found(1);
            }),
            "goes again",
        ),
        ("in doubt", in_doubt(), "waits"),
        (
            "unclear",
            after(absent(), |one| one.says(1, Word::Unclear { code: "X".to_owned() }, Carrier::Pushed)),
            "waits",
        ),
        ("in a call", after(absent(), |one| one.claim().unwrap()), "waits"),
        ("on the way", after(absent(), |one| one.says(1, Word::OnTheWay, Carrier::Pushed)), "a member has evidence"),
        ("settled", after(absent(), |one| one.says(1, settled(), Carrier::Statement)), "a member has evidence"),
        (
            "refused, unconfirmed",
            after(absent(), |one| one.says(1, rejected("AC01"), Carrier::Pushed)),
            "a member has evidence",
        ),
        (
            "refused and superseded",
            after(absent(), |one| one.says(1, rejected("AM04"), Carrier::Enquiry)),
            "a member has evidence",
        ),
        ("duplicate", after(absent(), |one| one.says(1, Word::Duplicate, Carrier::Answer)), "a member has evidence"),
        (
            "held",
            after(absent(), |one| one.is_held(HoldCode::Operator)),
            "a member is held, ended or travels otherwise",
        ),
        (
            "ended",
            after(absent(), |one| one.must(Event::Ended(ended(EndKind::Withdrawn)))),
            "a member is held, ended or travels otherwise",
        ),
        (
            "ended unsent",
            after(fresh(), |one| one.must(Event::Ended(ended(EndKind::Withdrawn)))),
            "a member is held, ended or travels otherwise",
        ),
        ("freed", after(absent(), |one| one.must(Event::BatchClosed)), "a member is held, ended or travels otherwise"),
        (
            "three times not found",
            after(absent(), |one| {
                one.not_found(1);
                one.not_found(1);
            }),
            "three definitive answers that it is not there",
        ),
        (
            "too old, and asked since",
            after(absent(), |one| {
                one.pass(30 * 24 * 3600);
                one.not_found(1);
            }),
            "too long after the first claim to be sent again",
        ),
    ];
    let sound = absent();
    for (name, story, expected) in cases {
        let (one, first) = member(&story, 2);
        let (other, second) = member(&sound, 1);
        let examine = |now| batch(vec![first.clone(), second.clone()]).examine(&[&one, &other], &story.rules.bank, now);
        assert_eq!(code(&examine(story.now)), expected, "{name}");
    }
}

#[test]
fn a_message_that_lay_too_long_never_goes_again() {
    let story = absent();
    let (payout, member) = member(&story, 1);
    let month = story.now + SignedDuration::from_hours(30 * 24);
    let examination = batch(vec![member]).examine(&[&payout], &story.rules.bank, month);
    assert_eq!(code(&examination), "too long after the first claim to be sent again");
    // What never left may lie as long as it likes.
    let story = fresh();
    let (payout, member) = self::member(&story, 1);
    assert_eq!(batch(vec![member]).examine(&[&payout], &story.rules.bank, month), Examination::GoesAgain);
}

#[test]
fn where_repetitions_are_known_by_message_the_message_stays_open() {
    let mut story = absent();
    story.not_found(1);
    story.not_found(1);
    let (payout, member) = member(&story, 1);
    for (idempotency, expected) in [
        (Idempotency::EndToEndId, "three definitive answers that it is not there"),
        (Idempotency::MessageId, "goes again"),
    ] {
        let mut rules = rules().bank;
        rules.idempotency = idempotency;
        let examination = batch(vec![member.clone()]).examine(&[&payout], &rules, story.now);
        assert_eq!(code(&examination), expected, "{idempotency:?}");
    }
}

#[test]
fn a_successor_whose_forerunner_may_live_closes_its_message() {
    let mut story = Story::ready(rules());
    story.refused("AM04");
    story.pass(3_601);
    story.must(Event::TimePassed);
    story.sent_in_doubt();
    story.pass(121);
    story.not_found(2);
    let msg_id = story.payout.latest().unwrap().msg_id.clone().unwrap();
    let examine = |story: &Story| {
        let member = Member { key: story.payout.key.clone(), instruction_id: story.id(2) };
        let batch = Batch { msg_id: msg_id.clone(), ..batch(vec![member]) };
        code(&batch.examine(&[&story.payout], &story.rules.bank, story.now))
    };
    assert_eq!(examine(&story), "goes again");
    story.says(1, Word::OnTheWay, Carrier::Pushed);
    assert_eq!(examine(&story), "another generation of a member may move money");
}

#[test]
fn the_last_look_before_the_socket_asks_everything_again() {
    let sending = || after(Story::ready(rules()), |one| one.claim().unwrap());
    let cases: Vec<(&str, Story, Stopped, bool)> = vec![
        ("as claimed", sending(), Stopped::No, true),
        ("stopped", sending(), Stopped::Yes, false),
        ("held", after(sending(), |one| one.is_held(HoldCode::Operator)), Stopped::No, false),
        ("withdrawn", after(sending(), |one| one.must(Event::Ended(ended(EndKind::Withdrawn)))), Stopped::No, false),
        ("on the way", after(sending(), |one| one.says(1, Word::OnTheWay, Carrier::Pushed)), Stopped::No, false),
        ("paid", after(sending(), |one| one.says(1, settled(), Carrier::Statement)), Stopped::No, false),
        (
            "lease over",
            after(sending(), |one| {
                one.pass(91);
                one.must(Event::LeaseExpired);
            }),
            Stopped::No,
            false,
        ),
        ("claimed by another", after(absent(), |one| one.claim().unwrap()), Stopped::No, false),
    ];
    for (name, story, stopped, may) in cases {
        let (payout, member) = member(&story, 1);
        let claimed = ClaimedBatch {
            msg_id: MsgId::from("M-1"),
            bytes: Vec::new(),
            members: vec![(member, 1)],
            lease: story.rules.bank.lease,
        };
        assert_eq!(may_be_written(&claimed, &[payout], stopped).is_ok(), may, "{name}");
        assert!(may_be_written(&claimed, &[], Stopped::No).is_err(), "{name}: a member that is gone");
    }
}

#[test]
fn a_message_is_not_written_beside_another_generation_that_may_move_money() {
    for (word, carrier) in [(Word::OnTheWay, Carrier::Pushed), (settled(), Carrier::Statement)] {
        let mut story = after(Story::ready(rules()), |story| story.refused("AC01"));
        story.corrects("2").unwrap();
        story.claim().unwrap();
        let (payout, _) = member(&story, 1);
        let member = Member { key: payout.key.clone(), instruction_id: story.id(2) };
        let members = vec![(member, payout.epoch)];
        let claimed =
            ClaimedBatch { msg_id: MsgId::from("M-2"), bytes: Vec::new(), members, lease: SignedDuration::ZERO };
        assert_eq!(may_be_written(&claimed, std::slice::from_ref(&payout), Stopped::No), Ok(()));
        story.says(1, word.clone(), carrier);
        let (payout, _) = self::member(&story, 1);
        let why = may_be_written(&claimed, &[payout], Stopped::No).unwrap_err();
        assert!(why.contains("held, ended or paid by now"), "{word:?}: {why}");
    }
}
