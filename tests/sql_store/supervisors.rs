//! Ten supervision workers on one database at once, while events come in and the organisation is imported anew: every rung of every
//! alert is told once, and nobody is told an error.

use super::place::{Place, approval, fund, policy};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use zhida_adapters::store::SqlStore;
use zhida_config::sample_district::ORGANISATION_TOML;
use zhida_core::case_file::{Actor, CaseNote, Said};
use zhida_core::ids::{ApplicationId, OfficerId, PolicyId};
use zhida_core::organisation::Organisation;
use zhida_core::ports::cases::{AlertFilter, CaseStore};
use zhida_core::ports::store::{IntakeStore, OutboxStore, ReadStore, ReferenceStore, Which};
use zhida_core::ports::supervision::OrganisationStore;
use zhida_core::steps::{Arrival, Fact};
use zhida_schemas::organisation_file::OrganisationFile;
use zhida_schemas::review::{Decision, Stage};

const WORKERS: u32 = 10;
const APPLICATIONS: u32 = 60;

fn event(number: u32, name: &str, at: Timestamp, said: Said) -> Arrival {
    let note = CaseNote { application_id: ApplicationId(format!("A-{number}")), at, said };
    let event_id = format!("{name}-{number}");
    Arrival {
        case: Some(note),
        content_sha256: event_id.clone(),
        event_id,
        fact: Fact::Other,
        ..approval(number, at, "k")
    }
}

fn officer() -> Actor {
    Actor { department_id: "D-SCI".to_owned(), officer_id: "O-101".to_owned() }
}

pub(crate) async fn ten_at_once(place: &Place) {
    let store = place.open().await;
    store.import_policies(&[fund(1_000_000)], &[policy()], "test").await.unwrap();
    let organisation: Organisation = OrganisationFile::parse(ORGANISATION_TOML).unwrap().into();
    store.import_organisation(&organisation, "test").await.unwrap();
    let now = store.now().await.unwrap();
    for number in 1..=APPLICATIONS {
        let (policy_id, stage, to) = (PolicyId::from("P-1"), Stage::First, officer());
        let begun = [
            event(number, "submitted", now, Said::Submitted { policy_id, uscc: format!("U-{number}"), mode: None }),
            event(number, "accepted", now, Said::Accepted(officer())),
            event(number, "assigned", now, Said::Assigned { to, stage, due_working_days: Some(1) }),
        ];
        store.take_in(begun.to_vec()).await.unwrap();
    }
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..WORKERS {
        workers.spawn(work(place.open().await, place.clone(), organisation.clone(), worker));
    }
    while let Some(ended) = workers.join_next().await {
        ended.unwrap();
    }
    place.clock.advance(SignedDuration::from_hours(30 * 24));
    while store.look_at_cases(50).await.unwrap() > 0 {}
    judge(&store).await;
}

/// Looks, while others do; every worker also brings decisions, and one imports the organisation again and again.
async fn work(store: SqlStore, place: Place, mut organisation: Organisation, worker: u32) {
    for turn in 0..12 {
        let now = store.now().await.unwrap();
        let number = worker * 12 + turn + 1;
        if number.is_multiple_of(2) && number <= APPLICATIONS {
            let (by, stage, decision) = (officer(), Stage::First, Decision::Approve);
            let decided = Said::Decided { by, stage, decision, reason: None, return_to: None };
            store.take_in(vec![event(number, "decided", now, decided)]).await.unwrap();
        }
        if worker == 0 && turn % 3 == 1 {
            let head = organisation.officers.get_mut(&OfficerId::from("O-101")).unwrap();
            head.name = format!("{} {turn}", head.name);
            store.import_organisation(&organisation, "test").await.unwrap();
        }
        store.look_at_cases(7).await.unwrap();
        place.clock.advance(SignedDuration::from_mins(50));
        store.look_at_cases(7).await.unwrap();
    }
}

async fn judge(store: &SqlStore) {
    let alerts = store.alerts(&AlertFilter { which: Which::All, department_id: None, limit: 10_000 }).await.unwrap();
    let open = alerts.iter().filter(|alert| alert.cleared.is_none());
    let whole = ["due_soon", "overdue", "escalated_1", "escalated_2", "escalated_3"];
    for alert in open.clone() {
        let levels: Vec<String> = alert.raised.iter().map(|rung| rung.level.to_string()).collect();
        assert_eq!(levels, whole, "{} {}", alert.application_id, alert.clock);
    }
    // Every review is open still, and so is the step of every application whose number is odd.
    assert_eq!(open.count(), (APPLICATIONS + APPLICATIONS / 2) as usize);
    let mut told = BTreeSet::new();
    for number in 1..=APPLICATIONS {
        for row in store.trace(&ApplicationId(format!("A-{number}"))).await.unwrap() {
            if row.kind == "alert.raised" {
                let rung = (row.detail["alert_id"].to_string(), row.detail["level"].to_string());
                assert!(told.insert(rung.clone()), "{rung:?} was raised twice");
            }
        }
    }
    let (mut out, mut sent) = (0, BTreeSet::new());
    loop {
        let rows = store.claim_outbox(1_000).await.unwrap();
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            let body: serde_json::Value = serde_json::from_slice(&row.body).unwrap_or_default();
            if body["data"]["level"].is_string() {
                out += 1;
                sent.insert((body["data"]["alert_id"].to_string(), body["data"]["level"].to_string()));
            }
        }
        store.outbox_sent(&rows.into_iter().map(|row| row.id).collect::<Vec<_>>()).await.unwrap();
    }
    assert_eq!((out, sent), (told.len(), told), "what was raised went out, once");
}
