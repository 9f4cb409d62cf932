//! What is told once more when a person asks for it.

use super::{Play, accepted, doubtful, refused};
use crate::ids::ApplicationId;
use crate::notice::{NotAgain, NoticeKind, NoticeRequest, again};
use crate::ports::sms::RefusalClass;

#[test]
fn an_act_asks_once_more_and_what_is_served_is_not_served_twice() {
    let credited = NoticeKind::PayoutCredited;
    let served = NoticeKind::IntegrityNotified;
    for (kind, outcome, expected) in [
        (credited, None, Err(NotAgain::UnderWay)),
        (credited, Some(doubtful()), Err(NotAgain::UnderWay)),
        (credited, Some(accepted()), Ok(())),
        (credited, Some(refused(RefusalClass::Recipient)), Ok(())),
        (served, Some(accepted()), Err(NotAgain::MayHaveArrived)),
        (served, Some(refused(RefusalClass::Recipient)), Ok(())),
    ] {
        let mut play = Play::sms(kind);
        play.take();
        if let Some(outcome) = outcome.clone() {
            play.ends("n1", outcome);
        }
        let request = NoticeRequest {
            kind,
            subject: "A-1".to_owned(),
            recipient: "91350100M000100Y43".to_owned(),
            occasion: "credited_1".to_owned(),
            application_id: ApplicationId::from("A-1"),
        };
        let asked = again(&play.notice, std::slice::from_ref(&request), &play.rules, "act-1");
        assert_eq!(asked.clone().map(|_| ()), expected, "{kind:?} {outcome:?}");
        if let Ok(asked) = asked {
            assert_eq!(asked[0].occasion, "credited_1@act-1");
            let twice = again(&play.notice, &asked, &play.rules, "act-2").unwrap();
            assert_eq!(twice[0].occasion, "credited_1@act-2");
        }
    }
}
