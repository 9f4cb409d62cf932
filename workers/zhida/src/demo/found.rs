//! What supervision found in the demo's month of reviews: who is late with what, what does not fit in the case files, which patterns
//! stand out and how policies fare. It is read
//! from the store as the verbs read it; nothing is judged here.

use crate::serve::House;
use crate::verbs::{Column, Table};
use jiff::civil::Date;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use zhida_config::sample_district::Review;
use zhida_core::case_file::{ClockKind, Finding};
use zhida_core::ids::{ApplicationId, DepartmentId};
use zhida_core::patterns::{Health, HealthWord, Pattern, Rule};
use zhida_core::ports::cases::AlertFilter;
use zhida_core::ports::patterns::PatternFilter;
use zhida_core::ports::store::Which;
use zhida_core::supervision::{Alert, Audience};
use zhida_core::view::micros;
use zhida_core::working_time::WorkingTime;

/// Alerts that are read at most: many more than the sample district has.
const ALERTS_MAX: u32 = 10_000;
/// Patterns that are read at most: as well.
const PATTERNS_MAX: u32 = 10_000;
/// Stalled reviews that are printed; `zhida alerts list` shows all.
const PRINTED: usize = 5;

/// What does not fit in the case files of so many reviews.
pub(super) struct FindingsRead {
    reviews: usize,
    findings: Vec<(ApplicationId, Finding)>,
}

/// Reads every case file. Payments change nothing in them that is a finding, so it is done while these go on.
pub(super) async fn findings(house: &House, reviews: &[Review]) -> anyhow::Result<FindingsRead> {
    let mut findings = Vec::new();
    for review in reviews {
        let id = ApplicationId::from(review.application_id.as_str());
        let view = house.store.case(&id).await?;
        let of_it = view.map(|view| view.file.findings).unwrap_or_default();
        findings.extend(of_it.into_iter().map(|finding| (id.clone(), finding)));
    }
    Ok(FindingsRead { reviews: reviews.len(), findings })
}

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    reviews: usize,
    events: usize,
    /// Open and cleared, with the working days by which each is late.
    alerts: Vec<(Alert, usize)>,
    findings: Vec<(ApplicationId, Finding)>,
    patterns: Vec<Pattern>,
    health: Vec<Health>,
}

impl Found {
    /// Reads what rang, when everything has been looked at, and what stands out, as soon as somebody has looked for it.
    pub(super) async fn read(
        house: &House,
        read: FindingsRead,
        events: usize,
        time: &WorkingTime,
    ) -> anyhow::Result<Self> {
        let today = time.day_of(house.store.now().await?);
        let filter = AlertFilter { which: Which::All, department_id: None, limit: ALERTS_MAX };
        let late = |alert: Alert| {
            let days = working_days_between(time.day_of(alert.deadline), today, time);
            (alert, days)
        };
        let mut alerts: Vec<(Alert, usize)> = house.store.alerts(&filter).await?.into_iter().map(late).collect();
        alerts.sort_by_key(|(alert, _)| (alert.deadline, alert.id.clone()));
        while house.store.last_pattern_run().await?.is_none() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let mut patterns =
            house.store.patterns(&PatternFilter { rule: None, state: None, limit: PATTERNS_MAX }).await?;
        patterns.sort_by_key(|one| (one.rule, one.key.clone()));
        let health = house.store.policy_health().await?;
        let FindingsRead { reviews, findings } = read;
        Ok(Self { reviews, events, alerts, findings, patterns, health })
    }

    /// Applications that are late with anything, and the clock that says where they lie, the latest first.
    fn stalled(&self) -> Vec<&(Alert, usize)> {
        let mut innermost: BTreeMap<&ApplicationId, &(Alert, usize)> = BTreeMap::new();
        for one in self.alerts.iter().filter(|(alert, _)| alert.is_red() && alert.cleared.is_none()) {
            let known = innermost.entry(&one.0.application_id).or_insert(one);
            if is_of_the_whole(known.0.kind) && !is_of_the_whole(one.0.kind) {
                *known = one;
            }
        }
        let mut stalled: Vec<_> = innermost.into_values().collect();
        stalled.sort_by_key(|(alert, _)| alert.deadline);
        stalled
    }

    /// The application that is late for longest.
    pub(super) fn worst(&self) -> Option<&str> {
        self.stalled().first().map(|(alert, _)| alert.application_id.as_str())
    }

