//! Orders as stories: issued, answered, returned, closed, each by those who may.

use super::watch::Watch;
use super::{stalled, supervisor};
use crate::case_file::{ClockState, Counting};
use crate::ids::{ApplicationId, OfficerId, OperatorId, OrderId};
use crate::patterns::{Evidence, Found, Judgement, Pattern, PatternState, Rule, Seal, Subject};
use crate::steps::{Operator, Role};
use crate::supervision::Cleared;
use crate::supervision::{
    Audience, Case, Deed, District, Loaded, NewOrder, Occasion, Order, OrderState, SupervisionAct, SupervisionRefused,
    act, look,
};
use crate::working_time::tests::local;

const ISSUED: &str = "2026-11-25T09:00";

fn person(id: &str, role: Role) -> Operator {
    Operator { role, ..supervisor(id) }
}

/// An act of somebody at a moment.
fn done(
    watch: &Watch,
    who: &Operator,
    what: &SupervisionAct,
    loaded: Loaded,
    now: &str,
) -> Result<Deed, SupervisionRefused> {
    let (organisation, time, rules) = (&watch.organisation, watch.time(), &watch.rules);
    act(who, what, "why", loaded, District { rules, organisation, time, now: local(now) })
}

fn new(addressee: &str, occasion: Occasion) -> SupervisionAct {
    let addressee = OfficerId::from(addressee);
    SupervisionAct::IssueOrder(NewOrder { occasion, addressee, working_days: 2 })
}

fn of_alert(watch: &mut Watch) -> Loaded {
    watch.look("2026-11-24T17:30");
    let id = watch.open("step:first:D1:1");
    Loaded { alert: watch.alert(&id), next_order: 7, ..Loaded::default() }
}

fn issued(watch: &mut Watch) -> Order {
    let loaded = of_alert(watch);
    let occasion = Occasion::Alert("AL-1".to_owned());
    done(watch, &supervisor("S-1"), &new("O-D1", occasion), loaded, ISSUED).unwrap().order.unwrap()
}

fn with(order: &Order) -> Loaded {
    Loaded { order: Some(order.clone()), ..Loaded::default() }
}

/// A pattern for these eyes.
fn pattern_for(audience: Audience) -> Pattern {
    let (rule, subject) = match audience {
        Audience::Supervision => (Rule::PingPong, Subject::Application("A-1".into())),
        Audience::Inspection => (Rule::OfficerTimes, Subject::Officer("O-D1".into())),
    };
    let (key, chinese, english) = ("the key".to_owned(), "值得核实".to_owned(), "worth a look".to_owned());
    let found = Found { rule, key, subject, evidence: Evidence::default(), chinese, english };
    Pattern::new(found, &Seal::new("a secret of tests"), local(ISSUED))
}

fn reply() -> SupervisionAct {
    SupervisionAct::ReplyOrder { order_id: "SO-7".to_owned(), measure: "done by Friday".to_owned() }
}

fn send_back() -> SupervisionAct {
    SupervisionAct::ReturnOrder { order_id: "SO-7".to_owned(), working_days: 1 }
}

fn close() -> SupervisionAct {
    SupervisionAct::CloseOrder { order_id: "SO-7".to_owned() }
}

fn outcome(done: &Result<Deed, SupervisionRefused>) -> &'static str {
    match done {
        Ok(_) => "done",
        Err(SupervisionRefused::Role { .. }) => "role",
        Err(SupervisionRefused::NoSuchAlert(_)) => "no such alert",
        Err(SupervisionRefused::NoSuchOrder(_)) => "no such order",
        Err(SupervisionRefused::NoSuchPattern(_)) => "no such pattern",
        Err(SupervisionRefused::NotAcknowledged(_)) => "not acknowledged",
        Err(SupervisionRefused::NotJudged(_)) => "not judged",
        Err(SupervisionRefused::AddresseeUnknown(_)) => "addressee unknown",
        Err(SupervisionRefused::AddresseeSupervises(_)) => "addressee supervises",
        Err(SupervisionRefused::Term(_)) => "term",
        Err(SupervisionRefused::NotTheAddressee { .. }) => "not the addressee",
        Err(SupervisionRefused::OwnAnswer(_)) => "own answer",
        Err(SupervisionRefused::NothingToReturn(..)) => "nothing to return",
        Err(SupervisionRefused::Closed(_)) => "closed",
    }
}

