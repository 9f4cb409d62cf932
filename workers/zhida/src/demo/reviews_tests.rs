//! That the month's truth holds whatever moment the demo runs at: on a working day before and after its close, on a Sunday, on
//! a holiday, around a new year, in a year without a calendar.

#![allow(clippy::unwrap_used)] // a failing unwrap is the finding

use super::*;
use crate::verbs::policy_changes::policy_of_file;
use jiff::civil::DateTime;
use jiff::{SignedDuration, ToSpan as _};
use std::collections::{BTreeMap, BTreeSet};
use zhida_config::Calendar;
use zhida_config::sample_district::{self, ORGANISATION_TOML, POLICIES_TOML};
use zhida_core::case_file::{CaseEvent, CaseNote, ReviewTerms, Said};
use zhida_core::ids::{ApplicationId, PolicyId};
use zhida_core::organisation::Organisation;
use zhida_core::supervision::{Case, District, Level, SupervisionRules, look};
use zhida_schemas::InboundEvent;
use zhida_schemas::envelope::Envelope;
use zhida_schemas::organisation_file::OrganisationFile;
use zhida_schemas::policy_file::PolicyFile;

/// What supervision has to find.
const TRUTH_CSV: &str = include_str!("../../../../config/sample_district/truth.csv");

/// Everything the looks need.
struct Scene {
    reviews: Vec<Review>,
    awarded: BTreeSet<String>,
    policies: BTreeMap<String, (String, ReviewTerms)>,
    organisation: Organisation,
    rules: SupervisionRules,
    time: WorkingTime,
}

impl Scene {
    fn new() -> Self {
        let file = PolicyFile::parse(POLICIES_TOML, &BTreeSet::new()).unwrap();
        let policies = file.policies.iter().map(policy_of_file);
        let rules = SupervisionRules { replay_pause: SignedDuration::ZERO, ..SupervisionRules::default() };
        Self {
            reviews: sample_district::reviews().unwrap(),
            awarded: sample_district::awards().unwrap().into_iter().map(|award| award.application_id).collect(),
            policies: policies.map(|one| (one.id.0.clone(), (one.department_id, one.review))).collect(),
            organisation: OrganisationFile::parse(ORGANISATION_TOML).unwrap().into(),
            time: WorkingTime {
                calendar: std::sync::Arc::new(Calendar::mainland_china().unwrap()),
                zone: jiff::tz::TimeZone::get("Asia/Shanghai").unwrap(),
                hours: rules.hours.clone(),
            },
            rules,
        }
    }

    /// Alerts and findings, as the truth writes them, when the demo runs at `now`.
    fn found(&self, now: Timestamp) -> BTreeSet<String> {
        let month = Month::before(now, &self.time);
        let district = District { rules: &self.rules, organisation: &self.organisation, time: &self.time, now };
        let mut found = BTreeSet::new();
        for review in &self.reviews {
            let id = &review.application_id;
            let mut events: Vec<CaseEvent> = review.history.iter().map(|step| heard(&month, review, step)).collect();
            if self.awarded.contains(id) {
                events.push(CaseEvent {
                    at: now,
                    event_id: "approved".to_owned(),
                    said: approved(review),
                    ..events[0].clone()
                });
            }
            let policy = Some(self.policies[&review.policy_id].clone());
            let seen = look(&ApplicationId::from(id.as_str()), Case { events, policy, ..Case::default() }, district);
            for alert in seen.alerts {
                let level = if alert.level() == Level::DueSoon { "due_soon" } else { "overdue" };
                found.insert(format!("alert,{level},{},{id}", alert.clock));
            }
            found.extend(seen.file.findings.iter().map(|finding| format!("finding,{},,{id}", finding.code.code())));
        }
        found
    }
}

fn heard(month: &Month<'_>, review: &Review, step: &Step) -> CaseEvent {
    let (event_type, data) = event(month, review, step);
    let event = json!({"specversion": "1.0", "id": "e", "source": "/review/sample", "type": event_type,
        "subject": review.application_id, "time": month.now, "datacontenttype": "application/json", "data": data,
        "keyid": "k", "signature": "A".repeat(86)});
    let event = InboundEvent::parse(&Envelope::from_value(event).unwrap()).unwrap();
    let CaseNote { at, said, .. } = CaseNote::of(&event).unwrap();
    let event_id = format!("{at} {said:?}");
    CaseEvent { source: "/review/sample".to_owned(), event_id, at, received_at: month.now, said }
}

fn approved(review: &Review) -> Said {
    Said::Approved {
        policy_id: PolicyId::from(review.policy_id.as_str()),
        uscc: review.uscc.clone(),
        tranche: 1,
        amount: Fen(review.amount.fen),
        approvals: Vec::new(),
    }
}

#[test]
fn the_truth_holds_whenever_the_demo_runs() {
    let scene = Scene::new();
    let truth = TRUTH_CSV.lines().filter(|line| line.starts_with("alert,") || line.starts_with("finding,"));
    let truth: BTreeSet<String> = truth.map(str::to_owned).collect();
    let named = [
        "2026-11-26T10:00", // a working day
        "2026-11-30T17:45", // a Monday after the close
        "2026-11-30T00:05", // and before it has begun
        "2026-11-22T03:00", // a Sunday
        "2026-01-01T00:00", // a new year
        "2026-01-04T17:29", // a Sunday worked in exchange
        "2026-02-20T12:00", // within the Spring Festival
        "2026-10-08T08:59", // the first morning after National Day
        "2026-12-31T23:59",
        "2027-01-02T12:00", // a year without a calendar
    ];
    let named = named.map(|text| text.parse::<DateTime>().unwrap());
    // And a day of every fourth week of a year, each at another hour.
    let first: DateTime = "2026-01-05T00:30".parse().unwrap();
    let four_weekly = (0..13).map(|place| first + (place * (28 * 24 + 1)).hours());
    for now in named.into_iter().chain(four_weekly) {
        let found = scene.found(scene.time.zone.to_timestamp(now).unwrap());
        let missed: Vec<_> = truth.difference(&found).collect();
        let invented: Vec<_> = found.difference(&truth).collect();
        assert!(missed.is_empty() && invented.is_empty(), "at {now}: missed {missed:?}, invented {invented:?}");
    }
}

#[test]
fn a_network_loses_nothing() {
    let events: Vec<Value> = (0..1_000).map(|place| json!(place)).collect();
    let sent = as_a_network_would(events.clone());
    let different: BTreeSet<i64> = sent.iter().filter_map(Value::as_i64).collect();
    assert_eq!(different.len(), events.len());
    assert!(sent.len() > events.len() && sent != events);
}
