//! Bounces and other receipts that anybody could have written: what they do, and what they leave to people.

use super::{ADDRESS, NUMBER, Play, accepted, delivered, doubtful, found, undelivered};
use crate::ids::ApplicationId;
use crate::notice::{Channel, Message, NotAgain, Notice, NoticeKind, NoticeRequest, NoticeState, WordFrom, again};
use crate::ports::sms::{AskOutcome, Receipt, RefusalClass, Trust};

fn bounce(out_id: &str, class: RefusalClass) -> Receipt {
    Receipt { out_id: out_id.to_owned(), provider_id: None, to: Some(ADDRESS.to_owned()), word: undelivered(class) }
}

fn mail(kind: NoticeKind) -> Play {
    let mut play = Play::of(kind, vec![Message::first(Channel::Mail, 0, super::noon())]);
    assert_eq!(play.todo(), ["mail sends n1-m1"]);
    play
}

fn told_again(notice: &Notice, play: &Play) -> Result<(), NotAgain> {
    let request = NoticeRequest {
        kind: notice.kind,
        subject: "IC-1".to_owned(),
        recipient: notice.recipient.clone(),
        occasion: "notified".to_owned(),
        application_id: ApplicationId::from("A-1"),
    };
    again(notice, &[request], &[], &play.rules, "act-1").map(|_| ())
}

#[test]
fn a_bounce_of_what_is_served_rings_and_sends_nothing_until_a_person_decides() {
    for outcome in [accepted(), doubtful()] {
        let mut play = mail(NoticeKind::IntegrityNotified);
        play.ends("n1-m1", outcome);
        let state = play.state();
        assert!(told_again(&play.notice, &play).is_err());
        for class in [RefusalClass::Busy, RefusalClass::Busy, RefusalClass::Recipient] {
            assert!(play.receives("mail", &bounce("n1-m1", class), Trust::Hint));
            assert_eq!((play.state(), play.todo()), (state, vec![]), "it decides nothing");
        }
        assert_eq!(play.rung(), ["notice_in_doubt"], "once");
        assert_eq!(play.effects.addresses, [], "the address is as good as before");
        assert_eq!(told_again(&play.notice, &play), Ok(()), "whoever acts gives the reason");
        play.pass(48 * 3600);
        assert_eq!(play.todo(), [""; 0]);
        assert_eq!(play.notice.messages[0].attempts.len(), 1);
    }
}

#[test]
fn a_bounce_does_not_free_what_may_have_arrived_by_sms() {
    let messages = [Channel::Sms, Channel::Mail].map(|channel| Message::first(channel, 1, super::noon()));
    let mut play = Play::of(NoticeKind::IntegrityDecided, messages.into());
    play.take();
    play.ends("n1", accepted());
    play.ends("n1-m1", accepted());
    assert!(play.receives("mail", &bounce("n1-m1", RefusalClass::Recipient), Trust::Hint));
    assert_eq!(told_again(&play.notice, &play), Err(NotAgain::MayHaveArrived("n1".to_owned())));
}

#[test]
fn where_it_may_go_twice_a_bounce_counts_and_the_record_says_what_it_is() {
    let mut play = mail(NoticeKind::PayoutCredited);
    play.ends("n1-m1", accepted());
    assert!(play.receives("mail", &bounce("n1-m1", RefusalClass::Recipient), Trust::Hint));
    assert_eq!(play.state(), NoticeState::Failed);
    assert_eq!(play.notice.messages[0].attempts[0].word_from, Some(WordFrom::Unsigned));
}

#[test]
fn the_record_says_how_far_a_word_is_to_be_trusted() {
    let receipt = Receipt { to: Some(NUMBER.to_owned()), word: delivered(), ..bounce("n1", RefusalClass::Busy) };
    let sent = || {
        let mut play = Play::sms(NoticeKind::PayoutCredited);
        play.take();
        play.ends("n1", accepted());
        play
    };
    let from = |play: &Play| play.notice.messages[0].attempts[0].word_from;
    let mut signed = sent();
    signed.receives("first", &receipt, Trust::Signed);
    assert_eq!(from(&signed), Some(WordFrom::Signed));
    for (answer, expected) in [(found(delivered()), WordFrom::Enquiry), (AskOutcome::NotOffered, WordFrom::Unsigned)] {
        let mut play = sent();
        play.receives("first", &receipt, Trust::Hint);
        play.take();
        play.answers("n1", answer);
        assert_eq!(from(&play), Some(expected));
        play.receives("first", &receipt, Trust::Signed);
        assert_eq!(from(&play), Some(WordFrom::Signed), "a better one counts");
    }
}

#[test]
fn a_hint_has_to_know_the_address() {
    let mut play = mail(NoticeKind::PayoutCredited);
    play.ends("n1-m1", accepted());
    let nobody = Receipt { to: None, ..bounce("n1-m1", RefusalClass::Recipient) };
    assert!(!play.receives("mail", &nobody, Trust::Hint));
    let other = Receipt { to: Some("other@example.com".to_owned()), ..nobody.clone() };
    assert!(!play.receives("mail", &other, Trust::Hint));
    assert!(play.receives("mail", &nobody, Trust::Signed), "a signed one is the vendor's own");
}

#[test]
fn what_was_hinted_of_an_erased_address_stays_unproven() {
    let mut play = Play::sms(NoticeKind::PayoutCredited);
    play.take();
    play.ends("n1", accepted());
    let receipt = Receipt { to: Some(NUMBER.to_owned()), word: delivered(), ..bounce("n1", RefusalClass::Busy) };
    assert!(play.receives("first", &receipt, Trust::Hint));
    play.contents.clear();
    assert_eq!(play.todo(), [""; 0]);
    assert_eq!(play.state(), NoticeState::Sent);
}