#[test]
fn an_order_is_issued_answered_returned_answered_and_closed() {
    let mut watch = stalled();
    let order = issued(&mut watch);
    assert_eq!((order.id, order.state(), order.department_id.as_str()), (OrderId(7), OrderState::Issued, "D1"));
    assert_eq!(order.matter(), ApplicationId::from("A-1"));
    let officer = person("O-D1", Role::Officer);
    let replied = done(&watch, &officer, &reply(), with(&order), "2026-11-25T10:00").unwrap();
    assert_eq!(replied.notices[0].recipient, "S-1", "whoever issued it hears of the answer");
    let replied = replied.order.unwrap();
    assert_eq!(replied.state(), OrderState::Replied);
    let returned = done(&watch, &supervisor("S-2"), &send_back(), with(&replied), "2026-11-25T10:00").unwrap();
    let returned = returned.order.unwrap();
    assert_eq!(returned.state(), OrderState::Issued, "also in the same moment as the answer");
    assert_eq!(returned.term(), (local("2026-11-25T10:00"), 1));
    let again = done(&watch, &officer, &reply(), with(&returned), "2026-11-26T10:00").unwrap().order.unwrap();
    assert_eq!(again.state(), OrderState::Replied);
    let closed = done(&watch, &supervisor("S-1"), &close(), with(&again), "2026-11-27T10:00").unwrap();
    assert_eq!(closed.order.as_ref().unwrap().state(), OrderState::Closed);
    let mut kinds: Vec<&str> = [&closed].iter().flat_map(|deed| &deed.journal).map(|row| row.kind.as_str()).collect();
    kinds.dedup();
    assert_eq!(kinds, ["order.closed"]);
    let over = closed.order.unwrap();
    for what in [reply(), send_back(), close()] {
        let who = if what == reply() { &officer } else { &supervisor("S-1") };
        assert_eq!(outcome(&done(&watch, who, &what, with(&over), "2026-11-27T11:00")), "closed");
    }
}

#[test]
fn who_may_do_what_with_orders() {
    let mut watch = stalled();
    let order = issued(&mut watch);
    let answered = done(&watch, &person("O-D1", Role::Officer), &reply(), with(&order), "2026-11-25T10:00");
    let answered = answered.unwrap().order.unwrap();
    let inspectors = Order { audience: Audience::Inspection, ..answered.clone() };
    let own = Order { addressee: OfficerId::from("S-1"), ..answered.clone() };
    for (who, role, what, order, expected) in [
        ("O-D1", Role::Officer, reply(), &order, "done"),
        ("H-1", Role::Officer, reply(), &order, "not the addressee"),
        ("O-D1", Role::Auditor, reply(), &order, "role"),
        ("O-D1", Role::Officer, close(), &answered, "role"),
        ("O-D1", Role::Officer, send_back(), &answered, "role"),
        ("R-1", Role::Releaser, close(), &answered, "role"),
        ("S-1", Role::Supervisor, close(), &order, "done"), // settled otherwise
        ("S-1", Role::Supervisor, send_back(), &order, "nothing to return"),
        ("S-1", Role::Supervisor, close(), &inspectors, "no such order"),
        ("S-1", Role::Supervisor, send_back(), &inspectors, "no such order"),
        ("I-1", Role::Inspector, close(), &inspectors, "done"),
        ("O-D1", Role::Officer, reply(), &inspectors, "done"),
        ("S-1", Role::Supervisor, close(), &own, "own answer"),
        ("O-D1", Role::Supervisor, close(), &answered, "own answer"),
    ] {
        let answer = done(&watch, &person(who, role), &what, with(order), "2026-11-25T11:00");
        assert_eq!(outcome(&answer), expected, "{who} {role:?} {what:?}: {answer:?}");
    }
}