    /// Adds the keys of the contract, and what stands behind them.
    pub(super) fn extend(&self, summary: &mut Value) {
        summary["stalled_reviews"] = json!(self.stalled().len());
        summary["patterns"] = json!(self.patterns.len());
        let unwell = self.health.iter().filter(|one| one.word != HealthWord::Alive);
        summary["supervision"] = json!({
            "reviews": self.reviews, "events": self.events,
            "alerts": self.alerts.iter().map(alert_json).collect::<Vec<_>>(),
            "findings": self.findings.iter().map(|(id, finding)| json!({
                "application_id": id, "code": finding.code.code(), "about": finding.about,
            })).collect::<Vec<_>>(),
            "patterns": self.patterns.iter().map(pattern_json).collect::<Vec<_>>(),
            "policy_health": unwell.map(|one| json!({"policy_id": one.policy_id, "word": one.word.code()}))
                .collect::<Vec<_>>(),
        });
    }

    /// For people.
    pub(super) fn print(&self) {
        let stalled = self.stalled();
        let due_soon = self.alerts.iter().filter(|(alert, _)| !alert.is_red() && alert.cleared.is_none()).count();
        println!(
            "\n监督 Supervision: 申请 applications {}, 超期 stalled {}, 临期 due soon {due_soon}, 疑点 findings {}",
            self.reviews,
            stalled.len(),
            self.findings.len()
        );
        let mut table = Table::new(&[
            ("  申请 application", Column::Text),
            ("停在 where it lies", Column::Text),
            ("部门 department", Column::Text),
            ("超期工作日 days late", Column::Number),
        ]);
        for (alert, days) in stalled.iter().take(PRINTED) {
            let (chinese, _) = alert.kind.title();
            let department = alert.department_id.as_ref().map_or("–", DepartmentId::as_str);
            table.row(vec![
                format!("  {}", alert.application_id),
                format!("{chinese} {}", alert.clock),
                department.to_owned(),
                days.to_string(),
            ]);
        }
        for line in table.lines() {
            println!("{line}");
        }
        if stalled.len() > PRINTED {
            println!("  另有 and {} more", stalled.len() - PRINTED);
        }
        self.print_patterns();
    }

    fn print_patterns(&self) {
        let mut by_rule: BTreeMap<Rule, Vec<&Pattern>> = BTreeMap::new();
        for pattern in &self.patterns {
            by_rule.entry(pattern.rule).or_default().push(pattern);
        }
        println!("值得核实 Worth a look: 规律 patterns {}", self.patterns.len());
        let mut table = Table::new(&[("", Column::Text), ("", Column::Number), ("", Column::Text)]);
        for (rule, patterns) in by_rule {
            let (chinese, _) = rule.title();
            let subject = match rule.audience() {
                Audience::Supervision => patterns[0].subject.text(),
                Audience::Inspection => "仅纪检可见 for discipline inspection alone".to_owned(),
            };
            table.row(vec![format!("  {chinese} {}", rule.code()), patterns.len().to_string(), subject]);
        }
        for line in table.lines().iter().skip(1) {
            println!("{line}");
        }
    }
}

/// Of patterns about officers it says no more than that they are there, as everywhere but to discipline inspection.
fn pattern_json(pattern: &Pattern) -> Value {
    let (subject, applications) = match pattern.rule.audience() {
        Audience::Supervision => (pattern.subject.text(), pattern.evidence.applications.iter().collect()),
        Audience::Inspection => (String::new(), Vec::new()),
    };
    json!({"pattern_id": pattern.id, "rule": pattern.rule.code(), "subject_kind": pattern.subject.kind(),
        "subject": subject, "applications": applications})
}

/// Whether the clock measures the whole review, and does not say where it lies.
fn is_of_the_whole(kind: ClockKind) -> bool {
    match kind {
        ClockKind::Review | ClockKind::Legal => true,
        ClockKind::Acceptance | ClockKind::Step | ClockKind::Supplement | ClockKind::Payout | ClockKind::Order => false,
    }
}

/// Working days after `from` up to `to`.
fn working_days_between(from: Date, to: Date, time: &WorkingTime) -> usize {
    let days = from.series(jiff::Span::new().days(1)).skip(1).take_while(|day| *day <= to);
    days.filter(|day| time.day_type(*day).is_worked()).count()
}

fn alert_json((alert, days): &(Alert, usize)) -> Value {
    json!({
        "application_id": alert.application_id, "clock": alert.clock, "department_id": alert.department_id,
        "officer_id": alert.officer_id, "deadline": micros(Some(alert.deadline)),
        "level": if alert.is_red() { "overdue" } else { "due_soon" },
        "working_days_late": days, "cleared": alert.cleared.is_some(),
    })
}
