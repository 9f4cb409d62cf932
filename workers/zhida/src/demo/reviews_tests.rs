//! That the month's truth holds whatever moment the demo runs at: on a working day before and after its close, on a Sunday, on
//! a holiday, around a new year, in a year without a calendar.

#![allow(clippy::unwrap_used)] // a failing unwrap is the finding

use super::*;
use crate::verbs::policy_changes::{fund_of_file, policy_of_file};
use jiff::civil::DateTime;
use jiff::{SignedDuration, ToSpan as _};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use zhida_config::Calendar;
use zhida_config::sample_district::{self, ORGANISATION_TOML, POLICIES_TOML};
use zhida_core::case_file::{CaseEvent, CaseNote, Said};
use zhida_core::contacts::Contacts;
use zhida_core::ids::{ApplicationId, PolicyId};
use zhida_core::organisation::Organisation;
use zhida_core::patterns::{CaseFacts, CaseSource, Found, HealthWord, Material, Seal, Thresholds, health};
use zhida_core::steps::{Fund, Policy};
use zhida_core::supervision::{Case, District, Level, SupervisionRules, look};
use zhida_schemas::InboundEvent;
use zhida_schemas::envelope::Envelope;
use zhida_schemas::organisation_file::OrganisationFile;
use zhida_schemas::policy_file::PolicyFile;
use zhida_schemas::signing::SigningKey;

/// What supervision has to find.
const TRUTH_CSV: &str = include_str!("../../../../config/sample_district/truth.csv");

/// Everything the looks need.
struct Scene {
    reviews: Vec<Review>,
    awarded: BTreeSet<String>,
    policies: BTreeMap<PolicyId, Policy>,
    funds: Vec<Fund>,
    thresholds: Thresholds,
    organisation: Organisation,
    rules: SupervisionRules,
    time: WorkingTime,
}

impl Scene {
    fn new() -> Self {
        let file = PolicyFile::parse(POLICIES_TOML, &BTreeSet::new()).unwrap();
        let policies: BTreeMap<PolicyId, Policy> =
            file.policies.iter().map(policy_of_file).map(|one| (one.id.clone(), one)).collect();
        let awards = sample_district::awards().unwrap();
        let drawn = |fund: &str| {
            let of_it = |id: &str| policies[&PolicyId::from(id)].fund_id.as_str() == fund;
            Fen(awards.iter().filter(|award| of_it(&award.policy_id)).map(|award| award.amount.fen).sum())
        };
        let funds = file.funds.iter().map(|fund| fund_of_file(fund, drawn(fund.id.as_str()))).collect();
        let key = SigningKey::generate().unwrap();
        let (bank, listen) = ("http://127.0.0.1:1", "127.0.0.1:0");
        let flags = crate::demo::flags(Path::new("/demo"), &key, bank, listen, Vec::new());
        let settings = zhida_config::Settings::load(&flags, [], None).unwrap();
        let rules = SupervisionRules { replay_pause: SignedDuration::ZERO, ..SupervisionRules::default() };
        Self {
            reviews: sample_district::reviews().unwrap(),
            awarded: awards.into_iter().map(|award| award.application_id).collect(),
            policies,
            funds,
            thresholds: settings.patterns,
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
        let (mut found, mut facts) = (BTreeSet::new(), Vec::new());
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
            let policy = &self.policies[&PolicyId::from(review.policy_id.as_str())];
            facts.push(self.facts(review, &events, policy, now));
            let policy = Some((policy.department_id.clone(), policy.review.clone()));
            let seen = look(&ApplicationId::from(id.as_str()), Case { events, policy, ..Case::default() }, district);
            for alert in seen.alerts {
                let level = if alert.level() == Level::DueSoon { "due_soon" } else { "overdue" };
                found.insert(format!("alert,{level},{},{id}", alert.clock));
            }
            found.extend(seen.file.findings.iter().map(|finding| format!("finding,{},,{id}", finding.code.code())));
        }
        found.extend(self.patterns(&facts, now));
        found
    }

    fn facts(&self, review: &Review, events: &[CaseEvent], policy: &Policy, now: Timestamp) -> CaseFacts {
        let (mobile, email) = (review.mobile.clone(), Some(review.email.clone()));
        let source = CaseSource {
            application_id: &ApplicationId::from(review.application_id.as_str()),
            events,
            payouts: &[],
            policy: Some(policy),
            contacts: Some(&Contacts::new(now, mobile, email, None)),
        };
        CaseFacts::of(&source, &self.rules, &Seal::new("secret"), now)
    }

    fn patterns(&self, cases: &[CaseFacts], now: Timestamp) -> BTreeSet<String> {
        let material = Material {
            seen_from: jiff::Timestamp::MIN,
            cases,
            policies: &self.policies,
            funds: &self.funds,
            time: &self.time,
            thresholds: &self.thresholds,
            second_officer_above: None,
            now,
        };
        let line = |one: Found| {
            let applications: Vec<String> = one.evidence.applications.iter().map(ToString::to_string).collect();
            let subject = if one.subject.kind() == "fingerprint" { String::new() } else { one.subject.text() };
            format!("pattern,{},{subject},{}", one.rule.code(), applications.join(";"))
        };
        let words = health(&material).into_iter().filter(|one| one.word != HealthWord::Alive);
        let words = words.map(|one| format!("health,{},{},", one.word.code(), one.policy_id));
        material.find_all().into_iter().map(line).chain(words).collect()
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
    let truth: BTreeSet<String> = TRUTH_CSV.lines().skip(1).map(str::to_owned).collect();
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