#[test]
fn who_may_issue_what_to_whom() {
    let mut watch = stalled();
    let loaded = of_alert(&mut watch);
    let of_pattern = |audience| Loaded { pattern: Some(pattern_for(audience)), next_order: 7, ..Loaded::default() };
    let alert = Occasion::Alert("AL-1".to_owned());
    let pattern = || Occasion::Pattern("PT-1".to_owned());
    let nothing = Loaded { next_order: 7, ..Loaded::default() };
    for (role, occasion, to, loaded, expected) in [
        (Role::Supervisor, alert.clone(), "O-D1", &loaded, "done"),
        (Role::Inspector, alert.clone(), "H-1", &loaded, "done"),
        (Role::Officer, alert.clone(), "O-D1", &loaded, "role"),
        (Role::Releaser, alert.clone(), "O-D1", &loaded, "role"),
        (Role::Supervisor, alert.clone(), "O-99", &loaded, "addressee unknown"),
        (Role::Supervisor, alert.clone(), "S-2", &loaded, "addressee supervises"),
        (Role::Supervisor, alert, "O-D1", &nothing, "no such alert"),
        (Role::Supervisor, pattern(), "O-D1", &of_pattern(Audience::Supervision), "done"),
        (Role::Supervisor, pattern(), "O-D1", &of_pattern(Audience::Inspection), "no such pattern"),
        (Role::Inspector, pattern(), "O-D1", &of_pattern(Audience::Inspection), "done"),
        (Role::Supervisor, pattern(), "O-D1", &nothing, "no such pattern"),
    ] {
        let answer = done(&watch, &person("S-1", role), &new(to, occasion.clone()), loaded.clone(), ISSUED);
        assert_eq!(outcome(&answer), expected, "{role:?} {occasion:?} {to}: {answer:?}");
    }
    for working_days in [0, 61] {
        let occasion = Occasion::Alert("AL-1".to_owned());
        let what = SupervisionAct::IssueOrder(NewOrder { occasion, addressee: "O-D1".into(), working_days });
        assert_eq!(outcome(&done(&watch, &supervisor("S-1"), &what, loaded.clone(), ISSUED)), "term");
    }
}

#[test]
fn a_substitute_answers_for_the_addressee() {
    let mut watch = stalled();
    let order = issued(&mut watch);
    let stand_in = person("O-D2", Role::Officer);
    let before = done(&watch, &stand_in, &reply(), with(&order), "2026-11-25T10:00");
    assert_eq!(outcome(&before), "not the addressee");
    watch.organisation.officers.get_mut(&OfficerId::from("O-D1")).unwrap().substitute_id = Some("O-D2".into());
    let answered = done(&watch, &stand_in, &reply(), with(&order), "2026-11-25T10:00").unwrap().order.unwrap();
    assert_eq!(answered.state(), OrderState::Replied);
    let judged = done(&watch, &person("O-D2", Role::Supervisor), &close(), with(&answered), "2026-11-25T11:00");
    assert_eq!(outcome(&judged), "own answer");
}

