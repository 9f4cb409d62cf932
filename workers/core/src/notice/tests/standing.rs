//! Which notices still have a point when their subject has moved on.

use crate::case_file::ClockKind;
use crate::ids::{ApplicationId, DepartmentId, OfficerId, OperatorId, OrderId};
use crate::notice::{LostPoint, NoticeKind, NoticeRequest, Present, Standing, standing};
use crate::payout::{Alert as Told, Carrier, HoldCode, PayoutState};
use crate::scenery::{Story, at, rules, settled};
use crate::supervision::{Alert, Audience, Cleared, Closing, Level, Occasion, Order, OrderStep, Raised};

#[test]
fn a_payout_notice_says_what_is_so() {
    use NoticeKind::{PayoutCredited, PayoutHeld, PayoutLate, PayoutReceived, PayoutRefused, PayoutReturned};
    let ready = || Story::ready(rules());
    let held = |code| {
        let mut story = ready();
        story.is_held(code);
        story
    };
    let paid = || {
        let mut story = ready();
        story.claim().unwrap();
        story.says(1, settled(), Carrier::Answer);
        story
    };
    let mut refused = ready();
    refused.refused("AC01");
    let mut back = paid();
    back.says(1, crate::scenery::returned(), Carrier::Statement);
    for (story, state, with_point) in [
        (ready(), PayoutState::Ready, &[PayoutReceived, PayoutLate][..]),
        (held(HoldCode::AccountName), PayoutState::Held, &[PayoutHeld, PayoutLate]),
        (held(HoldCode::KeyRevoked), PayoutState::Held, &[PayoutReceived, PayoutLate]),
        (paid(), PayoutState::Settled, &[PayoutCredited]),
        (refused, PayoutState::Refused, &[PayoutRefused]),
        (back, PayoutState::Returned, &[PayoutReturned]),
    ] {
        assert_eq!(story.payout.state(), state);
        for kind in [PayoutReceived, PayoutHeld, PayoutCredited, PayoutRefused, PayoutReturned, PayoutLate] {
            let expected =
                if with_point.contains(&kind) { Standing::Stands } else { Standing::Lost(LostPoint::PayoutMoved) };
            let since = story.payout.holds.values().next().map_or(0, |hold| hold.since.as_microsecond());
            let held_since = format!("account_name.{since}");
            let occasion = match kind {
                PayoutHeld => &held_since,
                PayoutCredited => "credited_1",
                PayoutRefused => "refused_1",
                PayoutReturned => "returned_1",
                _ => "-",
            };
            let of = |occasion| standing([(&request(kind, occasion), Present::Payout(&story.payout))]);
            assert_eq!(of(occasion), expected, "{kind:?} of {state:?}");
            assert_eq!(of(&format!("{occasion}@a-1")), expected, "told again, {kind:?} of {state:?}");
        }
    }
}

fn request(kind: NoticeKind, occasion: &str) -> NoticeRequest {
    NoticeRequest {
        kind,
        subject: "A-1".to_owned(),
        recipient: "r".to_owned(),
        occasion: occasion.to_owned(),
        application_id: ApplicationId::from("A-1"),
    }
}

#[test]
fn what_has_come_round_again_is_told_by_another_notice() {
    let lost = Standing::Lost(LostPoint::PayoutMoved);
    let of =
        |kind, occasion: &str, story: &Story| standing([(&request(kind, occasion), Present::Payout(&story.payout))]);
    let mut held = Story::ready(rules());
    held.is_held(HoldCode::AccountName);
    held.is_held(HoldCode::KeyRevoked);
    let since = held.payout.holds[&HoldCode::AccountName].since.as_microsecond();
    for (occasion, expected) in [
        (format!("account_name.{since}"), Standing::Stands),
        (format!("publicity_open.{since}"), lost),
        ("account_name.1".to_owned(), lost),
    ] {
        assert_eq!(of(NoticeKind::PayoutHeld, &occasion, &held), expected, "{occasion}");
    }
    let mut refused = Story::ready(rules());
    refused.refused("AC01");
    for (occasion, expected) in [("refused_1", Standing::Stands), ("refused_2", lost)] {
        assert_eq!(of(NoticeKind::PayoutRefused, occasion, &refused), expected, "{occasion}");
    }
    let mut paid = Story::ready(rules());
    paid.claim().unwrap();
    paid.says(1, settled(), Carrier::Answer);
    for (occasion, expected) in [("credited_1", Standing::Stands), ("credited_2", lost)] {
        assert_eq!(of(NoticeKind::PayoutCredited, occasion, &paid), expected, "{occasion}");
    }
    paid.says(1, crate::scenery::returned(), Carrier::Statement);
    for (occasion, expected) in [("returned_1", Standing::Stands), ("returned_2", lost)] {
        assert_eq!(of(NoticeKind::PayoutReturned, occasion, &paid), expected, "{occasion}");
    }
}

