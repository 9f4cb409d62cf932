//! The district of one history: who works there and who is away, which days are worked, what the policies promise; and what
//! happens to all of it, with the moments at which it does.

use super::stories::{DEPARTMENTS, Told, stories};
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::collections::BTreeMap;
use zhida_config::Calendar;
use zhida_config::calendar::DayKind;
use zhida_core::case_file::ReviewTerms;
use zhida_core::ids::{ApplicationId, DepartmentId, FundId, OfficerId, PolicyId};
use zhida_core::money::Fen;
use zhida_core::organisation::{Absence, Department, Officer, OfficerRole, Organisation};
use zhida_core::ports::bank::Debtor;
use zhida_core::rules::Rules;
use zhida_core::steps::{Arrival, Fund, Policy};
use zhida_schemas::review::Stage;

/// Something from outside.
#[derive(Clone, Debug)]
pub(super) enum Outside {
    /// A sender publishes this event, perhaps not for the first time.
    Publish(usize),
    /// This organisation is imported.
    Organisation(usize),
    /// This calendar is imported.
    Calendar(usize),
    /// These policies are imported.
    Policies(usize),
    /// The bank has credited the award.
    Credited(ApplicationId),
    /// Somebody takes notice of an alert, whoever it is and whether or not they may.
    Acknowledge,
    /// Every worker stands still for that long.
    Outage(SignedDuration),
    /// The database's clock is set back by that much.
    SetBack(SignedDuration),
}

/// The district.
pub(super) struct District {
    pub(super) start: Timestamp,
    pub(super) events: Vec<Arrival>,
    pub(super) organisations: Vec<Organisation>,
    pub(super) calendars: Vec<Calendar>,
    pub(super) policies: Vec<Vec<Policy>>,
    pub(super) fund: Fund,
    /// What happens when, in this order.
    pub(super) plan: Vec<(Timestamp, Outside)>,
}

/// Monday mornings before: nothing; the New Year with its Sunday worked in exchange; National Day; a year that no calendar has.
const STARTS: [(i16, i8, i8); 4] = [(2026, 11, 23), (2025, 12, 29), (2026, 9, 28), (2026, 12, 28)];

impl District {
    pub(super) fn invent(rng: &mut fastrand::Rng, rules: &Rules) -> Self {
        let (year, month, day) = STARTS[rng.usize(0..STARTS.len())];
        let first = date(year, month, day);
        let start = rules.zone.to_timestamp(first.at(9, 0, 0, 0)).expect("a moment of these years");
        let mut plan = Vec::new();
        let mut events = Vec::new();
        for Told { arrival, published } in stories(rng, start) {
            plan.extend(published.into_iter().map(|at| (at.max(start), Outside::Publish(events.len()))));
            events.push(arrival);
        }
        let within = |rng: &mut fastrand::Rng| start + SignedDuration::from_mins(rng.i64(0..14 * 1_440));
        let organisations: Vec<Organisation> = (0..rng.usize(1..4)).map(|_| organisation(rng, first)).collect();
        for place in 0..organisations.len() {
            let at = if place == 0 && rng.u8(0..4) > 0 { start } else { within(rng) };
            plan.push((at, Outside::Organisation(place)));
        }
        let calendars: Vec<Calendar> = (0..rng.usize(0..3)).map(|number| calendar(rng, first, number)).collect();
        plan.extend((0..calendars.len()).map(|place| (within(rng), Outside::Calendar(place))));
        let policies = vec![policies(rng), policies(rng)];
        plan.push((start, Outside::Policies(0)));
        if rng.bool() {
            plan.push((within(rng), Outside::Policies(1)));
        }
        for number in 0..3 {
            if rng.bool() {
                plan.push((within(rng), Outside::Credited(ApplicationId(format!("A-{number}")))));
            }
        }
        plan.extend((0..rng.usize(0..6)).map(|_| (within(rng), Outside::Acknowledge)));
        plan.extend((0..rng.usize(0..3)).map(|_| {
            let length = SignedDuration::from_hours(rng.i64(1..60));
            (within(rng), Outside::Outage(length))
        }));
        if rng.u8(0..4) == 0 {
            plan.push((within(rng), Outside::SetBack(SignedDuration::from_mins(rng.i64(1..180)))));
        }
        plan.sort_by_key(|(at, _)| *at);
        Self { start, events, organisations, calendars, policies, fund: fund(), plan }
    }
}