#[test]
fn a_late_answer_climbs_the_ladder_of_its_addressee() {
    let mut watch = stalled();
    let order = issued(&mut watch);
    // Alone, without the application: an order from a pattern about none.
    let order = Order { application_id: None, ..order };
    let (organisation, time, rules) = (&watch.organisation, watch.time(), &watch.rules);
    let counting: &Counting = &rules.counting;
    assert_eq!(order.clock().read(time, counting).deadline, local("2026-11-27T17:30"), "the close of the second day");
    let mut case = Case { orders: vec![order.clone()], ..Case::default() };
    let mut told = Vec::new();
    for now in ["2026-11-26T17:30", "2026-11-27T17:30", "2026-11-30T15:00", "2026-12-01T10:30"] {
        let district = District { rules, organisation, time, now: local(now) };
        let seen = look(&order.matter(), case.clone(), district);
        told.extend(seen.notices.iter().map(|one| format!("{} {}", one.recipient, one.occasion)));
        for event in &seen.world {
            assert_eq!(event.data["order_id"], "SO-7");
            assert_eq!(event.data.get("application_id"), None, "an order is no application");
        }
        case.alerts = seen.alerts;
    }
    assert_eq!(told, ["O-D1 due_soon", "O-D1 overdue", "H-1 escalated_1", "S-1 escalated_2", "S-2 escalated_2"]);
    let officer = person("O-D1", Role::Officer);
    let answered = done(&watch, &officer, &reply(), with(&order), "2026-12-01T11:00").unwrap().order.unwrap();
    let district = District { rules, organisation, time, now: local("2026-12-01T11:00") };
    let seen = look(&order.matter(), Case { orders: vec![answered], ..case }, district);
    assert_eq!(seen.clocks[0].state, ClockState::MetLate);
    assert!(seen.alerts[0].cleared.is_some(), "the answer clears the alert");
}

#[test]
fn what_is_for_inspectors_says_nothing_outside() {
    let watch = stalled();
    let pattern = Some(pattern_for(Audience::Inspection));
    let loaded = Loaded { pattern, next_order: 7, ..Loaded::default() };
    let what = new("O-D1", Occasion::Pattern("PT-1".to_owned()));
    let deed = done(&watch, &person("I-1", Role::Inspector), &what, loaded, ISSUED).unwrap();
    let order = deed.order.unwrap();
    assert_eq!((order.audience, &order.issued_by), (Audience::Inspection, &OperatorId::from("I-1")));
    for data in [&deed.world[0].data, &deed.journal[0].detail] {
        for hidden in ["application_id", "pattern_id", "department_id", "addressee_id"] {
            assert_eq!(data.get(hidden), None, "{hidden}");
        }
        assert!(!data.to_string().contains("why"), "{data}");
    }
}

#[test]
fn who_may_judge_which_pattern() {
    let watch = stalled();
    for role in Role::ALL {
        for audience in Audience::ALL {
            let loaded = Loaded { pattern: Some(pattern_for(audience)), ..Loaded::default() };
            let what = SupervisionAct::JudgePattern { pattern_id: "PA-1".to_owned(), judgement: Judgement::Confirmed };
            let expected = match (role, audience) {
                (Role::Inspector, _) | (Role::Supervisor, Audience::Supervision) => "done",
                (Role::Supervisor, Audience::Inspection) => "no such pattern",
                _ => "role",
            };
            let answer = done(&watch, &person("S-1", role), &what, loaded.clone(), ISSUED);
            assert_eq!(outcome(&answer), expected, "{role:?} {audience:?}");
            if let Ok(deed) = answer {
                assert_eq!(deed.pattern.unwrap().state, PatternState::Confirmed);
                let told = deed.journal[0].detail["reason"] == "why";
                assert_eq!(told, audience == Audience::Supervision, "the reason of what is for inspectors stays there");
            }
            let own = done(&watch, &person("O-D1", role), &what, loaded, ISSUED);
            let concerned = expected == "done" && audience == Audience::Inspection;
            assert_eq!(
                outcome(&own),
                if concerned { "not judged" } else { expected },
                "an inspector judged themselves"
            );
        }
    }
}