#[test]
fn no_promise_is_made_that_is_known_to_be_broken() {
    for alert in [Told::RailClosed, Told::Overdue] {
        let mut story = Story::ready(rules());
        let of = |story: &Story| {
            standing([(&request(NoticeKind::PayoutReceived, "received"), Present::Payout(&story.payout))])
        };
        assert_eq!(of(&story), Standing::Stands);
        story.payout.told.insert(Told::AfterHours(12).name());
        assert_eq!(of(&story), Standing::Stands);
        story.payout.told.insert(alert.name());
        assert_eq!(of(&story), Standing::Lost(LostPoint::PayoutMoved), "{alert:?}");
    }
}

fn alert(level: Level, cleared: Option<Cleared>) -> Alert {
    let rung = Raised { level, due_at: at(0), raised_at: at(0), told: Vec::new(), note: None };
    Alert {
        id: "AL-1".to_owned(),
        application_id: ApplicationId::from("A-1"),
        cause: "c".to_owned(),
        clock: "review".to_owned(),
        kind: ClockKind::Review,
        episode: 0,
        department_id: None,
        officer_id: None,
        deadline: at(0),
        raised: vec![rung],
        acknowledged: Vec::new(),
        cleared: cleared.map(|why| (at(1), why)),
    }
}

#[test]
fn an_alert_that_is_over_or_higher_needs_no_earlier_notice() {
    use NoticeKind::{ReviewCleared, ReviewDueSoon, ReviewEscalated, ReviewOverdue};
    let (cleared, climbed) = (Standing::Lost(LostPoint::AlertCleared), Standing::Lost(LostPoint::AlertClimbed));
    for (alert, expected) in [
        (alert(Level::DueSoon, None), [Standing::Stands; 4]),
        (alert(Level::Rung(0), None), [climbed, Standing::Stands, Standing::Stands, Standing::Stands]),
        (alert(Level::Rung(1), Some(Cleared::Met)), [cleared, cleared, cleared, Standing::Stands]),
    ] {
        let of = |kind| standing([(&request(kind, "red"), Present::Alert(&alert))]);
        assert_eq!([ReviewDueSoon, ReviewOverdue, ReviewEscalated, ReviewCleared].map(of), expected);
    }
    // Of several in one notice one is enough.
    let (over, open) = (alert(Level::Rung(0), Some(Cleared::Met)), alert(Level::Rung(0), None));
    let asked = request(ReviewOverdue, "red");
    let of = |presents: &[Present<'_>]| standing(presents.iter().map(|present| (&asked, *present)));
    assert_eq!(of(&[Present::Alert(&over), Present::Alert(&open)]), Standing::Stands);
    assert_eq!(of(&[Present::Alert(&over), Present::Alert(&over)]), cleared);
    assert_eq!(of(&[Present::Nothing]), Standing::Stands);
}

#[test]
fn an_order_is_told_as_it_stands() {
    use NoticeKind::{OrderClosed, OrderIssued, OrderReplied, OrderReturned};
    let issued = Order {
        id: OrderId(7),
        occasion: Occasion::Alert("AL-1".to_owned()),
        application_id: None,
        audience: Audience::Supervision,
        addressee: OfficerId::from("O-1"),
        department_id: DepartmentId::from("D-1"),
        issued_by: OperatorId::from("o-1"),
        issued_at: at(0),
        working_days: 3,
        demand: "why".to_owned(),
        steps: Vec::new(),
        closed: None,
    };
    let by = OperatorId::from("o-2");
    let reply = OrderStep::Replied { by: by.clone(), at: at(1), cause: "c".to_owned(), measure: "m".to_owned() };
    let replied = Order { steps: vec![reply.clone()], ..issued.clone() };
    let back = OrderStep::Returned { by: by.clone(), at: at(2), reason: "why".to_owned(), working_days: 2 };
    let returned = Order { steps: vec![reply, back], ..issued.clone() };
    let closed = Order { closed: Some(Closing { by, at: at(2), reason: "done".to_owned() }), ..replied.clone() };
    let lost = Standing::Lost(LostPoint::OrderMoved);
    for (order, expected) in [
        (&issued, [Standing::Stands, lost, lost, Standing::Stands]),
        (&replied, [lost, Standing::Stands, lost, Standing::Stands]),
        (&returned, [lost, lost, Standing::Stands, Standing::Stands]),
        (&closed, [lost, lost, lost, Standing::Stands]),
    ] {
        let of = |(kind, occasion)| standing([(&request(kind, occasion), Present::Order(order))]);
        let asked = [
            (OrderIssued, "issued_0"),
            (OrderReplied, "replied_1"),
            (OrderReturned, "returned_2"),
            (OrderClosed, "closed_1"),
        ];
        assert_eq!(asked.map(of), expected);
    }
}
