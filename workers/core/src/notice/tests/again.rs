//! What is told once more when a person asks for it.

use super::{Play, accepted, doubtful, refused};
use crate::ids::ApplicationId;
use crate::notice::again::superseded;
use crate::notice::{Attempt, Kin, NotAgain, Notice, NoticeKind, NoticeRequest, again};
use crate::ports::sms::{RefusalClass, SendOutcome};

fn request(kind: NoticeKind, occasion: &str) -> NoticeRequest {
    NoticeRequest {
        kind,
        subject: "A-1".to_owned(),
        recipient: "91350100M000100Y43".to_owned(),
        occasion: occasion.to_owned(),
        application_id: ApplicationId::from("A-1"),
    }
}

/// A notice whose only call has ended so.
fn after(kind: NoticeKind, outcome: Option<SendOutcome>) -> Play {
    let mut play = Play::sms(kind);
    play.take();
    if let Some(outcome) = outcome {
        play.ends("n1", outcome);
    }
    play
}

fn copy(kind: NoticeKind, outcome: Option<SendOutcome>) -> Kin {
    Kin::Made(Box::new(Notice { id: "n2".to_owned(), ..after(kind, outcome).notice }))
}

#[test]
fn an_act_asks_once_more_and_what_is_served_is_not_served_twice() {
    let credited = NoticeKind::PayoutCredited;
    let served = NoticeKind::IntegrityNotified;
    let under_way = || Err(NotAgain::UnderWay("n1".to_owned()));
    for (kind, outcome, expected) in [
        (credited, None, under_way()),
        (credited, Some(doubtful()), under_way()),
        (credited, Some(accepted()), Ok(())),
        (credited, Some(refused(RefusalClass::Recipient)), Ok(())),
        (served, Some(accepted()), Err(NotAgain::MayHaveArrived("n1".to_owned()))),
        (served, Some(refused(RefusalClass::Recipient)), Ok(())),
    ] {
        let play = after(kind, outcome.clone());
        let request = request(kind, "credited_1");
        let asked = again(&play.notice, std::slice::from_ref(&request), &[], &play.rules, "act-1");
        assert_eq!(asked.clone().map(|_| ()), expected, "{kind:?} {outcome:?}");
        if let Ok(asked) = asked {
            assert_eq!(asked[0].occasion, "credited_1@act-1");
            let twice = again(&play.notice, &asked, &[], &play.rules, "act-2").unwrap();
            assert_eq!(twice[0].occasion, "credited_1@act-2");
        }
    }
}

/// Nothing follows by itself, and people were rung for: whoever has the vendor's word need not wait for the end of its point.
#[test]
fn what_is_in_doubt_for_good_can_be_told_again_where_it_may_repeat() {
    for (kind, may) in [(NoticeKind::PayoutCredited, true), (NoticeKind::IntegrityNotified, false)] {
        let mut play = after(kind, Some(doubtful()));
        let asked = |play: &Play| again(&play.notice, &[request(kind, "credited_1")], &[], &play.rules, "act-1");
        let message = &mut play.notice.messages[0];
        message.doubt_rung = true;
        let one = message.attempts[0].clone();
        for number in 2..=3 {
            assert_eq!(asked(&play), Err(NotAgain::UnderWay("n1".to_owned())), "another follows by itself");
            play.notice.messages[0].attempts.push(Attempt { out_id: format!("n1-{number}"), ..one.clone() });
        }
        assert_eq!(asked(&play).is_ok(), may, "{kind:?}: {:?}", asked(&play));
        // Once it was told again nothing follows, also when it is learnt that one of them was never sent.
        if may {
            play.notice = play.notice.told_again().unwrap();
            play.notice.messages[0].attempts[2].absent = true;
            assert!(asked(&play).is_ok(), "{:?}", asked(&play));
        }
    }
}

/// Another occasion of the same subject and recipient is another thing to tell, and so is what one covers beside this.
#[test]
fn what_is_told_again_supersedes_nothing_but_the_same() {
    let kind = NoticeKind::PayoutHeld;
    let in_doubt = |id: &str, covers| {
        let mut notice = Notice { id: id.to_owned(), covers, ..after(kind, Some(doubtful())).notice };
        notice.messages[0].doubt_rung = true;
        notice
    };
    let kin = [("account_name.1", "n2", 1), ("commitment_missing.1", "n3", 1), ("account_name.1@act-0", "n4", 2)];
    let kin = kin.map(|(occasion, id, covers)| (request(kind, occasion), Kin::Made(Box::new(in_doubt(id, covers)))));
    let changed = superseded(&in_doubt("n1", 1), &[request(kind, "account_name.1")], &kin);
    assert!(changed.iter().all(|one| one.messages[0].told_again));
    assert_eq!(changed.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["n1", "n2"]);
}

#[test]
fn while_one_more_is_on_its_way_no_other_follows() {
    let lost = || Some(refused(RefusalClass::Recipient));
    let under_way = || Err(NotAgain::UnderWay("n2".to_owned()));
    for kind in [NoticeKind::PayoutCredited, NoticeKind::IntegrityNotified] {
        let arrived = match kind {
            NoticeKind::PayoutCredited => NotAgain::ToldSince { id: "n2".to_owned(), state: "sent" },
            _ => NotAgain::MayHaveArrived("n2".to_owned()),
        };
        for (occasion, became, expected) in [
            ("credited_1@act-1", Kin::Waits, Err(NotAgain::AskedAlready("credited_1@act-1".to_owned()))),
            ("credited_1@act-1", copy(kind, None), under_way()),
            ("credited_1@act-1", copy(kind, Some(doubtful())), under_way()),
            ("credited_1@act-1", copy(kind, Some(accepted())), Err(arrived.clone())),
            ("credited_1@act-1", copy(kind, lost()), Ok(())),
            ("credited_1@act-1", Kin::NotMade, Ok(())),
            ("credited_2", Kin::Waits, Ok(())),
            ("credited_2@act-1", copy(kind, Some(accepted())), Ok(())),
        ] {
            let play = after(kind, lost());
            let kin = [(request(kind, "credited_1"), Kin::Made(Box::new(play.notice.clone())))];
            let kin: Vec<_> = kin.into_iter().chain([(request(kind, occasion), became.clone())]).collect();
            let asked = again(&play.notice, &[request(kind, "credited_1")], &kin, &play.rules, "act-2");
            assert_eq!(asked.map(|_| ()), expected, "{kind:?} {occasion} {became:?}");
        }
    }
}