#[test]
fn a_late_answer_for_inspectors_is_told_to_them_and_names_nobody() {
    let mut watch = stalled();
    let order = Order { audience: Audience::Inspection, application_id: None, ..issued(&mut watch) };
    let (organisation, time, rules) = (&watch.organisation, watch.time(), &watch.rules);
    let district = |now: &str| District { rules, organisation, time, now: local(now) };
    let mut case = Case { orders: vec![order.clone()], ..Case::default() };
    let mut told = Vec::new();
    for now in ["2026-11-26T17:30", "2026-11-27T17:30", "2026-11-30T15:00"] {
        let seen = look(&order.matter(), case.clone(), district(now));
        told.extend(seen.notices.iter().map(|one| format!("{} {}", one.recipient, one.occasion)));
        let shown = format!("{:?} {:?} {:?} {:?}", seen.alerts, seen.clocks, seen.journal, seen.world);
        assert!(!shown.contains("O-D1") && !shown.contains("D1"), "{shown}");
        case.alerts = seen.alerts;
    }
    assert_eq!(told, ["I-1 due_soon", "O-D1 due_soon", "I-1 overdue", "O-D1 overdue", "I-1 escalated_1"]);
    let alert = case.alerts.pop().unwrap();
    let loaded =
        || Loaded { alert: Some(alert.clone()), order: Some(order.clone()), next_order: 8, ..Loaded::default() };
    let acknowledge = SupervisionAct::Acknowledge { alert_id: alert.id.clone(), working_hours: 8 };
    let order_about_it = new("H-1", Occasion::Alert(alert.id.clone()));
    for what in [&acknowledge, &order_about_it] {
        assert_eq!(outcome(&done(&watch, &supervisor("S-1"), what, loaded(), "2026-11-30T15:00")), "no such alert");
    }
    let inspector = person("I-1", Role::Inspector);
    assert_eq!(outcome(&done(&watch, &inspector, &acknowledge, loaded(), "2026-11-30T15:00")), "done");
    let second = done(&watch, &inspector, &order_about_it, loaded(), "2026-11-30T15:00").unwrap().order.unwrap();
    assert_eq!(second.audience, Audience::Inspection, "what is about a secret is one");
    let strangers = done(&watch, &person("H-1", Role::Officer), &reply(), with(&order), "2026-11-30T15:00");
    assert_eq!(outcome(&strangers), "no such order");
    let answered = done(&watch, &person("O-D1", Role::Officer), &reply(), with(&order), "2026-11-30T15:00").unwrap();
    assert_eq!((&answered.world[0].data["by"], answered.journal[0].by.as_str()), (&"addressee".into(), "addressee"));
}

#[test]
fn an_order_to_somebody_on_leave_is_told_to_who_stands_in() {
    let mut watch = stalled();
    watch.absent("O-D1", "2026-11-24", "2026-11-30", "O-D2");
    let loaded = of_alert(&mut watch);
    let deed = done(&watch, &supervisor("S-1"), &new("O-D1", Occasion::Alert("AL-1".to_owned())), loaded, ISSUED);
    let told: Vec<String> = deed.unwrap().notices.into_iter().map(|one| one.recipient).collect();
    assert_eq!(told, ["O-D1", "O-D2"]);
    assert_eq!(watch.organisation.answers_for(&"O-D2".into()), ["O-D2".into(), OfficerId::from("O-D1")]);
}

#[test]
fn a_late_answer_that_is_returned_at_once_has_been_an_answer() {
    let mut watch = stalled();
    let order = Order { application_id: None, ..issued(&mut watch) };
    let (organisation, time, rules) = (&watch.organisation, watch.time(), &watch.rules);
    let district = |now: &str| District { rules, organisation, time, now: local(now) };
    let late =
        look(&order.matter(), Case { orders: vec![order.clone()], ..Case::default() }, district("2026-11-30T09:00"));
    let officer = person("O-D1", Role::Officer);
    let answered = done(&watch, &officer, &reply(), with(&order), "2026-11-30T10:00").unwrap().order.unwrap();
    let back = done(&watch, &supervisor("S-1"), &send_back(), with(&answered), "2026-11-30T10:01").unwrap();
    let case = Case { orders: back.order.into_iter().collect(), alerts: late.alerts, ..Case::default() };
    let seen = look(&order.matter(), case, district("2026-11-30T10:02"));
    assert_eq!(seen.alerts[0].cleared.map(|(_, why)| why), Some(Cleared::Met));
}