/// Two departments below a third, which has no head of its own; people come and go.
fn organisation(rng: &mut fastrand::Rng, first: Date) -> Organisation {
    let department = |id: &str, parent: Option<&str>| Department {
        id: DepartmentId::from(id),
        name: id.to_owned(),
        parent_id: parent.map(DepartmentId::from),
    };
    let departments = [department("D-1", None), department("D-2", Some("D-1")), department("D-3", Some("D-1"))];
    let mut people = DEPARTMENTS.map(|(department, id)| (id, department, OfficerRole::Officer)).to_vec();
    people.extend([("H-1", "D-1", OfficerRole::Head), ("H-3", "D-3", OfficerRole::Head)]);
    people.extend([("S-1", "D-1", OfficerRole::Supervisor), ("S-2", "D-1", OfficerRole::Supervisor)]);
    people.push(("I-1", "D-1", OfficerRole::Inspector));
    let mut officers = BTreeMap::new();
    for (id, department, role) in people {
        if rng.u8(0..7) == 0 {
            continue;
        }
        let absence = |rng: &mut fastrand::Rng| {
            let from = first + rng.i64(0..20).days();
            Absence { from, to: from + rng.i64(0..6).days() }
        };
        let substitute = ["O-1", "O-2", "H-1", "S-1", "S-2", "I-1"][rng.usize(0..6)];
        let officer = Officer {
            id: OfficerId::from(id),
            name: id.to_owned(),
            department_id: DepartmentId::from(department),
            role,
            mobile: None,
            email: None,
            substitute_id: Some(OfficerId::from(substitute)).filter(|other| rng.bool() && other.as_str() != id),
            absent: (0..rng.usize(0..3)).map(|_| absence(rng)).collect(),
        };
        officers.insert(officer.id.clone(), officer);
    }
    let departments = departments.into_iter().map(|one| (one.id.clone(), one)).collect();
    Organisation { departments, officers, ladders: BTreeMap::new() }
}

/// The year of the history and the next one, with some days more off than known, and some holidays taken away.
fn calendar(rng: &mut fastrand::Rng, first: Date, number: usize) -> Calendar {
    let known = Calendar::mainland_china().expect("the embedded calendar is read by its own tests");
    let mut text = format!("version,sim-{number}\n");
    for year in [first.year(), first.year() + 1] {
        text.push_str(&format!("year,{year},sim\n"));
    }
    let mut days: BTreeMap<Date, DayKind> = BTreeMap::new();
    let of_these = |day: &Date| [first.year(), first.year() + 1].contains(&day.year());
    days.extend(known.days().iter().filter(|(day, _)| of_these(day)).map(|(day, it)| (*day, it.kind)));
    for _ in 0..rng.usize(1..5) {
        let day = first + rng.i64(0..16).days();
        if days.remove(&day).is_none() {
            days.insert(day, DayKind::Off);
        }
    }
    for (day, kind) in days {
        let word = match kind {
            DayKind::Off => "off",
            DayKind::Work => "work",
        };
        text.push_str(&format!("{word},{day},sim\n"));
    }
    Calendar::parse(&text).expect("a lawful calendar")
}

fn policies(rng: &mut fastrand::Rng) -> Vec<Policy> {
    let mut policy = |id: &str, department: &str| Policy {
        id: PolicyId::from(id),
        title: format!("政策 {id}"),
        department_id: department.to_owned(),
        fund_id: FundId::from("F-1"),
        valid_from: date(2020, 1, 1),
        valid_to: None,
        cap_per_application: None,
        cap_per_enterprise_per_year: None,
        release_limit: None,
        commitment_required: false,
        review: ReviewTerms {
            review_working_days: rng.u16(1..6),
            step_working_days: [(Stage::First, rng.u16(1..3))].into(),
            legal_working_days: [None, Some(8)][rng.usize(0..2)],
            ..ReviewTerms::default()
        },
    };
    vec![policy("P-1", "D-1"), policy("P-2", "D-2")]
}

fn fund() -> Fund {
    let debtor =
        Debtor { name: "区财政局".to_owned(), account_no: "100".to_owned(), bank_code: "102100099996".to_owned() };
    Fund {
        id: FundId::from("F-1"),
        name: "惠企资金".to_owned(),
        currency: "CNY".to_owned(),
        appropriated: Fen(100_000_000),
        committed: Fen::ZERO,
        debtor,
        budget_document: None,
    }
}
