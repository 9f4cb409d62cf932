//! Which notices still have a point when their subject has moved on.

use crate::case_file::ClockKind;
use crate::ids::{ApplicationId, DepartmentId, OfficerId, OperatorId, OrderId};
use crate::notice::{LostPoint, NoticeKind, Present, Standing, standing};
use crate::payout::{Carrier, HoldCode, PayoutState};
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
            assert_eq!(standing(kind, [Present::Payout(&story.payout)]), expected, "{kind:?} of {state:?}");
        }
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
        let of = |kind| standing(kind, [Present::Alert(&alert)]);
        assert_eq!([ReviewDueSoon, ReviewOverdue, ReviewEscalated, ReviewCleared].map(of), expected);
    }
    // Of several in one notice one is enough.
    let (over, open) = (alert(Level::Rung(0), Some(Cleared::Met)), alert(Level::Rung(0), None));
    let both = [Present::Alert(&over), Present::Alert(&open)];
    assert_eq!(standing(ReviewOverdue, both), Standing::Stands);
    assert_eq!(standing(ReviewOverdue, [Present::Alert(&over); 2]), cleared);
    assert_eq!(standing(ReviewOverdue, [Present::Nothing]), Standing::Stands);
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
    let replied = Order { steps: vec![reply], ..issued.clone() };
    let closed = Order { closed: Some(Closing { by, at: at(2), reason: "done".to_owned() }), ..replied.clone() };
    let lost = Standing::Lost(LostPoint::OrderMoved);
    for (order, expected) in [
        (&issued, [Standing::Stands, lost, Standing::Stands, Standing::Stands]),
        (&replied, [lost, Standing::Stands, lost, Standing::Stands]),
        (&closed, [lost, lost, lost, Standing::Stands]),
    ] {
        let of = |kind| standing(kind, [Present::Order(order)]);
        assert_eq!([OrderIssued, OrderReplied, OrderReturned, OrderClosed].map(of), expected);
    }
}
