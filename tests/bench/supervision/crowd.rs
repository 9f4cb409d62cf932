//! As many reviews under way as wanted, written straight into the tables as intake and looks would have left them.

use super::place::Place;
use jiff::{SignedDuration, Timestamp};
use sqlx::AssertSqlSafe;
use zhida_core::case_file::{Actor, CaseNote, ReviewTerms, Said};
use zhida_core::ids::{ApplicationId, FundId, PolicyId};
use zhida_core::money::Fen;
use zhida_core::ports::bank::Debtor;
use zhida_core::steps::{Arrival, Fact, Fund, Policy};
use zhida_schemas::review::Stage;

/// Clocks that are due in a sweep: those of steps that are due soon at this moment.
pub(super) const DUE: usize = 1_000;

/// A Tuesday's close.
pub(super) const CLOSE: &str = "2026-11-24T17:30";

/// Clocks that run in each application: its step, the whole review as promised and by law. Its acceptance is met.
const RUNNING: usize = 3;

pub(super) fn application(number: usize) -> ApplicationId {
    ApplicationId(format!("A-2026-{number:07}"))
}

fn officer() -> Actor {
    Actor { department_id: "D-SCI".to_owned(), officer_id: "O-101".to_owned() }
}

fn assigned(days: u16) -> Said {
    Said::Assigned { to: officer(), stage: Stage::First, due_working_days: Some(days) }
}

/// Applications with so many clocks; every so-and-so-many-th has a step of two working days, which is due soon at the close, the
/// others have more time.
pub(super) async fn load(place: &Place, clocks: usize) {
    let applications = clocks.div_ceil(RUNNING);
    let every = (applications / DUE).max(1);
    let started = place.moment("2026-11-23T09:30").as_microsecond();
    let close = place.moment(CLOSE).as_microsecond();
    let json = |said: &Said| serde_json::to_string(said).unwrap();
    let submitted =
        Said::Submitted { policy_id: PolicyId::from("P-1"), uscc: "91350100M000100Y43".to_owned(), mode: None };
    let said = [json(&submitted), json(&Said::Accepted(officer())), json(&assigned(20)), json(&assigned(2))];
    let is_due = format!("(n % {every} = 0 and n / {every} <= {DUE})");
    let names = format!(
        "select n, 'A-2026-' || lpad(n::text, 7, '0') as id, {is_due} as due \
        from generate_series(1::bigint, {applications}) n"
    );
    // Started within the same hour; the look of the others comes within the next weeks.
    let at = format!("{started} + n % 3600 * 1000000");
    let look_at = format!("case when due then {close} else {close} + (1 + n % 20) * 86400000000::bigint + n end");
    let event = |name: &str, said: &str| {
        format!(
            "insert into case_events (source, event_id, application_id, at, received_at, said) \
         select '/review/bench', '{name}-' || n, id, {at}, {at}, {said} from ({names}) all_of_them"
        )
    };
    let clock = |clock: &str, kind: &str, state: &str, deadline: &str, ended: &str| {
        format!(
            "insert into clocks (application_id, clock, kind, department_id, officer_id, state, started_at, due_soon_at, deadline, \
         ended_at, provisional) select id, '{clock}', '{kind}', 'D-SCI', 'O-101', '{state}', {at}, {look_at}, \
         {deadline}, {ended}, false from ({names}) all_of_them"
        )
    };
    let later = format!("{look_at} + 86400000000");
    let met = format!("{at} + 1");
    for (sql, said) in [
        (event("submitted", "$1"), said[0].clone()),
        (event("accepted", "$1"), said[1].clone()),
        (event("assigned", &format!("case when due then '{}' else $1 end", said[3])), said[2].clone()),
        (
            format!(
                "insert into case_files (application_id, policy_id, uscc, standing, submitted_at, accepted_at, returns, \
             supplements, findings, calendar_version, looked_at, look_at, at_rest, looked_by) \
             select id, 'P-1', '91350100M000100Y43', 'in_review', {at}, {at}, 0, 0, '[]', $1, {at}, {look_at}, false, \
             (select max(sequence) from journal where subject in ('organisation', 'calendar')) \
             from ({names}) all_of_them"
            ),
            "cn".to_owned(),
        ),
        (clock("acceptance:1", "acceptance", "met", &later, &met), String::new()),
        (clock("review:1", "review", "running", &later, "null"), String::new()),
        (clock("legal:1", "legal", "running", &later, "null"), String::new()),
        (clock("step:first:D-SCI:1", "step", "running", &later, "null"), String::new()),
    ] {
        let query = sqlx::query(AssertSqlSafe(sql.clone()));
        let query = if sql.contains("$1") { query.bind(said) } else { query };
        query.execute(&place.pool).await.unwrap();
    }
    place.execute("vacuum analyze").await;
}

/// An application that was assigned on the day before, and is heard of now.
pub(super) fn one_more(now: Timestamp) -> Vec<Arrival> {
    let at = now - SignedDuration::from_hours(32);
    let submitted =
        Said::Submitted { policy_id: PolicyId::from("P-1"), uscc: "91350100M000100Y43".to_owned(), mode: None };
    let events = [("submitted", submitted), ("accepted", Said::Accepted(officer())), ("assigned", assigned(2))];
    events.map(|(name, said)| arrival(0, name, at, said)).to_vec()
}

/// An event as it comes from the door.
pub(super) fn arrival(number: usize, name: &str, at: Timestamp, said: Said) -> Arrival {
    let id = application(number);
    let body = serde_json::json!({"specversion": "1.0", "id": format!("{name}-{id}"), "source": "/review/bench", "type": name,
        "subject": id, "time": at, "datacontenttype": "application/json", "keyid": "review",
        "signature": "3_bOX5CQJq8VkI-tGgtDpcN1B9vI-B1nom-GUQrgALwkjBtiTvf6-DSBW0RQWaMKJ6d4unrLvquvy01y1v96DQ", "data": said});
    Arrival {
        source: "/review/bench".to_owned(),
        event_id: format!("{name}-{id}"),
        event_type: format!("application.{name}.v1"),
        subject: id.0.clone(),
        keyid: "review".to_owned(),
        content_sha256: format!("{:0>64}", format!("{name}{number}")),
        body: body.to_string().into_bytes(),
        way: "amqp".to_owned(),
        contacts: None,
        fact: Fact::Other,
        case: Some(CaseNote { application_id: id, at, said }),
    }
}

pub(super) fn fund() -> Fund {
    Fund {
        id: FundId::from("F-1"),
        name: "惠企资金".to_owned(),
        currency: "CNY".to_owned(),
        appropriated: Fen(100_000_000_000),
        committed: Fen::ZERO,
        debtor: Debtor {
            name: "示例区财政局".to_owned(),
            account_no: "1100000000000000001".to_owned(),
            bank_code: "102100099996".to_owned(),
        },
        budget_document: None,
    }
}

pub(super) fn policy() -> Policy {
    Policy {
        id: PolicyId::from("P-1"),
        title: "稳岗补贴".to_owned(),
        department_id: "D-SCI".to_owned(),
        fund_id: FundId::from("F-1"),
        valid_from: jiff::civil::date(2020, 1, 1),
        valid_to: None,
        cap_per_application: None,
        cap_per_enterprise_per_year: None,
        release_limit: None,
        commitment_required: false,
        review: ReviewTerms { review_working_days: 20, legal_working_days: Some(30), ..ReviewTerms::default() },
    }
}
