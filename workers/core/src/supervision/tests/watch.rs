//! Looks at one application again and again, and keeps what a store would.

use crate::case_file::ReviewTerms;
use crate::case_file::tests::story::Story;
use crate::ids::{ApplicationId, DepartmentId, OfficerId};
use crate::notice::NoticeRequest;
use crate::organisation::{Absence, Department, Officer, OfficerRole, Organisation};
use crate::supervision::{Alert, Case, Cleared, District, NotAcknowledged, Seen, SupervisionRules, look};
use crate::working_time::WorkingTime;
use crate::working_time::tests::local;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct Watch {
    pub(super) story: Story,
    pub(super) organisation: Organisation,
    pub(super) rules: SupervisionRules,
    alerts: BTreeMap<String, Alert>,
    notices: Vec<NoticeRequest>,
    department: Option<String>,
    recorded: Vec<(String, String)>,
}

fn organisation() -> Organisation {
    let department = |id: &str| Department { id: DepartmentId::from(id), name: id.to_owned(), parent_id: None };
    let officer = |id: &str, department: &str, role| Officer {
        id: OfficerId::from(id),
        name: id.to_owned(),
        department_id: DepartmentId::from(department),
        role,
        mobile: None,
        email: None,
        substitute_id: None,
        absent: BTreeSet::new(),
    };
    let people = [
        ("O-D1", "D1", OfficerRole::Officer),
        ("H-1", "D1", OfficerRole::Head),
        ("O-D2", "D2", OfficerRole::Officer),
        ("S-1", "D9", OfficerRole::Supervisor),
        ("S-2", "D9", OfficerRole::Supervisor),
        ("I-1", "D9", OfficerRole::Inspector),
    ];
    Organisation {
        departments: ["D1", "D2", "D9"].map(department).into_iter().map(|one| (one.id.clone(), one)).collect(),
        officers: people
            .map(|(id, at, role)| officer(id, at, role))
            .into_iter()
            .map(|one| (one.id.clone(), one))
            .collect(),
        ladders: BTreeMap::new(),
    }
}

impl Watch {
    pub(super) fn over(story: Story) -> Self {
        Self {
            story,
            organisation: organisation(),
            rules: SupervisionRules::default(),
            alerts: BTreeMap::new(),
            notices: Vec::new(),
            department: None,
            recorded: Vec::new(),
        }
    }

    /// Under a policy of this department.
    pub(super) fn of_policy(story: Story, department: &str) -> Self {
        Self { department: Some(department.to_owned()), ..Self::over(story) }
    }

    pub(super) fn findings(&mut self, now: &str) -> Vec<&'static str> {
        self.look(now).file.findings.iter().map(|one| one.code.code()).collect()
    }

    pub(super) fn wake_at(&mut self, now: &str) -> Option<String> {
        let at = self.look(now).look_at?;
        Some(self.story.time().zone.to_datetime(at).strftime("%Y-%m-%dT%H:%M").to_string())
    }

    pub(super) fn absent(&mut self, who: &str, from: &str, to: &str, substitute: &str) {
        let officer = self.organisation.officers.get_mut(&OfficerId::from(who)).unwrap();
        officer.absent.insert(Absence { from: from.parse().unwrap(), to: to.parse().unwrap() });
        officer.substitute_id = Some(OfficerId::from(substitute));
    }

    pub(super) fn time(&self) -> &WorkingTime {
        self.story.time()
    }

    pub(super) fn alert(&self, id: &str) -> Option<Alert> {
        self.alerts.get(id).cloned()
    }

    pub(super) fn look(&mut self, now: &str) -> Seen {
        self.look_at(local(now))
    }

    pub(super) fn look_at(&mut self, now: Timestamp) -> Seen {
        let case = Case {
            orders: Vec::new(),
            events: self.story.events(),
            payouts: self.story.payouts(),
            policy: self.department.clone().map(|department| (department, ReviewTerms::default())),
            alerts: self.alerts.values().cloned().collect(),
        };
        let district = District { rules: &self.rules, organisation: &self.organisation, time: self.story.time(), now };
        let seen = look(&ApplicationId::from("A-1"), case, district);
        self.alerts.extend(seen.alerts.iter().map(|alert| (alert.id.clone(), alert.clone())));
        self.notices.extend(seen.notices.iter().cloned());
        for row in seen.journal.iter().filter(|row| row.kind == "alert.recorded") {
            self.recorded.push((text(&row.detail, "clock"), text(&row.detail, "level")));
        }
        for alert in self.alerts.values() {
            let open = self.alerts.values().filter(|one| one.clock == alert.clock && one.cleared.is_none()).count();
            assert!(open <= 1, "{} has {open} open alerts", alert.clock);
        }
        seen
    }

    /// What a look brings, in words: what the clock measures, and who is told of what.
    pub(super) fn news(&mut self, now: &str) -> Vec<String> {
        let seen = self.look(now);
        seen.world
            .iter()
            .map(|event| {
                let data = &event.data;
                let measures = text(data, "measures");
                if let Some(because) = data.get("because").and_then(Value::as_str) {
                    return format!("{measures} cleared {because}");
                }
                let told: Vec<&str> = data["told"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
                let whom = if told.is_empty() { format!("({})", text(data, "note")) } else { told.join(" ") };
                format!("{measures} {} {whom}", text(data, "level"))
            })
            .collect()
    }

    pub(super) fn news_of(&mut self, measures: &str, now: &str) -> Vec<String> {
        let mut news = self.news(now);
        news.retain(|line| line.split(' ').next() == Some(measures));
        news
    }

    fn alerts_of(&self, clock: &str) -> Vec<&Alert> {
        self.alerts.values().filter(|one| one.clock == clock).collect()
    }

    pub(super) fn levels(&self, clock: &str) -> Vec<String> {
        self.alerts_of(clock).iter().flat_map(|one| &one.raised).map(|rung| rung.level.to_string()).collect()
    }

    pub(super) fn episodes(&self, clock: &str) -> usize {
        self.alerts_of(clock).len()
    }

    pub(super) fn cleared(&self, clock: &str) -> Option<Cleared> {
        self.alerts_of(clock).last().and_then(|one| one.cleared).map(|(_, why)| why)
    }

    pub(super) fn open(&self, clock: &str) -> String {
        self.alerts_of(clock).iter().find(|one| one.cleared.is_none()).unwrap().id.clone()
    }

    pub(super) fn recorded(&self, clock: &str) -> Vec<String> {
        self.recorded.iter().filter(|(of, _)| of == clock).map(|(_, level)| level.clone()).collect()
    }

    pub(super) fn all_notices(&self) -> &[NoticeRequest] {
        &self.notices
    }

    pub(super) fn notices_of(&self, clock: &str) -> Vec<String> {
        let ids: Vec<&String> = self.alerts_of(clock).iter().map(|one| &one.id).collect();
        let of_clock = self.notices.iter().filter(|one| ids.contains(&&one.subject));
        of_clock.map(|one| format!("{} {}", one.recipient, one.occasion)).collect()
    }

    pub(super) fn told_of_the_end(&self, clock: &str) -> Vec<String> {
        let all = self.notices_of(clock);
        all.iter().filter_map(|one| one.strip_suffix(" cleared")).map(str::to_owned).collect()
    }

    pub(super) fn acknowledge(&mut self, id: &str, who: &str, hours: u32, now: &str) -> Result<(), NotAcknowledged> {
        let (organisation, time, rules) = (&self.organisation, self.story.time(), &self.rules);
        let district = District { rules, organisation, time, now: local(now) };
        self.alerts.get_mut(id).unwrap().acknowledge(&OfficerId::from(who), hours, "known", district)
    }
}

fn text(data: &Value, member: &str) -> String {
    data[member].as_str().unwrap_or_default().to_owned()
}
